/*
 * checksum: the additional checksums of S3 (CRC-32, CRC-32C, CRC-64/NVME, SHA-1, SHA-256), as streams and, for
 * multipart objects, composite or combined over parts (Amazon S3 User Guide, "Checking object integrity").
 */
#ifndef CLOISTER_OBJECTS_CHECKSUM_H
#define CLOISTER_OBJECTS_CHECKSUM_H

#include "base/buf.h"

enum checksum_kind { CHECKSUM_NONE, CHECKSUM_CRC32, CHECKSUM_CRC32C, CHECKSUM_CRC64NVME, CHECKSUM_SHA1, CHECKSUM_SHA256,
	CHECKSUM_KIND_COUNT };
#define CHECKSUM_MAX_BYTES 32

struct checksum_value { enum checksum_kind kind; uint8_t n; uint8_t b[CHECKSUM_MAX_BYTES]; };

struct checksum; /* a stream */
struct checksum *checksum_new(enum checksum_kind kind);
void checksum_free(struct checksum *c);
void checksum_update(struct checksum *c, const void *p, size_t n);
struct checksum_value checksum_final(struct checksum *c);

size_t checksum_bytes(enum checksum_kind kind);
const char *checksum_header(enum checksum_kind kind);  /* "x-amz-checksum-crc32" */
const char *checksum_name(enum checksum_kind kind);    /* "CRC32" as in x-amz-checksum-algorithm and XML ("ChecksumCRC32") */
struct err checksum_kind_parse(struct str name, enum checksum_kind *ret); /* "CRC32", without case */
struct err checksum_parse(enum checksum_kind kind, struct str base64, struct checksum_value *ret);
void buf_put_checksum(struct buf *b, const struct checksum_value *v); /* base64 */
bool checksum_equal(const struct checksum_value *a, const struct checksum_value *b);
/* checksum_combine(kind, a, b, len_b): of the concatenation (CRCs only): full-object checksums of multipart uploads. */
struct checksum_value checksum_combine(enum checksum_kind kind, const struct checksum_value *a,
    const struct checksum_value *b, uint64_t len_b);

#endif
