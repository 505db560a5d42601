#include "ledger/record.h"

#include "base/clock.h"
#include "base/cur.h"
#include "base/num.h"
#include "ledger/entry.h"

static const struct {
	struct str name;
	enum record_type type;
} fields[RECORD_FIELD_COUNT] = {
#define X(suffix, name_, type_) [RECORD_##suffix] = {{name_, sizeof(name_) - 1}, TYPE_##type_},
	RECORD_FIELDS(X)
#undef X
};

_Static_assert(RECORD_FIELD_COUNT <= 32, "the set of fields is 32 bits");
#define ALL_FIELDS ((uint32_t)((UINT64_C(1) << RECORD_FIELD_COUNT) - 1))

enum record_type
record_field_type(enum record_field f)
{
	return fields[f].type;
}

struct str
record_field_name(enum record_field f)
{
	return fields[f].name;
}

static bool
is_text(enum record_field f)
{
	return fields[f].type == TYPE_WORD || fields[f].type == TYPE_TOKEN || fields[f].type == TYPE_ADDRESS;
}

static bool
has(const struct record *r, enum record_field f)
{
	return r->present >> f & 1;
}

void
record_word(struct record *r, enum record_field f, struct str v)
{
	INVARIANT(f < RECORD_FIELD_COUNT && is_text(f));
	if (v.n == 0)
		return;
	r->text[f] = v;
	r->present |= 1u << f;
}

void
record_id(struct record *r, enum record_field f, struct id v)
{
	INVARIANT(f < RECORD_FIELD_COUNT && fields[f].type == TYPE_ID);
	if (id_is_zero(v))
		return;
	r->id[f] = v;
	r->present |= 1u << f;
}

void
record_digest(struct record *r, enum record_field f, const uint8_t v[32])
{
	INVARIANT(f < RECORD_FIELD_COUNT && fields[f].type == TYPE_HEX);
	memcpy(r->digest[f], v, 32);
	r->present |= 1u << f;
}

void
record_number(struct record *r, enum record_field f, uint64_t v)
{
	INVARIANT(f < RECORD_FIELD_COUNT && fields[f].type == TYPE_NUMBER);
	r->number[f] = v;
	r->present |= 1u << f;
}

void
record_encode(const struct record *r, struct buf *b)
{
	buf_put_u32(b, r->present);
	for (enum record_field f = 0; f < RECORD_FIELD_COUNT; f++) {
		if (!has(r, f))
			continue;
		switch (fields[f].type) {
		case TYPE_WORD:
		case TYPE_TOKEN:
		case TYPE_ADDRESS: buf_put_lstr(b, r->text[f]); break;
		case TYPE_ID: buf_put_id(b, r->id[f]); break;
		case TYPE_HEX: buf_put(b, r->digest[f], 32); break;
		case TYPE_NUMBER: buf_put_u64(b, r->number[f]); break;
		}
	}
}

struct err
record_decode(struct cur *c, struct record *ret)
{
	struct record r = {.present = cur_u32(c)};

	if (r.present & ~ALL_FIELDS)
		return ERR(ERR_INVALID);
	for (enum record_field f = 0; f < RECORD_FIELD_COUNT; f++) {
		if (!has(&r, f))
			continue;
		switch (fields[f].type) {
		case TYPE_WORD:
		case TYPE_TOKEN:
		case TYPE_ADDRESS: r.text[f] = cur_lstr(c); break;
		case TYPE_ID: r.id[f] = cur_id(c); break;
		case TYPE_HEX: cur_copy(c, r.digest[f], 32); break;
		case TYPE_NUMBER: r.number[f] = cur_u64(c); break;
		}
	}
	TRY(cur_check(c));
	*ret = r;
	return OK;
}

struct err
record_check(const struct record *r)
{
	/* a record says what was done; which process says so is the ledger's to add */
	if (r->present & ~ALL_FIELDS || !has(r, RECORD_ACT) || has(r, RECORD_SERVICE))
		return ERR(ERR_INVALID);
	for (enum record_field f = 0; f < RECORD_FIELD_COUNT; f++) {
		if (!has(r, f))
			continue;
		if (is_text(f) && !record_fits(fields[f].type, r->text[f]))
			return ERR(ERR_INVALID);
		if (fields[f].type == TYPE_ID && id_is_zero(r->id[f]))
			return ERR(ERR_INVALID);
		if (fields[f].type == TYPE_NUMBER && r->number[f] > RECORD_NUMBER_MAX)
			return ERR(ERR_INVALID);
	}
	return OK;
}

static void
put_name(struct buf *b, struct str name)
{
	buf_put_char(b, '"');
	buf_put_str(b, name);
	buf_put(b, "\":", 2);
}

/* Texts that passed record_check hold nothing that JSON escapes. */
static void
put_value(struct buf *b, const struct record *r, enum record_field f, struct str service)
{
	if (fields[f].type == TYPE_NUMBER) {
		buf_put_dec(b, r->number[f]);
		return;
	}
	buf_put_char(b, '"');
	if (f == RECORD_SERVICE)
		buf_put_str(b, service);
	else if (fields[f].type == TYPE_ID)
		buf_put_id_hex(b, r->id[f]);
	else if (fields[f].type == TYPE_HEX)
		buf_put_hex(b, r->digest[f], 32);
	else
		buf_put_str(b, r->text[f]);
	buf_put_char(b, '"');
}

struct err
record_json(const struct record *r, uint64_t n, int64_t time_us, struct str service, struct buf *b)
{
	char comma = '{';

	TRY(record_check(r));
	if (n > RECORD_NUMBER_MAX || time_us < 0 || !record_fits(TYPE_WORD, service))
		return ERR(ERR_INVALID);
	for (enum record_field f = 0; f < RECORD_FIELD_COUNT; f++) {
		/* "n" and "time" at their places in the order of names */
		if (f == RECORD_NEXT) {
			buf_put_char(b, comma);
			put_name(b, STR("n"));
			buf_put_dec(b, n);
		} else if (f == RECORD_VERSION) {
			buf_put(b, ",\"time\":\"", 9);
			buf_put_rfc3339_us(b, time_us);
			buf_put_char(b, '"');
		}
		if (!has(r, f) && f != RECORD_SERVICE)
			continue;
		buf_put_char(b, comma);
		comma = ',';
		put_name(b, fields[f].name);
		put_value(b, r, f, service);
	}
	buf_put_char(b, '}');
	return buf_check(b);
}
