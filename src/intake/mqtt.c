/*
 * Brokers outside, from which intake fetches: outbound connections only, QoS 1, a session that the broker keeps (clean session off).
 *
 * libmosquitto queues the acknowledgement of a message before it hands the message over. Told that somebody else does the writing
 * (mosquitto_threaded_set), it only queues it, and nothing leaves before mosquitto_loop_write(). That is called here after the round
 * that holds the messages is durable, and at no other time while messages wait; after a round that failed the connection is begun anew, which
 * throws the queue away, and the broker sends the messages again.
 */
#include <mosquitto.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>

#include "base/clock.h"
#include "base/log.h"
#include "crypto/crypto.h"
#include "intake/broker_files.h"
#include "intake/private.h"

#define KEEPALIVE_S 60
#define PACKETS_A_TURN 256
#define PAUSE_US (1 * US_PER_S) /* after a failure; doubled each time up to: */
#define PAUSE_MAX_US (60 * US_PER_S)
#define UNKNOWN_PAUSE_US (2 * US_PER_S) /* until somebody has added the feed that the configuration names */

struct broker {
	struct watch w; /* fd: libmosquitto's socket */
	struct intake *in;
	const struct intake_broker *o;
	struct mosquitto *m;
	void *tls; /* an SSL_CTX, ours */
	struct feed *feed;
	struct buf topic, held; /* a message for which the round had no room */
	bool holds, failed, subscribed, dialled, unknown, told_unknown;
	bool in_round; /* messages of it are, and are not acknowledged */
	int64_t again_us; /* connect at; 0: connected or trying */
	unsigned failures;
};

static bool
feed_is_known(struct broker *b)
{
	struct err e = b->feed ? feeds_ask(&b->in->feeds, b->feed) : feeds_by_name(&b->in->feeds, str_c(b->o->feed), &b->feed);

	return !err_is(e) && b->feed && !b->feed->gone && !id_is_zero(b->feed->id);
}

static void
add(struct broker *b, struct phi topic, struct phi payload)
{
	struct round_from from = {.feed = b->feed, .address = str_c(b->o->host)};

	round_device(b->in->round, &from, topic, payload, clock_now_us());
	b->in_round = true;
}

static void
on_message(struct mosquitto *m, void *ctx, const struct mosquitto_message *got)
{
	struct broker *b = ctx;
	size_t n = got->payloadlen > 0 ? (size_t)got->payloadlen : 0;

	(void)m;
	if (b->failed)
		return; /* comes again */
	if (round_has_room(b->in->round, n)) {
		add(b, phi_of(got->topic, strlen(got->topic)), phi_of(got->payload, n));
		return;
	}
	buf_clear(&b->topic);
	buf_clear(&b->held);
	buf_put_c(&b->topic, got->topic);
	buf_put(&b->held, got->payload, n);
	b->holds = true;
	b->failed = b->held.failed || b->topic.failed;
}

static void
on_connect(struct mosquitto *m, void *ctx, int rc, int flags)
{
	struct broker *b = ctx;

	(void)flags;
	if (rc != 0) {
		LOG(LOG_WARN, "broker-refuses", LOG_U64("code", rc));
		b->failed = true;
		return;
	}
	b->failures = 0;
	/* the broker's session may be older than this process; asked for again it is the same subscription */
	if (!b->subscribed && mosquitto_subscribe(m, NULL, b->o->topic, 1) != MOSQ_ERR_SUCCESS)
		b->failed = true;
	b->subscribed = true;
}

static void
on_subscribe(struct mosquitto *m, void *ctx, int mid, int n, const int *granted)
{
	struct broker *b = ctx;

	(void)m, (void)mid;
	if (n != 1 || granted[0] == 1)
		return;
	/* without QoS 1 a message can be lost between the broker and here: that is no feed */
	LOG(LOG_ERROR, "broker-gives-no-qos", LOG_U64("qos", granted[0]));
	b->failed = true;
	b->subscribed = false;
}

/* ---- connecting ---- */

/* The client's id names the broker's session: the same after every restart, another one for another topic. */
static void
client_id(const struct broker *b, char out[40])
{
	AUTO_BUF name = BUF(KiB);
	AUTO_BUF hex = BUF(128);
	uint8_t mac[SHA256_BYTES];

	buf_put_lstr(&name, str_c(b->o->feed));
	buf_put_lstr(&name, str_c(b->o->topic));
	mac_sha256(b->in->key, buf_str(&name), mac);
	buf_put_hex(&hex, mac, 8);
	snprintf(out, 40, "cloister-%.*s", STR_ARG(buf_str(&hex)));
}

static bool
make(struct broker *b, const struct broker_files *f)
{
	char id[40];

	client_id(b, id);
	b->m = mosquitto_new(id, false, b);
	if (!b->m || mosquitto_threaded_set(b->m, true) != MOSQ_ERR_SUCCESS)
		return false;
	mosquitto_message_callback_set(b->m, on_message);
	mosquitto_connect_with_flags_callback_set(b->m, on_connect);
	mosquitto_subscribe_callback_set(b->m, on_subscribe);
	if (mosquitto_int_option(b->m, MOSQ_OPT_TCP_NODELAY, 1) != MOSQ_ERR_SUCCESS)
		return false;
	if (f->user[0] && mosquitto_username_pw_set(b->m, f->user, f->password[0] ? f->password : NULL) != MOSQ_ERR_SUCCESS)
		return false;
	if (!b->o->tls)
		return true;
	b->tls = tls_client_context(f->ca.n ? buf_str(&f->ca) : buf_str(&b->in->cert), b->o->host, buf_str(&f->cert), buf_str(&f->key));
	return b->tls && mosquitto_int_option(b->m, MOSQ_OPT_SSL_CTX_WITH_DEFAULTS, 0) == MOSQ_ERR_SUCCESS &&
	       mosquitto_void_option(b->m, MOSQ_OPT_SSL_CTX, b->tls) == MOSQ_ERR_SUCCESS;
}

struct err
brokers_open(struct intake *in, const struct intake_broker *o, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct broker *b = calloc(1, sizeof(*b));

		if (!b)
			return ERR(ERR_NO_MEMORY);
		*b = (struct broker){.w = {.kind = WATCH_BROKER, .fd = -1}, .in = in, .o = &o[i], .again_us = 1};
		b->topic = BUF_WIPED(LIMIT_LANDING_WORD);
		b->held = BUF_WIPED(LIMIT_LANDING_MESSAGE);
		in->brokers[in->n_brokers++] = b;
		if (!make(b, broker_files(i)))
			return ERR(ERR_INVALID);
	}
	broker_files_release();
	return OK;
}

/* lost(b): the connection is no good; again after a pause. */
static void
lost(struct broker *b)
{
	int64_t pause = PAUSE_US << num_min(b->failures, 6);

	if (b->w.added && mosquitto_socket(b->m) == b->w.fd)
		(void)epoll_ctl(b->in->epoll, EPOLL_CTL_DEL, b->w.fd, NULL);
	b->w.fd = -1;
	b->w.added = false;
	b->holds = false;
	buf_release(&b->held);
	if (b->unknown) { /* the broker is there; it is we who wait */
		if (!b->told_unknown)
			LOG(LOG_WARN, "broker-waits-for-feed");
		b->told_unknown = true;
		b->again_us = clock_mono_us() + UNKNOWN_PAUSE_US;
		return;
	}
	b->failures++;
	b->again_us = clock_mono_us() + (int64_t)num_min((uint64_t)pause, PAUSE_MAX_US);
	LOG(LOG_WARN, "broker-lost", LOG_U64("failures", b->failures));
}

static void
watch(struct broker *b)
{
	int fd = mosquitto_socket(b->m);

	if (fd >= 0 && fd == b->w.fd && !b->failed &&
	    !err_is(watch_set(b->in->epoll, &b->w, EPOLLIN | (mosquitto_want_write(b->m) ? EPOLLOUT : 0))))
		return;
	if (b->again_us == 0)
		lost(b);
}

static void
dial(struct broker *b)
{
	int rc;

	b->failed = b->holds = b->subscribed = false;
	b->again_us = 0;
	rc = b->dialled ? mosquitto_reconnect_async(b->m) : mosquitto_connect_async(b->m, b->o->host, b->o->port, KEEPALIVE_S);
	b->dialled = true;
	b->w.fd = rc == MOSQ_ERR_SUCCESS ? mosquitto_socket(b->m) : -1;
	b->w.added = false;
	watch(b);
}

/* ---- the loop ---- */

/* read_all(b): every packet that is there, until the round is full. */
static void
read_all(struct broker *b)
{
	for (unsigned i = 0; i < PACKETS_A_TURN && !b->failed && !b->holds && round_has_room(b->in->round, 0); i++) {
		struct pollfd p = {.fd = b->w.fd, .events = POLLIN};

		if (i > 0 && poll(&p, 1, 0) <= 0)
			return;
		if (mosquitto_loop_read(b->m, 1) != MOSQ_ERR_SUCCESS)
			b->failed = true;
	}
}

void
broker_ready(struct intake *in, struct broker *b, uint32_t events)
{
	(void)in;
	if (b->again_us != 0)
		return;
	/* unknown to warden, or warden cannot say: nothing is read, the broker keeps it */
	b->unknown = !(events & (EPOLLHUP | EPOLLERR)) && !feed_is_known(b);
	if (b->unknown)
		b->failed = true;
	else if (events & (EPOLLIN | EPOLLHUP | EPOLLERR))
		read_all(b);
	watch(b);
}

void
brokers_go_on(struct intake *in)
{
	for (size_t i = 0; i < in->n_brokers; i++) {
		struct broker *b = in->brokers[i];

		if (!b->holds || b->again_us != 0 || !round_has_room(in->round, b->held.n))
			continue;
		add(b, phi_of(b->topic.p, b->topic.n), phi_of(b->held.p, b->held.n));
		b->holds = false;
		buf_release(&b->held);
	}
}

void
brokers_answer(struct intake *in, bool durable)
{
	for (size_t i = 0; i < in->n_brokers; i++) {
		struct broker *b = in->brokers[i];

		if (b->again_us != 0)
			continue;
		b->failed = b->failed || (b->in_round && !durable);
		b->in_round = false;
		/* a message that waits for the next round holds back the acknowledgements of those before it, which is harmless */
		if (!b->failed && !b->holds && mosquitto_want_write(b->m) && mosquitto_loop_write(b->m, 1) != MOSQ_ERR_SUCCESS)
			b->failed = true;
		watch(b);
		in->again = in->again || b->holds;
	}
}

void
brokers_tick(struct intake *in)
{
	int64_t now = clock_mono_us();

	for (size_t i = 0; i < in->n_brokers; i++) {
		struct broker *b = in->brokers[i];

		if (b->again_us == 0 && mosquitto_loop_misc(b->m) != MOSQ_ERR_SUCCESS)
			b->failed = true;
		if (b->again_us == 0)
			watch(b);
		else if (now >= b->again_us)
			dial(b);
	}
}

void
brokers_close(struct intake *in)
{
	for (size_t i = 0; i < in->n_brokers; i++) {
		struct broker *b = in->brokers[i];

		if (b->m)
			mosquitto_destroy(b->m);
		tls_client_context_free(b->tls);
		buf_release(&b->topic);
		buf_release(&b->held);
		free(b);
	}
	in->n_brokers = 0;
}
