#include "cell/parcel.h"

#include <unistd.h>

#include "base/cur.h"
#include "base/fd.h"

static bool
part_is(struct str part)
{
	return part.n > 0 && !str_eq(part, STR(".")) && !str_eq(part, STR(".."));
}

bool
parcel_name_is(struct str name)
{
	struct str part;
	bool more = true;

	if (name.n == 0 || name.n > PARCEL_NAME_MAX)
		return false;
	for (size_t i = 0; i < name.n; i++) {
		char c = name.p[i];

		if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9') && !memchr("._/-", c, 4))
			return false;
	}
	while (more) {
		more = str_split(name, '/', &part, &name);
		if (!part_is(part))
			return false;
	}
	return true;
}

struct err
parcel_write_head(int fd, struct str name, uint64_t size)
{
	AUTO_BUF b = BUF(PARCEL_NAME_MAX + 16);

	if (!parcel_name_is(name))
		return ERR(ERR_INVALID);
	buf_put_u16(&b, (uint16_t)name.n);
	buf_put_str(&b, name);
	buf_put_u64(&b, size);
	TRY(buf_check(&b));
	return fd_write_all(fd, buf_str(&b));
}

struct err
parcel_write_end(int fd)
{
	return fd_write_all(fd, str_of("\0", 2)); /* the length of no name */
}

struct err
parcel_read(int fd, void *p, size_t n)
{
	char *at = p;

	while (n > 0) {
		ssize_t got = read(fd, at, n);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return ERR_ERRNO();
		if (got == 0)
			return ERR(ERR_CLOSED);
		at += got;
		n -= (size_t)got;
	}
	return OK;
}

struct err
parcel_read_head(int fd, struct parcel_entry *ret)
{
	struct parcel_entry e = {.size = 0};
	char number[8];
	struct cur c;
	uint16_t n;

	TRY(parcel_read(fd, number, 2));
	c = cur_of(str_of(number, 2));
	n = cur_u16(&c);
	if (n > PARCEL_NAME_MAX)
		return ERR(ERR_INVALID);
	if (n > 0) {
		TRY(parcel_read(fd, e.name, n));
		if (!parcel_name_is(str_of(e.name, n)))
			return ERR(ERR_INVALID);
		TRY(parcel_read(fd, number, 8));
		c = cur_of(str_of(number, 8));
		e.size = cur_u64(&c);
	}
	*ret = e;
	return OK;
}
