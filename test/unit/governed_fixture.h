/* A house with studies, cells and the airlock, people of every role, and processes that ask as themselves. */
#ifndef TEST_GOVERNED_FIXTURE_H
#define TEST_GOVERNED_FIXTURE_H

#include "airlock/governed.h"
#include "warden_fixture.h"

#define TODAY 1795305600000000ll /* 2026-11-22T00:00:00Z */
#define DAY_US (86400 * US_PER_S)
#define R(r) (1u << PERSON_##r)
#define DOCUMENT "\"document_sha256\":\"2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae\""
#define SHA_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define SHA_B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

/* What was asked and told last. */
static UNUSED json_t *said;
static UNUSED enum verdict_reason why;

static UNUSED const char *
get(const char *name)
{
	const char *z = json_string_value(json_object_get(said, name));

	return z ? z : "";
}

/* Without the hashing of a password: what user.add leaves, or the same person with other roles. */
static UNUSED void
put_person(struct home *o, const char *name, uint32_t roles, bool service)
{
	const struct person *was = person_by_name(&o->h->people, str_c(name));
	AUTO_BUF json = BUF_WIPED(STATE_ROW_BYTES_MAX);
	struct person p = {.id = was ? was->id : id_new(), .roles = roles, .service = service, .created_us = TODAY};
	struct state_change c = {.kind = STATE_PERSON, .id = p.id};
	struct record r = {0};

	ok(roles_check(roles));
	ok(person_set_name(&p, str_c(name)));
	ok(person_set_display(&p, str_c(name)));
	ok(person_write(&p, &json));
	c.json = buf_str(&json);
	record_word(&r, RECORD_ACT, STR("user.add"));
	ok(house_change(o->h, &r, 1, &c, 1, NULL));
}

static UNUSED void
set_revoked(struct home *o, const char *name, bool revoked)
{
	const struct person *was = person_by_name(&o->h->people, str_c(name));
	AUTO_BUF json = BUF_WIPED(STATE_ROW_BYTES_MAX);
	struct person p = *was;
	struct state_change c = {.kind = STATE_PERSON, .id = p.id};
	struct record r = {0};

	p.revoked = revoked;
	if (revoked)
		p.revoked_us = clock_now_us();
	ok(person_write(&p, &json));
	c.json = buf_str(&json);
	record_word(&r, RECORD_ACT, STR("user.revoke"));
	ok(house_change(o->h, &r, 1, &c, 1, NULL));
}

/* ${name} asks; the answer is in ${said}, why not in ${why}. */
static UNUSED struct err
asks(struct home *o, const char *name, const char *verb, const char *params)
{
	AUTO_BUF token = {0};
	struct proof p = as(o, name, &token);

	return call(o, &p, verb, params, &said, &why);
}

__attribute__((format(printf, 4, 5))) static UNUSED struct err
asksf(struct home *o, const char *name, const char *verb, const char *format, ...)
{
	char params[16384];
	va_list args;

	va_start(args, format);
	assert_in_range(vsnprintf(params, sizeof(params), format, args), 0, sizeof(params) - 1);
	va_end(args);
	return asks(o, name, verb, params);
}

#define refused(e, reason)                           \
	do {                                         \
		fails(e, ERR_DENIED);                \
		assert_int_equal(why, REASON_##reason); \
	} while (0)

/* A process asks as itself; ${job}: its id, or "". */
static UNUSED struct err
process_asks(struct home *o, enum role role, const char *job, const char *verb, const char *params)
{
	AUTO_BUF out = BUF_WIPED(LIMIT_MESSAGE_BYTES);
	struct proof p = {.kind = PROOF_PROCESS, .address = STR("local")};
	struct err e;

	if (*job)
		ok(id_parse(str_c(job), &p.job));
	e = admin_run(o->h, role, &p, str_c(verb), str_c(params), clock_now_us(), o->mono_us, &out, &why);
	json_decref(said);
	said = NULL;
	ok(doc_parse(buf_str(&out), &said));
	return e;
}

/* the "job" of the answer before, kept */
struct name { char z[ID_HEX_LEN + 1]; };
static UNUSED struct name
named(const char *member)
{
	struct name n;

	assert_int_equal(strlen(get(member)), ID_HEX_LEN);
	memcpy(n.z, get(member), sizeof(n.z));
	return n;
}

static UNUSED struct err
job_done(struct home *o, enum role role, struct name job, const char *result)
{
	return process_asks(o, role, job.z, "job.done", result);
}

/* ---- people ---- */

static UNUSED void
put_people(struct home *o)
{
	static const struct {
		const char *name;
		uint32_t roles;
	} all[] = {{"pia", R(PRINCIPAL_INVESTIGATOR)}, {"ruth", R(RESEARCHER)}, {"rolf", R(RESEARCHER)}, {"paul", R(PRINCIPAL_INVESTIGATOR)},
	    {"ivan", R(IT_REVIEWER)}, {"mona", R(MANAGEMENT_REVIEWER)}, {"rhea", R(RESEARCH_REVIEWER)},
	    {"triple", R(IT_REVIEWER) | R(MANAGEMENT_REVIEWER) | R(RESEARCH_REVIEWER)},
	    {"sam", R(SECURITY_OFFICER)}, {"sue", R(SECURITY_OFFICER)}, {"bo", R(IRB_MEMBER)}, {"paula", R(PRIVACY_OFFICER)}, {"otto", R(OUTPUT_CHECKER)},
	    {"olga", R(OUTPUT_CHECKER)}, {"oskar", R(OUTPUT_CHECKER)}, {"rita", R(RESEARCHER) | R(OUTPUT_CHECKER)}, {"audrey", R(AUDITOR)}};

	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		put_person(o, all[i].name, all[i].roles, false);
}

static UNUSED int
governed_setup(void **state)
{
	with_governance = &governance;
	clock_fake_us(TODAY);
	assert_int_equal(setup(state), 0);
	put_people(*state);
	return 0;
}

static UNUSED int
governed_teardown(void **state)
{
	json_decref(said);
	said = NULL;
	return teardown(state);
}

/* ---- a study on its way ---- */

#define COHORT "SELECT patient FROM condition WHERE code = 'A41.9'"

static UNUSED struct name
add_study(struct home *o)
{
	ok(asks(o, "pia", "study.add", "{\"title\":\"Sepsis and lactate\",\"protocol\":\"P-117\",\"cohort\":\"" COHORT "\",\"people\":[\"ruth\",\"rita\"]}"));
	return named("study");
}

static UNUSED void
add_basis(struct home *o, struct name study, const char *kind)
{
	ok(asksf(o, "bo", "study.basis", "{\"study\":\"%s\",\"kind\":\"%s\",\"board\":\"Board\",\"number\":\"7\"," DOCUMENT ",\"expires\":\"2027-03-31\"}",
	    study.z, kind));
}

static UNUSED struct err
sign_as(struct home *o, struct name study, const char *who, const char *review)
{
	ok(asksf(o, "audrey", "study.show", "{\"study\":\"%s\"}", study.z));
	return asksf(o, who, "study.sign", "{\"study\":\"%s\",\"review\":\"%s\",\"decision\":\"sign\",\"comment\":\"read\",\"digest\":\"%s\"}", study.z, review,
	    get("digest"));
}

static UNUSED void
sign_all(struct home *o, struct name study)
{
	ok(sign_as(o, study, "ivan", "it"));
	ok(sign_as(o, study, "mona", "management"));
	ok(sign_as(o, study, "rhea", "research"));
	ok(sign_as(o, study, "sam", "security"));
}

static UNUSED struct name
approved_study(struct home *o)
{
	struct name study = add_study(o);

	add_basis(o, study, "irb-approval");
	sign_all(o, study);
	assert_true(json_is_true(json_object_get(said, "valid")));
	return study;
}

#define RELEASE_RESULT                                                                                                              \
	"{\"result\":{\"patients\":40,\"rows\":{\"person\":40,\"visit\":91},\"files\":[{\"name\":\"parquet/person.parquet\",\"size\":900," \
	"\"sha256\":\"" SHA_A "\"}],\"manifest_sha256\":\"" SHA_B "\",\"manifest\":{\"schema\":1},\"difference\":{\"since\":0}}}"

static UNUSED struct name
ready_release(struct home *o, struct name study)
{
	struct name release, job;

	ok(asksf(o, "ruth", "release.make", "{\"study\":\"%s\"}", study.z));
	release = named("release");
	job = named("job");
	ok(process_asks(o, ROLE_SCRUB, job.z, "job.show", "{}"));
	ok(job_done(o, ROLE_SCRUB, job, RELEASE_RESULT));
	return release;
}

static UNUSED struct name
open_cell(struct home *o, struct name study, struct name release)
{
	ok(asksf(o, "ruth", "cell.open", "{\"study\":\"%s\",\"release\":\"%s\"}", study.z, release.z));
	return named("cell");
}

/* the newest record of this act says no, to this study, for this reason */
static UNUSED void
recorded_refusal(struct home *o, const char *act, struct name study, const char *reason)
{
	AUTO_DOC *j = newest(o, act);

	assert_string_equal(json_string_value(json_object_get(j, "decision")), "deny");
	assert_string_equal(json_string_value(json_object_get(j, "reason")), reason);
	assert_string_equal(json_string_value(json_object_get(j, "study")), study.z);
}

#endif
