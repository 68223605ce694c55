// SPDX-License-Identifier: GPL-2.0-only
#include "core/filter.h"

#include <string.h>

static bool port_listed(const uint16_t *ports, unsigned int nr, uint16_t port)
{
	for (unsigned int i = 0; i < nr; i++) {
		if (ports[i] == port)
			return true;
	}
	return !nr;
}

static bool in_cidr(const struct fw_cidr *cidr, uint8_t family, const uint8_t addr[16])
{
	unsigned int whole = cidr->prefix_len / 8, rest = cidr->prefix_len % 8;

	if (cidr->family != family || memcmp(cidr->addr, addr, whole))
		return false;
	return !rest || !((cidr->addr[whole] ^ addr[whole]) >> (8 - rest));
}

static bool addr_listed(const struct fw_cidr *cidrs, unsigned int nr, uint8_t family,
			const uint8_t addr[16])
{
	for (unsigned int i = 0; i < nr; i++) {
		if (in_cidr(&cidrs[i], family, addr))
			return true;
	}
	return !nr;
}

static bool endpoints_wanted(const struct fw_filter *f, const struct fw_conn *c)
{
	return (!f->family || f->family == c->family) &&
	       port_listed(f->lports, f->nr_lports, c->lport) &&
	       port_listed(f->rports, f->nr_rports, c->rport) &&
	       addr_listed(f->local, f->nr_local, c->family, c->laddr) &&
	       addr_listed(f->remote, f->nr_remote, c->family, c->raddr);
}

bool fw_filter_connection(const struct fw_filter *f, const struct fw_conn *c)
{
	if (!endpoints_wanted(f, c))
		return false;
	if (!f->states && !f->min_duration_ns)
		return true;
	for (unsigned int i = 0; i < c->nr_steps; i++) {
		if (f->states && !(f->states & (1U << c->steps[i])))
			continue;
		if (fw_conn_dwell_ns(c, i) >= f->min_duration_ns)
			return true;
	}
	return false;
}

bool fw_filter_transition(const struct fw_filter *f, const struct fw_conn *c,
			  const struct fw_transition *tr)
{
	if (!endpoints_wanted(f, c) || tr->dwell_ns < f->min_duration_ns)
		return false;
	return !f->states || f->states & (1U << tr->from | 1U << tr->to);
}
