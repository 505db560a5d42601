"""What the fixture server answers with: one hospital's week, invented. All people in it are synthetic, and so is every number."""

import base64
import datetime
import hashlib
import json
import pathlib
import struct
import sys
import zlib

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "decoder"))
import tlog_verify  # noqa: E402

NOW = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)


def at(**before):
    return (NOW - datetime.timedelta(**before)).isoformat().replace("+00:00", "Z")


def ident(text):
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def digest(data):
    return hashlib.sha256(data if isinstance(data, bytes) else data.encode()).hexdigest()


PEOPLE = {name: {"id": ident("person " + name), "name": name, "display": display, "kind": "person", "state": "active", "login": True, "roles": roles.split(),
                 "created": at(days=90 - i)}
          for i, (name, display, roles) in enumerate([
              ("adam", "Adam Sample", "administrator"), ("sam", "Sam Sample", "security-officer"), ("paula", "Paula Sample", "privacy-officer"),
              ("audrey", "Audrey Sample", "auditor"), ("dana", "Dana Sample", "data-steward"), ("pia", "Pia Sample", "principal-investigator"),
              ("rolf", "Rolf Sample", "researcher"), ("ruth", "Ruth Sample", "researcher"), ("olga", "Olga Sample", "output-checker"),
              ("otto", "Otto Sample", "output-checker"), ("ivo", "Ivo Sample", "it-reviewer"), ("mona", "Mona Sample", "management-reviewer"),
              ("rhea", "Rhea Sample", "research-reviewer"), ("ines", "Ines Sample", "irb-member")])}

COHORT = """SELECT DISTINCT c.patient
FROM condition c
JOIN visit v ON v.patient = c.patient
WHERE c.code IN ('A41.9', 'R65.20', 'R65.21')
  AND v.class = 'IMP'
  AND v.start >= TIMESTAMP '2024-01-01'"""


def basis(number, days):
    return {"id": ident(number), "kind": "irb-approval", "board": "Institutional review board of the synthetic hospital", "number": number,
            "document_sha256": digest(number), "expires": (NOW + datetime.timedelta(days=days)).date().isoformat(), "recorded_by": "ines", "recorded": at(days=40)}


def study(title, protocol, state, signed, based, **more):
    s = {"id": ident(title), "title": title, "protocol": protocol, "profile": "safe-harbor", "state": state, "valid": state == "approved", "pi": "pia",
         "description": "", "people": ["rolf", "ruth"], "cohort": COHORT, "tables": ["person", "visit", "condition", "measurement"], "basis": based,
         "digest": digest(title), "created": at(days=41), "releases": 0, "offer": False} | more
    who = {"it": "ivo", "management": "mona", "research": "rhea", "security": "sam"}
    s["signatures"] = [{"review": r, "who": who[r], "decision": "sign", "at": at(days=30 - i), "digest": s["digest"],
                        "comment": "The tables fit the question." if r == "research" else ""} for i, r in enumerate(signed)]
    s["missing"] = (["basis"] if not based else []) + [r for r in who if r not in signed]
    return s


def studies():
    return [
        study("Early warning of sepsis from routine vital signs", "IRB-2026-0142", "approved", ["it", "management", "research", "security"], basis("IRB-2026-0142", 41),
              releases=2, offer=True, description="Do vital signs of the first 24 hours tell who becomes septic, earlier than the score in use?"),
        study("Anticoagulants and bleeding after hip fracture", "IRB-2026-0177", "review", ["it", "management", "research"], basis("IRB-2026-0177", 320), profile="limited-data-set"),
        study("Sleep apnoea in heart failure", "IRB-2026-0181", "review", ["it"], basis("IRB-2026-0181", 350)),
        study("Readmission after stroke", "IRB-2026-0190", "draft", [], None, people=[]),
    ]


def releases(study_id):
    def files(n):
        return [{"name": f"parquet/{t}.parquet", "size": size, "sha256": digest(t + str(n))} for t, size in
                (("person", 88_120), ("visit", 301_552), ("condition", 610_204), ("measurement", 9_811_043))] + \
               [{"name": "dictionary.csv", "size": 9_204, "sha256": digest(f"dictionary {n}")}, {"name": "manifest.json", "size": 4_120, "sha256": digest(f"manifest {n}")}]
    rows = [{"person": 1_204, "visit": 3_911, "condition": 8_102, "measurement": 418_220}, {"person": 1_311, "visit": 4_260, "condition": 8_840, "measurement": 455_871}]
    return [{"id": ident(f"{study_id} release {n + 1}"), "study": study_id, "version": n + 1, "state": "ready", "made": at(days=12 - 9 * n), "made_by": "pia",
             "patients": rows[n]["person"], "rows": rows[n], "files": files(n), "manifest_sha256": digest(f"manifest {n}"), "profile": "safe-harbor", "pool": 4_000 + 700 * n,
             "difference": None if n == 0 else {"since": 1, "person": {"added": 112, "removed": 5, "changed": 31}, "visit": {"added": 352, "removed": 3, "changed": 12},
                                                 "condition": {"added": 741, "removed": 3, "changed": 0}, "measurement": {"added": 37_900, "removed": 249, "changed": 88}},
             "manifest": {"format": 1, "profile": "safe-harbor", "patients": rows[n]["person"], "files": files(n)}} for n in range(2)]


def cell(study_id, release_id):
    return {"id": ident("cell"), "study": study_id, "release": release_id, "who": "rolf", "state": "open", "opened": at(hours=5), "expires": at(hours=-7),
            "limits": {"memory_mib": 8192, "cpus": 4, "processes": 512, "disk_mib": 20480, "minutes": 720},
            "usable": True, "live": {"open": True, "staged": True, "notebook": True, "memory_bytes": 3_221_225_472, "processes": 41, "disk_bytes": 5_100_000_000, "refused": {"dns": 14, "tcp": 6, "udp": 0, "mount": 0},
                     "workers": [{"id": ident("worker"), "running": True, "started": at(minutes=12)}, {"id": ident("worker 2"), "running": False, "exit_status": 0, "started": at(hours=2), "ended": at(hours=1)}], "used": at(minutes=1)}}


def chart():
    """a PNG of 640 x 380: two survival curves on axes"""
    w, h = 640, 380
    rows = [[(255, 255, 255)] * w for _ in range(h)]
    for x in range(60, 610):
        rows[330][x] = (60, 70, 76)
    for y in range(30, 330):
        rows[y][60] = (60, 70, 76)
        if (330 - y) % 60 == 0:
            for x in range(61, 610):
                rows[y][x] = (228, 228, 224)
    for colour, steepness in (((28, 92, 166), 0.0016), ((168, 74, 18), 0.0034)):
        for x in range(61, 610):
            y = 30 + int(300 * (1 - (1 - steepness) ** ((x - 61) // 22 * 22)))
            for k in range(3):
                rows[min(329, y + k)][x] = colour
    raw = b"".join(b"\0" + bytes(c for p in row for c in p) for row in rows)

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", w, h, 8, 2, 0, 0, 0)) + chunk(b"IDAT", zlib.compress(raw, 9)) + chunk(b"IEND", b"")


TABLE = """characteristic,septic,not septic,p
Patients,218,1093,
"Age, median (IQR)","67 (55-78)","61 (47-73)",<0.001
Female,97 (44 %),540 (49 %),0.18
Lactate above 2 mmol/l,161 (74 %),203 (19 %),<0.001
Heart rate above 100/min,149 (68 %),311 (28 %),<0.001
Died within 30 days,41 (19 %),38 (3 %),<0.001
Moved to intensive care,88 (40 %),64 (6 %),<0.001
Readmitted within 30 days,17 (8 %),15 (1 %),<0.001
"""
MODEL = """Logistic regression, 1311 patients, 218 events

              coefficient   standard error   95 % interval
lactate             0.412            0.061   0.292 to 0.532
heart rate          0.018            0.004   0.010 to 0.026
temperature         0.204            0.071   0.065 to 0.343
age                 0.011            0.005   0.001 to 0.021

Area under the curve 0.87 (0.84 to 0.90), by ten-fold cross validation
"""
CONTENT = {"results/table1.csv": TABLE.encode(), "results/figure2.png": chart(), "results/model.txt": MODEL.encode()}


def request(name, cell_, state, files, findings=None, who="rolf", **more):
    listed = [{"n": n + 1, "name": f, "size": len(CONTENT[f]), "sha256": digest(CONTENT[f]), "type": {"csv": "text/csv", "png": "image/png", "txt": "text/plain"}[f[-3:]],
               "findings": (findings or {}).get(f, [])} for n, f in enumerate(files)]
    return {"id": ident("request " + name), "cell": cell_["id"], "study": cell_["study"], "direction": "out", "who": who, "state": state, "purpose": name,
            "context": "Counts above ten, made by work/table.py from release 2. The figure shows two survival curves, the model eleven coefficients.", "recipient": {"name": "Journal of Synthetic Medicine", "address": "1 Example Street, Springfield"},
            "files": listed, "reviews": [], "created": at(hours=4), "submitted": at(hours=3), "digest": digest("".join(f["sha256"] for f in listed)) if listed else ""} | more


def requests(cell_):
    findings = {"results/table1.csv": [{"check": "small-count", "severity": "warn", "place": "line 9, column 3", "count": 1}, {"check": "unrounded-counts", "severity": "note", "count": 6}],
                "results/figure2.png": [{"check": "image-needs-a-look", "severity": "note"}]}
    return [
        request("Table 1, figure 2 and the model of the manuscript", cell_, "review", ["results/table1.csv", "results/figure2.png", "results/model.txt"], findings),
        request("Model coefficients for the protocol's appendix", cell_, "consolidating", ["results/model.txt"], reviews=[
            {"who": "olga", "decision": "approve", "comment": "", "at": at(hours=2)}, {"who": "otto", "decision": "return", "comment": "Say how many events stand behind each row.", "at": at(hours=1)}]),
        request("Slides for the ward", cell_, "released", ["results/figure2.png"], decided=at(days=2), released=at(days=2), reviews=[
            {"who": "olga", "decision": "approve", "comment": "", "at": at(days=2)}, {"who": "otto", "decision": "approve", "comment": "", "at": at(days=2)}]),
        request("List of rare diagnoses", cell_, "blocked", ["results/table1.csv"], {"results/table1.csv": [{"check": "person-name", "severity": "block", "place": "line 4", "count": 3}]}),
    ]


def disclosures():
    return [{"id": ident("disclosure"), "at": at(days=2), "recipient": {"name": "Journal of Synthetic Medicine", "address": "1 Example Street, Springfield"},
             "description": "Counts and a figure made from diagnoses and laboratory results", "purpose": "Publication of research",
             "study": {"protocol": "IRB-2026-0142", "title": "Early warning of sepsis from routine vital signs", "criteria": "Inpatients since 2024 with sepsis",
                       "period": "2024 to 2026", "sponsor": "The synthetic hospital", "contact": "research office, +1 555 0100", "purpose": "An earlier warning", "data": "De-identified health information"}}]


def flow():
    return {"feeds": [
        {"name": "emr-adt", "kind": "feed", "state": "active", "accepted": 48_211, "duplicate": 12, "refused": 3, "last": at(seconds=1)},
        {"name": "emr-lab", "kind": "feed", "state": "active", "accepted": 203_918, "duplicate": 88, "refused": 9, "last": at(seconds=0)},
        {"name": "emr-fhir", "kind": "feed", "state": "active", "accepted": 9_120, "duplicate": 0, "refused": 1, "last": at(seconds=31)},
        {"name": "warehouse", "kind": "feed", "state": "active", "accepted": 412, "duplicate": 2, "refused": 0, "last": at(hours=9)},
        {"name": "letters", "kind": "clinician", "state": "active", "accepted": 1_033, "duplicate": 0, "refused": 0, "last": at(minutes=22)},
        {"name": "ward-7-monitors", "kind": "device", "state": "active", "accepted": 71_004, "duplicate": 0, "refused": 0, "last": at(seconds=2)},
        {"name": "old-laboratory", "kind": "feed", "state": "revoked"}],
        "landing": {"newest": 5_120, "done": 5_119},
        "pool": {"generation": 2, "resources": {"Observation": 1_204_882, "Encounter": 40_122, "Condition": 88_120, "MedicationRequest": 61_504, "Patient": 12_480, "Procedure": 20_331,
                                                "DocumentReference": 9_120}, "patients": 12_468, "quarantined": {"no-patient-id": 21, "bad-date": 9, "unknown-message": 4}},
        "studies": 4, "releases": 2, "cells": 1, "airlock": {"review": 1, "consolidating": 1, "released": 1, "blocked": 1}, "records": 0}


class Ledger:
    """a small log as the house keeps it: canonical records, RFC 6962 tree, signed head, proofs"""

    ORIGIN = "cloister.example/ledger"

    def __init__(self, acts):
        self.key = Ed25519PrivateKey.generate()
        public = b"\1" + self.key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        self.key_id = hashlib.sha256(self.ORIGIN.encode() + b"\n" + public).digest()[:4]
        self.vkey = f"{self.ORIGIN}+{self.key_id.hex()}+{base64.b64encode(public).decode()}"
        self.records = []
        for act in acts:
            self.add(**act)

    def add(self, **record):
        record = {"addr": "10.20.0.7", "n": len(self.records), "service": "warden", "time": at().replace("Z", ".000000Z")} | record
        self.records.append(tlog_verify.canonical(record))

    def checkpoint(self):
        root = tlog_verify.root_of([tlog_verify.leaf_hash(r) for r in self.records])
        body = f"{self.ORIGIN}\n{len(self.records)}\n{base64.b64encode(root).decode()}\n"
        signature = base64.b64encode(self.key_id + self.key.sign(body.encode())).decode()
        return root, f"{body}\n— {self.ORIGIN} {signature}\n"

    def head(self):
        root, text = self.checkpoint()
        return {"size": len(self.records), "root": base64.b64encode(root).decode(), "checkpoint": text}

    def proof(self, n):
        hashes, path, index = [tlog_verify.leaf_hash(r) for r in self.records], [], n
        while len(hashes) > 1:  # RFC 6962, 2.1.1, from the root down
            k = 1 << ((len(hashes) - 1).bit_length() - 1)
            if index < k:
                path.append(tlog_verify.root_of(hashes[k:]))
                hashes = hashes[:k]
            else:
                path.append(tlog_verify.root_of(hashes[:k]))
                hashes, index = hashes[k:], index - k
        lines = [base64.b64encode(h).decode() for h in reversed(path)]
        text = "\n".join(["c2sp.org/tlog-proof@v1", f"index {n}", *lines]) + "\n\n" + self.checkpoint()[1]
        return {"index": n, "proof": text, "record": self.records[n].decode()}


def ledger():
    acts = [("object.get", "rolf", "allow"), ("feed.receive", "dana", "allow"), ("study.sign", "sam", "allow"), ("object.get", "ruth", "deny"), ("airlock.review", "olga", "allow"),
            ("release.made", "pia", "allow"), ("audit.read", "audrey", "allow"), ("session.login", "rolf", "allow")]
    log = Ledger([])
    for i in range(1_187):
        act, who, decision = acts[i * 5 % len(acts)]
        record = {"act": act, "who": PEOPLE[who]["id"], "decision": decision, "time": at(seconds=(1_187 - i) * 37).replace("Z", ".482913Z"), "object": ident(str(i % 97))}
        log.add(**record, **({"reason": "no-rule"} if decision == "deny" else {}))
    return log


if __name__ == "__main__":
    print(json.dumps(studies()[0], indent=1))
