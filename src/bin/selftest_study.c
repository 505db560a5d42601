/* Feeds, the house's own names, and studies: what nobody may who is not meant to. */
#include "base/clock.h"
#include "base/num.h"
#include "bin/cli_out.h"
#include "bin/selftest.h"

#define PATH_BYTES 200
#define WAIT_S 20 /* for all jobs and cells together */
#define DAY_S 86400
/* nobody is in it: a self-test takes no patient's data out of the pool */
#define NOBODY "SELECT patient FROM person WHERE false"
#define NOBODY_EITHER "SELECT patient FROM person WHERE 1 = 0"

/* ${also}: one more status that is no breach; 0: none */
static void
tell_s3(struct selftest *t, const char *attack, const struct net_who *who, const char *method, const char *path, struct str body, long also)
{
	AUTO_ANSWER a = NET_ANSWER;
	int64_t from = clock_mono_us();

	s3(t, who, method, path, NULL, body, &a);
	tell(t, a.status == 401 || a.status == 403 || (also && a.status == also) ? REFUSED : a.status ? FAILED : SKIPPED, attack,
	    "HTTP %ld in %.1f ms", a.status, (double)(clock_mono_us() - from) / 1000);
}

/* ---- landing ---- */

/* The control leaves nothing behind: a feed's own PUT is let in, and fails only because its bytes are not what it says. */
static bool
feed_may_put(struct selftest *t)
{
	static const char wrong_md5[] = "Content-MD5: AAAAAAAAAAAAAAAAAAAAAA==";
	AUTO_ANSWER a = NET_ANSWER;
	char path[PATH_BYTES];

	snprintf(path, sizeof(path), "/landing/%s/selftest", player(t, PART_FEED)->name);
	s3(t, &player(t, PART_FEED)->key, "PUT", path, wrong_md5, STR("x"), &a);
	return a.status == 400;
}

void
attack_landing(struct selftest *t)
{
	const struct net_who *feed;
	char own[PATH_BYTES], others[PATH_BYTES];

	if (!scene_people(t))
		return;
	feed = &player(t, PART_FEED)->key;
	snprintf(own, sizeof(own), "/landing/%s/selftest", player(t, PART_FEED)->name);
	snprintf(others, sizeof(others), "/landing/%s/planted", t->alice.name);
	if (!feed_may_put(t)) {
		tell(t, FAILED, "a feed in landing", "it cannot even put below its own name");
		return;
	}
	tell_s3(t, "a feed lists what has landed", feed, "GET", "/landing?list-type=2", STR_NONE, 0);
	tell_s3(t, "a feed reads below its own name", feed, "GET", own, STR_NONE, 0);
	tell_s3(t, "a feed deletes below its own name", feed, "DELETE", own, STR_NONE, 0);
	tell_s3(t, "a feed writes below another's name", feed, "PUT", others, STR("x"), 0);
	tell_s3(t, "a feed reads the pool", feed, "GET", "/pool?list-type=2", STR_NONE, 404); /* a new house has none */
	tell_s3(t, "the administrator lists what has landed", &t->admin, "GET", "/landing?list-type=2", STR_NONE, 0);
	must_refuse(t, "a feed asks for a study", feed, "POST", "/api/studies", json_object(), 0);
}

void
attack_house_names(struct selftest *t)
{
	static const char *const names[] = {"/landing", "/pool", "/study-0123456789abcdef0123"};
	char attack[80];

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		snprintf(attack, sizeof(attack), "make a bucket named %s", names[i] + 1);
		tell_s3(t, attack, &t->mallory.key, "PUT", names[i], STR_NONE, 0);
	}
}

/* ---- a study ---- */

static json_t *
basis(const char *expires)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:s}", "kind", "irb-waiver", "board", "Self-test", "number", "1", "document_sha256",
	    "5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f", "expires", expires);
}

static void
day(int64_t from_now_s, char out[11])
{
	AUTO_BUF b = BUF(32);

	buf_put_basic_date(&b, clock_now_us() + from_now_s * US_PER_S); /* 20270331T… */
	snprintf(out, 11, "%.4s-%.2s-%.2s", b.p, b.p + 4, b.p + 6);
}

static json_t *
signature(const char *review, const char *digest)
{
	return json_pack("{s:s, s:s, s:s}", "review", review, "decision", "sign", "digest", digest);
}

static void
attack_basis(struct selftest *t)
{
	char path[PATH_BYTES], past[11], soon[11];

	day(-2 * DAY_S, past);
	day(2 * DAY_S, soon);
	snprintf(path, sizeof(path), "/api/studies/%s/basis", t->scene.study);
	must_refuse(t, "record a basis that has expired", &player(t, PART_BOARD)->key, "POST", path, basis(past), 400);
	must_refuse(t, "record the basis of one's own study", &player(t, PART_INVESTIGATOR)->key, "POST", path, basis(soon), 0);
	if (scene_json(t, PART_BOARD, "POST", path, basis(soon), NULL) != 200)
		tell(t, FAILED, "record a basis", "the board itself cannot");
}

static void
attack_signatures(struct selftest *t)
{
	static const char zeros[] = "0000000000000000000000000000000000000000000000000000000000000000";
	AUTO_JSON *study = NULL;
	const char *digest;
	char path[PATH_BYTES];

	snprintf(path, sizeof(path), "/api/studies/%s", t->scene.study);
	scene_json(t, PART_BOARD, "GET", path, NULL, &study);
	digest = out_member(study, "digest");
	snprintf(path, sizeof(path), "/api/studies/%s/signatures", t->scene.study);
	must_refuse(t, "approve before the reviews", &player(t, PART_OFFICER)->key, "POST", path, signature("security", digest), 409);
	must_refuse(t, "approve as the administrator", &t->admin, "POST", path, signature("security", digest), 0);
	must_refuse(t, "sign another version of a study", &player(t, PART_IT)->key, "POST", path, signature("it", zeros), 409);
	must_refuse(t, "sign for an office that one has not", &player(t, PART_IT)->key, "POST", path, signature("management", digest), 0);
	if (!scene_sign(t, PART_IT, "it") || !scene_sign(t, PART_MANAGEMENT, "management") || !scene_sign(t, PART_RESEARCH, "research"))
		tell(t, FAILED, "sign a study", "the reviewers themselves cannot");
	must_refuse(t, "sign twice", &player(t, PART_IT)->key, "POST", path, signature("it", digest), 409);
}

void
attack_study(struct selftest *t)
{
	char path[PATH_BYTES];

	t->scene.until_us = clock_mono_us() + WAIT_S * US_PER_S;
	if (!scene_people(t))
		return;
	if (!scene_cohort(t, NOBODY)) {
		tell(t, FAILED, "a study of its own", "it cannot be registered");
		return;
	}
	snprintf(path, sizeof(path), "/api/studies/%s/releases", t->scene.study);
	must_refuse(t, "take a release without an approval", &player(t, PART_MEMBER)->key, "POST", path, json_object(), 0);
	attack_basis(t);
	attack_signatures(t);
	if (!scene_sign(t, PART_OFFICER, "security")) {
		tell(t, FAILED, "approve a study", "the security officer cannot, with a basis and all reviews");
		return;
	}
	t->scene.approved = true;
	must_refuse(t, "take a release as an outsider", &t->mallory.key, "POST", path, json_object(), 404);
	must_refuse(t, "take a release as the administrator", &t->admin, "POST", path, json_object(), 0);
	snprintf(path, sizeof(path), "/api/studies/%s", t->scene.study);
	must_refuse(t, "read a study as an outsider", &t->mallory.key, "GET", path, NULL, 404);
	if (!scene_release(t))
		tell(t, SKIPPED, "what needs a release", "there is none: %s", t->scene.why);
}

void
attack_changed_cohort(struct selftest *t)
{
	char path[PATH_BYTES];

	if (!t->scene.study[0])
		return;
	if (!scene_cohort(t, NOBODY_EITHER)) {
		tell(t, FAILED, "change a cohort after the approval", "its investigator cannot: there is nothing to test");
		return;
	}
	snprintf(path, sizeof(path), "/api/studies/%s/releases", t->scene.study);
	must_refuse(t, "take a release of a changed cohort", &player(t, PART_MEMBER)->key, "POST", path, json_object(), 0);
	if (!t->scene.cell[0])
		return;
	snprintf(path, sizeof(path), "/api/cells/%s/enter", t->scene.cell);
	must_refuse(t, "stay in a cell after the change", &player(t, PART_MEMBER)->key, "POST", path, json_object(), 0);
}
