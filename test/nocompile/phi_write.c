/* rule: bytes that may be PHI do not go to write()
 * gcc: incompatible type for argument 2 of 'write'
 * clang: passing 'struct phi' to parameter of incompatible type 'const void \*' */
#include <unistd.h>

#include "phi/phi.h"

long f(struct phi v);

long
f(struct phi v)
{
#ifdef RIGHT
	return (long)phi_size(v);
#else
	return write(1, v, 3);
#endif
}
