/*
 * Every operation of vault with any body. The first bytes say which operation and whether a sound grant stands before the body, so that
 * what lies behind the grant is reached too. Nothing may crash, and the object that was there before is there after.
 */
#include <ftw.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "crypto/stream.h"
#include "vault/vault.h"
#include "vault/vault_wire.h"
#include "warden/charter_make.h"
#include "warden/grant.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char dir[] = "/tmp/fuzzvaultXXXXXX";
static struct vault *v;
static struct mac_key *grant_key, *charter_key;
static struct id who, bucket;

static struct err
take_records(void *ctx, const struct record *r, size_t n, struct receipt *ret)
{
	static uint64_t records;

	(void)ctx;
	(void)r;
	for (size_t i = 0; i < n; i++)
		ret[i].receipt_private_index = records++;
	return OK;
}

static int
remove_one(const char *path, const struct stat *st, int kind, struct FTW *f)
{
	(void)st;
	(void)kind;
	(void)f;
	return remove(path);
}

static void
clean_up(void)
{
	vault_close(v);
	nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void
put_grant(struct buf *b, enum action a, struct id version, struct str name, struct str charter)
{
	struct grant_terms t = {.action = a, .who = who, .bucket = bucket, .version = version,
		.until_us = clock_now_us() + 60 * US_PER_S};
	struct grant g;

	grant_name_hash(name, t.name_hash);
	if (charter.n)
		charter_hash(charter, t.charter_hash);
	grant_make(grant_key, &t, &g);
	wire_put_grant(b, &g);
}

static enum err_code
run(struct request *r)
{
	enum err_code code;

	vault_batch(v, &r, 1);
	code = err_code_from_wire(r->out.op);
	INVARIANT(r->out.op < ERR_CODE_COUNT && code != ERR_CORRUPT);
	msg_release(&r->in);
	msg_release(&r->out);
	return code;
}

static void
make_bucket(void)
{
	struct request r = {.in = MSG(VAULT_BUCKET_CREATE), .out = MSG(ERR_NONE)};
	static struct charter c;
	AUTO_BUF charter = BUF(LIMIT_CHARTER_BYTES);

	c = (struct charter){.is_bucket = true, .bucket = bucket, .owner = who, .name = STR("bucket")};
	INVARIANT(!err_is(charter_make(charter_key, &c, &charter)));
	put_grant(&r.in.body, ACTION_CREATE_BUCKET, (struct id){0}, c.name, buf_str(&charter));
	buf_put_lstr(&r.in.body, c.name);
	buf_put_lstr(&r.in.body, buf_str(&charter));
	buf_put_u8(&r.in.body, 0);
	INVARIANT(run(&r) == ERR_NONE);
}

static void
make_object(void)
{
	static const char body[1024];
	struct request r = {.in = MSG(VAULT_PUT), .out = MSG(ERR_NONE)};
	struct blob_header h = {.bucket = bucket, .object = {{'O'}}, .version = {{'V'}}, .epoch = 1};
	static struct charter c;
	AUTO_BUF charter = BUF(LIMIT_CHARTER_BYTES);
	uint8_t header[HEADER_BYTES];
	struct put p;

	c = (struct charter){.bucket = bucket, .object = h.object, .version = h.version, .owner = who, .name = STR("kept")};
	INVARIANT(!err_is(charter_make(charter_key, &c, &charter)));
	header_encode(&h, header);
	p = (struct put){.bucket = bucket, .key = c.name, .header = str_of(header, HEADER_BYTES), .charter = buf_str(&charter),
		.size = 10, .body = sealed_from_store(str_of(body, stream_sealed_size(10))), .fd = -1};
	put_grant(&r.in.body, ACTION_PUT_OBJECT, h.version, c.name, buf_str(&charter));
	wire_put_put(&r.in.body, &p);
	INVARIANT(run(&r) == ERR_NONE);
}

static void
start(void)
{
	INVARIANT(!err_is(crypto_init()) && mkdtemp(dir));
	atexit(clean_up);
	grant_key = mac_key_new();
	charter_key = mac_key_new();
	secret_random(&grant_key->s);
	memset(bucket.b, 'B', sizeof(bucket.b));
	memset(who.b, 'W', sizeof(who.b));
	INVARIANT(!err_is(vault_create(dir)) && !err_is(vault_open(dir, &v)));
	vault_set_recorder(v, (struct vault_recorder){.append = take_records});
	INVARIANT(!err_is(vault_set_grant_key(v, grant_key)));
	make_bucket();
	make_object();
}

static bool
is_kept(void)
{
	struct request r = {.in = MSG(VAULT_LOOKUP), .out = MSG(ERR_NONE)}, *one = &r;
	bool kept;

	buf_put_lstr(&r.in.body, STR("bucket"));
	buf_put_lstr(&r.in.body, STR("kept"));
	wire_put_version_ref(&r.in.body, (struct version_ref){0});
	buf_put_u32(&r.in.body, LOOKUP_BODY);
	vault_batch(v, &one, 1);
	kept = r.out.op == ERR_NONE && r.out.body.n > 500;
	msg_release(&r.in);
	msg_release(&r.out);
	return kept;
}

/* byte 0: operation; 1: action of the grant; 2: bit 0 a grant; then the body */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct request r = {.from = ROLE_GATE, .out = MSG(ERR_NONE)};

	if (!v)
		start();
	if (size < 3)
		return 0;
	r.in = MSG((uint16_t)(VAULT_BUCKET_GET + data[0] % (VAULT_STATS - VAULT_BUCKET_GET + 1)));
	if (r.in.op == VAULT_GRANT_KEY) /* would make every later grant a stranger's */
		return 0;
	/* the grant is for a key that is not "kept" */
	if (data[2] & 1)
		put_grant(&r.in.body, (enum action)(data[1] % ACTION_COUNT), (struct id){0}, STR("k"), STR_NONE);
	buf_put(&r.in.body, data + 3, size - 3);
	if (!r.in.body.failed)
		run(&r);
	vault_tick(v);
	INVARIANT(is_kept() && !vault_is_broken(v));
	return 0;
}
