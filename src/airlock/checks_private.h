/* checks_private: what the files of airlock/checks share. Not a face. */
#ifndef CLOISTER_AIRLOCK_CHECKS_PRIVATE_H
#define CLOISTER_AIRLOCK_CHECKS_PRIVATE_H

#include "airlock/checks.h"

struct looking {
	const struct checks_with *with;
	struct checks *out;
};

/* add(l, check, severity, n, place): ${n} more of it; the first one's place is kept. ${place}: a format with at most two numbers */
__attribute__((format(printf, 5, 6))) void finding_add(struct looking *l, const char *check, enum check_severity s, uint64_t n,
    const char *place, ...);

/* checks_identity.c: identifiers, pseudonyms and long encoded runs in a text; ${place}: a word before the line, or "" */
struct err look_identity(struct looking *l, struct str s, const char *place);

/* checks_table.c */
#define TABLE_COLUMNS_MAX 512
struct table; /* heap; cells come one by one */
struct table *table_new(struct looking *l);
void table_free(struct table *t);
void table_cell(struct table *t, struct str cell);
void table_row(struct table *t); /* the cells so far were a row */
void table_end(struct table *t); /* tells what was seen, and is empty again */
void look_separated(struct looking *l, struct table *t, struct str s, char separator);
void look_plain(struct looking *l, struct str s); /* tables of text, "n=5" */
bool is_count_name(struct str s);                  /* "n", "count", "n_patients": a column of counts */
bool is_small_count(struct str s);                 /* 1 to 10, as "7", "7.0", " 7 " */
bool is_day(struct str s);                         /* begins with a date to the day */

/* checks_image.c */
void look_png(struct looking *l, struct str s, const char *place);
void look_svg(struct looking *l, struct str s);
void look_pdf(struct looking *l, struct str s);
/* checks_json.c */
struct err look_json(struct looking *l, struct str s, enum file_type *ret_type);
/* checks_html.c: the tables of a notebook's output */
void look_html(struct looking *l, struct table *t, struct str s);

#endif
