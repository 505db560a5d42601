/* Buckets, as far as S3 clients do not manage them. */
#include "base/num.h"
#include "bin/cli_net.h"
#include "bin/cli_out.h"

#define PATH_BYTES 512

static const struct cli_option none[] = {{NULL, NULL, NULL, CLI_FLAG, NULL}};

struct err
cmd_bucket_list(struct cli *c)
{
	static const struct out_column columns[] = {{"NAME", "name", OUT_TEXT}, {"VERSIONING", "versioning", OUT_TEXT},
		{"OBJECT LOCK", "objectLock", OUT_TEXT}, {"CREATED", "created", OUT_TIME}, {"ID", "id", OUT_TEXT},
		{NULL, NULL, OUT_TEXT}};
	AUTO_JSON *answer = NULL;

	cli_parse(c, none, CLI_NET, 0, 0);
	TRY(net_json(c, "GET", "/api/buckets", NULL, &answer));
	if (c->json)
		out_json(json_object_get(answer, "buckets"));
	else
		out_table(json_object_get(answer, "buckets"), columns);
	return OK;
}

static struct err
show(struct cli *c, const char *method, json_t *body)
{
	static const struct out_column fields[] = {{"name", "name", OUT_TEXT}, {"id", "id", OUT_TEXT}, {"owner", "owner", OUT_TEXT},
		{"key domain", "domain", OUT_TEXT}, {"versioning", "versioning", OUT_TEXT}, {"object lock", "objectLock", OUT_TEXT},
		{"has a policy", "hasPolicy", OUT_TEXT}, {"ownership", "ownership", OUT_TEXT}, {"names rules off", "namesOff", OUT_LIST},
		{"created", "created", OUT_TIME}, {NULL, NULL, OUT_TEXT}};
	AUTO_BUF path = BUF(PATH_BYTES);
	AUTO_JSON *answer = NULL;

	buf_put_c(&path, "/api/buckets/");
	net_escape(c->argv[0], &path);
	TRY(net_json(c, method, net_path(&path), body, &answer));
	if (c->json)
		out_json(answer);
	else
		out_fields(answer, fields);
	return OK;
}

struct err
cmd_bucket_show(struct cli *c)
{
	cli_parse(c, none, CLI_NET, 1, 1);
	return show(c, "GET", NULL);
}

struct err
cmd_bucket_rules(struct cli *c)
{
	struct cli_list off = {.n = 0};
	bool all_on = false;
	const struct cli_option options[] = {
		{"off", "RULE", "switch this rule off, and all others on; may be repeated (doc/names.md lists them)", CLI_LIST, &off},
		{"all-on", NULL, "switch all rules on", CLI_FLAG, &all_on},
		{NULL, NULL, NULL, CLI_FLAG, NULL},
	};
	json_t *list;

	cli_parse(c, options, CLI_NET, 1, 1);
	if (all_on && off.n)
		return cli_fail(c, ERR(ERR_INVALID), "give --off or --all-on, not both");
	if (!all_on && off.n == 0)
		return show(c, "GET", NULL);
	list = json_array();
	for (size_t i = 0; i < off.n; i++)
		if (json_array_append_new(list, json_string(off.v[i])) != 0) {
			json_decref(list);
			return cli_fail(c, ERR(ERR_INVALID), "an argument is not UTF-8");
		}
	return show(c, "PATCH", json_pack("{s:o}", "namesOff", list));
}

/* ---- making: S3's own calls ---- */

static struct err
s3_put(struct cli *c, struct net *n, const struct net_who *who, const char *path, const char *const headers[2], struct str body)
{
	struct net_ask ask = {.method = "PUT", .path = path, .who = who, .body = body, .headers = {headers[0], headers[1]}};
	AUTO_ANSWER a = NET_ANSWER;
	struct err e = net_ask(n, &ask, &a);

	if (err_is(e))
		return net_unreachable(c, n, e, &a);
	return a.status == 200 ? OK : net_refused(c, &a);
}

static struct err
switch_versioning_on(struct cli *c, struct net *n, const struct net_who *who)
{
	static const char *const headers[2] = {"Content-Type: application/xml", NULL};
	AUTO_BUF path = BUF(PATH_BYTES);

	buf_put_char(&path, '/');
	net_escape(c->argv[0], &path);
	buf_put_c(&path, "?versioning=");
	return s3_put(c, n, who, net_path(&path), headers,
	    STR("<VersioningConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Status>Enabled</Status>"
		"</VersioningConfiguration>"));
}

struct err
cmd_bucket_create(struct cli *c)
{
	const char *domain = NULL, *headers[2] = {NULL, NULL};
	bool versioning = false, lock = false;
	const struct cli_option options[] = {
		{"domain", "NAME", "key domain (default general); it cannot be changed later", CLI_TEXT, &domain},
		{"versioning", NULL, "keep every version", CLI_FLAG, &versioning},
		{"object-lock", NULL, "allow retention; switches versioning on", CLI_FLAG, &lock},
		{NULL, NULL, NULL, CLI_FLAG, NULL},
	};
	AUTO_BUF path = BUF(PATH_BYTES);
	AUTO_NET n = NULL;
	struct net_who who;
	char line[128];

	cli_parse(c, options, CLI_NET, 1, 1);
	if (domain && snprintf(line, sizeof(line), "x-cloister-domain: %s", domain) >= (int)sizeof(line))
		return cli_fail(c, ERR(ERR_INVALID), "no key domain has such a long name");
	if (domain)
		headers[0] = line;
	if (lock)
		headers[domain ? 1 : 0] = "x-amz-bucket-object-lock-enabled: true";
	buf_put_char(&path, '/');
	net_escape(c->argv[0], &path);
	TRY(net_open(c, &n));
	TRY(net_who(c, n, &who));
	TRY(s3_put(c, n, &who, net_path(&path), headers, STR_NONE));
	if (versioning && !lock)
		TRY(switch_versioning_on(c, n, &who));
	return show(c, "GET", NULL);
}
