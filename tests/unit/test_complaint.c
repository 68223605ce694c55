// SPDX-License-Identifier: GPL-2.0-only
/* What is kept of all that libbpf says about a load that fails is one line that says why. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "util/complaint.h"

#define REFUSED "libbpf: prog 'fw_iter_tcp': BPF program load failed: Invalid argument"
#define LOG(text) \
	"libbpf: prog 'fw_iter_tcp': -- BEGIN PROG LOAD LOG --\n" text "-- END PROG LOAD LOG --\n"
#define STATISTICS "processed 87 insns (limit 1000000) max_states_per_insn 0 total_states 3\n"

/* Each up to the first NULL, in turn. */
static const struct {
	const char *said[4];
	const char *kept;
} cases[] = {
	{ { NULL }, "" },
	{ { REFUSED "\n" }, REFUSED },
	/* What follows is not the cause. */
	{ { REFUSED "\n", "libbpf: failed to load object 'fw_iter'\n" }, REFUSED },
	/* A guess that it makes about every EPERM. */
	{ { "libbpf: permission error while running as root; try raising 'ulimit -l'?\n", REFUSED },
	  REFUSED },
	{ { REFUSED "\n",
	    LOG("0: (bf) r6 = r1\n12: (85) call bpf_get_socket_cookie#46\n"
		"unknown func bpf_get_socket_cookie#46\n" STATISTICS) },
	  REFUSED ": unknown func bpf_get_socket_cookie#46" },
	{ { REFUSED "\n", LOG("invalid indirect read from stack\n\nverification time 12 usec\n"
			      "stack depth 64\n" STATISTICS) },
	  REFUSED ": invalid indirect read from stack" },
	/* Nothing in it, or no end. */
	{ { REFUSED "\n", LOG("") }, REFUSED },
	{ { REFUSED "\n", LOG("\n\n" STATISTICS) }, REFUSED },
	{ { REFUSED "\n", "-- BEGIN PROG LOAD LOG --\nunknown func" }, REFUSED },
	/* It was said already. */
	{ { "why\n", LOG("why\n") }, "why" },
	/* A log before there is a complaint. */
	{ { LOG("why\n"), REFUSED "\n" }, REFUSED },
};

static void keeps_the_cause(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char line[256] = "";

		for (size_t n = 0; n < 4 && cases[i].said[n]; n++) {
			char *said = strdup(cases[i].said[n]);

			assert_non_null(said);
			fw_complaint_add(line, sizeof(line), said);
			free(said);
		}
		assert_string_equal(line, cases[i].kept);
	}
}

static void stays_within_its_buffer(void **state)
{
	char line[8] = "", said[] = "a long complaint\n", log[] = LOG("and a verdict\n");

	(void)state;
	fw_complaint_add(line, sizeof(line), said);
	assert_string_equal(line, "a long ");
	fw_complaint_add(line, sizeof(line), log);
	assert_string_equal(line, "a long ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keeps_the_cause),
		cmocka_unit_test(stays_within_its_buffer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
