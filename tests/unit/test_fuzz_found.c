// SPDX-License-Identifier: GPL-2.0-only
/* What tests/fuzz has found, one case each: numbers and times that only a recording can hold. */
#include "analysis.h"

/* The end of 64 bits lies in a step of the table of states over time. */
static void report_at_the_end_of_time(void **state)
{
	struct watch *w = *state;

	active_open(&w->scene, 18446743073705.0);
	watch_report(w, 18446743073705.0);
	assert_int_equal(watch_section(w, "over_time")->tables[0].nr_rows > 1, true);
}

static const int64_t extremes[] = { INT64_MIN, INT64_MIN + 1, -1, 0, 65535, 65536, INT64_MAX };

/* Settings that no kernel has: nothing is said of ports, and nothing overflows. */
static void port_ranges_that_are_none(void **state)
{
	struct watch *w = *state;

	scene_connection(&w->scene, 1);
	three_segment_close(&w->scene, 1000);
	for (size_t i = 0; i < ARRAY_SIZE(extremes); i++) {
		for (size_t k = 0; k < ARRAY_SIZE(extremes); k++) {
			w->values.sysctls.port_low = extremes[i];
			w->values.sysctls.port_high = extremes[k];
			w->values.sysctls.ports_reserved = extremes[(i + k) % ARRAY_SIZE(extremes)];
			watch_report(w, 2000);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		watch_test(report_at_the_end_of_time),
		watch_test(port_ranges_that_are_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
