#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/num.h"
#include "crypto/crypto.h"
#include "deid/dates.h"
#include "deid/fields.h"
#include "deid/rescan.h"
#include "deid/text.h"

/* Every name and number here is invented. */

#define YEAR 2024

static int
setup(void **state)
{
	(void)state;
	assert_false(err_is(crypto_init()));
	return 0;
}

static struct phi
phi_c(const char *z)
{
	return phi_of(z, strlen(z));
}

static void
test_texts(void **state)
{
	static const struct { enum field_rule rule; const char *in, *out; enum field_loss lost; } cases[] = {
	    {FIELD_CODE, "4548-4", "4548-4", LOST_NONE},
	    {FIELD_CODE, " http://loinc.org ", "http://loinc.org", LOST_NONE},
	    {FIELD_CODE, "Ann Vexley", NULL, LOST_SHAPE},
	    {FIELD_CODE, "a@example.org", NULL, LOST_SHAPE},
	    {FIELD_CODE, "", NULL, LOST_NONE},
	    {FIELD_WORD, "final", "final", LOST_NONE},
	    {FIELD_WORD, "12345678", NULL, LOST_SHAPE},
	    {FIELD_WORD, "ward 12345", NULL, LOST_SHAPE},
	    {FIELD_WORD, "Ann Vexley", NULL, LOST_SHAPE},
	    {FIELD_RACE, "Native Hawaiian or Other Pacific Islander", "Native Hawaiian or Other Pacific Islander", LOST_NONE},
	    {FIELD_RACE, "white, son of Ann Vexley", NULL, LOST_ANSWER},
	    {FIELD_LANGUAGE, "en-US", "en-US", LOST_NONE},
	    {FIELD_NOTE_KIND, "Discharge Summary", "Discharge Summary", LOST_NONE},
	    {FIELD_NOTE_KIND, "Letter to Ann", NULL, LOST_ANSWER},
	    {FIELD_ROUTE, "PO", "PO", LOST_NONE},
	    {FIELD_MARITAL, "Vexley", NULL, LOST_ANSWER},
	    {FIELD_DEVICE_KIND, "Ann's pump", NULL, LOST_ANSWER},
	    {FIELD_DISPLAY, "Hemoglobin A1c (%)", "Hemoglobin A1c (%)", LOST_NONE},
	    {FIELD_DISPLAY, "two\nlines", NULL, LOST_SHAPE},
	    {FIELD_UNIT, "mg/dL", "mg/dL", LOST_NONE},
	    {FIELD_UNIT, "10*3/uL", "10*3/uL", LOST_NONE},
	    {FIELD_UNIT, "5550109999", NULL, LOST_SHAPE},
	    {FIELD_UNIT, "a\xb5", NULL, LOST_SHAPE},
	    {FIELD_ANSWER, "Positive", "Positive", LOST_NONE},
	    {FIELD_ANSWER, " O+ ", "O+", LOST_NONE},
	    {FIELD_ANSWER, "called Dr. Okafor", NULL, LOST_ANSWER},
	    {FIELD_ZIP3, "02139-4307", "021", LOST_NONE},
	    {FIELD_ZIP3, "03601", "000", LOST_NONE},
	    {FIELD_ZIP3, "K1A 0B1", NULL, LOST_GEOGRAPHY},
	    {FIELD_ZIP3, "12 Main Street", NULL, LOST_GEOGRAPHY},
	    {FIELD_ZIP5, "02139-4307", "02139", LOST_NONE},
	    {FIELD_STATE, "MA", "MA", LOST_NONE},
	    {FIELD_STATE, "Mass", NULL, LOST_GEOGRAPHY},
	    {FIELD_CITY, "New Haven", "New Haven", LOST_NONE},
	    {FIELD_CITY, "12 Main Street", NULL, LOST_GEOGRAPHY},
	    {FIELD_NOTE, "x", NULL, LOST_SHAPE},
	    {FIELD_PSEUDONYM, "x", NULL, LOST_SHAPE},
	};
	char room[PSEUDONYM_BYTES];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct deid_cell c = field_text(cases[i].rule, phi_c(cases[i].in), NULL, room);
		bool same = cases[i].out ? c.kind == CELL_TEXT && str_eq(deid_bytes(c.text), str_c(cases[i].out)) :
					   c.kind == CELL_ABSENT && c.lost == cases[i].lost;

		if (!same)
			fail_msg("%s: %s", field_rule_word(cases[i].rule), cases[i].in);
	}
}

static void
test_numbers_and_days(void **state)
{
	int64_t day = date_days(1980, 3, 4), old = date_days(1930, 3, 4);

	(void)state;
	assert_true(field_number(98.6).kind == CELL_NUMBER);
	assert_true(field_number(1e8).lost == LOST_RANGE && field_number(-1e8).kind == CELL_ABSENT);
	assert_true(field_number(__builtin_nan("")).lost == LOST_RANGE && field_number(__builtin_inf()).lost == LOST_RANGE);
	assert_true(field_day(FIELD_YEAR, day, YEAR).integer == 1980);
	assert_true(field_day(FIELD_BIRTH_YEAR, old, YEAR).lost == LOST_AGE);
	assert_true(field_day(FIELD_BIRTH_YEAR, date_days(1935, 1, 1), YEAR).integer == 1935); /* 89 at most */
	assert_true(field_day(FIELD_BIRTH_YEAR, date_days(1934, 12, 31), YEAR).kind == CELL_ABSENT);
	assert_true(field_day(FIELD_YEAR, old, YEAR).kind == CELL_ABSENT); /* what happened to nobody under 90 */
	assert_true(field_day(FIELD_AGE, day, YEAR).integer == 44);
	assert_true(field_day(FIELD_AGE, old, YEAR).integer == 90);
	assert_true(field_day(FIELD_AGE, date_days(1900, 1, 1), YEAR).integer == 90);
	assert_true(field_day(FIELD_AGE_EXACT, old, YEAR).integer == 94);
	assert_true(field_day(FIELD_AGE, date_days(2030, 1, 1), YEAR).lost == LOST_RANGE);
	assert_true(field_day(FIELD_DATE, day, YEAR).kind == CELL_DATE && field_day(FIELD_DATE, day, YEAR).integer == day);
	assert_true(field_day(FIELD_YEAR, INT64_MAX, YEAR).lost == LOST_RANGE && field_day(FIELD_YEAR, INT64_MIN, YEAR).lost == LOST_RANGE);
}

static void
test_pseudonym(void **state)
{
	AUTO_KEY(mac_key) a = mac_key_new();
	AUTO_KEY(mac_key) b = mac_key_new();
	struct pseudonym_kind person, visit, other;
	char one[PSEUDONYM_BYTES], two[PSEUDONYM_BYTES];

	(void)state;
	secret_random(&a->s);
	secret_random(&b->s);
	pseudonym_kind_init(&person, a, STR("person"));
	pseudonym_kind_init(&visit, a, STR("visit"));
	pseudonym_kind_init(&other, b, STR("person"));
	deid_pseudonym(a, STR("person"), phi_c("p1"), one);
	assert_true(str_eq(deid_bytes(field_pseudonym(a, &person, phi_c("p1"), two).text), str_c(one)));
	assert_true(str_eq(deid_bytes(field_pseudonym_again(two).text), str_c(one)));
	(void)field_pseudonym(a, &visit, phi_c("p1"), two);
	assert_string_not_equal(one, two);
	(void)field_pseudonym(b, &other, phi_c("p1"), two);
	assert_string_not_equal(one, two);
	assert_true(field_pseudonym(a, &person, phi_c(""), two).kind == CELL_ABSENT);
}

struct scan_case { const char *text; size_t n; size_t at; /* SIZE_MAX: none */ };
#define S(text, at) {(text), sizeof(text) - 1, (at)}

static void
scan_all(enum rescan_kind kind, const struct scan_case *cases, size_t n, const struct known *k)
{
	for (size_t i = 0; i < n; i++) {
		struct rescan_hit hit = {0};
		bool found;

		assert_false(err_is(rescan_bytes(kind, phi_of(cases[i].text, cases[i].n), k, 0, &found, &hit)));
		if (found != (cases[i].at != SIZE_MAX) || (found && hit.at != cases[i].at))
			fail_msg("%s: %d at %zu", cases[i].text, found, hit.at);
	}
}

static void
test_encoded(void **state)
{
	static const struct scan_case cases[] = {
	    S("x WGlvbWFyYSBWZXhsZXk= y", 2),            /* base64 */
	    S("x QWGlvbWFyYSBWZXhsZXk y", 3),            /* at another offset, glued to a letter */
	    S("data:text/plain;base64,eGlvbWFyYSBWZXhsZXk", 23),
	    S("{\"a\":\"58696F6D6172612056455"  "84C4559\"}", 6), /* hex */
	    S("0x58696f6d617261205665786c6579", 2),
	    S("X\0i\0o\0m\0a\0r\0a\0 \0V\0e\0x\0l\0e\0y\0", 0),  /* UTF-16, little endian */
	    S("\0X\0i\0o\0m\0a\0r\0a\0 \0V\0e\0x\0l\0e\0y", 0),
	    S("NDAwMTIzNDU=", 0),
	    S("WGlvbWFyYQ== V2V4bGV5", SIZE_MAX), /* not the whole of it */
	    S("QWxsIHdlbGw= 48656c6c6f20776f726c64", SIZE_MAX),
	};
	struct known k = {0};

	(void)state;
	assert_false(err_is(known_add(&k, DEID_NAME, phi_c("Xiomara Vexley"))));
	assert_false(err_is(known_add(&k, DEID_MRN, phi_c("40012345"))));
	scan_all(RESCAN_TEXT, cases, ARRAY_LEN(cases), &k);
	known_release(&k);
}

static void
test_numbers(void **state)
{
	static const struct scan_case texts[] = {
	    S("mrn40012345", 3), S("400-123-45", 0), S("400 12345", 0), S("400,123,45", SIZE_MAX), S("400/12345", SIZE_MAX),
	    S("54321", 0), S(" 54321 ", 1), S("platelets 54321", SIZE_MAX), S("54321 cells", SIZE_MAX),
	};
	static const struct scan_case rows[] = {
	    S("a,b\n1,40012345\n", 6), S("a,b\n400,12345\n", SIZE_MAX), S("400\n12345", SIZE_MAX), S("af40012345cd", SIZE_MAX),
	    S("\"xiomara vexley\"", 1), S("xiomaravexleys", SIZE_MAX), S("1,WGlvbWFyYSBWZXhsZXk=,2", 2),
	    S("78696f6d6172612076657865796c6579", SIZE_MAX), /* 32 hex digits are a pseudonym */
	    S("58696f6d617261205665786c6579", 0),
	};
	struct known k = {0}, none = {0};
	struct rescan_hit hit;
	bool found = true;

	(void)state;
	assert_false(err_is(known_add(&k, DEID_MRN, phi_c("40012345"))));
	assert_false(err_is(known_add(&k, DEID_MRN, phi_c("54321"))));
	assert_false(err_is(known_add(&k, DEID_NAME, phi_c("Xiomara Vexley"))));
	scan_all(RESCAN_TEXT, texts, ARRAY_LEN(texts), &k);
	scan_all(RESCAN_ROWS, rows, ARRAY_LEN(rows), &k);
	assert_false(err_is(rescan_bytes(RESCAN_TEXT, phi_c("40012345"), &none, 0, &found, &hit)));
	assert_false(found);
	/* going on behind a hit */
	assert_false(err_is(rescan_bytes(RESCAN_TEXT, phi_c("40012345 x 40012345"), &k, 1, &found, &hit)));
	assert_true(found && hit.at == 11);
	known_release(&k);
}

/* What a rescan would find of somebody else is taken out of the note, so that a release is not refused for its own notes. */
static void
test_others(void **state)
{
	struct deid_profile profile = {.as_of_year = YEAR};
	struct known cohort = {0};
	struct wordlists lists;
	struct deid_text t = {0};
	struct rescan_hit hit;
	bool found;

	(void)state;
	assert_false(err_is(wordlists_init(&lists)));
	assert_false(err_is(known_add(&cohort, DEID_NAME, phi_c("Xiomara Vexley"))));
	assert_false(err_is(known_add(&cohort, DEID_OTHER, phi_c("QX7-PLUM"))));
	profile.others = &cohort;
	assert_false(err_is(deid_text(phi_c("roommate is xiomara vexley, tag qx7plum; vexley stays"), NULL, &lists, &profile, &t)));
	assert_true(str_eq(deid_bytes(deid_text_value(&t)), STR("roommate is [NAME], tag [ID]; vexley stays")));
	assert_false(err_is(rescan(deid_text_value(&t), &cohort, &found, &hit)));
	assert_false(found);
	deid_text_release(&t);
	wordlists_release(&lists);
	known_release(&cohort);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_texts),
	    cmocka_unit_test(test_numbers_and_days),
	    cmocka_unit_test(test_pseudonym),
	    cmocka_unit_test(test_encoded),
	    cmocka_unit_test(test_numbers),
	    cmocka_unit_test(test_others),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
