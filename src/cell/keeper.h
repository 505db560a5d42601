/*
 * keeper: one process a cell, forked by the mason. What its files share; nobody else includes this.
 *
 * It lives in a mount namespace of its own, so that the kernel takes every mount and loop device of a cell away when the keeper and the cell
 * are gone, however they went. In the mason's root (mason.c): /volumes, /tools, /programs, and /room, which is this keeper's alone:
 *   /room/volume   ext4 on a loop device on /volumes/<cell>.img: ciphertext; its size is the cell's disk
 *   /room/plain    gocryptfs over it: home/, release/, import/
 *   /room/door     where the notebook server's socket appears
 *   /room/root     what becomes the root folder of the cell
 */
#ifndef CLOISTER_CELL_KEEPER_H
#define CLOISTER_CELL_KEEPER_H

#include <sys/types.h>

#include "cell/cgroup.h"
#include "cell/wire_cell.h"

#define ROOM_UID 1000 /* of the researcher, inside */
#define WORKERS_AT_ONCE_MAX 4
#define WORKER_MINUTES_MAX 480 /* or the cell's own time, if that is less: a job that hangs shall not hold a place for days */
#define PORTERS_MAX 8

struct porter { pid_t pid; bool stages; };
struct worker {
	struct worker_state s;
	int fd;          /* -1: ended */
	uint32_t seq;    /* != 0: the call that waits for it */
	int64_t until_us; /* monotonic */
};

struct keeper {
	int server;       /* requests of the process cell */
	struct id cell;
	struct cell_limits limits;
	struct cgroup group;
	uid_t uid;        /* of all that runs in the cell, outside */
	pid_t room, gocryptfs;
	int agent;        /* to process 1 of the cell */
	int listener;     /* of the system call filter */
	int counters;     /* a netlink socket in the cell's network namespace */
	uint64_t refused_calls[CELL_REFUSALS];
	bool staged, notebook;
	struct porter porters[PORTERS_MAX];
	struct worker workers[CELL_WORKERS_MAX];
	size_t n_workers;
};

/* keeper_main(fd, house): all of a keeper's life. */
__attribute__((noreturn)) void keeper_main(int fd, const char *house);

/* keeper_uid(cell): 0x70000000 and 28 bits of the id: past what systemd gives out, and the same whenever the cell is opened */
uid_t keeper_uid(struct id cell);

/* volume.c: mounts /room/volume and /room/plain with ${key}; ${key} is not kept. DENIED: another key opens it. */
struct err volume_open(struct keeper *k, const uint8_t key[CELL_KEY_BYTES]);
void volume_close(struct keeper *k); /* the cell is gone already */
uint64_t volume_used_bytes(void);

/* room.c: starts the cell's process 1 behind all its walls. */
struct err room_open(struct keeper *k);
void room_close(struct keeper *k);

/* loopback.c: in the cell's network namespace, as root; then no way leads out, and each attempt is counted */
struct err loopback_shut(int *ret_counters);
void loopback_counters(int fd, uint64_t ret[CELL_REFUSALS]); /* adds to */

/* porter.c: a child that carries files between a pipe and the volume, as the cell's user, with nothing else in sight. ${fd} is taken. */
struct err porter_stage(struct keeper *k, int fd);
struct err porter_deliver(struct keeper *k, int fd);
struct err porter_collect(struct keeper *k, int fd, const struct str *paths, size_t n);
/* porter_arrange(k): home, release and import stand in the volume, release empty; a new home gets the first notebook. Waits. */
struct err porter_arrange(struct keeper *k);

/* child.c */
/* child_become(k): the caller, forked, is the cell's user from here on, without any power. */
struct err child_become(const struct keeper *k);
/* child_run(argv, input): runs a program as root and waits; ${input} is its standard input. IO: it failed. */
struct err child_run(char *const argv[], struct str input);
/* child_tie(): ends with its parent, whatever comes */
void child_tie(pid_t parent);
/* child_only(in, fds, n): ${in} becomes 0 (-1: /dev/null), 1 and 2 /dev/null, ${fds} 3, 4, …; closes the rest */
struct err child_only(int in, const int *fds, size_t n);

/* mounts.c */
struct err mount_bind(const char *from, const char *to, uint64_t attributes /* MOUNT_ATTR_*, with all below */);
struct err mount_tmpfs(const char *at, uint64_t mib, const char *mode);
struct err make_dirs(const char *const *dirs, size_t n);
struct err put_text(const char *path, struct str text);
/* mount_essentials(top, all): what programs need of /usr and /etc, read-only, below ${top}; usr/ and etc/ stand there. */
struct err mount_essentials(const char *top);
/* root_change(top): ${top} is the root of this mount namespace, and nothing of the old one is left. */
struct err root_change(const char *top);

/* worker.c */
void worker_start(struct keeper *k, struct msg *m);
void worker_hear(struct keeper *k, struct worker *w);
void worker_times(struct keeper *k);

void keeper_answer(struct keeper *k, uint32_t seq, struct err e, struct msg *out);

#endif
