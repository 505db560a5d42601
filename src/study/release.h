/*
 * release: the data set of one study: the rows of its cohort, by the rules of its profile, as files in memory.
 *
 * Nothing is selected that study/columns.c does not list. Each value passes deid/fields.h or deid/text.h and becomes a struct deid_cell;
 * tables are filled from cells only; files are written from those tables only. Then every value of every file, read back, and the bytes of
 * every file are looked through for identifiers of the whole cohort (deid/rescan.h): one hit refuses the release.
 *
 * Rows are in the order of their pseudonyms, so that the order of two studies' files tells nothing. Pure: no process, no objects; the
 * job that puts it into the study's bucket is scrub's. doc/release.md.
 */
#ifndef CLOISTER_STUDY_RELEASE_H
#define CLOISTER_STUDY_RELEASE_H

#include "base/id.h"
#include "deid/text.h"
#include "study/columns.h"

#define RELEASE_FILES_MAX (2 * POOL_VIEW_COUNT + 3)
#define RELEASE_NAME_MAX 64
#define RELEASE_PLACE_MAX 96

struct release_ask { /* all borrowed */
	struct id study, release, basis;
	struct str protocol, software;
	enum release_profile profile;
	uint32_t tables; /* bits 1 << enum pool_view: minimum necessary */
	uint32_t version, generation;
	int64_t made_us;
	const struct mac_key *study_key;
	const struct wordlists *lists;
	struct err (*progress)(void *ctx, uint64_t rows); /* NULL, or called every few thousand rows; an error ends the making */
	void *ctx;
};

struct release_previous { /* the newest ready release of the study; all zero: there is none */
	uint32_t version;
	struct memfile parquet[POOL_VIEW_COUNT]; /* name empty: it had no such table */
};
void release_previous_release(struct release_previous *p);

struct release_file {
	char name[RELEASE_NAME_MAX]; /* "parquet/person.parquet" */
	struct memfile file;
	uint64_t size;
	uint8_t sha256[32];
};
struct release_change { uint64_t added, removed, changed; };

struct release {
	struct release_file files[RELEASE_FILES_MAX]; /* manifest.json is the last one */
	size_t n;
	uint64_t patients, rows[POOL_VIEW_COUNT];
	uint64_t lost[LOST_COUNT];           /* values that a rule took, by why */
	uint64_t found[DEID_CATEGORY_COUNT]; /* spans of notes that were replaced */
	uint64_t unusable;                   /* identifiers of the pool that are too long to be looked for */
	uint32_t since;                      /* version that it is compared with; 0: none */
	struct release_change change[POOL_VIEW_COUNT], patients_change;
	char refused[RELEASE_PLACE_MAX]; /* "measurement.unit_source_value": an identifier stands there; empty: none does */
};

/* release_tables(words, n, &bits): names of views as a study asks for them; ${n} 0: all. INVALID */
struct err release_tables(const struct str *words, size_t n, uint32_t *ret);

/*
 * release_make(p, ask, previous, &r): of POOL_COHORT_TABLE, which pool_cohort() made. If ${ret}->refused is not empty there are no files.
 * Release ${ret} with release_release(). CORRUPT: a file of ${previous} is none. LIMIT, NO_MEMORY, TIMEOUT.
 */
struct err release_make(struct pool_data *p, const struct release_ask *ask, struct release_previous *previous, struct release **ret);
void release_release(struct release *r); /* NULL is legal */

/*
 * release_subjects(p, key, each, ctx): the token of each patient of the cohort, 32 hex digits, once: what the ledger knows him by, for "who
 * saw this patient's data?"
 */
struct err release_subjects(struct pool_data *p, const struct mac_key *subject_key, struct err (*each)(void *ctx, struct str token), void *ctx);
/*
 * release_cohort(p, study_key, parquet, n, &patients): POOL_COHORT_TABLE becomes those patients of the pool who are in the ${n} Parquet files of a
 * release, found by their pseudonyms: whose identifiers must not be in what comes out of its cell.
 */
struct err release_cohort(struct pool_data *p, const struct mac_key *study_key, const struct memfile *parquet, size_t n, uint64_t *ret_patients);
/* release_known(p, &known): the identifiers of POOL_COHORT_TABLE that a rescan looks for, as for Safe Harbor */
struct err release_known(struct pool_data *p, struct known *ret);
/* release_pseudonyms(t, parquet, n, each, ctx): every pseudonym in the files, of people, visits and rows */
struct err release_pseudonyms(struct tables *t, const struct memfile *parquet, size_t n, struct err (*each)(void *ctx, struct str pseudonym),
    void *ctx);
void release_subject_token(const struct mac_key *subject_key, struct phi patient, char out[ID_HEX_LEN + 1]);

#endif
