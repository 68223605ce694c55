/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The lists that the page's script needs, as data of its model: it has none of its own, so that none can
 * differ.
 */
#ifndef FW_REPORT_PAGE_LISTS_H
#define FW_REPORT_PAGE_LISTS_H

#include "util/json.h"

/* One JSON object:
 *
 *	{"states":["LISTEN","SYN_SENT",...],                     in the order of a life
 *	 "ends":[["last_ack","closed","closed",true,true],...],  name, words, few words, whether RFC 9293's
 *	                                                         figure has it, whether all was well then
 *	 "troubles":[["leak","CLOSE_WAIT leak"],...],            worst first
 *	 "severities":[["warning","Warning","warnings"],...]}    name, title, plural; worst first
 */
void fw_page_lists_json(struct fw_json *out);

#endif
