/*
 * identifiers: what is known of a patient, or of a cohort, to be found again in text: names, relatives, clinicians, record
 * numbers, phones, addresses, dates of birth. Kept as hashes of their letters and digits, joined: "O'Brien", "o brien" and
 * "OBRIEN" are one, and so are "555-0123" and "(555) 0123". The set cannot be read back.
 */
#ifndef CLOISTER_DEID_IDENTIFIERS_H
#define CLOISTER_DEID_IDENTIFIERS_H

#include "deid/deid.h"
#include "deid/lexer.h"
#include "phi/phi.h"

#define KNOWN_VALUE_MAX 256 /* bytes of one identifier */
#define KNOWN_TOKENS_MAX 24 /* runs of letters or digits in one */

struct known { /* all zero: empty */
	struct hashed set;
	uint64_t lengths[KNOWN_VALUE_MAX / 64 + 1]; /* which joined lengths occur: most look-ups are spared */
};

void known_release(struct known *k);
/*
 * known_add(k, c, value): as a whole; a name by each of its words, with the last one first, without the middle ones, with an initial for the first, and by its
 * nicknames; a date in the orders of ISO, the US and Europe; a phone number without its country's 1 and without its area; a number without its letters and
 * zeros in front; an address without its town, and with its street abbreviated or in full. Less than three letters or digits are not kept. LIMIT, NO_MEMORY.
 */
struct err known_add(struct known *k, enum deid_category c, struct phi value);

struct known_hit {
	size_t next; /* the token after it */
	enum deid_category category;
	bool whole; /* all of an identifier; else one word of a name */
};
/* known_at(k, v, i, &hit): the longest identifier that begins at token ${i} */
bool known_at(const struct known *k, const struct lexed *v, size_t i, struct known_hit *ret);
bool known_whole_at(const struct known *k, const struct lexed *v, size_t i, struct known_hit *ret); /* whole ones only */

#endif
