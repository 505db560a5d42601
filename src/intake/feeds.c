#include "intake/feeds.h"

#include <jansson.h>

#include "base/clock.h"
#include "base/num.h"

#define ASK_AGAIN_US (1 * US_PER_S) /* a feed that is not one: its sender will try and try */
#define ANSWER_MAX (4 * KiB)

void
feeds_release(struct feeds *f)
{
	size_t at = 0;
	struct feed *feed;

	while ((feed = map_next(&f->by_key, &at)))
		free(feed);
	map_release(&f->by_key);
}

static bool
take_text(const json_t *answer, const char *key, char *out, size_t max)
{
	const json_t *v = json_object_get(answer, key);

	if (!json_is_string(v) || json_string_length(v) > max || json_string_length(v) == 0)
		return false;
	memcpy(out, json_string_value(v), json_string_length(v) + 1);
	return true;
}

static struct err
read_answer(struct str json, struct feed *feed)
{
	json_t *answer = json_loadb(json.p, json.n, 0, NULL);
	char id[ID_HEX_LEN + 1], name[FEED_NAME_MAX + 1];
	struct err e = ERR(ERR_CORRUPT);

	if (answer && take_text(answer, "id", id, ID_HEX_LEN) && take_text(answer, "name", name, FEED_NAME_MAX))
		e = id_parse(str_c(id), &feed->id);
	if (!err_is(e))
		memcpy(feed->name, name, sizeof(name));
	json_decref(answer);
	return e;
}

static bool
is_final(struct err e)
{
	return e.code == ERR_UNAUTHENTICATED || e.code == ERR_DENIED || e.code == ERR_NOT_FOUND || e.code == ERR_EXPIRED;
}

static struct err
ask(struct feeds *f, struct feed *feed)
{
	struct proof proof = {.kind = feed->by_name ? PROOF_PROCESS : PROOF_CERTIFICATE, .address = str_c(feed->address)};
	AUTO_BUF in = BUF(KiB);
	AUTO_BUF out = BUF(ANSWER_MAX);
	enum verdict_reason reason;
	struct err e;

	memcpy(proof.fingerprint, feed->fingerprint, sizeof(proof.fingerprint));
	buf_put_c(&in, "{");
	if (feed->by_name) {
		buf_put_c(&in, "\"name\":");
		buf_put_json(&in, str_c(feed->wanted));
	}
	buf_put_c(&in, "}");
	TRY(buf_check(&in));
	feed->asked_us = clock_mono_us();
	e = warden_admin(f->warden, &proof, feed->by_name ? STR("feed.find") : STR("feed.connect"), buf_str(&in), &out, &reason);
	if (!err_is(e))
		e = read_answer(buf_str(&out), feed);
	feed->gone = is_final(e);
	return e;
}

struct err
feeds_ask(struct feeds *f, struct feed *feed)
{
	if (!id_is_zero(feed->id) && !feed->gone)
		return OK;
	if (clock_mono_us() - feed->asked_us < ASK_AGAIN_US)
		return feed->gone ? ERR(ERR_DENIED) : ERR(ERR_BUSY);
	return ask(f, feed);
}

static struct err
look_up(struct feeds *f, const struct feed *like, struct str key, struct feed **ret)
{
	struct feed *feed = map_get(&f->by_key, key);

	if (!feed) {
		if (f->by_key.n >= FEEDS_MAX)
			return ERR(ERR_LIMIT);
		feed = malloc(sizeof(*feed));
		if (!feed)
			return ERR(ERR_NO_MEMORY);
		*feed = *like;
		feed->asked_us = clock_mono_us() - ASK_AGAIN_US;
		key = feed->by_name ? str_c(feed->wanted) : str_of(feed->fingerprint, sizeof(feed->fingerprint));
		if (err_is(map_put(&f->by_key, key, feed))) {
			free(feed);
			return ERR(ERR_NO_MEMORY);
		}
	}
	*ret = feed;
	return feeds_ask(f, feed);
}

struct err
feeds_connect(struct feeds *f, const uint8_t fingerprint[32], struct str address, struct feed **ret)
{
	struct feed like = {0};

	memcpy(like.fingerprint, fingerprint, sizeof(like.fingerprint));
	if (address.n >= sizeof(like.address))
		return ERR(ERR_INVALID);
	memcpy(like.address, address.p, address.n);
	return look_up(f, &like, str_of(fingerprint, 32), ret);
}

struct err
feeds_by_name(struct feeds *f, struct str name, struct feed **ret)
{
	struct feed like = {.by_name = true, .address = "local"};

	if (name.n == 0 || name.n > FEED_NAME_MAX)
		return ERR(ERR_INVALID);
	memcpy(like.wanted, name.p, name.n);
	return look_up(f, &like, name, ret);
}

bool
feeds_check(struct feeds *f)
{
	uint32_t epoch = f->siren ? f->siren->epoch : f->epoch;
	size_t at = 0;
	struct feed *feed;

	if (epoch == f->epoch && !f->stale)
		return false;
	f->epoch = epoch; /* before the questions: what changes meanwhile is seen next time */
	f->stale = false;
	while ((feed = map_next(&f->by_key, &at))) {
		struct err e = ask(f, feed);

		f->stale = f->stale || (err_is(e) && !is_final(e) && e.code != ERR_LOCKED);
	}
	return true;
}

/* ---- counts ---- */

static void
put_counts(struct buf *b, const struct feed *feed)
{
	buf_put_c(b, "{\"id\":\"");
	buf_put_id_hex(b, feed->id);
	buf_put_c(b, "\",\"accepted\":");
	buf_put_dec(b, feed->accepted);
	buf_put_c(b, ",\"duplicate\":");
	buf_put_dec(b, feed->duplicate);
	buf_put_c(b, ",\"refused\":");
	buf_put_dec(b, feed->refused);
	buf_put_c(b, ",\"last\":\"");
	buf_put_rfc3339_ms(b, feed->last_us);
	buf_put_c(b, "\"}");
}

struct err
feeds_tell(struct feeds *f)
{
	struct proof proof = {.kind = PROOF_PROCESS, .address = STR("local")};
	AUTO_BUF in = BUF(MiB);
	AUTO_BUF out = BUF(ANSWER_MAX);
	enum verdict_reason reason;
	size_t at = 0, n = 0;
	struct feed *feed;

	buf_put_c(&in, "{\"feeds\":[");
	while (in.n < 64 * KiB && (feed = map_next(&f->by_key, &at)))
		if (feed->counted) {
			if (n++ > 0)
				buf_put_char(&in, ',');
			put_counts(&in, feed);
		}
	buf_put_c(&in, "]}");
	if (n == 0)
		return OK;
	TRY(buf_check(&in));
	TRY(warden_admin(f->warden, &proof, STR("feed.count"), buf_str(&in), &out, &reason));
	at = 0;
	while (n > 0 && (feed = map_next(&f->by_key, &at)))
		if (feed->counted) {
			feed->accepted = feed->duplicate = feed->refused = 0;
			feed->counted = false;
			n--;
		}
	return OK;
}
