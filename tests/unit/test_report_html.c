// SPDX-License-Identifier: GPL-2.0-only
/*
 * Proves that nothing in a report becomes markup of its page, that the page has all of the report, and
 * which connections it shows one by one.
 */
#include "report/html_page.h"
#include "report/lives.h"
#include "story.h"

/* What stands between the page's beginning and its end, as a string to be freed with @b. */
static const char *data_of(struct fw_buf *b)
{
	const char *place = strstr(fw_html_page, FW_HTML_PLACE);
	size_t head = place - fw_html_page;
	size_t tail = fw_html_page_end - place - strlen(FW_HTML_PLACE);

	assert_true(b->len > head + tail);
	assert_memory_equal(b->data, fw_html_page, head);
	assert_memory_equal(b->data + b->len - tail, place + strlen(FW_HTML_PLACE), tail);
	b->data[b->len - tail] = '\0';
	return b->data + head;
}

/* The C array is a string too: its end is marked by a zero. One place, in a block of data. */
static void page_has_one_place(void **state)
{
	const char *place = strstr(fw_html_page, FW_HTML_PLACE);

	(void)state;
	assert_non_null(place);
	assert_null(strstr(place + 1, FW_HTML_PLACE));
	assert_int_equal(*fw_html_page_end, 0);
	assert_true(strstr(fw_html_page, FW_HTML_POLICY) < place);
	assert_memory_equal(place + strlen(FW_HTML_PLACE), "</script>", 9);
}

#define EVIL "</script><img src=x onerror=alert(1)>&lt;\xe2\x80\xa8\x1b[2J\"\\"

static void evil_everywhere(struct fw_report *r)
{
	static const char *const columns[] = { EVIL, EVIL, NULL };
	struct fw_section *s = fw_report_section(r, EVIL, EVIL);
	struct fw_finding *f = fw_report_finding(r, EVIL, FW_SEVERITY_WARNING, 1);

	fw_report_about(r, EVIL, EVIL, fw_cell_text(EVIL, SIZE_MAX));
	fw_section_fact(r, s, EVIL, EVIL, fw_cell_text(EVIL, SIZE_MAX));
	fw_table_row(r, fw_section_table(r, s, EVIL, EVIL, columns),
		     (struct fw_cell[]){ fw_cell_text(EVIL, SIZE_MAX) });
	fw_bars_add(r, fw_section_bars(r, s, EVIL, EVIL), 1, UINT64_MAX, 2);
	fw_section_note(r, s, "%s", EVIL);
	fw_finding_say(r, &f->title, "%s", EVIL);
	fw_finding_say(r, &f->meaning, "%s", EVIL);
	fw_finding_say(r, &f->advice, "%s", EVIL);
	fw_finding_say(r, &f->confidence, "%s", EVIL);
	fw_finding_evidence(r, f, EVIL, EVIL, fw_cell_text(EVIL, SIZE_MAX));
	fw_table_row(r, fw_finding_offenders(r, f, columns),
		     (struct fw_cell[]){ fw_cell_text(EVIL, SIZE_MAX) });
}

static void nothing_becomes_markup(void **state)
{
	struct fw_report r = { 0 };
	struct fw_buf b = { 0 };
	const char *data;

	(void)state;
	evil_everywhere(&r);
	fw_report_html(&r, &b);
	data = data_of(&b);
	assert_null(strpbrk(data, "<>&\x1b"));
	assert_non_null(strstr(data, "\\u003c/script\\u003e\\u003cimg src=x "
				     "onerror=alert(1)\\u003e\\u0026lt;\xe2\x80\xa8\\u001b[2J"
				     "\\\"\\\\"));
	fw_buf_free(&b);
	fw_report_fini(&r);
}

/* What is served differs from the file in its policy and in where it fetches its model from. */
static void served_page_may_ask_its_server(void **state)
{
	static const char live[] = "\"live\":{\"from\":\"model.json\",\"every_s\":5},";
	struct fw_report r = { 0 };
	struct fw_buf b = { 0 }, file = { 0 }, json = { 0 };

	(void)state;
	evil_everywhere(&r);
	fw_report_html_live(&r, 5, &b);
	fw_report_html(&r, &file);
	fw_report_html_model(&r, 5, &json);
	assert_int_equal(b.len, file.len + strlen("; connect-src 'self'") + strlen(live));
	assert_non_null(strstr(b.data, "content=\"default-src 'none'; connect-src 'self'; script"));
	assert_null(strstr(file.data, "connect-src"));
	assert_null(strstr(file.data, live));
	assert_null(memchr(json.data, '<', json.len));
	assert_non_null(memmem(json.data, json.len, live, strlen(live)));
	assert_non_null(memmem(b.data, b.len, json.data, json.len));
	fw_buf_free(&b);
	fw_buf_free(&file);
	fw_buf_free(&json);
	fw_report_fini(&r);
}

static void cells(void **state)
{
	struct fw_report r = { 0 };
	struct fw_buf b = { 0 };

	(void)state;
	fw_report_about(&r, "a", "A", fw_cell_count(1));
	fw_report_about(&r, "b", "B", fw_cell_at_least(fw_cell_duration(FW_NS_PER_S)));
	fw_report_about(&r, "c", "C", fw_cell_rate(0.25));
	fw_report_about(&r, "d", "D", fw_cell_percent(12.5));
	fw_report_about(&r, "e", "E", fw_cell_bool(true));
	fw_report_about(&r, "f", "F", fw_cell_bytes(66560));
	fw_report_about(&r, "g", "G", fw_cell_id(4026531840));
	fw_report_about(&r, "h", "H", fw_cell_unknown());
	fw_report_html(&r, &b);
	assert_string_equal(strstr(data_of(&b), ",\"complete\""),
			    ",\"complete\":true,\"about\":["
			    "[\"a\",\"A\",[\"c\",1]],[\"b\",\"B\",[\"d\",1000000000,1]],"
			    "[\"c\",\"C\",[\"r\",0.25]],[\"d\",\"D\",[\"p\",12.5]],"
			    "[\"e\",\"E\",[\"f\",1]],[\"f\",\"F\",[\"b\",66560]],"
			    "[\"g\",\"G\",[\"i\",4026531840]],[\"h\",\"H\",null]],"
			    "\"findings\":[],\"sections\":[]}");
	fw_buf_free(&b);
	fw_report_fini(&r);
}

static void tables_and_bars(void **state)
{
	static const char *const columns[] = { "who", "WHO", "n", "N", NULL };
	struct fw_report r = { 0 };
	struct fw_section *s = fw_report_section(&r, "s", "S");
	struct fw_table *t = fw_section_table(&r, s, "t", "T", columns);
	struct fw_bars *bars = fw_section_bars(&r, s, "b", "B");
	struct fw_buf b = { 0 };

	(void)state;
	fw_table_row(&r, t, (struct fw_cell[]){ fw_cell_text("x", 9), fw_cell_unknown() });
	t->nr_more = 7;
	fw_bars_add(&r, bars, 0, 10, 3);
	fw_bars_add(&r, bars, 10, UINT64_MAX, 4);
	fw_section_note(&r, s, "note");
	fw_report_html(&r, &b);
	assert_non_null(strstr(data_of(&b),
		"\"sections\":[{\"key\":\"s\",\"title\":\"S\",\"detail\":false,\"facts\":[],"
		"\"tables\":[{\"key\":\"t\",\"title\":\"T\",\"columns\":[[\"who\",\"WHO\"],"
		"[\"n\",\"N\"]],\"rows\":[[[\"t\",\"x\"],null]],\"more\":7}],"
		"\"bars\":[{\"key\":\"b\",\"title\":\"B\",\"bars\":[[0,10,3],[10,null,4]]}],"
		"\"notes\":[\"note\"]}]"));
	fw_buf_free(&b);
	fw_report_fini(&r);
}

/* ---- Connections one by one -------------------------------------------------------------- */

static void watch_lives(struct watch *w, size_t max)
{
	watch_init_with(w, (struct fw_analysis_options){
		.top = 10, .stall_ns = FW_NS_PER_S, .leak_age_ns = 30 * FW_NS_PER_S,
		.lives = max });
}

static unsigned int worst_of(const struct fw_life *l)
{
	return l->troubles ? (unsigned int)__builtin_ctz(l->troubles) : FW_TROUBLE_MAX;
}

static void worst_come_first(void **state)
{
	const struct fw_lives *l;
	unsigned int nr[FW_TROUBLE_MAX + 1] = { 0 };
	struct watch w;

	(void)state;
	watch_lives(&w, 1000);
	whole_story(&w);
	l = w.report.lives;
	assert_int_equal(l->nr, 399);
	assert_int_equal(l->seen, 399);
	for (size_t i = 0; i < l->nr; i++) {
		nr[worst_of(&l->life[i])]++;
		if (i)
			assert_true(worst_of(&l->life[i]) >= worst_of(&l->life[i - 1]));
	}
	assert_int_equal(nr[FW_TROUBLE_LEAK], 12);
	assert_int_equal(nr[FW_TROUBLE_STALL], 6);
	assert_int_equal(nr[FW_TROUBLE_CLOSING], 1);
	assert_int_equal(nr[FW_TROUBLE_CUT_SHORT], 3);
	assert_int_equal(l->seen_in_trouble, 22);
	watch_fini(&w);
}

/* More than there is room for: those in trouble stay, the longest first, and all are counted. */
static void limit_keeps_the_worst(void **state)
{
	const struct fw_lives *l;
	struct watch w;

	(void)state;
	watch_lives(&w, 15);
	whole_story(&w);
	l = w.report.lives;
	assert_int_equal(l->nr, 15);
	assert_int_equal(l->seen, 399);
	assert_int_equal(l->seen_in_trouble, 22);
	for (size_t i = 0; i < 15; i++)
		assert_int_equal(worst_of(&l->life[i]), i < 12 ? FW_TROUBLE_LEAK : FW_TROUBLE_STALL);
	for (size_t i = 1; i < 12; i++)
		assert_true(l->life[i - 1].conn.enter_ns[1] <= l->life[i].conn.enter_ns[1]);
	watch_fini(&w);
}

static void not_asked_for(void **state)
{
	struct watch w;

	(void)state;
	watch_lives(&w, 0);
	whole_story(&w);
	assert_null(w.report.lives);
	watch_fini(&w);
}

static void columns_of_lives(void **state)
{
	struct fw_buf b = { 0 };
	struct watch w;

	(void)state;
	watch_lives(&w, 10);
	scene_connection(&w.scene, 1);
	full(&w.scene, 100, FW_CLOSE, FW_SYN_SENT, .flags = FW_REC_OWNER, .pid = 7, .comm = "<b>",
	     .cgroup_id = 99);
	full(&w.scene, 101.5, FW_SYN_SENT, FW_ESTABLISHED, .segs_in = 1, .cgroup_id = 99);
	fw_tracker_lost(&w.scene.tracker, 3, ns_of(200));
	watch_report(&w, 500);
	fw_report_html(&w.report, &b);
	assert_non_null(strstr(data_of(&b),
		"\"cgroups\":[\"/evil\\u003c/script\\u003e\\u003cimg src=x "
		"onerror=alert(1)\\u003e\"],\"namespaces\":[],\"losses\":[[200000,3]],"
		"\"rows\":{\"id\":[1],\"start\":[100000],\"path\":[0],\"dwell\":[1500,398500],"
		"\"local\":[0],\"lport\":[40001],\"remote\":[1],\"rport\":[80],\"process\":[0],"
		"\"netns\":[4026531840],\"cgroup\":[0],\"end\":[0],\"role\":[1],\"by\":[0],"));
	assert_non_null(strstr(b.data, "\"addresses\":[\"192.0.2.1\",\"198.51.100.2\"],"
				       "\"processes\":[[\"\\u003cb\\u003e\",7]],"
				       "\"paths\":[[[2,0],[1,0]]]}}"));
	fw_buf_free(&b);
	watch_fini(&w);
}

/* Bits of the document are places in its lists of names. The time of day was set after 200 ms. */
static void flags_and_clock_of_lives(void **state)
{
	struct fw_life life = { .conn = {
		.nr_steps = 1, .steps = { FW_FIN_WAIT_2 }, .enter_ns = { 5000000 }, .end_ns = 6000000,
		.step_flags = { FW_STEP_ORPHANED | FW_STEP_AT_MOST },
		.flags = FW_CONN_OWNER_LISTENS | FW_CONN_GAP | FW_CONN_LISTENER } };
	struct fw_lives l = { .life = &life, .nr = 1, .start_ns = 4000000, .now_ns = 9000000 };
	struct fw_buf b = { 0 };
	struct fw_json j = { .out = &b };

	(void)state;
	fw_wall_clock_init(&l.clock, 1000);
	fw_wall_clock_step(&l.clock, 3000000, 2000000);
	fw_wall_clock_step(&l.clock, 204000000, 1000000);
	fw_lives_json(&l, &j);
	assert_non_null(strstr(fw_buf_str(&b), "\"flags\":[\"gap\",\"since_before\",\"three_segment\","
						"\"owner_listens\"]"));
	assert_non_null(strstr(fw_buf_str(&b), "\"flags\":[9]"));
	assert_non_null(strstr(fw_buf_str(&b), "\"step_flags\":[\"at_least\",\"at_most\",\"orphaned\"]"));
	assert_non_null(strstr(fw_buf_str(&b), "\"paths\":[[[5,6]]]"));
	assert_non_null(strstr(fw_buf_str(&b), "\"clock\":[[200000,-1000]]"));
	fw_buf_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(page_has_one_place),
		cmocka_unit_test(nothing_becomes_markup),
		cmocka_unit_test(served_page_may_ask_its_server),
		cmocka_unit_test(cells),
		cmocka_unit_test(flags_and_clock_of_lives),
		cmocka_unit_test(tables_and_bars),
		cmocka_unit_test(worst_come_first),
		cmocka_unit_test(limit_keeps_the_worst),
		cmocka_unit_test(not_asked_for),
		cmocka_unit_test(columns_of_lives),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
