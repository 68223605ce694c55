// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a session is told. Names are inputs as well: the running kernel is asked for one when its
 * number is first seen, a recording tells it there.
 */
#include "cmd/inputs.h"

#include <stdio.h>
#include <string.h>

#include "cmd/cost.h"
#include "cmd/tap.h"
#include "io/netns.h"
#include "io/netns_names.h"
#include "io/say.h"

/* ---- Marks ------------------------------------------------------------------------------- */

/* A recording may have left it out where there should be one. */
static const char *text_of(const struct fw_mark *mark)
{
	return mark->text ? mark->text : "";
}

static void on_values(struct fw_session *s, const struct fw_mark *mark)
{
	struct fw_readings *first = s->last.nr_sets == 1 ? &s->first : NULL;
	struct fw_netns_values v;

	fw_netns_values_parse(&v, text_of(mark), mark->len);
	v.netns = (uint32_t)mark->number;
	fw_readings_add(&s->last, &v);
	if (first)
		fw_readings_add(first, &v);
}

static bool is_netns_wanted(const struct fw_options *opt, const struct fw_mark *mark)
{
	for (size_t i = 0; mark->text && i < opt->nr_netns_names; i++) {
		const char *name = opt->netns_names[i];

		if (strlen(name) == mark->len && !memcmp(name, mark->text, mark->len))
			return true;
	}
	return false;
}

/* --netns NAME of a recording. Several namespaces in succession may have the name: the last of them have
 * room behind those that were given by number.
 */
static void filter_netns(struct fw_session *s, const struct fw_mark *mark)
{
	struct fw_filter_rule *rule = &s->filter.rule;
	uint32_t by_number = s->opt->filter.rule.nr_netns, i = by_number;
	bool wanted = is_netns_wanted(s->opt, mark);

	while (i < rule->nr_netns && rule->netns[i] != mark->number)
		i++;
	if (i < rule->nr_netns && !wanted)
		rule->netns[i] = FW_NO_NETNS;
	if (i < rule->nr_netns || !wanted)
		return;
	if (rule->nr_netns == FW_MAX_NETNS)
		memmove(&rule->netns[by_number], &rule->netns[by_number + 1],
			(FW_MAX_NETNS - by_number - 1) * sizeof(rule->netns[0]));
	else
		rule->nr_netns++;
	rule->netns[rule->nr_netns - 1] = (uint32_t)mark->number;
}

static void on_netns(struct fw_session *s, const struct fw_mark *mark)
{
	fw_names_set(&s->netns, mark->number, mark->text, mark->len);
	if (s->opt->nr_netns_names)
		filter_netns(s, mark);
}

/* Later than the user wants to look. */
static bool is_too_late(struct fw_session *s, uint64_t ts_ns)
{
	if (!s->until_ns || ts_ns <= s->until_ns)
		return false;
	s->src->ended = true;
	s->now_ns = s->until_ns;
	return true;
}

static void on_time(struct fw_session *s, uint64_t ts_ns)
{
	if (ts_ns > s->now_ns)
		s->now_ns = ts_ns;
	fw_tracker_advance(&s->tracker, s->now_ns);
	fw_tracker_expire(&s->tracker, s->now_ns);
}

/* --netns NAME of the running kernel: the kernel side goes by the number that the namespace had. */
static void leave_netns(struct fw_session *s, uint32_t inum)
{
	struct fw_filter_rule *rule = &s->filter.rule;
	uint32_t now;

	for (uint32_t i = 0; i < rule->nr_netns; i++) {
		const char *arg = s->opt->netns_args[i];

		if (rule->netns[i] != inum || (!fw_netns_parse(arg, &now, NULL) && now == inum))
			continue;
		rule->netns[i] = FW_NO_NETNS;
		s->admit_all = false;
		fw_say(FW_LEVEL_INFO, "the network namespace %s is gone, and its number belongs to "
				"another one, which is not watched", arg);
	}
}

static void on_netns_reborn(struct fw_session *s, const struct fw_mark *mark)
{
	if (!s->src->info.recorded)
		leave_netns(s, (uint32_t)mark->number);
	fw_tracker_netns_reborn(&s->tracker, (uint32_t)mark->number, mark->ts_ns);
	fw_names_reborn(&s->netns, mark->number);
	if (s->opt->nr_netns_names)
		filter_netns(s, mark);
}

static void on_clock(struct fw_session *s, const struct fw_mark *mark)
{
	fw_wall_clock_step(&s->clock, mark->ts_ns, (int64_t)mark->number);
	if (s->until_wall_ns)
		s->until_ns = s->until_wall_ns - mark->number;
}

void fw_inputs_mark(void *arg, const struct fw_mark *mark)
{
	struct fw_session *s = arg;

	if (is_too_late(s, mark->ts_ns))
		return;
	fw_tap_mark(s, mark);
	switch (mark->kind) {
	case FW_MARK_TIME:
	case FW_MARK_END:
		on_time(s, mark->ts_ns);
		break;
	case FW_MARK_LOST:
		fw_tracker_lost(&s->tracker, mark->number, mark->ts_ns);
		break;
	case FW_MARK_SUPPRESSED:
		s->seen.suppressed = mark->number;
		break;
	case FW_MARK_CGROUP:
		fw_names_set(&s->cgroups, mark->number, mark->text, mark->len);
		break;
	case FW_MARK_NETNS:
		on_netns(s, mark);
		break;
	case FW_MARK_VALUES_BEGIN:
		fw_readings_begin(&s->last);
		break;
	case FW_MARK_VALUES:
		on_values(s, mark);
		break;
	case FW_MARK_VALUES_END:
		if (s->on_counters)
			s->on_counters(s->on_counters_arg, &s->last);
		break;
	case FW_MARK_NETNS_REFUSED:
		s->seen.netns_refused = (uint32_t)mark->number;
		s->seen.refused_netns = (uint32_t)(mark->number >> 32);
		break;
	case FW_MARK_NETNS_HIDDEN:
		s->seen.netns_hidden = (uint32_t)mark->number;
		break;
	case FW_MARK_CLOCK:
		on_clock(s, mark);
		break;
	case FW_MARK_NETNS_REBORN:
		on_netns_reborn(s, mark);
		break;
	case FW_MARK_COST:
		fw_cost_parse(&s->cost, text_of(mark), mark->len);
		break;
	case FW_MARK_MAX:
		break;
	}
}

/* ---- Names ------------------------------------------------------------------------------- */

static void name(struct fw_session *s, enum fw_mark_kind kind, uint64_t number, const char *text)
{
	const struct fw_mark mark = {
		.kind = kind, .number = number, .text = text, .len = text ? strlen(text) : 0,
	};

	fw_inputs_mark(s, &mark);
}

/* Control groups and namespaces are named now, while they exist. */
static void name_cgroup(struct fw_session *s, uint64_t id)
{
	if (s->src->ops->cgroup_path && !fw_names_knows(&s->cgroups, id))
		name(s, FW_MARK_CGROUP, id, s->src->ops->cgroup_path(s->src, id));
}

static bool is_same(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

/* The name of "ip netns" holds for the namespace's life; of one that is known by a process, that may end. */
static bool is_named_for_life(const struct fw_session *s, uint32_t inum)
{
	const char *name = fw_names_get(&s->netns, inum);

	return name && fw_names_life(&s->netns, inum) &&
	       strncmp(name, FW_NETNS_OF_PID, sizeof(FW_NETNS_OF_PID) - 1);
}

/* It is asked for until its name is known, and again when its number begins another life. */
static void name_netns(struct fw_session *s, const struct fw_rec_head *head)
{
	uint32_t inum = head->netns;
	const char *now;
	uint64_t last_ns;

	if (!s->src->ops->netns_name)
		return;
	if (fw_names_seen(&s->netns, inum, head->netns_life, head->ts_ns, &last_ns)) {
		const struct fw_mark reborn = {
			.kind = FW_MARK_NETNS_REBORN, .number = inum, .ts_ns = last_ns,
		};

		fw_inputs_mark(s, &reborn);
	}
	if (is_named_for_life(s, inum) || !fw_names_due(&s->netns, inum, head->ts_ns))
		return;
	now = s->src->ops->netns_name(s->src, inum, head->netns_life);
	if (!fw_names_knows(&s->netns, inum) || !is_same(now, fw_names_get(&s->netns, inum)))
		name(s, FW_MARK_NETNS, inum, now);
	fw_names_seen(&s->netns, inum, head->netns_life, head->ts_ns, &last_ns);
}

static uint64_t cgroup_of(const struct fw_event *ev)
{
	if (ev->state)
		return ev->state->cgroup_id;
	if (ev->sock)
		return ev->sock->cgroup_id;
	return ev->process ? ev->process->cgroup_id : 0;
}

/* ---- Records ----------------------------------------------------------------------------- */

void fw_inputs_record(void *arg, const void *record, size_t len)
{
	struct fw_session *s = arg;
	enum fw_rule_answer answer;
	struct fw_event ev;

	if (fw_decode(record, len, &s->symbols, &ev)) {
		s->malformed++;
		return;
	}
	answer = s->admit_all ? FW_RULE_IN : fw_filter_admits(&s->filter, ev.head);
	if (is_too_late(s, ev.head->ts_ns) || answer == FW_RULE_OUT)
		return;
	if (answer == FW_RULE_FORGET) {
		fw_tracker_forget(&s->tracker, &ev);
		return;
	}
	/* A snapshot begins with a list of the namespaces, and their names. */
	if (ev.head->kind == FW_REC_SNAP_BEGIN)
		fw_names_forget_unnamed(&s->netns);
	name_cgroup(s, cgroup_of(&ev));
	name_netns(s, ev.head);
	fw_tap_event(s, &ev);
	fw_tracker_apply(&s->tracker, &ev);
}
