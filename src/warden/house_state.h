/*
 * house_state: what warden knows, at rest: warden.db, a table of sealed rows.
 *
 * A row is one JSON document (a person, an access key, a key domain, the house itself), sealed
 * under a key derived from the root, with its kind and id as additional data: rows can be neither
 * read, changed, nor exchanged. That rows are neither missing nor old is told by the state's
 * digest: SHA-256 over (kind, id, SHA-256 of the sealed row) of all rows in order. Every change is
 * prepared (its digest known), recorded in the ledger with both digests, then committed; at start
 * the ledger says which digest the state must have. doc/keys.md. Process: warden.
 */
#ifndef CLOISTER_WARDEN_HOUSE_STATE_H
#define CLOISTER_WARDEN_HOUSE_STATE_H

#include "crypto/crypto.h"
#include "ledger/client.h"
#include "warden/root.h"

/* Stored as numbers: add at the end only. STATE_STUDY and later belong to governance. */
enum state_kind {
	STATE_HOUSE = 1, STATE_PERSON, STATE_KEY, STATE_DOMAIN, STATE_POOL,
	STATE_STUDY, STATE_RELEASE, STATE_CELL, STATE_AIRLOCK, STATE_DISCLOSURE, STATE_KIND_END
};

#define STATE_FILE "warden.db"
#define STATE_ROW_BYTES_MAX (64 * KiB)

struct state;

/*
 * state_open(path, root, &s): creates an empty one if there is none. CORRUPT if a row does not
 * verify.
 */
struct err state_open(const char *path, const struct root_key *root, struct state **ret);
void state_close(struct state *s);

/*
 * state_each(s, row, ctx): every row, opened, by kind and then by id. The text is wiped after the
 * call.
 */
struct err state_each(struct state *s,
    struct err (*row)(void *ctx, enum state_kind kind, struct id id, struct str json), void *ctx);
size_t state_rows(const struct state *s);
void state_digest(const struct state *s, uint8_t out[SHA256_BYTES]);

/*
 * state_prepare(s, c, n, next): seals ${n} changes and tells the digest that the state will have.
 * At most one change a row.
 * state_commit(s): durable. state_drop(s): forgets what was prepared. One preparation at a time.
 * After a failed commit its outcome is unknown: stop the process.
 */
struct state_change {
	enum state_kind kind;
	struct id id;
	struct str json; /* empty: the row goes */
};
struct err state_prepare(
    struct state *s, const struct state_change *c, size_t n, uint8_t ret_next[SHA256_BYTES]);
struct err state_commit(struct state *s);
void state_drop(struct state *s);

/*
 * state_scrub(s): no page of the file or of its log keeps a deleted or replaced row. After a key
 * was destroyed.
 */
struct err state_scrub(struct state *s);

/* The newest tree head of the ledger that was seen: outside the digest. NOT_FOUND. */
struct err state_remember(struct state *s, const struct ledger_head *h);
struct err state_remembered(struct state *s, struct ledger_head *ret);

#endif
