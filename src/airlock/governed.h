/*
 * governed: what warden holds for studies, cells and the airlock together; and the verbs of the airlock and of disclosures.
 * `governance` is the table that src/bin hands to warden.
 */
#ifndef CLOISTER_AIRLOCK_GOVERNED_H
#define CLOISTER_AIRLOCK_GOVERNED_H

#include "airlock/airlock.h"
#include "study/registry.h"

extern const struct governance governance;

struct request_entry {
	struct airlock_request r;
	struct id key; /* = r.id */
};

/* What was told to somebody outside, for the accounting of disclosures: 45 CFR 164.528. */
struct disclosure {
	json_t *doc;
	struct id id, request, release, study;
	int64_t at_us;
	uint8_t digest[SHA256_BYTES]; /* of the canonical document: in the ledger */
};

struct governed {
	struct registry study; /* first: registry_of() */
	struct map requests, disclosures;
};
static inline struct governed *
governed_of(const struct house *h)
{
	return h->governed;
}

struct request_entry *governed_request(const struct governed *g, struct id id); /* NULL: none */
enum airlock_state request_state(struct house *h, const struct airlock_request *r, int64_t now_us, int64_t mono_us);

/* ---- for the verbs ---- */

struct airlock_asker asker_of(const struct call *c, const struct airlock_request *r);
/* take_request(c, &e): the one named, with its study; into the record too. NOT_FOUND. */
struct err take_request(struct call *c, struct request_entry **ret, struct study_entry **ret_study);
/* take_usable(c, …): and its study's basis holds. */
struct err take_usable(struct call *c, struct request_entry **ret, struct study_entry **ret_study);
/* request_move(c, r, event, as): the transition, by somebody who is ${as} (bits of enum airlock_actor). Changes ${r}, a copy. DENIED with REASON_STATE. */
struct err request_move(struct call *c, struct airlock_request *r, enum airlock_event event, unsigned as);
struct err plan_request(struct call *c, const struct airlock_request *r);
bool describe_request(struct call *c, const struct airlock_request *r, bool full, json_t *j);
void record_request(struct record *r, const struct airlock_request *q);
/*
 * disclose(c, r, study): the disclosure that the release of ${r} is, planned with its record; or the record that says why there is none. Sets r->disclosure.
 */
struct err disclose(struct call *c, struct airlock_request *r, const struct study *s);
struct err disclosure_put(struct governed *g, struct id id, struct str json);
/* request_ended(c, j, result, good): of jobs collect, check, verify, deliver and upload. */
struct err request_ended(struct call *c, const struct job *j, const json_t *result, bool good);
/* request_may_view(h, r, state, asker): may he be shown its files now? */
enum verdict_reason request_may_view(const struct airlock_request *r, enum airlock_state state, const struct airlock_asker *a);

struct err verb_airlock_submit(struct call *c);
struct err verb_airlock_check(struct call *c);
struct err verb_airlock_upload(struct call *c);
struct err verb_airlock_list(struct call *c);
struct err verb_airlock_show(struct call *c);
struct err verb_airlock_file(struct call *c);
struct err verb_airlock_review(struct call *c);
struct err verb_airlock_consolidate(struct call *c);
struct err verb_airlock_release(struct call *c);
struct err verb_airlock_withdraw(struct call *c);
struct err verb_airlock_recall(struct call *c);
struct err verb_disclosure_list(struct call *c);

#endif
