// SPDX-License-Identifier: GPL-2.0-only
/*
 * A cgroup id is its kernfs node id, and that is a file handle: open_by_handle_at() finds the
 * directory without a walk. The type of such handles is FILEID_KERNFS (include/linux/exportfs.h). That
 * takes CAP_DAC_READ_SEARCH; without it the directories are looked through for the one whose inode number
 * it is, which is the same number.
 */
#include "io/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <limits.h>
#include <mntent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define FILEID_KERNFS 0xfe

/* Looking through some hundred directories takes milliseconds: not for every process that comes and
 * goes. A control group that is first seen in between stays without a name.
 */
#define WALK_EVERY_S 1

struct fw_cgroups {
	int mount_fd;
	time_t walked_s; /* CLOCK_MONOTONIC; 0: never */
	char mount[PATH_MAX], path[PATH_MAX];
};

static void find_mount(struct fw_cgroups *cg)
{
	FILE *f = setmntent("/proc/self/mounts", "re");
	struct mntent *m;

	while (f && (m = getmntent(f))) {
		if (strcmp(m->mnt_type, "cgroup2"))
			continue;
		snprintf(cg->mount, sizeof(cg->mount), "%s", m->mnt_dir);
		cg->mount_fd = open(m->mnt_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		break;
	}
	if (f)
		endmntent(f);
}

struct fw_cgroups *fw_cgroups_new(void)
{
	struct fw_cgroups *cg = calloc(1, sizeof(*cg));

	if (!cg)
		return NULL;
	cg->mount_fd = -1;
	find_mount(cg);
	return cg;
}

void fw_cgroups_free(struct fw_cgroups *cg)
{
	if (!cg)
		return;
	if (cg->mount_fd >= 0)
		close(cg->mount_fd);
	free(cg);
}

/* Below the mount point; the mount point itself is "/". */
static const char *below_mount(const struct fw_cgroups *cg)
{
	size_t prefix = strlen(cg->mount);

	return cg->path[prefix] ? cg->path + prefix : "/";
}

static const char *walk(struct fw_cgroups *cg, uint64_t id)
{
	char *const roots[] = { cg->mount, NULL };
	const char *found = NULL;
	struct timespec now;
	FTSENT *entry;
	FTS *tree;

	clock_gettime(CLOCK_MONOTONIC, &now);
	if (cg->walked_s && now.tv_sec - cg->walked_s < WALK_EVERY_S)
		return NULL;
	cg->walked_s = now.tv_sec;
	tree = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR | FTS_XDEV, NULL);
	while (tree && !found && (entry = fts_read(tree))) {
		if (entry->fts_info != FTS_D || entry->fts_statp->st_ino != id)
			continue;
		snprintf(cg->path, sizeof(cg->path), "%s", entry->fts_path);
		found = below_mount(cg);
	}
	if (tree)
		fts_close(tree);
	return found;
}

const char *fw_cgroups_path(struct fw_cgroups *cg, uint64_t id)
{
	union {
		struct file_handle handle;
		char bytes[sizeof(struct file_handle) + sizeof(uint64_t)];
	} h = { .handle = { .handle_bytes = sizeof(id), .handle_type = FILEID_KERNFS } };
	char link[64];
	ssize_t n;
	int fd;

	if (!cg || !id || cg->mount_fd < 0)
		return NULL;
	memcpy(h.bytes + sizeof(struct file_handle), &id, sizeof(id));
	fd = open_by_handle_at(cg->mount_fd, &h.handle, O_PATH | O_CLOEXEC);
	if (fd < 0)
		return errno == EPERM ? walk(cg, id) : NULL;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, cg->path, sizeof(cg->path) - 1);
	close(fd);
	if (n < (ssize_t)strlen(cg->mount))
		return NULL;
	cg->path[n] = '\0';
	return below_mount(cg);
}
