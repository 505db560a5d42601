/*
 * entry: a record as it lies in the log, read back.
 *
 * entry_parse accepts exactly what record_json writes: canonical JSON, known names in order, each value of its type.
 * Anything else is CORRUPT, so an entry that parses is byte for byte what the ledger could have written.
 */
#ifndef CLOISTER_LEDGER_ENTRY_H
#define CLOISTER_LEDGER_ENTRY_H

#include "base/clock.h"
#include "ledger/record.h"

/* numbers in canonical JSON are exact up to here (RFC 8785 3.2.2.3, IEEE 754 double) */
#define RECORD_NUMBER_MAX ((UINT64_C(1) << 53) - 1)

enum record_type { TYPE_WORD, TYPE_TOKEN, TYPE_ADDRESS, TYPE_ID, TYPE_HEX, TYPE_NUMBER };

struct entry {
	uint64_t n;
	struct str time;                      /* CLOCK_RFC3339_LEN bytes; sorts by time */
	struct str value[RECORD_FIELD_COUNT]; /* as written, without quotes; n == 0: absent; all borrowed */
};

struct err entry_parse(struct str json, struct entry *ret); /* CORRUPT */
/* record_fits(type, s): ${s}, as it would be written, is a value of ${type}. */
bool record_fits(enum record_type type, struct str s);
enum record_type record_field_type(enum record_field f);
struct str record_field_name(enum record_field f);
/* record_check(r): INVALID if record_json would refuse it. */
struct err record_check(const struct record *r);

#endif
