/* job_files: what the jobs of releases and of the airlock share: the files of a release, digests while bytes pass, a study's bucket. */
#ifndef CLOISTER_SCRUB_JOB_FILES_H
#define CLOISTER_SCRUB_JOB_FILES_H

#include "crypto/crypto.h"
#include "scrub/scrub.h"
#include "study/release.h"

#define JOB_KEY_BYTES 256
#define JOB_FILES_MAX 64 /* of one release; an airlock request has fewer */

struct job_file {
	char name[128];
	uint64_t size;
	uint8_t sha256[SHA256_BYTES];
	bool known; /* size and sha256 are */
};
struct job_files { struct job_file f[JOB_FILES_MAX]; size_t n; };

/* job_bucket(w): "study-…" of job.show. INVALID */
struct err job_bucket(const struct work *w, struct str *ret);
/* job_files(list, &files): {"name","size","sha256"} each, as warden tells them. INVALID, LIMIT */
struct err job_files(const json_t *list, struct job_files *ret);
/* job_release_key(release, name, out), job_request_key(request, n, out): where a file lies in the study's bucket; terminated */
void job_release_key(struct id release, const char *name, char out[JOB_KEY_BYTES]);
void job_request_key(struct id request, size_t n, char out[JOB_KEY_BYTES]);

/*
 * job_pass(w, bucket, key, want, sink, ctx): the object piece by piece to ${sink}; CORRUPT, with "digest" as the reason, if it is not ${want}: then
 * what ${sink} was given must not be used. ${want} NULL: anything. *ret_sha256 and *ret_size may be NULL.
 */
struct err job_pass(struct work *w, struct str bucket, const char *key, const struct job_file *want,
    struct err (*sink)(void *ctx, struct phi piece), void *ctx, uint8_t ret_sha256[SHA256_BYTES], uint64_t *ret_size);

/* job_parquet(w, release, files, out, &n): the Parquet files of a release in memory; ${out} has JOB_FILES_MAX. Release each. */
struct err job_parquet(struct work *w, struct id release, const struct job_files *files, struct memfile *out, size_t *ret_n);
/* job_pool(w, &p): the pool of this job's generation, loaded */
struct err job_pool(struct work *w, struct pool_data **ret);
/* job_hex(o, member, bytes, n): sets ${member} of ${o}. NO_MEMORY */
struct err job_hex(json_t *o, const char *member, const void *bytes, size_t n);

#endif
