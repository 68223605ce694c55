// SPDX-License-Identifier: GPL-2.0-only
#include "record/layout.h"

#include "record/mark.h"

/* The version that added what follows in a list. */
#define V1 1
#define V2 2

#define FIELD(type, member, kind, since) { offsetof(type, member), FW_FIELD_##kind, since }

/*
 * The fields of struct fw_rec_head. What changes most often comes first: the number that says which
 * fields differ is then short.
 */
#define HEAD_OFTEN \
	FIELD(struct fw_rec_head, cpu, U16, V1), /* version 1: below 256 */ \
	FIELD(struct fw_rec_head, flags, U32, V1), /* version 1: below 1 << 12 */ \
	FIELD(struct fw_rec_head, skaddr, POINTER, V1), \
	FIELD(struct fw_rec_head, cookie, U64, V1), \
	FIELD(struct fw_rec_head, lport, U16, V1), \
	FIELD(struct fw_rec_head, rport, U16, V1)
#define HEAD_SELDOM \
	FIELD(struct fw_rec_head, laddr, BE32, V1), \
	FIELD(struct fw_rec_head, raddr, BE32, V1), \
	FIELD(struct fw_rec_head, oldstate, U8, V1), \
	FIELD(struct fw_rec_head, newstate, U8, V1), \
	FIELD(struct fw_rec_head, netns, U32, V1), \
	FIELD(struct fw_rec_head, family, U8, V1), \
	FIELD(struct fw_rec_head, ifindex, U32, V2), \
	FIELD(struct fw_rec_head, laddr[4], BE32, V1), \
	FIELD(struct fw_rec_head, laddr[8], BE32, V1), \
	FIELD(struct fw_rec_head, laddr[12], BE32, V1), \
	FIELD(struct fw_rec_head, raddr[4], BE32, V1), \
	FIELD(struct fw_rec_head, raddr[8], BE32, V1), \
	FIELD(struct fw_rec_head, raddr[12], BE32, V1)

static const struct fw_field head_fields[] = { HEAD_OFTEN, HEAD_SELDOM };

static const struct fw_field state_fields[] = {
#define STATE(member, kind, since) FIELD(struct fw_rec_state, member, kind, since)
	STATE(segs_in, U32, V1),
	HEAD_OFTEN,
	STATE(bytes_sent, U64, V1),
	STATE(bytes_received, U64, V1),
	STATE(segs_out, U32, V2),
	STATE(srtt_us, U32, V2),
	STATE(rto_jiffies, U32, V2),
	STATE(exchanges, U32, V2),
	STATE(sent_ago_jiffies, U32, V2),
	STATE(received_ago_jiffies, U32, V2),
	STATE(retransmits, U32, V1),
	HEAD_SELDOM,
	STATE(pid, U32, V1),
	STATE(uid, U32, V1),
	STATE(cgroup_id, U64, V1),
	STATE(err, U16, V1),
	STATE(mptcp_token, U32, V2),
	STATE(since_ns, U64, V2),
	STATE(comm, TEXT, V1),
	STATE(comm[8], TEXT, V1),
};

/* Of the kernel's stack one frame is kept: see fw_frame_keep(). */
static const struct fw_field mini_fields[] = {
#define MINI(member, kind, since) FIELD(struct fw_rec_mini, member, kind, since)
	MINI(now_jiffies, U64, V1),
	MINI(expires_jiffies, U64, V1),
	HEAD_OFTEN,
	MINI(timeouts, U32, V1),
	MINI(nr_ips, U32, V1),
	MINI(ips, U64, V1),
	MINI(listener, POINTER, V2),
	MINI(since_ns, U64, V2),
	HEAD_SELDOM,
};

static const struct fw_field sock_fields[] = {
#define SOCK(member, kind, since) FIELD(struct fw_rec_sock, member, kind, since)
	HEAD_OFTEN,
	SOCK(now_jiffies, U64, V1),
	SOCK(expires_jiffies, U64, V1),
	SOCK(since_ns, U64, V1), /* version 1: for how many jiffies it had been in its state */
	SOCK(bytes_sent, U64, V1),
	SOCK(bytes_received, U64, V1),
	SOCK(unread, U32, V1),
	SOCK(unsent, U32, V1),
	SOCK(srtt_us, U32, V2),
	SOCK(rto_jiffies, U32, V2),
	SOCK(queued_bytes, U32, V2),
	SOCK(retransmits, U32, V1),
	SOCK(uid, U32, V1),
	SOCK(cgroup_id, U64, V1),
	SOCK(object, U8, V1),
	SOCK(listener, POINTER, V2),
	SOCK(drops, U32, V2),
	SOCK(mptcp_token, U32, V2),
	HEAD_SELDOM,
};

static const struct fw_field holder_fields[] = {
#define HOLDER(member, kind, since) FIELD(struct fw_rec_holder, member, kind, since)
	HOLDER(fd, U32, V1),
	HEAD_OFTEN,
	HOLDER(pid, U32, V1),
	HOLDER(comm, TEXT, V1),
	HOLDER(comm[8], TEXT, V1),
	HOLDER(mptcp_token, U32, V2),
	HEAD_SELDOM,
};

static const struct fw_field process_fields[] = {
#define PROCESS(member, kind, since) FIELD(struct fw_rec_process, member, kind, since)
	PROCESS(pid, U32, V1),
	PROCESS(fds, U32, V1),
	PROCESS(cgroup_id, U64, V1),
	PROCESS(comm, TEXT, V1),
	PROCESS(comm[8], TEXT, V1),
	PROCESS(uid, U32, V1),
	PROCESS(nofile, U64, V1),
	HEAD_OFTEN,
	HEAD_SELDOM,
};

/* All fields that a struct ever had, in the order of their bits. */
struct field_list {
	const struct fw_field *fields;
	unsigned int nr;
	struct fw_layout traits; /* .len and what follows */
};

#define NR(a) (sizeof(a) / sizeof((a)[0]))
#define FIELDS(f) .fields = (f), .nr = NR(f)

static const struct field_list lists[FW_STRUCT_MAX] = {
	[FW_STRUCT_HEAD] = { FIELDS(head_fields), { .len = sizeof(struct fw_rec_head) } },
	[FW_STRUCT_STATE] = { FIELDS(state_fields), { .len = sizeof(struct fw_rec_state),
		.has_party = true, .has_endpoints = true } },
	[FW_STRUCT_MINI] = { FIELDS(mini_fields), { .len = sizeof(struct fw_rec_mini),
		.has_party = true, .has_endpoints = true, .has_timer = true, .is_mini = true } },
	[FW_STRUCT_SOCK] = { FIELDS(sock_fields), { .len = sizeof(struct fw_rec_sock),
		.has_party = true, .has_endpoints = true, .has_timer = true } },
	[FW_STRUCT_HOLDER] = { FIELDS(holder_fields), { .len = sizeof(struct fw_rec_holder),
		.has_party = true } },
	[FW_STRUCT_PROCESS] = { FIELDS(process_fields), { .len = sizeof(struct fw_rec_process) } },
};

static const struct {
	uint8_t structure; /* enum fw_record_struct */
	uint8_t since;	   /* 0: no such kind */
} kinds[FW_REC_MAX] = {
	[FW_REC_STATE] = { FW_STRUCT_STATE, V1 },
	[FW_REC_RESET_SENT] = { FW_STRUCT_STATE, V1 },
	[FW_REC_TW_SCHED] = { FW_STRUCT_MINI, V1 },
	[FW_REC_TW_END] = { FW_STRUCT_MINI, V1 },
	[FW_REC_TW_SEEN] = { FW_STRUCT_MINI, V1 },
	[FW_REC_REQ_SCHED] = { FW_STRUCT_MINI, V1 },
	[FW_REC_REQ_END] = { FW_STRUCT_MINI, V1 },
	[FW_REC_ACCEPTED] = { FW_STRUCT_STATE, V1 },
	[FW_REC_BIND_FAILED] = { FW_STRUCT_STATE, V1 },
	[FW_REC_SNAP_BEGIN] = { FW_STRUCT_HEAD, V1 },
	[FW_REC_SOCK] = { FW_STRUCT_SOCK, V1 },
	[FW_REC_HOLDER] = { FW_STRUCT_HOLDER, V1 },
	[FW_REC_PROCESS] = { FW_STRUCT_PROCESS, V1 },
	[FW_REC_SNAP_NETNS] = { FW_STRUCT_HEAD, V1 },
	[FW_REC_SNAP_END] = { FW_STRUCT_HEAD, V1 },
	[FW_REC_RETRANSMIT] = { FW_STRUCT_STATE, V2 },
	[FW_REC_CONNECT_FAILED] = { FW_STRUCT_STATE, V2 },
	[FW_REC_HOLDERS_BEGIN] = { FW_STRUCT_HEAD, V2 },
	[FW_REC_HOLDERS_END] = { FW_STRUCT_HEAD, V2 },
	[FW_REC_PROCESS_ENDED] = { FW_STRUCT_STATE, V2 },
};

/* Kinds of marks have no fields: a version has those below a number. */
static const unsigned int marks_before[FW_FORMAT_VERSION + 1] = {
	[1] = FW_MARK_NETNS_HIDDEN + 1,
	[2] = FW_MARK_MAX,
};

_Static_assert(FW_IMAGE_BYTES == sizeof(union fw_image), "the largest");
_Static_assert(FW_IMAGE_BYTES <= UINT8_MAX, "offsets are small");
_Static_assert(NR(state_fields) <= FW_FIELDS_MAX && NR(sock_fields) <= FW_FIELDS_MAX &&
	       NR(mini_fields) <= FW_FIELDS_MAX, "they fit in a layout");

void fw_layouts_init(struct fw_layouts *l, unsigned int version)
{
	for (unsigned int i = 0; i < FW_STRUCT_MAX; i++) {
		struct fw_layout *layout = &l->of_struct[i];

		*layout = lists[i].traits;
		for (unsigned int k = 0; k < lists[i].nr; k++) {
			if (lists[i].fields[k].since <= version)
				layout->fields[layout->nr++] = lists[i].fields[k];
		}
	}
	for (unsigned int kind = 0; kind < FW_REC_MAX; kind++) {
		bool has = kinds[kind].since && kinds[kind].since <= version;

		l->of_kind[kind] = has ? &l->of_struct[kinds[kind].structure] : NULL;
	}
	l->nr_marks = marks_before[version];
	l->since_is_jiffies = version == V1;
}

size_t fw_record_bytes(unsigned int kind)
{
	return kind < FW_REC_MAX && kinds[kind].since ? lists[kinds[kind].structure].traits.len : 0;
}
