// SPDX-License-Identifier: GPL-2.0-only
#include "io/complaint.h"

#include <bpf/libbpf.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOG_BEGINS "-- BEGIN PROG LOAD LOG --\n"
#define LOG_ENDS "-- END PROG LOAD LOG --"

/* libbpf hands its printer no argument of ours. */
static __thread char *complaint;
static __thread size_t complaint_len;

/* The text of a line that ends before @end: where it starts. */
static char *line_before(char *from, char *end)
{
	while (end > from && end[-1] != '\n')
		end--;
	return end;
}

/*
 * "12: (85) call bpf_get_socket_cookie#46\nunknown func bpf_get_socket_cookie#46\nprocessed 13 insns
 * ...\n-- END": the last line that is no statistics says why.
 */
static char *find_verdict(char *log)
{
	char *end = strstr(log, LOG_ENDS);

	if (!end)
		return NULL;
	while (end > log) {
		char *line = line_before(log, end - 1);

		end[-1] = '\0';
		if (*line && strncmp(line, "processed ", strlen("processed ")) &&
		    strncmp(line, "verification time", strlen("verification time")) &&
		    strncmp(line, "stack depth", strlen("stack depth")))
			return line;
		end = line;
	}
	return NULL;
}

static void append(const char *separator, const char *text)
{
	size_t used = strlen(complaint);

	snprintf(complaint + used, complaint_len - used, "%s%s", separator, text);
}

/* The first one is the cause; what follows, but for the log, says only that loading failed. */
static void keep(char *said)
{
	char *log = strstr(said, LOG_BEGINS), *verdict;

	if (log) {
		verdict = find_verdict(log + strlen(LOG_BEGINS));
		if (verdict && *complaint && !strstr(complaint, verdict))
			append(": ", verdict);
		return;
	}
	said[strcspn(said, "\n")] = '\0';
	if (!*complaint && !strstr(said, "ulimit"))
		append("", said);
}

__attribute__((format(printf, 2, 0))) static int on_print(enum libbpf_print_level level,
							  const char *fmt, va_list ap)
{
	char *said;

	if (level != LIBBPF_WARN || !complaint || vasprintf(&said, fmt, ap) < 0)
		return 0;
	keep(said);
	free(said);
	return 0;
}

void fw_complaint_begin(char *buf, size_t len)
{
	libbpf_set_print(on_print);
	complaint = buf;
	complaint_len = len;
	*buf = '\0';
}

void fw_complaint_end(void)
{
	complaint = NULL;
}
