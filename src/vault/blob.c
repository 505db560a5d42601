/*
 * Files of sealed streams. A file is made without a name (O_TMPFILE), filled and synced by gate, and given its name here when
 * its version is committed; so a crash leaves either nothing or a file that no row names, which collecting removes. Names are random;
 * all files of one batch go to one folder, so that one sync makes their names durable. doc/vault.md has the order.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/fd.h"
#include "crypto/stream.h"
#include "vault/store.h"

/* /proc/self/fd, opened before the jail: before Linux 6.10 only it can name a nameless file without a capability. */
static int own_descriptors = -1;

#define NAME_BYTES (3 + ID_HEX_LEN + 1) /* "xx/", 32 digits */

struct err
vault_before_jail(void)
{
	if (own_descriptors >= 0)
		return OK;
	own_descriptors = open("/proc/self/fd", O_PATH | O_DIRECTORY | O_CLOEXEC);
	return own_descriptors >= 0 ? OK : ERR_ERRNO();
}

static void
name_of(struct id id, char out[NAME_BYTES])
{
	snprintf(out, NAME_BYTES, "%02x/", id.b[0]);
	id_format(id, out + 3);
}

struct err
blob_folders_make(const char *dir)
{
	AUTO_FD top = -1;
	AUTO_FD blobs = -1;

	TRY(fd_open_at(AT_FDCWD, dir, O_RDONLY | O_DIRECTORY, 0, &top));
	TRY(fd_make_dir(top, "blobs", 0700));
	TRY(fd_open_at(top, "blobs", O_RDONLY | O_DIRECTORY, 0, &blobs));
	for (unsigned i = 0; i < 256; i++) {
		char name[3];

		snprintf(name, sizeof(name), "%02x", i & 0xff);
		TRY(fd_make_dir(blobs, name, 0700));
	}
	return fsync(blobs) == 0 && fsync(top) == 0 ? OK : ERR_ERRNO();
}

struct err
blob_check_new(const struct vault *v, int fd, uint64_t size, uint8_t ret_header[HEADER_BYTES])
{
	struct stat st, ours;

	if (fstat(fd, &st) != 0 || fstat(v->blobs, &ours) != 0)
		return ERR_ERRNO();
	if (!S_ISREG(st.st_mode) || st.st_nlink != 0 || st.st_dev != ours.st_dev ||
	    (uint64_t)st.st_size != HEADER_BYTES + stream_sealed_size(size))
		return ERR(ERR_INVALID);
	return fd_pread_all(fd, ret_header, HEADER_BYTES, 0);
}

static struct err
link_file(const struct vault *v, int fd, const char *name)
{
	char number[16];

	if (fault_hit(FAULT_OPEN)) {
		errno = EIO;
		return ERR_ERRNO();
	}
	if (linkat(fd, "", v->blobs, name, AT_EMPTY_PATH) == 0)
		return OK;
	if ((errno != ENOENT && errno != EPERM) || own_descriptors < 0)
		return ERR_ERRNO();
	snprintf(number, sizeof(number), "%d", fd);
	return linkat(own_descriptors, number, v->blobs, name, AT_SYMLINK_FOLLOW) == 0 ? OK : ERR_ERRNO();
}

struct err
blob_link(struct vault *v, int fd, const uint8_t sha256[32], struct id *ret)
{
	AUTO_QUERY q = {0};
	struct id id = id_new();
	char name[NAME_BYTES];
	struct err e;

	/* whether gate has synced it is not ours to believe; it costs little if it has */
	e = fd_sync(fd);
	if (err_is(e))
		return e.code == ERR_NO_SPACE ? e : ERR(ERR_IO);
	id.b[0] = v->folder;
	if (!id_list_add(&v->linked, id))
		return ERR(ERR_NO_MEMORY);
	name_of(id, name);
	e = link_file(v, fd, name);
	if (err_is(e)) {
		v->linked.n--;
		return e;
	}
	v->folder_dirty = true;
	db_start(v->db, SQL_BLOB_ADD, &q);
	query_put_id(&q, id);
	query_put_i64(&q, v->now_us);
	query_put_str(&q, str_of(sha256, 32));
	WRITE(v, query_run(&q));
	v->tally[TALLY_BLOBS]++;
	*ret = id;
	return OK;
}

struct err
blob_sync_folder(struct vault *v)
{
	AUTO_FD fd = -1;
	char name[3];

	if (!v->folder_dirty)
		return OK;
	snprintf(name, sizeof(name), "%02x", v->folder);
	TRY(fd_open_at(v->blobs, name, O_RDONLY | O_DIRECTORY, 0, &fd));
	if (fault_hit(FAULT_SYNC))
		return ERR(ERR_IO);
	if (fsync(fd) != 0)
		return ERR_ERRNO();
	v->folder_dirty = false;
	return OK;
}

struct err
blob_let_go(struct vault *v, struct id id)
{
	AUTO_QUERY q = {0};

	db_start(v->db, SQL_BLOB_REMOVE, &q);
	query_put_id(&q, id);
	TRY(query_run(&q));
	if (query_changes(v->db) != 1)
		return ERR(ERR_CORRUPT);
	v->tally[TALLY_BLOBS]--;
	return id_list_add(&v->removed, id) ? OK : ERR(ERR_NO_MEMORY);
}

struct err
blob_open_any(const struct vault *v, struct id id, int flags, int *ret_fd)
{
	char name[NAME_BYTES];

	name_of(id, name);
	return fd_open_at(v->blobs, name, flags | O_NOFOLLOW, 0, ret_fd);
}

struct err
blob_open(struct vault *v, struct id id, uint64_t size, int *ret_fd)
{
	AUTO_QUERY q = {0};
	AUTO_FD fd = -1;
	uint64_t bytes, bad;
	bool is_row;
	struct err e;

	db_start(v->db, SQL_BLOB_GET, &q);
	query_put_id(&q, id);
	TRY(query_step(&q, &is_row));
	bad = is_row ? query_u64(&q) : 1;
	TRY(query_check(&q));
	if (bad != 0)
		return ERR(ERR_CORRUPT);
	e = blob_open_any(v, id, O_RDONLY, &fd);
	if (e.code == ERR_NOT_FOUND)
		return ERR(ERR_CORRUPT);
	TRY(e);
	TRY(fd_size(fd, &bytes));
	if (bytes != HEADER_BYTES + stream_sealed_size(size))
		return ERR(ERR_CORRUPT);
	*ret_fd = fd_take(&fd);
	return OK;
}

void
blob_unlink(const struct vault *v, struct id id)
{
	char name[NAME_BYTES];

	name_of(id, name);
	unlinkat(v->blobs, name, 0); /* what stays is collected later */
}

bool
blob_trash_some(struct vault *v, size_t max)
{
	while (max-- > 0 && v->trash.n > 0)
		blob_unlink(v, v->trash.p[--v->trash.n]);
	return v->trash.n > 0;
}

static struct err
is_named(struct vault *v, struct id id, bool *ret)
{
	AUTO_QUERY q = {0};

	db_start(v->db, SQL_BLOB_GET, &q);
	query_put_id(&q, id);
	return query_step(&q, ret);
}

static struct err
collect_entries(struct vault *v, unsigned folder, DIR *d, uint64_t *ret_n)
{
	uint64_t n = 0;

	for (;;) {
		struct dirent *at;
		struct id id;
		bool named;

		errno = 0;
		at = readdir(d);
		if (!at && errno != 0)
			return ERR_ERRNO();
		if (!at)
			break;
		/* only what this program has made */
		if (err_is(id_parse(str_c(at->d_name), &id)) || id.b[0] != folder)
			continue;
		TRY(is_named(v, id, &named));
		if (named)
			continue;
		blob_unlink(v, id);
		n++;
	}
	*ret_n = n;
	return OK;
}

struct err
blob_collect_folder(struct vault *v, unsigned folder, uint64_t *ret_n)
{
	AUTO_FD fd = -1;
	struct err e;
	char name[3];
	DIR *d;

	snprintf(name, sizeof(name), "%02x", folder & 0xff);
	TRY(fd_open_at(v->blobs, name, O_RDONLY | O_DIRECTORY, 0, &fd));
	d = fdopendir(fd);
	if (!d)
		return ERR_ERRNO();
	fd = -1; /* the stream's now */
	e = collect_entries(v, folder, d, ret_n);
	closedir(d);
	return e;
}

struct err
op_blob_new(struct vault *v, struct request *r)
{
	struct cur c = msg_cur(&r->in);
	uint64_t hint = cur_u64(&c);
	AUTO_FD fd = -1;
	char name[3];

	TRY(cur_end(&c));
	if (hint > LIMIT_SINGLE_PUT_BYTES)
		return ERR(ERR_LIMIT);
	TRY(store_room(v, hint));
	/* in one of the folders it may be linked to: the kernel then keeps inode and name together */
	snprintf(name, sizeof(name), "%02x", v->folder);
	TRY(fd_open_at(v->blobs, name, O_RDWR | O_TMPFILE, 0600, &fd));
	if (hint > 0 && fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, (off_t)(HEADER_BYTES + stream_sealed_size(hint))) != 0 &&
	    errno != EOPNOTSUPP && errno != EINTR)
		return ERR_ERRNO();
	msg_give_fd(&r->out, fd_take(&fd));
	return OK;
}
