/*
 * Rotation of a domain key: warden asks for headers with an older epoch, wraps the data keys anew and gives the headers back. They
 * are changed in one transaction here. The copies in the files follow, slot by slot, from a list of stale ones that is part of the same
 * transaction: a crash delays them, no more. doc/sealed-object.md says how a torn slot is told.
 */
#include <fcntl.h>

#include "base/fd.h"
#include "crypto/header.h"
#include "vault/store.h"

#define HEADER_SLOT_BYTES 80 /* of each of the two key slots (crypto/header.h) */
#define NEXT_MAX (WIRE_BODY_MAX / sizeof(struct rewrap))

/* kind: versions and uploads have headers, in two tables that are asked alike */
struct kind { unsigned epoch, next, count; };
static const struct kind kinds[] = {
	{SQL_VERSION_DOMAIN_EPOCH, SQL_VERSION_DOMAIN_NEXT, SQL_VERSION_DOMAIN_COUNT},
	{SQL_UPLOAD_DOMAIN_EPOCH, SQL_UPLOAD_DOMAIN_NEXT, SQL_UPLOAD_DOMAIN_COUNT},
};

struct found {
	uint64_t no;
	struct rewrap r;
};

/* insert(f, n, max, x): keeps the ${max} lowest numbers, in order. */
static size_t
insert(struct found *f, size_t n, size_t max, const struct found *x)
{
	size_t at = n;

	while (at > 0 && f[at - 1].no > x->no)
		at--;
	if (at == max)
		return n;
	if (n == max)
		n--;
	memmove(f + at + 1, f + at, (n - at) * sizeof(*f));
	f[at] = *x;
	return n + 1;
}

static struct err
of_epoch(struct vault *v, const struct kind *k, struct id domain, uint64_t epoch, uint64_t after, struct found *f,
    size_t max, size_t *n)
{
	AUTO_QUERY q = {0};
	struct found x;
	bool is_row;

	db_start(v->db, k->next, &q);
	query_put_id(&q, domain);
	query_put_u64(&q, epoch);
	query_put_u64(&q, after);
	for (size_t i = 0; i < max; i++) {
		TRY(query_step(&q, &is_row));
		if (!is_row)
			break;
		x.no = query_u64(&q);
		x.r.version = query_id(&q);
		query_copy(&q, x.r.header, HEADER_BYTES);
		TRY(query_check(&q));
		*n = insert(f, *n, max, &x);
	}
	return OK;
}

/* of_kind: epochs are few: one seek finds each, another its rows after ${after}. */
static struct err
of_kind(struct vault *v, const struct kind *k, struct id domain, uint32_t below, uint64_t after, struct found *f,
    size_t max, size_t *n)
{
	uint64_t epoch = 0;

	for (;;) {
		AUTO_QUERY q = {0};
		bool is_row;

		db_start(v->db, k->epoch, &q);
		query_put_id(&q, domain);
		query_put_u64(&q, epoch);
		query_put_u64(&q, below);
		TRY(query_step(&q, &is_row));
		if (!is_row)
			return OK;
		epoch = query_u64(&q);
		TRY(query_check(&q));
		TRY(of_epoch(v, k, domain, epoch, after, f, max, n));
		epoch++;
	}
}

/* place(v, after, &kind, &no): where the last answer ended; the beginning, if that has gone. */
static struct err
place(struct vault *v, struct id after, size_t *ret_kind, uint64_t *ret_no)
{
	AUTO_QUERY vq = {0};
	AUTO_QUERY uq = {0};
	struct version_row r;
	struct upload_row u;
	struct err e;
	bool is_row;

	*ret_kind = 0;
	*ret_no = 0;
	if (id_is_zero(after))
		return OK;
	db_start(v->db, SQL_VERSION_BY_ID_SLIM, &vq);
	query_put_id(&vq, after);
	TRY(query_step(&vq, &is_row));
	if (is_row) {
		TRY(version_take(v, &vq, &r));
		*ret_no = r.no;
		return OK;
	}
	e = upload_find(v, &uq, after, &u);
	if (e.code == ERR_NOT_FOUND)
		return OK;
	TRY(e);
	*ret_kind = 1;
	*ret_no = u.no;
	return OK;
}

struct err
op_rewrap_next(struct vault *v, struct request *r)
{
	struct cur c = msg_cur(&r->in);
	struct id domain = cur_id(&c);
	uint32_t epoch = cur_u32(&c);
	struct id after = cur_id(&c);
	size_t max = num_min(cur_u16(&c), NEXT_MAX), kind, n = 0;
	struct found *f;
	uint64_t no;
	struct err e;

	TRY(cur_end(&c));
	TRY(place(v, after, &kind, &no));
	f = calloc(max + 1, sizeof(*f));
	if (!f)
		return ERR(ERR_NO_MEMORY);
	for (e = OK; !err_is(e) && kind < ARRAY_LEN(kinds) && n == 0; kind++, no = 0)
		e = of_kind(v, &kinds[kind], domain, epoch, no, f, max, &n);
	for (size_t i = 0; i < n && !err_is(e); i++) {
		buf_put_id(&r->out.body, f[i].r.version);
		buf_put(&r->out.body, f[i].r.header, HEADER_BYTES);
	}
	free(f);
	return e;
}

/* owner: the version or upload that has the header */
struct owner {
	bool is_version, has_files;
	struct version_row version;
	struct upload_row upload;
	struct str header;
};

static struct err
find(struct vault *v, struct query *vq, struct query *uq, struct id id, struct owner *ret)
{
	bool is_row;

	*ret = (struct owner){0};
	db_start(v->db, SQL_VERSION_BY_ID, vq);
	query_put_id(vq, id);
	TRY(query_step(vq, &is_row));
	if (is_row) {
		TRY(version_take(v, vq, &ret->version));
		TRY(version_take_wide(v, vq, &ret->version));
		ret->is_version = true;
		ret->header = ret->version.header;
		ret->has_files = !id_is_zero(ret->version.blob) || ret->version.n_parts > 0;
		return OK;
	}
	TRY(upload_find(v, uq, id, &ret->upload));
	TRY(upload_take_wide(v, uq, &ret->upload));
	ret->header = ret->upload.header;
	ret->has_files = true;
	return OK;
}

struct err
stale_mark(struct vault *v, struct id version)
{
	AUTO_QUERY q = {0};

	db_start(v->db, SQL_STALE_PUT, &q);
	query_put_id(&q, version);
	return query_run(&q);
}

/* apply(v, id, header, write): first all are checked, then all are written. One that has gone, or is as new already, is passed by. */
static struct err
apply(struct vault *v, struct id id, struct str header, bool write)
{
	AUTO_QUERY vq = {0};
	AUTO_QUERY uq = {0};
	struct blob_header old, new;
	struct owner o;
	struct err e = find(v, &vq, &uq, id, &o);

	if (e.code == ERR_NOT_FOUND)
		return OK;
	TRY(e);
	if (o.header.n != HEADER_BYTES)
		return ERR(ERR_INVALID); /* a delete marker */
	TRY(header_decode((const uint8_t *)o.header.p, &old));
	if (err_is(header_decode((const uint8_t *)header.p, &new)) || !id_eq(new.domain, old.domain) ||
	    !id_eq(new.bucket, old.bucket) || !id_eq(new.object, old.object) || !id_eq(new.version, old.version))
		return ERR(ERR_INVALID);
	if (!write || new.epoch <= old.epoch)
		return OK;
	o.version.header = o.upload.header = header;
	o.version.epoch = o.upload.epoch = new.epoch;
	TRY(o.is_version ? version_update(v, &o.version) : upload_update(v, &o.upload));
	return o.has_files ? stale_mark(v, id) : OK;
}

struct err
op_rewrap_apply(struct vault *v, struct request *r)
{
	const size_t one = ID_HEX_LEN / 2 + HEADER_BYTES;
	size_t n = r->in.body.n / one;
	struct record *rec;

	if (n == 0 || r->in.body.n % one != 0)
		return ERR(ERR_INVALID);
	for (int write = 0; write < 2; write++) {
		struct cur c = msg_cur(&r->in);

		if (write) {
			TRY(store_begin(v));
			v->after_write = true;
		}
		for (size_t i = 0; i < n; i++) {
			struct id id = cur_id(&c);
			struct str header = cur_bytes(&c, HEADER_BYTES);
			struct err e = apply(v, id, header, write);

			if (write)
				WRITE(v, e);
			TRY(e);
		}
	}
	WRITE(v, store_record(v, STR("vault.rewrap"), NULL, &rec));
	record_number(rec, RECORD_COUNT, n);
	return OK;
}

/* nothing_locked(v, domain): no version in it is under retention or legal hold. CONFLICT. */
static struct err
nothing_locked(struct vault *v, struct id domain)
{
	AUTO_QUERY q = {0};
	struct charter c;
	bool is_row;

	db_start(v->db, SQL_VERSION_LOCKABLE, &q);
	query_put_id(&q, domain);
	for (;;) {
		struct str charter;

		TRY(query_step(&q, &is_row));
		if (!is_row)
			return OK;
		charter = query_str(&q);
		TRY(query_check(&q));
		if (charter.n == 0) /* a delete marker */
			continue;
		TRY(charter_decode(charter, &c));
		if (lock_forbids(&c.lock, v->now_us, false))
			return ERR(ERR_CONFLICT);
	}
}

struct err
op_domain_count(struct vault *v, struct request *r)
{
	struct cur c = msg_cur(&r->in);
	struct id domain = cur_id(&c);
	uint32_t epoch = cur_u32(&c);
	uint64_t n = 0;

	TRY(cur_end(&c));
	if (epoch == UINT32_MAX) /* every epoch: asked before the domain is destroyed, and retention goes before that */
		TRY(nothing_locked(v, domain));
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		AUTO_QUERY q = {0};
		bool is_row;

		db_start(v->db, kinds[i].count, &q);
		query_put_id(&q, domain);
		query_put_u64(&q, epoch);
		TRY(query_step(&q, &is_row));
		n += is_row ? query_u64(&q) : 0;
		TRY(query_check(&q));
	}
	buf_put_u64(&r->out.body, n);
	return OK;
}

/* ---- the copies in the files ---- */

/* patch(v, blob, h): the older slot of the file's header gets the key of ${h}. A header that cannot be read is found by checking. */
static struct err
patch(struct vault *v, struct id blob, const struct blob_header *h)
{
	uint8_t in[HEADER_BYTES], out[HEADER_BYTES];
	AUTO_FD fd = -1;
	struct err e = blob_open_any(v, blob, O_RDWR, &fd);
	size_t at;

	if (e.code == ERR_NOT_FOUND)
		return OK;
	TRY(e);
	e = fd_pread_all(fd, in, sizeof(in), 0);
	if (!err_is(e))
		e = header_rewrap(in, h->epoch, h->wrapped, out, &at);
	if (e.code == ERR_CORRUPT || e.code == ERR_CONFLICT || e.code == ERR_UNSUPPORTED)
		return OK;
	TRY(e);
	TRY(fd_pwrite_all(fd, str_of(out + at, HEADER_SLOT_BYTES), at));
	return fd_sync(fd);
}

static struct err
patch_parts(struct vault *v, struct id version, const struct blob_header *h, size_t max, uint64_t *part, bool *ret_done)
{
	AUTO_QUERY q = {0};
	struct part_row p;
	bool is_row;

	db_start(v->db, SQL_PART_AFTER, &q);
	query_put_id(&q, version);
	query_put_u64(&q, *part);
	for (size_t i = 0; i < max; i++) {
		TRY(query_step(&q, &is_row));
		if (!is_row) {
			*ret_done = true;
			return OK;
		}
		TRY(part_take(v, &q, &p));
		if (!id_is_zero(p.blob))
			TRY(patch(v, p.blob, h));
		*part = p.number;
	}
	*ret_done = false;
	return OK;
}

static struct err
stale_set(struct vault *v, struct id version, uint64_t part, bool done)
{
	AUTO_QUERY q = {0};

	db_start(v->db, done ? SQL_STALE_REMOVE : SQL_STALE_SET, &q);
	if (!done)
		query_put_u64(&q, part);
	query_put_id(&q, version);
	return query_run(&q);
}

static struct err
freshen(struct vault *v, struct id version, uint64_t part, size_t max)
{
	AUTO_QUERY vq = {0};
	AUTO_QUERY uq = {0};
	struct blob_header h;
	struct owner o;
	bool done = true;
	struct err e = find(v, &vq, &uq, version, &o);

	if (!err_is(e))
		e = header_decode((const uint8_t *)o.header.p, &h);
	if (e.code == ERR_NOT_FOUND || e.code == ERR_CORRUPT) /* who reads a corrupt row is told; here it would only be in the way */
		return stale_set(v, version, 0, true);
	TRY(e);
	if (o.is_version && !id_is_zero(o.version.blob))
		TRY(patch(v, o.version.blob, &h));
	else
		TRY(patch_parts(v, version, &h, max, &part, &done));
	return stale_set(v, version, part, done);
}

struct err
stale_some(struct vault *v, size_t max, bool *ret_more)
{
	struct id version;
	uint64_t part;
	bool is_row;

	*ret_more = false;
	for (size_t i = 0; i < max; i++) {
		AUTO_QUERY q = {0};

		db_start(v->db, SQL_STALE_NEXT, &q);
		TRY(query_step(&q, &is_row));
		if (!is_row)
			return OK;
		version = query_id(&q);
		part = query_u64(&q);
		TRY(query_check(&q));
		query_end(&q);
		if (!db_in_transaction(v->db))
			TRY(db_begin(v->db));
		TRY(freshen(v, version, part, max));
	}
	*ret_more = true;
	return OK;
}
