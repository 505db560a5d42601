#include "clinic/fhir.h"

void
fhir_begin(struct fhir_writer *w, struct buf *b)
{
	*w = (struct fhir_writer){.b = b};
	w->start[0] = w->body[0] = b->n;
}

/* A comma if something stands before, and the key. */
static void
lead(struct fhir_writer *w, const char *key)
{
	bool comma = w->depth > 0 && w->b->n != w->body[w->depth];
	size_t n = key ? strlen(key) : 0, all = (comma ? 1 : 0) + (key ? n + 3 : 0);
	char *p = all ? buf_room(w->b, all) : NULL;

	if (!p)
		return;
	if (comma)
		*p++ = ',';
	if (key) {
		*p++ = '"';
		memcpy(p, key, n);
		p += n;
		*p++ = '"';
		*p++ = ':';
	}
	buf_grew(w->b, all);
}

static void
open_level(struct fhir_writer *w, const char *key, char open, char close)
{
	size_t start = w->b->n;

	INVARIANT(w->depth + 1 < FHIR_WRITER_DEPTH);
	lead(w, key);
	buf_put_char(w->b, open);
	w->depth++;
	w->start[w->depth] = start;
	w->body[w->depth] = w->b->n;
	w->close[w->depth] = close;
}

void
fhir_object(struct fhir_writer *w, const char *key)
{
	open_level(w, key, '{', '}');
}

void
fhir_array(struct fhir_writer *w, const char *key)
{
	open_level(w, key, '[', ']');
}

bool
fhir_is_empty(const struct fhir_writer *w)
{
	return w->b->n == w->body[w->depth];
}

void
fhir_end(struct fhir_writer *w)
{
	INVARIANT(w->depth > 0);
	if (fhir_is_empty(w))
		w->b->n = w->start[w->depth]; /* only punctuation and our own key goes */
	else
		buf_put_char(w->b, w->close[w->depth]);
	w->depth--;
}

void
fhir_put_text(struct buf *b, struct str s)
{
	for (size_t i = 0; i < s.n;) {
		size_t run = i;
		unsigned char c;

		while (run < s.n && (unsigned char)s.p[run] >= 0x20 && s.p[run] != '"' && s.p[run] != '\\')
			run++;
		buf_put(b, s.p + i, run - i);
		if (run == s.n)
			break;
		c = (unsigned char)s.p[run];
		i = run + 1;
		if (c == '"' || c == '\\') {
			buf_put_char(b, '\\');
			buf_put_char(b, (char)c);
		} else if (c == '\n' || c == '\r' || c == '\t') {
			buf_put_char(b, '\\');
			buf_put_char(b, c == '\n' ? 'n' : c == '\r' ? 'r' : 't');
		} else {
			buf_put_c(b, "\xEF\xBF\xBD"); /* FHIR's string has no other control character */
		}
	}
}

void
fhir_open_string(struct fhir_writer *w, const char *key)
{
	lead(w, key);
	buf_put_char(w->b, '"');
}

void
fhir_close_string(struct fhir_writer *w)
{
	buf_put_char(w->b, '"');
}

void
fhir_string(struct fhir_writer *w, const char *key, struct str s)
{
	if (!s.n)
		return;
	fhir_open_string(w, key);
	fhir_put_text(w->b, s);
	fhir_close_string(w);
}

void
fhir_literal(struct fhir_writer *w, const char *key, const char *z)
{
	size_t n = strlen(z);
	char *p;

	lead(w, key);
	p = buf_room(w->b, n + 2);
	if (!p)
		return;
	p[0] = '"';
	memcpy(p + 1, z, n);
	p[n + 1] = '"';
	buf_grew(w->b, n + 2);
}

void
fhir_bool(struct fhir_writer *w, const char *key, bool v)
{
	lead(w, key);
	buf_put_c(w->b, v ? "true" : "false");
}

void
fhir_uint(struct fhir_writer *w, const char *key, uint64_t v)
{
	lead(w, key);
	buf_put_dec(w->b, v);
}

static size_t
digits(struct str s)
{
	size_t n = 0;

	while (n < s.n && s.p[n] >= '0' && s.p[n] <= '9')
		n++;
	return n;
}

bool
fhir_decimal(struct fhir_writer *w, const char *key, struct str s)
{
	bool minus;
	struct str whole, part = STR_NONE;
	size_t n;

	s = str_trim(s);
	minus = s.n && s.p[0] == '-';
	if (s.n && (s.p[0] == '-' || s.p[0] == '+'))
		s = str_sub(s, 1, SIZE_MAX);
	n = digits(s);
	whole = str_sub(s, 0, n);
	s = str_sub(s, n, SIZE_MAX);
	if (s.n && s.p[0] == '.') {
		part = str_sub(s, 1, digits(str_sub(s, 1, SIZE_MAX)));
		s = str_sub(s, 1 + part.n, SIZE_MAX);
	}
	if (s.n || whole.n + part.n == 0 || whole.n + part.n > 64)
		return false;
	while (whole.n > 1 && whole.p[0] == '0')
		whole = str_sub(whole, 1, SIZE_MAX);
	lead(w, key);
	if (minus)
		buf_put_char(w->b, '-');
	buf_put_str(w->b, whole.n ? whole : STR("0"));
	if (part.n) {
		buf_put_char(w->b, '.');
		buf_put_str(w->b, part);
	}
	return true;
}
