/*
 * The files of an airlock request. Who may is the verb's to say: it answers with a job, and the gate reads or writes exactly that file as itself. The bytes
 * take the way of GetObject and PutObject: opened and sealed piece by piece, in flat memory.
 */
#include "gate/api_jobs.h"

#include "gate/operations.h"
#include "warden/job.h"

/* members of job.show */
static const char *
text(const json_t *j, const char *name)
{
	const char *z = json_string_value(json_object_get(j, name));

	return z ? z : "";
}

static json_t *
path_parameters(const struct request *r)
{
	return json_pack("{s:o, s:o}", "request", api_string(api_part(r, 1)), "n", api_string(api_part(r, 3)));
}

/* From here on the gate asks as itself, for this job, and for the object that the job is about. */
static bool
become_job(struct request *r, struct id job, json_t **ret_shown)
{
	char bucket[STUDY_BUCKET_BYTES];
	AUTO_BUF key = BUF(256);
	json_t *shown = NULL;
	struct id study;

	r->proof = (struct proof){.kind = PROOF_PROCESS, .job = job, .address = r->address};
	r->n_query = 0;
	if (!api_verb(r, "job.show", json_object(), &shown))
		return false;
	if (err_is(id_parse(str_c(text(json_object_get(shown, "study"), "id")), &study))) {
		json_decref(shown);
		api_fail(r, ERR(ERR_CORRUPT), REASON_NONE, STR_NONE, STR_NONE);
		return false;
	}
	study_bucket(study, bucket);
	buf_put_c(&key, "airlock/");
	buf_put_str(&key, api_part(r, 1));
	buf_put_char(&key, '/');
	buf_put_str(&key, api_part(r, 3));
	r->bucket = request_keep(r, str_c(bucket));
	r->key = request_keep(r, buf_str(&key));
	*ret_shown = shown;
	return true;
}

/* the job has an end, whatever came of it */
static void
end_job(struct request *r, bool good)
{
	AUTO_BUF out = BUF(LIMIT_MESSAGE_BYTES);
	enum verdict_reason reason;

	err_ignore(warden_admin(r->house->warden, &r->proof, STR("job.done"), good ? STR("{}") : STR("{\"failed\":\"not-stored\"}"), &out,
	    &reason));
}

static bool
start(struct request *r, const char *verb, json_t **ret_shown)
{
	AUTO_JSON *said = NULL;
	struct id job;

	if (!api_queries(r, NULL) || !api_verb(r, verb, path_parameters(r), &said))
		return false;
	if (!api_job_id(said, &job)) {
		api_fail(r, ERR(ERR_CORRUPT), REASON_NONE, STR_NONE, STR_NONE);
		return false;
	}
	return become_job(r, job, ret_shown);
}

/* ---- out ---- */

/* what the file is called: RFC 6266, 8187; its last part, as browsers save it */
static void
put_file_name(const json_t *shown, struct str number, struct buf *b)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~";
	const json_t *file, *files = json_object_get(json_object_get(shown, "request"), "files");
	struct str name = STR("file");
	uint64_t n = 0;
	size_t i;

	err_ignore(num_parse_u64(number, UINT32_MAX, &n));
	json_array_foreach(files, i, file)
		if ((uint64_t)json_integer_value(json_object_get(file, "n")) == n && *text(file, "name"))
			name = str_c(text(file, "name"));
	for (size_t at; (at = str_chr(name, '/')) != SIZE_MAX;)
		name = str_sub(name, at + 1, SIZE_MAX);
	buf_put_c(b, "attachment; filename*=UTF-8''");
	for (size_t k = 0; k < name.n; k++) {
		if (name.p[k] && strchr(plain, name.p[k]))
			buf_put_char(b, name.p[k]);
		else
			buf_printf(b, "%%%02X", (unsigned char)name.p[k]);
	}
}

void
api_airlock_file(struct request *r)
{
	AUTO_JSON *shown = NULL;
	AUTO_BUF name = BUF(8 * KiB);

	if (!start(r, "airlock.file", &shown))
		return;
	put_file_name(shown, str_sub(r->key, strlen("airlock/") + ID_HEX_LEN + 1, SIZE_MAX), &name);
	r->n_headers = 0; /* no ranges, no conditions: a view is a whole file */
	op_get_object(r);
	end_job(r, r->answer.status == 200);
	if (r->answer.status != 200)
		return;
	buf_clear(&r->answer.head);
	answer_header(r, "Content-Type", STR("application/octet-stream"));
	answer_header(r, "Content-Disposition", buf_str(&name));
	answer_header(r, "Content-Security-Policy", STR("sandbox; default-src 'none'"));
	answer_header(r, "Cache-Control", STR("no-store"));
}

/* ---- in ---- */

bool
api_airlock_begin(struct request *r)
{
	static const char *const kept[] = {"content-length", "content-md5", "transfer-encoding", "x-amz-content-sha256", "expect"};
	AUTO_JSON *shown = NULL;
	size_t n = 0;

	if (!start(r, "airlock.upload", &shown))
		return false;
	for (size_t i = 0; i < r->n_headers; i++)
		for (size_t k = 0; k < ARRAY_LEN(kept); k++)
			if (str_eq_nocase(r->headers[i].name, str_c(kept[k]))) {
				r->headers[n++] = r->headers[i];
				break;
			}
	r->n_headers = n;
	return true;
}

void
api_airlock_stored(struct request *r)
{
	bool good = r->answer.status == 200;

	end_job(r, good);
	if (!good)
		return;
	buf_clear(&r->answer.head); /* PutObject's */
	api_answer(r, 200, json_pack("{s:b}", "stored", true));
}
