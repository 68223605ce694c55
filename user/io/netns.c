// SPDX-License-Identifier: GPL-2.0-only
#include "io/netns.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <linux/sockios.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "util/parse.h"

#define NAMED "/run/netns"
#define PATH_LEN 320

#define OWN "/proc/self/ns/net"

/* 0: no such file. */
static uint32_t inum_of(const char *path)
{
	struct stat st;

	return stat(path, &st) ? 0 : (uint32_t)st.st_ino;
}

/* All namespaces are files of one file system; a file that none is mounted on is not. */
static bool is_namespace(const char *path)
{
	struct stat st, own;

	return !stat(path, &st) && !stat(OWN, &own) && st.st_dev == own.st_dev;
}

uint32_t fw_netns_own(void)
{
	return inum_of(OWN);
}

static struct fw_netns *find(const struct fw_netns_list *list, uint32_t inum)
{
	for (size_t i = 0; i < list->nr; i++) {
		if (list->ns[i].inum == inum)
			return &list->ns[i];
	}
	return NULL;
}

struct fw_netns *fw_netns_find(const struct fw_netns_list *list, uint32_t inum)
{
	return find(list, inum);
}

void fw_netns_remove(struct fw_netns_list *list, uint32_t inum)
{
	struct fw_netns *ns = find(list, inum);

	if (ns)
		*ns = list->ns[--list->nr];
}

bool fw_netns_has(const struct fw_netns *ns, uint32_t pid)
{
	char path[PATH_LEN];

	snprintf(path, sizeof(path), "/proc/%u/ns/net", pid);
	return inum_of(path) == ns->inum;
}

/* A process that finwait starts or is ends before long: whoever was there first will not. */
static void know_better(struct fw_netns *known, const struct fw_netns *ns)
{
	if (!known->name[0])
		memcpy(known->name, ns->name, sizeof(known->name));
	if (ns->pid && (!known->pid || ns->pid < known->pid))
		known->pid = ns->pid;
}

int fw_netns_add(struct fw_netns_list *list, const struct fw_netns *ns)
{
	struct fw_netns *known = find(list, ns->inum);

	if (known)
		know_better(known, ns);
	if (!ns->inum || known)
		return 0;
	if (list->nr == list->cap) {
		size_t cap = list->cap ? list->cap * 2 : 16;

		known = realloc(list->ns, cap * sizeof(*known));
		if (!known)
			return -ENOMEM;
		list->ns = known;
		list->cap = cap;
	}
	list->ns[list->nr++] = *ns;
	return 0;
}

static int add(struct fw_netns_list *list, uint32_t inum, uint32_t pid, const char *name)
{
	struct fw_netns ns = { .inum = inum, .pid = pid };

	snprintf(ns.name, sizeof(ns.name), "%s", name);
	return fw_netns_add(list, &ns);
}

/* 0: not a process. */
static uint32_t pid_of(const char *name)
{
	uint64_t pid = 0;

	fw_parse_u64(name, 1, INT32_MAX, &pid, NULL);
	return (uint32_t)pid;
}

/* Calls add() for each entry of @dir; processes are those whose name is a number. */
static int add_all(struct fw_netns_list *list, const char *dir, bool processes)
{
	DIR *d = opendir(dir);
	char path[PATH_LEN];
	struct dirent *e;
	uint32_t inum;
	int ret = 0;

	while (d && !ret && (e = readdir(d))) {
		if (e->d_name[0] == '.' || (processes && !pid_of(e->d_name)))
			continue;
		snprintf(path, sizeof(path), "%s/%s%s", dir, e->d_name, processes ? "/ns/net" : "");
		inum = inum_of(path);
		list->nr_hidden += !inum && errno == EACCES;
		if (!processes && !is_namespace(path)) {
			list->nr_unmounted++;
			continue;
		}
		ret = add(list, inum, processes ? pid_of(e->d_name) : 0,
			  processes ? "" : e->d_name);
	}
	if (d)
		closedir(d);
	return ret;
}

int fw_netns_list(struct fw_netns_list *list)
{
	int ret;

	*list = (struct fw_netns_list){ 0 };
	/* Its own first: the one that matters most. */
	ret = add(list, fw_netns_own(), (uint32_t)getpid(), "");
	if (!ret)
		ret = add_all(list, NAMED, false);
	if (!ret)
		ret = add_all(list, "/proc", true);
	if (ret)
		fw_netns_list_free(list);
	return ret;
}

int fw_netns_list_named(struct fw_netns_list *list)
{
	int ret;

	*list = (struct fw_netns_list){ 0 };
	ret = add_all(list, NAMED, false);
	if (ret)
		fw_netns_list_free(list);
	return ret;
}

void fw_netns_list_free(struct fw_netns_list *list)
{
	free(list->ns);
	*list = (struct fw_netns_list){ 0 };
}

/* The namespace of a socket that a process holds. */
static int open_via_socket(const struct fw_netns *ns)
{
	int process, sock = -1, fd = -1, saved;

	process = (int)syscall(SYS_pidfd_open, ns->pid, 0);
	if (process >= 0)
		sock = (int)syscall(SYS_pidfd_getfd, process, ns->fd, 0);
	if (sock >= 0)
		fd = ioctl(sock, SIOCGSKNS);
	saved = errno;
	if (sock >= 0)
		close(sock);
	if (process >= 0)
		close(process);
	return fd < 0 ? -saved : fd;
}

int fw_netns_open(const struct fw_netns *ns)
{
	char path[PATH_LEN];
	int fd;

	if (ns->via_socket)
		return open_via_socket(ns);
	if (ns->name[0])
		snprintf(path, sizeof(path), NAMED "/%s", ns->name);
	else
		snprintf(path, sizeof(path), "/proc/%u/ns/net", ns->pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* Its number, if that is a network namespace and not any other file. */
static int inum_of_netns(const char *path, uint32_t *inum)
{
	struct stat st;
	int fd, ret = 0;

	if (stat(path, &st))
		return -errno;
	fd = is_namespace(path) ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	if (fd < 0)
		return -EINVAL;
	if (fstat(fd, &st) || ioctl(fd, NS_GET_NSTYPE) != CLONE_NEWNET)
		ret = -EINVAL;
	else
		*inum = (uint32_t)st.st_ino;
	close(fd);
	return ret;
}

int fw_netns_parse(const char *arg, uint32_t *inum, struct fw_err *err)
{
	char path[PATH_LEN];
	uint64_t n = 0;
	int ret;

	if (!fw_parse_u64(arg, FW_NETNS_FIRST_INUM, UINT32_MAX, &n, NULL)) {
		/* Only a snapshot finds one that threads or sockets alone are in. */
		*inum = (uint32_t)n;
		return 0;
	}
	if (!fw_parse_u64(arg, 1, INT32_MAX, &n, NULL))
		snprintf(path, sizeof(path), "/proc/%llu/ns/net", (unsigned long long)n);
	else if (strchr(arg, '/'))
		snprintf(path, sizeof(path), "%s", arg);
	else
		snprintf(path, sizeof(path), NAMED "/%s", *arg ? arg : "?");
	ret = inum_of_netns(path, inum);
	if (ret == -EINVAL)
		return fw_err_set(err, ret, "%s is no network namespace", path);
	return ret ? fw_err_set(err, ret, "there is no network namespace '%s' (%s: %s)", arg, path,
				strerror(-ret)) :
		     0;
}
