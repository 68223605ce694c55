// SPDX-License-Identifier: GPL-2.0-only
#include "io/snapshot.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "../bpf/filter_rule.h"
#include "fw_iter.skel.h"
#include "io/complaint.h"
#include "io/host.h"
#include "io/hz.h"

enum stage { STAGE_BEGIN, STAGE_SOCKETS, STAGE_HOLDERS, STAGE_LISTENERS, STAGE_DONE };

struct fw_snapshot {
	struct fw_iter *skel;
	struct fw_netns_list netns;
	size_t next_netns;
	size_t first_found; /* namespaces from here on are known by sockets that were held there; 0: none yet */
	struct fw_host_clock clock;
	struct fw_filter_rule rule; /* which namespaces are visited */
	uint32_t nr_refused, first_refused;
	enum stage stage;
	int fd; /* of the iterator being read; -1: none */
};

/* Maps of the hooks' that the iterators either share or do without. */
static int share_maps(struct fw_snapshot *s, const struct fw_snapshot_options *opt)
{
	struct bpf_map *unused[] = { s->skel->maps.fw_ring, s->skel->maps.fw_stats,
				     s->skel->maps.fw_half_open, s->skel->maps.fw_suppressed };
	struct {
		struct bpf_map *map;
		int fd;
	} shared[] = { { s->skel->maps.fw_compat_sk, opt->compat_sk_fd },
		       { s->skel->maps.fw_compat_tuple, opt->compat_tuple_fd },
		       { s->skel->maps.fw_compat_next, opt->compat_next_fd } };
	int ret = opt->serving_fd < 0 ? 0 :
		  bpf_map__reuse_fd(s->skel->maps.fw_serving, opt->serving_fd);

	for (size_t i = 0; i < sizeof(unused) / sizeof(unused[0]); i++)
		bpf_map__set_autocreate(unused[i], false);
	if (opt->unsettled_fd < 0)
		bpf_map__set_autocreate(s->skel->maps.fw_unsettled, false);
	else if (!ret)
		ret = bpf_map__reuse_fd(s->skel->maps.fw_unsettled, opt->unsettled_fd);
	for (size_t i = 0; i < sizeof(shared) / sizeof(shared[0]) && !ret; i++) {
		if (!opt->cfg.no_cookie_helper)
			bpf_map__set_autocreate(shared[i].map, false);
		else if (shared[i].fd >= 0)
			ret = bpf_map__reuse_fd(shared[i].map, shared[i].fd);
	}
	return ret;
}

static int load_programs(struct fw_snapshot *s, const struct fw_snapshot_options *opt)
{
	int ret;

	s->skel = fw_iter__open();
	if (!s->skel)
		return -errno;
	s->skel->rodata->fw_cfg = opt->cfg;
	bpf_program__set_autoload(s->skel->progs.fw_jiffies, opt->measures_hz);
	bpf_program__set_autoattach(s->skel->progs.fw_jiffies, false);
	ret = share_maps(s, opt);
	if (!ret)
		ret = fw_iter__load(s->skel);
	if (!ret)
		ret = fw_iter__attach(s->skel);
	if (ret) {
		fw_iter__destroy(s->skel);
		s->skel = NULL;
	}
	return ret;
}

static int load(struct fw_snapshot *s, const struct fw_snapshot_options *opt, struct fw_err *err)
{
	char why[300];
	int ret;

	fw_complaint_begin(why, sizeof(why));
	ret = load_programs(s, opt);
	fw_complaint_end();
	if (ret) {
		fw_err_set(err, ret, "cannot load the BPF iterators: %s%s%s", strerror(-ret),
			   *why ? ": " : "", why);
		fw_err_hint(err, "%s", ret == -EMFILE ?
				    "allow it more open files (ulimit -n 1024)" :
				    "finwait needs Linux 5.10 or newer; finwait doctor shows what "
				    "this kernel allows");
	}
	return ret;
}

struct fw_snapshot *fw_snapshot_open(const struct fw_snapshot_options *opt, struct fw_err *err)
{
	struct fw_snapshot_options retry = *opt;
	struct fw_snapshot *s = calloc(1, sizeof(*s));
	struct fw_err refusal;
	int ret;

	if (!s) {
		fw_err_set(err, -ENOMEM, "no memory");
		return NULL;
	}
	s->fd = -1;
	s->stage = STAGE_DONE;
	s->rule = opt->cfg.rule;
	s->clock = opt->clock;
	ret = load(s, opt, &refusal);
	/* Linux before 5.12: see try_front_end() of attach.c. Who has hooks knows it already. */
	if (ret == -EINVAL && !opt->cfg.no_cookie_helper) {
		retry.cfg.no_cookie_helper = true;
		ret = load(s, &retry, &refusal);
	}
	if (!ret)
		return s;
	*err = refusal;
	fw_snapshot_free(s);
	return NULL;
}

void fw_snapshot_free(struct fw_snapshot *s)
{
	if (!s)
		return;
	if (s->fd >= 0)
		close(s->fd);
	fw_netns_list_free(&s->netns);
	fw_iter__destroy(s->skel);
	free(s);
}

bool fw_snapshot_works(const struct fw_snapshot *s)
{
	int sockets = bpf_iter_create(bpf_link__fd(s->skel->links.fw_iter_tcp));
	int holders = bpf_iter_create(bpf_link__fd(s->skel->links.fw_iter_task_file));

	if (sockets >= 0)
		close(sockets);
	if (holders >= 0)
		close(holders);
	return sockets >= 0 && holders >= 0;
}

unsigned int fw_snapshot_hz(const struct fw_snapshot *s)
{
	return fw_hz_measure(bpf_program__fd(s->skel->progs.fw_jiffies));
}

/* Namespaces that threads are in without their processes. Those of the processes are known. */
static int list_threads(struct fw_snapshot *s)
{
	int fd = bpf_iter_create(bpf_link__fd(s->skel->links.fw_iter_task)), ret = 0;
	struct fw_rec_thread threads[512];
	ssize_t n;

	if (fd < 0)
		return -errno;
	while (!ret && (n = read(fd, threads, sizeof(threads))) > 0) {
		for (size_t i = 0; i < (size_t)n / sizeof(threads[0]) && !ret; i++) {
			struct fw_netns ns = { .inum = threads[i].netns, .pid = threads[i].tid };

			if (!fw_netns_find(&s->netns, ns.inum))
				ret = fw_netns_add(&s->netns, &ns);
		}
	}
	close(fd);
	return ret;
}

static void reset(struct fw_snapshot *s, enum stage stage)
{
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
	s->stage = stage;
	s->skel->bss->fw_listeners_only = stage == STAGE_LISTENERS;
}

int fw_snapshot_begin(struct fw_snapshot *s)
{
	int ret;

	reset(s, STAGE_BEGIN);
	fw_netns_list_free(&s->netns);
	s->next_netns = s->first_found = 0;
	s->nr_refused = 0;
	ret = fw_netns_list(&s->netns);
	return ret ? ret : list_threads(s);
}

void fw_snapshot_begin_holders(struct fw_snapshot *s)
{
	reset(s, STAGE_LISTENERS);
}

struct opening {
	const struct fw_netns *netns;
	int link_fd;
	int fd; /* result, or negative errno */
};

static void *open_in_netns(void *arg)
{
	struct opening *o = arg;
	int ns = fw_netns_open(o->netns);

	if (ns < 0) {
		o->fd = ns;
		return NULL;
	}
	o->fd = setns(ns, CLONE_NEWNET) ? -errno : bpf_iter_create(o->link_fd);
	close(ns);
	return NULL;
}

/* iter/tcp of @netns: an open file, or a negative errno. */
static int open_sockets(struct fw_snapshot *s, const struct fw_netns *netns)
{
	struct opening o = { netns, bpf_link__fd(s->skel->links.fw_iter_tcp), -1 };
	pthread_t thread;
	int ret;

	if (netns->inum == fw_netns_own())
		return bpf_iter_create(o.link_fd);
	ret = pthread_create(&thread, NULL, open_in_netns, &o);
	if (ret)
		return -ret;
	pthread_join(thread, NULL);
	return o.fd;
}

static long mark(const struct fw_snapshot *s, void *buf, enum fw_record_kind kind, uint32_t netns)
{
	struct fw_rec_head *head = buf;

	*head = (struct fw_rec_head){
		.ts_ns = fw_host_clock_ns(&s->clock),
		.netns = netns,
		.kind = (uint8_t)kind,
		.family = AF_INET,
	};
	return sizeof(*head);
}

/* What is left of the file that is open; 0 at its end. */
static long read_open(struct fw_snapshot *s, void *buf, size_t len)
{
	ssize_t n;

	do {
		n = read(s->fd, buf, len);
	} while (n < 0 && (errno == EAGAIN || errno == EINTR));
	if (n > 0)
		return n;
	n = n < 0 ? -errno : 0;
	close(s->fd);
	s->fd = -1;
	return n;
}

/* A namespace that has gone meanwhile has nothing to show; nor has one whose process closed the socket. */
static bool is_gone(int error)
{
	return error == -ENOENT || error == -ESRCH || error == -EBADF;
}

/* Opens the next namespace that can be entered. False: there is none left. */
static bool next_netns(struct fw_snapshot *s)
{
	while (s->fd < 0 && s->next_netns < s->netns.nr) {
		const struct fw_netns *netns = &s->netns.ns[s->next_netns++];

		if (!fw_rule_netns(&s->rule, netns->inum))
			continue;
		s->fd = open_sockets(s, netns);
		if (s->fd < 0 && !is_gone(s->fd) && !s->nr_refused++)
			s->first_refused = netns->inum;
	}
	return s->fd >= 0;
}

static int open_holders(struct fw_snapshot *s)
{
	s->fd = bpf_iter_create(bpf_link__fd(s->skel->links.fw_iter_task_file));
	return s->fd < 0 ? -errno : 0;
}

/* Adds the namespace of a socket that was held, if it was not known. */
static void note_netns(struct fw_snapshot *s, const struct fw_rec_holder *holder)
{
	const struct fw_netns ns = {
		.inum = holder->head.netns, .pid = holder->pid, .fd = holder->fd, .via_socket = true,
	};

	if (fw_rule_netns(&s->rule, ns.inum) && !fw_netns_find(&s->netns, ns.inum))
		fw_netns_add(&s->netns, &ns);
}

/* The second time holders are shown, only those of sockets that had not been visited before are new. */
static bool is_new(const struct fw_snapshot *s, const struct fw_rec_head *head)
{
	const struct fw_netns *ns = fw_netns_find(&s->netns, head->netns);

	return !s->first_found ||
	       (head->kind != FW_REC_PROCESS && ns && (size_t)(ns - s->netns.ns) >= s->first_found);
}

/* Takes the namespaces from the records in @buf, and leaves of them what is new. Returns how many bytes. */
static long keep_new(struct fw_snapshot *s, void *buf, long n)
{
	char *from = buf, *to = buf, *end = from + n;

	while (from < end) {
		const struct fw_rec_head *head = (const void *)from;
		size_t len = fw_snapshot_record_len(head);

		if (!s->first_found && head->kind == FW_REC_HOLDER)
			note_netns(s, (const struct fw_rec_holder *)(const void *)from);
		if (is_new(s, head)) {
			memmove(to, from, len);
			to += len;
		}
		from += len;
	}
	return to - (char *)buf;
}

static long read_holders(struct fw_snapshot *s, void *buf, size_t len)
{
	long n, kept;

	while ((n = read_open(s, buf, len)) > 0) {
		kept = keep_new(s, buf, n);
		if (kept)
			return kept;
	}
	if (n < 0)
		return n;
	/* Once more with what the holders have told of. */
	if (!s->first_found && s->next_netns < s->netns.nr) {
		s->first_found = s->next_netns;
		s->stage = STAGE_SOCKETS;
		return fw_snapshot_read(s, buf, len);
	}
	s->stage = STAGE_DONE;
	return mark(s, buf, FW_REC_SNAP_END, 0);
}

static long read_listeners(struct fw_snapshot *s, void *buf, size_t len)
{
	long n;

	if (s->fd < 0) {
		n = open_holders(s);
		return n ? n : mark(s, buf, FW_REC_HOLDERS_BEGIN, 0);
	}
	n = read_open(s, buf, len);
	if (n)
		return n;
	s->stage = STAGE_DONE;
	return mark(s, buf, FW_REC_HOLDERS_END, 0);
}

static long read_sockets(struct fw_snapshot *s, void *buf, size_t len)
{
	long n;

	if (s->fd < 0 && !next_netns(s)) {
		s->stage = STAGE_HOLDERS;
		n = open_holders(s);
		return n ? n : fw_snapshot_read(s, buf, len);
	}
	n = read_open(s, buf, len);
	return n ? n : mark(s, buf, FW_REC_SNAP_NETNS, s->netns.ns[s->next_netns - 1].inum);
}

long fw_snapshot_read(struct fw_snapshot *s, void *buf, size_t len)
{
	switch (s->stage) {
	case STAGE_BEGIN:
		s->stage = STAGE_SOCKETS;
		return mark(s, buf, FW_REC_SNAP_BEGIN, 0);
	case STAGE_SOCKETS:
		return read_sockets(s, buf, len);
	case STAGE_HOLDERS:
		return read_holders(s, buf, len);
	case STAGE_LISTENERS:
		return read_listeners(s, buf, len);
	default:
		return 0;
	}
}

size_t fw_snapshot_record_len(const struct fw_rec_head *head)
{
	switch (head->kind) {
	case FW_REC_SOCK:
		return sizeof(struct fw_rec_sock);
	case FW_REC_HOLDER:
		return sizeof(struct fw_rec_holder);
	case FW_REC_PROCESS:
		return sizeof(struct fw_rec_process);
	default:
		return sizeof(*head);
	}
}

void fw_snapshot_unseen(const struct fw_snapshot *s, struct fw_source_stats *out)
{
	out->netns_refused = s ? s->nr_refused : 0;
	out->refused_netns = s ? s->first_refused : 0;
	/* Some hide from everybody. It is said where a privilege would help. */
	out->netns_hidden = s && !s->rule.nr_netns && !fw_host_sees_all_processes() ?
				    s->netns.nr_hidden : 0;
}
