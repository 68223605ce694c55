// SPDX-License-Identifier: GPL-2.0-only
/* Proves that connections are counted by state as the last snapshot saw them, by whatever they share. */
#include <errno.h>
#include <inttypes.h>

#include "analysis.h"
#include "analysis/tally.h"
#include "snapshot.h"

struct counted {
	struct watch w;
	struct fw_filter filter;
	struct fw_tally_options opt;
};

static const char *cgroup_path(void *arg, uint64_t id)
{
	(void)arg;
	return id == 11 ? "/system.slice/httpd.service" : NULL;
}

static const char *netns_name(void *arg, uint32_t inum)
{
	(void)arg;
	return inum == SCENE_NETNS ? "blue" : NULL;
}

static int setup(void **state)
{
	static struct counted c;

	c = (struct counted){ 0 };
	scene_init(&c.w.scene, 10000);
	c.opt = (struct fw_tally_options){ .filter = &c.filter, .cgroup_path = cgroup_path,
					   .netns_name = netns_name };
	*state = &c;
	return 0;
}

static int teardown(void **state)
{
	struct counted *c = *state;

	fw_report_fini(&c->w.report);
	scene_fini(&c->w.scene);
	return 0;
}

/* All groups, in their order: "name total STATE=n ...; " and columns in theirs. */
static void expect_groups(struct counted *c, enum fw_tally_by by, const char *want)
{
	const struct fw_table *t;
	struct fw_buf b = { 0 };

	c->opt.by = by;
	fw_report_fini(&c->w.report);
	c->w.report = (struct fw_report){ 0 };
	assert_int_equal(fw_tally_report(&c->opt, &c->w.scene.tracker, &c->w.report), 0);
	assert_false(c->w.report.failed);
	t = &c->w.report.sections[0].tables[0];
	for (size_t i = 0; i < t->nr_rows; i++) {
		const struct fw_cell *cell = &t->cells[i * t->nr_columns];

		fw_buf_printf(&b, "%s %" PRIu64, cell[0].text, cell[1].u);
		for (size_t k = 2; k < t->nr_columns; k++)
			fw_buf_printf(&b, " %s=%" PRIu64, t->columns[k].key, cell[k].u);
		fw_buf_puts(&b, "; ");
	}
	assert_string_equal(fw_buf_str(&b), want);
	fw_buf_free(&b);
}

static uint64_t count_of(struct counted *c, const char *name)
{
	const struct fw_table *t;

	c->opt.by = FW_TALLY_BY_NONE;
	fw_report_fini(&c->w.report);
	c->w.report = (struct fw_report){ 0 };
	assert_int_equal(fw_tally_report(&c->opt, &c->w.scene.tracker, &c->w.report), 0);
	if (!strcmp(name, "total"))
		return watch_fact(&c->w, "states", "total");
	t = &c->w.report.sections[0].tables[0];
	for (size_t i = 0; i < t->nr_rows; i++) {
		if (!strcmp(t->cells[2 * i].text, name))
			return t->cells[2 * i + 1].u;
	}
	fail_msg("no state %s", name);
	return 0;
}

/* httpd/80 listens on 80 and has a client; curl/7 has two servers, and one TIME_WAIT of nobody. */
static void a_host(struct scene *s, double ms)
{
	uint64_t listener;

	snap_begin(s, ms);
	scene_server_side(s, 99);
	listener = s->skaddr;
	sock(s, ms, FW_LISTEN, .cgroup_id = 11);
	holder(s, ms, 80, 3, "httpd");
	scene_server_side(s, 1);
	sock(s, ms, FW_CLOSE_WAIT, .cgroup_id = 11);
	holder(s, ms, 80, 4, "httpd");
	scene_connection(s, 2);
	sock(s, ms, FW_ESTABLISHED);
	holder(s, ms, 7, 4, "curl");
	scene_connection(s, 3);
	s->rport = 443;
	sock(s, ms, FW_ESTABLISHED);
	holder(s, ms, 7, 5, "curl");
	scene_connection(s, 4);
	sock_mini(s, ms, FW_TIME_WAIT, .armed_ms = ms - 100, .idle_ms = 100);
	scene_server_side(s, 5);
	sock_request(s, ms, .listener = listener);
	snap_end(s, ms);
}

static void each_object_counts_once_in_its_state(void **state)
{
	static const struct {
		const char *state;
		uint64_t nr;
	} cases[] = {
		{ "LISTEN", 1 },     { "CLOSE_WAIT", 1 }, { "ESTABLISHED", 2 }, { "TIME_WAIT", 1 },
		{ "SYN_RECV", 1 },   { "SYN_SENT", 0 },	  { "FIN_WAIT_1", 0 },	{ "FIN_WAIT_2", 0 },
		{ "CLOSING", 0 },    { "LAST_ACK", 0 },	  { "total", 6 },
	};
	struct counted *c = *state;

	a_host(&c->w.scene, 10000);
	for (unsigned int i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(count_of(c, cases[i].state), cases[i].nr);
	/* All that the kernel has, in the order of a life, and nothing else. */
	assert_int_equal(c->w.report.sections[0].tables[0].nr_rows, 10);
}

static void an_orphan_in_a_minisock_is_in_fin_wait_2(void **state)
{
	struct counted *c = *state;
	struct scene *s = &c->w.scene;

	snap_begin(s, 10000);
	sock_mini(s, 10000, FW_FIN_WAIT_2, .armed_ms = 9000);
	snap_end(s, 10000);
	assert_int_equal(count_of(c, "FIN_WAIT_2"), 1);
	assert_int_equal(count_of(c, "TIME_WAIT"), 0);
}

/* Of a recording what is open is known from events as well. */
static void what_came_after_the_snapshot_counts_if_events_do(void **state)
{
	struct counted *c = *state;
	struct scene *s = &c->w.scene;

	a_host(s, 10000);
	scene_connection(s, 50);
	s->tracker.start_ns = SCENE_START_NS;
	full(s, 10001, FW_CLOSE, FW_SYN_SENT, .pid = 7);
	full(s, 10002, FW_SYN_SENT, FW_ESTABLISHED);
	assert_int_equal(count_of(c, "ESTABLISHED"), 2);
	c->opt.of_events = true;
	assert_int_equal(count_of(c, "ESTABLISHED"), 3);
	assert_int_equal(count_of(c, "total"), 7);
	full(s, 10003, FW_ESTABLISHED, FW_CLOSE, .err = ECONNRESET);
	assert_int_equal(count_of(c, "total"), 6);
}

static void nothing_at_all_is_a_result(void **state)
{
	struct counted *c = *state;

	assert_int_equal(count_of(c, "total"), 0);
	expect_groups(c, FW_TALLY_BY_PROCESS, "");
}

static void what_the_last_snapshot_did_not_see_does_not_count(void **state)
{
	struct counted *c = *state;
	struct scene *s = &c->w.scene;

	a_host(s, 10000);
	snap_begin(s, 20000);
	scene_connection(s, 2);
	sock(s, 20000, FW_CLOSE_WAIT);
	scene_head_only(s, 20000, FW_REC_SNAP_END, 0); /* its namespace could not be finished */
	assert_int_equal(count_of(c, "total"), 1);
	assert_int_equal(count_of(c, "CLOSE_WAIT"), 1);
	assert_int_equal(count_of(c, "ESTABLISHED"), 0);
}

static void groups_are_told_largest_first_with_the_states_that_occur(void **state)
{
	struct counted *c = *state;

	/* Equal ones by name; what is nobody's is told as that. A request is its listener's. */
	a_host(&c->w.scene, 10000);
	expect_groups(c, FW_TALLY_BY_PROCESS,
		      "httpd/80 3 LISTEN=1 SYN_RECV=1 ESTABLISHED=0 TIME_WAIT=0 CLOSE_WAIT=1; "
		      "curl/7 2 LISTEN=0 SYN_RECV=0 ESTABLISHED=2 TIME_WAIT=0 CLOSE_WAIT=0; "
		      "- 1 LISTEN=0 SYN_RECV=0 ESTABLISHED=0 TIME_WAIT=1 CLOSE_WAIT=0; ");
}

static void groups_by_peer_leave_listeners_without_one(void **state)
{
	struct counted *c = *state;

	a_host(&c->w.scene, 10000);
	expect_groups(c, FW_TALLY_BY_PEER,
		      "198.51.100.2 5 LISTEN=0 SYN_RECV=1 ESTABLISHED=2 TIME_WAIT=1 CLOSE_WAIT=1; "
		      "- 1 LISTEN=1 SYN_RECV=0 ESTABLISHED=0 TIME_WAIT=0 CLOSE_WAIT=0; ");
}

static void groups_by_port_are_by_service(void **state)
{
	struct counted *c = *state;

	/* Ours where somebody listens, else the peer's. */
	a_host(&c->w.scene, 10000);
	expect_groups(c, FW_TALLY_BY_PORT,
		      "80 5 LISTEN=1 SYN_RECV=1 ESTABLISHED=1 TIME_WAIT=1 CLOSE_WAIT=1; "
		      "443 1 LISTEN=0 SYN_RECV=0 ESTABLISHED=1 TIME_WAIT=0 CLOSE_WAIT=0; ");
}

static void groups_by_control_group_and_namespace_have_names_where_known(void **state)
{
	struct counted *c = *state;
	struct scene *s = &c->w.scene;

	snap_begin(s, 10000);
	sock(s, 10000, FW_ESTABLISHED, .cgroup_id = 11);
	scene_connection(s, 2);
	sock(s, 10000, FW_ESTABLISHED, .cgroup_id = 11);
	scene_connection(s, 3);
	sock(s, 10000, FW_ESTABLISHED, .cgroup_id = 12, .netns = 4711);
	snap_end(s, 10000);
	expect_groups(c, FW_TALLY_BY_CGROUP,
		      "/system.slice/httpd.service 2 ESTABLISHED=2; - 1 ESTABLISHED=1; ");
	expect_groups(c, FW_TALLY_BY_NETNS, "blue 2 ESTABLISHED=2; 4711 1 ESTABLISHED=1; ");
	c->opt.cgroup_path = NULL;
	c->opt.netns_name = NULL;
	expect_groups(c, FW_TALLY_BY_CGROUP, "- 3 ESTABLISHED=3; ");
	expect_groups(c, FW_TALLY_BY_NETNS, "4026531840 2 ESTABLISHED=2; 4711 1 ESTABLISHED=1; ");
}

static void many_groups_are_all_told(void **state)
{
	struct counted *c = *state;
	struct scene *s = &c->w.scene;
	const struct fw_table *t;

	snap_begin(s, 10000);
	for (unsigned int i = 1; i <= 500; i++) {
		scene_connection(s, i);
		sock(s, 10000, FW_ESTABLISHED);
		holder(s, 10000, i * 7919 % 500 + 1, 4, "x");
	}
	snap_end(s, 10000);
	c->opt.by = FW_TALLY_BY_PROCESS;
	assert_int_equal(fw_tally_report(&c->opt, &s->tracker, &c->w.report), 0);
	t = &c->w.report.sections[0].tables[0];
	assert_int_equal(t->nr_rows, 500);
	for (size_t i = 1; i < t->nr_rows; i++)
		assert_true(strcmp(t->cells[(i - 1) * 3].text, t->cells[i * 3].text) < 0);
}

static void a_filter_counts_what_is_asked_for(void **state)
{
	struct counted *c = *state;

	a_host(&c->w.scene, 10000);
	c->filter = (struct fw_filter){ .nr_pids = 1, .pids = { 7 } };
	assert_int_equal(count_of(c, "total"), 2);
	c->filter = (struct fw_filter){ .states = 1U << FW_CLOSE_WAIT };
	assert_int_equal(count_of(c, "total"), 1);
	c->filter = (struct fw_filter){ .min_duration_ns = 100000000 };
	assert_int_equal(count_of(c, "total"), 1);
	assert_int_equal(count_of(c, "TIME_WAIT"), 1);
	c->filter = (struct fw_filter){ .rule = { .nr_netns = 1, .netns = { SCENE_NETNS + 1 } } };
	assert_int_equal(count_of(c, "total"), 0);
}

/* A descriptor's MPTCP socket is no connection of its own: it has a table of its own. */
static void mptcp_sockets_are_counted_apart(void **state)
{
	struct counted *c = *state;
	struct scene *s = &c->w.scene;
	const struct fw_table *t;

	snap_begin(s, 10000);
	scene_server_side(s, 1);
	sock(s, 10000, FW_ESTABLISHED, .token = 77);
	s->cookie = 0;
	scene_sock(s, 10000, FW_OBJECT_MPTCP, FW_CLOSE_WAIT, (struct seen){ .token = 77 });
	holder(s, 10000, 80, 4, "httpd");
	snap_end(s, 10000);
	assert_int_equal(count_of(c, "total"), 1);
	assert_int_equal(count_of(c, "ESTABLISHED"), 1);
	assert_int_equal(count_of(c, "CLOSE_WAIT"), 0);
	assert_int_equal(c->w.report.sections[0].nr_tables, 2);
	t = &c->w.report.sections[0].tables[1];
	assert_string_equal(t->key, "mptcp");
	assert_string_equal(t->cells[2 * 8].text, "CLOSE_WAIT");
	assert_int_equal(t->cells[2 * 8 + 1].u, 1);
	expect_groups(c, FW_TALLY_BY_PROCESS, "httpd/80 1 ESTABLISHED=1; ");
	t = &c->w.report.sections[0].tables[1];
	assert_string_equal(t->key, "mptcp_groups");
	assert_string_equal(t->cells[0].text, "httpd/80");
}

static void names_of_groupings_go_both_ways(void **state)
{
	(void)state;
	for (enum fw_tally_by by = FW_TALLY_BY_PROCESS; by < FW_TALLY_BY_MAX; by++)
		assert_int_equal(fw_tally_by_from_name(fw_tally_by_name(by)), by);
	assert_int_equal(fw_tally_by_from_name("none"), FW_TALLY_BY_MAX); /* not for the user */
	assert_int_equal(fw_tally_by_from_name("proces"), FW_TALLY_BY_MAX);
	assert_int_equal(fw_tally_by_from_name(""), FW_TALLY_BY_MAX);
	assert_string_equal(fw_tally_by_name(FW_TALLY_BY_MAX), "none");
}

#define tally_test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

/* Only where something waits, or was dropped. */
static void accept_queues_are_shown(void **state)
{
	struct counted *c = *state;
	struct scene *s = &c->w.scene;
	const struct fw_section *section;
	const struct fw_cell *cells;

	a_host(s, 10);
	count_of(c, "total");
	assert_int_equal(c->w.report.sections[0].nr_tables, 1);
	snap_begin(s, 1000);
	scene_server_side(s, 99);
	sock(s, 1000, FW_LISTEN, .unread = 3, .unsent = 4, .drops = 7);
	holder(s, 1000, 80, 3, "httpd");
	snap_end(s, 1001);
	count_of(c, "total");
	section = &c->w.report.sections[0];
	assert_int_equal(section->nr_tables, 2);
	assert_string_equal(section->tables[1].key, "accept_queues");
	cells = section->tables[1].cells;
	assert_string_equal(cells[1].text, "httpd/80");
	assert_int_equal(cells[2].u, 3);
	assert_int_equal(cells[3].u, 4);
	assert_int_equal(cells[4].u, 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		tally_test(each_object_counts_once_in_its_state),
		tally_test(accept_queues_are_shown),
		tally_test(an_orphan_in_a_minisock_is_in_fin_wait_2),
		tally_test(what_came_after_the_snapshot_counts_if_events_do),
		tally_test(nothing_at_all_is_a_result),
		tally_test(what_the_last_snapshot_did_not_see_does_not_count),
		tally_test(groups_are_told_largest_first_with_the_states_that_occur),
		tally_test(groups_by_peer_leave_listeners_without_one),
		tally_test(groups_by_port_are_by_service),
		tally_test(groups_by_control_group_and_namespace_have_names_where_known),
		tally_test(many_groups_are_all_told),
		tally_test(a_filter_counts_what_is_asked_for),
		tally_test(mptcp_sockets_are_counted_apart),
		cmocka_unit_test(names_of_groupings_go_both_ways),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
