#include "airlock/airlock.h"

#include "base/clock.h"

#define DECIDERS (BY_CHECKER | BY_THIRD)

/* Everything that can happen. What is not here cannot. */
static const struct transition {
	enum airlock_state from;
	enum airlock_event event;
	enum airlock_state to;
	unsigned actors;
} transitions[] = {
	{AIRLOCK_DRAFT, AIRLOCK_SUBMIT, AIRLOCK_SCANNING, BY_AUTHOR},
	{AIRLOCK_BLOCKED, AIRLOCK_SUBMIT, AIRLOCK_SCANNING, BY_AUTHOR},
	{AIRLOCK_RETURNED, AIRLOCK_SUBMIT, AIRLOCK_SCANNING, BY_AUTHOR},

	{AIRLOCK_SCANNING, AIRLOCK_CLEAN, AIRLOCK_REVIEW, BY_HOUSE},
	{AIRLOCK_SCANNING, AIRLOCK_DIRTY, AIRLOCK_BLOCKED, BY_HOUSE},

	{AIRLOCK_REVIEW, AIRLOCK_APPROVE, AIRLOCK_APPROVED, BY_CHECKER},
	{AIRLOCK_REVIEW, AIRLOCK_RETURN, AIRLOCK_RETURNED, BY_CHECKER},
	{AIRLOCK_REVIEW, AIRLOCK_REJECT, AIRLOCK_REJECTED, BY_CHECKER},
	{AIRLOCK_REVIEW, AIRLOCK_DISAGREE, AIRLOCK_CONSOLIDATING, BY_CHECKER},
	{AIRLOCK_CONSOLIDATING, AIRLOCK_APPROVE, AIRLOCK_APPROVED, BY_THIRD},
	{AIRLOCK_CONSOLIDATING, AIRLOCK_RETURN, AIRLOCK_RETURNED, BY_THIRD},
	{AIRLOCK_CONSOLIDATING, AIRLOCK_REJECT, AIRLOCK_REJECTED, BY_THIRD},

	{AIRLOCK_APPROVED, AIRLOCK_RELEASE, AIRLOCK_RELEASING, BY_STUDY},
	{AIRLOCK_RELEASING, AIRLOCK_SAME, AIRLOCK_RELEASED, BY_HOUSE},
	{AIRLOCK_RELEASING, AIRLOCK_CHANGED, AIRLOCK_BLOCKED, BY_HOUSE},

	{AIRLOCK_APPROVED, AIRLOCK_RECALL, AIRLOCK_RECALLED, BY_OFFICER},
	{AIRLOCK_RELEASING, AIRLOCK_RECALL, AIRLOCK_RECALLED, BY_OFFICER},
	{AIRLOCK_RELEASED, AIRLOCK_RECALL, AIRLOCK_RECALLED, BY_OFFICER},

	{AIRLOCK_DRAFT, AIRLOCK_WITHDRAW, AIRLOCK_WITHDRAWN, BY_AUTHOR},
	{AIRLOCK_SCANNING, AIRLOCK_WITHDRAW, AIRLOCK_WITHDRAWN, BY_AUTHOR},
	{AIRLOCK_BLOCKED, AIRLOCK_WITHDRAW, AIRLOCK_WITHDRAWN, BY_AUTHOR},
	{AIRLOCK_REVIEW, AIRLOCK_WITHDRAW, AIRLOCK_WITHDRAWN, BY_AUTHOR},
	{AIRLOCK_CONSOLIDATING, AIRLOCK_WITHDRAW, AIRLOCK_WITHDRAWN, BY_AUTHOR},
	{AIRLOCK_RETURNED, AIRLOCK_WITHDRAW, AIRLOCK_WITHDRAWN, BY_AUTHOR},
	{AIRLOCK_APPROVED, AIRLOCK_WITHDRAW, AIRLOCK_WITHDRAWN, BY_AUTHOR},

	{AIRLOCK_DRAFT, AIRLOCK_TIME, AIRLOCK_EXPIRED, BY_HOUSE},
	{AIRLOCK_BLOCKED, AIRLOCK_TIME, AIRLOCK_EXPIRED, BY_HOUSE},
	{AIRLOCK_REVIEW, AIRLOCK_TIME, AIRLOCK_EXPIRED, BY_HOUSE},
	{AIRLOCK_CONSOLIDATING, AIRLOCK_TIME, AIRLOCK_EXPIRED, BY_HOUSE},
	{AIRLOCK_RETURNED, AIRLOCK_TIME, AIRLOCK_EXPIRED, BY_HOUSE},
	{AIRLOCK_APPROVED, AIRLOCK_TIME, AIRLOCK_EXPIRED, BY_HOUSE},
};

bool
airlock_next(enum airlock_state from, enum airlock_event event, enum airlock_state *ret_to, unsigned *ret_actors)
{
	for (size_t i = 0; i < ARRAY_LEN(transitions); i++) {
		const struct transition *t = &transitions[i];

		if (t->from != from || t->event != event)
			continue;
		*ret_to = t->to;
		*ret_actors = t->actors;
		return true;
	}
	return false;
}

bool
airlock_is_over(enum airlock_state s)
{
	return s == AIRLOCK_REJECTED || s == AIRLOCK_RELEASED || s == AIRLOCK_WITHDRAWN || s == AIRLOCK_EXPIRED || s == AIRLOCK_RECALLED;
}

/* ---- words ---- */

static const char *const state_words[AIRLOCK_STATE_COUNT] = {
#define X(suffix, word) [AIRLOCK_##suffix] = (word),
	AIRLOCK_STATES(X)
#undef X
};
static const char *const decision_words[DECISION_COUNT] = {
    [DECISION_NONE] = "none", [DECISION_APPROVE] = "approve", [DECISION_RETURN] = "return", [DECISION_REJECT] = "reject"};

const char *
airlock_state_word(enum airlock_state s)
{
	INVARIANT(s < AIRLOCK_STATE_COUNT);
	return state_words[s];
}

struct err
airlock_state_parse(struct str s, enum airlock_state *ret)
{
	for (unsigned i = 0; i < AIRLOCK_STATE_COUNT; i++) {
		if (str_eq(s, str_c(state_words[i]))) {
			*ret = (enum airlock_state)i;
			return OK;
		}
	}
	return ERR(ERR_INVALID);
}

const char *
airlock_decision_word(enum airlock_decision d)
{
	INVARIANT(d < DECISION_COUNT);
	return decision_words[d];
}

struct err
airlock_decision_parse(struct str s, enum airlock_decision *ret)
{
	for (unsigned i = DECISION_APPROVE; i < DECISION_COUNT; i++) {
		if (str_eq(s, str_c(decision_words[i]))) {
			*ret = (enum airlock_decision)i;
			return OK;
		}
	}
	return ERR(ERR_INVALID);
}

/* ---- a request in time ---- */

enum airlock_state
request_now(const struct airlock_request *r, int64_t now_us, bool alive)
{
	enum airlock_state to, state = r->state;
	unsigned actors;

	/* the program was stopped in the middle: nothing was decided, nothing has left */
	if (state == AIRLOCK_SCANNING && !alive)
		state = AIRLOCK_BLOCKED;
	if (state == AIRLOCK_RELEASING && !alive)
		state = AIRLOCK_APPROVED;
	if (now_us - r->moved_us >= AIRLOCK_DAYS * 86400 * US_PER_S && airlock_next(state, AIRLOCK_TIME, &to, &actors))
		return to;
	return state;
}

void
request_void(struct airlock_request *r)
{
	memset(r->reviews, 0, sizeof(r->reviews));
	r->decided_us = 0;
}

/* ---- who decides ---- */

/* Who has reviewed these bytes; AIRLOCK_REVIEWS: nobody of this id. */
static size_t
review_of(const struct airlock_request *r, struct id who)
{
	size_t i = 0;

	while (i < AIRLOCK_REVIEWS && !id_eq(r->reviews[i].who, who))
		i++;
	return i;
}

bool
request_has_review(const struct airlock_request *r, struct id who)
{
	return review_of(r, who) < AIRLOCK_REVIEWS;
}

static size_t
count_reviews(const struct airlock_request *r)
{
	size_t n = 0;

	for (size_t i = 0; i < AIRLOCK_REVIEWERS; i++)
		n += !id_is_zero(r->reviews[i].who);
	return n;
}

static bool
has(const struct airlock_asker *a, enum role_of_person r)
{
	return a->roles >> r & 1u;
}

enum verdict_reason
request_may_review(const struct airlock_request *r, enum airlock_state state, const struct airlock_asker *a,
    const uint8_t digest[SHA256_BYTES], bool consolidate)
{
	bool checker = has(a, PERSON_OUTPUT_CHECKER), officer = has(a, PERSON_PRIVACY_OFFICER);

	if (has(a, PERSON_ADMINISTRATOR) || !(checker || (consolidate && officer)))
		return REASON_ROLE;
	if (id_eq(a->id, r->author) || a->in_study)
		return REASON_OWN_REQUEST;
	if (state != (consolidate ? AIRLOCK_CONSOLIDATING : AIRLOCK_REVIEW))
		return REASON_STATE;
	if (request_has_review(r, a->id))
		return REASON_SIGNED_ALREADY;
	if (!r->has_digest || !crypto_equal(digest, r->digest, SHA256_BYTES))
		return REASON_DIGEST;
	return !consolidate && count_reviews(r) == AIRLOCK_REVIEWERS ? REASON_STATE : REASON_NONE;
}

static enum airlock_event
event_of(enum airlock_decision d)
{
	return d == DECISION_APPROVE ? AIRLOCK_APPROVE : d == DECISION_RETURN ? AIRLOCK_RETURN : AIRLOCK_REJECT;
}

bool
request_reviewed(const struct airlock_request *r, enum airlock_event *ret)
{
	const struct airlock_review *v = r->reviews;

	if (count_reviews(r) < AIRLOCK_REVIEWERS)
		return false;
	if (!id_is_zero(v[AIRLOCK_REVIEWERS].who))
		*ret = event_of(v[AIRLOCK_REVIEWERS].decision);
	else
		*ret = v[0].decision == v[1].decision ? event_of(v[0].decision) : AIRLOCK_DISAGREE;
	return true;
}

bool
request_shows(const struct airlock_request *r, enum airlock_state state, const struct airlock_asker *a, size_t i)
{
	if (state != AIRLOCK_REVIEW)
		return true;
	/* his own, and after it the other's; the author and whoever watches wait for the end */
	return id_eq(r->reviews[i].who, a->id) || request_has_review(r, a->id);
}
