#include "bin/cli_net.h"

#include <curl/curl.h>
#include <cyaml/cyaml.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/num.h"
#include "bin/cli_out.h"
#include "crypto/crypto.h"
#include "proc/config.h"

#define ANSWER_MAX (8 * MiB)
#define CONNECT_WITHIN_S 10L
#define ANSWER_WITHIN_S 300L

struct net {
	CURL *curl;
	char *endpoint, *ca;
	char *credentials; /* of ~/.config/cloister/config */
};

/* ---- where ---- */

/* ~/.config/cloister/config: endpoint, ca, credentials; all optional */
struct user_config { char *endpoint, *ca, *credentials; };

static const cyaml_schema_field_t user_fields[] = {
	CYAML_FIELD_STRING_PTR("endpoint", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct user_config, endpoint, 1, 512),
	CYAML_FIELD_STRING_PTR("ca", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct user_config, ca, 1, 4095),
	CYAML_FIELD_STRING_PTR("credentials", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct user_config, credentials, 1, 4095),
	CYAML_FIELD_END,
};
static const cyaml_schema_value_t user_schema = {CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct user_config, user_fields)};
static const cyaml_config_t yaml = {.mem_fn = cyaml_mem, .log_level = CYAML_LOG_ERROR, .flags = CYAML_CFG_NO_ALIAS};

static char *
copy(const char *z)
{
	return z ? strdup(z) : NULL;
}

static void
take_default(char **at, const char *z)
{
	if (!*at)
		*at = copy(z);
}

static struct err
from_user(struct cli *c, struct net *n)
{
	const char *dir = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
	struct user_config *u = NULL;
	char path[CLI_PATH_MAX];

	if (dir && *dir == '/')
		TRY(cli_path(path, "%s/cloister/config", dir));
	else
		TRY(cli_path(path, "%s/.config/cloister/config", home ? home : ""));
	if (access(path, F_OK) != 0)
		return OK;
	if (cyaml_load_file(path, &yaml, &user_schema, (cyaml_data_t **)&u, NULL) != CYAML_OK)
		return cli_fail(c, ERR(ERR_INVALID), "%s is malformed: it takes endpoint, ca and credentials, one a line", path);
	if (u) {
		take_default(&n->endpoint, u->endpoint);
		take_default(&n->ca, u->ca);
		take_default(&n->credentials, u->credentials);
	}
	cyaml_free(&yaml, &user_schema, u, 0);
	return OK;
}

/* An address that is listened on everywhere is reached here. */
static void
endpoint_of(const char *listen, char out[300])
{
	if (strncmp(listen, "0.0.0.0:", 8) == 0)
		snprintf(out, 300, "https://127.0.0.1:%s", listen + 8);
	else if (strncmp(listen, "[::]:", 5) == 0)
		snprintf(out, 300, "https://[::1]:%s", listen + 5);
	else
		snprintf(out, 300, "https://%s", listen);
}

static struct err
from_state(struct cli *c, struct net *n)
{
	AUTO_BUF problem = BUF(4 * KiB);
	struct config *config = NULL;
	char path[CLI_PATH_MAX], endpoint[300];
	AUTO_FD dir = -1;
	struct err e;

	TRY(cli_path(path, "%s/ca.pem", cli_state(c)));
	if (access(path, R_OK) == 0)
		take_default(&n->ca, path);
	if (n->endpoint || err_is(fd_open_at(AT_FDCWD, c->state_path, O_RDONLY | O_DIRECTORY, 0, &dir)))
		return OK;
	e = config_load(dir, &problem, &config);
	if (e.code == ERR_DENIED)
		return OK;
	if (err_is(e))
		return cli_fail(c, e, "%s/%s: %.*s", c->state_path, CONFIG_FILE, STR_ARG(str_trim(buf_str(&problem))));
	if (config->n_listen > 0) {
		endpoint_of(config->listen[0], endpoint);
		take_default(&n->endpoint, endpoint);
	}
	config_free(config);
	return OK;
}

/* What `cloister init --credentials` wrote says also where the house is. */
static struct err
from_credentials_file(struct cli *c, struct net *n)
{
	AUTO_BUF text = BUF_WIPED(64 * KiB);
	AUTO_JSON *j = NULL;

	TRY(cli_read_private(c, c->credentials, "credentials", &text));
	j = json_loadb(text.p ? text.p : "", text.n, JSON_REJECT_DUPLICATES, NULL);
	if (*out_member(j, "endpoint"))
		take_default(&n->endpoint, out_member(j, "endpoint"));
	if (*out_member(j, "ca"))
		take_default(&n->ca, out_member(j, "ca"));
	if (*out_member(j, "state") && !c->state && !getenv("CLOISTER_STATE"))
		c->state = copy(out_member(j, "state")); /* for the life of the process */
	return OK;
}

struct err
net_open(struct cli *c, struct net **ret)
{
	AUTO_NET n = calloc(1, sizeof(*n));

	if (!n || curl_global_init(CURL_GLOBAL_DEFAULT) != 0)
		return ERR(ERR_NO_MEMORY);
	n->endpoint = copy(c->endpoint);
	n->ca = copy(c->ca);
	if (c->state) /* named: it goes before the user's own */
		TRY(from_state(c, n));
	if (c->credentials)
		TRY(from_credentials_file(c, n));
	TRY(from_user(c, n));
	TRY(from_state(c, n));
	take_default(&n->endpoint, "https://127.0.0.1:8443");
	if (!n->endpoint || strncmp(n->endpoint, "https://", 8) != 0)
		return cli_fail(c, ERR(ERR_INVALID), "an endpoint begins with https://");
	while (strlen(n->endpoint) > 8 && n->endpoint[strlen(n->endpoint) - 1] == '/')
		n->endpoint[strlen(n->endpoint) - 1] = 0;
	n->curl = curl_easy_init();
	if (!n->curl)
		return ERR(ERR_NO_MEMORY);
	*ret = n;
	n = NULL;
	return OK;
}

void
net_close(struct net *n)
{
	if (!n)
		return;
	curl_easy_cleanup(n->curl);
	free(n->endpoint);
	free(n->ca);
	free(n->credentials);
	free(n);
}

struct err
net_other(const struct net *n, const char *endpoint, struct net **ret)
{
	AUTO_NET o = calloc(1, sizeof(*o));

	if (o)
		*o = (struct net){.curl = curl_easy_init(), .endpoint = copy(endpoint), .ca = copy(n->ca)};
	*ret = o && o->curl && o->endpoint ? o : NULL;
	if (!*ret)
		return ERR(ERR_NO_MEMORY);
	o = NULL;
	return OK;
}

const char *
net_endpoint(const struct net *n)
{
	return n->endpoint;
}

const char *
net_ca(const struct net *n)
{
	return n->ca;
}

/* ---- who ---- */

static struct err
session_path(char out[CLI_PATH_MAX], bool make)
{
	const char *run = getenv("XDG_RUNTIME_DIR"), *home = getenv("HOME");
	char dir[CLI_PATH_MAX];

	if (run && *run == '/') {
		TRY(cli_path(dir, "%s/cloister", run));
	} else {
		TRY(cli_path(dir, "%s/.local", home ? home : ""));
		if (make)
			TRY(fd_make_dir(AT_FDCWD, dir, 0755));
		TRY(cli_path(dir, "%s/.local/state", home ? home : ""));
		if (make)
			TRY(fd_make_dir(AT_FDCWD, dir, 0755));
		TRY(cli_path(dir, "%s/.local/state/cloister", home ? home : ""));
	}
	if (make)
		TRY(fd_make_dir(AT_FDCWD, dir, 0700));
	return cli_path(out, "%.4000s/session", dir);
}

struct err
net_session_save(struct cli *c, const char *endpoint, const char *token)
{
	AUTO_BUF b = BUF_WIPED(4 * KiB);
	char path[CLI_PATH_MAX];
	struct err e;

	buf_put_c(&b, "{\"endpoint\":");
	buf_put_json(&b, str_c(endpoint));
	buf_put_c(&b, ",\"token\":");
	buf_put_json(&b, str_c(token));
	buf_put_c(&b, "}\n");
	e = session_path(path, true);
	if (!err_is(e))
		e = fd_replace_file(AT_FDCWD, path, buf_str(&b), 0600);
	return err_is(e) ? cli_fail(c, e, "the session cannot be kept below $XDG_RUNTIME_DIR or ~/.local/state: %s",
	    err_sentence(e.code)) : OK;
}

struct err
net_session_forget(void)
{
	char path[CLI_PATH_MAX];

	TRY(session_path(path, false));
	return unlink(path) == 0 || errno == ENOENT ? OK : ERR_ERRNO();
}

static bool
copy_text(const char *z, char *out, size_t n)
{
	return *z && (size_t)snprintf(out, n, "%s", z) < n;
}

static struct err
from_credentials(struct cli *c, const char *path, struct net_who *ret)
{
	AUTO_BUF text = BUF_WIPED(64 * KiB);
	AUTO_JSON *j = NULL;

	TRY(cli_read_private(c, path, "credentials", &text));
	j = json_loadb(text.p ? text.p : "", text.n, JSON_REJECT_DUPLICATES, NULL);
	if (copy_text(out_member(j, "access_key"), ret->access_key, sizeof(ret->access_key)) &&
	    copy_text(out_member(j, "secret_key"), ret->secret, sizeof(ret->secret)))
		return OK;
	return cli_fail(c, ERR(ERR_INVALID), "%s does not hold {\"access_key\": …, \"secret_key\": …}", path);
}

static bool
from_session(const struct net *n, struct net_who *ret)
{
	AUTO_BUF text = BUF_WIPED(4 * KiB);
	AUTO_JSON *j = NULL;
	char path[CLI_PATH_MAX];
	struct stat st;

	if (err_is(session_path(path, false)) || lstat(path, &st) != 0 || !S_ISREG(st.st_mode) || (st.st_mode & 077) != 0 ||
	    st.st_uid != geteuid() || err_is(fd_read_file(AT_FDCWD, path, &text)))
		return false;
	j = json_loadb(text.p ? text.p : "", text.n, JSON_REJECT_DUPLICATES, NULL);
	return strcmp(out_member(j, "endpoint"), n->endpoint) == 0 &&
	    copy_text(out_member(j, "token"), ret->token, sizeof(ret->token));
}

struct err
net_who(struct cli *c, const struct net *n, struct net_who *ret)
{
	const char *key = getenv("AWS_ACCESS_KEY_ID"), *secret = getenv("AWS_SECRET_ACCESS_KEY");

	*ret = (struct net_who){.token = ""};
	if (c->credentials)
		return from_credentials(c, c->credentials, ret);
	if (from_session(n, ret))
		return OK;
	if (key && secret && copy_text(key, ret->access_key, sizeof(ret->access_key)) &&
	    copy_text(secret, ret->secret, sizeof(ret->secret)))
		return OK;
	if (n->credentials)
		return from_credentials(c, n->credentials, ret);
	return cli_fail(c, ERR(ERR_UNAUTHENTICATED), "you are not logged in at %s; run `cloister login`, or give --credentials FILE",
	    n->endpoint);
}

/* ---- asking ---- */

void
net_answer_release(struct net_answer *a)
{
	buf_release(&a->body);
}

static size_t
on_body(char *p, size_t size, size_t n, void *ctx)
{
	struct net_answer *a = ctx;

	buf_put(&a->body, p, size * n);
	return a->body.failed ? 0 : size * n;
}

static void
keep_header(struct str line, const char *name, char *out, size_t max)
{
	struct str value = str_sub(line, strlen(name), SIZE_MAX);

	if (!str_eq_nocase(str_sub(line, 0, strlen(name)), str_c(name)))
		return;
	while (value.n > 0 && (value.p[value.n - 1] == '\r' || value.p[value.n - 1] == '\n'))
		value.n--;
	value = str_trim(value);
	snprintf(out, max, "%.*s", STR_ARG(value));
}

static size_t
on_head(char *p, size_t size, size_t n, void *ctx)
{
	struct net_answer *a = ctx;
	struct str line = str_of(p, size * n);

	keep_header(line, "etag:", a->etag, sizeof(a->etag));
	keep_header(line, "set-cookie:", a->cookie, sizeof(a->cookie));
	keep_header(line, "x-amz-version-id:", a->version, sizeof(a->version));
	return size * n;
}

static bool
add(struct curl_slist **list, const char *line)
{
	struct curl_slist *longer = curl_slist_append(*list, line);

	if (longer)
		*list = longer;
	return longer != NULL;
}

static bool
add_headers(const struct net_ask *ask, struct curl_slist **list)
{
	AUTO_BUF line = BUF_WIPED(512);
	uint8_t hash[SHA256_BYTES];
	bool ok = true;

	for (size_t i = 0; i < NET_HEADERS_MAX && ask->headers[i]; i++)
		ok = ok && add(list, ask->headers[i]);
	if (ask->who && ask->who->token[0]) {
		buf_put_c(&line, "Authorization: Bearer ");
		buf_put_c(&line, ask->who->token);
	} else if (ask->who) {
		/* this version of the library signs it, but does not make it */
		sha256(ask->body, hash);
		buf_put_c(&line, "x-amz-content-sha256: ");
		buf_put_hex(&line, hash, sizeof(hash));
	}
	buf_put_char(&line, 0);
	return ok && (line.n == 1 || add(list, line.p));
}

static void
set_body(CURL *h, const struct net_ask *ask)
{
	curl_easy_setopt(h, CURLOPT_CUSTOMREQUEST, ask->method);
	if (strcmp(ask->method, "HEAD") == 0) {
		curl_easy_setopt(h, CURLOPT_NOBODY, 1L);
	} else if (ask->body.n > 0 || strcmp(ask->method, "GET") != 0) {
		curl_easy_setopt(h, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)ask->body.n);
		curl_easy_setopt(h, CURLOPT_POSTFIELDS, ask->body.n ? ask->body.p : "");
	}
}

struct err
net_ask(struct net *n, const struct net_ask *ask, struct net_answer *ret)
{
	CURL *h = n->curl;
	struct curl_slist *list = NULL;
	AUTO_BUF url = BUF(16 * KiB);
	CURLcode code;

	net_answer_release(ret);
	*ret = (struct net_answer){.body = BUF_WIPED(ask->answer_max ? ask->answer_max : ANSWER_MAX)};
	buf_put_c(&url, n->endpoint);
	buf_put_c(&url, ask->path);
	buf_put_char(&url, 0);
	TRY(buf_check(&url));
	curl_easy_reset(h); /* keeps the connection */
	if (!add_headers(ask, &list)) {
		curl_slist_free_all(list);
		return ERR(ERR_NO_MEMORY);
	}
	curl_easy_setopt(h, CURLOPT_URL, url.p);
	curl_easy_setopt(h, CURLOPT_PATH_AS_IS, 1L);
	curl_easy_setopt(h, CURLOPT_PROTOCOLS_STR, "https");
	curl_easy_setopt(h, CURLOPT_PROXY, "");
	if (n->ca)
		curl_easy_setopt(h, CURLOPT_CAINFO, n->ca);
	curl_easy_setopt(h, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(h, CURLOPT_TCP_NODELAY, 1L);
	curl_easy_setopt(h, CURLOPT_CONNECTTIMEOUT, CONNECT_WITHIN_S);
	curl_easy_setopt(h, CURLOPT_TIMEOUT, ANSWER_WITHIN_S);
	curl_easy_setopt(h, CURLOPT_USERAGENT, "cloister");
	curl_easy_setopt(h, CURLOPT_HTTPHEADER, list);
	curl_easy_setopt(h, CURLOPT_ERRORBUFFER, ret->problem);
	curl_easy_setopt(h, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(h, CURLOPT_WRITEDATA, ret);
	curl_easy_setopt(h, CURLOPT_HEADERFUNCTION, on_head);
	curl_easy_setopt(h, CURLOPT_HEADERDATA, ret);
	if (ask->who && !ask->who->token[0]) {
		curl_easy_setopt(h, CURLOPT_AWS_SIGV4, "aws:amz:us-east-1:s3");
		curl_easy_setopt(h, CURLOPT_USERNAME, ask->who->access_key);
		curl_easy_setopt(h, CURLOPT_PASSWORD, ask->who->secret);
	}
	set_body(h, ask);
	code = curl_easy_perform(h);
	curl_slist_free_all(list);
	curl_easy_getinfo(h, CURLINFO_RESPONSE_CODE, &ret->status);
	if (code == CURLE_OK)
		return OK;
	ret->cut = ret->status != 0;
	if (ret->cut)
		return ret->body.failed ? ERR(ERR_LIMIT) : OK;
	if (code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CACERT_BADFILE)
		return ERR(ERR_UNAUTHENTICATED);
	return ERR(code == CURLE_OPERATION_TIMEDOUT ? ERR_TIMEOUT : ERR_CLOSED);
}

/* ---- saying what went wrong ---- */

struct err
net_unreachable(struct cli *c, const struct net *n, struct err e, const struct net_answer *a)
{
	if (e.code == ERR_UNAUTHENTICATED)
		return cli_fail(c, e, "%s cannot prove who it is: %s. Name the certificate of its authority with --ca (the house's is "
		    "ca.pem in the state folder)", n->endpoint, a->problem);
	if (e.code != ERR_CLOSED && e.code != ERR_TIMEOUT)
		return cli_fail(c, e, "asking %s failed: %s", n->endpoint, err_sentence(e.code));
	return cli_fail(c, e, "cannot reach %s: %s. Is `cloister serve` running? Another server is named with "
	    "--endpoint", n->endpoint, a->problem[0] ? a->problem : "no answer");
}

static enum err_code
code_of(long status, const char *code)
{
	switch (status) {
	case 401: return ERR_UNAUTHENTICATED;
	case 403:
		return strcmp(code, "InvalidAccessKeyId") == 0 || strcmp(code, "SignatureDoesNotMatch") == 0 ||
			strcmp(code, "RequestTimeTooSkewed") == 0 ? ERR_UNAUTHENTICATED :
			strcmp(code, "Expired") == 0 ? ERR_EXPIRED : ERR_DENIED;
	case 404: return ERR_NOT_FOUND;
	case 409: return strstr(code, "AlreadyExists") ? ERR_EXISTS : ERR_CONFLICT;
	case 412: return ERR_PRECONDITION;
	case 501: return ERR_UNSUPPORTED;
	case 503: return strcmp(code, "SlowDown") == 0 ? ERR_BUSY : strcmp(code, "LockedDown") == 0 ? ERR_LOCKED : ERR_BUSY;
	case 507: return ERR_NO_SPACE;
	default: break;
	}
	return status >= 500 ? ERR_IO : strcmp(code, "LimitExceeded") == 0 ? ERR_LIMIT : ERR_INVALID;
}

/* what to do next, where the message itself does not say it */
static const char *
advice(enum err_code code, const char *message)
{
	bool says_why = strcmp(message, err_sentence(code)) != 0 && strcmp(message, "Access denied.") != 0;

	if (code == ERR_UNAUTHENTICATED)
		return " Log in again with `cloister login`.";
	if (code == ERR_DENIED && !says_why)
		return " `cloister whoami` shows your roles.";
	if (code == ERR_BUSY)
		return " Try again in a moment; `cloister status` shows what answers.";
	return code == ERR_LOCKED ? " `cloister lockdown --status` shows since when." : "";
}

/* <Code>…</Code> of S3's errors: our own server's, on one line, without attributes */
static void
xml_value(struct str doc, const char *open, const char *close, char *out, size_t max)
{
	size_t at = str_find(doc, str_c(open)), end;
	struct str rest;

	if (at == SIZE_MAX)
		return;
	rest = str_sub(doc, at + strlen(open), SIZE_MAX);
	end = str_find(rest, str_c(close));
	if (end != SIZE_MAX)
		snprintf(out, max, "%.*s", (int)end, rest.p);
}

struct err
net_refused(struct cli *c, const struct net_answer *a)
{
	AUTO_JSON *j = a->body.n ? json_loadb(a->body.p, a->body.n, 0, NULL) : NULL;
	char code[80] = "", message[512] = "", field[80] = "";
	enum err_code fits;

	snprintf(code, sizeof(code), "%s", out_member(j, "code"));
	snprintf(message, sizeof(message), "%s", out_member(j, "message"));
	snprintf(field, sizeof(field), "%s", out_member(j, "field"));
	if (!j) {
		xml_value(buf_str(&a->body), "<Code>", "</Code>", code, sizeof(code));
		xml_value(buf_str(&a->body), "<Message>", "</Message>", message, sizeof(message));
		xml_value(buf_str(&a->body), "<Field>", "</Field>", field, sizeof(field));
	}
	fits = code_of(a->status, code);
	if (!message[0])
		snprintf(message, sizeof(message), "the server answered %ld.", a->status);
	return cli_fail(c, ERR(fits), "%s%s%s%s%s", message, field[0] ? " (" : "", field, field[0] ? ")" : "",
	    advice(fits, message));
}

struct err
net_json_as(struct cli *c, struct net *n, const struct net_who *who, const char *method, const char *path, json_t *body, json_t **ret)
{
	char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
	struct net_ask ask = {.method = method, .path = path, .who = who, .body = str_c(text)};
	AUTO_ANSWER a = NET_ANSWER;
	json_t *j;
	struct err e;

	if (text)
		ask.headers[0] = "Content-Type: application/json";
	json_decref(body);
	e = net_ask(n, &ask, &a);
	if (text)
		explicit_bzero(text, strlen(text));
	free(text);
	if (err_is(e))
		return net_unreachable(c, n, e, &a);
	if (a.status < 200 || a.status > 299)
		return net_refused(c, &a);
	j = a.cut ? NULL : json_loadb(a.body.n ? a.body.p : "{}", a.body.n ? a.body.n : 2, 0, NULL);
	if (!j)
		return cli_fail(c, ERR(ERR_CORRUPT), "%s answered something that is not JSON: is it the API of Cloister?", n->endpoint);
	*ret = j;
	return OK;
}

struct err
net_json(struct cli *c, const char *method, const char *path, json_t *body, json_t **ret)
{
	struct net_who who;
	AUTO_NET n = NULL;
	struct err e = net_open(c, &n);

	if (!err_is(e))
		e = net_who(c, n, &who);
	if (err_is(e)) {
		json_decref(body);
		return e;
	}
	e = net_json_as(c, n, &who, method, path, body, ret);
	explicit_bzero(&who, sizeof(who));
	return e;
}

void
net_escape(const char *s, struct buf *b)
{
	for (; *s; s++) {
		unsigned char ch = (unsigned char)*s;

		if ((ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || (ch >= '0' && ch <= '9') || strchr("-._~", *s))
			buf_put_char(b, *s);
		else
			buf_printf(b, "%%%02X", ch);
	}
}

void
net_query(struct buf *b, const char *name, const char *value)
{
	if (!value)
		return;
	buf_put_char(b, str_chr(buf_str(b), '?') == SIZE_MAX ? '?' : '&');
	buf_put_c(b, name);
	buf_put_char(b, '=');
	net_escape(value, b);
}
