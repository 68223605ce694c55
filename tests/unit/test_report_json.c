// SPDX-License-Identifier: GPL-2.0-only
/* Proves that the JSON document of a report keeps its contract and is valid whatever is in it. */
#include "report_sample.h"

#include <string.h>

#include "report/render.h"

static const char expected[] =
	"{\"complete\":true,\"about\":{\"source\":\"live\",\"span_ns\":30000000000,"
	"\"hooks\":\"trampoline\",\"connections\":12345,\"lost\":0,\"cpu_pct\":1.2},\"findings\":[{"
	"\"id\":\"time-wait-port-exhaustion\",\"severity\":\"critical\","
	"\"title\":\"no local port left for connections to 10.0.0.9:8080\",\"evidence\":{"
	"\"refused\":9000},\"meaning\":\"TIME_WAIT holds every port of the range.\","
	"\"advice\":\"Reuse connections.\"},{\"id\":\"close-wait-leak\",\"severity\":\"critical\","
	"\"title\":\"\\u001b[2Jjava\\u000a\\\"\\\\\\ufffd/4711 holds 412 connections in "
	"CLOSE_WAIT, the oldest for 41 minutes\","
	"\"evidence\":{\"sockets\":412,\"oldest_ns_min\":2462000000000,\"growth_per_s\":0.2,"
	"\"fds_used_pct\":83.25,\"limit_in_ns\":3420000000000},\"offenders\":[{"
	"\"process\":\"\\u001b[2Jjava\\u000a\\\"\\\\\\ufffd/4711\",\"remote\":\"10.0.0.12:5432\","
	"\"sockets\":400,\"oldest_ns_min\":2462000000000,\"growth_per_s\":0.2,"
	"\"unread_bytes\":0,\"eof_read\":true},{"
	"\"process\":\"\\u001b[2Jjava\\u000a\\\"\\\\\\ufffd/4711\","
	"\"remote\":\"[2001:db8:85a3:1234:5678:8a2e:370:7334]:443\",\"sockets\":12,"
	"\"oldest_ns\":31000000000,\"unread_bytes\":66560,\"eof_read\":false}],"
	"\"offenders_more\":3,"
	"\"meaning\":\"The peer has closed and the application has read end-of-file, but it "
	"never called close().\","
	"\"advice\":\"Look for the path in \\u001b[2Jjava\\u000a\\\"\\\\\\ufffd that drops "
	"a connection without close(): an error branch, or a pool without a limit.\","
	"\"confidence\":\"3 sockets were closed before they could be looked at.\"},{"
	"\"id\":\"events-lost\",\"severity\":\"info\",\"title\":\"no events were lost\","
	"\"evidence\":{}}],\"sections\":{\"time_wait\":{\"entered\":12345,\"open_now_min\":1200,"
	"\"nominal_ns\":60000000000,\"rfc1337\":false,\"ends\":[{\"how\":\"2MSL timer\","
	"\"count\":11000,\"p50_ns\":61100000000,\"p99_ns\":61900000000},{"
	"\"how\":\"RST from the peer\",\"count\":145,\"p50_ns\":180000,\"p99_ns\":42000000}],"
	"\"expired\":[{\"from_ns\":0,\"to_ns\":60000000000,\"count\":1},{\"from_ns\":60000000000,"
	"\"to_ns\":61000000000,\"count\":4999},{\"from_ns\":61000000000,\"to_ns\":62000000000,"
	"\"count\":6000},{\"from_ns\":62000000000,\"count\":0}],"
	"\"notes\":[\"The timer wheel fires at the end of a bucket of 2.05 s: 60 s become "
	"60 to 62 s on this kernel (HZ=250).\","
	"\"145 ended early.\"]}}}\n";
static void expect_json(const struct fw_report *r, const char *want)
{
	struct fw_buf b = { 0 };

	fw_report_json(r, &b);
	assert_false(b.failed);
	expect_buf(&b, want);
	fw_buf_free(&b);
}

static void an_incident(void **state)
{
	struct fw_report r = { 0 };

	(void)state;
	sample_report(&r);
	expect_json(&r, expected);
	fw_report_fini(&r);
}

static void nothing_to_report(void **state)
{
	struct fw_report r = { 0 };

	(void)state;
	expect_json(&r, "{\"complete\":true,\"about\":{},\"findings\":[],\"sections\":{}}\n");
	r.failed = true;
	expect_json(&r, "{\"complete\":false,\"about\":{},\"findings\":[],\"sections\":{}}\n");
}

/* What is not known is absent, and no comma tells of it. */
static void unknown_is_absent(void **state)
{
	static const char *const columns[] = { "a", "a", "b", "b", "c", "c", NULL };
	struct fw_report r = { 0 };
	struct fw_section *s = fw_report_section(&r, "s", "S");
	struct fw_table *t = fw_section_table(&r, s, "t", "T", columns);

	(void)state;
	fw_section_fact(&r, s, "x", "x", fw_cell_at_least(fw_cell_unknown()));
	fw_section_fact(&r, s, "y", "y", fw_cell_at_least(fw_cell_bytes(1)));
	fw_table_row(&r, t, (struct fw_cell[]){ fw_cell_unknown(), fw_cell_count(1),
						fw_cell_unknown() });
	fw_table_row(&r, t, (struct fw_cell[]){ fw_cell_unknown(), fw_cell_unknown(),
						fw_cell_unknown() });
	fw_section_table(&r, s, "empty", "T", columns)->nr_more = 7;
	fw_section_bars(&r, s, "bars", "B");
	fw_report_finding(&r, "f", FW_SEVERITY_WARNING, 0);
	expect_json(&r, "{\"complete\":true,\"about\":{},"
			"\"findings\":[{\"id\":\"f\",\"severity\":\"warning\",\"evidence\":{}}],"
			"\"sections\":{\"s\":{\"y_bytes_min\":1,\"t\":[{\"b\":1},{}],"
			"\"empty\":[],\"empty_more\":7,\"bars\":[],\"notes\":[]}}}\n");
	fw_report_fini(&r);
}

static void numbers(void **state)
{
	const struct {
		struct fw_cell cell;
		const char *want;
	} cases[] = {
		{ fw_cell_count(UINT64_MAX), "\"k\":18446744073709551615" },
		{ fw_cell_duration(1), "\"k_ns\":1" },
		{ fw_cell_rate(12345.678901), "\"k_per_s\":12345.6789" },
		{ fw_cell_rate(0.1 + 0.2), "\"k_per_s\":0.3" },
		{ fw_cell_percent(100), "\"k_pct\":100" },
		{ fw_cell_at_least(fw_cell_count(3)), "\"k_min\":3" },
		{ fw_cell_bool(false), "\"k\":false" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct fw_report r = { 0 };
		struct fw_buf b = { 0 };

		fw_report_about(&r, "k", "l", cases[i].cell);
		fw_report_json(&r, &b);
		if (!strstr(fw_buf_str(&b), cases[i].want))
			fail_msg("%s is not in %s", cases[i].want, fw_buf_str(&b));
		fw_buf_free(&b);
		fw_report_fini(&r);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_incident),
		cmocka_unit_test(nothing_to_report),
		cmocka_unit_test(unknown_is_absent),
		cmocka_unit_test(numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
