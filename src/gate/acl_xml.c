#include "gate/acl_xml.h"

static const struct { const char *name; uint8_t permission; } permissions[] = {
	{"FULL_CONTROL", ACL_FULL_CONTROL}, {"READ", ACL_READ}, {"WRITE", ACL_WRITE}, {"READ_ACP", ACL_READ_ACP},
	{"WRITE_ACP", ACL_WRITE_ACP},
};

static const struct { const char *uri; enum acl_grantee grantee; } groups[] = {
	{"http://acs.amazonaws.com/groups/global/AllUsers", ACL_ALL_USERS},
	{"http://acs.amazonaws.com/groups/global/AuthenticatedUsers", ACL_AUTHENTICATED_USERS},
	{"http://acs.amazonaws.com/groups/s3/LogDelivery", ACL_LOG_DELIVERY},
};

static const struct { const char *header; uint8_t permission; } grant_headers[] = {
	{"x-amz-grant-full-control", ACL_FULL_CONTROL}, {"x-amz-grant-read", ACL_READ}, {"x-amz-grant-write", ACL_WRITE},
	{"x-amz-grant-read-acp", ACL_READ_ACP}, {"x-amz-grant-write-acp", ACL_WRITE_ACP},
};

static bool
group_of(struct str uri, enum acl_grantee *ret)
{
	for (size_t i = 0; i < ARRAY_LEN(groups); i++)
		if (str_eq(uri, str_c(groups[i].uri))) {
			*ret = groups[i].grantee;
			return true;
		}
	return false;
}

/* ---- headers ---- */

static enum s3_error
grantee_parse(struct str kind, struct str value, struct acl_grant *g)
{
	if (str_eq_nocase(kind, STR("id"))) {
		g->grantee = ACL_USER;
		return err_is(id_parse(value, &g->user)) ? S3_INVALID_ARGUMENT : S3_OK;
	}
	if (str_eq_nocase(kind, STR("uri")))
		return group_of(value, &g->grantee) ? S3_OK : S3_INVALID_ARGUMENT;
	if (str_eq_nocase(kind, STR("emailAddress"))) {
		g->grantee = ACL_EMAIL;
		g->email = value;
		return value.n ? S3_OK : S3_INVALID_ARGUMENT;
	}
	return S3_INVALID_ARGUMENT;
}

/* the text up to a comma outside quotes */
static struct str
take_item(struct str *rest)
{
	bool quoted = false;
	size_t i = 0;
	struct str item;

	for (; i < rest->n; i++) {
		if (rest->p[i] == '"')
			quoted = !quoted;
		else if (rest->p[i] == ',' && !quoted)
			break;
	}
	item = str_trim(str_sub(*rest, 0, i));
	*rest = str_sub(*rest, i + 1, SIZE_MAX);
	return item;
}

enum s3_error
acl_grants_parse(struct str header, uint8_t permission, struct acl *a)
{
	struct str rest = header;

	do {
		struct str item = take_item(&rest), kind, value;
		struct acl_grant g = {.permission = permission};
		enum s3_error e;

		if (!str_split(item, '=', &kind, &value))
			return S3_INVALID_ARGUMENT;
		value = str_trim(value);
		if (value.n >= 2 && value.p[0] == '"' && value.p[value.n - 1] == '"')
			value = str_sub(value, 1, value.n - 2);
		e = grantee_parse(str_trim(kind), value, &g);
		if (e != S3_OK)
			return e;
		if (a->n == LIMIT_ACL_GRANTS)
			return S3_INVALID_ARGUMENT;
		a->grants[a->n++] = g;
	} while (rest.n > 0);
	return S3_OK;
}

static bool
grant_headers_present(const struct request *r)
{
	for (size_t i = 0; i < ARRAY_LEN(grant_headers); i++)
		if (request_header(r, grant_headers[i].header).p)
			return true;
	return false;
}

bool
acl_headers_present(const struct request *r)
{
	return request_header(r, "x-amz-acl").p || grant_headers_present(r);
}

static bool
refused(struct request *r, enum s3_error e, const char *field)
{
	answer_error_field(r, e, field);
	return false;
}

bool
acl_from_headers(struct request *r, struct acl *ret)
{
	struct str canned = request_header(r, "x-amz-acl");
	bool grants = grant_headers_present(r);

	memset(ret, 0, sizeof(*ret));
	if (canned.p && grants) /* "Specifying both Canned ACLs and Header Grants is not allowed" */
		return refused(r, S3_INVALID_REQUEST, "x-amz-acl");
	if (!grants) {
		if (canned.p && err_is(acl_canned_parse(str_trim(canned), &ret->canned)))
			return refused(r, S3_INVALID_ARGUMENT, "x-amz-acl");
		if (!canned.p)
			ret->canned = ACL_CANNED_PRIVATE;
		return true;
	}
	for (size_t i = 0; i < ARRAY_LEN(grant_headers); i++) {
		struct str h = request_header(r, grant_headers[i].header);
		enum s3_error e = h.p ? acl_grants_parse(h, grant_headers[i].permission, ret) : S3_OK;

		if (e != S3_OK)
			return refused(r, e, grant_headers[i].header);
	}
	return true;
}

/* ---- XML ---- */

static enum s3_error
grantee_from_xml(const struct xml_node *n, struct acl_grant *g)
{
	struct str type = xml_attribute(n, "type"), id = xml_child_text(n, "ID"), uri = xml_child_text(n, "URI");
	struct str email = xml_child_text(n, "EmailAddress");

	if (str_eq(type, STR("CanonicalUser"))) {
		if (!xml_child(n, "ID"))
			return S3_MALFORMED_ACL;
		g->grantee = ACL_USER;
		return err_is(id_parse(id, &g->user)) ? S3_INVALID_ARGUMENT : S3_OK;
	}
	if (str_eq(type, STR("Group"))) {
		if (!xml_child(n, "URI"))
			return S3_MALFORMED_ACL;
		return group_of(uri, &g->grantee) ? S3_OK : S3_INVALID_ARGUMENT;
	}
	if (str_eq(type, STR("AmazonCustomerByEmail")) && email.n) {
		g->grantee = ACL_EMAIL;
		g->email = email;
		return S3_OK;
	}
	return S3_MALFORMED_ACL;
}

static enum s3_error
grant_from_xml(const struct xml_node *n, struct acl *a)
{
	struct acl_grant g = {0};
	const struct xml_node *grantee = xml_child(n, "Grantee");
	struct str permission = xml_child_text(n, "Permission");
	enum s3_error e;

	if (!xml_is(n, "Grant") || !grantee || a->n == LIMIT_ACL_GRANTS)
		return S3_MALFORMED_ACL;
	for (size_t i = 0; i < ARRAY_LEN(permissions); i++)
		if (str_eq(permission, str_c(permissions[i].name)))
			g.permission = permissions[i].permission;
	if (g.permission == 0)
		return S3_MALFORMED_ACL;
	e = grantee_from_xml(grantee, &g);
	if (e == S3_OK)
		a->grants[a->n++] = g;
	return e;
}

static enum s3_error
policy_from_xml(const struct xml_node *root, struct acl *a)
{
	const struct xml_node *owner = xml_child(root, "Owner"), *list = xml_child(root, "AccessControlList");

	if (!xml_is(root, "AccessControlPolicy") || !owner || !list || !xml_child(owner, "ID"))
		return S3_MALFORMED_ACL;
	if (err_is(id_parse(xml_child_text(owner, "ID"), &a->owner)))
		return S3_INVALID_ARGUMENT;
	for (const struct xml_node *n = xml_first(list); n; n = xml_next(n)) {
		enum s3_error e = grant_from_xml(n, a);

		if (e != S3_OK)
			return e;
	}
	return S3_OK;
}

enum s3_error
acl_from_xml(struct str text, struct xml_doc **ret_doc, struct acl *ret)
{
	struct xml_doc *doc = NULL;
	enum s3_error e;

	*ret_doc = NULL;
	memset(ret, 0, sizeof(*ret));
	e = xml_read(text, S3_MALFORMED_ACL, &doc);
	if (e != S3_OK)
		return e;
	e = policy_from_xml(xml_root(doc), ret);
	if (e == S3_OK)
		*ret_doc = doc;
	else
		xml_free(doc);
	return e;
}

bool
acl_take(struct request *r, struct xml_doc **ret_doc, struct acl *ret, enum s3_error *ret_bad)
{
	*ret_bad = S3_OK;
	if (acl_headers_present(r)) {
		if (r->document.n)
			*ret_bad = S3_UNEXPECTED_CONTENT;
		return acl_from_headers(r, ret);
	}
	*ret_bad = r->document.n ? acl_from_xml(buf_str(&r->document), ret_doc, ret) : S3_MISSING_SECURITY_HEADER;
	return true;
}

static void
put_person(struct buf *b, struct id id, struct str name)
{
	AUTO_BUF hex = BUF(ID_HEX_LEN);

	buf_put_id_hex(&hex, id);
	xml_put(b, "ID", buf_str(&hex));
	if (name.n)
		xml_put(b, "DisplayName", name);
}

static void
put_grantee(struct buf *b, const struct acl_grant *g, struct str name)
{
	buf_put_c(b, "<Grantee xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:type=\"");
	if (g->grantee == ACL_USER) {
		buf_put_c(b, "CanonicalUser\">");
		put_person(b, g->user, name);
	} else if (g->grantee == ACL_EMAIL) {
		buf_put_c(b, "AmazonCustomerByEmail\">");
		xml_put(b, "EmailAddress", g->email);
	} else {
		buf_put_c(b, "Group\">");
		for (size_t i = 0; i < ARRAY_LEN(groups); i++)
			if (groups[i].grantee == g->grantee)
				xml_put(b, "URI", str_c(groups[i].uri));
	}
	xml_close(b, "Grantee");
}

static void
put_grant(struct buf *b, const struct acl_grant *g, struct str name)
{
	uint8_t left = g->permission;

	/* the first that fits is FULL_CONTROL: what is less is one grant a bit */
	for (size_t i = 0; i < ARRAY_LEN(permissions) && left; i++) {
		if ((left & permissions[i].permission) != permissions[i].permission)
			continue;
		left &= (uint8_t)~permissions[i].permission;
		xml_open(b, "Grant");
		put_grantee(b, g, name);
		xml_put(b, "Permission", str_c(permissions[i].name));
		xml_close(b, "Grant");
	}
}

void
acl_answer(struct request *r, struct id owner, const struct acl *acl)
{
	struct id ids[1 + LIMIT_ACL_GRANTS];
	struct str names[1 + LIMIT_ACL_GRANTS];
	AUTO_BUF b = BUF_WIPED(1 * MiB);
	AUTO_MSG reply = MSG(0);
	struct err e;

	ids[0] = owner;
	for (size_t i = 0; i < acl->n; i++)
		ids[1 + i] = acl->grants[i].user;
	e = warden_names(r->house->warden, ids, 1u + acl->n, &reply, names);
	if (err_is(e)) {
		answer_err(r, e, REASON_NONE);
		return;
	}
	xml_begin(&b, "AccessControlPolicy");
	xml_open(&b, "Owner");
	put_person(&b, owner, names[0]);
	xml_close(&b, "Owner");
	xml_open(&b, "AccessControlList");
	for (size_t i = 0; i < acl->n; i++)
		put_grant(&b, &acl->grants[i], names[1 + i]);
	xml_close(&b, "AccessControlList");
	xml_close(&b, "AccessControlPolicy");
	answer_xml(r, 200, &b);
}

bool
acl_everybody(const struct acl *a)
{
	for (size_t i = 0; i < a->n; i++)
		if (a->grants[i].grantee == ACL_ALL_USERS || a->grants[i].grantee == ACL_AUTHENTICATED_USERS)
			return true;
	return false;
}
