/*
 * str: bytes that somebody else owns, by value, to read. Not NUL-terminated.
 * For what may not leak use struct phi (phi/phi.h) or struct secret (crypto/secret.h).
 */
#ifndef CLOISTER_BASE_STR_H
#define CLOISTER_BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct str {
	const char *p;
	size_t n;
};

/* STR("literal") */
#define STR(lit) ((struct str){"" lit "", sizeof(lit) - 1})
#define STR_NONE ((struct str){NULL, 0})
/* for "%.*s": STR_ARG(s) */
#define STR_ARG(s) ((int)(s).n), ((s).p ? (s).p : "")

static inline struct str
str_of(const void *p, size_t n)
{
	return (struct str){p, n};
}

static inline struct str
str_c(const char *z)
{
	return (struct str){z, z ? strlen(z) : 0};
}

static inline bool
str_eq(struct str a, struct str b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

bool str_eq_nocase(struct str a, struct str b); /* ASCII only */
int str_cmp(struct str a, struct str b);        /* byte order, as S3 lists */
bool str_starts(struct str s, struct str prefix);
bool str_ends(struct str s, struct str suffix);
/* str_find(s, needle): offset of the first ${needle}, or SIZE_MAX. */
size_t str_find(struct str s, struct str needle);
/* str_chr(s, c): offset of the first ${c}, or SIZE_MAX. */
size_t str_chr(struct str s, char c);
/* str_sub(s, from, n): at most ${n} bytes from ${from}; clipped, never out of range. */
struct str str_sub(struct str s, size_t from, size_t n);
struct str str_trim(struct str s); /* spaces and tabs at both ends */
/* str_split(s, c, &head, &tail): cut at the first ${c}; false (all in head) if there is none. */
bool str_split(struct str s, char c, struct str *ret_head, struct str *ret_tail);
/* str_is_utf8(s): well-formed UTF-8 without overlong forms or surrogates. */
bool str_is_utf8(struct str s);

/* a name and its value: a header, a query parameter, a tag */
struct pair { struct str name, value; };

#endif
