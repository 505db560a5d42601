/*
 * map_private: what the files of map share. One struct mapper lives for one message.
 *
 * Reading goes through map_field(): it remembers the place for notes, and that the field was used, so that what nobody read is noted
 * at the end. Resources are written one after another; a resource that another refers to (a practitioner, a place) is queued by
 * map_ref_*() and written after it, once a message.
 */
#ifndef CLOISTER_CLINIC_MAP_PRIVATE_H
#define CLOISTER_CLINIC_MAP_PRIVATE_H

#include "clinic/fhir.h"
#include "clinic/map.h"
#include "clinic/map_codes.h"

#define V2 "http://terminology.hl7.org/CodeSystem/v2-"
#define V3 "http://terminology.hl7.org/CodeSystem/v3-"
#define NONE SIZE_MAX /* no such segment */

/* A resource's logical id, 128 bits, written as a UUID of version 8 (RFC 9562). */
struct map_id {
	uint8_t b[16];
};
#define MAP_ID_CHARS 36

enum map_kind { MAP_PRACTITIONER, MAP_ROLE, MAP_ORGANIZATION_XON, MAP_ORGANIZATION_HD, MAP_ORGANIZATION_CWE, MAP_LOCATION, MAP_DEVICE };

struct map_pending {
	enum map_kind kind;
	unsigned level;     /* of a location */
	struct str value, more, third; /* repetition; for a role: organization, address */
	struct map_id id;
	struct hl7_place place;
};

struct map_seen { /* open addressing on the id; count 0: empty */
	struct map_id id;
	uint32_t count;
};

struct map_known { /* a key whose id has been made; n 0: none */
	size_t n;
	char key[104];
	struct map_id id;
};

struct mapper {
	struct map_known known[32];
	const struct hl7_message *m;
	const struct map_options *o;
	struct map_result *r;
	struct fhir_writer w;
	struct buf key;  /* of an id being made */
	struct buf text; /* decoded, for a moment */
	struct hl7_place at;
	size_t at_segment;
	uint64_t *used; /* a bit a field, a word a segment; bit 0: the segment */
	struct map_pending *pending;
	size_t pending_count, pending_cap;
	struct map_seen *seen;
	size_t seen_cap, seen_count;
	struct map_id *results; /* observations of the order being mapped */
	size_t results_count, results_cap;
	const char *target_types[8]; /* of Provenance */
	struct map_id target_ids[8];
	size_t target_count;
	struct str deleted[16]; /* names of elements to delete in the entry being written; of ours */
	size_t deleted_count;
	struct str zone;
	bool zone_noted, no_memory, has_patient, has_encounter;
	struct map_id patient, encounter;
	struct str event; /* MSH-9.2 */
};

/* ---- reading ---- */
struct str map_field(struct mapper *m, size_t segment, unsigned n); /* all repetitions */
struct str map_first(struct mapper *m, size_t segment, unsigned n); /* the first; empty for "" */
void map_use(struct mapper *m, size_t segment);                      /* the segment itself is mapped */
void map_use_field(struct mapper *m, size_t segment, unsigned n);    /* a field without meaning for FHIR, such as a set id */
struct str map_comp(struct mapper *m, struct str rep, unsigned n);   /* empty for "" */
struct str map_sub(struct mapper *m, struct str comp, unsigned n);
/* map_null(m, segment, n, element): notes and remembers that "" deletes ${element}; true if so. */
bool map_null(struct mapper *m, size_t segment, unsigned n, const char *element);
void map_note(struct mapper *m, enum map_reason r, unsigned component);
size_t map_find(struct mapper *m, const char *name, size_t from, size_t end); /* NONE */

/* ---- ids ---- */
void map_key_begin(struct mapper *m, const char *type);
void map_key_add(struct mapper *m, struct str part);
void map_key_id(struct mapper *m, const struct map_id *id);
struct map_id map_key_end(struct mapper *m);
/* map_key_unique(m): the same, but the second, third … such id of a message is another one. */
struct map_id map_key_unique(struct mapper *m);
/* map_seen(m, id): how often before in this message; counts. */
uint32_t map_seen(struct mapper *m, const struct map_id *id);
void map_put_id(struct buf *b, const struct map_id *id);

/* ---- resources ---- */
void map_resource(struct mapper *m, const char *type, const struct map_id *id); /* entry and resource; resourceType and id written */
void map_resource_end(struct mapper *m, const char *type, const struct map_id *id);
void map_reference(struct mapper *m, const char *key, const char *type, const struct map_id *id); /* {"reference":…} */
void map_subject(struct mapper *m, const char *key); /* the patient, if there is one */
void map_visit(struct mapper *m, const char *key);   /* the encounter, if there is one */
void map_target(struct mapper *m, const char *type, const struct map_id *id);
bool map_flush(struct mapper *m); /* queued resources; false without memory */
/* each writes {"reference":…} under ${key} and queues what it leads to; nothing if ${rep} says nothing */
void map_ref_practitioner(struct mapper *m, const char *key, struct str xcn);
void map_ref_role(struct mapper *m, const char *key, struct str xcn, struct str xon, struct str xad);
void map_ref_organization(struct mapper *m, const char *key, enum map_kind kind, struct str rep);
void map_ref_location(struct mapper *m, const char *key, struct str pl);
void map_ref_device(struct mapper *m, const char *key, struct str ei);
void map_queue(struct mapper *m, const struct map_pending *p);
void map_write_practitioner(struct mapper *m, const struct map_pending *p);
void map_write_role(struct mapper *m, const struct map_pending *p);
void map_write_organization(struct mapper *m, const struct map_pending *p);
void map_write_location(struct mapper *m, const struct map_pending *p);
void map_write_device(struct mapper *m, const struct map_pending *p);

/* ---- data types (map_types.c, map_time.c); ${key} NULL inside an array ---- */
void map_text(struct mapper *m, const char *key, struct str s); /* ST, TX, FT: escapes decoded */
void map_cwe(struct mapper *m, const char *key, struct str rep);
void map_cwe_list(struct mapper *m, const char *key, struct str field); /* an array, a repetition each */
void map_coding(struct mapper *m, const char *key, struct str rep);
void map_system(struct mapper *m, const char *key, struct str table);
void map_cx(struct mapper *m, const char *key, struct str rep, const char *type_code);
void map_ei(struct mapper *m, const char *key, struct str rep, const char *type_code);
void map_xpn(struct mapper *m, const char *key, struct str rep);
void map_xad(struct mapper *m, const char *key, struct str rep);
void map_xtn(struct mapper *m, const char *key, struct str rep, const char *use);
void map_hd_system(struct mapper *m, struct str hd); /* "system" and "assigner" of an identifier */
/* map_code(m, key, table, rep): the mapped code; a note, and false, if ${table} has none. */
bool map_code(struct mapper *m, const char *key, const struct map_codes *table, struct str rep);
/* map_cwe_mapped(m, key, table, rep): the mapped coding first, then what came; what came if ${table} has none. */
void map_cwe_mapped(struct mapper *m, const char *key, const struct map_codes *table, struct str rep);
void map_fixed(struct mapper *m, const char *key, const char *system, const char *code, const char *display);
void map_concept(struct mapper *m, const char *key, const char *system, const char *code, const char *text);
void map_quantity(struct mapper *m, const char *key, struct str value, struct str comparator, struct str unit);
bool map_datetime(struct mapper *m, const char *key, struct str ts); /* precision kept */
bool map_date(struct mapper *m, const char *key, struct str ts);
bool map_instant(struct mapper *m, const char *key, struct str ts);
bool map_time(struct mapper *m, const char *key, struct str tm);
void map_period(struct mapper *m, const char *key, struct str start, struct str end);

/* ---- segments ---- */
bool map_patient(struct mapper *m, size_t pid, size_t end);
void map_merge(struct mapper *m, size_t mrg);
void map_encounter(struct mapper *m, size_t pv1, size_t end);
void map_encounter_id(struct mapper *m, size_t pv1);
struct map_id map_condition_id(struct mapper *m, size_t dg1);
void map_related_person(struct mapper *m, size_t nk1);
void map_allergy(struct mapper *m, size_t al1);
void map_condition(struct mapper *m, size_t dg1);
void map_procedure(struct mapper *m, size_t pr1);
void map_coverage(struct mapper *m, size_t in1);
void map_order(struct mapper *m, size_t from, size_t end, bool results); /* ORC, OBR and what belongs to it */
struct map_id map_observation(struct mapper *m, size_t obx, size_t obr, size_t orc, size_t end);
void map_notes(struct mapper *m, size_t from, size_t end);               /* "note" from NTE segments */
void map_value(struct mapper *m, size_t obx, struct map_id *ret_document, bool *ret_has_document);
void map_attachment(struct mapper *m, const char *key, size_t obx);
bool map_document(struct mapper *m, size_t txa, size_t end);
void map_immunization(struct mapper *m, size_t orc, size_t rxa, size_t end);
void map_appointment(struct mapper *m, size_t sch, size_t end);
void map_header(struct mapper *m);     /* MessageHeader */
void map_provenance(struct mapper *m); /* last */

#endif
