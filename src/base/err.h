/*
 * err: what went wrong, as a value.
 *
 * Never text, so that an error cannot carry PHI. A call that can fail returns
 * struct err; [[nodiscard]] makes ignoring one a compile error. ret_x outputs
 * are untouched on failure. TRY() is the only macro that returns.
 */
#ifndef CLOISTER_BASE_ERR_H
#define CLOISTER_BASE_ERR_H

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

enum err_code {
	ERR_NONE = 0,
	ERR_INVALID,         /* the input is malformed */
	ERR_LIMIT,           /* the input is larger than a stated limit */
	ERR_UNAUTHENTICATED, /* who asks is not proved */
	ERR_DENIED,          /* no rule allows it */
	ERR_NOT_FOUND,
	ERR_EXISTS,
	ERR_CONFLICT,     /* the state of the thing does not allow it now */
	ERR_PRECONDITION, /* a condition of the request does not hold */
	ERR_EXPIRED,
	ERR_CORRUPT,  /* stored bytes do not verify */
	ERR_ROLLBACK, /* stored bytes verify, but are older than what was seen */
	ERR_IO,
	ERR_NO_SPACE,
	ERR_NO_MEMORY,
	ERR_BUSY, /* try again */
	ERR_TIMEOUT,
	ERR_CLOSED, /* the other side has gone */
	ERR_UNSUPPORTED,
	ERR_LOCKED, /* the house is locked down */
	ERR_CODE_COUNT
};

struct [[nodiscard]] err {
	const char *file; /* the place that failed; static storage */
	uint16_t line;
	int16_t sys; /* errno, or 0 */
	enum err_code code;
};

#define OK ((struct err){.code = ERR_NONE})
#define ERR(c) ((struct err){.file = __FILE__, .line = __LINE__, .code = (c)})
#define ERR_SYS(c) \
	((struct err){.file = __FILE__, .line = __LINE__, .sys = (int16_t)errno, .code = (c)})

/* TRY(expr): hand a failure to the caller. */
#define TRY(expr)                               \
	do {                                    \
		struct err try_err_ = (expr);   \
		if (err_is(try_err_))           \
			return try_err_;        \
	} while (0)

/* INVARIANT(x): a bug, not an input, if it does not hold. Always compiled in. */
#define INVARIANT(x)                                             \
	do {                                                     \
		if (__builtin_expect(!(x), 0))                   \
			invariant_failed(__FILE__, __LINE__, #x); \
	} while (0)

static inline bool
err_is(struct err e)
{
	return e.code != ERR_NONE;
}

/* err_ignore(e): the caller has nothing to do about ${e}, and says so. */
static inline void
err_ignore(struct err e)
{
	(void)e;
}

/* err_from_errno(): the code that fits errno (ENOSPC, ENOENT, EEXIST, …), with errno kept. */
struct err err_from_errno(const char *file, int line, int sys);
#define ERR_ERRNO() err_from_errno(__FILE__, __LINE__, errno)

const char *err_name(enum err_code code);      /* "denied" */
const char *err_sentence(enum err_code code);  /* one sentence for people */
int err_http_status(enum err_code code);       /* 403 */
int err_exit_status(enum err_code code);       /* of the command line, 1..99 */
/* err_code_from_wire(v): ${v} as a code; an unknown value is ERR_CORRUPT. */
enum err_code err_code_from_wire(uint16_t v);

__attribute__((noreturn)) void invariant_failed(const char *file, int line, const char *what);

#endif
