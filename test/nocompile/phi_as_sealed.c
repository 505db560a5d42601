/* rule: plaintext is not taken for ciphertext
 * gcc: incompatible type for argument 1 of 'sealed_bytes'
 * clang: passing 'struct phi' to parameter of incompatible type 'struct sealed' */
#include "phi/phi.h"
#include "phi/sealed.h"

struct str f(struct phi v, struct sealed s);

struct str
f(struct phi v, struct sealed s)
{
#ifdef RIGHT
	return sealed_bytes(s);
#else
	return sealed_bytes(v);
#endif
}
