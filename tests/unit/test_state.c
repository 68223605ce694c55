// SPDX-License-Identifier: GPL-2.0-only
/* Proves that states have RFC names and kernel numbers, and which transitions are legal. */
#include "unit.h"

#include "core/state.h"

static void numbers_are_the_kernels(void **state)
{
	/* include/net/tcp_states.h, Linux 5.10 to 7.x */
	static const struct {
		unsigned int number;
		const char *name;
	} cases[] = {
		{ 1, "ESTABLISHED" }, { 2, "SYN_SENT" },   { 3, "SYN_RECV" }, { 4, "FIN_WAIT_1" },
		{ 5, "FIN_WAIT_2" },  { 6, "TIME_WAIT" },  { 7, "CLOSE" },    { 8, "CLOSE_WAIT" },
		{ 9, "LAST_ACK" },    { 10, "LISTEN" },	   { 11, "CLOSING" },
	};
	char scratch[FW_STATE_NAME_LEN];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_string_equal(fw_state_name(cases[i].number, scratch), cases[i].name);
		assert_int_equal(fw_state_from_name(cases[i].name), cases[i].number);
	}
}

static void unknown_numbers_have_a_name(void **state)
{
	static const struct {
		unsigned int number;
		const char *name;
	} cases[] = { { 0, "STATE(0)" }, { 12, "STATE(12)" }, { 13, "STATE(13)" },
		      { 14, "STATE(14)" }, { 255, "STATE(255)" } };
	char scratch[FW_STATE_NAME_LEN];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_string_equal(fw_state_name(cases[i].number, scratch), cases[i].name);
	/* No number overruns the buffer (ASan watches). */
	fw_state_name(4294967295U, scratch);
}

static void names_are_read_as_people_write_them(void **state)
{
	static const struct {
		const char *name;
		unsigned int number;
	} cases[] = {
		{ "established", FW_ESTABLISHED }, { "Established", FW_ESTABLISHED },
		{ "fin-wait-1", FW_FIN_WAIT_1 },   { "FIN_WAIT1", FW_FIN_WAIT_1 },
		{ "finwait2", FW_FIN_WAIT_2 },	   { "TIMEWAIT", FW_TIME_WAIT },
		{ "time-wait", FW_TIME_WAIT },	   { "syn-recv", FW_SYN_RECV },
		{ "SYN-RECEIVED", FW_SYN_RECV },   { "SYN_RCVD", FW_SYN_RECV },
		{ "close_wait", FW_CLOSE_WAIT },   { "last-ack", FW_LAST_ACK },
		{ "closing", FW_CLOSING },	   { "listen", FW_LISTEN },
		{ "close", FW_CLOSE },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(fw_state_from_name(cases[i].name), cases[i].number);
}

static void other_names_are_refused(void **state)
{
	static const char *const names[] = {
		"",	       "-",		"FIN",		"FIN_WAIT",	    "FIN_WAIT_3",
		"TIME",	       "STATE(6)",	"6",		"NEW_SYN_RECV",	    "TIME_WAITS",
		"ESTABLISHED2", "establishedfoo", "syn_received_x", "a name longer than any state",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (fw_state_from_name(names[i]))
			fail_msg("'%s' was taken for a state", names[i]);
	}
}

/* RFC 9293 figure 5 with Linux's additions, as a matrix: one row per state left. */
static void legal_transitions(void **state)
{
	static const char *const rows[FW_STATE_MAX] = {
		/*		     0 EST SS SR F1 F2 TW CL CW LA LI CI */
		[0] = "............",
		[FW_ESTABLISHED] = "....x..xx...",
		[FW_SYN_SENT] = ".x.x...x....",
		[FW_SYN_RECV] = ".x..x..xx...",
		[FW_FIN_WAIT_1] = ".....xxx...x",
		[FW_FIN_WAIT_2] = "......xx....",
		[FW_TIME_WAIT] = ".......x....",
		[FW_CLOSE] = "..x.......x.",
		[FW_CLOSE_WAIT] = ".......x.x..",
		[FW_LAST_ACK] = ".......x....",
		[FW_LISTEN] = "...x...x....",
		[FW_CLOSING] = "......xx....",
	};
	char scratch[2][FW_STATE_NAME_LEN];

	(void)state;
	for (unsigned int from = 0; from < FW_STATE_MAX; from++) {
		for (unsigned int to = 0; to < FW_STATE_MAX; to++) {
			if (fw_state_legal(from, to) != (rows[from][to] == 'x'))
				fail_msg("%s -> %s", fw_state_name(from, scratch[0]),
					 fw_state_name(to, scratch[1]));
		}
	}
}

static void unknown_states_are_not_legal(void **state)
{
	(void)state;
	for (unsigned int s = 0; s < 256; s++) {
		assert_false(fw_state_legal(s, FW_STATE_MAX));
		assert_false(fw_state_legal(FW_STATE_MAX, s));
		assert_false(fw_state_legal(s, 255));
		assert_false(fw_state_legal(255, s));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_are_the_kernels),
		cmocka_unit_test(unknown_numbers_have_a_name),
		cmocka_unit_test(names_are_read_as_people_write_them),
		cmocka_unit_test(other_names_are_refused),
		cmocka_unit_test(legal_transitions),
		cmocka_unit_test(unknown_states_are_not_legal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
