/* serve: warden as a process: how it starts, its loop, and what it does when nobody asks. */
#include <fcntl.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "proc/server.h"
#include "warden/admin.h"
#include "warden/authorize.h"
#include "warden/certificate.h"
#include "warden/house.h"
#include "warden/rotate.h"
#include "warden/warden.h"
#include "warden/wire.h"

#define LIMIT_SLOW_WAITING 64
#define TICK_MS 1000

struct serving {
	struct house *h;
	struct authorizer *authorizer;
	struct request *slow[LIMIT_SLOW_WAITING]; /* first come, first served */
	size_t n_slow;
	int64_t tick_at_us;
	bool was_locked;
	struct request *reqs[LIMIT_BATCH_REQUESTS];
};

/* ---- requests ---- */

static void
admin(struct serving *s, struct request *r)
{
	AUTO_BUF out = BUF_WIPED(LIMIT_MESSAGE_BYTES - 64);
	enum verdict_reason reason = REASON_NONE;
	struct cur c = msg_cur(&r->in);
	struct admin_request q;
	struct err e = admin_request_decode(&c, &q);

	if (err_is(e)) {
		request_fail(r, e);
		return;
	}
	e = admin_run(
	    s->h, r->from, &q.proof, q.verb, q.params, clock_now_us(), clock_mono_us(), &out, &reason);
	admin_reply_encode(e.code, reason, buf_str(&out), &r->out.body);
	if (s->h->locked != s->was_locked) {
		s->was_locked = s->h->locked;
		if (s->was_locked)
			LOG(LOG_WARN, "locked-down", LOG_ID("by", s->h->locked_by));
		else
			LOG(LOG_WARN, "lock-down-lifted");
	}
}

static bool
is_slow(const struct serving *s, const struct request *r)
{
	struct cur c = msg_cur(&r->in);
	struct admin_request q;

	return r->in.op == WARDEN_ADMIN && !err_is(admin_request_decode(&c, &q)) &&
	    admin_is_slow(s->h, q.verb);
}

static void
queue_slow(struct serving *s, struct request *r)
{
	if (s->n_slow == LIMIT_SLOW_WAITING) {
		request_fail(r, ERR(ERR_BUSY));
		return;
	}
	r->answered_later = true;
	s->slow[s->n_slow++] = r;
}

/*
 * Hashing a password takes a tenth of a second: one, and only after everybody else has his answer.
 */
static void
run_one_slow(struct serving *s)
{
	struct request *r;

	if (s->n_slow == 0)
		return;
	r = s->slow[0];
	s->n_slow--;
	memmove(s->slow, s->slow + 1, s->n_slow * sizeof(s->slow[0]));
	admin(s, r);
	server_answer(r);
}

static void
hello(struct serving *s, struct request *r)
{
	AUTO_BUF chain = BUF(LIMIT_MESSAGE_BYTES);
	int fd = dup(s->h->siren_fd);

	if (fd < 0) {
		request_fail(r, ERR_ERRNO());
		return;
	}
	buf_put_str(&chain, buf_str(&s->h->tls_cert));
	buf_put_str(&chain, buf_str(&s->h->ca_cert));
	hello_reply_encode(buf_str(&chain), buf_str(&s->h->tls_key), &r->out.body);
	msg_give_fd(&r->out, fd);
}

static void
stats(struct serving *s, struct request *r)
{
	const struct house_stats *n = &s->h->stats;
	AUTO_BUF json = BUF(4096);

	buf_printf(&json,
	    "{\"people\":%zu,\"keys\":%zu,\"domains\":%zu,\"sessions\":%zu,\"locked\":%s,"
	    "\"ledger\":%s,"
	    "\"authorized\":%llu,\"denied\":%llu,\"unauthenticated\":%llu,\"throttled\":%llu,"
	    "\"keys_made\":%llu,"
	    "\"keys_opened\":%llu,\"logins\":%llu,\"busy\":%llu,\"rewrapped\":%llu}",
	    s->h->people.by_id.n, s->h->credentials.by_id.n, s->h->domains.by_id.n,
	    s->h->sessions.by_mac.n, s->h->locked ? "true" : "false",
	    s->h->ledger_open ? "true" : "false", (unsigned long long)n->authorized,
	    (unsigned long long)n->denied, (unsigned long long)n->unauthenticated,
	    (unsigned long long)n->throttled, (unsigned long long)n->keys_made,
	    (unsigned long long)n->keys_opened, (unsigned long long)n->logins,
	    (unsigned long long)n->busy, (unsigned long long)n->rewrapped);
	buf_put_lstr(&r->out.body, buf_str(&json));
}

static void
stop_if_broken(const struct serving *s)
{
	if (!err_is(s->h->fatal))
		return;
	LOG(LOG_ERROR, "state-unknown", LOG_ERR(s->h->fatal));
	_exit(err_exit_status(s->h->fatal.code));
}

static void
batch(void *ctx, struct request **reqs, size_t n)
{
	struct serving *s = ctx;
	size_t n_authorize = 0;

	/* changes first: who is revoked in this batch is refused in it */
	for (size_t i = 0; i < n; i++) {
		struct request *r = reqs[i];

		switch ((enum warden_op)r->in.op) {
		case WARDEN_AUTHORIZE: s->reqs[n_authorize++] = r; break;
		case WARDEN_ADMIN: is_slow(s, r) ? queue_slow(s, r) : admin(s, r); break;
		case WARDEN_HELLO: hello(s, r); break;
		case WARDEN_STATS: stats(s, r); break;
		case WARDEN_CHUNKS: authorize_chunks(s->h, r); break;
		case WARDEN_STILL: authorize_still(s->h, r); break;
		case WARDEN_NAMES: authorize_names(s->h, r); break;
		}
	}
	stop_if_broken(s);
	if (n_authorize > 0)
		authorize_batch(s->authorizer, s->reqs, n_authorize);
	if (s->n_slow > 0) {
		for (size_t i = 0; i < n; i++)
			if (!reqs[i]->answered_later)
				server_answer(reqs[i]);
		run_one_slow(s);
		stop_if_broken(s);
	}
}

/* ---- between requests ---- */

static int
tick(void *ctx)
{
	struct serving *s = ctx;
	int64_t mono = clock_mono_us();
	int ms;

	run_one_slow(s);
	if (mono >= s->tick_at_us) {
		struct err e = house_tick(s->h);

		if (err_is(e))
			LOG(LOG_WARN, "head-not-remembered", LOG_ERR(e));
		e = certificate_tick(s->h, clock_now_us(), mono);
		if (err_is(e))
			LOG(LOG_WARN, "certificate-not-renewed", LOG_ERR(e));
		s->tick_at_us = mono + TICK_MS * 1000ll;
	}
	ms = rotate_tick(s->h, clock_now_us(), mono);
	stop_if_broken(s);
	if (s->n_slow > 0)
		return 0;
	return ms >= 0 && ms < TICK_MS ? ms : TICK_MS;
}

static void
stop(void *ctx)
{
	struct serving *s = ctx;

	err_ignore(house_tick(s->h));
}

/* What cannot become right by waiting ends the process; the supervisor tells people. */
static bool
is_final(struct err e)
{
	return e.code == ERR_ROLLBACK || e.code == ERR_CORRUPT || e.code == ERR_UNAUTHENTICATED ||
	    e.code == ERR_DENIED;
}

static void
peer(void *ctx, enum role role, int fd)
{
	struct serving *s = ctx;
	struct err e = OK;

	if (role == ROLE_LEDGER)
		e = house_ledger(s->h, fd);
	else if (role == ROLE_VAULT)
		e = house_vault(s->h, fd);
	else
		fd_close(&fd);
	if (!err_is(e))
		return;
	LOG(LOG_ERROR, "peer-refused", LOG_ENUM("peer", role_name(role)), LOG_ERR(e));
	if (role == ROLE_LEDGER && is_final(e))
		_exit(err_exit_status(e.code));
}

/* ---- start ---- */

static struct err
keep(int control_fd, const struct root_key *root)
{
	AUTO_MSG m = MSG(CONTROL_KEEP);
	int fd;

	TRY(root_keep(root, &fd));
	msg_give_fd(&m, fd);
	return msg_send(control_fd, &m);
}

static struct err
unlock(struct warden_start *start, struct root_key **ret)
{
	AUTO_BUF passphrase = BUF_WIPED(LIMIT_PASSPHRASE_BYTES + 1);
	AUTO_FD dir = -1;

	if (start->kept)
		return root_kept(start->secret_fd, ret);
	TRY(root_read_passphrase(start->secret_fd, &passphrase));
	TRY(fd_open_at(AT_FDCWD, ".", O_RDONLY | O_DIRECTORY, 0, &dir));
	TRY(root_unlock(dir, buf_str(&passphrase), ret));
	return keep(start->control_fd, *ret);
}

static const struct permit permits[] = {
	{WARDEN_AUTHORIZE, 1u << ROLE_GATE | 1u << ROLE_INTAKE | 1u << ROLE_SCRUB},
	{WARDEN_CHUNKS, 1u << ROLE_GATE},
	{WARDEN_STILL, 1u << ROLE_GATE},
	{WARDEN_NAMES, 1u << ROLE_GATE},
	{WARDEN_ADMIN, 1u << ROLE_GATE | 1u << ROLE_INTAKE | 1u << ROLE_SCRUB | 1u << ROLE_CELL | 1u << ROLE_STEWARD},
	{WARDEN_HELLO, 1u << ROLE_GATE | 1u << ROLE_INTAKE},
	{WARDEN_STATS, 1u << ROLE_GATE | 1u << ROLE_STEWARD},
	{0, 0},
};

static struct err
serve(struct warden_start *start, struct serving *s)
{
	static const struct server_ops ops = {
	    .permits = permits, .batch = batch, .tick = tick, .peer = peer, .stop = stop};

	s->h->vault_calls = start->vault;
	s->h->public_access = start->public_access;
	s->h->sessions.idle_us = start->session_idle_s * US_PER_S;
	s->h->sessions.age_us = start->session_age_s * US_PER_S;
	s->was_locked = s->h->locked;
	TRY(authorizer_new(s->h, &s->authorizer));
	LOG(LOG_INFO, "unlocked", LOG_U64("people", s->h->people.by_id.n),
	    LOG_U64("keys", s->h->credentials.by_id.n), LOG_U64("domains", s->h->domains.by_id.n),
	    LOG_U64("locked", s->h->locked));
	return server_run(start->control_fd, &ops, s);
}

struct err
warden_init(void)
{
	doc_init();
	return crypto_init();
}

struct err
warden_serve(struct warden_start *start)
{
	struct serving *s = calloc(1, sizeof(*s));
	AUTO_KEY(root_key) root = NULL;
	struct err e = s ? unlock(start, &root) : ERR(ERR_NO_MEMORY);

	fd_close(&start->secret_fd);
	if (e.code == ERR_UNAUTHENTICATED)
		LOG(LOG_ERROR, "wrong-passphrase");
	else if (err_is(e))
		LOG(LOG_ERROR, "not-unlocked", LOG_ERR(e));
	if (!err_is(e)) {
		e = house_open(STATE_FILE, root, start->governance, &s->h);
		if (err_is(e))
			LOG(LOG_ERROR, "state-refused", LOG_ERR(e));
	}
	root_key_free(root); /* what is needed of it is derived; the rest is kept by cloisterd */
	root = NULL;
	if (!err_is(e))
		e = serve(start, s);
	if (s) {
		authorizer_free(s->authorizer);
		house_close(s->h);
	}
	free(s);
	return e;
}
