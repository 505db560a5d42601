#include "steward/steward.h"

#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "proc/server.h"
#include "steward/cells.h"
#include "steward/client.h"
#include "steward/jobs.h"

#define CHECK_AGAIN_US (7 * 86400 * US_PER_S) /* each blob is read again at least this often */
#define CHECK_SLICE (1 * MiB)                 /* read at a time: the loop stays answerable */
#define CHECK_BYTES_PER_S (32 * MiB)          /* pace: a background guest on the disk */
#define CHECK_IDLE_US (30 * US_PER_S)         /* when all are fresh */
#define COLLECT_EVERY_US (3600 * US_PER_S)
#define HEAD_EVERY_US (10 * US_PER_S)
#define AWAY_US (1 * US_PER_S) /* a peer is restarting: try again after */

struct steward {
	struct chan ledger, vault, warden;
	uint8_t processes[256]; /* CONTROL_STATUS as it came */
	size_t n_processes;
	/* the blob that is being checked */
	int fd;
	struct id blob;
	uint8_t expected[SHA256_BYTES];
	struct digest *digest;
	uint64_t at, size;
	uint64_t checked, bad, collected;
	int64_t last_collect_us;
	struct ledger_head head;
	bool shrank;
	int64_t check_due, collect_due, head_due, look_due, cells_due; /* monotonic */
	struct jobs_list jobs;
	struct cells_round cells;
};

/* ---- duty: read every blob again ---- */

static void
check_end(struct steward *s, bool good)
{
	struct record r = {0};
	struct receipt receipt;

	s->checked++;
	err_ignore(vault_check_result(&s->vault, s->blob, good));
	if (!good) {
		s->bad++;
		LOG(LOG_ERROR, "blob-corrupt", LOG_ID("blob", s->blob));
		record_word(&r, RECORD_ACT, STR("blob.corrupt"));
		record_id(&r, RECORD_OTHER, s->blob);
		err_ignore(ledger_append(&s->ledger, &r, 1, &receipt));
	}
	digest_free(s->digest);
	s->digest = NULL;
	fd_close(&s->fd);
}

static struct err
check_begin(struct steward *s)
{
	TRY(vault_check_next(&s->vault, clock_now_us() - CHECK_AGAIN_US, &s->blob, &s->fd, s->expected));
	s->at = HEADER_BYTES; /* the header is not in the digest: key rotation rewrites it */
	TRY(fd_size(s->fd, &s->size));
	s->digest = digest_new(DIGEST_SHA256); /* last: nothing that fails after it could leave it behind */
	return s->digest ? OK : ERR(ERR_NO_MEMORY);
}

static void
check_slice(struct steward *s)
{
	static char slice[CHECK_SLICE];
	uint8_t got[DIGEST_MAX_BYTES];
	bool whole = s->size >= s->at; /* even an empty object's file has a header */
	size_t n = whole ? num_min(s->size - s->at, sizeof(slice)) : 0;

	if (!whole || err_is(fd_pread_all(s->fd, slice, n, s->at))) {
		check_end(s, false);
		return;
	}
	digest_update(s->digest, slice, n);
	s->at += n;
	if (s->at == s->size) {
		digest_final(s->digest, got);
		check_end(s, memcmp(got, s->expected, SHA256_BYTES) == 0);
	}
}

static int64_t
do_check(struct steward *s)
{
	struct err e;

	if (s->fd < 0) {
		e = check_begin(s);
		if (err_is(e)) {
			fd_close(&s->fd);
			return e.code == ERR_NOT_FOUND ? CHECK_IDLE_US : AWAY_US;
		}
	}
	check_slice(s);
	return (int64_t)(CHECK_SLICE * US_PER_S / CHECK_BYTES_PER_S);
}

/* ---- duty: collect what a crash left behind ---- */

static int64_t
do_collect(struct steward *s)
{
	uint64_t files = 0, uploads = 0;

	/* uploads end by AbortMultipartUpload only: S3 keeps them until then */
	if (err_is(vault_collect(&s->vault, 0, &files, &uploads)))
		return AWAY_US;
	s->collected += files;
	s->last_collect_us = clock_now_us();
	if (files)
		LOG(LOG_INFO, "collected", LOG_U64("files", files));
	return COLLECT_EVERY_US;
}

/* ---- duty: the ledger only grows ---- */

static int64_t
do_head(struct steward *s)
{
	struct ledger_head now;

	if (err_is(ledger_head(&s->ledger, &now, NULL)))
		return AWAY_US;
	if (now.size < s->head.size || (now.size == s->head.size && s->head.size && memcmp(now.root, s->head.root, 32) != 0)) {
		s->shrank = true;
		LOG(LOG_ERROR, "ledger-shrank", LOG_U64("was", s->head.size), LOG_U64("is", now.size));
	}
	s->head = now;
	return HEAD_EVERY_US;
}

static int
on_tick(void *ctx)
{
	struct steward *s = ctx;
	int64_t now = clock_mono_us(), next;

	if (s->vault.fd < 0 || s->ledger.fd < 0)
		return 200;
	if (now >= s->check_due)
		s->check_due = now + do_check(s);
	if (now >= s->collect_due)
		s->collect_due = now + do_collect(s);
	if (now >= s->head_due)
		s->head_due = now + do_head(s);
	if (s->warden.fd >= 0 && now >= s->look_due)
		s->look_due = now + jobs_look(&s->jobs);
	if (s->warden.fd >= 0 && now >= s->cells_due)
		s->cells_due = now + cells_look(&s->cells);
	next = s->check_due < s->collect_due ? s->check_due : s->collect_due;
	next = next < s->head_due ? next : s->head_due;
	next = next < s->look_due ? next : s->look_due;
	next = next < s->cells_due ? next : s->cells_due;
	now = clock_mono_us();
	return next <= now ? 1 : (int)((next - now) / 1000 + 1);
}

/* ---- what it is asked ---- */

static void
answer_health(struct steward *s, struct request *r)
{
	struct vault_stats v;
	struct buf *b = &r->out.body;
	struct err e = vault_stats(&s->vault, &v);

	if (err_is(e)) {
		request_fail(r, ERR(ERR_BUSY));
		return;
	}
	buf_put(b, s->processes, s->n_processes);
	buf_put_u64(b, v.buckets);
	buf_put_u64(b, v.versions);
	buf_put_u64(b, v.bytes);
	buf_put_u64(b, v.uploads);
	buf_put_u64(b, v.blobs);
	buf_put_u64(b, v.blobs_bad);
	buf_put_u64(b, v.disk_free_bytes);
	buf_put_u64(b, v.last_full_check_us);
	buf_put_u64(b, s->checked);
	buf_put_u64(b, s->bad);
	buf_put_u64(b, s->collected);
	buf_put_u64(b, (uint64_t)s->last_collect_us);
	buf_put_u64(b, s->head.size);
	buf_put_u8(b, s->shrank);
}

static void
take_job(struct steward *s, struct request *r)
{
	struct cur c = msg_cur(&r->in);
	struct id job = cur_id(&c);
	struct err e = cur_end(&c);

	if (!err_is(e))
		e = id_is_zero(job) ? ERR(ERR_INVALID) : jobs_run(&s->jobs, job);
	if (err_is(e))
		request_fail(r, e);
}

static void
on_batch(void *ctx, struct request **reqs, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (reqs[i]->in.op == STEWARD_RUN)
			take_job(ctx, reqs[i]);
		else
			answer_health(ctx, reqs[i]);
	}
}

static void
on_peer(void *ctx, enum role role, int fd)
{
	struct steward *s = ctx;
	struct chan *c = role == ROLE_LEDGER ? &s->ledger : role == ROLE_VAULT ? &s->vault : &s->warden;

	if (role == ROLE_CELL) {
		pool_reset(s->cells.cell, fd);
		s->cells.any = true;
		return;
	}
	if (role == ROLE_WARDEN || role == ROLE_VAULT) {
		int own = dup(fd);

		if (own >= 0)
			pool_reset(role == ROLE_WARDEN ? s->jobs.warden : s->jobs.vault, own);
	}

	chan_close(c);
	c->fd = fd;
}

static void
on_told(void *ctx, enum control_op op, struct str body)
{
	struct steward *s = ctx;
	struct cur c = cur_of(body);

	if (op == CONTROL_JOB_ENDED) {
		struct id job = cur_id(&c);
		bool good = cur_u8(&c) != 0;

		if (!err_is(cur_end(&c)))
			jobs_ended(&s->jobs, job, good);
		return;
	}

	if (body.n <= sizeof(s->processes)) {
		memcpy(s->processes, body.p, body.n);
		s->n_processes = body.n;
	}
}

struct err
steward_serve(int control_fd)
{
	static const struct permit permits[] = {{STEWARD_HEALTH, 1u << ROLE_GATE}, {STEWARD_RUN, 1u << ROLE_GATE}, {0, 0}};
	static const struct server_ops ops = {.permits = permits, .batch = on_batch, .tick = on_tick, .peer = on_peer,
		.told = on_told};
	struct steward s = {.ledger.fd = -1, .vault.fd = -1, .warden.fd = -1, .fd = -1, .n_processes = 1};

	s.jobs.control = control_fd;
	TRY(pool_new(&s.jobs.warden));
	TRY(pool_new(&s.jobs.vault));
	TRY(pool_new(&s.cells.cell));
	pool_patience(s.cells.cell, 0); /* its return is heard of on this very thread */
	s.cells.warden = s.jobs.warden;
	return server_run(control_fd, &ops, &s);
}
