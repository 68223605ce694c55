// SPDX-License-Identifier: GPL-2.0-only
/*
 * JSON Lines: one object per transition or connection. Field names are a contract, units are in
 * the names, and what is not known is absent.
 *
 * {"conn":9,"family":"ipv4","laddr":"127.0.0.1","lport":35510, ... ,
 *  "states":[{"state":"SYN_SENT","ns":180000}, ...],"syn_sent_ns":180000, ... ,
 *  "end":"time_wait_expired", ... }
 *
 * The time in each state is there twice: in order, in "states", and as a field of its own, because
 * tables have columns. (ClickHouse 18.16 reads no arrays of objects: tried; docs/export.md.)
 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "core/workload.h"
#include "report/stream.h"
#include "util/fmt.h"

/* Writes ,"name": or, first in its object, "name": */
static void key(struct fw_buf *b, const char *name)
{
	if (b->len && b->data[b->len - 1] != '{')
		fw_buf_putc(b, ',');
	fw_buf_putc(b, '"');
	fw_buf_puts(b, name);
	fw_buf_mem(b, "\":", 2);
}

static void number(struct fw_buf *b, const char *name, uint64_t v)
{
	key(b, name);
	fw_buf_u64(b, v);
}

/* @v needs no escaping. */
static void word(struct fw_buf *b, const char *name, const char *v)
{
	if (!v)
		return;
	key(b, name);
	fw_buf_putc(b, '"');
	fw_buf_puts(b, v);
	fw_buf_putc(b, '"');
}

static void boolean(struct fw_buf *b, const char *name, bool v)
{
	key(b, name);
	fw_buf_puts(b, v ? "true" : "false");
}

static void address(struct fw_buf *b, const char *name, const struct fw_conn *c,
		    const uint8_t addr[16])
{
	if (fw_addr_is_zero(addr))
		return;
	key(b, name);
	fw_buf_putc(b, '"');
	fw_fmt_addr(b, c->family, addr);
	fw_buf_putc(b, '"');
}

static void port(struct fw_buf *b, const char *name, uint16_t v)
{
	if (v)
		number(b, name, v);
}

static void state(struct fw_buf *b, const char *name, unsigned int s)
{
	char scratch[FW_STATE_NAME_LEN];

	word(b, name, fw_state_name(s, scratch));
}

static void text(struct fw_buf *b, const char *name, const char *v)
{
	key(b, name);
	fw_buf_json(b, v, SIZE_MAX);
}

static void netns_name(struct fw_stream *s, uint32_t inum)
{
	const char *name = s->netns_name ? s->netns_name(s->netns_arg, inum) : NULL;

	if (name)
		text(s->out, "netns_name", name);
}

static void identity(struct fw_stream *s, const struct fw_conn *c)
{
	struct fw_buf *b = s->out;

	number(b, "conn", c->id);
	word(b, "family", c->family == AF_INET ? "ipv4" : "ipv6");
	address(b, "laddr", c, c->laddr);
	port(b, "lport", c->lport);
	address(b, "raddr", c, c->raddr);
	port(b, "rport", c->rport);
	number(b, "netns", c->netns);
	netns_name(s, c->netns);
	if (fw_conn_ifindex(c))
		number(b, "ifindex", fw_conn_ifindex(c));
	word(b, "role", fw_role_name(c->role));
	if (c->pid) {
		number(b, "pid", c->pid);
		key(b, "comm");
		fw_buf_json(b, c->comm, sizeof(c->comm));
		/* Nobody was seen to accept it. */
		if (c->flags & FW_CONN_OWNER_LISTENS)
			boolean(b, "pid_of_listener", true);
		if (fw_conn_listener_holders(c) > 1)
			number(b, "listener_holders", fw_conn_listener_holders(c));
	}
	if (fw_conn_mptcp_token(c))
		number(b, "mptcp_token", fw_conn_mptcp_token(c));
}

static void cgroup(struct fw_stream *s, uint64_t id)
{
	const char *path = s->cgroup_path ? s->cgroup_path(s->cgroup_arg, id) : NULL;
	struct fw_workload w;

	if (!path)
		return;
	text(s->out, "cgroup", path);
	fw_workload_of(path, &w);
	if (w.unit[0])
		text(s->out, "unit", w.unit);
	if (w.container[0])
		text(s->out, "container", w.container);
	if (w.pod[0])
		text(s->out, "pod", w.pod);
}

static void json_transition(struct fw_stream *s, const struct fw_conn *c,
			    const struct fw_transition *tr)
{
	struct fw_buf *b = s->out;

	fw_buf_puts(b, "{\"ts\":\"");
	fw_fmt_rfc3339(b, fw_stream_wall_ns(s, tr->ts_ns));
	fw_buf_putc(b, '"');
	identity(s, c);
	cgroup(s, c->cgroup_id);
	state(b, "from", tr->from);
	state(b, "to", tr->to);
	if (tr->flags & FW_TR_DWELL_AT_MOST)
		number(b, "ns_max", tr->dwell_ns);
	else if (tr->flags & FW_TR_DWELL_AT_LEAST)
		number(b, "ns_min", tr->dwell_ns);
	else if (!(tr->flags & FW_TR_DWELL_UNKNOWN))
		number(b, "ns", tr->dwell_ns);
	if (tr->flags & FW_TR_MINISOCK)
		boolean(b, "minisock", true);
	if (tr->flags & FW_TR_SAME_SEGMENT)
		boolean(b, "same_segment", true);
	if (tr->flags & FW_TR_RESTART)
		boolean(b, "restart", true);
	if (tr->flags & FW_TR_ORPHANED)
		boolean(b, "orphaned", true);
	if (tr->flags & FW_TR_ILLEGAL)
		boolean(b, "illegal", true);
	if (tr->flags & FW_TR_END && !(c->flags & FW_CONN_LISTENER))
		word(b, "end", fw_end_name(c->end));
	fw_buf_puts(b, "}\n");
}

static void step(struct fw_buf *b, const struct fw_conn *c, unsigned int i)
{
	unsigned int flags = c->step_flags[i];

	fw_buf_puts(b, i ? ",{" : "{");
	state(b, "state", c->steps[i]);
	if (!(flags & FW_STEP_AT_MOST))
		number(b, flags & FW_STEP_AT_LEAST ? "ns_min" : "ns", fw_conn_dwell_ns(c, i));
	else if (!(flags & FW_STEP_AT_LEAST))
		number(b, "ns_max", fw_conn_dwell_ns(c, i));
	if (flags & FW_STEP_ORPHANED)
		boolean(b, "orphaned", true);
	if (c->steps[i] == FW_TIME_WAIT)
		number(b, "restarts", c->restarts);
	fw_buf_putc(b, '}');
}

/* "fin_wait_2" */
static const char *const flat_names[FW_STATE_MAX] = {
	[FW_ESTABLISHED] = "established", [FW_SYN_SENT] = "syn_sent",
	[FW_SYN_RECV] = "syn_recv",	  [FW_FIN_WAIT_1] = "fin_wait_1",
	[FW_FIN_WAIT_2] = "fin_wait_2",	  [FW_TIME_WAIT] = "time_wait",
	[FW_CLOSE] = "close",		  [FW_CLOSE_WAIT] = "close_wait",
	[FW_LAST_ACK] = "last_ack",	  [FW_LISTEN] = "listen",
	[FW_CLOSING] = "closing",
};

/* A key of an object that is not empty: ,"fin_wait_2_ns_min": */
static void flat_key(struct fw_buf *b, unsigned int s, const char *what)
{
	fw_buf_mem(b, ",\"", 2);
	fw_buf_puts(b, flat_names[s]);
	fw_buf_puts(b, what);
	fw_buf_mem(b, "\":", 2);
}

static void flat_state(struct fw_buf *b, unsigned int s, uint64_t ns, unsigned int flags,
		       const struct fw_conn *c)
{
	if (!(flags & FW_STEP_AT_LEAST && flags & FW_STEP_AT_MOST)) {
		flat_key(b, s, flags & FW_STEP_AT_LEAST ? "_ns_min" :
			       flags & FW_STEP_AT_MOST ? "_ns_max" : "_ns");
		fw_buf_u64(b, ns);
	}
	if (flags & FW_STEP_ORPHANED) {
		flat_key(b, s, "_orphaned");
		fw_buf_puts(b, "true");
	}
	if (s == FW_TIME_WAIT) {
		flat_key(b, s, "_restarts");
		fw_buf_u64(b, c->restarts);
	}
}

/* Each state once. After events were lost one may have been entered twice: then it is the sum. */
static void flat_states(struct fw_buf *b, const struct fw_conn *c)
{
	uint64_t ns[FW_STATE_MAX] = { 0 };
	unsigned int flags[FW_STATE_MAX] = { 0 }, left = 0;

	for (unsigned int i = 0; i < c->nr_steps; i++) {
		unsigned int s = c->steps[i];

		if (s >= FW_STATE_MAX || !flat_names[s])
			continue;
		ns[s] += fw_conn_dwell_ns(c, i);
		flags[s] |= c->step_flags[i];
		left |= 1U << s;
	}
	for (unsigned int i = 0; i < c->nr_steps; i++) {
		unsigned int s = c->steps[i];

		if (s >= FW_STATE_MAX || !(left & 1U << s))
			continue;
		left &= ~(1U << s);
		flat_state(b, s, ns[s], flags[s], c);
	}
}

static void error_name(struct fw_buf *b, const struct fw_conn *c)
{
	if (c->err && c->end != FW_END_OPEN)
		word(b, "error", strerrorname_np(c->err));
}

static void end(struct fw_stream *s, const struct fw_conn *c)
{
	struct fw_buf *b = s->out;

	if (c->end == FW_END_OPEN) {
		boolean(b, "open", true);
		state(b, "state", fw_conn_state(c));
		return;
	}
	fw_buf_puts(b, ",\"ended\":\"");
	fw_fmt_rfc3339(b, fw_stream_wall_ns(s, c->end_ns));
	fw_buf_putc(b, '"');
	word(b, "end", fw_end_name(c->end));
}

static void json_connection(struct fw_stream *s, const struct fw_conn *c)
{
	struct fw_buf *b = s->out;

	fw_buf_putc(b, '{');
	identity(s, c);
	cgroup(s, c->cgroup_id);
	if (c->flags & FW_CONN_SOCKET_SEEN)
		number(b, "uid", c->uid);
	fw_buf_puts(b, ",\"start\":\"");
	fw_fmt_rfc3339(b, fw_stream_wall_ns(s, c->enter_ns[0]));
	fw_buf_putc(b, '"');
	boolean(b, "start_exact", !(c->flags & FW_CONN_SINCE_BEFORE));
	fw_buf_puts(b, ",\"states\":[");
	for (unsigned int i = 0; i < c->nr_steps; i++)
		step(b, c, i);
	fw_buf_putc(b, ']');
	flat_states(b, c);
	end(s, c);
	error_name(b, c);
	word(b, "closed_by", fw_closed_by_name(c->closed_by));
	boolean(b, "three_segment_close", c->flags & FW_CONN_THREE_SEGMENT);
	boolean(b, "gap", c->flags & FW_CONN_GAP);
	/* The kernel is asked for them when the socket ends. */
	if (c->flags & FW_CONN_SOCKET_SEEN && (c->end != FW_END_OPEN || c->flags & FW_CONN_MINI)) {
		number(b, "bytes_sent", c->bytes_sent);
		number(b, "bytes_received", c->bytes_received);
		number(b, "retransmits", c->retransmits);
	} else if (c->flags & FW_CONN_REQUEST) {
		number(b, "retransmits", c->retransmits);
	}
	fw_buf_puts(b, "}\n");
}

static void json_bind_failed(struct fw_stream *s, const struct fw_bind_failure *f)
{
	const struct fw_rec_state *rec = f->rec;
	struct fw_buf *b = s->out;

	fw_buf_puts(b, "{\"ts\":\"");
	fw_fmt_rfc3339(b, fw_stream_wall_ns(s, f->ts_ns));
	fw_buf_puts(b, "\",\"event\":\"bind_failed\"");
	word(b, "family", rec->head.family == AF_INET ? "ipv4" : "ipv6");
	key(b, "laddr");
	fw_buf_putc(b, '"');
	fw_fmt_addr(b, rec->head.family, rec->head.laddr);
	fw_buf_putc(b, '"');
	port(b, "lport", rec->head.lport);
	number(b, "netns", rec->head.netns);
	netns_name(s, rec->head.netns);
	number(b, "pid", rec->pid);
	key(b, "comm");
	fw_buf_json(b, rec->comm, sizeof(rec->comm));
	cgroup(s, rec->cgroup_id);
	word(b, "error", strerrorname_np(rec->err));
	if (f->searched) {
		number(b, "held_by_time_wait", f->time_waits);
		number(b, "held_by_others", f->live);
	}
	if (f->time_waits)
		number(b, "time_wait_ns", f->time_wait_ns);
	if (f->listener && f->listener->pid) {
		number(b, "listener_pid", f->listener->pid);
		key(b, "listener_comm");
		fw_buf_json(b, f->listener->comm, sizeof(f->listener->comm));
	}
	fw_buf_puts(b, "}\n");
}

const struct fw_stream_format fw_stream_json = {
	.name = "json",
	.transition = json_transition,
	.connection = json_connection,
	.bind_failed = json_bind_failed,
};
