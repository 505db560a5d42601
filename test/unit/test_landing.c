/* Landing segments: written and read, damaged in every byte; and what an object is taken for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "landing/landing.h"

#define MESSAGE "MSH|^~\\&|LAB|HOSP|||20240102||ORU^R01|7|P|2.5\rPID|1||SYNTHETIC\r"

static struct landing_entry
entry(enum landing_form form, enum landing_status status, struct str bytes)
{
	struct id feed;

	memset(&feed, 7, sizeof(feed));
	return (struct landing_entry){.form = form, .status = status, .feed = feed, .received_us = -5, .address = STR("10.1.2.3"),
		.name = STR("lab-a"), .topic = form == LANDING_DEVICE ? phi_of("ward/7", 6) : phi_of(NULL, 0), .bytes = phi_of(bytes.p, bytes.n)};
}

static void
fill(struct buf *b)
{
	struct landing_entry e = entry(LANDING_HL7V2, LANDING_ACCEPTED, STR(MESSAGE));

	landing_begin(b);
	landing_add(b, &e);
	e = entry(LANDING_DEVICE, LANDING_CLASH, STR_NONE);
	landing_add(b, &e);
	assert_false(err_is(buf_check(b)));
}

static void
test_round_trip(void **state)
{
	AUTO_BUF b = BUF_WIPED(LIMIT_LANDING_SEGMENT);
	struct landing_entry e;
	struct cur c;
	bool more;

	(void)state;
	fill(&b);
	assert_false(err_is(landing_open(buf_str(&b), &c)));
	assert_false(err_is(landing_next(&c, &e, &more)));
	assert_true(more && e.form == LANDING_HL7V2 && e.status == LANDING_ACCEPTED && e.received_us == -5 && e.feed.b[15] == 7);
	assert_true(str_eq(e.address, STR("10.1.2.3")) && str_eq(e.name, STR("lab-a")) && phi_size(e.topic) == 0);
	assert_true(str_eq(phi_borrow(e.bytes), STR(MESSAGE)));
	assert_false(err_is(landing_next(&c, &e, &more)));
	assert_true(more && e.form == LANDING_DEVICE && e.status == LANDING_CLASH && phi_size(e.bytes) == 0);
	assert_true(str_eq(phi_borrow(e.topic), STR("ward/7")));
	assert_false(err_is(landing_next(&c, &e, &more)));
	assert_false(more);
	assert_string_equal(landing_form_word(LANDING_HL7V2), "hl7v2");
}

static size_t
count(struct str s)
{
	struct landing_entry e;
	struct cur c;
	bool more = true;
	size_t n = 0;

	if (err_is(landing_open(s, &c)))
		return SIZE_MAX;
	for (;;) {
		if (err_is(landing_next(&c, &e, &more))) {
			assert_true(err_is(landing_next(&c, &e, &more)));
			return SIZE_MAX;
		}
		if (!more)
			return n;
		n++;
	}
}

/* Cut anywhere but between entries: corrupt, never fewer entries in silence. */
static void
test_cut(void **state)
{
	AUTO_BUF b = BUF_WIPED(LIMIT_LANDING_SEGMENT);
	AUTO_BUF one = BUF_WIPED(LIMIT_LANDING_SEGMENT);
	struct landing_entry e = entry(LANDING_HL7V2, LANDING_ACCEPTED, STR(MESSAGE));
	size_t first = sizeof(LANDING_MAGIC) - 1 + landing_entry_bytes(&e);

	(void)state;
	fill(&b);
	for (size_t n = 0; n < b.n; n++)
		if (n == sizeof(LANDING_MAGIC) - 1)
			assert_int_equal(count(str_of(b.p, n)), 0);
		else if (n == first)
			assert_int_equal(count(str_of(b.p, n)), 1);
		else
			assert_int_equal(count(str_of(b.p, n)), SIZE_MAX);
	assert_int_equal(count(buf_str(&b)), 2);
}

static void
test_wrong_values(void **state)
{
	static const struct {
		size_t at;
		char value;
	} wrong[] = {{0, 'x'}, {8, 0}, {8, LANDING_FORM_COUNT}, {9, LANDING_STATUS_COUNT}, {10, 1}, {11, 1}};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		AUTO_BUF b = BUF_WIPED(LIMIT_LANDING_SEGMENT);

		fill(&b);
		b.p[wrong[i].at] = wrong[i].value;
		assert_int_equal(count(buf_str(&b)), SIZE_MAX);
	}
}

static void
sniffs(const char *key, const char *head, enum landing_form form)
{
	assert_int_equal(landing_sniff(str_c(key), phi_of(head, strlen(head))), form);
}

static void
test_sniff(void **state)
{
	(void)state;
	sniffs("a/b", "MSH|^~\\&|", LANDING_HL7V2);
	sniffs("a/b.csv", "\xef\xbb\xbf\r\nMSH#*!?%#A", LANDING_HL7V2); /* the content before the name */
	sniffs("a/b", "\x0bMSH|^~\\&|", LANDING_HL7V2);
	sniffs("a/b", "FHS|^~\\&|", LANDING_HL7V2);
	sniffs("a/b", "MSHA", LANDING_UNKNOWN);
	sniffs("a/b", "MSH", LANDING_UNKNOWN);
	sniffs("a/b", " {\n \"resourceType\": \"Bundle\"", LANDING_FHIR);
	sniffs("a/b.json", "{\"synthetic\":true,\"kind\":\"vitals\",\"device\":\"D1\"", LANDING_DEVICE);
	sniffs("a/b.json", "{\"id\":1}", LANDING_FHIR);
	sniffs("a/b", "PAR1\x15\x04", LANDING_TABLE);
	sniffs("a/b.CSV", "id,name\n", LANDING_TABLE);
	sniffs("a/b.hl7", "", LANDING_HL7V2);
	sniffs("", "", LANDING_UNKNOWN);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_wrong_values),
		cmocka_unit_test(test_sniff),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
