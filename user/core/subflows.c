// SPDX-License-Identifier: GPL-2.0-only
/*
 * Subflows and their MPTCP socket (core/mptcp.h).
 *
 * A subflow's own transitions are mostly made by workers, in the name of no process. Its owner is that of the
 * MPTCP socket: the process that connected or closed it, accepted its first subflow, or holds its descriptor.
 */
#include <string.h>

#include "core/tracker_internal.h"

static struct fw_mptcp *mptcp_new(struct fw_tracker *t, const struct fw_rec_head *head, uint64_t skaddr,
				  uint32_t token)
{
	struct fw_mptcp *m = fw_mptcps_add(&t->mptcps, skaddr, token);

	if (!m) {
		t->counters.no_memory++;
		return NULL;
	}
	m->conn.id = t->table.next_id++;
	m->conn.netns = head->netns;
	return m;
}

/* ---- What subflows tell ---------------------------------------------------------------------- */

static struct fw_mptcp *mptcp_of(const struct fw_tracker *t, const struct fw_conn *c)
{
	uint32_t token = fw_conn_mptcp_token(c);

	return token ? fw_mptcps_find(&t->mptcps, 0, token) : NULL;
}

static void own(struct fw_conn *c, uint32_t pid, const char comm[FW_COMM_LEN], uint64_t cgroup_id)
{
	c->pid = pid;
	memcpy(c->comm, comm, sizeof(c->comm));
	c->extra->listener = 0;
	if (cgroup_id)
		c->cgroup_id = cgroup_id;
}

void subflow_join(struct fw_tracker *t, struct fw_conn *c, const struct fw_rec_head *head, uint32_t token)
{
	struct fw_mptcp *m;

	if (!token || fw_conn_mptcp_token(c) == token || !fw_conn_table_extra(&t->table, c))
		return;
	subflow_leave(t, c);
	c->extra->mptcp_token = token;
	m = mptcp_of(t, c);
	if (!m)
		m = mptcp_new(t, head, 0, token);
	if (!m)
		return;
	m->nr_subflows++;
	if (m->conn.role == FW_ROLE_UNKNOWN)
		m->conn.role = c->role;
	subflow_inherit_owner(t, c);
}

void subflow_waits(struct fw_tracker *t, struct fw_conn *c)
{
	struct fw_mptcp *m = fw_conn_listener(c) ? mptcp_of(t, c) : NULL;

	if (m && !m->conn.pid)
		m->extra.listener = fw_conn_listener(c);
}

void subflow_leave(struct fw_tracker *t, struct fw_conn *c)
{
	struct fw_mptcp *m = mptcp_of(t, c);

	if (!m || !m->nr_subflows)
		return;
	m->nr_subflows--;
	/* One that no record has named apart from its subflows goes with the last of them. */
	if (!m->nr_subflows && (m->closed || !m->conn.skaddr))
		fw_mptcps_remove(&t->mptcps, m);
}

void subflow_inherit_owner(struct fw_tracker *t, struct fw_conn *c)
{
	const struct fw_mptcp *m = mptcp_of(t, c);

	if (!m || !m->conn.pid)
		return;
	if (c->pid != m->conn.pid || c->flags & FW_CONN_OWNER_LISTENS)
		conn_set_owner(t, c, m->conn.pid, m->conn.comm);
	if (!c->cgroup_id)
		c->cgroup_id = m->conn.cgroup_id;
}

void subflow_owner_acted(struct fw_tracker *t, const struct fw_event *ev)
{
	const struct fw_rec_state *rec = ev->state;
	struct fw_mptcp *m = rec->mptcp_token ? fw_mptcps_find(&t->mptcps, 0, rec->mptcp_token) : NULL;

	if (m && rec->head.flags & FW_REC_OWNER)
		own(&m->conn, rec->pid, rec->comm, rec->cgroup_id);
}

/* ---- What the MPTCP socket tells --------------------------------------------------------------- */

static void set_endpoints(struct fw_conn *c, const struct fw_rec_head *head)
{
	c->netns = head->netns;
	c->family = head->family;
	if (!fw_addr_is_zero(head->laddr))
		memcpy(c->laddr, head->laddr, sizeof(c->laddr));
	if (!fw_addr_is_zero(head->raddr))
		memcpy(c->raddr, head->raddr, sizeof(c->raddr));
	c->lport = head->lport ? head->lport : c->lport;
	c->rport = head->rport ? head->rport : c->rport;
}

static void enter(struct fw_conn *c, unsigned int state, uint64_t ts_ns, unsigned int step_flags)
{
	c->nr_steps = 1;
	c->steps[0] = (uint8_t)state;
	c->step_flags[0] = (uint8_t)step_flags;
	c->enter_ns[0] = ts_ns;
}

/*
 * connect() gives an MPTCP socket its token after it has entered SYN_SENT. So its subflow may have made @m known
 * by its token already, beside the one at @skaddr. What else has been there is a socket of the past.
 */
static void clear_address(struct fw_tracker *t, struct fw_mptcp *m, uint64_t skaddr)
{
	struct fw_mptcp *other = m->conn.skaddr == skaddr ? NULL : fw_mptcps_at(&t->mptcps, skaddr);

	if (!other)
		return;
	if (!other->extra.mptcp_token && !m->conn.pid)
		own(&m->conn, other->conn.pid, other->conn.comm, other->conn.cgroup_id);
	if (!other->extra.mptcp_token && m->conn.role == FW_ROLE_UNKNOWN)
		m->conn.role = other->conn.role;
	if (other->nr_subflows)
		fw_mptcps_forget_address(&t->mptcps, other);
	else
		fw_mptcps_remove(&t->mptcps, other);
}

static struct fw_mptcp *mptcp_known(struct fw_tracker *t, const struct fw_rec_head *head, uint32_t token)
{
	struct fw_mptcp *m = fw_mptcps_find(&t->mptcps, head->skaddr, token);

	if (!m)
		m = mptcp_new(t, head, head->skaddr, token);
	if (!m)
		return NULL;
	clear_address(t, m, head->skaddr);
	fw_mptcps_rename(&t->mptcps, m, head->skaddr, token);
	set_endpoints(&m->conn, head);
	m->conn.end_ns = head->ts_ns;
	return m;
}

void mptcp_transition(struct fw_tracker *t, const struct fw_event *ev)
{
	const struct fw_rec_state *rec = ev->state;
	const struct fw_rec_head *head = ev->head;
	struct fw_mptcp *m;

	if (head->newstate == FW_CLOSE) {
		m = fw_mptcps_find(&t->mptcps, head->skaddr, rec->mptcp_token);
		if (m)
			m->closed = true;
		if (m && !m->nr_subflows)
			fw_mptcps_remove(&t->mptcps, m);
		return;
	}
	m = mptcp_known(t, head, rec->mptcp_token);
	if (!m)
		return;
	m->closed = false;
	m->conn.uid = rec->uid;
	if (head->newstate == FW_SYN_SENT)
		m->conn.role = FW_ROLE_ACTIVE;
	if (head->flags & FW_REC_OWNER)
		own(&m->conn, rec->pid, rec->comm, rec->cgroup_id);
	if (head->newstate != head->oldstate)
		enter(&m->conn, head->newstate, head->ts_ns, 0);
}

void mptcp_socket(struct fw_tracker *t, const struct fw_event *ev)
{
	struct fw_mptcp *m = mptcp_known(t, ev->head, ev->sock->mptcp_token);
	struct fw_conn *c = m ? &m->conn : NULL;

	if (!c)
		return;
	fw_conn_set(c, FW_CONN_SEEN);
	m->first = ev->sock->listener;
	m->closed = false;
	c->uid = ev->sock->uid;
	c->bytes_sent = ev->sock->bytes_sent;
	c->bytes_received = ev->sock->bytes_received;
	if (ev->head->flags & FW_REC_CLONED)
		c->role = FW_ROLE_PASSIVE;
	if (fw_conn_state(c) != ev->head->newstate)
		enter(c, ev->head->newstate, snapshot_since_ns(ev), FW_STEP_AT_LEAST);
	FW_OBSERVE(t->observer, socket, c, ev->sock);
}

struct fw_conn *mptcp_held(struct fw_tracker *t, const struct fw_rec_holder *holder)
{
	struct fw_mptcp *m = fw_mptcps_find(&t->mptcps, holder->head.skaddr, holder->mptcp_token);
	struct fw_listener *listener = m ? fw_listeners_at(&t->listeners, m->first) : NULL;

	if (!m)
		return NULL;
	if (listener)
		listener_held(t, listener, holder);
	if (!m->conn.pid)
		own(&m->conn, holder->pid, holder->comm, 0);
	return &m->conn;
}

void mptcp_snapshot_begin(struct fw_tracker *t)
{
	struct fw_mptcp *m = NULL;

	while ((m = fw_mptcps_next(&t->mptcps, m)))
		fw_conn_clear(&m->conn, FW_CONN_SEEN);
}

void mptcp_snapshot_end(struct fw_tracker *t)
{
	struct fw_mptcp *m = fw_mptcps_next(&t->mptcps, NULL), *next;

	for (; m; m = next) {
		next = fw_mptcps_next(&t->mptcps, m);
		if (!fw_conn_has(&m->conn, FW_CONN_SEEN) && !m->nr_subflows &&
		    m->conn.end_ns < t->snapshot_ns)
			fw_mptcps_remove(&t->mptcps, m);
	}
}
