// SPDX-License-Identifier: GPL-2.0-only
#include "analysis/tally.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/words.h"
#include "util/buf.h"
#include "util/fmt.h"

/* The columns. */
static const uint8_t *const order = fw_states_in_order;
#define NR_ORDER FW_STATES_ORDERED

static const char *const by_names[FW_TALLY_BY_MAX] = {
	[FW_TALLY_BY_NONE] = "none",	 [FW_TALLY_BY_PROCESS] = "process",
	[FW_TALLY_BY_PEER] = "peer",	 [FW_TALLY_BY_CGROUP] = "cgroup",
	[FW_TALLY_BY_NETNS] = "netns",	 [FW_TALLY_BY_PORT] = "port",
};

const char *fw_tally_by_name(enum fw_tally_by by)
{
	return by < FW_TALLY_BY_MAX ? by_names[by] : "none";
}

enum fw_tally_by fw_tally_by_from_name(const char *name)
{
	unsigned int i = FW_TALLY_BY_PROCESS;

	/* As the filter calls it. */
	if (!strcmp(name, "remote"))
		return FW_TALLY_BY_PEER;
	while (i < FW_TALLY_BY_MAX && strcmp(by_names[i], name))
		i++;
	return (enum fw_tally_by)i;
}

struct row {
	char *name; /* "" for the only one */
	uint64_t counts[FW_STATE_MAX], total;
};

struct rows {
	struct row *row;
	size_t nr, cap;
};

/*
 * The role tells. If it is not known: ours if a socket listens there, else the lower one (of a server that
 * has gone, ports above its own are those that its clients were given).
 */
static uint16_t service_port(const struct fw_tracker *t, const struct fw_conn *c)
{
	if (c->flags & FW_CONN_LISTENER || !c->rport || c->role == FW_ROLE_PASSIVE)
		return c->lport;
	if (c->role == FW_ROLE_ACTIVE || !c->lport)
		return c->rport;
	if (fw_listeners_serve(&t->listeners, c->netns, c->laddr, c->lport))
		return c->lport;
	return c->lport < c->rport ? c->lport : c->rport;
}

/* A connection's group, in words, into @b. */
static void name_of(const struct fw_tally_options *opt, const struct fw_tracker *t,
		    const struct fw_conn *c, struct fw_buf *b)
{
	const char *known = NULL;

	switch (opt->by) {
	case FW_TALLY_BY_PROCESS:
		if (!c->pid)
			break;
		fw_buf_mem(b, c->comm, strnlen(c->comm, sizeof(c->comm)));
		fw_buf_printf(b, "/%u", c->pid);
		return;
	case FW_TALLY_BY_PEER:
		if (!c->rport)
			break;
		fw_fmt_addr(b, c->family, c->raddr);
		return;
	case FW_TALLY_BY_CGROUP:
		known = opt->cgroup_path ? opt->cgroup_path(opt->arg, c->cgroup_id) : NULL;
		break;
	case FW_TALLY_BY_NETNS:
		known = opt->netns_name ? opt->netns_name(opt->arg, c->netns) : NULL;
		if (!known)
			fw_buf_u64(b, c->netns);
		break;
	case FW_TALLY_BY_PORT:
		fw_buf_u64(b, service_port(t, c));
		return;
	default:
		return;
	}
	fw_buf_puts(b, known ? known : b->len ? "" : "-");
}

/* Where @name is in the order of names, or would be. */
static size_t place_of(const struct rows *rows, const char *name, bool *found)
{
	size_t lo = 0, hi = rows->nr;

	*found = false;
	while (lo < hi) {
		size_t mid = (lo + hi) / 2;
		int cmp = strcmp(name, rows->row[mid].name);

		if (!cmp) {
			*found = true;
			return mid;
		}
		if (cmp < 0)
			hi = mid;
		else
			lo = mid + 1;
	}
	return lo;
}

/* NULL: no memory. */
static struct row *row_of(struct rows *rows, const char *name)
{
	bool found;
	size_t at = place_of(rows, name, &found);
	struct row *more;
	char *copy;

	if (found)
		return &rows->row[at];
	if (rows->nr == rows->cap) {
		size_t cap = rows->cap ? rows->cap * 2 : 64;

		more = realloc(rows->row, cap * sizeof(*more));
		if (!more)
			return NULL;
		rows->row = more;
		rows->cap = cap;
	}
	copy = strdup(name);
	if (!copy)
		return NULL;
	memmove(&rows->row[at + 1], &rows->row[at], (rows->nr - at) * sizeof(*rows->row));
	rows->row[at] = (struct row){ .name = copy };
	rows->nr++;
	return &rows->row[at];
}

static bool is_there(const struct fw_tally_options *opt, const struct fw_conn *c)
{
	if (!opt->of_events)
		return c->flags & FW_CONN_SEEN;
	/* A child that is not announced yet is still its request. */
	return c->end == FW_END_OPEN && c->nr_steps && !(c->flags & FW_CONN_UNDECIDED) &&
	       (!(c->flags & FW_CONN_UNANNOUNCED) || c->flags & FW_CONN_MINI);
}

/* Counts @c in its row, if the filter lets it through. @b is scratch. */
static int count_one(const struct fw_tally_options *opt, const struct fw_tracker *t, const struct fw_conn *c,
		     struct rows *rows, struct fw_buf *b)
{
	unsigned int state = fw_conn_state(c);
	struct row *row;

	if (!is_there(opt, c) || state >= FW_STATE_MAX || !fw_filter_connection(opt->filter, c))
		return 0;
	fw_buf_clear(b);
	name_of(opt, t, c, b);
	row = b->failed ? NULL : row_of(rows, fw_buf_str(b));
	if (!row)
		return -ENOMEM;
	row->total++;
	row->counts[state]++;
	return 0;
}

static int count_all(const struct fw_tally_options *opt, const struct fw_tracker *t,
		     struct rows *rows)
{
	struct fw_buf b = { 0 };
	int ret = 0;

	for (const struct fw_conn *c = fw_conn_table_first(&t->table); c && !ret;
	     c = fw_conn_table_next(&t->table, c))
		ret = count_one(opt, t, c, rows, &b);
	/* Nothing at all is a result too. */
	if (!ret && opt->by == FW_TALLY_BY_NONE && !row_of(rows, ""))
		ret = -ENOMEM;
	fw_buf_free(&b);
	return ret;
}

/* MPTCP sockets: none is no row. */
static int count_mptcp(const struct fw_tally_options *opt, const struct fw_tracker *t, struct rows *rows)
{
	const struct fw_mptcp *m = NULL;
	struct fw_buf b = { 0 };
	int ret = 0;

	while (!ret && (m = fw_mptcps_next(&t->mptcps, m))) {
		if (!m->closed)
			ret = count_one(opt, t, &m->conn, rows, &b);
	}
	fw_buf_free(&b);
	return ret;
}

static int most_first(const void *a, const void *b)
{
	const struct row *x = a, *y = b;

	if (x->total != y->total)
		return x->total < y->total ? 1 : -1;
	return strcmp(x->name, y->name);
}

/* One line a state. */
static void say_plain(struct fw_report *r, struct fw_section *s, const struct row *row, const char *key,
		      const char *title)
{
	static const char *const columns[] = { "state", "STATE", "count", "COUNT", NULL };
	struct fw_table *table = fw_section_table(r, s, key, title, columns);
	char scratch[FW_STATE_NAME_LEN];

	for (size_t i = 0; i < NR_ORDER; i++) {
		struct fw_cell cells[] = {
			fw_cell_text(fw_state_name(order[i], scratch), SIZE_MAX),
			fw_cell_count(row->counts[order[i]]),
		};

		fw_table_row(r, table, cells);
	}
}

/* One line a group, one column a state that occurs. */
static void say_groups(struct fw_report *r, struct fw_section *s, const struct rows *rows,
		       const char *by, const char *key, const char *title)
{
	const char *columns[2 * (NR_ORDER + 2) + 1] = { by, by, "total", "TOTAL" };
	char scratch[NR_ORDER][FW_STATE_NAME_LEN];
	uint8_t shown[NR_ORDER];
	size_t nr = 0;
	struct fw_table *table;

	for (size_t i = 0; i < NR_ORDER; i++) {
		uint64_t sum = 0;

		for (size_t k = 0; k < rows->nr; k++)
			sum += rows->row[k].counts[order[i]];
		if (!sum)
			continue;
		columns[4 + 2 * nr] = columns[5 + 2 * nr] = fw_state_name(order[i], scratch[nr]);
		shown[nr++] = order[i];
	}
	table = fw_section_table(r, s, key, title, columns);
	for (size_t k = 0; k < rows->nr; k++) {
		struct fw_cell cells[NR_ORDER + 2] = {
			fw_cell_text(rows->row[k].name, SIZE_MAX),
			fw_cell_count(rows->row[k].total),
		};

		for (size_t i = 0; i < nr; i++)
			cells[2 + i] = fw_cell_count(rows->row[k].counts[shown[i]]);
		fw_table_row(r, table, cells);
	}
}

static void rows_fini(struct rows *rows)
{
	for (size_t i = 0; i < rows->nr; i++)
		free(rows->row[i].name);
	free(rows->row);
}

/* As a table of its own: a subflow is ESTABLISHED while its MPTCP socket is in CLOSE_WAIT. */
static int report_mptcp(const struct fw_tally_options *opt, const struct fw_tracker *t,
			struct fw_report *r, struct fw_section *s)
{
	static const char title[] = "MPTCP sockets (their subflows are counted above)";
	struct rows rows = { 0 };
	int ret = count_mptcp(opt, t, &rows);

	if (!ret && rows.nr && opt->by == FW_TALLY_BY_NONE) {
		say_plain(r, s, &rows.row[0], "mptcp", title);
	} else if (!ret && rows.nr) {
		qsort(rows.row, rows.nr, sizeof(*rows.row), most_first);
		say_groups(r, s, &rows, fw_tally_by_name(opt->by), "mptcp_groups", title);
	}
	rows_fini(&rows);
	return ret;
}

/* ---- Accept queues ------------------------------------------------------------------------ */

#define QUEUES_SHOWN 20

struct queues {
	const struct fw_tally_options *opt;
	const struct fw_conn *top[QUEUES_SHOWN];
	size_t nr, nr_more;
};

/* What waits, and then what was dropped. */
static uint64_t queue_rank(const struct fw_conn *c)
{
	return ((uint64_t)c->extra->queue << 32) + c->extra->drops;
}

static void add_queue(void *arg, const struct fw_conn *c)
{
	struct queues *q = arg;
	size_t at = q->nr;

	if (!c->extra || !queue_rank(c) || !is_there(q->opt, c) || !fw_filter_connection(q->opt->filter, c))
		return;
	while (at && queue_rank(q->top[at - 1]) < queue_rank(c))
		at--;
	if (q->nr < QUEUES_SHOWN)
		q->nr++;
	else
		q->nr_more++;
	if (at == QUEUES_SHOWN)
		return;
	memmove(&q->top[at + 1], &q->top[at], (q->nr - at - 1) * sizeof(q->top[0]));
	q->top[at] = c;
}

/* Listeners with connections that nothing has accepted yet, or that have dropped some. */
static void say_queues(const struct fw_tally_options *opt, const struct fw_tracker *t,
		       struct fw_report *r, struct fw_section *s)
{
	static const char *const columns[] = {
		"listener", "LISTENER", "process", "PROCESS", "queue", "TO ACCEPT", "limit", "OF",
		"dropped", "DROPPED", NULL,
	};
	struct queues q = { .opt = opt };
	struct fw_table *table;

	fw_listeners_each(&t->listeners, add_queue, &q);
	if (!q.nr)
		return;
	table = fw_section_table(r, s, "accept_queues", "Accept queues; dropped: since they listen",
				 columns);
	for (size_t i = 0; i < q.nr; i++) {
		const struct fw_conn *c = q.top[i];
		const struct fw_cell cells[] = {
			fw_cell_endpoint(c->family, c->laddr, c->lport),
			fw_cell_process(c->comm, c->pid),
			fw_cell_count(c->extra->queue), fw_cell_count(c->extra->queue_max),
			fw_cell_count(c->extra->drops),
		};

		fw_table_row(r, table, cells);
	}
	table->nr_more = q.nr_more;
}

int fw_tally_report(const struct fw_tally_options *opt, const struct fw_tracker *t,
		    struct fw_report *r)
{
	struct fw_section *s = fw_report_section(r, "states", "Connections by state");
	struct rows rows = { 0 };
	int ret = count_all(opt, t, &rows);

	if (!ret && opt->by == FW_TALLY_BY_NONE) {
		say_plain(r, s, &rows.row[0], "states", "");
		fw_section_fact(r, s, "total", "total", fw_cell_count(rows.row[0].total));
	} else if (!ret) {
		if (rows.nr)
			qsort(rows.row, rows.nr, sizeof(*rows.row), most_first);
		say_groups(r, s, &rows, fw_tally_by_name(opt->by), "groups", "");
	}
	if (!ret)
		ret = report_mptcp(opt, t, r, s);
	if (!ret)
		say_queues(opt, t, r, s);
	rows_fini(&rows);
	return ret;
}
