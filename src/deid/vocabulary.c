#include "deid/vocabulary.h"

#include "base/num.h"
#include "names/fold.h"

#define WORD_MAX 40
#define TAILED_MIN 8
#define REST_MIN 5 /* letters after a prefix */

static const char *const prefixes[] = {"non", "hyper", "hypo", "neuro", "cardio", "normo", "endo", "extra", "intra", "micro", "macro",
    "poly", "para",
    "anti", "inter", "trans", "melano", "osteo", "gastro", "patello", "femoro", "cranio", "broncho", "fibro", "hemo", "hepato", "infra",
    "supra",
    "retro", "multi", "myo", "nephro", "peri", "pneumo", "psycho", "pseudo", "radio", "semi", "thoraco", "thrombo", "utero", "vaso",
    "veno", "costo", "cervico", "chole", "cysto",
    "dermato", "electro", "entero", "erythro", "genito", "glyco", "immuno", "laryngo", "lipo", "litho", "lymph", "lympho", "maxillo",
    "musculo",
    "naso", "oro", "post", "tele", "ultra", "bio", "bi", "mono", "uni"};

/* stems of international nonproprietary names, long enough that no surname ends so */
static const char *const stems[] = {"sartan", "olol", "statin", "tinib", "ciclib", "cillin", "mycin", "micin", "floxacin", "azole",
    "cycline", "zepam",
    "zolam", "dipine", "prazole", "tidine", "gliptin", "gliflozin", "glutide", "formin", "thiazide", "semide", "navir", "vudine",
    "triptan", "setron",
    "oxetine", "azepine", "barbital", "xaban", "parin", "grel", "lukast", "terol", "fenac", "profen", "coxib", "dronate", "zosin",
    "steride",
    "gabalin", "pentin", "racetam", "tropium", "trigine", "apine", "piprazole", "peridol", "vaptan", "ciclovir", "mivir", "buvir",
    "asvir", "limus", "platin",
    "rubicin", "taxel", "tecan", "poietin", "grastim", "ercept", "zumab", "ximab", "tumab", "lizumab", "salazine", "predniso", "solone",
    "metasone",
    "sulfate", "chloride", "acetate", "mesylate", "fumarate", "tartrate", "maleate", "citrate", "cillin", "penem", "cephalosporin",
    "lactone",
    "pramine", "triptyline", "faxine", "azine", "caine", "curonium", "fentanil", "codone", "morphone", "setil", "glitazone", "glinide",
    "gliride", "afil", "acetonide"};

/* how medicine ends its words, and nobody his name */
static const char *const tails[] = {"emia", "itis", "osis", "uria", "ectomy", "otomy", "ostomy", "plasty", "scopy", "graphy", "pathy", "algia", "megaly",
    "penia", "plegia", "rrhea", "trophy", "lysis", "cytes", "philia", "globin", "genic"};

static bool
ends(struct str s, struct str tail)
{
	return s.n > tail.n + 1 && memcmp(s.p + s.n - tail.n, tail.p, tail.n) == 0;
}

bool
vocabulary_built(struct str word)
{
	char low[WORD_MAX];
	struct str s = str_of(low, word.n);

	if (word.n > sizeof(low) || word.n < 6)
		return false;
	for (size_t i = 0; i < word.n; i++)
		low[i] = fold_lower(word.p[i]);
	for (size_t k = 0; k < ARRAY_LEN(stems); k++)
		if (ends(s, str_c(stems[k])))
			return true;
	for (size_t k = 0; k < ARRAY_LEN(tails) && s.n >= TAILED_MIN; k++)
		if (ends(s, str_c(tails[k])))
			return true;
	for (size_t k = 0; k < ARRAY_LEN(prefixes); k++) {
		struct str p = str_c(prefixes[k]);
		uint64_t h = HASHED_START;

		if (s.n < p.n + REST_MIN || !str_starts(s, p))
			continue;
		for (size_t i = p.n; i < s.n; i++)
			h = hashed_byte(h, s.p[i]);
		if (vocabulary_has(hashed_end(h)))
			return true;
	}
	return false;
}
