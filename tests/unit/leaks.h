/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A scene whose observer is the analysis of leaks, and what its report says.
 */
#ifndef FW_TESTS_LEAKS_H
#define FW_TESTS_LEAKS_H

#include <stdlib.h>

#include "analysis.h"
#include "analysis/leaks.h"
#include "snapshot.h"

struct leaky {
	struct watch w; /* its scene and its report */
	struct fw_filter filter;
	struct fw_leaks *leaks;
	size_t nr_leaks;
};

static inline void leaky_init(struct leaky *l, uint64_t leak_age_ns)
{
	struct scene *s = &l->w.scene;
	struct fw_leaks_options opt = {
		.leak_age_ns = leak_age_ns, .tracker = &s->tracker, .filter = &l->filter,
	};

	*l = (struct leaky){ 0 };
	scene_init(s, 10000);
	l->leaks = fw_leaks_new(&opt);
	assert_non_null(l->leaks);
	s->tracker.observer = (struct fw_observer){ 0 };
	fw_leaks_observe(l->leaks, &s->tracker.observer);
}

static inline int leaky_setup(void **state)
{
	static struct leaky l;

	leaky_init(&l, 30 * FW_NS_PER_S);
	*state = &l;
	return 0;
}

static inline int leaky_teardown(void **state)
{
	struct leaky *l = *state;

	fw_report_fini(&l->w.report);
	fw_leaks_free(l->leaks);
	scene_fini(&l->w.scene);
	return 0;
}

#define leaky_test(f) cmocka_unit_test_setup_teardown(f, leaky_setup, leaky_teardown)

static inline void leaky_report(struct leaky *l)
{
	fw_report_fini(&l->w.report);
	l->w.report = (struct fw_report){ 0 };
	l->nr_leaks = fw_leaks_report(l->leaks, &l->w.report);
	fw_report_sort(&l->w.report);
	assert_false(l->w.report.failed);
}

/* The text of a fact of the worst finding. */
static inline const char *leaky_says(const struct leaky *l, const char *key)
{
	assert_true(l->w.report.nr_findings > 0);
	return watch_cell(&l->w.report.findings[0].evidence, key)->text;
}

static inline const struct fw_cell *leaky_cell(const struct leaky *l, const char *key)
{
	assert_true(l->w.report.nr_findings > 0);
	return watch_cell(&l->w.report.findings[0].evidence, key);
}

static inline bool leaky_has(const struct leaky *l, const char *key)
{
	const struct fw_facts *facts = &l->w.report.findings[0].evidence;

	for (size_t i = 0; i < facts->nr; i++) {
		if (!strcmp(facts->fact[i].key, key))
			return true;
	}
	return false;
}

/* Sockets @first to @last of a client, in CLOSE_WAIT for a minute at @ms, all read. */
static inline void leaked(struct scene *s, double ms, unsigned int first, unsigned int last)
{
	for (unsigned int i = first; i <= last; i++) {
		scene_connection(s, i);
		sock(s, ms, FW_CLOSE_WAIT, .idle_ms = 60000);
	}
}

/* @pid holds sockets @first to @last as descriptors 10 + @first ..., and has @fds open. */
static inline void held(struct scene *s, double ms, uint32_t pid, unsigned int first,
			unsigned int last)
{
	for (unsigned int i = first; i <= last; i++) {
		scene_connection(s, i);
		holder(s, ms, pid, 10 + i, "curl");
	}
}

#endif
