/* The verbs with which people ask for something to leave or enter a cell. doc/airlock.md. */
#include "airlock/governed.h"
#include "base/clock.h"

/* ---- a new request ---- */

static struct err
take_name(struct call *c, struct str name, struct airlock_request *r)
{
	struct airlock_file *f;

	if (!file_name_is_good(name))
		return call_invalid(c, "files", "A file's name is a path below the home folder, of printable text.");
	if (!name_carries_nothing(c, name))
		return call_invalid(c, "files", "A file's name looks like an identifier of a person: rename it.");
	for (size_t i = 0; i < r->n_files; i++)
		if (str_eq(r->files[i].name, name))
			return call_invalid(c, "files", "A file is named twice.");
	f = &r->files[r->n_files++];
	*f = (struct airlock_file){.name = name};
	return OK;
}

/* Out: names. In: what is going to come, so that nothing else can. */
static struct err
take_files(struct call *c, struct airlock_request *r)
{
	const json_t *list = json_object_get(c->in, "files");
	size_t n = json_array_size(list);

	if (n < 1 || n > LIMIT_AIRLOCK_FILES)
		return call_invalid(c, "files", "A list of 1 to 32 files.");
	for (size_t i = 0; i < n; i++) {
		const json_t *v = json_array_get(list, i);
		struct airlock_file *f = &r->files[i];

		if (!r->in) {
			TRY(take_name(c, str_c(json_string_value(v)), r));
			continue;
		}
		TRY(take_name(c, doc_text(v, "name"), r));
		if (doc_number(v, "size") < 1 || doc_number(v, "size") > (int64_t)LIMIT_AIRLOCK_FILE_BYTES ||
		    err_is(hex_digest(doc_text(v, "sha256"), f->sha256)))
			return call_invalid(c, "files", "A file that comes in is announced by name, size (up to 512 MiB) and SHA-256.");
		f->size = (uint64_t)doc_number(v, "size");
	}
	return OK;
}

static struct err
take_recipient(struct call *c, struct airlock_request *r)
{
	const json_t *in = c->in, *recipient = json_object_get(c->in, "recipient");
	struct err e;

	if (!recipient && r->in)
		return OK;
	if (!json_is_object(recipient))
		return call_invalid(c, "recipient", "Who gets it: name and address.");
	c->in = recipient;
	e = take_text(c, "name", LIMIT_AIRLOCK_RECIPIENT, false, !r->in, &r->recipient);
	if (!err_is(e))
		e = take_text(c, "address", LIMIT_AIRLOCK_ADDRESS, true, !r->in, &r->address);
	c->in = in;
	return e;
}

static struct err
take_cell_of(struct call *c, struct airlock_request *r, struct study_entry **ret)
{
	const struct cell_row *cell = registry_cell(registry_of(c->h), doc_id(c->in, "cell"));
	enum verdict_reason why;

	if (!cell)
		return ERR(ERR_NOT_FOUND);
	r->cell = cell->id;
	r->study = cell->study;
	r->release = cell->release;
	TRY(take_study(c, cell->study, ret));
	r->basis = (*ret)->s.basis.id;
	record_request(&c->record, r);
	if (!id_eq(cell->who, c->who.person->id))
		return call_refuse(c, REASON_NOT_IN_STUDY);
	why = cell_holds(c->h, cell, c->now_us);
	return why == REASON_NONE ? OK : call_refuse(c, why);
}

static void
start(struct call *c, const struct airlock_request *r, enum job_kind kind, uint64_t file)
{
	const struct study_entry *e = registry_study(registry_of(c->h), r->study);

	call_job(c,
	    &(struct job){.kind = kind,
		.study = r->study,
		.basis = e ? e->s.basis.id : r->basis,
		.release = r->release,
		.cell = r->cell,
		.request = r->id,
		.file = file});
}

struct err
verb_airlock_submit(struct call *c)
{
	struct airlock_request r = {.id = id_new(),
	    .author = c->who.person->id,
	    .created_us = c->now_us,
	    .moved_us = c->now_us,
	    .state = AIRLOCK_DRAFT};
	struct str direction = STR_NONE;
	struct study_entry *e;

	TRY(take_cell_of(c, &r, &e));
	TRY(take_text(c, "direction", 8, false, true, &direction));
	r.in = str_eq(direction, STR("in"));
	if (!r.in && !str_eq(direction, STR("out")))
		return call_invalid(c, "direction", "A direction is in or out.");
	TRY(take_text(c, "context", LIMIT_AIRLOCK_CONTEXT, true, true, &r.context));
	TRY(take_text(c, "purpose", LIMIT_AIRLOCK_PURPOSE, true, true, &r.purpose));
	TRY(take_text(c, "period", LIMIT_AIRLOCK_PERIOD, false, false, &r.period));
	TRY(take_recipient(c, &r));
	TRY(take_files(c, &r));
	record_word(&c->record, RECORD_RULE, direction);
	record_number(&c->record, RECORD_COUNT, r.n_files);
	if (!r.in) {
		TRY(request_move(c, &r, AIRLOCK_SUBMIT, BY_AUTHOR));
		r.submitted_us = c->now_us;
		start(c, &r, JOB_COLLECT, 0);
	}
	TRY(doc_done(doc_set_id(c->out, "request", r.id)));
	return plan_request(c, &r);
}

/* ---- its bytes ---- */

static struct err
own_request(struct call *c, struct request_entry **ret)
{
	struct study_entry *e;

	TRY(take_usable(c, ret, &e));
	if (!id_eq((*ret)->r.author, c->who.person->id))
		return call_refuse(c, REASON_NOT_IN_STUDY);
	return study_has(&e->s, c->who.person->id) ? OK : call_refuse(c, REASON_NOT_IN_STUDY);
}

static struct err
take_file_number(struct call *c, const struct airlock_request *r, uint64_t *ret)
{
	TRY(take_number(c, "n", LIMIT_AIRLOCK_FILES, ret));
	if (*ret < 1 || *ret > r->n_files)
		return ERR(ERR_NOT_FOUND);
	record_number(&c->record, RECORD_PART, *ret);
	return OK;
}

/* May the bytes of an import be put now? Its state says whether it may still be submitted. */
static bool
may_change(struct call *c, const struct airlock_request *r)
{
	enum airlock_state to;
	unsigned actors;

	return airlock_next(request_state(c->h, r, c->now_us, c->mono_us), AIRLOCK_SUBMIT, &to, &actors);
}

struct err
verb_airlock_upload(struct call *c)
{
	struct request_entry *e;
	uint64_t n;

	TRY(own_request(c, &e));
	TRY(take_file_number(c, &e->r, &n));
	if (!e->r.in || !may_change(c, &e->r))
		return call_refuse(c, REASON_STATE);
	start(c, &e->r, JOB_UPLOAD, n);
	return doc_done(doc_set_number(c->out, "size", (int64_t)e->r.files[n - 1].size) &&
	    doc_set_digest(c->out, "sha256", e->r.files[n - 1].sha256));
}

/* What is read anew may be other bytes: whatever was decided before is void. */
struct err
verb_airlock_check(struct call *c)
{
	const struct cell_row *cell;
	struct request_entry *e;
	struct airlock_request r;

	TRY(own_request(c, &e));
	r = e->r;
	TRY(request_move(c, &r, AIRLOCK_SUBMIT, BY_AUTHOR));
	cell = registry_cell(registry_of(c->h), r.cell);
	if (!r.in && (!cell || cell_holds(c->h, cell, c->now_us) != REASON_NONE))
		return call_conflict(c, "cell", "The cell is closed: what should leave cannot be read any more.");
	for (size_t i = 0; i < r.n_files; i++) {
		if (r.in && !r.files[i].known)
			return call_conflict(c, "files", "Not all announced files have come yet.");
		if (!r.in)
			r.files[i].known = false;
		r.files[i].findings = NULL;
	}
	request_void(&r);
	r.submitted_us = c->now_us;
	start(c, &r, r.in ? JOB_CHECK : JOB_COLLECT, 0);
	return plan_request(c, &r);
}

/* ---- seeing ---- */

static bool
may_know(const struct call *c, const struct airlock_request *r)
{
	const struct airlock_asker a = asker_of(c, r);

	return a.in_study || id_eq(r->author, a.id) || call_has(c, PERSON_OUTPUT_CHECKER) || call_has(c, PERSON_PRIVACY_OFFICER) ||
	    call_has(c, PERSON_SECURITY_OFFICER) || call_has(c, PERSON_AUDITOR);
}

static int
newest_first(const void *a, const void *b)
{
	const struct airlock_request *x = *(const struct airlock_request *const *)a, *y = *(const struct airlock_request *const *)b;

	return x->created_us < y->created_us ? 1 : x->created_us > y->created_us ? -1 : memcmp(x->id.b, y->id.b, sizeof(x->id.b));
}

static bool
show_request(struct call *c, const void *one, json_t *j)
{
	return describe_request(c, one, false, j);
}

struct err
verb_airlock_list(struct call *c)
{
	struct governed *g = governed_of(c->h);
	const struct airlock_request **all = calloc(g->requests.n + 1, sizeof(*all));
	struct str state = doc_text(c->in, "state");
	const struct request_entry *e;
	size_t at = 0, n = 0;
	struct err failed;

	if (!all)
		return ERR(ERR_NO_MEMORY);
	while ((e = map_next(&g->requests, &at)))
		if (may_know(c, &e->r) && (state.n == 0 ||
		    str_eq(state, str_c(airlock_state_word(request_state(c->h, &e->r, c->now_us, c->mono_us))))))
			all[n++] = &e->r;
	qsort(all, n, sizeof(*all), newest_first);
	failed = answer_list(c, "requests", (const void *const *)all, n, show_request);
	free(all);
	return failed;
}

struct err
verb_airlock_show(struct call *c)
{
	struct request_entry *e;
	struct study_entry *s;

	TRY(take_request(c, &e, &s));
	if (!may_know(c, &e->r))
		return call_refuse(c, REASON_NOT_IN_STUDY);
	return doc_done(describe_request(c, &e->r, true, c->out));
}

enum verdict_reason
request_may_view(const struct airlock_request *r, enum airlock_state state, const struct airlock_asker *a)
{
	bool checker = a->roles >> PERSON_OUTPUT_CHECKER & 1u, officer = a->roles >> PERSON_PRIVACY_OFFICER & 1u;

	if (a->roles >> PERSON_ADMINISTRATOR & 1u)
		return REASON_ROLE;
	if (a->in_study || id_eq(r->author, a->id))
		return state == AIRLOCK_RELEASED ? REASON_NONE : REASON_STATE;
	if (!checker && !officer)
		return REASON_NOT_IN_STUDY;
	if (state == AIRLOCK_CONSOLIDATING || (state == AIRLOCK_REVIEW && checker))
		return REASON_NONE;
	return REASON_STATE;
}

struct err
verb_airlock_file(struct call *c)
{
	struct airlock_asker a;
	struct request_entry *e;
	struct study_entry *s;
	enum verdict_reason why;
	uint64_t n;

	TRY(take_usable(c, &e, &s));
	TRY(take_file_number(c, &e->r, &n));
	a = asker_of(c, &e->r);
	record_word(&c->record, RECORD_ACT, a.in_study ? STR("airlock.download") : STR("airlock.view"));
	why = request_may_view(&e->r, request_state(c->h, &e->r, c->now_us, c->mono_us), &a);
	if (why != REASON_NONE)
		return call_refuse(c, why);
	if (!e->r.files[n - 1].known)
		return ERR(ERR_NOT_FOUND);
	record_digest(&c->record, RECORD_DIGEST, e->r.files[n - 1].sha256);
	start(c, &e->r, JOB_VIEW, n);
	return doc_done(doc_set_text(c->out, "name", e->r.files[n - 1].name) && doc_set_number(c->out, "size", (int64_t)e->r.files[n - 1].size) &&
	    doc_set_text(c->out, "type", e->r.files[n - 1].type) && doc_set_digest(c->out, "sha256", e->r.files[n - 1].sha256));
}

/* ---- going ---- */

struct err
verb_airlock_release(struct call *c)
{
	const struct cell_row *cell;
	struct request_entry *e;
	struct study_entry *s;
	struct airlock_request r;

	TRY(take_usable(c, &e, &s));
	if (!study_has(&s->s, c->who.person->id))
		return call_refuse(c, REASON_NOT_IN_STUDY);
	r = e->r;
	TRY(request_move(c, &r, AIRLOCK_RELEASE, BY_STUDY));
	record_digest(&c->record, RECORD_DIGEST, r.digest);
	cell = registry_cell(registry_of(c->h), r.cell);
	if (r.in && (!cell || cell_holds(c->h, cell, c->now_us) != REASON_NONE))
		return call_conflict(c, "cell", "The cell is closed: open one and ask again.");
	start(c, &r, r.in ? JOB_DELIVER : JOB_VERIFY, 0);
	return plan_request(c, &r);
}

struct err
verb_airlock_withdraw(struct call *c)
{
	struct request_entry *e;
	struct study_entry *s;
	struct airlock_request r;

	TRY(take_request(c, &e, &s));
	if (!id_eq(e->r.author, c->who.person->id))
		return call_refuse(c, REASON_NOT_IN_STUDY);
	r = e->r;
	TRY(request_move(c, &r, AIRLOCK_WITHDRAW, BY_AUTHOR));
	TRY(plan_request(c, &r));
	return doc_done(describe_request(c, &r, false, c->out));
}

struct err
verb_airlock_recall(struct call *c)
{
	struct request_entry *e;
	struct study_entry *s;
	struct airlock_request r;

	TRY(take_request(c, &e, &s));
	r = e->r;
	TRY(request_move(c, &r, AIRLOCK_RECALL, BY_OFFICER));
	TRY(plan_request(c, &r));
	return doc_done(describe_request(c, &r, false, c->out));
}
