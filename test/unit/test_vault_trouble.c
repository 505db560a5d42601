/* vault: what happens when things go wrong: the ledger is away, rows and files have changed, disks fail or are full, keys are rotated. */
#include <sys/mount.h>

#include "db/db.h"
#include "vault_house.h"

#define BUCKET STR("study-data")

static void
as(enum role r)
{
	asker = r;
}

/* ---- batches ---- */

static struct request *
request_of(uint16_t op)
{
	struct request *r = calloc(1, sizeof(*r));

	*r = (struct request){.from = ROLE_GATE, .in = MSG(op), .out = MSG(ERR_NONE)};
	return r;
}

static void
request_done(struct request *r)
{
	msg_release(&r->in);
	msg_release(&r->out);
	free(r);
}

static struct request *
put_request(const struct fresh *f)
{
	struct request *r = request_of(VAULT_PUT);

	wire_put_grant(&r->in.body, &f->grant);
	wire_put_put(&r->in.body, &f->put);
	if (f->fd >= 0)
		msg_give_fd(&r->in, dup(f->fd));
	return r;
}

static struct request *
lookup_request(struct str key)
{
	struct request *r = request_of(VAULT_LOOKUP);

	buf_put_lstr(&r->in.body, BUCKET);
	buf_put_lstr(&r->in.body, key);
	wire_put_version_ref(&r->in.body, current_version);
	buf_put_u32(&r->in.body, LOOKUP_BODY);
	return r;
}

static bool
found(const struct request *r)
{
	struct cur c = msg_cur(&r->out);
	struct bucket_info b;

	assert_int_equal(r->out.op, ERR_NONE);
	wire_bucket(&c, &b);
	return cur_u8(&c) != 0;
}

static void
a_batch_is_in_order_and_whole(void **state)
{
	struct id id = make_bucket(BUCKET);
	struct request *r[4];
	struct fresh a, b;

	(void)state;
	fresh_init(&a, id, STR("a"), STR("1"));
	fresh_init(&b, id, STR("b"), STR("1"));
	fresh_to_file(&b);
	for (int away = 1; away >= 0; away--) {
		house.ledger_is_away = away;
		r[0] = lookup_request(STR("a"));
		r[1] = put_request(&a);
		r[2] = lookup_request(STR("a"));
		r[3] = put_request(&b);
		vault_batch(house.v, r, 4);
		assert_false(found(r[0]));
		assert_int_equal(r[1]->out.op, away ? ERR_BUSY : ERR_NONE);
		assert_true(found(r[2]) == !away); /* what was not recorded was not seen either */
		assert_int_equal(r[3]->out.op, away ? ERR_BUSY : ERR_NONE);
		for (int i = 0; i < 4; i++)
			request_done(r[i]);
		assert_int_equal(count_files(), away ? 0 : 1);
		assert_int_equal(numbers().versions, away ? 0 : 2);
		if (away) { /* the file has lost its name with the batch: a new one */
			fresh_release(&b);
			fresh_init(&b, id, STR("b"), STR("1"));
			fresh_to_file(&b);
		}
	}
	assert_int_equal(vault_ledger_size(house.v), house.records);
	fresh_release(&a);
	fresh_release(&b);
}

/* tamper(sql): as somebody with the database file in his hands. */
static void
tamper(const char *sql)
{
	static const struct db_options o = {.cache_kib = 256};
	char path[96];
	struct db *db;

	vault_close(house.v);
	house.v = NULL;
	snprintf(path, sizeof(path), "%s/vault.db", house.dir);
	CHECK_OK(db_open(path, &o, &db));
	if (err_is(db_script(db, sql)))
		fail_msg("%s", sql);
	db_close(db);
	house_open();
}

static void
one_corrupt_row_fails_alone(void **state)
{
	struct id id = make_bucket(BUCKET);
	struct request *r[3];
	struct fresh f[3];

	(void)state;
	put_text(id, STR("k1"), STR("old"));
	tamper("UPDATE version SET size = size + 1");
	for (int i = 0; i < 3; i++) {
		fresh_init(&f[i], id, i == 0 ? STR("k0") : i == 1 ? STR("k1") : STR("k2"), STR("new"));
		r[i] = put_request(&f[i]);
	}
	vault_batch(house.v, r, 3);
	assert_int_equal(r[0]->out.op, ERR_NONE);
	assert_int_equal(r[1]->out.op, ERR_CORRUPT);
	assert_int_equal(r[2]->out.op, ERR_NONE);
	for (int i = 0; i < 3; i++) {
		request_done(r[i]);
		fresh_release(&f[i]);
	}
}

/* ---- changed rows ---- */

static struct err
look_at_everything(struct id id)
{
	struct list_query q = {.bucket = id, .max = 100};
	struct grant grants[] = {
		grant_for(ACTION_LIST_BUCKET, id, (struct id){0}, STR_NONE, STR_NONE),
		grant_for(ACTION_LIST_BUCKET_VERSIONS, id, (struct id){0}, STR_NONE, STR_NONE),
		grant_for(ACTION_LIST_BUCKET_UPLOADS, id, (struct id){0}, STR_NONE, STR_NONE),
		grant_for(ACTION_GET_BUCKET_TAGGING, id, (struct id){0}, STR_NONE, STR_NONE),
	};
	AUTO_BUF doc = BUF(KiB);
	AUTO_MSG reply = MSG(0);
	struct list_entry e[100];
	struct object_info o;
	struct upload_info u;
	struct sealed body;
	uint32_t number;
	uint64_t size;
	bool more;
	size_t n;
	int fd = -1;

	TRY(look(BUCKET, STR("inline"), current_version, &reply, &o));
	TRY(look(BUCKET, STR("file"), current_version, &reply, &o));
	close(o.fd);
	for (int kind = LIST_OBJECTS; kind <= LIST_UPLOADS; kind++) {
		q.kind = (enum list_kind)kind;
		TRY(vault_list(no_pool, &grants[kind], &q, &reply, e, &n, &more));
	}
	TRY(vault_upload_get(no_pool, id, e[0].key, e[0].id, &reply, &u));
	TRY(vault_bucket_doc(no_pool, &grants[3], id, DOC_TAGGING, &doc));
	TRY(look(BUCKET, STR("parts"), current_version, &reply, &o));
	return vault_blob_open(no_pool, o.version, 0, &reply, &fd, &body, &number, &size);
}

static void
make_everything(struct id id)
{
	struct grant g = grant_for(ACTION_PUT_BUCKET_TAGGING, id, (struct id){0}, STR_NONE, STR_NONE);
	static const char zeros[4096];
	struct part part = {.number = 1, .size = 1000, .meta = sealed_from_store(STR("m"))};
	struct part_ref ref = {.number = 1};
	struct put_result result;
	uint32_t fault;
	struct fresh f;

	CHECK_OK(vault_bucket_set_doc(no_pool, &g, id, DOC_TAGGING, STR("tags")));
	put_text(id, STR("inline"), STR("x"));
	put_file(id, STR("file"), STR("y"));
	fresh_init(&f, id, STR("parts"), STR(""));
	CHECK_OK(vault_upload_create(no_pool, &f.grant, &f.put));
	CHECK_OK(vault_part_put(no_pool, &f.grant, f.ids.version, &part,
	    sealed_from_store(str_of(zeros, stream_sealed_size(1000))), -1, f.put.sha256));
	f.put.size = 1000;
	f.put.body = sealed_from_store(STR_NONE);
	CHECK_OK(vault_upload_complete(no_pool, &f.grant, f.ids.version, &ref, 1, &f.put, &result, &fault));
	fresh_release(&f);
	fresh_init(&f, id, STR("upload"), STR(""));
	CHECK_OK(vault_upload_create(no_pool, &f.grant, &f.put));
	fresh_release(&f);
}

static void
a_change_in_any_column_is_found(void **state)
{
	/* the last byte becomes another */
#define OTHER(c)                                                                                               \
	c " = CAST(substr(" c ", 1, length(" c ") - 1) || CASE WHEN substr(" c ", -1) = x'5a' THEN x'a5' ELSE x'5a' END AS BLOB)" \
	  " WHERE length(" c ") > 0"
	static const char *const changes[] = {
		"version SET no = no + 100", "version SET bucket = bucket", /* placed first: a no-change must not be CORRUPT */
		"version SET " OTHER("object"), "version SET flags = flags + 1", "version SET size = size + 1",
		"version SET modified_us = modified_us + 1", "version SET n_parts = n_parts + 1", "version SET " OTHER("etag"),
		"version SET " OTHER("owner"), "version SET " OTHER("domain"), "version SET epoch = epoch + 1",
		"version SET " OTHER("blob"), "version SET " OTHER("sha256"), "version SET " OTHER("list_hash"),
		"version SET " OTHER("wide_sum"), "version SET " OTHER("sum"), "version SET " OTHER("header"),
		"version SET " OTHER("charter"), "version SET " OTHER("manifest"), "version SET " OTHER("body"),
		"version SET id = x'00112233445566778899aabbccddeeff' WHERE key = x'66696c65'",
		"entry SET no = no + 1", "entry SET " OTHER("id"), "entry SET flags = flags + 1", "entry SET size = size + 1",
		"entry SET modified_us = modified_us + 1", "entry SET n_parts = n_parts + 1", "entry SET " OTHER("etag"),
		"entry SET " OTHER("owner"), "entry SET " OTHER("sum"), "entry SET key = CAST(key || x'00' AS BLOB)",
		"bucket SET " OTHER("id"), "bucket SET " OTHER("owner"), "bucket SET versioning = 1", "bucket SET object_lock = 1",
		"bucket SET created_us = 1", "bucket SET docs = docs + 1", "bucket SET " OTHER("charter"), "bucket SET " OTHER("sum"),
		"doc SET " OTHER("body"), "doc SET " OTHER("sum"),
		"upload SET no = no + 1", "upload SET " OTHER("object"), "upload SET " OTHER("owner"), "upload SET " OTHER("domain"),
		"upload SET epoch = epoch + 1", "upload SET created_us = created_us + 1", "upload SET " OTHER("key"),
		"upload SET " OTHER("header"), "upload SET " OTHER("charter"), "upload SET " OTHER("manifest"),
		"upload SET id = x'00112233445566778899aabbccddeeff'",
		"part SET size = size + 1", "part SET modified_us = 1", "part SET " OTHER("etag"), "part SET " OTHER("blob"),
		"part SET " OTHER("sha256"), "part SET " OTHER("meta"), "part SET " OTHER("body"), "part SET " OTHER("sum"),
		"blob SET bad = 1",
	};
	struct id id = make_bucket(BUCKET);
	char sql[512], path[96];
	AUTO_BUF saved = BUF(64 * MiB);

	(void)state;
	make_everything(id);
	CHECK_OK(look_at_everything(id));
	tamper("SELECT 1"); /* writes everything back to the one file */
	vault_close(house.v);
	snprintf(path, sizeof(path), "%s/vault.db", house.dir);
	CHECK_OK(fd_read_file(AT_FDCWD, path, &saved));
	house_open();
	for (size_t i = 0; i < ARRAY_LEN(changes); i++) {
		bool harmless = i == 1;
		struct err e;

		snprintf(sql, sizeof(sql), "UPDATE OR REPLACE %s", changes[i]);
		tamper(sql);
		e = look_at_everything(id);
		if (err_is(e) == harmless || (!harmless && e.code != ERR_CORRUPT))
			fail_msg("%s: %s", changes[i], err_name(e.code));
		vault_close(house.v);
		CHECK_OK(fd_replace_file(AT_FDCWD, path, buf_str(&saved), 0600));
		house_open();
	}
	CHECK_OK(look_at_everything(id));
}

/* ---- changed files ---- */

static struct id
the_blob(int *ret_fd, uint8_t digest[32])
{
	struct id blob;

	as(ROLE_STEWARD);
	CHECK_OK(vault_check_next(&no_chan, INT64_MAX, &blob, ret_fd, digest));
	return blob;
}

static void
blob_path(struct id blob, char out[160])
{
	char hex[ID_HEX_LEN + 1];

	id_format(blob, hex);
	snprintf(out, 160, "%s/blobs/%.2s/%s", house.dir, hex, hex);
}

static void
bad_files_are_found_and_not_served(void **state)
{
	struct id id = make_bucket(BUCKET), blob;
	uint8_t digest[32], stored[32], got[DIGEST_MAX_BYTES];
	AUTO_BUF bytes = BUF(MiB);
	AUTO_MSG reply = MSG(0);
	struct object_info o;
	char path[160];
	int64_t before = clock_now_us();
	int fd;

	(void)state;
	put_file(id, STR("k"), STR("some text that is long enough"));
	blob = the_blob(&fd, stored);
	CHECK_OK(fd_read_rest(fd, &bytes));
	sha256(str_sub(buf_str(&bytes), HEADER_BYTES, SIZE_MAX), digest);
	assert_memory_equal(digest, stored, 32);
	close(fd);
	CHECK_OK(vault_check_result(&no_chan, blob, true));
	CHECK_ERR(vault_check_next(&no_chan, before, &blob, &fd, digest), ERR_NOT_FOUND);
	assert_true(numbers().last_full_check_us >= (uint64_t)before);
	CHECK_OK(look(BUCKET, STR("k"), current_version, &reply, &o));
	close(o.fd);
	CHECK_OK(vault_check_result(&no_chan, blob, false));
	assert_true(str_eq(house.last_act, STR("vault.corrupt")));
	assert_int_equal(numbers().blobs_bad, 1);
	CHECK_ERR(look(BUCKET, STR("k"), current_version, &reply, &o), ERR_CORRUPT);
	CHECK_OK(vault_check_result(&no_chan, blob, true)); /* restored from a copy, checked again */
	assert_int_equal(numbers().blobs_bad, 0);
	CHECK_OK(look(BUCKET, STR("k"), current_version, &reply, &o));
	close(o.fd);
	/* another length; gone; a header that is none */
	blob_path(blob, path);
	assert_int_equal(truncate(path, (off_t)bytes.n - 1), 0);
	CHECK_ERR(look(BUCKET, STR("k"), current_version, &reply, &o), ERR_CORRUPT);
	assert_int_equal(truncate(path, (off_t)bytes.n), 0);
	CHECK_OK(look(BUCKET, STR("k"), current_version, &reply, &o));
	close(o.fd);
	CHECK_OK(fd_open_at(AT_FDCWD, path, O_RDWR, 0, &fd));
	CHECK_OK(fd_pwrite_all(fd, STR("X"), 20));
	close(fd);
	CHECK_ERR(vault_check_next(&no_chan, INT64_MAX, &blob, &fd, got), ERR_NOT_FOUND);
	assert_int_equal(numbers().blobs_bad, 1);
	CHECK_ERR(look(BUCKET, STR("k"), current_version, &reply, &o), ERR_CORRUPT);
	CHECK_OK(vault_check_result(&no_chan, blob, true));
	assert_int_equal(unlink(path), 0);
	CHECK_ERR(look(BUCKET, STR("k"), current_version, &reply, &o), ERR_CORRUPT);
	/* it can still be deleted */
	as(ROLE_GATE);
	delete_key(id, STR("k"), current_version);
	assert_int_equal(numbers().blobs_bad, 0);
}

static void
files_without_a_row_are_collected(void **state)
{
	struct id id = make_bucket(BUCKET), stray = id_new();
	uint64_t files, uploads;
	char path[160];
	AUTO_FD fd = -1;
	AUTO_FD other = -1;

	(void)state;
	put_file(id, STR("k"), STR("x"));
	blob_path(stray, path);
	CHECK_OK(fd_open_at(AT_FDCWD, path, O_WRONLY | O_CREAT, 0600, &fd));
	snprintf(path, sizeof(path), "%s/blobs/00/notes.txt", house.dir);
	CHECK_OK(fd_open_at(AT_FDCWD, path, O_WRONLY | O_CREAT, 0600, &other));
	as(ROLE_STEWARD);
	CHECK_OK(vault_collect(&no_chan, 0, &files, &uploads));
	assert_int_equal(files, 1);
	assert_int_equal(uploads, 0);
	assert_int_equal(count_files(), 2); /* the blob, and what is not ours */
	unlink(path);
	/* at a start too */
	blob_path(stray, path);
	CHECK_OK(fd_open_at(AT_FDCWD, path, O_WRONLY | O_CREAT, 0600, &other));
	house_reopen();
	idle();
	assert_int_equal(count_files(), 1);
}

/* ---- rotation ---- */

static void
rotate(uint32_t epoch, size_t page, size_t want)
{
	struct rewrap r[16];
	struct id after = {0};
	size_t n, seen = 0;

	as(ROLE_WARDEN);
	do {
		CHECK_OK(vault_rewrap_next(&no_chan, house.domain, epoch, after, r, page, &n));
		for (size_t i = 0; i < n; i++) {
			uint8_t wrapped[WRAPPED_BYTES], header[HEADER_BYTES];
			size_t at;

			after = r[i].version;
			rand_bytes(wrapped, sizeof(wrapped));
			CHECK_OK(header_rewrap(r[i].header, epoch, wrapped, header, &at));
			memcpy(r[i].header, header, sizeof(header));
		}
		seen += n;
		if (n > 0) {
			CHECK_OK(vault_rewrap_apply(&no_chan, r, n));
			CHECK_OK(vault_rewrap_apply(&no_chan, r, n)); /* twice is once */
		}
	} while (n > 0);
	assert_int_equal(seen, want);
	as(ROLE_GATE);
}

static void
file_is_of(int fd, struct str header)
{
	uint8_t stored[HEADER_BYTES];
	struct blob_header a, b;

	CHECK_OK(fd_pread_all(fd, stored, sizeof(stored), 0));
	CHECK_OK(header_decode(stored, &a));
	CHECK_OK(header_decode((const uint8_t *)header.p, &b));
	assert_int_equal(a.epoch, b.epoch);
	assert_memory_equal(a.wrapped, b.wrapped, sizeof(a.wrapped));
}

static void
rotation_rewraps_headers_and_files(void **state)
{
	struct id id = make_bucket(BUCKET), blob;
	AUTO_MSG reply = MSG(0);
	struct object_info o;
	struct blob_header h;
	struct rewrap r[1];
	uint8_t digest[32];
	uint64_t left;
	size_t n;
	int fd;

	(void)state;
	make_everything(id); /* three versions and an upload */
	as(ROLE_WARDEN);
	CHECK_OK(vault_domain_count(&no_chan, house.domain, 2, &left));
	assert_int_equal(left, 4);
	CHECK_OK(vault_domain_count(&no_chan, house.domain, 1, &left));
	assert_int_equal(left, 0);
	CHECK_OK(vault_domain_count(&no_chan, id_new(), 2, &left));
	assert_int_equal(left, 0);
	/* where the last answer ended, whatever the page */
	CHECK_OK(vault_rewrap_next(&no_chan, house.domain, 2, (struct id){0}, r, 1, &n));
	assert_int_equal(n, 1);
	struct id first = r[0].version;
	CHECK_OK(vault_rewrap_next(&no_chan, house.domain, 2, first, r, 1, &n));
	assert_int_equal(n, 1);
	assert_false(id_eq(first, r[0].version));
	rotate(2, 3, 4);
	as(ROLE_WARDEN);
	CHECK_OK(vault_domain_count(&no_chan, house.domain, 2, &left));
	assert_int_equal(left, 0);
	as(ROLE_GATE);
	CHECK_OK(look(BUCKET, STR("file"), current_version, &reply, &o));
	CHECK_OK(header_decode((const uint8_t *)o.header.p, &h));
	assert_int_equal(h.epoch, 2);
	close(o.fd);
	house_reopen(); /* the files had not been written yet: they are after a restart */
	idle();
	CHECK_OK(look(BUCKET, STR("file"), current_version, &reply, &o));
	file_is_of(o.fd, o.header);
	close(o.fd);
	rotate(3, 16, 4);
	idle();
	CHECK_OK(look(BUCKET, STR("file"), current_version, &reply, &o));
	file_is_of(o.fd, o.header);
	close(o.fd);
	blob = the_blob(&fd, digest); /* and the digest still holds */
	AUTO_BUF bytes = BUF(MiB);
	uint8_t got[32];
	CHECK_OK(fd_read_rest(fd, &bytes));
	sha256(str_sub(buf_str(&bytes), HEADER_BYTES, SIZE_MAX), got);
	assert_memory_equal(got, digest, 32);
	assert_false(id_is_zero(blob));
	close(fd);
	CHECK_OK(look_at_everything(id));
}

static void
headers_of_something_else_are_refused(void **state)
{
	struct id id = make_bucket(BUCKET);
	uint8_t wrapped[WRAPPED_BYTES] = {1}, header[HEADER_BYTES];
	struct rewrap r[2];
	size_t n, at;

	(void)state;
	put_text(id, STR("a"), STR("x"));
	put_text(id, STR("b"), STR("x"));
	as(ROLE_WARDEN);
	CHECK_OK(vault_rewrap_next(&no_chan, house.domain, 2, (struct id){0}, r, 2, &n));
	assert_int_equal(n, 2);
	CHECK_OK(header_rewrap(r[0].header, 2, wrapped, header, &at));
	memcpy(r[0].header, header, sizeof(header));
	memcpy(r[1].header, header, sizeof(header)); /* of the other */
	CHECK_ERR(vault_rewrap_apply(&no_chan, r, 2), ERR_INVALID);
	CHECK_OK(vault_rewrap_next(&no_chan, house.domain, 2, (struct id){0}, r, 2, &n));
	assert_int_equal(n, 2); /* none was applied */
	as(ROLE_GATE);
}

/* ---- failing disks ---- */

static void
every_failing_call_leaves_all_or_nothing(void **state)
{
	static const enum fault_kind kinds[] = {FAULT_WRITE, FAULT_SYNC, FAULT_OPEN};
	static const int errors[] = {EIO, ENOSPC};
	struct id id = make_bucket(BUCKET);
	unsigned failed = 0;

	(void)state;
	for (size_t k = 0; k < ARRAY_LEN(kinds); k++) {
		for (size_t s = 0; s < ARRAY_LEN(errors); s++) {
			for (uint64_t after = 0;; after++) {
				AUTO_MSG reply = MSG(0);
				struct put_result result;
				struct object_info o;
				struct fresh f;
				struct err e;
				bool hit;

				fresh_init(&f, id, STR("k"), STR("x"));
				fresh_to_file(&f);
				fault_arm(kinds[k], after, errors[s]);
				e = vault_put(no_pool, &f.grant, &f.put, &result);
				hit = fault_count(kinds[k]) > after;
				fault_disarm();
				house_reopen();
				idle();
				assert_true(hit || !err_is(e));
				failed += err_is(e);
				if (err_is(e))
					CHECK_ERR(look(BUCKET, STR("k"), current_version, &reply, &o), ERR_NOT_FOUND);
				else
					CHECK_OK(look(BUCKET, STR("k"), current_version, &reply, &o));
				assert_int_equal(count_files(), err_is(e) ? 0 : 1);
				if (!err_is(e)) {
					assert_true(id_eq(o.version, f.ids.version));
					close(o.fd);
					delete_key(id, STR("k"), current_version);
					idle();
				}
				fresh_release(&f);
				if (!hit)
					break;
			}
		}
	}
	assert_true(failed > 8);
}

static void
a_failed_sync_stops_the_vault(void **state)
{
	struct id id = make_bucket(BUCKET);
	struct put_result result;
	struct fresh f;

	(void)state;
	fresh_init(&f, id, STR("k"), STR("x"));
	assert_false(vault_is_broken(house.v));
	fault_arm(FAULT_SYNC, 0, EIO);
	CHECK_ERR(vault_put(no_pool, &f.grant, &f.put, &result), ERR_IO);
	fault_disarm();
	assert_true(vault_is_broken(house.v));
	house_reopen();
	assert_false(vault_is_broken(house.v));
	fresh_release(&f);
}

static void
a_full_disk_refuses_writes_only(void **state)
{
	AUTO_BUF text = BUF(MiB);
	AUTO_MSG reply = MSG(0);
	struct put_result result;
	struct err e = OK;
	struct object_info o;
	struct fresh f;
	struct id id;
	char dir[64];
	unsigned n = 0;
	int fd;

	(void)state;
	snprintf(dir, sizeof(dir), "/tmp/vaultfsXXXXXX");
	assert_non_null(mkdtemp(dir));
	if (mount("none", dir, "tmpfs", 0, "size=70m") != 0) {
		rmdir(dir);
		skip(); /* needs root */
	}
	house_tear_down(NULL);
	house_set_up_in(dir);
	id = make_bucket(BUCKET);
	memset(buf_room(&text, 500000), 'x', 500000);
	buf_grew(&text, 500000);
	CHECK_ERR(vault_blob_new(no_pool, 64 * MiB, &fd), ERR_NO_SPACE);
	for (; !err_is(e) && n < 40; n++) {
		char key[16];

		snprintf(key, sizeof(key), "k%u", n);
		fresh_init(&f, id, str_c(key), buf_str(&text));
		e = vault_blob_new(no_pool, 500000, &fd);
		if (!err_is(e)) {
			close(fd);
			fresh_to_file(&f);
			e = vault_put(no_pool, &f.grant, &f.put, &result);
		}
		fresh_release(&f);
	}
	CHECK_ERR(e, ERR_NO_SPACE);
	assert_true(n > 2);
	for (e = OK, n = 0; !err_is(e) && n < 1000; n++) {
		fresh_init(&f, id, STR("small"), str_sub(buf_str(&text), 0, LIMIT_INLINE_BYTES));
		e = vault_put(no_pool, &f.grant, &f.put, &result);
		fresh_release(&f);
	}
	CHECK_ERR(e, ERR_NO_SPACE);
	assert_true(n > 2);
	fresh_init(&f, id, STR("small"), STR("x"));
	CHECK_ERR(vault_put(no_pool, &f.grant, &f.put, &result), ERR_NO_SPACE);
	CHECK_OK(look(BUCKET, STR("k0"), current_version, &reply, &o));
	close(o.fd);
	delete_key(id, STR("k0"), current_version);
	delete_key(id, STR("k1"), current_version);
	idle();
	CHECK_OK(vault_put(no_pool, &f.grant, &f.put, &result));
	fresh_release(&f);
	vault_close(house.v);
	house.v = NULL;
	mac_key_free(house.grant_key);
	mac_key_free(house.charter_key);
	assert_int_equal(umount(dir), 0);
	rmdir(dir);
	house_set_up(NULL);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, house_set_up, house_tear_down)
	const struct CMUnitTest tests[] = {
		T(a_batch_is_in_order_and_whole), T(one_corrupt_row_fails_alone), T(a_change_in_any_column_is_found),
		T(bad_files_are_found_and_not_served), T(files_without_a_row_are_collected),
		T(rotation_rewraps_headers_and_files), T(headers_of_something_else_are_refused),
		T(every_failing_call_leaves_all_or_nothing), T(a_failed_sync_stops_the_vault), T(a_full_disk_refuses_writes_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
