"""A house of our own for a test: state folder, processes, people, clients."""

import base64
import contextlib
import hashlib
import hmac
import json
import os
import pathlib
import random
import re
import select
import shutil
import signal
import socket
import ssl
import string
import struct
import subprocess
import sys
import tempfile
import time

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

TOP = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "test" / "decoder"))

import tlog_verify  # noqa: E402

BUILD = pathlib.Path(os.environ.get("CLOISTER_BUILD", TOP / "build"))
CLI = BUILD / "src" / "bin" / "cloister"
REGION = "us-east-1"
ROLES = ("ledger", "warden", "vault", "gate", "steward")
PASSPHRASE = "correct horse battery staple of the tests"
READY_S = 30  # generous: the key derivation of the passphrase is slow on purpose, and the machine may be busy


def word(n=12):
    """random letters: a name without digits can be no number of a person"""
    return "".join(random.choices(string.ascii_lowercase, k=n))


def code(error):
    return error.value.response["Error"]["Code"]


def status(error):
    return error.value.response["ResponseMetadata"]["HTTPStatusCode"]


@contextlib.contextmanager
def refused(*codes, http=None):
    """the S3 call inside is refused with one of these codes (HEAD answers carry the status instead)"""
    try:
        yield
    except ClientError as e:
        got = e.response["Error"]["Code"]
        got_http = e.response["ResponseMetadata"]["HTTPStatusCode"]
        assert got in codes, f"refused with {got} ({got_http}), expected {codes}"
        assert http is None or got_http == http, f"status {got_http}, expected {http}"
    else:
        raise AssertionError(f"not refused; expected {codes}")


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as s:
        return s.getsockname()[1]


class Person:
    def __init__(self, house, name, access_key, secret, **more):
        self.house, self.name, self.access_key, self.secret = house, name, access_key, secret
        self.id, self.password, self.totp = (more.get(k) for k in ("id", "password", "totp_secret"))

    @property
    def arn(self):
        return f"arn:aws:iam::{self.id}:user/{self.name}"

    @property
    def credentials(self):
        """a file for the command line's --credentials"""
        path = self.house.top / f"{self.name}.json"
        path.touch(0o600)
        path.write_text(json.dumps({"endpoint": self.house.url, "ca": str(self.house.ca), "name": self.name,
                                    "access_key": self.access_key, "secret_key": self.secret}))
        return path

    def cli(self, *words, **options):
        """the command line as this person; its JSON"""
        done = self.house.run(*words, "--state", self.house.state, "--credentials", self.credentials, "--json", **options)
        return json.loads(done.stdout) if done.stdout.strip() else None

    @contextlib.contextmanager
    def fresh(self):
        """the same person with another key: one whose failures are his own"""
        key = self.house.people["admin"].cli("key", "create", self.name)
        yield Person(self.house, self.name, key["access_key"], key["secret"], id=self.id, password=self.password, totp_secret=self.totp)
        self.house.people["admin"].cli("key", "revoke", key["access_key"])

    def code_now(self, step=0):
        """RFC 6238, of the authenticator app"""
        secret = base64.b32decode(self.totp + "=" * (-len(self.totp) % 8))
        digest = hmac.new(secret, struct.pack(">Q", int(time.time()) // 30 + step), hashlib.sha1).digest()
        at = digest[-1] & 15
        return f"{(struct.unpack('>I', digest[at:at + 4])[0] & 0x7FFFFFFF) % 1_000_000:06d}"

    def client(self, service="s3", **config):
        config = {"signature_version": "s3v4", "s3": {"addressing_style": "path"}, "retries": {"total_max_attempts": 1},
                  "read_timeout": 60, "max_pool_connections": 32} | config
        return boto3.session.Session().client(
            service, endpoint_url=self.house.url, verify=str(self.house.ca), region_name=REGION,
            aws_access_key_id=self.access_key, aws_secret_access_key=self.secret, config=Config(**config))

    def environment(self):
        """for clients that are programs"""
        keep = {k: v for k, v in os.environ.items() if not k.startswith("AWS_")}
        return keep | {
            "AWS_ACCESS_KEY_ID": self.access_key, "AWS_SECRET_ACCESS_KEY": self.secret, "AWS_DEFAULT_REGION": REGION,
            "AWS_REGION": REGION, "AWS_CA_BUNDLE": str(self.house.ca), "SSL_CERT_FILE": str(self.house.ca),
            "AWS_EC2_METADATA_DISABLED": "true", "AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null"}


class House:
    """Made by init(); start() and stop() as often as wanted. Files: top/{passphrase,credentials,state,serve.log}."""

    def __init__(self, top=None, **configuration):
        self.own = top is None
        self.top = pathlib.Path(top or tempfile.mkdtemp(prefix="cloister-test-", dir="/tmp"))
        self.top.chmod(0o711)  # each process drops to a user of its own, and has to pass through
        self.state = self.top / "state"
        self.passphrase_file = self.top / "passphrase"
        self.credentials = self.top / "credentials"
        self.log_path = self.top / "serve.log"
        self.port = free_port()
        self.process = None
        self.people = {}
        self.configuration = configuration

    # ---- life ----

    def init(self):
        self.passphrase_file.write_text(PASSPHRASE + "\n")
        self.passphrase_file.chmod(0o600)
        self.made = self.run("init", "--state", self.state, "--passphrase-file", self.passphrase_file,
                             "--credentials", self.credentials, "--listen", f"127.0.0.1:{self.port}").stdout
        if self.configuration:
            with (self.state / "cloister.yaml").open("a") as f:
                for key, value in self.configuration.items():
                    f.write(f"{key}: {json.dumps(value)}\n")
        return self

    def start(self, seconds=READY_S):
        assert self.process is None
        ready, ready_end = os.pipe()
        self.log = self.log_path.open("ab")
        self.process = subprocess.Popen(
            [CLI, "serve", "--state", self.state, "--passphrase-file", self.passphrase_file, "--ready-fd", str(ready_end)],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log, start_new_session=True, pass_fds=[ready_end])
        os.close(ready_end)
        with os.fdopen(ready, "rb") as f:
            if not select.select([f], [], [], seconds)[0] or not f.read(1):
                raise AssertionError(f"serve is not ready ({self.process.poll()}):\n{self.log_text()[-4000:]}")
        return self

    def stop(self, signal_=signal.SIGTERM, seconds=30):
        """the exit status"""
        if self.process is None:
            return None
        process, self.process = self.process, None
        if process.poll() is None:
            process.send_signal(signal_)
        try:
            return process.wait(seconds)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            return "did not stop"
        finally:
            self.log.close()

    def release(self):
        self.stop()
        if self.own:
            shutil.rmtree(self.top, ignore_errors=True)

    # ---- looking at it ----

    @property
    def url(self):
        return f"https://127.0.0.1:{self.port}"

    @property
    def ca(self):
        return self.state / "ca.pem"

    @property
    def vkey(self):
        return (self.state / "ledger.vkey").read_text().strip()

    def log_text(self):
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    def bugs(self):
        """lines of the log that no test may leave behind"""
        bad = re.compile(r"\bbug\b|INVARIANT|AddressSanitizer|runtime error|SIGSEGV|SIGABRT|SIGSYS|core dumped", re.IGNORECASE)
        return [line for line in self.log_text().splitlines() if bad.search(line)]

    def pids(self):
        """{role: pid} of what runs now"""
        found = {}
        todo = [self.process.pid]
        while todo:
            pid = todo.pop()
            with contextlib.suppress(OSError):
                name = pathlib.Path(os.readlink(f"/proc/{pid}/exe")).name.split(" ")[0]
                found[name.removeprefix("cloister-")] = pid
                for task in os.listdir(f"/proc/{pid}/task"):
                    todo += map(int, pathlib.Path(f"/proc/{pid}/task/{task}/children").read_text().split())
        return found

    def rss(self, role):
        """resident KiB"""
        text = pathlib.Path(f"/proc/{self.pids()[role]}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", text).group(1))

    # ---- the command line ----

    def run(self, *words, status=0, stdin="", timeout=120):
        done = subprocess.run([str(CLI), *map(str, words)], input=stdin, capture_output=True, text=True, timeout=timeout,
                              env={"PATH": os.environ["PATH"], "HOME": str(self.top), "LC_ALL": "C.UTF-8"}, check=False)
        if status is not None:
            assert done.returncode == status, f"cloister {' '.join(map(str, words))}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done

    def add(self, name, *roles, service=False):
        """a person with an access key"""
        admin = self.people["admin"]
        words = [w for r in roles for w in ("--role", r)] + (["--service"] if service else [])
        made = admin.cli("user", "add", name, *words)
        key = admin.cli("key", "create", name)
        self.people[name] = Person(self, name, key["access_key"], key["secret"], **{k: made.get(k) for k in ("id", "password", "totp_secret")})
        return self.people[name]

    def add_everybody(self):
        made = json.loads(self.credentials.read_text())
        self.people["admin"] = Person(self, made["name"], made["access_key"], made["secret_key"],
                                      **{k: made[k] for k in ("id", "password", "totp_secret")})
        self.add("alice", "data-steward")
        self.add("bob", "researcher")
        self.add("carol", "researcher")
        self.add("audrey", "auditor")
        self.add("sam", "security-officer")
        self.add("paula", "privacy-officer")

    def audit(self, **query):
        """records, oldest first; by the auditor"""
        words = [w for k, v in ({"limit": 10000} | query).items() for w in (f"--{k}", v)]
        done = self.run("audit", "show", *words, "--json", "--state", self.state, "--credentials", self.people["audrey"].credentials)
        return sorted(map(json.loads, done.stdout.splitlines()), key=lambda r: r["n"])

    def verified(self):
        """every record of the log, by the second verifier; the house stands still"""
        return tlog_verify.verify(self.state / "ledger", self.vkey)

    # ---- raw HTTP over TLS ----

    def tls(self):
        return ssl.create_default_context(cafile=str(self.ca))

    def connect(self, timeout=30, source=None):
        """from an address of its own, so that one test's wrong proofs do not slow another's down"""
        source = source or f"127.{random.randint(1, 250)}.{random.randint(0, 250)}.{random.randint(1, 250)}"
        raw = socket.create_connection(("127.0.0.1", self.port), timeout=timeout, source_address=(source, 0))
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return self.tls().wrap_socket(raw, server_hostname="127.0.0.1")

    def http(self, method, target, headers=(), body=b"", **options):
        """one request, exactly these bytes; the answer"""
        headers = dict(headers)
        lines = [f"{method} {target} HTTP/1.1"]
        if not any(k.lower() == "host" for k in headers):
            lines.append(f"Host: 127.0.0.1:{self.port}")
        if body and not any(k.lower() in ("content-length", "transfer-encoding") for k in headers):
            lines.append(f"Content-Length: {len(body)}")
        lines += [f"{k}: {v}" for k, v in headers.items()]
        return self.raw("\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body, head=method == "HEAD", **options)

    def raw(self, data, head=False, **options):
        with self.connect(**options) as s:
            with contextlib.suppress(BrokenPipeError, ConnectionResetError, ssl.SSLError):
                s.sendall(data)
            return Answer.read(s, head)


class Answer:
    """What a server said on a socket; status 0: it closed without an answer."""

    def __init__(self, status_, headers, body):
        self.status, self.headers, self.body = status_, headers, body

    @property
    def text(self):
        return self.body.decode("utf-8", "replace")

    @property
    def code(self):
        found = re.search(r"<Code>(\w+)</Code>", self.text)
        return found.group(1) if found else None

    def __repr__(self):
        return f"<{self.status} {self.code} {self.text[:200]!r}>"

    @classmethod
    def read(cls, s, head=False):
        data = b""
        try:
            while True:
                while b"\r\n\r\n" not in data:
                    more = s.recv(65536)
                    if not more:
                        return cls(0, {}, data)
                    data += more
                top, data = data.split(b"\r\n\r\n", 1)
                first, *rest = top.decode("latin-1").split("\r\n")
                status_ = int(first.split()[1])
                if status_ != 100:
                    break
            headers = {k.strip().lower(): v.strip() for k, _, v in (line.partition(":") for line in rest)}
            if head or status_ in (204, 304):
                return cls(status_, headers, b"")
            if headers.get("transfer-encoding") == "chunked":
                return cls(status_, headers, cls.chunks(s, data))
            want = int(headers.get("content-length", -1))
            while want < 0 or len(data) < want:
                more = s.recv(65536)
                if not more:
                    break
                data += more
            return cls(status_, headers, data if want < 0 else data[:want])
        except (ConnectionResetError, ssl.SSLError):
            return cls(0, {}, data)

    @staticmethod
    def chunks(s, data):
        body = b""
        while True:
            while b"\r\n" not in data:
                data += s.recv(65536)
            size, data = data.split(b"\r\n", 1)
            n = int(size.split(b";")[0], 16)
            while len(data) < n + 2:
                more = s.recv(65536)
                if not more:
                    return body + data
                data += more
            body += data[:n]
            data = data[n + 2:]
            if n == 0:
                return body
