/* rule: the name of a log field is a word of our source
 * gcc: expected '}' before 'name'
 * clang: expected '[)}]' */
#include "base/log.h"

void f(const char *name);

void
f(const char *name)
{
#ifdef RIGHT
	LOG(LOG_INFO, "event", LOG_U64("name", 1));
#else
	LOG(LOG_INFO, "event", LOG_U64(name, 1));
#endif
}
