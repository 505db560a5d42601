/* The verbs about releases: a data set made from the pool for one study, and what its job tells of it. */
#include "base/clock.h"
#include "study/registry.h"

#define LIMIT_RELEASE_FILES 64
#define LIMIT_RELEASE_TABLES 32
#define LIMIT_RELEASE_NAME 120

const char *
release_state_word(enum release_state s)
{
	static const char *const words[] = {[RELEASE_MAKING] = "making", [RELEASE_READY] = "ready", [RELEASE_REFUSED] = "refused"};

	INVARIANT(s < ARRAY_LEN(words));
	return words[s];
}

/* One at a time for a study: versions have an order, and each is compared with the one before. */
static bool
is_making(struct call *c, struct id study)
{
	const struct registry *r = registry_of(c->h);
	const struct release_row *row;
	size_t at = 0;

	while ((row = map_next(&r->releases, &at)))
		if (id_eq(row->study, study) && release_now(c->h, row, c->mono_us) == RELEASE_MAKING)
			return true;
	return false;
}

struct err
verb_release_make(struct call *c)
{
	struct id id = id_new();
	AUTO_DOC *j = json_object();
	struct study_entry *e;
	bool good;

	TRY(use_study(c, doc_id(c->in, "study"), &e));
	if (is_making(c, e->s.id))
		return call_conflict(c, "study", "A release of this study is being made: wait for it.");
	record_id(&c->record, RECORD_OBJECT, id);
	good = j && doc_set_id(j, "study", e->s.id) && doc_set_id(j, "basis", e->s.basis.id) && doc_set_id(j, "made_by", c->who.person->id) &&
	    doc_set_number(j, "version", (int64_t)e->newest_version + 1) && doc_set_text(j, "state", STR("making")) &&
	    doc_set_number(j, "made_us", c->now_us) && doc_set_number(j, "pool", (int64_t)c->h->pool.watermark) &&
	    doc_set_text(j, "profile", str_c(study_profile_word(e->s.profile))) && doc_set_digest(j, "study_digest", e->s.digest) &&
	    doc_set_id(c->out, "release", id);
	if (!good)
		return ERR(ERR_NO_MEMORY);
	call_job(c, &(struct job){.kind = JOB_RELEASE, .study = e->s.id, .basis = e->s.basis.id, .release = id});
	return doc_write(j, call_row(c, STATE_RELEASE, id));
}

static int
by_version(const void *a, const void *b)
{
	const struct release_row *x = *(const struct release_row *const *)a, *y = *(const struct release_row *const *)b;

	return x->version < y->version ? 1 : x->version > y->version ? -1 : 0;
}

static bool
show_release(struct call *c, const void *one, json_t *j)
{
	return describe_release(c, one, false, j);
}

struct err
verb_release_list(struct call *c)
{
	const struct registry *r = registry_of(c->h);
	const struct release_row **all, *row;
	struct study_entry *e;
	size_t at = 0, n = 0;
	struct err failed;

	TRY(take_study(c, doc_id(c->in, "study"), &e));
	if (!study_has(&e->s, c->who.person->id) && !sees_all_studies(c))
		return call_refuse(c, REASON_NOT_IN_STUDY);
	all = calloc((size_t)e->releases + 1, sizeof(*all));
	if (!all)
		return ERR(ERR_NO_MEMORY);
	while ((row = map_next(&r->releases, &at)))
		if (id_eq(row->study, e->s.id) && n < e->releases)
			all[n++] = row;
	qsort(all, n, sizeof(*all), by_version);
	failed = answer_list(c, "releases", (const void *const *)all, n, show_release);
	free(all);
	return failed;
}

struct err
verb_release_show(struct call *c)
{
	const struct release_row *row = registry_release_row(registry_of(c->h), doc_id(c->in, "release"));
	struct study_entry *e;

	if (!row)
		return ERR(ERR_NOT_FOUND);
	record_id(&c->record, RECORD_OBJECT, row->id);
	TRY(take_study(c, row->study, &e));
	if (!study_has(&e->s, c->who.person->id) && !sees_all_studies(c))
		return call_refuse(c, REASON_NOT_IN_STUDY);
	return doc_done(describe_release(c, row, true, c->out));
}

/* ---- how it ended ---- */

static struct err
take_rows(struct call *c, const json_t *result, json_t *to)
{
	const json_t *rows = json_object_get(result, "rows");
	json_t *copy = json_object(), *v;
	const char *key;

	if (!doc_set(to, "rows", copy))
		return ERR(ERR_NO_MEMORY);
	if (json_object_size(rows) > LIMIT_RELEASE_TABLES)
		return call_invalid(c, "rows", "too many");
	json_object_foreach((json_t *)(uintptr_t)rows, key, v) {
		if (!json_is_integer(v) || json_integer_value(v) < 0 || !text_is_good(str_c(key), 64, false))
			return call_invalid(c, "rows", "not numbers");
		if (!doc_set_number(copy, key, json_integer_value(v)))
			return ERR(ERR_NO_MEMORY);
	}
	return OK;
}

static struct err
take_files(struct call *c, const json_t *result, json_t *to)
{
	const json_t *files = json_object_get(result, "files");
	json_t *copy = json_array(), *o;

	if (!doc_set(to, "files", copy))
		return ERR(ERR_NO_MEMORY);
	if (json_array_size(files) > LIMIT_RELEASE_FILES)
		return call_invalid(c, "files", "too many");
	for (size_t i = 0; i < json_array_size(files); i++) {
		const json_t *f = json_array_get(files, i);
		struct str name = doc_text(f, "name");
		uint8_t digest[SHA256_BYTES];

		if (!file_name_is_good(name) || name.n > LIMIT_RELEASE_NAME || doc_number(f, "size") < 0 ||
		    err_is(hex_digest(doc_text(f, "sha256"), digest)))
			return call_invalid(c, "files", "not a file");
		if (!add_member(copy, &o) || !doc_set_text(o, "name", name) || !doc_set_number(o, "size", doc_number(f, "size")) ||
		    !doc_set_digest(o, "sha256", digest))
			return ERR(ERR_NO_MEMORY);
	}
	return OK;
}

/* What the job made, into ${j}: known members of known shape; the documents among them are bounded by the row. */
static struct err
take_result(struct call *c, const json_t *result, json_t *j, struct record *r)
{
	static const char *const documents[] = {"manifest", "difference"};
	uint8_t digest[SHA256_BYTES];
	int64_t pool = doc_number(result, "pool");

	if (err_is(hex_digest(doc_text(result, "manifest_sha256"), digest)) || doc_number(result, "patients") < 0)
		return call_invalid(c, "result", "of no release");
	record_digest(r, RECORD_DIGEST, digest);
	TRY(take_rows(c, result, j));
	TRY(take_files(c, result, j));
	for (size_t i = 0; i < ARRAY_LEN(documents); i++) {
		json_t *d = json_object_get(result, documents[i]);

		if (json_is_object(d) && json_object_set_new(j, documents[i], json_deep_copy(d)) != 0)
			return ERR(ERR_NO_MEMORY);
	}
	/* the pool may have grown between the order and the work */
	if (pool > doc_number(j, "pool") && pool <= (int64_t)c->h->pool.watermark && !doc_set_number(j, "pool", pool))
		return ERR(ERR_NO_MEMORY);
	return doc_done(doc_set_digest(j, "manifest_sha256", digest) && doc_set_number(j, "patients", doc_number(result, "patients")) &&
	    doc_set_text(j, "state", STR("ready")));
}

struct err
release_ended(struct call *c, const struct job *job, const json_t *result, bool good)
{
	const struct release_row *row = registry_release_row(registry_of(c->h), job->release);
	AUTO_DOC *j = row ? json_deep_copy(row->doc) : NULL;
	struct str why = doc_text(result, "failed");
	struct record *r;

	if (!row || row->state != RELEASE_MAKING)
		return OK; /* told already */
	r = call_record(c, good ? "release.made" : "release.refused");
	record_id(r, RECORD_STUDY, job->study);
	record_id(r, RECORD_BASIS, job->basis);
	record_id(r, RECORD_OBJECT, row->id);
	if (!is_word(why))
		why = STR("process-ended");
	if (good) {
		TRY(take_result(c, result, j, r));
	} else {
		record_word(r, RECORD_REASON, why);
		if (!doc_set_text(j, "state", STR("refused")) || !doc_set_text(j, "reason", why))
			return ERR(ERR_NO_MEMORY);
	}
	return doc_write(j, call_row(c, STATE_RELEASE, row->id));
}
