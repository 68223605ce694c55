// SPDX-License-Identifier: GPL-2.0-only
/*
 * Proves that every event of core/observer.h passes the fan-out to all receivers, into the slot of its
 * own name. Receivers and calls are generated from the list that generates the observer.
 */
#include "unit.h"

#include "core/fanout.h"

struct receiver {
	const char *event;
	unsigned int calls;
};

static void unused(int first, ...)
{
	(void)first;
}

#define RECEIVE(name, subject, parameters, arguments)          \
	static void on_##name(void *arg, FW_LIST parameters)   \
	{                                                      \
		struct receiver *receiver = arg;               \
                                                               \
		unused(0, FW_LIST arguments);                  \
		receiver->event = #name;                       \
		receiver->calls++;                             \
	}

FW_OBSERVER_EVENTS(RECEIVE)

/* Arguments, by the names that the list gives its parameters. */
static const struct fw_conn *const c;
static const struct fw_transition *const tr;
static const struct fw_rec_state *const rec;
static const struct fw_bind_failure *const failure;
static const struct fw_rec_sock *const sock;
static const struct fw_rec_holder *const holder;
static const struct fw_rec_process *const process;
static const uint64_t ts_ns, count;
static const unsigned int hz;

static void fanout_forwards_every_event(void **state)
{
	struct receiver first, last;
	struct fw_fanout fanout = { 0 };
	struct fw_observer observer = fw_fanout_observer(&fanout);
	unsigned int events = 0;

	(void)state;
#define SLOT(name, subject, parameters, arguments) .name = on_##name,
	fanout.to[0] = (struct fw_observer){ FW_OBSERVER_EVENTS(SLOT).arg = &first };
	fanout.to[FW_FANOUT_MAX - 1] = (struct fw_observer){ FW_OBSERVER_EVENTS(SLOT).arg = &last };
#define EXPECT(name, subject, parameters, arguments)           \
	first = last = (struct receiver){ 0 };                 \
	FW_OBSERVE(observer, name, FW_LIST arguments);         \
	assert_string_equal(first.event, #name);               \
	assert_string_equal(last.event, #name);                \
	assert_int_equal(first.calls, 1);                      \
	assert_int_equal(last.calls, 1);                       \
	events++;
	FW_OBSERVER_EVENTS(EXPECT)
	assert_int_equal(events, (sizeof(struct fw_observer) - sizeof(void *)) / sizeof(void (*)(void)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fanout_forwards_every_event),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
