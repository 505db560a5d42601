/* A log in a folder of its own, for the ledger's tests. */
#ifndef TEST_LEDGER_FIXTURE_H
#define TEST_LEDGER_FIXTURE_H

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/fd.h"
#include "ledger/entry.h"
#include "ledger/offline.h"
#include "ledger/search.h"
#include "ledger/state.h"

#define ok(e) assert_int_equal((e).code, ERR_NONE)
#define ORIGIN STR("test.example/log")
#define UNUSED __attribute__((unused))

static struct sign_key *the_key;
static char the_vkey[256];

struct folder { char path[64]; int fd; };

static UNUSED struct folder
folder_new(void)
{
	struct folder d = {.path = "/tmp/cloister-ledger-XXXXXX"};

	assert_non_null(mkdtemp(d.path));
	d.fd = open(d.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(d.fd >= 0);
	return d;
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static UNUSED void
folder_remove(struct folder *d)
{
	fd_close(&d->fd);
	assert_int_equal(nftw(d->path, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
}

static UNUSED struct ledger *
log_open(const struct folder *d)
{
	struct ledger *l = NULL;

	ok(ledger_open(d->fd, the_key, NULL, &l));
	return l;
}

static UNUSED struct ledger *
log_new(const struct folder *d)
{
	ok(ledger_create(d->fd, ORIGIN, the_key));
	return log_open(d);
}

/* log_drop(l): as if the process had died. */
static UNUSED void
log_drop(struct ledger *l)
{
	l->dead = true;
	ledger_close(l);
}

static UNUSED struct err
log_add(struct ledger *l, uint64_t i)
{
	struct record r = {0};
	struct receipt receipt;
	char subject[32];

	snprintf(subject, sizeof(subject), "s-%llu", (unsigned long long)(i % 97));
	record_word(&r, RECORD_ACT, i % 3 ? STR("object.get") : STR("object.put"));
	record_word(&r, RECORD_SUBJECT, str_c(subject));
	record_id(&r, RECORD_WHO, (struct id){{1, (uint8_t)(i % 5)}});
	record_number(&r, RECORD_SIZE, i);
	TRY(ledger_add(l, &r, STR("vault"), &receipt));
	assert_int_equal(receipt_index(&receipt), i);
	return OK;
}

/* adds until the log has ${size} entries, in groups of ${group} */
static UNUSED void
log_fill(struct ledger *l, uint64_t size, uint64_t group)
{
	for (uint64_t i = l->frontier.size; i < size; i++) {
		ok(log_add(l, i));
		if ((i + 1) % group == 0)
			ok(ledger_commit(l));
	}
	ok(ledger_commit(l));
}

static UNUSED struct err
log_verify(const struct folder *d, struct ledger_fault *fault, struct ledger_report *report)
{
	struct ledger_report r;
	struct ledger_fault f = {0};
	struct err e = ledger_verify(d->fd, str_c(the_vkey), STR_NONE, NULL, NULL, &f, &r);

	if (err_is(e) && fault)
		*fault = f;
	if (!err_is(e) && report)
		*report = r;
	return e;
}

static UNUSED void
log_is_good(const struct folder *d, uint64_t size)
{
	struct ledger_report r = {0};
	struct ledger_fault f = {0};

	if (err_is(log_verify(d, &f, &r)))
		fail_msg("%s, index %llu, file %s", f.what, (unsigned long long)f.index, f.file);
	assert_int_equal(r.size, size);
}

static UNUSED struct buf
file_read(const struct folder *d, const char *path)
{
	struct buf b = BUF(64 * MiB);

	ok(fd_read_file(d->fd, path, &b));
	return b;
}

static UNUSED void
file_write(const struct folder *d, const char *path, struct str s)
{
	ok(tile_write(d->fd, path, s));
}

static int
fixture_start(void **state)
{
	AUTO_BUF v = BUF(256);
	uint8_t pub[32];

	(void)state;
	if (err_is(crypto_init()))
		return 1;
	the_key = sign_key_new();
	secret_random(&the_key->s);
	sign_public(the_key, pub);
	ledger_vkey(ORIGIN, pub, &v);
	memcpy(the_vkey, v.p, v.n);
	return 0;
}

static int
fixture_end(void **state)
{
	(void)state;
	sign_key_free(the_key);
	return 0;
}

#endif
