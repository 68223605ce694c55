// SPDX-License-Identifier: GPL-2.0-only
/* Proves which tokens are found in a request, and which Host headers are taken for this host's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "util/http_header.h"

static void the_scheme_has_no_case(void **state)
{
	(void)state;
	assert_string_equal(fw_http_bearer("Bearer abc"), "abc");
	assert_string_equal(fw_http_bearer("bearer abc"), "abc");
	assert_string_equal(fw_http_bearer("BEARER   abc"), "abc");
	assert_string_equal(fw_http_bearer("Bearer "), "");
}

static void other_schemes_have_no_token(void **state)
{
	static const char *const others[] = { "", "abc", "Bearer", "Bearerabc", "Basic abc", "Bear er" };

	(void)state;
	assert_null(fw_http_bearer(NULL));
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		assert_null(fw_http_bearer(others[i]));
}

static void names_of_this_host(void **state)
{
	static const char *const local[] = {
		"localhost", "LocalHost:9435", "localhost.", "localhost.:1", "127.0.0.1", "127.0.0.1:9435",
		"127.9.8.7", "[::1]", "[::1]:9435", "[0:0::1]:80", "metrics.example", "Metrics.Example:443",
		"metrics.example.", "localhost:",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(local) / sizeof(local[0]); i++)
		assert_true(fw_http_host_is_local(local[i], "metrics.example"));
}

static void names_that_others_can_make_resolve_here(void **state)
{
	static const char *const others[] = {
		"", ":", ":80", "evil.example", "localhost.evil.example", "127.0.0.1.evil.example",
		"evil.example:9435", "128.0.0.1", "0.0.0.0", "2130706433", "0x7f.1", "127.1", "[::2]", "[::1",
		"::1", "[127.0.0.1]", "[::1]x", "127.0.0.1:x", "localhost..", "localhost:80:80", "[]",
		"[::ffff:127.0.0.1]", " localhost", "localhost ", "user@localhost", "metrics.example",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		assert_false(fw_http_host_is_local(others[i], NULL));
	assert_false(fw_http_host_is_local("", ""));
}

static void a_name_of_any_length_is_only_read(void **state)
{
	char host[4096];

	(void)state;
	for (size_t len = 0; len + 1 < sizeof(host); len++) {
		host[len] = 'a';
		host[len + 1] = '\0';
		assert_false(fw_http_host_is_local(host, "b"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_scheme_has_no_case),
		cmocka_unit_test(other_schemes_have_no_token),
		cmocka_unit_test(names_of_this_host),
		cmocka_unit_test(names_that_others_can_make_resolve_here),
		cmocka_unit_test(a_name_of_any_length_is_only_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
