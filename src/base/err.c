#include "base/err.h"

#include <stdio.h>
#include <unistd.h>

static const struct {
	const char *name;
	const char *sentence;
	int http;
	int exit;
} codes[ERR_CODE_COUNT] = {
	[ERR_NONE] = {"ok", "It worked.", 200, 0},
	[ERR_INVALID] = {"invalid", "The request is malformed.", 400, 2},
	[ERR_LIMIT] = {"limit", "The request is larger than a stated limit.", 400, 3},
	[ERR_UNAUTHENTICATED] = {"unauthenticated", "Who asks could not be verified.", 401, 4},
	[ERR_DENIED] = {"denied", "No rule allows this.", 403, 5},
	[ERR_NOT_FOUND] = {"not-found", "There is no such thing here.", 404, 6},
	[ERR_EXISTS] = {"exists", "It exists already.", 409, 7},
	[ERR_CONFLICT] = {"conflict", "Its present state does not allow this.", 409, 8},
	[ERR_PRECONDITION] = {"precondition", "A condition of the request does not hold.", 412, 9},
	[ERR_EXPIRED] = {"expired", "It has expired.", 403, 10},
	[ERR_CORRUPT] = {"corrupt", "Stored bytes do not verify; they were not served.", 500, 11},
	[ERR_ROLLBACK] = {"rollback", "Stored state is older than what was seen before.", 500, 12},
	[ERR_IO] = {"io", "The machine failed to read or write.", 500, 13},
	[ERR_NO_SPACE] = {"no-space", "The disk is full.", 507, 14},
	[ERR_NO_MEMORY] = {"no-memory", "Memory is exhausted.", 503, 15},
	[ERR_BUSY] = {"busy", "Busy; try again.", 503, 16},
	[ERR_TIMEOUT] = {"timeout", "It took too long.", 503, 17},
	[ERR_CLOSED] = {"closed", "The other side has gone away.", 503, 18},
	[ERR_UNSUPPORTED] = {"unsupported", "This is not supported.", 501, 19},
	[ERR_LOCKED] = {"locked", "The house is locked down.", 503, 20},
};

struct err
err_from_errno(const char *file, int line, int sys)
{
	enum err_code c;

	switch (sys) {
	case ENOENT: c = ERR_NOT_FOUND; break;
	case EEXIST: c = ERR_EXISTS; break;
	case EACCES:
	case EPERM: c = ERR_DENIED; break;
	case ENOSPC:
	case EDQUOT:
	case EFBIG: c = ERR_NO_SPACE; break;
	case ENOMEM: c = ERR_NO_MEMORY; break;
	case EAGAIN: c = ERR_BUSY; break;
	case ETIMEDOUT: c = ERR_TIMEOUT; break;
	case EPIPE:
	case ENOTCONN:
	case ECONNREFUSED:
	case ECONNRESET: c = ERR_CLOSED; break;
	case EMSGSIZE: c = ERR_LIMIT; break;
	default: c = ERR_IO; break;
	}
	return (struct err){
		.file = file, .line = (uint16_t)line, .sys = (int16_t)sys, .code = c};
}

const char *
err_name(enum err_code code)
{
	INVARIANT(code < ERR_CODE_COUNT);
	return codes[code].name;
}

const char *
err_sentence(enum err_code code)
{
	INVARIANT(code < ERR_CODE_COUNT);
	return codes[code].sentence;
}

int
err_http_status(enum err_code code)
{
	INVARIANT(code < ERR_CODE_COUNT);
	return codes[code].http;
}

int
err_exit_status(enum err_code code)
{
	INVARIANT(code < ERR_CODE_COUNT);
	return codes[code].exit;
}

enum err_code
err_code_from_wire(uint16_t v)
{
	return v < ERR_CODE_COUNT ? (enum err_code)v : ERR_CORRUPT;
}

void
invariant_failed(const char *file, int line, const char *what)
{
	/* ${what} is source text, never data. */
	dprintf(STDERR_FILENO, "{\"level\":\"bug\",\"file\":\"%s\",\"line\":%d,\"invariant\":\"%s\"}\n",
	    file, line, what);
	abort();
}
