#include "vault/store.h"

static struct err
find(struct vault *v, struct query *q, struct bucket_row *ret)
{
	bool is_row;

	TRY(query_step(q, &is_row));
	return is_row ? bucket_take(v, q, ret) : ERR(ERR_NOT_FOUND);
}

struct err
bucket_find_name(struct vault *v, struct query *q, struct str name, struct bucket_row *ret)
{
	struct bucket_row b;

	db_start(v->db, SQL_BUCKET_BY_NAME, q);
	query_put_str(q, name);
	TRY(find(v, q, &b));
	if (!str_eq(b.info.name, name))
		return ERR(ERR_CORRUPT);
	*ret = b;
	return OK;
}

struct err
bucket_find_id(struct vault *v, struct query *q, struct id id, struct bucket_row *ret)
{
	struct bucket_row b;

	db_start(v->db, SQL_BUCKET_BY_ID, q);
	query_put_id(q, id);
	TRY(find(v, q, &b));
	if (!id_eq(b.info.id, id))
		return ERR(ERR_CORRUPT);
	*ret = b;
	return OK;
}

struct err
bucket_need(struct vault *v, struct id id, uint64_t *ret_no, enum versioning *ret_versioning)
{
	AUTO_QUERY q = {0};
	struct bucket_row b;

	TRY(bucket_find_id(v, &q, id, &b));
	*ret_no = b.no;
	*ret_versioning = b.info.versioning;
	return OK;
}

struct err
op_bucket_get(struct vault *v, struct request *r)
{
	struct cur c = msg_cur(&r->in);
	struct str name = cur_lstr(&c);
	AUTO_QUERY q = {0};
	struct bucket_row b;

	TRY(cur_end(&c));
	TRY(bucket_find_name(v, &q, name, &b));
	wire_put_bucket(&r->out.body, &b.info);
	return OK;
}

struct err
op_bucket_list(struct vault *v, struct request *r)
{
	struct cur c = msg_cur(&r->in);
	AUTO_BUF list = BUF(LIMIT_MESSAGE_BYTES);
	AUTO_QUERY q = {0};
	struct grant_terms t;
	struct bucket_row b;
	struct grant g;
	struct str after;
	uint16_t max, n = 0;
	bool is_row;

	wire_grant(&c, &g);
	after = cur_lstr(&c);
	max = cur_u16(&c);
	TRY(cur_end(&c));
	TRY(permit(v, &g, &(struct permit_ask){.op = VAULT_BUCKET_LIST}, &t));
	db_start(v->db, SQL_BUCKET_BY_OWNER, &q);
	query_put_id(&q, t.who);
	query_put_str(&q, after);
	for (;;) {
		TRY(query_step(&q, &is_row));
		if (!is_row || n == max)
			break;
		TRY(bucket_take(v, &q, &b));
		if (list.n + b.info.name.n + b.info.charter.n + WIRE_BUCKET_FIXED > WIRE_BODY_MAX)
			break;
		wire_put_bucket(&list, &b.info);
		n++;
	}
	buf_put_u16(&r->out.body, n);
	buf_put_u8(&r->out.body, is_row && max > 0);
	buf_put_str(&r->out.body, buf_str(&list));
	return buf_check(&list);
}

/* taken(v, name, who): is there a bucket of that name? */
static struct err
taken(struct vault *v, struct str name, struct id who)
{
	AUTO_QUERY q = {0};
	struct bucket_row b;
	struct err e = bucket_find_name(v, &q, name, &b);

	if (e.code == ERR_NOT_FOUND)
		return OK;
	TRY(e);
	return id_eq(b.info.owner, who) ? ERR(ERR_CONFLICT) : ERR(ERR_EXISTS);
}

struct err
op_bucket_create(struct vault *v, struct request *r)
{
	struct cur c = msg_cur(&r->in);
	struct bucket_info i = {0};
	struct grant_terms t;
	struct charter charter;
	struct record *rec;
	struct grant g;

	wire_grant(&c, &g);
	i.name = cur_lstr(&c);
	i.charter = cur_lstr(&c);
	i.object_lock = cur_u8(&c) != 0;
	TRY(cur_end(&c));
	if (i.name.n == 0 || i.name.n > 63 || i.charter.n == 0)
		return ERR(ERR_INVALID);
	TRY(permit(v, &g, &(struct permit_ask){.op = VAULT_BUCKET_CREATE, .name = &i.name, .charter = i.charter}, &t));
	TRY(charter_read(i.charter, &charter));
	if (!charter.is_bucket || id_is_zero(charter.bucket) || !str_eq(charter.name, i.name))
		return ERR(ERR_INVALID);
	TRY(taken(v, i.name, charter.owner));
	TRY(store_room(v, 0));
	i.id = charter.bucket;
	i.owner = charter.owner;
	i.versioning = i.object_lock ? VERSIONING_ENABLED : VERSIONING_OFF; /* S3: object lock needs versions */
	i.created_us = v->now_us;
	TRY(store_begin(v));
	TRY(bucket_add(v, &i));
	v->after_write = true;
	v->tally[TALLY_BUCKETS]++;
	WRITE(v, store_record(v, STR("bucket.commit"), &t, &rec));
	record_id(rec, RECORD_BUCKET, i.id);
	record_id(rec, RECORD_DOMAIN, charter.domain);
	return OK;
}

static struct err
any(struct vault *v, unsigned statement, uint64_t bucket, bool *ret)
{
	AUTO_QUERY q = {0};

	db_start(v->db, statement, &q);
	query_put_u64(&q, bucket);
	return query_step(&q, ret);
}

/* abort_uploads(v, bucket): all of a bucket that goes. */
static struct err
abort_uploads(struct vault *v, uint64_t bucket)
{
	for (;;) {
		AUTO_QUERY q = {0};
		AUTO_QUERY find_no = {0};
		struct upload_row u;
		struct id id;
		bool is_row;

		db_start(v->db, SQL_BUCKET_ANY_UPLOAD, &q);
		query_put_u64(&q, bucket);
		TRY(query_step(&q, &is_row));
		if (!is_row)
			return OK;
		id = query_id(&q);
		TRY(query_check(&q));
		query_end(&q);
		db_start(v->db, SQL_UPLOAD_BY_ID, &find_no);
		query_put_id(&find_no, id);
		TRY(query_step(&find_no, &is_row));
		if (!is_row)
			return ERR(ERR_CORRUPT);
		TRY(upload_take(v, &find_no, &u));
		query_end(&find_no);
		TRY(upload_drop(v, id, u.no));
	}
}

static struct err
run_with_no(struct vault *v, unsigned statement, uint64_t no)
{
	AUTO_QUERY q = {0};

	db_start(v->db, statement, &q);
	query_put_u64(&q, no);
	return query_run(&q);
}

struct err
op_bucket_delete(struct vault *v, struct request *r)
{
	struct cur c = msg_cur(&r->in);
	AUTO_QUERY q = {0};
	struct grant_terms t;
	struct bucket_row b;
	struct record *rec;
	struct grant g;
	struct str name;
	bool full;

	wire_grant(&c, &g);
	name = cur_lstr(&c);
	TRY(cur_end(&c));
	TRY(bucket_find_name(v, &q, name, &b));
	TRY(permit(v, &g, &(struct permit_ask){.op = VAULT_BUCKET_DELETE, .bucket = &b.info.id}, &t));
	query_end(&q);
	TRY(any(v, SQL_BUCKET_ANY_VERSION, b.no, &full));
	if (full)
		return ERR(ERR_CONFLICT);
	TRY(store_begin(v));
	v->after_write = true;
	/* S3: uploads in progress do not keep a bucket */
	WRITE(v, abort_uploads(v, b.no));
	WRITE(v, run_with_no(v, SQL_DOC_REMOVE_ALL, b.no));
	WRITE(v, run_with_no(v, SQL_BUCKET_REMOVE, b.no));
	v->tally[TALLY_BUCKETS]--;
	WRITE(v, store_record(v, STR("bucket.remove"), &t, &rec));
	record_id(rec, RECORD_BUCKET, b.info.id);
	return OK;
}

static struct err
doc_write(struct vault *v, uint64_t bucket, enum bucket_doc which, struct str body)
{
	AUTO_QUERY q = {0};
	uint8_t sum[SUM_BYTES];

	doc_sum(v, bucket, which, body, sum);
	db_start(v->db, body.n ? SQL_DOC_SET : SQL_DOC_REMOVE, &q);
	query_put_u64(&q, bucket);
	query_put_u64(&q, which);
	if (body.n) {
		query_put_str(&q, body);
		query_put_str(&q, str_of(sum, sizeof(sum)));
	}
	return query_run(&q);
}

/* change: what one VAULT_BUCKET_SET asks for */
struct change {
	enum wire_bucket_set what;
	enum versioning versioning;
	enum bucket_doc which;
	struct str charter, doc;
};

static struct err
read_change(struct cur *c, struct change *ret)
{
	struct change h = {.what = (enum wire_bucket_set)cur_u8(c)};
	uint8_t n = 0;

	switch (h.what) {
	case WIRE_SET_VERSIONING:
		n = cur_u8(c);
		h.versioning = (enum versioning)n;
		if (n != VERSIONING_ENABLED && n != VERSIONING_SUSPENDED) /* there is no way back to "off" */
			return ERR(ERR_INVALID);
		break;
	case WIRE_SET_CHARTER:
		h.charter = cur_lstr(c);
		if (h.charter.n == 0)
			return ERR(ERR_INVALID);
		break;
	case WIRE_SET_DOC:
		n = cur_u8(c);
		h.which = (enum bucket_doc)n;
		h.doc = cur_lstr(c);
		if (n < DOC_TAGGING || n > DOC_ACCELERATE)
			return ERR(ERR_INVALID);
		break;
	default:
		return ERR(ERR_INVALID);
	}
	TRY(cur_end(c));
	*ret = h;
	return OK;
}

static struct err
check_charter(struct str s, const struct bucket_info *i)
{
	struct charter c;

	TRY(charter_read(s, &c));
	return c.is_bucket && id_eq(c.bucket, i->id) && id_eq(c.owner, i->owner) ? OK : ERR(ERR_INVALID);
}

struct err
op_bucket_set(struct vault *v, struct request *r)
{
	struct cur c = msg_cur(&r->in);
	AUTO_QUERY q = {0};
	struct change h;
	struct grant_terms t;
	struct bucket_row b;
	struct record *rec;
	struct grant g;
	struct id id;

	wire_grant(&c, &g);
	id = cur_id(&c);
	TRY(read_change(&c, &h));
	TRY(permit(v, &g, &(struct permit_ask){.op = VAULT_BUCKET_SET, .bucket = &id, .charter = h.charter,
	    .kind = h.what == WIRE_SET_DOC ? WIRE_SET_DOC + (unsigned)h.which : h.what}, &t));
	TRY(bucket_find_id(v, &q, id, &b));
	if (h.what == WIRE_SET_VERSIONING && b.info.object_lock && h.versioning != VERSIONING_ENABLED)
		return ERR(ERR_CONFLICT);
	if (h.what == WIRE_SET_CHARTER)
		TRY(check_charter(h.charter, &b.info));
	TRY(store_begin(v));
	v->after_write = true;
	if (h.what == WIRE_SET_VERSIONING)
		b.info.versioning = h.versioning;
	if (h.what == WIRE_SET_CHARTER)
		b.info.charter = h.charter;
	if (h.what == WIRE_SET_DOC) {
		uint32_t bit = 1u << h.which;

		b.info.docs = h.doc.n ? b.info.docs | bit : b.info.docs & ~bit;
		WRITE(v, doc_write(v, b.no, h.which, h.doc));
	}
	WRITE(v, bucket_update(v, &b));
	WRITE(v, store_record(v, STR("bucket.change"), &t, &rec));
	record_id(rec, RECORD_BUCKET, id);
	return OK;
}

struct err
op_bucket_doc(struct vault *v, struct request *r)
{
	struct cur c = msg_cur(&r->in);
	AUTO_QUERY q = {0};
	uint8_t stored[SUM_BYTES], sum[SUM_BYTES];
	enum versioning versioning;
	struct grant_terms t;
	struct grant g;
	struct str body;
	struct id id;
	uint64_t no;
	uint8_t which;
	bool is_row;

	wire_grant(&c, &g);
	id = cur_id(&c);
	which = cur_u8(&c);
	TRY(cur_end(&c));
	/*
	 * CORS rules are asked for before anybody has proved who he is: a browser's preflight has no credentials. The default
	 * encryption and the default retention are told to everybody who writes, by the answers to what he wrote.
	 */
	if (which != DOC_CORS && which != DOC_ENCRYPTION && which != DOC_OBJECT_LOCK)
		TRY(permit(v, &g, &(struct permit_ask){.op = VAULT_BUCKET_DOC, .kind = which, .bucket = &id}, &t));
	TRY(bucket_need(v, id, &no, &versioning));
	db_start(v->db, SQL_DOC_GET, &q);
	query_put_u64(&q, no);
	query_put_u64(&q, which);
	TRY(query_step(&q, &is_row));
	if (!is_row)
		return ERR(ERR_NOT_FOUND);
	body = query_str(&q);
	query_copy(&q, stored, sizeof(stored));
	TRY(query_check(&q));
	doc_sum(v, no, (enum bucket_doc)which, body, sum);
	if (memcmp(sum, stored, sizeof(sum)) != 0)
		return ERR(ERR_CORRUPT);
	buf_put_lstr(&r->out.body, body);
	return OK;
}
