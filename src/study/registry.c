#include "study/registry.h"

#include "base/clock.h"
#include "base/num.h"

static struct str
key_of(const struct id *id)
{
	return str_of(id->b, sizeof(id->b));
}

/* ---- rows ---- */

static struct err
put_study(struct registry *r, struct id id, json_t *doc)
{
	struct study_entry *e = registry_study(r, id);
	struct study s;
	struct err failed;

	TRY(study_read(id, doc, &s));
	if (e) {
		study_release(&e->s);
		e->s = s;
		return OK;
	}
	e = calloc(1, sizeof(*e));
	failed = e ? OK : ERR(ERR_NO_MEMORY);
	if (e) {
		e->s = s;
		e->key = id;
		failed = map_put(&r->studies, key_of(&e->key), e);
	}
	if (err_is(failed)) {
		study_release(&s);
		free(e);
	}
	return failed;
}

static struct err
read_release(struct id id, const json_t *doc, struct release_row *r)
{
	struct str state = doc_text(doc, "state");
	int64_t version = doc_number(doc, "version");

	*r = (struct release_row){.id = id,
	    .study = doc_id(doc, "study"),
	    .basis = doc_id(doc, "basis"),
	    .made_by = doc_id(doc, "made_by"),
	    .version = (uint32_t)version,
	    .made_us = doc_number(doc, "made_us"),
	    .pool = (uint64_t)doc_number(doc, "pool")};
	if (version < 1 || version > UINT32_MAX || id_is_zero(r->study))
		return ERR(ERR_CORRUPT);
	for (unsigned s = RELEASE_MAKING; s <= RELEASE_REFUSED; s++) {
		if (str_eq(state, str_c(release_state_word((enum release_state)s)))) {
			r->state = (enum release_state)s;
			return OK;
		}
	}
	return ERR(ERR_CORRUPT);
}

/* The study knows its newest, so that nobody searches for it. */
static void
count_release(struct study_entry *e, const struct release_row *r, bool fresh)
{
	if (fresh)
		e->releases++;
	if (r->version > e->newest_version)
		e->newest_version = r->version;
	if (r->state == RELEASE_READY && r->pool >= e->newest_pool) {
		e->newest_pool = r->pool;
		e->newest_ready = r->id;
	}
}

static struct err
put_release(struct registry *all, struct id id, json_t *doc)
{
	struct release_row next, *r = registry_release_row(all, id);
	struct study_entry *e;
	bool fresh = !r;

	TRY(read_release(id, doc, &next));
	e = registry_study(all, next.study);
	if (!e)
		return ERR(ERR_CORRUPT);
	if (fresh) {
		r = calloc(1, sizeof(*r));
		if (!r)
			return ERR(ERR_NO_MEMORY);
		r->id = id;
		if (err_is(map_put(&all->releases, key_of(&r->id), r))) {
			free(r);
			return ERR(ERR_NO_MEMORY);
		}
	}
	json_decref(r->doc);
	*r = next;
	r->doc = json_incref(doc);
	count_release(e, r, fresh);
	return OK;
}

static struct err
put_cell(struct registry *all, struct id id, json_t *doc)
{
	struct cell_row *c = registry_cell(all, id);
	struct cell_row next = {.id = id,
	    .study = doc_id(doc, "study"),
	    .release = doc_id(doc, "release"),
	    .who = doc_id(doc, "who"),
	    .opened_us = doc_number(doc, "opened_us"),
	    .closed_us = doc_number(doc, "closed_us"),
	    .expires_us = doc_number(doc, "expires_us"),
	    .limits = cell_limits_default()};

	if (err_is(cell_limits_read(json_object_get(doc, "limits"), &next.limits)) || !registry_study(all, next.study))
		return ERR(ERR_CORRUPT);
	if (!c) {
		c = calloc(1, sizeof(*c));
		if (!c)
			return ERR(ERR_NO_MEMORY);
		c->id = id;
		if (err_is(map_put(&all->cells, key_of(&c->id), c))) {
			free(c);
			return ERR(ERR_NO_MEMORY);
		}
	}
	json_decref(c->doc);
	*c = next;
	c->doc = json_incref(doc);
	return OK;
}

struct err
registry_apply(struct registry *r, enum state_kind kind, struct id id, struct str json)
{
	AUTO_DOC *doc = NULL;

	if (err_is(doc_parse(json, &doc)))
		return ERR(ERR_CORRUPT);
	switch ((int)kind) {
	case STATE_STUDY: return put_study(r, id, doc);
	case STATE_RELEASE: return put_release(r, id, doc);
	case STATE_CELL: return put_cell(r, id, doc);
	default: return ERR(ERR_CORRUPT);
	}
}

struct study_entry *
registry_study(const struct registry *r, struct id id)
{
	return map_get(&r->studies, key_of(&id));
}

struct release_row *
registry_release_row(const struct registry *r, struct id id)
{
	return map_get(&r->releases, key_of(&id));
}

struct cell_row *
registry_cell(const struct registry *r, struct id id)
{
	return map_get(&r->cells, key_of(&id));
}

/* ---- life ---- */

struct err
registry_init(struct registry *r)
{
	/* after the jail is shut: without a JIT */
	return names_rules_new_interpreted(&r->names);
}

void
registry_release(struct registry *r)
{
	struct study_entry *e;
	struct release_row *rel;
	struct cell_row *c;
	size_t at = 0;

	while ((e = map_next(&r->studies, &at))) {
		study_release(&e->s);
		free(e);
	}
	at = 0;
	while ((rel = map_next(&r->releases, &at))) {
		json_decref(rel->doc);
		free(rel);
	}
	at = 0;
	while ((c = map_next(&r->cells, &at))) {
		json_decref(c->doc);
		free(c);
	}
	map_release(&r->studies);
	map_release(&r->releases);
	map_release(&r->cells);
	names_rules_free(r->names);
	explicit_bzero(r, sizeof(*r));
}

/* ---- what holds now ---- */

static bool
is_active(const void *ctx, struct id person)
{
	const struct house *h = ctx;
	const struct person *p = person_by_id(&h->people, person);

	return p && !p->revoked;
}

struct study_people
people_of(const struct house *h)
{
	return (struct study_people){h, is_active};
}

enum verdict_reason
study_usable(const struct house *h, const struct study *s, struct id person, int64_t now_us)
{
	struct study_people people = people_of(h);
	const struct domain *d = domain_by_id(&h->domains, s->domain);
	enum verdict_reason r;

	if (!id_is_zero(person) && !study_has(s, person))
		return REASON_NOT_IN_STUDY;
	r = study_valid(s, now_us, &people);
	if (r != REASON_NONE)
		return r;
	if (!id_is_zero(person) && !is_active(h, person))
		return REASON_NOT_IN_STUDY;
	return !d || domain_is_destroyed(d) ? REASON_DOMAIN_DESTROYED : REASON_NONE;
}

bool
job_alive(struct house *h, uint32_t kinds, struct id release, struct id request, int64_t mono_us)
{
	const struct job *j;
	size_t at = 0;

	while ((j = map_next(&h->jobs.by_id, &at))) {
		if (!(kinds >> j->kind & 1) || !job_lives(j) || (!id_is_zero(release) && !id_eq(release, j->release)) ||
		    (!id_is_zero(request) && !id_eq(request, j->request)))
			continue;
		if (mono_us - j->used_us <= JOB_S * US_PER_S)
			return true;
	}
	return false;
}

enum release_state
release_now(struct house *h, const struct release_row *r, int64_t mono_us)
{
	if (r->state == RELEASE_MAKING && !job_alive(h, 1u << JOB_RELEASE, r->id, (struct id){0}, mono_us))
		return RELEASE_REFUSED;
	return r->state;
}

enum verdict_reason
cell_holds(const struct house *h, const struct cell_row *c, int64_t now_us)
{
	const struct study_entry *e = registry_study(registry_of(h), c->study);

	if (!e || c->closed_us != 0 || now_us >= c->expires_us)
		return REASON_STATE;
	return study_usable(h, &e->s, c->who, now_us);
}

struct err
study_key_for(const struct study *s, const char *what, struct id id, uint8_t out[KEY_BYTES])
{
	AUTO_BUF info = BUF(128);

	if (!s->seed)
		return ERR(ERR_EXPIRED);
	buf_put_c(&info, what);
	buf_put_id(&info, id);
	kdf_expand(s->seed, buf_str(&info), out, KEY_BYTES);
	return OK;
}

/* ---- for the verbs ---- */

static const char *
sentence(enum verdict_reason r)
{
	switch ((int)r) {
	case REASON_NOT_IN_STUDY: return "You are not one of the people of this study.";
	case REASON_STUDY_NOT_APPROVED: return "This study is not approved.";
	case REASON_STUDY_CLOSED: return "This study is closed.";
	case REASON_BASIS_MISSING: return "This study has no basis yet.";
	case REASON_BASIS_EXPIRED: return "The basis of this study has expired.";
	case REASON_SIGNATURE_MISSING: return "IT, management and research review must all have signed before.";
	case REASON_SIGNED_ALREADY: return "Nobody signs or reviews the same thing twice.";
	case REASON_REFUSED: return "A review was refused: the study must change first.";
	case REASON_OWN_REQUEST: return "Nobody decides about his own study or request.";
	case REASON_STATE: return "In the state that this is in, that cannot be done.";
	case REASON_DIGEST: return "What you decided about is not what is there now: look again.";
	case REASON_DOMAIN_DESTROYED: return "The keys of this study were destroyed.";
	default: return NULL;
	}
}

struct err
call_refuse(struct call *c, enum verdict_reason r)
{
	c->message = sentence(r);
	c->field = "";
	return call_denied(c, r);
}

struct err
take_study(struct call *c, struct id id, struct study_entry **ret)
{
	struct study_entry *e = registry_study(registry_of(c->h), id);

	if (!e)
		return ERR(ERR_NOT_FOUND);
	record_id(&c->record, RECORD_STUDY, e->s.id);
	record_id(&c->record, RECORD_BASIS, e->s.basis.id);
	*ret = e;
	return OK;
}

struct err
use_study(struct call *c, struct id id, struct study_entry **ret)
{
	enum verdict_reason r;

	TRY(take_study(c, id, ret));
	r = study_usable(c->h, &(*ret)->s, c->who.person->id, c->now_us);
	return r == REASON_NONE ? OK : call_refuse(c, r);
}

bool
sees_all_studies(const struct call *c)
{
	const uint32_t roles = 1u << PERSON_SECURITY_OFFICER | 1u << PERSON_PRIVACY_OFFICER | 1u << PERSON_AUDITOR |
	    1u << PERSON_OUTPUT_CHECKER | 1u << PERSON_IT_REVIEWER | 1u << PERSON_MANAGEMENT_REVIEWER | 1u << PERSON_RESEARCH_REVIEWER |
	    1u << PERSON_IRB_MEMBER;

	return c->who.person && c->who.person->roles & roles;
}

struct err
take_text(struct call *c, const char *name, size_t max, bool lines, bool needed, struct str *ret)
{
	const json_t *v = json_object_get(c->in, name);
	struct str s = doc_text(c->in, name);

	if (!v)
		return needed ? call_invalid(c, name, "This must be given.") : OK;
	if (!json_is_string(v) || (needed && s.n == 0))
		return call_invalid(c, name, "This must be a text.");
	if (!text_is_good(s, max, lines))
		return call_invalid(c, name, "This text is too long, or has characters that cannot be printed.");
	*ret = s;
	return OK;
}

struct err
take_number(struct call *c, const char *name, uint64_t max, uint64_t *ret)
{
	const json_t *v = json_object_get(c->in, name);

	if (json_is_integer(v) && json_integer_value(v) >= 0 && (uint64_t)json_integer_value(v) <= max) {
		*ret = (uint64_t)json_integer_value(v);
		return OK;
	}
	if (!json_is_string(v) || err_is(num_parse_u64(doc_text(c->in, name), max, ret)))
		return call_invalid(c, name, "This must be a number within its limit.");
	return OK;
}

bool
name_carries_nothing(const struct call *c, struct str s)
{
	enum names_rule rule;

	return !err_is(names_check(registry_of(c->h)->names, s, 0, &rule));
}

bool
set_person(const struct house *h, json_t *j, const char *name, struct id id)
{
	const struct person *p = person_by_id(&h->people, id);

	return !p || doc_set_text(j, name, str_c(p->name));
}

bool
add_member(json_t *list, json_t **ret)
{
	json_t *o = json_object();

	*ret = o;
	return o && json_array_append_new(list, o) == 0;
}

struct err
answer_list(struct call *c, const char *name, const void *const *all, size_t n, bool (*show)(struct call *c, const void *one, json_t *j))
{
	struct id after = doc_id(c->in, "after");
	bool begun = id_is_zero(after);
	json_t *list = json_array();
	size_t bytes = 0;

	TRY(doc_done(doc_set(c->out, name, list)));
	for (size_t i = 0; i < n; i++) {
		AUTO_DOC *o = json_object();

		if (!o || !show(c, all[i], o))
			return ERR(ERR_NO_MEMORY);
		if (!begun) {
			begun = id_eq(doc_id(o, "id"), after);
			continue;
		}
		bytes += json_dumpb(o, NULL, 0, JSON_COMPACT) + 1;
		if (json_array_size(list) == LIMIT_LIST || (bytes > LIST_BYTES_MAX && json_array_size(list) > 0))
			return doc_done(doc_set_flag(c->out, "more", true));
		if (json_array_append(list, o) != 0)
			return ERR(ERR_NO_MEMORY);
	}
	return OK;
}
