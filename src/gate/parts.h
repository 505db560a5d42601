/*
 * parts: the parts of an upload as vault has them, with their checksums opened.
 */
#ifndef CLOISTER_GATE_PARTS_H
#define CLOISTER_GATE_PARTS_H

#include "gate/errand.h"
#include "gate/manifest_headers.h"

struct stored_part {
	struct part part;          /* its meta is gone */
	struct checksum_value sum; /* kind NONE: it has none */
};

/*
 * parts_fetch(r, g, upload, after, max, key, ids, parts, &n, &more): at most ${max} parts with numbers above ${after}.
 * Without a ${key} no checksums. NOT_FOUND: no such upload.
 */
struct err parts_fetch(struct request *r, const struct grant *g, struct id upload, uint32_t after, size_t max,
    const struct data_key *key, const struct blob_header *ids, struct stored_part *ret, size_t *ret_n, bool *ret_more);

/* <ChecksumCRC32>…</ChecksumCRC32>; with ${n_parts}, "-N" after the value of a composite one */
void put_checksum_element(struct buf *b, const struct checksum_value *v, uint32_t n_parts);
struct str checksum_type_word(bool composite);

#endif
