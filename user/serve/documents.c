// SPDX-License-Identifier: GPL-2.0-only
#include "serve/documents.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#define NS_PER_S  1000000000ULL
#define NS_PER_MS 1000000ULL
/* The loop comes by every 50 ms, unless it renders a large page or the host is very busy. */
#define STUCK_NS (3 * NS_PER_S)

struct slot {
	struct fw_document *doc; /* NULL: none yet */
	uint64_t fresh_until_ns;
	uint64_t published; /* how many so far */
	bool wanted;
};

struct fw_documents {
	pthread_mutex_t lock;
	pthread_cond_t came;
	uint64_t beat_ns; /* atomic */
	unsigned int nr;
	struct slot slots[];
};

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * NS_PER_S + (uint64_t)ts.tv_nsec;
}

static struct timespec timespec_of(uint64_t ns)
{
	return (struct timespec){ (time_t)(ns / NS_PER_S), (long)(ns % NS_PER_S) };
}

struct fw_documents *fw_documents_new(unsigned int nr)
{
	struct fw_documents *d = calloc(1, sizeof(*d) + nr * sizeof(d->slots[0]));
	pthread_condattr_t attr;

	if (!d)
		return NULL;
	d->nr = nr;
	pthread_mutex_init(&d->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&d->came, &attr);
	pthread_condattr_destroy(&attr);
	fw_documents_beat(d);
	return d;
}

void fw_documents_free(struct fw_documents *d)
{
	if (!d)
		return;
	for (unsigned int i = 0; i < d->nr; i++)
		fw_document_put(d->slots[i].doc);
	pthread_cond_destroy(&d->came);
	pthread_mutex_destroy(&d->lock);
	free(d);
}

void fw_document_put(struct fw_document *doc)
{
	if (!doc || __atomic_sub_fetch(&doc->refs, 1, __ATOMIC_ACQ_REL))
		return;
	free(doc->data);
	free(doc);
}

uint64_t fw_documents_idle_ns(const struct fw_documents *d)
{
	uint64_t beat = __atomic_load_n(&d->beat_ns, __ATOMIC_RELAXED), now = now_ns();

	return now > beat ? now - beat : 0;
}

void fw_documents_beat(struct fw_documents *d)
{
	__atomic_store_n(&d->beat_ns, now_ns(), __ATOMIC_RELAXED);
}

/* With the lock held: waits for the next one. */
static bool wait_for_next(struct fw_documents *d, struct slot *slot, int timeout_ms)
{
	struct timespec until = timespec_of(now_ns() + (uint64_t)timeout_ms * NS_PER_MS);
	uint64_t before = slot->published;
	int ret = 0;

	/* Nobody else gets an answer while we wait: not for what will not come. */
	if (fw_documents_idle_ns(d) > STUCK_NS)
		return false;
	slot->wanted = true;
	while (slot->published == before && ret != ETIMEDOUT)
		ret = pthread_cond_timedwait(&d->came, &d->lock, &until);
	return slot->published != before;
}

struct fw_document *fw_documents_get(struct fw_documents *d, unsigned int which, int timeout_ms)
{
	struct slot *slot = &d->slots[which];
	struct fw_document *doc = NULL;

	pthread_mutex_lock(&d->lock);
	if ((slot->doc && now_ns() < slot->fresh_until_ns) || wait_for_next(d, slot, timeout_ms)) {
		doc = slot->doc;
		__atomic_add_fetch(&doc->refs, 1, __ATOMIC_RELAXED);
	}
	pthread_mutex_unlock(&d->lock);
	if (!doc)
		errno = ETIMEDOUT;
	return doc;
}

bool fw_documents_wanted(struct fw_documents *d, unsigned int which)
{
	bool wanted;

	pthread_mutex_lock(&d->lock);
	wanted = d->slots[which].wanted;
	pthread_mutex_unlock(&d->lock);
	return wanted;
}

void fw_documents_publish(struct fw_documents *d, unsigned int which, struct fw_buf *b,
			  uint64_t cost_ns)
{
	struct fw_document *doc = b->failed ? NULL : malloc(sizeof(*doc)), *old;
	uint64_t fresh_ns = cost_ns * FW_DOCUMENT_COST_FACTOR;
	struct slot *slot = &d->slots[which];

	if (!doc) {
		fw_buf_free(b);
		return;
	}
	*doc = (struct fw_document){ .refs = 1, .len = b->len, .data = b->data };
	*b = (struct fw_buf){ 0 };
	pthread_mutex_lock(&d->lock);
	old = slot->doc;
	slot->doc = doc;
	slot->published++;
	slot->wanted = false;
	slot->fresh_until_ns =
		now_ns() + (fresh_ns > FW_DOCUMENT_FRESH_NS ? fresh_ns : FW_DOCUMENT_FRESH_NS);
	pthread_cond_broadcast(&d->came);
	pthread_mutex_unlock(&d->lock);
	fw_document_put(old);
}
