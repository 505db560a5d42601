#include "warden/client.h"

#include <sys/mman.h>

#include "warden/wire.h"

const char *
verdict_reason_word(enum verdict_reason r)
{
	static const char *const words[REASON_COUNT] = {
		[REASON_NONE] = "none",
		[REASON_NO_RULE] = "no-rule",
		[REASON_POLICY_DENY] = "policy-deny",
		[REASON_ROLE] = "role",
		[REASON_PUBLIC_BLOCKED] = "public-blocked",
		[REASON_NO_SUCH_KEY_ID] = "no-such-key-id",
		[REASON_SIGNATURE] = "signature",
		[REASON_SKEW] = "skew",
		[REASON_EXPIRED] = "expired",
		[REASON_REVOKED] = "revoked",
		[REASON_THROTTLED] = "throttled",
		[REASON_LOCKDOWN] = "lockdown",
		[REASON_CHARTER] = "charter",
		[REASON_DOMAIN_DESTROYED] = "domain-destroyed",
		[REASON_BAD_ACL] = "bad-acl",
		[REASON_UNKNOWN_GRANTEE] = "unknown-grantee",
		[REASON_UNKNOWN_EMAIL] = "unknown-email",
		[REASON_BAD_POLICY] = "bad-policy",
		[REASON_NO_SUCH_DOMAIN] = "no-such-domain",
		[REASON_ACL_DISABLED] = "acl-disabled",
		[REASON_NO_SUCH_BUCKET] = "no-such-bucket",
		[REASON_NO_SUCH_OBJECT] = "no-such-object",
		[REASON_SCOPE] = "scope",
		[REASON_NO_SUCH_JOB] = "no-such-job",
		[REASON_RESERVED_NAME] = "reserved-name",
		[REASON_NOT_IN_STUDY] = "not-in-study",
		[REASON_STUDY_NOT_APPROVED] = "study-not-approved",
		[REASON_STUDY_CLOSED] = "study-closed",
		[REASON_BASIS_MISSING] = "basis-missing",
		[REASON_BASIS_EXPIRED] = "basis-expired",
		[REASON_SIGNATURE_MISSING] = "signature-missing",
		[REASON_SIGNED_ALREADY] = "signed-already",
		[REASON_REFUSED] = "refused",
		[REASON_OWN_REQUEST] = "own-request",
		[REASON_STATE] = "state",
		[REASON_DIGEST] = "digest",
	};

	INVARIANT(r < REASON_COUNT);
	return words[r];
}

void
verdict_release(struct verdict *v)
{
	data_key_free(v->key);
	v->key = NULL;
}

/* ---- authorize ---- */

/* How many of ${wants}, from the first, fit one message and its reply; at least one. */
static size_t
fit(size_t head, const struct want *wants, size_t n)
{
	size_t request = head, reply = 1024, i = 0;

	for (; i < n; i++) {
		request += want_wire_size(&wants[i], i > 0 ? &wants[i - 1] : NULL);
		reply += want_reply_size(&wants[i]);
		if (i > 0 && (request > LIMIT_MESSAGE_BYTES || reply > LIMIT_MESSAGE_BYTES))
			break;
	}
	return i;
}

static size_t
head_size(const struct proof *proof, const struct condition *cond, size_t n_cond)
{
	size_t n = 256 + proof->address.n + proof->access_key.n + proof->date.n +
	    proof->scope_date.n + proof->region.n + proof->service.n + proof->text.n +
	    proof->token.n;

	for (size_t i = 0; i < n_cond; i++)
		n += 8 + cond[i].key.n + cond[i].value.n;
	return n;
}

static struct err
authorize_call(struct pool *p, const struct proof *proof, const struct condition *cond,
    size_t n_cond, const struct want *wants, size_t n, struct msg *reply)
{
	AUTO_MSG req = MSG(WARDEN_AUTHORIZE);

	TRY(authorize_request_encode(proof, cond, n_cond, wants, n, &req.body));
	return pool_call(p, &req, reply);
}

/* More wants than one message holds: the bodies of the replies, one behind the other. */
static struct err
authorize_calls(struct pool *p, const struct proof *proof, const struct condition *cond,
    size_t n_cond, const struct want *wants, size_t n, struct msg *reply)
{
	size_t head = head_size(proof, cond, n_cond), done = fit(head, wants, n);

	TRY(authorize_call(p, proof, cond, n_cond, wants, done, reply));
	reply->body.max = (n + 1) * LIMIT_MESSAGE_BYTES;
	while (done < n) {
		size_t some = fit(head, wants + done, n - done);
		AUTO_MSG more = MSG(0);

		TRY(authorize_call(p, proof, cond, n_cond, wants + done, some, &more));
		buf_put_str(&reply->body, buf_str(&more.body));
		TRY(buf_check(&reply->body));
		done += some;
	}
	return OK;
}

struct err
warden_authorize(struct pool *p, const struct proof *proof, const struct condition *cond,
    size_t n_cond, const struct want *wants, size_t n, struct msg *reply, struct asker *ret_asker,
    struct verdict *ret_verdicts, enum verdict_reason *ret_reason)
{
	struct asker asker = {.anonymous = true};
	struct cur c;
	size_t done = 0;

	*ret_reason = REASON_NONE;
	if (n > LIMIT_WANTS)
		return ERR(ERR_LIMIT);
	TRY(authorize_calls(p, proof, cond, n_cond, wants, n, reply));
	c = msg_cur(reply);
	do {
		size_t some = 0;
		struct err e =
		    reply_decode(&c, &asker, ret_verdicts + done, n - done, &some, ret_reason);

		if (!err_is(e) && some == 0 && n > 0)
			e = ERR(ERR_INVALID);
		if (err_is(e)) {
			for (size_t i = 0; i < done; i++)
				verdict_release(&ret_verdicts[i]);
			return e;
		}
		done += some;
	} while (done < n);
	*ret_asker = asker;
	return OK;
}

/* ---- the others ---- */

struct err
warden_chunks(struct pool *p, const struct proof *seed, const uint8_t previous[32],
    const struct chunk_signature *c, size_t n, bool trailer)
{
	while (n > 0) {
		size_t some = n < CHUNKS_A_MESSAGE ? n : CHUNKS_A_MESSAGE;
		AUTO_MSG req = MSG(WARDEN_CHUNKS);
		AUTO_MSG reply = MSG(0);

		chunks_request_encode(seed, previous, c, some, trailer, &req.body);
		TRY(buf_check(&req.body));
		TRY(pool_call(p, &req, &reply));
		previous = c[some - 1].signature;
		c += some;
		n -= some;
	}
	return OK;
}

struct err
warden_still(struct pool *p, const struct grant *g)
{
	AUTO_MSG req = MSG(WARDEN_STILL);
	AUTO_MSG reply = MSG(0);

	grant_encode(g, &req.body);
	TRY(buf_check(&req.body));
	return pool_call(p, &req, &reply);
}

struct err
warden_names(
    struct pool *p, const struct id *ids, size_t n, struct msg *reply, struct str *ret_names)
{
	AUTO_MSG req = MSG(WARDEN_NAMES);
	struct cur c;

	if (n > LIMIT_WANTS)
		return ERR(ERR_LIMIT);
	buf_put_u16(&req.body, (uint16_t)n);
	for (size_t i = 0; i < n; i++)
		buf_put_id(&req.body, ids[i]);
	TRY(buf_check(&req.body));
	TRY(pool_call(p, &req, reply));
	c = msg_cur(reply);
	for (size_t i = 0; i < n; i++)
		ret_names[i] = cur_lstr(&c);
	return cur_end(&c);
}

struct err
warden_admin(struct pool *p, const struct proof *proof, struct str verb, struct str params,
    struct buf *out, enum verdict_reason *ret_reason)
{
	AUTO_MSG req = MSG(WARDEN_ADMIN);
	AUTO_MSG reply = MSG(0);
	uint16_t code, reason;
	struct str json;
	struct cur c;

	*ret_reason = REASON_NONE;
	proof_encode(proof, &req.body);
	buf_put_lstr(&req.body, verb);
	buf_put_lstr(&req.body, params);
	TRY(buf_check(&req.body));
	TRY(pool_call(p, &req, &reply));
	c = msg_cur(&reply);
	code = cur_u16(&c);
	reason = cur_u16(&c);
	json = cur_lstr(&c);
	TRY(cur_end(&c));
	if (code >= ERR_CODE_COUNT || reason >= REASON_COUNT)
		return ERR(ERR_INVALID);
	*ret_reason = (enum verdict_reason)reason;
	buf_put_str(out, json);
	TRY(buf_check(out));
	return code == ERR_NONE ? OK : ERR((enum err_code)code);
}

struct err
warden_hello(struct pool *p, struct buf *cert_pem, struct buf *key_pem,
    const volatile struct siren **ret_siren)
{
	AUTO_MSG req = MSG(WARDEN_HELLO);
	AUTO_MSG reply = MSG(0);
	struct str cert, key;
	struct cur c;
	void *page;

	TRY(pool_call(p, &req, &reply));
	c = msg_cur(&reply);
	cert = cur_lstr(&c);
	key = cur_lstr(&c);
	TRY(cur_end(&c));
	if (reply.n_fds != 1)
		return ERR(ERR_INVALID);
	buf_put_str(cert_pem, cert);
	buf_put_str(key_pem, key);
	TRY(buf_check(cert_pem));
	TRY(buf_check(key_pem));
	page = mmap(NULL, sizeof(struct siren), PROT_READ, MAP_SHARED, reply.fds[0], 0);
	if (page == MAP_FAILED)
		return ERR_ERRNO();
	*ret_siren = page;
	return OK;
}
