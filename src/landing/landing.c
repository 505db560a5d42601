#include "landing/landing.h"

#define ENTRY_FIXED (1 + 1 + 2 + 16 + 8 + 3 * 2 + 4)

static const char *const form_words[LANDING_FORM_COUNT] = {
	[LANDING_HL7V2] = "hl7v2",
	[LANDING_FHIR] = "fhir",
	[LANDING_TABLE] = "table",
	[LANDING_DEVICE] = "device",
	[LANDING_UNKNOWN] = "unknown",
};

const char *
landing_form_word(enum landing_form f)
{
	INVARIANT(f >= LANDING_HL7V2 && f < LANDING_FORM_COUNT);
	return form_words[f];
}

void
landing_begin(struct buf *segment)
{
	buf_put_str(segment, STR(LANDING_MAGIC));
}

size_t
landing_entry_bytes(const struct landing_entry *e)
{
	return ENTRY_FIXED + e->address.n + e->name.n + phi_size(e->topic) + phi_size(e->bytes);
}

static void
put_word(struct buf *b, struct str s)
{
	INVARIANT(s.n <= LIMIT_LANDING_WORD);
	buf_put_u16(b, (uint16_t)s.n);
	buf_put_str(b, s);
}

void
landing_add(struct buf *segment, const struct landing_entry *e)
{
	INVARIANT(e->form >= LANDING_HL7V2 && e->form < LANDING_FORM_COUNT && e->status < LANDING_STATUS_COUNT);
	INVARIANT(phi_size(e->bytes) <= LIMIT_LANDING_MESSAGE);
	buf_put_u8(segment, (uint8_t)e->form);
	buf_put_u8(segment, (uint8_t)e->status);
	buf_put_u16(segment, 0);
	buf_put_id(segment, e->feed);
	buf_put_u64(segment, (uint64_t)e->received_us);
	put_word(segment, e->address);
	put_word(segment, e->name);
	put_word(segment, phi_borrow(e->topic));
	buf_put_lstr(segment, phi_borrow(e->bytes));
}

struct err
landing_open(struct str segment, struct cur *ret)
{
	struct cur c = cur_of(segment);

	if (segment.n > LIMIT_LANDING_SEGMENT || !str_eq(cur_bytes(&c, sizeof(LANDING_MAGIC) - 1), STR(LANDING_MAGIC)))
		return ERR(ERR_CORRUPT);
	*ret = c;
	return OK;
}

static struct str
take_word(struct cur *c)
{
	struct str s = cur_bytes(c, cur_u16(c));

	if (s.n > LIMIT_LANDING_WORD)
		c->failed = true;
	return s;
}

struct err
landing_next(struct cur *c, struct landing_entry *ret, bool *ret_more)
{
	struct landing_entry e;
	uint8_t form, status;
	uint16_t zero;
	struct str topic, bytes;

	if (!c->failed && c->n == 0) {
		*ret_more = false;
		return OK;
	}
	form = cur_u8(c);
	status = cur_u8(c);
	zero = cur_u16(c);
	e.feed = cur_id(c);
	e.received_us = (int64_t)cur_u64(c);
	e.address = take_word(c);
	e.name = take_word(c);
	topic = take_word(c);
	bytes = cur_lstr(c);
	if (err_is(cur_check(c)) || form < LANDING_HL7V2 || form >= LANDING_FORM_COUNT || status >= LANDING_STATUS_COUNT || zero ||
	    bytes.n > LIMIT_LANDING_MESSAGE) {
		c->failed = true;
		return ERR(ERR_CORRUPT);
	}
	e.form = (enum landing_form)form;
	e.status = (enum landing_status)status;
	e.topic = phi_of(topic.p, topic.n);
	e.bytes = phi_of(bytes.p, bytes.n);
	*ret = e;
	*ret_more = true;
	return OK;
}

/* ---- what an object may be ---- */

static struct str
without_lead(struct str s)
{
	if (str_starts(s, STR("\xef\xbb\xbf")))
		s = str_sub(s, 3, SIZE_MAX);
	while (s.n && (s.p[0] == ' ' || s.p[0] == '\t' || s.p[0] == '\r' || s.p[0] == '\n' || s.p[0] == '\x0b'))
		s = str_sub(s, 1, SIZE_MAX);
	return s;
}

/* A segment name and a field separator; FHS and BHS begin files of several messages (HL7 v2 chapter 2, "2.10.3 HL7 batch protocol"). */
static bool
is_hl7(struct str s)
{
	static const struct str names[] = {STR("MSH"), STR("FHS"), STR("BHS")};
	char separator = s.n > 3 ? s.p[3] : 'A';

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (str_starts(s, names[i]))
			return separator > ' ' && separator < 0x7f && !(separator >= 'A' && separator <= 'Z') &&
			       !(separator >= 'a' && separator <= 'z') && !(separator >= '0' && separator <= '9');
	return false;
}

static bool
has(struct str s, struct str word)
{
	return str_find(s, word) != SIZE_MAX;
}

static enum landing_form
by_ending(struct str key)
{
	static const struct {
		struct str ending;
		enum landing_form form;
	} endings[] = {
		{STR(".hl7"), LANDING_HL7V2}, {STR(".hl7v2"), LANDING_HL7V2}, {STR(".ndjson"), LANDING_FHIR}, {STR(".json"), LANDING_FHIR},
		{STR(".csv"), LANDING_TABLE}, {STR(".tsv"), LANDING_TABLE}, {STR(".parquet"), LANDING_TABLE}};

	for (size_t i = 0; i < ARRAY_LEN(endings); i++)
		if (key.n >= endings[i].ending.n &&
		    str_eq_nocase(str_sub(key, key.n - endings[i].ending.n, SIZE_MAX), endings[i].ending))
			return endings[i].form;
	return LANDING_UNKNOWN;
}

enum landing_form
landing_sniff(struct str key, struct phi head)
{
	struct str s = without_lead(phi_borrow(phi_sub(head, 0, LANDING_SNIFF_BYTES)));

	if (is_hl7(s))
		return LANDING_HL7V2;
	if (str_starts(s, STR("PAR1")))
		return LANDING_TABLE;
	if (s.n && (s.p[0] == '{' || s.p[0] == '[')) {
		if (has(s, STR("\"resourceType\"")))
			return LANDING_FHIR;
		if (has(s, STR("\"device\"")))
			return LANDING_DEVICE;
	}
	return by_ending(key);
}
