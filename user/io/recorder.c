// SPDX-License-Identifier: GPL-2.0-only
#include "io/recorder.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/new_file.h"
#include "io/write.h"
#include "record/block.h"
#include "record/pack.h"

#define NS_PER_S 1000000000ULL
/* A block ends when it is full, or so old: more than that no crash costs. */
#define BLOCK_BYTES (1U << 20)
#define BLOCK_NS (2 * NS_PER_S)
/* And so old if nothing has happened. */
#define IDLE_BLOCK_NS (10 * NS_PER_S)

_Static_assert(BLOCK_BYTES + 2 * FW_ITEM_BYTES_MAX <= FW_BLOCK_CONTENT_MAX, "what is begun fits in");

struct fw_recorder {
	struct fw_recorder_options opt;
	struct fw_header header;
	char path[PATH_MAX]; /* of the file that is being written */
	int fd;
	struct fw_new_file file; /* if it is not stdout */
	struct fw_err refusal;	 /* why it could not be opened; .code 0: it could */
	bool regular; /* what was written can be taken back */
	int error;    /* the first one (negative errno) */
	struct fw_packer *packer;
	struct fw_block_writer *writer;
	struct fw_buf items, block;
	uint32_t sequence;
	uint64_t time_ns;  /* of a mark that is only told if something follows; 0: none */
	uint64_t begin_ns; /* of the file; 0: not known yet */
	uint64_t block_ns; /* of the block */
	uint64_t part_bytes;
	bool busy; /* the block has more than the time */
	struct fw_recorder_stats stats;
};

/* ---- Files ------------------------------------------------------------------------------- */

static bool rotates(const struct fw_recorder *r)
{
	return r->opt.max_bytes || r->opt.max_age_ns;
}

/* "dir/name.fwr" is "dir/name-000001.fwr", if there will be several: in the order of their names. */
static int name_part(const struct fw_recorder *r, uint64_t part, char out[PATH_MAX])
{
	const char *path = r->opt.path, *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	const char *dot = strrchr(name, '.');
	int stem = dot && dot != name ? (int)(dot - path) : (int)strlen(path), n;

	if (!rotates(r))
		n = snprintf(out, PATH_MAX, "%s", path);
	else
		n = snprintf(out, PATH_MAX, "%.*s-%06llu%s", stem, path, (unsigned long long)part,
			     path + stem);
	return n < PATH_MAX ? 0 : -ENAMETOOLONG;
}

static int fail(struct fw_recorder *r, int error)
{
	if (!r->error)
		r->error = error;
	return r->error;
}

/* Half a block is of no use to anybody, and would be taken for damage. */
static void take_back(struct fw_recorder *r)
{
	if (r->regular && !ftruncate(r->fd, (off_t)r->part_bytes))
		return;
	/* A reader will say that it is cut off there. */
}

static int write_block(struct fw_recorder *r, enum fw_block_type type, const struct fw_buf *content)
{
	size_t done;
	int ret;

	if (r->error)
		return r->error;
	fw_buf_clear(&r->block);
	ret = content->failed ? -ENOMEM :
	      fw_block_write(r->writer, type, r->sequence++, content, &r->block);
	if (ret)
		return fail(r, ret);
	ret = fw_write_all(r->fd, r->block.data, r->block.len, &done);
	if (ret) {
		take_back(r);
		return fail(r, ret);
	}
	r->part_bytes += r->block.len;
	r->stats.bytes += r->block.len;
	return 0;
}

static int write_header(struct fw_recorder *r)
{
	struct fw_buf text = { 0 };
	int ret;

	fw_header_print(&r->header, &text);
	ret = write_block(r, FW_BLOCK_HEADER, &text);
	fw_buf_free(&text);
	return ret;
}

static int open_fd(struct fw_recorder *r)
{
	int ret;

	r->fd = STDOUT_FILENO;
	if (!strcmp(r->opt.path, "-"))
		return 0;
	ret = fw_new_file_open(&r->file, r->path, &r->refusal);
	r->fd = r->file.fd;
	return ret;
}

/* What stood under its name is replaced once there is a header. */
static int open_part(struct fw_recorder *r)
{
	struct stat st;
	int ret = name_part(r, r->header.part, r->path);

	if (!ret)
		ret = open_fd(r);
	if (ret)
		return fail(r, ret);
	r->regular = r->fd != STDOUT_FILENO && !fstat(r->fd, &st) && S_ISREG(st.st_mode);
	r->sequence = 0;
	r->part_bytes = 0;
	r->begin_ns = r->block_ns = 0;
	r->stats.parts++;
	if (write_header(r))
		return r->error;
	ret = fw_new_file_commit(&r->file);
	return ret ? fail(r, ret) : 0;
}

static int close_part(struct fw_recorder *r)
{
	int ret = fw_new_file_close(&r->file);

	r->fd = -1;
	return ret ? fail(r, ret) : 0;
}

/* ---- Items ------------------------------------------------------------------------------- */

static void put_mark(struct fw_recorder *r, const struct fw_mark *mark)
{
	fw_packer_mark(r->packer, mark, &r->items);
	r->stats.items++;
}

/* Time that passes is told before what happens next: of several moments only the last matters. */
static void put_time(struct fw_recorder *r)
{
	const struct fw_mark mark = { .kind = FW_MARK_TIME, .ts_ns = r->time_ns };

	if (!r->time_ns)
		return;
	put_mark(r, &mark);
	r->time_ns = 0;
}

static int end_block(struct fw_recorder *r)
{
	int ret;

	put_time(r);
	ret = r->items.len ? write_block(r, FW_BLOCK_ITEMS, &r->items) : r->error;
	fw_buf_clear(&r->items);
	fw_packer_reset(r->packer);
	r->busy = false;
	return ret;
}

static void begin_item(struct fw_recorder *r)
{
	put_time(r);
	if (r->items.len >= BLOCK_BYTES)
		end_block(r);
	r->busy = true;
}

void fw_recorder_record(struct fw_recorder *r, const void *record)
{
	begin_item(r);
	fw_packer_record(r->packer, record, &r->items);
	r->stats.items++;
}

void fw_recorder_mark(struct fw_recorder *r, const struct fw_mark *mark)
{
	if (mark->kind == FW_MARK_TIME) {
		r->time_ns = mark->ts_ns;
		return;
	}
	/* The next file begins with this offset. */
	if (mark->kind == FW_MARK_CLOCK)
		r->header.wall_offset_ns = (int64_t)mark->number;
	begin_item(r);
	put_mark(r, mark);
}

/* ---- From the beginning to the end ------------------------------------------------------- */

static int tell(struct fw_recorder *r, struct fw_err *err)
{
	const char *name = !strcmp(r->opt.path, "-") ? "standard output" : r->path;

	if (!r->error)
		return 0;
	if (r->refusal.code && err) {
		*err = r->refusal;
		return r->error;
	}
	fw_err_set(err, r->error, "cannot write the recording to %s: %s", name, strerror(-r->error));
	if (r->stats.bytes && r->error != -EPIPE)
		fw_err_hint(err, "what had been written until then (%llu bytes) can be read",
			    (unsigned long long)r->stats.bytes);
	return r->error;
}

static void release(struct fw_recorder *r)
{
	fw_packer_free(r->packer);
	fw_block_writer_free(r->writer);
	fw_buf_free(&r->items);
	fw_buf_free(&r->block);
	free(r);
}

struct fw_recorder *fw_recorder_open(const struct fw_recorder_options *opt,
				     const struct fw_header *header, struct fw_err *err)
{
	struct fw_recorder *r = calloc(1, sizeof(*r));

	if (!r) {
		fw_err_set(err, -ENOMEM, "no memory");
		return NULL;
	}
	r->opt = *opt;
	r->header = *header;
	r->fd = r->file.fd = r->file.dir = -1;
	r->packer = fw_packer_new((unsigned int)header->hz);
	r->writer = fw_block_writer_new(opt->level);
	if (!r->packer || !r->writer)
		fail(r, -ENOMEM);
	else
		open_part(r);
	if (!r->error)
		return r;
	tell(r, err);
	close_part(r);
	release(r);
	return NULL;
}

static bool is_over(const struct fw_recorder *r, uint64_t now_ns)
{
	return (r->opt.max_bytes && r->part_bytes + r->items.len / 4 >= r->opt.max_bytes) ||
	       (r->opt.max_age_ns && now_ns - r->begin_ns >= r->opt.max_age_ns);
}

/* Of too many files the first goes. */
static void drop_oldest(const struct fw_recorder *r)
{
	char path[PATH_MAX];

	if (r->opt.keep && r->header.part > r->opt.keep &&
	    !name_part(r, r->header.part - r->opt.keep, path))
		unlink(path);
}

static int next_part(struct fw_recorder *r, uint64_t now_ns)
{
	const struct fw_mark end = { .kind = FW_MARK_END, .ts_ns = now_ns, .number = 1 };

	fw_recorder_mark(r, &end);
	if (end_block(r) || close_part(r))
		return r->error;
	r->header.part++;
	r->header.start_ns = now_ns;
	if (open_part(r))
		return r->error;
	drop_oldest(r);
	r->begin_ns = r->block_ns = now_ns;
	return 1;
}

int fw_recorder_step(struct fw_recorder *r, uint64_t now_ns, struct fw_err *err)
{
	uint64_t age;
	int ret = 0;

	if (!r->begin_ns)
		r->begin_ns = r->block_ns = now_ns;
	age = now_ns - r->block_ns;
	if (age >= (r->busy ? BLOCK_NS : IDLE_BLOCK_NS)) {
		end_block(r);
		r->block_ns = now_ns;
	}
	if (!r->error && rotates(r) && is_over(r, now_ns))
		ret = next_part(r, now_ns);
	return r->error ? tell(r, err) : ret;
}

void fw_recorder_stats(const struct fw_recorder *r, struct fw_recorder_stats *out)
{
	*out = r->stats;
}

int fw_recorder_close(struct fw_recorder *r, struct fw_recorder_stats *stats, struct fw_err *err)
{
	int ret;

	if (!r)
		return 0;
	end_block(r);
	close_part(r);
	ret = tell(r, err);
	if (stats)
		*stats = r->stats;
	release(r);
	return ret;
}
