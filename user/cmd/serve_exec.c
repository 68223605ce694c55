// SPDX-License-Identifier: GPL-2.0-only
/*
 * finwait serve, as the other commands' program has it: it becomes finwait-serve, which has the server in
 * it. The libraries for HTTP and TLS bring some thirty others with them, and 6.5 of the 8.5 MB that finwait
 * --version would take; whoever has a recording on another machine needs none of them.
 */
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/cmd.h"

#define PROGRAM "finwait-serve"

/* Beside finwait as it is built, and where it is installed. */
static const char *const places[] = { "", "../libexec/finwait/" };

/* @self: where finwait is; becomes where finwait-serve is. False: nowhere. */
static bool find_program(char self[PATH_MAX])
{
	char *name = strrchr(self, '/') + 1;
	size_t room = PATH_MAX - (size_t)(name - self);

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		if ((size_t)snprintf(name, room, "%s" PROGRAM, places[i]) < room &&
		    !access(self, X_OK))
			return true;
	}
	return false;
}

static int cannot(const char *what, int error)
{
	struct fw_err err = { 0 };

	fw_err_set(&err, -error, "cannot run %s: %s", what, strerror(error));
	snprintf(err.hint, sizeof(err.hint),
		 "it belongs beside finwait, or into ../libexec/finwait: make, make install");
	fw_complain(&err);
	return FW_EXIT_FAILED;
}

static int run_serve(int argc, char **argv)
{
	char path[PATH_MAX] = "";
	char **args = calloc((size_t)argc + 2, sizeof(*args));
	int ret;

	if (!args)
		return cannot(PROGRAM, ENOMEM);
	if (readlink("/proc/self/exe", path, sizeof(path) - 1) <= 0 || !find_program(path)) {
		free(args);
		return cannot(PROGRAM, ENOENT);
	}
	args[0] = path;
	args[1] = (char *)fw_cmd_serve.name;
	memcpy(args + 2, argv + 1, ((size_t)argc - 1) * sizeof(*args));
	execv(path, args);
	ret = cannot(path, errno);
	free(args);
	return ret;
}

const struct fw_command fw_cmd_serve = {
	.name = "serve",
	.summary = FW_SERVE_SUMMARY,
	.run = run_serve,
};
