/* Notes, checkpoints, verifier keys and proofs, all from outside: never a crash; what parses is in bounds; no forgery. */
#include <stdint.h>

#include "ledger/ledger.h"
#include "ledger/note.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define VKEY "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
#define SIGNED "This is an example message.\n" /* all that this key ever signed: C2SP signed-note, "Example" */

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool ready;
	struct str s = str_of(data, size);
	struct checkpoint c;
	struct note n;
	struct vkey v;

	if (!ready)
		ready = !err_is(crypto_init());
	if (!err_is(vkey_parse(s, &v))) {
		AUTO_BUF out = BUF(1 * KiB);

		vkey_write(&v, &out);
		INVARIANT(str_eq(buf_str(&out), str_sub(s, 0, out.n)) && size <= out.n + 1);
	}
	INVARIANT(!err_is(vkey_parse(STR(VKEY), &v)));
	if (!err_is(note_parse(s, &n))) {
		INVARIANT(n.text.n + 1 + n.signatures.n == s.n);
		INVARIANT(err_is(note_verify(&n, &v)) || str_eq(n.text, STR(SIGNED)));
	}
	if (!err_is(checkpoint_parse(s, &c)))
		INVARIANT(c.origin.n > 0 && c.size <= INT64_MAX);
	INVARIANT(err_is(ledger_verify_proof(STR(VKEY), s, STR("{}"))));
	return 0;
}
