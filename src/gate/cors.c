#include "gate/cors.h"

static const char *const methods[] = {"GET", "PUT", "POST", "DELETE", "HEAD"};
static const char *const elements[] = {"ID", "AllowedOrigin", "AllowedMethod", "AllowedHeader", "ExposeHeader", "MaxAgeSeconds"};

static size_t
stars(struct str s)
{
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++)
		n += s.p[i] == '*';
	return n;
}

static bool
method_is_known(struct str s)
{
	for (size_t i = 0; i < ARRAY_LEN(methods); i++)
		if (str_eq(s, str_c(methods[i])))
			return true;
	return false;
}

static enum s3_error
element_check(const struct xml_node *n)
{
	struct str text = xml_text(n);
	uint64_t seconds;

	if (xml_first(n))
		return S3_MALFORMED_XML;
	if (xml_is(n, "AllowedMethod"))
		return method_is_known(text) ? S3_OK : S3_INVALID_REQUEST;
	if (xml_is(n, "AllowedOrigin") || xml_is(n, "AllowedHeader"))
		return text.n && stars(text) <= 1 ? S3_OK : S3_INVALID_REQUEST;
	if (xml_is(n, "ExposeHeader"))
		return text.n && stars(text) == 0 ? S3_OK : S3_INVALID_REQUEST;
	if (xml_is(n, "MaxAgeSeconds"))
		return err_is(num_parse_u64(text, INT32_MAX, &seconds)) ? S3_MALFORMED_XML : S3_OK;
	return xml_is(n, "ID") && text.n <= 255 ? S3_OK : S3_MALFORMED_XML;
}

static enum s3_error
rule_check(const struct xml_node *rule)
{
	size_t ids = 0, ages = 0;

	if (!xml_is(rule, "CORSRule") || !xml_child(rule, "AllowedOrigin") || !xml_child(rule, "AllowedMethod"))
		return S3_MALFORMED_XML;
	for (const struct xml_node *n = xml_first(rule); n; n = xml_next(n)) {
		enum s3_error e = element_check(n);

		if (e != S3_OK)
			return e;
		ids += xml_is(n, "ID");
		ages += xml_is(n, "MaxAgeSeconds");
	}
	return ids > 1 || ages > 1 ? S3_MALFORMED_XML : S3_OK;
}

enum s3_error
cors_check(const struct xml_doc *doc)
{
	const struct xml_node *root = xml_root(doc);
	size_t n = 0;

	if (!xml_is(root, "CORSConfiguration"))
		return S3_MALFORMED_XML;
	for (const struct xml_node *rule = xml_first(root); rule; rule = xml_next(rule)) {
		enum s3_error e = ++n > LIMIT_CORS_RULES ? S3_MALFORMED_XML : rule_check(rule);

		if (e != S3_OK)
			return e;
	}
	return n ? S3_OK : S3_MALFORMED_XML;
}

void
cors_write(const struct xml_doc *doc, struct buf *b)
{
	xml_begin(b, "CORSConfiguration");
	for (const struct xml_node *rule = xml_first(xml_root(doc)); rule; rule = xml_next(rule)) {
		xml_open(b, "CORSRule");
		for (size_t i = 0; i < ARRAY_LEN(elements); i++)
			for (const struct xml_node *n = xml_first(rule); n; n = xml_next(n))
				if (xml_is(n, elements[i]))
					xml_put(b, elements[i], xml_text(n));
		xml_close(b, "CORSRule");
	}
	xml_close(b, "CORSConfiguration");
}

bool
cors_matches(struct str pattern, struct str s, bool nocase)
{
	struct str head, tail, begin, end;

	if (!str_split(pattern, '*', &head, &tail))
		return nocase ? str_eq_nocase(pattern, s) : str_eq(pattern, s);
	if (s.n < head.n + tail.n)
		return false;
	begin = str_sub(s, 0, head.n);
	end = str_sub(s, s.n - tail.n, tail.n);
	if (nocase)
		return str_eq_nocase(begin, head) && str_eq_nocase(end, tail);
	return str_eq(begin, head) && str_eq(end, tail);
}

static bool
rule_has(const struct xml_node *rule, const char *element, struct str s, bool nocase)
{
	for (const struct xml_node *n = xml_first(rule); n; n = xml_next(n))
		if (xml_is(n, element) && cors_matches(xml_text(n), s, nocase))
			return true;
	return false;
}

static bool
headers_allowed(const struct xml_node *rule, struct str headers)
{
	bool more = headers.n > 0;
	struct str item;

	while (more) {
		more = str_split(headers, ',', &item, &headers);
		item = str_trim(item);
		if (item.n && !rule_has(rule, "AllowedHeader", item, true))
			return false;
	}
	return true;
}

const struct xml_node *
cors_find(const struct xml_doc *doc, struct str origin, struct str method, struct str headers)
{
	for (const struct xml_node *rule = xml_first(xml_root(doc)); rule; rule = xml_next(rule))
		if (rule_has(rule, "AllowedOrigin", origin, false) && rule_has(rule, "AllowedMethod", method, false) &&
		    headers_allowed(rule, headers))
			return rule;
	return NULL;
}
