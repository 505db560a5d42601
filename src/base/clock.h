/*
 * clock: the time, in microseconds. Tests can set it (clock_fake_us).
 */
#ifndef CLOISTER_BASE_CLOCK_H
#define CLOISTER_BASE_CLOCK_H

#include "base/buf.h"

#define US_PER_S 1000000ll

int64_t clock_now_us(void);  /* since 1970-01-01 UTC; may step */
int64_t clock_mono_us(void); /* never steps back; for time limits */
/* clock_fake_us(now): clock_now_us() returns ${now} from here on; 0 ends it. Tests only. */
void clock_fake_us(int64_t now);

#define CLOCK_RFC3339_LEN 27 /* 2026-11-22T00:03:49.123456Z */
#define CLOCK_HTTP_LEN 29    /* Sun, 22 Nov 2026 00:03:49 GMT */
void buf_put_rfc3339_us(struct buf *b, int64_t us); /* six decimals */
void buf_put_rfc3339_ms(struct buf *b, int64_t us); /* three decimals, as S3 writes them */
void buf_put_http_date(struct buf *b, int64_t us);  /* RFC 9110 5.6.7, seconds */
void buf_put_basic_date(struct buf *b, int64_t us); /* 20261122T000349Z, as SigV4 writes it */
/* INVALID on anything else. Microseconds since 1970. */
struct err clock_parse_basic(struct str s, int64_t *ret_us);
struct err clock_parse_http(struct str s, int64_t *ret_us); /* all three forms of RFC 9110 */
struct err clock_parse_rfc3339(struct str s, int64_t *ret_us);

#endif
