#include "gate/upload.h"

#include "gate/acl_xml.h"
#include "gate/aws_chunked.h"
#include "gate/canonical.h"
#include "gate/errand.h"
#include "gate/manifest_headers.h"
#include "gate/object_lock.h"
#include "gate/put.h"
#include "gate/tagging_xml.h"

/* An upload from its head to its commit. Either a whole object or one part. */
struct upload {
	bool is_part;
	struct payload payload;
	uint64_t length;          /* of the plaintext, announced; UINT64_MAX: not */
	struct aws_chunked *chunked;
	struct digest *md5, *sha;
	struct checksum *checksum;
	enum checksum_kind kind;
	struct checksum_value claimed; /* from a header; trailers come later */
	bool has_claim, in_trailer;
	uint8_t md5_claimed[16];
	bool has_md5;
	uint64_t received;
	struct sealing *sealing;
	struct data_key *key;
	struct grant grant;
	struct blob_header ids;
	struct manifest manifest;  /* a part's: the upload's */
	struct buf manifest_text;  /* what it borrows from then */
	struct put put;
	struct part part;
	struct msg lookup, verdict_reply; /* what put borrows from */
	uint8_t header[HEADER_BYTES];
	struct id upload_id;
	struct err failed; /* while feeding */
};

void
upload_free(struct upload *u)
{
	if (!u)
		return;
	aws_chunked_free(u->chunked);
	digest_free(u->md5);
	digest_free(u->sha);
	checksum_free(u->checksum);
	sealing_free(u->sealing);
	data_key_free(u->key);
	msg_release(&u->lookup);
	msg_release(&u->verdict_reply);
	buf_release(&u->manifest_text);
	free(u);
}

/* ---- what the head announces ---- */

static bool
refused(struct request *r, enum s3_error e, const char *field)
{
	answer_error_field(r, e, field);
	return false;
}

static bool
take_length(struct request *r, struct upload *u)
{
	struct str decoded = request_header(r, "x-amz-decoded-content-length");
	struct str length = request_header(r, "content-length");
	bool streaming = u->payload.kind != PAYLOAD_SHA256 && u->payload.kind != PAYLOAD_UNSIGNED;

	u->length = UINT64_MAX;
	if (r->form)
		return true;
	if (streaming) {
		if (!decoded.p)
			return refused(r, S3_MISSING_CONTENT_LENGTH, "x-amz-decoded-content-length");
		length = decoded;
	} else if (request_header(r, "transfer-encoding").p) {
		return true;
	}
	if (!length.p)
		return refused(r, S3_MISSING_CONTENT_LENGTH, "Content-Length");
	if (err_is(num_parse_u64(length, UINT64_MAX - 1, &u->length)))
		return refused(r, S3_INVALID_ARGUMENT, "Content-Length");
	if (u->length > LIMIT_SINGLE_PUT_BYTES)
		return refused(r, S3_ENTITY_TOO_LARGE, "Content-Length");
	return true;
}

static bool
take_md5(struct request *r, struct upload *u)
{
	struct str given = request_header(r, "content-md5");
	AUTO_BUF raw = BUF(16);

	if (!given.p)
		return true;
	if (err_is(buf_decode_base64(&raw, str_trim(given))) || raw.n != 16)
		return refused(r, S3_INVALID_DIGEST, "Content-MD5");
	memcpy(u->md5_claimed, raw.p, 16);
	u->has_md5 = true;
	u->md5 = digest_new(DIGEST_MD5);
	return u->md5 ? true : refused(r, S3_INTERNAL_ERROR, NULL);
}

/* a protection that the client asked for and that is not known here must not be dropped silently */
static bool
checksums_are_known(struct request *r)
{
	static const char prefix[] = "x-amz-checksum-";

	for (size_t i = 0; i < r->n_headers; i++) {
		struct str h = r->headers[i].name;
		bool known = str_eq_nocase(h, STR("x-amz-checksum-algorithm")) || str_eq_nocase(h, STR("x-amz-checksum-type")) ||
		    str_eq_nocase(h, STR("x-amz-checksum-mode"));

		if (!str_eq_nocase(str_sub(h, 0, sizeof(prefix) - 1), str_c(prefix)))
			continue;
		for (unsigned k = CHECKSUM_NONE + 1; k < CHECKSUM_KIND_COUNT; k++)
			known = known || str_eq_nocase(h, str_c(checksum_header((enum checksum_kind)k)));
		if (!known)
			return refused(r, S3_UNSUPPORTED_CHECKSUM, "x-amz-checksum");
	}
	return true;
}

/* a header x-amz-checksum-<kind>, or its announcement in x-amz-trailer; at most one kind */
static bool
take_checksum(struct request *r, struct upload *u)
{
	struct str trailer = request_header(r, "x-amz-trailer");
	struct str algorithm = request_header(r, "x-amz-sdk-checksum-algorithm");
	enum checksum_kind wanted = CHECKSUM_NONE;

	for (int k = CHECKSUM_NONE + 1; k < CHECKSUM_KIND_COUNT; k++) {
		struct str v = request_header(r, checksum_header((enum checksum_kind)k));
		bool by_trailer = trailer.p && str_eq_nocase(str_trim(trailer), str_c(checksum_header((enum checksum_kind)k)));

		if (!v.p && !by_trailer)
			continue;
		if (u->kind != CHECKSUM_NONE)
			return refused(r, S3_INVALID_REQUEST, "x-amz-checksum");
		u->kind = (enum checksum_kind)k;
		u->in_trailer = by_trailer && !v.p;
		if (v.p && err_is(checksum_parse(u->kind, str_trim(v), &u->claimed)))
			return refused(r, S3_INVALID_REQUEST, checksum_header(u->kind));
		u->has_claim = v.p != NULL;
	}
	if (trailer.p && !u->in_trailer && !u->has_claim)
		return refused(r, S3_INVALID_REQUEST, "x-amz-trailer");
	if (algorithm.p && err_is(checksum_kind_parse(algorithm, &wanted)))
		return refused(r, S3_UNSUPPORTED_CHECKSUM, "x-amz-sdk-checksum-algorithm");
	if (algorithm.p && u->kind != CHECKSUM_NONE && wanted != u->kind)
		return refused(r, S3_INVALID_REQUEST, "x-amz-sdk-checksum-algorithm");
	if (u->kind == CHECKSUM_NONE)
		u->kind = wanted != CHECKSUM_NONE ? wanted : CHECKSUM_NONE;
	if (u->kind != CHECKSUM_NONE && !(u->checksum = checksum_new(u->kind)))
		return refused(r, S3_INTERNAL_ERROR, NULL);
	return true;
}

static struct err
on_payload(void *ctx, struct phi bytes)
{
	struct upload *u = ctx;
	struct str s = phi_borrow(bytes);

	u->received += s.n;
	if (u->received > u->length || u->received > LIMIT_SINGLE_PUT_BYTES)
		return ERR(ERR_LIMIT);
	if (u->md5)
		digest_update(u->md5, s.p, s.n);
	if (u->sha)
		digest_update(u->sha, s.p, s.n);
	if (u->checksum)
		checksum_update(u->checksum, s.p, s.n);
	return sealing_feed(u->sealing, bytes);
}

static struct err
on_signatures(void *ctx, const uint8_t previous[32], const struct chunk_signature *c, size_t n, bool trailer)
{
	const struct request *r = ctx;

	return warden_chunks(r->house->warden, &r->proof, previous, c, n, trailer);
}

/* the sink needs both: payload goes to the upload, signatures to the request */
static struct err
chunked_payload(void *ctx, struct phi bytes)
{
	return on_payload(((struct request *)ctx)->upload, bytes);
}

static bool
open_framing(struct request *r, struct upload *u)
{
	struct aws_chunked_sink sink = {.payload = chunked_payload, .signatures = on_signatures, .ctx = r};
	bool is_signed = u->payload.kind == PAYLOAD_CHUNKS || u->payload.kind == PAYLOAD_CHUNKS_TRAILER;
	bool has_trailer = u->payload.kind == PAYLOAD_CHUNKS_TRAILER || u->payload.kind == PAYLOAD_UNSIGNED_TRAILER;

	if (is_signed && r->proof.kind != PROOF_SIGV4)
		return refused(r, S3_INVALID_REQUEST, "x-amz-content-sha256");
	if (u->payload.kind == PAYLOAD_SHA256)
		u->sha = digest_new(DIGEST_SHA256);
	if (u->payload.kind == PAYLOAD_SHA256 || u->payload.kind == PAYLOAD_UNSIGNED)
		return true;
	return err_is(aws_chunked_new(is_signed, has_trailer, r->proof.signature, &sink, &u->chunked))
	    ? refused(r, S3_INTERNAL_ERROR, NULL)
	    : true;
}

/* ---- whole objects ---- */

static bool
begin_object(struct request *r, struct upload *u)
{
	struct bucket_info b;
	struct charter charter;
	struct object_info o = {.fd = -1};
	struct acl *acl = calloc(1, sizeof(*acl));
	struct tag tags[LIMIT_TAGS_PER_OBJECT];
	size_t n_tags = 0;
	struct verdict v = {0};
	bool exists, ok;

	ok = acl && put_look_up(r, &u->lookup, &b, &charter, &o, &exists) && manifest_from_headers(r, &u->manifest) &&
	    put_names_allowed(r, &u->manifest, charter.names_off) &&
	    tags_from_header(r, charter.names_off, tags, &n_tags) && acl_from_headers(r, acl) && put_take_condition(r, &u->put.condition);
	if (ok) {
		put_tag_conditions(r, tags, n_tags);
		struct want want = {.action = ACTION_PUT_OBJECT, .flags = WANT_MAKE, .bucket_name = r->bucket, .key = r->key,
			.bucket_charter = b.charter, .object_charter = exists ? o.charter : STR_NONE,
			.acl = acl_headers_present(r) ? acl : NULL, .tags = tags, .n_tags = n_tags};

		ok = lock_for_put(r, &b, &want) && authorize(r, &want, 1, &u->verdict_reply, &v);
		if (ok) {
			u->key = v.key;
			v.key = NULL;
			u->grant = v.grant;
			u->ids = v.ids;
			memcpy(u->header, v.header, HEADER_BYTES);
			u->put.bucket = b.id;
			u->put.charter = v.charter;
		}
		verdict_release(&v);
		ok = ok && errand_owner_expected(r, &b) && put_default_encryption(r, &b, &u->manifest);
	}
	free(acl);
	return ok;
}

/* ---- parts ---- */

/* The upload's checksum is made of its parts', so each part has one of that kind, whether the client sends it or not. */
static bool
begin_part_checksum(struct request *r, struct upload *u, const struct upload_info *up)
{
	enum checksum_kind kind;
	struct err e;

	u->manifest_text = BUF_WIPED(LIMIT_MANIFEST_BYTES);
	e = manifest_open(sealed_from_store(up->manifest), u->key, &u->ids, &u->manifest_text, &u->manifest);
	if (err_is(e)) {
		answer_err(r, e, REASON_NONE);
		return false;
	}
	kind = u->manifest.checksum.kind;
	if (kind == CHECKSUM_NONE || kind == u->kind)
		return true;
	if (u->kind != CHECKSUM_NONE)
		return refused(r, S3_INVALID_REQUEST, checksum_header(u->kind));
	u->kind = kind;
	u->checksum = checksum_new(kind);
	return u->checksum ? true : refused(r, S3_INTERNAL_ERROR, NULL);
}

static bool
begin_part(struct request *r, struct upload *u)
{
	struct bucket_info b;
	struct upload_info up;
	struct verdict v;
	AUTO_MSG bucket_reply = MSG(0);
	uint64_t number;
	struct err e;
	bool ok;

	if (err_is(num_parse_u64(request_query(r, "partNumber"), LIMIT_PARTS, &number)) || number == 0)
		return refused(r, S3_INVALID_ARGUMENT, "partNumber");
	if (!with_bucket(r, ACTION_PUT_OBJECT, &bucket_reply, &b))
		return false;
	e = id_parse(request_query(r, "uploadId"), &u->upload_id);
	if (!err_is(e))
		e = vault_upload_get(r->house->vault, b.id, r->key, u->upload_id, &u->lookup, &up);
	struct want want = {.action = ACTION_PUT_OBJECT, .bucket_name = r->bucket, .key = r->key, .bucket_charter = b.charter};

	if (!err_is(e)) {
		want.flags = WANT_OPEN;
		want.object_charter = up.charter;
		want.header = up.header;
	}
	ok = authorize(r, &want, 1, &u->verdict_reply, &v);
	if (ok && err_is(e)) {
		answer_error(r, e.code == ERR_NOT_FOUND || e.code == ERR_INVALID ? S3_NO_SUCH_UPLOAD : s3_error_of(e, REASON_NONE));
		ok = false;
	}
	if (ok && err_is(header_decode((const uint8_t *)up.header.p, &u->ids)))
		ok = refused(r, S3_INTERNAL_ERROR, NULL);
	if (ok) {
		struct blob_header h = u->ids;

		u->key = v.key;
		v.key = NULL;
		u->grant = v.grant;
		h.part = (uint32_t)number;
		header_encode(&h, u->header);
		u->part.number = (uint32_t)number;
		ok = errand_owner_expected(r, &b) && begin_part_checksum(r, u, &up);
	}
	verdict_release(&v);
	return ok;
}

/* ---- begin, feed, finish ---- */

static bool
begin(struct request *r, struct upload *u)
{
	if (err_is(payload_of(r, &u->payload)))
		return refused(r, S3_INVALID_ARGUMENT, "x-amz-content-sha256");
	if (!take_length(r, u) || !take_md5(r, u) || !checksums_are_known(r) || !take_checksum(r, u))
		return false;
	if (u->is_part ? !begin_part(r, u) : !begin_object(r, u))
		return false;
	if (!open_framing(r, u))
		return false;
	struct stream_context c = {.bucket = u->ids.bucket, .object = u->ids.object, .version = u->ids.version,
		.part = u->is_part ? u->part.number : STREAM_PART_SINGLE};
	struct err e = sealing_new(r->house->vault, u->key, &c, u->header, u->length, &u->sealing);

	if (err_is(e))
		answer_err(r, e, REASON_NONE);
	return !err_is(e);
}

bool
upload_begin(struct request *r)
{
	struct upload *u = calloc(1, sizeof(*u));

	if (!u)
		return refused(r, S3_INTERNAL_ERROR, NULL);
	u->lookup = u->verdict_reply = MSG(0);
	u->is_part = !r->form && request_has_query(r, "uploadId");
	r->upload = u;
	return begin(r, u);
}

static void
answer_feed_error(struct request *r, struct upload *u, struct err e)
{
	if (e.code == ERR_LIMIT && u->received > u->length)
		answer_error(r, S3_INCOMPLETE_BODY);
	else if (e.code == ERR_LIMIT)
		answer_error(r, S3_ENTITY_TOO_LARGE);
	else if (e.code == ERR_INVALID)
		answer_error(r, S3_INCOMPLETE_BODY);
	else if (e.code == ERR_UNAUTHENTICATED)
		answer_error(r, S3_SIGNATURE_MISMATCH);
	else
		answer_err(r, e, REASON_NONE);
}

void
upload_feed(struct request *r, struct phi bytes)
{
	struct upload *u = r->upload;
	struct err e = u->chunked ? aws_chunked_feed(u->chunked, bytes) : on_payload(u, bytes);

	if (err_is(e))
		answer_feed_error(r, u, e);
}

static bool
claims_hold(struct request *r, struct upload *u, struct checksum_value *ret_checksum)
{
	uint8_t got[DIGEST_MAX_BYTES];

	if (u->length != UINT64_MAX && u->received != u->length)
		return refused(r, S3_INCOMPLETE_BODY, NULL);
	if (u->md5) {
		digest_final(u->md5, got);
		if (memcmp(got, u->md5_claimed, 16) != 0)
			return refused(r, S3_BAD_DIGEST, "Content-MD5");
	}
	if (u->sha) {
		digest_final(u->sha, got);
		if (memcmp(got, u->payload.sha256, 32) != 0)
			return refused(r, S3_CONTENT_SHA256_MISMATCH, NULL);
	}
	if (u->checksum) {
		*ret_checksum = checksum_final(u->checksum);
		if (u->in_trailer) {
			struct str v = u->chunked ? aws_chunked_trailer(u->chunked, checksum_header(u->kind)) : STR_NONE;

			if (!v.n || err_is(checksum_parse(u->kind, v, &u->claimed)))
				return refused(r, S3_MALFORMED_TRAILER, checksum_header(u->kind));
			u->has_claim = true;
		}
		if (u->has_claim && !checksum_equal(ret_checksum, &u->claimed))
			return refused(r, S3_BAD_DIGEST, checksum_header(u->kind));
	}
	return true;
}

static void
answer_checksum(struct request *r, const struct checksum_value *v, bool with_type)
{
	AUTO_BUF b = BUF(64);

	if (v->kind == CHECKSUM_NONE)
		return;
	buf_put_checksum(&b, v);
	answer_header(r, checksum_header(v->kind), buf_str(&b));
	if (with_type)
		answer_header(r, "x-amz-checksum-type", STR("FULL_OBJECT"));
}

static void
answer_etag(struct request *r, const uint8_t etag[16])
{
	AUTO_BUF b = BUF(64);

	put_etag(&b, etag, 0);
	answer_header(r, "ETag", buf_str(&b));
}

static void
finish_object(struct request *r, struct upload *u, const struct sealed_body *body)
{
	AUTO_BUF manifest = BUF(LIMIT_MANIFEST_BYTES);
	struct put_result result;
	struct err e = manifest_seal(&u->manifest, u->key, &u->ids, &manifest);

	u->put.key = r->key;
	u->put.ids = &u->ids;
	u->put.header = str_of(u->header, HEADER_BYTES);
	u->put.manifest = sealed_from_store(buf_str(&manifest));
	u->put.size = body->size;
	u->put.body = body->body;
	u->put.fd = body->fd;
	memcpy(u->put.sha256, body->sha256, 32);
	rand_bytes(u->put.etag, 16); /* opaque: an MD5 of plaintext would tell who has the same file */
	if (!err_is(e))
		e = vault_put(r->house->vault, &u->grant, &u->put, &result);
	if (err_is(e)) {
		if (e.code == ERR_CONFLICT)
			answer_error(r, S3_CONDITIONAL_CONFLICT);
		else
			answer_err(r, e, REASON_NONE);
		return;
	}
	answer_etag(r, u->put.etag);
	put_answer_version(r, &result, u->ids.version);
	answer_sse_headers(r, &u->manifest, u->ids.domain);
	answer_checksum(r, &u->manifest.checksum, true);
	answer_empty(r, 200);
}

static void
finish_part(struct request *r, struct upload *u, const struct sealed_body *body, const struct checksum_value *sum)
{
	AUTO_BUF meta = BUF(1024);
	struct err e = part_meta_seal(sum, u->key, &u->ids, u->part.number, &meta);

	u->part.size = body->size;
	rand_bytes(u->part.etag, 16);
	u->part.meta = sealed_from_store(buf_str(&meta));
	if (!err_is(e))
		e = vault_part_put(r->house->vault, &u->grant, u->upload_id, &u->part, body->body, body->fd, body->sha256);
	if (err_is(e)) {
		if (e.code == ERR_NOT_FOUND)
			answer_error(r, S3_NO_SUCH_UPLOAD);
		else
			answer_err(r, e, REASON_NONE);
		return;
	}
	answer_etag(r, u->part.etag);
	answer_checksum(r, sum, false);
	answer_sse_headers(r, &u->manifest, u->ids.domain);
	answer_empty(r, 200);
}

void
upload_finish(struct request *r)
{
	struct upload *u = r->upload;
	struct checksum_value sum = {0};
	struct sealed_body body;
	struct err e = u->chunked ? aws_chunked_end(u->chunked) : OK;

	if (!err_is(e) && !claims_hold(r, u, &sum))
		return;
	if (!err_is(e))
		e = sealing_finish(u->sealing, &body);
	if (err_is(e)) {
		answer_feed_error(r, u, e);
		return;
	}
	if (u->is_part) {
		finish_part(r, u, &body, &sum);
	} else {
		u->manifest.checksum = sum;
		finish_object(r, u, &body);
	}
}
