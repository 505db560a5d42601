/*
 * Every page of the database file ends with a 64-bit checksum of the rest of it and of its number, so that a changed
 * bit, a lost write that left an older length, and a page written to the wrong place are found when the page is read. SQLite is told
 * to leave these bytes alone (SQLITE_FCNTL_RESERVE_BYTES), fills them with whatever they held, and never looks at them.
 *
 * The checksum is a chain of steps h = mix(h ^ word); each is a bijection of h for a fixed word and of the word for a fixed
 * h, so a change within one word always changes the result, and any other change does but for one in 2^64. It is no defence against
 * somebody who can write the file: charters, headers and streams have their own authentication.
 */
#include "db/db_sqlite.h"

#include <string.h>

#include "base/fault.h"
#include "base/num.h"

struct paged_file {
	sqlite3_file base;
	struct paged_file *main; /* whose "broken" counts; itself for a database */
	bool is_main;
	bool broken;
	sqlite3_file *under; /* right behind this struct */
};

static sqlite3_vfs *under_vfs;
static sqlite3_vfs paged_vfs;
/* One connection opens its files one after the other: database, then its log. */
static struct paged_file *last_main;

static struct paged_file *
paged(sqlite3_file *f)
{
	return (struct paged_file *)(void *)f;
}

static uint64_t
page_sum(const uint8_t *p, uint64_t number)
{
	uint64_t h = 0x9e3779b97f4a7c15u ^ number;

	for (size_t i = 0; i < DB_PAGE_BYTES - DB_PAGE_SUM_BYTES; i += 8) {
		uint64_t w;

		memcpy(&w, p + i, sizeof(w));
		h = (h ^ w) * 0xff51afd7ed558ccdu;
		h ^= h >> 32;
	}
	return h;
}

static bool
is_page(sqlite3_int64 offset, int n)
{
	return n == DB_PAGE_BYTES && offset % DB_PAGE_BYTES == 0;
}

static int
on_close(sqlite3_file *f)
{
	struct paged_file *p = paged(f);

	if (last_main == p)
		last_main = NULL;
	return p->under->pMethods ? p->under->pMethods->xClose(p->under) : SQLITE_OK;
}

static int
on_read(sqlite3_file *f, void *out, int n, sqlite3_int64 offset)
{
	struct paged_file *p = paged(f);
	int rc = p->under->pMethods->xRead(p->under, out, n, offset);
	const uint8_t *page = out;
	uint64_t stored;

	if (rc != SQLITE_OK || !p->is_main)
		return rc;
	if (!is_page(offset, n)) /* the file's header is looked at before it is read as a page; anything else is a wrong page size */
		return offset + n <= 100 ? rc : SQLITE_IOERR_DATA;
	memcpy(&stored, page + DB_PAGE_BYTES - DB_PAGE_SUM_BYTES, sizeof(stored));
	return stored == page_sum(page, (uint64_t)offset / DB_PAGE_BYTES) ? SQLITE_OK : SQLITE_IOERR_DATA;
}

/* failed(p, rc): remembers what leaves the files unknown. A full disk does not: SQLite rolls back. */
static int
failed(struct paged_file *p, int rc)
{
	if (rc != SQLITE_OK && rc != SQLITE_FULL && p->main)
		p->main->broken = true;
	return rc;
}

static int
on_write(sqlite3_file *f, const void *in, int n, sqlite3_int64 offset)
{
	static uint8_t page[DB_PAGE_BYTES]; /* one user at a time */
	struct paged_file *p = paged(f);
	int sys = fault_hit(FAULT_WRITE);
	uint64_t sum;

	if (sys)
		return failed(p, sys == ENOSPC ? SQLITE_FULL : SQLITE_IOERR_WRITE);
	if (!p->is_main)
		return failed(p, p->under->pMethods->xWrite(p->under, in, n, offset));
	if (!is_page(offset, n))
		return SQLITE_IOERR_WRITE;
	memcpy(page, in, DB_PAGE_BYTES - DB_PAGE_SUM_BYTES);
	sum = page_sum(page, (uint64_t)offset / DB_PAGE_BYTES);
	memcpy(page + DB_PAGE_BYTES - DB_PAGE_SUM_BYTES, &sum, sizeof(sum));
	return failed(p, p->under->pMethods->xWrite(p->under, page, n, offset));
}

static int
on_truncate(sqlite3_file *f, sqlite3_int64 size)
{
	return failed(paged(f), paged(f)->under->pMethods->xTruncate(paged(f)->under, size));
}

static int
on_sync(sqlite3_file *f, int flags)
{
	struct paged_file *p = paged(f);

	if (fault_hit(FAULT_SYNC))
		return failed(p, SQLITE_IOERR_FSYNC);
	return failed(p, p->under->pMethods->xSync(p->under, flags));
}

static int
on_size(sqlite3_file *f, sqlite3_int64 *ret)
{
	return paged(f)->under->pMethods->xFileSize(paged(f)->under, ret);
}

static int
on_lock(sqlite3_file *f, int level)
{
	return paged(f)->under->pMethods->xLock(paged(f)->under, level);
}

static int
on_unlock(sqlite3_file *f, int level)
{
	return paged(f)->under->pMethods->xUnlock(paged(f)->under, level);
}

static int
on_is_locked(sqlite3_file *f, int *ret)
{
	return paged(f)->under->pMethods->xCheckReservedLock(paged(f)->under, ret);
}

static int
on_control(sqlite3_file *f, int op, void *arg)
{
	return paged(f)->under->pMethods->xFileControl(paged(f)->under, op, arg);
}

static int
on_sector(sqlite3_file *f)
{
	return paged(f)->under->pMethods->xSectorSize(paged(f)->under);
}

static int
on_traits(sqlite3_file *f)
{
	return paged(f)->under->pMethods->xDeviceCharacteristics(paged(f)->under);
}

/*
 * Version 1: no shared memory and no mapping. Both would pass this layer by; the locking mode is exclusive, in which the
 * index of the log is in the process's own memory.
 */
static const sqlite3_io_methods paged_methods = {
	.iVersion = 1,
	.xClose = on_close,
	.xRead = on_read,
	.xWrite = on_write,
	.xTruncate = on_truncate,
	.xSync = on_sync,
	.xFileSize = on_size,
	.xLock = on_lock,
	.xUnlock = on_unlock,
	.xCheckReservedLock = on_is_locked,
	.xFileControl = on_control,
	.xSectorSize = on_sector,
	.xDeviceCharacteristics = on_traits,
};

static int
on_open(sqlite3_vfs *vfs, const char *path, sqlite3_file *f, int flags, int *ret_flags)
{
	struct paged_file *p = paged(f);
	int rc;

	(void)vfs;
	memset(p, 0, sizeof(*p));
	p->under = (sqlite3_file *)(void *)(p + 1);
	p->is_main = (flags & SQLITE_OPEN_MAIN_DB) != 0;
	rc = fault_hit(FAULT_OPEN) ? SQLITE_CANTOPEN : under_vfs->xOpen(under_vfs, path, p->under, flags, ret_flags);
	if (rc != SQLITE_OK)
		return rc;
	if (p->is_main)
		last_main = p;
	p->main = last_main;
	p->base.pMethods = &paged_methods;
	return SQLITE_OK;
}

struct err
db_pages_init(void)
{
	if (under_vfs)
		return OK;
	under_vfs = sqlite3_vfs_find(NULL);
	if (!under_vfs)
		return ERR(ERR_IO);
	paged_vfs = *under_vfs;
	paged_vfs.pNext = NULL;
	paged_vfs.zName = DB_PAGES_VFS;
	paged_vfs.szOsFile = (int)sizeof(struct paged_file) + under_vfs->szOsFile;
	paged_vfs.xOpen = on_open;
	if (sqlite3_vfs_register(&paged_vfs, 0) == SQLITE_OK)
		return OK;
	under_vfs = NULL;
	return ERR(ERR_NO_MEMORY);
}

bool
db_pages_is_broken(sqlite3_file *f)
{
	return paged(f)->broken;
}
