#include "base/id.h"

#include <sys/random.h>

void
rand_bytes(void *p, size_t n)
{
	char *at = p;

	while (n > 0) {
		ssize_t got = getrandom(at, n, 0);

		if (got < 0 && errno == EINTR)
			continue;
		INVARIANT(got > 0);
		at += got;
		n -= (size_t)got;
	}
}

struct id
id_new(void)
{
	struct id r;

	rand_bytes(&r, sizeof(r));
	return r;
}

bool
id_eq(struct id a, struct id b)
{
	return memcmp(a.b, b.b, sizeof(a.b)) == 0;
}

bool
id_is_zero(struct id a)
{
	return id_eq(a, (struct id){0});
}

struct err
id_parse(struct str s, struct id *ret)
{
	struct id r;

	if (s.n != ID_HEX_LEN)
		return ERR(ERR_INVALID);
	for (size_t i = 0; i < sizeof(r.b); i++) {
		unsigned v = 0;

		for (size_t k = 0; k < 2; k++) {
			char c = s.p[2 * i + k];

			if (c >= '0' && c <= '9')
				v = v << 4 | (unsigned)(c - '0');
			else if (c >= 'a' && c <= 'f')
				v = v << 4 | (unsigned)(c - 'a' + 10);
			else
				return ERR(ERR_INVALID);
		}
		r.b[i] = (uint8_t)v;
	}
	*ret = r;
	return OK;
}

void
id_format(struct id a, char out[ID_HEX_LEN + 1])
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < sizeof(a.b); i++) {
		out[2 * i] = digits[a.b[i] >> 4];
		out[2 * i + 1] = digits[a.b[i] & 15];
	}
	out[ID_HEX_LEN] = 0;
}

void
buf_put_id(struct buf *b, struct id a)
{
	buf_put(b, a.b, sizeof(a.b));
}

void
buf_put_id_hex(struct buf *b, struct id a)
{
	buf_put_hex(b, a.b, sizeof(a.b));
}

struct id
cur_id(struct cur *c)
{
	struct id r;

	cur_copy(c, r.b, sizeof(r.b));
	return r;
}
