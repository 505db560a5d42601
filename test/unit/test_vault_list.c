/* vault: listings and multipart uploads. */
#include "vault_house.h"

#define BUCKET STR("study-data")
#define PART_MIN ((size_t)LIMIT_PART_MIN_BYTES)

/* ---- listings ---- */

struct page {
	struct msg reply;
	struct list_entry e[LIMIT_LIST_KEYS];
	size_t n;
	bool more;
};
static struct page page;

static struct page *
list(struct list_query q)
{
	static const enum action actions[] = {ACTION_LIST_BUCKET, ACTION_LIST_BUCKET_VERSIONS, ACTION_LIST_BUCKET_UPLOADS};
	struct grant g = grant_for(actions[q.kind], q.bucket, (struct id){0}, STR_NONE, STR_NONE);

	if (q.max == 0)
		q.max = LIMIT_LIST_KEYS;
	CHECK_OK(vault_list(no_pool, &g, &q, &page.reply, page.e, &page.n, &page.more));
	return &page;
}

/* shows(p, "a b d/ "): keys in order, common prefixes in brackets. */
static void
shows(const struct page *p, const char *want)
{
	AUTO_BUF b = BUF(MiB);

	for (size_t i = 0; i < p->n; i++) {
		if (i)
			buf_put_c(&b, " ");
		buf_put_c(&b, p->e[i].is_prefix ? "[" : "");
		buf_put_str(&b, p->e[i].key);
		buf_put_c(&b, p->e[i].is_prefix ? "]" : "");
	}
	buf_put_u8(&b, 0);
	assert_string_equal(b.p, want);
}

static void
keys_are_listed_in_byte_order(void **state)
{
	struct id id = make_bucket(BUCKET), other = make_bucket(STR("other"));
	struct list_query q = {.bucket = id};

	(void)state;
	shows(list(q), "");
	put_text(id, STR("b"), STR("1"));
	put_text(id, STR("\xff"), STR("1"));
	put_text(id, STR("B"), STR("1"));
	put_text(id, STR("a/b"), STR("12345"));
	put_text(id, STR("a"), STR("1"));
	put_text(id, STR("\xc3\xa9"), STR("1"));
	put_text(other, STR("zz"), STR("1"));
	shows(list(q), "B a a/b b \xc3\xa9 \xff");
	assert_false(page.more);
	assert_int_equal(page.e[2].size, 5);
	assert_true(page.e[2].is_null && page.e[2].is_latest);
	assert_true(id_eq(page.e[2].owner, house.who));
	q.max = 2;
	shows(list(q), "B a");
	assert_true(page.more);
	q.after_key = STR("a");
	shows(list(q), "a/b b");
	q.after_key = STR("b");
	shows(list(q), "\xc3\xa9 \xff");
	assert_false(page.more);
	q = (struct list_query){.bucket = id, .prefix = STR("a")};
	shows(list(q), "a a/b");
	q.prefix = STR("\xff");
	shows(list(q), "\xff");
	q.prefix = STR("c");
	shows(list(q), "");
	q = (struct list_query){.bucket = id, .prefix = STR("b"), .after_key = STR("a")};
	shows(list(q), "b");
	q.after_key = STR("c");
	shows(list(q), "");
}

static void
delimiters_fold(void **state)
{
	struct id id = make_bucket(BUCKET);
	struct list_query q = {.bucket = id, .delimiter = STR("/")};
	char key[32];

	(void)state;
	for (int i = 0; i < 300; i++) {
		snprintf(key, sizeof(key), "d%d/k%03d", i % 3, i);
		put_text(id, str_c(key), STR("x"));
	}
	put_text(id, STR("d1"), STR("x"));
	put_text(id, STR("d1/"), STR("x"));
	put_text(id, STR("top"), STR("x"));
	put_text(id, STR("\xff/\xff"), STR("x"));
	shows(list(q), "[d0/] d1 [d1/] [d2/] top [\xff/]");
	q.max = 2;
	shows(list(q), "[d0/] d1");
	assert_true(page.more);
	q.after_key = STR("d1");
	shows(list(q), "[d1/] [d2/]");
	q.after_key = STR("d2/");
	q.after_is_prefix = true;
	shows(list(q), "top [\xff/]");
	assert_false(page.more);
	q = (struct list_query){.bucket = id, .delimiter = STR("/"), .prefix = STR("d1/"), .max = 3};
	shows(list(q), "d1/ d1/k001 d1/k004");
	q = (struct list_query){.bucket = id, .delimiter = STR("k1"), .prefix = STR("d0/")};
	list(q);
	assert_true(page.e[page.n - 1].is_prefix == false);
	assert_int_equal(page.n, 100 - 33 + 1); /* k100 … k199, of which every third is d0's, fold into one */
	/* a prefix with nothing live below it is not shown */
	q = (struct list_query){.bucket = id, .delimiter = STR("/")};
	set_versioning(id, VERSIONING_ENABLED);
	delete_key(id, STR("\xff/\xff"), current_version);
	shows(list(q), "[d0/] d1 [d1/] [d2/] top");
	q.kind = LIST_VERSIONS;
	shows(list(q), "[d0/] d1 [d1/] [d2/] top [\xff/]");
}

static void
long_listings_go_on(void **state)
{
	enum { N = 2500 };
	struct id id = make_bucket(BUCKET);
	struct list_query q = {.bucket = id};
	char key[LIMIT_OBJECT_KEY_BYTES], last[LIMIT_OBJECT_KEY_BYTES];
	unsigned seen = 0, pages = 0;

	(void)state;
	memset(key, 'k', sizeof(key));
	for (int i = 0; i < N; i++) {
		char n[12];

		snprintf(n, sizeof(n), "%06d", i);
		memcpy(key, n, 6);
		put_text(id, str_of(key, i < 1000 ? sizeof(key) : 6), STR("x"));
	}
	do { /* keys of the greatest length do not fit a message by the thousand */
		list(q);
		for (size_t i = 0; i < page.n; i++, seen++) {
			snprintf(last, sizeof(last), "%06u", seen);
			assert_memory_equal(page.e[i].key.p, last, 6);
		}
		assert_true(page.n > 0);
		memcpy(last, page.e[page.n - 1].key.p, page.e[page.n - 1].key.n);
		q.after_key = str_of(last, page.e[page.n - 1].key.n);
		pages++;
	} while (page.more);
	assert_int_equal(seen, N);
	assert_true(pages > 6);
}

static void
versions_are_listed_newest_first(void **state)
{
	struct id id = make_bucket(BUCKET), a[5], b;
	struct list_query q = {.kind = LIST_VERSIONS, .bucket = id};
	struct delete_result marker;

	(void)state;
	a[0] = put_text(id, STR("a"), STR("1"));
	set_versioning(id, VERSIONING_ENABLED);
	for (int i = 1; i < 5; i++)
		a[i] = put_text(id, STR("a"), STR("12"));
	b = put_text(id, STR("b"), STR("1"));
	marker = delete_key(id, STR("b"), current_version);
	shows(list(q), "a a a a a b b");
	for (int i = 0; i < 5; i++) {
		assert_true(id_eq(page.e[i].id, a[4 - i]));
		assert_true(page.e[i].is_latest == (i == 0));
		assert_true(page.e[i].is_null == (i == 4));
	}
	assert_true(page.e[5].is_delete_marker && page.e[5].is_latest && id_eq(page.e[5].id, marker.version.id));
	assert_true(!page.e[6].is_delete_marker && !page.e[6].is_latest && id_eq(page.e[6].id, b));
	q.max = 2;
	list(q);
	assert_true(page.more);
	q.after_key = STR("a");
	q.after_id = version_of(a[3]);
	shows(list(q), "a a");
	assert_true(id_eq(page.e[0].id, a[2]) && !page.e[0].is_latest);
	q.max = 10;
	q.after_id = NULL_VERSION;
	shows(list(q), "b b");
	q.after_id = (struct version_ref){0};
	shows(list(q), "b b");
	/* the marker has gone in between: what is left of its key comes again */
	q.after_id = version_of(a[3]);
	delete_key(id, STR("a"), version_of(a[4]));
	delete_key(id, STR("a"), version_of(a[3]));
	shows(list(q), "a a a b b");
	assert_true(id_eq(page.e[0].id, a[2]) && page.e[0].is_latest);
}

/* ---- uploads ---- */

static void
begin(struct fresh *f, struct id bucket, struct str key)
{
	fresh_init(f, bucket, key, STR(""));
	CHECK_OK(vault_upload_create(no_pool, &f->grant, &f->put));
}

static void
uploads_are_listed(void **state)
{
	struct id id = make_bucket(BUCKET), u[5];
	struct list_query q = {.kind = LIST_UPLOADS, .bucket = id};
	static const char *const keys[] = {"b", "a/1", "a/1", "a/2", "a/1"};

	(void)state;
	for (int i = 0; i < 5; i++) {
		struct fresh f;

		begin(&f, id, str_c(keys[i]));
		u[i] = f.ids.version;
		fresh_release(&f);
	}
	shows(list(q), "a/1 a/1 a/1 a/2 b");
	assert_true(id_eq(page.e[0].id, u[1]) && id_eq(page.e[1].id, u[2]) && id_eq(page.e[2].id, u[4]));
	q.max = 2;
	list(q);
	assert_true(page.more);
	q.after_key = STR("a/1");
	q.after_id = version_of(u[2]);
	shows(list(q), "a/1 a/2");
	q.after_id = (struct version_ref){0};
	shows(list(q), "a/2 b");
	q = (struct list_query){.kind = LIST_UPLOADS, .bucket = id, .delimiter = STR("/")};
	shows(list(q), "[a/] b");
}

static const char filler[64 * KiB];

/* part_put(f, number, size, tag): of zeros; the ETag is ${tag} sixteen times. */
static struct err
part_put(const struct fresh *f, uint32_t number, uint64_t size, char tag)
{
	struct grant g = grant_for(ACTION_PUT_OBJECT, f->put.bucket, f->ids.version, f->put.key, STR_NONE);
	struct part p = {.number = number, .size = size, .meta = sealed_from_store(STR("crc"))};
	struct blob_header h = f->ids;
	uint8_t header[HEADER_BYTES], digest[32] = {0};
	uint64_t sealed = stream_sealed_size(size);
	AUTO_FD fd = -1;

	memset(p.etag, tag, sizeof(p.etag));
	if (size <= LIMIT_INLINE_BYTES)
		return vault_part_put(no_pool, &g, f->ids.version, &p, sealed_from_store(str_of(filler, sealed)), -1, digest);
	h.part = number;
	header_encode(&h, header);
	CHECK_OK(vault_blob_new(no_pool, size, &fd));
	CHECK_OK(fd_write_all(fd, str_of(header, sizeof(header))));
	assert_int_equal(ftruncate(fd, (off_t)(HEADER_BYTES + sealed)), 0);
	return vault_part_put(no_pool, &g, f->ids.version, &p, sealed_from_store(STR_NONE), fd, digest);
}

static struct part_ref
ref(uint32_t number, char tag)
{
	struct part_ref r = {.number = number};

	memset(r.etag, tag, sizeof(r.etag));
	return r;
}

static struct err
complete(const struct fresh *f, const struct part_ref *list_, size_t n, uint64_t size, struct put_result *ret,
    uint32_t *ret_fault)
{
	struct grant g = grant_for(ACTION_PUT_OBJECT, f->put.bucket, f->ids.version, f->put.key, STR_NONE);
	struct put p = f->put;

	p.charter = STR_NONE;
	p.manifest = sealed_from_store(STR("parts manifest"));
	p.body = sealed_from_store(STR_NONE);
	p.size = size;
	memset(p.etag, 'E', sizeof(p.etag));
	return vault_upload_complete(no_pool, &g, f->ids.version, list_, n, &p, ret, ret_fault);
}

static void
uploads_become_versions(void **state)
{
	struct id id = make_bucket(BUCKET);
	struct fresh f;
	struct part_ref parts[] = {ref(2, 'b'), ref(5, 'e'), ref(9, 'i')};
	struct grant g;
	AUTO_MSG reply = MSG(0);
	struct upload_info u;
	struct put_result result, again;
	struct object_info o;
	struct sealed body;
	struct part got[10];
	uint32_t fault = 99, number;
	uint64_t size;
	size_t n;
	bool more;
	int fd;

	(void)state;
	begin(&f, id, STR("big"));
	g = grant_for(ACTION_LIST_UPLOAD_PARTS, id, f.ids.version, STR("big"), STR_NONE);
	CHECK_OK(vault_upload_get(no_pool, id, STR("big"), f.ids.version, &reply, &u));
	assert_true(str_eq(u.header, f.put.header) && str_eq(u.charter, f.put.charter) && id_eq(u.object, f.ids.object));
	CHECK_ERR(vault_upload_get(no_pool, id, STR("other"), f.ids.version, &reply, &u), ERR_NOT_FOUND);
	CHECK_ERR(look(BUCKET, STR("big"), current_version, &reply, &o), ERR_NOT_FOUND);
	CHECK_OK(part_put(&f, 9, 100, 'i'));
	CHECK_OK(part_put(&f, 5, PART_MIN, 'x'));
	CHECK_OK(part_put(&f, 2, PART_MIN + 1, 'b'));
	CHECK_OK(part_put(&f, 7, PART_MIN, 'g'));
	CHECK_OK(part_put(&f, 5, PART_MIN, 'e')); /* again: replaces */
	idle();
	assert_int_equal(count_files(), 3);
	CHECK_OK(vault_part_list(no_pool, &g, f.ids.version, 0, 3, &reply, got, &n, &more));
	assert_int_equal(n, 3);
	assert_true(more);
	assert_int_equal(got[0].number, 2);
	assert_int_equal(got[0].size, PART_MIN + 1);
	assert_int_equal(got[1].etag[3], 'e');
	assert_true(str_eq(sealed_bytes(got[2].meta), STR("crc")));
	CHECK_OK(vault_part_list(no_pool, &g, f.ids.version, 7, 3, &reply, got, &n, &more));
	assert_int_equal(n, 1);
	assert_false(more);
	size = 2 * PART_MIN + 101;
	CHECK_ERR(complete(&f, parts, 3, size + 1, &result, &fault), ERR_CONFLICT);
	CHECK_OK(complete(&f, parts, 3, size, &result, &fault));
	assert_true(str_eq(house.last_act, STR("upload.complete")));
	CHECK_OK(complete(&f, parts, 3, size, &again, &fault)); /* the answer was lost on its way */
	assert_int_equal(result.modified_us, again.modified_us);
	CHECK_ERR(complete(&f, parts, 2, size, &again, &fault), ERR_NOT_FOUND);
	idle();
	assert_int_equal(count_files(), 2); /* part 7 was left out, part 9 is in its row */
	CHECK_ERR(vault_upload_get(no_pool, id, STR("big"), f.ids.version, &reply, &u), ERR_NOT_FOUND);
	CHECK_ERR(part_put(&f, 3, 1, 'c'), ERR_NOT_FOUND);
	CHECK_OK(look(BUCKET, STR("big"), current_version, &reply, &o));
	assert_int_equal(o.n_parts, 3);
	assert_int_equal(o.size, size);
	assert_int_equal(o.fd, -1);
	assert_true(str_eq(o.manifest, STR("parts manifest")) && str_eq(o.charter, f.put.charter));
	CHECK_OK(vault_blob_open(no_pool, f.ids.version, 1, &reply, &fd, &body, &number, &size));
	assert_int_equal(number, 5);
	assert_int_equal(size, PART_MIN);
	assert_true(fd >= 0);
	close(fd);
	CHECK_OK(vault_blob_open(no_pool, f.ids.version, 2, &reply, &fd, &body, &number, &size));
	assert_int_equal(number, 9);
	assert_int_equal(fd, -1);
	assert_int_equal(sealed_bytes(body).n, stream_sealed_size(100));
	CHECK_ERR(vault_blob_open(no_pool, f.ids.version, 3, &reply, &fd, &body, &number, &size), ERR_NOT_FOUND);
	/* its parts can still be looked at, by who may read it */
	CHECK_ERR(vault_part_list(no_pool, &g, f.ids.version, 0, 3, &reply, got, &n, &more), ERR_DENIED);
	g = grant_for(ACTION_GET_OBJECT, id, f.ids.version, STR("big"), STR_NONE);
	CHECK_OK(vault_part_list(no_pool, &g, f.ids.version, 0, 10, &reply, got, &n, &more));
	assert_int_equal(n, 3);
	delete_key(id, STR("big"), current_version);
	idle();
	assert_int_equal(count_files(), 0);
	assert_int_equal(numbers().blobs, 0);
	fresh_release(&f);
}

static void
wrong_lists_name_the_fault(void **state)
{
	struct id id = make_bucket(BUCKET);
	struct fresh f;
	struct put_result result;
	uint32_t fault = 99;

	(void)state;
	begin(&f, id, STR("k"));
	CHECK_OK(part_put(&f, 1, PART_MIN, 'a'));
	CHECK_OK(part_put(&f, 2, PART_MIN - 1, 'b'));
	CHECK_OK(part_put(&f, 3, 1, 'c'));
	CHECK_ERR(complete(&f, (struct part_ref[]){ref(2, 'b'), ref(1, 'a')}, 2, 0, &result, &fault), ERR_INVALID);
	assert_int_equal(fault, 1);
	CHECK_ERR(complete(&f, (struct part_ref[]){ref(1, 'a'), ref(1, 'a')}, 2, 0, &result, &fault), ERR_INVALID);
	assert_int_equal(fault, 1);
	CHECK_ERR(complete(&f, NULL, 0, 0, &result, &fault), ERR_INVALID);
	CHECK_ERR(complete(&f, (struct part_ref[]){ref(1, 'z')}, 1, PART_MIN, &result, &fault), ERR_NOT_FOUND);
	assert_int_equal(fault, 0);
	CHECK_ERR(complete(&f, (struct part_ref[]){ref(1, 'a'), ref(4, 'd')}, 2, 0, &result, &fault), ERR_NOT_FOUND);
	assert_int_equal(fault, 1);
	CHECK_ERR(complete(&f, (struct part_ref[]){ref(1, 'a'), ref(2, 'b'), ref(3, 'c')}, 3, 2 * PART_MIN, &result, &fault),
	    ERR_LIMIT);
	assert_int_equal(fault, 1);
	CHECK_ERR(part_put(&f, 0, 1, 'a'), ERR_INVALID);
	CHECK_ERR(part_put(&f, LIMIT_PARTS + 1, 1, 'a'), ERR_INVALID);
	CHECK_OK(complete(&f, (struct part_ref[]){ref(1, 'a'), ref(2, 'b')}, 2, 2 * PART_MIN - 1, &result, &fault));
	fresh_release(&f);
}

static void
ten_thousand_parts_fit(void **state)
{
	struct id id = make_bucket(BUCKET);
	struct fresh f;
	struct part_ref *parts = calloc(LIMIT_PARTS, sizeof(*parts));
	struct put_result result;
	uint32_t fault = 99;

	(void)state;
	begin(&f, id, STR("k"));
	for (uint32_t i = 0; i < LIMIT_PARTS; i++)
		parts[i] = ref(i + 1, 'p');
	CHECK_OK(part_put(&f, 1, 1, 'p'));
	CHECK_ERR(complete(&f, parts, LIMIT_PARTS, 1, &result, &fault), ERR_LIMIT); /* the message got through */
	assert_int_equal(fault, 0);
	free(parts);
	fresh_release(&f);
}

static void
aborted_uploads_leave_nothing(void **state)
{
	struct id id = make_bucket(BUCKET);
	struct fresh f;
	struct grant g, wrong = grant_for(ACTION_ABORT_UPLOAD, id, id_new(), STR("k"), STR_NONE);

	(void)state;
	begin(&f, id, STR("k"));
	g = grant_for(ACTION_ABORT_UPLOAD, id, f.ids.version, STR("k"), STR_NONE);
	CHECK_OK(part_put(&f, 1, PART_MIN, 'a'));
	CHECK_OK(part_put(&f, 2, PART_MIN, 'b'));
	CHECK_ERR(vault_upload_abort(no_pool, &wrong, id, STR("k"), f.ids.version), ERR_DENIED);
	CHECK_OK(vault_upload_abort(no_pool, &g, id, STR("k"), f.ids.version));
	CHECK_ERR(vault_upload_abort(no_pool, &g, id, STR("k"), f.ids.version), ERR_NOT_FOUND);
	idle();
	assert_int_equal(count_files(), 0);
	assert_int_equal(numbers().uploads, 0);
	fresh_release(&f);
}

static void
old_uploads_are_collected(void **state)
{
	struct id id = make_bucket(BUCKET);
	struct fresh old, young;
	uint64_t files, uploads;
	int64_t then;

	(void)state;
	begin(&old, id, STR("old"));
	CHECK_OK(part_put(&old, 1, PART_MIN, 'a'));
	then = clock_now_us() + 86400 * US_PER_S;
	clock_fake_us(then + 1);
	begin(&young, id, STR("young"));
	asker = ROLE_STEWARD;
	CHECK_OK(vault_collect(&no_chan, then, &files, &uploads));
	asker = ROLE_GATE;
	assert_int_equal(uploads, 1);
	idle();
	assert_int_equal(count_files(), 0);
	shows(list((struct list_query){.kind = LIST_UPLOADS, .bucket = id}), "young");
	fresh_release(&old);
	fresh_release(&young);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, house_set_up, house_tear_down)
	const struct CMUnitTest tests[] = {
		T(keys_are_listed_in_byte_order), T(delimiters_fold), T(long_listings_go_on), T(versions_are_listed_newest_first),
		T(uploads_are_listed), T(uploads_become_versions), T(wrong_lists_name_the_fault), T(ten_thousand_parts_fit),
		T(aborted_uploads_leave_nothing), T(old_uploads_are_collected),
	};
	int failed;

	page.reply = MSG(0);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	msg_release(&page.reply);
	return failed;
}
