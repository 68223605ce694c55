// SPDX-License-Identifier: GPL-2.0-only
/* Proves that the listener of a connection is found: the nearest, and none if that is not certain. */
#include "snapshot.h"

static const uint8_t here[16] = { 192, 0, 2, 1 }, there[16] = { 192, 0, 2, 9 };

/* Connection @n listens on @laddr (NULL: on all) and @lport, for @pid (0: not known). */
static void listening(struct scene *s, unsigned int n, const uint8_t *laddr, uint16_t lport,
		      uint32_t pid)
{
	struct fw_rec_sock rec;

	scene_connection(s, n);
	s->lport = lport;
	rec = sock_record(s, 10, FW_OBJECT_FULL, FW_LISTEN, (struct seen){ 0 });
	memset(rec.head.laddr, 0, 16);
	if (laddr)
		memcpy(rec.head.laddr, laddr, 16);
	scene_apply(s, &rec, sizeof(rec), FW_CAUSE_UNKNOWN);
	if (pid)
		holder(s, 11, pid, 3, "httpd");
}

static const struct fw_conn *find(const struct scene *s, const uint8_t laddr[16], uint16_t lport)
{
	return fw_listeners_find(&s->tracker.listeners, SCENE_NETNS, laddr, lport);
}

static bool serve(const struct scene *s, const uint8_t laddr[16], uint16_t lport)
{
	return fw_listeners_serve(&s->tracker.listeners, SCENE_NETNS, laddr, lport);
}

static void the_listener_on_the_address_comes_before_the_one_on_all(void **state)
{
	struct scene *s = *state;

	/* In both orders of appearance. */
	listening(s, 1, NULL, 80, 7);
	listening(s, 2, here, 80, 8);
	listening(s, 3, here, 81, 8);
	listening(s, 4, NULL, 81, 7);
	assert_int_equal(find(s, here, 80)->pid, 8);
	assert_int_equal(find(s, here, 81)->pid, 8);
	assert_int_equal(find(s, there, 80)->pid, 7);
	assert_int_equal(find(s, there, 81)->pid, 7);
}

static void port_and_namespace_must_be_the_listeners(void **state)
{
	struct scene *s = *state;

	listening(s, 1, NULL, 80, 7);
	assert_true(serve(s, here, 80));
	assert_false(serve(s, here, 81));
	assert_null(find(s, here, 81));
	assert_null(fw_listeners_find(&s->tracker.listeners, SCENE_NETNS + 1, here, 80));
	assert_false(fw_listeners_serve(&s->tracker.listeners, SCENE_NETNS + 1, here, 80));
}

static void another_address_is_not_served(void **state)
{
	struct scene *s = *state;

	listening(s, 1, there, 80, 7);
	assert_false(serve(s, here, 80));
	assert_null(find(s, here, 80));
}

/* All these ports fall into one bucket. */
static void ports_that_share_a_bucket_are_kept_apart(void **state)
{
	struct scene *s = *state;

	for (unsigned int i = 0; i < 20; i++)
		listening(s, i + 1, NULL, (uint16_t)(i << 8 | i), 100 + i);
	for (unsigned int i = 1; i < 20; i++)
		assert_int_equal(find(s, here, (uint16_t)(i << 8 | i))->pid, 100 + i);
}

static void several_of_one_process_are_that_process(void **state)
{
	struct scene *s = *state;

	listening(s, 1, NULL, 80, 7);
	listening(s, 2, NULL, 80, 7);
	assert_int_equal(find(s, here, 80)->pid, 7);
}

static void several_of_different_processes_are_nobody(void **state)
{
	struct scene *s = *state;

	/* SO_REUSEPORT: the kernel has chosen one of them by a hash. */
	listening(s, 1, NULL, 80, 7);
	listening(s, 2, NULL, 80, 8);
	listening(s, 3, NULL, 80, 7);
	assert_null(find(s, here, 80));
	assert_true(serve(s, here, 80));
	/* One on the address is certain again, whichever came first. */
	listening(s, 5, here, 81, 9);
	listening(s, 6, NULL, 81, 7);
	listening(s, 7, NULL, 81, 8);
	assert_int_equal(find(s, here, 81)->pid, 9);
	listening(s, 4, here, 80, 9);
	assert_int_equal(find(s, here, 80)->pid, 9);
}

static void one_that_stops_to_listen_is_not_found_any_more(void **state)
{
	struct scene *s = *state;

	listening(s, 1, NULL, 80, 7);
	listening(s, 2, NULL, 80, 8);
	full(s, 20, FW_LISTEN, FW_CLOSE, .flags = FW_REC_OWNER, .pid = 8, .comm = "httpd");
	fw_tracker_advance(&s->tracker, ns_of(100));
	assert_int_equal(find(s, here, 80)->pid, 7);
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
	snap_end(s, 52);
	assert_non_null(find(s, here, 34567));
	assert_int_equal(find(s, here, 34567)->pid, 7);
	full(s, 100, FW_LISTEN, FW_CLOSE, .flags = FW_REC_OWNER, .pid = 7, .comm = "httpd");
	fw_tracker_advance(&s->tracker, ns_of(200));
	assert_int_equal(s->tracker.table.nr, 0);
	assert_false(serve(s, here, 34567));
	assert_false(serve(s, here, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		scene_test(the_listener_on_the_address_comes_before_the_one_on_all),
		scene_test(port_and_namespace_must_be_the_listeners),
		scene_test(another_address_is_not_served),
		scene_test(ports_that_share_a_bucket_are_kept_apart),
		scene_test(several_of_one_process_are_that_process),
		scene_test(several_of_different_processes_are_nobody),
		scene_test(one_that_stops_to_listen_is_not_found_any_more),
		scene_test(a_port_that_listen_itself_has_chosen_becomes_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
