// SPDX-License-Identifier: GPL-2.0-only
#include "core/mptcp.h"

#include <stdlib.h>

static struct fw_mptcp **bucket_at(const struct fw_mptcps *m, uint64_t skaddr)
{
	uint64_t mixed = skaddr * 0x9e3779b97f4a7c15ULL;

	return (struct fw_mptcp **)&m->at[mixed >> 32 & (FW_MPTCP_BUCKETS - 1)];
}

/* Tokens are random. */
static struct fw_mptcp **bucket_of(const struct fw_mptcps *m, uint32_t token)
{
	return (struct fw_mptcp **)&m->of[token & (FW_MPTCP_BUCKETS - 1)];
}

static struct fw_mptcp *find_of(const struct fw_mptcps *m, uint32_t token)
{
	struct fw_mptcp *one = token ? *bucket_of(m, token) : NULL;

	while (one && one->extra.mptcp_token != token)
		one = one->next_of;
	return one;
}

struct fw_mptcp *fw_mptcps_at(const struct fw_mptcps *m, uint64_t skaddr)
{
	struct fw_mptcp *one = *bucket_at(m, skaddr);

	while (one && one->conn.skaddr != skaddr)
		one = one->next_at;
	return one;
}

struct fw_mptcp *fw_mptcps_find(const struct fw_mptcps *m, uint64_t skaddr, uint32_t token)
{
	struct fw_mptcp *one = find_of(m, token);

	if (one || !skaddr)
		return one;
	one = fw_mptcps_at(m, skaddr);
	/* Another connection's socket may have been at that address. */
	if (one && token && one->extra.mptcp_token && one->extra.mptcp_token != token)
		return NULL;
	return one;
}

static void link_one(struct fw_mptcps *m, struct fw_mptcp *one)
{
	struct fw_mptcp **at = bucket_at(m, one->conn.skaddr);
	struct fw_mptcp **of = bucket_of(m, one->extra.mptcp_token);

	one->next_at = *at;
	*at = one;
	one->next_of = *of;
	*of = one;
}

static void unlink_one(struct fw_mptcps *m, struct fw_mptcp *one)
{
	struct fw_mptcp **at = bucket_at(m, one->conn.skaddr);
	struct fw_mptcp **of = bucket_of(m, one->extra.mptcp_token);

	while (*at != one)
		at = &(*at)->next_at;
	*at = one->next_at;
	while (*of != one)
		of = &(*of)->next_of;
	*of = one->next_of;
}

struct fw_mptcp *fw_mptcps_add(struct fw_mptcps *m, uint64_t skaddr, uint32_t token)
{
	struct fw_mptcp *one = m->nr < FW_MPTCP_MAX ? calloc(1, sizeof(*one)) : NULL;

	if (!one)
		return NULL;
	one->conn.skaddr = skaddr;
	one->conn.extra = &one->extra;
	one->conn.flags = FW_CONN_MPTCP;
	one->extra.mptcp_token = token;
	link_one(m, one);
	m->nr++;
	return one;
}

void fw_mptcps_rename(struct fw_mptcps *m, struct fw_mptcp *one, uint64_t skaddr, uint32_t token)
{
	if ((!skaddr || skaddr == one->conn.skaddr) && (!token || token == one->extra.mptcp_token))
		return;
	unlink_one(m, one);
	if (skaddr)
		one->conn.skaddr = skaddr;
	if (token)
		one->extra.mptcp_token = token;
	link_one(m, one);
}

void fw_mptcps_forget_address(struct fw_mptcps *m, struct fw_mptcp *one)
{
	unlink_one(m, one);
	one->conn.skaddr = 0;
	link_one(m, one);
}

void fw_mptcps_remove(struct fw_mptcps *m, struct fw_mptcp *one)
{
	unlink_one(m, one);
	m->nr--;
	free(one);
}

void fw_mptcps_fini(struct fw_mptcps *m)
{
	struct fw_mptcp *one;

	while ((one = fw_mptcps_next(m, NULL)))
		fw_mptcps_remove(m, one);
}

struct fw_mptcp *fw_mptcps_next(const struct fw_mptcps *m, const struct fw_mptcp *previous)
{
	size_t i = 0;

	if (previous && previous->next_at)
		return previous->next_at;
	if (previous)
		i = (size_t)(bucket_at(m, previous->conn.skaddr) - m->at) + 1;
	while (m->nr && i < FW_MPTCP_BUCKETS && !m->at[i])
		i++;
	return m->nr && i < FW_MPTCP_BUCKETS ? m->at[i] : NULL;
}
