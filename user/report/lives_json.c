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
		key.bytes[2 + 2 * i] = c->step_flags[i];
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
FIELD(flags, conn.flags)
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
	fw_json_text(j, name, SIZE_MAX);
	fw_json_text(j, words, SIZE_MAX);
	fw_json_array_end(j);
}

static void words(struct fw_json *j)
{
	char scratch[FW_STATE_NAME_LEN];

	open_array(j, "states");
	for (unsigned int s = 0; s < FW_STATE_MAX; s++)
		fw_json_text(j, s ? fw_state_name(s, scratch) : "", SIZE_MAX);
	fw_json_array_end(j);
	open_array(j, "ends");
	for (unsigned int e = 0; e < FW_END_MAX; e++)
		pair(j, fw_end_name(e), fw_end_words(e));
	fw_json_array_end(j);
	open_array(j, "troubles");
	for (unsigned int t = 0; t < FW_TROUBLE_MAX; t++)
		pair(j, fw_trouble_name(t), fw_trouble_words(t));
	fw_json_array_end(j);
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
	words(out);
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
