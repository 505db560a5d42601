#include "crypto/secret.h"

#include <openssl/crypto.h>
#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/id.h"
#include "base/num.h"

/*
 * Regions of 64 KiB, because RLIMIT_MEMLOCK is 8 MiB for an ordinary user and several
 * processes of that user share it. Slots are found by a bitmap that lies outside
 * the region, so that running over a key cannot reach it.
 */
#define REGION_BYTES (64 * KiB)
#define REGION_SLOTS (REGION_BYTES / sizeof(struct secret))
#define REGION_WORDS (REGION_SLOTS / 64)
#define REGIONS_MAX 32

struct region {
	struct secret *slots;
	size_t used;
	uint64_t taken[REGION_WORDS];
};

static struct region regions[REGIONS_MAX];
static size_t n_regions;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static struct secret *
map_region(void)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t whole = REGION_BYTES + 2 * page;
	char *p = mmap(NULL, whole, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		return NULL;
	if (mprotect(p + page, REGION_BYTES, PROT_READ | PROT_WRITE) != 0 ||
	    madvise(p + page, REGION_BYTES, MADV_DONTDUMP) != 0 ||
	    madvise(p + page, REGION_BYTES, MADV_DONTFORK) != 0 || mlock(p + page, REGION_BYTES) != 0) {
		munmap(p, whole);
		return NULL;
	}
	return (struct secret *)(void *)(p + page);
}

static struct secret *
take_slot(struct region *r)
{
	for (size_t w = 0; w < REGION_WORDS; w++) {
		if (r->taken[w] != UINT64_MAX) {
			size_t bit = (size_t)__builtin_ctzll(~r->taken[w]);

			r->taken[w] |= 1ull << bit;
			r->used++;
			return &r->slots[w * 64 + bit];
		}
	}
	return NULL;
}

static struct secret *
alloc_locked(void)
{
	struct secret *slots;

	for (size_t i = 0; i < n_regions; i++)
		if (regions[i].used < REGION_SLOTS)
			return take_slot(&regions[i]);
	if (n_regions == REGIONS_MAX || !(slots = map_region()))
		return NULL;
	regions[n_regions].slots = slots;
	return take_slot(&regions[n_regions++]);
}

struct secret *
secret_alloc(void)
{
	struct secret *s;

	INVARIANT(pthread_mutex_lock(&lock) == 0);
	s = alloc_locked();
	INVARIANT(pthread_mutex_unlock(&lock) == 0);
	return s;
}

/* false: ${s} is no secret of ours, or is free already */
static bool
free_locked(struct secret *s)
{
	for (size_t i = 0; i < n_regions; i++) {
		struct region *r = &regions[i];
		size_t offset = (size_t)((uintptr_t)s - (uintptr_t)r->slots);
		size_t slot = offset / sizeof(*s);

		if ((uintptr_t)s < (uintptr_t)r->slots || offset >= REGION_BYTES)
			continue;
		if (offset % sizeof(*s) != 0 || !(r->taken[slot / 64] >> slot % 64 & 1))
			return false;
		explicit_bzero(s, sizeof(*s));
		r->taken[slot / 64] &= ~(1ull << slot % 64);
		r->used--;
		return true;
	}
	return false;
}

void
secret_free(struct secret *s)
{
	if (!s)
		return;
	INVARIANT(pthread_mutex_lock(&lock) == 0);
	INVARIANT(free_locked(s));
	INVARIANT(pthread_mutex_unlock(&lock) == 0);
}

void
secret_random(struct secret *s)
{
	rand_bytes(s->secret_private_b, sizeof(s->secret_private_b));
}

void
secret_set(struct secret *s, const void *bytes)
{
	memcpy(s->secret_private_b, bytes, sizeof(s->secret_private_b));
}

const uint8_t *
secret_expose(const struct secret *s)
{
	return s->secret_private_b;
}

bool
crypto_equal(const void *a, const void *b, size_t n)
{
	return CRYPTO_memcmp(a, b, n) == 0;
}

bool
secret_equal(const struct secret *a, const struct secret *b)
{
	return crypto_equal(a->secret_private_b, b->secret_private_b, KEY_BYTES);
}
