#include "warden/powers.h"

#include <string.h>

enum ways { READ = 1, WRITE = 2, LIST = 4, MAKE = 8, REMOVE = 16 };

/* Which bucket, and below what in it. STUDY: the job's study; RELEASE, REQUEST, JOB: below that one's own id. */
enum where { LANDING, POOL, STUDY };
enum below { ANY, INTAKE, GENERATION, RELEASES, RELEASE, REQUEST, JOB_FOLDER };

static const struct permission {
	enum role role;
	enum job_kind kind; /* NONE: standing */
	enum where where;
	enum below below;
	unsigned ways;
} table[] = {
	{ROLE_INTAKE, JOB_NONE, LANDING, INTAKE, WRITE | MAKE},
	{ROLE_GATE, JOB_NONE, LANDING, ANY, MAKE}, /* so that a feed finds it; what comes in is the feed's own request */

	{ROLE_SCRUB, JOB_INGEST, LANDING, ANY, READ | LIST | MAKE},
	{ROLE_SCRUB, JOB_INGEST, POOL, GENERATION, READ | WRITE | LIST | REMOVE | MAKE},
	{ROLE_SCRUB, JOB_REBUILD, LANDING, ANY, READ | LIST | MAKE},
	{ROLE_SCRUB, JOB_REBUILD, POOL, GENERATION, READ | WRITE | LIST | REMOVE | MAKE},

	{ROLE_SCRUB, JOB_RELEASE, POOL, GENERATION, READ | LIST | MAKE},
	{ROLE_SCRUB, JOB_RELEASE, STUDY, RELEASES, READ | WRITE | LIST | MAKE},
	{ROLE_SCRUB, JOB_COUNT, POOL, GENERATION, READ | LIST | MAKE},
	{ROLE_SCRUB, JOB_STAGE, STUDY, RELEASE, READ | LIST},

	{ROLE_SCRUB, JOB_COLLECT, POOL, GENERATION, READ | LIST | MAKE}, /* the identifiers that the re-scan looks for */
	{ROLE_SCRUB, JOB_COLLECT, STUDY, RELEASE, READ | LIST},
	{ROLE_SCRUB, JOB_COLLECT, STUDY, REQUEST, READ | WRITE | LIST | MAKE},
	{ROLE_SCRUB, JOB_CHECK, POOL, GENERATION, READ | LIST | MAKE},
	{ROLE_SCRUB, JOB_CHECK, STUDY, RELEASE, READ | LIST},
	{ROLE_SCRUB, JOB_CHECK, STUDY, REQUEST, READ | LIST},
	{ROLE_SCRUB, JOB_VERIFY, STUDY, REQUEST, READ | LIST},
	{ROLE_SCRUB, JOB_DELIVER, STUDY, REQUEST, READ | LIST},
	{ROLE_GATE, JOB_VIEW, STUDY, REQUEST, READ},
	{ROLE_GATE, JOB_UPLOAD, STUDY, REQUEST, WRITE | MAKE},

	{ROLE_GATE, JOB_FIND, POOL, JOB_FOLDER, WRITE | MAKE},
	{ROLE_SCRUB, JOB_FIND, POOL, JOB_FOLDER, READ | REMOVE},
	{ROLE_SCRUB, JOB_FIND, POOL, GENERATION, READ | LIST | MAKE},
};

static unsigned
way_of(const struct want *w)
{
	switch ((int)w->action) {
	case ACTION_CREATE_BUCKET:
	case ACTION_PUT_BUCKET_VERSIONING: return MAKE;
	case ACTION_LIST_BUCKET: return LIST;
	case ACTION_GET_OBJECT:
	case ACTION_GET_OBJECT_VERSION: return READ;
	case ACTION_PUT_OBJECT: return WRITE;
	case ACTION_DELETE_OBJECT: return REMOVE;
	default: return 0;
	}
}

static bool
bucket_fits(enum where where, const struct job *j, struct str name)
{
	char study[STUDY_BUCKET_BYTES];

	switch (where) {
	case LANDING: return str_eq(name, STR(HOUSE_BUCKET_LANDING));
	case POOL: return str_eq(name, STR(HOUSE_BUCKET_POOL));
	case STUDY:
		if (!j || id_is_zero(j->study))
			return false;
		study_bucket(j->study, study);
		return str_eq(name, str_c(study));
	}
	return false;
}

/* below_id(key, prefix, id): ${key} is "<prefix><id>/…", with something after the stroke. */
static bool
below_id(struct str key, struct str prefix, struct id id)
{
	AUTO_BUF hex = BUF(64);
	struct str rest;

	if (id_is_zero(id) || !str_starts(key, prefix))
		return false;
	buf_put_id_hex(&hex, id);
	rest = str_sub(key, prefix.n, SIZE_MAX);
	return str_starts(rest, buf_str(&hex)) && rest.n > hex.n + 1 && rest.p[hex.n] == '/';
}

static bool
key_fits(enum below below, const struct job *j, struct str key)
{
	switch (below) {
	case ANY: return true;
	case INTAKE: return str_starts(key, STR("intake/"));
	case GENERATION: return key.n > 6 && key.p[0] == 'g' && key.p[5] == '/';
	case RELEASES: return str_starts(key, STR("release/"));
	case RELEASE: return j && below_id(key, STR("release/"), j->release);
	case REQUEST: return j && below_id(key, STR("airlock/"), j->request);
	case JOB_FOLDER: return j && below_id(key, STR("job/"), j->id);
	}
	return false;
}

bool
process_may(enum role role, const struct job *j, const struct want *w)
{
	unsigned way = way_of(w);

	for (size_t i = 0; way != 0 && i < ARRAY_LEN(table); i++) {
		const struct permission *p = &table[i];

		if (p->role != role || p->kind != (j ? j->kind : JOB_NONE) || !(p->ways & way) || !bucket_fits(p->where, j, w->bucket_name))
			continue;
		/* names of a whole bucket: they are ids and numbers, and say nothing */
		if (way == LIST)
			return true;
		if (way == MAKE) /* a house bucket lies in the key domain of its own name */
			return w->action != ACTION_CREATE_BUCKET || str_eq(w->domain, w->bucket_name);
		if (key_fits(p->below, j, w->key))
			return true;
	}
	return false;
}

bool
is_house_bucket(struct str name)
{
	static const struct str reserved[] = {{HOUSE_BUCKET_LANDING, 7}, {HOUSE_BUCKET_POOL, 4}, {"console", 7}, {"fhir", 4}, {"api", 3}, {"cell", 4}};

	for (size_t i = 0; i < ARRAY_LEN(reserved); i++)
		if (str_eq(name, reserved[i]))
			return true;
	return str_starts(name, STR("study-"));
}
