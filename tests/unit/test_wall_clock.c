// SPDX-License-Identifier: GPL-2.0-only
/* Proves that a moment keeps the time of day that it had when it came. */
#include "util/wall_clock.h"

#include "unit.h"

static void a_step_holds_from_then_on(void **state)
{
	struct fw_wall_clock c;

	(void)state;
	fw_wall_clock_init(&c, 1000);
	assert_int_equal(fw_wall_clock_ns(&c, 5), 1005);
	fw_wall_clock_step(&c, 100, 5000);
	fw_wall_clock_step(&c, 200, -50);
	assert_int_equal(fw_wall_clock_ns(&c, 5), 1005);
	assert_int_equal(fw_wall_clock_ns(&c, 99), 1099);
	assert_int_equal(fw_wall_clock_ns(&c, 100), 5100);
	assert_int_equal(fw_wall_clock_ns(&c, 199), 5199);
	assert_int_equal(fw_wall_clock_ns(&c, 200), 150);
	assert_int_equal(fw_wall_clock_offset_ns(&c), -50);
}

static void no_step_is_none(void **state)
{
	struct fw_wall_clock c;

	(void)state;
	fw_wall_clock_init(&c, 7);
	for (unsigned int i = 0; i < 2 * FW_CLOCK_STEPS_MAX; i++)
		fw_wall_clock_step(&c, i, 7);
	assert_int_equal(c.nr, 1);
}

static void the_oldest_steps_are_forgotten(void **state)
{
	struct fw_wall_clock c;

	(void)state;
	fw_wall_clock_init(&c, 0);
	for (unsigned int i = 1; i <= 3 * FW_CLOCK_STEPS_MAX; i++)
		fw_wall_clock_step(&c, i * 100, i);
	assert_int_equal(c.nr, FW_CLOCK_STEPS_MAX);
	assert_int_equal(fw_wall_clock_ns(&c, 3 * FW_CLOCK_STEPS_MAX * 100), 3 * FW_CLOCK_STEPS_MAX * 101);
	/* The oldest that is left stands for all before it. */
	assert_int_equal(fw_wall_clock_ns(&c, 0), 2 * FW_CLOCK_STEPS_MAX + 1);
}

static void nothing_known_is_no_offset(void **state)
{
	const struct fw_wall_clock c = { .nr = 0 };

	(void)state;
	assert_int_equal(fw_wall_clock_ns(&c, 42), 42);
	assert_int_equal(fw_wall_clock_offset_ns(&c), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_step_holds_from_then_on), cmocka_unit_test(no_step_is_none),
		cmocka_unit_test(the_oldest_steps_are_forgotten),
		cmocka_unit_test(nothing_known_is_no_offset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
