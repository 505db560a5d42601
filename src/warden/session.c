#include "warden/session.h"

#include "base/clock.h"

#define TOKEN_PREFIX "cls_"
#define TOKEN_RANDOM 32

struct err
sessions_init(struct sessions *s, int64_t idle_s, int64_t age_s)
{
	struct mac_key *k = mac_key_new();

	if (!k)
		return ERR(ERR_NO_MEMORY);
	secret_random(&k->s);
	*s = (struct sessions){.key = k, .idle_us = idle_s * US_PER_S, .age_us = age_s * US_PER_S};
	return OK;
}

void
session_end(struct sessions *s, struct session *e)
{
	map_remove(&s->by_mac, str_of(e->mac, sizeof(e->mac)));
	free(e);
}

static bool
is_over(const struct sessions *s, const struct session *e, int64_t now_us)
{
	return now_us - e->used_us > s->idle_us || now_us - e->made_us > s->age_us;
}

/*
 * The next session that fits, from ${at} on. Removing from a map moves what follows, so that
 * callers who remove start again from the beginning: there are few.
 */
static struct session *
next_of(const struct sessions *s, struct id person, size_t *at)
{
	struct session *e;

	while ((e = map_next(&s->by_mac, at)))
		if (id_is_zero(person) || id_eq(e->person, person))
			return e;
	return NULL;
}

size_t
sessions_end(struct sessions *s, struct id person)
{
	struct session *e;
	size_t n = 0, at = 0;

	while ((e = next_of(s, person, &at))) {
		session_end(s, e);
		at = 0;
		n++;
	}
	return n;
}

void
sessions_release(struct sessions *s)
{
	sessions_end(s, (struct id){0});
	map_release(&s->by_mac);
	mac_key_free(s->key);
	s->key = NULL;
}

static void
end_over(struct sessions *s, int64_t now_us)
{
	struct session *e;
	size_t at = 0;

	while ((e = next_of(s, (struct id){0}, &at))) {
		if (is_over(s, e, now_us)) {
			session_end(s, e);
			at = 0;
		}
	}
}

static void
make_room(struct sessions *s, struct id person)
{
	struct session *e, *oldest = NULL;
	size_t at = 0, n = 0;

	while ((e = next_of(s, person, &at))) {
		n++;
		if (!oldest || e->used_us < oldest->used_us)
			oldest = e;
	}
	if (oldest && n >= LIMIT_SESSIONS_A_PERSON)
		session_end(s, oldest);
}

static void
put_base64url(struct buf *b, const void *p, size_t n)
{
	size_t from = b->n;

	buf_put_base64(b, p, n);
	while (b->n > from && b->p[b->n - 1] == '=')
		b->n--;
	for (size_t i = from; i < b->n; i++)
		b->p[i] = b->p[i] == '+' ? '-' : b->p[i] == '/' ? '_' : b->p[i];
}

struct err
session_new(struct sessions *s, struct id person, struct str address, int64_t now_us,
    struct buf *token, struct session **ret)
{
	uint8_t random[TOKEN_RANDOM];
	struct session *e;

	end_over(s, now_us);
	make_room(s, person);
	if (s->by_mac.n >= LIMIT_SESSIONS)
		return ERR(ERR_LIMIT);
	rand_bytes(random, sizeof(random));
	buf_clear(token);
	buf_put_c(token, TOKEN_PREFIX);
	put_base64url(token, random, sizeof(random));
	explicit_bzero(random, sizeof(random));
	TRY(buf_check(token));
	e = calloc(1, sizeof(*e));
	if (!e)
		return ERR(ERR_NO_MEMORY);
	*e = (struct session){
	    .id = id_new(), .person = person, .made_us = now_us, .used_us = now_us};
	memcpy(
	    e->address, address.p ? address.p : "", address.n < sizeof(e->address) ? address.n : 0);
	mac_sha256(s->key, buf_str(token), e->mac);
	if (err_is(map_put(&s->by_mac, str_of(e->mac, sizeof(e->mac)), e))) {
		free(e);
		return ERR(ERR_NO_MEMORY);
	}
	*ret = e;
	return OK;
}

struct session *
session_find(struct sessions *s, struct str token, int64_t now_us)
{
	uint8_t mac[SHA256_BYTES];
	struct session *e;

	if (token.n != SESSION_TOKEN_BYTES || !str_starts(token, STR(TOKEN_PREFIX)))
		return NULL;
	mac_sha256(s->key, token, mac);
	e = map_get(&s->by_mac, str_of(mac, sizeof(mac)));
	if (e && is_over(s, e, now_us)) {
		session_end(s, e);
		return NULL;
	}
	if (e)
		e->used_us = now_us;
	return e;
}

struct session *
session_by_id(struct sessions *s, struct id id, int64_t now_us)
{
	struct session *e;
	size_t at = 0;

	while ((e = map_next(&s->by_mac, &at)))
		if (id_eq(e->id, id))
			return is_over(s, e, now_us) ? NULL : e;
	return NULL;
}
