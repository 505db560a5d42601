"""What intake fetches from a broker outside: acknowledged there only when it is durable here."""

import contextlib
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import time

import pytest
from house import House, free_port, word
from mllp import Feed

PATIENCE_S = 40
MOSQUITTO = shutil.which("mosquitto") or "/usr/sbin/mosquitto"
pytestmark = pytest.mark.skipif(not os.path.exists(MOSQUITTO), reason="mosquitto is installed by ./run test")


def until(what):
    end = time.monotonic() + PATIENCE_S
    while not (found := what()):
        assert time.monotonic() < end, "did not happen"
        time.sleep(0.05)
    return found


class Broker:
    """mosquitto, which keeps what it has over its own restarts"""

    def __init__(self, *config, port=None):
        self.top = pathlib.Path(tempfile.mkdtemp(prefix="cloister-broker-", dir="/tmp"))
        self.top.chmod(0o777)
        self.port = port or free_port()
        self.config = config or ("allow_anonymous true",)
        self.publish_words = []
        self.process = None

    def start(self):
        config = self.top / "mosquitto.conf"
        config.write_text("\n".join([f"listener {self.port} 127.0.0.1", "max_queued_messages 100000", "persistence true",
                                     f"persistence_location {self.top}/", "autosave_interval 1", *self.config]) + "\n")
        self.process = subprocess.Popen([MOSQUITTO, "-c", config], stdout=subprocess.DEVNULL, stderr=(self.top / "log").open("ab"))

        def listens():
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return True
            return False

        until(listens)
        return self

    def stop(self):
        if self.process:
            self.process.terminate()
            self.process.wait(20)
        self.process = None

    def publish(self, topic, lines, qos=1):
        subprocess.run(["mosquitto_pub", "-h", "127.0.0.1", "-p", str(self.port), "-q", str(qos), "-t", topic, "-l", *self.publish_words],
                       input="\n".join(lines) + "\n", text=True, check=True, timeout=60)

    def release(self):
        self.stop()
        shutil.rmtree(self.top, ignore_errors=True)


@contextlib.contextmanager
def running(*config, **wanted):
    """(house, broker): the house polls ward/# for the feed ward-monitors"""
    broker = Broker(*config)
    h = House(intake={"mqtt": [{"broker": f"127.0.0.1:{broker.port}", "topic": "ward/#", "feed": "ward-monitors"} | wanted]})
    try:
        yield h.init(), broker
    finally:
        h.release()
        broker.release()


def reading(n):
    """of a monitor that does not exist"""
    return f'{{"synthetic":true,"kind":"vitals","device":"D-7","sequence":{n},"hr":{60 + n % 40}}}'


def taken(house):
    return [r for r in house.audit(act="feed.receive") if r["decision"] == "allow"]


def kill(house, role):
    before = house.pids()[role]
    os.kill(before, signal.SIGKILL)
    until(lambda: house.pids().get(role, before) != before)


def test_readings_land():
    with running() as (h, broker):
        broker.start()
        h.start()
        h.add_everybody()
        feed = Feed(h, "ward-monitors", 0)
        until(lambda: " as cloister-" in (broker.top / "log").read_text(errors="replace"))
        broker.publish("ward/7/hr", [reading(i) for i in range(300)])
        broker.publish("elsewhere", [reading(0)])
        until(lambda: len(taken(h)) >= 300)
        records = taken(h)
        assert len(records) == 300 and {r["other"] for r in records} == {feed.id} and {r["addr"] for r in records} == {"127.0.0.1"}
        assert sum(r["size"] for r in records) == sum(len(reading(i)) for i in range(300))
        # a broker that goes and comes back is found again, with what it kept meanwhile
        broker.stop()
        broker.start()
        broker.publish("ward/8/hr", [reading(i) for i in range(300, 350)])
        until(lambda: len(taken(h)) >= 350)
        # who is revoked is fetched from no more
        feed.revoke()
        broker.publish("ward/8/hr", [reading(999)])
        time.sleep(1.5)
        assert len(taken(h)) == 350
        assert h.stop() == 0
        assert h.bugs() == []


def test_nothing_is_lost_when_processes_die():
    with running() as (h, broker):
        broker.start()
        h.start()
        h.add_everybody()
        Feed(h, "ward-monitors", 0)
        until(lambda: " as cloister-" in (broker.top / "log").read_text(errors="replace"))
        sizes = []
        for i, role in enumerate(("intake", "vault", "intake", "ledger")):
            lines = [reading(i * 100000 + k) + " " * i for k in range(400)]
            sizes += [len(x) for x in lines]
            broker.publish("ward/7/hr", lines)
            kill(h, role)
            time.sleep(0.3)
        # each at least once: what was not acknowledged comes again, and may be here twice
        until(lambda: len(taken(h)) >= 1600)
        until(lambda: sorted(set(sizes)) == sorted({r["size"] for r in taken(h)}))
        assert h.bugs() == []


def test_a_feed_that_nobody_knows_is_not_fetched():
    with running(feed="nobody-s") as (h, broker):
        broker.start()
        h.start()
        h.add_everybody()
        broker.publish("ward/7/hr", [reading(1)])
        time.sleep(2)
        assert not taken(h)
        until(lambda: "broker-waits-for-feed" in h.log_text())
        assert "ward/" not in h.log_text()


def test_a_broker_that_is_not_there(own_house):
    h = own_house(intake={"mqtt": [{"broker": f"127.0.0.1:{free_port()}", "topic": "a/#", "feed": "ward-monitors"}]})
    until(lambda: "broker-lost" in h.log_text())
    assert "intake" in h.pids()
    assert h.bugs() == []


def certificates(top):
    """an authority outside, a broker's certificate and intake's own"""
    def openssl(*words):
        subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True)

    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=ward authority",
            "-keyout", top / "ca.key", "-out", top / "ca.pem")
    for name, extension in (("broker", "subjectAltName=IP:127.0.0.1"), ("intake", "extendedKeyUsage=clientAuth")):
        openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={name}", "-keyout", top / f"{name}.key",
                "-out", top / f"{name}.csr")
        (top / "extension").write_text(extension + "\n")
        openssl("x509", "-req", "-in", top / f"{name}.csr", "-CA", top / "ca.pem", "-CAkey", top / "ca.key", "-CAcreateserial", "-days", "2",
                "-extfile", top / "extension", "-out", top / f"{name}.pem")
    for f in top.iterdir():
        f.chmod(0o644)


@pytest.mark.parametrize("good", [True, False])
def test_a_broker_over_tls_that_asks_who_we_are(tmp_path, good):
    tmp_path.chmod(0o755)
    for parent in list(tmp_path.parents)[:3]:
        with contextlib.suppress(PermissionError):
            parent.chmod(parent.stat().st_mode | 0o011)
    broker_top = pathlib.Path(tempfile.mkdtemp(prefix="cloister-pki-", dir="/tmp"))
    broker_top.chmod(0o755)
    certificates(broker_top)
    password = word()
    subprocess.run(["mosquitto_passwd", "-c", "-b", broker_top / "passwd", "intake", password], check=True, capture_output=True)
    subprocess.run(["mosquitto_passwd", "-b", broker_top / "passwd", "monitor", "m"], check=True, capture_output=True)
    (broker_top / "passwd").chmod(0o644)
    config = ("allow_anonymous false", f"password_file {broker_top}/passwd", f"cafile {broker_top}/ca.pem", f"certfile {broker_top}/broker.pem",
              f"keyfile {broker_top}/broker.key", "require_certificate true")
    try:
        with running(*config, tls=True) as (h, broker):
            broker.publish_words = ["--cafile", broker_top / "ca.pem", "--cert", broker_top / "intake.pem", "--key", broker_top / "intake.key",
                                    "-u", "monitor", "-P", "m"]
            room = h.state / "intake"
            room.mkdir(mode=0o700, exist_ok=True)
            shutil.copy(broker_top / ("ca.pem" if good else "broker.pem"), room / "ward-monitors.ca.pem")
            for ending in ("pem", "key"):
                shutil.copy(broker_top / f"intake.{ending}", room / f"ward-monitors.{ending}")
            (room / "ward-monitors.login").write_text(f"intake:{password}\n")
            broker.start()
            h.start()
            h.add_everybody()
            Feed(h, "ward-monitors", 0)
            if good:
                until(lambda: " as cloister-" in (broker.top / "log").read_text(errors="replace"))
                broker.publish("ward/7/hr", [reading(i) for i in range(50)])
                until(lambda: len(taken(h)) == 50)
            else:  # a broker whose authority we do not trust
                until(lambda: "broker-lost" in h.log_text())
                assert " as cloister-" not in (broker.top / "log").read_text(errors="replace")
            assert password not in h.log_text()
            assert h.bugs() == []
    finally:
        shutil.rmtree(broker_top)
