/* rule: what was not de-identified is not read as if it were
 * gcc: incompatible type for argument 1 of 'deid_bytes'
 * clang: passing 'struct phi' to parameter of incompatible type 'struct deid' */
#include "deid/deid.h"
#include "phi/phi.h"

struct str f(struct phi v, struct deid d);

struct str
f(struct phi v, struct deid d)
{
#ifdef RIGHT
	return deid_bytes(d);
#else
	return deid_bytes(v);
#endif
}
