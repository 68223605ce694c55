/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a control group stands for, by its path alone: the systemd unit, and the container, as those
 * name them who make control groups (systemd, Docker, Podman, containerd, CRI-O, Kubernetes, LXC,
 * systemd-nspawn, libvirt).
 *
 *	/system.slice/nginx.service			unit nginx.service
 *	/system.slice/docker-<64 hex>.scope		unit docker-<64 hex>.scope, container <64 hex>
 *	/docker/<64 hex>				container <64 hex>
 *	/kubepods/burstable/pod<uid>/<64 hex>		container <64 hex>, pod <uid>
 *	/lxc.payload.web/system.slice/cron.service	unit cron.service, container web
 *	/user.slice/user-0.slice/session-3.scope	unit session-3.scope
 */
#ifndef FW_CORE_WORKLOAD_H
#define FW_CORE_WORKLOAD_H

#include "util/buf.h"

#define FW_UNIT_LEN 256	    /* systemd's limit, with the end */
#define FW_CONTAINER_LEN 128
#define FW_POD_LEN 40
#define FW_SHORT_ID 12 /* as docker ps and podman ps show it */

/* "" where there is none. */
struct fw_workload {
	char unit[FW_UNIT_LEN];
	char container[FW_CONTAINER_LEN]; /* its id in full, or its name */
	char pod[FW_POD_LEN];		  /* the uid of a Kubernetes pod */
};

/* @path: as below the mount point of cgroup2; NULL: nothing is known. */
void fw_workload_of(const char *path, struct fw_workload *w);

/* What a person would call it: the container (ids cut to 12 digits), else the unit, else the path;
 * nothing for the root and for no path at all. Not escaped.
 */
void fw_workload_words(struct fw_buf *b, const char *path);

#endif
