// SPDX-License-Identifier: GPL-2.0-only
/*
 * micro: what an event costs on the user side, stage by stage, without a kernel.
 *
 *	micro [-r ROUNDS] [-s STAGE] [-n TRACKED]
 *
 * A stream of records as the kernel side sends them for connections over loopback, both ends traced
 * (13 records a connection, the client's TIME_WAIT included). Batches are written untimed and then
 * worked through, so what is timed is decode, tracker and what hangs off it, over a table that holds
 * TRACKED connections in TIME_WAIT all the time. Prints ns per event: median, least, most.
 *
 * For perf and callgrind: one stage, one size.  perf record build/tests/micro -s timeline-json
 */
#include <arpa/inet.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "analysis/analysis.h"
#include "analysis/metrics.h"
#include "record/layout.h"
#include "report/render.h"
#include "report/stream.h"

#define BATCH_CONNECTIONS 4096
#define PER_ROUND 16 /* batches */
#define MAX_ROUNDS 99
#define HZ 250U
#define EXPIRED_IP 0x1000ULL

/* Each record begins at a multiple of this, as in the ring. */
#define SLOT sizeof(union fw_image)
/* As far as the ring shows records ahead. */
#define AHEAD 7

enum { RECORDS_PER_CONNECTION = 13 };

struct stream {
	uint64_t now_ns, first_cookie, next, window;
	size_t nr; /* records of the batch */
	char data[BATCH_CONNECTIONS * RECORDS_PER_CONNECTION * SLOT] __attribute__((aligned(8)));
};

struct stage {
	const char *name;
	const struct fw_stream_format *format; /* NULL: none */
	bool track, transitions, analyse, metrics;
};

static const struct stage stages[] = {
	{ .name = "decode" },
	{ .name = "track", .track = true },
	{ .name = "trace-text", .track = true, .transitions = true, .format = &fw_stream_text },
	{ .name = "trace-json", .track = true, .transitions = true, .format = &fw_stream_json },
	{ .name = "timeline-text", .track = true, .format = &fw_stream_text },
	{ .name = "timeline-json", .track = true, .format = &fw_stream_json },
	{ .name = "report", .track = true, .analyse = true },
	{ .name = "metrics", .track = true, .metrics = true },
};

/* ---- The stream -------------------------------------------------------------------------- */

static void *slot(struct stream *s, struct fw_rec_head head)
{
	struct fw_rec_head *rec = (void *)(s->data + s->nr++ * SLOT);

	memset(rec, 0, SLOT);
	s->now_ns += 2000;
	head.ts_ns = s->now_ns;
	*rec = head;
	return rec;
}

/* The end of connection @n that connects (@client) or accepts. */
static struct fw_rec_head head_of(const struct stream *s, uint64_t n, bool client)
{
	uint32_t ip = htonl(INADDR_LOOPBACK);
	struct fw_rec_head head = {
		.cookie = s->first_cookie + 2 * n + !client,
		.skaddr = 0xffff888000000000ULL + (2 * n + !client) * 2304,
		.netns = 4026531840U,
		.family = AF_INET,
		.lport = client ? (uint16_t)(32768 + n % 28232) : 8080,
		.rport = client ? 8080 : (uint16_t)(32768 + n % 28232),
	};

	/* As many addresses as it takes for the 4-tuples not to repeat in the table. */
	memcpy(head.laddr, &ip, sizeof(ip));
	ip = htonl(INADDR_LOOPBACK + (uint32_t)(n / 28232 % 4096));
	memcpy(head.raddr, &ip, sizeof(ip));
	return head;
}

static void transition(struct stream *s, struct fw_rec_head head, unsigned int from,
		       unsigned int to, uint32_t segs_in)
{
	struct fw_rec_state *rec;

	head.kind = FW_REC_STATE;
	head.oldstate = (uint8_t)from;
	head.newstate = (uint8_t)to;
	head.flags = FW_REC_HAS_FILE;
	if (to == FW_FIN_WAIT_1 || to == FW_SYN_SENT || to == FW_LAST_ACK)
		head.flags |= FW_REC_OWNER;
	if (to == FW_CLOSE)
		head.flags |= FW_REC_FIN_RECEIVED | FW_REC_FIN_ACKED;
	rec = slot(s, head);
	rec->segs_in = segs_in;
	if (!(head.flags & FW_REC_OWNER))
		return;
	rec->pid = 4242;
	rec->cgroup_id = 77;
	memcpy(rec->comm, "server", 7);
}

static void minisock(struct stream *s, struct fw_rec_head head, enum fw_record_kind kind,
		     unsigned int state, bool expired)
{
	struct fw_rec_mini *rec;

	head.skaddr += 0x400;
	head.kind = (uint8_t)kind;
	head.oldstate = head.newstate = (uint8_t)state;
	if (state == FW_SYN_RECV)
		head.cookie = 0;
	rec = slot(s, head);
	rec->now_jiffies = 4294892296ULL + s->now_ns / (1000000000 / HZ);
	rec->expires_jiffies = rec->now_jiffies + 60 * HZ;
	if (!expired)
		return;
	rec->nr_ips = 3;
	rec->ips[2] = EXPIRED_IP;
}

static void connection(struct stream *s, uint64_t n)
{
	struct fw_rec_head client = head_of(s, n, true), server = head_of(s, n, false), child = server;

	child.cookie = 0;
	transition(s, client, FW_CLOSE, FW_SYN_SENT, 0);
	minisock(s, server, FW_REC_REQ_SCHED, FW_SYN_RECV, false);
	transition(s, client, FW_SYN_SENT, FW_ESTABLISHED, 1);
	transition(s, child, FW_LISTEN, FW_SYN_RECV, 1);
	transition(s, server, FW_SYN_RECV, FW_ESTABLISHED, 2);
	transition(s, client, FW_ESTABLISHED, FW_FIN_WAIT_1, 1);
	transition(s, server, FW_ESTABLISHED, FW_CLOSE_WAIT, 3);
	transition(s, client, FW_FIN_WAIT_1, FW_FIN_WAIT_2, 2);
	transition(s, server, FW_CLOSE_WAIT, FW_LAST_ACK, 3);
	minisock(s, client, FW_REC_TW_SCHED, FW_TIME_WAIT, false);
	transition(s, client, FW_FIN_WAIT_2, FW_CLOSE, 3);
	transition(s, server, FW_LAST_ACK, FW_CLOSE, 4);
}

/* New connections, and the end of as many that are @window older. */
static void fill(struct stream *s)
{
	s->nr = 0;
	for (unsigned int i = 0; i < BATCH_CONNECTIONS; i++, s->next++) {
		connection(s, s->next);
		if (s->next >= s->window)
			minisock(s, head_of(s, s->next - s->window, true), FW_REC_TW_END,
				 FW_TIME_WAIT, true);
	}
}

/* ---- What is timed ----------------------------------------------------------------------- */

struct bench {
	const struct stage *stage;
	struct fw_tracker tracker;
	struct fw_analyses analyses;
	struct fw_metrics metrics;
	struct fw_stream out;
	struct fw_buf buf;
	struct fw_wall_clock wall;
	uint64_t told, sink;
};

static const struct fw_symbols symbols = {
	.sym = { { EXPIRED_IP, EXPIRED_IP + 16, FW_FRAME_RUN_TIMERS } }, .nr = 1,
};

/* As the output does: written, then filled anew. */
static void flush(struct bench *b)
{
	b->told++;
	if (b->buf.len > 64 * 1024)
		fw_buf_clear(&b->buf);
}

static void on_transition(void *arg, const struct fw_conn *c, const struct fw_transition *tr)
{
	struct bench *b = arg;

	b->stage->format->transition(&b->out, c, tr);
	flush(b);
}

static void on_connection(void *arg, const struct fw_conn *c)
{
	struct bench *b = arg;

	b->stage->format->connection(&b->out, c);
	flush(b);
}

static void bench_init(struct bench *b, const struct stage *stage, const struct stream *s)
{
	const struct fw_analysis_options opt = { .top = 10, .stall_ns = 1000000000 };
	struct fw_observer observer = { .arg = b };

	*b = (struct bench){ .stage = stage };
	fw_wall_clock_init(&b->wall, 1700000000000000000LL);
	b->out = (struct fw_stream){ .format = stage->format, .out = &b->buf, .wall = &b->wall,
				     .transitions = stage->transitions };
	if (stage->format && stage->transitions)
		observer.transition = on_transition;
	else if (stage->format)
		observer.connection = on_connection;
	if (stage->analyse) {
		if (fw_analyses_init(&b->analyses, &opt))
			exit(1);
		observer = fw_analyses_observer(&b->analyses);
	}
	if (stage->metrics) {
		fw_metrics_init(&b->metrics, opt.stall_ns);
		observer = fw_metrics_observer(&b->metrics);
	}
	if (fw_tracker_init(&b->tracker, 1 << 22, HZ, s->now_ns, &observer))
		exit(1);
}

static void bench_fini(struct bench *b)
{
	fw_tracker_fini(&b->tracker);
	if (b->stage->analyse)
		fw_analyses_fini(&b->analyses);
	fw_buf_free(&b->out.scratch);
	fw_buf_free(&b->buf);
}

static uint64_t clock_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

static uint64_t work(struct bench *b, const struct stream *s)
{
	uint64_t begin = clock_ns();

	for (size_t i = 0; i < s->nr; i++) {
		struct fw_event ev;

		if (b->stage->track && i + AHEAD < s->nr)
			fw_tracker_ahead(&b->tracker, (const void *)(s->data + (i + AHEAD) * SLOT));
		if (fw_decode(s->data + i * SLOT, SLOT, &symbols, &ev))
			exit(1);
		if (b->stage->track)
			fw_tracker_apply(&b->tracker, &ev);
		else
			b->sink += ev.head->cookie + (uint64_t)ev.cause;
	}
	return clock_ns() - begin;
}

/* What a table of this size takes, and how long a report over it. */
static void say_scale(struct bench *b, const struct stream *s)
{
	const struct fw_conn_table *table = &b->tracker.table;
	const struct fw_analysis_context ctx = {
		.start_ns = 1000000000000ULL, .now_ns = s->now_ns, .tracker = &b->tracker,
		.hooks = "trampoline",
	};
	struct fw_report r = { 0 };
	uint64_t begin = clock_ns();

	fw_analyses_report(&b->analyses, &ctx, &r);
	fw_report_json(&r, &b->buf);
	printf("%-14s %9zu tracked  %6.1f ms a report, %zu bytes a connection\n", "", table->nr,
	       (double)(clock_ns() - begin) / 1e6, fw_conn_table_bytes(table) / table->nr);
	fw_report_fini(&r);
}

/* How long a scrape of it takes, and what a survey takes from the event loop at a time. */
static void say_scrape(struct bench *b, const struct stream *s)
{
	const struct fw_survey_options opt = { .leak_age_ns = 30000000000ULL,
					       .stall_ns = 1000000000 };
	struct fw_survey survey;
	struct fw_om om = { .out = &b->buf };
	const struct fw_metrics_context ctx = { .version = "", .hooks = "", .tracker = &b->tracker,
						.survey = &survey.last };
	uint64_t begin, now_ns = s->now_ns, took, longest = 0, all = 0;

	if (fw_survey_init(&survey, &opt))
		exit(1);
	do {
		begin = clock_ns();
		fw_survey_step(&survey, &b->tracker, now_ns += 20000000, NULL, 0);
		took = clock_ns() - begin;
		longest = took > longest ? took : longest;
		all += took;
	} while (survey.place);
	fw_buf_clear(&b->buf);
	begin = clock_ns();
	fw_metrics_show(&b->metrics, &ctx, &om);
	took = clock_ns() - begin;
	printf("%-14s %9zu tracked  %6.2f ms a scrape; a survey %.0f ms, in slices of %.2f ms at "
	       "most\n", "", b->tracker.table.nr, (double)took / 1e6, (double)all / 1e6,
	       (double)longest / 1e6);
	fw_survey_fini(&survey);
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static void measure(struct stream *s, const struct stage *stage, uint64_t tracked,
		    unsigned int rounds)
{
	struct bench b;
	double ns[MAX_ROUNDS];

	*s = (struct stream){ .now_ns = 1000000000000ULL, .first_cookie = 1, .window = tracked };
	bench_init(&b, stage, s);
	while (s->next < tracked) {
		fill(s);
		work(&b, s);
	}
	for (unsigned int r = 0; r < rounds; r++) {
		uint64_t time = 0, events = 0;

		for (unsigned int i = 0; i < PER_ROUND; i++) {
			fill(s);
			time += work(&b, s);
			events += s->nr;
		}
		ns[r] = (double)time / (double)events;
	}
	qsort(ns, rounds, sizeof(*ns), by_value);
	printf("%-14s %9llu tracked  %6.1f ns per event (%.1f to %.1f)\n", stage->name,
	       (unsigned long long)tracked, ns[rounds / 2], ns[0], ns[rounds - 1]);
	if (stage->track && (b.tracker.counters.gaps || b.tracker.counters.unmatched ||
			     b.tracker.counters.evicted || b.tracker.counters.illegal)) {
		fprintf(stderr, "micro: the stream does not fit the state machine\n");
		exit(1);
	}
	if (stage->analyse)
		say_scale(&b, s);
	if (stage->metrics)
		say_scrape(&b, s);
	fflush(stdout);
	bench_fini(&b);
}

int main(int argc, char **argv)
{
	static struct stream stream;
	static const uint64_t sizes[] = { 1000, 10000, 100000, 1000000 };
	const char *only = NULL;
	uint64_t tracked = 0;
	unsigned int rounds = 5;
	int c;

	while ((c = getopt(argc, argv, "r:s:n:")) != -1) {
		if (c == 'r')
			rounds = (unsigned int)atoi(optarg);
		else if (c == 's')
			only = optarg;
		else if (c == 'n')
			tracked = strtoull(optarg, NULL, 10);
		else
			return 2;
	}
	if (!rounds || rounds > MAX_ROUNDS)
		return 2;
	for (size_t i = 0; i < sizeof(stages) / sizeof(stages[0]); i++) {
		for (size_t j = 0; j < sizeof(sizes) / sizeof(sizes[0]); j++) {
			if ((!only || !strcmp(only, stages[i].name)) && (!tracked || !j))
				measure(&stream, &stages[i], tracked ? tracked : sizes[j], rounds);
		}
	}
	return 0;
}
