/* Studies and their releases. */
#include <fcntl.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/num.h"
#include "bin/cli_job.h"
#include "crypto/crypto.h"

static const struct cli_option none[] = {{NULL, NULL, NULL, CLI_FLAG, NULL}};

static const struct out_column study_fields[] = {{"id", "id", OUT_TEXT}, {"title", "title", OUT_TEXT}, {"protocol", "protocol", OUT_TEXT},
	{"state", "state", OUT_TEXT}, {"usable", "valid", OUT_TEXT}, {"missing", "missing", OUT_LIST}, {"profile", "profile", OUT_TEXT},
	{"investigator", "pi", OUT_TEXT}, {"people", "people", OUT_LIST}, {"tables", "tables", OUT_LIST}, {"sponsor", "sponsor", OUT_TEXT},
	{"contact", "contact", OUT_TEXT}, {"releases", "releases", OUT_TEXT}, {"newer data", "offer", OUT_TEXT}, {"digest", "digest", OUT_TEXT},
	{"created", "created", OUT_TIME}, {"cohort", "cohort", OUT_TEXT}, {"description", "description", OUT_TEXT}, {NULL, NULL, OUT_TEXT}};
static const struct out_column basis_fields[] = {{"basis", "kind", OUT_TEXT}, {"board", "board", OUT_TEXT}, {"number", "number", OUT_TEXT},
	{"document", "document_sha256", OUT_TEXT}, {"expires", "expires", OUT_TEXT}, {"recorded by", "recorded_by", OUT_TEXT},
	{NULL, NULL, OUT_TEXT}};

/* ---- showing ---- */

static void
show_study(const struct cli *c, const json_t *study)
{
	static const struct out_column signatures[] = {{"REVIEW", "review", OUT_TEXT}, {"WHO", "who", OUT_TEXT},
		{"DECISION", "decision", OUT_TEXT}, {"AT", "at", OUT_TIME}, {"COMMENT", "comment", OUT_TEXT}, {NULL, NULL, OUT_TEXT}};
	const json_t *list = json_object_get(study, "signatures");

	if (c->json) {
		out_json(study);
		return;
	}
	out_fields(study, study_fields);
	out_fields(json_object_get(study, "basis"), basis_fields);
	if (json_array_size(list) > 0) {
		putchar('\n');
		out_table(list, signatures);
	}
}

static struct err
find_study(struct calls *s, char id[64])
{
	return calls_find(s, "/api/studies", "studies", "study", s->c->argv[0], id);
}

/* one call about the study that the first argument names; its answer is a study */
static struct err
call_study(struct calls *s, const char *method, const char *after, json_t *body)
{
	AUTO_BUF path = BUF(JOB_PATH_BYTES);
	AUTO_JSON *answer = NULL, *taken = body;
	char id[64];

	TRY(find_study(s, id));
	TRY(calls_json(s, method, cli_path_of(&path, "/api/studies/", id, after), json_incref(taken), &answer));
	if (!*out_member(answer, "id")) { /* it was done, and is shown as it is now */
		AUTO_BUF again = BUF(JOB_PATH_BYTES);

		json_decref(answer);
		answer = NULL;
		TRY(calls_json(s, "GET", cli_path_of(&again, "/api/studies/", id, ""), NULL, &answer));
	}
	show_study(s->c, answer);
	return OK;
}

struct err
cmd_study_list(struct cli *c)
{
	static const struct out_column columns[] = {{"ID", "id", OUT_TEXT}, {"PROTOCOL", "protocol", OUT_TEXT}, {"TITLE", "title", OUT_TEXT},
		{"STATE", "state", OUT_TEXT}, {"USABLE", "valid", OUT_TEXT}, {"MISSING", "missing", OUT_LIST}, {"INVESTIGATOR", "pi", OUT_TEXT},
		{"RELEASES", "releases", OUT_TEXT}, {"NEWER DATA", "offer", OUT_TEXT}, {NULL, NULL, OUT_TEXT}};

	return cli_show_list(c, "/api/studies", "studies", columns);
}

struct err
cmd_study_show(struct cli *c)
{
	AUTO_CALLS s = {.c = c};

	cli_parse(c, none, CLI_NET, 1, 1);
	TRY(calls_open(c, &s));
	return call_study(&s, "GET", "", NULL);
}

struct err
cmd_study_close(struct cli *c)
{
	AUTO_CALLS s = {.c = c};

	cli_parse(c, none, CLI_NET, 1, 1);
	TRY(calls_open(c, &s));
	return call_study(&s, "POST", "/close", NULL);
}

/* ---- making and changing ---- */

struct study_options {
	struct cli_list people, tables;
	const char *title, *protocol, *description, *profile, *cohort, *sponsor, *contact;
};
#define STUDY_OPTIONS(o)                                                                                                              \
	{"title", "TEXT", "title of the study", CLI_TEXT, &(o).title},                                                                \
	{"protocol", "NUMBER", "number of its protocol", CLI_TEXT, &(o).protocol},                                                    \
	{"description", "TEXT", "what is asked, and why; @FILE takes it from a file", CLI_TEXT, &(o).description},                    \
	{"profile", "NAME", "safe-harbor or limited-data-set", CLI_TEXT, &(o).profile},                                               \
	{"cohort", "SQL", "one SELECT that yields a column patient; @FILE", CLI_TEXT, &(o).cohort},                                   \
	{"person", "NAME", "who works in it; may be repeated", CLI_LIST, &(o).people},                                                \
	{"table", "NAME", "a table of its releases; may be repeated (default: all)", CLI_LIST, &(o).tables},                          \
	{"sponsor", "TEXT", "who pays for it", CLI_TEXT, &(o).sponsor},                                                               \
	{"contact", "TEXT", "whom to ask about it", CLI_TEXT, &(o).contact}

static struct err
study_body(struct cli *c, const struct study_options *o, json_t *j)
{
	const struct { const char *name, *given; } texts[] = {{"title", o->title}, {"protocol", o->protocol}, {"description", o->description},
		{"profile", o->profile}, {"cohort", o->cohort}, {"sponsor", o->sponsor}, {"contact", o->contact}};

	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		TRY(cli_set_text(c, j, texts[i].name, texts[i].given));
	if ((o->people.n && json_object_set_new(j, "people", cli_list_json(&o->people)) != 0) ||
	    (o->tables.n && json_object_set_new(j, "tables", cli_list_json(&o->tables)) != 0))
		return cli_fail(c, ERR(ERR_INVALID), "an argument is not UTF-8");
	return OK;
}

struct err
cmd_study_add(struct cli *c)
{
	struct study_options o = {.title = NULL};
	const struct cli_option options[] = {STUDY_OPTIONS(o), {NULL, NULL, NULL, CLI_FLAG, NULL}};
	AUTO_JSON *body = json_object(), *answer = NULL;

	cli_parse(c, options, CLI_NET, 0, 0);
	if (!o.title || !o.protocol || !o.profile || !o.cohort)
		return cli_fail(c, ERR(ERR_INVALID), "a study needs --title, --protocol, --profile and --cohort; see `cloister study add --help`");
	TRY(study_body(c, &o, body));
	TRY(net_json(c, "POST", "/api/studies", json_incref(body), &answer));
	if (c->json)
		out_json(answer);
	else
		printf("The study %s is registered, as a draft. It needs a basis (`cloister study basis`) and four signatures\n"
		       "(`cloister study sign`): `cloister study show %.8s` says what is missing.\n",
		    out_member(answer, "study"), out_member(answer, "study"));
	return OK;
}

struct err
cmd_study_set(struct cli *c)
{
	struct study_options o = {.title = NULL};
	const struct cli_option options[] = {STUDY_OPTIONS(o), {NULL, NULL, NULL, CLI_FLAG, NULL}};
	AUTO_JSON *body = json_object();
	AUTO_CALLS s = {.c = c};

	cli_parse(c, options, CLI_NET, 1, 1);
	TRY(study_body(c, &o, body));
	if (json_object_size(body) == 0)
		return cli_fail(c, ERR(ERR_INVALID), "nothing to change is named; see `cloister study set --help`");
	TRY(calls_open(c, &s));
	return call_study(&s, "PATCH", "", json_incref(body));
}

/* ---- basis and signatures ---- */

/* of the approval letter: the record binds its bytes, and keeps no copy */
static struct err
digest_of(struct cli *c, const char *path, char out[2 * SHA256_BYTES + 1])
{
	AUTO_BUF text = BUF(64 * MiB);
	AUTO_BUF hex = BUF(2 * SHA256_BYTES + 1);
	uint8_t sum[SHA256_BYTES];
	AUTO_FD fd = -1;
	struct err e = fd_open_at(AT_FDCWD, path, O_RDONLY, 0, &fd);

	if (!err_is(e))
		e = fd_read_rest(fd, &text);
	if (err_is(e))
		return cli_fail(c, e, "%s cannot be read: %s", path, err_sentence(e.code));
	sha256(buf_str(&text), sum);
	buf_put_hex(&hex, sum, sizeof(sum));
	snprintf(out, 2 * SHA256_BYTES + 1, "%.*s", STR_ARG(buf_str(&hex)));
	return OK;
}

struct err
cmd_study_basis(struct cli *c)
{
	const char *kind = NULL, *board = NULL, *number = NULL, *document = NULL, *sha = NULL, *expires = NULL;
	const struct cli_option options[] = {
		{"kind", "KIND", "irb-approval, irb-waiver, authorization, limited-data-set-agreement, expert-determination", CLI_TEXT, &kind},
		{"board", "TEXT", "who decided", CLI_TEXT, &board},
		{"number", "TEXT", "the number of the decision", CLI_TEXT, &number},
		{"document", "FILE", "the decision itself: its SHA-256 is recorded, the file stays where it is", CLI_TEXT, &document},
		{"sha256", "DIGEST", "the same, computed elsewhere", CLI_TEXT, &sha},
		{"expires", "DATE", "last day, as 2027-06-30", CLI_TEXT, &expires},
		{NULL, NULL, NULL, CLI_FLAG, NULL},
	};
	char digest[2 * SHA256_BYTES + 1] = "";
	AUTO_CALLS s = {.c = c};

	cli_parse(c, options, CLI_NET, 1, 1);
	if (!kind || !board || !number || !expires || !document == !sha)
		return cli_fail(c, ERR(ERR_INVALID), "a basis needs --kind, --board, --number, --expires, and --document or --sha256");
	if (document)
		TRY(digest_of(c, document, digest));
	TRY(calls_open(c, &s));
	return call_study(&s, "POST", "/basis", json_pack("{s:s, s:s, s:s, s:s, s:s}", "kind", kind, "board", board, "number", number,
	    "document_sha256", document ? digest : sha, "expires", expires));
}

struct err
cmd_study_sign(struct cli *c)
{
	const char *review = NULL, *comment = "", *digest = NULL;
	bool refuse = false;
	const struct cli_option options[] = {
		{"review", "NAME", "it, management, research or security", CLI_TEXT, &review},
		{"refuse", NULL, "refuse instead of signing", CLI_FLAG, &refuse},
		{"comment", "TEXT", "why; @FILE", CLI_TEXT, &comment},
		{"digest", "DIGEST", "of the study as you read it (default: as it is now, which is shown)", CLI_TEXT, &digest},
		{NULL, NULL, NULL, CLI_FLAG, NULL},
	};
	AUTO_JSON *study = NULL, *body = NULL;
	AUTO_BUF path = BUF(JOB_PATH_BYTES);
	AUTO_CALLS s = {.c = c};
	char id[64];

	cli_parse(c, options, CLI_NET, 1, 1);
	if (!review)
		return cli_fail(c, ERR(ERR_INVALID), "which review? --review it, management, research or security");
	TRY(calls_open(c, &s));
	if (!digest) {
		TRY(find_study(&s, id));
		TRY(calls_json(&s, "GET", cli_path_of(&path, "/api/studies/", id, ""), NULL, &study));
		digest = out_member(study, "digest");
	}
	body = json_pack("{s:s, s:s, s:s}", "review", review, "decision", refuse ? "refuse" : "sign", "digest", digest);
	TRY(cli_set_text(c, body, "comment", comment));
	return call_study(&s, "POST", "/signatures", json_incref(body));
}

/* ---- counting ---- */

struct err
cmd_study_count(struct cli *c)
{
	AUTO_JSON *answer = NULL, *job = NULL;
	AUTO_BUF path = BUF(JOB_PATH_BYTES);
	AUTO_CALLS s = {.c = c};
	const json_t *patients;
	char id[64];

	cli_parse(c, none, CLI_NET, 1, 1);
	TRY(calls_open(c, &s));
	TRY(find_study(&s, id));
	TRY(calls_json(&s, "POST", cli_path_of(&path, "/api/studies/", id, "/count"), NULL, &answer));
	TRY(job_wait(&s, out_member(answer, "job"), "counting the cohort", &job));
	patients = json_object_get(json_object_get(job, "result"), "patients");
	if (c->json)
		out_json(json_object_get(job, "result"));
	else if (json_is_integer(patients))
		printf("%lld patients fit the cohort.\n", (long long)json_integer_value(patients));
	else
		printf("%s patients fit the cohort: small numbers are not told exactly.\n", json_string_value(patients));
	return OK;
}

/* ---- releases ---- */

static const struct out_column release_fields[] = {{"id", "id", OUT_TEXT}, {"study", "study", OUT_TEXT}, {"version", "version", OUT_TEXT},
	{"state", "state", OUT_TEXT}, {"why", "reason", OUT_TEXT}, {"made", "made", OUT_TIME}, {"made by", "made_by", OUT_TEXT},
	{"patients", "patients", OUT_TEXT}, {"profile", "profile", OUT_TEXT}, {"manifest", "manifest_sha256", OUT_TEXT}, {NULL, NULL, OUT_TEXT}};

static void
show_release(const struct cli *c, const json_t *release)
{
	static const struct out_column files[] = {{"FILE", "name", OUT_TEXT}, {"SIZE", "size", OUT_BYTES}, {"SHA-256", "sha256", OUT_TEXT},
		{NULL, NULL, OUT_TEXT}};

	if (c->json) {
		out_json(release);
		return;
	}
	out_fields(release, release_fields);
	if (json_array_size(json_object_get(release, "files")) > 0) {
		putchar('\n');
		out_table(json_object_get(release, "files"), files);
	}
}

struct err
cmd_release_make(struct cli *c)
{
	bool no_wait = false;
	const struct cli_option options[] = {
		{"no-wait", NULL, "do not wait until it is made", CLI_FLAG, &no_wait},
		{NULL, NULL, NULL, CLI_FLAG, NULL},
	};
	AUTO_JSON *answer = NULL, *job = NULL, *release = NULL;
	AUTO_BUF path = BUF(JOB_PATH_BYTES);
	AUTO_BUF made = BUF(JOB_PATH_BYTES);
	AUTO_CALLS s = {.c = c};
	char id[64];

	cli_parse(c, options, CLI_NET, 1, 1);
	TRY(calls_open(c, &s));
	TRY(find_study(&s, id));
	TRY(calls_json(&s, "POST", cli_path_of(&path, "/api/studies/", id, "/releases"), NULL, &answer));
	TRY(job_finish(&s, answer, !no_wait, "making the release", &job));
	if (no_wait) {
		if (c->json)
			out_json(answer);
		else
			printf("The release %s is being made: `cloister job show %s`.\n", out_member(answer, "release"), out_member(answer, "job"));
		return OK;
	}
	TRY(calls_json(&s, "GET", cli_path_of(&made, "/api/releases/", out_member(answer, "release"), ""), NULL, &release));
	show_release(c, release);
	return OK;
}

struct err
cmd_release_list(struct cli *c)
{
	static const struct out_column columns[] = {{"ID", "id", OUT_TEXT}, {"VERSION", "version", OUT_TEXT}, {"STATE", "state", OUT_TEXT},
		{"WHY", "reason", OUT_TEXT}, {"PATIENTS", "patients", OUT_TEXT}, {"MADE", "made", OUT_TIME}, {"BY", "made_by", OUT_TEXT},
		{NULL, NULL, OUT_TEXT}};
	AUTO_JSON *all = json_array();
	AUTO_BUF path = BUF(JOB_PATH_BYTES);
	AUTO_CALLS s = {.c = c};
	char id[64];

	cli_parse(c, none, CLI_NET, 1, 1);
	TRY(calls_open(c, &s));
	TRY(find_study(&s, id));
	TRY(calls_list(&s, cli_path_of(&path, "/api/studies/", id, "/releases"), "releases", all));
	if (c->json)
		out_json(all);
	else
		out_table(all, columns);
	return OK;
}

struct err
cmd_release_show(struct cli *c)
{
	AUTO_JSON *answer = NULL;
	AUTO_BUF path = BUF(JOB_PATH_BYTES);

	cli_parse(c, none, CLI_NET, 1, 1);
	TRY(net_json(c, "GET", cli_path_of(&path, "/api/releases/", c->argv[0], ""), NULL, &answer));
	show_release(c, answer);
	return OK;
}
