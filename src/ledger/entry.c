#include "ledger/entry.h"

#include <arpa/inet.h>

#include "base/num.h"

enum { CLASS_HEX = 1, CLASS_WORD = 2, CLASS_TOKEN = 4 };

static uint8_t
char_class(char c)
{
	if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'))
		return CLASS_HEX | CLASS_WORD | CLASS_TOKEN;
	if (c >= 'g' && c <= 'z')
		return CLASS_WORD | CLASS_TOKEN;
	if (c == '-')
		return CLASS_WORD | CLASS_TOKEN;
	if (c == '.')
		return CLASS_WORD;
	if ((c >= 'A' && c <= 'Z') || c == '_')
		return CLASS_TOKEN;
	return 0;
}

static bool
all_of(struct str s, uint8_t class, size_t min, size_t max)
{
	if (s.n < min || s.n > max)
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (!(char_class(s.p[i]) & class))
			return false;
	return true;
}

static bool
is_address(struct str s)
{
	char z[INET6_ADDRSTRLEN];
	struct in6_addr a;

	if (str_eq(s, STR("local")))
		return true;
	if (s.n == 0 || s.n >= sizeof(z) || memchr(s.p, 0, s.n))
		return false;
	memcpy(z, s.p, s.n);
	z[s.n] = 0;
	return inet_pton(AF_INET, z, &a) == 1 || inet_pton(AF_INET6, z, &a) == 1;
}

static bool
is_zero_hex(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] != '0')
			return false;
	return true;
}

static bool
is_number(struct str s)
{
	uint64_t v;

	return s.n > 0 && (s.p[0] != '0' || s.n == 1) && !err_is(num_parse_u64(s, RECORD_NUMBER_MAX, &v));
}

bool
record_fits(enum record_type type, struct str s)
{
	switch (type) {
	case TYPE_WORD: return all_of(s, CLASS_WORD, 1, 64);
	case TYPE_TOKEN: return all_of(s, CLASS_TOKEN, 1, 128);
	case TYPE_ADDRESS: return is_address(s);
	case TYPE_ID: return all_of(s, CLASS_HEX, ID_HEX_LEN, ID_HEX_LEN) && !is_zero_hex(s);
	case TYPE_HEX: return all_of(s, CLASS_HEX, 64, 64);
	case TYPE_NUMBER: return is_number(s);
	}
	return false;
}

/* 2026-11-22T00:03:49.123456Z: shape and ranges; the calendar is clock_parse_rfc3339's, where it matters */
static bool
is_time(struct str s)
{
	static const char most[] = "9999-19-39T29:59:59.999999Z";

	if (s.n != CLOCK_RFC3339_LEN)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		bool digit = most[i] >= '0' && most[i] <= '9';

		if (digit ? s.p[i] < '0' || s.p[i] > most[i] : s.p[i] != most[i])
			return false;
	}
	return true;
}

/* the next "name":value of ${c}; the value without its quotes */
static bool
next_member(struct str *rest, struct str *name, struct str *value, bool *quoted)
{
	struct str s = *rest;
	size_t end;

	if (s.n < 2 || s.p[0] != '"')
		return false;
	s = str_sub(s, 1, SIZE_MAX);
	end = str_chr(s, '"');
	if (end == SIZE_MAX || end + 2 >= s.n || s.p[end + 1] != ':')
		return false;
	*name = str_sub(s, 0, end);
	s = str_sub(s, end + 2, SIZE_MAX);
	*quoted = s.p[0] == '"';
	if (*quoted) {
		s = str_sub(s, 1, SIZE_MAX);
		end = str_chr(s, '"');
		if (end == SIZE_MAX)
			return false;
		*value = str_sub(s, 0, end);
		*rest = str_sub(s, end + 1, SIZE_MAX);
		return true;
	}
	for (end = 0; end < s.n && s.p[end] >= '0' && s.p[end] <= '9'; end++)
		;
	*value = str_sub(s, 0, end);
	*rest = str_sub(s, end, SIZE_MAX);
	return true;
}

static bool
take_member(struct entry *e, struct str name, struct str value, bool quoted, enum record_field *from)
{
	if (str_eq(name, STR("n")))
		return !quoted && is_number(value) && !err_is(num_parse_u64(value, RECORD_NUMBER_MAX, &e->n));
	if (str_eq(name, STR("time"))) {
		e->time = value;
		return quoted && is_time(value);
	}
	for (enum record_field f = *from; f < RECORD_FIELD_COUNT; f++) {
		if (!str_eq(name, record_field_name(f)))
			continue;
		if (quoted == (record_field_type(f) == TYPE_NUMBER) || !record_fits(record_field_type(f), value))
			return false;
		e->value[f] = value;
		*from = f + 1;
		return true;
	}
	return false;
}

struct err
entry_parse(struct str json, struct entry *ret)
{
	struct entry e = {0};
	struct str rest = str_sub(json, 1, SIZE_MAX);
	struct str last = STR_NONE;
	enum record_field from = 0;
	bool numbered = false;

	if (json.n < 2 || json.p[0] != '{')
		return ERR(ERR_CORRUPT);
	for (;;) {
		struct str name, value;
		bool quoted;

		if (!next_member(&rest, &name, &value, &quoted) || str_cmp(last, name) >= 0 ||
		    !take_member(&e, name, value, quoted, &from) || rest.n == 0)
			return ERR(ERR_CORRUPT);
		numbered |= name.n == 1;
		last = name;
		if (rest.p[0] == '}')
			break;
		if (rest.p[0] != ',')
			return ERR(ERR_CORRUPT);
		rest = str_sub(rest, 1, SIZE_MAX);
	}
	if (rest.n != 1 || !numbered || e.time.n == 0 || e.value[RECORD_ACT].n == 0 || e.value[RECORD_SERVICE].n == 0)
		return ERR(ERR_CORRUPT);
	*ret = e;
	return OK;
}
