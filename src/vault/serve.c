/* The process: a vault behind the event loop, and the channel to the ledger. */
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "vault/store.h"

#define LEDGER_TIMEOUT_MS 10000
#define CHECK_AGAIN_MS 200

struct service {
	struct vault *vault;
	struct chan ledger;
	bool ledger_checked; /* this ledger has what the vault has seen */
};

__attribute__((noreturn)) static void
die(const char *why, struct err e)
{
	LOG(LOG_ERROR, "vault-stops", LOG_ENUM("why", why), LOG_ERR(e));
	_exit(err_exit_status(e.code));
}

/* check_ledger(s): BUSY until the ledger answers. One that is shorter than it was is an older copy: writing on would hide it. */
static struct err
check_ledger(struct service *s)
{
	struct ledger_head head;
	struct err e;

	if (s->ledger_checked)
		return OK;
	if (s->ledger.fd < 0)
		return ERR(ERR_BUSY);
	e = ledger_head(&s->ledger, &head, NULL);
	if (e.code == ERR_CLOSED || e.code == ERR_TIMEOUT)
		chan_close(&s->ledger);
	if (err_is(e))
		return ERR(ERR_BUSY);
	if (head.size < vault_ledger_size(s->vault))
		die("ledger-rolled-back", ERR(ERR_ROLLBACK));
	s->ledger_checked = true;
	return OK;
}

static struct err
append(void *ctx, const struct record *r, size_t n, struct receipt *ret_receipts)
{
	struct service *s = ctx;
	struct err e;

	TRY(check_ledger(s));
	e = ledger_append(&s->ledger, r, n, ret_receipts);
	if (err_is(e))
		LOG(LOG_WARN, "ledger-append-failed", LOG_U64("records", n), LOG_ERR(e));
	if (e.code == ERR_CLOSED || e.code == ERR_TIMEOUT)
		chan_close(&s->ledger);
	return e;
}

static void
on_batch(void *ctx, struct request **reqs, size_t n)
{
	struct service *s = ctx;

	vault_batch(s->vault, reqs, n);
	/* the answers of this batch are not sent: nobody knows what is on disk */
	if (vault_is_broken(s->vault))
		die("sync-failed", ERR(ERR_IO));
	for (size_t i = 0; i < n; i++)
		if (reqs[i]->out.op == ERR_CORRUPT)
			LOG(LOG_ERROR, "vault-corrupt", LOG_U64("operation", reqs[i]->in.op));
}

static int
on_tick(void *ctx)
{
	struct service *s = ctx;
	int ms = vault_tick(s->vault);

	if (vault_is_broken(s->vault))
		die("sync-failed", ERR(ERR_IO));
	if (err_is(check_ledger(s)) && s->ledger.fd >= 0 && (ms < 0 || ms > CHECK_AGAIN_MS))
		return CHECK_AGAIN_MS;
	return ms;
}

static void
on_peer(void *ctx, enum role role, int fd)
{
	struct service *s = ctx;

	if (role != ROLE_LEDGER) {
		fd_close(&fd);
		return;
	}
	chan_close(&s->ledger);
	s->ledger = (struct chan){.fd = fd, .timeout_ms = LEDGER_TIMEOUT_MS};
	s->ledger_checked = false;
}

struct err
vault_serve(int control_fd)
{
	static const struct server_ops ops = {.permits = vault_permits, .batch = on_batch, .tick = on_tick, .peer = on_peer};
	struct service s = {.ledger = {.fd = -1}};
	struct err e;

	TRY(vault_open(".", &s.vault));
	vault_set_recorder(s.vault, (struct vault_recorder){.append = append, .ctx = &s});
	e = server_run(control_fd, &ops, &s);
	chan_close(&s.ledger);
	vault_close(s.vault);
	return e;
}
