#include "base/clock.h"

#include <stdatomic.h>
#include <time.h>

#include "base/num.h"

static _Atomic int64_t fake_us;

void
clock_fake_us(int64_t now)
{
	fake_us = now;
}

static int64_t
read_clock(clockid_t which)
{
	struct timespec ts;

	INVARIANT(clock_gettime(which, &ts) == 0);
	return ts.tv_sec * US_PER_S + ts.tv_nsec / 1000;
}

int64_t
clock_now_us(void)
{
	int64_t f = fake_us;

	return f ? f : read_clock(CLOCK_REALTIME);
}

int64_t
clock_mono_us(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

static const char *const days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep",
	"Oct", "Nov", "Dec"};

static struct tm
split(int64_t us)
{
	time_t t = us / US_PER_S;
	struct tm tm;

	INVARIANT(us >= 0 && gmtime_r(&t, &tm));
	return tm;
}

static void
put_seconds(struct buf *b, const struct tm *t)
{
	buf_printf(b, "%04d-%02d-%02dT%02d:%02d:%02d", t->tm_year + 1900, t->tm_mon + 1, t->tm_mday,
	    t->tm_hour, t->tm_min, t->tm_sec);
}

void
buf_put_rfc3339_us(struct buf *b, int64_t us)
{
	struct tm t = split(us);

	put_seconds(b, &t);
	buf_printf(b, ".%06dZ", (int)(us % US_PER_S));
}

void
buf_put_rfc3339_ms(struct buf *b, int64_t us)
{
	struct tm t = split(us);

	put_seconds(b, &t);
	buf_printf(b, ".%03dZ", (int)(us % US_PER_S / 1000));
}

void
buf_put_http_date(struct buf *b, int64_t us)
{
	struct tm t = split(us);

	buf_printf(b, "%s, %02d %s %04d %02d:%02d:%02d GMT", days[t.tm_wday], t.tm_mday,
	    months[t.tm_mon], t.tm_year + 1900, t.tm_hour, t.tm_min, t.tm_sec);
}

void
buf_put_basic_date(struct buf *b, int64_t us)
{
	struct tm t = split(us);

	buf_printf(b, "%04d%02d%02dT%02d%02d%02dZ", t.tm_year + 1900, t.tm_mon + 1, t.tm_mday,
	    t.tm_hour, t.tm_min, t.tm_sec);
}

static struct err
join(int y, int mon, int d, int h, int m, int s, int64_t *ret_us)
{
	struct tm t = {.tm_year = y - 1900, .tm_mon = mon, .tm_mday = d, .tm_hour = h, .tm_min = m, .tm_sec = s};
	time_t v;

	if (y < 1970 || y > 9999 || mon < 0 || mon > 11 || d < 1 || d > 31 || h < 0 || h > 23 || m < 0 ||
	    m > 59 || s < 0 || s > 60)
		return ERR(ERR_INVALID);
	v = timegm(&t);
	if (v < 0 || (t.tm_mday != d && s != 60)) /* 31 February */
		return ERR(ERR_INVALID);
	*ret_us = v * US_PER_S;
	return OK;
}

/* ${n} digits at ${at}, or -1 */
static int
digits(struct str s, size_t at, size_t n)
{
	uint64_t v;
	struct str d = str_sub(s, at, n);

	if (d.n != n || err_is(num_parse_u64(d, 99999, &v)))
		return -1;
	return (int)v;
}

static int
month_of(struct str s)
{
	for (int i = 0; i < 12; i++)
		if (str_eq(s, str_c(months[i])))
			return i;
	return -1;
}

struct err
clock_parse_basic(struct str s, int64_t *ret_us)
{
	if (s.n != 16 || s.p[8] != 'T' || s.p[15] != 'Z')
		return ERR(ERR_INVALID);
	return join(digits(s, 0, 4), digits(s, 4, 2) - 1, digits(s, 6, 2), digits(s, 9, 2),
	    digits(s, 11, 2), digits(s, 13, 2), ret_us);
}

struct err
clock_parse_http(struct str s, int64_t *ret_us)
{
	size_t comma = str_chr(s, ',');

	if (comma == 3 && s.n == CLOCK_HTTP_LEN) /* Sun, 06 Nov 1994 08:49:37 GMT */
		return join(digits(s, 12, 4), month_of(str_sub(s, 8, 3)), digits(s, 5, 2),
		    digits(s, 17, 2), digits(s, 20, 2), digits(s, 23, 2), ret_us);
	if (comma != SIZE_MAX && s.n == comma + 24) { /* Sunday, 06-Nov-94 08:49:37 GMT */
		int y = digits(s, comma + 9, 2);

		return join(y < 0 ? -1 : y < 70 ? 2000 + y : 1900 + y, month_of(str_sub(s, comma + 5, 3)),
		    digits(s, comma + 2, 2), digits(s, comma + 12, 2), digits(s, comma + 15, 2),
		    digits(s, comma + 18, 2), ret_us);
	}
	if (comma == SIZE_MAX && s.n == 24) /* Sun Nov  6 08:49:37 1994 */
		return join(digits(s, 20, 4), month_of(str_sub(s, 4, 3)),
		    s.p[8] == ' ' ? digits(s, 9, 1) : digits(s, 8, 2), digits(s, 11, 2), digits(s, 14, 2),
		    digits(s, 17, 2), ret_us);
	return ERR(ERR_INVALID);
}

struct err
clock_parse_rfc3339(struct str s, int64_t *ret_us)
{
	int64_t us;
	size_t i = 19;
	int64_t scale = 100000, offset_s = 0;

	if (s.n < 20 || s.p[4] != '-' || s.p[7] != '-' || (s.p[10] != 'T' && s.p[10] != 't') ||
	    s.p[13] != ':' || s.p[16] != ':')
		return ERR(ERR_INVALID);
	TRY(join(digits(s, 0, 4), digits(s, 5, 2) - 1, digits(s, 8, 2), digits(s, 11, 2),
	    digits(s, 14, 2), digits(s, 17, 2), &us));
	if (s.p[i] == '.') {
		size_t first = ++i;

		for (; i < s.n && s.p[i] >= '0' && s.p[i] <= '9'; i++, scale /= 10)
			us += (s.p[i] - '0') * scale;
		if (i == first)
			return ERR(ERR_INVALID);
	}
	if (i + 1 == s.n && (s.p[i] == 'Z' || s.p[i] == 'z'))
		offset_s = 0;
	else if (i + 6 == s.n && (s.p[i] == '+' || s.p[i] == '-') && s.p[i + 3] == ':' &&
	    digits(s, i + 1, 2) >= 0 && digits(s, i + 4, 2) >= 0)
		offset_s = (digits(s, i + 1, 2) * 3600 + digits(s, i + 4, 2) * 60) * (s.p[i] == '-' ? -1 : 1);
	else
		return ERR(ERR_INVALID);
	us -= offset_s * US_PER_S;
	if (us < 0)
		return ERR(ERR_INVALID);
	*ret_us = us;
	return OK;
}
