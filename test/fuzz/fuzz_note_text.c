/* Any bytes as a document of each form: what comes out is UTF-8 without control characters, and not much longer than what went in. */
#include "base/num.h"
#include "pool/note_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(struct str in, const struct buf *out)
{
	INVARIANT(!err_is(buf_check(out)));
	INVARIANT(str_is_utf8(buf_str(out)));
	INVARIANT(out->n <= in.n * 4 + 8);
	for (size_t i = 0; i < out->n; i++)
		INVARIANT((uint8_t)out->p[i] >= 0x20 || out->p[i] == '\n' || out->p[i] == '\t');
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const types[] = {"text/plain", "text/plain; charset=utf-8", "text/html", "text/rtf", "", "application/pdf"};
	struct str in = str_of(data, size);
	AUTO_BUF b64 = BUF(1 * MiB);

	if (size > 1u << 16)
		return 0;
	buf_put_base64(&b64, data, size);
	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		AUTO_BUF out = BUF(1 * MiB);
		AUTO_BUF raw = BUF(1 * MiB);

		if (note_text(phi_of(types[i], strlen(types[i])), phi_of(b64.p, b64.n), &out))
			check(in, &out);
		(void)note_text(phi_of(types[i], strlen(types[i])), phi_of(data, size), &raw); /* not base64 at all */
	}
	return 0;
}
