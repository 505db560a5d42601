"""Who saw this patient's data? From a feed's document over a release to the table that a privacy officer reads; the record number is nowhere on the way."""

import datetime
import json
import subprocess
import time

import pytest
from house import CLI, word

MRN = "ZQ-55708443"
WITHIN_S = 60


@pytest.fixture(scope="module")
def story(house, tmp_path_factory):
    """a house with three patients in its pool, one release of them for bob's study"""
    top = tmp_path_factory.mktemp("story")
    for name, role in (("pia", "principal-investigator"), ("ira", "irb-member"), ("ivo", "it-reviewer"), ("mona", "management-reviewer"),
                       ("rex", "research-reviewer")):
        if name not in house.people:
            house.add(name, role)
    feed = "story-" + word()
    house.people["admin"].cli("feed", "add", feed, "--out", str(top / feed))
    entries = [{"fullUrl": f"urn:uuid:00000000-0000-4000-8000-{n:012x}", "request": {"method": "PUT", "url": f"Patient/p{n}"}, "resource": {
        "resourceType": "Patient", "id": f"p{n}", "gender": "female", "birthDate": "1960-01-01",
        "identifier": [{"type": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": "MR"}]},
                        "system": "urn:synthetic:mrn", "value": MRN if n == 0 else f"ZQ-{n}"}]}} for n in range(30)]
    body = top / "bundle"
    body.write_text(json.dumps({"resourceType": "Bundle", "type": "transaction", "entry": entries}))
    subprocess.run(["curl", "-sSf", "--cacert", str(house.ca), "--cert", str(top / f"{feed}.pem"), "--key", str(top / f"{feed}.key"), "-o", "/dev/null",
                    "-H", "Content-Type: application/fhir+json", "--data-binary", f"@{body}", f"{house.url}/fhir"], check=True, timeout=60)
    until = time.monotonic() + WITHIN_S
    while house.people["admin"].cli("flow")["pool"].get("patients", 0) < 30:
        assert time.monotonic() < until, house.people["admin"].cli("flow")
        time.sleep(0.2)
    protocol = "P-" + word().upper()
    house.people["pia"].cli("study", "add", "--title", "Story", "--protocol", protocol, "--profile", "safe-harbor", "--cohort", "SELECT patient FROM person",
                            "--person", "bob")
    body.write_text("approved")
    house.people["ira"].cli("study", "basis", protocol, "--kind", "irb-approval", "--board", "IRB 3", "--number", "1", "--document", body, "--expires",
                            (datetime.date.today() + datetime.timedelta(days=400)).isoformat())
    for who, review in (("ivo", "it"), ("mona", "management"), ("rex", "research"), ("sam", "security")):
        house.people[who].cli("study", "sign", protocol, "--review", review)
    release = house.people["bob"].cli("release", "make", protocol)
    number = top / "mrn"
    number.write_text(MRN)
    number.chmod(0o600)
    return {"number": number, "release": release, "study": house.people["pia"].cli("study", "show", protocol), "protocol": protocol}


def test_a_release_is_made(story):
    assert story["release"]["state"] == "ready" and story["release"]["patients"] >= 30


def test_the_table_says_who_and_why(house, story):
    rows = house.people["paula"].cli("audit", "subject", "--mrn-file", story["number"])
    mine = [r for r in rows if r["release"] == story["release"]["id"] and r["act"] == "release.subject"]
    assert len(mine) == 1
    assert mine[0]["who"] == "bob" and mine[0]["address"] and mine[0]["study"] == story["study"]["id"]
    assert mine[0]["basis"] == story["study"]["basis"]["id"] and mine[0]["record"] > 0 and mine[0]["at"]
    assert [r["record"] for r in rows] == sorted(r["record"] for r in rows)
    text = subprocess.run([str(CLI), "audit", "subject", "--mrn-file", story["number"], "--state", house.state, "--credentials",
                           house.people["paula"].credentials], capture_output=True, text=True, check=True, timeout=60).stdout
    assert "WHEN" in text and "BASIS" in text and "bob" in text


def test_nothing_was_disclosed(house, story):
    assert house.people["paula"].cli("audit", "disclosures", "--mrn-file", story["number"]) == []


def test_the_number_is_nowhere(house, story):
    """not in the ledger, the log, or the answer of a job"""
    assert all(MRN not in json.dumps(r) for r in house.audit())
    assert MRN not in house.log_text()


def test_only_a_privacy_officer_asks(house, story):
    for who in ("bob", "admin", "sam", "pia"):
        done = subprocess.run([str(CLI), "audit", "subject", "--mrn-file", story["number"], "--state", house.state, "--credentials",
                               house.people[who].credentials], capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 5, (who, done.stderr)


def test_counting(house, story):
    told = house.people["bob"].cli("study", "count", story["protocol"])
    assert told["patients"] >= 30
