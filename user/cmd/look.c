// SPDX-License-Identifier: GPL-2.0-only
#include "cmd/look.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cmd/cmd.h"
#include "io/output.h"
#include "report/render.h"

int fw_look_once(struct fw_session *s, struct fw_err *err)
{
	int ret = s->src->ops->snapshot(s->src, err);

	while (!ret && !fw_stopping && s->src->ops->in_snapshot(s->src))
		ret = fw_session_step(s, err);
	if (!ret && s->src->ops->in_snapshot(s->src))
		ret = fw_err_set(err, -EINTR, "interrupted before all sockets were seen");
	return ret;
}

void fw_look_wait(struct fw_session *s, uint64_t ns)
{
	const struct timespec pause = { .tv_nsec = 10000000 };
	uint64_t until = s->src->ops->now_ns(s->src) + ns;

	while (!fw_stopping && s->src->ops->now_ns(s->src) < until)
		nanosleep(&pause, NULL);
}

int fw_look_print(const struct fw_options *opt, struct fw_report *r, struct fw_err *err)
{
	const char *no_color = getenv("NO_COLOR");
	struct fw_output out;
	int ret;

	ret = fw_output_open(&out, opt->output, false, err);
	if (ret)
		return ret;
	fw_report_sort(r);
	if (!strcmp(opt->format->name, "json"))
		fw_report_json(r, &out.buf);
	else
		fw_report_text(r, &out.buf, opt->wide ? 0 : out.columns,
			       out.is_tty && !(no_color && *no_color));
	ret = fw_output_close(&out, err);
	return ret == -EPIPE ? 0 : ret;
}
