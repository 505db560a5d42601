/*
 * postings: the ledger's index. It says which bundles of 256 entries may hold what a query asks for; the entries themselves
 * decide. So it is small (a value that occurs often in a bundle is one row), and a wrong row costs time, never a wrong answer.
 *
 * Epochs of 128 bundles: the newest is kept in memory, and written when it is full, sorted, in slices. So rows are only
 * ever appended to the database, and a query takes one seek an epoch: 3,000 for 10^8 entries.
 *
 * Derived: made from full bundles in slices, made anew if absent, damaged, or of another log (its head names the root of the
 * tree it was made from). Without it queries read all bundles. It is not proof of anything: verification does not read it.
 */
#ifndef CLOISTER_LEDGER_POSTINGS_H
#define CLOISTER_LEDGER_POSTINGS_H

#include "ledger/client.h"
#include "ledger/tiles.h"

struct postings;

struct err postings_open(const char *path, struct tiles *t, struct postings **ret); /* NO_MEMORY */
void postings_close(struct postings *p);                                            /* NULL is legal */
/* postings_work(p, t, until): indexes until done or the monotonic clock has passed ${until}. What fails turns the index off. */
void postings_work(struct postings *p, struct tiles *t, int64_t until_us);
uint64_t postings_done(const struct postings *p);                            /* bundles below this are indexed */
uint64_t postings_backlog(const struct postings *p, const struct tiles *t); /* 0 too if the index is off */

/*
 * postings_find(p, q, below, &f): bundles below ${below} that may hold a match, the newest first. FIND_LATER: the monotonic clock has
 * passed ${until}; nothing at or above *ret_bundle is left. FIND_END: no more; if the index failed meanwhile, postings_done() is 0.
 */
enum found { FIND_END, FIND_BUNDLE, FIND_LATER };
struct find;
struct err postings_find(struct postings *p, const struct ledger_query *q, uint64_t below, struct find **ret);
enum found postings_next(struct find *f, int64_t until_us, uint64_t *ret_bundle);
void postings_find_end(struct find *f);

#endif
