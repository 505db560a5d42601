/* What PutObject, CopyObject, CreateMultipartUpload, forms and parts share. */
#include "gate/put.h"

#include "gate/errand.h"

static bool
refused(struct request *r, enum s3_error e, const char *field)
{
	answer_error_field(r, e, field);
	return false;
}

bool
put_take_condition(struct request *r, struct write_condition *c)
{
	struct str none = request_header(r, "if-none-match"), match = request_header(r, "if-match");

	if (none.p && match.p)
		return refused(r, S3_NOT_IMPLEMENTED, "If-Match");
	if (none.p) {
		if (!str_eq(str_trim(none), STR("*")))
			return refused(r, S3_NOT_IMPLEMENTED, "If-None-Match");
		c->if_none_match_any = true;
	}
	if (match.p) {
		if (str_eq(str_trim(match), STR("*"))) {
			c->if_match_any = true;
		} else {
			c->if_match = true;
			if (err_is(parse_etag(match, c->if_match_etag, &c->if_match_parts))) {
				/* an ETag that no object of ours can have: the condition does not hold */
				memset(c->if_match_etag, 0, 16);
				c->if_match_parts = LIMIT_PARTS + 1;
			}
		}
	}
	return true;
}

bool
put_names_allowed(struct request *r, const struct manifest *m, uint32_t off)
{
	if (!name_allowed(r, r->key, off, "Key"))
		return false;
	for (size_t i = 0; i < m->n_meta; i++)
		if (!name_allowed(r, m->meta[i].name, off, "x-amz-meta") || !name_allowed(r, m->meta[i].value, off, "x-amz-meta"))
			return false;
	return true;
}

bool
put_look_up(struct request *r, struct msg *reply, struct bucket_info *b, struct charter *bucket_charter, struct object_info *o,
    bool *ret_exists)
{
	bool has_bucket = false;
	struct err e = vault_lookup(r->house->vault, r->bucket, r->key, (struct version_ref){0}, 0, reply, b, &has_bucket, o);

	*ret_exists = !err_is(e);
	if (err_is(e) && e.code == ERR_NOT_FOUND && !has_bucket) {
		struct bucket_info none;
		AUTO_MSG again = MSG(0);

		if (with_bucket(r, ACTION_PUT_OBJECT, &again, &none)) /* made in this moment */
			answer_error(r, S3_OPERATION_ABORTED);
		return false;
	}
	if (err_is(e) && e.code != ERR_NOT_FOUND) {
		answer_err(r, e, REASON_NONE);
		return false;
	}
	if (err_is(charter_decode(b->charter, bucket_charter))) {
		answer_err(r, ERR(ERR_CORRUPT), REASON_NONE);
		return false;
	}
	return true;
}

void
put_tag_conditions(struct request *r, const struct tag *tags, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		AUTO_BUF name = BUF(1024);

		buf_put_c(&name, "s3:RequestObjectTag/");
		buf_put_str(&name, tags[i].key);
		request_condition(r, request_keep(r, buf_str(&name)), tags[i].value);
		request_condition(r, STR("s3:RequestObjectTagKeys"), tags[i].key);
	}
}

/* What was not asked for is as the bucket says. Everything is sealed in any case; this is the word for it. */
bool
put_default_encryption(struct request *r, const struct bucket_info *b, struct manifest *m)
{
	AUTO_BUF word = BUF(4 * KiB);
	struct err e;

	if (m->sse.n || !(b->docs >> DOC_ENCRYPTION & 1))
		return true;
	e = vault_bucket_doc(r->house->vault, NULL, b->id, DOC_ENCRYPTION, &word);
	if (e.code == ERR_NOT_FOUND) /* removed in this moment */
		return true;
	if (err_is(e)) {
		answer_err(r, e, REASON_NONE);
		return false;
	}
	m->sse = request_keep(r, buf_str(&word));
	return true;
}

void
put_answer_version(struct request *r, const struct put_result *result, struct id version)
{
	if (result->has_version_id)
		answer_version(r, result->is_null, version);
}

/* what a part's own checksums were, sealed under the upload's key: CompleteMultipartUpload and GetObjectAttributes need them */
struct err
part_meta_seal(const struct checksum_value *v, const struct data_key *k, const struct blob_header *ids, uint32_t number, struct buf *out)
{
	struct stream_context c = {.bucket = ids->bucket, .object = ids->object, .version = ids->version, .part = number | 0x80000000u};
	uint8_t text[2 + CHECKSUM_MAX_BYTES] = {(uint8_t)v->kind, v->n};

	memcpy(text + 2, v->b, v->n);
	return stream_seal(k, &c, phi_of(text, 2u + v->n), out);
}

struct err
part_meta_open(struct sealed meta, const struct data_key *k, const struct blob_header *ids, uint32_t number, struct checksum_value *ret)
{
	struct stream_context c = {.bucket = ids->bucket, .object = ids->object, .version = ids->version, .part = number | 0x80000000u};
	AUTO_BUF text = BUF_WIPED(2 + CHECKSUM_MAX_BYTES + STREAM_SEALED_CHUNK);
	struct checksum_value v = {0};

	if (sealed_bytes(meta).n == 0) {
		*ret = v;
		return OK;
	}
	TRY(stream_open(k, &c, meta, &text));
	if (text.n < 2 || (uint8_t)text.p[0] >= CHECKSUM_KIND_COUNT || (uint8_t)text.p[1] != text.n - 2 ||
	    text.n - 2 > CHECKSUM_MAX_BYTES)
		return ERR(ERR_CORRUPT);
	v.kind = (enum checksum_kind)text.p[0];
	v.n = (uint8_t)text.p[1];
	memcpy(v.b, text.p + 2, v.n);
	*ret = v;
	return OK;
}
