/* rule: an error is not ignored
 * gcc: ignoring return value of type 'struct err', declared with attribute 'nodiscard'
 * clang: ignoring return value of function declared with 'nodiscard' attribute */
#include "base/fd.h"

void f(int fd);

void
f(int fd)
{
#ifdef RIGHT
	err_ignore(fd_sync(fd));
#else
	fd_sync(fd);
#endif
}
