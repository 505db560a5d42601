/*
 * rules: the patterns. A rule has one row or more; a row is tried only if the name
 * holds what it cannot match without (classes, digits, a '@'), so that a usual name
 * meets two or three of them.
 *
 * Repeats are bounded and what follows one cannot begin like it, so that the work at each
 * position has a small constant bound; the match limit is the net under that.
 */
#ifndef CLOISTER_NAMES_RULES_H
#define CLOISTER_NAMES_RULES_H

#include "names/names.h"

enum rule_text {
	RULE_PLAIN,  /* folded, lower-case */
	RULE_TAGGED, /* words_tag() of it */
};

struct rule_row {
	enum names_rule rule;
	enum rule_text text;
	const char *classes; /* at least one of them must occur; "" is any */
	uint16_t digits_min;
	char needs; /* this character must occur; 0 is none */
	const char *pattern;
};

extern const struct rule_row rule_rows[];
extern const size_t rule_row_count;
#define RULE_ROWS_MAX 32

#endif
