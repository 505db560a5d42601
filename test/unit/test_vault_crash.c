/*
 * vault: kill -9 and power cuts.
 *
 * Power cuts: this program's own pwrite, fdatasync, linkat … stand before libc's, for SQLite too, and write down what is done to
 * the folder. Disks are then made as a cut at each of many points might have left them: what was synced before is there; of the rest any part,
 * writes torn at sectors. What was acknowledged before the cut must be there, whole; anything else whole or not at all.
 */
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include "db/db.h"
#include "vault_house.h"

#define BUCKET STR("study-data")
#define KEYS 40
#define SECTOR 512

/* ---- kill -9 ---- */

/* text_of(i, b): what key ${i} holds; every third is a file of its own. */
static void
text_of(unsigned i, struct buf *b)
{
	size_t n = i % 3 == 0 ? 40000 + i : 100 + i;

	buf_clear(b);
	for (size_t k = 0; k < n; k++)
		buf_put_char(b, (char)('a' + (i + k) % 26));
}

static void
put_number(struct id bucket, unsigned i)
{
	AUTO_BUF text = BUF(MiB);
	char key[32];

	snprintf(key, sizeof(key), "key-%06u", i);
	text_of(i, &text);
	(i % 3 == 0 ? put_file : put_text)(bucket, str_c(key), buf_str(&text));
}

/* holds(i): whether key ${i} is there; if so, it must be whole. */
static bool
holds(unsigned i)
{
	AUTO_MSG reply = MSG(0);
	AUTO_BUF text = BUF(MiB);
	AUTO_BUF back = BUF(MiB);
	struct object_info o;
	uint8_t hash[32];
	char key[32];
	struct err e;

	snprintf(key, sizeof(key), "key-%06u", i);
	e = look(BUCKET, str_c(key), current_version, &reply, &o);
	if (e.code == ERR_NOT_FOUND)
		return false;
	CHECK_OK(e);
	text_of(i, &text);
	assert_int_equal(o.size, text.n);
	sha256(buf_str(&text), hash);
	assert_memory_equal(o.etag, hash, sizeof(o.etag));
	if (o.is_inline)
		return sealed_bytes(o.body).n == stream_sealed_size(text.n);
	/* its digest is the one that was recorded: read by the row's own reader, compared by ours */
	CHECK_OK(fd_read_rest(o.fd, &back));
	close(o.fd);
	assert_int_equal(back.n, HEADER_BYTES + stream_sealed_size(text.n));
	assert_memory_equal(back.p, o.header.p, HEADER_BYTES);
	return true;
}

/* sound(): the database holds together, every file has a row, every row its file with the bytes that were put. */
static void
sound(void)
{
	struct vault_stats s;
	unsigned checked = 0;

	idle();
	s = numbers();
	assert_int_equal(count_files(), s.blobs);
	asker = ROLE_STEWARD;
	clock_fake_us(clock_now_us() + 3600 * US_PER_S);
	for (;;) {
		AUTO_BUF bytes = BUF(MiB);
		uint8_t want[32], got[32];
		struct id blob;
		AUTO_FD fd = -1;
		struct err e = vault_check_next(&no_chan, clock_now_us(), &blob, &fd, want);

		if (e.code == ERR_NOT_FOUND)
			break;
		CHECK_OK(e);
		CHECK_OK(fd_read_rest(fd, &bytes));
		sha256(str_sub(buf_str(&bytes), HEADER_BYTES, SIZE_MAX), got);
		assert_memory_equal(want, got, sizeof(want));
		CHECK_OK(vault_check_result(&no_chan, blob, true));
		checked++;
	}
	clock_fake_us(0);
	asker = ROLE_GATE;
	assert_int_equal(checked, s.blobs);
	assert_int_equal(numbers().blobs_bad, 0);
}

/* child DIR BUCKET NEXT FD: a process of its own (keys do not survive a fork) that puts until it is killed, and says what was acknowledged */
static int
child(char **args)
{
	unsigned at = (unsigned)strtoul(args[2], NULL, 10);
	int out = (int)strtol(args[3], NULL, 10);
	struct id bucket;

	CHECK_OK(crypto_init());
	snprintf(house.dir, sizeof(house.dir), "%s", args[0]);
	CHECK_OK(id_parse(str_c(args[1]), &bucket));
	house.who = id_new();
	house.domain = id_new();
	house.grant_key = mac_key_new();
	house.charter_key = mac_key_new();
	house_open();
	for (;; at++) {
		put_number(bucket, at);
		if (write(out, &at, sizeof(at)) != sizeof(at))
			return 1;
	}
}

static pid_t
start_child(struct id bucket, unsigned next, int out)
{
	char hex[ID_HEX_LEN + 1], number[16], fd[16];
	pid_t pid;

	id_format(bucket, hex);
	snprintf(number, sizeof(number), "%u", next);
	snprintf(fd, sizeof(fd), "%d", out);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		execl("/proc/self/exe", "test_vault_crash", "child", house.dir, hex, number, fd, (char *)NULL);
		_exit(1);
	}
	return pid;
}

static void
killed_at_any_moment(void **state)
{
	struct id bucket = make_bucket(BUCKET);
	unsigned next = 0;

	(void)state;
	for (int round = 0; round < 30; round++) {
		struct timespec pause = {.tv_nsec = (long)(1 + (unsigned)rand() % 20) * 1000000};
		unsigned acked = next, at;
		int pipes[2];
		pid_t pid;

		vault_close(house.v);
		house.v = NULL;
		assert_int_equal(pipe(pipes), 0);
		pid = start_child(bucket, next, pipes[1]);
		close(pipes[1]);
		assert_int_equal(poll(&(struct pollfd){.fd = pipes[0], .events = POLLIN}, 1, 20000), 1);
		nanosleep(&pause, NULL);
		assert_int_equal(kill(pid, SIGKILL), 0);
		waitpid(pid, NULL, 0);
		while (read(pipes[0], &at, sizeof(at)) == sizeof(at))
			acked = at + 1;
		close(pipes[0]);
		house_open();
		for (unsigned i = next; i < acked; i++)
			assert_true(holds(i));
		assert_false(holds(acked + 1)); /* the one under way may be there; nothing else */
		sound();
		assert_true(acked > next);
		next = acked + 1;
	}
}

/* ---- power cuts ---- */

enum op_kind { OP_WRITE, OP_SIZE, OP_SYNC, OP_NAME, OP_UNNAME, OP_SYNC_FOLDER, OP_ACK };
struct op {
	enum op_kind kind;
	ino_t inode;      /* the file; of OP_SYNC_FOLDER the folder */
	uint64_t offset;  /* or size, or number acknowledged */
	struct buf data;
	char path[80];    /* OP_NAME, OP_UNNAME: below the vault's folder */
	ino_t folder;
};
static struct op *ops;
static size_t n_ops;
static bool recording;

static struct op *
note(enum op_kind kind, int fd)
{
	struct stat st = {0};

	if (!recording || (fd >= 0 && (fstat(fd, &st) != 0 || (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode)))))
		return NULL;
	if (n_ops % 1024 == 0) {
		ops = realloc(ops, (n_ops + 1024) * sizeof(*ops));
		assert_non_null(ops);
	}
	ops[n_ops] = (struct op){.kind = kind, .inode = st.st_ino, .data = BUF(MiB)};
	return &ops[n_ops++];
}

static ssize_t
write_noted(int fd, const void *p, size_t n, off_t offset)
{
	struct op *o = note(OP_WRITE, fd);

	if (o) {
		o->offset = (uint64_t)offset;
		buf_put(&o->data, p, n);
	}
	return syscall(SYS_pwrite64, fd, p, n, offset);
}

/* In place of libc's, for the libraries too. Offsets have 64 bits: pwrite is pwrite64 to the linker. */
#define INSTEAD __attribute__((visibility("default")))

INSTEAD ssize_t
pwrite(int fd, const void *p, size_t n, off_t offset)
{
	return write_noted(fd, p, n, offset);
}

INSTEAD ssize_t
write(int fd, const void *p, size_t n)
{
	struct stat st;

	if (recording && fstat(fd, &st) == 0 && S_ISREG(st.st_mode)) {
		off_t at = lseek(fd, 0, SEEK_CUR);
		ssize_t done = write_noted(fd, p, n, at);

		if (done > 0)
			lseek(fd, at + done, SEEK_SET);
		return done;
	}
	return syscall(SYS_write, fd, p, n);
}

static int
size_noted(int fd, off_t size)
{
	struct op *o = note(OP_SIZE, fd);

	if (o)
		o->offset = (uint64_t)size;
	return (int)syscall(SYS_ftruncate, fd, size);
}

INSTEAD int
ftruncate(int fd, off_t size)
{
	return size_noted(fd, size);
}

static void
sync_noted(int fd)
{
	struct op *o = note(OP_SYNC, fd);
	struct stat st;

	if (o && fstat(fd, &st) == 0 && S_ISDIR(st.st_mode))
		o->kind = OP_SYNC_FOLDER;
}

INSTEAD int
fdatasync(int fd)
{
	sync_noted(fd);
	return 0; /* whether the disk of this machine has it is not the question */
}

INSTEAD int
fsync(int fd)
{
	sync_noted(fd);
	return 0;
}

static void
name_noted(enum op_kind kind, int fd, int dir, const char *name)
{
	struct op *o = note(kind, fd);
	char folder[80];
	struct stat st;

	if (!o)
		return;
	snprintf(folder, sizeof(folder), "%.*s", (int)(strrchr(name, '/') - name), name);
	assert_int_equal(fstatat(dir, folder, &st, 0), 0);
	o->folder = st.st_ino;
	snprintf(o->path, sizeof(o->path), "blobs/%s", name);
}

INSTEAD int
linkat(int from, const char *old, int to, const char *name, int flags)
{
	int done = (int)syscall(SYS_linkat, from, old, to, name, flags);
	int fd;

	if (done == 0 && recording) {
		fd = openat(to, name, O_RDONLY | O_CLOEXEC);
		name_noted(OP_NAME, fd, to, name);
		close(fd);
	}
	return done;
}

INSTEAD int
unlinkat(int dir, const char *name, int flags)
{
	if (recording && dir == AT_FDCWD) /* SQLite's and ours never meet: this would be a new habit of one of them */
		fail();
	if (recording)
		name_noted(OP_UNNAME, -1, dir, name);
	return (int)syscall(SYS_unlinkat, dir, name, flags);
}

/* disk: files by inode as a cut leaves them, and names */
struct file {
	ino_t inode;
	struct buf bytes;
	char path[80]; /* empty: no name */
};
static struct file files[512], base[512];
static size_t n_files, n_base;

static void
base_add(const char *name)
{
	char path[160];
	struct stat st;

	snprintf(path, sizeof(path), "%s/%s", house.dir, name);
	if (stat(path, &st) != 0)
		return;
	base[n_base] = (struct file){.inode = st.st_ino, .bytes = BUF(64 * MiB)};
	snprintf(base[n_base].path, sizeof(base[n_base].path), "%s", name);
	CHECK_OK(fd_read_file(AT_FDCWD, path, &base[n_base].bytes));
	n_base++;
}

static struct file *
file_of(ino_t inode)
{
	for (size_t i = 0; i < n_files; i++)
		if (files[i].inode == inode)
			return &files[i];
	assert_true(n_files < ARRAY_LEN(files));
	files[n_files] = (struct file){.inode = inode, .bytes = BUF(64 * MiB)};
	return &files[n_files++];
}

static void
grow(struct buf *b, size_t n)
{
	if (n > b->n) {
		memset(buf_room(b, n - b->n), 0, n - b->n);
		buf_grew(b, n - b->n);
	}
}

/* durable(i, cut): a sync before the cut covers operation ${i}. */
static bool
durable(size_t i, size_t cut)
{
	for (size_t k = i + 1; k < cut; k++) {
		if (ops[k].kind == OP_SYNC && ops[k].inode == ops[i].inode && (ops[i].kind == OP_WRITE || ops[i].kind == OP_SIZE))
			return true;
		if (ops[k].kind == OP_SYNC_FOLDER && ops[k].inode == ops[i].folder && (ops[i].kind == OP_NAME || ops[i].kind == OP_UNNAME))
			return true;
	}
	return false;
}

static void
apply(const struct op *o, bool sure)
{
	struct file *f;

	switch (o->kind) {
	case OP_WRITE:
		f = file_of(o->inode);
		grow(&f->bytes, o->offset + o->data.n);
		for (size_t at = 0; at < o->data.n; at += SECTOR)
			if (sure || rand() % 4 != 0)
				memcpy(f->bytes.p + o->offset + at, o->data.p + at, num_min(SECTOR, o->data.n - at));
		break;
	case OP_SIZE:
		f = file_of(o->inode);
		grow(&f->bytes, o->offset);
		f->bytes.n = o->offset;
		break;
	case OP_NAME:
		snprintf(file_of(o->inode)->path, sizeof(f->path), "%s", o->path);
		break;
	case OP_UNNAME:
		for (size_t i = 0; i < n_files; i++)
			if (strcmp(files[i].path, o->path) == 0)
				files[i].path[0] = '\0';
		break;
	case OP_SYNC:
	case OP_SYNC_FOLDER:
	case OP_ACK:
		break;
	}
}

/* make_disk(cut, kept_of_4): the folder as it might be after a cut before operation ${cut}. */
static void
make_disk(size_t cut, int kept_of_4)
{
	char path[200];

	for (size_t i = 0; i < n_files; i++)
		buf_release(&files[i].bytes);
	n_files = 0;
	for (size_t i = 0; i < n_base; i++) {
		struct file *f = file_of(base[i].inode);

		buf_put_str(&f->bytes, buf_str(&base[i].bytes));
		memcpy(f->path, base[i].path, sizeof(f->path));
	}
	for (size_t i = 0; i < cut; i++) {
		bool sure = durable(i, cut);

		if (sure || rand() % 4 < kept_of_4)
			apply(&ops[i], sure);
	}
	nftw(house.dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	assert_int_equal(mkdir(house.dir, 0700), 0);
	snprintf(path, sizeof(path), "%s/blobs", house.dir);
	mkdir(path, 0700);
	for (unsigned i = 0; i < 256; i++) {
		snprintf(path, sizeof(path), "%s/blobs/%02x", house.dir, i);
		mkdir(path, 0700);
	}
	for (size_t i = 0; i < n_files; i++) {
		AUTO_FD fd = -1;

		if (!files[i].path[0])
			continue;
		snprintf(path, sizeof(path), "%s/%s", house.dir, files[i].path);
		CHECK_OK(fd_open_at(AT_FDCWD, path, O_WRONLY | O_CREAT | O_TRUNC, 0600, &fd));
		CHECK_OK(fd_write_all(fd, buf_str(&files[i].bytes)));
	}
}

static void
record_puts(struct id bucket)
{
	base_add("vault.db");
	base_add("vault.db-wal");
	recording = true;
	for (unsigned i = 0; i < KEYS; i++) {
		struct op *o;

		put_number(bucket, i);
		o = note(OP_ACK, -1);
		o->offset = i;
		if (i % 5 == 4) { /* and some go */
			char key[32];

			snprintf(key, sizeof(key), "key-%06u", i - 3);
			delete_key(bucket, str_c(key), current_version);
			idle();
			o = note(OP_ACK, -1);
			o->offset = 1000 + i - 3;
		}
	}
	recording = false;
}

static void
check_disk(size_t cut)
{
	bool put[KEYS] = {false}, gone[KEYS] = {false}, going[KEYS] = {false};
	unsigned last = 0;

	for (size_t i = 0; i < cut; i++) {
		if (ops[i].kind != OP_ACK)
			continue;
		if (ops[i].offset >= 1000) {
			gone[ops[i].offset - 1000] = true;
		} else {
			put[ops[i].offset] = true;
			last = (unsigned)ops[i].offset;
		}
	}
	if (last % 5 == 4)
		going[last - 3] = true; /* its deletion may have been under way */
	house_open();
	for (unsigned i = 0; i < KEYS; i++) {
		bool there = holds(i);

		if (put[i] && !gone[i] && !going[i] && !there)
			fail_msg("cut at %zu: key %u was acknowledged and is lost", cut, i);
		if (gone[i] && there)
			fail_msg("cut at %zu: key %u was deleted and is back", cut, i);
		if (i > last + 1 && there)
			fail_msg("cut at %zu: key %u was never put", cut, i);
	}
	sound();
	put_number(make_bucket(STR("works-on")), 1);
	vault_close(house.v);
	house.v = NULL;
}

static void
power_cut_anywhere(void **state)
{
	struct id bucket = make_bucket(BUCKET);

	(void)state;
	srand(1);
	record_puts(bucket);
	vault_close(house.v);
	house.v = NULL;
	assert_true(n_ops > 8 * KEYS);
	for (size_t cut = 1; cut <= n_ops; cut += 1 + (size_t)rand() % 5) {
		make_disk(cut, rand() % 5);
		check_disk(cut);
	}
	for (size_t i = 0; i < n_ops; i++)
		buf_release(&ops[i].data);
	for (size_t i = 0; i < n_files; i++)
		buf_release(&files[i].bytes);
	for (size_t i = 0; i < n_base; i++)
		buf_release(&base[i].bytes);
	free(ops);
	house_open();
}

/* the disks are imagined, and made by the hundred: in memory, where there is such a folder */
static int
set_up_in_memory(void **state)
{
	(void)state;
	return house_set_up_in(access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
}

int
main(int argc, char **argv)
{
	if (argc == 6 && strcmp(argv[1], "child") == 0)
		return child(argv + 2);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(killed_at_any_moment, house_set_up, house_tear_down),
		cmocka_unit_test_setup_teardown(power_cut_anywhere, set_up_in_memory, house_tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
