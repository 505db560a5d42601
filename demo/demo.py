"""The story of a house, told while it happens. ./run demo calls it.

A hospital sends: messages, documents, tables, bedside monitors. The house seals, records and maps them into the pool; a study under an IRB protocol gets a
de-identified release; a researcher works on it in a cell that has no way out; a result leaves by the airlock, as a recorded disclosure. At the end the
record is proved on a copy without the server, and every file is searched for what must not be there.
Run again on the same folder, the story goes on in the house that is there.
"""

import argparse
import contextlib
import json
import os
import pathlib
import random
import shutil
import signal
import string
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter

from botocore.exceptions import BotoCoreError, ClientError

import canary
from hospital import Broker, Fhir, Mllp, send_all, split_hl7, split_mllp
from house import CLI, PORTS, TOP, Bad, Bar, House, aside, chapter, free_port, good, paint, refused_well, tell
from notebook import Notebook

PEOPLE = (("ada", "data-steward", "keeps the pool"), ("pia", "principal-investigator", "leads the study"), ("ruth", "researcher", "works in it"),
          ("rolf", "researcher", "is in another one"), ("irene", "irb-member", "speaks for the IRB"), ("ivan", "it-reviewer", "reviews for IT"),
          ("mara", "management-reviewer", "reviews for the management"), ("remy", "research-reviewer", "reviews for research"),
          ("sam", "security-officer", "approves, and can lock the house"), ("paula", "privacy-officer", "answers for patients"),
          ("olga", "output-checker", "looks at what would leave"), ("oscar", "output-checker", "does too, without seeing what she says"),
          ("audrey", "auditor", "reads the record"))
FEEDS = (("emr", "feed", "HL7 v2 over MLLP, mutual TLS"), ("clinic-fhir", "feed", "FHIR bundles over HTTPS"), ("warehouse", "feed", "tables, by S3 PUT"),
         ("ward-monitors", "device", "bedside vital signs, polled from a broker outside"))
DIABETES = ("SELECT DISTINCT c.patient FROM condition c JOIN person p ON p.patient = c.patient "
            "WHERE (c.code LIKE 'E11%' OR c.code = '44054006') AND p.birth_date <= DATE '2008-01-01'")
ADULTS = "SELECT patient FROM person WHERE birth_date <= DATE '2008-01-01'"
HERE = pathlib.Path(__file__).resolve().parent


class Publisher(threading.Thread):
    """what the ward does while everybody else sends; if it fails, the story does"""

    def __init__(self, call, *args):
        super().__init__()
        self.call, self.args, self.failed = call, args, None

    def run(self):
        try:
            self.call(*self.args)
        except Exception as e:  # raised again where the story can tell it
            self.failed = e

    def finish(self):
        self.join()
        if self.failed:
            raise self.failed


class Demo(House):
    def __init__(self, state, options):
        super().__init__(state)
        self.options, self.rows, self.counts = options, [], Counter()
        self.work = pathlib.Path(tempfile.mkdtemp(prefix="cloister-hospital-"))
        self.broker = None

    def note(self, what, count, seconds=None):
        self.rows.append((what, count, f"{seconds:.1f} s" if seconds is not None else ""))

    # ---- 1. a house ----

    def set_up(self):
        chapter("1. A house, and who is in it")
        ports = {name: free_port(port) for name, port in PORTS.items()}
        settings = (f"intake:\n  mllp: [\"127.0.0.1:{ports['mllp']}\"]\n  mqtt:\n    - {{broker: \"127.0.0.1:{ports['broker']}\", topic: \"ward/#\", feed: ward-monitors}}\n"
                    f"cells:\n  listen: \"127.0.0.1:{ports['cells']}\"\n")
        new = self.init(settings)
        broker = next((line.split('"')[1] for line in (self.state / "cloister.yaml").read_text().splitlines() if line.strip().startswith("- {broker:")), None)
        self.broker = Broker(self.work, int(broker.rsplit(":", 1)[1])) if broker else None
        if self.broker:
            self.broker.start()
        begun = time.monotonic()
        lines = self.serve()
        seconds = time.monotonic() - begun
        self.mllp = next((line.split("//", 1)[1] for line in lines if line.startswith("mllp://")), None)
        good(f"{'a new house' if new else 'the house of before'} in {self.state}, ready after {seconds:.2f} s at {self.endpoint}")
        self.note("seconds to start, each process in its jail", round(seconds, 2))
        have = {u["name"] for u in self.cli_json("user", "list", who="admin")}
        for name, role, what in PEOPLE:
            if name not in have:
                self.cli("user", "add", name, "--role", role, "--out", self.keys / f"{name}.login.json", who="admin")
            self.make_key(name)
            good(f"{name:<7} {role:<23} {what}")
        for name, kind, what in FEEDS:
            if name not in have:
                made = self.api("admin", "POST", "/api/feeds", {"name": name, "kind": kind, "assigning_authority": "general-hospital"})
                self.write_private(self.keys / f"{name}.pem", made["certificate"])
                self.write_private(self.keys / f"{name}.key.pem", made["private_key"])
            self.make_key(name)
            good(f"{name:<14} {kind:<16} {what}")

    def make_key(self, name):
        if (self.keys / f"{name}.json").exists():
            return
        key = self.cli_json("key", "create", name, who="admin")[0]
        self.write_private(self.keys / f"{name}.json", json.dumps({"endpoint": self.endpoint, "ca": str(self.state / "ca.pem"), "name": name,
                                                                   "access_key": key["access_key"], "secret_key": key["secret"]}, indent=2))

    def pem(self, feed):
        return self.state / "ca.pem", self.keys / f"{feed}.pem", self.keys / f"{feed}.key.pem"

    # ---- 2. the hospital sends ----

    def synthesize(self, part, patients, seed, formats, *more):
        folder = self.work / part
        subprocess.run([CLI, "synth", "--out", folder, "--patients", str(patients), "--seed", str(seed), "--format", formats, *more], check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        return folder

    def hospital(self):
        chapter("2. A synthetic hospital sends (nobody in it has ever lived)")
        n, begun = self.options.patients, time.monotonic()
        by_fhir, by_table = max(1, n // 5), max(1, n // 5)
        messages = self.synthesize("hl7", max(1, n - by_fhir - by_table), self.options.seed, "hl7,vitals,truth", "--order", "time", "--vitals-seconds", "20")
        documents = self.synthesize("fhir", by_fhir, self.options.seed + 1, "fhir,truth")
        tables = self.synthesize("tables", by_table, self.options.seed + 2, "csv,truth")
        self.truths = [folder / "truth.ndjson" for folder in (messages, documents, tables)]
        self.note("synthetic patients, with their truth map", n, time.monotonic() - begun)
        vitals = [line for name in ("vitals", "waveform") for line in (messages / "vitals" / f"{name}.ndjson").read_bytes().splitlines()]
        publisher = Publisher(self.publish, vitals)
        publisher.start()
        stream = split_mllp((messages / "hl7" / "messages.mllp").read_bytes())
        last = max(1, len(stream) // 10)
        self.later = stream[-last:]
        self.send_hl7(stream[:-last], "HL7 v2 messages, each sealed and recorded before its acknowledgement")
        self.send_bundles((documents / "fhir" / "bundles.ndjson").read_bytes().splitlines(), "FHIR bundles")
        self.drop_tables(sorted((tables / "csv").glob("*.csv")), "warehouse")
        publisher.finish()

    def send_hl7(self, messages, label):
        if not messages:
            return
        bar, codes, whys = Bar(label, len(messages), "messages"), Counter(), Counter()

        def each(code, why):
            codes[code] += 1
            if code not in ("AA", "CA", "unasked"):
                whys[why] += 1
            bar.add()
        send_all(lambda: Mllp(self.mllp, *self.pem("emr")), messages, 8, each)
        self.note("HL7 v2 messages sent", len(messages), bar.end())
        self.tell_codes(codes, whys)
        self.counts["hl7"] += len(messages)
        self.counts["hl7 refused"] += sum(whys.values())

    @staticmethod
    def tell_codes(codes, whys):
        tell("  acknowledged: " + ", ".join(f"{n:,} {code}" for code, n in codes.most_common()) + (" (they ask for no answer: MSH-15, MSH-16)" if codes["unasked"] else ""))
        for why, n in whys.most_common(6):
            aside(f"  {n:,} refused: {why}")

    def send_bundles(self, bundles, label):
        if not bundles:
            return
        bar, codes = Bar(label, len(bundles), "documents"), Counter()
        client = Fhir(self.endpoint, *self.pem("clinic-fhir"))
        for bundle in bundles:
            status, answer = client.post(bundle)
            codes["accepted" if status == 200 else f"{status} {answer.get('issue', [{}])[0].get('code', '')}"] += 1
            bar.add()
        self.note("FHIR documents sent", len(bundles), bar.end())
        tell("  answered: " + ", ".join(f"{n:,} {code}" for code, n in codes.most_common()))
        self.counts["fhir"] += codes["accepted"]
        self.counts["fhir refused"] += len(bundles) - codes["accepted"]

    def drop_tables(self, paths, who):
        if not paths:
            return
        s3, bar = self.s3(who), Bar("tables dropped by S3 PUT", len(paths), "files")
        for path in paths:
            s3.upload_file(str(path), "landing", f"{who}/{path.parent.name}/{path.name}")
            bar.add()
        self.note("tables and files dropped by S3 PUT", len(paths), bar.end())

    def publish(self, lines):
        if not self.broker or not self.broker.wait_for_subscriber(20):
            raise Bad("the house does not poll the broker")
        self.broker.publish("ward/4w", lines)
        self.counts["bedside"] += len(lines)
        self.note("bedside samples on the broker outside", len(lines))

    def real_files(self, folder):
        chapter(f"2. Real files from {folder}")
        self.truths = []
        hl7, documents, tables, skipped = [], [], [], Counter()
        for path in sorted(p for p in folder.rglob("*") if p.is_file()):
            kind = path.suffix.lower()
            data = b"" if kind == ".csv" else path.read_bytes()
            if path.name == "messages.out" or (kind in (".hl7", ".txt") and data.removeprefix(b"\xef\xbb\xbf").lstrip()[:3] in (b"MSH", b"FHS", b"BHS", b"\x0bMS")):
                hl7 += split_mllp(data) if data.startswith(b"\x0b") else split_hl7(data)
            elif kind == ".json" and b'"resourceType"' in data:
                documents.append(data)
            elif kind == ".csv" or kind == ".ndjson":
                tables.append(path)
            else:
                skipped[kind or path.name] += 1
        tell(f"found: {len(hl7):,} HL7 v2 messages, {len(documents):,} FHIR documents, {len(tables):,} tables and NDJSON files"
             + ("; skipped: " + ", ".join(f"{n} {k}" for k, n in skipped.most_common()) if skipped else ""))
        if not hl7 and not documents and not tables:
            raise Bad("there is nothing in that folder that a feed could send")
        self.send_hl7(hl7, "HL7 v2 messages")
        self.send_bundles(documents, "FHIR documents")
        self.drop_tables(tables, "warehouse")

    # ---- 3. the pool ----

    def pool(self):
        chapter("3. What has landed becomes the pool")
        begun, bar = time.monotonic(), Bar("taken in", 1, "landed")
        until = begun + 600
        while time.monotonic() < until:
            flow = self.api("ada", "GET", "/api/flow")
            newest, done = flow["landing"]["newest"], flow["landing"]["done"]
            bar.total = newest
            bar.set(done)
            if newest and done >= newest and self.settled(flow):
                break
            time.sleep(0.2)
        else:
            raise Bad("what landed does not reach the pool")
        bar.end(quiet=True)
        seconds = time.monotonic() - begun
        resources = flow["pool"]["resources"]
        good(f"{sum(resources.values()):,} FHIR resources of {flow['pool']['patients']:,} patients, {seconds:.1f} s after the last was sent")
        tell("  " + ", ".join(f"{n:,} {kind}" for kind, n in sorted(resources.items(), key=lambda x: -x[1])[:9]))
        for name in (f["name"] for f in flow["feeds"]):
            f = next(x for x in flow["feeds"] if x["name"] == name)
            if f.get("accepted"):
                aside(f"  {name}: {f['accepted']:,} accepted, {f.get('duplicate', 0):,} duplicates, {f.get('refused', 0):,} refused")
        quarantined = flow["pool"]["quarantined"]
        if quarantined:
            tell("  in quarantine, raw and sealed, to be mapped again: " + ", ".join(f"{n:,} {why}" for why, n in sorted(quarantined.items(), key=lambda x: -x[1])))
        else:
            good("nothing in quarantine")
        self.note("resources in the pool", sum(resources.values()), seconds)
        self.note("patients in the pool", flow["pool"]["patients"])
        self.note("units in quarantine, with a reason", sum(quarantined.values()))

    def settled(self, flow):
        """twice the same, a moment apart: no segment is on its way any more"""
        time.sleep(0.4)
        again = self.api("ada", "GET", "/api/flow")["landing"]
        return again == flow["landing"]

    # ---- 4. a study ----

    def study(self):
        chapter("4. A study, under an IRB protocol")
        cohort = ADULTS if self.options.input else DIABETES
        asked = {"title": "Blood sugar control in adults with diabetes", "protocol": "IRB-2026-0417", "description": "A synthetic study of synthetic people.",
                 "profile": "safe-harbor", "people": ["ruth"], "cohort": cohort}
        self.study_id = self.api("pia", "POST", "/api/studies", asked)["study"]
        path = f"/api/studies/{self.study_id}"
        good(f"pia registers protocol {asked['protocol']}, profile safe-harbor; the cohort is a query on the pool's views")
        self.must_refuse("pia asks for a release before anybody has signed", "pia", "POST", f"{path}/releases", {})
        self.must_refuse("sam, the security officer, approves before IT, management and research have", "sam", "POST", f"{path}/signatures",
                         {"review": "security", "decision": "sign", "digest": self.digest()})
        self.api("irene", "POST", f"{path}/basis", {"kind": "irb-waiver", "board": "General Hospital IRB", "number": "2026-0417", "document_sha256": "5f" * 32,
                                                    "expires": time.strftime("%Y-%m-%d", time.gmtime(time.time() + 365 * 86400))})
        good("irene records the basis: the IRB's waiver, the digest of its letter, and when it ends")
        for who, review in (("ivan", "it"), ("mara", "management"), ("remy", "research"), ("sam", "security")):
            self.api(who, "POST", f"{path}/signatures", {"review": review, "decision": "sign", "digest": self.digest()})
            good(f"{who} signs for {review}: exactly digest {self.digest()[:16]}…")
        self.must_refuse("rolf, who is not in the study, asks for a release", "rolf", "POST", f"{path}/releases", {})
        size = self.wait_job("pia", self.api("pia", "POST", f"{path}/count", {})["job"], "the cohort is counted", quiet=True)["patients"]
        good(f"the cohort: {size} patients")

    def digest(self):
        return self.api("sam", "GET", f"/api/studies/{self.study_id}")["digest"]

    # ---- 5. a release ----

    def make_release(self, label):
        begun = time.monotonic()
        made = self.api("pia", "POST", f"/api/studies/{self.study_id}/releases", {})
        self.wait_job("pia", made["job"], label, quiet=True)
        release = self.api("pia", "GET", f"/api/releases/{made['release']}")
        seconds = time.monotonic() - begun
        rows = release["rows"]
        good(f"{label}: {release['patients']} patients, {sum(rows.values()):,} rows in {seconds:.1f} s")
        return release, seconds

    def release(self):
        chapter("5. A release: what the approval allows, de-identified, searched again")
        self.first, seconds = self.make_release("release 1")
        tell("  " + ", ".join(f"{n:,} {table}" for table, n in self.first["rows"].items() if n))
        removed = Counter()
        for counts in self.first["manifest"]["removed"].values():
            removed.update({what: n for what, n in counts.items() if n} if isinstance(counts, dict) else {})
        tell("  taken out: " + ", ".join(f"{n:,} {what}" for what, n in removed.most_common()))
        good("every byte of it was searched again for every identifier of the cohort: a single hit would have refused it")
        self.note("rows released, de-identified", sum(self.first["rows"].values()), seconds)

    def new_data(self):
        if self.options.input:
            return
        chapter("6. New data come; nothing changes under a researcher's feet")
        self.send_hl7(self.later, "messages of the days after")
        until = time.monotonic() + 120
        while not self.api("pia", "GET", f"/api/studies/{self.study_id}").get("offer"):
            if time.monotonic() > until:
                raise Bad("the pool has grown, but no new version is offered")
            time.sleep(0.2)
        good("the pool has grown: the study is offered a new version")
        second, _ = self.make_release("release 2")
        difference = second.get("difference") or {}
        for table, d in difference.items():
            if isinstance(d, dict) and any(d.get(k) for k in ("added", "removed", "changed")):
                tell(f"  since release {difference.get('since', 1)}: {table} +{d.get('added', 0):,} −{d.get('removed', 0):,} ~{d.get('changed', 0):,}")

    # ---- 7. a cell ----

    def cell(self):
        chapter("7. A cell: the release, tools, and no way out")
        self.must_refuse("rolf opens a cell on it", "rolf", "POST", "/api/cells", {"study": self.study_id, "release": self.first["id"]})
        begun = time.monotonic()
        status, opened = self.ask("ruth", "POST", "/api/cells", {"study": self.study_id, "release": self.first["id"]})
        if status == 501:
            tell(paint("33", opened.get("message", "this machine cannot build cells")))
            return False
        if status >= 300:
            raise Bad(f"the cell does not open: {status} {opened}")
        self.cell_id = opened["cell"]
        self.wait_job("ruth", opened["job"], "the release is laid into the cell", quiet=True)
        self.until(lambda live: live.get("notebook"), "the notebook server")
        seconds = time.monotonic() - begun
        good(f"ruth's cell is open with the release read-only and JupyterLab running, {seconds:.1f} s after she asked")
        self.note("seconds to a notebook with data", round(seconds, 1))
        url = self.api("ruth", "POST", f"/api/cells/{self.cell_id}/enter", {})["url"]
        self.notebook = Notebook(url, self.context)
        self.must_refuse("pia, who did not open it, enters it", "pia", "POST", f"/api/cells/{self.cell_id}/enter", {})
        status, _, page = self.notebook.get("/lab")
        if status != 200 or b"JupyterLab" not in page:
            raise Bad(f"JupyterLab does not answer ({status})")
        good("JupyterLab answers through the gate, on an origin of its own, with a ticket that works once")
        return True

    def until(self, holds, what, seconds=90):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            live = self.api("ruth", "GET", f"/api/cells/{self.cell_id}").get("live", {})
            if holds(live):
                return live
            time.sleep(0.1)
        raise Bad(f"the cell: {what} did not come within {seconds} s")

    def run_in_cell(self, script, text=None):
        """a worker: it runs ${script} to its end and vanishes; what it printed"""
        if text is not None:
            self.notebook.write(script, text)
        worker = self.api("ruth", "POST", f"/api/cells/{self.cell_id}/workers", {"script": script})["worker"]
        ended = []

        def has_ended(live):
            ended[:] = [w for w in live.get("workers", []) if w["id"] == worker and not w["running"]]
            return ended
        self.until(has_ended, f"the worker's end ({script})")
        log = self.notebook.read(f"worker-{worker}.log")
        if ended[0]["exit_status"] != 0:
            raise Bad(f"{script} ended with {ended[0]['exit_status']}:\n{log[-2000:]}")
        return log

    def work_in_cell(self):
        begun = time.monotonic()
        self.run_in_cell("first-look.ipynb")
        good(f"a worker runs the example notebook on the release, and vanishes: {time.monotonic() - begun:.1f} s")
        if self.truths:
            self.run_in_cell("gather.py", "import pathlib\npathlib.Path('release.txt').write_text(''.join(p.read_text() for p in sorted(pathlib.Path('/release/csv').iterdir())))\n")
            found = canary.leaked(self.truths, self.notebook.read("release.txt"))
            if found:
                raise Bad(f"identifiers stand in the release: {Counter(found)}")
            good("read as ruth reads it, the release holds none of the truth map's identifiers")
        tried = json.loads(self.run_in_cell("breakout.py", (HERE / "breakout.py").read_text()).strip().splitlines()[-1])
        out = {way: what for way, what in tried.items() if what.startswith("OUT")}
        if out:
            raise Bad(f"there is a way out of the cell: {out}")
        for way, what in tried.items():
            refused_well(f"out by {way.replace('_', ' ')}", what)
        for path in ("/files/first-look.ipynb", "/files/first-look.ipynb?download=1", "/nbconvert/html/first-look.ipynb?download=true", "/api/terminals"):
            status, _, _ = self.notebook.get(path)
            if status < 400:
                raise Bad(f"{path} is open ({status})")
            refused_well(f"out by the route {path}", status)
        live = self.until(lambda now: sum(now.get("refused", {}).values()) > 0, "the count of refusals")
        good("the cell has counted, and the ledger keeps: " + ", ".join(f"{n} {how}" for how, n in live["refused"].items() if n))
        self.note("ways out that were tried from a cell, none open", len(tried) + 4)

    # ---- 8. the airlock ----

    def airlock(self):
        chapter("8. The airlock: two people look at exactly these bytes")
        self.run_in_cell("result.py", (HERE / "result.py").read_text())
        recipient = {"name": "Journal of Synthetic Results", "address": "1 Example Road, Springfield"}
        bad = self.submit(["airlock/outbox/people.csv"], "One line a person.", recipient)
        if bad["state"] != "blocked":
            raise Bad(f"a table of people was not blocked: {bad['state']}")
        refused_well("ruth submits a table with a line for each person", "; ".join(sorted({f["check"] for file in bad["files"] for f in file["findings"] if f["severity"] == "block"})))
        request = self.submit(["airlock/outbox/means.csv", "airlock/outbox/README.md"], "Means by code, counts rounded to five, groups under thirteen left out.", recipient)
        if request["state"] != "review":
            raise Bad(f"the result is not in review: {request['state']} {json.dumps(request['files'])}")
        path, digest = f"/api/airlock/{request['id']}", request["digest"]
        first = f"{path}/files/{request['files'][0]['n']}"
        good(f"ruth submits two files: {sum(len(f['findings']) for f in request['files'])} notes of the automatic checks, nothing that blocks")
        self.must_refuse("ruth reviews her own request", "ruth", "POST", f"{path}/reviews", {"decision": "approve", "comment": "", "digest": digest})
        self.must_refuse("the administrator approves it", "admin", "POST", f"{path}/reviews", {"decision": "approve", "comment": "", "digest": digest})
        self.must_refuse("olga approves other bytes than these", "olga", "POST", f"{path}/reviews", {"decision": "approve", "comment": "", "digest": "0" * 64})
        self.must_refuse("ruth fetches the file before the decision", "ruth", "GET", first)
        seen = self.api("olga", "GET", first)
        self.api("olga", "POST", f"{path}/reviews", {"decision": "approve", "comment": "Counts are large and rounded.", "digest": digest})
        self.api("oscar", "POST", f"{path}/reviews", {"decision": "approve", "comment": "Agreed.", "digest": digest})
        good("olga and oscar look at the files, each without seeing what the other says, and approve them by their digest")
        self.wait_job("pia", self.api("pia", "POST", f"{path}/release", {})["job"], "the bytes are compared with the decision once more, and released")
        if self.api("ruth", "GET", first) != seen:
            raise Bad("what came out is not what was approved")
        good(f"ruth has her file; the disclosure to {recipient['name']} is on record")
        self.note("files released through the airlock", 2)

    def submit(self, files, context, recipient):
        made = self.api("ruth", "POST", "/api/airlock", {"cell": self.cell_id, "direction": "out", "files": files, "context": context,
                                                         "purpose": "Publication", "recipient": recipient})
        ended = self.end_of_job("ruth", made["job"], "checks")
        if ended["state"] != "done":
            raise Bad(f"the checks failed: {ended.get('reason')}")
        return self.api("ruth", "GET", f"/api/airlock/{made['request']}")

    # ---- 9. the patient's question, and the proof ----

    def subject(self):
        chapter("9. Who saw this patient's data?")
        mrn = self.someone()
        if not mrn:
            tell("(no record number is known of the files that were given)")
            return
        self.must_refuse("ruth asks", "ruth", "POST", "/api/subjects", {"mrn": mrn, "reason": "audit"})
        begun = time.monotonic()
        found = self.wait_job("paula", self.api("paula", "POST", "/api/subjects", {"mrn": mrn, "reason": "patient-request"})["job"], "the patient's tokens", quiet=True)
        accesses = [a for token in found["subjects"] for a in self.api("paula", "GET", f"/api/subjects/{token}/accesses")["accesses"]]
        good(f"paula, for a patient who asks ({time.monotonic() - begun:.1f} s): {len(accesses)} times")
        for a in accesses[-8:]:
            aside(f"  {a['at'][:19]}  {a.get('who') or 'the house':<12} {a.get('address') or '':<12} {a['act']:<18} {'refused' if a.get('decision') == 'deny' else '':<8} record {a['record']}")
        told = [d for token in found["subjects"] for d in self.api("paula", "GET", f"/api/disclosures?subject={token}")["disclosures"]]
        good(f"the accounting of disclosures (45 CFR 164.528): {len(told)}")
        for d in told:
            aside(f"  {d['at'][:10]}  {d['recipient']['name']}, {d['recipient']['address']}: {d['purpose']} ({d['study']['protocol']})")

    def someone(self):
        """the record number of a patient who is in the release, by the truth map; None if there is no map"""
        for truth in self.truths:
            seen = set()
            with truth.open() as f:
                for line in f:
                    if '"mrn"' not in line:
                        continue
                    mark = json.loads(line)
                    if mark["category"] == "mrn" and mark["whose"] == "patient" and mark["text"].isdigit() and mark["text"] not in seen:
                        seen.add(mark["text"])
                        if self.is_released(mark["text"]):
                            return mark["text"]
                        if len(seen) > 40:
                            break
        return None

    def is_released(self, mrn):
        job = self.api("paula", "POST", "/api/subjects", {"mrn": mrn, "reason": "audit"})["job"]
        found = self.end_of_job("paula", job, "a patient of the release")
        if found["state"] != "done":
            return False
        return any(a["act"] == "release.subject" for token in found["result"].get("subjects", [])
                   for a in self.api("paula", "GET", f"/api/subjects/{token}/accesses")["accesses"])

    def proof(self):
        chapter("10. The record, proved without the server")
        with tempfile.TemporaryDirectory() as d:
            copy, verify = pathlib.Path(d) / "ledger", ("audit", "verify", "--ledger", pathlib.Path(d) / "ledger", "--vkey", self.state / "ledger.vkey")
            self.cli("audit", "export", copy)
            begun = time.monotonic()
            report = json.loads(self.cli(*verify, "--json").stdout)
            seconds = time.monotonic() - begun
            good(f"cloister audit verify, on a copy: {report['records']:,} records, every hash and signature, {seconds:.2f} s")
            self.note("records verified offline", report["records"], seconds)
            victim = sorted((copy / "tile" / "entries").rglob("*"))[-1]
            data = bytearray(victim.read_bytes())
            data[len(data) // 2] ^= 1
            victim.chmod(0o600)
            victim.write_bytes(data)
            if self.cli(*verify, status=None).returncode == 0:
                raise Bad("the flipped byte was not found")
            good(f"one bit flipped in the copy ({victim.relative_to(copy)}) is found")

    def hunt(self):
        chapter("11. The canary hunt")
        if os.geteuid() != 0:
            tell("the state folder is not readable by this user; as root the demo searches it for every identifier of the truth map")
            return
        begun = time.monotonic()
        report = canary.hunt(self.truths, self.state, [self.keys / "serve.log"], self.server.pid)
        seconds = time.monotonic() - begun
        if report.found:
            raise Bad("identifiers lie where they must not: " + ", ".join(f"{category} in {place}" for category, place in report.found[:5]))
        good(f"{report.needles:,} identifiers, raw, in hex, in base64 and in UTF-16, in {report.bytes / 2**20:,.0f} MiB of files, logs and the memory of "
             f"{', '.join(report.processes)}: none found")
        self.note("identifiers searched for everywhere, none found", report.needles, seconds)

    # ---- the end ----

    def close(self):
        chapter("What happened")
        width = max(len(what) for what, _, _ in self.rows)
        for what, count, seconds in self.rows:
            tell(f"{what:<{width}}  {count:>11,}  {seconds:>8}")

    def where(self):
        chapter("It goes on serving; Ctrl-C stops it")
        for name, value in (("console", f"{self.endpoint}/ (names and one-time codes: {self.keys}/NAME.login.json)"), ("authority", self.state / "ca.pem"),
                            ("keys", f"{self.keys}/NAME.json"), ("log", self.keys / "serve.log")):
            tell(f"{name:<12} {value}")
        print()
        cli = CLI.relative_to(TOP) if CLI.is_relative_to(TOP) else CLI
        k = f"--state {self.state} --credentials {self.keys}"
        for line in (f"{cli} flow {k}/audrey.json", f"{cli} study list {k}/pia.json", f"{cli} cell list {k}/ruth.json", f"{cli} airlock list {k}/olga.json",
                     f"{cli} audit verify --state {self.state}", f"{cli} lockdown {k}/sam.json     # and --lift, by sam and paula"):
            tell(paint("36", line))
        sys.stdout.flush()

    def tidy(self):
        if self.broker:
            self.broker.stop()
        shutil.rmtree(self.work, ignore_errors=True)

    def story(self):
        self.set_up()
        if self.options.input:
            self.real_files(self.options.input)
        else:
            self.hospital()
        self.pool()
        self.study()
        self.release()
        self.new_data()
        if self.cell():
            self.work_in_cell()
            self.airlock()
        self.subject()
        self.proof()
        self.hunt()
        self.close()


def interrupted(*_):
    raise KeyboardInterrupt


def main():
    parser = argparse.ArgumentParser(prog="./run demo", description=__doc__.split("\n")[0])
    parser.add_argument("--once", action="store_true", help="stop after the story")
    parser.add_argument("--patients", type=int, default=200, metavar="N", help="how many the synthetic hospital has (default 200)")
    parser.add_argument("--seed", type=int, default=1, metavar="S", help="which hospital (default 1)")
    parser.add_argument("--input", type=pathlib.Path, metavar="DIR", help="feed these files instead: HL7 v2 (.hl7, .txt, messages.out), FHIR (.json, .ndjson), tables (.csv)")
    parser.add_argument("--state", metavar="DIR", type=pathlib.Path, help="the state folder (default: a new one below /tmp, kept)")
    options = parser.parse_args()
    if options.input and not options.input.is_dir():
        parser.error(f"{options.input} is no folder")
    if not 5 <= options.patients <= 1000000:
        parser.error("--patients must be 5 to 1,000,000")
    if options.state is None:
        top = pathlib.Path(tempfile.gettempdir()) / ("cloister-demo-" + "".join(random.choices(string.ascii_lowercase, k=6)))
        top.mkdir(mode=0o755)
        options.state = top / "state"
    options.state.parent.mkdir(parents=True, exist_ok=True)
    demo = Demo(options.state.absolute(), options)
    signal.signal(signal.SIGTERM, interrupted)
    status = 0
    begun = time.monotonic()
    try:
        demo.story()
        aside(f"all of it in {time.monotonic() - begun:.0f} s")
        if not options.once:
            demo.where()
            demo.server.wait()
            raise Bad("the house stopped by itself")
    except KeyboardInterrupt:
        print()
    except (Bad, BotoCoreError, ClientError, OSError, subprocess.SubprocessError) as e:
        print(paint("31", f"\nThe story broke: {e}"), file=sys.stderr)
        status = 1
    finally:
        with contextlib.suppress(OSError):
            demo.tidy()
        try:
            demo.stop()
        except Bad as e:
            print(paint("31", str(e)), file=sys.stderr)
            status = 1
    if status == 0 and demo.server:
        print("The house is closed. Its state stays; open it again with:\n  ./run demo --state " + str(demo.state))
    return status


if __name__ == "__main__":
    sys.exit(main())
