#include "bin/cli_job.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/num.h"

#define TEXT_MAX (48 * KiB) /* a document of the API is 64 KiB */
#define POLL_US 50000u
#define POLL_US_MAX 1000000u

/* ---- connection ---- */

struct err
calls_open(struct cli *c, struct calls *ret)
{
	*ret = (struct calls){.c = c};
	TRY(net_open(c, &ret->n));
	return net_who(c, ret->n, &ret->who);
}

void
calls_close(struct calls *s)
{
	net_close(s->n);
	explicit_bzero(&s->who, sizeof(s->who));
}

struct err
calls_json(struct calls *s, const char *method, const char *path, json_t *body, json_t **ret)
{
	return net_json_as(s->c, s->n, &s->who, method, path, body, ret);
}

const char *
cli_path_of(struct buf *b, const char *before, const char *id, const char *after)
{
	buf_put_c(b, before);
	net_escape(id, b);
	buf_put_c(b, after);
	return net_path(b);
}

/* ---- lists ---- */

struct err
calls_list(struct calls *s, const char *path, const char *member, json_t *all)
{
	char after[64] = "";

	for (;;) {
		AUTO_BUF page = BUF(JOB_PATH_BYTES);
		AUTO_JSON *answer = NULL;
		const json_t *list;

		buf_put_c(&page, path);
		net_query(&page, "after", after[0] ? after : NULL);
		TRY(calls_json(s, "GET", net_path(&page), NULL, &answer));
		list = json_object_get(answer, member);
		if (json_array_extend(all, (json_t *)(uintptr_t)list) != 0)
			return ERR(ERR_CORRUPT);
		if (!json_is_true(json_object_get(answer, "more")) || json_array_size(list) == 0)
			return OK;
		snprintf(after, sizeof(after), "%s", out_member(json_array_get(list, json_array_size(list) - 1), "id"));
	}
}

struct err
cli_show_list(struct cli *c, const char *path, const char *member, const struct out_column *columns)
{
	static const struct cli_option none[] = {{NULL, NULL, NULL, CLI_FLAG, NULL}};
	AUTO_JSON *all = json_array();
	AUTO_CALLS s = {.c = c};

	cli_parse(c, none, CLI_NET, 0, 0);
	TRY(calls_open(c, &s));
	TRY(calls_list(&s, path, member, all));
	if (c->json)
		out_json(all);
	else
		out_table(all, columns);
	return OK;
}

/* ---- what is meant ---- */

static bool
is_hex(const char *z)
{
	return strspn(z, "0123456789abcdef") == strlen(z);
}

static bool
is_meant(const json_t *thing, const char *given)
{
	bool by_id = strlen(given) >= 4 && is_hex(given) && strncmp(out_member(thing, "id"), given, strlen(given)) == 0;

	return by_id || strcmp(out_member(thing, "protocol"), given) == 0;
}

struct err
calls_find(struct calls *s, const char *list, const char *member, const char *what, const char *given, char id[64])
{
	AUTO_JSON *all = json_array();
	const json_t *thing;
	unsigned found = 0;
	size_t i;

	if (strlen(given) == 32 && is_hex(given)) {
		snprintf(id, 64, "%s", given);
		return OK;
	}
	TRY(calls_list(s, list, member, all));
	json_array_foreach(all, i, thing)
		if (is_meant(thing, given)) {
			snprintf(id, 64, "%s", out_member(thing, "id"));
			found++;
		}
	if (found == 1)
		return OK;
	return found ? cli_fail(s->c, ERR(ERR_CONFLICT), "%u of your %ss begin with %s; give more of the id", found, what, given) :
	    cli_fail(s->c, ERR(ERR_NOT_FOUND), "you see no %s %s; `cloister %s list` shows those you do", what, given, what);
}

/* ---- texts ---- */

struct err
cli_text(struct cli *c, const char *given, size_t most, struct buf *ret)
{
	AUTO_FD fd = -1;
	struct err e = OK;

	*ret = BUF_WIPED(most);
	if (given[0] != '@') {
		buf_put_c(ret, given);
		return buf_check(ret);
	}
	if (strcmp(given, "@-") == 0) {
		e = fd_read_rest(STDIN_FILENO, ret);
	} else {
		e = fd_open_at(AT_FDCWD, given + 1, O_RDONLY, 0, &fd);
		if (!err_is(e))
			e = fd_read_rest(fd, ret);
	}
	return err_is(e) ? cli_fail(c, e, "%s cannot be read: %s", given + 1, err_sentence(e.code)) : OK;
}

struct err
cli_set_text(struct cli *c, json_t *j, const char *name, const char *given)
{
	AUTO_BUF text = BUF_WIPED(TEXT_MAX);

	if (!given)
		return OK;
	TRY(cli_text(c, given, TEXT_MAX, &text));
	while (given[0] == '@' && text.n > 0 && text.p[text.n - 1] == '\n')
		text.n--;
	if (json_object_set_new(j, name, json_stringn(text.p ? text.p : "", text.n)) != 0)
		return cli_fail(c, ERR(ERR_INVALID), "the %s is not UTF-8", name);
	return OK;
}

json_t *
cli_list_json(const struct cli_list *list)
{
	json_t *j = json_array();

	for (size_t i = 0; i < list->n; i++)
		if (json_array_append_new(j, json_string(list->v[i])) != 0) {
			json_decref(j);
			return NULL;
		}
	return j;
}

/* ---- jobs ---- */

static struct err
failed(struct calls *s, const char *id, const json_t *job)
{
	const char *why = out_member(job, "reason");

	return cli_fail(s->c, ERR(ERR_CONFLICT), "the job %s failed: %s. `cloister audit show --act job.` shows what is recorded of it; it can be "
	    "begun anew", id, *why ? why : "no reason is known");
}

struct err
job_wait(struct calls *s, const char *id, const char *label, json_t **ret)
{
	AUTO_BUF path = BUF(JOB_PATH_BYTES);
	useconds_t pause = POLL_US;
	union { const char *in; void *out; } text = {.in = label};

	cli_path_of(&path, "/api/jobs/", id, "");
	for (;;) {
		AUTO_JSON *job = NULL;
		const char *state;

		TRY(calls_json(s, "GET", net_path(&path), NULL, &job));
		state = out_member(job, "state");
		if (strcmp(state, "done") == 0 || strcmp(state, "failed") == 0) {
			out_progress_end();
			if (strcmp(state, "failed") == 0)
				return failed(s, id, job);
			*ret = json_incref(job);
			return OK;
		}
		out_progress(text.out, (uint64_t)json_integer_value(json_object_get(job, "done")),
		    (uint64_t)json_integer_value(json_object_get(job, "total")));
		usleep(pause);
		pause = pause < POLL_US_MAX / 2 ? pause * 2 : POLL_US_MAX;
	}
}

struct err
job_finish(struct calls *s, const json_t *answer, bool wait, const char *label, json_t **ret)
{
	const char *id = out_member(answer, "job");

	*ret = NULL;
	return wait && *id ? job_wait(s, id, label, ret) : OK;
}
