/*
 * testing: crypto with its randomness given from outside, for published vectors.
 * A nonce or salt used twice under one key breaks the cipher: only test/ may include this.
 */
#ifndef CLOISTER_CRYPTO_TESTING_H
#define CLOISTER_CRYPTO_TESTING_H

#include "crypto/header.h"
#include "crypto/stream.h"

#define STREAM_SALT 24
#define XAES_NONCE 24

struct err xaes_seal_with_nonce(const struct secret *with, const uint8_t nonce[XAES_NONCE], struct str aad,
    struct str plain, struct buf *out);
struct err data_key_wrap_with_nonce(const struct domain_key *d, const uint8_t nonce[XAES_NONCE],
    struct blob_header *h, const struct data_key *k);
struct err sealer_new_with_salt(const struct data_key *k, const struct stream_context *c,
    const uint8_t salt[STREAM_SALT], struct sealer **ret);
/* sealer_skip_to(s, chunk): as if ${chunk} chunks had been sealed. */
void sealer_skip_to(struct sealer *s, uint64_t chunk);

#endif
