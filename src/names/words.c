#include "names/words.h"

#include "names/fold.h"

#define SLOTS 4096 /* a power of two, at least three times the words: short probes */
#define WORD_MAX 20

/*
 * Names: frequent given names and surnames of the United States, without those that are
 * everyday words; "may", "will" or "gene" would refuse more data than people. The months stay
 * out because dates need them. The rest of the world's names are what rule "known" is for.
 */
static const struct {
	const char *tags;
	const char *words;
} classes[] = {
    /* clang-format off */
    {"M",
	"mrn mrno mrnum mrnumber medrec medrecno medicalrecord medicalrecordno "
	"medicalrecordnumber chartno chartnumber empi hospitalnumber hospno"},
    {"P", "patient pat pid inpatient outpatient decedent"},
    {"PI",
	"patientid patid patientno patientnumber patientnum patno ptid ptno "
	"patientidentifier"},
    {"PN", "patientname patname ptname"},
    {"O", "pt hn"},
    {"Q", "patients"},
    {"I", "id ids no nr num number nbr identifier record code plan card ident"},
    {"N",
	"name names firstname lastname givenname familyname fullname surname forename"},
    {"R", "mr mrs"},
    {"Z",
	"ssn ssno ssnum ssns socialsecurity socialsecuritynumber nino aadhaar cpf itin"},
    {"X", "social"},
    {"T",
	"tel phone telephone mobile fax cellphone phoneno phonenumber phonenum telno "
	"faxno faxnumber whatsapp pager homephone mobilephone workphone telefon"},
    {"B",
	"dob birthdate birthday dateofbirth bday bdate birthdt dobirth patientdob ptdob"},
    {"Y", "birth born"},
    {"D", "died deceased deathdate dateofdeath"},
    {"J", "death"},
    {"H",
	"member subscriber beneficiary bene medicare medicaid insured insurance hicn mbi "
	"policy healthplan nhs ohip memberid subscriberid beneid policyno policynumber "
	"nhsno nhsnumber"},
    {"A",
	"account acct accountno accountnumber acctno accountid acctid guarantor "
	"encounter encounterid csn"},
    {"L",
	"license licence driverslicense driverlicense drivinglicence licenseno "
	"licensenumber dea passport"},
    {"V", "vin vehicle chassis"},
    {"E", "pacemaker implant defibrillator stent prosthesis cochlear"},
    {"K", "serial serialno serialnumber sn udi"},
    {"U", "address addr residence homeaddress"},
    {"C", "street avenue ave road boulevard blvd lane terrace"},
    {"W",
	"user host file domain bucket pod job table column class app field var variable "
	"param node server service event group role project package module function "
	"method index key path folder dir data dataset datasets export exports backup "
	"backups report reports result results log logs test tests list lists map maps "
	"table tables count counts summary stats db sql csv json parquet archive "
	"snapshot run runs model models train training eval weather traffic sales update "
	"updates release releases notes photos images videos music docs slides talk "
	"meeting minutes paper draft final copy old new tmp temp cache dump batch sync "
	"upload uploads download downloads output outputs input inputs raw clean unknown "
	"none null redacted anonymous anonymized deidentified masked removed blank na "
	"lab labs study trial cohort analysis pipeline demo sample samples home work "
	"desktop laptop server screenshots homework thesis code src build config "
	"settings emr ehr ci api dev prod staging"},
    {"F",
	"grace faith rose ruby joy dawn crystal jasmine autumn rich drew mark frank "
	"carol guy dean earl victor virginia carolina georgia austin jordan israel chase "
	"angel iris ray dale jean jack pearl amber ginger holly ivy lily olive violet "
	"daisy heather sandy randy rusty jersey madison jackson sydney florence paris "
	"lincoln houston dallas denver phoenix chelsea brooklyn savannah charlotte "
	"victoria santiago diego jose francisco antonio cameron taylor morgan kelly "
	"logan mason parker tyler hunter carter cooper harper oscar felix julia travis "
	"stan ada adrian kim lee sierra melody harmony star summer sky bob alice eve "
	"mallory trent oliver hugo caesar cesar marina robin martin dominic christian"},
    {"G",
	"james john robert michael william david richard joseph thomas charles "
	"christopher daniel matthew anthony donald steven paul andrew joshua kenneth "
	"kevin brian george edward ronald timothy jason jeffrey ryan jacob gary nicholas "
	"eric jonathan stephen larry justin scott brandon benjamin samuel gregory "
	"alexander patrick raymond dennis jerry aaron adam nathan henry douglas zachary "
	"peter kyle walter ethan jeremy harold keith roger noah gerald carl terry sean "
	"arthur lawrence jesse dylan bryan billy bruce gabriel joe juan alan ralph roy "
	"eugene randall wayne russell louis philip johnny bobby vincent elijah luis "
	"carlos jorge manuel pedro miguel fernando ricardo eduardo rafael javier roberto "
	"sergio marcus albert fred howard leonard francis norman glenn marvin harry "
	"theodore clarence ernest stanley mary patricia jennifer linda elizabeth barbara "
	"susan jessica sarah karen lisa nancy betty sandra margaret ashley kimberly "
	"emily donna michelle amanda melissa deborah stephanie rebecca sharon laura "
	"cynthia dorothy amy kathleen angela shirley emma brenda pamela nicole anna "
	"samantha katherine christine debra rachel carolyn janet maria olivia catherine "
	"diane julie joyce lauren christina joan evelyn judith megan andrea cheryl "
	"hannah jacqueline martha gloria teresa sara kathryn janice alexis jane doris "
	"judy marie theresa beverly denise marilyn danielle natalie brittany diana "
	"isabella sophia kayla lori tiffany vanessa katie anne lucy erin susanna gladys "
	"edith ellen rosa ana carmen wendy phyllis norma peggy irene tina yolanda jill "
	"tracy tammy stacy monica veronica leslie sheila valerie mohammed muhammad ahmed "
	"fatima ali wei priya hans pierre giovanni ivan olga yuki hiroshi"},
    {"S",
	"smith johnson williams jones garcia miller davis rodriguez martinez hernandez "
	"lopez gonzalez wilson anderson moore perez thompson harris sanchez clark "
	"ramirez lewis robinson walker allen wright torres nguyen flores adams nelson "
	"baker campbell mitchell roberts gomez phillips evans turner diaz cruz edwards "
	"collins reyes stewart morris morales murphy rogers gutierrez ortiz peterson "
	"bailey reed howell ramos richardson watson chavez bennett mendoza ruiz hughes "
	"alvarez castillo sanders patel myers ross jimenez powell jenkins perry sullivan "
	"doe roe coleman butler henderson barnes gonzales fisher vasquez simmons romero "
	"patterson hamilton graham reynolds griffin wallace moreno hayes bryant herrera "
	"gibson ellis tran medina aguilar stevens murray castro marshall owens harrison "
	"fernandez kennedy mcdonald vargas henry chen freeman webb tucker guzman burns "
	"crawford olson simpson porter gordon mendez silva shaw snyder dixon munoz hicks "
	"holmes palmer wagner boyd warren schmidt meyer mueller weber kowalski novak "
	"rossi ivanov tanaka suzuki singh kumar khan hussain wang zhang liu yang huang "
	"oconnor obrien connor"},
    /* clang-format on */
};

struct slot {
	const char *word;
	const char *tags;
	uint8_t n;
};

struct words {
	struct slot slots[SLOTS];
};

/* FNV-1a */
static uint32_t
word_hash(const char *lower, size_t n)
{
	uint32_t h = 2166136261u;

	for (size_t i = 0; i < n; i++)
		h = (h ^ (unsigned char)lower[i]) * 16777619u;
	return h ^ h >> 15;
}

static struct slot *
slot_of(struct words *w, const char *lower, size_t n)
{
	uint32_t at = word_hash(lower, n) % SLOTS;

	while (w->slots[at].word != NULL &&
	       (w->slots[at].n != n || memcmp(w->slots[at].word, lower, n) != 0))
		at = (at + 1) % SLOTS;
	return &w->slots[at];
}

struct err
words_new(struct words **ret)
{
	struct words *w = calloc(1, sizeof(*w));

	if (w == NULL)
		return ERR(ERR_NO_MEMORY);
	for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++) {
		struct str head, tail = str_c(classes[i].words);

		while (tail.n > 0) {
			struct slot *s;

			(void)str_split(tail, ' ', &head, &tail);
			s = slot_of(w, head.p, head.n);
			if (s->word == NULL) /* the first class that has a word keeps it */
				*s = (struct slot){
				    .word = head.p, .tags = classes[i].tags, .n = (uint8_t)head.n};
		}
	}
	*ret = w;
	return OK;
}

void
words_free(struct words *w)
{
	free(w);
}

/* the classes of the word at ${p}, or NULL */
static const char *
word_tags(const struct words *w, const char *p, size_t n)
{
	char lower[WORD_MAX];
	uint32_t at;

	if (n < 2 || n > WORD_MAX)
		return NULL;
	for (size_t i = 0; i < n; i++)
		lower[i] = fold_lower(p[i]);
	at = word_hash(lower, n) % SLOTS;
	for (; w->slots[at].word != NULL; at = (at + 1) % SLOTS)
		if (w->slots[at].n == n && memcmp(w->slots[at].word, lower, n) == 0)
			return w->slots[at].tags;
	return NULL;
}

static size_t
put_word(
    const struct words *w, const char *p, size_t n, bool after_digit, char *out, uint32_t *seen)
{
	/* "3hn1234" is random text: a short word after a digit is none */
	const char *tags = after_digit && n < 4 ? NULL : word_tags(w, p, n);
	size_t k = 0;

	if (tags == NULL) {
		for (; k < n; k++)
			out[k] = fold_lower(p[k]);
		return n;
	}
	for (; tags[k] != 0; k++) {
		out[k] = tags[k];
		*seen |= WORDS_CLASS(tags[k]);
	}
	return k;
}

/* where the first word of camelCase in p[0..n) ends: johnSmith, MRNNumber */
static size_t
camel_end(const char *p, size_t n)
{
	for (size_t i = 1; i < n; i++) {
		if (!fold_is_upper(p[i - 1]) && fold_is_upper(p[i]))
			return i;
		if (i > 1 && fold_is_upper(p[i - 2]) && fold_is_upper(p[i - 1]) &&
		    !fold_is_upper(p[i]))
			return i - 1;
	}
	return n;
}

size_t
words_tag(const struct words *w, struct str text, char *out, uint32_t *ret_classes)
{
	uint32_t seen = 0;
	size_t n = 0;

	for (size_t i = 0; i < text.n;) {
		bool after_digit = i > 0 && fold_is_digit(text.p[i - 1]);
		size_t end = i;

		while (end < text.n && fold_is_alpha(text.p[end]))
			end++;
		if (end == i) {
			out[n++] = text.p[i++];
			continue;
		}
		if (word_tags(w, text.p + i, end - i) == NULL) {
			for (;;) {
				size_t len = camel_end(text.p + i, end - i);

				if (len == end - i)
					break;
				n += put_word(w, text.p + i, len, after_digit, out + n, &seen);
				out[n++] = ' ';
				after_digit = false;
				i += len;
			}
		}
		n += put_word(w, text.p + i, end - i, after_digit, out + n, &seen);
		i = end;
	}
	*ret_classes = seen;
	return n;
}
