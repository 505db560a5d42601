/*
 * canary_hunt: looks for many identifiers at once, as they are and as they could have been written down: in base64 (at each of its three alignments),
 * in hex, in UTF-16. In files below folders, and in the memory of processes.
 *
 *   canary_hunt NEEDLES [--pid N]... PATH...
 *
 * NEEDLES: a line each, "category<TAB>text"; shorter than 6 bytes are left out. Prints a line "category<TAB>form<TAB>where" for each needle and place, never the
 * text; then one "#<TAB>needles<TAB>bytes". Exit status 1 if any was found, 2 if it could not look.
 *
 * A needle of digits alone counts only where no hex digit stands beside it: in a log of ids, any eight digits stand somewhere.
 */
#include <ctype.h>
#include <fcntl.h>
#include <fts.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HEAD 6u /* bytes of a pattern that are hashed */
#define BUCKETS (1u << 22)
#define WINDOW (4u << 20)
#define OVERLAP 4096u
#define PATTERN_MAX 1024u

struct pattern {
	struct pattern *next;
	const char *category, *form;
	size_t n;
	int digits;  /* of digits alone: no hex digit may stand beside it */
	int told;    /* of the place that is looked at: once is enough */
	unsigned char p[];
};

static struct pattern **table;
static uint8_t maybe[BUCKETS / 8]; /* which buckets hold anything: small enough to stay in the processor's cache */
static uint64_t patterns, needles, looked;
static int found;
static struct pattern *told_of[4096];
static size_t n_told;

static uint32_t
hash(const unsigned char *p)
{
	uint64_t v = 0;

	memcpy(&v, p, HEAD);
	return (uint32_t)((v * 0x9E3779B97F4A7C15u) >> 42);
}

static void
add(const char *category, const char *form, const unsigned char *p, size_t n, int digits)
{
	struct pattern *one;
	uint32_t at;

	if (n < HEAD || n > PATTERN_MAX)
		return;
	one = calloc(1, sizeof(*one) + n);
	if (!one)
		exit(2);
	one->category = category;
	one->form = form;
	one->n = n;
	one->digits = digits;
	memcpy(one->p, p, n);
	at = hash(p);
	one->next = table[at];
	table[at] = one;
	maybe[at / 8] |= (uint8_t)(1u << at % 8);
	patterns++;
}

/* base64(p, n, shift, out): what is the same wherever ${p} stands after so many bytes of something else; the length. */
static size_t
base64(const unsigned char *p, size_t n, unsigned shift, unsigned char *out)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	size_t bits = (shift * 8 + 5) / 6, end = (shift + n) * 8 / 6, at = 0;

	for (size_t c = bits; c < end; c++) {
		unsigned v = 0;

		for (size_t b = c * 6; b < c * 6 + 6; b++)
			v = v << 1 | ((unsigned)p[b / 8 - shift] >> (7 - b % 8) & 1u);
		out[at++] = (unsigned char)letters[v];
	}
	return at;
}

static void
add_all(const char *category, const unsigned char *p, size_t n)
{
	static const char lower[] = "0123456789abcdef", upper[] = "0123456789ABCDEF";
	unsigned char out[PATTERN_MAX * 2];
	int digits = 1;

	for (size_t i = 0; i < n; i++)
		digits = digits && isdigit(p[i]);
	add(category, "raw", p, n, digits);
	for (unsigned shift = 0; shift < 3; shift++)
		add(category, "base64", out, base64(p, n, shift, out), 0);
	for (size_t i = 0; i < n; i++) {
		out[2 * i] = (unsigned char)lower[p[i] >> 4];
		out[2 * i + 1] = (unsigned char)lower[p[i] & 15];
	}
	add(category, "hex", out, 2 * n, 0);
	for (size_t i = 0; i < n; i++) {
		out[2 * i] = (unsigned char)upper[p[i] >> 4];
		out[2 * i + 1] = (unsigned char)upper[p[i] & 15];
	}
	add(category, "hex", out, 2 * n, 0);
	for (size_t i = 0; i < n; i++) {
		out[2 * i] = p[i];
		out[2 * i + 1] = 0;
	}
	add(category, "utf-16", out, 2 * n - 1, 0); /* one order is the other, moved by a byte */
	needles++;
}

static void
read_needles(const char *path)
{
	FILE *f = fopen(path, "r");
	char *line = NULL;
	size_t cap = 0;
	ssize_t n;

	if (!f)
		exit(2);
	while ((n = getline(&line, &cap, f)) > 0) {
		char *tab;

		if (line[n - 1] == '\n')
			line[--n] = 0;
		tab = memchr(line, '\t', (size_t)n);
		if (!tab || line + n - tab - 1 < (ssize_t)HEAD || line + n - tab - 1 > (ssize_t)(PATTERN_MAX / 2))
			continue;
		*tab = 0;
		add_all(strdup(line), (unsigned char *)tab + 1, (size_t)(line + n - tab - 1));
	}
	free(line);
	fclose(f);
}

static void
tell(struct pattern *p, const char *where)
{
	if (p->told || n_told == sizeof(told_of) / sizeof(told_of[0]))
		return;
	p->told = 1;
	told_of[n_told++] = p;
	found = 1;
	printf("%s\t%s\t%s\n", p->category, p->form, where);
}

static void
forget(void)
{
	while (n_told > 0)
		told_of[--n_told]->told = 0;
}

static void
search(const unsigned char *data, size_t n, const char *where)
{
	for (size_t i = 0; i + HEAD <= n; i++) {
		uint32_t at = hash(data + i);

		if (!(maybe[at / 8] >> at % 8 & 1))
			continue;
		for (struct pattern *p = table[at]; p; p = p->next) {
			if (i + p->n > n || memcmp(data + i, p->p, p->n) != 0)
				continue;
			if (p->digits && ((i > 0 && isxdigit(data[i - 1])) || (i + p->n < n && isxdigit(data[i + p->n]))))
				continue;
			tell(p, where);
		}
	}
}

/* look(fd, from, to, where): in windows that overlap, so that nothing is cut in two. */
static void
look(int fd, uint64_t from, uint64_t to, const char *where)
{
	static unsigned char window[WINDOW + OVERLAP];
	size_t kept = 0;

	while (from < to) {
		size_t want = to - from < WINDOW ? (size_t)(to - from) : WINDOW;
		ssize_t n = pread(fd, window + kept, want, (off_t)from);

		if (n <= 0)
			return;
		looked += (uint64_t)n;
		search(window, kept + (size_t)n, where);
		from += (uint64_t)n;
		kept += (size_t)n;
		if (kept > OVERLAP) {
			memmove(window, window + kept - OVERLAP, OVERLAP);
			kept = OVERLAP;
		}
	}
}

static void
look_at_file(const char *path)
{
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		return;
	/* the image of a cell's volume is mostly holes */
	for (off_t from = 0, to; (from = lseek(fd, from, SEEK_DATA)) >= 0; from = to) {
		to = lseek(fd, from, SEEK_HOLE);
		if (to <= from)
			break;
		look(fd, (uint64_t)(from > (off_t)OVERLAP ? from - (off_t)OVERLAP : 0), (uint64_t)to, path);
	}
	close(fd);
	forget();
}

/* Private memory that the process wrote: heap, stacks, mappings without a file. What is mapped from programs and libraries is not its own. */
static void
look_at_process(const char *pid)
{
	char path[64], where[64], line[512];
	FILE *maps;
	int fd;

	snprintf(path, sizeof(path), "/proc/%s/maps", pid);
	maps = fopen(path, "r");
	snprintf(path, sizeof(path), "/proc/%s/mem", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (!maps || fd < 0) {
		fprintf(stderr, "canary_hunt: the memory of process %s cannot be read\n", pid);
		exit(2);
	}
	snprintf(where, sizeof(where), "memory of %s", pid);
	while (fgets(line, sizeof(line), maps)) {
		unsigned long from, to, inode;
		char mode[8];

		if (sscanf(line, "%lx-%lx %7s %*s %*s %lu", &from, &to, mode, &inode) != 4 || mode[0] != 'r' || mode[1] != 'w')
			continue;
		look(fd, from, to, where);
	}
	close(fd);
	fclose(maps);
	forget();
}

int
main(int argc, char **argv)
{
	char *paths[256];
	size_t n_paths = 0;

	table = calloc(BUCKETS, sizeof(struct pattern *));
	if (argc < 3 || !table) {
		fprintf(stderr, "usage: canary_hunt NEEDLES [--pid N]... PATH...\n");
		return 2;
	}
	read_needles(argv[1]);
	for (int i = 2; i < argc; i++) {
		if (strcmp(argv[i], "--pid") == 0 && i + 1 < argc)
			look_at_process(argv[++i]);
		else if (n_paths < 255)
			paths[n_paths++] = argv[i];
	}
	paths[n_paths] = NULL;
	if (n_paths > 0) {
		FTS *tree = fts_open(paths, FTS_PHYSICAL | FTS_NOSTAT, NULL);
		FTSENT *e;

		while (tree && (e = fts_read(tree)))
			if (e->fts_info == FTS_F || e->fts_info == FTS_NSOK)
				look_at_file(e->fts_accpath);
		if (!tree)
			return 2;
		fts_close(tree);
	}
	printf("#\t%llu\t%llu\n", (unsigned long long)needles, (unsigned long long)looked);
	return found;
}
