/* study_describe: studies, releases and cells as the API shows them. */
#include "base/clock.h"
#include "study/registry.h"

static bool
describe_basis(const struct house *h, const struct basis *b, json_t *j)
{
	json_t *o;

	if (id_is_zero(b->id))
		return true;
	o = json_object();
	return doc_set(j, "basis", o) && doc_set_id(o, "id", b->id) && doc_set_text(o, "kind", str_c(basis_kind_word(b->kind))) &&
	    doc_set_text(o, "board", b->board) && doc_set_text(o, "number", b->number) && doc_set_digest(o, "document_sha256", b->document) &&
	    doc_set_text(o, "expires", b->expires) && set_person(h, o, "recorded_by", b->recorded_by) &&
	    doc_set_time(o, "recorded", b->recorded_us);
}

static bool
describe_signatures(const struct house *h, const struct study *s, bool full, json_t *j)
{
	json_t *list = json_array(), *o;
	bool good = doc_set(j, "signatures", list);

	for (unsigned i = 0; good && i < REVIEW_COUNT; i++) {
		const struct signature *g = &s->signatures[i];

		if (id_is_zero(g->who))
			continue;
		good = add_member(list, &o) && doc_set_text(o, "review", str_c(study_review_word((enum study_review)i))) &&
		    set_person(h, o, "who", g->who) && doc_set_text(o, "decision", g->refused ? STR("refuse") : STR("sign")) &&
		    doc_set_time(o, "at", g->at_us) && doc_set_digest(o, "digest", g->digest);
		if (good && full && g->comment.n > 0)
			good = doc_set_text(o, "comment", g->comment);
	}
	return good;
}

static bool
describe_missing(struct call *c, const struct study *s, json_t *j)
{
	struct study_people people = people_of(c->h);
	const char *words[STUDY_MISSING_MAX];
	size_t n = study_missing(s, c->now_us, &people, words);
	json_t *list = json_array();
	bool good = doc_set(j, "missing", list);

	for (size_t i = 0; good && i < n; i++)
		good = doc_add_text(list, str_c(words[i]));
	return good;
}

static bool
describe_lists(const struct house *h, const struct study *s, json_t *j)
{
	json_t *people = json_array(), *tables = json_array();
	bool good = doc_set(j, "people", people) && doc_set(j, "tables", tables);

	for (size_t i = 0; good && i < s->n_people; i++) {
		const struct person *p = person_by_id(&h->people, s->people[i]);

		good = !p || doc_add_text(people, str_c(p->name));
	}
	for (size_t i = 0; good && i < STUDY_TABLE_COUNT; i++)
		if (s->tables >> i & 1)
			good = doc_add_text(tables, str_c(study_table_word(i)));
	return good;
}

bool
describe_study(struct call *c, const struct study_entry *e, bool full, json_t *j)
{
	const struct study *s = &e->s;
	bool good = doc_set_id(j, "id", s->id) && doc_set_text(j, "title", s->title) && doc_set_text(j, "protocol", s->protocol) &&
	    doc_set_text(j, "profile", str_c(study_profile_word(s->profile))) &&
	    doc_set_text(j, "state", str_c(study_state_word(study_state(s)))) &&
	    doc_set_flag(j, "valid", study_usable(c->h, s, (struct id){0}, c->now_us) == REASON_NONE) && set_person(c->h, j, "pi", s->pi) &&
	    describe_lists(c->h, s, j) && describe_basis(c->h, &s->basis, j) && describe_signatures(c->h, s, full, j) &&
	    describe_missing(c, s, j) && doc_set_digest(j, "digest", s->digest) && doc_set_time(j, "created", s->created_us) &&
	    doc_set_time(j, "approved", s->approved_us) && doc_set_time(j, "closed", s->closed_us) &&
	    doc_set_number(j, "releases", e->releases) && doc_set_flag(j, "offer", c->h->pool.watermark > e->newest_pool);

	if (!good || !full)
		return good;
	return doc_set_text(j, "description", s->description) && doc_set_text(j, "cohort", s->cohort) && doc_set_text(j, "sponsor", s->sponsor) &&
	    doc_set_text(j, "contact", s->contact) && doc_set(j, "limits", cell_limits_doc(&s->limits));
}

/* Members of the row as they are: they were checked when they came. */
static bool
copy_members(const json_t *from, const char *const *names, size_t n, json_t *to)
{
	for (size_t i = 0; i < n; i++) {
		json_t *v = json_object_get(from, names[i]);

		if (v && json_object_set_new(to, names[i], json_deep_copy(v)) != 0)
			return false;
	}
	return true;
}

bool
describe_release(struct call *c, const struct release_row *r, bool full, json_t *j)
{
	static const char *const brief[] = {"patients", "rows", "files", "manifest_sha256", "profile", "reason"},
				 *const rest[] = {"manifest", "difference"};
	enum release_state state = release_now(c->h, r, c->mono_us);
	bool good = doc_set_id(j, "id", r->id) && doc_set_id(j, "study", r->study) && doc_set_number(j, "version", r->version) &&
	    doc_set_text(j, "state", str_c(release_state_word(state))) && doc_set_time(j, "made", r->made_us) &&
	    set_person(c->h, j, "made_by", r->made_by) && doc_set_number(j, "pool", (int64_t)r->pool) &&
	    copy_members(r->doc, brief, ARRAY_LEN(brief), j);

	if (good && state == RELEASE_REFUSED && r->state == RELEASE_MAKING)
		good = doc_set_text(j, "reason", STR("interrupted"));
	return good && (!full || copy_members(r->doc, rest, ARRAY_LEN(rest), j));
}

bool
describe_cell(struct call *c, const struct cell_row *r, json_t *j)
{
	bool good = doc_set_id(j, "id", r->id) && doc_set_id(j, "study", r->study) && doc_set_id(j, "release", r->release) &&
	    set_person(c->h, j, "who", r->who) && doc_set_text(j, "state", r->closed_us ? STR("closed") : STR("open")) &&
	    doc_set_flag(j, "usable", cell_holds(c->h, r, c->now_us) == REASON_NONE) && doc_set_time(j, "opened", r->opened_us) &&
	    doc_set_time(j, "closed", r->closed_us) && doc_set_time(j, "expires", r->expires_us) &&
	    doc_set(j, "limits", cell_limits_doc(&r->limits));
	struct str reason = doc_text(r->doc, "reason");

	return good && (reason.n == 0 || doc_set_text(j, "reason", reason));
}
