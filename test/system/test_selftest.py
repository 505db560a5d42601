"""`cloister selftest` on a house that is in use: everything is refused, and nothing is left behind.
And cells that must end: processes gone, volume unmounted."""

import datetime
import json
import os
import pathlib
import subprocess
import time

import pytest
from cell_house import processes_of
from house import BUILD, CLI, House, word

TOOLS = pathlib.Path(os.environ.get("CLOISTER_CELL_TOOLS", BUILD / "cell-tools"))
CELLS = os.geteuid() == 0 and (TOOLS / "bin" / "python").exists()
PATIENCE_S = 120
PEOPLE = (("pia", "principal-investigator"), ("ira", "irb-member"), ("ivo", "it-reviewer"), ("mona", "management-reviewer"), ("rex", "research-reviewer"))

NEEDS_CELLS = pytest.mark.skipif(not CELLS, reason="cells need root and the tools that ./run makes")


def until(what, why=lambda: ""):
    end = time.monotonic() + PATIENCE_S
    while not (got := what()):
        assert time.monotonic() < end, why()
        time.sleep(0.1)
    return got


@pytest.fixture(scope="module")
def inn(tmp_path_factory):
    """a house with a pool"""
    out = tmp_path_factory.mktemp("hospital")
    subprocess.run([CLI, "synth", "--patients", "20", "--seed", "21", "--format", "fhir", "--out", out], check=True, capture_output=True, timeout=120)
    h = House(**({"cells": {"tools": str(TOOLS.resolve()), "listen": "127.0.0.1:0", "memory_mib": 1024, "disk_mib": 256}} if CELLS else {}))
    try:
        h.init().start()
        h.add_everybody()
        feed = h.add("north", "feed", service=True)
        feed.client().put_object(Bucket="landing", Key=f"north/drop/{word()}.ndjson", Body=(out / "fhir/bundles.ndjson").read_bytes())
        until(lambda: (f := h.people["alice"].cli("flow")["landing"])["newest"] and f["done"] == f["newest"], h.log_text)
        yield h
        assert h.stop() == 0, h.log_text()[-3000:]
        assert h.bugs() == []
    finally:
        h.release()


def test_everything_is_refused_and_nothing_is_left(inn):
    admin, sam = inn.people["admin"], inn.people["sam"]
    before = inn.people["alice"].cli("flow")
    done = inn.run("selftest", "--state", inn.state, "--credentials", admin.credentials, "--json", status=None, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr + inn.log_text()[-2000:]
    told = {a["attack"]: a for a in json.loads(done.stdout)["attacks"]}
    assert [a for a in told.values() if a["outcome"] == "failed"] == []
    wanted = {"a feed lists what has landed", "a feed writes below another's name", "make a bucket named landing", "take a release without an approval",
              "record a basis that has expired", "take a release as an outsider", "take a release of a changed cohort"}
    if CELLS:
        wanted |= {"approve one's own request", "approve other bytes than these", "review it twice", "approve it as the administrator",
                   "fetch a file before the decision", "use a cell's ticket twice", "enter another's cell with one's own cookie",
                   "download a file from a cell", "out of a cell: connect by TCP", "out of a cell: open a disk or the memory",
                   "out of a cell: mount a file system", "out of a cell: see a neighbour"}
    assert {a for a in wanted if told.get(a, {}).get("outcome") != "refused"} == set(), told
    # it has gone again
    assert [u["name"] for u in admin.cli("user", "list") if u["name"].startswith("selftest-") and u["state"] != "revoked"] == []
    studies = [s for s in sam.cli("study", "list") if s["protocol"].startswith("selftest-")]
    assert {s["state"] for s in studies} == {"closed"}
    assert [c for c in sam.cli("cell", "list") if c["state"] == "open"] == []
    after = inn.people["alice"].cli("flow")
    assert (after["landing"], after["pool"], after["airlock"].get("review")) == (before["landing"], before["pool"], before["airlock"].get("review"))


def test_without_an_administrator_it_does_nothing(inn):
    done = inn.run("selftest", "--state", inn.state, "--credentials", inn.people["bob"].credentials, status=None, timeout=120)
    assert done.returncode != 0 and "administrator" in done.stderr


# ---- cells that must end ----


@pytest.fixture(scope="module")
def study(inn, tmp_path_factory):
    for name, role in (*PEOPLE, ("dave", "researcher")):
        inn.add(name, role)
    protocol, p = "P-" + word().upper(), inn.people
    letter = tmp_path_factory.mktemp("letter") / "letter"
    letter.write_text("approved")
    p["pia"].cli("study", "add", "--title", "T", "--protocol", protocol, "--profile", "safe-harbor", "--cohort", "SELECT patient FROM person",
                 "--person", "bob", "--person", "carol", "--table", "person")
    p["ira"].cli("study", "basis", protocol, "--kind", "irb-approval", "--board", "IRB 3", "--number", "26-1", "--document", letter, "--expires",
                 (datetime.date.today() + datetime.timedelta(days=90)).isoformat())
    for who, review in (("ivo", "it"), ("mona", "management"), ("rex", "research"), ("sam", "security")):
        p[who].cli("study", "sign", protocol, "--review", review, "--comment", "in order")
    p["bob"].cli("release", "make", protocol)
    return protocol


def traces(cell):
    """what the machine still has of a cell: processes of its user, mounts of its volume in any namespace"""
    user, found = 0x70000000 | int(cell[:8], 16) >> 4, []
    found += [f"process {p}" for p in processes_of(user)]
    for mounts in pathlib.Path("/proc").glob("[0-9]*/mountinfo"):
        try:
            found += [line for line in mounts.read_text().splitlines() if cell in line or f"user_id={user}" in line]
        except OSError:
            continue
    return found


def opened(inn, who, study):
    cell = inn.people[who].cli("cell", "open", study)
    cell = cell.get("cell") or cell["id"]
    until(lambda: inn.people[who].cli("cell", "show", cell)["live"].get("notebook"), inn.log_text)
    assert any(t.startswith("process") for t in traces(cell))
    return cell


def ended(inn, cell, reason):
    """torn down by the house itself, with one record that says why"""
    until(lambda: not traces(cell), lambda: traces(cell) + [inn.log_text()[-2000:]])
    said = [r for r in inn.audit(act="cell.close") if r.get("other") == cell and r.get("reason")]
    assert said and {r["reason"] for r in said} == {reason}


@NEEDS_CELLS
def test_whose_person_was_revoked(inn, study):
    cell = opened(inn, "carol", study)
    inn.people["admin"].cli("user", "revoke", "carol")
    ended(inn, cell, "not-in-study")


@NEEDS_CELLS
def test_whose_study_has_changed(inn, study):
    cell = opened(inn, "bob", study)
    inn.people["pia"].cli("study", "set", study, "--person", "dave")
    ended(inn, cell, "not-in-study")
    inn.people["pia"].cli("study", "set", study, "--person", "bob")
    for who, review in (("ivo", "it"), ("mona", "management"), ("rex", "research"), ("sam", "security")):
        inn.people[who].cli("study", "sign", study, "--review", review, "--comment", "in order")


@NEEDS_CELLS
def test_in_a_lock_down(inn, study):
    cell = opened(inn, "bob", study)
    inn.people["sam"].cli("lockdown")
    until(lambda: not traces(cell), lambda: traces(cell) + [inn.log_text()[-2000:]])
    for who in ("sam", "paula"):
        inn.run("lockdown", "--lift", "--state", inn.state, "--credentials", inn.people[who].credentials)
    assert {r.get("reason") for r in inn.audit(act="cell.close") if r.get("other") == cell} - {None} == {"lockdown"}
