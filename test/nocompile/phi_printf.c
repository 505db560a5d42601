/* rule: bytes that may be PHI do not go to printf()
 * gcc: format '%s' expects argument of type 'char \*', but argument 2 has type 'struct phi'
 * clang: format specifies type 'char \*' but the argument has type 'struct phi' */
#include <stdio.h>

#include "phi/phi.h"

void f(struct phi v);

void
f(struct phi v)
{
#ifdef RIGHT
	printf("%zu", phi_size(v));
#else
	printf("%s", v);
#endif
}
