/* A record on the wire and an entry of a log: what decodes and is accepted is written and read back the same. */
#include <stdint.h>

#include "crypto/crypto.h"
#include "base/limits.h"
#include "ledger/entry.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
as_entry(struct str s)
{
	struct entry e;

	if (err_is(entry_parse(s, &e)))
		return;
	INVARIANT(e.time.n == CLOCK_RFC3339_LEN && e.value[RECORD_ACT].n > 0);
	for (enum record_field f = 0; f < RECORD_FIELD_COUNT; f++)
		INVARIANT(e.value[f].n == 0 || record_fits(record_field_type(f), e.value[f]));
	for (size_t i = 0; i < s.n; i++)
		INVARIANT(s.p[i] > ' ' && s.p[i] != '\\');
}

static void
as_wire(struct str s)
{
	AUTO_BUF json = BUF(LIMIT_RECORD_BYTES), wire = BUF(64 * KiB);
	struct cur c = cur_of(s);
	struct record r;
	struct entry e;

	if (err_is(record_decode(&c, &r)))
		return;
	record_encode(&r, &wire);
	INVARIANT(wire.failed || str_eq(buf_str(&wire), str_sub(s, 0, wire.n)));
	if (err_is(record_check(&r))) {
		INVARIANT(err_is(record_json(&r, 1, 1, STR("fuzz"), &json)));
		return;
	}
	INVARIANT(!err_is(record_json(&r, 1, 1, STR("fuzz"), &json)));
	INVARIANT(!err_is(entry_parse(buf_str(&json), &e)) && e.n == 1);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	as_entry(str_of(data, size));
	as_wire(str_of(data, size));
	return 0;
}
