/*
 * buf: bytes being built, on the heap, with a mandatory maximum.
 *
 * A write past the maximum, or without memory, makes the buffer "failed" and is
 * dropped; every later write is dropped too; buf_check() tells once, at the end.
 * AUTO_BUF releases at the end of the block. A buffer made with BUF_WIPED is
 * wiped, as far as it was filled, whenever its memory is given back: use it for anything sensitive.
 */
#ifndef CLOISTER_BASE_BUF_H
#define CLOISTER_BASE_BUF_H

#include "base/err.h"
#include "base/str.h"

struct buf {
	char *p;
	size_t n;
	size_t cap;
	size_t max;
	bool failed;
	bool no_memory; /* that is why */
	bool wiped;
};

#define BUF(max_bytes) ((struct buf){.max = (max_bytes)})
#define BUF_WIPED(max_bytes) ((struct buf){.max = (max_bytes), .wiped = true})
#define AUTO_BUF __attribute__((cleanup(buf_release))) struct buf

void buf_release(struct buf *b); /* frees; the buffer is empty and usable again */
void buf_clear(struct buf *b);   /* n = 0 and not failed; keeps the memory */
/* buf_take(b): hands the bytes over; ${b} is left empty. */
struct buf buf_take(struct buf *b);
struct err buf_check(const struct buf *b); /* LIMIT: past the maximum; NO_MEMORY */

static inline struct str
buf_str(const struct buf *b)
{
	return str_of(b->p, b->n);
}

void buf_put(struct buf *b, const void *p, size_t n);
void buf_put_str(struct buf *b, struct str s);
void buf_put_c(struct buf *b, const char *z);
void buf_put_char(struct buf *b, char c);
void buf_put_dec(struct buf *b, uint64_t v);
void buf_put_hex(struct buf *b, const void *p, size_t n); /* lower case */
void buf_put_base64(struct buf *b, const void *p, size_t n);
/* buf_printf(b, fmt, …): only for fixed texts and numbers. */
__attribute__((format(printf, 2, 3))) void buf_printf(struct buf *b, const char *fmt, ...);
/*
 * buf_room(b, n): pointer to ${n} writable bytes at the end, or NULL (failed);
 * count them with buf_grew(b, n) after writing.
 */
void *buf_room(struct buf *b, size_t n);
void buf_grew(struct buf *b, size_t n);

/* big-endian numbers and length-prefixed strings, as our messages and formats use them */
void buf_put_u8(struct buf *b, uint8_t v);
void buf_put_u16(struct buf *b, uint16_t v);
void buf_put_u32(struct buf *b, uint32_t v);
void buf_put_u64(struct buf *b, uint64_t v);
void buf_put_lstr(struct buf *b, struct str s); /* u32 length, bytes */

/* buf_put_json(b, s): ${s} as a JSON string with its quotes; bytes that are not UTF-8 become U+FFFD. */
void buf_put_json(struct buf *b, struct str s);

/* decoders: append to ${b}. INVALID on anything that is not canonical. */
struct err buf_decode_hex(struct buf *b, struct str hex);
struct err buf_decode_base64(struct buf *b, struct str b64);

#endif
