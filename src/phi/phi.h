/*
 * phi: bytes that may be protected health information.
 *
 * A struct by value whose members only phi.c names. It does not convert to
 * char *, so write(), printf(), strcmp() do not compile on it. phi_borrow() is the
 * one exit; a check (test/checks/phi_borrow) lists the files that may call it.
 */
#ifndef CLOISTER_PHI_PHI_H
#define CLOISTER_PHI_PHI_H

#include "base/str.h"

struct phi {
	const void *phi_private_p;
	size_t phi_private_n;
};

struct phi phi_of(const void *p, size_t n); /* borrows: the bytes must outlive it */
size_t phi_size(struct phi v);
struct phi phi_sub(struct phi v, size_t from, size_t n); /* clipped */
/* phi_borrow(v): the bytes, to a codec or a cipher, for as long as ${v} lives. */
struct str phi_borrow(struct phi v);

#endif
