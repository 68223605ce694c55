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

#include "serve/clients.h"
#include "util/err.h"
#include "util/http_header.h"

#define LISTEN_MAX 8
/* The loop comes by every 50 ms; a page of a million connections takes a second. */
#define WAIT_MS 2000
#define HEALTH "/healthz"
#define TEXT "text/plain; charset=utf-8"

/* One socket, and the thread that answers at it. */
struct listener {
	struct fw_http *http;
	bool checks_host; /* on loopback */
	struct fw_clients *clients;
	struct MHD_Daemon *daemon;
};

struct fw_http {
	struct fw_http_options opt;
	pthread_mutex_t lock; /* of the token, which may be exchanged, and the counts */
	char *token;
	uint64_t refused_token, refused_host;
	struct listener listeners[LISTEN_MAX];
	size_t nr;
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
	const char *given = fw_http_bearer(MHD_lookup_connection_value(
		connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_AUTHORIZATION));
	bool ok;

	pthread_mutex_lock(&http->lock);
	ok = !http->token || (given && is_same(http->token, given));
	http->refused_token += !ok;
	pthread_mutex_unlock(&http->lock);
	return ok;
}

/* A page from elsewhere whose name resolves to 127.0.0.1 would read everything (DNS rebinding). A client that
 * sends no Host header is no browser.
 */
static bool is_for_us(const struct listener *l, struct MHD_Connection *connection)
{
	struct fw_http *http = l->http;
	const char *host = l->checks_host ?
		MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_HOST) :
		NULL;

	if (!host || fw_http_host_is_local(host, http->opt.host))
		return true;
	pthread_mutex_lock(&http->lock);
	http->refused_host++;
	pthread_mutex_unlock(&http->lock);
	return false;
}

static const struct fw_http_route *route_to(const struct fw_http *http, const char *path)
{
	const struct fw_http_route *route = http->opt.routes;

	while (route->path && strcmp(route->path, path))
		route++;
	return route->path ? route : NULL;
}

static enum MHD_Result answer(const struct listener *l, struct MHD_Connection *connection,
			      const char *path, const char *method)
{
	struct fw_http *http = l->http;
	const struct fw_http_route *route = route_to(http, path);
	bool health = !strcmp(path, HEALTH);
	struct fw_http_answer found;

	if (!is_for_us(l, connection))
		return send_words(connection, MHD_HTTP_MISDIRECTED_REQUEST,
				  "That is not the name of this host (--host).\n", NULL, NULL);
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

static struct fw_client *client_of(struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

	return info ? info->socket_context : NULL;
}

/* It is called when the headers are there, and again when the rest is: a connection that is answered
 * then stays open for the next request. One with a body is answered, and closed, at once.
 */
static enum MHD_Result on_request(void *arg, struct MHD_Connection *connection, const char *path,
				  const char *method, const char *version, const char *body,
				  size_t *body_len, void **state)
{
	const struct listener *l = arg;
	bool can_wait = !strcmp(method, MHD_HTTP_METHOD_GET) ||
			!strcmp(method, MHD_HTTP_METHOD_HEAD);

	(void)version;
	(void)body;
	if (!*state && can_wait) {
		*state = arg;
		return MHD_YES;
	}
	*body_len = 0;
	fw_clients_asked(l->clients, client_of(connection));
	return answer(l, connection, path, method);
}

static void on_answered(void *arg, struct MHD_Connection *connection, void **state,
			enum MHD_RequestTerminationCode why)
{
	const struct listener *l = arg;

	(void)state;
	(void)why;
	fw_clients_answered(l->clients, client_of(connection));
}

/* It is closed after this has been told. */
static void on_connection(void *arg, struct MHD_Connection *connection, void **client,
			  enum MHD_ConnectionNotificationCode what)
{
	const struct listener *l = arg;
	const union MHD_ConnectionInfo *fd, *addr;

	if (what == MHD_CONNECTION_NOTIFY_CLOSED) {
		fw_clients_remove(l->clients, *client);
		return;
	}
	fd = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	addr = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	*client = fw_clients_add(l->clients, fd->connect_fd, addr ? addr->client_addr : NULL);
}

/* Our paths have nothing to unescape, and "%00" would hide what follows. */
static size_t keep_escaped(void *arg, struct MHD_Connection *connection, char *text)
{
	(void)arg;
	(void)connection;
	return strlen(text);
}

static struct MHD_Daemon *start_daemon(struct listener *l, int fd)
{
	return MHD_start_daemon(
		MHD_USE_EPOLL_INTERNAL_THREAD, 0, NULL, NULL, on_request, l,
		MHD_OPTION_LISTEN_SOCKET, fd,
		MHD_OPTION_UNESCAPE_CALLBACK, keep_escaped, NULL,
		MHD_OPTION_NOTIFY_CONNECTION, on_connection, l,
		MHD_OPTION_NOTIFY_COMPLETED, on_answered, l,
		MHD_OPTION_CONNECTION_LIMIT, (unsigned int)FW_HTTP_CONNECTIONS,
		MHD_OPTION_CONNECTION_TIMEOUT, (unsigned int)FW_HTTP_IDLE_S,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)FW_HTTP_HEADER_BYTES,
		MHD_OPTION_END);
}

static int start_one(struct fw_http *http, const struct fw_listen *at, struct fw_err *err)
{
	/* It closes its own. */
	int fd = fcntl(at->fd, F_DUPFD_CLOEXEC, 0), ret = fd < 0 ? -errno : 0;
	struct listener *l = &http->listeners[http->nr];

	*l = (struct listener){
		.http = http, .checks_host = at->is_local && !at->unix_path,
		.clients = fw_clients_new(),
	};
	if (!ret && !l->clients)
		ret = -ENOMEM;
	errno = 0;
	l->daemon = ret ? NULL : start_daemon(l, fd);
	if (l->daemon) {
		http->nr++;
		return 0;
	}
	if (!ret)
		ret = errno ? -errno : -EIO;
	fw_clients_free(l->clients);
	if (fd >= 0)
		close(fd);
	return fw_err_set(err, ret, "cannot start the HTTP server: %s", strerror(-ret));
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
	for (size_t i = 0; i < http->nr; i++) {
		MHD_stop_daemon(http->listeners[i].daemon);
		fw_clients_free(http->listeners[i].clients);
	}
	pthread_mutex_destroy(&http->lock);
	free(http->token);
	free(http);
}

void fw_http_step(struct fw_http *http)
{
	for (size_t i = 0; i < http->nr; i++)
		fw_clients_expire(http->listeners[i].clients);
}

void fw_http_stats(struct fw_http *http, struct fw_http_stats *out)
{
	*out = (struct fw_http_stats){ 0 };
	for (size_t i = 0; i < http->nr; i++)
		fw_clients_stats(http->listeners[i].clients, &out->closed);
	pthread_mutex_lock(&http->lock);
	out->refused_token = http->refused_token;
	out->refused_host = http->refused_host;
	pthread_mutex_unlock(&http->lock);
}

void fw_http_print_last(struct fw_http *http, struct fw_buf *out)
{
	for (size_t i = 0; i < http->nr && !out->len; i++)
		fw_clients_print_last(http->listeners[i].clients, out);
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
