// SPDX-License-Identifier: GPL-2.0-only
/*
 * The kernel's counters and settings: /proc/net/snmp, netstat, sockstat, lists of reserved ports; and what a
 * recording has of them.
 */
#include "io/ground.c" /* the parsers of lines are its own */

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
	struct fw_ground g, before;

	must(text);
	fw_ground_init(&g);
	must(g.nr <= FW_GROUND_MAX);
	before = g;
	while (*rest) {
		char *names = line_of(&rest), *values = line_of(&rest);
		int64_t ports = count_ports(names, 1024, 65535);

		must(ports >= 0);
		take_pairs(&g, names, values);
		take_sockstat(&before, values);
		free(names);
		free(values);
	}
	fw_ground_parse(&g, text, strlen(text));
	fw_ground_since(&g, &before);
	fw_ground_value(&g, "TCPTimeWaitOverflow");
	free(text);
	return 0;
}
