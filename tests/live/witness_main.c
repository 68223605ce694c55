// SPDX-License-Identifier: GPL-2.0-only
/*
 * witness: watch the TCP states of a network namespace from outside and print what was seen.
 *
 *	witness [--netns PATH] [--interval-ms N] [--seconds N]
 *
 * Ends on SIGTERM, SIGINT or after N seconds, then prints one JSON object per life of a 4-tuple:
 *
 *	{"laddr":"127.0.0.1","lport":35510,"raddr":"127.0.0.1","rport":8899,"family":"ipv4","states":[
 *	 {"state":"ESTABLISHED","ns":370000000,"first_ns":...,"last_ns":...,"slack_ns":4100000},...]}
 *
 * ns is the dwell, within slack_ns of the truth; "open":true means that it was there at the end.
 */
#include "witness.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct options {
	const char *netns;
	uint64_t interval_ms;
	uint64_t seconds;
};

static int usage(void)
{
	fputs("usage: witness [--netns PATH] [--interval-ms N] [--seconds N]\n", stderr);
	return 2;
}

static int parse_number(const char *text, uint64_t *value)
{
	char *end;

	errno = 0;
	*value = strtoul(text, &end, 10);
	return errno || *end || end == text || *value == 0 || *value > 1000000 ? -1 : 0;
}

static int parse_options(int argc, char **argv, struct options *opts)
{
	static const struct option longopts[] = {
		{ "netns", required_argument, NULL, 'n' },
		{ "interval-ms", required_argument, NULL, 'i' },
		{ "seconds", required_argument, NULL, 's' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "n:i:s:", longopts, NULL)) != -1) {
		if (c == 'n')
			opts->netns = optarg;
		else if (c == 'i' && !parse_number(optarg, &opts->interval_ms))
			continue;
		else if (c == 's' && !parse_number(optarg, &opts->seconds))
			continue;
		else
			return -1;
	}
	return optind == argc ? 0 : -1;
}

static void wait_for_end(const sigset_t *signals, uint64_t seconds)
{
	struct timespec timeout = { .tv_sec = (time_t)seconds };

	if (seconds)
		sigtimedwait(signals, NULL, &timeout);
	else
		sigwaitinfo(signals, NULL);
}

int main(int argc, char **argv)
{
	struct options opts = { 0 };
	struct witness *w;
	sigset_t signals;
	int fd = -1;

	if (parse_options(argc, argv, &opts))
		return usage();
	/* Blocked before the thread exists, so that only the wait below receives them. */
	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	sigprocmask(SIG_BLOCK, &signals, NULL);

	if (opts.netns) {
		fd = open(opts.netns, O_RDONLY | O_CLOEXEC);
		if (fd < 0) {
			fprintf(stderr, "witness: %s: %s\n", opts.netns, strerror(errno));
			return 1;
		}
	}
	w = witness_start(fd, opts.interval_ms * 1000000);
	if (!w) {
		fprintf(stderr, "witness: cannot sample /proc/net/tcp: %s\n", strerror(errno));
		return 1;
	}
	wait_for_end(&signals, opts.seconds);
	witness_stop(w);
	if (witness_write(w, stdout, "\n"))
		putchar('\n');
	witness_free(w);
	return fflush(stdout) ? 1 : 0;
}
