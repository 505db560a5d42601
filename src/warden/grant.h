/*
 * grant: what a grant holds, for its maker (warden) and its checker (vault). Everybody else carries it closed.
 */
#ifndef CLOISTER_WARDEN_GRANT_H
#define CLOISTER_WARDEN_GRANT_H

#include "crypto/crypto.h"
#include "warden/client.h"

struct grant_terms {
	enum action action;
	struct id who; /* zero: anonymous */
	struct id credential; /* the key or session it rests on */
	struct id bucket, object, version;
	uint8_t name_hash[16];    /* first half of SHA-256 of the object key, or of the bucket name; zeros: none */
	uint8_t charter_hash[16]; /* of the charter made with it; zeros: none */
	uint64_t record;
	int64_t until_us;
};
void grant_make(const struct mac_key *k, const struct grant_terms *t, struct grant *ret);
/*
 * grant_check(k, g, now, &t): DENIED (MAC), EXPIRED. Grants are good for 15 minutes; those of an upload in progress are asked
 * anew a part.
 */
struct err grant_check(const struct mac_key *k, const struct grant *g, int64_t now_us, struct grant_terms *ret);
void grant_name_hash(struct str name, uint8_t out[16]);

#endif
