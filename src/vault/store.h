/*
 * store: what the files of vault/ share and nobody else includes.
 *
 * One batch of requests is one transaction (batch.c). A handler checks all that it can before its first write: until then its error
 * is its own; from then on an error fails the whole batch (WRITE), which is rolled back and answered as not done.
 */
#ifndef CLOISTER_VAULT_STORE_H
#define CLOISTER_VAULT_STORE_H

#include "db/db.h"
#include "ledger/client.h"
#include "proc/server.h"
#include "vault/vault.h"
#include "vault/vault_wire.h"
#include "vault_sql.h"
#include "warden/grant.h"

#define RECORDS_MAX 256
#define SUM_BYTES 8
/* Room that is left for the databases and the ledger: below it nothing that adds is accepted. */
#define SPACE_KEPT_BYTES (64 * MiB)
#define SPACE_KEPT_PERCENT 1

/* numbers that are kept in meta, in the same transaction as what they count */
enum tally { TALLY_BUCKETS, TALLY_VERSIONS, TALLY_BYTES, TALLY_UPLOADS, TALLY_BLOBS, TALLY_LEDGER, TALLY_COUNT };

struct id_list {
	struct id *p;
	size_t n, cap;
};

struct vault {
	struct db *db;
	int blobs;                   /* the folder blobs/ */
	struct mac_key *grant_key;   /* NULL until warden sent it */
	struct vault_recorder recorder;
	uint64_t last_no;            /* of versions and uploads: grows with each */
	int64_t tally[TALLY_COUNT], tally_stored[TALLY_COUNT];
	int64_t now_us;              /* of the present batch */
	uint8_t folder;              /* where new files of the present batch are linked */
	bool folder_dirty;           /* it must be synced */
	bool wrote;                  /* the transaction has begun */
	bool after_write;            /* the present request has written: an error is the batch's */
	struct err batch_e;
	struct id_list linked;       /* files of the present batch: removed if it fails */
	struct id_list removed;      /* files that the present batch lets go: to the trash when it is durable */
	struct id_list trash;        /* files to remove, some at a time */
	struct record records[RECORDS_MAX];
	size_t n_records;
	struct buf scratch;          /* for sums */
	unsigned collect_at;         /* the folder that collecting goes on with */
	bool collect_done;           /* once around since the start */
	uint64_t collected_uploads;  /* by the present batch */
	bool broken;                 /* a sync failed */
};

/* WRITE(v, expr): an error of a write is the batch's. */
#define WRITE(v, expr)                                    \
	do {                                              \
		struct err write_err_ = (expr);           \
		if (err_is(write_err_)) {                 \
			(v)->batch_e = write_err_;        \
			return write_err_;                \
		}                                         \
	} while (0)
/* store_begin(v): before the first write of each request. */
struct err store_begin(struct vault *v);
/* store_record(v, act, t, &rec): a record to fill; the ledger has it before the batch is committed. ${t} NULL: nobody asked. */
struct err store_record(struct vault *v, struct str act, const struct grant_terms *t, struct record **ret);
/* store_room(v, bytes): NO_SPACE if adding ${bytes} would use what is kept. */
struct err store_room(const struct vault *v, uint64_t bytes);
bool id_list_add(struct id_list *l, struct id id); /* false: no memory */
void id_list_release(struct id_list *l);

/* ---- rows (row.c): each carries the first bytes of a SHA-256 over itself, checked at every read ---- */
struct bucket_row {
	uint64_t no;
	struct bucket_info info;
};
enum version_flags { VERSION_NULL = 1, VERSION_MARKER = 2, VERSION_INLINE = 4, VERSION_RUN = 8 /* parts are 1, 2, … n */ };
struct version_row {
	uint64_t no, bucket;
	struct id id, object, owner, domain, blob; /* blob zero: inline, parts or marker */
	uint32_t flags, n_parts, epoch;
	uint64_t size;
	int64_t modified_us;
	uint8_t etag[16], sha256[32], list_hash[16], wide_sum[SUM_BYTES];
	struct str key;
	struct str header, charter, manifest, body; /* wide: only with version_take_wide() */
};
struct upload_row {
	uint64_t no, bucket;
	struct id id, object, owner, domain;
	uint32_t epoch;
	int64_t created_us;
	uint8_t wide_sum[SUM_BYTES];
	struct str key;
	struct str header, charter, manifest; /* wide */
};
struct part_row {
	struct id upload, blob;
	uint32_t number;
	uint64_t size;
	int64_t modified_us;
	uint8_t etag[16], sha256[32];
	struct str meta, body;
};
/* S_take: the row that ${q} is at; strings borrow until its next step. CORRUPT if its sum does not hold. */
struct err bucket_take(struct vault *v, struct query *q, struct bucket_row *ret);
struct err version_take(struct vault *v, struct query *q, struct version_row *ret);
struct err version_take_wide(struct vault *v, struct query *q, struct version_row *r);
struct err upload_take(struct vault *v, struct query *q, struct upload_row *ret);
struct err upload_take_wide(struct vault *v, struct query *q, struct upload_row *r);
struct err part_take(struct vault *v, struct query *q, struct part_row *ret);
struct err entry_take(struct vault *v, struct query *q, struct version_row *ret);
struct err bucket_add(struct vault *v, const struct bucket_info *i);
struct err bucket_update(struct vault *v, const struct bucket_row *b);
struct err version_add(struct vault *v, struct version_row *r); /* fills in the sums. EXISTS */
struct err version_update(struct vault *v, struct version_row *r); /* epoch, header, charter, manifest */
struct err upload_add(struct vault *v, struct upload_row *r);
struct err upload_update(struct vault *v, struct upload_row *r); /* epoch, header */
struct err part_add(struct vault *v, const struct part_row *r);
struct err entry_put(struct vault *v, const struct version_row *r);
void doc_sum(struct vault *v, uint64_t bucket, enum bucket_doc which, struct str body, uint8_t out[SUM_BYTES]);

struct err tally_load(struct vault *v); /* batch.c */

/* ---- grants (permit.c) ---- */
struct permit_ask {
	enum vault_op op;
	unsigned kind;          /* list kind, what is set, which document: distinguishes actions of one op */
	const struct id *bucket, *version; /* NULL: not compared */
	const struct str *name; /* object key or bucket name */
	struct str charter;     /* the new charter; empty: none */
	bool exact_version;     /* a zero version in the grant is not enough */
};
/* permit(v, g, ask, &t): BUSY before warden sent its key; DENIED, EXPIRED. */
struct err permit(const struct vault *v, const struct grant *g, const struct permit_ask *ask, struct grant_terms *ret);

/* charter_read(s, &c): as sent by a client: INVALID, not CORRUPT, if it is none. */
struct err charter_read(struct str s, struct charter *ret);

/* ---- buckets (bucket.c) ---- */
/* strings of ${ret} borrow from ${q} */
struct err bucket_find_name(struct vault *v, struct query *q, struct str name, struct bucket_row *ret);
struct err bucket_find_id(struct vault *v, struct query *q, struct id id, struct bucket_row *ret);
/* bucket_need(v, id, &b): number and versioning only. */
struct err bucket_need(struct vault *v, struct id id, uint64_t *ret_no, enum versioning *ret_versioning);

/* ---- versions (version.c) ---- */
/* version_newest, version_find: the slim row, whose key is not borrowed but left empty. NOT_FOUND. */
struct err version_newest(struct vault *v, uint64_t bucket, struct str key, struct version_row *ret);
struct err version_find(struct vault *v, uint64_t bucket, struct str key, struct version_ref ref, struct version_row *ret);
struct err version_find_null(struct vault *v, uint64_t bucket, struct str key, struct version_row *ret);
/* version_drop(v, r): the row, its parts and files. Only after store_begin(). */
struct err version_drop(struct vault *v, const struct version_row *r);
/* entry_refresh(v, bucket, key): what listings show, after a version of ${key} has gone. */
struct err entry_refresh(struct vault *v, uint64_t bucket, struct str key);
/* condition_check(c, newest): ${newest} NULL: there is no such object. PRECONDITION, NOT_FOUND. */
struct err condition_check(const struct write_condition *c, const struct version_row *newest);
/* version_commit(v, r, versioning, condition): the new newest version of its key, with what that replaces. */
struct err version_commit(struct vault *v, struct version_row *r, enum versioning versioning, struct id *ret_replaced);

/* ---- new versions (object.c), for single writes and for the end of an upload ---- */
struct put_parts {
	struct put put;
	struct blob_header ids;
	struct id owner;
	struct grant_terms terms;
};
/* put_read(v, c, op, &pp): grant and put to the end of the message; everything agrees, and ${op} is permitted. */
struct err put_read(struct vault *v, struct cur *c, enum vault_op op, struct put_parts *ret);
/* put_may(v, bucket, p): its condition holds. */
struct err put_may(struct vault *v, uint64_t bucket, const struct put *p);
struct err record_version(struct vault *v, struct str act, const struct grant_terms *t, struct id bucket,
    const struct version_row *r, struct id replaced);
void answer_put(struct request *r, int64_t modified_us, enum versioning versioning);

/* ---- files (blob.c) ---- */
struct err blob_folders_make(const char *dir);
/*
 * blob_check_new(v, fd, size, header): ${fd} is a nameless file on our disk, as long as a header and a stream for ${size}
 * bytes. INVALID.
 */
struct err blob_check_new(const struct vault *v, int fd, uint64_t size, uint8_t ret_header[HEADER_BYTES]);
/* blob_link(v, fd, &id): durable under a new name once blob_sync_folder() has run. */
struct err blob_link(struct vault *v, int fd, const uint8_t sha256[32], struct id *ret);
struct err blob_sync_folder(struct vault *v);
/* blob_let_go(v, id): row now, file after the batch. */
struct err blob_let_go(struct vault *v, struct id id);
/* blob_open(v, id, size, &fd): read-only. CORRUPT if it was found bad, is missing or has another length. */
struct err blob_open(struct vault *v, struct id id, uint64_t size, int *ret_fd);
struct err blob_open_any(const struct vault *v, struct id id, int flags, int *ret_fd);
void blob_unlink(const struct vault *v, struct id id);
bool blob_trash_some(struct vault *v, size_t max); /* true: there is more */
/* blob_collect_folder(v, folder, &n): removes files without a row. */
struct err blob_collect_folder(struct vault *v, unsigned folder, uint64_t *ret_n);

/* ---- uploads (upload.c) ---- */
/* upload_find(v, q, id, &u): the slim row, with the wide columns next; its strings borrow from ${q}. NOT_FOUND. */
struct err upload_find(struct vault *v, struct query *q, struct id id, struct upload_row *ret);
struct err upload_row_remove(struct vault *v, uint64_t no);
struct err part_remove(struct vault *v, struct id upload, uint32_t number, struct id blob);
struct err bucket_id_of(struct vault *v, uint64_t no, struct id *ret);
struct err upload_drop(struct vault *v, struct id id, uint64_t no);
/* parts_drop(v, id): every part row of ${id} and its file. */
struct err parts_drop(struct vault *v, struct id id);

/* ---- rotation (rewrap.c) ---- */
/* stale_some(v, max): rewrites the key slot of at most ${max} files; true: there is more. */
struct err stale_mark(struct vault *v, struct id version);
struct err stale_some(struct vault *v, size_t max, bool *ret_more);

/* ---- steward's (check.c) ---- */
/* collect_files(v, until_us): goes around the folders; from where it stopped, until the time is up. */
struct err collect_files(struct vault *v, int64_t until_us, uint64_t *ret_n);
/* collect_answer(v, r): files are removed only when the batch is durable: a row that comes back must find its file. */
void collect_answer(struct vault *v, struct request *r);

/* ---- operations: one request each; bodies in doc/vault.md ---- */
struct err op_bucket_get(struct vault *v, struct request *r);
struct err op_bucket_list(struct vault *v, struct request *r);
struct err op_bucket_create(struct vault *v, struct request *r);
struct err op_bucket_delete(struct vault *v, struct request *r);
struct err op_bucket_set(struct vault *v, struct request *r);
struct err op_bucket_doc(struct vault *v, struct request *r);
struct err op_lookup(struct vault *v, struct request *r);
struct err op_blob_open(struct vault *v, struct request *r);
struct err op_blob_new(struct vault *v, struct request *r);
struct err op_put(struct vault *v, struct request *r);
struct err op_delete(struct vault *v, struct request *r);
struct err op_object_set(struct vault *v, struct request *r);
struct err op_list(struct vault *v, struct request *r);
struct err op_changes(struct vault *v, struct request *r);
struct err op_newest(struct vault *v, struct request *r);
struct err op_upload_create(struct vault *v, struct request *r);
struct err op_upload_get(struct vault *v, struct request *r);
struct err op_upload_abort(struct vault *v, struct request *r);
struct err op_upload_complete(struct vault *v, struct request *r);
struct err op_part_put(struct vault *v, struct request *r);
struct err op_part_list(struct vault *v, struct request *r);
struct err op_grant_key(struct vault *v, struct request *r);
struct err op_rewrap_next(struct vault *v, struct request *r);
struct err op_rewrap_apply(struct vault *v, struct request *r);
struct err op_domain_count(struct vault *v, struct request *r);
struct err op_check_next(struct vault *v, struct request *r);
struct err op_check_result(struct vault *v, struct request *r);
struct err op_collect(struct vault *v, struct request *r);
struct err op_stats(struct vault *v, struct request *r);

#endif
