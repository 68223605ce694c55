// SPDX-License-Identifier: GPL-2.0-only
/*
 * Names that are kept by number, and text of lines "name value": both from outside.
 */
#include "unit.h"

#include <stdio.h>
#include <string.h>

#include "util/names.h"
#include "util/pairs.h"

static void set(struct fw_names *n, uint64_t number, const char *name)
{
	fw_names_set(n, number, name, name ? strlen(name) : 0);
}

static void a_name_is_kept(void **state)
{
	struct fw_names n;

	(void)state;
	fw_names_init(&n);
	assert_false(fw_names_knows(&n, 7));
	assert_null(fw_names_get(&n, 7));
	set(&n, 7, "/system.slice");
	assert_true(fw_names_knows(&n, 7));
	assert_string_equal(fw_names_get(&n, 7), "/system.slice");
	set(&n, 7, "/other");
	assert_string_equal(fw_names_get(&n, 7), "/other");
	fw_names_fini(&n);
}

static void nobody_has_number_0(void **state)
{
	struct fw_names n;

	(void)state;
	fw_names_init(&n);
	assert_true(fw_names_knows(&n, 0));
	set(&n, 0, "zero");
	assert_null(fw_names_get(&n, 0));
	fw_names_fini(&n);
}

static void names_do_not_lose_each_other(void **state)
{
	struct fw_names n;
	char name[24];

	(void)state;
	fw_names_init(&n);
	/* Numbers that a table of any power of two would put into one place. */
	for (uint64_t i = 1; i <= 5000; i++) {
		snprintf(name, sizeof(name), "%llu", (unsigned long long)i);
		set(&n, i << 20, name);
	}
	for (uint64_t i = 1; i <= 5000; i++) {
		snprintf(name, sizeof(name), "%llu", (unsigned long long)i);
		assert_string_equal(fw_names_get(&n, i << 20), name);
	}
	fw_names_fini(&n);
}

static void of_too_many_the_first_is_forgotten(void **state)
{
	struct fw_names n;

	(void)state;
	fw_names_init(&n);
	for (uint64_t i = 1; i <= FW_NAMES_MAX + 10; i++)
		set(&n, i, "name");
	assert_int_equal(n.nr, FW_NAMES_MAX);
	assert_false(fw_names_knows(&n, 10));
	assert_true(fw_names_knows(&n, 11));
	assert_true(fw_names_knows(&n, FW_NAMES_MAX + 10));
	fw_names_fini(&n);
}

static void what_was_asked_for_is_not_at_once_due_again(void **state)
{
	struct fw_names n;

	(void)state;
	fw_names_init(&n);
	assert_true(fw_names_due(&n, 7, 1000));
	set(&n, 7, NULL);
	assert_false(fw_names_due(&n, 7, 2000));
	assert_true(fw_names_due(&n, 7, 20000000));
	fw_names_fini(&n);
}

static void who_has_no_name_may_get_one(void **state)
{
	struct fw_names n;

	(void)state;
	fw_names_init(&n);
	set(&n, 1, NULL);
	set(&n, 2, "two");
	assert_true(fw_names_knows(&n, 1));
	assert_null(fw_names_get(&n, 1));
	fw_names_forget_unnamed(&n);
	assert_false(fw_names_knows(&n, 1));
	assert_true(fw_names_knows(&n, 2));
	fw_names_fini(&n);
}

/* The kernel gives the number of a namespace that is gone to the next one. */
static void a_number_lives_several_times(void **state)
{
	struct fw_names n;
	uint64_t last_ns = 0;

	(void)state;
	fw_names_init(&n);
	assert_false(fw_names_seen(&n, 7, 1, 100, &last_ns)); /* nothing is known of it */
	set(&n, 7, "a");
	assert_false(fw_names_seen(&n, 7, 1, 200, &last_ns));
	assert_false(fw_names_seen(&n, 7, 0, 250, &last_ns)); /* which life is not known */
	assert_false(fw_names_seen(&n, 7, 1, 300, &last_ns));
	assert_int_equal(fw_names_life(&n, 7), 1);
	assert_true(fw_names_seen(&n, 7, 2, 400, &last_ns));
	assert_int_equal(last_ns, 300);
	fw_names_reborn(&n, 7);
	assert_null(fw_names_get(&n, 7));
	assert_true(fw_names_due(&n, 7, 1000000000));
	assert_string_equal(fw_names_all(&n, 7), "a, unknown");
	set(&n, 7, "b");
	assert_string_equal(fw_names_get(&n, 7), "b");
	assert_string_equal(fw_names_all(&n, 7), "a, b");
	assert_null(fw_names_all(&n, 8));
	for (unsigned int i = 0; i < 1000; i++)
		fw_names_reborn(&n, 7);
	assert_in_range(strlen(fw_names_all(&n, 7)), 1, 300);
	fw_names_fini(&n);
}

static void pairs_come_line_by_line(void **state)
{
	static const char text[] = "a 1\n\nnothing\n b\nlong value with spaces\nc 2";
	const char *at = text, *end = text + sizeof(text) - 1;
	struct fw_pair p;

	(void)state;
	assert_true(fw_pair_next(&at, end, &p));
	assert_string_equal(p.name, "a");
	assert_string_equal(p.value, "1");
	assert_true(fw_pair_next(&at, end, &p));
	assert_string_equal(p.name, "");
	assert_string_equal(p.value, "b");
	assert_true(fw_pair_next(&at, end, &p));
	assert_string_equal(p.name, "long");
	assert_string_equal(p.value, "value with spaces");
	assert_true(fw_pair_next(&at, end, &p));
	assert_string_equal(p.name, "c");
	assert_string_equal(p.value, "2");
	assert_false(fw_pair_next(&at, end, &p));
}

static void what_is_too_long_is_left_out(void **state)
{
	char text[2048];
	const char *at = text;
	struct fw_pair p;

	(void)state;
	memset(text, 'x', sizeof(text));
	text[sizeof(p.name)] = ' ';
	text[100] = '\n';
	text[101] = 'v';
	text[102] = ' ';
	text[103 + sizeof(p.value)] = '\n';
	memcpy(text + 1000, "\nok yes\n", 8);
	assert_true(fw_pair_next(&at, text + 1100, &p));
	assert_string_equal(p.name, "ok");
	assert_string_equal(p.value, "yes");
	assert_false(fw_pair_next(&at, text + 1100, &p));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_name_is_kept),
		cmocka_unit_test(nobody_has_number_0),
		cmocka_unit_test(names_do_not_lose_each_other),
		cmocka_unit_test(of_too_many_the_first_is_forgotten),
		cmocka_unit_test(what_was_asked_for_is_not_at_once_due_again),
		cmocka_unit_test(who_has_no_name_may_get_one),
		cmocka_unit_test(a_number_lives_several_times),
		cmocka_unit_test(pairs_come_line_by_line),
		cmocka_unit_test(what_is_too_long_is_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
