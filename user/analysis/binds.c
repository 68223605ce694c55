// SPDX-License-Identifier: GPL-2.0-only
/*
 * bind() to a port that failed with EADDRINUSE: who wanted which address, and what held it. "Address already
 * in use" after a restart usually is the TIME_WAIT of the server's former connections. Port 0 is bind_ports.c's.
 */
#include <errno.h>
#include <string.h>

#include "analysis/unattended.h"
#include "analysis/words.h"
#include "util/buf.h"

struct bind {
	uint64_t count;
	uint32_t time_waits, live; /* at the last failure */
	uint64_t until_ns;	   /* CLOCK_MONOTONIC: then the last TIME_WAIT ends */
	char listener_comm[FW_COMM_LEN];
	uint32_t listener_pid;
	bool listener;
};

struct binds {
	uint64_t count, of_time_wait;
	struct fw_groups groups;
	struct fw_unattended unattended;
};

static int init(void *self, const struct fw_analysis_options *opt)
{
	(void)opt;
	return fw_groups_init(&((struct binds *)self)->groups, sizeof(struct bind), FW_GROUPS_MAX);
}

static void fini(void *self)
{
	fw_groups_fini(&((struct binds *)self)->groups);
}

/* Restarted servers have another pid each time: by name. */
static struct fw_group_key key_of(const struct fw_rec_state *rec)
{
	struct fw_group_key key = {
		.netns = rec->head.netns, .lport = rec->head.lport, .family = rec->head.family,
	};

	memcpy(key.comm, rec->comm, strnlen(rec->comm, sizeof(key.comm)));
	memcpy(key.laddr, rec->head.laddr, sizeof(key.laddr));
	return key;
}

static void on_bind_failed(void *self, const struct fw_bind_failure *failure)
{
	struct fw_group_key key = key_of(failure->rec);
	struct binds *b = self;
	struct bind *bind;

	if (failure->rec->err != EADDRINUSE || !key.lport)
		return;
	bind = fw_groups_get(&b->groups, &key);
	b->count++;
	b->of_time_wait += failure->time_waits && !failure->listener;
	bind->count++;
	bind->time_waits = failure->time_waits;
	bind->live = failure->live;
	bind->until_ns = failure->ts_ns + failure->time_wait_ns;
	bind->listener = failure->listener;
	if (failure->listener) {
		bind->listener_pid = failure->listener->pid;
		memcpy(bind->listener_comm, failure->listener->comm, sizeof(bind->listener_comm));
	}
}

static void on_socket(void *self, const struct fw_conn *c, const struct fw_rec_sock *sock)
{
	fw_unattended_socket(&((struct binds *)self)->unattended, c, sock);
}

static void on_holder(void *self, const struct fw_conn *c, const struct fw_rec_holder *holder)
{
	fw_unattended_holder(&((struct binds *)self)->unattended, c, holder);
}

static uint64_t count_of(const void *value)
{
	return ((const struct bind *)value)->count;
}

static struct fw_cell held_by(const struct bind *bind)
{
	if (bind->listener && (bind->listener_pid || bind->listener_comm[0]))
		return fw_cell_process(bind->listener_comm, bind->listener_pid);
	if (bind->listener)
		return fw_cell_text("a listener", SIZE_MAX);
	if (bind->live)
		return fw_cell_text("open connections", SIZE_MAX);
	return bind->time_waits ? fw_cell_text("TIME_WAIT", SIZE_MAX) : fw_cell_unknown();
}

static void row(const struct fw_analysis_context *ctx, struct fw_report *r, struct fw_table *t,
		const struct fw_group *group)
{
	const struct bind *bind = (const void *)group->value;
	const struct fw_group_key *key = &group->key;
	uint64_t left = bind->until_ns > ctx->now_ns ? bind->until_ns - ctx->now_ns : 0;
	const struct fw_cell cells[] = {
		fw_cell_process(key->comm, 0),
		fw_cell_endpoint(key->family, key->laddr, key->lport),
		fw_cell_count(bind->count),
		held_by(bind),
		fw_cell_count(bind->time_waits),
		fw_cell_count(bind->live),
		bind->time_waits ? fw_cell_duration(left) : fw_cell_unknown(),
	};

	fw_table_row(r, t, cells);
}

static const char *const columns[] = {
	"process", "process", "address", "address", "count", "failed", "held_by", "held by",
	"time_waits", "TIME_WAITs", "live", "live", "free_in", "free in", NULL,
};

enum cause { BY_LISTENER, BY_HEIR, BY_CONNECTIONS, BY_TIME_WAIT, BY_UNKNOWN, NR_CAUSES };

/* NULL: what the explanation of the finding says, which is that of TIME_WAIT. */
static const struct {
	const char *title, *meaning, *advice;
} causes[NR_CAUSES] = {
	[BY_LISTENER] = {
		"another process listens there",
		"Another process already serves that address and port: two programs are set to the "
		"same one, or a former instance still runs.",
		"Stop the one that has it, or give one of them another port; SO_REUSEADDR does not "
		"help against a listener." },
	[BY_HEIR] = {
		"its listening socket was inherited by",
		"A former server on that port has ended, but programs that it had started still have "
		"its listening socket open: none of them waits for connections there.",
		"End these processes, and open the listening socket with close-on-exec "
		"(SOCK_CLOEXEC), so that what the server starts does not inherit it." },
	[BY_CONNECTIONS] = {
		"connections are still open there",
		"A server could not take its port (EADDRINUSE) although nothing listens on it: "
		"connections of its former instance are still open on it.",
		"Set SO_REUSEADDR before bind(), in the server that starts and in the one before "
		"it; and see which process still holds the connections." },
	[BY_TIME_WAIT] = { "connections are in TIME_WAIT there", NULL, NULL },
	[BY_UNKNOWN] = {
		"what holds it was not seen",
		"A server could not take its port (EADDRINUSE), but neither a listener nor a "
		"connection on it is known.",
		"See who is bound to it: ss -tanp sport = :PORT, and processes that have bound and "
		"do not listen yet (lsof -i :PORT)." },
};

/*
 * The listener that programs other than the one that wants the port have open, without any of them waiting
 * for connections; NULL: it is not so, or not known.
 */
static const struct fw_unattended_listener *heirs_of(const struct binds *b,
						     const struct fw_group_key *key)
{
	const struct fw_unattended_listener *l = fw_unattended_find(&b->unattended, key->netns, key->lport);

	for (unsigned int i = 0; l && i < l->nr_holders; i++) {
		if (!strncmp(l->holder[i].comm, key->comm, sizeof(key->comm)))
			return NULL;
	}
	return l;
}

static enum cause cause_of(const struct binds *b, const struct fw_group *group)
{
	const struct bind *bind = (const void *)group->value;

	if (bind->listener)
		return heirs_of(b, &group->key) ? BY_HEIR : BY_LISTENER;
	if (bind->live)
		return BY_CONNECTIONS;
	return bind->time_waits ? BY_TIME_WAIT : BY_UNKNOWN;
}

#define HEIRS_SHOWN 4

/* "sleep/7"; "4 processes (sleep/7, sleep/8, sleep/9, sleep/10)" */
static void say_heirs(const struct fw_unattended_listener *l, struct fw_buf *b)
{
	unsigned int shown = l->nr_holders < HEIRS_SHOWN ? l->nr_holders : HEIRS_SHOWN;

	if (l->nr_holders > 1)
		fw_buf_printf(b, "%u processes (", l->nr_holders);
	for (unsigned int i = 0; i < shown; i++)
		fw_buf_printf(b, "%s%s", i ? ", " : "",
			      fw_words_process(l->holder[i].comm, l->holder[i].pid).text);
	fw_buf_puts(b, l->nr_holders > shown ? ", ...)" : l->nr_holders > 1 ? ")" : "");
}

static void say_title(const struct binds *b, const struct fw_group *worst, enum cause cause,
		      struct fw_report *r, struct fw_finding *f)
{
	const struct bind *bind = (const void *)worst->value;
	struct fw_words address = fw_words_endpoint(worst->key.family, worst->key.laddr, worst->key.lport);
	struct fw_words binder = fw_words_process(worst->key.comm, 0);
	struct fw_buf by = { 0 };

	if (cause == BY_HEIR)
		say_heirs(heirs_of(b, &worst->key), &by);
	else if (cause == BY_LISTENER && (bind->listener_pid || bind->listener_comm[0]))
		fw_buf_printf(&by, "(%s)", fw_words_process(bind->listener_comm, bind->listener_pid).text);
	fw_finding_say(r, &f->title, "%s cannot bind to %s: %s%s%s", binder.text, address.text,
		       causes[cause].title, by.len ? " " : "", fw_buf_str(&by));
	fw_buf_free(&by);
}

static void find_in_use(struct binds *b, const struct fw_analysis_context *ctx, struct fw_report *r)
{
	const struct fw_group *worst;
	struct fw_finding *f;
	enum cause cause;

	if (b->count < FW_LIMIT_BIND || !fw_groups_top(&b->groups, count_of, &worst, 1, NULL))
		return;
	cause = cause_of(b, worst);
	f = fw_finding_begin(r, "bind-in-use", FW_SEVERITY_WARNING, FW_RANK_BIND, b->count);
	say_title(b, worst, cause, r, f);
	if (causes[cause].meaning)
		fw_finding_say(r, &f->meaning, "%s", causes[cause].meaning);
	if (causes[cause].advice)
		fw_finding_say(r, &f->advice, "%s", causes[cause].advice);
	if (cause == BY_UNKNOWN)
		fw_finding_say(r, &f->confidence,
			       "What held the address was not seen: a socket that is bound and does "
			       "not listen is in no list.");
	fw_finding_evidence(r, f, "count", "bind() failed with EADDRINUSE",
			    fw_cell_count(b->count));
	fw_finding_evidence(r, f, "of_time_wait", "Of them because of TIME_WAIT",
			    fw_cell_count(b->of_time_wait));
	fw_table_groups(ctx, r, fw_finding_offenders(r, f, columns), &b->groups, count_of, row);
}

static void report(void *self, const struct fw_analysis_context *ctx, struct fw_report *r)
{
	struct fw_section *s;
	struct binds *b = self;

	if (!b->count)
		return;
	s = fw_report_section(r, "binds", "Addresses in use");
	fw_section_fact(r, s, "count", "bind() failed with EADDRINUSE", fw_cell_count(b->count));
	fw_table_groups(ctx, r, fw_section_table(r, s, "by_address", "By address", columns),
			&b->groups, count_of, row);
	find_in_use(b, ctx, r);
}

const struct fw_analysis fw_analysis_binds = {
	.name = "binds",
	.size = sizeof(struct binds),
	.init = init,
	.fini = fini,
	.on = { .bind_failed = on_bind_failed, .socket = on_socket, .holder = on_holder },
	.report = report,
};
