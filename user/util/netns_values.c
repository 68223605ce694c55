// SPDX-License-Identifier: GPL-2.0-only
#include "util/netns_values.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "util/pairs.h"

#define READ_FROM "read_from_ns"
#define READ "read_ns"
/* Larger values of a recording are ignored, so that sums of a few do not overflow. No kernel counts so
 * far: at a million a second it takes 31 years.
 */
#define VALUE_MAX 1000000000000000LL

#define PORTS FW_PLACE_PORTS
#define SYSCTL(field, path, which, reach, text, shown) \
	{ .name = (text), .label = (shown), .key = (path), \
	  .offset = offsetof(struct fw_netns_values, sysctls.field), .kind = FW_VALUE_SETTING, \
	  .file = FW_FILE_SYSCTL, .scope = FW_SCOPE_##reach, .place = (which) },
#define COUNTER(field, sort, from, word, reach, text, shown) \
	{ .name = (text), .label = (shown), .key = (word), \
	  .offset = offsetof(struct fw_netns_values, counters.field), .kind = FW_VALUE_##sort, \
	  .file = FW_FILE_##from, .scope = FW_SCOPE_##reach },

const struct fw_value fw_values[] = {
	FW_SYSCTLS(SYSCTL)
	FW_KERNEL_COUNTERS(COUNTER)
};

const size_t fw_nr_values = sizeof(fw_values) / sizeof(fw_values[0]);

void fw_value_set(struct fw_netns_values *v, const struct fw_value *which, int64_t value)
{
	*(int64_t *)((char *)v + which->offset) = value < 0 ? FW_VALUE_UNKNOWN : value;
}

const struct fw_value *fw_value_of_word(enum fw_value_file file, const char *word)
{
	for (size_t i = 0; i < fw_nr_values; i++) {
		if (fw_values[i].file == file && !strcmp(fw_values[i].key, word))
			return &fw_values[i];
	}
	return NULL;
}

void fw_netns_values_init(struct fw_netns_values *v)
{
	*v = (struct fw_netns_values){ 0 };
	for (size_t i = 0; i < fw_nr_values; i++)
		fw_value_set(v, &fw_values[i], FW_VALUE_UNKNOWN);
}

void fw_netns_values_print(const struct fw_netns_values *v, struct fw_buf *b)
{
	fw_buf_printf(b, READ_FROM " %" PRIu64 "\n" READ " %" PRIu64 "\n", v->read_from_ns, v->read_ns);
	for (size_t i = 0; i < fw_nr_values; i++) {
		int64_t value = fw_value_get(v, &fw_values[i]);

		if (value >= 0)
			fw_buf_printf(b, "%s %" PRId64 "\n", fw_values[i].name, value);
	}
}

static void set_by_name(struct fw_netns_values *v, const char *name, int64_t value)
{
	for (size_t i = 0; i < fw_nr_values; i++) {
		if (!strcmp(fw_values[i].name, name))
			fw_value_set(v, &fw_values[i], value);
	}
}

void fw_netns_values_parse(struct fw_netns_values *v, const char *text, size_t len)
{
	const char *end = text + len;
	struct fw_pair pair;

	fw_netns_values_init(v);
	while (fw_pair_next(&text, end, &pair)) {
		char *stop;
		int64_t value = strtoll(pair.value, &stop, 10);

		if (!*pair.value || *stop)
			continue;
		if (!strcmp(pair.name, READ_FROM))
			v->read_from_ns = (uint64_t)value;
		else if (!strcmp(pair.name, READ))
			v->read_ns = (uint64_t)value;
		else if (value <= VALUE_MAX)
			set_by_name(v, pair.name, value);
	}
}

void fw_netns_values_since(struct fw_netns_values *v, const struct fw_netns_values *before)
{
	for (size_t i = 0; i < fw_nr_values; i++) {
		int64_t now = fw_value_get(v, &fw_values[i]);
		int64_t then = fw_value_get(before, &fw_values[i]);

		if (fw_values[i].kind == FW_VALUE_COUNTER)
			fw_value_set(v, &fw_values[i],
				     then >= 0 && now >= then ? now - then : FW_VALUE_UNKNOWN);
	}
}
