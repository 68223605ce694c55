// SPDX-License-Identifier: GPL-2.0-only
/*
 * Collects, of each snapshot, the sockets that may be a part of a leak, and who holds them.
 */
#include "analysis/leaks.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "analysis/leaks_internal.h"

/* Connections that we made, in ESTABLISHED: so many are looked at. */
#define ESTABLISHED_MAX 30000
#define VALID_NS FW_NS(10)

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
	free(look->held);
	free(look->processes);
	*look = (struct leak_look){ 0 };
}

void fw_leaks_free(struct fw_leaks *l)
{
	if (!l)
		return;
	look_fini(&l->first);
	look_fini(&l->middle);
	look_fini(&l->last);
	look_fini(&l->coming);
	leak_groups_fini(&l->groups);
	free(l);
}

/* Room for one more of @size in an array of @nr; NULL: no memory, and the report says so. */
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

static void add_sock(struct fw_leaks *l, const struct leak_sock *sock)
{
	struct leak_look *look = &l->coming;
	void *array = grow(l, look->socks, look->nr_socks, &look->cap_socks, sizeof(*sock));

	if (!array)
		return;
	look->socks = array;
	look->socks[look->nr_socks++] = *sock;
	look->nr_in[sock->state]++;
	look->sorted = false;
}

/* Whether sockets in that state can be a part of a leak, or tell of one. */
static bool is_of_interest(const struct fw_leaks *l, const struct fw_conn *c,
			   const struct fw_rec_sock *sock)
{
	switch (sock->head.newstate) {
	case FW_CLOSE_WAIT:
		return true;
	case FW_FIN_WAIT_2:
		return sock->head.flags & FW_REC_HAS_FILE;
	case FW_ESTABLISHED:
		return sock->head.flags & FW_REC_HAS_FILE && c->role != FW_ROLE_PASSIVE &&
		       l->coming.nr_in[FW_ESTABLISHED] < ESTABLISHED_MAX;
	default:
		return false;
	}
}

/* The same when it is dead, and no connection any more. */
static uint64_t id_of(const struct fw_conn *c)
{
	return c->cookie ? c->cookie : c->skaddr;
}

/* Of an MPTCP connection the socket of its descriptor counts, not the subflows. */
static bool is_candidate(const struct fw_conn *c, const struct fw_rec_sock *sock)
{
	if (!c)
		return false;
	return sock->object == FW_OBJECT_MPTCP ||
	       (sock->object == FW_OBJECT_FULL && !fw_conn_mptcp_token(c));
}

static void on_socket(void *arg, const struct fw_conn *c, const struct fw_rec_sock *sock)
{
	struct fw_leaks *l = arg;
	struct leak_sock one;

	l->mptcp = (struct leak_sock){ 0 };
	if (!is_candidate(c, sock) || !is_of_interest(l, c, sock) ||
	    (l->opt.filter && !fw_filter_endpoints(l->opt.filter, c)))
		return;
	one = (struct leak_sock){
		.id = id_of(c),
		.cgroup_id = c->cgroup_id,
		.since_ns = c->enter_ns[c->nr_steps - 1],
		.since_before = c->step_flags[c->nr_steps - 1] & FW_STEP_AT_LEAST,
		.bytes = sock->bytes_sent + c->bytes_received,
		.unread = sock->unread,
		.unsent = sock->unsent,
		.state = sock->head.newstate,
		.accepted = sock->head.flags & FW_REC_HAS_FILE,
		.passive = c->role == FW_ROLE_PASSIVE,
		.mptcp = sock->object == FW_OBJECT_MPTCP,
		.listener = fw_conn_listener(c),
		/* What a snapshot has found is its holder's, whoever accepted it. */
		.owner_pid = c->flags & (FW_CONN_OWNER_LISTENS | FW_CONN_SINCE_BEFORE) ? 0 : c->pid,
		.netns = c->netns, .family = c->family, .lport = c->lport, .rport = c->rport,
	};
	memcpy(one.laddr, c->laddr, sizeof(one.laddr));
	memcpy(one.raddr, c->raddr, sizeof(one.raddr));
	/* A look-up for each holder of one would sort all sockets again, since they come between holders. */
	if (one.mptcp && one.accepted)
		l->mptcp = one;
	else
		add_sock(l, &one);
}

static int by_state_and_id(const void *a, const void *b)
{
	const struct leak_sock *x = a, *y = b;

	if (x->state != y->state)
		return (x->state > y->state) - (x->state < y->state);
	return (x->id > y->id) - (x->id < y->id);
}

static void sort(struct leak_look *look)
{
	if (look->nr_socks && !look->sorted)
		qsort(look->socks, look->nr_socks, sizeof(*look->socks), by_state_and_id);
	look->sorted = true;
}

const struct leak_sock *leak_sock_in(const struct leak_look *look, const struct leak_sock *s)
{
	if (!look->nr_socks)
		return NULL;
	return bsearch(s, look->socks, look->nr_socks, sizeof(*s), by_state_and_id);
}

bool leak_sock_stays(const struct leak_look *look, const struct leak_sock *s)
{
	static const uint8_t stages[] = { FW_ESTABLISHED, FW_CLOSE_WAIT, FW_CLOSE };
	struct leak_sock key = *s;

	for (size_t i = 0; i < sizeof(stages); i++) {
		key.state = stages[i];
		if (leak_sock_in(look, &key))
			return true;
	}
	return false;
}

static void add_holder(struct leak_sock *one, const struct fw_rec_holder *holder)
{
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

/* A socket that is over and still has a descriptor. One that was never connected is in CLOSE too, but
 * not shut down.
 */
static bool is_dead(const struct fw_rec_head *head)
{
	const uint32_t shut = FW_REC_SHUT_RD | FW_REC_SHUT_WR;

	return head->oldstate == FW_CLOSE && (head->flags & shut) == shut && head->rport;
}

static void add_held(struct fw_leaks *l, struct leak_sock *one, const struct fw_rec_holder *holder)
{
	struct leak_look *look = &l->coming;
	void *array = grow(l, look->held, look->nr_held, &look->cap_held, sizeof(*one));

	if (!array)
		return;
	add_holder(one, holder);
	look->held = array;
	look->held[look->nr_held++] = *one;
}

static void on_dead(struct fw_leaks *l, const struct fw_rec_holder *holder)
{
	const struct fw_rec_head *head = &holder->head;
	struct leak_sock one = {
		.id = head->cookie ? head->cookie : head->skaddr,
		.since_ns = head->ts_ns, .since_before = true, .accepted = true,
		.netns = head->netns, .family = head->family,
		.lport = head->lport, .rport = head->rport, .state = FW_CLOSE,
	};

	if (l->opt.filter && !fw_rule_full(&l->opt.filter->rule, head))
		return;
	memcpy(one.laddr, head->laddr, sizeof(one.laddr));
	memcpy(one.raddr, head->raddr, sizeof(one.raddr));
	add_held(l, &one, holder);
}

static void on_holder(void *arg, const struct fw_conn *c, const struct fw_rec_holder *holder)
{
	struct fw_leaks *l = arg;
	struct leak_sock key, *one;

	/* The tracker may learn of its end later. */
	if (is_dead(&holder->head))
		on_dead(l, holder);
	if (!c || is_dead(&holder->head))
		return;
	if (fw_conn_state(c) != FW_CLOSE_WAIT)
		l->activity += c->id + c->bytes_sent + c->bytes_received;
	if (fw_conn_has(c, FW_CONN_MPTCP)) {
		if (l->mptcp.mptcp && l->mptcp.id == id_of(c))
			add_held(l, &l->mptcp, holder);
		return;
	}
	key = (struct leak_sock){ .id = id_of(c), .state = (uint8_t)fw_conn_state(c) };
	if (key.state != FW_CLOSE_WAIT && key.state != FW_ESTABLISHED && key.state != FW_FIN_WAIT_2)
		return;
	sort(&l->coming);
	one = (struct leak_sock *)leak_sock_in(&l->coming, &key);
	if (one)
		add_holder(one, holder);
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

/* One socket for each; it may have several descriptors, of several processes. */
static void add_all_held(struct fw_leaks *l)
{
	struct leak_look *look = &l->coming;

	if (look->nr_held)
		qsort(look->held, look->nr_held, sizeof(*look->held), by_state_and_id);
	for (size_t i = 0, j; i < look->nr_held; i = j) {
		for (j = i + 1; j < look->nr_held &&
				!by_state_and_id(&look->held[i], &look->held[j]); j++)
			add_holder(&look->held[i], &(struct fw_rec_holder){
				.pid = look->held[j].pids[0], .fd = look->held[j].fd });
		add_sock(l, &look->held[i]);
	}
	free(look->held);
	look->held = NULL;
	look->nr_held = look->cap_held = 0;
}

static bool same_program(const struct leak_process *a, const struct leak_process *b)
{
	return !strncmp(a->rec.comm, b->rec.comm, sizeof(a->rec.comm));
}

/*
 * Several holders: after fork(), each of them has to close it. One holder that is not the process which
 * accepted or made it, and runs another program: its copy came with exec(). (A server that forks for each
 * connection is one program.)
 */
static bool is_inherited(const struct leak_look *look, const struct leak_sock *s)
{
	const struct leak_process *owner, *holder;

	if (s->state != FW_CLOSE_WAIT || s->nr_pids != 1)
		return s->nr_pids > 1;
	if (!s->owner_pid || s->owner_pid == s->pids[0])
		return false;
	owner = leak_process_of(look, s->owner_pid);
	holder = leak_process_of(look, s->pids[0]);
	return owner && holder && !same_program(owner, holder);
}

/* Programs that hold inherited connections of a port hold older ones too, of which no accept() was seen. */
#define HEIRS_MAX 16
struct heirs {
	struct {
		const struct leak_process *process;
		uint16_t lport;
	} heir[HEIRS_MAX];
	size_t nr;
};

static bool is_heir(const struct heirs *heirs, const struct leak_process *p, uint16_t lport)
{
	for (size_t i = 0; p && i < heirs->nr; i++) {
		if (heirs->heir[i].lport == lport && same_program(heirs->heir[i].process, p))
			return true;
	}
	return false;
}

static void add_heir(struct heirs *heirs, const struct leak_process *p, uint16_t lport)
{
	if (!p || heirs->nr == HEIRS_MAX || is_heir(heirs, p, lport))
		return;
	heirs->heir[heirs->nr].process = p;
	heirs->heir[heirs->nr++].lport = lport;
}

static void mark_inherited(struct leak_look *look)
{
	struct heirs heirs = { .nr = 0 };

	for (size_t i = 0; i < look->nr_socks; i++) {
		struct leak_sock *s = &look->socks[i];

		s->inherited = is_inherited(look, s);
		if (s->inherited && s->nr_pids == 1)
			add_heir(&heirs, leak_process_of(look, s->pids[0]), s->lport);
	}
	for (size_t i = 0; heirs.nr && i < look->nr_socks; i++) {
		struct leak_sock *s = &look->socks[i];

		if (s->state == FW_CLOSE_WAIT && s->nr_pids == 1 && !s->owner_pid)
			s->inherited |= is_heir(&heirs, leak_process_of(look, s->pids[0]), s->lport);
	}
}

static uint64_t distance(uint64_t a, uint64_t b)
{
	return a > b ? a - b : b - a;
}

/* @look is the latest; of those between, the one nearest to the half of the time watched is kept. */
static void keep(struct fw_leaks *l, struct leak_look look)
{
	uint64_t half_ns = l->first.ts_ns + (look.ts_ns - l->first.ts_ns) / 2;

	if (l->last.ts_ns && !l->first.ts_ns) {
		l->first = l->last;
	} else if (l->last.ts_ns && (!l->middle.ts_ns || distance(l->last.ts_ns, half_ns) <=
								 distance(l->middle.ts_ns, half_ns))) {
		look_fini(&l->middle);
		l->middle = l->last;
	} else {
		look_fini(&l->last);
	}
	l->last = look;
}

static void on_end(void *arg, uint64_t ts_ns)
{
	struct fw_leaks *l = arg;

	add_all_held(l);
	sort(&l->coming);
	l->gap_ns = l->last.ts_ns ? ts_ns - l->last.ts_ns : 0;
	mark_inherited(&l->coming);
	l->coming.ts_ns = ts_ns;
	keep(l, l->coming);
	l->coming = (struct leak_look){ 0 };
}

/* Looks can be regular: then the last one is valid until after the next one is due. */
bool fw_leaks_have_looked(const struct fw_leaks *l, uint64_t now_ns)
{
	return l->last.ts_ns && now_ns < l->last.ts_ns + VALID_NS + 2 * l->gap_ns;
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
