/*
 * search: queries over the log, newest first.
 *
 * One call takes a bounded time, however large the log: what it did not reach it says, and the client goes on from there.
 */
#ifndef CLOISTER_LEDGER_SEARCH_H
#define CLOISTER_LEDGER_SEARCH_H

#include "ledger/state.h"

#define QUERY_MAX 200

void ledger_query_encode(const struct ledger_query *q, struct buf *b);
struct err ledger_query_decode(struct cur *c, struct ledger_query *ret); /* INVALID */
/*
 * ledger_search(l, q, out): appends u16 n, (u64 index, lstr json)*, u8 more, u64 next (if more: ask again with it as ${before}).
 * All below ${next} was not looked at; all from there up to ${before} was.
 */
struct err ledger_search(struct ledger *l, const struct ledger_query *q, struct buf *out);

#endif
