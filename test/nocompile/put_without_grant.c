/* rule: nothing is stored without a grant
 * gcc: too few arguments to function 'vault_put'
 * clang: too few arguments to function call */
#include "vault/client.h"

struct err f(struct pool *p, const struct grant *g, const struct put *put, struct put_result *ret);

struct err
f(struct pool *p, const struct grant *g, const struct put *put, struct put_result *ret)
{
#ifdef RIGHT
	return vault_put(p, g, put, ret);
#else
	return vault_put(p, put, ret);
#endif
}
