// SPDX-License-Identifier: GPL-2.0-only
#include "io/stop.h"

#include <stddef.h>
#include <sys/time.h>
#include <time.h>

#define PATIENCE_MS 500
#define NUDGE_US (PATIENCE_MS * 1000 / FW_STOP_NUDGES)

volatile sig_atomic_t fw_stopping;

static volatile sig_atomic_t asked_ms; /* when the first signal came; wraps */

static sig_atomic_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (sig_atomic_t)((uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000);
}

/* Also for a call that begins to block just after the signal. */
static void nudge(void)
{
	const struct itimerval often = { { 0, NUDGE_US }, { 0, NUDGE_US } };

	setitimer(ITIMER_REAL, &often, NULL);
}

/* A second signal so soon is the same request: timeout(1) sends its own to us and to our group. */
static void on_stop(int sig)
{
	sig_atomic_t now = now_ms();

	if (!fw_stopping) {
		asked_ms = now;
		fw_stopping = 1;
		nudge();
	} else if ((unsigned int)now - (unsigned int)asked_ms > PATIENCE_MS) {
		signal(sig, SIG_DFL);
		raise(sig);
	}
}

static void on_nudge(int sig)
{
	(void)sig;
}

void fw_stop_catch(void)
{
	struct sigaction stop = { .sa_handler = on_stop }, alarm = { .sa_handler = on_nudge };

	sigaction(SIGINT, &stop, NULL);
	sigaction(SIGTERM, &stop, NULL);
	sigaction(SIGALRM, &alarm, NULL);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
}

void fw_stop_release(void)
{
	const struct itimerval never = { { 0, 0 }, { 0, 0 } };

	setitimer(ITIMER_REAL, &never, NULL);
	signal(SIGALRM, SIG_DFL);
	signal(SIGPIPE, SIG_DFL);
	signal(SIGXFSZ, SIG_DFL);
}

bool fw_stop_is_overdue(void)
{
	return fw_stopping && (unsigned int)now_ms() - (unsigned int)asked_ms > PATIENCE_MS;
}
