/*
 * The reader. jansson decides whether the bytes are JSON and answers questions about elements; what is kept are the bytes themselves, whose
 * places a scan finds that needs to know only strings and brackets, since jansson has accepted them.
 */
#include <jansson.h>

#include "base/map.h"
#include "clinic/fhir.h"
#include "clinic/fhir_rules.h"
#include "clinic/json_scan.h"

static const char *const reason_names[FHIR_REASON_COUNT] = {
	[FHIR_OK] = "ok",
	[FHIR_TOO_LARGE] = "too-large",
	[FHIR_NOT_JSON] = "not-json",
	[FHIR_NO_TYPE] = "no-type",
	[FHIR_UNKNOWN_TYPE] = "unknown-type",
	[FHIR_BAD_ID] = "bad-id",
	[FHIR_MISSING] = "missing",
	[FHIR_BAD_VALUE] = "bad-value",
	[FHIR_BAD_REFERENCE] = "bad-reference",
	[FHIR_DANGLING] = "dangling-reference",
	[FHIR_BAD_BUNDLE] = "bad-bundle",
	[FHIR_BAD_REQUEST] = "bad-request",
	[FHIR_NO_MEMORY] = "no-memory",
};

struct fhir_document {
	json_t *root;
	const char *bundle; /* its type, static */
	struct fhir_entry *entries;
	size_t count;
	struct map full_urls; /* to the entry */
};

const char *
fhir_reason_name(enum fhir_reason r)
{
	INVARIANT(r < FHIR_REASON_COUNT);
	return reason_names[r];
}

void
fhir_document_free(struct fhir_document *d)
{
	if (!d)
		return;
	map_release(&d->full_urls);
	json_decref(d->root);
	free(d->entries);
	free(d);
}

bool
fhir_is_bundle(const struct fhir_document *d)
{
	return d->bundle != NULL;
}

const char *
fhir_bundle_type(const struct fhir_document *d)
{
	return d->bundle;
}

size_t
fhir_count(const struct fhir_document *d)
{
	return d->count;
}

const struct fhir_entry *
fhir_entry(const struct fhir_document *d, size_t i)
{
	INVARIANT(i < d->count);
	return &d->entries[i];
}

size_t
fhir_find(const struct fhir_document *d, struct str full_url)
{
	const struct fhir_entry *e = map_get(&d->full_urls, full_url);

	return e ? (size_t)(e - d->entries) : SIZE_MAX;
}

/* ---- the bytes ---- */

/* find_resources(in, d): where each entry's resource lies. */
static bool
find_resources(struct str in, struct fhir_document *d)
{
	size_t root = json_skip_space(in, 0), i = json_member(in, root, "entry"), n = 0;

	if (i == SIZE_MAX)
		return d->count == 0;
	for (i = json_skip_space(in, i + 1); i < in.n && in.p[i] == '{' && n < d->count; n++) {
		size_t r = json_member(in, i, "resource");

		if (r != SIZE_MAX)
			d->entries[n].resource = phi_of(in.p + r, json_skip_value(in, r) - r);
		else if (d->entries[n].type)
			return false; /* its key was written with escapes */
		i = json_skip_space(in, json_skip_value(in, i));
		if (i < in.n && in.p[i] == ',')
			i = json_skip_space(in, i + 1);
	}
	return n == d->count;
}

/* ---- checks ---- */

static struct str
text_of(const json_t *o, const char *key)
{
	const json_t *v = json_object_get(o, key);

	return json_is_string(v) ? str_of(json_string_value(v), json_string_length(v)) : STR_NONE;
}

static bool
is_id(struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.'))
			return false;
	}
	return s.n >= 1 && s.n <= FHIR_ID_BYTES;
}

static enum fhir_reason
required(const json_t *o, const struct fhir_rule *rule, struct fhir_place *where)
{
	struct str rest = str_c(rule->required), one, name;

	while (rest.n) {
		bool found = false;

		str_split(rest, ' ', &one, &rest);
		while (one.n) {
			const json_t *v;

			str_split(one, '|', &name, &one);
			v = json_object_getn(o, name.p, name.n);
			found = found || (v && !json_is_null(v) && !(json_is_array(v) && json_array_size(v) == 0));
		}
		if (!found) {
			where->element = rule->required;
			return FHIR_MISSING;
		}
	}
	return FHIR_OK;
}

static enum fhir_reason
status(const json_t *o, const struct fhir_rule *rule, struct fhir_place *where)
{
	struct str code = text_of(o, "status");
	AUTO_BUF padded = BUF(64);

	if (!rule->status)
		return FHIR_OK;
	buf_put_char(&padded, ' ');
	buf_put_str(&padded, code);
	buf_put_char(&padded, ' ');
	if (!err_is(buf_check(&padded)) && code.n && str_chr(code, ' ') == SIZE_MAX &&
	    str_find(str_c(rule->status), buf_str(&padded)) != SIZE_MAX)
		return FHIR_OK;
	where->element = "status";
	return FHIR_BAD_VALUE;
}

/* A reference as the R4 reference syntax has it; what a urn leads to is looked at later. */
static bool
reference_ok(struct str s)
{
	struct str type, id;

	if (!s.n)
		return false;
	if (s.p[0] == '#' || str_starts(s, STR("urn:uuid:")) || str_starts(s, STR("urn:oid:")) || str_starts(s, STR("http://")) ||
	    str_starts(s, STR("https://")))
		return true;
	if (str_chr(s, '?') != SIZE_MAX) /* conditional: resolved where the resources are */
		return fhir_type(str_sub(s, 0, str_chr(s, '?'))) != NULL;
	if (!str_split(s, '/', &type, &id) || !fhir_type(type))
		return false;
	str_split(id, '/', &id, &s); /* /_history/… */
	return is_id(id);
}

struct walk {
	const json_t *stack[FHIR_LIMIT_DEPTH * 2];
	size_t index[FHIR_LIMIT_DEPTH * 2];
	void *iter[FHIR_LIMIT_DEPTH * 2];
	size_t depth;
};

static bool
contained(const json_t *resource, struct str id)
{
	const json_t *list = json_object_get(resource, "contained");
	size_t i;
	json_t *v;

	json_array_foreach(list, i, v)
		if (str_eq(text_of(v, "id"), id))
			return true;
	return false;
}

static enum fhir_reason
one_reference(const struct fhir_document *d, const json_t *resource, const json_t *object)
{
	const json_t *v = json_object_get(object, "reference");
	struct str s = text_of(object, "reference");

	if (!v || json_is_object(v)) /* an element of that name that is no reference */
		return FHIR_OK;
	if (!reference_ok(s))
		return FHIR_BAD_REFERENCE;
	if (s.n > 1 && s.p[0] == '#' && !contained(resource, str_sub(s, 1, SIZE_MAX)))
		return FHIR_DANGLING;
	if (d->bundle && strcmp(d->bundle, "transaction") == 0 && str_starts(s, STR("urn:uuid:")) && !map_get(&d->full_urls, s))
		return FHIR_DANGLING;
	return FHIR_OK;
}

/* Every object of the resource, without recursion. */
static enum fhir_reason
references(const struct fhir_document *d, json_t *resource)
{
	struct walk w = {.stack = {resource}, .iter = {json_object_iter(resource)}, .depth = 1};
	enum fhir_reason r = one_reference(d, resource, resource);

	while (w.depth && r == FHIR_OK) {
		size_t top = w.depth - 1;
		json_t *child = NULL;

		if (json_is_object(w.stack[top]) && w.iter[top]) {
			union { const json_t *from; json_t *to; } object = {.from = w.stack[top]};

			child = json_object_iter_value(w.iter[top]);
			w.iter[top] = json_object_iter_next(object.to, w.iter[top]);
		} else if (json_is_array(w.stack[top]) && w.index[top] < json_array_size(w.stack[top])) {
			child = json_array_get(w.stack[top], w.index[top]++);
		} else {
			w.depth--;
			continue;
		}
		if (!json_is_object(child) && !json_is_array(child))
			continue;
		if (w.depth == ARRAY_LEN(w.stack))
			return FHIR_NOT_JSON;
		w.stack[w.depth] = child;
		w.index[w.depth] = 0;
		w.iter[w.depth] = json_is_object(child) ? json_object_iter(child) : NULL;
		w.depth++;
		if (json_is_object(child))
			r = one_reference(d, resource, child);
	}
	return r;
}

static enum fhir_reason
check_resource(json_t *o, struct fhir_entry *e, struct fhir_place *where)
{
	const json_t *id = json_object_get(o, "id");
	struct str type = text_of(o, "resourceType");
	const struct fhir_rule *rule;
	enum fhir_reason r;

	where->element = "resourceType";
	if (!type.n)
		return FHIR_NO_TYPE;
	e->type = fhir_type(type);
	if (!e->type)
		return FHIR_UNKNOWN_TYPE;
	where->element = "id";
	if (id && !is_id(text_of(o, "id")))
		return FHIR_BAD_ID;
	e->id = phi_of(text_of(o, "id").p, text_of(o, "id").n);
	rule = fhir_rule(e->type);
	if (!rule)
		return FHIR_OK;
	r = required(o, rule, where);
	return r == FHIR_OK ? status(o, rule, where) : r;
}

/* ---- bundles ---- */

static enum fhir_reason
check_request(json_t *entry, struct fhir_entry *e, bool needed)
{
	static const char *const methods[] = {[FHIR_POST] = "POST", [FHIR_PUT] = "PUT", [FHIR_PATCH] = "PATCH", [FHIR_DELETE] = "DELETE",
		[FHIR_GET] = "GET"};
	const json_t *request = json_object_get(entry, "request");
	struct str method = text_of(request, "method"), url = text_of(request, "url"), type, rest;

	if (!request)
		return needed ? FHIR_BAD_REQUEST : FHIR_OK;
	for (size_t i = FHIR_POST; i < ARRAY_LEN(methods); i++)
		if (str_eq(method, str_c(methods[i])))
			e->method = (enum fhir_method)i;
	str_split(url, str_chr(url, '/') < str_chr(url, '?') ? '/' : '?', &type, &rest);
	if (e->method == FHIR_NO_REQUEST || !url.n || (!fhir_type(type) && e->method != FHIR_GET))
		return FHIR_BAD_REQUEST;
	if (e->type ? e->method == FHIR_GET || e->method == FHIR_DELETE : e->method == FHIR_POST || e->method == FHIR_PUT)
		return FHIR_BAD_REQUEST;
	if (e->type && e->method != FHIR_PATCH && !str_eq(type, str_c(e->type)))
		return FHIR_BAD_REQUEST;
	/* an update names the resource, or the one that fits a search */
	if (e->method == FHIR_PUT && url.p[type.n < url.n ? type.n : 0] == '/' && !str_eq(rest, phi_borrow(e->id)))
		return FHIR_BAD_REQUEST;
	if (e->method == FHIR_PUT && !rest.n)
		return FHIR_BAD_REQUEST;
	e->url = phi_of(url.p, url.n);
	e->if_none_exist = phi_of(text_of(request, "ifNoneExist").p, text_of(request, "ifNoneExist").n);
	e->if_match = phi_of(text_of(request, "ifMatch").p, text_of(request, "ifMatch").n);
	return FHIR_OK;
}

static enum fhir_reason
check_entry(struct fhir_document *d, json_t *entry, size_t i, struct fhir_place *where)
{
	struct fhir_entry *e = &d->entries[i];
	json_t *resource = json_object_get(entry, "resource");
	struct str url = text_of(entry, "fullUrl");
	bool acts = strcmp(d->bundle, "transaction") == 0 || strcmp(d->bundle, "batch") == 0;
	enum fhir_reason r;

	where->element = "entry";
	if (!json_is_object(entry) || (resource && !json_is_object(resource)))
		return FHIR_BAD_BUNDLE;
	r = resource ? check_resource(resource, e, where) : FHIR_OK;
	if (r != FHIR_OK)
		return r;
	where->element = "request";
	r = check_request(entry, e, acts);
	if (r != FHIR_OK)
		return r;
	where->element = "fullUrl";
	if (!url.n)
		return FHIR_OK;
	e->full_url = phi_of(url.p, url.n);
	if (str_starts(url, STR("urn:uuid:")) && map_get(&d->full_urls, url))
		return FHIR_BAD_BUNDLE;
	return err_is(map_put(&d->full_urls, url, e)) ? FHIR_NO_MEMORY : FHIR_OK;
}

static enum fhir_reason
read_bundle(struct fhir_document *d, struct fhir_place *where)
{
	static const char *const kinds[] = {"transaction", "batch", "collection", "message", "document", "searchset", "history",
		"transaction-response", "batch-response"};
	json_t *list = json_object_get(d->root, "entry"), *entry;
	struct str type = text_of(d->root, "type");
	enum fhir_reason r;
	size_t i;

	where->element = "type";
	for (i = 0; i < ARRAY_LEN(kinds) && !d->bundle; i++)
		if (str_eq(type, str_c(kinds[i])))
			d->bundle = kinds[i];
	if (!d->bundle)
		return FHIR_BAD_BUNDLE;
	where->element = "entry";
	if (list && !json_is_array(list))
		return FHIR_BAD_BUNDLE;
	if (json_array_size(list) > FHIR_LIMIT_ENTRIES)
		return FHIR_TOO_LARGE;
	d->count = json_array_size(list);
	d->entries = calloc(d->count + 1, sizeof(*d->entries));
	if (!d->entries)
		return FHIR_NO_MEMORY;
	json_array_foreach(list, i, entry) {
		where->entry = (uint32_t)i + 1;
		r = check_entry(d, entry, i, where);
		if (r != FHIR_OK)
			return r;
	}
	json_array_foreach(list, i, entry) {
		json_t *resource = json_object_get(entry, "resource");

		*where = (struct fhir_place){.entry = (uint32_t)i + 1, .element = "reference"};
		r = resource ? references(d, resource) : FHIR_OK;
		if (r != FHIR_OK)
			return r;
	}
	return FHIR_OK;
}

static enum fhir_reason
read_document(struct phi in, struct fhir_document *d, struct fhir_place *where)
{
	enum fhir_reason r;

	d->root = json_loadb(phi_borrow(in).p, phi_size(in), JSON_REJECT_DUPLICATES, NULL);
	if (!json_is_object(d->root))
		return FHIR_NOT_JSON;
	if (str_eq(text_of(d->root, "resourceType"), STR("Bundle"))) {
		r = read_bundle(d, where);
		*where = r == FHIR_OK ? (struct fhir_place){0} : *where;
		return r == FHIR_OK && !find_resources(phi_borrow(in), d) ? FHIR_BAD_BUNDLE : r;
	}
	d->entries = calloc(1, sizeof(*d->entries));
	if (!d->entries)
		return FHIR_NO_MEMORY;
	d->count = 1;
	d->entries[0].resource = in;
	r = check_resource(d->root, &d->entries[0], where);
	if (r != FHIR_OK)
		return r;
	where->element = "reference";
	return references(d, d->root);
}

enum fhir_reason
fhir_read(struct phi in, struct fhir_document **ret, struct fhir_place *ret_where)
{
	struct fhir_document *d;
	struct fhir_place where = {0};
	enum fhir_reason r;

	if (phi_size(in) > FHIR_LIMIT_BYTES)
		return FHIR_TOO_LARGE;
	if (!phi_size(in) || json_is_deeper(phi_borrow(in), FHIR_LIMIT_DEPTH))
		return FHIR_NOT_JSON;
	d = calloc(1, sizeof(*d));
	if (!d)
		return FHIR_NO_MEMORY;
	r = read_document(in, d, &where);
	if (r == FHIR_OK) {
		*ret = d;
		return r;
	}
	*ret_where = where;
	fhir_document_free(d);
	return r;
}

struct err
fhir_write_resolved(const struct fhir_document *d, size_t i, void (*names)(void *ctx, size_t entry, struct buf *out), void *ctx,
    struct buf *out)
{
	struct str s, key = STR_NONE;

	INVARIANT(i < d->count);
	s = phi_borrow(d->entries[i].resource);
	for (size_t at = 0; at < s.n;) {
		const struct fhir_entry *to;
		struct str text;
		size_t end = at;

		if (s.p[at] != '"') {
			while (end < s.n && s.p[end] != '"')
				end++;
			buf_put(out, s.p + at, end - at);
			at = end;
			continue;
		}
		end = json_skip_string(s, at);
		text = str_sub(s, at + 1, end - at - 2);
		to = str_eq(key, STR("reference")) ? map_get(&d->full_urls, text) : NULL;
		if (to) {
			buf_put_char(out, '"');
			names(ctx, (size_t)(to - d->entries), out);
			buf_put_char(out, '"');
		} else {
			buf_put(out, s.p + at, end - at);
		}
		at = end;
		/* a string with a colon after it is a key; one that is a value ends the key's reach */
		key = json_skip_space(s, end) < s.n && s.p[json_skip_space(s, end)] == ':' ? text : STR_NONE;
	}
	return buf_check(out);
}
