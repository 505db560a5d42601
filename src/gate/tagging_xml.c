#include "gate/tagging_xml.h"

#include "gate/canonical.h"
#include "gate/xml.h"

/* every tag at its longest, in UTF-8; made at once, so that what was put in does not move */
#define TEXT_BYTES (LIMIT_TAGS_PER_BUCKET * 4 * (LIMIT_TAG_KEY_CHARS + LIMIT_TAG_VALUE_CHARS))

void
tag_list_release(struct tag_list *l)
{
	buf_release(&l->text);
	l->n = 0;
}

static size_t
characters(struct str s)
{
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++)
		n += ((unsigned char)s.p[i] & 0xC0) != 0x80;
	return n;
}

/* letters, digits and spaces of any script, and + - = . _ : / @ */
static bool
characters_allowed(struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (c == 0xC2 && i + 1 < s.n && (unsigned char)s.p[i + 1] < 0xA0) /* U+0080..U+009F: controls */
			return false;
		if (c >= 0x80 || (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z'))
			continue;
		if (c == 0 || !strchr(" +-=._:/@", c))
			return false;
	}
	return str_is_utf8(s);
}

static enum s3_error
tag_check(struct str key, struct str value)
{
	if (key.n == 0 || characters(key) > LIMIT_TAG_KEY_CHARS || characters(value) > LIMIT_TAG_VALUE_CHARS)
		return S3_INVALID_TAG;
	if (!characters_allowed(key) || !characters_allowed(value))
		return S3_INVALID_TAG;
	if (str_eq_nocase(str_sub(key, 0, 4), STR("aws:"))) /* reserved for the provider */
		return S3_INVALID_TAG;
	return S3_OK;
}

static struct str
keep(struct tag_list *l, struct str s)
{
	size_t at = l->text.n;

	buf_put_str(&l->text, s);
	return str_of(l->text.p + at, s.n);
}

static bool
has_key(const struct tag_list *l, struct str key)
{
	for (size_t i = 0; i < l->n; i++)
		if (str_eq(l->tags[i].key, key))
			return true;
	return false;
}

static bool
tag_list_init(struct tag_list *l)
{
	*l = (struct tag_list){.text = BUF_WIPED(TEXT_BYTES)};
	return buf_room(&l->text, TEXT_BYTES) != NULL;
}

/* ---- XML ---- */

static enum s3_error
add_from_xml(const struct xml_node *n, size_t max, struct tag_list *l)
{
	const struct xml_node *key = xml_child(n, "Key"), *value = xml_child(n, "Value");
	enum s3_error e;

	if (!xml_is(n, "Tag") || !key || !value)
		return S3_MALFORMED_XML;
	e = tag_check(xml_text(key), xml_text(value));
	if (e != S3_OK)
		return e;
	if (l->n == max || has_key(l, xml_text(key)))
		return S3_INVALID_TAG;
	l->tags[l->n++] = (struct tag){keep(l, xml_text(key)), keep(l, xml_text(value))};
	return S3_OK;
}

static enum s3_error
set_from_xml(const struct xml_node *root, size_t max, struct tag_list *l)
{
	const struct xml_node *set = xml_child(root, "TagSet");

	if (!xml_is(root, "Tagging") || !set || xml_next(xml_first(root)))
		return S3_MALFORMED_XML;
	for (const struct xml_node *n = xml_first(set); n; n = xml_next(n)) {
		enum s3_error e = add_from_xml(n, max, l);

		if (e != S3_OK)
			return e;
	}
	return S3_OK;
}

enum s3_error
tagging_parse(struct str xml, size_t max, struct tag_list *ret)
{
	struct xml_doc *doc;
	enum s3_error e;

	INVARIANT(max <= LIMIT_TAGS_PER_BUCKET);
	if (!tag_list_init(ret))
		return S3_INTERNAL_ERROR;
	e = xml_read(xml, S3_MALFORMED_XML, &doc);
	if (e != S3_OK)
		return e;
	e = set_from_xml(xml_root(doc), max, ret);
	xml_free(doc);
	return e;
}

void
tagging_put(struct buf *b, const struct tag *tags, size_t n)
{
	xml_begin(b, "Tagging");
	xml_open(b, "TagSet");
	for (size_t i = 0; i < n; i++) {
		xml_open(b, "Tag");
		xml_put(b, "Key", tags[i].key);
		xml_put(b, "Value", tags[i].value);
		xml_close(b, "Tag");
	}
	xml_close(b, "TagSet");
	xml_close(b, "Tagging");
}

/* ---- header ---- */

static enum s3_error
add_from_header(struct str item, struct tag_list *l)
{
	AUTO_BUF key = BUF_WIPED(16 * KiB);
	AUTO_BUF value = BUF_WIPED(16 * KiB);
	struct str raw_key, raw_value;
	enum s3_error e;
	struct err decoded;

	str_split(item, '=', &raw_key, &raw_value);
	decoded = percent_decode(raw_key, true, &key);
	if (!err_is(decoded))
		decoded = percent_decode(raw_value, true, &value);
	if (err_is(decoded))
		return decoded.code == ERR_NO_MEMORY ? S3_INTERNAL_ERROR : S3_INVALID_ARGUMENT;
	if (key.n == 0 || has_key(l, buf_str(&key)))
		return S3_INVALID_ARGUMENT;
	e = tag_check(buf_str(&key), buf_str(&value));
	if (e != S3_OK)
		return e;
	if (l->n == LIMIT_TAGS_PER_OBJECT)
		return S3_INVALID_TAG;
	l->tags[l->n++] = (struct tag){keep(l, buf_str(&key)), keep(l, buf_str(&value))};
	return S3_OK;
}

enum s3_error
tagging_parse_header(struct str header, struct tag_list *ret)
{
	struct str rest = header, item;
	bool more = header.n > 0;

	if (!tag_list_init(ret))
		return S3_INTERNAL_ERROR;
	while (more) {
		enum s3_error e;

		more = str_split(rest, '&', &item, &rest);
		if (item.n == 0)
			continue;
		e = add_from_header(item, ret);
		if (e != S3_OK)
			return e;
	}
	return S3_OK;
}

bool
tags_allowed(struct request *r, const struct tag *tags, size_t n, uint32_t off)
{
	for (size_t i = 0; i < n; i++)
		if (!name_allowed(r, tags[i].key, off, "Tagging") || !name_allowed(r, tags[i].value, off, "Tagging"))
			return false;
	return true;
}

bool
tags_from_header(struct request *r, uint32_t off, struct tag ret[LIMIT_TAGS_PER_OBJECT], size_t *ret_n)
{
	AUTO_TAGS l = {0};
	struct str header = request_header(r, "x-amz-tagging");
	enum s3_error e;

	if (header.n == 0) {
		*ret_n = 0;
		return true;
	}
	e = tagging_parse_header(header, &l);
	if (e != S3_OK) {
		answer_error_field(r, e, "x-amz-tagging");
		return false;
	}
	if (!tags_allowed(r, l.tags, l.n, off))
		return false;
	for (size_t i = 0; i < l.n; i++) {
		ret[i] = (struct tag){request_keep(r, l.tags[i].key), request_keep(r, l.tags[i].value)};
		if (ret[i].key.n != l.tags[i].key.n || ret[i].value.n != l.tags[i].value.n) {
			answer_error_field(r, S3_INVALID_REQUEST, "x-amz-tagging");
			return false;
		}
	}
	*ret_n = l.n;
	return true;
}
