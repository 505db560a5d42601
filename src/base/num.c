#include "base/num.h"

struct err
num_parse_u64(struct str s, uint64_t max, uint64_t *ret)
{
	uint64_t v = 0;

	if (s.n == 0)
		return ERR(ERR_INVALID);
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] < '0' || s.p[i] > '9')
			return ERR(ERR_INVALID);
	for (size_t i = 0; i < s.n; i++)
		if (!num_mul(v, 10, &v) || !num_add(v, (uint64_t)(s.p[i] - '0'), &v) || v > max)
			return ERR(ERR_LIMIT);
	*ret = v;
	return OK;
}

struct err
num_parse_hex(struct str s, uint64_t *ret)
{
	uint64_t v = 0;

	if (s.n == 0 || s.n > 16)
		return ERR(ERR_INVALID);
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		unsigned d;

		if (c >= '0' && c <= '9')
			d = (unsigned)(c - '0');
		else if (c >= 'a' && c <= 'f')
			d = (unsigned)(c - 'a' + 10);
		else if (c >= 'A' && c <= 'F')
			d = (unsigned)(c - 'A' + 10);
		else
			return ERR(ERR_INVALID);
		v = v << 4 | d;
	}
	*ret = v;
	return OK;
}
