/*
 * hl7_mllp: the frames of MLLP (HL7 Transport Specification: MLLP, release 1 and 2): 0x0B payload 0x1C 0x0D.
 *
 * There is no length and no checksum. The reader takes bytes as they come off a socket, any number at once, and hands out whole
 * payloads. Tolerated and counted, never silent: bytes between frames; a frame whose 0x1C is not followed by 0x0D; a new 0x0B inside
 * a frame, which means that the one before it was cut off (its bytes are handed out as a broken frame, so that they can be
 * kept). A 0x1C inside the payload that 0x0D does not follow belongs to the payload.
 * Memory is wiped. One reader a connection.
 */
#ifndef CLOISTER_CLINIC_HL7_MLLP_H
#define CLOISTER_CLINIC_HL7_MLLP_H

#include "clinic/hl7.h"

enum mllp_kind {
	MLLP_NOTHING, /* all bytes are used: read more */
	MLLP_FRAME,   /* a whole payload */
	MLLP_BROKEN,  /* a payload without an end, followed by the next frame's begin */
	MLLP_TOO_LARGE, /* a payload beyond the limit: the connection cannot be used any more */
};

struct mllp_reader {
	struct buf frame;
	bool inside, closing; /* after 0x0B; after 0x1C */
	bool handed;          /* the caller has had the payload */
	bool reopen;          /* a broken frame was handed out: the next one has begun */
	bool dead;
	size_t max;
	uint64_t frames, broken, junk_bytes;
};

void mllp_init(struct mllp_reader *r, size_t max_bytes); /* at most HL7_LIMIT_BYTES */
void mllp_release(struct mllp_reader *r);
/*
 * mllp_next(r, &in, &payload): uses bytes from the begin of ${in} and shortens it, until a payload is whole or ${in} is empty.
 * ${payload} is borrowed until the next call. Call it until it says MLLP_NOTHING.
 */
enum mllp_kind mllp_next(struct mllp_reader *r, struct phi *in, struct phi *ret_payload);
/* mllp_pending(r): bytes of a frame that is not whole; at the end of a connection they are a cut-off message. */
size_t mllp_pending(const struct mllp_reader *r);
struct phi mllp_partial(const struct mllp_reader *r); /* those bytes, borrowed */

/* mllp_frame(payload, out): appends the frame. INVALID if ${payload} holds a begin byte or an end sequence. */
struct err mllp_frame(struct str payload, struct buf *out);

#endif
