#include "base/log.h"

#include <unistd.h>

#include "base/clock.h"

static const char *process = "cloister";
static enum log_level least = LOG_INFO;

void
log_process(const char *name)
{
	process = name;
}

void
log_min_level(enum log_level level)
{
	least = level;
}

static void
put_field(struct buf *b, const struct log_field *f)
{
	buf_put_c(b, ",\"");
	buf_put_c(b, f->name);
	buf_put_c(b, "\":");
	switch (f->type) {
	case LOG_TYPE_U64:
		buf_put_dec(b, f->u64);
		break;
	case LOG_TYPE_ID:
		buf_put_char(b, '"');
		buf_put_id_hex(b, f->id);
		buf_put_char(b, '"');
		break;
	case LOG_TYPE_WORD:
		buf_put_json(b, str_c(f->word));
		break;
	case LOG_TYPE_ERR:
		buf_put_json(b, str_c(err_name(f->err.code)));
		if (f->err.sys)
			buf_printf(b, ",\"errno\":%d", f->err.sys);
		if (f->err.file) {
			buf_put_c(b, ",\"at\":\"");
			buf_put_c(b, f->err.file);
			buf_printf(b, ":%d\"", f->err.line);
		}
		break;
	}
}

void
log_event(enum log_level level, const char *event, const struct log_field *fields)
{
	static const char *const names[] = {"debug", "info", "warn", "error"};
	AUTO_BUF b = BUF(2048);

	if (level < least)
		return;
	buf_put_c(&b, "{\"time\":\"");
	buf_put_rfc3339_ms(&b, clock_now_us());
	buf_printf(&b, "\",\"level\":\"%s\",\"process\":\"%s\",\"event\":\"", names[level], process);
	buf_put_c(&b, event);
	buf_put_char(&b, '"');
	for (; fields->name; fields++)
		put_field(&b, fields);
	buf_put_c(&b, "}\n");
	if (!b.failed) {
		ssize_t n = write(STDERR_FILENO, b.p, b.n); /* one call: lines of processes do not mix */
		(void)n;
	}
}
