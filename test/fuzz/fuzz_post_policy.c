/* The policy of a browser's form: what it lets pass has sane limits, and without a condition for a field nothing passes. */
#include "gate/post_policy.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct pair fields[] = {{STR("key"), STR("foo.txt")}, {STR("acl"), STR("private")}, {STR("Content-Type"), STR("text/plain")},
		{STR("x-ignore-me"), STR("x")}, {STR("bucket"), STR("bucket")}};
	const struct pair stranger[] = {{STR("key"), STR("foo.txt")}, {STR("x-amz-meta-\x01 none"), STR("\x02")}, {STR("bucket"), STR("bucket")}};
	struct post_limits l = {.min = 7, .max = 7}, none = {.min = 7, .max = 7};

	if (post_policy_check(str_of(data, size), fields, ARRAY_LEN(fields), 0, &l) == S3_OK)
		INVARIANT(l.max <= LIMIT_SINGLE_PUT_BYTES);
	else
		INVARIANT(l.min == 7 && l.max == 7);
	/* the same text never lets a field pass that it does not name; JSON text cannot name this one without an escape */
	if (!memmem(data, size, "\\u0001", 6))
		INVARIANT(post_policy_check(str_of(data, size), stranger, ARRAY_LEN(stranger), 0, &none) != S3_OK);
	return 0;
}
