/* tables: what the engine may and may not do in a process that has no files. */
#undef _FORTIFY_SOURCE /* its realpath() is another function than the one libduckdb calls */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/fd.h"
#include "tables/tables.h"

#define assert_ok(e) assert_int_equal((e).code, ERR_NONE)
#define assert_err(e, c) assert_int_equal((e).code, (c))

static struct tables *
opened(uint64_t memory, unsigned threads)
{
	struct tables *t = NULL;
	struct tables_options o = {.memory_bytes = memory, .threads = threads};

	assert_ok(tables_open(&o, &t));
	return t;
}

static void
types_come_back_as_they_went_in(void **state)
{
	struct tables *t = opened(0, 1);
	struct appender *a = NULL;
	AUTO_ROWS r = {0};
	bool is_row;

	(void)state;
	assert_ok(tables_run(t, "CREATE TABLE x(s VARCHAR, b BOOLEAN, i BIGINT, f DOUBLE, d DATE, t TIMESTAMP)"));
	assert_ok(appender_open(t, "x", &a));
	for (int i = 0; i < 5000; i++) {
		if (i % 7 == 0)
			appender_null(a);
		else
			appender_str(a, i % 2 ? STR("short") : STR("a string that does not fit into twelve bytes"));
		appender_i64(a, i % 2);
		appender_i64(a, (int64_t)i * 1000000007);
		appender_f64(a, i / 8.0);
		appender_i64(a, i - 2500);
		appender_i64(a, (int64_t)i * 1000000);
		assert_ok(appender_end(a));
	}
	assert_ok(appender_finish(a));
	appender_free(a);
	assert_ok(tables_query(t, "SELECT * FROM x ORDER BY i", NULL, 0, &r));
	assert_int_equal(rows_columns(&r), 6);
	assert_true(str_eq(rows_name(&r, 4), STR("d")));
	assert_int_equal(rows_type(&r, 0), TABLES_VARCHAR);
	assert_int_equal(rows_type(&r, 1), TABLES_BOOLEAN);
	assert_int_equal(rows_type(&r, 2), TABLES_INTEGER);
	assert_int_equal(rows_type(&r, 3), TABLES_DOUBLE);
	assert_int_equal(rows_type(&r, 4), TABLES_DATE);
	assert_int_equal(rows_type(&r, 5), TABLES_TIMESTAMP);
	for (int i = 0; i < 5000; i++) {
		assert_ok(rows_next(&r, &is_row));
		assert_true(is_row);
		assert_int_equal(rows_is_null(&r, 0), i % 7 == 0);
		if (i % 7)
			assert_int_equal(phi_size(rows_phi(&r, 0)), i % 2 ? 5 : 44);
		assert_int_equal(rows_i64(&r, 1), i % 2);
		assert_int_equal(rows_i64(&r, 2), (int64_t)i * 1000000007);
		assert_true(rows_f64(&r, 3) > i / 8.0 - 0.01 && rows_f64(&r, 3) < i / 8.0 + 0.01);
		assert_int_equal(rows_i64(&r, 4), i - 2500);
		assert_int_equal(rows_i64(&r, 5), (int64_t)i * 1000000);
	}
	assert_ok(rows_next(&r, &is_row));
	assert_false(is_row);
	rows_close(&r);
	tables_close(t);
}

static void
rows_live_beside_other_statements(void **state)
{
	struct tables *t = opened(0, 1);
	AUTO_ROWS r = {0};
	bool is_row;
	int64_t n = 0, sum = 0;

	(void)state;
	assert_ok(tables_run(t, "CREATE TABLE x AS SELECT i FROM range(100000) r(i)"));
	assert_ok(tables_query(t, "SELECT i FROM x", NULL, 0, &r));
	for (;;) {
		assert_ok(rows_next(&r, &is_row));
		if (!is_row)
			break;
		if (rows_i64(&r, 0) % 20000 == 0) {
			assert_ok(tables_run(t, "INSERT INTO x VALUES (-1)"));
			assert_ok(tables_number(t, "SELECT count(*) FROM x", &n));
		}
		sum += rows_i64(&r, 0);
	}
	assert_int_equal(n, 100005);
	assert_int_equal(sum, 99999ll * 100000 / 2); /* what began before does not see what came after */
	rows_close(&r);
	tables_close(t);
}

static void
parameters_are_values(void **state)
{
	struct tables *t = opened(0, 1);
	AUTO_ROWS r = {0};
	struct str evil = STR("x'; DROP TABLE x; --");
	struct tables_value v[] = {tables_text(phi_of(evil.p, evil.n)), tables_i64(7)};
	bool is_row;

	(void)state;
	assert_ok(tables_run(t, "CREATE TABLE x(a VARCHAR)"));
	assert_err(tables_query(t, "SELECT $1", NULL, 0, &r), ERR_INVALID);
	assert_ok(tables_query(t, "SELECT $1::VARCHAR, $2::BIGINT + 1", v, 2, &r));
	assert_ok(rows_next(&r, &is_row));
	assert_true(str_eq(rows_word(&r, 0), evil));
	assert_int_equal(rows_i64(&r, 1), 8);
	rows_close(&r);
	assert_ok(tables_run(t, "INSERT INTO x VALUES ('still here')"));
	tables_close(t);
}

static void
errors_have_codes_and_no_text(void **state)
{
	struct tables *t = opened(0, 1);
	AUTO_ROWS r = {0};
	AUTO_BUF why = BUF(2000);
	int64_t n = 5;

	(void)state;
	assert_err(tables_run(t, "SELEC 1"), ERR_INVALID);
	assert_err(tables_run(t, ""), ERR_INVALID);
	assert_err(tables_run(t, "SELECT * FROM nothing"), ERR_NOT_FOUND);
	assert_ok(tables_run(t, "CREATE TABLE x(a INTEGER UNIQUE); INSERT INTO x VALUES (1)"));
	assert_err(tables_run(t, "CREATE TABLE x(a INTEGER)"), ERR_EXISTS);
	assert_err(tables_run(t, "INSERT INTO x VALUES (1)"), ERR_EXISTS);
	assert_err(tables_run(t, "SELECT b FROM x"), ERR_INVALID);
	assert_err(tables_run(t, "SELECT 'Smith'::INTEGER FROM x"), ERR_INVALID);
	assert_err(tables_query(t, "SELECT 1; SELECT 2", NULL, 0, &r), ERR_INVALID);
	assert_err(tables_number(t, "SELECT 'x'", &n), ERR_CORRUPT);
	assert_err(tables_number(t, "SELECT * FROM range(2)", &n), ERR_CORRUPT);
	assert_int_equal(n, 5);
	assert_err(tables_check(t, STR("SELECT nobody FROM x"), &why), ERR_INVALID);
	assert_true(str_find(buf_str(&why), STR("nobody")) != SIZE_MAX);
	assert_ok(tables_check(t, STR("SELECT a FROM x"), NULL));
	assert_err(tables_check(t, STR("SELECT a\0 FROM x"), NULL), ERR_INVALID);
	tables_close(t);
}

static void
rows_that_do_not_fit_are_refused(void **state)
{
	struct tables *t = opened(0, 1);
	struct appender *a = NULL;

	(void)state;
	assert_ok(tables_run(t, "CREATE TABLE x(a VARCHAR, b BIGINT)"));
	assert_err(appender_open(t, "y", &a), ERR_NOT_FOUND);
	assert_ok(appender_open(t, "x", &a));
	appender_str(a, STR("bad \xff utf-8"));
	appender_i64(a, 1);
	assert_err(appender_end(a), ERR_INVALID);
	appender_str(a, STR("good"));
	assert_err(appender_finish(a), ERR_INVALID); /* sticky */
	appender_free(a);
	assert_ok(appender_open(t, "x", &a));
	appender_str(a, STR("one column too few"));
	assert_err(appender_end(a), ERR_INVALID);
	appender_free(a);
	assert_ok(appender_open(t, "x", &a));
	appender_i64(a, 1); /* of the wrong type */
	appender_i64(a, 1);
	assert_err(appender_end(a), ERR_INVALID);
	appender_free(a);
	tables_close(t);
}

static void
parquet_goes_through_memory(void **state)
{
	struct tables *t = opened(0, 2);
	AUTO_MEMFILE m = {0};
	AUTO_MEMFILE copy = {0};
	AUTO_BUF bytes = BUF_WIPED(64 * MiB);
	struct memfile both[2];
	int64_t n;
	uint64_t size;

	(void)state;
	assert_ok(tables_write(t, "SELECT i, 'text ' || i AS s FROM range(300000) r(i)", "FORMAT parquet, COMPRESSION zstd", &m));
	assert_ok(memfile_append_to(&m, &bytes));
	assert_ok(memfile_size(&m, &size));
	assert_int_equal(size, bytes.n);
	assert_memory_equal(bytes.p, "PAR1", 4);
	assert_ok(memfile_make(&copy));
	assert_ok(memfile_append(&copy, phi_of(bytes.p, 1000)));
	assert_ok(memfile_append(&copy, phi_of(bytes.p + 1000, bytes.n - 1000)));
	both[0] = m;
	both[1] = copy;
	assert_ok(tables_view(t, "v", both, 2, "i, s"));
	assert_ok(tables_number(t, "SELECT count(*) FROM v", &n));
	assert_int_equal(n, 600000);
	assert_ok(tables_number(t, "SELECT count(*) FROM v WHERE s = 'text 299999'", &n));
	assert_int_equal(n, 2);
	assert_err(tables_view(t, "w", both, 0, "*"), ERR_INVALID);
	tables_close(t);
}

static void
csv_goes_through_memory(void **state)
{
	struct tables *t = opened(0, 1);
	AUTO_MEMFILE m = {0};
	AUTO_BUF bytes = BUF_WIPED(1 * MiB);

	(void)state;
	assert_ok(tables_write(t, "SELECT 1 AS a, 'x,y' AS b", "FORMAT csv, HEADER", &m));
	assert_ok(memfile_append_to(&m, &bytes));
	assert_true(str_eq(buf_str(&bytes), STR("a,b\n1,\"x,y\"\n")));
	tables_close(t);
}

static void
bad_parquet_is_an_error(void **state)
{
	struct tables *t = opened(0, 1);
	AUTO_MEMFILE good = {0};
	AUTO_BUF bytes = BUF_WIPED(1 * MiB);
	int64_t n;

	(void)state;
	assert_ok(tables_write(t, "SELECT i, 'text ' || i AS s FROM range(3000) r(i)", "FORMAT parquet, COMPRESSION zstd", &good));
	assert_ok(memfile_append_to(&good, &bytes));
	for (size_t cut = 0; cut < bytes.n; cut += 97) {
		AUTO_MEMFILE bad = {0};
		struct err e;

		assert_ok(memfile_make(&bad));
		assert_ok(memfile_append(&bad, phi_of(bytes.p, cut)));
		e = tables_view(t, "v", &bad, 1, "*");
		if (!err_is(e))
			e = tables_number(t, "SELECT sum(length(s))::BIGINT FROM v", &n);
		assert_true(err_is(e));
	}
	tables_close(t);
}

/* Statements that would reach outside: each must fail, and nothing may come to be on disk. */
static void
nothing_but_memory_files_exists(void **state)
{
	static const char *const tries[] = {
	    "SELECT * FROM read_csv('/etc/passwd')",
	    "SELECT * FROM read_text('/etc/passwd')",
	    "SELECT * FROM read_blob('/proc/self/maps')",
	    "SELECT * FROM '/etc/passwd'",
	    "SELECT * FROM read_text('/mem/../etc/passwd')",
	    "SELECT * FROM read_text('file:///etc/passwd')",
	    "SELECT * FROM read_parquet('https://example.org/x.parquet')",
	    "COPY (SELECT 1) TO '/tmp/cloister-tables-escaped'",
	    "COPY (SELECT 1) TO 'cloister-tables-escaped'",
	    "COPY (SELECT 1) TO '/mem/4000'", /* nobody has made it */
	    "COPY (SELECT 1) TO '/mem/x'",
	    "COPY (SELECT 1) TO '/dev/stdout'",
	    "ATTACH '/tmp/cloister-tables-escaped' AS a",
	    "ATTACH '/mem/4000' AS a",
	    "EXPORT DATABASE '/tmp/cloister-tables-escaped'",
	    "IMPORT DATABASE '/tmp'",
	    "INSTALL httpfs",
	    "LOAD httpfs",
	    "LOAD '/tmp/x.so'",
	    "SET enable_external_access = true",
	    "SET lock_configuration = false",
	    "RESET lock_configuration",
	    "SET allowed_directories = ['/']",
	    "SET temp_directory = '/tmp'",
	    "SET memory_limit = '100GB'",
	    "SET threads = 64",
	    "SET profiling_output = '/tmp/cloister-tables-escaped'",
	    "SET log_query_path = '/tmp/cloister-tables-escaped'",
	    "CREATE PERSISTENT SECRET s (TYPE s3)",
	};
	struct tables *t = opened(0, 1);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(tries); i++) {
		struct err e = tables_run(t, tries[i]);

		if (!err_is(e))
			fail_msg("allowed: %s", tries[i]);
	}
	assert_int_equal(faccessat(AT_FDCWD, "/tmp/cloister-tables-escaped", F_OK, 0), -1);
	assert_int_equal(faccessat(AT_FDCWD, "cloister-tables-escaped", F_OK, 0), -1);
	tables_close(t);
}

static void
more_memory_than_allowed_is_an_error(void **state)
{
	struct tables *t = opened(64 * MiB, 1);
	int64_t n;

	(void)state;
	assert_err(tables_run(t, "CREATE TABLE x AS SELECT i::VARCHAR || repeat('x', 100) AS s FROM range(5000000) r(i)"), ERR_NO_MEMORY);
	assert_ok(tables_number(t, "SELECT 1", &n)); /* it lives on */
	tables_close(t);
}

static void
a_statement_has_a_time_limit(void **state)
{
	(void)state;
	for (unsigned threads = 1; threads <= 2; threads++) {
		struct tables *t = opened(0, threads);
		int64_t n;

		tables_limit(t, 50000);
		assert_err(tables_run(t, "CREATE TABLE x AS SELECT sum(a.i * b.i % 7) FROM range(100000000) a(i), range(100000000) b(i)"), ERR_TIMEOUT);
		tables_limit(t, 0);
		assert_ok(tables_number(t, "SELECT 1", &n));
		tables_close(t);
	}
}

static void
memory_files_are_numbers_and_go(void **state)
{
	struct memfile m = {0};
	struct stat st;
	AUTO_FD fd = -1;
	char name[MEMFILE_NAME_MAX];
	char odd[MEMFILE_NAME_MAX + 8];

	(void)state;
	assert_ok(memfile_make(&m));
	memcpy(name, m.name, sizeof(name));
	assert_int_equal(stat(name, &st), 0);
	fd = open(name, O_RDONLY);
	assert_true(fd >= 0);
	assert_int_equal(open(name, O_WRONLY | O_CREAT | O_EXCL, 0600), -1);
	assert_int_equal(errno, EEXIST);
	snprintf(odd, sizeof(odd), "/mem/0%s", name + 5);
	assert_int_equal(open(odd, O_RDONLY), -1);
	snprintf(odd, sizeof(odd), "/mem/./%s", name + 5);
	assert_int_equal(open(odd, O_RDONLY), -1);
	assert_int_equal(open("/mem/", O_RDONLY | O_DIRECTORY), -1);
	assert_int_equal(open("/mem/99999999999999999999", O_RDONLY), -1);
	memfile_release(&m);
	memfile_release(&m); /* legal */
	assert_int_equal(open(name, O_RDONLY), -1);
	assert_int_equal(errno, ENOENT);
}

static void
there_are_so_many_memory_files(void **state)
{
	static struct memfile all[900];
	size_t n = 0;

	(void)state;
	while (n < ARRAY_LEN(all) && !err_is(memfile_make(&all[n])))
		n++;
	assert_true(n > 100); /* or as many descriptors as this process may have */
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < i && k < 10; k++)
			assert_string_not_equal(all[i].name, all[k].name);
	while (n > 0)
		memfile_release(&all[--n]);
}

/* Last: from here on this process's libraries have no files. */
static void
sealed_there_is_no_other_file(void **state)
{
	struct stat st;
	char path[4097];
	struct memfile m = {0};

	(void)state;
	assert_int_equal(access("/etc/passwd", R_OK), 0);
	memfile_seal();
	assert_int_equal(open("/etc/passwd", O_RDONLY), -1);
	assert_int_equal(errno, ENOENT);
	assert_int_equal(open("/tmp/cloister-tables-escaped", O_WRONLY | O_CREAT, 0600), -1);
	assert_int_equal(access("/etc/passwd", R_OK), -1);
	assert_null(fopen("/etc/passwd", "r"));
	assert_null(opendir("/"));
	assert_null(realpath("/etc", path));
	assert_null(getcwd(path, sizeof(path)));
	assert_int_equal(mkdir("/tmp/cloister-tables-escaped", 0700), -1);
	assert_int_equal(readlink("/proc/self/exe", path, sizeof(path)), -1);
	assert_int_equal(rename("/tmp/a", "/tmp/b"), -1);
	assert_int_equal(unlink("/tmp/cloister-tables-escaped"), -1);
	assert_ok(memfile_make(&m));
	assert_int_equal(stat(m.name, &st), 0);
	assert_int_equal(unlink(m.name), -1); /* its owner's */
	memfile_release(&m);
	parquet_goes_through_memory(NULL);
	nothing_but_memory_files_exists(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(types_come_back_as_they_went_in),
	    cmocka_unit_test(rows_live_beside_other_statements),
	    cmocka_unit_test(parameters_are_values),
	    cmocka_unit_test(errors_have_codes_and_no_text),
	    cmocka_unit_test(rows_that_do_not_fit_are_refused),
	    cmocka_unit_test(parquet_goes_through_memory),
	    cmocka_unit_test(csv_goes_through_memory),
	    cmocka_unit_test(bad_parquet_is_an_error),
	    cmocka_unit_test(nothing_but_memory_files_exists),
	    cmocka_unit_test(more_memory_than_allowed_is_an_error),
	    cmocka_unit_test(a_statement_has_a_time_limit),
	    cmocka_unit_test(memory_files_are_numbers_and_go),
	    cmocka_unit_test(there_are_so_many_memory_files),
	    cmocka_unit_test(sealed_there_is_no_other_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
