/*
 * disk: what a program does to files is written down, call by call, and what a power cut may have left of it is made again.
 *
 * disk_watch.c takes the place of libc's calls in the test's own process (also for SQLite, which is linked with it). While a folder is
 * watched, each change below it is done and written down, and syncs are written down and not done: the machine that dies is this log.
 *
 * The model is harsher than a file system with a journal. Only what was synced is sure: fsync or fdatasync of a file makes its
 * bytes and length durable, not its name; fsync of a folder makes its names durable, not what they name. Of all else any
 * part may have been kept: each 512-byte sector of a write by itself, lengths without bytes (zeros), names in any order.
 */
#ifndef CLOISTER_TEST_DISK_H
#define CLOISTER_TEST_DISK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum disk_kind { DISK_FILE, DISK_FOLDER, DISK_WRITE, DISK_LENGTH, DISK_SYNC, DISK_NAME, DISK_UNNAME, DISK_RENAME };

struct disk_op {
	enum disk_kind kind;
	uint32_t node;        /* what is made, written, synced or named; of a name, what it led to */
	uint32_t folder;      /* of names */
	char *name, *to;
	uint64_t at;
	size_t n;
	uint8_t *bytes;
};

struct disk_node {
	uint64_t dev, ino;
	bool is_folder;
};

struct disk_log {
	struct disk_op *ops;
	size_t n_ops, cap_ops;
	size_t n_first; /* that say what was there at the beginning */
	struct disk_node *nodes; /* the first is the folder that is watched */
	size_t n_nodes, cap_nodes;
	uint64_t syncs;
};

/* disk_watch(top): ${top} is an existing folder; what is in it is durable. Aborts if it cannot. */
void disk_watch(const char *top);
/* disk_ops(): how many were written down so far. */
size_t disk_ops(void);
/* disk_unwatch(): the log; free it with disk_log_free(). */
struct disk_log *disk_unwatch(void);
void disk_log_free(struct disk_log *l);

/* what is sure, and what is not, after the first ${at} operations of a log */
struct disk_moment;
struct disk_moment *disk_moment_new(const struct disk_log *l);
void disk_moment_free(struct disk_moment *m);
void disk_moment_advance(struct disk_moment *m, size_t at); /* never back */

enum disk_luck {
	LUCK_NONE,    /* nothing that was not synced */
	LUCK_ALL,     /* everything: a killed process */
	LUCK_ORDER,   /* everything until some moment before, whose write is cut at a sector */
	LUCK_SECTORS, /* any sectors, any names */
	LUCK_ZEROS,   /* the same, and files as long as they were to be */
	LUCK_COUNT
};
/* disk_crash(m, luck, seed, to): the tree that is found after a cut now, in the new folder ${to}. */
void disk_crash(const struct disk_moment *m, enum disk_luck luck, uint64_t *seed, const char *to);

/* disk_random(seed, n): 0 … n - 1, the same again for the same seed (splitmix64). */
uint64_t disk_random(uint64_t *seed, uint64_t n);

#endif
