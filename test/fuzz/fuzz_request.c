/* The head of a request: target, query, Authorization, ranges, ETags, copy sources. */
#include <stdint.h>

#include "gate/canonical.h"
#include "gate/copy.h"
#include "gate/route.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
release(struct request *r)
{
	buf_release(&r->answer.head);
	buf_release(&r->answer.body);
	buf_release(&r->scratch);
	free(r);
}

/* lines: target, then "name: value" headers */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool ready;
	static struct house house;
	struct request *r = calloc(1, sizeof(*r));
	struct str rest = str_of(data, size), line, name, value;
	uint64_t from, n;
	uint8_t etag[16];
	uint32_t parts;
	bool more = true;

	if (!ready)
		ready = !err_is(crypto_init());
	house.hostname = STR("s3.example");
	r->house = &house;
	r->method = size ? (enum method)(data[0] % METHOD_OTHER) : METHOD_GET;
	r->method_text = STR("GET");
	r->scratch = BUF_WIPED(48 * KiB);
	r->answer.head = BUF(32 * KiB);
	r->answer.body = BUF_WIPED(64 * KiB);
	(void)buf_room(&r->scratch, 48 * KiB);
	str_split(rest, '\n', &line, &rest);
	str_split(line, '?', &r->raw_path, &r->raw_query);
	while (more && r->n_headers < LIMIT_HEADERS) {
		more = str_split(rest, '\n', &line, &rest);
		if (str_split(line, ':', &name, &value))
			r->headers[r->n_headers++] = (struct pair){name, str_trim(value)};
	}
	err_ignore(parse_range(request_header(r, "range"), 1000, &from, &n));
	err_ignore(parse_etag(request_header(r, "if-match"), etag, &parts));
	if (route_parse(r) && route_find(r) && proof_from_request(r)) {
		struct copy_source s;

		conditions_from_request(r);
		(void)copy_source_parse(r, &s);
	}
	release(r);
	return 0;
}
