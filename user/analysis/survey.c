// SPDX-License-Identifier: GPL-2.0-only
/*
 *	pool   |....#####......................|	a slice every 20 ms
 *	            ^ place
 *
 * A place that is vacated and taken again behind the walk is missed, and one that is taken anew before
 * it is met: a round is a sample of its own seconds, not of one moment. A host with fewer than two
 * thousand connections is looked at in one slice.
 */
#include "analysis/survey.h"

#include <string.h>

#include "analysis/local_ports.h"

#define MS 1000000ULL
#define S  (1000 * MS)

/* At most 100,000 places a second: 2 % of a processor at the most. */
#define SLICE_NS     (20 * MS)
#define SLICE_PLACES 2048
/* A round begins a second after the last one began, or later. */
#define ROUND_NS	 S
#define HALF_OPEN_OLD_NS S

struct usage {
	uint64_t live, in_time_wait, reusable;
	uint64_t per_million; /* of the ports that there are */
};

int fw_survey_init(struct fw_survey *s, const struct fw_survey_options *opt)
{
	int ret;

	*s = (struct fw_survey){ .opt = *opt };
	ret = fw_groups_init(&s->leaks, sizeof(struct fw_survey_leak), FW_GROUPS_MAX);
	return ret ? ret : fw_groups_init(&s->ports, sizeof(struct usage), FW_GROUPS_MAX);
}

void fw_survey_fini(struct fw_survey *s)
{
	fw_groups_fini(&s->leaks);
	fw_groups_fini(&s->ports);
}

/*
 * Names become labels, and two series must not have the same: whatever a process calls itself, its name
 * is printable, never empty, and "other" is never a process.
 */
static struct fw_group_key leak_key(const struct fw_conn *c)
{
	struct fw_group_key key = fw_group_key_of(c, FW_BY_COMM);

	for (size_t i = 0; i < sizeof(key.comm) && key.comm[i]; i++) {
		if (key.comm[i] < 0x20 || key.comm[i] > 0x7e)
			key.comm[i] = '?';
	}
	if (!key.comm[0])
		memcpy(key.comm, "unknown", sizeof("unknown"));
	if (!strncmp(key.comm, FW_SURVEY_OTHER, sizeof(key.comm)))
		key.comm[0] = '?';
	return key;
}

static void see_leak(struct fw_survey *s, const struct fw_conn *c, uint64_t age_ns)
{
	struct fw_group_key key = leak_key(c);
	struct fw_survey_leak *leak = fw_groups_get(&s->leaks, &key);

	leak->count++;
	if (age_ns > leak->oldest_ns)
		leak->oldest_ns = age_ns;
}

static void see_port(struct fw_survey *s, const struct fw_conn *c, uint64_t age_ns)
{
	struct fw_group_key key =
		fw_group_key_of(c, FW_BY_NETNS | FW_BY_LADDR | FW_BY_RADDR | FW_BY_RPORT);
	struct usage *usage = fw_groups_get(&s->ports, &key);

	if (fw_conn_state(c) != FW_TIME_WAIT) {
		usage->live++;
		return;
	}
	usage->in_time_wait++;
	usage->reusable += age_ns >= FW_PORT_REUSE_NS;
}

static void see(struct fw_survey *s, const struct fw_conn *c, uint64_t now_ns)
{
	uint64_t since_ns, age_ns;

	if (!c->counted || c->flags & FW_CONN_LISTENER)
		return;
	since_ns = c->enter_ns[c->nr_steps - 1];
	age_ns = now_ns > since_ns ? now_ns - since_ns : 0;
	switch (fw_conn_state(c)) {
	case FW_CLOSE_WAIT:
		if (age_ns >= s->opt.leak_age_ns)
			see_leak(s, c, age_ns);
		break;
	case FW_FIN_WAIT_2:
		s->now.stalled[!!(c->flags & FW_CONN_ORPHANED)] += age_ns >= s->opt.stall_ns;
		break;
	case FW_SYN_RECV:
		s->now.half_open_old += age_ns >= HALF_OPEN_OLD_NS;
		break;
	}
	if (c->role == FW_ROLE_ACTIVE && c->lport)
		see_port(s, c, age_ns);
}

/* ---- The end of a round ------------------------------------------------------------------ */

static uint64_t leak_count(const void *value)
{
	return ((const struct fw_survey_leak *)value)->count;
}

struct leaks_left {
	struct fw_survey_result *r;
	const struct fw_group **top;
};

static void add_to_other(void *arg, struct fw_group *group)
{
	const struct leaks_left *left = arg;
	const struct fw_survey_leak *leak = (const void *)group->value;

	for (size_t i = 0; i < left->r->nr_leaks; i++) {
		if (left->top[i] == group)
			return;
	}
	left->r->leak_other.count += leak->count;
	if (leak->oldest_ns > left->r->leak_other.oldest_ns)
		left->r->leak_other.oldest_ns = leak->oldest_ns;
}

static void conclude_leaks(struct fw_survey *s)
{
	const struct fw_group *top[FW_SURVEY_TOP];
	struct leaks_left left = { &s->now, top };

	s->now.nr_leaks = fw_groups_top(&s->leaks, leak_count, top, FW_SURVEY_TOP, NULL);
	for (size_t i = 0; i < s->now.nr_leaks; i++) {
		memcpy(s->now.comm[i], top[i]->key.comm, FW_COMM_LEN);
		memcpy(&s->now.leak[i], top[i]->value, sizeof(s->now.leak[i]));
	}
	fw_groups_each(&s->leaks, add_to_other, &left);
}

struct values_list {
	const struct fw_netns_values *values;
	size_t nr;
};

/* A namespace whose settings are not known has no ratio. */
static void conclude_usage(void *arg, struct fw_group *group)
{
	const struct values_list *readings = arg;
	struct usage *usage = (void *)group->value;
	uint64_t available = 0, used = usage->live + usage->in_time_wait;

	for (size_t i = 0; i < readings->nr && !available; i++) {
		const struct fw_sysctls *sysctls = &readings->values[i].sysctls;

		if (readings->values[i].netns != group->key.netns)
			continue;
		available = fw_ports_available(sysctls);
		if (fw_ports_reused(sysctls, &group->key))
			used -= usage->reusable;
	}
	usage->per_million = available ? used * 1000000 / available : 0;
}

static uint64_t usage_of(const void *value)
{
	return ((const struct usage *)value)->per_million;
}

static void conclude_ports(struct fw_survey *s, const struct fw_netns_values *values, size_t nr)
{
	const struct fw_group *top[FW_SURVEY_TOP];
	struct values_list readings = { values, nr };

	fw_groups_each(&s->ports, conclude_usage, &readings);
	s->now.nr_ports = fw_groups_top(&s->ports, usage_of, top, FW_SURVEY_TOP, NULL);
	for (size_t i = 0; i < s->now.nr_ports; i++)
		s->now.port[i] = (struct fw_survey_port){ top[i]->key,
							  (double)usage_of(top[i]->value) / 1e6 };
}

/* ---- Rounds ------------------------------------------------------------------------------ */

/* Groups that once were would be named for ever, and in the end leave no room. */
static void forget(struct fw_groups *g)
{
	struct fw_groups fresh;

	if (!g->nr && !g->unlisted)
		return;
	if (fw_groups_init(&fresh, g->value_size, g->max)) {
		fw_groups_clear(g);
		return;
	}
	fw_groups_fini(g);
	*g = fresh;
}

static void begin(struct fw_survey *s, uint64_t now_ns)
{
	s->now = (struct fw_survey_result){ 0 };
	forget(&s->leaks);
	forget(&s->ports);
	s->place = 1;
	s->began_ns = now_ns;
	s->next_ns = now_ns + ROUND_NS;
}

void fw_survey_step(struct fw_survey *s, const struct fw_tracker *t, uint64_t now_ns,
		    const struct fw_netns_values *values, size_t nr)
{
	size_t end = fw_conn_table_places(&t->table);

	if (s->place ? now_ns - s->last_step_ns < SLICE_NS : now_ns < s->next_ns)
		return;
	if (!s->place)
		begin(s, now_ns);
	s->last_step_ns = now_ns;
	for (size_t i = 0; i < SLICE_PLACES && s->place < end; i++, s->place++) {
		const struct fw_conn *c = fw_conn_table_at(&t->table, s->place);

		if (c)
			see(s, c, now_ns);
	}
	if (s->place < end)
		return;
	conclude_leaks(s);
	conclude_ports(s, values, nr);
	s->now.took_ns = now_ns - s->began_ns + 1;
	s->last = s->now;
	s->place = 0;
}
