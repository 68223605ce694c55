// SPDX-License-Identifier: GPL-2.0-only
/* Proves that text lines are aligned, folded, colored and harmless, exactly as shown here. */
#include "sample.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>


static int setup(void **state)
{
	static struct rendering r;

	rendering_init(&r, &fw_stream_text);
	*state = &r;
	return 0;
}

static int teardown(void **state)
{
	rendering_fini(*state);
	return 0;
}

static void header(struct rendering *r)
{
	fw_stream_text.header(&r->stream);
}

static void connection(struct rendering *r, const struct fw_conn *c)
{
	fw_stream_text.connection(&r->stream, c);
}

static void transition(struct rendering *r, const struct fw_conn *c, const struct fw_transition *tr)
{
	fw_stream_text.transition(&r->stream, c, tr);
}

#define HEADER \
	"CONN    PROCESS            LOCAL                  REMOTE                 " \
	"PATH (time in state) and END\n"
#define WHO "9       python3/2676       127.0.0.1:35510        127.0.0.1:8899         "

static void one_line_a_connection(void **state)
{
	const struct fw_conn c = sample_connection();
	struct rendering *r = *state;

	header(r);
	connection(r, &c);
	expect_buf(&r->out,
		HEADER
		WHO "SYN_SENT 0.18 ms > ESTABLISHED 0.37 ms > FIN_WAIT_1 42.5 ms > "
		    "FIN_WAIT_2 958 ms (orphaned) > TIME_WAIT 61.4 s  2MSL timer\n");
}

/* Short paths leave the end in its column. */
static void the_end_has_a_column(void **state)
{
	struct fw_conn c = sample_connection();
	struct rendering *r = *state;

	c.nr_steps = 1;
	c.end = FW_END_REFUSED;
	header(r);
	fw_buf_clear(&r->out);
	connection(r, &c);
	expect_buf(&r->out, WHO "SYN_SENT 62.4 s                                             "
				"                                        refused\n");
}

static void folded_to_the_terminal(void **state)
{
	const struct fw_conn c = sample_connection();
	struct rendering *r = *state;

	r->stream.width = 161;
	header(r);
	fw_buf_clear(&r->out);
	connection(r, &c);
	expect_buf(&r->out,
		WHO "SYN_SENT 0.18 ms > ESTABLISHED 0.37 ms > FIN_WAIT_1 42.5 ms >\n"
		"                                                                         "
		    "FIN_WAIT_2 958 ms (orphaned) > TIME_WAIT 61.4 s              2MSL timer\n");
	r->stream.width = 80; /* too narrow for anything: one or two states a line */
	connection(r, &c);
	expect_buf(&r->out,
		WHO "SYN_SENT 0.18 ms > ESTABLISHED 0.37 ms >\n"
		"                                                                         "
		    "FIN_WAIT_1 42.5 ms >\n"
		"                                                                         "
		    "FIN_WAIT_2 958 ms (orphaned) >\n"
		"                                                                         "
		    "TIME_WAIT 61.4 s                        2MSL timer\n");
}

/* Where there is room for two columns at all, no line is longer than the terminal. */
static void expect_fits(struct rendering *r, uint16_t flags)
{
	for (unsigned int width = 160; width < 300; width += 3) {
		for (unsigned int end = 0; end < FW_END_MAX; end++) {
			struct fw_conn c = sample_connection();
			const char *line;

			c.end = (uint8_t)end;
			c.flags = flags;
			r->stream.width = width;
			header(r);
			fw_buf_clear(&r->out);
			connection(r, &c);
			for (line = fw_buf_str(&r->out); *line; line = strchr(line, '\n') + 1) {
				if (strcspn(line, "\n") > width)
					fail_msg("%u columns: %s", width, line);
			}
		}
	}
}

static void never_wider_than_the_terminal(void **state)
{
	expect_fits(*state, 0);
}

static void never_wider_with_events_lost(void **state)
{
	expect_fits(*state, FW_CONN_GAP);
}

static void columns_widen_and_stay(void **state)
{
	struct fw_conn c = sample_connection(), v6 = sample_connection();
	struct rendering *r = *state;

	v6.family = AF_INET6;
	v6.nr_steps = c.nr_steps = 1;
	memset(v6.laddr, 0x20, sizeof(v6.laddr));
	memset(v6.raddr, 0, sizeof(v6.raddr));
	v6.raddr[15] = 1;
	header(r);
	fw_buf_clear(&r->out);
	connection(r, &v6);
	connection(r, &c);
	expect_buf(&r->out,
		"9       python3/2676       [2020:2020:2020:2020:2020:2020:2020:2020]:35510  "
		"[::1]:8899             SYN_SENT 62.4 s"
		"                                                                           "
		"          2MSL timer\n"
		"9       python3/2676       127.0.0.1:35510                                  "
		"127.0.0.1:8899         SYN_SENT 62.4 s"
		"                                                                           "
		"          2MSL timer\n");
}

static void unknown_is_shown_as_such(void **state)
{
	struct fw_conn c = {
		.id = 123456789, .family = AF_INET, .nr_steps = 1, .steps = { FW_TIME_WAIT },
		.step_flags = { FW_STEP_AT_LEAST }, .enter_ns = { SAMPLE_START_NS },
		.end_ns = SAMPLE_START_NS + 41000000000, .end = FW_END_OPEN, .restarts = 2,
		.flags = FW_CONN_GAP,
	};
	struct rendering *r = *state;

	r->stream.width = 141;
	header(r);
	fw_buf_clear(&r->out);
	connection(r, &c);
	expect_buf(&r->out, "123456789 -                  -                      -"
			    "                      TIME_WAIT >= 41.0 s (restarted 2x)      "
			    "still open (events lost)\n");
	c.step_flags[0] |= FW_STEP_AT_MOST;
	connection(r, &c);
	assert_non_null(strstr(fw_buf_str(&r->out), "TIME_WAIT ? (restarted 2x)"));
	fw_buf_clear(&r->out);
	c.step_flags[0] = FW_STEP_AT_LEAST;
	c.lport = 80;
	c.laddr[0] = 10;
	c.raddr[0] = 10;
	c.restarts = 0;
	c.flags = 0;
	connection(r, &c);
	expect_buf(&r->out, "123456789 -                  10.0.0.0:80            10.0.0.0:*"
			    "             TIME_WAIT >= 41.0 s                     still open\n");
}

/* A process can name itself anything, also what moves the cursor. */
static void hostile_names(void **state)
{
	struct fw_conn c = sample_connection();
	struct rendering *r = *state;

	memcpy(c.comm, "\x1b[2J\x1b[1;1H\n\r\x9b\xff\\\x7f", 16);
	c.nr_steps = 1;
	header(r);
	fw_buf_clear(&r->out);
	connection(r, &c);
	for (size_t i = 0; i + 1 < r->out.len; i++)
		assert_in_range(r->out.data[i], 0x20, 0x7e);
	assert_int_equal(r->out.data[r->out.len - 1], '\n');
	assert_memory_equal(r->out.data + 8,
			    "\\x1b[2J\\x1b[1;1H\\x0a\\x0d\\x9b\\xff\\x5c\\x7f/2676", 45);
}

static void colors_take_no_room(void **state)
{
	const struct fw_transition tr = { .from = FW_ESTABLISHED, .to = FW_TIME_WAIT };
	struct fw_conn c = sample_connection();
	struct rendering *r = *state;
	struct fw_buf plain = { 0 };

	r->stream.width = 160;
	for (int colored = 0; colored < 2; colored++) {
		r->stream.color = colored;
		header(r);
		connection(r, &c);
		transition(r, &c, &tr);
		if (!colored)
			fw_buf_mem(&plain, r->out.data, r->out.len);
		else
			assert_non_null(strstr(fw_buf_str(&r->out),
					       "\033[36mTIME_WAIT 61.4 s\033[0m"));
		if (!colored)
			fw_buf_clear(&r->out);
	}
	/* without the colors it is the same text */
	for (size_t from = 0, to = 0;; from++) {
		if (from == r->out.len) {
			r->out.len = to;
			break;
		}
		if (r->out.data[from] == '\033')
			from += strcspn(r->out.data + from, "m");
		else
			r->out.data[to++] = r->out.data[from];
	}
	expect_buf(&r->out, fw_buf_str(&plain));
	fw_buf_free(&plain);
}

/* ---- Transitions ------------------------------------------------------------------------- */

static void transitions(void **state)
{
	static const struct {
		struct fw_transition tr;
		const char *want;
	} cases[] = {
		{ { .from = FW_CLOSE, .to = FW_SYN_SENT, .flags = FW_TR_DWELL_UNKNOWN },
		  "CLOSE         SYN_SENT      -" },
		{ { .from = FW_SYN_SENT, .to = FW_ESTABLISHED, .dwell_ns = 180000 },
		  "SYN_SENT      ESTABLISHED   0.18 ms" },
		{ { .from = FW_ESTABLISHED, .to = FW_CLOSE_WAIT, .dwell_ns = 61402000000,
		    .flags = FW_TR_DWELL_AT_LEAST },
		  "ESTABLISHED   CLOSE_WAIT    >= 61.4 s" },
		{ { .from = FW_ESTABLISHED, .to = FW_CLOSE_WAIT, .dwell_ns = 61402000000,
		    .flags = FW_TR_DWELL_UNKNOWN | FW_TR_DWELL_AT_MOST },
		  "ESTABLISHED   CLOSE_WAIT    <= 61.4 s" },
		{ { .from = FW_FIN_WAIT_1, .to = FW_TIME_WAIT, .flags = FW_TR_SAME_SEGMENT },
		  "FIN_WAIT_1    TIME_WAIT     0.00 ms      FIN+ACK in one segment" },
		{ { .from = FW_TIME_WAIT, .to = FW_TIME_WAIT, .flags = FW_TR_RESTART },
		  "TIME_WAIT     TIME_WAIT     0.00 ms      restarted" },
		{ { .from = FW_CLOSING, .to = FW_CLOSING, .flags = FW_TR_ORPHANED },
		  "CLOSING       CLOSING       0.00 ms      orphaned: the application closed" },
		{ { .from = FW_TIME_WAIT, .to = FW_CLOSE, .flags = FW_TR_END },
		  "TIME_WAIT     CLOSE         0.00 ms      2MSL timer" },
		{ { .from = FW_ESTABLISHED, .to = 14, .flags = FW_TR_ILLEGAL },
		  "ESTABLISHED   STATE(14)     0.00 ms      not in the state machine:" },
	};
	const struct fw_conn c = sample_connection();
	struct rendering *r = *state;

	r->stream.transitions = true;
	header(r);
	expect_buf(&r->out,
		"TIME(s)       CONN    PROCESS            LOCAL                  "
		"REMOTE                 FROM          TO            TIME IN FROM  NOTE\n");
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct fw_transition tr = cases[i].tr;
		char want[256];

		tr.ts_ns = SAMPLE_START_NS;
		transition(r, &c, &tr);
		snprintf(want, sizeof(want), "1.500000      " WHO "%s\n", cases[i].want);
		expect_buf(&r->out, want);
	}
}

static void times_of_transitions(void **state)
{
	static const struct {
		int64_t after_start_ns;
		const char *want;
	} cases[] = {
		{ 0, "0.000000      " },
		{ 999, "0.000000      " },
		{ 1000, "0.000001      " },
		{ 12345678901, "12.345678     " },
		{ 123456789012345678, "123456789.012345 " },
		{ -5, "0.000000      " }, /* made before, read after */
	};
	struct fw_transition tr = { .from = FW_SYN_SENT, .to = FW_ESTABLISHED };
	const struct fw_conn c = sample_connection();
	struct rendering *r = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		tr.ts_ns = r->stream.start_ns + (uint64_t)cases[i].after_start_ns;
		transition(r, &c, &tr);
		fw_buf_str(&r->out);
		assert_memory_equal(r->out.data, cases[i].want, strlen(cases[i].want));
		fw_buf_clear(&r->out);
	}
	setenv("TZ", "UTC", 1);
	tzset();
	r->stream.clock = true;
	tr.ts_ns = SAMPLE_START_NS + 5000000;
	transition(r, &c, &tr);
	assert_memory_equal(r->out.data, "19:08:14.005  9  ", 17);
	fw_buf_clear(&r->out);
	r->stream.transitions = true;
	header(r);
	assert_memory_equal(r->out.data, "TIME          CONN ", 19);
}

static void listeners(void **state)
{
	const struct fw_transition tr = { .from = FW_LISTEN, .to = FW_CLOSE, .flags = FW_TR_END,
					  .ts_ns = SAMPLE_START_NS };
	struct fw_conn c = { .id = 1, .family = AF_INET, .flags = FW_CONN_LISTENER, .lport = 80,
			     .end = FW_END_UNKNOWN };
	struct rendering *r = *state;

	r->stream.transitions = true;
	header(r);
	fw_buf_clear(&r->out);
	transition(r, &c, &tr);
	expect_buf(&r->out, "1.500000      1       -                  0.0.0.0:80             "
			    "-                      LISTEN        CLOSE         0.00 ms\n");
}

/* ---- What formats share ------------------------------------------------------------------ */

static const char *blue(void *arg, uint32_t inum)
{
	(void)arg;
	return inum == 4026531840U ? "blue\033" : NULL;
}

static const char *docker(void *arg, uint64_t id)
{
	(void)arg;
	return id == 4711 ? "/docker/0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef" :
			    "/system.slice/app.service";
}

static void expect_end(struct rendering *r, const char *end)
{
	size_t len = strlen(end);

	assert_true(r->out.len >= len);
	assert_string_equal(fw_buf_str(&r->out) + r->out.len - len, end);
	fw_buf_clear(&r->out);
}

/* Other namespaces than finwait's own, and containers, are told at the end of a line. */
static void whose(void **state)
{
	const struct fw_transition tr = { .from = FW_SYN_SENT, .to = FW_ESTABLISHED };
	struct fw_conn c = sample_connection();
	struct rendering *r = *state;

	r->stream.netns_name = blue;
	r->stream.cgroup_path = docker;
	r->stream.own_netns = 4026531840U;
	r->stream.format->transition(&r->stream, &c, &tr);
	expect_end(r, " [container 0123456789ab]\n");
	r->stream.own_netns = 7;
	r->stream.format->transition(&r->stream, &c, &tr);
	expect_end(r, " [netns blue\\x1b, container 0123456789ab]\n");
	c.cgroup_id = 1;
	r->stream.format->connection(&r->stream, &c);
	expect_end(r, "2MSL timer [netns blue\\x1b]\n");
	c.netns = 8;
	r->stream.format->connection(&r->stream, &c);
	expect_end(r, "2MSL timer [netns 8]\n");
	r->stream.width = 120;
	r->stream.format->connection(&r->stream, &c);
	/* in the column of the path */
	expect_end(r, "2MSL timer\n                                                       "
		      "[netns 8]\n");
	c.netns = 7;
	r->stream.format->connection(&r->stream, &c);
	expect_end(r, "2MSL timer\n");
}

static void formats_by_name(void **state)
{
	(void)state;
	assert_ptr_equal(fw_stream_format_find("text"), &fw_stream_text);
	assert_ptr_equal(fw_stream_format_find("json"), &fw_stream_json);
	assert_null(fw_stream_format_find("JSON"));
	assert_null(fw_stream_format_find(""));
	assert_null(fw_stream_format_find("jsonl"));
}

#define text_test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		text_test(one_line_a_connection),
		text_test(the_end_has_a_column),
		text_test(folded_to_the_terminal),
		text_test(never_wider_than_the_terminal),
		text_test(never_wider_with_events_lost),
		text_test(columns_widen_and_stay),
		text_test(unknown_is_shown_as_such),
		text_test(hostile_names),
		text_test(colors_take_no_room),
		text_test(transitions),
		text_test(times_of_transitions),
		text_test(listeners),
		text_test(whose),
		cmocka_unit_test(formats_by_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
