/* Any bytes as a document: every node of what is accepted can be read, and what is written of it is accepted again. */
#include "gate/cors.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t
walk(const struct xml_node *root)
{
	const struct xml_node *stack[128];
	size_t depth = 0, bytes = 0;

	stack[depth++] = root;
	while (depth > 0) {
		const struct xml_node *n = stack[--depth], *child = xml_first(n), *next = xml_next(n);
		struct str text = xml_text(n), type = xml_attribute(n, "type");

		for (size_t i = 0; i < text.n; i++)
			bytes += text.p[i] != 0;
		for (size_t i = 0; i < type.n; i++)
			bytes += type.p[i] != 0;
		INVARIANT(str_is_utf8(text) && !(child && text.n));
		INVARIANT(depth + 2 <= 128); /* at most 64 levels, two entries each */
		if (next && n != root)
			stack[depth++] = next;
		if (child)
			stack[depth++] = child;
	}
	return bytes;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct xml_doc *d, *again;
	AUTO_BUF b = BUF(8 * MiB);
	AUTO_BUF key = BUF(8 * MiB);

	if (err_is(xml_parse(str_of(data, size), &d)))
		return 0;
	INVARIANT(walk(xml_root(d)) <= size + 64); /* nothing expands */
	xml_begin(&b, "r");
	xml_put(&b, "t", xml_text(xml_root(d)));
	xml_put_key(&b, "k", str_of(data, size), true);
	xml_close(&b, "r");
	INVARIANT(!err_is(buf_check(&b)) && !err_is(xml_parse(buf_str(&b), &again)));
	INVARIANT(str_eq(xml_child_text(xml_root(again), "t"), xml_text(xml_root(d))));
	xml_free(again);
	if (cors_check(d) == S3_OK) {
		buf_clear(&b);
		cors_write(d, &b);
		INVARIANT(!err_is(buf_check(&b)) && !err_is(xml_parse(buf_str(&b), &again)) && cors_check(again) == S3_OK);
		cors_find(again, STR("https://example.org"), STR("GET"), STR("a,b"));
		xml_free(again);
	}
	xml_free(d);
	return 0;
}
