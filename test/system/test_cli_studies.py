"""Studies, the flow and subjects on the command line: what people type, what they are told, exit statuses."""

import datetime
import json
import subprocess

import pytest
from house import CLI, word

MRN = "ZZYZX-4711"


def run(house, person, *words, status=0):
    done = subprocess.run([str(CLI), *map(str, words), "--state", str(house.state), "--credentials", str(house.people[person].credentials)],
                          capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL, check=False)
    assert done.returncode == status, (words, done.returncode, done.stdout, done.stderr)
    return done.stdout if status == 0 else done.stderr


@pytest.fixture(scope="module")
def people(house):
    for name, role in (("pia", "principal-investigator"), ("ira", "irb-member"), ("ivo", "it-reviewer"), ("mona", "management-reviewer"),
                       ("rex", "research-reviewer")):
        if name not in house.people:
            house.add(name, role)
    return house


@pytest.fixture
def study(people):
    """a study's protocol"""
    protocol = "P-" + word().upper()
    run(people, "pia", "study", "add", "--title", "Sepsis and age", "--protocol", protocol, "--profile", "safe-harbor", "--cohort",
        "SELECT patient FROM person", "--person", "bob")
    return protocol


def approve(people, study, tmp_path):
    letter = tmp_path / "letter"
    letter.write_text("approved")
    run(people, "ira", "study", "basis", study, "--kind", "irb-approval", "--board", "IRB 3", "--number", "26-0417", "--document", letter,
        "--expires", (datetime.date.today() + datetime.timedelta(days=400)).isoformat())
    for who, review in (("ivo", "it"), ("mona", "management"), ("rex", "research"), ("sam", "security")):
        run(people, who, "study", "sign", study, "--review", review, "--comment", "in order")


def shown(people, who, study):
    return json.loads(run(people, who, "study", "show", study, "--json"))


def test_the_life_of_a_study(people, study, tmp_path):
    assert shown(people, "pia", study)["state"] == "draft"
    approve(people, study, tmp_path)
    s = shown(people, "pia", study)
    assert s["state"] == "approved" and s["valid"] and len(s["signatures"]) == 4
    assert shown(people, "pia", s["id"][:8])["id"] == s["id"]  # by the beginning of its id
    out = run(people, "bob", "study", "list")
    assert study in out and "approved" in out
    run(people, "pia", "study", "set", study, "--cohort", "SELECT patient FROM visit")
    assert not shown(people, "pia", study)["valid"]  # it was approved as it was
    run(people, "pia", "study", "close", study)
    assert shown(people, "pia", study)["state"] == "closed"


def test_a_signature_is_bound_to_what_was_read(people, study, tmp_path):
    read = shown(people, "pia", study)["digest"]
    run(people, "pia", "study", "set", study, "--cohort", "SELECT patient FROM visit")
    err = run(people, "ivo", "study", "sign", study, "--review", "it", "--digest", read, status=5)
    assert "look again" in err


def test_texts_come_from_files(people, tmp_path):
    cohort, protocol = tmp_path / "cohort.sql", "P-" + word().upper()
    cohort.write_text("SELECT patient FROM person WHERE gender = 'female'\n")
    run(people, "pia", "study", "add", "--title", "T", "--protocol", protocol, "--profile", "safe-harbor", "--cohort", f"@{cohort}")
    assert shown(people, "pia", protocol)["cohort"] == "SELECT patient FROM person WHERE gender = 'female'"
    err = run(people, "pia", "study", "add", "--title", "T", "--protocol", "x", "--profile", "safe-harbor", "--cohort", "@/nonexistent", status=6)
    assert "/nonexistent" in err


@pytest.mark.parametrize("words", [
    ["study", "add"], ["study", "show"], ["study", "sign", "P"], ["study", "basis", "P"], ["study", "set", "P"], ["release", "make"], ["cell", "run", "C"],
    ["airlock", "submit", "C"], ["airlock", "submit", "C", "f"], ["airlock", "review", "R"], ["airlock", "review", "R", "--decision", "approve"],
    ["airlock", "put", "R", "1"], ["job", "show"],
])
def test_what_is_missing_is_said(people, words):
    assert run(people, "pia", *words, status=2).startswith("cloister: ")


@pytest.mark.parametrize("words", [["study", "show", "P-NOBODY"], ["cell", "show", "00000000"], ["airlock", "show", "00000000000000000000000000000000"],
                                   ["job", "show", "00000000000000000000000000000000"], ["release", "show", "0" * 32]])
def test_what_is_not_there_is_said(people, words):
    assert run(people, "pia", *words, status=6)


def test_who_may_not(people, study):
    run(people, "bob", "study", "add", "--title", "T", "--protocol", "P", "--profile", "safe-harbor", "--cohort", "SELECT patient FROM person", status=5)
    run(people, "bob", "audit", "subject", "77", status=5)
    run(people, "bob", "pool", "rebuild", status=5)


def test_the_flow(people):
    flow = json.loads(run(people, "admin", "flow", "--json"))
    assert flow["records"] > 0 and "landing" in flow and "pool" in flow
    assert "records" in run(people, "admin", "flow")
    assert isinstance(json.loads(run(people, "admin", "feed", "list", "--json")), list)


def test_an_unknown_patient(people, tmp_path):
    """the number is nowhere: not in what is said, not in log or ledger"""
    number = tmp_path / "mrn"
    number.write_text(MRN + "\n")
    number.chmod(0o600)
    assert MRN not in run(people, "paula", "audit", "subject", "--mrn-file", number, status=6)
    assert MRN not in run(people, "paula", "audit", "disclosures", "--mrn-file", number, status=6)
    run(people, "paula", "audit", "subject", status=18)  # nobody to ask, and no file
    number.chmod(0o644)
    run(people, "paula", "audit", "subject", "--mrn-file", number, status=5)
    assert MRN not in people.log_text()
    found = people.audit(act="subject.find")
    assert found and all(MRN not in json.dumps(r) for r in people.audit())
