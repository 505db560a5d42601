/* GetObjectAttributes: ETag, checksum, parts, storage class and size of an object, without its bytes. */
#include "base/clock.h"
#include "gate/operations.h"
#include "gate/parts.h"

enum attribute { ATTRIBUTE_ETAG, ATTRIBUTE_CHECKSUM, ATTRIBUTE_PARTS, ATTRIBUTE_CLASS, ATTRIBUTE_SIZE };

static const char *const attributes[] = {
	[ATTRIBUTE_ETAG] = "ETag", [ATTRIBUTE_CHECKSUM] = "Checksum", [ATTRIBUTE_PARTS] = "ObjectParts",
	[ATTRIBUTE_CLASS] = "StorageClass", [ATTRIBUTE_SIZE] = "ObjectSize",
};

struct asking {
	uint32_t wanted; /* bits of enum attribute */
	uint64_t max, after;
	const char *bad_field;
	struct manifest m;
	struct buf text;
	struct verdict verdicts[2];
	struct stored_part *parts;
	size_t n_parts;
	bool parts_known, more;
};

static bool
wanted(const struct asking *a, enum attribute which)
{
	return a->wanted >> which & 1;
}

/* a list, in one header or in several of the same name */
static bool
take_attributes(struct asking *a, struct str list)
{
	bool more = list.n > 0;
	struct str item;

	while (more) {
		size_t i = 0;

		more = str_split(list, ',', &item, &list);
		item = str_trim(item);
		while (i < ARRAY_LEN(attributes) && !str_eq(item, str_c(attributes[i])))
			i++;
		if (i == ARRAY_LEN(attributes))
			return false;
		a->wanted |= 1u << i;
	}
	return true;
}

static void
asking_from_request(const struct request *r, struct asking *a)
{
	struct str max = request_header(r, "x-amz-max-parts"), after = request_header(r, "x-amz-part-number-marker");
	bool good = true;

	for (size_t i = 0; i < r->n_headers; i++)
		if (str_eq_nocase(r->headers[i].name, STR("x-amz-object-attributes")))
			good = good && take_attributes(a, r->headers[i].value);
	if (!good || !a->wanted)
		a->bad_field = "x-amz-object-attributes";
	a->max = LIMIT_LIST_KEYS;
	if (max.p && err_is(num_parse_u64(str_trim(max), INT32_MAX, &a->max)))
		a->bad_field = "x-amz-max-parts";
	if (after.p && err_is(num_parse_u64(str_trim(after), INT32_MAX, &a->after)))
		a->bad_field = "x-amz-part-number-marker";
	a->max = num_min(a->max, LIMIT_LIST_KEYS);
}

/* there is no such object: false, and answered */
static bool
may_not(struct request *r, struct want *w, struct errand *d)
{
	w->flags = WANT_MISSING;
	if (errand_authorize(r, w, d) || d->verdict.e.code == ERR_NOT_FOUND)
		errand_absent(r, d);
	return false;
}

/* both s3:GetObjectAttributes and s3:GetObject are needed (API Reference, GetObjectAttributes, "Permissions") */
static bool
may(struct request *r, struct errand *d, struct asking *a)
{
	bool there = !errand_is_absent(d);
	struct want w[2] = {
		{.action = d->version.present ? ACTION_GET_OBJECT_VERSION : ACTION_GET_OBJECT},
		{.action = ACTION_GET_OBJECT_ATTRIBUTES},
	};

	if (!there)
		return may_not(r, &w[0], d);
	for (size_t i = 0; i < 2; i++) {
		w[i].flags = WANT_OPEN;
		w[i].bucket_name = r->bucket;
		w[i].key = r->key;
		w[i].bucket_charter = d->bucket.charter;
		w[i].version = d->version.id;
		w[i].object_charter = d->object.charter;
		w[i].header = d->object.header;
	}
	if (!authorize(r, w, 2, &d->decided, a->verdicts))
		return false;
	for (size_t i = 0; i < 2; i++)
		if (err_is(a->verdicts[i].e)) {
			answer_err(r, a->verdicts[i].e, a->verdicts[i].reason);
			return false;
		}
	return errand_owner_expected(r, &d->bucket);
}

/* The parts as they were uploaded, if vault still tells them apart; else only how many there are. */
static struct err
find_parts(struct request *r, const struct errand *d, struct asking *a)
{
	const struct verdict *v = &a->verdicts[1];
	struct err e;

	if (!wanted(a, ATTRIBUTE_PARTS) || a->m.n_parts == 0 || a->max == 0)
		return OK;
	a->parts = calloc(LIMIT_LIST_KEYS, sizeof(*a->parts));
	if (!a->parts)
		return ERR(ERR_NO_MEMORY);
	e = parts_fetch(r, &v->grant, d->object.version, (uint32_t)a->after, a->max, v->key, &v->ids, a->parts, &a->n_parts, &a->more);
	if (e.code == ERR_NOT_FOUND || e.code == ERR_DENIED)
		return OK;
	a->parts_known = !err_is(e);
	return e;
}

static void
put_parts(struct buf *b, const struct asking *a)
{
	xml_open(b, "ObjectParts");
	xml_put_dec(b, "PartsCount", a->m.n_parts);
	if (a->parts_known) {
		xml_put_dec(b, "PartNumberMarker", a->after);
		xml_put_dec(b, "NextPartNumberMarker", a->n_parts ? a->parts[a->n_parts - 1].part.number : 0);
		xml_put_dec(b, "MaxParts", a->max);
		xml_put_bool(b, "IsTruncated", a->more);
		for (size_t i = 0; i < a->n_parts; i++) {
			xml_open(b, "Part");
			put_checksum_element(b, &a->parts[i].sum, 0);
			xml_put_dec(b, "PartNumber", a->parts[i].part.number);
			xml_put_dec(b, "Size", a->parts[i].part.size);
			xml_close(b, "Part");
		}
	}
	xml_close(b, "ObjectParts");
}

static void
put_etag_bare(struct buf *b, const struct object_info *o)
{
	xml_open(b, "ETag"); /* here without quotes */
	buf_put_hex(b, o->etag, sizeof(o->etag));
	if (o->n_parts) {
		buf_put_char(b, '-');
		buf_put_dec(b, o->n_parts);
	}
	xml_close(b, "ETag");
}

static void
answer_attributes(struct request *r, const struct errand *d, const struct asking *a)
{
	AUTO_BUF b = BUF_WIPED(1 * MiB);
	AUTO_BUF date = BUF(CLOCK_HTTP_LEN);

	xml_begin(&b, "GetObjectAttributesResponse");
	if (wanted(a, ATTRIBUTE_ETAG))
		put_etag_bare(&b, &d->object);
	if (wanted(a, ATTRIBUTE_CHECKSUM) && a->m.checksum.kind != CHECKSUM_NONE) {
		xml_open(&b, "Checksum");
		put_checksum_element(&b, &a->m.checksum, a->m.checksum_composite ? a->m.n_parts : 0);
		xml_put(&b, "ChecksumType", checksum_type_word(a->m.checksum_composite));
		xml_close(&b, "Checksum");
	}
	if (wanted(a, ATTRIBUTE_PARTS) && a->m.n_parts)
		put_parts(&b, a);
	if (wanted(a, ATTRIBUTE_CLASS))
		xml_put(&b, "StorageClass", a->m.storage_class.n ? a->m.storage_class : STR("STANDARD"));
	if (wanted(a, ATTRIBUTE_SIZE))
		xml_put_dec(&b, "ObjectSize", d->object.size);
	xml_close(&b, "GetObjectAttributesResponse");
	buf_put_http_date(&date, d->object.modified_us);
	answer_header(r, "Last-Modified", buf_str(&date));
	if (d->bucket.versioning != VERSIONING_OFF)
		answer_version(r, d->object.is_null_version, d->object.version);
	answer_xml(r, 200, &b);
}

static void
ask(struct request *r, struct errand *d, struct asking *a)
{
	struct err e;

	asking_from_request(r, a);
	if (!may(r, d, a))
		return;
	if (a->bad_field) {
		answer_error_field(r, S3_INVALID_ARGUMENT, a->bad_field);
		return;
	}
	e = manifest_open(sealed_from_store(d->object.manifest), a->verdicts[1].key, &a->verdicts[1].ids, &a->text, &a->m);
	if (!err_is(e))
		e = find_parts(r, d, a);
	if (err_is(e))
		answer_err(r, e, REASON_NONE);
	else
		answer_attributes(r, d, a);
}

void
op_get_object_attributes(struct request *r)
{
	AUTO_ERRAND d = ERRAND;
	struct asking *a = calloc(1, sizeof(*a));

	if (!a) {
		answer_error(r, S3_INTERNAL_ERROR);
		return;
	}
	a->text = BUF_WIPED(LIMIT_MANIFEST_BYTES);
	if (errand_object(r, ACTION_GET_OBJECT_ATTRIBUTES, &d))
		ask(r, &d, a);
	verdict_release(&a->verdicts[0]);
	verdict_release(&a->verdicts[1]);
	buf_release(&a->text);
	free(a->parts);
	free(a);
}
