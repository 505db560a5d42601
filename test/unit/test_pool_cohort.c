/* The SQL of a person: what may choose a cohort, and every way to do something else with it that we could think of. Nobody in here is real. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "base/clock.h"
#include "pool_fixture.h"

static struct memory_store *m;
static struct pool_data *p;

static int
setup(void **state)
{
	(void)state;
	m = store_new();
	SEAL(m, 1, {POOL_PUT, "Patient/p1", "p1", "{\"gender\":\"female\",\"birthDate\":\"1950-02-03\",\"name\":[{\"family\":\"Roe\",\"given\":[\"Jane\"]}]}"},
	    {POOL_PUT, "Patient/p2", "p2", "{\"gender\":\"male\",\"birthDate\":\"1980\"}"},
	    {POOL_PUT, "Patient/p3", "p3", "{\"gender\":\"female\",\"birthDate\":\"2001-05\"}"},
	    {POOL_PUT, "Condition/c1", "p1", "{\"code\":{\"coding\":[{\"code\":\"44054006\",\"display\":\"Diabetes\"}]},"
		"\"onsetDateTime\":\"2020-03-04T10:00:00+01:00\"}"},
	    {POOL_PUT, "Condition/c2", "p1", "{\"code\":{\"coding\":[{\"code\":\"44054006\"}]}}"},
	    {POOL_PUT, "Observation/o1", "p2", "{\"code\":{\"coding\":[{\"code\":\"8302-2\"}]},\"valueQuantity\":{\"value\":181.5,\"unit\":\"cm\"}}"});
	p = loaded(m);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	pool_unload(p);
	store_release(m);
	return 0;
}

static void
what_studies_ask(void **state)
{
	static const struct {
		const char *sql;
		uint64_t n;
	} cases[] = {
	    {"SELECT patient FROM person", 3},
	    {"select patient from person;", 3},
	    {"TABLE person", 3},
	    {"SELECT patient, patient FROM person", 3},
	    {"FROM person", 3},
	    {"SELECT * FROM person -- everybody", 3},
	    {"SELECT patient FROM person WHERE gender = 'female' AND birth_date < DATE '1960-01-01'", 1},
	    {"SELECT p.patient FROM person p JOIN condition c USING (patient) WHERE c.code = '44054006'", 1}, /* each once */
	    {"WITH d AS (SELECT patient FROM condition WHERE display ILIKE '%diab%') SELECT patient FROM person WHERE patient IN (SELECT patient FROM d)", 1},
	    {"SELECT patient FROM measurement WHERE code IN ('8302-2', 'x') GROUP BY patient HAVING max(value) BETWEEN 180 AND 190", 1},
	    {"SELECT patient FROM person WHERE date_diff('year', birth_date, DATE '2026-01-01') >= 18 ORDER BY birth_date LIMIT 2", 2},
	    {"SELECT patient FROM person EXCEPT SELECT patient FROM condition", 2},
	    {"SELECT patient FROM person p WHERE EXISTS (SELECT 1 FROM condition c WHERE c.patient = p.patient "
		"AND c.onset > '2020-01-01'::TIMESTAMP - INTERVAL 1 YEAR)", 1},
	    {"SELECT patient, row_number() OVER (PARTITION BY gender ORDER BY birth_date) AS n FROM person QUALIFY n = 1", 2},
	    {"SELECT patient FROM person WHERE CASE WHEN gender = 'male' THEN true ELSE extract(year FROM birth_date) > 2000 END", 2},
	    {"SELECT 'p1' AS patient", 1},
	    {"SELECT 'nobody' AS patient UNION ALL SELECT NULL", 0}, /* only who is there */
	    {"SELECT code AS patient FROM condition", 0},
	    {"SELECT patient FROM person WHERE family = 'O''Brien; DROP TABLE person' OR family = 'Roe'", 1},
	    {"SELECT patient FROM person WHERE 1=1 /* ) UNION SELECT */", 3},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint64_t n = 99;
		struct err e = pool_cohort(p, str_c(cases[i].sql), 0, &n);

		if (err_is(e) || n != cases[i].n)
			fail_msg("%s: %s, %llu", cases[i].sql, err_name(e.code), (unsigned long long)n);
		assert_int_equal(atoi(ask(p, "SELECT count(*) FROM cohort")), (int)n);
	}
}

static void
nothing_else_is_a_cohort(void **state)
{
	static const char *const tries[] = {
	    "", ";", "--", "/* */", "(", "SELECT", "SELEC patient FROM person", "SELECT patient FROM",
	    "SELECT patient FROM person; SELECT patient FROM person",
	    "SELECT 1; DROP TABLE cohort",
	    "SELECT patient FROM person); DROP TABLE cohort; --",
	    "SELECT patient FROM person) AS chosen) UNION SELECT body FROM resource --",
	    "DROP VIEW person", "DELETE FROM pool_dead", "INSERT INTO cohort VALUES ('x')", "UPDATE cohort SET patient = 'x'", "CREATE TABLE x AS SELECT 1",
	    "COPY (SELECT patient FROM person) TO '/mem/0'", "COPY person TO '/tmp/x'", "EXPORT DATABASE '/tmp/x'", "ATTACH '/tmp/x'", "DETACH memory",
	    "PRAGMA database_list", "SET threads = 1", "RESET threads", "LOAD json", "INSTALL httpfs", "CHECKPOINT", "VACUUM", "BEGIN", "CALL pragma_version()",
	    "EXPLAIN SELECT patient FROM person", "EXPLAIN ANALYZE SELECT patient FROM person", "DESCRIBE person", "SHOW TABLES", "SUMMARIZE person",
	    "PREPARE x AS SELECT 1", "EXECUTE x", "SELECT patient FROM (DESCRIBE person)", "SELECT patient FROM (SHOW TABLES)",
	    /* other tables */
	    "SELECT patient FROM resource", "SELECT id AS patient FROM pool_row", "SELECT body AS patient FROM pool_resource", "SELECT patient FROM cohort",
	    "SELECT patient FROM main.person", "SELECT patient FROM memory.main.person", "SELECT patient FROM \"resource\"", "SELECT patient FROM RESOURCE",
	    "SELECT table_name AS patient FROM information_schema.tables",
	    "SELECT sql AS patient FROM sqlite_master", "SELECT name AS patient FROM pragma_database_list",
	    "SELECT patient FROM person WHERE EXISTS (SELECT 1 FROM resource WHERE body LIKE '%x%')",
	    "SELECT (SELECT max(body) FROM resource) AS patient", "SELECT patient FROM person JOIN resource USING (patient)",
	    "SELECT patient FROM person UNION SELECT id FROM resource", "SELECT patient FROM person ORDER BY (SELECT max(body) FROM resource)",
	    "SELECT patient FROM person LIMIT (SELECT count(*) FROM resource)",
	    "WITH resource AS (SELECT 1) SELECT patient FROM person",
	    "SELECT (WITH secret AS (SELECT 1) SELECT 1), patient FROM secret",
	    "SELECT patient FROM (WITH pool_row AS (SELECT 1 AS body) SELECT body FROM pool_row), pool_row",
	    "WITH person AS (SELECT 'p1' AS patient) SELECT patient FROM person",
	    "WITH x AS (SELECT body AS patient FROM resource) SELECT patient FROM x",
	    "WITH RECURSIVE t AS (SELECT 'p1' AS patient UNION ALL SELECT patient FROM t) SELECT patient FROM t",
	    "SELECT patient FROM person AT (VERSION => 1)",
	    /* functions */
	    "SELECT patient FROM read_csv('/etc/passwd')", "SELECT content AS patient FROM read_text('/mem/0')", "SELECT * FROM read_parquet('/mem/0')",
	    "SELECT file AS patient FROM glob('*')", "SELECT patient FROM '/mem/0'", "SELECT patient FROM 'x.parquet'", "SELECT * FROM parquet_metadata('/mem/0')",
	    "SELECT patient FROM query('SELECT body AS patient FROM resource')", "SELECT patient FROM query_table('resource')",
	    "SELECT patient FROM duckdb_settings(), person", "SELECT unnest(['p1']) AS patient", "SELECT patient FROM range(1000000000), person",
	    "SELECT patient FROM generate_series(1, 1000000000), person", "SELECT repeat(patient, 1000000000) AS patient FROM person",
	    "SELECT lpad('x', 1000000000, 'x') AS patient", "SELECT range(1000000000)::VARCHAR AS patient", "SELECT string_agg(patient) AS patient FROM person",
	    "SELECT current_setting('threads') AS patient", "SELECT getenv('HOME') AS patient", "SELECT getvariable('x') AS patient",
	    "SELECT error('x') AS patient", "SELECT nextval('s') AS patient", "SELECT note_text('text/plain', 'eA==') AS patient", "SELECT write_log('x') AS patient",
	    "SELECT json_execute_serialized_sql('x') AS patient", "SELECT json_serialize_sql('SELECT 1') AS patient",
	    "SELECT patient FROM json_execute_serialized_sql(json_serialize_sql('SELECT body AS patient FROM resource'))",
	    "SELECT system.main.version() AS patient", "SELECT patient FROM person ORDER BY random()", "SELECT uuid() AS patient",
	    "SELECT patient FROM person USING SAMPLE 10%", "SELECT patient FROM person TABLESAMPLE reservoir(1)",
	    "SELECT list_filter([patient], lambda x: true)[1] AS patient FROM person", "SELECT {'a': patient}.a AS patient FROM person",
	    "SELECT patient FROM person WHERE patient = $1", "SELECT patient FROM person WHERE patient = ?", "PIVOT person ON gender USING count(*)",
	    "SELECT fhir_id(patient) AS patient FROM person", "SELECT patient.replace('1', '2') || read_blob('x') AS patient FROM person",
	    /* columns */
	    "SELECT gender FROM person", "SELECT patient FROM person WHERE nothing = 1", "SELECT count(*) FROM person",
	    "SELECT patient FROM person WHERE gender > 1 + 'x'",
	    "VALUES ('p1')",
	};
	AUTO_BUF why = BUF(100000);
	uint64_t n = 77;

	(void)state;
	assert_ok(pool_cohort(p, STR("SELECT 'p2' AS patient"), 0, &n));
	for (size_t i = 0; i < sizeof(tries) / sizeof(tries[0]); i++) {
		struct err e;

		buf_clear(&why);
		e = pool_cohort_check(str_c(tries[i]), &why);
		if (e.code != ERR_INVALID || why.n == 0 || why.n > 500)
			fail_msg("%s: %s, %zu bytes of why", tries[i], err_is(e) ? err_name(e.code) : "allowed", why.n);
		e = pool_cohort(p, str_c(tries[i]), 0, &n);
		assert_err(e, ERR_INVALID);
	}
	assert_int_equal(n, 1);
	assert_ask(p, "SELECT string_agg(patient, ',') FROM cohort", "p2"); /* the one before stands */
	assert_err(pool_cohort_check(STR("SELECT patient FROM person\0 WHERE"), NULL), ERR_INVALID);
	assert_err(pool_cohort_check(STR("SELECT patient FROM person WHERE given = '\xff'"), NULL), ERR_INVALID);
}

static void
a_statement_has_a_size(void **state)
{
	AUTO_BUF b = BUF(1 * MiB);

	(void)state;
	buf_put_c(&b, "SELECT patient FROM person WHERE ");
	for (int i = 0; i < 5000; i++)
		buf_put_c(&b, "(");
	assert_true(err_is(pool_cohort_check(buf_str(&b), NULL))); /* deep: an error, no crash */
	while (b.n < 70000)
		buf_put_c(&b, "gender = 'x' OR ");
	assert_err(pool_cohort_check(buf_str(&b), NULL), ERR_LIMIT);
	buf_clear(&b);
	buf_put_c(&b, "SELECT patient FROM person WHERE gender = 'x'");
	for (int i = 0; i < 3000; i++)
		buf_put_c(&b, " OR gender = 'y'");
	assert_ok(pool_cohort_check(buf_str(&b), NULL));
	buf_clear(&b);
	buf_put_c(&b, "SELECT patient FROM person WHERE ");
	for (int i = 0; i < 20000; i++)
		buf_put_c(&b, "NOT ");
	assert_true(err_is(pool_cohort_check(buf_str(&b), NULL)));
}

static void
a_huge_join_ends(void **state)
{
	static const char sql[] = "SELECT a.patient FROM (SELECT a.patient, a.value + b.value AS v FROM many a, many b) a, "
	    "many c, many d WHERE a.v + c.value + d.value < 0";
	AUTO_BUF b = BUF(10000);
	uint64_t n;

	(void)state;
	/* ten tables of six rows each, and again: more pairs than anybody can wait for */
	buf_put_c(&b, "WITH s AS (SELECT patient, birth_date FROM person UNION ALL SELECT patient, recorded FROM condition), "
	    "many AS (SELECT a.patient, 1 AS value FROM ");
	for (int i = 0; i < 9; i++)
		buf_printf(&b, "%ss a%d", i ? ", " : "", i);
	buf_put_c(&b, ", s a) ");
	buf_put_c(&b, sql);
	assert_err(pool_cohort(p, buf_str(&b), 300000, &n), ERR_TIMEOUT);
	assert_ok(pool_cohort_all(p, &n)); /* it lives */
	assert_int_equal(n, 3);
}

static void
views_are_as_the_contract_says(void **state)
{
	struct tables_options o = {0};
	struct tables *t;

	(void)state;
	assert_ok(tables_open(&o, &t));
	for (int v = 0; v < POOL_VIEW_COUNT; v++) {
		AUTO_ROWS r = {0};
		char sql[200], check[4000];
		bool is_row;
		size_t at = 0;

		/* the view's columns, as a statement that binds only if the contract has them in this order with these types */
		snprintf(sql, sizeof(sql), "SELECT string_agg(column_name || ' ' || column_type, ', ') FROM (DESCRIBE %s)", pool_view_name((enum pool_view)v));
		assert_ok(tables_query(pool_tables(p), sql, NULL, 0, &r));
		assert_ok(rows_next(&r, &is_row));
		at = (size_t)snprintf(check, sizeof(check), "SELECT patient FROM %s", pool_view_name((enum pool_view)v));
		assert_ok(pool_cohort_check(str_of(check, at), NULL));
		rows_close(&r);
		snprintf(sql, sizeof(sql), "SELECT column_name, column_type FROM (DESCRIBE %s)", pool_view_name((enum pool_view)v));
		assert_ok(tables_query(pool_tables(p), sql, NULL, 0, &r));
		for (;;) {
			struct str name, type;

			assert_ok(rows_next(&r, &is_row));
			if (!is_row)
				break;
			name = rows_word(&r, 0);
			type = rows_word(&r, 1);
			/* a CASE of two different types would be cast: a NULL of the type compared with the column under EXCEPT binds always, so ask min() */
			at = (size_t)snprintf(check, sizeof(check),
			    "SELECT patient FROM %s WHERE \"%.*s\" IS NULL OR CAST(\"%.*s\" AS %.*s) = \"%.*s\"", pool_view_name((enum pool_view)v), STR_ARG(name),
			    STR_ARG(name), STR_ARG(type), STR_ARG(name));
			assert_ok(pool_cohort_check(str_of(check, at), NULL));
		}
	}
	tables_close(t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_studies_ask),
	    cmocka_unit_test(nothing_else_is_a_cohort),
	    cmocka_unit_test(a_statement_has_a_size),
	    cmocka_unit_test(a_huge_join_ends),
	    cmocka_unit_test(views_are_as_the_contract_says),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
