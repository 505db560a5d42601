/* Resource types and required elements (cardinality 1..*) of FHIR R4 (4.0.1), and the required bindings of "status". */
#include "clinic/fhir_rules.h"

#include "base/num.h"

static const char *const types[] = {
	"Account", "ActivityDefinition", "AdverseEvent", "AllergyIntolerance", "Appointment", "AppointmentResponse", "AuditEvent", "Basic",
	"Binary", "BiologicallyDerivedProduct", "BodyStructure", "Bundle", "CapabilityStatement", "CarePlan", "CareTeam", "CatalogEntry",
	"ChargeItem", "ChargeItemDefinition", "Claim", "ClaimResponse", "ClinicalImpression", "CodeSystem", "Communication",
	"CommunicationRequest", "CompartmentDefinition", "Composition", "ConceptMap", "Condition", "Consent", "Contract", "Coverage",
	"CoverageEligibilityRequest", "CoverageEligibilityResponse", "DetectedIssue", "Device", "DeviceDefinition", "DeviceMetric",
	"DeviceRequest", "DeviceUseStatement", "DiagnosticReport", "DocumentManifest", "DocumentReference", "EffectEvidenceSynthesis",
	"Encounter", "Endpoint", "EnrollmentRequest", "EnrollmentResponse", "EpisodeOfCare", "EventDefinition", "Evidence",
	"EvidenceVariable", "ExampleScenario", "ExplanationOfBenefit", "FamilyMemberHistory", "Flag", "Goal", "GraphDefinition", "Group",
	"GuidanceResponse", "HealthcareService", "ImagingStudy", "Immunization", "ImmunizationEvaluation", "ImmunizationRecommendation",
	"ImplementationGuide", "InsurancePlan", "Invoice", "Library", "Linkage", "List", "Location", "Measure", "MeasureReport", "Media",
	"Medication", "MedicationAdministration", "MedicationDispense", "MedicationKnowledge", "MedicationRequest", "MedicationStatement",
	"MedicinalProduct", "MedicinalProductAuthorization", "MedicinalProductContraindication", "MedicinalProductIndication",
	"MedicinalProductIngredient", "MedicinalProductInteraction", "MedicinalProductManufactured", "MedicinalProductPackaged",
	"MedicinalProductPharmaceutical", "MedicinalProductUndesirableEffect", "MessageDefinition", "MessageHeader", "MolecularSequence",
	"NamingSystem", "NutritionOrder", "Observation", "ObservationDefinition", "OperationDefinition", "OperationOutcome",
	"Organization", "OrganizationAffiliation", "Parameters", "Patient", "PaymentNotice", "PaymentReconciliation", "Person",
	"PlanDefinition", "Practitioner", "PractitionerRole", "Procedure", "Provenance", "Questionnaire", "QuestionnaireResponse",
	"RelatedPerson", "RequestGroup", "ResearchDefinition", "ResearchElementDefinition", "ResearchStudy", "ResearchSubject",
	"RiskAssessment", "RiskEvidenceSynthesis", "Schedule", "SearchParameter", "ServiceRequest", "Slot", "Specimen",
	"SpecimenDefinition", "StructureDefinition", "StructureMap", "Subscription", "Substance", "SubstanceNucleicAcid",
	"SubstancePolymer", "SubstanceProtein", "SubstanceReferenceInformation", "SubstanceSourceMaterial", "SubstanceSpecification",
	"SupplyDelivery", "SupplyRequest", "Task", "TerminologyCapabilities", "TestReport", "TestScript", "ValueSet",
	"VerificationResult", "VisionPrescription",
};

#define REQUEST " draft active on-hold revoked completed entered-in-error unknown "
#define EVENT " preparation in-progress not-done on-hold stopped completed entered-in-error unknown "
static const struct fhir_rule rules[] = {
	{"AllergyIntolerance", "patient", NULL},
	{"Appointment", "status participant",
	    " proposed pending booked arrived fulfilled cancelled noshow entered-in-error checked-in waitlist "},
	{"Binary", "contentType", NULL},
	{"CarePlan", "status intent subject", REQUEST},
	{"Claim", "status type use patient created provider priority insurance", " active cancelled draft entered-in-error "},
	{"Composition", "status type date author title", " preliminary final amended entered-in-error "},
	{"Condition", "subject", NULL},
	{"Coverage", "status beneficiary payor", " active cancelled draft entered-in-error "},
	{"DiagnosticReport", "status code",
	    " registered partial preliminary final amended corrected appended cancelled entered-in-error unknown "},
	{"DocumentReference", "status content", " current superseded entered-in-error "},
	{"Encounter", "status class",
	    " planned arrived triaged in-progress onleave finished cancelled entered-in-error unknown "},
	{"EpisodeOfCare", "status patient", " planned waitlist active onhold finished cancelled entered-in-error "},
	{"ExplanationOfBenefit", "status type use patient created insurer provider outcome insurance",
	    " active cancelled draft entered-in-error "},
	{"Goal", "lifecycleStatus description subject", NULL},
	{"ImagingStudy", "status subject", " registered available cancelled entered-in-error unknown "},
	{"Immunization", "status vaccineCode patient occurrenceDateTime|occurrenceString", " completed entered-in-error not-done "},
	{"MedicationAdministration", "status medicationCodeableConcept|medicationReference subject effectiveDateTime|effectivePeriod",
	    " in-progress not-done on-hold completed entered-in-error stopped unknown "},
	{"MedicationDispense", "status medicationCodeableConcept|medicationReference",
	    " preparation in-progress cancelled on-hold completed entered-in-error stopped declined unknown "},
	{"MedicationRequest", "status intent medicationCodeableConcept|medicationReference subject",
	    " active on-hold cancelled completed entered-in-error stopped draft unknown "},
	{"MedicationStatement", "status medicationCodeableConcept|medicationReference subject",
	    " active completed entered-in-error intended stopped on-hold unknown not-taken "},
	{"MessageHeader", "eventCoding|eventUri source", NULL},
	{"Observation", "status code", " registered preliminary final amended corrected cancelled entered-in-error unknown "},
	{"Procedure", "status subject", EVENT},
	{"Provenance", "target recorded agent", NULL},
	{"QuestionnaireResponse", "status", " in-progress completed amended entered-in-error stopped "},
	{"RelatedPerson", "patient", NULL},
	{"ServiceRequest", "status intent subject", REQUEST},
	{"Task", "status intent", NULL},
};

const char *
fhir_type(struct str name)
{
	size_t low = 0, high = ARRAY_LEN(types);

	while (low < high) {
		size_t middle = (low + high) / 2;
		int c = str_cmp(name, str_c(types[middle]));

		if (c == 0)
			return types[middle];
		if (c < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

const struct fhir_rule *
fhir_rule(const char *type)
{
	for (size_t i = 0; i < ARRAY_LEN(rules); i++)
		if (strcmp(rules[i].type, type) == 0)
			return &rules[i];
	return NULL;
}
