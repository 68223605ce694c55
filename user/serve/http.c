// SPDX-License-Identifier: GPL-2.0-only
#include "serve/http.h"

#include <errno.h>
#include <fcntl.h>
#include <microhttpd.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util/err.h"

#define LISTEN_MAX 8
/* The loop comes by every 50 ms; a page of a million connections takes a second. */
#define WAIT_MS 2000
#define BEARER "Bearer "
#define HEALTH "/healthz"
#define TEXT "text/plain; charset=utf-8"

struct fw_http {
	struct fw_http_options opt;
	pthread_mutex_t lock; /* of the token, which may be exchanged */
	char *token;
	struct MHD_Daemon *daemons[LISTEN_MAX];
	size_t nr_daemons;
};

/* Adds what every answer has, sends it and forgets it. */
static enum MHD_Result send_response(struct MHD_Connection *connection, unsigned int status,
				     const char *type, struct MHD_Response *response)
{
	enum MHD_Result ret;

	if (!response)
		return MHD_NO;
	MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
	MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
	MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
	ret = MHD_queue_response(connection, status, response);
	MHD_destroy_response(response);
	return ret;
}

/* A sentence; @name and @value: a header more, or NULL. @text is not copied. */
static enum MHD_Result send_words(struct MHD_Connection *connection, unsigned int status,
				  const char *text, const char *name, const char *value)
{
	struct MHD_Response *response = MHD_create_response_from_buffer(
		strlen(text), (void *)text, MHD_RESPMEM_PERSISTENT);

	if (response && name)
		MHD_add_response_header(response, name, value);
	return send_response(connection, status, TEXT, response);
}

static enum MHD_Result send_health(const struct fw_http *http, struct MHD_Connection *connection)
{
	struct fw_buf json = { 0 };
	bool well = http->opt.health(http->opt.arg, &json);
	struct MHD_Response *response = MHD_create_response_from_buffer(
		json.len, json.data, MHD_RESPMEM_MUST_COPY);

	fw_buf_free(&json);
	return send_response(connection, well ? MHD_HTTP_OK : MHD_HTTP_SERVICE_UNAVAILABLE,
			     "application/json", response);
}

static void put_document(void *arg)
{
	fw_document_put(arg);
}

static enum MHD_Result send_document(const struct fw_http *http, struct MHD_Connection *connection,
				     const struct fw_http_answer *answer)
{
	struct fw_document *doc = fw_documents_get(http->opt.docs, answer->document, WAIT_MS);
	struct MHD_Response *response;

	if (!doc)
		return send_words(connection, MHD_HTTP_SERVICE_UNAVAILABLE,
				  "finwait is too busy to answer\n", MHD_HTTP_HEADER_RETRY_AFTER,
				  "5");
	response = MHD_create_response_from_buffer_with_free_callback_cls(doc->len, doc->data,
									  put_document, doc);
	if (!response) {
		fw_document_put(doc);
		return MHD_NO;
	}
	for (size_t i = 0; answer->headers[i]; i += 2)
		MHD_add_response_header(response, answer->headers[i], answer->headers[i + 1]);
	return send_response(connection, MHD_HTTP_OK, answer->type, response);
}

/* Takes as long for a wrong token as for the right one, whatever is wrong with it but its length. */
static bool is_same(const char *a, const char *b)
{
	size_t len = strlen(a);
	unsigned char different = 0;

	if (strlen(b) != len)
		return false;
	for (size_t i = 0; i < len; i++)
		different |= (unsigned char)(a[i] ^ b[i]);
	return !different;
}

static bool may_ask(struct fw_http *http, struct MHD_Connection *connection)
{
	const char *given = MHD_lookup_connection_value(connection, MHD_HEADER_KIND,
							MHD_HTTP_HEADER_AUTHORIZATION);
	bool ok;

	pthread_mutex_lock(&http->lock);
	ok = !http->token || (given && !strncmp(given, BEARER, strlen(BEARER)) &&
			      is_same(http->token, given + strlen(BEARER)));
	pthread_mutex_unlock(&http->lock);
	return ok;
}

static const struct fw_http_route *route_to(const struct fw_http *http, const char *path)
{
	const struct fw_http_route *route = http->opt.routes;

	while (route->path && strcmp(route->path, path))
		route++;
	return route->path ? route : NULL;
}

static enum MHD_Result answer(struct fw_http *http, struct MHD_Connection *connection,
			      const char *path, const char *method)
{
	const struct fw_http_route *route = route_to(http, path);
	bool health = !strcmp(path, HEALTH);
	struct fw_http_answer found;

	if (!health && !may_ask(http, connection))
		return send_words(connection, MHD_HTTP_UNAUTHORIZED, "A bearer token is needed.\n",
				  MHD_HTTP_HEADER_WWW_AUTHENTICATE, "Bearer");
	if (!route && !health)
		return send_words(connection, MHD_HTTP_NOT_FOUND, "There is no such page.\n", NULL,
				  NULL);
	if (strcmp(method, MHD_HTTP_METHOD_GET) && strcmp(method, MHD_HTTP_METHOD_HEAD))
		return send_words(connection, MHD_HTTP_METHOD_NOT_ALLOWED,
				  "finwait can only be read.\n", MHD_HTTP_HEADER_ALLOW,
				  "GET, HEAD");
	if (health)
		return send_health(http, connection);
	found = route->answer(MHD_lookup_connection_value(connection, MHD_HEADER_KIND,
							  MHD_HTTP_HEADER_ACCEPT));
	return send_document(http, connection, &found);
}

/* It is called when the headers are there, and again when the rest is: a connection that is answered
 * then stays open for the next request. One with a body is answered, and closed, at once.
 */
static enum MHD_Result on_request(void *arg, struct MHD_Connection *connection, const char *path,
				  const char *method, const char *version, const char *body,
				  size_t *body_len, void **state)
{
	bool can_wait = !strcmp(method, MHD_HTTP_METHOD_GET) ||
			!strcmp(method, MHD_HTTP_METHOD_HEAD);

	(void)version;
	(void)body;
	if (!*state && can_wait) {
		*state = arg;
		return MHD_YES;
	}
	*body_len = 0;
	return answer(arg, connection, path, method);
}

/* Our paths have nothing to unescape, and "%00" would hide what follows. */
static size_t keep_escaped(void *arg, struct MHD_Connection *connection, char *text)
{
	(void)arg;
	(void)connection;
	return strlen(text);
}

static int start_one(struct fw_http *http, const struct fw_listen *l, struct fw_err *err)
{
	/* It closes its own. */
	int fd = fcntl(l->fd, F_DUPFD_CLOEXEC, 0);
	struct MHD_Daemon *daemon = fd < 0 ? NULL : MHD_start_daemon(
		MHD_USE_EPOLL_INTERNAL_THREAD, 0, NULL, NULL, on_request, http,
		MHD_OPTION_LISTEN_SOCKET, fd,
		MHD_OPTION_UNESCAPE_CALLBACK, keep_escaped, NULL,
		MHD_OPTION_CONNECTION_LIMIT, (unsigned int)FW_HTTP_CONNECTIONS,
		MHD_OPTION_CONNECTION_TIMEOUT, (unsigned int)FW_HTTP_IDLE_S,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)FW_HTTP_HEADER_BYTES,
		MHD_OPTION_END);

	if (!daemon) {
		int ret = fw_err_set(err, errno ? -errno : -EIO,
				     "cannot start the HTTP server: %s", strerror(errno));

		if (fd >= 0)
			close(fd);
		return ret;
	}
	http->daemons[http->nr_daemons++] = daemon;
	return 0;
}

struct fw_http *fw_http_start(const struct fw_http_options *opt, const struct fw_listen *l,
			      size_t nr, struct fw_err *err)
{
	struct fw_http *http = calloc(1, sizeof(*http));
	int ret;

	if (!http) {
		fw_err_set(err, -ENOMEM, "no memory for the HTTP server");
		return NULL;
	}
	http->opt = *opt;
	pthread_mutex_init(&http->lock, NULL);
	ret = fw_http_set_token(http, opt->token);
	if (ret)
		fw_err_set(err, ret, "no memory for the token");
	else if (nr > LISTEN_MAX)
		ret = fw_err_set(err, -EINVAL, "more than %d sockets to listen at", LISTEN_MAX);
	for (size_t i = 0; i < nr && !ret; i++)
		ret = start_one(http, &l[i], err);
	if (!ret)
		return http;
	fw_http_stop(http);
	return NULL;
}

void fw_http_stop(struct fw_http *http)
{
	if (!http)
		return;
	for (size_t i = 0; i < http->nr_daemons; i++)
		MHD_stop_daemon(http->daemons[i]);
	pthread_mutex_destroy(&http->lock);
	free(http->token);
	free(http);
}

int fw_http_set_token(struct fw_http *http, const char *token)
{
	char *copy = token ? strdup(token) : NULL, *old;

	if (token && !copy)
		return -ENOMEM;
	pthread_mutex_lock(&http->lock);
	old = http->token;
	http->token = copy;
	pthread_mutex_unlock(&http->lock);
	free(old);
	return 0;
}
