/*
 * Any bytes as a bucket policy. What compiles also evaluates, for somebody and for nobody, without an allow from a document that
 * has none; evaluation is a function (twice the same).
 * First byte: action. The rest: the document.
 */
#include "crypto/crypto.h"
#include "warden/policy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum policy_effect
evaluate(const struct policy *p, enum action a, const struct asker *who, struct str document)
{
	static const struct proof proof = {.kind = PROOF_SIGV4, .address = {"192.0.2.1", 9}, .date = {"20260601T000000Z", 16}};
	static const struct charter object = {.n_tags = 1, .tags = {{{"a", 1}, {"*", 1}}}};
	/* values that the document itself chose */
	struct condition cond[3] = {{{"s3:prefix", 9}, str_sub(document, 20, 30)}, {{"aws:Referer", 11}, str_sub(document, 50, 700)},
		{{"s3:RequestObjectTagKeys", 23}, str_sub(document, 5, 9)}};
	struct policy_request r = {.asker = who, .user_name = who->name, .action = a, .bucket_name = {"bkt", 3},
		.key = str_sub(document, 100, 200), .object = &object, .proof = &proof, .conditions = cond, .n_conditions = 3,
		.now_us = 1780272060000000};
	enum policy_effect e = policy_evaluate(p, &r);

	INVARIANT(e == policy_evaluate(p, &r));
	return e;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool ready;
	static const struct asker ana = {.id = {{1}}, .name = {"ana", 3}}, nobody = {.anonymous = true};
	struct policy *p = NULL, *loose = NULL;
	struct str document;
	enum action a;

	if (!ready)
		ready = !err_is(crypto_init());
	if (size < 1)
		return 0;
	a = (enum action)(data[0] % ACTION_COUNT);
	document = str_of(data + 1, size - 1);
	if (!err_is(policy_compile(document, str_of("bkt", 3), NULL, &p))) {
		bool allows = str_find(document, str_of("llow", 4)) != SIZE_MAX || str_find(document, str_of("\\u", 2)) != SIZE_MAX;

		INVARIANT(evaluate(p, a, &ana, document) != POLICY_ALLOW || allows);
		INVARIANT(evaluate(p, a, &nobody, document) != POLICY_ALLOW || allows);
		INVARIANT(a != ACTION_AUDIT_READ || evaluate(p, a, &ana, document) == POLICY_SILENT);
		(void)policy_is_public(p);
		/* what a bucket takes, the loose form that evaluates it takes too */
		INVARIANT(!err_is(policy_compile(document, STR_NONE, NULL, &loose)));
		INVARIANT(evaluate(p, a, &ana, document) == evaluate(loose, a, &ana, document));
	}
	policy_free(p);
	policy_free(loose);
	return 0;
}
