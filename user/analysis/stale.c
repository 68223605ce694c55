// SPDX-License-Identifier: GPL-2.0-only
/*
 * Connections that are used after the server has closed them. A server closes what has been idle for its
 * keep-alive timeout; a client that keeps the connection in a pool sends its next request on it, and gets an
 * RST. By client and server:
 *
 *	CLIENT     SERVER                     CLOSED IDLE  USED AGAIN  IDLE FOR  FROM   TO
 *	curl/7     127.0.0.1:3000 (node/9)             40          12    5.00 s  5.0 s  5.1 s
 *
 * What proves it, at either end:
 *
 *	server	data came after close(), and was answered with an RST
 *	client	an RST came after the server's FIN, and after that FIN (or just before it came: the two
 *		crossed) the client had sent
 */
#include <string.h>

#include "analysis/words.h"

struct pair {
	/* by the end that saw it: both may be on this host */
	uint64_t closed[2], reused[2];
	double idle_ns;
	uint64_t shortest_ns, longest_ns, nr_idle;
	uint64_t last_second, seconds; /* in how many of them one was used again */
	struct fw_owner server, client;
};

enum end { AT_SERVER, AT_CLIENT };

#define CLOSED_MAX 4096 /* power of two */

/* A connection that was idle when the server closed it. */
struct closed {
	uint64_t cookie; /* 0: empty */
	uint64_t bytes_sent, idle_ns;
	bool crossed; /* the client sent just before the FIN came */
};

struct stale {
	struct fw_groups pairs; /* .raddr and .rport: the server, .laddr: the client */
	struct closed closed[CLOSED_MAX];
};

static int init(void *self, const struct fw_analysis_options *opt)
{
	(void)opt;
	return fw_groups_init(&((struct stale *)self)->pairs, sizeof(struct pair), FW_GROUPS_MAX);
}

static void fini(void *self)
{
	fw_groups_fini(&((struct stale *)self)->pairs);
}

/* ---- What is seen ------------------------------------------------------------------------ */

/* One slot a hash: the latest takes it. What that loses is not counted as used again. */
static struct closed *slot_of(struct stale *s, uint64_t cookie)
{
	return &s->closed[(cookie ^ cookie >> 12) & (CLOSED_MAX - 1)];
}

static struct pair *pair_of(struct stale *s, const struct fw_conn *c)
{
	bool server = c->role == FW_ROLE_PASSIVE;
	struct fw_group_key key = { .netns = c->netns, .family = c->family,
				    .rport = server ? c->lport : c->rport };
	struct pair *pair;

	memcpy(key.raddr, server ? c->laddr : c->raddr, sizeof(key.raddr));
	memcpy(key.laddr, server ? c->raddr : c->laddr, sizeof(key.laddr));
	pair = fw_groups_get(&s->pairs, &key);
	fw_owner_see(server ? &pair->server : &pair->client, c);
	return pair;
}

static void add_idle(struct pair *pair, uint64_t idle_ns)
{
	pair->idle_ns += (double)idle_ns;
	if (!pair->nr_idle++ || idle_ns < pair->shortest_ns)
		pair->shortest_ns = idle_ns;
	if (idle_ns > pair->longest_ns)
		pair->longest_ns = idle_ns;
}

static void server_closed(struct stale *s, const struct fw_conn *c, enum end end,
			  const struct closed *closed)
{
	struct pair *pair = pair_of(s, c);

	pair->closed[end]++;
	add_idle(pair, closed->idle_ns);
	*slot_of(s, c->cookie) = *closed;
}

/*
 * The server's FIN. Idle is what has received nothing, at the server, or neither sent nor received, at the
 * client. A last word of the server before its FIN (TLS: close_notify) is no exchange.
 */
static void fin_seen(struct stale *s, const struct fw_conn *c, const struct fw_rec_state *rec,
		     unsigned int hz)
{
	uint64_t sent_ago_ns = (uint64_t)rec->sent_ago_jiffies * FW_NS(1) / hz;
	uint64_t received_ago_ns = (uint64_t)rec->received_ago_jiffies * FW_NS(1) / hz;
	struct closed closed = {
		.cookie = c->cookie, .bytes_sent = rec->bytes_sent, .idle_ns = received_ago_ns,
	};

	if (c->role == FW_ROLE_ACTIVE && sent_ago_ns > received_ago_ns)
		closed.idle_ns = sent_ago_ns;
	if (closed.idle_ns < FW_STALE_IDLE_NS || !rec->bytes_sent || !rec->bytes_received)
		return;
	closed.crossed = sent_ago_ns < FW_STALE_RACE_NS;
	server_closed(s, c, c->role == FW_ROLE_ACTIVE ? AT_CLIENT : AT_SERVER, &closed);
}

static void used_again(struct stale *s, const struct fw_conn *c, enum end end, uint64_t ts_ns)
{
	uint64_t second = ts_ns / FW_NS(1);
	struct pair *pair = pair_of(s, c);

	pair->reused[end]++;
	pair->seconds += second != pair->last_second;
	pair->last_second = second;
	slot_of(s, c->cookie)->cookie = 0;
}

/* The client's end: an RST after the server's FIN. */
static void client_ended(struct stale *s, const struct fw_conn *c, const struct fw_rec_state *rec)
{
	const struct closed *closed = slot_of(s, c->cookie);

	if (closed->cookie != c->cookie || !rec->err)
		return;
	if (rec->bytes_sent > closed->bytes_sent || closed->crossed)
		used_again(s, c, AT_CLIENT, rec->head.ts_ns);
}

static void on_full(void *self, const struct fw_conn *c, const struct fw_rec_state *rec,
		    unsigned int hz)
{
	unsigned int from = rec->head.oldstate, to = rec->head.newstate;

	if (!hz || !c->cookie)
		return;
	if (from == FW_ESTABLISHED &&
	    ((c->role == FW_ROLE_PASSIVE && to == FW_FIN_WAIT_1) ||
	     (c->role == FW_ROLE_ACTIVE && to == FW_CLOSE_WAIT)))
		fin_seen(self, c, rec, hz);
	if (c->role == FW_ROLE_ACTIVE && to == FW_CLOSE &&
	    (from == FW_CLOSE_WAIT || from == FW_LAST_ACK))
		client_ended(self, c, rec);
}

/* The server's end: data came after close(). */
static void on_connection(void *self, const struct fw_conn *c)
{
	struct stale *s = self;
	unsigned int state = fw_conn_state(c);
	bool data = c->end == FW_END_FIN_WAIT_2_DATA ||
		    (c->end == FW_END_RESET_SENT && (state == FW_FIN_WAIT_1 || state == FW_FIN_WAIT_2));

	if (c->role == FW_ROLE_PASSIVE && data && c->cookie && slot_of(s, c->cookie)->cookie == c->cookie)
		used_again(s, c, AT_SERVER, c->end_ns);
}

/* ---- What is said ------------------------------------------------------------------------- */

static uint64_t most(const uint64_t by_end[2])
{
	return by_end[AT_SERVER] > by_end[AT_CLIENT] ? by_end[AT_SERVER] : by_end[AT_CLIENT];
}

static uint64_t reused_of(const void *value)
{
	return most(((const struct pair *)value)->reused);
}

static uint64_t closed_of(const void *value)
{
	return most(((const struct pair *)value)->closed);
}

static void add_pair(void *arg, struct fw_group *group)
{
	uint64_t *sums = arg;

	sums[0] += closed_of(group->value);
	sums[1] += reused_of(group->value);
}

static struct fw_cell mean_idle(const struct pair *pair)
{
	return pair->nr_idle ? fw_cell_duration((uint64_t)(pair->idle_ns / (double)pair->nr_idle)) :
			       fw_cell_unknown();
}

static void row(const struct fw_analysis_context *ctx, struct fw_report *r, struct fw_table *t,
		const struct fw_group *group)
{
	const struct pair *pair = (const void *)group->value;
	const struct fw_group_key *key = &group->key;
	const struct fw_cell cells[] = {
		fw_cell_endpoint(key->family, key->laddr, 0), fw_owner_cell(&pair->client),
		fw_cell_endpoint(key->family, key->raddr, key->rport), fw_owner_cell(&pair->server),
		fw_cell_count(closed_of(pair)), fw_cell_count(reused_of(pair)), mean_idle(pair),
		fw_cell_duration(pair->shortest_ns), fw_cell_duration(pair->longest_ns),
	};

	(void)ctx;
	fw_table_row(r, t, cells);
}

static const char *const columns[] = {
	"client", "client", "client_process", "process", "server", "server",
	"server_process", "process", "closed", "closed idle", "reused", "used again",
	"idle_mean", "idle for", "idle_shortest", "from", "idle_longest", "to", NULL,
};

static void say_title(struct fw_report *r, struct fw_finding *f, const struct fw_group *worst)
{
	const struct pair *pair = (const void *)worst->value;
	struct fw_words server =
		fw_words_endpoint(worst->key.family, worst->key.raddr, worst->key.rport);
	struct fw_words client = pair->client.pid ? fw_owner_words(&pair->client) :
		fw_words_endpoint(worst->key.family, worst->key.laddr, 0);
	struct fw_words name = fw_owner_words(&pair->server);

	fw_finding_say(r, &f->title,
		       "%s of %s that %s (%s) closed after %s idle were used again by %s, and reset",
		       fw_words_count(reused_of(pair)).text,
		       fw_words_plural(closed_of(pair), "connection").text,
		       pair->server.pid ? name.text : "the server", server.text,
		       fw_words_duration((uint64_t)(pair->idle_ns / (double)pair->nr_idle)).text,
		       client.text);
}

static void find_reuse(const struct stale *s, const struct fw_analysis_context *ctx, struct fw_report *r)
{
	const struct fw_group *worst;
	const struct pair *pair;
	struct fw_finding *f;

	if (!fw_groups_top(&s->pairs, reused_of, &worst, 1, NULL) ||
	    reused_of(worst->value) < FW_LIMIT_STALE)
		return;
	pair = (const void *)worst->value;
	/* All at one moment is a server that was stopped. */
	f = fw_finding_begin(r, "stale-connection-reuse",
			     pair->seconds > 1 ? FW_SEVERITY_WARNING : FW_SEVERITY_INFO,
			     FW_RANK_STALE, reused_of(pair));
	say_title(r, f, worst);
	fw_finding_evidence(r, f, "reused", "Used after the server's FIN", fw_cell_count(reused_of(pair)));
	fw_finding_evidence(r, f, "closed", "Closed by the server when idle",
			    fw_cell_count(closed_of(pair)));
	fw_finding_evidence(r, f, "idle_mean", "Idle for, mean", mean_idle(pair));
	fw_finding_evidence(r, f, "idle_shortest", "Shortest", fw_cell_duration(pair->shortest_ns));
	fw_finding_evidence(r, f, "idle_longest", "Longest", fw_cell_duration(pair->longest_ns));
	fw_table_groups(ctx, r, fw_finding_offenders(r, f, columns), &s->pairs, reused_of, row);
}

static void report(void *self, const struct fw_analysis_context *ctx, struct fw_report *r)
{
	struct fw_section *section = fw_report_section(r, "stale", "Idle connections that the server closed");
	struct stale *s = self;
	uint64_t sums[2] = { 0, 0 };

	fw_groups_each(&s->pairs, add_pair, sums);
	fw_section_fact(r, section, "closed", "Closed by the server when idle", fw_cell_count(sums[0]));
	fw_section_fact(r, section, "reused", "Used again after that, and reset", fw_cell_count(sums[1]));
	if (!s->pairs.nr)
		return;
	fw_table_groups(ctx, r, fw_section_table(r, section, "by_pair", "By client and server", columns),
			&s->pairs, closed_of, row);
	fw_note_unlisted(r, section, &s->pairs);
	find_reuse(s, ctx, r);
}

const struct fw_analysis fw_analysis_stale = {
	.name = "stale",
	.size = sizeof(struct stale),
	.init = init,
	.fini = fini,
	.on = { .full = on_full, .connection = on_connection },
	.report = report,
};
