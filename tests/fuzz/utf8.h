/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FW_FUZZ_UTF8_H
#define FW_FUZZ_UTF8_H

#include <stdbool.h>
#include <stdint.h>

/* By RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF. */
static inline bool is_utf8(const char *text)
{
	const uint8_t *s = (const uint8_t *)text;

	while (*s) {
		unsigned int more = *s < 0x80 ? 0 : *s < 0xe0 ? 1 : *s < 0xf0 ? 2 : 3;
		uint32_t c = more ? *s & (0x3fU >> more) : *s, least = more == 1 ? 0x80 :
								       more == 2 ? 0x800 :
								       more == 3 ? 0x10000 :
										   0;

		if ((*s >= 0x80 && *s < 0xc2) || *s > 0xf4)
			return false;
		for (unsigned int i = 0; i < more; i++) {
			if ((*++s & 0xc0) != 0x80)
				return false;
			c = c << 6 | (*s & 0x3f);
		}
		if (c < least || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
			return false;
		s++;
	}
	return true;
}

#endif
