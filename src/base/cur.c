#include "base/cur.h"

#include "base/num.h"

struct str
cur_bytes(struct cur *c, size_t n)
{
	struct str r;

	if (c->failed || n > c->n) {
		c->failed = true;
		return STR_NONE;
	}
	r = str_of(c->p, n);
	c->p += n;
	c->n -= n;
	return r;
}

void
cur_copy(struct cur *c, void *out, size_t n)
{
	struct str s = cur_bytes(c, n);

	if (n == 0)
		return;
	if (s.n == n)
		memcpy(out, s.p, n);
	else
		memset(out, 0, n);
}

uint8_t
cur_u8(struct cur *c)
{
	uint8_t v;

	cur_copy(c, &v, 1);
	return v;
}

uint16_t
cur_u16(struct cur *c)
{
	uint8_t in[2];

	cur_copy(c, in, 2);
	return (uint16_t)(in[0] << 8 | in[1]);
}

uint32_t
cur_u32(struct cur *c)
{
	uint8_t in[4];

	cur_copy(c, in, 4);
	return num_get_be32(in);
}

uint64_t
cur_u64(struct cur *c)
{
	uint8_t in[8];

	cur_copy(c, in, 8);
	return num_get_be64(in);
}

struct str
cur_lstr(struct cur *c)
{
	uint32_t n = cur_u32(c);

	return cur_bytes(c, n);
}

struct err
cur_check(const struct cur *c)
{
	return c->failed ? ERR(ERR_INVALID) : OK;
}

struct err
cur_end(const struct cur *c)
{
	return c->failed || c->n != 0 ? ERR(ERR_INVALID) : OK;
}
