/* rule: bytes that may be PHI do not become a struct str without phi_borrow()
 * gcc: incompatible type for argument 2 of 'buf_put_str'
 * clang: passing 'struct phi' to parameter of incompatible type 'struct str' */
#include "base/buf.h"
#include "phi/phi.h"

void f(struct buf *b, struct phi v, struct str s);

void
f(struct buf *b, struct phi v, struct str s)
{
#ifdef RIGHT
	buf_put_str(b, s);
#else
	buf_put_str(b, v);
#endif
}
