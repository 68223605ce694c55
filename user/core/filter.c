// SPDX-License-Identifier: GPL-2.0-only
#include "core/filter.h"

#include <fnmatch.h>
#include <string.h>

bool fw_filter_has_owner(const struct fw_filter *f)
{
	return f->nr_pids || f->nr_comms || f->cgroup;
}

bool fw_filter_is_set_within_netns(const struct fw_filter *f)
{
	return fw_rule_has_endpoints(&f->rule) || fw_filter_has_owner(f);
}

bool fw_filter_is_set(const struct fw_filter *f)
{
	return fw_rule_is_set(&f->rule) || fw_filter_has_owner(f);
}

bool fw_filter_netns(const struct fw_filter *f, uint32_t netns)
{
	return fw_rule_netns(&f->rule, netns);
}

/* An end that is not known is not the one that was asked for. */
bool fw_filter_endpoints(const struct fw_filter *f, const struct fw_conn *c)
{
	return fw_rule_endpoints(&f->rule, (struct fw_endpoints){ c->netns, c->family, c->lport,
								  c->rport, c->laddr, c->raddr }, 0);
}

enum fw_rule_answer fw_filter_admits(const struct fw_filter *f, const struct fw_rec_head *head)
{
	switch (head->kind) {
	case FW_REC_STATE:
		return fw_rule_transition(&f->rule, head, head->oldstate, true);
	case FW_REC_SOCK:
		return fw_rule_full(&f->rule, head) ? FW_RULE_IN : FW_RULE_OUT;
	case FW_REC_HOLDER:
	case FW_REC_PROCESS:
	case FW_REC_SNAP_BEGIN:
	case FW_REC_SNAP_NETNS:
	case FW_REC_SNAP_END:
		return FW_RULE_IN;
	default:
		return fw_rule_head(&f->rule, head) ? FW_RULE_IN : FW_RULE_OUT;
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
	return fw_rule_endpoints(&f->rule, fw_endpoints_of(&rec->head), 0) &&
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
