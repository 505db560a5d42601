/* The verbs with which output checkers decide: two who do not see each other's view, and a third if they disagree. */
#include "airlock/governed.h"

static struct err
take_review(struct call *c, struct airlock_review *v)
{
	struct str decision = STR_NONE, digest = STR_NONE;

	TRY(take_text(c, "decision", 16, false, true, &decision));
	TRY(take_text(c, "digest", 64, false, true, &digest));
	TRY(take_text(c, "comment", LIMIT_AIRLOCK_COMMENT, true, false, &v->comment));
	if (err_is(airlock_decision_parse(decision, &v->decision)))
		return call_invalid(c, "decision", "A decision is approve, return or reject.");
	if (err_is(hex_digest(digest, v->digest)))
		return call_invalid(c, "digest", "The digest of the files that you looked at.");
	record_word(&c->record, RECORD_RULE, str_c(airlock_decision_word(v->decision)));
	record_digest(&c->record, RECORD_DIGEST, v->digest);
	return OK;
}

/* Who is no more has not reviewed: another takes his place. */
static void
drop_revoked(const struct call *c, struct airlock_request *r)
{
	struct study_people people = people_of(c->h);

	for (size_t i = 0; i < AIRLOCK_REVIEWERS; i++)
		if (!id_is_zero(r->reviews[i].who) && !people.active(people.ctx, r->reviews[i].who))
			r->reviews[i] = (struct airlock_review){0};
}

static struct err
decide(struct call *c, bool consolidate)
{
	struct airlock_review v = {.who = c->who.person->id, .at_us = c->now_us};
	size_t i = consolidate ? AIRLOCK_REVIEWERS : 0;
	enum airlock_event event;
	struct airlock_asker a;
	struct request_entry *e;
	struct study_entry *s;
	enum verdict_reason why;
	struct airlock_request r;

	TRY(take_usable(c, &e, &s));
	TRY(take_review(c, &v));
	r = e->r;
	if (!consolidate)
		drop_revoked(c, &r);
	a = asker_of(c, &r);
	why = request_may_review(&r, request_state(c->h, &r, c->now_us, c->mono_us), &a, v.digest, consolidate);
	if (why != REASON_NONE)
		return call_refuse(c, why);
	while (!consolidate && !id_is_zero(r.reviews[i].who))
		i++;
	r.reviews[i] = v;
	if (request_reviewed(&r, &event)) {
		TRY(request_move(c, &r, event, consolidate ? BY_THIRD : BY_CHECKER));
		if (event != AIRLOCK_DISAGREE)
			r.decided_us = c->now_us;
	}
	TRY(plan_request(c, &r));
	return doc_done(doc_set_id(c->out, "request", r.id) && doc_set_text(c->out, "state", str_c(airlock_state_word(r.state))));
}

struct err
verb_airlock_review(struct call *c)
{
	return decide(c, false);
}

struct err
verb_airlock_consolidate(struct call *c)
{
	return decide(c, true);
}
