"""A house as its people use it: the command line, the API with signed requests, a progress bar, and plain words on the terminal."""

import base64
import contextlib
import hashlib
import http.client
import json
import os
import pathlib
import signal
import socket
import ssl
import subprocess
import sys
import time

import boto3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials

TOP = pathlib.Path(__file__).resolve().parent.parent
CLI = pathlib.Path(os.environ.get("CLOISTER_BUILD", TOP / "build")) / "src" / "bin" / "cloister"
TTY = sys.stdout.isatty()
PORTS = {"house": 8443, "cells": 8444, "mllp": 2575, "broker": 1883}


def paint(code, text):
    return f"\x1b[{code}m{text}\x1b[0m" if TTY else text


def chapter(title):
    print("\n" + paint("1", title), flush=True)


def tell(text):
    print("  " + text, flush=True)


def aside(text):
    tell(paint("2", text))


def good(text):
    tell(paint("32", "✓ ") + text)


def refused_well(what, why):
    tell(paint("32", "✓ ") + what + " → " + paint("33", f"refused: {why}"))


class Bad(Exception):
    """the story did not go as it must"""


class Bar:
    """how far it is: a moving line on a terminal, a line at the end elsewhere"""

    def __init__(self, label, total, unit="files"):
        self.label, self.total, self.unit, self.done, self.begun, self.shown = label, total, unit, 0, time.monotonic(), 0.0

    def add(self, n=1):
        self.set(self.done + n)

    def set(self, done):
        self.done = done
        if TTY and time.monotonic() - self.shown > 0.05:
            self.shown = time.monotonic()
            width = min(30, 30 * self.done // max(1, self.total))
            print(f"\r  {self.label} [{'█' * width}{'·' * (30 - width)}] {self.done:,}/{self.total:,} {self.unit}\x1b[K", end="", flush=True)

    def end(self, quiet=False):
        seconds = time.monotonic() - self.begun
        if TTY:
            print("\r\x1b[K", end="")
        if not quiet:
            good(f"{self.label}: {self.done:,} {self.unit} in {seconds:.1f} s ({self.done / max(seconds, 0.001):,.0f} a second)")
        return seconds


def free_port(wanted):
    """the wanted port if nobody has it, else any"""
    for port in (wanted, 0):
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)) as s:
            return s.getsockname()[1]
    raise Bad("no port is free")


class House:
    """a house in a folder, and the keys of its people beside it"""

    def __init__(self, state):
        self.state = state
        self.keys = state.parent / (state.name + "-keys")  # what only its owner may have: not in the house
        self.server = None
        self.passphrase = self.keys / "passphrase"
        self.context = None

    # ---- life ----

    @staticmethod
    def write_private(path, text):
        with open(path, "w", opener=lambda p, flags: os.open(p, flags, 0o600)) as f:
            f.write(text)

    def init(self, settings):
        """a new house, with these lines in its configuration; false: it is there already"""
        self.keys.mkdir(mode=0o700, parents=True, exist_ok=True)
        if (self.state / "cloister.yaml").exists():
            self.know()
            return False
        self.write_private(self.passphrase, base64.b32encode(os.urandom(20)).decode().lower() + "\n")
        with contextlib.suppress(FileNotFoundError):
            (self.keys / "admin.json").unlink()
        self.cli("init", "--passphrase-file", self.passphrase, "--credentials", self.keys / "admin.json", "--listen", f"127.0.0.1:{free_port(PORTS['house'])}")
        with open(self.state / "cloister.yaml", "a") as f:
            f.write(settings)
        self.know()
        return True

    def know(self):
        self.endpoint = json.loads((self.keys / "admin.json").read_text())["endpoint"].rstrip("/")
        self.context = ssl.create_default_context(cafile=str(self.state / "ca.pem"))

    def serve(self):
        """starts it; what it listens on, a line each"""
        read_end, write_end = os.pipe()
        self.log = (self.keys / "serve.log").open("ab")
        self.server = subprocess.Popen([CLI, "serve", "--state", self.state, "--passphrase-file", self.passphrase, "--ready-fd", str(write_end)],
                                       pass_fds=[write_end], stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log, start_new_session=True)
        os.close(write_end)
        with os.fdopen(read_end, "rb") as f:
            lines = f.read().decode().split()
        if not lines:
            raise Bad(f"the house did not start; see {self.keys / 'serve.log'}")
        return lines

    def stop(self):
        if self.server and self.server.poll() is None:
            self.server.send_signal(signal.SIGTERM)
            try:
                self.server.wait(60)
            except subprocess.TimeoutExpired:
                os.killpg(self.server.pid, signal.SIGKILL)
                raise Bad("the house did not stop") from None
        if self.server and self.server.returncode != 0:
            raise Bad(f"the house ended with {self.server.returncode}; see {self.keys / 'serve.log'}")

    # ---- the command line ----

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

    # ---- the API and S3, with signed requests ----

    def key(self, who):
        return json.loads((self.keys / f"{who}.json").read_text())

    def s3(self, who):
        k = self.key(who)
        return boto3.client("s3", endpoint_url=self.endpoint, verify=str(self.state / "ca.pem"), region_name="us-east-1", aws_access_key_id=k["access_key"],
                            aws_secret_access_key=k["secret_key"], config=Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 2}))

    def ask(self, who, method, path, document=None, body=None):
        """(status, the answer): a JSON document where it is one, else bytes"""
        data = body if body is not None else b"" if document is None else json.dumps(document).encode()
        request = AWSRequest(method, self.endpoint + path, data=data, headers={"x-amz-content-sha256": hashlib.sha256(data).hexdigest()})
        if document is not None:
            request.headers["Content-Type"] = "application/json"
        k = self.key(who)
        SigV4Auth(Credentials(k["access_key"], k["secret_key"]), "s3", "us-east-1").add_auth(request)
        host, port = self.endpoint.removeprefix("https://").rsplit(":", 1)
        connection = http.client.HTTPSConnection(host.strip("[]"), int(port), context=self.context, timeout=300)
        try:
            connection.request(method, path, body=data, headers=dict(request.headers))
            answer = connection.getresponse()
            text = answer.read()
            if "json" in (answer.getheader("Content-Type") or ""):
                return answer.status, json.loads(text or b"{}")
            return answer.status, text
        finally:
            connection.close()

    def api(self, who, method, path, document=None, body=None):
        """the answer; anything but a success breaks the story"""
        status, answer = self.ask(who, method, path, document, body)
        if status >= 300:
            raise Bad(f"{who} {method} {path}: {status} {answer.get('message', answer) if isinstance(answer, dict) else answer[:200]}")
        return answer

    def must_refuse(self, what, who, method, path, document=None, body=None):
        status, answer = self.ask(who, method, path, document, body)
        if status < 400 or status >= 500:
            raise Bad(f"{what} was not refused ({status})")
        refused_well(what, answer.get("message") or answer.get("code") or str(status) if isinstance(answer, dict) else str(status))

    def wait_job(self, who, job, label, quiet=False):
        """its result, when it has ended; a failed one is Bad"""
        ended = self.end_of_job(who, job, label)
        if ended["state"] != "done":
            raise Bad(f"{label}: {ended.get('reason', 'failed')} {json.dumps(ended.get('result', {}))}")
        if not quiet:
            good(label)
        return ended.get("result", {})

    def end_of_job(self, who, job, label):
        bar, until = Bar(label, 1, ""), time.monotonic() + 300
        while time.monotonic() < until:
            now = self.api(who, "GET", f"/api/jobs/{job}")
            if now["state"] in ("done", "failed"):
                bar.end(quiet=True)
                return now
            bar.total = now.get("total") or 1
            bar.set(now.get("done") or 0)
            time.sleep(0.05)
        raise Bad(f"{label}: no end after five minutes")
