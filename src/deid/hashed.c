#include "deid/hashed.h"

#define FIRST_CAP 64

void
hashed_release(struct hashed *h)
{
	if (h->slots)
		explicit_bzero(h->slots, h->cap * sizeof(h->slots[0]));
	free(h->slots);
	*h = (struct hashed){0};
}

static void
place(struct hashed *h, uint64_t hash, uint32_t bits)
{
	size_t i = hash & (h->cap - 1);

	while (h->slots[i].hash != 0 && h->slots[i].hash != hash)
		i = (i + 1) & (h->cap - 1);
	if (h->slots[i].hash == 0)
		h->n++;
	h->slots[i].hash = hash;
	h->slots[i].bits |= bits;
}

struct err
hashed_or(struct hashed *h, uint64_t hash, uint32_t bits)
{
	INVARIANT(hash != 0 && bits != 0);
	if (h->n * 2 >= h->cap) {
		struct hashed bigger = {.cap = h->cap ? h->cap * 2 : FIRST_CAP};

		bigger.slots = calloc(bigger.cap, sizeof(bigger.slots[0]));
		if (!bigger.slots)
			return ERR(ERR_NO_MEMORY);
		for (size_t i = 0; i < h->cap; i++)
			if (h->slots[i].hash != 0)
				place(&bigger, h->slots[i].hash, h->slots[i].bits);
		hashed_release(h);
		*h = bigger;
	}
	place(h, hash, bits);
	return OK;
}
