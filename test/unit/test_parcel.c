#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/num.h"
#include "cell/parcel.h"
#include "cell/wire_cell.h"

#define assert_ok(expr) assert_int_equal((expr).code, ERR_NONE)
#define assert_err(expr, c) assert_int_equal((expr).code, (c))

/* stream(bytes): a descriptor from which exactly these come */
static int
stream(struct str s)
{
	int p[2];

	assert_int_equal(pipe(p), 0);
	assert_ok(fd_write_all(p[1], s));
	close(p[1]);
	return p[0];
}

static void
names_are_paths_below_a_folder(void **state)
{
	static const char *const good[] = {"a", "manifest.json", "parquet/person.parquet", "a/b/c/d", "...", ".hidden", "a..b", "A-Z_9.csv", "x/.y/z"};
	static const char *const bad[] = {"", "/", "/a", "a/", "a//b", ".", "..", "../a", "a/..", "a/../b", "./a", "a/./b", "a b", "a\\b", "a\nb", "caf\xc3\xa9",
		"a:b", "a*", "~", "a\x7f"};
	char longest[PARCEL_NAME_MAX + 2];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		assert_true(parcel_name_is(str_c(good[i])));
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_false(parcel_name_is(str_c(bad[i])));
	assert_false(parcel_name_is(str_of("a\0b", 3)));
	memset(longest, 'x', sizeof(longest));
	assert_true(parcel_name_is(str_of(longest, PARCEL_NAME_MAX)));
	assert_false(parcel_name_is(str_of(longest, PARCEL_NAME_MAX + 1)));
}

static void
what_is_written_is_read(void **state)
{
	struct parcel_entry e;
	char bytes[4];
	int p[2];

	(void)state;
	assert_int_equal(pipe(p), 0);
	assert_ok(parcel_write_head(p[1], STR("csv/a.csv"), 3));
	assert_ok(fd_write_all(p[1], STR("abc")));
	assert_ok(parcel_write_head(p[1], STR("none"), PARCEL_NONE));
	assert_ok(parcel_write_head(p[1], STR("empty"), 0));
	assert_err(parcel_write_head(p[1], STR("../x"), 0), ERR_INVALID);
	assert_ok(parcel_write_end(p[1]));
	close(p[1]);
	assert_ok(parcel_read_head(p[0], &e));
	assert_string_equal(e.name, "csv/a.csv");
	assert_true(e.size == 3);
	assert_ok(parcel_read(p[0], bytes, 3));
	assert_memory_equal(bytes, "abc", 3);
	assert_ok(parcel_read_head(p[0], &e));
	assert_string_equal(e.name, "none");
	assert_true(e.size == PARCEL_NONE);
	assert_ok(parcel_read_head(p[0], &e));
	assert_true(e.size == 0);
	assert_ok(parcel_read_head(p[0], &e));
	assert_string_equal(e.name, "");
	assert_err(parcel_read_head(p[0], &e), ERR_CLOSED);
	close(p[0]);
}

static void
what_breaks_off_is_noticed_everywhere(void **state)
{
	static const char whole[] = "\0\1a\0\0\0\0\0\0\0\5hello\0\0";
	struct parcel_entry e = {.size = 77};

	(void)state;
	for (size_t n = 0; n < 11; n++) { /* within the first head */
		int fd = stream(str_of(whole, n));

		assert_err(parcel_read_head(fd, &e), ERR_CLOSED);
		assert_true(e.size == 77); /* untouched */
		close(fd);
	}
	for (size_t n = 11; n < sizeof(whole) - 1; n++) {
		int fd = stream(str_of(whole, n));
		char bytes[5];
		struct err ended;

		assert_ok(parcel_read_head(fd, &e));
		ended = parcel_read(fd, bytes, sizeof(bytes));
		if (!err_is(ended))
			ended = parcel_read_head(fd, &e);
		assert_err(ended, ERR_CLOSED);
		close(fd);
		e.size = 77;
	}
}

static void
heads_that_are_none(void **state)
{
	static const struct str bad[] = {STR("\xff\xff"), STR("\1\0"), STR("\0\2..\0\0\0\0\0\0\0\0"), STR("\0\1/\0\0\0\0\0\0\0\0"), STR("\0\1 \0\0\0\0\0\0\0\0")};
	struct parcel_entry e;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		int fd = stream(bad[i]);

		assert_err(parcel_read_head(fd, &e), ERR_INVALID);
		close(fd);
	}
}

static struct cell_state
busy_cell(void)
{
	struct cell_state s = {.open = true, .staged = true, .opened_us = 1, .used_us = INT64_MAX, .memory_bytes = 1ull << 40, .processes = 3,
		.disk_bytes = 5, .n_workers = CELL_WORKERS_MAX};

	for (size_t i = 0; i < CELL_REFUSALS; i++)
		s.refused[i] = i * i;
	for (size_t i = 0; i < CELL_WORKERS_MAX; i++)
		s.workers[i] = (struct worker_state){.id = id_new(), .running = i % 2, .exit_status = (int32_t)i - 3, .started_us = 9, .ended_us = 10};
	return s;
}

static void
a_state_arrives_as_it_was(void **state)
{
	struct cell_state s = busy_cell(), got;
	AUTO_BUF b = BUF(4096);
	struct cur c;

	(void)state;
	cell_state_encode(&s, &b);
	c = cur_of(buf_str(&b));
	cell_state_decode(&c, &got);
	assert_ok(cur_end(&c));
	assert_true(got.open && got.staged && !got.notebook && got.n_workers == CELL_WORKERS_MAX);
	assert_true(got.used_us == INT64_MAX && got.memory_bytes == 1ull << 40);
	assert_memory_equal(got.refused, s.refused, sizeof(s.refused));
	for (size_t i = 0; i < CELL_WORKERS_MAX; i++)
		assert_true(id_eq(got.workers[i].id, s.workers[i].id) && got.workers[i].exit_status == (int32_t)i - 3 && got.workers[i].running == i % 2);
}

static void
a_state_cut_short_is_no_state(void **state)
{
	struct cell_state s = busy_cell(), got;
	AUTO_BUF b = BUF(4096);

	(void)state;
	cell_state_encode(&s, &b);
	for (size_t n = 0; n < b.n; n++) {
		struct cur c = cur_of(str_of(b.p, n));

		cell_state_decode(&c, &got);
		assert_true(err_is(cur_end(&c)));
	}
	b.p[1 + 5 * 8 + CELL_REFUSALS * 8] = CELL_WORKERS_MAX + 1; /* more workers than fit */
	struct cur c = cur_of(buf_str(&b));

	cell_state_decode(&c, &got);
	assert_true(err_is(cur_end(&c)));
}

static void
every_refusal_has_its_word(void **state)
{
	(void)state;
	assert_string_equal(cell_refusal_word(REFUSED_DNS), "dns");
	for (int i = 0; i < CELL_REFUSALS; i++) /* a record's WORD */
		for (const char *z = cell_refusal_word((enum cell_refusal)i); *z; z++)
			assert_true((*z >= 'a' && *z <= 'z') || (*z >= '0' && *z <= '9') || *z == '-');
	assert_string_equal(cell_refusal_word(REFUSED_OTHER), "other");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_paths_below_a_folder),
		cmocka_unit_test(what_is_written_is_read),
		cmocka_unit_test(what_breaks_off_is_noticed_everywhere),
		cmocka_unit_test(heads_that_are_none),
		cmocka_unit_test(a_state_arrives_as_it_was),
		cmocka_unit_test(a_state_cut_short_is_no_state),
		cmocka_unit_test(every_refusal_has_its_word),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
