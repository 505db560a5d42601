/* What all forms share: ids, rows, and where a unit begins and ends in bytes that come cut anywhere. */
#include "clinic/landed_private.h"

#include "clinic/json_scan.h"

/* ---- ids ---- */

struct map_id
landed_key_parts(struct landed *l, const char *type, const struct str *parts, size_t n)
{
	uint8_t mac[SHA256_BYTES];
	struct map_id id;

	buf_clear(&l->key);
	buf_put_lstr(&l->key, l->o.feed);
	buf_put_lstr(&l->key, str_c(type));
	for (size_t i = 0; i < n; i++)
		buf_put_lstr(&l->key, parts[i]);
	mac_sha256(l->o.key, buf_str(&l->key), mac);
	memcpy(id.b, mac, sizeof(id.b));
	id.b[6] = (uint8_t)(0x80 | (id.b[6] & 0x0f));
	id.b[8] = (uint8_t)(0x80 | (id.b[8] & 0x3f));
	return id;
}

struct map_id
landed_key(struct landed *l, const char *type, struct str source)
{
	return landed_key_parts(l, type, &source, 1);
}

void
landed_id_text(const struct map_id *id, char out[LANDED_ID_CHARS])
{
	AUTO_BUF b = BUF(LANDED_ID_CHARS);

	map_put_id(&b, id);
	INVARIANT(b.n == LANDED_ID_CHARS);
	memcpy(out, b.p, LANDED_ID_CHARS);
}

/* ---- what becomes of a unit ---- */

uint32_t
landed_part(const struct landed *l)
{
	return l->o.part ? l->o.part : l->units;
}

struct err
landed_emit(struct landed *l, enum landed_op op, const char *type, const struct map_id *id, const struct map_id *patient, struct str body)
{
	char text[LANDED_ID_CHARS], whose[LANDED_ID_CHARS];
	struct landed_row r = {.op = op, .type = type, .id = str_of(text, sizeof(text)), .part = landed_part(l), .body = phi_of(body.p, body.n)};

	landed_id_text(id, text);
	if (patient) {
		landed_id_text(patient, whose);
		r.patient = str_of(whose, sizeof(whose));
	}
	return l->sink.row(l->sink.ctx, &r);
}

struct err
landed_used(struct landed *l)
{
	return l->sink.unit(l->sink.ctx, &(struct landed_unit){.part = landed_part(l), .place = ""});
}

struct err
landed_refused(struct landed *l, const char *reason, const char *place)
{
	char word[LANDED_PLACE_BYTES];

	landed_place(word, str_c(place));
	return l->sink.unit(l->sink.ctx, &(struct landed_unit){.part = landed_part(l), .reason = reason, .place = word});
}

void
landed_place(char out[LANDED_PLACE_BYTES], struct str s)
{
	size_t n = 0;

	for (size_t i = 0; i < s.n && n < LANDED_PLACE_BYTES - 1; i++) {
		char c = s.p[i];

		if (c >= 'A' && c <= 'Z')
			c = (char)(c - 'A' + 'a');
		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.'))
			c = '-';
		if (c == '-' && (!n || out[n - 1] == '-'))
			continue;
		out[n++] = c;
	}
	while (n && out[n - 1] == '-')
		n--;
	out[n] = '\0';
}

/* ---- one unit ---- */

static struct err
unit(struct landed *l, struct str s)
{
	switch (l->form) {
	case LANDED_HL7: return landed_hl7_unit(l, s);
	case LANDED_FHIR: return landed_fhir_unit(l, s);
	case LANDED_DEVICE: return landed_device_unit(l, s);
	case LANDED_TABLE: break;
	}
	return OK;
}

static struct err
flush(struct landed *l)
{
	struct err e;

	if (l->text.no_memory)
		return ERR(ERR_NO_MEMORY);
	l->units++;
	e = l->skipping || l->text.failed ? landed_refused(l, "too-large", "") : unit(l, buf_str(&l->text));
	buf_clear(&l->text);
	l->skipping = false;
	return e;
}

static void
collect(struct landed *l, struct str s)
{
	if (l->skipping)
		return;
	buf_put_str(&l->text, s);
	if (l->text.failed && !l->text.no_memory) {
		buf_clear(&l->text);
		l->skipping = true;
	}
}

static bool
blank(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!memchr(" \t\r\n\f\v", s.p[i], 6))
			return false;
	return true;
}

/* ---- JSON: a document, or one a line ---- */

/* Is it whole by itself? */
static bool
balanced(struct str s)
{
	size_t at = json_skip_space(s, 0);

	return at < s.n && s.p[at] == '{' && !json_is_deeper(s, FHIR_LIMIT_DEPTH) && blank(str_sub(s, json_skip_value(s, at), SIZE_MAX)) &&
	    str_ends(str_trim(str_of(s.p, s.n && s.p[s.n - 1] == '\r' ? s.n - 1 : s.n)), STR("}"));
}

/* choose(l): the first line that says something tells: it is a document by itself, or the begin of one. */
static void
choose(struct landed *l)
{
	if (l->skipping)
		l->split = str_ends(l->name, STR(".ndjson")) ? SPLIT_LINES : SPLIT_WHOLE;
	else
		l->split = str_ends(l->name, STR(".ndjson")) || balanced(buf_str(&l->text)) ? SPLIT_LINES : SPLIT_WHOLE;
}

static struct err
line_end(struct landed *l)
{
	if (!l->skipping && blank(buf_str(&l->text))) {
		buf_clear(&l->text);
		return OK;
	}
	if (l->split == SPLIT_UNKNOWN)
		choose(l);
	if (l->split == SPLIT_LINES)
		return flush(l);
	collect(l, STR("\n"));
	return OK;
}

static struct err
feed_json(struct landed *l, struct str s)
{
	while (s.n) {
		size_t n = l->split == SPLIT_WHOLE ? SIZE_MAX : str_chr(s, '\n');

		collect(l, str_sub(s, 0, n));
		if (n == SIZE_MAX)
			return l->text.no_memory ? ERR(ERR_NO_MEMORY) : OK;
		s = str_sub(s, n + 1, SIZE_MAX);
		TRY(line_end(l));
	}
	return OK;
}

/* ---- HL7: a message begins with MSH at the begin of a line; envelopes of batches and MLLP frames around it are left out ---- */

static bool
begins(struct str s, const char *name)
{
	return s.n > 3 && memcmp(s.p, name, 3) == 0 && !((s.p[3] >= '0' && s.p[3] <= '9') || (s.p[3] >= 'A' && s.p[3] <= 'Z'));
}

/* move_up(l): what is before the present line has been dealt with. */
static void
move_up(struct landed *l)
{
	size_t n = l->text.n - l->line_at;

	memmove(l->text.p, l->text.p + l->line_at, n);
	explicit_bzero(l->text.p + n, l->text.n - n);
	l->text.n = n;
	l->line_at = 0;
}

/* message_end(l): what was collected before the present line is a message; the line stays. */
static struct err
message_end(struct landed *l)
{
	struct str before = str_of(l->text.p, l->line_at);
	struct err e = OK;

	if (!blank(before)) {
		l->units++;
		e = unit(l, before);
	}
	move_up(l);
	return e;
}

static struct err
segment_end(struct landed *l)
{
	struct str line = str_sub(buf_str(&l->text), l->line_at, SIZE_MAX);
	bool envelope = begins(line, "FHS") || begins(line, "BHS") || begins(line, "BTS") || begins(line, "FTS");

	l->head_n = 0;
	if (l->skipping)
		return OK;
	if (l->line_at && (envelope || begins(line, "MSH")))
		TRY(message_end(l));
	if (envelope)
		buf_clear(&l->text);
	else
		collect(l, STR("\r"));
	l->line_at = l->text.n;
	return OK;
}

/* skip(l, s): in a message that is too large; a line that begins with MSH ends it. */
static struct err
skip(struct landed *l, struct str *s)
{
	while (s->n && l->head_n < sizeof(l->head)) {
		l->head[l->head_n++] = s->p[0];
		*s = str_sub(*s, 1, SIZE_MAX);
	}
	if (!begins(str_of(l->head, l->head_n), "MSH"))
		return OK;
	TRY(flush(l));
	l->line_at = 0;
	collect(l, str_of(l->head, l->head_n));
	return OK;
}

static struct err
feed_hl7(struct landed *l, struct str s)
{
	while (s.n) {
		size_t n = 0;
		struct str line;

		/* a payload that came by MLLP is without its frame already */
		while (n < s.n && s.p[n] != '\r' && s.p[n] != '\n' && (l->o.part || (s.p[n] != 0x0B && s.p[n] != 0x1C)))
			n++;
		line = str_sub(s, 0, n);
		if (l->skipping)
			TRY(skip(l, &line));
		collect(l, line);
		if (l->text.no_memory)
			return ERR(ERR_NO_MEMORY);
		if (n == s.n)
			return OK;
		s = str_sub(s, n + 1, SIZE_MAX);
		TRY(segment_end(l));
	}
	return OK;
}

static struct err
end_hl7(struct landed *l)
{
	if (l->skipping)
		return flush(l);
	TRY(segment_end(l));
	if (!blank(buf_str(&l->text)) || (l->o.part && !l->units))
		return flush(l);
	return OK;
}

/* ---- the face ---- */

struct err
landed_new(enum landed_form form, const struct landed_options *o, struct str name, const struct landed_sink *s, struct landed **ret)
{
	struct landed *l = calloc(1, sizeof(*l));

	if (!l)
		return ERR(ERR_NO_MEMORY);
	l->form = form;
	l->o = *o;
	l->name = name;
	l->sink = *s;
	l->text = BUF_WIPED(LANDED_LIMIT_BYTES);
	l->key = BUF_WIPED(LANDED_LIMIT_BYTES + 4 * KiB);
	/* a patch's nulls and a pool's ids beside what came; base64 of a note, control characters escaped */
	l->body = BUF_WIPED(4 * LANDED_LIMIT_BYTES);
	l->more = BUF_WIPED(4 * LANDED_LIMIT_BYTES);
	l->split = form == LANDED_HL7 ? SPLIT_HL7 : form == LANDED_TABLE ? SPLIT_CSV : SPLIT_UNKNOWN;
	if (form == LANDED_TABLE) {
		struct err e = landed_table_new(l);

		if (err_is(e)) {
			landed_free(l);
			return e;
		}
	}
	*ret = l;
	return OK;
}

void
landed_again(struct landed *l, const struct landed_options *o)
{
	INVARIANT(l->form != LANDED_TABLE);
	l->o = *o;
	buf_clear(&l->text);
	l->split = l->form == LANDED_HL7 ? SPLIT_HL7 : SPLIT_UNKNOWN;
	l->skipping = false;
	l->line_at = l->head_n = 0;
	l->units = 0;
}

void
landed_free(struct landed *l)
{
	if (!l)
		return;
	landed_table_free(l);
	buf_release(&l->text);
	buf_release(&l->key);
	buf_release(&l->body);
	buf_release(&l->more);
	explicit_bzero(l->head, sizeof(l->head));
	free(l);
}

struct err
landed_feed(struct landed *l, struct phi bytes)
{
	struct str s = phi_borrow(bytes);

	switch (l->split) {
	case SPLIT_CSV: return csv_feed(&l->csv, bytes);
	case SPLIT_HL7: return feed_hl7(l, s);
	case SPLIT_UNKNOWN:
	case SPLIT_LINES:
	case SPLIT_WHOLE: break;
	}
	return feed_json(l, s);
}

struct err
landed_end(struct landed *l)
{
	switch (l->split) {
	case SPLIT_CSV: return landed_table_end(l);
	case SPLIT_HL7: return end_hl7(l);
	case SPLIT_UNKNOWN:
	case SPLIT_LINES:
	case SPLIT_WHOLE: break;
	}
	if (!l->skipping && blank(buf_str(&l->text)) && (l->units || !l->o.part))
		return OK;
	return flush(l);
}
