/*
 * pki: the private certificate authority and the certificates it issues (ECDSA P-256, X.509 v3).
 * Keys and certificates as PEM text.
 */
#ifndef CLOISTER_CRYPTO_PKI_H
#define CLOISTER_CRYPTO_PKI_H

#include "base/buf.h"

/* pki_new_ca(name, days, &cert, &key) */
struct err pki_new_ca(struct str common_name, uint32_t days, struct buf *cert_pem, struct buf *key_pem);
/* hosts: DNS names and IP addresses for subjectAltName. */
struct err pki_new_server(struct str ca_cert_pem, struct str ca_key_pem, const struct str *hosts, size_t n_hosts,
    uint32_t days, struct buf *cert_pem, struct buf *key_pem);
struct err pki_new_client(struct str ca_cert_pem, struct str ca_key_pem, struct str common_name, uint32_t days,
    struct buf *cert_pem, struct buf *key_pem);
/* pki_fingerprint(cert, out): SHA-256 of the DER form. INVALID. */
struct err pki_fingerprint(struct str cert_pem, uint8_t out[32]);
struct err pki_not_after(struct str cert_pem, int64_t *ret_us);

#endif
