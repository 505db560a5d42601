/* rule: the name of a log event is a word of our source
 * gcc: expected '\)' before 'event'
 * clang: expected '\)' */
#include "base/log.h"

void f(const char *event);

void
f(const char *event)
{
#ifdef RIGHT
	LOG(LOG_INFO, "event");
#else
	LOG(LOG_INFO, event);
#endif
}
