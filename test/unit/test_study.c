/* The rules of a study: what is bound, who signs in which order, and when it holds. No house, no clock. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/clock.h"
#include "study/study.h"

#define ok(e) assert_int_equal((e).code, ERR_NONE)
#define fails(e, c) assert_int_equal((e).code, (c))

#define NOW (1800000000 * US_PER_S) /* in January 2027 */
#define PERSON(n) ((struct id){.b = {(n), 0xEE}})

enum { PI = 1, ANN, IT, MANAGER, SCIENTIST, OFFICER, BOARD, OTHER };

static bool revoked[16];

static bool
is_active(const void *ctx, struct id p)
{
	(void)ctx;
	return !revoked[p.b[0]];
}

static const struct study_people people = {NULL, is_active};

/* A study with a basis for all of 2027. Texts are static. */
static struct study
scene(void)
{
	struct study s = {.id = {.b = {7}},
	    .pi = PERSON(PI),
	    .title = STR("Sepsis and lactate"),
	    .protocol = STR("IRB-2026-117"),
	    .cohort = STR("SELECT patient FROM condition WHERE code = 'A41.9'"),
	    .tables = STUDY_TABLES_ALL,
	    .people = {PERSON(ANN)},
	    .n_people = 1,
	    .limits = cell_limits_default(),
	    .created_us = NOW - 1};

	memset(revoked, 0, sizeof(revoked));
	s.basis = (struct basis){.id = {.b = {8}}, .kind = BASIS_IRB_APPROVAL, .board = STR("Board"), .number = STR("117"), .expires = STR("2027-12-31")};
	ok(basis_expiry(s.basis.expires, &s.basis.expires_us));
	ok(study_rebind(&s));
	return s;
}

static enum verdict_reason
may(const struct study *s, int who, enum study_review r)
{
	return study_may_sign(s, PERSON((uint8_t)who), r, s->digest, NOW, &people);
}

static void
give(struct study *s, int who, enum study_review r)
{
	assert_int_equal(may(s, who, r), REASON_NONE);
	study_sign(s, PERSON((uint8_t)who), r, false, STR("read"), NOW);
}

static struct study
approved(void)
{
	struct study s = scene();

	give(&s, IT, REVIEW_IT);
	give(&s, MANAGER, REVIEW_MANAGEMENT);
	give(&s, SCIENTIST, REVIEW_RESEARCH);
	give(&s, OFFICER, REVIEW_SECURITY);
	return s;
}

/* ---- order ---- */

static void
three_reviews_and_then_the_officer(void **state)
{
	static const enum study_review first[][3] = {{REVIEW_IT, REVIEW_MANAGEMENT, REVIEW_RESEARCH},
	    {REVIEW_RESEARCH, REVIEW_IT, REVIEW_MANAGEMENT}, {REVIEW_MANAGEMENT, REVIEW_RESEARCH, REVIEW_IT}};
	const char *words[STUDY_MISSING_MAX];

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct study s = scene();

		assert_int_equal(study_state(&s), STUDY_REVIEW); /* it has a basis */
		for (int k = 0; k < 3; k++) {
			assert_int_equal(may(&s, OFFICER, REVIEW_SECURITY), REASON_SIGNATURE_MISSING);
			assert_int_equal(study_valid(&s, NOW, &people), REASON_STUDY_NOT_APPROVED);
			give(&s, IT + k, first[i][k]);
		}
		assert_int_equal(study_missing(&s, NOW, &people, words), 1);
		assert_string_equal(words[0], "security");
		give(&s, OFFICER, REVIEW_SECURITY);
		assert_int_equal(study_state(&s), STUDY_APPROVED);
		assert_int_equal(study_valid(&s, NOW, &people), REASON_NONE);
		assert_int_equal(study_missing(&s, NOW, &people, words), 0);
	}
}

static void
a_missing_or_expired_basis_is_no_basis(void **state)
{
	struct study s = scene();

	(void)state;
	give(&s, IT, REVIEW_IT);
	give(&s, MANAGER, REVIEW_MANAGEMENT);
	give(&s, SCIENTIST, REVIEW_RESEARCH);
	assert_int_equal(
	    study_may_sign(&s, PERSON(OFFICER), REVIEW_SECURITY, s.digest, s.basis.expires_us, &people), REASON_BASIS_EXPIRED);
	assert_int_equal(
	    study_may_sign(&s, PERSON(OFFICER), REVIEW_SECURITY, s.digest, s.basis.expires_us - 1, &people), REASON_NONE);
	give(&s, OFFICER, REVIEW_SECURITY);
	assert_int_equal(study_valid(&s, s.basis.expires_us - 1, &people), REASON_NONE);
	assert_int_equal(study_valid(&s, s.basis.expires_us, &people), REASON_BASIS_EXPIRED);

	s = scene();
	s.basis = (struct basis){0};
	ok(study_rebind(&s));
	assert_int_equal(study_state(&s), STUDY_DRAFT);
	give(&s, IT, REVIEW_IT);
	give(&s, MANAGER, REVIEW_MANAGEMENT);
	give(&s, SCIENTIST, REVIEW_RESEARCH);
	assert_int_equal(may(&s, OFFICER, REVIEW_SECURITY), REASON_BASIS_MISSING);
}

static void
nobody_signs_twice_or_for_himself(void **state)
{
	struct study s = scene();

	(void)state;
	for (unsigned r = 0; r < REVIEW_COUNT; r++) {
		assert_int_equal(may(&s, PI, (enum study_review)r), REASON_OWN_REQUEST);
		assert_int_equal(may(&s, ANN, (enum study_review)r), REASON_OWN_REQUEST);
	}
	assert_int_equal(study_may_record_basis(&s, PERSON(PI)), REASON_OWN_REQUEST);
	assert_int_equal(study_may_record_basis(&s, PERSON(ANN)), REASON_OWN_REQUEST);
	assert_int_equal(study_may_record_basis(&s, PERSON(BOARD)), REASON_NONE);
	give(&s, IT, REVIEW_IT);
	assert_int_equal(may(&s, IT, REVIEW_IT), REASON_SIGNED_ALREADY);
	assert_int_equal(may(&s, IT, REVIEW_MANAGEMENT), REASON_SIGNED_ALREADY);
	assert_int_equal(may(&s, OTHER, REVIEW_IT), REASON_STATE); /* it is signed */
}

static void
a_refusal_stands_until_something_changes(void **state)
{
	struct study s = scene();

	(void)state;
	give(&s, IT, REVIEW_IT);
	study_sign(&s, PERSON(MANAGER), REVIEW_MANAGEMENT, true, STR("no"), NOW);
	assert_int_equal(may(&s, MANAGER, REVIEW_MANAGEMENT), REASON_REFUSED);
	assert_int_equal(may(&s, OTHER, REVIEW_MANAGEMENT), REASON_REFUSED);
	assert_int_equal(may(&s, SCIENTIST, REVIEW_RESEARCH), REASON_REFUSED);
	ok(study_rebind(&s)); /* nothing changed */
	assert_int_equal(may(&s, SCIENTIST, REVIEW_RESEARCH), REASON_REFUSED);
	s.cohort = STR("SELECT patient FROM person");
	ok(study_rebind(&s));
	assert_int_equal(may(&s, MANAGER, REVIEW_MANAGEMENT), REASON_NONE);

	/* the officer's refusal is no approval */
	s = scene();
	give(&s, IT, REVIEW_IT);
	give(&s, MANAGER, REVIEW_MANAGEMENT);
	give(&s, SCIENTIST, REVIEW_RESEARCH);
	study_sign(&s, PERSON(OFFICER), REVIEW_SECURITY, true, STR("no"), NOW);
	assert_int_equal(study_valid(&s, NOW, &people), REASON_STUDY_NOT_APPROVED);
}

/* ---- what is bound ---- */

static void change_title(struct study *s) { s->title = STR("Another title"); }
static void change_protocol(struct study *s) { s->protocol = STR("IRB-2026-118"); }
static void change_profile(struct study *s) { s->profile = STUDY_LIMITED_DATA_SET; }
static void change_cohort(struct study *s) { s->cohort = STR("SELECT patient FROM person"); }
static void change_tables(struct study *s) { s->tables &= ~1u; }
static void change_pi(struct study *s) { s->pi = PERSON(OTHER); }
static void change_limits(struct study *s) { s->limits.minutes++; }
static void change_basis(struct study *s) { s->basis.id.b[3]++; }
static void change_paper(struct study *s) { s->basis.document[31] ^= 1; }
static void change_expiry(struct study *s) { s->basis.expires = STR("2028-12-31"); }
static void lose_basis(struct study *s) { s->basis = (struct basis){0}; }
static void lose_person(struct study *s) { s->n_people = 0; }
static void add_person(struct study *s) { s->people[s->n_people++] = PERSON(OTHER); }

static void
every_change_of_what_is_bound_clears_everything(void **state)
{
	static void (*const changes[])(struct study *) = {change_title, change_protocol, change_profile, change_cohort, change_tables,
	    change_pi, change_limits, change_basis, change_paper, change_expiry, lose_basis, lose_person, add_person};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(changes); i++) {
		struct study s = approved();
		uint8_t before[SHA256_BYTES];

		memcpy(before, s.digest, sizeof(before));
		changes[i](&s);
		ok(study_rebind(&s));
		assert_memory_not_equal(before, s.digest, sizeof(before));
		assert_int_equal(s.approved_us, 0);
		for (unsigned r = 0; r < REVIEW_COUNT; r++)
			assert_true(id_is_zero(s.signatures[r].who));
		assert_int_equal(study_valid(&s, NOW, &people), REASON_STUDY_NOT_APPROVED);
		assert_int_equal(study_may_sign(&s, PERSON(IT), REVIEW_IT, before, NOW, &people), REASON_DIGEST);
	}
}

static void
what_is_not_bound_clears_nothing(void **state)
{
	struct study s = approved();
	struct id swapped = s.people[0];

	(void)state;
	s.description = STR("In other words.");
	s.contact = STR("Office 4");
	s.people[s.n_people++] = PERSON(OTHER);
	ok(study_rebind(&s)); /* that one is */
	s = approved();
	s.people[1] = PERSON(OTHER);
	s.n_people = 2;
	ok(study_digest(&s, s.digest));
	s.people[0] = s.people[1]; /* the order of names is nothing */
	s.people[1] = swapped;
	s.description = STR("In other words.");
	ok(study_rebind(&s));
	assert_int_not_equal(s.approved_us, 0);
}

static void
a_stale_digest_signs_nothing(void **state)
{
	struct study s = scene();
	uint8_t other[SHA256_BYTES];

	(void)state;
	memcpy(other, s.digest, sizeof(other));
	other[0] ^= 1;
	assert_int_equal(study_may_sign(&s, PERSON(IT), REVIEW_IT, other, NOW, &people), REASON_DIGEST);
}

/* ---- who is no more ---- */

static void
revoked_people_do_not_count(void **state)
{
	struct study s = scene();
	const char *words[STUDY_MISSING_MAX];

	(void)state;
	give(&s, IT, REVIEW_IT);
	give(&s, MANAGER, REVIEW_MANAGEMENT);
	give(&s, SCIENTIST, REVIEW_RESEARCH);
	revoked[MANAGER] = true;
	assert_int_equal(may(&s, OFFICER, REVIEW_SECURITY), REASON_SIGNATURE_MISSING);
	assert_int_equal(study_missing(&s, NOW, &people, words), 2);
	assert_string_equal(words[0], "management");
	give(&s, OTHER, REVIEW_MANAGEMENT); /* another, in his place */
	revoked[PI] = true;
	assert_int_equal(may(&s, OFFICER, REVIEW_SECURITY), REASON_STATE); /* nobody answers for it */
	revoked[PI] = false;
	give(&s, OFFICER, REVIEW_SECURITY);
	/* approved is approved, also when a reviewer leaves; but not without its investigator */
	revoked[SCIENTIST] = revoked[OFFICER] = true;
	assert_int_equal(study_valid(&s, NOW, &people), REASON_NONE);
	revoked[PI] = true;
	assert_int_equal(study_valid(&s, NOW, &people), REASON_STUDY_NOT_APPROVED);
}

static void
a_closed_study_is_over(void **state)
{
	struct study s = approved();

	(void)state;
	s.closed_us = NOW;
	assert_int_equal(study_state(&s), STUDY_CLOSED);
	assert_int_equal(study_valid(&s, NOW, &people), REASON_STUDY_CLOSED);
	assert_int_equal(may(&s, OTHER, REVIEW_IT), REASON_STUDY_CLOSED);
	assert_int_equal(study_may_record_basis(&s, PERSON(BOARD)), REASON_STUDY_CLOSED);
}

/* ---- the row, and small things ---- */

static void
a_row_comes_back_as_it_went(void **state)
{
	AUTO_BUF json = BUF(64 * KiB);
	AUTO_BUF again = BUF(64 * KiB);
	struct study s = approved(), back;
	AUTO_DOC *doc = NULL;

	(void)state;
	s.description = STR("Lines\nand \"quotes\".");
	s.seed = secret_alloc();
	secret_random(s.seed);
	ok(study_write(&s, &json));
	ok(doc_parse(buf_str(&json), &doc));
	ok(study_read(s.id, doc, &back));
	assert_memory_equal(back.digest, s.digest, sizeof(s.digest));
	assert_int_equal(study_valid(&back, NOW, &people), REASON_NONE);
	assert_true(secret_equal(back.seed, s.seed));
	assert_null(json_object_get(doc, "seed")); /* not twice in memory */
	ok(study_write(&back, &again));
	assert_true(str_eq(buf_str(&json), buf_str(&again)));
	study_release(&back);
	secret_free(s.seed);
}

static void
broken_rows_are_refused(void **state)
{
	static const char *const rows[] = {"{}", "{\"pi\":\"00\"}",
	    "{\"pi\":\"01010101010101010101010101010101\",\"profile\":\"identified\"}",
	    "{\"pi\":\"01010101010101010101010101010101\",\"profile\":\"safe-harbor\",\"tables\":[\"patients\"]}",
	    "{\"pi\":\"01010101010101010101010101010101\",\"profile\":\"safe-harbor\",\"people\":[\"ann\"]}",
	    "{\"pi\":\"01010101010101010101010101010101\",\"profile\":\"safe-harbor\",\"basis\":{}}",
	    "{\"pi\":\"01010101010101010101010101010101\",\"profile\":\"safe-harbor\",\"limits\":{\"cpus\":0}}",
	    "{\"pi\":\"01010101010101010101010101010101\",\"profile\":\"safe-harbor\",\"signatures\":[{}]}",
	    "{\"pi\":\"01010101010101010101010101010101\",\"profile\":\"safe-harbor\",\"seed\":\"AAAA\"}"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		AUTO_DOC *doc = NULL;
		struct study s;

		ok(doc_parse(str_c(rows[i]), &doc));
		fails(study_read((struct id){.b = {1}}, doc, &s), ERR_CORRUPT);
	}
}

static void
days_texts_and_names(void **state)
{
	static const char *const bad_days[] = {"", "2027-3-31", "2027-02-30", "2027-13-01", "31.03.2027", "2027-03-31T", "2027-03-31 "};
	static const char *const good_names[] = {"a", "out/table 1.csv", ".hidden", "a..b", "\xC3\xA9t\xC3\xA9.csv"};
	static const char *const bad_names[] = {"", "/etc/passwd", "../x", "a/../b", "a//b", "a/", "./a", "a\\b", "a\nb", "\xFF.csv"};
	int64_t us, next;

	(void)state;
	ok(basis_expiry(STR("2027-03-31"), &us));
	ok(basis_expiry(STR("2027-04-01"), &next));
	assert_int_equal(next - us, 86400 * US_PER_S);
	for (size_t i = 0; i < ARRAY_LEN(bad_days); i++)
		fails(basis_expiry(str_c(bad_days[i]), &us), ERR_INVALID);
	for (size_t i = 0; i < ARRAY_LEN(good_names); i++)
		assert_true(file_name_is_good(str_c(good_names[i])));
	for (size_t i = 0; i < ARRAY_LEN(bad_names); i++)
		assert_false(file_name_is_good(str_c(bad_names[i])));
	assert_true(text_is_good(STR("a\nb"), 3, true));
	assert_false(text_is_good(STR("a\nb"), 3, false));
	assert_false(text_is_good(STR("abcd"), 3, true));
	assert_false(text_is_good(STR("a\x1B[2J"), 30, true));
}

static void
limits_have_limits(void **state)
{
	static const char *const bad[] = {"{\"cpus\":0}", "{\"cpus\":257}", "{\"cpus\":\"2\"}", "{\"minutes\":99999999}", "{\"memory_mib\":-1}"};
	struct cell_limits l = cell_limits_default();
	AUTO_DOC *good = NULL;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		AUTO_DOC *j = NULL;

		ok(doc_parse(str_c(bad[i]), &j));
		fails(cell_limits_read(j, &l), ERR_INVALID);
		assert_int_equal(l.cpus, 2);
	}
	ok(doc_parse(STR("{\"cpus\":8}"), &good));
	ok(cell_limits_read(good, &l));
	assert_int_equal(l.cpus, 8);
	assert_int_equal(l.memory_mib, 4096);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(three_reviews_and_then_the_officer),
	    cmocka_unit_test(a_missing_or_expired_basis_is_no_basis),
	    cmocka_unit_test(nobody_signs_twice_or_for_himself),
	    cmocka_unit_test(a_refusal_stands_until_something_changes),
	    cmocka_unit_test(every_change_of_what_is_bound_clears_everything),
	    cmocka_unit_test(what_is_not_bound_clears_nothing),
	    cmocka_unit_test(a_stale_digest_signs_nothing),
	    cmocka_unit_test(revoked_people_do_not_count),
	    cmocka_unit_test(a_closed_study_is_over),
	    cmocka_unit_test(a_row_comes_back_as_it_went),
	    cmocka_unit_test(broken_rows_are_refused),
	    cmocka_unit_test(days_texts_and_names),
	    cmocka_unit_test(limits_have_limits),
	};

	doc_init();
	ok(crypto_init());
	return cmocka_run_group_tests(tests, NULL, NULL);
}
