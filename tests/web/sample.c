// SPDX-License-Identifier: GPL-2.0-only
/*
 * usage: sample story | nothing | CONNECTIONS	writes a page to standard output
 *
 * Pages for the tests of the page: from events that are made up, through the real tracker, analyses and
 * renderer. "story" is that of the unit tests, then a hostile process, lost events and what else a page
 * can have to show; a number makes that many connections of all kinds. FORM=json, FORM=text, FORM=live and
 * FORM=model write the same report as JSON, as text, as a page that is served, or as the model of that.
 */
#include <stdio.h>
#include <stdlib.h>

#include "../unit/story.h"

#define HOSTILE "<img src=x onerr"

static void hostile(struct scene *s)
{
	for (unsigned int n = 700; n < 705; n++) {
		scene_connection(s, n);
		s->rport = 6666;
		full(s, 71000 + n, FW_CLOSE, FW_SYN_SENT, .flags = FW_REC_OWNER, .pid = 666,
		     .comm = HOSTILE, .cgroup_id = 99);
		full(s, 71002 + n, FW_SYN_SENT, FW_ESTABLISHED, .segs_in = 1, .cgroup_id = 99);
		full(s, 72000 + n, FW_ESTABLISHED, FW_CLOSE_WAIT, .flags = FW_REC_FIN_RECEIVED,
		     .segs_in = 2, .cgroup_id = 99);
	}
	fw_tracker_lost(&s->tracker, 3, ns_of(73500));
}

static void other_side_closes(struct scene *s, double ms)
{
	active_open(s, ms);
	full(s, ms + 50, FW_ESTABLISHED, FW_CLOSE_WAIT, .flags = FW_REC_FIN_RECEIVED, .segs_in = 2);
	full(s, ms + 51, FW_CLOSE_WAIT, FW_LAST_ACK, .flags = FW_REC_OWNER, .pid = 7,
	     .comm = "curl", .segs_in = 2);
	full(s, ms + 52, FW_LAST_ACK, FW_CLOSE,
	     .flags = FW_REC_ORPHAN | FW_REC_FIN_RECEIVED | FW_REC_FIN_ACKED, .segs_in = 3);
}

static void refused(struct scene *s, double ms)
{
	full(s, ms, FW_CLOSE, FW_SYN_SENT, .flags = FW_REC_OWNER, .pid = 7, .comm = "curl");
	full(s, ms + 1, FW_SYN_SENT, FW_CLOSE, .err = 111);
}

/* Older than finwait, reset, and a listener that goes. */
static void others(struct scene *s)
{
	scene_connection(s, 801);
	full(s, 73600, FW_ESTABLISHED, FW_CLOSE_WAIT, .flags = FW_REC_FIN_RECEIVED, .segs_in = 9);
	scene_connection(s, 802);
	active_open(s, 73700);
	full(s, 74500, FW_ESTABLISHED, FW_CLOSE, .err = 104);
	scene_connection(s, 803);
	refused(s, 74600);
	scene_connection(s, 804);
	full(s, 74700, FW_CLOSE, FW_LISTEN, .flags = FW_REC_OWNER, .pid = 80, .comm = "httpd");
	full(s, 74800, FW_LISTEN, FW_CLOSE);
}

/* What finwait report says of itself. */
static void about(struct watch *w)
{
	fw_report_about(&w->report, "host", "host", fw_cell_text("web-1<b>", SIZE_MAX));
	fw_report_about(&w->report, "start", "start",
			fw_cell_text("2026-11-22T23:59:30.250000001Z", SIZE_MAX));
	fw_report_about(&w->report, "span", "span", fw_cell_duration(75 * FW_NS_PER_S));
}

static void render(const struct fw_report *r, struct fw_buf *out)
{
	const char *form = getenv("FORM");

	if (form && !strcmp(form, "json"))
		fw_report_json(r, out);
	else if (form && !strcmp(form, "text"))
		fw_report_text(r, out, 0, false);
	else if (form && !strcmp(form, "live"))
		fw_report_html_live(r, 1, out);
	else if (form && !strcmp(form, "model"))
		fw_report_html_model(r, 1, out);
	else
		fw_report_html(r, out);
}

/* One in a hundred of the rarer kinds. */
static void one_of_many(struct scene *s, unsigned int n, double ms)
{
	s->cookie = n;
	s->skaddr = 0xffff888000000000ULL + n * 0x1000ULL;
	s->mini_skaddr = s->skaddr + 0x400;
	s->lport = (uint16_t)(32768 + n % 28000);
	s->rport = (uint16_t)(n % 3 ? 443 : 5432);
	switch (n % 100) {
	case 0:
		orphan_in_minisock(s, ms + 110);
		break;
	case 1:
		refused(s, ms);
		break;
	case 2:
		active_open(s, ms);
		break;
	default:
		if (n % 100 < 50)
			three_segment_close(s, ms + 200);
		else
			other_side_closes(s, ms);
	}
}

static void many(struct scene *s, unsigned int nr)
{
	for (unsigned int n = 1; n <= nr; n++)
		one_of_many(s, n, 1000 + n * (250000.0 / nr) * 1.0);
}

int main(int argc, char **argv)
{
	unsigned int nr = argc > 1 ? (unsigned int)atoi(argv[1]) : 0;
	struct fw_buf out = { 0 };
	struct watch w;

	watch_init_with(&w, (struct fw_analysis_options){
		.top = 100, .stall_ns = FW_NS_PER_S, .leak_age_ns = 30 * FW_NS_PER_S,
		.lives = nr ? nr : 10000 });
	if (nr) {
		many(&w.scene, nr);
		watch_report(&w, 260000);
	} else if (argc > 1 && !strcmp(argv[1], "nothing")) {
		watch_report(&w, 1000);
	} else {
		whole_story(&w);
		hostile(&w.scene);
		others(&w.scene);
		watch_report(&w, 75000);
	}
	about(&w);
	render(&w.report, &out);
	fwrite(out.data, 1, out.len, stdout);
	fw_buf_free(&out);
	watch_fini(&w);
	return 0;
}
