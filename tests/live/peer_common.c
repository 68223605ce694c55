// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the verbs share: time, errors, and the addresses of a run as sockets and segments need them.
 */
#include "peer_run.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

uint64_t run_now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000ull + (uint64_t)ts.tv_nsec;
}

void run_sleep_ns(uint64_t ns)
{
	struct timespec ts = { .tv_sec = (time_t)(ns / 1000000000),
			       .tv_nsec = (long)(ns % 1000000000) };

	while (nanosleep(&ts, &ts) && errno == EINTR)
		;
}

int run_fail(struct run *run, const char *fmt, ...)
{
	va_list ap;
	int used = 0;

	if (run->line)
		used = snprintf(run->error, sizeof(run->error), "line %d: ", run->line->number);
	va_start(ap, fmt);
	vsnprintf(run->error + used, sizeof(run->error) - (size_t)used, fmt, ap);
	va_end(ap);
	run->failed = true;
	return -1;
}

uint64_t run_within_ns(const struct line *line, uint64_t fallback)
{
	const char *text = line_option(line, "within");
	uint64_t ns;

	return text && !script_duration(text, &ns) ? ns : fallback;
}

int errno_parse(const char *name)
{
	static const struct {
		const char *name;
		int value;
	} names[] = {
		{ "ECONNREFUSED", ECONNREFUSED },
		{ "ECONNRESET", ECONNRESET },
		{ "ECONNABORTED", ECONNABORTED },
		{ "EADDRNOTAVAIL", EADDRNOTAVAIL },
		{ "EHOSTUNREACH", EHOSTUNREACH },
		{ "ETIMEDOUT", ETIMEDOUT },
		{ "EPIPE", EPIPE },
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (!strcmp(names[i].name, name))
			return names[i].value;
	}
	return -1;
}

struct side *run_side(struct run *run, const struct line *line)
{
	return strcmp(line->words[0], "srv") ? &run->app : &run->srv;
}

void run_set_addr(uint8_t *addr, int family, const char *v4, const char *v6)
{
	inet_pton(family, family == AF_INET ? v4 : v6, addr);
}

void run_endpoints(const struct run *run, const char *who, struct endpoints *ep)
{
	const struct scripted *peer = &run->peer;
	struct endpoints app = { .family = run->family == FAMILY_V6 ? AF_INET6 : AF_INET };

	if (run->c->loopback) {
		run_set_addr(app.src, app.family, "127.0.0.1", "::1");
		run_set_addr(app.dst, app.family, "127.0.0.1", "::1");
		app.sport = run->client_port;
		app.dport = run->listen_port;
	} else {
		memcpy(app.src, peer->ep.dst, sizeof(app.src));
		memcpy(app.dst, peer->ep.src, sizeof(app.dst));
		app.sport = peer->ep.dport;
		app.dport = peer->ep.sport;
	}
	*ep = app;
	if (!strcmp(who, "noport"))
		ep->sport = 0;
	if (!strcmp(who, "srv")) {
		memcpy(ep->src, app.dst, sizeof(app.dst));
		memcpy(ep->dst, app.src, sizeof(app.src));
		ep->sport = app.dport;
		ep->dport = app.sport;
	}
}

void run_sockaddr(const struct run *run, const uint8_t *addr, uint16_t port,
		  struct sockaddr_storage *ss, socklen_t *len)
{
	struct sockaddr_in *sin = (struct sockaddr_in *)ss;
	struct sockaddr_in6 *sin6 = (struct sockaddr_in6 *)ss;

	memset(ss, 0, sizeof(*ss));
	if (run->family == FAMILY_V4) {
		sin->sin_family = AF_INET;
		sin->sin_port = htons(port);
		memcpy(&sin->sin_addr, addr, 4);
		*len = sizeof(*sin);
		return;
	}
	sin6->sin6_family = AF_INET6;
	sin6->sin6_port = htons(port);
	*len = sizeof(*sin6);
	if (run->family == FAMILY_V6) {
		memcpy(&sin6->sin6_addr, addr, 16);
		return;
	}
	memset(sin6->sin6_addr.s6_addr + 10, 0xff, 2);
	memcpy(sin6->sin6_addr.s6_addr + 12, addr, 4);
}

verb_fn *verb_find(const struct verb *verbs, const char *name, int nr_args)
{
	for (; verbs->name; verbs++) {
		if (!strcmp(verbs->name, name))
			return nr_args >= verbs->min_words ? verbs->fn : NULL;
	}
	return NULL;
}
