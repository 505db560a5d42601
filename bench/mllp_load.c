/*
 * mllp_load HOST PORT CA CERT KEY SENDERS SECONDS FILE: as many senders of HL7 v2 over MLLP and mutual TLS, each in lock-step (the next message
 * when the one before is acknowledged), in one thread. FILE holds one message, whose MSH-10 is "%CONTROLID%": each is sent with a new id.
 * Prints a JSON object: messages acknowledged AA a second, latencies in milliseconds, how many got another answer.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define SENDERS_MAX 1024
#define MESSAGE_MAX (1 << 20)
#define SAMPLES_MAX 4000000
#define MARK "%CONTROLID%"

struct sender {
	SSL *ssl;
	int fd;
	char *frame, in[16384];
	size_t n, in_n;
	double begun;
};

static char message[MESSAGE_MAX];
static size_t message_n, mark_at;
static struct sender senders[SENDERS_MAX];
static float samples[SAMPLES_MAX];
static size_t n_samples, accepted, other;
static unsigned long next_id;

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

_Noreturn static void
die(const char *what)
{
	fprintf(stderr, "mllp_load: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void
read_message(const char *path)
{
	FILE *f = fopen(path, "rb");
	char *mark;

	if (!f)
		die(path);
	message_n = fread(message, 1, sizeof(message) - 1, f);
	(void)fclose(f);
	mark = memmem(message, message_n, MARK, strlen(MARK));
	if (!mark)
		die("no " MARK " in the message");
	mark_at = (size_t)(mark - message);
}

static void
send_next(struct sender *s)
{
	char id[24];
	size_t rest = message_n - mark_at - strlen(MARK), at = 0, put;
	size_t id_n = (size_t)snprintf(id, sizeof(id), "B%lx.%lx", (unsigned long)getpid(), next_id++);

	s->frame[at++] = 0x0b;
	memcpy(s->frame + at, message, mark_at);
	at += mark_at;
	memcpy(s->frame + at, id, id_n);
	at += id_n;
	memcpy(s->frame + at, message + mark_at + strlen(MARK), rest);
	at += rest;
	s->frame[at++] = 0x1c;
	s->frame[at++] = 0x0d;
	s->begun = now();
	s->in_n = 0;
	for (size_t done = 0; done < at; done += put) /* fits the socket's buffer; if not, it waits for the receiver */
		if (SSL_write_ex(s->ssl, s->frame + done, at - done, &put) != 1)
			die("writing");
}

static void
connect_one(struct sender *s, SSL_CTX *ctx, const char *host, int port)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	int one = 1;

	s->fd = socket(AF_INET, SOCK_STREAM, 0);
	s->frame = malloc(message_n + 64);
	if (s->fd < 0 || !s->frame || inet_pton(AF_INET, host, &at.sin_addr) != 1 ||
	    connect(s->fd, (struct sockaddr *)&at, sizeof(at)) != 0)
		die("connecting");
	(void)setsockopt(s->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	s->ssl = SSL_new(ctx);
	if (!s->ssl || SSL_set_fd(s->ssl, s->fd) != 1 || SSL_connect(s->ssl) != 1)
		die("TLS handshake");
}

/* one answer may come in several reads; true: it is whole */
static int
take_answer(struct sender *s)
{
	size_t got;

	while (SSL_read_ex(s->ssl, s->in + s->in_n, sizeof(s->in) - 1 - s->in_n, &got) == 1) {
		s->in_n += got;
		if (s->in_n >= 2 && s->in[s->in_n - 2] == 0x1c && s->in[s->in_n - 1] == 0x0d)
			return 1;
	}
	if (SSL_get_error(s->ssl, 0) != SSL_ERROR_WANT_READ)
		die("the receiver closed the connection");
	return 0;
}

static void
count_answer(const struct sender *s)
{
	if (memmem(s->in, s->in_n, "\rMSA|AA|", 8))
		accepted++;
	else
		other++;
	if (n_samples < SAMPLES_MAX)
		samples[n_samples++] = (float)((now() - s->begun) * 1e3);
}

static int
by_value(const void *a, const void *b)
{
	float x = *(const float *)a, y = *(const float *)b;

	return (x > y) - (x < y);
}

static void
run(unsigned n, double seconds)
{
	struct epoll_event ev[64];
	int epoll = epoll_create1(0);
	double begun = now(), end;
	unsigned busy = n;

	for (unsigned i = 0; i < n; i++) {
		struct epoll_event e = {.events = EPOLLIN, .data.ptr = &senders[i]};

		send_next(&senders[i]);
		if (fcntl(senders[i].fd, F_SETFL, O_NONBLOCK) != 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, senders[i].fd, &e) != 0)
			die("epoll");
	}
	while (busy > 0) {
		int k = epoll_wait(epoll, ev, 64, 60000);

		if (k <= 0)
			die("no answer for a minute");
		for (int i = 0; i < k; i++) {
			struct sender *s = ev[i].data.ptr;

			if (!take_answer(s))
				continue;
			count_answer(s);
			if (now() - begun < seconds)
				send_next(s);
			else
				busy--;
		}
	}
	end = now();
	qsort(samples, n_samples, sizeof(samples[0]), by_value);
	printf("{\"per_s\": %.1f, \"accepted\": %zu, \"other\": %zu, \"p50_ms\": %.3f, \"p99_ms\": %.3f, \"bytes\": %zu}\n",
	    (double)accepted / (end - begun), accepted, other, n_samples ? (double)samples[n_samples / 2] : 0,
	    n_samples ? (double)samples[n_samples * 99 / 100] : 0, message_n);
}

int
main(int argc, char **argv)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	unsigned n;

	if (argc != 9)
		die("usage: mllp_load HOST PORT CA CERT KEY SENDERS SECONDS FILE");
	n = (unsigned)atoi(argv[6]);
	if (n == 0 || n > SENDERS_MAX)
		die("senders");
	read_message(argv[8]);
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
	if (SSL_CTX_load_verify_locations(ctx, argv[3], NULL) != 1 || SSL_CTX_use_certificate_file(ctx, argv[4], SSL_FILETYPE_PEM) != 1 ||
	    SSL_CTX_use_PrivateKey_file(ctx, argv[5], SSL_FILETYPE_PEM) != 1)
		die("certificates");
	SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	for (unsigned i = 0; i < n; i++)
		connect_one(&senders[i], ctx, argv[1], atoi(argv[2]));
	run(n, atof(argv[7]));
	return 0;
}
