/*
 * parcel: files one after another in a stream, into a cell or out of it (doc/cells.md).
 *
 * An entry: u16 length of the name, the name, u64 size, that many bytes; all numbers big-endian. A name length of 0 ends the parcel, and
 * nothing follows. A size of PARCEL_NONE: no such file; no bytes follow. At most PARCEL_FILES_MAX entries.
 * Names are paths below a folder: [A-Za-z0-9._/-], at most PARCEL_NAME_MAX bytes, no empty part, none that is "." or "..".
 * The descriptors are pipes or stream sockets, and blocking.
 */
#ifndef CLOISTER_CELL_PARCEL_H
#define CLOISTER_CELL_PARCEL_H

#include "base/buf.h"

#define PARCEL_NAME_MAX 255
#define PARCEL_FILES_MAX 4096
#define PARCEL_NONE UINT64_MAX

/* parcel_name_is(name): may it be in a parcel? */
bool parcel_name_is(struct str name);

/* parcel_write_head(fd, name, size): then write exactly ${size} bytes to ${fd}, unless it is PARCEL_NONE. INVALID: the name. */
struct err parcel_write_head(int fd, struct str name, uint64_t size);
struct err parcel_write_end(int fd);

struct parcel_entry {
	char name[PARCEL_NAME_MAX + 1]; /* ends with NUL; empty: the end of the parcel */
	uint64_t size;
};
/* parcel_read_head(fd, &entry): then read exactly its bytes, with parcel_read. INVALID: no parcel; CLOSED: it broke off. */
struct err parcel_read_head(int fd, struct parcel_entry *ret);
/* parcel_read(fd, p, n): exactly ${n} bytes. CLOSED: it broke off. */
struct err parcel_read(int fd, void *p, size_t n);

#endif
