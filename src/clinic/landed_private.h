/*
 * landed_private: what the files of landed share. A struct landed splits bytes into units and hands each to the function of its form, which makes
 * rows by landed_emit() and then says what became of the unit: landed_used() or landed_refused(), once.
 */
#ifndef CLOISTER_CLINIC_LANDED_PRIVATE_H
#define CLOISTER_CLINIC_LANDED_PRIVATE_H

#include "clinic/csv.h"
#include "clinic/fhir.h"
#include "clinic/landed.h"
#include "clinic/map_private.h"

enum landed_split { SPLIT_UNKNOWN, SPLIT_LINES, SPLIT_WHOLE, SPLIT_HL7, SPLIT_CSV };

struct table; /* clinic/table_private.h */

struct landed {
	enum landed_form form;
	struct landed_options o;
	struct str name;
	struct landed_sink sink;
	enum landed_split split;
	struct buf text;   /* of the unit that is being collected */
	bool skipping;     /* the unit is too large: to its end */
	size_t line_at;    /* HL7: where the present line begins in it */
	char head[4];      /* HL7, while skipping: of the present line */
	size_t head_n;
	uint32_t units;    /* so far */
	struct csv csv;
	struct table *table;
	struct buf key;    /* of an id being made */
	struct buf body, more; /* of a resource being made */
	uint64_t told[64]; /* device and bed pairs whose Device was told already: a cache, and only that */
};

/* ---- ids ---- */
struct map_id landed_key(struct landed *l, const char *type, struct str source);
/* landed_key_parts(l, type, parts, n): as map.h makes them of several identifiers. */
struct map_id landed_key_parts(struct landed *l, const char *type, const struct str *parts, size_t n);
void landed_id_text(const struct map_id *id, char out[LANDED_ID_CHARS]);

/* ---- what becomes of a unit ---- */
/* landed_emit(): ${patient} may be NULL. */
struct err landed_emit(struct landed *l, enum landed_op op, const char *type, const struct map_id *id, const struct map_id *patient, struct str body);
struct err landed_used(struct landed *l);
struct err landed_refused(struct landed *l, const char *reason, const char *place);
/* landed_place(out, z): ${z} as a word: [a-z0-9.-], cut. */
void landed_place(char out[LANDED_PLACE_BYTES], struct str s);
uint32_t landed_part(const struct landed *l);

/* ---- the forms: one unit each ---- */
struct err landed_hl7_unit(struct landed *l, struct str message);
struct err landed_fhir_unit(struct landed *l, struct str document);
struct err landed_device_unit(struct landed *l, struct str document);
struct err landed_table_new(struct landed *l);
void landed_table_free(struct landed *l);
struct err landed_table_end(struct landed *l);

#endif
