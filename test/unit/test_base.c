#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/cur.h"
#include "base/fault.h"
#include "base/fd.h"
#include "base/id.h"
#include "base/num.h"

static void
buf_stops_at_its_maximum(void **state)
{
	AUTO_BUF b = BUF(4);

	(void)state;
	buf_put_c(&b, "abcd");
	assert_false(err_is(buf_check(&b)));
	buf_put_char(&b, 'e');
	assert_int_equal(buf_check(&b).code, ERR_LIMIT);
	assert_int_equal(b.n, 4);
	buf_put_char(&b, 'f'); /* sticky */
	assert_int_equal(b.n, 4);
	buf_clear(&b);
	buf_put_char(&b, 'g');
	assert_true(str_eq(buf_str(&b), STR("g")));
}

static void
cur_fails_past_the_end_and_on_rest(void **state)
{
	struct cur c = cur_of(STR("\x00\x00\x00\x02hi!"));

	(void)state;
	assert_true(str_eq(cur_lstr(&c), STR("hi")));
	assert_int_equal(cur_end(&c).code, ERR_INVALID);
	assert_int_equal(cur_u8(&c), '!');
	assert_false(err_is(cur_end(&c)));
	assert_int_equal(cur_u32(&c), 0);
	assert_true(c.failed);
	c = cur_of(STR("\xff\xff\xff\xffx"));
	assert_int_equal(cur_lstr(&c).n, 0);
	assert_true(c.failed);
}

static void
numbers_are_checked(void **state)
{
	uint64_t v = 7;

	(void)state;
	assert_false(err_is(num_parse_u64(STR("18446744073709551615"), UINT64_MAX, &v)));
	assert_true(v == UINT64_MAX);
	assert_int_equal(num_parse_u64(STR("18446744073709551616"), UINT64_MAX, &v).code, ERR_LIMIT);
	assert_int_equal(num_parse_u64(STR("11"), 10, &v).code, ERR_LIMIT);
	assert_int_equal(num_parse_u64(STR(""), 10, &v).code, ERR_INVALID);
	assert_int_equal(num_parse_u64(STR("-1"), 10, &v).code, ERR_INVALID);
	assert_int_equal(num_parse_u64(STR("+1"), 10, &v).code, ERR_INVALID);
	assert_true(v == UINT64_MAX); /* untouched on failure */
	assert_false(err_is(num_parse_hex(STR("fF"), &v)));
	assert_int_equal(v, 255);
	assert_int_equal(num_parse_hex(STR("g"), &v).code, ERR_INVALID);
}

static void
base64_and_hex_are_canonical(void **state)
{
	static const char *const bad[] = {"Zg=", "Zg=a", "Zh==", "Zm9=", "Z===", "Zg==Zg==", "Z!=="};
	AUTO_BUF b = BUF(64);

	(void)state;
	buf_put_base64(&b, "fo", 2); /* RFC 4648, 10 */
	assert_true(str_eq(buf_str(&b), STR("Zm8=")));
	buf_clear(&b);
	assert_false(err_is(buf_decode_base64(&b, STR("Zm9vYg=="))));
	assert_true(str_eq(buf_str(&b), STR("foob")));
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(buf_decode_base64(&b, str_c(bad[i])).code, ERR_INVALID);
	assert_int_equal(buf_decode_hex(&b, STR("0")).code, ERR_INVALID);
	assert_int_equal(buf_decode_hex(&b, STR("0x")).code, ERR_INVALID);
}

static void
json_strings_never_break_out(void **state)
{
	AUTO_BUF b = BUF(128);

	(void)state;
	buf_put_json(&b, STR("a\"\\\n\x01\xC3\xA9\xFF"));
	assert_true(str_eq(buf_str(&b), STR("\"a\\\"\\\\\\n\\u0001\xC3\xA9\xEF\xBF\xBD\"")));
}

static void
utf8_is_strict(void **state)
{
	static const char *const bad[] = {"\xC0\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\x80", "\xE2\x82"};

	(void)state;
	assert_true(str_is_utf8(STR("\xF0\x9F\x92\x99 \xE2\x82\xAC")));
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_false(str_is_utf8(str_c(bad[i])));
}

static void
dates_go_round(void **state)
{
	static const char *const bad[] = {"20261301T000000Z", "20260230T000000Z", "20260101T240000Z",
		"20260101T000000", "2026010100000000"};
	AUTO_BUF b = BUF(64);
	int64_t us = 0;

	(void)state;
	assert_false(err_is(clock_parse_basic(STR("20130524T000000Z"), &us)));
	assert_int_equal(us / US_PER_S, 1369353600);
	buf_put_http_date(&b, us);
	assert_true(str_eq(buf_str(&b), STR("Fri, 24 May 2013 00:00:00 GMT")));
	assert_false(err_is(clock_parse_http(buf_str(&b), &us)));
	assert_int_equal(us / US_PER_S, 1369353600);
	assert_false(err_is(clock_parse_http(STR("Sunday, 06-Nov-94 08:49:37 GMT"), &us)));
	assert_int_equal(us / US_PER_S, 784111777);
	assert_false(err_is(clock_parse_http(STR("Sun Nov  6 08:49:37 1994"), &us)));
	assert_int_equal(us / US_PER_S, 784111777);
	assert_false(err_is(clock_parse_rfc3339(STR("1994-11-06T09:49:37.5+01:00"), &us)));
	assert_true(us == 784111777 * US_PER_S + 500000);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(clock_parse_basic(str_c(bad[i]), &us).code, ERR_INVALID);
}

static void
ids_are_32_lower_case_digits(void **state)
{
	struct id a = id_new(), b;
	char hex[ID_HEX_LEN + 1];

	(void)state;
	id_format(a, hex);
	assert_false(err_is(id_parse(str_c(hex), &b)));
	assert_true(id_eq(a, b));
	assert_int_equal(id_parse(STR("0123456789ABCDEF0123456789ABCDEF"), &b).code, ERR_INVALID);
	assert_int_equal(id_parse(STR("0123"), &b).code, ERR_INVALID);
	assert_false(id_eq(id_new(), id_new()));
}

static void
replace_file_keeps_the_old_one_on_any_failure(void **state)
{
	char dir[] = "/tmp/cloister-test-XXXXXX";
	AUTO_BUF b = BUF(64);
	AUTO_FD d = -1;

	(void)state;
	assert_non_null(mkdtemp(dir));
	assert_false(err_is(fd_open_at(AT_FDCWD, dir, O_RDONLY | O_DIRECTORY, 0, &d)));
	assert_false(err_is(fd_replace_file(d, "f", STR("old"), 0600)));
	for (int kind = 0; kind < FAULT_MESSAGE; kind++) {
		fault_arm((enum fault_kind)kind, 0, ENOSPC);
		assert_int_equal(fd_replace_file(d, "f", STR("new"), 0600).code, ERR_NO_SPACE);
		fault_disarm();
		buf_clear(&b);
		assert_false(err_is(fd_read_file(d, "f", &b)));
		assert_true(str_eq(buf_str(&b), STR("old")));
	}
	assert_false(err_is(fd_replace_file(d, "f", STR("new"), 0600)));
	buf_clear(&b);
	assert_false(err_is(fd_read_file(d, "f", &b)));
	assert_true(str_eq(buf_str(&b), STR("new")));
	unlinkat(d, "f", 0);
	assert_int_equal(rmdir(dir), 0); /* nothing else was left behind */
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(buf_stops_at_its_maximum),
		cmocka_unit_test(cur_fails_past_the_end_and_on_rest),
		cmocka_unit_test(numbers_are_checked),
		cmocka_unit_test(base64_and_hex_are_canonical),
		cmocka_unit_test(json_strings_never_break_out),
		cmocka_unit_test(utf8_is_strict),
		cmocka_unit_test(dates_go_round),
		cmocka_unit_test(ids_are_32_lower_case_digits),
		cmocka_unit_test(replace_file_keeps_the_old_one_on_any_failure),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
