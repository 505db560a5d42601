/* release_parts: what the files of study/release share. Not a face. */
#ifndef CLOISTER_STUDY_RELEASE_PARTS_H
#define CLOISTER_STUDY_RELEASE_PARTS_H

#include "study/release.h"

#define IDENTIFIERS_TABLE "release_identifiers" /* (patient, category BIGINT, value): of the cohort, in memory, while it is made */

struct making {
	struct pool_data *pool;
	struct tables *t;
	const struct release_ask *ask;
	struct release *r;
	int as_of_year;
	struct known cohort; /* what a rescan looks for */
	struct pseudonym_kind kinds[RELEASE_IDS];
};

/* release_known.c: fills IDENTIFIERS_TABLE and ${m}->cohort */
struct err making_identifiers(struct making *m);
/* the identifiers of one patient after another, in the order of patients */
struct known_reader {
	struct rows rows;
	bool row; /* ${rows} stands on one that is not read yet */
};
struct err known_reader_open(struct making *m, struct known_reader *ret);
void known_reader_close(struct known_reader *k);
/* known_reader_of(k, patient, &known): ${known} is empty before; all that is known of ${patient} after */
struct err known_reader_of(struct known_reader *k, struct phi patient, struct known *known);

/* release_rows.c: made_<table> out of the view, by the rules */
struct err making_table(struct making *m, enum pool_view v);
/* release_scan.c: every value of a file that was written; sets ${m}->r->refused */
struct err making_scan(struct making *m, enum pool_view v, const struct memfile *file, bool parquet);
struct err making_scan_bytes(struct making *m, const struct release_file *f);
/* release_difference.c */
struct err making_difference(struct making *m, struct release_previous *previous);
/* release_documents.c: dictionary.csv, difference.json, manifest.json */
void put_dictionary(const struct making *m, struct buf *out);
void put_difference(const struct making *m, struct buf *out);
void put_manifest(const struct making *m, struct buf *out);

#endif
