// SPDX-License-Identifier: GPL-2.0-only
/*
 * A host has few such sockets, as a rule none: a short list is enough.
 */
#include "analysis/unattended.h"

#include <string.h>

/* The place of listener @id; of 0: a free one; NULL: none. */
static struct fw_unattended_listener *place_of(struct fw_unattended *u, uint64_t id)
{
	for (size_t i = 0; i < FW_UNATTENDED_MAX; i++) {
		if (u->listener[i].id == id)
			return &u->listener[i];
	}
	return NULL;
}

void fw_unattended_socket(struct fw_unattended *u, const struct fw_conn *c,
			  const struct fw_rec_sock *sock)
{
	struct fw_unattended_listener *l;

	if (!c || sock->object != FW_OBJECT_FULL || sock->head.newstate != FW_LISTEN)
		return;
	l = place_of(u, c->id);
	if (!(sock->head.flags & FW_REC_UNATTENDED) || !(sock->head.flags & FW_REC_HAS_FILE)) {
		if (l)
			*l = (struct fw_unattended_listener){ 0 };
		return;
	}
	if (!l)
		l = place_of(u, 0);
	if (!l)
		return;
	l->id = c->id;
	l->netns = c->netns;
	l->lport = c->lport;
	l->looks++;
	l->nr_holders = 0;
}

void fw_unattended_holder(struct fw_unattended *u, const struct fw_conn *c,
			  const struct fw_rec_holder *holder)
{
	struct fw_unattended_listener *l = c && c->flags & FW_CONN_LISTENER ? place_of(u, c->id) : NULL;

	if (!l || l->nr_holders == FW_UNATTENDED_HOLDERS)
		return;
	for (unsigned int i = 0; i < l->nr_holders; i++) {
		if (l->holder[i].pid == holder->pid)
			return;
	}
	l->holder[l->nr_holders].pid = holder->pid;
	memcpy(l->holder[l->nr_holders++].comm, holder->comm, sizeof(holder->comm));
}

const struct fw_unattended_listener *fw_unattended_find(const struct fw_unattended *u, uint32_t netns,
							uint16_t lport)
{
	for (size_t i = 0; i < FW_UNATTENDED_MAX; i++) {
		const struct fw_unattended_listener *l = &u->listener[i];

		if (l->id && l->netns == netns && l->lport == lport && l->nr_holders)
			return l;
	}
	return NULL;
}
