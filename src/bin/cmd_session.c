/* Who you are to the server: logging in and out, and what other S3 clients need to know. */
#include "base/num.h"
#include "bin/cli_net.h"
#include "bin/cli_out.h"

static const struct cli_option none[] = {{NULL, NULL, NULL, CLI_FLAG, NULL}};

static struct err
ask_password(struct cli *c, const char *file, const char *name, struct buf *ret)
{
	char prompt[160];
	struct err e;

	snprintf(prompt, sizeof(prompt), "Password of %s: ", name);
	e = file ? cli_read_private(c, file, "password", ret) : cli_ask(prompt, ret);
	if (err_is(e) && !c->said)
		return cli_fail(c, e, "there is no terminal to ask for the password; give --password-file");
	while (ret->n > 0 && ret->p[ret->n - 1] == '\n')
		ret->n--;
	return e;
}

struct err
cmd_login(struct cli *c)
{
	const char *password_file = NULL, *code = NULL, *name = getenv("USER");
	const struct cli_option options[] = {
		{"password-file", "FILE", "read the password from FILE, mode 0600 (default: ask)", CLI_TEXT, &password_file},
		{"code", "DIGITS", "one-time code (default: ask)", CLI_TEXT, &code},
		{NULL, NULL, NULL, CLI_FLAG, NULL},
	};
	AUTO_BUF password = BUF_WIPED(2 * KiB);
	AUTO_BUF typed = BUF_WIPED(64);
	AUTO_JSON *answer = NULL;
	AUTO_NET n = NULL;
	struct err e;

	cli_parse(c, options, CLI_NET, 0, 1);
	if (c->argc == 1)
		name = c->argv[0];
	if (!name)
		return cli_fail(c, ERR(ERR_INVALID), "whose log-in? `cloister login NAME`");
	TRY(net_open(c, &n));
	TRY(ask_password(c, password_file, name, &password));
	if (code)
		buf_put_c(&typed, code);
	else if (err_is(e = cli_ask("One-time code: ", &typed)))
		return cli_fail(c, e, "there is no terminal to ask for the one-time code; give --code");
	TRY(net_json_as(c, n, NULL, "POST", "/api/session", json_pack("{s:s, s:s%, s:s%}", "name", name, "password",
	    password.p ? password.p : "", password.n, "code", typed.p ? typed.p : "", typed.n), &answer));
	TRY(net_session_save(c, net_endpoint(n), out_member(answer, "token")));
	(void)json_object_del(answer, "token");
	if (c->json)
		out_json(answer);
	else
		printf("Logged in as %s at %s until %.16sZ.\n", out_member(answer, "name"), net_endpoint(n), out_member(answer, "expires"));
	return OK;
}

struct err
cmd_logout(struct cli *c)
{
	AUTO_JSON *answer = NULL;
	struct err e;

	cli_parse(c, none, CLI_NET, 0, 0);
	e = net_json(c, "DELETE", "/api/session", NULL, &answer);
	if (!err_is(e) || e.code == ERR_UNAUTHENTICATED) { /* it had ended by itself */
		struct err forgot = net_session_forget();

		if (err_is(forgot))
			return cli_fail(c, forgot, "the session file cannot be removed: %s", err_sentence(forgot.code));
	}
	if (!err_is(e) && !c->json)
		printf("Logged out.\n");
	return e;
}

struct err
cmd_whoami(struct cli *c)
{
	static const struct out_column fields[] = {{"name", "name", OUT_TEXT}, {"display", "display", OUT_TEXT},
		{"roles", "roles", OUT_LIST}, {"id", "id", OUT_TEXT}, {"proved by", "proof", OUT_TEXT},
		{"access key", "access_key", OUT_TEXT}, {"expires", "expires", OUT_TIME}, {NULL, NULL, OUT_TEXT}};
	AUTO_JSON *answer = NULL;

	cli_parse(c, none, CLI_NET, 0, 0);
	TRY(net_json(c, "GET", "/api/whoami", NULL, &answer));
	if (c->json)
		out_json(answer);
	else
		out_fields(answer, fields);
	return OK;
}

struct err
cmd_credentials(struct cli *c)
{
	bool export = false;
	const struct cli_option options[] = {
		{"export", NULL, "as `export` lines for a shell, with the secret", CLI_FLAG, &export},
		{NULL, NULL, NULL, CLI_FLAG, NULL},
	};
	struct net_who who;
	AUTO_NET n = NULL;

	cli_parse(c, options, CLI_NET, 0, 0);
	TRY(net_open(c, &n));
	TRY(net_who(c, n, &who));
	if (!who.access_key[0])
		return cli_fail(c, ERR(ERR_NOT_FOUND), "you have a session, but S3 clients need an access key; make one with "
		    "`cloister key create --out FILE`, then use --credentials FILE");
	if (export) {
		printf("export AWS_ENDPOINT_URL='%s'\nexport AWS_DEFAULT_REGION='us-east-1'\nexport AWS_ACCESS_KEY_ID='%s'\n"
		       "export AWS_SECRET_ACCESS_KEY='%s'\n", net_endpoint(n), who.access_key, who.secret);
		if (net_ca(n))
			printf("export AWS_CA_BUNDLE='%s'\n", net_ca(n));
	} else if (c->json) {
		AUTO_JSON *j = json_pack("{s:s, s:s, s:s, s:s}", "endpoint", net_endpoint(n), "ca", net_ca(n) ? net_ca(n) : "",
		    "region", "us-east-1", "access_key", who.access_key);

		out_json(j);
	} else {
		printf("endpoint    %s\nauthority   %s\nregion      us-east-1\naccess key  %s\n\n"
		       "  eval \"$(cloister credentials --export ...)\"; aws s3 ls\n",
		    net_endpoint(n), net_ca(n) ? net_ca(n) : "the system's", who.access_key);
	}
	explicit_bzero(&who, sizeof(who));
	return OK;
}
