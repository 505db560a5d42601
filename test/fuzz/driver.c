/*
 * driver: runs a fuzz target once over each file of the folders or files named on the command line: what fuzzing has found, as an
 * ordinary test, without libFuzzer. At least the empty input is tried.
 */
#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int
fail(const char *path)
{
	fprintf(stderr, "%s: %s\n", path, strerror(errno));
	return 1;
}

static int
run_file(const char *path, size_t size)
{
	uint8_t *data = malloc(size ? size : 1); /* exactly: what reads past the end is found */
	FILE *f = fopen(path, "rb");
	int bad = !data || !f || fread(data, 1, size, f) != size;

	if (bad)
		bad = fail(path);
	else
		(void)LLVMFuzzerTestOneInput(data, size);
	if (f)
		(void)fclose(f);
	free(data);
	return bad;
}

static int
run_path(const char *path, unsigned *count)
{
	char inner[4096];
	struct stat st;
	struct dirent *d;
	DIR *dir;
	int bad = 0;

	if (stat(path, &st) != 0)
		return fail(path);
	if (!S_ISDIR(st.st_mode)) {
		++*count;
		return run_file(path, (size_t)st.st_size);
	}
	dir = opendir(path);
	if (!dir)
		return fail(path);
	while ((d = readdir(dir))) {
		if (d->d_name[0] == '.')
			continue;
		if (snprintf(inner, sizeof(inner), "%s/%s", path, d->d_name) >= (int)sizeof(inner) || stat(inner, &st) != 0) {
			bad = fail(inner);
			continue;
		}
		++*count;
		bad |= run_file(inner, (size_t)st.st_size);
	}
	(void)closedir(dir);
	return bad;
}

int
main(int argc, char **argv)
{
	unsigned count = 0;
	int bad = 0;

	(void)LLVMFuzzerTestOneInput((const uint8_t *)"", 0);
	for (int i = 1; i < argc; i++)
		bad |= run_path(argv[i], &count);
	printf("%u inputs\n", count);
	return bad;
}
