/* What comes in, what became of it, what goes out; and jobs. */
#include "bin/cli_job.h"

static const struct cli_option none[] = {{NULL, NULL, NULL, CLI_FLAG, NULL}};

static const struct out_column feed_columns[] = {{"FEED", "name", OUT_TEXT}, {"KIND", "kind", OUT_TEXT}, {"STATE", "state", OUT_TEXT},
	{"ACCEPTED", "accepted", OUT_TEXT}, {"DUPLICATE", "duplicate", OUT_TEXT}, {"REFUSED", "refused", OUT_TEXT}, {"LAST", "last", OUT_TIME},
	{NULL, NULL, OUT_TEXT}};

static long long
number(const json_t *j, const char *name)
{
	return (long long)json_integer_value(json_object_get(j, name));
}

static void
print_counts(const char *title, const json_t *counts)
{
	const char *key;
	json_t *v;
	bool any = false;

	json_object_foreach((json_t *)(uintptr_t)counts, key, v) {
		if (json_integer_value(v) == 0)
			continue;
		printf(any ? ", " : "%s%-14s%s  ", any ? "" : out_begin(OUT_BOLD), any ? "" : title, any ? "" : out_end());
		out_text(str_c(key));
		printf(" %lld", (long long)json_integer_value(v));
		any = true;
	}
	if (any)
		putchar('\n');
}

struct err
cmd_flow(struct cli *c)
{
	AUTO_JSON *flow = NULL;
	const json_t *landing, *pool;

	cli_parse(c, none, CLI_NET, 0, 0);
	TRY(net_json(c, "GET", "/api/flow", NULL, &flow));
	if (c->json) {
		out_json(flow);
		return OK;
	}
	landing = json_object_get(flow, "landing");
	pool = json_object_get(flow, "pool");
	out_table(json_object_get(flow, "feeds"), feed_columns);
	printf("\n%slanding%s         %lld arrived, %lld taken into the pool\n", out_begin(OUT_BOLD), out_end(), number(landing, "newest"),
	    number(landing, "done"));
	printf("%spool%s            %lld patients, generation %lld\n", out_begin(OUT_BOLD), out_end(), number(pool, "patients"),
	    number(pool, "generation"));
	print_counts("resources", json_object_get(pool, "resources"));
	print_counts("quarantined", json_object_get(pool, "quarantined"));
	printf("%sstudies%s         %lld, releases %lld, cells %lld\n", out_begin(OUT_BOLD), out_end(), number(flow, "studies"),
	    number(flow, "releases"), number(flow, "cells"));
	print_counts("airlock", json_object_get(flow, "airlock"));
	printf("%srecords%s         %lld\n", out_begin(OUT_BOLD), out_end(), number(flow, "records"));
	return OK;
}

struct err
cmd_feed_list(struct cli *c)
{
	AUTO_JSON *flow = NULL;

	cli_parse(c, none, CLI_NET, 0, 0);
	TRY(net_json(c, "GET", "/api/flow", NULL, &flow));
	if (c->json)
		out_json(json_object_get(flow, "feeds"));
	else
		out_table(json_object_get(flow, "feeds"), feed_columns);
	return OK;
}

struct err
cmd_pool_rebuild(struct cli *c)
{
	bool no_wait = false;
	const struct cli_option options[] = {
		{"no-wait", NULL, "do not wait until it is made", CLI_FLAG, &no_wait},
		{NULL, NULL, NULL, CLI_FLAG, NULL},
	};
	AUTO_JSON *answer = NULL, *job = NULL;
	AUTO_CALLS s = {.c = c};

	cli_parse(c, options, CLI_NET, 0, 0);
	TRY(calls_open(c, &s));
	TRY(calls_json(&s, "POST", "/api/pool/rebuild", NULL, &answer));
	TRY(job_finish(&s, answer, !no_wait, "making the pool anew", &job));
	if (c->json)
		out_json(job ? job : answer);
	else if (job)
		printf("The pool is made anew from everything that landed.\n");
	else
		printf("The pool is being made anew: `cloister job show %s`.\n", out_member(answer, "job"));
	return OK;
}

struct err
cmd_job_show(struct cli *c)
{
	static const struct out_column fields[] = {{"id", "id", OUT_TEXT}, {"kind", "kind", OUT_TEXT}, {"state", "state", OUT_TEXT},
		{"done", "done", OUT_TEXT}, {"of", "total", OUT_TEXT}, {"why", "reason", OUT_TEXT}, {NULL, NULL, OUT_TEXT}};
	bool wait = false;
	const struct cli_option options[] = {
		{"wait", NULL, "until it has ended; its failure is ours", CLI_FLAG, &wait},
		{NULL, NULL, NULL, CLI_FLAG, NULL},
	};
	AUTO_JSON *job = NULL;
	AUTO_BUF path = BUF(JOB_PATH_BYTES);
	AUTO_CALLS s = {.c = c};

	cli_parse(c, options, CLI_NET, 1, 1);
	TRY(calls_open(c, &s));
	TRY(wait ? job_wait(&s, c->argv[0], "the job", &job) :
	    calls_json(&s, "GET", cli_path_of(&path, "/api/jobs/", c->argv[0], ""), NULL, &job));
	if (c->json)
		out_json(job);
	else
		out_fields(job, fields);
	return OK;
}
