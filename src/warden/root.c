#include "warden/root.h"

#include <fcntl.h>
#include <jansson.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/num.h"
#include "warden/doc.h"

/*
 * RFC 9106, section 4, second recommended option, with twice its memory: guessing is offline once
 * the disk is stolen, and one start waits about a quarter of a second.
 */
#define KDF_MEMORY_KIB (128u * 1024)
#define KDF_PASSES 3u
#define KDF_LANES 4u

#define ROOT_AAD STR("cloister root key v1")
#define FILE_BYTES_MAX (4 * KiB)

static const char kept_magic[16] = "cloister kept 1";

static struct err
write_root(int dir, const struct kdf_params *p, const uint8_t wrapped[WRAPPED_BYTES])
{
	AUTO_BUF b = BUF(FILE_BYTES_MAX);

	buf_printf(&b,
	    "{\"version\":1,\"kdf\":\"argon2id\",\"memory_kib\":%u,\"passes\":%u,\"lanes\":%u,"
	    "\"salt\":\"",
	    p->memory_kib, p->passes, p->lanes);
	buf_put_base64(&b, p->salt, sizeof(p->salt));
	buf_put_c(&b, "\",\"wrapped\":\"");
	buf_put_base64(&b, wrapped, WRAPPED_BYTES);
	buf_put_c(&b, "\"}\n");
	TRY(buf_check(&b));
	return fd_replace_file(dir, ROOT_FILE, buf_str(&b), 0600);
}

static struct err
read_root(int dir, struct kdf_params *p, uint8_t wrapped[WRAPPED_BYTES])
{
	AUTO_BUF b = BUF(FILE_BYTES_MAX);
	AUTO_DOC *j = NULL;

	TRY(fd_read_file(dir, ROOT_FILE, &b));
	TRY(doc_parse(buf_str(&b), &j));
	if (doc_number(j, "version") != 1 || !str_eq(doc_text(j, "kdf"), STR("argon2id")))
		return ERR(ERR_UNSUPPORTED);
	p->memory_kib = (uint32_t)doc_number(j, "memory_kib");
	p->passes = (uint32_t)doc_number(j, "passes");
	p->lanes = (uint32_t)doc_number(j, "lanes");
	TRY(doc_bytes(j, "salt", p->salt, sizeof(p->salt)));
	return doc_bytes(j, "wrapped", wrapped, WRAPPED_BYTES);
}

/* The root key is wrapped or unwrapped under the key that the passphrase makes. */
static struct err
with_passphrase(struct str passphrase, const struct kdf_params *p, struct secret **ret)
{
	struct secret *with = secret_alloc();
	struct err e = with ? passphrase_key(passphrase, p, with) : ERR(ERR_NO_MEMORY);

	if (err_is(e)) {
		secret_free(with);
		return e;
	}
	*ret = with;
	return OK;
}

struct err
root_create(int dir, struct str passphrase, struct root_key **ret)
{
	struct kdf_params p = {
	    .memory_kib = KDF_MEMORY_KIB, .passes = KDF_PASSES, .lanes = KDF_LANES};
	AUTO_KEY(root_key) k = NULL;
	uint8_t wrapped[WRAPPED_BYTES];
	struct secret *with = NULL;
	struct err e;

	if (passphrase.n < PASSPHRASE_BYTES_MIN || passphrase.n > LIMIT_PASSPHRASE_BYTES)
		return ERR(ERR_INVALID);
	if (faccessat(dir, ROOT_FILE, F_OK, 0) == 0)
		return ERR(ERR_EXISTS);
	k = root_key_new();
	if (!k)
		return ERR(ERR_NO_MEMORY);
	secret_random(&k->s);
	rand_bytes(p.salt, sizeof(p.salt));
	TRY(with_passphrase(passphrase, &p, &with));
	e = key_wrap(with, ROOT_AAD, &k->s, wrapped);
	secret_free(with);
	TRY(e);
	TRY(write_root(dir, &p, wrapped));
	*ret = k;
	k = NULL;
	return OK;
}

struct err
root_unlock(int dir, struct str passphrase, struct root_key **ret)
{
	AUTO_KEY(root_key) k = NULL;
	uint8_t wrapped[WRAPPED_BYTES];
	struct kdf_params p;
	struct secret *with = NULL;
	struct err e;

	TRY(read_root(dir, &p, wrapped));
	if (passphrase.n == 0 || passphrase.n > LIMIT_PASSPHRASE_BYTES)
		return ERR(ERR_UNAUTHENTICATED);
	k = root_key_new();
	if (!k)
		return ERR(ERR_NO_MEMORY);
	TRY(with_passphrase(passphrase, &p, &with));
	e = key_unwrap(with, ROOT_AAD, wrapped, &k->s);
	secret_free(with);
	/* a wrong passphrase and a changed file look the same: the first is what happens */
	if (e.code == ERR_CORRUPT)
		return ERR(ERR_UNAUTHENTICATED);
	TRY(e);
	*ret = k;
	k = NULL;
	return OK;
}

struct err
root_read_passphrase(int fd, struct buf *b)
{
	TRY(fd_read_rest(fd, b));
	if (b->n > 0 && b->p[b->n - 1] == '\n')
		b->n--;
	return b->n == 0 ? ERR(ERR_UNAUTHENTICATED) : OK;
}

struct err
root_keep(const struct root_key *k, int *ret_fd)
{
	size_t n = sizeof(kept_magic) + KEY_BYTES;
	AUTO_FD fd = (int)syscall(SYS_memfd_secret, O_CLOEXEC);
	bool is_secret = fd >= 0; /* such pages are locked by nature, and mlock refuses them */
	char *p;

	if (fd < 0)
		fd = memfd_create("kept", MFD_CLOEXEC);
	if (fd < 0 || ftruncate(fd, (off_t)n) != 0)
		return ERR_ERRNO();
	p = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		return ERR_ERRNO();
	/*
	 * Stays mapped, and so locked, for as long as this process lives; the descriptor holds it
	 * after.
	 */
	if (!is_secret && mlock(p, n) != 0) {
		struct err e = ERR_ERRNO();

		munmap(p, n);
		return e;
	}
	memcpy(p, kept_magic, sizeof(kept_magic));
	memcpy(p + sizeof(kept_magic), secret_expose(&k->s), KEY_BYTES);
	*ret_fd = fd_take(&fd);
	return OK;
}

struct err
root_kept(int fd, struct root_key **ret)
{
	size_t n = sizeof(kept_magic) + KEY_BYTES;
	AUTO_KEY(root_key) k = root_key_new();
	uint64_t size;
	char *p;
	bool good;

	if (!k)
		return ERR(ERR_NO_MEMORY);
	TRY(fd_size(fd, &size));
	if (size < n)
		return ERR(ERR_CORRUPT);
	p = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		return ERR_ERRNO();
	good = memcmp(p, kept_magic, sizeof(kept_magic)) == 0;
	if (good)
		secret_set(&k->s, p + sizeof(kept_magic));
	/* stays mapped, as in root_keep() */
	if (!good || mlock(p, n) != 0)
		munmap(p, n);
	if (!good)
		return ERR(ERR_CORRUPT);
	*ret = k;
	k = NULL;
	return OK;
}

void
root_derive(const struct root_key *k, const char *label, struct secret *out)
{
	uint8_t bytes[KEY_BYTES];

	kdf_expand(&k->s, str_c(label), bytes, sizeof(bytes));
	secret_set(out, bytes);
	explicit_bzero(bytes, sizeof(bytes));
}
