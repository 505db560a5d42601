/*
 * cli_job: what commands share that name things by their beginnings, take long texts from files, and wait for jobs.
 */
#ifndef CLOISTER_BIN_CLI_JOB_H
#define CLOISTER_BIN_CLI_JOB_H

#include "bin/cli_net.h"
#include "bin/cli_out.h"

#define JOB_PATH_BYTES 512

/* a connection, and who asks on it: for commands of several calls */
struct calls {
	struct cli *c;
	struct net *n;
	struct net_who who;
};
/* calls_open(c, &s): said on failure. calls_close also after that. */
struct err calls_open(struct cli *c, struct calls *ret);
void calls_close(struct calls *s);
#define AUTO_CALLS __attribute__((cleanup(calls_close))) struct calls
struct err calls_json(struct calls *s, const char *method, const char *path, json_t *body, json_t **ret); /* as net_json_as */

/* calls_list(s, path, member, all): every page of a list, appended to ${all}. */
struct err calls_list(struct calls *s, const char *path, const char *member, json_t *all);
/* cli_show_list(c, path, member, columns): the whole list, as a table or in JSON; for commands that take nothing else. */
struct err cli_show_list(struct cli *c, const char *path, const char *member, const struct out_column *columns);

/*
 * calls_find(s, list, member, what, given, id): the whole id of the one thing in GET ${list} whose id begins with ${given}, or whose protocol
 * is ${given}. A whole id is taken as it is. NOT_FOUND, CONFLICT (several), said.
 */
struct err calls_find(struct calls *s, const char *list, const char *member, const char *what, const char *given, char id[64]);

/* cli_text(c, given, most, b): ${given}, or with '@' before it the text of that file ("@-": standard input). */
struct err cli_text(struct cli *c, const char *given, size_t most, struct buf *ret);
/* cli_set_text(c, j, name, given): a member of a request, given as cli_text; nothing if ${given} is NULL. */
struct err cli_set_text(struct cli *c, json_t *j, const char *name, const char *given);
json_t *cli_list_json(const struct cli_list *list); /* NULL: not UTF-8 */

/* job_wait(s, id, label, &job): until it has ended, with a bar on a terminal. Its failure is an error, said. */
struct err job_wait(struct calls *s, const char *id, const char *label, json_t **ret);
/* job_finish(s, answer, wait, label, &job): the job in ${answer}, waited for if ${wait}; NULL in ${ret} if not. */
struct err job_finish(struct calls *s, const json_t *answer, bool wait, const char *label, json_t **ret);

/* cli_path_of(b, before, id, after): "/api/studies/" id "/basis"; ends with NUL */
const char *cli_path_of(struct buf *b, const char *before, const char *id, const char *after);

#endif
