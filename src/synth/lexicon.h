/*
 * lexicon: names of people, by how common they are.
 *
 * Built in: short lists made for this project, with names that are ordinary words too (May, Brown, Parkinson, Grace) and some
 * beyond ASCII. Or a folder with the US Census Bureau's lists of 1990: dist.all.last, dist.female.first, dist.male.first, lines of
 * "NAME  percent  cumulative  rank".
 */
#ifndef CLOISTER_SYNTH_LEXICON_H
#define CLOISTER_SYNTH_LEXICON_H

#include "base/buf.h"
#include "synth/rng.h"

enum lexicon_kind { LEXICON_FAMILY, LEXICON_FEMALE, LEXICON_MALE, LEXICON_KIND_COUNT };

struct lexicon_name {
	struct str name;
	uint32_t upto; /* sum of the weights so far, this one included */
};
struct lexicon { /* all zero: the built-in lists */
	struct buf text, names[LEXICON_KIND_COUNT];
};

/* lexicon_load(l, folder): NOT_FOUND, INVALID (no usable line), LIMIT. Release it in each case. */
struct err lexicon_load(struct lexicon *l, const char *folder);
void lexicon_release(struct lexicon *l);
/* lexicon_draw(l, kind, r): lives as long as ${l}. */
struct str lexicon_draw(const struct lexicon *l, enum lexicon_kind kind, struct rng *r);

#endif
