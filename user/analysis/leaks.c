// SPDX-License-Identifier: GPL-2.0-only
#include "analysis/leaks.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "analysis/leaks_internal.h"

struct fw_leaks *fw_leaks_new(const struct fw_leaks_options *opt)
{
	struct fw_leaks *l = calloc(1, sizeof(*l));

	if (l)
		l->opt = *opt;
	return l;
}

static void look_fini(struct leak_look *look)
{
	free(look->socks);
	free(look->processes);
	*look = (struct leak_look){ 0 };
}

void fw_leaks_free(struct fw_leaks *l)
{
	if (!l)
		return;
	look_fini(&l->first);
	look_fini(&l->last);
	look_fini(&l->coming);
	free(l);
}

/* Room for one more of @size in an array of @nr; NULL: no memory, and the report will say so. */
static void *grow(struct fw_leaks *l, void *array, size_t nr, size_t *cap, size_t size)
{
	void *more;

	if (nr < *cap)
		return array;
	more = realloc(array, (*cap ? *cap * 2 : 64) * size);
	if (!more) {
		l->failed = true;
		return NULL;
	}
	*cap = *cap ? *cap * 2 : 64;
	return more;
}

static void on_begin(void *arg, uint64_t ts_ns)
{
	struct fw_leaks *l = arg;

	(void)ts_ns;
	look_fini(&l->coming);
	l->activity = 0;
}

static void on_socket(void *arg, const struct fw_conn *c, const struct fw_rec_sock *sock)
{
	struct fw_leaks *l = arg;
	struct leak_look *look = &l->coming;
	struct leak_sock *one;
	void *array;

	if (!c || (sock->object != FW_OBJECT_FULL && sock->object != FW_OBJECT_MPTCP) || sock->head.newstate != FW_CLOSE_WAIT ||
	    (l->opt.filter && !fw_filter_endpoints(l->opt.filter, c)))
		return;
	array = grow(l, look->socks, look->nr_socks, &look->cap_socks, sizeof(*one));
	if (!array)
		return;
	look->socks = array;
	one = &look->socks[look->nr_socks++];
	*one = (struct leak_sock){
		.conn_id = c->id,
		.cgroup_id = c->cgroup_id,
		.since_ns = c->enter_ns[c->nr_steps - 1],
		.since_before = c->step_flags[c->nr_steps - 1] & FW_STEP_AT_LEAST,
		.unread = sock->unread,
		.accepted = sock->head.flags & FW_REC_HAS_FILE,
		.passive = c->role == FW_ROLE_PASSIVE,
		.mptcp = sock->object == FW_OBJECT_MPTCP,
		.listener = fw_conn_listener(c),
		.netns = c->netns, .family = c->family, .lport = c->lport, .rport = c->rport,
	};
	memcpy(one->laddr, c->laddr, sizeof(one->laddr));
	memcpy(one->raddr, c->raddr, sizeof(one->raddr));
	look->sorted = false;
}

static int by_conn_id(const void *a, const void *b)
{
	const struct leak_sock *x = a, *y = b;

	return (x->conn_id > y->conn_id) - (x->conn_id < y->conn_id);
}

static struct leak_sock *sock_of(struct leak_look *look, const struct fw_conn *c)
{
	const struct leak_sock key = { .conn_id = c->id };

	if (!look->nr_socks)
		return NULL;
	if (!look->sorted)
		qsort(look->socks, look->nr_socks, sizeof(key), by_conn_id);
	look->sorted = true;
	return bsearch(&key, look->socks, look->nr_socks, sizeof(key), by_conn_id);
}

static void on_holder(void *arg, const struct fw_conn *c, const struct fw_rec_holder *holder)
{
	struct fw_leaks *l = arg;
	struct leak_sock *one;

	if (!c)
		return;
	l->activity += c->id + c->bytes_sent + c->bytes_received;
	one = fw_conn_state(c) == FW_CLOSE_WAIT ? sock_of(&l->coming, c) : NULL;
	if (!one)
		return;
	for (unsigned int i = 0; i < one->nr_pids; i++) {
		if (one->pids[i] == holder->pid)
			return;
	}
	if (!one->nr_pids)
		one->fd = holder->fd;
	if (one->nr_pids < LEAK_PIDS)
		one->pids[one->nr_pids++] = holder->pid;
	else
		one->more_pids = true;
}

static void on_process(void *arg, const struct fw_rec_process *process)
{
	struct fw_leaks *l = arg;
	struct leak_look *look = &l->coming;
	void *array = grow(l, look->processes, look->nr_processes, &look->cap_processes,
			   sizeof(*look->processes));

	if (array) {
		look->processes = array;
		look->processes[look->nr_processes++] =
			(struct leak_process){ .rec = *process, .activity = l->activity };
	}
	l->activity = 0;
}

static void on_end(void *arg, uint64_t ts_ns)
{
	struct fw_leaks *l = arg;

	l->coming.ts_ns = ts_ns;
	/* Growth is over the whole time watched. */
	if (l->last.ts_ns && !l->first.ts_ns)
		l->first = l->last;
	else
		look_fini(&l->last);
	l->last = l->coming;
	l->coming = (struct leak_look){ 0 };
}

uint64_t fw_leaks_looked_ns(const struct fw_leaks *l)
{
	return l->last.ts_ns;
}

void fw_leaks_observe(struct fw_leaks *l, struct fw_observer *observer)
{
	observer->snapshot_begin = on_begin;
	observer->socket = on_socket;
	observer->holder = on_holder;
	observer->process = on_process;
	observer->snapshot_end = on_end;
	observer->arg = l;
}
