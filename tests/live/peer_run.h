/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One case being run: the namespace, the scripted end, the sockets of the kernel's end, the
 * witness. Verbs get this and their line; they return 0, or -1 after run_fail().
 */
#ifndef TESTS_LIVE_PEER_RUN_H
#define TESTS_LIVE_PEER_RUN_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

#include "peer_packet.h"
#include "peer_script.h"

struct witness;

#define STEP_TIMEOUT_NS 10000000000ull

/* One side made of ordinary sockets: "app", and on loopback also "srv". */
struct side {
	int fd;
	int listen_fd;
	pid_t holder; /* a child that shares fd, 0: none */
};

/* The scripted side: just enough memory to write the next segment. */
struct scripted {
	struct endpoints ep; /* src: ours, dst: the kernel's */
	uint32_t snd_nxt;
	uint32_t rcv_nxt;
	uint32_t last_seq;
	uint32_t tsrecent;
	uint8_t last_packet[PACKET_MAX]; /* as received, for ICMP to quote */
	size_t last_len;
};

struct run {
	const struct script_case *c;
	int family; /* FAMILY_V4, _V6 or _MAPPED */
	bool verbose;
	uint16_t listen_port; /* unique to this run, so that 4-tuples are */
	uint16_t peer_port;
	uint64_t start_ns;
	int outer_fd;
	int tun_fd;
	uint64_t netns;
	struct witness *witness;
	struct side app;
	struct side srv;
	struct scripted peer;
	uint16_t client_port; /* loopback: of app */
	const struct line *line;
	bool left; /* the namespace: the end cannot be witnessed */
	bool failed;
	char error[512];
};

typedef int verb_fn(struct run *run, const struct line *line);

struct verb {
	const char *name;
	int min_words; /* after actor and verb */
	verb_fn *fn;
};

/* "app", "srv" and "peer"; NULL if there is no such verb. */
verb_fn *app_verb(const char *name, int nr_args);
verb_fn *peer_verb(const char *name, int nr_args);
verb_fn *verb_find(const struct verb *verbs, const char *name, int nr_args);

/* Verbs of peer_app.c that are not static because others build on them, then of its neighbours. */
verb_fn app_bind, app_connect, app_connected;
verb_fn app_set, app_destroy;
verb_fn app_hold, app_kill, app_churn;

struct side *run_side(struct run *run, const struct line *line);
int side_socket(struct run *run, struct side *side);
int side_close(struct run *run, struct side *side);

/* The addresses and ports as `who` sees them (src: local). who: app, srv or noport. */
void run_endpoints(const struct run *run, const char *who, struct endpoints *ep);
void run_sockaddr(const struct run *run, const uint8_t *addr, uint16_t port,
		  struct sockaddr_storage *ss, socklen_t *len);

uint64_t run_now_ns(void);
void run_sleep_ns(uint64_t ns);
int run_fail(struct run *run, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The value of "within=DURATION", or fallback. */
uint64_t run_within_ns(const struct line *line, uint64_t fallback);

/* errno by name; -1 for a name that the scripts do not use. */
int errno_parse(const char *name);

/* All steps of the case; -1 at the first that fails. */
int run_steps(struct run *run);

/* Writes the one of the two that belongs to family, in network order. */
void run_set_addr(uint8_t *addr, int family, const char *v4, const char *v6);

void result_write(const struct run *run);
void result_list(const struct script *script);

#endif
