/*
 * cli_out: what people read. Text from outside is printed without control characters, so that a name cannot move the cursor
 * of the terminal it is shown on. Colours and progress only where there is a terminal.
 */
#ifndef CLOISTER_BIN_CLI_OUT_H
#define CLOISTER_BIN_CLI_OUT_H

#include <jansson.h>

#include "base/buf.h"

static inline void
out_json_cleanup(json_t **j)
{
	json_decref(*j);
	*j = NULL;
}
#define AUTO_JSON __attribute__((cleanup(out_json_cleanup))) json_t

enum out_colour { OUT_PLAIN, OUT_GREEN, OUT_RED, OUT_YELLOW, OUT_BOLD, OUT_DIM };
const char *out_begin(enum out_colour c); /* "" where there are no colours */
const char *out_end(void);

void out_text(struct str s);
void out_json(const json_t *j);

/* How a member of an object is shown. */
enum out_kind { OUT_TEXT, OUT_TIME, OUT_BYTES, OUT_LIST };
struct out_column {
	const char *title;
	const char *member;
	enum out_kind kind;
};
/* out_table(list, columns): one line an object; title NULL ends the columns. A column that is empty everywhere is left out. */
void out_table(const json_t *list, const struct out_column *columns);
/* out_fields(object, columns): one line a member that is there. */
void out_fields(const json_t *object, const struct out_column *columns);

void out_bytes(uint64_t n, char ret[32]); /* "1.5 GiB" */
/* out_progress(ctx, done, total): a bar on standard error; ${ctx} is its label, a char *. out_progress_end() removes it. */
void out_progress(void *ctx, uint64_t done, uint64_t total);
void out_progress_end(void);

/* members, for commands that look at one */
const char *out_member(const json_t *object, const char *name); /* "" if it is no string */

#endif
