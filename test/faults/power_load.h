/* power_load: what the two do while everything is written down. A step is what is acknowledged at once. */
#ifndef CLOISTER_TEST_POWER_LOAD_H
#define CLOISTER_TEST_POWER_LOAD_H

#include "power_house.h"

static void
key_of(char out[16])
{
	snprintf(out, 16, "key-%u", (unsigned)dice(KEYS));
}

/* new_version(f, b, key): of a size that lies in the row or in a file; gate's sync is left to chance: the vault does not count on it */
static void
new_version(struct fresh *f, size_t b, struct str key)
{
	static char text[80000];
	size_t n = dice(3) == 0 ? 33000 + dice(sizeof(text) - 33000) : dice(4) == 0 ? dice(20000) : dice(600);

	rand_bytes(text, n < 64 ? n : 64);
	fresh_init(f, w.buckets[b], key, str_of(text, n));
	sha256(buf_str(&f->sealed), sent_add(f->ids.version)->digest);
	if (n <= LIMIT_INLINE_BYTES && dice(4) > 0)
		return;
	CHECK_OK(vault_blob_new(no_pool, f->put.size, &f->fd));
	CHECK_OK(fd_write_all(f->fd, str_of(f->header, HEADER_BYTES)));
	CHECK_OK(fd_write_all(f->fd, buf_str(&f->sealed)));
	if (dice(2) == 0)
		CHECK_OK(fd_sync(f->fd));
	sha256(buf_str(&f->sealed), f->put.sha256);
	f->put.body = sealed_from_store(STR_NONE);
	f->put.fd = f->fd;
}

static void
step_put_some(void)
{
	struct request *r[6] = {NULL};
	struct fresh f[6];
	size_t n = 1 + dice(6);

	for (size_t i = 0; i < n; i++) {
		char key[16];

		key_of(key);
		new_version(&f[i], dice(BUCKETS), str_c(key));
		r[i] = calloc(1, sizeof(*r[i]));
		assert_non_null(r[i]);
		*r[i] = (struct request){.from = ROLE_GATE, .in = MSG(VAULT_PUT), .out = MSG(ERR_NONE)};
		wire_put_grant(&r[i]->in.body, &f[i].grant);
		wire_put_put(&r[i]->in.body, &f[i].put);
		if (f[i].fd >= 0)
			msg_give_fd(&r[i]->in, dup(f[i].fd));
	}
	vault_batch(house.v, r, n);
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(r[i]->out.op, ERR_NONE);
		msg_release(&r[i]->in);
		msg_release(&r[i]->out);
		free(r[i]);
		fresh_release(&f[i]);
	}
}

static void
step_delete(void)
{
	size_t b = dice(BUCKETS);
	char key[16];
	AUTO_MSG reply = MSG(0);
	struct bucket_info bucket;
	struct object_info o;
	bool has;

	key_of(key);
	if (dice(2) == 0) {
		delete_key(w.buckets[b], str_c(key), current_version);
		return;
	}
	if (!err_is(vault_lookup(no_pool, bucket_names[b], str_c(key), current_version, 0, &reply, &bucket, &has, &o)))
		delete_key(w.buckets[b], str_c(key), o.is_null_version ? NULL_VERSION : version_of(o.version));
}

static void
put_part(struct fresh *f, uint32_t number, size_t size)
{
	struct part part = {.number = number, .size = size, .meta = sealed_from_store(STR("m"))};
	AUTO_BUF bytes = BUF(MiB);
	uint8_t digest[SHA256_BYTES], header[HEADER_BYTES];
	struct blob_header ids = f->ids;
	int fd = -1;
	size_t n = stream_sealed_size(size);

	assert_non_null(buf_room(&bytes, n));
	rand_bytes(bytes.p, n);
	buf_grew(&bytes, n);
	sha256(buf_str(&bytes), digest);
	if (size <= LIMIT_INLINE_BYTES) {
		CHECK_OK(vault_part_put(no_pool, &f->grant, f->ids.version, &part, sealed_from_store(buf_str(&bytes)), -1, digest));
		return;
	}
	CHECK_OK(vault_blob_new(no_pool, size, &fd));
	ids.part = number;
	header_encode(&ids, header);
	CHECK_OK(fd_write_all(fd, str_of(header, HEADER_BYTES)));
	CHECK_OK(fd_write_all(fd, buf_str(&bytes)));
	CHECK_OK(vault_part_put(no_pool, &f->grant, f->ids.version, &part, sealed_from_store(STR_NONE), fd, digest));
	close(fd);
}

/* an upload begins; the steps of its parts and its end come later, with others between */
static struct { struct fresh f; size_t bucket; char key[16]; size_t size; bool open; } upload;

static void
step_upload(void)
{
	struct put_result result;
	struct part_ref ref = {.number = 1};
	uint32_t fault;

	if (!upload.open) {
		upload.bucket = dice(BUCKETS);
		key_of(upload.key);
		fresh_init(&upload.f, w.buckets[upload.bucket], str_c(upload.key), STR(""));
		sent_add(upload.f.ids.version);
		CHECK_OK(vault_upload_create(no_pool, &upload.f.grant, &upload.f.put));
		upload.size = 0;
		upload.open = true;
	} else if (upload.size == 0 || dice(3) == 0) {
		upload.size = dice(2) ? 40000 + dice(20000) : 1 + dice(3000);
		put_part(&upload.f, 1, upload.size);
	} else if (dice(4) == 0) {
		put_part(&upload.f, 2, 100); /* it will be left out */
	} else if (dice(3) == 0) {
		struct grant g = grant_for(ACTION_ABORT_UPLOAD, w.buckets[upload.bucket], upload.f.ids.version, str_c(upload.key), STR_NONE);

		CHECK_OK(vault_upload_abort(no_pool, &g, w.buckets[upload.bucket], str_c(upload.key), upload.f.ids.version));
		fresh_release(&upload.f);
		upload.open = false;
	} else {
		upload.f.put.size = upload.size;
		upload.f.put.body = sealed_from_store(STR_NONE);
		CHECK_OK(vault_upload_complete(no_pool, &upload.f.grant, upload.f.ids.version, &ref, 1, &upload.f.put, &result, &fault));
		fresh_release(&upload.f);
		upload.open = false;
	}
}

static void
step_rewrap(void)
{
	static uint32_t epoch = 2;
	static struct rewrap r[LIST_MAX];
	size_t n;

	asker = ROLE_WARDEN;
	CHECK_OK(vault_rewrap_next(&no_chan, house.domain, epoch, (struct id){0}, r, LIST_MAX, &n));
	for (size_t i = 0; i < n; i++) {
		uint8_t wrapped[WRAPPED_BYTES], header[HEADER_BYTES];
		size_t at;

		rand_bytes(wrapped, sizeof(wrapped));
		CHECK_OK(header_rewrap(r[i].header, epoch, wrapped, header, &at));
		memcpy(r[i].header, header, sizeof(header));
	}
	if (n > 0)
		CHECK_OK(vault_rewrap_apply(&no_chan, r, n));
	epoch++;
	asker = ROLE_GATE;
}

static void
step(void (*run)(void))
{
	struct step *s = &w.steps[w.n_steps++];

	s->from = disk_ops();
	run();
	s->to = disk_ops();
	s->versions = see(&s->view);
}

static void
step_buckets(void)
{
	for (size_t b = 0; b < BUCKETS; b++) {
		w.buckets[b] = make_bucket(bucket_names[b]);
		if (b > 0)
			set_versioning(w.buckets[b], VERSIONING_ENABLED);
	}
	set_versioning(w.buckets[2], VERSIONING_SUSPENDED);
}

static void
step_ledger(void)
{
	ledger_grows(1 + dice(dice(3) == 0 ? 400 : 30));
	if (dice(3) == 0)
		CHECK_OK(ledger_publish(w.ledger));
}

static void
load(void)
{
	while (w.n_steps < STEPS) {
		uint64_t d = dice(16);

		step(d < 6 ? step_put_some : d < 8 ? step_delete : d < 11 ? step_upload : d < 15 ? step_ledger : step_rewrap);
		if (dice(2) == 0)
			ledger_tick(w.ledger);
		if (dice(2) == 0)
			vault_tick(house.v);
	}
}

#endif
