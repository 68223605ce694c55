/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where the event loop leaves what it has rendered, and HTTP threads pick it up. A thread that wants a
 * document says so and waits; the loop renders it when it comes by, and everybody who wants it then and
 * until it is stale gets the same bytes. So two hundred readers cost the loop what one does, and a slow
 * one costs it nothing: it holds a reference to a buffer that nobody writes any more.
 */
#ifndef FW_SERVE_DOCUMENTS_H
#define FW_SERVE_DOCUMENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/buf.h"

/* How old one may be that is handed out again, at least. */
#define FW_DOCUMENT_FRESH_NS 1000000000ULL
/* One that takes long to render is handed out for so many times as long. */
#define FW_DOCUMENT_COST_FACTOR 20

struct fw_document {
	unsigned int refs; /* atomic */
	size_t len;
	char *data;
};

struct fw_documents;

/* @nr documents, numbered from 0. NULL: no memory. */
struct fw_documents *fw_documents_new(unsigned int nr);
/* When no thread waits any more. Documents that are still held live on. */
void fw_documents_free(struct fw_documents *d);

/* For threads: a reference, to be given back; NULL with errno ETIMEDOUT if the loop has not come by
 * within @timeout_ms, or is known not to come by at all.
 */
struct fw_document *fw_documents_get(struct fw_documents *d, unsigned int which, int timeout_ms);
void fw_document_put(struct fw_document *doc);
/* How long ago the loop last came by. */
uint64_t fw_documents_idle_ns(const struct fw_documents *d);

/* For the loop: it has come by. */
void fw_documents_beat(struct fw_documents *d);
/* Somebody waits for it. */
bool fw_documents_wanted(struct fw_documents *d, unsigned int which);
/* Here it is: takes over what is in @b, which is empty then. @cost_ns: what rendering took. Nothing is
 * published if the buffer has failed.
 */
void fw_documents_publish(struct fw_documents *d, unsigned int which, struct fw_buf *b,
			  uint64_t cost_ns);

#endif
