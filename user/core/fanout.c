// SPDX-License-Identifier: GPL-2.0-only
#include "core/fanout.h"

#define TELL(arg, event, ...)                                                  \
	do {                                                                   \
		const struct fw_fanout *f_ = (arg);                            \
		for (unsigned int i_ = 0; i_ < FW_FANOUT_MAX; i_++) {          \
			if (f_->to[i_].event)                                  \
				f_->to[i_].event(f_->to[i_].arg, __VA_ARGS__); \
		}                                                              \
	} while (0)

static void on_transition(void *arg, const struct fw_conn *c, const struct fw_transition *tr)
{
	TELL(arg, transition, c, tr);
}

static void on_connection(void *arg, const struct fw_conn *c)
{
	TELL(arg, connection, c);
}

static void on_snapshot_begin(void *arg, uint64_t ts_ns)
{
	TELL(arg, snapshot_begin, ts_ns);
}

static void on_socket(void *arg, const struct fw_conn *c, const struct fw_rec_sock *sock)
{
	TELL(arg, socket, c, sock);
}

static void on_holder(void *arg, const struct fw_conn *c, const struct fw_rec_holder *holder)
{
	TELL(arg, holder, c, holder);
}

static void on_process(void *arg, const struct fw_rec_process *process)
{
	TELL(arg, process, process);
}

static void on_snapshot_end(void *arg, uint64_t ts_ns)
{
	TELL(arg, snapshot_end, ts_ns);
}

static void on_bind_failed(void *arg, const struct fw_bind_failure *failure)
{
	TELL(arg, bind_failed, failure);
}

static void on_lost(void *arg, uint64_t count, uint64_t ts_ns)
{
	TELL(arg, lost, count, ts_ns);
}

struct fw_observer fw_fanout_observer(struct fw_fanout *f)
{
	return (struct fw_observer){
		.transition = on_transition,
		.connection = on_connection,
		.snapshot_begin = on_snapshot_begin,
		.socket = on_socket,
		.holder = on_holder,
		.process = on_process,
		.snapshot_end = on_snapshot_end,
		.bind_failed = on_bind_failed,
		.lost = on_lost,
		.arg = f,
	};
}
