/*
 * log: operational events, one JSON object a line on standard error.
 *
 * Fields are typed: numbers, ids, errors, and words from our own source. There
 * is no field for arbitrary text, so a log line cannot carry PHI. Library
 * modules never log; processes and request loops log, once a failure.
 */
#ifndef CLOISTER_BASE_LOG_H
#define CLOISTER_BASE_LOG_H

#include "base/err.h"
#include "base/id.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };
enum log_type { LOG_TYPE_U64, LOG_TYPE_ID, LOG_TYPE_ERR, LOG_TYPE_WORD };

struct log_field {
	const char *name;
	enum log_type type;
	union {
		uint64_t u64;
		struct id id;
		struct err err;
		const char *word;
	};
};

/* name and word must be string literals: "" x "" compiles for nothing else. */
#define LOG_U64(name_, v) \
	((struct log_field){.name = "" name_ "", .type = LOG_TYPE_U64, .u64 = (uint64_t)(v)})
#define LOG_ID(name_, v) ((struct log_field){.name = "" name_ "", .type = LOG_TYPE_ID, .id = (v)})
#define LOG_ERR(v) ((struct log_field){.name = "error", .type = LOG_TYPE_ERR, .err = (v)})
#define LOG_WORD(name_, v) \
	((struct log_field){.name = "" name_ "", .type = LOG_TYPE_WORD, .word = "" v ""})
/* LOG_ENUM(name, s): ${s} from a static table of ours (err_name(), proc_name(), …). */
#define LOG_ENUM(name_, v) \
	((struct log_field){.name = "" name_ "", .type = LOG_TYPE_WORD, .word = (v)})

/* LOG(LOG_WARN, "blob-corrupt", LOG_ID("blob", id), LOG_ERR(e)); */
#define LOG(level, event, ...)                                                     \
	log_event((level), "" event "", (struct log_field[]){__VA_ARGS__ __VA_OPT__(, ) \
	    {.name = NULL}})

void log_event(enum log_level level, const char *event, const struct log_field *fields);
void log_process(const char *name); /* a literal; written into each line from here on */
void log_min_level(enum log_level level);

#endif
