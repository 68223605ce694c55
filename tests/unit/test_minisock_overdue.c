// SPDX-License-Identifier: GPL-2.0-only
/* Proves that a minisock whose end no program has seen does not stay open for ever. */
#include "events.h"

static unsigned int looked;

static void look(void *arg, uint64_t skaddr, uint64_t cookie)
{
	const struct scene *s = arg;

	assert_int_equal(skaddr, s->mini_skaddr);
	assert_int_equal(cookie, s->cookie);
	looked++;
}

static unsigned int overdue(struct scene *s, double ms)
{
	looked = 0;
	fw_tracker_overdue(&s->tracker, ns_of(ms), look, s);
	return looked;
}

static void a_minisock_that_is_gone_has_ended_at_some_time(void **state)
{
	struct scene *s = *state;

	three_segment_close(s, 500);
	assert_int_equal(overdue(s, 70400), 0);
	assert_int_equal(overdue(s, 70600), 1);
	mini(s, 70600, FW_REC_TW_SEEN, FW_TIME_WAIT, FW_CAUSE_UNKNOWN, .flags = FW_REC_GONE);
	expect_connections(s, "active SYN_SENT=1 ESTABLISHED=98 FIN_WAIT_1=10 TIME_WAIT<=70100 unknown "
			      "local three_segment gap\n");
	assert_int_equal(s->tracker.counters.gaps, 1);
	assert_int_equal(overdue(s, 80000), 0);
}

/* Its timer was restarted unseen, or it is just late: nothing is concluded. */
static void a_minisock_that_is_there_stays(void **state)
{
	struct scene *s = *state;

	three_segment_close(s, 500);
	assert_int_equal(overdue(s, 71000), 1);
	mini(s, 71000, FW_REC_TW_SEEN, FW_TIME_WAIT, FW_CAUSE_UNKNOWN);
	expect_connections(s, "");
	mini(s, 72000, FW_REC_TW_END, FW_TIME_WAIT, FW_CAUSE_EXPIRED);
	expect_connections(s, "active SYN_SENT=1 ESTABLISHED=98 FIN_WAIT_1=10 TIME_WAIT=71500 "
			      "time_wait_expired local three_segment\n");
}

/* "Gone" of one that is not due may be older than the record of its end. */
static void gone_before_its_time_is_nothing(void **state)
{
	struct scene *s = *state;

	three_segment_close(s, 500);
	mini(s, 1000, FW_REC_TW_SEEN, FW_TIME_WAIT, FW_CAUSE_UNKNOWN, .flags = FW_REC_GONE);
	expect_connections(s, "");
}

static void full_sockets_are_never_due(void **state)
{
	struct scene *s = *state;

	open_and_close(s, 500);
	assert_int_equal(overdue(s, 500000), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		scene_test(a_minisock_that_is_gone_has_ended_at_some_time),
		scene_test(a_minisock_that_is_there_stays),
		scene_test(gone_before_its_time_is_nothing),
		scene_test(full_sockets_are_never_due),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
