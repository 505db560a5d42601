/*
 * offline: a log's folder as its last checkpoint says it is; nothing is written, and the ledger may be at work in it.
 */
#ifndef CLOISTER_LEDGER_OFFLINE_H
#define CLOISTER_LEDGER_OFFLINE_H

#include "ledger/note.h"
#include "ledger/tiles.h"

/*
 * published_open(dir, v, text, &c, t): the checkpoint, verified with ${v} (NULL: only parsed), and the edge that belongs to it.
 * ${text} holds what ${c} borrows. CORRUPT with t->fault.
 */
struct err published_open(int dir, const struct vkey *v, struct buf *text, struct checkpoint *ret, struct tiles *t);

#endif
