#include "airlock/governed.h"

#include "base/clock.h"

#define R(r) (1u << PERSON_##r)
#define P(r) (1u << ROLE_##r)
#define RESEARCH (R(PRINCIPAL_INVESTIGATOR) | R(RESEARCHER))
#define OFFICERS (R(SECURITY_OFFICER) | R(PRIVACY_OFFICER))
#define REVIEWERS (R(IT_REVIEWER) | R(MANAGEMENT_REVIEWER) | R(RESEARCH_REVIEWER))
#define WATCH (RESEARCH | OFFICERS | REVIEWERS | R(IRB_MEMBER) | R(AUDITOR) | R(OUTPUT_CHECKER))
#define REQUESTS (RESEARCH | OFFICERS | R(AUDITOR) | R(OUTPUT_CHECKER))

/* An administrator is in none of these rows. */
static const struct verb verbs[] = {
	{"study.add", verb_study_add, R(PRINCIPAL_INVESTIGATOR), 0, 0},
	{"study.set", verb_study_set, R(PRINCIPAL_INVESTIGATOR) | R(SECURITY_OFFICER), 0, 0},
	{"study.list", verb_study_list, WATCH, 0, 0},
	{"study.show", verb_study_show, WATCH, 0, 0},
	{"study.basis", verb_study_basis, R(IRB_MEMBER) | R(PRIVACY_OFFICER), 0, 0},
	{"study.sign", verb_study_sign, REVIEWERS | R(SECURITY_OFFICER), 0, 0},
	{"study.close", verb_study_close, R(PRINCIPAL_INVESTIGATOR) | R(SECURITY_OFFICER), 0, 0},
	{"study.count", verb_study_count, RESEARCH, 0, 0},
	{"release.make", verb_release_make, RESEARCH, 0, 0},
	{"release.list", verb_release_list, WATCH, 0, 0},
	{"release.show", verb_release_show, WATCH, 0, 0},
	{"cell.open", verb_cell_open, RESEARCH, 0, 0},
	{"cell.list", verb_cell_list, RESEARCH | OFFICERS | R(AUDITOR), 0, 0},
	{"cell.show", verb_cell_show, RESEARCH | OFFICERS | R(AUDITOR), 0, 0},
	{"cell.close", verb_cell_close, RESEARCH | R(SECURITY_OFFICER), VERB_WHEN_LOCKED, 0},
	{"cell.enter", verb_cell_enter, RESEARCH, 0, 0},
	{"cell.work", verb_cell_work, RESEARCH, 0, 0},
	{"cell.key", verb_cell_key, 0, 0, P(CELL)},
	{"cell.ticket", verb_cell_ticket, 0, 0, P(GATE)},
	{"cell.touch", verb_cell_touch, 0, VERB_NO_RECORD, P(GATE)},
	{"cell.refused", verb_cell_refused, 0, 0, P(GATE)},
	{"cell.expired", verb_cell_expired, 0, VERB_NO_RECORD | VERB_WHEN_LOCKED, P(STEWARD)},
	{"airlock.submit", verb_airlock_submit, RESEARCH, 0, 0},
	{"airlock.check", verb_airlock_check, RESEARCH, 0, 0},
	{"airlock.upload", verb_airlock_upload, RESEARCH, 0, 0},
	{"airlock.list", verb_airlock_list, REQUESTS, 0, 0},
	{"airlock.show", verb_airlock_show, REQUESTS, 0, 0},
	{"airlock.file", verb_airlock_file, RESEARCH | R(OUTPUT_CHECKER) | R(PRIVACY_OFFICER), 0, 0},
	{"airlock.review", verb_airlock_review, R(OUTPUT_CHECKER), 0, 0},
	{"airlock.consolidate", verb_airlock_consolidate, R(OUTPUT_CHECKER) | R(PRIVACY_OFFICER), 0, 0},
	{"airlock.release", verb_airlock_release, RESEARCH, 0, 0},
	{"airlock.withdraw", verb_airlock_withdraw, RESEARCH, 0, 0},
	{"airlock.recall", verb_airlock_recall, OFFICERS, VERB_WHEN_LOCKED, 0},
	{"disclosure.list", verb_disclosure_list, R(PRIVACY_OFFICER), 0, 0},
	{"subject.find", verb_subject_find, R(PRIVACY_OFFICER), 0, 0},
	{"subject.accesses", verb_subject_accesses, R(PRIVACY_OFFICER), 0, 0},
	{NULL, NULL, 0, 0, 0},
};

/* ---- rows ---- */

static struct str
key_of(const struct id *id)
{
	return str_of(id->b, sizeof(id->b));
}

struct request_entry *
governed_request(const struct governed *g, struct id id)
{
	return map_get(&g->requests, key_of(&id));
}

static struct err
put_request(struct governed *g, struct id id, struct str json)
{
	struct request_entry *e = governed_request(g, id);
	AUTO_DOC *doc = NULL;
	struct airlock_request r;

	if (err_is(doc_parse(json, &doc)))
		return ERR(ERR_CORRUPT);
	TRY(request_read(id, doc, &r));
	if (!e) {
		e = calloc(1, sizeof(*e));
		if (e)
			e->key = id;
		if (!e || err_is(map_put(&g->requests, key_of(&e->key), e))) {
			free(e);
			request_release(&r);
			return ERR(ERR_NO_MEMORY);
		}
	}
	request_release(&e->r);
	e->r = r;
	return OK;
}

static struct err
apply(void *state, enum state_kind kind, struct id id, struct str json)
{
	struct governed *g = state;

	if (kind == STATE_AIRLOCK)
		return put_request(g, id, json);
	if (kind == STATE_DISCLOSURE)
		return disclosure_put(g, id, json);
	return registry_apply(&g->study, kind, id, json);
}

static void
release(void *state)
{
	struct governed *g = state;
	struct request_entry *e;
	struct disclosure *d;
	size_t at = 0;

	while ((e = map_next(&g->requests, &at))) {
		request_release(&e->r);
		free(e);
	}
	at = 0;
	while ((d = map_next(&g->disclosures, &at))) {
		json_decref(d->doc);
		free(d);
	}
	map_release(&g->requests);
	map_release(&g->disclosures);
	registry_release(&g->study);
	free(g);
}

static struct err
init(void **ret)
{
	struct governed *g = calloc(1, sizeof(*g));
	struct err e = g ? registry_init(&g->study) : ERR(ERR_NO_MEMORY);

	if (err_is(e)) {
		free(g);
		return e;
	}
	*ret = g;
	return OK;
}

/* ---- jobs ---- */

/* What a request must be for a job about it to go on. */
static bool
request_fits(const struct house *h, const struct job *j, bool in_study, int64_t now_us)
{
	const struct request_entry *e = governed_request(governed_of(h), j->request);
	const struct person *p = person_by_id(&h->people, j->person);
	struct airlock_asker a = {.id = j->person, .roles = p ? p->roles : 0, .in_study = in_study};
	enum airlock_state to, state;
	unsigned actors;

	if (!e || !p)
		return false;
	state = request_now(&e->r, now_us, true);
	switch ((int)j->kind) {
	case JOB_COLLECT:
	case JOB_CHECK: return in_study && state == AIRLOCK_SCANNING;
	case JOB_VERIFY:
	case JOB_DELIVER: return in_study && state == AIRLOCK_RELEASING;
	case JOB_UPLOAD: return in_study && e->r.in && airlock_next(state, AIRLOCK_SUBMIT, &to, &actors);
	case JOB_VIEW: return request_may_view(&e->r, state, &a) == REASON_NONE;
	default: return false;
	}
}

/* Its cell must still be one that its owner may be in. */
static bool
cell_fits(const struct house *h, const struct job *j, int64_t now_us)
{
	const struct cell_row *cell = registry_cell(registry_of(h), j->cell);

	return cell && cell_holds(h, cell, now_us) == REASON_NONE;
}

static bool
holds(const void *state, const struct house *h, const struct job *j, int64_t now_us)
{
	const struct governed *g = state;
	const struct study_entry *e = registry_study(&g->study, j->study);
	const struct person *p = person_by_id(&h->people, j->person);
	bool in_study;

	if (j->kind == JOB_FIND)
		return p && !p->revoked && person_has(p, PERSON_PRIVACY_OFFICER);
	if (id_is_zero(j->study))
		return true;
	if (!e || !p || p->revoked)
		return false;
	in_study = study_has(&e->s, j->person);
	if (j->kind == JOB_COUNT)
		return in_study && e->s.closed_us == 0;
	if (study_usable(h, &e->s, (struct id){0}, now_us) != REASON_NONE)
		return false;
	switch ((int)j->kind) {
	case JOB_RELEASE: return in_study;
	case JOB_STAGE: return in_study && cell_fits(h, j, now_us);
	case JOB_COLLECT:
	case JOB_DELIVER: return cell_fits(h, j, now_us) && request_fits(h, j, in_study, now_us);
	default: return request_fits(h, j, in_study, now_us);
	}
}

static bool
describe_all(struct call *c, const struct job *j, json_t *out)
{
	const struct registry *r = registry_of(c->h);
	const struct study_entry *e = registry_study(r, j->study);
	const struct release_row *release = registry_release_row(r, j->release);
	const struct request_entry *q = governed_request(governed_of(c->h), j->request);
	json_t *study = json_object(), *o;
	bool good = e && doc_set(out, "study", study) && describe_study(c, e, true, study);

	if (good && release) {
		o = json_object();
		good = doc_set(out, "release", o) && describe_release(c, release, true, o);
	}
	if (good && q) {
		o = json_object();
		good = doc_set(out, "request", o) && describe_request(c, &q->r, true, o);
	}
	return good && (id_is_zero(j->cell) || doc_set_id(out, "cell", j->cell));
}

/* Pseudonyms come from the study's secret, which goes with its key domain: two studies' cannot be joined, and a destroyed one's are nobody's any more. */
static struct err
describe_key(const struct study *s, const struct job *j, json_t *out)
{
	uint8_t key[KEY_BYTES];
	bool good;

	if (j->kind != JOB_RELEASE && j->kind != JOB_COLLECT && j->kind != JOB_CHECK)
		return OK;
	TRY(study_key_for(s, "cloister study pseudonyms v1", s->id, key));
	good = doc_set_bytes(out, "study_key", key, sizeof(key));
	explicit_bzero(key, sizeof(key));
	return doc_done(good);
}

/* A release is compared with the one before it: which that is, the study knows. */
static struct err
describe(struct call *c, const struct job *j, json_t *out)
{
	const struct study_entry *e = registry_study(registry_of(c->h), j->study);
	const struct release_row *previous = e && j->kind == JOB_RELEASE ? registry_release_row(registry_of(c->h), e->newest_ready) : NULL;
	json_t *o;

	if (!e)
		return call_refuse(c, REASON_STATE);
	TRY(doc_done(describe_all(c, j, out)));
	TRY(describe_key(&e->s, j, out));
	if (!previous)
		return OK;
	o = json_object();
	return doc_done(doc_set(out, "previous", o) && describe_release(c, previous, false, o));
}

static struct err
ended(struct call *c, const struct job *j, const json_t *in, bool good)
{
	const json_t *inner = json_object_get(in, "result");
	const json_t *result = good && json_is_object(inner) ? inner : in;

	if (j->kind == JOB_RELEASE)
		return release_ended(c, j, result, good);
	return id_is_zero(j->request) ? OK : request_ended(c, j, result, good);
}

/* ---- figures ---- */

static struct err
figures(struct call *c, json_t *out)
{
	struct governed *g = governed_of(c->h);
	int64_t by_state[AIRLOCK_STATE_COUNT] = {0}, ready = 0, open = 0;
	const struct request_entry *e;
	const struct release_row *r;
	const struct cell_row *cell;
	json_t *airlock = json_object();
	size_t at = 0;
	bool good = doc_set(out, "airlock", airlock);

	while ((e = map_next(&g->requests, &at)))
		by_state[request_state(c->h, &e->r, c->now_us, c->mono_us)]++;
	at = 0;
	while ((r = map_next(&g->study.releases, &at)))
		ready += r->state == RELEASE_READY;
	at = 0;
	while ((cell = map_next(&g->study.cells, &at)))
		open += cell->closed_us == 0 && c->now_us < cell->expires_us;
	for (unsigned i = 0; good && i < AIRLOCK_STATE_COUNT; i++)
		if (by_state[i] > 0)
			good = doc_set_number(airlock, airlock_state_word((enum airlock_state)i), by_state[i]);
	return doc_done(good && doc_set_number(out, "studies", (int64_t)g->study.studies.n) && doc_set_number(out, "releases", ready) &&
	    doc_set_number(out, "cells", open));
}

const struct governance governance = {.verbs = verbs,
    .init = init,
    .release = release,
    .apply = apply,
    .describe = describe,
    .ended = ended,
    .holds = holds,
    .destroyed = study_destroyed,
    .figures = figures};
