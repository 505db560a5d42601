/* The verbs about studies: registering, changing, giving a basis, signing, closing. doc/studies.md. */
#include "base/clock.h"
#include "study/registry.h"

#define DAY_US (86400 * US_PER_S)
#define BASIS_DAYS_MAX (5 * 366) /* what holds longer than that is a slip of the pen */

/* ---- what a study is told ---- */

/* Somebody who may work in a study: a person of the house, now, with a role that works with data. */
static struct err
take_colleague(struct call *c, const char *field, const json_t *v, struct id *ret)
{
	const struct person *p = person_by_name(&c->h->people, str_c(json_string_value(v)));

	if (!p || p->revoked || p->service)
		return call_invalid(c, field, "There is nobody of this name, or no more.");
	if (!person_has(p, PERSON_RESEARCHER) && !person_has(p, PERSON_PRINCIPAL_INVESTIGATOR))
		return call_invalid(c, field, "People of a study are researchers or principal investigators.");
	*ret = p->id;
	return OK;
}

static struct err
take_people(struct call *c, struct study *s)
{
	const json_t *list = json_object_get(c->in, "people");

	if (!list)
		return OK;
	if (!json_is_array(list) || json_array_size(list) > LIMIT_STUDY_PEOPLE)
		return call_invalid(c, "people", "A list of at most 64 names.");
	s->n_people = 0;
	for (size_t i = 0; i < json_array_size(list); i++) {
		struct id id;

		TRY(take_colleague(c, "people", json_array_get(list, i), &id));
		if (!study_has(s, id)) /* named twice, or the investigator himself */
			s->people[s->n_people++] = id;
	}
	return OK;
}

static struct err
take_tables(struct call *c, struct study *s)
{
	const json_t *list = json_object_get(c->in, "tables");
	uint32_t tables = 0;

	if (!list)
		return OK;
	for (size_t i = 0; i < json_array_size(list); i++) {
		size_t t;

		if (err_is(study_table_parse(str_c(json_string_value(json_array_get(list, i))), &t)))
			return call_invalid(c, "tables", "Tables are person, visit, condition, drug, measurement, procedure, note and device.");
		tables |= 1u << t;
	}
	if (tables == 0)
		return call_invalid(c, "tables", "A study has at least one table.");
	s->tables = tables;
	return OK;
}

static struct err
take_fields(struct call *c, struct study *s, bool fresh)
{
	struct str profile = STR_NONE;
	const json_t *limits = json_object_get(c->in, "limits");

	TRY(take_text(c, "title", LIMIT_STUDY_TITLE, false, fresh, &s->title));
	TRY(take_text(c, "protocol", LIMIT_STUDY_PROTOCOL, false, fresh, &s->protocol));
	TRY(take_text(c, "description", LIMIT_STUDY_DESCRIPTION, true, false, &s->description));
	TRY(take_text(c, "cohort", LIMIT_STUDY_COHORT, true, fresh, &s->cohort));
	TRY(take_text(c, "sponsor", LIMIT_STUDY_CONTACT, true, false, &s->sponsor));
	TRY(take_text(c, "contact", LIMIT_STUDY_CONTACT, true, false, &s->contact));
	TRY(take_text(c, "profile", 32, false, false, &profile));
	if (s->title.n == 0 || s->protocol.n == 0 || s->cohort.n == 0)
		return call_invalid(c, "title", "Title, protocol and cohort must say something.");
	if (profile.p && err_is(study_profile_parse(profile, &s->profile)))
		return call_invalid(c, "profile", "A profile is safe-harbor or limited-data-set.");
	if (limits && (!json_is_object(limits) || err_is(cell_limits_read(limits, &s->limits))))
		return call_invalid(c, "limits", "Limits are memory_mib, cpus, processes, disk_mib and minutes, within reason.");
	TRY(take_people(c, s));
	return take_tables(c, s);
}

/* The answer of a change is what stands after it. */
static struct err
tell_study(struct call *c)
{
	const struct study_entry *e = registry_study(registry_of(c->h), c->subject);

	return e ? doc_done(describe_study(c, e, true, c->out)) : ERR(ERR_NOT_FOUND);
}

static struct err
plan_study(struct call *c, struct study *s)
{
	struct err e;

	TRY(study_rebind(s));
	record_digest(&c->record, RECORD_DIGEST, s->digest);
	c->subject = s->id;
	c->after = tell_study;
	e = study_write(s, call_row(c, STATE_STUDY, s->id));
	return e.code == ERR_LIMIT ? call_invalid(c, "", "All of this together is too long.") : e;
}

struct err
verb_study_add(struct call *c)
{
	struct study s = {.id = id_new(), .pi = c->who.person->id, .created_us = c->now_us, .tables = STUDY_TABLES_ALL, .limits = cell_limits_default()};

	record_id(&c->record, RECORD_STUDY, s.id);
	if (c->who.person->service)
		return call_denied(c, REASON_ROLE);
	TRY(take_fields(c, &s, true));
	TRY(plan_study(c, &s));
	return doc_done(doc_set_id(c->out, "study", s.id));
}

/* His study is handed on by the investigator; or, when he is no more, by a security officer. */
static struct err
take_pi(struct call *c, struct study *s)
{
	const json_t *v = json_object_get(c->in, "pi");
	const struct person *p;
	struct id id;

	if (!v)
		return OK;
	TRY(take_colleague(c, "pi", v, &id));
	p = person_by_id(&c->h->people, id);
	if (!person_has(p, PERSON_PRINCIPAL_INVESTIGATOR))
		return call_invalid(c, "pi", "This person is no principal investigator.");
	s->pi = id;
	return OK;
}

struct err
verb_study_set(struct call *c)
{
	struct study_entry *was;
	const struct person *pi;
	bool is_pi;
	struct study s;

	TRY(take_study(c, doc_id(c->in, "study"), &was));
	pi = person_by_id(&c->h->people, was->s.pi);
	is_pi = id_eq(was->s.pi, c->who.person->id) && call_has(c, PERSON_PRINCIPAL_INVESTIGATOR);
	if (!is_pi && !(call_has(c, PERSON_SECURITY_OFFICER) && (!pi || pi->revoked)))
		return call_refuse(c, study_has(&was->s, c->who.person->id) ? REASON_ROLE : REASON_NOT_IN_STUDY);
	if (was->s.closed_us != 0)
		return call_refuse(c, REASON_STUDY_CLOSED);
	s = was->s;
	TRY(take_pi(c, &s));
	if (is_pi)
		TRY(take_fields(c, &s, false));
	TRY(plan_study(c, &s));
	if (was->s.approved_us != 0 && s.approved_us == 0)
		record_word(&c->record, RECORD_RULE, STR("approval-cleared"));
	return OK;
}

/* ---- seeing ---- */

static bool
may_see(const struct call *c, const struct study *s)
{
	return study_has(s, c->who.person->id) || sees_all_studies(c);
}

static int
newest_first(const void *a, const void *b)
{
	const struct study_entry *x = *(const struct study_entry *const *)a, *y = *(const struct study_entry *const *)b;

	return x->s.created_us < y->s.created_us ? 1 : x->s.created_us > y->s.created_us ? -1 : memcmp(x->s.id.b, y->s.id.b, sizeof(x->s.id.b));
}

static bool
show_study(struct call *c, const void *one, json_t *j)
{
	return describe_study(c, one, false, j);
}

struct err
verb_study_list(struct call *c)
{
	const struct registry *r = registry_of(c->h);
	const struct study_entry **all = calloc(r->studies.n + 1, sizeof(*all)), *e;
	size_t at = 0, n = 0;
	struct err failed;

	if (!all)
		return ERR(ERR_NO_MEMORY);
	while ((e = map_next(&r->studies, &at)))
		if (may_see(c, &e->s))
			all[n++] = e;
	qsort(all, n, sizeof(*all), newest_first);
	failed = answer_list(c, "studies", (const void *const *)all, n, show_study);
	free(all);
	return failed;
}

struct err
verb_study_show(struct call *c)
{
	struct study_entry *e;

	TRY(take_study(c, doc_id(c->in, "study"), &e));
	if (!may_see(c, &e->s))
		return call_refuse(c, REASON_NOT_IN_STUDY);
	return doc_done(describe_study(c, e, true, c->out));
}

/* ---- basis ---- */

static struct err
take_basis(struct call *c, struct basis *b)
{
	struct str kind = STR_NONE, digest = STR_NONE;

	TRY(take_text(c, "kind", 64, false, true, &kind));
	TRY(take_text(c, "board", LIMIT_BASIS_TEXT, false, true, &b->board));
	TRY(take_text(c, "number", LIMIT_BASIS_TEXT, false, true, &b->number));
	TRY(take_text(c, "document_sha256", 64, false, true, &digest));
	TRY(take_text(c, "expires", 10, false, true, &b->expires));
	if (err_is(basis_kind_parse(kind, &b->kind)))
		return call_invalid(c, "kind",
		    "A basis is irb-approval, irb-waiver, authorization, limited-data-set-agreement or expert-determination.");
	if (err_is(hex_digest(digest, b->document)))
		return call_invalid(c, "document_sha256", "The SHA-256 of the signed document: 64 small hexadecimal digits.");
	if (err_is(basis_expiry(b->expires, &b->expires_us)) || b->expires_us <= c->now_us ||
	    b->expires_us > c->now_us + BASIS_DAYS_MAX * DAY_US)
		return call_invalid(c, "expires", "The last day on which it holds, as 2027-03-31; not past, and at most five years away.");
	return OK;
}

struct err
verb_study_basis(struct call *c)
{
	struct study_entry *was;
	struct study s;
	enum verdict_reason r;

	TRY(take_study(c, doc_id(c->in, "study"), &was));
	r = study_may_record_basis(&was->s, c->who.person->id);
	if (r != REASON_NONE)
		return call_refuse(c, r);
	s = was->s;
	s.basis = (struct basis){.id = id_new(), .recorded_by = c->who.person->id, .recorded_us = c->now_us};
	TRY(take_basis(c, &s.basis));
	record_id(&c->record, RECORD_BASIS, s.basis.id);
	record_word(&c->record, RECORD_RULE, str_c(basis_kind_word(s.basis.kind)));
	return plan_study(c, &s);
}

/* ---- signatures ---- */

static enum role_of_person
role_of(enum study_review r)
{
	static const enum role_of_person roles[REVIEW_COUNT] = {[REVIEW_IT] = PERSON_IT_REVIEWER,
	    [REVIEW_MANAGEMENT] = PERSON_MANAGEMENT_REVIEWER,
	    [REVIEW_RESEARCH] = PERSON_RESEARCH_REVIEWER,
	    [REVIEW_SECURITY] = PERSON_SECURITY_OFFICER};

	return roles[r];
}

/*
 * The family of keys that the study's data will be under, and the secret of its cells: in the same change as the approval. One that was destroyed
 * does not come back.
 */
static struct err
make_domain(struct call *c, struct study *s)
{
	struct domain d = {.id = id_new(), .created_us = c->now_us};
	const struct domain *there;

	study_bucket(s->id, d.name);
	there = domain_by_name(&c->h->domains, str_c(d.name));
	if (there && domain_is_destroyed(there))
		return call_refuse(c, REASON_DOMAIN_DESTROYED);
	if (!there)
		TRY(domain_write_next(&c->h->domains, &d, call_row(c, STATE_DOMAIN, d.id)));
	s->domain = there ? there->id : d.id; /* whoever made one of this name before has not got its keys */
	record_id(&c->record, RECORD_DOMAIN, s->domain);
	if (s->seed)
		return OK;
	s->seed = secret_alloc();
	if (!s->seed)
		return ERR(ERR_NO_MEMORY);
	secret_random(s->seed);
	return OK;
}

static struct err
approve(struct call *c, struct study *s)
{
	struct record *r;

	TRY(make_domain(c, s));
	r = call_record(c, "study.approved");
	record_id(r, RECORD_STUDY, s->id);
	record_id(r, RECORD_BASIS, s->basis.id);
	record_id(r, RECORD_DOMAIN, s->domain);
	record_digest(r, RECORD_DIGEST, s->digest);
	return OK;
}

static struct err
sign_and_plan(struct call *c, const struct study_entry *was, enum study_review review, bool refuse, struct str comment)
{
	struct study s = was->s;
	struct err e = OK;

	study_sign(&s, c->who.person->id, review, refuse, comment, c->now_us);
	if (review == REVIEW_SECURITY && !refuse)
		e = approve(c, &s);
	if (!err_is(e))
		e = plan_study(c, &s);
	if (s.seed != was->s.seed)
		secret_free(s.seed);
	return e;
}

struct err
verb_study_sign(struct call *c)
{
	struct str review = STR_NONE, decision = STR_NONE, comment = STR_NONE, digest = STR_NONE;
	struct study_people people = people_of(c->h);
	uint8_t bytes[SHA256_BYTES];
	struct study_entry *was;
	enum study_review r;
	enum verdict_reason why;

	TRY(take_study(c, doc_id(c->in, "study"), &was));
	TRY(take_text(c, "review", 16, false, true, &review));
	TRY(take_text(c, "decision", 16, false, true, &decision));
	TRY(take_text(c, "digest", 64, false, true, &digest));
	TRY(take_text(c, "comment", LIMIT_STUDY_COMMENT, true, false, &comment));
	if (err_is(study_review_parse(review, &r)))
		return call_invalid(c, "review", "A review is it, management, research or security.");
	if (!str_eq(decision, STR("sign")) && !str_eq(decision, STR("refuse")))
		return call_invalid(c, "decision", "A decision is sign or refuse.");
	if (err_is(hex_digest(digest, bytes)))
		return call_invalid(c, "digest", "The digest of the study that you read.");
	record_word(&c->record, RECORD_RULE, str_c(study_review_word(r)));
	record_digest(&c->record, RECORD_DIGEST, bytes);
	if (!call_has(c, role_of(r)))
		return call_denied(c, REASON_ROLE);
	why = study_may_sign(&was->s, c->who.person->id, r, bytes, c->now_us, &people);
	if (why != REASON_NONE)
		return call_refuse(c, why);
	if (str_eq(decision, STR("refuse")))
		record_word(&c->record, RECORD_ACT, STR("study.sign-refused"));
	return sign_and_plan(c, was, r, str_eq(decision, STR("refuse")), comment);
}

/* ---- the end ---- */

struct err
verb_study_close(struct call *c)
{
	struct study_entry *was;
	struct study s;

	TRY(take_study(c, doc_id(c->in, "study"), &was));
	if (!id_eq(was->s.pi, c->who.person->id) && !call_has(c, PERSON_SECURITY_OFFICER))
		return call_refuse(c, study_has(&was->s, c->who.person->id) ? REASON_ROLE : REASON_NOT_IN_STUDY);
	if (was->s.closed_us != 0)
		return call_refuse(c, REASON_STUDY_CLOSED);
	s = was->s;
	s.closed_us = c->now_us;
	return plan_study(c, &s);
}

struct err
study_destroyed(struct call *c, struct id domain)
{
	const struct registry *r = registry_of(c->h);
	const struct study_entry *e;
	size_t at = 0;

	while ((e = map_next(&r->studies, &at))) {
		struct study s = e->s;

		if (id_is_zero(s.domain) || !id_eq(s.domain, domain))
			continue;
		record_id(&c->record, RECORD_STUDY, s.id);
		s.seed = NULL; /* and with it the keys of its cells' volumes */
		if (s.closed_us == 0)
			s.closed_us = c->now_us;
		return study_write(&s, call_row(c, STATE_STUDY, s.id));
	}
	return OK;
}

/* How many patients would it be? An answer for planning: small numbers are not told. */
struct err
verb_study_count(struct call *c)
{
	struct study_entry *e;

	TRY(take_study(c, doc_id(c->in, "study"), &e));
	if (!study_has(&e->s, c->who.person->id))
		return call_refuse(c, REASON_NOT_IN_STUDY);
	if (e->s.closed_us != 0)
		return call_refuse(c, REASON_STUDY_CLOSED);
	call_job(c, &(struct job){.kind = JOB_COUNT, .study = e->s.id, .basis = e->s.basis.id});
	return OK;
}
