/* The headers of a request that a manifest keeps, and of an answer that it gives back. */
#include "gate/manifest_headers.h"

static bool
refused(struct request *r, enum s3_error e, const char *field)
{
	answer_error_field(r, e, field);
	return false;
}

static bool
take_user_metadata(struct request *r, struct manifest *m)
{
	static const char prefix[] = "x-amz-meta-";
	size_t bytes = 0;

	for (size_t i = 0; i < r->n_headers; i++) {
		struct str h = r->headers[i].name;
		struct str v = str_trim(r->headers[i].value);
		struct str name;
		char *lower;

		if (!str_eq_nocase(str_sub(h, 0, sizeof(prefix) - 1), str_c(prefix)))
			continue;
		name = request_keep(r, str_sub(h, sizeof(prefix) - 1, SIZE_MAX));
		lower = r->scratch.p + (name.p - r->scratch.p);
		for (size_t k = 0; k < name.n; k++)
			if (lower[k] >= 'A' && lower[k] <= 'Z')
				lower[k] = (char)(lower[k] + 32);
		bytes += name.n + v.n;
		if (m->n_meta == ARRAY_LEN(m->meta) || bytes > LIMIT_USER_METADATA_BYTES)
			return refused(r, S3_METADATA_TOO_LARGE, NULL);
		m->meta[m->n_meta++] = (struct pair){name, v};
	}
	return true;
}

/* aws-chunked is how the body travelled, not what it is */
static struct str
without_aws_chunked(struct request *r, struct str v)
{
	struct str rest = v, item;
	AUTO_BUF b = BUF(1024);
	bool more = v.n > 0;

	while (more) {
		more = str_split(rest, ',', &item, &rest);
		item = str_trim(item);
		if (item.n == 0 || str_eq_nocase(item, STR("aws-chunked")))
			continue;
		if (b.n)
			buf_put_char(&b, ',');
		buf_put_str(&b, item);
	}
	return request_keep(r, buf_str(&b));
}

static bool
storage_class_is_known(struct str s)
{
	/* all are kept on the same disks; the client's word is given back */
	static const char *const known[] = {"STANDARD", "REDUCED_REDUNDANCY", "STANDARD_IA", "ONEZONE_IA",
		"INTELLIGENT_TIERING", "GLACIER_IR"};

	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		if (str_eq(s, str_c(known[i])))
			return true;
	return false;
}

static bool
take_encryption(struct request *r, struct manifest *m)
{
	m->sse = request_header(r, "x-amz-server-side-encryption");
	m->sse_key_id = request_header(r, "x-amz-server-side-encryption-aws-kms-key-id");
	if (m->sse.p && !str_eq(m->sse, STR("AES256")) && !str_eq(m->sse, STR("aws:kms")) && !str_eq(m->sse, STR("aws:kms:dsse")))
		return refused(r, S3_INVALID_ENCRYPTION_ALGORITHM, "x-amz-server-side-encryption");
	if (m->sse_key_id.p && !str_starts(m->sse, STR("aws:kms")))
		return refused(r, S3_INVALID_ARGUMENT, "x-amz-server-side-encryption-aws-kms-key-id");
	/* a key that the client keeps (SSE-C) is a promise that is not kept here: refused, never ignored */
	if (request_header(r, "x-amz-server-side-encryption-customer-algorithm").p ||
	    request_header(r, "x-amz-server-side-encryption-customer-key").p ||
	    request_header(r, "x-amz-server-side-encryption-customer-key-MD5").p)
		return refused(r, S3_NOT_IMPLEMENTED, "x-amz-server-side-encryption-customer-algorithm");
	return true;
}

bool
manifest_from_headers(struct request *r, struct manifest *ret)
{
	struct manifest m = {0};

	m.content_type = request_header(r, "content-type");
	m.content_encoding = without_aws_chunked(r, request_header(r, "content-encoding"));
	m.content_disposition = request_header(r, "content-disposition");
	m.content_language = request_header(r, "content-language");
	m.cache_control = request_header(r, "cache-control");
	m.expires = request_header(r, "expires");
	m.website_redirect = request_header(r, "x-amz-website-redirect-location");
	m.storage_class = request_header(r, "x-amz-storage-class");
	if (m.storage_class.n && !storage_class_is_known(m.storage_class))
		return refused(r, S3_INVALID_STORAGE_CLASS, "x-amz-storage-class");
	if (!take_encryption(r, &m) || !take_user_metadata(r, &m))
		return false;
	*ret = m;
	return true;
}

void
answer_sse_headers(struct request *r, const struct manifest *m, struct id domain)
{
	AUTO_BUF arn = BUF(128);

	if (str_eq(m->sse, STR("AES256"))) {
		answer_header(r, "x-amz-server-side-encryption", STR("AES256"));
		return;
	}
	answer_header(r, "x-amz-server-side-encryption", m->sse.n ? m->sse : STR("aws:kms"));
	if (m->sse_key_id.n) {
		answer_header(r, "x-amz-server-side-encryption-aws-kms-key-id", m->sse_key_id);
		return;
	}
	buf_put_c(&arn, "arn:cloister:domain/");
	buf_put_id_hex(&arn, domain);
	answer_header(r, "x-amz-server-side-encryption-aws-kms-key-id", buf_str(&arn));
}

static void
header_or_override(struct request *r, const char *name, const char *override, struct str kept, struct str otherwise)
{
	struct str v = request_query(r, override);

	if (!v.n)
		v = kept.n ? kept : otherwise;
	if (v.n)
		answer_header(r, name, v);
}

void
manifest_answer_headers(struct request *r, const struct manifest *m)
{
	header_or_override(r, "Content-Type", "response-content-type", m->content_type, STR("binary/octet-stream"));
	header_or_override(r, "Content-Encoding", "response-content-encoding", m->content_encoding, STR_NONE);
	header_or_override(r, "Content-Disposition", "response-content-disposition", m->content_disposition, STR_NONE);
	header_or_override(r, "Content-Language", "response-content-language", m->content_language, STR_NONE);
	header_or_override(r, "Cache-Control", "response-cache-control", m->cache_control, STR_NONE);
	header_or_override(r, "Expires", "response-expires", m->expires, STR_NONE);
	if (m->website_redirect.n)
		answer_header(r, "x-amz-website-redirect-location", m->website_redirect);
	if (m->storage_class.n && !str_eq(m->storage_class, STR("STANDARD")))
		answer_header(r, "x-amz-storage-class", m->storage_class);
	for (size_t i = 0; i < m->n_meta; i++) {
		AUTO_BUF name = BUF(LIMIT_USER_METADATA_BYTES + 32);

		buf_put_c(&name, "x-amz-meta-");
		buf_put_str(&name, m->meta[i].name);
		buf_put_char(&name, 0);
		/* libmicrohttpd leaves out what is empty; blanks around a value mean nothing (RFC 9110, 5.5) */
		answer_header(r, name.p, m->meta[i].value.n ? m->meta[i].value : STR(" "));
	}
}

void
manifest_answer_checksum(struct request *r, const struct manifest *m)
{
	if (m->checksum.kind != CHECKSUM_NONE && str_eq_nocase(request_header(r, "x-amz-checksum-mode"), STR("ENABLED"))) {
		AUTO_BUF v = BUF(64);

		buf_put_checksum(&v, &m->checksum);
		if (m->checksum_composite) {
			buf_put_char(&v, '-');
			buf_put_dec(&v, m->n_parts);
		}
		answer_header(r, checksum_header(m->checksum.kind), buf_str(&v));
		answer_header(r, "x-amz-checksum-type", m->checksum_composite ? STR("COMPOSITE") : STR("FULL_OBJECT"));
	}
}
