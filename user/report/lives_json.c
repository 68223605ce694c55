// SPDX-License-Identifier: GPL-2.0-only
/*
 * Connections one by one as JSON, in columns: 10,000 of them take less than a megabyte, because what
 * repeats (addresses, processes, paths) is written once and named by its place.
 */
#include <stdlib.h>
#include <string.h>

#include "report/lives.h"
#include "util/fmt.h"

#define NS_PER_US 1000

/* ---- What repeats ------------------------------------------------------------------------ */

struct key {
	uint8_t bytes[24];
};

/* Each key once, in order of appearance; slots hold place + 1. */
struct set {
	struct key *keys;
	uint32_t *slots;
	size_t nr, cap;
};

static int set_init(struct set *s, size_t max)
{
	*s = (struct set){ .cap = 16 };
	while (s->cap < 2 * max)
		s->cap *= 2;
	s->keys = malloc((max ? max : 1) * sizeof(*s->keys));
	s->slots = calloc(s->cap, sizeof(*s->slots));
	return s->keys && s->slots ? 0 : -1;
}

static void set_fini(struct set *s)
{
	free(s->keys);
	free(s->slots);
}

/* FNV-1a */
static size_t hash_of(const struct key *key)
{
	uint64_t h = 0xcbf29ce484222325ULL;

	for (size_t i = 0; i < sizeof(key->bytes); i++)
		h = (h ^ key->bytes[i]) * 0x100000001b3ULL;
	return (size_t)(h ^ h >> 32);
}

static uint32_t place_of(struct set *s, const struct key *key)
{
	size_t i = hash_of(key) & (s->cap - 1);

	for (; s->slots[i]; i = (i + 1) & (s->cap - 1)) {
		if (!memcmp(&s->keys[s->slots[i] - 1], key, sizeof(*key)))
			return s->slots[i] - 1;
	}
	s->keys[s->nr] = *key;
	s->slots[i] = (uint32_t)++s->nr;
	return s->slots[i] - 1;
}

/* ---- Flags ------------------------------------------------------------------------------- */

/* Flags as the document has them: the first of the list is bit 0, whatever they are in memory. */
struct flag_name {
	uint32_t flag;
	const char *name;
};

static const struct flag_name flags[] = {
	{ FW_CONN_GAP, "gap" },
	{ FW_CONN_SINCE_BEFORE, "since_before" },
	{ FW_CONN_THREE_SEGMENT, "three_segment" },
	{ FW_CONN_OWNER_LISTENS, "owner_listens" },
};
#define FLAGS (sizeof(flags) / sizeof(flags[0]))

static const struct flag_name step_flags[] = {
	{ FW_STEP_AT_LEAST, "at_least" },
	{ FW_STEP_AT_MOST, "at_most" },
	{ FW_STEP_ORPHANED, "orphaned" },
};
#define STEP_FLAGS (sizeof(step_flags) / sizeof(step_flags[0]))

static uint32_t bits_of(const struct flag_name *names, size_t nr, uint32_t set)
{
	uint32_t bits = 0;

	for (size_t i = 0; i < nr; i++)
		bits |= set & names[i].flag ? 1U << i : 0;
	return bits;
}

struct sets {
	struct set addresses, processes, paths;
};

static struct key address_key(const struct fw_conn *c, const uint8_t addr[16])
{
	struct key key = { .bytes = { c->family } };

	memcpy(key.bytes + 1, addr, 16);
	return key;
}

static struct key process_key(const struct fw_conn *c)
{
	struct key key = { 0 };

	memcpy(key.bytes, c->comm, sizeof(c->comm));
	memcpy(key.bytes + sizeof(c->comm), &c->pid, sizeof(c->pid));
	return key;
}

static struct key path_key(const struct fw_conn *c)
{
	struct key key = { .bytes = { c->nr_steps } };

	for (unsigned int i = 0; i < c->nr_steps; i++) {
		key.bytes[1 + 2 * i] = c->steps[i];
		key.bytes[2 + 2 * i] = (uint8_t)bits_of(step_flags, STEP_FLAGS, c->step_flags[i]);
	}
	return key;
}
_Static_assert(1 + 2 * FW_STEPS_MAX <= sizeof(struct key), "a path is a key");
_Static_assert(FW_COMM_LEN + sizeof(uint32_t) <= sizeof(struct key), "a process is a key");

/* ---- Columns ----------------------------------------------------------------------------- */

struct column_arg {
	const struct fw_lives *lives;
	struct sets *sets;
	struct fw_json *out;
};

static int64_t since_start_us(const struct fw_lives *l, uint64_t ts_ns)
{
	return (int64_t)(ts_ns / NS_PER_US) - (int64_t)(l->start_ns / NS_PER_US);
}

static void address(struct column_arg *a, const struct fw_conn *c, const uint8_t addr[16])
{
	struct key key = address_key(c, addr);

	fw_json_i64(a->out, fw_addr_is_zero(addr) ? -1 : (int64_t)place_of(&a->sets->addresses, &key));
}

static void put_flags(struct column_arg *a, const struct fw_life *l)
{
	fw_json_u64(a->out, bits_of(flags, FLAGS, l->conn.flags));
}

static void put_local(struct column_arg *a, const struct fw_life *l)
{
	address(a, &l->conn, l->conn.laddr);
}

static void put_remote(struct column_arg *a, const struct fw_life *l)
{
	address(a, &l->conn, l->conn.raddr);
}

static void put_process(struct column_arg *a, const struct fw_life *l)
{
	struct key key = process_key(&l->conn);

	fw_json_i64(a->out, l->conn.pid ? (int64_t)place_of(&a->sets->processes, &key) : -1);
}

static void put_path(struct column_arg *a, const struct fw_life *l)
{
	struct key key = path_key(&l->conn);

	fw_json_u64(a->out, place_of(&a->sets->paths, &key));
}

static void put_start(struct column_arg *a, const struct fw_life *l)
{
	fw_json_i64(a->out, since_start_us(a->lives, l->conn.enter_ns[0]));
}

/* Differences of rounded times: their sum is the rounded end. */
static void put_dwell(struct column_arg *a, const struct fw_life *l)
{
	const struct fw_conn *c = &l->conn;

	for (unsigned int i = 0; i < c->nr_steps; i++) {
		uint64_t from = c->enter_ns[i] / NS_PER_US;
		uint64_t until = (c->enter_ns[i] + fw_conn_dwell_ns(c, i)) / NS_PER_US;

		fw_json_u64(a->out, until - from);
	}
}

static int64_t place_of_name(const struct fw_name *names, size_t nr, uint64_t id)
{
	size_t low = 0, high = nr;

	while (low < high) {
		size_t mid = (low + high) / 2;

		if (names[mid].id == id)
			return (int64_t)mid;
		if (names[mid].id < id)
			low = mid + 1;
		else
			high = mid;
	}
	return -1;
}

static void put_cgroup(struct column_arg *a, const struct fw_life *l)
{
	fw_json_i64(a->out, place_of_name(a->lives->cgroups, a->lives->nr_cgroups,
					    l->conn.cgroup_id));
}

#define FIELD(name, field)                                                     \
	static void put_##name(struct column_arg *a, const struct fw_life *l) \
	{                                                                      \
		fw_json_u64(a->out, l->field);                                 \
	}
FIELD(id, conn.id)
FIELD(lport, conn.lport)
FIELD(rport, conn.rport)
FIELD(netns, conn.netns)
FIELD(end, conn.end)
FIELD(role, conn.role)
FIELD(by, conn.closed_by)
FIELD(troubles, troubles)
FIELD(sent, conn.bytes_sent)
FIELD(received, conn.bytes_received)
FIELD(retransmits, conn.retransmits)
FIELD(restarts, conn.restarts)

static const struct column {
	const char *name;
	void (*put)(struct column_arg *a, const struct fw_life *l);
} columns[] = {
	{ "id", put_id },	    { "start", put_start },	{ "path", put_path },
	{ "dwell", put_dwell },	    { "local", put_local },	{ "lport", put_lport },
	{ "remote", put_remote },   { "rport", put_rport },	{ "process", put_process },
	{ "netns", put_netns },	    { "cgroup", put_cgroup },	{ "end", put_end },
	{ "role", put_role },	    { "by", put_by },		{ "flags", put_flags },
	{ "troubles", put_troubles }, { "sent", put_sent },	{ "received", put_received },
	{ "retransmits", put_retransmits }, { "restarts", put_restarts },
};

static void rows(struct column_arg *a)
{
	fw_json_key(a->out, "rows");
	fw_json_object(a->out);
	for (size_t k = 0; k < sizeof(columns) / sizeof(columns[0]); k++) {
		fw_json_key(a->out, columns[k].name);
		fw_json_array(a->out);
		for (size_t i = 0; i < a->lives->nr; i++)
			columns[k].put(a, &a->lives->life[i]);
		fw_json_array_end(a->out);
	}
	fw_json_object_end(a->out);
}

/* ---- What the columns refer to ----------------------------------------------------------- */

static void open_array(struct fw_json *j, const char *name)
{
	fw_json_key(j, name);
	fw_json_array(j);
}

static void pair(struct fw_json *j, const char *name, const char *words)
{
	fw_json_array(j);
	fw_json_text(j, name ? name : "", SIZE_MAX);
	fw_json_text(j, words ? words : "", SIZE_MAX);
	fw_json_array_end(j);
}

static void state_numbers(struct fw_json *j)
{
	char scratch[FW_STATE_NAME_LEN];

	open_array(j, "states");
	for (unsigned int s = 0; s < FW_STATE_MAX; s++)
		fw_json_text(j, s ? fw_state_name(s, scratch) : "", SIZE_MAX);
	fw_json_array_end(j);
	open_array(j, "origins");
	for (unsigned int s = 0; s < FW_STATE_MAX; s++)
		fw_json_u64(j, fw_state_origin(s));
	fw_json_array_end(j);
}

static void flag_names(struct fw_json *j, const char *name, const struct flag_name *all, size_t nr)
{
	open_array(j, name);
	for (size_t i = 0; i < nr; i++)
		fw_json_word(j, all[i].name);
	fw_json_array_end(j);
}

static void sides(struct fw_json *j)
{
	static const char *const roles[FW_ROLE_MAX] = {
		[FW_ROLE_ACTIVE] = "connected", [FW_ROLE_PASSIVE] = "accepted",
	};
	static const char *const closers[FW_CLOSED_BY_MAX] = {
		[FW_CLOSED_BY_LOCAL] = "this side", [FW_CLOSED_BY_REMOTE] = "the other side",
		[FW_CLOSED_BY_BOTH] = "both at once",
	};

	open_array(j, "roles");
	for (unsigned int i = 0; i < FW_ROLE_MAX; i++)
		pair(j, fw_role_name(i), roles[i]);
	fw_json_array_end(j);
	open_array(j, "closers");
	for (unsigned int i = 0; i < FW_CLOSED_BY_MAX; i++)
		pair(j, fw_closed_by_name(i), closers[i]);
	fw_json_array_end(j);
}

/* Changes of the time of day after the start, against the offset that it had then. */
static void clock_steps(struct fw_json *j, const struct fw_lives *l)
{
	int64_t first = (int64_t)(fw_wall_clock_ns(&l->clock, l->start_ns) - l->start_ns);

	open_array(j, "clock");
	for (unsigned int i = 0; i < l->clock.nr; i++) {
		const struct fw_clock_step *step = &l->clock.steps[i];

		if (step->since_ns <= l->start_ns)
			continue;
		fw_json_array(j);
		fw_json_i64(j, since_start_us(l, step->since_ns));
		fw_json_i64(j, (step->offset_ns - first) / NS_PER_US);
		fw_json_array_end(j);
	}
	fw_json_array_end(j);
}

static void words(struct fw_json *j, const struct fw_lives *l)
{
	state_numbers(j);
	flag_names(j, "flags", flags, FLAGS);
	flag_names(j, "step_flags", step_flags, STEP_FLAGS);
	sides(j);
	clock_steps(j, l);
	fw_json_key(j, "open");
	fw_json_u64(j, FW_END_OPEN);
}

static void path(struct fw_json *j, const struct key *key)
{
	fw_json_array(j);
	for (unsigned int i = 0; i < key->bytes[0]; i++) {
		fw_json_array(j);
		fw_json_u64(j, key->bytes[1 + 2 * i]);
		fw_json_u64(j, key->bytes[2 + 2 * i]);
		fw_json_array_end(j);
	}
	fw_json_array_end(j);
}

static void process(struct fw_json *j, const struct key *key)
{
	uint32_t pid;

	memcpy(&pid, key->bytes + FW_COMM_LEN, sizeof(pid));
	fw_json_array(j);
	fw_json_text(j, (const char *)key->bytes, FW_COMM_LEN);
	fw_json_u64(j, pid);
	fw_json_array_end(j);
}

static void one_address(struct fw_json *j, const struct key *key)
{
	fw_json_quote(j);
	fw_fmt_addr(j->out, key->bytes[0], key->bytes + 1);
	fw_json_quote_end(j);
}

static void keys(struct fw_json *j, const char *name, const struct set *s,
		 void (*put)(struct fw_json *j, const struct key *key))
{
	open_array(j, name);
	for (size_t i = 0; i < s->nr; i++)
		put(j, &s->keys[i]);
	fw_json_array_end(j);
}

static void names(struct fw_json *j, const struct fw_lives *l)
{
	open_array(j, "cgroups");
	for (size_t i = 0; i < l->nr_cgroups; i++)
		fw_json_text(j, l->cgroups[i].text, SIZE_MAX);
	fw_json_array_end(j);
	open_array(j, "namespaces");
	for (size_t i = 0; i < l->nr_namespaces; i++) {
		fw_json_array(j);
		fw_json_u64(j, l->namespaces[i].id);
		fw_json_text(j, l->namespaces[i].text, SIZE_MAX);
		fw_json_array_end(j);
	}
	fw_json_array_end(j);
}

static void losses(struct fw_json *j, const struct fw_lives *l)
{
	open_array(j, "losses");
	for (size_t i = 0; i < l->nr_losses; i++) {
		fw_json_array(j);
		fw_json_i64(j, since_start_us(l, l->losses[i].ts_ns));
		fw_json_u64(j, l->losses[i].count);
		fw_json_array_end(j);
	}
	fw_json_array_end(j);
}

static void number(struct fw_json *j, const char *name, uint64_t n)
{
	fw_json_key(j, name);
	fw_json_u64(j, n);
}

void fw_lives_json(const struct fw_lives *l, struct fw_json *out)
{
	struct sets sets = { 0 };
	struct column_arg a = { .lives = l, .sets = &sets, .out = out };

	if (set_init(&sets.addresses, 2 * l->nr) || set_init(&sets.processes, l->nr) ||
	    set_init(&sets.paths, l->nr)) {
		out->out->failed = true;
		goto out_sets;
	}
	fw_json_object(out);
	number(out, "seen", l->seen);
	number(out, "in_trouble", l->seen_in_trouble);
	number(out, "span_us", (l->now_ns - l->start_ns) / NS_PER_US);
	words(out, l);
	names(out, l);
	losses(out, l);
	rows(&a);
	keys(out, "addresses", &sets.addresses, one_address);
	keys(out, "processes", &sets.processes, process);
	keys(out, "paths", &sets.paths, path);
	fw_json_object_end(out);
out_sets:
	set_fini(&sets.addresses);
	set_fini(&sets.processes);
	set_fini(&sets.paths);
}
