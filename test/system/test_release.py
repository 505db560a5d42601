"""From the pool to a data set, into a cell and out by the airlock, on a running house: nobody's identifiers in any file, who is in it on record, decisions
bound to bytes. The hospital is synthetic, and so is everybody in it."""

import datetime
import json
import os
import pathlib
import subprocess
import time

import pytest
from house import BUILD, CLI, House, word

TOOLS = pathlib.Path(os.environ.get("CLOISTER_CELL_TOOLS", BUILD / "cell-tools"))
CELLS = os.geteuid() == 0 and (TOOLS / "bin" / "python").exists()
PATIENCE_S = 300
PATIENTS = 60
FIRST_LOOK = "first-look.ipynb"  # lies in every new cell


@pytest.fixture(scope="module")
def hospital(tmp_path_factory):
    out = tmp_path_factory.mktemp("hospital")
    subprocess.run([CLI, "synth", "--patients", str(PATIENTS), "--seed", "21", "--format", "fhir,truth", "--out", out], check=True, capture_output=True,
                   timeout=120)
    return out


@pytest.fixture(scope="module")
def inn(hospital):
    h = House(**({"cells": {"tools": str(TOOLS), "memory_mib": 1024, "disk_mib": 256}} if CELLS else {}))
    try:
        h.init().start()
        h.add_everybody()
        feed = h.add("north", "feed", service=True)
        for name, role in (("pia", "principal-investigator"), ("ira", "irb-member"), ("ivo", "it-reviewer"), ("mona", "management-reviewer"),
                           ("rex", "research-reviewer"), ("oda", "output-checker"), ("olaf", "output-checker")):
            h.add(name, role)
        feed.client().put_object(Bucket="landing", Key=f"north/drop/{word()}.ndjson", Body=(hospital / "fhir/bundles.ndjson").read_bytes())
        until = time.monotonic() + PATIENCE_S
        while not ((f := h.people["alice"].cli("flow"))["landing"]["newest"] and f["landing"]["done"] == f["landing"]["newest"]):
            assert time.monotonic() < until, h.log_text()[-3000:]
            time.sleep(0.2)
        yield h
        assert h.stop() == 0, h.log_text()[-3000:]
        assert h.bugs() == []
    finally:
        h.release()


def approved(house, tmp_path, cohort="SELECT patient FROM person", profile="safe-harbor", tables=()):
    protocol = "P-" + word().upper()
    p = house.people
    words = [w for t in tables for w in ("--table", t)]
    p["pia"].cli("study", "add", "--title", "T", "--protocol", protocol, "--profile", profile, "--cohort", cohort, "--person", "bob", *words)
    letter = tmp_path / "letter"
    letter.write_text("approved")
    p["ira"].cli("study", "basis", protocol, "--kind", "irb-approval", "--board", "IRB 3", "--number", "26-1", "--document", letter, "--expires",
                 (datetime.date.today() + datetime.timedelta(days=90)).isoformat())
    for who, review in (("ivo", "it"), ("mona", "management"), ("rex", "research"), ("sam", "security")):
        p[who].cli("study", "sign", protocol, "--review", review, "--comment", "in order")
    return protocol


def released(house, study, who="pia"):
    """a release that is ready"""
    made = house.people[who].cli("release", "make", study)
    until = time.monotonic() + PATIENCE_S
    while (r := house.people[who].cli("release", "show", made.get("release") or made["id"]))["state"] == "making":
        assert time.monotonic() < until, house.log_text()[-3000:]
        time.sleep(0.2)
    return r


@pytest.fixture(scope="module")
def study(inn, tmp_path_factory):
    return approved(inn, tmp_path_factory.mktemp("letter"))


@pytest.fixture(scope="module")
def release(inn, study):
    r = released(inn, study)
    assert r["state"] == "ready", (r, inn.log_text()[-3000:])
    return r


def test_a_release_is_made(inn, release):
    assert release["patients"] == inn.people["alice"].cli("flow")["pool"]["patients"]
    assert release["rows"]["person"] == release["patients"] and release["rows"]["measurement"] > release["patients"]
    names = {f["name"] for f in release["files"]}
    assert {"manifest.json", "dictionary.csv", "parquet/person.parquet", "csv/note.csv"} <= names
    m = release["manifest"]
    assert m["profile"]["name"] == "safe-harbor" and len(m["profile"]["sha256"]) == 64 and m["rows"] == release["rows"]
    assert {f["name"]: f["sha256"] for f in m["files"]} == {f["name"]: f["sha256"] for f in release["files"] if f["name"] != "manifest.json"}


def test_who_is_in_it_is_on_record(inn, release):
    told = inn.audit(act="release.subject", object=release["id"])
    assert len({r["subject"] for r in told}) == len(told) == release["patients"]
    assert len(inn.audit(act="release.made", object=release["id"])) == 1


def test_the_next_version_says_what_is_new(inn, study, release, hospital):
    again = released(inn, study)
    assert again["state"] == "ready" and again["version"] == release["version"] + 1
    d = again["difference"]
    assert d["since"] == release["version"] and d["person"] == {"added": 0, "removed": 0, "changed": 0} and d["patients"] == {"added": 0, "removed": 0}


def test_small_cohorts_are_not_counted_exactly(inn, tmp_path):
    counted = {}
    for cohort in ("SELECT patient FROM person", "SELECT patient FROM person ORDER BY patient LIMIT 7", "SELECT patient FROM person WHERE false"):
        protocol = "P-" + word().upper()
        inn.people["pia"].cli("study", "add", "--title", "T", "--protocol", protocol, "--profile", "safe-harbor", "--cohort", cohort, "--person", "bob")
        counted[cohort[-7:]] = inn.people["pia"].cli("study", "count", protocol)["patients"]
    assert list(counted.values())[1:] == ["1-10", 0] and list(counted.values())[0] > 10


# ---- with a cell: into it, and out ----

NEEDS_CELLS = pytest.mark.skipif(not CELLS, reason="cells need root and the tools that ./run makes")


@pytest.fixture(scope="module")
def cell(inn, study, release):
    bob = inn.people["bob"]
    opened = bob.cli("cell", "open", study)
    until = time.monotonic() + PATIENCE_S
    while not (c := bob.cli("cell", "show", opened.get("cell") or opened["id"])).get("live", {}).get("staged"):
        assert time.monotonic() < until, (c, inn.log_text()[-3000:])
        time.sleep(0.3)
    return c["id"]


def sent_in(inn, cell, tmp_path, name, body):
    """an import: a request whose file has been checked"""
    path = tmp_path / name
    path.write_bytes(body)
    bob = inn.people["bob"]
    r = bob.cli("airlock", "submit", cell, "--import", path, "--context", "c", "--purpose", "p")
    return settled(bob, r.get("request") or r["id"])


def settled(person, request):
    until = time.monotonic() + PATIENCE_S
    while (r := person.cli("airlock", "show", request))["state"] in ("draft", "scanning", "releasing"):
        assert time.monotonic() < until, r
        time.sleep(0.2)
    return r


def decided(inn, r):
    for who in ("oda", "olaf"):
        inn.people[who].cli("airlock", "review", r["id"], "--decision", "approve", "--digest", r["digest"], "--comment", "fine")
    inn.people["bob"].cli("airlock", "release", r["id"])
    return settled(inn.people["bob"], r["id"])


@NEEDS_CELLS
def test_an_import_is_delivered(inn, cell, tmp_path):
    r = sent_in(inn, cell, tmp_path, "weights.csv", b"age,weight\n40,0.5\n50,0.75\n")
    assert r["state"] == "review" and r["files"][0]["type"] == "csv", r
    assert decided(inn, r)["state"] == "released"


@NEEDS_CELLS
def test_refused_files_never_reach_review(inn, cell, tmp_path):
    r = sent_in(inn, cell, tmp_path, "tool.zip", b"PK\x03\x04" + bytes(64))
    assert r["state"] == "blocked" and any(f["severity"] == "block" for f in r["files"][0]["findings"])


@NEEDS_CELLS
def test_a_name_of_the_cohort_is_found_in_a_file(inn, cell, hospital, tmp_path):
    """whose notes are in the release, and whose name is in the file"""
    names = {(t["patient"], t["text"]) for t in map(json.loads, (hospital / "truth.ndjson").open()) if t["category"] == "mrn" and t["whose"] == "patient"}
    mrn = sorted(t for _, t in names if len(t) == 8)[0]
    r = sent_in(inn, cell, tmp_path, "list.csv", f"a,b\n1.5,{mrn}\n".encode())
    assert r["state"] == "blocked" and [f["check"] for f in r["files"][0]["findings"]] == ["identifier"]
    assert mrn not in inn.log_text() and mrn not in json.dumps(inn.audit())


@NEEDS_CELLS
def test_a_file_comes_out_as_it_was_approved(inn, cell):
    bob = inn.people["bob"]
    r = bob.cli("airlock", "submit", cell, FIRST_LOOK, "--context", "c", "--purpose", "p", "--to", "Example Journal", "--address", "1 Main Street")
    r = settled(bob, r.get("request") or r["id"])
    assert r["state"] == "review" and r["files"][0]["type"] == "notebook", r
    assert decided(inn, r)["state"] == "released"


@NEEDS_CELLS
def test_what_is_not_there_blocks(inn, cell):
    bob = inn.people["bob"]
    r = bob.cli("airlock", "submit", cell, "nothing.csv", "--context", "c", "--purpose", "p", "--to", "Example Journal", "--address", "1 Main Street")
    r = settled(bob, r.get("request") or r["id"])
    assert r["state"] == "blocked" and [f["check"] for f in r["files"][0]["findings"]] == ["file-missing"]
