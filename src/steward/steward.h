/*
 * steward: keeps the house while nobody asks. Sees ciphertext, ids and records; holds no key that opens data and opens no file:
 * what it reads, vault hands it.
 *
 * Duties now: every stored blob is read again and compared with the SHA-256 that was recorded when it was written, the oldest check
 * first, at a bounded pace; files that no row names are collected; the ledger's head is watched (it may only grow); cells that must
 * end are ended; health is told to who may know. Each duty is one function with its own interval in steward.c: a new one is a new line there.
 */
#ifndef CLOISTER_STEWARD_STEWARD_H
#define CLOISTER_STEWARD_STEWARD_H

#include "base/err.h"

/* steward_serve(control): until cloisterd says stop. */
struct err steward_serve(int control_fd);

#endif
