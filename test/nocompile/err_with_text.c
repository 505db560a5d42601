/* rule: an error carries no text
 * gcc: incompatible types when initializing type 'enum err_code' using type 'char \*'
 * clang: incompatible pointer to integer conversion initializing 'enum err_code' with an expression of type 'char \*' */
#include "base/err.h"

struct err f(char *patient);

struct err
f(char *patient)
{
#ifdef RIGHT
	return patient ? ERR(ERR_INVALID) : OK;
#else
	return ERR(patient);
#endif
}
