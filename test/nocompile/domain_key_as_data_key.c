/* rule: a domain key does not seal objects
 * gcc: passing argument 1 of 'sealer_new' from incompatible pointer type
 * clang: incompatible pointer types passing 'const struct domain_key \*' to parameter of type 'const struct data_key \*' */
#include "crypto/stream.h"

struct err f(const struct domain_key *d, const struct data_key *k, const struct stream_context *c, struct sealer **s);

struct err
f(const struct domain_key *d, const struct data_key *k, const struct stream_context *c, struct sealer **s)
{
#ifdef RIGHT
	return sealer_new(k, c, s);
#else
	return sealer_new(d, c, s);
#endif
}
