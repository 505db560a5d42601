#include "warden/certificate.h"

#include "base/clock.h"
#include "base/num.h"
#include "crypto/pki.h"

#define HOSTS_MAX 64
#define PEM_BYTES_MAX (16 * KiB)
#define DAY_US (86400 * US_PER_S)

struct err
certificate_new(
    struct str ca_cert, struct str ca_key, struct str hosts, struct buf *cert, struct buf *key)
{
	struct str list[HOSTS_MAX], rest = hosts;
	size_t n = 0;

	while (rest.n > 0) {
		if (n == HOSTS_MAX)
			return ERR(ERR_LIMIT);
		str_split(rest, '\n', &list[n++], &rest);
	}
	return pki_new_server(ca_cert, ca_key, list, n, CERTIFICATE_DAYS, cert, key);
}

static struct err
renew(struct house *h)
{
	AUTO_BUF json = BUF_WIPED(STATE_ROW_BYTES_MAX);
	AUTO_BUF cert = BUF(PEM_BYTES_MAX);
	AUTO_BUF key = BUF_WIPED(PEM_BYTES_MAX);
	struct house_row row = house_row(h);
	struct state_change c = {.kind = STATE_HOUSE, .id = HOUSE_ID};
	struct record r = {0};
	uint8_t digest[SHA256_BYTES];

	TRY(certificate_new(row.ca_cert, row.ca_key, row.hosts, &cert, &key));
	TRY(pki_fingerprint(buf_str(&cert), digest));
	row.tls_cert = buf_str(&cert);
	row.tls_key = buf_str(&key);
	TRY(house_write(&row, &json));
	c.json = buf_str(&json);
	record_word(&r, RECORD_ACT, STR("house.certificate"));
	record_word(&r, RECORD_ADDR, STR("local"));
	record_digest(&r, RECORD_DIGEST, digest);
	return house_change(h, &r, 1, &c, 1, NULL);
}

struct err
certificate_tick(struct house *h, int64_t now_us, int64_t mono_us)
{
	int64_t ends_us;

	if (mono_us < h->certificate_check_us || !h->ledger_open)
		return OK;
	h->certificate_check_us = mono_us + DAY_US;
	TRY(pki_not_after(buf_str(&h->tls_cert), &ends_us));
	return ends_us - now_us < CERTIFICATE_RENEW_DAYS * DAY_US ? renew(h) : OK;
}
