/*
 * strangers: a capitalised word that is neither English nor medicine is a name, unless what stands around it says otherwise: the discoverer
 * of a disease, a drug with its dose, a heading. Each looks at a bounded number of tokens.
 */
#ifndef CLOISTER_DEID_STRANGERS_H
#define CLOISTER_DEID_STRANGERS_H

#include "deid/lexer.h"
#include "deid/wordlists.h"

/* strange(v, i): a word of no vocabulary, written as names are */
bool strange(const struct lexed *v, size_t i);
/* match_stranger(v, i, &next): a name from token ${i} up to ${next} */
bool match_stranger(const struct lexed *v, size_t i, size_t *ret_next);

/* names_on(v, i): the gap after ${i} ends no name: a space, a hyphen, the point of an initial, an apostrophe */
bool names_on(const struct lexed *v, size_t i);
/* of_eponym(v, next): "Crohn's disease", "Foley catheter": what stands before ${next} is a discoverer */
bool of_eponym(const struct lexed *v, size_t next);
/* is_one_of(v, i, words): token ${i} is one of these, separated by a space, in any case */
bool is_one_of(const struct lexed *v, size_t i, const char *words);

#endif
