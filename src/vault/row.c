#include "vault/store.h"

/*
 * Each sum starts with a letter for its table, so that a row of one is never one of another. What is summed is what is stored, in
 * the order of the columns. doc/vault.md
 */
static struct buf *
sum_begin(struct vault *v, char table)
{
	buf_clear(&v->scratch);
	buf_put_char(&v->scratch, table);
	return &v->scratch;
}

static void
sum_end(const struct vault *v, uint8_t out[SUM_BYTES])
{
	uint8_t hash[SHA256_BYTES];

	INVARIANT(!v->scratch.failed);
	sha256(buf_str(&v->scratch), hash);
	memcpy(out, hash, SUM_BYTES);
}

static struct err
sum_compare(const uint8_t a[SUM_BYTES], const uint8_t b[SUM_BYTES])
{
	return memcmp(a, b, SUM_BYTES) == 0 ? OK : ERR(ERR_CORRUPT);
}

static void
wide_sum(struct vault *v, struct str header, struct str charter, struct str manifest, uint8_t out[SUM_BYTES])
{
	struct buf *b = sum_begin(v, 'w');

	buf_put_lstr(b, header);
	buf_put_lstr(b, charter);
	buf_put_lstr(b, manifest);
	sum_end(v, out);
}

static struct str
bytes(const void *p, size_t n)
{
	return str_of(p, n);
}

static uint32_t
take_u32(struct query *q)
{
	return (uint32_t)num_min(query_u64(q), UINT32_MAX);
}

/* ---- buckets ---- */

static void
bucket_sum(struct vault *v, const struct bucket_info *i, uint8_t out[SUM_BYTES])
{
	struct buf *b = sum_begin(v, 'b');

	wire_put_bucket(b, i);
	sum_end(v, out);
}

struct err
bucket_take(struct vault *v, struct query *q, struct bucket_row *ret)
{
	uint8_t stored[SUM_BYTES], sum[SUM_BYTES];
	struct bucket_row r = {.no = query_u64(q)};

	r.info.id = query_id(q);
	r.info.name = query_str(q);
	r.info.owner = query_id(q);
	r.info.versioning = (enum versioning)take_u32(q);
	r.info.object_lock = query_u64(q) != 0;
	r.info.created_us = query_i64(q);
	r.info.docs = take_u32(q);
	r.info.charter = query_str(q);
	query_copy(q, stored, sizeof(stored));
	TRY(query_check(q));
	bucket_sum(v, &r.info, sum);
	TRY(sum_compare(sum, stored));
	*ret = r;
	return OK;
}

struct err
bucket_add(struct vault *v, const struct bucket_info *i)
{
	AUTO_QUERY q = {0};
	uint8_t sum[SUM_BYTES];

	bucket_sum(v, i, sum);
	db_start(v->db, SQL_BUCKET_ADD, &q);
	query_put_id(&q, i->id);
	query_put_str(&q, i->name);
	query_put_id(&q, i->owner);
	query_put_u64(&q, i->versioning);
	query_put_u64(&q, i->object_lock);
	query_put_i64(&q, i->created_us);
	query_put_u64(&q, i->docs);
	query_put_str(&q, i->charter);
	query_put_str(&q, bytes(sum, sizeof(sum)));
	return query_run(&q);
}

struct err
bucket_update(struct vault *v, const struct bucket_row *b)
{
	AUTO_QUERY q = {0};
	uint8_t sum[SUM_BYTES];

	bucket_sum(v, &b->info, sum);
	db_start(v->db, SQL_BUCKET_SET, &q);
	query_put_u64(&q, b->info.versioning);
	query_put_u64(&q, b->info.docs);
	query_put_str(&q, b->info.charter);
	query_put_str(&q, bytes(sum, sizeof(sum)));
	query_put_u64(&q, b->no);
	return query_run(&q);
}

void
doc_sum(struct vault *v, uint64_t bucket, enum bucket_doc which, struct str body, uint8_t out[SUM_BYTES])
{
	struct buf *b = sum_begin(v, 'd');

	buf_put_u64(b, bucket);
	buf_put_u8(b, (uint8_t)which);
	buf_put_str(b, body);
	sum_end(v, out);
}

/* ---- versions ---- */

static void
version_sum(struct vault *v, const struct version_row *r, uint8_t out[SUM_BYTES])
{
	struct buf *b = sum_begin(v, 'v');

	buf_put_u64(b, r->no);
	buf_put_u64(b, r->bucket);
	buf_put_id(b, r->id);
	buf_put_id(b, r->object);
	buf_put_u32(b, r->flags);
	buf_put_u64(b, r->size);
	buf_put_u64(b, (uint64_t)r->modified_us);
	buf_put_u32(b, r->n_parts);
	buf_put(b, r->etag, sizeof(r->etag));
	buf_put_id(b, r->owner);
	buf_put_id(b, r->domain);
	buf_put_u32(b, r->epoch);
	buf_put_id(b, r->blob);
	buf_put(b, r->sha256, sizeof(r->sha256));
	buf_put(b, r->list_hash, sizeof(r->list_hash));
	buf_put(b, r->wide_sum, sizeof(r->wide_sum));
	buf_put_str(b, r->key);
	sum_end(v, out);
}

struct err
version_take(struct vault *v, struct query *q, struct version_row *ret)
{
	uint8_t stored[SUM_BYTES], sum[SUM_BYTES];
	struct version_row r = {.no = query_u64(q)};

	r.bucket = query_u64(q);
	r.id = query_id(q);
	r.object = query_id(q);
	r.flags = take_u32(q);
	r.size = query_u64(q);
	r.modified_us = query_i64(q);
	r.n_parts = take_u32(q);
	query_copy(q, r.etag, sizeof(r.etag));
	r.owner = query_id(q);
	r.domain = query_id(q);
	r.epoch = take_u32(q);
	r.blob = query_id(q);
	query_copy(q, r.sha256, sizeof(r.sha256));
	query_copy(q, r.list_hash, sizeof(r.list_hash));
	query_copy(q, r.wide_sum, sizeof(r.wide_sum));
	query_copy(q, stored, sizeof(stored));
	r.key = query_str(q);
	TRY(query_check(q));
	version_sum(v, &r, sum);
	TRY(sum_compare(sum, stored));
	*ret = r;
	return OK;
}

struct err
version_take_wide(struct vault *v, struct query *q, struct version_row *r)
{
	uint8_t sum[SUM_BYTES];

	r->header = query_str(q);
	r->charter = query_str(q);
	r->manifest = query_str(q);
	r->body = query_str(q);
	TRY(query_check(q));
	wide_sum(v, r->header, r->charter, r->manifest, sum);
	return sum_compare(sum, r->wide_sum);
}

struct err
version_add(struct vault *v, struct version_row *r)
{
	AUTO_QUERY q = {0};
	uint8_t sum[SUM_BYTES];

	r->no = ++v->last_no;
	wide_sum(v, r->header, r->charter, r->manifest, r->wide_sum);
	version_sum(v, r, sum);
	db_start(v->db, SQL_VERSION_ADD, &q);
	query_put_u64(&q, r->no);
	query_put_u64(&q, r->bucket);
	query_put_id(&q, r->id);
	query_put_id(&q, r->object);
	query_put_u64(&q, r->flags);
	query_put_u64(&q, r->size);
	query_put_i64(&q, r->modified_us);
	query_put_u64(&q, r->n_parts);
	query_put_str(&q, bytes(r->etag, sizeof(r->etag)));
	query_put_id(&q, r->owner);
	query_put_id(&q, r->domain);
	query_put_u64(&q, r->epoch);
	query_put_id(&q, r->blob);
	query_put_str(&q, bytes(r->sha256, sizeof(r->sha256)));
	query_put_str(&q, bytes(r->list_hash, sizeof(r->list_hash)));
	query_put_str(&q, bytes(r->wide_sum, sizeof(r->wide_sum)));
	query_put_str(&q, bytes(sum, sizeof(sum)));
	query_put_str(&q, r->key);
	query_put_str(&q, r->header);
	query_put_str(&q, r->charter);
	query_put_str(&q, r->manifest);
	query_put_str(&q, r->body);
	return query_run(&q);
}

struct err
version_update(struct vault *v, struct version_row *r)
{
	AUTO_QUERY q = {0};
	uint8_t sum[SUM_BYTES];

	wide_sum(v, r->header, r->charter, r->manifest, r->wide_sum);
	version_sum(v, r, sum);
	db_start(v->db, SQL_VERSION_SET, &q);
	query_put_u64(&q, r->epoch);
	query_put_str(&q, bytes(r->wide_sum, sizeof(r->wide_sum)));
	query_put_str(&q, bytes(sum, sizeof(sum)));
	query_put_str(&q, r->header);
	query_put_str(&q, r->charter);
	query_put_str(&q, r->manifest);
	query_put_u64(&q, r->no);
	return query_run(&q);
}

/* ---- entries: of a version, what a listing shows ---- */

static void
entry_sum(struct vault *v, const struct version_row *r, uint8_t out[SUM_BYTES])
{
	struct buf *b = sum_begin(v, 'e');

	buf_put_u64(b, r->bucket);
	buf_put_u64(b, r->no);
	buf_put_id(b, r->id);
	buf_put_u32(b, r->flags);
	buf_put_u64(b, r->size);
	buf_put_u64(b, (uint64_t)r->modified_us);
	buf_put_u32(b, r->n_parts);
	buf_put(b, r->etag, sizeof(r->etag));
	buf_put_id(b, r->owner);
	buf_put_str(b, r->key);
	sum_end(v, out);
}

struct err
entry_take(struct vault *v, struct query *q, struct version_row *ret)
{
	uint8_t stored[SUM_BYTES], sum[SUM_BYTES];
	struct version_row r = {.bucket = query_u64(q)};

	r.key = query_str(q);
	r.no = query_u64(q);
	r.id = query_id(q);
	r.flags = take_u32(q);
	r.size = query_u64(q);
	r.modified_us = query_i64(q);
	r.n_parts = take_u32(q);
	query_copy(q, r.etag, sizeof(r.etag));
	r.owner = query_id(q);
	query_copy(q, stored, sizeof(stored));
	TRY(query_check(q));
	entry_sum(v, &r, sum);
	TRY(sum_compare(sum, stored));
	*ret = r;
	return OK;
}

struct err
entry_put(struct vault *v, const struct version_row *r)
{
	AUTO_QUERY q = {0};
	uint8_t sum[SUM_BYTES];

	entry_sum(v, r, sum);
	db_start(v->db, SQL_ENTRY_PUT, &q);
	query_put_u64(&q, r->bucket);
	query_put_str(&q, r->key);
	query_put_u64(&q, r->no);
	query_put_id(&q, r->id);
	query_put_u64(&q, r->flags);
	query_put_u64(&q, r->size);
	query_put_i64(&q, r->modified_us);
	query_put_u64(&q, r->n_parts);
	query_put_str(&q, bytes(r->etag, sizeof(r->etag)));
	query_put_id(&q, r->owner);
	query_put_str(&q, bytes(sum, sizeof(sum)));
	return query_run(&q);
}

/* ---- uploads ---- */

static void
upload_sum(struct vault *v, const struct upload_row *r, uint8_t out[SUM_BYTES])
{
	struct buf *b = sum_begin(v, 'u');

	buf_put_u64(b, r->no);
	buf_put_u64(b, r->bucket);
	buf_put_id(b, r->id);
	buf_put_id(b, r->object);
	buf_put_id(b, r->owner);
	buf_put_id(b, r->domain);
	buf_put_u32(b, r->epoch);
	buf_put_u64(b, (uint64_t)r->created_us);
	buf_put(b, r->wide_sum, sizeof(r->wide_sum));
	buf_put_str(b, r->key);
	sum_end(v, out);
}

struct err
upload_take(struct vault *v, struct query *q, struct upload_row *ret)
{
	uint8_t stored[SUM_BYTES], sum[SUM_BYTES];
	struct upload_row r = {.no = query_u64(q)};

	r.bucket = query_u64(q);
	r.id = query_id(q);
	r.object = query_id(q);
	r.owner = query_id(q);
	r.domain = query_id(q);
	r.epoch = take_u32(q);
	r.created_us = query_i64(q);
	query_copy(q, r.wide_sum, sizeof(r.wide_sum));
	query_copy(q, stored, sizeof(stored));
	r.key = query_str(q);
	TRY(query_check(q));
	upload_sum(v, &r, sum);
	TRY(sum_compare(sum, stored));
	*ret = r;
	return OK;
}

struct err
upload_take_wide(struct vault *v, struct query *q, struct upload_row *r)
{
	uint8_t sum[SUM_BYTES];

	r->header = query_str(q);
	r->charter = query_str(q);
	r->manifest = query_str(q);
	TRY(query_check(q));
	wide_sum(v, r->header, r->charter, r->manifest, sum);
	return sum_compare(sum, r->wide_sum);
}

struct err
upload_add(struct vault *v, struct upload_row *r)
{
	AUTO_QUERY q = {0};
	uint8_t sum[SUM_BYTES];

	r->no = ++v->last_no;
	wide_sum(v, r->header, r->charter, r->manifest, r->wide_sum);
	upload_sum(v, r, sum);
	db_start(v->db, SQL_UPLOAD_ADD, &q);
	query_put_u64(&q, r->no);
	query_put_u64(&q, r->bucket);
	query_put_id(&q, r->id);
	query_put_id(&q, r->object);
	query_put_id(&q, r->owner);
	query_put_id(&q, r->domain);
	query_put_u64(&q, r->epoch);
	query_put_i64(&q, r->created_us);
	query_put_str(&q, bytes(r->wide_sum, sizeof(r->wide_sum)));
	query_put_str(&q, bytes(sum, sizeof(sum)));
	query_put_str(&q, r->key);
	query_put_str(&q, r->header);
	query_put_str(&q, r->charter);
	query_put_str(&q, r->manifest);
	return query_run(&q);
}

struct err
upload_update(struct vault *v, struct upload_row *r)
{
	AUTO_QUERY q = {0};
	uint8_t sum[SUM_BYTES];

	wide_sum(v, r->header, r->charter, r->manifest, r->wide_sum);
	upload_sum(v, r, sum);
	db_start(v->db, SQL_UPLOAD_SET, &q);
	query_put_u64(&q, r->epoch);
	query_put_str(&q, bytes(r->wide_sum, sizeof(r->wide_sum)));
	query_put_str(&q, bytes(sum, sizeof(sum)));
	query_put_str(&q, r->header);
	query_put_u64(&q, r->no);
	return query_run(&q);
}

/* ---- parts ---- */

static void
part_sum(struct vault *v, const struct part_row *r, uint8_t out[SUM_BYTES])
{
	struct buf *b = sum_begin(v, 'p');

	buf_put_id(b, r->upload);
	buf_put_u32(b, r->number);
	buf_put_u64(b, r->size);
	buf_put_u64(b, (uint64_t)r->modified_us);
	buf_put(b, r->etag, sizeof(r->etag));
	buf_put_id(b, r->blob);
	buf_put(b, r->sha256, sizeof(r->sha256));
	buf_put_str(b, r->meta);
	sum_end(v, out);
}

struct err
part_take(struct vault *v, struct query *q, struct part_row *ret)
{
	uint8_t stored[SUM_BYTES], sum[SUM_BYTES];
	struct part_row r = {.upload = query_id(q)};

	r.number = take_u32(q);
	r.size = query_u64(q);
	r.modified_us = query_i64(q);
	query_copy(q, r.etag, sizeof(r.etag));
	r.blob = query_id(q);
	query_copy(q, r.sha256, sizeof(r.sha256));
	query_copy(q, stored, sizeof(stored));
	r.meta = query_str(q);
	r.body = query_str(q);
	TRY(query_check(q));
	part_sum(v, &r, sum);
	TRY(sum_compare(sum, stored));
	*ret = r;
	return OK;
}

struct err
part_add(struct vault *v, const struct part_row *r)
{
	AUTO_QUERY q = {0};
	uint8_t sum[SUM_BYTES];

	part_sum(v, r, sum);
	db_start(v->db, SQL_PART_PUT, &q);
	query_put_id(&q, r->upload);
	query_put_u64(&q, r->number);
	query_put_u64(&q, r->size);
	query_put_i64(&q, r->modified_us);
	query_put_str(&q, bytes(r->etag, sizeof(r->etag)));
	query_put_id(&q, r->blob);
	query_put_str(&q, bytes(r->sha256, sizeof(r->sha256)));
	query_put_str(&q, bytes(sum, sizeof(sum)));
	query_put_str(&q, r->meta);
	query_put_str(&q, r->body);
	return query_run(&q);
}
