/* cloister init: a new state folder, whole or not at all. */
#include <fcntl.h>
#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/num.h"
#include "bin/cli.h"
#include "bin/cli_out.h"
#include "proc/config.h"
#include "proc/spawn.h"
#include "vault/vault.h"
#include "warden/warden.h"

#define HOSTS_MAX (CLI_LIST_MAX + 6)
#define LISTEN_DEFAULT "127.0.0.1:8443"

struct init {
	const char *passphrase_fd, *passphrase_file, *admin, *listen, *credentials, *origin;
	struct cli_list hosts;
	char hostname[256], origin_text[300], listen_host[256];
	struct str all_hosts[HOSTS_MAX];
	size_t n_hosts;
	const char *state;
	bool existed; /* the state folder, empty */
	int dir;
};

/* ---- what is asked for ---- */

static void
add_host(struct init *i, const char *host)
{
	if (!*host || i->n_hosts == HOSTS_MAX)
		return;
	for (size_t k = 0; k < i->n_hosts; k++)
		if (str_eq(i->all_hosts[k], str_c(host)))
			return;
	i->all_hosts[i->n_hosts++] = str_c(host);
}

/* The names and addresses that the certificate is for: those given, and those by which this machine is reached in any case. */
static struct err
take_hosts(struct cli *c, struct init *i)
{
	const char *colon = strrchr(i->listen, ':');
	size_t n = colon ? (size_t)(colon - i->listen) : 0;
	uint64_t port;

	if (!colon || n == 0 || n >= sizeof(i->listen_host) || err_is(num_parse_u64(str_c(colon + 1), 65535, &port)))
		return cli_fail(c, ERR(ERR_INVALID), "--listen takes a numeric address and a port, as in " LISTEN_DEFAULT);
	snprintf(i->listen_host, sizeof(i->listen_host), "%.*s", (int)n, i->listen);
	if (i->listen_host[0] == '[' && n > 2)
		snprintf(i->listen_host, sizeof(i->listen_host), "%.*s", (int)n - 2, i->listen + 1);
	for (size_t k = 0; k < i->hosts.n; k++)
		add_host(i, i->hosts.v[k]);
	if (gethostname(i->hostname, sizeof(i->hostname) - 1) == 0)
		add_host(i, i->hostname);
	if (strcmp(i->listen_host, "0.0.0.0") != 0 && strcmp(i->listen_host, "::") != 0)
		add_host(i, i->listen_host);
	add_host(i, "localhost");
	add_host(i, "127.0.0.1");
	add_host(i, "::1");
	snprintf(i->origin_text, sizeof(i->origin_text), "cloister.%.250s", i->all_hosts[0].n ? i->all_hosts[0].p : "local");
	if (i->origin)
		snprintf(i->origin_text, sizeof(i->origin_text), "%s", i->origin);
	return OK;
}

/* ---- the folder ---- */

static struct err
make_parents(const char *path)
{
	char part[CLI_PATH_MAX];

	TRY(cli_path(part, "%s", path));
	for (char *at = part + 1; *at; at++)
		if (*at == '/') {
			*at = 0;
			TRY(fd_make_dir(AT_FDCWD, part, 0755));
			*at = '/';
		}
	return OK;
}

static int
is_something(const char *path, const struct stat *st, int flag, struct FTW *at)
{
	(void)path;
	(void)st;
	(void)flag;
	return at->level > 0;
}

static struct err
check_folder(struct cli *c, struct init *i)
{
	i->existed = access(i->state, F_OK) == 0;
	if (i->existed && nftw(i->state, is_something, 4, FTW_PHYS) != 0)
		return cli_fail(c, ERR(ERR_EXISTS), "%s exists and is not empty; nothing was changed. Name another folder with --state, "
		    "or start what is there with `cloister serve`", i->state);
	return OK;
}

static struct err
make_folder(struct cli *c, struct init *i)
{
	struct err e = make_parents(i->state);

	if (!err_is(e))
		e = fd_make_dir(AT_FDCWD, i->state, 0755);
	if (!err_is(e))
		e = fd_open_at(AT_FDCWD, i->state, O_RDONLY | O_DIRECTORY, 0, &i->dir);
	if (err_is(e))
		return cli_fail(c, e, "%s cannot be made: %s", i->state, e.sys ? strerror(e.sys) : err_sentence(e.code));
	/* public certificates and the configuration lie in it; what is private lies in folders of its own */
	return fchmod(i->dir, 0755) == 0 ? OK : ERR_ERRNO();
}

/* What was begun is of no use, and held nothing before. */
static int
remove_one(const char *path, const struct stat *st, int flag, struct FTW *at)
{
	(void)st;
	(void)flag;
	if (at->level > 0)
		(void)remove(path);
	return 0;
}

static struct err
write_configuration(const struct init *i)
{
	AUTO_BUF b = BUF(CONFIG_BYTES_MAX);

	buf_put_c(&b, "# Cloister reads this at its start. Everything may be left out; doc/OPERATIONS.md describes each line.\n\n"
	    "# Where the gate listens: numeric addresses. HTTPS only.\n"
	    "listen:\n  - \"");
	buf_put_c(&b, i->listen);
	buf_put_c(&b, "\"\n\n# Buckets are reached as https://<hostname>/<bucket>; with this also as https://<bucket>.<hostname>.\n"
	    "#hostname: s3.hospital.example\n\n"
	    "# The region that clients sign for.\n#region: us-east-1\n\n"
	    "# A folder on another machine's disk, which gets the newest signed head of the ledger: whoever replaces this whole\n"
	    "# machine's disk by an older copy is found out there.\n#witness: /mnt/witness\n\n"
	    "# May the owner of a bucket in the key domain \"general\" open it to people without a key? Every bucket begins private, and\n"
	    "# a bucket in any other domain (patients' data) is never opened, whatever this says.\n"
	    "#public_access: true\n\n"
	    "# Where feeds deliver: HL7 v2 over MLLP, mutual TLS (doc/intake.md); and brokers outside from which is fetched.\n"
	    "#intake:\n#  mllp: [\"0.0.0.0:2575\"]\n#  mqtt:\n"
	    "#  - { broker: \"10.0.0.9:8883\", topic: \"ward/#\", feed: \"ward-monitors\", tls: true }\n\n"
	    "# People are logged off after so many minutes of idleness, and must log in again after so many hours.\n"
	    "#session:\n#  idle_minutes: 30\n#  hours: 12\n");
	TRY(buf_check(&b));
	return fd_replace_file(i->dir, CONFIG_FILE, buf_str(&b), 0644);
}

static struct err
make_house(struct init *i, struct str passphrase, struct warden_made *made)
{
	static const char *const public[] = {CONFIG_FILE, "ca.pem", "ledger.vkey"};
	char warden[CLI_PATH_MAX], vault[CLI_PATH_MAX];
	AUTO_FD ledger = -1;

	TRY(cli_path(warden, "%s/warden", i->state));
	TRY(cli_path(vault, "%s/vault", i->state));
	TRY(fd_make_dir(i->dir, "warden", 0700));
	TRY(fd_make_dir(i->dir, "ledger", 0700));
	TRY(fd_make_dir(i->dir, "vault", 0700));
	TRY(fd_open_at(i->dir, "ledger", O_RDONLY | O_DIRECTORY, 0, &ledger));
	const struct warden_new n = {.warden_path = warden, .ledger_dir = ledger, .public_dir = i->dir, .passphrase = passphrase,
		.origin = str_c(i->origin_text), .admin_name = str_c(i->admin), .hosts = i->all_hosts, .n_hosts = i->n_hosts};
	TRY(warden_create(&n, made));
	TRY(vault_create(vault));
	TRY(write_configuration(i));
	for (size_t k = 0; k < ARRAY_LEN(public); k++)
		if (fchmodat(i->dir, public[k], 0644, 0) != 0)
			return ERR_ERRNO();
	for (int role = ROLE_LEDGER; role < ROLE_COUNT; role++)
		TRY(spawn_folder(i->dir, (enum role)role));
	return fd_sync(i->dir);
}

/* ---- what is shown once ---- */

static json_t *
text(const struct buf *b)
{
	return json_stringn(b->p ? b->p : "", b->n);
}

static json_t *
made_json(const struct init *i, const struct warden_made *m)
{
	char endpoint[300], ca[CLI_PATH_MAX];
	bool everywhere = strcmp(i->listen_host, "0.0.0.0") == 0 || strcmp(i->listen_host, "::") == 0;

	snprintf(endpoint, sizeof(endpoint), "https://%s%s", everywhere ? "127.0.0.1" : "", everywhere ? strrchr(i->listen, ':') :
	    i->listen);
	snprintf(ca, sizeof(ca), "%s/ca.pem", i->state);
	return json_pack("{s:s, s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o}", "state", i->state, "endpoint", endpoint, "ca", ca,
	    "name", i->admin, "id", text(&m->admin_id), "password", text(&m->admin_password), "totp_secret", text(&m->admin_totp),
	    "totp_uri", text(&m->admin_otpauth), "access_key", text(&m->access_key), "secret_key", text(&m->secret));
}

static void
print_made(const struct init *i, const json_t *j)
{
	printf("%sThe house stands in %s.%s\n\n", out_begin(OUT_BOLD), i->state, out_end());
	if (i->credentials) {
		printf("  first administrator  %s\n  credentials          %s (mode 0600)\n", i->admin, i->credentials);
	} else {
		printf("Shown once, kept nowhere:\n\n"
		       "  first administrator  %s\n  password             %s\n  one-time codes       %s\n"
		       "  access key           %s\n  secret key           %s\n",
		    i->admin, out_member(j, "password"), out_member(j, "totp_uri"), out_member(j, "access_key"),
		    out_member(j, "secret_key"));
	}
	printf("\n  certificate          %s/ca.pem\n  ledger's public key  %s/ledger.vkey\n\n"
	       "Next:  cloister serve --state %s\n"
	       "Keep the passphrase where it outlives this machine: without it the data cannot be read by anybody.\n",
	    i->state, i->state, i->state);
}

static struct err
show_made(struct cli *c, const struct init *i, const struct warden_made *m)
{
	AUTO_JSON *j = made_json(i, m);
	char *text_of_all;
	struct err e = OK;

	if (!j)
		return ERR(ERR_NO_MEMORY);
	if (i->credentials) {
		text_of_all = json_dumps(j, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
		e = text_of_all ? fd_replace_file(AT_FDCWD, i->credentials, str_c(text_of_all), 0600) : ERR(ERR_NO_MEMORY);
		if (text_of_all)
			explicit_bzero(text_of_all, strlen(text_of_all));
		free(text_of_all);
		if (err_is(e))
			return cli_fail(c, e, "%s cannot be written: %s; no house was made", i->credentials,
			    e.sys ? strerror(e.sys) : err_sentence(e.code));
		(void)json_object_del(j, "password");
		(void)json_object_del(j, "totp_secret");
		(void)json_object_del(j, "totp_uri");
		(void)json_object_del(j, "secret_key");
	}
	if (c->json)
		out_json(j);
	else
		print_made(i, j);
	return OK;
}

static struct err
why(struct cli *c, const struct init *i, struct err e)
{
	if (c->said)
		return e;
	if (e.code == ERR_INVALID)
		return cli_fail(c, e, "no house was made: the passphrase has fewer than 8 characters, or a name is not allowed "
		    "(administrator `%s`, hosts, origin `%s`)", i->admin, i->origin_text);
	return cli_fail(c, e, "no house was made in %s: %s%s%s", i->state, err_sentence(e.code), e.sys ? " " : "",
	    e.sys ? strerror(e.sys) : "");
}

struct err
cmd_init(struct cli *c)
{
	struct init i = {.admin = "admin", .listen = LISTEN_DEFAULT, .dir = -1};
	const struct cli_option options[] = {
		{"passphrase-fd", "N", "read the passphrase from descriptor N", CLI_TEXT, &i.passphrase_fd},
		{"passphrase-file", "FILE", "read it from FILE, mode 0600 (default: ask at the terminal)", CLI_TEXT, &i.passphrase_file},
		{"admin", "NAME", "login of the first administrator (default admin)", CLI_TEXT, &i.admin},
		{"host", "NAME", "name or address that clients use; may be repeated", CLI_LIST, &i.hosts},
		{"listen", "ADDR:PORT", "where to listen (default " LISTEN_DEFAULT ")", CLI_TEXT, &i.listen},
		{"origin", "NAME", "name of the ledger in its signatures (default cloister.<host>)", CLI_TEXT, &i.origin},
		{"credentials", "FILE", "write the administrator's secrets to FILE (JSON, mode 0600)", CLI_TEXT, &i.credentials},
		{NULL, NULL, NULL, CLI_FLAG, NULL},
	};
	AUTO_BUF passphrase = BUF_WIPED(KiB);
	struct warden_made made = {0};
	struct err e;

	cli_parse(c, options, CLI_STATE, 0, 0);
	i.state = cli_state(c);
	TRY(take_hosts(c, &i));
	if (i.credentials && access(i.credentials, F_OK) == 0)
		return cli_fail(c, ERR(ERR_EXISTS), "%s exists; name a new file for the credentials", i.credentials);
	TRY(check_folder(c, &i));
	TRY(cli_passphrase(c, i.passphrase_fd, i.passphrase_file, true, &passphrase));
	TRY(warden_init());
	e = make_folder(c, &i);
	if (!err_is(e))
		e = make_house(&i, buf_str(&passphrase), &made);
	if (!err_is(e))
		e = show_made(c, &i, &made);
	warden_made_release(&made);
	fd_close(&i.dir);
	if (!err_is(e))
		return OK;
	(void)nftw(i.state, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	if (!i.existed)
		(void)rmdir(i.state);
	return why(c, &i, e);
}
