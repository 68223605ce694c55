/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Commands on a recording that the fuzzer made, as a user would run them: "finwait timeline -i FILE".
 */
#ifndef FW_FUZZ_READING_H
#define FW_FUZZ_READING_H

#include <stddef.h>
#include <stdint.h>

/* Runs the command that @which chooses on these bytes. It must end by itself, succeed or fail, and print
 * what is right for its format.
 */
void reading_run(uint8_t which, const void *recording, size_t len);

#endif
