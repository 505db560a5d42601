/*
 * places: where patients live: real three-digit ZIP areas and states, invented towns and streets.
 */
#ifndef CLOISTER_SYNTH_PLACES_H
#define CLOISTER_SYNTH_PLACES_H

#include "synth/rng.h"

struct place {
	char city[24];
	char state[3];
	char zip[6];
	char line[32]; /* "112 Quarry Rd", at times with "Lot 7 & 8" */
	uint16_t area; /* telephone area code */
};

#define PLACES_SMALL 18
extern const uint16_t places_small[PLACES_SMALL]; /* ZIP3 areas of at most 20,000 people */

/* place_draw(r, &p): by population, and one in a hundred from a small area. */
void place_draw(struct rng *r, struct place *ret);
bool place_is_small(const char *zip);

#endif
