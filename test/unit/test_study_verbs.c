/* Studies, releases and cells as people and processes ask for them, and as those ask who may not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "governed_fixture.h"

#define NOBODY "0123456789abcdef0123456789abcdef"

/* ---- what an ingest tells ---- */

static const json_t *
flow_of(struct home *o, const char *feed)
{
	size_t i;
	json_t *one;

	ok(asks(o, "audrey", "flow.show", "{}"));
	json_array_foreach(json_object_get(said, "feeds"), i, one)
		if (strcmp(json_string_value(json_object_get(one, "name")), feed) == 0)
			return one;
	fail();
	return NULL;
}

static struct err
ingested(struct home *o, unsigned upto, struct name feed, const char *counts)
{
	char told[1024];
	struct name job;

	ok(process_asks(o, ROLE_STEWARD, "", "ingest.start", "{\"newest\":9}"));
	job = named("job");
	ok(process_asks(o, ROLE_SCRUB, job.z, "job.show", "{}"));
	snprintf(told, sizeof(told),
	    "{\"watermark\":%u,\"delivered\":{\"%s\":%s,\"no id\":{\"accepted\":9},\"" NOBODY "\":{\"accepted\":9}}}", upto, feed.z, counts);
	return process_asks(o, ROLE_SCRUB, job.z, "job.done", told);
}

static void
an_ingest_counts_for_feeds_and_nobody_else(void **state)
{
	struct home *o = *state;
	struct name feed;

	ok(asks(o, "root-admin", "user.add", "{\"name\":\"north\",\"roles\":[\"feed\"],\"service\":true}"));
	feed = named("id");
	assert_null(json_object_get(flow_of(o, "north"), "accepted"));
	ok(ingested(o, 1, feed, "{\"accepted\":3,\"refused\":1,\"last\":\"2026-01-01T00:00:00.500Z\"}"));
	ok(ingested(o, 2, feed, "{\"accepted\":2,\"last\":\"2025-01-01T00:00:00.000Z\"}")); /* an older one takes nothing back */
	ok(ingested(o, 3, feed, "{\"accepted\":1,\"last\":\"Xiomara Vexley\"}"));          /* nor is what is no time shown */
	fails(ingested(o, 4, feed, "{\"accepted\":-5}"), ERR_INVALID);
	assert_int_equal(json_integer_value(json_object_get(flow_of(o, "north"), "accepted")), 6);
	assert_int_equal(json_integer_value(json_object_get(flow_of(o, "north"), "refused")), 1);
	assert_string_equal(json_string_value(json_object_get(flow_of(o, "north"), "last")), "2026-01-01T00:00:00.500Z");
	assert_int_equal(json_array_size(json_object_get(said, "feeds")), 1);
}

/* ---- who may ask at all ---- */

static void
the_administrator_governs_nothing(void **state)
{
	struct home *o = *state;
	struct name study = approved_study(o);
	size_t n = 0;

	for (const struct verb *v = governance.verbs; v->name; v++, n++)
		refused(asksf(o, "root-admin", v->name, "{\"study\":\"%s\"}", study.z), ROLE);
	assert_true(n > 30);
}

static void
what_processes_ask_nobody_else_may(void **state)
{
	static const char *const people_of_all_kinds[] = {"pia", "ruth", "sam", "paula", "otto", "audrey"};
	static const enum role processes[] = {ROLE_GATE, ROLE_CELL, ROLE_SCRUB, ROLE_STEWARD, ROLE_INTAKE};
	struct home *o = *state;

	for (const struct verb *v = governance.verbs; v->name; v++) {
		for (size_t i = 0; v->processes && i < ARRAY_LEN(people_of_all_kinds); i++)
			refused(asks(o, people_of_all_kinds[i], v->name, "{}"), ROLE);
		for (size_t i = 0; i < ARRAY_LEN(processes); i++)
			if (!(v->processes >> processes[i] & 1))
				refused(process_asks(o, processes[i], "", v->name, "{}"), ROLE);
	}
}

static void
a_stranger_to_the_study_is_refused(void **state)
{
	static const char *const verbs[] = {"study.show", "study.count", "release.make", "release.list", "cell.open"};
	struct home *o = *state;
	struct name study = approved_study(o), release = ready_release(o, study), cell = open_cell(o, study, release);

	for (size_t i = 0; i < ARRAY_LEN(verbs); i++) {
		refused(asksf(o, "rolf", verbs[i], "{\"study\":\"%s\"}", study.z), NOT_IN_STUDY);
		assert_true(strlen(get("message")) > 10); /* and he is told why */
		recorded_refusal(o, verbs[i], study, "not-in-study");
	}
	refused(asksf(o, "rolf", "release.show", "{\"release\":\"%s\"}", release.z), NOT_IN_STUDY);
	refused(asksf(o, "rolf", "cell.show", "{\"cell\":\"%s\"}", cell.z), NOT_IN_STUDY);
	refused(asksf(o, "rolf", "cell.enter", "{\"cell\":\"%s\"}", cell.z), NOT_IN_STUDY);
	/* and of the study, but not the owner */
	refused(asksf(o, "pia", "cell.enter", "{\"cell\":\"%s\"}", cell.z), NOT_IN_STUDY);
	refused(asksf(o, "rita", "cell.close", "{\"cell\":\"%s\"}", cell.z), NOT_IN_STUDY);
	refused(asksf(o, "paul", "study.set", "{\"study\":\"%s\",\"title\":\"Mine\"}", study.z), NOT_IN_STUDY);
	refused(asksf(o, "paul", "study.close", "{\"study\":\"%s\"}", study.z), NOT_IN_STUDY);
	ok(asks(o, "rolf", "study.list", "{}"));
	assert_int_equal(json_array_size(json_object_get(said, "studies")), 0);
	ok(asks(o, "ruth", "study.list", "{}"));
	assert_int_equal(json_array_size(json_object_get(said, "studies")), 1);
	/* what is not there and what is another's study looks the same to who guesses ids */
	fails(asks(o, "rolf", "study.show", "{\"study\":\"00112233445566778899aabbccddeeff\"}"), ERR_NOT_FOUND);
}

/* ---- approval ---- */

static void
approval_makes_the_domain_in_the_same_change(void **state)
{
	struct home *o = *state;
	struct name study = add_study(o);
	char domain[STUDY_BUCKET_BYTES];
	AUTO_DOC *record = NULL;
	struct id id;

	ok(id_parse(str_c(study.z), &id));
	study_bucket(id, domain);
	add_basis(o, study, "irb-approval");
	assert_null(domain_by_name(&o->h->domains, str_c(domain)));
	sign_all(o, study);
	assert_non_null(domain_by_name(&o->h->domains, str_c(domain)));
	assert_string_equal(get("state"), "approved");
	record = newest(o, "study.approved");
	assert_string_equal(json_string_value(json_object_get(record, "digest")), get("digest"));
	assert_string_equal(json_string_value(json_object_get(record, "study")), study.z);
	assert_non_null(json_object_get(record, "domain"));
	/* it is all there after a restart */
	close_house(o);
	ok(open_house(o));
	ok(asksf(o, "pia", "study.show", "{\"study\":\"%s\"}", study.z));
	assert_true(json_is_true(json_object_get(said, "valid")));
	/* changed and approved again: the same domain */
	ok(asksf(o, "pia", "study.set", "{\"study\":\"%s\",\"title\":\"Sepsis\"}", study.z));
	assert_string_equal(get("state"), "review");
	assert_false(json_is_true(json_object_get(said, "valid")));
	sign_all(o, study);
	assert_true(json_is_true(json_object_get(said, "valid")));
}

static void
a_domain_that_was_there_before_stops_no_approval(void **state)
{
	struct home *o = *state;
	struct name study = add_study(o);
	char domain[STUDY_BUCKET_BYTES];
	struct id id;

	ok(id_parse(str_c(study.z), &id));
	study_bucket(id, domain);
	ok(asksf(o, "root-admin", "domain.create", "{\"name\":\"%s\"}", domain));
	add_basis(o, study, "irb-approval");
	sign_all(o, study);
	assert_true(json_is_true(json_object_get(said, "valid")));
	assert_non_null(registry_study(registry_of(o->h), id)->s.seed);
	/* destroyed, it does not come back with another approval */
	ok(asksf(o, "sam", "domain.destroy", "{\"domain\":\"%s\",\"confirm\":\"%s\"}", domain, domain));
	ok(asksf(o, "sue", "domain.destroy", "{\"domain\":\"%s\",\"confirm\":\"%s\"}", domain, domain));
	refused(asksf(o, "pia", "study.set", "{\"study\":\"%s\",\"title\":\"Again\"}", study.z), STUDY_CLOSED);
}

static void
signatures_are_refused_for_their_reasons(void **state)
{
	struct home *o = *state;
	struct name study = add_study(o);

	refused(sign_as(o, study, "sam", "security"), SIGNATURE_MISSING);
	recorded_refusal(o, "study.sign", study, "signature-missing");
	refused(sign_as(o, study, "ivan", "management"), ROLE); /* his review is another */
	refused(sign_as(o, study, "sam", "it"), ROLE);
	refused(asksf(o, "ivan", "study.sign", "{\"study\":\"%s\",\"review\":\"it\",\"decision\":\"sign\",\"digest\":\"" SHA_A "\"}", study.z), DIGEST);
	ok(sign_as(o, study, "triple", "it"));
	refused(sign_as(o, study, "triple", "management"), SIGNED_ALREADY);
	ok(sign_as(o, study, "mona", "management"));
	ok(sign_as(o, study, "rhea", "research"));
	refused(sign_as(o, study, "sam", "security"), BASIS_MISSING);
	add_basis(o, study, "irb-waiver"); /* which is bound: they sign anew */
	refused(sign_as(o, study, "sam", "security"), SIGNATURE_MISSING);
	ok(sign_as(o, study, "ivan", "it"));
	ok(sign_as(o, study, "mona", "management"));
	ok(sign_as(o, study, "rhea", "research"));
	set_revoked(o, "rhea", true);
	refused(sign_as(o, study, "sam", "security"), SIGNATURE_MISSING);
	ok(sign_as(o, study, "triple", "research"));
	clock_fake_us(TODAY + 200 * DAY_US);
	refused(sign_as(o, study, "sam", "security"), BASIS_EXPIRED);
	clock_fake_us(TODAY);
	ok(sign_as(o, study, "sam", "security"));
	refused(sign_as(o, study, "sue", "security"), STATE);
}

static void
who_is_in_the_study_decides_nothing_about_it(void **state)
{
	struct home *o = *state;
	struct name study;

	put_person(o, "ruth", R(RESEARCHER) | R(IT_REVIEWER) | R(IRB_MEMBER), false);
	study = add_study(o);
	refused(sign_as(o, study, "ruth", "it"), OWN_REQUEST);
	recorded_refusal(o, "study.sign", study, "own-request");
	refused(asksf(o, "ruth", "study.basis",
	    "{\"study\":\"%s\",\"kind\":\"irb-approval\",\"board\":\"B\",\"number\":\"7\"," DOCUMENT ",\"expires\":\"2027-03-31\"}", study.z),
	    OWN_REQUEST);
}

static void
a_refusal_blocks_until_a_change(void **state)
{
	struct home *o = *state;
	struct name study = add_study(o);
	AUTO_DOC *record = NULL;

	add_basis(o, study, "irb-approval");
	ok(asksf(o, "audrey", "study.show", "{\"study\":\"%s\"}", study.z));
	ok(asksf(o, "mona", "study.sign", "{\"study\":\"%s\",\"review\":\"management\",\"decision\":\"refuse\",\"comment\":\"too wide\",\"digest\":\"%s\"}",
	    study.z, get("digest")));
	record = newest(o, "study.sign-refused");
	assert_string_equal(json_string_value(json_object_get(record, "rule")), "management");
	refused(sign_as(o, study, "ivan", "it"), REFUSED);
	refused(sign_as(o, study, "mona", "management"), REFUSED);
	ok(asksf(o, "pia", "study.set", "{\"study\":\"%s\",\"description\":\"Other words\"}", study.z));
	refused(sign_as(o, study, "ivan", "it"), REFUSED);
	ok(asksf(o, "pia", "study.set", "{\"study\":\"%s\",\"tables\":[\"person\",\"visit\"]}", study.z));
	sign_all(o, study);
}

static void
an_investigator_who_left_is_followed_by_another(void **state)
{
	struct home *o = *state;
	struct name study = approved_study(o);

	refused(asksf(o, "sam", "study.set", "{\"study\":\"%s\",\"pi\":\"paul\"}", study.z), NOT_IN_STUDY);
	set_revoked(o, "pia", true);
	refused(asksf(o, "ruth", "release.make", "{\"study\":\"%s\"}", study.z), STUDY_NOT_APPROVED);
	fails(asksf(o, "sam", "study.set", "{\"study\":\"%s\",\"pi\":\"rolf\"}", study.z), ERR_INVALID);
	ok(asksf(o, "sam", "study.set", "{\"study\":\"%s\",\"pi\":\"paul\",\"title\":\"Mine now\"}", study.z));
	assert_string_equal(get("title"), "Sepsis and lactate"); /* he hands it on, and nothing else */
	assert_string_equal(get("pi"), "paul");
	assert_string_equal(get("state"), "review");
	sign_all(o, study);
}

static void
what_is_asked_wrongly_is_told(void **state)
{
	static const char *const bad[] = {"{}", "{\"title\":\"T\"}", "{\"title\":\"\",\"protocol\":\"P\",\"cohort\":\"C\"}",
	    "{\"title\":7,\"protocol\":\"P\",\"cohort\":\"C\"}", "{\"title\":\"a\\nb\",\"protocol\":\"P\",\"cohort\":\"C\"}",
	    "{\"title\":\"T\",\"protocol\":\"P\",\"cohort\":\"C\",\"profile\":\"identified\"}",
	    "{\"title\":\"T\",\"protocol\":\"P\",\"cohort\":\"C\",\"people\":[\"nobody\"]}",
	    "{\"title\":\"T\",\"protocol\":\"P\",\"cohort\":\"C\",\"people\":[\"sam\"]}",
	    "{\"title\":\"T\",\"protocol\":\"P\",\"cohort\":\"C\",\"people\":\"ruth\"}",
	    "{\"title\":\"T\",\"protocol\":\"P\",\"cohort\":\"C\",\"tables\":[\"patients\"]}",
	    "{\"title\":\"T\",\"protocol\":\"P\",\"cohort\":\"C\",\"tables\":[]}",
	    "{\"title\":\"T\",\"protocol\":\"P\",\"cohort\":\"C\",\"limits\":{\"cpus\":100000}}"};
	static const char *const bad_basis[] = {"\"kind\":\"verbal\",\"expires\":\"2027-03-31\"," DOCUMENT,
	    "\"kind\":\"irb-approval\",\"expires\":\"2026-11-21\"," DOCUMENT,
	    "\"kind\":\"irb-approval\",\"expires\":\"2099-01-01\"," DOCUMENT, "\"kind\":\"irb-approval\",\"expires\":\"soon\"," DOCUMENT,
	    "\"kind\":\"irb-approval\",\"expires\":\"2027-03-31\",\"document_sha256\":\"2c26\""};
	struct home *o = *state;
	struct name study = add_study(o);
	char big[LIMIT_STUDY_TITLE + 2];

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		fails(asks(o, "pia", "study.add", bad[i]), ERR_INVALID);
	memset(big, 't', sizeof(big) - 1);
	big[sizeof(big) - 1] = 0;
	fails(asksf(o, "pia", "study.add", "{\"title\":\"%s\",\"protocol\":\"P\",\"cohort\":\"C\"}", big), ERR_INVALID);
	big[LIMIT_STUDY_TITLE] = 0;
	ok(asksf(o, "pia", "study.add", "{\"title\":\"%s\",\"protocol\":\"P\",\"cohort\":\"C\"}", big));
	for (size_t i = 0; i < ARRAY_LEN(bad_basis); i++)
		fails(asksf(o, "bo", "study.basis", "{\"study\":\"%s\",\"board\":\"B\",\"number\":\"1\",%s}", study.z, bad_basis[i]), ERR_INVALID);
	/* its last day is today: it holds */
	ok(asksf(o, "bo", "study.basis",
	    "{\"study\":\"%s\",\"kind\":\"irb-approval\",\"board\":\"B\",\"number\":\"1\",\"expires\":\"2026-11-22\"," DOCUMENT "}", study.z));
}

static void
a_long_list_comes_in_pages(void **state)
{
	struct home *o = *state;
	char last[ID_HEX_LEN + 1];
	const json_t *list;
	size_t seen = 0;

	for (int i = 0; i < LIMIT_LIST + 5; i++) {
		clock_fake_us(TODAY + i);
		ok(asks(o, "pia", "study.add", "{\"title\":\"T\",\"protocol\":\"P\",\"cohort\":\"C\"}"));
	}
	ok(asks(o, "pia", "study.list", "{}"));
	for (;;) {
		list = json_object_get(said, "studies");
		seen += json_array_size(list);
		if (!json_is_true(json_object_get(said, "more")))
			break;
		assert_true(json_array_size(list) > 0);
		snprintf(last, sizeof(last), "%s", json_string_value(json_object_get(json_array_get(list, json_array_size(list) - 1), "id")));
		ok(asksf(o, "pia", "study.list", "{\"after\":\"%s\"}", last));
	}
	assert_int_equal(seen, LIMIT_LIST + 5);
}

/* ---- releases ---- */

static void
a_release_has_a_version_and_a_job(void **state)
{
	struct home *o = *state;
	struct name study = approved_study(o), release, job;
	AUTO_DOC *record = NULL;

	ok(asksf(o, "ruth", "release.make", "{\"study\":\"%s\"}", study.z));
	release = named("release");
	job = named("job");
	fails(asksf(o, "pia", "release.make", "{\"study\":\"%s\"}", study.z), ERR_CONFLICT); /* one at a time */
	ok(process_asks(o, ROLE_SCRUB, job.z, "job.show", "{}"));
	assert_string_equal(json_string_value(json_object_get(json_object_get(said, "study"), "cohort")), COHORT);
	assert_string_equal(json_string_value(json_object_get(json_object_get(said, "release"), "id")), release.z);
	ok(job_done(o, ROLE_SCRUB, job, RELEASE_RESULT));
	ok(asksf(o, "pia", "release.show", "{\"release\":\"%s\"}", release.z));
	assert_string_equal(get("state"), "ready");
	assert_int_equal(json_integer_value(json_object_get(said, "version")), 1);
	assert_int_equal(json_integer_value(json_object_get(said, "patients")), 40);
	assert_string_equal(get("manifest_sha256"), SHA_B);
	record = newest(o, "release.made");
	assert_string_equal(json_string_value(json_object_get(record, "object")), release.z);
	assert_string_equal(json_string_value(json_object_get(record, "digest")), SHA_B);
	ok(asksf(o, "pia", "release.make", "{\"study\":\"%s\"}", study.z));
	job = named("job");
	ok(job_done(o, ROLE_SCRUB, job, "{\"failed\":\"small-difference\"}"));
	ok(asksf(o, "pia", "release.list", "{\"study\":\"%s\"}", study.z));
	assert_int_equal(json_array_size(json_object_get(said, "releases")), 2);
	assert_string_equal(json_string_value(json_object_get(json_array_get(json_object_get(said, "releases"), 0), "state")), "refused");
	assert_string_equal(json_string_value(json_object_get(json_array_get(json_object_get(said, "releases"), 0), "reason")), "small-difference");
}

static void
what_a_job_tells_is_checked(void **state)
{
	static const char *const bad[] = {"{\"result\":{}}", "{\"result\":{\"manifest_sha256\":\"00\"}}",
	    "{\"result\":{\"manifest_sha256\":\"" SHA_A "\",\"patients\":-1}}",
	    "{\"result\":{\"manifest_sha256\":\"" SHA_A "\",\"rows\":{\"person\":\"many\"}}}",
	    "{\"result\":{\"manifest_sha256\":\"" SHA_A "\",\"files\":[{\"name\":\"../x\",\"size\":1,\"sha256\":\"" SHA_A "\"}]}}",
	    "{\"result\":{\"manifest_sha256\":\"" SHA_A "\",\"files\":[{\"name\":\"x\",\"size\":1}]}}"};
	struct home *o = *state;
	struct name study = approved_study(o), release, job;

	ok(asksf(o, "ruth", "release.make", "{\"study\":\"%s\"}", study.z));
	release = named("release");
	job = named("job");
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		fails(job_done(o, ROLE_SCRUB, job, bad[i]), ERR_INVALID);
	/* its process ends without a word: the house knows */
	ok(process_asks(o, ROLE_STEWARD, "", "job.ended", "{}").code == ERR_NOT_FOUND ? OK : ERR(ERR_INVALID));
	{
		char params[64];

		snprintf(params, sizeof(params), "{\"id\":\"%s\"}", job.z);
		ok(process_asks(o, ROLE_STEWARD, "", "job.ended", params));
	}
	ok(asksf(o, "pia", "release.show", "{\"release\":\"%s\"}", release.z));
	assert_string_equal(get("state"), "refused");
	fails(job_done(o, ROLE_SCRUB, job, RELEASE_RESULT), ERR_UNAUTHENTICATED); /* too late */
}

static void
a_release_without_its_job_is_refused(void **state)
{
	struct home *o = *state;
	struct name study = approved_study(o), release;

	ok(asksf(o, "ruth", "release.make", "{\"study\":\"%s\"}", study.z));
	release = named("release");
	close_house(o); /* jobs live in memory */
	ok(open_house(o));
	ok(asksf(o, "ruth", "release.show", "{\"release\":\"%s\"}", release.z));
	assert_string_equal(get("state"), "refused");
	assert_string_equal(get("reason"), "interrupted");
	refused(asksf(o, "ruth", "cell.open", "{\"study\":\"%s\",\"release\":\"%s\"}", study.z, release.z), STATE);
	ok(asksf(o, "ruth", "release.make", "{\"study\":\"%s\"}", study.z));
}

static void
an_expired_basis_stops_every_use(void **state)
{
	struct home *o = *state;
	struct name study = approved_study(o), release = ready_release(o, study), cell = open_cell(o, study, release), stage = named("job"), session;
	char params[160];

	ok(asksf(o, "ruth", "cell.enter", "{\"cell\":\"%s\"}", cell.z));
	snprintf(params, sizeof(params), "{\"ticket\":\"%s\"}", get("ticket"));
	ok(process_asks(o, ROLE_GATE, "", "cell.ticket", params));
	memcpy(session.z, get("session"), ID_HEX_LEN + 1);
	snprintf(params, sizeof(params), "{\"cell\":\"%s\",\"session\":\"%s\"}", cell.z, get("session"));
	ok(process_asks(o, ROLE_GATE, "", "cell.touch", params));
	clock_fake_us(TODAY + 200 * DAY_US);
	refused(process_asks(o, ROLE_GATE, "", "cell.touch", params), STATE); /* the cell's own time is over, too */
	refused(asksf(o, "ruth", "release.make", "{\"study\":\"%s\"}", study.z), BASIS_EXPIRED);
	recorded_refusal(o, "release.make", study, "basis-expired");
	refused(asksf(o, "ruth", "cell.open", "{\"study\":\"%s\"}", study.z), BASIS_EXPIRED);
	fails(process_asks(o, ROLE_SCRUB, stage.z, "job.show", "{}"), ERR_UNAUTHENTICATED);
	ok(asksf(o, "ruth", "study.show", "{\"study\":\"%s\"}", study.z));
	assert_false(json_is_true(json_object_get(said, "valid")));
	assert_string_equal(json_string_value(json_array_get(json_object_get(said, "missing"), 0)), "basis");
}

/* ---- the key of pseudonyms ---- */

/* of a job that makes a release of ${study}; the job is ended */
static void
pseudonym_key(struct home *o, struct name study, char key[64])
{
	struct name job;

	ok(asksf(o, "ruth", "release.make", "{\"study\":\"%s\"}", study.z));
	job = named("job");
	ok(process_asks(o, ROLE_SCRUB, job.z, "job.show", "{}"));
	assert_int_equal(snprintf(key, 64, "%s", get("study_key")), 44);
	ok(job_done(o, ROLE_SCRUB, job, RELEASE_RESULT));
}

static void
pseudonyms_go_with_the_studys_domain(void **state)
{
	struct home *o = *state;
	struct name study = approved_study(o), second = approved_study(o), job;
	char key[64], again[64], other[64], domain[STUDY_BUCKET_BYTES];
	struct id id;

	pseudonym_key(o, study, key);
	pseudonym_key(o, study, again);
	pseudonym_key(o, second, other);
	assert_string_equal(key, again); /* the next version names the same people alike */
	assert_string_not_equal(key, other);
	ok(asksf(o, "ruth", "study.count", "{\"study\":\"%s\"}", study.z));
	job = named("job");
	ok(process_asks(o, ROLE_SCRUB, job.z, "job.show", "{}"));
	assert_null(json_object_get(said, "study_key")); /* a count names nobody */
	ok(asksf(o, "ruth", "release.make", "{\"study\":\"%s\"}", study.z));
	job = named("job");
	ok(id_parse(str_c(study.z), &id));
	study_bucket(id, domain);
	ok(asksf(o, "sam", "domain.destroy", "{\"domain\":\"%s\",\"confirm\":\"%s\"}", domain, domain));
	ok(asksf(o, "sue", "domain.destroy", "{\"domain\":\"%s\",\"confirm\":\"%s\"}", domain, domain));
	assert_true(err_is(process_asks(o, ROLE_SCRUB, job.z, "job.show", "{}"))); /* also for a job that was under way */
	close_house(o);
	ok(open_house(o));
	pseudonym_key(o, second, again);
	assert_string_equal(again, other);
}

/* ---- subjects ---- */

#define SUBJECT "0123456789abcdef0123456789abcdef"

static void
subjects_are_the_privacy_officers(void **state)
{
	struct home *o = *state;
	AUTO_DOC *record = NULL;

	fails(asks(o, "paula", "subject.find", "{\"mrn\":\"00123\",\"reason\":\"audit\"}"), ERR_INVALID); /* it does not come to warden */
	fails(asks(o, "paula", "subject.find", "{\"reason\":\"because of Mr Smith\"}"), ERR_INVALID);
	ok(asks(o, "paula", "subject.find", "{\"reason\":\"patient-request\"}"));
	assert_int_equal(strlen(get("job")), ID_HEX_LEN);
	ok(asks(o, "paula", "subject.accesses", "{\"subject\":\"" SUBJECT "\"}"));
	record = newest(o, "subject.accesses");
	assert_string_equal(json_string_value(json_object_get(record, "subject")), SUBJECT);
	fails(asks(o, "paula", "subject.accesses", "{\"subject\":\"John Smith\"}"), ERR_INVALID);
	for (size_t i = 0; i < 4; i++) {
		refused(asks(o, (const char *const[]){"sam", "audrey", "ruth", "root-admin"}[i], "subject.find", "{\"reason\":\"audit\"}"), ROLE);
		refused(asks(o, (const char *const[]){"sam", "audrey", "ruth", "root-admin"}[i], "subject.accesses", "{\"subject\":\"" SUBJECT "\"}"), ROLE);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, governed_setup, governed_teardown)
		T(an_ingest_counts_for_feeds_and_nobody_else),
		T(the_administrator_governs_nothing),
		T(what_processes_ask_nobody_else_may),
		T(a_stranger_to_the_study_is_refused),
		T(approval_makes_the_domain_in_the_same_change),
		T(a_domain_that_was_there_before_stops_no_approval),
		T(signatures_are_refused_for_their_reasons),
		T(who_is_in_the_study_decides_nothing_about_it),
		T(a_refusal_blocks_until_a_change),
		T(an_investigator_who_left_is_followed_by_another),
		T(what_is_asked_wrongly_is_told),
		T(a_long_list_comes_in_pages),
		T(a_release_has_a_version_and_a_job),
		T(what_a_job_tells_is_checked),
		T(a_release_without_its_job_is_refused),
		T(an_expired_basis_stops_every_use),
		T(subjects_are_the_privacy_officers),
		T(pseudonyms_go_with_the_studys_domain),
	};

	signal(SIGPIPE, SIG_IGN);
	start_breeder();
	ok(warden_init());
	return cmocka_run_group_tests(tests, NULL, NULL);
}
