/*
 * ledger: the append-only record of everything, provable offline.
 *
 * Canonical JSON records in an RFC 6962 Merkle tree (SHA-256), on disk as C2SP tlog-tiles: entry bundles and hash tiles of
 * 256, a journal for the part that is not a full tile yet, checkpoints as signed notes, witness cosignatures beside. Appends are
 * group-committed: one write, one fdatasync, then the answers. Nothing is ever rewritten. After a failed sync the ledger
 * stops for good (PostgreSQL's lesson): the supervisor restarts it and recovery decides what is durable.
 *
 * Files below its folder (doc/ledger.md):
 *   checkpoint                       the newest published signed tree head
 *   tile/<L>/<N>[.p/<W>]             hash tiles          tile/entries/<N>[.p/<W>]   entry bundles
 *   journal/<first index>            the tail, self-checking groups; deleted when its tiles are durable
 *   witness/<key name>               cosignatures of checkpoints
 *   index.db                         SQLite, derived, rebuilt if absent or behind
 * Process: ledger; the command line opens copies read-only to verify.
 */
#ifndef CLOISTER_LEDGER_LEDGER_H
#define CLOISTER_LEDGER_LEDGER_H

#include "crypto/crypto.h"
#include "ledger/client.h"

struct ledger;

/* ledger_create(dir, origin, key): an empty log in the empty folder ${dir}. */
struct err ledger_create(int dir, struct str origin, const struct sign_key *key);

/* where a log is wrong, for people: a record, tile or file of ours; never content */
struct ledger_fault { const char *what; /* "journal group torn", … static */ uint64_t index; char file[96]; };

/* ledger_open(dir, key, &fault, &l): recovers and verifies what recovery needs. CORRUPT or ROLLBACK with ${fault} filled. Takes neither. */
struct err ledger_open(int dir, const struct sign_key *key, struct ledger_fault *ret_fault, struct ledger **ret);
void ledger_close(struct ledger *l); /* publishes a checkpoint and partial tiles first, if it can */

/*
 * ledger_add(l, r, service, &receipt): into the current group, in memory. ledger_commit(l): the group is durable; receipts
 * hold from here on.
 */
struct err ledger_add(struct ledger *l, const struct record *r, struct str service, struct receipt *ret);
struct err ledger_commit(struct ledger *l);
/* ledger_tick(l): what can wait: index, tiles, checkpoint. Returns ms until it wants to be called again. */
int ledger_tick(struct ledger *l);

/*
 * Offline, on a folder that may be a copy: verifies every entry, tile and signature up to the checkpoint and the journal's tail.
 * ${older}: signed checkpoint text that must be a prefix of this log (or none). ROLLBACK if the log is shorter or differs.
 * progress(ctx, done, total) may be NULL.
 */
struct ledger_report { uint64_t size, bytes, groups; uint8_t root[32]; int64_t first_us, last_us; unsigned cosignatures; };
struct err ledger_verify(int dir, struct str vkey, struct str older, void (*progress)(void *, uint64_t, uint64_t), void *ctx,
    struct ledger_fault *ret_fault, struct ledger_report *ret);
/* ledger_export(dir, to): a static tlog-tiles tree with its partial tiles, for public tools. */
struct err ledger_export(int dir, int to);
/* offline prove and read, on a copy */
struct err ledger_read_entry(int dir, uint64_t index, struct buf *json);
struct err ledger_prove_offline(int dir, uint64_t index, struct buf *proof);
/* ledger_verify_proof(vkey, proof, json): INVALID, CORRUPT. */
struct err ledger_verify_proof(struct str vkey, struct str proof, struct str json);
/* consistency: proof lines from ${old_size} to the current head, base64 a line, and its check between two signed checkpoints */
struct err ledger_consistency(int dir, uint64_t old_size, struct buf *proof);
struct err ledger_verify_consistency(struct str vkey, struct str old_checkpoint, struct str new_checkpoint, struct str proof);
/* cosign: a witness signs a checkpoint it has checked against its last one (Ed25519, cosignature/v1) */
struct err ledger_cosign(struct str checkpoint, struct str vkey, struct str witness_name, const struct sign_key *key,
    int64_t now_s, struct buf *line);
/* vkey text "<origin>+<id>+<base64>" */
void ledger_vkey(struct str origin, const uint8_t public_key[32], struct buf *out);

/*
 * The process: src/bin/ledger.c calls this after its jail is shut, in the ledger's folder (cwd). The log is opened when warden
 * sends its signing key (LEDGER_UNLOCK); a log that does not verify makes the process exit with err_exit_status() and one log line that says where.
 */
struct err ledger_serve(int control_fd);

#endif
