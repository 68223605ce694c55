// SPDX-License-Identifier: GPL-2.0-only
/* Proves that filters on ports, networks, states and durations let through what they say. */
#include "unit.h"

#include <netinet/in.h>
#include <string.h>

#include "core/filter.h"
#include "util/parse.h"

#define MS 1000000ULL

/* 192.0.2.1:40000 -> 198.51.100.2:443, SYN_SENT 1 ms, ESTABLISHED 500 ms, CLOSE_WAIT 20 ms. */
static struct fw_conn a_connection(void)
{
	return (struct fw_conn){
		.family = AF_INET,
		.laddr = { 192, 0, 2, 1 }, .lport = 40000,
		.raddr = { 198, 51, 100, 2 }, .rport = 443,
		.nr_steps = 3, .steps = { FW_SYN_SENT, FW_ESTABLISHED, FW_CLOSE_WAIT },
		.enter_ns = { 1000 * MS, 1001 * MS, 1501 * MS }, .end_ns = 1521 * MS,
	};
}

static void nothing_asked_is_all_wanted(void **state)
{
	const struct fw_filter f = { 0 };
	const struct fw_conn c = a_connection(), empty = { 0 };
	const struct fw_transition tr = { .from = 255, .to = 255 };

	(void)state;
	assert_true(fw_filter_connection(&f, &c));
	assert_true(fw_filter_connection(&f, &empty));
	assert_true(fw_filter_transition(&f, &c, &tr));
}

static void ports_and_families(void **state)
{
	static const struct {
		struct fw_filter f;
		bool wanted;
	} cases[] = {
		{ { .rule = { .nr_lports = 1, .lports = { 40000 } } }, true },
		{ { .rule = { .nr_lports = 1, .lports = { 443 } } }, false },
		{ { .rule = { .nr_rports = 1, .rports = { 443 } } }, true },
		{ { .rule = { .nr_rports = 1, .rports = { 40000 } } }, false },
		{ { .rule = { .nr_rports = 3, .rports = { 80, 8080, 443 } } }, true },
		{ { .rule = { .nr_rports = 2, .rports = { 80, 8080, 443 } } }, false },
		{ { .rule = { .nr_lports = 1, .lports = { 40000 }, .nr_rports = 1, .rports = { 443 } } },
		  true },
		{ { .rule = { .nr_lports = 1, .lports = { 40000 }, .nr_rports = 1, .rports = { 80 } } },
		  false },
		{ { .rule = { .family = AF_INET } }, true },
		{ { .rule = { .family = AF_INET6 } }, false },
	};
	const struct fw_transition tr = { .from = FW_SYN_SENT, .to = FW_ESTABLISHED };
	const struct fw_conn c = a_connection();

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(fw_filter_connection(&cases[i].f, &c), cases[i].wanted);
		assert_int_equal(fw_filter_transition(&cases[i].f, &c, &tr), cases[i].wanted);
	}
}

static void set_address(const char *text, uint8_t *family, uint8_t addr[16])
{
	uint32_t f, prefix_len;

	assert_int_equal(fw_parse_cidr(text, addr, &f, &prefix_len, NULL), 0);
	*family = (uint8_t)f;
}

static void networks(void **state)
{
	static const struct {
		const char *network, *address;
		bool within;
	} cases[] = {
		{ "10.0.0.0/8", "10.255.255.255", true },
		{ "10.0.0.0/8", "11.0.0.0", false },
		{ "10.1.2.3/8", "10.9.9.9", true }, /* bits beyond the prefix do not count */
		{ "0.0.0.0/0", "255.1.2.3", true },
		{ "0.0.0.0/0", "::1", false },
		{ "::/0", "2001:db8::1", true },
		{ "::/0", "10.0.0.1", false },
		{ "192.0.2.7", "192.0.2.7", true },
		{ "192.0.2.7", "192.0.2.6", false },
		/* odd lengths, both sides of the border */
		{ "10.0.0.0/1", "127.255.255.255", true },
		{ "10.0.0.0/1", "128.0.0.0", false },
		{ "10.16.0.0/12", "10.31.255.255", true },
		{ "10.16.0.0/12", "10.32.0.0", false },
		{ "10.16.0.0/12", "10.15.255.255", false },
		{ "192.0.2.128/25", "192.0.2.128", true },
		{ "192.0.2.128/25", "192.0.2.127", false },
		{ "192.0.2.4/31", "192.0.2.5", true },
		{ "192.0.2.4/31", "192.0.2.6", false },
		{ "2001:db8::/33", "2001:db8:7fff:ffff::", true },
		{ "2001:db8::/33", "2001:db8:8000::", false },
		{ "2001:db8::/127", "2001:db8::1", true },
		{ "2001:db8::/127", "2001:db8::2", false },
		{ "2001:db8::1/128", "2001:db8::1", true },
		{ "2001:db8::1/128", "2001:db8::", false },
		{ "fe80::/10", "febf::1", true },
		{ "fe80::/10", "fec0::1", false },
		/* the same bits, another family */
		{ "2001:db8::/16", "32.1.0.0", false },
		{ "::ffff:10.0.0.0/104", "10.2.3.4", true },
	};
	struct fw_err err;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct fw_conn c = a_connection();
		struct fw_filter local = { .rule.nr_local = 1 },
				 remote = { .rule.nr_remote = 1 };
		struct fw_cidr *n = &local.rule.local[0];

		assert_int_equal(fw_parse_cidr(cases[i].network, n->addr, &n->family,
					       &n->prefix_len, &err), 0);
		remote.rule.remote[0] = *n;
		set_address(cases[i].address, &c.family, c.laddr);
		memset(c.raddr, 0x55, 16);
		if (fw_filter_connection(&local, &c) != cases[i].within)
			fail_msg("%s in %s, local", cases[i].address, cases[i].network);
		memcpy(c.raddr, c.laddr, 16);
		memset(c.laddr, 0x55, 16);
		if (fw_filter_connection(&remote, &c) != cases[i].within)
			fail_msg("%s in %s, remote", cases[i].address, cases[i].network);
	}
}

static void one_of_several_networks_is_enough(void **state)
{
	const struct fw_conn c = a_connection();
	struct fw_filter f = {
		.rule = { .nr_remote = 2,
			  .remote = { { .family = AF_INET6, .prefix_len = 0 },
				      { .addr = { 198, 51 }, .family = AF_INET, .prefix_len = 16 } } },
	};

	(void)state;
	assert_true(fw_filter_connection(&f, &c));
	f.rule.nr_remote = 1;
	assert_false(fw_filter_connection(&f, &c));
}

#define IN(state) (1U << (state))

static void states_and_durations_of_connections(void **state)
{
	static const struct {
		uint32_t states;
		uint64_t min_ms;
		bool wanted;
	} cases[] = {
		{ IN(FW_ESTABLISHED), 0, true },
		{ IN(FW_TIME_WAIT), 0, false },
		{ IN(FW_TIME_WAIT) | IN(FW_CLOSE_WAIT), 0, true },
		{ 0, 500, true },
		{ 0, 501, false }, /* in one state, not all together */
		{ IN(FW_CLOSE_WAIT), 20, true },
		{ IN(FW_CLOSE_WAIT), 21, false },
		{ IN(FW_CLOSE_WAIT) | IN(FW_ESTABLISHED), 21, true },
		{ IN(FW_TIME_WAIT), 1, false },
	};
	const struct fw_conn c = a_connection();

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct fw_filter f = { .states = cases[i].states,
					     .min_duration_ns = cases[i].min_ms * MS };

		assert_int_equal(fw_filter_connection(&f, &c), cases[i].wanted);
	}
}

static void states_and_durations_of_transitions(void **state)
{
	static const struct {
		uint32_t states;
		uint64_t min_ms;
		bool wanted;
	} cases[] = {
		{ IN(FW_ESTABLISHED), 0, true }, /* left */
		{ IN(FW_CLOSE_WAIT), 0, true }, /* entered */
		{ IN(FW_SYN_SENT), 0, false },
		{ 0, 500, true },
		{ 0, 501, false },
		{ IN(FW_CLOSE_WAIT), 500, true },
		{ IN(FW_SYN_SENT), 500, false },
	};
	const struct fw_transition tr = { .from = FW_ESTABLISHED, .to = FW_CLOSE_WAIT,
					  .dwell_ns = 500 * MS };
	const struct fw_conn c = a_connection();

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct fw_filter f = { .states = cases[i].states,
					     .min_duration_ns = cases[i].min_ms * MS };

		assert_int_equal(fw_filter_transition(&f, &c, &tr), cases[i].wanted);
	}
}

/* A record says by and by who talks to whom: what is not known yet rules nothing out. */
static void records_are_admitted_as_by_the_kernel(void **state)
{
	const struct fw_filter to_443 = { .rule = { .nr_rports = 1, .rports = { 443 } } };
	const struct fw_filter from_80 = { .rule = { .nr_lports = 1, .lports = { 80 } } };
	const struct fw_filter v4 = { .rule.family = AF_INET },
			       blue = { .rule = { .nr_netns = 1, .netns = { 7 } } };
	struct fw_filter near = { .rule.nr_local = 1 };
	struct fw_rec_head head = { .kind = FW_REC_STATE, .family = AF_INET, .netns = 7, .lport = 80 };

	(void)state;
	fw_parse_cidr("192.0.2.0/24", near.rule.local[0].addr, &near.rule.local[0].family,
		      &near.rule.local[0].prefix_len, NULL);
	assert_true(fw_filter_admits(&to_443, &head) && fw_filter_admits(&from_80, &head) &&
		    fw_filter_admits(&v4, &head) && fw_filter_admits(&blue, &head) &&
		    fw_filter_admits(&near, &head));
	head.rport = 80;
	head.lport = 443;
	head.laddr[0] = 10;
	head.netns = 8;
	assert_false(fw_filter_admits(&to_443, &head) || fw_filter_admits(&from_80, &head) ||
		     fw_filter_admits(&blue, &head) || fw_filter_admits(&near, &head));
	/* A dual-stack socket may yet talk IPv4. */
	head.family = AF_INET6;
	assert_false(fw_filter_admits(&v4, &head));
	head.rport = 0;
	assert_true(fw_filter_admits(&v4, &head));
	head.kind = FW_REC_TW_SCHED;
	assert_false(fw_filter_admits(&v4, &head));
	/* Not of one connection. */
	head.kind = FW_REC_HOLDER;
	assert_true(fw_filter_admits(&v4, &head) && fw_filter_admits(&blue, &head));
	head.kind = FW_REC_SNAP_END;
	assert_true(fw_filter_admits(&blue, &head));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_asked_is_all_wanted),
		cmocka_unit_test(ports_and_families),
		cmocka_unit_test(records_are_admitted_as_by_the_kernel),
		cmocka_unit_test(networks),
		cmocka_unit_test(one_of_several_networks_is_enough),
		cmocka_unit_test(states_and_durations_of_connections),
		cmocka_unit_test(states_and_durations_of_transitions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
