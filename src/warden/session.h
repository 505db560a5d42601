/*
 * session: people who logged in. In memory only: a restart of warden ends them all.
 *
 * The token is 32 random bytes; here only its HMAC is kept, under a key of this process. Ended by
 * log-out, by idleness, by age, by revoking the person, by a lock-down. Times: monotonic
 * microseconds.
 */
#ifndef CLOISTER_WARDEN_SESSION_H
#define CLOISTER_WARDEN_SESSION_H

#include "base/id.h"
#include "base/map.h"
#include "crypto/crypto.h"

#define LIMIT_SESSIONS 4096
#define LIMIT_SESSIONS_A_PERSON 16
#define SESSION_TOKEN_BYTES (4 + 43) /* "cls_" and 32 bytes in base64url */

struct session {
	struct id id, person;
	uint8_t mac[SHA256_BYTES];
	char address[46];
	int64_t made_us, used_us;
};
struct sessions {
	struct map by_mac;
	struct mac_key *key;
	int64_t idle_us, age_us;
};

struct err sessions_init(struct sessions *s, int64_t idle_s, int64_t age_s);
void sessions_release(struct sessions *s);
/*
 * session_new(s, person, address, now, token, &session): the person's oldest goes if he has too
 * many. LIMIT when the house is full.
 */
struct err session_new(struct sessions *s, struct id person, struct str address, int64_t now_us,
    struct buf *token, struct session **ret);
/* session_find(s, token, now): NULL: none, or ended by time. Counts as use. */
struct session *session_find(struct sessions *s, struct str token, int64_t now_us);
/* session_by_id(s, id, now): NULL as above; does not count as use. */
struct session *session_by_id(struct sessions *s, struct id id, int64_t now_us);
void session_end(struct sessions *s, struct session *e);
/* sessions_end(s, person): those of ${person}; of everybody if it is zero. Returns how many. */
size_t sessions_end(struct sessions *s, struct id person);

#endif
