#include "clinic/hl7.h"

#include "clinic/hl7_charset.h"

static const char *const reason_names[HL7_REASON_COUNT] = {
	[HL7_OK] = "ok",
	[HL7_EMPTY] = "empty",
	[HL7_TOO_LARGE] = "too-large",
	[HL7_NO_MSH] = "no-msh",
	[HL7_BAD_DELIMITERS] = "bad-delimiters",
	[HL7_BAD_SEGMENT] = "bad-segment",
	[HL7_TOO_MANY] = "too-many",
	[HL7_BAD_ENCODING] = "bad-encoding",
	[HL7_NO_TYPE] = "no-type",
	[HL7_NO_CONTROL_ID] = "no-control-id",
	[HL7_NO_MEMORY] = "no-memory",
};

const char *
hl7_reason_name(enum hl7_reason r)
{
	INVARIANT(r < HL7_REASON_COUNT);
	return reason_names[r];
}

void
hl7_place_write(struct buf *b, const struct hl7_place *p)
{
	buf_put_c(b, p->segment[0] ? p->segment : "message");
	if (p->field) {
		buf_put_char(b, '-');
		buf_put_dec(b, p->field);
	}
	if (p->component) {
		buf_put_char(b, '.');
		buf_put_dec(b, p->component);
	}
	if (p->segment_no) {
		buf_put_c(b, " (segment ");
		buf_put_dec(b, p->segment_no);
		buf_put_char(b, ')');
	}
}

static bool
is_name_char(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static bool
is_name(const char *p)
{
	return p[0] >= 'A' && p[0] <= 'Z' && is_name_char(p[1]) && is_name_char(p[2]);
}

static bool
is_delimiter(char c)
{
	unsigned char u = (unsigned char)c;

	return u > 0x20 && u < 0x7f && !is_name_char(c) && !(c >= 'a' && c <= 'z') && c != '"';
}

/* The delimiters of MSH, which begins at the text's begin. The fifth character of MSH-2 (truncation, v2.7) is not used. */
static bool
delimiters(struct hl7_message *m)
{
	char d[5] = {0};
	size_t n = 0;

	m->field = m->text.n > 3 ? m->text.p[3] : 0;
	if (!is_delimiter(m->field))
		return false;
	for (size_t i = 4; i < m->text.n; i++) {
		char c = m->text.p[i];

		if (c == m->field || c == '\r' || c == '\n')
			break;
		if (n == sizeof(d) || !is_delimiter(c) || memchr(d, c, n))
			return false;
		d[n++] = c;
	}
	if (n < 1)
		return false;
	m->component = d[0];
	m->repetition = d[1];
	m->escape = d[2];
	m->subcomponent = d[3];
	return true;
}

/* grow(&array, &cap, used, size): room for one more. */
static void *
grow(void *array, size_t *cap, size_t used, size_t first, size_t size)
{
	size_t more = *cap ? *cap * 2 : first;
	void *p;

	if (used < *cap)
		return array;
	p = reallocarray(array, more, size);
	if (p)
		*cap = more;
	return p;
}

static enum hl7_reason
index_field(struct hl7_message *m, struct hl7_segment *s, size_t at)
{
	uint32_t *p = grow(m->index, &m->index_cap, m->index_count, 512, sizeof(*p));

	if (!p)
		return HL7_NO_MEMORY;
	m->index = p;
	if (s->fields == HL7_LIMIT_FIELDS)
		return HL7_TOO_MANY;
	m->index[m->index_count++] = (uint32_t)at;
	s->fields++;
	return HL7_OK;
}

/*
 * One line, ${at} to ${end}, as a segment. Each field's begin goes to the index, and one more: the end plus one. MSH is
 * special: its first separator is field 1, so that the index begins with field 2.
 */
static enum hl7_reason
index_segment(struct hl7_message *m, size_t at, size_t end)
{
	struct hl7_segment *s = grow(m->segments, &m->segments_cap, m->count, 32, sizeof(*s));
	const char *p = m->text.p;
	enum hl7_reason r;

	if (!s)
		return HL7_NO_MEMORY;
	m->segments = s;
	if (m->count == HL7_LIMIT_SEGMENTS)
		return HL7_TOO_MANY;
	s += m->count++;
	*s = (struct hl7_segment){.at = (uint32_t)at, .end = (uint32_t)end, .first = (uint32_t)m->index_count, .name = "???"};
	if (end - at < 3 || !is_name(p + at) || (end - at > 3 && p[at + 3] != m->field))
		return HL7_BAD_SEGMENT;
	memcpy(s->name, p + at, 3);
	for (size_t i = at + 3; i < end;) {
		const char *next;

		r = index_field(m, s, i + 1);
		if (r != HL7_OK)
			return r;
		next = memchr(p + i + 1, m->field, end - i - 1);
		i = next ? (size_t)(next - p) : end;
	}
	r = index_field(m, s, end + 1);
	s->fields--;
	return r;
}

static enum hl7_reason
index_segments(struct hl7_message *m)
{
	const char *p = m->text.p;
	size_t n = m->text.n;

	for (size_t at = 0; at < n;) {
		size_t end = at;
		enum hl7_reason r;

		while (end < n && p[end] != '\r' && p[end] != '\n')
			end++;
		/* an empty line, or trailing blanks of a file */
		if (str_trim(str_of(p + at, end - at)).n != 0) {
			r = index_segment(m, at, end);
			if (r != HL7_OK)
				return r;
		}
		at = end + 1;
	}
	return HL7_OK;
}

/* MSH-18, before anything is indexed: the 17th field after MSH-1. */
static struct str
declared_charset(struct str text, char field)
{
	size_t at = 3, n = 1;

	for (; at < text.n && text.p[at] != '\r' && text.p[at] != '\n'; at++) {
		size_t end;

		if (text.p[at] != field || ++n != 18)
			continue;
		for (end = ++at; end < text.n && text.p[end] != field && text.p[end] != '\r' && text.p[end] != '\n'; end++)
			;
		return str_of(text.p + at, end - at);
	}
	return STR_NONE;
}

static enum hl7_reason
decode_charset(struct hl7_message *m)
{
	struct str all = declared_charset(m->text, m->field), name = hl7_first(m, all);
	enum hl7_charset said = HL7_UTF8;
	enum charset_word word = charset_word(name, &said);

	if (str_is_utf8(m->text)) {
		m->charset_guessed = word == CHARSET_UNKNOWN;
		return HL7_OK; /* valid UTF-8 with more than ASCII is never by chance another set */
	}
	if (word == CHARSET_UNKNOWN)
		return HL7_BAD_ENCODING;
	m->charset = word == CHARSET_KNOWN && said != HL7_UTF8 ? said : HL7_CP1252;
	m->charset_guessed = said != m->charset;
	m->converted = BUF_WIPED(3 * HL7_LIMIT_BYTES);
	charset_convert(m->charset, m->text, &m->converted);
	if (err_is(buf_check(&m->converted)))
		return HL7_NO_MEMORY;
	m->text = buf_str(&m->converted);
	return m->text.n > UINT32_MAX - 2 ? HL7_TOO_LARGE : HL7_OK;
}

static enum hl7_reason
parse(struct hl7_message *m, struct hl7_place *where)
{
	enum hl7_reason r;

	if (str_starts(m->text, STR("\xEF\xBB\xBF")))
		m->text = str_sub(m->text, 3, SIZE_MAX);
	while (m->text.n && strchr("\r\n\t ", m->text.p[0]) && m->text.p[0])
		m->text = str_sub(m->text, 1, SIZE_MAX);
	if (!m->text.n)
		return HL7_EMPTY;
	*where = (struct hl7_place){.segment_no = 1};
	if (!str_starts(m->text, STR("MSH")))
		return HL7_NO_MSH;
	*where = (struct hl7_place){.segment_no = 1, .segment = "MSH", .field = 1};
	if (!delimiters(m))
		return HL7_BAD_DELIMITERS;
	where->field = 18;
	r = decode_charset(m);
	if (r != HL7_OK)
		return r;
	r = index_segments(m);
	if (r != HL7_OK) {
		*where = (struct hl7_place){.segment_no = (uint32_t)m->count};
		if (m->count)
			memcpy(where->segment, m->segments[m->count - 1].name, sizeof(where->segment));
		return r;
	}
	where->field = 9;
	if (!hl7_valued(hl7_first(m, hl7_field(m, 0, 9))))
		return HL7_NO_TYPE;
	where->field = 10;
	if (!hl7_valued(hl7_field(m, 0, 10)))
		return HL7_NO_CONTROL_ID;
	return HL7_OK;
}

enum hl7_reason
hl7_parse(struct phi in, struct hl7_message *m, struct hl7_place *ret_where)
{
	struct hl7_place where = {0};
	enum hl7_reason r = HL7_TOO_LARGE;

	*m = (struct hl7_message){.charset = HL7_UTF8};
	if (phi_size(in) <= HL7_LIMIT_BYTES) {
		m->text = phi_borrow(in);
		r = parse(m, &where);
	}
	if (r != HL7_OK)
		*ret_where = where;
	return r;
}

void
hl7_release(struct hl7_message *m)
{
	buf_release(&m->converted);
	free(m->segments);
	free(m->index);
	*m = (struct hl7_message){0};
}

size_t
hl7_find(const struct hl7_message *m, const char *name, size_t from)
{
	for (size_t i = from; i < m->count; i++)
		if (memcmp(m->segments[i].name, name, 3) == 0)
			return i;
	return SIZE_MAX;
}

struct str
hl7_field(const struct hl7_message *m, size_t segment, unsigned n)
{
	const struct hl7_segment *s;
	const uint32_t *at;

	if (segment >= m->count || n == 0)
		return STR_NONE;
	s = &m->segments[segment];
	if (segment == 0) { /* MSH */
		if (n == 1)
			return str_of(m->text.p + s->at + 3, 1);
		n--;
	}
	if (n > s->fields)
		return STR_NONE;
	at = m->index + s->first + n - 1;
	return str_of(m->text.p + at[0], at[1] - at[0] - 1);
}

/* memchr, without the cost of a call where the next delimiter is near, as it is but in documents. */
static const char *
seek(const char *p, char c, size_t n)
{
	size_t near = n < 24 ? n : 24;

	for (size_t i = 0; i < near; i++)
		if (p[i] == c)
			return p + i;
	return n > near ? memchr(p + near, c, n - near) : NULL;
}

/* cut(s, c, n): the ${n}th part between ${c}s; all of it is the first if ${c} is 0. */
static struct str
cut(struct str s, char c, unsigned n)
{
	const char *p = s.p, *end;

	if (!s.n || n == 0)
		return STR_NONE;
	if (!c)
		return n == 1 ? s : STR_NONE;
	for (;; n--) {
		const char *next = seek(p, c, s.n - (size_t)(p - s.p));

		end = next ? next : s.p + s.n;
		if (n == 1)
			return str_of(p, (size_t)(end - p));
		if (!next)
			return STR_NONE;
		p = next + 1;
	}
}

bool
hl7_repetition(const struct hl7_message *m, struct str *rest, struct str *ret)
{
	const char *next;

	if (!rest->p)
		return false;
	next = m->repetition && rest->n ? memchr(rest->p, m->repetition, rest->n) : NULL;
	if (next) {
		*ret = str_of(rest->p, (size_t)(next - rest->p));
		*rest = str_of(next + 1, rest->n - ret->n - 1);
	} else {
		*ret = *rest;
		*rest = STR_NONE;
	}
	return true;
}

struct str
hl7_first(const struct hl7_message *m, struct str field)
{
	return cut(field, m->repetition, 1);
}

struct str
hl7_component(const struct hl7_message *m, struct str rep, unsigned n)
{
	return cut(rep, m->component, n);
}

struct str
hl7_subcomponent(const struct hl7_message *m, struct str component, unsigned n)
{
	return cut(component, m->subcomponent, n);
}

bool
hl7_escaped(const struct hl7_message *m, struct str s)
{
	return m->escape && s.n && memchr(s.p, m->escape, s.n);
}

/* decode_hex(m, digits, b): \Xdddd..\; false if they are not pairs of hexadecimal digits. */
static bool
decode_hex(const struct hl7_message *m, struct str digits, struct buf *b)
{
	AUTO_BUF raw = BUF_WIPED(HL7_LIMIT_BYTES);

	if (!digits.n || err_is(buf_decode_hex(&raw, digits)))
		return false;
	/* what is not UTF-8 in a message of UTF-8 comes from a sender of something else */
	charset_convert(m->charset == HL7_UTF8 && !str_is_utf8(buf_str(&raw)) ? HL7_CP1252 : m->charset, buf_str(&raw), b);
	return true;
}

/* decode_one(m, s, b): what stands between two escape characters; false if it is no escape sequence. */
static bool
decode_one(const struct hl7_message *m, struct str s, struct buf *b)
{
	static const struct {
		struct str is;
		char what;
	} breaks[] = {{STR(".br"), '\n'}, {STR(".ce"), '\n'}, {STR(".sp"), '\n'}, {STR("H"), 0}, {STR("N"), 0}, {STR(".fi"), 0},
		{STR(".nf"), 0}};
	char d = 0;

	if (s.n == 1)
		d = s.p[0] == 'F' ? m->field : s.p[0] == 'S' ? m->component : s.p[0] == 'T' ? m->subcomponent
		    : s.p[0] == 'R' ? m->repetition : s.p[0] == 'E' ? m->escape : 0;
	if (d) {
		buf_put_char(b, d);
		return true;
	}
	if (s.n > 1 && s.p[0] == 'X')
		return decode_hex(m, str_sub(s, 1, SIZE_MAX), b);
	if (s.n == 5 && s.p[0] == 'C')
		return true; /* a switch to a single-byte character set of ISO 2022, not followed */
	for (size_t i = 0; i < ARRAY_LEN(breaks); i++) {
		uint64_t times = 1;

		if (!str_starts(s, breaks[i].is))
			continue;
		if (s.n > breaks[i].is.n && (s.p[0] != '.' ||
		    err_is(num_parse_u64(str_trim(str_sub(s, breaks[i].is.n, SIZE_MAX)), 99, &times))))
			continue;
		for (; breaks[i].what && times > 0; times--)
			buf_put_char(b, breaks[i].what);
		return true;
	}
	return false;
}

void
hl7_decode(const struct hl7_message *m, struct str s, struct buf *b)
{
	while (hl7_escaped(m, s)) {
		size_t open = str_chr(s, m->escape), n;
		struct str rest = str_sub(s, open + 1, SIZE_MAX);

		buf_put(b, s.p, open);
		n = str_chr(rest, m->escape);
		if (n != SIZE_MAX && decode_one(m, str_sub(rest, 0, n), b)) {
			s = str_sub(rest, n + 1, SIZE_MAX);
			continue;
		}
		buf_put_char(b, m->escape); /* kept as it is: text with a lone backslash is common */
		s = rest;
	}
	buf_put(b, s.p, s.n);
}
