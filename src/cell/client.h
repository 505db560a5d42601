/*
 * cell/client: what may be asked of the process that builds and tears down cells. It sees ids, limits and descriptors; what lies in a
 * cell it never reads. doc/cells.md.
 *
 * gate: CELL_OPEN, CELL_CLOSE, CELL_CONNECT, CELL_WORKER, CELL_STATE. scrub: CELL_STAGE, CELL_COLLECT, CELL_DELIVER, each with the job that
 * warden gave for exactly that cell. steward: CELL_CLOSE, CELL_STATE.
 * The bytes of a stage, a collection or a delivery are a "parcel" (cell/parcel.h): entries u16 name length, name, u64 size, bytes; name length 0 ends it.
 */
#ifndef CLOISTER_CELL_CLIENT_H
#define CLOISTER_CELL_CLIENT_H

#include "base/id.h"
#include "proc/msg.h"

enum cell_op { CELL_OPEN = 16, CELL_CLOSE, CELL_CONNECT, CELL_WORKER, CELL_STATE, CELL_STAGE, CELL_COLLECT, CELL_DELIVER };

/*
 * cell_open(p, cell): warden is asked for its limits and the key of its volume; namespaces, mounts, limits stand when it returns.
 * EXISTS, NO_SPACE, DENIED, BUSY (an earlier opening is not quite gone), UNSUPPORTED (this machine cannot; the log says why).
 */
struct err cell_open(struct pool *p, struct id cell);
/* cell_close(p, cell): everything in it ends; its volume stays, sealed, until the study's domain is destroyed. Of one that is not open: OK. */
struct err cell_close(struct pool *p, struct id cell);
/* cell_connect(p, cell, &fd): a stream connected to the notebook server inside. BUSY: it does not listen yet. NOT_FOUND. */
struct err cell_connect(struct pool *p, struct id cell, int *ret_fd);
/* cell_worker(p, cell, script, &worker): runs ${script}, a path below the home folder, as a batch job in the same isolation. */
struct err cell_worker(struct pool *p, struct id cell, struct str script, struct id *ret_worker);

struct worker_state { struct id id; bool running; int32_t exit_status; int64_t started_us, ended_us; };
#define CELL_WORKERS_MAX 16
enum cell_refusal { REFUSED_DNS, REFUSED_TCP, REFUSED_UDP, REFUSED_ICMP, REFUSED_IPV6, REFUSED_RAW_SOCKET, REFUSED_MOUNT, REFUSED_OTHER, CELL_REFUSALS };
const char *cell_refusal_word(enum cell_refusal r); /* "dns" */
struct cell_state {
	bool open, staged, notebook; /* is it there; is the release mounted; does the notebook server listen */
	int64_t opened_us, used_us;  /* last byte through CELL_CONNECT */
	uint64_t memory_bytes, processes, disk_bytes; /* in use */
	uint64_t refused[CELL_REFUSALS]; /* ways out that were tried */
	struct worker_state workers[CELL_WORKERS_MAX];
	uint8_t n_workers;
};
struct err cell_state(struct pool *p, struct id cell, struct cell_state *ret); /* NOT_FOUND */

/*
 * cell_stage(p, cell, job, &fd): write a parcel; its files are the release, read-only in the cell at /release soon after the end is written and
 * the descriptor closed: then cell_state says ${staged}. CONFLICT: it has one.
 */
struct err cell_stage(struct pool *p, struct id cell, struct id job, int *ret_fd);
/*
 * cell_collect(p, cell, job, paths, n, &fd): a parcel of those files below the home folder comes out (n <= 256; INVALID: not a parcel's name).
 * A path that is none: an entry of size UINT64_MAX, no bytes.
 */
struct err cell_collect(struct pool *p, struct id cell, struct id job, const struct str *paths, size_t n, int *ret_fd);
/* cell_deliver(p, cell, job, &fd): write a parcel; its files appear in the cell's folder /import. */
struct err cell_deliver(struct pool *p, struct id cell, struct id job, int *ret_fd);

#endif
