#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "crypto/crypto.h"
#include "warden/charter_make.h"
#include "warden/decide.h"

/* People of the tables. OWN owns the bucket, WRI wrote the object, OTH is anybody else with a key, ANON has none. */
enum who { OWN, WRI, OTH, ANON };

static struct id
id_of(enum who w)
{
	return (struct id){.b = {[0] = w == ANON ? 0 : (uint8_t)(w + 1)}};
}

static const struct id bucket_id = {.b = {0xB0}}, object_id = {.b = {0x0B}}, version_id = {.b = {0x7E}};
static struct policy_cache *cache;

struct scene {
	struct charter bucket, object;
	struct want want;
	struct decide_request r;
};

/* A bucket of OWN with an object of WRI, both private; ${who} wants ${action}. */
static void
scene(struct scene *s, enum who who, enum action action)
{
	static const struct proof none = {.kind = PROOF_NONE};
	enum action_class c = action_class(action);
	bool of_object = c == CLASS_OBJECT_READ || c == CLASS_OBJECT_WRITE || c == CLASS_OBJECT_DELETE || c == CLASS_OBJECT_RULE;

	*s = (struct scene){0};
	s->bucket = (struct charter){.is_bucket = true, .bucket = bucket_id, .owner = id_of(OWN), .name = STR("bkt")};
	s->bucket.acl = (struct acl){.n = 1, .grants = {{.grantee = ACL_USER, .permission = ACL_FULL_CONTROL, .user = id_of(OWN)}}};
	s->object = (struct charter){.bucket = bucket_id, .object = object_id, .version = version_id, .owner = id_of(WRI), .name = STR("k")};
	s->object.acl = (struct acl){.n = 1, .grants = {{.grantee = ACL_USER, .permission = ACL_FULL_CONTROL, .user = id_of(WRI)}}};
	s->want = (struct want){.action = action, .bucket_name = STR("bkt")};
	s->r = (struct decide_request){.want = &s->want, .proof = &none, .roles = 1u << PERSON_RESEARCHER,
		.asker = {.id = id_of(who), .anonymous = who == ANON, .name = who == ANON ? STR("") : STR("somebody")}};
	s->r.bucket = &s->bucket;
	if (of_object) {
		s->want.key = STR("k");
		s->r.object = &s->object;
	}
	if (action == ACTION_LIST_ALL_MY_BUCKETS || action == ACTION_CREATE_BUCKET || c == CLASS_AUDIT || c == CLASS_STATUS)
		s->r.bucket = NULL;
}

static void
give(struct acl *a, enum acl_grantee grantee, enum who who, uint8_t permission)
{
	a->grants[a->n++] = (struct acl_grant){.grantee = grantee, .permission = permission, .user = id_of(who)};
}

static enum verdict_reason
why(const struct scene *s)
{
	struct decision d = decide(cache, &s->r);

	assert_int_equal(d.code == ERR_NONE, d.reason == REASON_NONE);
	assert_non_null(d.rule);
	return d.reason;
}

#define ALLOWED REASON_NONE

/* ---- locks ---- */

static void
retention_is_weakened_only_by_who_may(void **state)
{
	struct scene s;

	(void)state;
	for (int bypass = 0; bypass < 2; bypass++) {
		scene(&s, OWN, ACTION_PUT_OBJECT_RETENTION);
		s.want.flags = WANT_CHARTER | (bypass ? WANT_BYPASS : 0u);
		s.want.set = SET_RETENTION;
		s.r.now_us = 10;
		s.object.lock = (struct object_lock){LOCK_GOVERNANCE, 100, false};
		s.want.lock = (struct object_lock){LOCK_GOVERNANCE, 101, false};
		assert_int_equal(why(&s), ALLOWED);
		s.want.lock.until_us = 99;
		assert_int_equal(why(&s), bypass ? ALLOWED : REASON_NO_RULE);
		s.object.lock.mode = LOCK_COMPLIANCE;
		assert_int_equal(why(&s), REASON_NO_RULE);
		s.r.now_us = 100;
		assert_int_equal(why(&s), ALLOWED);
	}
	/* leave for retention is none to pass by it */
	scene(&s, OTH, ACTION_PUT_OBJECT_RETENTION);
	s.bucket.policy = STR("{\"Statement\":{\"Effect\":\"Allow\",\"Principal\":\"*\",\"Action\":\"s3:PutObjectRetention\","
			      "\"Resource\":\"arn:aws:s3:::bkt/*\"}}");
	s.want.flags = WANT_CHARTER | WANT_BYPASS;
	s.want.set = SET_RETENTION;
	assert_int_equal(why(&s), ALLOWED);
	s.object.lock = (struct object_lock){LOCK_GOVERNANCE, 100, false};
	assert_int_equal(why(&s), REASON_NO_RULE);
}

static void
locking_a_new_object_needs_leave(void **state)
{
	struct scene s;

	(void)state;
	scene(&s, OTH, ACTION_PUT_OBJECT);
	s.bucket.policy = STR("{\"Statement\":{\"Effect\":\"Allow\",\"Principal\":\"*\",\"Action\":\"s3:PutObject\","
			      "\"Resource\":\"arn:aws:s3:::bkt/*\"}}");
	s.want.flags = WANT_MAKE;
	assert_int_equal(why(&s), ALLOWED);
	s.want.lock = (struct object_lock){LOCK_GOVERNANCE, 100, true};
	s.want.set = SET_RETENTION;
	assert_int_equal(why(&s), REASON_NO_RULE);
	s.want.set = SET_HOLD;
	assert_int_equal(why(&s), REASON_NO_RULE);
	s.want.set = SET_RETENTION;
	s.want.flags |= WANT_BY_DEFAULT;
	assert_int_equal(why(&s), ALLOWED);
	s.want.flags = 0; /* and without a new object there is nothing to lock */
	assert_int_equal(why(&s), REASON_CHARTER);
}

/* ---- roles ---- */

static void
a_role_caps_what_ownership_gives(void **state)
{
	static const enum action by_class[CLASS_COUNT] = {
		[CLASS_BUCKET_SEE] = ACTION_LIST_BUCKET, [CLASS_BUCKET_MAKE] = ACTION_DELETE_BUCKET,
		[CLASS_BUCKET_RULE] = ACTION_PUT_BUCKET_ACL, [CLASS_OBJECT_READ] = ACTION_GET_OBJECT,
		[CLASS_OBJECT_WRITE] = ACTION_PUT_OBJECT, [CLASS_OBJECT_DELETE] = ACTION_DELETE_OBJECT,
		[CLASS_OBJECT_RULE] = ACTION_PUT_OBJECT_ACL, [CLASS_AUDIT] = ACTION_AUDIT_READ, [CLASS_STATUS] = ACTION_STATUS_READ,
	};
	/* in the order of the classes: see make rule read write delete rule audit status */
	static const char *const may[PERSON_ROLE_COUNT] = {
		[PERSON_ADMINISTRATOR] = "111000001", [PERSON_SECURITY_OFFICER] = "100000011", [PERSON_PRIVACY_OFFICER] = "000000011",
		[PERSON_DATA_STEWARD] = "111111100", [PERSON_PRINCIPAL_INVESTIGATOR] = "111111100", [PERSON_RESEARCHER] = "111111100",
		[PERSON_OUTPUT_CHECKER] = "100100000", [PERSON_AUDITOR] = "000000011", [PERSON_CLINICIAN] = "100110000",
		[PERSON_DEVICE] = "000010000", [PERSON_FEED] = "000010000",
		[PERSON_IT_REVIEWER] = "000000000", [PERSON_MANAGEMENT_REVIEWER] = "000000000",
		[PERSON_RESEARCH_REVIEWER] = "000000000", [PERSON_IRB_MEMBER] = "000000000",
	};

	(void)state;
	for (unsigned role = PERSON_ADMINISTRATOR; role < PERSON_ROLE_COUNT; role++) {
		for (unsigned c = 0; c < CLASS_COUNT; c++) {
			struct scene s;

			scene(&s, OWN, by_class[c]); /* with everything a person can have but the role */
			s.object.owner = id_of(OWN);
			s.r.roles = 1u << role;
			if (why(&s) != (may[role][c] == '1' ? ALLOWED : REASON_ROLE))
				fail_msg("%s: %s", role_word((enum role_of_person)role), action_policy_name(by_class[c]));
		}
	}
}

static void
administrators_never_get_a_data_key(void **state)
{
	(void)state;
	for (unsigned a = 0; a < ACTION_COUNT; a++) {
		struct scene s;

		scene(&s, OWN, (enum action)a);
		s.object.owner = id_of(OWN);
		s.bucket.policy = STR("{\"Statement\":{\"Effect\":\"Allow\",\"Principal\":\"*\",\"Action\":\"s3:*\","
				      "\"Resource\":\"arn:aws:s3:::bkt*\"}}");
		s.r.roles = 1u << PERSON_ADMINISTRATOR;
		s.want.flags = WANT_OPEN;
		assert_int_not_equal(why(&s), ALLOWED);
		s.want.flags = WANT_MAKE;
		assert_int_not_equal(why(&s), ALLOWED);
	}
}

static void
no_role_is_no_access_and_an_anonymous_bit_is_no_role(void **state)
{
	struct scene s;

	(void)state;
	scene(&s, OWN, ACTION_LIST_BUCKET);
	s.r.roles = 0;
	assert_int_equal(why(&s), REASON_ROLE);
	s.r.roles = 1u << PERSON_ANONYMOUS;
	assert_int_equal(why(&s), REASON_ROLE);
	s.r.roles = 1u << PERSON_AUDITOR | 1u << PERSON_OUTPUT_CHECKER; /* several: together */
	assert_int_equal(why(&s), ALLOWED);
}

/* Authenticated is not authorised; and nobody is not authenticated. */
static void
the_house_asks_for_a_role(void **state)
{
	static const enum action house[] = {ACTION_AUDIT_READ, ACTION_STATUS_READ, ACTION_CREATE_BUCKET, ACTION_LIST_ALL_MY_BUCKETS};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(house); i++) {
		struct scene s;

		scene(&s, OTH, house[i]);
		s.r.roles = 1u << PERSON_DEVICE;
		assert_int_equal(why(&s), REASON_ROLE);
		scene(&s, ANON, house[i]);
		s.r.roles = UINT32_MAX; /* whatever is said of nobody */
		assert_int_equal(why(&s), REASON_ROLE);
	}
}

/* ---- ownership and ACLs ---- */

struct right { enum action action; enum verdict_reason own, wri, oth, anon; };

static void
without_rules_only_owners(void **state)
{
	static const struct right rights[] = {
		{ACTION_LIST_BUCKET, ALLOWED, REASON_NO_RULE, REASON_NO_RULE, REASON_NO_RULE},
		{ACTION_GET_BUCKET_ACL, ALLOWED, REASON_NO_RULE, REASON_NO_RULE, REASON_NO_RULE},
		{ACTION_PUT_BUCKET_ACL, ALLOWED, REASON_NO_RULE, REASON_NO_RULE, REASON_ROLE},
		{ACTION_PUT_BUCKET_POLICY, ALLOWED, REASON_NO_RULE, REASON_NO_RULE, REASON_ROLE},
		{ACTION_DELETE_BUCKET, ALLOWED, REASON_NO_RULE, REASON_NO_RULE, REASON_ROLE},
		{ACTION_GET_OBJECT, REASON_NO_RULE, ALLOWED, REASON_NO_RULE, REASON_NO_RULE},
		{ACTION_GET_OBJECT_VERSION, REASON_NO_RULE, ALLOWED, REASON_NO_RULE, REASON_NO_RULE},
		{ACTION_GET_OBJECT_ACL, REASON_NO_RULE, ALLOWED, REASON_NO_RULE, REASON_NO_RULE},
		{ACTION_PUT_OBJECT_ACL, REASON_NO_RULE, ALLOWED, REASON_NO_RULE, REASON_ROLE},
		{ACTION_GET_OBJECT_TAGGING, ALLOWED, ALLOWED, REASON_NO_RULE, REASON_NO_RULE},
		{ACTION_PUT_OBJECT, ALLOWED, REASON_NO_RULE, REASON_NO_RULE, REASON_NO_RULE},
		{ACTION_DELETE_OBJECT, ALLOWED, REASON_NO_RULE, REASON_NO_RULE, REASON_NO_RULE},
		{ACTION_DELETE_OBJECT_VERSION, ALLOWED, REASON_NO_RULE, REASON_NO_RULE, REASON_NO_RULE},
		{ACTION_PUT_OBJECT_RETENTION, ALLOWED, REASON_NO_RULE, REASON_NO_RULE, REASON_ROLE},
		{ACTION_BYPASS_GOVERNANCE, ALLOWED, REASON_NO_RULE, REASON_NO_RULE, REASON_ROLE},
		{ACTION_ABORT_UPLOAD, ALLOWED, ALLOWED, REASON_NO_RULE, REASON_NO_RULE},
		{ACTION_LIST_UPLOAD_PARTS, ALLOWED, ALLOWED, REASON_NO_RULE, REASON_NO_RULE},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rights); i++) {
		for (enum who w = OWN; w <= ANON; w++) {
			const enum verdict_reason want[] = {rights[i].own, rights[i].wri, rights[i].oth, rights[i].anon};
			struct scene s;

			scene(&s, w, rights[i].action);
			if (why(&s) != want[w])
				fail_msg("%s by %d: %s", action_policy_name(rights[i].action), w, verdict_reason_word(why(&s)));
		}
	}
}

static void
acls_give_exactly_what_s3_says(void **state)
{
	static const struct { bool on_bucket; enum acl_permission permission; enum action action; bool given; } cases[] = {
		{true, ACL_READ, ACTION_LIST_BUCKET, true}, {true, ACL_READ, ACTION_LIST_BUCKET_VERSIONS, true},
		{true, ACL_READ, ACTION_LIST_BUCKET_UPLOADS, true}, {true, ACL_READ, ACTION_GET_OBJECT, false},
		{true, ACL_READ, ACTION_GET_BUCKET_ACL, false}, {true, ACL_READ, ACTION_PUT_OBJECT, false},
		{true, ACL_WRITE, ACTION_PUT_OBJECT, true}, {true, ACL_WRITE, ACTION_DELETE_OBJECT, true},
		{true, ACL_WRITE, ACTION_DELETE_OBJECT_VERSION, false}, {true, ACL_WRITE, ACTION_LIST_BUCKET, false},
		{true, ACL_WRITE, ACTION_PUT_OBJECT_ACL, false}, {true, ACL_WRITE, ACTION_PUT_BUCKET_ACL, false},
		{true, ACL_READ_ACP, ACTION_GET_BUCKET_ACL, true}, {true, ACL_READ_ACP, ACTION_LIST_BUCKET, false},
		{true, ACL_WRITE_ACP, ACTION_PUT_BUCKET_ACL, true}, {true, ACL_WRITE_ACP, ACTION_PUT_OBJECT, false},
		{true, ACL_FULL_CONTROL, ACTION_PUT_OBJECT, true}, {true, ACL_FULL_CONTROL, ACTION_PUT_BUCKET_POLICY, false},
		{true, ACL_FULL_CONTROL, ACTION_DELETE_BUCKET, false}, {true, ACL_FULL_CONTROL, ACTION_GET_OBJECT, false},
		{false, ACL_READ, ACTION_GET_OBJECT, true}, {false, ACL_READ, ACTION_GET_OBJECT_VERSION, true},
		{false, ACL_READ, ACTION_GET_OBJECT_ACL, false}, {false, ACL_READ, ACTION_GET_OBJECT_TAGGING, false},
		{false, ACL_WRITE, ACTION_PUT_OBJECT, false}, {false, ACL_WRITE, ACTION_DELETE_OBJECT, false},
		{false, ACL_READ_ACP, ACTION_GET_OBJECT_ACL, true}, {false, ACL_WRITE_ACP, ACTION_PUT_OBJECT_ACL, true},
		{false, ACL_WRITE_ACP, ACTION_GET_OBJECT, false}, {false, ACL_FULL_CONTROL, ACTION_DELETE_OBJECT, false},
		{false, ACL_FULL_CONTROL, ACTION_GET_OBJECT, true},
	};
	static const enum acl_grantee grantees[] = {ACL_USER, ACL_AUTHENTICATED_USERS, ACL_ALL_USERS, ACL_LOG_DELIVERY};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		for (size_t g = 0; g < ARRAY_LEN(grantees); g++) {
			struct scene s;
			struct acl *a = cases[i].on_bucket ? &s.bucket.acl : &s.object.acl;
			bool given = cases[i].given && grantees[g] != ACL_LOG_DELIVERY;

			scene(&s, OTH, cases[i].action);
			give(a, grantees[g], OTH, (uint8_t)cases[i].permission);
			assert_int_equal(why(&s), given ? ALLOWED : REASON_NO_RULE);
			s.bucket.public_block = IGNORE_PUBLIC_ACLS;
			assert_int_equal(why(&s), given && grantees[g] == ACL_USER ? ALLOWED : REASON_NO_RULE);
			s.bucket.public_block = 0;
			s.bucket.ownership = OWNERSHIP_BUCKET_OWNER_ENFORCED; /* no ACLs at all */
			assert_int_equal(why(&s), REASON_NO_RULE);
		}
	}
}

static void
nobody_gets_what_everybody_has_and_no_more(void **state)
{
	struct scene s;

	(void)state;
	scene(&s, ANON, ACTION_GET_OBJECT);
	give(&s.object.acl, ACL_AUTHENTICATED_USERS, ANON, ACL_READ);
	give(&s.object.acl, ACL_USER, ANON, ACL_FULL_CONTROL); /* a grant to the zero id is to nobody */
	assert_int_equal(why(&s), REASON_NO_RULE);
	give(&s.object.acl, ACL_ALL_USERS, ANON, ACL_READ);
	assert_int_equal(why(&s), ALLOWED);
	scene(&s, ANON, ACTION_GET_OBJECT);
	s.object.owner = id_of(ANON); /* zero: owned by nobody, which is not he who is nobody */
	assert_int_equal(why(&s), REASON_NO_RULE);
	scene(&s, ANON, ACTION_PUT_BUCKET_ACL);
	give(&s.bucket.acl, ACL_ALL_USERS, ANON, ACL_FULL_CONTROL);
	assert_int_equal(why(&s), REASON_ROLE);
}

static void
enforced_ownership_gives_all_to_the_bucket_owner(void **state)
{
	static const enum action all[] = {ACTION_GET_OBJECT, ACTION_GET_OBJECT_VERSION, ACTION_GET_OBJECT_ACL, ACTION_PUT_OBJECT,
		ACTION_GET_OBJECT_TAGGING, ACTION_DELETE_OBJECT};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		struct scene s;

		scene(&s, OWN, all[i]);
		s.bucket.ownership = OWNERSHIP_BUCKET_OWNER_ENFORCED;
		s.bucket.acl.n = 0;
		assert_int_equal(why(&s), ALLOWED);
		scene(&s, WRI, all[i]); /* he who wrote it before the rule has it no longer */
		s.bucket.ownership = OWNERSHIP_BUCKET_OWNER_ENFORCED;
		assert_int_equal(why(&s), REASON_NO_RULE);
	}
}

static void
new_objects_belong_to_whom_ownership_says(void **state)
{
	static const struct acl full = {.canned = ACL_CANNED_BUCKET_OWNER_FULL}, other = {.canned = ACL_CANNED_PRIVATE};
	struct asker wri = {.id = id_of(WRI)}, anon = {.anonymous = true};
	struct charter b = {.is_bucket = true, .owner = id_of(OWN)};

	(void)state;
	assert_true(id_eq(decide_owner(&wri, &b, &full), id_of(WRI)));
	assert_true(id_eq(decide_owner(&anon, &b, NULL), id_of(OWN)));
	b.ownership = OWNERSHIP_BUCKET_OWNER_PREFERRED;
	assert_true(id_eq(decide_owner(&wri, &b, &full), id_of(OWN)));
	assert_true(id_eq(decide_owner(&wri, &b, &other), id_of(WRI)));
	assert_true(id_eq(decide_owner(&wri, &b, NULL), id_of(WRI)));
	b.ownership = OWNERSHIP_BUCKET_OWNER_ENFORCED;
	assert_true(id_eq(decide_owner(&wri, &b, NULL), id_of(OWN)));
}

/* ---- policies ---- */

#define POLICY(effect, who, action) \
	STR("{\"Version\":\"2012-10-17\",\"Statement\":{\"Effect\":\"" effect "\",\"Principal\":" who ",\"Action\":\"" action \
	    "\",\"Resource\":[\"arn:aws:s3:::bkt\",\"arn:aws:s3:::bkt/*\"]}}")
#define OTH_HEX "03000000000000000000000000000000"

static void
an_explicit_deny_wins_over_everything(void **state)
{
	struct scene s;

	(void)state;
	scene(&s, WRI, ACTION_GET_OBJECT);
	s.bucket.policy = POLICY("Deny", "\"*\"", "s3:GetObject");
	assert_int_equal(why(&s), REASON_POLICY_DENY);
	scene(&s, OWN, ACTION_LIST_BUCKET);
	s.bucket.policy = POLICY("Deny", "\"*\"", "s3:*");
	assert_int_equal(why(&s), REASON_POLICY_DENY);
	/* but nobody shuts himself out for ever */
	for (unsigned i = 0; i < 3; i++) {
		static const enum action on_policy[] = {ACTION_GET_BUCKET_POLICY, ACTION_PUT_BUCKET_POLICY, ACTION_DELETE_BUCKET_POLICY};

		scene(&s, OWN, on_policy[i]);
		s.bucket.policy = POLICY("Deny", "\"*\"", "s3:*");
		assert_int_equal(why(&s), ALLOWED);
		scene(&s, OTH, on_policy[i]);
		s.bucket.policy = POLICY("Deny", "\"*\"", "s3:*");
		assert_int_equal(why(&s), REASON_POLICY_DENY);
	}
}

static void
a_deny_is_never_an_allow(void **state)
{
	struct scene s;

	(void)state;
	for (unsigned a = 0; a < ACTION_COUNT; a++) {
		scene(&s, OTH, (enum action)a);
		if (!s.r.bucket)
			continue;
		s.bucket.policy = POLICY("Deny", "{\"AWS\":\"" "01000000000000000000000000000000" "\"}", "s3:DeleteBucket");
		assert_int_not_equal(why(&s), ALLOWED);
	}
}

static void
an_allow_works_under_the_role(void **state)
{
	struct scene s;

	(void)state;
	scene(&s, OTH, ACTION_GET_OBJECT);
	s.bucket.policy = POLICY("Allow", "{\"AWS\":\"" OTH_HEX "\"}", "s3:GetObject");
	assert_int_equal(why(&s), ALLOWED);
	assert_string_equal(decide(cache, &s.r).rule, "policy");
	s.r.roles = 1u << PERSON_FEED;
	assert_int_equal(why(&s), REASON_ROLE);
	scene(&s, OTH, ACTION_GET_OBJECT_VERSION); /* GetObject is not GetObjectVersion */
	s.bucket.policy = POLICY("Allow", "{\"AWS\":\"" OTH_HEX "\"}", "s3:GetObject");
	assert_int_equal(why(&s), REASON_NO_RULE);
	scene(&s, ANON, ACTION_GET_OBJECT);
	s.bucket.policy = POLICY("Allow", "\"*\"", "s3:*");
	assert_int_equal(why(&s), ALLOWED);
	scene(&s, ANON, ACTION_PUT_BUCKET_POLICY);
	s.bucket.policy = POLICY("Allow", "\"*\"", "s3:*");
	assert_int_equal(why(&s), REASON_ROLE);
}

static void
a_policy_that_cannot_be_read_lets_only_the_owner_repair_it(void **state)
{
	struct scene s;

	(void)state;
	scene(&s, OWN, ACTION_LIST_BUCKET);
	s.bucket.policy = STR("{\"Statement\":[{\"Effect\":\"Denny\"}]}");
	assert_int_equal(why(&s), REASON_BAD_POLICY);
	scene(&s, OWN, ACTION_DELETE_BUCKET_POLICY);
	s.bucket.policy = STR("{\"Statement\":[{\"Effect\":\"Denny\"}]}");
	assert_int_equal(why(&s), ALLOWED);
}

static void
a_restricted_bucket_gives_nothing_by_a_public_policy(void **state)
{
	struct scene s;

	(void)state;
	scene(&s, OTH, ACTION_GET_OBJECT);
	s.bucket.policy = POLICY("Allow", "\"*\"", "s3:GetObject");
	s.bucket.public_block = RESTRICT_PUBLIC_BUCKETS;
	assert_int_equal(why(&s), REASON_NO_RULE);
	scene(&s, OWN, ACTION_GET_OBJECT);
	s.bucket.policy = POLICY("Allow", "\"*\"", "s3:GetObject");
	s.bucket.public_block = RESTRICT_PUBLIC_BUCKETS;
	assert_int_equal(why(&s), ALLOWED);
	scene(&s, OTH, ACTION_GET_OBJECT); /* not public: named */
	s.bucket.policy = POLICY("Allow", "{\"AWS\":\"" OTH_HEX "\"}", "s3:GetObject");
	s.bucket.public_block = RESTRICT_PUBLIC_BUCKETS;
	assert_int_equal(why(&s), ALLOWED);
}

static void
tags_in_conditions_come_from_charter_and_want(void **state)
{
	static const struct condition forged = {{"s3:ExistingObjectTag/level", 26}, {"open", 4}};
	static const struct condition said = {{"s3:RequestObjectTag/level", 25}, {"open", 4}};
	static const struct tag secret = {{"level", 5}, {"secret", 6}};
	struct str policy = STR("{\"Statement\":{\"Effect\":\"Allow\",\"Principal\":\"*\",\"Action\":\"s3:*\",\"Resource\":\"arn:aws:s3:::bkt/*\","
				"\"Condition\":{\"StringEquals\":{\"s3:ExistingObjectTag/level\":\"open\"}}}}");
	struct scene s;

	(void)state;
	scene(&s, OTH, ACTION_GET_OBJECT);
	s.bucket.policy = policy;
	s.r.conditions = &forged;
	s.r.n_conditions = 1;
	assert_int_equal(why(&s), REASON_NO_RULE);
	s.object.tags[0] = (struct tag){STR("level"), STR("open")};
	s.object.n_tags = 1;
	assert_int_equal(why(&s), ALLOWED);
	/* what is said of the tags and what they are: the tags that will be stored count */
	scene(&s, OTH, ACTION_PUT_OBJECT);
	s.bucket.policy = STR("{\"Statement\":{\"Effect\":\"Allow\",\"Principal\":\"*\",\"Action\":\"s3:*\",\"Resource\":\"arn:aws:s3:::bkt/*\","
			      "\"Condition\":{\"StringEquals\":{\"s3:RequestObjectTag/level\":\"open\"}}}}");
	s.want.flags = WANT_MAKE;
	s.want.tags = &secret;
	s.want.n_tags = 1;
	s.r.conditions = &said;
	s.r.n_conditions = 1;
	assert_int_equal(why(&s), REASON_NO_RULE);
}

/* ---- what is not there ---- */

static void
only_who_may_list_is_told_that_a_key_is_missing(void **state)
{
	static const enum action asks[] = {ACTION_GET_OBJECT, ACTION_GET_OBJECT_VERSION, ACTION_GET_OBJECT_ACL, ACTION_PUT_OBJECT_TAGGING};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(asks); i++) {
		struct scene s;

		for (enum who w = OWN; w <= OTH; w++) {
			scene(&s, w, asks[i]);
			s.want.flags = WANT_MISSING;
			s.r.object = NULL;
			assert_int_equal(why(&s), w == OWN ? REASON_NO_SUCH_OBJECT : REASON_NO_RULE);
			assert_int_equal(decide(cache, &s.r).code, w == OWN ? ERR_NOT_FOUND : ERR_DENIED);
		}
		give(&s.bucket.acl, ACL_ALL_USERS, OTH, ACL_READ);
		assert_int_equal(why(&s), REASON_NO_SUCH_OBJECT);
		s.bucket.policy = POLICY("Deny", "\"*\"", "s3:ListBucket");
		assert_int_equal(why(&s), REASON_NO_RULE);
		s.bucket.policy = POLICY("Allow", "\"*\"", "s3:Get*"); /* may read, may not know */
		s.bucket.acl.n = 0;
		assert_int_equal(why(&s), REASON_NO_RULE);
		s.r.roles = 1u << PERSON_AUDITOR;
		assert_int_equal(why(&s), REASON_ROLE);
	}
}

static void
a_missing_bucket_is_not_found(void **state)
{
	struct scene s;

	(void)state;
	scene(&s, OTH, ACTION_GET_OBJECT);
	s.r.bucket = s.r.object = NULL;
	s.want.flags = WANT_NO_BUCKET;
	assert_int_equal(why(&s), REASON_NO_SUCH_BUCKET);
	s.want.flags = 0;
	assert_int_equal(why(&s), REASON_CHARTER);
}

/* ---- what gate may not mix ---- */

static void
charters_of_other_things_are_refused(void **state)
{
	struct scene s;
	const struct { const char *what; enum action action; } none = {"", ACTION_GET_OBJECT};

	(void)state;
	scene(&s, WRI, none.action);
	assert_int_equal(why(&s), ALLOWED);
	s.want.key = STR("other"); /* the charter of a key that one may read, for one that one may not */
	assert_int_equal(why(&s), REASON_CHARTER);
	scene(&s, WRI, none.action);
	s.object.bucket = object_id;
	assert_int_equal(why(&s), REASON_CHARTER);
	scene(&s, WRI, none.action);
	s.want.bucket_name = STR("other");
	assert_int_equal(why(&s), REASON_CHARTER);
	scene(&s, WRI, none.action);
	s.object.is_bucket = true;
	assert_int_equal(why(&s), REASON_CHARTER);
	scene(&s, WRI, none.action);
	s.bucket.is_bucket = false;
	assert_int_equal(why(&s), REASON_CHARTER);
	scene(&s, WRI, none.action);
	s.r.object = NULL; /* left out, so that its tags and owner are not seen */
	assert_int_equal(why(&s), REASON_CHARTER);
	scene(&s, WRI, ACTION_GET_OBJECT_VERSION);
	s.want.version = version_id;
	assert_int_equal(why(&s), ALLOWED);
	s.want.version = object_id;
	assert_int_equal(why(&s), REASON_CHARTER);
	scene(&s, WRI, ACTION_GET_OBJECT);
	s.want.version = version_id; /* a version under the action for the current one */
	assert_int_equal(why(&s), REASON_CHARTER);
	scene(&s, OWN, ACTION_DELETE_OBJECT);
	s.want.version = version_id;
	assert_int_equal(why(&s), REASON_CHARTER);
	scene(&s, OWN, ACTION_PUT_OBJECT);
	s.want.key = STR("");
	s.r.object = NULL;
	assert_int_equal(why(&s), REASON_CHARTER);
}

static void
a_want_changes_and_opens_only_what_its_action_names(void **state)
{
	static const uint32_t bits[] = {SET_ACL, SET_POLICY, SET_TAGS, SET_PUBLIC_BLOCK, SET_OWNERSHIP, SET_NAMES_OFF};
	unsigned pairs = 0, opening = 0;

	(void)state;
	for (unsigned a = 0; a < ACTION_COUNT; a++) {
		struct scene s;

		for (size_t i = 0; i < ARRAY_LEN(bits); i++) {
			scene(&s, OWN, (enum action)a);
			s.object.owner = id_of(OWN);
			s.want.flags = WANT_CHARTER;
			s.want.set = bits[i];
			pairs += why(&s) == ALLOWED;
		}
		scene(&s, OWN, (enum action)a);
		s.object.owner = id_of(OWN);
		s.want.flags = WANT_OPEN;
		opening += why(&s) == ALLOWED;
		if (a == ACTION_GET_OBJECT_ACL || a == ACTION_DELETE_OBJECT || a == ACTION_GET_OBJECT_TAGGING)
			assert_int_equal(why(&s), REASON_CHARTER);
	}
	assert_int_equal(pairs, 14); /* 3 ACLs and CREATE_BUCKET's, 2 policies, 4 taggings, block, ownership and CREATE_BUCKET's, names */
	assert_int_equal(opening, 5);
}

static void
a_policy_is_removed_by_the_action_that_removes(void **state)
{
	struct scene s;

	(void)state;
	scene(&s, OWN, ACTION_DELETE_BUCKET_POLICY);
	s.want.flags = WANT_CHARTER;
	s.want.set = SET_POLICY;
	assert_int_equal(why(&s), ALLOWED);
	s.want.policy = POLICY("Allow", "\"*\"", "s3:*");
	assert_int_equal(why(&s), REASON_CHARTER);
}

/* ---- content ---- */

static bool
knows_all(void *ctx, struct id id)
{
	(void)ctx;
	return id.b[0] <= OTH + 1;
}

static bool
knows_none(void *ctx, struct str s, struct id *ret)
{
	(void)ctx;
	if (!str_eq(s, STR("wri@example.org")))
		return false;
	*ret = id_of(WRI);
	return true;
}

static const struct people_lookup people = {NULL, knows_all, knows_none, knows_none};

static void
public_access_block_refuses_public_acls_and_policies(void **state)
{
	static const struct acl public_read = {.canned = ACL_CANNED_PUBLIC_READ}, mine = {.canned = ACL_CANNED_PRIVATE},
		authenticated = {.n = 1, .grants = {{.grantee = ACL_AUTHENTICATED_USERS, .permission = ACL_READ}}};
	struct scene s;

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		scene(&s, OWN, i ? ACTION_PUT_OBJECT : ACTION_PUT_BUCKET_ACL);
		s.bucket.public_block = BLOCK_PUBLIC_ACLS;
		s.want.flags = i ? WANT_MAKE : WANT_CHARTER;
		s.want.set = i ? 0 : SET_ACL;
		s.want.acl = &public_read;
		assert_int_equal(why(&s), REASON_PUBLIC_BLOCKED);
		s.want.acl = &authenticated;
		assert_int_equal(why(&s), REASON_PUBLIC_BLOCKED);
		s.want.acl = &mine;
		assert_int_equal(why(&s), ALLOWED);
		s.want.acl = &public_read;
		s.bucket.public_block = BLOCK_PUBLIC_POLICY;
		assert_int_equal(why(&s), ALLOWED);
	}
	scene(&s, OWN, ACTION_PUT_BUCKET_POLICY);
	s.r.people = &people;
	s.want.flags = WANT_CHARTER;
	s.want.set = SET_POLICY;
	s.want.policy = POLICY("Allow", "\"*\"", "s3:GetObject");
	assert_int_equal(why(&s), ALLOWED);
	s.bucket.public_block = BLOCK_PUBLIC_POLICY;
	assert_int_equal(why(&s), REASON_PUBLIC_BLOCKED);
	s.want.policy = POLICY("Allow", "{\"AWS\":\"" OTH_HEX "\"}", "s3:GetObject");
	assert_int_equal(why(&s), ALLOWED);
	s.want.policy = POLICY("Allow", "{\"AWS\":\"somebody-else\"}", "s3:GetObject");
	assert_int_equal(why(&s), REASON_BAD_POLICY);
	s.r.asker = (struct asker){.id = id_of(OTH), .name = STR("x")}; /* who may not put one is not told what is wrong with it */
	assert_int_equal(why(&s), REASON_NO_RULE);
}

static void
enforced_ownership_takes_no_acl_but_one(void **state)
{
	static const struct { struct acl acl; bool taken; } cases[] = {
		{{.canned = ACL_CANNED_BUCKET_OWNER_FULL}, true}, {{.canned = ACL_CANNED_PUBLIC_READ}, false},
		{{.canned = ACL_CANNED_PRIVATE}, false}, {{.n = 0}, false},
		{{.n = 1, .grants = {{.grantee = ACL_USER, .permission = ACL_FULL_CONTROL, .user = {{1}}}}}, true},
		{{.n = 1, .grants = {{.grantee = ACL_USER, .permission = ACL_READ, .user = {{1}}}}}, false},
		{{.n = 1, .grants = {{.grantee = ACL_USER, .permission = ACL_FULL_CONTROL, .user = {{2}}}}}, false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct scene s;

		scene(&s, OWN, ACTION_PUT_OBJECT);
		s.bucket.ownership = OWNERSHIP_BUCKET_OWNER_ENFORCED;
		s.want.flags = WANT_MAKE;
		assert_int_equal(why(&s), ALLOWED); /* none given */
		s.want.acl = &cases[i].acl;
		assert_int_equal(why(&s), cases[i].taken ? ALLOWED : REASON_ACL_DISABLED);
		scene(&s, OWN, ACTION_PUT_OBJECT_ACL);
		s.bucket.ownership = OWNERSHIP_BUCKET_OWNER_ENFORCED;
		s.want.flags = WANT_CHARTER;
		s.want.set = SET_ACL;
		assert_int_equal(why(&s), REASON_ACL_DISABLED);
		s.want.acl = &cases[i].acl;
		assert_int_equal(why(&s), cases[i].taken ? ALLOWED : REASON_ACL_DISABLED);
	}
}

static void
acls_are_resolved_to_known_people(void **state)
{
	struct acl out, in = {.n = 1, .grants = {{.grantee = ACL_EMAIL, .permission = ACL_READ, .email = STR("wri@example.org")}}};
	enum verdict_reason reason;

	(void)state;
	assert_false(err_is(acl_resolve(&in, id_of(OWN), id_of(OWN), &people, &out, &reason)));
	assert_int_equal(out.grants[0].grantee, ACL_USER);
	assert_true(id_eq(out.grants[0].user, id_of(WRI)));
	assert_int_equal(out.n, 1); /* exactly what was given: no grant for the owner is added */
	in.grants[0].email = STR("nobody@example.org");
	assert_int_equal(acl_resolve(&in, id_of(OWN), id_of(OWN), &people, &out, &reason).code, ERR_INVALID);
	assert_int_equal(reason, REASON_UNKNOWN_EMAIL);
	in.grants[0] = (struct acl_grant){.grantee = ACL_USER, .permission = ACL_READ, .user = {{99}}};
	assert_int_equal(acl_resolve(&in, id_of(OWN), id_of(OWN), &people, &out, &reason).code, ERR_INVALID);
	assert_int_equal(reason, REASON_UNKNOWN_GRANTEE);
	in.grants[0] = (struct acl_grant){.grantee = ACL_USER, .permission = ACL_READ};
	assert_int_equal(acl_resolve(&in, id_of(OWN), id_of(OWN), &people, &out, &reason).code, ERR_INVALID);
	in.grants[0] = (struct acl_grant){.grantee = ACL_ALL_USERS, .permission = 16};
	assert_int_equal(acl_resolve(&in, id_of(OWN), id_of(OWN), &people, &out, &reason).code, ERR_INVALID);
	assert_int_equal(reason, REASON_BAD_ACL);
	in = (struct acl){.owner = id_of(OTH)};
	assert_int_equal(acl_resolve(&in, id_of(OWN), id_of(OWN), &people, &out, &reason).code, ERR_DENIED);
	in = (struct acl){.canned = ACL_CANNED_BUCKET_OWNER_READ};
	assert_false(err_is(acl_resolve(&in, id_of(WRI), id_of(OWN), &people, &out, &reason)));
	assert_int_equal(out.n, 2);
	assert_true(id_eq(out.grants[1].user, id_of(OWN)) && out.grants[1].permission == ACL_READ);
	in = (struct acl){.canned = ACL_CANNED_PUBLIC_READ_WRITE};
	assert_false(err_is(acl_resolve(&in, id_of(OWN), (struct id){0}, &people, &out, &reason)));
	assert_int_equal(out.n, 3);
	assert_true(acl_is_public(&out));
	assert_false(err_is(acl_resolve(NULL, id_of(OWN), (struct id){0}, &people, &out, &reason)));
	assert_int_equal(out.n, 1);
	assert_false(acl_is_public(&out));
}

static bool
wri_is_ana(void *ctx, struct str s, struct id *ret)
{
	(void)ctx;
	if (!str_eq(s, STR("ana")))
		return false;
	*ret = id_of(WRI);
	return true;
}

/* A display name is chosen freely: it must not make its bearer somebody else. */
static void
a_display_name_is_no_principal(void **state)
{
	const struct people_lookup ana = {NULL, knows_all, wri_is_ana, knows_none};
	struct scene s;

	(void)state;
	scene(&s, OTH, ACTION_LIST_BUCKET);
	s.bucket.policy = POLICY("Allow", "{\"AWS\":\"ana\"}", "s3:*");
	s.r.asker.name = STR("ana");
	s.r.people = &ana;
	assert_int_equal(why(&s), REASON_NO_RULE);
	s.r.user_name = STR("ana"); /* not even this: what counts is whom the name means */
	assert_int_equal(why(&s), REASON_NO_RULE);
	scene(&s, WRI, ACTION_LIST_BUCKET);
	s.bucket.policy = POLICY("Allow", "{\"AWS\":\"ana\"}", "s3:*");
	s.r.people = &ana;
	assert_int_equal(why(&s), ALLOWED);
}

static int
set_up(void **state)
{
	(void)state;
	return err_is(crypto_init()) || err_is(policy_cache_new(&cache));
}

static int
tear_down(void **state)
{
	(void)state;
	policy_cache_free(cache);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(retention_is_weakened_only_by_who_may),
		cmocka_unit_test(locking_a_new_object_needs_leave),
		cmocka_unit_test(a_role_caps_what_ownership_gives),
		cmocka_unit_test(administrators_never_get_a_data_key),
		cmocka_unit_test(no_role_is_no_access_and_an_anonymous_bit_is_no_role),
		cmocka_unit_test(the_house_asks_for_a_role),
		cmocka_unit_test(without_rules_only_owners),
		cmocka_unit_test(acls_give_exactly_what_s3_says),
		cmocka_unit_test(nobody_gets_what_everybody_has_and_no_more),
		cmocka_unit_test(enforced_ownership_gives_all_to_the_bucket_owner),
		cmocka_unit_test(new_objects_belong_to_whom_ownership_says),
		cmocka_unit_test(an_explicit_deny_wins_over_everything),
		cmocka_unit_test(a_deny_is_never_an_allow),
		cmocka_unit_test(an_allow_works_under_the_role),
		cmocka_unit_test(a_policy_that_cannot_be_read_lets_only_the_owner_repair_it),
		cmocka_unit_test(a_restricted_bucket_gives_nothing_by_a_public_policy),
		cmocka_unit_test(tags_in_conditions_come_from_charter_and_want),
		cmocka_unit_test(only_who_may_list_is_told_that_a_key_is_missing),
		cmocka_unit_test(a_missing_bucket_is_not_found),
		cmocka_unit_test(charters_of_other_things_are_refused),
		cmocka_unit_test(a_want_changes_and_opens_only_what_its_action_names),
		cmocka_unit_test(a_policy_is_removed_by_the_action_that_removes),
		cmocka_unit_test(public_access_block_refuses_public_acls_and_policies),
		cmocka_unit_test(enforced_ownership_takes_no_acl_but_one),
		cmocka_unit_test(acls_are_resolved_to_known_people),
		cmocka_unit_test(a_display_name_is_no_principal),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
