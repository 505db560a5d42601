/*
 * note: signed notes, checkpoints and cosignatures (C2SP signed-note, tlog-checkpoint, tlog-cosignature). Ed25519 only.
 */
#ifndef CLOISTER_LEDGER_NOTE_H
#define CLOISTER_LEDGER_NOTE_H

#include "crypto/crypto.h"
#include "ledger/merkle.h"

#define NOTE_BYTES_MAX (64 * KiB) /* a checkpoint with all its signatures */
#define NOTE_SIGNATURES_MAX 64
#define NOTE_ED25519 0x01     /* a log's own signature */
#define NOTE_COSIGNATURE 0x04 /* a witness's, with the time it saw it */

struct vkey {
	struct str name; /* borrowed */
	uint8_t type;    /* NOTE_ED25519 or NOTE_COSIGNATURE */
	uint8_t id[4];
	uint8_t key[32];
};
struct err vkey_parse(struct str s, struct vkey *ret); /* INVALID */
void vkey_of(struct str name, uint8_t type, const uint8_t key[32], struct vkey *ret);
void vkey_write(const struct vkey *v, struct buf *out);
/* note_name_ok(s): a key name: not empty, UTF-8, no white space, no plus, no control characters. */
bool note_name_ok(struct str s);

struct note {
	struct str text;       /* with its last newline; what is signed */
	struct str signatures; /* the signature lines */
};
struct err note_parse(struct str s, struct note *ret); /* INVALID. Proves nothing. */
/* note_verify(n, v): CORRUPT if ${v}'s signature is missing or wrong. */
struct err note_verify(const struct note *n, const struct vkey *v);
/* note_sign(text, v, key, time_s, line): a signature line; ${time_s} counts for cosignatures only. */
void note_sign(struct str text, const struct vkey *v, const struct sign_key *key, uint64_t time_s, struct buf *line);

struct checkpoint {
	struct note note;
	struct str origin;
	uint64_t size;
	uint8_t root[HASH_BYTES];
};
struct err checkpoint_parse(struct str s, struct checkpoint *ret); /* INVALID. Proves nothing. */
/* checkpoint_open(s, v, &c): parsed, of ${v}'s origin and signed by it. INVALID, CORRUPT. */
struct err checkpoint_open(struct str s, const struct vkey *v, struct checkpoint *ret);
void checkpoint_write(struct str origin, uint64_t size, const uint8_t root[HASH_BYTES], const struct sign_key *key,
    struct buf *out);

#endif
