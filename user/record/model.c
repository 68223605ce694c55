// SPDX-License-Identifier: GPL-2.0-only
#include "record/model.h"

#include <string.h>

#define NS_PER_S 1000000000ULL

/* What changes most often comes first: a record says in few bits which of its fields are told. */
#define HEAD_OFTEN(type) \
	{ offsetof(type, head.cpu), FW_FIELD_U8 }, { offsetof(type, head.flags), FW_FIELD_U16 }, \
	{ offsetof(type, head.skaddr), FW_FIELD_POINTER }, \
	{ offsetof(type, head.cookie), FW_FIELD_U64 }, \
	{ offsetof(type, head.lport), FW_FIELD_U16 }, { offsetof(type, head.rport), FW_FIELD_U16 }
#define HEAD_SELDOM(type) \
	{ offsetof(type, head.laddr) + 0, FW_FIELD_BE32 }, { offsetof(type, head.raddr) + 0, FW_FIELD_BE32 }, \
	{ offsetof(type, head.oldstate), FW_FIELD_U8 }, { offsetof(type, head.newstate), FW_FIELD_U8 }, \
	{ offsetof(type, head.netns), FW_FIELD_U32 }, { offsetof(type, head.family), FW_FIELD_U8 }, \
	{ offsetof(type, head.laddr) + 4, FW_FIELD_BE32 }, { offsetof(type, head.laddr) + 8, FW_FIELD_BE32 }, \
	{ offsetof(type, head.laddr) + 12, FW_FIELD_BE32 }, { offsetof(type, head.raddr) + 4, FW_FIELD_BE32 }, \
	{ offsetof(type, head.raddr) + 8, FW_FIELD_BE32 }, { offsetof(type, head.raddr) + 12, FW_FIELD_BE32 }

static const struct fw_field head_fields[] = {
	HEAD_OFTEN(union fw_image), HEAD_SELDOM(union fw_image),
};

static const struct fw_field state_fields[] = {
	{ offsetof(struct fw_rec_state, segs_in), FW_FIELD_U32 },
	HEAD_OFTEN(union fw_image),
	{ offsetof(struct fw_rec_state, bytes_sent), FW_FIELD_U64 },
	{ offsetof(struct fw_rec_state, bytes_received), FW_FIELD_U64 },
	{ offsetof(struct fw_rec_state, retransmits), FW_FIELD_U32 },
	HEAD_SELDOM(union fw_image),
	{ offsetof(struct fw_rec_state, pid), FW_FIELD_U32 },
	{ offsetof(struct fw_rec_state, uid), FW_FIELD_U32 },
	{ offsetof(struct fw_rec_state, cgroup_id), FW_FIELD_U64 },
	{ offsetof(struct fw_rec_state, err), FW_FIELD_U16 },
	{ offsetof(struct fw_rec_state, comm), FW_FIELD_TEXT },
	{ offsetof(struct fw_rec_state, comm) + 8, FW_FIELD_TEXT },
};

/* Of the kernel's stack one frame is kept: see fw_frame_keep(). */
static const struct fw_field mini_fields[] = {
	{ offsetof(struct fw_rec_mini, now_jiffies), FW_FIELD_U64 },
	{ offsetof(struct fw_rec_mini, expires_jiffies), FW_FIELD_U64 },
	HEAD_OFTEN(union fw_image),
	{ offsetof(struct fw_rec_mini, timeouts), FW_FIELD_U32 },
	{ offsetof(struct fw_rec_mini, nr_ips), FW_FIELD_U32 },
	{ offsetof(struct fw_rec_mini, ips), FW_FIELD_U64 },
	HEAD_SELDOM(union fw_image),
};

static const struct fw_field sock_fields[] = {
	HEAD_OFTEN(union fw_image),
	{ offsetof(struct fw_rec_sock, now_jiffies), FW_FIELD_U64 },
	{ offsetof(struct fw_rec_sock, expires_jiffies), FW_FIELD_U64 },
	{ offsetof(struct fw_rec_sock, idle_jiffies), FW_FIELD_U32 },
	{ offsetof(struct fw_rec_sock, bytes_sent), FW_FIELD_U64 },
	{ offsetof(struct fw_rec_sock, bytes_received), FW_FIELD_U64 },
	{ offsetof(struct fw_rec_sock, unread), FW_FIELD_U32 },
	{ offsetof(struct fw_rec_sock, unsent), FW_FIELD_U32 },
	{ offsetof(struct fw_rec_sock, retransmits), FW_FIELD_U32 },
	{ offsetof(struct fw_rec_sock, uid), FW_FIELD_U32 },
	{ offsetof(struct fw_rec_sock, cgroup_id), FW_FIELD_U64 },
	{ offsetof(struct fw_rec_sock, object), FW_FIELD_U8 },
	HEAD_SELDOM(union fw_image),
};

static const struct fw_field holder_fields[] = {
	{ offsetof(struct fw_rec_holder, fd), FW_FIELD_U32 },
	HEAD_OFTEN(union fw_image),
	{ offsetof(struct fw_rec_holder, pid), FW_FIELD_U32 },
	{ offsetof(struct fw_rec_holder, comm), FW_FIELD_TEXT },
	{ offsetof(struct fw_rec_holder, comm) + 8, FW_FIELD_TEXT },
	HEAD_SELDOM(union fw_image),
};

static const struct fw_field process_fields[] = {
	{ offsetof(struct fw_rec_process, pid), FW_FIELD_U32 },
	{ offsetof(struct fw_rec_process, fds), FW_FIELD_U32 },
	{ offsetof(struct fw_rec_process, cgroup_id), FW_FIELD_U64 },
	{ offsetof(struct fw_rec_process, comm), FW_FIELD_TEXT },
	{ offsetof(struct fw_rec_process, comm) + 8, FW_FIELD_TEXT },
	{ offsetof(struct fw_rec_process, uid), FW_FIELD_U32 },
	{ offsetof(struct fw_rec_process, nofile), FW_FIELD_U64 },
	HEAD_OFTEN(union fw_image),
	HEAD_SELDOM(union fw_image),
};

#define FIELDS(f) .fields = (f), .nr = sizeof(f) / sizeof((f)[0])
_Static_assert(sizeof(state_fields) / sizeof(state_fields[0]) <= 32, "a bit for each");
_Static_assert(sizeof(sock_fields) / sizeof(sock_fields[0]) <= 32, "a bit for each");
_Static_assert(FW_IMAGE_BYTES == sizeof(union fw_image), "the largest");
_Static_assert(FW_IMAGE_BYTES <= UINT8_MAX, "offsets are small");

static const struct fw_layout state_layout = {
	FIELDS(state_fields), .len = sizeof(struct fw_rec_state),
	.has_party = true, .has_endpoints = true,
};
static const struct fw_layout mini_layout = {
	FIELDS(mini_fields), .len = sizeof(struct fw_rec_mini),
	.has_party = true, .has_endpoints = true, .has_timer = true, .is_mini = true,
};
static const struct fw_layout sock_layout = {
	FIELDS(sock_fields), .len = sizeof(struct fw_rec_sock),
	.has_party = true, .has_endpoints = true, .has_timer = true,
};
static const struct fw_layout holder_layout = {
	FIELDS(holder_fields), .len = sizeof(struct fw_rec_holder), .has_party = true,
};
static const struct fw_layout process_layout = {
	FIELDS(process_fields), .len = sizeof(struct fw_rec_process),
};
static const struct fw_layout head_layout = {
	FIELDS(head_fields), .len = sizeof(struct fw_rec_head),
};

static const struct fw_layout *const layouts[FW_REC_MAX] = {
	[FW_REC_STATE] = &state_layout,	      [FW_REC_RESET_SENT] = &state_layout,
	[FW_REC_ACCEPTED] = &state_layout,    [FW_REC_BIND_FAILED] = &state_layout,
	[FW_REC_TW_SCHED] = &mini_layout,     [FW_REC_TW_END] = &mini_layout,
	[FW_REC_TW_SEEN] = &mini_layout,      [FW_REC_REQ_SCHED] = &mini_layout,
	[FW_REC_REQ_END] = &mini_layout,      [FW_REC_SOCK] = &sock_layout,
	[FW_REC_HOLDER] = &holder_layout,     [FW_REC_PROCESS] = &process_layout,
	[FW_REC_SNAP_BEGIN] = &head_layout,   [FW_REC_SNAP_NETNS] = &head_layout,
	[FW_REC_SNAP_END] = &head_layout,     [FW_REC_HOLDERS_BEGIN] = &head_layout,
	[FW_REC_HOLDERS_END] = &head_layout,  [FW_REC_PROCESS_ENDED] = &state_layout,
};

const struct fw_layout *fw_layout_of(unsigned int kind)
{
	return kind < FW_REC_MAX ? layouts[kind] : NULL;
}

/* ---- Memory ------------------------------------------------------------------------------ */

void fw_model_init(struct fw_model *m, unsigned int hz)
{
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

/* Of a full socket .expires_jiffies is 0. */
static __u64 *timer_of(union fw_image *image, __u64 **now)
{
	if (image->head.kind != FW_REC_SOCK) {
		*now = &image->mini.now_jiffies;
		return &image->mini.expires_jiffies;
	}
	*now = &image->sock.now_jiffies;
	return image->sock.object == FW_OBJECT_FULL ? NULL : &image->sock.expires_jiffies;
}

void fw_model_relate_timer(struct fw_model *m, union fw_image *image)
{
	uint64_t predicted = predicted_jiffies(m, image->head.ts_ns), jiffies;
	__u64 *now, *expires = timer_of(image, &now);

	jiffies = *now;
	if (expires)
		*expires -= jiffies;
	*now -= predicted;
	learn_tick(m, image->head.ts_ns, predicted, jiffies);
}

void fw_model_unrelate_timer(struct fw_model *m, union fw_image *image)
{
	uint64_t predicted = predicted_jiffies(m, image->head.ts_ns);
	__u64 *now, *expires = timer_of(image, &now);

	*now += predicted;
	if (expires)
		*expires += *now;
	learn_tick(m, image->head.ts_ns, predicted, *now);
}
