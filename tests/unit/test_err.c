// SPDX-License-Identifier: GPL-2.0-only
/* Proves that errors carry their code, message and hint, cut to size. */
#include "unit.h"

#include <errno.h>
#include <string.h>

#include "util/err.h"

static void code_message_hint(void **state)
{
	struct fw_err err;

	(void)state;
	assert_int_equal(fw_err_set(&err, -ENOENT, "no %s in %d", "file", 3), -ENOENT);
	assert_int_equal(err.code, -ENOENT);
	assert_string_equal(err.msg, "no file in 3");
	assert_string_equal(err.hint, "");
	fw_err_hint(&err, "try %s", "again");
	assert_string_equal(err.hint, "try again");
	/* the next error has no hint of the last */
	fw_err_set(&err, -EPERM, "no");
	assert_string_equal(err.hint, "");
}

static void cut_to_size(void **state)
{
	char text[2000];
	struct fw_err err;

	(void)state;
	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	fw_err_set(&err, -EINVAL, "%s", text);
	fw_err_hint(&err, "%s", text);
	assert_int_equal(strlen(err.msg), sizeof(err.msg) - 1);
	assert_int_equal(strlen(err.hint), sizeof(err.hint) - 1);
}

static void nobody_wants_to_know(void **state)
{
	(void)state;
	assert_int_equal(fw_err_set(NULL, -EINVAL, "%d", 1), -EINVAL);
	fw_err_hint(NULL, "%d", 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(code_message_hint),
		cmocka_unit_test(cut_to_size),
		cmocka_unit_test(nobody_wants_to_know),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
