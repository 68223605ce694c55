/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where a page shows more of a finding: the section with its numbers, and which connections it is about.
 */
#ifndef FW_REPORT_PLACES_H
#define FW_REPORT_PLACES_H

#include <stdbool.h>

#include "report/lives.h"

struct fw_place {
	const char *id;	     /* of the finding */
	const char *section; /* key of a section; NULL: none */
	bool of_connections; /* it is about some of the connections: those it names, and: */
	enum fw_trouble trouble; /* with this trouble; FW_TROUBLE_MAX: any */
	unsigned int state;	 /* that were in this state; 0: any */
};

/* NULL: the finding has no place. */
const struct fw_place *fw_place_of(const char *id);

#endif
