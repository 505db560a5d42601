/* The airlock through a real house: out and in, decided by two, bound to bytes, recorded; and those who try to get by. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "governed_fixture.h"

#define COLLECTED                                                                                                                     \
	"{\"result\":{\"files\":[{\"n\":1,\"name\":\"out/table1.csv\",\"size\":120,\"type\":\"csv\",\"sha256\":\"" SHA_A "\","        \
	"\"findings\":[{\"check\":\"small-cell\",\"severity\":\"warn\",\"place\":\"row 3\",\"count\":1}]},"                          \
	"{\"n\":2,\"name\":\"out/plot.png\",\"size\":9000,\"type\":\"png\",\"sha256\":\"" SHA_B "\",\"findings\":[]}]}}"
#define SAME "{\"result\":{\"files\":[{\"n\":1,\"sha256\":\"" SHA_A "\"},{\"n\":2,\"sha256\":\"" SHA_B "\"}]}}"
#define SUBJECT "0123456789abcdef0123456789abcdef"

struct scene { struct name study, release, cell, request, job; };

/* ruth asks to take two files out of her cell */
static struct err
submit(struct home *o, struct scene *s)
{
	TRY(asksf(o, "ruth", "airlock.submit",
	    "{\"cell\":\"%s\",\"direction\":\"out\",\"files\":[\"out/table1.csv\",\"out/plot.png\"],\"context\":\"Table 1, counts by year\","
	    "\"purpose\":\"the paper\",\"recipient\":{\"name\":\"Journal of Tests\",\"address\":\"1 Example Street\"},\"period\":\"2020-2024\"}",
	    s->cell.z));
	s->request = named("request");
	s->job = named("job");
	return OK;
}

static struct scene
scene_of(struct home *o, struct name study)
{
	struct scene s = {.study = study};

	s.release = ready_release(o, study);
	s.cell = open_cell(o, study, s.release);
	ok(submit(o, &s));
	return s;
}

static struct scene
scanning(struct home *o)
{
	return scene_of(o, approved_study(o));
}

static struct scene
in_review(struct home *o)
{
	struct scene s = scanning(o);

	ok(process_asks(o, ROLE_SCRUB, s.job.z, "job.show", "{}"));
	ok(job_done(o, ROLE_SCRUB, s.job, COLLECTED));
	return s;
}

static const char *
state_of(struct home *o, struct name request)
{
	ok(asksf(o, "audrey", "airlock.show", "{\"request\":\"%s\"}", request.z));
	return get("state");
}

static struct err
decide(struct home *o, struct name request, const char *who, const char *verb, const char *decision)
{
	ok(asksf(o, "audrey", "airlock.show", "{\"request\":\"%s\"}", request.z));
	return asksf(o, who, verb, "{\"request\":\"%s\",\"decision\":\"%s\",\"comment\":\"seen\",\"digest\":\"%s\"}", request.z, decision, get("digest"));
}

static struct err
request_asks(struct home *o, const char *who, const char *verb, struct name request)
{
	return asksf(o, who, verb, "{\"request\":\"%s\"}", request.z);
}

static struct scene
approved(struct home *o, struct name study)
{
	struct scene s = scene_of(o, study);

	ok(job_done(o, ROLE_SCRUB, s.job, COLLECTED));
	ok(decide(o, s.request, "otto", "airlock.review", "approve"));
	ok(decide(o, s.request, "olga", "airlock.review", "approve"));
	assert_string_equal(get("state"), "approved");
	return s;
}

static void
release(struct home *o, struct scene *s, const char *result)
{
	ok(request_asks(o, "ruth", "airlock.release", s->request));
	s->job = named("job");
	ok(job_done(o, ROLE_SCRUB, s->job, result));
}

/* ---- out ---- */

/* as scrub records it while it makes a release */
static void
subject_is_in(struct home *o, struct name made, const char *subject)
{
	struct record r = {0};
	struct receipt receipt;
	struct id id;

	ok(id_parse(str_c(made.z), &id));
	record_word(&r, RECORD_ACT, STR("release.subject"));
	record_word(&r, RECORD_SUBJECT, str_c(subject));
	record_id(&r, RECORD_OBJECT, id);
	ok(house_append(o->h, &r, 1, &receipt));
}

static void
two_approve_and_it_leaves_with_its_disclosure(void **state)
{
	struct home *o = *state;
	struct scene s = approved(o, approved_study(o));
	const json_t *d;
	AUTO_DOC *made = NULL;
	AUTO_DOC *released = NULL;

	release(o, &s, SAME);
	assert_string_equal(state_of(o, s.request), "released");
	made = newest(o, "disclosure.made");
	released = newest(o, "airlock.released");
	assert_string_equal(json_string_value(json_object_get(made, "object")), s.release.z);
	assert_string_equal(json_string_value(json_object_get(made, "study")), s.study.z);
	assert_non_null(json_object_get(made, "basis"));
	assert_string_equal(json_string_value(json_object_get(released, "object")), s.request.z);
	/* the subject's accounting: what left of releases that hold his data */
	ok(asks(o, "paula", "disclosure.list", "{\"subject\":\"" SUBJECT "\"}"));
	assert_int_equal(json_array_size(json_object_get(said, "disclosures")), 0);
	subject_is_in(o, s.release, SUBJECT);
	ok(asks(o, "paula", "disclosure.list", "{\"subject\":\"" SUBJECT "\"}"));
	d = json_array_get(json_object_get(said, "disclosures"), 0);
	assert_non_null(d);
	assert_string_equal(json_string_value(json_object_get(d, "digest")), json_string_value(json_object_get(made, "digest")));
	assert_int_equal(json_integer_value(json_object_get(d, "record")), json_integer_value(json_object_get(made, "n")));
	assert_string_equal(json_string_value(json_object_get(d, "purpose")), "the paper");
	assert_string_equal(json_string_value(json_object_get(json_object_get(d, "recipient"), "address")), "1 Example Street");
	d = json_object_get(d, "study");
	assert_string_equal(json_string_value(json_object_get(d, "protocol")), "P-117");
	assert_string_equal(json_string_value(json_object_get(d, "criteria")), COHORT);
	assert_string_equal(json_string_value(json_object_get(d, "period")), "2020-2024");
	/* and it is there after a restart */
	close_house(o);
	ok(open_house(o));
	ok(asks(o, "paula", "disclosure.list", "{}"));
	assert_int_equal(json_array_size(json_object_get(said, "disclosures")), 1);
	refused(asks(o, "sam", "disclosure.list", "{}"), ROLE);
	refused(asks(o, "audrey", "disclosure.list", "{}"), ROLE);
}

static void
where_the_rule_asks_for_none_there_is_none(void **state)
{
	struct home *o = *state;
	struct name authorized = add_study(o), limited = add_study(o);
	struct scene s;
	AUTO_DOC *first = NULL;
	AUTO_DOC *second = NULL;

	add_basis(o, authorized, "authorization");
	sign_all(o, authorized);
	s = approved(o, authorized);
	release(o, &s, SAME);
	first = newest(o, "disclosure.none");
	assert_string_equal(json_string_value(json_object_get(first, "rule")), "no-disclosure-authorization");
	ok(asksf(o, "pia", "study.set", "{\"study\":\"%s\",\"profile\":\"limited-data-set\"}", limited.z));
	add_basis(o, limited, "limited-data-set-agreement");
	sign_all(o, limited);
	s = approved(o, limited);
	release(o, &s, SAME);
	second = newest(o, "disclosure.none");
	assert_string_equal(json_string_value(json_object_get(second, "rule")), "no-disclosure-limited-data-set");
	ok(asks(o, "paula", "disclosure.list", "{}"));
	assert_int_equal(json_array_size(json_object_get(said, "disclosures")), 0);
}

/* ---- decisions ---- */

static void
who_may_not_review_does_not(void **state)
{
	struct home *o = *state;
	struct scene s = in_review(o);

	refused(decide(o, s.request, "ruth", "airlock.review", "approve"), ROLE);
	refused(decide(o, s.request, "root-admin", "airlock.review", "approve"), ROLE);
	refused(decide(o, s.request, "paula", "airlock.review", "approve"), ROLE);
	refused(decide(o, s.request, "rita", "airlock.review", "approve"), OWN_REQUEST); /* a checker, but of this study */
	recorded_refusal(o, "airlock.review", s.study, "own-request");
	put_person(o, "ruth", R(RESEARCHER) | R(OUTPUT_CHECKER), false); /* the author, with a new role */
	refused(decide(o, s.request, "ruth", "airlock.review", "approve"), OWN_REQUEST);
	refused(asksf(o, "otto", "airlock.review", "{\"request\":\"%s\",\"decision\":\"approve\",\"digest\":\"" SHA_A "\"}", s.request.z), DIGEST);
	ok(decide(o, s.request, "otto", "airlock.review", "approve"));
	refused(decide(o, s.request, "otto", "airlock.review", "approve"), SIGNED_ALREADY);
	refused(decide(o, s.request, "otto", "airlock.consolidate", "approve"), STATE);
	refused(request_asks(o, "ruth", "airlock.release", s.request), STATE); /* one is not two */
	assert_string_equal(state_of(o, s.request), "review");
}

static void
a_reviewer_who_is_revoked_has_not_reviewed(void **state)
{
	struct home *o = *state;
	struct scene s = in_review(o);

	ok(decide(o, s.request, "otto", "airlock.review", "approve"));
	set_revoked(o, "otto", true);
	ok(decide(o, s.request, "olga", "airlock.review", "approve"));
	assert_string_equal(get("state"), "review"); /* one is not two */
	ok(decide(o, s.request, "oskar", "airlock.review", "approve"));
	assert_string_equal(get("state"), "approved");
}

static void
a_long_description_is_cut_between_characters(void **state)
{
	struct home *o = *state;
	struct name study = add_study(o);
	char text[2 * 1001 + 2] = "x";
	struct scene s;

	for (size_t i = 0; i < 1001; i++)
		memcpy(text + 1 + 2 * i, "\xC3\xA9", 3);
	ok(asksf(o, "pia", "study.set", "{\"study\":\"%s\",\"description\":\"%s\"}", study.z, text));
	add_basis(o, study, "irb-waiver");
	sign_all(o, study);
	s = approved(o, study);
	release(o, &s, SAME);
	assert_string_equal(state_of(o, s.request), "released");
	ok(asks(o, "paula", "disclosure.list", "{}"));
	assert_int_equal(json_string_length(json_object_get(
	    json_object_get(json_array_get(json_object_get(said, "disclosures"), 0), "study"), "purpose")), 1999);
}

static bool
has_decided(struct home *o, const char *who, struct name request)
{
	size_t i;
	json_t *row;

	ok(asks(o, who, "airlock.list", "{}"));
	json_array_foreach(json_object_get(said, "requests"), i, row)
		if (strcmp(json_string_value(json_object_get(row, "id")), request.z) == 0)
			return json_is_true(json_object_get(row, "reviewed"));
	fail();
	return false;
}

static void
a_list_tells_a_reviewer_his_own_word_only(void **state)
{
	struct home *o = *state;
	struct scene s = in_review(o);

	assert_false(has_decided(o, "otto", s.request));
	ok(decide(o, s.request, "otto", "airlock.review", "approve"));
	assert_true(has_decided(o, "otto", s.request));
	assert_false(has_decided(o, "olga", s.request)); /* nor that another has */
	ok(decide(o, s.request, "olga", "airlock.review", "reject"));
	assert_false(has_decided(o, "paula", s.request));
	ok(decide(o, s.request, "paula", "airlock.consolidate", "return"));
	assert_true(has_decided(o, "paula", s.request));
	ok(request_asks(o, "ruth", "airlock.check", s.request)); /* other bytes: nobody has said anything of them */
	assert_false(has_decided(o, "otto", s.request));
}

static void
reviews_are_blind_until_they_are_done(void **state)
{
	struct home *o = *state;
	struct scene s = in_review(o);

	ok(decide(o, s.request, "otto", "airlock.review", "reject"));
	ok(request_asks(o, "olga", "airlock.show", s.request));
	assert_int_equal(json_array_size(json_object_get(said, "reviews")), 0);
	ok(request_asks(o, "ruth", "airlock.show", s.request));
	assert_int_equal(json_array_size(json_object_get(said, "reviews")), 0);
	ok(request_asks(o, "otto", "airlock.show", s.request));
	assert_int_equal(json_array_size(json_object_get(said, "reviews")), 1);
	ok(decide(o, s.request, "olga", "airlock.review", "approve"));
	assert_string_equal(state_of(o, s.request), "consolidating");
	ok(request_asks(o, "oskar", "airlock.show", s.request));
	assert_int_equal(json_array_size(json_object_get(said, "reviews")), 2);
	refused(decide(o, s.request, "olga", "airlock.consolidate", "approve"), SIGNED_ALREADY);
	refused(decide(o, s.request, "sam", "airlock.consolidate", "approve"), ROLE);
	refused(decide(o, s.request, "oskar", "airlock.review", "approve"), STATE);
	ok(decide(o, s.request, "paula", "airlock.consolidate", "return"));
	assert_string_equal(state_of(o, s.request), "returned");
}

static void
returned_and_submitted_again_it_is_decided_anew(void **state)
{
	struct home *o = *state;
	struct scene s = in_review(o);
	char before[65];

	ok(request_asks(o, "audrey", "airlock.show", s.request));
	memcpy(before, get("digest"), 65);
	ok(decide(o, s.request, "otto", "airlock.review", "return"));
	ok(decide(o, s.request, "olga", "airlock.review", "return"));
	refused(request_asks(o, "pia", "airlock.check", s.request), NOT_IN_STUDY); /* not hers */
	ok(request_asks(o, "ruth", "airlock.check", s.request));
	s.job = named("job");
	assert_string_equal(state_of(o, s.request), "scanning");
	ok(job_done(o, ROLE_SCRUB, s.job,
	    "{\"result\":{\"files\":[{\"n\":1,\"size\":121,\"sha256\":\"" SHA_B "\"},{\"n\":2,\"size\":9000,\"sha256\":\"" SHA_B "\"}]}}"));
	assert_string_equal(state_of(o, s.request), "review");
	assert_string_not_equal(before, get("digest"));
	assert_int_equal(json_array_size(json_object_get(said, "reviews")), 0);
	refused(asksf(o, "otto", "airlock.review", "{\"request\":\"%s\",\"decision\":\"approve\",\"digest\":\"%s\"}", s.request.z, before), DIGEST);
	ok(decide(o, s.request, "otto", "airlock.review", "approve"));
	ok(decide(o, s.request, "oskar", "airlock.review", "approve"));
	release(o, &s, SAME); /* the bytes of the first time are not what was approved now */
	assert_string_equal(state_of(o, s.request), "blocked");
}

/* ---- bytes ---- */

static void
one_other_byte_does_not_leave(void **state)
{
	static const char *const others[] = {"{\"result\":{\"files\":[{\"n\":1,\"sha256\":\"" SHA_A "\"},{\"n\":2,\"sha256\":\"" SHA_A "\"}]}}",
	    "{\"result\":{\"files\":[{\"n\":1,\"sha256\":\"" SHA_A "\"}]}}",
	    "{\"result\":{\"files\":[{\"n\":1,\"sha256\":\"" SHA_A "\"},{\"n\":1,\"sha256\":\"" SHA_A "\"}]}}", "{\"result\":{}}",
	    "{\"result\":{\"files\":[{\"n\":9,\"sha256\":\"" SHA_A "\"},{\"n\":2,\"sha256\":\"" SHA_B "\"}]}}"};
	struct home *o = *state;
	struct name study = approved_study(o);

	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		struct scene s = approved(o, study);

		release(o, &s, others[i]);
		assert_string_equal(state_of(o, s.request), "blocked");
		assert_string_equal(get("reason"), "digest");
		refused(request_asks(o, "ruth", "airlock.release", s.request), STATE);
		ok(asksf(o, "ruth", "cell.close", "{\"cell\":\"%s\"}", s.cell.z));
	}
	ok(asks(o, "paula", "disclosure.list", "{}"));
	assert_int_equal(json_array_size(json_object_get(said, "disclosures")), 0);
}

static void
what_the_checks_find_blocks(void **state)
{
	static const char *const bad[] = {
	    "{\"result\":{\"files\":[{\"n\":1,\"size\":1,\"sha256\":\"" SHA_A "\",\"findings\":[{\"check\":\"identifier\",\"severity\":\"block\"}]},"
	    "{\"n\":2,\"size\":1,\"sha256\":\"" SHA_B "\"}]}}",
	    "{\"result\":{\"files\":[{\"n\":1,\"size\":1,\"sha256\":\"" SHA_A "\"},{\"n\":2,\"size\":0}]}}", "{\"result\":{}}",
	    "{\"failed\":\"cell-closed\"}"};
	struct home *o = *state;
	struct scene s = scanning(o);

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		ok(job_done(o, ROLE_SCRUB, s.job, bad[i]));
		assert_string_equal(state_of(o, s.request), "blocked");
		refused(asksf(o, "otto", "airlock.review", "{\"request\":\"%s\",\"decision\":\"approve\",\"digest\":\"" SHA_A "\"}", s.request.z), STATE);
		ok(request_asks(o, "ruth", "airlock.check", s.request));
		s.job = named("job");
	}
	fails(job_done(o, ROLE_SCRUB, s.job, "{\"result\":{\"files\":[{\"n\":3,\"sha256\":\"" SHA_A "\"}]}}"), ERR_INVALID);
	ok(job_done(o, ROLE_SCRUB, s.job, COLLECTED));
	assert_string_equal(state_of(o, s.request), "review");
}

static void
a_job_that_dies_decides_nothing(void **state)
{
	struct home *o = *state;
	struct scene s = scanning(o);

	o->mono_us += (JOB_S + 1) * US_PER_S;
	assert_string_equal(state_of(o, s.request), "blocked");
	assert_string_equal(get("reason"), "interrupted");
	fails(job_done(o, ROLE_SCRUB, s.job, COLLECTED), ERR_UNAUTHENTICATED);
	ok(request_asks(o, "ruth", "airlock.check", s.request));
	s.job = named("job");
	ok(job_done(o, ROLE_SCRUB, s.job, COLLECTED));
	ok(decide(o, s.request, "otto", "airlock.review", "approve"));
	ok(decide(o, s.request, "olga", "airlock.review", "approve"));
	ok(request_asks(o, "ruth", "airlock.release", s.request));
	s.job = named("job");
	ok(asks(o, "sam", "lockdown.on", "{}")); /* nothing leaves a locked house, also not what was on its way */
	ok(job_done(o, ROLE_SCRUB, s.job, SAME));
	ok(asks(o, "sam", "lockdown.lift", "{}"));
	ok(asks(o, "sue", "lockdown.lift", "{}"));
	assert_string_equal(state_of(o, s.request), "approved");
	release(o, &s, SAME);
	assert_string_equal(state_of(o, s.request), "released");
}

/* ---- looking ---- */

static struct err
view(struct home *o, const char *who, struct name request, const char *n)
{
	return asksf(o, who, "airlock.file", "{\"request\":\"%s\",\"n\":\"%s\"}", request.z, n);
}

static void
every_look_is_allowed_and_recorded(void **state)
{
	struct home *o = *state;
	struct scene s = in_review(o);
	AUTO_DOC *record = NULL;
	struct name job;

	ok(view(o, "otto", s.request, "2"));
	assert_string_equal(get("sha256"), SHA_B);
	job = named("job");
	record = newest(o, "airlock.view");
	assert_int_equal(json_integer_value(json_object_get(record, "part")), 2);
	assert_string_equal(json_string_value(json_object_get(record, "object")), s.request.z);
	ok(process_asks(o, ROLE_GATE, job.z, "job.show", "{}"));
	fails(view(o, "otto", s.request, "3"), ERR_NOT_FOUND);
	fails(view(o, "otto", s.request, "0"), ERR_NOT_FOUND);
	fails(view(o, "otto", s.request, "x"), ERR_INVALID);
	refused(view(o, "ruth", s.request, "1"), STATE); /* her own, before it is released */
	refused(view(o, "rita", s.request, "1"), STATE);
	refused(view(o, "rolf", s.request, "1"), NOT_IN_STUDY);
	refused(view(o, "paula", s.request, "1"), STATE); /* not her turn */
	refused(view(o, "root-admin", s.request, "1"), ROLE);
	refused(view(o, "audrey", s.request, "1"), ROLE);
	ok(decide(o, s.request, "otto", "airlock.review", "approve"));
	ok(decide(o, s.request, "olga", "airlock.review", "approve"));
	/* the look is over for whoever had leave a moment ago */
	fails(process_asks(o, ROLE_GATE, job.z, "job.show", "{}"), ERR_UNAUTHENTICATED);
	refused(view(o, "otto", s.request, "1"), STATE);
	release(o, &s, SAME);
	ok(view(o, "pia", s.request, "1"));
	json_decref(record);
	record = newest(o, "airlock.download");
	assert_int_equal(json_integer_value(json_object_get(record, "part")), 1);
	refused(view(o, "rolf", s.request, "1"), NOT_IN_STUDY);
	ok(request_asks(o, "paula", "airlock.recall", s.request));
	refused(view(o, "pia", s.request, "1"), STATE);
	assert_string_equal(state_of(o, s.request), "recalled");
}

/* ---- its end ---- */

static void
withdrawn_recalled_expired(void **state)
{
	struct home *o = *state;
	struct name study = approved_study(o);
	struct scene s = scene_of(o, study);

	refused(request_asks(o, "pia", "airlock.withdraw", s.request), NOT_IN_STUDY);
	ok(request_asks(o, "ruth", "airlock.withdraw", s.request));
	fails(job_done(o, ROLE_SCRUB, s.job, COLLECTED), ERR_UNAUTHENTICATED); /* its job has nothing left to do */
	assert_string_equal(state_of(o, s.request), "withdrawn");
	refused(request_asks(o, "ruth", "airlock.withdraw", s.request), STATE);
	ok(asksf(o, "ruth", "cell.close", "{\"cell\":\"%s\"}", s.cell.z));
	s = approved(o, study);
	refused(request_asks(o, "ruth", "airlock.recall", s.request), ROLE);
	ok(request_asks(o, "sam", "airlock.recall", s.request));
	refused(request_asks(o, "ruth", "airlock.release", s.request), STATE);
	ok(asksf(o, "ruth", "cell.close", "{\"cell\":\"%s\"}", s.cell.z));
	s = approved(o, study);
	clock_fake_us(TODAY + AIRLOCK_DAYS * DAY_US);
	assert_string_equal(state_of(o, s.request), "expired");
	refused(request_asks(o, "ruth", "airlock.release", s.request), STATE);
	refused(request_asks(o, "sam", "airlock.recall", s.request), STATE);
}

static void
an_expired_basis_closes_the_airlock(void **state)
{
	struct home *o = *state;
	struct scene s;

	clock_fake_us(TODAY + 128 * DAY_US); /* two days before its end */
	s = in_review(o);
	ok(decide(o, s.request, "otto", "airlock.review", "approve"));
	clock_fake_us(TODAY + 130 * DAY_US);
	refused(view(o, "olga", s.request, "1"), BASIS_EXPIRED);
	refused(decide(o, s.request, "olga", "airlock.review", "approve"), BASIS_EXPIRED);
	recorded_refusal(o, "airlock.review", s.study, "basis-expired");
	clock_fake_us(TODAY + 129 * DAY_US);
	ok(decide(o, s.request, "olga", "airlock.review", "approve"));
	clock_fake_us(TODAY + 130 * DAY_US);
	refused(request_asks(o, "ruth", "airlock.release", s.request), BASIS_EXPIRED);
	clock_fake_us(TODAY + 129 * DAY_US);
	ok(request_asks(o, "ruth", "airlock.release", s.request));
	s.job = named("job");
	clock_fake_us(TODAY + 130 * DAY_US); /* between the order and the end of the comparison */
	fails(job_done(o, ROLE_SCRUB, s.job, SAME), ERR_UNAUTHENTICATED);
	ok(request_asks(o, "ruth", "airlock.withdraw", s.request).code == ERR_DENIED ? OK : ERR(ERR_INVALID)); /* the job lives still */
	o->mono_us += (JOB_S + 1) * US_PER_S;
	ok(request_asks(o, "ruth", "airlock.withdraw", s.request));
}

/* ---- in ---- */

static void
what_comes_in_is_what_was_announced(void **state)
{
	struct home *o = *state;
	struct scene s = scanning(o);

	fails(asksf(o, "ruth", "airlock.submit",
	    "{\"cell\":\"%s\",\"direction\":\"in\",\"context\":\"c\",\"purpose\":\"p\",\"files\":[{\"name\":\"ref.csv\"}]}", s.cell.z), ERR_INVALID);
	ok(asksf(o, "ruth", "airlock.submit",
	    "{\"cell\":\"%s\",\"direction\":\"in\",\"context\":\"c\",\"purpose\":\"p\","
	    "\"files\":[{\"name\":\"ref.csv\",\"size\":10,\"sha256\":\"" SHA_A "\"}]}",
	    s.cell.z));
	s.request = named("request");
	assert_string_equal(get("job"), "");
	fails(request_asks(o, "ruth", "airlock.check", s.request), ERR_CONFLICT); /* nothing has come yet */
	refused(asksf(o, "pia", "airlock.upload", "{\"request\":\"%s\",\"n\":\"1\"}", s.request.z), NOT_IN_STUDY);
	ok(asksf(o, "ruth", "airlock.upload", "{\"request\":\"%s\",\"n\":\"1\"}", s.request.z));
	s.job = named("job");
	fails(job_done(o, ROLE_GATE, s.job, "{\"sha256\":\"" SHA_B "\",\"size\":10}"), ERR_INVALID);
	ok(job_done(o, ROLE_GATE, s.job, "{}"));
	ok(request_asks(o, "ruth", "airlock.check", s.request));
	s.job = named("job");
	/* other bytes are there than were announced */
	ok(job_done(o, ROLE_SCRUB, s.job, "{\"result\":{\"files\":[{\"n\":1,\"size\":10,\"sha256\":\"" SHA_B "\"}]}}"));
	assert_string_equal(state_of(o, s.request), "blocked");
	assert_string_equal(get("reason"), "digest");
	ok(asksf(o, "ruth", "airlock.upload", "{\"request\":\"%s\",\"n\":1}", s.request.z));
	s.job = named("job");
	ok(job_done(o, ROLE_GATE, s.job, "{\"sha256\":\"" SHA_A "\",\"size\":10}"));
	ok(request_asks(o, "ruth", "airlock.check", s.request));
	s.job = named("job");
	ok(job_done(o, ROLE_SCRUB, s.job, "{\"result\":{\"files\":[{\"n\":1,\"size\":10,\"type\":\"csv\",\"sha256\":\"" SHA_A "\"}]}}"));
	refused(asksf(o, "ruth", "airlock.upload", "{\"request\":\"%s\",\"n\":1}", s.request.z), STATE); /* it is being looked at */
	ok(decide(o, s.request, "otto", "airlock.review", "approve"));
	ok(decide(o, s.request, "olga", "airlock.review", "approve"));
	release(o, &s, "{\"result\":{\"files\":[{\"n\":1,\"sha256\":\"" SHA_A "\"}]}}");
	assert_string_equal(state_of(o, s.request), "released");
	ok(asks(o, "paula", "disclosure.list", "{}")); /* nothing was told to anybody */
	assert_int_equal(json_array_size(json_object_get(said, "disclosures")), 0);
}

/* ---- what is asked wrongly ---- */

static void
names_and_texts_have_rules(void **state)
{
#define REST "\"context\":\"c\",\"purpose\":\"p\",\"recipient\":{\"name\":\"n\",\"address\":\"a\"}"
	static const char *const bad[] = {"\"direction\":\"out\",\"files\":[]," REST, "\"direction\":\"out\",\"files\":[\"../x\"]," REST,
	    "\"direction\":\"out\",\"files\":[\"/etc/passwd\"]," REST, "\"direction\":\"out\",\"files\":[\"a\",\"a\"]," REST,
	    "\"direction\":\"out\",\"files\":[\"patient_john_smith_mrn_00123456.csv\"]," REST,
	    "\"direction\":\"out\",\"files\":[\"ssn-123-45-6789.csv\"]," REST, "\"direction\":\"up\",\"files\":[\"a\"]," REST,
	    "\"direction\":\"out\",\"files\":[\"a\"],\"context\":\"c\",\"purpose\":\"p\"",
	    "\"direction\":\"out\",\"files\":[\"a\"],\"context\":\"\",\"purpose\":\"p\",\"recipient\":{\"name\":\"n\",\"address\":\"a\"}",
	    "\"direction\":\"out\",\"files\":[\"a\"],\"context\":\"c\",\"purpose\":\"p\",\"recipient\":{\"name\":\"n\"}"};
	struct home *o = *state;
	struct scene s = scanning(o);
	AUTO_BUF many = BUF(8 * KiB);

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		fails(asksf(o, "ruth", "airlock.submit", "{\"cell\":\"%s\",%s}", s.cell.z, bad[i]), ERR_INVALID);
	for (unsigned i = 0; i <= LIMIT_AIRLOCK_FILES; i++)
		buf_printf(&many, "%s\"f%u\"", i ? "," : "", i);
	buf_put_char(&many, 0);
	fails(asksf(o, "ruth", "airlock.submit", "{\"cell\":\"%s\",\"direction\":\"out\",\"files\":[%s]," REST "}", s.cell.z, many.p), ERR_INVALID);
	refused(asksf(o, "pia", "airlock.submit", "{\"cell\":\"%s\",\"direction\":\"out\",\"files\":[\"a\"]," REST "}", s.cell.z), NOT_IN_STUDY);
	ok(asksf(o, "ruth", "cell.close", "{\"cell\":\"%s\"}", s.cell.z));
	refused(asksf(o, "ruth", "airlock.submit", "{\"cell\":\"%s\",\"direction\":\"out\",\"files\":[\"a\"]," REST "}", s.cell.z), STATE);
}

/* ---- canary ---- */

static void
no_text_reaches_the_ledger_or_the_disk(void **state)
{
	struct home *o = *state;
	struct scene s = approved(o, approved_study(o));
	struct ledger_query q = {.max = 200};
	struct ledger_entry *entries = calloc(200, sizeof(*entries));
	static const char *const texts[] = {
	    "Sepsis", "A41.9", "Table 1", "table1", "plot.png", "Journal", "Example Street", "the paper", "P-117", "row 3", "seen"};
	AUTO_BUF disk = BUF(8 * MiB);
	bool more = true;

	release(o, &s, SAME);
	assert_non_null(entries);
	while (more) {
		AUTO_MSG reply = MSG(0);
		size_t n = 0;

		ok(ledger_query(&o->h->ledger, &q, &reply, entries, &n, &more));
		for (size_t i = 0; i < n; i++) {
			for (size_t k = 0; k < ARRAY_LEN(texts); k++)
				assert_int_equal(str_find(entries[i].json, str_c(texts[k])), SIZE_MAX);
			q.before = entries[i].index;
		}
		more = more && n > 0;
	}
	free(entries);
	ok(fd_read_file(AT_FDCWD, o->db, &disk));
	for (size_t k = 0; k < ARRAY_LEN(texts); k++)
		if (strlen(texts[k]) > 5)
			assert_int_equal(str_find(buf_str(&disk), str_c(texts[k])), SIZE_MAX);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, governed_setup, governed_teardown)
		T(two_approve_and_it_leaves_with_its_disclosure),
		T(where_the_rule_asks_for_none_there_is_none),
		T(who_may_not_review_does_not),
		T(a_reviewer_who_is_revoked_has_not_reviewed),
		T(a_long_description_is_cut_between_characters),
		T(a_list_tells_a_reviewer_his_own_word_only),
		T(reviews_are_blind_until_they_are_done),
		T(returned_and_submitted_again_it_is_decided_anew),
		T(one_other_byte_does_not_leave),
		T(what_the_checks_find_blocks),
		T(a_job_that_dies_decides_nothing),
		T(every_look_is_allowed_and_recorded),
		T(withdrawn_recalled_expired),
		T(an_expired_basis_closes_the_airlock),
		T(what_comes_in_is_what_was_announced),
		T(names_and_texts_have_rules),
		T(no_text_reaches_the_ledger_or_the_disk),
	};

	signal(SIGPIPE, SIG_IGN);
	start_breeder();
	ok(warden_init());
	return cmocka_run_group_tests(tests, NULL, NULL);
}
