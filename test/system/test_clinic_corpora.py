"""Real HL7 messages through the mapping: every one accounted for, and compared with what a production converter made of them.

Reads the corpora of doc/clinic-mapping.md beside the checkout (../shared/corpora, or CLOISTER_CORPORA); skips without them.
"""

import collections
import decimal
import json
import os
import pathlib
import re
import subprocess

import pytest

TOP = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("CLOISTER_BUILD", TOP / "build"))
TOOL = BUILD / "test" / "tools" / "hl7_tool"
CORPORA = pathlib.Path(os.environ.get("CLOISTER_CORPORA", TOP.parent / "shared" / "corpora"))

REASONS = {"unsupported-type", "unsupported-event", "no-patient", "no-merge", "no-main-segment"}


def corpus(name):
    path = CORPORA / name
    if not path.exists():
        pytest.skip(f"corpus {name} is not here ({path})")
    return path


def run(*args, stdin=b""):
    p = subprocess.run([TOOL, *map(str, args)], input=stdin, capture_output=True, timeout=300)
    assert p.returncode == 0, p.stderr
    return [json.loads(line, parse_float=decimal.Decimal) for line in p.stdout.splitlines()]


def simhospital():
    raw = (corpus("hl7v2/simhospital") / "docs" / "artifacts" / "messages.out").read_bytes()
    return [m for m in raw.split(b"\n\n") if m.strip()]


def frame(message):
    return b"\x0b" + message + b"\x1c\r"


def check_bundle(bundle):
    """what must hold for every bundle: ids unique, references lead to an entry, no empty element, requests fit"""
    assert bundle["type"] == "transaction"
    names = [f'{e["resource"]["resourceType"]}/{e["resource"]["id"]}' for e in bundle["entry"]]
    assert len(set(names)) == len(names)
    assert [e["request"]["url"] for e in bundle["entry"]] == names
    stack = [bundle]
    while stack:
        x = stack.pop()
        assert x not in ({}, [], ""), "FHIR has no empty elements"
        if isinstance(x, dict):
            if isinstance(x.get("reference"), str):
                assert x["reference"] in names
            stack += x.values()
        elif isinstance(x, list):
            stack += x
    return names


def account(lines):
    """each message: not parsed with a place, not mapped with a known reason, or a bundle"""
    count = collections.Counter()
    for line in lines:
        if line["parse"] != "ok":
            assert line["place"]
            count[line["parse"]] += 1
        elif line["map"] != "ok":
            assert line["map"] in REASONS and "bundle" not in line
            count[line["map"]] += 1
        else:
            check_bundle(line["bundle"])
            count["mapped"] += 1
    return count


def test_every_message_of_simhospital_is_mapped():
    messages = simhospital()
    *lines, end = run("-", stdin=b"".join(map(frame, messages)))
    assert end == {"frames": len(messages), "broken": 0, "junk": 0, "pending": 0}
    assert len(messages) == 1013
    assert account(lines) == {"mapped": 1013}
    # nothing but these notes: the corpus has three fields without a target, and codes of its own
    kinds = collections.Counter(n.split()[0] for line in lines for n in line["notes"])
    print(dict(kinds))
    assert set(kinds) <= {"zone-assumed", "unknown-code", "unmapped-field", "unknown-type", "unstable-id"}
    # every OBX outside a document is an observation, every text of it is there
    for message, line in zip(messages, lines):
        types = collections.Counter(e["resource"]["resourceType"] for e in line["bundle"]["entry"])
        segments = collections.Counter(s[:3] for s in message.replace(b"\n", b"\r").split(b"\r"))
        if line["event"] == "ORU_R01":
            assert types["Observation"] == segments[b"OBX"] and types["DiagnosticReport"] == segments[b"OBR"]
        assert types["AllergyIntolerance"] == segments[b"AL1"]


def test_the_same_message_with_other_line_ends_gives_the_same_bundle():
    one = simhospital()[5].replace(b"\n", b"\r").strip(b"\r")
    made = [run("-", stdin=frame(one.replace(b"\r", end)))[0] for end in (b"\r", b"\n", b"\r\n")]
    assert made[0] == made[1] == made[2] and made[0]["map"] == "ok"


def test_a_patient_has_one_id_in_all_messages():
    ids = collections.defaultdict(set)
    *lines, _ = run("-", stdin=b"".join(map(frame, simhospital())))
    for line in lines:
        for e in line["bundle"]["entry"]:
            r = e["resource"]
            if r["resourceType"] == "Patient":
                mrn = [i["value"] for i in r["identifier"] if i.get("type", {}).get("coding", [{}])[0].get("code") == "MRN"]
                if mrn:
                    ids[mrn[0]].add(r["id"])
    assert len(ids) > 50 and all(len(v) == 1 for v in ids.values())
    assert len({i for v in ids.values() for i in v}) == len(ids)


def test_every_message_of_the_converter_is_accounted_for():
    files = sorted((corpus("hl7v2/ms-fhir-converter") / "data").rglob("*.hl7"))
    lines = run(*files)
    assert len(lines) == len(files) == 139
    count = account(lines)
    print(dict(count))
    # RDE, RDS, DFT, BAR, REF, OUL, PPR have no map here, nor do ADT A41 and A45
    assert count == {"mapped": 106, "unsupported-type": 29, "unsupported-event": 4}


# ---- the pairs ----

SKIP = {"extension", "id", "meta", "resourceType", "text.div"}
LOCAL = re.compile(r"^_")


def value(path, v):
    if path.endswith("reference"):
        return str(v).split("/")[0]
    if isinstance(v, bool):
        return v
    if isinstance(v, (int, decimal.Decimal)):
        return decimal.Decimal(v).normalize()
    if isinstance(v, str):
        v = re.sub(r"\+00:00$", "Z", v)
    return v


def leaves(resource):
    found = collections.Counter()
    stack = [("", resource)]
    while stack:
        path, x = stack.pop()
        if isinstance(x, dict):
            stack += [(f"{path}.{k}", v) for k, v in x.items() if k not in SKIP and not LOCAL.match(k)]
        elif isinstance(x, list):
            stack += [(path, v) for v in x]
        else:
            found[path, value(path, x)] += 1
    return found


def pair_up(theirs, ours):
    """each of theirs with the one of ours that is most like it"""
    left = list(ours)
    for t in theirs:
        best = max(left, key=lambda o: sum((t & o).values()), default=collections.Counter())
        if best in left:
            left.remove(best)
        yield t, best


def compare():
    folder = corpus("hl7v2-fhir-pairs")
    files = [f for f in sorted(folder.glob("*.hl7")) if "FHIR_to_HL7" not in f.name]
    total, same, missing = collections.Counter(), collections.Counter(), collections.Counter()
    for f, line in zip(files, run(*files)):
        if line.get("map") != "ok":
            continue
        bundle = json.loads(f.with_suffix(".fhir").read_text(), parse_float=decimal.Decimal)
        for kind in FLOORS:
            theirs = [leaves(e["resource"]) for e in bundle["entry"] if e["resource"]["resourceType"] == kind]
            ours = [leaves(e["resource"]) for e in line["bundle"]["entry"] if e["resource"]["resourceType"] == kind]
            for t, o in pair_up(theirs, ours):
                total[kind] += sum(t.values())
                same[kind] += sum((t & o).values())
                for (path, v), n in (t - o).items():
                    missing[kind, path] += n
    return total, same, missing


# the share of their values that ours has too; doc/clinic-mapping.md explains the rest
FLOORS = {"Patient": 0.87, "Encounter": 0.92, "Observation": 0.985, "DiagnosticReport": 0.89}


def test_agreement_with_a_production_converter():
    total, same, missing = compare()
    for kind, floor in FLOORS.items():
        share = same[kind] / total[kind]
        print(f"{kind}: {same[kind]} of {total[kind]} values agree, {share:.1%}")
        for (k, path), n in missing.most_common():
            if k == kind and n > 1:
                print(f"    {n} {path}")
        assert share >= floor, kind


def test_what_is_mapped_is_accepted_as_fhir(tmp_path):
    *lines, _ = run("-", stdin=b"".join(map(frame, simhospital()[:100])))
    names = []
    for i, line in enumerate(lines):
        names.append(tmp_path / f"{i}.json")
        names[-1].write_text(json.dumps(line["bundle"], default=str))
    for name, line, read in zip(names, lines, run("--fhir", *names)):
        assert read["fhir"] == "ok" and read["count"] == len(line["bundle"]["entry"]), name


def test_real_fhir_bundles_are_accepted():
    files = sorted(corpus("fhir/synthea-bundles").rglob("*.json"))
    assert files
    for name, read in zip(files, run("--fhir", *files)):
        assert read["fhir"] == "ok" and read["count"] > 0, name
