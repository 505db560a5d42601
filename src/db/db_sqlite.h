/*
 * db_sqlite: what the two files of the SQLite engine share; nobody else includes it.
 *
 * The page layer (db_pages.c) is a file system layer under SQLite: it keeps a checksum in the last eight bytes of every page
 * of the database file, checked at every read of that page, and it is where tests make writes and syncs fail (base/fault.h).
 * The write-ahead log has SQLite's own checksums, checked when it is recovered.
 */
#ifndef CLOISTER_DB_DB_SQLITE_H
#define CLOISTER_DB_DB_SQLITE_H

#include <sqlite3.h>

#include "base/err.h"

#define DB_PAGE_BYTES 8192
#define DB_PAGE_SUM_BYTES 8
#define DB_PAGES_VFS "cloister"

/* db_pages_init(): makes the layer known to SQLite under DB_PAGES_VFS; again is legal. */
struct err db_pages_init(void);
/*
 * db_pages_is_broken(f): a write, sync or truncation of a file of this connection failed in a way that leaves it unknown.
 * ${f}: of "main".
 */
bool db_pages_is_broken(sqlite3_file *f);

#endif
