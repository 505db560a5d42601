/* rule: a key does not go to printf()
 * gcc: format '%s' expects argument of type 'char \*', but argument 2 has type 'struct secret'
 * clang: format specifies type 'char \*' but the argument has type 'struct secret' */
#include <stdio.h>

#include "crypto/secret.h"

void f(const struct data_key *k);

void
f(const struct data_key *k)
{
#ifdef RIGHT
	printf("%zu", sizeof(*k));
#else
	printf("%s", k->s);
#endif
}
