#include "gate/sittings.h"

#include <jansson.h>
#include <pthread.h>

#include "base/clock.h"
#include "base/log.h"

#define ASK_USED_US US_PER_S         /* warden learns of use once a second */
#define ASK_IDLE_US (10 * US_PER_S)  /* and is asked so often whether the cell is still open */
#define REFUSED_US (10 * US_PER_S)
#define ANSWER_BYTES (4 * KiB)

struct sitting {
	uint8_t mac[32]; /* SHA-256 of the session */
	struct id cell;
	int64_t asked_us, used_us; /* monotonic; used 0: free */
	uint32_t epoch;            /* of the siren, when asked */
	bool ended;                /* by idleness: not revived by what warden still knows */
};
struct refusal { struct id cell; const char *what; int64_t at_us; };

struct sittings {
	struct house *house;
	int64_t idle_us;
	pthread_mutex_t lock;
	struct sitting all[LIMIT_SITTINGS];
	struct refusal refusals[LIMIT_SITTINGS];
};

struct err
sittings_new(struct house *h, int64_t idle_us, struct sittings **ret)
{
	struct sittings *s = calloc(1, sizeof(*s));

	if (!s)
		return ERR(ERR_NO_MEMORY);
	if (pthread_mutex_init(&s->lock, NULL) != 0) {
		free(s);
		return ERR(ERR_NO_MEMORY);
	}
	s->house = h;
	s->idle_us = idle_us;
	*ret = s;
	return OK;
}

void
sittings_free(struct sittings *s)
{
	if (!s)
		return;
	pthread_mutex_destroy(&s->lock);
	explicit_bzero(s, sizeof(*s));
	free(s);
}

static struct err
ask_warden(struct sittings *s, const char *verb, struct str params, struct str address, struct buf *out)
{
	struct proof proof = {.kind = PROOF_PROCESS, .address = address};
	enum verdict_reason reason;

	return warden_admin(s->house->warden, &proof, str_c(verb), params, out, &reason);
}

static void
put_cell(struct buf *b, struct id cell)
{
	buf_put_c(b, "{\"cell\":\"");
	buf_put_id_hex(b, cell);
	buf_put_char(b, '"');
}

/* ---- under the lock ---- */

static struct sitting *
find(struct sittings *s, const uint8_t mac[32], struct id cell)
{
	for (size_t i = 0; i < LIMIT_SITTINGS; i++)
		if (s->all[i].used_us && id_eq(s->all[i].cell, cell) && crypto_equal(s->all[i].mac, mac, 32))
			return &s->all[i];
	return NULL;
}

/* the one that was used least lately makes room */
static struct sitting *
make(struct sittings *s, const uint8_t mac[32], struct id cell, int64_t now)
{
	struct sitting *oldest = &s->all[0];

	for (size_t i = 1; i < LIMIT_SITTINGS; i++)
		if (s->all[i].used_us < oldest->used_us)
			oldest = &s->all[i];
	*oldest = (struct sitting){.cell = cell, .used_us = now};
	memcpy(oldest->mac, mac, sizeof(oldest->mac));
	return oldest;
}

/* what is known already: OK, or why not; BUSY: warden has to be asked */
static struct err
look(struct sittings *s, const uint8_t mac[32], struct id cell, bool use, int64_t now, uint32_t epoch)
{
	struct sitting *e = find(s, mac, cell);

	if (!e)
		return ERR(ERR_BUSY);
	if (e->ended || now - e->used_us > s->idle_us) {
		e->ended = true;
		return ERR(ERR_EXPIRED);
	}
	if (use)
		e->used_us = now;
	if (e->epoch != epoch || now - e->asked_us >= (use ? ASK_USED_US : ASK_IDLE_US))
		return ERR(ERR_BUSY);
	return OK;
}

static void
remember(struct sittings *s, const uint8_t mac[32], struct id cell, int64_t now, uint32_t epoch)
{
	struct sitting *e = find(s, mac, cell);

	if (!e)
		e = make(s, mac, cell, now);
	e->asked_us = now;
	e->epoch = epoch;
}

/* ---- */

struct err
sittings_check(struct sittings *s, struct id cell, struct str session, struct str address, bool use)
{
	AUTO_BUF params = BUF_WIPED(KiB);
	AUTO_BUF out = BUF_WIPED(ANSWER_BYTES);
	const volatile struct siren *siren = s->house->siren;
	uint32_t epoch = siren->epoch;
	int64_t now = clock_mono_us();
	uint8_t mac[32];
	struct err e;

	if (siren->locked)
		return ERR(ERR_LOCKED);
	sha256(session, mac);
	pthread_mutex_lock(&s->lock);
	e = look(s, mac, cell, use, now, epoch);
	pthread_mutex_unlock(&s->lock);
	if (e.code != ERR_BUSY)
		return e;
	put_cell(&params, cell);
	buf_put_c(&params, ",\"session\":");
	buf_put_json(&params, session);
	buf_put_char(&params, '}');
	TRY(buf_check(&params));
	e = ask_warden(s, "cell.touch", buf_str(&params), address, &out);
	pthread_mutex_lock(&s->lock);
	if (!err_is(e))
		remember(s, mac, cell, now, epoch);
	else if (find(s, mac, cell) && e.code != ERR_CLOSED && e.code != ERR_TIMEOUT)
		*find(s, mac, cell) = (struct sitting){.used_us = 0};
	pthread_mutex_unlock(&s->lock);
	return e;
}

struct err
sittings_enter(struct sittings *s, struct str ticket, struct str address, struct id *ret_cell, struct buf *session)
{
	AUTO_BUF params = BUF_WIPED(KiB);
	AUTO_BUF out = BUF_WIPED(ANSWER_BYTES);
	const char *cell, *token;
	struct err e;
	json_t *j;

	if (ticket.n == 0 || ticket.n > 256)
		return ERR(ERR_DENIED);
	buf_put_c(&params, "{\"ticket\":");
	buf_put_json(&params, ticket);
	buf_put_char(&params, '}');
	TRY(buf_check(&params));
	TRY(ask_warden(s, "cell.ticket", buf_str(&params), address, &out));
	j = json_loadb(out.p ? out.p : "", out.n, JSON_REJECT_DUPLICATES, NULL);
	cell = json_string_value(json_object_get(j, "cell"));
	token = json_string_value(json_object_get(j, "session"));
	e = cell && token ? id_parse(str_c(cell), ret_cell) : ERR(ERR_CORRUPT);
	if (!err_is(e))
		buf_put_c(session, token);
	json_decref(j);
	return err_is(e) ? e : buf_check(session);
}

/* true: none of this kind was recorded lately */
static bool
is_due(struct sittings *s, struct id cell, const char *what, int64_t now)
{
	struct refusal *at = &s->refusals[0];

	for (size_t i = 0; i < LIMIT_SITTINGS; i++) {
		struct refusal *r = &s->refusals[i];

		if (r->at_us && id_eq(r->cell, cell) && strcmp(r->what, what) == 0) {
			at = r;
			break;
		}
		if (r->at_us < at->at_us)
			at = r;
	}
	if (at->at_us && id_eq(at->cell, cell) && strcmp(at->what, what) == 0 && now - at->at_us < REFUSED_US)
		return false;
	*at = (struct refusal){cell, what, now};
	return true;
}

void
sittings_refused(struct sittings *s, struct id cell, struct str address, const char *what)
{
	AUTO_BUF params = BUF(KiB);
	AUTO_BUF out = BUF(ANSWER_BYTES);
	struct err e;
	bool due;

	pthread_mutex_lock(&s->lock);
	due = is_due(s, cell, what, clock_mono_us());
	pthread_mutex_unlock(&s->lock);
	if (!due)
		return;
	put_cell(&params, cell);
	buf_put_c(&params, ",\"reason\":\"");
	buf_put_c(&params, what);
	buf_put_c(&params, "\"}");
	e = ask_warden(s, "cell.refused", buf_str(&params), address, &out);
	if (err_is(e))
		LOG(LOG_WARN, "refusal-not-recorded", LOG_ERR(e));
}

void
sittings_forget(struct sittings *s, struct id cell)
{
	pthread_mutex_lock(&s->lock);
	for (size_t i = 0; i < LIMIT_SITTINGS; i++)
		if (id_eq(s->all[i].cell, cell) && !s->all[i].ended)
			s->all[i] = (struct sitting){.used_us = 0};
	pthread_mutex_unlock(&s->lock);
}
