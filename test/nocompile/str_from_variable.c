/* rule: STR() is for literals, whose length is known
 * gcc: expected '}' before 'z'
 * clang: expected '}' */
#include "base/str.h"

struct str f(const char *z);

struct str
f(const char *z)
{
#ifdef RIGHT
	return str_c(z);
#else
	return STR(z);
#endif
}
