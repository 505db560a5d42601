#include "intake/answer.h"

#include <stdio.h>

#include "clinic/hl7_mllp.h"

#define ACK_MAX (32 * KiB) /* header fields of the sender's come back in it */

static void
put_frame(const struct hl7_message *m, const struct hl7_ack *a, struct buf *out)
{
	static const struct hl7_message unknown;
	AUTO_BUF text = BUF_WIPED(ACK_MAX);

	hl7_ack_write(m, a, &text);
	/* a header field may hold what no frame can carry: then the answer names nothing of the message */
	if (!err_is(buf_check(&text)) && !err_is(mllp_frame(buf_str(&text), out)))
		return;
	buf_clear(&text);
	hl7_ack_write(&unknown, a, &text);
	err_ignore(mllp_frame(buf_str(&text), out)); /* ours; ${out} tells of its own failure */
}

static enum ack_code
refusal(const struct hl7_ack *a, bool accept)
{
	bool reject;

	if (a->fault == ACK_NO_FAULT && a->parse != HL7_OK)
		return hl7_ack_refusal(accept, a->parse);
	reject = a->fault == ACK_NO_FAULT; /* a type or an event that is not supported */
	return accept ? reject ? ACK_CR : ACK_CE : reject ? ACK_AR : ACK_AE;
}

void
answer_write(const struct hl7_message *m, const struct hl7_ack *like, uint64_t number, int64_t now_us, struct buf *out)
{
	bool good = like->fault == ACK_NO_FAULT && like->parse == HL7_OK && like->map == MAP_OK;
	bool enhanced = m->count > 0 && hl7_ack_enhanced(m);
	struct hl7_ack a = *like;
	char id[20];

	snprintf(id, sizeof(id), "%016llx", (unsigned long long)number);
	a.control_id = str_c(id);
	a.now_us = now_us;
	if (enhanced) {
		a.code = good ? ACK_CA : refusal(like, true);
		if (hl7_ack_wanted(m, a.code)) {
			put_frame(m, &a, out);
			if (!good)
				return; /* an accept-level refusal is the last word */
		}
	}
	a.code = good ? ACK_AA : refusal(like, false);
	if (!enhanced || hl7_ack_wanted(m, a.code))
		put_frame(m, &a, out);
}
