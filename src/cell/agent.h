/*
 * agent: what a keeper and process 1 of its cell say to each other, and where things lie in a cell. That process (bin/cell_init.c) links nothing
 * but libc, so this needs nothing either.
 */
#ifndef CLOISTER_CELL_AGENT_H
#define CLOISTER_CELL_AGENT_H

#include <stdint.h>

#define CELL_SCRIPT_MAX 255 /* bytes of a path below home */

/*
 * The keeper's orders to the process 1 of its cell (bin/cell_init.c), and what that answers: one packet each, of exactly this size, on the
 * socket that is its descriptor 3. What comes back proves nothing: the cell's user may have taken that process over.
 */
enum agent_word {
	AGENT_NOTEBOOK = 1, /* keeper: start the notebook server; ${text}: the path below which it serves, "/cell/<id>/" */
	AGENT_WORKER,       /* keeper: run ${text}, a path below home; ${name}: hex, of its log; with a socket of the worker's own */
	AGENT_READY,        /* worker's socket, from the worker: put me where I belong, then answer AGENT_GO */
	AGENT_GO,           /* worker's socket, keeper */
	AGENT_ENDED,        /* worker's socket, from process 1: ${status} as waitpid(2) has it */
	AGENT_NONE          /* worker's socket, from process 1: there is no such script, or no tool for it */
};
struct agent_msg {
	uint32_t word;
	int32_t status;
	char name[36];
	char text[CELL_SCRIPT_MAX + 1];
};
#define AGENT_FD 3
#define AGENT_HOME "/home/researcher"
#define AGENT_TOOLS "/opt/cell-tools"
#define AGENT_DOOR "/run/cell/notebook.sock"

#endif
