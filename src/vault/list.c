/*
 * Listings. Each is a range of an index in byte order, begun by one seek; a common prefix is passed by another seek to the first
 * key after it, so that the cost is that of what is answered, however many keys lie between or around.
 */
#include "vault/store.h"

#define KEY_ROOM (LIMIT_OBJECT_KEY_BYTES + 1)

/* bound: a key, or the least string above some keys */
struct bound {
	size_t n;
	char p[KEY_ROOM];
};

struct listing {
	struct vault *v;
	const struct list_query *q;
	struct request *r;
	uint64_t bucket;
	struct bound end;       /* exclusive */
	struct bound from;      /* inclusive: where to seek next */
	struct bound key;       /* of the row before: the first row of a key is its newest version */
	bool has_key;
	uint16_t n;
	bool full;              /* there is more */
};

static struct str
bound_str(const struct bound *b)
{
	return str_of(b->p, b->n);
}

/* after_key(b, key): the least string above ${key}. */
static void
after_key(struct bound *b, struct str key)
{
	memcpy(b->p, key.p, key.n);
	b->p[key.n] = '\0';
	b->n = key.n + 1;
}

/* after_prefix(b, prefix): the least string above all that begin with ${prefix}. */
static void
after_prefix(struct bound *b, struct str prefix)
{
	size_t n = prefix.n;

	while (n > 0 && (uint8_t)prefix.p[n - 1] == 0xff)
		n--;
	if (n == 0) { /* no key is above this: keys are shorter */
		memset(b->p, 0xff, sizeof(b->p));
		b->n = sizeof(b->p);
		return;
	}
	memmove(b->p, prefix.p, n);
	b->p[n - 1] = (char)((uint8_t)b->p[n - 1] + 1);
	b->n = n;
}

static void
set_bound(struct bound *b, struct str s)
{
	if (s.n)
		memmove(b->p, s.p, s.n);
	b->n = s.n;
}

/* add(l, e): false: it does not fit any more. */
static bool
add(struct listing *l, const struct list_entry *e)
{
	if (l->n == l->q->max || l->r->out.body.n + e->key.n + WIRE_ENTRY_FIXED > WIRE_BODY_MAX) {
		l->full = true;
		return false;
	}
	wire_put_list_entry(&l->r->out.body, e);
	l->n++;
	return true;
}

/* common_prefix(l, key, &cp): ${key} has the delimiter after the prefix. */
static bool
common_prefix(const struct listing *l, struct str key, struct str *ret)
{
	struct str rest = str_sub(key, l->q->prefix.n, SIZE_MAX);
	size_t at = l->q->delimiter.n ? str_find(rest, l->q->delimiter) : SIZE_MAX;

	if (at == SIZE_MAX)
		return false;
	*ret = str_sub(key, 0, l->q->prefix.n + at + l->q->delimiter.n);
	return true;
}

static void
of_version(const struct version_row *r, bool is_latest, struct list_entry *ret)
{
	*ret = (struct list_entry){.key = r->key, .id = r->id, .owner = r->owner, .is_latest = is_latest,
	    .is_null = (r->flags & VERSION_NULL) != 0, .is_delete_marker = (r->flags & VERSION_MARKER) != 0,
	    .size = r->size, .modified_us = r->modified_us, .n_parts = r->n_parts};
	memcpy(ret->etag, r->etag, sizeof(ret->etag));
}

/* take(l, q, &e): the row that ${q} is at. */
static struct err
take(struct listing *l, struct query *q, struct list_entry *ret)
{
	struct version_row r;
	struct upload_row u;
	bool same;

	switch (l->q->kind) {
	case LIST_OBJECTS:
		TRY(entry_take(l->v, q, &r));
		of_version(&r, true, ret);
		return OK;
	case LIST_VERSIONS:
		TRY(version_take(l->v, q, &r));
		same = l->has_key && str_eq(bound_str(&l->key), r.key);
		of_version(&r, !same, ret);
		return OK;
	case LIST_UPLOADS:
		TRY(upload_take(l->v, q, &u));
		*ret = (struct list_entry){.key = u.key, .id = u.id, .owner = u.owner, .modified_us = u.created_us};
		return OK;
	}
	return ERR(ERR_INVALID);
}

/* run(l, q, &again): rows until the end, until it is full, or until a common prefix: then ${again} from ${l->from}. */
static struct err
run(struct listing *l, struct query *q, bool *ret_again)
{
	struct list_entry e;
	struct str cp;
	bool is_row;

	*ret_again = false;
	for (;;) {
		TRY(query_step(q, &is_row));
		if (!is_row)
			return OK;
		TRY(take(l, q, &e));
		if (e.key.n > LIMIT_OBJECT_KEY_BYTES)
			return ERR(ERR_CORRUPT);
		if (common_prefix(l, e.key, &cp)) {
			struct list_entry p = {.is_prefix = true, .key = cp};

			if (!add(l, &p))
				return OK;
			after_prefix(&l->from, cp);
			*ret_again = true;
			return OK;
		}
		if (!add(l, &e))
			return OK;
		set_bound(&l->key, e.key);
		l->has_key = true;
	}
}

static struct err
run_range(struct listing *l, bool *ret_again)
{
	static const unsigned statements[] = {[LIST_OBJECTS] = SQL_ENTRY_RANGE, [LIST_VERSIONS] = SQL_VERSION_RANGE,
		[LIST_UPLOADS] = SQL_UPLOAD_RANGE};
	AUTO_QUERY q = {0};

	db_start(l->v->db, statements[l->q->kind], &q);
	query_put_u64(&q, l->bucket);
	query_put_str(&q, bound_str(&l->from));
	query_put_str(&q, bound_str(&l->end));
	return run(l, &q, ret_again);
}

/* marker_no(l, &no): the place of the version or upload that the last answer ended with. NOT_FOUND: it has gone since. */
static struct err
marker_no(struct listing *l, uint64_t *ret)
{
	const struct list_query *lq = l->q;
	struct version_row r;
	struct upload_row u;
	AUTO_QUERY q = {0};
	bool is_row;

	if (lq->kind == LIST_VERSIONS) {
		TRY(version_find(l->v, l->bucket, lq->after_key, lq->after_id, &r));
		*ret = r.no;
		return OK;
	}
	db_start(l->v->db, SQL_UPLOAD_BY_ID, &q);
	query_put_id(&q, lq->after_id.id);
	TRY(query_step(&q, &is_row));
	if (!is_row)
		return ERR(ERR_NOT_FOUND);
	TRY(upload_take(l->v, &q, &u));
	*ret = u.no;
	return u.bucket == l->bucket && str_eq(u.key, lq->after_key) ? OK : ERR(ERR_NOT_FOUND);
}

/*
 * run_rest(l): what is left of the key that the last answer ended in. If its marker has gone (somebody deletes what he lists), the
 * key is listed again from its beginning: nothing is left out.
 */
static struct err
run_rest(struct listing *l)
{
	const struct list_query *lq = l->q;
	AUTO_QUERY q = {0};
	uint64_t no;
	bool again;
	struct err e = marker_no(l, &no);

	if (e.code == ERR_NOT_FOUND) {
		set_bound(&l->from, lq->after_key);
		return OK;
	}
	TRY(e);
	set_bound(&l->key, lq->after_key);
	l->has_key = true;
	db_start(l->v->db, lq->kind == LIST_VERSIONS ? SQL_VERSION_OLDER : SQL_UPLOAD_LATER, &q);
	query_put_u64(&q, l->bucket);
	query_put_str(&q, lq->after_key);
	query_put_u64(&q, no);
	return run(l, &q, &again);
}

static struct err
list(struct listing *l)
{
	const struct list_query *q = l->q;
	bool again = true;

	after_prefix(&l->end, q->prefix);
	set_bound(&l->from, q->prefix);
	if (q->after_is_prefix)
		after_prefix(&l->from, q->after_key);
	else if (q->after_key.n > 0)
		after_key(&l->from, q->after_key);
	if (str_cmp(bound_str(&l->from), q->prefix) < 0)
		set_bound(&l->from, q->prefix);
	/* a marker inside the prefix but past no delimiter: the rest of its key first */
	if (q->kind != LIST_OBJECTS && q->after_id.present && !q->after_is_prefix && str_starts(q->after_key, q->prefix))
		TRY(run_rest(l));
	while (again && !l->full)
		TRY(run_range(l, &again));
	return OK;
}

struct err
op_list(struct vault *v, struct request *r)
{
	struct cur c = msg_cur(&r->in);
	struct list_query q;
	struct listing l = {.v = v, .q = &q, .r = r};
	enum versioning versioning;
	struct grant_terms t;
	struct grant g;
	size_t at;

	wire_grant(&c, &g);
	wire_list_query(&c, &q);
	TRY(cur_end(&c));
	if (q.prefix.n > LIMIT_OBJECT_KEY_BYTES || q.after_key.n > LIMIT_OBJECT_KEY_BYTES ||
	    q.delimiter.n > LIMIT_OBJECT_KEY_BYTES || q.max > LIMIT_LIST_KEYS)
		return ERR(ERR_LIMIT);
	TRY(permit(v, &g, &(struct permit_ask){.op = VAULT_LIST, .kind = q.kind, .bucket = &q.bucket}, &t));
	TRY(bucket_need(v, q.bucket, &l.bucket, &versioning));
	at = r->out.body.n;
	buf_put_u8(&r->out.body, 0);
	if (q.max > 0)
		TRY(list(&l));
	if (!r->out.body.failed)
		r->out.body.p[at] = (char)l.full;
	return OK;
}
