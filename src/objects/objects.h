/*
 * objects: whole objects put into and taken from the house's own buckets (landing, pool, study-…) by the processes that work
 * between them: intake, scrub and, for what a person may hand over or fetch, gate.
 *
 * They go through the same two doors as everybody: warden decides, records and gives the key; vault keeps ciphertext. Who asks is the
 * process itself, under the standing permission of its role or under one job (PROOF_PROCESS); doc/jobs.md has the table.
 * One struct objects a thread. Bytes handed out are wiped by their buf.
 */
#ifndef CLOISTER_OBJECTS_OBJECTS_H
#define CLOISTER_OBJECTS_OBJECTS_H

#include "phi/phi.h"
#include "vault/client.h"

#define LIMIT_OBJECT_WHOLE (512 * MiB) /* that is read into memory at once */

struct objects {
	struct pool *warden, *vault; /* borrowed */
	struct id job;               /* zero: the process's standing work */
	struct str address;          /* whom it is done for; empty: "local" */
	enum verdict_reason reason;  /* of the last DENIED */
};

/* objects_bucket(o, name, domain): makes a house bucket if there is none. Its owner is the house. */
struct err objects_bucket(struct objects *o, struct str bucket, struct str domain);

struct object_at { struct id object, version; uint64_t size; int64_t modified_us; };

/* objects_put(o, bucket, key, bytes, fresh, &at): durable when it returns. ${fresh}: EXISTS if the key is there (PRECONDITION). ${ret_at} may be NULL. */
struct err objects_put(struct objects *o, struct str bucket, struct str key, struct phi bytes, bool fresh, struct object_at *ret_at);
/* In pieces: memory is flat. After an error: objects_put_free alone. */
struct objects_put; /* heap */
struct err objects_put_begin(struct objects *o, struct str bucket, struct str key, uint64_t size_hint, struct objects_put **ret);
struct err objects_put_feed(struct objects_put *p, struct phi bytes);
struct err objects_put_end(struct objects_put *p, struct object_at *ret_at);
void objects_put_free(struct objects_put *p);

/*
 * objects_get(o, bucket, key, version, out, &at): the bytes appended to ${out} (BUF_WIPED, its maximum is the limit). ${version} zero: the
 * newest. NOT_FOUND, LIMIT, CORRUPT, DENIED.
 */
struct err objects_get(struct objects *o, struct str bucket, struct str key, struct id version, struct buf *out, struct object_at *ret_at);
/* objects_read(o, bucket, key, version, sink, ctx): the same piece by piece, each verified before ${sink} sees it. */
struct err objects_read(struct objects *o, struct str bucket, struct str key, struct id version,
    struct err (*sink)(void *ctx, struct phi bytes), void *ctx);
struct err objects_delete(struct objects *o, struct str bucket, struct str key);

/* objects_list(o, bucket, prefix, each, ctx): keys in byte order. */
struct err objects_list(struct objects *o, struct str bucket, struct str prefix,
    struct err (*each)(void *ctx, struct str key, const struct object_at *at), void *ctx);
/*
 * objects_changes(o, bucket, after, each, ctx): what came into ${bucket}, whoever put it, in the order in which it became durable; ${seq} only
 * grows. ${each} returns an error to stop (given back).
 */
struct object_change { uint64_t seq; struct str key; struct id owner; struct object_at at; };
struct err objects_changes(struct objects *o, struct str bucket, uint64_t after,
    struct err (*each)(void *ctx, const struct object_change *c), void *ctx);

#endif
