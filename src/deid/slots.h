/* slots: places in a sentence where a person stands, and so a name that is an ordinary word too: "staffed with Rush", "Primary: Bush", "Iris will drive". */
#ifndef CLOISTER_DEID_SLOTS_H
#define CLOISTER_DEID_SLOTS_H

#include "deid/lexer.h"

/* match_slot(v, i, &next): a name from token ${i} up to ${next} */
bool match_slot(const struct lexed *v, size_t i, size_t *ret_next);

#endif
