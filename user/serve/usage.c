// SPDX-License-Identifier: GPL-2.0-only
#include "serve/usage.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

static double seconds(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void read_memory(struct fw_usage *u)
{
	FILE *f = fopen("/proc/self/statm", "re");
	long long all, resident, page = sysconf(_SC_PAGESIZE);

	if (!f)
		return;
	if (fscanf(f, "%lld %lld", &all, &resident) == 2) {
		u->virtual_bytes = all * page;
		u->resident_bytes = resident * page;
	}
	fclose(f);
}

static void read_fds(struct fw_usage *u)
{
	DIR *dir = opendir("/proc/self/fd");
	struct rlimit limit;
	int64_t n = 0;

	if (!getrlimit(RLIMIT_NOFILE, &limit) && limit.rlim_cur != RLIM_INFINITY)
		u->max_fds = (int64_t)limit.rlim_cur;
	if (!dir)
		return;
	for (const struct dirent *entry = readdir(dir); entry; entry = readdir(dir))
		n += entry->d_name[0] != '.';
	closedir(dir);
	u->open_fds = n - 1; /* without that of the directory */
}

/* "4711 (finwait) S 1 ...": the 22nd field is when it began, in ticks since boot. */
static void read_start(struct fw_usage *u)
{
	FILE *f = fopen("/proc/self/stat", "re");
	unsigned long long ticks;
	char line[1024], *after;

	if (!f)
		return;
	after = fgets(line, sizeof(line), f) ? strrchr(line, ')') : NULL;
	fclose(f);
	for (int field = 2; after && field < 22; field++)
		after = strchr(after + 1, ' ');
	if (after && sscanf(after, "%llu", &ticks) == 1)
		u->start_s = seconds(CLOCK_REALTIME) - seconds(CLOCK_BOOTTIME) +
			     (double)ticks / (double)sysconf(_SC_CLK_TCK);
}

void fw_usage_read(struct fw_usage *u)
{
	*u = (struct fw_usage){
		.cpu_s = seconds(CLOCK_PROCESS_CPUTIME_ID),
		.start_s = -1,
		.resident_bytes = -1,
		.virtual_bytes = -1,
		.open_fds = -1,
		.max_fds = -1,
	};
	read_memory(u);
	read_fds(u);
	read_start(u);
}
