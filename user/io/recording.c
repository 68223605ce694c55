// SPDX-License-Identifier: GPL-2.0-only
#include "io/recording.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "io/block_file.h"
#include "record/pack.h"

/* So many records are shown ahead of their turn: long enough for memory to come. */
#define BATCH 24
_Static_assert(BATCH <= FW_UNPACKED_SLOTS, "they stay until they are handed on");
/* The clocks of two recordings are one, but their ends are not told to the nanosecond. */
#define OVERLAP_NS 100000000ULL
/* After so many somebody may look whether to stop, if time has not passed before. */
#define POLL_ITEMS 8192

struct recording {
	struct fw_source src;
	const char *const *paths;
	size_t nr_paths, next_path;
	struct fw_header header;
	struct fw_block_file file;
	struct fw_unpacker *unpacker;
	struct fw_recording_state state;
	uint64_t now_ns; /* time has come to */
	bool in_block, ended, gap, stopped; /* .ended: this file has had its end */
};

/* ---- Files ------------------------------------------------------------------------------- */

/* Numbers of errno differ on a few; all else in a recording means the same everywhere. */
static bool is_odd(const char *arch)
{
	static const char *const odd[] = { "alpha", "mips", "parisc", "sparc" };

	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		if (!strncmp(arch, odd[i], strlen(odd[i])))
			return true;
	}
	return false;
}

static int check_arch(const struct recording *r, const struct fw_header *h, struct fw_err *err)
{
	struct utsname here;

	if (uname(&here) || !strcmp(here.machine, h->arch) ||
	    (!is_odd(here.machine) && !is_odd(h->arch)))
		return 0;
	return fw_err_set(err, -EPROTONOSUPPORT,
			  "%s was recorded on %s, whose error numbers mean something else on %s",
			  r->file.name, h->arch, here.machine);
}

/* What follows another file must continue it, or at least come later on the same host. */
static int check_order(struct recording *r, const struct fw_header *h, struct fw_err *err)
{
	if (!r->state.files)
		return 0;
	if (strcmp(h->boot_id, r->header.boot_id))
		return fw_err_set(err, -EINVAL,
				  "%s is of another host, or of another boot, than the file before it: "
				  "they cannot be read as one", r->file.name);
	if (h->session == r->header.session && h->part <= r->header.part)
		return fw_err_set(err, -EINVAL, "%s is part %llu of the recording that the file before it is "
						"part %llu of: it would be counted twice", r->file.name,
				  (unsigned long long)h->part, (unsigned long long)r->header.part);
	if (h->start_ns < r->header.start_ns)
		return fw_err_set(err, -EINVAL, "%s is older than the file before it: name them in the "
						"order of their time", r->file.name);
	if (h->session != r->header.session && h->start_ns + OVERLAP_NS < r->state.last_ns)
		return fw_err_set(err, -EINVAL, "%s begins before the end of the file before it: what is "
						"in both would be counted twice", r->file.name);
	r->gap = r->gap || h->session != r->header.session || h->part != r->header.part + 1;
	return 0;
}

static int not_a_recording(const struct recording *r, struct fw_err *err)
{
	fw_err_set(err, -EBADMSG, "%s is no recording, or cut off before it began", r->file.name);
	fw_err_hint(err, "finwait record -o FILE makes one");
	return -EBADMSG;
}

static int read_header(struct recording *r, struct fw_header *h, struct fw_err *err)
{
	struct fw_err why = { 0 };
	int ret = fw_block_file_next(&r->file, err);

	if (ret == -EBADMSG || ret == -ENODATA || (ret == 1 && r->file.head.type != FW_BLOCK_HEADER))
		return not_a_recording(r, err);
	if (!ret)
		return fw_err_set(err, -EINTR, "interrupted before %s was opened", r->file.name);
	if (ret < 0)
		return ret;
	if (fw_header_parse(h, (const char *)r->file.content, r->file.head.content_len, &why))
		return fw_err_set(err, -EBADMSG, "%s has an unusable header: %.300s", r->file.name,
				  why.msg);
	return 0;
}

static int open_next(struct recording *r, struct fw_err *err)
{
	struct fw_header header;
	int ret = fw_block_file_open(&r->file, r->paths[r->next_path++], err);

	if (!ret)
		ret = read_header(r, &header, err);
	if (!ret)
		ret = check_arch(r, &header, err);
	if (!ret)
		ret = check_order(r, &header, err);
	if (ret)
		return ret;
	r->header = header;
	r->state.version = r->file.version;
	r->ended = false;
	r->state.files++;
	fw_unpacker_free(r->unpacker);
	r->unpacker = fw_unpacker_new(r->file.version, (unsigned int)header.hz);
	return r->unpacker ? 0 : fw_err_set(err, -ENOMEM, "no memory");
}

/* ---- Items ------------------------------------------------------------------------------- */

static void saw(struct recording *r, uint64_t ts_ns)
{
	if (!r->state.first_ns && ts_ns)
		r->state.first_ns = ts_ns;
	if (ts_ns > r->state.last_ns)
		r->state.last_ns = ts_ns;
}

static void tell_mark(struct recording *r, const struct fw_mark *mark)
{
	if (mark->kind == FW_MARK_TIME || mark->kind == FW_MARK_END) {
		saw(r, mark->ts_ns);
		if (mark->ts_ns > r->now_ns)
			r->now_ns = mark->ts_ns;
		r->ended |= mark->kind == FW_MARK_END;
	}
	if (r->src.mark)
		r->src.mark(r->src.mark_arg, mark);
}

static void tell_time(struct recording *r, uint64_t ts_ns)
{
	const struct fw_mark mark = { .kind = FW_MARK_TIME, .ts_ns = ts_ns };

	tell_mark(r, &mark);
}

/* Up to a moment: the next items of the block, shown ahead. How many; 0: the block is at its end. */
static int read_batch(struct recording *r, struct fw_item batch[BATCH], bool *moment)
{
	int n = 0, ret = 0;

	*moment = false;
	while (n < BATCH && !*moment) {
		struct fw_item *item = &batch[n];

		ret = fw_unpacker_next(r->unpacker, item);
		if (ret <= 0)
			break;
		n++;
		if (!item->record)
			*moment = item->mark.kind == FW_MARK_TIME;
		else if (r->src.ahead)
			r->src.ahead(r->src.ahead_arg, item->record, item->len);
	}
	return n ? n : ret;
}

static void tell_batch(struct recording *r, const struct fw_item *batch, int n, fw_record_fn fn,
		       void *arg)
{
	for (int i = 0; i < n; i++) {
		if (batch[i].record) {
			saw(r, batch[i].record->head.ts_ns);
			fn(arg, batch[i].record, batch[i].len);
		} else {
			tell_mark(r, &batch[i].mark);
		}
	}
}

/* ---- The end of a file, and of all -------------------------------------------------------- */

static void notice(struct recording *r, const char *what)
{
	snprintf(r->src.notice, sizeof(r->src.notice), "%.200s: what follows is not known", what);
	r->gap = true;
}

/* The time of day was set between two files. Within a file it is a mark. */
static void tell_clock(struct recording *r)
{
	const struct fw_mark clock = {
		.kind = FW_MARK_CLOCK, .ts_ns = r->header.start_ns,
		.number = (uint64_t)r->header.wall_offset_ns,
	};

	tell_mark(r, &clock);
}

/* The file is at its end. 1: there is another; 0: there is none. */
static int leave_file(struct recording *r, struct fw_err *err)
{
	struct fw_mark lost = { .kind = FW_MARK_LOST };
	char what[128];
	int ret;

	if (!r->ended && !r->gap) {
		snprintf(what, sizeof(what), "%.90s ends without its end", r->file.name);
		notice(r, what);
	}
	r->state.whole &= r->ended;
	if (r->next_path == r->nr_paths) {
		tell_time(r, r->state.last_ns);
		r->src.ended = true;
		return 0;
	}
	ret = open_next(r, err);
	if (ret)
		return ret;
	tell_clock(r);
	if (r->gap) {
		r->state.whole = false;
		lost.ts_ns = r->header.start_ns;
		tell_mark(r, &lost);
	}
	r->gap = false;
	return 1;
}

/* 1: go on; 0: wait, or it is over; or negative errno. */
static int next_block(struct recording *r, struct fw_err *err)
{
	struct fw_err why = { 0 };
	int ret = fw_block_file_next(&r->file, &why);

	if (ret == -EBADMSG)
		notice(r, why.msg);
	if (ret == -EBADMSG || ret == -ENODATA)
		return leave_file(r, err);
	if (ret < 0)
		*err = why;
	if (ret != 1)
		return ret;
	r->state.blocks++;
	r->state.bytes += FW_BLOCK_HEAD_BYTES + r->file.head.stored_len;
	r->state.content_bytes += r->file.head.content_len;
	r->in_block = r->file.head.type == FW_BLOCK_ITEMS;
	fw_unpacker_begin(r->unpacker, r->file.content, r->file.head.content_len);
	return 1;
}

/* A block that is whole, and yet no finwait has written it. */
static int leave_nonsense(struct recording *r, struct fw_err *err)
{
	char what[160];

	snprintf(what, sizeof(what), "%.90s makes no sense in block %u", r->file.name,
		 r->file.head.sequence);
	notice(r, what);
	return leave_file(r, err);
}

static int recording_poll(struct fw_source *src, int timeout_ms, fw_record_fn fn, void *arg,
			  struct fw_err *err)
{
	struct recording *r = (struct recording *)src;
	struct fw_item batch[BATCH];
	bool moment = false;
	int total = 0, n;

	(void)timeout_ms;
	while (!r->stopped && !src->ended && !moment && total < POLL_ITEMS) {
		n = r->in_block ? read_batch(r, batch, &moment) : 0;
		if (n > 0) {
			tell_batch(r, batch, n, fn, arg);
			total += n;
			continue;
		}
		r->in_block = false;
		n = n < 0 ? leave_nonsense(r, err) : next_block(r, err);
		if (n < 0)
			return n;
		if (!n)
			break;
	}
	return total;
}

/* ---- The rest of a source ----------------------------------------------------------------- */

static uint64_t recording_now_ns(struct fw_source *src)
{
	return ((struct recording *)src)->now_ns;
}

/* They come as marks. */
static void recording_stats(struct fw_source *src, struct fw_source_stats *out)
{
	(void)src;
	*out = (struct fw_source_stats){ 0 };
}

/* Who recorded has looked. */
static void recording_look(struct fw_source *src, uint64_t skaddr, uint64_t cookie)
{
	(void)src;
	(void)skaddr;
	(void)cookie;
}

static bool recording_in_snapshot(struct fw_source *src)
{
	(void)src;
	return false;
}

static void recording_stop(struct fw_source *src)
{
	((struct recording *)src)->stopped = true;
}

static void recording_free(struct fw_source *src)
{
	struct recording *r = (struct recording *)src;

	fw_block_file_fini(&r->file);
	fw_unpacker_free(r->unpacker);
	free(r);
}

static const struct fw_source_ops recording_ops = {
	.poll = recording_poll,
	.now_ns = recording_now_ns,
	.stats = recording_stats,
	.look = recording_look,
	.in_snapshot = recording_in_snapshot,
	.stop = recording_stop,
	.free = recording_free,
};

struct fw_source *fw_recording_open(const char *const *paths, size_t nr_paths, struct fw_err *err)
{
	struct recording *r = calloc(1, sizeof(*r));

	if (!r || fw_block_file_init(&r->file)) {
		fw_err_set(err, -ENOMEM, "no memory");
		goto out_free;
	}
	r->src.ops = &recording_ops;
	r->paths = paths;
	r->nr_paths = nr_paths;
	r->state.whole = true;
	if (open_next(r, err))
		goto out_free;
	r->now_ns = r->header.start_ns;
	r->src.info = (struct fw_source_info){
		.hooks = r->header.hooks,
		.rearms_unseen = r->header.rearms_unseen,
		.accepts_unseen = r->header.accepts_unseen,
		.hz = (unsigned int)r->header.hz,
		.start_ns = r->header.start_ns,
		.wall_offset_ns = r->header.wall_offset_ns,
		.own_netns = (uint32_t)r->header.netns,
		.filtered = r->header.filtered,
		.recorded = true,
	};
	snprintf(r->src.info.host, sizeof(r->src.info.host), "%.64s", r->header.host);
	snprintf(r->src.info.kernel, sizeof(r->src.info.kernel), "%.64s", r->header.kernel);
	return &r->src;

out_free:
	if (r)
		recording_free(&r->src);
	return NULL;
}

void fw_recording_state(const struct fw_source *src, struct fw_recording_state *out)
{
	const struct recording *r = (const struct recording *)src;

	*out = r->state;
	out->header = &r->header;
	out->path = r->file.name;
}
