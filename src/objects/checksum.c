#include "objects/checksum.h"

#include "crypto/crypto.h"
#include "objects/crc.h"

static const struct {
	const char *name, *header;
	uint8_t bytes;
	int crc;    /* enum crc_kind; -1: a digest */
	enum digest_kind digest;
} kinds[CHECKSUM_KIND_COUNT] = {
	[CHECKSUM_NONE] = {"", "", 0, -1, DIGEST_SHA256},
	[CHECKSUM_CRC32] = {"CRC32", "x-amz-checksum-crc32", 4, CRC_32, DIGEST_SHA256},
	[CHECKSUM_CRC32C] = {"CRC32C", "x-amz-checksum-crc32c", 4, CRC_32C, DIGEST_SHA256},
	[CHECKSUM_CRC64NVME] = {"CRC64NVME", "x-amz-checksum-crc64nvme", 8, CRC_64NVME, DIGEST_SHA256},
	[CHECKSUM_SHA1] = {"SHA1", "x-amz-checksum-sha1", 20, -1, DIGEST_SHA1},
	[CHECKSUM_SHA256] = {"SHA256", "x-amz-checksum-sha256", 32, -1, DIGEST_SHA256},
};

struct checksum {
	enum checksum_kind kind;
	uint64_t crc;
	struct digest *digest; /* of the kinds that are no CRC */
};

struct checksum *
checksum_new(enum checksum_kind kind)
{
	struct checksum *c;

	INVARIANT(kind > CHECKSUM_NONE && kind < CHECKSUM_KIND_COUNT);
	c = calloc(1, sizeof(*c));
	if (!c)
		return NULL;
	c->kind = kind;
	if (kinds[kind].crc < 0 && !(c->digest = digest_new(kinds[kind].digest))) {
		free(c);
		return NULL;
	}
	return c;
}

void
checksum_free(struct checksum *c)
{
	if (c)
		digest_free(c->digest);
	free(c);
}

void
checksum_update(struct checksum *c, const void *p, size_t n)
{
	if (n == 0)
		return;
	if (c->digest)
		digest_update(c->digest, p, n);
	else
		c->crc = crc_update((enum crc_kind)kinds[c->kind].crc, c->crc, p, n);
}

static struct checksum_value
value_of_crc(enum checksum_kind kind, uint64_t crc)
{
	struct checksum_value v = {.kind = kind, .n = kinds[kind].bytes};

	for (size_t i = v.n; i-- > 0; crc >>= 8)
		v.b[i] = (uint8_t)crc;
	return v;
}

static uint64_t
crc_of_value(const struct checksum_value *v)
{
	uint64_t crc = 0;

	for (size_t i = 0; i < v->n; i++)
		crc = crc << 8 | v->b[i];
	return crc;
}

struct checksum_value
checksum_final(struct checksum *c)
{
	struct checksum_value v = {.kind = c->kind, .n = kinds[c->kind].bytes};
	uint8_t out[DIGEST_MAX_BYTES];

	if (!c->digest)
		return value_of_crc(c->kind, c->crc);
	INVARIANT(digest_final(c->digest, out) == v.n);
	memcpy(v.b, out, v.n);
	return v;
}

size_t
checksum_bytes(enum checksum_kind kind)
{
	INVARIANT(kind < CHECKSUM_KIND_COUNT);
	return kinds[kind].bytes;
}

const char *
checksum_header(enum checksum_kind kind)
{
	INVARIANT(kind < CHECKSUM_KIND_COUNT);
	return kinds[kind].header;
}

const char *
checksum_name(enum checksum_kind kind)
{
	INVARIANT(kind < CHECKSUM_KIND_COUNT);
	return kinds[kind].name;
}

struct err
checksum_kind_parse(struct str name, enum checksum_kind *ret)
{
	for (size_t i = CHECKSUM_CRC32; i < CHECKSUM_KIND_COUNT; i++)
		if (str_eq_nocase(name, str_c(kinds[i].name))) {
			*ret = (enum checksum_kind)i;
			return OK;
		}
	return ERR(ERR_INVALID);
}

struct err
checksum_parse(enum checksum_kind kind, struct str base64, struct checksum_value *ret)
{
	struct checksum_value v = {.kind = kind};
	AUTO_BUF raw = BUF(CHECKSUM_MAX_BYTES);

	INVARIANT(kind > CHECKSUM_NONE && kind < CHECKSUM_KIND_COUNT);
	if (err_is(buf_decode_base64(&raw, base64)) || raw.n != kinds[kind].bytes)
		return ERR(ERR_INVALID);
	v.n = (uint8_t)raw.n;
	memcpy(v.b, raw.p, raw.n);
	*ret = v;
	return OK;
}

void
buf_put_checksum(struct buf *b, const struct checksum_value *v)
{
	buf_put_base64(b, v->b, v->n);
}

bool
checksum_equal(const struct checksum_value *a, const struct checksum_value *b)
{
	return a->kind == b->kind && a->n == b->n && crypto_equal(a->b, b->b, a->n);
}

struct checksum_value
checksum_combine(enum checksum_kind kind, const struct checksum_value *a, const struct checksum_value *b, uint64_t len_b)
{
	INVARIANT(kinds[kind].crc >= 0 && a->kind == kind && b->kind == kind);
	return value_of_crc(kind, crc_combine((enum crc_kind)kinds[kind].crc, crc_of_value(a), crc_of_value(b), len_b));
}
