/*
 * csv: tables as text, record by record, from bytes cut anywhere (RFC 4180), in flat memory.
 *
 * Lines end with LF or CRLF; a byte order mark is skipped; a field in quotes may hold the delimiter, line ends and doubled quotes. Beyond the RFC: the
 * delimiter is a comma, a tab, a bar or a semicolon, whichever stands first after the first name of the header; with a tab quotes mean nothing (as
 * OHDSI's Athena writes vocabularies); a quote inside an unquoted field is text. Blank lines are skipped.
 * A record that cannot be read is told with its reason, and reading goes on at the next line. Fields are borrowed for the call.
 */
#ifndef CLOISTER_CLINIC_CSV_H
#define CLOISTER_CLINIC_CSV_H

#include "base/buf.h"
#include "base/num.h"
#include "phi/phi.h"

#define CSV_LIMIT_RECORD (16 * MiB)
#define CSV_LIMIT_FIELDS 512u

enum csv_reason {
	CSV_OK,
	CSV_BAD_QUOTE,    /* text after a closing quote */
	CSV_UNTERMINATED, /* the end of the bytes inside quotes */
	CSV_TOO_LARGE,    /* CSV_LIMIT_RECORD */
	CSV_TOO_MANY,     /* CSV_LIMIT_FIELDS */
	CSV_BAD_ENCODING, /* not UTF-8 */
	CSV_REASON_COUNT
};
const char *csv_reason_name(enum csv_reason r); /* "bad-quote" */

struct csv_record {
	enum csv_reason reason;
	uint64_t line; /* where it begins, from 1 */
	const struct str *fields; /* nothing if it cannot be read */
	size_t n;
};

struct csv {
	struct err (*each)(void *ctx, const struct csv_record *r);
	void *ctx;
	struct buf text;                  /* the record's fields, without their quotes */
	uint32_t ends[CSV_LIMIT_FIELDS];  /* of each in text */
	size_t fields;
	uint64_t line, at_line;           /* of the next byte; where the record begins */
	unsigned state, bom;
	char delimiter;                   /* 0: the header's first is still to come */
	bool began, quoted;               /* a byte of the record was seen; a field of it is in quotes */
	enum csv_reason reason;
};

void csv_init(struct csv *c, struct err (*each)(void *ctx, const struct csv_record *r), void *ctx);
void csv_release(struct csv *c);
struct err csv_feed(struct csv *c, struct phi bytes);
struct err csv_end(struct csv *c);

#endif
