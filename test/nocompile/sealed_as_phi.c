/* rule: ciphertext is not sealed a second time as if it were plaintext
 * gcc: incompatible type for argument 2 of 'sealer_update'
 * clang: passing 'struct sealed' to parameter of incompatible type 'struct phi' */
#include "crypto/stream.h"

struct err f(struct sealer *s, struct phi plain, struct sealed done, char *out, size_t *n);

struct err
f(struct sealer *s, struct phi plain, struct sealed done, char *out, size_t *n)
{
#ifdef RIGHT
	return sealer_update(s, plain, out, n);
#else
	return sealer_update(s, done, out, n);
#endif
}
