/* rule: the vault is given ciphertext only
 * gcc: incompatible types when assigning to type 'struct sealed' from type 'struct phi'
 * clang: assigning to 'struct sealed' from incompatible type 'struct phi' */
#include "phi/phi.h"
#include "vault/client.h"

void f(struct put *put, struct phi plain, struct sealed body);

void
f(struct put *put, struct phi plain, struct sealed body)
{
#ifdef RIGHT
	put->body = body;
#else
	put->body = plain;
#endif
}
