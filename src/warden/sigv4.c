#include "warden/sigv4.h"

#include "base/clock.h"
#include "crypto/crypto.h"

/*
 * Direct-mapped: two credentials that fall on one entry push each other out, which costs four HMACs
 * and nothing else. The first secret of an entry is the signing key, the second a hash of the
 * credential's secret.
 */
#define ENTRIES 512
#define LIMIT_ACCESS_KEY 64
#define LIMIT_REGION 32
#define LIMIT_SECRET 128
#define LIMIT_TEXT 65536
#define LIMIT_TO_SIGN 320

struct entry {
	struct secret *key, *of;
	uint8_t access_key_n, region_n;
	char access_key[LIMIT_ACCESS_KEY], region[LIMIT_REGION], day[8];
};

struct sigv4 {
	uint64_t seed; /* so that nobody outside can choose who shares an entry */
	struct entry entries[ENTRIES];
};

struct err
sigv4_new(struct sigv4 **ret)
{
	struct sigv4 *s = calloc(1, sizeof(*s));

	if (!s)
		return ERR(ERR_NO_MEMORY);
	rand_bytes(&s->seed, sizeof(s->seed));
	*ret = s;
	return OK;
}

static void
entry_clear(struct entry *e)
{
	secret_free(e->key);
	secret_free(e->of);
	*e = (struct entry){0};
}

void
sigv4_free(struct sigv4 *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < ENTRIES; i++)
		entry_clear(&s->entries[i]);
	free(s);
}

void
sigv4_forget(struct sigv4 *s, struct str access_key)
{
	for (size_t i = 0; i < ENTRIES; i++)
		if (s->entries[i].key &&
		    str_eq(
			str_of(s->entries[i].access_key, s->entries[i].access_key_n), access_key))
			entry_clear(&s->entries[i]);
}

static struct entry *
entry_of(struct sigv4 *s, const struct proof *p)
{
	struct str parts[] = {p->access_key, p->scope_date, p->region};
	uint64_t h = s->seed;

	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		for (size_t k = 0; k < parts[i].n; k++)
			h = (h ^ (uint8_t)parts[i].p[k]) * 0x100000001b3u;
	return &s->entries[(h ^ h >> 32) % ENTRIES];
}

static bool
entry_is(const struct entry *e, const struct proof *p, const uint8_t of[32])
{
	return e->key && str_eq(str_of(e->access_key, e->access_key_n), p->access_key) &&
	    str_eq(str_of(e->region, e->region_n), p->region) &&
	    str_eq(str_of(e->day, sizeof(e->day)), p->scope_date) &&
	    crypto_equal(secret_expose(e->of), of, 32);
}

/* HMAC("AWS4" secret, day), then region, service, "aws4_request" */
static void
derive(const struct proof *p, struct str secret, uint8_t out[32])
{
	char first[4 + LIMIT_SECRET] = "AWS4";
	uint8_t k[32];

	memcpy(first + 4, secret.p, secret.n);
	hmac_sha256(str_of(first, 4 + secret.n), p->scope_date, k);
	hmac_sha256(str_of(k, 32), p->region, out);
	hmac_sha256(str_of(out, 32), p->service, k);
	hmac_sha256(str_of(k, 32), STR("aws4_request"), out);
	explicit_bzero(first, sizeof(first));
	explicit_bzero(k, sizeof(k));
}

/* The signing key into ${out}: from its entry, or derived and entered. */
static void
signing_key(struct sigv4 *s, const struct proof *p, struct str secret, uint8_t out[32])
{
	struct entry *e = entry_of(s, p);
	uint8_t of[32];

	sha256(secret, of);
	if (entry_is(e, p, of)) {
		memcpy(out, secret_expose(e->key), 32);
		explicit_bzero(of, sizeof(of));
		return;
	}
	derive(p, secret, out);
	entry_clear(e);
	e->key = secret_alloc();
	e->of = secret_alloc();
	if (e->key && e->of) {
		secret_set(e->key, out);
		secret_set(e->of, of);
		e->access_key_n = (uint8_t)p->access_key.n;
		e->region_n = (uint8_t)p->region.n;
		memcpy(e->access_key, p->access_key.p, p->access_key.n);
		memcpy(e->region, p->region.p, p->region.n);
		memcpy(e->day, p->scope_date.p, sizeof(e->day));
	} else {
		entry_clear(e); /* locked memory is short: work without the entry */
	}
	explicit_bzero(of, sizeof(of));
}

/* A string to sign, on the stack: a request makes one, and it has an upper bound. */
struct text { char p[LIMIT_TO_SIGN]; size_t n; };

static void
put(struct text *t, struct str s)
{
	INVARIANT(s.n <= sizeof(t->p) - t->n);
	memcpy(t->p + t->n, s.p, s.n);
	t->n += s.n;
}

static void
put_hex(struct text *t, const uint8_t in[32])
{
	static const char digits[] = "0123456789abcdef";

	INVARIANT(sizeof(t->p) - t->n >= 64);
	for (size_t i = 0; i < 32; i++) {
		t->p[t->n++] = digits[in[i] >> 4];
		t->p[t->n++] = digits[in[i] & 15];
	}
}

static void
put_head(struct text *t, struct str algorithm, const struct proof *p)
{
	t->n = 0;
	put(t, algorithm);
	put(t, STR("\n"));
	put(t, p->date);
	put(t, STR("\n"));
	put(t, p->scope_date);
	put(t, STR("/"));
	put(t, p->region);
	put(t, STR("/"));
	put(t, p->service);
	put(t, STR("/aws4_request\n"));
}

static bool
region_is_sane(struct str s)
{
	if (s.n == 0 || s.n > LIMIT_REGION)
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (!((s.p[i] >= 'a' && s.p[i] <= 'z') || (s.p[i] >= 'A' && s.p[i] <= 'Z') ||
			(s.p[i] >= '0' && s.p[i] <= '9') || s.p[i] == '-' || s.p[i] == '_'))
			return false;
	return true;
}

/*
 * A form is signed over the base64 of its policy. Nothing else may pass as one: the string to sign
 * of some request has line ends and hyphens in it, so its signature is good for no form.
 */
static bool
text_is_base64(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!((s.p[i] >= 'a' && s.p[i] <= 'z') || (s.p[i] >= 'A' && s.p[i] <= 'Z') ||
			(s.p[i] >= '0' && s.p[i] <= '9') || s.p[i] == '+' || s.p[i] == '/' ||
			s.p[i] == '='))
			return false;
	return s.n > 0 && s.n <= LIMIT_TEXT;
}

/* Everything of ${p} that is hashed or kept has its bounds from here. */
static bool
scope_is_sane(const struct proof *p, struct str secret, int64_t *ret_date_us)
{
	bool kind =
	    p->kind == PROOF_SIGV4 || (p->kind == PROOF_SIGV4_TEXT && text_is_base64(p->text));

	return kind && p->access_key.n > 0 && p->access_key.n <= LIMIT_ACCESS_KEY && secret.n > 0 &&
	    secret.n <= LIMIT_SECRET && !err_is(clock_parse_basic(p->date, ret_date_us)) &&
	    p->scope_date.n == 8 && str_starts(p->date, p->scope_date) &&
	    region_is_sane(p->region) && str_eq(p->service, STR("s3"));
}

static enum verdict_reason
check_time(const struct proof *p, int64_t date_us, int64_t now_us)
{
	const int64_t skew = SIGV4_SKEW_S * US_PER_S;
	int64_t life;

	if (date_us > now_us + skew)
		return REASON_SKEW; /* of whatever kind: not signed yet */
	if (p->kind == PROOF_SIGV4 && p->expires_s == 0)
		return now_us - date_us > skew ? REASON_SKEW : REASON_NONE;
	if (p->expires_s > SIGV4_EXPIRES_S_MAX)
		return REASON_SCOPE;
	life = p->kind == PROOF_SIGV4 ? (int64_t)p->expires_s : SIGV4_FORM_S_MAX;
	return now_us - date_us > life * US_PER_S ? REASON_EXPIRED : REASON_NONE;
}

struct err
sigv4_verify(struct sigv4 *s, const struct proof *p, struct str secret, int64_t now_us,
    enum verdict_reason *ret_reason)
{
	uint8_t key[32], mac[32];
	struct text t;
	int64_t date_us;
	bool match;

	*ret_reason = scope_is_sane(p, secret, &date_us) ? check_time(p, date_us, now_us) : REASON_SCOPE;
	if (*ret_reason != REASON_NONE)
		return ERR(ERR_UNAUTHENTICATED);
	signing_key(s, p, secret, key);
	if (p->kind == PROOF_SIGV4_TEXT) {
		hmac_sha256(str_of(key, 32), p->text, mac);
	} else {
		put_head(&t, STR("AWS4-HMAC-SHA256"), p);
		put_hex(&t, p->canonical_sha256);
		hmac_sha256(str_of(key, 32), str_of(t.p, t.n), mac);
	}
	match = crypto_equal(mac, p->signature, sizeof(mac));
	explicit_bzero(key, sizeof(key));
	explicit_bzero(mac, sizeof(mac)); /* the right signature of what was asked is nobody's to read */
	if (!match) {
		*ret_reason = REASON_SIGNATURE;
		return ERR(ERR_UNAUTHENTICATED);
	}
	return OK;
}

struct err
sigv4_chunk(struct sigv4 *s, const struct proof *seed, struct str secret,
    const uint8_t previous[32], const struct chunk_signature *c, bool trailer)
{
	static const struct str empty_sha256 =
	    {"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\n", 65};
	uint8_t key[32], mac[32];
	struct text t;
	int64_t date_us;
	bool match;

	if (seed->kind != PROOF_SIGV4 || !scope_is_sane(seed, secret, &date_us))
		return ERR(ERR_UNAUTHENTICATED);
	signing_key(s, seed, secret, key);
	put_head(
	    &t, trailer ? STR("AWS4-HMAC-SHA256-TRAILER") : STR("AWS4-HMAC-SHA256-PAYLOAD"), seed);
	put_hex(&t, previous);
	put(&t, STR("\n"));
	if (!trailer)
		put(&t, empty_sha256);
	put_hex(&t, c->sha256);
	hmac_sha256(str_of(key, 32), str_of(t.p, t.n), mac);
	match = crypto_equal(mac, c->signature, sizeof(mac));
	explicit_bzero(key, sizeof(key));
	explicit_bzero(mac, sizeof(mac));
	return match ? OK : ERR(ERR_UNAUTHENTICATED);
}
