/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Snapshots: every TCP socket of every network namespace, and who holds it, as records in the order
 * in which the kernel told them. Needs no hooks.
 *
 * iter/tcp shows the namespace of the thread that opens it, so each is opened by a thread that has
 * entered that namespace; the process itself never leaves its own. Namespaces that no process is in are
 * found by their threads (iter/task), and by the sockets that processes hold (iter/task_file).
 */
#ifndef FW_IO_SNAPSHOT_H
#define FW_IO_SNAPSHOT_H

#include <stdbool.h>

#include "../bpf/event.h"
#include "io/host_clock.h"
#include "io/netns.h"
#include "io/source.h"

struct fw_snapshot_options {
	struct fw_bpf_config cfg; /* .rule and .no_cookie_helper */
	struct fw_host_clock clock;
	/* Before Linux 5.12: the hooks' maps of identities, to be shared. -1: there are no hooks. */
	int compat_sk_fd, compat_tuple_fd, compat_next_fd;
	int serving_fd; /* the hooks' map of processes whose end is reported; -1: there are no hooks */
	bool measures_hz; /* fw_snapshot_hz() will be called */
	int unsettled_fd; /* timer front end: the hooks' map of minisocks in FIN_WAIT_2; else -1 */
};

struct fw_snapshot;

/* Loads the programs. NULL with @err filled. */
struct fw_snapshot *fw_snapshot_open(const struct fw_snapshot_options *opt, struct fw_err *err);
void fw_snapshot_free(struct fw_snapshot *s);

/* Whether the iterators can be opened with the privileges that there are now, in the own namespace. */
bool fw_snapshot_works(const struct fw_snapshot *s);

/* HZ, measured; 0: unknown. */
unsigned int fw_snapshot_hz(const struct fw_snapshot *s);

/* Starts one from the beginning. 0 or negative errno. */
int fw_snapshot_begin(struct fw_snapshot *s);

/* The same for a look at the holders of listeners only, between FW_REC_HOLDERS_BEGIN and _END. */
void fw_snapshot_begin_holders(struct fw_snapshot *s);

/*
 * The next records, aligned to 8 bytes, each FW_SNAPSHOT_RECORD_MAX at most: fills @buf and returns
 * how many bytes; 0: the snapshot is complete. Use fw_snapshot_record_len() to walk them. @len: at
 * least 64 KiB.
 */
long fw_snapshot_read(struct fw_snapshot *s, void *buf, size_t len);

/* Length of the record at @head. */
size_t fw_snapshot_record_len(const struct fw_rec_head *head);

/* Fills @out's .netns_refused, .refused_netns and .netns_hidden, of the last one. @s: may be NULL. */
void fw_snapshot_unseen(const struct fw_snapshot *s, struct fw_source_stats *out);

#endif
