/*
 * Words that are written with a capital and are no names: medicines as they are sold, by general knowledge, those whose name has no stem that
 * vocabulary.c knows; peoples, languages, feasts, makers, insurers and scales.
 */
#include "deid/wordlists.h"

static const char drugs[] =
    "tylenol advil motrin aleve aspirin bayer excedrin naprosyn celebrex mobic ultram tramadol percocet vicodin lortab norco oxycontin "
    "roxicodone dilaudid morphine fentanyl suboxone subutex methadone narcan naloxone naltrexone vivitrol lisinopril zestril prinivil "
    "norvasc toprol lopressor tenormin coreg cozaar diovan benicar avapro micardis atacand hyzaar entresto lasix bumex demadex "
    "torsemide furosemide bumetanide aldactone inspra hctz microzide cardura minipress flomax hytrin catapres clonidine hydralazine "
    "apresoline procardia cardizem diltiazem calan verapamil digoxin lanoxin multaq cordarone pacerone tikosyn plavix brilinta effient "
    "eliquis xarelto pradaxa savaysa coumadin jantoven warfarin lovenox heparin lipitor crestor zocor pravachol livalo zetia tricor "
    "lopid niaspan vascepa repatha praluent glucophage metformin glucotrol amaryl diabeta januvia tradjenta onglyza farxiga jardiance "
    "invokana steglatro victoza ozempic rybelsus wegovy mounjaro zepbound trulicity byetta bydureon lantus toujeo basaglar levemir "
    "tresiba humalog novolog apidra fiasp humulin novolin actos synthroid levoxyl unithroid armour cytomel tapazole prozac zoloft paxil "
    "celexa lexapro luvox effexor pristiq cymbalta fetzima wellbutrin zyban remeron trazodone desyrel viibryd trintellix elavil pamelor "
    "lithium lithobid depakote lamictal tegretol trileptal keppra dilantin topamax zonegran neurontin gabapentin lyrica vimpat briviact "
    "onfi xanax ativan klonopin valium restoril ambien lunesta sonata belsomra buspar buspirone vistaril atarax hydroxyzine seroquel "
    "zyprexa risperdal abilify geodon latuda rexulti vraylar invega haldol thorazine clozaril adderall ritalin concerta vyvanse "
    "strattera intuniv focalin provigil nuvigil aricept namenda exelon sinemet mirapex requip azilect prilosec nexium protonix prevacid "
    "aciphex dexilant pepcid zantac tums maalox mylanta carafate reglan zofran phenergan compazine colace senokot miralax dulcolax "
    "imodium lomotil bentyl levsin linzess amitiza xifaxan asacol lialda pentasa humira enbrel remicade stelara cosentyx taltz otezla "
    "xeljanz rinvoq skyrizi tremfya dupixent simponi cimzia orencia actemra rituxan plaquenil arava imuran azathioprine cellcept "
    "myfortic prograf tacrolimus neoral rapamune prednisone medrol decadron kenalog celestone depo solu cortef florinef ventolin proair "
    "proventil xopenex albuterol atrovent combivent spiriva incruse anoro stiolto symbicort advair breo dulera trelegy flovent "
    "pulmicort qvar singulair accolate zyrtec claritin allegra xyzal benadryl flonase nasonex nasacort astelin afrin sudafed mucinex "
    "robitussin tessalon amoxil augmentin keflex omnicef ceftin rocephin ancef zosyn unasyn merrem invanz zithromax biaxin levaquin "
    "cipro avelox bactrim septra macrobid flagyl cleocin doxycycline vibramycin minocin vancocin zyvox cubicin diflucan lamisil "
    "nystatin valtrex zovirax famvir tamiflu paxlovid truvada descovy biktarvy genvoya triumeq tivicay epzicom atripla stribild harvoni "
    "epclusa mavyret arimidex femara aromasin tamoxifen nolvadex herceptin avastin keytruda opdivo gleevec ibrance verzenio taxol "
    "taxotere adriamycin cytoxan gemzar alimta xeloda lupron zoladex casodex xtandi zytiga revlimid velcade darzalex neulasta neupogen "
    "procrit epogen aranesp fosamax actonel boniva reclast prolia forteo evenity evista imitrex maxalt zomig relpax nurtec ubrelvy "
    "aimovig ajovy emgality botox fioricet flexeril zanaflex skelaxin robaxin baclofen lioresal viagra cialis levitra proscar propecia "
    "avodart detrol ditropan vesicare myrbetriq enablex premarin estrace provera mirena nexplanon kyleena skyla paragard nuvaring ortho "
    "yaz loestrin microgestin sprintec androgel restasis xalatan lumigan travatan alphagan cosopt timoptic retin epiduo differin "
    "accutane mederma hydrocortisone triamcinolone clobetasol lidocaine lidoderm voltaren toradol colchicine colcrys mitigare zyloprim "
    "allopurinol uloric benemid chantix nicorette nicoderm epipen glucagon insulin potassium kcl magnesium calcium ferrous folate "
    "vitamin ensure boost pedialyte glucerna amlodipine atenolol losartan finasteride phexxi lipoflavonoid ibuprofen naproxen "
    "acetaminophen meloxicam simvastatin methotrexate cyclobenzaprine donepezil levetiracetam phenytoin topiramate quetiapine "
    "olanzapine aripiprazole risperidone haloperidol bupropion mirtazapine escitalopram citalopram sertraline paroxetine fluoxetine "
    "venlafaxine duloxetine ondansetron metoclopramide promethazine spironolactone carvedilol metoprolol tamsulosin levothyroxine "
    "liothyronine glipizide glimepiride pioglitazone sitagliptin semaglutide liraglutide cephalexin ceftriaxone vancomycin linezolid "
    "ciprofloxacin sulfamethoxazole trimethoprim nitrofurantoin acyclovir oseltamivir fluconazole hydroxychloroquine cisplatin "
    "carboplatin propofol ketamine midazolam lorazepam dexmedetomidine precedex rocuronium epinephrine norepinephrine levophed "
    "vasopressin dobutamine milrinone cisatracurium";

static const char nations[] =
    "american americans african asian hispanic latino latina latinx caucasian indian chinese japanese korean vietnamese filipino thai "
    "hmong mexican cuban haitian puerto rican dominican brazilian colombian salvadoran guatemalan honduran peruvian spanish english "
    "french german italian portuguese russian polish greek turkish arabic arab persian farsi iranian iraqi syrian lebanese israeli "
    "jewish hebrew hindi urdu punjabi bengali tamil telugu nepali tagalog cantonese mandarin somali ethiopian amharic nigerian kenyan "
    "ghanaian swahili creole british irish scottish welsh dutch swedish norwegian danish finnish ukrainian romanian hungarian czech "
    "bosnian serbian croatian albanian armenian samoan hawaiian guamanian native alaskan european christian catholic protestant baptist "
    "methodist lutheran muslim islamic buddhist hindu jehovah mormon africa asia europe mexico canada china japan india france germany "
    "italy spain england ireland russia vietnam korea philippines brazil haiti cuba jamaica jamaican christmas easter thanksgiving "
    "halloween hanukkah passover ramadan diwali kwanzaa monday tuesday wednesday thursday friday saturday sunday mondays tuesdays "
    "wednesdays thursdays fridays saturdays sundays january february march april june july august september october november december "
    "jan feb mar apr jun jul aug sep sept oct nov dec medicare medicaid medigap tricare aetna cigna humana kaiser anthem bluecross "
    "walmart walgreens cvs costco target amazon google facebook uber covid sars ebola zika lyme staph strep fahrenheit celsius doppler "
    "tinel tinels mcmurrays lisfranc valsalva nihss nyha ascvd nontender normocephalic extraocular bitemporal atraumatic respirations "
    "prev preop postop intraop periop preoperatively postoperatively hgb hct hba rx dx hx tx sx fx pmh psh fh sh ros hpi cc yo pt pts "
    "labs abd ext neuro resp cardio gi gu msk psych derm heent perrla perrl eomi ctab rrr ntnd nabs gfr egfr cbc cmp bmp tsh inr ptt "
    "esr crp ekg ecg eeg emg mri mra cta ultrasound telehealth mychart epic cerner zoom xray latex aircast velcro lovastatin fosamax "
    "kleenex jello gatorade ensure pfizer moderna janssen novavax gardasil shingrix prevnar pneumovax tdap";

/* discoverers, and what a laboratory sees */
static const char eponyms[] =
    "ehlers danlos guillain barre takotsubo takayasu wegener kawasaki behcet osgood schlatter legg calve perthes charcot ludwig "
    "fournier bankart hounsfield sjogren sjogrens creutzfeldt jakob dubin crigler najjar chiari budd fanconi felty goodpasture gaucher "
    "fabry pompe niemann hirschsprung horner kallmann klinefelter klippel krukenberg meckel menetrier meniere mikulicz munchausen "
    "noonan osler peyronie peutz jeghers plummer potts prader willi angelman rett reye reiter rendu sezary sheehan simmonds sturge tay "
    "sachs tietze waldenstrom waterhouse friderichsen werdnig zenker zollinger ellison dressler brugada wolff parkinson lown ebstein "
    "fallot eisenmenger kerley westermark schatzki boerhaave mallory bouchard heberden boutonniere haglund lisfranc maisonneuve "
    "galeazzi monteggia hoffa segond scheuermann kohler freiberg kienbock quervain finkelstein spurling lhermitte argyll gottron koplik "
    "kayser fleischer roth auer heinz howell sternberg bence schwann merkel langerhans purkinje kupffer leydig sertoli bartter gitelman "
    "liddle kimmelstiel tamm horsfall penrose malecot tenckhoff quinton hohn broviac sengstaken";
static const char germs[] =
    "hematocrit troponin bili chemistries prefilled urinalysis lipase amylase procalcitonin fibrinogen haptoglobin reticulocyte reticulocytes "
    "eosinophils basophils neutrophils lymphocytes monocytes bandemia homocysteine prealbumin transferrin osmolality anion cortisol prolactin "
    "testosterone estradiol progesterone parathyroid microalbumin triglycerides apolipoprotein lipoprotein methylmalonic hemoglobin "
    "helicobacter klebsiella borrelia escherichia pseudomonas proteus enterococcus staphylococcus streptococcus haemophilus neisseria "
    "chlamydia mycoplasma legionella listeria salmonella shigella campylobacter clostridium clostridioides bacteroides acinetobacter "
    "enterobacter serratia citrobacter stenotrophomonas burkholderia moraxella bordetella mycobacterium nocardia actinomyces treponema "
    "leptospira rickettsia ehrlichia anaplasma babesia bartonella coxiella brucella francisella yersinia vibrio gardnerella candida "
    "aspergillus cryptococcus histoplasma coccidioides blastomyces pneumocystis toxoplasma giardia entamoeba trichomonas plasmodium "
    "strongyloides lactobacillus cutibacterium corynebacterium";
/* what makes a place of the words before it */
static const char kinds[] =
    "hospital clinic county memorial infirmary hospice university college school academy church parish synagogue temple mosque manor "
    "village township medical rehabilitation rehab nursing center centre borough prison jail penitentiary shelter airport ranch "
    "reservation";
/* before "Hospital" they tell no place */
static const char kinds_common[] =
    "the this that our a an his her their my your at in to from of and or as if on by with for general community regional children "
    "childrens women womens veterans day psychiatric mental state county city local private public outpatient inpatient emergency acute "
    "surgical pain sleep wound urgent primary family specialty eye heart cancer cardiac stroke trauma transplant dialysis infusion "
    "imaging surgery birth birthing medical nursing rehab rehabilitation home center centre clinic hospital hospice memorial university "
    "college school medicine health care assisted skilled high middle elementary grade law dental graduate past previous prior history "
    "social spine orthopedic physical occupational respiratory diagnosis date admission discharge after before during since when while "
    "he she it they patient s coumadin anticoagulation diabetes foot breast hand skin fertility travel walk resident fellow fracture "
    "memory movement headache epilepsy hypertension lipid weight vein";
static const char lived[] =
    "lives live lived living resides resident residing raised born grew up moved relocated native visiting works worked working travels "
    "traveled travelled trip flew drove driving commutes farm house home apartment retired stays staying settled suburb town city "
    "village";
/* what is done with a person, or by one, or with a medicine */
static const char with[] =
    "staffed discussed spoke spoken talked met reviewed rounded seen examined evaluated signed cosigned consulted supervised performed "
    "dictated transcribed interviewed accompanied joined written ordered approved placed assigned off handed reported assisted read "
    "interpreted verified witnessed attended referred d/w married engaged lives living live";
static const char deeds[] =
    "will says said asked called brought drove came went lives told thinks feels states stated reports denies knows wants prefers "
    "agrees agreed understands helps helped visited phoned left arrived returned accompanied noticed found saw was is has";
static const char taken[] =
    "take takes taking took taken continue continued continues start started starting stop stopped hold held increase increased "
    "decrease decreased prescribe prescribed refill refilled mg mcg on using uses use tried trial dose generic brand resume resumed "
    "initiate initiated give given try";

struct err
wordlists_add_clinic(struct wordlists *w)
{
	TRY(wordlists_add_bits(w, WORD_DRUG | WORD_ORDINARY, drugs));
	TRY(wordlists_add_bits(w, WORD_ORDINARY, eponyms));
	TRY(wordlists_add_bits(w, WORD_NATION, germs));
	TRY(wordlists_add_bits(w, WORD_KIND, kinds));
	TRY(wordlists_add_bits(w, WORD_KIND_COMMON, kinds_common));
	TRY(wordlists_add_bits(w, WORD_LIVED, lived));
	TRY(wordlists_add_bits(w, WORD_WITH, with));
	TRY(wordlists_add_bits(w, WORD_DEED, deeds));
	TRY(wordlists_add_bits(w, WORD_TAKEN, taken));
	return wordlists_add_bits(w, WORD_NATION, nations);
}
