/*
 * wire: the messages of warden/client.h as bytes, for both sides. client.c writes requests and
 * reads replies, the process reads requests and writes replies. doc/messages.md tells what a
 * message is; here is what its body holds.
 *
 * Decoded requests borrow from the message. Every decoder is strict: a body with anything missing,
 * unknown or left over is INVALID, and the caller closes the channel.
 */
#ifndef CLOISTER_WARDEN_WIRE_H
#define CLOISTER_WARDEN_WIRE_H

#include "warden/client.h"

#define LIMIT_CONDITIONS 128 /* 10 tags twice, and each header and parameter that S3 policies know */
#define LIMIT_WANTS 1000

void proof_encode(const struct proof *p, struct buf *b);
struct err proof_decode(struct cur *c, struct proof *ret);

/* ---- WARDEN_AUTHORIZE ---- */
struct authorize_request {
	struct proof proof;
	size_t n_conditions, n_wants;
	struct condition *conditions;
	struct want *wants;
	/* what ${wants} point to */
	struct acl *acls;
	struct tag *tags;
};
#define AUTO_AUTHORIZE __attribute__((cleanup(authorize_request_release))) struct authorize_request

void authorize_request_release(struct authorize_request *r);
/* authorize_request_encode: the body of a request. LIMIT if it does not fit ${b}. */
struct err authorize_request_encode(const struct proof *proof, const struct condition *cond,
    size_t n_cond, const struct want *wants, size_t n, struct buf *b);
/*
 * authorize_request_decode: the caller releases ${ret}, which borrows from ${c}. INVALID, LIMIT,
 * NO_MEMORY.
 */
struct err authorize_request_decode(struct cur *c, struct authorize_request *ret);
/*
 * want_wire_size: at most so many bytes of a request, and of its reply; ${previous} is the want
 * before it, or NULL.
 */
size_t want_wire_size(const struct want *w, const struct want *previous);
size_t want_reply_size(const struct want *w);

/*
 * The reply: either reply_refuse() alone, or reply_asker() and then exactly one reply_verdict() a
 * want, in order. The status of the message itself stays ERR_NONE: a reason does not fit there.
 */
void reply_refuse(enum err_code code, enum verdict_reason reason, struct buf *b); /* code is not ERR_NONE */
void reply_asker(const struct asker *a, size_t n_verdicts, struct buf *b);
/*
 * reply_verdict(v, made, b): refused: error, reason and receipt. Allowed: the grant too; ${v->key}
 * (not taken) and ${v->ids} if there is a key; ${v->header} if ${made}; ${v->charter}, if not
 * empty.
 */
void reply_verdict(const struct verdict *v, bool made, struct buf *b);
/*
 * reply_decode: reads a whole reply. Verdicts own their keys. On failure nothing is left to
 * release.
 */
struct err reply_decode(struct cur *c, struct asker *ret_asker, struct verdict *ret, size_t max,
    size_t *ret_n, enum verdict_reason *ret_reason);

/* ---- WARDEN_CHUNKS: the reply is a status ---- */
struct chunks_request {
	struct proof proof;
	uint8_t previous[32];
	bool trailer;
	size_t n;
	struct str signatures; /* n times 32 bytes hash, 32 bytes signature */
};
#define CHUNKS_A_MESSAGE 3000
void chunks_request_encode(const struct proof *seed, const uint8_t previous[32],
    const struct chunk_signature *s, size_t n, bool trailer, struct buf *b);
struct err chunks_request_decode(struct cur *c, struct chunks_request *ret);
struct chunk_signature chunks_request_at(const struct chunks_request *r, size_t i);

/* ---- WARDEN_STILL: a grant; the reply is a status. WARDEN_NAMES: u16 n, ids -> n strings ---- */
void grant_encode(const struct grant *g, struct buf *b);
void grant_decode(struct cur *c, struct grant *ret);

/* ---- WARDEN_ADMIN: a proof, verb, parameters -> u16 error, u16 reason, JSON ---- */
struct admin_request { struct proof proof; struct str verb, params; };
struct err admin_request_decode(struct cur *c, struct admin_request *ret);
void admin_reply_encode(
    enum err_code code, enum verdict_reason reason, struct str json, struct buf *b);

/*
 * ---- WARDEN_HELLO: nothing -> certificate chain, key (PEM), one descriptor: the siren page,
 * read-only ----
 */
void hello_reply_encode(struct str cert_pem, struct str key_pem, struct buf *b);

#endif
