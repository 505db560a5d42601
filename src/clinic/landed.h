/*
 * landed: bytes that landed become rows of the pool: resources with ids of the pool, one after another, through a callback.
 *
 * A "unit" is what is used or refused as a whole: an HL7 message, a FHIR document, a line of NDJSON, a row of a table, a device's message.
 * Its rows come first, then what became of it: rows of a unit that is refused do not count, so that a sink keeps a unit's rows until it knows. A refusal is
 * a reason and a place, words of ours ([a-z0-9.-]), never data.
 * The same bytes from the same feed give the same ids, so that what is taken in twice is there once.
 *
 * Ids: HMAC-SHA-256 under the pool's key over feed, type and the source's own id, in the textual form of map.h; references are rewritten
 * likewise. The rest of a resource stays as it came, byte by byte. doc/ingest.md, doc/clinic-mapping.md, doc/tables.md, doc/devices.md.
 *
 * Limits: 64 MiB a document, a message, a line; a table's row 16 MiB; FHIR's 64 levels and 100,000 entries. Linear time, no recursion, memory
 * flat over a stream. Wiped. One struct landed at a time a thread. Who calls it: scrub.
 */
#ifndef CLOISTER_CLINIC_LANDED_H
#define CLOISTER_CLINIC_LANDED_H

#include "clinic/side.h"
#include "crypto/crypto.h"
#include "phi/phi.h"

#define LANDED_PLACE_BYTES 65
#define LANDED_LIMIT_BYTES (64 * MiB)
#define LANDED_ID_CHARS 36

enum landed_op { LANDED_PUT = 1, LANDED_PATCH, LANDED_DELETE };

struct landed_row {
	enum landed_op op;
	const char *type;   /* static */
	struct str id;      /* LANDED_ID_CHARS */
	struct str patient; /* pool id of its Patient; empty: of none */
	uint32_t part;
	struct phi body;    /* empty for DELETE */
};

struct landed_unit {
	uint32_t part;      /* which: the entry of a segment; the message, line or row of an object, from 1 */
	const char *reason; /* static; NULL: it was used */
	const char *place;  /* "pid-3", "entry-2.status", "birth-datetime"; may be empty */
};

struct landed_sink {
	void *ctx;
	/* An error ends everything, and is given back. */
	struct err (*row)(void *ctx, const struct landed_row *r);
	struct err (*unit)(void *ctx, const struct landed_unit *u);
};

struct landed_options {
	const struct mac_key *key;
	struct str feed;     /* its name, or that of the authority that assigns its numbers: part of every id */
	bool one_authority;  /* it is an authority's: messages and devices of several feeds mean the same patients and visits */
	struct str source;   /* names the bytes (the landing object's id), for Provenance; no PHI */
	struct str zone;     /* of times without one: "+01:00"; empty: "Z" */
	int64_t received_us; /* when the bytes came to the house */
	uint32_t part;       /* of all units; 0: they are counted */
	/* of other tables in the same folder; NULL: none came */
	const struct side *concepts, *locations, *contacts;
};

enum landed_form { LANDED_HL7 = 1, LANDED_FHIR, LANDED_TABLE, LANDED_DEVICE };

struct landed; /* heap */
/*
 * landed_new(form, options, name, sink, &l): ${name} is that of the file (the landing key's last part), or empty; what is borrowed must outlive ${l}.
 * landed_feed(): bytes as they come, cut anywhere. landed_end(): the last unit. Then free; a failure frees nothing.
 * Errors: the sink's; NO_MEMORY.
 */
struct err landed_new(enum landed_form form, const struct landed_options *o, struct str name, const struct landed_sink *s, struct landed **ret);
/* landed_again(l, o): for other bytes of the same form, as after landed_new(); what was told of devices before is not told again. Not for tables. */
void landed_again(struct landed *l, const struct landed_options *o);
struct err landed_feed(struct landed *l, struct phi bytes);
struct err landed_end(struct landed *l);
void landed_free(struct landed *l); /* NULL is legal */

/* ---- small tables that others look into ---- */

enum landed_side { LANDED_NO_SIDE, LANDED_CONCEPTS, LANDED_LOCATIONS, LANDED_CONTACTS, LANDED_SIDES };
/* landed_side_of(name): which of them a file of that name is. */
enum landed_side landed_side_of(struct str name);
bool landed_is_person(struct str name);
/* landed_side_new(side, into, &l): a stream that gives no rows but fills ${into}; a row that cannot be read is left out. */
struct err landed_side_new(enum landed_side side, struct side *into, struct landed **ret);

#endif
