/* ledger: what verification finds in a log that was changed, file by file, and the process that serves it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "ledger_fixture.h"
#include "proc/server.h"

/* a log with full and partial tiles of two levels, a journal that goes on after the checkpoint, and a witness */
static void
rich_log(const struct folder *d)
{
	struct ledger *l = log_new(d);
	struct sign_key *witness = sign_key_new();
	AUTO_BUF file = BUF(NOTE_BYTES_MAX), line = BUF(1 * KiB);
	uint8_t pub[32];
	struct vkey v;

	log_fill(l, 600, 75);
	ok(ledger_publish(l));
	log_fill(l, 620, 10);
	secret_random(&witness->s);
	sign_public(witness, pub);
	vkey_of(STR("witness.example"), NOTE_COSIGNATURE, pub, &v);
	vkey_write(&v, &file);
	buf_put_char(&file, '\n');
	buf_put_str(&file, buf_str(&l->checkpoint));
	ok(ledger_cosign(buf_str(&l->checkpoint), str_c(the_vkey), v.name, witness, 1700000000, &line));
	buf_put_str(&file, buf_str(&line));
	file_write(d, "witness/witness.example", buf_str(&file));
	sign_key_free(witness);
	log_drop(l);
	log_is_good(d, 620);
}

/* Each changed byte of ${path} is found, as ${what} (NULL: whatever), in that file. */
static void
flips_are_found(const struct folder *d, const char *path, size_t step, const char *what)
{
	AUTO_BUF b = file_read(d, path);
	struct ledger_fault f = {0};

	for (size_t i = 0; i < b.n; i += step) {
		struct err e;

		b.p[i] ^= 0x04;
		file_write(d, path, buf_str(&b));
		e = log_verify(d, &f, NULL);
		if (e.code != ERR_CORRUPT && e.code != ERR_ROLLBACK)
			fail_msg("%s: a change at %zu is not found", path, i);
		if (what)
			assert_string_equal(f.what, what);
		if (what)
			assert_string_equal(f.file, path);
		b.p[i] ^= 0x04;
	}
	file_write(d, path, buf_str(&b));
	log_is_good(d, 620);
}

static void
every_changed_byte_is_found(void **state)
{
	struct folder d = folder_new();
	struct ledger_fault f;

	(void)state;
	rich_log(&d);
	flips_are_found(&d, "checkpoint", 1, NULL);
	flips_are_found(&d, "witness/witness.example", 1, NULL);
	flips_are_found(&d, "tile/0/000", 61, "tile altered");
	flips_are_found(&d, "tile/0/001", 61, "tile altered");
	flips_are_found(&d, "tile/0/002.p/88", 13, "tile altered");
	flips_are_found(&d, "tile/1/000.p/2", 1, "tile altered");
	flips_are_found(&d, "tile/entries/000", 173, NULL);
	flips_are_found(&d, "tile/entries/001", 173, NULL);
	flips_are_found(&d, "tile/entries/002.p/88", 37, NULL);
	flips_are_found(&d, "journal/00000000000000000000", 223, NULL);
	/* a byte of an entry, and where it is */
	AUTO_BUF b = file_read(&d, "tile/entries/001");
	b.p[2 + 10] ^= 1;
	file_write(&d, "tile/entries/001", buf_str(&b));
	assert_int_equal(log_verify(&d, &f, NULL).code, ERR_CORRUPT);
	assert_string_equal(f.what, "entry altered");
	assert_string_equal(f.file, "tile/entries/001");
	assert_int_equal(f.index, 256);
	folder_remove(&d);
}

static void
refused_as(const struct folder *d, enum err_code code, const char *what, uint64_t index, const char *file)
{
	struct ledger_fault f = {0};

	assert_int_equal(log_verify(d, &f, NULL).code, code);
	assert_string_equal(f.what, what);
	assert_string_equal(f.file, file);
	assert_int_equal(f.index, index);
}

static void
files_cut_missing_or_swapped_are_found(void **state)
{
	static const char *const files[] = {"checkpoint", "tile/0/000", "tile/0/002.p/88", "tile/1/000.p/2",
		"tile/entries/000", "tile/entries/002.p/88", "witness/witness.example"};
	struct folder d = folder_new();
	struct ledger_fault f;

	(void)state;
	rich_log(&d);
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		AUTO_BUF b = file_read(&d, files[i]);

		for (size_t n = 0; n < b.n; n += b.n / 5 + 1) {
			file_write(&d, files[i], str_of(b.p, n));
			assert_true(err_is(log_verify(&d, &f, NULL)));
			assert_string_equal(f.file, files[i]);
		}
		assert_int_equal(unlinkat(d.fd, files[i], 0), 0);
		if (i + 1 < ARRAY_LEN(files)) /* nobody can miss a witness he does not know */
			assert_true(err_is(log_verify(&d, &f, NULL)));
		buf_put_char(&b, '\n');
		file_write(&d, files[i], buf_str(&b));
		assert_true(err_is(log_verify(&d, &f, NULL)));
		b.n--;
		file_write(&d, files[i], buf_str(&b));
		log_is_good(&d, 620);
	}
	AUTO_BUF e0 = file_read(&d, "tile/entries/000"), e1 = file_read(&d, "tile/entries/001");
	AUTO_BUF t0 = file_read(&d, "tile/0/000"), t1 = file_read(&d, "tile/0/001");
	file_write(&d, "tile/entries/000", buf_str(&e1));
	refused_as(&d, ERR_CORRUPT, "entry altered", 0, "tile/entries/000");
	file_write(&d, "tile/0/000", buf_str(&t1)); /* both, so that they agree with each other */
	file_write(&d, "tile/entries/001", buf_str(&e0));
	file_write(&d, "tile/0/001", buf_str(&t0));
	refused_as(&d, ERR_CORRUPT, "entry out of place", 0, "tile/entries/000");
	file_write(&d, "tile/entries/000", buf_str(&e0));
	file_write(&d, "tile/0/000", buf_str(&t0));
	file_write(&d, "tile/entries/001", buf_str(&e1));
	file_write(&d, "tile/0/001", buf_str(&t1));
	/* an entry changed together with its tile */
	uint8_t leaf[HASH_BYTES];
	struct cur c = cur_of(buf_str(&e0));
	struct str json;
	assert_true(bundle_next(&c, &json));
	e0.p[str_find(buf_str(&e0), STR("object.put"))] = 'a';
	merkle_leaf(json, leaf);
	memcpy(t0.p, leaf, sizeof(leaf));
	file_write(&d, "tile/entries/000", buf_str(&e0));
	file_write(&d, "tile/0/000", buf_str(&t0));
	refused_as(&d, ERR_CORRUPT, "tile and entries altered", 0, "tile/0/000");
	folder_remove(&d);
}

static void
what_was_seen_before_must_be_there(void **state)
{
	struct folder d = folder_new(), copy = folder_new();
	struct ledger *l = log_new(&d);
	struct ledger_report r;
	struct ledger_fault f;

	(void)state;
	log_fill(l, 300, 50);
	ok(ledger_publish(l));
	ok(ledger_export(d.fd, copy.fd));
	log_fill(l, 350, 50);
	ledger_close(l);
	AUTO_BUF newer = file_read(&d, "checkpoint");
	AUTO_BUF older = file_read(&copy, "checkpoint");
	ok(ledger_verify(d.fd, str_c(the_vkey), buf_str(&older), NULL, NULL, &f, &r));
	assert_int_equal(ledger_verify(copy.fd, str_c(the_vkey), buf_str(&newer), NULL, NULL, &f, &r).code, ERR_ROLLBACK);
	assert_string_equal(f.what, "log is shorter than a signed head");
	struct folder fork = folder_new();
	clock_fake_us(1000000000000000ll);
	l = log_new(&fork);
	log_fill(l, 320, 50);
	ledger_close(l);
	clock_fake_us(0);
	assert_int_equal(ledger_verify(fork.fd, str_c(the_vkey), buf_str(&older), NULL, NULL, &f, &r).code, ERR_ROLLBACK);
	assert_string_equal(f.what, "older checkpoint is not a part of this log");
	assert_int_equal(f.index, 300);
	older.p[older.n - 10] ^= 1;
	assert_int_equal(ledger_verify(d.fd, str_c(the_vkey), buf_str(&older), NULL, NULL, &f, &r).code, ERR_INVALID);
	folder_remove(&fork);
	folder_remove(&copy);
	folder_remove(&d);
}

/* ---- the process, with a cloisterd and peers that are this test ---- */

#define SERVE_FD 40

struct house { pid_t pid; int control; struct chan warden, gate; struct folder d; };

static int
channel(int control, enum role role)
{
	AUTO_MSG m = MSG(CONTROL_PEER);
	int s[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, s), 0);
	buf_put_u16(&m.body, (uint16_t)role);
	buf_put_u8(&m.body, 1);
	msg_give_fd(&m, s[1]);
	ok(msg_send(control, &m));
	return s[0];
}

static void
house_start(struct house *h)
{
	AUTO_MSG ready = MSG(0);
	int s[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, s), 0);
	h->pid = fork();
	assert_true(h->pid >= 0);
	if (h->pid == 0) { /* secret memory is not for children: a program of its own */
		if (dup2(s[1], SERVE_FD) == SERVE_FD && fchdir(h->d.fd) == 0)
			execl("/proc/self/exe", "test_ledger_verify", "serve", NULL);
		_exit(99);
	}
	close(s[1]);
	h->control = s[0];
	ok(msg_recv(h->control, 0, &ready));
	assert_int_equal(ready.op, CONTROL_READY);
	h->warden = (struct chan){.fd = channel(h->control, ROLE_WARDEN)};
	h->gate = (struct chan){.fd = channel(h->control, ROLE_GATE)};
}

static int
house_end(struct house *h)
{
	int status;

	assert_int_equal(waitpid(h->pid, &status, 0), h->pid);
	fd_close(&h->control);
	chan_close(&h->warden);
	chan_close(&h->gate);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static struct err
append(struct chan *c, size_t n, struct receipt *receipts)
{
	static struct record r[LIMIT_BATCH_REQUESTS * 4];

	for (size_t i = 0; i < n; i++) {
		r[i] = (struct record){0};
		record_word(&r[i], RECORD_ACT, STR("user.add"));
		record_word(&r[i], RECORD_SUBJECT, i == 3 ? STR("s-3") : STR("other"));
		record_number(&r[i], RECORD_COUNT, i);
	}
	return ledger_append(c, r, n, receipts);
}

static void
the_process_serves(void **state)
{
	static struct receipt receipts[LIMIT_BATCH_REQUESTS * 4];
	struct house h = {.d = folder_new()};
	struct ledger_head head, later;
	struct ledger_entry found[8];
	AUTO_BUF text = BUF(NOTE_BYTES_MAX), proof = BUF(NOTE_BYTES_MAX), json = BUF(LIMIT_RECORD_BYTES);
	AUTO_MSG reply = MSG(0);
	struct record bad[2] = {0};
	AUTO_MSG stop = MSG(CONTROL_STOP);
	size_t n;
	bool more;

	(void)state;
	ok(ledger_create(h.d.fd, ORIGIN, the_key));
	house_start(&h);
	assert_int_equal(append(&h.warden, 1, receipts).code, ERR_BUSY); /* locked */
	assert_int_equal(ledger_unlock(&h.gate, the_key, &head).code, ERR_DENIED);
	ok(ledger_unlock(&h.warden, the_key, &head));
	assert_int_equal(head.size, 0);
	ok(append(&h.warden, 1024, receipts));
	for (size_t i = 0; i < 1024; i++)
		assert_int_equal(receipt_index(&receipts[i]), i);
	assert_true(receipt_time_us(&receipts[0]) > 0);
	assert_int_equal(append(&h.gate, 1, receipts).code, ERR_DENIED);
	record_word(&bad[0], RECORD_ACT, STR("good"));
	record_word(&bad[1], RECORD_ACT, STR("Jane Doe"));
	assert_int_equal(ledger_append(&h.warden, bad, 2, receipts).code, ERR_INVALID);
	ok(ledger_head(&h.gate, &head, &text));
	assert_int_equal(head.size, 1024); /* neither of the two */
	ok(ledger_query(&h.gate, &(struct ledger_query){.max = 8, .subject = STR("s-3")}, &reply, found, &n, &more));
	assert_int_equal(n, 1);
	assert_false(more);
	assert_int_equal(found[0].index, 3);
	assert_true(str_find(found[0].json, STR("\"service\":\"warden\"")) != SIZE_MAX);
	ok(ledger_query(&h.gate, &(struct ledger_query){.max = 8}, &reply, found, &n, &more));
	assert_int_equal(n, 8);
	assert_true(more);
	assert_int_equal(found[7].index, 1016);
	ok(ledger_prove(&h.gate, 1023, &proof, &json));
	ok(ledger_verify_proof(str_c(the_vkey), buf_str(&proof), buf_str(&json)));
	assert_int_equal(ledger_prove(&h.gate, 1024, &proof, &json).code, ERR_NOT_FOUND);
	ok(ledger_remember(&h.warden, &head));
	assert_int_equal(ledger_remember(&h.gate, &head).code, ERR_DENIED);
	ok(ledger_unlock(&h.warden, the_key, &later)); /* warden was restarted */
	assert_memory_equal(later.root, head.root, 32);
	/* killed: what had a receipt is there */
	ok(append(&h.warden, 10, receipts));
	kill(h.pid, SIGKILL);
	house_end(&h);
	house_start(&h);
	ok(ledger_unlock(&h.warden, the_key, &later));
	assert_int_equal(later.size, 1034);
	ok(ledger_remember(&h.warden, &head));
	ok(msg_send(h.control, &stop));
	assert_int_equal(house_end(&h), 0);
	log_is_good(&h.d, 1034);
	/* warden has seen more than there is: the process does not go on */
	house_start(&h);
	ok(ledger_unlock(&h.warden, the_key, &later));
	head = (struct ledger_head){.size = 2000};
	assert_int_equal(ledger_remember(&h.warden, &head).code, ERR_CLOSED);
	assert_int_equal(house_end(&h), err_exit_status(ERR_ROLLBACK));
	folder_remove(&h.d);
}

static void
the_process_refuses_an_older_log(void **state)
{
	struct house h = {.d = folder_new()};
	struct ledger *l = log_new(&h.d);
	struct ledger_head head;
	AUTO_BUF old = file_read(&h.d, "journal/00000000000000000000");

	(void)state;
	log_fill(l, 10, 5);
	ledger_close(l);
	file_write(&h.d, "journal/00000000000000000000", buf_str(&old));
	house_start(&h);
	assert_int_equal(ledger_unlock(&h.warden, the_key, &head).code, ERR_CLOSED);
	assert_int_equal(house_end(&h), err_exit_status(ERR_ROLLBACK));
	folder_remove(&h.d);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_changed_byte_is_found),
		cmocka_unit_test(files_cut_missing_or_swapped_are_found),
		cmocka_unit_test(what_was_seen_before_must_be_there),
		cmocka_unit_test(the_process_serves),
		cmocka_unit_test(the_process_refuses_an_older_log),
	};

	if (argc == 2 && strcmp(argv[1], "serve") == 0)
		return err_is(crypto_init()) || err_is(ledger_serve(SERVE_FD)) ? 98 : 0;
	return cmocka_run_group_tests(tests, fixture_start, fixture_end);
}
