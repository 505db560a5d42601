/*
 * Any bytes as a charter, as a request to warden, and as a reply of it. What decodes encodes to the same bytes; what does not leaves
 * nothing behind; and no bytes are ever a charter or a grant of ours.
 */
#include "crypto/crypto.h"
#include "warden/charter_make.h"
#include "warden/grant.h"
#include "warden/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct mac_key *key;

static void
as_charter(struct str in)
{
	AUTO_BUF out = BUF(LIMIT_CHARTER_BYTES), again = BUF(LIMIT_CHARTER_BYTES);
	struct charter c, c2;

	INVARIANT(charter_verify(key, in, &c).code == ERR_CORRUPT);
	if (err_is(charter_decode(in, &c)))
		return;
	INVARIANT(!err_is(charter_make(key, &c, &out)));
	INVARIANT(out.n == in.n && memcmp(out.p, in.p, in.n - SHA256_BYTES) == 0);
	INVARIANT(!err_is(charter_verify(key, buf_str(&out), &c2)));
	INVARIANT(!err_is(charter_make(key, &c2, &again)) && str_eq(buf_str(&out), buf_str(&again)));
}

static void
as_request(struct str in)
{
	struct cur c = cur_of(in);
	AUTO_AUTHORIZE r = {0};
	AUTO_AUTHORIZE r2 = {0};
	AUTO_BUF out = BUF(LIMIT_MESSAGE_BYTES);
	struct chunks_request chunks;
	struct admin_request admin;

	if (!err_is(authorize_request_decode(&c, &r)) &&
	    !err_is(authorize_request_encode(&r.proof, r.conditions, r.n_conditions, r.wants, r.n_wants, &out))) {
		c = cur_of(buf_str(&out));
		INVARIANT(!err_is(authorize_request_decode(&c, &r2)) && r2.n_wants == r.n_wants);
	}
	c = cur_of(in);
	if (!err_is(chunks_request_decode(&c, &chunks)))
		(void)chunks_request_at(&chunks, chunks.n - 1);
	c = cur_of(in);
	err_ignore(admin_request_decode(&c, &admin));
}

static void
as_reply(struct str in)
{
	static struct verdict v[8];
	struct cur c = cur_of(in);
	enum verdict_reason why;
	struct asker asker;
	size_t n = 0;

	if (!err_is(reply_decode(&c, &asker, v, 8, &n, &why)))
		for (size_t i = 0; i < n; i++)
			verdict_release(&v[i]);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str in = str_of(data, size);
	struct grant_terms t;
	struct grant g;

	if (!key) {
		INVARIANT(!err_is(crypto_init()));
		key = mac_key_new();
		INVARIANT(key);
		secret_random(&key->s);
	}
	as_charter(in);
	as_request(in);
	as_reply(in);
	if (size >= GRANT_BYTES) {
		memcpy(&g, data, GRANT_BYTES);
		INVARIANT(grant_check(key, &g, 0, &t).code == ERR_DENIED);
	}
	return 0;
}
