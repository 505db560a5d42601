/*
 * The jobs collect (files out of a cell) and check (files that are to come in): stored, digested, looked through. What comes out of a cell is hostile:
 * its names, its sizes and its pace are whatever somebody inside wanted. doc/airlock-checks.md.
 */
#include <stdio.h>
#include <sys/socket.h>

#include "airlock/checks.h"
#include "base/fd.h"
#include "cell/client.h"
#include "cell/parcel.h"
#include "scrub/job_files.h"

#define FILES_MAX 32
#define PIECE_BYTES (256 * KiB)
#define SILENCE_S 120 /* a parcel that says nothing for so long is broken */
#define PARCEL_BYTES_MAX (1 * GiB)

struct looking_job {
	struct work *w;
	struct id request;
	struct str bucket;
	struct job_files files;
	bool seen[JOB_FILES_MAX];
	uint64_t taken;
	struct known cohort;
	struct hashed pseudonyms;
	json_t *list; /* of the result; borrowed */
	bool inward;
};

/* ---- what must not be in the files ---- */

static struct err
add_pseudonym(void *ctx, struct str hex)
{
	return checks_pseudonym(ctx, hex);
}

static struct err
know(struct looking_job *l, struct pool_data *p, const struct memfile *parquet, size_t n)
{
	struct mac_key *key = mac_key_new();
	uint64_t patients;
	struct err e;

	if (!key)
		return ERR(ERR_NO_MEMORY);
	e = work_key(l->w, "study_key", &key->s);
	if (!err_is(e))
		e = release_cohort(p, key, parquet, n, &patients);
	mac_key_free(key);
	if (err_is(e))
		return e;
	TRY(release_known(p, &l->cohort));
	return release_pseudonyms(pool_tables(p), parquet, n, add_pseudonym, &l->pseudonyms);
}

/* learn(l): the identifiers of the people in this cell's release, and the release's own pseudonyms */
static struct err
learn(struct looking_job *l)
{
	struct memfile parquet[JOB_FILES_MAX] = {0};
	struct pool_data *p = NULL;
	struct job_files files;
	struct id release;
	size_t n = 0;
	struct err e;

	TRY(work_id(l->w, "release", "id", &release));
	TRY(job_files(json_object_get(json_object_get(l->w->show, "release"), "files"), &files));
	e = job_parquet(l->w, release, &files, parquet, &n);
	if (!err_is(e))
		e = work_progress(l->w, 0, 0);
	if (!err_is(e))
		e = job_pool(l->w, &p);
	if (!err_is(e))
		e = know(l, p, parquet, n);
	pool_unload(p);
	for (size_t i = 0; i < n; i++)
		memfile_release(&parquet[i]);
	return e;
}

/* ---- one file ---- */

static struct err
tell_finding(json_t *list, const char *check, const char *severity, const char *place, uint64_t count)
{
	json_t *o = json_pack("{s:s, s:s, s:s, s:I}", "check", check, "severity", severity, "place", place, "count", (json_int_t)count);

	return o && json_array_append_new(list, o) == 0 ? OK : ERR(ERR_NO_MEMORY);
}

static struct err
tell_file(struct looking_job *l, size_t i, const char *type, json_t **ret, json_t **ret_findings)
{
	json_t *o = json_pack("{s:I, s:I, s:s, s:[]}", "n", (json_int_t)i + 1, "size", (json_int_t)0, "type", type, "findings");

	if (!o || json_array_append_new(l->list, o) != 0)
		return ERR(ERR_NO_MEMORY);
	*ret = o;
	*ret_findings = json_object_get(o, "findings");
	return OK;
}

static struct err
missing(struct looking_job *l, size_t i, const char *why)
{
	json_t *o, *findings;

	TRY(tell_file(l, i, "none", &o, &findings));
	return tell_finding(findings, why, "block", "whole file", 1);
}

/* look(l, i, bytes): its digest, what it is, what was found */
static struct err
look(struct looking_job *l, size_t i, struct phi bytes)
{
	struct checks_with with = {.cohort = &l->cohort, .pseudonyms = &l->pseudonyms, .inward = l->inward};
	struct checks *c = calloc(1, sizeof(*c));
	json_t *o = NULL, *findings = NULL;
	uint8_t digest[SHA256_BYTES];
	struct err e;

	if (!c)
		return ERR(ERR_NO_MEMORY);
	e = checks_run(str_c(l->files.f[i].name), bytes, &with, c);
	if (!err_is(e))
		e = tell_file(l, i, file_type_word(c->type), &o, &findings);
	for (size_t k = 0; !err_is(e) && k < c->n; k++)
		e = tell_finding(findings, c->findings[k].check, check_severity_word(c->findings[k].severity), c->findings[k].place,
		    c->findings[k].count);
	free(c);
	if (err_is(e))
		return e;
	sha256(phi_borrow(bytes), digest);
	if (json_object_set_new(o, "size", json_integer((json_int_t)phi_size(bytes))) != 0)
		return ERR(ERR_NO_MEMORY);
	return job_hex(o, "sha256", digest, sizeof(digest));
}

/* ---- out of a cell ---- */

/* take_bytes(fd, n, out): exactly ${n}, as they come */
static struct err
take_bytes(struct looking_job *l, int fd, uint64_t n, struct buf *out)
{
	for (uint64_t got = 0; got < n;) {
		size_t piece = num_min(PIECE_BYTES, n - got);
		void *room = buf_room(out, piece);

		if (!room)
			return buf_check(out);
		TRY(parcel_read(fd, room, piece));
		buf_grew(out, piece);
		got += piece;
		TRY(work_progress(l->w, got, n));
	}
	return OK;
}

static struct err
collect_file(struct looking_job *l, int fd, const struct parcel_entry *entry)
{
	char key[JOB_KEY_BYTES];
	size_t i = 0;

	while (i < l->files.n && (l->seen[i] || strcmp(l->files.f[i].name, entry->name) != 0))
		i++;
	/* a name that nobody asked for, or asked for once and comes twice */
	if (i == l->files.n)
		return work_fail(l->w, "parcel", "name");
	l->seen[i] = true;
	if (entry->size == PARCEL_NONE)
		return missing(l, i, "file-missing");
	l->taken += num_min(entry->size, PARCEL_BYTES_MAX + 1);
	if (entry->size > CHECKS_FILE_BYTES || l->taken > PARCEL_BYTES_MAX)
		return work_fail(l->w, "too-large", "parcel");
	{
		AUTO_BUF bytes = BUF_WIPED(CHECKS_FILE_BYTES);

		TRY(take_bytes(l, fd, entry->size, &bytes));
		job_request_key(l->request, i + 1, key);
		TRY(objects_put(&l->w->objects, l->bucket, str_c(key), phi_of(bytes.p, bytes.n), false, NULL));
		return look(l, i, phi_of(bytes.p, bytes.n));
	}
}

static struct err
collect(struct looking_job *l)
{
	struct timeval silence = {.tv_sec = SILENCE_S};
	struct str paths[FILES_MAX];
	struct parcel_entry entry;
	struct id cell;
	AUTO_FD fd = -1;

	TRY(work_id(l->w, NULL, "cell", &cell));
	for (size_t i = 0; i < l->files.n; i++)
		paths[i] = str_c(l->files.f[i].name);
	TRY(objects_bucket(&l->w->objects, l->bucket, l->bucket));
	TRY(cell_collect(l->w->cell, cell, l->w->id, paths, l->files.n, &fd));
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &silence, sizeof(silence)); /* of a pipe: none; the job's own end remains */
	for (size_t n = 0; n <= l->files.n; n++) {
		struct err e = parcel_read_head(fd, &entry);

		if (err_is(e))
			return work_fail(l->w, "parcel", "head");
		if (entry.name[0] == 0)
			break;
		TRY(collect_file(l, fd, &entry));
	}
	if (entry.name[0] != 0)
		return work_fail(l->w, "parcel", "end");
	for (size_t i = 0; i < l->files.n; i++)
		if (!l->seen[i])
			TRY(missing(l, i, "file-missing"));
	return OK;
}

/* ---- into a cell ---- */

static struct err
check_file(struct looking_job *l, size_t i)
{
	AUTO_BUF bytes = BUF_WIPED(CHECKS_FILE_BYTES);
	char key[JOB_KEY_BYTES];
	struct err e;

	job_request_key(l->request, i + 1, key);
	e = objects_get(&l->w->objects, l->bucket, str_c(key), (struct id){0}, &bytes, NULL);
	if (e.code == ERR_NOT_FOUND)
		return missing(l, i, "file-missing");
	if (e.code == ERR_LIMIT)
		return missing(l, i, "too-large");
	TRY(e);
	return look(l, i, phi_of(bytes.p, bytes.n));
}

static struct err
check_all(struct looking_job *l)
{
	for (size_t i = 0; i < l->files.n; i++) {
		TRY(work_progress(l->w, i, l->files.n));
		TRY(check_file(l, i));
	}
	return OK;
}

static struct err
job_look(struct work *w, json_t *result, bool inward)
{
	struct looking_job *l = calloc(1, sizeof(*l));
	struct err e;

	if (!l)
		return ERR(ERR_NO_MEMORY);
	l->w = w;
	l->inward = inward;
	l->list = json_array();
	e = json_object_set_new(result, "files", l->list) == 0 ? OK : ERR(ERR_NO_MEMORY);
	if (!err_is(e))
		e = work_id(w, "request", "id", &l->request);
	if (!err_is(e))
		e = job_bucket(w, &l->bucket);
	if (!err_is(e))
		e = job_files(json_object_get(json_object_get(w->show, "request"), "files"), &l->files);
	if (!err_is(e) && l->files.n > FILES_MAX)
		e = ERR(ERR_LIMIT);
	if (!err_is(e))
		e = learn(l);
	if (!err_is(e))
		e = inward ? check_all(l) : collect(l);
	known_release(&l->cohort);
	hashed_release(&l->pseudonyms);
	free(l);
	return e;
}

struct err
job_collect(struct work *w, json_t *result)
{
	return job_look(w, result, false);
}

struct err
job_check(struct work *w, json_t *result)
{
	return job_look(w, result, true);
}
