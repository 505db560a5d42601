/*
 * domain: families of keys that can be destroyed together. A bucket belongs to one; its objects'
 * data keys are wrapped under the domain's newest key ("epoch"). Rotation adds an epoch and
 * rewraps; no data is encrypted anew. A destroyed domain remains as a tombstone. doc/keys.md.
 * Process: warden.
 */
#ifndef CLOISTER_WARDEN_DOMAIN_H
#define CLOISTER_WARDEN_DOMAIN_H

#include "base/map.h"
#include "crypto/crypto.h"

#define LIMIT_DOMAIN_NAME 32
/* that still exist: the newest, and those whose data is not rewrapped yet */
#define LIMIT_DOMAIN_EPOCHS 16
#define DOMAIN_GENERAL "general"

struct epoch { uint32_t n; struct domain_key *key; };

struct domain {
	struct id id;
	char name[LIMIT_DOMAIN_NAME + 1];
	uint32_t newest;     /* epoch; counts from 1 */
	uint8_t n_epochs;    /* 0: destroyed */
	struct epoch epochs[LIMIT_DOMAIN_EPOCHS]; /* ascending; the last is the newest */
	int64_t created_us, rotated_us;
	/* of the tombstone */
	int64_t destroyed_us;
	struct id asked, consented;
	uint64_t versions; /* that became unreadable */
	/* where the rewrapping is; from the start after a restart */
	struct id cursor;
	uint64_t rewrapped, damaged;
	int64_t next_pass_us; /* monotonic */
};

struct domains { struct map by_id, by_name; struct secret *wrap; /* what wraps their keys */ };

struct err domains_put(struct domains *d, struct id id, struct str json);
void domains_release(struct domains *d);
struct domain *domain_by_id(const struct domains *d, struct id id);
struct domain *domain_by_name(const struct domains *d, struct str name);
static inline bool
domain_is_destroyed(const struct domain *d)
{
	return d->n_epochs == 0;
}
/* domain_key(d, epoch): NULL if that epoch is no more. */
const struct domain_key *domain_key(const struct domain *d, uint32_t epoch);

struct err domain_name_check(struct str name); /* INVALID */
/*
 * domain_write(all, d, b): the row; of a changed copy, which shares its keys with the original, the
 * next row.
 * domain_write_next(all, d, b): the row with one epoch more. LIMIT.
 */
struct err domain_write(const struct domains *all, const struct domain *d, struct buf *json);
struct err domain_write_next(const struct domains *all, const struct domain *d, struct buf *json);

#endif
