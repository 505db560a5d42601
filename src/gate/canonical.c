#include "gate/canonical.h"

#include "base/clock.h"

struct err
percent_decode(struct str s, bool plus, struct buf *out)
{
	for (size_t i = 0; i < s.n; i++) {
		uint64_t v;

		if (s.p[i] == '+' && plus) {
			buf_put_char(out, ' ');
		} else if (s.p[i] == '%') {
			if (s.n - i < 3)
				return ERR(ERR_INVALID);
			TRY(num_parse_hex(str_sub(s, i + 1, 2), &v));
			if (v == 0)
				return ERR(ERR_INVALID);
			buf_put_u8(out, (uint8_t)v);
			i += 2;
		} else {
			buf_put_char(out, s.p[i]);
		}
	}
	return buf_check(out);
}

static bool
is_unreserved(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
	    c == '_' || c == '~';
}

void
percent_encode(struct str s, bool keep_slash, struct buf *out)
{
	static const char digits[] = "0123456789ABCDEF";

	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (is_unreserved(s.p[i]) || (c == '/' && keep_slash)) {
			buf_put_char(out, s.p[i]);
		} else {
			buf_put_char(out, '%');
			buf_put_char(out, digits[c >> 4]);
			buf_put_char(out, digits[c & 15]);
		}
	}
}

/* ---- the canonical request ---- */

struct encoded { struct str name, value; };

static int
encoded_cmp(const void *a, const void *b)
{
	const struct encoded *x = a, *y = b;
	int c = str_cmp(x->name, y->name);

	return c ? c : str_cmp(x->value, y->value);
}

static struct err
canonical_query(const struct request *r, bool presigned, struct buf *b)
{
	AUTO_BUF text = BUF(64 * KiB);
	size_t at[LIMIT_QUERY_PAIRS * 2];
	struct encoded q[LIMIT_QUERY_PAIRS];
	size_t n = 0;

	for (size_t i = 0; i < r->n_query; i++) {
		if (presigned && str_eq(r->query[i].name, STR("X-Amz-Signature")))
			continue;
		at[2 * n] = text.n;
		percent_encode(r->query[i].name, false, &text);
		at[2 * n + 1] = text.n;
		percent_encode(r->query[i].value, false, &text);
		n++;
	}
	TRY(buf_check(&text));
	for (size_t i = 0; i < n; i++) {
		size_t end = i + 1 < n ? at[2 * i + 2] : text.n;

		q[i].name = str_of(text.p + at[2 * i], at[2 * i + 1] - at[2 * i]);
		q[i].value = str_of(text.p + at[2 * i + 1], end - at[2 * i + 1]);
	}
	qsort(q, n, sizeof(q[0]), encoded_cmp);
	for (size_t i = 0; i < n; i++) {
		if (i)
			buf_put_char(b, '&');
		buf_put_str(b, q[i].name);
		buf_put_char(b, '=');
		buf_put_str(b, q[i].value);
	}
	return OK;
}

/* ${v} without blanks around it and with inner runs of blanks made one */
static void
put_trimmed(struct buf *b, struct str v)
{
	v = str_trim(v);
	for (size_t i = 0; i < v.n; i++)
		if (v.p[i] != ' ' || i == 0 || v.p[i - 1] != ' ')
			buf_put_char(b, v.p[i]);
}

static struct err
canonical_headers(const struct request *r, struct str signed_headers, struct buf *b)
{
	struct str rest = signed_headers, name;
	bool more = true;

	while (more) {
		bool found = false;

		more = str_split(rest, ';', &name, &rest);
		buf_put_str(b, name);
		buf_put_char(b, ':');
		for (size_t i = 0; i < r->n_headers; i++) {
			if (!str_eq_nocase(r->headers[i].name, name))
				continue;
			if (found)
				buf_put_char(b, ',');
			put_trimmed(b, r->headers[i].value);
			found = true;
		}
		if (!found)
			return ERR(ERR_INVALID);
		buf_put_char(b, '\n');
	}
	return OK;
}

struct err
canonical_request(const struct request *r, struct str signed_headers, bool presigned, struct buf *b)
{
	AUTO_BUF path = BUF(16 * KiB);
	struct str hash = request_header(r, "x-amz-content-sha256");

	buf_put_str(b, r->method_text);
	buf_put_char(b, '\n');
	TRY(percent_decode(r->raw_path, false, &path));
	percent_encode(buf_str(&path), true, b);
	buf_put_char(b, '\n');
	TRY(canonical_query(r, presigned, b));
	buf_put_char(b, '\n');
	TRY(canonical_headers(r, signed_headers, b));
	buf_put_char(b, '\n');
	buf_put_str(b, signed_headers);
	buf_put_char(b, '\n');
	if (presigned && !hash.p)
		hash = request_query(r, "X-Amz-Content-Sha256");
	buf_put_str(b, hash.p ? hash : STR("UNSIGNED-PAYLOAD"));
	return buf_check(b);
}

struct err
payload_of(const struct request *r, struct payload *ret)
{
	struct str h = request_header(r, "x-amz-content-sha256");
	AUTO_BUF raw = BUF(32);

	if (!h.p || str_eq(h, STR("UNSIGNED-PAYLOAD")))
		ret->kind = PAYLOAD_UNSIGNED;
	else if (str_eq(h, STR("STREAMING-AWS4-HMAC-SHA256-PAYLOAD")))
		ret->kind = PAYLOAD_CHUNKS;
	else if (str_eq(h, STR("STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER")))
		ret->kind = PAYLOAD_CHUNKS_TRAILER;
	else if (str_eq(h, STR("STREAMING-UNSIGNED-PAYLOAD-TRAILER")))
		ret->kind = PAYLOAD_UNSIGNED_TRAILER;
	else {
		if (h.n != 64)
			return ERR(ERR_INVALID);
		TRY(buf_decode_hex(&raw, h));
		memcpy(ret->sha256, raw.p, 32);
		ret->kind = PAYLOAD_SHA256;
	}
	return OK;
}

/* ---- the proof ---- */

/* every x-amz-* header must be signed: else whoever holds a presigned URL could add, say, x-amz-copy-source */
static bool
amz_headers_signed(const struct request *r, struct str signed_headers)
{
	for (size_t i = 0; i < r->n_headers; i++) {
		struct str h = r->headers[i].name, rest = signed_headers, name;
		bool more = true, found = false;

		if (!str_eq_nocase(str_sub(h, 0, 6), STR("x-amz-")))
			continue;
		while (more && !found) {
			more = str_split(rest, ';', &name, &rest);
			found = str_eq_nocase(name, h);
		}
		if (!found)
			return false;
	}
	return true;
}

static bool
lists_header(struct str signed_headers, struct str want)
{
	struct str rest = signed_headers, name;
	bool more = true;

	while (more) {
		more = str_split(rest, ';', &name, &rest);
		if (str_eq(name, want))
			return true;
	}
	return false;
}

/* credential: <access key>/<date>/<region>/<service>/aws4_request; the access key may hold slashes */
static struct err
parse_credential(struct str c, struct proof *p)
{
	struct str field[4];

	for (int i = 0; i < 4; i++) {
		size_t at = c.n;

		while (at > 0 && c.p[at - 1] != '/')
			at--;
		if (at == 0)
			return ERR(ERR_INVALID);
		field[i] = str_sub(c, at, SIZE_MAX);
		c.n = at - 1;
	}
	if (!str_eq(field[0], STR("aws4_request")) || c.n == 0 || field[3].n != 8)
		return ERR(ERR_INVALID);
	p->access_key = c;
	p->scope_date = field[3];
	p->region = field[2];
	p->service = field[1];
	return OK;
}

static struct err
parse_signature(struct str hex, struct proof *p)
{
	AUTO_BUF raw = BUF(32);

	if (hex.n != 64)
		return ERR(ERR_INVALID);
	TRY(buf_decode_hex(&raw, hex));
	memcpy(p->signature, raw.p, 32);
	return OK;
}

static bool
hash_canonical(struct request *r, struct str signed_headers, bool presigned)
{
	AUTO_BUF text = BUF(128 * KiB);

	if (err_is(canonical_request(r, signed_headers, presigned, &text)))
		return false;
	sha256(buf_str(&text), r->proof.canonical_sha256);
	return true;
}

static bool
refuse(struct request *r, enum s3_error e, const char *field)
{
	answer_error_field(r, e, field);
	return false;
}

/* Authorization: AWS4-HMAC-SHA256 Credential=…, SignedHeaders=…, Signature=… */
static bool
proof_from_header(struct request *r, struct str h)
{
	struct str rest = str_trim(str_sub(h, 16, SIZE_MAX)), item, signed_headers = STR_NONE;
	struct proof *p = &r->proof;
	struct payload payload;
	bool more = true;
	unsigned seen = 0;
	int64_t us;

	while (more) {
		struct str name, value;

		more = str_split(rest, ',', &item, &rest);
		if (!str_split(str_trim(item), '=', &name, &value))
			return refuse(r, S3_AUTHORIZATION_HEADER_MALFORMED, "Authorization");
		if (str_eq(name, STR("Credential")) && !err_is(parse_credential(value, p)))
			seen |= 1;
		else if (str_eq(name, STR("SignedHeaders")) && value.n)
			signed_headers = value, seen |= 2;
		else if (str_eq(name, STR("Signature")) && !err_is(parse_signature(value, p)))
			seen |= 4;
	}
	if (seen != 7)
		return refuse(r, S3_AUTHORIZATION_HEADER_MALFORMED, "Authorization");
	p->date = request_header(r, "x-amz-date");
	if (!p->date.p) {
		struct str date = request_header(r, "date");
		AUTO_BUF b = BUF(32);

		if (err_is(clock_parse_http(date, &us)) && err_is(clock_parse_basic(date, &us)))
			return refuse(r, S3_ACCESS_DENIED, "x-amz-date");
		buf_put_basic_date(&b, us);
		p->date = request_keep(r, buf_str(&b));
	}
	if (err_is(clock_parse_basic(p->date, &us)))
		return refuse(r, S3_ACCESS_DENIED, "x-amz-date");
	if (!str_starts(p->date, p->scope_date)) /* signed for another day than it was made on: S3 calls the signature wrong */
		return refuse(r, S3_SIGNATURE_MISMATCH, "x-amz-date");
	if (!request_header(r, "x-amz-content-sha256").p)
		return refuse(r, S3_INVALID_REQUEST, "x-amz-content-sha256");
	if (err_is(payload_of(r, &payload)))
		return refuse(r, S3_INVALID_ARGUMENT, "x-amz-content-sha256");
	if (!lists_header(signed_headers, STR("host")) || !amz_headers_signed(r, signed_headers))
		return refuse(r, S3_ACCESS_DENIED, "SignedHeaders");
	if (!hash_canonical(r, signed_headers, false))
		return refuse(r, S3_SIGNATURE_MISMATCH, "SignedHeaders");
	p->kind = PROOF_SIGV4;
	return true;
}

static bool
proof_from_query(struct request *r)
{
	struct proof *p = &r->proof;
	struct str signed_headers = request_query(r, "X-Amz-SignedHeaders");
	uint64_t expires;
	int64_t us;

	if (!str_eq(request_query(r, "X-Amz-Algorithm"), STR("AWS4-HMAC-SHA256")))
		return refuse(r, S3_AUTHORIZATION_QUERY_ERROR, "X-Amz-Algorithm");
	if (err_is(parse_credential(request_query(r, "X-Amz-Credential"), p)))
		return refuse(r, S3_AUTHORIZATION_QUERY_ERROR, "X-Amz-Credential");
	if (err_is(parse_signature(request_query(r, "X-Amz-Signature"), p)))
		return refuse(r, S3_SIGNATURE_MISMATCH, "X-Amz-Signature");
	p->date = request_query(r, "X-Amz-Date");
	if (err_is(clock_parse_basic(p->date, &us)))
		return refuse(r, S3_AUTHORIZATION_QUERY_ERROR, "X-Amz-Date");
	/* at most seven days, as AWS */
	if (err_is(num_parse_u64(request_query(r, "X-Amz-Expires"), 604800, &expires)) || expires == 0)
		return refuse(r, S3_AUTHORIZATION_QUERY_ERROR, "X-Amz-Expires");
	p->expires_s = (uint32_t)expires;
	if (!lists_header(signed_headers, STR("host")) || !amz_headers_signed(r, signed_headers))
		return refuse(r, S3_ACCESS_DENIED, "X-Amz-SignedHeaders");
	if (!hash_canonical(r, signed_headers, true))
		return refuse(r, S3_SIGNATURE_MISMATCH, "X-Amz-SignedHeaders");
	p->kind = PROOF_SIGV4;
	return true;
}

bool
proof_of_form(struct request *r, struct str credential, struct str signature)
{
	int64_t us;

	if (err_is(parse_credential(credential, &r->proof)))
		return refuse(r, S3_INVALID_ARGUMENT, "x-amz-credential");
	if (err_is(parse_signature(signature, &r->proof)))
		return refuse(r, S3_SIGNATURE_MISMATCH, "x-amz-signature");
	if (err_is(clock_parse_basic(r->proof.date, &us)))
		return refuse(r, S3_INVALID_ARGUMENT, "x-amz-date");
	r->proof.kind = PROOF_SIGV4_TEXT;
	return true;
}

/* Two of them are two opinions of who asks. */
static bool
comes_once(const struct request *r, const char *name)
{
	size_t n = 0;

	for (size_t i = 0; i < r->n_headers; i++)
		n += str_eq_nocase(r->headers[i].name, str_c(name));
	return n <= 1;
}

bool
proof_from_request(struct request *r)
{
	struct str h = request_header(r, "authorization");

	if (!comes_once(r, "authorization"))
		return refuse(r, S3_AUTHORIZATION_HEADER_MALFORMED, "Authorization");
	if (str_trim(h).n) { /* an empty one is none */
		if (str_starts(h, STR("AWS4-HMAC-SHA256")))
			return proof_from_header(r, h);
		if (str_starts(h, STR("Bearer "))) {
			r->proof.kind = PROOF_SESSION;
			r->proof.token = str_trim(str_sub(h, 7, SIZE_MAX));
			return true;
		}
		if (str_starts(h, STR("AWS "))) /* Signature Version 2, or what is not even that */
			return refuse(r, str_chr(h, ':') != SIZE_MAX ? S3_INVALID_REQUEST : S3_INVALID_ARGUMENT, "Authorization");
		return refuse(r, S3_AUTHORIZATION_HEADER_MALFORMED, "Authorization");
	}
	if (request_has_query(r, "X-Amz-Signature") || request_has_query(r, "X-Amz-Credential"))
		return proof_from_query(r);
	if (request_has_query(r, "Signature") && request_has_query(r, "AWSAccessKeyId"))
		return refuse(r, S3_INVALID_REQUEST, "Signature");
	return true; /* anonymous, or a certificate set by http.c */
}

void
conditions_from_request(struct request *r)
{
	static const struct { const char *source, *key; } headers[] = {
		{"x-amz-acl", "s3:x-amz-acl"}, {"x-amz-copy-source", "s3:x-amz-copy-source"},
		{"x-amz-metadata-directive", "s3:x-amz-metadata-directive"},
		{"x-amz-server-side-encryption", "s3:x-amz-server-side-encryption"},
		{"x-amz-server-side-encryption-aws-kms-key-id", "s3:x-amz-server-side-encryption-aws-kms-key-id"},
		{"x-amz-storage-class", "s3:x-amz-storage-class"},
		{"x-amz-grant-read", "s3:x-amz-grant-read"}, {"x-amz-grant-write", "s3:x-amz-grant-write"},
		{"x-amz-grant-read-acp", "s3:x-amz-grant-read-acp"},
		{"x-amz-grant-write-acp", "s3:x-amz-grant-write-acp"},
		{"x-amz-grant-full-control", "s3:x-amz-grant-full-control"},
		{"x-amz-content-sha256", "s3:x-amz-content-sha256"},
		{"x-amz-object-ownership", "s3:x-amz-object-ownership"},
		{"user-agent", "aws:UserAgent"}, {"referer", "aws:Referer"},
	}, queries[] = {
		{"prefix", "s3:prefix"}, {"delimiter", "s3:delimiter"}, {"max-keys", "s3:max-keys"},
		{"versionId", "s3:VersionId"},
	};

	request_condition(r, STR("aws:SecureTransport"), STR("true"));
	if (r->proof.kind == PROOF_SIGV4) {
		request_condition(r, STR("s3:authType"), r->proof.expires_s ? STR("REST-QUERY-STRING") : STR("REST-HEADER"));
		request_condition(r, STR("s3:signatureversion"), STR("AWS4-HMAC-SHA256"));
	}
	for (size_t i = 0; i < ARRAY_LEN(headers); i++) {
		struct str v = request_header(r, headers[i].source);

		if (v.p)
			request_condition(r, str_c(headers[i].key), v);
	}
	for (size_t i = 0; i < ARRAY_LEN(queries); i++)
		if (request_has_query(r, queries[i].source))
			request_condition(r, str_c(queries[i].key), request_query(r, queries[i].source));
}
