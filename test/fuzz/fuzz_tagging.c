/* Tags as a document and as a header: what is accepted keeps the limits, and reads back the same from our own document. */
#include "gate/tagging_xml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(const struct tag_list *l, size_t max)
{
	AUTO_TAGS again = {0};
	AUTO_BUF b = BUF(1 * MiB);

	INVARIANT(l->n <= max);
	tagging_put(&b, l->tags, l->n);
	INVARIANT(!err_is(buf_check(&b)) && tagging_parse(buf_str(&b), max, &again) == S3_OK && again.n == l->n);
	for (size_t i = 0; i < l->n; i++) {
		INVARIANT(str_eq(l->tags[i].key, again.tags[i].key) && str_eq(l->tags[i].value, again.tags[i].value));
		INVARIANT(l->tags[i].key.n > 0 && l->tags[i].key.n <= 4 * LIMIT_TAG_KEY_CHARS);
		for (size_t k = 0; k < i; k++)
			INVARIANT(!str_eq(l->tags[i].key, l->tags[k].key));
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO_TAGS xml = {0};
	AUTO_TAGS header = {0};

	if (tagging_parse(str_of(data, size), LIMIT_TAGS_PER_BUCKET, &xml) == S3_OK)
		check(&xml, LIMIT_TAGS_PER_BUCKET);
	if (tagging_parse_header(str_of(data, size), &header) == S3_OK)
		check(&header, LIMIT_TAGS_PER_OBJECT);
	return 0;
}
