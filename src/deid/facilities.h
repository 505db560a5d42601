/* facilities: hospitals, counties, schools and towns by the word behind or before them: "Zorb General Hospital", "Vexley County", "lives in Quuxton". */
#ifndef CLOISTER_DEID_FACILITIES_H
#define CLOISTER_DEID_FACILITIES_H

#include "deid/lexer.h"

/* match_facility(v, i, &next): such a place from token ${i} up to ${next} */
bool match_facility(const struct lexed *v, size_t i, size_t *ret_next);

#endif
