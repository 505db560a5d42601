/*
 * side: the rows of a small table, kept in memory by their key, to be looked into while a large one streams: concept names, places.
 *
 * About 16 bytes a row and the row itself. Wiped. It has a maximum: rows beyond it are left out, and side_is_full() tells.
 */
#ifndef CLOISTER_CLINIC_SIDE_H
#define CLOISTER_CLINIC_SIDE_H

#include "base/num.h"
#include "base/str.h"

#define SIDE_FIELDS_MAX 12
#define SIDE_ROW_BYTES (64 * KiB) /* longer ones are left out */
#define SIDE_LIMIT_BYTES (1 * GiB)

struct side; /* heap */
struct side_row { struct str fields[SIDE_FIELDS_MAX]; size_t n; };

struct err side_new(struct side **ret);
void side_free(struct side *s); /* NULL is legal */
/* side_put(s, key, fields, n): a key that is there already stays as it is. NO_MEMORY. */
struct err side_put(struct side *s, struct str key, const struct str *fields, size_t n);
bool side_get(const struct side *s, struct str key, struct side_row *ret); /* ${s} NULL: nothing is there */
size_t side_count(const struct side *s);
bool side_is_full(const struct side *s);

#endif
