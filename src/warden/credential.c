#include "warden/credential.h"

#include "base/num.h"
#include "warden/doc.h"
#include "warden/totp.h"

struct err
credentials_init(struct credentials *c)
{
	struct secret *key = secret_alloc();

	if (!key)
		return ERR(ERR_NO_MEMORY);
	secret_random(key);
	*c = (struct credentials){.key = key};
	return OK;
}

static void
access_key_free(struct access_key *k)
{
	if (!k)
		return;
	buf_release(&k->secret);
	free(k);
}

void
credentials_release(struct credentials *c)
{
	struct access_key *k;
	size_t at = 0;

	while ((k = map_next(&c->by_id, &at)))
		access_key_free(k);
	map_release(&c->by_id);
	map_release(&c->by_name);
	secret_free(c->key);
	c->key = NULL;
}

struct access_key *
access_key_by_name(const struct credentials *c, struct str name)
{
	return map_get(&c->by_name, name);
}

struct access_key *
access_key_by_id(const struct credentials *c, struct id id)
{
	return map_get(&c->by_id, str_of(id.b, sizeof(id.b)));
}

void
access_key_new_name(struct buf *out)
{
	uint8_t random[15]; /* 24 digits, of which 18 are taken */
	AUTO_BUF b = BUF(32);

	rand_bytes(random, sizeof(random));
	put_base32(&b, random, sizeof(random));
	buf_put_c(out, "CL");
	buf_put_str(out, str_sub(buf_str(&b), 0, ACCESS_KEY_CHARS - 2));
}

void
access_key_new_secret(struct buf *out)
{
	uint8_t random[SECRET_CHARS / 4 * 3];

	rand_bytes(random, sizeof(random));
	buf_put_base64(out, random, sizeof(random));
	explicit_bzero(random, sizeof(random));
}

void
password_random(struct buf *out)
{
	AUTO_BUF b = BUF_WIPED(32);
	uint8_t random[13];

	rand_bytes(random, sizeof(random));
	put_base32(&b, random, sizeof(random));
	explicit_bzero(random, sizeof(random));
	for (size_t i = 0; i < 20 && i < b.n; i++) {
		if (i > 0 && i % 5 == 0)
			buf_put_char(out, '-');
		buf_put_char(out, b.p[i] >= 'A' && b.p[i] <= 'Z' ? (char)(b.p[i] + 32) : b.p[i]);
	}
}

struct err
access_key_check(struct str name, struct str secret)
{
	if (name.n < ACCESS_KEY_MIN || name.n > LIMIT_ACCESS_KEY || secret.n < SECRET_MIN ||
	    secret.n > LIMIT_SECRET)
		return ERR(ERR_INVALID);
	/* an id is a TOKEN in records, and stands before '/' in signatures */
	for (size_t i = 0; i < name.n; i++) {
		char c = name.p[i];

		if (!(c >= 'A' && c <= 'Z') && !(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') &&
		    c != '_' && c != '-')
			return ERR(ERR_INVALID);
	}
	for (size_t i = 0; i < secret.n; i++)
		if (secret.p[i] <= ' ' || secret.p[i] > '~')
			return ERR(ERR_INVALID);
	return OK;
}

static struct str
name_of(const struct access_key *k)
{
	return str_c(k->name);
}

struct err
access_key_seal(const struct credentials *c, struct str secret, struct access_key *k)
{
	k->secret = BUF(LIMIT_SECRET + XAES_OVERHEAD);
	return xaes_seal(c->key, name_of(k), secret, &k->secret);
}

struct err
access_key_secret(const struct credentials *c, const struct access_key *k, struct buf *out)
{
	if (k->secret.n == 0)
		return ERR(ERR_EXPIRED);
	return xaes_open(c->key, name_of(k), buf_str(&k->secret), out);
}

static struct err
read_key(const struct credentials *c, const json_t *j, struct access_key *k)
{
	struct str name = doc_text(j, "name"), secret = doc_text(j, "secret");
	const json_t *buckets = json_object_get(j, "buckets");

	k->revoked = doc_flag(j, "revoked");
	if (err_is(access_key_check(name, k->revoked ? STR("revoked-") : secret)))
		return ERR(ERR_CORRUPT);
	memcpy(k->name, name.p, name.n);
	k->person = doc_id(j, "person");
	k->created_us = doc_number(j, "created_us");
	k->expires_us = doc_number(j, "expires_us");
	k->read_only = doc_flag(j, "read_only");
	for (size_t i = 0; i < json_array_size(buckets); i++) {
		struct str bucket = str_c(json_string_value(json_array_get(buckets, i)));

		if (k->n_buckets == LIMIT_KEY_BUCKETS || bucket.n == 0 ||
		    bucket.n >= sizeof(k->buckets[0]))
			return ERR(ERR_CORRUPT);
		memcpy(k->buckets[k->n_buckets++], bucket.p, bucket.n);
	}
	return k->revoked ? OK : access_key_seal(c, secret, k);
}

struct err
credentials_put(struct credentials *c, struct id id, struct str json)
{
	struct access_key *k = calloc(1, sizeof(*k)), *old = access_key_by_id(c, id);
	AUTO_DOC *j = NULL;
	struct err e;

	if (!k)
		return ERR(ERR_NO_MEMORY);
	k->id = id;
	e = doc_parse(json, &j);
	if (!err_is(e))
		e = read_key(c, j, k);
	if (err_is(e)) {
		access_key_free(k);
		return e.code == ERR_INVALID ? ERR(ERR_CORRUPT) : e;
	}
	if (old) {
		map_remove(&c->by_name, name_of(old));
		map_remove(&c->by_id, str_of(old->id.b, sizeof(old->id.b)));
		access_key_free(old);
	}
	e = map_put(&c->by_id, str_of(k->id.b, sizeof(k->id.b)), k);
	if (!err_is(e)) {
		e = map_put(&c->by_name, name_of(k), k);
		if (err_is(e))
			map_remove(&c->by_id, str_of(k->id.b, sizeof(k->id.b)));
	}
	if (err_is(e))
		access_key_free(k);
	return e;
}

struct err
access_key_write(const struct credentials *c, const struct access_key *k, struct buf *json)
{
	AUTO_BUF secret = BUF_WIPED(LIMIT_SECRET);
	AUTO_DOC *j = json_object();
	json_t *buckets = json_array();
	bool good = j && doc_set(j, "buckets", buckets);

	if (!k->revoked)
		TRY(access_key_secret(c, k, &secret));
	for (size_t i = 0; good && i < k->n_buckets; i++)
		good = doc_add_text(buckets, str_c(k->buckets[i]));
	good = good && doc_set_text(j, "name", name_of(k)) &&
	    doc_set_text(j, "secret", buf_str(&secret)) && doc_set_id(j, "person", k->person) &&
	    doc_set_flag(j, "revoked", k->revoked) && doc_set_flag(j, "read_only", k->read_only) &&
	    doc_set_number(j, "created_us", k->created_us) &&
	    doc_set_number(j, "expires_us", k->expires_us);
	if (!good)
		return ERR(ERR_NO_MEMORY);
	return doc_write(j, json);
}
