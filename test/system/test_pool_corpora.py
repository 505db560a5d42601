"""The pool's tables against what real files hold: Synthea's bundles, and our synthetic hospital told twice, in HL7 v2 and in FHIR.

Counted here by Python straight from the files, and by SQL from the pool, after the mapping, sealing, resolution and views.
"""
import base64
import collections
import json
import os
import pathlib
import subprocess

import pytest

TOP = pathlib.Path(__file__).parents[2]
BUILD = pathlib.Path(os.environ.get("CLOISTER_BUILD", TOP / "build"))
CORPORA = pathlib.Path(os.environ.get("CLOISTER_CORPORA", TOP.parent / "shared" / "corpora"))
VIEWS = ["person", "visit", "condition", "drug", "measurement", "procedure", "note", "device"]
needs_corpora = pytest.mark.skipif(not (CORPORA / "fhir" / "synthea-bundles").is_dir(), reason="no corpora here")


def landed(form, files):
    return subprocess.run([BUILD / "test/tools/landed_tool", form, *files], capture_output=True, check=True, timeout=300).stdout


def pool(rows, *sql):
    done = subprocess.run([BUILD / "test/tools/pool_tool", *sql], input=rows, capture_output=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def counts(rows, *more):
    union = " UNION ALL ".join(f"SELECT '{v}' AS v, count(*) AS n, count(patient) AS p, count(DISTINCT {v if v != 'person' else 'patient'}) AS d FROM {v}" for v in VIEWS)
    answers = pool(rows, union, *more)
    return {a["v"]: a for a in answers[:len(VIEWS)]}, answers[len(VIEWS):]


@pytest.fixture(scope="module")
def synthea():
    files = sorted((CORPORA / "fhir" / "synthea-bundles").glob("*.json"))
    resources = collections.defaultdict(dict)
    for file in files:
        for entry in json.loads(file.read_text())["entry"]:
            resource = entry["resource"]
            resources[resource["resourceType"]][resource["id"]] = resource
    return landed("fhir", files), resources


VALUES = ("valueQuantity", "valueInteger", "valueBoolean", "valueString", "valueDateTime", "valueTime", "valuePeriod", "valueCodeableConcept", "valueRange",
          "valueRatio")


@needs_corpora
def test_synthea_is_counted_as_its_files_say(synthea):
    rows, files = synthea
    told, _ = counts(rows)
    drugs = sum(len(files[t]) for t in ("MedicationRequest", "MedicationStatement", "MedicationAdministration", "MedicationDispense", "Immunization"))
    measured = 0
    for o in files["Observation"].values():
        measured += len(o.get("component", [])) + (not o.get("component") or any(v in o for v in VALUES))
    wanted = {"person": len(files["Patient"]), "visit": len(files["Encounter"]), "condition": len(files["Condition"]), "drug": drugs,
              "measurement": measured, "procedure": len(files["Procedure"])}
    assert {v: told[v]["n"] for v in wanted} == wanted
    for view in VIEWS:
        assert told[view]["n"] == told[view]["d"], "an id is told once"
        assert told[view]["p"] == told[view]["n"], "everything here is somebody's"


@needs_corpora
def test_synthea_values_come_through(synthea):
    rows, files = synthea
    women = sum(p["gender"] == "female" for p in files["Patient"].values())
    heights = [o["valueQuantity"]["value"] for o in files["Observation"].values() if o["code"]["coding"][0]["code"] == "8302-2" and "valueQuantity" in o]
    families = sorted(p["name"][0]["family"] for p in files["Patient"].values())
    dead = sum("deceasedDateTime" in p for p in files["Patient"].values())
    systolic = [c["valueQuantity"]["value"] for o in files["Observation"].values() for c in o.get("component", []) if c["code"]["coding"][0]["code"] == "8480-6"]
    answers = pool(rows, "SELECT count(*) FILTER (gender = 'female') AS women, count(deceased) AS dead, string_agg(family, '|' ORDER BY family) AS families,"
                         " count(race) AS races, count(mrn) AS mrns FROM person",
                   "SELECT count(*) AS n, sum(value) AS sum, count(DISTINCT unit) AS units FROM measurement WHERE code = '8302-2'",
                   "SELECT count(*) AS n, sum(value) AS sum FROM measurement WHERE code = '8480-6'",
                   "SELECT count(*) AS n FROM condition c JOIN visit v USING (visit) WHERE c.patient = v.patient",
                   "SELECT count(*) AS n FROM visit WHERE start > \"end\" OR start IS NULL")
    assert answers[0] == {"women": women, "dead": dead, "families": "|".join(families), "races": len(families), "mrns": len(families)}
    assert answers[1]["n"] == len(heights) and answers[1]["sum"] == pytest.approx(sum(heights)) and answers[1]["units"] == 1
    assert answers[2]["n"] == len(systolic) and answers[2]["sum"] == pytest.approx(sum(systolic))
    assert answers[3]["n"] == sum("encounter" in c for c in files["Condition"].values())
    assert answers[4]["n"] == 0


@needs_corpora
def test_notes_are_what_the_documents_hold(synthea):
    rows, files = synthea
    wanted = []
    for document in list(files["DocumentReference"].values()) + list(files["DiagnosticReport"].values()):
        attached = [c["attachment"] for c in document.get("content", [])] + document.get("presentedForm", [])
        wanted += [base64.b64decode(a["data"]).decode() for a in attached if a.get("data") and a["contentType"].startswith("text/plain")]
    told = [a["text"] for a in pool(rows, "SELECT text FROM note")]
    assert sorted(told) == sorted(wanted)


@needs_corpora
def test_taken_in_twice_it_is_there_once(synthea):
    rows, _ = synthea
    once, _ = counts(rows)
    rows_only = b"".join(line + b"\n" for line in rows.splitlines() if line.startswith(b'{"op"') or b'"op":' in line[:200])
    twice, compacted = counts(rows_only + rows_only, "compact", "SELECT count(*) AS n FROM measurement")
    assert once == twice
    assert compacted[0]["did"] is True
    assert compacted[1]["n"] == once["measurement"]["n"]


@pytest.fixture(scope="module")
def hospital(tmp_path_factory):
    out = tmp_path_factory.mktemp("hospital")
    subprocess.run([BUILD / "src/bin/cloister", "synth", "--out", out, "--patients", "30", "--seed", "7", "--format", "hl7,fhir,truth"], check=True, timeout=120,
                   capture_output=True)
    return out


def test_the_same_hospital_in_two_languages(hospital):
    hl7, _ = counts(landed("hl7", [hospital / "hl7" / "messages.mllp"]))
    fhir, _ = counts(landed("fhir", [f for f in sorted((hospital / "fhir").glob("*.ndjson")) if f.name != "bundles.ndjson"]))
    assert hl7["person"]["n"] == fhir["person"]["n"] == 30
    # what a feed tells only by message: HL7 has no drugs but vaccines here, and orders repeat diagnoses; visits and documents are the same ones
    assert hl7["visit"]["n"] == fhir["visit"]["n"]
    assert hl7["measurement"]["n"] > 0 and hl7["note"]["n"] > 0
    for told in (hl7, fhir):
        for view in ("person", "visit", "condition", "measurement", "note"):
            assert told[view]["n"] == told[view]["d"] == told[view]["p"]


def test_what_is_known_of_a_patient_is_told(hospital):
    """every name, number, phone and address that the truth of the hospital lists for a patient is among his identifiers"""
    people = [json.loads(line) for line in (hospital / "fhir" / "Patient.ndjson").read_text().splitlines()]
    rows = landed("fhir", [f for f in sorted((hospital / "fhir").glob("*.ndjson")) if f.name != "bundles.ndjson"])
    told = pool(rows, "cohort:SELECT patient FROM person", "identifiers")
    assert told[0] == {"patients": 30}
    known = collections.defaultdict(set)
    for line in told[1:]:
        known[line["patient"]].add((line["category"], line["value"]))
    by_mrn = {value: them for them in known.values() for category, value in them if category == "MRN"}
    for person in people:
        them = by_mrn[next(i["value"] for i in person["identifier"] if i["system"] == "urn:synthetic:mrn")]
        values = {v for _, v in them}
        for name in person["name"]:
            assert ("NAME", " ".join(name["given"] + [name["family"]])) in them
        for contact in person.get("contact", []):
            assert any(c == "NAME" and v.endswith(contact["name"]["family"]) for c, v in them)
        assert {t["value"] for t in person.get("telecom", [])} <= values
        assert {i["value"] for i in person["identifier"]} <= values
        assert ("DATE", person["birthDate"]) in them
        for address in person.get("address", []):
            assert ("ZIP", address["postalCode"]) in them and set(address["line"]) <= values
