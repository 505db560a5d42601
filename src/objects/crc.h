/*
 * crc: the three cyclic redundancy checks of S3: CRC-32 (ISO-HDLC), CRC-32C (Castagnoli) and CRC-64/NVME.
 * All are reflected, begin with all ones and end inverted. Fast: carry-less multiplication where the processor has it,
 * else eight tables. Re-entrant.
 */
#ifndef CLOISTER_OBJECTS_CRC_H
#define CLOISTER_OBJECTS_CRC_H

#include "base/str.h"

enum crc_kind { CRC_32, CRC_32C, CRC_64NVME, CRC_KIND_COUNT };

/* crc_update(kind, crc, p, n): the CRC of what had ${crc}, followed by ${n} bytes; 0 is the CRC of nothing. */
uint64_t crc_update(enum crc_kind kind, uint64_t crc, const void *p, size_t n);
/* crc_update_tables: the same without carry-less multiplication; the other one's tests compare with it. */
uint64_t crc_update_tables(enum crc_kind kind, uint64_t crc, const void *p, size_t n);
/* crc_combine(kind, a, b, len_b): the CRC of a text with CRC ${a} followed by one of ${len_b} bytes with CRC ${b}. */
uint64_t crc_combine(enum crc_kind kind, uint64_t a, uint64_t b, uint64_t len_b);

#endif
