/*
 * request: one HTTP request, from its head to its answer, as the handlers see it.
 *
 * Life: http.c fills it from libmicrohttpd; route.c finds the operation; the operation's handler runs on the connection's own
 * thread, straight through, and leaves an answer. Everything borrowed here lives as long as the request.
 * An operation reads its body in one of four ways (struct operation.body): none; collected (small documents, limited, in
 * memory, wiped); as an upload (upload.h), in which case begin/feed/finish of upload.c are called instead of a handler; or as a
 * browser's form (post_form.h), likewise.
 * Process: gate.
 */
#ifndef CLOISTER_GATE_REQUEST_H
#define CLOISTER_GATE_REQUEST_H

#include "gate/s3_error.h"
#include "names/names.h"
#include "vault/client.h"

enum method { METHOD_GET, METHOD_HEAD, METHOD_PUT, METHOD_POST, METHOD_DELETE, METHOD_OPTIONS, METHOD_PATCH, METHOD_OTHER };


#define LIMIT_QUERY_PAIRS 64
#define LIMIT_HEADERS 96
#define LIMIT_FORM_FIELDS 64
#define LIMIT_CONDITIONS 96

/* what all requests share; made once at start, read-only afterwards (pools lock themselves) */
struct proxy;
struct house {
	struct pool *warden, *vault, *ledger, *steward, *cell;
	struct proxy *proxy;     /* the cells' listener; NULL: none */
	uint16_t cells_port;
	bool _Atomic has_cells;  /* there is a process that builds them */
	struct names_rules *names;
	const volatile struct siren *siren;
	struct str region;       /* "us-east-1" unless configured */
	struct str hostname;     /* for virtual-hosted buckets: "<bucket>.<hostname>"; empty: path style only */
	int64_t started_us;
	uint64_t _Atomic requests, errors, connections;
	uint64_t _Atomic fhir_bytes; /* of documents that are being collected (fhir_feed.h) */
};

struct answer {
	unsigned status;         /* 0: none yet */
	struct buf head;         /* "Name: value\0" … */
	struct buf body;         /* wiped: it may hold PHI-adjacent names */
	struct download *stream; /* else this (download.h), of stream_size bytes */
	uint64_t stream_size;
	bool close;              /* the connection cannot be used again (unread body) */
};

struct request {
	struct house *house;
	enum method method;
	struct str method_text;
	struct str raw_path, raw_query; /* undecoded: signatures are over these */
	struct pair query[LIMIT_QUERY_PAIRS]; /* decoded, in order */
	size_t n_query;
	struct pair headers[LIMIT_HEADERS]; /* as they came */
	size_t n_headers;
	struct str address;      /* peer's IP literal */
	struct str bucket, key;  /* decoded; empty: none */
	bool virtual_host;
	const struct operation *op;
	struct proof proof;      /* from header, query, form or certificate; PROOF_NONE: anonymous */
	struct buf scratch;      /* arena of decoded strings: capped, wiped */
	struct buf document;     /* collected body */
	struct upload *upload;
	struct form *form;       /* PostObject: what stands for the head (post_form.h) */
	struct str fhir_path;    /* below /fhir, as it came; ${key} is where it goes */
	uint64_t fhir_reserved;
	struct condition conditions[LIMIT_CONDITIONS]; /* policy context, filled by auth.c; handlers add */
	size_t n_conditions;
	struct asker asker;      /* after authorize(); name is in asker_name */
	char asker_name[128];
	char id_hex[ID_HEX_LEN + 1]; /* x-amz-request-id */
	struct answer answer;
};

enum body_kind { BODY_NONE, BODY_DOCUMENT, BODY_UPLOAD, BODY_FORM };
struct operation {
	const char *name;      /* "GetObject", as AWS spells it */
	enum body_kind body;
	size_t document_bytes_max;
	void (*handle)(struct request *r); /* of an upload: after it, to say it in another way; may be NULL */
	bool (*begin)(struct request *r);  /* NULL, or before any of the body is taken. False: an answer is there */
};

/* lookups; n == 0 and p == NULL: absent. Header names are matched without case. */
struct str request_header(const struct request *r, const char *name);
bool request_has_query(const struct request *r, const char *name);
struct str request_query(const struct request *r, const char *name);
/* request_keep(r, s): a copy that lives as long as the request (bounded: LIMIT on failure gives an empty string). */
struct str request_keep(struct request *r, struct str s);
void request_condition(struct request *r, struct str key, struct str value);

/* answers. answer_header drops CR, LF and NUL from ${value}. */
void answer_header(struct request *r, const char *name, struct str value);
void answer_header_dec(struct request *r, const char *name, uint64_t v);
void answer_xml(struct request *r, unsigned status, struct buf *xml /* taken */);
void answer_json(struct request *r, unsigned status, struct buf *json /* taken */);
void answer_typed(struct request *r, unsigned status, const char *type, struct buf *doc /* taken */);
void answer_empty(struct request *r, unsigned status);
/* answer_error: S3's XML (JSON under /api, an OperationOutcome under /fhir) with S3's code and status. The message is ours and holds none of the input. */
void answer_error(struct request *r, enum s3_error e);
/* answer_error_field: the same, naming the place (a header, an element, a rule) in <Field>. ${field} is a literal or from our tables. */
void answer_error_field(struct request *r, enum s3_error e, const char *field);
/* is_unknown(r, e, reason): who asks sent no signature, and a password or session of nobody, or of nobody any more: 401 in the API. */
bool is_unknown(const struct request *r, struct err e, enum verdict_reason reason);
/* answer_err: an error of warden, vault or ours, as the S3 error that fits: ${reason} first, else the code. */
void answer_err(struct request *r, struct err e, enum verdict_reason reason);

/*
 * authorize(r, wants, n, reply, verdicts): one call of warden for the whole request. True: all of them allowed; false: an error has
 * been answered (unless ${n} > 1: then the caller looks at each verdict and false means that the call itself failed).
 * Release verdicts with verdict_release, ${reply} with msg_release; both also after false.
 */
bool authorize(struct request *r, const struct want *wants, size_t n, struct msg *reply, struct verdict *verdicts);

/* names: law 8. True: fine; false: 400 InvalidArgument naming the rule has been answered. ${off}: mask from the bucket's charter. */
bool name_allowed(struct request *r, struct str name, uint32_t off, const char *field);

/*
 * with_bucket(r, reply, &b): the request's bucket by name. If it does not exist, who asks is verified and NoSuchBucket (or the
 * authentication error) is answered; false then.
 */
bool with_bucket(struct request *r, enum action a, struct msg *reply, struct bucket_info *b);
/* version_ref from "?versionId="; INVALID: anything but "null" or 32 hex digits. */
struct err request_version(const struct request *r, struct version_ref *ret);
/* etag text without quotes: 32 hex [-N] */
void put_etag(struct buf *b, const uint8_t etag[16], uint32_t n_parts);
struct err parse_etag(struct str s, uint8_t etag[16], uint32_t *ret_parts); /* with or without quotes, W/ refused */

#endif
