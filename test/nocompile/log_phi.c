/* rule: bytes that may be PHI do not go to the log
 * gcc: incompatible types when initializing type 'unsigned char' using type 'struct phi'
 * clang: incompatible type 'struct phi' */
#include "base/log.h"
#include "phi/phi.h"

void f(struct phi v, struct id id);

void
f(struct phi v, struct id id)
{
#ifdef RIGHT
	LOG(LOG_INFO, "event", LOG_ID("id", id));
#else
	LOG(LOG_INFO, "event", LOG_ID("id", v));
#endif
}
