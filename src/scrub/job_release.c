/* The jobs release and count: a cohort of the pool, as files in the study's bucket or as a number. doc/release.md. */
#include <stdio.h>

#include "base/clock.h"
#include "scrub/job_files.h"

struct releasing {
	struct work *w;
	struct id study, basis, release;
	struct str bucket;
	struct pool_data *pool;
	struct wordlists lists;
	struct mac_key *study_key, *subject_key;
	struct release_previous previous;
	struct release *made;
	/* subjects on their way to the ledger */
	struct record records[SCRUB_RECORDS_MAX];
	char tokens[SCRUB_RECORDS_MAX][ID_HEX_LEN + 1];
	size_t n;
};

static const json_t *
study_of(const struct work *w)
{
	return json_object_get(w->show, "study");
}

/* cohort(w, p, &n): of this study */
static struct err
cohort(struct work *w, struct pool_data *p, uint64_t *ret)
{
	const char *sql = json_string_value(json_object_get(study_of(w), "cohort"));
	struct err e;

	if (!sql || !sql[0])
		return pool_cohort_all(p, ret);
	e = pool_cohort(p, str_c(sql), 0, ret);
	return e.code == ERR_INVALID ? work_fail(w, "cohort", "sql") : e;
}

struct err
job_count(struct work *w, json_t *result)
{
	struct pool_data *p;
	uint64_t n = 0;
	struct err e;
	json_t *told;

	TRY(job_pool(w, &p));
	e = cohort(w, p, &n);
	pool_unload(p);
	if (err_is(e))
		return e;
	told = n > 0 && n < CELL_MIN ? json_string("1-10") : json_integer((json_int_t)n);
	return json_object_set_new(result, "patients", told) == 0 ? OK : ERR(ERR_NO_MEMORY);
}

/* ---- what it is made of ---- */

static struct err
tables_of(const struct work *w, uint32_t *ret)
{
	const json_t *list = json_object_get(study_of(w), "tables");
	struct str words[POOL_VIEW_COUNT];
	size_t n = json_array_size(list);

	if (n > POOL_VIEW_COUNT)
		return ERR(ERR_INVALID);
	for (size_t i = 0; i < n; i++) {
		const char *word = json_string_value(json_array_get(list, i));

		words[i] = str_c(word ? word : "");
	}
	return release_tables(words, n, ret);
}

/* previous(r): the files of the newest ready release, if there is one, checked against what warden knows of them */
static struct err
previous(struct releasing *r)
{
	const json_t *o = json_object_get(r->w->show, "previous");
	struct memfile files[JOB_FILES_MAX] = {0};
	struct job_files all;
	struct id id;
	size_t n, k = 0;
	struct err e;

	if (!o)
		return OK;
	TRY(work_id(r->w, "previous", "id", &id));
	TRY(job_files(json_object_get(o, "files"), &all));
	r->previous.version = (uint32_t)json_integer_value(json_object_get(o, "version"));
	e = job_parquet(r->w, id, &all, files, &n);
	for (size_t i = 0; i < all.n && !err_is(e); i++) {
		struct str name = str_c(all.f[i].name);

		if (!str_starts(name, STR("parquet/")))
			continue;
		for (unsigned int v = 0; v < POOL_VIEW_COUNT; v++) {
			char want[RELEASE_NAME_MAX];

			(void)snprintf(want, sizeof(want), "parquet/%s.parquet", release_table_name((enum pool_view)v));
			if (str_eq(name, str_c(want)))
				r->previous.parquet[v] = memfile_take(&files[k]);
		}
		k++;
	}
	for (size_t i = 0; i < n; i++)
		memfile_release(&files[i]);
	return e;
}

static struct err
progress(void *ctx, uint64_t rows)
{
	return work_progress(ctx, rows, 0);
}

static struct err
make(struct releasing *r)
{
	struct work *w = r->w;
	const json_t *study = study_of(w);
	const char *protocol = json_string_value(json_object_get(study, "protocol")), *profile = json_string_value(json_object_get(study, "profile"));
	struct release_ask ask = {.study = r->study, .basis = r->basis, .release = r->release, .protocol = str_c(protocol ? protocol : ""),
	    .software = STR(CLOISTER_VERSION), .generation = w->generation, .made_us = clock_now_us(), .study_key = r->study_key,
	    .lists = &r->lists, .progress = progress, .ctx = w,
	    .version = (uint32_t)json_integer_value(json_object_get(json_object_get(w->show, "release"), "version"))};
	uint64_t patients;

	TRY(release_profile_parse(str_c(profile ? profile : ""), &ask.profile));
	TRY(tables_of(w, &ask.tables));
	TRY(job_pool(w, &r->pool));
	TRY(cohort(w, r->pool, &patients));
	TRY(wordlists_init(&r->lists));
	TRY(wordlists_add_common(&r->lists));
	TRY(previous(r));
	return release_make(r->pool, &ask, &r->previous, &r->made);
}

/* ---- what becomes of it ---- */

static struct err
send_subjects(struct releasing *r)
{
	size_t n = r->n;

	r->n = 0;
	return work_record(r->w, r->records, n);
}

static struct err
subject(void *ctx, struct str token)
{
	struct releasing *r = ctx;
	struct record *one = &r->records[r->n];

	memcpy(r->tokens[r->n], token.p, ID_HEX_LEN);
	*one = (struct record){0};
	record_word(one, RECORD_ACT, STR("release.subject"));
	record_id(one, RECORD_STUDY, r->study);
	record_id(one, RECORD_BASIS, r->basis);
	record_id(one, RECORD_OBJECT, r->release);
	record_word(one, RECORD_SUBJECT, str_of(r->tokens[r->n], ID_HEX_LEN));
	r->n++;
	TRY(work_progress(r->w, 0, 0));
	return r->n == SCRUB_RECORDS_MAX ? send_subjects(r) : OK;
}

static struct err
feed(void *ctx, struct phi piece)
{
	return objects_put_feed(ctx, piece);
}

static struct err
store(struct releasing *r, const struct release_file *f)
{
	struct objects_put *put = NULL;
	char key[JOB_KEY_BYTES];
	struct err e;

	job_release_key(r->release, f->name, key);
	TRY(objects_put_begin(&r->w->objects, r->bucket, str_c(key), f->size, &put));
	e = memfile_read(&f->file, feed, put);
	if (!err_is(e))
		e = objects_put_end(put, NULL);
	objects_put_free(put);
	return e;
}

/* document(f): a JSON file of the release, for warden to keep */
static json_t *
document(const struct release *r, const char *name)
{
	for (size_t i = 0; i < r->n; i++) {
		AUTO_BUF text = BUF(1 * MiB);

		if (strcmp(r->files[i].name, name) == 0 && !err_is(memfile_append_to(&r->files[i].file, &text)))
			return json_loadb(text.p, text.n, 0, NULL);
	}
	return NULL;
}

static struct err
tell(const struct releasing *r, json_t *result)
{
	const struct release *m = r->made;
	json_t *files = json_array(), *rows = json_object();
	bool good = json_object_set_new(result, "files", files) == 0 && json_object_set_new(result, "rows", rows) == 0 &&
	    json_object_set_new(result, "patients", json_integer((json_int_t)m->patients)) == 0 &&
	    json_object_set_new(result, "pool", json_integer((json_int_t)pool_newest(r->pool))) == 0 &&
	    json_object_set_new(result, "manifest", document(m, "manifest.json")) == 0 &&
	    json_object_set_new(result, "difference", document(m, "difference.json")) == 0;
	const json_t *counted = good ? json_object_get(json_object_get(result, "manifest"), "rows") : NULL;

	if (!good || json_object_update(rows, (json_t *)(uintptr_t)counted) != 0)
		return ERR(ERR_NO_MEMORY);
	for (size_t i = 0; i < m->n; i++) {
		json_t *o = json_pack("{s:s, s:I}", "name", m->files[i].name, "size", (json_int_t)m->files[i].size);

		if (!o || json_array_append_new(files, o) != 0)
			return ERR(ERR_NO_MEMORY);
		TRY(job_hex(o, "sha256", m->files[i].sha256, SHA256_BYTES));
		if (strcmp(m->files[i].name, "manifest.json") == 0)
			TRY(job_hex(result, "manifest_sha256", m->files[i].sha256, SHA256_BYTES));
	}
	return OK;
}

/* refused(r): an identifier stands in what was made; the place, as a word of ours */
static struct err
refused(const struct releasing *r)
{
	char place[RELEASE_PLACE_MAX];
	size_t i = 0;

	for (; r->made->refused[i] && i + 1 < sizeof(place); i++)
		place[i] = r->made->refused[i] == '_' || r->made->refused[i] == '/' ? '-' : r->made->refused[i];
	place[i] = 0;
	return work_fail(r->w, "rescan", place);
}

static struct err
carry_out(struct releasing *r, json_t *result)
{
	TRY(work_id(r->w, "study", "id", &r->study));
	TRY(work_id(r->w, "release", "id", &r->release));
	TRY(job_bucket(r->w, &r->bucket));
	{
		const char *basis = json_string_value(json_object_get(json_object_get(study_of(r->w), "basis"), "id"));

		TRY(basis ? id_parse(str_c(basis), &r->basis) : ERR(ERR_INVALID));
	}
	r->study_key = mac_key_new();
	r->subject_key = mac_key_new();
	if (!r->study_key || !r->subject_key)
		return ERR(ERR_NO_MEMORY);
	TRY(work_key(r->w, "study_key", &r->study_key->s));
	TRY(work_key(r->w, "subject_key", &r->subject_key->s));
	TRY(make(r));
	if (r->made->refused[0])
		return refused(r);
	/* who is in it is on record before anybody could have it */
	TRY(release_subjects(r->pool, r->subject_key, subject, r));
	TRY(send_subjects(r));
	TRY(objects_bucket(&r->w->objects, r->bucket, r->bucket));
	for (size_t i = 0; i < r->made->n; i++) {
		TRY(work_progress(r->w, i, r->made->n));
		TRY(store(r, &r->made->files[i]));
	}
	return tell(r, result);
}

struct err
job_release(struct work *w, json_t *result)
{
	struct releasing *r = calloc(1, sizeof(*r));
	struct err e;

	if (!r)
		return ERR(ERR_NO_MEMORY);
	r->w = w;
	e = carry_out(r, result);
	release_release(r->made);
	release_previous_release(&r->previous);
	wordlists_release(&r->lists);
	pool_unload(r->pool);
	mac_key_free(r->study_key);
	mac_key_free(r->subject_key);
	free(r);
	return e;
}
