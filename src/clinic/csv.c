#include "clinic/csv.h"

enum state {
	FIELD,   /* at the begin of a field */
	PLAIN,   /* in one without quotes */
	QUOTED,  /* in quotes */
	QUOTE,   /* after a quote within quotes: the end, or a doubled one */
	SKIP,    /* the record cannot be read: to the end of the line */
};

const char *
csv_reason_name(enum csv_reason r)
{
	static const char *const names[CSV_REASON_COUNT] = {[CSV_OK] = "ok", [CSV_BAD_QUOTE] = "bad-quote", [CSV_UNTERMINATED] = "unterminated",
		[CSV_TOO_LARGE] = "too-large", [CSV_TOO_MANY] = "too-many", [CSV_BAD_ENCODING] = "bad-encoding"};

	INVARIANT(r < CSV_REASON_COUNT);
	return names[r];
}

void
csv_init(struct csv *c, struct err (*each)(void *ctx, const struct csv_record *r), void *ctx)
{
	*c = (struct csv){.each = each, .ctx = ctx, .text = BUF_WIPED(CSV_LIMIT_RECORD), .line = 1, .at_line = 1};
}

void
csv_release(struct csv *c)
{
	buf_release(&c->text);
}

static void
give_up(struct csv *c, enum csv_reason r)
{
	c->reason = r;
	c->state = SKIP;
}

static void
field_end(struct csv *c)
{
	if (c->fields == CSV_LIMIT_FIELDS) {
		give_up(c, CSV_TOO_MANY);
		return;
	}
	c->ends[c->fields++] = (uint32_t)c->text.n;
	c->state = FIELD;
}

static struct err
tell(struct csv *c)
{
	struct str fields[CSV_LIMIT_FIELDS];
	struct csv_record r = {.line = c->at_line, .fields = fields};
	size_t from = 0;

	if (c->text.failed && c->reason == CSV_OK)
		c->reason = CSV_TOO_LARGE;
	if (c->text.no_memory)
		return ERR(ERR_NO_MEMORY);
	r.reason = c->reason;
	for (; r.reason == CSV_OK && r.n < c->fields; r.n++) {
		fields[r.n] = c->ends[r.n] > from ? str_of(c->text.p + from, c->ends[r.n] - from) : STR_NONE;
		from = c->ends[r.n];
		if (!str_is_utf8(fields[r.n]))
			r.reason = CSV_BAD_ENCODING;
	}
	r.n = r.reason == CSV_OK ? r.n : 0;
	return c->each(c->ctx, &r);
}

static struct err
record_end(struct csv *c)
{
	struct err e = OK;

	if (c->began) {
		if (c->state != SKIP)
			field_end(c);
		/* a blank line is no record; a quoted empty field is one */
		if (c->reason != CSV_OK || c->fields > 1 || c->text.n || c->quoted)
			e = tell(c);
	}
	buf_clear(&c->text);
	c->fields = 0;
	c->reason = CSV_OK;
	c->state = FIELD;
	c->began = c->quoted = false;
	c->at_line = c->line;
	return e;
}

/* The header's delimiter is the first of them that stands in it, outside quotes. */
static bool
is_delimiter(struct csv *c, char ch)
{
	if (!c->delimiter && (ch == ',' || ch == '\t' || ch == '|' || ch == ';'))
		c->delimiter = ch;
	return ch == c->delimiter && ch;
}

/* run(c, s, at): as much text as stands together, in one piece. */
static size_t
run(struct csv *c, struct str s, size_t at)
{
	size_t end = at;
	char ch;

	if (c->state == QUOTED) {
		while (end < s.n && s.p[end] != '"' && s.p[end] != '\n')
			end++;
	} else {
		while (end < s.n && (ch = s.p[end]) != '\n' && ch != '\r' && ch != c->delimiter && (c->delimiter || !memchr(",\t|;", ch, 4)))
			end++;
	}
	if (end > at && c->state != SKIP)
		buf_put(&c->text, s.p + at, end - at);
	return end;
}

/* A carriage return ends nothing by itself: before a line end it goes away. */
static void
drop_return(struct csv *c)
{
	if (c->state == PLAIN && c->text.n > (c->fields ? c->ends[c->fields - 1] : 0) && c->text.p[c->text.n - 1] == '\r')
		c->text.n--;
}

static struct err
one(struct csv *c, char ch)
{
	if (ch == '\n')
		c->line++;
	if (ch == '\n' && c->state != QUOTED) {
		drop_return(c);
		return record_end(c);
	}
	if (ch != '\r')
		c->began = true;
	switch ((enum state)c->state) {
	case FIELD:
		if (ch == '"' && c->delimiter != '\t') {
			c->state = QUOTED;
			c->quoted = true;
		} else if (is_delimiter(c, ch)) {
			field_end(c);
		} else {
			c->state = PLAIN;
			buf_put_char(&c->text, ch);
		}
		break;
	case PLAIN:
		if (is_delimiter(c, ch))
			field_end(c);
		else
			buf_put_char(&c->text, ch);
		break;
	case QUOTED:
		if (ch == '"')
			c->state = QUOTE;
		else
			buf_put_char(&c->text, ch);
		break;
	case QUOTE:
		if (ch == '"') {
			buf_put_char(&c->text, ch);
			c->state = QUOTED;
		} else if (is_delimiter(c, ch)) {
			field_end(c);
		} else if (ch != '\r') {
			give_up(c, CSV_BAD_QUOTE);
		}
		break;
	case SKIP: break;
	}
	return OK;
}

struct err
csv_feed(struct csv *c, struct phi bytes)
{
	static const char mark[] = "\xEF\xBB\xBF";
	struct str s = phi_borrow(bytes);
	size_t at = 0;

	while (at < s.n && c->bom < 3 && s.p[at] == mark[c->bom]) {
		c->bom++;
		at++;
	}
	if (at < s.n && c->bom < 3) { /* what began like the mark, in an earlier piece, and was none */
		buf_put(&c->text, mark, c->bom);
		c->began = c->bom > 0;
		c->state = c->bom ? PLAIN : FIELD;
		c->bom = 3;
	}
	while (at < s.n) {
		if (c->state == PLAIN || c->state == QUOTED)
			at = run(c, s, at);
		else if (c->state == SKIP)
			while (at < s.n && s.p[at] != '\n')
				at++;
		/* a quote that is never closed must not swallow the rest of the bytes */
		if (c->text.failed && c->state != SKIP)
			give_up(c, CSV_TOO_LARGE);
		if (at < s.n)
			TRY(one(c, s.p[at++]));
	}
	return c->text.no_memory ? ERR(ERR_NO_MEMORY) : OK;
}

struct err
csv_end(struct csv *c)
{
	if (c->state == QUOTED)
		give_up(c, CSV_UNTERMINATED);
	drop_return(c);
	return record_end(c);
}
