"""The story of a house from an empty folder to a verified ledger, told while it happens. ./run demo calls it.

Clinical files go in through S3 as clients send them; people read what they may and are refused what they may not; keys end
and are rotated; the record of all this is verified on a copy without the server, and one flipped byte in that copy is found.
Run again on the same folder, the story goes on in the house that is there.
"""

import argparse
import base64
import contextlib
import hashlib
import json
import os
import pathlib
import random
import signal
import socket
import string
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import ssl
from concurrent.futures import ThreadPoolExecutor

import boto3
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

TOP = pathlib.Path(__file__).resolve().parent.parent
CLI = pathlib.Path(os.environ.get("CLOISTER_BUILD", TOP / "build")) / "src" / "bin" / "cloister"
CORPORA = pathlib.Path(os.environ.get("CLOISTER_CORPORA", TOP.parent / "shared" / "corpora"))
PORT = 8443
MIB = 1024 * 1024
PEOPLE = (("ada", "data-steward", "keeps the data"), ("ruth", "researcher", "may read the study's files"), ("rolf", "researcher", "is in another study"),
          ("audrey", "auditor", "asks the record"), ("sam", "security-officer", "closes and opens"), ("paula", "privacy-officer", "is the second of two"))
TTY = sys.stdout.isatty()


def paint(code, text):
    return f"\x1b[{code}m{text}\x1b[0m" if TTY else text


def chapter(title):
    print("\n" + paint("1", title), flush=True)


def tell(text):
    print("  " + text, flush=True)


def good(text):
    tell(paint("32", "✓ ") + text)


def refused_well(what, code):
    tell(paint("32", "✓ ") + what + " → " + paint("33", f"refused, {code}"))


class Bad(Exception):
    """the story did not go as it must"""


class Bar:
    """how far it is: a moving line on a terminal, a line at the end elsewhere"""

    def __init__(self, label, total, unit="files"):
        self.label, self.total, self.unit, self.done, self.begun = label, total, unit, 0, time.monotonic()

    def add(self, n=1):
        self.done += n
        if TTY:
            width = 30 * self.done // max(1, self.total)
            print(f"\r  {self.label} [{'█' * width}{'·' * (30 - width)}] {self.done:,}/{self.total:,} {self.unit}", end="", flush=True)

    def end(self):
        seconds = time.monotonic() - self.begun
        if TTY:
            print("\r\x1b[K", end="")
        good(f"{self.label}: {self.done:,} {self.unit} in {seconds:.1f} s ({self.done / max(seconds, 0.001):,.0f} a second)")
        return seconds


class Demo:
    def __init__(self, state):
        self.state = state
        self.keys = state.parent / (state.name + "-keys")  # what only its owner may have: not in the house
        self.server = None
        self.rows = []

    # ---- the command line, as a person uses it ----

    def cli(self, *words, who=None, status=0):
        words = [*map(str, words), "--state", str(self.state), *(["--credentials", str(self.keys / f"{who}.json")] if who else [])]
        done = subprocess.run([CLI, *words], capture_output=True, text=True, check=False)
        if status is not None and done.returncode != status:
            raise Bad(f"cloister {' '.join(words)}: {done.stderr or done.stdout}")
        return done

    def cli_json(self, *words, who):
        """a list of what it printed, one document after the other"""
        text, out, decoder = self.cli(*words, "--json", who=who).stdout.strip(), [], json.JSONDecoder()
        while text:
            value, end = decoder.raw_decode(text)
            out += value if isinstance(value, list) else [value]
            text = text[end:].lstrip()
        return out

    def client(self, who):
        k = json.loads((self.keys / f"{who}.json").read_text())
        return boto3.client("s3", endpoint_url=self.endpoint, verify=str(self.state / "ca.pem"), region_name="us-east-1", aws_access_key_id=k["access_key"],
                            aws_secret_access_key=k["secret_key"], config=Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 2},
                                                                                 max_pool_connections=32))

    def note(self, what, count, seconds=None):
        self.rows.append((what, count, f"{seconds:.1f} s" if seconds is not None else ""))

    @staticmethod
    def must_be_refused(what, call):
        try:
            call()
        except ClientError as e:
            code, status = e.response["Error"]["Code"], e.response["ResponseMetadata"]["HTTPStatusCode"]
            if status not in (400, 403, 503):
                raise Bad(f"{what}: {code}") from None
            refused_well(what, code)
            return
        raise Bad(f"{what} was not refused")

    # ---- chapters ----

    def set_up(self):
        chapter("1. A house")
        self.keys.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.passphrase = self.keys / "passphrase"
        self.new = not (self.state / "cloister.yaml").exists()
        if self.new:
            with socket.socket() as s:
                port = PORT if s.connect_ex(("127.0.0.1", PORT)) else 0
            if port == 0:
                with socket.create_server(("127.0.0.1", 0)) as s:
                    port = s.getsockname()[1]
            self.write_private(self.passphrase, base64.b32encode(os.urandom(20)).decode().lower() + "\n")
            begun = time.monotonic()
            with contextlib.suppress(FileNotFoundError):
                (self.keys / "admin.json").unlink()
            self.cli("init", "--passphrase-file", self.passphrase, "--credentials", self.keys / "admin.json", "--listen", f"127.0.0.1:{port}")
            self.note("house made: keys, certificates, ledger", 1, time.monotonic() - begun)
            good(f"cloister init: a house in {self.state}, its keys under a passphrase (mode 0600, in {self.keys})")
        else:
            good(f"the house in {self.state} is there already: the story goes on")
        self.endpoint = json.loads((self.keys / "admin.json").read_text())["endpoint"]

    @staticmethod
    def write_private(path, text):
        with open(path, "w", opener=lambda p, flags: os.open(p, flags, 0o600)) as f:
            f.write(text)

    def start(self):
        begun = time.monotonic()
        read_end, write_end = os.pipe()
        self.log = (self.keys / "serve.log").open("ab")
        self.server = subprocess.Popen([CLI, "serve", "--state", self.state, "--passphrase-file", self.passphrase, "--ready-fd", str(write_end)],
                                       pass_fds=[write_end], stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log, start_new_session=True)
        os.close(write_end)
        with os.fdopen(read_end, "rb") as f:
            if not f.read(1):
                raise Bad(f"the house did not start; see {self.keys / 'serve.log'}")
        seconds = time.monotonic() - begun
        self.note("start, all processes in their jails", 6, seconds)
        good(f"cloister serve: six processes, each in its jail, ready after {seconds:.2f} s at {self.endpoint}")

    def people(self):
        chapter("2. People and their keys")
        have = {u["name"] for u in self.cli_json("user", "list", who="admin")}
        begun, made = time.monotonic(), 0
        for name, role, what in PEOPLE:
            if name not in have:
                self.cli("user", "add", name, "--role", role, "--out", self.keys / f"{name}.login.json", who="admin")
            if not (self.keys / f"{name}.json").exists():
                key = self.cli_json("key", "create", name, who="admin")[0]
                self.write_private(self.keys / f"{name}.json", json.dumps({"endpoint": self.endpoint, "ca": str(self.state / "ca.pem"), "name": name,
                                                                           "access_key": key["access_key"], "secret_key": key["secret"]}, indent=2))
                made += 1
            good(f"{name:<7} {role:<17} {what}")
        if made:
            self.note("people with access keys", made, time.monotonic() - begun)

    def buckets(self):
        chapter("3. Buckets and a rule")
        self.ada = self.client("ada")
        mine = {b["Name"] for b in self.ada.list_buckets()["Buckets"]}
        for name in ("landing", "study-alpha"):
            if name not in mine:
                self.ada.create_bucket(Bucket=name)
                self.ada.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
        ruth = self.cli_json("whoami", who="ruth")[0]
        self.ada.put_bucket_policy(Bucket="study-alpha", Policy=json.dumps({"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ruth['id']}:user/ruth"}, "Action": ["s3:GetObject", "s3:ListBucket"],
             "Resource": ["arn:aws:s3:::study-alpha", "arn:aws:s3:::study-alpha/*"]}]}))
        good("ada makes `landing` and `study-alpha`, with versions; a bucket policy lets ruth read the study, and nobody else")

    def files(self):
        """(key, bytes): real clinical files where they are, else made ones"""
        found = []
        for kind, pattern in (("hl7v2", "*"), ("fhir", "*.json"), ("fhir", "*.ndjson"), ("notes", "*.csv"), ("ccda", "*.xml")):
            paths = sorted(p for p in (CORPORA / kind).rglob(pattern) if p.is_file()) if (CORPORA / kind).is_dir() else []
            found += [(kind, p.suffix or ".txt", p.read_bytes()) for p in paths[:120]]
        if not found:
            r = random.Random(1)
            for i in range(300):
                text = "\r".join(f"OBX|{n}|NM|8867-4^Heart rate^LN||{r.randrange(50, 140)}|/min|||||F" for n in range(r.randrange(5, 200)))
                found.append(("hl7v2", ".hl7", f"MSH|^~\\&|DEMO|HOSPITAL|CLOISTER|LAB|2026||ORU^R01|m{i}|P|2.5\r{text}\r".encode()))
        return [(f"{kind}/part-{i:04d}{suffix}", data) for i, (kind, suffix, data) in enumerate(found)]

    def upload(self):
        chapter("4. Clinical files go in, over S3")
        files = self.files()
        tell(paint("2", f"from {CORPORA}" if CORPORA.is_dir() else "no corpora beside the project: the files are made here"))
        self.digests = {key: hashlib.sha256(data).digest() for key, data in files}
        bar = Bar("upload", len(files))

        def put(item):
            self.ada.put_object(Bucket="study-alpha", Key=item[0], Body=item[1])
        with ThreadPoolExecutor(8) as pool:
            for _ in pool.map(put, files):
                bar.add()
        self.note("files uploaded, each sealed and recorded", len(files), bar.end())
        size = 256 * MIB
        with tempfile.TemporaryFile() as f:
            block = os.urandom(MIB)
            for i in range(size // MIB):
                f.write(bytes([i % 256]) + block[1:])
            f.seek(0)
            bar = Bar("one large file in parts", size // MIB, "MiB")
            sent = [0]

            def progress(n):
                sent[0] += n
                bar.add(sent[0] // MIB - bar.done)
            self.ada.upload_fileobj(f, "landing", "waveforms/ward-day.bin", Callback=progress,
                                    Config=TransferConfig(multipart_chunksize=16 * MIB, max_concurrency=4))
        self.note("MiB of one multipart upload", size // MIB, bar.end())

    def reading(self):
        chapter("5. Who may read, reads; who may not, does not")
        ruth, rolf = self.client("ruth"), self.client("rolf")
        keys = list(self.digests)
        bar = Bar("ruth reads and compares", len(keys))

        def get(key):
            if hashlib.sha256(ruth.get_object(Bucket="study-alpha", Key=key)["Body"].read()).digest() != self.digests[key]:
                raise Bad(f"{key} came back changed")
        with ThreadPoolExecutor(8) as pool:
            for _ in pool.map(get, keys):
                bar.add()
        self.note("files read back, byte for byte", len(keys), bar.end())
        key = keys[0]
        self.must_be_refused("rolf, who is in another study, reads the same file", lambda: rolf.get_object(Bucket="study-alpha", Key=key))
        self.must_be_refused("ruth, who may read, writes", lambda: ruth.put_object(Bucket="study-alpha", Key="x", Body=b""))
        self.must_be_refused("the administrator reads", lambda: self.client("admin").get_object(Bucket="study-alpha", Key=key))
        self.anonymous(f"{self.endpoint}/study-alpha/{key}")
        second = self.cli_json("key", "create", who="ruth")[0]
        other = boto3.client("s3", endpoint_url=self.endpoint, verify=str(self.state / "ca.pem"), region_name="us-east-1",
                             aws_access_key_id=second["access_key"], aws_secret_access_key=second["secret"], config=Config(s3={"addressing_style": "path"}))
        other.head_object(Bucket="study-alpha", Key=key)
        self.cli("key", "revoke", second["access_key"], who="ruth")
        self.must_be_refused("a key of ruth's that was revoked a moment ago", lambda: other.get_object(Bucket="study-alpha", Key=key))
        self.must_be_refused("a file is named scans/123-45-6789.pdf (a social security number)",
                             lambda: self.ada.put_object(Bucket="landing", Key="scans/123-45-6789.pdf", Body=b""))
        self.note("requests refused as they must be", 6)

    def anonymous(self, url):
        try:
            urllib.request.urlopen(url, context=ssl.create_default_context(cafile=str(self.state / "ca.pem")))
        except urllib.error.HTTPError as e:
            if e.code == 403:
                refused_well("nobody in particular, without a key", "AccessDenied")
                return
        raise Bad("an anonymous read was not refused")

    def rotation(self):
        chapter("6. The keys of the keys are changed while people read")
        ruth, keys = self.client("ruth"), list(self.digests)
        stop, count = [], [0]

        def read_on():
            while not stop:
                key = random.choice(keys)
                if hashlib.sha256(ruth.get_object(Bucket="study-alpha", Key=key)["Body"].read()).digest() != self.digests[key]:
                    raise Bad("a read during the rotation came back changed")
                count[0] += 1
        with ThreadPoolExecutor(4) as pool:
            readers = [pool.submit(read_on) for _ in range(4)]
            try:
                time.sleep(0.5)
                before = count[0]
                epoch = self.cli_json("key", "rotate", "--domain", "general", who="admin")[0]["epoch"]
                self.ada.put_object(Bucket="landing", Key="after-the-rotation", Body=b"sealed under the new key")
                time.sleep(2)
            finally:
                stop.append(True)
            for r in readers:
                r.result()
        good(f"domain key number {epoch}: what is written from now on uses it, and the wrapping of every older data key is done anew in the "
             "background; no object is read or written for it")
        good(f"{count[0] - before} reads since the rotation, each byte right, none refused")
        tell(paint("2", "the old key goes twenty minutes later, when nothing and nobody uses it any more: `cloister domain list` shows it"))
        self.note("reads during the rotation, none disturbed", count[0])

    def record(self):
        chapter("7. The record, proved without the server")
        shown = self.cli_json("audit", "show", "--bucket", "study-alpha", "--act", "object.get", "--limit", 100000, who="audrey")
        denied = [r for r in shown if r.get("decision") == "deny"]
        good(f"audrey asks who read in study-alpha: {len(shown)} readings, {len(denied)} of them refused")
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
            said = self.cli(*verify, status=None)
            if said.returncode == 0:
                raise Bad("the flipped byte was not found")
            good(f"one bit flipped in the copy ({victim.relative_to(copy)}) is found:")
            for line in (said.stderr or said.stdout).strip().splitlines()[:3]:
                tell(paint("2", "    " + line.replace(str(copy), "copy")))

    def at_rest(self):
        chapter("8. What lies on the disk")
        needles = [data[100:140] for _, data in self.files()[:50] if len(data) > 200]
        looked = found = 0
        for path in self.state.rglob("*"):
            with contextlib.suppress(OSError):
                if path.is_file():
                    data = path.read_bytes()
                    looked += len(data)
                    found += sum(n in data for n in needles)
        if looked and found:
            raise Bad("plaintext on the disk")
        if looked > 100 * MIB:
            good(f"{len(needles)} pieces of the uploaded files were looked for in {looked // MIB} MiB of the state folder: none is there")
            self.note("MiB on disk searched for plaintext, none found", looked // MIB)
        else:
            tell("the state folder is not readable by this user; as root the demo searches it for plaintext")

    def close(self):
        chapter("What happened")
        width = max(len(what) for what, _, _ in self.rows)
        for what, count, seconds in self.rows:
            tell(f"{what:<{width}}  {count:>9,}  {seconds:>8}")

    def where(self):
        chapter("It goes on serving; Ctrl-C stops it")
        k = self.keys
        for name, value in (("endpoint", self.endpoint), ("authority", self.state / "ca.pem"), ("credentials", f"{k}/NAME.json ({', '.join(p[0] for p in PEOPLE)}, admin)"),
                            ("log", k / "serve.log")):
            tell(f"{name:<12} {value}")
        print()
        cli = CLI.relative_to(TOP) if CLI.is_relative_to(TOP) else CLI
        for line in (f'eval "$({cli} credentials --export --state {self.state} --credentials {k}/ruth.json)"; aws --endpoint-url {self.endpoint} s3 ls s3://study-alpha/',
                     f"{cli} status --state {self.state} --credentials {k}/admin.json", f"{cli} audit show --state {self.state} --credentials {k}/audrey.json",
                     f"{cli} audit verify --state {self.state}", f"{cli} lockdown --state {self.state} --credentials {k}/sam.json     # and --lift, by sam and paula"):
            tell(paint("36", line))
        sys.stdout.flush()

    def stop(self):
        if self.server and self.server.poll() is None:
            self.server.send_signal(signal.SIGTERM)
            try:
                self.server.wait(30)
            except subprocess.TimeoutExpired:
                os.killpg(self.server.pid, signal.SIGKILL)
                raise Bad("the house did not stop") from None
        if self.server and self.server.returncode != 0:
            raise Bad(f"the house ended with {self.server.returncode}; see {self.keys / 'serve.log'}")

    def story(self):
        self.set_up()
        self.start()
        self.people()
        self.buckets()
        self.upload()
        self.reading()
        self.rotation()
        self.record()
        self.at_rest()
        self.close()


def interrupted(*_):
    raise KeyboardInterrupt


def main():
    parser = argparse.ArgumentParser(prog="./run demo", description=__doc__.split("\n")[0])
    parser.add_argument("--once", action="store_true", help="stop after the story")
    parser.add_argument("--state", metavar="DIR", type=pathlib.Path, help="the state folder (default: a new one below /tmp, kept)")
    options = parser.parse_args()
    if options.state is None:
        top = pathlib.Path(tempfile.gettempdir()) / ("cloister-demo-" + "".join(random.choices(string.ascii_lowercase, k=6)))
        top.mkdir(mode=0o755)
        options.state = top / "state"
    options.state.parent.mkdir(parents=True, exist_ok=True)
    demo = Demo(options.state.absolute())
    signal.signal(signal.SIGTERM, interrupted)
    status = 0
    begun = time.monotonic()
    try:
        demo.story()
        tell(paint("2", f"all of it in {time.monotonic() - begun:.0f} s"))
        if not options.once:
            demo.where()
            demo.server.wait()
            raise Bad("the house stopped by itself")
    except KeyboardInterrupt:
        print()
    except (Bad, BotoCoreError, ClientError, OSError) as e:
        print(paint("31", f"\nThe story broke: {e}"), file=sys.stderr)
        status = 1
    finally:
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
