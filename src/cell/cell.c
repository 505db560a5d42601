#include "cell/cell.h"

#include <fcntl.h>
#include <jansson.h>
#include <poll.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "cell/keeper.h"
#include "cell/wire_cell.h"
#include "ledger/client.h"
#include "proc/server.h"
#include "warden/client.h"

#define CELLS_MAX 64
#define WAITING_MAX 256
#define LOOK_MS 2000                   /* between two looks at a cell's counters */
#define RECORD_EVERY_US (10 * US_PER_S) /* of a kind of refusal, a cell */
#define CLOSE_WITHIN_MS 8000
#define OWN_SEQ 0 /* of a look that nobody asked for */

struct cell {
	bool used, open;
	struct id id, study, release;
	char who[ID_HEX_LEN + 1]; /* or empty */
	uint32_t minutes;
	int fd; /* its keeper */
	int64_t opened_us, used_us, until_us, look_us; /* the last two monotonic */
	uint64_t told[CELL_REFUSALS];  /* refusals on record */
	int64_t told_us[CELL_REFUSALS]; /* monotonic */
	bool looking, staged, staging_recorded;
};

struct waiting {
	struct request *r; /* NULL: free */
	struct cell *cell;
	uint32_t seq;
};

static struct process {
	int mason, watch;
	enum cell_refused why;
	struct chan ledger, warden;
	struct pool *warden_pool;
	struct cell cells[CELLS_MAX];
	struct waiting waiting[WAITING_MAX];
	uint32_t seq;
} process = {.mason = -1, .watch = -1, .ledger.fd = -1, .warden.fd = -1};

/* ---- records ---- */

static struct err
record(struct process *p, const struct cell *c, struct str act, struct str reason, uint64_t count)
{
	struct record r = {0};
	struct receipt receipt;
	struct id who = {0};

	record_word(&r, RECORD_ACT, act);
	record_id(&r, RECORD_OTHER, c->id);
	record_id(&r, RECORD_OBJECT, c->release);
	record_id(&r, RECORD_STUDY, c->study);
	if (!err_is(id_parse(str_c(c->who), &who)))
		record_id(&r, RECORD_WHO, who);
	if (reason.n)
		record_word(&r, RECORD_REASON, reason);
	if (count)
		record_number(&r, RECORD_COUNT, count);
	return ledger_append(&p->ledger, &r, 1, &receipt);
}

/* ---- cells ---- */

static struct cell *
find(struct process *p, struct id id)
{
	for (size_t i = 0; i < CELLS_MAX; i++)
		if (p->cells[i].used && id_eq(p->cells[i].id, id))
			return &p->cells[i];
	return NULL;
}

static void
fail_waiting(struct process *p, const struct cell *c, enum err_code code)
{
	for (size_t i = 0; i < WAITING_MAX; i++) {
		struct waiting *w = &p->waiting[i];

		if (!w->r || w->cell != c)
			continue;
		/* what was asked to close is closed */
		request_fail(w->r, w->r->in.op == CELL_CLOSE ? OK : ERR(code));
		server_answer(w->r);
		w->r = NULL;
	}
}

/* forget(p, c): its keeper has ended, and the kernel has taken everything else away */
static void
forget(struct process *p, struct cell *c, struct str reason)
{
	if (c->open) {
		struct err e = record(p, c, STR("cell.close"), reason, 0);

		if (err_is(e))
			LOG(LOG_ERROR, "no-record", LOG_ID("cell", c->id), LOG_ERR(e));
	}
	fd_close(&c->fd);
	fail_waiting(p, c, ERR_CLOSED);
	*c = (struct cell){.fd = -1};
}

/* forward(p, c, m, r): ${r} is answered when the keeper answers ${m} */
static struct err
forward(struct process *p, struct cell *c, struct msg *m, struct request *r)
{
	for (size_t i = 0; i < WAITING_MAX; i++) {
		struct waiting *w = &p->waiting[i];
		uint32_t own = m->seq;
		struct err e;

		if (w->r)
			continue;
		m->seq = ++p->seq != OWN_SEQ ? p->seq : ++p->seq;
		*w = (struct waiting){.cell = c, .seq = m->seq};
		e = msg_send(c->fd, m);
		m->seq = own; /* of ${r}, it may be */
		TRY(e);
		w->r = r;
		r->answered_later = true;
		return OK;
	}
	return ERR(ERR_BUSY);
}

/* ---- opening ---- */

static struct err
get_u32(const json_t *o, const char *name, uint32_t most, uint32_t *ret)
{
	json_int_t v = json_integer_value(json_object_get(o, name));

	if (v < 1 || v > most)
		return ERR(ERR_INVALID);
	*ret = (uint32_t)v;
	return OK;
}

static struct id
get_id(const json_t *o, const char *name)
{
	struct id id = {0};

	return err_is(id_parse(str_c(json_string_value(json_object_get(o, name))), &id)) ? (struct id){0} : id;
}

static struct err
read_key(const json_t *doc, struct cell *c, struct cell_limits *l, struct buf *key)
{
	const json_t *limits = json_object_get(doc, "limits");
	const char *key64 = json_string_value(json_object_get(doc, "volume_key"));

	TRY(get_u32(limits, "memory_mib", 16 * 1024 * 1024, &l->memory_mib));
	TRY(get_u32(limits, "cpus", 4096, &l->cpus));
	TRY(get_u32(limits, "processes", 1024 * 1024, &l->processes));
	TRY(get_u32(limits, "disk_mib", 64 * 1024 * 1024, &l->disk_mib));
	TRY(get_u32(limits, "minutes", 60 * 24 * 366, &l->minutes));
	TRY(buf_decode_base64(key, str_c(key64)));
	if (key->n != CELL_KEY_BYTES)
		return ERR(ERR_INVALID);
	c->study = get_id(doc, "study");
	c->release = get_id(doc, "release");
	snprintf(c->who, sizeof(c->who), "%.32s", json_string_value(json_object_get(doc, "who")) ?: "");
	c->minutes = l->minutes;
	return OK;
}

/* ask_warden(p, c, l, key): which also says whether there may be such a cell at all */
static struct err
ask_warden(struct process *p, struct cell *c, struct cell_limits *l, struct buf *key)
{
	struct proof proof = {.kind = PROOF_PROCESS, .address = STR("local")};
	enum verdict_reason reason = REASON_NONE;
	AUTO_BUF params = BUF(128);
	AUTO_BUF out = BUF_WIPED(8 * KiB);
	json_t *doc;
	struct err e;

	buf_put_c(&params, "{\"cell\":\"");
	buf_put_id_hex(&params, c->id);
	buf_put_c(&params, "\"}");
	TRY(warden_admin(p->warden_pool, &proof, STR("cell.key"), buf_str(&params), &out, &reason));
	doc = json_loadb(out.p, out.n, JSON_REJECT_DUPLICATES, NULL);
	if (!doc)
		return ERR(ERR_CORRUPT);
	e = read_key(doc, c, l, key);
	json_decref(doc);
	return e;
}

/* order(p, c, l, key, r): a keeper for it; its first message */
static struct err
order(struct process *p, struct cell *c, const struct cell_limits *l, const struct buf *key, struct request *r)
{
	AUTO_MSG hand = MSG(CELL_OPEN);
	struct epoll_event ev = {.events = EPOLLIN, .data.ptr = c};
	AUTO_MSG m = MSG(CELL_OPEN);
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
		return ERR_ERRNO();
	c->fd = ends[0];
	msg_give_fd(&hand, ends[1]);
	if (fcntl(c->fd, F_SETFL, O_NONBLOCK) != 0) /* nobody waits for a keeper: BUSY */
		return ERR_ERRNO();
	TRY(msg_send(p->mason, &hand));
	if (epoll_ctl(p->watch, EPOLL_CTL_ADD, c->fd, &ev) != 0)
		return ERR_ERRNO();
	buf_put_id(&m.body, c->id);
	buf_put_u32(&m.body, l->memory_mib);
	buf_put_u32(&m.body, l->cpus);
	buf_put_u32(&m.body, l->processes);
	buf_put_u32(&m.body, l->disk_mib);
	buf_put_u32(&m.body, l->minutes);
	buf_put(&m.body, key->p, key->n);
	TRY(buf_check(&m.body));
	return forward(p, c, &m, r);
}

static struct err
open_cell(struct process *p, struct id id, struct request *r)
{
	AUTO_BUF key = BUF_WIPED(CELL_KEY_BYTES + 8);
	struct cell_limits limits = {0};
	struct cell *c = NULL;
	struct err e;

	if (p->why != CELLS_FINE)
		return ERR(ERR_UNSUPPORTED); /* the log says why */
	if (find(p, id))
		return ERR(ERR_EXISTS);
	for (size_t i = 0; i < CELLS_MAX; i++) {
		if (!p->cells[i].used)
			c = &p->cells[i];
		else if (keeper_uid(p->cells[i].id) == keeper_uid(id))
			return ERR(ERR_CONFLICT); /* one in 2^28: two cells shall not be one user */
	}
	if (!c)
		return ERR(ERR_NO_SPACE);
	*c = (struct cell){.used = true, .id = id, .fd = -1, .opened_us = clock_now_us()};
	e = ask_warden(p, c, &limits, &key);
	if (!err_is(e))
		e = order(p, c, &limits, &key, r);
	if (err_is(e)) {
		fd_close(&c->fd);
		c->used = false;
	}
	return e;
}

/* opened(p, c, m): the keeper's answer; nothing is open before it is on record */
static struct err
opened(struct process *p, struct cell *c, enum err_code code)
{
	struct err e = code == ERR_NONE ? record(p, c, STR("cell.open"), STR_NONE, 0) : ERR(code);

	if (!err_is(e)) {
		c->open = true;
		c->opened_us = clock_now_us();
		c->until_us = clock_mono_us() + (int64_t)c->minutes * 60 * US_PER_S;
		c->look_us = clock_mono_us() + LOOK_MS * 1000;
	}
	return e;
}

/* ---- what keepers answer ---- */

static void
tell_refusals(struct process *p, struct cell *c, const struct cell_state *s)
{
	int64_t now = clock_mono_us();

	for (size_t i = 0; i < CELL_REFUSALS; i++) {
		if (s->refused[i] <= c->told[i] || (c->told_us[i] && now - c->told_us[i] < RECORD_EVERY_US))
			continue;
		if (err_is(record(p, c, STR("cell.refused"), str_c(cell_refusal_word((enum cell_refusal)i)), s->refused[i] - c->told[i])))
			return; /* later */
		c->told[i] = s->refused[i];
		c->told_us[i] = now;
	}
}

static void
looked(struct process *p, struct cell *c, struct cell_state *s)
{
	tell_refusals(p, c, s);
	if (s->staged && !c->staged)
		c->staged = !err_is(record(p, c, STR("cell.stage"), STR_NONE, 0));
	s->opened_us = c->opened_us;
	s->used_us = c->used_us;
}

/* finish(p, w, m): what was asked is answered as the keeper says, or as the ledger lets us */
static void
finish(struct process *p, struct waiting *w, struct msg *m)
{
	struct request *r = w->r;
	struct cell *c = w->cell;
	struct err e = m->op == ERR_NONE ? OK : ERR(err_code_from_wire(m->op));
	struct cell_state s;
	struct cur in = msg_cur(m);
	bool drop = false;

	w->r = NULL;
	if (r->in.op == CELL_OPEN) {
		e = opened(p, c, err_code_from_wire(m->op));
		drop = err_is(e);
	} else if (r->in.op == CELL_WORKER && !err_is(e)) {
		e = record(p, c, STR("cell.worker"), STR_NONE, 0);
		buf_put_id(&r->out.body, cur_id(&in));
	} else if (r->in.op == CELL_STATE && !err_is(e)) {
		cell_state_decode(&in, &s);
		looked(p, c, &s);
		cell_state_encode(&s, &r->out.body);
	} else if (r->in.op == CELL_CLOSE) {
		drop = true;
		e = OK;
	} else if (!err_is(e) && m->n_fds == 1) {
		if (r->in.op == CELL_CONNECT)
			c->used_us = clock_now_us();
		msg_give_fd(&r->out, msg_take_fd(m));
	}
	if (err_is(e))
		request_fail(r, e);
	if (drop)
		forget(p, c, STR_NONE);
	server_answer(r);
}

static void
hear_keeper(struct process *p, struct cell *c)
{
	AUTO_MSG m = MSG(0);
	struct err e = msg_recv(c->fd, MSG_DONTWAIT, &m);
	struct cell_state s;
	struct cur in;

	if (e.code == ERR_BUSY)
		return;
	if (err_is(e)) {
		LOG(LOG_WARN, "cell-ended", LOG_ID("cell", c->id));
		forget(p, c, STR("ended"));
		return;
	}
	if (m.seq == OWN_SEQ) {
		in = msg_cur(&m);
		cell_state_decode(&in, &s);
		c->looking = false;
		if (!err_is(cur_end(&in)))
			looked(p, c, &s);
		return;
	}
	for (size_t i = 0; i < WAITING_MAX; i++)
		if (p->waiting[i].r && p->waiting[i].cell == c && p->waiting[i].seq == m.seq) {
			finish(p, &p->waiting[i], &m);
			return;
		}
}

static int
on_watch(void *ctx)
{
	struct process *p = ctx;

	return p->watch;
}

/*
 * mason_ended(p): with it all keepers have ended, and nothing can be built any more: so does this process, and cloisterd starts both again.
 */
__attribute__((noreturn)) static void
mason_ended(struct process *p)
{
	for (size_t i = 0; i < CELLS_MAX; i++)
		if (p->cells[i].used)
			forget(p, &p->cells[i], STR("ended"));
	LOG(LOG_ERROR, "mason-ended");
	exit(err_exit_status(ERR_CLOSED));
}

static void
on_watched(void *ctx)
{
	struct process *p = ctx;
	struct epoll_event ev[16];
	int n = epoll_wait(p->watch, ev, ARRAY_LEN(ev), 0);

	for (int i = 0; i < n; i++) {
		struct cell *c = ev[i].data.ptr;

		if (!c)
			mason_ended(p); /* it says nothing else */
		if (c->used && c->fd >= 0)
			hear_keeper(p, c);
	}
}

/* ---- what is asked ---- */

static struct err
answer(struct process *p, struct request *r)
{
	struct cur in = msg_cur(&r->in);
	struct id id = cur_id(&in);
	struct cell *c;

	TRY(cur_check(&in));
	if (id_is_zero(id))
		return ERR(ERR_INVALID);
	if (r->in.op == CELL_OPEN) {
		TRY(cur_end(&in));
		return open_cell(p, id, r);
	}
	c = find(p, id);
	if (!c)
		return r->in.op == CELL_CLOSE ? OK : ERR(ERR_NOT_FOUND);
	if (!c->open)
		return ERR(ERR_BUSY);
	return forward(p, c, &r->in, r);
}

static void
on_batch(void *ctx, struct request **reqs, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct err e = answer(ctx, reqs[i]);

		if (err_is(e))
			request_fail(reqs[i], e);
	}
}

/* close_now(p, c): nobody asked; the keeper is told by the end of its socket, and takes the cell down */
static void
close_now(struct process *p, struct cell *c, struct str reason)
{
	LOG(LOG_INFO, "cell-closed", LOG_ID("cell", c->id));
	forget(p, c, reason);
}

static int
on_tick(void *ctx)
{
	struct process *p = ctx;
	int64_t now = clock_mono_us();
	bool any = false;

	for (size_t i = 0; i < CELLS_MAX; i++) {
		struct cell *c = &p->cells[i];
		AUTO_MSG m = MSG(CELL_STATE);

		if (!c->used || !c->open)
			continue;
		any = true;
		if (now >= c->until_us) {
			close_now(p, c, STR("time"));
		} else if (now >= c->look_us) {
			c->look_us = now + LOOK_MS * 1000;
			m.seq = OWN_SEQ;
			buf_put_id(&m.body, c->id);
			if (!c->looking)
				c->looking = !err_is(msg_send(c->fd, &m));
		}
	}
	return any ? LOOK_MS / 4 : LOOK_MS;
}

static void
on_peer(void *ctx, enum role role, int fd)
{
	struct process *p = ctx;

	if (role == ROLE_WARDEN) {
		pool_reset(p->warden_pool, fd);
	} else {
		chan_close(&p->ledger);
		p->ledger = (struct chan){.fd = fd};
	}
}

/* await_end(fd, until): of whoever is at the other end; closes ${fd} */
static void
await_end(int fd, int64_t until)
{
	struct pollfd at = {.fd = fd, .events = 0}; /* POLLHUP: it has gone */
	int64_t left = until - clock_mono_us();

	poll(&at, 1, left > 0 ? (int)(left / 1000) : 0);
	fd_close(&fd);
}

/* on_stop(ctx): every cell is closed, its record written, and its keeper's end awaited, so that nothing is left when this process ends */
static void
on_stop(void *ctx)
{
	struct process *p = ctx;
	int64_t until = clock_mono_us() + CLOSE_WITHIN_MS * 1000ll;
	int fds[CELLS_MAX];
	size_t n = 0;

	for (size_t i = 0; i < CELLS_MAX; i++) {
		struct cell *c = &p->cells[i];

		if (!c->used)
			continue;
		fds[n] = fd_take(&c->fd);
		shutdown(fds[n++], SHUT_WR);
		forget(p, c, STR("stop"));
	}
	for (size_t i = 0; i < n; i++)
		await_end(fds[i], until);
	if (p->mason >= 0) { /* last, so that it can take the empty control groups away */
		epoll_ctl(p->watch, EPOLL_CTL_DEL, p->mason, NULL);
		shutdown(p->mason, SHUT_WR);
		await_end(fd_take(&p->mason), until);
	}
}

void
cell_setup(int mason, enum cell_refused why)
{
	process.mason = mason;
	process.why = why;
}

static void
wiped_free(void *p)
{
	/* the library's strings: one of them was a key */
	if (p)
		explicit_bzero(p, ((size_t *)p)[-2]);
	free(p ? (char *)p - 2 * sizeof(size_t) : NULL);
}

static void *
sized_malloc(size_t n)
{
	size_t *p = n > SIZE_MAX - 2 * sizeof(*p) ? NULL : malloc(n + 2 * sizeof(*p));

	if (!p)
		return NULL;
	p[0] = n;
	return p + 2;
}

struct err
cell_serve(int control_fd)
{
	static const struct permit permits[] = {
		{CELL_OPEN, 1u << ROLE_GATE},
		{CELL_CLOSE, 1u << ROLE_GATE | 1u << ROLE_STEWARD},
		{CELL_CONNECT, 1u << ROLE_GATE},
		{CELL_WORKER, 1u << ROLE_GATE},
		{CELL_STATE, 1u << ROLE_GATE | 1u << ROLE_STEWARD},
		{CELL_STAGE, 1u << ROLE_SCRUB},
		{CELL_COLLECT, 1u << ROLE_SCRUB},
		{CELL_DELIVER, 1u << ROLE_SCRUB},
		{0, 0},
	};
	static const struct server_ops ops = {.permits = permits, .batch = on_batch, .tick = on_tick, .peer = on_peer, .watch = on_watch,
		.watched = on_watched, .stop = on_stop};
	struct epoll_event mason = {.events = EPOLLIN, .data.ptr = NULL};
	struct err e;

	json_set_alloc_funcs(sized_malloc, wiped_free);
	for (size_t i = 0; i < CELLS_MAX; i++)
		process.cells[i].fd = -1;
	process.watch = epoll_create1(EPOLL_CLOEXEC);
	if (process.watch < 0 || (process.mason >= 0 && epoll_ctl(process.watch, EPOLL_CTL_ADD, process.mason, &mason) != 0))
		return ERR_ERRNO();
	TRY(pool_new(&process.warden_pool));
	if (process.why != CELLS_FINE)
		LOG(LOG_WARN, "no-cells", LOG_ENUM("why", cell_refused_sentence(process.why)));
	e = server_run(control_fd, &ops, &process);
	pool_free(process.warden_pool);
	fd_close(&process.watch);
	return e;
}
