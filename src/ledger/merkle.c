#include "ledger/merkle.h"

#include "crypto/crypto.h"

void
merkle_leaf(struct str entry, uint8_t out[HASH_BYTES])
{
	char in[1 + LIMIT_RECORD_BYTES];

	INVARIANT(entry.n <= LIMIT_RECORD_BYTES);
	in[0] = 0;
	if (entry.n)
		memcpy(in + 1, entry.p, entry.n);
	sha256(str_of(in, 1 + entry.n), out);
}

void
merkle_node(const uint8_t left[HASH_BYTES], const uint8_t right[HASH_BYTES], uint8_t out[HASH_BYTES])
{
	uint8_t in[1 + 2 * HASH_BYTES];

	in[0] = 1;
	memcpy(in + 1, left, HASH_BYTES);
	memcpy(in + 1 + HASH_BYTES, right, HASH_BYTES);
	sha256(str_of(in, sizeof(in)), out);
}

void
frontier_push_tree(struct frontier *f, unsigned h, const uint8_t root[HASH_BYTES])
{
	uint64_t leaves = UINT64_C(1) << h;
	uint8_t r[HASH_BYTES];

	INVARIANT(f->size % leaves == 0 && f->size < UINT64_MAX - leaves);
	memcpy(r, root, sizeof(r));
	for (; f->size >> h & 1; h++)
		merkle_node(f->hash[h], r, r);
	memcpy(f->hash[h], r, sizeof(r));
	f->size += leaves;
}

void
frontier_push(struct frontier *f, const uint8_t leaf[HASH_BYTES])
{
	frontier_push_tree(f, 0, leaf);
}

void
frontier_root(const struct frontier *f, uint8_t out[HASH_BYTES])
{
	bool any = false;

	if (f->size == 0) {
		sha256(STR_NONE, out);
		return;
	}
	for (unsigned i = 0; i < 64; i++) {
		if (!(f->size >> i & 1))
			continue;
		if (any)
			merkle_node(f->hash[i], out, out);
		else
			memcpy(out, f->hash[i], HASH_BYTES);
		any = true;
	}
}

void
merkle_root(const uint8_t *hashes, size_t n, uint8_t out[HASH_BYTES])
{
	struct frontier f;

	f.size = 0;
	for (size_t i = 0; i < n; i++)
		frontier_push(&f, hashes + i * HASH_BYTES);
	frontier_root(&f, out);
}

static const uint8_t *
proof_next(struct str *proof)
{
	const char *p = proof->p;

	if (proof->n < HASH_BYTES)
		return NULL;
	*proof = str_sub(*proof, HASH_BYTES, SIZE_MAX);
	return (const uint8_t *)p;
}

struct err
merkle_check_inclusion(uint64_t index, uint64_t size, const uint8_t leaf[HASH_BYTES], struct str proof,
    const uint8_t root[HASH_BYTES])
{
	uint64_t fn = index, sn = size - 1;
	uint8_t r[HASH_BYTES];
	const uint8_t *p;

	if (index >= size)
		return ERR(ERR_CORRUPT);
	memcpy(r, leaf, sizeof(r));
	while ((p = proof_next(&proof)) != NULL) {
		if (sn == 0)
			return ERR(ERR_CORRUPT);
		if ((fn & 1) || fn == sn) {
			merkle_node(p, r, r);
			while (!(fn & 1) && fn != 0) {
				fn >>= 1;
				sn >>= 1;
			}
		} else {
			merkle_node(r, p, r);
		}
		fn >>= 1;
		sn >>= 1;
	}
	return proof.n == 0 && sn == 0 && memcmp(r, root, sizeof(r)) == 0 ? OK : ERR(ERR_CORRUPT);
}

/* 2.1.4.2, steps 3 to 6, for 0 < old_size < new_size */
static struct err
check_growth(uint64_t old_size, uint64_t new_size, const uint8_t old_root[HASH_BYTES],
    const uint8_t new_root[HASH_BYTES], struct str proof)
{
	uint64_t fn = old_size - 1, sn = new_size - 1;
	uint8_t fr[HASH_BYTES], sr[HASH_BYTES];
	const uint8_t *p = (old_size & (old_size - 1)) == 0 ? old_root : proof_next(&proof);

	if (!p)
		return ERR(ERR_CORRUPT);
	while (fn & 1) {
		fn >>= 1;
		sn >>= 1;
	}
	memcpy(fr, p, sizeof(fr));
	memcpy(sr, p, sizeof(sr));
	while ((p = proof_next(&proof)) != NULL) {
		if (sn == 0)
			return ERR(ERR_CORRUPT);
		if ((fn & 1) || fn == sn) {
			merkle_node(p, fr, fr);
			merkle_node(p, sr, sr);
			while (!(fn & 1) && fn != 0) {
				fn >>= 1;
				sn >>= 1;
			}
		} else {
			merkle_node(sr, p, sr);
		}
		fn >>= 1;
		sn >>= 1;
	}
	return proof.n == 0 && sn == 0 && memcmp(fr, old_root, sizeof(fr)) == 0 &&
			memcmp(sr, new_root, sizeof(sr)) == 0
	    ? OK : ERR(ERR_CORRUPT);
}

struct err
merkle_check_consistency(uint64_t old_size, uint64_t new_size, const uint8_t old_root[HASH_BYTES],
    const uint8_t new_root[HASH_BYTES], struct str proof)
{
	uint8_t empty[HASH_BYTES];

	if (old_size > new_size)
		return ERR(ERR_CORRUPT);
	if (old_size == new_size)
		return proof.n == 0 && memcmp(old_root, new_root, HASH_BYTES) == 0 ? OK : ERR(ERR_CORRUPT);
	if (old_size > 0)
		return check_growth(old_size, new_size, old_root, new_root, proof);
	sha256(STR_NONE, empty);
	return proof.n == 0 && memcmp(old_root, empty, HASH_BYTES) == 0 ? OK : ERR(ERR_CORRUPT);
}
