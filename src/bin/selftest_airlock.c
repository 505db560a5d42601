/* The airlock: who may not decide, what may not be decided, what may not be looked at yet. */
#include "base/clock.h"
#include "base/num.h"
#include "bin/cli_out.h"
#include "bin/selftest.h"
#include "crypto/crypto.h"

#define PATH_BYTES 200
#define TABLE "dose,response\n1,0.25\n2,0.50\n"

static const char nothing[] = "0000000000000000000000000000000000000000000000000000000000000000";

static json_t *
import_request(const char *cell)
{
	AUTO_BUF hex = BUF(80);
	uint8_t sha[SHA256_BYTES];

	sha256(STR(TABLE), sha);
	buf_put_hex(&hex, sha, sizeof(sha));
	buf_put_char(&hex, 0);
	return json_pack("{s:s, s:s, s:[{s:s, s:i, s:s}], s:s, s:s}", "cell", cell, "direction", "in", "files", "name", "selftest.csv", "size",
	    (int)(sizeof(TABLE) - 1), "sha256", hex.p, "context", "A table of four numbers.", "purpose", "Self-test");
}

/* The author has brought a file, it has been checked, and waits for two reviewers: its digest. */
static bool
bring(struct selftest *t, char digest[80])
{
	AUTO_JSON *made = NULL, *job = NULL, *request = NULL;
	AUTO_ANSWER a = NET_ANSWER;
	char path[PATH_BYTES];

	if (scene_json(t, PART_MEMBER, "POST", "/api/airlock", import_request(t->scene.cell), &made) != 201)
		return false;
	snprintf(t->scene.request, sizeof(t->scene.request), "%s", out_member(made, "request"));
	snprintf(path, sizeof(path), "/api/airlock/%s/files/1", t->scene.request);
	s3(t, &player(t, PART_MEMBER)->key, "PUT", path, NULL, STR(TABLE), &a);
	if (a.status != 200)
		return false;
	snprintf(path, sizeof(path), "/api/airlock/%s/submission", t->scene.request);
	if (scene_json(t, PART_MEMBER, "POST", path, json_object(), &job) != 202 || scene_wait(t, PART_MEMBER, out_member(job, "job")))
		return false;
	snprintf(path, sizeof(path), "/api/airlock/%s", t->scene.request);
	scene_json(t, PART_MEMBER, "GET", path, NULL, &request);
	snprintf(digest, 80, "%s", out_member(request, "digest"));
	return strcmp(out_member(request, "state"), "review") == 0;
}

static json_t *
approval(const char *digest)
{
	return json_pack("{s:s, s:s, s:s}", "decision", "approve", "comment", "Self-test", "digest", digest);
}

void
attack_airlock(struct selftest *t)
{
	char path[PATH_BYTES], file[PATH_BYTES], out[PATH_BYTES], digest[80] = "";

	if (!t->scene.cell[0]) {
		tell(t, SKIPPED, "the airlock", "there is no cell: %s", t->scene.why);
		return;
	}
	if (!bring(t, digest)) {
		tell(t, clock_mono_us() < t->scene.until_us ? FAILED : SKIPPED, "the airlock", "a harmless table does not come to its reviewers");
		return;
	}
	snprintf(path, sizeof(path), "/api/airlock/%s/reviews", t->scene.request);
	snprintf(file, sizeof(file), "/api/airlock/%s/files/1", t->scene.request);
	snprintf(out, sizeof(out), "/api/airlock/%s/release", t->scene.request);
	must_refuse(t, "approve one's own request", &player(t, PART_MEMBER)->key, "POST", path, approval(digest), 0);
	must_refuse(t, "approve it as the administrator", &t->admin, "POST", path, approval(digest), 0);
	must_refuse(t, "approve other bytes than these", &player(t, PART_CHECKER)->key, "POST", path, approval(nothing), 409);
	must_refuse(t, "fetch a file before the decision", &player(t, PART_MEMBER)->key, "GET", file, NULL, 0);
	must_refuse(t, "look at it as the administrator", &t->admin, "GET", file, NULL, 0);
	must_refuse(t, "change a byte while it is reviewed", &player(t, PART_MEMBER)->key, "PUT", file, json_object(), 409);
	if (scene_json(t, PART_CHECKER, "POST", path, approval(digest), NULL) != 200) {
		tell(t, FAILED, "review a request", "an output checker cannot");
		return;
	}
	must_refuse(t, "review it twice", &player(t, PART_CHECKER)->key, "POST", path, approval(digest), 409);
	must_refuse(t, "let it through on one approval", &player(t, PART_MEMBER)->key, "POST", out, json_object(), 409);
}
