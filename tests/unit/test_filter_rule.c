// SPDX-License-Identifier: GPL-2.0-only
/*
 * Proves that the rule of bpf/filter_rule.h decides the same for a connection whatever the kernel had
 * filled in at the moment of each record: a connection that it rules out leaves nothing behind in the
 * tracker, and one that it admits loses nothing.
 */
#include "snapshot.h"

#include <errno.h>

#include "core/filter.h"

/* Feeds records through the filter, as for a recording. */
static const struct fw_filter *filter;

static void filtered_state(struct scene *s, double ms, unsigned int from, unsigned int to,
			   struct detail d)
{
	struct fw_rec_head head = scene_head(s, ms, FW_REC_STATE, from, to);
	struct fw_rec_state rec = { .head = head, .err = d.err, .segs_in = d.segs_in };
	struct fw_event ev = { .head = &rec.head, .state = &rec };

	/* connect() chooses the port later. */
	if (from == FW_CLOSE && to == FW_SYN_SENT)
		rec.head.lport = 0;
	/* Before Linux 6.15 a child has neither peer nor a final cookie. */
	if (from == FW_LISTEN) {
		rec.head.rport = rec.head.cookie = 0;
		memset(rec.head.raddr, 0, sizeof(rec.head.raddr));
	}
	switch (fw_filter_admits(filter, &rec.head)) {
	case FW_RULE_IN:
		fw_tracker_apply(&s->tracker, &ev);
		break;
	case FW_RULE_FORGET:
		rec.head.flags |= FW_REC_RULED_OUT;
		fw_tracker_apply(&s->tracker, &ev);
		break;
	case FW_RULE_OUT:
		break;
	}
}

static void client(struct scene *s)
{
	scene_connection(s, 1);
	filtered_state(s, 1, FW_CLOSE, FW_SYN_SENT, (struct detail){ 0 });
	filtered_state(s, 2, FW_SYN_SENT, FW_ESTABLISHED, (struct detail){ .segs_in = 1 });
	filtered_state(s, 3, FW_ESTABLISHED, FW_CLOSE_WAIT, (struct detail){ .segs_in = 2 });
	filtered_state(s, 4, FW_CLOSE_WAIT, FW_CLOSE, (struct detail){ .err = EPIPE, .segs_in = 3 });
}

static void server(struct scene *s)
{
	scene_server_side(s, 2);
	filtered_state(s, 1, FW_LISTEN, FW_SYN_RECV, (struct detail){ 0 });
	filtered_state(s, 2, FW_SYN_RECV, FW_ESTABLISHED, (struct detail){ .segs_in = 1 });
	filtered_state(s, 3, FW_ESTABLISHED, FW_CLOSE, (struct detail){ .err = ECONNRESET });
}

static void refused(struct scene *s)
{
	scene_connection(s, 3);
	filtered_state(s, 1, FW_CLOSE, FW_SYN_SENT, (struct detail){ 0 });
	filtered_state(s, 2, FW_SYN_SENT, FW_CLOSE, (struct detail){ .err = ECONNREFUSED });
}

/* What is left of each: nothing in the table, no gap, and one line if it is wanted. */
static void expect_left(struct scene *s, void (*life)(struct scene *s), const struct fw_filter *f,
			bool wanted)
{
	filter = f;
	life(s);
	fw_tracker_advance(&s->tracker, UINT64_MAX);
	assert_int_equal(s->tracker.table.nr, 0);
	assert_int_equal(s->tracker.counters.gaps, 0);
	assert_int_equal(s->tracker.counters.illegal, 0);
	assert_int_equal(s->tracker.counters.unmatched, 0);
	assert_int_equal(s->connections.len != 0, wanted);
	fw_buf_clear(&s->connections);
	fw_buf_clear(&s->transitions);
}

static void of_ports(void **state)
{
	struct scene *s = *state;
	struct fw_filter f = { .rule = { .nr_lports = 1 } };

	scene_connection(s, 1);
	f.rule.lports[0] = (uint16_t)(s->lport + 1);
	expect_left(s, client, &f, false);
	f.rule.lports[0] = s->lport;
	expect_left(s, client, &f, true);
	scene_connection(s, 3);
	f.rule.lports[0] = (uint16_t)(s->lport + 1);
	expect_left(s, refused, &f, false);
	scene_server_side(s, 2);
	f = (struct fw_filter){ .rule = { .nr_rports = 1, .rports = { (uint16_t)(s->rport + 1) } } };
	expect_left(s, server, &f, false);
	f.rule.rports[0] = s->rport;
	expect_left(s, server, &f, true);
}

static void of_networks(void **state)
{
	struct scene *s = *state;
	const struct fw_filter there = { .rule = {
		.nr_remote = 1, .remote = { { .addr = { 198, 51 }, .family = AF_INET, .prefix_len = 16 } } } };
	const struct fw_filter elsewhere = { .rule = {
		.nr_remote = 1, .remote = { { .addr = { 10 }, .family = AF_INET, .prefix_len = 8 } } } };

	expect_left(s, client, &there, true);
	expect_left(s, client, &elsewhere, false);
	expect_left(s, server, &there, true);
	expect_left(s, server, &elsewhere, false);
}

static void of_namespaces(void **state)
{
	struct scene *s = *state;
	struct fw_filter f = { .rule = { .nr_netns = 2, .netns = { 5, 4026531840U } } };

	expect_left(s, client, &f, true);
	expect_left(s, server, &f, true);
	f.rule.nr_netns = 1;
	expect_left(s, client, &f, false);
	expect_left(s, server, &f, false);
}

/* A child of a dual-stack listener looks like IPv6 until its IPv4 peer is known. */
static void of_families(void **state)
{
	struct fw_rec_head blind = { .kind = FW_REC_STATE, .family = AF_INET6, .lport = 80,
				     .oldstate = FW_LISTEN, .newstate = FW_SYN_RECV };
	struct fw_rec_head known = { .kind = FW_REC_STATE, .family = AF_INET, .lport = 80, .rport = 5,
				     .oldstate = FW_SYN_RECV, .newstate = FW_ESTABLISHED };
	const struct fw_filter v4 = { .rule.family = AF_INET }, v6 = { .rule.family = AF_INET6 };

	(void)state;
	assert_int_equal(fw_filter_admits(&v4, &blind), FW_RULE_IN);
	assert_int_equal(fw_filter_admits(&v4, &known), FW_RULE_IN);
	assert_int_equal(fw_filter_admits(&v6, &blind), FW_RULE_IN);
	assert_int_equal(fw_filter_admits(&v6, &known), FW_RULE_FORGET);
	known.oldstate = FW_ESTABLISHED;
	assert_int_equal(fw_filter_admits(&v6, &known), FW_RULE_OUT);
	known = blind;
	known.rport = 5;
	known.oldstate = FW_SYN_RECV;
	assert_int_equal(fw_filter_admits(&v4, &known), FW_RULE_FORGET);
}

/* Only what was let through as undecided is dropped, not what has gone on. */
static void only_the_undecided_is_forgotten(void **state)
{
	struct scene *s = *state;

	scene_connection(s, 1);
	active_open(s, 1);
	full(s, 3, FW_SYN_SENT, FW_ESTABLISHED, .flags = 0);
	assert_int_equal(s->tracker.table.nr, 1);
	filter = &(const struct fw_filter){ .rule = { .nr_lports = 1, .lports = { 1 } } };
	filtered_state(s, 4, FW_SYN_SENT, FW_CLOSE, (struct detail){ 0 });
	assert_int_equal(s->tracker.table.nr, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		scene_test(of_ports), scene_test(of_networks), scene_test(of_namespaces),
		scene_test(of_families), scene_test(only_the_undecided_is_forgotten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
