/*
 * airlock: the only way in or out of a cell, as a table of states. Pure.
 *
 *   draft ─▶ scanning ─▶ review ─▶ (consolidating) ─▶ approved ─▶ releasing ─▶ released (─▶ recalled)
 *               │  ▲        │             │
 *               ▼  │        ├─────────────┴─▶ rejected
 *            blocked, returned
 *   any that is not over: withdrawn by its author, expired 14 days after it last moved
 *
 * A decision is bound to bytes: reviews name the request's digest, SHA-256 over the files' names, sizes and SHA-256s. New bytes make the reviews
 * before them void. Nobody decides about what he or his study asked for; an administrator decides about nothing. doc/airlock.md.
 */
#ifndef CLOISTER_AIRLOCK_AIRLOCK_H
#define CLOISTER_AIRLOCK_AIRLOCK_H

#include "crypto/crypto.h"
#include "study/study.h"
#include "warden/role.h"

#define LIMIT_AIRLOCK_FILES 32
#define LIMIT_AIRLOCK_CONTEXT 2000
#define LIMIT_AIRLOCK_PURPOSE 1000
#define LIMIT_AIRLOCK_RECIPIENT 200 /* name */
#define LIMIT_AIRLOCK_ADDRESS 400
#define LIMIT_AIRLOCK_PERIOD 100
#define LIMIT_AIRLOCK_COMMENT 1000
#define LIMIT_AIRLOCK_FINDINGS 200 /* of all files together; more only count */
#define LIMIT_AIRLOCK_FILE_BYTES (512 * MiB)
#define AIRLOCK_DAYS 14
#define AIRLOCK_REVIEWERS 2
#define AIRLOCK_REVIEWS (AIRLOCK_REVIEWERS + 1) /* the third consolidates */

/* X(suffix, word) */
#define AIRLOCK_STATES(X)                                                                                                      \
	X(DRAFT, "draft") X(SCANNING, "scanning") X(BLOCKED, "blocked") X(REVIEW, "review") X(CONSOLIDATING, "consolidating")      \
	X(RETURNED, "returned") X(REJECTED, "rejected") X(APPROVED, "approved") X(RELEASING, "releasing") X(RELEASED, "released") \
	X(WITHDRAWN, "withdrawn") X(EXPIRED, "expired") X(RECALLED, "recalled")
enum airlock_state {
#define X(suffix, word) AIRLOCK_##suffix,
	AIRLOCK_STATES(X)
#undef X
	AIRLOCK_STATE_COUNT
};
const char *airlock_state_word(enum airlock_state s);
struct err airlock_state_parse(struct str s, enum airlock_state *ret); /* INVALID */

enum airlock_event {
	AIRLOCK_SUBMIT,     /* its bytes are to be collected, or looked at */
	AIRLOCK_CLEAN,      /* the checks found nothing that blocks */
	AIRLOCK_DIRTY,      /* they did, or could not be done */
	AIRLOCK_APPROVE,    /* what the reviewers decided, together or in the end */
	AIRLOCK_RETURN,
	AIRLOCK_REJECT,
	AIRLOCK_DISAGREE,
	AIRLOCK_RELEASE,    /* its bytes are to be compared with the decision, and then to go */
	AIRLOCK_SAME,       /* they were the same */
	AIRLOCK_CHANGED,    /* they were not */
	AIRLOCK_WITHDRAW,
	AIRLOCK_RECALL,
	AIRLOCK_TIME,       /* AIRLOCK_DAYS without anything happening */
	AIRLOCK_EVENT_COUNT
};

/* Who may bring an event about. What exactly makes somebody a checker says airlock_may_review(). */
enum airlock_actor {
	BY_AUTHOR = 1,  /* who made the request */
	BY_STUDY = 2,   /* one of the people of its study */
	BY_CHECKER = 4, /* one of the two reviewers */
	BY_THIRD = 8,   /* a privacy officer, or a third checker */
	BY_OFFICER = 16, /* privacy or security officer */
	BY_HOUSE = 32,  /* the program itself */
};

/* airlock_next(from, event, to, actors): false: there is no such transition. */
bool airlock_next(enum airlock_state from, enum airlock_event event, enum airlock_state *ret_to, unsigned *ret_actors);
bool airlock_is_over(enum airlock_state s); /* nothing but a recall can follow */

enum airlock_decision { DECISION_NONE, DECISION_APPROVE, DECISION_RETURN, DECISION_REJECT, DECISION_COUNT };
const char *airlock_decision_word(enum airlock_decision d);
struct err airlock_decision_parse(struct str s, enum airlock_decision *ret); /* INVALID */

enum airlock_severity { SEVERITY_NOTE, SEVERITY_WARN, SEVERITY_BLOCK, SEVERITY_COUNT };

struct airlock_file {
	struct str name; /* a path below the home folder, or of an import a name */
	uint64_t size;
	bool known; /* its bytes were seen: ${sha256} is theirs */
	uint8_t sha256[SHA256_BYTES];
	struct str type;
	const json_t *findings; /* checked; NULL: none */
};

struct airlock_review {
	struct id who; /* zero: none */
	enum airlock_decision decision;
	int64_t at_us;
	uint8_t digest[SHA256_BYTES];
	struct str comment;
};

/* A request. Borrows its texts from ${doc}, which it holds. */
struct airlock_request {
	json_t *doc;
	struct id id, study, cell, release, basis, author, job;
	bool in; /* into the cell; else out of it */
	enum airlock_state state;
	struct str context, purpose, recipient, address, period;
	struct airlock_file files[LIMIT_AIRLOCK_FILES];
	uint8_t n_files;
	struct airlock_review reviews[AIRLOCK_REVIEWS];
	int64_t created_us, submitted_us, decided_us, released_us, moved_us; /* the last: of the last change of state */
	struct id disclosure; /* that its release made; zero: none */
	char reason[33];      /* why it is blocked though no finding says so: a word */
	uint8_t digest[SHA256_BYTES]; /* over its files; of no use while one is not known */
	bool has_digest;
};

/* request_read(id, doc, r): the row; holds ${doc}. CORRUPT. request_release(r). request_write(r, b): the row. */
struct err request_read(struct id id, json_t *doc, struct airlock_request *ret);
void request_release(struct airlock_request *r);
struct err request_write(const struct airlock_request *r, struct buf *json);

/* request_digest(r): sets digest and has_digest from the files: SHA-256 of the canonical JSON [{"name","sha256","size"},…]. */
struct err request_digest(struct airlock_request *r);
/* request_void(r): no review counts any more: the bytes are others. */
void request_void(struct airlock_request *r);

/* request_now(r, now, alive): the state as it is to be taken: expired by time, or left in the middle by a job that is gone (${alive} false). */
enum airlock_state request_now(const struct airlock_request *r, int64_t now_us, bool alive);

/* What the asker is to the request. */
struct airlock_asker {
	struct id id;
	uint32_t roles;
	bool in_study; /* of the request */
};
/*
 * request_may_review(r, state, a, digest, consolidate): may he give a review, or, where the two disagree, the third and last one? REASON_NONE: yes.
 * request_reviewed(r): after a review was added: what follows from all there are; false: one is still to come.
 */
enum verdict_reason request_may_review(const struct airlock_request *r, enum airlock_state state, const struct airlock_asker *a,
    const uint8_t digest[SHA256_BYTES], bool consolidate);
bool request_reviewed(const struct airlock_request *r, enum airlock_event *ret);
bool request_has_review(const struct airlock_request *r, struct id who); /* of these bytes, the third one's too */
/* request_shows(r, state, a, i): may he see the review ${i} of another? Blind: only after his own, or when that is over. */
bool request_shows(const struct airlock_request *r, enum airlock_state state, const struct airlock_asker *a, size_t i);

/*
 * findings_check(list, ret, total): a copy of what a check found, limited; ${*total} counts findings over all files. INVALID. ${ret_worst}: the worst severity.
 */
struct err findings_check(const json_t *list, size_t *total, json_t **ret, enum airlock_severity *ret_worst);

#endif
