#include "warden/job.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/num.h"

const char *
job_kind_word(enum job_kind k)
{
	static const char *const words[JOB_KIND_COUNT] = {
		[JOB_NONE] = "none",
#define X(suffix, word) [JOB_##suffix] = (word),
		JOB_KINDS(X)
#undef X
	};

	INVARIANT(k < JOB_KIND_COUNT);
	return words[k];
}

static struct str
key_of(const struct job *j)
{
	return str_of(j->id.b, sizeof(j->id.b));
}

static void
job_free(struct job *j)
{
	if (!j)
		return;
	json_decref(j->result);
	free(j);
}

void
jobs_release(struct jobs *all)
{
	struct job *j;
	size_t at = 0;

	while ((j = map_next(&all->by_id, &at)))
		job_free(j);
	map_release(&all->by_id);
}

/* time_out(j, now): what makes no progress has failed: its process died, or never came. */
static void
time_out(struct job *j, int64_t mono_us)
{
	if (job_lives(j) && mono_us - j->used_us > JOB_S * US_PER_S)
		job_end(j, false, STR("timeout"), NULL);
}

/* make_room(all, now): forgets what ended longest ago; false if all are alive. */
static bool
make_room(struct jobs *all, int64_t mono_us)
{
	struct job *j, *oldest = NULL;
	size_t at = 0;

	while ((j = map_next(&all->by_id, &at))) {
		time_out(j, mono_us);
		if (!job_lives(j) && (!oldest || j->used_us < oldest->used_us))
			oldest = j;
	}
	if (oldest && (all->by_id.n >= LIMIT_JOBS || mono_us - oldest->used_us > JOB_KEPT_S * US_PER_S))
		job_free(map_remove(&all->by_id, key_of(oldest)));
	return all->by_id.n < LIMIT_JOBS;
}

struct err
jobs_add(struct jobs *all, const struct job *like, int64_t mono_us, struct job **ret)
{
	struct job *j;
	struct err e;

	if (!make_room(all, mono_us))
		return ERR(ERR_BUSY);
	j = malloc(sizeof(*j));
	if (!j)
		return ERR(ERR_NO_MEMORY);
	*j = *like;
	j->id = id_new();
	j->state = JOB_QUEUED;
	j->result = NULL;
	j->made_us = j->used_us = mono_us;
	e = map_put(&all->by_id, key_of(j), j);
	if (err_is(e)) {
		job_free(j);
		return e;
	}
	*ret = j;
	return OK;
}

struct job *
jobs_find(struct jobs *all, struct id id, int64_t mono_us)
{
	struct job *j = map_get(&all->by_id, str_of(id.b, sizeof(id.b)));

	if (j)
		time_out(j, mono_us);
	return j;
}

struct job *
jobs_running(struct jobs *all, enum job_kind k, int64_t mono_us)
{
	struct job *j;
	size_t at = 0;

	while ((j = map_next(&all->by_id, &at))) {
		time_out(j, mono_us);
		if (j->kind == k && job_lives(j))
			return j;
	}
	return NULL;
}

void
job_end(struct job *j, bool good, struct str reason, json_t *result)
{
	j->state = good ? JOB_DONE : JOB_FAILED;
	snprintf(j->reason, sizeof(j->reason), "%.*s", STR_ARG(str_sub(reason, 0, sizeof(j->reason) - 1)));
	json_decref(j->result);
	j->result = json_incref(result);
}

void
study_bucket(struct id study, char out[STUDY_BUCKET_BYTES])
{
	static const char digits[] = "0123456789abcdef";
	size_t n = 0;

	for (const char *p = "study-"; *p; p++)
		out[n++] = *p;
	for (size_t i = 0; i < 10; i++) {
		out[n++] = digits[study.b[i] >> 4];
		out[n++] = digits[study.b[i] & 15];
	}
	out[n] = '\0';
}
