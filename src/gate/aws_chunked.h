/*
 * aws_chunked: the framing inside streaming uploads: chunks with a size line, with or without a signature each, then
 * trailing headers (AWS, "Signature Calculations for the Authorization Header: Transferring Payload in Multiple Chunks",
 * "… Including Trailing Headers"). Signatures are collected and handed to warden in runs.
 */
#ifndef CLOISTER_GATE_AWS_CHUNKED_H
#define CLOISTER_GATE_AWS_CHUNKED_H

#include "gate/request.h"
#include "phi/phi.h"

struct aws_chunked;
struct aws_chunked_sink {
	struct err (*payload)(void *ctx, struct phi bytes);
	/* a run of chunk signatures, in order; or the trailer's, alone */
	struct err (*signatures)(void *ctx, const uint8_t previous[32], const struct chunk_signature *c, size_t n, bool trailer);
	void *ctx;
};

/* signed_chunks: each chunk carries a signature that must be checked; ${seed} is the request's own. */
struct err aws_chunked_new(bool signed_chunks, bool has_trailer, const uint8_t seed[32], const struct aws_chunked_sink *sink,
    struct aws_chunked **ret);
void aws_chunked_free(struct aws_chunked *a);
/* INVALID: broken framing; LIMIT: a line too long; and what the sink returns. */
struct err aws_chunked_feed(struct aws_chunked *a, struct phi bytes);
/* aws_chunked_end(a): the body has ended: INVALID if the last chunk or a trailer is missing. */
struct err aws_chunked_end(struct aws_chunked *a);
/* aws_chunked_trailer(a, name): value of a trailing header, n == 0 if absent */
struct str aws_chunked_trailer(const struct aws_chunked *a, const char *name);

#endif
