// SPDX-License-Identifier: GPL-2.0-only
#include "io/hz.h"

#include <bpf/bpf.h>
#include <stdint.h>
#include <time.h>

#define NS_PER_S 1000000000LL

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * NS_PER_S + (uint64_t)ts.tv_nsec;
}

static uint32_t jiffies_now(int prog_fd)
{
	LIBBPF_OPTS(bpf_test_run_opts, run);

	bpf_prog_test_run_opts(prog_fd, &run);
	return run.retval;
}

/*
 * A count of jiffies is exact to one on either side, so two looks bound HZ from both sides, however
 * late this process was scheduled; the longer between them, the closer. Done when one value fits.
 */
unsigned int fw_hz_measure(int prog_fd)
{
	static const unsigned int choices[] = { 100, 250, 300, 1000 };
	const struct timespec pause = { .tv_nsec = 20000000 };
	uint64_t begin_lo = now_ns(), begin_hi, end_lo, end_hi = 0;
	uint32_t first = jiffies_now(prog_fd);

	begin_hi = now_ns();
	while (end_hi < begin_hi + NS_PER_S) {
		unsigned int fit = 0, nr_fits = 0;
		double jiffies;

		nanosleep(&pause, NULL);
		end_lo = now_ns();
		jiffies = (double)(jiffies_now(prog_fd) - first) * (double)NS_PER_S;
		end_hi = now_ns();
		for (unsigned int i = 0; i < sizeof(choices) / sizeof(choices[0]); i++) {
			if (choices[i] * (double)(end_hi - begin_lo) > jiffies - (double)NS_PER_S &&
			    choices[i] * (double)(end_lo - begin_hi) < jiffies + (double)NS_PER_S) {
				fit = choices[i];
				nr_fits++;
			}
		}
		if (nr_fits == 1)
			return fit;
	}
	return 0;
}
