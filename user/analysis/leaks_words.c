// SPDX-License-Identifier: GPL-2.0-only
/*
 * Words of leaks: verdicts, peers, descriptors, holders, and the cells of a group.
 */
#include <string.h>
#include <sys/socket.h>

#include "analysis/leaks_internal.h"
#include "analysis/words.h"
#include "util/fmt.h"

#define FDS_SHOWN 12
#define HOLDERS_SHOWN 4
#define HOLDERS_MAX 256

const struct leak_words leak_verdicts[LEAK_VERDICT_MAX] = {
	[NEVER_CLOSED] = {
		"close-wait-leak", "never_closed", "never closed",
		"The peer has closed, the application has read to the end of the stream, and "
		"still has the descriptor open.",
		"Find the code that sees read() return 0 (or an error) and does not call close(); "
		"the descriptors listed are the ones it forgot." },
	[NEVER_READ] = {
		"close-wait-leak", "never_read", "never read",
		"The peer has closed, and the application has not read that: it does not look "
		"at these connections any more.",
		"See what the process waits for (its stacks, /proc/PID/wchan): the descriptor has "
		"left its poll set, or the thread that serves it is stuck." },
	[NEVER_ACCEPTED] = {
		"close-wait-leak", "never_accepted", "never accepted",
		"The connections wait in the accept queue of a listener that does not call accept(), "
		"and the peers have given up meanwhile.",
		"See why the process does not accept: it is stuck, overloaded or out of descriptors; "
		"peers see a server that accepts and never answers." },
	[SHARED] = { "inherited-sockets", "shared", "inherited", NULL, NULL },
	[NEVER_REUSED] = { "connection-leak", "never_reused", "not used any more", NULL, NULL },
	[DEAD] = { "closed-socket-held", "dead", "over, descriptor open", NULL, NULL },
	[HALF_CLOSED] = { "fin-wait-2-peer-stall", "half_closed", "half-closed", NULL, NULL },
};

const char *leak_meaning(const struct leak_group *g)
{
	/* The kernel does not show whether read() of an MPTCP socket has returned 0. */
	if (g->mptcp && g->verdict == NEVER_CLOSED)
		return "The peer has closed the MPTCP connection, the application has read all data, and "
		       "still has the descriptor open. Its subflows are ESTABLISHED until the peer gives up.";
	return leak_verdicts[g->verdict].meaning;
}

static void say_address(struct fw_buf *b, const struct leak_sock *s)
{
	if (s->family == AF_INET6)
		fw_buf_putc(b, '[');
	fw_fmt_addr(b, s->family, s->raddr);
	if (s->family == AF_INET6)
		fw_buf_putc(b, ']');
}

void leak_say_peer(struct fw_buf *b, const struct leak_group *g)
{
	if (g->nr_peers > 1)
		fw_buf_puts(b, g->passive ? "several clients" : "several addresses");
	else
		say_address(b, g->first);
	if (g->passive)
		fw_buf_printf(b, " to our port %u", g->key.port);
	else
		fw_buf_printf(b, g->nr_peers > 1 ? ", port %u" : ":%u", g->key.port);
}

/* "5-9,12": members are in the order of their descriptors. */
void leak_say_fds(struct fw_buf *b, const struct leak_group *g)
{
	const struct leak_keyed *members = g->members;
	unsigned int shown = 0;

	for (size_t i = 0, j; i < g->nr; i = j) {
		uint32_t fd = members[i].sock->fd;

		for (j = i + 1; j < g->nr && members[j].sock->fd == fd + (j - i); j++)
			;
		if (shown++ == FDS_SHOWN) {
			fw_buf_puts(b, ",...");
			return;
		}
		fw_buf_printf(b, "%s%u", i ? "," : "", fd);
		if (j > i + 1)
			fw_buf_printf(b, "-%u", fd + (uint32_t)(j - i - 1));
	}
}

void leak_say_process(struct fw_buf *b, const struct leak_group *g)
{
	if (!g->pid) {
		fw_buf_puts(b, "unknown process");
		return;
	}
	fw_buf_mem(b, g->comm, strnlen(g->comm, sizeof(g->comm)));
	fw_buf_printf(b, "/%u", g->pid);
}

/* All processes that hold any of the group: adds them to @pids, returns how many. */
static size_t holders_of(const struct leak_group *g, uint32_t pids[HOLDERS_MAX])
{
	size_t nr = 0;

	for (size_t i = 0; i < g->nr; i++) {
		const struct leak_sock *s = g->members[i].sock;

		for (unsigned int k = 0; k < s->nr_pids && nr < HOLDERS_MAX; k++) {
			size_t j = 0;

			while (j < nr && pids[j] != s->pids[k])
				j++;
			pids[nr] = s->pids[k];
			nr += j == nr;
		}
	}
	return nr;
}

static void say_one(struct fw_buf *b, const struct fw_leaks *l, uint32_t pid)
{
	const struct leak_process *p = leak_process_of(&l->last, pid);

	if (p) {
		fw_buf_mem(b, p->rec.comm, strnlen(p->rec.comm, sizeof(p->rec.comm)));
		fw_buf_putc(b, '/');
	}
	fw_buf_u64(b, pid);
}

size_t leak_say_holders(struct fw_buf *b, const struct fw_leaks *l, const struct leak_group *g)
{
	uint32_t pids[HOLDERS_MAX];
	size_t nr = holders_of(g, pids), shown = nr < HOLDERS_SHOWN ? nr : HOLDERS_SHOWN;

	for (size_t i = 0; i < shown; i++) {
		fw_buf_puts(b, i ? ", " : "");
		say_one(b, l, pids[i]);
	}
	fw_buf_puts(b, nr > shown ? ", ..." : "");
	return nr;
}

struct fw_cell leak_text_cell(struct fw_buf *b)
{
	struct fw_cell cell = fw_cell_text(fw_buf_str(b), SIZE_MAX);

	fw_buf_clear(b);
	return cell;
}

/* ---- Cells ------------------------------------------------------------------------------- */

struct fw_cell leak_cell_oldest(const struct leak_group *g)
{
	struct fw_cell cell = fw_cell_duration(g->oldest_ns);

	return g->at_least ? fw_cell_at_least(cell) : cell;
}

struct fw_cell leak_cell_growth(const struct leak_group *g)
{
	return g->growth_known ? fw_cell_rate(g->growth_per_s) : fw_cell_unknown();
}

struct fw_cell leak_cell_limit(const struct leak_group *g)
{
	return g->limit_ns ? fw_cell_duration(g->limit_ns) : fw_cell_unknown();
}

/* Descriptors of several processes are no list. */
static bool one_process(const struct leak_group *g)
{
	for (size_t i = 0; i < g->nr; i++) {
		const struct leak_sock *s = g->members[i].sock;

		if (!s->nr_pids || s->pids[0] != g->first->pids[0])
			return false;
	}
	return true;
}

struct fw_cell leak_cell_fds(const struct leak_group *g)
{
	struct fw_cell cell = fw_cell_unknown();
	struct fw_buf b = { 0 };

	if (g->verdict != NEVER_ACCEPTED && one_process(g)) {
		leak_say_fds(&b, g);
		cell = leak_text_cell(&b);
	}
	fw_buf_free(&b);
	return cell;
}

struct fw_cell leak_cell_fds_used(const struct leak_group *g)
{
	return g->process ? fw_cell_count(g->process->rec.fds) : fw_cell_unknown();
}

struct fw_cell leak_cell_fds_limit(const struct leak_group *g)
{
	if (!g->process || g->process->rec.nofile == LEAK_UNLIMITED)
		return fw_cell_unknown();
	return fw_cell_count(g->process->rec.nofile);
}

struct fw_cell leak_cell_holders(const struct fw_leaks *l, const struct leak_group *g)
{
	struct fw_cell cell = fw_cell_unknown();
	struct fw_buf b = { 0 };

	if (g->verdict == SHARED) {
		leak_say_holders(&b, l, g);
		cell = leak_text_cell(&b);
	}
	fw_buf_free(&b);
	return cell;
}
