/*
 * totp: one-time codes of an authenticator app: RFC 6238 with SHA-1, 30 s steps, 6 digits, one step
 * of drift to either side.
 */
#ifndef CLOISTER_WARDEN_TOTP_H
#define CLOISTER_WARDEN_TOTP_H

#include "crypto/crypto.h"

#define TOTP_STEP_S 30
#define TOTP_DRIFT_STEPS 1

/* totp_code(secret, step, digits): of any secret; ${digits} 6 or 8. */
uint32_t totp_code(struct str secret, int64_t step, unsigned digits);
/*
 * totp_check(secret, code, now_us, last, &step): DENIED unless ${code} is that of a step around now
 * which is newer than ${last}: a code that was used, or an older one, is never good again.
 */
struct err totp_check(
    struct str secret, struct str code, int64_t now_us, int64_t last_step, int64_t *ret_step);

/* totp_uri(name, secret, out): "otpauth://…" for a QR code; ${secret} in base32. */
void totp_uri(struct str name, struct str secret_base32, struct buf *out);

/*
 * base32 of RFC 4648, section 6, without padding: as authenticator apps take secrets, and as access
 * key ids are written.
 */
void put_base32(struct buf *b, const void *p, size_t n);

#endif
