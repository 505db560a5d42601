/*
 * columns: the allow-list of a release. What stands here, and nothing else, is ever selected from the pool's views; each column has a
 * rule for each profile. A view's column that nobody listed does not exist for a release. doc/release.md tells the tables to people.
 *
 * Tables and columns have the names of OMOP CDM 5.4 where that has them. Ids are pseudonyms, so they are text where OMOP has numbers.
 */
#ifndef CLOISTER_STUDY_COLUMNS_H
#define CLOISTER_STUDY_COLUMNS_H

#include "deid/fields.h"
#include "pool/pool.h"

#define COLUMNS_MAX 24 /* of one table */
#define RELEASE_SCHEMA 1 /* grows when the list or a rule changes what is told */

enum release_profile { PROFILE_SAFE_HARBOR, PROFILE_LIMITED, PROFILE_COUNT };
const char *release_profile_word(enum release_profile p);                      /* "safe-harbor" */
struct err release_profile_parse(struct str word, enum release_profile *ret); /* UNSUPPORTED */

/* what pseudonym: ids of the same kind and value are the same in all tables of a study */
enum release_id { ID_PERSON, ID_VISIT, ID_CONDITION, ID_DRUG, ID_MEASUREMENT, ID_PROCEDURE, ID_NOTE, ID_DEVICE, RELEASE_IDS };
const char *release_id_word(enum release_id i); /* "person" */

struct column {
	enum pool_view view;
	const char *name;
	const char *from; /* over the view, as v */
	enum release_id id; /* of a pseudonym */
	enum field_rule rule[PROFILE_COUNT];
	const char *meaning;
};

const char *release_table_name(enum pool_view v); /* "visit_occurrence" */
/* columns_of(v, p, out): those of a table that profile ${p} shows, in order; the first is the row's id. Returns how many. */
size_t columns_of(enum pool_view v, enum release_profile p, const struct column *ret[COLUMNS_MAX]);
const char *column_type(const struct column *c, enum release_profile p); /* SQL: "VARCHAR", "BIGINT", "DOUBLE", "DATE" */
/* columns_vocabularies(): the code systems whose own texts may be shown, as SQL: "'http://loinc.org', …" */
const char *columns_vocabularies(void);
/* columns_profile(p, out): SHA-256 over the whole list as ${p} has it; changes when any rule does */
struct err columns_profile(enum release_profile p, uint8_t out[32]);
/* columns_dictionary(tables, p, out): dictionary.csv of those tables (bits 1 << view) */
void columns_dictionary(uint32_t tables, enum release_profile p, struct buf *out);

#endif
