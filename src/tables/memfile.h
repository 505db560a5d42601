/*
 * memfile: files that are in memory only, with names that DuckDB can open.
 *
 * libduckdb opens files by libc's open() and its kin. An executable that links this module defines those functions itself, so that the
 * dynamic linker gives libduckdb (and every other library) ours: names under MEMFILE_PREFIX are memory files made here (memfd_create), every
 * other name does not exist (ENOENT), and nothing is created, renamed or removed. That holds without any jail; in scrub's jail open() is
 * refused by the kernel as well. DuckDB's C API has no way to register a file system.
 * Those few functions must be visible in the executable's dynamic table: they are marked so in memfile_libc.c, nothing else is.
 *
 * In an executable that needs the real functions before its jail (reading its configuration) they pass every other name through until
 * memfile_seal() is called. Once, never undone.
 *
 * A memfile is written by its owner or by DuckDB, one at a time. Bytes are in the kernel's page cache for this memfd; they go with the
 * last descriptor. Thread-safe: names are looked up under a lock.
 */
#ifndef CLOISTER_TABLES_MEMFILE_H
#define CLOISTER_TABLES_MEMFILE_H

#include "base/buf.h"
#include "phi/phi.h"

#define MEMFILE_PREFIX "/mem/"
#define MEMFILE_NAME_MAX 32 /* "/mem/17" with its NUL */
#define LIMIT_MEMFILES 4096u

struct memfile { /* all zero: none */
	char name[MEMFILE_NAME_MAX]; /* a number, no data */
	int fd;                      /* valid if name is not empty */
};
#define AUTO_MEMFILE __attribute__((cleanup(memfile_release))) struct memfile

/* memfile_make(&m): an empty file with a name of its own. LIMIT, NO_MEMORY, IO. */
struct err memfile_make(struct memfile *ret);
void memfile_release(struct memfile *m); /* its name is gone; a reader that has it open keeps its bytes */
struct memfile memfile_take(struct memfile *m);

struct err memfile_append(struct memfile *m, struct phi bytes); /* NO_MEMORY, NO_SPACE, IO */
struct err memfile_size(const struct memfile *m, uint64_t *ret);
/* memfile_read(m, sink, ctx): all of it, in pieces of at most 1 MiB, each wiped afterwards. */
struct err memfile_read(const struct memfile *m, struct err (*sink)(void *ctx, struct phi piece), void *ctx);
/* memfile_append_to(m, out): all of it at the end of ${out}. LIMIT. */
struct err memfile_append_to(const struct memfile *m, struct buf *out);

/* memfile_seal(): from here on only memory files exist for this process's libraries. */
void memfile_seal(void);

#endif
