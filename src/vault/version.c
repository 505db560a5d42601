/*
 * Versions of a key, as S3 has them. The versions of a key are ordered by "no", which grows with every write; the newest is
 * the current one. At most one is the "null" version: the one written while versioning was off or suspended. A key whose newest version
 * is a delete marker has no entry, and listings of objects do not show it.
 */
#include "vault/store.h"

/* one_slim(v, q, &r): the first row; its key stays behind with ${q}. */
static struct err
one_slim(struct vault *v, struct query *q, struct version_row *ret)
{
	struct version_row r;
	bool is_row;

	TRY(query_step(q, &is_row));
	if (!is_row)
		return ERR(ERR_NOT_FOUND);
	TRY(version_take(v, q, &r));
	r.key = STR_NONE;
	*ret = r;
	return OK;
}

struct err
version_newest(struct vault *v, uint64_t bucket, struct str key, struct version_row *ret)
{
	AUTO_QUERY q = {0};

	db_start(v->db, SQL_VERSION_NEWEST_SLIM, &q);
	query_put_u64(&q, bucket);
	query_put_str(&q, key);
	return one_slim(v, &q, ret);
}

struct err
version_find_null(struct vault *v, uint64_t bucket, struct str key, struct version_row *ret)
{
	AUTO_QUERY q = {0};

	db_start(v->db, SQL_VERSION_OLDER, &q);
	query_put_u64(&q, bucket);
	query_put_str(&q, key);
	query_put_u64(&q, INT64_MAX);
	for (;;) {
		struct version_row r;

		TRY(one_slim(v, &q, &r));
		if (r.flags & VERSION_NULL) {
			*ret = r;
			return OK;
		}
	}
}

struct err
version_find(struct vault *v, uint64_t bucket, struct str key, struct version_ref ref, struct version_row *ret)
{
	AUTO_QUERY q = {0};
	struct version_row r;
	bool is_row;

	if (!ref.present)
		return version_newest(v, bucket, key, ret);
	if (ref.is_null)
		return version_find_null(v, bucket, key, ret);
	db_start(v->db, SQL_VERSION_BY_ID_SLIM, &q);
	query_put_id(&q, ref.id);
	TRY(query_step(&q, &is_row));
	if (!is_row)
		return ERR(ERR_NOT_FOUND);
	TRY(version_take(v, &q, &r));
	/* the null version has no other name (S3) */
	if (r.bucket != bucket || !str_eq(r.key, key) || r.flags & VERSION_NULL)
		return ERR(ERR_NOT_FOUND);
	r.key = STR_NONE;
	*ret = r;
	return OK;
}

struct err
version_drop(struct vault *v, const struct version_row *r)
{
	AUTO_QUERY q = {0};

	if (!id_is_zero(r->blob))
		TRY(blob_let_go(v, r->blob));
	if (r->n_parts > 0)
		TRY(parts_drop(v, r->id));
	db_start(v->db, SQL_VERSION_REMOVE, &q);
	query_put_u64(&q, r->no);
	TRY(query_run(&q));
	v->tally[TALLY_VERSIONS]--;
	v->tally[TALLY_BYTES] -= (int64_t)r->size;
	return OK;
}

static struct err
entry_remove(struct vault *v, uint64_t bucket, struct str key)
{
	AUTO_QUERY q = {0};

	db_start(v->db, SQL_ENTRY_REMOVE, &q);
	query_put_u64(&q, bucket);
	query_put_str(&q, key);
	return query_run(&q);
}

struct err
entry_refresh(struct vault *v, uint64_t bucket, struct str key)
{
	struct version_row newest;
	struct err e = version_newest(v, bucket, key, &newest);

	if (e.code == ERR_NOT_FOUND || (!err_is(e) && newest.flags & VERSION_MARKER))
		return entry_remove(v, bucket, key);
	TRY(e);
	newest.key = key;
	return entry_put(v, &newest);
}

struct err
condition_check(const struct write_condition *c, const struct version_row *newest)
{
	bool asks = c->if_match_any || c->if_match || c->if_size || c->if_modified;

	if (newest && newest->flags & VERSION_MARKER)
		newest = NULL;
	if (c->if_none_match_any && newest)
		return ERR(ERR_PRECONDITION);
	if (asks && !newest)
		return ERR(ERR_NOT_FOUND);
	if (c->if_match && (memcmp(c->if_match_etag, newest->etag, sizeof(newest->etag)) != 0 ||
	    c->if_match_parts != newest->n_parts))
		return ERR(ERR_PRECONDITION);
	if (c->if_size && c->size != newest->size)
		return ERR(ERR_PRECONDITION);
	/* HTTP dates have seconds */
	if (c->if_modified && c->modified_us / 1000000 != newest->modified_us / 1000000)
		return ERR(ERR_PRECONDITION);
	return OK;
}

struct err
version_commit(struct vault *v, struct version_row *r, enum versioning versioning, struct id *ret_replaced)
{
	struct version_row old;
	struct err e = ERR(ERR_NOT_FOUND);

	*ret_replaced = (struct id){0};
	if (versioning != VERSIONING_ENABLED) {
		r->flags |= VERSION_NULL;
		e = version_find_null(v, r->bucket, r->key, &old);
		if (err_is(e) && e.code != ERR_NOT_FOUND)
			return e;
	}
	TRY(version_add(v, r)); /* EXISTS: still the request's own error */
	v->after_write = true;
	v->tally[TALLY_VERSIONS]++;
	v->tally[TALLY_BYTES] += (int64_t)r->size;
	if (!err_is(e)) {
		WRITE(v, version_drop(v, &old));
		*ret_replaced = old.id;
	}
	WRITE(v, r->flags & VERSION_MARKER ? entry_remove(v, r->bucket, r->key) : entry_put(v, r));
	return OK;
}
