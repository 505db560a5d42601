/* rule: bytes that may be PHI do not go to strcmp()
 * gcc: incompatible type for argument 1 of 'strcmp'
 * clang: passing 'struct phi' to parameter of incompatible type 'const char \*' */
#include "phi/phi.h"

int f(struct phi v, const char *z);

int
f(struct phi v, const char *z)
{
#ifdef RIGHT
	return (int)phi_size(v) + z[0];
#else
	return strcmp(v, z);
#endif
}
