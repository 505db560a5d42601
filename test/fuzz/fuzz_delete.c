/* The document of DeleteObjects, and continuation tokens. */
#include "crypto/crypto.h"
#include "gate/deletion_xml.h"
#include "gate/list_token.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
token(struct str s)
{
	AUTO_BUF last = BUF(4 * KiB);
	AUTO_BUF made = BUF(4 * KiB);
	bool is_prefix;

	if (!err_is(token_open(s, (struct id){0}, STR_NONE, STR_NONE, &last, &is_prefix))) {
		token_make((struct id){0}, STR_NONE, STR_NONE, buf_str(&last), is_prefix, &made);
		INVARIANT(str_eq(buf_str(&made), s));
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool ready;
	struct deletion_list l = {0};

	if (!ready)
		ready = !err_is(crypto_init());
	if (deletion_parse(str_of(data, size), &l) == S3_OK) {
		INVARIANT(l.n >= 1 && l.n <= LIMIT_DELETE_KEYS);
		for (size_t i = 0; i < l.n; i++) {
			INVARIANT(l.objects[i].key.n > 0);
			INVARIANT(l.objects[i].key.n <= LIMIT_OBJECT_KEY_BYTES || l.objects[i].bad == S3_KEY_TOO_LONG);
			INVARIANT(l.objects[i].version.present == (l.objects[i].version_text.n > 0));
		}
	} else {
		INVARIANT(!l.objects && !l.doc);
	}
	deletion_release(&l);
	token(str_of(data, size));
	return 0;
}
