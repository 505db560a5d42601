/* Cells: rooms with a release in them. */
#include <unistd.h>

#include "base/clock.h"
#include "base/num.h"
#include "bin/cli_job.h"

#define WORKER_POLL_US 500000u

static const struct cli_option none[] = {{NULL, NULL, NULL, CLI_FLAG, NULL}};

static struct err
find_cell(struct calls *s, char id[64])
{
	return calls_find(s, "/api/cells", "cells", "cell", s->c->argv[0], id);
}

struct err
cmd_cell_open(struct cli *c)
{
	const char *release = NULL;
	bool no_wait = false;
	const struct cli_option options[] = {
		{"release", "ID", "this release (default: the newest of the study)", CLI_TEXT, &release},
		{"no-wait", NULL, "do not wait until the data is in it", CLI_FLAG, &no_wait},
		{NULL, NULL, NULL, CLI_FLAG, NULL},
	};
	AUTO_JSON *answer = NULL, *job = NULL, *body = NULL;
	AUTO_CALLS s = {.c = c};
	int64_t from = clock_mono_us();
	char study[64];

	cli_parse(c, options, CLI_NET, 1, 1);
	TRY(calls_open(c, &s));
	TRY(calls_find(&s, "/api/studies", "studies", "study", c->argv[0], study));
	body = json_pack("{s:s}", "study", study);
	if (!body || (release && json_object_set_new(body, "release", json_string(release)) != 0))
		return cli_fail(c, ERR(ERR_INVALID), "an argument is not UTF-8");
	TRY(calls_json(&s, "POST", "/api/cells", json_incref(body), &answer));
	TRY(job_finish(&s, answer, !no_wait, "bringing the release into the cell", &job));
	if (c->json)
		out_json(answer);
	else
		printf("The cell %s is open (%.1f s). `cloister cell enter %.8s` prints the address of its notebook.\n", out_member(answer, "cell"),
		    (double)(clock_mono_us() - from) / US_PER_S, out_member(answer, "cell"));
	return OK;
}

struct err
cmd_cell_list(struct cli *c)
{
	static const struct out_column columns[] = {{"ID", "id", OUT_TEXT}, {"STATE", "state", OUT_TEXT}, {"WHO", "who", OUT_TEXT},
		{"STUDY", "study", OUT_TEXT}, {"OPENED", "opened", OUT_TIME}, {"EXPIRES", "expires", OUT_TIME}, {"CLOSED", "closed", OUT_TIME},
		{NULL, NULL, OUT_TEXT}};

	return cli_show_list(c, "/api/cells", "cells", columns);
}

static void
show_cell(const struct cli *c, const json_t *cell)
{
	static const struct out_column fields[] = {{"id", "id", OUT_TEXT}, {"state", "state", OUT_TEXT}, {"who", "who", OUT_TEXT},
		{"study", "study", OUT_TEXT}, {"release", "release", OUT_TEXT}, {"opened", "opened", OUT_TIME}, {"expires", "expires", OUT_TIME},
		{"closed", "closed", OUT_TIME}, {NULL, NULL, OUT_TEXT}};
	static const struct out_column live_fields[] = {{"data is there", "staged", OUT_TEXT}, {"notebook", "notebook", OUT_TEXT},
		{"memory", "memory_bytes", OUT_BYTES}, {"processes", "processes", OUT_TEXT}, {"disk", "disk_bytes", OUT_BYTES},
		{"last used", "used", OUT_TIME}, {NULL, NULL, OUT_TEXT}};
	static const struct out_column workers[] = {{"WORKER", "id", OUT_TEXT}, {"RUNNING", "running", OUT_TEXT},
		{"EXIT", "exit_status", OUT_TEXT}, {"STARTED", "started", OUT_TIME}, {"ENDED", "ended", OUT_TIME}, {NULL, NULL, OUT_TEXT}};
	json_t *live = json_object_get(cell, "live"), *n;
	const char *way;

	if (c->json) {
		out_json(cell);
		return;
	}
	out_fields(cell, fields);
	out_fields(live, live_fields);
	json_object_foreach(json_object_get(live, "refused"), way, n)
		if (json_integer_value(n) > 0)
			printf("%s%lld attempts to leave by %s were refused%s\n", out_begin(OUT_YELLOW), (long long)json_integer_value(n), way, out_end());
	if (json_array_size(json_object_get(live, "workers")) > 0) {
		putchar('\n');
		out_table(json_object_get(live, "workers"), workers);
	}
}

static struct err
call_cell(struct cli *c, const char *method)
{
	AUTO_JSON *answer = NULL;
	AUTO_BUF path = BUF(JOB_PATH_BYTES);
	AUTO_CALLS s = {.c = c};
	char id[64];

	cli_parse(c, none, CLI_NET, 1, 1);
	TRY(calls_open(c, &s));
	TRY(find_cell(&s, id));
	TRY(calls_json(&s, method, cli_path_of(&path, "/api/cells/", id, ""), NULL, &answer));
	show_cell(c, answer);
	return OK;
}

struct err
cmd_cell_show(struct cli *c)
{
	return call_cell(c, "GET");
}

struct err
cmd_cell_close(struct cli *c)
{
	return call_cell(c, "DELETE");
}

struct err
cmd_cell_enter(struct cli *c)
{
	AUTO_JSON *answer = NULL;
	AUTO_BUF path = BUF(JOB_PATH_BYTES);
	AUTO_CALLS s = {.c = c};
	char id[64];

	cli_parse(c, none, CLI_NET, 1, 1);
	TRY(calls_open(c, &s));
	TRY(find_cell(&s, id));
	TRY(calls_json(&s, "POST", cli_path_of(&path, "/api/cells/", id, "/enter"), NULL, &answer));
	if (c->json) {
		out_json(answer);
		return OK;
	}
	printf("%s\n", out_member(answer, "url"));
	cli_note("Open it in a browser within %lld seconds; it works once.", (long long)json_integer_value(json_object_get(answer, "seconds")));
	return OK;
}

/* ---- workers ---- */

static const json_t *
find_worker(const json_t *cell, const char *id)
{
	const json_t *w;
	size_t i;

	json_array_foreach(json_object_get(json_object_get(cell, "live"), "workers"), i, w)
		if (strcmp(out_member(w, "id"), id) == 0)
			return w;
	return NULL;
}

/* its exit status becomes ours, as far as it is one */
static struct err
wait_for_worker(struct calls *s, const char *cell, const char *worker)
{
	AUTO_BUF path = BUF(JOB_PATH_BYTES);
	const char *at = cli_path_of(&path, "/api/cells/", cell, "");

	for (;;) {
		AUTO_JSON *answer = NULL;
		const json_t *w;
		long long status;

		TRY(calls_json(s, "GET", at, NULL, &answer));
		w = find_worker(answer, worker);
		if (!w)
			return cli_fail(s->c, ERR(ERR_NOT_FOUND), "the worker %s is no longer known: the cell was closed", worker);
		if (json_is_false(json_object_get(w, "running"))) {
			status = json_integer_value(json_object_get(w, "exit_status"));
			if (s->c->json)
				out_json(w);
			if (status != 0)
				return cli_fail(s->c, ERR(ERR_CONFLICT), "the script ended with status %lld; its output is in the cell, beside it", status);
			if (!s->c->json)
				printf("The script ended well; what it wrote is in the cell.\n");
			return OK;
		}
		usleep(WORKER_POLL_US);
	}
}

struct err
cmd_cell_run(struct cli *c)
{
	bool wait = false;
	const struct cli_option options[] = {
		{"wait", NULL, "until the script has ended; its failure is ours", CLI_FLAG, &wait},
		{NULL, NULL, NULL, CLI_FLAG, NULL},
	};
	AUTO_JSON *answer = NULL;
	AUTO_BUF path = BUF(JOB_PATH_BYTES);
	AUTO_CALLS s = {.c = c};
	char id[64];

	cli_parse(c, options, CLI_NET, 2, 2);
	TRY(calls_open(c, &s));
	TRY(find_cell(&s, id));
	TRY(calls_json(&s, "POST", cli_path_of(&path, "/api/cells/", id, "/workers"), json_pack("{s:s}", "script", c->argv[1]), &answer));
	if (wait)
		return wait_for_worker(&s, id, out_member(answer, "worker"));
	if (c->json)
		out_json(answer);
	else
		printf("The worker %s runs; `cloister cell show %.8s` shows how it ends.\n", out_member(answer, "worker"), id);
	return OK;
}
