// SPDX-License-Identifier: GPL-2.0-only
/*
 * Verbs about the lives of processes and ports: hold and kill (the kernel closes what a killed
 * process had), churn (one 4-tuple over and over).
 */
#define _GNU_SOURCE 1 /* as -D_GNU_SOURCE would */
#include "peer_run.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

int app_hold(struct run *run, const struct line *line)
{
	struct side *side = run_side(run, line);
	int keep = side->fd;
	pid_t pid = fork();

	if (pid < 0)
		return run_fail(run, "fork: %s", strerror(errno));
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (int fd = 0; fd < 256; fd++) {
			if (fd != keep)
				close(fd);
		}
		for (;;)
			pause();
	}
	side->holder = pid;
	return side_close(run, side);
}

int app_kill(struct run *run, const struct line *line)
{
	struct side *side = run_side(run, line);

	if (side->holder <= 0)
		return run_fail(run, "nobody to kill");
	kill(side->holder, SIGKILL);
	waitpid(side->holder, NULL, 0);
	side->holder = 0;
	return 0;
}

/* A busy machine leaves segments to a kernel thread; what does not come is seen by the next call. */
static void await(int fd, short events)
{
	struct pollfd pfd = { .fd = fd, .events = events };

	poll(&pfd, 1, 2000);
}

/* The kernel frees and reuses the port, and mostly the same struct sock, within microseconds. */
int app_churn(struct run *run, const struct line *line)
{
	const struct linger hard = { .l_onoff = 1 };
	int fd;

	run->client_port = (uint16_t)(run->listen_port + 20000);
	for (int i = atoi(line->words[2]); i > 0; i--) {
		char port[8];
		const struct line bind_line = { .nr_words = 3, .words = { "app", "bind", port } };
		const struct line plain = { .nr_words = 2, .words = { "app", "connect" } };

		snprintf(port, sizeof(port), "%u", run->client_port);
		if (app_bind(run, &bind_line) || app_connect(run, &plain) ||
		    app_connected(run, &plain))
			return -1;
		await(run->srv.listen_fd, POLLIN);
		fd = accept4(run->srv.listen_fd, NULL, NULL, SOCK_CLOEXEC);
		if (fd < 0)
			return run_fail(run, "accept: %s", strerror(errno));
		setsockopt(run->app.fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
		side_close(run, &run->app);
		await(fd, POLLIN); /* the RST */
		close(fd);
	}
	return 0;
}
