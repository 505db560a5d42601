/* A journal and a bundle as a disk may hold them: the walk ends, stays within the file, and never takes a group beyond it. */
#include <stdint.h>

#include "crypto/crypto.h"
#include "ledger/journal.h"
#include "ledger/tiles.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
bundle(struct str s)
{
	struct cur c = cur_of(s);
	struct str entry;
	size_t n = 0;

	while (bundle_next(&c, &entry))
		n += 2 + entry.n;
	INVARIANT(n <= s.n && (c.failed || n == s.n));
}

/*
 * A checksum stops a fuzzer at the first byte it changes. So the input is also read as the groups' plain fields, made whole
 * here, cut where the input says.
 */
static void
made_whole(const uint8_t *data, size_t size)
{
	struct group g = {.first = data[0], .count = data[1] % 8u + 1, .entries = str_of(data + 3, size - 3)};
	AUTO_BUF file = BUF(4 * MiB);
	uint8_t head[GROUP_HEAD_BYTES];
	struct group back;
	size_t at = 0, cut;

	group_head_write(&g, head);
	buf_put(&file, head, sizeof(head));
	buf_put_str(&file, g.entries);
	if (err_is(buf_check(&file)))
		return;
	cut = file.n * data[2] / 255;
	if (!err_is(group_parse(str_of(file.p, cut), &at, &back)))
		INVARIANT(cut == file.n && back.first == g.first && back.count == g.count && back.entries.n == g.entries.n);
	(void)group_is_torn(str_of(file.p, cut), 0, cut);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool ready;
	struct str s = str_of(data, size);
	struct cur c = cur_of(s);
	struct journal_head h;
	struct group g;
	size_t at = 0, before = 0;

	if (!ready)
		ready = !err_is(crypto_init());
	err_ignore(journal_head_parse(&c, &h));
	while (!err_is(group_parse(s, &at, &g))) {
		INVARIANT(at > before && at <= size && g.entries.p + g.entries.n <= s.p + s.n);
		bundle(g.entries);
		before = at;
	}
	bundle(s);
	if (size > 3)
		made_whole(data, size);
	return 0;
}
