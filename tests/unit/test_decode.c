// SPDX-License-Identifier: GPL-2.0-only
/* Proves that only whole, sane records become events, and that stacks name the cause. */
#include "unit.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "core/decode.h"

static struct fw_rec_state state_record(void)
{
	return (struct fw_rec_state){
		.head = { .ts_ns = 1, .kind = FW_REC_STATE, .family = AF_INET, .oldstate = 1,
			  .newstate = 4 },
	};
}

static struct fw_rec_mini mini_record(void)
{
	return (struct fw_rec_mini){
		.head = { .ts_ns = 1, .kind = FW_REC_TW_END, .family = AF_INET6, .oldstate = 6,
			  .newstate = 6 },
	};
}

static size_t size_of_kind(unsigned int kind)
{
	static const size_t sizes[FW_REC_MAX] = {
		[FW_REC_STATE] = sizeof(struct fw_rec_state),
		[FW_REC_RESET_SENT] = sizeof(struct fw_rec_state),
		[FW_REC_ACCEPTED] = sizeof(struct fw_rec_state),
		[FW_REC_BIND_FAILED] = sizeof(struct fw_rec_state),
		[FW_REC_RETRANSMIT] = sizeof(struct fw_rec_state),
		[FW_REC_CONNECT_FAILED] = sizeof(struct fw_rec_state),
		[FW_REC_TW_SCHED] = sizeof(struct fw_rec_mini),
		[FW_REC_TW_END] = sizeof(struct fw_rec_mini),
		[FW_REC_TW_SEEN] = sizeof(struct fw_rec_mini),
		[FW_REC_REQ_SCHED] = sizeof(struct fw_rec_mini),
		[FW_REC_REQ_END] = sizeof(struct fw_rec_mini),
		[FW_REC_SNAP_BEGIN] = sizeof(struct fw_rec_head),
		[FW_REC_SNAP_NETNS] = sizeof(struct fw_rec_head),
		[FW_REC_SNAP_END] = sizeof(struct fw_rec_head),
		[FW_REC_HOLDERS_BEGIN] = sizeof(struct fw_rec_head),
		[FW_REC_HOLDERS_END] = sizeof(struct fw_rec_head),
		[FW_REC_PROCESS_ENDED] = sizeof(struct fw_rec_state),
		[FW_REC_SOCK] = sizeof(struct fw_rec_sock),
		[FW_REC_HOLDER] = sizeof(struct fw_rec_holder),
		[FW_REC_PROCESS] = sizeof(struct fw_rec_process),
	};

	return sizes[kind];
}

static void every_kind_has_its_part(void **state)
{
	struct fw_rec_mini rec = mini_record();
	struct fw_event ev;

	(void)state;
	for (unsigned int kind = 0; kind < FW_REC_MAX; kind++) {
		rec.head.kind = (uint8_t)kind;
		assert_int_equal(fw_decode(&rec, size_of_kind(kind), NULL, &ev), 0);
		assert_ptr_equal(ev.head, &rec);
		assert_int_equal(!!ev.state, size_of_kind(kind) == sizeof(*ev.state) &&
					     kind != FW_REC_SOCK);
		assert_int_equal(!!ev.mini, size_of_kind(kind) == sizeof(*ev.mini));
		assert_int_equal(!!ev.sock, kind == FW_REC_SOCK);
		assert_int_equal(!!ev.holder, kind == FW_REC_HOLDER);
		assert_int_equal(!!ev.process, kind == FW_REC_PROCESS);
		assert_int_equal(ev.cause, FW_CAUSE_UNKNOWN);
	}
}

static void unknown_kinds_are_refused(void **state)
{
	struct fw_rec_mini rec = mini_record();
	struct fw_event ev;

	(void)state;
	for (unsigned int kind = FW_REC_MAX; kind < 256; kind++) {
		rec.head.kind = (uint8_t)kind;
		assert_int_equal(fw_decode(&rec, sizeof(rec), NULL, &ev), -EBADMSG);
	}
}

/* Each copy is exactly as long as it says, so ASan sees any read beyond. */
static void truncated_records_are_refused(void **state)
{
	struct fw_rec_mini rec = mini_record();
	struct fw_event ev;

	(void)state;
	for (unsigned int kind = 0; kind < FW_REC_MAX; kind++) {
		rec.head.kind = (uint8_t)kind;
		for (size_t len = 0; len < size_of_kind(kind); len++) {
			void *copy = malloc(len ? len : 1);

			assert_non_null(copy);
			memcpy(copy, &rec, len);
			assert_int_equal(fw_decode(copy, len, NULL, &ev), -EBADMSG);
			free(copy);
		}
	}
}

static void families(void **state)
{
	struct fw_rec_state rec = state_record();
	struct fw_event ev;

	(void)state;
	for (unsigned int family = 0; family < 256; family++) {
		rec.head.family = (uint8_t)family;
		assert_int_equal(fw_decode(&rec, sizeof(rec), NULL, &ev),
				 family == AF_INET || family == AF_INET6 ? 0 : -EBADMSG);
	}
}

/* Kernels grow states (13, TCP_BOUND_INACTIVE), but filters keep them in 32 bits. */
static void states(void **state)
{
	struct fw_rec_state rec = state_record();
	struct fw_rec_mini tw = mini_record();
	struct fw_event ev;

	(void)state;
	for (unsigned int s = 0; s < 256; s++) {
		rec.head.oldstate = (uint8_t)s;
		assert_int_equal(fw_decode(&rec, sizeof(rec), NULL, &ev), s < 32 ? 0 : -EBADMSG);
		rec.head.oldstate = 1;
		rec.head.newstate = (uint8_t)s;
		assert_int_equal(fw_decode(&rec, sizeof(rec), NULL, &ev), s < 32 ? 0 : -EBADMSG);
		tw.head.oldstate = tw.head.newstate = (uint8_t)s;
		assert_int_equal(fw_decode(&tw, sizeof(tw), NULL, &ev), s < 32 ? 0 : -EBADMSG);
	}
}

static void stack_depth_is_checked(void **state)
{
	static const uint32_t bad[] = { FW_STACK_DEPTH + 1, 255, UINT32_MAX };
	struct fw_symbols none = { .nr = 0 };
	struct fw_rec_mini rec = mini_record();
	struct fw_event ev;

	(void)state;
	for (uint32_t n = 0; n <= FW_STACK_DEPTH; n++) {
		rec.nr_ips = n;
		assert_int_equal(fw_decode(&rec, sizeof(rec), &none, &ev), 0);
		assert_int_equal(ev.cause, FW_CAUSE_UNKNOWN);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		rec.nr_ips = bad[i];
		assert_int_equal(fw_decode(&rec, sizeof(rec), &none, &ev), -EBADMSG);
	}
}

/* ---- Stacks ------------------------------------------------------------------------------ */

/*
 * A kernel where every function that decode.c asks for is 0x100 long and the next one follows at
 * once, in the order in which it asks for them.
 */
#define KERNEL_TEXT 0xffffffff81000000ULL

static struct fw_symbols kernel(void)
{
	struct fw_symbols s = { .nr = 0 };

	for (; fw_symbol_names[s.nr].name; s.nr++) {
		assert_in_range(s.nr, 0, FW_SYMBOLS_MAX - 1);
		s.sym[s.nr] = (struct fw_symbol){ KERNEL_TEXT + s.nr * 0x100ULL,
						  KERNEL_TEXT + s.nr * 0x100ULL + 0x100,
						  fw_symbol_names[s.nr].frame };
	}
	return s;
}

/* An address within the function of that name; of one that nobody asks for, an address outside. */
static uint64_t ip_in(const char *name, size_t len)
{
	for (unsigned int i = 0; fw_symbol_names[i].name; i++) {
		if (strlen(fw_symbol_names[i].name) == len &&
		    !memcmp(fw_symbol_names[i].name, name, len))
			return KERNEL_TEXT + i * 0x100ULL + 0x42;
	}
	return KERNEL_TEXT - 0x100000;
}

/* "a b c": a is the innermost frame. */
static unsigned int stack_of(const char *names, uint64_t ips[FW_STACK_DEPTH])
{
	unsigned int nr = 0;

	while (*names && nr < FW_STACK_DEPTH) {
		size_t len = strcspn(names, " ");

		ips[nr++] = ip_in(names, len);
		names += len + (names[len] == ' ');
	}
	return nr;
}

static const struct {
	const char *what, *stack;
	enum fw_cause cause;
} stacks[] = {
	/* timer front end; 6.18, 7.x */
	{ "re-armed",
	  "bpf_prog bpf_trace_run1 detach_if_pending __mod_timer mod_timer __inet_twsk_schedule "
	  "tcp_timewait_state_process tcp_v4_rcv", FW_CAUSE_REARMED },
	{ "re-armed, mod_timer inlined",
	  "bpf_prog bpf_trace_run1 detach_if_pending __inet_twsk_schedule "
	  "tcp_timewait_state_process tcp_v6_rcv", FW_CAUSE_REARMED },
	{ "expired", "bpf_prog bpf_trace_run1 __run_timers run_timer_softirq handle_softirqs",
	  FW_CAUSE_EXPIRED },
	{ "expired on another CPU's behalf",
	  "bpf_prog bpf_trace_run1 __run_timers timer_expire_remote tmigr_handle_remote_cpu",
	  FW_CAUSE_EXPIRED },
	{ "RST", "bpf_prog detach_if_pending timer_delete_sync inet_twsk_deschedule_put "
	  "tcp_timewait_state_process tcp_v4_rcv ip_protocol_deliver_rcu", FW_CAUSE_RESET },
	{ "reopened by SYN", "bpf_prog detach_if_pending timer_shutdown_sync "
	  "inet_twsk_deschedule_put tcp_v4_rcv ip_protocol_deliver_rcu", FW_CAUSE_SEGMENT },
	{ "reopened by SYN, IPv6", "bpf_prog detach_if_pending timer_shutdown_sync "
	  "inet_twsk_deschedule_put tcp_v6_rcv ip6_protocol_deliver_rcu", FW_CAUSE_SEGMENT },
	/* trampoline and kprobe, at inet_twsk_kill() */
	{ "expired, 5.10", "bpf_prog bpf_trampoline inet_twsk_kill tw_timer_handler call_timer_fn "
	  "__run_timers run_timer_softirq __do_softirq", FW_CAUSE_EXPIRED },
	{ "expired, handler inlined", "bpf_prog bpf_trampoline inet_twsk_kill call_timer_fn "
	  "expire_timers", FW_CAUSE_EXPIRED },
	{ "reused by connect()", "bpf_prog bpf_trampoline inet_twsk_kill inet_twsk_deschedule_put "
	  "__inet_check_established __inet_hash_connect tcp_v4_connect", FW_CAUSE_REUSED },
	{ "reused by connect(), inlined", "bpf_prog inet_twsk_kill inet_hash_connect "
	  "tcp_v4_connect", FW_CAUSE_REUSED },
	{ "reused by connect(), IPv6", "bpf_prog inet_twsk_kill __inet6_check_established "
	  "__inet_hash_connect tcp_v6_connect", FW_CAUSE_REUSED },
	{ "namespace removed", "bpf_prog inet_twsk_kill inet_twsk_deschedule_put inet_twsk_purge "
	  "ops_undo_list cleanup_net", FW_CAUSE_PURGED },
	{ "namespace removed, inlined", "bpf_prog inet_twsk_kill tcp_sk_exit_batch cleanup_net",
	  FW_CAUSE_PURGED },
	{ "ss -K", "bpf_prog inet_twsk_kill inet_twsk_deschedule_put tcp_abort tcp_diag_destroy "
	  "inet_diag_cmd_exact", FW_CAUSE_DESTROYED },
	/* the timer softirq may interrupt anybody: what lies further out is not the cause */
	{ "expired while connect() ran", "bpf_prog inet_twsk_kill call_timer_fn __run_timers "
	  "run_timer_softirq __do_softirq irq_exit_rcu sysvec_apic_timer_interrupt "
	  "__inet_hash_connect", FW_CAUSE_EXPIRED },
	{ "RST on loopback, from connect()", "bpf_prog inet_twsk_kill tcp_timewait_state_process "
	  "tcp_v4_rcv ip_rcv net_rx_action __do_softirq __dev_queue_xmit tcp_connect "
	  "inet_hash_connect", FW_CAUSE_RESET },
	/* nothing known */
	{ "no stack", "", FW_CAUSE_UNKNOWN },
	{ "unknown functions", "bpf_prog inet_twsk_kill some_new_function", FW_CAUSE_UNKNOWN },
	/* request sockets */
	{ "handshake completed", "bpf_prog inet_csk_reqsk_queue_drop inet_csk_complete_hashdance "
	  "tcp_check_req tcp_v4_rcv", FW_CAUSE_COMPLETED },
	{ "RST for a request", "bpf_prog inet_csk_reqsk_queue_drop tcp_check_req tcp_v4_rcv",
	  FW_CAUSE_RESET },
};

static void stacks_name_the_cause(void **state)
{
	const struct fw_symbols symbols = kernel();
	struct fw_rec_mini rec = mini_record();
	struct fw_event ev;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(stacks); i++) {
		uint64_t ips[FW_STACK_DEPTH];
		unsigned int nr = stack_of(stacks[i].stack, ips);

		memcpy(rec.ips, ips, nr * sizeof(ips[0]));
		rec.nr_ips = nr;
		assert_int_equal(fw_decode(&rec, sizeof(rec), &symbols, &ev), 0);
		if (ev.cause != stacks[i].cause)
			fail_msg("%s: cause %d, not %d", stacks[i].what, ev.cause, stacks[i].cause);
		assert_int_equal(fw_cause_of_stack(&symbols, ips, nr), stacks[i].cause);
	}
}

/* Frames beyond nr_ips are leftovers. */
static void only_the_frames_that_are_there_count(void **state)
{
	const struct fw_symbols symbols = kernel();
	struct fw_rec_mini rec = mini_record();
	struct fw_event ev;

	(void)state;
	rec.ips[1] = ip_in("inet_twsk_purge", 15);
	rec.nr_ips = 1;
	assert_int_equal(fw_decode(&rec, sizeof(rec), &symbols, &ev), 0);
	assert_int_equal(ev.cause, FW_CAUSE_UNKNOWN);
	rec.nr_ips = 2;
	assert_int_equal(fw_decode(&rec, sizeof(rec), &symbols, &ev), 0);
	assert_int_equal(ev.cause, FW_CAUSE_PURGED);
}

/* Ranges are half-open: where one function ends the next begins, and gaps belong to nobody. */
static void borders_of_functions(void **state)
{
	static const struct fw_symbols symbols = {
		.sym = { { 1000, 1100, FW_FRAME_RUN_TIMERS },
			 { 1100, 1200, FW_FRAME_CONNECT },
			 { 1300, 1301, FW_FRAME_PURGE },
			 { UINT64_MAX - 1, UINT64_MAX, FW_FRAME_ABORT } },
		.nr = 4,
	};
	static const struct {
		uint64_t ip;
		enum fw_cause cause;
	} cases[] = {
		{ 0, FW_CAUSE_UNKNOWN },       { 999, FW_CAUSE_UNKNOWN },
		{ 1000, FW_CAUSE_EXPIRED },    { 1099, FW_CAUSE_EXPIRED },
		{ 1100, FW_CAUSE_REUSED },     { 1199, FW_CAUSE_REUSED },
		{ 1200, FW_CAUSE_UNKNOWN },    { 1299, FW_CAUSE_UNKNOWN },
		{ 1300, FW_CAUSE_PURGED },     { 1301, FW_CAUSE_UNKNOWN },
		{ UINT64_MAX - 1, FW_CAUSE_DESTROYED }, { UINT64_MAX, FW_CAUSE_UNKNOWN },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		if (fw_cause_of_stack(&symbols, &cases[i].ip, 1) != cases[i].cause)
			fail_msg("at %llu", (unsigned long long)cases[i].ip);
	}
}

/* What a source may do: ask for all names and find several ranges for some. */
static void names_fit_the_table(void **state)
{
	unsigned int nr = 0;

	(void)state;
	while (fw_symbol_names[nr].name) {
		assert_in_range(fw_symbol_names[nr].frame, 0, FW_FRAME_MAX - 1);
		for (unsigned int i = 0; i < nr; i++)
			assert_string_not_equal(fw_symbol_names[i].name, fw_symbol_names[nr].name);
		nr++;
	}
	assert_in_range(nr, 1, FW_SYMBOLS_MAX / 2);
}

static void one_frame_is_kept(void **state)
{
	static const struct fw_symbols kernel = { .nr = 2, .sym = {
		{ 0x1000, 0x1100, FW_FRAME_RUN_TIMERS }, { 0x2000, 0x2100, FW_FRAME_CONNECT },
	} };
	struct fw_symbols frames;
	struct fw_rec_mini rec = mini_record();
	struct fw_event ev;

	(void)state;
	fw_symbols_of_frames(&frames);
	rec.nr_ips = 3;
	rec.ips[0] = 0x5555;
	rec.ips[1] = 0x2010;
	rec.ips[2] = 0x1010;
	fw_frame_keep(&kernel, &rec);
	assert_int_equal(rec.nr_ips, 1);
	for (int i = 0; i < FW_STACK_DEPTH; i++)
		assert_true(rec.ips[i] <= FW_FRAME_MAX);
	assert_int_equal(fw_decode(&rec, sizeof(rec), &frames, &ev), 0);
	assert_int_equal(ev.cause, FW_CAUSE_REUSED);
	rec.nr_ips = 1;
	rec.ips[0] = 0x9999;
	fw_frame_keep(&kernel, &rec);
	assert_int_equal(rec.nr_ips, 0);
	assert_int_equal(rec.ips[0], 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind_has_its_part),
		cmocka_unit_test(one_frame_is_kept),
		cmocka_unit_test(unknown_kinds_are_refused),
		cmocka_unit_test(truncated_records_are_refused),
		cmocka_unit_test(families),
		cmocka_unit_test(states),
		cmocka_unit_test(stack_depth_is_checked),
		cmocka_unit_test(stacks_name_the_cause),
		cmocka_unit_test(only_the_frames_that_are_there_count),
		cmocka_unit_test(borders_of_functions),
		cmocka_unit_test(names_fit_the_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
