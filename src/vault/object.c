#include "crypto/stream.h"
#include "vault/store.h"

/* ---- looking up ---- */

static void
describe(const struct version_row *r, bool is_latest, struct object_info *ret)
{
	*ret = (struct object_info){
		.object = r->object, .version = r->id, .owner = r->owner,
		.is_null_version = (r->flags & VERSION_NULL) != 0,
		.is_delete_marker = (r->flags & VERSION_MARKER) != 0,
		.is_inline = (r->flags & VERSION_INLINE) != 0,
		.is_latest = is_latest,
		.size = r->size, .modified_us = r->modified_us, .n_parts = r->n_parts,
		.key = r->key, .charter = r->charter, .header = r->header, .manifest = r->manifest,
		.fd = -1,
	};
	memcpy(ret->etag, r->etag, sizeof(ret->etag));
}

/* whole_body(r): the sealed body in the row is the one that was stored. */
static struct err
whole_body(const struct version_row *r)
{
	uint8_t hash[SHA256_BYTES];

	sha256(r->body, hash);
	return memcmp(hash, r->sha256, sizeof(hash)) == 0 ? OK : ERR(ERR_CORRUPT);
}

static struct err
add_body(struct vault *v, struct request *r, const struct version_row *row, struct object_info *o)
{
	int fd;

	if (row->flags & VERSION_INLINE) {
		TRY(whole_body(row));
		o->body = sealed_from_store(row->body);
	} else if (!id_is_zero(row->blob)) {
		TRY(blob_open(v, row->blob, row->size, &fd));
		msg_give_fd(&r->out, fd);
	}
	return OK;
}

/* wide(v, q, bucket, key, ref, &row, &latest): the whole row that ${ref} names. NOT_FOUND. */
static struct err
wide(struct vault *v, struct query *q, uint64_t bucket, struct str key, struct version_ref ref, struct version_row *ret,
    bool *ret_latest)
{
	struct version_row newest, r;
	bool is_row;

	if (ref.present) {
		TRY(version_find(v, bucket, key, ref, &r));
		ref.id = r.id;
	}
	db_start(v->db, ref.present ? SQL_VERSION_BY_ID : SQL_VERSION_NEWEST, q);
	if (ref.present) {
		query_put_id(q, ref.id);
	} else {
		query_put_u64(q, bucket);
		query_put_str(q, key);
	}
	TRY(query_step(q, &is_row));
	if (!is_row)
		return ERR(ERR_NOT_FOUND);
	TRY(version_take(v, q, &r));
	if (r.bucket != bucket || !str_eq(r.key, key))
		return ERR(ERR_CORRUPT);
	TRY(version_take_wide(v, q, &r));
	*ret_latest = true;
	if (ref.present) {
		TRY(version_newest(v, bucket, key, &newest));
		*ret_latest = newest.no == r.no;
	}
	*ret = r;
	return OK;
}

struct err
op_lookup(struct vault *v, struct request *r)
{
	struct cur c = msg_cur(&r->in);
	AUTO_QUERY bq = {0};
	AUTO_QUERY q = {0};
	struct str bucket = cur_lstr(&c), key = cur_lstr(&c);
	struct version_ref ref = wire_version_ref(&c);
	uint32_t flags = cur_u32(&c);
	struct version_row row;
	struct object_info o;
	struct bucket_row b;
	bool latest;
	struct err e;

	TRY(cur_end(&c));
	TRY(bucket_find_name(v, &bq, bucket, &b));
	wire_put_bucket(&r->out.body, &b.info);
	e = key.n ? wide(v, &q, b.no, key, ref, &row, &latest) : ERR(ERR_NOT_FOUND);
	if (e.code == ERR_NOT_FOUND) {
		buf_put_u8(&r->out.body, 0);
		return OK;
	}
	TRY(e);
	describe(&row, latest, &o);
	if (flags & LOOKUP_BODY)
		TRY(add_body(v, r, &row, &o));
	buf_put_u8(&r->out.body, 1);
	wire_put_object(&r->out.body, &o);
	return OK;
}

/* ---- writing ---- */

/* put_check(p, &ids, &charter): all that can be known of a new version without the database. INVALID, LIMIT. */
static struct err
put_check(const struct put *p, struct blob_header *ids, struct charter *charter)
{
	if (p->key.n == 0 || p->header.n != HEADER_BYTES || p->charter.n == 0)
		return ERR(ERR_INVALID);
	if (p->key.n > LIMIT_OBJECT_KEY_BYTES || p->charter.n > LIMIT_CHARTER_BYTES ||
	    sealed_bytes(p->manifest).n > LIMIT_MANIFEST_BYTES || p->size > LIMIT_OBJECT_BYTES)
		return ERR(ERR_LIMIT);
	if (err_is(header_decode((const uint8_t *)p->header.p, ids)))
		return ERR(ERR_INVALID);
	TRY(charter_read(p->charter, charter));
	if (!id_eq(ids->bucket, p->bucket) || id_is_zero(ids->version) || id_is_zero(ids->object) || ids->part != 0)
		return ERR(ERR_INVALID);
	if (charter->is_bucket || !id_eq(charter->bucket, ids->bucket) || !id_eq(charter->version, ids->version) ||
	    !id_eq(charter->object, ids->object) || !str_eq(charter->name, p->key))
		return ERR(ERR_INVALID);
	return OK;
}

struct err
put_read(struct vault *v, struct cur *c, enum vault_op op, struct put_parts *ret)
{
	struct charter charter;
	struct grant g;

	wire_grant(c, &g);
	wire_put(c, &ret->put);
	TRY(cur_end(c));
	TRY(put_check(&ret->put, &ret->ids, &charter));
	TRY(permit(v, &g, &(struct permit_ask){.op = op, .bucket = &ret->put.bucket, .version = &ret->ids.version,
	    .exact_version = true, .name = &ret->put.key, .charter = ret->put.charter}, &ret->terms));
	ret->owner = charter.owner;
	return OK;
}

/* body_check(v, p, fd): the stream is whole: inline or in a file. */
static struct err
body_check(const struct vault *v, const struct put *p, int fd)
{
	uint8_t stored[HEADER_BYTES];

	if (fd >= 0) {
		if (sealed_bytes(p->body).n > 0)
			return ERR(ERR_INVALID);
		TRY(blob_check_new(v, fd, p->size, stored));
		return memcmp(stored, p->header.p, HEADER_BYTES) == 0 ? OK : ERR(ERR_INVALID);
	}
	if (p->size > LIMIT_INLINE_BYTES)
		return ERR(ERR_LIMIT);
	return sealed_bytes(p->body).n == stream_sealed_size(p->size) ? OK : ERR(ERR_INVALID);
}

static void
row_of_put(const struct put_parts *pp, uint64_t bucket, int64_t now_us, struct version_row *r)
{
	const struct put *p = &pp->put;

	*r = (struct version_row){.bucket = bucket, .id = pp->ids.version, .object = pp->ids.object, .owner = pp->owner,
	    .domain = pp->ids.domain, .epoch = pp->ids.epoch, .size = p->size, .modified_us = now_us, .key = p->key,
	    .header = p->header, .charter = p->charter, .manifest = sealed_bytes(p->manifest)};
	memcpy(r->etag, p->etag, sizeof(r->etag));
}

struct err
record_version(struct vault *v, struct str act, const struct grant_terms *t, struct id bucket,
    const struct version_row *r, struct id replaced)
{
	struct record *rec;

	TRY(store_record(v, act, t, &rec));
	record_id(rec, RECORD_BUCKET, bucket);
	record_id(rec, RECORD_OBJECT, r->object);
	record_id(rec, RECORD_VERSION, r->id);
	record_id(rec, RECORD_OTHER, replaced);
	if (!(r->flags & VERSION_MARKER)) {
		record_number(rec, RECORD_SIZE, r->size);
		record_digest(rec, RECORD_DIGEST, r->sha256);
	}
	return OK;
}

void
answer_put(struct request *r, int64_t modified_us, enum versioning versioning)
{
	struct put_result result = {.modified_us = modified_us, .has_version_id = versioning != VERSIONING_OFF,
		.is_null = versioning != VERSIONING_ENABLED};

	wire_put_put_result(&r->out.body, &result);
}

struct err
put_may(struct vault *v, uint64_t bucket, const struct put *p)
{
	const struct write_condition *w = &p->condition;
	struct version_row newest;
	struct err e;

	if (!w->if_none_match_any && !w->if_match_any && !w->if_match && !w->if_size && !w->if_modified)
		return OK;
	e = version_newest(v, bucket, p->key, &newest);
	if (err_is(e) && e.code != ERR_NOT_FOUND)
		return e;
	return condition_check(&p->condition, err_is(e) ? NULL : &newest);
}

/* no_upload(v, id): an upload's grant also says "put this version"; it is completed, not put. */
static struct err
no_upload(struct vault *v, struct id id)
{
	AUTO_QUERY q = {0};
	bool is_row;

	db_start(v->db, SQL_UPLOAD_HAS, &q);
	query_put_id(&q, id);
	TRY(query_step(&q, &is_row));
	return is_row ? ERR(ERR_EXISTS) : OK;
}

struct err
op_put(struct vault *v, struct request *r)
{
	struct cur c = msg_cur(&r->in);
	struct put_parts pp;
	struct version_row row;
	enum versioning versioning;
	struct id replaced;
	uint64_t bucket;
	struct err e;
	int fd = r->in.n_fds > 0 ? r->in.fds[0] : -1;

	TRY(put_read(v, &c, VAULT_PUT, &pp));
	TRY(bucket_need(v, pp.put.bucket, &bucket, &versioning));
	TRY(body_check(v, &pp.put, fd));
	TRY(no_upload(v, pp.ids.version));
	TRY(put_may(v, bucket, &pp.put));
	TRY(store_room(v, 0));
	row_of_put(&pp, bucket, v->now_us, &row);
	TRY(store_begin(v));
	if (fd >= 0) {
		memcpy(row.sha256, pp.put.sha256, sizeof(row.sha256));
		TRY(blob_link(v, fd, row.sha256, &row.blob));
	} else {
		row.flags = VERSION_INLINE;
		row.body = sealed_bytes(pp.put.body);
		sha256(row.body, row.sha256);
	}
	e = version_commit(v, &row, versioning, &replaced);
	if (err_is(e) && fd >= 0 && !v->after_write)
		WRITE(v, blob_let_go(v, row.blob));
	TRY(e);
	WRITE(v, record_version(v, STR("object.commit"), &pp.terms, pp.put.bucket, &row, replaced));
	answer_put(r, v->now_us, versioning);
	return OK;
}

/* ---- deleting ---- */

static struct err
add_marker(struct vault *v, const struct grant_terms *t, struct id bucket_id, uint64_t bucket, enum versioning versioning,
    struct str key, struct delete_result *ret)
{
	struct version_row row = {.bucket = bucket, .id = id_new(), .owner = t->who, .flags = VERSION_MARKER,
		.modified_us = v->now_us, .key = key};
	struct id replaced;

	TRY(store_begin(v));
	WRITE(v, version_commit(v, &row, versioning, &replaced));
	WRITE(v, record_version(v, STR("object.mark"), t, bucket_id, &row, replaced));
	ret->made_marker = true;
	ret->version = (struct version_ref){.present = true, .is_null = (row.flags & VERSION_NULL) != 0, .id = row.id};
	return OK;
}

static struct err
remove_version(struct vault *v, const struct grant_terms *t, struct id bucket_id, uint64_t bucket, struct str key,
    const struct version_row *row)
{
	TRY(store_begin(v));
	v->after_write = true;
	WRITE(v, version_drop(v, row));
	WRITE(v, entry_refresh(v, bucket, key));
	WRITE(v, record_version(v, STR("object.remove"), t, bucket_id, row, (struct id){0}));
	return OK;
}

/* bypass_holds(…): there is a grant to pass by GOVERNANCE for this very version. */
static struct err
bypass_holds(struct vault *v, struct id bucket_id, const struct deletion *d, const struct version_row *row, bool *ret)
{
	struct grant_terms t;

	*ret = d->has_bypass;
	if (!d->has_bypass)
		return OK;
	return permit(v, &d->bypass, &(struct permit_ask){.op = VAULT_DELETE, .kind = 2, .bucket = &bucket_id, .name = &d->key,
	    .version = &row->id}, &t);
}

/* lock_check(…): nothing keeps the version: no legal hold, no retention. DENIED. */
static struct err
lock_check(struct vault *v, struct id bucket_id, const struct deletion *d, const struct version_row *row)
{
	AUTO_QUERY q = {0};
	struct version_row all;
	struct charter c;
	bool is_row, bypass;

	if (row->flags & VERSION_MARKER)
		return OK;
	db_start(v->db, SQL_VERSION_BY_ID, &q);
	query_put_id(&q, row->id);
	TRY(query_step(&q, &is_row));
	if (!is_row)
		return ERR(ERR_CORRUPT);
	TRY(version_take(v, &q, &all));
	TRY(version_take_wide(v, &q, &all));
	TRY(charter_read(all.charter, &c));
	if (!lock_forbids(&c.lock, v->now_us, false))
		return OK;
	TRY(bypass_holds(v, bucket_id, d, row, &bypass));
	return lock_forbids(&c.lock, v->now_us, bypass) ? ERR(ERR_DENIED) : OK;
}

/* delete_named(…): one version, named by the client. One that does not exist is no error (S3). */
static struct err
delete_named(struct vault *v, const struct grant_terms *t, struct id bucket_id, uint64_t bucket, const struct deletion *d,
    struct delete_result *ret)
{
	struct version_row row;
	struct err e = version_find(v, bucket, d->key, d->version, &row);
	struct id want;

	if (err_is(e) && e.code != ERR_NOT_FOUND)
		return e;
	want = err_is(e) ? d->version.id : row.id;
	/* a grant for "null" may have been given without knowing which id that is */
	if (!id_eq(t->version, want) && !(d->version.is_null && id_is_zero(t->version)))
		return ERR(ERR_DENIED);
	TRY(condition_check(&d->condition, err_is(e) ? NULL : &row));
	ret->version = d->version;
	if (err_is(e))
		return OK;
	TRY(lock_check(v, bucket_id, d, &row));
	TRY(remove_version(v, t, bucket_id, bucket, d->key, &row));
	ret->removed_marker = (row.flags & VERSION_MARKER) != 0;
	ret->version = (struct version_ref){.present = true, .is_null = (row.flags & VERSION_NULL) != 0, .id = row.id};
	return OK;
}

static struct err
delete_current(struct vault *v, const struct grant_terms *t, struct id bucket_id, uint64_t bucket,
    enum versioning versioning, const struct deletion *d, struct delete_result *ret)
{
	struct version_row newest;
	struct err e = version_newest(v, bucket, d->key, &newest);

	if (err_is(e) && e.code != ERR_NOT_FOUND)
		return e;
	TRY(condition_check(&d->condition, err_is(e) ? NULL : &newest));
	if (versioning != VERSIONING_OFF)
		return add_marker(v, t, bucket_id, bucket, versioning, d->key, ret);
	if (err_is(e))
		return OK;
	TRY(lock_check(v, bucket_id, d, &newest));
	return remove_version(v, t, bucket_id, bucket, d->key, &newest);
}

static struct err
delete_one(struct vault *v, struct id bucket_id, uint64_t bucket, enum versioning versioning, const struct deletion *d,
    struct delete_result *ret)
{
	struct grant_terms t;

	if (d->key.n == 0 || d->key.n > LIMIT_OBJECT_KEY_BYTES)
		return ERR(ERR_INVALID);
	TRY(permit(v, &d->grant, &(struct permit_ask){.op = VAULT_DELETE, .kind = d->version.present, .bucket = &bucket_id,
	    .name = &d->key}, &t));
	if (d->version.present)
		return delete_named(v, &t, bucket_id, bucket, d, ret);
	return delete_current(v, &t, bucket_id, bucket, versioning, d, ret);
}

struct err
op_delete(struct vault *v, struct request *r)
{
	struct cur c = msg_cur(&r->in);
	struct id id = cur_id(&c);
	uint16_t n = cur_u16(&c);
	enum versioning versioning;
	struct cur probe = c;
	struct deletion d;
	uint64_t bucket;

	if (n > LIMIT_DELETE_KEYS)
		return ERR(ERR_LIMIT);
	for (uint16_t i = 0; i < n; i++) /* all of the message is well-formed before any of it is done */
		wire_deletion(&probe, &d);
	TRY(cur_end(&probe));
	TRY(bucket_need(v, id, &bucket, &versioning));
	for (uint16_t i = 0; i < n; i++) {
		struct delete_result result = {0};

		wire_deletion(&c, &d);
		v->after_write = false;
		result.e = delete_one(v, id, bucket, versioning, &d, &result);
		TRY(v->batch_e);
		wire_put_delete_result(&r->out.body, &result);
	}
	return OK;
}

/* ---- changing ---- */

static struct err
set_check(const struct version_row *row, struct str charter)
{
	struct charter c;

	TRY(charter_read(charter, &c));
	return !c.is_bucket && id_eq(c.version, row->id) && id_eq(c.object, row->object) && id_eq(c.domain, row->domain) &&
	    str_eq(c.name, row->key) ? OK : ERR(ERR_INVALID);
}

/*
 * lock_kept(…): a charter made from an older one must not take back what has been locked since. What warden let pass by
 * GOVERNANCE is its decision. CONFLICT.
 */
static struct err
lock_kept(const struct vault *v, struct str before, struct str after, enum action a)
{
	struct charter old, new;

	TRY(charter_read(before, &old));
	TRY(charter_read(after, &new));
	if (old.lock.hold != new.lock.hold && a != ACTION_PUT_OBJECT_LEGAL_HOLD)
		return ERR(ERR_CONFLICT);
	return lock_weakens(&old.lock, &new.lock, v->now_us, a == ACTION_PUT_OBJECT_RETENTION) ? ERR(ERR_CONFLICT) : OK;
}

struct err
op_object_set(struct vault *v, struct request *r)
{
	struct cur c = msg_cur(&r->in);
	AUTO_QUERY q = {0};
	struct str charter, manifest;
	struct version_row row;
	struct grant_terms t;
	struct record *rec;
	struct id id, version;
	struct grant g;
	bool is_row;

	wire_grant(&c, &g);
	id = cur_id(&c);
	version = cur_id(&c);
	charter = cur_lstr(&c);
	manifest = sealed_bytes(wire_sealed(&c));
	TRY(cur_end(&c));
	if (charter.n > LIMIT_CHARTER_BYTES || manifest.n > LIMIT_MANIFEST_BYTES)
		return ERR(ERR_LIMIT);
	db_start(v->db, SQL_VERSION_BY_ID, &q);
	query_put_id(&q, version);
	TRY(query_step(&q, &is_row));
	if (!is_row)
		return ERR(ERR_NOT_FOUND);
	TRY(version_take(v, &q, &row));
	TRY(permit(v, &g, &(struct permit_ask){.op = VAULT_OBJECT_SET, .bucket = &id, .version = &version, .name = &row.key,
	    .charter = charter}, &t));
	if (row.flags & VERSION_MARKER)
		return ERR(ERR_CONFLICT);
	TRY(version_take_wide(v, &q, &row));
	if (charter.n > 0) {
		TRY(set_check(&row, charter));
		TRY(lock_kept(v, row.charter, charter, t.action));
	}
	if (charter.n > 0)
		row.charter = charter;
	if (manifest.n > 0)
		row.manifest = manifest;
	TRY(store_begin(v));
	v->after_write = true;
	WRITE(v, version_update(v, &row));
	WRITE(v, store_record(v, STR("object.change"), &t, &rec));
	record_id(rec, RECORD_BUCKET, id);
	record_id(rec, RECORD_OBJECT, row.object);
	record_id(rec, RECORD_VERSION, version);
	return OK;
}
