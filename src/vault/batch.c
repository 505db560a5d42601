/*
 * One batch of requests, one transaction: run all in order, make files' names durable, give the records to the ledger, commit, answer.
 * Reads see what earlier requests of the batch have written; if the batch fails they are run again on what is left.
 *
 * A batch that fails for any reason but the ledger or the disk is run again request by request, so that the one it failed for
 * fails alone.
 */
#include <sys/statvfs.h>

#include "base/clock.h"
#include "base/fd.h"
#include "vault/store.h"

#define GATE (1u << ROLE_GATE)
#define WARDEN (1u << ROLE_WARDEN)
#define STEWARD (1u << ROLE_STEWARD)
#define INTAKE (1u << ROLE_INTAKE)
#define SCRUB (1u << ROLE_SCRUB)

/* X(operation, who may ask, does it write, handler) */
#define OPERATIONS(X)                                                             \
	X(VAULT_BUCKET_GET, GATE | STEWARD | INTAKE | SCRUB, false, op_bucket_get)                 \
	X(VAULT_BUCKET_LIST, GATE, false, op_bucket_list)                         \
	X(VAULT_BUCKET_CREATE, GATE | INTAKE | SCRUB, true, op_bucket_create)                      \
	X(VAULT_BUCKET_DELETE, GATE, true, op_bucket_delete)                      \
	X(VAULT_BUCKET_SET, GATE | INTAKE | SCRUB, true, op_bucket_set)                            \
	X(VAULT_BUCKET_DOC, GATE, false, op_bucket_doc)                           \
	X(VAULT_LOOKUP, GATE | STEWARD | INTAKE | SCRUB, false, op_lookup)                         \
	X(VAULT_BLOB_OPEN, GATE | STEWARD | SCRUB, false, op_blob_open)                   \
	X(VAULT_BLOB_NEW, GATE | INTAKE | SCRUB, false, op_blob_new)                               \
	X(VAULT_PUT, GATE | INTAKE | SCRUB, true, op_put)                                          \
	X(VAULT_DELETE, GATE | SCRUB, true, op_delete)                                    \
	X(VAULT_OBJECT_SET, GATE, true, op_object_set)                            \
	X(VAULT_LIST, GATE | SCRUB, false, op_list)                                       \
	X(VAULT_UPLOAD_CREATE, GATE, true, op_upload_create)                      \
	X(VAULT_UPLOAD_GET, GATE, false, op_upload_get)                           \
	X(VAULT_UPLOAD_ABORT, GATE, true, op_upload_abort)                        \
	X(VAULT_UPLOAD_COMPLETE, GATE, true, op_upload_complete)                  \
	X(VAULT_PART_PUT, GATE, true, op_part_put)                                \
	X(VAULT_PART_LIST, GATE | SCRUB, false, op_part_list)                             \
	X(VAULT_GRANT_KEY, WARDEN, false, op_grant_key)                           \
	X(VAULT_REWRAP_NEXT, WARDEN, false, op_rewrap_next)                       \
	X(VAULT_REWRAP_APPLY, WARDEN, true, op_rewrap_apply)                      \
	X(VAULT_DOMAIN_COUNT, WARDEN, false, op_domain_count)                     \
	X(VAULT_CHECK_NEXT, STEWARD, true, op_check_next)                         \
	X(VAULT_CHECK_RESULT, STEWARD, true, op_check_result)                     \
	X(VAULT_COLLECT, STEWARD, true, op_collect)                               \
	X(VAULT_STATS, GATE | WARDEN | STEWARD, false, op_stats)                  \
	X(VAULT_CHANGES, SCRUB, false, op_changes)                                \
	X(VAULT_NEWEST, STEWARD | SCRUB, false, op_newest)

const struct permit vault_permits[] = {
#define X(op_, roles_, writes, run) {.op = (op_), .roles = (roles_)},
	OPERATIONS(X)
#undef X
	{.op = 0},
};

static const struct operation {
	uint16_t op;
	bool writes;
	struct err (*run)(struct vault *v, struct request *r);
} operations[] = {
#define X(op_, roles, writes_, run_) {.op = (op_), .writes = (writes_), .run = (run_)},
	OPERATIONS(X)
#undef X
};

static const struct operation *
operation(const struct request *r)
{
	size_t i = (size_t)r->in.op - VAULT_BUCKET_GET; /* in the order of their numbers, without a gap */

	INVARIANT(i < ARRAY_LEN(operations) && operations[i].op == r->in.op);
	return &operations[i];
}

bool
id_list_add(struct id_list *l, struct id id)
{
	if (l->n == l->cap) {
		size_t cap = l->cap ? 2 * l->cap : 64;
		struct id *p = realloc(l->p, cap * sizeof(*p));

		if (!p)
			return false;
		l->p = p;
		l->cap = cap;
	}
	l->p[l->n++] = id;
	return true;
}

void
id_list_release(struct id_list *l)
{
	free(l->p);
	*l = (struct id_list){0};
}

struct err
store_begin(struct vault *v)
{
	if (v->wrote)
		return OK;
	TRY(db_begin(v->db));
	v->wrote = true;
	return OK;
}

struct err
store_room(const struct vault *v, uint64_t bytes)
{
	struct statvfs fs;
	uint64_t free_bytes, kept;

	if (fstatvfs(v->blobs, &fs) != 0)
		return ERR_ERRNO();
	free_bytes = (uint64_t)fs.f_bavail * fs.f_frsize;
	kept = (uint64_t)fs.f_blocks * fs.f_frsize / 100 * SPACE_KEPT_PERCENT;
	if (kept < SPACE_KEPT_BYTES)
		kept = SPACE_KEPT_BYTES;
	return free_bytes >= kept && free_bytes - kept >= bytes ? OK : ERR(ERR_NO_SPACE);
}

/* ---- records ---- */

static struct err
flush_records(struct vault *v)
{
	struct receipt receipts[RECORDS_MAX];
	struct err e;

	if (v->n_records == 0)
		return OK;
	if (!v->recorder.append)
		return ERR(ERR_BUSY);
	e = v->recorder.append(v->recorder.ctx, v->records, v->n_records, receipts);
	if (err_is(e)) /* the ledger is away, locked or full: all one to who asked */
		return e.code == ERR_NO_SPACE ? e : ERR(ERR_BUSY);
	v->tally[TALLY_LEDGER] = (int64_t)receipt_index(&receipts[v->n_records - 1]) + 1;
	v->n_records = 0;
	return OK;
}

struct err
store_record(struct vault *v, struct str act, const struct grant_terms *t, struct record **ret)
{
	struct record *r;

	if (v->n_records == RECORDS_MAX)
		TRY(flush_records(v));
	r = &v->records[v->n_records++];
	r->present = 0;
	record_word(r, RECORD_ACT, act);
	if (t)
		record_id(r, RECORD_WHO, t->who);
	*ret = r;
	return OK;
}

/* ---- the transaction ---- */

static const struct str tally_names[TALLY_COUNT] = {
	[TALLY_BUCKETS] = {"buckets", 7}, [TALLY_VERSIONS] = {"versions", 8}, [TALLY_BYTES] = {"bytes", 5},
	[TALLY_UPLOADS] = {"uploads", 7}, [TALLY_BLOBS] = {"blobs", 5}, [TALLY_LEDGER] = {"ledger", 6},
};

struct err
tally_load(struct vault *v)
{
	for (int i = 0; i < TALLY_COUNT; i++) {
		AUTO_QUERY q = {0};
		bool is_row;

		db_start(v->db, SQL_META_GET, &q);
		query_put_str(&q, tally_names[i]);
		TRY(query_step(&q, &is_row));
		v->tally[i] = v->tally_stored[i] = is_row ? query_i64(&q) : 0;
		TRY(query_check(&q));
	}
	return OK;
}

static struct err
tally_store(struct vault *v)
{
	for (int i = 0; i < TALLY_COUNT; i++) {
		AUTO_QUERY q = {0};

		if (v->tally[i] == v->tally_stored[i])
			continue;
		db_start(v->db, SQL_META_SET, &q);
		query_put_str(&q, tally_names[i]);
		query_put_i64(&q, v->tally[i]);
		TRY(query_run(&q));
	}
	return OK;
}

static struct err
commit(struct vault *v)
{
	struct err e = blob_sync_folder(v);

	if (err_is(e)) { /* what the folder holds on disk is unknown */
		v->broken = true;
		return e;
	}
	TRY(flush_records(v));
	TRY(tally_store(v));
	TRY(db_commit(v->db));
	memcpy(v->tally_stored, v->tally, sizeof(v->tally));
	/* if memory is out the files stay, and are collected */
	for (size_t i = 0; i < v->removed.n && id_list_add(&v->trash, v->removed.p[i]); i++)
		;
	return OK;
}

static void
undo(struct vault *v)
{
	db_rollback(v->db);
	memcpy(v->tally, v->tally_stored, sizeof(v->tally));
	/* what is unknown may prove committed when the vault opens again: then its files are needed, else they are collected */
	for (size_t i = 0; i < v->linked.n && !vault_is_broken(v); i++)
		blob_unlink(v, v->linked.p[i]);
}

static void
reset(struct vault *v)
{
	v->batch_e = OK;
	v->wrote = v->after_write = v->folder_dirty = false;
	v->linked.n = v->removed.n = 0;
	v->n_records = 0;
	v->collected_uploads = 0;
	v->folder++; /* files of one batch lie together, and batches are spread */
	v->now_us = clock_now_us();
}

static void
run(struct vault *v, struct request *r)
{
	struct err e;

	v->after_write = false;
	e = operation(r)->run(v, r);
	if (err_is(e)) {
		request_fail(r, e);
		while (r->out.n_fds > 0) {
			int fd = msg_take_fd(&r->out);

			fd_close(&fd);
		}
	}
	INVARIANT(!err_is(e) || !v->after_write || err_is(v->batch_e)); /* half a request is never committed */
}

static void
run_again(struct vault *v, struct request *r, struct err why)
{
	msg_release(&r->out);
	r->out = MSG(ERR_NONE);
	if (operation(r)->writes)
		request_fail(r, why);
	else
		run(v, r);
}

/* attempt(v, reqs, n): all of them, or the error for which none has changed anything. */
static struct err
attempt(struct vault *v, struct request **reqs, size_t n)
{
	struct err e = OK;

	reset(v);
	for (size_t i = 0; i < n && !err_is(v->batch_e); i++)
		run(v, reqs[i]);
	e = v->batch_e;
	if (!err_is(e) && v->wrote)
		e = commit(v);
	if (err_is(e))
		undo(v);
	return e;
}

static void
finish(struct vault *v, struct request **reqs, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (reqs[i]->in.op == VAULT_COLLECT && reqs[i]->out.op == ERR_NONE)
			collect_answer(v, reqs[i]);
}

void
vault_batch(struct vault *v, struct request **reqs, size_t n)
{
	struct err e = attempt(v, reqs, n);

	if (!err_is(e)) {
		finish(v, reqs, n);
		return;
	}
	for (size_t i = 0; i < n; i++) {
		bool alone = operation(reqs[i])->writes && n > 1 && e.code != ERR_BUSY && !vault_is_broken(v);

		if (!alone) {
			run_again(v, reqs[i], e);
			continue;
		}
		msg_release(&reqs[i]->out);
		reqs[i]->out = MSG(ERR_NONE);
		vault_batch(v, &reqs[i], 1);
	}
}

bool
vault_is_broken(const struct vault *v)
{
	return v->broken || db_is_broken(v->db);
}
