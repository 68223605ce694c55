// SPDX-License-Identifier: GPL-2.0-only
#include "core/workload.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#define ID_LEN 64
#define UID_LEN 36

struct part {
	const char *text;
	size_t len;
};

static bool is_id(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (!isxdigit((unsigned char)text[i]) || isupper((unsigned char)text[i]))
			return false;
	}
	return len == ID_LEN;
}

static bool starts(struct part p, const char *with)
{
	size_t len = strlen(with);

	return p.len > len && !memcmp(p.text, with, len);
}

static bool ends(struct part p, const char *with)
{
	size_t len = strlen(with);

	return p.len > len && !memcmp(p.text + p.len - len, with, len);
}

static void set(char *to, size_t size, const char *text, size_t len)
{
	if (len >= size)
		len = size - 1;
	memcpy(to, text, len);
	to[len] = '\0';
}

static int hex(char c)
{
	return isdigit((unsigned char)c) ? c - '0' : (c | 0x20) - 'a' + 10;
}

/* Names within names of units are escaped: "\x2d" is "-". */
static void set_unescaped(char *to, size_t size, const char *text, size_t len)
{
	size_t n = 0;

	for (size_t i = 0; i < len && n + 1 < size; i++) {
		bool escape = len - i >= 4 && text[i] == '\\' && text[i + 1] == 'x' &&
			      isxdigit((unsigned char)text[i + 2]) &&
			      isxdigit((unsigned char)text[i + 3]);

		to[n++] = escape ? (char)(hex(text[i + 2]) << 4 | hex(text[i + 3])) : text[i];
		i += escape ? 3 : 0;
	}
	to[n] = '\0';
}

static struct part without_suffix(struct part p)
{
	static const char *const suffixes[] = { ".scope", ".service", ".slice" };

	for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
		if (ends(p, suffixes[i]))
			p.len -= strlen(suffixes[i]);
	}
	return p;
}

/* "<64 hex>", "docker-<64 hex>.scope", "crio-<64 hex>", "<64 hex>.scope", ... */
static bool find_id(struct part p, struct fw_workload *w)
{
	struct part stem = without_suffix(p);
	const char *id;

	/* Beside the container's own there is one of the process that watches it. */
	if (stem.len < ID_LEN || starts(p, "libpod-conmon-") || starts(p, "crio-conmon-"))
		return false;
	id = stem.text + stem.len - ID_LEN;
	if (!is_id(id, ID_LEN) || (stem.len > ID_LEN && id[-1] != '-'))
		return false;
	set(w->container, sizeof(w->container), id, ID_LEN);
	return true;
}

static void find_name(struct part p, struct fw_workload *w)
{
	static const struct {
		const char *prefix, *suffix;
	} kinds[] = {
		{ "lxc.payload.", "" },
		{ "systemd-nspawn@", ".service" },
		{ "machine-qemu\\x2d", ".scope" },
		{ "machine-lxc\\x2d", ".scope" },
		{ "machine-", ".scope" },
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		size_t before = strlen(kinds[i].prefix), after = strlen(kinds[i].suffix);

		if (!starts(p, kinds[i].prefix) || (after && !ends(p, kinds[i].suffix)) ||
		    p.len <= before + after)
			continue;
		set_unescaped(w->container, sizeof(w->container), p.text + before,
			      p.len - before - after);
		return;
	}
}

/* "pod<uid>", "kubepods-burstable-pod<uid>.slice"; in slices the dashes of the uid are "_". */
static void find_pod(struct part p, struct fw_workload *w)
{
	struct part stem = without_suffix(p);
	const char *uid;

	if (stem.len < UID_LEN + 3)
		return;
	uid = stem.text + stem.len - UID_LEN;
	if (memcmp(uid - 3, "pod", 3))
		return;
	if (stem.len > UID_LEN + 3 && uid[-4] != '-')
		return;
	set(w->pod, sizeof(w->pod), uid, UID_LEN);
	for (char *c = w->pod; *c; c++)
		*c = *c == '_' ? '-' : *c;
}

static void look_at(struct part p, struct part parent, struct fw_workload *w)
{
	/* The innermost one; slices only group units. */
	if (ends(p, ".service") || ends(p, ".scope"))
		set(w->unit, sizeof(w->unit), p.text, p.len);
	find_pod(p, w);
	if (find_id(p, w))
		return;
	if (parent.len == 3 && !memcmp(parent.text, "lxc", 3))
		set(w->container, sizeof(w->container), p.text, p.len);
	else
		find_name(p, w);
}

void fw_workload_of(const char *path, struct fw_workload *w)
{
	struct part parent = { "", 0 };

	w->unit[0] = w->container[0] = w->pod[0] = '\0';
	while (path && *path) {
		struct part p = { path, strcspn(path, "/") };

		if (p.len) {
			look_at(p, parent, w);
			parent = p;
		}
		path += p.len + (path[p.len] == '/');
	}
}

void fw_workload_words(struct fw_buf *b, const char *path)
{
	struct fw_workload w;

	fw_workload_of(path, &w);
	if (w.container[0])
		fw_buf_mem(b, w.container, is_id(w.container, strlen(w.container)) ?
						   FW_SHORT_ID : strlen(w.container));
	else if (w.unit[0])
		fw_buf_puts(b, w.unit);
	else if (path && strcmp(path, "/"))
		fw_buf_puts(b, path);
}
