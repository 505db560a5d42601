#include "bin/cli.h"

#include <fcntl.h>
#include <getopt.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/num.h"

#define OPTIONS_MAX 32
#define PASSPHRASE_MAX 1024

/* ---- errors ---- */

struct err
cli_fail(struct cli *c, struct err e, const char *fmt, ...)
{
	AUTO_BUF json = BUF(64 * KiB);
	char text[4096];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	fflush(stdout);
	c->said = true;
	if (!c->json) {
		fprintf(stderr, "cloister: %s\n", text);
		return e;
	}
	buf_put_c(&json, "{\"error\":");
	buf_put_json(&json, str_c(err_name(e.code)));
	buf_put_c(&json, ",\"message\":");
	buf_put_json(&json, str_c(text));
	fprintf(stderr, "%.*s}\n", STR_ARG(buf_str(&json)));
	return e;
}

void
cli_note(const char *fmt, ...)
{
	va_list ap;

	if (!isatty(STDERR_FILENO))
		return;
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
}

/* ---- options ---- */

static const char *
program_part(const char *name)
{
	return name && *name ? name : "";
}

static void
print_option(const struct cli_option *o)
{
	char left[48];

	snprintf(left, sizeof(left), "--%s%s%s", o->name, o->value ? " " : "", program_part(o->value));
	if (strlen(left) > 26)
		printf("  %s\n  %-26s  %s\n", left, "", o->help);
	else
		printf("  %-26s  %s\n", left, o->help);
}

static void
print_help(const struct cli_command *k, const struct cli_option *all)
{
	printf("usage: cloister %s [options]%s%s\n\n%s\n\noptions:\n", k->name, k->arguments ? " " : "",
	    program_part(k->arguments), k->summary);
	for (size_t i = 0; all[i].name; i++)
		print_option(&all[i]);
	if (k->help)
		printf("\n%s", k->help);
	printf("\nexit status: 0 it worked; 2 wrong arguments or request; 4 not authenticated; 5 denied; 6 not found;\n"
	       "7 exists; 8 conflict; 11 corrupt; 12 rolled back; 18 no server; 20 locked down. All: cloister(1).\n");
}

__attribute__((noreturn)) static void
wrong_usage(struct cli *c, const char *what)
{
	struct err e = cli_fail(c, ERR(ERR_INVALID), "%s; see `cloister %s --help`", what, c->command->name);

	exit(err_exit_status(e.code));
}

static void
take_option(struct cli *c, const struct cli_option *o, const char *value)
{
	struct cli_list *list = o->to;

	switch (o->kind) {
	case CLI_FLAG: *(bool *)o->to = true; break;
	case CLI_TEXT: *(const char **)o->to = value; break;
	case CLI_LIST:
		if (list->n == CLI_LIST_MAX)
			wrong_usage(c, "an option is given too often");
		list->v[list->n++] = value;
		break;
	}
}

static size_t
collect(struct cli *c, const struct cli_option *own, enum cli_common common, bool *help, struct cli_option *all)
{
	const struct cli_option common_options[] = {
		{"state", "DIR", "state folder (default $CLOISTER_STATE, /var/lib/cloister for root)",
			CLI_TEXT, &c->state},
		{"endpoint", "URL", "server (default: of the state folder, ~/.config/cloister/config)", CLI_TEXT,
			&c->endpoint},
		{"ca", "FILE", "certificate of its authority (default: ca.pem of the state folder)", CLI_TEXT, &c->ca},
		{"credentials", "FILE", "access key to sign with (default: session, AWS_ACCESS_KEY_ID)", CLI_TEXT, &c->credentials},
		{"json", NULL, "answer in JSON", CLI_FLAG, &c->json},
		{"help", NULL, "show this", CLI_FLAG, help},
	};
	size_t n = 0;

	for (; own && own[n].name; n++)
		all[n] = own[n];
	for (size_t i = 0; i < ARRAY_LEN(common_options); i++)
		if (i >= 4 || (i == 0 && common & CLI_STATE) || common == CLI_NET)
			all[n++] = common_options[i];
	INVARIANT(n < OPTIONS_MAX);
	return n;
}

void
cli_parse(struct cli *c, const struct cli_option *options, enum cli_common common, int min, int max)
{
	struct cli_option all[OPTIONS_MAX + 8] = {0};
	struct option longs[OPTIONS_MAX + 8] = {0};
	bool help = false;
	size_t n = collect(c, options, common, &help, all);
	int at, index = 0;

	for (size_t i = 0; i < n; i++)
		longs[i] = (struct option){all[i].name, all[i].kind == CLI_FLAG ? no_argument : required_argument, NULL, 1};
	opterr = 0;
	optind = 1;
	while ((at = getopt_long(c->argc, c->argv, "h", longs, &index)) != -1) {
		if (at == 'h')
			help = true;
		else if (at == 1)
			take_option(c, &all[index], optarg);
		else
			wrong_usage(c, "an option is unknown, or lacks its value");
	}
	if (help) {
		print_help(c->command, all);
		exit(0);
	}
	c->argc -= optind;
	c->argv += optind;
	if (c->argc < min)
		wrong_usage(c, "an argument is missing");
	if (c->argc > max)
		wrong_usage(c, "there are too many arguments");
}

/* ---- places ---- */

struct err
cli_path(char out[CLI_PATH_MAX], const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(out, CLI_PATH_MAX, fmt, ap);
	va_end(ap);
	return n < 0 || n >= CLI_PATH_MAX ? ERR(ERR_LIMIT) : OK;
}

const char *
cli_state(struct cli *c)
{
	const char *set = c->state ? c->state : getenv("CLOISTER_STATE"), *data = getenv("XDG_DATA_HOME"), *home = getenv("HOME");
	struct err e;

	if (set)
		e = cli_path(c->state_path, "%s", set);
	else if (geteuid() == 0)
		e = cli_path(c->state_path, "/var/lib/cloister");
	else if (data && *data == '/')
		e = cli_path(c->state_path, "%s/cloister", data);
	else
		e = cli_path(c->state_path, "%s/.local/share/cloister", home ? home : "");
	if (err_is(e))
		c->state_path[0] = 0;
	return c->state_path;
}

/* ---- secrets ---- */

struct err
cli_ask(const char *prompt, struct buf *ret)
{
	AUTO_FD tty = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
	struct termios before, silent;
	ssize_t n = 0;
	char byte = 0;

	if (tty < 0 || tcgetattr(tty, &before) != 0)
		return ERR(ERR_CLOSED);
	silent = before;
	silent.c_lflag &= ~(tcflag_t)ECHO;
	TRY(fd_write_all(tty, str_c(prompt)));
	if (tcsetattr(tty, TCSAFLUSH, &silent) != 0)
		return ERR_ERRNO();
	while ((n = read(tty, &byte, 1)) == 1 && byte != '\n')
		buf_put_char(ret, byte);
	explicit_bzero(&byte, 1);
	if (tcsetattr(tty, TCSAFLUSH, &before) != 0)
		return ERR_ERRNO();
	err_ignore(fd_write_all(tty, STR("\n")));
	return n == 1 ? buf_check(ret) : ERR(ERR_CLOSED);
}

struct err
cli_read_private(struct cli *c, const char *path, const char *what, struct buf *ret)
{
	AUTO_FD fd = -1;
	struct stat st;
	struct err e = fd_open_at(AT_FDCWD, path, O_RDONLY | O_NOFOLLOW, 0, &fd);

	if (err_is(e))
		return cli_fail(c, e, "the %s file cannot be read: %s: %s", what, path, strerror(e.sys));
	if (fstat(fd, &st) != 0)
		return ERR_ERRNO();
	if (S_ISREG(st.st_mode) && (st.st_mode & 077) != 0)
		return cli_fail(c, ERR(ERR_DENIED), "others may read the %s file %s; run `chmod 600 %s`, and change what is in it",
		    what, path, path);
	e = fd_read_rest(fd, ret);
	if (err_is(e))
		return cli_fail(c, e, "the %s file %s cannot be read: %s", what, path, err_sentence(e.code));
	return OK;
}

static struct err
ask_twice(struct cli *c, struct buf *ret)
{
	AUTO_BUF again = BUF_WIPED(PASSPHRASE_MAX);
	struct err e = cli_ask("Passphrase of the state folder (without it nothing in there can ever be read): ", ret);

	if (!err_is(e))
		e = cli_ask("The same again: ", &again);
	TRY(e);
	if (!str_eq(buf_str(ret), buf_str(&again)))
		return cli_fail(c, ERR(ERR_INVALID), "the two differ; nothing was made");
	return OK;
}

struct err
cli_passphrase(struct cli *c, const char *fd, const char *file, bool twice, struct buf *ret)
{
	uint64_t number = 0;
	struct err e;

	if (fd && file)
		return cli_fail(c, ERR(ERR_INVALID), "give --passphrase-fd or --passphrase-file, not both");
	if (fd && err_is(num_parse_u64(str_c(fd), 1 << 20, &number)))
		return cli_fail(c, ERR(ERR_INVALID), "--passphrase-fd takes the number of a descriptor");
	if (fd)
		e = fd_read_rest((int)number, ret);
	else if (file)
		e = cli_read_private(c, file, "passphrase", ret);
	else
		e = twice ? ask_twice(c, ret) : cli_ask("Passphrase of the state folder: ", ret);
	if (e.code == ERR_CLOSED && !c->said)
		return cli_fail(c, e, "there is no terminal to ask for the passphrase; give --passphrase-file or --passphrase-fd");
	if (err_is(e))
		return c->said ? e : cli_fail(c, e, "the passphrase cannot be read: %s", err_sentence(e.code));
	if (ret->n > 0 && ret->p[ret->n - 1] == '\n')
		ret->n--;
	if (ret->n == 0)
		return cli_fail(c, ERR(ERR_INVALID), "the passphrase is empty");
	return OK;
}
