#include "ledger/offline.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/fd.h"

#define TRIES 8 /* a ledger at work publishes once a second at most */

static struct err
read_checkpoint(int dir, const struct vkey *v, struct buf *text, struct checkpoint *ret, struct ledger_fault *fault)
{
	struct err e;

	buf_clear(text);
	e = fd_read_file(dir, "checkpoint", text);
	if (e.code == ERR_NOT_FOUND) {
		fault_set(fault, "file missing", 0, "checkpoint");
		return ERR(ERR_CORRUPT);
	}
	if (!err_is(e))
		e = checkpoint_parse(buf_str(text), ret);
	if (e.code == ERR_INVALID || e.code == ERR_LIMIT) {
		fault_set(fault, "checkpoint malformed", 0, "checkpoint");
		return ERR(ERR_CORRUPT);
	}
	TRY(e);
	if (v && err_is(checkpoint_open(buf_str(text), v, ret))) {
		fault_set(fault, "checkpoint's signature does not verify", 0, "checkpoint");
		return ERR(ERR_CORRUPT);
	}
	return OK;
}

struct err
published_open(int dir, const struct vkey *v, struct buf *text, struct checkpoint *ret, struct tiles *t)
{
	struct err e = OK;

	for (unsigned i = 0; i < TRIES; i++) {
		AUTO_BUF again = BUF(NOTE_BYTES_MAX);

		TRY(read_checkpoint(dir, v, text, ret, &t->fault));
		e = tiles_load_partial(t, ret->size);
		if (!err_is(e))
			return OK;
		/* Were its partial tiles replaced by full ones meanwhile? Then there is a newer checkpoint, or will be. */
		if (err_is(fd_read_file(dir, "checkpoint", &again)) || str_eq(buf_str(&again), buf_str(text)))
			return e;
	}
	return e;
}

struct err
ledger_read_entry(int dir, uint64_t index, struct buf *json)
{
	AUTO_BUF text = BUF(NOTE_BYTES_MAX);
	AUTO_TILES t = tiles_new(dir);
	struct checkpoint c;

	if (!t)
		return ERR(ERR_NO_MEMORY);
	TRY(published_open(dir, NULL, &text, &c, t));
	return index < c.size ? tiles_entry(t, index, json) : ERR(ERR_NOT_FOUND);
}

struct err
ledger_prove_offline(int dir, uint64_t index, struct buf *proof)
{
	AUTO_BUF text = BUF(NOTE_BYTES_MAX);
	AUTO_TILES t = tiles_new(dir);
	struct checkpoint c;

	if (!t)
		return ERR(ERR_NO_MEMORY);
	TRY(published_open(dir, NULL, &text, &c, t));
	return index < c.size ? tiles_prove(t, index, c.size, buf_str(&text), proof) : ERR(ERR_NOT_FOUND);
}

struct err
ledger_consistency(int dir, uint64_t old_size, struct buf *proof)
{
	AUTO_BUF text = BUF(NOTE_BYTES_MAX);
	AUTO_BUF hashes = BUF((PROOF_MAX + 1) * HASH_BYTES);
	AUTO_TILES t = tiles_new(dir);
	struct checkpoint c;

	if (!t)
		return ERR(ERR_NO_MEMORY);
	TRY(published_open(dir, NULL, &text, &c, t));
	if (old_size > c.size)
		return ERR(ERR_ROLLBACK);
	TRY(tiles_consistency(t, old_size, c.size, &hashes));
	for (size_t i = 0; i < hashes.n; i += HASH_BYTES) {
		buf_put_base64(proof, hashes.p + i, HASH_BYTES);
		buf_put_char(proof, '\n');
	}
	return buf_check(proof);
}

/* lines of base64 hashes, up to an empty line or the end; ${rest} is what follows */
static struct err
take_hashes(struct str *rest, struct buf *hashes)
{
	struct str line;

	while (rest->n > 0) {
		if (!str_split(*rest, '\n', &line, rest))
			return ERR(ERR_INVALID);
		if (line.n == 0)
			return OK;
		if (line.n != 44)
			return ERR(ERR_INVALID);
		TRY(buf_decode_base64(hashes, line));
	}
	return OK;
}

struct err
ledger_verify_proof(struct str vkey, struct str proof, struct str json)
{
	AUTO_BUF hashes = BUF(PROOF_MAX * HASH_BYTES);
	struct checkpoint c;
	struct vkey v;
	struct str line, rest;
	uint8_t leaf[HASH_BYTES];
	uint64_t index;

	TRY(vkey_parse(vkey, &v));
	if (!str_split(proof, '\n', &line, &rest) || !str_eq(line, STR("c2sp.org/tlog-proof@v1")) ||
	    !str_split(rest, '\n', &line, &rest))
		return ERR(ERR_INVALID);
	if (str_starts(line, STR("extra ")) && !str_split(rest, '\n', &line, &rest))
		return ERR(ERR_INVALID);
	if (!str_starts(line, STR("index ")))
		return ERR(ERR_INVALID);
	line = str_sub(line, 6, SIZE_MAX);
	if (line.n == 0 || (line.p[0] == '0' && line.n > 1) || err_is(num_parse_u64(line, INT64_MAX, &index)))
		return ERR(ERR_INVALID);
	if (err_is(take_hashes(&rest, &hashes)) || json.n > LIMIT_RECORD_BYTES)
		return ERR(ERR_INVALID);
	TRY(checkpoint_open(rest, &v, &c));
	merkle_leaf(json, leaf);
	return merkle_check_inclusion(index, c.size, leaf, buf_str(&hashes), c.root);
}

struct err
ledger_verify_consistency(struct str vkey, struct str old_checkpoint, struct str new_checkpoint, struct str proof)
{
	AUTO_BUF hashes = BUF((PROOF_MAX + 1) * HASH_BYTES);
	struct checkpoint old, new;
	struct vkey v;

	TRY(vkey_parse(vkey, &v));
	TRY(checkpoint_open(old_checkpoint, &v, &old));
	TRY(checkpoint_open(new_checkpoint, &v, &new));
	if (err_is(take_hashes(&proof, &hashes)) || proof.n > 0)
		return ERR(ERR_INVALID);
	/* two heads of one size, or a shorter one later: no proof can heal that */
	if (old.size > new.size || (old.size == new.size && memcmp(old.root, new.root, HASH_BYTES) != 0))
		return ERR(ERR_ROLLBACK);
	return merkle_check_consistency(old.size, new.size, old.root, new.root, buf_str(&hashes));
}

static struct err
export_tile(struct tiles *t, int to, unsigned level, uint64_t n)
{
	AUTO_BUF b = BUF(BUNDLE_BYTES_MAX);
	char path[TILE_PATH_MAX];

	TRY(tiles_read(t, level, n, &b));
	tile_path(level, n, TILE_WIDTH, path);
	return tile_write(to, path, buf_str(&b));
}

/* what witnesses signed goes with the log: it is evidence */
static struct err
export_witnesses(int dir, int to)
{
	struct err e = OK;
	struct dirent *d;
	int fd = -1;
	DIR *p;

	TRY(fd_make_dir(to, "witness", 0700));
	e = fd_open_at(dir, "witness", O_RDONLY | O_DIRECTORY, 0, &fd);
	if (e.code == ERR_NOT_FOUND)
		return OK;
	TRY(e);
	p = fdopendir(fd);
	if (!p) {
		e = ERR_ERRNO();
		fd_close(&fd);
		return e;
	}
	while (!err_is(e) && (d = readdir(p)) != NULL) {
		AUTO_BUF b = BUF(NOTE_BYTES_MAX);
		char path[sizeof("witness/") + sizeof(d->d_name)];

		if (d->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "witness/%s", d->d_name);
		e = fd_read_file(dir, path, &b);
		if (!err_is(e))
			e = tile_write(to, path, buf_str(&b));
	}
	closedir(p);
	return e;
}

struct err
ledger_export(int dir, int to)
{
	AUTO_BUF text = BUF(NOTE_BYTES_MAX);
	AUTO_TILES t = tiles_new(dir);
	struct checkpoint c;

	if (!t)
		return ERR(ERR_NO_MEMORY);
	if (faccessat(to, "checkpoint", F_OK, 0) == 0)
		return ERR(ERR_EXISTS);
	TRY(published_open(dir, NULL, &text, &c, t));
	for (uint64_t n = 0; n < t->base / TILE_WIDTH; n++)
		TRY(export_tile(t, to, TILE_ENTRIES, n));
	for (unsigned l = 0; l < TILE_LEVELS; l++)
		for (uint64_t n = 0; n < (c.size >> (8 * l)) / TILE_WIDTH; n++)
			TRY(export_tile(t, to, l, n));
	t->dir = to; /* the edge, as it was read, goes there */
	TRY(tiles_write_partial(t, UINT64_MAX));
	TRY(export_witnesses(dir, to));
	return fd_replace_file(to, "checkpoint", buf_str(&text), 0600);
}
