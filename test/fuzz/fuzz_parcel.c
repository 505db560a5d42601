/* Any bytes as a parcel, and as the state of a cell: what is read can be written again and reads the same; no name leads out of a folder. */
#include <unistd.h>

#include "base/fd.h"
#include "cell/parcel.h"
#include "cell/wire_cell.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
parcel(const uint8_t *data, size_t size)
{
	AUTO_FD from = -1;
	AUTO_FD to = -1;
	char skipped[512], again[PARCEL_NAME_MAX + 16], before[sizeof(again)];
	struct parcel_entry e;
	int p[2], q[2];

	if (size > 16384 || pipe(p) != 0) /* fits a pipe */
		return;
	from = p[0];
	err_ignore(fd_write_all(p[1], str_of(data, size)));
	close(p[1]);
	while (!err_is(parcel_read_head(from, &e)) && e.name[0]) {
		struct str name = str_c(e.name);
		size_t n = 2 + name.n + 8;
		uint64_t left = e.size == PARCEL_NONE ? 0 : e.size;

		INVARIANT(name.p[0] != '/' && str_find(name, STR("/../")) == SIZE_MAX && !str_starts(name, STR("../")) && !str_ends(name, STR("/..")));
		INVARIANT(pipe(q) == 0);
		to = q[0];
		INVARIANT(!err_is(parcel_write_head(q[1], name, e.size)));
		close(q[1]);
		INVARIANT(!err_is(parcel_read(to, again, n)));
		before[0] = (char)(name.n >> 8);
		before[1] = (char)name.n;
		memcpy(before + 2, name.p, name.n);
		num_put_be64((uint8_t *)before + 2 + name.n, e.size);
		INVARIANT(memcmp(again, before, n) == 0);
		fd_close(&to);
		while (left > 0) {
			size_t some = num_min(left, sizeof(skipped));

			if (err_is(parcel_read(from, skipped, some)))
				return;
			left -= some;
		}
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO_BUF b = BUF(4096);
	struct cur c = cur_of(str_of(data, size));
	struct cell_state s;

	parcel(data, size);
	cell_state_decode(&c, &s);
	INVARIANT(s.n_workers <= CELL_WORKERS_MAX);
	cell_state_encode(&s, &b);
	INVARIANT(!err_is(buf_check(&b)));
	return 0;
}
