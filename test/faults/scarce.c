#include "scarce.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t each);
void *__real_realloc(void *p, size_t n);
void *__real_reallocarray(void *p, size_t n, size_t each);
void __real_free(void *p);

static struct {
	bool on, for_ever, failed;
	uint64_t left;
	int64_t held;
} scarce;

static bool
refuse(void)
{
	if (!scarce.on)
		return false;
	if (scarce.left > 0 && !scarce.failed) {
		scarce.left--;
		return false;
	}
	if (scarce.failed && !scarce.for_ever)
		return false;
	scarce.failed = true;
	errno = ENOMEM;
	return true;
}

static void *
counted(void *p)
{
	scarce.held += p != NULL;
	return p;
}

void *
__wrap_malloc(size_t n)
{
	return refuse() ? NULL : counted(__real_malloc(n));
}

void *
__wrap_calloc(size_t n, size_t each)
{
	return refuse() ? NULL : counted(__real_calloc(n, each));
}

void *
__wrap_realloc(void *p, size_t n)
{
	if (refuse())
		return NULL;
	return p ? __real_realloc(p, n) : counted(__real_realloc(p, n));
}

void *
__wrap_reallocarray(void *p, size_t n, size_t each)
{
	if (refuse())
		return NULL;
	return p ? __real_reallocarray(p, n, each) : counted(__real_reallocarray(p, n, each));
}

char *
__wrap_strdup(const char *s)
{
	size_t n = strlen(s) + 1;
	char *p = __wrap_malloc(n);

	return p ? memcpy(p, s, n) : NULL;
}

void
__wrap_free(void *p)
{
	scarce.held -= p != NULL;
	__real_free(p);
}

void
scarce_from(uint64_t good, bool for_ever)
{
	scarce.left = good;
	scarce.for_ever = for_ever;
	scarce.failed = false;
	scarce.on = true;
}

bool
scarce_end(void)
{
	scarce.on = false;
	return scarce.failed;
}

int64_t
scarce_held(void)
{
	return scarce.held;
}
