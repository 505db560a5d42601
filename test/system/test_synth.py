"""The synthetic hospital, read by programs that are not ours: Python's json and csv, and an HL7 parser where one is installed."""

import base64
import collections
import csv
import hashlib
import json
import os
import pathlib
import subprocess

import pytest

BUILD = pathlib.Path(os.environ.get("CLOISTER_BUILD", pathlib.Path(__file__).resolve().parents[2] / "build"))
TOOL = BUILD / "src" / "bin" / "cloister"
PATIENTS = 60


def synth(*args, status=0):
    p = subprocess.run([TOOL, "synth", *map(str, args)], capture_output=True, timeout=120)
    assert p.returncode == status, p.stderr
    return p.stdout


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    out = tmp_path_factory.mktemp("synth")
    told = json.loads(synth("--patients", PATIENTS, "--seed", 4, "--vitals-seconds", 2, "--out", out, "--json"))
    assert told["synthetic"] and told["patients"] == PATIENTS
    return out


def digests(folder):
    return {str(f.relative_to(folder)): hashlib.sha256(f.read_bytes()).hexdigest() for f in sorted(folder.rglob("*")) if f.is_file()}


def messages_of(raw):
    return [m for m in raw.split(b"\x0b") if m]


def test_the_same_seed_gives_the_same_files(made, tmp_path):
    synth("--patients", PATIENTS, "--seed", 4, "--vitals-seconds", 2, "--out", tmp_path)
    assert digests(tmp_path) == digests(made)
    other = tmp_path / "other"
    synth("--patients", PATIENTS, "--seed", 5, "--vitals-seconds", 2, "--out", other)
    assert digests(other)["hl7/messages.mllp"] != digests(made)["hl7/messages.mllp"]


def test_every_line_of_the_truth_points_at_its_text(made):
    files, notes = {}, {}
    seen = collections.Counter()
    with open(made / "truth.ndjson", encoding="utf-8") as lines:
        for line in lines:
            t = json.loads(line)
            raw = files.setdefault(t["file"], (made / t["file"]).read_bytes())
            there = raw[t["offset"] : t["offset"] + t["bytes"]]
            if "base64_offset" in t:
                at = (t["file"], t["offset"])
                if at not in notes:
                    notes[at] = base64.b64decode(there, validate=True)
                there = notes[at][t["base64_offset"] : t["base64_offset"] + t["base64_bytes"]]
            assert there == t["text"].encode(), t
            seen[t["category"]] += 1
    assert len(seen) == 19  # the 18 kinds of identifiers, and decoys


def test_each_message_is_framed_and_order_by_time_changes_only_the_order(made, tmp_path):
    by_patient = messages_of((made / "hl7" / "messages.mllp").read_bytes())
    assert all(m.startswith(b"MSH|^~\\&|") and m.endswith(b"\r\x1c\r") for m in by_patient)
    synth("--patients", PATIENTS, "--seed", 4, "--format", "hl7", "--order", "time", "--out", tmp_path)
    by_time = messages_of((tmp_path / "hl7" / "messages.mllp").read_bytes())
    assert sorted(by_time) == sorted(by_patient) and by_time != by_patient
    times = [m.split(b"|")[6] for m in by_time]
    assert times == sorted(times)
    synth("--patients", PATIENTS, "--seed", 4, "--format", "hl7", "--hl7", "files", "--out", tmp_path / "files")
    assert len(list((tmp_path / "files" / "hl7").iterdir())) == len(by_time)


def test_an_hl7_parser_reads_every_message(made):
    hl7 = pytest.importorskip("hl7", reason="the Python package hl7 is not installed")
    kinds = collections.Counter()
    ids = set()
    for raw in messages_of((made / "hl7" / "messages.mllp").read_bytes()):
        m = hl7.parse(raw[:-2].decode())
        kinds[str(m.segment("MSH")[9])] += 1
        ids.add(str(m.segment("MSH")[10]))
        pid = m.segment("PID")
        assert len(str(pid[3][0][0])) in (8, 9) and len(str(pid[7])) == 8
    assert len(ids) == sum(kinds.values()) and len(kinds) >= 12


def test_tables_have_their_columns_and_keys_lead_somewhere(made):
    tables = {}
    for f in (made / "csv").iterdir():
        with open(f, newline="", encoding="utf-8") as lines:
            rows = list(csv.reader(lines, strict=True))
        assert all(len(r) == len(rows[0]) for r in rows), f.name
        keys = [r[0] for r in rows[1:]]
        assert len(set(keys)) == len(keys), f.name
        tables[f.stem] = [dict(zip(rows[0], r, strict=True)) for r in rows[1:]]
    people = {r["person_id"] for r in tables["person"]}
    visits = {r["visit_occurrence_id"] for r in tables["visit_occurrence"]}
    assert len(people) == PATIENTS
    for name, rows in tables.items():
        for r in rows:
            assert r.get("person_id", "1") in people
            assert not r.get("visit_occurrence_id") or r["visit_occurrence_id"] in visits, name


def test_resources_by_type_refer_to_each_other(made):
    ids, references = set(), set()

    def collect(v):
        if isinstance(v, dict):
            if isinstance(v.get("reference"), str):
                references.add(v["reference"])
            v = list(v.values())
        if isinstance(v, list):
            for w in v:
                collect(w)

    for f in (made / "fhir").iterdir():
        with open(f, encoding="utf-8") as lines:
            for line in lines:
                r = json.loads(line)
                if r["resourceType"] == "Bundle":
                    continue
                assert r["resourceType"] == f.stem
                name = f"{f.stem}/{r['id']}"
                assert name not in ids
                ids.add(name)
                collect(r)
    assert references <= ids and len(references) > PATIENTS


def test_standard_output_and_wrong_command_lines(tmp_path):
    lines = synth("--patients", 3, "--format", "fhir", "--out", "-").splitlines()
    assert [json.loads(line)["type"] for line in lines] == ["transaction"] * 3
    for wrong in (["--patients", "0"], ["--years", "21"], ["--from", "2024-02-30"], ["--format", "xml"], ["--format", "truth"],
                  ["--seed", "-1"], ["--hl7", "tcp"], ["extra"], ["--unknown"]):
        synth("--out", tmp_path / "none", *wrong, status=2)
    synth("--patients", 3, status=2)
    synth("--out", "-", "--format", "csv", status=2)
    assert not (tmp_path / "none").exists()
    synth("--out", tmp_path / "none", "--names", tmp_path, status=6)
    assert b"--patients" in synth("--help")
