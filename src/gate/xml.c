#include "gate/xml.h"

#include <libxml/parser.h>
#include <libxml/tree.h>
#include <pthread.h>

#include "base/clock.h"

#define DEPTH_MAX 64

struct xml_doc { xmlDoc *tree; };

/* struct xml_node is never defined: it is libxml2's node under a name of ours. */
static const xmlNode *
tree_node(const struct xml_node *n)
{
	return (const xmlNode *)(const void *)n;
}

static const struct xml_node *
our_node(const xmlNode *n)
{
	return (const struct xml_node *)(const void *)n;
}

static void
refuse_dtd(void *ctx, const xmlChar *name, const xmlChar *external_id, const xmlChar *system_id)
{
	(void)name, (void)external_id, (void)system_id;
	xmlStopParser(ctx);
}

/* Else it writes to standard error, with a piece of the document, whatever the parser's options say: when memory is out. */
static void
ignore_error(void *ctx, xmlErrorPtr e)
{
	(void)ctx, (void)e;
}

static void
on_error(void *ctx, xmlErrorPtr e)
{
	bool *no_memory = ctx;

	if (e->code == XML_ERR_NO_MEMORY)
		*no_memory = true;
}

static void
init(void)
{
	xmlInitParser();
}

static bool
too_deep(const xmlNode *root)
{
	const xmlNode *n = root;
	size_t depth = 1;

	while (n) {
		if (n->type == XML_ELEMENT_NODE && n->children) {
			n = n->children;
			if (++depth > DEPTH_MAX)
				return true;
			continue;
		}
		while (n && n != root && !n->next) {
			n = n->parent;
			depth--;
		}
		if (!n || n == root)
			break;
		n = n->next;
	}
	return false;
}

/* NULL if it is no document of ours */
static xmlDoc *
parse(xmlParserCtxt *c, struct str text)
{
	xmlDoc *d;

	/* without these, a leaf has one text node: text is not split by comments and the like */
	c->sax->internalSubset = refuse_dtd;
	c->sax->comment = NULL;
	c->sax->processingInstruction = NULL;
	d = xmlCtxtReadMemory(c, text.p, (int)text.n, NULL, NULL,
	    XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING | XML_PARSE_NOCDATA | XML_PARSE_COMPACT);
	if (d && c->wellFormed && !d->intSubset && xmlDocGetRootElement(d) && !too_deep(xmlDocGetRootElement(d)))
		return d;
	xmlFreeDoc(d);
	return NULL;
}

struct err
xml_parse(struct str text, struct xml_doc **ret)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct xml_doc *d;
	xmlParserCtxt *c;
	bool no_memory = false;

	pthread_once(&once, init);
	if (text.n == 0 || text.n > 64 * 1024 * 1024)
		return ERR(ERR_INVALID);
	xmlSetStructuredErrorFunc(NULL, ignore_error);
	c = xmlNewParserCtxt();
	d = calloc(1, sizeof(*d));
	if (!c || !d) {
		xmlFreeParserCtxt(c);
		free(d);
		return ERR(ERR_NO_MEMORY);
	}
	xmlSetStructuredErrorFunc(&no_memory, on_error); /* the thread's own */
	d->tree = parse(c, text);
	xmlSetStructuredErrorFunc(NULL, ignore_error);
	xmlFreeParserCtxt(c);
	if (!d->tree || no_memory) { /* without memory a tree may lack something */
		xml_free(d);
		return ERR(no_memory ? ERR_NO_MEMORY : ERR_INVALID);
	}
	*ret = d;
	return OK;
}

enum s3_error
xml_read(struct str text, enum s3_error malformed, struct xml_doc **ret)
{
	struct err e = xml_parse(text, ret);

	return !err_is(e) ? S3_OK : e.code == ERR_INVALID ? malformed : S3_INTERNAL_ERROR;
}

void
xml_free(struct xml_doc *d)
{
	if (d)
		xmlFreeDoc(d->tree);
	free(d);
}

const struct xml_node *
xml_root(const struct xml_doc *d)
{
	return our_node(xmlDocGetRootElement(d->tree));
}

bool
xml_is(const struct xml_node *n, const char *name)
{
	return n && strcmp((const char *)tree_node(n)->name, name) == 0;
}

static const struct xml_node *
element_from(const xmlNode *n)
{
	while (n && n->type != XML_ELEMENT_NODE)
		n = n->next;
	return our_node(n);
}

const struct xml_node *
xml_first(const struct xml_node *n)
{
	return n ? element_from(tree_node(n)->children) : NULL;
}

const struct xml_node *
xml_next(const struct xml_node *n)
{
	return n ? element_from(tree_node(n)->next) : NULL;
}

const struct xml_node *
xml_child(const struct xml_node *n, const char *name)
{
	for (n = xml_first(n); n; n = xml_next(n))
		if (xml_is(n, name))
			return n;
	return NULL;
}

struct str
xml_text(const struct xml_node *n)
{
	const xmlNode *t = n ? tree_node(n)->children : NULL;

	/* a leaf: parse() saw to it that its text is one node */
	if (!t || t->next || t->type != XML_TEXT_NODE)
		return STR_NONE;
	return str_c((const char *)t->content);
}

struct str
xml_child_text(const struct xml_node *n, const char *name)
{
	return xml_text(xml_child(n, name));
}

struct str
xml_attribute(const struct xml_node *n, const char *local_name)
{
	const xmlAttr *a = n ? tree_node(n)->properties : NULL;

	for (; a; a = a->next)
		if (strcmp((const char *)a->name, local_name) == 0)
			return a->children && !a->children->next ? str_c((const char *)a->children->content) : STR_NONE;
	return STR_NONE;
}

/* ---- writing ---- */

void
xml_begin(struct buf *b, const char *root)
{
	buf_put_c(b, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<");
	buf_put_c(b, root);
	buf_put_c(b, " xmlns=\"" S3_XMLNS "\">");
}

void
xml_open(struct buf *b, const char *name)
{
	buf_put_char(b, '<');
	buf_put_c(b, name);
	buf_put_char(b, '>');
}

void
xml_close(struct buf *b, const char *name)
{
	buf_put_c(b, "</");
	buf_put_c(b, name);
	buf_put_char(b, '>');
}

static const char *
entity(unsigned char c)
{
	switch (c) {
	case '&': return "&amp;";
	case '<': return "&lt;";
	case '>': return "&gt;";
	case '"': return "&quot;";
	default: return NULL;
	}
}

/*
 * Control characters are written as references, as S3 does: most of them are not XML 1.0 even so, and a client that has
 * such keys asks for encoding-type=url. CR as a reference survives the parser's line-end rules.
 */
static void
put_escaped(struct buf *b, struct str s)
{
	size_t plain = 0;

	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		const char *e = entity(c);

		if (!e && (c >= 0x20 || c == '\n' || c == '\t'))
			continue;
		buf_put(b, s.p + plain, i - plain);
		plain = i + 1;
		if (e)
			buf_put_c(b, e);
		else
			buf_printf(b, "&#x%x;", c);
	}
	if (plain < s.n)
		buf_put(b, s.p + plain, s.n - plain);
}

void
xml_put(struct buf *b, const char *name, struct str text)
{
	xml_open(b, name);
	put_escaped(b, text);
	xml_close(b, name);
}

void
xml_put_dec(struct buf *b, const char *name, uint64_t v)
{
	xml_open(b, name);
	buf_put_dec(b, v);
	xml_close(b, name);
}

void
xml_put_bool(struct buf *b, const char *name, bool v)
{
	xml_put(b, name, v ? STR("true") : STR("false"));
}

void
xml_put_time(struct buf *b, const char *name, int64_t us)
{
	xml_open(b, name);
	buf_put_rfc3339_ms(b, us - us % US_PER_S); /* whole seconds, as in Last-Modified */
	xml_close(b, name);
}

static bool
url_safe(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
	    c == '.' || c == '~' || c == '*' || c == '/';
}

void
xml_put_key(struct buf *b, const char *name, struct str key, bool url)
{
	static const char digits[] = "0123456789ABCDEF";

	if (!url) {
		xml_put(b, name, key);
		return;
	}
	xml_open(b, name);
	for (size_t i = 0; i < key.n; i++) {
		unsigned char c = (unsigned char)key.p[i];

		if (url_safe(key.p[i])) {
			buf_put_char(b, key.p[i]);
		} else {
			char out[3] = {'%', digits[c >> 4], digits[c & 15]};

			buf_put(b, out, sizeof(out));
		}
	}
	xml_close(b, name);
}
