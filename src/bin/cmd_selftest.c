/* cloister selftest: who is made for it, what is tried, what is cleaned up. */
#include <signal.h>
#include <stdarg.h>

#include "base/clock.h"
#include "base/id.h"
#include "base/num.h"
#include "bin/cli_out.h"
#include "bin/selftest.h"

#define LINE_MAX_BYTES 512

static const struct {
	void (*run)(struct selftest *t);
} attacks[] = {
	{attack_without_grant}, {attack_as_administrator}, {attack_by_copy}, {attack_revoked_key}, {attack_session_token},
	{attack_presigned}, {attack_name}, {attack_grant}, {attack_plaintext}, {attack_blob}, {attack_record}, {attack_rollback},
	{attack_landing}, {attack_house_names}, {attack_study}, {attack_cell}, {attack_airlock}, {attack_changed_cohort}, {attack_lockdown},
};

static volatile sig_atomic_t interrupted;

static void
on_signal(int sig)
{
	(void)sig;
	interrupted = 1;
}

bool
was_interrupted(void)
{
	return interrupted != 0;
}

void
tell(struct selftest *t, enum outcome o, const char *attack, const char *fmt, ...)
{
	static const char *const words[OUTCOMES] = {"refused", "failed", "skipped"}, *const marks[OUTCOMES] = {"✓", "✗", "-"};
	static const enum out_colour colours[OUTCOMES] = {OUT_GREEN, OUT_RED, OUT_YELLOW};
	char detail[LINE_MAX_BYTES];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(detail, sizeof(detail), fmt, ap);
	va_end(ap);
	t->count[o]++;
	err_ignore(json_array_append_new(t->results, json_pack("{s:s, s:s, s:s}", "attack", attack, "outcome", words[o], "detail",
	    detail)) == 0 ? OK : ERR(ERR_NO_MEMORY));
	if (t->c->json)
		return;
	printf("%s%s%s %-44s %s%s%s\n", out_begin(colours[o]), marks[o], out_end(), attack, out_begin(OUT_DIM), detail, out_end());
	fflush(stdout);
}

void
random_letters(char *out, size_t n)
{
	rand_bytes(out, n);
	for (size_t i = 0; i < n; i++)
		out[i] = (char)('a' + (unsigned char)out[i] % 26);
	out[n] = 0;
}

void
s3(struct selftest *t, const struct net_who *who, const char *method, const char *path, const char *header, struct str body,
    struct net_answer *ret)
{
	struct net_ask ask = {.method = method, .path = path, .who = who, .body = body};
	size_t n = 0;

	if (body.n > 0)
		ask.headers[n++] = "Content-Type: application/octet-stream";
	if (header)
		ask.headers[n++] = header;
	if (err_is(net_ask(t->net, &ask, ret)))
		ret->status = 0;
}

long
api(struct selftest *t, const struct net_who *who, const char *method, const char *path, json_t *body, json_t **ret)
{
	char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
	AUTO_ANSWER a = NET_ANSWER;
	struct net_ask ask = {.method = method, .path = path, .who = who, .body = str_c(text)};

	if (text)
		ask.headers[0] = "Content-Type: application/json";
	json_decref(body);
	if (err_is(net_ask(t->net, &ask, &a)))
		a.status = 0;
	free(text);
	if (ret)
		*ret = a.body.n ? json_loadb(a.body.p, a.body.n, 0, NULL) : NULL;
	return a.status;
}

long
must_refuse(struct selftest *t, const char *attack, const struct net_who *who, const char *method, const char *path, json_t *body, long also)
{
	AUTO_JSON *answer = NULL;
	int64_t from = clock_mono_us();
	long status = api(t, who, method, path, body, &answer);
	double ms = (double)(clock_mono_us() - from) / 1000;
	const char *said = out_member(answer, "message");

	if (status == 0)
		tell(t, SKIPPED, attack, "no answer");
	else
		tell(t, status == 401 || status == 403 || (also && status == also) ? REFUSED : FAILED, attack, "HTTP %ld in %.1f ms%s%s", status, ms,
		    *said ? ": " : "", said);
	return status;
}

/* ---- before and after ---- */

static struct err
make_subject(struct selftest *t, struct subject *s, const char *suffix)
{
	AUTO_JSON *key = NULL;
	char path[160];
	long status;

	random_letters(s->bucket, 10);
	snprintf(s->name, sizeof(s->name), "selftest-%.10s-%s", s->bucket, suffix);
	snprintf(s->bucket, sizeof(s->bucket), "%s", s->name);
	status = api(t, &t->admin, "POST", "/api/users", json_pack("{s:s, s:s, s:[s]}", "name", s->name, "kind", "service", "roles",
	    "researcher"), NULL);
	if (status != 201)
		return cli_fail(t->c, ERR(status == 403 ? ERR_DENIED : ERR_CLOSED), "a throw-away researcher cannot be made (HTTP %ld): "
		    "selftest needs an administrator's credentials", status);
	s->made = true;
	status = api(t, &t->admin, "POST", "/api/keys", json_pack("{s:s, s:i}", "person", s->name, "days", 1), &key);
	snprintf(s->key.access_key, sizeof(s->key.access_key), "%s", out_member(key, "access_key"));
	snprintf(s->key.secret, sizeof(s->key.secret), "%s", out_member(key, "secret"));
	if (status != 201 || !s->key.secret[0])
		return cli_fail(t->c, ERR(ERR_DENIED), "an access key for %s cannot be made (HTTP %ld)", s->name, status);
	AUTO_ANSWER a = NET_ANSWER;
	snprintf(path, sizeof(path), "/%s", s->bucket);
	s3(t, &s->key, "PUT", path, NULL, STR_NONE, &a);
	s->has_bucket = a.status == 200;
	return s->has_bucket ? OK : net_refused(t->c, &a);
}

static struct err
setup(struct selftest *t)
{
	AUTO_ANSWER a = NET_ANSWER;
	char path[160];

	random_letters(t->canary, CANARY_LETTERS);
	TRY(make_subject(t, &t->alice, "a"));
	TRY(make_subject(t, &t->mallory, "m"));
	snprintf(path, sizeof(path), "/%s/secret", t->alice.bucket);
	s3(t, &t->alice.key, "PUT", path, NULL, str_c(t->canary), &a);
	if (a.status != 200)
		return net_refused(t->c, &a);
	/* the control of all that follows: its owner can read it */
	s3(t, &t->alice.key, "GET", path, NULL, STR_NONE, &a);
	if (a.status == 200 && !a.cut && str_eq(buf_str(&a.body), str_c(t->canary)))
		return OK;
	return cli_fail(t->c, ERR(ERR_CORRUPT), "the owner of a new object does not get it back (HTTP %ld): nothing can be tested",
	    a.status);
}

/* every key of a listing on one page, which is more than the test makes */
static void
empty_bucket(struct selftest *t, struct subject *s)
{
	static const char open[] = "<Key>", close[] = "</Key>";
	AUTO_ANSWER list = NET_ANSWER;
	struct str rest;
	char path[200];

	snprintf(path, sizeof(path), "/%s?list-type=2", s->bucket);
	s3(t, &s->key, "GET", path, NULL, STR_NONE, &list);
	rest = buf_str(&list.body);
	for (size_t at; (at = str_find(rest, str_c(open))) != SIZE_MAX;) {
		AUTO_ANSWER a = NET_ANSWER;
		size_t n;

		rest = str_sub(rest, at + strlen(open), SIZE_MAX);
		n = str_find(rest, str_c(close));
		if (n == SIZE_MAX || n > 100)
			break;
		snprintf(path, sizeof(path), "/%s/%.*s", s->bucket, (int)n, rest.p);
		s3(t, &s->key, "DELETE", path, NULL, STR_NONE, &a);
	}
}

static bool
end_subject(struct selftest *t, struct subject *s)
{
	AUTO_ANSWER a = NET_ANSWER;
	bool clean = true;
	char path[160];

	if (s->has_bucket) {
		empty_bucket(t, s);
		snprintf(path, sizeof(path), "/%s", s->bucket);
		s3(t, &s->key, "DELETE", path, NULL, STR_NONE, &a);
		clean = a.status == 204;
	}
	if (s->made) {
		snprintf(path, sizeof(path), "/api/users/%s", s->name);
		clean = api(t, &t->admin, "DELETE", path, NULL, NULL) == 200 && clean;
	}
	return clean;
}

static struct err
cleanup(struct selftest *t)
{
	bool scene = scene_end(t), alice = end_subject(t, &t->alice), mallory = end_subject(t, &t->mallory);

	remove_copies(t);
	if (scene && alice && mallory)
		return OK;
	return cli_fail(t->c, ERR(ERR_CONFLICT), "not everything could be cleaned up: look for users, studies and buckets named selftest-*");
}

static struct err
result(struct selftest *t)
{
	if (t->c->json) {
		AUTO_JSON *j = json_pack("{s:O, s:i, s:i, s:i, s:b}", "attacks", t->results, "refused", (int)t->count[REFUSED], "failed",
		    (int)t->count[FAILED], "skipped", (int)t->count[SKIPPED], "interrupted", interrupted != 0);

		out_json(j);
	} else {
		printf("\n%u refused or found, %u failed, %u skipped%s\n", t->count[REFUSED], t->count[FAILED], t->count[SKIPPED],
		    interrupted ? "; interrupted" : "");
	}
	if (t->count[FAILED] > 0)
		return cli_fail(t->c, ERR(ERR_CORRUPT), "%u attacks were NOT refused: take this house off the network, and report it",
		    t->count[FAILED]);
	if (interrupted)
		return cli_fail(t->c, ERR(ERR_CLOSED), "interrupted");
	return OK;
}

static struct err
run(struct selftest *t)
{
	struct sigaction sa = {.sa_handler = on_signal};
	struct err e;

	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
	copy_ledger(t);
	e = setup(t);
	for (size_t i = 0; i < ARRAY_LEN(attacks) && !err_is(e) && !interrupted; i++)
		attacks[i].run(t);
	if (err_is(e)) {
		err_ignore(cleanup(t));
		return e;
	}
	e = cleanup(t);
	TRY(result(t));
	return e;
}

struct err
cmd_selftest(struct cli *c)
{
	struct selftest t = {.c = c};
	const struct cli_option options[] = {
		{"lockdown", NULL, "also lock the house down and lift it again: everybody is logged off", CLI_FLAG, &t.lockdown},
		{NULL, NULL, NULL, CLI_FLAG, NULL},
	};
	AUTO_NET n = NULL;
	struct err e;

	cli_parse(c, options, CLI_NET, 0, 0);
	TRY(net_open(c, &n));
	TRY(net_who(c, n, &t.admin));
	t.net = n;
	t.state = cli_state(c);
	t.results = json_array();
	e = run(&t);
	json_decref(t.results);
	explicit_bzero(&t, sizeof(t));
	return e;
}
