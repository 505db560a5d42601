#include "phi/sealed.h"

struct sealed
sealed_made_by_cipher(const void *p, size_t n)
{
	return (struct sealed){p, n};
}

struct sealed
sealed_from_store(struct str s)
{
	return (struct sealed){s.p, s.n};
}

struct str
sealed_bytes(struct sealed v)
{
	return str_of(v.sealed_private_p, v.sealed_private_n);
}
