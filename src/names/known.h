/*
 * known: the set of keyed hashes of the pool's own identifiers, and the words of a
 * name that are looked up in it (names_set_known() says which). Lookups run beside
 * a replacement of the set.
 */
#ifndef CLOISTER_NAMES_KNOWN_H
#define CLOISTER_NAMES_KNOWN_H

#include "names/names.h"

struct known;
struct err known_new(struct known **ret); /* empty */
void known_free(struct known *k);
struct err known_set(
    struct known *k, const uint8_t (*tokens)[NAMES_TOKEN_BYTES], size_t n, struct names_hash h);
/* known_hit(k, text): a word of ${text} (folded) is in the set. */
bool known_hit(struct known *k, struct str text);

#endif
