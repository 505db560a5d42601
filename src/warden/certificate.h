/*
 * certificate: the server's, issued by the house's own authority, and issued again before it ends.
 */
#ifndef CLOISTER_WARDEN_CERTIFICATE_H
#define CLOISTER_WARDEN_CERTIFICATE_H

#include "warden/house.h"

#define CERTIFICATE_DAYS 825u
#define CERTIFICATE_RENEW_DAYS 60

/* certificate_new(ca, ca_key, hosts, &cert, &key): ${hosts}: names and addresses, one a line. */
struct err certificate_new(
    struct str ca_cert, struct str ca_key, struct str hosts, struct buf *cert, struct buf *key);
/*
 * certificate_tick(h, now, mono): once a day: a certificate that ends soon is replaced, with a
 * record. The gate serves the new one from its next start on.
 */
struct err certificate_tick(struct house *h, int64_t now_us, int64_t mono_us);

#endif
