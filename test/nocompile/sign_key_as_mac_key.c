/* rule: a key has one purpose
 * gcc: passing argument 1 of 'mac_sha256' from incompatible pointer type
 * clang: incompatible pointer types passing 'const struct sign_key \*' to parameter of type 'const struct mac_key \*' */
#include "crypto/crypto.h"

void f(const struct sign_key *s, const struct mac_key *m, uint8_t out[32]);

void
f(const struct sign_key *s, const struct mac_key *m, uint8_t out[32])
{
#ifdef RIGHT
	mac_sha256(m, STR("x"), out);
#else
	mac_sha256(s, STR("x"), out);
#endif
}
