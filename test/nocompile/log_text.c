/* rule: there is no log field for text
 * gcc: aggregate value used where an integer was expected
 * clang: operand of type 'struct str' where arithmetic or pointer type is required */
#include "base/log.h"

void f(struct str s);

void
f(struct str s)
{
#ifdef RIGHT
	LOG(LOG_INFO, "event", LOG_U64("n", s.n));
#else
	LOG(LOG_INFO, "event", LOG_U64("n", s));
#endif
}
