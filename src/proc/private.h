/*
 * private: what the files of proc/ share and nobody else includes.
 */
#ifndef CLOISTER_PROC_PRIVATE_H
#define CLOISTER_PROC_PRIVATE_H

#include "proc/msg.h"

/*
 * msg_send_flags(fd, flags, m): as msg_send; MSG_DONTWAIT: BUSY instead of waiting, whatever the
 * descriptor's own mode is.
 */
struct err msg_send_flags(int fd, int flags, const struct msg *m);
/* chan_send(c, req): CLOSED means that the peer has not got it. */
struct err chan_send(struct chan *c, struct msg *req);
/* chan_wait(c, reply): the reply to the last chan_send. CLOSED, TIMEOUT: its outcome is unknown. */
struct err chan_wait(struct chan *c, struct msg *ret_reply);
/* reply_status(reply): its status as an error; then ${reply} is released. */
struct err reply_status(struct msg *reply);

#endif
