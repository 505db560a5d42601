#include "warden/totp.h"

#include "base/clock.h"
#include "base/num.h"

#define DIGITS 6

uint32_t
totp_code(struct str secret, int64_t step, unsigned digits)
{
	uint8_t counter[8], mac[20];
	uint32_t v;

	num_put_be64(counter, (uint64_t)step);
	hmac_sha1(secret, str_of(counter, sizeof(counter)), mac);
	/* RFC 4226, section 5.3: the last four bits say where the number lies */
	v = num_get_be32(mac + (mac[19] & 15)) & 0x7FFFFFFF;
	return v % (digits == 8 ? 100000000 : 1000000);
}

struct err
totp_check(struct str secret, struct str code, int64_t now_us, int64_t last_step, int64_t *ret_step)
{
	int64_t now = now_us / US_PER_S / TOTP_STEP_S, found = -1;
	uint64_t v;

	if (code.n != DIGITS || err_is(num_parse_u64(code, 999999, &v)))
		return ERR(ERR_DENIED);
	/* all steps, whichever fits: the time this takes says nothing */
	for (int64_t step = now - TOTP_DRIFT_STEPS; step <= now + TOTP_DRIFT_STEPS; step++)
		if (totp_code(secret, step, DIGITS) == v && step > last_step && found < 0)
			found = step;
	if (found < 0)
		return ERR(ERR_DENIED);
	*ret_step = found;
	return OK;
}

/*
 * Names are logins: nothing in them needs escaping but '$', which the authenticators take as it is.
 */
void
totp_uri(struct str name, struct str secret_base32, struct buf *out)
{
	buf_put_c(out, "otpauth://totp/Cloister:");
	buf_put_str(out, name);
	buf_put_c(out, "?secret=");
	buf_put_str(out, secret_base32);
	buf_put_c(out, "&issuer=Cloister");
}

void
put_base32(struct buf *b, const void *p, size_t n)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
	const uint8_t *in = p;
	uint32_t bits = 0;
	unsigned have = 0;

	for (size_t i = 0; i < n; i++) {
		bits = bits << 8 | in[i];
		for (have += 8; have >= 5; have -= 5)
			buf_put_char(b, digits[bits >> (have - 5) & 31]);
	}
	if (have > 0)
		buf_put_char(b, digits[bits << (5 - have) & 31]);
}
