// SPDX-License-Identifier: GPL-2.0-only
#include "io/ksyms.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util/buf.h"

#define KALLSYMS "/proc/kallsyms"
#define READ_BYTES (256 * 1024)

struct symbol {
	uint64_t addr;
	const char *name; /* into .text; NUL-terminated */
	char type;
};

struct fw_ksyms {
	struct fw_buf text;
	struct symbol *sym;
	unsigned int nr;
};

static int read_all(struct fw_buf *text)
{
	char *chunk = malloc(READ_BYTES);
	int fd = open(KALLSYMS, O_RDONLY | O_CLOEXEC);
	ssize_t n = -1;
	int ret = 0;

	while (fd >= 0 && chunk && (n = read(fd, chunk, READ_BYTES)) > 0)
		fw_buf_mem(text, chunk, (size_t)n);
	if (n < 0)
		ret = chunk ? -errno : -ENOMEM;
	if (fd >= 0)
		close(fd);
	free(chunk);
	fw_buf_putc(text, '\0');
	return text->failed ? -ENOMEM : ret;
}

/* "ffffffff82065480 t inet_twsk_kill\t[module]\n" */
static char *parse_line(char *line, struct symbol *sym)
{
	char *end = strchr(line, '\n'), *at;

	*sym = (struct symbol){ 0 };
	if (!end)
		return NULL;
	*end = '\0';
	sym->addr = strtoull(line, &at, 16);
	if (at[0] == ' ' && at[1] && at[2] == ' ') {
		sym->type = at[1];
		sym->name = at + 3;
		at[3 + strcspn(at + 3, "\t")] = '\0';
	}
	return end + 1;
}

static int parse_all(struct fw_ksyms *ks)
{
	unsigned int cap = 0;
	struct symbol sym;
	char *line;

	for (line = ks->text.data; (line = parse_line(line, &sym));) {
		if (!sym.name)
			continue;
		if (ks->nr == cap) {
			struct symbol *more;

			cap = cap ? cap * 2 : 64 * 1024;
			more = realloc(ks->sym, cap * sizeof(*more));
			if (!more)
				return -ENOMEM;
			ks->sym = more;
		}
		ks->sym[ks->nr++] = sym;
	}
	return 0;
}

static bool shows_addresses(const struct fw_ksyms *ks)
{
	for (unsigned int i = 0; i < ks->nr; i++) {
		if (ks->sym[i].addr && ks->sym[i].type == 't')
			return true;
	}
	return false;
}

struct fw_ksyms *fw_ksyms_open(struct fw_err *err)
{
	struct fw_ksyms *ks = calloc(1, sizeof(*ks));
	int ret = ks ? read_all(&ks->text) : -ENOMEM;

	if (!ret)
		ret = parse_all(ks);
	if (ret) {
		fw_err_set(err, ret, "cannot read %s: %s", KALLSYMS, strerror(-ret));
	} else if (!shows_addresses(ks)) {
		ret = fw_err_set(err, -EPERM, "%s hides the kernel's addresses", KALLSYMS);
		fw_err_hint(err, "run as root, and set kernel.kptr_restrict to 0 or 1 (sysctl -w "
				 "kernel.kptr_restrict=1)");
	}
	if (!ret)
		return ks;
	fw_ksyms_free(ks);
	return NULL;
}

void fw_ksyms_free(struct fw_ksyms *ks)
{
	if (!ks)
		return;
	fw_buf_free(&ks->text);
	free(ks->sym);
	free(ks);
}

static bool is_function(const struct symbol *sym)
{
	return sym->type == 't' || sym->type == 'T';
}

/* "tcp_v4_rcv.cold" is a part of tcp_v4_rcv. */
static bool is_part_of(const char *symbol, const char *function)
{
	size_t len = strlen(function);

	return !strncmp(symbol, function, len) && (!symbol[len] || symbol[len] == '.');
}

/* Where the next symbol begins. The table is in no order that could be relied on. */
static uint64_t end_of(const struct fw_ksyms *ks, uint64_t start)
{
	uint64_t end = UINT64_MAX;

	for (unsigned int i = 0; i < ks->nr; i++) {
		if (ks->sym[i].addr > start && ks->sym[i].addr < end)
			end = ks->sym[i].addr;
	}
	return end;
}

static int by_start(const void *a, const void *b)
{
	const struct fw_ksym *x = a, *y = b;

	return x->start < y->start ? -1 : x->start > y->start;
}

unsigned int fw_ksyms_find(const struct fw_ksyms *ks, const char *const *names,
			   unsigned int nr_names, struct fw_ksym *out, unsigned int max)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < ks->nr; i++) {
		const struct symbol *sym = &ks->sym[i];

		if (!is_function(sym))
			continue;
		for (unsigned int j = 0; j < nr_names && n < max; j++) {
			if (is_part_of(sym->name, names[j]))
				out[n++] = (struct fw_ksym){ sym->addr, end_of(ks, sym->addr), j };
		}
	}
	qsort(out, n, sizeof(*out), by_start);
	return n;
}

uint64_t fw_ksyms_address(const struct fw_ksyms *ks, const char *name)
{
	for (unsigned int i = 0; i < ks->nr; i++) {
		if (is_function(&ks->sym[i]) && !strcmp(ks->sym[i].name, name))
			return ks->sym[i].addr;
	}
	return 0;
}
