/* What the files of tables share. */
#ifndef CLOISTER_TABLES_PRIVATE_H
#define CLOISTER_TABLES_PRIVATE_H

#include "tables/duckdb_api.h"
#include "tables/tables.h"

struct tables {
	duckdb_database db;
	duckdb_connection connection;
	int64_t limit_us;
};

/* tables_error(z): what the engine's sentence ${z} is about, by the words it begins with; the sentence itself goes no further. */
struct err tables_error_at(const char *file, int line, const char *z);
#define TABLES_ERROR(z) tables_error_at(__FILE__, __LINE__, z)

/*
 * tables_execute(connection, statement, streaming, limit_us, &r): runs it to its result or, streaming, to its first rows. The caller
 * destroys ${ret}; untouched on failure.
 */
struct err tables_execute(duckdb_connection c, duckdb_prepared_statement s, bool streaming, int64_t limit_us, duckdb_result *ret);
/* tables_prepare(c, sql, &s): exactly one statement. The caller destroys ${ret}. ${why} may be NULL. */
struct err tables_prepare(duckdb_connection c, const char *sql, duckdb_prepared_statement *ret, struct buf *why);

#endif
