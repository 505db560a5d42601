/*
 * download: plaintext of a stored object on its way out, opened chunk by chunk as the connection takes it. Memory is flat.
 * Nothing is given out before its tag has verified; a failure in mid-stream breaks the connection. While it runs it watches the
 * siren page: when that changes, the grant is asked for again (warden_still). Also the source of copies. Processes: gate, scrub.
 */
#ifndef CLOISTER_OBJECTS_DOWNLOAD_H
#define CLOISTER_OBJECTS_DOWNLOAD_H

#include "crypto/stream.h"
#include "objects/manifest.h"

/* whom it asks; ${siren} may be NULL: a job's opening is short, and asked for anew each time */
struct download_from { struct pool *warden, *vault; const volatile struct siren *siren; };

struct download;
/*
 * download_new(from, object, manifest, key (taken), grant, from, n, &d): plaintext [from, from + n) of ${o}. Takes the
 * descriptor in ${o}.
 */
struct err download_new(const struct download_from *h, struct object_info *o, const struct blob_header *ids, const struct manifest *m, struct data_key *k,
    const struct grant *g, uint64_t from, uint64_t n, struct download **ret);
/* download_read(d, out, max, &n): the next bytes; 0 at the end. */
struct err download_read(struct download *d, void *out, size_t max, size_t *ret_n);
void download_free(struct download *d);

#endif
