// SPDX-License-Identifier: GPL-2.0-only
/*
 * The witness's text: rows of /proc/net/tcp and tcp6 in, JSON out. No state, no clock, no thread.
 */
#include "witness.h"

#include <arpa/inet.h>
#include <string.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

const char *witness_state_name(unsigned int state)
{
	static const char *const names[] = {
		[1] = "ESTABLISHED", [2] = "SYN_SENT",	[3] = "SYN_RECV", [4] = "FIN_WAIT_1",
		[5] = "FIN_WAIT_2",  [6] = "TIME_WAIT", [7] = "CLOSE",	  [8] = "CLOSE_WAIT",
		[9] = "LAST_ACK",    [10] = "LISTEN",	[11] = "CLOSING",
	};

	return state < ARRAY_SIZE(names) && names[state] ? names[state] : "STATE(?)";
}

static const char *parse_hex(const char *s, unsigned int digits, uint32_t *value)
{
	*value = 0;
	for (; digits; digits--, s++) {
		unsigned int c = (unsigned char)*s;

		if (c >= '0' && c <= '9')
			*value = *value << 4 | (c - '0');
		else if (c >= 'A' && c <= 'F')
			*value = *value << 4 | (c - 'A' + 10);
		else
			return NULL;
	}
	return s;
}

/*
 * "0100007F:1F90" or 32 digits for IPv6: words in host order of what is in memory, then the port.
 */
static const char *parse_endpoint(const char *s, bool v6, uint8_t *addr, uint16_t *port)
{
	uint32_t word;

	for (int i = 0; s && i < (v6 ? 4 : 1); i++) {
		s = parse_hex(s, 8, &word);
		memcpy(addr + i * 4, &word, 4);
	}
	if (!s || *s != ':')
		return NULL;
	s = parse_hex(s + 1, 4, &word);
	*port = (uint16_t)word;
	return s;
}

static void unmap_v4(struct witness_key *key)
{
	static const uint8_t prefix[12] = { [10] = 0xff, [11] = 0xff };

	if (memcmp(key->laddr, prefix, 12) || memcmp(key->raddr, prefix, 12))
		return;
	memmove(key->laddr, key->laddr + 12, 4);
	memset(key->laddr + 4, 0, 12);
	memmove(key->raddr, key->raddr + 12, 4);
	memset(key->raddr + 4, 0, 12);
	key->family = AF_INET;
}

/* "   0: LOCAL:PORT REMOTE:PORT STATE ..." */
unsigned int witness_parse_row(const char *line, bool v6, struct witness_key *key)
{
	const char *s = strchr(line, ':');
	uint32_t state;

	memset(key, 0, sizeof(*key));
	key->family = v6 ? AF_INET6 : AF_INET;
	if (!s || s[1] != ' ')
		return 0;
	s = parse_endpoint(s + 2, v6, key->laddr, &key->lport);
	if (!s || *s != ' ')
		return 0;
	s = parse_endpoint(s + 1, v6, key->raddr, &key->rport);
	if (!s || *s != ' ' || !parse_hex(s + 1, 2, &state))
		return 0;
	if (v6)
		unmap_v4(key);
	return state;
}

void witness_write_conn(const struct witness_conn *conn, FILE *out)
{
	const struct witness_key *key = &conn->key;
	char laddr[INET6_ADDRSTRLEN], raddr[INET6_ADDRSTRLEN];

	inet_ntop(key->family, key->laddr, laddr, sizeof(laddr));
	inet_ntop(key->family, key->raddr, raddr, sizeof(raddr));
	fprintf(out, "{\"laddr\":\"%s\",\"lport\":%u,\"raddr\":\"%s\",\"rport\":%u,", laddr,
		key->lport, raddr, key->rport);
	fprintf(out, "\"family\":\"%s\",\"states\":[", key->family == AF_INET ? "ipv4" : "ipv6");
	for (size_t i = 0; i < conn->nr_spans; i++) {
		const struct witness_span *span = &conn->spans[i];
		bool last = i + 1 == conn->nr_spans;
		uint64_t end_ns = !last		? span[1].first_ns :
				  conn->gone_ns ? conn->gone_ns :
						  span->last_ns;
		uint64_t slack_ns = !last ? span[1].slack_ns : conn->gone_slack_ns;

		fprintf(out, "%s{\"state\":\"%s\",\"ns\":%llu,", i ? "," : "",
			witness_state_name(span->state),
			(unsigned long long)(end_ns - span->first_ns));
		fprintf(out, "\"first_ns\":%llu,\"last_ns\":%llu,\"slack_ns\":%llu}",
			(unsigned long long)span->first_ns, (unsigned long long)span->last_ns,
			(unsigned long long)(slack_ns + span->slack_ns));
	}
	fprintf(out, "]%s}", conn->gone_ns ? "" : ",\"open\":true");
}
