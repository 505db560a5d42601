/*
 * sealing: the sealing end of everything that is stored: plaintext in, a sealed body (inline or file) out. Memory is flat: one window of 256 KiB plain,
 * one sealed. Processes: gate, intake, scrub.
 */
#ifndef CLOISTER_OBJECTS_SEALING_H
#define CLOISTER_OBJECTS_SEALING_H

#include "crypto/stream.h"
#include "vault/client.h"

struct sealing;
/* what came out, for vault_put or vault_part_put */
struct sealed_body {
	bool is_inline;
	struct sealed body; /* inline: borrowed from the sealing */
	int fd;             /* else; borrowed */
	uint64_t size;      /* plaintext */
	uint8_t sha256[32]; /* file: of the stream, without the header */
};
/* sealing_new(vault, key, context, header, size hint or UINT64_MAX, &s) */
struct err sealing_new(struct pool *vault, const struct data_key *k, const struct stream_context *c, const uint8_t header[HEADER_BYTES],
    uint64_t size_hint, struct sealing **ret);
struct err sealing_feed(struct sealing *s, struct phi bytes);
/* sealing_finish: last chunk, and the file synced. */
struct err sealing_finish(struct sealing *s, struct sealed_body *ret);
void sealing_free(struct sealing *s);

#endif
