// SPDX-License-Identifier: GPL-2.0-only
/*
 * Orphans: full sockets that their application has closed, and whose data or FIN the peer has not acknowledged
 * yet (FIN_WAIT_1, CLOSING, LAST_ACK). Each keeps its send queue in memory. A peer that does not read any more
 * keeps its window shut, and then they last for minutes (tcp_orphan_retries).
 *
 *	PEER         ORPHANS  MEMORY    WINDOW SHUT  MEMORY OF THESE  OLDEST
 *	192.0.2.7         40  98.1 MiB           40         98.1 MiB  12.1 s
 *
 * As of the latest snapshot. Beyond tcp_max_orphans, or out of TCP memory, the kernel resets them.
 */
#include "analysis/words.h"

struct orphans {
	uint64_t nr, bytes;
	uint64_t shut, shut_bytes; /* the peer's window is shut */
	uint64_t oldest_ns;
	bool at_least;
};

struct memory {
	struct orphans all; /* of all peers */
	struct fw_groups peers;
	uint64_t looks;
	uint64_t refused; /* reset because there were too many, or no memory */
};

static int init(void *self, const struct fw_analysis_options *opt)
{
	(void)opt;
	return fw_groups_init(&((struct memory *)self)->peers, sizeof(struct orphans), FW_GROUPS_MAX);
}

static void fini(void *self)
{
	fw_groups_fini(&((struct memory *)self)->peers);
}

static void on_snapshot_begin(void *self, uint64_t ts_ns)
{
	struct memory *m = self;

	(void)ts_ns;
	m->looks++;
	m->all = (struct orphans){ 0 };
	fw_groups_clear(&m->peers);
}

static void add(struct orphans *o, const struct fw_conn *c, const struct fw_rec_sock *sock)
{
	uint64_t since_ns = c->enter_ns[c->nr_steps - 1];
	uint64_t age_ns = sock->head.ts_ns > since_ns ? sock->head.ts_ns - since_ns : 0;

	o->nr++;
	o->bytes += sock->queued_bytes;
	if (sock->head.flags & FW_REC_WINDOW_SHUT) {
		o->shut++;
		o->shut_bytes += sock->queued_bytes;
	}
	if (age_ns < o->oldest_ns)
		return;
	o->oldest_ns = age_ns;
	o->at_least = c->step_flags[c->nr_steps - 1] & FW_STEP_AT_LEAST;
}

static void on_socket(void *self, const struct fw_conn *c, const struct fw_rec_sock *sock)
{
	struct memory *m = self;
	struct fw_group_key key;

	if (!c || sock->object != FW_OBJECT_FULL || !(sock->head.flags & FW_REC_ORPHAN) ||
	    sock->head.newstate == FW_FIN_WAIT_2)
		return;
	key = fw_group_key_of(c, FW_BY_NETNS | FW_BY_RADDR | FW_BY_SERVICE);
	key.extra = fw_group_role(c);
	add(&m->all, c, sock);
	add(fw_groups_get(&m->peers, &key), c, sock);
}

static void on_connection(void *self, const struct fw_conn *c)
{
	struct memory *m = self;

	m->refused += c->end == FW_END_ORPHAN_LIMIT;
}

static uint64_t bytes_of(const void *value)
{
	const struct orphans *o = value;

	return o->bytes + !!o->nr;
}

static uint64_t shut_bytes_of(const void *value)
{
	return ((const struct orphans *)value)->shut_bytes;
}

static struct fw_cell oldest(const struct orphans *o)
{
	struct fw_cell cell = fw_cell_duration(o->oldest_ns);

	return o->at_least ? fw_cell_at_least(cell) : cell;
}

static void row(const struct fw_analysis_context *ctx, struct fw_report *r, struct fw_table *t,
		const struct fw_group *group)
{
	const struct orphans *o = (const void *)group->value;
	const struct fw_group_key *key = &group->key;
	const struct fw_cell cells[] = {
		fw_cell_endpoint(key->family, key->raddr,
				 key->extra == FW_ROLE_ACTIVE ? key->lport : 0),
		key->extra == FW_ROLE_ACTIVE ? fw_cell_unknown() : fw_cell_id(key->lport),
		key->extra == FW_ROLE_ACTIVE ? fw_cell_unknown() : fw_cell_server(ctx, key, NULL),
		fw_cell_count(o->nr), fw_cell_bytes(o->bytes), fw_cell_count(o->shut),
		fw_cell_bytes(o->shut_bytes), oldest(o),
	};

	fw_table_row(r, t, cells);
}

static const char *const columns[] = {
	"peer", "peer", "listen_port", "our port", "process", "server", "orphans", "orphans",
	"queued", "memory", "window_shut", "window shut", "shut_queued", "memory of these",
	"oldest", "oldest", NULL,
};

/* Of the host: the kernel's limit is not per namespace. 0: unknown. */
static int64_t limit_of(const struct fw_analysis_context *ctx, int64_t *now)
{
	const struct fw_netns_values *own = ctx->nr_values ? ctx->values : NULL;

	*now = own ? own->counters.orphans_now : FW_VALUE_UNKNOWN;
	return own && own->sysctls.tcp_max_orphans > 0 ? own->sysctls.tcp_max_orphans : 0;
}

static void say_title(struct fw_report *r, struct fw_finding *f, const struct memory *m)
{
	const struct fw_group *worst;
	const struct orphans *o;

	if (!fw_groups_top(&m->peers, shut_bytes_of, &worst, 1, NULL)) {
		fw_finding_say(r, &f->title, "%s without a process hold %.1f MiB",
			       fw_words_plural(m->all.nr, "connection").text,
			       (double)m->all.bytes / (1 << 20));
		return;
	}
	o = (const void *)worst->value;
	fw_finding_say(r, &f->title, "%s does not read: %s that were closed here hold %.1f MiB for it",
		       fw_words_endpoint(worst->key.family, worst->key.raddr,
					 worst->key.extra == FW_ROLE_ACTIVE ? worst->key.lport : 0).text,
		       fw_words_plural(o->shut, "connection").text,
		       (double)o->shut_bytes / (1 << 20));
}

static void find_memory(struct memory *m, const struct fw_analysis_context *ctx, struct fw_report *r)
{
	int64_t now, limit = limit_of(ctx, &now);
	bool near = limit && now * 100 >= limit * FW_LIMIT_ORPHANS_PCT;
	struct fw_finding *f;

	if (!m->refused && !near && m->all.shut_bytes < FW_LIMIT_ORPHANS_BYTES)
		return;
	f = fw_finding_begin(r, "orphans-hold-memory",
			     m->refused ? FW_SEVERITY_CRITICAL : FW_SEVERITY_WARNING,
			     FW_RANK_ORPHANS, m->all.bytes >> 20);
	say_title(r, f, m);
	fw_finding_evidence(r, f, "orphans", "Orphans", fw_cell_count(m->all.nr));
	fw_finding_evidence(r, f, "queued", "Memory that they hold", fw_cell_bytes(m->all.bytes));
	fw_finding_evidence(r, f, "window_shut", "Of them with the peer's window shut",
			    fw_cell_count(m->all.shut));
	fw_finding_evidence(r, f, "oldest", "Oldest", oldest(&m->all));
	fw_finding_evidence(r, f, "reset", "Reset: too many, or no memory", fw_cell_count(m->refused));
	if (now >= 0)
		fw_finding_evidence(r, f, "orphans_host", "Orphans on this host",
				    fw_cell_count((uint64_t)now));
	if (limit)
		fw_finding_evidence(r, f, "tcp_max_orphans", "tcp_max_orphans",
				    fw_cell_count((uint64_t)limit));
	fw_table_groups(ctx, r, fw_finding_offenders(r, f, columns), &m->peers, bytes_of, row);
}

static void report(void *self, const struct fw_analysis_context *ctx, struct fw_report *r)
{
	struct memory *m = self;
	struct fw_section *s = fw_report_section(r, "orphans", "Orphans: closed, not acknowledged");

	fw_section_fact(r, s, "orphans", "Now", m->looks ? fw_cell_count(m->all.nr) : fw_cell_unknown());
	fw_section_fact(r, s, "queued", "Memory that they hold",
			m->looks ? fw_cell_bytes(m->all.bytes) : fw_cell_unknown());
	fw_section_fact(r, s, "reset", "Reset: too many, or no memory", fw_cell_count(m->refused));
	if (m->all.nr) {
		fw_table_groups(ctx, r, fw_section_table(r, s, "by_peer", "By peer", columns),
				&m->peers, bytes_of, row);
		fw_note_unlisted(r, s, &m->peers);
	}
	find_memory(m, ctx, r);
}

const struct fw_analysis fw_analysis_orphans = {
	.name = "orphans",
	.size = sizeof(struct memory),
	.init = init,
	.fini = fini,
	.on = { .connection = on_connection, .snapshot_begin = on_snapshot_begin,
		.socket = on_socket },
	.report = report,
};
