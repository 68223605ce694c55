// SPDX-License-Identifier: GPL-2.0-only
#include "util/pairs.h"

#include <stddef.h>
#include <string.h>

static bool take(char *out, size_t room, const char *from, const char *to)
{
	size_t len = (size_t)(to - from);

	if (len >= room)
		return false;
	memcpy(out, from, len);
	out[len] = '\0';
	return true;
}

bool fw_pair_next(const char **at, const char *end, struct fw_pair *out)
{
	while (*at < end) {
		const char *line = *at, *newline = memchr(line, '\n', (size_t)(end - line));
		const char *stop = newline ? newline : end;
		const char *space = memchr(line, ' ', (size_t)(stop - line));

		*at = newline ? newline + 1 : end;
		if (space && take(out->name, sizeof(out->name), line, space) &&
		    take(out->value, sizeof(out->value), space + 1, stop))
			return true;
	}
	return false;
}
