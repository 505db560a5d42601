/*
 * cli: what the commands of `cloister` share: options, errors for people, questions at the terminal.
 *
 * A command is a function that returns struct err; its exit status is err_exit_status(). What went wrong is said once, by
 * cli_fail(), with what to do next; main() says err_sentence() for an error about which nothing was said.
 */
#ifndef CLOISTER_BIN_CLI_H
#define CLOISTER_BIN_CLI_H

#include <stdio.h>

#include "base/buf.h"

#define CLI_LIST_MAX 32
#define CLI_PATH_MAX 4096

struct cli_list {
	const char *v[CLI_LIST_MAX];
	size_t n;
};

enum cli_kind { CLI_FLAG, CLI_TEXT, CLI_LIST }; /* to: bool *, const char **, struct cli_list * */
struct cli_option {
	const char *name;  /* without dashes */
	const char *value; /* "FILE"; NULL for a flag */
	const char *help;
	enum cli_kind kind;
	void *to;
};

struct cli {
	const struct cli_command *command;
	int argc; /* what follows the command's name; after cli_parse() what stands beside the options */
	char **argv;
	bool said; /* an error was explained */
	/* options of many commands */
	bool json;
	const char *state, *endpoint, *ca, *credentials;
	char state_path[CLI_PATH_MAX]; /* cli_state() */
};

struct cli_command {
	const char *name;      /* "user add" */
	const char *arguments; /* "NAME"; NULL: none */
	const char *summary;   /* one line */
	const char *help;      /* more, with examples; NULL: none */
	struct err (*run)(struct cli *c);
};

/* which of the common options a command has, beside --help and --json */
enum cli_common { CLI_LOCAL = 0, CLI_STATE = 1, CLI_NET = 3 };

/*
 * cli_parse(c, options, common, min, max): takes the options (name NULL ends them) out of ${c->argv}; between ${min} and ${max}
 * arguments stay. --help and a wrong command line end the process, with its exit status.
 */
void cli_parse(struct cli *c, const struct cli_option *options, enum cli_common common, int min, int max);

/* cli_fail(c, e, "…", …): says it, and returns ${e}. One line, a sentence that says what to do next. */
__attribute__((format(printf, 3, 4))) struct err cli_fail(struct cli *c, struct err e, const char *fmt, ...);
/* cli_note("…"): for people, on standard error, when it is a terminal. */
__attribute__((format(printf, 1, 2))) void cli_note(const char *fmt, ...);

/* cli_state(c): the state folder: --state, $CLOISTER_STATE, /var/lib/cloister for root, ~/.local/share/cloister. */
const char *cli_state(struct cli *c);
/* cli_path(out, fmt, …): LIMIT if it does not fit CLI_PATH_MAX. */
__attribute__((format(printf, 2, 3))) struct err cli_path(char out[CLI_PATH_MAX], const char *fmt, ...);

/* cli_ask(prompt, b): a secret from the terminal, without echo. CLOSED: there is no terminal. */
struct err cli_ask(const char *prompt, struct buf *ret);
/* cli_read_private(c, path, what, b): a file that only its owner may read (0600), else DENIED and said. */
struct err cli_read_private(struct cli *c, const char *path, const char *what, struct buf *ret);
/*
 * cli_passphrase(c, fd, file, twice, b): of the state: --passphrase-fd, --passphrase-file, or asked for (${twice} at its making).
 * Without the newline at its end.
 */
struct err cli_passphrase(struct cli *c, const char *fd, const char *file, bool twice, struct buf *ret);

/* the commands */
struct err cmd_init(struct cli *c);
struct err cmd_serve(struct cli *c);
struct err cmd_login(struct cli *c);
struct err cmd_logout(struct cli *c);
struct err cmd_whoami(struct cli *c);
struct err cmd_credentials(struct cli *c);
struct err cmd_status(struct cli *c);
struct err cmd_user_add(struct cli *c);
struct err cmd_user_list(struct cli *c);
struct err cmd_user_show(struct cli *c);
struct err cmd_user_set(struct cli *c);
struct err cmd_user_password(struct cli *c);
struct err cmd_user_revoke(struct cli *c);
struct err cmd_key_create(struct cli *c);
struct err cmd_key_list(struct cli *c);
struct err cmd_key_revoke(struct cli *c);
struct err cmd_key_rotate(struct cli *c);
struct err cmd_domain_list(struct cli *c);
struct err cmd_domain_create(struct cli *c);
struct err cmd_domain_destroy(struct cli *c);
struct err cmd_feed_add(struct cli *c);
struct err cmd_bucket_list(struct cli *c);
struct err cmd_bucket_create(struct cli *c);
struct err cmd_bucket_show(struct cli *c);
struct err cmd_bucket_rules(struct cli *c);
struct err cmd_audit_show(struct cli *c);
struct err cmd_audit_head(struct cli *c);
struct err cmd_audit_prove(struct cli *c);
struct err cmd_audit_verify(struct cli *c);
struct err cmd_audit_export(struct cli *c);
struct err cmd_audit_consistency(struct cli *c);
struct err cmd_audit_check_consistency(struct cli *c);
struct err cmd_audit_check_proof(struct cli *c);
struct err cmd_audit_cosign(struct cli *c);
struct err cmd_lockdown(struct cli *c);
struct err cmd_study_list(struct cli *c);
struct err cmd_study_show(struct cli *c);
struct err cmd_study_close(struct cli *c);
struct err cmd_study_add(struct cli *c);
struct err cmd_study_set(struct cli *c);
struct err cmd_study_basis(struct cli *c);
struct err cmd_study_sign(struct cli *c);
struct err cmd_study_count(struct cli *c);
struct err cmd_release_make(struct cli *c);
struct err cmd_release_list(struct cli *c);
struct err cmd_release_show(struct cli *c);
struct err cmd_cell_open(struct cli *c);
struct err cmd_cell_list(struct cli *c);
struct err cmd_cell_show(struct cli *c);
struct err cmd_cell_close(struct cli *c);
struct err cmd_cell_enter(struct cli *c);
struct err cmd_cell_run(struct cli *c);
struct err cmd_airlock_list(struct cli *c);
struct err cmd_airlock_show(struct cli *c);
struct err cmd_airlock_release(struct cli *c);
struct err cmd_airlock_withdraw(struct cli *c);
struct err cmd_airlock_recall(struct cli *c);
struct err cmd_airlock_put(struct cli *c);
struct err cmd_airlock_get(struct cli *c);
struct err cmd_airlock_submit(struct cli *c);
struct err cmd_airlock_review(struct cli *c);
struct err cmd_airlock_consolidate(struct cli *c);
struct err cmd_audit_subject(struct cli *c);
struct err cmd_audit_disclosures(struct cli *c);
struct err cmd_flow(struct cli *c);
struct err cmd_feed_list(struct cli *c);
struct err cmd_pool_rebuild(struct cli *c);
struct err cmd_job_show(struct cli *c);
struct err cmd_selftest(struct cli *c);
struct err cmd_synth(struct cli *c);

#endif
