#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/num.h"
#include "crypto/crypto.h"
#include "warden/charter_make.h"
#include "warden/grant.h"
#include "warden/wire.h"

static struct mac_key *key, *other_key;

static struct charter
a_bucket(void)
{
	struct charter c = {.is_bucket = true, .bucket = id_new(), .domain = id_new(), .owner = id_new(), .name = STR("bkt"),
		.policy = STR("{}"), .public_block = BLOCK_PUBLIC_ACLS, .ownership = OWNERSHIP_BUCKET_OWNER_PREFERRED,
		.names_off = 5, .made_us = 77};

	c.acl.n = 2;
	c.acl.owner = c.owner;
	c.acl.grants[0] = (struct acl_grant){.grantee = ACL_USER, .permission = ACL_FULL_CONTROL, .user = c.owner};
	c.acl.grants[1] = (struct acl_grant){.grantee = ACL_ALL_USERS, .permission = ACL_READ};
	return c;
}

static struct charter
an_object(void)
{
	struct charter c = {.bucket = id_new(), .object = id_new(), .version = id_new(), .domain = id_new(), .owner = id_new(),
		.name = STR("a/b"), .n_tags = 2, .tags = {{STR("k"), STR("v")}, {STR("k2"), STR("")}}, .made_us = 78};

	return c;
}

static void
charters_go_round(void **state)
{
	AUTO_BUF b = BUF(LIMIT_CHARTER_BYTES), o = BUF(LIMIT_CHARTER_BYTES);
	struct charter bucket = a_bucket(), object = an_object(), c;

	(void)state;
	assert_false(err_is(charter_make(key, &bucket, &b)));
	assert_false(err_is(charter_verify(key, buf_str(&b), &c)));
	assert_true(c.is_bucket && id_eq(c.bucket, bucket.bucket) && id_eq(c.owner, bucket.owner) && id_eq(c.domain, bucket.domain));
	assert_true(str_eq(c.name, STR("bkt")) && str_eq(c.policy, STR("{}")) && c.made_us == 77 && c.names_off == 5);
	assert_int_equal(c.public_block, BLOCK_PUBLIC_ACLS);
	assert_int_equal(c.ownership, OWNERSHIP_BUCKET_OWNER_PREFERRED);
	assert_int_equal(c.acl.n, 2);
	assert_int_equal(c.acl.grants[1].grantee, ACL_ALL_USERS);
	assert_false(err_is(charter_make(key, &object, &o)));
	assert_false(err_is(charter_verify(key, buf_str(&o), &c)));
	assert_true(!c.is_bucket && id_eq(c.version, object.version) && c.n_tags == 2 && str_eq(c.tags[0].value, STR("v")));
	assert_int_equal(c.policy.n, 0);
}

/* A lock is part of what is authenticated; a charter without one has the form that it had before there were locks. */
static void
locks_go_round(void **state)
{
	static const struct object_lock locks[] = {{LOCK_GOVERNANCE, 5, false}, {LOCK_COMPLIANCE, INT64_MAX, true}, {LOCK_NONE, 0, true}};
	struct charter object = an_object(), c;
	AUTO_BUF plain = BUF(LIMIT_CHARTER_BYTES);

	(void)state;
	assert_false(err_is(charter_make(key, &object, &plain)));
	for (size_t i = 0; i < ARRAY_LEN(locks); i++) {
		AUTO_BUF b = BUF(LIMIT_CHARTER_BYTES);

		object.lock = locks[i];
		assert_false(err_is(charter_make(key, &object, &b)));
		assert_int_equal(b.n, plain.n + 10);
		assert_false(err_is(charter_verify(key, buf_str(&b), &c)));
		assert_true(c.lock.mode == locks[i].mode && c.lock.until_us == locks[i].until_us && c.lock.hold == locks[i].hold);
	}
	assert_false(err_is(charter_decode(buf_str(&plain), &c)));
	assert_true(c.lock.mode == LOCK_NONE && !c.lock.hold && c.lock.until_us == 0);
	object.lock = (struct object_lock){LOCK_NONE, 7, false}; /* nothing: written as nothing */
	buf_clear(&plain);
	assert_false(err_is(charter_make(key, &object, &plain)));
	assert_false(err_is(charter_decode(buf_str(&plain), &c)));
	object.lock = (struct object_lock){LOCK_NONE, 7, true}; /* a date without a mode is none of ours */
	buf_clear(&plain);
	assert_false(err_is(charter_make(key, &object, &plain)));
	assert_int_equal(charter_decode(buf_str(&plain), &c).code, ERR_CORRUPT);
}

static void
locks_hold_until_their_time(void **state)
{
	struct object_lock none = {0}, hold = {.hold = true}, gov = {LOCK_GOVERNANCE, 100, false}, com = {LOCK_COMPLIANCE, 100, false};
	struct object_lock later = {LOCK_GOVERNANCE, 101, false}, sooner = {LOCK_GOVERNANCE, 99, false}, com_later = {LOCK_COMPLIANCE, 101, false};

	(void)state;
	assert_false(lock_forbids(&none, 0, false));
	assert_true(lock_forbids(&hold, INT64_MAX, true));
	assert_true(lock_forbids(&gov, 99, false) && !lock_forbids(&gov, 99, true) && !lock_forbids(&gov, 100, false));
	assert_true(lock_forbids(&com, 99, false) && lock_forbids(&com, 99, true) && !lock_forbids(&com, 100, false));
	assert_false(lock_weakens(&none, &com, 0, false) || lock_weakens(&gov, &gov, 0, false) || lock_weakens(&gov, &later, 0, false));
	assert_true(lock_weakens(&gov, &sooner, 0, false) && lock_weakens(&gov, &none, 0, false) && lock_weakens(&gov, &com_later, 0, false));
	assert_false(lock_weakens(&gov, &sooner, 0, true) || lock_weakens(&gov, &none, 0, true) || lock_weakens(&gov, &none, 100, false));
	assert_true(lock_weakens(&com, &none, 0, true) && lock_weakens(&com, &later, 0, true));
	assert_false(lock_weakens(&com, &com_later, 0, false) || lock_weakens(&com, &none, 100, false));
}

/* Whoever can write to vault's database: every changed byte, every cut, and a charter of another house. */
static void
a_changed_charter_is_corrupt(void **state)
{
	AUTO_BUF b = BUF(LIMIT_CHARTER_BYTES);
	struct charter object = an_object(), c;

	(void)state;
	assert_false(err_is(charter_make(key, &object, &b)));
	for (size_t i = 0; i < b.n; i++) {
		b.p[i] ^= 1;
		assert_int_equal(charter_verify(key, buf_str(&b), &c).code, ERR_CORRUPT);
		b.p[i] ^= 1;
		assert_int_equal(charter_verify(key, str_of(b.p, i), &c).code, ERR_CORRUPT);
	}
	assert_int_equal(charter_verify(other_key, buf_str(&b), &c).code, ERR_CORRUPT);
	assert_false(err_is(charter_verify(key, buf_str(&b), &c)));
	buf_put_char(&b, 0);
	assert_int_equal(charter_verify(key, buf_str(&b), &c).code, ERR_CORRUPT);
}

static void
a_charter_holds_the_largest_of_everything(void **state)
{
	AUTO_BUF b = BUF(LIMIT_CHARTER_BYTES), big = BUF(LIMIT_CHARTER_BYTES);
	struct charter bucket = a_bucket(), object = an_object(), c;
	static char many[LIMIT_CHARTER_BYTES];

	(void)state;
	memset(many, 'x', sizeof(many));
	bucket.name = str_of(many, 63);
	bucket.policy = str_of(many, LIMIT_POLICY_BYTES);
	for (bucket.acl.n = 0; bucket.acl.n < LIMIT_ACL_GRANTS; bucket.acl.n++)
		bucket.acl.grants[bucket.acl.n] = (struct acl_grant){.grantee = ACL_USER, .permission = 15, .user = id_new()};
	assert_false(err_is(charter_make(key, &bucket, &b)));
	assert_false(err_is(charter_verify(key, buf_str(&b), &c)));
	assert_int_equal(c.acl.n, LIMIT_ACL_GRANTS);
	buf_clear(&b);
	object.acl = bucket.acl;
	object.name = str_of(many, LIMIT_OBJECT_KEY_BYTES);
	for (object.n_tags = 0; object.n_tags < LIMIT_TAGS_PER_OBJECT; object.n_tags++) /* four bytes a character */
		object.tags[object.n_tags] = (struct tag){str_of(many, LIMIT_TAG_KEY_CHARS * 4), str_of(many, LIMIT_TAG_VALUE_CHARS * 4)};
	assert_false(err_is(charter_make(key, &object, &b)));
	assert_false(err_is(charter_verify(key, buf_str(&b), &c)));
	assert_int_equal(c.n_tags, LIMIT_TAGS_PER_OBJECT);
	object.name = str_of(many, sizeof(many) - 400);
	assert_int_equal(charter_make(key, &object, &big).code, ERR_LIMIT);
}

static void
a_charter_covers_one_version_only(void **state)
{
	struct charter o = an_object();
	struct blob_header h = {.domain = o.domain, .bucket = o.bucket, .object = o.object, .version = o.version};
	struct id *parts[] = {&h.domain, &h.bucket, &h.object, &h.version};

	(void)state;
	assert_true(charter_covers(&o, &h));
	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		parts[i]->b[15] ^= 1;
		assert_false(charter_covers(&o, &h));
		parts[i]->b[15] ^= 1;
	}
	o.is_bucket = true;
	assert_false(charter_covers(&o, &h));
}

static void
grants_hold_for_their_terms_and_time(void **state)
{
	struct grant_terms t = {.action = ACTION_PUT_OBJECT, .who = id_new(), .credential = id_new(), .bucket = id_new(),
		.object = id_new(), .version = id_new(), .record = 1234567890123, .until_us = 1000}, back;
	struct grant g;

	(void)state;
	grant_name_hash(STR("key"), t.name_hash);
	charter_hash(STR("charter"), t.charter_hash);
	grant_make(key, &t, &g);
	assert_false(err_is(grant_check(key, &g, 1000, &back)));
	assert_int_equal(back.action, t.action);
	assert_true(id_eq(back.who, t.who) && id_eq(back.credential, t.credential) && id_eq(back.bucket, t.bucket) &&
	    id_eq(back.object, t.object) && id_eq(back.version, t.version) && back.record == t.record && back.until_us == 1000);
	assert_memory_equal(back.name_hash, t.name_hash, 16);
	assert_memory_equal(back.charter_hash, t.charter_hash, 16);
	assert_int_equal(grant_check(key, &g, 1001, &back).code, ERR_EXPIRED);
	assert_int_equal(grant_check(other_key, &g, 0, &back).code, ERR_DENIED);
	for (size_t i = 0; i < GRANT_BYTES; i++) {
		g.grant_private_b[i] ^= 0x80;
		assert_int_equal(grant_check(key, &g, 0, &back).code, ERR_DENIED);
		g.grant_private_b[i] ^= 0x80;
	}
	memset(&g, 0, sizeof(g));
	assert_int_equal(grant_check(key, &g, 0, &back).code, ERR_DENIED);
}

/* One key for both kinds would be a mistake elsewhere; it must not become a forgery here. */
static void
a_charter_is_no_grant(void **state)
{
	AUTO_BUF b = BUF(LIMIT_CHARTER_BYTES);
	struct grant_terms t;
	struct charter c, o = {.name = STR("012345678901234567890")};
	struct grant g;

	(void)state;
	assert_false(err_is(charter_make(key, &o, &b)));
	while (b.n < GRANT_BYTES)
		buf_put_char(&b, 0);
	memcpy(g.grant_private_b, b.p, GRANT_BYTES);
	mac_sha256(key, str_of(g.grant_private_b, GRANT_BYTES - 32), g.grant_private_b + GRANT_BYTES - 32);
	assert_int_equal(grant_check(key, &g, 0, &t).code, ERR_DENIED);
	assert_int_equal(charter_verify(key, str_of(g.grant_private_b, GRANT_BYTES), &c).code, ERR_CORRUPT);
}

/* ---- wire ---- */

static const struct proof proof = {.kind = PROOF_SIGV4, .address = {"192.0.2.1", 9}, .access_key = {"AK", 2}, .date = {"d", 1},
	.scope_date = {"sd", 2}, .region = {"r", 1}, .service = {"s3", 2}, .canonical_sha256 = {1}, .signature = {2}, .expires_s = 3};

static void
requests_go_round(void **state)
{
	static const struct condition cond[] = {{{"s3:prefix", 9}, {"p", 1}}, {{"aws:UserAgent", 13}, {"", 0}}};
	static const struct tag tags[] = {{{"a", 1}, {"b", 1}}, {{"c", 1}, {"d", 1}}};
	static const struct acl acl = {.n = 1, .grants = {{.grantee = ACL_EMAIL, .permission = ACL_READ, .email = {"x@y", 3}}}};
	struct want w[3] = {
		{.action = ACTION_PUT_OBJECT, .flags = WANT_MAKE, .bucket_name = STR("b"), .key = STR("k"), .bucket_charter = STR("BC"),
		    .acl = &acl, .tags = tags, .n_tags = 2, .version = id_new()},
		{.action = ACTION_GET_OBJECT, .flags = WANT_OPEN, .bucket_name = STR("b"), .key = STR("k2"), .bucket_charter = STR("BC"),
		    .object_charter = STR("OC")},
		{.action = ACTION_PUT_BUCKET_POLICY, .flags = WANT_CHARTER, .set = SET_POLICY, .bucket_name = STR("b2"),
		    .bucket_charter = STR("BC2"), .policy = STR("{}"), .public_block = 15, .names_off = 9,
		    .ownership = OWNERSHIP_BUCKET_OWNER_ENFORCED, .domain = STR("study")},
	};
	char header[HEADER_BYTES] = {7};
	AUTO_BUF b = BUF(LIMIT_MESSAGE_BYTES);
	AUTO_AUTHORIZE r = {0};
	struct cur c;

	(void)state;
	w[1].header = str_of(header, sizeof(header));
	assert_false(err_is(authorize_request_encode(&proof, cond, 2, w, 3, &b)));
	c = cur_of(buf_str(&b));
	assert_false(err_is(authorize_request_decode(&c, &r)));
	assert_true(r.proof.kind == PROOF_SIGV4 && str_eq(r.proof.region, STR("r")) && r.proof.expires_s == 3);
	assert_int_equal(r.n_conditions, 2);
	assert_true(str_eq(r.conditions[0].value, STR("p")));
	assert_int_equal(r.n_wants, 3);
	assert_true(str_eq(r.wants[0].acl->grants[0].email, STR("x@y")) && str_eq(r.wants[0].tags[1].value, STR("d")));
	assert_true(id_eq(r.wants[0].version, w[0].version) && !r.wants[1].acl && r.wants[1].n_tags == 0);
	assert_true(str_eq(r.wants[1].bucket_charter, STR("BC")) && str_eq(r.wants[2].bucket_charter, STR("BC2")));
	assert_true(str_eq(r.wants[1].header, w[1].header) && str_eq(r.wants[1].object_charter, STR("OC")));
	assert_true(str_eq(r.wants[2].policy, STR("{}")) && r.wants[2].set == SET_POLICY && r.wants[2].names_off == 9);
	assert_true(str_eq(r.wants[2].domain, STR("study")) && r.wants[2].ownership == OWNERSHIP_BUCKET_OWNER_ENFORCED);
	/* the same charter is carried once, and cut anywhere it is no request */
	assert_true(str_find(str_sub(buf_str(&b), str_find(buf_str(&b), STR("BC")) + 2, 300), STR("BC\0")) == SIZE_MAX);
	for (size_t n = 0; n < b.n; n++) {
		AUTO_AUTHORIZE part = {0};

		c = cur_of(str_of(b.p, n));
		assert_true(err_is(authorize_request_decode(&c, &part)));
	}
	buf_put_char(&b, 0);
	c = cur_of(buf_str(&b));
	assert_int_equal(authorize_request_decode(&c, &(struct authorize_request){0}).code, ERR_INVALID);
}

static void
wire_sizes_are_upper_bounds(void **state)
{
	static const struct acl acl = {.n = 3, .grants = {{.grantee = ACL_EMAIL, .permission = 1, .email = {"someone@example.org", 19}},
		{.grantee = ACL_USER, .permission = 1, .user = {{1}}}, {.grantee = ACL_ALL_USERS, .permission = 1}}};
	struct want w[2] = {{.bucket_name = STR("b"), .key = STR("k"), .bucket_charter = STR("BC"), .acl = &acl},
		{.bucket_name = STR("b"), .key = STR("k"), .bucket_charter = STR("BC")}};
	AUTO_BUF none = BUF(LIMIT_MESSAGE_BYTES), both = BUF(LIMIT_MESSAGE_BYTES);

	(void)state;
	assert_false(err_is(authorize_request_encode(&proof, NULL, 0, w, 0, &none)));
	assert_false(err_is(authorize_request_encode(&proof, NULL, 0, w, 2, &both)));
	assert_true(both.n - none.n <= want_wire_size(&w[0], NULL) + want_wire_size(&w[1], &w[0]));
}

static void
verdicts_go_round_with_their_keys(void **state)
{
	struct asker asker = {.id = id_new(), .name = STR("ana")}, back;
	struct verdict v[3] = {{.e = OK, .receipt = {5, 6}}, {.e = {.code = ERR_DENIED}, .reason = REASON_ROLE, .receipt = {7, 8}},
		{.e = OK, .charter = STR("CHARTER")}}, got[3];
	AUTO_KEY(data_key) k = data_key_new();
	AUTO_BUF b = BUF(LIMIT_MESSAGE_BYTES);
	enum verdict_reason why;
	struct cur c;
	size_t n = 0;

	(void)state;
	assert_non_null(k);
	secret_random(&k->s);
	v[0].key = k;
	v[0].ids.version = id_new();
	v[0].header[255] = 9;
	v[0].grant.grant_private_b[3] = 4;
	reply_asker(&asker, 3, &b);
	reply_verdict(&v[0], true, &b);
	reply_verdict(&v[1], false, &b);
	reply_verdict(&v[2], false, &b);
	c = cur_of(buf_str(&b));
	assert_false(err_is(reply_decode(&c, &back, got, 3, &n, &why)));
	assert_false(err_is(cur_end(&c)));
	assert_true(n == 3 && id_eq(back.id, asker.id) && str_eq(back.name, STR("ana")) && !back.anonymous);
	assert_true(got[0].key && secret_equal(&got[0].key->s, &k->s) && id_eq(got[0].ids.version, v[0].ids.version));
	assert_true(got[0].header[255] == 9 && got[0].grant.grant_private_b[3] == 4);
	assert_true(got[1].e.code == ERR_DENIED && got[1].reason == REASON_ROLE && !got[1].key);
	assert_int_equal(got[1].receipt.receipt_private_index, 7);
	assert_true(str_eq(got[2].charter, STR("CHARTER")));
	verdict_release(&got[0]);
	for (size_t cut = 0; cut < b.n; cut++) { /* the keys of the first are given back */
		c = cur_of(str_of(b.p, cut));
		assert_true(err_is(reply_decode(&c, &back, got, 3, &n, &why)));
	}
	c = cur_of(buf_str(&b));
	assert_int_equal(reply_decode(&c, &back, got, 2, &n, &why).code, ERR_INVALID);
	buf_clear(&b);
	reply_refuse(ERR_UNAUTHENTICATED, REASON_SKEW, &b);
	c = cur_of(buf_str(&b));
	assert_int_equal(reply_decode(&c, &back, got, 3, &n, &why).code, ERR_UNAUTHENTICATED);
	assert_int_equal(why, REASON_SKEW);
}

/* A refused verdict that brings a grant or a key is no verdict of ours. */
static void
a_refusal_carries_nothing(void **state)
{
	struct verdict v = {.e = {.code = ERR_DENIED}, .reason = REASON_NO_RULE, .charter = STR("x")}, got;
	struct asker asker = {.anonymous = true}, back;
	AUTO_BUF b = BUF(4096);
	enum verdict_reason why;
	struct cur c;
	size_t n, parts_at;

	(void)state;
	reply_asker(&asker, 1, &b);
	parts_at = b.n + 2 + 2 + 8 + 8;
	reply_verdict(&v, true, &b);
	assert_int_equal(b.n, parts_at + 1);
	assert_int_equal(b.p[parts_at], 0);
	b.p[parts_at] = 1;
	buf_put(&b, &got.grant, 0);
	for (unsigned i = 0; i < GRANT_BYTES; i++)
		buf_put_char(&b, 0);
	c = cur_of(buf_str(&b));
	assert_int_equal(reply_decode(&c, &back, &got, 1, &n, &why).code, ERR_INVALID);
}

static void
chunk_requests_go_round(void **state)
{
	struct chunk_signature s[2] = {{.sha256 = {1}, .signature = {2}}, {.sha256 = {3}, .signature = {4}}};
	const uint8_t previous[32] = {9};
	AUTO_BUF b = BUF(LIMIT_MESSAGE_BYTES);
	struct chunks_request r;
	struct cur c;

	(void)state;
	chunks_request_encode(&proof, previous, s, 2, false, &b);
	c = cur_of(buf_str(&b));
	assert_false(err_is(chunks_request_decode(&c, &r)));
	assert_true(r.n == 2 && r.previous[0] == 9 && !r.trailer);
	assert_int_equal(chunks_request_at(&r, 1).signature[0], 4);
	buf_clear(&b);
	chunks_request_encode(&proof, previous, s, 2, true, &b); /* a trailer has one */
	c = cur_of(buf_str(&b));
	assert_int_equal(chunks_request_decode(&c, &r).code, ERR_INVALID);
	buf_clear(&b);
	chunks_request_encode(&proof, previous, s, 0, false, &b);
	c = cur_of(buf_str(&b));
	assert_int_equal(chunks_request_decode(&c, &r).code, ERR_INVALID);
}

static void
acl_words_are_those_of_s3(void **state)
{
	static const char *const words[] = {"private", "public-read", "public-read-write", "authenticated-read", "bucket-owner-read",
		"bucket-owner-full-control", "log-delivery-write"};
	enum acl_canned canned = ACL_CANNED_NONE;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		assert_false(err_is(acl_canned_parse(str_c(words[i]), &canned)));
		assert_int_equal(canned, i + 1);
	}
	assert_int_equal(acl_canned_parse(STR("Public-Read"), &canned).code, ERR_INVALID);
	assert_int_equal(acl_canned_parse(STR(""), &canned).code, ERR_INVALID);
}

static int
set_up(void **state)
{
	(void)state;
	if (err_is(crypto_init()))
		return 1;
	key = mac_key_new();
	other_key = mac_key_new();
	if (!key || !other_key)
		return 1;
	secret_random(&key->s);
	secret_random(&other_key->s);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	mac_key_free(key);
	mac_key_free(other_key);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(charters_go_round),
		cmocka_unit_test(locks_go_round),
		cmocka_unit_test(locks_hold_until_their_time),
		cmocka_unit_test(a_changed_charter_is_corrupt),
		cmocka_unit_test(a_charter_holds_the_largest_of_everything),
		cmocka_unit_test(a_charter_covers_one_version_only),
		cmocka_unit_test(grants_hold_for_their_terms_and_time),
		cmocka_unit_test(a_charter_is_no_grant),
		cmocka_unit_test(requests_go_round),
		cmocka_unit_test(wire_sizes_are_upper_bounds),
		cmocka_unit_test(verdicts_go_round_with_their_keys),
		cmocka_unit_test(a_refusal_carries_nothing),
		cmocka_unit_test(chunk_requests_go_round),
		cmocka_unit_test(acl_words_are_those_of_s3),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
