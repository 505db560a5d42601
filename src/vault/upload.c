/*
 * Multipart uploads. An upload is what its version will be: same id, same data key, same header. Parts are rows under that id, each
 * with its own stream; completing an upload makes the version and leaves the parts where they are.
 */
#include "crypto/stream.h"
#include "vault/store.h"

#define PART_META_BYTES_MAX 1024

struct err
upload_find(struct vault *v, struct query *q, struct id id, struct upload_row *ret)
{
	struct upload_row u;
	bool is_row;

	db_start(v->db, SQL_UPLOAD_BY_ID, q);
	query_put_id(q, id);
	TRY(query_step(q, &is_row));
	if (!is_row)
		return ERR(ERR_NOT_FOUND);
	TRY(upload_take(v, q, &u));
	if (!id_eq(u.id, id))
		return ERR(ERR_CORRUPT);
	*ret = u;
	return OK;
}

struct err
bucket_id_of(struct vault *v, uint64_t no, struct id *ret)
{
	AUTO_QUERY q = {0};
	struct bucket_row b;
	bool is_row;

	db_start(v->db, SQL_BUCKET_BY_NO, &q);
	query_put_u64(&q, no);
	TRY(query_step(&q, &is_row));
	if (!is_row)
		return ERR(ERR_CORRUPT);
	TRY(bucket_take(v, &q, &b));
	*ret = b.info.id;
	return OK;
}

struct err
op_upload_create(struct vault *v, struct request *r)
{
	struct cur c = msg_cur(&r->in);
	struct put_parts pp;
	struct upload_row u;
	enum versioning versioning;
	struct record *rec;
	uint64_t bucket;

	TRY(put_read(v, &c, VAULT_UPLOAD_CREATE, &pp));
	TRY(bucket_need(v, pp.put.bucket, &bucket, &versioning));
	TRY(store_room(v, 0));
	u = (struct upload_row){.bucket = bucket, .id = pp.ids.version, .object = pp.ids.object, .owner = pp.owner,
		.domain = pp.ids.domain, .epoch = pp.ids.epoch, .created_us = v->now_us, .key = pp.put.key,
		.header = pp.put.header, .charter = pp.put.charter, .manifest = sealed_bytes(pp.put.manifest)};
	TRY(store_begin(v));
	TRY(upload_add(v, &u));
	v->after_write = true;
	v->tally[TALLY_UPLOADS]++;
	WRITE(v, store_record(v, STR("upload.commit"), &pp.terms, &rec));
	record_id(rec, RECORD_BUCKET, pp.put.bucket);
	record_id(rec, RECORD_OBJECT, u.object);
	record_id(rec, RECORD_VERSION, u.id);
	return OK;
}

/* read_name(c, &bucket, &key, &upload): how client.c names an upload. */
static struct err
read_name(struct cur *c, struct id *ret_bucket, struct str *ret_key, struct id *ret_upload)
{
	*ret_bucket = cur_id(c);
	*ret_key = cur_lstr(c);
	*ret_upload = cur_id(c);
	return cur_end(c);
}

/* named(v, q, bucket, key, id, &u): NOT_FOUND unless all three name it. */
static struct err
named(struct vault *v, struct query *q, struct id bucket, struct str key, struct id id, struct upload_row *ret)
{
	enum versioning versioning;
	struct upload_row u;
	uint64_t no;

	TRY(bucket_need(v, bucket, &no, &versioning));
	TRY(upload_find(v, q, id, &u));
	if (u.bucket != no || !str_eq(u.key, key))
		return ERR(ERR_NOT_FOUND);
	*ret = u;
	return OK;
}

struct err
op_upload_get(struct vault *v, struct request *r)
{
	struct cur c = msg_cur(&r->in);
	AUTO_QUERY q = {0};
	struct upload_info i;
	struct upload_row u;
	struct id bucket, id;
	struct str key;

	TRY(read_name(&c, &bucket, &key, &id));
	TRY(named(v, &q, bucket, key, id, &u));
	TRY(upload_take_wide(v, &q, &u));
	i = (struct upload_info){.upload = u.id, .object = u.object, .bucket = bucket, .owner = u.owner, .key = u.key,
		.charter = u.charter, .header = u.header, .manifest = u.manifest,
		.created_us = u.created_us};
	wire_put_upload(&r->out.body, &i);
	return OK;
}

struct err
part_remove(struct vault *v, struct id upload, uint32_t number, struct id blob)
{
	AUTO_QUERY q = {0};

	if (!id_is_zero(blob))
		TRY(blob_let_go(v, blob));
	db_start(v->db, SQL_PART_REMOVE, &q);
	query_put_id(&q, upload);
	query_put_u64(&q, number);
	return query_run(&q);
}

struct err
parts_drop(struct vault *v, struct id id)
{
	AUTO_QUERY q = {0};
	AUTO_QUERY all = {0};
	struct part_row p;
	bool is_row;

	db_start(v->db, SQL_PART_AFTER, &q);
	query_put_id(&q, id);
	query_put_u64(&q, 0);
	for (;;) {
		TRY(query_step(&q, &is_row));
		if (!is_row)
			break;
		TRY(part_take(v, &q, &p));
		if (!id_is_zero(p.blob))
			TRY(blob_let_go(v, p.blob));
	}
	query_end(&q);
	db_start(v->db, SQL_PART_REMOVE_ALL, &all);
	query_put_id(&all, id);
	return query_run(&all);
}

struct err
upload_row_remove(struct vault *v, uint64_t no)
{
	AUTO_QUERY q = {0};

	db_start(v->db, SQL_UPLOAD_REMOVE, &q);
	query_put_u64(&q, no);
	TRY(query_run(&q));
	v->tally[TALLY_UPLOADS]--;
	return OK;
}

struct err
upload_drop(struct vault *v, struct id id, uint64_t no)
{
	TRY(parts_drop(v, id));
	return upload_row_remove(v, no);
}

struct err
op_upload_abort(struct vault *v, struct request *r)
{
	struct cur c = msg_cur(&r->in);
	AUTO_QUERY q = {0};
	struct id bucket, id, object;
	struct grant_terms t;
	struct upload_row u;
	struct record *rec;
	struct grant g;
	struct str key;

	wire_grant(&c, &g);
	TRY(read_name(&c, &bucket, &key, &id));
	TRY(permit(v, &g, &(struct permit_ask){.op = VAULT_UPLOAD_ABORT, .bucket = &bucket, .version = &id, .name = &key}, &t));
	TRY(named(v, &q, bucket, key, id, &u));
	object = u.object;
	query_end(&q);
	TRY(store_begin(v));
	v->after_write = true;
	WRITE(v, upload_drop(v, id, u.no));
	WRITE(v, store_record(v, STR("upload.remove"), &t, &rec));
	record_id(rec, RECORD_BUCKET, bucket);
	record_id(rec, RECORD_OBJECT, object);
	record_id(rec, RECORD_VERSION, id);
	return OK;
}

/* ---- parts ---- */

struct part_ask {
	struct id upload;
	struct part part;
	struct sealed body;
	uint8_t sha256[32];
};

static struct err
read_part(struct cur *c, struct grant *ret_grant, struct part_ask *ret)
{
	wire_grant(c, ret_grant);
	ret->upload = cur_id(c);
	wire_part(c, &ret->part);
	ret->body = wire_sealed(c);
	cur_copy(c, ret->sha256, sizeof(ret->sha256));
	TRY(cur_end(c));
	if (ret->part.number < 1 || ret->part.number > LIMIT_PARTS)
		return ERR(ERR_INVALID);
	if (ret->part.size > LIMIT_SINGLE_PUT_BYTES || sealed_bytes(ret->part.meta).n > PART_META_BYTES_MAX)
		return ERR(ERR_LIMIT);
	return OK;
}

/*
 * part_file(v, a, u, fd): the header in a part's file is its upload's, with the part's number; the wrapped key may be an older one, if the
 * domain key was rotated since: then its slot is rewritten later.
 */
static struct err
part_file(struct vault *v, const struct part_ask *a, const struct upload_row *u, int fd, bool *ret_stale)
{
	struct blob_header h, whole;
	uint8_t stored[HEADER_BYTES];

	TRY(blob_check_new(v, fd, a->part.size, stored));
	if (err_is(header_decode(stored, &h)))
		return ERR(ERR_INVALID);
	TRY(header_decode((const uint8_t *)u->header.p, &whole));
	if (!id_eq(h.domain, whole.domain) || !id_eq(h.bucket, whole.bucket) || !id_eq(h.object, whole.object) ||
	    !id_eq(h.version, whole.version) || h.part != a->part.number)
		return ERR(ERR_INVALID);
	*ret_stale = h.epoch < whole.epoch;
	return OK;
}

static struct err
part_body(struct vault *v, const struct part_ask *a, const struct upload_row *u, int fd, bool *ret_stale)
{
	*ret_stale = false;
	if (fd >= 0)
		return sealed_bytes(a->body).n == 0 ? part_file(v, a, u, fd, ret_stale) : ERR(ERR_INVALID);
	if (a->part.size > LIMIT_INLINE_BYTES)
		return ERR(ERR_LIMIT);
	return sealed_bytes(a->body).n == stream_sealed_size(a->part.size) ? OK : ERR(ERR_INVALID);
}

/* old_blob(v, upload, number, &blob): the file of the part that is replaced; zero: none. */
static struct err
old_blob(struct vault *v, struct id upload, uint32_t number, struct id *ret)
{
	AUTO_QUERY q = {0};
	struct part_row p;
	bool is_row;

	db_start(v->db, SQL_PART_GET, &q);
	query_put_id(&q, upload);
	query_put_u64(&q, number);
	TRY(query_step(&q, &is_row));
	*ret = (struct id){0};
	if (!is_row)
		return OK;
	TRY(part_take(v, &q, &p));
	*ret = p.blob;
	return OK;
}

static struct err
part_write(struct vault *v, const struct part_ask *a, int fd, bool stale, const struct grant_terms *t, struct id bucket,
    struct id object)
{
	struct part_row p = {.upload = a->upload, .number = a->part.number, .size = a->part.size,
		.modified_us = v->now_us, .meta = sealed_bytes(a->part.meta), .body = sealed_bytes(a->body)};
	struct record *rec;
	struct id old;

	memcpy(p.etag, a->part.etag, sizeof(p.etag));
	TRY(old_blob(v, a->upload, p.number, &old));
	TRY(store_begin(v));
	if (fd >= 0) {
		memcpy(p.sha256, a->sha256, sizeof(p.sha256));
		TRY(blob_link(v, fd, p.sha256, &p.blob));
	} else {
		sha256(p.body, p.sha256);
	}
	v->after_write = true;
	WRITE(v, part_add(v, &p));
	if (!id_is_zero(old))
		WRITE(v, blob_let_go(v, old));
	if (stale)
		WRITE(v, stale_mark(v, a->upload));
	WRITE(v, store_record(v, STR("upload.part"), t, &rec));
	record_id(rec, RECORD_BUCKET, bucket);
	record_id(rec, RECORD_OBJECT, object);
	record_id(rec, RECORD_VERSION, a->upload);
	record_number(rec, RECORD_PART, p.number);
	record_number(rec, RECORD_SIZE, p.size);
	record_digest(rec, RECORD_DIGEST, p.sha256);
	return OK;
}

struct err
op_part_put(struct vault *v, struct request *r)
{
	struct cur c = msg_cur(&r->in);
	AUTO_QUERY q = {0};
	struct part_ask a;
	struct grant_terms t;
	struct upload_row u;
	struct grant g;
	struct id bucket;
	bool stale;
	int fd = r->in.n_fds > 0 ? r->in.fds[0] : -1;

	TRY(read_part(&c, &g, &a));
	TRY(upload_find(v, &q, a.upload, &u));
	TRY(bucket_id_of(v, u.bucket, &bucket));
	TRY(permit(v, &g, &(struct permit_ask){.op = VAULT_PART_PUT, .bucket = &bucket, .version = &a.upload, .name = &u.key}, &t));
	TRY(upload_take_wide(v, &q, &u));
	TRY(part_body(v, &a, &u, fd, &stale));
	TRY(store_room(v, 0));
	return part_write(v, &a, fd, stale, &t, bucket, u.object);
}

/* part_owner(v, id, &bucket, q, &key, &kind): what ${id} is: an upload (kind 0) or a finished version (1). */
static struct err
part_owner(struct vault *v, struct query *q, struct id id, uint64_t *ret_bucket, struct str *ret_key, unsigned *ret_kind)
{
	struct version_row row;
	struct upload_row u;
	struct err e = upload_find(v, q, id, &u);
	bool is_row;

	if (e.code != ERR_NOT_FOUND) {
		TRY(e);
		*ret_bucket = u.bucket;
		*ret_key = u.key;
		*ret_kind = 0;
		return OK;
	}
	query_end(q);
	db_start(v->db, SQL_VERSION_BY_ID_SLIM, q);
	query_put_id(q, id);
	TRY(query_step(q, &is_row));
	if (!is_row)
		return ERR(ERR_NOT_FOUND);
	TRY(version_take(v, q, &row));
	*ret_bucket = row.bucket;
	*ret_key = row.key;
	*ret_kind = 1;
	return OK;
}

struct err
op_part_list(struct vault *v, struct request *r)
{
	struct cur c = msg_cur(&r->in);
	AUTO_QUERY owner = {0};
	AUTO_QUERY q = {0};
	struct grant_terms t;
	struct grant g;
	struct id id, bucket;
	struct part_row p;
	struct str key;
	uint64_t bucket_no;
	uint32_t after;
	uint16_t max, n = 0;
	unsigned kind;
	bool is_row = false;

	wire_grant(&c, &g);
	id = cur_id(&c);
	after = cur_u32(&c);
	max = cur_u16(&c);
	TRY(cur_end(&c));
	TRY(part_owner(v, &owner, id, &bucket_no, &key, &kind));
	TRY(bucket_id_of(v, bucket_no, &bucket));
	TRY(permit(v, &g, &(struct permit_ask){.op = VAULT_PART_LIST, .kind = kind, .bucket = &bucket, .version = &id,
	    .name = &key}, &t));
	db_start(v->db, SQL_PART_AFTER, &q);
	query_put_id(&q, id);
	query_put_u64(&q, after);
	buf_put_u8(&r->out.body, 0);
	while (max > 0) {
		struct part part;

		TRY(query_step(&q, &is_row));
		if (!is_row)
			break;
		TRY(part_take(v, &q, &p));
		if (n == max || r->out.body.n + p.meta.n + WIRE_ENTRY_FIXED > WIRE_BODY_MAX)
			break;
		part = (struct part){.number = p.number, .size = p.size, .modified_us = p.modified_us,
			.meta = sealed_from_store(p.meta)};
		memcpy(part.etag, p.etag, sizeof(part.etag));
		wire_put_part(&r->out.body, &part);
		n++;
	}
	if (!r->out.body.failed)
		r->out.body.p[0] = (char)is_row;
	return OK;
}

struct err
op_blob_open(struct vault *v, struct request *r)
{
	struct cur c = msg_cur(&r->in);
	AUTO_QUERY vq = {0};
	AUTO_QUERY q = {0};
	struct version_row row;
	struct part_row p;
	struct id version = cur_id(&c);
	uint32_t index = cur_u32(&c);
	uint8_t hash[SHA256_BYTES];
	bool is_row;
	int fd;

	TRY(cur_end(&c));
	db_start(v->db, SQL_VERSION_BY_ID_SLIM, &vq);
	query_put_id(&vq, version);
	TRY(query_step(&vq, &is_row));
	if (!is_row)
		return ERR(ERR_NOT_FOUND);
	TRY(version_take(v, &vq, &row));
	if (index >= row.n_parts)
		return ERR(ERR_NOT_FOUND);
	db_start(v->db, row.flags & VERSION_RUN ? SQL_PART_GET : SQL_PART_AT, &q);
	query_put_id(&q, version);
	query_put_u64(&q, row.flags & VERSION_RUN ? index + 1 : index);
	TRY(query_step(&q, &is_row));
	if (!is_row)
		return ERR(ERR_CORRUPT);
	TRY(part_take(v, &q, &p));
	if (!id_is_zero(p.blob)) {
		TRY(blob_open(v, p.blob, p.size, &fd));
		msg_give_fd(&r->out, fd);
	} else {
		sha256(p.body, hash);
		if (memcmp(hash, p.sha256, sizeof(hash)) != 0)
			return ERR(ERR_CORRUPT);
	}
	buf_put_u32(&r->out.body, p.number);
	buf_put_u64(&r->out.body, p.size);
	buf_put_lstr(&r->out.body, p.body);
	return OK;
}
