#include "gate/list.h"

#define ANSWER_BYTES (16 * MiB) /* 1,000 keys of 1,024 bytes, each byte escaped */

void
listing_refuse(struct listing *l, enum s3_error e, const char *field)
{
	if (l->bad != S3_OK)
		return;
	l->bad = e;
	l->bad_field = field;
}

bool
listing_is_common_prefix(const struct listing *l, struct str key)
{
	size_t at;

	if (!l->delimiter.n || !str_starts(key, l->prefix))
		return false;
	at = str_find(str_sub(key, l->prefix.n, SIZE_MAX), l->delimiter);
	return at != SIZE_MAX && l->prefix.n + at + l->delimiter.n == key.n;
}

void
listing_start_at(struct listing *l, struct str key, bool is_prefix)
{
	l->q.after_key = key;
	l->q.after_is_prefix = is_prefix;
}

static void
take_text(struct request *r, struct listing *l, const char *name, struct str *ret)
{
	*ret = request_query(r, name);
	if (!str_is_utf8(*ret) || str_chr(*ret, 0) != SIZE_MAX)
		listing_refuse(l, S3_INVALID_ARGUMENT, name);
}

void
listing_init(struct request *r, struct listing *l, enum list_kind kind, const char *max_param, const char *marker_param)
{
	struct str encoding = request_query(r, "encoding-type");

	*l = (struct listing){.q = {.kind = kind}, .items = BUF_WIPED(ANSWER_BYTES), .prefixes = BUF_WIPED(ANSWER_BYTES),
		.last_key = BUF_WIPED(4 * KiB)};
	take_text(r, l, "prefix", &l->prefix);
	take_text(r, l, "delimiter", &l->delimiter);
	take_text(r, l, marker_param, &l->key_marker);
	l->max = LIMIT_LIST_KEYS;
	if (request_has_query(r, max_param) && err_is(num_parse_u64(request_query(r, max_param), INT32_MAX, &l->max)))
		listing_refuse(l, S3_INVALID_ARGUMENT, max_param);
	l->max = num_min(l->max, LIMIT_LIST_KEYS);
	l->url = str_eq(encoding, STR("url"));
	if (encoding.n && !l->url)
		listing_refuse(l, S3_INVALID_ARGUMENT, "encoding-type");
	l->q.prefix = l->prefix;
	l->q.delimiter = l->delimiter;
	if (l->key_marker.n)
		listing_start_at(l, l->key_marker, listing_is_common_prefix(l, l->key_marker));
}

void
listing_release(struct listing *l)
{
	buf_release(&l->items);
	buf_release(&l->prefixes);
	buf_release(&l->last_key);
}

/* ---- owners' names: few people own a page of keys ---- */

struct owners {
	struct id *ids;
	struct str *names;
	size_t n;
	struct msg reply;
};

static size_t
owner_at(const struct owners *o, struct id id)
{
	size_t i = 0;

	while (i < o->n && !id_eq(o->ids[i], id))
		i++;
	return i;
}

static struct err
owners_find(struct request *r, const struct list_entry *page, size_t n, struct owners *o)
{
	o->ids = calloc(n + 1, sizeof(*o->ids));
	o->names = calloc(n + 1, sizeof(*o->names));
	if (!o->ids || !o->names)
		return ERR(ERR_NO_MEMORY);
	for (size_t i = 0; i < n; i++) {
		size_t at = page[i].is_prefix ? SIZE_MAX : owner_at(o, page[i].owner);

		if (at == o->n)
			o->ids[o->n++] = page[i].owner;
	}
	return o->n ? warden_names(r->house->warden, o->ids, o->n, &o->reply, o->names) : OK;
}

static void
owners_release(struct owners *o)
{
	free(o->ids);
	free(o->names);
	msg_release(&o->reply);
}

/* ---- pages ---- */

static void
remember_last(struct listing *l, const struct list_entry *e)
{
	buf_clear(&l->last_key);
	buf_put_str(&l->last_key, e->key);
	l->last = *e;
	l->last.key = buf_str(&l->last_key);
	listing_start_at(l, l->last.key, e->is_prefix);
	l->q.after_id = (struct version_ref){0};
	if (l->q.kind != LIST_OBJECTS && !e->is_prefix)
		l->q.after_id = (struct version_ref){.present = true, .is_null = e->is_null, .id = e->id};
}

static struct err
put_page(struct request *r, struct listing *l, const struct list_entry *page, size_t n)
{
	struct owners o = {.reply = MSG(0)};
	struct err e = l->with_owners ? owners_find(r, page, n, &o) : OK;

	for (size_t i = 0; !err_is(e) && i < n; i++) {
		if (page[i].is_prefix) {
			xml_open(&l->prefixes, "CommonPrefixes");
			xml_put_key(&l->prefixes, "Prefix", page[i].key, l->url);
			xml_close(&l->prefixes, "CommonPrefixes");
		} else {
			l->put(l, &page[i], l->with_owners ? o.names[owner_at(&o, page[i].owner)] : STR_NONE);
		}
		l->n++;
	}
	if (!err_is(e) && n)
		remember_last(l, &page[n - 1]);
	owners_release(&o);
	return e;
}

static struct err
run(struct request *r, struct listing *l, const struct grant *g, struct list_entry *page)
{
	bool more = l->max > 0;

	while (more && l->n < l->max) {
		AUTO_MSG reply = MSG(0);
		size_t n = 0;

		l->q.max = (uint16_t)(l->max - l->n);
		TRY(vault_list(r->house->vault, g, &l->q, &reply, page, &n, &more));
		if (n > l->q.max || (n == 0 && more)) /* vault never does that */
			return ERR(ERR_CORRUPT);
		TRY(put_page(r, l, page, n));
	}
	l->truncated = more && l->max > 0;
	return OK;
}

bool
listing_run(struct request *r, struct listing *l, const struct grant *g)
{
	struct list_entry *page;
	struct err e;

	if (l->bad != S3_OK) {
		answer_error_field(r, l->bad, l->bad_field);
		return false;
	}
	page = calloc(LIMIT_LIST_KEYS, sizeof(*page));
	e = page ? run(r, l, g, page) : ERR(ERR_NO_MEMORY);
	free(page);
	if (err_is(e))
		answer_err(r, e, REASON_NONE);
	return !err_is(e);
}

void
listing_put_delimiter(const struct listing *l, struct buf *b)
{
	if (l->delimiter.n)
		xml_put_key(b, "Delimiter", l->delimiter, l->url);
	if (l->url)
		xml_put(b, "EncodingType", STR("url"));
}

void
listing_answer(struct request *r, struct listing *l, struct buf *b, const char *root)
{
	xml_put_bool(b, "IsTruncated", l->truncated);
	buf_put_str(b, buf_str(&l->items));
	buf_put_str(b, buf_str(&l->prefixes));
	xml_close(b, root);
	if (l->items.failed || l->prefixes.failed)
		b->failed = true;
	answer_xml(r, 200, b);
}

void
put_etag_element(struct buf *b, const uint8_t etag[16], uint32_t n_parts)
{
	xml_open(b, "ETag");
	put_etag(b, etag, n_parts);
	xml_close(b, "ETag");
}
