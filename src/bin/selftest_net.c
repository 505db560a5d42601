/* What can be tried with nothing but a connection. */
#include "base/clock.h"
#include "base/num.h"
#include "bin/cli_out.h"
#include "bin/selftest.h"
#include "crypto/crypto.h"
#include "warden/grant.h"

#define PATH_BYTES 2048
#define REVOKED_TRIES 20

static bool
holds_canary(const struct selftest *t, const struct net_answer *a)
{
	return str_find(buf_str(&a->body), str_sub(str_c(t->canary), 0, 12)) != SIZE_MAX;
}

static bool
is_denied(const struct selftest *t, const struct net_answer *a)
{
	return (a->status == 401 || a->status == 403) && !holds_canary(t, a);
}

static void
expect_denied(struct selftest *t, const char *attack, const struct net_answer *a)
{
	tell(t, is_denied(t, a) ? REFUSED : a->status ? FAILED : SKIPPED, attack, a->status ? "HTTP %ld" : "no answer (%ld)", a->status);
}

/* ---- others' objects ---- */

void
attack_without_grant(struct selftest *t)
{
	static const struct { const char *attack, *method, *suffix; bool anonymous; struct str body; } tries[] = {
		{"read another person's object", "GET", "/secret", false, {NULL, 0}},
		{"read it without any credentials", "GET", "/secret", true, {NULL, 0}},
		{"learn its size and metadata", "HEAD", "/secret", false, {NULL, 0}},
		{"list another person's bucket", "GET", "?list-type=2", false, {NULL, 0}},
		{"write into another person's bucket", "PUT", "/planted", false, {"x", 1}},
		{"overwrite another person's object", "PUT", "/secret", false, {"x", 1}},
		{"delete another person's object", "DELETE", "/secret", false, {NULL, 0}},
		{"read another bucket's policy", "GET", "?policy=", false, {NULL, 0}},
		{"make another's bucket public", "PUT", "?acl=", false, {"<AccessControlPolicy/>", 22}},
	};

	for (size_t i = 0; i < ARRAY_LEN(tries); i++) {
		AUTO_ANSWER a = NET_ANSWER;
		char path[PATH_BYTES];

		snprintf(path, sizeof(path), "/%s%s", t->alice.bucket, tries[i].suffix);
		s3(t, tries[i].anonymous ? NULL : &t->mallory.key, tries[i].method, path, NULL, tries[i].body, &a);
		expect_denied(t, tries[i].attack, &a);
	}
}

void
attack_as_administrator(struct selftest *t)
{
	AUTO_ANSWER a = NET_ANSWER;
	char path[PATH_BYTES];

	snprintf(path, sizeof(path), "/%s/secret", t->alice.bucket);
	s3(t, &t->admin, "GET", path, NULL, STR_NONE, &a);
	expect_denied(t, "read it as the administrator", &a);
}

void
attack_by_copy(struct selftest *t)
{
	AUTO_ANSWER a = NET_ANSWER;
	AUTO_ANSWER after = NET_ANSWER;
	char path[PATH_BYTES], header[PATH_BYTES];

	snprintf(path, sizeof(path), "/%s/stolen", t->mallory.bucket);
	snprintf(header, sizeof(header), "x-amz-copy-source: /%s/secret", t->alice.bucket);
	s3(t, &t->mallory.key, "PUT", path, header, STR_NONE, &a);
	s3(t, &t->mallory.key, "GET", path, NULL, STR_NONE, &after);
	tell(t, is_denied(t, &a) && after.status == 404 ? REFUSED : FAILED, "copy it into one's own bucket", "HTTP %ld", a.status);
}

/* ---- credentials ---- */

void
attack_revoked_key(struct selftest *t)
{
	static const char attack[] = "use a revoked access key";
	AUTO_JSON *made = NULL;
	AUTO_ANSWER a = NET_ANSWER;
	struct net_who key = {.token = ""};
	char path[PATH_BYTES], key_path[256];
	int64_t asked, answered, refused;
	unsigned reads = 0;

	api(t, &t->alice.key, "POST", "/api/keys", json_pack("{s:i}", "days", 1), &made);
	snprintf(key.access_key, sizeof(key.access_key), "%s", out_member(made, "access_key"));
	snprintf(key.secret, sizeof(key.secret), "%s", out_member(made, "secret"));
	snprintf(path, sizeof(path), "/%s/secret", t->alice.bucket);
	snprintf(key_path, sizeof(key_path), "/api/keys/%.120s", key.access_key);
	s3(t, &key, "GET", path, NULL, STR_NONE, &a);
	if (a.status != 200) {
		tell(t, FAILED, attack, "a new key does not work (HTTP %ld)", a.status);
		return;
	}
	asked = clock_mono_us();
	if (api(t, &t->admin, "DELETE", key_path, NULL, NULL) != 200) {
		tell(t, FAILED, attack, "it cannot be revoked");
		return;
	}
	answered = clock_mono_us();
	do {
		s3(t, &key, "GET", path, NULL, STR_NONE, &a);
		reads += a.status == 200;
	} while (a.status == 200 && reads < REVOKED_TRIES);
	refused = clock_mono_us();
	if (reads == 0 && is_denied(t, &a))
		tell(t, REFUSED, attack, "revoked in %.1f ms, the first read after it refused in %.1f ms",
		    (double)(answered - asked) / 1000, (double)(refused - answered) / 1000);
	else
		tell(t, FAILED, attack, "%u reads succeeded after it was revoked, then HTTP %ld", reads, a.status);
}

void
attack_session_token(struct selftest *t)
{
	static const char *const wrong[] = {"cls_", "cls_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "' OR 1=1 --", "null"};
	unsigned tried = 0, accepted = 0;

	for (size_t i = 0; i < ARRAY_LEN(wrong) + 4; i++, tried++) {
		AUTO_ANSWER a = NET_ANSWER;
		struct net_who who = {.token = ""};

		if (i < ARRAY_LEN(wrong))
			snprintf(who.token, sizeof(who.token), "%s", wrong[i]);
		else
			snprintf(who.token, sizeof(who.token), "cls_");
		if (i >= ARRAY_LEN(wrong))
			random_letters(who.token + 4, 43);
		s3(t, &who, "GET", "/api/whoami", NULL, STR_NONE, &a);
		accepted += a.status >= 200 && a.status < 400; /* after a few it says 503, slow down */
	}
	tell(t, accepted ? FAILED : REFUSED, "guess a session", "%u tokens, %u accepted", tried, accepted);
}

/* ---- presigned URLs ---- */

/*
 * presign(t, who, method, path, signed_us, seconds, out): ${path} with a signature in its query (Amazon S3 API Reference,
 * "Authenticating Requests: Using Query Parameters"): only the host is signed.
 */
static void
presign(const struct selftest *t, const struct net_who *who, const char *method, const char *path, int64_t signed_us,
    unsigned seconds, struct buf *out)
{
	static const char *const chain[] = {"us-east-1", "s3", "aws4_request"};
	AUTO_BUF text = BUF_WIPED(8 * KiB);
	AUTO_BUF date = BUF(32);
	uint8_t key[SHA256_BYTES], hash[SHA256_BYTES];

	buf_put_basic_date(&date, signed_us);
	buf_printf(out, "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=%s%%2F%.8s%%2Fus-east-1%%2Fs3%%2Faws4_request&X-Amz-Date=%.16s"
	    "&X-Amz-Expires=%u&X-Amz-SignedHeaders=host", who->access_key, date.p, date.p, seconds);
	buf_printf(&text, "%s\n%s\n%.*s\nhost:%s\n\nhost\nUNSIGNED-PAYLOAD", method, path, STR_ARG(buf_str(out)),
	    net_endpoint(t->net) + strlen("https://"));
	sha256(buf_str(&text), hash);
	buf_clear(&text);
	buf_printf(&text, "AWS4%s", who->secret);
	hmac_sha256(buf_str(&text), str_sub(buf_str(&date), 0, 8), key);
	for (size_t i = 0; i < ARRAY_LEN(chain); i++)
		hmac_sha256(str_of(key, sizeof(key)), str_c(chain[i]), key);
	buf_clear(&text);
	buf_printf(&text, "AWS4-HMAC-SHA256\n%.16s\n%.8s/us-east-1/s3/aws4_request\n", date.p, date.p);
	buf_put_hex(&text, hash, sizeof(hash));
	hmac_sha256(str_of(key, sizeof(key)), buf_str(&text), hash);
	buf_put_c(out, "&X-Amz-Signature=");
	buf_put_hex(out, hash, sizeof(hash));
	explicit_bzero(key, sizeof(key));
}

static void
ask_presigned(struct selftest *t, const char *method, const char *path, const char *header, struct str body, int64_t signed_us,
    struct net_answer *ret)
{
	AUTO_BUF query = BUF(2 * KiB);
	char url[2 * PATH_BYTES];

	presign(t, &t->alice.key, method, path, signed_us, 60, &query);
	snprintf(url, sizeof(url), "%s?%.*s", path, STR_ARG(buf_str(&query)));
	s3(t, NULL, method, url, header, body, ret);
}

void
attack_presigned(struct selftest *t)
{
	AUTO_ANSWER control = NET_ANSWER;
	AUTO_ANSWER copied = NET_ANSWER;
	AUTO_ANSWER after = NET_ANSWER;
	AUTO_ANSWER old = NET_ANSWER;
	char path[PATH_BYTES], stolen[PATH_BYTES], header[PATH_BYTES];
	int64_t now = clock_now_us();

	snprintf(path, sizeof(path), "/%s/by-link", t->alice.bucket);
	snprintf(stolen, sizeof(stolen), "/%s/by-stolen-link", t->alice.bucket);
	snprintf(header, sizeof(header), "x-amz-copy-source: /%s/secret", t->alice.bucket);
	ask_presigned(t, "PUT", path, NULL, STR("by link"), now, &control);
	if (control.status != 200) {
		tell(t, FAILED, "presigned URLs", "a right one does not work (HTTP %ld)", control.status);
		return;
	}
	ask_presigned(t, "PUT", stolen, header, STR_NONE, now, &copied);
	s3(t, &t->alice.key, "GET", stolen, NULL, STR_NONE, &after);
	tell(t, copied.status >= 400 && after.status == 404 ? REFUSED : FAILED, "add a copy source to a presigned PUT", "HTTP %ld",
	    copied.status);
	ask_presigned(t, "GET", path, NULL, STR_NONE, now - 3600 * US_PER_S, &old);
	expect_denied(t, "use a presigned URL after its time", &old);
	ask_presigned(t, "DELETE", path, NULL, STR_NONE, now + 3600 * US_PER_S, &old);
	expect_denied(t, "use a presigned URL before its time", &old);
}

void
attack_name(struct selftest *t)
{
	static const struct { const char *attack, *suffix, *header; } tries[] = {
		{"put a social security number in a name", "/visit_219-09-9999.txt", NULL},
		{"put a patient's name in metadata", "/note", "x-amz-meta-note: patient John Smith DOB 04/12/1961"},
	};

	for (size_t i = 0; i < ARRAY_LEN(tries); i++) {
		AUTO_ANSWER a = NET_ANSWER;
		char path[PATH_BYTES];

		snprintf(path, sizeof(path), "/%s%s", t->alice.bucket, tries[i].suffix);
		s3(t, &t->alice.key, "PUT", path, tries[i].header, STR("x"), &a);
		tell(t, a.status == 400 ? REFUSED : FAILED, tries[i].attack, "HTTP %ld", a.status);
	}
}

/* ---- grants: no client ever sends one; this is what vault does with one that warden did not make ---- */

void
attack_grant(struct selftest *t)
{
	AUTO_KEY(mac_key) ours = mac_key_new();
	AUTO_KEY(mac_key) theirs = mac_key_new();
	struct grant_terms terms = {.action = ACTION_GET_OBJECT, .who = id_new(), .bucket = id_new(),
		.until_us = clock_now_us() + 60 * US_PER_S}, got;
	struct grant forged, g;
	unsigned accepted = 0;

	if (!ours || !theirs) {
		tell(t, SKIPPED, "forge a grant", "no locked memory");
		return;
	}
	secret_random(&ours->s);
	secret_random(&theirs->s);
	grant_make(ours, &terms, &g);
	if (err_is(grant_check(ours, &g, clock_now_us(), &got))) {
		tell(t, FAILED, "forge a grant", "a right one is refused");
		return;
	}
	grant_make(theirs, &terms, &forged);
	accepted += !err_is(grant_check(ours, &forged, clock_now_us(), &got));
	for (size_t i = 0; i < GRANT_BYTES * 8; i++) {
		forged = g;
		forged.grant_private_b[i / 8] ^= (uint8_t)(1u << i % 8);
		accepted += !err_is(grant_check(ours, &forged, clock_now_us(), &got));
	}
	accepted += !err_is(grant_check(ours, &g, clock_now_us() + 61 * US_PER_S, &got));
	tell(t, accepted ? FAILED : REFUSED, "forge a grant", "another key, each of %d bits changed, too late: %u accepted",
	    GRANT_BYTES * 8, accepted);
}

/* ---- the lock-down ---- */

static bool
make_officer(struct selftest *t, const char *name, struct net_who *key)
{
	AUTO_JSON *made = NULL;

	if (api(t, &t->admin, "POST", "/api/users", json_pack("{s:s, s:[s]}", "name", name, "roles", "security-officer"), NULL) != 201 ||
	    api(t, &t->admin, "POST", "/api/keys", json_pack("{s:s, s:i}", "person", name, "days", 1), &made) != 201)
		return false;
	snprintf(key->access_key, sizeof(key->access_key), "%s", out_member(made, "access_key"));
	snprintf(key->secret, sizeof(key->secret), "%s", out_member(made, "secret"));
	return true;
}

static void
lock_and_lift(struct selftest *t, const struct net_who *first, const struct net_who *second)
{
	AUTO_ANSWER locked = NET_ANSWER;
	AUTO_ANSWER alone = NET_ANSWER;
	AUTO_ANSWER open = NET_ANSWER;
	char path[PATH_BYTES];

	snprintf(path, sizeof(path), "/%s/secret", t->alice.bucket);
	if (api(t, &t->admin, "POST", "/api/lockdown", NULL, NULL) != 200) {
		tell(t, FAILED, "lock the house down", "it does not lock");
		return;
	}
	s3(t, &t->alice.key, "GET", path, NULL, STR_NONE, &locked);
	tell(t, locked.status >= 400 && !holds_canary(t, &locked) ? REFUSED : FAILED, "read while the house is locked down", "HTTP %ld",
	    locked.status);
	(void)api(t, first, "DELETE", "/api/lockdown", NULL, NULL);
	(void)api(t, first, "DELETE", "/api/lockdown", NULL, NULL);
	s3(t, &t->alice.key, "GET", path, NULL, STR_NONE, &alone);
	tell(t, alone.status >= 400 ? REFUSED : FAILED, "lift the lock-down alone, asking twice", "HTTP %ld", alone.status);
	(void)api(t, second, "DELETE", "/api/lockdown", NULL, NULL);
	s3(t, &t->alice.key, "GET", path, NULL, STR_NONE, &open);
	if (open.status != 200)
		tell(t, FAILED, "lift the lock-down with two", "HTTP %ld; lift it with `cloister lockdown --lift`", open.status);
}

void
attack_lockdown(struct selftest *t)
{
	struct net_who first = {.token = ""}, second = {.token = ""};
	char names[2][48], path[128];

	if (!t->lockdown) {
		tell(t, SKIPPED, "read while the house is locked down", "only with --lockdown: it logs everybody off");
		return;
	}
	snprintf(names[0], sizeof(names[0]), "%.19s-o1", t->alice.name);
	snprintf(names[1], sizeof(names[1]), "%.19s-o2", t->alice.name);
	if (make_officer(t, names[0], &first) && make_officer(t, names[1], &second))
		lock_and_lift(t, &first, &second);
	else
		tell(t, FAILED, "lock the house down", "two security officers cannot be made");
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		snprintf(path, sizeof(path), "/api/users/%s", names[i]);
		(void)api(t, &t->admin, "DELETE", path, NULL, NULL);
	}
}
