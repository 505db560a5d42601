/* Any bytes as a stream, cut at any place: the frames do not depend on where it is cut, and each can be framed again. */
#include "clinic/hl7_mllp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
run(const uint8_t *data, size_t size, size_t step, struct buf *all, struct mllp_reader *r)
{
	mllp_init(r, 4096);
	for (size_t i = 0; i < size; i += step) {
		struct phi in = phi_of(data + i, size - i < step ? size - i : step), payload;
		enum mllp_kind kind;

		while ((kind = mllp_next(r, &in, &payload)) == MLLP_FRAME || kind == MLLP_BROKEN) {
			buf_put_u8(all, (uint8_t)kind);
			buf_put_lstr(all, phi_borrow(payload));
		}
		if (kind == MLLP_TOO_LARGE)
			return;
		INVARIANT(phi_size(in) == 0);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO_BUF one = BUF(64 * MiB);
	AUTO_BUF two = BUF(64 * MiB);
	AUTO_BUF frame = BUF(64 * MiB);
	struct mllp_reader a, b;

	run(data, size, size ? size : 1, &one, &a);
	run(data, size, 3, &two, &b);
	INVARIANT(str_eq(buf_str(&one), buf_str(&two)) && a.frames == b.frames && a.broken == b.broken && a.junk_bytes == b.junk_bytes);
	mllp_release(&a);
	mllp_release(&b);
	if (!err_is(mllp_frame(str_of(data, size), &frame)) && size <= 4096) {
		struct phi in = phi_of(frame.p, frame.n), payload;

		mllp_init(&a, 4096);
		INVARIANT(mllp_next(&a, &in, &payload) == MLLP_FRAME && str_eq(phi_borrow(payload), str_of(data, size)));
		INVARIANT(mllp_next(&a, &in, &payload) == MLLP_NOTHING && a.junk_bytes == 0);
		mllp_release(&a);
	}
	return 0;
}
