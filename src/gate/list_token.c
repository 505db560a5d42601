#include "gate/list_token.h"

#include "base/limits.h"
#include "crypto/crypto.h"

/* u8 version, u8 flags, 8 bytes of digest, key; in base64 */
#define TOKEN_VERSION 1
#define TOKEN_HEAD (2 + TOKEN_DIGEST)
#define TOKEN_DIGEST 8
#define TOKEN_KEY_MAX (LIMIT_OBJECT_KEY_BYTES + TOKEN_HEAD)

static void
token_digest(struct id bucket, struct str prefix, struct str delimiter, struct str last, bool last_is_prefix,
    uint8_t out[TOKEN_DIGEST])
{
	AUTO_BUF text = BUF_WIPED(64 * KiB);
	uint8_t hash[SHA256_BYTES];

	buf_put_lstr(&text, STR("cloister list token v1"));
	buf_put_id(&text, bucket);
	buf_put_lstr(&text, prefix);
	buf_put_lstr(&text, delimiter);
	buf_put_lstr(&text, last);
	buf_put_u8(&text, last_is_prefix);
	sha256(buf_str(&text), hash);
	memcpy(out, hash, TOKEN_DIGEST);
}

void
token_make(struct id bucket, struct str prefix, struct str delimiter, struct str last, bool last_is_prefix, struct buf *out)
{
	AUTO_BUF raw = BUF_WIPED(TOKEN_KEY_MAX);
	uint8_t digest[TOKEN_DIGEST];

	token_digest(bucket, prefix, delimiter, last, last_is_prefix, digest);
	buf_put_u8(&raw, TOKEN_VERSION);
	buf_put_u8(&raw, last_is_prefix);
	buf_put(&raw, digest, TOKEN_DIGEST);
	buf_put_str(&raw, last);
	if (raw.failed)
		out->failed = true;
	else
		buf_put_base64(out, raw.p, raw.n);
}

struct err
token_open(struct str token, struct id bucket, struct str prefix, struct str delimiter, struct buf *last, bool *ret_last_is_prefix)
{
	AUTO_BUF raw = BUF_WIPED(TOKEN_KEY_MAX);
	uint8_t digest[TOKEN_DIGEST];
	struct str key;
	uint8_t flags;

	if (err_is(buf_decode_base64(&raw, token)) || raw.n < TOKEN_HEAD || raw.p[0] != TOKEN_VERSION)
		return ERR(ERR_INVALID);
	flags = (uint8_t)raw.p[1];
	key = str_sub(buf_str(&raw), TOKEN_HEAD, SIZE_MAX);
	if (flags > 1)
		return ERR(ERR_INVALID);
	token_digest(bucket, prefix, delimiter, key, flags, digest);
	if (memcmp(digest, raw.p + 2, TOKEN_DIGEST) != 0)
		return ERR(ERR_INVALID);
	buf_put_str(last, key);
	TRY(buf_check(last));
	*ret_last_is_prefix = flags;
	return OK;
}
