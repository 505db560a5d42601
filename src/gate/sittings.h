/*
 * sittings: who sits before a notebook just now. Warden knows the sessions; here is remembered for a moment that it said yes, so that a page with
 * a hundred requests asks it once a second and no more. The siren page makes every answer old at once (revoked people, lock-down). Somebody
 * who does nothing for the time of the automatic log-off (45 CFR 164.312(a)(2)(iii)) has to enter anew; what pages ask by themselves is not doing.
 * All functions may be called by any thread. Process: gate.
 */
#ifndef CLOISTER_GATE_SITTINGS_H
#define CLOISTER_GATE_SITTINGS_H

#include "gate/request.h"

#define LIMIT_SITTINGS 512

struct sittings;
struct err sittings_new(struct house *h, int64_t idle_us, struct sittings **ret);
void sittings_free(struct sittings *s);
/* sittings_enter(s, ticket, address, &cell, session): a one-time ticket becomes a session; DENIED, EXPIRED, LOCKED, … */
struct err sittings_enter(struct sittings *s, struct str ticket, struct str address, struct id *ret_cell, struct buf *session);
/* sittings_check(s, cell, session, address, use): may he go on? ${use}: he did something. DENIED, EXPIRED (idle), LOCKED, CLOSED, … */
struct err sittings_check(struct sittings *s, struct id cell, struct str session, struct str address, bool use);
/*
 * sittings_refused(s, cell, address, what): a way past the airlock was tried: "download", "upload" or "terminal", a literal. A record, at most one of a
 * kind in 10 s a cell.
 */
void sittings_refused(struct sittings *s, struct id cell, struct str address, const char *what);
/* sittings_forget(s, cell): of a closed cell; the next check asks. */
void sittings_forget(struct sittings *s, struct id cell);

#endif
