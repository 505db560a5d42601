#include "synth/lexicon.h"

#include <fcntl.h>

#include "base/fd.h"
#include "base/num.h"

#define FILE_MAX (8 * MiB)
#define LINES_MAX 200000

static const char *const family[] = {
	"Abbott", "Acosta", "Adeyemi", "Albrecht", "Andrade", "Banerjee", "Barlow", "Bell", "Bishop", "Black", "Brandt", "Brown",
	"Castillo", "Chandra", "Church", "Cook", "Crane", "Cross", "Day", "De La Rosa", "Dimitrov", "Duarte", "Early", "Ellison",
	"Farah", "Fields", "Fitzgerald", "Flores", "Forest", "Freeman", "Gagnon", "Graves", "Gray", "Green", "Haddad", "Hand",
	"Hart", "Hayashi", "Hill", "Hughes", "Ibarra", "Ivanova", "Jansen", "Jimenez", "Kaminski", "Keita", "Kim", "King", "Knight",
	"Kowalczyk", "Lake", "Lindqvist", "Little", "Long", "Lopez-Vega", "Love", "MacLeod", "Marsh", "May", "McCarthy", "Mendez",
	"Moon", "Moreau", "Mu\xC3\xB1oz", "Nakamura", "Nguyen", "Noble", "O'Brien", "O'Neal", "Okafor", "Olsen", "Osei", "Page",
	"Parkinson", "Patel", "Petrov", "Pham", "Price", "Quinn", "Rahman", "Reyes", "Rice", "Rivers", "Rojas", "Rose", "Rossi",
	"Sandoval", "Schmidt", "Sharp", "Short", "Silva", "Singh", "Small", "Snow", "Sokolov", "Stone", "Strong", "Summers",
	"Tanaka", "Temple", "Torres", "Tran", "Underwood", "Van Dyke", "Vargas", "Wade", "Walls", "Waters", "Weber", "West",
	"White", "Winter", "Wolf", "Wong", "Wood", "Yamamoto", "Young", "Zamora", "Zhang", "Z\xC3\xBA\xC3\xB1iga",
};
static const char *const female[] = {
	"Aaliyah", "Ada", "Agnes", "Amara", "Ana", "Anna", "April", "Autumn", "Beatriz", "Beth", "Camila", "Carmen", "Chloe", "Claire",
	"Dawn", "Deborah", "Dorothy", "Elena", "Emily", "Esther", "Eve", "Faith", "Fatima", "Florence", "Gloria", "Grace", "Hana",
	"Harriet", "Hazel", "Hope", "Ines", "Iris", "Ivy", "Jade", "Joy", "Julia", "June", "Keiko", "Laura", "Leila", "Lily", "Lucia",
	"Maeve", "Margaret", "Marisol", "May", "Mei", "Mercy", "Nadia", "Nora", "Olga", "Olive", "Pearl", "Priya", "Rosa", "Ruth",
	"Sasha", "Sienna", "Sofia", "Summer", "Theresa", "Violet", "Ximena", "Zo\xC3\xAB",
};
static const char *const male[] = {
	"Abel", "Ahmed", "Alan", "Amir", "Angel", "Anton", "Art", "August", "Benjamin", "Bill", "Bruno", "Carlos", "Chase", "Christian",
	"Dale", "Daniel", "Diego", "Drew", "Edgar", "Elias", "Emil", "Felix", "Forrest", "Frank", "Gene", "George", "Grant", "Guy",
	"Harold", "Hector", "Hugo", "Isaac", "Ivan", "Jack", "Javier", "Jos\xC3\xA9", "Kenji", "Kofi", "Lance", "Leo", "Luis", "Marc",
	"Mark", "Martin", "Max", "Miles", "Nolan", "Omar", "Oscar", "Pat", "Peter", "Rafael", "Raj", "Ray", "Rich", "Rob", "Samuel",
	"Sean", "Thomas", "Viktor", "Walter", "Will", "Xavier", "Yusuf",
};

static const struct {
	const char *file;
	const char *const *built_in;
	uint32_t n;
} lists[LEXICON_KIND_COUNT] = {
	[LEXICON_FAMILY] = {"dist.all.last", family, ARRAY_LEN(family)},
	[LEXICON_FEMALE] = {"dist.female.first", female, ARRAY_LEN(female)},
	[LEXICON_MALE] = {"dist.male.first", male, ARRAY_LEN(male)},
};

/* "1.006" as 1006 */
static struct err
parse_thousandths(struct str s, uint32_t *ret)
{
	struct str whole, part = STR_NONE;
	uint64_t a, b = 0;

	str_split(s, '.', &whole, &part);
	TRY(num_parse_u64(whole, 100, &a));
	if (part.n) {
		TRY(num_parse_u64(part, 999, &b));
		for (size_t i = part.n; i < 3; i++)
			b *= 10;
	}
	*ret = (uint32_t)(a * 1000 + b);
	return OK;
}

/* ${line} becomes what follows the word */
static struct str
next_word(struct str *line)
{
	struct str rest = str_trim(*line);
	size_t n = str_chr(rest, ' ');

	n = n == SIZE_MAX ? rest.n : n;
	*line = str_sub(rest, n, rest.n - n);
	return str_sub(rest, 0, n);
}

/* "SMITH" as "Smith" */
static void
title_case(struct buf *text)
{
	bool in_word = false;

	for (size_t i = 0; i < text->n; i++) {
		char c = text->p[i];

		if (in_word && c >= 'A' && c <= 'Z')
			text->p[i] = (char)(c - 'A' + 'a');
		in_word = c >= 'A';
	}
}

/* names borrow from ${l->text}, which is full when this begins: it does not move any more */
static struct err
parse_list(struct str text, struct buf *names)
{
	uint32_t upto = 0;

	while (text.n) {
		struct str line, word;
		uint32_t weight;

		str_split(text, '\n', &line, &text);
		word = next_word(&line);
		if (!word.n)
			continue;
		TRY(parse_thousandths(next_word(&line), &weight));
		/* the rarest stand there with 0.000 */
		upto += weight * 2 + 1;
		buf_put(names, &(struct lexicon_name){word, upto}, sizeof(struct lexicon_name));
	}
	TRY(buf_check(names));
	return upto ? OK : ERR(ERR_INVALID);
}

struct err
lexicon_load(struct lexicon *l, const char *folder)
{
	size_t begin[LEXICON_KIND_COUNT + 1];
	AUTO_FD dir = -1;

	l->text = BUF(FILE_MAX);
	TRY(fd_open_at(AT_FDCWD, folder, O_RDONLY | O_DIRECTORY, 0, &dir));
	begin[0] = 0;
	for (int k = 0; k < LEXICON_KIND_COUNT; k++) {
		TRY(fd_read_file(dir, lists[k].file, &l->text));
		begin[k + 1] = l->text.n;
	}
	title_case(&l->text);
	for (int k = 0; k < LEXICON_KIND_COUNT; k++) {
		l->names[k] = BUF(LINES_MAX * sizeof(struct lexicon_name));
		TRY(parse_list(str_sub(buf_str(&l->text), begin[k], begin[k + 1] - begin[k]), &l->names[k]));
	}
	return OK;
}

void
lexicon_release(struct lexicon *l)
{
	buf_release(&l->text);
	for (int k = 0; k < LEXICON_KIND_COUNT; k++)
		buf_release(&l->names[k]);
}

struct str
lexicon_draw(const struct lexicon *l, enum lexicon_kind kind, struct rng *r)
{
	const struct lexicon_name *names = (const void *)l->names[kind].p;
	size_t low = 0, high = l->names[kind].n / sizeof(*names);
	uint32_t at;

	if (!high) {
		/* the product of two draws makes the first names of a shuffled list common and the last rare */
		uint32_t n = lists[kind].n;

		at = (uint32_t)((uint64_t)rng_below(r, n) * (rng_below(r, n) + n) / (2 * n));
		return str_c(lists[kind].built_in[(at * 37 + 11) % n]);
	}
	at = rng_below(r, names[high - 1].upto);
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (names[middle].upto <= at)
			low = middle + 1;
		else
			high = middle;
	}
	return names[low].name;
}
