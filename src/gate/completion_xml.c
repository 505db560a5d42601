#include "gate/completion_xml.h"

#include "base/limits.h"
#include "gate/request.h"
#include "gate/xml.h"

void
completion_release(struct completion *c)
{
	free(c->parts);
	*c = (struct completion){0};
}

static enum s3_error
sum_from_xml(const struct xml_node *part, struct checksum_value *ret)
{
	for (unsigned k = CHECKSUM_NONE + 1; k < CHECKSUM_KIND_COUNT; k++) {
		AUTO_BUF name = BUF(32);
		const struct xml_node *n;

		buf_put_c(&name, "Checksum");
		buf_put_c(&name, checksum_name((enum checksum_kind)k));
		buf_put_char(&name, 0);
		n = name.failed ? NULL : xml_child(part, name.p);
		if (!n)
			continue;
		if (ret->kind != CHECKSUM_NONE || err_is(checksum_parse((enum checksum_kind)k, str_trim(xml_text(n)), ret)))
			return S3_INVALID_REQUEST;
	}
	return S3_OK;
}

static enum s3_error
part_from_xml(const struct xml_node *n, struct completed_part *ret)
{
	struct str number = str_trim(xml_child_text(n, "PartNumber"));
	uint64_t v;
	uint32_t parts;
	struct err e = num_parse_u64(number, LIMIT_PARTS, &v);

	if (!xml_is(n, "Part") || !xml_child(n, "ETag") || e.code == ERR_INVALID)
		return S3_MALFORMED_XML;
	if (err_is(e) || v == 0)
		return S3_INVALID_ARGUMENT;
	ret->number = (uint32_t)v;
	ret->has_etag = !err_is(parse_etag(xml_child_text(n, "ETag"), ret->etag, &parts)) && parts == 0;
	return sum_from_xml(n, &ret->sum);
}

static enum s3_error
parts_from_xml(const struct xml_node *root, struct completion *c)
{
	uint32_t last = 0;

	if (!xml_is(root, "CompleteMultipartUpload"))
		return S3_MALFORMED_XML;
	for (const struct xml_node *n = xml_first(root); n; n = xml_next(n)) {
		enum s3_error e = c->n == LIMIT_PARTS ? S3_MALFORMED_XML : part_from_xml(n, &c->parts[c->n]);

		if (e != S3_OK)
			return e;
		if (c->parts[c->n].number <= last)
			return S3_INVALID_PART_ORDER;
		last = c->parts[c->n++].number;
	}
	return c->n ? S3_OK : S3_MALFORMED_XML;
}

enum s3_error
completion_parse(struct str xml, struct completion *ret)
{
	struct completion c = {.parts = calloc(LIMIT_PARTS, sizeof(*c.parts))};
	struct xml_doc *doc = NULL;
	enum s3_error e;

	if (!c.parts)
		return S3_INTERNAL_ERROR;
	e = xml_read(xml, S3_MALFORMED_XML, &doc);
	if (e == S3_OK)
		e = parts_from_xml(xml_root(doc), &c);
	xml_free(doc);
	if (e == S3_OK)
		*ret = c;
	else
		completion_release(&c);
	return e;
}
