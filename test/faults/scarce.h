/*
 * scarce: memory runs out at any allocation. The linker gives our code's malloc and its kin to scarce.c (meson.build), and libraries that
 * let us choose (jansson, libxml2, SQLite) are given the same. What is not freed again is a leak, with or without a sanitizer.
 */
#ifndef CLOISTER_TEST_SCARCE_H
#define CLOISTER_TEST_SCARCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* the wrapped names; also what to give to libraries */
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t each);
void *__wrap_realloc(void *p, size_t n);
void *__wrap_reallocarray(void *p, size_t n, size_t each);
char *__wrap_strdup(const char *s);
void __wrap_free(void *p);

/* scarce_from(good, more): ${good} allocations succeed, the next fails, and, if ${for_ever}, all after it. */
void scarce_from(uint64_t good, bool for_ever);
/* scarce_end(): whether one has failed. */
bool scarce_end(void);
/* scarce_held(): allocations that were not given back. */
int64_t scarce_held(void);

#endif
