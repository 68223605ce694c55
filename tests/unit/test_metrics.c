// SPDX-License-Identifier: GPL-2.0-only
/*
 * Metrics: what is counted of which life, that counters never fall, that everything is there at zero,
 * and that no name from outside makes a series twice.
 */
#include "analysis/metrics.h"
#include "snapshot.h"
#include "util/fmt.h"

struct watched {
	struct scene scene;
	struct fw_metrics metrics;
	struct fw_survey survey;
	struct fw_netns_values values;
	struct fw_buf out;
};

static int setup(void **state)
{
	static struct watched w;
	const struct fw_survey_options opt = { .leak_age_ns = 30 * FW_NS_PER_S,
					       .stall_ns = FW_NS_PER_S };

	w = (struct watched){ 0 };
	scene_init(&w.scene, 100000);
	fw_metrics_init(&w.metrics, FW_NS_PER_S);
	assert_int_equal(fw_survey_init(&w.survey, &opt), 0);
	w.scene.tracker.observer = fw_metrics_observer(&w.metrics);
	w.values.netns = 4026531840U;
	w.values.sysctls = (struct fw_sysctls){ .port_low = 32768, .port_high = 32867,
					       .tcp_timestamps = 1, .tcp_tw_reuse = 2 };
	*state = &w;
	return 0;
}

static int teardown(void **state)
{
	struct watched *w = *state;

	fw_survey_fini(&w->survey);
	scene_fini(&w->scene);
	fw_buf_free(&w->out);
	return 0;
}

/* One whole round as of @ms. */
static void survey(struct watched *w, double ms)
{
	uint64_t now = ns_of(ms);

	w->survey.next_ns = 0;
	do {
		fw_survey_step(&w->survey, &w->scene.tracker, now, &w->values, 1);
		now += 20000000;
	} while (w->survey.place);
}

static void show(struct watched *w)
{
	struct fw_om om = { .out = &w->out };
	const struct fw_metrics_context ctx = {
		.version = "1", .hooks = "timer", .tracker = &w->scene.tracker,
		.survey = &w->survey.last,
		.process = { .start_s = -1, .resident_bytes = -1, .virtual_bytes = -1,
			     .open_fds = -1, .max_fds = -1 },
	};

	fw_buf_clear(&w->out);
	fw_metrics_show(&w->metrics, &ctx, &om);
	assert_false(w->out.failed);
}

/* The value of that series; NULL: there is none. */
static const char *find(struct watched *w, const char *series)
{
	static char value[64];
	const char *at = fw_buf_str(&w->out);
	size_t len = strlen(series);

	for (; at; at = strchr(at, '\n') ? strchr(at, '\n') + 1 : NULL) {
		if (strncmp(at, series, len) || at[len] != ' ')
			continue;
		snprintf(value, sizeof(value), "%.*s", (int)strcspn(at + len + 1, "\n"),
			 at + len + 1);
		return value;
	}
	return NULL;
}

static void expect(struct watched *w, const char *series, const char *want)
{
	const char *value = find(w, series);

	if (!value || strcmp(value, want))
		fail_msg("%s: %s, not %s", series, value ? value : "missing", want);
}

static void expect_none(struct watched *w, const char *series)
{
	if (find(w, series))
		fail_msg("%s is there", series);
}

#define EDGE(from, to) "finwait_transitions_total{from=\"" from "\",to=\"" to "\"}"
#define NOW(state) "finwait_connections{state=\"" state "\"}"
#define ENDED(end) "finwait_connections_ended_total{end=\"" end "\"}"
#define DWELL(what, state) "finwait_state_duration_seconds_" what "{state=\"" state "\"}"

static void an_empty_host_has_all_families_at_zero(void **state)
{
	static const char *const series[] = {
		NOW("CLOSE"), NOW("LISTEN"), NOW("SYN_SENT"), NOW("SYN_RECV"), NOW("ESTABLISHED"),
		NOW("FIN_WAIT_1"), NOW("FIN_WAIT_2"), NOW("CLOSING"), NOW("TIME_WAIT"),
		NOW("CLOSE_WAIT"), NOW("LAST_ACK"), EDGE("CLOSE", "SYN_SENT"),
		EDGE("FIN_WAIT_2", "TIME_WAIT"), ENDED("last_ack"), ENDED("unknown"),
		DWELL("count", "TIME_WAIT"), "finwait_time_wait_ended_total{cause=\"reused\"}",
		"finwait_time_wait_restarts_total", "finwait_fin_wait_2_stalls_total{kind=\"orphaned\"}",
		"finwait_fin_wait_2_stalled{kind=\"half_closed\"}", "finwait_closing_total",
		"finwait_close_wait_leaked{process=\"other\"}",
		"finwait_close_wait_oldest_seconds{process=\"other\"}", "finwait_no_port_total",
		"finwait_bind_failures_total", "finwait_half_open",
		"finwait_half_open_ended_total{end=\"expired\"}",
		"finwait_resets_total{direction=\"sent\"}", "finwait_events_total",
		"finwait_events_lost_total", "finwait_tracker_evicted_total",
		"finwait_bpf_seconds_total",
	};
	struct watched *w = *state;

	show(w);
	for (size_t i = 0; i < ARRAY_SIZE(series); i++)
		expect(w, series[i], "0");
	expect(w, "finwait_build_info{version=\"1\"}", "1");
	expect(w, "finwait_up_hooks{hooks=\"timer\"}", "1");
	/* What is not in the state machine is shown only when it happened. */
	expect_none(w, EDGE("LAST_ACK", "LISTEN"));
}

static void a_life_is_counted_once_in_every_place(void **state)
{
	struct watched *w = *state;
	struct scene *s = &w->scene;

	open_and_close(s, 1000);
	full(s, 1050, FW_FIN_WAIT_1, FW_FIN_WAIT_2, .flags = FW_REC_ORPHAN, .segs_in = 2);
	mini(s, 1050, FW_REC_TW_SCHED, FW_FIN_WAIT_2, FW_CAUSE_UNKNOWN);
	full(s, 1050, FW_FIN_WAIT_2, FW_CLOSE, .flags = FW_REC_ORPHAN, .segs_in = 2);
	mini(s, 3050, FW_REC_TW_SCHED, FW_TIME_WAIT, FW_CAUSE_UNKNOWN);
	show(w);
	expect(w, NOW("TIME_WAIT"), "1");
	expect(w, NOW("FIN_WAIT_2"), "0");
	mini(s, 10000, FW_REC_TW_SCHED, FW_TIME_WAIT, FW_CAUSE_UNKNOWN);
	mini(s, 71300, FW_REC_TW_END, FW_TIME_WAIT, FW_CAUSE_EXPIRED);
	show(w);
	expect(w, EDGE("CLOSE", "SYN_SENT"), "1");
	expect(w, EDGE("SYN_SENT", "ESTABLISHED"), "1");
	expect(w, EDGE("ESTABLISHED", "FIN_WAIT_1"), "1");
	expect(w, EDGE("FIN_WAIT_1", "FIN_WAIT_2"), "1");
	expect(w, EDGE("FIN_WAIT_2", "TIME_WAIT"), "1");
	expect(w, EDGE("TIME_WAIT", "CLOSE"), "1");
	expect(w, ENDED("time_wait_expired"), "1");
	expect(w, "finwait_time_wait_ended_total{cause=\"expired\"}", "1");
	expect(w, "finwait_time_wait_restarts_total", "1");
	expect(w, "finwait_fin_wait_2_stalls_total{kind=\"orphaned\"}", "1");
	expect(w, "finwait_fin_wait_2_stalls_total{kind=\"half_closed\"}", "0");
	expect(w, DWELL("count", "FIN_WAIT_2"), "1");
	expect(w, DWELL("sum", "FIN_WAIT_2"), "2");
	expect(w, "finwait_state_duration_seconds_bucket{state=\"FIN_WAIT_2\",le=\"1\"}", "0");
	expect(w, "finwait_state_duration_seconds_bucket{state=\"FIN_WAIT_2\",le=\"5\"}", "1");
	expect(w, "finwait_state_duration_seconds_bucket{state=\"TIME_WAIT\",le=\"65\"}", "0");
	expect(w, "finwait_state_duration_seconds_bucket{state=\"TIME_WAIT\",le=\"90\"}", "1");
	expect(w, NOW("TIME_WAIT"), "0");
}

static void a_counter_never_falls(void **state)
{
	struct watched *w = *state;
	struct scene *s = &w->scene;

	for (unsigned int n = 1; n <= 3; n++) {
		scene_connection(s, n);
		open_and_close(s, 1000 * n);
		full(s, 1000 * n + 10, FW_FIN_WAIT_1, FW_FIN_WAIT_2, .flags = FW_REC_ORPHAN,
		     .segs_in = 2);
		/* A scrape between the two that one segment made. */
		show(w);
		expect(w, EDGE("FIN_WAIT_1", "FIN_WAIT_2"), "1");
		mini(s, 1000 * n + 10, FW_REC_TW_SCHED, FW_TIME_WAIT, FW_CAUSE_UNKNOWN);
		full(s, 1000 * n + 10, FW_FIN_WAIT_2, FW_CLOSE, .flags = FW_REC_ORPHAN,
		     .segs_in = 2);
		show(w);
		expect(w, EDGE("FIN_WAIT_1", "FIN_WAIT_2"), "1");
	}
	expect(w, EDGE("FIN_WAIT_1", "TIME_WAIT"), "3");
	expect(w, EDGE("FIN_WAIT_2", "TIME_WAIT"), "0");
	expect(w, DWELL("count", "FIN_WAIT_2"), "0");
	expect(w, DWELL("count", "FIN_WAIT_1"), "3");
}

static void passing_through_does_not_count(void **state)
{
	struct watched *w = *state;

	three_segment_close(&w->scene, 1000);
	show(w);
	expect(w, EDGE("FIN_WAIT_1", "FIN_WAIT_2"), "0");
	expect(w, EDGE("FIN_WAIT_1", "TIME_WAIT"), "1");
}

static void resets_have_a_direction(void **state)
{
	struct watched *w = *state;
	struct scene *s = &w->scene;

	active_open(s, 10);
	full(s, 20, FW_ESTABLISHED, FW_CLOSE, .err = 104, .segs_in = 2);
	scene_connection(s, 2);
	full(s, 30, FW_CLOSE, FW_SYN_SENT, .flags = FW_REC_OWNER, .pid = 7, .comm = "curl");
	full(s, 31, FW_SYN_SENT, FW_CLOSE, .err = 111);
	scene_connection(s, 3);
	three_segment_close(s, 1000);
	mini(s, 2000, FW_REC_TW_END, FW_TIME_WAIT, FW_CAUSE_RESET);
	scene_connection(s, 4);
	orphan_in_minisock(s, 3000);
	reset_sent(s, 3100, .flags = FW_REC_ANSWERS_DATA);
	mini(s, 3100, FW_REC_TW_END, FW_FIN_WAIT_2, FW_CAUSE_SEGMENT);
	show(w);
	expect(w, "finwait_resets_total{direction=\"received\"}", "3");
	expect(w, "finwait_resets_total{direction=\"sent\"}", "1");
	expect(w, ENDED("refused"), "1");
	expect(w, ENDED("fin_wait_2_data"), "1");
	expect(w, "finwait_time_wait_ended_total{cause=\"reset\"}", "1");
}

static void half_open_ends_are_told_apart(void **state)
{
	struct watched *w = *state;
	struct scene *s = &w->scene;

	s->child_peer_known = true;
	request(s, 10, FW_REC_REQ_SCHED, FW_CAUSE_UNKNOWN);
	show(w);
	expect(w, "finwait_half_open", "1");
	full(s, 11, FW_LISTEN, FW_SYN_RECV, 0);
	request(s, 11, FW_REC_REQ_END, FW_CAUSE_COMPLETED);
	full(s, 11, FW_SYN_RECV, FW_ESTABLISHED, .segs_in = 2);
	scene_connection(s, 2);
	request(s, 20, FW_REC_REQ_SCHED, FW_CAUSE_UNKNOWN);
	survey(w, 1500);
	show(w);
	expect(w, "finwait_half_open_old", "1");
	request(s, 63000, FW_REC_REQ_END, FW_CAUSE_EXPIRED);
	fw_tracker_advance(&s->tracker, ns_of(64000));
	show(w);
	expect(w, "finwait_half_open", "0");
	expect(w, "finwait_half_open_ended_total{end=\"completed\"}", "1");
	expect(w, "finwait_half_open_ended_total{end=\"expired\"}", "1");
	expect(w, NOW("ESTABLISHED"), "1");
}

/* The fullest ten; of one address in several namespaces the fullest. */
static void accept_queues_are_bounded(void **state)
{
	struct watched *w = *state;
	struct scene *s = &w->scene;

	snap_begin(s, 10);
	for (unsigned int n = 1; n <= 13; n++) {
		scene_connection(s, n);
		s->lport = (uint16_t)(8000 + n);
		sock(s, 11, FW_LISTEN, .unread = n, .unsent = 13, .drops = 100 + n);
	}
	scene_connection(s, 14);
	s->lport = 8013;
	s->netns = 4;
	sock(s, 11, FW_LISTEN, .unread = 14, .unsent = 13, .drops = 1, .netns = 4);
	s->netns = 0;
	snap_end(s, 12);
	show(w);
	expect(w, "finwait_accept_queue{local=\"192.0.2.1\",port=\"8013\"}", "14");
	expect(w, "finwait_accept_queue_limit{local=\"192.0.2.1\",port=\"8013\"}", "13");
	expect(w, "finwait_accept_queue_dropped{local=\"192.0.2.1\",port=\"8012\"}", "112");
	expect(w, "finwait_accept_queue{local=\"192.0.2.1\",port=\"8004\"}", "4");
	assert_null(strstr(fw_buf_str(&w->out), "port=\"8003\""));
}

static void a_handshake_that_is_reset_is_told_apart(void **state)
{
	struct watched *w = *state;
	struct scene *s = &w->scene;

	request(s, 10, FW_REC_REQ_SCHED, FW_CAUSE_UNKNOWN);
	request(s, 11, FW_REC_REQ_END, FW_CAUSE_RESET);
	show(w);
	expect(w, "finwait_half_open_ended_total{end=\"reset\"}", "1");
	expect(w, "finwait_half_open_ended_total{end=\"dropped\"}", "0");
}

/* In CLOSE_WAIT since @ms, of a process of that name. */
static void leak(struct scene *s, unsigned int n, double ms, const char *comm)
{
	scene_connection(s, n);
	full(s, ms - 1, FW_CLOSE, FW_SYN_SENT, .flags = FW_REC_OWNER, .pid = n, .comm = comm);
	full(s, ms - 1, FW_SYN_SENT, FW_ESTABLISHED, .segs_in = 1);
	full(s, ms, FW_ESTABLISHED, FW_CLOSE_WAIT, .flags = FW_REC_FIN_RECEIVED, .segs_in = 2);
}

static void leaks_are_named_by_process_and_the_rest_is_other(void **state)
{
	struct watched *w = *state;
	char name[16];
	unsigned int n = 1;

	/* p01 has one, p02 two, ... p12 twelve. */
	for (unsigned int p = 1; p <= 12; p++) {
		snprintf(name, sizeof(name), "p%02u", p);
		for (unsigned int i = 0; i < p; i++)
			leak(&w->scene, n++, 1000 + p * 10, name);
	}
	leak(&w->scene, n++, 50000, "young");
	survey(w, 61000);
	show(w);
	expect(w, "finwait_close_wait_leaked{process=\"p12\"}", "12");
	expect(w, "finwait_close_wait_leaked{process=\"p03\"}", "3");
	expect_none(w, "finwait_close_wait_leaked{process=\"p02\"}");
	expect_none(w, "finwait_close_wait_leaked{process=\"young\"}");
	expect(w, "finwait_close_wait_leaked{process=\"other\"}", "3");
	expect(w, "finwait_close_wait_oldest_seconds{process=\"p12\"}", "59.88");
	expect(w, "finwait_close_wait_oldest_seconds{process=\"other\"}", "59.99");
}

static void leaks_that_are_gone_are_not_named(void **state)
{
	struct watched *w = *state;

	leak(&w->scene, 1, 1000, "app");
	survey(w, 40000);
	show(w);
	expect(w, "finwait_close_wait_leaked{process=\"app\"}", "1");
	full(&w->scene, 41000, FW_CLOSE_WAIT, FW_LAST_ACK, .segs_in = 2);
	survey(w, 42000);
	show(w);
	expect_none(w, "finwait_close_wait_leaked{process=\"app\"}");
	expect(w, "finwait_close_wait_leaked{process=\"other\"}", "0");
}

static void no_name_makes_a_series_twice(void **state)
{
	static const char *const names[] = { "other", "", "unknown", "a\x01", "a\xff", "a\"}" };
	struct watched *w = *state;
	const char *first;

	for (unsigned int i = 0; i < ARRAY_SIZE(names); i++)
		leak(&w->scene, i + 1, 1000, names[i]);
	survey(w, 40000);
	show(w);
	expect(w, "finwait_close_wait_leaked{process=\"other\"}", "0");
	expect(w, "finwait_close_wait_leaked{process=\"?ther\"}", "1");
	expect(w, "finwait_close_wait_leaked{process=\"unknown\"}", "2");
	expect(w, "finwait_close_wait_leaked{process=\"a?\"}", "2");
	expect(w, "finwait_close_wait_leaked{process=\"a\\\"}\"}", "1");
	first = strstr(fw_buf_str(&w->out), "leaked{process=\"other\"}");
	assert_non_null(first);
	assert_null(strstr(first + 1, "leaked{process=\"other\"}"));
}

static void ports_are_those_of_the_worst_destination(void **state)
{
	struct watched *w = *state;
	struct scene *s = &w->scene;

	/* 100 ports there are. */
	for (unsigned int n = 1; n <= 25; n++) {
		scene_connection(s, n);
		active_open(s, 1000);
	}
	for (unsigned int n = 26; n <= 75; n++) {
		scene_connection(s, n);
		s->rport = 443;
		three_segment_close(s, 1000);
	}
	survey(w, 5000);
	assert_int_equal(w->survey.last.nr_ports, 2);
	assert_int_equal(w->survey.last.port[0].key.rport, 443);
	assert_int_equal((int)(w->survey.last.port[0].ratio * 100), 50);
	assert_int_equal((int)(w->survey.last.port[1].ratio * 100), 25);
	/* The sysctl lets connect() take ports out of TIME_WAIT. */
	w->values.sysctls.tcp_tw_reuse = 1;
	survey(w, 8000);
	assert_int_equal(w->survey.last.nr_ports, 1);
	/* Nobody knows how many there are. */
	w->values.netns++;
	survey(w, 11000);
	assert_int_equal(w->survey.last.nr_ports, 0);
}

static void a_large_table_is_surveyed_in_slices(void **state)
{
	struct watched *w = *state;
	uint64_t now = ns_of(60000);
	unsigned int steps = 0;

	for (unsigned int n = 1; n <= 5000; n++)
		leak(&w->scene, n, 1000, "app");
	do {
		assert_int_equal(w->survey.last.nr_leaks, 0);
		fw_survey_step(&w->survey, &w->scene.tracker, now, &w->values, 1);
		/* Too early: nothing happens. */
		fw_survey_step(&w->survey, &w->scene.tracker, now + 1, &w->values, 1);
		now += 20000000;
		steps++;
	} while (w->survey.place);
	assert_int_equal(steps, 3);
	assert_int_equal(w->survey.last.leak[0].count, 5000);
	assert_true(w->survey.last.took_ns >= 40000000);
	/* The next round is not due yet. */
	fw_survey_step(&w->survey, &w->scene.tracker, now, &w->values, 1);
	assert_int_equal(w->survey.place, 0);
}

#define metrics_test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

/* Every finding has a series, and that of a report its severity; of two the worse one. */
static void findings_have_a_severity(void **state)
{
	struct fw_metrics_findings findings;
	struct watched *w = *state;
	struct fw_report r = { 0 };
	struct fw_om om = { .out = &w->out };
	struct fw_metrics_context ctx = {
		.version = "1", .hooks = "timer", .tracker = &w->scene.tracker,
		.survey = &w->survey.last,
		.process = { .start_s = -1, .resident_bytes = -1, .virtual_bytes = -1,
			     .open_fds = -1, .max_fds = -1 },
	};

	fw_report_finding(&r, "close-wait-leak", FW_SEVERITY_WARNING, 1);
	fw_report_finding(&r, "close-wait-leak", FW_SEVERITY_CRITICAL, 1);
	fw_report_finding(&r, "idle-pool", FW_SEVERITY_INFO, 1);
	fw_report_finding(&r, "of a later version", FW_SEVERITY_CRITICAL, 1);
	fw_metrics_findings_of(&findings, &r);
	fw_report_fini(&r);
	fw_buf_clear(&w->out);
	fw_metrics_show(&w->metrics, &ctx, &om);
	assert_null(strstr(fw_buf_str(&w->out), "finwait_finding_severity"));
	ctx.findings = findings;
	fw_buf_clear(&w->out);
	fw_metrics_show(&w->metrics, &ctx, &om);
	assert_non_null(strstr(fw_buf_str(&w->out),
			       "finwait_finding_severity{finding=\"close-wait-leak\"} 3\n"));
	assert_non_null(strstr(fw_buf_str(&w->out),
			       "finwait_finding_severity{finding=\"idle-pool\"} 1\n"));
	assert_non_null(strstr(fw_buf_str(&w->out),
			       "finwait_finding_severity{finding=\"bind-in-use\"} 0\n"));
	assert_null(strstr(fw_buf_str(&w->out), "later version"));
	assert_null(strstr(fw_buf_str(&w->out), "finding=\"TIME_WAIT\""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		metrics_test(an_empty_host_has_all_families_at_zero),
		metrics_test(a_life_is_counted_once_in_every_place),
		metrics_test(a_counter_never_falls),
		metrics_test(passing_through_does_not_count),
		metrics_test(resets_have_a_direction),
		metrics_test(findings_have_a_severity),
		metrics_test(half_open_ends_are_told_apart),
		metrics_test(accept_queues_are_bounded),
		metrics_test(a_handshake_that_is_reset_is_told_apart),
		metrics_test(leaks_are_named_by_process_and_the_rest_is_other),
		metrics_test(leaks_that_are_gone_are_not_named),
		metrics_test(no_name_makes_a_series_twice),
		metrics_test(ports_are_those_of_the_worst_destination),
		metrics_test(a_large_table_is_surveyed_in_slices),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
