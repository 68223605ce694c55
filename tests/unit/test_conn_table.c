// SPDX-License-Identifier: GPL-2.0-only
/* Proves that each key finds its connection, that the table is bounded, and who is idle. */
#include "unit.h"

#include <errno.h>
#include <string.h>

#include "core/conn_table.h"

static const uint8_t here[16] = { 192, 0, 2, 1 }, there[16] = { 198, 51, 100, 2 };

static int setup(void **state)
{
	static struct fw_conn_table table;

	assert_int_equal(fw_conn_table_init(&table, 1000000), 0);
	*state = &table;
	return 0;
}

static int teardown(void **state)
{
	fw_conn_table_fini(*state);
	return 0;
}

static struct fw_conn *new_conn(struct fw_conn_table *t, uint64_t n)
{
	struct fw_conn *c = fw_conn_table_new(t);

	assert_non_null(c);
	c->cookie = n;
	c->skaddr = n;
	c->netns = 1;
	c->lport = (uint16_t)n;
	c->rport = (uint16_t)(n >> 16);
	memcpy(c->laddr, here, 16);
	memcpy(c->raddr, there, 16);
	return c;
}

static struct fw_tuple tuple_of(const struct fw_conn *c)
{
	return (struct fw_tuple){ c->netns, 0, c->lport, c->rport, c->laddr, c->raddr };
}

/* The same number as cookie, as address and in a tuple: each is found by its own key only. */
static void keys_do_not_mix(void **state)
{
	struct fw_conn_table *t = *state;
	struct fw_conn *c = new_conn(t, 5);
	const struct fw_tuple tuple = tuple_of(c);

	assert_null(fw_conn_table_by_cookie(t, 5));
	assert_null(fw_conn_table_by_skaddr(t, 5));
	assert_null(fw_conn_table_by_tuple(t, &tuple));
	fw_conn_table_index(t, c, FW_KEY_COOKIE);
	assert_ptr_equal(fw_conn_table_by_cookie(t, 5), c);
	assert_null(fw_conn_table_by_skaddr(t, 5));
	assert_null(fw_conn_table_by_tuple(t, &tuple));
	fw_conn_table_unindex(t, c);
	assert_null(fw_conn_table_by_cookie(t, 5));
	fw_conn_table_index(t, c, FW_KEY_SKADDR);
	assert_ptr_equal(fw_conn_table_by_skaddr(t, 5), c);
	assert_null(fw_conn_table_by_cookie(t, 5));
	fw_conn_table_unindex(t, c);
	fw_conn_table_index(t, c, FW_KEY_TUPLE);
	assert_ptr_equal(fw_conn_table_by_tuple(t, &tuple), c);
	assert_null(fw_conn_table_by_skaddr(t, 5));
	fw_conn_table_unindex(t, c);
	fw_conn_table_unindex(t, c); /* twice does no harm */
	assert_null(fw_conn_table_by_tuple(t, &tuple));
}

static void every_part_of_a_tuple_counts(void **state)
{
	uint8_t other[16] = { [15] = 1 };
	struct fw_conn_table *t = *state;
	struct fw_conn *c = new_conn(t, 5 | 80 << 16);
	struct fw_tuple tuple;

	fw_conn_table_index(t, c, FW_KEY_TUPLE);
	/* so many that some share its bucket, where only the comparison tells them apart */
	for (unsigned int i = 1; i < 6000; i++) {
		memcpy(other, &i, sizeof(i));
		for (int part = 0; part < 6; part++) {
			tuple = tuple_of(c);
			if (part == 0)
				tuple.netns += i;
			if (part == 1)
				tuple.lport = (uint16_t)(tuple.lport + i);
			if (part == 2)
				tuple.rport = (uint16_t)(tuple.rport + i);
			if (part == 3)
				tuple.laddr = other;
			if (part == 4)
				tuple.raddr = other;
			if (part == 5) /* turned round */
				tuple = (struct fw_tuple){ i, 0, c->rport, c->lport, c->raddr,
							   c->laddr };
			assert_null(fw_conn_table_by_tuple(t, &tuple));
		}
	}
	tuple = tuple_of(c);
	assert_ptr_equal(fw_conn_table_by_tuple(t, &tuple), c);
}

/* A key changes between unindex and index. */
static void rekeyed(void **state)
{
	struct fw_conn_table *t = *state;
	struct fw_conn *c = new_conn(t, 5);

	fw_conn_table_index(t, c, FW_KEY_COOKIE);
	fw_conn_table_unindex(t, c);
	c->cookie = 6;
	fw_conn_table_index(t, c, FW_KEY_COOKIE);
	assert_null(fw_conn_table_by_cookie(t, 5));
	assert_ptr_equal(fw_conn_table_by_cookie(t, 6), c);
}

/* A socket's next connection has the same cookie: both stay removable. */
static void equal_keys(void **state)
{
	struct fw_conn_table *t = *state;
	struct fw_conn *first = new_conn(t, 5), *second = new_conn(t, 5);

	fw_conn_table_index(t, first, FW_KEY_COOKIE);
	fw_conn_table_index(t, second, FW_KEY_COOKIE);
	assert_ptr_equal(fw_conn_table_by_cookie(t, 5), second);
	fw_conn_table_remove(t, second);
	assert_ptr_equal(fw_conn_table_by_cookie(t, 5), first);
	fw_conn_table_remove(t, first);
	assert_null(fw_conn_table_by_cookie(t, 5));
}

#define MANY 100000U

static void expect_all(struct fw_conn_table *t, unsigned int step)
{
	for (unsigned int n = 1; n <= MANY; n++) {
		struct fw_conn *c;
		uint8_t l[16], r[16];
		struct fw_tuple tuple = { 1, 0, (uint16_t)n, (uint16_t)(n >> 16), l, r };

		memcpy(l, here, 16);
		memcpy(r, there, 16);
		c = n % 3 == 0 ? fw_conn_table_by_cookie(t, n) :
		    n % 3 == 1 ? fw_conn_table_by_skaddr(t, n) : fw_conn_table_by_tuple(t, &tuple);
		if (step && n % step == 0)
			assert_null(c);
		else
			assert_true(c && c->skaddr == n);
	}
}

static void grows_to_a_hundred_thousand(void **state)
{
	struct fw_conn_table *t = *state;

	for (unsigned int n = 1; n <= MANY; n++)
		fw_conn_table_index(t, new_conn(t, n), n % 3 == 0 ? FW_KEY_COOKIE :
					       n % 3 == 1 ? FW_KEY_SKADDR : FW_KEY_TUPLE);
	assert_int_equal(t->nr, MANY);
	assert_true(t->nr_buckets >= MANY);
	assert_true(fw_conn_table_bytes(t) / MANY <= 256);
	expect_all(t, 0);
	for (struct fw_conn *c = fw_conn_table_first(t), *next; c; c = next) {
		next = fw_conn_table_next(t, c);
		if (c->skaddr % 7 == 0)
			fw_conn_table_remove(t, c);
	}
	assert_int_equal(t->nr, MANY - MANY / 7);
	expect_all(t, 7);
}

/* What is removed is used again before the pool grows. */
static void memory_is_used_again(void **state)
{
	struct fw_conn_table *t = *state;
	struct fw_conn *c[2000];

	for (int round = 0; round < 50; round++) {
		for (unsigned int n = 0; n < ARRAY_SIZE(c); n++) {
			c[n] = new_conn(t, n);
			fw_conn_table_index(t, c[n], FW_KEY_COOKIE);
		}
		for (unsigned int n = 0; n < ARRAY_SIZE(c); n++)
			fw_conn_table_remove(t, c[round % 2 ? n : ARRAY_SIZE(c) - 1 - n]);
	}
	assert_int_equal(t->nr, 0);
	assert_int_equal(t->nr_chunks, 2);
	assert_null(fw_conn_table_first(t));
	assert_int_equal(t->idle_last, 0);
}

/* Ids are never used again; a removed connection has none. */
static void a_new_connection_is_clean(void **state)
{
	struct fw_conn_table *t = *state;
	struct fw_conn *c = new_conn(t, 5), *again;

	assert_int_equal(c->id, 1);
	c->nr_steps = 3;
	c->flags = 0xffff;
	fw_conn_table_index(t, c, FW_KEY_COOKIE);
	fw_conn_table_remove(t, c);
	assert_int_equal(c->id, 0);
	again = fw_conn_table_new(t);
	assert_ptr_equal(again, c);
	assert_int_equal(again->id, 2);
	assert_int_equal(again->nr_steps, 0);
	assert_int_equal(again->flags, 0);
	assert_int_equal(again->cookie, 0);
	assert_int_equal(again->key, FW_KEY_NONE);
}

static void full_is_full(void **state)
{
	struct fw_conn_table t;
	struct fw_conn *c;

	(void)state;
	for (size_t max = 0; max < 3; max++) {
		assert_int_equal(fw_conn_table_init(&t, max), 0);
		for (size_t n = 0; n < max; n++)
			assert_non_null(fw_conn_table_new(&t));
		errno = 0;
		assert_null(fw_conn_table_new(&t));
		assert_int_equal(errno, ENOSPC);
		assert_int_equal(t.nr, max);
		if (max) {
			fw_conn_table_remove(&t, fw_conn_table_first(&t));
			c = fw_conn_table_new(&t);
			assert_non_null(c);
			assert_int_equal(c->id, max + 1);
		}
		fw_conn_table_fini(&t);
	}
}

static void expect_idle(const struct fw_conn_table *t, const char *want)
{
	const struct fw_conn *last = NULL;
	struct fw_buf b = { 0 };

	for (const struct fw_conn *c = fw_conn_table_first(t); c; c = fw_conn_table_next(t, c)) {
		assert_int_equal(c->idle_prev, last ? last->self : 0);
		fw_buf_u64(&b, c->cookie);
		last = c;
	}
	assert_int_equal(t->idle_last, last ? last->self : 0);
	expect_buf(&b, want);
	fw_buf_free(&b);
}

static void longest_idle_first(void **state)
{
	struct fw_conn_table *t = *state;
	struct fw_conn *c[5];

	expect_idle(t, "");
	for (unsigned int n = 1; n <= 4; n++)
		c[n] = new_conn(t, n);
	expect_idle(t, "1234");
	fw_conn_table_touch(t, c[4]);
	expect_idle(t, "1234");
	fw_conn_table_touch(t, c[1]);
	expect_idle(t, "2341");
	fw_conn_table_touch(t, c[3]);
	expect_idle(t, "2413");
	fw_conn_table_remove(t, c[4]);
	expect_idle(t, "213");
	fw_conn_table_remove(t, c[3]);
	expect_idle(t, "21");
	fw_conn_table_remove(t, c[2]);
	expect_idle(t, "1");
	fw_conn_table_touch(t, c[1]);
	expect_idle(t, "1");
	fw_conn_table_remove(t, c[1]);
	expect_idle(t, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(keys_do_not_mix, setup, teardown),
		cmocka_unit_test_setup_teardown(every_part_of_a_tuple_counts, setup, teardown),
		cmocka_unit_test_setup_teardown(rekeyed, setup, teardown),
		cmocka_unit_test_setup_teardown(equal_keys, setup, teardown),
		cmocka_unit_test_setup_teardown(grows_to_a_hundred_thousand, setup, teardown),
		cmocka_unit_test_setup_teardown(memory_is_used_again, setup, teardown),
		cmocka_unit_test_setup_teardown(a_new_connection_is_clean, setup, teardown),
		cmocka_unit_test(full_is_full),
		cmocka_unit_test_setup_teardown(longest_idle_first, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
