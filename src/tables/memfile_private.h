/* What memfile.c and memfile_libc.c share. */
#ifndef CLOISTER_TABLES_MEMFILE_PRIVATE_H
#define CLOISTER_TABLES_MEMFILE_PRIVATE_H

#include <sys/stat.h>

#include "tables/memfile.h"

bool memfile_is_sealed(void);
bool memfile_is_name(const char *path);      /* under MEMFILE_PREFIX, whether it exists or not */
bool memfile_is_true_name(const char *path); /* "/mem", "/mem/" or "/mem/NUMBER": no other way to write it */
/* As open() and stat(): -1 and errno. A new descriptor, at the beginning. */
int memfile_open(const char *path, int flags);
int memfile_stat(const char *path, struct stat *ret);

#endif
