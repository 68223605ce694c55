// SPDX-License-Identifier: GPL-2.0-only
#include "serve/clickhouse.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <errno.h>
#include <inttypes.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "util/parse.h"

#define NS_PER_S UINT64_C(1000000000)
#define CONNECT_S  5L
#define TRANSFER_S 30L
#define STALLED_S  10L
/* Of what the server says; the first line of an error is enough. */
#define ANSWER_MAX 4096

struct fw_clickhouse {
	CURL *curl;
	struct curl_slist *headers;
	char *url, *table, *host, *auth;
	bool (*give_up)(void *arg);
	void *arg;
	struct fw_buf answer;
	bool too_long;
	char why[CURL_ERROR_SIZE];
};

int fw_clickhouse_global_init(struct fw_err *err)
{
	if (curl_global_init(CURL_GLOBAL_DEFAULT))
		return fw_err_set(err, -EIO, "cannot initialise libcurl");
	return 0;
}

/* A name that cannot be resolved now may be later. */
static void resolve_once(const char *host)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	struct addrinfo *found = NULL;

	if (!getaddrinfo(host, NULL, &hints, &found))
		freeaddrinfo(found);
}

static bool is_numeric(const char *host)
{
	struct in_addr v4;

	return *host == '[' || inet_pton(AF_INET, host, &v4) == 1;
}

/* "user", "password" and the like are parameters of ClickHouse. */
static bool has_secret(const char *query)
{
	static const char *const names[] = { "password=", "user=", "quota_key=", "access_token=" };

	for (const char *at = query; at && *at; at = strchr(at, '&')) {
		at += *at == '&';
		for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
			if (!strncasecmp(at, names[i], strlen(names[i])))
				return true;
		}
	}
	return false;
}

int fw_clickhouse_check_url(const char *url, struct fw_err *err)
{
	char *user = NULL, *password = NULL, *query = NULL;
	CURLU *parts = curl_url();
	int ret = 0;

	if (!parts)
		return fw_err_set(err, -ENOMEM, "no memory for libcurl");
	if (curl_url_set(parts, CURLUPART_URL, url, 0))
		ret = fw_err_set(err, -EINVAL, "this is no URL");
	if (!ret && curl_url_get(parts, CURLUPART_USER, &user, 0) &&
	    curl_url_get(parts, CURLUPART_PASSWORD, &password, 0))
		curl_url_get(parts, CURLUPART_QUERY, &query, CURLU_URLDECODE);
	if (user || password || has_secret(query))
		ret = fw_err_set(err, -EINVAL,
				 "every user of this host sees what the URL says about users and "
				 "passwords: put USER:PASSWORD into a file, --clickhouse-auth FILE");
	curl_free(user);
	curl_free(password);
	curl_free(query);
	curl_url_cleanup(parts);
	return ret;
}

int fw_clickhouse_prepare(const char *url, struct fw_clickhouse_server *server, struct fw_err *err)
{
	CURLU *parts = curl_url();
	char *host = NULL, *port = NULL;
	uint64_t number = 0;
	int ret = 0;

	if (!parts)
		return fw_err_set(err, -ENOMEM, "no memory for libcurl");
	if (curl_url_set(parts, CURLUPART_URL, url, 0) ||
	    curl_url_get(parts, CURLUPART_HOST, &host, 0) ||
	    curl_url_get(parts, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) ||
	    fw_parse_u64(port, 1, UINT16_MAX, &number, NULL)) {
		ret = fw_err_set(err, -EINVAL, "the URL of --clickhouse names no server");
	} else {
		server->port = (uint16_t)number;
		server->reads_files = !is_numeric(host) || !strncmp(url, "https:", 6);
		resolve_once(host);
	}
	curl_free(host);
	curl_free(port);
	curl_url_cleanup(parts);
	return ret;
}

static size_t on_answer(char *data, size_t size, size_t nr, void *arg)
{
	struct fw_clickhouse *ch = arg;
	size_t left = ANSWER_MAX - ch->answer.len, len = size * nr;

	/* No answer that is awaited is so long: the transfer ends here. */
	ch->too_long = len > left;
	fw_buf_mem(&ch->answer, data, ch->too_long ? left : len);
	return ch->too_long ? 0 : len;
}

static int on_progress(void *arg, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
	const struct fw_clickhouse *ch = arg;

	(void)a;
	(void)b;
	(void)c;
	(void)d;
	return ch->give_up && ch->give_up(ch->arg);
}

static void set_options(struct fw_clickhouse *ch)
{
	CURL *curl = ch->curl;

	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, CONNECT_S);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT, TRANSFER_S);
	curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
	curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, STALLED_S);
	/* Only the server that was named: the sandbox would refuse a proxy of the environment. */
	curl_easy_setopt(curl, CURLOPT_PROXY, "");
	curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, ch->headers);
	curl_easy_setopt(curl, CURLOPT_USERAGENT, "finwait/" FW_VERSION);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_answer);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, ch);
	curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress);
	curl_easy_setopt(curl, CURLOPT_XFERINFODATA, ch);
	curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
	curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, ch->why);
	if (ch->auth)
		curl_easy_setopt(curl, CURLOPT_USERPWD, ch->auth);
}

struct fw_clickhouse *fw_clickhouse_open(const struct fw_clickhouse_options *opt,
					 struct fw_err *err)
{
	struct fw_clickhouse *ch = calloc(1, sizeof(*ch));

	if (!ch) {
		fw_err_set(err, -ENOMEM, "no memory");
		return NULL;
	}
	ch->give_up = opt->give_up;
	ch->arg = opt->arg;
	ch->curl = curl_easy_init();
	ch->url = strdup(opt->url);
	ch->table = strdup(opt->table);
	ch->host = strdup(opt->host);
	ch->auth = opt->auth ? strdup(opt->auth) : NULL;
	/* The server would be asked first whether it wants so much. */
	ch->headers = curl_slist_append(NULL, "Expect:");
	if (!ch->curl || !ch->url || !ch->table || !ch->host || (opt->auth && !ch->auth) ||
	    !ch->headers) {
		fw_err_set(err, -ENOMEM, "no memory for libcurl");
		fw_clickhouse_free(ch);
		return NULL;
	}
	set_options(ch);
	return ch;
}

void fw_clickhouse_free(struct fw_clickhouse *ch)
{
	if (!ch)
		return;
	if (ch->curl)
		curl_easy_cleanup(ch->curl);
	curl_slist_free_all(ch->headers);
	free(ch->url);
	free(ch->table);
	free(ch->host);
	if (ch->auth)
		explicit_bzero(ch->auth, strlen(ch->auth));
	free(ch->auth);
	fw_buf_free(&ch->answer);
	free(ch);
}

/* The URL with @query in it. */
static int set_url(struct fw_clickhouse *ch, struct fw_buf *query)
{
	char *escaped = curl_easy_escape(ch->curl, fw_buf_str(query), 0);
	struct fw_buf url = { 0 };
	int ret;

	fw_buf_printf(&url, "%s%cinput_format_skip_unknown_fields=1&query=", ch->url,
		      strchr(ch->url, '?') ? '&' : '?');
	fw_buf_puts(&url, escaped ? escaped : "");
	ret = !escaped || url.failed || curl_easy_setopt(ch->curl, CURLOPT_URL, fw_buf_str(&url)) ?
		      -ENOMEM :
		      0;
	curl_free(escaped);
	fw_buf_free(&url);
	return ret;
}

/* "Code: 60, e.displayText() = DB::Exception: Table ... doesn't exist": its first line. */
static int say_refused(struct fw_clickhouse *ch, long status, const char *doing, struct fw_err *err)
{
	const char *said = fw_buf_str(&ch->answer);

	return fw_err_set(err, -EPROTO, "%s into ClickHouse: it answers %ld: %.*s", doing, status,
			  (int)strcspn(said, "\n"), said);
}

/* Sends @body. @sent: whether the server may have got it. */
static int ask(struct fw_clickhouse *ch, struct fw_buf *query, const struct fw_buf *body,
	       const char *doing, bool *sent, struct fw_err *err)
{
	long status = 0;
	CURLcode code;
	int ret = set_url(ch, query);

	*sent = false;
	if (ret)
		return fw_err_set(err, ret, "no memory for a request");
	fw_buf_clear(&ch->answer);
	ch->too_long = false;
	ch->why[0] = '\0';
	curl_easy_setopt(ch->curl, CURLOPT_POST, 1L);
	curl_easy_setopt(ch->curl, CURLOPT_POSTFIELDS, body ? body->data : "");
	curl_easy_setopt(ch->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)(body ? body->len : 0));
	code = curl_easy_perform(ch->curl);
	curl_easy_getinfo(ch->curl, CURLINFO_RESPONSE_CODE, &status);
	*sent = code != CURLE_COULDNT_CONNECT && code != CURLE_COULDNT_RESOLVE_HOST &&
		code != CURLE_URL_MALFORMAT && code != CURLE_UNSUPPORTED_PROTOCOL;
	if (ch->too_long && status == 200)
		return fw_err_set(err, -EPROTO,
				  "%s into ClickHouse: it answers with more than %d bytes", doing,
				  ANSWER_MAX);
	if (code && !ch->too_long)
		return fw_err_set(err, -EIO, "%s into ClickHouse: %s", doing,
				  ch->why[0] ? ch->why : curl_easy_strerror(code));
	return status == 200 ? 0 : say_refused(ch, status, doing, err);
}

/* How many rows of @batch are there. */
static int count(struct fw_clickhouse *ch, const struct fw_batch *batch, uint64_t *rows,
		 struct fw_err *err)
{
	struct fw_buf query = { 0 };
	bool sent;
	int ret;

	fw_buf_printf(&query,
		      "SELECT uniqExact(batch_row) FROM %s WHERE batch = %" PRIu64
		      " AND batch_time = toDateTime(%" PRIu64 ") AND host = '",
		      ch->table, batch->number, batch->number / NS_PER_S);
	/* A quote in the name of a host would end it. */
	for (const char *c = ch->host; *c; c++) {
		if (*c == '\'' || *c == '\\')
			fw_buf_putc(&query, '\\');
		fw_buf_putc(&query, *c);
	}
	fw_buf_putc(&query, '\'');
	ret = ask(ch, &query, NULL, "asking what has come", &sent, err);
	fw_buf_free(&query);
	if (ret)
		return ret;
	ch->answer.data[strcspn(fw_buf_str(&ch->answer), "\r\n")] = '\0';
	if (fw_parse_u64(ch->answer.data, 0, UINT64_MAX, rows, NULL))
		return fw_err_set(err, -EPROTO, "asking what has come into ClickHouse: it answers '%.40s'",
				  ch->answer.data);
	return 0;
}

int fw_clickhouse_insert(struct fw_clickhouse *ch, struct fw_batch *batch, struct fw_err *err)
{
	struct fw_buf query = { 0 };
	uint64_t there = 0;
	bool sent;
	int ret;

	if (batch->maybe_there) {
		ret = count(ch, batch, &there, err);
		if (ret || there >= batch->rows)
			return ret;
	}
	fw_buf_printf(&query, "INSERT INTO %s FORMAT JSONEachRow", ch->table);
	ret = ask(ch, &query, &batch->body, "sending connections", &sent, err);
	fw_buf_free(&query);
	if (sent && ret)
		batch->maybe_there = true;
	return ret;
}
