// SPDX-License-Identifier: GPL-2.0-only
/* Proves that JSON Lines keep their contract, leave out what is unknown, and are valid. */
#include "json_value.h"
#include "sample.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static int setup(void **state)
{
	static struct rendering r;

	rendering_init(&r, &fw_stream_json);
	*state = &r;
	return 0;
}

static int teardown(void **state)
{
	rendering_fini(*state);
	return 0;
}

static void connection(struct rendering *r, const struct fw_conn *c)
{
	fw_stream_json.connection(&r->stream, c);
}

static void transition(struct rendering *r, const struct fw_conn *c, const struct fw_transition *tr)
{
	fw_stream_json.transition(&r->stream, c, tr);
}

/* The output is one JSON object in one line. */
static void expect_valid(struct rendering *r)
{
	const char *line = fw_buf_str(&r->out), *end = *line == '{' ? json_value(line) : NULL;

	if (!end || strcmp(end, "\n"))
		fail_msg("not JSON: %s", line);
	fw_buf_clear(&r->out);
}

static void the_checker_can_say_no(void **state)
{
	static const char *const bad[] = {
		"",	 "{",	  "{\"a\"}", "{\"a\":}", "{\"a\":01}", "{\"a\":1,}", "{,\"a\":1}",
		"{a:1}", "[1 2]", "[1,]",  "\"\n\"",  "\"\\x\"",  "\"\\u00g0\"", "{\"a\":1",  "tru",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_null(json_value(bad[i]));
	assert_non_null(json_value("{\"a\":[1,{\"b\":\"\\u0041\\n\"},[],{}],\"c\":true}"));
}

/* ---- Connections ------------------------------------------------------------------------- */

static const char *a_path(void *arg, uint64_t id)
{
	return id == 4711 ? arg : NULL;
}

static void as_designed(void **state)
{
	static char path[] = "/system.slice/app.service";
	struct fw_conn c = sample_connection();
	struct rendering *r = *state;

	r->stream.cgroup_path = a_path;
	r->stream.cgroup_arg = path;
	connection(r, &c);
	expect_buf(&r->out,
		"{\"conn\":9,\"family\":\"ipv4\",\"laddr\":\"127.0.0.1\",\"lport\":35510,"
		"\"raddr\":\"127.0.0.1\",\"rport\":8899,\"netns\":4026531840,"
		"\"role\":\"active\",\"pid\":2676,\"comm\":\"python3\","
		"\"cgroup\":\"/system.slice/app.service\",\"unit\":\"app.service\",\"uid\":0,"
		"\"start\":\"2026-11-22T19:08:14.000000001Z\",\"start_exact\":true,"
		"\"states\":[{\"state\":\"SYN_SENT\",\"ns\":180000},"
		"{\"state\":\"ESTABLISHED\",\"ns\":370000},"
		"{\"state\":\"FIN_WAIT_1\",\"ns\":42494000},"
		"{\"state\":\"FIN_WAIT_2\",\"ns\":958030000,\"orphaned\":true},"
		"{\"state\":\"TIME_WAIT\",\"ns\":61402000000,\"restarts\":0}],"
		"\"syn_sent_ns\":180000,\"established_ns\":370000,\"fin_wait_1_ns\":42494000,"
		"\"fin_wait_2_ns\":958030000,\"fin_wait_2_orphaned\":true,"
		"\"time_wait_ns\":61402000000,\"time_wait_restarts\":0,"
		"\"ended\":\"2026-11-22T19:09:16.403074001Z\","
		"\"end\":\"time_wait_expired\",\"closed_by\":\"local\","
		"\"three_segment_close\":false,\"gap\":false,"
		"\"bytes_sent\":1,\"bytes_received\":0,\"retransmits\":0}\n");
}

#define CONTAINER "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static const char *blue(void *arg, uint32_t inum)
{
	(void)arg;
	return inum == 4026531840U ? "blue" : NULL;
}

/* Whose it is: the unit or container that the control group stands for, and the namespace's name. */
static void owners(void **state)
{
	static char path[] = "/kubepods/pod8d3d1d3e-53a7-4e4c-9b59-6ac9a2f1c001/" CONTAINER
			     "/system.slice/cron.service";
	struct fw_conn c = sample_connection();
	struct rendering *r = *state;

	r->stream.cgroup_path = a_path;
	r->stream.cgroup_arg = path;
	r->stream.netns_name = blue;
	connection(r, &c);
	assert_non_null(strstr(fw_buf_str(&r->out), "\"netns\":4026531840,\"netns_name\":\"blue\","));
	assert_non_null(strstr(fw_buf_str(&r->out), "cron.service\",\"unit\":\"cron.service\","
			       "\"container\":\"" CONTAINER "\","
			       "\"pod\":\"8d3d1d3e-53a7-4e4c-9b59-6ac9a2f1c001\",\"uid\""));
}

/* IPv6, an error, what else a connection can be. */
static void other_fields(void **state)
{
	struct rendering *r = *state;
	struct fw_conn c = {
		.id = 1, .family = AF_INET6, .netns = 1, .lport = 40000, .rport = 443,
		.laddr = { 0x20, 0x01, 0x0d, 0xb8, [15] = 1 }, .raddr = { [15] = 1 },
		.role = FW_ROLE_PASSIVE, .uid = 1000, .err = ECONNRESET,
		.nr_steps = 1, .steps = { FW_ESTABLISHED }, .step_flags = { FW_STEP_AT_LEAST },
		.enter_ns = { SAMPLE_START_NS }, .end_ns = SAMPLE_START_NS + 7,
		.end = FW_END_RESET_RECEIVED, .closed_by = FW_CLOSED_BY_BOTH,
		.flags = FW_CONN_SINCE_BEFORE | FW_CONN_GAP | FW_CONN_THREE_SEGMENT |
			 FW_CONN_SOCKET_SEEN,
		.bytes_sent = UINT64_MAX, .bytes_received = 2, .retransmits = 3,
	};

	connection(r, &c);
	expect_buf(&r->out,
		"{\"conn\":1,\"family\":\"ipv6\",\"laddr\":\"2001:db8::1\",\"lport\":40000,"
		"\"raddr\":\"::1\",\"rport\":443,\"netns\":1,\"role\":\"passive\",\"uid\":1000,"
		"\"start\":\"2026-11-22T19:08:14.000000001Z\",\"start_exact\":false,"
		"\"states\":[{\"state\":\"ESTABLISHED\",\"ns_min\":7}],\"established_ns_min\":7,"
		"\"ended\":\"2026-11-22T19:08:14.000000008Z\","
		"\"end\":\"reset_received\",\"error\":\"ECONNRESET\","
		"\"closed_by\":\"simultaneous\","
		"\"three_segment_close\":true,\"gap\":true,"
		"\"bytes_sent\":18446744073709551615,\"bytes_received\":2,\"retransmits\":3}\n");
}

/* What lost events leave of the time in a state: a lower bound, an upper one, nothing. */
static void bounds(void **state)
{
	struct rendering *r = *state;
	const struct fw_conn c = {
		.id = 1, .family = AF_INET, .nr_steps = 3,
		.steps = { FW_ESTABLISHED, FW_CLOSE_WAIT, FW_LAST_ACK },
		.step_flags = { FW_STEP_AT_MOST, FW_STEP_AT_LEAST | FW_STEP_AT_MOST, FW_STEP_AT_LEAST },
		.enter_ns = { 1, 4, 9 }, .end_ns = 10, .end = FW_END_LAST_ACK,
	};

	connection(r, &c);
	assert_non_null(strstr(fw_buf_str(&r->out),
			       "\"states\":[{\"state\":\"ESTABLISHED\",\"ns_max\":3},"
			       "{\"state\":\"CLOSE_WAIT\"},{\"state\":\"LAST_ACK\",\"ns_min\":1}],"
			       "\"established_ns_max\":3,\"last_ack_ns_min\":1,\"ended\""));
}

/* As columns: each state once, and none whose name is not known. */
static void entered_twice(void **state)
{
	struct rendering *r = *state;
	const struct fw_conn c = {
		.id = 1, .family = AF_INET, .nr_steps = 4,
		.steps = { FW_SYN_SENT, 14, FW_TIME_WAIT, FW_SYN_SENT }, .restarts = 2,
		.step_flags = { 0, 0, 0, FW_STEP_AT_LEAST },
		.enter_ns = { 1, 4, 9, 10 }, .end_ns = 15, .end = FW_END_LAST_ACK,
	};

	connection(r, &c);
	assert_non_null(strstr(fw_buf_str(&r->out),
			       "],\"syn_sent_ns_min\":8,\"time_wait_ns\":1,"
			       "\"time_wait_restarts\":2,\"ended\""));
	expect_valid(r);
}

static void expect_absent(struct rendering *r, const char *name)
{
	const char *line = fw_buf_str(&r->out);
	char key[40];

	snprintf(key, sizeof(key), "\"%s\":", name);
	if (strstr(line, key))
		fail_msg("'%s' is not known, but there: %s", name, line);
}

/* Absent means unknown. */
static void unknown_is_absent(void **state)
{
	static const char *const names[] = { "laddr", "lport", "raddr", "rport", "role", "pid",
					     "comm", "cgroup", "closed_by", "error" };
	const struct fw_conn c = {
		.id = 1, .family = AF_INET, .nr_steps = 1, .steps = { FW_ESTABLISHED },
		.enter_ns = { SAMPLE_START_NS }, .end_ns = SAMPLE_START_NS, .end = FW_END_UNKNOWN,
		.comm = "not ours", .err = 255, /* no errno */
	};
	struct rendering *r = *state;

	connection(r, &c);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		expect_absent(r, names[i]);
	expect_valid(r);
}

/* Still open when finwait stops. */
static void open_connections(void **state)
{
	struct fw_conn c = sample_connection();
	struct rendering *r = *state;

	c.end = FW_END_OPEN;
	c.err = EAGAIN;
	connection(r, &c);
	assert_non_null(strstr(fw_buf_str(&r->out), ",\"open\":true,\"state\":\"TIME_WAIT\","));
	expect_absent(r, "end");
	expect_absent(r, "ended");
	expect_absent(r, "error");
	expect_valid(r);
}

/* Of a minisock that is older than the trace nobody ever saw the socket. */
static void totals_of_a_socket_never_seen(void **state)
{
	static const char *const names[] = { "uid", "bytes_sent", "bytes_received", "retransmits" };
	const struct fw_conn c = {
		.id = 1, .family = AF_INET, .lport = 1, .rport = 2, .nr_steps = 1,
		.steps = { FW_TIME_WAIT }, .step_flags = { FW_STEP_AT_LEAST },
		.enter_ns = { SAMPLE_START_NS }, .end_ns = SAMPLE_START_NS + 1,
		.end = FW_END_TIME_WAIT_EXPIRED, .flags = FW_CONN_MINI | FW_CONN_SINCE_BEFORE,
	};
	struct rendering *r = *state;

	connection(r, &c);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		expect_absent(r, names[i]);
	expect_valid(r);
}

/* A request socket has no owner and no data, but its SYN-ACKs are counted. */
static void half_open_connections(void **state)
{
	const struct fw_conn c = {
		.id = 1, .family = AF_INET, .lport = 1, .rport = 2, .nr_steps = 1,
		.steps = { FW_SYN_RECV }, .enter_ns = { SAMPLE_START_NS },
		.end_ns = SAMPLE_START_NS + 1, .end = FW_END_HALF_OPEN_EXPIRED, .retransmits = 5,
		.flags = FW_CONN_REQUEST,
	};
	struct rendering *r = *state;

	connection(r, &c);
	expect_absent(r, "uid");
	expect_absent(r, "bytes_sent");
	assert_non_null(strstr(fw_buf_str(&r->out), ",\"retransmits\":5}"));
	expect_valid(r);
}

static const char *evil_path(void *arg, uint64_t id)
{
	(void)id;
	return arg;
}

/* Names that other people choose. */
static void hostile_names(void **state)
{
	static const char *const names[] = {
		"\",\"end\":\"x", "\\", "\\\"", "{", "\n", "\x1b[2J\x07", "caf\xc3\xa9", "\xc3",
		"\xff\xfe\xfd", "0123456789abcde\xe2", "\xf0\x9f\x92\xa9", "\x7f", "\xed\xa0\x80",
		"</script>",
	};
	static char path[64];
	struct rendering *r = *state;

	r->stream.cgroup_path = evil_path;
	r->stream.cgroup_arg = path;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		const struct fw_transition tr = { .from = FW_SYN_SENT, .to = FW_ESTABLISHED };
		struct fw_conn c = sample_connection();

		memset(c.comm, 0, sizeof(c.comm));
		memcpy(c.comm, names[i], strnlen(names[i], sizeof(c.comm)));
		snprintf(path, sizeof(path), "/%s", names[i]);
		connection(r, &c);
		for (size_t k = 0; k + 1 < r->out.len; k++)
			assert_in_range((unsigned char)r->out.data[k], 0x20, 0xff);
		expect_valid(r);
		transition(r, &c, &tr);
		expect_valid(r);
	}
}

/* Whatever the tracker may hand over. */
static void always_valid(void **state)
{
	struct rendering *r = *state;

	for (unsigned int i = 0; i < 4096; i++) {
		struct fw_conn c = sample_connection();
		struct fw_transition tr = { .ts_ns = SAMPLE_START_NS, .dwell_ns = i, .to = FW_CLOSE,
					    .flags = (uint16_t)i, .from = (uint8_t)i };

		c.flags = (uint16_t)i;
		c.end = (uint8_t)(i % (FW_END_MAX + 1));
		c.role = (uint8_t)(i % 4);
		c.closed_by = (uint8_t)(i % 5);
		c.family = i & 1 ? AF_INET : AF_INET6;
		c.nr_steps = (uint8_t)(i % (FW_STEPS_MAX + 1));
		c.steps[i % FW_STEPS_MAX] = (uint8_t)i;
		c.step_flags[i % FW_STEPS_MAX] = (uint8_t)(i >> 2);
		c.pid = i & 8;
		c.lport = i & 16;
		c.err = (uint16_t)(i % 200);
		connection(r, &c);
		expect_valid(r);
		transition(r, &c, &tr);
		expect_valid(r);
	}
}

/* ---- Transitions ------------------------------------------------------------------------- */

#define WHO "\"conn\":9,\"family\":\"ipv4\",\"laddr\":\"127.0.0.1\",\"lport\":35510," \
	    "\"raddr\":\"127.0.0.1\",\"rport\":8899,\"netns\":4026531840," \
	    "\"role\":\"active\",\"pid\":2676,\"comm\":\"python3\","
#define AT "{\"ts\":\"2026-11-22T19:08:14.000000001Z\","

static void transitions(void **state)
{
	static const struct {
		struct fw_transition tr;
		const char *want;
	} cases[] = {
		{ { .from = FW_SYN_SENT, .to = FW_ESTABLISHED, .dwell_ns = 180000 },
		  "\"from\":\"SYN_SENT\",\"to\":\"ESTABLISHED\",\"ns\":180000}\n" },
		{ { .from = FW_CLOSE, .to = FW_SYN_SENT, .flags = FW_TR_DWELL_UNKNOWN },
		  "\"from\":\"CLOSE\",\"to\":\"SYN_SENT\"}\n" },
		{ { .from = FW_ESTABLISHED, .to = FW_CLOSE_WAIT, .dwell_ns = 5,
		    .flags = FW_TR_DWELL_AT_LEAST },
		  "\"from\":\"ESTABLISHED\",\"to\":\"CLOSE_WAIT\",\"ns_min\":5}\n" },
		{ { .from = FW_ESTABLISHED, .to = FW_CLOSE_WAIT, .dwell_ns = 5,
		    .flags = FW_TR_DWELL_UNKNOWN | FW_TR_DWELL_AT_MOST },
		  "\"from\":\"ESTABLISHED\",\"to\":\"CLOSE_WAIT\",\"ns_max\":5}\n" },
		{ { .from = FW_FIN_WAIT_1, .to = FW_TIME_WAIT, .dwell_ns = 5,
		    .flags = FW_TR_SAME_SEGMENT | FW_TR_MINISOCK },
		  "\"from\":\"FIN_WAIT_1\",\"to\":\"TIME_WAIT\",\"ns\":5,\"minisock\":true,"
		  "\"same_segment\":true}\n" },
		{ { .from = FW_TIME_WAIT, .to = FW_TIME_WAIT, .dwell_ns = 5,
		    .flags = FW_TR_RESTART | FW_TR_MINISOCK },
		  "\"from\":\"TIME_WAIT\",\"to\":\"TIME_WAIT\",\"ns\":5,\"minisock\":true,"
		  "\"restart\":true}\n" },
		{ { .from = FW_CLOSING, .to = FW_CLOSING, .dwell_ns = 5, .flags = FW_TR_ORPHANED },
		  "\"from\":\"CLOSING\",\"to\":\"CLOSING\",\"ns\":5,\"orphaned\":true}\n" },
		{ { .from = FW_TIME_WAIT, .to = FW_CLOSE, .dwell_ns = 5, .flags = FW_TR_END },
		  "\"from\":\"TIME_WAIT\",\"to\":\"CLOSE\",\"ns\":5,"
		  "\"end\":\"time_wait_expired\"}\n" },
		{ { .from = FW_ESTABLISHED, .to = 14, .dwell_ns = 5, .flags = FW_TR_ILLEGAL },
		  "\"from\":\"ESTABLISHED\",\"to\":\"STATE(14)\",\"ns\":5,\"illegal\":true}\n" },
	};
	const struct fw_conn c = sample_connection();
	struct rendering *r = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct fw_transition tr = cases[i].tr;
		char want[512];

		tr.ts_ns = SAMPLE_START_NS;
		transition(r, &c, &tr);
		snprintf(want, sizeof(want), AT WHO "%s", cases[i].want);
		expect_buf(&r->out, want);
	}
}

/* A listener does not end like a connection. */
static void listeners(void **state)
{
	const struct fw_transition tr = { .from = FW_LISTEN, .to = FW_CLOSE, .flags = FW_TR_END };
	struct fw_conn c = sample_connection();
	struct rendering *r = *state;

	c.flags = FW_CONN_LISTENER;
	transition(r, &c, &tr);
	expect_absent(r, "end");
	expect_valid(r);
}

#define json_test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_checker_can_say_no),
		json_test(as_designed),
		json_test(owners),
		json_test(other_fields),
		json_test(unknown_is_absent),
		json_test(bounds),
		json_test(entered_twice),
		json_test(open_connections),
		json_test(totals_of_a_socket_never_seen),
		json_test(half_open_connections),
		json_test(hostile_names),
		json_test(always_valid),
		json_test(transitions),
		json_test(listeners),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
