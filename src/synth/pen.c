#include "synth/pen.h"

void
pen_begin(struct pen *w, enum pen_form form)
{
	if (!w->b.max) {
		w->b = BUF(SYNTH_RECORD_MAX);
		w->marks = BUF(SYNTH_RECORD_MAX);
	}
	buf_clear(&w->b);
	buf_clear(&w->marks);
	w->form = form;
}

void
pen_release(struct pen *w)
{
	buf_release(&w->b);
	buf_release(&w->marks);
}

void
pen_dec(struct pen *w, uint64_t v)
{
	char out[20];
	size_t i = sizeof(out);

	do
		out[--i] = (char)('0' + v % 10);
	while ((v /= 10) != 0);
	pen_put(w, out + i, sizeof(out) - i);
}

void
pen_value(struct pen *w, int32_t v, uint8_t decimals)
{
	uint32_t unit = 1;

	INVARIANT(v >= 0);
	for (uint8_t i = 0; i < decimals; i++)
		unit *= 10;
	pen_dec(w, (uint32_t)v / unit);
	if (!decimals)
		return;
	pen_char(w, '.');
	for (uint32_t left = (uint32_t)v % unit; unit > 1; left %= unit) {
		unit /= 10;
		pen_char(w, (char)('0' + left / unit));
	}
}

/* HL7 v2.5.1 2.7: the delimiters, and \.br\ for a line's end, which FT and TX allow */
static const char *
hl7_escape(char c)
{
	switch (c) {
	case '|':
		return "\\F\\";
	case '^':
		return "\\S\\";
	case '&':
		return "\\T\\";
	case '~':
		return "\\R\\";
	case '\\':
		return "\\E\\";
	case '\n':
		return "\\.br\\";
	default:
		return NULL;
	}
}

static const char *
json_escape(char c)
{
	switch (c) {
	case '"':
		return "\\\"";
	case '\\':
		return "\\\\";
	case '\n':
		return "\\n";
	default:
		return NULL;
	}
}

/* Text comes from our own lists, or from a folder of upper-case names: no control characters but the line's end. */
void
pen_text(struct pen *w, struct str s)
{
	size_t from = 0;

	for (size_t i = 0; i < s.n && w->form != PEN_PLAIN; i++) {
		const char *as = w->form == PEN_HL7 ? hl7_escape(s.p[i]) : w->form == PEN_JSON ? json_escape(s.p[i]) :
		    s.p[i] == '"' ? "\"\"" : NULL; /* RFC 4180 */

		if (!as)
			continue;
		pen_put(w, s.p + from, i - from);
		pen_c(w, as);
		from = i + 1;
	}
	pen_put(w, s.p + from, s.n - from);
}

void
pen_mark(struct pen *w, size_t from, enum synth_category c, enum synth_whose whose)
{
	struct synth_mark m = {.at = (uint32_t)from, .n = (uint32_t)(w->b.n - from), .category = (uint8_t)c, .whose = (uint8_t)whose};

	buf_put(&w->marks, &m, sizeof(m));
}

void
pen_id(struct pen *w, enum synth_category c, const char *z)
{
	pen_id_str(w, c, WHOSE_PATIENT, str_c(z));
}

void
pen_id_str(struct pen *w, enum synth_category c, enum synth_whose whose, struct str s)
{
	size_t from = w->b.n;

	pen_text(w, s);
	pen_mark(w, from, c, whose);
}

void
pen_day_basic(struct pen *w, int32_t day)
{
	size_t from = w->b.n;
	char out[8];

	civil_put_basic(out, day);
	pen_put(w, out, sizeof(out));
	pen_mark(w, from, CATEGORY_DATE, WHOSE_PATIENT);
}

void
pen_day_iso(struct pen *w, int32_t day)
{
	size_t from = w->b.n;
	char out[10];

	civil_put_extended(out, day);
	pen_put(w, out, sizeof(out));
	pen_mark(w, from, CATEGORY_DATE, WHOSE_PATIENT);
}

void
pen_time_basic(struct pen *w, int64_t s)
{
	size_t from = w->b.n;
	char out[19], clock[8];

	civil_put_basic(out, civil_day_of(s));
	civil_put_clock(clock, s);
	memcpy(out + 8, clock, 2);
	memcpy(out + 10, clock + 3, 2);
	memcpy(out + 12, clock + 6, 2);
	memcpy(out + 14, "-0500", 5);
	pen_put(w, out, sizeof(out));
	pen_mark(w, from, CATEGORY_DATE, WHOSE_PATIENT);
}

static void
time_extended(struct pen *w, int64_t s, char between)
{
	char out[19];

	civil_put_extended(out, civil_day_of(s));
	out[10] = between;
	civil_put_clock(out + 11, s);
	pen_put(w, out, sizeof(out));
}

void
pen_time_iso(struct pen *w, int64_t s)
{
	size_t from = w->b.n;

	time_extended(w, s, 'T');
	PEN(w, "-05:00");
	pen_mark(w, from, CATEGORY_DATE, WHOSE_PATIENT);
}

void
pen_time_ms(struct pen *w, int64_t s, uint32_t ms)
{
	size_t from = w->b.n;

	time_extended(w, s, 'T');
	PEN(w, ".");
	for (uint32_t unit = 100; unit; unit /= 10)
		pen_char(w, (char)('0' + ms / unit % 10));
	PEN(w, "-05:00");
	pen_mark(w, from, CATEGORY_DATE, WHOSE_PATIENT);
}

void
pen_time_sql(struct pen *w, int64_t s)
{
	size_t from = w->b.n;

	time_extended(w, s, ' ');
	pen_mark(w, from, CATEGORY_DATE, WHOSE_PATIENT);
}

void
pen_base64(struct pen *w, const struct pen *plain)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const struct synth_mark *marks = (const void *)plain->marks.p;
	const uint8_t *in = (const void *)plain->b.p;
	size_t n = plain->b.n, from = w->b.n, size = (n + 2) / 3 * 4;
	char *out = buf_room(&w->b, size);

	if (!out)
		return;
	for (size_t i = 0; i < n; i += 3, out += 4) {
		uint32_t v = (uint32_t)in[i] << 16 | (i + 1 < n ? (uint32_t)in[i + 1] << 8 : 0) | (i + 2 < n ? in[i + 2] : 0);

		out[0] = digits[v >> 18];
		out[1] = digits[v >> 12 & 63];
		out[2] = i + 1 < n ? digits[v >> 6 & 63] : '=';
		out[3] = i + 2 < n ? digits[v & 63] : '=';
	}
	buf_grew(&w->b, size);
	for (size_t i = 0; i < plain->marks.n / sizeof(*marks); i++) {
		struct synth_mark m = marks[i];

		m.base64_at = (uint32_t)from;
		m.base64_n = (uint32_t)size;
		buf_put(&w->marks, &m, sizeof(m));
	}
}

struct err
pen_send(struct pen *w, struct synth_sink sink, struct synth_record *r)
{
	TRY(buf_check(&w->b));
	TRY(buf_check(&w->marks));
	r->bytes = buf_str(&w->b);
	r->marks = (const void *)w->marks.p;
	r->marks_n = w->marks.n / sizeof(struct synth_mark);
	return sink.put(sink.ctx, r);
}

const char *const wards[WARDS] = {"4W", "5E", "ICU", "MAT", "PED", "SUR"};

void
pen_bed(struct pen *w, const struct synth_move *m, char separator)
{
	pen_c(w, wards[m->ward]);
	pen_char(w, separator);
	pen_dec(w, m->room);
	pen_char(w, separator);
	pen_char(w, (char)('A' + m->bed));
}
