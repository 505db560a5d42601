/*
 * ledger/client: what the other processes may ask of the ledger. Every function is one call on ${c}.
 * Who may: append: warden, vault, steward, cloisterd. head, query, prove, stats: gate, steward, warden (head: vault too).
 * remember: warden, vault. unlock: warden.
 */
#ifndef CLOISTER_LEDGER_CLIENT_H
#define CLOISTER_LEDGER_CLIENT_H

#include "crypto/secret.h"
#include "ledger/record.h"
#include "proc/msg.h"

enum ledger_op {
	LEDGER_APPEND = 16, /* u16 count, records                     -> u64 first index, u64 time */
	LEDGER_HEAD,        /* -                                       -> u64 size, 32 root, lstr signed checkpoint */
	LEDGER_REMEMBER,    /* u64 size, 32 root that the caller saw    -> - ; ROLLBACK if this log does not contain it */
	LEDGER_QUERY,       /* struct ledger_query                     -> u16 n, (u64 index, lstr json)*, u8 more, u64 next before */
	LEDGER_PROVE,       /* u64 index                               -> lstr tlog-proof text, lstr json */
	/* -                                       -> u64 size; since start: u64 bytes, u64 groups; u64 bundles not indexed yet */
	LEDGER_STATS,
	LEDGER_UNLOCK,      /* 32 Ed25519 seed (warden only)           -> u64 size, 32 root; before it every operation is BUSY */
};

/* receipt: proof that a record is durable. Made by the ledger alone (ledger_append); opening needs one. */
struct receipt {
	uint64_t receipt_private_index;
	int64_t receipt_private_time_us;
};
uint64_t receipt_index(const struct receipt *r);
int64_t receipt_time_us(const struct receipt *r);

/*
 * ledger_append(c, r, n, &first): all of ${r}, in order, durable when it returns. ${n} <= LIMIT_BATCH_REQUESTS * 4 (split over
 * messages as needed).
 */
struct err ledger_append(struct chan *c, const struct record *r, size_t n, struct receipt *ret_receipts /* n */);

struct ledger_head { uint64_t size; uint8_t root[32]; };
struct err ledger_head(struct chan *c, struct ledger_head *ret, struct buf *checkpoint /* may be NULL */);
struct err ledger_remember(struct chan *c, const struct ledger_head *seen);

/* ledger_unlock(c, key, &head): gives the ledger its signing key, upon which it opens its log. ROLLBACK, CORRUPT: see its log line. */
struct err ledger_unlock(struct chan *c, const struct sign_key *key, struct ledger_head *ret);

/* newest first; absent (zero) filters match everything */
struct ledger_query {
	int64_t from_us, to_us;
	struct id who, object, bucket;
	struct str subject;
	struct str act;      /* exact, or a prefix that ends with '.' */
	uint64_t before;     /* index to go on before (exclusive); 0: from the end */
	uint16_t max;        /* 1..200 */
};
struct ledger_entry { uint64_t index; struct str json; /* borrowed from the reply */ };
struct err ledger_query(struct chan *c, const struct ledger_query *q, struct msg *reply, struct ledger_entry *ret,
    size_t *ret_n, bool *ret_more);
struct err ledger_prove(struct chan *c, uint64_t index, struct buf *proof, struct buf *json);

#endif
