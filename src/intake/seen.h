/*
 * seen: which messages intake has taken, so that a repeated one is known again. Keyed tokens (HMAC-SHA-256, cut to 16 bytes) in a
 * SQLite file in intake's own folder: whoever reads it learns how many messages there were, and when.
 *
 * A token is added in the round that takes its message, counts from then on, and goes to disk a little later, many at once. What a crash
 * loses is memory only: a message that is sent again then is stored again, which the pool resolves. Rows older than SEEN_KEEP_US go.
 * Process: intake. Not for threads.
 */
#ifndef CLOISTER_INTAKE_SEEN_H
#define CLOISTER_INTAKE_SEEN_H

#include "base/clock.h"
#include "base/err.h"

#define SEEN_BYTES 16
#define SEEN_KEEP_US (30 * 86400 * US_PER_S) /* senders repeat after minutes or, after a long break, days */
#define SEEN_ROUND_MAX 2048                  /* tokens that may be added between two calls of seen_settle() */

struct seen;
enum seen_what { SEEN_NEW, SEEN_AGAIN, SEEN_OTHER }; /* OTHER: the token with another digest */

/* seen_open(path, &s): a damaged file is thrown away: it is a memory, not a record. */
struct err seen_open(const char *path, struct seen **ret);
void seen_close(struct seen *s); /* writes what is left; NULL is legal */
struct err seen_ask(struct seen *s, const uint8_t token[SEEN_BYTES], const uint8_t digest[SEEN_BYTES], enum seen_what *ret);
void seen_add(struct seen *s, const uint8_t token[SEEN_BYTES], const uint8_t digest[SEEN_BYTES], int64_t now_us);
/* seen_settle(s, good): the round has ended: what was added since the last call holds (and will be written), or is forgotten. */
void seen_settle(struct seen *s, bool good);
bool seen_waits(const struct seen *s); /* for seen_write() */
struct err seen_write(struct seen *s); /* after an error what waited is forgotten */
/* seen_prune(s, now): a small part of the rows that are too old; call it often. */
struct err seen_prune(struct seen *s, int64_t now_us);
/* seen_is_broken(s): the file is in a state that is not known: the process must stop. */
bool seen_is_broken(const struct seen *s);

#endif
