-- What becomes of rows: one present state, then the tables that a study sees. doc/pool.md explains both; pool.c runs the scripts in
-- this order: rows (or its view over segments), macros, resolve, merge, resource, views. Our SQL only: nothing here comes from a person.

-- script: rows
-- The columns of a segment, in its order; a batch is written from this table, an empty pool is read from it.
CREATE OR REPLACE TABLE pool_row(
  seq BIGINT NOT NULL, op VARCHAR NOT NULL, type VARCHAR NOT NULL, id VARCHAR NOT NULL, patient VARCHAR NOT NULL,
  feed VARCHAR NOT NULL, landing VARCHAR NOT NULL, part INTEGER NOT NULL, received TIMESTAMP NOT NULL, body VARCHAR NOT NULL);

-- script: macros
-- A date or time of FHIR as the clock on the wall showed it: its offset is dropped, so that a day is the day that the chart says. Of one that
-- is not whole the first moment. What is none is NULL.
CREATE OR REPLACE MACRO fhir_time(s) AS
  TRY_CAST(CASE length(s) WHEN 4 THEN s || '-01-01' WHEN 7 THEN s || '-01' ELSE s END AS TIMESTAMP);
CREATE OR REPLACE MACRO fhir_date(s) AS
  TRY_CAST(CASE length(s) WHEN 4 THEN s || '-01-01' WHEN 7 THEN s || '-01' ELSE s[:10] END AS DATE);
-- The id in a reference, whether "Patient/x", "Patient/x/_history/1", a URL or a urn:uuid; a conditional one names nobody here.
CREATE OR REPLACE MACRO fhir_id(s) AS
  CASE WHEN s IS NULL OR contains(s, '?') OR starts_with(s, '#') THEN NULL
    ELSE regexp_extract(s, '([^/:]+)(?:/_history/[^/]*)?$', 1) END;
-- The first coding that has a code, else the first; then what people read of the whole concept.
CREATE OR REPLACE MACRO fhir_coding(c) AS
  CASE WHEN len(c.coding) > 1 AND c.coding[1].code IS NULL THEN coalesce(list_filter(c.coding, lambda x: x.code IS NOT NULL)[1], c.coding[1])
    ELSE c.coding[1] END;
CREATE OR REPLACE MACRO fhir_words(c) AS coalesce(fhir_coding(c).display, c.text, fhir_coding(c).code);
-- What a code is called: beside a code system only by the coding itself, for what people typed into text may be anything, and a release shows it.
CREATE OR REPLACE MACRO fhir_named(c) AS CASE WHEN fhir_coding(c).system IS NULL THEN fhir_words(c) ELSE fhir_coding(c).display END;

-- What US Core says of race and ethnicity: the text, else the categories of the census bureau.
CREATE OR REPLACE MACRO us_core(e) AS
  coalesce(list_filter(e, lambda x: x.url = 'text')[1].valueString,
    nullif(array_to_string(list_transform(list_filter(e, lambda x: x.url = 'ombCategory'), lambda x: coalesce(x.valueCoding.display, x.valueCoding.code)), ', '), ''));
-- Record numbers among identifiers: those that say so; if none does, those that say nothing and are of no other known kind.
CREATE OR REPLACE MACRO fhir_mrns(i) AS
  CASE WHEN len(list_filter(i, lambda x: x.type.coding[1].code = 'MR')) > 0
    THEN list_transform(list_filter(i, lambda x: x.type.coding[1].code = 'MR'), lambda x: x.value)
    ELSE list_transform(list_filter(i, lambda x: coalesce(x.type.coding[1].code, 'PI') IN ('PI', 'PT', 'PN', 'MRT')
      AND NOT contains(coalesce(x.system, ''), 'ssn') AND NOT regexp_matches(coalesce(x.system, ''), 'licen[cs]e|passport|/sid/us-npi|2\.16\.840\.1\.113883\.4\.(1|3|6)$')),
      lambda x: x.value) END;
CREATE OR REPLACE MACRO fhir_has_value(v) AS
  v.valueQuantity IS NOT NULL OR v.valueInteger IS NOT NULL OR v.valueBoolean IS NOT NULL OR v.valueString IS NOT NULL OR v.valueDateTime IS NOT NULL
  OR v.valueTime IS NOT NULL OR v.valuePeriod IS NOT NULL OR v.valueCodeableConcept IS NOT NULL OR v.valueRange IS NOT NULL OR v.valueRatio IS NOT NULL;

-- script: resolve
-- Of which resources there is more than one row, or a delete. The rest needs no thought. base: the last row that says what the whole is.
CREATE OR REPLACE TABLE pool_several AS
  SELECT type, id, max(seq) AS newest, arg_max(op, seq) AS op, max(seq) FILTER (op <> 'patch') AS base
  FROM pool_row GROUP BY type, id HAVING count(*) > 1 OR max(op = 'delete');
CREATE OR REPLACE TABLE pool_folded(seq BIGINT, type VARCHAR, id VARCHAR, patient VARCHAR, feed VARCHAR, landing VARCHAR, part INTEGER,
  received TIMESTAMP, body VARCHAR);

-- script: dead
-- Rows that are not the present state: overtaken, deleted, or a piece of one that is folded.
CREATE OR REPLACE TABLE pool_dead AS
  SELECT r.seq FROM pool_row r JOIN pool_several s ON r.type = s.type AND r.id = s.id WHERE r.seq < s.newest OR s.op <> 'put';

-- script: dead_of_run
-- The same of segments that others come before: a patch without a whole before it stays, and so does a delete.
DELETE FROM pool_several WHERE base IS NULL;
CREATE OR REPLACE TABLE pool_dead AS
  SELECT r.seq FROM pool_row r JOIN pool_several s ON r.type = s.type AND r.id = s.id WHERE r.seq < s.newest OR s.op = 'patch';

-- script: resource
CREATE OR REPLACE TABLE pool_merged(id VARCHAR NOT NULL, patient VARCHAR NOT NULL);
-- ids as they came: before merges
CREATE OR REPLACE VIEW pool_resource AS
  SELECT r.seq, r.type, r.id, r.patient, r.feed, r.landing, r.part, r.received,
    CASE WHEN r.op = 'patch' AND contains(r.body, 'null') THEN json_merge_patch('{}', r.body) ELSE r.body END AS body
  FROM pool_row r ANTI JOIN pool_dead d ON r.seq = d.seq
  UNION ALL SELECT seq, type, id, patient, feed, landing, part, received, body FROM pool_folded;
CREATE OR REPLACE VIEW resource AS
  SELECT r.type, r.id, coalesce(m.patient, nullif(r.patient, '')) AS patient, r.received AS updated, r.body
  FROM pool_resource r LEFT JOIN pool_merged m ON r.patient = m.id;

-- script: links
CREATE OR REPLACE VIEW pool_link AS
  WITH l AS (
    SELECT id, unnest(json_transform(body, '{"link":[{"type":"VARCHAR","other":{"reference":"VARCHAR"}}]}').link) AS link
    FROM pool_resource WHERE type = 'Patient' AND contains(body, 'replaced-by')),
  m AS (SELECT id, min(fhir_id(link.other.reference)) AS patient FROM l WHERE link.type = 'replaced-by' GROUP BY id)
  SELECT m.id, m.patient FROM m WHERE m.id <> m.patient AND m.patient IN (SELECT id FROM pool_resource WHERE type = 'Patient');

-- script: views
CREATE OR REPLACE VIEW person AS
  WITH r AS (
    SELECT patient, json_transform(body, '{"gender":"VARCHAR","birthDate":"VARCHAR","deceasedDateTime":"VARCHAR",
      "maritalStatus":{"coding":[{"code":"VARCHAR","display":"VARCHAR"}],"text":"VARCHAR"},
      "communication":[{"preferred":"BOOLEAN","language":{"coding":[{"code":"VARCHAR","display":"VARCHAR"}],"text":"VARCHAR"}}],
      "address":[{"use":"VARCHAR","city":"VARCHAR","state":"VARCHAR","postalCode":"VARCHAR"}],
      "name":[{"use":"VARCHAR","family":"VARCHAR","given":["VARCHAR"]}],
      "identifier":[{"type":{"coding":[{"code":"VARCHAR"}]},"system":"VARCHAR","value":"VARCHAR"}],
      "extension":[{"url":"VARCHAR","extension":[{"url":"VARCHAR","valueCoding":{"display":"VARCHAR","code":"VARCHAR"},"valueString":"VARCHAR"}]}]}') AS j
    FROM resource WHERE type = 'Patient' AND id = patient),
  p AS (
    SELECT patient, j,
      coalesce(list_filter(j.address, lambda x: x.use = 'home')[1], j.address[1]) AS a,
      coalesce(list_filter(j.name, lambda x: x.use = 'official')[1], list_filter(j.name, lambda x: coalesce(x.use, '') NOT IN ('old', 'maiden', 'anonymous'))[1],
        j.name[1]) AS n,
      coalesce(list_filter(j.communication, lambda x: x.preferred)[1], j.communication[1]).language AS l,
      list_filter(j.extension, lambda x: x.url = 'http://hl7.org/fhir/us/core/StructureDefinition/us-core-race')[1].extension AS race,
      list_filter(j.extension, lambda x: x.url = 'http://hl7.org/fhir/us/core/StructureDefinition/us-core-ethnicity')[1].extension AS ethnicity
    FROM r)
  SELECT patient, j.gender AS gender, fhir_date(j.birthDate) AS birth_date, fhir_date(j.deceasedDateTime) AS deceased,
    us_core(race) AS race, us_core(ethnicity) AS ethnicity, coalesce(fhir_coding(l).code, l.text) AS language,
    coalesce(fhir_coding(j.maritalStatus).code, j.maritalStatus.text) AS marital,
    a.city AS city, a.state AS state, a.postalCode AS zip, fhir_mrns(j.identifier)[1] AS mrn, n.family AS family, array_to_string(n.given, ' ') AS given
  FROM p;

CREATE OR REPLACE VIEW visit AS
  WITH r AS (
    SELECT id, patient, json_transform(body, '{"status":"VARCHAR","class":{"code":"VARCHAR"},
      "type":[{"coding":[{"code":"VARCHAR","display":"VARCHAR"}],"text":"VARCHAR"}],"period":{"start":"VARCHAR","end":"VARCHAR"},
      "reasonCode":[{"coding":[{"code":"VARCHAR","display":"VARCHAR"}],"text":"VARCHAR"}],
      "serviceProvider":{"reference":"VARCHAR","display":"VARCHAR"},"location":[{"location":{"reference":"VARCHAR","display":"VARCHAR"}}]}') AS j
    FROM resource WHERE type = 'Encounter'),
  named AS (SELECT type, id, json_extract_string(body, '$.name') AS name FROM resource WHERE type IN ('Organization', 'Location'))
  SELECT r.id AS visit, r.patient, j.class.code AS class, fhir_words(j.type[1]) AS type, fhir_time(j.period.start) AS start, fhir_time(j.period."end") AS "end",
    fhir_words(j.reasonCode[1]) AS reason,
    coalesce(o.name, j.serviceProvider.display, l.name, j.location[-1].location.display) AS facility, j.status AS status
  FROM r LEFT JOIN named o ON o.type = 'Organization' AND o.id = fhir_id(j.serviceProvider.reference)
    LEFT JOIN named l ON l.type = 'Location' AND l.id = fhir_id(j.location[-1].location.reference);

CREATE OR REPLACE VIEW condition AS
  WITH r AS (
    SELECT id, patient, json_transform(body, '{"clinicalStatus":{"coding":[{"code":"VARCHAR","display":"VARCHAR"}],"text":"VARCHAR"},
      "verificationStatus":{"coding":[{"code":"VARCHAR","display":"VARCHAR"}],"text":"VARCHAR"},
      "code":{"coding":[{"system":"VARCHAR","code":"VARCHAR","display":"VARCHAR"}],"text":"VARCHAR"},"encounter":{"reference":"VARCHAR"},
      "onsetDateTime":"VARCHAR","onsetPeriod":{"start":"VARCHAR"},"abatementDateTime":"VARCHAR","abatementPeriod":{"end":"VARCHAR","start":"VARCHAR"},
      "recordedDate":"VARCHAR"}') AS j
    FROM resource WHERE type = 'Condition')
  SELECT id AS condition, patient, fhir_id(j.encounter.reference) AS visit, fhir_coding(j.code).system AS system, fhir_coding(j.code).code AS code,
    fhir_named(j.code) AS display, fhir_time(coalesce(j.onsetDateTime, j.onsetPeriod.start)) AS onset,
    fhir_time(coalesce(j.abatementDateTime, j.abatementPeriod."end", j.abatementPeriod.start)) AS abated, fhir_time(j.recordedDate) AS recorded,
    CASE WHEN fhir_coding(j.verificationStatus).code IN ('entered-in-error', 'refuted') THEN fhir_coding(j.verificationStatus).code
      ELSE coalesce(fhir_coding(j.clinicalStatus).code, fhir_coding(j.verificationStatus).code) END AS status
  FROM r;

CREATE OR REPLACE VIEW drug AS
  WITH r AS (
    SELECT type, id, patient, json_transform(body, '{"status":"VARCHAR",
      "medicationCodeableConcept":{"coding":[{"system":"VARCHAR","code":"VARCHAR","display":"VARCHAR"}],"text":"VARCHAR"},
      "vaccineCode":{"coding":[{"system":"VARCHAR","code":"VARCHAR","display":"VARCHAR"}],"text":"VARCHAR"},
      "medicationReference":{"reference":"VARCHAR","display":"VARCHAR"},
      "contained":[{"resourceType":"VARCHAR","id":"VARCHAR","code":{"coding":[{"system":"VARCHAR","code":"VARCHAR","display":"VARCHAR"}],"text":"VARCHAR"}}],
      "encounter":{"reference":"VARCHAR"},"context":{"reference":"VARCHAR"},
      "authoredOn":"VARCHAR","effectiveDateTime":"VARCHAR","effectivePeriod":{"start":"VARCHAR","end":"VARCHAR"},"occurrenceDateTime":"VARCHAR",
      "whenHandedOver":"VARCHAR","whenPrepared":"VARCHAR","dispenseRequest":{"validityPeriod":{"start":"VARCHAR","end":"VARCHAR"}},
      "doseQuantity":{"value":"DOUBLE","unit":"VARCHAR","code":"VARCHAR"},
      "route":{"coding":[{"code":"VARCHAR","display":"VARCHAR"}],"text":"VARCHAR"}}') AS j,
      json_transform(CASE WHEN type = 'MedicationAdministration' THEN json_array(json_extract(body, '$.dosage'))
          ELSE coalesce(json_extract(body, '$.dosageInstruction'), json_extract(body, '$.dosage')) END,
        '[{"timing":{"event":["VARCHAR"],"repeat":{"boundsPeriod":{"start":"VARCHAR","end":"VARCHAR"}}},
        "route":{"coding":[{"code":"VARCHAR","display":"VARCHAR"}],"text":"VARCHAR"},"dose":{"value":"DOUBLE","unit":"VARCHAR","code":"VARCHAR"},
        "doseAndRate":[{"doseQuantity":{"value":"DOUBLE","unit":"VARCHAR","code":"VARCHAR"}}]}]')[1] AS d
    FROM resource WHERE type IN ('MedicationRequest', 'MedicationStatement', 'MedicationAdministration', 'MedicationDispense', 'Immunization')),
  medication AS (SELECT id, json_transform(body, '{"code":{"coding":[{"system":"VARCHAR","code":"VARCHAR","display":"VARCHAR"}],"text":"VARCHAR"}}').code AS code
    FROM resource WHERE type = 'Medication'),
  c AS (
    SELECT r.*, coalesce(j.medicationCodeableConcept, j.vaccineCode,
        list_filter(j.contained, lambda x: x.resourceType = 'Medication' AND '#' || x.id = j.medicationReference.reference)[1].code, m.code) AS code,
      coalesce(d.dose, d.doseAndRate[1].doseQuantity, j.doseQuantity) AS dose
    FROM r LEFT JOIN medication m ON m.id = fhir_id(j.medicationReference.reference))
  SELECT id AS drug, patient, fhir_id(coalesce(j.encounter.reference, j.context.reference)) AS visit, fhir_coding(code).system AS system,
    fhir_coding(code).code AS code, coalesce(fhir_named(code), CASE WHEN fhir_coding(code).system IS NULL THEN j.medicationReference.display END) AS display,
    fhir_time(coalesce(j.effectiveDateTime, j.effectivePeriod.start, j.occurrenceDateTime, j.whenHandedOver, j.whenPrepared,
      d.timing.repeat.boundsPeriod.start, j.dispenseRequest.validityPeriod.start, j.authoredOn)) AS start,
    fhir_time(coalesce(j.effectivePeriod."end", d.timing.repeat.boundsPeriod."end", j.dispenseRequest.validityPeriod."end")) AS "end",
    dose.value AS dose, coalesce(dose.unit, dose.code) AS unit, fhir_words(coalesce(d.route, j.route)) AS route, j.status AS status
  FROM c;

-- An observation with components is a row for each, and one of its own if it has a value of its own.
CREATE OR REPLACE VIEW measurement AS
  WITH r AS (
    SELECT id, patient, contains(body, '"component"') AS has_parts, body, json_transform(body, '{"status":"VARCHAR",
        "category":[{"coding":[{"code":"VARCHAR","display":"VARCHAR"}],"text":"VARCHAR"}],"encounter":{"reference":"VARCHAR"},
        "effectiveDateTime":"VARCHAR","effectiveInstant":"VARCHAR","effectivePeriod":{"start":"VARCHAR"},"issued":"VARCHAR"}') AS j
    FROM resource WHERE type = 'Observation'),
  single AS (
    SELECT id, patient, has_parts, j, json_transform(body, '{
        "code":{"coding":[{"system":"VARCHAR","code":"VARCHAR","display":"VARCHAR"}],"text":"VARCHAR"},
        "valueQuantity":{"value":"DOUBLE","comparator":"VARCHAR","unit":"VARCHAR","code":"VARCHAR"},"valueInteger":"DOUBLE","valueBoolean":"VARCHAR",
        "valueString":"VARCHAR","valueDateTime":"VARCHAR","valueTime":"VARCHAR","valuePeriod":{"start":"VARCHAR","end":"VARCHAR"},
        "valueCodeableConcept":{"coding":[{"code":"VARCHAR","display":"VARCHAR"}],"text":"VARCHAR"},
        "valueRange":{"low":{"value":"DOUBLE","unit":"VARCHAR"},"high":{"value":"DOUBLE","unit":"VARCHAR"}},
        "valueRatio":{"numerator":{"value":"DOUBLE"},"denominator":{"value":"DOUBLE"}},
        "referenceRange":[{"low":{"value":"DOUBLE"},"high":{"value":"DOUBLE"}}]}') AS v
    FROM r),
  parts AS (
    SELECT id, patient, j, json_transform(body, '{"component":[{
        "code":{"coding":[{"system":"VARCHAR","code":"VARCHAR","display":"VARCHAR"}],"text":"VARCHAR"},
        "valueQuantity":{"value":"DOUBLE","comparator":"VARCHAR","unit":"VARCHAR","code":"VARCHAR"},"valueInteger":"DOUBLE","valueBoolean":"VARCHAR",
        "valueString":"VARCHAR","valueDateTime":"VARCHAR","valueTime":"VARCHAR","valuePeriod":{"start":"VARCHAR","end":"VARCHAR"},
        "valueCodeableConcept":{"coding":[{"code":"VARCHAR","display":"VARCHAR"}],"text":"VARCHAR"},
        "valueRange":{"low":{"value":"DOUBLE","unit":"VARCHAR"},"high":{"value":"DOUBLE","unit":"VARCHAR"}},
        "valueRatio":{"numerator":{"value":"DOUBLE"},"denominator":{"value":"DOUBLE"}},
        "referenceRange":[{"low":{"value":"DOUBLE"},"high":{"value":"DOUBLE"}}]}],
        "referenceRange":[{"low":{"value":"DOUBLE"},"high":{"value":"DOUBLE"}}]}') AS c
    FROM r WHERE has_parts),
  each AS (
    SELECT id, patient, j, v, v.referenceRange AS ranges FROM single WHERE NOT has_parts OR fhir_has_value(v)
    UNION ALL
    SELECT id || '/' || n, patient, j, c.component[n], coalesce(c.component[n].referenceRange, c.referenceRange)
    FROM (SELECT *, unnest(range(1, len(c.component) + 1)) AS n FROM parts))
  SELECT id AS measurement, patient, fhir_id(j.encounter.reference) AS visit, fhir_coding(v.code).system AS system, fhir_coding(v.code).code AS code,
    fhir_named(v.code) AS display,
    fhir_time(coalesce(j.effectiveDateTime, j.effectiveInstant, j.effectivePeriod.start, j.issued)) AS time,
    coalesce(v.valueQuantity.value, v.valueInteger) AS value, coalesce(v.valueQuantity.unit, v.valueQuantity.code, v.valueRange.low.unit, v.valueRange.high.unit) AS unit,
    CASE WHEN v.valueQuantity.comparator IS NOT NULL THEN v.valueQuantity.comparator || ' ' || v.valueQuantity.value
      WHEN v.valueCodeableConcept IS NOT NULL THEN fhir_words(v.valueCodeableConcept)
      WHEN v.valueRange IS NOT NULL THEN coalesce(v.valueRange.low.value::VARCHAR, '') || ' - ' || coalesce(v.valueRange.high.value::VARCHAR, '')
      WHEN v.valueRatio IS NOT NULL THEN v.valueRatio.numerator.value || ':' || v.valueRatio.denominator.value
      WHEN v.valuePeriod IS NOT NULL THEN coalesce(v.valuePeriod.start, '') || ' - ' || coalesce(v.valuePeriod."end", '')
      ELSE coalesce(v.valueString, v.valueBoolean, v.valueDateTime, v.valueTime) END AS value_text,
    fhir_coding(v.valueCodeableConcept).code AS value_code, ranges[1].low.value AS low, ranges[1].high.value AS high,
    j.status AS status, coalesce(fhir_coding(j.category[1]).code, j.category[1].text) AS category
  FROM each;

CREATE OR REPLACE VIEW procedure AS
  WITH r AS (
    SELECT id, patient, json_transform(body, '{"status":"VARCHAR","code":{"coding":[{"system":"VARCHAR","code":"VARCHAR","display":"VARCHAR"}],"text":"VARCHAR"},
      "encounter":{"reference":"VARCHAR"},"performedDateTime":"VARCHAR","performedPeriod":{"start":"VARCHAR"}}') AS j
    FROM resource WHERE type = 'Procedure')
  SELECT id AS procedure, patient, fhir_id(j.encounter.reference) AS visit, fhir_coding(j.code).system AS system, fhir_coding(j.code).code AS code,
    fhir_named(j.code) AS display, fhir_time(coalesce(j.performedDateTime, j.performedPeriod.start)) AS time, j.status AS status
  FROM r;

CREATE OR REPLACE VIEW note AS
  WITH r AS (
    SELECT resource.type AS kind, id, patient, json_transform(body, '{"status":"VARCHAR","date":"VARCHAR",
      "type":{"coding":[{"code":"VARCHAR","display":"VARCHAR"}],"text":"VARCHAR"},"code":{"coding":[{"code":"VARCHAR","display":"VARCHAR"}],"text":"VARCHAR"},
      "encounter":{"reference":"VARCHAR"},"context":{"encounter":[{"reference":"VARCHAR"}],"period":{"start":"VARCHAR"}},
      "effectiveDateTime":"VARCHAR","effectivePeriod":{"start":"VARCHAR"},"issued":"VARCHAR","recordedDate":"VARCHAR","authoredOn":"VARCHAR",
      "performedDateTime":"VARCHAR","performedPeriod":{"start":"VARCHAR"},"occurrenceDateTime":"VARCHAR","conclusion":"VARCHAR",
      "content":[{"attachment":{"contentType":"VARCHAR","data":"VARCHAR","creation":"VARCHAR"}}],
      "presentedForm":[{"contentType":"VARCHAR","data":"VARCHAR","creation":"VARCHAR"}],
      "note":[{"time":"VARCHAR","text":"VARCHAR"}]}') AS j
    FROM resource
    WHERE resource.type = 'DocumentReference'
      OR (resource.type IN ('DiagnosticReport', 'Observation', 'Condition', 'Procedure', 'MedicationRequest', 'MedicationStatement', 'MedicationAdministration',
        'MedicationDispense', 'Immunization', 'ServiceRequest', 'AllergyIntolerance', 'CarePlan', 'Goal', 'Specimen', 'Device')
        AND (contains(body, '"note"') OR contains(body, '"conclusion"') OR contains(body, '"presentedForm"')))),
  piece AS (
    SELECT kind, id, patient, j, list_filter(list_concat(
      list_transform(list_transform(j.content, lambda x: x.attachment), lambda x: struct_pack("time" := x.creation, "text" := note_text(x.contentType, x.data))),
      list_transform(j.presentedForm, lambda x: struct_pack("time" := x.creation, "text" := note_text(x.contentType, x.data))),
      list_transform([j.conclusion], lambda x: struct_pack("time" := NULL::VARCHAR, "text" := x)),
      list_transform(j.note, lambda x: struct_pack("time" := x.time, "text" := x.text))), lambda x: trim(x."text") <> '') AS told
    FROM r WHERE coalesce(j.status, '') <> 'entered-in-error'),
  each AS (SELECT kind, id, patient, j, told, unnest(range(1, len(told) + 1)) AS n FROM piece)
  SELECT CASE n WHEN 1 THEN id ELSE id || '/' || n END AS note, patient,
    fhir_id(coalesce(j.context.encounter[1].reference, j.encounter.reference)) AS visit, coalesce(fhir_words(j.type), fhir_words(j.code), kind) AS type,
    fhir_time(coalesce(told[n].time, j.date, j.effectiveDateTime, j.effectivePeriod.start, j.context.period.start, j.performedDateTime, j.performedPeriod.start,
      j.occurrenceDateTime, j.authoredOn, j.recordedDate, j.issued)) AS time, told[n]."text" AS "text"
  FROM each;

CREATE OR REPLACE VIEW device AS
  WITH d AS (
    SELECT id, patient, json_transform(body, '{"type":{"coding":[{"code":"VARCHAR","display":"VARCHAR"}],"text":"VARCHAR"},"deviceName":[{"name":"VARCHAR"}],
      "udiCarrier":[{"deviceIdentifier":"VARCHAR","carrierHRF":"VARCHAR"}],"serialNumber":"VARCHAR","distinctIdentifier":"VARCHAR",
      "identifier":[{"value":"VARCHAR"}]}') AS j
    FROM resource WHERE type = 'Device'),
  used AS (
    SELECT id AS device, patient, NULL::TIMESTAMP AS time FROM d WHERE patient IS NOT NULL
    UNION ALL
    SELECT fhir_id(json_extract_string(body, '$.device.reference')), patient,
      fhir_time(coalesce(json_extract_string(body, '$.timingDateTime'), json_extract_string(body, '$.timingPeriod.start'), json_extract_string(body, '$.recordedOn')))
    FROM resource WHERE type = 'DeviceUseStatement' AND patient IS NOT NULL
    UNION ALL
    SELECT fhir_id(json_extract_string(body, '$.device.reference')), patient,
      fhir_time(coalesce(json_extract_string(body, '$.effectiveDateTime'), json_extract_string(body, '$.effectivePeriod.start')))
    FROM resource WHERE type = 'Observation' AND patient IS NOT NULL AND contains(body, '"device"')),
  first AS (SELECT device, patient, min(time) AS time FROM used WHERE device IS NOT NULL GROUP BY device, patient)
  SELECT first.device, first.patient, coalesce(fhir_words(j.type), j.deviceName[1].name) AS type,
    coalesce(j.serialNumber, j.udiCarrier[1].deviceIdentifier, j.distinctIdentifier, j.identifier[1].value, j.udiCarrier[1].carrierHRF) AS identifier, first.time
  FROM first LEFT JOIN d ON d.id = first.device;

-- script: identifiers
-- What is known of the patients of the cohort: doc/pool.md says from where. Each is told as often as it occurs; pool.c makes it distinct.
CREATE OR REPLACE TABLE cohort(patient VARCHAR NOT NULL);
CREATE OR REPLACE MACRO fhir_name(n) AS
  trim(coalesce(nullif(concat_ws(' ', array_to_string(n.given, ' '), n.family), ''), n.text, ''));
CREATE OR REPLACE VIEW pool_identifier AS
  WITH own AS (
    SELECT r.type, r.id, r.patient, json_transform(r.body, '{"birthDate":"VARCHAR","deceasedDateTime":"VARCHAR",
      "name":[{"family":"VARCHAR","given":["VARCHAR"],"text":"VARCHAR"}],"telecom":[{"system":"VARCHAR","value":"VARCHAR"}],
      "address":[{"line":["VARCHAR"],"city":"VARCHAR","district":"VARCHAR","postalCode":"VARCHAR","text":"VARCHAR"}],
      "contact":[{"name":{"family":"VARCHAR","given":["VARCHAR"],"text":"VARCHAR"},"telecom":[{"system":"VARCHAR","value":"VARCHAR"}],
        "address":{"line":["VARCHAR"],"city":"VARCHAR","district":"VARCHAR","postalCode":"VARCHAR","text":"VARCHAR"}}],
      "identifier":[{"type":{"coding":[{"code":"VARCHAR"}]},"system":"VARCHAR","value":"VARCHAR"}],"subscriberId":"VARCHAR",
      "serialNumber":"VARCHAR","distinctIdentifier":"VARCHAR","udiCarrier":[{"deviceIdentifier":"VARCHAR","carrierHRF":"VARCHAR"}],
      "extension":[{"url":"VARCHAR","valueString":"VARCHAR","valueAddress":{"line":["VARCHAR"],"city":"VARCHAR","district":"VARCHAR","postalCode":"VARCHAR","text":"VARCHAR"}}]}') AS j
    FROM resource r SEMI JOIN cohort c ON r.patient = c.patient WHERE r.type IN ('Patient', 'RelatedPerson', 'Coverage', 'Encounter', 'Device')),
  people AS (SELECT * FROM own WHERE type IN ('Patient', 'RelatedPerson')),
  telecom AS (SELECT patient, unnest(list_concat(j.telecom, flatten(list_transform(j.contact, lambda x: x.telecom)))) AS t FROM people),
  place AS (SELECT patient, unnest(list_concat(j.address, list_transform(j.contact, lambda x: x.address), list_transform(j.extension, lambda x: x.valueAddress))) AS a
    FROM people),
  numbered AS (SELECT type, patient, unnest(j.identifier) AS i FROM own WHERE type IN ('Patient', 'RelatedPerson', 'Encounter')),
  seen AS (
    SELECT r.patient, json_transform(r.body, '{"participant":[{"individual":{"reference":"VARCHAR","display":"VARCHAR"},"member":{"reference":"VARCHAR","display":"VARCHAR"}}],
      "author":"JSON","performer":"JSON","generalPractitioner":[{"reference":"VARCHAR","display":"VARCHAR"}],
      "authenticator":{"reference":"VARCHAR","display":"VARCHAR"},"requester":{"reference":"VARCHAR","display":"VARCHAR"},
      "recorder":{"reference":"VARCHAR","display":"VARCHAR"},"asserter":{"reference":"VARCHAR","display":"VARCHAR"}}') AS j
    FROM resource r SEMI JOIN cohort c ON r.patient = c.patient
    WHERE r.type IN ('Patient', 'Encounter', 'DocumentReference', 'DiagnosticReport', 'ServiceRequest', 'MedicationRequest', 'Procedure', 'Condition',
      'Immunization', 'CareTeam', 'Observation') AND contains(r.body, 'Practitioner')),
  clinician AS (
    SELECT DISTINCT patient, unnest(list_concat(list_transform(j.participant, lambda x: x.individual), list_transform(j.participant, lambda x: x.member),
      json_transform(CASE json_type(j.author) WHEN 'OBJECT' THEN json_array(j.author) ELSE j.author END, '[{"reference":"VARCHAR","display":"VARCHAR"}]'),
      json_transform(j.performer, '[{"reference":"VARCHAR","display":"VARCHAR"}]'),
      list_transform(json_transform(j.performer, '[{"actor":{"reference":"VARCHAR","display":"VARCHAR"}}]'), lambda x: x.actor),
      j.generalPractitioner, [j.authenticator, j.requester, j.recorder, j.asserter])) AS c
    FROM seen),
  doctor AS (
    SELECT id, unnest(json_transform(body, '{"name":[{"family":"VARCHAR","given":["VARCHAR"],"text":"VARCHAR"}]}').name) AS n FROM resource WHERE type = 'Practitioner'),
  role AS (SELECT id, fhir_id(json_extract_string(body, '$.practitioner.reference')) AS practitioner FROM resource WHERE type = 'PractitionerRole')
  SELECT patient, 'NAME' AS category, fhir_name(unnest(list_concat(j.name, list_transform(j.contact, lambda x: x.name)))) AS value FROM people
  UNION ALL SELECT patient, 'NAME', unnest(list_transform(list_filter(j.extension, lambda x: ends_with(x.url, 'mothersMaidenName')), lambda x: x.valueString)) FROM people
  UNION ALL SELECT patient, 'DATE', unnest([j.birthDate, j.deceasedDateTime[:10]]) FROM people
  UNION ALL SELECT patient, CASE t.system WHEN 'email' THEN 'EMAIL' WHEN 'fax' THEN 'FAX' WHEN 'url' THEN 'URL' ELSE 'PHONE' END, t.value FROM telecom
  UNION ALL SELECT patient, 'PLACE', unnest(list_concat(a.line, [a.city, a.district, a.text])) FROM place
  UNION ALL SELECT patient, 'ZIP', a.postalCode FROM place
  UNION ALL SELECT patient, CASE
      WHEN type = 'Encounter' THEN 'ACCOUNT'
      WHEN i.type.coding[1].code IN ('MR', 'PI', 'PT', 'PN', 'MRT') THEN 'MRN'
      WHEN i.type.coding[1].code = 'SS' OR contains(i.system, 'ssn') OR i.system LIKE '%2.16.840.1.113883.4.1' THEN 'SSN'
      WHEN i.type.coding[1].code IN ('DL', 'MD', 'RN', 'PPN') OR regexp_matches(i.system, 'licen[cs]e|passport') THEN 'LICENCE'
      WHEN i.type.coding[1].code IN ('AN', 'VN', 'ANON') THEN 'ACCOUNT'
      WHEN i.type.coding[1].code IN ('MB', 'MA', 'MC', 'NH', 'HC', 'SN') THEN 'PLAN'
      WHEN type = 'Patient' AND i.type.coding[1].code IS NULL THEN 'MRN'
      ELSE 'ID' END, i.value FROM numbered
  UNION ALL SELECT patient, 'PLAN', j.subscriberId FROM own WHERE type = 'Coverage'
  UNION ALL SELECT patient, 'DEVICE', unnest(list_concat([j.serialNumber, j.distinctIdentifier],
      list_transform(j.udiCarrier, lambda x: x.deviceIdentifier), list_transform(j.udiCarrier, lambda x: x.carrierHRF))) FROM own WHERE type = 'Device'
  UNION ALL SELECT patient, 'NAME', regexp_replace(c.display, '^(Dr|Prof|Mr|Mrs|Ms|Miss)\.? ', '') FROM clinician WHERE contains(c.reference, 'Practitioner')
  UNION ALL SELECT c.patient, 'NAME', fhir_name(d.n) FROM clinician c JOIN doctor d ON d.id = fhir_id(c.c.reference) WHERE contains(c.c.reference, 'Practitioner/')
  UNION ALL SELECT c.patient, 'NAME', fhir_name(d.n) FROM clinician c JOIN role o ON o.id = fhir_id(c.c.reference) JOIN doctor d ON d.id = o.practitioner
    WHERE contains(c.c.reference, 'PractitionerRole/');

-- script: contract
-- The tables of a study by name and type, empty: against these a cohort is checked before there is data. test_pool.c holds them equal to the views.
CREATE TABLE person(patient VARCHAR, gender VARCHAR, birth_date DATE, deceased DATE, race VARCHAR, ethnicity VARCHAR, language VARCHAR, marital VARCHAR,
  city VARCHAR, state VARCHAR, zip VARCHAR, mrn VARCHAR, family VARCHAR, given VARCHAR);
CREATE TABLE visit(visit VARCHAR, patient VARCHAR, class VARCHAR, type VARCHAR, start TIMESTAMP, "end" TIMESTAMP, reason VARCHAR, facility VARCHAR, status VARCHAR);
CREATE TABLE condition(condition VARCHAR, patient VARCHAR, visit VARCHAR, system VARCHAR, code VARCHAR, display VARCHAR, onset TIMESTAMP, abated TIMESTAMP,
  recorded TIMESTAMP, status VARCHAR);
CREATE TABLE drug(drug VARCHAR, patient VARCHAR, visit VARCHAR, system VARCHAR, code VARCHAR, display VARCHAR, start TIMESTAMP, "end" TIMESTAMP, dose DOUBLE,
  unit VARCHAR, route VARCHAR, status VARCHAR);
CREATE TABLE measurement(measurement VARCHAR, patient VARCHAR, visit VARCHAR, system VARCHAR, code VARCHAR, display VARCHAR, time TIMESTAMP, value DOUBLE,
  unit VARCHAR, value_text VARCHAR, value_code VARCHAR, low DOUBLE, high DOUBLE, status VARCHAR, category VARCHAR);
CREATE TABLE procedure(procedure VARCHAR, patient VARCHAR, visit VARCHAR, system VARCHAR, code VARCHAR, display VARCHAR, time TIMESTAMP, status VARCHAR);
CREATE TABLE note(note VARCHAR, patient VARCHAR, visit VARCHAR, type VARCHAR, time TIMESTAMP, text VARCHAR);
CREATE TABLE device(device VARCHAR, patient VARCHAR, type VARCHAR, identifier VARCHAR, time TIMESTAMP);
