/*
 * people: persons and services, with their roles and what proves them at log-in. In memory,
 * indexed; loaded from sealed rows.
 *
 * A person is never removed, only revoked: records name him by id for ever. doc/people.md. Process:
 * warden.
 */
#ifndef CLOISTER_WARDEN_PEOPLE_H
#define CLOISTER_WARDEN_PEOPLE_H

#include "base/map.h"
#include "crypto/crypto.h"
#include "warden/lookup.h"
#include "warden/role.h"

#define LIMIT_PERSON_NAME 32
#define LIMIT_PERSON_DISPLAY 128
#define LIMIT_PERSON_EMAIL 254
#define LIMIT_PERSON_CERTIFICATES 4
#define LIMIT_PASSWORD_HASH 255
#define TOTP_SECRET_BYTES 20 /* RFC 4226, section 4, R6: at least 128 bits, 160 recommended */

struct person {
	struct id id;
	uint32_t roles; /* bit (1u << enum role_of_person) */
	bool service, revoked;
	char name[LIMIT_PERSON_NAME + 1];
	char display[LIMIT_PERSON_DISPLAY + 1];
	char email[LIMIT_PERSON_EMAIL + 1]; /* lower case; empty: none */
	char authority[LIMIT_PERSON_NAME + 1]; /* of a feed: whose record numbers it sends; feeds of one authority speak of the same patients */
	char password[LIMIT_PASSWORD_HASH + 1]; /* Argon2id, encoded; empty: no log-in */
	struct secret *totp; /* the first TOTP_SECRET_BYTES of it; NULL: none */
	int64_t totp_step;   /* the newest time step whose code was used */
	uint8_t certificates[LIMIT_PERSON_CERTIFICATES][32]; /* SHA-256 fingerprints */
	uint8_t n_certificates;
	int64_t created_us, revoked_us; /* the latter stays when he is taken back: keys made before
					   it do not count */
};

struct people { struct map by_id, by_name, by_email, by_certificate; };

/*
 * people_put(p, id, json): the person of this row, in place of what was there. CORRUPT, NO_MEMORY.
 */
struct err people_put(struct people *p, struct id id, struct str json);
void people_release(struct people *p);

/* NULL: none. Revoked people are found too. */
struct person *person_by_id(const struct people *p, struct id id);
struct person *person_by_name(const struct people *p, struct str name);
struct person *person_by_email(const struct people *p, struct str email); /* any case */
struct person *person_by_certificate(const struct people *p, const uint8_t fingerprint[32]);
/* people_lookup(p): for policy and ACLs; borrows ${p}. */
struct people_lookup people_lookup(struct people *p);
/* people_count(p, r): those with the role who are not revoked. */
size_t people_count(const struct people *p, enum role_of_person r);

/* person_authority(p): of a feed; his own name if none was given. */
struct str person_authority(const struct person *p);
struct err person_set_authority(struct person *p, struct str name); /* INVALID: not as a login name */
/* person_write(p, b): the row. */
struct err person_write(const struct person *p, struct buf *json);
static inline bool
person_has(const struct person *p, enum role_of_person r)
{
	return p->roles >> r & 1u;
}

/* What a person may be called. INVALID, LIMIT. */
struct err person_set_name(struct person *p, struct str name);
struct err person_set_display(struct person *p, struct str display);
struct err person_set_email(struct person *p, struct str email);
/*
 * roles_check(roles): separation of duties: whether one person may have these together. CONFLICT;
 * INVALID if there is none.
 */
struct err roles_check(uint32_t roles);

#endif
