/*
 * record: what a process asks the ledger to write down.
 *
 * Fields have a fixed set of names and, each, a type; a value that does not fit its type is refused. There is no type
 * for free text, so that a record cannot carry PHI. The ledger adds "n" (its index) and "time" and writes canonical JSON
 * (RFC 8785: keys sorted, no spaces, UTF-8). doc/ledger.md lists the fields.
 */
#ifndef CLOISTER_LEDGER_RECORD_H
#define CLOISTER_LEDGER_RECORD_H

#include "base/buf.h"
#include "base/id.h"

/* X(enum suffix, JSON name, type) — keep sorted by JSON name */
#define RECORD_FIELDS(X)                                                                           \
	X(ACT, "act", WORD)          /* what was done or asked: "object.get", "user.add", …  */     \
	X(ADDR, "addr", ADDRESS)     /* where from: IP address, or "local" */                       \
	X(BASIS, "basis", ID)                                                                       \
	X(BUCKET, "bucket", ID)                                                                     \
	X(COUNT, "count", NUMBER)                                                                   \
	X(DECISION, "decision", WORD) /* "allow" or "deny" */                                       \
	X(DIGEST, "digest", HEX)      /* SHA-256 of sealed bytes, of a document */                  \
	X(DOMAIN, "domain", ID)                                                                     \
	X(EPOCH, "epoch", NUMBER)                                                                   \
	X(GRANT, "grant", ID)                                                                       \
	X(KEY, "key", TOKEN)          /* access key id */                                           \
	X(NEXT, "next", HEX)          /* warden state digest after */                               \
	X(OBJECT, "object", ID)                                                                     \
	X(OTHER, "other", ID)         /* the person, domain or thing acted upon */                  \
	X(PART, "part", NUMBER)                                                                     \
	X(PREVIOUS, "previous", HEX)  /* warden state digest before */                              \
	X(REASON, "reason", WORD)     /* why it was denied: "no-rule", "key-revoked", … */          \
	X(ROLE, "role", WORD)                                                                       \
	X(RULE, "rule", WORD)         /* which rule decided: "role", "policy", "acl", "owner" */    \
	X(SERVICE, "service", WORD)   /* process that asked for the record; set by the ledger */    \
	X(SIZE, "size", NUMBER)                                                                     \
	X(STUDY, "study", ID)                                                                       \
	X(SUBJECT, "subject", TOKEN)  /* keyed token of a patient */                                \
	X(VERSION, "version", ID)                                                                   \
	X(WHO, "who", ID)             /* person or service; absent: anonymous */

enum record_field {
#define X(suffix, name, type) RECORD_##suffix,
	RECORD_FIELDS(X)
#undef X
	RECORD_FIELD_COUNT
};

/*
 * types: WORD [a-z0-9.-]{1,64}; TOKEN [A-Za-z0-9_-]{1,128}; ADDRESS an IPv4 or IPv6 literal or "local";
 * ID 32 hex digits; HEX an even number of lower-case digits up to 128; NUMBER u64.
 */
struct record {
	struct str text[RECORD_FIELD_COUNT];   /* WORD, TOKEN, ADDRESS; borrowed; n == 0: absent */
	struct id id[RECORD_FIELD_COUNT];      /* ID; zero: absent */
	uint8_t digest[RECORD_FIELD_COUNT][32]; /* HEX fields: 32 bytes */
	uint64_t number[RECORD_FIELD_COUNT];
	uint32_t present; /* bit (1u << RECORD_X) */
};

void record_word(struct record *r, enum record_field f, struct str v); /* WORD, TOKEN, ADDRESS */
void record_id(struct record *r, enum record_field f, struct id v);    /* a zero id is left out */
void record_digest(struct record *r, enum record_field f, const uint8_t v[32]);
void record_number(struct record *r, enum record_field f, uint64_t v);

/* wire form between processes */
void record_encode(const struct record *r, struct buf *b);
struct err record_decode(struct cur *c, struct record *ret); /* INVALID; borrows from ${c} */
/* record_json(r, n, time_us, service, b): the canonical JSON. INVALID if a value does not fit its type. */
struct err record_json(const struct record *r, uint64_t n, int64_t time_us, struct str service, struct buf *b);

#endif
