#include "warden/grant.h"

#include "base/num.h"

/*
 * 0 8 "CLOIGRN1"  8 2 action  10 6 zero  16 16 who  32 16 credential  48 16 bucket  64 16 object  80 16 version
 * 96 16 name hash  112 16 charter hash  128 8 record  136 8 until  144 16 zero  160 32 HMAC-SHA-256 of the 160 before
 */
static const char magic[8] = {'C', 'L', 'O', 'I', 'G', 'R', 'N', '1'};

#define AT_ACTION 8
#define AT_WHO 16
#define AT_CREDENTIAL 32
#define AT_BUCKET 48
#define AT_OBJECT 64
#define AT_VERSION 80
#define AT_NAME 96
#define AT_CHARTER 112
#define AT_RECORD 128
#define AT_UNTIL 136
#define AT_MAC 160
_Static_assert(AT_MAC + SHA256_BYTES == GRANT_BYTES, "the MAC ends the grant");

void
grant_make(const struct mac_key *k, const struct grant_terms *t, struct grant *ret)
{
	uint8_t *b = ret->grant_private_b;

	INVARIANT(t->action < ACTION_COUNT);
	memset(b, 0, GRANT_BYTES);
	memcpy(b, magic, sizeof(magic));
	b[AT_ACTION] = (uint8_t)(t->action >> 8);
	b[AT_ACTION + 1] = (uint8_t)t->action;
	memcpy(b + AT_WHO, t->who.b, 16);
	memcpy(b + AT_CREDENTIAL, t->credential.b, 16);
	memcpy(b + AT_BUCKET, t->bucket.b, 16);
	memcpy(b + AT_OBJECT, t->object.b, 16);
	memcpy(b + AT_VERSION, t->version.b, 16);
	memcpy(b + AT_NAME, t->name_hash, 16);
	memcpy(b + AT_CHARTER, t->charter_hash, 16);
	num_put_be64(b + AT_RECORD, t->record);
	num_put_be64(b + AT_UNTIL, (uint64_t)t->until_us);
	mac_sha256(k, str_of(b, AT_MAC), b + AT_MAC);
}

struct err
grant_check(const struct mac_key *k, const struct grant *g, int64_t now_us, struct grant_terms *ret)
{
	const uint8_t *b = g->grant_private_b;
	uint8_t mac[SHA256_BYTES];
	struct grant_terms t;
	unsigned action = (unsigned)b[AT_ACTION] << 8 | b[AT_ACTION + 1];

	mac_sha256(k, str_of(b, AT_MAC), mac);
	if (!crypto_equal(mac, b + AT_MAC, sizeof(mac)) || memcmp(b, magic, sizeof(magic)) != 0 ||
	    action >= ACTION_COUNT)
		return ERR(ERR_DENIED);
	t.action = (enum action)action;
	memcpy(t.who.b, b + AT_WHO, 16);
	memcpy(t.credential.b, b + AT_CREDENTIAL, 16);
	memcpy(t.bucket.b, b + AT_BUCKET, 16);
	memcpy(t.object.b, b + AT_OBJECT, 16);
	memcpy(t.version.b, b + AT_VERSION, 16);
	memcpy(t.name_hash, b + AT_NAME, 16);
	memcpy(t.charter_hash, b + AT_CHARTER, 16);
	t.record = num_get_be64(b + AT_RECORD);
	t.until_us = (int64_t)num_get_be64(b + AT_UNTIL);
	if (now_us > t.until_us)
		return ERR(ERR_EXPIRED);
	*ret = t;
	return OK;
}

void
grant_name_hash(struct str name, uint8_t out[16])
{
	uint8_t hash[SHA256_BYTES];

	sha256(name, hash);
	memcpy(out, hash, 16);
}
