"""HL7 v2 over MLLP: who may deliver, what is answered when, and that nothing acknowledged is lost."""

import asyncio
import collections
import contextlib
import os
import pathlib
import random
import shutil
import signal
import socket
import sqlite3
import ssl
import subprocess
import threading
import time

import hl7.mllp
import pytest
from house import House, free_port, word
from mllp import BEGIN, Feed, adt, code, error, frame, stranger

CLIENTS = pathlib.Path(__file__).resolve().parents[1] / "clients"
NODE_MODULES = pathlib.Path(os.environ.get("CLOISTER_NODE", pathlib.Path(os.environ.get("CLOISTER_BUILD", CLIENTS.parents[1] / "build")) / "node"))
PATIENCE_S = 30
KILLS = int(os.environ.get("CLOISTER_KILLS", "30"))


@contextlib.contextmanager
def opened(**more):
    port = free_port()
    h = House(intake={"mllp": [f"127.0.0.1:{port}"]} | more)
    h.mllp_port = port
    try:
        h.init().start()
        h.add_everybody()
        yield h
    finally:
        h.release()


@pytest.fixture(scope="module")
def inn():
    """a house that feeds deliver to"""
    with opened() as h:
        yield h
        status = h.stop()
        assert status == 0, h.log_text()[-4000:]
        assert h.bugs() == []


@pytest.fixture(scope="module")
def dawdlers(inn):
    """from the beginning on: one who never ends his frame, and one who never says who he is"""
    feed = Feed(inn, "feed-" + word(), inn.mllp_port)
    with feed.connect(timeout=150) as s, socket.create_connection(("127.0.0.1", inn.mllp_port), timeout=150) as raw:
        s.raw(BEGIN + adt("NEVER")[:80])
        raw.sendall(b"\x16\x03\x01")
        yield feed, s, raw


@pytest.fixture
def feed(inn, dawdlers):
    return Feed(inn, "feed-" + word(), inn.mllp_port)


@pytest.fixture
def sender(feed):
    with feed.connect() as s:
        yield s


def until(what):
    end = time.monotonic() + PATIENCE_S
    while not (found := what()):
        assert time.monotonic() < end, "did not happen"
        time.sleep(0.02)
    return found


def received(house, feed):
    """its records, oldest first"""
    return [r for r in house.audit(act="feed.receive") if r["other"] == feed.id]


def words(records):
    return [(r["decision"], r.get("reason")) for r in records]


# ---- who ----

def test_real_client_python(inn, feed):
    async def talk():
        reader, writer = await hl7.mllp.open_hl7_connection("127.0.0.1", inn.mllp_port, ssl=feed.context(), server_hostname="127.0.0.1")
        answers = []
        for i in range(20):
            message = hl7.parse(adt(f"P{i}").decode())
            writer.writemessage(message)
            await writer.drain()
            answers.append(await reader.readmessage())
        writer.close()
        return answers

    answers = asyncio.run(talk())
    assert [(str(a.segment("MSA")[1]), str(a.segment("MSA")[2])) for a in answers] == [("AA", f"P{i}") for i in range(20)]
    assert str(answers[0].segment("MSH")[5]) == "LAB"  # back to where it came from
    assert words(received(inn, feed)) == [("allow", None)] * 20


def test_real_client_javascript(inn, feed):
    node = shutil.which("node")
    if not node or not (NODE_MODULES / "node_modules" / "node-hl7-client").exists():
        pytest.skip("build/node is made by ./run test")
    shutil.copy(CLIENTS / "hl7_client.mjs", NODE_MODULES / "hl7_client.mjs")
    done = subprocess.run([node, NODE_MODULES / "hl7_client.mjs", str(inn.mllp_port), inn.ca, feed.cert, feed.key], capture_output=True, text=True,
                          timeout=60, check=False)
    assert done.stdout.strip().endswith("ok"), done.stdout + done.stderr
    assert len(received(inn, feed)) == 20


def turned_away(context, port):
    """no message of such a client is answered"""
    try:
        raw = socket.create_connection(("127.0.0.1", port), timeout=20)
        with context.wrap_socket(raw, server_hostname="127.0.0.1") as s:
            s.sendall(frame(adt("X1")))
            return s.recv(100) == b""
    except (ssl.SSLError, ConnectionError):
        return True


def test_no_certificate(inn):
    assert turned_away(inn.tls(), inn.mllp_port)


def test_a_stranger_s_certificate(inn, tmp_path):
    c = inn.tls()
    c.load_cert_chain(*stranger(tmp_path))
    assert turned_away(c, inn.mllp_port)


@pytest.mark.filterwarnings("ignore:.*TLSv1.*deprecated")
def test_old_tls(inn, feed):
    c = feed.context()
    c.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    c.maximum_version = ssl.TLSVersion.TLSv1_1
    c.set_ciphers("ALL:@SECLEVEL=0")
    assert turned_away(c, inn.mllp_port)
    c = feed.context()
    c.maximum_version = ssl.TLSVersion.TLSv1_2
    with feed.connect(c) as s:
        assert s.s.version() == "TLSv1.2"
        assert code(s.send(adt("T1"))) == ("AA", "T1")


def test_no_tls(inn):
    with socket.create_connection(("127.0.0.1", inn.mllp_port), timeout=20) as s:
        s.sendall(frame(adt("X2")))
        s.settimeout(20)
        with contextlib.suppress(ConnectionError):
            assert b"MSA" not in s.recv(4096)


def test_a_certificate_of_the_house_that_is_no_feed_s(inn, tmp_path):
    """a person's name on it makes nobody a feed; a revoked feed's certificate is refused at once, also on an open connection"""
    gone = Feed(inn, "feed-" + word(), inn.mllp_port)
    with gone.connect() as s:
        assert code(s.send(adt("R1"))) == ("AA", "R1")
        gone.revoke()
        assert s.send(adt("R2")) is None
    assert turned_away(gone.context(), inn.mllp_port)
    assert len(received(inn, gone)) == 1


# ---- frames ----

def test_many_messages_in_one_packet(sender, inn, feed):
    sender.raw(b"".join(frame(adt(f"K{i}")) for i in range(200)))
    assert [code(sender.answer()) for _ in range(200)] == [("AA", f"K{i}") for i in range(200)]
    records = received(inn, feed)
    assert len(records) == 200 and {r["decision"] for r in records} == {"allow"}
    # a round at a time: far fewer objects than messages, and each message has a place of its own
    assert len({r["object"] for r in records}) < 50
    assert len({(r["object"], r["part"]) for r in records}) == 200


def test_one_message_in_many_packets(sender):
    for byte in frame(adt("B1")):
        sender.raw(bytes([byte]))
    assert code(sender.answer()) == ("AA", "B1")


def test_more_than_a_round_holds(sender):
    """3,000 at once from one sender that does not wait, while it reads"""
    n = 3000
    got = []
    reader = threading.Thread(target=lambda: got.extend(code(sender.answer()) for _ in range(n)))
    reader.start()
    for i in range(0, n, 100):
        sender.raw(b"".join(frame(adt(f"Q{k}")) for k in range(i, i + 100)))
    reader.join(120)
    assert got == [("AA", f"Q{i}") for i in range(n)]


def test_junk_between_frames(inn, feed):
    with feed.connect() as s:
        s.raw(b"\r\nhello " + frame(adt("J1")) + b"\0\0" + frame(adt("J2")) + b"bye")
        assert [code(s.answer()) for _ in range(2)] == [("AA", "J1"), ("AA", "J2")]
    junk = until(lambda: [r for r in received(inn, feed) if r.get("reason") == "junk"])
    assert sum(r["size"] for r in junk) == len(b"\r\nhello ") + 2 + 3
    assert "object" not in junk[0]


def test_a_frame_without_an_end(inn, feed):
    with feed.connect() as s:
        s.raw(BEGIN + adt("C1")[:60] + frame(adt("C2")))
        first, second = s.answer(), s.answer()
        assert code(first)[0] == "AE" and error(first) == 100
        assert code(second) == ("AA", "C2")
        s.raw(BEGIN + adt("C3")[:-10])
    records = until(lambda: r if len(r := received(inn, feed)) == 3 else None)
    assert sorted(words(records), key=str) == sorted([("deny", "cut-off"), ("allow", None), ("deny", "cut-off")], key=str)
    assert all("object" in r for r in records)  # what there was of them is kept
    with feed.connect() as s:  # and sent again as a whole, under the same name, it is welcome
        assert code(s.send(adt("C3"))) == ("AA", "C3")


def test_what_is_no_hl7(sender, inn, feed):
    for text, number in ((b"GET / HTTP/1.1", 100), (b"", 100), (b"MSH", 102), (b"MSH|||", 102), (b"MSH|^^^^|A|B", 102), (b"PID|1", 100),
                         (adt("D1").replace(b"|D1|", b"||"), 101), (adt("D2").replace(b"ADT^A01", b""), 101)):
        answer = sender.send(text)
        assert code(answer)[0] in ("AE", "AR"), text
        assert error(answer) == number, (text, answer)
    assert {r["decision"] for r in received(inn, feed)} == {"deny"}
    assert code(sender.send(adt("D9"))) == ("AA", "D9")


def test_other_delimiters(sender):
    message = b"MSH#*!?%#LAB#HOSP#EHR#NORTH#2026##ADT*A01#H1#P#2.3\rPID#1##SYN*x\r"
    answer = sender.send(message)
    assert b"\rMSA#AA#H1\r" in answer
    answer = sender.send(message.replace(b"SYN", b"NYS"))
    assert b"\rMSA#AE#H1#duplicate" in answer


def test_types_that_nothing_maps(sender, inn, feed):
    answer = sender.send(adt("U1").replace(b"ADT^A01", b"BAR^P01"))
    assert code(answer) == ("AR", "U1") and error(answer) == 200
    answer = sender.send(adt("U2", event="A99"))
    assert code(answer) == ("AR", "U2") and error(answer) == 201
    assert words(received(inn, feed)) == [("deny", "unsupported-type"), ("deny", "unsupported-event")]
    assert all("object" in r for r in received(inn, feed))


def test_enhanced_mode(sender):
    assert code(sender.send(adt("E1", head=b"|||AL|NE"))) == ("CA", "E1")
    assert sender.silent()
    sender.raw(frame(adt("E2", head=b"|||AL|AL")))
    assert [code(sender.answer()) for _ in range(2)] == [("CA", "E2"), ("AA", "E2")]
    sender.raw(frame(adt("E3", head=b"|||NE|NE")))
    assert sender.silent()  # it wants no answer
    assert code(sender.send(adt("E4", head=b"|||ER|SU"))) == ("AA", "E4")
    answer = sender.send(adt("E5", event="A99", head=b"|||AL|AL"))
    assert code(answer) == ("CR", "E5") and error(answer) == 201


# ---- sizes and times ----

def test_a_large_document(sender, inn, feed):
    document = b"OBX|1|ED|18842-5^Discharge summary^LN||^application^pdf^Base64^" + b"QUJD" * (5 << 20) + b"||||||F\r"
    assert code(sender.send(adt("L1", more=document))) == ("AA", "L1")
    assert received(inn, feed)[-1]["size"] == len(adt("L1", more=document))


def test_too_large(inn, feed):
    with feed.connect() as other, feed.connect() as s:
        stop = threading.Event()
        codes = []

        def chat():
            while not stop.is_set():
                codes.append(code(other.send(adt(f"O{len(codes)}"))))

        t = threading.Thread(target=chat)
        t.start()
        with contextlib.suppress(ConnectionError, ssl.SSLError):
            s.raw(BEGIN + adt("L2"))
            for _ in range(65):
                s.raw(b"A" * (1 << 20))
        answer = s.answer()
        stop.set()
        t.join(30)
        if answer:  # it may be lost with the connection that is cut
            assert code(answer) == ("AR", "L2") and error(answer) == 207
        assert s.answer() is None
        assert codes and {c[0] for c in codes} == {"AA"}  # nobody else had to suffer
    large = [r for r in received(inn, feed) if r.get("reason") == "too-large"]
    assert len(large) == 1 and "object" not in large[0]


def test_those_who_dawdle_hold_up_nobody(inn, feed):
    with contextlib.ExitStack() as stack:
        context = feed.context()
        for _ in range(100):  # in the middle of a frame
            s = stack.enter_context(feed.connect(context))
            s.raw(BEGIN + adt("W")[:50])
        for _ in range(100):  # in the middle of a handshake
            raw = stack.enter_context(socket.create_connection(("127.0.0.1", inn.mllp_port), timeout=20))
            raw.sendall(b"\x16\x03\x01")
        for _ in range(20):  # asks, and never listens
            s = stack.enter_context(feed.connect(context))
            s.raw(b"".join(frame(adt(f"{word()}{i}")) for i in range(50)))
        with feed.connect() as s:
            for i in range(20):
                assert code(s.send(adt(f"V{i}"))) == ("AA", f"V{i}")


# ---- known again ----

def test_duplicates_and_clashes(sender, inn, feed):
    assert code(sender.send(adt("S1"))) == ("AA", "S1")
    assert code(sender.send(adt("S1"))) == ("AA", "S1")
    answer = sender.send(adt("S1", "SYNTHETIC-2"))
    assert code(answer) == ("AE", "S1") and error(answer) == 205
    answer = sender.send(adt("S1", "SYNTHETIC-2"))
    assert code(answer) == ("AE", "S1") and error(answer) == 205
    records = received(inn, feed)
    assert words(records) == [("allow", None), ("allow", "duplicate"), ("deny", "duplicate-id"), ("deny", "duplicate-id")]
    assert ["object" in r for r in records] == [True, False, True, False]
    assert len({r["digest"] for r in records}) == 1  # a keyed token of the name
    other = Feed(inn, "feed-" + word(), inn.mllp_port)
    with other.connect() as s:
        assert code(s.send(adt("S1", "SYNTHETIC-2"))) == ("AA", "S1")  # of another sender
    assert received(inn, other)[0]["digest"] != records[0]["digest"]


def kill(house, role):
    before = house.pids()[role]
    os.kill(before, signal.SIGKILL)
    until(lambda: house.pids().get(role, before) != before)


@contextlib.contextmanager
def connected(feed):
    """as soon as somebody listens again"""
    def attempt():
        with contextlib.suppress(ConnectionError, ssl.SSLError, TimeoutError):
            return feed.connect()
        return None

    with until(attempt) as s:
        yield s


# ---- nothing acknowledged is lost ----

class Load:
    """senders that remember what they were promised, and send again what was not"""

    def __init__(self, feed, n=6):
        self.feed, self.promised, self.attempted, self.odd = feed, set(), set(), []
        self.stop = threading.Event()
        self.lock = threading.Lock()
        self.threads = [threading.Thread(target=self.work, args=(i,)) for i in range(n)]
        for t in self.threads:
            t.start()

    def work(self, who):
        n = 0
        s = None
        while not self.stop.is_set():
            n += 1
            control = f"W{who}.{n}"
            with self.lock:
                self.attempted.add(control)
            while not self.stop.is_set():
                try:
                    s = s or self.feed.connect(timeout=20)
                    answer = s.send(adt(control, f"SYNTHETIC-{who}-{n}"))
                except (ConnectionError, ssl.SSLError, TimeoutError):
                    answer = None
                if answer is None:
                    if s:
                        s.close()
                    s = None
                    time.sleep(0.02)
                elif code(answer) == ("AA", control):
                    with self.lock:
                        self.promised.add(control)
                    break
                elif code(answer) != ("AE", control) or error(answer) != 207:
                    self.odd.append(answer)
                    return
                else:
                    time.sleep(0.02)

    def goes_on(self, n):
        """until that many more are promised"""
        had = len(self.promised)
        until(lambda: len(self.promised) > had + n or self.odd)

    def end(self):
        self.stop.set()
        for t in self.threads:
            t.join(60)
        assert not any(t.is_alive() for t in self.threads)
        assert self.odd == []


def objects_of(house):
    """all that vault has; the house stands still"""
    with contextlib.closing(sqlite3.connect(f"file:{house.state}/vault/vault.db?mode=ro", uri=True)) as db:
        return {row[0].hex() for row in db.execute("SELECT object FROM version")}


def test_killed_under_load():
    with opened() as house:
        feed = Feed(house, "feed-" + word(), house.mllp_port)
        load = Load(feed)
        r = random.Random(7)
        for i in range(max(4, KILLS // 3)):
            load.goes_on(5)
            kill(house, ("intake", "vault", "intake", "ledger", "intake", "warden")[i % 6])
            time.sleep(r.random() * 0.2)
            if i % 6 == 3:
                time.sleep(1)  # ten deaths within a minute end the house
            if i >= 8:
                break
        load.goes_on(20)
        load.end()
        assert house.stop() == 0, house.log_text()[-3000:]
        records = [r for r in house.verified() if r["act"] == "feed.receive"]
        taken = collections.Counter(x["digest"] for x in records if x["decision"] == "allow" and "object" in x)
        # each promise is a message with a name of its own in landing; what was stored but not promised was attempted
        assert len(load.promised) <= len(taken) <= len(load.attempted)
        have = objects_of(house)
        assert {x["object"] for x in records if "object" in x} <= have
        assert house.bugs() == []


def test_locked_house(inn, feed):
    with feed.connect() as s:
        assert code(s.send(adt("Y1"))) == ("AA", "Y1")
        inn.people["sam"].cli("lockdown")
        try:
            answer = s.send(adt("Y2"))
            assert code(answer) == ("AE", "Y2") and error(answer) == 207
        finally:
            lift(inn)
        assert until(lambda: code(s.send(adt("Y2"))) == ("AA", "Y2"))
    allowed = [r for r in received(inn, feed) if r["decision"] == "allow" and "object" in r]
    assert len(allowed) == 2


def lift(house):
    for name in ("sam", "paula"):
        house.people[name].cli("lockdown", "--lift", status=None)


# ---- what is seen of it ----

def test_counts(inn, feed):
    with feed.connect() as s:
        s.send(adt("F1"))
        s.send(adt("F1"))
        s.send(b"nothing")

    def counted():
        flow = inn.people["admin"].cli("flow")
        return [f for f in flow["feeds"] if f["name"] == feed.name and (f.get("accepted"), f.get("duplicate"), f.get("refused")) == (1, 1, 1)]

    assert until(counted)[0]["last"].startswith("20")


def test_nothing_of_it_on_disk_or_in_the_log(inn, feed):
    canary = "SYNTHETIC" + word(20).upper()
    with feed.connect() as s:
        assert code(s.send(adt(canary + "ID", canary)))[0] == "AA"
        s.send(adt(canary + "ID", canary + "X"))
        s.send(canary.encode())
        s.send(adt(canary, canary, event="A99"))
        s.raw(BEGIN + adt(canary, canary)[:-5])
    until(lambda: len(received(inn, feed)) == 5)
    time.sleep(0.2)
    needle = canary.encode()
    assert needle not in inn.log_path.read_bytes()
    for path in [inn.state, *inn.state.rglob("*")]:
        assert canary not in path.name
        if path.is_file() and not path.is_symlink():
            with contextlib.suppress(FileNotFoundError):
                assert needle not in path.read_bytes(), path


def test_who_never_ends_is_ended(inn, dawdlers):
    feed, s, raw = dawdlers
    assert raw.recv(10) == b""  # closed
    answer = s.answer()  # after a minute at the latest
    assert code(answer)[0] == "AE" and error(answer) == 100
    assert s.answer() is None
    assert words(received(inn, feed)) == [("deny", "cut-off")]


def test_remembered_by_the_next_intake(inn, feed):
    with feed.connect() as s:
        assert code(s.send(adt("Z1"))) == ("AA", "Z1")
    time.sleep(0.2)  # memory is written a moment later; if not yet, the message is taken again, which is allowed
    kill(inn, "intake")
    with connected(feed) as s:
        assert code(s.send(adt("Z1"))) == ("AA", "Z1")
    assert [w for w in words(received(inn, feed))] in ([("allow", None), ("allow", "duplicate")], [("allow", None)] * 2)


def test_a_house_without_feeds_has_no_intake(own_house):
    h = own_house(people=False)
    assert "intake" not in h.pids()


@pytest.mark.parametrize("intake", [{"mllp": ["localhost:2575"]}, {"mllp": ["127.0.0.1"]},
                                    {"mqtt": [{"broker": "broker.example:1883", "topic": "a", "feed": "b"}]}, {"mqtt": [{"broker": "127.0.0.1:1883", "topic": "a"}]}, {"tcp": []}])
def test_wrong_configuration(own_house, intake):
    h = own_house(start=False, intake=intake)
    done = h.run("serve", "--state", h.state, "--passphrase-file", h.passphrase_file, status=None)
    assert done.returncode not in (0, -9)
