// SPDX-License-Identifier: GPL-2.0-only
#include "cmd/tap.h"

#include <stdio.h>
#include <string.h>

#include "io/host.h"

static struct fw_header header_of(const struct fw_session *s)
{
	const struct fw_source_info *info = &s->src->info;
	struct fw_header h = {
		.part = 1,
		.hz = info->hz,
		.netns = info->own_netns,
		.start_ns = info->start_ns,
		.wall_offset_ns = info->wall_offset_ns,
		.rearms_unseen = info->rearms_unseen,
		.accepts_unseen = info->accepts_unseen,
		.filtered = info->filtered,
	};

	snprintf(h.hooks, sizeof(h.hooks), "%s", info->hooks);
	snprintf(h.filter, sizeof(h.filter), "%s", s->opt->filter_text);
	fw_host_describe(&h, !s->opt->no_host);
	return h;
}

int fw_tap_open(struct fw_session *s, struct fw_err *err)
{
	const struct fw_header header = header_of(s);

	if (!s->opt->recorder.path)
		return 0;
	s->recorder = fw_recorder_open(&s->opt->recorder, &header, err);
	return s->recorder ? 0 : err->code;
}

void fw_tap_event(struct fw_session *s, const struct fw_event *ev)
{
	struct fw_rec_mini mini;

	if (!s->recorder)
		return;
	if (!ev->mini) {
		fw_recorder_record(s->recorder, ev->head);
		return;
	}
	mini = *ev->mini;
	fw_frame_keep(&s->symbols, &mini);
	fw_recorder_record(s->recorder, &mini);
}

void fw_tap_mark(struct fw_session *s, const struct fw_mark *mark)
{
	if (s->recorder)
		fw_recorder_mark(s->recorder, mark);
}

static void tell_names(struct fw_session *s, const struct fw_names *names, enum fw_mark_kind kind)
{
	for (const struct fw_named *n = names->first; n; n = n->next) {
		const struct fw_mark mark = {
			.kind = kind, .number = n->number,
			.text = n->name, .len = n->name ? strlen(n->name) : 0,
		};

		if (n->name)
			fw_recorder_mark(s->recorder, &mark);
	}
}

int fw_tap_step(struct fw_session *s, struct fw_err *err)
{
	int ret = s->recorder ? fw_recorder_step(s->recorder, s->now_ns, err) : 0;

	if (ret == 1) {
		tell_names(s, &s->cgroups, FW_MARK_CGROUP);
		tell_names(s, &s->netns, FW_MARK_NETNS);
	}
	return ret;
}

int fw_tap_close(struct fw_session *s, struct fw_err *err)
{
	struct fw_recorder *r = s->recorder;

	s->recorder = NULL;
	return fw_recorder_close(r, &s->recorded, err);
}
