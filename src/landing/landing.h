/*
 * landing: the segment that intake writes: messages exactly as they came, each with where it came from. doc/landing.md.
 *
 *   "CLSTLND1"  then entries: u8 form, u8 status, u16 0, 16 feed id, i64 received (us since 1970),
 *   lstr16 address, lstr16 name, lstr16 topic, lstr bytes
 * Big-endian; lstr16 has a length of two bytes, lstr of four. What people and machines put into the landing bucket through gate (S3, FHIR) are
 * objects of their own and no segments.
 */
#ifndef CLOISTER_LANDING_LANDING_H
#define CLOISTER_LANDING_LANDING_H

#include "base/buf.h"
#include "base/id.h"
#include "base/num.h"
#include "phi/phi.h"

#define LANDING_BUCKET "landing"
#define LANDING_PREFIX "intake/" /* keys of segments */
#define LANDING_MAGIC "CLSTLND1"
#define LIMIT_LANDING_SEGMENT (96 * MiB)
#define LIMIT_LANDING_MESSAGE (64 * MiB)
#define LIMIT_LANDING_WORD 4096 /* an address, a name, a topic */

enum landing_form { LANDING_HL7V2 = 1, LANDING_FHIR, LANDING_TABLE, LANDING_DEVICE, LANDING_UNKNOWN, LANDING_FORM_COUNT };
const char *landing_form_word(enum landing_form f); /* "hl7v2" */
/* What intake answered. DUPLICATE: same sender, id and bytes as before (not stored again: never in a segment). CLASH: same id, other bytes. */
enum landing_status { LANDING_ACCEPTED, LANDING_REFUSED, LANDING_CLASH, LANDING_STATUS_COUNT };

struct landing_entry {
	enum landing_form form;
	enum landing_status status;
	struct id feed;
	int64_t received_us;
	struct str address; /* of the sender */
	struct str name;    /* of the feed, as in "user.list": [a-z0-9-] */
	struct phi topic;   /* MQTT: under which it was published; else empty */
	struct phi bytes;
};
/* ${segment}: BUF_WIPED(LIMIT_LANDING_SEGMENT); it fails, and buf_check() tells, if they do not fit. Beyond the limits below: a bug. */
void landing_begin(struct buf *segment);
void landing_add(struct buf *segment, const struct landing_entry *e);
size_t landing_entry_bytes(const struct landing_entry *e); /* that landing_add() will need */

/*
 * landing_next(c, &e, &more): walks a segment, after landing_open checked its magic; what ${e} holds is borrowed from the segment.
 * ${more} false: the end, and ${e} is as it was. CORRUPT.
 */
struct err landing_open(struct str segment, struct cur *ret);
struct err landing_next(struct cur *c, struct landing_entry *ret, bool *ret_more);
/*
 * landing_sniff(key, first bytes): the form of an object that is no segment, by its content, then by the ending of its key. The first
 * LANDING_SNIFF_BYTES are looked at.
 */
#define LANDING_SNIFF_BYTES 4096
enum landing_form landing_sniff(struct str key, struct phi head);

#endif
