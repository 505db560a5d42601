/*
 * authenticate: who asks. Turns a proof into a person, or into a reason why not.
 *
 * A proof is verified first and failures are slowed down after: nobody can lock out the holder of a
 * key by guessing it.
 */
#ifndef CLOISTER_WARDEN_AUTHENTICATE_H
#define CLOISTER_WARDEN_AUTHENTICATE_H

#include "proc/role.h"
#include "warden/house.h"

struct who {
	const struct person *person;  /* NULL: anonymous, or not proved */
	const struct access_key *key; /* that the proof named: also when it is wrong */
	struct session *session;
	struct id credential; /* of the key, session or certificate */
	enum role process;    /* PROOF_PROCESS: which; else ROLE_NONE */
	struct job *job;      /* that it carries out; NULL: standing work */
	struct str address;   /* borrowed from the proof; an IP literal, or "local" */
};

/*
 * authenticate(h, from, proof, now, mono, &who, &reason): UNAUTHENTICATED with ${ret_reason}. Always
 * fills what is known of ${ret}. THROTTLED failures need no record of their own: that the
 * throttling began is recorded with ${ret_lock} true.
 */
struct err authenticate(struct house *h, enum role from, const struct proof *proof, int64_t now_us, int64_t mono_us,
    struct who *ret, enum verdict_reason *ret_reason, bool *ret_lock);

/* who_record(w, act, r): the beginning of every record about a request. */
void who_record(const struct who *w, const char *act, struct record *r);

#endif
