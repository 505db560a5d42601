/*
 * tables_probe ROLE FOLDER: enters the jail of ROLE (scrub; "free" is none) and lets the SQL engine do there what scrub needs: threads, a large
 * sort, Parquet and CSV in memory files, a pool that is written and loaded, a cohort. Prints "works" at the end. Everything that
 * libduckdb opened before the jail is open; nothing can be opened after.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "pool/pool.h"
#include "proc/jail.h"

#if defined(__SANITIZE_ADDRESS__)
/* The search for leaks at the exit traces the process itself, which no jail allows. */
__attribute__((visibility("default"))) const char *__asan_default_options(void);
const char *
__asan_default_options(void)
{
	return "detect_leaks=0";
}
#endif

static struct memfile kept; /* the one segment of a store that holds one */
static char kept_key[64];

static struct err
put(void *ctx, struct str key, struct phi bytes, bool fresh)
{
	(void)ctx;
	(void)fresh;
	memcpy(kept_key, key.p, key.n);
	TRY(memfile_make(&kept));
	return memfile_append(&kept, bytes);
}

static struct err
get(void *ctx, struct str key, struct err (*sink)(void *ctx, struct phi piece), void *sink_ctx)
{
	(void)ctx;
	(void)key;
	return memfile_read(&kept, sink, sink_ctx);
}

static struct err
list(void *ctx, struct str prefix, struct err (*each)(void *ctx, struct str key, uint64_t size), void *each_ctx)
{
	(void)ctx;
	(void)prefix;
	return kept_key[0] ? each(each_ctx, str_c(kept_key), 1) : OK;
}

static struct err
none(void *ctx, struct str key)
{
	(void)ctx;
	(void)key;
	return ERR(ERR_UNSUPPORTED);
}

static struct err
engine(void)
{
	struct tables_options o = {.threads = 4, .memory_bytes = 512 * MiB};
	struct tables *t;
	AUTO_MEMFILE parquet = {0};
	AUTO_MEMFILE csv = {0};
	int64_t n;

	TRY(tables_open(&o, &t));
	TRY(tables_run(t, "CREATE TABLE x AS SELECT hash(i)::VARCHAR AS s, i FROM range(300000) r(i)"));
	TRY(tables_write(t, "SELECT * FROM x ORDER BY s", "FORMAT parquet, COMPRESSION zstd", &parquet));
	TRY(tables_write(t, "SELECT * FROM x", "FORMAT csv, HEADER", &csv));
	TRY(tables_view(t, "v", &parquet, 1, "*"));
	TRY(tables_number(t, "SELECT count(DISTINCT s) FROM v JOIN x USING (s, i)", &n));
	if (n != 300000)
		return ERR(ERR_CORRUPT);
	TRY(tables_number(t, "SELECT count(*) FROM x WHERE strftime(make_timestamp(i), '%Y') = '1970'", &n));
	if (!err_is(tables_run(t, "SELECT * FROM read_csv('/etc/passwd')")) || !err_is(tables_run(t, "COPY x TO '/tmp/cloister-escaped'")) ||
	    !err_is(tables_run(t, "INSTALL httpfs")))
		return ERR(ERR_DENIED);
	tables_close(t);
	return OK;
}

static struct err
pool(void)
{
	struct pool_store s = {.put = put, .get = get, .list = list, .remove = none};
	struct tables_options o = {.threads = 2};
	struct pool_row r = {.landing_seq = 1, .op = POOL_PUT, .type = STR("Patient"), .id = STR("p"),
	    .patient = STR("p"), .body = phi_of("{\"gender\":\"other\"}", 18)};
	struct pool_batch *b;
	struct pool_data *p;
	uint64_t n;

	TRY(pool_batch_new(&s, 1, &b));
	TRY(pool_batch_add(b, &r));
	TRY(pool_batch_seal(b, 1));
	pool_batch_free(b);
	TRY(pool_load(&s, 1, &o, &p));
	TRY(pool_cohort(p, STR("SELECT patient FROM person WHERE gender = 'other'"), 60000000, &n));
	pool_unload(p);
	return n == 1 ? OK : ERR(ERR_CORRUPT);
}

static struct err
enter(const char *role, const char *folder)
{
	AUTO_FD dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (strcmp(role, "free") == 0)
		return OK;
	if (strcmp(role, "scrub") != 0 || dir < 0)
		return ERR(ERR_INVALID);
	TRY(jail_prepare(ROLE_SCRUB, dir));
	return jail_shut(ROLE_SCRUB);
}

int
main(int argc, char **argv)
{
	struct err e;

	if (argc != 3)
		return 99;
	e = enter(argv[1], argv[2]);
	memfile_seal();
	if (err_is(e)) {
		fprintf(stderr, "failed at: %s (%s, errno %d)\n", jail_step(), err_name(e.code), e.sys);
		return 99;
	}
	err_ignore(fd_write_all(STDOUT_FILENO, STR("entered\n")));
	e = engine();
	if (!err_is(e))
		e = pool();
	if (err_is(e)) {
		fprintf(stderr, "%s at %s:%d\n", err_name(e.code), e.file, e.line);
		return 1;
	}
	err_ignore(fd_write_all(STDOUT_FILENO, STR("works\n")));
	return 0;
}
