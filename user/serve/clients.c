// SPDX-License-Identifier: GPL-2.0-only
#include "serve/clients.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define NS_PER_S 1000000000ULL

enum phase { PHASE_ACCEPTED, PHASE_ANSWERING, PHASE_KEPT, PHASE_DISCONNECTED, PHASE_MAX };

static const uint64_t deadline_ns[PHASE_MAX] = {
	[PHASE_ACCEPTED] = FW_CLIENTS_ACCEPTED_S * NS_PER_S,
	[PHASE_ANSWERING] = FW_CLIENTS_ANSWERING_S * NS_PER_S,
	[PHASE_KEPT] = FW_CLIENTS_KEPT_S * NS_PER_S,
	[PHASE_DISCONNECTED] = UINT64_MAX,
};

/* IPv4 is mapped. All zero: none. */
struct address {
	uint8_t bytes[16];
};

struct fw_client {
	struct fw_client *next, *prev;
	int fd;
	enum phase phase;
	uint64_t since_ns; /* of the phase */
	struct address addr;
};

struct fw_clients {
	pthread_mutex_t lock;
	struct fw_client head; /* of a ring */
	unsigned int nr;       /* connected ones */
	struct fw_clients_stats stats;
	struct address last;
};

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * NS_PER_S + (uint64_t)ts.tv_nsec;
}

struct fw_clients *fw_clients_new(void)
{
	struct fw_clients *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	pthread_mutex_init(&c->lock, NULL);
	c->head.next = c->head.prev = &c->head;
	return c;
}

void fw_clients_free(struct fw_clients *c)
{
	if (!c)
		return;
	while (c->head.next != &c->head)
		fw_clients_remove(c, c->head.next);
	pthread_mutex_destroy(&c->lock);
	free(c);
}

static struct address address_of(const struct sockaddr *addr)
{
	struct address a = { { 0 } };

	if (addr && addr->sa_family == AF_INET6) {
		memcpy(a.bytes, &((const struct sockaddr_in6 *)addr)->sin6_addr, 16);
	} else if (addr && addr->sa_family == AF_INET) {
		a.bytes[10] = a.bytes[11] = 0xff;
		memcpy(a.bytes + 12, &((const struct sockaddr_in *)addr)->sin_addr, 4);
	}
	return a;
}

static bool is_same(const struct address *a, const struct address *b)
{
	return !memcmp(a->bytes, b->bytes, sizeof(a->bytes));
}

/* Many clients may share these. */
static bool is_shared(const struct address *a)
{
	const struct in6_addr *v6 = (const struct in6_addr *)a->bytes;

	return IN6_IS_ADDR_UNSPECIFIED(v6) || IN6_IS_ADDR_LOOPBACK(v6) ||
	       (IN6_IS_ADDR_V4MAPPED(v6) && a->bytes[12] == 127);
}

/* The HTTP thread sees the end of it, and closes it. */
static void disconnect(struct fw_clients *c, struct fw_client *client, uint64_t *why)
{
	shutdown(client->fd, SHUT_RDWR);
	client->phase = PHASE_DISCONNECTED;
	c->nr--;
	c->last = client->addr;
	++*why;
}

/* The one that has been in its phase for longest; @of NULL: of any address. */
static struct fw_client *oldest(struct fw_clients *c, const struct address *of, unsigned int *nr)
{
	struct fw_client *found = NULL;

	*nr = 0;
	for (struct fw_client *i = c->head.next; i != &c->head; i = i->next) {
		if (i->phase == PHASE_DISCONNECTED || (of && !is_same(&i->addr, of)))
			continue;
		++*nr;
		if (!found || i->since_ns < found->since_ns)
			found = i;
	}
	return found;
}

static void make_room(struct fw_clients *c, const struct address *addr)
{
	struct fw_client *one;
	unsigned int nr;

	if (!is_shared(addr)) {
		one = oldest(c, addr, &nr);
		if (nr >= FW_CLIENTS_OF_ADDRESS)
			disconnect(c, one, &c->stats.address);
	}
	if (c->nr < FW_CLIENTS_MAX)
		return;
	one = oldest(c, NULL, &nr);
	if (one)
		disconnect(c, one, &c->stats.limit);
}

struct fw_client *fw_clients_add(struct fw_clients *c, int fd, const struct sockaddr *addr)
{
	struct fw_client *client = calloc(1, sizeof(*client));

	if (!client)
		return NULL;
	*client = (struct fw_client){
		.fd = fd, .since_ns = now_ns(), .addr = address_of(addr),
		.next = &c->head,
	};
	pthread_mutex_lock(&c->lock);
	make_room(c, &client->addr);
	client->prev = c->head.prev;
	c->head.prev->next = client;
	c->head.prev = client;
	c->nr++;
	pthread_mutex_unlock(&c->lock);
	return client;
}

static void enter(struct fw_clients *c, struct fw_client *client, enum phase phase)
{
	if (!client)
		return;
	pthread_mutex_lock(&c->lock);
	if (client->phase != PHASE_DISCONNECTED) {
		client->phase = phase;
		client->since_ns = now_ns();
	}
	pthread_mutex_unlock(&c->lock);
}

void fw_clients_asked(struct fw_clients *c, struct fw_client *client)
{
	enter(c, client, PHASE_ANSWERING);
}

void fw_clients_answered(struct fw_clients *c, struct fw_client *client)
{
	enter(c, client, PHASE_KEPT);
}

void fw_clients_remove(struct fw_clients *c, struct fw_client *client)
{
	if (!client)
		return;
	pthread_mutex_lock(&c->lock);
	client->prev->next = client->next;
	client->next->prev = client->prev;
	c->nr -= client->phase != PHASE_DISCONNECTED;
	pthread_mutex_unlock(&c->lock);
	free(client);
}

void fw_clients_expire(struct fw_clients *c)
{
	uint64_t now = now_ns();

	pthread_mutex_lock(&c->lock);
	for (struct fw_client *i = c->head.next; i != &c->head; i = i->next) {
		if (i->phase != PHASE_DISCONNECTED && now > i->since_ns &&
		    now - i->since_ns > deadline_ns[i->phase])
			disconnect(c, i, &c->stats.slow);
	}
	pthread_mutex_unlock(&c->lock);
}

void fw_clients_stats(struct fw_clients *c, struct fw_clients_stats *out)
{
	pthread_mutex_lock(&c->lock);
	out->slow += c->stats.slow;
	out->limit += c->stats.limit;
	out->address += c->stats.address;
	pthread_mutex_unlock(&c->lock);
}

void fw_clients_print_last(struct fw_clients *c, struct fw_buf *out)
{
	char text[INET6_ADDRSTRLEN];
	struct address last;

	pthread_mutex_lock(&c->lock);
	last = c->last;
	pthread_mutex_unlock(&c->lock);
	if (IN6_IS_ADDR_UNSPECIFIED((const struct in6_addr *)last.bytes))
		return;
	if (IN6_IS_ADDR_V4MAPPED((const struct in6_addr *)last.bytes))
		inet_ntop(AF_INET, last.bytes + 12, text, sizeof(text));
	else
		inet_ntop(AF_INET6, last.bytes, text, sizeof(text));
	fw_buf_puts(out, text);
}
