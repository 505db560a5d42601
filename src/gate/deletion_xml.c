#include "gate/deletion_xml.h"

#include "base/clock.h"
#include "gate/request.h"

void
deletion_release(struct deletion_list *l)
{
	xml_free(l->doc);
	free(l->objects);
	*l = (struct deletion_list){0};
}

static void
etag_condition(const struct xml_node *n, struct write_condition *c)
{
	struct str text = str_trim(xml_text(n));

	if (str_eq(text, STR("*"))) {
		c->if_match_any = true;
		return;
	}
	c->if_match = true;
	if (err_is(parse_etag(text, c->if_match_etag, &c->if_match_parts))) {
		/* an ETag that no object of ours can have: the condition does not hold */
		memset(c->if_match_etag, 0, sizeof(c->if_match_etag));
		c->if_match_parts = LIMIT_PARTS + 1;
	}
}

static enum s3_error
conditions(const struct xml_node *object, struct write_condition *c)
{
	const struct xml_node *etag = xml_child(object, "ETag"), *size = xml_child(object, "Size");
	const struct xml_node *time = xml_child(object, "LastModifiedTime");
	struct str text = str_trim(xml_text(time));

	if (etag)
		etag_condition(etag, c);
	if (size) {
		c->if_size = true;
		if (err_is(num_parse_u64(str_trim(xml_text(size)), UINT64_MAX, &c->size)))
			return S3_MALFORMED_XML;
	}
	if (time) {
		c->if_modified = true;
		if (err_is(clock_parse_http(text, &c->modified_us)) && err_is(clock_parse_rfc3339(text, &c->modified_us)))
			return S3_MALFORMED_XML;
	}
	return S3_OK;
}

static enum s3_error
doomed_from_xml(const struct xml_node *n, struct doomed *ret)
{
	const struct xml_node *version = xml_child(n, "VersionId");

	ret->key = xml_child_text(n, "Key");
	if (!xml_is(n, "Object") || ret->key.n == 0)
		return S3_MALFORMED_XML;
	if (ret->key.n > LIMIT_OBJECT_KEY_BYTES)
		ret->bad = S3_KEY_TOO_LONG;
	ret->version_text = xml_text(version);
	if (ret->version_text.n) {
		ret->version.present = true;
		ret->version.is_null = str_eq(ret->version_text, STR("null"));
		if (!ret->version.is_null && err_is(id_parse(ret->version_text, &ret->version.id)))
			ret->bad = S3_NO_SUCH_VERSION;
	}
	return conditions(n, &ret->condition);
}

static enum s3_error
list_from_xml(const struct xml_node *root, struct deletion_list *l)
{
	if (!xml_is(root, "Delete"))
		return S3_MALFORMED_XML;
	for (const struct xml_node *n = xml_first(root); n; n = xml_next(n)) {
		enum s3_error e;

		if (xml_is(n, "Quiet")) {
			l->quiet = str_eq_nocase(str_trim(xml_text(n)), STR("true"));
			continue;
		}
		if (l->n == LIMIT_DELETE_KEYS)
			return S3_MALFORMED_XML;
		e = doomed_from_xml(n, &l->objects[l->n]);
		if (e != S3_OK)
			return e;
		l->n++;
	}
	return l->n ? S3_OK : S3_MALFORMED_XML;
}

enum s3_error
deletion_parse(struct str xml, struct deletion_list *ret)
{
	struct deletion_list l = {.objects = calloc(LIMIT_DELETE_KEYS, sizeof(*l.objects))};
	enum s3_error e;

	if (!l.objects)
		return S3_INTERNAL_ERROR;
	e = xml_read(xml, S3_MALFORMED_XML, &l.doc);
	if (e == S3_OK)
		e = list_from_xml(xml_root(l.doc), &l);
	if (e == S3_OK)
		*ret = l;
	else
		deletion_release(&l);
	return e;
}
