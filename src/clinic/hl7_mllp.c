#include "clinic/hl7_mllp.h"

#define MLLP_BEGIN '\x0b'
#define MLLP_END '\x1c'
#define MLLP_CR '\x0d'

void
mllp_init(struct mllp_reader *r, size_t max_bytes)
{
	size_t max = max_bytes < HL7_LIMIT_BYTES ? max_bytes : HL7_LIMIT_BYTES;

	*r = (struct mllp_reader){.frame = BUF_WIPED(max + 1), .max = max};
}

void
mllp_release(struct mllp_reader *r)
{
	buf_release(&r->frame);
}

/* What the caller has had goes; a frame that cut off a broken one is open already. */
static void
begin_again(struct mllp_reader *r)
{
	if (!r->handed)
		return;
	if (r->frame.n > 256 * KiB)
		buf_release(&r->frame); /* one large document does not keep its memory for the life of a connection */
	else
		buf_clear(&r->frame);
	r->handed = false;
	r->inside = r->reopen;
	r->reopen = r->closing = false;
}

/* outside(r, s): bytes used between frames, up to and with a begin byte. */
static size_t
outside(struct mllp_reader *r, struct str s)
{
	size_t at = str_chr(s, MLLP_BEGIN);

	if (at == SIZE_MAX) {
		r->junk_bytes += s.n;
		return s.n;
	}
	r->junk_bytes += at;
	r->inside = true;
	return at + 1;
}

/* payload_run(s): how many bytes of ${s} are neither begin nor end. */
static size_t
payload_run(struct str s)
{
	const char *end = memchr(s.p, MLLP_END, s.n);
	size_t n = end ? (size_t)(end - s.p) : s.n;
	const char *begin = n ? memchr(s.p, MLLP_BEGIN, n) : NULL;

	return begin ? (size_t)(begin - s.p) : n;
}

/* inside(r, s, &kind): the same within a frame. */
static size_t
inside(struct mllp_reader *r, struct str s, enum mllp_kind *ret)
{
	size_t n;

	if (r->closing && s.p[0] == MLLP_CR) {
		*ret = MLLP_FRAME;
		return 1;
	}
	if (r->closing) { /* it was a byte of the payload */
		buf_put_char(&r->frame, MLLP_END);
		r->closing = false;
	}
	if (s.p[0] == MLLP_BEGIN) {
		*ret = MLLP_BROKEN;
		return 1;
	}
	if (s.p[0] == MLLP_END) {
		r->closing = true;
		return 1;
	}
	n = payload_run(s);
	buf_put(&r->frame, s.p, n);
	return n;
}

enum mllp_kind
mllp_next(struct mllp_reader *r, struct phi *in, struct phi *ret_payload)
{
	begin_again(r);
	while (!r->dead && phi_size(*in)) {
		struct str s = phi_borrow(*in);
		enum mllp_kind kind = MLLP_NOTHING;
		size_t used = r->inside ? inside(r, s, &kind) : outside(r, s);

		*in = phi_sub(*in, used, SIZE_MAX);
		if (err_is(buf_check(&r->frame)) || r->frame.n > r->max) {
			r->dead = true;
			break;
		}
		if (kind == MLLP_NOTHING)
			continue;
		r->handed = true;
		r->reopen = kind == MLLP_BROKEN;
		r->frames += kind == MLLP_FRAME;
		r->broken += kind == MLLP_BROKEN;
		*ret_payload = phi_of(r->frame.p, r->frame.n);
		return kind;
	}
	return r->dead ? MLLP_TOO_LARGE : MLLP_NOTHING;
}

size_t
mllp_pending(const struct mllp_reader *r)
{
	return r->inside && !r->handed ? r->frame.n + r->closing : 0;
}

struct phi
mllp_partial(const struct mllp_reader *r)
{
	return r->inside && !r->handed ? phi_of(r->frame.p, r->frame.n) : phi_of(NULL, 0);
}

struct err
mllp_frame(struct str payload, struct buf *out)
{
	if (str_chr(payload, MLLP_BEGIN) != SIZE_MAX || str_find(payload, STR("\x1c\x0d")) != SIZE_MAX || str_ends(payload, STR("\x1c")))
		return ERR(ERR_INVALID);
	buf_put_char(out, MLLP_BEGIN);
	buf_put_str(out, payload);
	buf_put_char(out, MLLP_END);
	buf_put_char(out, MLLP_CR);
	return buf_check(out);
}
