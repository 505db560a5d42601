/* db: the interface, what it promises of errors, and the checksums of pages. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/fd.h"
#include "db/db.h"
#include "db_test_sql.h"

#define CHECK_OK(expr)                                                                              \
	do {                                                                                        \
		struct err check_ = (expr);                                                         \
		if (err_is(check_))                                                                 \
			fail_msg("%s at %s:%d (%d)", err_name(check_.code), check_.file, check_.line, check_.sys); \
	} while (0)
#define CHECK_ERR(expr, want) assert_string_equal(err_name((expr).code), err_name(want))

static char dir[64], path[80];
static struct db *db;
static const struct db_options options = {.statements = db_test_sql_text, .n_statements = DB_TEST_SQL_COUNT, .cache_kib = 256};

static int
set_up(void **state)
{
	(void)state;
	snprintf(dir, sizeof(dir), "/tmp/dbXXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/test.db", dir);
	CHECK_OK(db_open(path, &options, &db));
	CHECK_OK(db_script(db, db_test_script_schema));
	return 0;
}

static int
tear_down(void **state)
{
	char wal[96];

	(void)state;
	fault_disarm();
	db_close(db);
	db = NULL;
	snprintf(wal, sizeof(wal), "%s-wal", path);
	unlink(wal);
	unlink(path);
	return rmdir(dir);
}

static struct err
add(struct str name, uint64_t number)
{
	AUTO_QUERY q = {0};

	db_start(db, SQL_ADD, &q);
	query_put_str(&q, name);
	query_put_u64(&q, number);
	query_put_id(&q, (struct id){{7}});
	return query_run(&q);
}

static struct err
count(uint64_t *ret)
{
	AUTO_QUERY q = {0};
	bool is_row;

	db_start(db, SQL_COUNT, &q);
	TRY(query_step(&q, &is_row));
	*ret = query_u64(&q);
	return query_check(&q);
}

static void
counts(uint64_t want)
{
	uint64_t n = 0;

	CHECK_OK(count(&n));
	assert_int_equal(n, want);
}

static void
values_come_back(void **state)
{
	AUTO_QUERY q = {0};
	bool is_row;

	(void)state;
	CHECK_OK(add(STR("a\0b"), INT64_MAX));
	CHECK_OK(add(STR(""), 0));
	assert_int_equal(query_changes(db), 1);
	db_start(db, SQL_BY_NAME, &q);
	query_put_str(&q, STR("a\0b"));
	CHECK_OK(query_step(&q, &is_row));
	assert_true(is_row);
	assert_int_equal(query_u64(&q), 1);
	assert_true(str_eq(query_str(&q), STR("a\0b")));
	assert_false(query_is_null(&q));
	assert_int_equal(query_u64(&q), INT64_MAX);
	assert_true(id_eq(query_id(&q), (struct id){{7}}));
	CHECK_OK(query_check(&q));
	CHECK_OK(query_step(&q, &is_row));
	assert_false(is_row);
	query_end(&q);
	db_start(db, SQL_BY_NAME, &q); /* prepared once, usable again */
	query_put_str(&q, STR(""));
	CHECK_OK(query_step(&q, &is_row));
	assert_true(is_row);
	query_skip(&q);
	assert_int_equal(query_str(&q).n, 0);
}

static void
values_of_another_type_are_corrupt(void **state)
{
	AUTO_QUERY q = {0};
	bool is_row;

	(void)state;
	CHECK_OK(add(STR("x"), 5));
	db_start(db, SQL_BY_NAME, &q);
	query_put_str(&q, STR("x"));
	CHECK_OK(query_step(&q, &is_row));
	assert_int_equal(query_str(&q).n, 0); /* a number */
	CHECK_ERR(query_check(&q), ERR_CORRUPT);
	query_end(&q);
	db_start(db, SQL_BY_NAME, &q);
	query_put_str(&q, STR("x"));
	CHECK_OK(query_step(&q, &is_row));
	query_skip(&q);
	assert_true(id_is_zero(query_id(&q))); /* one byte, not sixteen */
	CHECK_ERR(query_check(&q), ERR_CORRUPT);
}

static void
errors_have_types(void **state)
{
	AUTO_QUERY q = {0};
	bool is_row;

	(void)state;
	CHECK_OK(add(STR("x"), 5));
	CHECK_ERR(add(STR("x"), 6), ERR_EXISTS);
	counts(1);
	db_start(db, SQL_WRONG, &q);
	assert_true(err_is(query_step(&q, &is_row)));
	query_end(&q);
	struct db *second;
	CHECK_ERR(db_open(path, &options, &second), ERR_BUSY);
	CHECK_ERR(db_open("/nowhere/at/all", &options, &second), ERR_IO);
	CHECK_ERR(db_script(db, "INSERT INTO thing (name) VALUES (NULL)"), ERR_EXISTS); /* a constraint */
}

static void
transactions_are_all_or_nothing(void **state)
{
	(void)state;
	CHECK_OK(db_begin(db));
	assert_true(db_in_transaction(db));
	CHECK_OK(add(STR("a"), 1));
	counts(1);
	db_rollback(db);
	counts(0);
	db_rollback(db);
	CHECK_OK(db_begin(db));
	CHECK_OK(add(STR("a"), 1));
	CHECK_OK(db_commit(db));
	assert_false(db_in_transaction(db));
	db_close(db);
	CHECK_OK(db_open(path, &options, &db));
	counts(1);
	CHECK_OK(db_verify(db));
}

static void
order_is_of_bytes(void **state)
{
	static const char *const want[] = {"A", "B", "a", "\xc3\xa4", "\xff"};
	AUTO_QUERY q = {0};
	bool is_row;

	(void)state;
	for (int i = 4; i >= 0; i--)
		CHECK_OK(add(str_c(want[i]), (uint64_t)i));
	db_start(db, SQL_ALL_FROM, &q);
	query_put_str(&q, STR(""));
	for (int i = 0; i < 5; i++) {
		CHECK_OK(query_step(&q, &is_row));
		assert_true(str_eq(query_str(&q), str_c(want[i])));
	}
}

/* fill(n): rows enough for many pages; then everything is in the database file. */
static void
fill(unsigned n)
{
	char name[600];

	memset(name, 'n', sizeof(name));
	CHECK_OK(db_begin(db));
	for (unsigned i = 0; i < n; i++) {
		memcpy(name, &(uint32_t){i}, 4);
		CHECK_OK(add(str_of(name, sizeof(name)), i));
	}
	CHECK_OK(db_commit(db));
	db_close(db);
	db = NULL;
}

/* read_all(): opens and reads every row by both indexes. */
static struct err
read_all(void)
{
	struct err e = db_open(path, &options, &db);
	uint64_t n = 0;

	if (!err_is(e))
		e = count(&n);
	if (!err_is(e)) {
		AUTO_QUERY q = {0};
		bool is_row = true;
		uint64_t seen = 0;

		db_start(db, SQL_ALL_FROM, &q);
		query_put_str(&q, STR(""));
		while (!err_is(e) && is_row) {
			e = query_step(&q, &is_row);
			seen += is_row;
		}
		if (!err_is(e))
			assert_int_equal(n, seen);
	}
	if (!err_is(e))
		e = db_verify(db);
	db_close(db);
	db = NULL;
	return e;
}

static void
any_flipped_bit_is_found(void **state)
{
	AUTO_FD fd = -1;
	uint64_t size;

	(void)state;
	fill(60);
	CHECK_OK(read_all());
	CHECK_OK(fd_open_at(AT_FDCWD, path, O_RDWR, 0, &fd));
	CHECK_OK(fd_size(fd, &size));
	assert_int_equal(size % 8192, 0);
	assert_true(size > 8 * 8192);
	for (uint64_t at = 0; at < size; at += 97) { /* every region of every page, header and checksums too */
		uint8_t was, now;

		CHECK_OK(fd_pread_all(fd, &was, 1, at));
		now = was ^ (uint8_t)(1u << at % 8);
		CHECK_OK(fd_pwrite_all(fd, str_of(&now, 1), at));
		if (!err_is(read_all()))
			fail_msg("a changed bit at %llu was missed", (unsigned long long)at);
		CHECK_OK(fd_pwrite_all(fd, str_of(&was, 1), at));
	}
	CHECK_OK(read_all());
}

static void
misplaced_and_old_pages_are_found(void **state)
{
	uint8_t a[8192], b[8192];
	AUTO_FD fd = -1;

	(void)state;
	fill(60);
	CHECK_OK(fd_open_at(AT_FDCWD, path, O_RDWR, 0, &fd));
	CHECK_OK(fd_pread_all(fd, a, sizeof(a), 3 * 8192));
	CHECK_OK(fd_pread_all(fd, b, sizeof(b), 4 * 8192));
	CHECK_OK(fd_pwrite_all(fd, str_of(a, sizeof(a)), 4 * 8192)); /* sound, but elsewhere */
	CHECK_ERR(read_all(), ERR_CORRUPT);
	CHECK_OK(fd_pwrite_all(fd, str_of(b, sizeof(b)), 4 * 8192));
	CHECK_OK(read_all());
	assert_int_equal(ftruncate(fd, 5 * 8192), 0);
	assert_true(err_is(read_all()));
	assert_int_equal(ftruncate(fd, 0), 0);
	CHECK_OK(fd_write_all(fd, STR("this is not a database, though it is long enough to be taken for the beginning of one")));
	assert_true(err_is(read_all()));
}

static void
failing_syncs_break_it(void **state)
{
	(void)state;
	CHECK_OK(db_begin(db));
	CHECK_OK(add(STR("a"), 1));
	assert_false(db_is_broken(db));
	fault_arm(FAULT_SYNC, 0, EIO);
	CHECK_ERR(db_commit(db), ERR_IO);
	assert_true(db_is_broken(db));
	assert_false(db_in_transaction(db));
}

static void
a_full_disk_leaves_the_last_state(void **state)
{
	(void)state;
	CHECK_OK(add(STR("a"), 1));
	for (uint64_t after = 0, done = 0; !done; after++) {
		struct err e;

		assert_true(after < 64);
		CHECK_OK(db_begin(db));
		CHECK_OK(add(STR("b"), 1));
		fault_arm(FAULT_WRITE, after, ENOSPC);
		e = db_commit(db);
		fault_disarm();
		assert_false(db_is_broken(db));
		done = !err_is(e);
		if (!done)
			CHECK_ERR(e, ERR_NO_SPACE);
		counts(done ? 2 : 1);
	}
	CHECK_OK(db_verify(db));
}

static void
a_really_full_disk(void **state)
{
	char name[600];
	uint64_t added = 1000, n;
	struct err e = OK;

	(void)state;
	if (mount("none", dir, "tmpfs", 0, "size=1m") != 0)
		skip(); /* needs root */
	db_close(db);
	CHECK_OK(db_open(path, &options, &db));
	CHECK_OK(db_script(db, db_test_script_schema));
	memset(name, 'n', sizeof(name));
	for (uint32_t i = 0; i < 5000 && !err_is(e); i++) {
		memcpy(name, &i, 4);
		e = add(str_of(name, sizeof(name)), i);
		added = i;
	}
	CHECK_ERR(e, ERR_NO_SPACE);
	CHECK_OK(count(&n));
	assert_int_equal(n, added);
	CHECK_OK(db_verify(db));
	db_close(db);
	db = NULL;
	assert_int_equal(umount(dir), 0);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		T(values_come_back), T(values_of_another_type_are_corrupt), T(errors_have_types),
		T(transactions_are_all_or_nothing), T(order_is_of_bytes), T(any_flipped_bit_is_found),
		T(misplaced_and_old_pages_are_found), T(failing_syncs_break_it), T(a_full_disk_leaves_the_last_state),
		T(a_really_full_disk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
