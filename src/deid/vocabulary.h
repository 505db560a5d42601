/*
 * vocabulary: is this a word of ordinary English or of medicine? A capitalised word that is none is a name more often than not.
 * The table is made by vocabulary.py when the program is built, of word lists that leave names out; a megabyte of constants, no files.
 * 32 bits of each word are kept: a name is taken for a word once in 10^9.
 */
#ifndef CLOISTER_DEID_VOCABULARY_H
#define CLOISTER_DEID_VOCABULARY_H

#include "deid/hashed.h"

#define VOCABULARY_SLOTS (1u << 18) /* vocabulary.py has the same number */

extern const uint32_t vocabulary_slots[VOCABULARY_SLOTS];

/* vocabulary_has(h): ${h} as hashed_end() gives it, of a word in lower case */
static inline bool
vocabulary_has(uint64_t h)
{
	uint32_t tag = (uint32_t)(h >> 32) ? (uint32_t)(h >> 32) : 1;

	for (size_t i = h & (VOCABULARY_SLOTS - 1);; i = (i + 1) & (VOCABULARY_SLOTS - 1)) {
		if (vocabulary_slots[i] == tag)
			return true;
		if (vocabulary_slots[i] == 0)
			return false;
	}
}

/*
 * vocabulary_built(word): a word that is in no list because medicine builds such words freely: "Normocephalic", or a drug by the stem of
 * its international name: "Empagliflozin". In any case.
 */
bool vocabulary_built(struct str word);

#endif
