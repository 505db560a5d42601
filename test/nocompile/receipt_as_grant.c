/* rule: that a use is on record is no permission to store
 * gcc: passing argument 2 of 'vault_put' from incompatible pointer type
 * clang: incompatible pointer types passing 'const struct receipt \*' to parameter of type 'const struct grant \*' */
#include "vault/client.h"

struct err f(struct pool *p, const struct grant *g, const struct receipt *r, const struct put *put, struct put_result *ret);

struct err
f(struct pool *p, const struct grant *g, const struct receipt *r, const struct put *put, struct put_result *ret)
{
#ifdef RIGHT
	return vault_put(p, g, put, ret);
#else
	return vault_put(p, r, put, ret);
#endif
}
