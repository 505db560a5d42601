/* The process: requests in, groups out. One batch is one commit; what asks, is answered after it. */
#include <fcntl.h>
#include <sys/statvfs.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "ledger/entry.h"
#include "ledger/search.h"
#include "proc/server.h"

#define SPACE_KEPT_BYTES (32 * MiB) /* a batch of records in its journal, and their tiles */
#define BIT(role) (1u << ROLE_##role)
#define WRITERS (BIT(WARDEN) | BIT(VAULT) | BIT(STEWARD) | BIT(CLOISTERD) | BIT(INTAKE) | BIT(SCRUB) | BIT(CELL))
#define READERS (BIT(GATE) | BIT(STEWARD) | BIT(WARDEN))

static const struct permit permits[] = {
	{LEDGER_APPEND, WRITERS},
	{LEDGER_HEAD, READERS | BIT(VAULT)},
	{LEDGER_REMEMBER, BIT(WARDEN) | BIT(VAULT)},
	{LEDGER_QUERY, READERS},
	{LEDGER_PROVE, READERS},
	{LEDGER_STATS, READERS},
	{LEDGER_UNLOCK, BIT(WARDEN)},
	{0, 0},
};

struct process {
	struct sign_key *key;
	struct ledger *ledger; /* NULL: not unlocked yet */
};

/*
 * What was asked of a ledger that failed has an unknown outcome, and the callers find out as they do when a process dies: their
 * channels close. Recovery, in the next process, says what is durable.
 */
__attribute__((noreturn)) static void
die(const char *what, uint64_t index, struct err e)
{
	LOG(LOG_ERROR, "ledger-stopped", LOG_ENUM("what", what), LOG_U64("index", index), LOG_ERR(e));
	exit(err_exit_status(e.code));
}

static void
check_alive(const struct process *p)
{
	if (p->ledger && p->ledger->dead)
		die("a write or a sync failed", p->ledger->committed, ERR(ERR_IO));
}

static void
put_head(const struct process *p, struct buf *out)
{
	uint8_t root[HASH_BYTES];

	frontier_root(&p->ledger->frontier, root);
	buf_put_u64(out, p->ledger->committed);
	buf_put(out, root, sizeof(root));
}

/*
 * room(): NO_SPACE while the disk has less than is kept. A write that fails ends the process; a disk that somebody else fills shall not.
 * The vault keeps more (vault/store.h), so that what adds no object is on record for longer.
 */
static struct err
room(void)
{
	struct statvfs fs;

	if (statvfs(".", &fs) != 0)
		return ERR_ERRNO();
	return (uint64_t)fs.f_bavail * fs.f_frsize >= SPACE_KEPT_BYTES ? OK : ERR(ERR_NO_SPACE);
}

/* all or none: every record is checked before the first is added */
static struct err
append(struct process *p, struct request *r)
{
	struct cur in = msg_cur(&r->in), again;
	uint16_t n = cur_u16(&in);
	struct receipt first = {0}, receipt;
	struct record record;

	if (n == 0)
		return ERR(ERR_INVALID);
	TRY(room());
	again = in;
	for (uint16_t i = 0; i < n; i++) {
		TRY(record_decode(&in, &record));
		TRY(record_check(&record));
	}
	TRY(cur_end(&in));
	for (uint16_t i = 0; i < n; i++) {
		TRY(record_decode(&again, &record));
		TRY(ledger_add(p->ledger, &record, str_c(role_name(r->from)), &receipt));
		if (i == 0)
			first = receipt;
	}
	buf_put_u64(&r->out.body, receipt_index(&first));
	buf_put_u64(&r->out.body, (uint64_t)receipt_time_us(&first));
	return buf_check(&r->out.body);
}

static struct err
unlock(struct process *p, struct request *r)
{
	struct cur in = msg_cur(&r->in);
	struct str seed = cur_bytes(&in, KEY_BYTES);
	struct ledger_fault fault = {.what = "could not be read"};
	struct err e;

	TRY(cur_end(&in));
	if (p->ledger) { /* warden began anew: the same key, or it is not our warden */
		if (!crypto_equal(secret_expose(&p->key->s), seed.p, KEY_BYTES))
			return ERR(ERR_CONFLICT);
	} else {
		p->key = sign_key_new();
		if (!p->key)
			return ERR(ERR_NO_MEMORY);
		secret_set(&p->key->s, seed.p);
		e = ledger_open(AT_FDCWD, p->key, &fault, &p->ledger);
		if (err_is(e))
			die(fault.what, fault.index, e);
		LOG(LOG_INFO, "ledger-open", LOG_U64("size", p->ledger->committed));
	}
	put_head(p, &r->out.body);
	return buf_check(&r->out.body);
}

static struct err
head(struct process *p, struct request *r)
{
	struct ledger *l = p->ledger;

	if (clock_mono_us() - l->published_at_us >= PUBLISH_IDLE_US)
		TRY(ledger_publish(l));
	put_head(p, &r->out.body);
	buf_put_lstr(&r->out.body, buf_str(&l->checkpoint));
	return buf_check(&r->out.body);
}

static struct err
remember(struct process *p, struct request *r)
{
	struct cur in = msg_cur(&r->in);
	struct ledger_head seen = {.size = cur_u64(&in)};
	struct err e;

	cur_copy(&in, seen.root, sizeof(seen.root));
	TRY(cur_end(&in));
	e = ledger_remembers(p->ledger, &seen);
	if (e.code == ERR_ROLLBACK)
		die("log is older than a head that was seen", seen.size, e);
	return e;
}

static struct err
query(struct process *p, struct request *r)
{
	struct cur in = msg_cur(&r->in);
	struct ledger_query q;

	TRY(ledger_query_decode(&in, &q));
	TRY(cur_end(&in));
	return ledger_search(p->ledger, &q, &r->out.body);
}

static struct err
prove(struct process *p, struct request *r)
{
	struct cur in = msg_cur(&r->in);
	uint64_t index = cur_u64(&in);
	struct ledger *l = p->ledger;
	AUTO_BUF proof = BUF(2 * NOTE_BYTES_MAX);
	AUTO_BUF json = BUF(LIMIT_RECORD_BYTES);

	TRY(cur_end(&in));
	if (index >= l->committed)
		return ERR(ERR_NOT_FOUND);
	if (index >= l->published)
		TRY(ledger_publish(l));
	TRY(tiles_prove(l->tiles, index, l->published, buf_str(&l->checkpoint), &proof));
	TRY(tiles_entry(l->tiles, index, &json));
	buf_put_lstr(&r->out.body, buf_str(&proof));
	buf_put_lstr(&r->out.body, buf_str(&json));
	return buf_check(&r->out.body);
}

static struct err
stats(struct process *p, struct request *r)
{
	const struct ledger *l = p->ledger;

	buf_put_u64(&r->out.body, l->committed);
	buf_put_u64(&r->out.body, l->bytes);
	buf_put_u64(&r->out.body, l->groups);
	buf_put_u64(&r->out.body, postings_backlog(l->index, l->tiles));
	return buf_check(&r->out.body);
}

static struct err
answer(struct process *p, struct request *r)
{
	switch (r->in.op) {
	case LEDGER_HEAD: return head(p, r);
	case LEDGER_REMEMBER: return remember(p, r);
	case LEDGER_QUERY: return query(p, r);
	case LEDGER_PROVE: return prove(p, r);
	case LEDGER_STATS: return stats(p, r);
	default: return ERR(ERR_UNSUPPORTED); /* in the table of permits, but not here */
	}
}

static void
batch(void *ctx, struct request **reqs, size_t n)
{
	struct process *p = ctx;

	for (size_t i = 0; i < n; i++) {
		struct err e = OK;

		if (reqs[i]->in.op == LEDGER_UNLOCK)
			e = unlock(p, reqs[i]);
		else if (!p->ledger)
			e = ERR(ERR_BUSY);
		else if (reqs[i]->in.op == LEDGER_APPEND)
			e = append(p, reqs[i]);
		else
			continue;
		if (err_is(e))
			request_fail(reqs[i], e);
	}
	if (p->ledger)
		err_ignore(ledger_commit(p->ledger)); /* a failure leaves it dead */
	check_alive(p);
	for (size_t i = 0; i < n; i++) {
		struct err e;

		if (!p->ledger || reqs[i]->in.op == LEDGER_UNLOCK || reqs[i]->in.op == LEDGER_APPEND)
			continue;
		e = reqs[i]->out.op == ERR_NONE ? answer(p, reqs[i]) : OK;
		if (err_is(e))
			request_fail(reqs[i], e);
	}
	check_alive(p);
}

static int
tick(void *ctx)
{
	struct process *p = ctx;
	int ms = p->ledger ? ledger_tick(p->ledger) : -1;

	check_alive(p);
	return ms;
}

/* the ledger calls nobody */
static void
peer(void *ctx, enum role role, int fd)
{
	(void)ctx;
	(void)role;
	fd_close(&fd);
}

struct err
ledger_serve(int control_fd)
{
	static const struct server_ops ops = {.permits = permits, .batch = batch, .tick = tick, .peer = peer};
	struct process p = {0};
	struct err e = server_run(control_fd, &ops, &p);

	ledger_close(p.ledger);
	sign_key_free(p.key);
	return e;
}
