#include "deid/wordlists.h"

#include "base/num.h"
#include "deid/lexer.h"

struct list {
	uint32_t bits;
	const char *words; /* separated by a space */
};

static const struct list lists[] = {
    {WORD_TITLE, "dr drs doctor mr mrs ms miss mx prof professor rev sr sra"},
    {WORD_STATE, "alabama alaska arizona arkansas california colorado connecticut delaware florida georgia hawaii idaho illinois "
	"indiana iowa kansas kentucky louisiana maine maryland massachusetts michigan minnesota mississippi missouri montana "
	"nebraska nevada ohio oklahoma oregon pennsylvania tennessee texas utah vermont virginia washington wisconsin wyoming "
	"hampshire jersey mexico york carolina dakota island"},
    {WORD_STATE_CODE, "al ak az ar ca co ct de fl ga hi id il in ia ks ky la me md ma mi mn ms mo mt ne nv nh nj nm ny nc nd oh ok "
	"or pa ri sc sd tn tx ut vt va wa wv wi wy dc pr"},
    {WORD_STREET, "street st avenue ave road rd drive dr lane ln boulevard blvd court ct way place pl terrace ter circle cir "
	"highway hwy parkway pkwy square sq trail trl turnpike pike alley crescent row loop plaza plz cove run ridge rdg point pt "
	"path walk mews commons xing crossing bend expressway expy"},
    {WORD_RELATIVE, "wife husband son daughter mother father brother sister spouse partner aunt uncle niece nephew grandson "
	"granddaughter grandmother grandfather mom dad fiancee fiance caregiver neighbor friend guardian named"},
    {WORD_CREDENTIAL, "md do rn np pa phd lpn crna cnm dpm dds pharmd lcsw aprn fnp facp facs mbbs"},
    {WORD_NAME_KEY, "name patient attending pcp physician provider surgeon author clinician resident anesthesiologist "
	"radiologist pathologist nurse dictated signed transcribed cosigned reviewed contact kin proxy referring assistant by "
	"re cc interpreter therapist consultant cosigner scribe witness informant preceptor fellow intern hospitalist dietitian "
	"pharmacist coordinator chaplain navigator technician sonographer dentist optometrist midwife"},
    {WORD_PHONE, "phone tel telephone call called calling pager beeper cell mobile contact ext extension ph callback"},
    {WORD_FAX, "fax facsimile telefax"},
    {WORD_PLACE_KEY, "in from to near at of outside visiting"},
    {WORD_EPONYM_OF, "disease syndrome sign signs lymphoma catheter esophagus palsy phenomenon test score scale reflex "
	"view views joint virus bacillus injury incision brace cast splint dressing stent shunt solution pouch space prosthesis valve "
	    "graft flap regimen protocol "
	"repeat maneuvers tests lesion hernia deformity neuroma cyst nodule nodules plexus reaction inclusion degeneration exercises "
	    "exercise contracture fracture position thyroiditis sarcoma tumor tumour triad criteria classification procedure line drain "
	    "tube "
	"ulcer fever chorea dementia disorder murmur cell cells stain law index method maneuver manoeuvre operation repair "
	"stage grade ring node nodes body bodies anemia coma formula equation clamp ligament canal gland"},
    {WORD_MARK, "number num no nbr id ids code template"},
    {WORD_BORN, "born birth dob birthdate birthday"},
    {WORD_ID(DEID_SSN), "ssn ss soc"},
    {WORD_ID(DEID_MRN), "mrn"},
    {WORD_ID(DEID_MRN) | WORD_ID_WEAK, "hosp record chart unit hospital patient pt"},
    {WORD_ID(DEID_PLAN), "policy subscriber member insurance beneficiary mbi hicn"},
    {WORD_ID(DEID_PLAN) | WORD_ID_WEAK, "plan medicare medicaid group payer"},
    {WORD_ID(DEID_ACCOUNT), "account acct iban"},
    {WORD_ID(DEID_ACCOUNT) | WORD_ID_WEAK, "billing invoice card"},
    {WORD_ID(DEID_LICENCE), "license licence dea npi passport"},
    {WORD_ID(DEID_LICENCE) | WORD_ID_WEAK, "certificate licensed driver permit registration"},
    {WORD_ID(DEID_VEHICLE), "vin plate plates"},
    {WORD_ID(DEID_VEHICLE) | WORD_ID_WEAK, "vehicle tag car truck automobile motorcycle"},
    {WORD_ID(DEID_DEVICE), "serial imei udi"},
    {WORD_ID(DEID_DEVICE) | WORD_ID_WEAK, "device implant pacemaker lot model pump sn"},
    {WORD_ID(DEID_BIOMETRIC), "fingerprint fingerprints voiceprint iris biometric retina"},
    {WORD_ID(DEID_PHOTO), "photo photograph photos"},
    {WORD_ID(DEID_OTHER), "accession specimen badge"},
    {WORD_ID(DEID_OTHER) | WORD_ID_WEAK, "file folder hospitalization registry consent kit tube slide tracking confirmation ticket ref "
    "reference lab case study encounter visit claim order csn requisition employee trial barcode sample"},
    /* names of discoverers, of things and of ordinary speech */
    {WORD_ORDINARY, "parkinson alzheimer crohn foley hodgkin graves addison cushing bell barrett babinski murphy mcburney glasgow "
	"apgar raynaud sjogren wilson marfan down turner huntington hashimoto kaposi ewing paget dupuytren colles charcot cobb "
	"romberg lachman mcmurray phalen tinel kernig brudzinski homan homans virchow tourette asperger burkitt wernicke "
	"korsakoff broca lewy pick gehrig baker achilles bartholin douglas fowler trendelenburg hickman groshong swan ganz jackson "
	"pratt holter doppler pap gram mantoux braden morse norton snellen rinne weber heimlich valsalva whipple roux nissen "
	"billroth hartmann mohs bennett salter harris garden gleason clark breslow child pugh mallampati killip kiel wood wells "
	"boston york london philadelphia denver lyme west nile"},
    {WORD_ORDINARY, "may march april june august will mark grant brown white black green gray grey young long short small little "
	"rich poor good best sharp strong hand hands foot head back heart lung brain bone blood body pain cold heat burns rose "
	"lily violet iris ivy daisy fern hope faith joy grace charity christian bill pat sue art ray gene dean drew chase case "
	"page paige price rice bean berry cherry olive pepper ginger basil sage rosemary lane street park parks field fields hill "
	"hills lake rivers brook woods forest stone rock sands banks bridges marsh moss snow winter summer day "
	"week weeks friday sunday monday noon early moody bright love loving wise noble king queen prince knight bishop pope "
	"priest abbott cook baker butcher carpenter mason potter tailor weaver shepherd hunter fisher "
	"archer farmer gardener barber singer runner rider driver marshal major general sergeant "
	"fox wolf lamb bull bird swan drake crow wren finch hawk pike bass salmon trout roach cotton silk "
	"chance earnest guy ham hick peter dick will wills trust case law self ball bell box "
	"bond bolt bush church clay close cross crook flood ford frost furlong gale gates glass gold golden house "
	"kitchen last least light limb living lock low major marks mean means mercy mild mills minor moon more muse "
	"nail new noon nurse orange patch patience penny pool post pound powers pray purple read "
	"reading rest right ring rush savage seal see seals shell shields short skin slaughter sly speed spring steel "
	"steele stern still stout street strange sweet tab temple thorn tooth toll true trigger unit vale van vein "
	"vice wall walls ward ware warner waters way ways weak weight wells wheat wing winner worth "
	"yeast an do my so le in on no so had has be he she the and for with not can are any all see per sun van von min max "
	"ma pa lo mi so son sons dad mom baby man men boy girl child wife husband"},
    {WORD_ORDINARY, "patient patients doctor nurse practitioner manager physician chest abdomen neck skin spine knee hip wrist ankle "
	"elbow shoulder left right history present past medical surgical family social allergies medications assessment plan "
	"review systems physical exam examination vital signs general temperature pulse pressure respiratory cardiovascular "
	"gastrointestinal neurological musculoskeletal extremities discharge admission hospital clinic emergency department "
	"intensive care unit normal stable acute chronic severe moderate follow date time name note report results impression "
	"findings diagnosis procedure lab labs laboratory culture urine serum glucose sodium potassium mass national american "
	"medicare medicaid tylenol aspirin advil lasix lisinopril metformin coumadin vicodin percocet cipro keflex ativan haldol "
	"holiday north south east west northern southern eastern western saint san santa los las el la de united states america "
	"english spanish indian chinese german french american african asian male female oh ok hi hey yes well okay sir "
	"cardiology radiology oncology neurology nephrology gastroenterology pulmonology urology orthopedics surgery pharmacy psychiatry "
	"pediatrics dermatology endocrinology hematology pathology anesthesia anesthesiology ophthalmology hospice rehab rehabilitation "
	    "team "
	"staff service services therapy therapist social worker workers none unknown denies reports home self office unit floor "
	"later earlier today yesterday tomorrow recently previously however otherwise overall also since because while although before "
	"after during until upon currently again meanwhile afterwards subsequently finally initially eventually often sometimes usually "
	"maam it this that there then they we you i she her him his your our their what when where who why how if or as at by "
	"to from of up out is was were been being did does done just like so also but mr mrs ms dr miss"},
};

static struct err
add_all(struct hashed *set, const struct list *l)
{
	struct str rest = str_c(l->words), word;
	bool more = true;

	while (more) {
		size_t n;

		more = str_split(rest, ' ', &word, &rest);
		if (word.n)
			TRY(hashed_or(set, lex_word(word, &n), l->bits));
	}
	return OK;
}

struct err
wordlists_init(struct wordlists *w)
{
	*w = (struct wordlists){0};
	for (size_t i = 0; i < ARRAY_LEN(lists); i++)
		TRY(add_all(&w->words, &lists[i]));
	return wordlists_add_clinic(w);
}

void
wordlists_release(struct wordlists *w)
{
	hashed_release(&w->words);
}

struct err
wordlists_add_bits(struct wordlists *w, uint32_t bits, const char *words)
{
	struct list l = {bits, words};

	return add_all(&w->words, &l);
}

struct err
wordlists_add(struct wordlists *w, enum word_bit bit, struct str entry)
{
	size_t n;
	uint64_t h = lex_word(entry, &n);

	if (bit != WORD_SURNAME && bit != WORD_FIRST && bit != WORD_PLACE && bit != WORD_ORDINARY)
		return ERR(ERR_INVALID);
	return n == 0 ? OK : hashed_or(&w->words, h, (uint32_t)bit);
}
