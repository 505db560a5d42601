/* rule: the key of one object is not taken for the key of a domain
 * gcc: passing argument 1 of 'data_key_wrap' from incompatible pointer type
 * clang: incompatible pointer types passing 'struct data_key \*' to parameter of type 'const struct domain_key \*' */
#include "crypto/header.h"

struct err f(struct domain_key *d, struct data_key *k, struct blob_header *h);

struct err
f(struct domain_key *d, struct data_key *k, struct blob_header *h)
{
#ifdef RIGHT
	return data_key_wrap(d, h, k);
#else
	return data_key_wrap(k, h, k);
#endif
}
