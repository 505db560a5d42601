/*
 * patterns: identifiers by their look and by the words before them: all of 164.514(b)(2)(i) but names and dates.
 * Each looks at a bounded number of tokens around ${i}.
 */
#ifndef CLOISTER_DEID_PATTERNS_H
#define CLOISTER_DEID_PATTERNS_H

#include "deid/lexer.h"
#include "deid/wordlists.h"

struct match {
	size_t next;     /* the token after it */
	uint32_t past;   /* bytes after the last token that belong to it: the '/' of a URL */
	uint32_t before; /* bytes before the first one: the '(' and '+' of a telephone number */
	enum deid_category category;
};

bool match_pattern(const struct lexed *v, size_t i, struct match *ret);
/* match_age(v, i, &m): a number over 89 that is an age */
bool match_age(const struct lexed *v, size_t i, struct match *ret);
bool match_zip(const struct lexed *v, size_t i, struct match *ret);
/* match_street(v, i, &m): a number and street, and what follows up to the state. */
bool match_street(const struct lexed *v, size_t i, struct match *ret);
/* match_place(v, w, i, &m): a town: before its state, or after "lives in" if it is in the dictionary */
bool match_place(const struct lexed *v, const struct wordlists *w, size_t i, struct match *ret);

#endif
