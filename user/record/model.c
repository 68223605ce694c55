// SPDX-License-Identifier: GPL-2.0-only
#include "record/model.h"

#include <string.h>

#define NS_PER_S 1000000000ULL

/* ---- Memory ------------------------------------------------------------------------------ */

void fw_model_init(struct fw_model *m, unsigned int version, unsigned int hz)
{
	fw_layouts_init(&m->layouts, version);
	m->jiffy_ns = hz ? NS_PER_S / hz : 0;
	fw_model_reset(m);
}

void fw_model_reset(struct fw_model *m)
{
	m->nr_patterns = m->nr_parties = 0;
	m->last_ns = m->tick_ns = m->tick_jiffies = 0;
}

struct fw_party *fw_model_party(struct fw_model *m, uint64_t ago)
{
	if (ago >= m->nr_parties || ago >= FW_PARTIES_MAX)
		return NULL;
	return &m->parties[(m->nr_parties - 1 - (unsigned int)ago) % FW_PARTIES_MAX];
}

static bool is_zero(const uint8_t addr[16])
{
	uint64_t word[2];

	memcpy(word, addr, sizeof(word));
	return !(word[0] | word[1]);
}

/*
 * What a kind of record does not tell is 0 in its pattern, and what is not known of the party yet is 0
 * there: then the other of the two decides.
 */
void fw_model_predict(const struct fw_layout *layout, const struct fw_party *party,
		      union fw_image *pattern)
{
	struct fw_rec_head *head = &pattern->head;

	if (!party)
		return;
	if (head->cookie && party->cookie)
		head->cookie = party->cookie;
	if (party->skaddr[layout->is_mini])
		head->skaddr = party->skaddr[layout->is_mini];
	if (!layout->has_endpoints)
		return;
	head->netns = party->netns;
	head->family = party->family;
	if (head->lport && party->lport)
		head->lport = party->lport;
	if (head->rport && party->rport)
		head->rport = party->rport;
	if (!is_zero(head->laddr) && !is_zero(party->laddr))
		memcpy(head->laddr, party->laddr, sizeof(head->laddr));
	if (!is_zero(head->raddr) && !is_zero(party->raddr))
		memcpy(head->raddr, party->raddr, sizeof(head->raddr));
}

static void update_party(struct fw_party *party, const struct fw_layout *layout,
			 const struct fw_rec_head *head)
{
	if (head->cookie)
		party->cookie = head->cookie;
	party->skaddr[layout->is_mini] = head->skaddr;
	if (!layout->has_endpoints)
		return;
	party->netns = head->netns;
	party->family = head->family;
	if (head->lport)
		party->lport = head->lport;
	if (head->rport)
		party->rport = head->rport;
	if (!is_zero(head->laddr))
		memcpy(party->laddr, head->laddr, sizeof(party->laddr));
	if (!is_zero(head->raddr))
		memcpy(party->raddr, head->raddr, sizeof(party->raddr));
}

struct fw_party *fw_model_learn(struct fw_model *m, const struct fw_layout *layout,
				struct fw_party *party, const union fw_image *image)
{
	if (!layout->has_party)
		return NULL;
	/* One that only a holder has been told of lacks endpoints: it stays unknown. */
	if (!party && !layout->has_endpoints)
		return NULL;
	if (!party) {
		party = &m->parties[m->nr_parties++ % FW_PARTIES_MAX];
		*party = (struct fw_party){ 0 };
	}
	update_party(party, layout, &image->head);
	return party;
}

/* ---- Timers ------------------------------------------------------------------------------ */

static uint64_t predicted_jiffies(const struct fw_model *m, uint64_t ts_ns)
{
	if (!m->jiffy_ns)
		return m->tick_jiffies;
	if (ts_ns >= m->tick_ns)
		return m->tick_jiffies + (ts_ns - m->tick_ns) / m->jiffy_ns;
	return m->tick_jiffies - (m->tick_ns - ts_ns) / m->jiffy_ns;
}

/* The moment of a tick is known the better the more often one has been seen to be early. */
static void learn_tick(struct fw_model *m, uint64_t ts_ns, uint64_t predicted, uint64_t jiffies)
{
	if (jiffies - predicted - 1 >= UINT64_MAX / 2)
		return;
	m->tick_ns = ts_ns;
	m->tick_jiffies = jiffies;
}

/* Full sockets and MPTCP sockets have no timer: .expires_jiffies is 0. */
static __u64 *timer_of(union fw_image *image, __u64 **now)
{
	if (image->head.kind != FW_REC_SOCK) {
		*now = &image->mini.now_jiffies;
		return &image->mini.expires_jiffies;
	}
	*now = &image->sock.now_jiffies;
	return image->sock.object == FW_OBJECT_REQUEST || image->sock.object == FW_OBJECT_MINI ?
		       &image->sock.expires_jiffies : NULL;
}

static __u64 *since_of(union fw_image *image)
{
	return image->head.kind == FW_REC_SOCK ? &image->sock.since_ns : &image->mini.since_ns;
}

/*
 * How long ago, and back. 0 means unknown and stays 0; what would become 0 stays as it is, so that no two
 * values become one.
 */
static uint64_t mirror_since(uint64_t ts_ns, uint64_t since_ns)
{
	return since_ns && since_ns != ts_ns + 1 ? ts_ns + 1 - since_ns : since_ns;
}

static void unrelate_since(const struct fw_model *m, union fw_image *image)
{
	__u64 *since = since_of(image);

	if (!m->layouts.since_is_jiffies)
		*since = mirror_since(image->head.ts_ns, *since);
	else if (image->head.kind == FW_REC_SOCK && *since && *since < image->head.ts_ns / (m->jiffy_ns ?: UINT64_MAX))
		*since = image->head.ts_ns - *since * m->jiffy_ns;
	else
		*since = 0;
}

void fw_model_relate_timer(struct fw_model *m, union fw_image *image)
{
	uint64_t predicted = predicted_jiffies(m, image->head.ts_ns), jiffies;
	__u64 *now, *expires = timer_of(image, &now), *since = since_of(image);

	jiffies = *now;
	if (expires)
		*expires -= jiffies;
	*now -= predicted;
	*since = mirror_since(image->head.ts_ns, *since);
	learn_tick(m, image->head.ts_ns, predicted, jiffies);
}

void fw_model_unrelate_timer(struct fw_model *m, union fw_image *image)
{
	uint64_t predicted = predicted_jiffies(m, image->head.ts_ns);
	__u64 *now, *expires = timer_of(image, &now);

	*now += predicted;
	if (expires)
		*expires += *now;
	unrelate_since(m, image);
	learn_tick(m, image->head.ts_ns, predicted, *now);
}
