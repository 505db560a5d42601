/* The verbs about jobs: what scrub asks and tells, what people and the steward ask. doc/jobs.md. */
#include "base/clock.h"
#include "warden/governance.h"

static const char *const state_words[] = {
    [JOB_QUEUED] = "queued", [JOB_RUNNING] = "running", [JOB_DONE] = "done", [JOB_FAILED] = "failed"};

/* ---- what scrub asks ---- */

static bool
show_key(json_t *out, const char *name, const struct secret *k)
{
	return k && doc_set_bytes(out, name, secret_expose(k), KEY_BYTES);
}

/* Which keys a kind of job needs: no other gets them. A study's own key comes with the study. */
static bool
show_keys(const struct call *c, const struct job *j)
{
	const struct pool_row *p = &c->h->pool;
	bool maps = j->kind == JOB_INGEST || j->kind == JOB_REBUILD;
	bool tells = j->kind == JOB_RELEASE || j->kind == JOB_FIND;

	if (maps && !show_key(c->out, "map_key", p->map_key))
		return false;
	return !tells || show_key(c->out, "subject_key", p->subject_key);
}

/* Whose record numbers each feed sends: by the feed's id. */
static bool
show_feeds(const struct call *c)
{
	json_t *feeds = json_object();
	const struct person *p;
	size_t at = 0;
	bool good = doc_set(c->out, "feeds", feeds);

	while (good && (p = map_next(&c->h->people.by_id, &at))) {
		AUTO_BUF hex = BUF(64);

		if (!(p->roles & (1u << PERSON_FEED | 1u << PERSON_DEVICE | 1u << PERSON_CLINICIAN)))
			continue;
		buf_put_id_hex(&hex, p->id);
		buf_put_char(&hex, 0);
		good = doc_set_text(feeds, hex.p, person_authority(p));
	}
	return good;
}

struct err
verb_job_show(struct call *c)
{
	struct job *j = c->who.job;
	char bucket[STUDY_BUCKET_BYTES];

	if (!j)
		return call_denied(c, REASON_NO_SUCH_JOB);
	if (j->state == JOB_QUEUED)
		j->state = JOB_RUNNING;
	j->used_us = c->mono_us;
	study_bucket(j->study, bucket);
	record_id(&c->record, RECORD_OBJECT, id_is_zero(j->release) ? j->request : j->release);
	record_id(&c->record, RECORD_OTHER, j->id);
	if (!doc_set_id(c->out, "id", j->id) || !doc_set_text(c->out, "kind", str_c(job_kind_word(j->kind))) ||
	    !doc_set_number(c->out, "generation", (int64_t)c->h->pool.generation) ||
	    !doc_set_number(c->out, "after", (int64_t)c->h->pool.watermark) || !doc_set_number(c->out, "file", (int64_t)j->file) ||
	    (!id_is_zero(j->study) && !doc_set_text(c->out, "bucket", str_c(bucket))) || !show_keys(c, j) ||
	    ((j->kind == JOB_INGEST || j->kind == JOB_REBUILD) && !show_feeds(c)))
		return ERR(ERR_NO_MEMORY);
	return c->h->governance && !id_is_zero(j->study) ? c->h->governance->describe(c, j, c->out) : OK;
}

struct err
verb_job_progress(struct call *c)
{
	struct job *j = c->who.job;
	int64_t done = doc_number(c->in, "done"), total = doc_number(c->in, "total");

	if (!j)
		return call_denied(c, REASON_NO_SUCH_JOB);
	if (done < 0 || total < 0)
		return call_invalid(c, "done", "must not be negative");
	j->done = (uint64_t)done;
	j->total = (uint64_t)total;
	j->used_us = c->mono_us;
	return OK;
}

/* ---- its end ---- */

/* is_word(s): a reason as records have them; anything else would be free text in the ledger. */
static bool
is_word(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!((s.p[i] >= 'a' && s.p[i] <= 'z') || (s.p[i] >= '0' && s.p[i] <= '9') || s.p[i] == '.' || s.p[i] == '-'))
			return false;
	return s.n > 0 && s.n <= 64;
}

/* Sums ${from}'s numbers into ${into}, member by member. */
static bool
add_counts(json_t *into, const json_t *from)
{
	const char *key;
	json_t *v;

	json_object_foreach((json_t *)(uintptr_t)from, key, v) {
		json_int_t old = json_integer_value(json_object_get(into, key));

		if (!json_is_integer(v) || json_object_set_new(into, key, json_integer(old + json_integer_value(v))) != 0)
			return false;
	}
	return true;
}

static json_t *
member(json_t *of, const char *name)
{
	json_t *m = json_object_get(of, name);

	if (json_is_object(m))
		return m;
	m = json_object();
	return m && json_object_set_new(of, name, m) == 0 ? m : NULL;
}

/*
 * What came past intake (a PUT, a FHIR post), by the feed's id: nobody else counts it. A rebuild reads it again, which is no delivery. Who is not there
 * any more, or never delivers, is nobody's row.
 */
static struct err
add_delivered(struct call *c, json_t *figures)
{
	const char *key;
	json_t *one;

	json_object_foreach(json_object_get(c->in, "delivered"), key, one) {
		struct id feed;

		if (!err_is(id_parse(str_c(key), &feed)) && person_by_id(&c->h->people, feed))
			TRY(feed_add_counts(figures, feed, one));
	}
	return OK;
}

/* The pool has grown: what the house remembers of it, as a row. "resources" and "patients" are totals, "quarantined" is what came to it. */
static struct err
remember_pool(struct call *c, const struct job *j)
{
	struct pool_row next = c->h->pool;
	json_t *quarantined, *totals = json_object_get(c->in, "resources");
	bool good;
	struct err e;

	next.figures = json_deep_copy(c->h->pool.figures);
	quarantined = next.figures ? member(next.figures, "quarantined") : NULL;
	if (quarantined && j->kind == JOB_REBUILD)
		json_object_clear(quarantined);
	e = quarantined && j->kind == JOB_INGEST ? add_delivered(c, next.figures) : OK;
	good = quarantined && !err_is(e) && add_counts(quarantined, json_object_get(c->in, "quarantined"));
	if (good && json_is_object(totals))
		good = json_object_set(next.figures, "resources", totals) == 0 &&
		    doc_set_number(next.figures, "patients", doc_number(c->in, "patients"));
	if (j->kind == JOB_REBUILD)
		next.generation = (uint64_t)doc_number(c->in, "generation");
	next.watermark = (uint64_t)doc_number(c->in, "watermark");
	if (!good || next.watermark < (j->kind == JOB_REBUILD ? 0 : c->h->pool.watermark) || next.generation < c->h->pool.generation) {
		json_decref(next.figures);
		return err_is(e) ? e : good ? call_invalid(c, "watermark", "goes back") : ERR(ERR_NO_MEMORY);
	}
	e = pool_row_write(&next, call_row(c, STATE_POOL, POOL_ID));
	json_decref(next.figures);
	return e;
}

static struct err
end_it(struct call *c)
{
	struct str why = doc_text(c->in, "failed");
	json_t *result = json_object_get(c->in, "result");

	job_end(c->who.job, why.n == 0, why, json_is_object(result) ? result : (json_t *)(uintptr_t)c->in);
	return OK;
}

struct err
verb_job_done(struct call *c)
{
	struct job *j = c->who.job;
	struct str why = doc_text(c->in, "failed");

	if (!j)
		return call_denied(c, REASON_NO_SUCH_JOB);
	if (why.n > 0 && !is_word(why))
		return call_invalid(c, "failed", "must be a word");
	record_id(&c->record, RECORD_OBJECT, id_is_zero(j->release) ? j->request : j->release);
	record_id(&c->record, RECORD_OTHER, j->id);
	if (why.n > 0)
		record_word(&c->record, RECORD_REASON, why);
	c->after = end_it;
	if (why.n == 0 && (j->kind == JOB_INGEST || j->kind == JOB_REBUILD))
		return remember_pool(c, j);
	return c->h->governance && !id_is_zero(j->study) ? c->h->governance->ended(c, j, c->in, why.n == 0) : OK;
}

static struct err
end_dead(struct call *c)
{
	struct job *j = jobs_find(&c->h->jobs, c->subject, c->mono_us);

	if (j && job_lives(j))
		job_end(j, false, STR("process-ended"), NULL);
	return OK;
}

/* The steward: the process that had this job is no more. If it told its end before, nothing is left to do. */
struct err
verb_job_ended(struct call *c)
{
	struct job *j = jobs_find(&c->h->jobs, doc_id(c->in, "id"), c->mono_us);

	if (!j)
		return ERR(ERR_NOT_FOUND);
	if (!job_lives(j))
		return OK;
	c->subject = j->id;
	c->also = end_dead;
	record_id(&c->record, RECORD_OTHER, j->id);
	record_word(&c->record, RECORD_REASON, STR("process-ended"));
	return c->h->governance && !id_is_zero(j->study) ? c->h->governance->ended(c, j, c->in, false) : OK;
}

/* ---- what people ask ---- */

struct err
verb_job_get(struct call *c)
{
	const uint32_t see_all = 1u << PERSON_ADMINISTRATOR | 1u << PERSON_SECURITY_OFFICER | 1u << PERSON_PRIVACY_OFFICER | 1u << PERSON_AUDITOR;
	const struct job *j = jobs_find(&c->h->jobs, doc_id(c->in, "job"), c->mono_us);
	bool good;

	/* whether somebody else's job exists is none of his business */
	if (!j || (!id_eq(j->person, c->who.person->id) && !(c->who.person->roles & see_all)))
		return ERR(ERR_NOT_FOUND);
	good = doc_set_id(c->out, "id", j->id) && doc_set_text(c->out, "kind", str_c(job_kind_word(j->kind))) &&
	    doc_set_text(c->out, "state", str_c(state_words[j->state])) && doc_set_number(c->out, "done", (int64_t)j->done) &&
	    doc_set_number(c->out, "total", (int64_t)j->total);
	if (good && j->result && id_eq(j->person, c->who.person->id))
		good = json_object_set(c->out, "result", j->result) == 0;
	if (good && j->reason[0])
		good = doc_set_text(c->out, "reason", str_c(j->reason));
	return doc_done(good);
}

/* ---- the pool ---- */

/* The steward looks at landing; it is told a job to run if there is something to take in and nobody does it yet. */
struct err
verb_ingest_start(struct call *c)
{
	int64_t newest = doc_number(c->in, "newest");

	if (newest < 0)
		return call_invalid(c, "newest", "must not be negative");
	if ((uint64_t)newest > c->h->pool.landing)
		c->h->pool.landing = (uint64_t)newest;
	if ((uint64_t)newest <= c->h->pool.watermark || jobs_running(&c->h->jobs, JOB_INGEST, c->mono_us) ||
	    jobs_running(&c->h->jobs, JOB_REBUILD, c->mono_us))
		return OK;
	call_job(c, &(struct job){.kind = JOB_INGEST});
	return OK;
}

struct err
verb_pool_rebuild(struct call *c)
{
	if (jobs_running(&c->h->jobs, JOB_REBUILD, c->mono_us) || jobs_running(&c->h->jobs, JOB_INGEST, c->mono_us))
		return call_conflict(c, "pool", "An ingest is under way; try again when it has ended.");
	call_job(c, &(struct job){.kind = JOB_REBUILD});
	return OK;
}
