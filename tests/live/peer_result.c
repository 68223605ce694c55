// SPDX-License-Identifier: GPL-2.0-only
/*
 * What one run prints: a JSON object with what must come out (from the case file), the 4-tuples
 * it is about, and what the witness saw. It judges nothing but its own steps; paths.py compares.
 */
#include "peer_run.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "witness.h"

static void write_string(const char *text)
{
	putchar('"');
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			putchar('\\');
		if ((unsigned char)*text >= ' ')
			putchar(*text);
	}
	putchar('"');
}

static void write_words(const struct line *line, int first)
{
	putchar('[');
	for (int i = first; line && i < line->nr_words; i++) {
		if (i > first)
			putchar(',');
		write_string(line->words[i]);
	}
	putchar(']');
}

static void write_endpoints(const struct endpoints *ep)
{
	char laddr[INET6_ADDRSTRLEN], raddr[INET6_ADDRSTRLEN];

	inet_ntop(ep->family, ep->src, laddr, sizeof(laddr));
	inet_ntop(ep->family, ep->dst, raddr, sizeof(raddr));
	printf("\"laddr\":\"%s\",\"lport\":%u,\"raddr\":\"%s\",\"rport\":%u,", laddr, ep->sport,
	       raddr, ep->dport);
}

static void write_expectation(const struct run *run, const struct expectation *e)
{
	struct endpoints ep;

	run_endpoints(run, e->who, &ep);
	printf("{\"who\":\"%s\",", e->who);
	write_endpoints(&ep);
	fputs("\"path\":", stdout);
	write_words(e->path, e->first_state);
	printf(",\"end\":\"%s\",\"times\":%d,\"check\":", e->end, e->times);
	write_words(e->check, 1);
	putchar('}');
}

static const char *family_name(int family)
{
	return family == FAMILY_V4 ? "ipv4" : family == FAMILY_V6 ? "ipv6" : "mapped";
}

void result_write(const struct run *run)
{
	printf("{\"case\":\"%s\",\"family\":\"%s\",\"netns\":%llu,\"left\":%s,\"error\":",
	       run->c->name, family_name(run->family), (unsigned long long)run->netns,
	       run->left ? "true" : "false");
	if (run->failed)
		write_string(run->error);
	else
		fputs("null", stdout);
	fputs(",\"conns\":[", stdout);
	for (size_t i = 0; i < run->c->nr_expects; i++) {
		if (i)
			putchar(',');
		write_expectation(run, &run->c->expects[i]);
	}
	fputs("],\"witness\":[", stdout);
	if (run->witness)
		witness_write(run->witness, stdout, ",");
	puts("]}");
}

/* Nominal length of the first path, so that long cases can be started first. */
static unsigned long long nominal_ms(const struct expectation *e)
{
	uint64_t total_ns = 0, ns;

	for (int i = e->first_state; i < e->path->nr_words; i++) {
		const char *sign = strpbrk(e->path->words[i], "=>");

		if (sign && !script_duration(sign + 1, &ns))
			total_ns += ns;
	}
	return (unsigned long long)(total_ns / 1000000);
}

void result_list(const struct script *script)
{
	for (size_t i = 0; i < script->nr_cases; i++) {
		const struct script_case *c = &script->cases[i];

		for (int family = FAMILY_V4; family <= FAMILY_MAPPED; family *= 2) {
			if (c->families & (unsigned int)family)
				printf("%s %s %llu\n", c->name, family_name(family),
				       nominal_ms(&c->expects[0]));
		}
	}
}
