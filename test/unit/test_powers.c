/* What processes may do as themselves: every line of the table once, and what lies beside each. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/num.h"
#include "warden/powers.h"

static struct job job;

static void
fresh_job(enum job_kind kind)
{
	job = (struct job){.id = id_new(), .kind = kind, .study = id_new(), .release = id_new(), .request = id_new()};
}

static bool
may(enum role role, const struct job *j, enum action a, const char *bucket, const char *key)
{
	struct want w = {.action = a, .bucket_name = str_c(bucket), .key = str_c(key)};

	return process_may(role, j, &w);
}

static bool
may_make(enum role role, const struct job *j, const char *bucket, const char *domain)
{
	struct want w = {.action = ACTION_CREATE_BUCKET, .bucket_name = str_c(bucket), .domain = str_c(domain)};

	return process_may(role, j, &w);
}

/* key("release/", id, "/x"): in a buffer that lives until the next call but three */
static const char *
key(const char *prefix, struct id id, const char *rest)
{
	static struct buf b[4];
	static unsigned at;
	struct buf *one = &b[at++ % 4];

	if (!one->max)
		*one = BUF(256);
	buf_clear(one);
	buf_put_c(one, prefix);
	buf_put_id_hex(one, id);
	buf_put_c(one, rest);
	buf_put_char(one, 0);
	return one->p;
}

static const char *
bucket_of(struct id study)
{
	static char name[STUDY_BUCKET_BYTES];

	study_bucket(study, name);
	return name;
}

static void
test_intake_only_writes(void **state)
{
	(void)state;
	assert_true(may(ROLE_INTAKE, NULL, ACTION_PUT_OBJECT, "landing", "intake/0001"));
	assert_true(may_make(ROLE_INTAKE, NULL, "landing", "landing"));
	assert_false(may_make(ROLE_INTAKE, NULL, "landing", "general")); /* or it would be sealed under a key that others share */
	assert_false(may_make(ROLE_INTAKE, NULL, "pool", "pool"));
	assert_false(may(ROLE_INTAKE, NULL, ACTION_PUT_OBJECT, "landing", "ward-7/0001"));
	assert_false(may(ROLE_INTAKE, NULL, ACTION_PUT_OBJECT, "pool", "intake/0001"));
	assert_false(may(ROLE_INTAKE, NULL, ACTION_GET_OBJECT, "landing", "intake/0001"));
	assert_false(may(ROLE_INTAKE, NULL, ACTION_LIST_BUCKET, "landing", ""));
	assert_false(may(ROLE_INTAKE, NULL, ACTION_DELETE_OBJECT, "landing", "intake/0001"));
	assert_false(may(ROLE_INTAKE, NULL, ACTION_PUT_BUCKET_POLICY, "landing", ""));
}

static void
test_without_a_job_scrub_is_nobody(void **state)
{
	(void)state;
	for (int a = 0; a < ACTION_COUNT; a++) {
		assert_false(may(ROLE_SCRUB, NULL, (enum action)a, "landing", "intake/1"));
		assert_false(may(ROLE_SCRUB, NULL, (enum action)a, "pool", "g0001/segment/1"));
		assert_false(may(ROLE_STEWARD, NULL, (enum action)a, "pool", "g0001/segment/1"));
		assert_false(may(ROLE_CELL, NULL, (enum action)a, "pool", "g0001/segment/1"));
		assert_false(may(ROLE_VAULT, NULL, (enum action)a, "landing", "intake/1"));
		if (a != ACTION_CREATE_BUCKET && a != ACTION_PUT_BUCKET_VERSIONING)
			assert_false(may(ROLE_GATE, NULL, (enum action)a, "landing", "intake/1"));
	}
}

static void
test_ingest(void **state)
{
	(void)state;
	fresh_job(JOB_INGEST);
	assert_true(may(ROLE_SCRUB, &job, ACTION_GET_OBJECT, "landing", "ward-7/a.hl7"));
	assert_true(may(ROLE_SCRUB, &job, ACTION_GET_OBJECT_VERSION, "landing", "intake/1"));
	assert_true(may(ROLE_SCRUB, &job, ACTION_PUT_OBJECT, "pool", "g0001/segment/1"));
	assert_true(may(ROLE_SCRUB, &job, ACTION_DELETE_OBJECT, "pool", "g0001/segment/1"));
	assert_false(may(ROLE_SCRUB, &job, ACTION_PUT_OBJECT, "landing", "intake/1")); /* what landed stays as it was sent */
	assert_false(may(ROLE_SCRUB, &job, ACTION_DELETE_OBJECT, "landing", "intake/1"));
	assert_false(may(ROLE_SCRUB, &job, ACTION_GET_OBJECT, "pool", key("job/", job.id, "/request")));
	assert_false(may(ROLE_SCRUB, &job, ACTION_GET_OBJECT, bucket_of(job.study), key("release/", job.release, "/a")));
	assert_false(may(ROLE_SCRUB, &job, ACTION_GET_OBJECT, "anybodys", "x"));
	assert_false(may(ROLE_GATE, &job, ACTION_GET_OBJECT, "landing", "intake/1")); /* another process with the same id */
	assert_false(may(ROLE_INTAKE, &job, ACTION_PUT_OBJECT, "landing", "intake/1"));
}

static void
test_a_release_stays_in_its_study(void **state)
{
	struct id other = id_new();

	(void)state;
	fresh_job(JOB_RELEASE);
	assert_true(may(ROLE_SCRUB, &job, ACTION_GET_OBJECT, "pool", "g0001/segment/1"));
	assert_false(may(ROLE_SCRUB, &job, ACTION_PUT_OBJECT, "pool", "g0001/segment/1"));
	assert_true(may(ROLE_SCRUB, &job, ACTION_PUT_OBJECT, bucket_of(job.study), key("release/", job.release, "/manifest.json")));
	assert_false(may(ROLE_SCRUB, &job, ACTION_PUT_OBJECT, bucket_of(job.study), key("airlock/", job.request, "/0")));
	assert_false(may(ROLE_SCRUB, &job, ACTION_PUT_OBJECT, bucket_of(other), key("release/", job.release, "/manifest.json")));
	assert_false(may(ROLE_SCRUB, &job, ACTION_GET_OBJECT, "landing", "intake/1"));
	assert_true(may_make(ROLE_SCRUB, &job, bucket_of(job.study), bucket_of(job.study)));
	assert_false(may_make(ROLE_SCRUB, &job, bucket_of(job.study), "pool"));
	fresh_job(JOB_STAGE);
	assert_true(may(ROLE_SCRUB, &job, ACTION_GET_OBJECT, bucket_of(job.study), key("release/", job.release, "/manifest.json")));
	assert_false(may(ROLE_SCRUB, &job, ACTION_GET_OBJECT, bucket_of(job.study), key("release/", other, "/manifest.json")));
	assert_false(may(ROLE_SCRUB, &job, ACTION_GET_OBJECT, bucket_of(job.study), key("release/", job.release, "")));
	assert_false(may(ROLE_SCRUB, &job, ACTION_GET_OBJECT, bucket_of(job.study), key("release/", job.release, "0/manifest.json")));
	assert_false(may(ROLE_SCRUB, &job, ACTION_PUT_OBJECT, bucket_of(job.study), key("release/", job.release, "/manifest.json")));
	assert_false(may(ROLE_SCRUB, &job, ACTION_GET_OBJECT, "pool", "g0001/segment/1"));
}

static void
test_one_request_at_the_airlock(void **state)
{
	struct id other = id_new();

	(void)state;
	fresh_job(JOB_VIEW);
	assert_true(may(ROLE_GATE, &job, ACTION_GET_OBJECT, bucket_of(job.study), key("airlock/", job.request, "/0")));
	assert_false(may(ROLE_GATE, &job, ACTION_GET_OBJECT, bucket_of(job.study), key("airlock/", other, "/0")));
	assert_false(may(ROLE_GATE, &job, ACTION_PUT_OBJECT, bucket_of(job.study), key("airlock/", job.request, "/0")));
	assert_false(may(ROLE_SCRUB, &job, ACTION_GET_OBJECT, bucket_of(job.study), key("airlock/", job.request, "/0")));
	fresh_job(JOB_UPLOAD);
	assert_true(may(ROLE_GATE, &job, ACTION_PUT_OBJECT, bucket_of(job.study), key("airlock/", job.request, "/0")));
	assert_false(may(ROLE_GATE, &job, ACTION_GET_OBJECT, bucket_of(job.study), key("airlock/", job.request, "/0")));
	fresh_job(JOB_VERIFY);
	assert_true(may(ROLE_SCRUB, &job, ACTION_GET_OBJECT, bucket_of(job.study), key("airlock/", job.request, "/0")));
	assert_false(may(ROLE_SCRUB, &job, ACTION_PUT_OBJECT, bucket_of(job.study), key("airlock/", job.request, "/0")));
	job.request = (struct id){0};
	assert_false(may(ROLE_SCRUB, &job, ACTION_GET_OBJECT, bucket_of(job.study), key("airlock/", job.request, "/0"))); /* of none */
}

static void
test_a_question_is_its_own_job(void **state)
{
	struct id other = id_new();

	(void)state;
	fresh_job(JOB_FIND);
	assert_true(may(ROLE_GATE, &job, ACTION_PUT_OBJECT, "pool", key("job/", job.id, "/request")));
	assert_false(may(ROLE_GATE, &job, ACTION_PUT_OBJECT, "pool", key("job/", other, "/request")));
	assert_false(may(ROLE_GATE, &job, ACTION_GET_OBJECT, "pool", "g0001/segment/1"));
	assert_true(may(ROLE_SCRUB, &job, ACTION_GET_OBJECT, "pool", key("job/", job.id, "/request")));
	assert_false(may(ROLE_SCRUB, &job, ACTION_PUT_OBJECT, "pool", "g0001/segment/1"));
}

static void
test_reserved_names(void **state)
{
	(void)state;
	assert_true(is_house_bucket(STR("landing")));
	assert_true(is_house_bucket(STR("study-00112233445566778899")));
	assert_true(is_house_bucket(STR("study-")));
	assert_true(is_house_bucket(STR("fhir")));
	assert_false(is_house_bucket(STR("landings")));
	assert_false(is_house_bucket(STR("my-study-1")));
}

static void
test_jobs_end(void **state)
{
	struct jobs all = {0};
	struct job like = {.kind = JOB_COUNT}, *j = NULL, *k = NULL;

	(void)state;
	assert_false(err_is(jobs_add(&all, &like, 1, &j)));
	assert_ptr_equal(jobs_find(&all, j->id, 2), j);
	assert_ptr_equal(jobs_running(&all, JOB_COUNT, 2), j);
	assert_null(jobs_running(&all, JOB_FIND, 2));
	assert_null(jobs_find(&all, id_new(), 2));
	/* without progress it has failed, and says why */
	assert_false(job_lives(jobs_find(&all, j->id, (JOB_S + 1) * 1000000ll)));
	assert_string_equal(j->reason, "timeout");
	/* full: ended ones make room, living ones do not */
	for (size_t i = 1; i < LIMIT_JOBS; i++)
		assert_false(err_is(jobs_add(&all, &like, (JOB_S + 2) * 1000000ll, &k)));
	assert_false(err_is(jobs_add(&all, &like, (JOB_S + 2) * 1000000ll, &k)));
	assert_int_equal(jobs_add(&all, &like, (JOB_S + 2) * 1000000ll, &k).code, ERR_BUSY);
	jobs_release(&all);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_intake_only_writes),
	    cmocka_unit_test(test_without_a_job_scrub_is_nobody),
	    cmocka_unit_test(test_ingest),
	    cmocka_unit_test(test_a_release_stays_in_its_study),
	    cmocka_unit_test(test_one_request_at_the_airlock),
	    cmocka_unit_test(test_a_question_is_its_own_job),
	    cmocka_unit_test(test_reserved_names),
	    cmocka_unit_test(test_jobs_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
