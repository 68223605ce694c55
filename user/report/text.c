// SPDX-License-Identifier: GPL-2.0-only
/*
 * Text for people. Columns widen when something longer comes by (IPv6), and stay so.
 *
 * CONN    PROCESS           LOCAL                  REMOTE                 PATH (time in state)   END
 * 9       python3/2676      127.0.0.1:35510        127.0.0.1:8899         SYN_SENT 0.18 ms > ...
 */
#include <string.h>
#include <sys/socket.h>

#include "core/workload.h"
#include "report/stream.h"
#include "util/fmt.h"

#define CONN_WIDTH 8
#define TIME_WIDTH 14
#define STATE_WIDTH 13
#define DWELL_WIDTH 12
#define PATH_WIDTH 100
#define END_WIDTH 27
#define MIN_FOLDED_PATH 40

static const char *const state_colors[FW_STATE_MAX] = {
	[FW_ESTABLISHED] = "\033[32m", [FW_TIME_WAIT] = "\033[36m", [FW_FIN_WAIT_2] = "\033[33m",
	[FW_CLOSE_WAIT] = "\033[35m",  [FW_CLOSING] = "\033[31m",
};

static void color(struct fw_stream *s, unsigned int state, bool on)
{
	if (s->color && state < FW_STATE_MAX && state_colors[state])
		fw_buf_puts(s->out, on ? state_colors[state] : "\033[0m");
}

/* Pads to *@width, and widens the column for the lines to come when the text did not fit. */
static void column(struct fw_stream *s, size_t since, unsigned int *width)
{
	unsigned int used = (unsigned int)(s->out->len - since);

	if (used > *width)
		*width = used;
	fw_buf_pad(s->out, since, *width + 2, 2);
}

/* "192.0.2.1:443", "[fe80::1%3]:443": @ifindex is the device that the address is of; 0: any. */
static void endpoint(struct fw_stream *s, unsigned int family, const uint8_t addr[16],
		     uint32_t ifindex, uint16_t port, unsigned int *width)
{
	size_t since = s->out->len;

	if (fw_addr_is_zero(addr) && !port) {
		fw_buf_putc(s->out, '-');
	} else {
		if (family == AF_INET6)
			fw_buf_putc(s->out, '[');
		fw_fmt_addr(s->out, family, addr);
		if (ifindex) {
			fw_buf_putc(s->out, '%');
			fw_buf_u64(s->out, ifindex);
		}
		fw_buf_puts(s->out, family == AF_INET6 ? "]:" : ":");
		if (port)
			fw_buf_u64(s->out, port);
		else
			fw_buf_putc(s->out, '*');
	}
	column(s, since, width);
}

/* @more: as many processes hold the listener besides. */
static void process(struct fw_stream *s, uint32_t pid, const char comm[FW_COMM_LEN], uint32_t more)
{
	size_t since = s->out->len;

	if (pid) {
		fw_buf_visible(s->out, comm, FW_COMM_LEN);
		fw_buf_putc(s->out, '/');
		fw_buf_u64(s->out, pid);
		if (more)
			fw_buf_printf(s->out, "+%u", more);
	} else {
		fw_buf_putc(s->out, '-');
	}
	column(s, since, &s->process_width);
}

static void who(struct fw_stream *s, const struct fw_conn *c)
{
	uint32_t holders = fw_conn_listener_holders(c);
	size_t since = s->out->len;

	fw_buf_u64(s->out, c->id);
	fw_buf_pad(s->out, since, CONN_WIDTH, 1);
	process(s, c->pid, c->comm, holders ? holders - 1 : 0);
	endpoint(s, c->family, c->laddr, fw_conn_ifindex(c), c->lport, &s->addr_width[0]);
	endpoint(s, c->family, c->raddr, 0, c->rport, &s->addr_width[1]);
}

static void text_header(struct fw_stream *s)
{
	static const char *const names[] = { "PROCESS", "LOCAL", "REMOTE" };
	unsigned int *widths[] = { &s->process_width, &s->addr_width[0], &s->addr_width[1] };
	size_t since = s->out->len;

	s->process_width = 17;
	s->addr_width[0] = s->addr_width[1] = 21;
	if (s->transitions) {
		fw_buf_puts(s->out, s->clock ? "TIME" : "TIME(s)");
		fw_buf_pad(s->out, since, TIME_WIDTH, 1);
	}
	since = s->out->len;
	fw_buf_puts(s->out, "CONN");
	fw_buf_pad(s->out, since, CONN_WIDTH, 1);
	for (int i = 0; i < 3; i++) {
		since = s->out->len;
		fw_buf_puts(s->out, names[i]);
		column(s, since, widths[i]);
	}
	if (s->transitions)
		fw_buf_puts(s->out, "FROM          TO            TIME IN FROM  NOTE\n");
	else
		fw_buf_puts(s->out, "PATH (time in state) and END\n");
}

static void when(struct fw_stream *s, uint64_t ts_ns)
{
	size_t since = s->out->len;
	uint64_t ns = ts_ns > s->start_ns ? ts_ns - s->start_ns : 0;

	if (s->clock) {
		fw_fmt_clock(s->out, fw_stream_wall_ns(s, ts_ns));
	} else {
		fw_buf_u64(s->out, ns / FW_NS_PER_S);
		fw_buf_putc(s->out, '.');
		fw_buf_u64_padded(s->out, ns % FW_NS_PER_S / 1000, 6);
	}
	fw_buf_pad(s->out, since, TIME_WIDTH, 1);
}

static void state_column(struct fw_stream *s, unsigned int state)
{
	char scratch[FW_STATE_NAME_LEN];
	size_t since;

	color(s, state, true);
	since = s->out->len;
	fw_buf_puts(s->out, fw_state_name(state, scratch));
	fw_buf_pad(s->out, since, STATE_WIDTH + 1, 1);
	color(s, state, false);
}

static void dwell(struct fw_stream *s, const struct fw_transition *tr)
{
	size_t since = s->out->len;

	if (tr->flags & FW_TR_DWELL_UNKNOWN && !(tr->flags & FW_TR_DWELL_AT_MOST)) {
		fw_buf_putc(s->out, '-');
	} else {
		if (tr->flags & FW_TR_DWELL_AT_LEAST)
			fw_buf_puts(s->out, ">= ");
		if (tr->flags & FW_TR_DWELL_AT_MOST)
			fw_buf_puts(s->out, "<= ");
		fw_fmt_duration(s->out, tr->dwell_ns);
	}
	fw_buf_pad(s->out, since, DWELL_WIDTH + 1, 1);
}

static void note(struct fw_stream *s, const struct fw_conn *c, const struct fw_transition *tr)
{
	if (tr->flags & FW_TR_ILLEGAL)
		fw_buf_puts(s->out, "not in the state machine: ");
	if (tr->flags & FW_TR_END && !(c->flags & FW_CONN_LISTENER))
		fw_buf_puts(s->out, fw_end_words(c->end));
	else if (tr->flags & FW_TR_RESTART)
		fw_buf_puts(s->out, "restarted");
	else if (tr->flags & FW_TR_ORPHANED)
		fw_buf_puts(s->out, "orphaned: the application closed");
	else if (tr->flags & FW_TR_SAME_SEGMENT)
		fw_buf_puts(s->out, "FIN+ACK in one segment");
}

/* " [netns blue, container 0123456789ab]": what the same addresses and ports can be told apart by. */
static void whose(struct fw_stream *s, uint32_t netns, uint64_t cgroup_id)
{
	const char *path = cgroup_id && s->cgroup_path ? s->cgroup_path(s->cgroup_arg, cgroup_id) : NULL;
	bool other = s->own_netns && netns != s->own_netns;
	const char *name = other && s->netns_name ? s->netns_name(s->netns_arg, netns) : NULL;
	struct fw_workload w;

	fw_workload_of(path, &w);
	if (!other && !w.container[0])
		return;
	fw_buf_puts(s->out, " [");
	if (other) {
		fw_buf_puts(s->out, "netns ");
		if (name)
			fw_buf_visible(s->out, name, SIZE_MAX);
		else
			fw_buf_u64(s->out, netns);
	}
	if (w.container[0]) {
		fw_buf_puts(s->out, other ? ", container " : "container ");
		fw_workload_words(&s->scratch, path);
		fw_buf_visible(s->out, fw_buf_str(&s->scratch), s->scratch.len);
		fw_buf_clear(&s->scratch);
	}
	fw_buf_putc(s->out, ']');
}

/* " [mptcp 1a2b3c4d]": the subflows of one connection have the same token. */
static void subflow_mark(struct fw_stream *s, const struct fw_conn *c)
{
	if (fw_conn_mptcp_token(c))
		fw_buf_printf(s->out, " [mptcp %08x]", fw_conn_mptcp_token(c));
}

static void trim(struct fw_buf *b)
{
	while (b->len && b->data[b->len - 1] == ' ')
		b->len--;
}

static void text_transition(struct fw_stream *s, const struct fw_conn *c,
			    const struct fw_transition *tr)
{
	when(s, tr->ts_ns);
	who(s, c);
	state_column(s, tr->from);
	state_column(s, tr->to);
	dwell(s, tr);
	note(s, c, tr);
	whose(s, c->netns, c->cgroup_id);
	subflow_mark(s, c);
	trim(s->out);
	fw_buf_putc(s->out, '\n');
}

/* Who is in the way, and what to do. */
static void bind_note(struct fw_buf *b, const struct fw_bind_failure *f)
{
	if (f->listener) {
		fw_buf_puts(b, ": held by a listener");
		if (f->listener->pid) {
			fw_buf_puts(b, ", ");
			fw_buf_visible(b, f->listener->comm, sizeof(f->listener->comm));
			fw_buf_printf(b, "/%u", f->listener->pid);
		}
	} else if (f->time_waits) {
		fw_buf_printf(b, ": held by %u in TIME_WAIT, for ", f->time_waits);
		fw_fmt_duration(b, f->time_wait_ns);
		fw_buf_puts(b, " more; ");
		if (f->live)
			fw_buf_printf(b, "and by %u other connections; ", f->live);
		fw_buf_puts(b, "SO_REUSEADDR does not wait");
	} else if (f->live) {
		fw_buf_printf(b, ": held by %u connections; SO_REUSEADDR does not wait", f->live);
	} else if (f->searched) {
		fw_buf_puts(b, ": what holds it was not seen");
	}
}

static void text_bind_failed(struct fw_stream *s, const struct fw_bind_failure *f)
{
	const struct fw_rec_state *rec = f->rec;
	size_t since;

	when(s, f->ts_ns);
	since = s->out->len;
	fw_buf_putc(s->out, '-');
	fw_buf_pad(s->out, since, CONN_WIDTH, 1);
	process(s, rec->pid, rec->comm, 0);
	endpoint(s, rec->head.family, rec->head.laddr, rec->head.ifindex, rec->head.lport, &s->addr_width[0]);
	fw_buf_puts(s->out, "bind() failed: ");
	fw_buf_puts(s->out, strerrorname_np(rec->err) ? strerrorname_np(rec->err) : "?");
	bind_note(s->out, f);
	whose(s, rec->head.netns, rec->cgroup_id);
	fw_buf_putc(s->out, '\n');
}

/* "FIN_WAIT_2 958 ms (orphaned)" */
static void step(struct fw_buf *b, const struct fw_conn *c, unsigned int i)
{
	char scratch[FW_STATE_NAME_LEN];
	unsigned int flags = c->step_flags[i];

	fw_buf_puts(b, fw_state_name(c->steps[i], scratch));
	if (flags & FW_STEP_AT_LEAST && flags & FW_STEP_AT_MOST) {
		fw_buf_puts(b, " ?");
	} else {
		fw_buf_puts(b, flags & FW_STEP_AT_LEAST ? " >= " :
			    flags & FW_STEP_AT_MOST ? " <= " : " ");
		fw_fmt_duration(b, fw_conn_dwell_ns(c, i));
	}
	if (flags & FW_STEP_ORPHANED)
		fw_buf_puts(b, " (orphaned)");
	if (c->steps[i] == FW_TIME_WAIT && c->restarts)
		fw_buf_printf(b, " (restarted %ux)", c->restarts);
}

static void newline(struct fw_stream *s, size_t indent)
{
	trim(s->out);
	fw_buf_putc(s->out, '\n');
	fw_buf_pad(s->out, s->out->len, indent, 0);
}

static const char *gap_words(const struct fw_conn *c)
{
	return c->flags & FW_CONN_GAP ? " (events lost)" : "";
}

/* The same for most, so that ends stand below each other. */
static size_t end_columns(const struct fw_conn *c)
{
	size_t len = strlen(fw_end_words(c->end)) + strlen(gap_words(c)) + 2;

	return len > END_WIDTH ? len : END_WIDTH;
}

static void end_words(struct fw_stream *s, const struct fw_conn *c)
{
	fw_buf_puts(s->out, fw_end_words(c->end));
	fw_buf_puts(s->out, gap_words(c));
}

/* Folded, it has a line of its own. */
static void whose_line(struct fw_stream *s, const struct fw_conn *c, size_t indent)
{
	size_t before = s->out->len, after;

	if (s->width)
		newline(s, indent - 1);
	after = s->out->len;
	whose(s, c->netns, c->cgroup_id);
	subflow_mark(s, c);
	if (s->out->len == after)
		s->out->len = before;
	fw_buf_putc(s->out, '\n');
}

/* All its steps, folded where they would take more than @room columns. Returns those of the last line. */
static size_t path(struct fw_stream *s, const struct fw_conn *c, size_t indent, size_t room)
{
	size_t used = 0;
	unsigned int i = 0;

	while (i < c->nr_steps) {
		size_t before = s->out->len, more = i + 1U < c->nr_steps ? 2 : 0, since, len;

		if (used)
			fw_buf_putc(s->out, ' ');
		color(s, c->steps[i], true);
		since = s->out->len;
		step(s->out, c, i);
		len = s->out->len - since;
		if (used && used + 1 + len + more > room) {
			/* It does not fit: again, on the next line. */
			s->out->len = before;
			newline(s, indent);
			used = 0;
			continue;
		}
		color(s, c->steps[i], false);
		if (more)
			fw_buf_puts(s->out, " >");
		used += (used ? 1 : 0) + len + more;
		i++;
	}
	return used;
}

/* For the path, if lines are folded: what @indent and the end leave. */
static size_t path_columns(const struct fw_stream *s, const struct fw_conn *c, size_t indent)
{
	size_t others = indent + end_columns(c);

	return s->width > others + MIN_FOLDED_PATH ? s->width - others : MIN_FOLDED_PATH;
}

/* Folded: the path within its column, the end beside its last line. */
static void text_connection(struct fw_stream *s, const struct fw_conn *c)
{
	size_t line = s->out->len, indent, room, used;

	who(s, c);
	indent = s->out->len - line;
	room = s->width ? path_columns(s, c, indent) : PATH_WIDTH;
	used = path(s, c, indent, s->width ? room : SIZE_MAX);
	fw_buf_pad(s->out, s->out->len, used + 2 < room ? room - used : 2, 2);
	end_words(s, c);
	whose_line(s, c, indent);
}

const struct fw_stream_format fw_stream_text = {
	.name = "text",
	.header = text_header,
	.transition = text_transition,
	.connection = text_connection,
	.bind_failed = text_bind_failed,
};
