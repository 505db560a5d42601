#include "scrub/job_files.h"

#include <stdio.h>
#include <sys/sysinfo.h>

#define ENGINE_BYTES_MIN (512 * MiB)
#define STATEMENT_US ((int64_t)30 * 60 * 1000 * 1000) /* the job itself ends after 15 minutes without progress */

struct err
job_bucket(const struct work *w, struct str *ret)
{
	const char *name = json_string_value(json_object_get(w->show, "bucket"));

	if (!name)
		return ERR(ERR_INVALID);
	*ret = str_c(name);
	return OK;
}

static struct err
one_file(const json_t *o, struct job_file *ret)
{
	const char *name = json_string_value(json_object_get(o, "name")), *hex = json_string_value(json_object_get(o, "sha256"));
	json_int_t size = json_integer_value(json_object_get(o, "size"));

	if (!name || strlen(name) >= sizeof(ret->name) || size < 0)
		return ERR(ERR_INVALID);
	*ret = (struct job_file){.size = (uint64_t)size};
	(void)snprintf(ret->name, sizeof(ret->name), "%s", name);
	if (hex) {
		AUTO_BUF bytes = BUF(SHA256_BYTES);

		TRY(buf_decode_hex(&bytes, str_c(hex)));
		if (err_is(buf_check(&bytes)) || bytes.n != SHA256_BYTES)
			return ERR(ERR_INVALID);
		memcpy(ret->sha256, bytes.p, SHA256_BYTES);
		ret->known = true;
	}
	return OK;
}

struct err
job_files(const json_t *list, struct job_files *ret)
{
	ret->n = 0;
	if (!json_is_array(list))
		return ERR(ERR_INVALID);
	if (json_array_size(list) > JOB_FILES_MAX)
		return ERR(ERR_LIMIT);
	for (size_t i = 0; i < json_array_size(list); i++)
		TRY(one_file(json_array_get(list, i), &ret->f[ret->n++]));
	return OK;
}

void
job_release_key(struct id release, const char *name, char out[JOB_KEY_BYTES])
{
	char hex[ID_HEX_LEN + 1];

	id_format(release, hex);
	(void)snprintf(out, JOB_KEY_BYTES, "release/%s/%s", hex, name);
}

void
job_request_key(struct id request, size_t n, char out[JOB_KEY_BYTES])
{
	char hex[ID_HEX_LEN + 1];

	id_format(request, hex);
	(void)snprintf(out, JOB_KEY_BYTES, "airlock/%s/%zu", hex, n);
}

struct passing {
	struct work *w;
	struct digest *digest;
	uint64_t size, max;
	struct err (*sink)(void *ctx, struct phi piece);
	void *ctx;
};

static struct err
pass_piece(void *ctx, struct phi piece)
{
	struct passing *p = ctx;
	struct str s = phi_borrow(piece);

	p->size += s.n;
	if (p->size > p->max)
		return work_fail(p->w, "digest", "size");
	digest_update(p->digest, s.p, s.n);
	TRY(work_progress(p->w, p->size, p->max == UINT64_MAX ? 0 : p->max));
	return p->sink ? p->sink(p->ctx, piece) : OK;
}

struct err
job_pass(struct work *w, struct str bucket, const char *key, const struct job_file *want,
    struct err (*sink)(void *ctx, struct phi piece), void *ctx, uint8_t ret_sha256[SHA256_BYTES], uint64_t *ret_size)
{
	bool checked = want && want->known;
	struct passing p = {.w = w, .digest = digest_new(DIGEST_SHA256), .sink = sink, .ctx = ctx, .max = checked ? want->size : UINT64_MAX};
	uint8_t out[DIGEST_MAX_BYTES];
	struct err e;

	if (!p.digest)
		return ERR(ERR_NO_MEMORY);
	e = objects_read(&w->objects, bucket, str_c(key), (struct id){0}, pass_piece, &p);
	(void)digest_final(p.digest, out);
	digest_free(p.digest);
	if (err_is(e))
		return e;
	if (checked && (p.size != want->size || memcmp(out, want->sha256, SHA256_BYTES) != 0))
		return work_fail(w, "digest", "bytes");
	if (ret_sha256)
		memcpy(ret_sha256, out, SHA256_BYTES);
	if (ret_size)
		*ret_size = p.size;
	return OK;
}

static struct err
into_memfile(void *ctx, struct phi piece)
{
	return memfile_append(ctx, piece);
}

struct err
job_parquet(struct work *w, struct id release, const struct job_files *files, struct memfile *out, size_t *ret_n)
{
	struct str bucket;

	*ret_n = 0;
	TRY(job_bucket(w, &bucket));
	for (size_t i = 0; i < files->n; i++) {
		char key[JOB_KEY_BYTES];

		if (!str_starts(str_c(files->f[i].name), STR("parquet/")))
			continue;
		TRY(memfile_make(&out[*ret_n]));
		++*ret_n;
		job_release_key(release, files->f[i].name, key);
		TRY(job_pass(w, bucket, key, &files->f[i], into_memfile, &out[*ret_n - 1], NULL, NULL));
	}
	return OK;
}

struct err
job_pool(struct work *w, struct pool_data **ret)
{
	struct pool_store store = pool_store_objects(&w->objects);
	struct tables_options o = {.memory_bytes = ENGINE_BYTES_MIN, .threads = 2, .limit_us = STATEMENT_US};
	struct sysinfo machine;

	/* half of the machine: the rest is for the files in memory and for everybody else */
	if (sysinfo(&machine) == 0 && (uint64_t)machine.totalram * machine.mem_unit / 2 > o.memory_bytes)
		o.memory_bytes = (uint64_t)machine.totalram * machine.mem_unit / 2;
	return pool_load(&store, w->generation, &o, ret);
}

struct err
job_hex(json_t *o, const char *member, const void *bytes, size_t n)
{
	AUTO_BUF hex = BUF(256);

	buf_put_hex(&hex, bytes, n);
	TRY(buf_check(&hex));
	return json_object_set_new(o, member, json_stringn(hex.p, hex.n)) == 0 ? OK : ERR(ERR_NO_MEMORY);
}
