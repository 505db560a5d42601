/* Who saw a patient's data: the tokens of a record number, and what the ledger says of one. */
#include "gate/api_jobs.h"

#include "objects/objects.h"

#define MRN_MAX 64
#define ACCESSES_MAX 5000
#define RELEASES_MAX 256

/* ---- finding the tokens ---- */

static bool
bad(struct request *r, const char *field, const char *message)
{
	api_fail(r, ERR(ERR_INVALID), REASON_NONE, str_c(field), str_c(message));
	return false;
}

/* The number is what it looks for: it goes into a sealed object that this job alone may open, and nowhere else. */
static struct err
keep_question(struct request *r, struct id job, json_t *mrn)
{
	struct objects o = {.warden = r->house->warden, .vault = r->house->vault, .job = job, .address = r->address};
	AUTO_BUF key = BUF(128);
	AUTO_BUF text = BUF_WIPED(KiB);

	buf_put_c(&key, "job/");
	buf_put_id_hex(&key, job);
	buf_put_c(&key, "/request");
	buf_put_c(&text, "{\"mrn\":");
	buf_put_json(&text, str_of(json_string_value(mrn), json_string_length(mrn)));
	buf_put_char(&text, '}');
	TRY(buf_check(&text));
	TRY(objects_bucket(&o, STR("pool"), STR("pool")));
	return objects_put(&o, STR("pool"), buf_str(&key), phi_of(text.p, text.n), true, NULL);
}

void
api_find_subject(struct request *r)
{
	AUTO_JSON *asked = NULL, *mrn = NULL, *said = NULL;
	struct id job;
	struct err e;

	if (!api_queries(r, NULL) || !api_document(r, &asked))
		return;
	mrn = json_incref(json_object_get(asked, "mrn"));
	if (!json_is_string(mrn) || json_string_length(mrn) == 0 || json_string_length(mrn) > MRN_MAX) {
		bad(r, "mrn", "A medical record number of 1 to 64 characters.");
		return;
	}
	(void)json_object_del(asked, "mrn");
	if (!api_verb(r, "subject.find", json_incref(asked), &said))
		return;
	if (!api_job_id(said, &job)) {
		api_fail(r, ERR(ERR_CORRUPT), REASON_NONE, STR_NONE, STR_NONE);
		return;
	}
	e = keep_question(r, job, mrn);
	if (!err_is(e))
		e = api_run(r, job);
	if (err_is(e))
		api_fail(r, e, REASON_NONE, STR_NONE, STR_NONE);
	else
		api_answer(r, 202, json_incref(said));
}

/* ---- what the ledger says ---- */

struct accesses {
	struct request *r;
	json_t *list;
	struct known people;
	struct id releases[RELEASES_MAX];
	json_t *made[RELEASES_MAX]; /* the record of who asked for it; NULL: not seen */
	size_t n_releases;
	bool more; /* than is shown */
};

static const char *
text(const json_t *j, const char *name)
{
	const char *z = json_string_value(json_object_get(j, name));

	return z ? z : "";
}

static json_t *
copy(const json_t *record, const char *name)
{
	json_t *v = json_object_get(record, name);

	return v ? json_incref(v) : json_null();
}

static bool
add(struct accesses *a, const json_t *record, json_t *release)
{
	json_t *row;

	if (json_array_size(a->list) >= ACCESSES_MAX) {
		a->more = true;
		json_decref(release);
		return true;
	}
	api_remember(&a->people, record, "who");
	row = json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "record", copy(record, "n"), "at", copy(record, "time"), "who",
	    copy(record, "who"), "address", copy(record, "addr"), "act", copy(record, "act"), "decision", copy(record, "decision"), "study",
	    copy(record, "study"), "basis", copy(record, "basis"), "release", release);
	return row && json_array_append_new(a->list, row) == 0;
}

static void
note_release(struct accesses *a, const json_t *record)
{
	struct id release;

	if (err_is(id_parse(str_c(text(record, "object")), &release)))
		return;
	for (size_t i = 0; i < a->n_releases; i++)
		if (id_eq(a->releases[i], release))
			return;
	if (a->n_releases == RELEASES_MAX)
		a->more = true;
	else
		a->releases[a->n_releases++] = release;
}

/* What is done with a release is done with everybody in it. */
static bool
is_access(const char *act)
{
	static const char *const acts[] = {"cell.open", "cell.enter", "cell.worker", "cell.work", "cell.stage", "disclosure.made", "release.show"};

	for (size_t i = 0; i < ARRAY_LEN(acts); i++)
		if (strcmp(act, acts[i]) == 0)
			return true;
	return strncmp(act, "airlock.", 8) == 0;
}

/* The records of a release's subjects are made by the process that made it; whom for, the record of the request says. */
static void
note_maker(struct accesses *a, const struct id *release, const char *act, json_t *record)
{
	for (size_t i = 0; i < a->n_releases; i++)
		if (id_eq(a->releases[i], *release) && !a->made[i] && strcmp(act, "release.make") == 0) {
			a->made[i] = json_incref(record);
			api_remember(&a->people, record, "who");
		}
}

static void
tell_makers(struct accesses *a)
{
	json_t *row;
	size_t i;

	json_array_foreach(a->list, i, row) {
		struct id release;

		if (strcmp(text(row, "act"), "release.subject") != 0 || err_is(id_parse(str_c(text(row, "release")), &release)))
			continue;
		for (size_t k = 0; k < a->n_releases; k++)
			if (id_eq(a->releases[k], release) && a->made[k] && json_is_null(json_object_get(row, "who")) &&
			    json_object_set_new(row, "who", copy(a->made[k], "who")) == 0)
				(void)json_object_set_new(row, "address", copy(a->made[k], "addr"));
	}
}

static bool
take_record(struct accesses *a, struct str json, const struct id *release)
{
	AUTO_JSON *record = json_loadb(json.p, json.n, JSON_REJECT_DUPLICATES, NULL);
	const char *act = text(record, "act");

	if (!record)
		return false;
	if (release) {
		note_maker(a, release, act, record);
		return !is_access(act) || add(a, record, api_id(*release));
	}
	if (strcmp(act, "subject.accesses") == 0 || strcmp(act, "disclosure.list") == 0)
		return true; /* who asked this very question */
	if (strncmp(act, "release.", 8) == 0) {
		note_release(a, record);
		return add(a, record, copy(record, "object"));
	}
	return add(a, record, json_null());
}

static struct err
take_all(struct accesses *a, struct ledger_query q, const struct id *release)
{
	uint64_t next = 0;

	q.max = API_RECORDS_MAX;
	do {
		struct ledger_entry entries[API_RECORDS_MAX];
		AUTO_MSG reply = MSG(0);
		size_t n;

		TRY(api_ask(a->r, q, &reply, entries, &n, &next));
		for (size_t i = 0; i < n; i++)
			if (!take_record(a, entries[i].json, release))
				return ERR(ERR_CORRUPT);
		q.before = next;
	} while (next > 0 && !a->more);
	return OK;
}

static int
by_number(const void *x, const void *y)
{
	json_int_t a = json_integer_value(json_object_get(*(json_t *const *)x, "record"));
	json_int_t b = json_integer_value(json_object_get(*(json_t *const *)y, "record"));

	return (a > b) - (a < b);
}

/* in the order in which it happened, with names for people */
static bool
put_in_order(struct accesses *a)
{
	size_t n = json_array_size(a->list);
	json_t **rows = calloc(n + 1, sizeof(*rows));
	AUTO_JSON *names = api_names(a->r, &a->people);
	bool good = rows != NULL;

	for (size_t i = 0; good && i < n; i++)
		rows[i] = json_incref(json_array_get(a->list, i));
	if (good && n > 0)
		qsort(rows, n, sizeof(*rows), by_number);
	for (size_t i = 0; good && i < n; i++) {
		json_t *name = json_object_get(names, text(rows[i], "who"));

		good = (!name || json_object_set(rows[i], "who", name) == 0) && json_array_set_new(a->list, i, rows[i]) == 0;
	}
	free(rows);
	return good;
}

void
api_accesses(struct request *r)
{
	AUTO_JSON *said = NULL, *list = json_array();
	struct accesses a = {.r = r, .list = list};
	struct err e;

	if (!api_queries(r, NULL) || !api_verb(r, "subject.accesses", json_pack("{s:o}", "subject", api_string(api_part(r, 1))), &said))
		return;
	e = take_all(&a, (struct ledger_query){.subject = api_part(r, 1)}, NULL);
	for (size_t i = 0; i < a.n_releases && !err_is(e); i++)
		e = take_all(&a, (struct ledger_query){.object = a.releases[i]}, &a.releases[i]);
	tell_makers(&a);
	if (!err_is(e) && !put_in_order(&a))
		e = ERR(ERR_NO_MEMORY);
	for (size_t i = 0; i < a.n_releases; i++)
		json_decref(a.made[i]);
	if (err_is(e))
		api_fail(r, e, REASON_NONE, STR_NONE, STR_NONE);
	else
		api_answer(r, 200, json_pack("{s:O, s:b}", "accesses", list, "more", a.more));
}
