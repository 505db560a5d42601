#include "phi/phi.h"

struct phi
phi_of(const void *p, size_t n)
{
	return (struct phi){p, n};
}

size_t
phi_size(struct phi v)
{
	return v.phi_private_n;
}

struct phi
phi_sub(struct phi v, size_t from, size_t n)
{
	struct str s = str_sub(phi_borrow(v), from, n);

	return (struct phi){s.p, s.n};
}

struct str
phi_borrow(struct phi v)
{
	return str_of(v.phi_private_p, v.phi_private_n);
}
