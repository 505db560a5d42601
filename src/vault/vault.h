/*
 * vault: stores sealed objects with their versions, uploads and metadata. Sees ciphertext, ids, names, sizes and times; holds no key that
 * opens anything. doc/vault.md has the tables, the files, and the order of writes.
 *
 * A folder: vault.db, and blobs/00 … blobs/ff with one file a stream. One process at a time. Other processes use vault/client.h.
 */
#ifndef CLOISTER_VAULT_VAULT_H
#define CLOISTER_VAULT_VAULT_H

#include "ledger/client.h"
#include "proc/server.h"
#include "vault/client.h"

struct vault;

/* vault_create(dir): an empty vault in the empty folder ${dir}. EXISTS if there is one. */
struct err vault_create(const char *dir);
/* vault_before_jail(): opens what lies outside the folder and is needed on kernels before 6.10; in the process that serves. */
struct err vault_before_jail(void);
/* vault_open(dir, &v): "." for the process, in its jail. NOT_FOUND, CORRUPT, BUSY (another process has it). */
struct err vault_open(const char *dir, struct vault **ret);
void vault_close(struct vault *v); /* NULL is legal */

/*
 * vault_recorder: append(ctx, r, n, receipts) makes ${n} records durable: ledger_append() on the channel to the ledger, or a test's own. Any
 * error: nothing that the records are about is done.
 */
struct vault_recorder {
	struct err (*append)(void *ctx, const struct record *r, size_t n, struct receipt *ret_receipts);
	void *ctx;
};
void vault_set_recorder(struct vault *v, struct vault_recorder r);
/* vault_ledger_size(v): records that the ledger must have, at least: it had them when this vault last wrote. */
uint64_t vault_ledger_size(const struct vault *v);
/* vault_set_grant_key(v, key): NO_MEMORY. Copies it. */
struct err vault_set_grant_key(struct vault *v, const struct mac_key *key);

/* vault_batch(v, reqs, n): answers all of them, in one transaction. */
void vault_batch(struct vault *v, struct request **reqs, size_t n);
/* vault_tick(v): what can wait: files to remove, headers to rewrite, files without a row. Returns ms until it wants to be called again. */
int vault_tick(struct vault *v);
/* vault_is_broken(v): the state on disk is unknown after a failed sync; the process must stop. */
bool vault_is_broken(const struct vault *v);
extern const struct permit vault_permits[];

/*
 * The process: src/bin/vault.c calls this when its jail is shut, in the vault's folder. ROLLBACK: the ledger is shorter than it
 * was; IO: stopped after a failed sync.
 */
struct err vault_serve(int control_fd);

#endif
