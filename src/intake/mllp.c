/*
 * Connections of MLLP senders. Each is watched by the loop; what it reads goes through the frame reader into the round, and the answers
 * come back when the round has ended. A connection that had no room in a round keeps its message and goes on with the next.
 */
#include <sys/epoll.h>

#include "base/clock.h"
#include "base/log.h"
#include "intake/answer.h"
#include "intake/conn.h"

#define HANDSHAKE_US (10 * US_PER_S)
#define IDLE_US (24 * 3600 * US_PER_S) /* engines keep a connection open over a quiet night */
#define FRAME_US (60 * US_PER_S)       /* a frame must be whole after this long */
#define FRAME_BYTES_PER_S (16 * KiB)   /* and this much longer as it grows: no slow drip */
#define ANSWER_US (60 * US_PER_S)      /* answers that are not taken */
#define JUNK_US (60 * US_PER_S)        /* recorded at most so often */
#define READ_TURN (512 * KiB) /* by one connection in one turn of the loop */
#define HELD_MAX (1 * GiB) /* of all connections; then long frames are refused */
#define HELD_SMALL (1 * MiB)

/* ---- reading ---- */

/* end(c): no more is read; closed when what is to be said is out. */
static void
end(struct conn *c)
{
	c->closing = true;
	c->ahead = false;
}

static struct round_from
from(struct conn *c)
{
	return (struct round_from){.feed = c->feed, .address = str_c(c->address), .owner = c};
}

/* The feed cannot be asked about, or is none: nothing of it can be stored, and the sender is told. */
static void
refuse_now(struct conn *c, struct phi payload)
{
	AUTO_BUF out = BUF_WIPED(64 * KiB);
	struct hl7_ack a = {.fault = ACK_NOT_STORED};
	struct hl7_place where;
	struct hl7_message m;

	(void)hl7_parse(payload, &m, &where);
	answer_write(&m, &a, (uint64_t)clock_now_us(), clock_now_us(), &out);
	hl7_release(&m);
	conn_say(c, buf_str(&out));
}

static bool
feed_is_known(struct intake *in, struct conn *c)
{
	struct err e;

	if (c->feed && !id_is_zero(c->feed->id) && !c->feed->gone)
		return true;
	e = c->feed ? feeds_ask(&in->feeds, c->feed) : ERR(ERR_BUSY);
	if (c->feed && c->feed->gone)
		conn_die(c);
	return !err_is(e);
}

/* take(in, c, payload, whole): into the round, or kept for the next; false: kept. */
static bool
take(struct intake *in, struct conn *c, struct phi payload, bool whole)
{
	struct round_from f = from(c);

	if (!feed_is_known(in, c)) {
		refuse_now(c, payload);
		return true;
	}
	if (!round_has_room(in->round, phi_size(payload))) {
		c->held = payload;
		c->holds = true;
		c->held_whole = whole;
		return false;
	}
	round_hl7(in->round, &f, payload, whole, clock_now_us());
	return true;
}

static void
too_large(struct intake *in, struct conn *c)
{
	struct round_from f = from(c);

	if (feed_is_known(in, c) && round_has_room(in->round, 0))
		round_too_large(in->round, &f, mllp_partial(&c->reader), LIMIT_LANDING_MESSAGE + 1, clock_now_us());
	else
		refuse_now(c, phi_sub(mllp_partial(&c->reader), 0, READ_CHUNK));
	end(c);
}

/* frames(in, c, bytes): what is whole in them is taken; false: the round is full, and the rest is kept. */
static bool
frames(struct intake *in, struct conn *c, struct phi bytes)
{
	struct phi payload;
	enum mllp_kind kind;

	while (!c->dead && !c->closing && (kind = mllp_next(&c->reader, &bytes, &payload)) != MLLP_NOTHING) {
		if (kind == MLLP_TOO_LARGE) {
			too_large(in, c);
			return true;
		}
		if (!take(in, c, payload, kind == MLLP_FRAME)) {
			struct str rest = phi_borrow(bytes);

			buf_put_str(&c->rest, rest);
			return false;
		}
	}
	return true;
}

/* resume(in, c): what the last round had no room for; false: neither has this one. */
static bool
resume(struct intake *in, struct conn *c)
{
	AUTO_BUF rest = buf_take(&c->rest);

	c->rest = BUF_WIPED(READ_CHUNK);
	if (c->holds) {
		struct phi held = c->held;

		c->holds = false;
		if (!take(in, c, held, c->held_whole)) {
			c->rest = buf_take(&rest);
			return false;
		}
	}
	return frames(in, c, phi_of(rest.p, rest.n));
}

/* The sender has gone in the middle of a message: what there is of it is kept. Nobody is left to answer. */
static void
cut_off(struct intake *in, struct conn *c)
{
	struct round_from f = from(c);
	struct phi partial = mllp_partial(&c->reader);

	f.owner = NULL;
	if (phi_size(partial) > 0 && feed_is_known(in, c)) {
		if (!round_has_room(in->round, phi_size(partial))) {
			c->ahead = true; /* it ended; the next round takes it */
			return;
		}
		round_hl7(in->round, &f, partial, false, clock_now_us());
	}
	end(c);
}

static void
tell_junk(struct intake *in, struct conn *c, int64_t now_us)
{
	struct round_from f = from(c);
	uint64_t junk = c->reader.junk_bytes - c->junk_told;

	if (junk == 0 || !c->feed || id_is_zero(c->feed->id) || !round_has_room(in->round, 0))
		return;
	round_junk(in->round, &f, junk, clock_now_us());
	c->junk_told += junk;
	c->junk_us = now_us;
}

static void
conn_read(struct intake *in, struct conn *c)
{
	static char chunk[READ_CHUNK];
	size_t total = 0;

	c->ahead = false;
	while (!c->dead && !c->closing && !c->ended && total < READ_TURN) {
		size_t got = 0;
		enum tls_io r = tls_read(c->tls, chunk, sizeof(chunk), &got);

		if (r == TLS_WANT_READ || r == TLS_WANT_WRITE) {
			c->wants_write = r == TLS_WANT_WRITE;
			break;
		}
		if (r == TLS_END) {
			c->ended = true;
			break;
		}
		total += got;
		c->active_us = clock_mono_us();
		if (!frames(in, c, phi_of(chunk, got)))
			break;
	}
	explicit_bzero(chunk, num_min(total, sizeof(chunk)));
	c->ahead = c->holds || total >= READ_TURN;
	if (c->ended && !c->holds && !c->dead && !c->closing)
		cut_off(in, c);
	in->again = in->again || c->ahead;
}

/* ---- its state ---- */

/* weigh(in, c): what it holds; a long frame is refused when all together hold too much. */
static void
weigh(struct intake *in, struct conn *c)
{
	size_t pending = mllp_pending(&c->reader);
	uint64_t bytes = pending + c->rest.n + (c->out.n - c->out_at) + (c->holds ? phi_size(c->held) : 0);

	in->held_bytes += bytes - c->bytes;
	c->bytes = bytes;
	if (pending == 0 || c->frames != c->reader.frames + c->reader.broken)
		c->frame_us = pending == 0 ? 0 : clock_mono_us(); /* another one has begun */
	else if (c->frame_us == 0)
		c->frame_us = clock_mono_us();
	c->frames = c->reader.frames + c->reader.broken;
	if (in->held_bytes <= HELD_MAX || pending <= HELD_SMALL || c->closing)
		return;
	LOG(LOG_WARN, "too-much-held", LOG_U64("bytes", in->held_bytes));
	refuse_now(c, phi_sub(mllp_partial(&c->reader), 0, READ_CHUNK));
	end(c);
}

static void
handshake(struct intake *in, struct conn *c)
{
	enum tls_io r = tls_handshake(c->tls);
	uint8_t fingerprint[32];
	struct err e;

	c->wants_write = r == TLS_WANT_WRITE;
	if (r == TLS_END)
		conn_die(c);
	if (r != TLS_OK)
		return;
	c->proved = true;
	in->n_handshakes--;
	tls_peer_sha256(c->tls, fingerprint);
	e = feeds_connect(&in->feeds, fingerprint, str_c(c->address), &c->feed);
	if (!c->feed || c->feed->gone)
		conn_die(c); /* warden has recorded it */
	else if (err_is(e))
		LOG(LOG_WARN, "feed-not-asked", LOG_ERR(e));
	c->active_us = clock_mono_us();
}

static void
after(struct intake *in, struct conn *c)
{
	weigh(in, c);
	if (c->out_at < c->out.n)
		conn_write(c);
	if (c->closing && !c->lingers && c->out_at == c->out.n && !c->dead) {
		if (round_count(in->round) == 0)
			conn_linger(c);
		else
			in->again = true; /* the round may hold its last answer */
	}
	conn_watch(in, c);
}

void
conn_ready(struct intake *in, struct conn *c, uint32_t events)
{
	if (c->dead)
		return;
	if (c->lingers) {
		conn_drain(c);
		return;
	}
	if (!c->proved)
		handshake(in, c);
	if (c->proved && !c->dead && !c->holds && (events & (EPOLLIN | EPOLLHUP | EPOLLERR | EPOLLRDHUP)) &&
	    c->out.n - c->out_at <= OUT_REST)
		conn_read(in, c);
	if ((events & (EPOLLHUP | EPOLLERR)) && c->closing)
		conn_die(c); /* nobody is there to be answered; a message that waits for room is still taken */
	after(in, c);
}

void
conns_go_on(struct intake *in)
{
	if (!in->again)
		return;
	in->again = false;
	for (struct conn *c = in->conns; c; c = c->next) {
		if (c->dead || c->lingers || (!c->ahead && !c->holds && !(c->closing && !c->lingers)))
			continue;
		if (c->holds && !resume(in, c)) {
			in->again = true;
			continue;
		}
		if (c->ahead && !c->closing)
			conn_read(in, c);
		after(in, c);
	}
}

void
conns_answer(struct intake *in)
{
	for (size_t i = 0; i < round_count(in->round); i++) {
		struct str answer;
		struct conn *c = round_answer(in->round, i, &answer);

		if (c && c->w.kind == WATCH_CONN)
			conn_say(c, answer);
	}
	/* written when all is said: several answers to one sender are one packet */
	for (size_t i = 0; i < round_count(in->round); i++) {
		struct str answer;
		struct conn *c = round_answer(in->round, i, &answer);

		if (c && c->w.kind == WATCH_CONN && c->out_at < c->out.n && !c->dead) {
			conn_write(c);
			conn_watch(in, c);
		}
	}
}

void
conns_check(struct intake *in)
{
	for (struct conn *c = in->conns; c; c = c->next)
		if (c->feed && c->feed->gone)
			conn_die(c);
}

/* late(c, now): it has used up its time for what it does. */
static bool
late(const struct conn *c, int64_t now)
{
	if (c->lingers)
		return now > c->end_us;
	if (!c->proved)
		return now - c->active_us > HANDSHAKE_US;
	return now - c->active_us > IDLE_US || (c->out_us && now - c->out_us > ANSWER_US);
}

static bool
frame_is_late(const struct conn *c, int64_t now)
{
	int64_t allowed = FRAME_US + (int64_t)(mllp_pending(&c->reader) / FRAME_BYTES_PER_S) * US_PER_S;

	return c->frame_us != 0 && now - c->frame_us > allowed;
}

void
conns_tick(struct intake *in)
{
	int64_t now = clock_mono_us();

	if (in->n_conns < CONNS_MAX && in->n_handshakes < HANDSHAKES_MAX)
		in->listeners_rest = false;
	for (struct conn *c = in->conns; c; c = c->next) {
		if (c->dead)
			continue;
		if (late(c, now)) {
			conn_die(c);
			continue;
		}
		if (now - c->junk_us > JUNK_US)
			tell_junk(in, c, now);
		if (!c->closing && !c->holds && frame_is_late(c, now) && round_has_room(in->round, mllp_pending(&c->reader)) &&
		    take(in, c, mllp_partial(&c->reader), false))
			end(c); /* answered as cut off, and kept */
		if (c->closing)
			after(in, c);
	}
}

void
conns_reap(struct intake *in)
{
	if (!in->any_dead)
		return;
	in->any_dead = false;
	for (struct conn *c = in->conns, *next; c; c = next) {
		next = c->next;
		if (c->dead) {
			tell_junk(in, c, 0);
			conn_free(in, c);
		}
	}
}

void
conns_close(struct intake *in)
{
	while (in->conns)
		conn_free(in, in->conns);
}
