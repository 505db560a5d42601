/*
 * process: the main of every jailed process, so that all enter their jail in the same order.
 *
 * cloisterd starts a process with exactly these descriptors: 0, 1 /dev/null; 2 standard error; 3
 * the control channel; 4 its own folder; from 5 on what its role needs (gate: listening sockets;
 * warden: the passphrase, or the kept key after a restart). Arguments: --fds N (how many there
 * are), then --name=value (process_option).
 */
#ifndef CLOISTER_BIN_PROCESS_H
#define CLOISTER_BIN_PROCESS_H

#include "base/err.h"
#include "base/str.h"
#include "proc/role.h"

#define PROCESS_CONTROL_FD 3
#define PROCESS_FOLDER_FD 4
#define PROCESS_GIVEN_FD 5

/*
 * process_main(role, argc, argv, prepare, serve): closes what was not given; locks its folder
 * against a predecessor that still dies; prepare() while system files can be read (libraries'
 * self-tests, time zones; 0: fine; may be NULL); jail_prepare; the function given to
 * process_in_folder(); jail_shut; serve(control). Returns the exit status.
 */
int process_main(enum role role, int argc, char **argv, int (*prepare)(void),
    struct err (*serve)(int control_fd));
/*
 * process_in_folder(f): f() runs in the process's own folder, as its own user, before its last door
 * shuts (the gate reads its TLS key). Call it before process_main.
 */
void process_in_folder(struct err (*f)(void));

int process_fds(void);                        /* N of --fds */
struct str process_option(const char *name);  /* the value of --name=value; n == 0: not given */
uint64_t process_number(const char *name, uint64_t most, uint64_t otherwise);

#endif
