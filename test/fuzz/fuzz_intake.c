/* Any bytes as one message: there is an answer, whatever they are, which is whole frames of HL7 that say the same id or none. */
#include "base/clock.h"
#include "clinic/hl7_mllp.h"
#include "intake/answer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t
check(struct str answer)
{
	struct phi in = phi_of(answer.p, answer.n), payload;
	struct hl7_place where;
	struct mllp_reader r;
	size_t n = 0;

	mllp_init(&r, 64 * KiB);
	while (mllp_next(&r, &in, &payload) == MLLP_FRAME) {
		struct hl7_message m;
		enum hl7_reason why = hl7_parse(payload, &m, &where);

		INVARIANT(why == HL7_OK && m.count >= 2 && memcmp(m.segments[1].name, "MSA", 3) == 0);
		hl7_release(&m);
		n++;
	}
	INVARIANT(mllp_pending(&r) == 0 && r.junk_bytes == 0 && r.broken == 0);
	mllp_release(&r);
	return n;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const enum ack_fault faults[] = {ACK_NO_FAULT, ACK_NOT_STORED, ACK_SAME_ID, ACK_CUT_OFF};
	struct hl7_place where = {0};
	struct hl7_message m;
	enum hl7_reason parse = hl7_parse(phi_of(data, size), &m, &where);
	bool enhanced = m.count > 0 && hl7_ack_enhanced(&m);

	for (size_t i = 0; i < ARRAY_LEN(faults); i++) {
		AUTO_BUF out = BUF_WIPED(MiB);
		struct hl7_ack a = {.parse = parse, .fault = faults[i], .where = where, .map = parse == HL7_OK ? map_knows(&m) : MAP_OK};

		answer_write(&m, &a, 0x1234, 1700000000000000, &out);
		INVARIANT(!err_is(buf_check(&out)));
		INVARIANT(check(buf_str(&out)) >= (enhanced ? 0u : 1u));
	}
	hl7_release(&m);
	return 0;
}
