/*
 * console: the web console under /console/, its files embedded at the build (embed_console.py). A page without powers: whatever it does, it asks of
 * the JSON API with the session of who sits there. Strict about itself: only its own scripts, styles and pictures, in no frame, no form to elsewhere.
 * GET / of a browser that proves nothing leads there; everything else at / is S3's. Process: gate.
 */
#ifndef CLOISTER_GATE_CONSOLE_H
#define CLOISTER_GATE_CONSOLE_H

#include "gate/request.h"

enum console_form { CONSOLE_PLAIN, CONSOLE_GZIP, CONSOLE_BR, CONSOLE_FORMS };
struct console_file {
	const char *name; /* below /console/; NULL ends the table */
	const char *type;
	const char *etag; /* with its quotes */
	bool fixed;       /* its name holds a digest of its bytes: it never changes */
	struct { const unsigned char *p; size_t n; } forms[CONSOLE_FORMS]; /* n 0: there is no such form */
};
extern const struct console_file console_files[];

bool console_owns(const struct request *r); /* is the path under /console, or / of a browser; and is there a console at all? */
bool console_find(struct request *r);       /* sets r->op; false: an error has been answered */
/* console_form(accept, file): the smallest form that is accepted (RFC 9110, 12.5.3). */
enum console_form console_form(struct str accept, const struct console_file *f);

#endif
