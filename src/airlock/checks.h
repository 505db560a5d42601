/*
 * checks: what a program can see in a file that wants to leave a cell, or to come in, before two people look at it.
 *
 * A file is judged by what it is, never by its name: text that a person can read and images are let through to the reviewers, all else is
 * blocked. Then: identifiers of the cohort, pseudonyms of the release, small counts, rows that look like records, what an image or a
 * notebook hides. A finding tells the check, how grave it is, where (line, column, chunk: numbers, never data) and how often.
 *
 * The bytes are hostile. Memory: a few megabytes beside the file; JSON at most CHECKS_JSON_BYTES, for its tree is ten times as big.
 * Nothing here proves that a file is harmless: doc/airlock-checks.md says what is not seen. Process: scrub.
 */
#ifndef CLOISTER_AIRLOCK_CHECKS_H
#define CLOISTER_AIRLOCK_CHECKS_H

#include "base/num.h"
#include "deid/identifiers.h"

#define CHECKS_FILE_BYTES (256 * MiB)
#define CHECKS_JSON_BYTES (32 * MiB)
#define CHECKS_FINDINGS_MAX 64
#define CHECKS_PLACE_BYTES 40
#define CHECKS_PSEUDONYM_PART 12 /* digits: 48 bits, so that a shortened one is known again */

enum file_type { FILE_CSV, FILE_TSV, FILE_JSON, FILE_TEXT, FILE_PNG, FILE_SVG, FILE_PDF, FILE_NOTEBOOK, FILE_OTHER, FILE_TYPES };
const char *file_type_word(enum file_type t); /* "csv"; "other" is blocked */

enum check_severity { CHECK_NOTE, CHECK_WARN, CHECK_BLOCK };
const char *check_severity_word(enum check_severity s);

struct finding {
	const char *check; /* a word of ours: "small-cell" */
	enum check_severity severity;
	char place[CHECKS_PLACE_BYTES]; /* of the first: "line 12 column 3" */
	uint64_t count;
};
struct checks {
	enum file_type type;
	struct finding findings[CHECKS_FINDINGS_MAX];
	size_t n;
};

struct checks_with {
	const struct known *cohort;        /* NULL: none */
	const struct hashed *pseudonyms;   /* NULL: none; see checks_pseudonym() */
	bool inward;                       /* comes into a cell: counts and rows are nobody's secret there */
};
/* checks_pseudonym(set, hex): adds one of the release's, 32 hex digits. INVALID, NO_MEMORY */
struct err checks_pseudonym(struct hashed *set, struct str hex);

/* checks_run(name, bytes, with, &c): NO_MEMORY is the only failure; what cannot be understood is a finding. */
struct err checks_run(struct str name, struct phi bytes, const struct checks_with *with, struct checks *ret);
bool checks_blocked(const struct checks *c);

#endif
