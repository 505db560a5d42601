/*
 * id: 16 random bytes that name a thing (user, bucket, object, version, upload,
 * key domain, blob). Written as 32 lower-case hex digits. Says nothing about what
 * it names; safe in records, logs and file names.
 */
#ifndef CLOISTER_BASE_ID_H
#define CLOISTER_BASE_ID_H

#include "base/buf.h"
#include "base/cur.h"

struct id {
	uint8_t b[16];
};

#define ID_HEX_LEN 32

struct id id_new(void); /* random; crashes if the kernel has no randomness */
bool id_eq(struct id a, struct id b);
bool id_is_zero(struct id a); /* the zero id names nothing */
/* id_parse(s, &id): exactly 32 lower-case hex digits. INVALID. */
struct err id_parse(struct str s, struct id *ret);
void id_format(struct id a, char out[ID_HEX_LEN + 1]);
void buf_put_id(struct buf *b, struct id a);     /* 16 bytes */
void buf_put_id_hex(struct buf *b, struct id a); /* 32 digits */
struct id cur_id(struct cur *c);

/* rand_bytes(p, n): from the kernel; crashes if it cannot. */
void rand_bytes(void *p, size_t n);

#endif
