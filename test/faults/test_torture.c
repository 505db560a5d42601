/*
 * Torture: each of these is run with its first, second, third … allocation failing, alone and with all that follow, until none fails.
 * It must say that memory is out and nothing else (a document is not malformed because there was no room for it), leave no output, leak nothing.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>

#include <jansson.h>
#include <libxml/parser.h>

#include "base/map.h"
#include "../unit/ledger_fixture.h"
#include "crypto/stream.h"
#include "gate/acl_xml.h"
#include "gate/aws_chunked.h"
#include "gate/completion_xml.h"
#include "gate/deletion_xml.h"
#include "gate/manifest_headers.h"
#include "gate/tagging_xml.h"
#include "ledger/record.h"
#include "scarce.h"
#include "warden/charter_make.h"
#include "warden/policy.h"

#define RUNS_MAX 20000

static struct data_key *data_key;
static struct mac_key *mac_key;

/*
 * torture(run, name, also): ${run} is called again and again; it frees all, and checks what it got if it returns OK: some can do
 * without. ${also}: what jansson's users
 * say: it does not tell them a text without memory from a malformed one.
 */
static void
torture(struct err (*run)(void), const char *name, enum err_code also)
{
	uint64_t runs = 0;

	ok(run()); /* what is made once and kept is made now */
	for (int for_ever = 0; for_ever < 2; for_ever++) {
		for (uint64_t n = 0;; n++) {
			int64_t held = scarce_held();
			struct err e;
			bool failed;

			scarce_from(n, for_ever);
			e = run();
			failed = scarce_end();
			xmlResetLastError(); /* libxml2 keeps the text of its last error */
			if (err_is(e) && (!failed || (e.code != ERR_NO_MEMORY && e.code != also)))
				fail_msg("%s, allocation %llu: %s at %s:%d", name, (unsigned long long)n, err_name(e.code), e.file ? e.file : "",
				    e.line);
			if (scarce_held() != held)
				fail_msg("%s, allocation %llu: %lld leaked", name, (unsigned long long)n, (long long)(scarce_held() - held));
			assert_true(runs++ < RUNS_MAX);
			if (!failed)
				break;
		}
	}
	assert_true(runs > 2); /* it does allocate */
	ok(run());
}
#define TORTURE(f) TORTURE_OR(f, ERR_NO_MEMORY)
#define TORTURE_OR(f, also)             \
	static void                     \
	f##_tortured(void **state)      \
	{                               \
		(void)state;            \
		torture(f, #f, also);   \
	}

/* ---- base ---- */

static struct err
buffer(void)
{
	AUTO_BUF b = BUF(100000);

	for (int i = 0; i < 2000; i++)
		buf_put_dec(&b, (uint64_t)i);
	buf_put_json(&b, STR("a \"quoted\" text"));
	buf_printf(&b, "%d", 7);
	buf_put_base64(&b, "abc", 3);
	INVARIANT(b.failed || str_ends(buf_str(&b), STR("7YWJj")));
	return buf_check(&b);
}
TORTURE(buffer)

static struct err
decoding(void)
{
	AUTO_BUF b = BUF(1000);

	TRY(buf_decode_hex(&b, STR("00ff")));
	TRY(buf_decode_base64(&b, STR("YWJj")));
	INVARIANT(b.n == 5);
	return OK;
}
TORTURE(decoding)

static struct err
mapping(void)
{
	static const char keys[64][2] = {{0}};
	struct map m = {0};
	struct err e = OK;
	size_t n = 0, at = 0;

	for (size_t i = 0; i < 64 && !err_is(e); i++) {
		e = map_put(&m, str_of(keys[0], i), &m);
		n += !err_is(e);
	}
	for (size_t i = 0; i < 64; i++) /* what went in before is still found */
		INVARIANT((map_get(&m, str_of(keys[0], i)) != NULL) == (i < n));
	while (map_next(&m, &at))
		n--;
	INVARIANT(n == 0);
	map_release(&m);
	return e;
}
TORTURE(mapping)

/* ---- crypto ---- */

static struct err
sealing(void)
{
	static const char text[40000];
	struct stream_context c = {.part = 1};
	AUTO_BUF sealed = BUF(64 * KiB);
	AUTO_BUF open = BUF(64 * KiB);
	struct err e = stream_seal(data_key, &c, phi_of(text, sizeof(text)), &sealed);

	if (!err_is(e))
		e = stream_open(data_key, &c, sealed_from_store(buf_str(&sealed)), &open);
	INVARIANT(err_is(e) || (open.n == sizeof(text) && memcmp(open.p, text, open.n) == 0));
	return e;
}
TORTURE(sealing)

/* ---- ledger ---- */

static struct err
record(void)
{
	AUTO_BUF wire = BUF(LIMIT_MESSAGE_BYTES);
	AUTO_BUF json = BUF(LIMIT_RECORD_BYTES);
	struct record r = {0}, back;
	struct cur c;

	record_word(&r, RECORD_ACT, STR("object.get"));
	record_word(&r, RECORD_SUBJECT, STR("abc"));
	record_number(&r, RECORD_SIZE, 7);
	record_encode(&r, &wire);
	TRY(buf_check(&wire));
	c = cur_of(buf_str(&wire));
	TRY(record_decode(&c, &back));
	TRY(record_json(&back, 1, 1, STR("vault"), &json));
	INVARIANT(str_ends(buf_str(&json), STR("\"time\":\"1970-01-01T00:00:00.000001Z\"}")));
	return OK;
}
TORTURE(record)

static void
only_memory(struct err e, bool failed, uint64_t n)
{
	if (err_is(e) && (!failed || e.code != ERR_NO_MEMORY))
		fail_msg("allocation %llu: %s at %s:%d", (unsigned long long)n, err_name(e.code), e.file, e.line);
}

/* A ledger that ran out of memory is dead: its process ends. What it acknowledged is there when it is opened again. */
static void
a_log_out_of_memory_keeps_its_word(void **state)
{
	struct folder d = folder_new();
	struct ledger *l = log_new(&d);
	bool failed = true;
	uint64_t size;

	(void)state;
	log_fill(l, 250, 25);
	for (uint64_t n = 0; failed; n++) {
		struct err e = OK;

		size = l->committed;
		scarce_from(n, n % 2);
		for (uint64_t i = size; i < size + 12 && !err_is(e); i++) {
			e = log_add(l, i);
			if (!err_is(e))
				e = ledger_commit(l);
		}
		if (!err_is(e))
			e = ledger_publish(l);
		failed = scarce_end();
		only_memory(e, failed, n);
		size = l->committed;
		log_drop(l);
		l = log_open(&d);
		assert_int_equal(l->committed, size);
		if (n % 8 == 0)
			log_is_good(&d, size);
	}
	ledger_close(l);
	log_is_good(&d, size);
	folder_remove(&d);
}

/* Opening fails with that error, or succeeds; and never finds fault with a log that is good. */
static void
a_log_opens_when_there_is_memory_again(void **state)
{
	struct folder d = folder_new();
	struct ledger *l = log_new(&d);
	bool failed = true;

	(void)state;
	log_fill(l, 300, 7);
	log_drop(l);
	for (uint64_t n = 0; failed; n++) {
		int64_t held = scarce_held();
		struct err e;

		l = NULL;
		scarce_from(n, n % 2);
		e = ledger_open(d.fd, the_key, NULL, &l);
		failed = scarce_end();
		only_memory(e, failed, n);
		if (l) {
			assert_int_equal(l->committed, 300);
			log_drop(l);
		}
		assert_int_equal(scarce_held(), held);
	}
	l = log_open(&d);
	assert_int_equal(l->committed, 300);
	ledger_close(l);
	log_is_good(&d, 300);
	folder_remove(&d);
}

/* ---- warden ---- */

static struct err
charter(void)
{
	static struct charter c, back;
	AUTO_BUF out = BUF(LIMIT_CHARTER_BYTES);

	c = (struct charter){.is_bucket = true, .bucket = {{1}}, .owner = {{2}}, .name = STR("bkt"), .policy = STR("{}")};
	TRY(charter_make(mac_key, &c, &out));
	TRY(charter_verify(mac_key, buf_str(&out), &back));
	INVARIANT(str_eq(back.name, c.name) && id_eq(back.owner, c.owner));
	return OK;
}
TORTURE(charter)

#define POLICY "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":\"*\",\"Action\":[\"s3:GetObject\",\"s3:PutObject\"]," \
	"\"Resource\":\"arn:aws:s3:::bkt/${aws:username}/*\",\"Condition\":{\"StringEquals\":{\"s3:prefix\":[\"a\",\"b\"]}}}," \
	"{\"Effect\":\"Deny\",\"Principal\":{\"AWS\":\"*\"},\"Action\":\"s3:*\",\"Resource\":\"arn:aws:s3:::bkt/*\"," \
	"\"Condition\":{\"IpAddress\":{\"aws:SourceIp\":[\"10.0.0.0/8\",\"2001:db8::/32\"]}}}]}"

static struct err
policy(void)
{
	struct policy *p = NULL;
	struct err e = policy_compile(STR(POLICY), STR("bkt"), NULL, &p);

	INVARIANT(err_is(e) == !p);
	policy_free(p);
	return e;
}
TORTURE_OR(policy, ERR_INVALID)

static struct err
policies(void)
{
	struct policy_cache *c = NULL;
	const struct policy *p = NULL;
	struct err e = policy_cache_new(&c);

	if (!err_is(e))
		e = policy_cache_get(c, STR(POLICY), &p);
	if (!err_is(e))
		e = policy_cache_get(c, STR(POLICY), &p);
	INVARIANT(err_is(e) || p);
	policy_cache_free(c);
	return e;
}
TORTURE_OR(policies, ERR_INVALID)

/* ---- gate ---- */

/* of(e): an S3 error as ours; only the one that says that the fault is here is right */
static struct err
of(enum s3_error e)
{
	return e == S3_OK ? OK : e == S3_INTERNAL_ERROR ? ERR(ERR_NO_MEMORY) : ERR(ERR_INVALID);
}

#define TAGGING "<Tagging><TagSet><Tag><Key>k1</Key><Value>v1</Value></Tag><Tag><Key>k2</Key><Value>v+2</Value></Tag></TagSet></Tagging>"
#define ACL "<AccessControlPolicy xmlns='http://s3.amazonaws.com/doc/2006-03-01/'>" \
	"<Owner><ID>00112233445566778899aabbccddeeff</ID></Owner><AccessControlList><Grant>" \
	"<Grantee xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance' xsi:type='CanonicalUser'><ID>00112233445566778899aabbccddeeff</ID>" \
	"</Grantee><Permission>READ</Permission></Grant></AccessControlList></AccessControlPolicy>"
#define COMPLETION "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>\"00112233445566778899aabbccddeeff\"</ETag></Part>" \
	"<Part><PartNumber>2</PartNumber><ETag>00112233445566778899aabbccddeeff</ETag></Part></CompleteMultipartUpload>"
#define DELETION "<Delete><Quiet>true</Quiet><Object><Key>a</Key></Object><Object><Key>b</Key><VersionId>null</VersionId></Object></Delete>"

static struct err
xml(void)
{
	struct xml_doc *d = NULL;
	struct err e = xml_parse(STR(ACL), &d);

	INVARIANT(err_is(e) == !d);
	INVARIANT(!d || xml_child_text(xml_child(xml_root(d), "Owner"), "ID").n == 32);
	xml_free(d);
	return e;
}
TORTURE(xml)

static struct err
tagging(void)
{
	static struct tag_list l;
	enum s3_error e;

	l = (struct tag_list){0};
	e = tagging_parse(STR(TAGGING), LIMIT_TAGS_PER_BUCKET, &l);
	if (e == S3_OK)
		INVARIANT(l.n == 2 && str_eq(l.tags[1].value, STR("v+2")));
	tag_list_release(&l);
	return of(e);
}
TORTURE(tagging)

static struct err
tagging_header(void)
{
	static struct tag_list l;
	enum s3_error e;

	l = (struct tag_list){0};
	e = tagging_parse_header(STR("k1=v1&k2=v%2B2"), &l);
	if (e == S3_OK)
		INVARIANT(l.n == 2 && str_eq(l.tags[1].value, STR("v+2")));
	tag_list_release(&l);
	return of(e);
}
TORTURE(tagging_header)

static struct err
acl(void)
{
	static struct acl a;
	struct xml_doc *d = NULL;
	enum s3_error e = acl_from_xml(STR(ACL), &d, &a);

	INVARIANT((e != S3_OK) == !d);
	INVARIANT(e != S3_OK || a.n == 1);
	xml_free(d);
	return of(e);
}
/* libxml2 leaves out an attribute that it has no memory for, and says nothing: refused all the same */
TORTURE_OR(acl, ERR_INVALID)

static struct err
completion(void)
{
	struct completion c = {0};
	enum s3_error e = completion_parse(STR(COMPLETION), &c);

	INVARIANT(e != S3_OK || (c.n == 2 && c.parts[0].has_etag && c.parts[1].has_etag));
	completion_release(&c);
	return of(e);
}
TORTURE(completion)

static struct err
deletion(void)
{
	struct deletion_list l = {0};
	enum s3_error e = deletion_parse(STR(DELETION), &l);

	INVARIANT(e != S3_OK || (l.n == 2 && l.quiet && l.objects[1].version.present));
	deletion_release(&l);
	return of(e);
}
TORTURE(deletion)

static struct err
count(void *ctx, struct phi bytes)
{
	*(size_t *)ctx += phi_size(bytes);
	return OK;
}

static struct err
believe(void *ctx, const uint8_t previous[32], const struct chunk_signature *c, size_t n, bool trailer)
{
	(void)ctx;
	(void)previous;
	(void)c;
	(void)n;
	(void)trailer;
	return OK;
}

#define SIGNATURE ";chunk-signature=00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define CHUNKED "5" SIGNATURE "\r\nhello\r\n0" SIGNATURE "\r\n\r\n"

static struct err
chunked(void)
{
	static const uint8_t seed[32];
	size_t got = 0;
	struct aws_chunked_sink sink = {count, believe, &got};
	struct aws_chunked *a = NULL;
	struct err e = aws_chunked_new(true, false, seed, &sink, &a);

	if (!err_is(e))
		e = aws_chunked_feed(a, phi_of(CHUNKED, sizeof(CHUNKED) - 1));
	if (!err_is(e))
		e = aws_chunked_end(a);
	INVARIANT(err_is(e) || got == 5);
	aws_chunked_free(a);
	return e;
}
TORTURE(chunked)

static struct err
manifest(void)
{
	static struct manifest m, back;
	struct blob_header ids = {.bucket = {{1}}, .object = {{2}}, .version = {{3}}};
	AUTO_BUF sealed = BUF(LIMIT_MANIFEST_BYTES);
	AUTO_BUF text = BUF_WIPED(LIMIT_MANIFEST_BYTES);

	m = (struct manifest){.content_type = STR("text/plain"), .n_meta = 1, .meta = {{STR("a"), STR("b")}}};
	TRY(manifest_seal(&m, data_key, &ids, &sealed));
	TRY(manifest_open(sealed_from_store(buf_str(&sealed)), data_key, &ids, &text, &back));
	INVARIANT(str_eq(back.content_type, m.content_type) && back.n_meta == 1);
	return OK;
}
TORTURE_OR(manifest, ERR_CORRUPT)

static int
begin(void **state)
{
	json_set_alloc_funcs(__wrap_malloc, __wrap_free);
	if (xmlMemSetup(__wrap_free, __wrap_malloc, __wrap_realloc, __wrap_strdup) != 0 || fixture_start(state) != 0)
		return 1;
	data_key = data_key_new();
	mac_key = mac_key_new();
	secret_random(&data_key->s);
	secret_random(&mac_key->s);
	return 0;
}

static int
end(void **state)
{
	data_key_free(data_key);
	mac_key_free(mac_key);
	return fixture_end(state);
}

int
main(void)
{
#define T(f) cmocka_unit_test(f##_tortured)
	const struct CMUnitTest tests[] = {
		T(buffer), T(decoding), T(mapping), T(sealing), T(record), cmocka_unit_test(a_log_out_of_memory_keeps_its_word),
		cmocka_unit_test(a_log_opens_when_there_is_memory_again), T(charter), T(policy), T(policies), T(xml), T(tagging),
		T(tagging_header), T(acl), T(completion), T(deletion), T(chunked), T(manifest),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
