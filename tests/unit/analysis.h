/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A scene whose observer is all analyses, and what their report says.
 *
 *	watch_init(&w);
 *	three_segment_close(&w.scene, 500);
 *	watch_report(&w, 1000);
 *	expect_ids(&w, "server-closes-first ...");
 *	expect_fact(&w, "time_wait", "entered", 1);
 */
#ifndef FW_TESTS_ANALYSIS_H
#define FW_TESTS_ANALYSIS_H

#include "analysis/analysis.h"
#include "events.h"
#include "report/render.h"
#include "util/fmt.h"

#define WATCH_NETNS 4026531840U

struct watch {
	struct scene scene;
	struct fw_analyses analyses;
	struct fw_netns_values values;
	struct fw_report report;
	uint64_t suppressed;
	bool suppressed_of_all;
	bool filtered; /* within each namespace */
	bool values_known;
};

static inline struct fw_netns_values watch_values(void)
{
	return (struct fw_netns_values){
		.netns = WATCH_NETNS,
		.sysctls = { .tcp_fin_timeout = 60, .tcp_tw_reuse = 2, .tcp_max_tw_buckets = 8192,
			     .tcp_timestamps = 1, .port_low = 32768, .port_high = 60999 },
	};
}

static inline void watch_init_with(struct watch *w, struct fw_analysis_options opt)
{
	*w = (struct watch){ .values = watch_values(), .values_known = true };
	scene_init(&w->scene, 100000);
	assert_int_equal(fw_analyses_init(&w->analyses, &opt), 0);
	w->scene.tracker.observer = fw_analyses_observer(&w->analyses);
}

static inline void watch_init(struct watch *w)
{
	watch_init_with(w, (struct fw_analysis_options){ .top = 10, .stall_ns = FW_NS_PER_S,
							 .leak_age_ns = 30 * FW_NS_PER_S });
}

static inline void watch_fini(struct watch *w)
{
	fw_report_fini(&w->report);
	fw_analyses_fini(&w->analyses);
	scene_fini(&w->scene);
}

static inline const char *watch_cgroup_path(void *arg, uint64_t id)
{
	(void)arg;
	return id == 99 ? "/evil</script><img src=x onerror=alert(1)>" : "/";
}

/* The report as of @ms. It replaces the one before. */
static inline void watch_report(struct watch *w, double ms)
{
	const struct fw_analysis_context ctx = {
		.start_ns = SCENE_START_NS, .now_ns = ns_of(ms), .tracker = &w->scene.tracker,
		.counters = w->scene.tracker.counters,
		.hooks = "trampoline", .suppressed = w->suppressed,
		.suppressed_of_all = w->suppressed_of_all,
		.filtered = w->filtered, .filtered_within_netns = w->filtered,
		.values = &w->values, .nr_values = w->values_known,
		.cgroup_path = watch_cgroup_path,
	};

	fw_tracker_advance(&w->scene.tracker, ns_of(ms));
	fw_report_fini(&w->report);
	w->report = (struct fw_report){ 0 };
	fw_analyses_report(&w->analyses, &ctx, &w->report);
	assert_false(w->report.failed);
}

static inline const struct fw_section *watch_section(const struct watch *w, const char *key)
{
	for (size_t i = 0; i < w->report.nr_sections; i++) {
		if (!strcmp(w->report.sections[i].key, key))
			return &w->report.sections[i];
	}
	fail_msg("no section '%s'", key);
	return NULL;
}

static inline const struct fw_cell *watch_cell(const struct fw_facts *facts, const char *key)
{
	for (size_t i = 0; i < facts->nr; i++) {
		if (!strcmp(facts->fact[i].key, key))
			return &facts->fact[i].cell;
	}
	fail_msg("no fact '%s'", key);
	return NULL;
}

static inline const struct fw_finding *watch_finding(const struct watch *w, const char *id)
{
	for (size_t i = 0; i < w->report.nr_findings; i++) {
		if (!strcmp(w->report.findings[i].id, id))
			return &w->report.findings[i];
	}
	fail_msg("no finding '%s'", id);
	return NULL;
}

static inline uint64_t watch_fact(const struct watch *w, const char *section, const char *key)
{
	return watch_cell(&watch_section(w, section)->facts, key)->u;
}

static inline uint64_t watch_evidence(const struct watch *w, const char *id, const char *key)
{
	return watch_cell(&watch_finding(w, id)->evidence, key)->u;
}

/* The cell of a table of that section: row, and column by key. */
static inline const struct fw_cell *watch_at(const struct watch *w, const char *section,
					     const char *table, size_t row, const char *column)
{
	const struct fw_section *s = watch_section(w, section);

	for (size_t i = 0; i < s->nr_tables; i++) {
		const struct fw_table *t = &s->tables[i];

		if (strcmp(t->key, table))
			continue;
		assert_in_range(row, 0, t->nr_rows - 1);
		for (size_t k = 0; k < t->nr_columns; k++) {
			if (!strcmp(t->columns[k].key, column))
				return &t->cells[row * t->nr_columns + k];
		}
	}
	fail_msg("no %s.%s.%s", section, table, column);
	return NULL;
}

/* The ids of all findings, worst first: "a b". */
#define expect_ids(w, want)                                                            \
	do {                                                                           \
		struct fw_buf ids_ = { 0 };                                            \
		for (size_t i_ = 0; i_ < (w)->report.nr_findings; i_++)                \
			fw_buf_printf(&ids_, "%s%s", i_ ? " " : "",                    \
				      (w)->report.findings[i_].id);                    \
		assert_string_equal(fw_buf_str(&ids_), want);                          \
		fw_buf_free(&ids_);                                                    \
	} while (0)
#define expect_fact(w, section, key, want) assert_int_equal(watch_fact(w, section, key), want)
#define expect_evidence(w, id, key, want) assert_int_equal(watch_evidence(w, id, key), want)

static inline int watch_setup(void **state)
{
	static struct watch w;

	watch_init(&w);
	*state = &w;
	return 0;
}

static inline int watch_teardown(void **state)
{
	watch_fini(*state);
	return 0;
}

#define watch_test(f) cmocka_unit_test_setup_teardown(f, watch_setup, watch_teardown)

/* ---- Lives ------------------------------------------------------------------------------- */

/* A server's side: handshake at @ms, then the client is connected. */
static inline void accepted(struct scene *s, double ms)
{
	s->child_peer_known = true;
	request(s, ms, FW_REC_REQ_SCHED, FW_CAUSE_UNKNOWN);
	full(s, ms + 1, FW_LISTEN, FW_SYN_RECV, 0);
	request(s, ms + 1, FW_REC_REQ_END, FW_CAUSE_COMPLETED);
	full(s, ms + 1, FW_SYN_RECV, FW_ESTABLISHED, .segs_in = 2);
}

/* The server closes at @ms, the client right after: TIME_WAIT here. */
static inline void server_closes(struct scene *s, double ms)
{
	full(s, ms, FW_ESTABLISHED, FW_FIN_WAIT_1, .flags = FW_REC_OWNER, .pid = 80,
	     .comm = "httpd", .segs_in = 3);
	full(s, ms + 1, FW_FIN_WAIT_1, FW_FIN_WAIT_2, .flags = FW_REC_ORPHAN, .segs_in = 4);
	mini(s, ms + 2, FW_REC_TW_SCHED, FW_TIME_WAIT, FW_CAUSE_UNKNOWN);
	full(s, ms + 2, FW_FIN_WAIT_2, FW_CLOSE, .flags = FW_REC_ORPHAN | FW_REC_FIN_RECEIVED,
	     .segs_in = 5);
}

#endif
