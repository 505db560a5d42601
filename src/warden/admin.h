/*
 * admin: the verbs of people, keys, sessions, domains and the lock-down: JSON in, JSON out.
 *
 * A verb is a function that checks its parameters and plans: a record, rows, an answer. admin_run()
 * asks who, whether the table of verbs lets his roles do it, runs the plan through house_change()
 * and gives the answer out only then. doc/people.md has the table. Inside warden only.
 */
#ifndef CLOISTER_WARDEN_ADMIN_H
#define CLOISTER_WARDEN_ADMIN_H

#include "warden/authenticate.h"
#include "warden/doc.h"
#include "warden/job.h"

struct call {
	struct house *h;
	struct who who;
	const json_t *in;
	json_t *out;
	int64_t now_us, mono_us;
	struct record record; /* begun: act, who, where from */
	struct record more[LIMIT_CHANGE_RECORDS - 1]; /* that belong to the same change: call_record() */
	size_t n_more;
	struct state_change changes[LIMIT_CHANGE_ROWS];
	struct buf rows[LIMIT_CHANGE_ROWS];
	size_t n_changes;
	/*
	 * after(c): when the plan is durable: what lives in memory only (sessions, the siren). An
	 * error is answered. May be NULL.
	 */
	struct err (*after)(struct call *c);
	struct id subject; /* for after() */
	struct job new_job; /* of call_job(): made when the plan is durable; kind NONE: none */
	/* also(c): as after(), before it: of the governance's part of a job's end. May be NULL. */
	struct err (*also)(struct call *c);
	struct consent consent_given; /* to be remembered, if .at_us is set */
	struct consent *consent_used; /* to be forgotten */
	enum verdict_reason reason;
	const char *field, *message; /* of INVALID and CONFLICT; static text */
};

/*
 * verb: which roles may call it at all. What somebody may do to himself and not to others, or the other way round, the verb says.
 * ${processes}: bits (1u << ROLE_X) of processes that may call it as themselves (PROOF_PROCESS); nobody else may call a verb that has them, unless
 * ${roles} says so too. A verb that changes rows is always recorded; NO_RECORD is for questions that are asked all the time.
 */
enum verb_flags { VERB_OPEN = 1 /* no proof is needed */, VERB_WHEN_LOCKED = 2, VERB_NO_RECORD = 4, VERB_SLOW = 8 };
struct verb {
	const char *name;
	struct err (*run)(struct call *c);
	uint32_t roles; /* bits (1u << PERSON_X) */
	unsigned flags;
	uint32_t processes;
};
#define VERB_ANYBODY UINT32_MAX

/*
 * call_job(c, like): when the plan is durable there is a job like that for the caller (person and address are filled in), and its id is "job" in the
 * answer. One a call.
 */
void call_job(struct call *c, const struct job *like);

/*
 * admin_run(h, from, proof, verb, params, now, mono, out, &reason): one call. ${out}: the answer, or
 * "message" and "field". An error is one of the whole call. LOCKED, DENIED, UNAUTHENTICATED with a
 * reason; INVALID; NOT_FOUND; BUSY; …
 */
struct err admin_run(struct house *h, enum role from, const struct proof *proof, struct str verb, struct str params,
    int64_t now_us, int64_t mono_us, struct buf *out, enum verdict_reason *ret_reason);
/* admin_is_slow(verb): it hashes a password: one at a time, when nothing else waits. */
bool admin_is_slow(const struct house *h, struct str verb);

/* ---- for the verbs ---- */

/* call_row(c, kind, id): a new row of the plan, to be written into. */
struct buf *call_row(struct call *c, enum state_kind kind, struct id id);
/* call_record(c, "disclosure.made"): one more record of the plan, begun as the first; of a plan with rows only. */
struct record *call_record(struct call *c, const char *act);
struct err call_invalid(struct call *c, const char *field, const char *message);
struct err call_conflict(struct call *c, const char *field, const char *message);
struct err call_denied(struct call *c, enum verdict_reason r);
bool call_has(const struct call *c, enum role_of_person r);
/*
 * call_person(c, "name", &p): the person it names by login or id; the caller himself if it is
 * absent. NOT_FOUND.
 */
struct err call_person(struct call *c, const char *field, const struct person **ret);

/*
 * consent(c, verb, about, &first): two people must ask for the same within CONSENT_S, one of them a
 * security officer. False: this was the first; the answer says so, and it counts once it is
 * recorded. True: ${first} is who asked before.
 */
bool consent(struct call *c, const char *verb, struct id about, struct id *ret_first);

/* the verbs, in admin_*.c */
struct err verb_whoami(struct call *c);
struct err verb_user_add(struct call *c);
struct err verb_user_list(struct call *c);
struct err verb_user_set(struct call *c);
struct err verb_user_revoke(struct call *c);
struct err verb_user_password(struct call *c);
struct err verb_user_totp(struct call *c);
struct err verb_feed_add(struct call *c);
struct err verb_key_create(struct call *c);
struct err verb_key_list(struct call *c);
struct err verb_key_revoke(struct call *c);
struct err verb_session_login(struct call *c);
struct err verb_session_logout(struct call *c);
struct err verb_domain_create(struct call *c);
struct err verb_domain_list(struct call *c);
struct err verb_domain_rotate(struct call *c);
struct err verb_domain_destroy(struct call *c);
struct err verb_lockdown_on(struct call *c);
struct err verb_lockdown_lift(struct call *c);
struct err verb_lockdown_status(struct call *c);
struct err verb_job_show(struct call *c);
struct err verb_job_progress(struct call *c);
struct err verb_job_done(struct call *c);
struct err verb_job_ended(struct call *c);
struct err verb_job_get(struct call *c);
struct err verb_ingest_start(struct call *c);
struct err verb_pool_rebuild(struct call *c);
/*
 * feed_add_counts(figures, feed, more): the pool's figures of a feed grow by ${more}'s "accepted", "duplicate" and "refused"; its "last" is the later one.
 * INVALID: a number below 0.
 */
struct err feed_add_counts(json_t *figures, struct id feed, const json_t *more);
struct err verb_feed_connect(struct call *c);
struct err verb_feed_find(struct call *c);
struct err verb_feed_count(struct call *c);
struct err verb_intake_key(struct call *c);
struct err verb_flow_show(struct call *c);

#endif
