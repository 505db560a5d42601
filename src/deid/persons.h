/*
 * persons: names by the words around them and by the dictionaries. An ordinary word that is a name too, and the discoverer
 * of a disease, are names only where the context says so.
 */
#ifndef CLOISTER_DEID_PERSONS_H
#define CLOISTER_DEID_PERSONS_H

#include "deid/lexer.h"
#include "deid/wordlists.h"

/* match_person(v, i, &next, &sure): a name from token ${i} up to ${next}; ${sure}: the context says it, not only a dictionary */
bool match_person(const struct lexed *v, size_t i, size_t *ret_next, bool *ret_sure);

#endif
