// SPDX-License-Identifier: GPL-2.0-only
/*
 * The kernel's counters and settings: /proc/net/snmp, netstat, sockstat, lists of reserved ports; and what a
 * recording has of them.
 */
#include "io/netns_values_read.c" /* the parsers of lines are its own */

#include "input.h"

/* A line of its own, as getline() makes it. */
static char *line_of(const char **text)
{
	size_t len = strcspn(*text, "\n");
	char *line = strndup(*text, len);

	must(line);
	*text += len + !!(*text)[len];
	return line;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = strndup((const char *)data, size);
	const char *rest = text;
	struct fw_netns_values v, before;
	struct fw_buf b = { 0 };

	must(text);
	fw_netns_values_init(&v);
	before = v;
	while (*rest) {
		char *names = line_of(&rest), *values = line_of(&rest);
		int64_t ports = count_ports(names, 1024, 65535);

		must(ports >= 0);
		must(number_at(names, 1) >= FW_VALUE_UNKNOWN || strchr(names, '-'));
		take_pairs(&v, FW_FILE_NETSTAT, names, values);
		take_sockstat(&before, FW_FILE_SOCKSTAT, values);
		free(names);
		free(values);
	}
	fw_netns_values_parse(&v, text, strlen(text));
	fw_netns_values_since(&v, &before);
	fw_netns_values_print(&v, &b);
	fw_buf_free(&b);
	free(text);
	return 0;
}
