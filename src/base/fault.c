#include "base/fault.h"

#include <stdatomic.h>

static struct {
	_Atomic uint64_t calls;
	_Atomic uint64_t fail_at; /* 0: never */
	_Atomic int sys;
} faults[FAULT_KIND_COUNT];

void
fault_arm(enum fault_kind kind, uint64_t after, int sys)
{
	faults[kind].calls = 0;
	faults[kind].sys = sys;
	faults[kind].fail_at = after + 1;
}

void
fault_disarm(void)
{
	for (int k = 0; k < FAULT_KIND_COUNT; k++) {
		faults[k].calls = 0;
		faults[k].fail_at = 0;
	}
}

uint64_t
fault_count(enum fault_kind kind)
{
	return faults[kind].calls;
}

int
fault_hit(enum fault_kind kind)
{
	uint64_t n = ++faults[kind].calls;

	return n == faults[kind].fail_at ? faults[kind].sys : 0;
}
