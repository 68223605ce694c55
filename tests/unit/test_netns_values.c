// SPDX-License-Identifier: GPL-2.0-only
/* Proves that the kernel's settings and counters are one list: each line has a field, a name and a source
 * of its own, and values go through a recording unchanged.
 */
#include "unit.h"

#include <string.h>

#include "util/netns_values.h"

static void each_line_is_alone(void **state)
{
	(void)state;
	for (size_t i = 0; i < fw_nr_values; i++) {
		const struct fw_value *a = &fw_values[i];

		for (size_t k = 0; k < i; k++) {
			const struct fw_value *b = &fw_values[k];

			if (!strcmp(a->name, b->name) || a->offset == b->offset)
				fail_msg("%s and %s", a->name, b->name);
			if (a->file == b->file && a->place == b->place && !strcmp(a->key, b->key))
				fail_msg("%s and %s are read from the same place", a->name, b->name);
			if (a->label && b->label && !strcmp(a->label, b->label))
				fail_msg("%s and %s have the same label", a->name, b->name);
		}
	}
}

/* A name is read back by fw_pair_next(): no space, not too long. */
static void names_fit_in_a_line(void **state)
{
	(void)state;
	for (size_t i = 0; i < fw_nr_values; i++) {
		assert_null(strpbrk(fw_values[i].name, " \n"));
		assert_in_range(strlen(fw_values[i].name), 1, 60);
	}
}

static void values_come_back(void **state)
{
	struct fw_netns_values v, back;
	struct fw_buf b = { 0 };

	(void)state;
	fw_netns_values_init(&v);
	v.read_from_ns = 1;
	v.read_ns = 2;
	for (size_t i = 0; i < fw_nr_values; i += 2)
		fw_value_set(&v, &fw_values[i], (int64_t)i * 1000);
	fw_netns_values_print(&v, &b);
	fw_netns_values_parse(&back, b.data, b.len);
	assert_memory_equal(&v, &back, sizeof(v));
	fw_buf_free(&b);
}

/* Names of finwait 0.1, whose recordings are read for ever. */
static void names_of_old_recordings(void **state)
{
	static const char *const names[] = {
		"tcp_fin_timeout", "tcp_tw_reuse", "tcp_tw_reuse_delay", "tcp_max_tw_buckets",
		"tcp_rfc1337", "tcp_timestamps", "tcp_max_orphans", "tcp_max_syn_backlog",
		"tcp_syncookies", "somaxconn", "tcp_abort_on_overflow", "tcp_orphan_retries",
		"tcp_retries2", "tcp_syn_retries", "tcp_synack_retries", "tcp_keepalive_time",
		"ip_local_port_low", "ip_local_port_high", "ip_local_ports_reserved", "ActiveOpens",
		"PassiveOpens", "AttemptFails", "EstabResets", "OutRsts", "CurrEstab", "TW",
		"TWRecycled", "TWKilled", "TCPTimeWaitOverflow", "PAWSActive", "PAWSEstab",
		"PAWSTimewait", "PAWSOldAck", "ListenOverflows", "ListenDrops", "SyncookiesSent",
		"SyncookiesRecv", "SyncookiesFailed", "EmbryonicRsts", "TCPReqQFullDoCookies",
		"TCPReqQFullDrop", "TCPAbortOnData", "TCPAbortOnClose", "TCPAbortOnMemory",
		"TCPAbortOnTimeout", "TCPAbortOnLinger", "TCPAbortFailed", "TCPSynRetrans",
		"TCPTimeouts", "TCPKeepAlive", "TCPACKSkippedFinWait2", "TCPACKSkippedTimeWait",
		"TCPBacklogDrop", "sockstat_inuse", "sockstat_orphan", "sockstat_tw",
		"sockstat_alloc", "sockstat_mem_pages", "sockstat6_inuse",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct fw_netns_values v;
		struct fw_buf line = { 0 };
		size_t known = 0;

		fw_buf_printf(&line, "%s 7\n", names[i]);
		fw_netns_values_parse(&v, line.data, line.len);
		for (size_t k = 0; k < fw_nr_values; k++)
			known += fw_value_get(&v, &fw_values[k]) == 7;
		if (known != 1)
			fail_msg("%s sets %zu values", names[i], known);
		fw_buf_free(&line);
	}
}

static void nonsense_is_ignored(void **state)
{
	static const char *const texts[] = {
		"TW\n", "TW \n", "TW x\n", "TW 1x\n", "TW -5\n", "TW 9223372036854775807\n",
		"TW 99999999999999999999\n", "tw 5\n", "no_such_value 5\n", "",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct fw_netns_values v, unknown;

		fw_netns_values_init(&unknown);
		fw_netns_values_parse(&v, texts[i], strlen(texts[i]));
		assert_memory_equal(&v, &unknown, sizeof(v));
	}
}

static void counters_grow_and_gauges_are(void **state)
{
	struct fw_netns_values before, now;

	(void)state;
	fw_netns_values_init(&before);
	fw_netns_values_init(&now);
	before.counters.active_opens = 10;
	now.counters.active_opens = 14;
	before.counters.tw = 10; /* it shrinks: it was another namespace, or it wrapped */
	now.counters.tw = 9;
	now.counters.tw_killed = 3; /* not known before */
	before.counters.tw_now = 50;
	now.counters.tw_now = 40;
	before.sysctls.tcp_fin_timeout = 60;
	now.sysctls.tcp_fin_timeout = 30;
	fw_netns_values_since(&now, &before);
	assert_int_equal(now.counters.active_opens, 4);
	assert_int_equal(now.counters.tw, FW_VALUE_UNKNOWN);
	assert_int_equal(now.counters.tw_killed, FW_VALUE_UNKNOWN);
	assert_int_equal(now.counters.passive_opens, FW_VALUE_UNKNOWN);
	assert_int_equal(now.counters.tw_now, 40);
	assert_int_equal(now.sysctls.tcp_fin_timeout, 30);
}

static void words_are_those_of_their_file(void **state)
{
	(void)state;
	assert_string_equal(fw_value_of_word(FW_FILE_SOCKSTAT, "tw")->name, "sockstat_tw");
	assert_string_equal(fw_value_of_word(FW_FILE_SOCKSTAT, "inuse")->name, "sockstat_inuse");
	assert_string_equal(fw_value_of_word(FW_FILE_SOCKSTAT6, "inuse")->name, "sockstat6_inuse");
	assert_null(fw_value_of_word(FW_FILE_SNMP, "TW"));
	assert_null(fw_value_of_word(FW_FILE_NETSTAT, "tw"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_line_is_alone),
		cmocka_unit_test(names_fit_in_a_line),
		cmocka_unit_test(values_come_back),
		cmocka_unit_test(names_of_old_recordings),
		cmocka_unit_test(nonsense_is_ignored),
		cmocka_unit_test(counters_grow_and_gauges_are),
		cmocka_unit_test(words_are_those_of_their_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
