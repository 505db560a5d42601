/*
 * power_house: a vault and a ledger that lose their power (test_power_cut.c): their life, and what clients see of them.
 */
#ifndef CLOISTER_TEST_POWER_HOUSE_H
#define CLOISTER_TEST_POWER_HOUSE_H

#include "../unit/vault_house.h"

#include <sys/statvfs.h>

#include "base/map.h"
#include "db/db.h"
#include "disk.h"
#include "ledger/state.h"
#include "vault/store.h"

#define STEPS 170
#define KEYS 9
#define BUCKETS 3
#define ROTATE_BYTES (24 * KiB)
#define ORIGIN STR("power.example/log")
#define VIEW_BYTES_MAX (8 * MiB)
#define LIST_MAX 500
#define PLACES_MAX 20000

/* step: asked when the log had ${from} operations, acknowledged when it had ${to}; what clients saw then */
struct step {
	size_t from, to;
	struct buf view;
	uint64_t versions;
};
/* head: of the ledger; ${from}: its group began to be written; ${to}: durable */
struct head {
	size_t from, to;
	uint64_t size;
	uint8_t root[HASH_BYTES];
};
/* sent: a version, with the digest of its sealed bytes and its record's index */
struct sent {
	struct id id;
	uint8_t digest[SHA256_BYTES];
	uint64_t record; /* plus one; 0: none */
};

static struct {
	uint64_t seed;
	char top[40], now[48];   /* now: the tree that is looked at */
	struct sign_key *key;
	struct ledger *ledger;
	int ledger_dir;
	struct step steps[STEPS + 8];
	size_t n_steps;
	struct head heads[PLACES_MAX];
	size_t n_heads;
	bool writing_down;
	struct sent *sent;
	size_t n_sent;
	struct map by_id;
	struct id buckets[BUCKETS];
	char vkey[256];
} w;

static const struct str bucket_names[BUCKETS] = {{"plain", 5}, {"versioned", 9}, {"suspended", 9}};

static uint64_t
dice(uint64_t n)
{
	return disk_random(&w.seed, n);
}

/* ---- the ledger ---- */

static struct sent *
sent_of(struct id id)
{
	return map_get(&w.by_id, str_of(id.b, sizeof(id.b)));
}

static struct sent *
sent_add(struct id id)
{
	struct sent *s = sent_of(id);

	if (s)
		return s;
	assert_true(w.n_sent < PLACES_MAX);
	s = &w.sent[w.n_sent++];
	s->id = id;
	CHECK_OK(map_put(&w.by_id, str_of(s->id.b, sizeof(s->id.b)), s));
	return s;
}

static void
head_add(size_t from)
{
	struct head *h = &w.heads[w.n_heads];

	if (w.n_heads > 0 && w.heads[w.n_heads - 1].size == w.ledger->frontier.size)
		return;
	assert_true(w.n_heads++ < PLACES_MAX);
	h->from = from;
	h->to = SIZE_MAX;
	h->size = w.ledger->frontier.size;
	frontier_root(&w.ledger->frontier, h->root);
}

static void
heads_are_durable(void)
{
	for (size_t i = w.n_heads; i-- > 0 && w.heads[i].to == SIZE_MAX;)
		w.heads[i].to = disk_ops();
}

/* as the process does it (ledger/serve.c): all of a batch, then one commit */
static struct err
append(void *ctx, const struct record *r, size_t n, struct receipt *ret)
{
	size_t from = disk_ops();

	(void)ctx;
	for (size_t i = 0; i < n; i++) {
		TRY(ledger_add(w.ledger, &r[i], STR("vault"), &ret[i]));
		if (!w.writing_down)
			continue;
		if (r[i].present & (1u << RECORD_VERSION)) { /* the first: later ones change or remove it */
			struct sent *s = sent_add(r[i].id[RECORD_VERSION]);

			if (s->record == 0)
				s->record = receipt_index(&ret[i]) + 1;
		}
		if (w.ledger->group_count == 0) /* it closed a group by itself */
			head_add(from);
	}
	if (w.writing_down)
		head_add(from);
	TRY(ledger_commit(w.ledger));
	if (w.writing_down)
		heads_are_durable();
	return OK;
}

static void
ledger_grows(uint64_t n)
{
	struct record r = {0};
	struct receipt receipt[400];
	struct record all[400];

	record_word(&r, RECORD_ACT, STR("object.get"));
	record_id(&r, RECORD_WHO, house.who);
	for (uint64_t i = 0; i < n; i++) {
		record_number(&r, RECORD_SIZE, dice(1000000));
		all[i] = r;
	}
	CHECK_OK(append(NULL, all, n, receipt));
}

/* ---- life ---- */

static struct err
both_open(struct ledger_fault *fault)
{
	char path[80];

	snprintf(path, sizeof(path), "%s/ledger", w.now);
	TRY(fd_open_at(AT_FDCWD, path, O_RDONLY | O_DIRECTORY, 0, &w.ledger_dir));
	TRY(ledger_open(w.ledger_dir, w.key, fault, &w.ledger));
	w.ledger->rotate_bytes = ROTATE_BYTES;
	snprintf(house.dir, sizeof(house.dir), "%s/vault", w.now);
	TRY(vault_open(house.dir, &house.v));
	/* the log goes around often, and what is in it is written back often */
	TRY(db_script(house.v->db, "PRAGMA wal_autocheckpoint=24"));
	vault_set_recorder(house.v, (struct vault_recorder){.append = append});
	return vault_set_grant_key(house.v, house.grant_key);
}

/* as if the process had died: nothing is finished */
static void
both_drop(void)
{
	vault_close(house.v);
	house.v = NULL;
	if (w.ledger)
		w.ledger->dead = true;
	ledger_close(w.ledger);
	w.ledger = NULL;
	fd_close(&w.ledger_dir);
}

static void
remove_tree(const char *path)
{
	assert_int_equal(nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
}

/* ---- what clients see ---- */

static void
see_file(int fd, struct buf *out, uint8_t digest[SHA256_BYTES])
{
	AUTO_BUF bytes = BUF(MiB);
	struct blob_header h;

	CHECK_OK(fd_read_rest(fd, &bytes));
	assert_true(bytes.n > HEADER_BYTES);
	CHECK_OK(header_decode((const uint8_t *)bytes.p, &h)); /* a slot that was being changed has another beside it */
	sha256(str_sub(buf_str(&bytes), HEADER_BYTES, SIZE_MAX), digest);
	buf_put(out, digest, SHA256_BYTES);
}

static void
see_parts(const struct object_info *o, struct buf *out)
{
	for (uint32_t i = 0; i < o->n_parts; i++) {
		AUTO_MSG reply = MSG(0);
		uint8_t digest[SHA256_BYTES];
		struct sealed body;
		uint32_t number;
		uint64_t size;
		int fd = -1;

		CHECK_OK(vault_blob_open(no_pool, o->version, i, &reply, &fd, &body, &number, &size));
		buf_put_u32(out, number);
		buf_put_u64(out, size);
		if (fd >= 0) {
			see_file(fd, out, digest);
			close(fd);
		} else {
			buf_put_str(out, sealed_bytes(body));
		}
	}
}

static void
see_version(size_t bucket, const struct list_entry *e, struct buf *out)
{
	AUTO_MSG reply = MSG(0);
	uint8_t digest[SHA256_BYTES];
	struct object_info o;
	struct sent *s = sent_of(e->id);
	struct bucket_info b;
	bool has;

	buf_put_lstr(out, e->key);
	buf_put_id(out, e->id);
	buf_put_u8(out, (uint8_t)(e->is_null | e->is_latest << 1 | e->is_delete_marker << 2));
	buf_put_u64(out, e->size);
	buf_put_u64(out, (uint64_t)e->modified_us);
	buf_put(out, e->etag, sizeof(e->etag));
	assert_non_null(s); /* nothing that was never sent */
	if (s->record == 0 || s->record > w.ledger->committed)
		fail_msg("a version of %.*s has record %llu of %llu", (int)e->key.n, e->key.p, (unsigned long long)s->record,
		    (unsigned long long)w.ledger->committed);
	if (e->is_delete_marker)
		return;
	CHECK_OK(vault_lookup(no_pool, bucket_names[bucket], e->key, e->is_null ? NULL_VERSION : version_of(e->id), LOOKUP_BODY, &reply,
	    &b, &has, &o));
	assert_true(id_eq(o.version, e->id));
	buf_put_lstr(out, o.header);
	buf_put_lstr(out, o.charter);
	if (o.n_parts > 0) {
		see_parts(&o, out);
	} else if (o.is_inline) {
		sha256(sealed_bytes(o.body), digest);
		buf_put(out, digest, sizeof(digest));
		assert_memory_equal(digest, s->digest, sizeof(digest));
	} else {
		see_file(o.fd, out, digest);
		assert_memory_equal(digest, s->digest, sizeof(digest));
		close(o.fd);
	}
}

static void
see_uploads(size_t bucket, struct buf *out)
{
	struct list_query q = {.kind = LIST_UPLOADS, .bucket = w.buckets[bucket], .max = LIST_MAX};
	struct grant g = grant_for(ACTION_LIST_BUCKET_UPLOADS, w.buckets[bucket], (struct id){0}, STR_NONE, STR_NONE);
	static struct list_entry e[LIST_MAX];
	AUTO_MSG reply = MSG(0);
	bool more;
	size_t n;

	CHECK_OK(vault_list(no_pool, &g, &q, &reply, e, &n, &more));
	for (size_t i = 0; i < n; i++) {
		struct grant parts_g = grant_for(ACTION_LIST_UPLOAD_PARTS, w.buckets[bucket], e[i].id, e[i].key, STR_NONE);
		AUTO_MSG parts_reply = MSG(0);
		struct part parts[8];
		size_t n_parts;

		buf_put_lstr(out, e[i].key);
		buf_put_id(out, e[i].id);
		CHECK_OK(vault_part_list(no_pool, &parts_g, e[i].id, 0, 8, &parts_reply, parts, &n_parts, &more));
		for (size_t k = 0; k < n_parts; k++) {
			buf_put_u32(out, parts[k].number);
			buf_put_u64(out, parts[k].size);
			buf_put_u64(out, (uint64_t)parts[k].modified_us);
		}
	}
}

/* see(out): all that there is; the number of versions. */
static uint64_t
see(struct buf *out)
{
	uint64_t versions = 0;

	*out = BUF(VIEW_BYTES_MAX);
	for (size_t b = 0; b < BUCKETS; b++) {
		static struct list_entry e[LIST_MAX];
		struct list_query q = {.kind = LIST_VERSIONS, .bucket = w.buckets[b], .max = LIST_MAX};
		struct grant g = grant_for(ACTION_LIST_BUCKET_VERSIONS, w.buckets[b], (struct id){0}, STR_NONE, STR_NONE);
		AUTO_MSG reply = MSG(0);
		bool more;
		size_t n;

		CHECK_OK(vault_list(no_pool, &g, &q, &reply, e, &n, &more));
		assert_false(more);
		for (size_t i = 0; i < n; i++)
			see_version(b, &e[i], out);
		versions += n;
		see_uploads(b, out);
	}
	CHECK_OK(buf_check(out));
	return versions;
}

#endif
