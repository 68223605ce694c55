// SPDX-License-Identifier: GPL-2.0-only
/*
 * peer: run one case of a case file in a network namespace of its own.
 *
 *	peer --list FILE
 *	peer [--verbose] [--number N] --family ipv4|ipv6|mapped FILE CASE
 *
 * The real kernel plays one side through ordinary sockets, this program the other by raw segments
 * (or by sockets too, on loopback). A witness thread watches. The run ends when the kernel has
 * forgotten the connection, TIME_WAIT included; then one JSON object is printed. N makes the
 * ports unique, so that runs side by side or one after the other never share a 4-tuple, even if a
 * namespace's inode number is used again. Exit status: 0, 1 if a step went wrong, 2 usage.
 */
#include "peer_run.h"

#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "peer_net.h"
#include "witness.h"

#define LISTEN_PORT 8000
#define PEER_PORT   40000
#define FIRST_SEQ   1000000
#define LAST_NS	    150000000000ull /* two TIME_WAITs and a bit: then it is not going to end */

/* The witness must have looked after the last step before its "nothing there" means anything. */
static int wait_until_gone(struct run *run)
{
	uint64_t deadline = run_now_ns() + LAST_NS;
	uint64_t samples = witness_samples(run->witness);

	if (run->left)
		return 0;
	while (witness_samples(run->witness) < samples + 3 || witness_open_count(run->witness)) {
		if (run_now_ns() > deadline)
			return run_fail(run, "the connection does not end");
		run_sleep_ns(20000000);
	}
	return 0;
}

static int run_setup(struct run *run)
{
	struct scripted *peer = &run->peer;
	int family = run->family == FAMILY_V6 ? AF_INET6 : AF_INET;

	if (net_namespace_enter(&run->outer_fd, &run->netns, run->error, sizeof(run->error)) ||
	    net_loopback_up(run->error, sizeof(run->error)) ||
	    (!run->c->loopback &&
	     net_tun_open(&run->tun_fd, family == AF_INET6, run->error, sizeof(run->error)))) {
		run->failed = true;
		return -1;
	}
	peer->ep.family = family;
	run_set_addr(peer->ep.src, family, NET_PEER_V4, NET_PEER_V6);
	run_set_addr(peer->ep.dst, family, NET_KERNEL_V4, NET_KERNEL_V6);
	peer->snd_nxt = FIRST_SEQ;
	run->witness = witness_start(-1, 0);
	return run->witness ? 0 : run_fail(run, "no witness: %s", strerror(errno));
}

static bool case_is_passive(const struct script_case *c)
{
	for (size_t i = 0; i < c->nr_lines; i++) {
		if (c->lines[i].nr_words > 1 && !strcmp(c->lines[i].words[1], "listen"))
			return true;
	}
	return false;
}

static void run_case(struct run *run, unsigned int number)
{
	const struct sched_param first = { .sched_priority = 1 };
	bool passive = case_is_passive(run->c);

	run->listen_port = (uint16_t)(LISTEN_PORT + number);
	run->peer_port = (uint16_t)(PEER_PORT + number);
	run->peer.ep.sport = passive ? run->peer_port : run->listen_port;
	run->peer.ep.dport = passive ? run->listen_port : 0;
	run->start_ns = run_now_ns();
	if (run_setup(run))
		return;
	/* Hardly any work, but on time even if the machine is busy. Without the right, less so. */
	sched_setscheduler(0, SCHED_FIFO, &first);
	if (!run_steps(run))
		wait_until_gone(run);
	witness_stop(run->witness);
}

static int parse_family(const char *name)
{
	if (!strcmp(name, "ipv4"))
		return FAMILY_V4;
	if (!strcmp(name, "ipv6"))
		return FAMILY_V6;
	return strcmp(name, "mapped") ? -1 : FAMILY_MAPPED;
}

static int usage(void)
{
	fputs("usage: peer --list FILE\n"
	      "       peer [--verbose] [--number N] --family ipv4|ipv6|mapped FILE CASE\n",
	      stderr);
	return 2;
}

struct options {
	unsigned int number;
	int family;
	bool verbose;
	bool list;
};

static int parse_options(int argc, char **argv, struct options *opts)
{
	static const struct option longopts[] = {
		{ "list", no_argument, NULL, 'l' },
		{ "verbose", no_argument, NULL, 'v' },
		{ "number", required_argument, NULL, 'n' },
		{ "family", required_argument, NULL, 'f' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "lvn:f:", longopts, NULL)) != -1) {
		if (c == 'l')
			opts->list = true;
		else if (c == 'v')
			opts->verbose = true;
		else if (c == 'n')
			opts->number = (unsigned int)atoi(optarg);
		else if (c == 'f')
			opts->family = parse_family(optarg);
		else
			return -1;
	}
	if (opts->list)
		return argc - optind == 1 ? 0 : -1;
	return opts->number <= 9999 && opts->family > 0 && argc - optind == 2 ? 0 : -1;
}

static int run_named(const struct script *script, const char *name, const struct options *opts)
{
	struct run run = {
		.c = script_find(script, name),
		.family = opts->family,
		.verbose = opts->verbose,
		.tun_fd = -1,
		.outer_fd = -1,
		.app = { .fd = -1, .listen_fd = -1 },
		.srv = { .fd = -1, .listen_fd = -1 },
	};

	if (!run.c) {
		fprintf(stderr, "peer: no case %s\n", name);
		return 2;
	}
	run_case(&run, opts->number);
	result_write(&run);
	witness_free(run.witness);
	return run.failed;
}

int main(int argc, char **argv)
{
	struct options opts = { 0 };
	struct script script;
	char err[256];
	int ret = 0;

	if (parse_options(argc, argv, &opts))
		return usage();
	if (script_load(&script, argv[optind], err, sizeof(err))) {
		fprintf(stderr, "peer: %s\n", err);
		return 2;
	}
	if (opts.list)
		result_list(&script);
	else
		ret = run_named(&script, argv[optind + 1], &opts);
	script_free(&script);
	return ret;
}
