/*
 * control: what cloisterd and each process say to each other on the control channel: struct msg
 * with these operations.
 */
#ifndef CLOISTER_PROC_CONTROL_H
#define CLOISTER_PROC_CONTROL_H

enum control_op {
	CONTROL_READY = 1, /* process: the jail is shut, requests are served */
	CONTROL_PEER, /* cloisterd: u16 role, u8 serve (1: serve it, 0: call it), one descriptor */
	CONTROL_STOP, /* cloisterd: finish and exit 0 */
	CONTROL_KEEP, /* warden: keep this descriptor (sealed root key memory) for my successor */
	CONTROL_STATUS, /* cloisterd -> steward: health of the processes */
	CONTROL_JOB, /* steward -> cloisterd: 16 job id: start a scrub for it */
	CONTROL_JOB_ENDED, /* cloisterd -> steward: 16 job id, u8 1: it ended well */
};

#endif
