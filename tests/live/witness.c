// SPDX-License-Identifier: GPL-2.0-only
/*
 * The witness thread: read the two files, turn each row into (4-tuple, state), extend or open a
 * span.
 *
 * The files stay open and are rewound, since opening them costs more than reading them. Reading
 * walks the namespace's whole connection hash: about 30 us for a namespace with a small hash of
 * its own, but over 1 ms for one that shares the host's. The pause is therefore never shorter
 * than the reading, and grows fivefold when nothing has changed for a second (a TIME_WAIT of 60 s
 * needs no 2 ms).
 */
#define _GNU_SOURCE 1 /* as -D_GNU_SOURCE would */
#include "witness.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#define QUIET_NS     1000000000ull /* without a change for this long: sample less often */
#define QUIET_FACTOR 5
#define GONE_SAMPLES 2 /* a row split over two reads can be skipped once, not twice */

enum { LISTEN_STATE = 10 };

struct witness {
	pthread_t thread;
	pthread_mutex_t lock;
	atomic_bool stop;
	bool running;
	int netns_fd;
	int fds[2];
	uint64_t interval_ns;
	uint64_t changed_ns;
	uint64_t previous_ns;
	uint64_t samples;
	struct witness_conn *conns;
	size_t nr_conns;
	size_t *live; /* indexes into conns, in the order of the files */
	size_t nr_live;
	size_t cursor; /* rows come in the same order every time: look here first */
	char *text;
	size_t text_size;
};

/* How far a state is into a connection's life. Going back means that a new life has begun. */
static unsigned int state_rank(unsigned int state)
{
	static const unsigned char ranks[] = {
		[1] = 3, [2] = 1, [3] = 2, [4] = 4,  [5] = 5,  [6] = 6,
		[7] = 7, [8] = 4, [9] = 5, [10] = 0, [11] = 5,
	};

	return state < ARRAY_SIZE(ranks) ? ranks[state] : 0;
}

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000ull + (uint64_t)ts.tv_nsec;
}

static void *grow(void *array, size_t nr, size_t size)
{
	void *p = array;

	/* Doubling at powers of two needs no separate capacity. */
	if ((nr & (nr - 1)) == 0)
		p = realloc(array, (nr ? nr * 2 : 1) * size);
	if (!p) {
		perror("witness");
		abort(); /* a test without a witness proves nothing */
	}
	return p;
}

static struct witness_span *last_span(const struct witness_conn *conn)
{
	return &conn->spans[conn->nr_spans - 1];
}

static void add_span(struct witness *w, struct witness_conn *conn, unsigned int state, uint64_t now)
{
	conn->spans = grow(conn->spans, conn->nr_spans, sizeof(*conn->spans));
	conn->spans[conn->nr_spans++] = (struct witness_span){
		.first_ns = now,
		.last_ns = now,
		.slack_ns = w->previous_ns ? now - w->previous_ns : 0,
		.state = (uint8_t)state,
	};
	w->changed_ns = now;
}

static void conn_open(struct witness *w, const struct witness_key *key, unsigned int state,
		      uint64_t now)
{
	w->conns = grow(w->conns, w->nr_conns, sizeof(*w->conns));
	w->conns[w->nr_conns] = (struct witness_conn){ .key = *key };
	add_span(w, &w->conns[w->nr_conns], state, now);
	w->live = grow(w->live, w->nr_live, sizeof(*w->live));
	w->live[w->nr_live++] = w->nr_conns++;
}

static void conn_gone(struct witness *w, struct witness_conn *conn, uint64_t gone_ns)
{
	if (!conn->gone_ns) {
		conn->gone_ns = gone_ns;
		conn->gone_slack_ns = gone_ns - last_span(conn)->last_ns;
	}
	w->changed_ns = gone_ns;
}

static struct witness_conn *find_live(struct witness *w, const struct witness_key *key, size_t *at)
{
	for (size_t i = 0; i < w->nr_live; i++) {
		size_t slot = (w->cursor + i) % w->nr_live;
		struct witness_conn *conn = &w->conns[w->live[slot]];

		if (memcmp(&conn->key, key, sizeof(*key)))
			continue;
		w->cursor = slot + 1;
		*at = slot;
		return conn;
	}
	return NULL;
}

static void observe(struct witness *w, const struct witness_key *key, unsigned int state,
		    uint64_t now)
{
	size_t slot;
	struct witness_conn *conn = find_live(w, key, &slot);

	if (!conn) {
		conn_open(w, key, state, now);
		return;
	}
	if (state_rank(state) < state_rank(last_span(conn)->state)) {
		conn_gone(w, conn, now);
		w->live[slot] = w->live[--w->nr_live];
		conn_open(w, key, state, now);
		return;
	}
	conn->missed = 0;
	conn->gone_ns = 0;
	if (last_span(conn)->state != state)
		add_span(w, conn, state, now);
	last_span(conn)->last_ns = now;
}

/*
 * The file hands out a page at a time; read it all before looking, so that one sample is one
 * moment.
 */
static ssize_t read_all(struct witness *w, int fd)
{
	size_t used = 0;
	ssize_t n;

	if (lseek(fd, 0, SEEK_SET) < 0)
		return -1;
	for (;;) {
		if (w->text_size - used < 8192) {
			char *text = realloc(w->text, w->text_size + 65536);

			if (!text)
				return -1;
			w->text = text;
			w->text_size += 65536;
		}
		n = read(fd, w->text + used, w->text_size - used - 1);
		if (n < 0)
			return -1;
		if (n == 0)
			break;
		used += (size_t)n;
	}
	w->text[used] = '\0';
	return (ssize_t)used;
}

static int sample_file(struct witness *w, int fd, bool v6, uint64_t now)
{
	char *line, *save = NULL;

	if (fd < 0)
		return 0;
	if (read_all(w, fd) < 0)
		return -1;
	for (line = strtok_r(w->text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		struct witness_key key;
		unsigned int state = witness_parse_row(line, v6, &key);

		if (state && state != LISTEN_STATE)
			observe(w, &key, state, now);
	}
	return 0;
}

static void sweep(struct witness *w, uint64_t now)
{
	for (size_t i = 0; i < w->nr_live;) {
		struct witness_conn *conn = &w->conns[w->live[i]];

		if (last_span(conn)->last_ns == now) {
			i++;
			continue;
		}
		conn_gone(w, conn, now);
		if (++conn->missed < GONE_SAMPLES)
			i++;
		else
			w->live[i] = w->live[--w->nr_live];
	}
}

static void sample(struct witness *w)
{
	uint64_t now;

	pthread_mutex_lock(&w->lock);
	now = now_ns();
	if (!sample_file(w, w->fds[0], false, now) && !sample_file(w, w->fds[1], true, now)) {
		sweep(w, now);
		w->samples++;
		w->previous_ns = now;
	}
	pthread_mutex_unlock(&w->lock);
}

/*
 * On a busy machine a sampler that waits its turn is blind for whole states. Without the right to
 * be served first it works all the same, and slack_ns tells.
 */
static void *witness_thread(void *arg)
{
	const struct sched_param first = { .sched_priority = 1 };
	struct witness *w = arg;

	pthread_setschedparam(pthread_self(), SCHED_FIFO, &first);
	while (!atomic_load(&w->stop)) {
		uint64_t begin = now_ns(), cost, pause;

		sample(w);
		cost = now_ns() - begin;
		pause = w->interval_ns > 2 * cost ? w->interval_ns - cost : cost;
		if (begin - w->changed_ns > QUIET_NS)
			pause *= QUIET_FACTOR;
		nanosleep(&(struct timespec){ .tv_sec = (time_t)(pause / 1000000000),
					      .tv_nsec = (long)(pause % 1000000000) },
			  NULL);
	}
	sample(w);
	return NULL;
}

/*
 * The files belong to the namespace of whoever opens them, so a thread of its own enters and
 * opens.
 */
static void *open_files(void *arg)
{
	struct witness *w = arg;

	if (w->netns_fd >= 0 && setns(w->netns_fd, CLONE_NEWNET)) {
		w->fds[0] = -errno;
		return NULL;
	}
	w->fds[0] = open("/proc/thread-self/net/tcp", O_RDONLY | O_CLOEXEC);
	if (w->fds[0] < 0)
		w->fds[0] = -errno;
	w->fds[1] = open("/proc/thread-self/net/tcp6", O_RDONLY | O_CLOEXEC); /* -1: no IPv6 */
	return NULL;
}

struct witness *witness_start(int netns_fd, uint64_t interval_ns)
{
	struct witness *w = calloc(1, sizeof(*w));
	int err;

	if (!w)
		return NULL;
	w->netns_fd = netns_fd;
	w->interval_ns = interval_ns ? interval_ns : WITNESS_INTERVAL_NS;
	w->fds[0] = w->fds[1] = -1;
	w->changed_ns = now_ns();
	pthread_mutex_init(&w->lock, NULL);
	err = pthread_create(&w->thread, NULL, open_files, w);
	if (!err)
		err = pthread_join(w->thread, NULL);
	if (!err && w->fds[0] < 0)
		err = -w->fds[0];
	if (!err) {
		/* Before the caller goes on, so that whatever comes later has a bounded beginning. */
		sample(w);
		err = pthread_create(&w->thread, NULL, witness_thread, w);
	}
	if (err) {
		witness_free(w);
		errno = err;
		return NULL;
	}
	w->running = true;
	return w;
}

void witness_stop(struct witness *w)
{
	if (w->running) {
		atomic_store(&w->stop, true);
		pthread_join(w->thread, NULL);
		w->running = false;
	}
	for (size_t i = 0; i < ARRAY_SIZE(w->fds); i++) {
		if (w->fds[i] >= 0)
			close(w->fds[i]);
		w->fds[i] = -1;
	}
}

void witness_free(struct witness *w)
{
	if (!w)
		return;
	witness_stop(w);
	for (size_t i = 0; i < w->nr_conns; i++)
		free(w->conns[i].spans);
	free(w->conns);
	free(w->live);
	free(w->text);
	pthread_mutex_destroy(&w->lock);
	free(w);
}

size_t witness_open_count(struct witness *w)
{
	size_t nr;

	pthread_mutex_lock(&w->lock);
	nr = w->nr_live;
	pthread_mutex_unlock(&w->lock);
	return nr;
}

uint64_t witness_samples(struct witness *w)
{
	uint64_t samples;

	pthread_mutex_lock(&w->lock);
	samples = w->samples;
	pthread_mutex_unlock(&w->lock);
	return samples;
}

size_t witness_write(const struct witness *w, FILE *out, const char *separator)
{
	for (size_t i = 0; i < w->nr_conns; i++) {
		if (i)
			fputs(separator, out);
		witness_write_conn(&w->conns[i], out);
	}
	return w->nr_conns;
}
