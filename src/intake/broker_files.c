#include "intake/broker_files.h"

#include <fcntl.h>
#include <stdio.h>

#include "base/fd.h"
#include "base/num.h"

#define PEM_MAX (256 * KiB)
#define LOGIN_MAX 512

static struct broker_files files[INTAKE_BROKERS_MAX];

/* An absent file is the default. */
static struct err
read_one(const char *feed, const char *ending, struct buf *b)
{
	char name[192];
	struct err e;

	if ((size_t)snprintf(name, sizeof(name), "%s%s", feed, ending) >= sizeof(name))
		return ERR(ERR_LIMIT);
	e = fd_read_file(AT_FDCWD, name, b);
	return e.code == ERR_NOT_FOUND ? OK : e;
}

static struct err
read_login(const char *feed, struct broker_files *f)
{
	AUTO_BUF login = BUF_WIPED(LOGIN_MAX);
	struct str line, user, password, rest;

	TRY(read_one(feed, ".login", &login));
	str_split(buf_str(&login), '\n', &line, &rest);
	str_split(line, ':', &user, &password);
	if (user.n >= sizeof(f->user) || password.n >= sizeof(f->password))
		return ERR(ERR_LIMIT);
	memcpy(f->user, user.p ? user.p : "", user.n);
	memcpy(f->password, password.p ? password.p : "", password.n);
	return OK;
}

struct err
broker_files_read(const struct intake_broker *b, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct broker_files *f = &files[i];

		f->ca = BUF(PEM_MAX);
		f->cert = BUF(PEM_MAX);
		f->key = BUF_WIPED(PEM_MAX);
		TRY(read_one(b[i].feed, ".ca.pem", &f->ca));
		TRY(read_one(b[i].feed, ".pem", &f->cert));
		TRY(read_one(b[i].feed, ".key", &f->key));
		TRY(read_login(b[i].feed, f));
	}
	return OK;
}

const struct broker_files *
broker_files(size_t i)
{
	return &files[i];
}

void
broker_files_release(void)
{
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		buf_release(&files[i].ca);
		buf_release(&files[i].cert);
		buf_release(&files[i].key);
	}
	explicit_bzero(files, sizeof(files));
}
