/*
 * db: one small interface to a transactional SQL database, so that the engine is not part of anybody's design.
 *
 * Statements are written once, in .sql files, and named by number (embed_sql.py); each is prepared at its first use and kept. No type of
 * an engine shows here: db_sqlite.c is one engine, another may stand beside it. One user at a time; not re-entrant.
 *
 * What an engine promises: a committed transaction survives a power cut; a page whose bits have changed on disk is
 * CORRUPT when it is read, never wrong data; NO_SPACE and BUSY leave the last committed state. After a failed sync nothing
 * is known of what is on disk (PostgreSQL's lesson), nor after a commit or a rollback that ran out of memory: db_is_broken() says so, and the process
 * must stop.
 *
 * Processes: ledger (its index), warden, vault.
 */
#ifndef CLOISTER_DB_DB_H
#define CLOISTER_DB_DB_H

#include "base/buf.h"
#include "base/id.h"

struct db;

struct db_options {
	const char *const *statements; /* by number; static */
	unsigned n_statements;
	unsigned cache_kib;
	unsigned wal_pages_max; /* written back to the database when the write-ahead log has this many pages; 0: 1000 */
};

/*
 * db_open(path, o, &db): creates an empty database if there is none. ${path} is relative to the working folder; everything that is
 * needed later is open when this returns, except what db_close() removes.
 * CORRUPT, IO, NO_SPACE, BUSY (another process has it), NO_MEMORY.
 */
struct err db_open(const char *path, const struct db_options *o, struct db **ret);
void db_close(struct db *db); /* writes the log back first; NULL is legal */
/* db_is_broken(db): a write or sync failed and the state on disk is unknown. */
bool db_is_broken(const struct db *db);

struct err db_begin(struct db *db);  /* to write: nobody else can in between */
struct err db_commit(struct db *db); /* durable when it returns OK; after an error the transaction is rolled back */
void db_rollback(struct db *db);     /* legal without a transaction */
bool db_in_transaction(const struct db *db);
/* db_script(db, sql): statements without parameters or results, as of a schema. */
struct err db_script(struct db *db, const char *sql);
/* db_verify(db): reads every page and index. CORRUPT. Slow. */
struct err db_verify(struct db *db);

/*
 * query: one use of a statement. Values go in and columns come out in their order, without numbers. Errors are sticky and told by
 * query_step, query_run and query_check. AUTO_QUERY ends it at the end of the block.
 *
 *	AUTO_QUERY q = {0};
 *	db_start(db, SQL_BUCKET_BY_ID, &q);
 *	query_put_id(&q, id);
 *	TRY(query_step(&q, &is_row));
 *	name = query_str(&q);
 *	TRY(query_check(&q));
 */
struct query {
	struct db *query_private_db;
	void *query_private_stmt;
	int query_private_in, query_private_out;
	struct err query_private_e;
};
#define AUTO_QUERY __attribute__((cleanup(query_end))) struct query

/* db_start(db, statement, &q): a statement may be in use once at a time. Its error waits in ${q}. */
void db_start(struct db *db, unsigned statement, struct query *ret);
void query_put_u64(struct query *q, uint64_t v); /* at most INT64_MAX */
void query_put_i64(struct query *q, int64_t v);
void query_put_str(struct query *q, struct str v); /* bytes; must live until query_end() */
void query_put_id(struct query *q, struct id v);
void query_put_null(struct query *q);
/* query_step(q, &is_row): the next row. EXISTS: a unique column has that value already. */
struct err query_step(struct query *q, bool *ret_is_row);
/* query_run(q): for what returns no rows; ends ${q}. */
struct err query_run(struct query *q);
/* query_changes(db): rows that the last query_run() inserted, changed or deleted. */
uint64_t query_changes(const struct db *db);

/* columns: a value of another type or length is CORRUPT and reads as zero */
uint64_t query_u64(struct query *q);
int64_t query_i64(struct query *q);
struct str query_str(struct query *q); /* borrowed until the next step or end */
struct id query_id(struct query *q);
bool query_is_null(const struct query *q);              /* the next column; does not advance */
void query_copy(struct query *q, void *out, size_t n);  /* exactly ${n} bytes */
void query_skip(struct query *q);
struct err query_check(const struct query *q);
void query_end(struct query *q);

#endif
