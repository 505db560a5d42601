/* People and their access keys. */
#include <fcntl.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/num.h"
#include "bin/cli_net.h"
#include "bin/cli_out.h"

#define PATH_BYTES 512

static const struct cli_option none[] = {{NULL, NULL, NULL, CLI_FLAG, NULL}};

static const struct out_column person_fields[] = {{"name", "name", OUT_TEXT}, {"display", "display", OUT_TEXT},
	{"kind", "kind", OUT_TEXT}, {"roles", "roles", OUT_LIST}, {"state", "state", OUT_TEXT}, {"email", "email", OUT_TEXT},
	{"id", "id", OUT_TEXT}, {"created", "created", OUT_TIME}, {"revoked", "revoked", OUT_TIME}, {NULL, NULL, OUT_TEXT}};
static const struct out_column once_fields[] = {{"password", "password", OUT_TEXT}, {"one-time codes", "totp_uri", OUT_TEXT},
	{"access key", "access_key", OUT_TEXT}, {"secret key", "secret", OUT_TEXT}, {NULL, NULL, OUT_TEXT}};

static struct err
path_of(struct buf *b, const char *before, const char *name, const char *after)
{
	buf_put_c(b, before);
	net_escape(name, b);
	buf_put_c(b, after);
	buf_put_char(b, 0);
	return buf_check(b);
}

/* Secrets that exist nowhere else: refuse to lose them, before anything is changed. */
static struct err
check_out(struct cli *c, const char *out)
{
	if (out && access(out, F_OK) == 0)
		return cli_fail(c, ERR(ERR_EXISTS), "%s exists; name a new file", out);
	return OK;
}

static struct err
write_out(struct cli *c, const char *out, const json_t *j)
{
	char *text = json_dumps(j, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
	struct err e = text ? fd_replace_file(AT_FDCWD, out, str_c(text), 0600) : ERR(ERR_NO_MEMORY);

	if (text)
		explicit_bzero(text, strlen(text));
	free(text);
	if (err_is(e))
		return cli_fail(c, e, "%s cannot be written (%s): what was made is of no use without its secret; make it anew", out,
		    err_sentence(e.code));
	printf("The secrets are in %s (mode 0600).\n", out);
	return OK;
}

static struct err
show_once(struct cli *c, const char *out, const json_t *j, const struct out_column *fields)
{
	if (out)
		return write_out(c, out, j);
	if (c->json) {
		out_json(j);
		return OK;
	}
	out_fields(j, fields);
	if (*out_member(j, "password") || *out_member(j, "secret")) {
		printf("\nShown once, kept nowhere:\n");
		out_fields(j, once_fields);
	}
	return OK;
}

static json_t *
array_of(const struct cli_list *list)
{
	json_t *j = json_array();

	for (size_t i = 0; i < list->n; i++)
		if (json_array_append_new(j, json_string(list->v[i])) != 0)
			break;
	return j;
}

/* ---- people ---- */

struct person_options {
	struct cli_list roles;
	const char *display, *email, *out;
	bool service, reactivate;
};

static json_t *
person_body(const struct person_options *o)
{
	json_t *j = json_object();
	bool good = j != NULL;

	if (o->roles.n)
		good = good && json_object_set_new(j, "roles", array_of(&o->roles)) == 0;
	if (o->display)
		good = good && json_object_set_new(j, "display", json_string(o->display)) == 0;
	if (o->email)
		good = good && json_object_set_new(j, "email", json_string(o->email)) == 0;
	if (o->service)
		good = good && json_object_set_new(j, "kind", json_string("service")) == 0;
	if (o->reactivate)
		good = good && json_object_set_new(j, "active", json_true()) == 0;
	if (good)
		return j;
	json_decref(j); /* text that is not UTF-8 */
	return NULL;
}

struct err
cmd_user_add(struct cli *c)
{
	struct person_options o = {.display = NULL};
	const struct cli_option options[] = {
		{"role", "ROLE", "a role; may be repeated", CLI_LIST, &o.roles},
		{"display", "TEXT", "name as people read it", CLI_TEXT, &o.display},
		{"email", "ADDRESS", "e-mail address", CLI_TEXT, &o.email},
		{"service", NULL, "a program: no password, access keys only", CLI_FLAG, &o.service},
		{"out", "FILE", "write the secrets to FILE (JSON, mode 0600)", CLI_TEXT, &o.out},
		{NULL, NULL, NULL, CLI_FLAG, NULL},
	};
	AUTO_JSON *answer = NULL;
	json_t *body;

	cli_parse(c, options, CLI_NET, 1, 1);
	TRY(check_out(c, o.out));
	if (o.roles.n == 0)
		return cli_fail(c, ERR(ERR_INVALID), "a person needs a role: --role researcher; see `cloister user add --help`");
	body = person_body(&o);
	if (!body || json_object_set_new(body, "name", json_string(c->argv[0])) != 0) {
		json_decref(body);
		return cli_fail(c, ERR(ERR_INVALID), "an argument is not UTF-8");
	}
	TRY(net_json(c, "POST", "/api/users", body, &answer));
	return show_once(c, o.out, answer, person_fields);
}

struct err
cmd_user_list(struct cli *c)
{
	static const struct out_column columns[] = {{"NAME", "name", OUT_TEXT}, {"ROLES", "roles", OUT_LIST},
		{"KIND", "kind", OUT_TEXT}, {"STATE", "state", OUT_TEXT}, {"DISPLAY", "display", OUT_TEXT},
		{"CREATED", "created", OUT_TIME}, {NULL, NULL, OUT_TEXT}};
	AUTO_JSON *all = json_array();
	char after[64] = "";
	bool more = true;

	cli_parse(c, none, CLI_NET, 0, 0);
	while (more) {
		AUTO_BUF path = BUF(PATH_BYTES);
		AUTO_JSON *page = NULL;
		json_t *users;

		buf_put_c(&path, "/api/users");
		net_query(&path, "after", after[0] ? after : NULL);
		TRY(net_json(c, "GET", net_path(&path), NULL, &page));
		users = json_object_get(page, "users");
		if (!users) { /* who may see himself only gets himself */
			json_array_append(all, page);
			break;
		}
		json_array_extend(all, users);
		more = json_is_true(json_object_get(page, "more")) && json_array_size(users) > 0;
		if (more)
			snprintf(after, sizeof(after), "%s", out_member(json_array_get(users, json_array_size(users) - 1), "name"));
	}
	if (c->json)
		out_json(all);
	else
		out_table(all, columns);
	return OK;
}

static struct err
one_person(struct cli *c, const char *method, json_t *body)
{
	AUTO_BUF path = BUF(PATH_BYTES);
	AUTO_JSON *answer = NULL;
	struct err e = path_of(&path, "/api/users/", c->argv[0], "");

	if (err_is(e)) {
		json_decref(body);
		return e;
	}
	TRY(net_json(c, method, path.p, body, &answer));
	return show_once(c, NULL, answer, person_fields);
}

struct err
cmd_user_show(struct cli *c)
{
	cli_parse(c, none, CLI_NET, 1, 1);
	return one_person(c, "GET", NULL);
}

struct err
cmd_user_set(struct cli *c)
{
	struct person_options o = {.display = NULL};
	const struct cli_option options[] = {
		{"role", "ROLE", "a role, in place of all present ones; may be repeated", CLI_LIST, &o.roles},
		{"display", "TEXT", "name as people read it", CLI_TEXT, &o.display},
		{"email", "ADDRESS", "e-mail address", CLI_TEXT, &o.email},
		{"reactivate", NULL, "let a revoked person in again; keys and passwords do not come back", CLI_FLAG, &o.reactivate},
		{NULL, NULL, NULL, CLI_FLAG, NULL},
	};
	json_t *body;

	cli_parse(c, options, CLI_NET, 1, 1);
	body = person_body(&o);
	if (json_object_size(body) == 0) {
		json_decref(body);
		return cli_fail(c, ERR(ERR_INVALID), "nothing to change is named; see `cloister user set --help`");
	}
	return one_person(c, "PATCH", body);
}

struct err
cmd_user_revoke(struct cli *c)
{
	cli_parse(c, none, CLI_NET, 1, 1);
	return one_person(c, "DELETE", NULL);
}

/* Passwords are asked for, or read from private files: never taken from the command line, which others can see. */
static struct err
take_password(struct cli *c, const char *file, const char *prompt, json_t *body, const char *member)
{
	AUTO_BUF b = BUF_WIPED(2 * KiB);
	struct err e = file ? cli_read_private(c, file, "password", &b) : cli_ask(prompt, &b);

	if (err_is(e) && !c->said)
		return cli_fail(c, e, "there is no terminal to ask for the password; give --old-file and --new-file");
	TRY(e);
	while (b.n > 0 && b.p[b.n - 1] == '\n')
		b.n--;
	return json_object_set_new(body, member, json_stringn(b.p ? b.p : "", b.n)) == 0 ? OK :
	    cli_fail(c, ERR(ERR_INVALID), "the password is not UTF-8");
}

struct err
cmd_user_password(struct cli *c)
{
	const char *old = NULL, *new = NULL, *out = NULL;
	const struct cli_option options[] = {
		{"old-file", "FILE", "your present password, from FILE (default: ask)", CLI_TEXT, &old},
		{"new-file", "FILE", "the new one, from FILE (default: ask)", CLI_TEXT, &new},
		{"out", "FILE", "with NAME: write the new secrets to FILE (JSON, mode 0600)", CLI_TEXT, &out},
		{NULL, NULL, NULL, CLI_FLAG, NULL},
	};
	AUTO_BUF path = BUF(PATH_BYTES);
	AUTO_JSON *me = NULL, *answer = NULL, *body = json_object();

	cli_parse(c, options, CLI_NET, 0, 1);
	TRY(check_out(c, out));
	if (c->argc == 0) {
		TRY(net_json(c, "GET", "/api/whoami", NULL, &me));
		TRY(take_password(c, old, "Present password: ", body, "old"));
		TRY(take_password(c, new, "New password (12 characters or more): ", body, "password"));
	}
	TRY(path_of(&path, "/api/users/", me ? out_member(me, "name") : c->argv[0], "/password"));
	TRY(net_json(c, "POST", path.p, json_incref(body), &answer));
	if (c->argc == 0 && !c->json) {
		printf("Your password is changed; your sessions have ended.\n");
		return OK;
	}
	return show_once(c, out, answer, person_fields);
}

/* ---- keys ---- */

static const struct out_column key_fields[] = {{"access key", "access_key", OUT_TEXT}, {"person", "person", OUT_TEXT},
	{"state", "state", OUT_TEXT}, {"expires", "expires", OUT_TIME}, {"read only", "read_only", OUT_TEXT},
	{"buckets", "buckets", OUT_LIST}, {NULL, NULL, OUT_TEXT}};

/* As --credentials takes it. */
static struct err
write_credentials(struct cli *c, const char *out, const json_t *answer)
{
	AUTO_JSON *j = json_pack("{s:s, s:s, s:s, s:s}", "access_key", out_member(answer, "access_key"), "secret_key",
	    out_member(answer, "secret"), "name", out_member(answer, "person"), "expires", out_member(answer, "expires"));

	return j ? write_out(c, out, j) : ERR(ERR_NO_MEMORY);
}

struct err
cmd_key_create(struct cli *c)
{
	struct cli_list buckets = {.n = 0};
	const char *days = NULL, *out = NULL, *person = NULL;
	bool read_only = false;
	const struct cli_option options[] = {
		{"user", "NAME", "the same as the argument", CLI_TEXT, &person},
		{"days", "N", "how long it holds, 1 to 365 (default 90)", CLI_TEXT, &days},
		{"read-only", NULL, "it may read only", CLI_FLAG, &read_only},
		{"bucket", "BUCKET", "it may use this bucket only; may be repeated", CLI_LIST, &buckets},
		{"out", "FILE", "write it to FILE, as --credentials takes it (JSON, mode 0600)", CLI_TEXT, &out},
		{NULL, NULL, NULL, CLI_FLAG, NULL},
	};
	AUTO_JSON *answer = NULL, *body = json_object();
	uint64_t n = 0;
	bool good;

	cli_parse(c, options, CLI_NET, 0, 1);
	if (c->argc == 1)
		person = c->argv[0];
	TRY(check_out(c, out));
	if (days && (err_is(num_parse_u64(str_c(days), 365, &n)) || n == 0))
		return cli_fail(c, ERR(ERR_INVALID), "--days takes a number from 1 to 365");
	good = (!days || json_object_set_new(body, "days", json_integer((json_int_t)n)) == 0) &&
	    (!read_only || json_object_set_new(body, "read_only", json_true()) == 0) &&
	    (!buckets.n || json_object_set_new(body, "buckets", array_of(&buckets)) == 0) &&
	    (!person || json_object_set_new(body, "person", json_string(person)) == 0);
	if (!good)
		return cli_fail(c, ERR(ERR_INVALID), "an argument is not UTF-8");
	TRY(net_json(c, "POST", "/api/keys", json_incref(body), &answer));
	return out ? write_credentials(c, out, answer) : show_once(c, NULL, answer, key_fields);
}

struct err
cmd_key_list(struct cli *c)
{
	static const struct out_column columns[] = {{"ACCESS KEY", "access_key", OUT_TEXT}, {"PERSON", "person", OUT_TEXT},
		{"STATE", "state", OUT_TEXT}, {"EXPIRES", "expires", OUT_TIME}, {"READ ONLY", "read_only", OUT_TEXT},
		{"BUCKETS", "buckets", OUT_LIST}, {NULL, NULL, OUT_TEXT}};
	AUTO_BUF path = BUF(PATH_BYTES);
	AUTO_JSON *answer = NULL;

	cli_parse(c, none, CLI_NET, 0, 1);
	buf_put_c(&path, "/api/keys");
	net_query(&path, "person", c->argc ? c->argv[0] : NULL);
	TRY(net_json(c, "GET", net_path(&path), NULL, &answer));
	if (c->json)
		out_json(json_object_get(answer, "keys"));
	else
		out_table(json_object_get(answer, "keys"), columns);
	return OK;
}

struct err
cmd_key_revoke(struct cli *c)
{
	AUTO_BUF path = BUF(PATH_BYTES);
	AUTO_JSON *answer = NULL;

	cli_parse(c, none, CLI_NET, 1, 1);
	TRY(path_of(&path, "/api/keys/", c->argv[0], ""));
	TRY(net_json(c, "DELETE", path.p, NULL, &answer));
	return show_once(c, NULL, answer, key_fields);
}
