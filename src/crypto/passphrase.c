/* Argon2id by libargon2: OpenSSL has it from 3.2 on only. */
#include <argon2.h>

#include "base/num.h"
#include "crypto/crypto.h"

#define MEMORY_MAX_KIB (1024u * 1024) /* parameters come from a stored file: do not let it ask for everything */
#define PASSES_MAX 64u
#define LANES_MAX 16u

/* For passwords: RFC 9106, section 4, second recommended option (64 MiB, 3 passes), one lane. */
#define PASSWORD_MEMORY_KIB (64u * 1024)
#define PASSWORD_PASSES 3u
#define PASSWORD_SALT 16
#define PASSWORD_HASH 32
#define PASSWORD_BYTES_MAX 1024
#define ENCODED_MAX 256

static struct err
from_argon2(int code)
{
	switch (code) {
	case ARGON2_OK: return OK;
	case ARGON2_VERIFY_MISMATCH: return ERR(ERR_DENIED);
	case ARGON2_MEMORY_ALLOCATION_ERROR: return ERR(ERR_NO_MEMORY);
	default: return ERR(ERR_INVALID);
	}
}

struct err
passphrase_key(struct str passphrase, const struct kdf_params *p, struct secret *out)
{
	uint8_t key[KEY_BYTES], salt[sizeof(p->salt)];
	char *copy;
	struct err e;

	if (p->lanes < 1 || p->lanes > LANES_MAX || p->passes < 1 || p->passes > PASSES_MAX ||
	    p->memory_kib < 8 * p->lanes || p->memory_kib > MEMORY_MAX_KIB || passphrase.n > PASSWORD_BYTES_MAX)
		return ERR(ERR_INVALID);
	/* libargon2 takes the password by a pointer that is not const */
	copy = malloc(passphrase.n + 1);
	if (!copy)
		return ERR(ERR_NO_MEMORY);
	if (passphrase.n > 0)
		memcpy(copy, passphrase.p, passphrase.n);
	memcpy(salt, p->salt, sizeof(salt));
	/* one thread computes all lanes, with the same result: the process that holds keys starts none */
	e = from_argon2(argon2id_ctx(&(argon2_context){.out = key, .outlen = sizeof(key),
	    .pwd = (uint8_t *)copy, .pwdlen = (uint32_t)passphrase.n, .salt = salt, .saltlen = sizeof(salt),
	    .t_cost = p->passes, .m_cost = p->memory_kib, .lanes = p->lanes, .threads = 1,
	    .version = ARGON2_VERSION_13, .flags = ARGON2_FLAG_CLEAR_PASSWORD}));
	explicit_bzero(copy, passphrase.n + 1);
	free(copy);
	if (!err_is(e))
		secret_set(out, key);
	explicit_bzero(key, sizeof(key));
	return e;
}

struct err
password_hash(struct str password, struct buf *out)
{
	uint8_t salt[PASSWORD_SALT];
	char encoded[ENCODED_MAX];

	if (password.n > PASSWORD_BYTES_MAX)
		return ERR(ERR_LIMIT);
	rand_bytes(salt, sizeof(salt));
	TRY(from_argon2(argon2id_hash_encoded(PASSWORD_PASSES, PASSWORD_MEMORY_KIB, 1, password.p, password.n, salt,
	    sizeof(salt), PASSWORD_HASH, encoded, sizeof(encoded))));
	buf_put_c(out, encoded);
	return buf_check(out);
}

/* takes "m=65536" off ${s}; the value is at most ${max} */
static struct err
skip_parameter(struct str *s, char name, char end, uint64_t max)
{
	struct str one;
	uint64_t v;

	if (!str_split(*s, end, &one, s) || one.n < 3 || one.p[0] != name || one.p[1] != '=')
		return ERR(ERR_CORRUPT);
	return err_is(num_parse_u64(str_sub(one, 2, one.n), max, &v)) ? ERR(ERR_CORRUPT) : OK;
}

struct err
password_verify(struct str password, struct str encoded)
{
	struct str prefix = STR("$argon2id$v=19$"), rest = str_sub(encoded, prefix.n, encoded.n);
	char z[ENCODED_MAX];
	struct err e;

	if (password.n > PASSWORD_BYTES_MAX)
		return ERR(ERR_DENIED);
	if (encoded.n >= sizeof(z) || memchr(encoded.p ? encoded.p : "", 0, encoded.n) || !str_starts(encoded, prefix))
		return ERR(ERR_CORRUPT);
	/* before any work is done: a stored hash may not ask for more than we ever would */
	TRY(skip_parameter(&rest, 'm', ',', MEMORY_MAX_KIB));
	TRY(skip_parameter(&rest, 't', ',', PASSES_MAX));
	TRY(skip_parameter(&rest, 'p', '$', 1));
	memcpy(z, encoded.p, encoded.n);
	z[encoded.n] = 0;
	e = from_argon2(argon2id_verify(z, password.p, password.n));
	return e.code == ERR_INVALID ? ERR(ERR_CORRUPT) : e;
}
