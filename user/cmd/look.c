// SPDX-License-Identifier: GPL-2.0-only
#include "cmd/look.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cmd/cmd.h"
#include "cmd/render.h"
#include "io/output.h"
#include "util/fmt.h"
#include "util/parse.h"

int fw_at_parse(const char *text, struct fw_at *at, struct fw_err *err)
{
	at->text = text;
	at->since_start = !fw_parse_duration(text, &at->ns, NULL);
	if (at->since_start || !fw_parse_rfc3339(text, &at->ns, NULL))
		return 0;
	return fw_err_set(err, -EINVAL,
			  "'%s' is neither a duration nor a time such as 2026-11-22T19:08:14Z", text);
}

int fw_look_check(const struct fw_options *opt, const struct fw_at *at, struct fw_err *err)
{
	if (at->text && !opt->nr_inputs)
		return fw_err_set(err, -EINVAL, "--at is a time in a recording: it needs -i FILE");
	if (opt->recorder.path)
		return fw_err_set(err, -EINVAL, "--record is for commands that watch; "
						"finwait record makes a recording");
	return 0;
}

static int set_until(struct fw_session *s, const struct fw_at *at, struct fw_err *err)
{
	const struct fw_source_info *info = &s->src->info;

	if (!at->text)
		return 0;
	s->until_wall_ns = at->since_start ? 0 : at->ns;
	s->until_ns = at->since_start ? info->start_ns + at->ns :
					at->ns - (uint64_t)info->wall_offset_ns;
	if (s->until_ns >= info->start_ns && s->until_ns < UINT64_MAX / 2)
		return 0;
	return fw_err_set(err, -EINVAL, "--at %s is before the recording begins", at->text);
}

/* A recording has its snapshots among its events. */
static int play(struct fw_session *s, const struct fw_at *at, struct fw_err *err)
{
	int ret = set_until(s, at, err);

	while (!ret && !fw_stopping && !fw_session_ended(s))
		ret = fw_session_step(s, err);
	if (!ret && !fw_session_ended(s))
		ret = fw_err_set(err, -EINTR, "interrupted before the recording was read");
	return ret;
}

int fw_look_once(struct fw_session *s, const struct fw_at *at, struct fw_err *err)
{
	int ret;

	if (!s->src->ops->snapshot)
		return play(s, at, err);
	ret = s->src->ops->snapshot(s->src, err);
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

void fw_look_about(const struct fw_session *s, const char *title, struct fw_report *r)
{
	struct fw_buf b = { 0 };

	r->title = title;
	if (!s->src->info.recorded)
		return;
	fw_fmt_rfc3339(&b, fw_wall_clock_ns(&s->clock, fw_session_now_ns(s)));
	fw_report_about(r, "as_of", "as of", fw_cell_text(fw_buf_str(&b), SIZE_MAX));
	fw_buf_free(&b);
}

int fw_look_print(const struct fw_options *opt, struct fw_report *r, struct fw_err *err)
{
	struct fw_output out;
	int ret;

	ret = fw_output_open(&out, opt->output, false, err);
	if (ret)
		return ret;
	fw_report_sort(r);
	fw_render(opt, r, &out);
	ret = fw_output_close(&out, err);
	return ret == -EPIPE ? 0 : ret;
}
