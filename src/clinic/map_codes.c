/*
 * The concept maps of HL7/v2-to-fhir, codesystems/ (Apache-2.0); each is named by its file. Empty targets of the tables are not here:
 * such a code is a note (MAP_UNKNOWN_CODE). What is not from a table says so.
 */
#include "clinic/map_codes.h"

#define V2 "http://terminology.hl7.org/CodeSystem/v2-"
#define V3 "http://terminology.hl7.org/CodeSystem/v3-"
#define TABLE(name, uri, ...) \
	static const struct map_entry name##_entries[] = {__VA_ARGS__, {NULL, NULL, NULL, NULL}}; \
	const struct map_codes name = {uri, name##_entries}
#define C(f, t) {f, t, NULL, NULL}
#define D(f, t, d) {f, t, d, NULL}
#define S(f, t, d, s) {f, t, d, s}

/* AdministrativeSex */
TABLE(codes_sex, NULL, C("F", "female"), C("M", "male"), C("O", "other"), C("U", "unknown"), C("A", "other"), C("N", "other"));

/* MaritalStatus */
TABLE(codes_marital, V3 "MaritalStatus", D("A", "L", "Legally Separated"), D("D", "D", "Divorced"), D("M", "M", "Married"),
	D("S", "S", "Never Married"), D("W", "W", "Widowed"), D("C", "C", "Common Law"), D("G", "T", "Domestic partner"),
	D("P", "T", "Domestic partner"), D("R", "T", "Domestic partner"), D("E", "L", "Legally Separated"), D("N", "A", "Annulled"),
	D("I", "I", "Interlocutory"), D("B", "U", "unmarried"), S("U", "UNK", "Unknown", V3 "NullFlavor"),
	S("O", "OTH", "Other", V3 "NullFlavor"), S("T", "NAVU", "Not available", V3 "NullFlavor"));

/* NameType; "B", birth name, has no target in the table: FHIR's own definition of "official" does not fit, so it is a note */
TABLE(codes_name_use, NULL, C("BAD", "old"), C("D", "usual"), C("L", "official"), C("M", "maiden"), C("MSK", "anonymous"),
	C("N", "nickname"), C("NAV", "temp"), C("R", "official"), C("TEMP", "temp"));

/* AddressType[Use]; HOME and the like are not codes of table 0190, but senders use them */
TABLE(codes_address_use, NULL, C("BA", "old"), C("BI", "billing"), C("C", "temp"), C("B", "work"), C("H", "home"), C("O", "work"),
	C("HOME", "home"), C("WORK", "work"));
/* AddressType[Type] */
TABLE(codes_address_type, NULL, C("M", "postal"), C("SH", "postal"));

/* TelecommunicationUseCode; HOME, CELL, WORK as above */
TABLE(codes_telecom_use, NULL, C("PRN", "home"), C("WPN", "work"), C("PRS", "mobile"), C("HOME", "home"), C("WORK", "work"),
	C("CELL", "mobile"), C("MOBILE", "mobile"));
/* TelecommunicationEquipmentType; CP is "mobile" there, which is a use: the system is phone */
TABLE(codes_telecom_system, NULL, C("PH", "phone"), C("FX", "fax"), C("MD", "other"), C("CP", "phone"), C("SAT", "other"),
	C("BP", "pager"), C("Internet", "email"), C("X.400", "email"), C("TDD", "other"), C("TTY", "other"));

/* ObservationResultStatusCodesInterpretation */
TABLE(codes_observation_status, NULL, C("A", "amended"), C("C", "corrected"), C("D", "entered-in-error"), C("F", "final"),
	C("P", "preliminary"), C("X", "cancelled"), C("W", "entered-in-error"),
	/* ours: known states without a result of their own */
	C("R", "preliminary"), C("S", "preliminary"), C("U", "final"), C("I", "registered"), C("O", "registered"), C("N", "unknown"));

/* ResultStatus[Non-Queries]; A and M are ours, the table leaves them open */
TABLE(codes_report_status, NULL, C("O", "registered"), C("I", "registered"), C("S", "registered"), C("P", "preliminary"),
	C("C", "corrected"), C("R", "partial"), C("F", "final"), C("X", "cancelled"), C("A", "partial"), C("M", "partial"),
	C("N", "registered"));

/* InterpretationCodes */
TABLE(codes_interpretation, V3 "ObservationInterpretation", D("<", "<", "Off scale low"), D(">", ">", "Off scale high"),
	D("A", "A", "Abnormal"), D("AA", "AA", "Critical abnormal"), D("B", "B", "Better"), D("CAR", "CAR", "Carrier"),
	D("D", "D", "Significant change down"), D("DET", "DET", "Detected"), D("E", "E", "Equivocal"),
	D("EX", "EX", "outside threshold"), D("EXP", "EXP", "Expected"), D("H", "H", "High"), D("HH", "HH", "Critical high"),
	D("HU", "HU", "Significantly high"), D("I", "I", "Intermediate"), D("IE", "IE", "Insufficient evidence"),
	D("IND", "IND", "Indeterminate"), D("L", "L", "Low"), D("LL", "LL", "Critical low"), D("LU", "LU", "Significantly low"),
	D("MS", "MS", "moderately susceptible"), D("N", "N", "Normal"), D("NCL", "NCL", "No CLSI defined breakpoint"),
	D("ND", "ND", "Not detected"), D("NEG", "NEG", "Negative"), D("NR", "NR", "Non-reactive"), D("NS", "NS", "Non-susceptible"),
	D("POS", "POS", "Positive"), D("R", "R", "Resistant"), D("RR", "RR", "Reactive"), D("S", "S", "Susceptible"),
	D("SDD", "SDD", "Susceptible-dose dependent"), D("SYN-R", "SYN-R", "Synergy - resistant"),
	D("SYN-S", "SYN-S", "Synergy - susceptible"), D("U", "U", "Significant change up"), D("VS", "VS", "very susceptible"),
	D("UNE", "UNE", "Unexpected"), D("W", "W", "Worse"), D("WR", "WR", "Weakly reactive"));

/* PatientClass[EncounterClass] */
TABLE(codes_class, V3 "ActCode", D("E", "EMER", "emergency"), D("I", "IMP", "inpatient encounter"), D("O", "AMB", "ambulatory"),
	D("P", "PRENC", "pre-admission"), S("R", "R", "Recurring patient", V2 "0004"), S("B", "B", "Obstetrics", V2 "0004"),
	S("C", "C", "Commercial Account", V2 "0004"), S("N", "N", "Not Applicable", V2 "0004"), S("U", "U", "Unknown", V2 "0004"));
/* PatientClass[EncounterStatus] */
TABLE(codes_class_status, NULL, C("E", "in-progress"), C("I", "in-progress"), C("O", "in-progress"), C("P", "planned"),
	C("R", "in-progress"), C("B", "in-progress"), C("C", "in-progress"), C("N", "in-progress"), C("U", "unknown"));
/* Event[EncounterStatus]: only the events that say more than PV1 does: an end, a plan, a cancelled visit */
TABLE(codes_event_status, NULL, C("A03", "finished"), C("A05", "planned"), C("A14", "planned"), C("A11", "cancelled"),
	C("A27", "cancelled"), C("A38", "cancelled"), C("A13", "in-progress"));

/* Relationship */
TABLE(codes_relationship, V3 "RoleCode", D("SEL", "ONESELF", "self"), D("SPO", "SPS", "spouse"),
	D("DOM", "SIGOTHR", "significant other"), D("CHD", "CHILD", "child"), D("GCH", "GRNDCHILD", "grandchild"),
	D("NCH", "NCHILD", "natural child"), D("SCH", "STPCHLD", "step child"), D("FCH", "CHLDFOST", "foster child"),
	S("DEP", "DEP", "Handicapped dependent", V2 "0063"), S("WRD", "WRD", "Ward of court", V2 "0063"), D("PAR", "PRN", "parent"),
	D("MTH", "MTH", "mother"), D("FTH", "FTH", "father"), S("CGV", "CGV", "Care giver", V2 "0063"),
	S("GRD", "GRD", "Guardian", V2 "0063"), D("GRP", "GRPRN", "grandparent"), D("EXF", "EXT", "extended family member"),
	D("SIB", "SIB", "sibling"), D("BRO", "BRO", "brother"), D("SIS", "SIS", "sister"), D("FND", "FRND", "unrelated friend"),
	S("OAD", "OAD", "Other adult", V2 "0063"), S("EME", "EME", "Employee", V2 "0063"), S("EMR", "E", "Employer", V2 "0131"),
	S("ASC", "ASC", "Associate", V2 "0063"), S("EMC", "C", "Emergency Contact", V2 "0131"), S("OWN", "OWN", "Owner", V2 "0063"),
	S("TRA", "TRA", "Trainer", V2 "0063"), S("MGR", "MGR", "Manager", V2 "0063"), S("NON", "NON", "None", V2 "0063"),
	S("UNK", "U", "Unknown", V2 "0131"), S("OTH", "O", "Other", V2 "0131"));
/* ContactRole */
TABLE(codes_contact_role, V2 "0131", D("E", "E", "Employer"), D("C", "C", "Emergency Contact"), D("F", "F", "Federal Agency"),
	D("I", "I", "Insurance Company"), D("N", "N", "Next-of-Kin"), D("S", "S", "State Agency"), D("O", "O", "Other"),
	D("U", "U", "Unknown"));

/* AllergenType[AllergyIntoleranceCategory] */
TABLE(codes_allergy_category, NULL, C("DA", "medication"), C("FA", "food"), C("EA", "environment"), C("AA", "biologic"),
	C("PA", "environment"), C("LA", "environment"));
/* AllergyType */
TABLE(codes_allergy_type, NULL, C("DA", "allergy"), C("FA", "allergy"), C("MA", "allergy"), C("EA", "allergy"), C("AA", "allergy"),
	C("PA", "allergy"), C("LA", "allergy"));
/* AllergySeverity[AllergyIntolerance.criticality] */
TABLE(codes_criticality, NULL, C("SV", "high"), C("MI", "low"));
/* AllergySeverity[AllergyIntolerance.reaction.severity] */
TABLE(codes_reaction_severity, NULL, C("SV", "severe"), C("MO", "moderate"), C("MI", "mild"));

/* OrderStatus */
TABLE(codes_order_status, NULL, C("CA", "revoked"), C("CM", "completed"), C("DC", "revoked"), C("ER", "entered-in-error"),
	C("HD", "on-hold"), C("IP", "active"), C("RP", "revoked"), C("SC", "active"));
/* OrderControlCode[ServiceRequest.status]; CA is "active" there (a request to cancel) */
TABLE(codes_order_control, NULL, C("AF", "active"), C("CA", "active"), C("CR", "revoked"), C("DC", "revoked"), C("DF", "revoked"),
	C("DR", "revoked"), C("FU", "completed"), C("HD", "active"), C("HR", "on-hold"), C("NW", "active"), C("OC", "revoked"),
	C("OD", "revoked"), C("OH", "on-hold"), C("OK", "active"), C("PR", "active"), C("PY", "active"), C("RL", "active"),
	C("RO", "active"), C("RQ", "active"));

/* CompletionStatus */
TABLE(codes_completion, NULL, C("CP", "completed"), C("RE", "not-done"), C("NA", "not-done"), C("PA", "completed"));
/* ExtendedPriorityCodes */
TABLE(codes_priority, NULL, C("S", "stat"), C("A", "asap"), C("R", "routine"));
/* EncounterPriority */
TABLE(codes_encounter_priority, V3 "ActPriority", D("1", "EM", "emergency"), D("2", "UR", "urgent"), D("3", "EL", "elective"));

/* FillerStatusCodes[Appointment] */
TABLE(codes_appointment_status, NULL, C("Pending", "pending"), C("Waitlist", "waitlist"), C("Booked", "booked"),
	C("Started", "checked-in"), C("Complete", "fulfilled"), C("Cancelled", "cancelled"), C("Deleted", "entered-in-error"),
	C("Noshow", "noshow"));
/* ours: what the event says when SCH-25 says nothing */
TABLE(codes_appointment_event, NULL, C("S12", "booked"), C("S13", "booked"), C("S14", "booked"), C("S15", "cancelled"),
	C("S16", "cancelled"), C("S17", "entered-in-error"), C("S26", "noshow"));

/* HL7 table 0271 to composition-status; the official TXA map names no table */
TABLE(codes_document_status, NULL, C("AU", "final"), C("LA", "final"), C("DO", "preliminary"), C("DI", "preliminary"),
	C("IP", "preliminary"), C("IN", "preliminary"), C("PA", "preliminary"));

/* NatureOfAbnormalTesting */
TABLE(codes_nature, V2 "0080", D("A", "A", "An age-based population"), D("N", "N", "None - generic normal range"),
	D("R", "R", "A race-based population"), D("S", "S", "A sex-based population"), D("SP", "SP", "Species"), D("B", "B", "Breed"),
	D("ST", "ST", "Strain"));

/* AdmissionType */
TABLE(codes_admission_type, V2 "0007", D("A", "A", "Accident"), D("E", "E", "Emergency"), D("L", "L", "Labor and Delivery"),
	D("R", "R", "Routine"), D("N", "N", "Newborn (Birth in healthcare facility)"), D("U", "U", "Urgent"), D("C", "C", "Elective"));

/* HL7 table 0396, "Coding system", and FHIR R4's "4.3.6 Code systems" */
static const struct map_entry systems_entries[] = { C("LN", "http://loinc.org"), C("LOINC", "http://loinc.org"), C("SCT", "http://snomed.info/sct"),
	C("SNM3", "http://snomed.info/sct"), C("SNOMED", "http://snomed.info/sct"), C("SNOMEDCT", "http://snomed.info/sct"),
	C("SNOMED-CT", "http://snomed.info/sct"), C("UCUM", "http://unitsofmeasure.org"),
	C("RXNORM", "http://www.nlm.nih.gov/research/umls/rxnorm"), C("NDC", "http://hl7.org/fhir/sid/ndc"),
	C("CVX", "http://hl7.org/fhir/sid/cvx"), C("MVX", "http://terminology.hl7.org/CodeSystem/MVX"),
	C("C4", "http://www.ama-assn.org/go/cpt"), C("CPT", "http://www.ama-assn.org/go/cpt"),
	C("C5", "http://www.ama-assn.org/go/cpt"), C("CPT4", "http://www.ama-assn.org/go/cpt"),
	C("I10", "http://hl7.org/fhir/sid/icd-10"), C("ICD10", "http://hl7.org/fhir/sid/icd-10"),
	C("I10C", "http://hl7.org/fhir/sid/icd-10-cm"), C("ICD-10-CM", "http://hl7.org/fhir/sid/icd-10-cm"),
	C("ICD10CM", "http://hl7.org/fhir/sid/icd-10-cm"), C("I9C", "http://hl7.org/fhir/sid/icd-9-cm"),
	C("I9CDX", "http://hl7.org/fhir/sid/icd-9-cm"), C("I9", "http://hl7.org/fhir/sid/icd-9-cm"),
	C("ICD9", "http://hl7.org/fhir/sid/icd-9-cm"), C("CDCREC", "urn:oid:2.16.840.1.113883.6.238"),
	C("ISO3166_1", "urn:iso:std:iso:3166"), C("NPI", "http://hl7.org/fhir/sid/us-npi"), {NULL, NULL, NULL, NULL}};
static const struct map_codes systems = {NULL, systems_entries};

static char
lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

static bool
same(const char *z, struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!z[i] || lower(z[i]) != lower(s.p[i]))
			return false;
	return z[s.n] == '\0';
}

const struct map_entry *
map_lookup(const struct map_codes *table, struct str code)
{
	for (const struct map_entry *e = table->entries; code.n && e->from; e++)
		if (same(e->from, code))
			return e;
	return NULL;
}

const char *
map_system_uri(struct str name)
{
	const struct map_entry *e = map_lookup(&systems, name);

	return e ? e->to : NULL;
}
