#include "clinic/hl7_ack.h"

#include <time.h>

#include "base/clock.h"

static const char *const codes[] = {[ACK_AA] = "AA", [ACK_AE] = "AE", [ACK_AR] = "AR", [ACK_CA] = "CA", [ACK_CE] = "CE",
	[ACK_CR] = "CR"};

/* A condition of HL7 table 0155. Anything else there, a blank say, asks for nothing that we know, and the sender gets the answer that all senders get. */
static bool
is_condition(struct str s)
{
	return str_eq(s, STR("AL")) || str_eq(s, STR("NE")) || str_eq(s, STR("ER")) || str_eq(s, STR("SU"));
}

bool
hl7_ack_enhanced(const struct hl7_message *m)
{
	return is_condition(hl7_field(m, 0, 15)) || is_condition(hl7_field(m, 0, 16));
}

static bool
is_good(enum ack_code c)
{
	return c == ACK_AA || c == ACK_CA;
}

bool
hl7_ack_wanted(const struct hl7_message *m, enum ack_code code)
{
	bool accept = code == ACK_CA || code == ACK_CE || code == ACK_CR;
	struct str when = hl7_field(m, 0, accept ? 15 : 16);

	if (!hl7_ack_enhanced(m))
		return !accept;
	if (str_eq(when, STR("AL")))
		return true;
	if (str_eq(when, STR("SU")))
		return is_good(code);
	if (str_eq(when, STR("ER")))
		return !is_good(code);
	return false; /* NE, empty: not asked for */
}

enum ack_code
hl7_ack_refusal(bool enhanced, enum hl7_reason r)
{
	/* rejected: not a message that this system can process at all; error: one whose content is wrong */
	bool reject = r == HL7_NO_MEMORY || r == HL7_TOO_LARGE || r == HL7_TOO_MANY || r == HL7_NO_TYPE;

	return enhanced ? reject ? ACK_CR : ACK_CE : reject ? ACK_AR : ACK_AE;
}

static const unsigned fault_codes[] = {[ACK_NOT_STORED] = 207, [ACK_SAME_ID] = 205, [ACK_CUT_OFF] = 100};
static const char *const fault_names[] = {[ACK_NOT_STORED] = "not-stored", [ACK_SAME_ID] = "duplicate-id", [ACK_CUT_OFF] = "cut-off"};

/* Table 0357 */
static unsigned
error_code(const struct hl7_ack *a)
{
	if (a->fault != ACK_NO_FAULT)
		return fault_codes[a->fault];
	switch (a->parse) {
	case HL7_EMPTY:
	case HL7_NO_MSH:
	case HL7_BAD_SEGMENT: return 100;
	case HL7_NO_TYPE:
	case HL7_NO_CONTROL_ID: return 101;
	case HL7_BAD_DELIMITERS:
	case HL7_BAD_ENCODING: return 102;
	case HL7_TOO_LARGE:
	case HL7_TOO_MANY:
	case HL7_NO_MEMORY: return 207;
	case HL7_OK:
	case HL7_REASON_COUNT: break;
	}
	if (a->map == MAP_UNSUPPORTED_TYPE)
		return 200;
	if (a->map == MAP_UNSUPPORTED_EVENT)
		return 201;
	if (a->map == MAP_NO_PATIENT || a->map == MAP_NO_MERGE || a->map == MAP_NO_SCHEDULE || a->map == MAP_MISSING)
		return 101;
	return a->map == MAP_BAD_DATE || a->map == MAP_BAD_NUMBER ? 102 : 207;
}

static const char *
reason_text(const struct hl7_ack *a)
{
	if (a->fault != ACK_NO_FAULT)
		return fault_names[a->fault];
	return a->parse != HL7_OK ? hl7_reason_name(a->parse) : map_reason_name(a->map);
}

struct signs {
	char field, component, sub;
	struct str all; /* MSH-1 and MSH-2 */
};

static bool
is_sign(const struct signs *d, char c)
{
	return c == d->field || str_chr(d->all, c) != SIZE_MAX;
}

/* put_word(out, word, d): a word of ours; a sender whose delimiter is a hyphen gets blanks. */
static void
put_word(struct buf *out, const char *word, const struct signs *d)
{
	for (; *word; word++)
		buf_put_char(out, is_sign(d, *word) ? ' ' : *word);
}

static void
put_time(struct buf *out, int64_t us, bool zone)
{
	time_t s = (time_t)(us / US_PER_S);
	struct tm t;
	char z[32];

	if (!gmtime_r(&s, &t))
		return;
	buf_put(out, z, strftime(z, sizeof(z), zone ? "%Y%m%d%H%M%S+0000" : "%Y%m%d%H%M%S", &t));
}

static void
put_location(struct buf *out, const struct hl7_ack *a, char between)
{
	buf_put_c(out, a->where.segment[0] && a->where.segment[0] != '?' ? a->where.segment : "MSH");
	buf_put_char(out, between);
	buf_put_dec(out, a->where.segment_no ? a->where.segment_no : 1);
	if (!a->where.field)
		return;
	buf_put_char(out, between);
	buf_put_dec(out, a->where.field);
	if (!a->where.component)
		return;
	buf_put_char(out, between);
	buf_put_dec(out, 1);
	buf_put_char(out, between);
	buf_put_dec(out, a->where.component);
}

/* ERR: from v2.5 on ERR-2 to ERR-4; before, ERR-1 with the code as its fourth component. */
static void
put_error(struct buf *out, const struct hl7_ack *a, const struct signs *d, bool old)
{
	buf_put_c(out, "ERR");
	buf_put_char(out, d->field);
	if (old) {
		buf_put_c(out, a->where.segment[0] && a->where.segment[0] != '?' ? a->where.segment : "MSH");
		buf_put_char(out, d->component);
		buf_put_dec(out, a->where.segment_no ? a->where.segment_no : 1);
		buf_put_char(out, d->component);
		if (a->where.field)
			buf_put_dec(out, a->where.field);
		buf_put_char(out, d->component);
		buf_put_dec(out, error_code(a));
		buf_put_char(out, d->sub);
		put_word(out, reason_text(a), d);
		buf_put_char(out, d->sub);
		buf_put_c(out, "HL70357");
	} else {
		buf_put_char(out, d->field);
		put_location(out, a, d->component);
		buf_put_char(out, d->field);
		buf_put_dec(out, error_code(a));
		buf_put_char(out, d->component);
		put_word(out, reason_text(a), d);
		buf_put_char(out, d->component);
		buf_put_c(out, "HL70357");
		buf_put_char(out, d->field);
		buf_put_char(out, 'E');
	}
	buf_put_char(out, '\r');
}

/* Versions before 2.5, by the letters of MSH-12. */
static bool
is_old(struct str version)
{
	return version.n >= 3 && version.p[0] == '2' && version.p[1] == '.' && version.p[2] < '5';
}

static void
put_fields(struct buf *out, char separator, const struct str *fields, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		buf_put_char(out, separator);
		buf_put_str(out, fields[i]);
	}
}

void
hl7_ack_write(const struct hl7_message *m, const struct hl7_ack *a, struct buf *out)
{
	bool known = m->count > 0 && m->field;
	struct signs d = {'|', '^', '&', STR("^~\\&")};
	struct str version = known ? hl7_component(m, hl7_field(m, 0, 12), 1) : STR_NONE;
	struct str event = known ? hl7_component(m, hl7_first(m, hl7_field(m, 0, 9)), 2) : STR_NONE;
	struct str mode = known && hl7_valued(hl7_field(m, 0, 11)) ? hl7_field(m, 0, 11) : STR("P");
	struct str route[4] = {STR_NONE, STR_NONE, STR_NONE, STR_NONE};

	if (known) {
		d = (struct signs){m->field, m->component, m->subcomponent ? m->subcomponent : '&', hl7_field(m, 0, 2)};
		for (unsigned i = 0; i < 4; i++) /* back to where it came from: 5, 6 before 3, 4 */
			route[i] = hl7_field(m, 0, i < 2 ? 5 + i : 1 + i);
	}
	buf_put_c(out, "MSH");
	put_fields(out, d.field, (struct str[]){known ? hl7_field(m, 0, 2) : STR("^~\\&")}, 1);
	put_fields(out, d.field, route, 4);
	buf_put_char(out, d.field);
	put_time(out, a->now_us, !is_sign(&d, '+'));
	put_fields(out, d.field, (struct str[]){STR_NONE, STR("ACK")}, 2);
	if (event.n) {
		buf_put_char(out, d.component);
		buf_put_str(out, event);
		if (!is_old(version)) {
			buf_put_char(out, d.component);
			buf_put_c(out, "ACK");
		}
	}
	put_fields(out, d.field, (struct str[]){a->control_id, mode, version.n ? version : STR("2.5.1")}, 3);
	buf_put_c(out, "\rMSA");
	put_fields(out, d.field, (struct str[]){str_c(codes[a->code]), known ? hl7_field(m, 0, 10) : STR_NONE}, 2);
	if (!is_good(a->code)) {
		buf_put_char(out, d.field);
		put_word(out, reason_text(a), &d);
	}
	buf_put_char(out, '\r');
	if (!is_good(a->code))
		put_error(out, a, &d, is_old(version));
}
