/*
 * The loop. One turn: what epoll has ready is read into the round; the round becomes durable; its answers go out; what is left is small
 * work once a second. See intake.h.
 */
#include <fcntl.h>
#include <jansson.h>
#include <mosquitto.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/num.h"
#include "crypto/crypto.h"
#include "intake/broker_files.h"
#include "intake/private.h"
#include "proc/control.h"
#include "proc/role.h"

#define EVENTS_MAX 256
#define PEERS 3
#define SEEN_FILE "seen.db"
#define STORE_WITHIN_US (3 * US_PER_S) /* a restart of a peer takes less; then senders are told to send again */
#define PAUSE_MS 20
#define WRITE_EVERY_US (50 * 1000)
#define LEDGER_TIMEOUT_MS 10000

/* ---- cloisterd ---- */

enum heard { HEARD_NOTHING, HEARD_PEER, HEARD_WARDEN, HEARD_STOP };

static enum heard
take_peer(struct intake *in, struct msg *m)
{
	struct cur c = msg_cur(m);
	uint16_t role = cur_u16(&c);

	(void)cur_u8(&c);
	if (err_is(cur_end(&c)) || m->n_fds != 1)
		return HEARD_NOTHING;
	if (role == ROLE_WARDEN)
		pool_reset(in->warden, msg_take_fd(m));
	else if (role == ROLE_VAULT)
		pool_reset(in->vault, msg_take_fd(m));
	else if (role == ROLE_LEDGER) {
		chan_close(&in->ledger);
		in->ledger = (struct chan){.fd = msg_take_fd(m), .timeout_ms = LEDGER_TIMEOUT_MS};
	}
	return role == ROLE_WARDEN ? HEARD_WARDEN : HEARD_PEER;
}

/* hear(in, ms): one message from cloisterd, if there is one within that time. */
static enum heard
hear(struct intake *in, int wait_ms)
{
	struct pollfd p = {.fd = in->control.fd, .events = POLLIN};
	AUTO_MSG m = MSG(0);

	if (in->stopping)
		return HEARD_STOP;
	if (poll(&p, 1, wait_ms) <= 0)
		return HEARD_NOTHING;
	if (err_is(msg_recv(in->control.fd, MSG_DONTWAIT, &m)) || m.op == CONTROL_STOP) {
		in->stopping = true;
		return HEARD_STOP;
	}
	return m.op == CONTROL_PEER ? take_peer(in, &m) : HEARD_NOTHING;
}

/* ---- what a peer knows ---- */

/* The certificate, and a siren page: both belong to a warden, and a restarted one has new ones. */
static struct err
say_hello(struct intake *in)
{
	AUTO_BUF cert = BUF(64 * KiB);
	AUTO_BUF key = BUF_WIPED(16 * KiB);
	struct tls_server *tls = NULL;

	TRY(warden_hello(in->warden, &cert, &key, &in->feeds.siren));
	in->feeds.stale = true; /* who was revoked while no page could say so */
	if (in->tls && str_eq(buf_str(&cert), buf_str(&in->cert)))
		return OK;
	TRY(tls_server_new(buf_str(&cert), buf_str(&key), &tls));
	tls_server_free(in->tls);
	in->tls = tls;
	buf_release(&in->cert);
	in->cert = buf_take(&cert);
	return OK;
}

static struct err
fetch_key(struct intake *in)
{
	struct proof proof = {.kind = PROOF_PROCESS, .address = STR("local")};
	AUTO_BUF out = BUF_WIPED(4 * KiB);
	AUTO_BUF bytes = BUF_WIPED(KEY_BYTES);
	enum verdict_reason reason;
	json_t *answer;
	const char *text;
	struct err e;

	TRY(warden_admin(in->warden, &proof, STR("intake.key"), STR("{}"), &out, &reason));
	answer = json_loadb(out.p, out.n, 0, NULL);
	text = json_string_value(json_object_get(answer, "key"));
	e = text ? buf_decode_base64(&bytes, str_c(text)) : ERR(ERR_CORRUPT);
	json_decref(answer);
	if (!err_is(e) && bytes.n != KEY_BYTES)
		e = ERR(ERR_CORRUPT);
	TRY(e);
	in->key = mac_key_new();
	if (!in->key)
		return ERR(ERR_NO_MEMORY);
	secret_set(&in->key->s, bytes.p);
	return OK;
}

/* In a locked house none can be made: then the first round that needs it will try again. */
static struct err
make_bucket(struct intake *in)
{
	struct err e = objects_bucket(&in->objects, STR(LANDING_BUCKET), STR(LANDING_BUCKET));

	return e.code == ERR_LOCKED ? OK : e;
}

/* begin(in): what must be there before anybody is let in. */
static struct err
begin(struct intake *in)
{
	if (!in->tls)
		TRY(say_hello(in));
	if (!in->key)
		TRY(fetch_key(in));
	return make_bucket(in);
}

/* ---- where rounds go ---- */

static bool
is_away(struct err e)
{
	return e.code == ERR_CLOSED || e.code == ERR_BUSY;
}

/* wait_for_peers(in, until): a little; false: the time is over, or the house stops. */
static bool
wait_for_peers(struct intake *in, int64_t until_us)
{
	enum heard h;

	if (clock_mono_us() >= until_us)
		return false;
	h = hear(in, PAUSE_MS);
	in->hello_due = in->hello_due || h == HEARD_WARDEN;
	return h != HEARD_STOP;
}

static struct err
store_put(void *ctx, struct str key, struct phi segment, struct id *ret_object)
{
	struct intake *in = ctx;
	int64_t until = clock_mono_us() + STORE_WITHIN_US;
	struct object_at at;
	bool made = false;
	struct err e;

	for (;;) {
		e = objects_put(&in->objects, STR(LANDING_BUCKET), key, segment, true, &at);
		if (e.code == ERR_NOT_FOUND && !made) {
			made = true;
			e = make_bucket(in);
			if (!err_is(e))
				continue;
		}
		if (!is_away(e) || !wait_for_peers(in, until))
			break;
	}
	if (err_is(e))
		return e;
	*ret_object = at.object;
	return OK;
}

static struct err
store_record(void *ctx, const struct record *r, size_t n)
{
	static struct receipt receipts[ROUND_MAX];
	struct intake *in = ctx;
	int64_t until = clock_mono_us() + STORE_WITHIN_US;
	struct err e;

	for (;;) {
		e = ledger_append(&in->ledger, r, n, receipts);
		if (!is_away(e) || !wait_for_peers(in, until))
			return e;
	}
}

/* ---- a turn ---- */

static void
ready(struct intake *in, struct watch *w, uint32_t events)
{
	switch (w->kind) {
	case WATCH_CONTROL: in->hello_due = hear(in, 0) == HEARD_WARDEN || in->hello_due; break;
	case WATCH_LISTENER: conns_accept(in, w->fd); break;
	case WATCH_CONN: conn_ready(in, (struct conn *)(void *)w, events); break;
	case WATCH_BROKER: broker_ready(in, (struct broker *)(void *)w, events); break;
	}
}

static void
end_round(struct intake *in)
{
	struct err e;

	e = round_end(in->round, clock_now_us());
	if (err_is(e))
		LOG(LOG_WARN, "not-stored", LOG_U64("messages", round_count(in->round)), LOG_ERR(e));
	conns_answer(in);
	brokers_answer(in, !err_is(e));
	round_clear(in->round);
	conns_reap(in);
}

static void
each_second(struct intake *in, int64_t now)
{
	struct err e;

	if (now - in->ticked_us < US_PER_S)
		return;
	in->ticked_us = now;
	conns_tick(in);
	brokers_tick(in);
	e = feeds_tell(&in->feeds);
	if (err_is(e) && !is_away(e))
		LOG(LOG_WARN, "counts-not-told", LOG_ERR(e));
	e = seen_prune(in->seen, clock_now_us());
	if (err_is(e))
		LOG(LOG_WARN, "memory-not-pruned", LOG_ERR(e));
	for (size_t i = 0; i < in->n_listen; i++)
		err_ignore(watch_set(in->epoll, &in->listeners[i], in->listeners_rest ? 0 : EPOLLIN)); /* again in a second */
}

/* hello(in): the old siren page says nothing any more: until there is the new one, every feed is asked about in every turn. */
static void
hello(struct intake *in)
{
	int64_t now = clock_mono_us();

	if (!in->hello_due || now - in->hello_us < PAUSE_MS * 1000)
		return;
	in->hello_us = now;
	in->hello_due = err_is(say_hello(in));
	in->feeds.stale = true;
}

static void
write_memory(struct intake *in, int64_t now)
{
	struct err e;

	if (!seen_waits(in->seen) || now - in->wrote_us < WRITE_EVERY_US)
		return;
	in->wrote_us = now;
	e = seen_write(in->seen);
	if (err_is(e))
		LOG(LOG_WARN, "memory-not-written", LOG_ERR(e));
}

static struct err
turn(struct intake *in)
{
	struct epoll_event ev[EVENTS_MAX];
	int wait_ms = in->again ? 0 : in->hello_due ? PAUSE_MS : seen_waits(in->seen) ? WRITE_EVERY_US / 1000 : 1000;
	int n = epoll_wait(in->epoll, ev, EVENTS_MAX, wait_ms);

	if (n < 0 && errno != EINTR)
		return ERR_ERRNO();
	hello(in);
	if (feeds_check(&in->feeds)) /* before anything is read: a revoked feed's message is not even looked at */
		conns_check(in);
	brokers_go_on(in);
	conns_go_on(in);
	for (int i = 0; i < n; i++)
		ready(in, ev[i].data.ptr, ev[i].events);
	if (in->listeners_rest)
		for (size_t i = 0; i < in->n_listen; i++)
			TRY(watch_set(in->epoll, &in->listeners[i], 0));
	end_round(in);
	write_memory(in, clock_mono_us());
	each_second(in, clock_mono_us());
	return seen_is_broken(in->seen) ? ERR(ERR_IO) : OK;
}

/* ---- the life ---- */

static struct err
open_all(struct intake *in, const struct intake_options *o)
{
	static const struct round_store store_of_house = {.put = store_put, .record = store_record};
	static struct round_store store;

	store = store_of_house;
	store.ctx = in;
	TRY(seen_open(SEEN_FILE, &in->seen));
	TRY(round_new(in->key, in->seen, &store, &in->round));
	in->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (in->epoll < 0)
		return ERR_ERRNO();
	TRY(watch_set(in->epoll, &in->control, EPOLLIN));
	for (size_t i = 0; i < o->n_listen && i < INTAKE_LISTENERS_MAX; i++) {
		struct watch *w = &in->listeners[in->n_listen++];

		*w = (struct watch){.kind = WATCH_LISTENER, .fd = o->listen_fds[i]};
		if (fcntl(w->fd, F_SETFL, O_NONBLOCK) != 0)
			return ERR_ERRNO();
		TRY(watch_set(in->epoll, w, EPOLLIN));
	}
	return brokers_open(in, o->brokers, o->n_brokers);
}

static struct err
serve(struct intake *in, const struct intake_options *o)
{
	AUTO_MSG is_ready = MSG(CONTROL_READY);
	struct err e;

	TRY(pool_new(&in->warden));
	TRY(pool_new(&in->vault));
	pool_patience(in->warden, 0);
	pool_patience(in->vault, 0);
	in->objects = (struct objects){.warden = in->warden, .vault = in->vault};
	in->feeds.warden = in->warden;
	for (unsigned seen = 0; seen < PEERS && !in->stopping;)
		seen += hear(in, -1) != HEARD_NOTHING;
	for (;;) {
		e = in->stopping ? OK : begin(in);
		if (in->stopping)
			return OK;
		if (!err_is(e))
			break;
		if (!is_away(e) && e.code != ERR_LOCKED && e.code != ERR_TIMEOUT)
			return e;
		(void)hear(in, PAUSE_MS);
	}
	TRY(open_all(in, o));
	TRY(msg_send(in->control.fd, &is_ready));
	while (!in->stopping)
		TRY(turn(in));
	return OK;
}

static void
release(struct intake *in)
{
	if (in->round)
		end_round(in); /* what was read is kept, and answered if the sender still listens */
	brokers_close(in);
	conns_close(in);
	for (size_t i = 0; i < in->n_listen; i++)
		fd_close(&in->listeners[i].fd);
	if (in->warden)
		err_ignore(feeds_tell(&in->feeds));
	round_free(in->round);
	seen_close(in->seen);
	feeds_release(&in->feeds);
	tls_server_free(in->tls);
	buf_release(&in->cert);
	mac_key_free(in->key);
	pool_free(in->warden);
	pool_free(in->vault);
	chan_close(&in->ledger);
	fd_close(&in->epoll);
	mosquitto_lib_cleanup();
}

struct err
intake_serve(int control_fd, const struct intake_options *o)
{
	static struct intake in = {.epoll = -1, .ledger.fd = -1};
	struct err e;

	in.control = (struct watch){.kind = WATCH_CONTROL, .fd = control_fd};
	e = serve(&in, o);
	release(&in);
	return e;
}

struct err
intake_prepare(void)
{
	TRY(crypto_init());
	TRY(tls_prepare());
	json_object_seed(0);
	return mosquitto_lib_init() == MOSQ_ERR_SUCCESS ? OK : ERR(ERR_IO);
}

struct err
intake_folder(const struct intake_broker *brokers, size_t n)
{
	return broker_files_read(brokers, n);
}

/* "0,10.0.0.1:1883,ward-monitors,ward/#": the topic last, because it may hold commas. */
struct err
intake_broker_parse(struct str s, struct intake_broker *ret)
{
	struct intake_broker b = {0};
	struct str tls, address, feed, topic;
	const char *colon;
	uint64_t port;

	if (!str_split(s, ',', &tls, &s) || !str_split(s, ',', &address, &s) || !str_split(s, ',', &feed, &topic))
		return ERR(ERR_INVALID);
	colon = address.n ? memrchr(address.p, ':', address.n) : NULL;
	if (!colon || topic.n == 0 || topic.n >= sizeof(b.topic) || feed.n == 0 || feed.n >= sizeof(b.feed))
		return ERR(ERR_INVALID);
	TRY(num_parse_u64(str_sub(address, (size_t)(colon - address.p) + 1, SIZE_MAX), 65535, &port));
	address.n = (size_t)(colon - address.p);
	if (address.n > 2 && address.p[0] == '[' && address.p[address.n - 1] == ']')
		address = str_sub(address, 1, address.n - 2);
	if (port == 0 || address.n == 0 || address.n >= sizeof(b.host))
		return ERR(ERR_INVALID);
	b.tls = str_eq(tls, STR("1"));
	b.port = (int)port;
	memcpy(b.host, address.p, address.n);
	memcpy(b.feed, feed.p, feed.n);
	memcpy(b.topic, topic.p, topic.n);
	*ret = b;
	return OK;
}
