// SPDX-License-Identifier: GPL-2.0-only
#include "report/lives.h"

#include <stdlib.h>

static const struct {
	const char *name, *words;
} troubles[FW_TROUBLE_MAX] = {
	[FW_TROUBLE_LEAK] = { "leak", "CLOSE_WAIT leak" },
	[FW_TROUBLE_FAILED] = { "failed", "failed" },
	[FW_TROUBLE_STALL] = { "stall", "FIN_WAIT_2 stall" },
	[FW_TROUBLE_CLOSING] = { "closing", "simultaneous close" },
	[FW_TROUBLE_HALF_OPEN] = { "half_open", "handshake never completed" },
	[FW_TROUBLE_RESET] = { "reset", "reset" },
	[FW_TROUBLE_OVERFLOW] = { "overflow", "no TIME_WAIT: table full" },
	[FW_TROUBLE_SLOW] = { "slow", "waited for an answer" },
	[FW_TROUBLE_CUT_SHORT] = { "cut_short", "TIME_WAIT cut short" },
	[FW_TROUBLE_GAP] = { "gap", "events lost" },
};

const char *fw_trouble_name(enum fw_trouble trouble)
{
	return trouble < FW_TROUBLE_MAX ? troubles[trouble].name : "unknown";
}

const char *fw_trouble_words(enum fw_trouble trouble)
{
	return trouble < FW_TROUBLE_MAX ? troubles[trouble].words : "unknown";
}

static void names_free(struct fw_name *names, size_t nr)
{
	for (size_t i = 0; i < nr; i++)
		free(names[i].text);
	free(names);
}

void fw_lives_free(struct fw_lives *l)
{
	if (!l)
		return;
	names_free(l->cgroups, l->nr_cgroups);
	names_free(l->namespaces, l->nr_namespaces);
	free(l->life);
	free(l);
}
