/*
 * vault_house: a vault in a temporary folder, and clients that talk to it without a process between: the linker wraps pool_call and
 * chan_call (meson.build), so that tests go through the real codecs of both ends. Grants and charters are made here as warden makes them.
 */
#ifndef CLOISTER_TEST_VAULT_HOUSE_H
#define CLOISTER_TEST_VAULT_HOUSE_H

#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/fd.h"
#include "crypto/stream.h"
#include "vault/vault.h"
#include "vault/vault_wire.h"
#include "warden/charter_make.h"
#include "warden/grant.h"

#define UNUSED __attribute__((unused))
#define CHECK_OK(expr)                                                                              \
	do {                                                                                        \
		struct err check_ = (expr);                                                         \
		if (err_is(check_))                                                                 \
			fail_msg("%s at %s:%d (%d)", err_name(check_.code), check_.file, check_.line, check_.sys); \
	} while (0)
#define CHECK_ERR(expr, want) assert_string_equal(err_name((expr).code), err_name(want))

struct house {
	char dir[64];
	struct vault *v;
	struct mac_key *grant_key, *charter_key;
	struct id who, domain;
	uint64_t records;    /* that the ledger has */
	bool ledger_is_away;
	struct str last_act; /* literal */
};
static struct house house;
static struct pool *const no_pool = NULL;
static struct chan no_chan = {.fd = -1};

/* ---- the way between client and vault ---- */

static enum role asker = ROLE_GATE;

static struct err
call(struct msg *req, struct msg *reply)
{
	struct request r = {.from = asker, .conn = 1, .out = MSG(ERR_NONE)};
	struct request *one = &r;
	enum err_code status;
	struct err e;

	r.in = *req;
	*req = MSG(0);
	vault_batch(house.v, &one, 1);
	msg_release(&r.in);
	status = err_code_from_wire(r.out.op);
	msg_release(reply);
	if (status == ERR_NONE && !r.out.body.failed) {
		*reply = r.out;
		return OK;
	}
	e = status == ERR_NONE ? buf_check(&r.out.body) : ERR(status);
	msg_release(&r.out);
	return e;
}

struct err __wrap_pool_call(struct pool *p, struct msg *req, struct msg *reply);
struct err __wrap_chan_call(struct chan *c, struct msg *req, struct msg *reply);

struct err
__wrap_pool_call(struct pool *p, struct msg *req, struct msg *reply)
{
	(void)p;
	return call(req, reply);
}

struct err
__wrap_chan_call(struct chan *c, struct msg *req, struct msg *reply)
{
	(void)c;
	return call(req, reply);
}

static struct err
take_records(void *ctx, const struct record *r, size_t n, struct receipt *ret)
{
	AUTO_BUF json = BUF(64 * KiB);

	(void)ctx;
	if (house.ledger_is_away)
		return ERR(ERR_CLOSED);
	for (size_t i = 0; i < n; i++) { /* the ledger would refuse what does not fit its types */
		TRY(record_json(&r[i], house.records, 1, STR("vault"), &json));
		buf_clear(&json);
		ret[i].receipt_private_index = house.records++;
		house.last_act = r[i].text[RECORD_ACT];
	}
	return OK;
}

/* ---- the house ---- */

static UNUSED void
house_open(void)
{
	CHECK_OK(vault_open(house.dir, &house.v));
	vault_set_recorder(house.v, (struct vault_recorder){.append = take_records});
	CHECK_OK(vault_set_grant_key(house.v, house.grant_key));
}

static UNUSED void
house_reopen(void)
{
	vault_close(house.v);
	house.v = NULL;
	house_open();
}

static UNUSED int
house_set_up_in(const char *parent)
{
	CHECK_OK(crypto_init());
	house = (struct house){.who = id_new(), .domain = id_new()};
	snprintf(house.dir, sizeof(house.dir), "%s/vaultXXXXXX", parent);
	assert_non_null(mkdtemp(house.dir));
	house.grant_key = mac_key_new();
	house.charter_key = mac_key_new();
	secret_random(&house.grant_key->s);
	secret_random(&house.charter_key->s);
	CHECK_OK(vault_before_jail());
	CHECK_OK(vault_create(house.dir));
	house_open();
	return 0;
}

static UNUSED int
house_set_up(void **state)
{
	(void)state;
	return house_set_up_in("/tmp");
}

static int
remove_one(const char *path, const struct stat *st, int kind, struct FTW *f)
{
	(void)st;
	(void)kind;
	(void)f;
	return remove(path);
}

static UNUSED int
house_tear_down(void **state)
{
	(void)state;
	fault_disarm();
	clock_fake_us(0);
	vault_close(house.v);
	mac_key_free(house.grant_key);
	mac_key_free(house.charter_key);
	return nftw(house.dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* ---- warden's part ---- */

static UNUSED struct grant
grant_for(enum action a, struct id bucket, struct id version, struct str name, struct str charter)
{
	struct grant_terms t = {.action = a, .who = house.who, .bucket = bucket, .version = version,
		.until_us = clock_now_us() + 60 * US_PER_S};
	struct grant g;

	if (name.n)
		grant_name_hash(name, t.name_hash);
	if (charter.n)
		charter_hash(charter, t.charter_hash);
	grant_make(house.grant_key, &t, &g);
	return g;
}

static UNUSED void
charter_for(struct id bucket, const struct blob_header *h, struct str name, struct id owner, struct buf *out)
{
	static struct charter c;

	c = (struct charter){.is_bucket = !h, .bucket = bucket, .domain = house.domain, .owner = owner, .name = name,
		.made_us = 1};
	if (h) {
		c.object = h->object;
		c.version = h->version;
	}
	CHECK_OK(charter_make(house.charter_key, &c, out));
}

static UNUSED struct id
make_bucket_of(struct str name, struct id owner, bool lock)
{
	AUTO_BUF charter = BUF(LIMIT_CHARTER_BYTES);
	struct id id = id_new();
	struct grant g;

	charter_for(id, NULL, name, owner, &charter);
	g = grant_for(ACTION_CREATE_BUCKET, id, (struct id){0}, name, buf_str(&charter));
	CHECK_OK(vault_bucket_create(no_pool, &g, name, buf_str(&charter), lock));
	return id;
}

static UNUSED struct id
make_bucket(struct str name)
{
	return make_bucket_of(name, house.who, false);
}

static UNUSED void
set_versioning(struct id bucket, enum versioning v)
{
	struct grant g = grant_for(ACTION_PUT_BUCKET_VERSIONING, bucket, (struct id){0}, STR_NONE, STR_NONE);

	CHECK_OK(vault_bucket_set_versioning(no_pool, &g, bucket, v));
}

/* ---- gate's part: something new, sealed under a key that nobody keeps ---- */

struct fresh {
	struct blob_header ids;
	uint8_t header[HEADER_BYTES];
	struct buf charter, sealed;
	struct put put;
	struct grant grant;
	int fd;
};

/* fresh_init(f, bucket, key, text): ready to be given to vault_put() inline. */
static UNUSED void
fresh_init(struct fresh *f, struct id bucket, struct str key, struct str text)
{
	struct data_key *k = data_key_new();

	*f = (struct fresh){.charter = BUF(LIMIT_CHARTER_BYTES), .sealed = BUF(64 * MiB), .fd = -1};
	secret_random(&k->s);
	f->ids = (struct blob_header){.domain = house.domain, .bucket = bucket, .object = id_new(), .version = id_new(), .epoch = 1};
	rand_bytes(f->ids.wrapped, sizeof(f->ids.wrapped));
	header_encode(&f->ids, f->header);
	charter_for(bucket, &f->ids, key, house.who, &f->charter);
	CHECK_OK(stream_seal(k, &(struct stream_context){.bucket = bucket, .object = f->ids.object, .version = f->ids.version},
	    phi_of(text.p, text.n), &f->sealed));
	data_key_free(k);
	f->put = (struct put){.bucket = bucket, .key = key, .ids = &f->ids, .header = str_of(f->header, HEADER_BYTES),
		.charter = buf_str(&f->charter), .manifest = sealed_from_store(STR("sealed manifest")), .size = text.n,
		.body = sealed_from_store(buf_str(&f->sealed)), .fd = -1};
	sha256(text, f->put.sha256); /* overwritten for files */
	memcpy(f->put.etag, f->put.sha256, sizeof(f->put.etag));
	f->grant = grant_for(ACTION_PUT_OBJECT, bucket, f->ids.version, key, buf_str(&f->charter));
}

/* fresh_to_file(f): the body goes to a file of the vault instead. */
static UNUSED void
fresh_to_file(struct fresh *f)
{
	CHECK_OK(vault_blob_new(no_pool, f->put.size, &f->fd));
	CHECK_OK(fd_write_all(f->fd, str_of(f->header, HEADER_BYTES)));
	CHECK_OK(fd_write_all(f->fd, buf_str(&f->sealed)));
	CHECK_OK(fd_sync(f->fd));
	sha256(buf_str(&f->sealed), f->put.sha256);
	f->put.body = sealed_from_store(STR_NONE);
	f->put.fd = f->fd;
}

static UNUSED void
fresh_release(struct fresh *f)
{
	buf_release(&f->charter);
	buf_release(&f->sealed);
	fd_close(&f->fd);
}

static UNUSED struct id
put_text(struct id bucket, struct str key, struct str text)
{
	struct put_result result;
	struct fresh f;
	struct id version;

	fresh_init(&f, bucket, key, text);
	CHECK_OK(vault_put(no_pool, &f.grant, &f.put, &result));
	version = f.ids.version;
	fresh_release(&f);
	return version;
}

static UNUSED struct id
put_file(struct id bucket, struct str key, struct str text)
{
	struct put_result result;
	struct fresh f;
	struct id version;

	fresh_init(&f, bucket, key, text);
	fresh_to_file(&f);
	CHECK_OK(vault_put(no_pool, &f.grant, &f.put, &result));
	version = f.ids.version;
	fresh_release(&f);
	return version;
}

/* look(bucket, key, ref, &o): with the body. ${reply} keeps what is borrowed. */
static UNUSED struct err
look(struct str bucket, struct str key, struct version_ref ref, struct msg *reply, struct object_info *ret)
{
	struct bucket_info b;
	bool has;

	return vault_lookup(no_pool, bucket, key, ref, LOOKUP_BODY, reply, &b, &has, ret);
}

static UNUSED struct delete_result
delete_key(struct id bucket, struct str key, struct version_ref ref)
{
	struct delete_result result;
	struct deletion d = {.key = key, .version = ref};

	d.grant = grant_for(ref.present ? ACTION_DELETE_OBJECT_VERSION : ACTION_DELETE_OBJECT, bucket,
	    ref.present && !ref.is_null ? ref.id : (struct id){0}, key, STR_NONE);
	CHECK_OK(vault_delete(no_pool, bucket, &d, 1, &result));
	return result;
}

static UNUSED struct vault_stats
numbers(void)
{
	struct vault_stats s;

	CHECK_OK(vault_stats(&no_chan, &s));
	return s;
}

static unsigned counted;

static int
count_one(const char *path, const struct stat *st, int kind, struct FTW *f)
{
	(void)path;
	(void)st;
	(void)f;
	counted += kind == FTW_F;
	return 0;
}

/* count_files(): under blobs/. */
static UNUSED unsigned
count_files(void)
{
	char path[80];

	counted = 0;
	snprintf(path, sizeof(path), "%s/blobs", house.dir);
	assert_int_equal(nftw(path, count_one, 16, FTW_PHYS), 0);
	return counted;
}

/* idle(): what can wait is done. */
static UNUSED void
idle(void)
{
	for (int i = 0; i < 2000 && vault_tick(house.v) == 1; i++)
		;
}

static const struct version_ref current_version = {0};

static UNUSED struct version_ref
version_of(struct id id)
{
	return (struct version_ref){.present = true, .id = id};
}

#define NULL_VERSION ((struct version_ref){.present = true, .is_null = true})

#endif
