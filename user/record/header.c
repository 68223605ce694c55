// SPDX-License-Identifier: GPL-2.0-only
#include "record/header.h"

#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/pairs.h"
#include "util/parse.h"

/* Jiffies of any kernel there is; and of any that will be: 1e9 / hz is a whole number of ns. */
#define HZ_MAX 1000000

enum kind { TEXT, NUMBER, SIGNED, FLAG };

static const struct {
	const char *name;
	enum kind kind;
	size_t offset, size;
	bool needed;
} values[] = {
#define VALUE(name, kind, needed) \
	{ #name, kind, offsetof(struct fw_header, name), sizeof(((struct fw_header *)0)->name), needed }
	VALUE(finwait, TEXT, false),	     VALUE(kernel, TEXT, false),
	VALUE(arch, TEXT, true),	     VALUE(host, TEXT, false),
	VALUE(boot_id, TEXT, false),	     VALUE(hooks, TEXT, true),
	VALUE(filter, TEXT, false),	     VALUE(session, NUMBER, true),
	VALUE(part, NUMBER, true),	     VALUE(hz, NUMBER, true),
	VALUE(start_ns, NUMBER, true),	     VALUE(wall_offset_ns, SIGNED, true),
	VALUE(rearms_unseen, FLAG, true),    VALUE(accepts_unseen, FLAG, true),
	VALUE(filtered, FLAG, true),	     VALUE(netns, NUMBER, false),
#undef VALUE
};
#define NR_VALUES (sizeof(values) / sizeof(values[0]))
_Static_assert(NR_VALUES <= 32, "a bit for each");

void fw_header_print(const struct fw_header *h, struct fw_buf *b)
{
	for (size_t i = 0; i < NR_VALUES; i++) {
		const char *at = (const char *)h + values[i].offset;

		switch (values[i].kind) {
		case TEXT:
			/* A line is a line: what is no text in it becomes visible. */
			fw_buf_printf(b, "%s ", values[i].name);
			fw_buf_visible(b, at, values[i].size);
			fw_buf_putc(b, '\n');
			break;
		case NUMBER:
			fw_buf_printf(b, "%s %" PRIu64 "\n", values[i].name, *(const uint64_t *)at);
			break;
		case SIGNED:
			fw_buf_printf(b, "%s %" PRId64 "\n", values[i].name, *(const int64_t *)at);
			break;
		case FLAG:
			fw_buf_printf(b, "%s %d\n", values[i].name, *(const bool *)at);
			break;
		}
	}
}

/* False: that is no such value. */
static bool set(struct fw_header *h, size_t i, const char *text)
{
	char *at = (char *)h + values[i].offset;
	uint64_t flag;

	switch (values[i].kind) {
	case TEXT:
		snprintf(at, values[i].size, "%s", text);
		return true;
	case NUMBER:
		return !fw_parse_u64(text, 0, UINT64_MAX, (uint64_t *)at, NULL);
	case SIGNED:
		return !fw_parse_i64(text, (int64_t *)at, NULL);
	default:
		if (fw_parse_u64(text, 0, 1, &flag, NULL))
			return false;
		*(bool *)at = flag;
		return true;
	}
}

int fw_header_parse(struct fw_header *h, const char *text, size_t len, struct fw_err *err)
{
	const char *end = text + len;
	uint32_t told = 0;
	struct fw_pair pair;

	*h = (struct fw_header){ 0 };
	while (fw_pair_next(&text, end, &pair)) {
		for (size_t i = 0; i < NR_VALUES; i++) {
			if (strcmp(pair.name, values[i].name))
				continue;
			if (!set(h, i, pair.value))
				return fw_err_set(err, -EBADMSG, "%s makes no sense: '%s'", pair.name,
						  pair.value);
			told |= 1U << i;
		}
	}
	for (size_t i = 0; i < NR_VALUES; i++) {
		if (values[i].needed && !(told & 1U << i))
			return fw_err_set(err, -EBADMSG, "it does not say %s", values[i].name);
	}
	if (h->hz > HZ_MAX)
		return fw_err_set(err, -EBADMSG, "hz makes no sense: %" PRIu64, h->hz);
	return 0;
}
