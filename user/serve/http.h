/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The HTTP side of finwait serve, by libmicrohttpd: one thread per listening socket, which only reads
 * requests and hands out documents (serve/documents.h). It never touches what the event loop works on.
 *
 * A client can hold a connection and a buffer, and nothing else, and neither for long: connections, their headers,
 * their idle time and the time of a whole request are limited (serve/clients.h).
 */
#ifndef FW_SERVE_HTTP_H
#define FW_SERVE_HTTP_H

#include "serve/clients.h"
#include "serve/documents.h"
#include "serve/listen.h"

#define FW_HTTP_CONNECTIONS  (FW_CLIENTS_MAX + 64) /* with those that are being closed */
#define FW_HTTP_HEADER_BYTES (16 * 1024)
#define FW_HTTP_IDLE_S	     35 /* longer than most wait between two scrapes */

/* What a path leads to. */
struct fw_http_answer {
	unsigned int document;
	const char *type;	/* Content-Type */
	const char *headers[5]; /* name, value, ..., NULL: further ones */
};

struct fw_http_route {
	const char *path;
	/* @accept: the header, or NULL */
	struct fw_http_answer (*answer)(const char *accept);
};

struct fw_http_options {
	struct fw_documents *docs;
	const struct fw_http_route *routes; /* ends with a NULL path */
	/* /healthz: fills in JSON, returns whether all is well. Called in an HTTP thread. */
	bool (*health)(void *arg, struct fw_buf *json);
	void *arg;
	const char *token; /* see fw_http_set_token() */
	const char *host;  /* a name of this host that clients on it may use; NULL: none */
};

struct fw_http;

/* Answers at @l (@nr of them, not taken over; each has to outlive the result). NULL with @err filled. */
struct fw_http *fw_http_start(const struct fw_http_options *opt, const struct fw_listen *l,
			      size_t nr, struct fw_err *err);
/* Called about once a second: disconnects clients that take too long. */
void fw_http_step(struct fw_http *http);

struct fw_http_stats {
	struct fw_clients_stats closed;
	uint64_t refused_token, refused_host; /* requests */
};

void fw_http_stats(struct fw_http *http, struct fw_http_stats *out);

/* The address of a client that was disconnected, as text. */
void fw_http_print_last(struct fw_http *http, struct fw_buf *out);

/* Ends the threads; what is being sent breaks off. */
void fw_http_stop(struct fw_http *http);

/* From now on everything but /healthz needs "Authorization: Bearer @token"; NULL: nothing does. 0 or
 * -ENOMEM.
 */
int fw_http_set_token(struct fw_http *http, const char *token);

#endif
