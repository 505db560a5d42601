/* Questions about one patient: who used his data, and to whom it was disclosed. */
#include <unistd.h>

#include "bin/cli_job.h"

#define MRN_MAX 64

struct subject_options { const char *file, *reason; };

/*
 * A record number is itself protected: it is asked for, or read from a private file. One that was given as an argument is wiped from where other users
 * of this machine could see it; a shell may remember it nevertheless.
 */
static struct err
take_mrn(struct cli *c, const struct subject_options *o, struct buf *ret)
{
	struct err e = OK;

	if (o->file && c->argc > 0)
		return cli_fail(c, ERR(ERR_INVALID), "give the number or --mrn-file, not both");
	if (c->argc > 0) {
		buf_put_c(ret, c->argv[0]);
		explicit_bzero(c->argv[0], strlen(c->argv[0]));
	} else if (o->file) {
		TRY(cli_read_private(c, o->file, "record number", ret));
	} else {
		e = cli_ask("Medical record number: ", ret);
	}
	if (err_is(e))
		return cli_fail(c, e, "there is no terminal to ask for the number; give --mrn-file FILE, mode 0600");
	while (ret->n > 0 && (ret->p[ret->n - 1] == '\n' || ret->p[ret->n - 1] == ' '))
		ret->n--;
	return ret->n > 0 ? OK : cli_fail(c, ERR(ERR_INVALID), "the record number is empty");
}

/* its tokens, by a job that looks into the pool */
static struct err
find_tokens(struct calls *s, const struct subject_options *o, json_t **ret)
{
	AUTO_BUF mrn = BUF_WIPED(MRN_MAX);
	AUTO_JSON *answer = NULL, *job = NULL;
	json_t *tokens;

	TRY(take_mrn(s->c, o, &mrn));
	TRY(calls_json(s, "POST", "/api/subjects", json_pack("{s:s%, s:s}", "mrn", mrn.p, mrn.n, "reason",
	    o->reason ? o->reason : "patient-request"), &answer));
	TRY(job_wait(s, out_member(answer, "job"), "looking for the patient", &job));
	tokens = json_object_get(json_object_get(job, "result"), "subjects");
	if (json_array_size(tokens) == 0)
		return cli_fail(s->c, ERR(ERR_NOT_FOUND), "nobody in the pool has this record number");
	*ret = json_incref(tokens);
	return OK;
}

/* what ${before}TOKEN${after} answers for each token, all lists together */
static struct err
gather(struct calls *s, const json_t *tokens, const char *before, const char *after, const char *member, json_t *all)
{
	const json_t *token;
	size_t i;

	json_array_foreach(tokens, i, token) {
		AUTO_BUF path = BUF(JOB_PATH_BYTES);
		AUTO_JSON *answer = NULL;

		TRY(calls_json(s, "GET", cli_path_of(&path, before, json_string_value(token), after), NULL, &answer));
		if (json_array_extend(all, json_object_get(answer, member)) != 0)
			return ERR(ERR_CORRUPT);
		if (json_is_true(json_object_get(answer, "more")))
			cli_note("There is more than is shown: ask the record itself with `cloister audit show --subject %s`.", json_string_value(token));
	}
	return OK;
}

#define SUBJECT_OPTIONS(o)                                                                                                             \
	{"mrn-file", "FILE", "read the number from FILE, mode 0600 (default: ask)", CLI_TEXT, &(o).file},                              \
	{"reason", "WORD", "patient-request (default), accounting, complaint, incident, audit, legal: it is recorded", CLI_TEXT, &(o).reason}

struct err
cmd_audit_subject(struct cli *c)
{
	static const struct out_column columns[] = {{"WHEN", "at", OUT_TIME}, {"WHO", "who", OUT_TEXT}, {"ADDRESS", "address", OUT_TEXT},
		{"WHAT", "act", OUT_TEXT}, {"DECISION", "decision", OUT_TEXT}, {"STUDY", "study", OUT_TEXT}, {"BASIS", "basis", OUT_TEXT},
		{"RECORD", "record", OUT_TEXT}, {NULL, NULL, OUT_TEXT}};
	struct subject_options o = {.file = NULL};
	const struct cli_option options[] = {SUBJECT_OPTIONS(o), {NULL, NULL, NULL, CLI_FLAG, NULL}};
	AUTO_JSON *tokens = NULL, *all = json_array();
	AUTO_CALLS s = {.c = c};

	cli_parse(c, options, CLI_NET, 0, 1);
	TRY(calls_open(c, &s));
	TRY(find_tokens(&s, &o, &tokens));
	TRY(gather(&s, tokens, "/api/subjects/", "/accesses", "accesses", all));
	if (c->json)
		out_json(all);
	else if (json_array_size(all) == 0)
		printf("The record shows no use of this patient's data.\n");
	else
		out_table(all, columns);
	return OK;
}

/* for the table: the recipient in one column */
static void
flatten(json_t *list)
{
	json_t *d;
	size_t i;

	json_array_foreach(list, i, d) {
		json_t *recipient = json_object_get(d, "recipient"), *study = json_object_get(d, "study");

		if (json_object_set(d, "to", json_object_get(recipient, "name")) != 0 ||
		    json_object_set(d, "address", json_object_get(recipient, "address")) != 0 ||
		    json_object_set(d, "protocol", json_object_get(study, "protocol")) != 0)
			continue; /* it has none */
	}
}

struct err
cmd_audit_disclosures(struct cli *c)
{
	static const struct out_column columns[] = {{"WHEN", "at", OUT_TIME}, {"TO", "to", OUT_TEXT}, {"ADDRESS", "address", OUT_TEXT},
		{"WHAT", "description", OUT_TEXT}, {"PURPOSE", "purpose", OUT_TEXT}, {"PROTOCOL", "protocol", OUT_TEXT}, {"RECORD", "record", OUT_TEXT},
		{NULL, NULL, OUT_TEXT}};
	struct subject_options o = {.file = NULL, .reason = "accounting"};
	const struct cli_option options[] = {SUBJECT_OPTIONS(o), {NULL, NULL, NULL, CLI_FLAG, NULL}};
	AUTO_JSON *tokens = NULL, *all = json_array();
	AUTO_CALLS s = {.c = c};

	cli_parse(c, options, CLI_NET, 0, 1);
	TRY(calls_open(c, &s));
	TRY(find_tokens(&s, &o, &tokens));
	TRY(gather(&s, tokens, "/api/disclosures?subject=", "", "disclosures", all));
	if (c->json) {
		out_json(all);
	} else if (json_array_size(all) == 0) {
		printf("Nothing of this patient was disclosed that has to be accounted for (45 CFR 164.528).\n");
	} else {
		flatten(all);
		out_table(all, columns);
	}
	return OK;
}
