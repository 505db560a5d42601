/* What lies on the disk: is there plaintext anywhere, and is an altered byte found? */
#include <fcntl.h>
#include <fts.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/num.h"
#include "bin/cli_out.h"
#include "bin/selftest.h"
#include "crypto/header.h"
#include "crypto/stream.h"

#define PATTERNS_MAX 12
#define PATTERN_BYTES 160
#define WINDOW (4 * MiB)
#define PART_BYTES (5 * MiB)
#define URL_BYTES 512

/* ---- searching ---- */

struct pattern { const char *what; char bytes[PATTERN_BYTES]; size_t n; };
struct search {
	struct pattern patterns[PATTERNS_MAX];
	size_t n;
	char *window;
	uint64_t files, bytes, unreadable;
	const char *found; /* the encoding; NULL: not found */
	char where[256];
};

static void
add_pattern(struct search *s, const char *what, struct str bytes)
{
	INVARIANT(s->n < PATTERNS_MAX && bytes.n > 0 && bytes.n <= PATTERN_BYTES);
	s->patterns[s->n].what = what;
	memcpy(s->patterns[s->n].bytes, bytes.p, bytes.n);
	s->patterns[s->n++].n = bytes.n;
}

/* In base64 the text looks different at each of three alignments, and its ends depend on what is beside it: those are left off. */
static void
add_base64(struct search *s, struct str canary)
{
	static const char *const names[] = {"base64", "base64, shifted by 1", "base64, shifted by 2"};
	static const size_t head[] = {0, 2, 3}, tail[] = {0, 3, 2};

	for (size_t shift = 0; shift < 3; shift++) {
		AUTO_BUF plain = BUF(PATTERN_BYTES);
		AUTO_BUF text = BUF(2 * PATTERN_BYTES);

		buf_put(&plain, "\0\0", shift);
		buf_put_str(&plain, canary);
		buf_put_base64(&text, plain.p, plain.n);
		add_pattern(s, names[shift], str_sub(buf_str(&text), head[shift], text.n - head[shift] - tail[(shift + canary.n) % 3]));
	}
}

static void
put_utf16(struct buf *b, struct str s, bool big_endian)
{
	for (size_t i = 0; i < s.n; i++) {
		if (big_endian)
			buf_put_char(b, 0);
		buf_put_char(b, s.p[i]);
		if (!big_endian)
			buf_put_char(b, 0);
	}
}

static void
make_patterns(struct search *s, struct str canary)
{
	AUTO_BUF hex = BUF(PATTERN_BYTES);
	AUTO_BUF upper = BUF(PATTERN_BYTES);
	AUTO_BUF little = BUF(PATTERN_BYTES);
	AUTO_BUF big = BUF(PATTERN_BYTES);

	add_pattern(s, "as it is", canary);
	buf_put_hex(&hex, canary.p, canary.n);
	for (size_t i = 0; i < hex.n; i++)
		buf_put_char(&upper, hex.p[i] >= 'a' ? (char)(hex.p[i] - 32) : hex.p[i]);
	add_pattern(s, "hex", buf_str(&hex));
	add_pattern(s, "upper-case hex", buf_str(&upper));
	put_utf16(&little, canary, false);
	put_utf16(&big, canary, true);
	add_pattern(s, "UTF-16LE", buf_str(&little));
	add_pattern(s, "UTF-16BE", buf_str(&big));
	add_base64(s, canary);
}

/* Windows overlap by a pattern's length, so that nothing hides at a border. */
static bool
search_fd(struct search *s, int fd)
{
	size_t kept = 0;
	ssize_t n;

	while ((n = read(fd, s->window + kept, WINDOW - kept)) > 0) {
		size_t have = kept + (size_t)n;

		for (size_t i = 0; i < s->n; i++)
			if (memmem(s->window, have, s->patterns[i].bytes, s->patterns[i].n)) {
				s->found = s->patterns[i].what;
				return true;
			}
		s->bytes += (uint64_t)n;
		kept = have < PATTERN_BYTES ? have : PATTERN_BYTES;
		memmove(s->window, s->window + have - kept, kept);
	}
	s->unreadable += n < 0;
	return false;
}

/* the search finds what it is made to find, in each encoding made another way */
static bool
search_works(struct search *s, struct str canary)
{
	for (size_t i = 0; i < s->n; i++) {
		AUTO_BUF plain = BUF(KiB);
		AUTO_BUF all = BUF(64 * KiB);
		AUTO_FD fd = memfd_create("control", MFD_CLOEXEC);
		static const char *const around[] = {"", "x", "xy"};
		const char *what = s->patterns[i].what;

		for (int k = 0; k < 1000; k++)
			buf_put_c(&all, "filler ");
		if (strstr(what, "base64")) {
			buf_put_c(&plain, around[strstr(what, "1") ? 1 : strstr(what, "2") ? 2 : 0]);
			buf_put_str(&plain, canary);
			buf_put_c(&plain, "and more");
			buf_put_base64(&all, plain.p, plain.n);
		} else if (strstr(what, "UTF-16")) {
			put_utf16(&all, canary, strstr(what, "BE") != NULL);
		} else if (strstr(what, "hex")) {
			for (size_t k = 0; k < canary.n; k++)
				buf_printf(&all, *what == 'u' ? "%02X" : "%02x", (unsigned char)canary.p[k]);
		} else {
			buf_put_str(&all, canary);
		}
		if (fd < 0 || err_is(fd_write_all(fd, buf_str(&all))) || lseek(fd, 0, SEEK_SET) != 0 || !search_fd(s, fd) ||
		    strcmp(s->found, what) != 0)
			return false;
		s->found = NULL;
	}
	s->bytes = 0;
	return true;
}

static void
search_state(struct selftest *t, struct search *s)
{
	char root[CLI_PATH_MAX];
	char *const roots[] = {root, NULL};
	FTS *tree;
	FTSENT *f;

	if (err_is(cli_path(root, "%s", t->state)) || !(tree = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL))) {
		s->unreadable++;
		return;
	}
	while (!s->found && (f = fts_read(tree))) {
		AUTO_FD fd = -1;

		if (f->fts_info == FTS_DNR || f->fts_info == FTS_ERR)
			s->unreadable++;
		if (f->fts_info != FTS_F)
			continue;
		fd = open(f->fts_path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
		if (fd < 0) {
			s->unreadable += errno != ENOENT; /* removed meanwhile */
			continue;
		}
		s->files++;
		if (search_fd(s, fd))
			snprintf(s->where, sizeof(s->where), "%.250s", f->fts_path + strlen(root));
	}
	fts_close(tree);
}

/* ---- what is planted ---- */

/* ${n} bytes with the canary at the beginning, across a chunk's border, and at the end */
static struct err
make_body(const struct selftest *t, size_t n, struct buf *b)
{
	char *p = buf_room(b, n);

	if (!p)
		return ERR(ERR_NO_MEMORY);
	for (size_t i = 0; i < n; i++)
		p[i] = (char)('0' + i % 10);
	memcpy(p, t->canary, CANARY_LETTERS);
	if (n > STREAM_CHUNK + CANARY_LETTERS)
		memcpy(p + STREAM_CHUNK - CANARY_LETTERS / 2, t->canary, CANARY_LETTERS);
	memcpy(p + n - CANARY_LETTERS, t->canary, CANARY_LETTERS);
	buf_grew(b, n);
	return OK;
}

static bool
put_body(struct selftest *t, const char *key, struct str body)
{
	AUTO_ANSWER a = NET_ANSWER;
	char path[URL_BYTES], header[128];

	snprintf(path, sizeof(path), "/%s/%s", t->alice.bucket, key);
	snprintf(header, sizeof(header), "x-amz-meta-planted: %s", t->canary);
	s3(t, &t->alice.key, "PUT", path, header, body, &a);
	return a.status == 200;
}

static bool
put_parts(struct selftest *t, struct str body)
{
	AUTO_ANSWER a = NET_ANSWER;
	AUTO_BUF list = BUF(KiB);
	char path[URL_BYTES], upload[80] = "", header[128];
	size_t from, n;

	snprintf(path, sizeof(path), "/%s/in-parts?uploads=", t->alice.bucket);
	snprintf(header, sizeof(header), "x-amz-meta-planted: %s", t->canary);
	s3(t, &t->alice.key, "POST", path, header, STR_NONE, &a);
	from = str_find(buf_str(&a.body), STR("<UploadId>"));
	n = from == SIZE_MAX ? SIZE_MAX : str_find(str_sub(buf_str(&a.body), from + 10, SIZE_MAX), STR("</UploadId>"));
	if (a.status != 200 || n >= sizeof(upload))
		return false;
	memcpy(upload, a.body.p + from + 10, n);
	upload[n] = 0;
	buf_put_c(&list, "<CompleteMultipartUpload>");
	for (unsigned part = 1; part <= 2; part++) {
		struct str bytes = part == 1 ? str_sub(body, 0, PART_BYTES) : str_sub(body, PART_BYTES, SIZE_MAX);

		snprintf(path, sizeof(path), "/%s/in-parts?partNumber=%u&uploadId=%s", t->alice.bucket, part, upload);
		s3(t, &t->alice.key, "PUT", path, NULL, bytes, &a);
		if (a.status != 200)
			return false;
		buf_printf(&list, "<Part><PartNumber>%u</PartNumber><ETag>%s</ETag></Part>", part, a.etag);
	}
	buf_put_c(&list, "</CompleteMultipartUpload>");
	snprintf(path, sizeof(path), "/%s/in-parts?uploadId=%s", t->alice.bucket, upload);
	s3(t, &t->alice.key, "POST", path, NULL, buf_str(&list), &a);
	return a.status == 200;
}

static bool
plant(struct selftest *t)
{
	AUTO_BUF small = BUF(KiB * 4);
	AUTO_BUF large = BUF(SELFTEST_FILE_BYTES);
	AUTO_BUF parts = BUF(PART_BYTES + SELFTEST_FILE_BYTES);

	return !err_is(make_body(t, 2 * KiB, &small)) && !err_is(make_body(t, SELFTEST_FILE_BYTES, &large)) &&
	    !err_is(make_body(t, PART_BYTES + 100 * KiB, &parts)) && put_body(t, "inline", buf_str(&small)) &&
	    put_body(t, "in-file", buf_str(&large)) && put_parts(t, buf_str(&parts));
}

static bool
may_see_disk(const struct selftest *t, int how)
{
	char path[CLI_PATH_MAX];

	return !err_is(cli_path(path, "%s/vault/blobs", t->state)) && access(path, how) == 0;
}

void
attack_plaintext(struct selftest *t)
{
	static const char attack[] = "find plaintext on the disk";
	struct search s = {.n = 0};
	char bytes[32];

	if (!may_see_disk(t, R_OK | X_OK)) {
		tell(t, SKIPPED, attack, "%s/vault cannot be read: run this as root, or as the owner, on the server", t->state);
		return;
	}
	s.window = malloc(WINDOW);
	make_patterns(&s, str_c(t->canary));
	if (!s.window || !search_works(&s, str_c(t->canary))) {
		tell(t, FAILED, attack, "the search does not find what it should (%s)", s.found ? s.found : "nothing");
	} else if (!plant(t)) {
		tell(t, FAILED, attack, "objects cannot be planted");
	} else {
		search_state(t, &s);
		out_bytes(s.bytes, bytes);
		if (s.found)
			tell(t, FAILED, attack, "%s holds it, %s", s.where, s.found);
		else if (s.unreadable || s.files == 0)
			tell(t, SKIPPED, attack, "%llu files or folders cannot be read", (unsigned long long)s.unreadable);
		else
			tell(t, REFUSED, attack, "a planted secret (inline, file, parts, metadata) in %llu files, %s, %zu encodings: nowhere",
			    (unsigned long long)s.files, bytes, s.n);
	}
	free(s.window);
}

/* ---- an altered byte ---- */

/* the file of the one large object in ${bucket}; only headers are looked at */
static int
find_blob(const struct selftest *t, struct id bucket, uint64_t size)
{
	char root[CLI_PATH_MAX];
	char *const roots[] = {root, NULL};
	FTS *tree;
	FTSENT *f;
	int found = -1;

	if (err_is(cli_path(root, "%s/vault/blobs", t->state)) || !(tree = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL)))
		return -1;
	while (found < 0 && (f = fts_read(tree))) {
		uint8_t head[HEADER_BYTES];
		struct blob_header h;
		AUTO_FD fd = -1;

		if (f->fts_info != FTS_F || (uint64_t)f->fts_statp->st_size != size)
			continue;
		fd = open(f->fts_path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
		if (fd >= 0 && !err_is(fd_pread_all(fd, head, sizeof(head), 0)) && !err_is(header_decode(head, &h)) &&
		    id_eq(h.bucket, bucket))
			found = fd_take(&fd);
	}
	fts_close(tree);
	return found;
}

static bool
flip(int fd, uint64_t at)
{
	uint8_t byte;

	if (err_is(fd_pread_all(fd, &byte, 1, at)))
		return false;
	byte ^= 1;
	return !err_is(fd_pwrite_all(fd, str_of(&byte, 1), at));
}

static bool
get_altered(struct selftest *t, struct net_answer *ret)
{
	char path[URL_BYTES];

	snprintf(path, sizeof(path), "/%s/to-alter", t->alice.bucket);
	s3(t, &t->alice.key, "GET", path, NULL, STR_NONE, ret);
	return ret->status == 200 && !ret->cut;
}

static void
alter(struct selftest *t, int fd, struct str body)
{
	static const char attack[] = "alter a byte of a stored object";
	AUTO_ANSWER a = NET_ANSWER;
	const uint64_t chunk = 5, at = HEADER_BYTES + STREAM_HEAD + chunk * STREAM_SEALED_CHUNK + 100;
	bool whole, prefix, restored;
	long status;
	size_t n;

	if (!flip(fd, at)) {
		tell(t, SKIPPED, attack, "its file cannot be written");
		return;
	}
	whole = get_altered(t, &a);
	prefix = a.status != 200 || (a.body.n <= chunk * STREAM_CHUNK && str_eq(buf_str(&a.body), str_sub(body, 0, a.body.n)));
	status = a.status;
	n = status == 200 ? a.body.n : 0;
	restored = flip(fd, at) && get_altered(t, &a) && str_eq(buf_str(&a.body), body);
	if (!restored)
		tell(t, FAILED, attack, "the object is not read again after the byte was put back");
	else if (whole || !prefix || status == 0)
		tell(t, FAILED, attack, "HTTP %ld, %zu bytes were given out", status, n);
	else
		tell(t, REFUSED, attack, "HTTP %ld, %s; put back, it is read again", status, n || status == 200 ?
		    "cut before the altered chunk" : "nothing given out");
}

void
attack_blob(struct selftest *t)
{
	static const char attack[] = "alter a byte of a stored object";
	AUTO_BUF body = BUF(SELFTEST_FILE_BYTES + KiB);
	AUTO_JSON *bucket = NULL;
	AUTO_FD fd = -1;
	char path[URL_BYTES];
	struct id id;

	if (!may_see_disk(t, R_OK | W_OK | X_OK)) {
		tell(t, SKIPPED, attack, "%s/vault cannot be written: run this as root, or as the owner, on the server", t->state);
		return;
	}
	snprintf(path, sizeof(path), "/api/buckets/%s", t->alice.bucket);
	/* a size of its own, by which its file is known among those of this bucket */
	if (err_is(make_body(t, SELFTEST_FILE_BYTES + 77, &body)) || !put_body(t, "to-alter", buf_str(&body)) ||
	    api(t, &t->alice.key, "GET", path, NULL, &bucket) != 200 || err_is(id_parse(str_c(out_member(bucket, "id")), &id))) {
		tell(t, FAILED, attack, "an object cannot be made");
		return;
	}
	fd = find_blob(t, id, HEADER_BYTES + stream_sealed_size(body.n));
	if (fd < 0)
		tell(t, SKIPPED, attack, "its file is not below %s: is this the folder of that server?", t->state);
	else
		alter(t, fd, buf_str(&body));
}
