#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>

#include "base/clock.h"
#include "crypto/crypto.h"
#include "warden/policy.h"

#define ANA_HEX "000102030405060708090a0b0c0d0e0f"
#define BEN_HEX "ff0102030405060708090a0b0c0d0eff"

static struct id
id_of(const char *hex)
{
	struct id r = {0};

	assert_false(err_is(id_parse(str_c(hex), &r)));
	return r;
}

static bool
knows_id(void *ctx, struct id id)
{
	(void)ctx;
	return id_eq(id, id_of(ANA_HEX)) || id_eq(id, id_of(BEN_HEX));
}

static bool
knows_name(void *ctx, struct str name, struct id *ret)
{
	(void)ctx;
	if (!str_eq(name, STR("ana")) && !str_eq(name, STR("ben")))
		return false;
	*ret = id_of(str_eq(name, STR("ana")) ? ANA_HEX : BEN_HEX);
	return true;
}

static bool
knows_email(void *ctx, struct str email, struct id *ret)
{
	(void)ctx;
	(void)email;
	(void)ret;
	return false;
}

static const struct people_lookup people = {NULL, knows_id, knows_name, knows_email};

/* ' for ", to keep the tables readable */
static struct str
quoted(const char *s, char *out, size_t max)
{
	size_t n = strlen(s);

	assert_true(n < max);
	for (size_t i = 0; i <= n; i++)
		out[i] = s[i] == '\'' ? '"' : s[i];
	return str_of(out, n);
}

static struct err
compile(const char *text, struct policy **ret)
{
	char out[4096];

	return policy_compile(quoted(text, out, sizeof(out)), STR("bkt"), &people, ret);
}

/* ---- the grammar ---- */

#define ST_(effect, principal, action, resource, rest) \
	"{'Effect':'" effect "'," principal "," action "," resource rest "}"
#define DOC(statements) "{'Version':'2012-10-17','Statement':" statements "}"
#define ALL "'Principal':'*'"
#define GET "'Action':'s3:GetObject'"
#define ANY "'Resource':'arn:aws:s3:::bkt/*'"
#define SIMPLE ST_("Allow", ALL, GET, ANY, "")
#define WITH(c) DOC(ST_("Allow", ALL, GET, ANY, ",'Condition':" c))

static void
well_formed_policies_compile(void **state)
{
	static const char *const good[] = {
		DOC(SIMPLE),
		DOC("[" SIMPLE "]"),
		DOC("[" SIMPLE "," SIMPLE "]"),
		"{'Statement':" SIMPLE "}",
		"{'Version':'2008-10-17','Id':'x y','Statement':[" SIMPLE "]}",
		DOC(ST_("Deny", "'NotPrincipal':{'AWS':'ana'}", "'NotAction':['s3:Get*','s3:putobject']", "'NotResource':['arn:aws:s3:::bkt']", "")),
		DOC(ST_("Allow", "'Principal':{'AWS':'*'}", "'Action':'*'", "'Resource':['arn:aws:s3:::bkt','arn:aws:s3:::bkt/*']", ",'Sid':'a'")),
		DOC(ST_("Allow", "'Principal':{'AWS':['arn:aws:iam::1234:user/ana',"
			"'arn:aws:iam:::user/" BEN_HEX "','arn:aws:iam::" ANA_HEX ":root','ben','" ANA_HEX "']}", GET, ANY, "")),
		DOC(ST_("Allow", "'Principal':{'CanonicalUser':'" ANA_HEX "'}", "'Action':'s3:RestoreObject'", ANY, "")),
		DOC(ST_("Allow", ALL, GET, "'Resource':'arn:aws:s3::1234:bkt/${aws:username}/*'", "")),
		DOC(ST_("Allow", ALL, GET, "'Resource':'arn:aws:s3:::bkt/${aws:username, 'nobody'}/${*}${?}${$}'", "")),
		DOC(ST_("Allow", ALL, GET, "'Resource':'arn:aws:s3:::b?t/*'", "")),
		WITH("{}"),
		WITH("{'StringEquals':{'s3:prefix':['a','b'],'AWS:USERNAME':'x'}}"),
		WITH("{'Bool':{'aws:SecureTransport':true},'NumericLessThan':{'s3:max-keys':10}}"),
		WITH("{'ForAllValues:StringLikeIfExists':{'s3:RequestObjectTagKeys':['a*']}}"),
		WITH("{'IpAddress':{'aws:SourceIp':['10.0.0.0/8','2001:db8::/32','192.0.2.1']}}"),
		WITH("{'DateGreaterThan':{'aws:CurrentTime':'2026-01-01T00:00:00Z','aws:EpochTime':0}}"),
		WITH("{'DateLessThan':{'aws:CurrentTime':'2026-01-01'}}"),
		WITH("{'Null':{'s3:ExistingObjectTag/a b/c':'false'}}"),
		WITH("{'BoolIfExists':{'aws:MultiFactorAuthPresent':'false'}}"),
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		char text[1024], *at;
		struct policy *p = NULL;
		size_t n = strlen(good[i]);

		assert_true(n < sizeof(text));
		memcpy(text, good[i], n + 1);
		/* the default of a variable has quotes of its own */
		at = strstr(text, ", 'nobody'}");
		quoted(text, text, sizeof(text));
		if (at)
			at[2] = at[9] = '\'';
		if (err_is(policy_compile(str_of(text, n), STR("bkt"), &people, &p)))
			fail_msg("refused: %s", text);
		policy_free(p);
	}
}

static void
malformed_policies_are_refused(void **state)
{
	static const char *const bad[] = {
		"", "[]", "'x'", "{", "null", "{}", "{'Statement':[]}", "{'Statement':'x'}", "{'Statement':[1]}", "{'Statement':[[]]}",
		"{'Version':'2020-01-01','Statement':" SIMPLE "}", "{'Version':20121017,'Statement':" SIMPLE "}",
		"{'Statement':" SIMPLE ",'Statement':" SIMPLE "}", "{'Statement':" SIMPLE ",'statement':1}",
		"{'Id':1,'Statement':" SIMPLE "}",
		DOC(ST_("allow", ALL, GET, ANY, "")), DOC(ST_("", ALL, GET, ANY, "")),
		DOC("{" ALL "," GET "," ANY "}"), DOC("{'Effect':'Deny'," GET "," ANY "}"), DOC("{'Effect':'Deny'," ALL "," ANY "}"),
		DOC("{'Effect':'Deny'," ALL "," GET "}"),
		DOC(ST_("Deny", ALL, GET, ANY, ",'NotAction':'s3:PutObject'")), DOC(ST_("Deny", ALL, GET, ANY, ",'NotResource':'arn:aws:s3:::bkt'")),
		DOC(ST_("Deny", ALL, GET, ANY, ",'NotPrincipal':'*'")), DOC(ST_("Deny", ALL, GET, ANY, ",'Conditon':{}")),
		DOC(ST_("Deny", ALL, GET, ANY, ",'Sid':1")),
		/* principals */
		DOC(ST_("Allow", "'Principal':'ana'", GET, ANY, "")), DOC(ST_("Allow", "'Principal':{}", GET, ANY, "")),
		DOC(ST_("Allow", "'Principal':{'AWS':[]}", GET, ANY, "")), DOC(ST_("Allow", "'Principal':['*']", GET, ANY, "")),
		DOC(ST_("Allow", "'Principal':{'AWS':'carl'}", GET, ANY, "")), DOC(ST_("Allow", "'Principal':{'AWS':'an*'}", GET, ANY, "")),
		DOC(ST_("Allow", "'Principal':{'AWS':'arn:aws:iam:::user/*'}", GET, ANY, "")),
		DOC(ST_("Allow", "'Principal':{'AWS':'arn:aws:iam:::user/carl'}", GET, ANY, "")),
		DOC(ST_("Allow", "'Principal':{'AWS':'arn:aws:iam:::role/ana'}", GET, ANY, "")),
		DOC(ST_("Allow", "'Principal':{'AWS':'arn:aws:iam::1234:root'}", GET, ANY, "")),
		DOC(ST_("Allow", "'Principal':{'AWS':'aa0102030405060708090a0b0c0d0e0f'}", GET, ANY, "")),
		DOC(ST_("Allow", "'Principal':{'Service':'s3.amazonaws.com'}", GET, ANY, "")),
		DOC(ST_("Allow", "'Principal':{'AWS':'*','Federated':'x'}", GET, ANY, "")),
		DOC(ST_("Allow", "'Principal':{'CanonicalUser':'*'}", GET, ANY, "")),
		/* actions */
		DOC(ST_("Deny", ALL, "'Action':'s3:GetObjct'", ANY, "")), DOC(ST_("Allow", ALL, "'Action':'cloister:*'", ANY, "")),
		DOC(ST_("Allow", ALL, "'Action':'cloister:AuditRead'", ANY, "")), DOC(ST_("Allow", ALL, "'Action':'iam:*'", ANY, "")),
		DOC(ST_("Allow", ALL, "'Action':[]", ANY, "")), DOC(ST_("Allow", ALL, "'Action':['s3:GetObject',1]", ANY, "")),
		/* resources: of this bucket only */
		DOC(ST_("Allow", ALL, GET, "'Resource':'*'", "")), DOC(ST_("Allow", ALL, GET, "'Resource':'bkt/*'", "")),
		DOC(ST_("Allow", ALL, GET, "'Resource':'arn:aws:s3:::other/*'", "")), DOC(ST_("Allow", ALL, GET, "'Resource':'arn:aws:s3:::bkt2/*'", "")),
		DOC(ST_("Allow", ALL, GET, "'Resource':['arn:aws:s3:::bkt/*','arn:aws:s3:::bk']", "")),
		DOC(ST_("Allow", ALL, GET, "'Resource':'arn:aws:s3:::${aws:username}/*'", "")),
		DOC(ST_("Allow", ALL, GET, "'Resource':'arn:aws:sqs:::bkt/*'", "")), DOC(ST_("Allow", ALL, GET, "'Resource':'arn:aws:s3:::'", "")),
		DOC(ST_("Allow", ALL, GET, "'Resource':'arn:aws:s3:::bkt/${aws:nonsense}'", "")),
		DOC(ST_("Allow", ALL, GET, "'Resource':'arn:aws:s3:::bkt/${aws:username'", "")),
		DOC(ST_("Allow", ALL, GET, "'Resource':'arn:aws:s3:::bkt/${s3:RequestObjectTagKeys}'", "")),
		/* conditions */
		WITH("[]"), WITH("{'StringEqual':{'s3:prefix':'a'}}"), WITH("{'stringequals':{'s3:prefix':'a'}}"),
		WITH("{'StringEquals':'a'}"), WITH("{'StringEquals':{}}"), WITH("{'StringEquals':{'s3:prefix':[]}}"),
		WITH("{'StringEquals':{'s3:prefix':{}}}"), WITH("{'StringEquals':{'s3:prefx':'a'}}"),
		WITH("{'StringEquals':{'s3:ExistingObjectTag/':'a'}}"), WITH("{'NullIfExists':{'s3:prefix':'true'}}"),
		WITH("{'ForAnyValue:Null':{'s3:prefix':'true'}}"), WITH("{'Null':{'s3:prefix':'maybe'}}"),
		WITH("{'NumericEquals':{'s3:max-keys':'ten'}}"), WITH("{'NumericEquals':{'s3:max-keys':'0x10'}}"),
		WITH("{'NumericEquals':{'s3:max-keys':'inf'}}"), WITH("{'Bool':{'aws:SecureTransport':'yes'}}"),
		WITH("{'DateLessThan':{'aws:CurrentTime':'tomorrow'}}"), WITH("{'IpAddress':{'aws:SourceIp':'10.0.0.0/33'}}"),
		WITH("{'IpAddress':{'aws:SourceIp':'*'}}"), WITH("{'IpAddress':{'aws:SourceIp':'10.0.0'}}"),
		WITH("{'ForSomeValues:StringEquals':{'s3:prefix':'a'}}"), WITH("{'StringEquals':{'s3:prefix':1.5}}"),
		"{'Statement':[[[[[[[[[[]]]]]]]]]]}",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct policy *p = NULL;

		if (compile(bad[i], &p).code != ERR_INVALID)
			fail_msg("taken: %s", bad[i]);
		assert_null(p);
	}
}

static void
size_and_depth_have_limits(void **state)
{
	size_t n = LIMIT_POLICY_BYTES + 1;
	char *text = malloc(n);
	struct policy *p = NULL;

	(void)state;
	assert_non_null(text);
	memset(text, '[', n);
	assert_int_equal(policy_compile(str_of(text, n), STR("bkt"), NULL, &p).code, ERR_LIMIT);
	assert_int_equal(policy_compile(str_of(text, n - 1), STR("bkt"), NULL, &p).code, ERR_INVALID);
	free(text);
}

/* ---- evaluation ---- */

struct ask {
	const char *name; /* "ana", "ben"; NULL: anonymous */
	enum action action;
	const char *key;
	const char *conditions[8]; /* name, value, … */
};

static enum policy_effect
evaluate(const struct policy *p, const struct ask *a, const struct charter *object, const struct proof *proof, int64_t now_us)
{
	struct asker asker = {.anonymous = !a->name};
	struct condition conditions[4];
	struct policy_request r = {.asker = &asker, .action = a->action, .bucket_name = STR("bkt"), .key = str_c(a->key),
		.bucket_owner = id_of(BEN_HEX), .object = object, .proof = proof, .conditions = conditions, .now_us = now_us};

	if (a->name) {
		asker.name = STR("ben"); /* anybody may call himself anything */
		r.user_name = str_c(a->name);
		asker.id = id_of(str_eq(r.user_name, STR("ana")) ? ANA_HEX : BEN_HEX);
	}
	for (; r.n_conditions < 4 && a->conditions[2 * r.n_conditions]; r.n_conditions++)
		conditions[r.n_conditions] = (struct condition){str_c(a->conditions[2 * r.n_conditions]),
			str_c(a->conditions[2 * r.n_conditions + 1])};
	return policy_evaluate(p, &r);
}

struct effect_case { const char *policy; struct ask ask; enum policy_effect effect; };

static void
run(const struct effect_case *cases, size_t n)
{
	static const struct proof proof = {.kind = PROOF_SIGV4, .address = {"192.0.2.7", 9}, .date = {"20260601T000000Z", 16}};
	static const struct charter object = {.n_tags = 1, .tags = {{{"level", 5}, {"open", 4}}}};

	for (size_t i = 0; i < n; i++) {
		struct policy *p = NULL;
		enum policy_effect effect;

		if (err_is(compile(cases[i].policy, &p)))
			fail_msg("%zu: refused: %s", i, cases[i].policy);
		effect = evaluate(p, &cases[i].ask, &object, &proof, 1780272060 * US_PER_S); /* 2026-06-01T00:01:00Z */
		if (effect != cases[i].effect)
			fail_msg("%zu: %d, not %d: %s", i, effect, cases[i].effect, cases[i].policy);
		policy_free(p);
	}
}

#define AGET ACTION_GET_OBJECT
#define ARN_(r) "'Resource':'arn:aws:s3:::bkt" r "'"
#define FOR(who) "'Principal':{'AWS':'" who "'}"

static void
principals_actions_and_resources(void **state)
{
	static const struct effect_case cases[] = {
		{DOC(SIMPLE), {NULL, AGET, "k", {0}}, POLICY_ALLOW},
		{DOC(SIMPLE), {"ana", AGET, "a/b/c", {0}}, POLICY_ALLOW},
		/* GetObject is not GetObjectVersion, and the other way round */
		{DOC(SIMPLE), {"ana", ACTION_GET_OBJECT_VERSION, "k", {0}}, POLICY_SILENT},
		{DOC(ST_("Allow", ALL, "'Action':'s3:GetObjectVersion'", ANY, "")), {"ana", AGET, "k", {0}}, POLICY_SILENT},
		{DOC(ST_("Allow", ALL, "'Action':'S3:getobject*'", ANY, "")), {"ana", ACTION_GET_OBJECT_VERSION, "k", {0}}, POLICY_ALLOW},
		{DOC(ST_("Allow", ALL, "'Action':'s3:Get?bject'", ANY, "")), {"ana", AGET, "k", {0}}, POLICY_ALLOW},
		/* a deny is never an allow, for whatever it does not deny */
		{DOC(ST_("Deny", ALL, GET, ANY, "")), {"ana", AGET, "k", {0}}, POLICY_DENY},
		{DOC(ST_("Deny", ALL, GET, ANY, "")), {"ana", ACTION_PUT_OBJECT, "k", {0}}, POLICY_SILENT},
		{DOC(ST_("Deny", FOR("ana"), "'Action':'*'", ANY, "")), {"ben", AGET, "k", {0}}, POLICY_SILENT},
		{DOC(ST_("Deny", ALL, "'NotAction':'s3:GetObject'", ANY, "")), {"ana", AGET, "k", {0}}, POLICY_SILENT},
		{DOC(ST_("Deny", ALL, "'NotAction':'s3:GetObject'", ANY, "")), {"ana", ACTION_PUT_OBJECT, "k", {0}}, POLICY_DENY},
		/* deny wins in either order */
		{DOC("[" SIMPLE "," ST_("Deny", FOR("ana"), GET, ANY, "") "]"), {"ana", AGET, "k", {0}}, POLICY_DENY},
		{DOC("[" ST_("Deny", FOR("ana"), GET, ANY, "") "," SIMPLE "]"), {"ana", AGET, "k", {0}}, POLICY_DENY},
		{DOC("[" ST_("Deny", FOR("ana"), GET, ANY, "") "," SIMPLE "]"), {"ben", AGET, "k", {0}}, POLICY_ALLOW},
		/* everything of S3, nothing of the house */
		{DOC(ST_("Allow", ALL, "'Action':'*'", ARN_("*"), "")), {"ana", ACTION_AUDIT_READ, "", {0}}, POLICY_SILENT},
		{DOC(ST_("Allow", ALL, "'NotAction':'s3:GetObject'", ARN_("*"), "")), {"ana", ACTION_STATUS_READ, "", {0}}, POLICY_SILENT},
		/* principals */
		{DOC(ST_("Allow", FOR("arn:aws:iam::7:user/ana"), GET, ANY, "")), {"ana", AGET, "k", {0}}, POLICY_ALLOW},
		{DOC(ST_("Allow", FOR("arn:aws:iam::7:user/ana"), GET, ANY, "")), {"ben", AGET, "k", {0}}, POLICY_SILENT},
		{DOC(ST_("Allow", FOR("arn:aws:iam::7:user/ana"), GET, ANY, "")), {NULL, AGET, "k", {0}}, POLICY_SILENT},
		{DOC(ST_("Allow", FOR("arn:aws:iam::" BEN_HEX ":root"), GET, ANY, "")), {"ben", AGET, "k", {0}}, POLICY_ALLOW},
		{DOC(ST_("Allow", "'NotPrincipal':{'AWS':'ana'}", GET, ANY, "")), {"ana", AGET, "k", {0}}, POLICY_SILENT},
		{DOC(ST_("Deny", "'NotPrincipal':{'AWS':'ana'}", GET, ANY, "")), {"ana", AGET, "k", {0}}, POLICY_SILENT},
		{DOC(ST_("Deny", "'NotPrincipal':{'AWS':'ana'}", GET, ANY, "")), {"ben", AGET, "k", {0}}, POLICY_DENY},
		{DOC(ST_("Deny", "'NotPrincipal':{'AWS':'ana'}", GET, ANY, "")), {NULL, AGET, "k", {0}}, POLICY_DENY},
		/* resources */
		{DOC(ST_("Allow", ALL, "'Action':'s3:*'", ARN_("/*"), "")), {"ana", ACTION_LIST_BUCKET, "", {0}}, POLICY_SILENT},
		{DOC(ST_("Allow", ALL, "'Action':'s3:*'", ARN_(""), "")), {"ana", ACTION_LIST_BUCKET, "", {0}}, POLICY_ALLOW},
		{DOC(ST_("Allow", ALL, "'Action':'s3:*'", ARN_(""), "")), {"ana", AGET, "k", {0}}, POLICY_SILENT},
		{DOC(ST_("Allow", ALL, GET, ARN_("/a?c*/x"), "")), {"ana", AGET, "abc/d/e/x", {0}}, POLICY_ALLOW},
		{DOC(ST_("Allow", ALL, GET, ARN_("/a?c*/x"), "")), {"ana", AGET, "a\xE2\x82\xAC" "c/x", {0}}, POLICY_ALLOW},
		{DOC(ST_("Allow", ALL, GET, ARN_("/a?c*/x"), "")), {"ana", AGET, "ac/x", {0}}, POLICY_SILENT},
		{DOC(ST_("Allow", ALL, GET, ARN_("/A"), "")), {"ana", AGET, "a", {0}}, POLICY_SILENT},
		{DOC(ST_("Allow", ALL, GET, "'NotResource':'arn:aws:s3:::bkt/secret/*'", "")), {"ana", AGET, "secret/k", {0}}, POLICY_SILENT},
		{DOC(ST_("Allow", ALL, GET, "'NotResource':'arn:aws:s3:::bkt/secret/*'", "")), {"ana", AGET, "k", {0}}, POLICY_ALLOW},
		/* no way round a deny with a crafted path */
		{DOC("[" SIMPLE "," ST_("Deny", ALL, GET, ARN_("/secret/*"), "") "]"), {"ana", AGET, "x/../secret/k", {0}}, POLICY_ALLOW},
		{DOC("[" SIMPLE "," ST_("Deny", ALL, GET, ARN_("/secret/*"), "") "]"), {"ana", AGET, "secret/../k", {0}}, POLICY_DENY},
		/* variables */
		{DOC(ST_("Allow", ALL, GET, ARN_("/${aws:username}/*"), "")), {"ana", AGET, "ana/k", {0}}, POLICY_ALLOW},
		{DOC(ST_("Allow", ALL, GET, ARN_("/${aws:username}/*"), "")), {"ana", AGET, "ben/k", {0}}, POLICY_SILENT},
		{DOC(ST_("Allow", ALL, GET, ARN_("/${aws:userid}/*"), "")), {"ana", AGET, ANA_HEX "/k", {0}}, POLICY_ALLOW},
		{DOC(ST_("Allow", ALL, GET, ARN_("/${aws:username}/*"), "")), {NULL, AGET, "/k", {0}}, POLICY_SILENT},
		{DOC(ST_("Allow", ALL, GET, "'NotResource':'arn:aws:s3:::bkt/${aws:username}/*'", "")), {NULL, AGET, "k", {0}}, POLICY_SILENT},
		{DOC(ST_("Deny", ALL, GET, "'NotResource':'arn:aws:s3:::bkt/${aws:username}/*'", "")), {NULL, AGET, "k", {0}}, POLICY_DENY},
		{"{'Statement':" ST_("Allow", ALL, GET, ARN_("/${aws:username}/*"), "") "}", {"ana", AGET, "ana/k", {0}}, POLICY_SILENT},
		{"{'Statement':" ST_("Allow", ALL, GET, ARN_("/${aws:username}/*"), "") "}", {"ana", AGET, "${aws:username}/k", {0}}, POLICY_ALLOW},
		{DOC(ST_("Allow", ALL, GET, ARN_("/${*}"), "")), {"ana", AGET, "k", {0}}, POLICY_SILENT},
		{DOC(ST_("Allow", ALL, GET, ARN_("/${*}"), "")), {"ana", AGET, "*", {0}}, POLICY_ALLOW},
		/* a wildcard that comes out of a variable is a character */
		{DOC(ST_("Allow", ALL, GET, ARN_("/${aws:Referer}"), "")), {"ana", AGET, "k", {"aws:Referer", "*"}}, POLICY_SILENT},
	};

	(void)state;
	run(cases, ARRAY_LEN(cases));
}

static void
conditions_by_operator(void **state)
{
	static const struct effect_case cases[] = {
		{WITH("{'StringEquals':{'s3:prefix':['a','b']}}"), {"ana", AGET, "k", {"s3:prefix", "b"}}, POLICY_ALLOW},
		{WITH("{'StringEquals':{'s3:prefix':['a','b']}}"), {"ana", AGET, "k", {"s3:prefix", "B"}}, POLICY_SILENT},
		{WITH("{'StringEquals':{'s3:prefix':'a'}}"), {"ana", AGET, "k", {0}}, POLICY_SILENT},
		{WITH("{'StringEquals':{'s3:prefix':'*'}}"), {"ana", AGET, "k", {"s3:prefix", "x"}}, POLICY_SILENT},
		{WITH("{'StringEqualsIgnoreCase':{'S3:Prefix':'ABC'}}"), {"ana", AGET, "k", {"s3:prefix", "abC"}}, POLICY_ALLOW},
		{WITH("{'StringNotEquals':{'s3:prefix':['a','b']}}"), {"ana", AGET, "k", {"s3:prefix", "b"}}, POLICY_SILENT},
		{WITH("{'StringNotEquals':{'s3:prefix':['a','b']}}"), {"ana", AGET, "k", {"s3:prefix", "c"}}, POLICY_ALLOW},
		{WITH("{'StringNotEquals':{'s3:prefix':'a'}}"), {"ana", AGET, "k", {0}}, POLICY_ALLOW},
		{WITH("{'StringNotEqualsIgnoreCase':{'s3:prefix':'a'}}"), {"ana", AGET, "k", {"s3:prefix", "A"}}, POLICY_SILENT},
		{WITH("{'StringLike':{'s3:prefix':'ho*/${aws:username}'}}"), {"ana", AGET, "k", {"s3:prefix", "home/ana"}}, POLICY_ALLOW},
		{WITH("{'StringLike':{'s3:prefix':'ho*/${aws:username}'}}"), {"ben", AGET, "k", {"s3:prefix", "home/ana"}}, POLICY_SILENT},
		{WITH("{'StringNotLike':{'aws:Referer':'https://good/*'}}"), {"ana", AGET, "k", {"aws:Referer", "https://good/x"}}, POLICY_SILENT},
		{WITH("{'StringLikeIfExists':{'aws:Referer':'https://good/*'}}"), {"ana", AGET, "k", {0}}, POLICY_ALLOW},
		{WITH("{'StringLikeIfExists':{'aws:Referer':'https://good/*'}}"), {"ana", AGET, "k", {"aws:Referer", "https://bad/"}}, POLICY_SILENT},
		{WITH("{'NumericLessThanEquals':{'s3:max-keys':'10'}}"), {"ana", AGET, "k", {"s3:max-keys", "10"}}, POLICY_ALLOW},
		{WITH("{'NumericLessThan':{'s3:max-keys':'10'}}"), {"ana", AGET, "k", {"s3:max-keys", "10"}}, POLICY_SILENT},
		{WITH("{'NumericGreaterThan':{'s3:max-keys':9}}"), {"ana", AGET, "k", {"s3:max-keys", "10"}}, POLICY_ALLOW},
		{WITH("{'NumericNotEquals':{'s3:max-keys':10}}"), {"ana", AGET, "k", {"s3:max-keys", "10.0"}}, POLICY_SILENT},
		{WITH("{'NumericLessThan':{'s3:max-keys':10}}"), {"ana", AGET, "k", {"s3:max-keys", "-inf"}}, POLICY_SILENT},
		{WITH("{'DateGreaterThan':{'aws:CurrentTime':'2026-06-01T00:00:59Z'}}"), {"ana", AGET, "k", {0}}, POLICY_ALLOW},
		{WITH("{'DateLessThan':{'aws:CurrentTime':'2026-06-01T00:01:00Z'}}"), {"ana", AGET, "k", {0}}, POLICY_SILENT},
		{WITH("{'DateLessThanEquals':{'aws:CurrentTime':'2026-06-01T02:01:00+02:00'}}"), {"ana", AGET, "k", {0}}, POLICY_ALLOW},
		{WITH("{'NumericEquals':{'aws:EpochTime':1780272060}}"), {"ana", AGET, "k", {0}}, POLICY_ALLOW},
		{WITH("{'Bool':{'aws:SecureTransport':'true'}}"), {"ana", AGET, "k", {"aws:SecureTransport", "true"}}, POLICY_ALLOW},
		{WITH("{'Bool':{'aws:SecureTransport':'false'}}"), {"ana", AGET, "k", {"aws:SecureTransport", "true"}}, POLICY_SILENT},
		{WITH("{'IpAddress':{'aws:SourceIp':['10.0.0.0/8','192.0.2.0/29']}}"), {"ana", AGET, "k", {0}}, POLICY_ALLOW},
		{WITH("{'IpAddress':{'aws:SourceIp':'192.0.2.0/30'}}"), {"ana", AGET, "k", {0}}, POLICY_SILENT},
		{WITH("{'IpAddress':{'aws:SourceIp':'::ffff:192.0.2.7/128'}}"), {"ana", AGET, "k", {0}}, POLICY_ALLOW},
		{WITH("{'NotIpAddress':{'aws:SourceIp':'192.0.2.7'}}"), {"ana", AGET, "k", {0}}, POLICY_SILENT},
		{WITH("{'NotIpAddress':{'aws:SourceIp':'192.0.2.8'}}"), {"ana", AGET, "k", {0}}, POLICY_ALLOW},
		{WITH("{'ArnLike':{'aws:PrincipalArn':'arn:aws:iam::*:user/a*'}}"), {"ana", AGET, "k", {0}}, POLICY_ALLOW},
		{WITH("{'ArnLike':{'aws:PrincipalArn':'arn:*:user/ana'}}"), {"ana", AGET, "k", {0}}, POLICY_SILENT},
		{WITH("{'ArnNotEquals':{'aws:PrincipalArn':'arn:aws:iam::*:user/a*'}}"), {"ana", AGET, "k", {0}}, POLICY_SILENT},
		{WITH("{'Null':{'s3:prefix':'true'}}"), {"ana", AGET, "k", {0}}, POLICY_ALLOW},
		{WITH("{'Null':{'s3:prefix':false}}"), {"ana", AGET, "k", {0}}, POLICY_SILENT},
		/* all clauses must hold */
		{WITH("{'StringEquals':{'s3:prefix':'a','s3:delimiter':'/'}}"), {"ana", AGET, "k", {"s3:prefix", "a"}}, POLICY_SILENT},
		{WITH("{'StringEquals':{'s3:prefix':'a'},'Bool':{'aws:SecureTransport':'true'}}"),
		    {"ana", AGET, "k", {"s3:prefix", "a", "aws:SecureTransport", "false"}}, POLICY_SILENT},
		/* sets */
		{WITH("{'ForAllValues:StringEquals':{'s3:RequestObjectTagKeys':['a','b']}}"),
		    {"ana", AGET, "k", {"s3:RequestObjectTagKeys", "a", "s3:RequestObjectTagKeys", "b"}}, POLICY_ALLOW},
		{WITH("{'ForAllValues:StringEquals':{'s3:RequestObjectTagKeys':['a','b']}}"),
		    {"ana", AGET, "k", {"s3:RequestObjectTagKeys", "a", "s3:RequestObjectTagKeys", "c"}}, POLICY_SILENT},
		{WITH("{'ForAllValues:StringEquals':{'s3:RequestObjectTagKeys':['a','b']}}"), {"ana", AGET, "k", {0}}, POLICY_ALLOW},
		{WITH("{'ForAnyValue:StringEquals':{'s3:RequestObjectTagKeys':'a'}}"),
		    {"ana", AGET, "k", {"s3:RequestObjectTagKeys", "a", "s3:RequestObjectTagKeys", "c"}}, POLICY_ALLOW},
		{WITH("{'ForAnyValue:StringEquals':{'s3:RequestObjectTagKeys':'a'}}"), {"ana", AGET, "k", {0}}, POLICY_SILENT},
		{WITH("{'ForAnyValue:StringNotEquals':{'s3:RequestObjectTagKeys':'a'}}"),
		    {"ana", AGET, "k", {"s3:RequestObjectTagKeys", "a"}}, POLICY_SILENT},
		{WITH("{'ForAnyValue:StringNotEquals':{'s3:RequestObjectTagKeys':'a'}}"), {"ana", AGET, "k", {0}}, POLICY_SILENT},
		{WITH("{'ForAllValues:StringNotLike':{'s3:RequestObjectTagKeys':'phi*'}}"),
		    {"ana", AGET, "k", {"s3:RequestObjectTagKeys", "x", "s3:RequestObjectTagKeys", "phi-1"}}, POLICY_SILENT},
		/* tags */
		{WITH("{'StringEquals':{'s3:ExistingObjectTag/level':'open'}}"), {"ana", AGET, "k", {0}}, POLICY_ALLOW},
		{WITH("{'StringEquals':{'s3:ExistingObjectTag/Level':'open'}}"), {"ana", AGET, "k", {0}}, POLICY_SILENT},
		{WITH("{'StringEquals':{'s3:RequestObjectTag/a':'1'}}"), {"ana", AGET, "k", {"s3:RequestObjectTag/a", "1"}}, POLICY_ALLOW},
		/* who asks */
		{WITH("{'StringEquals':{'aws:username':'ana'}}"), {"ana", AGET, "k", {0}}, POLICY_ALLOW},
		{WITH("{'StringEquals':{'aws:PrincipalType':'Anonymous'}}"), {NULL, AGET, "k", {0}}, POLICY_ALLOW},
		{WITH("{'StringEquals':{'aws:userid':'" ANA_HEX "'}}"), {"ana", AGET, "k", {0}}, POLICY_ALLOW},
		{WITH("{'StringEquals':{'s3:ResourceAccount':'" BEN_HEX "'}}"), {"ana", AGET, "k", {0}}, POLICY_ALLOW},
		{WITH("{'StringEquals':{'s3:authType':'REST-HEADER'}}"), {"ana", AGET, "k", {0}}, POLICY_ALLOW},
		{WITH("{'NumericLessThan':{'s3:signatureAge':'60001'}}"), {"ana", AGET, "k", {0}}, POLICY_ALLOW},
		{WITH("{'NumericLessThan':{'s3:signatureAge':'60000'}}"), {"ana", AGET, "k", {0}}, POLICY_SILENT},
		/* a second factor that nobody has: AWS's usual Deny holds for everybody */
		{DOC(ST_("Deny", ALL, GET, ANY, ",'Condition':{'BoolIfExists':{'aws:MultiFactorAuthPresent':'false'}}")),
		    {"ana", AGET, "k", {0}}, POLICY_DENY},
	};

	(void)state;
	run(cases, ARRAY_LEN(cases));
}

/* What warden knows by itself cannot be said by a request, in whatever spelling. */
static void
reserved_keys_are_never_taken_from_the_request(void **state)
{
	static const struct effect_case cases[] = {
		{WITH("{'IpAddress':{'aws:SourceIp':'10.0.0.1'}}"), {"ana", AGET, "k", {"aws:SourceIp", "10.0.0.1"}}, POLICY_SILENT},
		{WITH("{'IpAddress':{'aws:SourceIp':'10.0.0.1'}}"), {"ana", AGET, "k", {"AWS:sourceip", "10.0.0.1"}}, POLICY_SILENT},
		{WITH("{'StringEquals':{'aws:username':'ben'}}"), {"ana", AGET, "k", {"aws:username", "ben"}}, POLICY_SILENT},
		{WITH("{'StringEquals':{'aws:username':'ben'}}"), {NULL, AGET, "k", {"aws:username", "ben"}}, POLICY_SILENT},
		{WITH("{'StringEquals':{'aws:userid':'" BEN_HEX "'}}"), {"ana", AGET, "k", {"aws:userid", BEN_HEX}}, POLICY_SILENT},
		{WITH("{'StringEquals':{'aws:PrincipalType':'User'}}"), {NULL, AGET, "k", {"aws:PrincipalType", "User"}}, POLICY_SILENT},
		{WITH("{'ArnLike':{'aws:PrincipalArn':'arn:aws:iam::*:user/ben'}}"),
			{"ana", AGET, "k", {"aws:PrincipalArn", "arn:aws:iam::1:user/ben"}}, POLICY_SILENT},
		{WITH("{'DateLessThan':{'aws:CurrentTime':'2020-01-01T00:00:00Z'}}"),
			{"ana", AGET, "k", {"aws:CurrentTime", "2019-01-01T00:00:00Z"}}, POLICY_SILENT},
		{WITH("{'NumericLessThan':{'aws:EpochTime':'5'}}"), {"ana", AGET, "k", {"aws:EpochTime", "1"}}, POLICY_SILENT},
		{WITH("{'StringEquals':{'s3:ExistingObjectTag/level':'secret'}}"),
			{"ana", AGET, "k", {"s3:ExistingObjectTag/level", "secret"}}, POLICY_SILENT},
		{WITH("{'StringEquals':{'s3:ExistingObjectTag/x':'1'}}"), {"ana", AGET, "k", {"s3:ExistingObjectTag/x", "1"}}, POLICY_SILENT},
		{WITH("{'StringEquals':{'s3:ResourceAccount':'" ANA_HEX "'}}"), {"ana", AGET, "k", {"s3:ResourceAccount", ANA_HEX}}, POLICY_SILENT},
		{WITH("{'StringEquals':{'s3:authType':'POST'}}"), {"ana", AGET, "k", {"s3:authType", "POST"}}, POLICY_SILENT},
		{WITH("{'NumericLessThan':{'s3:signatureAge':'5'}}"), {"ana", AGET, "k", {"s3:signatureAge", "1"}}, POLICY_SILENT},
		{WITH("{'StringEquals':{'s3:VersionId':'" ANA_HEX "'}}"), {"ana", AGET, "k", {"s3:VersionId", ANA_HEX}}, POLICY_SILENT},
		{WITH("{'StringEquals':{'s3:VersionId':'null'}}"), {"ana", AGET, "k", {"s3:VersionId", "null"}}, POLICY_ALLOW},
		{WITH("{'StringEquals':{'aws:SourceVpce':'vpce-1'}}"), {"ana", AGET, "k", {"aws:SourceVpce", "vpce-1"}}, POLICY_SILENT},
		{WITH("{'Bool':{'aws:MultiFactorAuthPresent':'true'}}"), {"ana", AGET, "k", {"aws:MultiFactorAuthPresent", "true"}}, POLICY_SILENT},
	};

	(void)state;
	run(cases, ARRAY_LEN(cases));
}

/* ${n} patterns, each of which costs a quarter of a million steps on a key of a thousand letters */
static enum policy_effect
evaluate_expensive(unsigned n_patterns)
{
	struct ask ask = {"ana", AGET, NULL, {0}};
	AUTO_BUF text = BUF(LIMIT_POLICY_BYTES);
	char key[LIMIT_OBJECT_KEY_BYTES + 1], many[501];
	struct policy *p = NULL;
	enum policy_effect effect;

	memset(key, 'a', sizeof(key) - 1);
	key[sizeof(key) - 1] = 0;
	memset(many, 'a', sizeof(many) - 1);
	many[sizeof(many) - 1] = 0;
	ask.key = key;
	buf_put_c(&text, "{\"Statement\":{\"Effect\":\"Allow\",\"Principal\":\"*\",\"Action\":\"s3:*\",\"Resource\":[");
	for (unsigned i = 0; i < n_patterns; i++) {
		buf_put_c(&text, i ? "," : "");
		buf_put_c(&text, "\"arn:aws:s3:::bkt/*");
		buf_put_c(&text, many);
		buf_put_c(&text, "b\"");
	}
	buf_put_c(&text, "]}}");
	assert_false(err_is(policy_compile(buf_str(&text), STR("bkt"), NULL, &p)));
	effect = evaluate(p, &ask, NULL, NULL, 0);
	policy_free(p);
	return effect;
}

static void
a_policy_past_its_budget_of_steps_denies(void **state)
{
	(void)state;
	assert_int_equal(evaluate_expensive(1), POLICY_SILENT);
	assert_int_equal(evaluate_expensive(2), POLICY_DENY);
	assert_int_equal(evaluate_expensive(30), POLICY_DENY);
}

static void
public_is_what_s3_calls_public(void **state)
{
	static const struct { const char *policy; bool is_public; } cases[] = {
		{DOC(SIMPLE), true},
		{DOC(ST_("Allow", FOR("*"), GET, ANY, "")), true},
		{DOC(ST_("Allow", FOR("ana"), GET, ANY, "")), false},
		{DOC(ST_("Deny", ALL, GET, ANY, "")), false},
		{DOC("[" ST_("Deny", ALL, GET, ANY, "") "," ST_("Allow", FOR("ana"), GET, ANY, "") "]"), false},
		{DOC("[" ST_("Allow", FOR("ana"), GET, ANY, "") "," SIMPLE "]"), true},
		{DOC(ST_("Allow", "'NotPrincipal':{'AWS':'ana'}", GET, ANY, "")), true},
		{WITH("{'IpAddress':{'aws:SourceIp':'10.0.0.0/32'}}"), false},
		{WITH("{'IpAddress':{'aws:SourceIp':'203.0.112.0/8'}}"), false},
		{WITH("{'IpAddress':{'aws:SourceIp':'0.0.0.0/1'}}"), true},
		{WITH("{'IpAddress':{'aws:SourceIp':['10.0.0.0/32','0.0.0.0/0']}}"), true},
		{WITH("{'IpAddress':{'aws:SourceIp':'2001:db8::/32'}}"), false},
		{WITH("{'IpAddress':{'aws:SourceIp':'2000::/3'}}"), true},
		{WITH("{'NotIpAddress':{'aws:SourceIp':'10.0.0.0/32'}}"), true},
		{WITH("{'IpAddressIfExists':{'aws:SourceIp':'10.0.0.0/32'}}"), true},
		{WITH("{'StringEquals':{'aws:SourceVpc':'vpc-91237329'}}"), false},
		{WITH("{'StringLike':{'aws:SourceVpc':'vpc-*'}}"), true},
		{WITH("{'StringEquals':{'aws:userid':'${aws:userid}'}}"), true},
		{WITH("{'StringEquals':{'aws:Referer':'https://us/'}}"), true},
		{WITH("{'ForAllValues:StringEquals':{'aws:userid':'" ANA_HEX "'}}"), true},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct policy *p = NULL;

		assert_false(err_is(compile(cases[i].policy, &p)));
		if (policy_is_public(p) != cases[i].is_public)
			fail_msg("%s", cases[i].policy);
		policy_free(p);
	}
}

static void
the_cache_gives_the_right_policy_whatever_goes_through_it(void **state)
{
	struct policy_cache *c = NULL;
	const struct policy *p = NULL;

	(void)state;
	assert_false(err_is(policy_cache_new(&c)));
	for (unsigned round = 0; round < 2; round++) {
		for (unsigned i = 0; i < 600; i++) {
			struct ask ask = {"ana", AGET, "k", {0}};
			char doc[256], text[256];

			snprintf(doc, sizeof(doc), "{'Statement':{'Effect':'%s','Principal':'*','Action':'s3:*','Resource':'arn:aws:s3:::bkt/*','Sid':'%u'}}",
			    i % 3 ? "Allow" : "Deny", i);
			assert_false(err_is(policy_cache_get(c, quoted(doc, text, sizeof(text)), &p)));
			assert_int_equal(evaluate(p, &ask, NULL, NULL, 0), i % 3 ? POLICY_ALLOW : POLICY_DENY);
			p = NULL;
			assert_int_equal(policy_cache_get(c, STR("{}"), &p).code, ERR_INVALID);
			assert_null(p);
		}
	}
	policy_cache_free(c);
}

static int
set_up(void **state)
{
	(void)state;
	return err_is(crypto_init());
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(well_formed_policies_compile),
		cmocka_unit_test(malformed_policies_are_refused),
		cmocka_unit_test(size_and_depth_have_limits),
		cmocka_unit_test(principals_actions_and_resources),
		cmocka_unit_test(conditions_by_operator),
		cmocka_unit_test(reserved_keys_are_never_taken_from_the_request),
		cmocka_unit_test(a_policy_past_its_budget_of_steps_denies),
		cmocka_unit_test(public_is_what_s3_calls_public),
		cmocka_unit_test(the_cache_gives_the_right_policy_whatever_goes_through_it),
	};

	return cmocka_run_group_tests(tests, set_up, NULL);
}
