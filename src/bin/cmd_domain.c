/* Key domains and feeds. */
#include <fcntl.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/num.h"
#include "bin/cli_net.h"
#include "bin/cli_out.h"

#define PATH_BYTES 512
#define POLL_US 50000u
#define POLL_US_MAX 4000000u

static const struct cli_option none[] = {{NULL, NULL, NULL, CLI_FLAG, NULL}};

struct err
cmd_domain_list(struct cli *c)
{
	static const struct out_column columns[] = {{"NAME", "name", OUT_TEXT}, {"STATE", "state", OUT_TEXT},
		{"EPOCH", "epoch", OUT_TEXT}, {"TO REWRAP", "left", OUT_TEXT}, {"CREATED", "created", OUT_TIME}, {"ROTATED", "rotated", OUT_TIME},
		{"DESTROYED", "destroyed", OUT_TIME}, {"ID", "id", OUT_TEXT}, {NULL, NULL, OUT_TEXT}};
	AUTO_JSON *answer = NULL;

	cli_parse(c, none, CLI_NET, 0, 0);
	TRY(net_json(c, "GET", "/api/domains", NULL, &answer));
	if (c->json)
		out_json(json_object_get(answer, "domains"));
	else
		out_table(json_object_get(answer, "domains"), columns);
	return OK;
}

struct err
cmd_domain_create(struct cli *c)
{
	AUTO_JSON *answer = NULL;

	cli_parse(c, none, CLI_NET, 1, 1);
	TRY(net_json(c, "POST", "/api/domains", json_pack("{s:s}", "name", c->argv[0]), &answer));
	if (c->json)
		out_json(answer);
	else
		printf("The key domain %s is made. `cloister bucket create BUCKET --domain %s` puts a bucket in it.\n",
		    out_member(answer, "name"), out_member(answer, "name"));
	return OK;
}

/* ---- rotation ---- */

struct rotation {
	struct cli *c;
	struct net *n;
	struct net_who who;
	json_t *done; /* what the server answered, one a domain */
};

static struct err
rotate_one(struct rotation *r, const char *domain)
{
	AUTO_BUF path = BUF(PATH_BYTES);
	json_t *answer;

	buf_put_c(&path, "/api/domains/");
	net_escape(domain, &path);
	buf_put_c(&path, "/rotate");
	TRY(net_json_as(r->c, r->n, &r->who, "POST", net_path(&path), NULL, &answer));
	if (!r->c->json)
		printf("%s has a new key, number %lld: what is written from now on uses it.\n", out_member(answer, "name"),
		    (long long)json_integer_value(json_object_get(answer, "epoch")));
	return json_array_append_new(r->done, answer) == 0 ? OK : ERR(ERR_NO_MEMORY);
}

static struct err
rotate_all(struct rotation *r)
{
	AUTO_JSON *answer = NULL;
	const json_t *d;
	size_t i;

	TRY(net_json_as(r->c, r->n, &r->who, "GET", "/api/domains", NULL, &answer));
	json_array_foreach(json_object_get(answer, "domains"), i, d)
		if (strcmp(out_member(d, "state"), "destroyed") != 0)
			TRY(rotate_one(r, out_member(d, "name")));
	return OK;
}

static bool
is_ours(const struct rotation *r, const char *name)
{
	const json_t *d;
	size_t i;

	json_array_foreach(r->done, i, d)
		if (strcmp(out_member(d, "name"), name) == 0)
			return true;
	return false;
}

/* ${ret_left}: data keys of our domains that are wrapped under an older key; SIZE_MAX: not known just now */
static struct err
look(struct rotation *r, uint64_t *ret_left)
{
	AUTO_JSON *answer = NULL;
	const json_t *d;
	uint64_t left = 0;
	size_t i;

	TRY(net_json_as(r->c, r->n, &r->who, "GET", "/api/domains", NULL, &answer));
	json_array_foreach(json_object_get(answer, "domains"), i, d) {
		const json_t *n = json_object_get(d, "left");

		if (strcmp(out_member(d, "state"), "rewrapping") != 0 || !is_ours(r, out_member(d, "name")))
			continue;
		if (!json_is_integer(n))
			left = UINT64_MAX;
		else if (left != UINT64_MAX)
			left += (uint64_t)json_integer_value(n);
	}
	*ret_left = left;
	return OK;
}

static struct err
wait_for(struct rotation *r)
{
	int64_t from = clock_mono_us();
	uint64_t left = 1, first = 0;
	useconds_t pause = POLL_US;
	char label[] = "rewrapping data keys";

	for (;;) {
		TRY(look(r, &left));
		if (left == 0)
			break;
		if (left != UINT64_MAX && left > first)
			first = left;
		if (left != UINT64_MAX)
			out_progress(label, first - left, first);
		usleep(pause); /* each look is recorded: slower and slower */
		pause = pause < POLL_US_MAX / 2 ? pause * 2 : POLL_US_MAX;
	}
	out_progress_end();
	if (!r->c->json)
		printf("All data keys are wrapped under the new keys (%.1f s). The old ones are destroyed when no transfer can hold one\n"
		       "of them any more, after twenty minutes: `cloister domain list` then says active.\n",
		    (double)(clock_mono_us() - from) / US_PER_S);
	return OK;
}

struct err
cmd_key_rotate(struct cli *c)
{
	const char *domain = NULL;
	bool wait = false;
	const struct cli_option options[] = {
		{"domain", "NAME", "this key domain only (default: all)", CLI_TEXT, &domain},
		{"wait", NULL, "until every data key is rewrapped", CLI_FLAG, &wait},
		{NULL, NULL, NULL, CLI_FLAG, NULL},
	};
	AUTO_JSON *done = json_array();
	struct rotation r = {.c = c, .done = done};
	AUTO_NET n = NULL;

	cli_parse(c, options, CLI_NET, 0, 0);
	TRY(net_open(c, &n));
	TRY(net_who(c, n, &r.who));
	r.n = n;
	TRY(domain ? rotate_one(&r, domain) : rotate_all(&r));
	if (wait)
		TRY(wait_for(&r));
	if (c->json)
		out_json(done);
	return OK;
}

/* ---- destruction ---- */

struct err
cmd_domain_destroy(struct cli *c)
{
	static const struct out_column fields[] = {{"domain", "domain", OUT_TEXT}, {"id", "domain_id", OUT_TEXT},
		{"destroyed", "destroyed", OUT_TIME}, {"versions", "versions", OUT_TEXT}, {"keys", "epochs", OUT_TEXT},
		{"consented by", "consented_by", OUT_LIST}, {"ledger", "origin", OUT_TEXT}, {NULL, NULL, OUT_TEXT}};
	const char *confirm = NULL;
	const struct cli_option options[] = {
		{"confirm", "NAME", "the domain's name again: its data will be unreadable for ever", CLI_TEXT, &confirm},
		{NULL, NULL, NULL, CLI_FLAG, NULL},
	};
	AUTO_BUF path = BUF(PATH_BYTES);
	AUTO_JSON *answer = NULL;
	const json_t *certificate;

	cli_parse(c, options, CLI_NET, 1, 1);
	if (!confirm || strcmp(confirm, c->argv[0]) != 0)
		return cli_fail(c, ERR(ERR_INVALID), "all data under %s becomes unreadable for ever; if you mean it, add --confirm %s",
		    c->argv[0], c->argv[0]);
	buf_put_c(&path, "/api/domains/");
	net_escape(c->argv[0], &path);
	TRY(net_json(c, "DELETE", net_path(&path), json_pack("{s:s}", "confirm", confirm), &answer));
	certificate = json_object_get(answer, "certificate");
	if (c->json) {
		out_json(answer);
	} else if (certificate) {
		printf("%sDestroyed.%s Keep this certificate:\n\n", out_begin(OUT_BOLD), out_end());
		out_fields(certificate, fields);
		printf("%-14s  %lld\n", "record", (long long)json_integer_value(json_object_get(answer, "record")));
	} else {
		printf("Your consent is recorded; nothing is destroyed yet. It needs %s, who runs the same command within %lld minutes.\n",
		    out_member(answer, "needs"), (long long)json_integer_value(json_object_get(answer, "seconds")) / 60);
	}
	return OK;
}

/* ---- feeds ---- */

static struct err
write_feed(struct cli *c, const char *out, const json_t *answer)
{
	static const struct { const char *member, *suffix; } files[] = {{"certificate", ".pem"}, {"private_key", ".key"},
		{"authority", ".ca.pem"}};

	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		char path[CLI_PATH_MAX];
		struct err e = cli_path(path, "%s%s", out, files[i].suffix);

		if (!err_is(e))
			e = fd_replace_file(AT_FDCWD, path, str_c(out_member(answer, files[i].member)), 0600);
		if (err_is(e))
			return cli_fail(c, e, "%s%s cannot be written: %s", out, files[i].suffix, err_sentence(e.code));
	}
	if (!c->json)
		printf("The feed %s is made: %s.pem, %s.key (private), %s.ca.pem.\n", out_member(answer, "name"), out, out, out);
	return OK;
}

struct err
cmd_feed_add(struct cli *c)
{
	const char *days = NULL, *out = NULL, *authority = NULL;
	bool device = false;
	const struct cli_option options[] = {
		{"device", NULL, "a device gateway", CLI_FLAG, &device},
		{"assigning-authority", "NAME", "whose record numbers it sends: feeds of one authority mean the same patients (default: its own)", CLI_TEXT,
			&authority},
		{"days", "N", "how long its certificate holds, 1 to 825 (default 365)", CLI_TEXT, &days},
		{"out", "PREFIX", "write PREFIX.pem, PREFIX.key, PREFIX.ca.pem (default: the feed's name)", CLI_TEXT, &out},
		{NULL, NULL, NULL, CLI_FLAG, NULL},
	};
	AUTO_JSON *answer = NULL, *body = NULL;
	char key[CLI_PATH_MAX];
	uint64_t n = 0;

	cli_parse(c, options, CLI_NET, 1, 1);
	if (days && err_is(num_parse_u64(str_c(days), 825, &n)))
		return cli_fail(c, ERR(ERR_INVALID), "--days takes a number from 1 to 825");
	if (!out)
		out = c->argv[0];
	TRY(cli_path(key, "%s.key", out));
	if (access(key, F_OK) == 0)
		return cli_fail(c, ERR(ERR_EXISTS), "%s exists; name other files with --out", key);
	body = json_pack("{s:s, s:s, s:I, s:s*}", "name", c->argv[0], "kind", device ? "device" : "feed", "days", (json_int_t)n,
	    "assigning_authority", authority);
	TRY(net_json(c, "POST", "/api/feeds", json_incref(body), &answer));
	TRY(write_feed(c, out, answer));
	if (c->json) {
		(void)json_object_del(answer, "private_key");
		out_json(answer);
	}
	return OK;
}
