#include "vault/vault.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "vault/store.h"

#define SCRATCH_BYTES (2 * LIMIT_MESSAGE_BYTES)
#define CACHE_KIB 16384
#define TRASH_AT_ONCE 64
#define STALE_AT_ONCE 32
#define RETRY_MS 10000

static struct err
open_db(const char *dir, struct db **ret)
{
	static const struct db_options options = {.statements = vault_sql_text, .n_statements = VAULT_SQL_COUNT,
		.cache_kib = CACHE_KIB, .wal_pages_max = 2000};
	char path[512];

	if ((size_t)snprintf(path, sizeof(path), "%s/vault.db", dir) >= sizeof(path))
		return ERR(ERR_LIMIT);
	return db_open(path, &options, ret);
}

static struct err
exists(const char *dir, bool *ret)
{
	AUTO_FD fd = -1;
	struct stat st;

	TRY(fd_open_at(AT_FDCWD, dir, O_RDONLY | O_DIRECTORY, 0, &fd));
	*ret = fstatat(fd, "vault.db", &st, AT_SYMLINK_NOFOLLOW) == 0;
	return *ret || errno == ENOENT ? OK : ERR_ERRNO();
}

static struct err
make_tables(struct db *db)
{
	TRY(db_begin(db));
	TRY(db_script(db, vault_script_schema));
	return db_commit(db);
}

struct err
vault_create(const char *dir)
{
	mode_t old = umask(077);
	struct db *db = NULL;
	bool there;
	struct err e = exists(dir, &there);

	if (!err_is(e) && there)
		e = ERR(ERR_EXISTS);
	if (!err_is(e))
		e = blob_folders_make(dir);
	if (!err_is(e))
		e = open_db(dir, &db);
	if (!err_is(e))
		e = make_tables(db);
	db_close(db);
	umask(old);
	return e;
}

static struct err
last_no(struct vault *v, unsigned statement, uint64_t *ret)
{
	AUTO_QUERY q = {0};
	bool is_row;

	db_start(v->db, statement, &q);
	TRY(query_step(&q, &is_row));
	*ret = is_row ? query_u64(&q) : 0;
	return query_check(&q);
}

static struct err
load(struct vault *v)
{
	uint64_t versions, uploads;

	TRY(last_no(v, SQL_VERSION_LAST, &versions));
	TRY(last_no(v, SQL_UPLOAD_LAST, &uploads));
	v->last_no = versions > uploads ? versions : uploads;
	return tally_load(v);
}

static struct err
open_blobs(const char *dir, int *ret)
{
	AUTO_FD top = -1;

	TRY(fd_open_at(AT_FDCWD, dir, O_RDONLY | O_DIRECTORY, 0, &top));
	return fd_open_at(top, "blobs", O_RDONLY | O_DIRECTORY, 0, ret);
}

struct err
vault_open(const char *dir, struct vault **ret)
{
	struct vault *v;
	struct err e;
	bool there;

	TRY(exists(dir, &there));
	if (!there)
		return ERR(ERR_NOT_FOUND);
	v = calloc(1, sizeof(*v));
	if (!v)
		return ERR(ERR_NO_MEMORY);
	v->blobs = -1;
	v->scratch = BUF(SCRATCH_BYTES);
	rand_bytes(&v->folder, sizeof(v->folder));
	e = buf_room(&v->scratch, SCRATCH_BYTES) ? OK : ERR(ERR_NO_MEMORY); /* now: a sum cannot fail later */
	if (!err_is(e))
		e = open_blobs(dir, &v->blobs);
	if (!err_is(e))
		e = open_db(dir, &v->db);
	if (!err_is(e))
		e = load(v);
	if (err_is(e)) {
		vault_close(v);
		return e;
	}
	*ret = v;
	return OK;
}

void
vault_close(struct vault *v)
{
	if (!v)
		return;
	if (v->db && !vault_is_broken(v))
		blob_trash_some(v, SIZE_MAX);
	db_close(v->db);
	fd_close(&v->blobs);
	mac_key_free(v->grant_key);
	id_list_release(&v->linked);
	id_list_release(&v->removed);
	id_list_release(&v->trash);
	buf_release(&v->scratch);
	free(v);
}

void
vault_set_recorder(struct vault *v, struct vault_recorder r)
{
	v->recorder = r;
}

uint64_t
vault_ledger_size(const struct vault *v)
{
	return (uint64_t)v->tally_stored[TALLY_LEDGER];
}

struct err
vault_set_grant_key(struct vault *v, const struct mac_key *key)
{
	struct mac_key *copy = mac_key_new();

	if (!copy)
		return ERR(ERR_NO_MEMORY);
	secret_set(&copy->s, secret_expose(&key->s));
	mac_key_free(v->grant_key);
	v->grant_key = copy;
	return OK;
}

struct err
op_grant_key(struct vault *v, struct request *r)
{
	struct cur c = msg_cur(&r->in);
	struct str bytes = cur_bytes(&c, KEY_BYTES);
	AUTO_KEY(mac_key) key = mac_key_new();

	TRY(cur_end(&c));
	if (!key)
		return ERR(ERR_NO_MEMORY);
	secret_set(&key->s, bytes.p);
	return vault_set_grant_key(v, key);
}

static struct err
stale_tick(struct vault *v, bool *ret_more)
{
	struct err e = stale_some(v, STALE_AT_ONCE, ret_more);

	if (!err_is(e) && db_in_transaction(v->db))
		e = db_commit(v->db);
	db_rollback(v->db);
	return e;
}

int
vault_tick(struct vault *v)
{
	bool more = blob_trash_some(v, TRASH_AT_ONCE), stale = false;
	uint64_t n;

	if (vault_is_broken(v))
		return -1;
	/* what fails here is tried again later; who needs the same bytes is told */
	if (err_is(stale_tick(v, &stale)) || (!v->collect_done && err_is(collect_files(v, 0, &n))))
		return RETRY_MS;
	return more || stale || !v->collect_done ? 1 : -1;
}
