#include "objects/manifest.h"

#include <jansson.h>

/* ---- text ---- */

static const struct { const char *name; size_t offset; } texts[] = {
	{"contentType", offsetof(struct manifest, content_type)},
	{"contentEncoding", offsetof(struct manifest, content_encoding)},
	{"contentDisposition", offsetof(struct manifest, content_disposition)},
	{"contentLanguage", offsetof(struct manifest, content_language)},
	{"cacheControl", offsetof(struct manifest, cache_control)},
	{"expires", offsetof(struct manifest, expires)},
	{"websiteRedirect", offsetof(struct manifest, website_redirect)},
	{"storageClass", offsetof(struct manifest, storage_class)},
	{"sse", offsetof(struct manifest, sse)},
	{"sseKeyId", offsetof(struct manifest, sse_key_id)},
};

static struct str *
text_at(struct manifest *m, size_t i)
{
	return (struct str *)(void *)((char *)m + texts[i].offset);
}

static struct str
text_of(const struct manifest *m, size_t i)
{
	struct str s;

	memcpy(&s, (const char *)m + texts[i].offset, sizeof(s));
	return s;
}

/*
 * Values are kept as hex where they are not UTF-8: HTTP headers are bytes, JSON is text. "x" marks hex, "s" a string.
 * [["s","name","value"], …]
 */
static void
put_text(struct buf *b, struct str s)
{
	if (str_is_utf8(s)) {
		buf_put_json(b, s);
	} else {
		buf_put_c(b, "[\"");
		buf_put_hex(b, s.p, s.n);
		buf_put_c(b, "\"]");
	}
}

static void
manifest_write(const struct manifest *m, struct buf *b)
{
	buf_put_c(b, "{\"v\":1");
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		if (text_of(m, i).n) {
			buf_put_c(b, ",\"");
			buf_put_c(b, texts[i].name);
			buf_put_c(b, "\":");
			put_text(b, text_of(m, i));
		}
	if (m->n_meta) {
		buf_put_c(b, ",\"meta\":[");
		for (size_t i = 0; i < m->n_meta; i++) {
			buf_put_c(b, i ? ",[" : "[");
			put_text(b, m->meta[i].name);
			buf_put_char(b, ',');
			put_text(b, m->meta[i].value);
			buf_put_char(b, ']');
		}
		buf_put_char(b, ']');
	}
	if (m->checksum.kind != CHECKSUM_NONE) {
		buf_put_c(b, ",\"checksum\":[");
		buf_put_json(b, str_c(checksum_name(m->checksum.kind)));
		buf_put_c(b, ",\"");
		buf_put_hex(b, m->checksum.b, m->checksum.n);
		buf_put_c(b, m->checksum_composite ? "\",true]" : "\",false]");
	}
	if (m->n_parts) {
		buf_put_c(b, ",\"parts\":");
		buf_put_dec(b, m->n_parts);
		buf_put_c(b, ",\"partsSha256\":\"");
		buf_put_hex(b, m->parts_sha256, 32);
		buf_put_char(b, '"');
	}
	buf_put_char(b, '}');
}

/* a string, or hex in an array: decoded to the end of ${keep}, which was made large enough and does not move */
static struct err
read_text(const json_t *j, struct buf *keep, struct str *ret)
{
	size_t at = keep->n;

	if (json_is_array(j) && json_array_size(j) == 1 && json_is_string(json_array_get(j, 0)))
		TRY(buf_decode_hex(keep, str_c(json_string_value(json_array_get(j, 0)))));
	else if (json_is_string(j))
		buf_put(keep, json_string_value(j), json_string_length(j));
	else
		return ERR(ERR_CORRUPT);
	TRY(buf_check(keep));
	*ret = str_of(keep->p + at, keep->n - at);
	return OK;
}

static struct err
read_meta(const json_t *list, struct buf *keep, struct manifest *m)
{
	size_t i;
	const json_t *pair;

	json_array_foreach(list, i, pair)
	{
		if (m->n_meta == ARRAY_LEN(m->meta) || json_array_size(pair) != 2)
			return ERR(ERR_CORRUPT);
		TRY(read_text(json_array_get(pair, 0), keep, &m->meta[m->n_meta].name));
		TRY(read_text(json_array_get(pair, 1), keep, &m->meta[m->n_meta].value));
		m->n_meta++;
	}
	return OK;
}

static struct err
read_checksum(const json_t *list, struct manifest *m)
{
	const char *kind = json_string_value(json_array_get(list, 0));
	const char *hex = json_string_value(json_array_get(list, 1));
	AUTO_BUF raw = BUF(CHECKSUM_MAX_BYTES);

	if (!kind || !hex)
		return ERR(ERR_CORRUPT);
	TRY(checksum_kind_parse(str_c(kind), &m->checksum.kind));
	TRY(buf_decode_hex(&raw, str_c(hex)));
	m->checksum.n = (uint8_t)raw.n;
	memcpy(m->checksum.b, raw.p, raw.n);
	m->checksum_composite = json_is_true(json_array_get(list, 2));
	return OK;
}

static struct err
manifest_read(const json_t *root, struct buf *keep, struct manifest *m)
{
	const json_t *j;

	if (json_integer_value(json_object_get(root, "v")) != 1)
		return ERR(ERR_CORRUPT);
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		if ((j = json_object_get(root, texts[i].name)) != NULL)
			TRY(read_text(j, keep, text_at(m, i)));
	if ((j = json_object_get(root, "meta")) != NULL)
		TRY(read_meta(j, keep, m));
	if ((j = json_object_get(root, "checksum")) != NULL)
		TRY(read_checksum(j, m));
	if ((j = json_object_get(root, "parts")) != NULL) {
		const char *hex = json_string_value(json_object_get(root, "partsSha256"));
		AUTO_BUF raw = BUF(32);

		m->n_parts = (uint32_t)json_integer_value(j);
		if (!hex || err_is(buf_decode_hex(&raw, str_c(hex))) || raw.n != 32)
			return ERR(ERR_CORRUPT);
		memcpy(m->parts_sha256, raw.p, 32);
	}
	return OK;
}

static struct stream_context
context_of(const struct blob_header *ids)
{
	return (struct stream_context){.bucket = ids->bucket, .object = ids->object, .version = ids->version,
	    .part = STREAM_PART_MANIFEST};
}

struct err
manifest_seal(const struct manifest *m, const struct data_key *k, const struct blob_header *ids, struct buf *out)
{
	AUTO_BUF text = BUF_WIPED(LIMIT_MANIFEST_BYTES);
	struct stream_context c = context_of(ids);

	manifest_write(m, &text);
	TRY(buf_check(&text));
	return stream_seal(k, &c, phi_of(text.p, text.n), out);
}

struct err
manifest_open(struct sealed sealed, const struct data_key *k, const struct blob_header *ids, struct buf *text, struct manifest *ret)
{
	AUTO_BUF json = BUF_WIPED(LIMIT_MANIFEST_BYTES);
	struct stream_context c = context_of(ids);
	struct manifest m = {0};
	json_t *root;
	struct err e;

	TRY(stream_open(k, &c, sealed, &json));
	/* strings in JSON are never shorter than the bytes they stand for */
	if (!buf_room(text, json.n))
		return buf_check(text);
	root = json_loadb(json.p, json.n, JSON_REJECT_DUPLICATES, NULL);
	if (!root)
		return ERR(ERR_CORRUPT);
	e = manifest_read(root, text, &m);
	json_decref(root);
	TRY(e);
	*ret = m;
	return OK;
}

void
parts_digest_add(struct digest *d, const struct part *p)
{
	uint8_t in[4 + 8 + 16];

	num_put_be32(in, p->number);
	num_put_be64(in + 4, p->size);
	memcpy(in + 12, p->etag, 16);
	digest_update(d, in, sizeof(in));
}
