/* The airlock: the only way in or out of a cell. */
#include <fcntl.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/num.h"
#include "bin/cli_job.h"
#include "crypto/crypto.h"

#define FILE_MAX_BYTES (512 * MiB) /* of one file, through the command line */

static const struct cli_option none[] = {{NULL, NULL, NULL, CLI_FLAG, NULL}};

static const struct out_column request_fields[] = {{"id", "id", OUT_TEXT}, {"state", "state", OUT_TEXT}, {"direction", "direction", OUT_TEXT},
	{"who", "who", OUT_TEXT}, {"study", "study", OUT_TEXT}, {"cell", "cell", OUT_TEXT}, {"purpose", "purpose", OUT_TEXT},
	{"context", "context", OUT_TEXT}, {"digest", "digest", OUT_TEXT}, {"created", "created", OUT_TIME}, {"submitted", "submitted", OUT_TIME},
	{"decided", "decided", OUT_TIME}, {"released", "released", OUT_TIME}, {NULL, NULL, OUT_TEXT}};

static struct err
find_request(struct calls *s, char id[64])
{
	return calls_find(s, "/api/airlock", "requests", "request", s->c->argv[0], id);
}

/* ---- showing ---- */

static void
show_findings(const json_t *files)
{
	const json_t *file, *f;
	size_t i, k;

	json_array_foreach(files, i, file)
		json_array_foreach(json_object_get(file, "findings"), k, f) {
			const char *severity = out_member(f, "severity");
			bool blocks = strcmp(severity, "block") == 0;

			printf("%s%-5s%s  file %lld: ", out_begin(blocks ? OUT_RED : OUT_YELLOW), severity, out_end(),
			    (long long)json_integer_value(json_object_get(file, "n")));
			out_text(str_c(out_member(f, "check")));
			putchar(' ');
			out_text(str_c(out_member(f, "place")));
			if (json_integer_value(json_object_get(f, "count")) > 1)
				printf(" (%lld times)", (long long)json_integer_value(json_object_get(f, "count")));
			putchar('\n');
		}
}

static void
show_request(const struct cli *c, const json_t *request)
{
	static const struct out_column files[] = {{"FILE", "n", OUT_TEXT}, {"NAME", "name", OUT_TEXT}, {"SIZE", "size", OUT_BYTES},
		{"TYPE", "type", OUT_TEXT}, {"SHA-256", "sha256", OUT_TEXT}, {NULL, NULL, OUT_TEXT}};
	static const struct out_column reviews[] = {{"REVIEWER", "who", OUT_TEXT}, {"DECISION", "decision", OUT_TEXT}, {"AT", "at", OUT_TIME},
		{"COMMENT", "comment", OUT_TEXT}, {NULL, NULL, OUT_TEXT}};
	static const struct out_column recipient[] = {{"recipient", "name", OUT_TEXT}, {"address", "address", OUT_TEXT}, {NULL, NULL, OUT_TEXT}};

	if (c->json) {
		out_json(request);
		return;
	}
	out_fields(request, request_fields);
	out_fields(json_object_get(request, "recipient"), recipient);
	putchar('\n');
	out_table(json_object_get(request, "files"), files);
	show_findings(json_object_get(request, "files"));
	if (json_array_size(json_object_get(request, "reviews")) > 0) {
		putchar('\n');
		out_table(json_object_get(request, "reviews"), reviews);
	}
}

static struct err
show_now(struct calls *s, const char *id)
{
	AUTO_JSON *answer = NULL;
	AUTO_BUF path = BUF(JOB_PATH_BYTES);

	TRY(calls_json(s, "GET", cli_path_of(&path, "/api/airlock/", id, ""), NULL, &answer));
	show_request(s->c, answer);
	return OK;
}

struct err
cmd_airlock_list(struct cli *c)
{
	static const struct out_column columns[] = {{"ID", "id", OUT_TEXT}, {"STATE", "state", OUT_TEXT}, {"DIRECTION", "direction", OUT_TEXT},
		{"WHO", "who", OUT_TEXT}, {"STUDY", "study", OUT_TEXT}, {"SUBMITTED", "submitted", OUT_TIME}, {"PURPOSE", "purpose", OUT_TEXT},
		{NULL, NULL, OUT_TEXT}};

	return cli_show_list(c, "/api/airlock", "requests", columns);
}

/* one call about the request that the first argument names, then how it is */
static struct err
call_request(struct cli *c, const char *method, const char *after)
{
	AUTO_JSON *answer = NULL, *job = NULL;
	AUTO_BUF path = BUF(JOB_PATH_BYTES);
	AUTO_CALLS s = {.c = c};
	char id[64];

	cli_parse(c, none, CLI_NET, 1, 1);
	TRY(calls_open(c, &s));
	TRY(find_request(&s, id));
	if (*after || strcmp(method, "GET") != 0) {
		TRY(calls_json(&s, method, cli_path_of(&path, "/api/airlock/", id, after), NULL, &answer));
		TRY(job_finish(&s, answer, true, "verifying every byte", &job));
	}
	return show_now(&s, id);
}

struct err
cmd_airlock_show(struct cli *c)
{
	return call_request(c, "GET", "");
}

struct err
cmd_airlock_release(struct cli *c)
{
	return call_request(c, "POST", "/release");
}

struct err
cmd_airlock_withdraw(struct cli *c)
{
	return call_request(c, "DELETE", "");
}

struct err
cmd_airlock_recall(struct cli *c)
{
	return call_request(c, "POST", "/recall");
}

/* ---- files ---- */

static struct err
read_whole(struct cli *c, const char *path, struct buf *ret)
{
	AUTO_FD fd = -1;
	struct err e = fd_open_at(AT_FDCWD, path, O_RDONLY, 0, &fd);

	if (!err_is(e))
		e = fd_read_rest(fd, ret);
	return err_is(e) ? cli_fail(c, e, "%s cannot be read: %s", path, e.code == ERR_LIMIT ? "it is larger than the airlock takes" :
	    err_sentence(e.code)) : OK;
}

static struct err
put_file(struct calls *s, const char *request, const char *n, const char *path)
{
	AUTO_BUF bytes = BUF_WIPED(FILE_MAX_BYTES);
	AUTO_BUF at = BUF(JOB_PATH_BYTES);
	AUTO_ANSWER a = NET_ANSWER;
	struct net_ask ask = {.method = "PUT", .who = &s->who, .headers = {"Content-Type: application/octet-stream"}};
	struct err e;

	TRY(read_whole(s->c, path, &bytes));
	buf_put_c(&at, "/api/airlock/");
	net_escape(request, &at);
	buf_put_c(&at, "/files/");
	net_escape(n, &at);
	ask.path = net_path(&at);
	ask.body = buf_str(&bytes);
	e = net_ask(s->n, &ask, &a);
	if (err_is(e))
		return net_unreachable(s->c, s->n, e, &a);
	return a.status == 200 ? OK : net_refused(s->c, &a);
}

struct err
cmd_airlock_put(struct cli *c)
{
	AUTO_CALLS s = {.c = c};
	char id[64];

	cli_parse(c, none, CLI_NET, 3, 3);
	TRY(calls_open(c, &s));
	TRY(find_request(&s, id));
	TRY(put_file(&s, id, c->argv[1], c->argv[2]));
	if (!c->json)
		printf("File %s of the request is stored.\n", c->argv[1]);
	return OK;
}

struct err
cmd_airlock_get(struct cli *c)
{
	const char *out = NULL;
	const struct cli_option options[] = {
		{"out", "FILE", "write it to FILE, which must not exist (default: standard output, if that is no terminal)", CLI_TEXT, &out},
		{NULL, NULL, NULL, CLI_FLAG, NULL},
	};
	AUTO_BUF at = BUF(JOB_PATH_BYTES);
	AUTO_CALLS s = {.c = c};
	AUTO_ANSWER a = NET_ANSWER;
	struct net_ask ask = {.method = "GET", .answer_max = FILE_MAX_BYTES};
	AUTO_FD fd = -1;
	struct err e;
	char id[64];

	cli_parse(c, options, CLI_NET, 2, 2);
	if (!out && isatty(STDOUT_FILENO))
		return cli_fail(c, ERR(ERR_INVALID), "give --out FILE: what is in it could move the cursor of this terminal");
	TRY(calls_open(c, &s));
	TRY(find_request(&s, id));
	buf_put_c(&at, "/api/airlock/");
	net_escape(id, &at);
	buf_put_c(&at, "/files/");
	net_escape(c->argv[1], &at);
	ask.path = net_path(&at);
	ask.who = &s.who;
	e = net_ask(s.n, &ask, &a);
	if (err_is(e))
		return net_unreachable(c, s.n, e, &a);
	if (a.status != 200)
		return net_refused(c, &a);
	if (a.cut)
		return cli_fail(c, ERR(ERR_CORRUPT), "the connection broke in the middle of the file; nothing was written");
	e = out ? fd_open_at(AT_FDCWD, out, O_WRONLY | O_CREAT | O_EXCL, 0600, &fd) : OK;
	if (!err_is(e))
		e = fd_write_all(out ? fd : STDOUT_FILENO, buf_str(&a.body));
	return err_is(e) ? cli_fail(c, e, "%s cannot be written: %s", out ? out : "the output", err_sentence(e.code)) : OK;
}

/* ---- submitting ---- */

/* of an import: what is announced of a file, so that what comes can be compared with it */
static struct err
announce(struct cli *c, const char *path, json_t *files)
{
	AUTO_BUF bytes = BUF_WIPED(FILE_MAX_BYTES);
	AUTO_BUF hex = BUF(2 * SHA256_BYTES);
	const char *name = strrchr(path, '/');
	uint8_t sum[SHA256_BYTES];
	json_t *file;

	TRY(read_whole(c, path, &bytes));
	sha256(buf_str(&bytes), sum);
	buf_put_hex(&hex, sum, sizeof(sum));
	file = json_pack("{s:s, s:I, s:s%}", "name", name ? name + 1 : path, "size", (json_int_t)bytes.n, "sha256", hex.p, hex.n);
	return json_array_append_new(files, file) == 0 ? OK : cli_fail(c, ERR(ERR_INVALID), "a name is not UTF-8");
}

struct submission { const char *context, *purpose, *to, *address, *period; bool import, no_wait; };

static struct err
submission_body(struct cli *c, const struct submission *o, const char *cell, json_t *body)
{
	json_t *files = json_array();

	if (json_object_set_new(body, "files", files) != 0 || json_object_set_new(body, "cell", json_string(cell)) != 0 ||
	    json_object_set_new(body, "direction", json_string(o->import ? "in" : "out")) != 0)
		return ERR(ERR_NO_MEMORY);
	for (int i = 1; i < c->argc; i++) {
		if (o->import)
			TRY(announce(c, c->argv[i], files));
		else if (json_array_append_new(files, json_string(c->argv[i])) != 0)
			return cli_fail(c, ERR(ERR_INVALID), "a name is not UTF-8");
	}
	if (o->to && json_object_set_new(body, "recipient", json_pack("{s:s, s:s}", "name", o->to, "address", o->address ? o->address : "")) != 0)
		return cli_fail(c, ERR(ERR_INVALID), "an argument is not UTF-8");
	TRY(cli_set_text(c, body, "context", o->context));
	TRY(cli_set_text(c, body, "purpose", o->purpose));
	return cli_set_text(c, body, "period", o->period);
}

/* an import's bytes follow its announcement; then the checks begin */
static struct err
send_files(struct calls *s, const char *request, json_t **ret_answer)
{
	AUTO_BUF path = BUF(JOB_PATH_BYTES);

	for (int i = 1; i < s->c->argc; i++) {
		char n[16];
		char label[] = "sending files";

		out_progress(label, (uint64_t)i - 1, (uint64_t)s->c->argc - 1);
		snprintf(n, sizeof(n), "%d", i);
		TRY(put_file(s, request, n, s->c->argv[i]));
	}
	out_progress_end();
	return calls_json(s, "POST", cli_path_of(&path, "/api/airlock/", request, "/submission"), NULL, ret_answer);
}

struct err
cmd_airlock_submit(struct cli *c)
{
	struct submission o = {.context = NULL};
	const struct cli_option options[] = {
		{"context", "TEXT", "what a reviewer must know to judge the files; @FILE", CLI_TEXT, &o.context},
		{"purpose", "TEXT", "what they are for; @FILE", CLI_TEXT, &o.purpose},
		{"to", "NAME", "who gets them", CLI_TEXT, &o.to},
		{"address", "TEXT", "the recipient's address", CLI_TEXT, &o.address},
		{"period", "TEXT", "the time that the data is about", CLI_TEXT, &o.period},
		{"import", NULL, "into the cell: files of this machine, not of the cell", CLI_FLAG, &o.import},
		{"no-wait", NULL, "do not wait for the checks", CLI_FLAG, &o.no_wait},
		{NULL, NULL, NULL, CLI_FLAG, NULL},
	};
	AUTO_JSON *body = json_object(), *answer = NULL, *begun = NULL, *job = NULL;
	AUTO_CALLS s = {.c = c};
	char cell[64];

	cli_parse(c, options, CLI_NET, 2, 64);
	if (!o.context || !o.purpose || (!o.import && !o.to))
		return cli_fail(c, ERR(ERR_INVALID), "a request needs --context, --purpose and, out of a cell, --to and --address");
	TRY(calls_open(c, &s));
	TRY(calls_find(&s, "/api/cells", "cells", "cell", c->argv[0], cell));
	TRY(submission_body(c, &o, cell, body));
	TRY(calls_json(&s, "POST", "/api/airlock", json_incref(body), &answer));
	if (o.import)
		TRY(send_files(&s, out_member(answer, "request"), &begun));
	TRY(job_finish(&s, begun ? begun : answer, !o.no_wait, "checking the files", &job));
	return show_now(&s, out_member(answer, "request"));
}

/* ---- deciding ---- */

static struct err
decide(struct cli *c, const char *after)
{
	const char *decision = NULL, *comment = NULL, *digest = NULL;
	const struct cli_option options[] = {
		{"decision", "WORD", "approve, return or reject", CLI_TEXT, &decision},
		{"comment", "TEXT", "why; @FILE", CLI_TEXT, &comment},
		{"digest", "DIGEST", "of the request as you saw it, from `cloister airlock show`", CLI_TEXT, &digest},
		{NULL, NULL, NULL, CLI_FLAG, NULL},
	};
	AUTO_JSON *body = NULL, *answer = NULL;
	AUTO_BUF path = BUF(JOB_PATH_BYTES);
	AUTO_CALLS s = {.c = c};
	char id[64];

	cli_parse(c, options, CLI_NET, 1, 1);
	if (!decision || !comment || !digest)
		return cli_fail(c, ERR(ERR_INVALID), "a decision needs --decision, --comment, and the --digest of what you saw: a decision is bound to "
		    "bytes");
	TRY(calls_open(c, &s));
	TRY(find_request(&s, id));
	body = json_pack("{s:s, s:s}", "decision", decision, "digest", digest);
	TRY(cli_set_text(c, body, "comment", comment));
	TRY(calls_json(&s, "POST", cli_path_of(&path, "/api/airlock/", id, after), json_incref(body), &answer));
	return show_now(&s, id);
}

struct err
cmd_airlock_review(struct cli *c)
{
	return decide(c, "/reviews");
}

struct err
cmd_airlock_consolidate(struct cli *c)
{
	return decide(c, "/consolidation");
}
