/* Any bytes as a landing segment: what can be read is written again to the same bytes. And any bytes as an object's beginning. */
#include "landing/landing.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str s = str_of(data, size);
	AUTO_BUF again = BUF(LIMIT_LANDING_SEGMENT);
	struct landing_entry e;
	struct cur c;
	bool more = true;

	(void)landing_form_word(landing_sniff(str_sub(s, 0, 16), phi_of(data, size)));
	if (err_is(landing_open(s, &c)))
		return 0;
	landing_begin(&again);
	for (;;) {
		size_t before = again.n;

		if (err_is(landing_next(&c, &e, &more))) {
			INVARIANT(err_is(landing_next(&c, &e, &more))); /* and stays so */
			return 0;
		}
		if (!more)
			break;
		landing_add(&again, &e);
		INVARIANT(again.n - before == landing_entry_bytes(&e));
	}
	INVARIANT(str_eq(buf_str(&again), s));
	return 0;
}
