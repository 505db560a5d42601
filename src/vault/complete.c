/* The end of a multipart upload: a list of parts becomes a version. */
#include "crypto/stream.h"
#include "vault/store.h"

/* matched: what the rows say of the list */
struct matched {
	uint64_t size;
	uint32_t n_discarded;
	struct { uint32_t number; struct id blob; } *discarded; /* parts that the list leaves out */
	uint8_t sha256[32]; /* of the parts' digests in order */
	uint32_t fault;
};

static void
matched_release(struct matched *m)
{
	free(m->discarded);
}

static bool
discard(struct matched *m, const struct part_row *p)
{
	if ((m->n_discarded & (m->n_discarded - 1)) == 0) { /* full at each power of two */
		size_t cap = m->n_discarded ? 2 * (size_t)m->n_discarded : 1;
		void *grown = realloc(m->discarded, cap * sizeof(*m->discarded));

		if (!grown)
			return false;
		m->discarded = grown;
	}
	m->discarded[m->n_discarded].number = p->number;
	m->discarded[m->n_discarded++].blob = p->blob;
	return true;
}

/* fits(m, p, ref, is_last): LIMIT: too small. */
static struct err
fits(struct matched *m, const struct part_row *p, const struct part_ref *ref, bool is_last)
{
	if (memcmp(p->etag, ref->etag, sizeof(p->etag)) != 0)
		return ERR(ERR_NOT_FOUND);
	if (!is_last && p->size < LIMIT_PART_MIN_BYTES)
		return ERR(ERR_LIMIT);
	m->size += p->size;
	return OK;
}

/* match(v, upload, list, n, &m): both are in ascending order. NOT_FOUND, LIMIT: with ${m->fault}. */
static struct err
match(struct vault *v, struct id upload, const struct part_ref *list, size_t n, struct matched *m)
{
	struct digest *digest = digest_new(DIGEST_SHA256);
	uint8_t hash[DIGEST_MAX_BYTES];
	AUTO_QUERY q = {0};
	struct part_row p;
	struct err e = digest ? OK : ERR(ERR_NO_MEMORY);
	bool is_row = true;
	size_t at = 0;

	db_start(v->db, SQL_PART_AFTER, &q);
	query_put_id(&q, upload);
	query_put_u64(&q, 0);
	while (!err_is(e)) {
		e = query_step(&q, &is_row);
		if (err_is(e) || !is_row)
			break;
		e = part_take(v, &q, &p);
		if (err_is(e))
			break;
		if (at == n || p.number < list[at].number) {
			e = discard(m, &p) ? OK : ERR(ERR_NO_MEMORY);
			continue;
		}
		m->fault = (uint32_t)at;
		e = p.number == list[at].number ? fits(m, &p, &list[at], at + 1 == n) : ERR(ERR_NOT_FOUND);
		digest_update(digest, p.sha256, sizeof(p.sha256));
		at++;
	}
	if (!err_is(e) && at < n) {
		m->fault = (uint32_t)at;
		e = ERR(ERR_NOT_FOUND);
	}
	if (digest) {
		digest_final(digest, hash);
		memcpy(m->sha256, hash, sizeof(m->sha256));
	}
	digest_free(digest);
	return e;
}

static struct err
hash_list(const struct part_ref *list, size_t n, uint8_t out[16])
{
	AUTO_BUF b = BUF(LIMIT_MESSAGE_BYTES);
	uint8_t hash[SHA256_BYTES];

	wire_put_part_refs(&b, list, n);
	TRY(buf_check(&b));
	sha256(buf_str(&b), hash);
	memcpy(out, hash, 16);
	return OK;
}

static bool
is_run(const struct part_ref *list, size_t n)
{
	/* ascending: the last number tells */
	return list[n - 1].number == n;
}

struct complete {
	struct grant grant;
	struct grant_terms terms;
	struct id upload, bucket_id;
	struct put put;
	const struct part_ref *list;
	size_t n;
	enum versioning versioning;
};

static void
answer(struct request *r, enum err_code code, uint32_t fault, int64_t modified_us, enum versioning versioning)
{
	buf_put_u16(&r->out.body, (uint16_t)code);
	buf_put_u32(&r->out.body, fault);
	if (code == ERR_NONE)
		answer_put(r, modified_us, versioning);
}

static struct err
may(struct vault *v, struct complete *c, uint64_t bucket, struct str key)
{
	uint64_t no;

	TRY(bucket_id_of(v, bucket, &c->bucket_id));
	if (!id_eq(c->put.bucket, c->bucket_id) || !str_eq(c->put.key, key))
		return ERR(ERR_NOT_FOUND);
	TRY(permit(v, &c->grant, &(struct permit_ask){.op = VAULT_UPLOAD_COMPLETE, .bucket = &c->bucket_id,
	    .version = &c->upload, .name = &c->put.key, .charter = c->put.charter}, &c->terms));
	return bucket_need(v, c->bucket_id, &no, &c->versioning);
}

/* again(v, c, r): it was completed before; with the same list that is no error. */
static struct err
again(struct vault *v, struct complete *c, struct request *r)
{
	AUTO_QUERY q = {0};
	struct version_row row;
	uint8_t hash[16];
	bool is_row;

	db_start(v->db, SQL_VERSION_BY_ID_SLIM, &q);
	query_put_id(&q, c->upload);
	TRY(query_step(&q, &is_row));
	if (!is_row)
		return ERR(ERR_NOT_FOUND);
	TRY(version_take(v, &q, &row));
	TRY(may(v, c, row.bucket, row.key));
	TRY(hash_list(c->list, c->n, hash));
	if (row.n_parts != c->n || memcmp(hash, row.list_hash, sizeof(hash)) != 0)
		return ERR(ERR_NOT_FOUND);
	answer(r, ERR_NONE, 0, row.modified_us, c->versioning);
	return OK;
}

static struct err
write_version(struct vault *v, const struct complete *c, const struct upload_row *u, const struct matched *m)
{
	struct version_row row = {.bucket = u->bucket, .id = u->id, .object = u->object, .owner = u->owner,
		.domain = u->domain, .epoch = u->epoch, .size = m->size, .modified_us = v->now_us,
		.n_parts = (uint32_t)c->n, .key = c->put.key, .header = u->header,
		.charter = c->put.charter.n ? c->put.charter : u->charter, .manifest = sealed_bytes(c->put.manifest),
		.flags = is_run(c->list, c->n) ? VERSION_RUN : 0};
	struct id replaced;

	memcpy(row.etag, c->put.etag, sizeof(row.etag));
	memcpy(row.sha256, m->sha256, sizeof(row.sha256));
	TRY(hash_list(c->list, c->n, row.list_hash));
	TRY(store_begin(v));
	TRY(version_commit(v, &row, c->versioning, &replaced));
	WRITE(v, upload_row_remove(v, u->no));
	for (uint32_t i = 0; i < m->n_discarded; i++)
		WRITE(v, part_remove(v, u->id, m->discarded[i].number, m->discarded[i].blob));
	WRITE(v, record_version(v, STR("upload.complete"), &c->terms, c->bucket_id, &row, replaced));
	return OK;
}

static struct err
check_put(const struct complete *c, const struct upload_row *u)
{
	struct charter charter;

	if (sealed_bytes(c->put.manifest).n > LIMIT_MANIFEST_BYTES || c->put.charter.n > LIMIT_CHARTER_BYTES ||
	    c->put.size > LIMIT_OBJECT_BYTES)
		return ERR(ERR_LIMIT);
	if (c->put.charter.n == 0)
		return OK;
	TRY(charter_read(c->put.charter, &charter));
	return id_eq(charter.version, u->id) && id_eq(charter.object, u->object) ? OK : ERR(ERR_INVALID);
}

static struct err
finish(struct vault *v, struct complete *c, struct request *r)
{
	__attribute__((cleanup(matched_release))) struct matched m = {0};
	AUTO_QUERY q = {0};
	struct upload_row u;
	struct err e = upload_find(v, &q, c->upload, &u);

	if (e.code == ERR_NOT_FOUND)
		return again(v, c, r);
	TRY(e);
	TRY(upload_take_wide(v, &q, &u));
	TRY(may(v, c, u.bucket, u.key));
	TRY(check_put(c, &u));
	e = match(v, c->upload, c->list, c->n, &m);
	if (e.code == ERR_NOT_FOUND || e.code == ERR_LIMIT) {
		answer(r, e.code, m.fault, 0, c->versioning);
		return OK;
	}
	TRY(e);
	if (m.size != c->put.size) /* the list was read before a part was replaced */
		return ERR(ERR_CONFLICT);
	TRY(put_may(v, u.bucket, &c->put));
	TRY(write_version(v, c, &u, &m));
	answer(r, ERR_NONE, 0, v->now_us, c->versioning);
	return OK;
}

struct err
op_upload_complete(struct vault *v, struct request *r)
{
	struct part_ref *list = calloc(LIMIT_PARTS, sizeof(*list));
	struct cur in = msg_cur(&r->in);
	struct complete c = {.list = list};
	struct err e;

	if (!list)
		return ERR(ERR_NO_MEMORY);
	wire_grant(&in, &c.grant);
	c.upload = cur_id(&in);
	wire_put(&in, &c.put);
	wire_part_refs(&in, list, &c.n);
	e = cur_end(&in);
	if (!err_is(e) && c.n == 0)
		e = ERR(ERR_INVALID);
	if (!err_is(e))
		e = finish(v, &c, r);
	free(list);
	return e;
}
