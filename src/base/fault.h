/*
 * fault: tests make the n-th write, sync or message fail. Off, and one branch,
 * outside tests; nothing in the environment can turn it on.
 */
#ifndef CLOISTER_BASE_FAULT_H
#define CLOISTER_BASE_FAULT_H

#include <stdint.h>

enum fault_kind { FAULT_WRITE, FAULT_SYNC, FAULT_OPEN, FAULT_MESSAGE, FAULT_KIND_COUNT };

/* fault_arm(kind, after, sys): the (${after}+1)-th call of that kind, and only it, fails with errno ${sys}. */
void fault_arm(enum fault_kind kind, uint64_t after, int sys);
void fault_disarm(void);
uint64_t fault_count(enum fault_kind kind); /* calls since arm/disarm */
/* fault_hit(kind): 0, or the errno with which this call must fail. */
int fault_hit(enum fault_kind kind);

#endif
