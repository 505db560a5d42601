/* What a notebook server answers: any bytes as a head, headers for the browser, a chunked body; and any bytes as a path and as websocket frames. */
#include <stdint.h>

#include "gate/notebook.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
body(struct str s)
{
	struct notebook_chunks c = {0};
	size_t total = 0;
	char out[64];

	for (size_t at = 0; at < s.n;) {
		size_t used, got, n = (at * 7 + 1) % 61 + 1;

		if (err_is(notebook_chunks_read(&c, s.p + at, n < s.n - at ? n : s.n - at, &used, out, sizeof(out), &got)))
			break;
		at += used;
		total += got;
		if (used == 0)
			break;
	}
	INVARIANT(total <= s.n);
}

/* Nothing that a server says may break out of its line. */
static void
headers(const struct notebook_answer *a)
{
	AUTO_BUF out = BUF(256 * KiB);

	for (unsigned route = NOTEBOOK_PAGE; route <= NOTEBOOK_SOCKET; route++) {
		(void)notebook_may_show((enum notebook_route)route, a);
		notebook_answer_headers((enum notebook_route)route, (struct id){{1}}, STR("a:1"), a, &out);
	}
	for (size_t i = 0; i < out.n; i++)
		INVARIANT(out.p[i] != '\r' && out.p[i] != '\n');
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str in = str_of(data, size), rest, query;
	struct notebook_frames f = {0};
	struct notebook_answer a;
	size_t n = notebook_head_end(in);
	struct id cell;

	if (n > 0 && !err_is(notebook_answer_parse(str_sub(in, 0, n), STR("GET"), &a)))
		headers(&a);
	body(str_sub(in, n, SIZE_MAX));
	(void)notebook_frames_see(&f, in);
	str_split(in, '?', &rest, &query);
	(void)notebook_path(rest, &cell, &rest);
	(void)notebook_route(STR("GET"), rest, query, size & 1);
	(void)notebook_cookie(in, STR(NOTEBOOK_COOKIE));
	return 0;
}
