#include "gate/console.h"

#define POLICY                                                                                                                        \
	"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; font-src 'self'; "  \
	"manifest-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"

/* ---- forms ---- */

/* "gzip;q=0" is a refusal; any other weight will do */
static bool
is_refused(struct str parameters)
{
	struct str item, key, value;
	bool more = parameters.n > 0;

	while (more) {
		more = str_split(parameters, ';', &item, &parameters);
		if (!str_split(str_trim(item), '=', &key, &value) || !str_eq_nocase(str_trim(key), STR("q")))
			continue;
		value = str_trim(value);
		for (size_t i = 0; i < value.n; i++)
			if (value.p[i] >= '1' && value.p[i] <= '9')
				return false;
		return true;
	}
	return false;
}

static bool
accepts(struct str accept, struct str coding)
{
	struct str item, name, parameters;
	bool more = accept.n > 0;

	while (more) {
		more = str_split(accept, ',', &item, &accept);
		str_split(item, ';', &name, &parameters);
		if (str_eq_nocase(str_trim(name), coding))
			return !is_refused(parameters);
	}
	return false;
}

enum console_form
console_form(struct str accept, const struct console_file *f)
{
	static const struct { enum console_form form; struct str name; } codings[] = {{CONSOLE_BR, {"br", 2}}, {CONSOLE_GZIP, {"gzip", 4}}};

	for (size_t i = 0; i < ARRAY_LEN(codings); i++)
		if (f->forms[codings[i].form].n > 0 && accepts(accept, codings[i].name))
			return codings[i].form;
	return CONSOLE_PLAIN;
}

/* ---- answers ---- */

static const struct console_file *
find_file(struct str name)
{
	if (name.n == 0)
		name = STR("index.html");
	for (const struct console_file *f = console_files; f->name; f++)
		if (str_eq(name, str_c(f->name)))
			return f;
	return NULL;
}

static void
common_headers(struct request *r)
{
	answer_header(r, "Content-Security-Policy", STR(POLICY));
	answer_header(r, "Referrer-Policy", STR("no-referrer"));
	answer_header(r, "X-Frame-Options", STR("DENY"));
	answer_header(r, "Cross-Origin-Opener-Policy", STR("same-origin"));
	answer_header(r, "Cross-Origin-Resource-Policy", STR("same-origin"));
	answer_header(r, "Permissions-Policy", STR("camera=(), microphone=(), geolocation=(), payment=(), usb=()"));
}

static void
file(struct request *r)
{
	static const struct str codings[CONSOLE_FORMS] = {[CONSOLE_GZIP] = {"gzip", 4}, [CONSOLE_BR] = {"br", 2}};
	const struct console_file *f = find_file(r->key);
	enum console_form form = console_form(request_header(r, "accept-encoding"), f);
	AUTO_BUF body = BUF(16 * MiB);

	common_headers(r);
	answer_header(r, "ETag", str_c(f->etag));
	answer_header(r, "Vary", STR("Accept-Encoding"));
	answer_header(r, "Cache-Control", f->fixed ? STR("public, max-age=31536000, immutable") : STR("no-store"));
	if (str_eq(str_trim(request_header(r, "if-none-match")), str_c(f->etag))) {
		answer_empty(r, 304);
		return;
	}
	if (form != CONSOLE_PLAIN)
		answer_header(r, "Content-Encoding", codings[form]);
	if (r->method == METHOD_HEAD) {
		answer_header(r, "Content-Type", str_c(f->type));
		r->answer.stream_size = f->forms[form].n;
		answer_empty(r, 200);
		return;
	}
	buf_put(&body, f->forms[form].p, f->forms[form].n);
	answer_typed(r, 200, f->type, &body);
}

static void
lead_there(struct request *r)
{
	common_headers(r);
	answer_header(r, "Location", STR("/console/"));
	answer_header(r, "Cache-Control", STR("no-store"));
	answer_empty(r, 303);
}

/* ---- routes ---- */

static const struct operation op_file = {"console:file", BODY_NONE, 0, file, NULL};
static const struct operation op_lead = {"console:lead", BODY_NONE, 0, lead_there, NULL};

/* a browser that opens the address; a client of S3 signs what it asks */
static bool
is_browser_at_door(const struct request *r)
{
	return r->bucket.n == 0 && r->key.n == 0 && r->method == METHOD_GET && r->n_query == 0 && !request_header(r, "authorization").p &&
	    str_find(request_header(r, "accept"), STR("text/html")) != SIZE_MAX;
}

bool
console_owns(const struct request *r)
{
	return console_files[0].name && !r->virtual_host && (str_eq(r->bucket, STR("console")) || is_browser_at_door(r));
}

bool
console_find(struct request *r)
{
	bool door = r->bucket.n == 0 || !str_starts(r->raw_path, STR("/console/"));

	if (r->method != METHOD_GET && r->method != METHOD_HEAD) {
		answer_error(r, S3_METHOD_NOT_ALLOWED);
		return false;
	}
	if (!door && !find_file(r->key)) {
		answer_error(r, S3_NO_SUCH_KEY);
		return false;
	}
	r->op = door ? &op_lead : &op_file;
	return true;
}
