// SPDX-License-Identifier: GPL-2.0-only
/*
 * A server that forgets: leaves connections in CLOSE_WAIT in the way that it is told to.
 *
 * usage: leaker PORT closed|read|accepted|shared [NOFILE]
 *
 *	closed		accepts, reads to the end, and does not close
 *	read		accepts, and looks at nothing any more
 *	accepted	listens, and does not accept
 *	shared		accepts, forks a child that sleeps, closes; the child has not
 *
 * NOFILE is its RLIMIT_NOFILE; when accept() says EMFILE it prints "EMFILE NANOSECONDS"
 * (CLOCK_MONOTONIC). Prints "ready" when it listens. Ends with its standard input.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static int listen_on(unsigned int port)
{
	struct sockaddr_in addr = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	int one = 1, fd = socket(AF_INET, SOCK_STREAM, 0);

	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, (struct sockaddr *)&addr, sizeof(addr)) || listen(fd, 4096)) {
		perror("leaker: listen");
		exit(1);
	}
	return fd;
}

static void out_of_descriptors(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	printf("EMFILE %lld\n", (long long)ts.tv_sec * 1000000000LL + ts.tv_nsec);
	fflush(stdout);
}

static void forget(int fd, const char *how)
{
	char data[4096];

	if (!strcmp(how, "closed")) {
		while (read(fd, data, sizeof(data)) > 0)
			;
	} else if (!strcmp(how, "shared")) {
		if (!fork()) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			pause();
		}
		while (read(fd, data, sizeof(data)) > 0)
			;
	}
}

int main(int argc, char **argv)
{
	struct pollfd fds[2] = { { .fd = STDIN_FILENO, .events = POLLIN }, { .events = POLLIN } };
	int told = 0;

	if (argc < 3)
		return 2;
	if (argc > 3) {
		struct rlimit limit = { (rlim_t)atoi(argv[3]), (rlim_t)atoi(argv[3]) };

		setrlimit(RLIMIT_NOFILE, &limit);
	}
	fds[1].fd = listen_on((unsigned int)atoi(argv[1]));
	puts("ready");
	fflush(stdout);
	while (poll(fds, strcmp(argv[2], "accepted") ? 2 : 1, -1) >= 0 && !fds[0].revents) {
		int fd = accept(fds[1].fd, NULL, NULL);

		if (fd >= 0) {
			forget(fd, argv[2]);
		} else if (errno == EMFILE) {
			if (!told++)
				out_of_descriptors();
			usleep(100000);
		}
	}
	return 0;
}
