/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What JSON is (RFC 8259). Each function returns where what it names ends, or NULL if it is not there.
 * Without white space: finwait writes none.
 */
#ifndef FW_TESTS_JSON_VALUE_H
#define FW_TESTS_JSON_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

static inline const char *json_value(const char *s);

static inline const char *json_string(const char *s)
{
	if (*s++ != '"')
		return NULL;
	for (; *s != '"'; s++) {
		if ((unsigned char)*s < 0x20)
			return NULL;
		if (*s != '\\')
			continue;
		s++;
		if (*s == 'u') {
			if (strspn(s + 1, "0123456789abcdefABCDEF") < 4)
				return NULL;
			s += 4;
		} else if (!*s || !strchr("\"\\/bfnrt", *s)) {
			return NULL;
		}
	}
	return s + 1;
}

static inline const char *json_members(const char *s, char close, bool named)
{
	if (*s == close)
		return s + 1;
	for (;; s++) {
		if (named) {
			s = json_string(s);
			if (!s || *s++ != ':')
				return NULL;
		}
		s = json_value(s);
		if (!s || *s == close)
			return s ? s + 1 : NULL;
		if (*s != ',')
			return NULL;
	}
}

static inline const char *json_digits(const char *s)
{
	size_t n = strspn(s, "0123456789");

	return n ? s + n : NULL;
}

static inline const char *json_number(const char *s)
{
	s += *s == '-';
	s = *s == '0' ? s + 1 : json_digits(s);
	if (s && *s == '.')
		s = json_digits(s + 1);
	if (s && (*s == 'e' || *s == 'E'))
		s = json_digits(s + (s[1] == '+' || s[1] == '-' ? 2 : 1));
	return s;
}

static inline const char *json_value(const char *s)
{
	static const char *const words[] = { "true", "false", "null" };

	if (*s == '{')
		return json_members(s + 1, '}', true);
	if (*s == '[')
		return json_members(s + 1, ']', false);
	if (*s == '"')
		return json_string(s);
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (!strncmp(s, words[i], strlen(words[i])))
			return s + strlen(words[i]);
	}
	return json_number(s);
}

#endif
