// SPDX-License-Identifier: GPL-2.0-only
#include "report/explain.h"

#include <ctype.h>
#include <string.h>

#include "core/state.h"
#include "report/page.h"

#define LABEL 7	/* columns of "Normal" and the like */
#define ALIKE 45 /* percent; below that a name is not worth a mention */

static const struct fw_explanation *const tables[] = {
	fw_explained_states, fw_explained_findings, fw_explained_held, fw_explained_refused,
	fw_explained_terms,
};

const struct fw_explanation *fw_explanation_at(size_t i)
{
	for (size_t t = 0; t < sizeof(tables) / sizeof(tables[0]); t++) {
		for (const struct fw_explanation *e = tables[t]; e->topic; e++) {
			if (!i--)
				return e;
		}
	}
	return NULL;
}

const struct fw_explanation *fw_explain(const char *topic)
{
	unsigned int state = fw_state_from_name(topic);
	const struct fw_explanation *e;
	char scratch[FW_STATE_NAME_LEN];

	if (state)
		topic = fw_state_name(state, scratch);
	for (size_t i = 0; (e = fw_explanation_at(i)); i++) {
		if (!strcasecmp(e->topic, topic))
			return e;
	}
	return NULL;
}

/* ---- Close matches ----------------------------------------------------------------------- */

/* Letters and digits only, so that "TimeWait" and "time-wait-" are alike. */
static size_t fold_name(char *out, size_t max, const char *name)
{
	size_t n = 0;

	for (; *name && n < max; name++) {
		if (isalnum((unsigned char)*name))
			out[n++] = (char)tolower((unsigned char)*name);
	}
	return n;
}

static bool pair_in(const char *name, size_t len, const char *pair)
{
	for (size_t i = 0; i + 1 < len; i++) {
		if (!memcmp(name + i, pair, 2))
			return true;
	}
	return false;
}

/* How alike two names are, in percent: of all pairs of neighbouring letters, how many are in both. */
static unsigned int likeness(const char *a, const char *b)
{
	char x[64], y[64];
	size_t x_len = fold_name(x, sizeof(x), a), y_len = fold_name(y, sizeof(y), b), common = 0;

	if (x_len < 2 || y_len < 2)
		return 0;
	for (size_t i = 0; i + 1 < x_len; i++)
		common += pair_in(y, y_len, x + i);
	for (size_t i = 0; i + 1 < y_len; i++)
		common += pair_in(x, x_len, y + i);
	return (unsigned int)(100 * common / (x_len + y_len - 2));
}

/* Into its place among those that are more alike. */
static size_t insert(const struct fw_explanation **out, size_t nr, size_t max, const char *topic,
		     const struct fw_explanation *e)
{
	unsigned int alike = likeness(topic, e->topic);
	size_t at = nr;

	while (at && likeness(topic, out[at - 1]->topic) < alike)
		at--;
	if (alike < ALIKE || at >= max)
		return nr;
	nr += nr < max;
	memmove(out + at + 1, out + at, (nr - at - 1) * sizeof(*out));
	out[at] = e;
	return nr;
}

size_t fw_explain_close(const char *topic, const struct fw_explanation **out, size_t max)
{
	const struct fw_explanation *e;
	size_t nr = 0;

	for (size_t i = 0; (e = fw_explanation_at(i)); i++)
		nr = insert(out, nr, max, topic, e);
	return nr;
}

/* ---- The screen -------------------------------------------------------------------------- */

static void paragraph(struct fw_page *p, const char *label, size_t label_len, const char *text,
		      size_t len)
{
	struct fw_buf visible = { 0 };
	char mark[LABEL + 1];

	memset(mark, ' ', LABEL);
	mark[LABEL] = '\0';
	memcpy(mark, label, label_len < LABEL ? label_len : LABEL);
	fw_buf_visible(&visible, text, len);
	fw_page_visible(p, 0, mark, &visible);
	p->out->failed |= visible.failed;
	fw_buf_free(&visible);
}

static void sentence(struct fw_page *p, const char *label, const char *text)
{
	if (text)
		paragraph(p, label, strlen(label), text, strlen(text));
}

void fw_explain_text(const struct fw_explanation *e, struct fw_buf *out, unsigned int columns,
		     bool color)
{
	struct fw_page p;

	fw_page_init(&p, out, columns, color);
	fw_page_ink(&p, FW_INK_BOLD);
	fw_buf_puts(out, e->topic);
	fw_page_ink_off(&p);
	fw_buf_printf(out, ": %s\n\n", e->title);
	sentence(&p, "Means", e->meaning);
	sentence(&p, "Try", e->advice);
	for (const char *line = e->text; *line;) {
		size_t label = strcspn(line, "\t"), len = strcspn(line, "\n");

		paragraph(&p, line, label, line + label + 1, len - label - 1);
		line += len + 1;
	}
}
