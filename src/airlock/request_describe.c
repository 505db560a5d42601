/* request_describe: an airlock request as the API shows it, and what every verb about one does first. */
#include "airlock/governed.h"
#include "base/clock.h"

enum airlock_state
request_state(struct house *h, const struct airlock_request *r, int64_t now_us, int64_t mono_us)
{
	const uint32_t kinds = 1u << JOB_COLLECT | 1u << JOB_CHECK | 1u << JOB_VERIFY | 1u << JOB_DELIVER;
	bool under_way = r->state == AIRLOCK_SCANNING || r->state == AIRLOCK_RELEASING;

	return request_now(r, now_us, under_way && job_alive(h, kinds, (struct id){0}, r->id, mono_us));
}

struct airlock_asker
asker_of(const struct call *c, const struct airlock_request *r)
{
	const struct study_entry *e = registry_study(registry_of(c->h), r->study);

	return (struct airlock_asker){
	    .id = c->who.person->id, .roles = c->who.person->roles, .in_study = e && study_has(&e->s, c->who.person->id)};
}

void
record_request(struct record *r, const struct airlock_request *q)
{
	record_id(r, RECORD_STUDY, q->study);
	record_id(r, RECORD_OBJECT, q->id);
	record_id(r, RECORD_OTHER, q->cell);
}

struct err
take_request(struct call *c, struct request_entry **ret, struct study_entry **ret_study)
{
	struct request_entry *e = governed_request(governed_of(c->h), doc_id(c->in, "request"));

	if (!e)
		return ERR(ERR_NOT_FOUND);
	TRY(take_study(c, e->r.study, ret_study));
	record_request(&c->record, &e->r);
	*ret = e;
	return OK;
}

struct err
take_usable(struct call *c, struct request_entry **ret, struct study_entry **ret_study)
{
	enum verdict_reason r;

	TRY(take_request(c, ret, ret_study));
	r = study_usable(c->h, &(*ret_study)->s, (struct id){0}, c->now_us);
	return r == REASON_NONE ? OK : call_refuse(c, r);
}

struct err
request_move(struct call *c, struct airlock_request *r, enum airlock_event event, unsigned as)
{
	enum airlock_state to;
	unsigned actors;

	if (!airlock_next(request_state(c->h, r, c->now_us, c->mono_us), event, &to, &actors) || !(actors & as))
		return call_refuse(c, REASON_STATE);
	r->state = to;
	r->moved_us = c->now_us;
	r->reason[0] = 0;
	return OK;
}

struct err
plan_request(struct call *c, const struct airlock_request *r)
{
	struct err e = request_write(r, call_row(c, STATE_AIRLOCK, r->id));

	return e.code == ERR_LIMIT ? call_invalid(c, "", "All of this together is too long.") : e;
}

/* ---- answers ---- */

static bool
describe_files(const struct airlock_request *r, json_t *j)
{
	json_t *list = json_array(), *o;
	bool good = doc_set(j, "files", list);

	for (size_t i = 0; good && i < r->n_files; i++) {
		const struct airlock_file *f = &r->files[i];

		good = add_member(list, &o) && doc_set_number(o, "n", (int64_t)i + 1) && doc_set_text(o, "name", f->name) &&
		    doc_set_number(o, "size", (int64_t)f->size) && doc_set_flag(o, "known", f->known) &&
		    (f->type.n == 0 || doc_set_text(o, "type", f->type)) && (!f->known || doc_set_digest(o, "sha256", f->sha256)) &&
		    doc_set(o, "findings", f->findings ? json_deep_copy(f->findings) : json_array());
	}
	return good;
}

static bool
describe_reviews(struct call *c, const struct airlock_request *r, enum airlock_state state, json_t *j)
{
	struct airlock_asker a = asker_of(c, r);
	json_t *list = json_array(), *o;
	bool good = doc_set(j, "reviews", list);

	for (size_t i = 0; good && i < AIRLOCK_REVIEWS; i++) {
		const struct airlock_review *v = &r->reviews[i];

		if (id_is_zero(v->who) || !request_shows(r, state, &a, i))
			continue;
		good = add_member(list, &o) && set_person(c->h, o, "who", v->who) &&
		    doc_set_text(o, "decision", str_c(airlock_decision_word(v->decision))) && doc_set_text(o, "comment", v->comment) &&
		    doc_set_time(o, "at", v->at_us);
	}
	return good;
}

bool
describe_request(struct call *c, const struct airlock_request *r, bool full, json_t *j)
{
	enum airlock_state state = request_state(c->h, r, c->now_us, c->mono_us);
	struct str reason = state == AIRLOCK_BLOCKED && r->state == AIRLOCK_SCANNING ? STR("interrupted") : str_c(r->reason);
	json_t *recipient = json_object();
	bool good = doc_set(j, "recipient", recipient) && doc_set_id(j, "id", r->id) && doc_set_id(j, "cell", r->cell) &&
	    doc_set_id(j, "study", r->study) && doc_set_text(j, "direction", r->in ? STR("in") : STR("out")) &&
	    set_person(c->h, j, "who", r->author) && doc_set_text(j, "state", str_c(airlock_state_word(state))) &&
	    (reason.n == 0 || doc_set_text(j, "reason", reason)) && doc_set_text(j, "purpose", r->purpose) &&
	    doc_set_text(recipient, "name", r->recipient) && doc_set_time(j, "created", r->created_us) &&
	    doc_set_time(j, "submitted", r->submitted_us) && doc_set_time(j, "decided", r->decided_us) &&
	    doc_set_time(j, "released", r->released_us) && (!r->has_digest || doc_set_digest(j, "digest", r->digest));

	if (!good || !full)
		return good && doc_set_number(j, "count", r->n_files) && doc_set_flag(j, "reviewed", request_has_review(r, c->who.person->id));
	return doc_set_id(j, "release", r->release) && doc_set_text(j, "context", r->context) && doc_set_text(recipient, "address", r->address) &&
	    doc_set_text(j, "period", r->period) && (id_is_zero(r->disclosure) || doc_set_id(j, "disclosure", r->disclosure)) &&
	    describe_files(r, j) && describe_reviews(c, r, state, j);
}
