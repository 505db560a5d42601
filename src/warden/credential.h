/*
 * credential: access keys: an id that is public and a secret that signs requests.
 *
 * A secret lies sealed in its row and, in memory, sealed under a key of this process; it is opened
 * for the moment of a verification. A key never outlives or exceeds its owner: what it may do is
 * what he may do, less its own narrowing. Process: warden.
 */
#ifndef CLOISTER_WARDEN_CREDENTIAL_H
#define CLOISTER_WARDEN_CREDENTIAL_H

#include "base/id.h"
#include "base/map.h"
#include "crypto/crypto.h"

#define ACCESS_KEY_CHARS 20 /* made here: "CL" and 18 of A-Z2-7 */
#define SECRET_CHARS 40
#define LIMIT_ACCESS_KEY 128 /* given by an administrator: 3 to 128 and 8 to 128 */
#define LIMIT_SECRET 128
#define ACCESS_KEY_MIN 3
#define SECRET_MIN 8
#define LIMIT_KEY_BUCKETS 8
#define LIMIT_KEYS_A_PERSON 32 /* that are not revoked */
#define KEY_DAYS_DEFAULT 90
#define KEY_DAYS_MAX 365

struct access_key {
	struct id id, person;
	char name[LIMIT_ACCESS_KEY + 1];
	struct buf secret; /* sealed */
	int64_t created_us, expires_us;
	bool revoked, read_only;
	uint8_t n_buckets; /* 0: any */
	char buckets[LIMIT_KEY_BUCKETS][64];
};

struct credentials { struct map by_name, by_id; struct secret *key; };

struct err credentials_init(struct credentials *c);
void credentials_release(struct credentials *c);
/*
 * credentials_put(c, id, json): the key of this row, in place of what was there. CORRUPT,
 * NO_MEMORY.
 */
struct err credentials_put(struct credentials *c, struct id id, struct str json);
struct access_key *access_key_by_name(const struct credentials *c, struct str name);
struct access_key *access_key_by_id(const struct credentials *c, struct id id);

/* access_key_new_name(out), access_key_new_secret(b): random ones. */
void access_key_new_name(struct buf *out);
void access_key_new_secret(struct buf *out);
/* password_random(out): 100 random bits, in four groups that can be read aloud. */
void password_random(struct buf *out);
#define PASSWORD_CHARS_MIN 12 /* of one that a person chooses */
/* What an administrator may give. INVALID. */
struct err access_key_check(struct str name, struct str secret);
/*
 * access_key_seal(c, secret, k): fills ${k->secret}. access_key_secret(c, k, out): opens it into a
 * wiped buffer.
 */
struct err access_key_seal(const struct credentials *c, struct str secret, struct access_key *k);
struct err access_key_secret(
    const struct credentials *c, const struct access_key *k, struct buf *out);
/*
 * access_key_is_over(k, revoked, revoked_us): revoked itself, or its owner is, or was since it was
 * made: whoever is taken back gets new keys.
 */
static inline bool
access_key_is_over(const struct access_key *k, bool owner_revoked, int64_t owner_revoked_us)
{
	return k->revoked || owner_revoked || k->created_us <= owner_revoked_us;
}
/* access_key_write(c, k, b): the row; a revoked key's secret is not in it. */
struct err access_key_write(
    const struct credentials *c, const struct access_key *k, struct buf *json);

#endif
