// SPDX-License-Identifier: GPL-2.0-only
/*
 * Both syntaxes of metrics are valid whatever is in them, and who asks gets the one that it wants.
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "report/openmetrics.h"
#include "unit.h"
#include "util/err.h"

static struct fw_buf out;

static struct fw_om om_of(bool openmetrics)
{
	fw_buf_clear(&out);
	return (struct fw_om){ .out = &out, .openmetrics = openmetrics };
}

static void a_counter_has_its_suffix_where_each_syntax_wants_it(void **state)
{
	struct fw_om om = om_of(true);

	(void)state;
	fw_om_family(&om, "a_seconds", FW_OM_COUNTER, "seconds", "Time.");
	fw_om_count1(&om, "end", "last_ack", UINT64_MAX);
	fw_om_end(&om);
	expect_buf(&out, "# HELP a_seconds Time.\n"
			 "# TYPE a_seconds counter\n"
			 "# UNIT a_seconds seconds\n"
			 "a_seconds_total{end=\"last_ack\"} 18446744073709551615\n"
			 "# EOF\n");
	om = om_of(false);
	fw_om_family(&om, "a_seconds", FW_OM_COUNTER, "seconds", "Time.");
	fw_om_count1(&om, NULL, NULL, 0);
	fw_om_end(&om);
	expect_buf(&out, "# HELP a_seconds_total Time.\n"
			 "# TYPE a_seconds_total counter\n"
			 "a_seconds_total 0\n");
}

static void info_is_a_gauge_in_prometheus_text(void **state)
{
	struct fw_om om = om_of(true);

	(void)state;
	fw_om_family(&om, "b", FW_OM_INFO, NULL, "Build.");
	fw_om_count1(&om, "version", "1", 1);
	expect_buf(&out, "# HELP b Build.\n# TYPE b info\nb_info{version=\"1\"} 1\n");
	om = om_of(false);
	fw_om_family(&om, "b", FW_OM_INFO, NULL, "Build.");
	fw_om_count1(&om, "version", "1", 1);
	expect_buf(&out, "# HELP b_info Build.\n# TYPE b_info gauge\nb_info{version=\"1\"} 1\n");
}

static void values_of_labels_are_escaped(void **state)
{
	static const struct {
		const char *value, *want;
		size_t len;
	} cases[] = {
		{ "a\"b", "a\\\"b", 0 },
		{ "a\\b", "a\\\\b", 0 },
		{ "a\nb", "a\\nb", 0 },
		{ "\xc3\xa9", "\xc3\xa9", 0 },
		{ "\xff", "\xef\xbf\xbd", 0 },
		{ "a\xc3", "a\xef\xbf\xbd", 0 },
		{ "\xc0\x80", "\xef\xbf\xbd\xef\xbf\xbd", 0 },     /* too long for NUL */
		{ "\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd", 0 }, /* a surrogate */
		{ "\xf4\x90\x80\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd", 0 },
		{ "\xf0\x9f\x90\x9f", "\xf0\x9f\x90\x9f", 0 },
		{ "", "", 0 },
		{ "0123456789abcdefgh", "0123456789abcdef", 16 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct fw_om_label label = { "l", cases[i].value, cases[i].len };
		struct fw_om om = om_of(true);
		char want[80];

		om.name = "m";
		om.type = FW_OM_GAUGE;
		fw_om_count(&om, &label, 1, 1);
		snprintf(want, sizeof(want), "m{l=\"%s\"} 1\n", cases[i].want);
		expect_buf(&out, want);
	}
}

static void help_is_escaped(void **state)
{
	struct fw_om om = om_of(false);

	(void)state;
	fw_om_family(&om, "m", FW_OM_GAUGE, NULL, "a \"b\"\\\n");
	expect_buf(&out, "# HELP m a \"b\"\\\\\\n\n# TYPE m gauge\n");
	om = om_of(true);
	fw_om_family(&om, "m", FW_OM_GAUGE, NULL, "a \"b\"\\\n");
	expect_buf(&out, "# HELP m a \\\"b\\\"\\\\\\n\n# TYPE m gauge\n");
}

static void common_labels_come_first(void **state)
{
	const struct fw_om_label common[] = { { "host", "a", 0 }, { "role", "b", 0 } };
	struct fw_om om = om_of(true);

	(void)state;
	om.common = common;
	om.nr_common = 2;
	fw_om_family(&om, "m", FW_OM_GAUGE, NULL, "");
	fw_om_count1(&om, NULL, NULL, 1);
	fw_om_value1(&om, "state", "LISTEN", 0.5);
	expect_buf(&out, "# HELP m \n# TYPE m gauge\nm{host=\"a\",role=\"b\"} 1\n"
			 "m{host=\"a\",role=\"b\",state=\"LISTEN\"} 0.5\n");
}

static void buckets_are_cumulative_and_count_is_their_sum(void **state)
{
	static const double limits[] = { 0.001, 1, 60 };
	static const uint64_t counts[] = { 1, 0, 2, 4 };
	struct fw_om om = om_of(true);

	(void)state;
	om.name = "h";
	om.type = FW_OM_HISTOGRAM;
	fw_om_histogram(&om, NULL, 0, limits, 3, counts, 1234.5);
	expect_buf(&out, "h_bucket{le=\"0.001\"} 1\nh_bucket{le=\"1.0\"} 1\nh_bucket{le=\"60.0\"} 3\n"
			 "h_bucket{le=\"+Inf\"} 7\nh_count 7\nh_sum 1234.5\n");
	om.openmetrics = false;
	fw_om_histogram(&om, NULL, 0, limits, 3, counts, 0);
	expect_buf(&out, "h_bucket{le=\"0.001\"} 1\nh_bucket{le=\"1\"} 1\nh_bucket{le=\"60\"} 3\n"
			 "h_bucket{le=\"+Inf\"} 7\nh_count 7\nh_sum 0\n");
}

static void numbers_read_back_as_they_are(void **state)
{
	struct fw_om om = om_of(true);

	(void)state;
	om.name = "v";
	om.type = FW_OM_GAUGE;
	fw_om_value1(&om, NULL, NULL, 0.1);
	fw_om_value1(&om, NULL, NULL, 0.1 + 0.2);
	fw_om_value1(&om, NULL, NULL, NAN);
	fw_om_value1(&om, NULL, NULL, -INFINITY);
	fw_om_value1(&om, NULL, NULL, INFINITY);
	expect_buf(&out, "v 0.1\nv 0.30000000000000004\nv NaN\nv -Inf\nv +Inf\n");
}

static void accept_decides_which_syntax(void **state)
{
	static const struct {
		const char *accept;
		bool want;
	} cases[] = {
		{ NULL, false },
		{ "", false },
		{ "*/*", false },
		{ "text/plain", false },
		{ "application/openmetrics-text", true },
		{ "Application/OpenMetrics-Text; version=1.0.0", true },
		/* what Prometheus sends */
		{ "application/openmetrics-text;version=1.0.0,application/openmetrics-text;"
		  "version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1", true },
		{ "text/plain;version=0.0.4;q=0.9,application/openmetrics-text;q=0.5", false },
		{ "application/openmetrics-text;q=0", false },
		{ "application/openmetrics-text; q=0.3, text/html", true },
		{ "application/openmetrics-text-not", false },
		{ ";;q=,,;", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		if (fw_om_wanted(cases[i].accept) != cases[i].want)
			fail_msg("'%s'", cases[i].accept);
	}
}

static void labels_of_the_command_line(void **state)
{
	static const char *const taken[] = { "state", NULL };
	static const struct {
		const char *text, *name, *value; /* NULL: refused */
	} cases[] = {
		{ "role=proxy", "role", "proxy" },
		{ "_x9=a=b\n", "_x9", "a=b\n" },
		{ "a=", "a", "" },
		{ "role", NULL, NULL },
		{ "=x", NULL, NULL },
		{ "9a=x", NULL, NULL },
		{ "a-b=x", NULL, NULL },
		{ "a b=x", NULL, NULL },
		{ "__name__=x", NULL, NULL },
		{ "state=x", NULL, NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct fw_om_label label;
		struct fw_err err = { 0 };
		char text[32];
		int ret;

		snprintf(text, sizeof(text), "%s", cases[i].text);
		ret = fw_om_parse_label(text, taken, &label, &err);
		if (!cases[i].name) {
			assert_int_equal(ret, -EINVAL);
			assert_true(err.msg[0]);
			continue;
		}
		assert_int_equal(ret, 0);
		assert_string_equal(label.name, cases[i].name);
		assert_string_equal(label.value, cases[i].value);
	}
}

static int free_out(void **state)
{
	(void)state;
	fw_buf_free(&out);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_counter_has_its_suffix_where_each_syntax_wants_it),
		cmocka_unit_test(info_is_a_gauge_in_prometheus_text),
		cmocka_unit_test(values_of_labels_are_escaped),
		cmocka_unit_test(help_is_escaped),
		cmocka_unit_test(common_labels_come_first),
		cmocka_unit_test(buckets_are_cumulative_and_count_is_their_sum),
		cmocka_unit_test(numbers_read_back_as_they_are),
		cmocka_unit_test(accept_decides_which_syntax),
		cmocka_unit_test(labels_of_the_command_line),
	};

	return cmocka_run_group_tests(tests, NULL, free_out);
}
