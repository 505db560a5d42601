/* What steward asks: bytes are read again before they are needed, files without a row are removed, and numbers are told. */
#include <fcntl.h>
#include <sys/statvfs.h>

#include "base/clock.h"
#include "base/fd.h"
#include "vault/store.h"

#define COLLECT_TIME_US (1 * US_PER_S) /* of one request */
#define UPLOADS_AT_ONCE 100

/* checked(v, blob, good): stands by itself: whatever the request that led to it answers, what was found is kept. */
static struct err
checked(struct vault *v, struct id blob, bool good)
{
	AUTO_QUERY q = {0};
	struct record *rec;

	TRY(store_begin(v));
	db_start(v->db, SQL_BLOB_CHECKED, &q);
	query_put_i64(&q, v->now_us);
	query_put_u64(&q, !good);
	query_put_id(&q, blob);
	WRITE(v, query_run(&q));
	if (good || query_changes(v->db) == 0)
		return OK;
	WRITE(v, store_record(v, STR("vault.corrupt"), NULL, &rec));
	record_id(rec, RECORD_OTHER, blob);
	return OK;
}

/* readable(v, blob, &fd): its file is there and begins with a header. */
static struct err
readable(struct vault *v, struct id blob, int *ret_fd)
{
	uint8_t header[HEADER_BYTES];
	struct blob_header h;
	AUTO_FD fd = -1;

	TRY(blob_open_any(v, blob, O_RDONLY, &fd));
	TRY(fd_pread_all(fd, header, sizeof(header), 0));
	TRY(header_decode(header, &h));
	*ret_fd = fd_take(&fd);
	return OK;
}

struct err
op_check_next(struct vault *v, struct request *r)
{
	struct cur c = msg_cur(&r->in);
	int64_t before_us = (int64_t)cur_u64(&c);

	TRY(cur_end(&c));
	before_us = before_us < v->now_us ? before_us : v->now_us; /* what is checked now is passed by: the loop ends */
	for (;;) {
		AUTO_QUERY q = {0};
		uint8_t sha256[32];
		struct id blob;
		struct err e;
		bool is_row;
		int fd;

		db_start(v->db, SQL_BLOB_NEXT, &q);
		query_put_i64(&q, before_us);
		TRY(query_step(&q, &is_row));
		if (!is_row)
			return ERR(ERR_NOT_FOUND);
		blob = query_id(&q);
		query_copy(&q, sha256, sizeof(sha256));
		TRY(query_check(&q));
		query_end(&q);
		e = readable(v, blob, &fd);
		if (e.code == ERR_NOT_FOUND || e.code == ERR_CORRUPT || e.code == ERR_UNSUPPORTED) {
			TRY(checked(v, blob, false));
			continue;
		}
		TRY(e);
		buf_put_id(&r->out.body, blob);
		buf_put(&r->out.body, sha256, sizeof(sha256));
		msg_give_fd(&r->out, fd);
		return OK;
	}
}

struct err
op_check_result(struct vault *v, struct request *r)
{
	struct cur c = msg_cur(&r->in);
	struct id blob = cur_id(&c);
	bool good = cur_u8(&c) != 0;

	TRY(cur_end(&c));
	return checked(v, blob, good);
}

/* ---- collecting ---- */

struct err
collect_files(struct vault *v, int64_t until_us, uint64_t *ret_n)
{
	*ret_n = 0;
	for (unsigned i = 0; i < 256; i++) {
		uint64_t n;

		TRY(blob_collect_folder(v, v->collect_at, &n));
		*ret_n += n;
		v->collect_at = (v->collect_at + 1) % 256;
		if (v->collect_at == 0)
			v->collect_done = true;
		if (clock_mono_us() >= until_us)
			break;
	}
	return OK;
}

static struct err
expire_one(struct vault *v, struct id id)
{
	AUTO_QUERY q = {0};
	struct upload_row u;
	struct record *rec;
	struct id object, bucket;

	TRY(upload_find(v, &q, id, &u));
	object = u.object;
	query_end(&q);
	TRY(bucket_id_of(v, u.bucket, &bucket));
	TRY(upload_drop(v, id, u.no));
	TRY(store_record(v, STR("upload.expire"), NULL, &rec));
	record_id(rec, RECORD_BUCKET, bucket);
	record_id(rec, RECORD_OBJECT, object);
	record_id(rec, RECORD_VERSION, id);
	return OK;
}

static struct err
expire(struct vault *v, int64_t before_us, uint64_t *ret_n)
{
	uint64_t n;

	for (n = 0; n < UPLOADS_AT_ONCE; n++) {
		AUTO_QUERY q = {0};
		struct id id;
		bool is_row;

		db_start(v->db, SQL_UPLOAD_BEFORE, &q);
		query_put_i64(&q, before_us);
		TRY(query_step(&q, &is_row));
		if (!is_row)
			break;
		id = query_id(&q);
		TRY(query_check(&q));
		query_end(&q);
		TRY(store_begin(v));
		v->after_write = true;
		WRITE(v, expire_one(v, id));
	}
	*ret_n = n;
	return OK;
}

struct err
op_collect(struct vault *v, struct request *r)
{
	struct cur c = msg_cur(&r->in);
	int64_t before_us = (int64_t)cur_u64(&c);

	TRY(cur_end(&c));
	return expire(v, before_us, &v->collected_uploads);
}

void
collect_answer(struct vault *v, struct request *r)
{
	uint64_t n = 0;
	struct err e = collect_files(v, clock_mono_us() + COLLECT_TIME_US, &n);

	if (err_is(e)) {
		request_fail(r, e);
		return;
	}
	buf_put_u64(&r->out.body, n);
	buf_put_u64(&r->out.body, v->collected_uploads);
}

/* ---- numbers ---- */

static struct err
one_number(struct vault *v, unsigned statement, uint64_t *ret)
{
	AUTO_QUERY q = {0};
	bool is_row;

	db_start(v->db, statement, &q);
	TRY(query_step(&q, &is_row));
	*ret = is_row ? query_u64(&q) : 0;
	return query_check(&q);
}

struct err
op_stats(struct vault *v, struct request *r)
{
	struct vault_stats s = {
		.buckets = (uint64_t)v->tally[TALLY_BUCKETS],
		.versions = (uint64_t)v->tally[TALLY_VERSIONS],
		.bytes = (uint64_t)v->tally[TALLY_BYTES],
		.uploads = (uint64_t)v->tally[TALLY_UPLOADS],
		.blobs = (uint64_t)v->tally[TALLY_BLOBS],
	};
	struct statvfs fs;

	if (r->in.body.n > 0)
		return ERR(ERR_INVALID);
	TRY(one_number(v, SQL_BLOB_BAD_COUNT, &s.blobs_bad));
	TRY(one_number(v, SQL_BLOB_OLDEST, &s.last_full_check_us));
	if (fstatvfs(v->blobs, &fs) != 0)
		return ERR_ERRNO();
	s.disk_free_bytes = (uint64_t)fs.f_bavail * fs.f_frsize;
	wire_put_stats(&r->out.body, &s);
	return OK;
}
