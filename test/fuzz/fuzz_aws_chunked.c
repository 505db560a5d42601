/* The framing inside streaming uploads: any bytes, cut anywhere, signed or not, with trailers or without. */
#include <stdint.h>

#include "crypto/crypto.h"
#include "gate/aws_chunked.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct err
payload(void *ctx, struct phi bytes)
{
	*(size_t *)ctx += phi_size(bytes);
	return OK;
}

static struct err
signatures(void *ctx, const uint8_t previous[32], const struct chunk_signature *c, size_t n, bool trailer)
{
	(void)previous;
	(void)c;
	(void)trailer;
	INVARIANT(n > 0);
	return *(size_t *)ctx % 7 == 3 ? ERR(ERR_UNAUTHENTICATED) : OK;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool ready;
	static const uint8_t seed[32];
	size_t got = 0;
	struct aws_chunked_sink sink = {payload, signatures, &got};
	struct aws_chunked *a;
	size_t step;

	if (!ready)
		ready = !err_is(crypto_init());
	if (size < 2)
		return 0;
	step = data[1] + 1u;
	if (err_is(aws_chunked_new(data[0] & 1, data[0] & 2, seed, &sink, &a)))
		return 0;
	for (size_t at = 2; at < size; at += step)
		if (err_is(aws_chunked_feed(a, phi_of(data + at, step < size - at ? step : size - at))))
			break;
	INVARIANT(got <= size);
	if (!err_is(aws_chunked_end(a)))
		(void)aws_chunked_trailer(a, "x-amz-checksum-crc32");
	aws_chunked_free(a);
	return 0;
}
