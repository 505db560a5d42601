/*
 * put: what PutObject, CopyObject and CreateMultipartUpload have in common, and how a part's checksums are kept.
 */
#ifndef CLOISTER_GATE_PUT_H
#define CLOISTER_GATE_PUT_H

#include "gate/manifest_headers.h"

/* If-Match, If-None-Match of a write. False: an error has been answered. */
bool put_take_condition(struct request *r, struct write_condition *c);
/* law 8 for key and user metadata */
bool put_names_allowed(struct request *r, const struct manifest *m, uint32_t off);
/* bucket and present object (if any). False: an error has been answered. */
bool put_look_up(struct request *r, struct msg *reply, struct bucket_info *b, struct charter *bucket_charter, struct object_info *o,
    bool *ret_exists);
/* the bucket's default encryption, where ${m} asks for none. False: an error has been answered. */
bool put_default_encryption(struct request *r, const struct bucket_info *b, struct manifest *m);
/* policy context of the tags that a request brings */
void put_tag_conditions(struct request *r, const struct tag *tags, size_t n);
void put_answer_version(struct request *r, const struct put_result *result, struct id version);

/* a part's checksum, sealed under the upload's key as its own small stream (part number | 0x80000000) */
struct err part_meta_seal(const struct checksum_value *v, const struct data_key *k, const struct blob_header *ids,
    uint32_t number, struct buf *out);
struct err part_meta_open(struct sealed meta, const struct data_key *k, const struct blob_header *ids, uint32_t number,
    struct checksum_value *ret);

#endif
