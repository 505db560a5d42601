/* The study that selftest attacks: its people, its signatures, a release of nobody, two cells; and their end. */
#include <unistd.h>

#include "base/clock.h"
#include "base/num.h"
#include "bin/cli_out.h"
#include "bin/selftest.h"

#define POLL_US 50000u
#define PATH_BYTES 160
#define DOMAIN_BYTES 32 /* "study-" and the first 20 digits of its id */

static const struct { const char *suffix, *roles[3]; } parts[PARTS] = {
	[PART_INVESTIGATOR] = {"pi", {"principal-investigator"}},
	/* an author who may check outputs: his own are none of them */
	[PART_MEMBER] = {"in", {"researcher", "output-checker"}},
	[PART_BOARD] = {"irb", {"irb-member"}},
	[PART_IT] = {"it", {"it-reviewer"}},
	[PART_MANAGEMENT] = {"mgmt", {"management-reviewer"}},
	[PART_RESEARCH] = {"res", {"research-reviewer"}},
	[PART_OFFICER] = {"ciso", {"security-officer"}},
	[PART_PRIVACY] = {"priv", {"privacy-officer"}},
	[PART_CHECKER] = {"c1", {"output-checker"}},
	[PART_SECOND] = {"c2", {"output-checker"}},
	[PART_FEED] = {"feed", {NULL}},
};

struct player *
player(struct selftest *t, enum part p)
{
	return &t->scene.players[p];
}

long
scene_json(struct selftest *t, enum part p, const char *method, const char *path, json_t *body, json_t **ret)
{
	return api(t, &player(t, p)->key, method, path, body, ret);
}

/* ---- people ---- */

static json_t *
roles_of(enum part p)
{
	json_t *list = json_array();

	for (size_t i = 0; i < ARRAY_LEN(parts[p].roles) && parts[p].roles[i]; i++)
		if (json_array_append_new(list, json_string(parts[p].roles[i])) != 0)
			break;
	return list;
}

static bool
make_player(struct selftest *t, enum part p)
{
	struct player *who = player(t, p);
	AUTO_JSON *key = NULL;
	long status;

	snprintf(who->name, sizeof(who->name), "%.19s-%s", t->alice.name, parts[p].suffix); /* "selftest-" and ten letters */
	if (p == PART_FEED)
		status = api(t, &t->admin, "POST", "/api/feeds", json_pack("{s:s}", "name", who->name), NULL);
	else
		status = api(t, &t->admin, "POST", "/api/users", json_pack("{s:s, s:o}", "name", who->name, "roles", roles_of(p)), NULL);
	who->made = status == 201;
	if (!who->made || api(t, &t->admin, "POST", "/api/keys", json_pack("{s:s, s:i}", "person", who->name, "days", 1), &key) != 201)
		return false;
	snprintf(who->key.access_key, sizeof(who->key.access_key), "%s", out_member(key, "access_key"));
	snprintf(who->key.secret, sizeof(who->key.secret), "%s", out_member(key, "secret"));
	return true;
}

bool
scene_people(struct selftest *t)
{
	for (enum part p = 0; p < PARTS; p++)
		if (!player(t, p)->made && !make_player(t, p)) {
			tell(t, FAILED, "a study of its own", "the throw-away person %s cannot be made", player(t, p)->name);
			return false;
		}
	return true;
}

/* ---- waiting ---- */

bool
scene_may_wait(const struct selftest *t)
{
	if (was_interrupted() || clock_mono_us() >= t->scene.until_us)
		return false;
	usleep(POLL_US);
	return true;
}

const char *
scene_wait(struct selftest *t, enum part p, const char *job)
{
	char path[PATH_BYTES];

	snprintf(path, sizeof(path), "/api/jobs/%.40s", job);
	do {
		AUTO_JSON *j = NULL;
		const char *state;

		scene_json(t, p, "GET", path, NULL, &j);
		state = out_member(j, "state");
		if (strcmp(state, "done") == 0)
			return NULL;
		if (strcmp(state, "failed") == 0) {
			snprintf(t->scene.why, sizeof(t->scene.why), "its job failed: %.64s", out_member(j, "reason"));
			return t->scene.why;
		}
	} while (scene_may_wait(t));
	snprintf(t->scene.why, sizeof(t->scene.why), "its job has not ended in time: the house is busy");
	return t->scene.why;
}

/* ---- the study ---- */

bool
scene_cohort(struct selftest *t, const char *sql)
{
	struct scene *s = &t->scene;
	AUTO_JSON *made = NULL;
	char path[PATH_BYTES];

	if (s->study[0]) {
		snprintf(path, sizeof(path), "/api/studies/%s", s->study);
		return scene_json(t, PART_INVESTIGATOR, "PATCH", path, json_pack("{s:s}", "cohort", sql), NULL) == 200;
	}
	if (scene_json(t, PART_INVESTIGATOR, "POST", "/api/studies", json_pack("{s:s, s:s, s:s, s:s, s:[s], s:[s]}", "title", "Self-test", "protocol",
	    t->alice.name, "profile", "safe-harbor", "cohort", sql, "people", player(t, PART_MEMBER)->name, "tables", "person"), &made) != 201)
		return false;
	snprintf(s->study, sizeof(s->study), "%s", out_member(made, "study"));
	return true;
}

bool
scene_sign(struct selftest *t, enum part p, const char *review)
{
	AUTO_JSON *study = NULL;
	char path[PATH_BYTES];

	snprintf(path, sizeof(path), "/api/studies/%s", t->scene.study);
	if (scene_json(t, p, "GET", path, NULL, &study) != 200)
		return false;
	snprintf(path, sizeof(path), "/api/studies/%s/signatures", t->scene.study);
	return scene_json(t, p, "POST", path, json_pack("{s:s, s:s, s:s}", "review", review, "decision", "sign", "digest",
	    out_member(study, "digest")), NULL) == 200;
}

bool
scene_release(struct selftest *t)
{
	struct scene *s = &t->scene;
	AUTO_JSON *made = NULL;
	char path[PATH_BYTES];
	long status;

	snprintf(path, sizeof(path), "/api/studies/%s/releases", s->study);
	status = scene_json(t, PART_MEMBER, "POST", path, json_object(), &made);
	if (status != 202) {
		snprintf(s->why, sizeof(s->why), "a release cannot be asked for (HTTP %ld)", status);
		return false;
	}
	if (scene_wait(t, PART_MEMBER, out_member(made, "job")))
		return false;
	snprintf(s->release, sizeof(s->release), "%s", out_member(made, "release"));
	return true;
}

static bool
open_cell(struct selftest *t, enum part p, char cell[SCENE_ID])
{
	AUTO_JSON *made = NULL;
	long status;

	do { /* a house in use may be building others at this moment */
		json_decref(made);
		made = NULL;
		status = scene_json(t, p, "POST", "/api/cells", json_pack("{s:s, s:s}", "study", t->scene.study, "release", t->scene.release), &made);
	} while (status == 503 && scene_may_wait(t));
	if (status != 202) {
		snprintf(t->scene.why, sizeof(t->scene.why), "HTTP %ld: %.100s", status, out_member(made, "message"));
		return false;
	}
	snprintf(cell, SCENE_ID, "%s", out_member(made, "cell"));
	return scene_wait(t, p, out_member(made, "job")) == NULL;
}

bool
scene_cells(struct selftest *t)
{
	struct scene *s = &t->scene;

	if (!s->release[0])
		return false;
	return s->other_cell[0] || (open_cell(t, PART_MEMBER, s->cell) && open_cell(t, PART_INVESTIGATOR, s->other_cell));
}

/* ---- its end ---- */

static bool
call_on(struct selftest *t, enum part p, const char *method, const char *before, const char *id, const char *after, json_t *body)
{
	char path[PATH_BYTES];

	if (!id[0]) {
		json_decref(body);
		return true;
	}
	snprintf(path, sizeof(path), "%s%.40s%s", before, id, after);
	return scene_json(t, p, method, path, body, NULL) == 200;
}

/* Two officers, as always: what was released and what the cells held is nobody's any more. */
static bool
destroy_study(struct selftest *t)
{
	char domain[DOMAIN_BYTES] = "";

	if (!t->scene.approved)
		return true;
	snprintf(domain, sizeof(domain), "study-%.20s", t->scene.study);
	return call_on(t, PART_OFFICER, "DELETE", "/api/domains/", domain, "", json_pack("{s:s}", "confirm", domain)) &&
	    call_on(t, PART_PRIVACY, "DELETE", "/api/domains/", domain, "", json_pack("{s:s}", "confirm", domain));
}

bool
scene_end(struct selftest *t)
{
	struct scene *s = &t->scene;
	bool clean = call_on(t, PART_MEMBER, "DELETE", "/api/cells/", s->cell, "", NULL);

	/* one that a change of the study has ended is no request any more that could be withdrawn */
	(void)call_on(t, PART_MEMBER, "DELETE", "/api/airlock/", s->request, "", NULL);
	clean = call_on(t, PART_INVESTIGATOR, "DELETE", "/api/cells/", s->other_cell, "", NULL) && clean;
	clean = call_on(t, PART_INVESTIGATOR, "POST", "/api/studies/", s->study, "/close", json_object()) && clean;
	clean = destroy_study(t) && clean;
	for (enum part p = 0; p < PARTS; p++) {
		char path[PATH_BYTES];

		if (!player(t, p)->made)
			continue;
		snprintf(path, sizeof(path), "/api/users/%s", player(t, p)->name);
		clean = api(t, &t->admin, "DELETE", path, NULL, NULL) == 200 && clean;
	}
	return clean;
}
