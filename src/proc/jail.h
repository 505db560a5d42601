/*
 * jail: jail.def says, one line a process, with which user, files, network, system calls and limits
 * it lives. A process that cannot enter its jail does not start.
 *
 * Order: jail_prepare(role, dir_fd) while still root (opens, chroot into its own folder, drops to
 * its own uid, rlimits, no-new-privs, not dumpable, parent-death signal); the process then reads
 * what it needs in its folder; jail_shut(role) (Landlock, then seccomp). Everything fetched from
 * system paths (OpenSSL, GnuTLS, PCRE2 tables) is before jail_prepare.
 */
#ifndef CLOISTER_PROC_JAIL_H
#define CLOISTER_PROC_JAIL_H

#include "base/err.h"
#include "proc/role.h"

/*
 * jail_prepare(role, dir): ${dir} is a descriptor of the process's own folder or -1 (no files at
 * all). As root: chroot into it (or into an empty folder) and take the role's uid; otherwise chdir.
 * Paths are relative from here on.
 */
struct err jail_prepare(enum role role, int dir);
/* jail_shut(role): before any thread is started. */
struct err jail_shut(enum role role);
const char *jail_step(void);         /* the step that failed, in words for people */
bool jail_landlock_missing(void);    /* after jail_shut: this kernel has none */
uint32_t jail_uid(enum role role);   /* the uid a role has when started as root */
bool jail_calls(enum role from, enum role to); /* may ${from} send requests to ${to}? */

/*
 * jail_try(name): in a jailed process, tries the forbidden thing ${name} (jail_tries[], which ends
 * with NULL); true if it was refused, and most refusals end the process. Tests only: jail_try.c is
 * in no program.
 */
extern const char *const jail_tries[];
bool jail_try(const char *name);
extern int jail_try_proc_fd; /* a descriptor of /proc/self/fd, taken before the jail */

#endif
