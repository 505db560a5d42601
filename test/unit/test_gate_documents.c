/* What S3 clients send as documents and headers, and what is answered: XML, checksums, ACLs, tags, deletions, part lists, tokens, names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdlib.h>

#include "base/clock.h"
#include "crypto/crypto.h"
#include "gate/acl_xml.h"
#include "gate/bucket_name.h"
#include "objects/checksum.h"
#include "gate/completion_xml.h"
#include "gate/cors.h"
#include "objects/crc.h"
#include "gate/deletion_xml.h"
#include "gate/list.h"
#include "gate/list_token.h"
#include "gate/multipart.h"
#include "gate/tagging_xml.h"

#define assert_text(s, z)                               \
	do {                                            \
		struct str s_ = (s);                    \
		assert_int_equal(s_.n, strlen(z));      \
		assert_memory_equal(s_.p, z, strlen(z)); \
	} while (0)

/* ---- XML ---- */

static void
test_xml_reads(void **state)
{
	struct xml_doc *d;
	const struct xml_node *root, *n;

	(void)state;
	assert_false(err_is(xml_parse(STR("<?xml version=\"1.0\"?>\n<r xmlns=\"" S3_XMLNS "\" xmlns:x=\"urn:x\">\n"
	    " <a>one</a><!-- c --><b x:type=\"T\">t&amp;&#65;<!-- in -->w<![CDATA[<o>]]></b><e/><a>two</a></r>"), &d)));
	root = xml_root(d);
	assert_true(xml_is(root, "r"));
	assert_text(xml_child_text(root, "a"), "one");
	n = xml_child(root, "b");
	assert_text(xml_text(n), "t&Aw<o>");
	assert_text(xml_attribute(n, "type"), "T");
	assert_null(xml_attribute(n, "other").p);
	assert_text(xml_text(xml_child(root, "e")), "");
	assert_text(xml_text(xml_next(xml_next(n))), "two");
	assert_null(xml_next(xml_next(xml_next(n))));
	assert_null(xml_child(root, "absent"));
	assert_int_equal(xml_child_text(root, "absent").n, 0);
	assert_int_equal(xml_text(root).n, 0); /* no leaf */
	xml_free(d);
}

static void
test_xml_refuses(void **state)
{
	static const char *const bad[] = {"", " ", "text", "<a>", "<a></b>", "<a/><b/>", "<a>&nope;</a>", "<a x=1/>",
		"<!DOCTYPE a><a/>", "<!DOCTYPE a [<!ENTITY e \"x\">]><a>&e;</a>",
		"<!DOCTYPE a SYSTEM \"file:///etc/passwd\"><a/>",
		"<!DOCTYPE a [<!ENTITY e SYSTEM \"file:///etc/passwd\">]><a>&e;</a>", "<a>\xff</a>", "<a>\x01</a>"};
	struct xml_doc *d = NULL;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(xml_parse(str_c(bad[i]), &d).code, ERR_INVALID);
	assert_null(d);
}

static struct err
parse_nested(size_t depth)
{
	AUTO_BUF b = BUF(64 * KiB);
	struct xml_doc *d = NULL;
	struct err e;

	for (size_t i = 0; i < depth; i++)
		buf_put_c(&b, "<a><b/>");
	for (size_t i = 0; i < depth; i++)
		buf_put_c(&b, "</a>");
	e = xml_parse(buf_str(&b), &d);
	xml_free(d);
	return e;
}

static void
test_xml_depth(void **state)
{
	(void)state;
	assert_false(err_is(parse_nested(63)));
	assert_int_equal(parse_nested(64).code, ERR_INVALID); /* its <b/> is the 65th level */
	assert_int_equal(parse_nested(200).code, ERR_INVALID);
	assert_int_equal(parse_nested(3000).code, ERR_INVALID);
}

static void
test_xml_writes(void **state)
{
	AUTO_BUF b = BUF(4 * KiB);
	struct xml_doc *d;

	(void)state;
	xml_begin(&b, "r");
	xml_put(&b, "t", STR("a<b>&\"c\"\r\n"));
	xml_put_dec(&b, "n", 18446744073709551615u);
	xml_put_bool(&b, "y", true);
	xml_put_time(&b, "m", 1795305829123456);
	xml_put_key(&b, "k", STR("a b/+\xC3\xA9~*&"), true);
	xml_put_key(&b, "k", STR("a b&"), false);
	xml_close(&b, "r");
	assert_text(buf_str(&b), "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<r xmlns=\"" S3_XMLNS "\">"
	    "<t>a&lt;b&gt;&amp;&quot;c&quot;&#xd;\n</t><n>18446744073709551615</n><y>true</y><m>2026-11-22T00:03:49.000Z</m>"
	    "<k>a%20b/%2B%C3%A9~*%26</k><k>a b&amp;</k></r>");
	assert_false(err_is(xml_parse(buf_str(&b), &d)));
	assert_text(xml_child_text(xml_root(d), "t"), "a<b>&\"c\"\r\n");
	xml_free(d);
}

/* ---- checksums ---- */

static const struct { enum checksum_kind kind; const char *of_digits; const char *of_nothing; } vectors[] = {
	/* the check values of the CRC catalogue ("123456789"), and FIPS 180-4 */
	{CHECKSUM_CRC32, "cbf43926", "00000000"},
	{CHECKSUM_CRC32C, "e3069283", "00000000"},
	{CHECKSUM_CRC64NVME, "ae8b14860a799888", "0000000000000000"},
	{CHECKSUM_SHA1, "f7c3bc1d808e04732adf679965ccc34ca7ae3441", "da39a3ee5e6b4b0d3255bfef95601890afd80709"},
	{CHECKSUM_SHA256, "15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225",
	    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
};

static struct checksum_value
checksum_of(enum checksum_kind kind, const void *p, size_t n)
{
	struct checksum *c = checksum_new(kind);
	struct checksum_value v;

	assert_non_null(c);
	checksum_update(c, p, n / 3);
	checksum_update(c, (const char *)p + n / 3, n - n / 3);
	v = checksum_final(c);
	checksum_free(c);
	return v;
}

static void
assert_hex(const struct checksum_value *v, const char *hex)
{
	AUTO_BUF b = BUF(128);

	buf_put_hex(&b, v->b, v->n);
	assert_text(buf_str(&b), hex);
}

static void
test_checksum_vectors(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(vectors); i++) {
		struct checksum_value v = checksum_of(vectors[i].kind, "123456789", 9);

		assert_int_equal(v.n, checksum_bytes(vectors[i].kind));
		assert_hex(&v, vectors[i].of_digits);
		v = checksum_of(vectors[i].kind, "", 0);
		assert_hex(&v, vectors[i].of_nothing);
	}
}

/* one bit at a time, straight from the definition */
static uint64_t
crc_by_definition(enum crc_kind kind, const uint8_t *p, size_t n)
{
	static const struct { unsigned width; uint64_t poly; } k[] = {
		[CRC_32] = {32, 0xEDB88320}, [CRC_32C] = {32, 0x82F63B78}, [CRC_64NVME] = {64, 0x9A6C9329AC4BC9B5}};
	uint64_t ones = UINT64_MAX >> (64 - k[kind].width), r = ones;

	for (size_t i = 0; i < n; i++) {
		r ^= p[i];
		for (int bit = 0; bit < 8; bit++)
			r = r >> 1 ^ (r & 1 ? k[kind].poly : 0);
	}
	return r ^ ones;
}

static void
test_crc_lengths(void **state)
{
	uint8_t data[2048];

	(void)state;
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 2654435761u >> 13);
	for (unsigned kind = 0; kind < CRC_KIND_COUNT; kind++)
		for (size_t n = 0; n < 600; n++) {
			uint64_t want = crc_by_definition((enum crc_kind)kind, data + n % 17, n);

			assert_int_equal(crc_update((enum crc_kind)kind, 0, data + n % 17, n), want);
			assert_int_equal(crc_update_tables((enum crc_kind)kind, 0, data + n % 17, n), want);
		}
}

static void
test_checksum_combines(void **state)
{
	uint8_t data[1500];

	(void)state;
	rand_bytes(data, sizeof(data));
	for (enum checksum_kind k = CHECKSUM_CRC32; k <= CHECKSUM_CRC64NVME; k++)
		for (size_t cut = 0; cut <= sizeof(data); cut += 125) {
			struct checksum_value a = checksum_of(k, data, cut), b = checksum_of(k, data + cut, sizeof(data) - cut);
			struct checksum_value whole = checksum_of(k, data, sizeof(data));
			struct checksum_value both = checksum_combine(k, &a, &b, sizeof(data) - cut);

			assert_true(checksum_equal(&both, &whole));
		}
	/* 5 TiB of zeros in halves, and as five */
	assert_int_equal(crc_combine(CRC_64NVME, crc_combine(CRC_64NVME, 7, 0, 1ull << 40), 0, 1ull << 40),
	    crc_combine(CRC_64NVME, 7, 0, 2ull << 40));
}

static void
test_checksum_parses(void **state)
{
	struct checksum_value v;
	enum checksum_kind k;
	AUTO_BUF b = BUF(64);

	(void)state;
	assert_false(err_is(checksum_parse(CHECKSUM_CRC32, STR("y/Q5Jg=="), &v)));
	assert_hex(&v, "cbf43926");
	buf_put_checksum(&b, &v);
	assert_text(buf_str(&b), "y/Q5Jg==");
	assert_int_equal(checksum_parse(CHECKSUM_CRC32, STR("y/Q5JgA="), &v).code, ERR_INVALID);
	assert_int_equal(checksum_parse(CHECKSUM_CRC32, STR("y/Q5"), &v).code, ERR_INVALID);
	assert_int_equal(checksum_parse(CHECKSUM_SHA256, STR("y/Q5Jg=="), &v).code, ERR_INVALID);
	assert_int_equal(checksum_parse(CHECKSUM_CRC32, STR("bad!Jg=="), &v).code, ERR_INVALID);
	assert_int_equal(checksum_parse(CHECKSUM_CRC32, STR(""), &v).code, ERR_INVALID);
	assert_false(err_is(checksum_kind_parse(STR("crc64nvme"), &k)));
	assert_int_equal(k, CHECKSUM_CRC64NVME);
	assert_int_equal(checksum_kind_parse(STR("MD5"), &k).code, ERR_INVALID);
	assert_int_equal(checksum_kind_parse(STR(""), &k).code, ERR_INVALID);
}

static void
test_checksum_types(void **state)
{
	enum checksum_kind k;
	bool composite;

	(void)state;
	assert_int_equal(checksum_choose(STR_NONE, STR_NONE, &k, &composite), S3_OK);
	assert_int_equal(k, CHECKSUM_NONE);
	assert_false(composite);
	assert_int_equal(checksum_choose(STR("CRC32"), STR_NONE, &k, &composite), S3_OK);
	assert_true(composite);
	assert_int_equal(checksum_choose(STR("CRC32"), STR("FULL_OBJECT"), &k, &composite), S3_OK);
	assert_false(composite);
	assert_int_equal(checksum_choose(STR("CRC64NVME"), STR_NONE, &k, &composite), S3_OK);
	assert_false(composite);
	assert_int_equal(checksum_choose(STR("CRC64NVME"), STR("COMPOSITE"), &k, &composite), S3_INVALID_REQUEST);
	assert_int_equal(checksum_choose(STR("SHA256"), STR("FULL_OBJECT"), &k, &composite), S3_INVALID_REQUEST);
	assert_int_equal(checksum_choose(STR("SHA1"), STR("COMPOSITE"), &k, &composite), S3_OK);
	assert_int_equal(checksum_choose(STR_NONE, STR("FULL_OBJECT"), &k, &composite), S3_INVALID_REQUEST);
	assert_int_equal(checksum_choose(STR("CRC32"), STR("HALF"), &k, &composite), S3_INVALID_REQUEST);
	assert_int_equal(checksum_choose(STR("MD5"), STR_NONE, &k, &composite), S3_UNSUPPORTED_CHECKSUM);
}

/* ---- ACLs ---- */

#define ID1 "00112233445566778899aabbccddeeff"
#define XSI " xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:type="
#define ALL_USERS "http://acs.amazonaws.com/groups/global/AllUsers"
#define GRANT(type, inner, permission) \
	"<Grant><Grantee" XSI "\"" type "\">" inner "</Grantee><Permission>" permission "</Permission></Grant>"
#define ACL(list) "<AccessControlPolicy xmlns=\"" S3_XMLNS "\"><Owner><ID>" ID1 "</ID></Owner><AccessControlList>" list \
	"</AccessControlList></AccessControlPolicy>"

static void
test_acl_headers(void **state)
{
	struct acl a = {0};

	(void)state;
	assert_int_equal(acl_grants_parse(STR("id=\"" ID1 "\", uri=\"" ALL_USERS "\",emailAddress=\"a,b@example.org\""), ACL_READ, &a),
	    S3_OK);
	assert_int_equal(a.n, 3);
	assert_int_equal(a.grants[0].grantee, ACL_USER);
	assert_int_equal(a.grants[0].user.b[1], 0x11);
	assert_int_equal(a.grants[1].grantee, ACL_ALL_USERS);
	assert_int_equal(a.grants[2].grantee, ACL_EMAIL);
	assert_text(a.grants[2].email, "a,b@example.org");
	assert_int_equal(acl_grants_parse(STR("id=" ID1), ACL_WRITE, &a), S3_OK);
	assert_int_equal(a.n, 4);
	assert_int_equal(a.grants[3].permission, ACL_WRITE);
	assert_int_equal(acl_grants_parse(STR(""), ACL_READ, &a), S3_INVALID_ARGUMENT);
	assert_int_equal(acl_grants_parse(STR("id"), ACL_READ, &a), S3_INVALID_ARGUMENT);
	assert_int_equal(acl_grants_parse(STR("id=_foo"), ACL_READ, &a), S3_INVALID_ARGUMENT);
	assert_int_equal(acl_grants_parse(STR("name=x"), ACL_READ, &a), S3_INVALID_ARGUMENT);
	assert_int_equal(acl_grants_parse(STR("uri=\"http://example.org/\""), ACL_READ, &a), S3_INVALID_ARGUMENT);
	assert_int_equal(acl_grants_parse(STR("emailAddress=\"\""), ACL_READ, &a), S3_INVALID_ARGUMENT);
	assert_int_equal(a.n, 4);
}

static void
test_acl_xml(void **state)
{
	struct xml_doc *doc;
	struct acl a;

	(void)state;
	assert_int_equal(acl_from_xml(STR(ACL(GRANT("CanonicalUser", "<ID>" ID1 "</ID><DisplayName>x</DisplayName>", "FULL_CONTROL")
	    GRANT("Group", "<URI>" ALL_USERS "</URI>", "READ")
	    GRANT("AmazonCustomerByEmail", "<EmailAddress>a@example.org</EmailAddress>", "WRITE_ACP"))), &doc, &a), S3_OK);
	assert_int_equal(a.n, 3);
	assert_int_equal(a.owner.b[15], 0xff);
	assert_int_equal(a.canned, ACL_CANNED_NONE);
	assert_int_equal(a.grants[0].permission, ACL_FULL_CONTROL);
	assert_int_equal(a.grants[1].grantee, ACL_ALL_USERS);
	assert_text(a.grants[2].email, "a@example.org");
	assert_true(acl_everybody(&a));
	xml_free(doc);
	assert_int_equal(acl_from_xml(STR(ACL("")), &doc, &a), S3_OK); /* nobody: the owner keeps his right to the ACL */
	assert_int_equal(a.n, 0);
	assert_false(acl_everybody(&a));
	xml_free(doc);
}

static void
test_acl_xml_refuses(void **state)
{
	static const struct { const char *xml; enum s3_error e; } bad[] = {
		{"", S3_MALFORMED_ACL},
		{"<AccessControlPolicy/>", S3_MALFORMED_ACL},
		{"<Other><Owner><ID>" ID1 "</ID></Owner><AccessControlList/></Other>", S3_MALFORMED_ACL},
		{"<AccessControlPolicy><AccessControlList/></AccessControlPolicy>", S3_MALFORMED_ACL},
		{"<AccessControlPolicy><Owner><ID>" ID1 "</ID></Owner></AccessControlPolicy>", S3_MALFORMED_ACL},
		{"<AccessControlPolicy><Owner><ID>x</ID></Owner><AccessControlList/></AccessControlPolicy>", S3_INVALID_ARGUMENT},
		{ACL("<Grant/>"), S3_MALFORMED_ACL},
		{ACL("<Other/>"), S3_MALFORMED_ACL},
		{ACL(GRANT("CanonicalUser", "<ID>" ID1 "</ID>", "ALL")), S3_MALFORMED_ACL},
		{ACL(GRANT("CanonicalUser", "<ID>" ID1 "</ID>", "")), S3_MALFORMED_ACL},
		{ACL(GRANT("CanonicalUser", "", "READ")), S3_MALFORMED_ACL},
		{ACL(GRANT("CanonicalUser", "<ID>_foo</ID>", "READ")), S3_INVALID_ARGUMENT},
		{ACL(GRANT("Group", "<URI>http://example.org/</URI>", "READ")), S3_INVALID_ARGUMENT},
		{ACL(GRANT("Nobody", "<ID>" ID1 "</ID>", "READ")), S3_MALFORMED_ACL},
		{ACL("<Grant><Grantee><ID>" ID1 "</ID></Grantee><Permission>READ</Permission></Grant>"), S3_MALFORMED_ACL},
	};
	struct xml_doc *doc;
	struct acl a;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		assert_int_equal(acl_from_xml(str_c(bad[i].xml), &doc, &a), bad[i].e);
		assert_null(doc);
	}
}

static void
test_acl_grant_limit(void **state)
{
	AUTO_BUF b = BUF(64 * KiB);
	struct xml_doc *doc;
	struct acl a;
	static const char grant[] = GRANT("CanonicalUser", "<ID>" ID1 "</ID>", "READ");

	(void)state;
	for (int n = LIMIT_ACL_GRANTS; n <= LIMIT_ACL_GRANTS + 1; n++) {
		buf_clear(&b);
		buf_put_c(&b, "<AccessControlPolicy><Owner><ID>" ID1 "</ID></Owner><AccessControlList>");
		for (int i = 0; i < n; i++)
			buf_put_c(&b, grant);
		buf_put_c(&b, "</AccessControlList></AccessControlPolicy>");
		assert_int_equal(acl_from_xml(buf_str(&b), &doc, &a), n > LIMIT_ACL_GRANTS ? S3_MALFORMED_ACL : S3_OK);
		xml_free(doc);
	}
}

/* ---- tags ---- */

#define TAG(k, v) "<Tag><Key>" k "</Key><Value>" v "</Value></Tag>"
#define TAGGING(list) "<Tagging><TagSet>" list "</TagSet></Tagging>"

static void
test_tagging_xml(void **state)
{
	AUTO_TAGS l = {0};
	AUTO_BUF b = BUF(4 * KiB);

	(void)state;
	assert_int_equal(tagging_parse(STR(TAGGING(TAG("k", "v") TAG("e", "") TAG("a +-=._:/@", "\xC3\xA4 1"))), 10, &l), S3_OK);
	assert_int_equal(l.n, 3);
	assert_text(l.tags[0].key, "k");
	assert_text(l.tags[1].value, "");
	assert_text(l.tags[2].key, "a +-=._:/@");
	assert_text(l.tags[2].value, "\xC3\xA4 1");
	tagging_put(&b, l.tags, 2);
	assert_text(buf_str(&b), "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Tagging xmlns=\"" S3_XMLNS "\"><TagSet><Tag><Key>k</Key>"
	    "<Value>v</Value></Tag><Tag><Key>e</Key><Value></Value></Tag></TagSet></Tagging>");
}

static enum s3_error
tagging_error(const char *xml, size_t max)
{
	AUTO_TAGS l = {0};

	return tagging_parse(str_c(xml), max, &l);
}

static void
test_tagging_refuses(void **state)
{
	(void)state;
	assert_int_equal(tagging_error(TAGGING(""), 10), S3_OK);
	assert_int_equal(tagging_error("", 10), S3_MALFORMED_XML);
	assert_int_equal(tagging_error("<Tagging/>", 10), S3_MALFORMED_XML);
	assert_int_equal(tagging_error("<TagSet>" TAG("k", "v") "</TagSet>", 10), S3_MALFORMED_XML);
	assert_int_equal(tagging_error(TAGGING("<Tag><Key>k</Key></Tag>"), 10), S3_MALFORMED_XML);
	assert_int_equal(tagging_error(TAGGING("<Tag><Value>v</Value></Tag>"), 10), S3_MALFORMED_XML);
	assert_int_equal(tagging_error(TAGGING("<Other/>"), 10), S3_MALFORMED_XML);
	assert_int_equal(tagging_error(TAGGING(TAG("", "v")), 10), S3_INVALID_TAG);
	assert_int_equal(tagging_error(TAGGING(TAG("k", "1") TAG("k", "2")), 10), S3_INVALID_TAG);
	assert_int_equal(tagging_error(TAGGING(TAG("k", "1") TAG("K", "2")), 10), S3_OK);
	assert_int_equal(tagging_error(TAGGING(TAG("a", "") TAG("b", "") TAG("c", "")), 2), S3_INVALID_TAG);
	assert_int_equal(tagging_error(TAGGING(TAG("aws:x", "v")), 10), S3_INVALID_TAG);
	assert_int_equal(tagging_error(TAGGING(TAG("AWS:x", "v")), 10), S3_INVALID_TAG);
	assert_int_equal(tagging_error(TAGGING(TAG("aws", "v")), 10), S3_OK);
	assert_int_equal(tagging_error(TAGGING(TAG("k", "a*b")), 10), S3_INVALID_TAG);
	assert_int_equal(tagging_error(TAGGING(TAG("k\n", "v")), 10), S3_INVALID_TAG);
	assert_int_equal(tagging_error(TAGGING(TAG("k", "\xC2\x85")), 10), S3_INVALID_TAG);
}

static enum s3_error
tag_of_length(size_t key, size_t value, const char *character)
{
	AUTO_BUF b = BUF(8 * KiB);
	AUTO_TAGS l = {0};

	buf_put_c(&b, "<Tagging><TagSet><Tag><Key>");
	for (size_t i = 0; i < key; i++)
		buf_put_c(&b, character);
	buf_put_c(&b, "</Key><Value>");
	for (size_t i = 0; i < value; i++)
		buf_put_c(&b, character);
	buf_put_c(&b, "</Value></Tag></TagSet></Tagging>");
	return tagging_parse(buf_str(&b), 10, &l);
}

static void
test_tag_lengths(void **state)
{
	static const char *const characters[] = {"x", "\xC3\xA9", "\xF0\xA0\x80\x80"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(characters); i++) {
		assert_int_equal(tag_of_length(128, 256, characters[i]), S3_OK);
		assert_int_equal(tag_of_length(129, 1, characters[i]), S3_INVALID_TAG);
		assert_int_equal(tag_of_length(1, 257, characters[i]), S3_INVALID_TAG);
	}
}

static void
test_tagging_header(void **state)
{
	static const struct { const char *header; enum s3_error e; size_t n; } cases[] = {
		{"", S3_OK, 0}, {"a=1", S3_OK, 1}, {"a=1&b=2", S3_OK, 2}, {"a", S3_OK, 1}, {"a=&b", S3_OK, 2},
		{"a%20b=c%2Bd+e", S3_OK, 1}, {"a=b=c", S3_OK, 1}, {"a=1&", S3_OK, 1},
		{"=1", S3_INVALID_ARGUMENT, 0}, {"a=1&a=2", S3_INVALID_ARGUMENT, 0}, {"a=%zz", S3_INVALID_ARGUMENT, 0},
		{"a=%00", S3_INVALID_ARGUMENT, 0}, {"aws:a=1", S3_INVALID_TAG, 0}, {"a=%2A", S3_INVALID_TAG, 0},
		{"0=&1=&2=&3=&4=&5=&6=&7=&8=&9=", S3_OK, 10}, {"0=&1=&2=&3=&4=&5=&6=&7=&8=&9=&10=", S3_INVALID_TAG, 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		AUTO_TAGS l = {0};

		assert_int_equal(tagging_parse_header(str_c(cases[i].header), &l), cases[i].e);
		if (cases[i].e == S3_OK)
			assert_int_equal(l.n, cases[i].n);
	}
	AUTO_TAGS l = {0};

	assert_int_equal(tagging_parse_header(STR("a%20b=c%2Bd+e"), &l), S3_OK);
	assert_text(l.tags[0].key, "a b");
	assert_text(l.tags[0].value, "c+d e");
}

/* ---- DeleteObjects ---- */

static void
test_deletion(void **state)
{
	struct deletion_list l;

	(void)state;
	assert_int_equal(deletion_parse(STR("<Delete><Quiet>true</Quiet><Object><Key>a</Key></Object>"
	    "<Object><Key>b</Key><VersionId>" ID1 "</VersionId></Object><Object><Key>c</Key><VersionId>null</VersionId></Object>"
	    "<Object><Key>d</Key><VersionId>nope</VersionId></Object>"
	    "<Object><Key>e</Key><ETag>&quot;" ID1 "-3&quot;</ETag><Size>7</Size>"
	    "<LastModifiedTime>Sun, 22 Nov 2026 00:03:49 GMT</LastModifiedTime></Object>"
	    "<Object><Key>f</Key><ETag>*</ETag></Object><Object><Key>g</Key><ETag>short</ETag></Object></Delete>"), &l), S3_OK);
	assert_int_equal(l.n, 7);
	assert_true(l.quiet);
	assert_false(l.objects[0].version.present);
	assert_true(l.objects[1].version.present && !l.objects[1].version.is_null);
	assert_int_equal(l.objects[1].version.id.b[2], 0x22);
	assert_true(l.objects[2].version.is_null);
	assert_int_equal(l.objects[3].bad, S3_NO_SUCH_VERSION);
	assert_text(l.objects[3].version_text, "nope");
	assert_true(l.objects[4].condition.if_match && l.objects[4].condition.if_size && l.objects[4].condition.if_modified);
	assert_int_equal(l.objects[4].condition.if_match_parts, 3);
	assert_int_equal(l.objects[4].condition.size, 7);
	assert_int_equal(l.objects[4].condition.modified_us, 1795305829ll * US_PER_S);
	assert_true(l.objects[5].condition.if_match_any);
	assert_true(l.objects[6].condition.if_match);
	assert_int_equal(l.objects[6].condition.if_match_parts, LIMIT_PARTS + 1);
	deletion_release(&l);
}

static enum s3_error
deletion_of(size_t n, size_t key_bytes)
{
	AUTO_BUF b = BUF(4 * MiB);
	struct deletion_list l = {0};
	enum s3_error e;

	buf_put_c(&b, "<Delete>");
	for (size_t i = 0; i < n; i++) {
		buf_put_c(&b, "<Object><Key>");
		for (size_t k = 0; k < key_bytes; k++)
			buf_put_char(&b, 'k');
		buf_put_c(&b, "</Key></Object>");
	}
	buf_put_c(&b, "</Delete>");
	e = deletion_parse(buf_str(&b), &l);
	if (e == S3_OK && n)
		e = l.objects[0].bad;
	deletion_release(&l);
	return e;
}

static void
test_deletion_refuses(void **state)
{
	struct deletion_list l = {0};

	(void)state;
	assert_int_equal(deletion_of(0, 1), S3_MALFORMED_XML);
	assert_int_equal(deletion_of(1000, 1), S3_OK);
	assert_int_equal(deletion_of(1001, 1), S3_MALFORMED_XML);
	assert_int_equal(deletion_of(1, 0), S3_MALFORMED_XML);
	assert_int_equal(deletion_of(1, 1024), S3_OK);
	assert_int_equal(deletion_of(1, 1025), S3_KEY_TOO_LONG);
	assert_int_equal(deletion_parse(STR("<Other/>"), &l), S3_MALFORMED_XML);
	assert_int_equal(deletion_parse(STR("<Delete><Thing/></Delete>"), &l), S3_MALFORMED_XML);
	assert_int_equal(deletion_parse(STR("<Delete><Object><Key>k</Key><Size>x</Size></Object></Delete>"), &l), S3_MALFORMED_XML);
	assert_int_equal(deletion_parse(STR("<Delete><Object>"), &l), S3_MALFORMED_XML);
}

/* ---- CompleteMultipartUpload ---- */

#define PART(n, etag, more) "<Part><PartNumber>" n "</PartNumber><ETag>" etag "</ETag>" more "</Part>"
#define COMPLETE(list) "<CompleteMultipartUpload xmlns=\"" S3_XMLNS "\">" list "</CompleteMultipartUpload>"

static enum s3_error
completion_error(const char *xml)
{
	struct completion c = {0};
	enum s3_error e = completion_parse(str_c(xml), &c);

	completion_release(&c);
	return e;
}

static void
test_completion(void **state)
{
	struct completion c;

	(void)state;
	assert_int_equal(completion_parse(STR(COMPLETE(PART("1", "\"" ID1 "\"", "<ChecksumCRC32>y/Q5Jg==</ChecksumCRC32>")
	    PART("3", "short", "") PART("10000", ID1, ""))), &c), S3_OK);
	assert_int_equal(c.n, 3);
	assert_true(c.parts[0].has_etag);
	assert_int_equal(c.parts[0].sum.kind, CHECKSUM_CRC32);
	assert_false(c.parts[1].has_etag); /* no part has it: told as InvalidPart */
	assert_int_equal(c.parts[2].number, 10000);
	assert_int_equal(c.parts[2].sum.kind, CHECKSUM_NONE);
	completion_release(&c);
	assert_int_equal(completion_error(""), S3_MALFORMED_XML);
	assert_int_equal(completion_error(COMPLETE("")), S3_MALFORMED_XML);
	assert_int_equal(completion_error("<Other>" PART("1", ID1, "") "</Other>"), S3_MALFORMED_XML);
	assert_int_equal(completion_error(COMPLETE("<Part><PartNumber>1</PartNumber></Part>")), S3_MALFORMED_XML);
	assert_int_equal(completion_error(COMPLETE(PART("x", ID1, ""))), S3_MALFORMED_XML);
	assert_int_equal(completion_error(COMPLETE(PART("-1", ID1, ""))), S3_MALFORMED_XML);
	assert_int_equal(completion_error(COMPLETE(PART("0", ID1, ""))), S3_INVALID_ARGUMENT);
	assert_int_equal(completion_error(COMPLETE(PART("10001", ID1, ""))), S3_INVALID_ARGUMENT);
	assert_int_equal(completion_error(COMPLETE(PART("2", ID1, "") PART("1", ID1, ""))), S3_INVALID_PART_ORDER);
	assert_int_equal(completion_error(COMPLETE(PART("1", ID1, "") PART("1", ID1, ""))), S3_INVALID_PART_ORDER);
	assert_int_equal(completion_error(COMPLETE(PART("1", ID1, "<ChecksumCRC32>no</ChecksumCRC32>"))), S3_INVALID_REQUEST);
}

/* ---- CORS ---- */

static enum s3_error
cors_error(const char *rules)
{
	AUTO_BUF b = BUF(64 * KiB);
	struct xml_doc *d;
	enum s3_error e;

	buf_put_c(&b, "<CORSConfiguration>");
	buf_put_c(&b, rules);
	buf_put_c(&b, "</CORSConfiguration>");
	assert_false(err_is(xml_parse(buf_str(&b), &d)));
	e = cors_check(d);
	xml_free(d);
	return e;
}

#define RULE(inner) "<CORSRule>" inner "</CORSRule>"
#define ORIGIN(o) "<AllowedOrigin>" o "</AllowedOrigin>"
#define GET "<AllowedMethod>GET</AllowedMethod>"

static void
test_cors_check(void **state)
{
	(void)state;
	assert_int_equal(cors_error(RULE(ORIGIN("*") GET)), S3_OK);
	assert_int_equal(cors_error(RULE("<ID>x</ID>" ORIGIN("https://*.example.org") GET "<AllowedHeader>x-*</AllowedHeader>"
	    "<ExposeHeader>ETag</ExposeHeader><MaxAgeSeconds>30</MaxAgeSeconds>")), S3_OK);
	assert_int_equal(cors_error(""), S3_MALFORMED_XML);
	assert_int_equal(cors_error("<Rule/>"), S3_MALFORMED_XML);
	assert_int_equal(cors_error(RULE(GET)), S3_MALFORMED_XML);
	assert_int_equal(cors_error(RULE(ORIGIN("*"))), S3_MALFORMED_XML);
	assert_int_equal(cors_error(RULE(ORIGIN("*") "<AllowedMethod>PATCH</AllowedMethod>")), S3_INVALID_REQUEST);
	assert_int_equal(cors_error(RULE(ORIGIN("*.*") GET)), S3_INVALID_REQUEST);
	assert_int_equal(cors_error(RULE(ORIGIN("*") GET "<ExposeHeader>*</ExposeHeader>")), S3_INVALID_REQUEST);
	assert_int_equal(cors_error(RULE(ORIGIN("*") GET "<MaxAgeSeconds>-1</MaxAgeSeconds>")), S3_MALFORMED_XML);
	assert_int_equal(cors_error(RULE(ORIGIN("*") GET "<Other/>")), S3_MALFORMED_XML);
}

static void
test_cors_find(void **state)
{
	AUTO_BUF b = BUF(4 * KiB);
	struct xml_doc *d, *again;
	struct str origin = STR("https://a.example.org");

	(void)state;
	assert_false(err_is(xml_parse(STR("<CORSConfiguration>" RULE("<AllowedMethod>PUT</AllowedMethod>" ORIGIN("https://*.example.org")
	    "<AllowedHeader>x-amz-*</AllowedHeader>") RULE(ORIGIN("*") GET) "</CORSConfiguration>"), &d)));
	cors_write(d, &b);
	assert_false(err_is(xml_parse(buf_str(&b), &again)));
	assert_int_equal(cors_check(again), S3_OK);
	xml_free(d);
	assert_ptr_equal(cors_find(again, origin, STR("PUT"), STR_NONE), xml_first(xml_root(again)));
	assert_ptr_equal(cors_find(again, origin, STR("PUT"), STR("X-Amz-Date, x-amz-acl")), xml_first(xml_root(again)));
	assert_null(cors_find(again, origin, STR("PUT"), STR("x-amz-date,content-type")));
	assert_null(cors_find(again, STR("https://example.org"), STR("PUT"), STR_NONE));
	assert_null(cors_find(again, STR("https://a.example.org.evil"), STR("PUT"), STR_NONE));
	assert_ptr_equal(cors_find(again, STR("null"), STR("GET"), STR_NONE), xml_next(xml_first(xml_root(again))));
	assert_null(cors_find(again, origin, STR("DELETE"), STR_NONE));
	assert_true(cors_matches(STR("a*c"), STR("ac"), false));
	assert_false(cors_matches(STR("ab*bc"), STR("abc"), false)); /* the two ends may not share a byte */
	xml_free(again);
}

/* ---- listings ---- */

static void
test_tokens(void **state)
{
	struct id bucket = {.b = {1}}, other = {.b = {2}};
	AUTO_BUF t = BUF(4 * KiB);
	AUTO_BUF last = BUF(4 * KiB);
	bool is_prefix = false;

	(void)state;
	token_make(bucket, STR("p"), STR("/"), STR("p\x01/"), true, &t);
	assert_false(err_is(token_open(buf_str(&t), bucket, STR("p"), STR("/"), &last, &is_prefix)));
	assert_text(buf_str(&last), "p\x01/");
	assert_true(is_prefix);
	assert_int_equal(token_open(buf_str(&t), other, STR("p"), STR("/"), &last, &is_prefix).code, ERR_INVALID);
	assert_int_equal(token_open(buf_str(&t), bucket, STR("q"), STR("/"), &last, &is_prefix).code, ERR_INVALID);
	assert_int_equal(token_open(buf_str(&t), bucket, STR("p"), STR_NONE, &last, &is_prefix).code, ERR_INVALID);
	assert_int_equal(token_open(STR(""), bucket, STR("p"), STR("/"), &last, &is_prefix).code, ERR_INVALID);
	assert_int_equal(token_open(STR("blah"), bucket, STR("p"), STR("/"), &last, &is_prefix).code, ERR_INVALID);
	for (size_t i = 0; i < t.n; i++) {
		char was = t.p[i];

		t.p[i] = was == 'A' ? 'B' : 'A';
		assert_int_equal(token_open(buf_str(&t), bucket, STR("p"), STR("/"), &last, &is_prefix).code, ERR_INVALID);
		t.p[i] = was;
	}
}

static void
test_common_prefix(void **state)
{
	struct listing l = {.prefix = STR("a/"), .delimiter = STR("/")};

	(void)state;
	assert_true(listing_is_common_prefix(&l, STR("a/b/")));
	assert_false(listing_is_common_prefix(&l, STR("a/")));
	assert_false(listing_is_common_prefix(&l, STR("a/b")));
	assert_false(listing_is_common_prefix(&l, STR("a/b/c")));
	assert_false(listing_is_common_prefix(&l, STR("a/b/c/")));
	assert_false(listing_is_common_prefix(&l, STR("b/b/")));
	l.delimiter = STR("::");
	assert_true(listing_is_common_prefix(&l, STR("a/x::")));
	l.delimiter = STR_NONE;
	assert_false(listing_is_common_prefix(&l, STR("a/b/")));
}

static void
test_bucket_names(void **state)
{
	static const char *const good[] = {"abc", "a.b", "a-b", "123", "my.bucket-1", "aaa.111.222", "a0a", "1.2.3", "apis", "1.2.3.4444",
		"abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijk"};
	static const char *const bad[] = {"", "a", "ab", "Abc", "a_b", "-abc", "abc-", ".abc", "abc.", "a..b", "a.-b", "a-.b", "a b",
		"192.168.5.4", "1.2.3.4", "xn--abc", "sthree-x", "amzn-s3-demo-x", "abc-s3alias", "abc--ol-s3", "abc.mrap", "abc--x-s3",
		"abc--table-s3", "api", "console", "a/b", "a\x80z", "\xC3\xA4" "bc",
		"abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijkl"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		assert_true(bucket_name_is_valid(str_c(good[i])));
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_false(bucket_name_is_valid(str_c(bad[i])));
	assert_false(bucket_name_is_valid(str_of("ab\0c", 4)));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_xml_reads), cmocka_unit_test(test_xml_refuses), cmocka_unit_test(test_xml_depth),
		cmocka_unit_test(test_xml_writes), cmocka_unit_test(test_checksum_vectors), cmocka_unit_test(test_crc_lengths),
		cmocka_unit_test(test_checksum_combines), cmocka_unit_test(test_checksum_parses), cmocka_unit_test(test_checksum_types),
		cmocka_unit_test(test_acl_headers), cmocka_unit_test(test_acl_xml), cmocka_unit_test(test_acl_xml_refuses),
		cmocka_unit_test(test_acl_grant_limit), cmocka_unit_test(test_tagging_xml), cmocka_unit_test(test_tagging_refuses),
		cmocka_unit_test(test_tag_lengths), cmocka_unit_test(test_tagging_header), cmocka_unit_test(test_deletion),
		cmocka_unit_test(test_deletion_refuses), cmocka_unit_test(test_completion), cmocka_unit_test(test_cors_check),
		cmocka_unit_test(test_cors_find), cmocka_unit_test(test_tokens), cmocka_unit_test(test_common_prefix),
		cmocka_unit_test(test_bucket_names),
	};

	if (err_is(crypto_init()))
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
