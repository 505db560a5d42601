#include "gate/http.h"

#include <arpa/inet.h>
#include <gnutls/gnutls.h>
#include <microhttpd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "gate/api.h"
#include "gate/canonical.h"
#include "gate/console.h"
#include "gate/cors.h"
#include "objects/download.h"
#include "gate/fhir_feed.h"
#include "gate/post_form.h"
#include "gate/route.h"
#include "gate/upload.h"

#define MAX_LISTENERS 8
#define CONNECTIONS_MAX 4096u
#define CONNECTION_IDLE_S 75u
/* a head (key 3 KiB encoded, metadata 2 KiB) and a TLS record; zeroed by the library after each request */
#define CONNECTION_MEMORY (40 * KiB)
#define THREAD_STACK (768 * KiB)     /* touched only as far as used */
#define STREAM_BLOCK (256 * KiB)
#define ARENA_BYTES (48 * KiB)
#define BUFFERED_ANSWER_MAX (64 * KiB) /* smaller objects are opened before the status is sent */
#define DRAIN_MAX (16 * MiB)           /* a refused body is read to its end up to this; more breaks the connection */

struct http {
	struct house *house;
	struct MHD_Daemon *daemons[MAX_LISTENERS];
	size_t n;
};

enum phase { PHASE_HEAD, PHASE_BODY, PHASE_DRAIN };

/* a request and what only this file knows of it */
struct exchange {
	struct request r;
	enum phase phase;
	uint64_t drained;
	char *raw;
	char address[INET6_ADDRSTRLEN];
};

/* ---- beginning and end ---- */

static void
exchange_free(struct exchange *x)
{
	struct request *r = &x->r;

	upload_free(r->upload);
	r->house->fhir_bytes -= r->fhir_reserved;
	form_free(r->form);
	if (r->answer.stream)
		download_free(r->answer.stream);
	buf_release(&r->answer.head);
	buf_release(&r->answer.body);
	buf_release(&r->document);
	buf_release(&r->scratch);
	free(x->raw);
	free(x);
}

/* libmicrohttpd hands over the raw request target, once, before anything else */
static void *
on_target(void *cls, const char *target, struct MHD_Connection *c)
{
	struct exchange *x = calloc(1, sizeof(*x));
	struct id id = id_new();

	(void)c;
	if (!x)
		return NULL;
	x->raw = strdup(target);
	if (!x->raw) {
		free(x);
		return NULL;
	}
	x->r.house = cls;
	x->r.scratch = BUF_WIPED(ARENA_BYTES);
	x->r.answer.head = BUF(32 * KiB);
	x->r.answer.body = BUF_WIPED(8 * MiB);
	x->r.document = BUF_WIPED(4 * MiB);
	id_format(id, x->r.id_hex);
	str_split(str_c(x->raw), '?', &x->r.raw_path, &x->r.raw_query);
	if (!buf_room(&x->r.scratch, ARENA_BYTES)) { /* whole at once: strings in it never move */
		exchange_free(x);
		return NULL;
	}
	return x;
}

static void
on_completed(void *cls, struct MHD_Connection *c, void **con_cls, enum MHD_RequestTerminationCode how)
{
	(void)cls;
	(void)c;
	(void)how;
	if (*con_cls)
		exchange_free(*con_cls);
	*con_cls = NULL;
}

static size_t
keep_escapes(void *cls, struct MHD_Connection *c, char *s)
{
	(void)cls;
	(void)c;
	return strlen(s);
}

static enum MHD_Result
on_header(void *cls, enum MHD_ValueKind kind, const char *name, size_t name_n, const char *value, size_t value_n)
{
	struct request *r = cls;

	(void)kind;
	if (r->n_headers == LIMIT_HEADERS)
		return MHD_NO;
	r->headers[r->n_headers++] = (struct pair){str_of(name, name_n), str_of(value ? value : "", value_n)};
	return MHD_YES;
}

static enum method
method_of(struct str m)
{
	static const char *const names[] = {"GET", "HEAD", "PUT", "POST", "DELETE", "OPTIONS", "PATCH"};

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (str_eq(m, str_c(names[i])))
			return (enum method)i;
	return METHOD_OTHER;
}

void
http_address(const struct sockaddr *sa, char *out, size_t n)
{
	out[0] = 0;
	if (sa && sa->sa_family == AF_INET) {
		struct sockaddr_in in;

		memcpy(&in, sa, sizeof(in));
		inet_ntop(AF_INET, &in.sin_addr, out, (socklen_t)n);
	} else if (sa && sa->sa_family == AF_INET6) {
		struct sockaddr_in6 in6;

		memcpy(&in6, sa, sizeof(in6));
		if (IN6_IS_ADDR_V4MAPPED(&in6.sin6_addr))
			inet_ntop(AF_INET, &in6.sin6_addr.s6_addr[12], out, (socklen_t)n);
		else
			inet_ntop(AF_INET6, &in6.sin6_addr, out, (socklen_t)n);
	}
}

static void
set_address(struct exchange *x, struct MHD_Connection *c)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(c, MHD_CONNECTION_INFO_CLIENT_ADDRESS);

	http_address(info ? info->client_addr : NULL, x->address, sizeof(x->address));
	x->r.address = str_c(x->address);
	x->r.proof.address = x->r.address;
}

/* A feed proves itself by its certificate, which our own authority has issued; warden knows which fingerprint is whose. */
static void
set_certificate(struct exchange *x, struct MHD_Connection *c)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(c, MHD_CONNECTION_INFO_GNUTLS_SESSION);
	gnutls_session_t tls = info ? (gnutls_session_t)info->tls_session : NULL;
	const gnutls_datum_t *chain;
	unsigned n = 0, status = 1;

	if (!tls || gnutls_certificate_type_get(tls) != GNUTLS_CRT_X509)
		return;
	chain = gnutls_certificate_get_peers(tls, &n);
	if (!chain || n == 0 || gnutls_certificate_verify_peers2(tls, &status) != GNUTLS_E_SUCCESS || status != 0)
		return;
	sha256(str_of(chain[0].data, chain[0].size), x->r.proof.fingerprint);
	x->r.proof.kind = PROOF_CERTIFICATE;
}

/* ---- the answer ---- */

static ssize_t
on_stream(void *cls, uint64_t pos, char *out, size_t max)
{
	struct download *d = cls;
	size_t n;

	(void)pos;
	if (err_is(download_read(d, out, max, &n)))
		return MHD_CONTENT_READER_END_WITH_ERROR; /* breaks the connection: the client sees too few bytes */
	return n == 0 ? MHD_CONTENT_READER_END_OF_STREAM : (ssize_t)n;
}

static void
on_stream_free(void *cls)
{
	download_free(cls);
}

/* HEAD: the size is told, nothing is ever read */
static ssize_t
on_nothing(void *cls, uint64_t pos, char *out, size_t max)
{
	(void)cls;
	(void)pos;
	(void)out;
	(void)max;
	return MHD_CONTENT_READER_END_WITH_ERROR;
}

static void
wipe_and_free(void *cls)
{
	struct buf *b = cls;

	buf_release(b);
	free(b);
}

/* A small object is opened before its status line is sent: what does not verify becomes an error, not a cut answer. */
static void
buffer_small_stream(struct request *r)
{
	struct answer *a = &r->answer;
	struct err e = OK;
	size_t n = 1;

	if (!a->stream || a->stream_size > BUFFERED_ANSWER_MAX || r->method == METHOD_HEAD)
		return;
	buf_clear(&a->body);
	while (!err_is(e) && n > 0) {
		void *room = buf_room(&a->body, BUFFERED_ANSWER_MAX + 1 - a->body.n);

		e = room ? download_read(a->stream, room, BUFFERED_ANSWER_MAX + 1 - a->body.n, &n) : ERR(ERR_NO_MEMORY);
		if (!err_is(e))
			buf_grew(&a->body, n);
	}
	download_free(a->stream);
	a->stream = NULL;
	if (!err_is(e) && a->body.n != a->stream_size)
		e = ERR(ERR_CORRUPT);
	if (err_is(e))
		answer_err(r, e, REASON_NONE);
}

static struct MHD_Response *
response_of(struct request *r)
{
	struct answer *a = &r->answer;
	struct MHD_Response *m;

	if (a->stream && r->method == METHOD_HEAD) {
		return MHD_create_response_from_callback(a->stream_size, 1024, on_nothing, NULL, NULL);
	} else if (a->stream) {
		m = MHD_create_response_from_callback(a->stream_size, STREAM_BLOCK, on_stream, a->stream, on_stream_free);
		if (m)
			a->stream = NULL;
		return m;
	} else if (a->body.n > 0) {
		struct buf *kept = malloc(sizeof(*kept));

		if (!kept)
			return NULL;
		*kept = buf_take(&a->body);
		m = MHD_create_response_from_buffer_with_free_callback_cls(kept->n, kept->p, wipe_and_free, kept);
		if (!m)
			wipe_and_free(kept);
		return m;
	} else if (r->method == METHOD_HEAD && a->stream_size > 0) {
		return MHD_create_response_from_callback(a->stream_size, 1024, on_nothing, NULL, NULL);
	}
	return MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
}

static enum MHD_Result
send_answer(struct exchange *x, struct MHD_Connection *c)
{
	struct request *r = &x->r;
	struct MHD_Response *m;
	enum MHD_Result ok;
	const char *h, *end;

	if (r->answer.status == 0)
		answer_error(r, S3_INTERNAL_ERROR);
	buffer_small_stream(r);
	cors_answer(r);
	if (r->answer.status >= 400)
		r->house->errors++;
	m = response_of(r);
	if (!m)
		return MHD_NO;
	answer_header(r, "x-amz-request-id", str_c(r->id_hex));
	answer_header(r, "Server", STR("Cloister"));
	answer_header(r, "Strict-Transport-Security", STR("max-age=31536000"));
	answer_header(r, "X-Content-Type-Options", STR("nosniff"));
	if (r->answer.close)
		answer_header(r, "Connection", STR("close"));
	for (h = r->answer.head.p, end = h + r->answer.head.n; h && h < end; h += strlen(h) + 1) {
		char name[64];
		const char *colon = strchr(h, ':');
		size_t n = colon ? (size_t)(colon - h) : sizeof(name);

		if (n < sizeof(name)) {
			memcpy(name, h, n);
			name[n] = 0;
			(void)MHD_add_response_header(m, name, colon + 2); /* an empty value is left out */
		}
	}
	ok = MHD_queue_response(c, r->answer.status, m);
	MHD_destroy_response(m);
	return ok;
}

/* ---- the request ---- */

static uint64_t
announced_length(const struct request *r)
{
	uint64_t n = 0;

	if (request_header(r, "transfer-encoding").p)
		return UINT64_MAX;
	err_ignore(num_parse_u64(request_header(r, "content-length"), UINT64_MAX, &n));
	return n;
}

/* A broken Content-Length is refused here: libmicrohttpd has its own opinion of it, S3 clients expect ours. */
static bool
head_is_sane(struct request *r)
{
	struct str length = request_header(r, "content-length");
	uint64_t n;

	if (length.p && err_is(num_parse_u64(length, UINT64_MAX - 1, &n))) {
		answer_error_field(r, S3_INVALID_ARGUMENT, "Content-Length");
		return false;
	}
	if (r->method == METHOD_OTHER) {
		answer_error(r, S3_METHOD_NOT_ALLOWED);
		return false;
	}
	return true;
}

/* true: go on with the body (or without); false: an answer is there */
static bool
begin(struct exchange *x, struct MHD_Connection *c, const char *method)
{
	struct request *r = &x->r;

	r->house->requests++;
	r->method_text = str_c(method);
	r->method = method_of(r->method_text);
	set_address(x, c);
	if (MHD_get_connection_values_n(c, MHD_HEADER_KIND, on_header, r) < 0 || r->n_headers == LIMIT_HEADERS) {
		answer_error(r, S3_INVALID_REQUEST);
		return false;
	}
	if (!head_is_sane(r) || !route_parse(r))
		return false;
	if (api_owns(r) ? !api_find(r) : fhir_owns(r) ? !fhir_feed_find(r) : console_owns(r) ? !console_find(r) : !route_find(r))
		return false;
	if (!proof_from_request(r))
		return false;
	if (r->proof.kind == PROOF_NONE)
		set_certificate(x, c);
	conditions_from_request(r);
	if (r->op->begin && !r->op->begin(r))
		return false;
	if (r->op->body == BODY_UPLOAD)
		return upload_begin(r);
	if (r->op->body == BODY_FORM)
		return form_begin(r, c);
	return true;
}

static enum MHD_Result
refuse_early(struct exchange *x, struct MHD_Connection *c)
{
	struct request *r = &x->r;
	uint64_t length = announced_length(r);

	if (length == 0) {
		x->phase = PHASE_DRAIN;
		return MHD_YES; /* nothing comes: answer at the second call, and keep the connection */
	}
	/*
	 * Who waits for 100-continue gets the answer instead; who does not is listened to, within reason, so that it can read it.
	 * A chunked body of unknown length is mostly a small one.
	 */
	if (request_header(r, "expect").p || (length > DRAIN_MAX && length != UINT64_MAX)) {
		r->answer.close = true;
		return send_answer(x, c);
	}
	x->phase = PHASE_DRAIN;
	return MHD_YES;
}

static void
take_body(struct exchange *x, const char *data, size_t n)
{
	struct request *r = &x->r;

	x->drained += n;
	if (x->phase == PHASE_DRAIN || r->answer.status != 0)
		return;
	if (r->op->body == BODY_UPLOAD) {
		upload_feed(r, phi_of(data, n));
	} else if (r->op->body == BODY_FORM) {
		form_feed(r, data, n);
	} else if (r->op->body == BODY_DOCUMENT) {
		if (r->document.n + n > r->op->document_bytes_max)
			answer_error(r, str_eq(str_c(r->op->name), STR("DeleteObjects")) ? S3_MALFORMED_XML : S3_ENTITY_TOO_LARGE);
		else
			buf_put(&r->document, data, n);
	}
}

/* the digest that the asker signed holds for collected documents too */
static bool
document_is_signed(struct request *r)
{
	struct payload p = {.kind = PAYLOAD_UNSIGNED};
	uint8_t got[32];

	if (r->op->body != BODY_DOCUMENT || r->proof.kind != PROOF_SIGV4)
		return true;
	if (err_is(payload_of(r, &p)) || p.kind == PAYLOAD_CHUNKS || p.kind == PAYLOAD_CHUNKS_TRAILER ||
	    p.kind == PAYLOAD_UNSIGNED_TRAILER) {
		answer_error_field(r, S3_INVALID_ARGUMENT, "x-amz-content-sha256");
		return false;
	}
	if (p.kind == PAYLOAD_SHA256) {
		sha256(buf_str(&r->document), got);
		if (!crypto_equal(got, p.sha256, 32)) {
			answer_error(r, S3_CONTENT_SHA256_MISMATCH);
			return false;
		}
	}
	return true;
}

static void
finish(struct exchange *x)
{
	struct request *r = &x->r;

	if (x->phase == PHASE_DRAIN || r->answer.status != 0)
		return;
	if (r->op->body == BODY_UPLOAD) {
		upload_finish(r);
		if (r->op->handle)
			r->op->handle(r);
	} else if (r->op->body == BODY_FORM) {
		form_finish(r);
	} else if (document_is_signed(r)) {
		r->op->handle(r);
	}
}

static enum MHD_Result
on_request(void *cls, struct MHD_Connection *c, const char *url, const char *method, const char *version, const char *data,
    size_t *data_n, void **con_cls)
{
	struct exchange *x = *con_cls;

	(void)cls;
	(void)url;
	(void)version;
	if (!x)
		return MHD_NO;
	if (x->phase == PHASE_HEAD) {
		x->phase = PHASE_BODY;
		return begin(x, c, method) ? MHD_YES : refuse_early(x, c);
	}
	if (*data_n > 0) {
		take_body(x, data, *data_n);
		*data_n = 0;
		return x->drained > DRAIN_MAX && x->r.answer.status != 0 ? MHD_NO : MHD_YES;
	}
	finish(x);
	return send_answer(x, c);
}

static void
on_connection(void *cls, struct MHD_Connection *c, void **socket_cls, enum MHD_ConnectionNotificationCode what)
{
	struct house *h = cls;

	(void)c;
	(void)socket_cls;
	if (what == MHD_CONNECTION_NOTIFY_STARTED)
		h->connections++;
	else
		h->connections--;
}

struct err
http_start(struct house *house, const int *fds, size_t n, const char *cert_pem, const char *key_pem, struct http **ret)
{
	struct http *h = calloc(1, sizeof(*h));

	if (!h)
		return ERR(ERR_NO_MEMORY);
	INVARIANT(n <= MAX_LISTENERS);
	h->house = house;
	for (size_t i = 0; i < n; i++) {
		h->daemons[i] = MHD_start_daemon(MHD_USE_THREAD_PER_CONNECTION | MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_POLL |
			MHD_USE_TLS, 0, NULL, NULL, on_request, NULL, MHD_OPTION_LISTEN_SOCKET, fds[i],
		    MHD_OPTION_HTTPS_MEM_CERT, cert_pem, MHD_OPTION_HTTPS_MEM_KEY, key_pem,
		    MHD_OPTION_HTTPS_MEM_TRUST, cert_pem, MHD_OPTION_HTTPS_PRIORITIES, HTTP_TLS_PRIORITIES,
		    MHD_OPTION_URI_LOG_CALLBACK, on_target, house, MHD_OPTION_UNESCAPE_CALLBACK, keep_escapes, NULL,
		    MHD_OPTION_NOTIFY_COMPLETED, on_completed, NULL, MHD_OPTION_NOTIFY_CONNECTION, on_connection, house,
		    MHD_OPTION_CONNECTION_LIMIT, CONNECTIONS_MAX, MHD_OPTION_CONNECTION_TIMEOUT, CONNECTION_IDLE_S,
		    MHD_OPTION_CONNECTION_MEMORY_LIMIT, CONNECTION_MEMORY, MHD_OPTION_THREAD_STACK_SIZE, THREAD_STACK,
		    MHD_OPTION_END);
		if (!h->daemons[i]) {
			h->n = i;
			http_stop(h);
			return ERR(ERR_IO);
		}
	}
	h->n = n;
	*ret = h;
	return OK;
}

void
http_stop(struct http *h)
{
	for (size_t i = 0; i < h->n; i++)
		MHD_stop_daemon(h->daemons[i]);
	free(h);
}
