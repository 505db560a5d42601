/*
 * round: what arrives together becomes durable together, and only then is answered.
 *
 * Messages are added while the loop reads; round_end() puts all of them into the landing bucket as one segment, then writes one feed.receive
 * record each, and makes the answers. If either fails, every answer of the round says that nothing was stored (AE, ERR 207), and
 * the senders send again. A message is never answered AA before both have happened.
 *
 * Known again: the same sender (feed, MSH-3, MSH-4), MSH-10 and bytes: answered as the first was, not stored, recorded as a duplicate.
 * The same with other bytes: stored as a clash, answered AE (ERR 205). What cannot be read, or is of a type that nothing maps, is stored as
 * refused and answered AR or AE.
 * Process: intake. Not for threads. Payloads are only looked at while they are added.
 */
#ifndef CLOISTER_INTAKE_ROUND_H
#define CLOISTER_INTAKE_ROUND_H

#include "crypto/secret.h"
#include "intake/feeds.h"
#include "intake/seen.h"
#include "landing/landing.h"
#include "ledger/record.h"

#define ROUND_MAX 1024 /* messages: what one ledger_append() takes */

/* Where a round goes: landing and ledger; tests have their own. */
struct round_store {
	void *ctx;
	struct err (*put)(void *ctx, struct str key, struct phi segment, struct id *ret_object); /* EXISTS, PRECONDITION: the key is there */
	struct err (*record)(void *ctx, const struct record *r, size_t n);
};

struct round_from {
	struct feed *feed;
	struct str address; /* an IP literal */
	void *owner;        /* who gets the answer; NULL: nobody */
};

struct round;
/* round_new(key, seen, store, &r): all borrowed. */
struct err round_new(const struct mac_key *key, struct seen *seen, const struct round_store *store, struct round **ret);
void round_free(struct round *r);

/* round_has_room(r, bytes): for one more message of that size. An empty round has room for any. */
bool round_has_room(const struct round *r, size_t bytes);
size_t round_count(const struct round *r);
/* round_hl7(r, from, payload, whole, now): ${whole} false: its frame had no end. */
void round_hl7(struct round *r, const struct round_from *from, struct phi payload, bool whole, int64_t now_us);
/* round_device(r, from, topic, payload, now): of a broker; gets no answer. Longer than LIMIT_LANDING_MESSAGE: only recorded, as too large. */
void round_device(struct round *r, const struct round_from *from, struct phi topic, struct phi payload, int64_t now_us);
/* round_too_large(r, from, begin, now): ${begin} is its beginning, for the answer; not stored, recorded. */
void round_too_large(struct round *r, const struct round_from *from, struct phi begin, uint64_t bytes, int64_t now_us);
/* round_junk(r, from, bytes, now): bytes between frames: not stored, recorded, no answer. */
void round_junk(struct round *r, const struct round_from *from, uint64_t bytes, int64_t now_us);

/* round_end(r, now): durable, or an error; the answers are there in either case. */
struct err round_end(struct round *r, int64_t now_us);
/* round_answer(r, i, &answer): frames for the owner of the ${i}th message, borrowed; may be empty. */
void *round_answer(const struct round *r, size_t i, struct str *ret);
void round_clear(struct round *r);

#endif
