/*
 * tables: an SQL engine (DuckDB) in memory, for a process that can open nothing.
 *
 * What it reads and writes are memory files (tables/memfile.h); nothing else in the file system exists for it, even where the jail
 * would let it through. After tables_open() its settings are locked: no extension is loaded, no temporary file written, memory has a
 * maximum (an operator that needs more fails with NO_MEMORY; nothing spills).
 *
 * Errors carry no text: the engine's sentences quote data. What it says of a statement that was only parsed and bound, before any
 * data existed, is in tables_why().
 *
 * A struct tables may be used by one thread; it has ${threads} of its own. Each struct rows is a connection: statements may run while
 * rows are read, and see what was committed when they began.
 * Processes: scrub. The tests of release, airlock and bench too.
 */
#ifndef CLOISTER_TABLES_TABLES_H
#define CLOISTER_TABLES_TABLES_H

#include "base/buf.h"
#include "base/num.h"
#include "phi/phi.h"
#include "tables/memfile.h"

#define TABLES_LIMIT_COLUMNS 256u
#define TABLES_LIMIT_SQL (1 * MiB)

struct tables; /* heap */

struct tables_options {
	uint64_t memory_bytes; /* of the engine, beside memory files; 0: 1 GiB */
	unsigned threads;      /* 0: 1 */
	int64_t limit_us;      /* each statement may run so long; 0: for ever. TIMEOUT */
};

struct err tables_open(const struct tables_options *o, struct tables **ret);
void tables_close(struct tables *t); /* NULL is legal; every rows and appender is closed before */
/* tables_limit(t, us): of the statements that start from here on, as limit_us. */
void tables_limit(struct tables *t, int64_t us);

/*
 * tables_run(t, sql): one or more statements of ours. INVALID: it does not parse or bind, or a value cannot be converted; NOT_FOUND: no such
 * table or column; EXISTS; NO_MEMORY; TIMEOUT; CORRUPT: a file is none of its kind.
 */
struct err tables_run(struct tables *t, const char *sql);
/* tables_check(t, sql, &why): parsed and bound, not run. ${why} (may be NULL): the engine's sentence, which quotes the statement and names of columns. */
struct err tables_check(struct tables *t, struct str sql, struct buf *why);

/* ---- rows ---- */

enum tables_kind { TABLES_NONE, TABLES_TEXT, TABLES_I64, TABLES_F64 };
struct tables_value { /* of a parameter, $1 … */
	enum tables_kind kind;
	struct phi text;
	int64_t i64;
	double f64;
};
static inline struct tables_value
tables_text(struct phi v)
{
	return (struct tables_value){.kind = TABLES_TEXT, .text = v};
}
static inline struct tables_value
tables_i64(int64_t v)
{
	return (struct tables_value){.kind = TABLES_I64, .i64 = v};
}

enum tables_type { /* of a column */
	TABLES_VARCHAR = 1, /* and BLOB, JSON: bytes */
	TABLES_BOOLEAN,
	TABLES_INTEGER, /* every whole number that fits an int64 */
	TABLES_DOUBLE,  /* FLOAT and DOUBLE; cast a DECIMAL or HUGEINT in the query */
	TABLES_DATE,    /* days since 1970-01-01 */
	TABLES_TIMESTAMP, /* microseconds since 1970-01-01, UTC */
	TABLES_OTHER,   /* cannot be read: cast it in the query */
};

struct rows { /* all zero: closed */
	struct rows_state *rows_private;
};
#define AUTO_ROWS __attribute__((cleanup(rows_close))) struct rows

/*
 * tables_query(t, sql, values, n, &rows): one statement, with ${n} parameters. Rows come as the engine makes them: memory does not hold
 * them all. tables_run() changes what is there only for statements that begin after it.
 */
struct err tables_query(struct tables *t, const char *sql, const struct tables_value *values, size_t n, struct rows *ret);
void rows_close(struct rows *r);
struct err rows_next(struct rows *r, bool *ret_is_row);

unsigned rows_columns(const struct rows *r);
struct str rows_name(const struct rows *r, unsigned column); /* lives as long as ${r} */
enum tables_type rows_type(const struct rows *r, unsigned column);
/* Of the row where rows_next() stands. A column of another type, or NULL: nothing, zero, false. */
bool rows_is_null(const struct rows *r, unsigned column);
struct phi rows_phi(const struct rows *r, unsigned column);  /* VARCHAR; lives until the next rows_next() */
struct str rows_word(const struct rows *r, unsigned column); /* VARCHAR that is a word of ours or a random id: a type, a category. Never data */
int64_t rows_i64(const struct rows *r, unsigned column);     /* BOOLEAN, INTEGER, DATE, TIMESTAMP */
double rows_f64(const struct rows *r, unsigned column);      /* DOUBLE, INTEGER */

/* tables_number(t, sql, &n): one row, one INTEGER; NULL is 0. CORRUPT if it is anything else. */
struct err tables_number(struct tables *t, const char *sql, int64_t *ret);

/*
 * tables_function(t, name, f): an SQL function ${name}(VARCHAR, VARCHAR) that gives a VARCHAR: ${f} appends it to ${out}, or returns false: NULL. A NULL
 * argument is empty bytes. Called by several threads at once; no error but no memory can come of it, and what is not UTF-8 is NULL.
 */
struct err tables_function(struct tables *t, const char *name, bool (*f)(struct phi a, struct phi b, struct buf *out));

/* ---- many rows in ---- */

struct appender; /* heap */
/* appender_open(t, table, &a): columns in their order, each row whole. Types: VARCHAR, BOOLEAN, BIGINT, UBIGINT, DOUBLE, DATE, TIMESTAMP. */
struct err appender_open(struct tables *t, const char *table, struct appender **ret);
/* Errors are sticky; appender_end() and appender_finish() tell. VARCHAR must be UTF-8 (INVALID). */
void appender_phi(struct appender *a, struct phi v);
void appender_str(struct appender *a, struct str v);
void appender_i64(struct appender *a, int64_t v); /* BOOLEAN, BIGINT, UBIGINT, DATE (days), TIMESTAMP (us) */
void appender_f64(struct appender *a, double v);
void appender_null(struct appender *a);
struct err appender_end(struct appender *a); /* of a row */
/* appender_finish(a): what was added is in the table. Then appender_free(). */
struct err appender_finish(struct appender *a);
void appender_free(struct appender *a); /* NULL is legal; what was not finished may be there or not */

/* ---- files ---- */

/*
 * tables_write(t, sql, how, &m): what the SELECT ${sql} gives, as a file in memory. ${how} is ours: "FORMAT parquet, COMPRESSION zstd" or "FORMAT csv, HEADER".
 * The caller releases ${ret}.
 */
struct err tables_write(struct tables *t, const char *sql, const char *how, struct memfile *ret);
/*
 * tables_view(t, name, files, n, columns): a view ${name} over Parquet files in memory, which must outlive it; their bytes are read when
 * the view is. ${columns}: a list for SELECT, ours; "*" for all. ${n} = 0 is INVALID.
 */
struct err tables_view(struct tables *t, const char *name, const struct memfile *files, size_t n, const char *columns);

#endif
