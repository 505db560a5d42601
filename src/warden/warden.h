/*
 * warden: identity, policy, keys. The face for src/bin: making a house and running its keeper.
 *
 * Its folder holds `root` (the root key under the passphrase) and `warden.db` (sealed rows);
 * nothing there is plaintext. doc/people.md and doc/keys.md describe it. What other processes ask
 * is in warden/client.h.
 */
#ifndef CLOISTER_WARDEN_WARDEN_H
#define CLOISTER_WARDEN_WARDEN_H

#include "crypto/crypto.h"
#include "crypto/header.h"
#include "proc/msg.h"

/*
 * What warden asks of vault. Vault lies above warden in the order of floors (its grants are
 * warden's), so src/bin hands these in: they are the four functions of vault/client.h.
 */
struct warden_rewrap { struct id version; uint8_t header[HEADER_BYTES]; };
struct warden_vault {
	struct err (*grant_key)(struct chan *c, const struct mac_key *k);
	struct err (*rewrap_next)(struct chan *c, struct id domain, uint32_t epoch, struct id after,
	    struct warden_rewrap *ret, size_t max, size_t *ret_n);
	struct err (*rewrap_apply)(struct chan *c, const struct warden_rewrap *r, size_t n);
	struct err (*domain_count)(struct chan *c, struct id domain, uint32_t epoch, uint64_t *ret);
};

/* ---- a new house ---- */
struct warden_new {
	const char *warden_path;      /* an empty folder, warden's own */
	int ledger_dir,
	    public_dir; /* an empty folder, ledger's own; where ca.pem and ledger.vkey go */
	struct str passphrase;
	struct str origin;            /* of the ledger's checkpoints: "cloister.hospital.example" */
	struct str admin_name;        /* login of the first administrator */
	const struct str *hosts;      /* DNS names and addresses for the server's certificate */
	size_t n_hosts;
};
/* Shown once, kept nowhere: wiped buffers, released with warden_made_release(). */
struct warden_made {
	struct buf admin_id, admin_password, admin_totp, admin_otpauth, access_key, secret, vkey;
};
/*
 * warden_create(n, &made): root key, key domain "general", certificate authority, server
 * certificate, ledger with its first records, first administrator. INVALID: a short passphrase, a
 * bad name or host; EXISTS: the folder holds a house.
 */
struct err warden_create(const struct warden_new *n, struct warden_made *ret);
void warden_made_release(struct warden_made *m);

/* ---- the process ---- */
struct governance;
struct warden_start {
	int control_fd;
	int secret_fd; /* the passphrase, to its end; or what was kept. Taken */
	bool kept;     /* ${secret_fd} is what the predecessor gave with CONTROL_KEEP */
	const struct warden_vault *vault;
	const struct governance *governance; /* studies, cells, the airlock */
	int64_t session_idle_s, session_age_s;
	bool public_access; /* may anybody without a key be given anything at all? */
};
#define WARDEN_SESSION_IDLE_S (30 * 60)
#define WARDEN_SESSION_AGE_S (12 * 3600)
/* warden_init(): before the jail: what libraries fetch from system paths. */
struct err warden_init(void);
/*
 * warden_serve(s): in warden's folder (cwd), the jail shut. Ends when told to stop, or with the
 * error for which the process must exit: UNAUTHENTICATED (wrong passphrase), ROLLBACK, CORRUPT; it
 * has logged one line then.
 */
struct err warden_serve(struct warden_start *s);

#endif
