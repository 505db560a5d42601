/* What the files of pool share. */
#ifndef CLOISTER_POOL_PRIVATE_H
#define CLOISTER_POOL_PRIVATE_H

#include "pool/pool.h"
#include "pool_sql.h"

#define KEY_MAX 64
#define PIECES_MAX 9999u
#define SEGMENT_FORMAT "cloister segment 1"

struct pool_data {
	struct tables *t;
	struct memfile *files;
	size_t n_files;
	uint64_t newest;
};

/* The objects of a generation, in order; a piece counts when its segment is there. */
struct segment {
	uint64_t seq, size;
	unsigned piece; /* 0: the segment itself */
	/* segments_covers(): */
	uint64_t from;   /* the first landing seq that it covers: earlier segments from there on are in it */
	unsigned pieces; /* that come before it */
	bool is_over;    /* covered by a later one, or a piece of none */
};
struct segments { /* all zero: empty */
	struct segment *at;
	size_t n, cap;
};
struct err segments_list(const struct pool_store *s, uint32_t generation, struct segments *ret);
void segments_release(struct segments *s);
/* segments_covers(t, v, files): fills what each object's bytes say of it; ${files} as ${v}. CORRUPT. */
struct err segments_covers(struct tables *t, struct segments *v, const struct memfile *files);

#define PREFIX_FORMAT "g%04x/segment/"
/* segment_key(out, generation, seq, piece): "g0001/segment/00000000000000ff", and ".0001" of a piece that comes before it */
void segment_key(char out[KEY_MAX], uint32_t generation, uint64_t seq, unsigned piece);
struct err segment_fetch(const struct pool_store *s, uint32_t generation, const struct segment *g, struct memfile *ret);
/* segment_store(s, …, m, fresh): one PUT of the bytes in ${m} */
struct err segment_store(const struct pool_store *s, uint32_t generation, uint64_t seq, unsigned piece, const struct memfile *m, bool fresh);
/* segment_write(t, select, from, pieces, &m): rows of the columns of pool_row as a segment's bytes */
struct err segment_write(struct tables *t, const char *select, uint64_t from, unsigned pieces, struct memfile *ret);

/* pool_resolve(t): pool_row is there; what overtakes what. ${history}: rows before them may exist elsewhere (compaction of a later run). */
struct err pool_resolve(struct tables *t, bool history);
/* pool_merge(t): fills pool_merged from the links of Patients. */
struct err pool_merge(struct tables *t);

#endif
