/*
 * vault_bench: the store without processes or network around it: puts in batches of 64 with each batch durable, lookups, listings of
 * growing buckets. Prints one JSON object. vault_bench DIR [KEYS]: an empty folder on the disk that is meant.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "crypto/stream.h"
#include "vault/vault.h"
#include "warden/charter_make.h"
#include "warden/grant.h"

#define BATCH 64
#define BODY 4096

static struct mac_key *grant_key, *charter_key;
static struct id who, domain, bucket;
static uint64_t records;

static struct err
take_records(void *ctx, const struct record *r, size_t n, struct receipt *ret)
{
	(void)ctx;
	(void)r;
	for (size_t i = 0; i < n; i++)
		ret[i].receipt_private_index = records++;
	return OK;
}

static void
must(struct err e)
{
	if (!err_is(e))
		return;
	fprintf(stderr, "%s at %s:%d\n", err_name(e.code), e.file, e.line);
	exit(1);
}

static struct grant
grant_for(enum action a, struct id version, struct str name, struct str charter)
{
	struct grant_terms t = {.action = a, .who = who, .bucket = bucket, .version = version,
		.until_us = clock_now_us() + 3600 * US_PER_S};
	struct grant g;

	if (name.n)
		grant_name_hash(name, t.name_hash);
	if (charter.n)
		charter_hash(charter, t.charter_hash);
	grant_make(grant_key, &t, &g);
	return g;
}

static void
make_charter(const struct blob_header *h, struct str name, struct buf *out)
{
	static struct charter c;

	c = (struct charter){.is_bucket = !h, .bucket = bucket, .domain = domain, .owner = who, .name = name};
	if (h) {
		c.object = h->object;
		c.version = h->version;
	}
	must(charter_make(charter_key, &c, out));
}

/* ---- requests, as gate's client writes them (vault_wire.c) ---- */

static struct request *
request_new(uint16_t op)
{
	struct request *r = calloc(1, sizeof(*r));

	*r = (struct request){.from = ROLE_GATE, .in = MSG(op), .out = MSG(ERR_NONE)};
	return r;
}

static void
request_free(struct request *r)
{
	if (r->out.op != ERR_NONE) {
		fprintf(stderr, "operation %u: %s\n", r->in.op, err_name((enum err_code)r->out.op));
		exit(1);
	}
	msg_release(&r->in);
	msg_release(&r->out);
	free(r);
}

static void
key_of(uint64_t i, char out[32])
{
	snprintf(out, 32, "%02u/%010llu", (unsigned)(i * 2654435761u % 100), (unsigned long long)i);
}

static struct request *
put_request(uint64_t i, size_t bytes)
{
	static char body[BODY + 1024];
	struct request *r = request_new(VAULT_PUT);
	struct blob_header h = {.domain = domain, .bucket = bucket, .object = id_new(), .version = id_new(), .epoch = 1};
	uint8_t header[HEADER_BYTES];
	AUTO_BUF charter = BUF(LIMIT_CHARTER_BYTES);
	struct buf *b = &r->in.body;
	struct grant g;
	char key[32];

	key_of(i, key);
	header_encode(&h, header);
	make_charter(&h, str_c(key), &charter);
	g = grant_for(ACTION_PUT_OBJECT, h.version, str_c(key), buf_str(&charter));
	buf_put(b, &g, sizeof(g));
	buf_put_id(b, bucket);
	buf_put_lstr(b, str_c(key));
	buf_put_lstr(b, str_of(header, sizeof(header)));
	buf_put_lstr(b, buf_str(&charter));
	buf_put_lstr(b, str_of(body, 300)); /* manifest */
	buf_put_u64(b, bytes);
	buf_put(b, body, 16);
	buf_put_lstr(b, str_of(body, stream_sealed_size(bytes)));
	buf_put(b, body, 32);
	buf_put(b, body, 1 + 16 + 4 + 8 + 8); /* no condition */
	return r;
}

static void
make_bucket(struct vault *v)
{
	struct request *r = request_new(VAULT_BUCKET_CREATE);
	AUTO_BUF charter = BUF(LIMIT_CHARTER_BYTES);
	struct grant g;

	make_charter(NULL, STR("bench"), &charter);
	g = grant_for(ACTION_CREATE_BUCKET, (struct id){0}, STR("bench"), buf_str(&charter));
	buf_put(&r->in.body, &g, sizeof(g));
	buf_put_lstr(&r->in.body, STR("bench"));
	buf_put_lstr(&r->in.body, buf_str(&charter));
	buf_put_u8(&r->in.body, 0);
	vault_batch(v, &r, 1);
	request_free(r);
}

/* put_some(v, from, n, bytes): time in the vault alone. */
static int64_t
put_some(struct vault *v, uint64_t from, uint64_t n, size_t bytes)
{
	struct request *reqs[LIMIT_BATCH_REQUESTS];
	size_t batch = bytes == BODY ? BATCH : LIMIT_BATCH_REQUESTS;
	int64_t us = 0;

	for (uint64_t at = from; at < from + n; at += batch) {
		size_t k = num_min(batch, from + n - at);
		int64_t t;

		for (size_t i = 0; i < k; i++)
			reqs[i] = put_request(at + i, bytes);
		t = clock_mono_us();
		vault_batch(v, reqs, k);
		us += clock_mono_us() - t;
		for (size_t i = 0; i < k; i++)
			request_free(reqs[i]);
	}
	return us;
}

static int64_t
look_up(struct vault *v, uint64_t n, uint64_t keys)
{
	int64_t us = 0;

	for (uint64_t i = 0; i < n; i++) {
		struct request *r = request_new(VAULT_LOOKUP);
		char key[32];
		int64_t t;

		key_of((uint64_t)rand() % keys, key);
		buf_put_lstr(&r->in.body, STR("bench"));
		buf_put_lstr(&r->in.body, str_c(key));
		buf_put(&r->in.body, (char[17]){0}, 17);
		buf_put_u32(&r->in.body, LOOKUP_BODY);
		t = clock_mono_us();
		vault_batch(v, &r, 1);
		us += clock_mono_us() - t;
		request_free(r);
	}
	return us;
}

/* list_all(v, most, &n): pages of 1,000 from the beginning, at most ${most} keys. */
static int64_t
list_all(struct vault *v, uint64_t most, uint64_t *ret_n)
{
	struct grant g = grant_for(ACTION_LIST_BUCKET, (struct id){0}, STR_NONE, STR_NONE);
	char after[64] = "";
	size_t after_n = 0;
	int64_t us = 0;
	bool more = true;

	*ret_n = 0;
	while (more && *ret_n < most) {
		struct request *r = request_new(VAULT_LIST);
		struct buf *b = &r->in.body;
		struct cur c;
		int64_t t;

		buf_put(b, &g, sizeof(g));
		buf_put_u8(b, LIST_OBJECTS);
		buf_put_id(b, bucket);
		buf_put_lstr(b, STR_NONE);
		buf_put_lstr(b, STR_NONE);
		buf_put_lstr(b, str_of(after, after_n));
		buf_put(b, (char[18]){0}, 18);
		buf_put_u16(b, 1000);
		t = clock_mono_us();
		vault_batch(v, &r, 1);
		us += clock_mono_us() - t;
		c = msg_cur(&r->out);
		more = r->out.op == ERR_NONE && cur_u8(&c) != 0;
		while (c.n > 0 && !c.failed) {
			struct str key;

			cur_u8(&c);
			key = cur_lstr(&c);
			cur_bytes(&c, 16 + 16 + 8 + 8 + 16 + 4);
			after_n = num_min(key.n, sizeof(after));
			memcpy(after, key.p, after_n);
			++*ret_n;
		}
		request_free(r);
	}
	return us;
}

int
main(int argc, char **argv)
{
	uint64_t keys = argc > 2 ? strtoull(argv[2], NULL, 10) : 100000, have = 0, n;
	struct vault *v;
	int64_t us;

	if (argc < 2) {
		fprintf(stderr, "usage: vault_bench DIR [KEYS]\n");
		return 2;
	}
	must(crypto_init());
	grant_key = mac_key_new();
	charter_key = mac_key_new();
	secret_random(&grant_key->s);
	who = id_new();
	domain = id_new();
	bucket = id_new();
	must(vault_create(argv[1]));
	must(vault_open(argv[1], &v));
	vault_set_recorder(v, (struct vault_recorder){.append = take_records});
	must(vault_set_grant_key(v, grant_key));
	make_bucket(v);
	printf("{\"list\":{");
	for (uint64_t goal = 1000; goal <= keys; goal *= 10) {
		put_some(v, have, goal - have, 16);
		have = goal;
		us = list_all(v, 100000, &n);
		printf("%s\"%llu\":%.0f", goal > 1000 ? "," : "", (unsigned long long)goal, (double)n * 1e6 / (double)us);
		fflush(stdout);
	}
	n = 20000;
	us = put_some(v, have, n, BODY);
	printf("},\"put_4k_per_s\":%.0f", (double)n * 1e6 / (double)us);
	us = look_up(v, n, have + n);
	printf(",\"lookup_us\":%.1f}\n", (double)us / (double)n);
	vault_close(v);
	return 0;
}
