/*
 * map: an HL7 v2 message as a FHIR R4 transaction bundle, by the official tables of the HL7 v2-to-FHIR project (doc/clinic-mapping.md
 * says field by field where it does otherwise, and why).
 *
 * Nothing is dropped in silence: each segment, field or value that has no place in the result is a note: a reason and a place,
 * without data. Ids are stable: a keyed hash (HMAC-SHA-256) of the feed and the identifiers that the message gives, so that the same
 * patient, visit, order or result from the same feed is the same resource each time, an update (OBX-11 P, F, C, D) is a new version
 * of it, and an id says nothing to who has not the key. Same bytes and options, same result.
 * No I/O, no recursion; time and memory linear in the message. Who calls it: scrub, intake's tests.
 */
#ifndef CLOISTER_CLINIC_MAP_H
#define CLOISTER_CLINIC_MAP_H

#include "clinic/hl7.h"
#include "crypto/secret.h"

#define MAP_LIMIT_BYTES (256 * MiB) /* of a bundle */
#define MAP_LIMIT_NOTES 1000u       /* kept; more are only counted */

enum map_reason {
	MAP_OK = 0,
	/* of a message: there is no bundle */
	MAP_UNSUPPORTED_TYPE,  /* MSH-9.1 */
	MAP_UNSUPPORTED_EVENT, /* MSH-9.2 */
	MAP_NO_PATIENT,        /* no PID segment */
	MAP_NO_MERGE,          /* a merge without MRG-1 */
	MAP_NO_SCHEDULE,       /* SIU without SCH, MDM without TXA, VXU without RXA */
	MAP_LIMIT,             /* the bundle would exceed MAP_LIMIT_BYTES, or no memory */
	/* of a place: the rest is there */
	MAP_UNMAPPED_SEGMENT,  /* no table maps it, or not in this message */
	MAP_Z_SEGMENT,
	MAP_UNMAPPED_FIELD,
	MAP_BAD_DATE,
	MAP_BAD_NUMBER,
	MAP_BAD_ENCAPSULATION, /* OBX-5 of type ED: not in the encoding that it states */
	MAP_UNKNOWN_CODE,      /* not in the table that maps it; kept as text or as the original coding where FHIR allows that */
	MAP_UNKNOWN_TYPE,      /* OBX-2: kept as a string */
	MAP_MISSING,           /* FHIR needs it, the message has none */
	MAP_UNSTABLE_ID,       /* no identifier: the resource's id holds for this message only */
	MAP_ZONE_ASSUMED,      /* times without a zone; once a message */
	MAP_DELETED,           /* "": the element is to be deleted (see extension in the bundle's entry) */
	MAP_REASON_COUNT
};
const char *map_reason_name(enum map_reason r); /* "unmapped-field" */

struct map_note {
	enum map_reason reason;
	struct hl7_place place;
};

struct map_options {
	const struct mac_key *key; /* makes ids */
	struct str feed;           /* whose identifiers these are: part of every id. Empty: MSH-4 */
	struct str zone;           /* of times without one, if MSH-7 has none: "+01:00"; empty: "Z" */
	/*
	 * ${feed} names the authority that assigned the record and visit numbers, for whoever sends them: what PID-3.4 and PV1-19.4 call it makes no
	 * other patient and no other visit
	 */
	bool one_authority;
	struct str source;         /* names the bytes that landed, for Provenance; may be empty; no PHI */
};

struct map_result {
	struct map_note *notes;
	size_t count;
	uint64_t not_kept; /* notes beyond MAP_LIMIT_NOTES */
	uint32_t resources;
	char event[8]; /* "ADT_A01", or empty */
};

/*
 * map_message(m, options, out, r): appends the bundle to ${out} (make it with BUF_WIPED). ${r} is overwritten; release it.
 * What is returned is MAP_OK or the reason why there is no bundle; ${out} is then as it was.
 */
enum map_reason map_message(const struct hl7_message *m, const struct map_options *o, struct buf *out, struct map_result *r);
/* map_knows(m): whether map_message() knows its type and event: MAP_OK, MAP_UNSUPPORTED_TYPE or MAP_UNSUPPORTED_EVENT. */
enum map_reason map_knows(const struct hl7_message *m);
void map_result_release(struct map_result *r);
void map_note_write(struct buf *b, const struct map_note *n); /* "unmapped-field PID-31 (segment 3)" */

#endif
