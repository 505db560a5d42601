/*
 * throttle: how often somebody may be wrong. A bucket of failures for each name (an access key, a
 * person at an address, an address): THROTTLE_BURST at once, one more every THROTTLE_REFILL_S;
 * whoever empties it is locked for 1, 2, 4, … THROTTLE_LOCK_MAX_S seconds.
 *
 * Of fixed size: with more names than it holds the longest unused is forgotten. Names are kept as
 * hashes. Times: monotonic microseconds.
 */
#ifndef CLOISTER_WARDEN_THROTTLE_H
#define CLOISTER_WARDEN_THROTTLE_H

#include "base/err.h"
#include "base/str.h"

#define THROTTLE_BURST 10
#define THROTTLE_BURST_ADDRESS 50 /* many people may share one */
#define THROTTLE_REFILL_S 6
#define THROTTLE_LOCK_MAX_S 300
#define THROTTLE_FORGET_S 900 /* without a failure: the next lock is short again */

enum throttle_kind { THROTTLE_KEY = 1, THROTTLE_PERSON, THROTTLE_ADDRESS };

struct throttle; /* heap */
struct err throttle_new(struct throttle **ret);
void throttle_free(struct throttle *t);

/*
 * throttle_locked(t, kind, name, now): seconds, rounded up, for which ${name} is still locked; 0:
 * not.
 */
uint32_t throttle_locked(
    const struct throttle *t, enum throttle_kind kind, struct str name, int64_t now_us);
/* throttle_failed: counts a failure; true if it begins a lock (which is worth a record). */
bool throttle_failed(struct throttle *t, enum throttle_kind kind, struct str name, int64_t now_us);
/* throttle_passed: it was right: forgets its failures. */
void throttle_passed(struct throttle *t, enum throttle_kind kind, struct str name);

#endif
