"""The way into a cell through a browser, on a running house with JupyterLab behind its gate: who comes in, what passes, and what ends a sitting that has begun.
Everybody here is synthetic."""

import base64
import contextlib
import http.client
import json
import os
import random
import socket
import struct
import subprocess
import time
import urllib.parse
import uuid

import pytest
from house import CLI, House, free_port, word
from sigv4 import Signer
from test_release import CELLS, FIRST_LOOK, PATIENCE_S, TOOLS, approved, released

pytestmark = pytest.mark.skipif(not CELLS, reason="cells need root and the tools that ./run makes")
END_S = 30  # patience until what must end has ended; a test that waits so long fails
ABSENT = "00" * 16


class Browser:
    """What a browser does at the cells' origin: cookies, Origin, a websocket. ${source}: an address of its own."""

    def __init__(self, house, port):
        self.house, self.port, self.cookies, self.set_cookies = house, port, {}, []
        self.source = f"127.{random.randint(1, 250)}.{random.randint(0, 250)}.{random.randint(1, 250)}"

    @property
    def origin(self):
        return f"https://127.0.0.1:{self.port}"

    def headers(self, more):
        said = {"Origin": self.origin}
        if self.cookies:
            said["Cookie"] = "; ".join(f"{k}={v}" for k, v in self.cookies.items())
        if "_xsrf" in self.cookies:
            said["X-XSRFToken"] = self.cookies["_xsrf"]
        return {k: v for k, v in (said | (more or {})).items() if v is not None}

    def ask(self, method, target, body=None, headers=None):
        """(status, headers, bytes)"""
        c = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=60, context=self.house.tls(), source_address=(self.source, 0))
        with contextlib.closing(c):
            sent = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
            c.request(method, target, sent, self.headers(headers))
            answer = c.getresponse()
            data = answer.read()
        for line in answer.headers.get_all("Set-Cookie") or ():
            self.set_cookies.append(line)
            name, _, value = line.split(";")[0].partition("=")
            self.cookies[name] = value
        return answer.status, answer.headers, data

    def enter(self, url):
        """with a ticket; the status"""
        asked = urllib.parse.urlsplit(url)
        assert f"https://{asked.netloc}" == self.origin
        status, headers, _ = self.ask("GET", f"{asked.path}?{asked.query}", headers={"Origin": None})
        self.at = headers.get("Location")
        return status

    def websocket(self, target):
        """the answer's status, and the socket if it is 101"""
        key = base64.b64encode(os.urandom(16)).decode()
        more = {"Host": f"127.0.0.1:{self.port}", "Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Key": key, "Sec-WebSocket-Version": "13"}
        raw = socket.create_connection(("127.0.0.1", self.port), timeout=60, source_address=(self.source, 0))
        s = self.house.tls().wrap_socket(raw, server_hostname="127.0.0.1")
        s.sendall((f"GET {target} HTTP/1.1\r\n" + "".join(f"{k}: {v}\r\n" for k, v in self.headers(more).items()) + "\r\n").encode())
        head = b""
        while not head.endswith(b"\r\n\r\n") and (c := s.recv(1)):
            head += c
        status = int(head.split()[1])
        if status == 101:
            return status, Websocket(s)
        s.close()
        return status, None


class Websocket:
    """RFC 6455, as much as a kernel's messages need"""

    def __init__(self, s):
        self.s = s

    def send(self, document, op=1):
        data, mask = json.dumps(document).encode() if op == 1 else document, os.urandom(4)
        size = struct.pack(">B", 0x80 | len(data)) if len(data) < 126 else struct.pack(">BH", 0x80 | 126, len(data))
        self.s.sendall(bytes([0x80 | op]) + size + mask + bytes(b ^ mask[i % 4] for i, b in enumerate(data)))

    def exactly(self, n):
        data = b""
        while len(data) < n:
            more = self.s.recv(n - len(data))
            if not more:
                raise EOFError
            data += more
        return data

    def receive(self):
        """the next text message; EOFError: the other end has gone"""
        text = b""
        while True:
            first, second = self.exactly(2)
            n = second & 127
            if n > 125:
                n = struct.unpack(*((">H", self.exactly(2)) if n == 126 else (">Q", self.exactly(8))))[0]
            data = self.exactly(n)
            if first & 15 == 8:
                raise EOFError
            if first & 15 == 9:
                self.send(data, 10)
            elif first & 15 in (0, 1):
                text += data
                if first & 0x80:
                    return json.loads(text)

    def run(self, code):
        """what a kernel shows for this expression"""
        asked = uuid.uuid4().hex
        self.send({"header": {"msg_id": asked, "username": "", "session": uuid.uuid4().hex, "msg_type": "execute_request", "version": "5.3", "date": ""},
                   "parent_header": {}, "metadata": {}, "channel": "shell", "buffers": [],
                   "content": {"code": code, "silent": False, "store_history": False, "user_expressions": {}, "allow_stdin": False, "stop_on_error": True}})
        while True:
            said = self.receive()
            if said["parent_header"].get("msg_id") != asked:
                continue
            if said["msg_type"] == "execute_result":
                return said["content"]["data"]["text/plain"]
            assert said["msg_type"] != "error", said["content"]

    def ends(self):
        """whether it is closed from the other side, while nobody here does anything"""
        until = time.monotonic() + END_S
        try:
            while (left := until - time.monotonic()) > 0:
                self.s.settimeout(left)
                self.receive()
        except TimeoutError:
            return False
        except (EOFError, OSError):
            return True
        return False


# ---- the house, its study, its cells ----

@pytest.fixture(scope="module")
def inn(tmp_path_factory):
    port = free_port()
    h = House(cells={"tools": str(TOOLS), "memory_mib": 1024, "disk_mib": 128, "listen": f"127.0.0.1:{port}"})
    try:
        h.init().start()
        h.add_everybody()
        feed = h.add("north", "feed", service=True)
        for name, role in (("pia", "principal-investigator"), ("ira", "irb-member"), ("ivo", "it-reviewer"), ("mona", "management-reviewer"),
                           ("rex", "research-reviewer")):
            h.add(name, role)
        out = tmp_path_factory.mktemp("hospital")
        subprocess.run([CLI, "synth", "--patients", "12", "--seed", "4", "--format", "fhir", "--out", out], check=True, capture_output=True, timeout=120)
        feed.client().put_object(Bucket="landing", Key=f"north/drop/{word()}.ndjson", Body=(out / "fhir/bundles.ndjson").read_bytes())
        until = time.monotonic() + PATIENCE_S
        while not h.people["alice"].cli("flow")["pool"]["patients"]:
            assert time.monotonic() < until, h.log_text()[-3000:]
            time.sleep(0.2)
        h.cells_port = port
        h.study = approved(h, tmp_path_factory.mktemp("letter"))
        made = released(h, h.study)
        assert made["state"] == "ready", (made, h.log_text()[-3000:])
        yield h
        assert h.stop() == 0, h.log_text()[-3000:]
        assert h.bugs() == []
    finally:
        h.release()


def opened(inn, who):
    """a cell whose notebook answers"""
    person = inn.people[who]
    made = person.cli("cell", "open", inn.study)
    until = time.monotonic() + PATIENCE_S
    while not ((c := person.cli("cell", "show", made.get("cell") or made["id"])).get("live", {}).get("staged") and c["live"].get("notebook")):
        assert time.monotonic() < until, (c, inn.log_text()[-3000:])
        time.sleep(0.2)
    return c["id"]


def ticket(inn, who, cell):
    """the address with a ticket in it, as the console asks for it"""
    answer = Signer(inn, inn.people[who]).request("POST", f"/api/cells/{cell}/enter", b"{}", headers={"Content-Type": "application/json"})
    return json.loads(answer.body)["url"] if answer.status == 200 else answer.status


def seated(inn, who, cell):
    b = Browser(inn, inn.cells_port)
    assert b.enter(ticket(inn, who, cell)) == 303
    assert b.at == f"/cell/{cell}/lab"
    return b


def at_a_kernel(inn, who, cell):
    """a browser with a websocket to a kernel that has answered"""
    b = seated(inn, who, cell)
    assert b.ask("GET", f"/cell/{cell}/lab")[0] == 200
    status, _, body = b.ask("POST", f"/cell/{cell}/api/kernels", {"name": "python3"}, {"Content-Type": "application/json"})
    assert status == 201, body
    status, ws = b.websocket(f"/cell/{cell}/api/kernels/{json.loads(body)['id']}/channels?session_id={uuid.uuid4().hex}")
    assert status == 101
    assert ws.run("1+1") == "2"
    return b, ws


@pytest.fixture(scope="module")
def cell(inn):
    return opened(inn, "bob")


@pytest.fixture(scope="module")
def hers(inn):
    """the principal investigator's, of the same study"""
    return opened(inn, "pia")


@pytest.fixture(scope="module")
def bob(inn, cell):
    """in his cell, with the cookies that JupyterLab gives its page"""
    b = seated(inn, "bob", cell)
    assert b.ask("GET", f"/cell/{cell}/lab")[0] == 200
    return b


# ---- who comes in ----

def test_a_ticket_works_once(inn, cell):
    url = ticket(inn, "bob", cell)
    first, second = Browser(inn, inn.cells_port), Browser(inn, inn.cells_port)
    assert first.enter(url) == 303
    assert second.enter(url) == 401 and not second.cookies
    assert first.ask("GET", f"/cell/{cell}/api/status")[0] == 200
    for made_up in (url[:-4] + "AAAA", url.split("?")[0], url.split("?")[0] + "?ticket=", url.split("?")[0] + "?ticket=" + "a" * 5000):
        assert second.enter(made_up) in (401, 404) and not second.cookies


def test_without_a_cookie_there_is_nothing(inn, cell):
    b = Browser(inn, inn.cells_port)
    for path in ("lab", "api/status", "api/contents/" + FIRST_LOOK, "static/x.js", "files/" + FIRST_LOOK):
        status, _, body = b.ask("GET", f"/cell/{cell}/{path}")
        assert status == 401 and b"upyter" not in body, path
    b.cookies["__Host-cell"] = "A" * 43
    assert b.ask("GET", f"/cell/{cell}/lab")[0] == 401
    assert b.websocket(f"/cell/{cell}/api/kernels/{uuid.uuid4()}/channels")[0] == 401
    assert b.ask("GET", "/")[0] == b.ask("GET", "/api/healthz")[0] == 404  # another origin, with another house


def test_nobody_sits_in_anothers_cell(inn, bob, cell, hers):
    for who in ("pia", "carol", "admin", "sam"):  # of the study, a stranger, and those who run the house
        assert ticket(inn, who, cell) in (403, 404), who
    pia = seated(inn, "pia", hers)
    assert pia.ask("GET", f"/cell/{hers}/api/status")[0] == 200
    for b, other in ((pia, cell), (bob, hers), (bob, ABSENT)):
        assert b.ask("GET", f"/cell/{other}/api/status")[0] == 401
        assert b.websocket(f"/cell/{other}/api/kernels/{uuid.uuid4()}/channels")[0] == 401
    for winding in (f"/cell/{cell}/../{hers}/api/status", f"/cell/{cell}/%2e%2e/{hers}/api/status", f"/cell/{cell}//cell/{hers}/api/status"):
        assert bob.ask("GET", winding)[0] in (400, 401, 404), winding


def test_another_sites_page_does_nothing(inn, bob, cell):
    elsewhere = {"Origin": "https://evil.example"}
    assert bob.ask("GET", f"/cell/{cell}/api/status", headers=elsewhere)[0] == 403
    assert bob.ask("GET", f"/cell/{cell}/api/status", headers={"Sec-Fetch-Site": "cross-site", "Origin": None})[0] == 403
    assert bob.ask("POST", f"/cell/{cell}/api/kernels", {"name": "python3"}, {"Origin": None})[0] == 403
    assert bob.ask("POST", f"/cell/{cell}/api/kernels", {"name": "python3"}, elsewhere)[0] == 403
    other = Browser(inn, inn.cells_port)
    other.cookies = dict(bob.cookies)
    other.headers = lambda more: Browser.headers(other, more) | elsewhere
    assert other.websocket(f"/cell/{cell}/api/kernels/{uuid.uuid4()}/channels")[0] == 403


# ---- what passes ----

def test_lab_and_a_kernel(inn, cell):
    b, ws = at_a_kernel(inn, "bob", cell)
    status, headers, page = b.ask("GET", f"/cell/{cell}/lab")
    assert status == 200 and b"JupyterLab" in page
    assert ws.run("len(__import__('os').listdir('/release/parquet')) > 0") == "True"  # with the data in it
    assert ws.run("6*7") == "42"
    text = {"type": "file", "format": "text", "content": "a = 1\n"}
    assert b.ask("PUT", f"/cell/{cell}/api/contents/own.py", text, {"Content-Type": "application/json"})[0] == 201
    assert json.loads(b.ask("GET", f"/cell/{cell}/api/contents/own.py?content=1")[2])["content"] == "a = 1\n"


def test_the_page_is_confined(inn, cell):
    b = seated(inn, "bob", cell)
    for path in ("lab", "api/status"):
        _, headers, _ = b.ask("GET", f"/cell/{cell}/{path}")
        policy = {p.split()[0]: p.split()[1:] for p in headers.get("Content-Security-Policy").split(";") if p.strip()}
        assert policy["default-src"][0] == "'self'" and policy["frame-ancestors"] == ["'none'"] and policy["object-src"] == ["'none'"]
        assert policy["form-action"] == ["'self'"] and policy["base-uri"] == ["'self'"]
        hosts = {urllib.parse.urlsplit(w).netloc for words in policy.values() for w in words if "//" in w}
        assert hosts <= {f"127.0.0.1:{b.port}"}, policy  # its pages may connect nowhere else
        assert len(headers.get_all("Content-Security-Policy")) == 1
        assert headers["X-Content-Type-Options"] == "nosniff" and headers["Referrer-Policy"] == "no-referrer"
        assert headers["Cross-Origin-Opener-Policy"] == headers["Cross-Origin-Resource-Policy"] == "same-origin"
        assert "Access-Control-Allow-Origin" not in headers
    own = [c for c in b.set_cookies if c.startswith("__Host-cell=")]
    rest = [c for c in b.set_cookies if c not in own]
    words = [{w.strip().lower() for w in c.split(";")[1:]} for c in b.set_cookies]
    assert len(own) == 1 and {"secure", "httponly", "samesite=strict", "path=/"} <= words[0]
    assert rest, "JupyterLab sets a cookie against forged requests"
    for c in rest:
        confined = {w.strip().lower() for w in c.split(";")[1:]}
        assert {"secure", "samesite=strict", f"path=/cell/{cell}/"} <= confined and not [w for w in confined if w.startswith("domain")], c


def test_no_file_leaves_or_comes_by_the_browser(inn, bob, cell):
    notebook = f"/cell/{cell}/api/contents/{FIRST_LOOK}"
    assert bob.ask("GET", notebook + "?content=1")[0] == 200  # as the screen shows it
    for path in (f"files/{FIRST_LOOK}", f"files/{FIRST_LOOK}?download=1", f"view/{FIRST_LOOK}", f"nbconvert/html/{FIRST_LOOK}",
                 f"nbconvert/script/{FIRST_LOOK}?download=true", f"api/contents/{FIRST_LOOK}?download=1", "lab?download=1", f"%66iles/{FIRST_LOOK}",
                 f"api/contents/{FIRST_LOOK}?content=1&format=base64"):
        status, headers, body = bob.ask("GET", f"/cell/{cell}/{path}")
        assert status == 403 and b"airlock" in body and b"cells" not in body, (path, status)
    assert bob.ask("GET", notebook, headers={"Sec-Fetch-Mode": "navigate"})[0] == 403  # saved as a page
    json_ = {"Content-Type": "application/json"}
    upload = {"type": "file", "format": "base64", "content": base64.b64encode(b"PK\3\4").decode()}
    for document in (upload, upload | {"chunk": 1}, upload | {"format": "text", "chunk": -1}):
        assert bob.ask("PUT", f"/cell/{cell}/api/contents/in.bin", document, json_)[0] == 403
    assert bob.ask("PUT", f"/cell/{cell}/api/contents/in.bin", b"PK\3\4", json_)[0] == 403
    assert bob.ask("GET", f"/cell/{cell}/api/contents/in.bin")[0] == 404
    for method, path in (("GET", "api/terminals"), ("POST", "api/terminals"), ("GET", "terminals/1"), ("GET", "proxy/8080/"), ("GET", "lab/../files/x")):
        assert bob.ask(method, f"/cell/{cell}/{path}", b"{}" if method == "POST" else None, json_)[0] == 404, path
    assert bob.websocket(f"/cell/{cell}/terminals/websocket/1")[0] == 404
    told = [r for r in inn.audit(act="cell.refused") if r["other"] == cell]
    assert {r["reason"] for r in told if r.get("addr") == bob.source} == {"download", "upload", "terminal"}, told
    assert {r["who"] for r in told if r.get("addr") == bob.source} == {inn.people["bob"].id}
    assert len([r for r in told if r["reason"] == "download"]) < 10  # one of a kind in ten seconds


# ---- what ends it ----

def is_out(b, cell):
    until = time.monotonic() + END_S
    while b.ask("GET", f"/cell/{cell}/api/status")[0] not in (401, 404, 503):
        assert time.monotonic() < until
        time.sleep(0.1)
    return b.websocket(f"/cell/{cell}/api/kernels/{uuid.uuid4()}/channels")[0] in (401, 404, 503)


def test_a_closed_cell_is_left(inn, cell, hers, bob):
    b, ws = at_a_kernel(inn, "pia", hers)
    unused = ticket(inn, "pia", hers)
    inn.people["pia"].cli("cell", "close", hers)
    assert ws.ends() and is_out(b, hers)
    assert Browser(inn, inn.cells_port).enter(unused) in (401, 404)
    assert bob.ask("GET", f"/cell/{cell}/api/status")[0] == 200  # the other one is not disturbed


def test_a_revoked_person_is_out(inn, cell):
    """at once, and taking him back does not bring the sitting back"""
    b, ws = at_a_kernel(inn, "bob", cell)
    unused = ticket(inn, "bob", cell)
    inn.people["sam"].cli("user", "revoke", "bob")
    assert ws.ends() and is_out(b, cell)
    assert Browser(inn, inn.cells_port).enter(unused) in (401, 404)


def test_a_lockdown_ends_all(inn):
    hers = opened(inn, "pia")
    b, ws = at_a_kernel(inn, "pia", hers)
    unused = ticket(inn, "pia", hers)
    inn.people["sam"].cli("lockdown")
    assert ws.ends() and is_out(b, hers)
    assert Browser(inn, inn.cells_port).enter(unused) in (401, 404, 503)
    for who in ("sam", "paula"):  # two persons open the house again; nobody sits in a cell for that
        inn.run("lockdown", "--lift", "--state", inn.state, "--credentials", inn.people[who].credentials, status=None)
    assert inn.people["pia"].cli("whoami")["name"] == "pia"
    assert b.ask("GET", f"/cell/{hers}/api/status")[0] in (401, 404)
    assert Browser(inn, inn.cells_port).enter(unused) in (401, 404)
