/* Images and pages: what they hide beside what they show. PNG: ISO/IEC 15948. */
#define ZLIB_CONST /* its input is only read */
#include <zlib.h>

#include "airlock/checks_private.h"

#define SIDE_MAX 20000u
#define DENSE_BITS 12 /* of compressed data a pixel: plots have one or two, photographs eight */
#define MARKS_MAX 1000 /* drawn points: more are likely one a record */

struct png {
	struct looking *l;
	const char *place;
	uint32_t width, height;
	unsigned int bits; /* a pixel */
	bool header, interlaced, end, failed;
	uint64_t packed, unpacked;
	z_stream z;
	bool inflating, done;
};

static void
blocks(struct png *p, const char *check)
{
	finding_add(p->l, check, CHECK_BLOCK, 1, "%simage", p->place);
}

static void
head(struct png *p, struct str body)
{
	static const uint8_t samples[7] = {1, 0, 3, 1, 2, 0, 4};
	const uint8_t *b = (const uint8_t *)body.p;

	if (body.n != 13 || p->header || b[9] > 6 || samples[b[9]] == 0 || b[8] == 0 || b[8] > 16) {
		p->failed = true;
		return;
	}
	p->header = true;
	p->width = num_get_be32(b);
	p->height = num_get_be32(b + 4);
	p->bits = (unsigned int)b[8] * samples[b[9]];
	p->interlaced = b[12] != 0;
	if (p->width == 0 || p->height == 0 || p->width > SIDE_MAX || p->height > SIDE_MAX)
		p->failed = true;
}

/* pixels(p, body): unpacked and counted, not kept */
static void
pixels(struct png *p, struct str body)
{
	uint8_t out[16 * KiB];

	p->packed += body.n;
	if (!p->inflating || p->done) {
		p->failed = p->failed || !p->inflating || body.n > 0; /* data behind the end of the stream */
		return;
	}
	p->z.next_in = (const uint8_t *)body.p;
	p->z.avail_in = (uInt)body.n;
	while (p->z.avail_in > 0 && !p->done && !p->failed) {
		int r;

		p->z.next_out = out;
		p->z.avail_out = sizeof(out);
		r = inflate(&p->z, Z_NO_FLUSH);
		p->unpacked += sizeof(out) - p->z.avail_out;
		p->done = r == Z_STREAM_END;
		p->failed = (r != Z_OK && r != Z_STREAM_END) || p->unpacked > (uint64_t)16 * SIDE_MAX * SIDE_MAX;
	}
	if (p->done && p->z.avail_in > 0)
		blocks(p, "image-hidden");
}

static bool
plain_software(struct str body)
{
	struct str key, value;

	return str_split(body, 0, &key, &value) && str_eq(key, STR("Software")) && value.n < 80 && str_starts(value, STR("Matplotlib version"));
}

static void
chunk(struct png *p, struct str type, struct str body)
{
	static const char *const plain[] = {"PLTE", "tRNS", "gAMA", "cHRM", "sRGB", "sBIT", "bKGD", "pHYs", "hIST"};

	if (str_eq(type, STR("IHDR"))) {
		head(p, body);
		return;
	}
	p->failed = p->failed || !p->header;
	if (str_eq(type, STR("IDAT"))) {
		pixels(p, body);
		return;
	}
	if (str_eq(type, STR("IEND"))) {
		p->end = true;
		p->failed = p->failed || body.n > 0;
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(plain); i++)
		if (str_eq(type, str_c(plain[i]))) {
			p->failed = p->failed || body.n > 1024;
			return;
		}
	if (str_eq(type, STR("tEXt")))
		finding_add(p->l, "image-text", plain_software(body) ? CHECK_NOTE : CHECK_WARN, 1, "%simage", p->place);
	else
		blocks(p, "image-chunk"); /* compressed texts, profiles, EXIF, animation, private ones: whatever they hold is not to be seen */
}

/* expected(p): bytes of the rows before packing: a filter byte and the samples */
static uint64_t
expected(const struct png *p)
{
	return (uint64_t)p->height * (1 + ((uint64_t)p->width * p->bits + 7) / 8);
}

static void
judge(struct png *p, struct str rest)
{
	if (p->failed || !p->end || !p->header || !p->done) {
		blocks(p, "image-broken");
		return;
	}
	if (rest.n > 0)
		blocks(p, "image-hidden");
	if (!p->interlaced && p->unpacked != expected(p))
		blocks(p, "image-hidden");
	/* seven passes have at most as many filter bytes each as there are rows */
	if (p->interlaced && p->unpacked > expected(p) + 8 * (uint64_t)p->height + 64)
		blocks(p, "image-hidden");
	if (p->packed * 8 > (uint64_t)p->width * p->height * DENSE_BITS && p->packed > 64 * KiB)
		finding_add(p->l, "image-dense", CHECK_WARN, 1, "%simage", p->place);
}

void
look_png(struct looking *l, struct str s, const char *place)
{
	struct png p = {.l = l, .place = place};

	p.inflating = inflateInit(&p.z) == Z_OK;
	s = str_sub(s, 8, s.n);
	while (s.n >= 12 && !p.failed && !p.end) {
		uint32_t n = num_get_be32((const uint8_t *)s.p);
		uint32_t crc;

		if (n > s.n - 12) {
			p.failed = true;
			break;
		}
		crc = (uint32_t)crc32(0, (const Bytef *)s.p + 4, n + 4);
		if (crc != num_get_be32((const uint8_t *)s.p + 8 + n))
			p.failed = true;
		else
			chunk(&p, str_sub(s, 4, 4), str_sub(s, 8, n));
		s = str_sub(s, 12 + (size_t)n, s.n);
	}
	judge(&p, s);
	if (p.inflating)
		(void)inflateEnd(&p.z);
}

static char
lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c | 32) : c;
}

/* find_nocase(s, from, needle): ${needle} in lower case */
static size_t
find_nocase(struct str s, size_t from, const char *needle)
{
	size_t n = strlen(needle);

	for (size_t i = from; i + n <= s.n; i++) {
		size_t k = 0;

		while (k < n && lower(s.p[i + k]) == needle[k])
			k++;
		if (k == n)
			return i;
	}
	return SIZE_MAX;
}

/* attribute(l, s, at): an href, src or handler in a tag. A fragment of the same file is all that may be pointed at. */
static void
attribute(struct looking *l, struct str name, struct str value)
{
	if (name.n > 2 && lower(name.p[0]) == 'o' && lower(name.p[1]) == 'n')
		finding_add(l, "script", CHECK_BLOCK, 1, "svg");
	if (!str_ends(name, STR("href")) && !str_eq_nocase(name, STR("src")))
		return;
	if (find_nocase(str_sub(value, 0, 32), 0, "data:image/png") == 0)
		finding_add(l, "image-inside", CHECK_WARN, 1, "svg");
	else if (value.n && value.p[0] != '#')
		finding_add(l, "link", CHECK_BLOCK, 1, "svg");
}

/* attributes(l, tag): name="value" pairs of what stands between < and > */
static void
attributes(struct looking *l, struct str tag)
{
	for (size_t i = 0; i < tag.n; i++) {
		size_t name = i, from;
		char quote;

		if (tag.p[i] != '=')
			continue;
		while (name > 0 && strchr(" \t\r\n/\"'", tag.p[name - 1]) && tag.p[name - 1])
			name--;
		from = name;
		while (from > 0 && !(strchr(" \t\r\n/\"'", tag.p[from - 1]) && tag.p[from - 1]))
			from--;
		for (i++; i < tag.n && strchr(" \t\r\n", tag.p[i]) && tag.p[i]; i++)
			;
		if (i >= tag.n)
			return;
		quote = tag.p[i] == '"' || tag.p[i] == '\'' ? tag.p[i] : ' ';
		if (quote != ' ')
			i++;
		{
			size_t end = i;

			while (end < tag.n && tag.p[end] != quote)
				end++;
			attribute(l, str_sub(tag, from, name - from), str_sub(tag, i, end - i));
			i = end;
		}
	}
}

void
look_svg(struct looking *l, struct str s)
{
	static const char *const banned[] = {"<script", "<foreignobject", "<iframe", "<object", "<embed", "<audio", "<video", "<!entity",
	    "javascript:", "@import", "<handler", "<set", "<animate", "xlink:actuate", "<?xml-stylesheet"};
	uint64_t marks = 0;

	for (size_t k = 0; k < ARRAY_LEN(banned); k++)
		if (find_nocase(s, 0, banned[k]) != SIZE_MAX)
			finding_add(l, "script", CHECK_BLOCK, 1, "svg");
	for (size_t at = find_nocase(s, 0, "url("); at != SIZE_MAX; at = find_nocase(s, at + 4, "url("))
		if (at + 4 >= s.n || (s.p[at + 4] != '#' && !str_starts(str_sub(s, at + 4, 2), STR("\"#")) && !str_starts(str_sub(s, at + 4, 2), STR("'#"))))
			finding_add(l, "link", CHECK_BLOCK, 1, "svg");
	for (size_t i = 0; i < s.n; i++) {
		size_t end = i;

		if (s.p[i] != '<')
			continue;
		while (end < s.n && s.p[end] != '>')
			end++;
		marks += str_starts(str_sub(s, i, 8), STR("<use")) || str_starts(str_sub(s, i, 8), STR("<circle"));
		attributes(l, str_sub(s, i + 1, end - i - 1));
		i = end;
	}
	if (marks > MARKS_MAX && !l->with->inward)
		finding_add(l, "many-points", CHECK_WARN, marks, "svg");
}

void
look_pdf(struct looking *l, struct str s)
{
	static const char *const banned[] = {"/javascript", "/js ", "/embeddedfile", "/launch", "/openaction", "/richmedia", "/xfa"};

	finding_add(l, "pdf", CHECK_WARN, 1, "whole file"); /* its streams are packed: people must read it */
	for (size_t k = 0; k < ARRAY_LEN(banned); k++)
		if (find_nocase(s, 0, banned[k]) != SIZE_MAX)
			finding_add(l, "script", CHECK_BLOCK, 1, "pdf");
}
