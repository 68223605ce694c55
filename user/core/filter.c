// SPDX-License-Identifier: GPL-2.0-only
#include "core/filter.h"

#include <fnmatch.h>
#include <string.h>
#include <sys/socket.h>

static bool port_listed(const uint16_t *ports, unsigned int nr, uint16_t port)
{
	for (unsigned int i = 0; i < nr; i++) {
		if (ports[i] == port)
			return true;
	}
	return !nr;
}

static bool in_cidr(const struct fw_cidr *cidr, uint8_t family, const uint8_t addr[16])
{
	unsigned int whole = cidr->prefix_len / 8, rest = cidr->prefix_len % 8;

	if (cidr->family != family || memcmp(cidr->addr, addr, whole))
		return false;
	return !rest || !((cidr->addr[whole] ^ addr[whole]) >> (8 - rest));
}

static bool addr_listed(const struct fw_cidr *cidrs, unsigned int nr, uint8_t family,
			const uint8_t addr[16])
{
	for (unsigned int i = 0; i < nr; i++) {
		if (in_cidr(&cidrs[i], family, addr))
			return true;
	}
	return !nr;
}

bool fw_filter_is_set(const struct fw_filter *f)
{
	return f->family || f->nr_lports || f->nr_rports || f->nr_local || f->nr_remote ||
	       f->netns || f->nr_pids || f->nr_comms || f->cgroup;
}

bool fw_filter_endpoints(const struct fw_filter *f, const struct fw_conn *c)
{
	return (!f->netns || f->netns == c->netns) && (!f->family || f->family == c->family) &&
	       port_listed(f->lports, f->nr_lports, c->lport) &&
	       port_listed(f->rports, f->nr_rports, c->rport) &&
	       addr_listed(f->local, f->nr_local, c->family, c->laddr) &&
	       addr_listed(f->remote, f->nr_remote, c->family, c->raddr);
}

static bool admits(const struct fw_filter *f, const struct fw_rec_head *head)
{
	return (!f->family || f->family == head->family) &&
	       (!f->netns || f->netns == head->netns) &&
	       (!head->lport || port_listed(f->lports, f->nr_lports, head->lport)) &&
	       (!head->rport || port_listed(f->rports, f->nr_rports, head->rport)) &&
	       (fw_addr_is_zero(head->laddr) ||
		addr_listed(f->local, f->nr_local, head->family, head->laddr)) &&
	       (fw_addr_is_zero(head->raddr) ||
		addr_listed(f->remote, f->nr_remote, head->family, head->raddr));
}

bool fw_filter_admits(const struct fw_filter *f, const struct fw_rec_head *head)
{
	switch (head->kind) {
	case FW_REC_STATE:
	case FW_REC_SOCK:
		/* A dual-stack socket, before its peer (v4-mapped or not) is known. */
		if (head->family == AF_INET6 && f->family == AF_INET)
			return !head->rport && (!f->netns || f->netns == head->netns);
		return admits(f, head);
	case FW_REC_HOLDER:
	case FW_REC_PROCESS:
	case FW_REC_SNAP_BEGIN:
	case FW_REC_SNAP_NETNS:
	case FW_REC_SNAP_END:
		return true;
	default:
		return admits(f, head);
	}
}

static bool comm_listed(const struct fw_filter *f, const char comm[FW_COMM_LEN])
{
	char name[FW_COMM_LEN + 1] = "";

	memcpy(name, comm, FW_COMM_LEN);
	for (unsigned int i = 0; i < f->nr_comms; i++) {
		if (!fnmatch(f->comms[i], name, 0))
			return true;
	}
	return !f->nr_comms;
}

static bool pid_listed(const struct fw_filter *f, uint32_t pid)
{
	for (unsigned int i = 0; i < f->nr_pids; i++) {
		if (f->pids[i] == pid)
			return true;
	}
	return !f->nr_pids;
}

static bool cgroup_wanted(const struct fw_filter *f, uint64_t id)
{
	const char *path;
	size_t len;

	if (!f->cgroup)
		return true;
	path = f->cgroup_path ? f->cgroup_path(f->cgroup_arg, id) : NULL;
	len = strlen(f->cgroup);
	while (len && f->cgroup[len - 1] == '/')
		len--;
	return path && !strncmp(path, f->cgroup, len) && (!path[len] || path[len] == '/' || !len);
}

bool fw_filter_owner(const struct fw_filter *f, uint32_t pid, const char comm[FW_COMM_LEN],
		     uint64_t cgroup_id)
{
	if ((f->nr_pids || f->nr_comms) && !pid)
		return false;
	return pid_listed(f, pid) && comm_listed(f, comm) && cgroup_wanted(f, cgroup_id);
}

bool fw_filter_subject(const struct fw_filter *f, const struct fw_conn *c)
{
	return fw_filter_endpoints(f, c) && fw_filter_owner(f, c->pid, c->comm, c->cgroup_id);
}

bool fw_filter_record(const struct fw_filter *f, const struct fw_rec_state *rec)
{
	return (!f->family || f->family == rec->head.family) &&
	       (!f->netns || f->netns == rec->head.netns) && !f->nr_rports && !f->nr_remote &&
	       port_listed(f->lports, f->nr_lports, rec->head.lport) &&
	       addr_listed(f->local, f->nr_local, rec->head.family, rec->head.laddr) &&
	       fw_filter_owner(f, rec->pid, rec->comm, rec->cgroup_id);
}

bool fw_filter_connection(const struct fw_filter *f, const struct fw_conn *c)
{
	if (!fw_filter_subject(f, c))
		return false;
	if (!f->states && !f->min_duration_ns)
		return true;
	for (unsigned int i = 0; i < c->nr_steps; i++) {
		if (f->states && !(f->states & (1U << c->steps[i])))
			continue;
		if (fw_conn_dwell_ns(c, i) >= f->min_duration_ns)
			return true;
	}
	return false;
}

bool fw_filter_transition(const struct fw_filter *f, const struct fw_conn *c,
			  const struct fw_transition *tr)
{
	if (!fw_filter_subject(f, c) || tr->dwell_ns < f->min_duration_ns)
		return false;
	return !f->states || f->states & (1U << tr->from | 1U << tr->to);
}
