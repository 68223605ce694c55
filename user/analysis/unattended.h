/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Listening sockets on which no process waits, in accept(), poll() or epoll, at any look, and the processes
 * that have them open. A child that runs another program holds such a socket when it inherited it.
 */
#ifndef FW_ANALYSIS_UNATTENDED_H
#define FW_ANALYSIS_UNATTENDED_H

#include "analysis/words.h"

#define FW_UNATTENDED_MAX 64
#define FW_UNATTENDED_HOLDERS 64

struct fw_unattended_listener {
	uint64_t id; /* of the listener, as tracked; 0: the place is free */
	uint32_t netns;
	uint16_t lport;
	unsigned int looks;
	struct fw_owner holder[FW_UNATTENDED_HOLDERS]; /* at the last look */
	unsigned int nr_holders;
};

struct fw_unattended {
	struct fw_unattended_listener listener[FW_UNATTENDED_MAX];
};

/* The events of a snapshot. */
void fw_unattended_socket(struct fw_unattended *u, const struct fw_conn *c,
			  const struct fw_rec_sock *sock);
void fw_unattended_holder(struct fw_unattended *u, const struct fw_conn *c,
			  const struct fw_rec_holder *holder);

/* NULL: a process waits there, or that is not known. */
const struct fw_unattended_listener *fw_unattended_find(const struct fw_unattended *u, uint32_t netns,
							uint16_t lport);

#endif
