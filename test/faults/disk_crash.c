/* What may be found after a cut. */
#include "disk.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SECTOR 512
#define LOOK_BACK 48 /* operations that LUCK_ORDER may lose */

#define MUST(x)                                                                      \
	do {                                                                         \
		if (!(x)) {                                                          \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #x);      \
			abort();                                                     \
		}                                                                    \
	} while (0)

struct bytes {
	uint8_t *p;
	size_t n, cap;
};
struct entry {
	const char *name; /* of the log */
	uint32_t node;
};
struct names {
	struct entry *e;
	size_t n, cap;
};
/* thing: a node as it is sure to be, and the operations on it that nothing has made sure */
struct thing {
	struct bytes bytes;
	struct names names;
	size_t *open;
	size_t n_open, cap_open;
};
struct disk_moment {
	const struct disk_log *log;
	struct thing *things;
	size_t at;
};

uint64_t
disk_random(uint64_t *seed, uint64_t n)
{
	uint64_t z = (*seed += 0x9e3779b97f4a7c15u);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return (z ^ (z >> 31)) % n;
}

/* ---- bytes and names ---- */

static void
set_length(struct bytes *b, size_t n)
{
	if (n > b->cap) {
		b->cap = 2 * n;
		b->p = realloc(b->p, b->cap);
		MUST(b->p);
	}
	if (n > b->n)
		memset(b->p + b->n, 0, n - b->n);
	b->n = n;
}

static void
put_bytes(struct bytes *b, const uint8_t *p, size_t n, uint64_t at)
{
	if (n == 0)
		return;
	if (at + n > b->n)
		set_length(b, at + n);
	memcpy(b->p + at, p, n);
}

static void
remove_name(struct names *f, const char *name)
{
	for (size_t i = 0; i < f->n; i++)
		if (strcmp(f->e[i].name, name) == 0) {
			f->e[i] = f->e[--f->n];
			return;
		}
}

static void
add_name(struct names *f, const char *name, uint32_t node)
{
	remove_name(f, name);
	if (f->n == f->cap) {
		f->cap = f->cap ? 2 * f->cap : 16;
		f->e = reallocarray(f->e, f->cap, sizeof(*f->e));
		MUST(f->e);
	}
	f->e[f->n++] = (struct entry){.name = name, .node = node};
}

static void
change_names(struct names *f, const struct disk_op *op)
{
	if (op->kind != DISK_NAME)
		remove_name(f, op->name);
	if (op->kind != DISK_UNNAME)
		add_name(f, op->kind == DISK_NAME ? op->name : op->to, op->node);
}

/* ---- moments ---- */

struct disk_moment *
disk_moment_new(const struct disk_log *l)
{
	struct disk_moment *m = calloc(1, sizeof(*m));

	MUST(m);
	m->log = l;
	m->things = calloc(l->n_nodes, sizeof(*m->things));
	MUST(m->things);
	return m;
}

void
disk_moment_free(struct disk_moment *m)
{
	for (size_t i = 0; m && i < m->log->n_nodes; i++) {
		free(m->things[i].bytes.p);
		free(m->things[i].names.e);
		free(m->things[i].open);
	}
	if (m)
		free(m->things);
	free(m);
}

static void
settle(struct disk_moment *m, struct thing *t)
{
	for (size_t i = 0; i < t->n_open; i++) {
		const struct disk_op *op = &m->log->ops[t->open[i]];

		if (op->kind == DISK_WRITE)
			put_bytes(&t->bytes, op->bytes, op->n, op->at);
		else if (op->kind == DISK_LENGTH)
			set_length(&t->bytes, op->at);
		else
			change_names(&t->names, op);
	}
	t->n_open = 0;
}

void
disk_moment_advance(struct disk_moment *m, size_t at)
{
	MUST(at >= m->at && at <= m->log->n_ops);
	for (; m->at < at; m->at++) {
		const struct disk_op *op = &m->log->ops[m->at];
		bool is_name = op->kind >= DISK_NAME;
		struct thing *t = &m->things[is_name ? op->folder : op->node];

		if (op->kind == DISK_SYNC)
			settle(m, t);
		if (op->kind <= DISK_FOLDER || op->kind == DISK_SYNC)
			continue;
		if (t->n_open == t->cap_open) {
			t->cap_open = t->cap_open ? 2 * t->cap_open : 16;
			t->open = reallocarray(t->open, t->cap_open, sizeof(*t->open));
			MUST(t->open);
		}
		t->open[t->n_open++] = m->at;
	}
}

/* ---- crashes ---- */

struct crash {
	const struct disk_moment *m;
	enum disk_luck luck;
	uint64_t *seed;
	size_t until;     /* LUCK_ORDER: what came before was kept */
	unsigned percent; /* of the rest */
};

static bool
is_kept(const struct crash *c, size_t op)
{
	switch (c->luck) {
	case LUCK_NONE: return false;
	case LUCK_ALL: return true;
	case LUCK_ORDER: return op < c->until;
	case LUCK_SECTORS:
	case LUCK_ZEROS:
	case LUCK_COUNT: break;
	}
	return disk_random(c->seed, 100) < c->percent;
}

static void
write_sectors(const struct crash *c, const struct disk_op *op, size_t index, struct bytes *b)
{
	bool last = c->luck == LUCK_ORDER && index == c->until;
	size_t kept = last ? disk_random(c->seed, op->n / SECTOR + 2) : 0;

	for (size_t done = 0, i = 0; done < op->n; i++) {
		size_t n = SECTOR - (op->at + done) % SECTOR;

		if (n > op->n - done)
			n = op->n - done;
		if (last ? i < kept : is_kept(c, index))
			put_bytes(b, op->bytes + done, n, op->at + done);
		done += n;
	}
}

/* file_after(c, t, b): what is in it after the cut. */
static void
file_after(const struct crash *c, const struct thing *t, struct bytes *b)
{
	size_t length = t->bytes.n;

	set_length(b, 0);
	put_bytes(b, t->bytes.p, t->bytes.n, 0);
	for (size_t i = 0; i < t->n_open; i++) {
		const struct disk_op *op = &c->m->log->ops[t->open[i]];

		if (op->kind == DISK_WRITE)
			write_sectors(c, op, t->open[i], b);
		else if (is_kept(c, t->open[i]))
			set_length(b, op->at);
		if (op->kind == DISK_LENGTH)
			length = op->at;
		else if (op->at + op->n > length)
			length = op->at + op->n;
	}
	if (c->luck == LUCK_ZEROS && length > b->n)
		set_length(b, length);
}

static void
names_after(const struct crash *c, const struct thing *t, struct names *f)
{
	f->n = 0;
	for (size_t i = 0; i < t->names.n; i++)
		add_name(f, t->names.e[i].name, t->names.e[i].node);
	for (size_t i = 0; i < t->n_open; i++)
		if (is_kept(c, t->open[i]))
			change_names(f, &c->m->log->ops[t->open[i]]);
}

static void
make_file(const char *path, const struct bytes *b)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	size_t done = 0;

	MUST(fd >= 0);
	while (done < b->n) {
		ssize_t n = write(fd, b->p + done, b->n - done);

		MUST(n > 0);
		done += (size_t)n;
	}
	close(fd);
}

void
disk_crash(const struct disk_moment *m, enum disk_luck luck, uint64_t *seed, const char *to)
{
	struct crash c = {.m = m, .luck = luck, .seed = seed, .percent = 5 + (unsigned)disk_random(seed, 91)};
	struct { char *path; uint32_t node; } *todo = calloc(m->log->n_nodes, sizeof(*todo));
	size_t n = 1, back = disk_random(seed, LOOK_BACK);
	struct bytes bytes = {0};
	struct names names = {0};

	c.until = m->at > back ? m->at - back : 0;
	MUST(todo);
	todo[0].path = strdup(to);
	for (size_t i = 0; i < n; i++) {
		MUST(mkdir(todo[i].path, 0700) == 0);
		names_after(&c, &m->things[todo[i].node], &names);
		for (size_t k = 0; k < names.n; k++) {
			uint32_t node = names.e[k].node;
			char *path;

			MUST(asprintf(&path, "%s/%s", todo[i].path, names.e[k].name) > 0);
			if (m->log->nodes[node].is_folder) {
				MUST(n < m->log->n_nodes);
				todo[n].path = path;
				todo[n++].node = node;
				continue;
			}
			file_after(&c, &m->things[node], &bytes);
			make_file(path, &bytes);
			free(path);
		}
	}
	for (size_t i = 0; i < n; i++)
		free(todo[i].path);
	free(todo);
	free(bytes.p);
	free(names.e);
}
