// SPDX-License-Identifier: GPL-2.0-only
/* Proves that a report looks exactly like this, fits its terminal, and is harmless to it. */
#include "report_sample.h"

#include <string.h>

#include "report/page.h"
#include "report/render.h"

static const char expected_80[] =
	"finwait report\n"
	"source live | span 30.0 s | hooks trampoline | connections 12,345\n"
	"events lost 0 | own CPU 1.2 %\n"
	"\n"
	"FINDINGS  2 critical, 1 info\n"
	"\n"
	"!! CRITICAL time-wait-port-exhaustion\n"
	"   no local port left for connections to 10.0.0.9:8080\n"
	"   means: TIME_WAIT holds every port of the range.\n"
	"   try:   Reuse connections.\n"
	"   facts: EADDRNOTAVAIL seen 9,000\n"
	"\n"
	"!! CRITICAL close-wait-leak\n"
	"   \\x1b[2Jjava\\x0a\"\\x5c\\xff/4711 holds 412 connections in CLOSE_WAIT, the oldest\n"
	"   for 41 minutes\n"
	"   means: The peer has closed and the application has read end-of-file, but it\n"
	"          never called close().\n"
	"   try:   Look for the path in \\x1b[2Jjava\\x0a\"\\x5c\\xff that drops a connection\n"
	"          without close(): an error branch, or a pool without a limit.\n"
	"   sure:  3 sockets were closed before they could be looked at.\n"
	"   facts: sockets 412 | oldest >= 41 m 02 s | growth 12.0 /min\n"
	"          fds in use 83.2 % | limit reached in 57 m 00 s\n"
	"                                                                           EOF\n"
	"     PROCESS        REMOTE         SOCKETS       OLDEST    GROWTH   UNREAD READ\n"
	"     \\x1b[2..f/4711 10.0.0.12:5432     400 >= 41 m 02 s 12.0 /min      0 B yes\n"
	"     \\x1b[2..f/4711 [2001:..4]:443      12       31.0 s         - 65.0 KiB no\n"
	"     ... and 3 more\n"
	"\n"
	"-- INFO events-lost\n"
	"   no events were lost\n"
	"\n"
	"TIME_WAIT\n"
	"  entered           12,345\n"
	"  open now          >= 1,200\n"
	"  TCP_TIMEWAIT_LEN  60.0 s\n"
	"  tcp_rfc1337       no\n"
	"  kernel says       -\n"
	"\n"
	"  how long, when the timer ended it\n"
	"           < 60.0 s      1  #\n"
	"    60.0 s - 61.0 s  4,999  ##########################################\n"
	"    61.0 s - 62.0 s  6,000  ##################################################\n"
	"          >= 62.0 s      0\n"
	"\n"
	"  how it ended\n"
	"    ENDED BY            COUNT      P50      P99\n"
	"    2MSL timer         11,000   61.1 s   61.9 s\n"
	"    RST from the peer     145  0.18 ms  42.0 ms\n"
	"\n"
	"  * The timer wheel fires at the end of a bucket of 2.05 s: 60 s become 60 to 62\n"
	"    s on this kernel (HZ=250).\n"
	"  * 145 ended early.\n"
	"\n";
static struct fw_buf *rendered(const struct fw_report *r, unsigned int columns, bool color)
{
	static struct fw_buf b;

	fw_buf_clear(&b);
	fw_report_text(r, &b, columns, color);
	assert_false(b.failed);
	return &b;
}

static int teardown(void **state)
{
	(void)state;
	fw_buf_free(rendered(&(struct fw_report){ 0 }, 80, false));
	return 0;
}

static void an_incident_in_80_columns(void **state)
{
	struct fw_report r = { 0 };

	(void)state;
	sample_report(&r);
	expect_buf(rendered(&r, 80, false), expected_80);
	fw_report_fini(&r);
}

static void nothing_to_report(void **state)
{
	struct fw_report r = { 0 };

	(void)state;
	expect_buf(rendered(&r, 80, false), "");
	fw_report_about(&r, "span", "span", fw_cell_duration(FW_NS_PER_S));
	expect_buf(rendered(&r, 80, false), "finwait report\nspan 1.00 s\n\nFINDINGS  none\n\n");
	r.failed = true;
	expect_buf(rendered(&r, 80, false),
		   "finwait report\nspan 1.00 s\n\n"
		   "NOT COMPLETE: finwait had not enough memory for this report. Something is\n"
		   "              missing below.\n\n"
		   "FINDINGS  none\n\n");
	fw_report_fini(&r);
}

/* Sections and findings that were begun and never filled. */
static void empty_parts(void **state)
{
	static const char *const columns[] = { "n", "n", NULL }, *const none[] = { NULL };
	struct fw_report r = { 0 };
	struct fw_section *s = fw_report_section(&r, "s", "CLOSING");
	struct fw_finding *f = fw_report_finding(&r, "bind-in-use", FW_SEVERITY_WARNING, 0);

	(void)state;
	s = fw_report_section(&r, "t", "LISTEN");
	fw_section_table(&r, s, "t", "a table", columns);
	fw_section_table(&r, s, "t", "", none);
	fw_section_bars(&r, s, "b", "bars");
	fw_bars_add(&r, fw_section_bars(&r, s, "b", "of nothing"), 0, UINT64_MAX, 0);
	fw_finding_offenders(&r, f, none);
	fw_finding_say(&r, &f->title, "%s", "");
	expect_buf(rendered(&r, 80, false),
		   "FINDINGS  1 warning\n\n"
		   " ! WARNING bind-in-use\n"
		   "   \n"
		   "     (none)\n\n"
		   "CLOSING\n"
		   "  (nothing was seen)\n\n"
		   "LISTEN\n\n"
		   "  bars\n"
		   "    (none)\n\n"
		   "  of nothing\n"
		   "    >= 0.00 ms  0\n\n"
		   "  a table\n"
		   "    (none)\n\n"
		   "    (none)\n\n");
	fw_report_fini(&r);
}

/* However narrow the terminal, no line is longer; and only printable ASCII is sent to it. */
static void fits_and_is_harmless(void **state)
{
	struct fw_report r = { 0 };

	(void)state;
	sample_report(&r);
	for (unsigned int columns = 40; columns <= 200; columns++) {
		struct fw_buf *b = rendered(&r, columns, false);
		const char *line;

		for (line = fw_buf_str(b); *line; line = strchr(line, '\n') + 1) {
			if (strcspn(line, "\n") > columns)
				fail_msg("%u columns: %s", columns, line);
		}
		for (size_t i = 0; i < b->len; i++)
			assert_true(b->data[i] == '\n' || (b->data[i] >= ' ' && b->data[i] <= '~'));
	}
	fw_report_fini(&r);
}

/* Without a terminal nothing is cut. */
static void without_limit(void **state)
{
	struct fw_report r = { 0 };
	const char *text;

	(void)state;
	sample_report(&r);
	text = fw_buf_str(rendered(&r, 0, false));
	assert_non_null(strstr(text, "\\x1b[2Jjava\\x0a\"\\x5c\\xff/4711  "
				     "[2001:db8:85a3:1234:5678:8a2e:370:7334]:443       12"));
	assert_null(strstr(text, "..f/4711"));
	fw_report_fini(&r);
}

/* Colors take no room: without them it is the same text. */
static void colors(void **state)
{
	struct fw_report r = { 0 };
	struct fw_buf *b;
	size_t to = 0;

	(void)state;
	sample_report(&r);
	b = rendered(&r, 80, true);
	assert_non_null(strstr(fw_buf_str(b), "\033[1;31m!! CRITICAL\033[0m"));
	for (size_t from = 0; from < b->len; from++) {
		if (b->data[from] == '\033')
			from += strcspn(b->data + from, "m");
		else
			b->data[to++] = b->data[from];
	}
	b->len = to;
	expect_buf(b, expected_80);
	fw_report_fini(&r);
}

static void cells(void **state)
{
	const struct {
		struct fw_cell cell;
		const char *want;
	} cases[] = {
		{ fw_cell_unknown(), "-" },
		{ fw_cell_at_least(fw_cell_unknown()), "-" },
		{ fw_cell_count(1234567), "1,234,567" },
		{ fw_cell_at_least(fw_cell_count(0)), ">= 0" },
		{ fw_cell_duration(61402000000), "61.4 s" },
		{ fw_cell_bytes(1023), "1023 B" },
		{ fw_cell_bytes(1024), "1.00 KiB" },
		{ fw_cell_bytes(1023 * 1024), "1.00 MiB" },
		{ fw_cell_bytes(UINT64_MAX), "16.0 EiB" },
		{ fw_cell_rate(0), "0 /s" },
		{ fw_cell_rate(12345.6), "12,346 /s" },
		{ fw_cell_rate(1), "1.00 /s" },
		{ fw_cell_rate(0.5), "30.0 /min" },
		{ fw_cell_rate(0.001), "3.60 /h" },
		{ fw_cell_rate(-2), "-2.00 /s" },
		{ fw_cell_rate(1e30), "1e+30 /s" },
		{ fw_cell_percent(99.96), "100.0 %" },
		{ fw_cell_bool(true), "yes" },
		{ { .kind = FW_CELL_TEXT, .text = (char[]){ "\033[31m" } }, "\\x1b[31m" },
		{ { .kind = FW_CELL_MAX }, "-" },
	};
	struct fw_buf b = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		fw_page_cell(&b, &cases[i].cell);
		expect_buf(&b, cases[i].want);
	}
	fw_buf_free(&b);
}

/* ---- Tables ------------------------------------------------------------------------------ */

static void expect_table(size_t columns, const char *want)
{
	static const char *const heads[] = { "a", "process", "b", "time in state",
					     "c", "remote", NULL };
	struct fw_report r = { 0 };
	struct fw_table *t = fw_section_table(&r, fw_report_section(&r, "s", "S"), "t", "T", heads);
	struct fw_buf b = { 0 };
	struct fw_page p;

	fw_table_row(&r, t, (struct fw_cell[]){ fw_cell_text("nginx/1", SIZE_MAX),
						fw_cell_duration(61402000000),
						fw_cell_text("198.51.100.200:65535", SIZE_MAX) });
	fw_table_row(&r, t, (struct fw_cell[]){ fw_cell_text("a-worker-of-postgres/4711", SIZE_MAX),
						fw_cell_unknown(), fw_cell_text("-", SIZE_MAX) });
	fw_page_init(&p, &b, 80, false);
	p.width = columns;
	fw_page_table(&p, 0, t);
	expect_buf(&b, want);
	fw_buf_free(&b);
	fw_report_fini(&r);
}

static void tables_give_way(void **state)
{
	(void)state;
	expect_table(SIZE_MAX, "PROCESS                    TIME IN STATE  REMOTE\n"
			       "nginx/1                           61.4 s  198.51.100.200:65535\n"
			       "a-worker-of-postgres/4711              -  -\n");
	expect_table(60, "                               TIME IN\n"
			 "PROCESS                          STATE  REMOTE\n"
			 "nginx/1                         61.4 s  198.51.100.200:65535\n"
			 "a-worker-of-postgres/4711            -  -\n");
	expect_table(50, "                        TIME\n"
			 "                          IN\n"
			 "PROCESS                STATE  REMOTE\n"
			 "nginx/1               61.4 s  198.51.100.200:65535\n"
			 "a-worker-..gres/4711       -  -\n");
	expect_table(40, "                   TIME\n"
			 "                     IN\n"
			 "PROCESS           STATE  REMOTE\n"
			 "nginx/1          61.4 s  198.51..0:65535\n"
			 "a-work..es/4711       -  -\n");
	expect_table(36, "                 TIME\n"
			 "                   IN\n"
			 "PROCESS         STATE REMOTE\n"
			 "nginx/1        61.4 s 198.51..:65535\n"
			 "a-work..s/4711      - -\n");
	expect_table(30, "- process nginx/1 | time in state 61.4 s | remote 198.51.100.200:65535\n"
			 "- process a-worker-of-postgres/4711 | time in state - | remote -\n");
}

#define text_test(f) cmocka_unit_test_teardown(f, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		text_test(an_incident_in_80_columns),
		text_test(nothing_to_report),
		text_test(empty_parts),
		text_test(fits_and_is_harmless),
		text_test(without_limit),
		text_test(colors),
		cmocka_unit_test(cells),
		cmocka_unit_test(tables_give_way),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
