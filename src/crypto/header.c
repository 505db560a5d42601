#include "crypto/header.h"

#include "base/num.h"
#include "crypto/testing.h"

#define SUITE_COBBLESTONE_256 1
#define AT_SUITE 8
#define AT_DOMAIN 16
#define AT_BUCKET 32
#define AT_OBJECT 48
#define AT_VERSION 64
#define AT_PART 80
#define AT_SLOTS 88
#define SLOT_BYTES 80
#define SLOT_CRC 76
#define AT_CHECK 248
#define CHECK_BYTES 8

static const char magic[8] = {'C', 'L', 'O', 'I', 'S', 'T', 'R', '1'};

/* CRC-32 as in ISO-HDLC, zlib and Ethernet, four bits at a time: finds torn writes, proves nothing. */
static uint32_t
crc32_of(const uint8_t *p, size_t n)
{
	static const uint32_t table[16] = {0x00000000, 0x1DB71064, 0x3B6E20C8, 0x26D930AC, 0x76DC4190, 0x6B6B51F4,
		0x4DB26158, 0x5005713C, 0xEDB88320, 0xF00F9344, 0xD6D6A3E8, 0xCB61B38C, 0x9B64C2B0, 0x86D3D2D4,
		0xA00AE278, 0xBDBDF21C};
	uint32_t c = UINT32_MAX;

	for (size_t i = 0; i < n; i++) {
		c ^= p[i];
		c = c >> 4 ^ table[c & 15];
		c = c >> 4 ^ table[c & 15];
	}
	return ~c;
}

static void
slot_encode(uint8_t *slot, uint32_t epoch, const uint8_t wrapped[WRAPPED_BYTES])
{
	num_put_be32(slot, epoch);
	memcpy(slot + 4, wrapped, WRAPPED_BYTES);
	num_put_be32(slot + SLOT_CRC, crc32_of(slot, SLOT_CRC));
}

static bool
slot_is_valid(const uint8_t *slot)
{
	return num_get_be32(slot + SLOT_CRC) == crc32_of(slot, SLOT_CRC);
}

/* The valid slot with the newest epoch, or NULL. */
static const uint8_t *
newest_slot(const uint8_t in[HEADER_BYTES])
{
	const uint8_t *s0 = in + AT_SLOTS, *s1 = s0 + SLOT_BYTES;
	bool v0 = slot_is_valid(s0), v1 = slot_is_valid(s1);

	if (v0 && v1)
		return num_get_be32(s1) > num_get_be32(s0) ? s1 : s0;
	return v0 ? s0 : v1 ? s1 : NULL;
}

static void
check_of(const uint8_t in[HEADER_BYTES], uint8_t out[CHECK_BYTES])
{
	uint8_t hash[SHA256_BYTES];

	sha256(str_of(in, AT_SLOTS), hash);
	memcpy(out, hash, CHECK_BYTES);
}

void
header_encode(const struct blob_header *h, uint8_t out[HEADER_BYTES])
{
	memset(out, 0, HEADER_BYTES);
	memcpy(out, magic, sizeof(magic));
	out[AT_SUITE] = SUITE_COBBLESTONE_256;
	memcpy(out + AT_DOMAIN, h->domain.b, 16);
	memcpy(out + AT_BUCKET, h->bucket.b, 16);
	memcpy(out + AT_OBJECT, h->object.b, 16);
	memcpy(out + AT_VERSION, h->version.b, 16);
	num_put_be32(out + AT_PART, h->part);
	slot_encode(out + AT_SLOTS, h->epoch, h->wrapped);
	check_of(out, out + AT_CHECK);
}

struct err
header_decode(const uint8_t in[HEADER_BYTES], struct blob_header *ret)
{
	static const uint8_t zero[7];
	const uint8_t *slot = newest_slot(in);
	uint8_t check[CHECK_BYTES];
	struct blob_header h;

	check_of(in, check);
	if (memcmp(in, magic, sizeof(magic)) != 0 || memcmp(in + AT_CHECK, check, CHECK_BYTES) != 0)
		return ERR(ERR_CORRUPT);
	if (in[AT_SUITE] != SUITE_COBBLESTONE_256)
		return ERR(ERR_UNSUPPORTED);
	if (memcmp(in + AT_SUITE + 1, zero, 7) != 0 || memcmp(in + AT_PART + 4, zero, 4) != 0 || !slot)
		return ERR(ERR_CORRUPT);
	memcpy(h.domain.b, in + AT_DOMAIN, 16);
	memcpy(h.bucket.b, in + AT_BUCKET, 16);
	memcpy(h.object.b, in + AT_OBJECT, 16);
	memcpy(h.version.b, in + AT_VERSION, 16);
	h.part = num_get_be32(in + AT_PART);
	h.epoch = num_get_be32(slot);
	memcpy(h.wrapped, slot + 4, WRAPPED_BYTES);
	*ret = h;
	return OK;
}

struct err
header_rewrap(const uint8_t in[HEADER_BYTES], uint32_t epoch, const uint8_t wrapped[WRAPPED_BYTES],
    uint8_t out[HEADER_BYTES], size_t *ret_at)
{
	struct blob_header h;
	size_t at;

	TRY(header_decode(in, &h));
	/* an older epoch would be written and never read */
	if (epoch <= h.epoch)
		return ERR(ERR_CONFLICT);
	at = newest_slot(in) == in + AT_SLOTS ? AT_SLOTS + SLOT_BYTES : AT_SLOTS;
	memmove(out, in, HEADER_BYTES);
	slot_encode(out + at, epoch, wrapped);
	*ret_at = at;
	return OK;
}

#define AAD_BYTES (21 + 4 * 16)

static struct str
key_aad(const struct blob_header *h, uint8_t out[AAD_BYTES])
{
	memcpy(out, "cloister data key v1", 21); /* with its zero byte */
	memcpy(out + 21, h->domain.b, 16);
	memcpy(out + 37, h->bucket.b, 16);
	memcpy(out + 53, h->object.b, 16);
	memcpy(out + 69, h->version.b, 16);
	return str_of(out, AAD_BYTES);
}

struct err
data_key_wrap(const struct domain_key *d, struct blob_header *h, const struct data_key *k)
{
	uint8_t aad[AAD_BYTES];

	return key_wrap(&d->s, key_aad(h, aad), &k->s, h->wrapped);
}

struct err
data_key_wrap_with_nonce(const struct domain_key *d, const uint8_t nonce[XAES_NONCE], struct blob_header *h,
    const struct data_key *k)
{
	struct buf out = BUF(WRAPPED_BYTES);
	uint8_t aad[AAD_BYTES];
	struct err e = xaes_seal_with_nonce(&d->s, nonce, key_aad(h, aad),
	    str_of(secret_expose(&k->s), KEY_BYTES), &out);

	if (!err_is(e))
		memcpy(h->wrapped, out.p, WRAPPED_BYTES);
	buf_release(&out);
	return e;
}

struct err
data_key_unwrap(const struct domain_key *d, const struct blob_header *h, struct data_key *k)
{
	uint8_t aad[AAD_BYTES];

	return key_unwrap(&d->s, key_aad(h, aad), h->wrapped, &k->s);
}
