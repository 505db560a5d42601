"""From landing to pool on a running house: every file, message, line and row is used, or quarantined with a reason and a place; nothing is lost and
nothing is there twice, also when the process that does it is killed again and again.

What should become of bytes says landed_tool (a program of the tests, the same library without a house): its ids have another key, but as many are different.
Reads ../shared/corpora (or CLOISTER_CORPORA); what is not there is left out. The people of the samples and of the corpora are invented.
"""

import collections
import contextlib
import json
import os
import pathlib
import re
import signal
import subprocess
import time

import pytest
from house import BUILD, CLI, House, Person, free_port, word
from mllp import Feed, adt, code
from sigv4 import Signer

CORPORA = pathlib.Path(os.environ.get("CLOISTER_CORPORA", pathlib.Path(__file__).resolve().parents[3] / "shared" / "corpora"))
TOOL = BUILD / "test" / "tools" / "landed_tool"
PATIENCE_S = 240
KILLS = int(os.environ.get("CLOISTER_KILLS", "6"))
SIDES = ("concept", "location", "person_contact")


class Expected:
    """what becomes of files, by the library alone"""

    def __init__(self):
        self.ids, self.refused, self.units = collections.defaultdict(set), collections.Counter(), 0
        self.places = collections.Counter()

    def add(self, form, *files, beside=()):
        done = subprocess.run([TOOL, form, *map(str, files), *beside], capture_output=True, timeout=300, check=True)
        waiting = []
        for line in done.stdout.splitlines():
            row = json.loads(line)
            if "op" in row:
                waiting.append(row)
            elif "unit" in row:
                self.units += 1
                if row["reason"]:
                    self.refused[row["reason"]] += 1
                    self.places[row["reason"], row["place"]] += 1
                else:
                    for w in waiting:
                        (self.ids[w["type"]].discard if w["op"] == "delete" else self.ids[w["type"]].add)(w["id"])
                waiting = []
        return self

    @property
    def resources(self):
        return {t: len(ids) for t, ids in self.ids.items() if ids}


def flow(house):
    return house.people["alice"].cli("flow")


def settled(house, at_least=1):
    """the flow when everything that landed has been taken in"""
    until = time.monotonic() + PATIENCE_S
    while True:
        f = flow(house)
        if f["landing"]["newest"] >= at_least and f["landing"]["done"] == f["landing"]["newest"]:
            return f
        assert time.monotonic() < until, f"not taken in: {f['landing']}\n{house.log_text()[-4000:]}"
        time.sleep(0.2)


def quarantined(house):
    """the records of what could not be used, each once: a job that was killed may have told the same again"""
    seen = {}
    for r in house.audit(act="ingest.quarantine"):
        seen[r["object"], r.get("part", 0), r["reason"], r.get("rule", "")] = r
    return list(seen.values())


def told(house, places):
    """the records of refusals are these, soon: the ledger's index follows its records by a moment"""
    until = time.monotonic() + 20
    while True:
        records = quarantined(house)
        got = collections.Counter((r["reason"], r.get("rule", "")) for r in records)
        if got == places or time.monotonic() > until:
            assert got == places
            return records
        time.sleep(0.2)


def drop(person, files, folder):
    """files as a feed puts them into the landing bucket; how many"""
    s3 = person.client()
    for f in files:
        name = re.sub(r"[^A-Za-z0-9._-]", "", f.name) if f.suffix == ".csv" else f"{word()}{f.suffix}"  # names carry no patient's name
        s3.put_object(Bucket="landing", Key=f"{person.name}/{folder}/{name}", Body=f.read_bytes())
    return len(files)


@pytest.fixture(scope="module")
def hospital(tmp_path_factory):
    out = tmp_path_factory.mktemp("hospital")
    subprocess.run([CLI, "synth", "--patients", "40", "--seed", "11", "--vitals-seconds", "5", "--out", out], check=True, capture_output=True, timeout=120)
    return out


@contextlib.contextmanager
def opened(**configuration):
    h = House(**configuration)
    try:
        h.init().start()
        h.add_everybody()
        yield h
        status = h.stop()
        assert status == 0, h.log_text()[-4000:]
        assert h.bugs() == []
    finally:
        h.release()


@pytest.fixture
def inn():
    with opened() as h:
        yield h


def beside(folder, files):
    """the side tables in the same drop"""
    return [f"{s}={folder / f.name}" for s in SIDES for f in files if f.stem.lower() == s]


def test_hospital(inn, hospital):
    """all forms of one hospital: counted type by type, then once more without a change, then once more in a new generation"""
    feed = inn.add("north", "feed", service=True)
    tables = sorted((hospital / "csv").glob("*.csv"))
    files = {"hl7": [hospital / "hl7/messages.mllp"], "fhir": [hospital / "fhir/bundles.ndjson"],
             "device": [hospital / "vitals/vitals.ndjson", hospital / "vitals/waveform.ndjson"], "table": tables}
    want = Expected()
    for form, some in files.items():
        want.add(form, *some, beside=beside(hospital / "csv", some) if form == "table" else ())
    assert not want.refused
    n = drop(feed, [f for some in files.values() for f in some], "drop1")
    got = settled(inn, n)
    assert got["pool"]["resources"] == want.resources
    assert got["pool"]["quarantined"] == {}
    assert quarantined(inn) == []

    drop(feed, [f for some in files.values() for f in some], "drop2")
    assert settled(inn, 2 * n)["pool"]["resources"] == want.resources

    generation = got["pool"]["generation"]
    inn.people["alice"].cli("pool", "rebuild")
    until = time.monotonic() + PATIENCE_S
    while (now := flow(inn))["pool"]["generation"] == generation:
        assert time.monotonic() < until, inn.log_text()[-4000:]
        time.sleep(0.2)
    assert now["pool"]["resources"] == want.resources
    assert now["landing"]["done"] == now["landing"]["newest"]


BAD = {
    "table": {
        "person.csv": b"person_id,gender_concept_id,year_of_birth\n1,8507,1980\n2,8507,19x0\n3,8532\n",
        "measurement.csv": b'measurement_id,person_id,measurement_concept_id,measurement_date,value_as_number\n'
                           b'1,1,3,2024-02-30,1\n2,1,3,2024-02-29,1\n3,1,3,2024-02-29,"x\n',
        "billing.csv": b"invoice,amount\n1,2\n",
        "concept_ancestor.csv": b"ancestor_concept_id,descendant_concept_id\n1,2\n",
    },
    "fhir": {
        "a.ndjson": b'{"resourceType":"Patient","id":"a"}\n{"resourceType":"Patent"}\nnonsense\n{"resourceType":"Observation","id":"o"}\n',
        "b.json": b'{"resourceType":"Bundle","type":"transaction","entry":['
                  b'{"resource":{"resourceType":"Patient"},"request":{"method":"PUT","url":"Patient/9"}}]}',
    },
    "hl7": {"c.hl7": b"MSH|^~\\&|A|B|C|D|20240101||ZZZ^Z01|1|P|2.5\rPID|1||7^^^H^MR\rMSH|^~\\&|A|B|C|D|20240101||ADT^A01|2|P|2.5\rPV1|1|I\r"},
    "device": {"d.ndjson": b'{"kind":"vitals","device":"d1","time":"yesterday","hr":1}\n{"kind":"hum","device":"d1"}\n'},
}


def test_refused_by_name(inn, tmp_path):
    """each reason comes back with its place: in the records, in the flow, and in nothing else"""
    feed = inn.add("north", "feed", service=True)
    want, n = Expected(), 0
    for form, some in BAD.items():
        files = []
        for name, body in some.items():
            files.append(tmp_path / name)
            files[-1].write_bytes(body)
            want.add(form, files[-1])
        n += drop(feed, files, "drop")
    feed.client().put_object(Bucket="landing", Key="north/drop/picture.bin", Body=b"\x89PNG\r\n\x1a\n" + bytes(100))
    feed.client().put_object(Bucket="landing", Key="north/drop/nothing.json", Body=b"")
    for reason in ("unknown-form", "empty"):
        want.refused[reason] += 1
        want.places[reason, ""] += 1
    got = settled(inn, n + 2)
    records = told(inn, want.places)
    assert got["pool"]["quarantined"] == dict(want.refused)
    assert got["pool"]["resources"] == want.resources
    assert {r["other"] for r in records} == {feed.id}
    line = next(r for r in records if r["reason"] == "bad-date" and r.get("rule") == "measurement-date")
    assert line["part"] == 2


CORPUS = [("hl7", "hl7v2/simhospital/docs/artifacts", "messages.out"), ("hl7", "hl7v2/ms-fhir-converter/data/SampleData/Hl7v2", "*.hl7"),
          ("fhir", "fhir/synthea-bundles", "*.json"), ("fhir", "fhir/bulk-10-patients", "*.ndjson"), ("table", "omop/synthea27nj-csv", "*.csv")]


@pytest.mark.parametrize("form, folder, pattern", CORPUS, ids=[c[1].split("/")[1] for c in CORPUS])
def test_corpora(inn, form, folder, pattern):
    files = sorted((CORPORA / folder).glob(pattern))
    if not files:
        pytest.skip(f"corpus {folder} is not here")
    feed = inn.add("north", "feed", service=True)
    want = Expected()
    for f in files:
        want.add(form, f, beside=beside(CORPORA / folder, files))
    if (CORPORA / folder / "log.ndjson") in files:
        assert want.refused["no-type"] > 0  # the exporter's own log is no resource
    n = drop(feed, files, "drop")
    got = settled(inn, n)
    assert got["pool"]["resources"] == want.resources
    assert got["pool"]["quarantined"] == dict(want.refused)
    told(inn, want.places)


def scrubs(house):
    """pids of jobs that run now"""
    found, todo = [], [house.process.pid]
    while todo:
        pid = todo.pop()
        with contextlib.suppress(OSError):
            if os.readlink(f"/proc/{pid}/exe").endswith("cloister-scrub"):
                found.append(pid)
            for task in os.listdir(f"/proc/{pid}/task"):
                todo += map(int, pathlib.Path(f"/proc/{pid}/task/{task}/children").read_text().split())
    return found


def test_killed_again_and_again(inn, hospital, tmp_path):
    """kill -9 at any moment of an ingest, while more lands: afterwards everything is there, once, and what was refused was told"""
    feed = inn.add("north", "feed", service=True)
    tables = sorted((hospital / "csv").glob("*.csv"))
    bad = tmp_path / "bad.ndjson"
    bad.write_bytes(b"".join(b'{"resourceType":"Patient","id":"k%d"}\n{"resourceType":"Patent"}\n' % i for i in range(200)))
    want = Expected()
    want.add("table", *tables, beside=beside(hospital / "csv", tables))
    want.add("hl7", hospital / "hl7/messages.mllp").add("fhir", hospital / "fhir/bundles.ndjson", bad)
    sources = [*tables, hospital / "hl7/messages.mllp", hospital / "fhir/bundles.ndjson", bad]
    landed, killed, rounds = 0, 0, 0
    until = time.monotonic() + PATIENCE_S
    while killed < KILLS:
        assert time.monotonic() < until, f"{killed} kills\n{inn.log_text()[-3000:]}"
        if landed < len(sources) or flow(inn)["landing"]["done"] == landed:
            at = landed % len(sources)
            rounds += at == len(sources) - 1
            landed += drop(feed, [sources[at]], f"drop{landed // len(sources)}")
        for pid in scrubs(inn):
            time.sleep(0.03 * (killed % 9))  # at another moment each time
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
                killed += 1
    for f in sources[landed % len(sources):]:
        landed += drop(feed, [f], f"drop{landed // len(sources)}")
    got = settled(inn, landed)
    assert got["pool"]["resources"] == want.resources
    assert {r["reason"] for r in quarantined(inn)} == {"unknown-type"}
    by_object = collections.Counter(r["object"] for r in quarantined(inn))
    assert set(by_object.values()) == {200}


def test_large_table(inn, tmp_path):
    """a table much larger than a segment: all of it, in memory that does not grow with it"""
    rows, text = 300_000, "x" * 200
    big = tmp_path / "note.csv"
    with big.open("w") as f:
        f.write("note_id,person_id,note_date,note_text\n")
        f.writelines(f"{i},{i % 1000},2024-01-01,{text}\n" for i in range(rows))
    feed = inn.add("north", "feed", service=True)
    drop(feed, [big], "drop")
    until, most = time.monotonic() + PATIENCE_S, 0
    while flow(inn)["landing"]["done"] < 1:
        assert time.monotonic() < until, inn.log_text()[-4000:]
        for pid in scrubs(inn):
            with contextlib.suppress(OSError, AttributeError):
                most = max(most, int(re.search(r"VmRSS:\s+(\d+)", pathlib.Path(f"/proc/{pid}/status").read_text()).group(1)))
    assert settled(inn)["pool"]["resources"] == {"DocumentReference": rows}
    assert most < 2 * 1024 * 1024, f"{most} KiB"


def test_one_authority(inn, tmp_path):
    """a ward's monitors and the EMR, two feeds of one authority: one patient, whatever PID-3 calls the authority; and his record number finds him"""
    feeds = {}
    for name in ("emr", "ward"):
        made = inn.people["admin"].cli("feed", "add", name, "--assigning-authority", "general-hospital", "--out", tmp_path / name)
        key = inn.people["admin"].cli("key", "create", name)
        feeds[name] = Person(inn, name, key["access_key"], key["secret"], id=made["id"])
    feeds["ward"].client().put_object(Bucket="landing", Key="ward/v.ndjson", Body=json.dumps(
        {"kind": "vitals", "device": "M-1", "sequence": 1, "time": "2026-01-02T03:04:05Z", "mrn": "SYNTHETIC-1", "hr": 80}).encode())
    feeds["emr"].client().put_object(Bucket="landing", Key="emr/a.hl7", Body=adt("M1"))
    got = settled(inn, 2)
    assert got["pool"]["patients"] == 1
    assert got["pool"]["resources"]["Patient"] == 1
    asked = tmp_path / "number"
    asked.touch(0o600)
    asked.write_text("SYNTHETIC-1\n")
    assert inn.people["paula"].cli("audit", "subject", "--mrn-file", asked) == []
    acts = [r["act"] for r in inn.audit(act="subject.")]
    assert acts.count("subject.accesses") == 1  # one patient, one token


def test_what_comes_past_intake_is_counted(inn):
    """by the ingest, since nobody looks into it before: by feed, used or quarantined, once however often the pool is made anew"""
    feed, other = inn.add("north", "feed", service=True), inn.add("south", "feed", service=True)

    def counts():
        return {x["name"]: (x.get("accepted", 0), x.get("refused", 0)) for x in flow(inn)["feeds"] if x["name"] in ("north", "south")}

    def become(**wanted):
        until = time.monotonic() + PATIENCE_S
        while counts() != wanted:
            assert time.monotonic() < until, (counts(), wanted, inn.log_text()[-2000:])
            time.sleep(0.1)

    def last(name):
        return next(x.get("last") for x in flow(inn)["feeds"] if x["name"] == name)

    assert counts() == {"north": (0, 0), "south": (0, 0)} and last("north") is None
    feed.client().put_object(Bucket="landing", Key="north/a.hl7", Body=adt("M1", "SYNTHETIC-1") + b"\r" + adt("M2", "SYNTHETIC-2"))
    feed.client().put_object(Bucket="landing", Key="north/b.bin", Body=bytes(100))
    become(north=(2, 1), south=(0, 0))
    assert re.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", last("north"))
    assert last("south") is None
    answer = Signer(inn, other).request("POST", "/fhir", json.dumps({"resourceType": "Patient", "id": "p1", "gender": "female"}).encode(),
                                        headers={"Content-Type": "application/fhir+json"})
    assert answer.status == 200, answer
    was = last("north")
    become(north=(2, 1), south=(1, 0))
    assert last("north") == was <= last("south")
    inn.people["alice"].cli("pool", "rebuild")
    assert settled(inn)["pool"]["generation"] == 2 and counts() == {"north": (2, 1), "south": (1, 0)}
    feed.client().put_object(Bucket="landing", Key="north/a.hl7", Body=adt("M3", "SYNTHETIC-3"))
    become(north=(3, 1), south=(1, 0))
    assert last("north") > was


def test_from_the_wire():
    """what intake has acknowledged is in the pool: every message, and each patient once"""
    port = free_port()
    with opened(intake={"mllp": [f"127.0.0.1:{port}"]}) as h:
        sender = Feed(h, "ward-" + word(), port)
        with sender.connect() as s:
            for i in range(50):
                assert code(s.send(adt(f"M{i}", f"SYNTHETIC-{i % 10}"))) == ("AA", f"M{i}")
        got = settled(h)
        until = time.monotonic() + PATIENCE_S
        while got["pool"]["resources"].get("MessageHeader", 0) < 50 and time.monotonic() < until:
            got = settled(h)  # they come in several segments, and the steward looks four times a second
        assert got["pool"]["resources"]["MessageHeader"] == 50
        assert got["pool"]["resources"]["Patient"] == 10
        assert got["pool"]["patients"] == 10
        while [x.get("accepted") for x in flow(h)["feeds"] if x["name"] == sender.name] != [50]:  # intake tells it, and the ingest not again
            assert time.monotonic() < until
            time.sleep(0.1)
