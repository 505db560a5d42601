#include "gate/copy.h"

#include "base/clock.h"
#include "base/fd.h"
#include "gate/acl_xml.h"
#include "gate/canonical.h"
#include "gate/errand.h"
#include "gate/object_lock.h"
#include "gate/operations.h"
#include "gate/put.h"
#include "gate/tagging_xml.h"
#include "gate/upload.h"
#include "gate/xml.h"

#define COPY_WINDOW (256 * KiB)

bool
copy_source_parse(struct request *r, struct copy_source *ret)
{
	struct str raw = request_header(r, "x-amz-copy-source"), path, query, version;
	struct copy_source s = {0};
	AUTO_BUF text = BUF(8 * KiB);
	size_t at = str_find(raw, STR("?versionId="));

	path = at == SIZE_MAX ? raw : str_sub(raw, 0, at);
	query = at == SIZE_MAX ? STR_NONE : str_sub(raw, at + 11, SIZE_MAX);
	if (err_is(percent_decode(path, false, &text)))
		goto bad;
	path = request_keep(r, buf_str(&text));
	if (path.n && path.p[0] == '/')
		path = str_sub(path, 1, SIZE_MAX);
	if (!str_split(path, '/', &s.bucket, &s.key) || s.bucket.n == 0 || s.key.n == 0 || !str_is_utf8(s.key))
		goto bad;
	if (at != SIZE_MAX) {
		version = query;
		s.version.present = true;
		s.version.is_null = str_eq(version, STR("null"));
		if (!s.version.is_null && err_is(id_parse(version, &s.version.id)))
			goto bad;
	}
	*ret = s;
	return true;
bad:
	answer_error_field(r, S3_INVALID_ARGUMENT, "x-amz-copy-source");
	return false;
}

/* the source, looked up: what a copy borrows from until it ends */
struct source {
	struct copy_source name;
	struct msg lookup;
	struct bucket_info bucket;
	struct object_info object;
	bool has_bucket, exists;
	struct buf text;
	struct manifest manifest;
};

static void
source_release(struct source *s)
{
	msg_release(&s->lookup);
	fd_close(&s->object.fd);
	buf_release(&s->text);
}

static bool
source_look_up(struct request *r, struct source *s)
{
	struct err e;

	s->object.fd = -1;
	s->text = BUF_WIPED(LIMIT_MANIFEST_BYTES);
	if (!copy_source_parse(r, &s->name))
		return false;
	e = vault_lookup(r->house->vault, s->name.bucket, s->name.key, s->name.version, LOOKUP_BODY, &s->lookup, &s->bucket,
	    &s->has_bucket, &s->object);
	if (err_is(e) && e.code != ERR_NOT_FOUND) {
		answer_err(r, e, REASON_NONE);
		return false;
	}
	s->exists = !err_is(e) && !s->object.is_delete_marker;
	return true;
}

static struct want
source_want(const struct source *s)
{
	return (struct want){
		.action = s->name.version.present ? ACTION_GET_OBJECT_VERSION : ACTION_GET_OBJECT,
		.flags = !s->has_bucket ? WANT_NO_BUCKET : s->exists ? WANT_OPEN : WANT_MISSING,
		.bucket_name = s->name.bucket, .key = s->name.key,
		.bucket_charter = s->has_bucket ? s->bucket.charter : STR_NONE,
		.object_charter = s->exists ? s->object.charter : STR_NONE,
		.header = s->exists ? s->object.header : STR_NONE,
		.version = s->name.version.present ? s->name.version.id : (struct id){{0}},
	};
}

/* both verdicts; false: an error has been answered */
static bool
both_allowed(struct request *r, struct source *s, struct verdict v[2])
{
	struct err e;

	if (v[0].reason == REASON_NO_SUCH_BUCKET || !s->has_bucket) {
		answer_error(r, S3_NO_SUCH_BUCKET);
		return false;
	}
	if (!s->exists && (!err_is(v[0].e) || v[0].e.code == ERR_NOT_FOUND)) {
		if (s->object.is_delete_marker && s->name.version.present)
			answer_error_field(r, S3_INVALID_REQUEST, "x-amz-copy-source");
		else
			answer_error(r, s->name.version.present ? S3_NO_SUCH_VERSION : S3_NO_SUCH_KEY);
		return false;
	}
	for (int i = 0; i < 2; i++)
		if (err_is(v[i].e)) {
			answer_err(r, v[i].e, v[i].reason);
			return false;
		}
	e = manifest_open(sealed_from_store(s->object.manifest), v[0].key, &v[0].ids, &s->text, &s->manifest);
	if (err_is(e)) {
		answer_err(r, e, REASON_NONE);
		return false;
	}
	enum s3_error condition = read_conditions(r, &s->object, true);

	if (condition != S3_OK)
		answer_error(r, condition);
	return condition == S3_OK;
}

static bool
owners_expected(struct request *r, const struct source *s, const struct bucket_info *to)
{
	return errand_owner_expected(r, to) && errand_owner_matches(r, &s->bucket, "x-amz-source-expected-bucket-owner");
}

/* plaintext from one stored object into another, a window at a time */
static struct err
pump(struct request *r, struct source *s, struct verdict *from, uint64_t at, uint64_t n, struct sealing *to, struct checksum *sum)
{
	struct download *d = NULL;
	struct data_key *k = from->key;
	char *window = malloc(COPY_WINDOW);
	struct err e;
	size_t got = 1;

	if (!window)
		return ERR(ERR_NO_MEMORY);
	from->key = NULL;
	e = download_new(
	    &(struct download_from){r->house->warden, r->house->vault, r->house->siren}, &s->object, &from->ids, &s->manifest, k, &from->grant, at, n, &d);
	while (!err_is(e) && got > 0) {
		e = download_read(d, window, COPY_WINDOW, &got);
		if (!err_is(e) && got > 0) {
			if (sum)
				checksum_update(sum, window, got);
			e = sealing_feed(to, phi_of(window, got));
		}
	}
	download_free(d);
	explicit_bzero(window, COPY_WINDOW);
	free(window);
	return e;
}

/* ---- CopyObject ---- */

static bool
directive(struct request *r, const char *name, bool *ret_replace)
{
	struct str v = request_header(r, name);

	if (v.p && !str_eq(v, STR("COPY")) && !str_eq(v, STR("REPLACE"))) {
		answer_error_field(r, S3_INVALID_ARGUMENT, name);
		return false;
	}
	*ret_replace = str_eq(v, STR("REPLACE"));
	return true;
}

struct copying {
	struct source source;
	struct msg lookup, reply;
	struct bucket_info bucket;
	struct charter charter;
	struct object_info present;
	struct manifest manifest; /* of the new object */
	struct acl acl;
	struct tag tags[LIMIT_TAGS_PER_OBJECT];
	size_t n_tags;
	bool replace_metadata, replace_tags, exists;
	enum checksum_kind checksum;
	struct put put;
	struct verdict verdicts[2];
};

static void
copying_free(struct copying *c)
{
	source_release(&c->source);
	verdict_release(&c->verdicts[0]);
	verdict_release(&c->verdicts[1]);
	msg_release(&c->lookup);
	msg_release(&c->reply);
	free(c);
}

/* copying an object onto itself must change something (S3: InvalidRequest) */
static bool
changes_something(const struct request *r, const struct copying *c)
{
	return !str_eq(c->source.name.bucket, r->bucket) || !str_eq(c->source.name.key, r->key) || c->source.name.version.present ||
	    c->replace_metadata || request_header(r, "x-amz-storage-class").p ||
	    request_header(r, "x-amz-server-side-encryption").p || request_header(r, "x-amz-website-redirect-location").p;
}

static bool
prepare_copy(struct request *r, struct copying *c)
{
	struct str algorithm = request_header(r, "x-amz-checksum-algorithm");
	struct charter source_charter;

	if (!directive(r, "x-amz-metadata-directive", &c->replace_metadata) ||
	    !directive(r, "x-amz-tagging-directive", &c->replace_tags) || !source_look_up(r, &c->source) ||
	    !put_look_up(r, &c->lookup, &c->bucket, &c->charter, &c->present, &c->exists) ||
	    !manifest_from_headers(r, &c->manifest) || !put_names_allowed(r, &c->manifest, c->charter.names_off) ||
	    !acl_from_headers(r, &c->acl) || !put_take_condition(r, &c->put.condition))
		return false;
	if (!changes_something(r, c)) {
		answer_error_field(r, S3_INVALID_REQUEST, "x-amz-metadata-directive");
		return false;
	}
	if (algorithm.p && err_is(checksum_kind_parse(algorithm, &c->checksum))) {
		answer_error_field(r, S3_UNSUPPORTED_CHECKSUM, "x-amz-checksum-algorithm");
		return false;
	}
	if (c->replace_tags) {
		if (!tags_from_header(r, c->charter.names_off, c->tags, &c->n_tags))
			return false;
	} else if (c->source.exists && !err_is(charter_decode(c->source.object.charter, &source_charter))) {
		c->n_tags = source_charter.n_tags;
		memcpy(c->tags, source_charter.tags, c->n_tags * sizeof(c->tags[0]));
	}
	put_tag_conditions(r, c->tags, c->n_tags);
	if (c->source.exists && c->source.object.size > LIMIT_SINGLE_PUT_BYTES) {
		answer_error_field(r, S3_INVALID_REQUEST, "x-amz-copy-source");
		return false;
	}
	return true;
}

/* without REPLACE the new object has the old one's metadata, but the encryption and class asked for now */
static void
settle_manifest(const struct request *r, struct copying *c)
{
	struct manifest asked = c->manifest;

	if (!c->replace_metadata) {
		c->manifest = c->source.manifest;
		c->manifest.storage_class = asked.storage_class;
		c->manifest.sse = asked.sse;
		c->manifest.sse_key_id = asked.sse_key_id;
		c->manifest.website_redirect = asked.website_redirect;
	}
	(void)r;
	c->manifest.n_parts = 0;
	c->manifest.checksum_composite = false;
	if (c->checksum == CHECKSUM_NONE)
		c->checksum = c->source.manifest.checksum.kind;
	c->manifest.checksum = (struct checksum_value){0};
}

static struct err
carry_out(struct request *r, struct copying *c, struct put_result *ret)
{
	struct verdict *to = &c->verdicts[1];
	struct stream_context context = {.bucket = to->ids.bucket, .object = to->ids.object, .version = to->ids.version};
	AUTO_BUF manifest = BUF(LIMIT_MANIFEST_BYTES);
	struct checksum *sum = c->checksum != CHECKSUM_NONE ? checksum_new(c->checksum) : NULL;
	struct sealing *sealing = NULL;
	struct sealed_body body;
	struct err e = sealing_new(r->house->vault, to->key, &context, to->header, c->source.object.size, &sealing);

	if (!err_is(e))
		e = pump(r, &c->source, &c->verdicts[0], 0, c->source.object.size, sealing, sum);
	if (!err_is(e))
		e = sealing_finish(sealing, &body);
	if (sum)
		c->manifest.checksum = checksum_final(sum);
	checksum_free(sum);
	if (!err_is(e))
		e = manifest_seal(&c->manifest, to->key, &to->ids, &manifest);
	if (!err_is(e)) {
		c->put.bucket = c->bucket.id;
		c->put.key = r->key;
		c->put.ids = &to->ids;
		c->put.header = str_of(to->header, HEADER_BYTES);
		c->put.charter = to->charter;
		c->put.manifest = sealed_from_store(buf_str(&manifest));
		c->put.size = body.size;
		c->put.body = body.body;
		c->put.fd = body.fd;
		memcpy(c->put.sha256, body.sha256, 32);
		rand_bytes(c->put.etag, 16);
		e = vault_put(r->house->vault, &to->grant, &c->put, ret);
	}
	sealing_free(sealing);
	return e;
}

static void
put_checksum_element(struct buf *b, const struct checksum_value *v)
{
	AUTO_BUF text = BUF(64);
	AUTO_BUF name = BUF(64);

	if (v->kind == CHECKSUM_NONE)
		return;
	buf_put_c(&name, "Checksum");
	buf_put_c(&name, checksum_name(v->kind));
	buf_put_char(&name, 0);
	buf_put_checksum(&text, v);
	xml_put(b, name.p, buf_str(&text));
}

static void
answer_copy(struct request *r, const char *root, int64_t modified_us, const uint8_t etag[16], const struct checksum_value *sum)
{
	AUTO_BUF b = BUF(4 * KiB);
	AUTO_BUF tag = BUF(64);

	put_etag(&tag, etag, 0);
	xml_begin(&b, root);
	xml_put_time(&b, "LastModified", modified_us);
	xml_put(&b, "ETag", buf_str(&tag));
	put_checksum_element(&b, sum);
	xml_close(&b, root);
	answer_xml(r, 200, &b);
}

static void
answer_source_version(struct request *r, const struct source *s)
{
	AUTO_BUF b = BUF(64);

	if (s->bucket.versioning == VERSIONING_OFF)
		return;
	put_version(&b, s->object.is_null_version, s->object.version);
	answer_header(r, "x-amz-copy-source-version-id", buf_str(&b));
}

static void
copy_object(struct request *r, struct copying *c)
{
	struct put_result result;
	struct want wants[2];
	struct err e;

	if (!prepare_copy(r, c))
		return;
	wants[0] = source_want(&c->source);
	wants[1] = (struct want){.action = ACTION_PUT_OBJECT, .flags = WANT_MAKE, .bucket_name = r->bucket, .key = r->key,
		.bucket_charter = c->bucket.charter, .object_charter = c->exists ? c->present.charter : STR_NONE,
		.acl = acl_headers_present(r) ? &c->acl : NULL, .tags = c->tags, .n_tags = c->n_tags};
	if (!lock_for_put(r, &c->bucket, &wants[1]))
		return;
	if (!authorize(r, wants, 2, &c->reply, c->verdicts) || !both_allowed(r, &c->source, c->verdicts) ||
	    !owners_expected(r, &c->source, &c->bucket) || !put_default_encryption(r, &c->bucket, &c->manifest))
		return;
	settle_manifest(r, c);
	e = carry_out(r, c, &result);
	if (err_is(e)) {
		if (e.code == ERR_CONFLICT)
			answer_error(r, S3_CONDITIONAL_CONFLICT);
		else
			answer_err(r, e, REASON_NONE);
		return;
	}
	answer_source_version(r, &c->source);
	put_answer_version(r, &result, c->verdicts[1].ids.version);
	answer_sse_headers(r, &c->manifest, c->verdicts[1].ids.domain);
	answer_copy(r, "CopyObjectResult", result.modified_us, c->put.etag, &c->manifest.checksum);
}

void
op_copy_object(struct request *r)
{
	struct copying *c = calloc(1, sizeof(*c));

	if (!c) {
		answer_error(r, S3_INTERNAL_ERROR);
		return;
	}
	c->lookup = c->reply = c->source.lookup = MSG(0);
	copy_object(r, c);
	copying_free(c);
}

/* ---- UploadPartCopy ---- */

/* "bytes=a-b" exactly, inside the source */
static bool
copy_range(struct request *r, uint64_t size, uint64_t *ret_from, uint64_t *ret_n)
{
	struct str range = request_header(r, "x-amz-copy-source-range"), first, last;
	uint64_t a, b;

	*ret_from = 0;
	*ret_n = size;
	if (!range.p)
		return true;
	if (!str_starts(range, STR("bytes=")) || !str_split(str_sub(range, 6, SIZE_MAX), '-', &first, &last) ||
	    err_is(num_parse_u64(first, UINT64_MAX, &a)) || err_is(num_parse_u64(last, UINT64_MAX, &b)) || b < a) {
		answer_error_field(r, S3_INVALID_ARGUMENT, "x-amz-copy-source-range");
		return false;
	}
	if (b >= size) {
		answer_error_field(r, S3_INVALID_RANGE, "x-amz-copy-source-range");
		return false;
	}
	*ret_from = a;
	*ret_n = b - a + 1;
	return true;
}

struct part_copying {
	struct source source;
	struct msg bucket_reply, upload_reply, reply;
	struct bucket_info bucket;
	struct upload_info upload;
	struct id upload_id;
	struct part part;
	struct buf manifest_text;
	struct manifest manifest; /* of the upload */
	struct verdict verdicts[2];
};

static struct err
carry_out_part(struct request *r, struct part_copying *c, uint64_t from, uint64_t n, struct checksum_value *ret_sum)
{
	struct verdict *to = &c->verdicts[1];
	struct blob_header h = to->ids;
	struct stream_context context = {.bucket = h.bucket, .object = h.object, .version = h.version, .part = c->part.number};
	enum checksum_kind kind = c->manifest.checksum.kind;
	struct checksum *sum = kind != CHECKSUM_NONE ? checksum_new(kind) : NULL;
	AUTO_BUF meta = BUF(1024);
	uint8_t header[HEADER_BYTES];
	struct sealing *sealing = NULL;
	struct sealed_body body;
	struct err e;

	h.part = c->part.number;
	header_encode(&h, header);
	e = sealing_new(r->house->vault, to->key, &context, header, n, &sealing);
	if (!err_is(e))
		e = pump(r, &c->source, &c->verdicts[0], from, n, sealing, sum);
	if (!err_is(e))
		e = sealing_finish(sealing, &body);
	*ret_sum = (struct checksum_value){0};
	if (sum)
		*ret_sum = checksum_final(sum);
	checksum_free(sum);
	if (!err_is(e))
		e = part_meta_seal(ret_sum, to->key, &to->ids, c->part.number, &meta);
	if (!err_is(e)) {
		c->part.size = body.size;
		rand_bytes(c->part.etag, 16);
		c->part.meta = sealed_from_store(buf_str(&meta));
		e = vault_part_put(r->house->vault, &to->grant, c->upload_id, &c->part, body.body, body.fd, body.sha256);
	}
	sealing_free(sealing);
	return e;
}

static void
upload_part_copy(struct request *r, struct part_copying *c)
{
	struct checksum_value sum;
	struct want wants[2];
	uint64_t number, from, n;
	struct err e, found;

	if (err_is(num_parse_u64(request_query(r, "partNumber"), LIMIT_PARTS, &number)) || number == 0) {
		answer_error_field(r, S3_INVALID_ARGUMENT, "partNumber");
		return;
	}
	c->part.number = (uint32_t)number;
	if (!source_look_up(r, &c->source) || !with_bucket(r, ACTION_PUT_OBJECT, &c->bucket_reply, &c->bucket))
		return;
	found = id_parse(request_query(r, "uploadId"), &c->upload_id);
	if (!err_is(found))
		found = vault_upload_get(r->house->vault, c->bucket.id, r->key, c->upload_id, &c->upload_reply, &c->upload);
	wants[0] = source_want(&c->source);
	wants[1] = (struct want){.action = ACTION_PUT_OBJECT, .bucket_name = r->bucket, .key = r->key,
		.bucket_charter = c->bucket.charter};
	if (!err_is(found)) {
		wants[1].flags = WANT_OPEN;
		wants[1].object_charter = c->upload.charter;
		wants[1].header = c->upload.header;
	}
	if (!authorize(r, wants, 2, &c->reply, c->verdicts) || !both_allowed(r, &c->source, c->verdicts) ||
	    !owners_expected(r, &c->source, &c->bucket))
		return;
	if (err_is(found)) {
		answer_error(r, S3_NO_SUCH_UPLOAD);
		return;
	}
	if (!copy_range(r, c->source.object.size, &from, &n))
		return;
	c->manifest_text = BUF_WIPED(LIMIT_MANIFEST_BYTES);
	e = manifest_open(sealed_from_store(c->upload.manifest), c->verdicts[1].key, &c->verdicts[1].ids, &c->manifest_text,
	    &c->manifest);
	if (!err_is(e))
		e = carry_out_part(r, c, from, n, &sum);
	if (err_is(e)) {
		if (e.code == ERR_NOT_FOUND)
			answer_error(r, S3_NO_SUCH_UPLOAD);
		else
			answer_err(r, e, REASON_NONE);
		return;
	}
	answer_source_version(r, &c->source);
	answer_sse_headers(r, &c->manifest, c->verdicts[1].ids.domain);
	answer_copy(r, "CopyPartResult", clock_now_us(), c->part.etag, &sum);
}

void
op_upload_part_copy(struct request *r)
{
	struct part_copying *c = calloc(1, sizeof(*c));

	if (!c) {
		answer_error(r, S3_INTERNAL_ERROR);
		return;
	}
	c->bucket_reply = c->upload_reply = c->reply = c->source.lookup = MSG(0);
	upload_part_copy(r, c);
	source_release(&c->source);
	verdict_release(&c->verdicts[0]);
	verdict_release(&c->verdicts[1]);
	msg_release(&c->bucket_reply);
	msg_release(&c->upload_reply);
	msg_release(&c->reply);
	buf_release(&c->manifest_text);
	free(c);
}
