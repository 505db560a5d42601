/*
 * Power cuts. A vault and a ledger do what they do in a house, all their changes of files are written down (disk.h), and for
 * many moments the disk is made as a cut may leave it. Then the real recovery runs, and must find: every acknowledged version once
 * with its bytes, nothing else but what was in the midst of being written, wholly or not at all; a ledger that verifies and has
 * a record of each version; a database that holds together; no file too many or too few. A cut in the recovery changes nothing.
 *
 * What is compared is what clients see: listings, lookups, bytes. It is taken after each acknowledged step from the vault at work,
 * and the bytes in it are checked there against what was sent.
 *
 * CLOISTER_SEED=N: another load and other cuts. CLOISTER_CUTS=N: how many.
 */
#include "power_load.h"

#define CUTS 700

/* ---- after a cut ---- */

struct cut {
	size_t at;
	enum disk_luck luck;
	uint64_t number;
};

static const struct cut *here; /* for whoever reads a failure */

static void
explain(const char *what, const struct ledger_fault *f, struct err e)
{
	fail_msg("%s: cut %llu after operation %zu, luck %d, tree %s: %s at %s:%u (%s %llu %s)", what, (unsigned long long)here->number,
	    here->at, here->luck, w.now, err_name(e.code), e.file ? e.file : "", e.line, f->what ? f->what : "",
	    (unsigned long long)f->index, f->file);
}

/* the ledger has all that was acknowledged, and of what was not, whole groups */
static void
ledger_is_right(const struct cut *c)
{
	uint64_t sure = 0, issued = 0;
	uint8_t root[HASH_BYTES];
	const struct head *mine = NULL;

	frontier_root(&w.ledger->frontier, root);
	for (size_t i = 0; i < w.n_heads; i++) {
		const struct head *h = &w.heads[i];

		if (h->to <= c->at)
			sure = h->size;
		if (h->from <= c->at)
			issued = h->size;
		if (h->size == w.ledger->committed)
			mine = h;
	}
	if (w.ledger->committed < sure || w.ledger->committed > issued || (!mine && w.ledger->committed > 0))
		fail_msg("cut %llu at %zu, luck %d, tree %s: ledger has %llu, acknowledged %llu, sent %llu", (unsigned long long)c->number,
		    c->at, c->luck, w.now, (unsigned long long)w.ledger->committed, (unsigned long long)sure, (unsigned long long)issued);
	if (mine)
		assert_memory_equal(root, mine->root, sizeof(root));
	assert_true(vault_ledger_size(house.v) <= w.ledger->committed);
}

/* leave(name, view): beside the tree, for whoever looks for the reason. */
static void
leave(const char *name, const struct buf *view)
{
	char path[80];

	snprintf(path, sizeof(path), "%s/%s", w.top, name);
	CHECK_OK(fd_replace_file(AT_FDCWD, path, buf_str(view), 0600));
}

/* the vault is as it was after its last acknowledged step, or after the one that was under way */
static void
vault_is_right(const struct cut *c, struct buf *view)
{
	struct ledger_fault none = {0};
	size_t last = 0;
	struct vault_stats s;
	uint64_t versions;

	if (err_is(db_verify(house.v->db)))
		explain("database", &none, ERR(ERR_CORRUPT));
	versions = see(view);
	while (last + 1 < w.n_steps && w.steps[last + 1].to <= c->at)
		last++;
	if (!str_eq(buf_str(view), buf_str(&w.steps[last].view)) && (last + 1 >= w.n_steps || w.steps[last + 1].from > c->at ||
	    !str_eq(buf_str(view), buf_str(&w.steps[last + 1].view)))) {
		leave("found", view);
		leave("before", &w.steps[last].view);
		leave("after", &w.steps[last + 1 < w.n_steps ? last + 1 : last].view);
		fail_msg("cut %llu at %zu, luck %d, tree %s: the vault is neither as after step %zu (%llu versions) nor %zu: %llu versions",
		    (unsigned long long)c->number, c->at, c->luck, w.now, last, (unsigned long long)w.steps[last].versions, last + 1,
		    (unsigned long long)versions);
	}
	idle();
	s = numbers();
	assert_int_equal(s.versions, versions);
	assert_int_equal(s.blobs, count_files());
	assert_int_equal(s.blobs_bad, 0);
	assert_int_equal(s.buckets, BUCKETS);
}

static void
verifies_offline(void)
{
	struct ledger_report report;
	struct ledger_fault fault = {0};
	uint64_t size = w.ledger->committed;
	struct err e;

	ledger_close(w.ledger);
	w.ledger = NULL;
	e = ledger_verify(w.ledger_dir, str_c(w.vkey), STR_NONE, NULL, NULL, &fault, &report);
	if (err_is(e))
		explain("ledger offline", &fault, e);
	assert_int_equal(report.size, size);
}

static void
recover(const struct cut *c, struct buf *view)
{
	struct ledger_fault fault = {0};
	struct err e = both_open(&fault);

	if (err_is(e))
		explain("recovery", &fault, e);
	ledger_is_right(c);
	vault_is_right(c, view);
}

/* again(m, c, view, size): a cut while it recovers, or right after; what was found once must be found again. */
static void
again(const struct disk_log *l, const struct cut *c, const struct buf *view, uint64_t size)
{
	struct disk_moment *m = disk_moment_new(l);
	AUTO_BUF found = BUF(0);

	disk_moment_advance(m, l->n_first + dice(l->n_ops - l->n_first + 1));
	disk_crash(m, (enum disk_luck)dice(LUCK_COUNT), &w.seed, w.now);
	recover(c, &found);
	assert_true(str_eq(buf_str(&found), buf_str(view)));
	assert_int_equal(w.ledger->committed, size);
	disk_moment_free(m);
}

static void
survives(const struct disk_moment *m, const struct cut *c)
{
	AUTO_BUF view = BUF(0);
	bool twice = c->number % 8 == 0, go_on = c->number % 4 == 1;
	uint64_t size;

	here = c;
	disk_crash(m, c->luck, &w.seed, w.now);
	if (twice)
		disk_watch(w.now);
	recover(c, &view);
	size = w.ledger->committed;
	if (twice) {
		struct disk_log *l = disk_unwatch();

		both_drop();
		remove_tree(w.now);
		again(l, c, &view, size);
		disk_log_free(l);
	}
	if (go_on) {
		put_text(w.buckets[0], STR("afterwards"), STR("x"));
		both_drop();
		CHECK_OK(both_open(&(struct ledger_fault){0}));
		assert_int_equal(w.ledger->committed, size + 1);
	}
	verifies_offline();
	both_drop();
	remove_tree(w.now);
}

static int
compare(const void *a, const void *b)
{
	const struct cut *x = a, *y = b;

	return x->at < y->at ? -1 : x->at > y->at;
}

static uint64_t
from_environment(const char *name, uint64_t otherwise)
{
	const char *v = getenv(name);
	uint64_t n = 0;

	return v && !err_is(num_parse_u64(str_c(v), 1000000, &n)) && n > 0 ? n : otherwise;
}

static void
every_cut_is_survived(void **state)
{
	size_t n = from_environment("CLOISTER_CUTS", CUTS);
	struct cut *cuts = calloc(n, sizeof(*cuts));
	struct disk_log *log;
	struct disk_moment *m;

	(void)state;
	assert_non_null(cuts);
	step(step_buckets);
	load();
	if (upload.open)
		fresh_release(&upload.f);
	w.writing_down = false;
	log = disk_unwatch();
	both_drop();
	for (size_t i = 0; i < n; i++)
		cuts[i] = (struct cut){.at = w.steps[0].to + dice(log->n_ops - w.steps[0].to + 1),
			.luck = i < n / 20 ? (enum disk_luck)dice(LUCK_ORDER) : LUCK_ORDER + (enum disk_luck)dice(LUCK_COUNT - LUCK_ORDER)};
	qsort(cuts, n, sizeof(*cuts), compare);
	m = disk_moment_new(log);
	snprintf(w.now, sizeof(w.now), "%s/cut", w.top);
	for (size_t i = 0; i < n; i++) {
		cuts[i].number = i;
		disk_moment_advance(m, cuts[i].at);
		survives(m, &cuts[i]);
	}
	print_message("%zu cuts, among %zu operations with %llu syncs; %llu records, %llu versions at the end\n", n, log->n_ops,
	    (unsigned long long)log->syncs, (unsigned long long)w.heads[w.n_heads - 1].size,
	    (unsigned long long)w.steps[w.n_steps - 1].versions);
	disk_moment_free(m);
	disk_log_free(log);
	free(cuts);
}

static int
set_up(void **state)
{
	AUTO_BUF vkey = BUF(sizeof(w.vkey));
	uint8_t public_key[32];
	struct statvfs fs;
	char path[80];

	(void)state;
	w.seed = from_environment("CLOISTER_SEED", 20261122);
	w.ledger_dir = -1;
	w.sent = calloc(PLACES_MAX, sizeof(*w.sent));
	assert_non_null(w.sent);
	CHECK_OK(crypto_init());
	CHECK_OK(vault_before_jail());
	/* in memory, if there is room: the disk is ours to play */
	snprintf(w.top, sizeof(w.top), "%s/cloister-power-XXXXXX",
	    statvfs("/dev/shm", &fs) == 0 && fs.f_bavail * fs.f_frsize > 512 * MiB ? "/dev/shm" : "/tmp");
	assert_non_null(mkdtemp(w.top));
	snprintf(w.now, sizeof(w.now), "%s/live", w.top);
	assert_int_equal(mkdir(w.now, 0700), 0);
	house = (struct house){.who = id_new(), .domain = id_new(), .grant_key = mac_key_new(), .charter_key = mac_key_new()};
	secret_random(&house.grant_key->s);
	secret_random(&house.charter_key->s);
	w.key = sign_key_new();
	secret_random(&w.key->s);
	sign_public(w.key, public_key);
	ledger_vkey(ORIGIN, public_key, &vkey);
	memcpy(w.vkey, vkey.p, vkey.n);
	snprintf(path, sizeof(path), "%s/vault", w.now);
	assert_int_equal(mkdir(path, 0700), 0);
	snprintf(path, sizeof(path), "%s/ledger", w.now);
	assert_int_equal(mkdir(path, 0700), 0);
	disk_watch(w.now);
	CHECK_OK(fd_open_at(AT_FDCWD, path, O_RDONLY | O_DIRECTORY, 0, &w.ledger_dir));
	CHECK_OK(ledger_create(w.ledger_dir, ORIGIN, w.key));
	fd_close(&w.ledger_dir);
	snprintf(path, sizeof(path), "%s/vault", w.now);
	CHECK_OK(vault_create(path));
	w.writing_down = true;
	CHECK_OK(both_open(&(struct ledger_fault){0}));
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	both_drop();
	disk_log_free(disk_unwatch());
	mac_key_free(house.grant_key);
	mac_key_free(house.charter_key);
	sign_key_free(w.key);
	for (size_t i = 0; i < w.n_steps; i++)
		buf_release(&w.steps[i].view);
	map_release(&w.by_id);
	free(w.sent);
	if (access(w.now, F_OK) == 0 && strstr(w.now, "/cut")) /* a failure: its tree is left to be looked at */
		return 0;
	return nftw(w.top, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test_setup_teardown(every_cut_is_survived, set_up, tear_down)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
