/* The document of CompleteMultipartUpload: numbers ascend, and there are no more than there may be. */
#include "base/limits.h"
#include "gate/completion_xml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct completion c = {0};
	uint32_t last = 0;

	if (completion_parse(str_of(data, size), &c) == S3_OK) {
		INVARIANT(c.n >= 1 && c.n <= LIMIT_PARTS);
		for (size_t i = 0; i < c.n; i++) {
			INVARIANT(c.parts[i].number > last && c.parts[i].number <= LIMIT_PARTS);
			INVARIANT(c.parts[i].sum.n == checksum_bytes(c.parts[i].sum.kind));
			last = c.parts[i].number;
		}
	} else {
		INVARIANT(!c.parts && c.n == 0);
	}
	completion_release(&c);
	return 0;
}
