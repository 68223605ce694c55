// SPDX-License-Identifier: GPL-2.0-only
/*
 * The kernel's symbol table: from any text come ranges in order, none of them backwards, and no more than
 * there is room for.
 */
#include "io/ksyms.c" /* the parser of what it has read is its own */

#include "core/decode.h"
#include "input.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fw_ksyms *ks = calloc(1, sizeof(*ks));
	struct fw_ksym found[8];
	const char *names[64];
	unsigned int nr = 0, n;

	must(ks);
	fw_buf_mem(&ks->text, data, size);
	fw_buf_putc(&ks->text, '\0');
	must(!parse_all(ks));
	shows_addresses(ks);
	for (; fw_symbol_names[nr].name; nr++)
		names[nr] = fw_symbol_names[nr].name;
	n = fw_ksyms_find(ks, names, nr, found, 8);
	must(n <= 8);
	for (unsigned int i = 0; i < n; i++) {
		must(found[i].name < nr);
		must(found[i].start <= found[i].end);
		must(!i || found[i - 1].start <= found[i].start);
	}
	fw_ksyms_address(ks, "tw_timer_handler");
	fw_ksyms_free(ks);
	return 0;
}
