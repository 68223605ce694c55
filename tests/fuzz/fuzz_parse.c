// SPDX-License-Identifier: GPL-2.0-only
/*
 * Numbers, durations, ports, networks, states from text; and text from outside made safe. What is accepted
 * is in range; what is refused leaves an explanation.
 */
#include <netinet/in.h>

#include "../unit/json_value.h"
#include "cmd/look.h"
#include "core/state.h"
#include "input.h"
#include "util/fmt.h"
#include "util/json.h"
#include "util/parse.h"
#include "utf8.h"

static void explained(int ret, const struct fw_err *err)
{
	must(ret >= 0 || (ret == -22 && err->code == ret && err->msg[0]));
}

static void check_numbers(const char *text)
{
	struct fw_err err = { 0 };
	struct fw_at at = { 0 };
	uint64_t v = 0;
	int ret = fw_parse_u64(text, 5, 5000, &v, &err);

	explained(ret, &err);
	must(ret || (v >= 5 && v <= 5000));
	ret = fw_parse_duration(text, &v, &err);
	explained(ret, &err);
	must(ret || v <= 1000000000000000000ULL);
	explained(fw_at_parse(text, &at, &err), &err);
}

static void check_ports(const char *text)
{
	struct fw_err err = { 0 };
	uint16_t ports[3 + 1] = { 0, 0, 0, 0xbeef };
	int n = fw_parse_ports(text, ports, 3, &err);

	explained(n, &err);
	must(n <= 3 && n != 0 && ports[3] == 0xbeef);
	for (int i = 0; i < n; i++)
		must(ports[i]);
}

static void check_cidr(const char *text)
{
	static const uint8_t nothing[16];
	uint32_t family, prefix_len;
	struct fw_err err = { 0 };
	uint8_t addr[16];
	int ret = fw_parse_cidr(text, addr, &family, &prefix_len, &err);

	explained(ret, &err);
	if (ret)
		return;
	must(family == AF_INET || family == AF_INET6);
	must(prefix_len <= (family == AF_INET ? 32 : 128));
	must(family == AF_INET6 || !memcmp(addr + 4, nothing, 12));
}

static void check_escapes(const char *text, size_t len)
{
	struct fw_buf b = { 0 };
	const char *s, *end;

	fw_json_text(&(struct fw_json){ .out = &b }, text, len);
	s = fw_buf_str(&b);
	end = *s == '"' ? json_string(s) : NULL;
	must(end && !*end && is_utf8(s));
	fw_buf_clear(&b);
	fw_buf_visible(&b, text, len);
	for (size_t i = 0; i < b.len; i++)
		must(b.data[i] >= 0x20 && b.data[i] < 0x7f);
	fw_buf_free(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);

	must(text);
	if (size)
		memcpy(text, data, size);
	/* As a field of fixed size: it may have no end. */
	check_escapes((const char *)data, size);
	text[size] = '\0';
	check_numbers(text);
	check_ports(text);
	check_cidr(text);
	must(fw_state_from_name(text) < FW_STATE_MAX);
	free(text);
	return 0;
}
