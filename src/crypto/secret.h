/*
 * secret: key bytes in locked, guarded, wiped memory.
 *
 * Each secret lives in slots of pages that are mlock'ed, left out of core dumps
 * and fork, with an inaccessible page on both sides of the region; wiped on release. One type a purpose,
 * so that a data key cannot be passed where a domain key is wanted.
 * Lifetime: S_new … S_free (free(NULL) is legal, and wipes). All are 32 bytes.
 * Processes: warden (all), gate (data_key only), ledger (sign_key only).
 */
#ifndef CLOISTER_CRYPTO_SECRET_H
#define CLOISTER_CRYPTO_SECRET_H

#include "base/err.h"
#include "base/str.h"

#define KEY_BYTES 32

struct secret { uint8_t secret_private_b[KEY_BYTES]; };

struct root_key { struct secret s; };   /* wraps domain keys */
struct domain_key { struct secret s; }; /* wraps data keys */
struct data_key { struct secret s; };   /* seals one version of one object */
struct mac_key { struct secret s; };    /* grants, charters, tokens */
struct sign_key { struct secret s; };   /* Ed25519 seed: tree heads */

/* secret_alloc(): zeroed; NULL when locked memory is exhausted. secret_free wipes. */
struct secret *secret_alloc(void);
void secret_free(struct secret *s);
void secret_random(struct secret *s);
/* secret_set(s, bytes): copies in ${KEY_BYTES} bytes; the caller wipes its copy. */
void secret_set(struct secret *s, const void *bytes);
/* secret_expose(s): the bytes, for a cipher or for a peer that may have them. */
const uint8_t *secret_expose(const struct secret *s);
bool secret_equal(const struct secret *a, const struct secret *b); /* constant time */
bool crypto_equal(const void *a, const void *b, size_t n);         /* constant time */

#define SECRET_TYPE(T)                                                        \
	static inline struct T *T##_new(void)                                 \
	{                                                                     \
		return (struct T *)(void *)secret_alloc();                    \
	}                                                                     \
	static inline void T##_free(struct T *k)                              \
	{                                                                     \
		secret_free((struct secret *)(void *)k);                      \
	}                                                                     \
	static inline void T##_cleanup(struct T **k)                          \
	{                                                                     \
		T##_free(*k);                                                 \
		*k = NULL;                                                    \
	}
SECRET_TYPE(root_key)
SECRET_TYPE(domain_key)
SECRET_TYPE(data_key)
SECRET_TYPE(mac_key)
SECRET_TYPE(sign_key)
#define AUTO_KEY(T) __attribute__((cleanup(T##_cleanup))) struct T *

#endif
