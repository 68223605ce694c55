/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A report as an incident leaves it, with all kinds of cells and a process that calls itself
 * something that no terminal should be sent.
 */
#ifndef FW_TESTS_REPORT_SAMPLE_H
#define FW_TESTS_REPORT_SAMPLE_H

#include "report/report.h"
#include "unit.h"
#include "util/fmt.h"

#define SAMPLE_HOSTILE "\x1b[2Jjava\n\"\\\xff"

static inline void sample_leak(struct fw_report *r)
{
	static const char *const columns[] = { "process", "process", "remote", "remote", "sockets",
					       "sockets", "oldest",  "oldest", "growth", "growth",
					       "unread", "unread",  "eof_read", "EOF read", NULL };
	struct fw_finding *f = fw_report_finding(r, "close-wait-leak", FW_SEVERITY_CRITICAL, 412);
	struct fw_table *t = fw_finding_offenders(r, f, columns);

	fw_finding_say(r, &f->title,
		       "%s/4711 holds 412 connections in CLOSE_WAIT, the oldest for 41 minutes",
		       SAMPLE_HOSTILE);
	fw_finding_say(r, &f->meaning,
		       "The peer has closed and the application has read end-of-file, but it never "
		       "called close().");
	fw_finding_say(r, &f->advice,
		       "Look for the path in %s that drops a connection without close(): an error "
		       "branch, or a pool without a limit.", SAMPLE_HOSTILE);
	fw_finding_say(r, &f->confidence, "3 sockets were closed before they could be looked at.");
	fw_finding_evidence(r, f, "sockets", "sockets", fw_cell_count(412));
	fw_finding_evidence(r, f, "oldest", "oldest",
			    fw_cell_at_least(fw_cell_duration(2462 * FW_NS_PER_S)));
	fw_finding_evidence(r, f, "growth", "growth", fw_cell_rate(0.2));
	fw_finding_evidence(r, f, "fds_used", "fds in use", fw_cell_percent(83.25));
	fw_finding_evidence(r, f, "limit_in", "limit reached in",
			    fw_cell_duration(3420 * FW_NS_PER_S));
	fw_table_row(r, t, (struct fw_cell[]){
		fw_cell_printf("%s/4711", SAMPLE_HOSTILE), fw_cell_text("10.0.0.12:5432", SIZE_MAX),
		fw_cell_count(400), fw_cell_at_least(fw_cell_duration(2462 * FW_NS_PER_S)),
		fw_cell_rate(0.2), fw_cell_bytes(0), fw_cell_bool(true) });
	fw_table_row(r, t, (struct fw_cell[]){
		fw_cell_printf("%s/4711", SAMPLE_HOSTILE),
		fw_cell_text("[2001:db8:85a3:1234:5678:8a2e:370:7334]:443", SIZE_MAX),
		fw_cell_count(12), fw_cell_duration(31 * FW_NS_PER_S), fw_cell_unknown(),
		fw_cell_bytes(66560), fw_cell_bool(false) });
	t->nr_more = 3;
}

static inline void sample_ports(struct fw_report *r)
{
	struct fw_finding *f = fw_report_finding(r, "time-wait-port-exhaustion",
						 FW_SEVERITY_CRITICAL, 9000);

	fw_finding_say(r, &f->title, "no local port left for connections to 10.0.0.9:8080");
	fw_finding_say(r, &f->meaning, "TIME_WAIT holds every port of the range.");
	fw_finding_say(r, &f->advice, "Reuse connections.");
	fw_finding_evidence(r, f, "refused", "EADDRNOTAVAIL seen", fw_cell_count(9000));
}

static inline void sample_lost(struct fw_report *r)
{
	struct fw_finding *f = fw_report_finding(r, "events-lost", FW_SEVERITY_INFO, 0);

	fw_finding_say(r, &f->title, "no events were lost");
}

static inline void sample_time_wait(struct fw_report *r)
{
	static const char *const columns[] = { "how", "ended by", "count", "count",
					       "p50", "p50", "p99", "p99", NULL };
	struct fw_section *s = fw_report_section(r, "time_wait", "TIME_WAIT");
	struct fw_table *t = fw_section_table(r, s, "ends", "how it ended", columns);
	struct fw_bars *b = fw_section_bars(r, s, "expired", "how long, when the timer ended it");

	fw_section_fact(r, s, "entered", "entered", fw_cell_count(12345));
	fw_section_fact(r, s, "open_now", "open now", fw_cell_at_least(fw_cell_count(1200)));
	fw_section_fact(r, s, "nominal", "TCP_TIMEWAIT_LEN", fw_cell_duration(60 * FW_NS_PER_S));
	fw_section_fact(r, s, "rfc1337", "tcp_rfc1337", fw_cell_bool(false));
	fw_section_fact(r, s, "kernel", "kernel says", fw_cell_unknown());
	fw_table_row(r, t, (struct fw_cell[]){
		fw_cell_text("2MSL timer", SIZE_MAX), fw_cell_count(11000),
		fw_cell_duration(61100 * FW_NS_PER_MS), fw_cell_duration(61900 * FW_NS_PER_MS) });
	fw_table_row(r, t, (struct fw_cell[]){
		fw_cell_text("RST from the peer", SIZE_MAX), fw_cell_count(145),
		fw_cell_duration(180000), fw_cell_duration(42 * FW_NS_PER_MS) });
	fw_bars_add(r, b, 0, 60 * FW_NS_PER_S, 1);
	fw_bars_add(r, b, 60 * FW_NS_PER_S, 61 * FW_NS_PER_S, 4999);
	fw_bars_add(r, b, 61 * FW_NS_PER_S, 62 * FW_NS_PER_S, 6000);
	fw_bars_add(r, b, 62 * FW_NS_PER_S, UINT64_MAX, 0);
	fw_section_note(r, s, "The timer wheel fires at the end of a bucket of %s: 60 s become "
			      "60 to 62 s on this kernel (HZ=250).", "2.05 s");
	fw_section_note(r, s, "145 ended early.");
}

static inline void sample_report(struct fw_report *r)
{
	fw_report_about(r, "source", "source", fw_cell_text("live", SIZE_MAX));
	fw_report_about(r, "span", "span", fw_cell_duration(30 * FW_NS_PER_S));
	fw_report_about(r, "hooks", "hooks", fw_cell_text("trampoline", SIZE_MAX));
	fw_report_about(r, "connections", "connections", fw_cell_count(12345));
	fw_report_about(r, "lost", "events lost", fw_cell_count(0));
	fw_report_about(r, "cpu", "own CPU", fw_cell_percent(1.2));
	sample_lost(r);
	sample_leak(r);
	sample_ports(r);
	sample_time_wait(r);
	fw_report_sort(r);
}

#endif
