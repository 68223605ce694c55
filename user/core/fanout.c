// SPDX-License-Identifier: GPL-2.0-only
#include "core/fanout.h"

#define FORWARD(event, subject, parameters, arguments)                            \
	static void on_##event(void *arg, FW_LIST parameters)                     \
	{                                                                         \
		const struct fw_fanout *f = arg;                                  \
                                                                                  \
		for (unsigned int i = 0; i < FW_FANOUT_MAX; i++)                  \
			FW_OBSERVE(f->to[i], event, FW_LIST arguments);           \
	}

FW_OBSERVER_EVENTS(FORWARD)

#define SLOT(event, subject, parameters, arguments) .event = on_##event,

struct fw_observer fw_fanout_observer(struct fw_fanout *f)
{
	return (struct fw_observer){ FW_OBSERVER_EVENTS(SLOT).arg = f };
}
