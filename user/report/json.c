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
#include "util/json.h"

static void number(struct fw_json *j, const char *name, uint64_t v)
{
	fw_json_key(j, name);
	fw_json_u64(j, v);
}

/* @v needs no escapes; NULL: it is not known. */
static void word(struct fw_json *j, const char *name, const char *v)
{
	if (!v)
		return;
	fw_json_key(j, name);
	fw_json_word(j, v);
}

static void boolean(struct fw_json *j, const char *name, bool v)
{
	fw_json_key(j, name);
	fw_json_bool(j, v);
}

static void address(struct fw_json *j, const char *name, unsigned int family, const uint8_t addr[16])
{
	fw_json_key(j, name);
	fw_json_quote(j);
	fw_fmt_addr(j->out, family, addr);
	fw_json_quote_end(j);
}

static void known_address(struct fw_json *j, const char *name, const struct fw_conn *c,
			  const uint8_t addr[16])
{
	if (!fw_addr_is_zero(addr))
		address(j, name, c->family, addr);
}

static void port(struct fw_json *j, const char *name, uint16_t v)
{
	if (v)
		number(j, name, v);
}

static void state(struct fw_json *j, const char *name, unsigned int s)
{
	char scratch[FW_STATE_NAME_LEN];

	word(j, name, fw_state_name(s, scratch));
}

static void text(struct fw_json *j, const char *name, const char *v, size_t max_len)
{
	fw_json_key(j, name);
	fw_json_text(j, v, max_len);
}

static void moment(struct fw_json *j, const char *name, const struct fw_stream *s, uint64_t ts_ns)
{
	fw_json_key(j, name);
	fw_json_quote(j);
	fw_fmt_rfc3339(j->out, fw_stream_wall_ns(s, ts_ns));
	fw_json_quote_end(j);
}

static void line_end(struct fw_json *j)
{
	fw_json_object_end(j);
	fw_json_line_end(j);
}

static void netns_name(struct fw_json *j, const struct fw_stream *s, uint32_t inum)
{
	const char *name = s->netns_name ? s->netns_name(s->netns_arg, inum) : NULL;

	if (name)
		text(j, "netns_name", name, SIZE_MAX);
}

static void identity(struct fw_json *j, const struct fw_stream *s, const struct fw_conn *c)
{
	number(j, "conn", c->id);
	word(j, "family", c->family == AF_INET ? "ipv4" : "ipv6");
	known_address(j, "laddr", c, c->laddr);
	port(j, "lport", c->lport);
	known_address(j, "raddr", c, c->raddr);
	port(j, "rport", c->rport);
	number(j, "netns", c->netns);
	netns_name(j, s, c->netns);
	if (fw_conn_ifindex(c))
		number(j, "ifindex", fw_conn_ifindex(c));
	word(j, "role", fw_role_name(c->role));
	if (c->pid) {
		number(j, "pid", c->pid);
		text(j, "comm", c->comm, sizeof(c->comm));
		/* Nobody was seen to accept it. */
		if (c->flags & FW_CONN_OWNER_LISTENS)
			boolean(j, "pid_of_listener", true);
		if (fw_conn_listener_holders(c) > 1)
			number(j, "listener_holders", fw_conn_listener_holders(c));
	}
	if (fw_conn_mptcp_token(c))
		number(j, "mptcp_token", fw_conn_mptcp_token(c));
}

static void cgroup(struct fw_json *j, const struct fw_stream *s, uint64_t id)
{
	const char *path = s->cgroup_path ? s->cgroup_path(s->cgroup_arg, id) : NULL;
	struct fw_workload w;

	if (!path)
		return;
	text(j, "cgroup", path, SIZE_MAX);
	fw_workload_of(path, &w);
	if (w.unit[0])
		text(j, "unit", w.unit, SIZE_MAX);
	if (w.container[0])
		text(j, "container", w.container, SIZE_MAX);
	if (w.pod[0])
		text(j, "pod", w.pod, SIZE_MAX);
}

static void json_transition(struct fw_stream *s, const struct fw_conn *c,
			    const struct fw_transition *tr)
{
	struct fw_json line = { .out = s->out }, *j = &line;

	fw_json_object(j);
	moment(j, "ts", s, tr->ts_ns);
	identity(j, s, c);
	cgroup(j, s, c->cgroup_id);
	state(j, "from", tr->from);
	state(j, "to", tr->to);
	if (tr->flags & FW_TR_DWELL_AT_MOST)
		number(j, "ns_max", tr->dwell_ns);
	else if (tr->flags & FW_TR_DWELL_AT_LEAST)
		number(j, "ns_min", tr->dwell_ns);
	else if (!(tr->flags & FW_TR_DWELL_UNKNOWN))
		number(j, "ns", tr->dwell_ns);
	if (tr->flags & FW_TR_MINISOCK)
		boolean(j, "minisock", true);
	if (tr->flags & FW_TR_SAME_SEGMENT)
		boolean(j, "same_segment", true);
	if (tr->flags & FW_TR_RESTART)
		boolean(j, "restart", true);
	if (tr->flags & FW_TR_ORPHANED)
		boolean(j, "orphaned", true);
	if (tr->flags & FW_TR_ILLEGAL)
		boolean(j, "illegal", true);
	if (tr->flags & FW_TR_END && !(c->flags & FW_CONN_LISTENER))
		word(j, "end", fw_end_name(c->end));
	line_end(j);
}

static void step(struct fw_json *j, const struct fw_conn *c, unsigned int i)
{
	unsigned int flags = c->step_flags[i];

	fw_json_object(j);
	state(j, "state", c->steps[i]);
	if (!(flags & FW_STEP_AT_MOST))
		number(j, flags & FW_STEP_AT_LEAST ? "ns_min" : "ns", fw_conn_dwell_ns(c, i));
	else if (!(flags & FW_STEP_AT_LEAST))
		number(j, "ns_max", fw_conn_dwell_ns(c, i));
	if (flags & FW_STEP_ORPHANED)
		boolean(j, "orphaned", true);
	if (c->steps[i] == FW_TIME_WAIT)
		number(j, "restarts", c->restarts);
	fw_json_object_end(j);
}

static void steps(struct fw_json *j, const struct fw_conn *c)
{
	fw_json_key(j, "states");
	fw_json_array(j);
	for (unsigned int i = 0; i < c->nr_steps; i++)
		step(j, c, i);
	fw_json_array_end(j);
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

/* "fin_wait_2_ns_min" and what else is known of the state. */
static void flat_state(struct fw_json *j, unsigned int s, uint64_t ns, unsigned int flags,
		       const struct fw_conn *c)
{
	if (!(flags & FW_STEP_AT_LEAST && flags & FW_STEP_AT_MOST)) {
		fw_json_key_parts(j, flat_names[s], flags & FW_STEP_AT_LEAST ? "_ns_min" :
						    flags & FW_STEP_AT_MOST  ? "_ns_max" : "_ns");
		fw_json_u64(j, ns);
	}
	if (flags & FW_STEP_ORPHANED) {
		fw_json_key_parts(j, flat_names[s], "_orphaned");
		fw_json_bool(j, true);
	}
	if (s == FW_TIME_WAIT) {
		fw_json_key_parts(j, flat_names[s], "_restarts");
		fw_json_u64(j, c->restarts);
	}
}

/* Each state once. After events were lost one may have been entered twice: then it is the sum. */
static void flat_states(struct fw_json *j, const struct fw_conn *c)
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
		flat_state(j, s, ns[s], flags[s], c);
	}
}

static void error_name(struct fw_json *j, const struct fw_conn *c)
{
	if (c->err && c->end != FW_END_OPEN)
		word(j, "error", strerrorname_np(c->err));
}

static void end(struct fw_json *j, const struct fw_stream *s, const struct fw_conn *c)
{
	if (c->end == FW_END_OPEN) {
		boolean(j, "open", true);
		state(j, "state", fw_conn_state(c));
		return;
	}
	moment(j, "ended", s, c->end_ns);
	word(j, "end", fw_end_name(c->end));
}

/* The kernel is asked for them when the socket ends. */
static void totals(struct fw_json *j, const struct fw_conn *c)
{
	if (c->flags & FW_CONN_SOCKET_SEEN && (c->end != FW_END_OPEN || c->flags & FW_CONN_MINI)) {
		number(j, "bytes_sent", c->bytes_sent);
		number(j, "bytes_received", c->bytes_received);
		number(j, "retransmits", c->retransmits);
	} else if (c->flags & FW_CONN_REQUEST) {
		number(j, "retransmits", c->retransmits);
	}
}

static void json_connection(struct fw_stream *s, const struct fw_conn *c)
{
	struct fw_json line = { .out = s->out }, *j = &line;

	fw_json_object(j);
	identity(j, s, c);
	cgroup(j, s, c->cgroup_id);
	if (c->flags & FW_CONN_SOCKET_SEEN)
		number(j, "uid", c->uid);
	moment(j, "start", s, c->enter_ns[0]);
	boolean(j, "start_exact", !(c->flags & FW_CONN_SINCE_BEFORE));
	steps(j, c);
	flat_states(j, c);
	end(j, s, c);
	error_name(j, c);
	word(j, "closed_by", fw_closed_by_name(c->closed_by));
	boolean(j, "three_segment_close", c->flags & FW_CONN_THREE_SEGMENT);
	boolean(j, "gap", c->flags & FW_CONN_GAP);
	totals(j, c);
	line_end(j);
}

static void json_bind_failed(struct fw_stream *s, const struct fw_bind_failure *f)
{
	const struct fw_rec_state *rec = f->rec;
	struct fw_json line = { .out = s->out }, *j = &line;

	fw_json_object(j);
	moment(j, "ts", s, f->ts_ns);
	word(j, "event", "bind_failed");
	word(j, "family", rec->head.family == AF_INET ? "ipv4" : "ipv6");
	address(j, "laddr", rec->head.family, rec->head.laddr);
	port(j, "lport", rec->head.lport);
	number(j, "netns", rec->head.netns);
	netns_name(j, s, rec->head.netns);
	number(j, "pid", rec->pid);
	text(j, "comm", rec->comm, sizeof(rec->comm));
	cgroup(j, s, rec->cgroup_id);
	word(j, "error", strerrorname_np(rec->err));
	if (f->searched) {
		number(j, "held_by_time_wait", f->time_waits);
		number(j, "held_by_others", f->live);
	}
	if (f->time_waits)
		number(j, "time_wait_ns", f->time_wait_ns);
	if (f->listener && f->listener->pid) {
		number(j, "listener_pid", f->listener->pid);
		text(j, "listener_comm", f->listener->comm, sizeof(f->listener->comm));
	}
	line_end(j);
}

const struct fw_stream_format fw_stream_json = {
	.name = "json",
	.transition = json_transition,
	.connection = json_connection,
	.bind_failed = json_bind_failed,
};
