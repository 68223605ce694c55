// SPDX-License-Identifier: GPL-2.0-only
/*
 * Proves that the listener of a connection is found by what the kernel tells of it, not by its port, and
 * that a process is named as its holder only while it is known to hold it.
 */
#include "snapshot.h"

static const uint8_t here[16] = { 192, 0, 2, 1 }, there[16] = { 192, 0, 2, 9 };

/* Connection @n listens on @laddr (NULL: on all) and @lport. */
static void listening(struct scene *s, unsigned int n, const uint8_t *laddr, uint16_t lport)
{
	struct fw_rec_sock rec;

	scene_connection(s, n);
	s->lport = lport;
	rec = sock_record(s, 10, FW_OBJECT_FULL, FW_LISTEN, (struct seen){ 0 });
	memset(rec.head.laddr, 0, 16);
	if (laddr)
		memcpy(rec.head.laddr, laddr, 16);
	scene_apply(s, &rec, sizeof(rec), FW_CAUSE_UNKNOWN);
}

static bool serve(const struct scene *s, const uint8_t laddr[16], uint16_t lport)
{
	return fw_listeners_serve(&s->tracker.listeners, SCENE_NETNS, laddr, lport);
}

/* The address of the socket of connection @n. */
static uint64_t at(struct scene *s, unsigned int n)
{
	scene_connection(s, n);
	return s->skaddr;
}

static const struct fw_listener *listener(struct scene *s, unsigned int n)
{
	return fw_listeners_at(&s->tracker.listeners, at(s, n));
}

static void each_is_found_by_its_address(void **state)
{
	struct scene *s = *state;

	for (unsigned int i = 1; i < 600; i++)
		listening(s, i, NULL, 80);
	for (unsigned int i = 1; i < 600; i++)
		assert_int_equal(listener(s, i)->conn->cookie, i);
	assert_null(listener(s, 600));
	assert_null(fw_listeners_at(&s->tracker.listeners, 0));
}

static void port_address_and_namespace_must_be_the_listeners(void **state)
{
	struct scene *s = *state;

	listening(s, 1, NULL, 80);
	listening(s, 2, there, 81);
	assert_true(serve(s, here, 80));
	assert_false(serve(s, here, 81));
	assert_true(serve(s, there, 81));
	assert_false(fw_listeners_serve(&s->tracker.listeners, SCENE_NETNS + 1, here, 80));
}

static void one_that_stops_to_listen_is_not_found_any_more(void **state)
{
	struct scene *s = *state;

	listening(s, 1, NULL, 80);
	listening(s, 2, NULL, 80);
	full(s, 20, FW_LISTEN, FW_CLOSE, 0);
	fw_tracker_advance(&s->tracker, ns_of(200));
	assert_null(listener(s, 2));
	assert_non_null(listener(s, 1));
}

static void a_port_that_listen_itself_has_chosen_becomes_known(void **state)
{
	struct scene *s = *state;

	/* Without bind() the port is chosen after CLOSE -> LISTEN. */
	scene_connection(s, 1);
	s->lport = 0;
	full(s, 10, FW_CLOSE, FW_LISTEN, .flags = FW_REC_OWNER, .pid = 7, .comm = "httpd");
	snap_begin(s, 50);
	s->lport = 34567;
	sock(s, 51, FW_LISTEN);
	holder(s, 51, 7, 3, "httpd");
	snap_end(s, 52);
	assert_true(serve(s, here, 34567));
	full(s, 100, FW_LISTEN, FW_CLOSE, .flags = FW_REC_OWNER, .pid = 7, .comm = "httpd");
	fw_tracker_advance(&s->tracker, ns_of(300));
	assert_int_equal(s->tracker.table.nr, 0);
	assert_false(serve(s, here, 34567));
	assert_false(serve(s, here, 0));
}

static void all_are_visited_once(void **state)
{
	struct scene *s = *state;
	const struct fw_listener *one = NULL;
	uint64_t sum = 0;

	for (unsigned int i = 1; i <= 100; i++)
		listening(s, i, NULL, (uint16_t)(80 + i % 7));
	while ((one = fw_listeners_next(&s->tracker.listeners, one)))
		sum += one->conn->cookie;
	assert_int_equal(sum, 100 * 101 / 2);
}

/* ---- Who holds it ------------------------------------------------------------------------ */

static void holders_begin(struct scene *s, double ms)
{
	scene_head_only(s, ms, FW_REC_HOLDERS_BEGIN, 0);
}

static void holders_end(struct scene *s, double ms)
{
	scene_head_only(s, ms, FW_REC_HOLDERS_END, 0);
}

/* Process 7 calls listen(). */
static void starts(struct scene *s, double ms)
{
	scene_server_side(s, 99);
	full(s, ms, FW_CLOSE, FW_LISTEN, .flags = FW_REC_OWNER, .pid = 7, .comm = "starter");
}

/* Connection @n waits in the accept queue of connection @of. */
static const struct fw_conn *incoming(struct scene *s, double ms, unsigned int n, unsigned int of)
{
	uint64_t listener = at(s, of);

	scene_server_side(s, n);
	request(s, ms, FW_REC_REQ_SCHED, FW_CAUSE_UNKNOWN, .listener = listener);
	full(s, ms + 1, FW_LISTEN, FW_SYN_RECV, 0);
	full(s, ms + 1, FW_SYN_RECV, FW_ESTABLISHED, .segs_in = 2);
	return tracked(s);
}

static void the_starter_is_not_named_before_it_is_known_to_hold_it(void **state)
{
	struct scene *s = *state;
	const struct fw_conn *c;

	starts(s, 10);
	c = incoming(s, 20, 1, 99);
	assert_int_equal(c->pid, 0);
	assert_true(fw_tracker_wants_holders(&s->tracker, false));
	holders_begin(s, 30);
	scene_server_side(s, 99);
	holder(s, 31, 8, 3, "daemon");
	holders_end(s, 32);
	assert_int_equal(c->pid, 8);
	assert_string_equal(c->comm, "daemon");
	assert_true(fw_conn_has(c, FW_CONN_OWNER_LISTENS));
	assert_false(fw_tracker_wants_holders(&s->tracker, false));
	/* At the end it might have changed. */
	assert_true(fw_tracker_wants_holders(&s->tracker, true));
}

static void what_no_process_holds_has_no_owner(void **state)
{
	struct scene *s = *state;
	const struct fw_conn *c;

	starts(s, 10);
	c = incoming(s, 20, 1, 99);
	holders_begin(s, 30);
	holders_end(s, 32);
	assert_int_equal(c->pid, 0);
	scene_server_side(s, 99);
	assert_int_equal(tracked(s)->pid, 0);
	/* It is not looked for again at once. */
	incoming(s, 40, 2, 99);
	assert_false(fw_tracker_wants_holders(&s->tracker, false));
	incoming(s, 20000, 3, 99);
	assert_true(fw_tracker_wants_holders(&s->tracker, false));
}

static void a_listener_that_was_born_during_the_look_keeps_its_starter(void **state)
{
	struct scene *s = *state;

	holders_begin(s, 5);
	starts(s, 10);
	holders_end(s, 32);
	assert_int_equal(tracked(s)->pid, 7);
	assert_int_equal(incoming(s, 40, 1, 99)->pid, 0);
	assert_true(fw_tracker_wants_holders(&s->tracker, false));
}

static void of_several_the_first_is_named_and_all_are_counted(void **state)
{
	struct scene *s = *state;
	const struct fw_conn *c;

	starts(s, 10);
	holders_begin(s, 30);
	holder(s, 31, 7, 3, "master");
	holder(s, 31, 7, 4, "master");
	holder(s, 31, 8, 3, "worker");
	holder(s, 31, 9, 3, "worker");
	holders_end(s, 32);
	c = incoming(s, 40, 1, 99);
	assert_int_equal(c->pid, 7);
	assert_int_equal(fw_conn_listener_holders(c), 3);
	/* The next look counts anew. */
	holders_begin(s, 50);
	scene_server_side(s, 99);
	holder(s, 51, 8, 3, "worker");
	holders_end(s, 52);
	assert_int_equal(c->pid, 8);
	assert_int_equal(fw_conn_listener_holders(c), 1);
}

static void an_acceptor_holds_it(void **state)
{
	struct scene *s = *state;
	const struct fw_conn *c;

	starts(s, 10);
	c = incoming(s, 20, 1, 99);
	accepted(s, 25, .pid = 8, .comm = "worker");
	assert_int_equal(c->pid, 8);
	assert_null(c->extra);
	c = incoming(s, 30, 2, 99);
	assert_int_equal(c->pid, 8);
	assert_true(fw_conn_has(c, FW_CONN_OWNER_LISTENS));
}

static void a_process_that_has_ended_holds_nothing(void **state)
{
	struct scene *s = *state;

	starts(s, 10);
	holders_begin(s, 11);
	holder(s, 12, 7, 3, "starter");
	holders_end(s, 13);
	assert_int_equal(incoming(s, 20, 1, 99)->pid, 7);
	scene_full(s, 30, FW_REC_PROCESS_ENDED, 0, 0, (struct detail){ .pid = 8 });
	assert_int_equal(incoming(s, 40, 2, 99)->pid, 7);
	scene_full(s, 50, FW_REC_PROCESS_ENDED, 0, 0, (struct detail){ .pid = 7 });
	assert_int_equal(incoming(s, 60, 3, 99)->pid, 0);
	/* What had waited before is still that process's. */
	scene_server_side(s, 1);
	assert_int_equal(tracked(s)->pid, 7);
}

static void a_holder_of_long_ago_is_looked_at_again(void **state)
{
	struct scene *s = *state;

	starts(s, 10);
	holders_begin(s, 11);
	holder(s, 12, 7, 3, "starter");
	holders_end(s, 13);
	incoming(s, 5000, 1, 99);
	assert_false(fw_tracker_wants_holders(&s->tracker, false));
	incoming(s, 15000, 2, 99);
	assert_true(fw_tracker_wants_holders(&s->tracker, false));
}

static void beside_another_on_the_port_the_kernels_word_counts(void **state)
{
	struct scene *s = *state;

	/* IP_TRANSPARENT: it listens on 7777, the connection is to 80, where another listens. */
	snap_begin(s, 5);
	listening(s, 98, NULL, 7777);
	listening(s, 97, NULL, 80);
	scene_connection(s, 98);
	holder(s, 11, 8, 3, "proxy");
	scene_connection(s, 97);
	holder(s, 11, 9, 3, "httpd");
	snap_end(s, 12);
	assert_int_equal(incoming(s, 20, 1, 98)->pid, 8);
	assert_int_equal(incoming(s, 30, 2, 97)->pid, 9);
}

static void without_the_kernels_word_there_is_no_owner(void **state)
{
	struct scene *s = *state;
	uint64_t listener;

	snap_begin(s, 5);
	listening(s, 97, NULL, 80);
	holder(s, 11, 9, 3, "httpd");
	snap_end(s, 12);
	/* A SYN cookie, or Fast Open: no request socket was seen. */
	scene_server_side(s, 1);
	full(s, 20, FW_LISTEN, FW_SYN_RECV, 0);
	full(s, 21, FW_SYN_RECV, FW_ESTABLISHED, .segs_in = 2);
	assert_int_equal(tracked(s)->pid, 0);
	/* A snapshot finds it in the accept queue. */
	listener = at(s, 97);
	snap_begin(s, 30);
	scene_server_side(s, 1);
	sock(s, 31, FW_ESTABLISHED, .unaccepted = true, .listener = listener);
	scene_connection(s, 97);
	s->lport = 80;
	sock(s, 31, FW_LISTEN);
	holder(s, 32, 9, 3, "httpd");
	snap_end(s, 33);
	scene_server_side(s, 1);
	assert_int_equal(tracked(s)->pid, 9);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		scene_test(each_is_found_by_its_address),
		scene_test(port_address_and_namespace_must_be_the_listeners),
		scene_test(one_that_stops_to_listen_is_not_found_any_more),
		scene_test(a_port_that_listen_itself_has_chosen_becomes_known),
		scene_test(all_are_visited_once),
		scene_test(the_starter_is_not_named_before_it_is_known_to_hold_it),
		scene_test(what_no_process_holds_has_no_owner),
		scene_test(a_listener_that_was_born_during_the_look_keeps_its_starter),
		scene_test(of_several_the_first_is_named_and_all_are_counted),
		scene_test(an_acceptor_holds_it),
		scene_test(a_process_that_has_ended_holds_nothing),
		scene_test(a_holder_of_long_ago_is_looked_at_again),
		scene_test(beside_another_on_the_port_the_kernels_word_counts),
		scene_test(without_the_kernels_word_there_is_no_owner),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
