// SPDX-License-Identifier: GPL-2.0-only
#include "util/complaint.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define LOG_BEGINS "-- BEGIN PROG LOAD LOG --\n"
#define LOG_ENDS "-- END PROG LOAD LOG --"

/* What the verifier says about its own work. */
static bool is_noise(const char *line)
{
	static const char *const noise[] = {
		"processed ", "verification time", "stack depth",
	};

	for (size_t i = 0; i < sizeof(noise) / sizeof(noise[0]); i++) {
		if (!strncmp(line, noise[i], strlen(noise[i])))
			return true;
	}
	return !*line;
}

/*
 * "12: (85) call bpf_get_socket_cookie#46\nunknown func bpf_get_socket_cookie#46\nprocessed 13
 * insns ...\n-- END ...": the last line that is no statistics says why. NULL: there is none.
 */
static const char *find_verdict(char *log)
{
	char *end = strstr(log, LOG_ENDS);

	while (end && end > log) {
		char *line = end - 1;

		*line = '\0';
		while (line > log && line[-1] != '\n')
			line--;
		if (!is_noise(line))
			return line;
		end = line;
	}
	return NULL;
}

static void append(char *line, size_t len, const char *separator, const char *text)
{
	size_t used = strlen(line);

	snprintf(line + used, len - used, "%s%s", separator, text);
}

void fw_complaint_add(char *line, size_t len, char *said)
{
	char *log = strstr(said, LOG_BEGINS);
	const char *verdict;

	if (log) {
		verdict = find_verdict(log + strlen(LOG_BEGINS));
		if (verdict && *line && !strstr(line, verdict))
			append(line, len, ": ", verdict);
		return;
	}
	said[strcspn(said, "\n")] = '\0';
	if (!*line && !strstr(said, "ulimit"))
		append(line, len, "", said);
}
