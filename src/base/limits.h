/*
 * limits: what a user controls has a maximum, here, with its reason.
 * Only numbers that more than one module must agree on.
 */
#ifndef CLOISTER_BASE_LIMITS_H
#define CLOISTER_BASE_LIMITS_H

#include "base/num.h"

/* S3's own limits (Amazon S3 User Guide, "Bucket restrictions", "Multipart upload limits") */
#define LIMIT_OBJECT_KEY_BYTES 1024
#define LIMIT_USER_METADATA_BYTES 2048
#define LIMIT_TAGS_PER_OBJECT 10
#define LIMIT_TAGS_PER_BUCKET 50
#define LIMIT_TAG_KEY_CHARS 128
#define LIMIT_TAG_VALUE_CHARS 256
#define LIMIT_PARTS 10000
#define LIMIT_PART_MIN_BYTES (5 * MiB)
#define LIMIT_SINGLE_PUT_BYTES (5 * GiB)
#define LIMIT_OBJECT_BYTES (5 * TiB)
#define LIMIT_LIST_KEYS 1000
#define LIMIT_DELETE_KEYS 1000
#define LIMIT_POLICY_BYTES (20 * KiB)
#define LIMIT_ACL_GRANTS 100

/* ours */
#define LIMIT_INLINE_BYTES (32 * KiB)   /* plaintext that lives in the database row: one message, one page chain */
#define LIMIT_MESSAGE_BYTES (200 * KiB) /* fits the kernel's default socket buffer of 212,992; a 10,000-part list in one */
#define LIMIT_MESSAGE_FDS 4
#define LIMIT_MANIFEST_BYTES (16 * KiB) /* sealed: checksums, user metadata, part count and digest */
#define LIMIT_RECORD_BYTES 4096         /* a ledger record */
#define LIMIT_BATCH_REQUESTS 256        /* drained at once by a single-loop process */

#endif
