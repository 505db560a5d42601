"""cloisterd with stand-ins for the five processes: start, wiring, jails of running processes, deaths, the end."""
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time

import pytest

BUILD = pathlib.Path(os.environ.get("CLOISTER_BUILD", pathlib.Path(__file__).parents[2] / "build"))
ROLES = ["ledger", "warden", "vault", "steward", "gate"]
ON_WISH = ["intake", "cell"]  # only if the configuration gives it something to do
UIDS = {"ledger": 62012, "warden": 62013, "vault": 62014, "gate": 62015, "steward": 62016}
CALLS = {  # who calls whom, as the trust model says; written out again so that a change of it fails here
    "ledger": set(), "warden": {"ledger", "vault"}, "vault": {"ledger"},
    "gate": {"warden", "vault", "ledger", "steward"}, "steward": {"ledger", "warden", "vault"},
}
ROOT = os.geteuid() == 0
PATIENCE_S = 20


class House:
    def __init__(self, as_root):
        self.as_root = as_root
        self.top = pathlib.Path(tempfile.mkdtemp(prefix="cloister-sup-", dir="/tmp"))
        self.programs = self.top / "programs"
        self.state = self.top / "state"
        self.programs.mkdir()
        self.state.mkdir(mode=0o700)
        self.top.chmod(0o755)
        shutil.copy(BUILD / "src" / "bin" / "cloisterd", self.programs)
        for role in ROLES + ON_WISH:
            shutil.copy(BUILD / "test" / "tools" / "fake_process", self.programs / f"cloister-{role}")
        self.config("listen: [ 127.0.0.1:0 ]\n")
        self.process = None
        self.log_path = self.top / "stderr"
        self.out_path = self.top / "stdout"

    def config(self, text):
        (self.state / "cloister.yaml").write_text(text)

    def behave(self, role, word):
        (self.state / role).mkdir(mode=0o700, exist_ok=True)
        (self.state / role / "behave").write_text(word)
        if ROOT and self.as_root:
            os.chown(self.state / role / "behave", UIDS[role], UIDS[role])

    def start(self, wait=True, passphrase=b"correct horse"):
        if ROOT and not self.as_root:
            subprocess.run(["chown", "-R", "nobody", self.state], check=True)
        r, w = os.pipe()
        os.write(w, passphrase)
        os.close(w)
        ready_r, ready_w = os.pipe()
        command = [self.programs / "cloisterd", "--state", self.state, "--passphrase-fd", str(r), "--ready-fd", str(ready_w)]
        user = {"user": "nobody", "group": "nogroup", "extra_groups": []} if ROOT and not self.as_root else {}
        self.process = subprocess.Popen(command, pass_fds=(r, ready_w), stdin=subprocess.DEVNULL,
                                        stdout=open(self.out_path, "ab"), stderr=open(self.log_path, "ab"), **user)
        os.close(r)
        os.close(ready_w)
        self.addresses = []
        if wait:
            with os.fdopen(ready_r) as f:
                self.addresses = f.read().split()
            assert self.addresses, self.say() + self.log_path.read_text()
        else:
            os.close(ready_r)
        return self

    def say(self):
        return self.out_path.read_text()

    def log(self, event=None):
        lines = []
        for line in self.log_path.read_text().splitlines(keepends=True):
            if line.startswith("{") and line.endswith("\n"):  # the last one may be in the middle of its writing
                entry = json.loads(line)
                if event in (None, entry.get("event")):
                    lines.append(entry)
        return lines

    def pids(self):
        found = {}
        for role, pid in re.findall(r"^(\w+) +ready +pid (\d+)", self.say(), re.M):
            found[role] = int(pid)
        return found

    def until(self, what):
        end = time.monotonic() + PATIENCE_S
        while not what():
            assert time.monotonic() < end, self.say() + self.log_path.read_text()
            time.sleep(0.01)

    def end(self, how=signal.SIGTERM):
        self.process.send_signal(how)
        return self.process.wait(PATIENCE_S)

    def close(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.top)


def alive(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.fixture(params=[True, False] if ROOT else [False], ids=lambda r: "root" if r else "user")
def house(request):
    h = House(request.param)
    yield h
    h.close()


def test_starts_all_and_stops_in_order(house):
    house.start()
    pids = house.pids()
    assert set(pids) == set(ROLES)
    host, port = house.addresses[0].rsplit(":", 1)
    socket.create_connection((host, int(port))).close()  # bound and listening
    assert f"https://{house.addresses[0]}/" in house.say()
    assert ("share one user" in house.say()) != house.as_root
    assert house.end() == 0
    assert [e["process"] for e in house.log("stops")] == ["gate", "steward", "vault", "warden", "ledger"]
    assert not any(alive(p) for p in pids.values())


@pytest.mark.parametrize("line", ["tools: /nowhere", "listen: 127.0.0.1:0"])
def test_cells_have_their_process_only_if_there_may_be_any(house, line):
    house.config("listen: [ 127.0.0.1:0 ]\ncells:\n  " + line + "\n")
    house.start()
    assert set(house.pids()) == {*ROLES, "cell"}
    house.until(lambda: len([e for e in house.log("reached") if e["process"] == "cell"]) >= 2)
    assert {e["peer"] for e in house.log("reached") if e["process"] == "cell"} == {"ledger", "warden"}
    assert house.end() == 0
    order = [e["process"] for e in house.log("stops")]
    assert order.index("gate") < order.index("steward") < order.index("cell") < order.index("warden")


def test_intake_runs_only_if_feeds_can_reach_it(house):
    house.config("listen: [ 127.0.0.1:0 ]\nintake:\n  mllp: [ 127.0.0.1:0, \"[::1]:0\" ]\n  mqtt:\n  - { broker: 127.0.0.1:1, topic: ward/#, feed: a }\n")
    house.start()
    assert set(house.pids()) == {*ROLES, "intake"}
    assert len(house.addresses) == 3 and not house.addresses[0].startswith("mllp://")  # S3 and the API first
    assert house.addresses[1].startswith("mllp://127.0.0.1:") and house.addresses[2].startswith("mllp://[::1]:")
    for address in house.addresses[1:]:
        assert address in house.say() and f"https://{address}" not in house.say()
        host, port = address.removeprefix("mllp://").rsplit(":", 1)
        socket.create_connection((host.strip("[]"), int(port))).close()
    house.until(lambda: len([e for e in house.log("reached") if e["process"] == "intake"]) >= 3)
    assert {e["peer"] for e in house.log("reached") if e["process"] == "intake"} == {"ledger", "warden", "vault"}
    assert house.end() == 0
    assert house.log("stops")[0]["process"] == "intake"  # nobody delivers to a house that closes


def test_each_process_is_in_its_jail(house):
    house.start()
    me = os.stat(house.state).st_uid
    for role, pid in house.pids().items():
        status = dict(line.split(":\t", 1) for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines() if ":\t" in line)
        uid = UIDS[role] if house.as_root else me
        assert status["Uid"].split() == [str(uid)] * 4
        assert status["NoNewPrivs"] == "1"
        assert status["Seccomp"] == "2"
        for capabilities in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
            assert int(status[capabilities], 16) == 0
        if house.as_root:
            assert status["Groups"].strip() == ""
        limits = pathlib.Path(f"/proc/{pid}/limits").read_text()
        assert re.search(r"Max core file size +0 +0 ", limits)
        if ROOT:
            assert pathlib.Path(f"/proc/{pid}/environ").read_bytes() == b""
            descriptors = {int(d.name): os.readlink(d) for d in pathlib.Path(f"/proc/{pid}/fd").iterdir()}
            assert descriptors.get(0) == descriptors.get(1) == "/dev/null", descriptors
            assert descriptors[4] == str(house.state / role)
            if house.as_root:
                assert os.readlink(f"/proc/{pid}/root") == str(house.state / role)
            files = [t for n, t in descriptors.items() if n > 4 and not t.startswith(("socket:", "anon_inode:"))]
            assert all(role == "warden" and t.startswith(("pipe:", "/memfd:")) for t in files), files
            assert os.stat(house.state / role).st_mode & 0o777 == 0o700


def test_channels_are_those_of_the_trust_model_and_no_more(house):
    house.start()
    wanted = {(role, peer) for role in CALLS for peer in CALLS[role]}
    house.until(lambda: len(house.log("reached")) >= len(wanted))
    assert {(e["process"], e["peer"]) for e in house.log("reached")} == wanted
    assert {e["from"] for e in house.log("record")} == {"cloisterd"}  # the start of the house is on record


def test_arguments_and_descriptors(house):
    house.config("listen: [ 127.0.0.1:0, \"[::1]:0\" ]\nregion: eu-central-1\nsession:\n  hours: 3\n")
    house.start()
    given = {e["process"]: e for e in house.log("given")}
    assert given["gate"]["fds"] == 7 and given["gate"]["region"] == len("eu-central-1")
    assert given["warden"]["fds"] == 6 and given["warden"]["hours"] == 3
    assert {given[r]["fds"] for r in ("ledger", "vault", "steward")} == {5}
    assert len(house.addresses) == 2 and house.addresses[1].startswith("[::1]:")
    assert [e["bytes"] for e in house.log("key")] == [len(b"correct horse")]


@pytest.mark.parametrize("role", ROLES)
def test_a_dead_process_returns_and_its_peers_reach_it(house, role):
    house.start()
    wanted = {(r, p) for r in CALLS for p in CALLS[r]}
    house.until(lambda: len(house.log("reached")) == len(wanted))
    before = house.pids()
    os.kill(before[role], signal.SIGKILL)
    house.until(lambda: house.pids()[role] != before[role])
    again = {(r, p) for (r, p) in wanted if role in (r, p)}
    house.until(lambda: len(house.log("reached")) == len(wanted) + len(again))
    reached = [(e["process"], e["peer"]) for e in house.log("reached")]
    assert set(reached[len(wanted):]) == again
    house.until(lambda: len(house.log("record")) == 2)  # the start of the house, and this restart
    after = house.pids()
    assert {r for r in ROLES if after[r] != before[r]} == {role}
    assert [(e["role"], e["signal"]) for e in house.log("process-ended")] == [(role, 9)]
    if role == "warden":  # it got the key back that it had given to keep
        assert [e["bytes"] for e in house.log("key")] == [len(b"correct horse")] * 2
    assert house.end() == 0


def test_steward_learns_of_every_change(house):
    house.start()
    vault = house.pids()["vault"]
    house.until(lambda: any(e["role"] == "gate" and e["ready"] for e in house.log("status")))
    os.kill(vault, signal.SIGKILL)
    house.until(lambda: any(e["role"] == "vault" and e["restarts"] == 1 and e["ready"] == 1 for e in house.log("status")))
    assert any(e["role"] == "vault" and e["restarts"] == 1 and e["pid"] == 0 for e in house.log("status"))


def test_a_warden_that_kept_nothing_cannot_return(house):
    house.behave("warden", "keeps-nothing")
    house.start()
    pids = house.pids()
    os.kill(pids["warden"], signal.SIGKILL)
    assert house.process.wait(PATIENCE_S) == 18
    assert "passphrase is needed again" in house.say()
    assert not any(alive(p) for p in pids.values())


def test_rollback_stops_the_house(house):
    house.behave("ledger", "rollback-later")
    house.start(wait=False)
    assert house.process.wait(PATIENCE_S) == 12
    assert "ledger   ended: Stored state is older than what was seen before." in house.say()
    assert len(house.log("given")) == len(ROLES)  # nothing was started again
    assert not any(alive(p) for p in house.pids().values())


@pytest.mark.parametrize("role", ROLES)
def test_a_process_that_cannot_start_stops_the_house(house, role):
    house.behave(role, "not-ready")
    house.start(wait=False)
    assert house.process.wait(PATIENCE_S) == 4
    assert f"{role:8} ended: Who asks could not be verified." in house.say()
    assert not any(alive(p) for p in house.pids().values())


def test_ten_deaths_in_a_minute_are_enough(house):
    house.behave("vault", "die-soon")
    house.start(wait=False)
    assert house.process.wait(60) == 18
    assert house.say().count("vault    was killed by signal 6") == 10
    assert "giving up" in house.say()


def test_a_busy_ledger_is_asked_again(house):
    house.behave("ledger", "busy-ledger")
    house.start()  # ready only when the start is on record
    assert len(house.log("record")) == 1


def test_killing_the_supervisor_ends_all(house):
    house.start()
    pids = house.pids()
    house.end(signal.SIGKILL)
    house.until(lambda: not any(alive(p) for p in pids.values()))
    house.out_path.unlink()
    house.start()  # and the state is free again
    assert set(house.pids()) == set(ROLES)


def test_a_process_that_will_not_stop_is_killed(house):
    house.behave("vault", "never-stop")
    house.start()
    house.process.send_signal(signal.SIGINT)
    house.until(lambda: any(e["process"] == "vault" for e in house.log("stops")))
    house.process.send_signal(signal.SIGINT)  # impatient: at once
    assert house.process.wait(PATIENCE_S) == 0
    assert [e["role"] for e in house.log("killed")][:1] == ["vault"]
    assert not any(alive(p) for p in house.pids().values())


def test_one_state_is_served_once(house):
    house.start()
    first = house.process
    house.start(wait=False)
    assert house.process.wait(PATIENCE_S) == 8
    assert f"process {first.pid} serves this folder already" in house.log_path.read_text()
    house.process = first
    assert house.end() == 0


@pytest.mark.parametrize("text,word", [
    ("listen: [ 127.0.0.1:0 ]\nlisten_on: x\n", "line 2: there is no key \"listen_on\""),
    ("session:\n  hours: many\n", "line: 2"),
    ("session:\n  hours: 1000\n", "session.hours must be 1 to 168"),
    ("listen: [ localhost:8443 ]\n", "localhost:8443"),
    ("listen: [ 127.0.0.1 ]\n", "127.0.0.1"),
    ("listen: [ 127.0.0.1:99999 ]\n", "127.0.0.1:99999"),
    ("listen: [ 192.0.2.1:0 ]\n", "192.0.2.1:0"),
    ("- just\n- a list\n", "Expecting MAPPING"),
    ("listen: [ a", "listen"),
])
def test_a_wrong_configuration_is_named(house, text, word):
    house.config(text)
    house.start(wait=False)
    assert house.process.wait(PATIENCE_S) not in (0, None)
    assert word in house.log_path.read_text()
    assert house.say() == ""


def test_an_absent_program_is_named(house):
    (house.programs / "cloister-vault").unlink()
    house.start(wait=False)
    assert house.process.wait(PATIENCE_S) == 6
    assert "vault    cannot be started" in house.say()
    assert not any(alive(p) for p in house.pids().values())


@pytest.mark.parametrize("arguments", [[], ["--state"], ["--state", "/nowhere"], ["--passphrase-fd", "0"],
                                       ["--state", "/tmp", "--passphrase-fd", "77"], ["--state", "/tmp", "--passphrase-fd", "0", "--x", "1"]])
def test_usage(house, arguments):
    done = subprocess.run([house.programs / "cloisterd", *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("usage: cloisterd")


def checkpoint(size, root="cm9vdA==", origin="cloister.example"):
    return f"{origin}\n{size}\n{root}\n\n\u2014 {origin} c2lnbmF0dXJl\n"


@pytest.fixture
def witness(house):
    folder = house.top / "witness"
    folder.mkdir()
    (house.state / "ledger").mkdir(mode=0o700)
    house.config(f"listen: [ 127.0.0.1:0 ]\nwitness: {folder}\n")
    if ROOT and not house.as_root:
        os.chown(folder, 65534, 65534)
    return folder / "checkpoint"


def test_the_witness_gets_the_newest_head(house, witness):
    ours = house.state / "ledger" / "checkpoint"
    ours.write_text(checkpoint(5))
    house.start()
    house.until(witness.exists)
    assert witness.read_text() == checkpoint(5)
    ours.write_text(checkpoint(9))
    assert house.end() == 0
    assert witness.read_text() == checkpoint(9)  # the last one, at the end


@pytest.mark.parametrize("ours,status", [
    (checkpoint(6), 12), (checkpoint(7, root="b3RoZXI="), 12), (None, 12), (checkpoint(7, origin="other.example"), 8), ("x", 11),
])
def test_an_older_ledger_than_the_witness_has_seen_does_not_start(house, witness, ours, status):
    witness.write_text(checkpoint(7))
    if ours:
        (house.state / "ledger" / "checkpoint").write_text(ours)
    house.start(wait=False)
    assert house.process.wait(PATIENCE_S) == status
    assert house.say() == ""
    assert witness.read_text() == checkpoint(7)


def test_evidence_is_not_overwritten_while_running(house, witness):
    ours = house.state / "ledger" / "checkpoint"
    ours.write_text(checkpoint(7))
    house.start()
    house.until(witness.exists)
    ours.write_text(checkpoint(3))
    house.end()
    assert witness.read_text() == checkpoint(7)
    assert [e["error"] for e in house.log("witness-not-told")] == ["rollback"]


def test_a_link_in_the_ledgers_folder_is_not_followed(house, witness):
    secret = house.top / "secret"
    secret.write_text(checkpoint(7))
    (house.state / "ledger" / "checkpoint").symlink_to(secret)
    house.start()
    house.end()
    assert not witness.exists()


@pytest.mark.skipif(not ROOT, reason="needs root")
def test_what_root_made_is_handed_to_the_roles():
    house = House(True)
    try:
        deep = house.state / "vault" / "blobs" / "aa"
        deep.mkdir(parents=True)
        (deep / "1").write_text("x")
        (deep / "way-out").symlink_to("/etc/hostname")
        before = os.stat("/etc/hostname").st_uid
        house.start()
        for path in (house.state / "vault", deep, deep / "1"):
            assert os.stat(path).st_uid == UIDS["vault"]
        assert os.stat("/etc/hostname").st_uid == before
    finally:
        house.close()
