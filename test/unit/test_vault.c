/* vault: buckets, objects, versions, conditions, grants. Listings, uploads and trouble have files of their own. */
#include "vault_house.h"

#define BUCKET STR("study-data")

/* ---- buckets ---- */

static void
buckets_are_made_and_found(void **state)
{
	AUTO_MSG reply = MSG(0);
	struct bucket_info i;
	struct id id;

	(void)state;
	CHECK_ERR(vault_bucket_get(no_pool, BUCKET, &reply, &i), ERR_NOT_FOUND);
	id = make_bucket(BUCKET);
	CHECK_OK(vault_bucket_get(no_pool, BUCKET, &reply, &i));
	assert_true(id_eq(i.id, id));
	assert_true(id_eq(i.owner, house.who));
	assert_true(str_eq(i.name, BUCKET));
	assert_int_equal(i.versioning, VERSIONING_OFF);
	assert_false(i.object_lock);
	assert_true(i.charter.n > 0);
	assert_int_equal(house.records, 1);
	house_reopen();
	msg_release(&reply);
	CHECK_OK(vault_bucket_get(no_pool, BUCKET, &reply, &i));
	assert_true(id_eq(i.id, id));
	assert_int_equal(numbers().buckets, 1);
	assert_int_equal(vault_ledger_size(house.v), 1);
}

static void
a_bucket_name_is_taken_once(void **state)
{
	AUTO_BUF charter = BUF(LIMIT_CHARTER_BYTES);
	struct id id = id_new(), other = id_new();
	struct grant g;

	(void)state;
	make_bucket(BUCKET);
	charter_for(id, NULL, BUCKET, house.who, &charter);
	g = grant_for(ACTION_CREATE_BUCKET, id, (struct id){0}, BUCKET, buf_str(&charter));
	CHECK_ERR(vault_bucket_create(no_pool, &g, BUCKET, buf_str(&charter), false), ERR_CONFLICT);
	buf_clear(&charter);
	charter_for(id, NULL, BUCKET, other, &charter);
	g = grant_for(ACTION_CREATE_BUCKET, id, (struct id){0}, BUCKET, buf_str(&charter));
	CHECK_ERR(vault_bucket_create(no_pool, &g, BUCKET, buf_str(&charter), false), ERR_EXISTS);
	assert_int_equal(numbers().buckets, 1);
}

static void
buckets_are_listed_by_owner(void **state)
{
	struct grant g = grant_for(ACTION_LIST_ALL_MY_BUCKETS, (struct id){0}, (struct id){0}, STR_NONE, STR_NONE);
	AUTO_MSG reply = MSG(0);
	struct bucket_info i[8];
	bool more;
	size_t n;

	(void)state;
	make_bucket(STR("b"));
	make_bucket_of(STR("a-somebody-elses"), id_new(), false);
	make_bucket(STR("c"));
	make_bucket(STR("a"));
	CHECK_OK(vault_bucket_list(no_pool, &g, STR_NONE, &reply, i, 8, &n, &more));
	assert_int_equal(n, 3);
	assert_false(more);
	assert_true(str_eq(i[0].name, STR("a")) && str_eq(i[1].name, STR("b")) && str_eq(i[2].name, STR("c")));
	CHECK_OK(vault_bucket_list(no_pool, &g, STR("a"), &reply, i, 1, &n, &more));
	assert_int_equal(n, 1);
	assert_true(more);
	assert_true(str_eq(i[0].name, STR("b")));
}

static void
a_bucket_goes_when_it_is_empty(void **state)
{
	struct id id = make_bucket(BUCKET);
	struct grant g = grant_for(ACTION_DELETE_BUCKET, id, (struct id){0}, STR_NONE, STR_NONE);
	AUTO_MSG reply = MSG(0);
	struct bucket_info i;
	struct fresh f;

	(void)state;
	set_versioning(id, VERSIONING_ENABLED);
	put_text(id, STR("k"), STR("x"));
	CHECK_ERR(vault_bucket_delete(no_pool, &g, BUCKET), ERR_CONFLICT);
	struct delete_result d = delete_key(id, STR("k"), current_version);
	CHECK_ERR(vault_bucket_delete(no_pool, &g, BUCKET), ERR_CONFLICT); /* a version and a marker are left */
	struct object_info o;
	CHECK_OK(look(BUCKET, STR("k"), current_version, &reply, &o));
	assert_true(o.is_delete_marker);
	delete_key(id, STR("k"), d.version);
	CHECK_OK(look(BUCKET, STR("k"), current_version, &reply, &o));
	delete_key(id, STR("k"), version_of(o.version));
	/* an upload in progress does not keep it */
	fresh_init(&f, id, STR("up"), STR(""));
	CHECK_OK(vault_upload_create(no_pool, &f.grant, &f.put));
	fresh_release(&f);
	assert_int_equal(numbers().uploads, 1);
	CHECK_OK(vault_bucket_delete(no_pool, &g, BUCKET));
	CHECK_ERR(vault_bucket_get(no_pool, BUCKET, &reply, &i), ERR_NOT_FOUND);
	assert_int_equal(numbers().buckets, 0);
	assert_int_equal(numbers().uploads, 0);
	assert_int_equal(numbers().versions, 0);
	make_bucket(BUCKET);
}

static void
bucket_settings_are_kept(void **state)
{
	struct id id = make_bucket(BUCKET);
	struct grant set = grant_for(ACTION_PUT_BUCKET_TAGGING, id, (struct id){0}, STR_NONE, STR_NONE);
	struct grant get = grant_for(ACTION_GET_BUCKET_TAGGING, id, (struct id){0}, STR_NONE, STR_NONE);
	struct grant cors = grant_for(ACTION_PUT_BUCKET_CORS, id, (struct id){0}, STR_NONE, STR_NONE);
	AUTO_BUF charter = BUF(LIMIT_CHARTER_BYTES);
	AUTO_BUF doc = BUF(KiB);
	AUTO_MSG reply = MSG(0);
	struct bucket_info i;
	struct grant g;

	(void)state;
	CHECK_ERR(vault_bucket_doc(no_pool, &get, id, DOC_TAGGING, &doc), ERR_NOT_FOUND);
	CHECK_OK(vault_bucket_set_doc(no_pool, &set, id, DOC_TAGGING, STR("<Tagging/>")));
	CHECK_OK(vault_bucket_doc(no_pool, &get, id, DOC_TAGGING, &doc));
	assert_true(str_eq(buf_str(&doc), STR("<Tagging/>")));
	CHECK_ERR(vault_bucket_doc(no_pool, &get, id, DOC_LIFECYCLE, &doc), ERR_DENIED);
	CHECK_ERR(vault_bucket_set_doc(no_pool, &set, id, DOC_CORS, STR("x")), ERR_DENIED);
	CHECK_OK(vault_bucket_set_doc(no_pool, &cors, id, DOC_CORS, STR("rules")));
	buf_clear(&doc);
	CHECK_OK(vault_bucket_doc(no_pool, NULL, id, DOC_CORS, &doc));
	assert_true(str_eq(buf_str(&doc), STR("rules")));
	CHECK_OK(vault_bucket_get(no_pool, BUCKET, &reply, &i));
	assert_int_equal(i.docs, 1u << DOC_TAGGING | 1u << DOC_CORS);
	CHECK_OK(vault_bucket_set_doc(no_pool, &set, id, DOC_TAGGING, STR_NONE));
	CHECK_ERR(vault_bucket_doc(no_pool, &get, id, DOC_TAGGING, &doc), ERR_NOT_FOUND);
	CHECK_OK(vault_bucket_get(no_pool, BUCKET, &reply, &i));
	assert_int_equal(i.docs, 1u << DOC_CORS);
	g = grant_for(ACTION_PUT_BUCKET_VERSIONING, id, (struct id){0}, STR_NONE, STR_NONE);
	CHECK_ERR(vault_bucket_set_versioning(no_pool, &g, id, VERSIONING_OFF), ERR_INVALID);
	/* a charter: only the one the grant was made with, and only of this bucket */
	charter_for(id, NULL, BUCKET, house.who, &charter);
	g = grant_for(ACTION_PUT_BUCKET_ACL, id, (struct id){0}, STR_NONE, STR("another"));
	CHECK_ERR(vault_bucket_set_charter(no_pool, &g, id, buf_str(&charter)), ERR_DENIED);
	g = grant_for(ACTION_PUT_BUCKET_ACL, id, (struct id){0}, STR_NONE, buf_str(&charter));
	CHECK_OK(vault_bucket_set_charter(no_pool, &g, id, buf_str(&charter)));
	CHECK_OK(vault_bucket_get(no_pool, BUCKET, &reply, &i));
	assert_true(str_eq(i.charter, buf_str(&charter)));
}

static void
locked_buckets_keep_versions(void **state)
{
	struct id id = make_bucket_of(BUCKET, house.who, true);
	struct grant g = grant_for(ACTION_PUT_BUCKET_VERSIONING, id, (struct id){0}, STR_NONE, STR_NONE);
	AUTO_MSG reply = MSG(0);
	struct bucket_info i;

	(void)state;
	CHECK_OK(vault_bucket_get(no_pool, BUCKET, &reply, &i));
	assert_true(i.object_lock);
	assert_int_equal(i.versioning, VERSIONING_ENABLED);
	CHECK_ERR(vault_bucket_set_versioning(no_pool, &g, id, VERSIONING_SUSPENDED), ERR_CONFLICT);
}

/* ---- objects ---- */

static void
small_objects_come_back(void **state)
{
	struct id id = make_bucket(BUCKET);
	AUTO_MSG reply = MSG(0);
	struct put_result result;
	struct bucket_info b;
	struct object_info o;
	struct fresh f;
	bool has;

	(void)state;
	CHECK_ERR(vault_lookup(no_pool, STR("nowhere"), STR("k"), current_version, 0, &reply, &b, &has, &o), ERR_NOT_FOUND);
	assert_false(has);
	CHECK_ERR(vault_lookup(no_pool, BUCKET, STR("k"), current_version, 0, &reply, &b, &has, &o), ERR_NOT_FOUND);
	assert_true(has);
	assert_true(id_eq(b.id, id));
	fresh_init(&f, id, STR("dir/k \xc3\xa9"), STR("hello"));
	CHECK_OK(vault_put(no_pool, &f.grant, &f.put, &result));
	assert_false(result.has_version_id);
	assert_true(result.is_null);
	assert_true(str_eq(house.last_act, STR("object.commit")));
	CHECK_OK(vault_lookup(no_pool, BUCKET, f.put.key, current_version, 0, &reply, &b, &has, &o));
	assert_int_equal(sealed_bytes(o.body).n, 0); /* not asked for */
	assert_int_equal(o.fd, -1);
	house_reopen();
	CHECK_OK(vault_lookup(no_pool, BUCKET, f.put.key, current_version, LOOKUP_BODY, &reply, &b, &has, &o));
	assert_true(o.is_inline && o.is_latest && o.is_null_version && !o.is_delete_marker);
	assert_true(id_eq(o.version, f.ids.version) && id_eq(o.object, f.ids.object) && id_eq(o.owner, house.who));
	assert_int_equal(o.size, 5);
	assert_int_equal(o.n_parts, 0);
	assert_int_equal(o.modified_us, result.modified_us);
	assert_memory_equal(o.etag, f.put.etag, 16);
	assert_true(str_eq(o.key, f.put.key));
	assert_true(str_eq(o.charter, f.put.charter));
	assert_true(str_eq(o.header, f.put.header));
	assert_true(str_eq(o.manifest, STR("sealed manifest")));
	assert_true(str_eq(sealed_bytes(o.body), buf_str(&f.sealed)));
	assert_int_equal(o.fd, -1);
	assert_int_equal(numbers().bytes, 5);
	/* the same ids again are refused: nothing can be overwritten by repeating a message */
	CHECK_ERR(vault_put(no_pool, &f.grant, &f.put, &result), ERR_EXISTS);
	assert_int_equal(numbers().versions, 1);
	fresh_release(&f);
}

static void
large_objects_are_files(void **state)
{
	struct id id = make_bucket(BUCKET);
	AUTO_BUF text = BUF(MiB);
	AUTO_BUF back = BUF(MiB);
	AUTO_MSG reply = MSG(0);
	struct put_result result;
	struct object_info o;
	struct fresh f;

	(void)state;
	memset(buf_room(&text, 100000), 'x', 100000);
	buf_grew(&text, 100000);
	fresh_init(&f, id, STR("big"), buf_str(&text));
	CHECK_ERR(vault_put(no_pool, &f.grant, &f.put, &result), ERR_LIMIT); /* too large for a row */
	fresh_to_file(&f);
	assert_int_equal(count_files(), 0); /* no name yet */
	CHECK_OK(vault_put(no_pool, &f.grant, &f.put, &result));
	assert_int_equal(count_files(), 1);
	CHECK_OK(look(BUCKET, STR("big"), current_version, &reply, &o));
	assert_false(o.is_inline);
	assert_true(o.fd >= 0);
	CHECK_OK(fd_read_rest(o.fd, &back));
	assert_int_equal(back.n, HEADER_BYTES + f.sealed.n);
	assert_memory_equal(back.p, f.header, HEADER_BYTES);
	assert_memory_equal(back.p + HEADER_BYTES, f.sealed.p, f.sealed.n);
	assert_int_equal(fcntl(o.fd, F_GETFL) & O_ACCMODE, O_RDONLY);
	close(o.fd);
	/* it cannot be put twice */
	CHECK_ERR(vault_put(no_pool, &f.grant, &f.put, &result), ERR_INVALID);
	fresh_release(&f);
	put_text(id, STR("big"), STR("small now"));
	idle();
	assert_int_equal(count_files(), 0);
	assert_int_equal(numbers().blobs, 0);
	assert_int_equal(numbers().versions, 1);
}

static void
files_that_are_not_ours_are_refused(void **state)
{
	struct id id = make_bucket(BUCKET);
	struct put_result result;
	struct fresh f;
	int pipes[2], other;
	char path[80];

	(void)state;
	fresh_init(&f, id, STR("k"), STR("some text"));
	fresh_to_file(&f);
	f.put.size++; /* another length than the file has */
	CHECK_ERR(vault_put(no_pool, &f.grant, &f.put, &result), ERR_INVALID);
	f.put.size--;
	CHECK_OK(fd_pwrite_all(f.fd, STR("X"), 200)); /* another header than the charter was made with */
	CHECK_ERR(vault_put(no_pool, &f.grant, &f.put, &result), ERR_INVALID);
	assert_int_equal(pipe(pipes), 0);
	f.put.fd = pipes[0];
	CHECK_ERR(vault_put(no_pool, &f.grant, &f.put, &result), ERR_INVALID);
	snprintf(path, sizeof(path), "%s/named", house.dir);
	CHECK_OK(fd_open_at(AT_FDCWD, path, O_RDWR | O_CREAT, 0600, &other));
	CHECK_OK(fd_write_all(other, str_of(f.header, HEADER_BYTES)));
	CHECK_OK(fd_write_all(other, buf_str(&f.sealed)));
	f.put.fd = other;
	CHECK_ERR(vault_put(no_pool, &f.grant, &f.put, &result), ERR_INVALID);
	f.put.fd = f.fd;
	CHECK_OK(fd_pwrite_all(f.fd, str_of(f.header + 200, 1), 200));
	CHECK_OK(vault_put(no_pool, &f.grant, &f.put, &result));
	close(pipes[0]);
	close(pipes[1]);
	close(other);
	fresh_release(&f);
}

static void
limits_hold(void **state)
{
	struct id id = make_bucket(BUCKET);
	char key[LIMIT_OBJECT_KEY_BYTES + 1];
	AUTO_MSG reply = MSG(0);
	AUTO_BUF text = BUF(LIMIT_INLINE_BYTES + 1);
	struct put_result result;
	struct object_info o;
	struct fresh f;

	(void)state;
	memset(key, 'k', sizeof(key));
	put_text(id, str_of(key, LIMIT_OBJECT_KEY_BYTES), STR("x"));
	CHECK_OK(look(BUCKET, str_of(key, LIMIT_OBJECT_KEY_BYTES), current_version, &reply, &o));
	fresh_init(&f, id, str_of(key, sizeof(key)), STR("x"));
	CHECK_ERR(vault_put(no_pool, &f.grant, &f.put, &result), ERR_LIMIT);
	fresh_release(&f);
	memset(buf_room(&text, LIMIT_INLINE_BYTES), 0, LIMIT_INLINE_BYTES);
	buf_grew(&text, LIMIT_INLINE_BYTES);
	put_text(id, STR("largest row"), buf_str(&text));
	CHECK_OK(look(BUCKET, STR("largest row"), current_version, &reply, &o));
	assert_int_equal(sealed_bytes(o.body).n, stream_sealed_size(LIMIT_INLINE_BYTES));
	fresh_init(&f, id, STR(""), STR("x"));
	CHECK_ERR(vault_put(no_pool, &f.grant, &f.put, &result), ERR_INVALID);
	fresh_release(&f);
	fresh_init(&f, id, STR("k"), STR("x"));
	f.put.body = sealed_from_store(str_sub(buf_str(&f.sealed), 1, SIZE_MAX));
	CHECK_ERR(vault_put(no_pool, &f.grant, &f.put, &result), ERR_INVALID);
	fresh_release(&f);
}

/* ---- versions ---- */

static void
versions_stack_when_enabled(void **state)
{
	struct id id = make_bucket(BUCKET), v1, v2, v3;
	AUTO_MSG reply = MSG(0);
	struct delete_result d;
	struct object_info o;

	(void)state;
	v1 = put_text(id, STR("k"), STR("one"));
	set_versioning(id, VERSIONING_ENABLED);
	v2 = put_text(id, STR("k"), STR("two"));
	v3 = put_file(id, STR("k"), STR("three"));
	CHECK_OK(look(BUCKET, STR("k"), current_version, &reply, &o));
	assert_true(id_eq(o.version, v3) && o.is_latest && !o.is_null_version);
	close(o.fd);
	CHECK_OK(look(BUCKET, STR("k"), version_of(v2), &reply, &o));
	assert_true(id_eq(o.version, v2) && !o.is_latest);
	CHECK_OK(look(BUCKET, STR("k"), NULL_VERSION, &reply, &o));
	assert_true(id_eq(o.version, v1) && o.is_null_version);
	CHECK_ERR(look(BUCKET, STR("other"), version_of(v2), &reply, &o), ERR_NOT_FOUND);
	d = delete_key(id, STR("k"), current_version);
	assert_true(d.made_marker && d.version.present && !d.version.is_null);
	CHECK_OK(look(BUCKET, STR("k"), current_version, &reply, &o));
	assert_true(o.is_delete_marker && o.is_latest);
	assert_true(id_eq(o.version, d.version.id));
	assert_true(id_eq(o.owner, house.who));
	CHECK_OK(look(BUCKET, STR("k"), version_of(v3), &reply, &o));
	assert_false(o.is_latest);
	close(o.fd);
	d = delete_key(id, STR("k"), d.version); /* the marker goes: the newest version is back */
	assert_true(d.removed_marker);
	CHECK_OK(look(BUCKET, STR("k"), current_version, &reply, &o));
	assert_true(id_eq(o.version, v3));
	close(o.fd);
	d = delete_key(id, STR("k"), version_of(v3));
	assert_false(d.removed_marker);
	CHECK_OK(look(BUCKET, STR("k"), current_version, &reply, &o));
	assert_true(id_eq(o.version, v2) && o.is_latest);
	idle();
	assert_int_equal(count_files(), 0);
	CHECK_ERR(look(BUCKET, STR("k"), version_of(v3), &reply, &o), ERR_NOT_FOUND);
	/* deleting what is not there is no error (S3) */
	d = delete_key(id, STR("k"), version_of(v3));
	assert_false(err_is(d.e));
	assert_false(d.made_marker || d.removed_marker);
	d = delete_key(id, STR("never was"), current_version);
	assert_true(d.made_marker);
}

static void
suspended_buckets_replace_the_null_version(void **state)
{
	struct id id = make_bucket(BUCKET), v1, v2, v3;
	AUTO_MSG reply = MSG(0);
	struct delete_result d;
	struct put_result result;
	struct object_info o;
	struct fresh f;

	(void)state;
	v1 = put_text(id, STR("k"), STR("null 1"));
	set_versioning(id, VERSIONING_ENABLED);
	v2 = put_text(id, STR("k"), STR("two"));
	set_versioning(id, VERSIONING_SUSPENDED);
	fresh_init(&f, id, STR("k"), STR("null 2"));
	CHECK_OK(vault_put(no_pool, &f.grant, &f.put, &result));
	assert_true(result.has_version_id && result.is_null);
	v3 = f.ids.version;
	fresh_release(&f);
	assert_int_equal(numbers().versions, 2);
	CHECK_ERR(look(BUCKET, STR("k"), version_of(v1), &reply, &o), ERR_NOT_FOUND);
	CHECK_OK(look(BUCKET, STR("k"), NULL_VERSION, &reply, &o));
	assert_true(id_eq(o.version, v3) && o.is_latest);
	CHECK_OK(look(BUCKET, STR("k"), version_of(v2), &reply, &o));
	/* a delete replaces the null version by a null marker */
	d = delete_key(id, STR("k"), current_version);
	assert_true(d.made_marker && d.version.is_null);
	assert_int_equal(numbers().versions, 2);
	CHECK_OK(look(BUCKET, STR("k"), NULL_VERSION, &reply, &o));
	assert_true(o.is_delete_marker);
	/* which the next write replaces in turn */
	put_text(id, STR("k"), STR("null 3"));
	assert_int_equal(numbers().versions, 2);
	CHECK_OK(look(BUCKET, STR("k"), NULL_VERSION, &reply, &o));
	assert_false(o.is_delete_marker);
	d = delete_key(id, STR("k"), NULL_VERSION);
	assert_false(d.removed_marker);
	CHECK_OK(look(BUCKET, STR("k"), current_version, &reply, &o));
	assert_true(id_eq(o.version, v2) && o.is_latest);
}

static void
unversioned_deletes_remove(void **state)
{
	struct id id = make_bucket(BUCKET);
	AUTO_MSG reply = MSG(0);
	struct delete_result d;
	struct object_info o;

	(void)state;
	put_file(id, STR("k"), STR("x"));
	d = delete_key(id, STR("k"), current_version);
	assert_false(d.made_marker || d.version.present || err_is(d.e));
	CHECK_ERR(look(BUCKET, STR("k"), current_version, &reply, &o), ERR_NOT_FOUND);
	idle();
	assert_int_equal(count_files(), 0);
	d = delete_key(id, STR("k"), current_version);
	assert_false(err_is(d.e));
	assert_int_equal(numbers().versions, 0);
}

static void
many_are_deleted_at_once(void **state)
{
	enum { N = 1000 };
	struct id id = make_bucket(BUCKET);
	struct deletion *d = calloc(N, sizeof(*d));
	struct delete_result *r = calloc(N, sizeof(*r));
	static char keys[N][LIMIT_OBJECT_KEY_BYTES];

	(void)state;
	for (int i = 0; i < N; i++) {
		memset(keys[i], 'k', sizeof(keys[i]));
		snprintf(keys[i], 9, "%08d", i);
		keys[i][8] = 'k';
		d[i].key = str_of(keys[i], sizeof(keys[i]));
		d[i].grant = grant_for(ACTION_DELETE_OBJECT, id, (struct id){0}, d[i].key, STR_NONE);
	}
	for (int i = 0; i < 20; i++)
		put_text(id, d[i * 50].key, STR("x"));
	d[7].grant = d[8].grant; /* for another key */
	CHECK_OK(vault_delete(no_pool, id, d, N, r));
	for (int i = 0; i < N; i++)
		assert_int_equal(r[i].e.code, i == 7 ? ERR_DENIED : ERR_NONE);
	assert_int_equal(numbers().versions, 0);
	free(d);
	free(r);
}

/* ---- conditions ---- */

static struct err
put_if(struct id bucket, struct str key, struct write_condition c)
{
	struct put_result result;
	struct fresh f;
	struct err e;

	fresh_init(&f, bucket, key, STR("x"));
	f.put.condition = c;
	e = vault_put(no_pool, &f.grant, &f.put, &result);
	fresh_release(&f);
	return e;
}

static struct err
delete_if(struct id bucket, struct str key, struct write_condition c)
{
	struct deletion d = {.key = key, .condition = c};
	struct delete_result r;

	d.grant = grant_for(ACTION_DELETE_OBJECT, bucket, (struct id){0}, key, STR_NONE);
	CHECK_OK(vault_delete(no_pool, bucket, &d, 1, &r));
	return r.e;
}

static void
conditions_are_decided_with_the_write(void **state)
{
	struct id id = make_bucket(BUCKET);
	struct write_condition etag = {.if_match = true};
	AUTO_MSG reply = MSG(0);
	struct object_info o;

	(void)state;
	CHECK_ERR(put_if(id, STR("k"), (struct write_condition){.if_match_any = true}), ERR_NOT_FOUND);
	CHECK_ERR(put_if(id, STR("k"), etag), ERR_NOT_FOUND);
	CHECK_OK(put_if(id, STR("k"), (struct write_condition){.if_none_match_any = true}));
	CHECK_ERR(put_if(id, STR("k"), (struct write_condition){.if_none_match_any = true}), ERR_PRECONDITION);
	CHECK_OK(look(BUCKET, STR("k"), current_version, &reply, &o));
	CHECK_ERR(put_if(id, STR("k"), etag), ERR_PRECONDITION);
	memcpy(etag.if_match_etag, o.etag, 16);
	etag.if_match_parts = 3;
	CHECK_ERR(put_if(id, STR("k"), etag), ERR_PRECONDITION);
	etag.if_match_parts = 0;
	CHECK_OK(put_if(id, STR("k"), etag));
	CHECK_ERR(delete_if(id, STR("k"), (struct write_condition){.if_size = true, .size = 2}), ERR_PRECONDITION);
	CHECK_ERR(delete_if(id, STR("k"), (struct write_condition){.if_modified = true, .modified_us = 1}), ERR_PRECONDITION);
	CHECK_OK(look(BUCKET, STR("k"), current_version, &reply, &o));
	CHECK_OK(delete_if(id, STR("k"), (struct write_condition){.if_size = true, .size = 1, .if_modified = true,
	    .modified_us = o.modified_us / 1000000 * 1000000}));
	CHECK_ERR(delete_if(id, STR("k"), (struct write_condition){.if_match_any = true}), ERR_NOT_FOUND);
	/* a key whose newest version is a marker does not exist */
	set_versioning(id, VERSIONING_ENABLED);
	put_text(id, STR("k"), STR("x"));
	delete_key(id, STR("k"), current_version);
	CHECK_ERR(put_if(id, STR("k"), (struct write_condition){.if_match_any = true}), ERR_NOT_FOUND);
	CHECK_OK(put_if(id, STR("k"), (struct write_condition){.if_none_match_any = true}));
}

/* ---- charters, manifests ---- */

static void
charters_and_manifests_are_replaced(void **state)
{
	struct id id = make_bucket(BUCKET);
	AUTO_BUF charter = BUF(LIMIT_CHARTER_BYTES);
	AUTO_MSG reply = MSG(0);
	struct put_result result;
	struct object_info o;
	struct fresh f;
	struct grant g;

	(void)state;
	fresh_init(&f, id, STR("k"), STR("x"));
	CHECK_OK(vault_put(no_pool, &f.grant, &f.put, &result));
	charter_for(id, &f.ids, STR("k"), id_new(), &charter);
	g = grant_for(ACTION_PUT_OBJECT_ACL, id, f.ids.version, STR("k"), buf_str(&charter));
	CHECK_OK(vault_object_set(no_pool, &g, id, f.ids.version, buf_str(&charter), sealed_from_store(STR_NONE)));
	CHECK_OK(look(BUCKET, STR("k"), current_version, &reply, &o));
	assert_true(str_eq(o.charter, buf_str(&charter)));
	assert_true(str_eq(o.manifest, STR("sealed manifest")));
	CHECK_OK(vault_object_set(no_pool, &g, id, f.ids.version, STR_NONE, sealed_from_store(STR("second"))));
	CHECK_OK(look(BUCKET, STR("k"), current_version, &reply, &o));
	assert_true(str_eq(o.charter, buf_str(&charter)));
	assert_true(str_eq(o.manifest, STR("second")));
	assert_int_equal(o.size, 1);
	/* another object's charter, even with a grant for it */
	f.ids.version = id_new();
	buf_clear(&charter);
	charter_for(id, &f.ids, STR("k"), house.who, &charter);
	g = grant_for(ACTION_PUT_OBJECT_ACL, id, o.version, STR("k"), buf_str(&charter));
	CHECK_ERR(vault_object_set(no_pool, &g, id, o.version, buf_str(&charter), sealed_from_store(STR_NONE)), ERR_INVALID);
	CHECK_ERR(vault_object_set(no_pool, &g, id, f.ids.version, buf_str(&charter), sealed_from_store(STR_NONE)),
	    ERR_NOT_FOUND);
	fresh_release(&f);
}

/* ---- grants ---- */

static void
grants_open_exactly_what_they_name(void **state)
{
	struct id id = make_bucket(BUCKET), other = make_bucket(STR("other"));
	struct put_result result;
	struct grant bad;
	struct fresh f;

	(void)state;
	fresh_init(&f, id, STR("k"), STR("x"));
	struct str charter = buf_str(&f.charter);
	const struct grant wrong[] = {
		grant_for(ACTION_GET_OBJECT, id, f.ids.version, STR("k"), charter),
		grant_for(ACTION_PUT_OBJECT, other, f.ids.version, STR("k"), charter),
		grant_for(ACTION_PUT_OBJECT, id, id_new(), STR("k"), charter),
		grant_for(ACTION_PUT_OBJECT, id, (struct id){0}, STR("k"), charter),
		grant_for(ACTION_PUT_OBJECT, id, f.ids.version, STR("K"), charter),
		grant_for(ACTION_PUT_OBJECT, id, f.ids.version, STR_NONE, charter),
		grant_for(ACTION_PUT_OBJECT, id, f.ids.version, STR("k"), STR("another charter")),
		grant_for(ACTION_PUT_OBJECT, id, f.ids.version, STR("k"), STR_NONE),
	};
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
		CHECK_ERR(vault_put(no_pool, &wrong[i], &f.put, &result), ERR_DENIED);
	for (size_t i = 0; i < GRANT_BYTES; i++) {
		bad = f.grant;
		bad.grant_private_b[i] ^= 1;
		CHECK_ERR(vault_put(no_pool, &bad, &f.put, &result), ERR_DENIED);
	}
	clock_fake_us(clock_now_us() + 3600 * US_PER_S);
	CHECK_ERR(vault_put(no_pool, &f.grant, &f.put, &result), ERR_EXPIRED);
	clock_fake_us(0);
	assert_int_equal(numbers().versions, 0);
	CHECK_OK(vault_put(no_pool, &f.grant, &f.put, &result));
	fresh_release(&f);
	/* listing, deleting, settings */
	struct list_query q = {.kind = LIST_VERSIONS, .bucket = id, .max = 10};
	struct list_entry e[10];
	AUTO_MSG reply = MSG(0);
	bool more;
	size_t n;
	bad = grant_for(ACTION_LIST_BUCKET, id, (struct id){0}, STR_NONE, STR_NONE);
	CHECK_ERR(vault_list(no_pool, &bad, &q, &reply, e, &n, &more), ERR_DENIED);
	q.kind = LIST_OBJECTS;
	q.bucket = other;
	CHECK_ERR(vault_list(no_pool, &bad, &q, &reply, e, &n, &more), ERR_DENIED);
	struct deletion d = {.key = STR("k"), .version = version_of(f.ids.version)};
	struct delete_result r;
	d.grant = grant_for(ACTION_DELETE_OBJECT, id, f.ids.version, STR("k"), STR_NONE);
	CHECK_OK(vault_delete(no_pool, id, &d, 1, &r));
	CHECK_ERR(r.e, ERR_DENIED); /* deleting versions is another permission */
	d.grant = grant_for(ACTION_DELETE_OBJECT_VERSION, id, id_new(), STR("k"), STR_NONE);
	CHECK_OK(vault_delete(no_pool, id, &d, 1, &r));
	CHECK_ERR(r.e, ERR_DENIED);
	assert_int_equal(numbers().versions, 1);
}

static void
nothing_moves_before_warden_speaks(void **state)
{
	struct id id = make_bucket(BUCKET);
	struct put_result result;
	struct fresh f;

	(void)state;
	fresh_init(&f, id, STR("k"), STR("x"));
	vault_close(house.v);
	CHECK_OK(vault_open(house.dir, &house.v));
	vault_set_recorder(house.v, (struct vault_recorder){.append = take_records});
	CHECK_ERR(vault_put(no_pool, &f.grant, &f.put, &result), ERR_BUSY);
	asker = ROLE_WARDEN;
	CHECK_OK(vault_grant_key(&no_chan, house.grant_key));
	asker = ROLE_GATE;
	CHECK_OK(vault_put(no_pool, &f.grant, &f.put, &result));
	fresh_release(&f);
}

static void
roles_may_ask_their_own(void **state)
{
	static const struct { uint16_t op; enum role may, may_not; } want[] = {
		{VAULT_PUT, ROLE_GATE, ROLE_STEWARD}, {VAULT_LOOKUP, ROLE_GATE, ROLE_WARDEN},
		{VAULT_GRANT_KEY, ROLE_WARDEN, ROLE_GATE}, {VAULT_REWRAP_APPLY, ROLE_WARDEN, ROLE_STEWARD},
		{VAULT_CHECK_RESULT, ROLE_STEWARD, ROLE_GATE}, {VAULT_COLLECT, ROLE_STEWARD, ROLE_GATE},
		{VAULT_STATS, ROLE_STEWARD, ROLE_LEDGER},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(want); i++) {
		const struct permit *p = vault_permits;

		while (p->op != want[i].op)
			p++;
		assert_true(p->roles >> want[i].may & 1u);
		assert_false(p->roles >> want[i].may_not & 1u);
	}
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, house_set_up, house_tear_down)
	const struct CMUnitTest tests[] = {
		T(buckets_are_made_and_found), T(a_bucket_name_is_taken_once), T(buckets_are_listed_by_owner),
		T(a_bucket_goes_when_it_is_empty), T(bucket_settings_are_kept), T(locked_buckets_keep_versions),
		T(small_objects_come_back), T(large_objects_are_files), T(files_that_are_not_ours_are_refused), T(limits_hold),
		T(versions_stack_when_enabled), T(suspended_buckets_replace_the_null_version), T(unversioned_deletes_remove),
		T(many_are_deleted_at_once), T(conditions_are_decided_with_the_write), T(charters_and_manifests_are_replaced),
		T(grants_open_exactly_what_they_name), T(nothing_moves_before_warden_speaks), T(roles_may_ask_their_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
