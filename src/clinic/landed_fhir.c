/*
 * FHIR: resources keep their bytes, but for three things: their id and every reference become the pool's, and so does the url of an attachment that is a
 * Binary. Whose a resource is, is read on the way.
 */
#include "clinic/landed_fhir.h"

#include "base/map.h"
#include "clinic/fhir_rules.h"
#include "clinic/json_scan.h"
#include "clinic/landed_private.h"

#define LIMIT_REFERENCE (2 * KiB) /* longer ones stay as they are */
#define ALIASES_MAX 4u            /* identifiers by which a resource can be referred to */

struct walk {
	struct landed *l;                /* NULL: references are the pool's already */
	const struct fhir_document *d;
	const struct map_id *ids;        /* of the entries */
	const struct map *conditional;   /* "Type/id" of entries whose id is not made of it -> entry */
	struct buf *out;                 /* NULL: only look */
	const char *type;
	const struct map_id *id;
	struct map_id patient;
	unsigned rank;                   /* of the element that told the patient: the lower, the better */
};

/* ---- ids as text ---- */

static int
digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool
landed_id_of(struct str s, struct map_id *ret)
{
	size_t at = 0;

	if (s.n != LANDED_ID_CHARS)
		return false;
	for (size_t i = 0; i < sizeof(ret->b); i++) {
		int high, low;

		if (i == 4 || i == 6 || i == 8 || i == 10)
			if (s.p[at++] != '-')
				return false;
		high = digit(s.p[at]);
		low = digit(s.p[at + 1]);
		at += 2;
		if (high < 0 || low < 0)
			return false;
		ret->b[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

/* ---- where a reference leads ---- */

static bool
is_source_id(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!((s.p[i] >= 'a' && s.p[i] <= 'z') || (s.p[i] >= 'A' && s.p[i] <= 'Z') || (s.p[i] >= '0' && s.p[i] <= '9') || s.p[i] == '-' || s.p[i] == '.'))
			return false;
	return s.n >= 1 && s.n <= FHIR_ID_BYTES;
}

/* tail(s, &type, &id): the last two parts of a path, a version left out; false if they are no type and id. */
static bool
tail(struct str s, const char **ret_type, struct str *ret_id)
{
	size_t history = str_find(s, STR("/_history/")), slash;
	struct str before;

	s = history == SIZE_MAX ? s : str_sub(s, 0, history);
	for (slash = s.n; slash > 0 && s.p[slash - 1] != '/'; slash--)
		;
	if (!slash)
		return false;
	*ret_id = str_sub(s, slash, SIZE_MAX);
	before = str_sub(s, 0, slash - 1);
	for (slash = before.n; slash > 0 && before.p[slash - 1] != '/'; slash--)
		;
	*ret_type = fhir_type(str_sub(before, slash, SIZE_MAX));
	return *ret_type && is_source_id(*ret_id);
}

/* condition_key(l, type, query): "identifier=http%3A//x|1" and "identifier=http://x|1" are the same resource. */
static struct map_id
condition_key(struct landed *l, const char *type, struct str query)
{
	AUTO_BUF plain = BUF_WIPED(LANDED_LIMIT_BYTES);

	buf_put_char(&plain, '?');
	for (size_t i = 0; i < query.n; i++) {
		char c = query.p[i];
		AUTO_BUF byte = BUF_WIPED(1);

		if (c == '%' && i + 2 < query.n && !err_is(buf_decode_hex(&byte, str_sub(query, i + 1, 2))) && byte.n == 1) {
			c = byte.p[0];
			i += 2;
		}
		buf_put_char(&plain, c);
	}
	return landed_key(l, type, buf_str(&plain));
}

static bool
resolve(const struct walk *w, struct str s, const char **ret_type, struct map_id *ret)
{
	size_t i = w->d ? fhir_find(w->d, s) : SIZE_MAX;
	struct str id;
	const size_t *entry;

	if (i != SIZE_MAX && fhir_entry(w->d, i)->type) {
		*ret_type = fhir_entry(w->d, i)->type;
		*ret = w->ids[i];
		return true;
	}
	if (!s.n || s.p[0] == '#' || str_starts(s, STR("urn:")))
		return false;
	if (str_chr(s, '?') != SIZE_MAX) {
		*ret_type = fhir_type(str_sub(s, 0, str_chr(s, '?')));
		if (*ret_type && w->l)
			*ret = condition_key(w->l, *ret_type, str_sub(s, str_chr(s, '?') + 1, SIZE_MAX));
		return *ret_type && w->l;
	}
	if (!tail(s, ret_type, &id))
		return false;
	if (!w->l)
		return landed_id_of(id, ret);
	entry = w->conditional ? map_get(w->conditional, s) : NULL;
	*ret = entry ? w->ids[*entry] : landed_key(w->l, *ret_type, id);
	return true;
}

/* ---- whose it is ---- */

static void
note_patient(struct walk *w, struct str top, const char *type, const struct map_id *id)
{
	static const char *const elements[] = {"patient", "subject", "beneficiary", "individual", "for", "target", "participant", "actor", "link"};

	if (strcmp(type, "Patient") != 0)
		return;
	for (unsigned i = 0; i < ARRAY_LEN(elements) && i < w->rank; i++) {
		if (!str_eq(top, str_c(elements[i])) || (strcmp(elements[i], "link") == 0 && strcmp(w->type, "Person") != 0))
			continue;
		w->patient = *id;
		w->rank = i;
	}
}

/* ---- the walk ---- */

/* unescape(s, b): a JSON string's inside as text; false if it is longer than a reference, or has escapes that no reference has. */
static bool
unescape(struct str s, struct buf *b)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '\\') {
			i++;
			if (i == s.n || !memchr("/\\\"", s.p[i], 3))
				return false;
		}
		buf_put_char(b, s.p[i]);
	}
	return !b->failed;
}

static void
put(struct walk *w, const char *p, size_t n)
{
	if (w->out)
		buf_put(w->out, p, n);
}

/* value(w, key, top, depth, s, at, end): a string that is a value, with its quotes. */
static void
value(struct walk *w, struct str key, struct str top, size_t depth, struct str s, size_t at, size_t end)
{
	AUTO_BUF text = BUF_WIPED(LIMIT_REFERENCE);
	bool reference = str_eq(key, STR("reference")), url = str_eq(key, STR("url"));
	const char *type;
	struct map_id id;

	if (depth == 1 && str_eq(key, STR("id")) && w->l) {
		put(w, "\"", 1);
		if (w->out)
			map_put_id(w->out, w->id);
		put(w, "\"", 1);
		return;
	}
	if ((!reference && !url) || !unescape(str_sub(s, at + 1, end - at - 2), &text) || !resolve(w, buf_str(&text), &type, &id) ||
	    (url && strcmp(type, "Binary") != 0)) {
		put(w, s.p + at, end - at);
		return;
	}
	if (reference)
		note_patient(w, top, type, &id);
	put(w, "\"", 1);
	put(w, type, strlen(type));
	put(w, "/", 1);
	if (w->out)
		map_put_id(w->out, &id);
	put(w, "\"", 1);
}

static void
walk(struct walk *w, struct str s)
{
	struct str key = STR_NONE, top = STR_NONE;
	size_t depth = 0;

	for (size_t at = 0; at < s.n;) {
		size_t end = at, next;

		while (end < s.n && s.p[end] != '"') {
			depth += s.p[end] == '{' || s.p[end] == '[';
			depth -= (s.p[end] == '}' || s.p[end] == ']') && depth;
			end++;
		}
		put(w, s.p + at, end - at);
		if (end == s.n)
			return;
		at = end;
		end = json_skip_string(s, at);
		next = json_skip_space(s, end);
		if (next < s.n && s.p[next] == ':') {
			key = json_text(s, at);
			top = depth == 1 ? key : top;
			put(w, s.p + at, end - at);
		} else {
			value(w, key, top, depth, s, at, end);
			key = STR_NONE;
		}
		at = end;
	}
}

bool
landed_patient_of(const char *type, const struct map_id *id, struct str resource, struct map_id *ret)
{
	struct walk w = {.type = type, .id = id, .rank = UINT32_MAX};

	if (strcmp(type, "Patient") == 0) {
		*ret = *id;
		return true;
	}
	walk(&w, resource);
	*ret = w.patient;
	return w.rank != UINT32_MAX;
}

/* ---- a document ---- */

struct document {
	struct landed *l;
	struct fhir_document *d;
	struct map_id *ids;
	size_t *places;       /* places[i] is i: what the map leads to */
	struct map conditional;
	struct buf names;     /* its keys */
};

/* What an entry's id is made of: its condition, its id, its fullUrl, or, if there is nothing, its bytes. */
static struct map_id
entry_key(struct landed *l, const struct fhir_entry *e, bool *ret_conditional)
{
	struct str url = phi_borrow(e->url), full = phi_borrow(e->full_url), id = phi_borrow(e->id), condition = phi_borrow(e->if_none_exist);
	const char *type;

	*ret_conditional = true;
	if (e->method == FHIR_PUT && str_chr(url, '?') != SIZE_MAX)
		condition = str_sub(url, str_chr(url, '?') + 1, SIZE_MAX);
	if (condition.n)
		return condition_key(l, e->type, condition);
	*ret_conditional = false;
	if (id.n)
		return landed_key(l, e->type, id);
	if (str_starts(full, STR("urn:uuid:")))
		return landed_key(l, e->type, str_sub(full, 9, SIZE_MAX));
	if (tail(full, &type, &id) && strcmp(type, e->type) == 0)
		return landed_key(l, e->type, id);
	id = full.n ? full : phi_borrow(e->resource);
	return landed_key_parts(l, e->type, (struct str[]){STR("bytes"), id}, 2);
}

static struct err
make_ids(struct document *c)
{
	size_t n = fhir_count(c->d);
	size_t from = 0;

	c->ids = calloc(n + 1, sizeof(*c->ids));
	c->places = calloc(n + 1, sizeof(*c->places));
	if (!c->ids || !c->places)
		return ERR(ERR_NO_MEMORY);
	for (size_t i = 0; i < n; i++) {
		const struct fhir_entry *e = fhir_entry(c->d, i);
		bool conditional = false;

		c->places[i] = i;
		if (!e->type)
			continue;
		c->ids[i] = entry_key(c->l, e, &conditional);
		if (!conditional || !phi_size(e->id))
			continue;
		/* keys of the map are borrowed: the names are written first, and found again below */
		buf_put_c(&c->names, e->type);
		buf_put_char(&c->names, '/');
		buf_put_str(&c->names, phi_borrow(e->id));
		buf_put_char(&c->names, '\n');
		c->places[i] = SIZE_MAX;
	}
	TRY(buf_check(&c->names));
	for (size_t i = 0; i < n; i++) {
		struct str rest = str_sub(buf_str(&c->names), from, SIZE_MAX);
		struct str name = str_sub(rest, 0, str_chr(rest, '\n'));

		if (c->places[i] != SIZE_MAX)
			continue;
		c->places[i] = i;
		from += name.n + 1;
		TRY(map_put(&c->conditional, name, &c->places[i]));
	}
	return OK;
}

/* write(c, i, id, &w): entry ${i} as ${id}, into body. */
static struct err
write_entry(struct document *c, size_t i, const struct map_id *id, struct walk *w)
{
	const struct fhir_entry *e = fhir_entry(c->d, i);
	struct landed *l = c->l;
	struct str s = phi_borrow(e->resource);
	size_t begin = json_skip_space(s, 0) + 1;

	*w = (struct walk){.l = l, .d = c->d, .ids = c->ids, .conditional = &c->conditional, .out = &l->body, .type = e->type, .id = id, .rank = UINT32_MAX};
	buf_clear(&l->body);
	if (phi_size(e->id)) {
		walk(w, s);
		return buf_check(&l->body);
	}
	buf_put_c(&l->body, "{\"id\":\"");
	map_put_id(&l->body, id);
	buf_put_c(&l->body, "\",");
	buf_clear(&l->more);
	w->out = &l->more;
	walk(w, s);
	TRY(buf_check(&l->more));
	buf_put(&l->body, l->more.p + begin, l->more.n - begin);
	return buf_check(&l->body);
}

/*
 * Staff and places are referred to by their identifier as often as by their id ("Practitioner?identifier=system|value"): the same resource is there under
 * that name too, since who refers to it may land before it.
 */
static struct err
put_aliases(struct document *c, size_t i)
{
	const struct fhir_entry *e = fhir_entry(c->d, i);
	struct str s = phi_borrow(e->resource);
	size_t at = json_member(s, 0, "identifier"), item;
	struct walk w;

	if (at >= s.n || s.p[at] != '[' ||
	    (strcmp(e->type, "Practitioner") != 0 && strcmp(e->type, "Organization") != 0 && strcmp(e->type, "Location") != 0))
		return OK;
	at++;
	for (unsigned n = 0; n < ALIASES_MAX && (item = json_item(s, &at)) != SIZE_MAX; n++) {
		AUTO_BUF query = BUF_WIPED(LIMIT_REFERENCE);
		struct str system = json_text(s, json_member(s, item, "system")), value = json_text(s, json_member(s, item, "value"));
		struct map_id id;

		buf_put_c(&query, "identifier=");
		buf_put_str(&query, system);
		buf_put_char(&query, '|');
		buf_put_str(&query, value);
		if (!system.n || !value.n || query.failed || str_chr(buf_str(&query), '\\') != SIZE_MAX)
			continue;
		id = condition_key(c->l, e->type, buf_str(&query));
		TRY(write_entry(c, i, &id, &w));
		TRY(landed_emit(c->l, LANDED_PUT, e->type, &id, NULL, buf_str(&c->l->body)));
	}
	return OK;
}

static struct err
put_entry(struct document *c, size_t i)
{
	const struct fhir_entry *e = fhir_entry(c->d, i);
	const struct map_id *id = &c->ids[i];
	bool itself = strcmp(e->type, "Patient") == 0;
	struct walk w;

	TRY(write_entry(c, i, id, &w));
	TRY(landed_emit(c->l, LANDED_PUT, e->type, id, itself ? id : w.rank != UINT32_MAX ? &w.patient : NULL, buf_str(&c->l->body)));
	return phi_size(e->if_none_exist) || str_chr(phi_borrow(e->url), '?') != SIZE_MAX ? OK : put_aliases(c, i);
}

static struct err
delete_entry(struct document *c, size_t i, bool *ret_done)
{
	struct str url = phi_borrow(fhir_entry(c->d, i)->url), id;
	size_t mark = str_chr(url, '?');
	const char *type;
	struct map_id key;

	*ret_done = true;
	if (mark != SIZE_MAX && fhir_type(str_sub(url, 0, mark))) {
		type = fhir_type(str_sub(url, 0, mark));
		key = condition_key(c->l, type, str_sub(url, mark + 1, SIZE_MAX));
		return landed_emit(c->l, LANDED_DELETE, type, &key, NULL, STR_NONE);
	}
	if (!tail(url, &type, &id)) {
		*ret_done = false;
		return OK;
	}
	key = landed_key(c->l, type, id);
	return landed_emit(c->l, LANDED_DELETE, type, &key, NULL, STR_NONE);
}

/* one_entry(c, i, &reason): NULL: used, or an entry that says nothing. */
static struct err
one_entry(struct document *c, size_t i, const char **ret_reason)
{
	const struct fhir_entry *e = fhir_entry(c->d, i);
	bool done;

	*ret_reason = NULL;
	if (e->method == FHIR_DELETE) {
		TRY(delete_entry(c, i, &done));
		*ret_reason = done ? NULL : "bad-request";
		return OK;
	}
	if (e->method == FHIR_PATCH || e->method == FHIR_GET)
		*ret_reason = "unsupported-method";
	else if (e->type && strcmp(e->type, "Bundle") == 0)
		*ret_reason = "nested-bundle";
	else if (e->type)
		return put_entry(c, i);
	return OK;
}

static struct err
entries(struct document *c)
{
	const char *kind = fhir_bundle_type(c->d), *reason;
	/* a transaction is all or nothing, in the others each entry is by itself */
	bool whole = !kind || strcmp(kind, "transaction") == 0;
	size_t refused = 0;

	for (size_t i = 0; i < fhir_count(c->d); i++) {
		AUTO_BUF place = BUF(64);

		TRY(one_entry(c, i, &reason));
		if (!reason)
			continue;
		refused++;
		buf_printf(&place, "entry-%zu.request", i + 1);
		buf_put_char(&place, 0);
		TRY(landed_refused(c->l, reason, place.p));
		if (whole)
			return OK;
	}
	return refused && refused == fhir_count(c->d) ? OK : landed_used(c->l);
}

/* A key that is written with escapes would be read as one name by this file and as another by the next reader. */
static bool
escaped_key(struct str s)
{
	if (str_chr(s, '\\') == SIZE_MAX)
		return false;
	for (size_t at = 0; at < s.n;) {
		const char *quote = memchr(s.p + at, '"', s.n - at);
		size_t end, next;

		if (!quote)
			return false;
		at = (size_t)(quote - s.p);
		end = json_skip_string(s, at);
		next = json_skip_space(s, end);
		if (next < s.n && s.p[next] == ':' && str_chr(json_text(s, at), '\\') != SIZE_MAX)
			return true;
		at = end;
	}
	return false;
}

static struct err
refused(struct landed *l, enum fhir_reason r, const struct fhir_place *where)
{
	AUTO_BUF place = BUF(256);

	if (r == FHIR_NO_MEMORY)
		return ERR(ERR_NO_MEMORY);
	if (where->entry)
		buf_printf(&place, "entry-%u", where->entry);
	if (where->entry && where->element)
		buf_put_char(&place, '.');
	if (where->element)
		buf_put_c(&place, where->element);
	buf_put_char(&place, 0);
	return landed_refused(l, fhir_reason_name(r), place.p);
}

struct err
landed_fhir_unit(struct landed *l, struct str text)
{
	struct document c = {.l = l, .names = BUF_WIPED(2 * LANDED_LIMIT_BYTES)};
	struct fhir_place where = {0};
	enum fhir_reason r;
	struct err e;

	if (str_starts(text, STR("\xEF\xBB\xBF")))
		text = str_sub(text, 3, SIZE_MAX);
	/* a row's body is the object alone */
	while (text.n && memchr(" \t\r\n", text.p[text.n - 1], 4))
		text.n--;
	text = str_sub(text, json_skip_space(text, 0), SIZE_MAX);
	r = fhir_read(phi_of(text.p, text.n), &c.d, &where);
	if (r != FHIR_OK)
		return refused(l, r, &where);
	if (escaped_key(text)) {
		e = landed_refused(l, "bad-value", "key");
	} else {
		e = make_ids(&c);
		e = err_is(e) ? e : entries(&c);
	}
	fhir_document_free(c.d);
	map_release(&c.conditional);
	buf_release(&c.names);
	free(c.ids);
	free(c.places);
	return e;
}
