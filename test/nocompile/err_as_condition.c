/* rule: an error is not tested as if it were a truth value, whose sense people mistake
 * gcc: used struct type value where scalar is required
 * clang: statement requires expression of scalar type */
#include "base/fd.h"

int f(int fd);

int
f(int fd)
{
#ifdef RIGHT
	if (err_is(fd_sync(fd)))
#else
	if (fd_sync(fd))
#endif
		return 1;
	return 0;
}
