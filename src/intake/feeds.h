/*
 * feeds: who delivers. A connection's certificate (SHA-256 of its DER form) or, for what intake fetches from a broker, the name that the
 * configuration gives leads to a feed that warden knows; asked once and again whenever warden's siren page changes, so that who is revoked is out
 * within a round. And how much each has delivered, told to warden at most once a second.
 * Process: intake. A struct feed lives as long as the struct feeds.
 */
#ifndef CLOISTER_INTAKE_FEEDS_H
#define CLOISTER_INTAKE_FEEDS_H

#include "base/map.h"
#include "warden/client.h"

#define FEED_NAME_MAX 128
#define FEEDS_MAX 4096

struct feed {
	struct id id; /* zero: warden does not know it, or could not be asked yet */
	char name[FEED_NAME_MAX + 1];
	bool gone;    /* revoked, or never was one */
	int64_t asked_us; /* monotonic */
	uint64_t accepted, duplicate, refused; /* since warden was told */
	int64_t last_us;
	bool counted;
	/* how it is found */
	bool by_name;
	uint8_t fingerprint[32];
	char address[48]; /* where it was first seen */
	char wanted[FEED_NAME_MAX + 1];
};

struct feeds {
	struct pool *warden; /* borrowed */
	const volatile struct siren *siren;
	uint32_t epoch;
	struct map by_key;
	bool stale; /* some must be asked again */
};

void feeds_release(struct feeds *f);
/*
 * feeds_connect(f, fingerprint, address, &feed): whose certificate that is. UNAUTHENTICATED, DENIED: nobody's (any more); another error: warden
 * cannot say now; LIMIT: too many.
 */
struct err feeds_connect(struct feeds *f, const uint8_t fingerprint[32], struct str address, struct feed **ret);
struct err feeds_by_name(struct feeds *f, struct str name, struct feed **ret);
/* feeds_ask(f, feed): again, if it is not known and was not asked just now. */
struct err feeds_ask(struct feeds *f, struct feed *feed);
/* feeds_check(f): true: the siren page has changed, and all feeds were asked about: look at their ${gone}. */
bool feeds_check(struct feeds *f);
/* feeds_tell(f): the counts. */
struct err feeds_tell(struct feeds *f);

#endif
