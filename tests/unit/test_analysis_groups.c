// SPDX-License-Identifier: GPL-2.0-only
/* Proves that groups are bounded, that sums stay true when they are full, and that order is stable. */
#include "analysis/groups.h"

#include <string.h>

#include "unit.h"

struct value {
	uint64_t n;
};

static uint64_t n_of(const void *value)
{
	return ((const struct value *)value)->n;
}

static struct fw_group_key key_of(uint32_t pid)
{
	return (struct fw_group_key){ .pid = pid };
}

static struct value *get(struct fw_groups *g, uint32_t pid)
{
	struct fw_group_key key = key_of(pid);

	return fw_groups_get(g, &key);
}

static void sum_one(void *arg, struct fw_group *group)
{
	*(uint64_t *)arg += n_of(group->value);
}

static uint64_t sum(const struct fw_groups *g)
{
	uint64_t n = 0;

	fw_groups_each(g, sum_one, &n);
	return n;
}

static void the_rest_goes_to_other(void **state)
{
	struct fw_groups g;

	(void)state;
	assert_int_equal(fw_groups_init(&g, sizeof(struct value), 100), 0);
	for (uint32_t pid = 1; pid <= 250; pid++)
		get(&g, pid)->n += pid;
	assert_int_equal(g.nr, 100);
	assert_int_equal(g.unlisted, 150);
	assert_int_equal(sum(&g), 250 * 251 / 2);
	assert_int_equal(get(&g, 100)->n, 100);
	assert_ptr_equal(get(&g, 101), get(&g, 102));
	assert_null(fw_groups_find(&g, &(struct fw_group_key){ .pid = 101 }));
	fw_groups_clear(&g);
	assert_int_equal(sum(&g), 0);
	assert_int_equal(g.nr, 100);
	fw_groups_fini(&g);
	fw_groups_fini(&g);
}

/* Largest first, equal ones by key, none that has nothing, never "other". */
static void top(void **state)
{
	static const uint64_t counts[] = { 0, 5, 9, 5, 0, 1, 7, 5 };
	static const uint32_t want[] = { 2, 6, 1, 3, 7 };
	const struct fw_group *found[5];
	struct fw_groups g;
	size_t more;

	(void)state;
	assert_int_equal(fw_groups_init(&g, sizeof(struct value), 8), 0);
	for (uint32_t pid = 0; pid < ARRAY_SIZE(counts); pid++)
		get(&g, pid)->n = counts[pid];
	get(&g, 99)->n = 1000;
	assert_int_equal(fw_groups_top(&g, n_of, found, 5, &more), 5);
	assert_int_equal(more, 1);
	for (size_t i = 0; i < 5; i++)
		assert_int_equal(found[i]->key.pid, want[i]);
	assert_int_equal(fw_groups_top(&g, n_of, found, 0, &more), 0);
	assert_int_equal(more, 6);
	fw_groups_fini(&g);
}

/* The key holds what was asked for and nothing else: memory is compared. */
static void keys(void **state)
{
	struct fw_conn c = { .family = 2, .lport = 5000, .rport = 80, .pid = 7, .netns = 9,
			     .role = FW_ROLE_ACTIVE, .comm = "curl" };
	struct fw_group_key key;

	(void)state;
	memset(c.comm + 5, 'x', sizeof(c.comm) - 5); /* what a process had been called before */
	key = fw_group_key_of(&c, FW_BY_COMM);
	assert_memory_equal(&key, &(struct fw_group_key){ .comm = "curl" }, sizeof(key));
	key = fw_group_key_of(&c, FW_BY_SERVICE);
	assert_int_equal(key.lport, 80);
	c.role = FW_ROLE_PASSIVE;
	key = fw_group_key_of(&c, FW_BY_SERVICE);
	assert_int_equal(key.lport, 5000);
	c.role = FW_ROLE_UNKNOWN;
	key = fw_group_key_of(&c, FW_BY_SERVICE);
	assert_int_equal(key.lport, 80);
	key = fw_group_key_of(&c,
			      FW_BY_PID | FW_BY_NETNS | FW_BY_LPORT | FW_BY_RPORT | FW_BY_RADDR);
	assert_memory_equal(
		&key,
		&((struct fw_group_key){
			.pid = 7, .netns = 9, .lport = 5000, .rport = 80, .family = 2 }),
		sizeof(key));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_rest_goes_to_other),
		cmocka_unit_test(top),
		cmocka_unit_test(keys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
