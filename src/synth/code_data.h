/*
 * code_data: what the patients of the synthetic hospital may have.
 *
 * The codes (LOINC, SNOMED CT, ICD-10-CM, RxNorm, CVX) are strings in example data, a few dozen, with display texts of our own:
 * no code table is part of this project. Values are whole numbers in the last decimal that is reported.
 */
#ifndef CLOISTER_SYNTH_CODE_DATA_H
#define CLOISTER_SYNTH_CODE_DATA_H

#include <stdbool.h>
#include <stdint.h>

/* conditions: those with a prevalence first */
enum condition_kind {
	COND_DIABETES, COND_HYPERTENSION, COND_CKD, COND_ASTHMA, COND_COPD, COND_HEART_FAILURE, COND_DEPRESSION, COND_HYPOTHYROID,
	COND_LIPIDS, COND_FIBRILLATION, COND_BREAST_CANCER, COND_PROSTATE_CANCER, COND_COLON_CANCER, COND_PARKINSON,
	COND_CHRONIC_COUNT,
	COND_PNEUMONIA = COND_CHRONIC_COUNT, COND_UTI, COND_INFLUENZA, COND_GASTROENTERITIS, COND_FOREARM, COND_ANKLE, COND_LACERATION,
	COND_APPENDICITIS, COND_SEPSIS, COND_INFARCTION,
	COND_ACUTE_END,
	COND_PREGNANCY = COND_ACUTE_END, COND_BIRTH, COND_CHECKUP,
	COND_COUNT
};

enum drug_kind {
	DRUG_METFORMIN, DRUG_GLARGINE, DRUG_LISINOPRIL, DRUG_AMLODIPINE, DRUG_ATORVASTATIN, DRUG_FUROSEMIDE, DRUG_SERTRALINE,
	DRUG_LEVOTHYROXINE, DRUG_APIXABAN, DRUG_ALBUTEROL, DRUG_TIOTROPIUM, DRUG_TAMOXIFEN, DRUG_LEVODOPA, DRUG_AMOXICILLIN,
	DRUG_AZITHROMYCIN, DRUG_CEFTRIAXONE, DRUG_IBUPROFEN, DRUG_ACETAMINOPHEN, DRUG_OXYCODONE, DRUG_HEPARIN,
	DRUG_COUNT, DRUG_NONE = DRUG_COUNT
};

struct condition_code {
	const char *icd10, *snomed, *text;
	uint16_t permille[4];   /* have it at 0–17, 18–39, 40–64, 65 and older */
	char sex;               /* 'F', 'M', or 0 for both */
	uint8_t from_age;       /* chronic: earliest onset. acute: earliest age */
	uint8_t admit_percent;  /* acute: becomes an inpatient */
	uint8_t drug, drug2;    /* DRUG_NONE */
	uint8_t days;           /* acute: how long */
};
extern const struct condition_code condition_codes[COND_COUNT];

struct drug_dose {
	const char *rxnorm, *text, *sig;
};
struct drug_code {
	uint8_t doses;       /* 1 or 2 */
	uint8_t days;        /* a course; 0: until stopped */
	struct drug_dose dose[2];
};
extern const struct drug_code drug_codes[DRUG_COUNT];

/* what is measured */
enum measure_kind {
	M_SYSTOLIC, M_DIASTOLIC, M_HEART_RATE, M_RESP_RATE, M_SPO2, M_TEMP, M_WEIGHT, M_HEIGHT,
	M_GLUCOSE, M_SODIUM, M_POTASSIUM, M_UREA, M_CREATININE, M_EGFR,
	M_WBC, M_HEMOGLOBIN, M_PLATELETS,
	M_A1C,
	M_CHOLESTEROL, M_LDL, M_HDL, M_TRIGLYCERIDES,
	M_TROPONIN, M_BNP, M_CRP, M_TSH, M_PSA, M_HCG,
	M_COUNT
};
struct measure_code {
	const char *loinc, *text, *unit;
	uint8_t decimals;
	int16_t low, high; /* reference range */
};
extern const struct measure_code measure_codes[M_COUNT];

enum panel_kind { P_VITALS, P_BMP, P_CBC, P_A1C, P_LIPIDS, P_TROPONIN, P_BNP, P_CRP, P_TSH, P_PSA, P_HCG, P_COUNT };
#define PANEL_VALUES_MAX 8
struct panel_code {
	const char *loinc, *text;
	uint8_t first, n; /* measures, in the order of the enumeration */
};
extern const struct panel_code panel_codes[P_COUNT];

struct vaccine_code {
	const char *cvx, *text;
	uint16_t from_month, to_month; /* of age */
	bool yearly;
};
#define VACCINE_COUNT 9
extern const struct vaccine_code vaccine_codes[VACCINE_COUNT];

enum note_kind { NOTE_ADMISSION, NOTE_PROGRESS, NOTE_DISCHARGE, NOTE_RADIOLOGY, NOTE_KIND_COUNT };
struct note_code {
	const char *loinc, *text, *v2; /* HL7 table 0270 */
};
extern const struct note_code note_codes[NOTE_KIND_COUNT];

#endif
