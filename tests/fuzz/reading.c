// SPDX-License-Identifier: GPL-2.0-only
#include "reading.h"

#include <sys/mman.h>
#include <unistd.h>

#include "../unit/json_value.h"
#include "cmd/cmd.h"
#include "input.h"
#include "utf8.h"

volatile sig_atomic_t fw_stopping;

void fw_complain(const struct fw_err *err)
{
	must(err->code < 0 && err->msg[0]);
}

struct way {
	const struct fw_command *command;
	const char *args[4];
	bool json;
};

static const struct way ways[] = {
	{ &fw_cmd_timeline, { "-f", "json" }, true },
	{ &fw_cmd_timeline, { "--wide" }, false },
	{ &fw_cmd_trace, { "-f", "json" }, true },
	{ &fw_cmd_trace, { "-T" }, false },
	{ &fw_cmd_report, { "-f", "json" }, true },
	{ &fw_cmd_report, { "--top", "3" }, false },
	{ &fw_cmd_report, { "-f", "html" }, false },
	{ &fw_cmd_leaks, { "-f", "json", "--leak-age", "1ms" }, true },
	{ &fw_cmd_states, { "-f", "json" }, true },
	{ &fw_cmd_timeline, { "--state", "time_wait", "--comm", "*" }, false },
	{ &fw_cmd_leaks, { "--at", "10s" }, false },
	{ &fw_cmd_timeline, { "-4", "--netns", "4026531840" }, false },
};

/* A file without a name, and the path by which this process can open it. */
static int file_of(char path[32], const void *data, size_t len)
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC);

	must(fd >= 0);
	must(write(fd, data, len) == (ssize_t)len);
	snprintf(path, 32, "/proc/self/fd/%d", fd);
	return fd;
}

static void check_output(int fd, bool json)
{
	size_t len = (size_t)lseek(fd, 0, SEEK_END);
	char *text = malloc(len + 1);
	const char *s = text;

	must(text && pread(fd, text, len, 0) == (ssize_t)len);
	text[len] = '\0';
	must(strlen(text) == len);
	must(is_utf8(text));
	while (json && *s) {
		s = *s == '{' ? json_value(s) : NULL;
		must(s && *s == '\n');
		s++;
	}
	must(json || !strchr(text, 0x1b));
	free(text);
}

/* What they say of it on stderr is not of interest a million times. Sanitizers write to descriptor 2. */
static void be_quiet(void)
{
	static FILE *nowhere;

	if (!nowhere)
		stderr = nowhere = fopen("/dev/null", "w");
	must(nowhere);
}

void reading_run(uint8_t which, const void *recording, size_t len)
{
	const struct way *way = &ways[which % (sizeof(ways) / sizeof(ways[0]))];
	char in[32], out[32], name[] = "finwait";
	int in_fd = file_of(in, recording, len), out_fd = file_of(out, "", 0), argc = 5, status;
	char *argv[12] = { name, (char *)"-i", in, (char *)"-o", out };

	be_quiet();
	for (int i = 0; i < 4 && way->args[i]; i++)
		argv[argc++] = (char *)way->args[i];
	status = way->command->run(argc, argv);
	must(status == FW_EXIT_OK || status == FW_EXIT_FAILED || status == FW_EXIT_LEAKS);
	check_output(out_fd, way->json);
	close(in_fd);
	close(out_fd);
}
