// SPDX-License-Identifier: GPL-2.0-only
/* Proves that every state and finding is explained, on one screen each, and found by its name. */
#include "unit.h"

#include <string.h>

#include "core/state.h"
#include "report/explain.h"

#define LINES 24
#define COLUMNS 80

static const char *const findings[] = {
	"close-wait-leak",   "fin-wait-2-peer-stall", "time-wait-port-exhaustion",
	"time-wait-table-full", "time-wait-reset",    "time-wait-behind-nat",
	"short-connections", "server-closes-first",   "simultaneous-close",
	"last-ack-stall",    "fin-wait-1-stall",      "syn-stall",
	"half-open-flood",   "bind-in-use",	      "events-lost",
	"idle-pool",	     "connection-leak",	      "closed-socket-held",
	"inherited-sockets",
	"accept-queue-full", "stale-connection-reuse", "bind-port-exhaustion",
	"address-not-local", "connect-failures",      "orphans-hold-memory",
};

static const char *const terms[] = { "2MSL", "accept-queue", "EADDRNOTAVAIL", "orphan" };

static void all_states(void **state)
{
	char scratch[FW_STATE_NAME_LEN];

	(void)state;
	for (unsigned int s = 1; s < FW_STATE_MAX; s++) {
		const char *name = fw_state_name(s, scratch);

		assert_non_null(fw_explain(name));
		assert_string_equal(fw_explain(name)->topic, name);
		assert_null(fw_explain(name)->meaning);
	}
}

static void is_one_sentence(const char *s)
{
	size_t len = strlen(s);

	assert_in_range(len, 40, 260);
	assert_int_equal(s[len - 1], '.');
	assert_null(strstr(s, ". "));
	assert_null(strchr(s, '\n'));
}

static void all_findings(void **state)
{
	size_t nr = FW_STATE_MAX - 1 + ARRAY_SIZE(findings) + ARRAY_SIZE(terms);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(findings); i++) {
		const struct fw_explanation *e = fw_explain(findings[i]);

		if (!e)
			fail_msg("%s is not explained", findings[i]);
		is_one_sentence(e->meaning);
		is_one_sentence(e->advice);
	}
	for (size_t i = 0; i < ARRAY_SIZE(terms); i++)
		assert_string_equal(fw_explain(terms[i])->topic, terms[i]);
	assert_non_null(fw_explanation_at(nr - 1));
	assert_null(fw_explanation_at(nr));
}

static void one_screen_each(void **state)
{
	const struct fw_explanation *e;
	struct fw_buf b = { 0 };

	(void)state;
	for (size_t i = 0; (e = fw_explanation_at(i)); i++) {
		size_t lines = 0;

		fw_buf_clear(&b);
		fw_explain_text(e, &b, COLUMNS, false);
		for (const char *line = fw_buf_str(&b); *line; line = strchr(line, '\n') + 1) {
			lines++;
			if (strcspn(line, "\n") > COLUMNS)
				fail_msg("%s: %s", e->topic, line);
		}
		if (lines > LINES)
			fail_msg("%s takes %zu lines", e->topic, lines);
		for (size_t c = 0; c < b.len; c++)
			assert_true(b.data[c] == '\n' || (b.data[c] >= ' ' && b.data[c] <= '~'));
		assert_null(strstr(fw_buf_str(&b), "\\x"));
	}
	fw_buf_free(&b);
}

static void names(void **state)
{
	static const struct {
		const char *asked, *topic;
	} cases[] = {
		{ "TIME_WAIT", "TIME_WAIT" },	   { "time-wait", "TIME_WAIT" },
		{ "timewait", "TIME_WAIT" },	   { "finwait2", "FIN_WAIT_2" },
		{ "Close-Wait-Leak", "close-wait-leak" }, { "syn_recv", "SYN_RECV" },
		{ "", NULL },			   { "time", NULL },
		{ "STATE(14)", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct fw_explanation *e = fw_explain(cases[i].asked);

		if (!cases[i].topic)
			assert_null(e);
		else
			assert_string_equal(e->topic, cases[i].topic);
	}
}

static void close_names(void **state)
{
	static const struct {
		const char *asked, *first;
	} cases[] = {
		{ "TIME_WAITT", "TIME_WAIT" },	  { "closewait-leak", "close-wait-leak" },
		{ "waitport-exhaustion", "time-wait-port-exhaustion" },
		{ "port-exhaustion", "bind-port-exhaustion" },
		{ "established?", "ESTABLISHED" },
		{ "last-ack", "LAST_ACK" },	  { "syn-flood", "half-open-flood" },
		{ "", NULL },
		{ "x", NULL },
		{ "\x1b[2J", NULL },
		{ "banana", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct fw_explanation *close[3];
		size_t nr = fw_explain_close(cases[i].asked, close, 3);

		if (!cases[i].first != !nr)
			fail_msg("%s: %zu", cases[i].asked, nr);
		if (nr)
			assert_string_equal(close[0]->topic, cases[i].first);
		assert_int_equal(fw_explain_close(cases[i].asked, close, 0), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_states),	   cmocka_unit_test(all_findings),
		cmocka_unit_test(one_screen_each), cmocka_unit_test(names),
		cmocka_unit_test(close_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
