/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What trace and timeline have in common: a source, the tracker, a format, an output.
 */
#ifndef FW_CMD_STREAM_H
#define FW_CMD_STREAM_H

#include <stdbool.h>

#include "cmd/cmd.h"
#include "cmd/options.h"

/* Runs until told to stop. @transitions: show these (trace), else connections (timeline). */
int fw_stream_run(const struct fw_options *opt, bool transitions);

#endif
