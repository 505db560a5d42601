/*
 * The jobs that hand files to a cell or compare them: stage (a release), deliver (an import), verify (before something leaves). Each file's digest is
 * checked while it streams; a parcel whose end is not written is nothing to the cell. doc/cells.md.
 */
#include "base/fd.h"
#include "cell/client.h"
#include "cell/parcel.h"
#include "scrub/job_files.h"

static struct err
into_fd(void *ctx, struct phi piece)
{
	return fd_write_all(*(int *)ctx, phi_borrow(piece));
}

static struct err
send_file(struct work *w, int fd, struct str bucket, const char *key, const struct job_file *f)
{
	struct err e = parcel_write_head(fd, str_c(f->name), f->size);

	if (e.code == ERR_INVALID)
		return work_fail(w, "name", "file");
	TRY(e);
	return job_pass(w, bucket, key, f, into_fd, &fd, NULL, NULL);
}

/* manifest(w, release, files): its digest is what warden knows; what it lists is the release */
static struct err
is_manifest(const struct work *w, const struct job_files *files)
{
	const json_t *release = json_object_get(w->show, "release");
	const char *hex = json_string_value(json_object_get(release, "manifest_sha256"));
	AUTO_BUF digest = BUF(SHA256_BYTES);

	if (!hex)
		return ERR(ERR_INVALID);
	TRY(buf_decode_hex(&digest, str_c(hex)));
	for (size_t i = 0; i < files->n; i++)
		if (strcmp(files->f[i].name, "manifest.json") == 0 && files->f[i].known && digest.n == SHA256_BYTES &&
		    memcmp(files->f[i].sha256, digest.p, SHA256_BYTES) == 0)
			return OK;
	return ERR(ERR_CORRUPT);
}

struct err
job_stage(struct work *w, json_t *result)
{
	struct job_files files;
	struct id cell, release;
	struct str bucket;
	AUTO_FD fd = -1;

	TRY(work_id(w, NULL, "cell", &cell));
	TRY(work_id(w, "release", "id", &release));
	TRY(job_bucket(w, &bucket));
	TRY(job_files(json_object_get(json_object_get(w->show, "release"), "files"), &files));
	if (err_is(is_manifest(w, &files)))
		return work_fail(w, "digest", "manifest");
	TRY(cell_stage(w->cell, cell, w->id, &fd));
	for (size_t i = 0; i < files.n; i++) {
		char key[JOB_KEY_BYTES];

		if (!files.f[i].known)
			return work_fail(w, "digest", "manifest");
		job_release_key(release, files.f[i].name, key);
		TRY(send_file(w, fd, bucket, key, &files.f[i]));
	}
	TRY(parcel_write_end(fd));
	return json_object_set_new(result, "files", json_integer((json_int_t)files.n)) == 0 ? OK : ERR(ERR_NO_MEMORY);
}

/* told(result, n, sha256): one file as warden wants it */
static struct err
told(json_t *list, size_t n, const uint8_t sha256[SHA256_BYTES], uint64_t size)
{
	json_t *o = json_pack("{s:I, s:I}", "n", (json_int_t)n, "size", (json_int_t)size);

	if (!o || json_array_append_new(list, o) != 0)
		return ERR(ERR_NO_MEMORY);
	return job_hex(o, "sha256", sha256, SHA256_BYTES);
}

static struct err
request_files(struct work *w, struct id *ret_request, struct str *ret_bucket, struct job_files *ret)
{
	TRY(work_id(w, "request", "id", ret_request));
	TRY(job_bucket(w, ret_bucket));
	return job_files(json_object_get(json_object_get(w->show, "request"), "files"), ret);
}

struct err
job_verify(struct work *w, json_t *result)
{
	json_t *list = json_array();
	struct job_files files;
	struct id request;
	struct str bucket;

	if (json_object_set_new(result, "files", list) != 0)
		return ERR(ERR_NO_MEMORY);
	TRY(request_files(w, &request, &bucket, &files));
	for (size_t i = 0; i < files.n; i++) {
		uint8_t sha256[SHA256_BYTES];
		char key[JOB_KEY_BYTES];
		uint64_t size;

		if (!files.f[i].known)
			return work_fail(w, "digest", "file");
		job_request_key(request, i + 1, key);
		TRY(job_pass(w, bucket, key, &files.f[i], NULL, NULL, sha256, &size));
		TRY(told(list, i + 1, sha256, size));
	}
	return OK;
}

struct err
job_deliver(struct work *w, json_t *result)
{
	json_t *list = json_array();
	struct job_files files;
	struct id request, cell;
	struct str bucket;
	AUTO_FD fd = -1;

	if (json_object_set_new(result, "files", list) != 0)
		return ERR(ERR_NO_MEMORY);
	TRY(work_id(w, NULL, "cell", &cell));
	TRY(request_files(w, &request, &bucket, &files));
	TRY(cell_deliver(w->cell, cell, w->id, &fd));
	for (size_t i = 0; i < files.n; i++) {
		char key[JOB_KEY_BYTES];

		if (!files.f[i].known)
			return work_fail(w, "digest", "file");
		job_request_key(request, i + 1, key);
		TRY(send_file(w, fd, bucket, key, &files.f[i]));
		TRY(told(list, i + 1, files.f[i].sha256, files.f[i].size));
	}
	return parcel_write_end(fd);
}
