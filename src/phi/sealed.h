/*
 * sealed: ciphertext. The only bytes of an object that a store accepts.
 * One maker: crypto/stream.c, by sealed_made_by_cipher(). Whoever receives sealed
 * bytes from a peer process or a disk says so with sealed_from_store().
 */
#ifndef CLOISTER_PHI_SEALED_H
#define CLOISTER_PHI_SEALED_H

#include "base/str.h"

struct sealed {
	const void *sealed_private_p;
	size_t sealed_private_n;
};

struct sealed sealed_made_by_cipher(const void *p, size_t n); /* crypto/ only */
struct sealed sealed_from_store(struct str s);                /* read back, or received as ciphertext */
struct str sealed_bytes(struct sealed v);                     /* to write or to open */

#endif
