/*
 * wordlists: what a word can be. Built in: titles, streets, states, keywords, and the ordinary and medical words that are
 * names too. The caller adds dictionaries of surnames, first names and places; without them names are found by context only.
 * Public words, no PHI. Read-only once filled: threads may share it.
 */
#ifndef CLOISTER_DEID_WORDLISTS_H
#define CLOISTER_DEID_WORDLISTS_H

#include "deid/deid.h"
#include "deid/hashed.h"

enum word_bit {
	WORD_SURNAME = 1 << 0,
	WORD_FIRST = 1 << 1,
	WORD_PLACE = 1 << 2,
	WORD_ORDINARY = 1 << 3, /* more often not a name */
	WORD_TITLE = 1 << 4,
	WORD_STATE = 1 << 5,      /* in full */
	WORD_STATE_CODE = 1 << 6, /* two letters */
	WORD_STREET = 1 << 7,
	WORD_RELATIVE = 1 << 8,
	WORD_CREDENTIAL = 1 << 9, /* MD, RN */
	WORD_NAME_KEY = 1 << 10,  /* "Attending:" */
	WORD_PHONE = 1 << 11,
	WORD_FAX = 1 << 12,
	WORD_PLACE_KEY = 1 << 13, /* "lives in" */
	WORD_EPONYM_OF = 1 << 14, /* disease, sign: what stands before is its discoverer */
	WORD_MARK = 1 << 15,      /* number, no, id */
	WORD_BORN = 1 << 16,
	WORD_VOCABULARY = 1 << 17, /* of vocabulary.h: set by lex() */
	WORD_DRUG = 1 << 18,       /* what is taken; DRUG words are ORDINARY too */
	WORD_NATION = 1 << 19,     /* peoples, languages, holidays, makers: written with a capital, and no names */
	/* what kind of number follows: category + 1 in 5 bits; weak ones need a mark */
	WORD_ID_SHIFT = 20,
	WORD_ID_WEAK = 1 << 25,
	WORD_KIND = 1 << 26,        /* "Hospital", "County" */
	WORD_KIND_COMMON = 1 << 27, /* "the", "General": before "Hospital" they tell no place */
	WORD_LIVED = 1 << 28,       /* "lives", before "in" */
	WORD_WITH = 1 << 29,        /* "staffed", before "with" and "by" */
	WORD_DEED = 1 << 30,        /* "drove": what people do */
	WORD_TAKEN = 1u << 31,      /* "started", before a medicine */
};
#define WORD_ID(c) ((uint32_t)((unsigned int)(c) + 1) << WORD_ID_SHIFT)
#define WORD_ID_MASK (31u << WORD_ID_SHIFT)

struct wordlists {
	struct hashed words;
};

struct err wordlists_init(struct wordlists *w); /* the built-in ones. Release after a failure too. NO_MEMORY */
void wordlists_release(struct wordlists *w);
/* wordlists_add_common(w): the most common names and large towns of the United States, built in. NO_MEMORY */
struct err wordlists_add_common(struct wordlists *w);
/* wordlists_add(w, bit, entry): SURNAME, FIRST, PLACE ("New Haven" is one) or ORDINARY. INVALID: other bits. NO_MEMORY */
struct err wordlists_add(struct wordlists *w, enum word_bit bit, struct str entry);

/* deid/ only: words, separated by a space; what medicines and peoples are called (clinic_words.c) */
struct err wordlists_add_bits(struct wordlists *w, uint32_t bits, const char *words);
struct err wordlists_add_clinic(struct wordlists *w);

#endif
