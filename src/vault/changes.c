/*
 * Changes: what came into one bucket, in the order of its commits. The numbers of versions only grow (row.c), and rows of a batch become visible together: who
 * has read up to a number has seen all that will ever be below it.
 */
#include "vault/store.h"

struct err
op_changes(struct vault *v, struct request *r)
{
	struct cur c = msg_cur(&r->in);
	struct grant_terms t;
	struct grant g;
	struct id bucket;
	enum versioning versioning;
	uint64_t after, no;
	uint16_t max, n = 0;
	AUTO_QUERY q = {0};
	bool is_row = true;
	size_t at;

	wire_grant(&c, &g);
	bucket = cur_id(&c);
	after = cur_u64(&c);
	max = cur_u16(&c);
	TRY(cur_end(&c));
	if (max == 0 || max > VAULT_CHANGES_MAX || after > INT64_MAX)
		return ERR(ERR_LIMIT);
	TRY(permit(v, &g, &(struct permit_ask){.op = VAULT_CHANGES, .bucket = &bucket}, &t));
	TRY(bucket_need(v, bucket, &no, &versioning));
	at = r->out.body.n;
	buf_put_u8(&r->out.body, 0);
	db_start(v->db, SQL_VERSION_AFTER, &q);
	query_put_u64(&q, no);
	query_put_u64(&q, after);
	for (;;) {
		struct version_row row;

		TRY(query_step(&q, &is_row));
		if (!is_row)
			break;
		TRY(version_take(v, &q, &row));
		if (row.flags & VERSION_MARKER)
			continue;
		if (n == max || r->out.body.n + row.key.n + WIRE_ENTRY_FIXED > WIRE_BODY_MAX) {
			r->out.body.p[at] = 1;
			break;
		}
		wire_put_change(&r->out.body, &(struct vault_change){.seq = row.no, .object = row.object, .version = row.id, .owner = row.owner,
		    .key = row.key, .size = row.size, .modified_us = row.modified_us});
		n++;
	}
	return buf_check(&r->out.body);
}

struct err
op_newest(struct vault *v, struct request *r)
{
	struct cur c = msg_cur(&r->in);
	struct str name = cur_lstr(&c);
	AUTO_QUERY bucket = {0};
	AUTO_QUERY q = {0};
	struct bucket_row b;
	bool is_row;
	struct err e;

	TRY(cur_end(&c));
	e = bucket_find_name(v, &bucket, name, &b);
	if (e.code == ERR_NOT_FOUND) {
		buf_put_u64(&r->out.body, 0);
		return OK;
	}
	TRY(e);
	db_start(v->db, SQL_VERSION_NEWEST_NO, &q);
	query_put_u64(&q, b.no);
	TRY(query_step(&q, &is_row));
	buf_put_u64(&r->out.body, is_row ? query_u64(&q) : 0);
	return OK;
}
