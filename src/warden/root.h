/*
 * root: the key above all others, and how it comes into the process.
 *
 * On disk it is wrapped under a key made from the operator's passphrase (Argon2id); in memory it
 * lies in a struct secret. It encrypts nothing itself: every purpose has a key of its own, derived
 * from it by a label (root_derive). So that a restart after a crash needs nobody, cloisterd keeps a
 * descriptor of memory that holds it (memfd_secret where the kernel has it: out of reach of the
 * kernel's own direct map, ptrace and /proc), which only warden maps. doc/keys.md. Process: warden.
 */
#ifndef CLOISTER_WARDEN_ROOT_H
#define CLOISTER_WARDEN_ROOT_H

#include "crypto/crypto.h"

#define ROOT_FILE "root"
#define LIMIT_PASSPHRASE_BYTES 1024
#define PASSPHRASE_BYTES_MIN 8

/*
 * root_create(dir, passphrase, &k): a new root key, its wrapped form durable in ${dir}. INVALID for
 * a short passphrase; EXISTS.
 */
struct err root_create(int dir, struct str passphrase, struct root_key **ret);
/*
 * root_unlock(dir, passphrase, &k): UNAUTHENTICATED if the passphrase is wrong, CORRUPT if the file
 * is damaged.
 */
struct err root_unlock(int dir, struct str passphrase, struct root_key **ret);
/* root_read_passphrase(fd, b): all of ${fd}, without one newline at the end. */
struct err root_read_passphrase(int fd, struct buf *b);

/*
 * root_keep(k, &fd): a descriptor of memory that holds ${k}. root_kept(fd, &k): the key in it.
 * CORRUPT. Neither takes.
 */
struct err root_keep(const struct root_key *k, int *ret_fd);
struct err root_kept(int fd, struct root_key **ret);

/* root_derive(k, "label", out): the key of one purpose. */
void root_derive(const struct root_key *k, const char *label, struct secret *out);

#endif
