// SPDX-License-Identifier: GPL-2.0-only
/* Proves that percentiles are within the promised error of what a sorted list says. */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "util/hist.h"

#define NR_VALUES 5000

/* xorshift: the same values in every run */
static uint64_t random_u64(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

static int ascending(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* Spread over all magnitudes up to 2^@bits. */
static uint64_t value(uint64_t *seed, unsigned int bits)
{
	uint64_t v = random_u64(seed);

	return v >> (64 - bits + random_u64(seed) % bits);
}

static void expect_close(uint64_t got, uint64_t want)
{
	double error = (double)got - (double)want;

	if (error < 0)
		error = -error;
	if (error > FW_HIST_ERROR * (double)want)
		fail_msg("%llu instead of %llu", (unsigned long long)got, (unsigned long long)want);
}

static void expect_percentiles(struct fw_hist *h, uint64_t *values, size_t nr)
{
	static const double pcts[] = { 0.1, 1, 10, 25, 50, 75, 90, 99, 99.9 };

	qsort(values, nr, sizeof(*values), ascending);
	for (size_t i = 0; i < ARRAY_SIZE(pcts); i++) {
		size_t rank = (size_t)(pcts[i] * (double)nr / 100 + 0.999999);

		expect_close(fw_hist_percentile(h, pcts[i]), values[rank ? rank - 1 : 0]);
	}
	assert_int_equal(fw_hist_percentile(h, 0), values[0]);
	assert_int_equal(fw_hist_percentile(h, 100), values[nr - 1]);
	assert_int_equal(h->min_ns, values[0]);
	assert_int_equal(h->max_ns, values[nr - 1]);
	assert_int_equal(h->count, nr);
}

static void within_the_error(void **state)
{
	static uint64_t values[NR_VALUES];
	static struct fw_hist h;
	uint64_t seed = 88172645463325252;

	(void)state;
	for (unsigned int bits = 8; bits <= 64; bits += 4) {
		double sum = 0;

		memset(&h, 0, sizeof(h));
		for (size_t i = 0; i < NR_VALUES; i++) {
			values[i] = value(&seed, bits);
			sum += (double)values[i];
			fw_hist_record(&h, values[i]);
		}
		expect_percentiles(&h, values, NR_VALUES);
		expect_close(fw_hist_mean(&h), (uint64_t)(sum / NR_VALUES));
	}
}

/* Every bucket's ends, where an error of one would show. */
static void powers_of_two(void **state)
{
	static struct fw_hist h;

	(void)state;
	for (unsigned int bit = 0; bit < 64; bit++) {
		for (int off = -1; off <= 1; off++) {
			uint64_t v = (1ULL << bit) + (uint64_t)off;

			memset(&h, 0, sizeof(h));
			fw_hist_record(&h, v / 2);
			fw_hist_record(&h, v);
			fw_hist_record(&h, UINT64_MAX);
			expect_close(fw_hist_percentile(&h, 50), v);
			assert_int_equal(fw_hist_percentile(&h, 100), UINT64_MAX);
		}
	}
}

static void empty_and_one(void **state)
{
	static struct fw_hist h, other;

	(void)state;
	assert_int_equal(fw_hist_percentile(&h, 50), 0);
	assert_int_equal(fw_hist_mean(&h), 0);
	assert_int_equal(fw_hist_below(&h, UINT64_MAX), 0);
	fw_hist_merge(&h, &other);
	assert_int_equal(h.count, 0);
	fw_hist_record(&h, 61402000000);
	for (int pct = 0; pct <= 100; pct++)
		assert_int_equal(fw_hist_percentile(&h, pct), 61402000000);
	assert_int_equal(fw_hist_mean(&h), 61402000000);
	assert_int_equal(fw_hist_below(&h, 61402000000), 0);
	assert_int_equal(fw_hist_below(&h, 61402000001), 1);
	memset(&h, 0, sizeof(h));
	fw_hist_record(&h, 0);
	assert_int_equal(h.count, 1);
	assert_int_equal(h.max_ns, 0);
	assert_int_equal(fw_hist_percentile(&h, 50), 0);
}

/* Two halves merged are the whole. */
static void merging(void **state)
{
	static struct fw_hist whole, parts[2];
	uint64_t seed = 1;

	(void)state;
	for (size_t i = 0; i < NR_VALUES; i++) {
		uint64_t v = value(&seed, 48);

		fw_hist_record(&whole, v);
		fw_hist_record(&parts[i % 3 == 0], v);
	}
	fw_hist_merge(&parts[0], &parts[1]);
	assert_memory_equal(parts[0].buckets, whole.buckets, sizeof(whole.buckets));
	assert_int_equal(parts[0].count, whole.count);
	assert_int_equal(parts[0].min_ns, whole.min_ns);
	assert_int_equal(parts[0].max_ns, whole.max_ns);
	assert_true(parts[0].sum_ns > whole.sum_ns * 0.999999);
	assert_true(parts[0].sum_ns < whole.sum_ns * 1.000001);
	memset(&parts[1], 0, sizeof(parts[1]));
	fw_hist_merge(&parts[1], &whole);
	assert_memory_equal(&parts[1], &whole, sizeof(whole));
}

static void below_never_falls(void **state)
{
	static struct fw_hist h;
	uint64_t seed = 7, last = 0;

	(void)state;
	for (size_t i = 0; i < NR_VALUES; i++)
		fw_hist_record(&h, 60000000000 + random_u64(&seed) % 2000000000);
	for (uint64_t ns = 59900000000; ns < 62100000000; ns += 7777777) {
		uint64_t n = fw_hist_below(&h, ns);

		assert_true(n >= last);
		last = n;
	}
	assert_int_equal(last, NR_VALUES);
	assert_in_range(fw_hist_below(&h, 61000000000), NR_VALUES * 45 / 100, NR_VALUES * 55 / 100);
}

/* A bucket that is full says so by staying full. */
static void full_buckets(void **state)
{
	static struct fw_hist h;

	(void)state;
	fw_hist_record(&h, 100);
	h.buckets[100] = UINT32_MAX;
	h.count = UINT32_MAX;
	fw_hist_record(&h, 100);
	assert_int_equal(h.buckets[100], UINT32_MAX);
	assert_int_equal(h.count, 1ULL << 32);
	fw_hist_record(&h, 300);
	assert_int_equal(fw_hist_percentile(&h, 99), 100);
	assert_int_equal(fw_hist_percentile(&h, 100), 300);
}

static void small_enough(void **state)
{
	(void)state;
	assert_true(sizeof(struct fw_hist) <= 30 * 1024);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(within_the_error),  cmocka_unit_test(powers_of_two),
		cmocka_unit_test(empty_and_one),     cmocka_unit_test(merging),
		cmocka_unit_test(below_never_falls), cmocka_unit_test(full_buckets),
		cmocka_unit_test(small_enough),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
