/* HL7 v2 messages, MLLP frames and acknowledgements: valid, invalid, and the boundary between. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "clinic/hl7_ack.h"
#include "clinic/hl7_mllp.h"

#define MSH "MSH|^~\\&|LAB|HOSP|EHR|NORTH|20240102030405+0100||ORU^R01^ORU_R01|MSG7|P|2.5.1\r"

static enum hl7_reason
parse(struct str s, struct hl7_message *m, struct hl7_place *where)
{
	*where = (struct hl7_place){0};
	return hl7_parse(phi_of(s.p, s.n), m, where);
}

static void
expect(struct str got, const char *z)
{
	assert_int_equal(got.n, strlen(z));
	assert_memory_equal(got.p ? got.p : "", z, got.n);
}

static void
test_index(void **state)
{
	struct hl7_place where;
	struct hl7_message m;
	struct str rest, rep;
	size_t pid;

	(void)state;
	assert_int_equal(parse(STR(MSH "PID|1||A1^^^H&1.2.3&ISO^MR~B2|\"\"|DOE^JO\r\nZXY|a|b\n\r\n"), &m, &where), HL7_OK);
	assert_int_equal(m.count, 3);
	expect(hl7_field(&m, 0, 1), "|");
	expect(hl7_field(&m, 0, 2), "^~\\&");
	expect(hl7_field(&m, 0, 3), "LAB");
	expect(hl7_field(&m, 0, 10), "MSG7");
	expect(hl7_field(&m, 0, 12), "2.5.1");
	expect(hl7_field(&m, 0, 13), "");
	pid = hl7_find(&m, "PID", 0);
	assert_int_equal(pid, 1);
	assert_int_equal(m.segments[pid].fields, 5);
	rest = hl7_field(&m, pid, 3);
	assert_true(hl7_repetition(&m, &rest, &rep));
	expect(hl7_component(&m, rep, 1), "A1");
	expect(hl7_component(&m, rep, 2), "");
	expect(hl7_subcomponent(&m, hl7_component(&m, rep, 4), 2), "1.2.3");
	expect(hl7_subcomponent(&m, hl7_component(&m, rep, 4), 4), "");
	expect(hl7_component(&m, rep, 5), "MR");
	expect(hl7_component(&m, rep, 6), "");
	assert_true(hl7_repetition(&m, &rest, &rep));
	expect(rep, "B2");
	assert_false(hl7_repetition(&m, &rest, &rep));
	assert_true(hl7_is_null(hl7_field(&m, pid, 4)));
	assert_false(hl7_valued(hl7_field(&m, pid, 4)));
	expect(hl7_field(&m, pid, 6), "");
	expect(hl7_field(&m, 99, 1), "");
	expect(hl7_field(&m, hl7_find(&m, "ZXY", 0), 2), "b");
	assert_int_equal(hl7_find(&m, "OBX", 0), SIZE_MAX);
	hl7_release(&m);
}

static void
test_other_delimiters(void **state)
{
	struct hl7_place where;
	struct hl7_message m;

	(void)state;
	assert_int_equal(parse(STR("MSH#*!?%#A#B###1##ADT*A01#9#P#2.3\nPID###x%y*z!w"), &m, &where), HL7_OK);
	expect(hl7_subcomponent(&m, hl7_component(&m, hl7_field(&m, 1, 3), 1), 2), "y");
	expect(hl7_first(&m, hl7_field(&m, 1, 3)), "x%y*z");
	hl7_release(&m);
	/* component only: allowed; then nothing repeats */
	assert_int_equal(parse(STR("MSH|^|A|B|||1||ADT^A01|9|P|2.3\nPID|||x~y"), &m, &where), HL7_OK);
	expect(hl7_first(&m, hl7_field(&m, 1, 3)), "x~y");
	hl7_release(&m);
}

static void
test_refused(void **state)
{
	static const struct {
		struct str in;
		enum hl7_reason reason;
		unsigned segment, field;
	} cases[] = {
		{STR(""), HL7_EMPTY, 0, 0},
		{STR(" \r\n\r\n"), HL7_EMPTY, 0, 0},
		{STR("PID|1"), HL7_NO_MSH, 1, 0},
		{STR("MS"), HL7_NO_MSH, 1, 0},
		{STR("MSH"), HL7_BAD_DELIMITERS, 1, 1},
		{STR("MSH|"), HL7_BAD_DELIMITERS, 1, 1},
		{STR("MSHA^~\\&A"), HL7_BAD_DELIMITERS, 1, 1},
		{STR("MSH|^^\\&|"), HL7_BAD_DELIMITERS, 1, 1},
		{STR("MSH|^~\\&#$|"), HL7_BAD_DELIMITERS, 1, 1},
		{STR("MSH|^~\\&|a|b|||1||ADT^A01|9\rpid|1"), HL7_BAD_SEGMENT, 2, 0},
		{STR("MSH|^~\\&|a|b|||1||ADT^A01|9\rPI"), HL7_BAD_SEGMENT, 2, 0},
		{STR("MSH|^~\\&|a|b|||1||ADT^A01|9\rPIDX|1"), HL7_BAD_SEGMENT, 2, 0},
		{STR("MSH|^~\\&|a|b|||1|||9"), HL7_NO_TYPE, 1, 9},
		{STR("MSH|^~\\&|a|b|||1||\"\"|9"), HL7_NO_TYPE, 1, 9},
		{STR("MSH|^~\\&|a|b|||1||ADT^A01|"), HL7_NO_CONTROL_ID, 1, 10},
		{STR("MSH|^~\\&|a|b|||1||ADT^A01|9|P|2.5||||||ISO IR87\rPID|||\xE9"), HL7_BAD_ENCODING, 1, 18},
	};
	struct hl7_place where;
	struct hl7_message m;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		assert_int_equal(parse(cases[i].in, &m, &where), cases[i].reason);
		assert_int_equal(where.segment_no, cases[i].segment);
		assert_int_equal(where.field, cases[i].field);
		hl7_release(&m);
	}
	for (int r = 0; r < HL7_REASON_COUNT; r++)
		assert_non_null(hl7_reason_name((enum hl7_reason)r));
}

static void
test_places(void **state)
{
	struct hl7_place p = {.segment_no = 3, .segment = "PID", .field = 3, .component = 1};
	AUTO_BUF b = BUF(100);

	(void)state;
	hl7_place_write(&b, &p);
	expect(buf_str(&b), "PID-3.1 (segment 3)");
	buf_clear(&b);
	p = (struct hl7_place){0};
	hl7_place_write(&b, &p);
	expect(buf_str(&b), "message");
}

static void
decoded(const struct hl7_message *m, const char *in, const char *out)
{
	AUTO_BUF b = BUF(1000);

	hl7_decode(m, str_c(in), &b);
	expect(buf_str(&b), out);
}

static void
test_escapes(void **state)
{
	struct hl7_place where;
	struct hl7_message m;

	(void)state;
	assert_int_equal(parse(STR(MSH), &m, &where), HL7_OK);
	decoded(&m, "plain", "plain");
	decoded(&m, "\\F\\\\S\\\\T\\\\R\\\\E\\", "|^&~\\");
	decoded(&m, "a\\.br\\b\\.sp2\\c", "a\nb\n\nc");
	decoded(&m, "\\H\\bold\\N\\", "bold");
	decoded(&m, "\\X41420D\\", "AB\r");
	decoded(&m, "\\XC3A9\\", "\xC3\xA9");
	decoded(&m, "\\XE9\\", "\xC3\xA9"); /* not UTF-8: CP1252 */
	decoded(&m, "C:\\dir", "C:\\dir");
	decoded(&m, "\\", "\\");
	decoded(&m, "\\X4\\", "\\X4\\");
	decoded(&m, "\\Q\\x\\T\\", "\\Q\\x&");
	assert_false(hl7_escaped(&m, STR("x")));
	assert_true(hl7_escaped(&m, STR("x\\")));
	hl7_release(&m);
}

static void
test_charsets(void **state)
{
	struct hl7_place where;
	struct hl7_message m;

	(void)state;
	/* not declared, not UTF-8: CP1252 */
	assert_int_equal(parse(STR("MSH|^~\\&|a|b|||1||ADT^A01|9\rPID|||\x80M\xFCller"), &m, &where), HL7_OK);
	expect(hl7_field(&m, 1, 3), "\xE2\x82\xACM\xC3\xBCller");
	assert_int_equal(m.charset, HL7_CP1252);
	assert_true(m.charset_guessed);
	hl7_release(&m);
	/* declared UTF-8, but it is not */
	assert_int_equal(parse(STR("MSH|^~\\&|a|b|||1||ADT^A01|9|P|2.5||||||UNICODE UTF-8\rPID|||\xFC"), &m, &where), HL7_OK);
	expect(hl7_field(&m, 1, 3), "\xC3\xBC");
	assert_true(m.charset_guessed);
	hl7_release(&m);
	assert_int_equal(parse(STR("MSH|^~\\&|a|b|||1||ADT^A01|9|P|2.5||||||8859/15\rPID|||\xA4"), &m, &where), HL7_OK);
	expect(hl7_field(&m, 1, 3), "\xE2\x82\xAC");
	assert_false(m.charset_guessed);
	hl7_release(&m);
	/* declared Latin-1, but it is UTF-8; with a byte order mark */
	assert_int_equal(parse(STR("\xEF\xBB\xBFMSH|^~\\&|a|b|||1||ADT^A01|9|P|2.5||||||8859/1\rPID|||\xC3\xA9"), &m, &where), HL7_OK);
	expect(hl7_field(&m, 1, 3), "\xC3\xA9");
	hl7_release(&m);
}

static void
test_large(void **state)
{
	AUTO_BUF b = BUF(HL7_LIMIT_BYTES + 2);
	struct hl7_place where;
	struct hl7_message m;
	char *room;

	(void)state;
	buf_put_c(&b, MSH "OBX|1|ED|x||^^^Base64^");
	room = buf_room(&b, HL7_LIMIT_BYTES - b.n);
	assert_non_null(room);
	memset(room, 'A', HL7_LIMIT_BYTES - b.n);
	buf_grew(&b, HL7_LIMIT_BYTES - b.n);
	assert_int_equal(parse(buf_str(&b), &m, &where), HL7_OK);
	assert_true(hl7_component(&m, hl7_field(&m, 1, 5), 5).n > 60 * MiB);
	hl7_release(&m);
	buf_put_char(&b, 'A');
	assert_int_equal(parse(buf_str(&b), &m, &where), HL7_TOO_LARGE);
	hl7_release(&m);
	buf_clear(&b);
	buf_put_c(&b, MSH "OBX");
	for (unsigned i = 0; i < HL7_LIMIT_FIELDS - 1; i++)
		buf_put_char(&b, '|');
	assert_int_equal(parse(buf_str(&b), &m, &where), HL7_OK);
	hl7_release(&m);
	buf_put_char(&b, '|');
	assert_int_equal(parse(buf_str(&b), &m, &where), HL7_TOO_MANY);
	assert_int_equal(where.segment_no, 2);
	hl7_release(&m);
}

/* ---- MLLP ---- */

static void
test_frames_cut_anywhere(void **state)
{
	static const char wire[] = "junk\x0b" "one\x1c\r\r\n\x0btw\x1co\x1c\r\x0b" "cut\x0b" "whole\x1c\r\x0b" "rest";

	(void)state;
	for (size_t step = 1; step < sizeof(wire); step++) {
		static const char *const want[] = {"one", "tw\x1co", "cut", "whole"};
		static const enum mllp_kind kinds[] = {MLLP_FRAME, MLLP_FRAME, MLLP_BROKEN, MLLP_FRAME};
		struct mllp_reader r;
		size_t got = 0;

		mllp_init(&r, 100);
		for (size_t i = 0; i < sizeof(wire) - 1; i += step) {
			size_t n = sizeof(wire) - 1 - i < step ? sizeof(wire) - 1 - i : step;
			struct phi in = phi_of(wire + i, n), payload;
			enum mllp_kind kind;

			while ((kind = mllp_next(&r, &in, &payload)) != MLLP_NOTHING) {
				assert_true(got < ARRAY_LEN(want));
				assert_int_equal(kind, kinds[got]);
				expect(phi_borrow(payload), want[got++]);
			}
			assert_int_equal(phi_size(in), 0);
		}
		assert_int_equal(got, 4);
		assert_int_equal(r.frames, 3);
		assert_int_equal(r.broken, 1);
		assert_int_equal(r.junk_bytes, 6);
		assert_int_equal(mllp_pending(&r), 4);
		expect(phi_borrow(mllp_partial(&r)), "rest");
		mllp_release(&r);
	}
}

static void
test_frame_limit(void **state)
{
	struct phi in = phi_of("\x0b" "1234\x1c\r", 7), payload;
	struct mllp_reader r;
	AUTO_BUF b = BUF(100);

	(void)state;
	mllp_init(&r, 4);
	assert_int_equal(mllp_next(&r, &in, &payload), MLLP_FRAME);
	mllp_release(&r);
	mllp_init(&r, 3);
	in = phi_of("\x0b" "1234\x1c\r", 7);
	assert_int_equal(mllp_next(&r, &in, &payload), MLLP_TOO_LARGE);
	assert_int_equal(mllp_next(&r, &in, &payload), MLLP_TOO_LARGE);
	mllp_release(&r);
	assert_false(err_is(mllp_frame(STR("MSH|"), &b)));
	expect(buf_str(&b), "\x0bMSH|\x1c\r");
	assert_true(err_is(mllp_frame(STR("a\x0b"), &b)));
	assert_true(err_is(mllp_frame(STR("a\x1c\rb"), &b)));
	assert_true(err_is(mllp_frame(STR("a\x1c"), &b)));
}

/* ---- ACK ---- */

static void
answer(const char *in, struct hl7_ack a, const char *want)
{
	struct hl7_message m;
	AUTO_BUF b = BUF(4096);

	a.parse = hl7_parse(phi_of(in, strlen(in)), &m, &a.where);
	a.control_id = STR("A1");
	a.now_us = 1700000000000000;
	hl7_ack_write(&m, &a, &b);
	expect(buf_str(&b), want);
	hl7_release(&m);
}

static void
test_answers(void **state)
{
	(void)state;
	answer(MSH, (struct hl7_ack){.code = ACK_AA},
	    "MSH|^~\\&|EHR|NORTH|LAB|HOSP|20231114221320+0000||ACK^R01^ACK|A1|P|2.5.1\rMSA|AA|MSG7\r");
	answer("MSH|^~\\&|LAB|HOSP|EHR|NORTH|1||ADT^A01|M8|T|2.3\rPI\r", (struct hl7_ack){.code = ACK_AE},
	    "MSH|^~\\&|EHR|NORTH|LAB|HOSP|20231114221320+0000||ACK^A01|A1|T|2.3\rMSA|AE|M8|bad-segment\r"
	    "ERR|MSH^2^^100&bad-segment&HL70357\r");
	answer(MSH, (struct hl7_ack){.code = ACK_CR, .map = MAP_UNSUPPORTED_EVENT},
	    "MSH|^~\\&|EHR|NORTH|LAB|HOSP|20231114221320+0000||ACK^R01^ACK|A1|P|2.5.1\rMSA|CR|MSG7|unsupported-event\r"
	    "ERR||MSH^1|201^unsupported-event^HL70357|E\r");
	answer(MSH, (struct hl7_ack){.code = ACK_AE, .fault = ACK_SAME_ID, .where = {.segment = "MSH", .segment_no = 1, .field = 10}},
	    "MSH|^~\\&|EHR|NORTH|LAB|HOSP|20231114221320+0000||ACK^R01^ACK|A1|P|2.5.1\rMSA|AE|MSG7|duplicate-id\r"
	    "ERR||MSH^1^10|205^duplicate-id^HL70357|E\r");
	answer(MSH, (struct hl7_ack){.code = ACK_AE, .fault = ACK_NOT_STORED},
	    "MSH|^~\\&|EHR|NORTH|LAB|HOSP|20231114221320+0000||ACK^R01^ACK|A1|P|2.5.1\rMSA|AE|MSG7|not-stored\r"
	    "ERR||MSH^1|207^not-stored^HL70357|E\r");
	/* delimiters that our own words hold */
	answer("MSH+-~\\&+LAB+HOSP+++1++BAR-P01+M9+P+2.5\r", (struct hl7_ack){.code = ACK_AR, .map = MAP_UNSUPPORTED_TYPE},
	    "MSH+-~\\&+++LAB+HOSP+20231114221320++ACK-P01-ACK+A1+P+2.5\rMSA+AR+M9+unsupported type\r"
	    "ERR++MSH-1+200-unsupported type-HL70357+E\r");
	/* no HL7 at all is answered too */
	answer("GET / HTTP/1.1", (struct hl7_ack){.code = ACK_AR},
	    "MSH|^~\\&|||||20231114221320+0000||ACK|A1|P|2.5.1\rMSA|AR||no-msh\rERR||MSH^1|100^no-msh^HL70357|E\r");
	answer("MSH|^~\\&|LAB|HOSP|||1||ADT^A01||P|2.5\r", (struct hl7_ack){.code = ACK_AR},
	    "MSH|^~\\&|||LAB|HOSP|20231114221320+0000||ACK^A01^ACK|A1|P|2.5\rMSA|AR||no-control-id\r"
	    "ERR||MSH^1^10|101^no-control-id^HL70357|E\r");
}

static enum map_reason
knows(const char *in)
{
	struct hl7_place where;
	struct hl7_message m;
	enum map_reason r;

	assert_int_equal(hl7_parse(phi_of(in, strlen(in)), &m, &where), HL7_OK);
	r = map_knows(&m);
	hl7_release(&m);
	return r;
}

static void
test_known_types(void **state)
{
	(void)state;
	assert_int_equal(knows(MSH), MAP_OK);
	assert_int_equal(knows("MSH|^~\\&|A|B|||1||ADT|9|P|2.1\rEVN|A01\r"), MAP_OK);
	assert_int_equal(knows("MSH|^~\\&|A|B|||1||ADT^A99|9|P|2.5\r"), MAP_UNSUPPORTED_EVENT);
	assert_int_equal(knows("MSH|^~\\&|A|B|||1||BAR^P01|9|P|2.5\r"), MAP_UNSUPPORTED_TYPE);
}

static void
wants(const char *fields, bool enhanced, const char *yes)
{
	static const char *const names[] = {"AA", "AE", "AR", "CA", "CE", "CR"};
	AUTO_BUF b = BUF(400);
	struct hl7_place where;
	struct hl7_message m;

	buf_put_c(&b, "MSH|^~\\&|LAB|HOSP|||1||ADT^A01|9|P|2.5|||");
	buf_put_c(&b, fields);
	assert_int_equal(parse(buf_str(&b), &m, &where), HL7_OK);
	assert_int_equal(hl7_ack_enhanced(&m), enhanced);
	for (int c = ACK_AA; c <= ACK_CR; c++)
		assert_int_equal(hl7_ack_wanted(&m, (enum ack_code)c), strstr(yes, names[c]) != NULL);
	hl7_release(&m);
}

static void
test_modes(void **state)
{
	(void)state;
	wants("", false, "AA AE AR");
	wants(" ", false, "AA AE AR"); /* as real senders do: it asks for nothing, and is not left without an answer */
	wants("yes|\"\"", false, "AA AE AR");
	wants("AL|NE", true, "CA CE CR");
	wants("AL|AL", true, "CA CE CR AA AE AR");
	wants("ER|SU", true, "CE CR AA");
	wants("NE|ER", true, "AE AR");
	assert_int_equal(hl7_ack_refusal(false, HL7_BAD_SEGMENT), ACK_AE);
	assert_int_equal(hl7_ack_refusal(true, HL7_BAD_SEGMENT), ACK_CE);
	assert_int_equal(hl7_ack_refusal(true, HL7_TOO_LARGE), ACK_CR);
	assert_int_equal(hl7_ack_refusal(false, HL7_NO_TYPE), ACK_AR);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_index), cmocka_unit_test(test_other_delimiters), cmocka_unit_test(test_refused),
		cmocka_unit_test(test_places), cmocka_unit_test(test_escapes), cmocka_unit_test(test_charsets), cmocka_unit_test(test_large),
		cmocka_unit_test(test_frames_cut_anywhere), cmocka_unit_test(test_frame_limit), cmocka_unit_test(test_answers),
		cmocka_unit_test(test_modes), cmocka_unit_test(test_known_types),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
