/* codes: numbers and codes that tell themselves by their look, without the word that patterns.c wants before them. */
#ifndef CLOISTER_DEID_CODES_H
#define CLOISTER_DEID_CODES_H

#include "deid/patterns.h"

/* code_mixed(v, i, next): the tokens up to ${next} hold a capital and three digits, five characters in all, and are no dose */
bool code_mixed(const struct lexed *v, size_t i, size_t next);
/* code_bare(v, i, &m): "S24-64841", "4ABC288", and the number behind "no." or "#" that is no code of a terminology */
bool code_bare(const struct lexed *v, size_t i, struct match *ret);
/* address_short(v, i, &m): an address of IPv6 with its zeros left out: "2001:db8::1" */
bool address_short(const struct lexed *v, size_t i, struct match *ret);

#endif
