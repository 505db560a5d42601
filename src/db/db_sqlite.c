/*
 * The embedded engine: SQLite in its write-ahead mode, each commit synced (synchronous=FULL), one process (locking_mode=
 * EXCLUSIVE: no lock calls and no shared memory file), nothing temporary on disk, no mapping.
 */
#include "db/db.h"

#include "base/num.h"
#include "db/db_sqlite.h"

struct db {
	sqlite3 *sqlite;
	struct db_options o;
	sqlite3_stmt **prepared; /* by number; NULL until first used */
	bool broken;
};

static struct err
map(struct db *db, int rc, int line)
{
	static const struct { int rc; enum err_code code; } table[] = {
		{SQLITE_FULL, ERR_NO_SPACE}, {SQLITE_CORRUPT, ERR_CORRUPT}, {SQLITE_NOTADB, ERR_CORRUPT},
		{SQLITE_BUSY, ERR_BUSY}, {SQLITE_LOCKED, ERR_BUSY}, {SQLITE_NOMEM, ERR_NO_MEMORY},
		{SQLITE_TOOBIG, ERR_LIMIT}, {SQLITE_CONSTRAINT, ERR_EXISTS}, {SQLITE_PERM, ERR_DENIED},
		{SQLITE_READONLY, ERR_DENIED},
	};
	int extended = db->sqlite ? sqlite3_extended_errcode(db->sqlite) : rc;
	struct err e = {.file = __FILE__, .line = (uint16_t)line, .code = ERR_IO,
		.sys = (int16_t)(db->sqlite ? sqlite3_system_errno(db->sqlite) : 0)};
	sqlite3_file *f = NULL;

	/* misuse is a bug of ours */
	INVARIANT((rc & 0xff) != SQLITE_MISUSE && (rc & 0xff) != SQLITE_RANGE);
	for (size_t i = 0; i < ARRAY_LEN(table); i++)
		if (table[i].rc == (rc & 0xff))
			e.code = table[i].code;
	if (extended == SQLITE_IOERR_DATA || extended == SQLITE_IOERR_SHORT_READ || extended == SQLITE_IOERR_CORRUPTFS)
		e.code = ERR_CORRUPT;
	if (extended == SQLITE_IOERR_NOMEM)
		e.code = ERR_NO_MEMORY;
	if (db->sqlite && sqlite3_file_control(db->sqlite, "main", SQLITE_FCNTL_FILE_POINTER, &f) == SQLITE_OK && f &&
	    f->pMethods && db_pages_is_broken(f))
		db->broken = true;
	return e;
}
#define MAP(db, rc) map((db), (rc), __LINE__)

struct err
db_script(struct db *db, const char *sql)
{
	int rc = sqlite3_exec(db->sqlite, sql, NULL, NULL, NULL);

	return rc == SQLITE_OK ? OK : MAP(db, rc);
}

/* set_up(db): the order matters: page layout before the first page, exclusive before the log is first used. */
static struct err
set_up(struct db *db)
{
	char sql[512];
	int reserve = DB_PAGE_SUM_BYTES;
	int rc = sqlite3_file_control(db->sqlite, "main", SQLITE_FCNTL_RESERVE_BYTES, &reserve);

	if (rc != SQLITE_OK)
		return MAP(db, rc);
	sqlite3_snprintf(sizeof(sql), sql,
	    "PRAGMA page_size=%d; PRAGMA locking_mode=EXCLUSIVE; PRAGMA temp_store=MEMORY; PRAGMA mmap_size=0;"
	    "PRAGMA auto_vacuum=NONE; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA secure_delete=OFF;"
	    "PRAGMA cache_size=-%u; PRAGMA wal_autocheckpoint=%u; PRAGMA journal_size_limit=67108864;"
	    "PRAGMA foreign_keys=OFF; PRAGMA trusted_schema=OFF;",
	    DB_PAGE_BYTES, db->o.cache_kib, db->o.wal_pages_max ? db->o.wal_pages_max : 1000);
	return db_script(db, sql);
}

/* check_layout(db): a file with another page size or without room for checksums is not ours. */
static struct err
check_layout(struct db *db)
{
	sqlite3_stmt *s = NULL;
	int reserve = -1;
	int rc = sqlite3_prepare_v2(db->sqlite, "SELECT page_size, journal_mode FROM pragma_page_size, pragma_journal_mode", -1, &s, NULL);
	bool good;

	if (rc == SQLITE_OK)
		rc = sqlite3_step(s);
	good = rc == SQLITE_ROW && sqlite3_column_int(s, 0) == DB_PAGE_BYTES &&
	    strcmp((const char *)sqlite3_column_text(s, 1), "wal") == 0;
	sqlite3_finalize(s);
	if (rc != SQLITE_ROW)
		return MAP(db, rc);
	rc = sqlite3_file_control(db->sqlite, "main", SQLITE_FCNTL_RESERVE_BYTES, &reserve);
	return good && rc == SQLITE_OK && reserve == DB_PAGE_SUM_BYTES ? OK : ERR(ERR_CORRUPT);
}

struct err
db_open(const char *path, const struct db_options *o, struct db **ret)
{
	struct db *db;
	struct err e;
	int rc;

	TRY(db_pages_init());
	db = calloc(1, sizeof(*db));
	if (!db)
		return ERR(ERR_NO_MEMORY);
	db->o = *o;
	db->prepared = calloc(o->n_statements ? o->n_statements : 1, sizeof(sqlite3_stmt *));
	rc = sqlite3_open_v2(path, &db->sqlite, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX |
	    SQLITE_OPEN_EXRESCODE, DB_PAGES_VFS);
	if (!db->prepared)
		e = ERR(ERR_NO_MEMORY);
	else if (rc != SQLITE_OK)
		e = MAP(db, rc);
	else
		e = set_up(db);
	if (!err_is(e))
		e = check_layout(db);
	if (err_is(e)) {
		db_close(db);
		return e;
	}
	*ret = db;
	return OK;
}

void
db_close(struct db *db)
{
	if (!db)
		return;
	for (unsigned i = 0; db->prepared && i < db->o.n_statements; i++)
		sqlite3_finalize(db->prepared[i]);
	free(db->prepared);
	INVARIANT(sqlite3_close(db->sqlite) == SQLITE_OK); /* a query was never ended */
	free(db);
}

bool
db_is_broken(const struct db *db)
{
	return db->broken;
}

struct err
db_begin(struct db *db)
{
	return db_script(db, "BEGIN IMMEDIATE");
}

struct err
db_commit(struct db *db)
{
	sqlite3_file *f = NULL;
	struct err e = db_script(db, "COMMIT");

	/* writing the log back happens inside the commit, which does not tell of its failure */
	sqlite3_file_control(db->sqlite, "main", SQLITE_FCNTL_FILE_POINTER, &f);
	if (db_pages_is_broken(f))
		db->broken = true;
	/* without memory SQLite may fail after the transaction has taken effect, and does not say so */
	if (e.code == ERR_NO_MEMORY && !db_in_transaction(db))
		db->broken = true;
	if (err_is(e))
		db_rollback(db);
	return e;
}

bool
db_in_transaction(const struct db *db)
{
	return sqlite3_get_autocommit(db->sqlite) == 0;
}

void
db_rollback(struct db *db)
{
	if (db_in_transaction(db))
		err_ignore(db_script(db, "ROLLBACK")); /* told by what follows */
	if (db_in_transaction(db)) /* not even for that was there memory: what is read from here on is not what is on disk */
		db->broken = true;
}

struct err
db_verify(struct db *db)
{
	sqlite3_stmt *s = NULL;
	int rc = sqlite3_prepare_v2(db->sqlite, "PRAGMA integrity_check(1)", -1, &s, NULL);
	bool good = false;

	if (rc == SQLITE_OK)
		rc = sqlite3_step(s);
	if (rc == SQLITE_ROW)
		good = strcmp((const char *)sqlite3_column_text(s, 0), "ok") == 0;
	sqlite3_finalize(s);
	if (rc != SQLITE_ROW)
		return MAP(db, rc);
	return good ? OK : ERR(ERR_CORRUPT);
}

/* ---- queries ---- */

static sqlite3_stmt *
stmt(const struct query *q)
{
	return q->query_private_stmt;
}

void
db_start(struct db *db, unsigned statement, struct query *ret)
{
	sqlite3_stmt **s;
	int rc = SQLITE_OK;

	INVARIANT(statement < db->o.n_statements);
	s = &db->prepared[statement];
	*ret = (struct query){.query_private_db = db};
	if (!*s)
		rc = sqlite3_prepare_v3(db->sqlite, db->o.statements[statement], -1, SQLITE_PREPARE_PERSISTENT, s, NULL);
	if (rc != SQLITE_OK) {
		ret->query_private_e = MAP(db, rc);
		return;
	}
	INVARIANT(!sqlite3_stmt_busy(*s));
	ret->query_private_stmt = *s;
}

static void
put(struct query *q, int rc)
{
	if (rc != SQLITE_OK && !err_is(q->query_private_e))
		q->query_private_e = MAP(q->query_private_db, rc);
}

void
query_put_i64(struct query *q, int64_t v)
{
	if (stmt(q))
		put(q, sqlite3_bind_int64(stmt(q), ++q->query_private_in, v));
}

void
query_put_u64(struct query *q, uint64_t v)
{
	INVARIANT(v <= INT64_MAX);
	query_put_i64(q, (int64_t)v);
}

void
query_put_str(struct query *q, struct str v)
{
	if (stmt(q))
		put(q, sqlite3_bind_blob64(stmt(q), ++q->query_private_in, v.p ? v.p : "", v.n, SQLITE_STATIC));
}

void
query_put_id(struct query *q, struct id v)
{
	if (stmt(q))
		put(q, sqlite3_bind_blob(stmt(q), ++q->query_private_in, v.b, sizeof(v.b), SQLITE_TRANSIENT));
}

void
query_put_null(struct query *q)
{
	if (stmt(q))
		put(q, sqlite3_bind_null(stmt(q), ++q->query_private_in));
}

struct err
query_step(struct query *q, bool *ret_is_row)
{
	int rc;

	TRY(q->query_private_e);
	rc = sqlite3_step(stmt(q));
	q->query_private_out = 0;
	if (rc != SQLITE_ROW && rc != SQLITE_DONE) {
		q->query_private_e = MAP(q->query_private_db, rc);
		return q->query_private_e;
	}
	*ret_is_row = rc == SQLITE_ROW;
	return OK;
}

struct err
query_run(struct query *q)
{
	bool is_row;
	struct err e = query_step(q, &is_row);

	query_end(q);
	return e;
}

uint64_t
query_changes(const struct db *db)
{
	return (uint64_t)sqlite3_changes64(db->sqlite);
}

/* column(q, type, &i): the next column, if it is of ${type}. */
static bool
column(struct query *q, int type, int *ret)
{
	int i = q->query_private_out++;

	if (!stmt(q) || err_is(q->query_private_e))
		return false;
	if (i < sqlite3_data_count(stmt(q)) && sqlite3_column_type(stmt(q), i) == type) {
		*ret = i;
		return true;
	}
	q->query_private_e = ERR(ERR_CORRUPT);
	return false;
}

int64_t
query_i64(struct query *q)
{
	int i;

	return column(q, SQLITE_INTEGER, &i) ? sqlite3_column_int64(stmt(q), i) : 0;
}

uint64_t
query_u64(struct query *q)
{
	int64_t v = query_i64(q);

	if (v >= 0)
		return (uint64_t)v;
	q->query_private_e = ERR(ERR_CORRUPT);
	return 0;
}

struct str
query_str(struct query *q)
{
	int i;
	const void *p;

	if (!column(q, SQLITE_BLOB, &i))
		return STR_NONE;
	p = sqlite3_column_blob(stmt(q), i);
	if (!p && sqlite3_column_bytes(stmt(q), i) > 0)
		q->query_private_e = ERR(ERR_NO_MEMORY);
	return str_of(p, p ? (size_t)sqlite3_column_bytes(stmt(q), i) : 0);
}

void
query_copy(struct query *q, void *out, size_t n)
{
	struct str s = query_str(q);

	if (s.n == n && n > 0) {
		memcpy(out, s.p, n);
		return;
	}
	memset(out, 0, n);
	if (s.n != n && !err_is(q->query_private_e))
		q->query_private_e = ERR(ERR_CORRUPT);
}

struct id
query_id(struct query *q)
{
	struct id v;

	query_copy(q, v.b, sizeof(v.b));
	return v;
}

bool
query_is_null(const struct query *q)
{
	return stmt(q) && sqlite3_column_type(stmt(q), q->query_private_out) == SQLITE_NULL;
}

void
query_skip(struct query *q)
{
	q->query_private_out++;
}

struct err
query_check(const struct query *q)
{
	return q->query_private_e;
}

void
query_end(struct query *q)
{
	if (stmt(q)) {
		sqlite3_reset(stmt(q));
		sqlite3_clear_bindings(stmt(q));
	}
	q->query_private_stmt = NULL;
}
