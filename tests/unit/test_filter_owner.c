// SPDX-License-Identifier: GPL-2.0-only
/* Proves that filters on owners and namespaces let through what they say: connections and bind()s. */
#include "unit.h"

#include <netinet/in.h>
#include <string.h>

#include "core/filter.h"

/* httpd/80 of control group 11 in namespace 4711. */
static struct fw_conn a_connection(void)
{
	return (struct fw_conn){
		.family = AF_INET, .netns = 4711,
		.laddr = { 192, 0, 2, 1 }, .lport = 40000,
		.raddr = { 198, 51, 100, 2 }, .rport = 443,
		.pid = 80, .comm = "httpd", .cgroup_id = 11,
		.nr_steps = 1, .steps = { FW_ESTABLISHED },
	};
}

static const char *path_of(void *arg, uint64_t id)
{
	return id == 11 ? arg : NULL;
}

static struct fw_filter by_cgroup(const char *wanted, const char *path)
{
	return (struct fw_filter){ .cgroup = wanted, .cgroup_path = path_of,
				   .cgroup_arg = (void *)path };
}

static void processes(void **state)
{
	static const struct {
		struct fw_filter f;
		bool wanted;
	} cases[] = {
		{ { .nr_pids = 1, .pids = { 80 } }, true },
		{ { .nr_pids = 1, .pids = { 8 } }, false },
		{ { .nr_pids = 2, .pids = { 8, 80 } }, true },
		{ { .nr_pids = 1, .pids = { 8, 80 } }, false },
		{ { .nr_comms = 1, .comms = { "httpd" } }, true },
		{ { .nr_comms = 1, .comms = { "http" } }, false }, /* the whole name */
		{ { .nr_comms = 1, .comms = { "http*" } }, true },
		{ { .nr_comms = 1, .comms = { "h?[s-u]pd" } }, true },
		{ { .nr_comms = 1, .comms = { "HTTPD" } }, false },
		{ { .nr_comms = 2, .comms = { "nginx", "httpd" } }, true },
		{ { .nr_pids = 1, .pids = { 80 }, .nr_comms = 1, .comms = { "httpd" } }, true },
		{ { .nr_pids = 1, .pids = { 80 }, .nr_comms = 1, .comms = { "nginx" } }, false },
		{ { .nr_pids = 1, .pids = { 8 }, .nr_comms = 1, .comms = { "httpd" } }, false },
		{ { .rule = { .nr_netns = 1, .netns = { 4711 } } }, true },
		{ { .rule = { .nr_netns = 1, .netns = { 4712 } } }, false },
		{ { .rule = { .nr_netns = 1, .netns = { 4711 } }, .nr_pids = 1, .pids = { 8 } }, false },
	};
	const struct fw_transition tr = { .from = FW_ESTABLISHED, .to = FW_CLOSE_WAIT };
	const struct fw_conn c = a_connection();

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		if (fw_filter_subject(&cases[i].f, &c) != cases[i].wanted)
			fail_msg("case %zu", i);
		assert_int_equal(fw_filter_connection(&cases[i].f, &c), cases[i].wanted);
		assert_int_equal(fw_filter_transition(&cases[i].f, &c, &tr), cases[i].wanted);
	}
}

static void whose_owner_is_not_known_is_not_shown_when_one_is_asked_for(void **state)
{
	const struct fw_filter any = { .nr_comms = 1, .comms = { "*" } };
	const struct fw_filter pid = { .nr_pids = 1, .pids = { 0 } };
	const struct fw_filter none = { 0 };
	struct fw_conn c = a_connection();

	(void)state;
	c.pid = 0;
	memset(c.comm, 0, sizeof(c.comm));
	assert_false(fw_filter_subject(&any, &c));
	assert_false(fw_filter_subject(&pid, &c));
	assert_true(fw_filter_subject(&none, &c));
}

static void a_name_of_sixteen_bytes_has_no_end_to_look_for(void **state)
{
	const struct fw_filter whole = { .nr_comms = 1, .comms = { "0123456789abcdef" } };
	const struct fw_filter end = { .nr_comms = 1, .comms = { "*f" } };
	struct fw_conn c = a_connection();

	(void)state;
	memcpy(c.comm, "0123456789abcdef", 16);
	assert_true(fw_filter_subject(&whole, &c));
	assert_true(fw_filter_subject(&end, &c));
}

static void control_groups_and_those_below(void **state)
{
	static const struct {
		const char *wanted, *path;
		bool is;
	} cases[] = {
		{ "/system.slice/nginx", "/system.slice/nginx", true },
		{ "/system.slice", "/system.slice/nginx", true },
		{ "/system.slice/", "/system.slice/nginx", true },
		{ "/system.slice/nginx/", "/system.slice/nginx", true },
		{ "/system.slice/nginx", "/system.slice/nginx2", false }, /* its neighbour */
		{ "/system.slice/nginx2", "/system.slice/nginx", false },
		{ "/system.slice/nginx/a", "/system.slice/nginx", false }, /* below it */
		{ "/user.slice", "/system.slice/nginx", false },
		{ "/", "/system.slice/nginx", true },
		{ "/", "/", true },
		{ "/a", "/", false },
		{ "/", NULL, false }, /* gone, or never known */
	};
	const struct fw_conn c = a_connection();

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct fw_filter f = by_cgroup(cases[i].wanted, cases[i].path);

		if (fw_filter_subject(&f, &c) != cases[i].is)
			fail_msg("%s in %s", cases[i].path ? cases[i].path : "(none)",
				 cases[i].wanted);
	}
}

static void a_control_group_nobody_can_name_is_not_shown(void **state)
{
	struct fw_filter f = by_cgroup("/system.slice", "/system.slice");
	struct fw_conn c = a_connection();

	(void)state;
	c.cgroup_id = 12;
	assert_false(fw_filter_subject(&f, &c));
	c.cgroup_id = 11;
	assert_true(fw_filter_subject(&f, &c));
	f.cgroup_path = NULL;
	assert_false(fw_filter_subject(&f, &c));
}

static void endpoints_and_owners_are_asked_apart(void **state)
{
	const struct fw_filter owner = { .nr_pids = 1, .pids = { 8 } };
	const struct fw_filter netns = { .rule = { .nr_netns = 1, .netns = { 4712 } } };
	const struct fw_conn c = a_connection();

	(void)state;
	assert_true(fw_filter_endpoints(&owner, &c));
	assert_false(fw_filter_owner(&owner, c.pid, c.comm, c.cgroup_id));
	assert_false(fw_filter_endpoints(&netns, &c));
	assert_true(fw_filter_owner(&netns, c.pid, c.comm, c.cgroup_id));
}

static void a_bind_that_failed(void **state)
{
	static const struct {
		struct fw_filter f;
		bool wanted;
	} cases[] = {
		{ { .states = 0 }, true },
		{ { .rule = { .nr_lports = 1, .lports = { 80 } } }, true },
		{ { .rule = { .nr_lports = 1, .lports = { 81 } } }, false },
		{ { .rule.family = AF_INET6 }, false },
		{ { .rule = { .nr_netns = 1, .netns = { 4711 } } }, true },
		{ { .rule = { .nr_netns = 1, .netns = { 4712 } } }, false },
		{ { .nr_pids = 1, .pids = { 80 } }, true },
		{ { .nr_pids = 1, .pids = { 81 } }, false },
		{ { .nr_comms = 1, .comms = { "httpd" } }, true },
		{ { .nr_comms = 1, .comms = { "nginx" } }, false },
		{ { .rule = { .nr_local = 1, .local = { { .addr = { 192, 0, 2 }, .family = AF_INET,
							  .prefix_len = 24 } } } }, true },
		{ { .rule = { .nr_local = 1, .local = { { .addr = { 192, 0, 3 }, .family = AF_INET,
							  .prefix_len = 24 } } } }, false },
		/* It has no peer. */
		{ { .rule = { .nr_rports = 1, .rports = { 443 } } }, false },
		{ { .rule = { .nr_remote = 1, .remote = { { .family = AF_INET } } } }, false },
	};
	const struct fw_rec_state rec = {
		.head = { .family = AF_INET, .netns = 4711, .lport = 80, .laddr = { 192, 0, 2, 1 } },
		.pid = 80, .comm = "httpd", .cgroup_id = 11,
	};
	const struct fw_filter ours = by_cgroup("/a", "/a/b"), others = by_cgroup("/b", "/a/b");

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		if (fw_filter_record(&cases[i].f, &rec) != cases[i].wanted)
			fail_msg("case %zu", i);
	}
	assert_true(fw_filter_record(&ours, &rec));
	assert_false(fw_filter_record(&others, &rec));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(processes),
		cmocka_unit_test(whose_owner_is_not_known_is_not_shown_when_one_is_asked_for),
		cmocka_unit_test(a_name_of_sixteen_bytes_has_no_end_to_look_for),
		cmocka_unit_test(control_groups_and_those_below),
		cmocka_unit_test(a_control_group_nobody_can_name_is_not_shown),
		cmocka_unit_test(endpoints_and_owners_are_asked_apart),
		cmocka_unit_test(a_bind_that_failed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
