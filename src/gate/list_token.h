/*
 * list_token: where a listing goes on. Opaque to clients. Holds the last key seen and whether it was a common prefix,
 * and a digest that ties it to the bucket and to the question: a token of another listing is refused, not misread.
 * It is no secret and gives no power: whoever comes with it is asked for who he is like everybody.
 */
#ifndef CLOISTER_GATE_LIST_TOKEN_H
#define CLOISTER_GATE_LIST_TOKEN_H

#include "base/buf.h"
#include "base/id.h"

void token_make(struct id bucket, struct str prefix, struct str delimiter, struct str last, bool last_is_prefix, struct buf *out);
/* token_open: INVALID. ${last} is appended. */
struct err token_open(struct str token, struct id bucket, struct str prefix, struct str delimiter, struct buf *last,
    bool *ret_last_is_prefix);

#endif
