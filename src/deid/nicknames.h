/* nicknames: what people are called whose papers say otherwise. General knowledge, English for the most part. */
#ifndef CLOISTER_DEID_NICKNAMES_H
#define CLOISTER_DEID_NICKNAMES_H

#include "base/str.h"

/* nickname_next(name, &at, &nick): the next nickname of ${name}; ${at} begins as 0. False: no more */
bool nickname_next(struct str name, size_t *at, struct str *ret);

#endif
