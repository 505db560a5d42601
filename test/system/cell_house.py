"""The process cell with stand-ins for its peers: a warden that gives any cell a key and limits, a ledger that keeps what it is told,
and this test as gate, scrub and steward. All messages as doc/messages.md has them."""
import base64
import fcntl
import json
import os
import pathlib
import select
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

BUILD = pathlib.Path(os.environ.get("CLOISTER_BUILD", pathlib.Path(__file__).parents[2] / "build"))
TOOLS = pathlib.Path(os.environ.get("CLOISTER_CELL_TOOLS", BUILD / "cell-tools"))
ROOT = os.geteuid() == 0
PATIENCE_S = 60
CLOISTERD, LEDGER, WARDEN, VAULT, GATE, STEWARD, INTAKE, CELL, SCRUB = range(1, 10)
OPEN, CLOSE, CONNECT, WORKER, STATE, STAGE, COLLECT, DELIVER = range(16, 24)
ERRORS = ["ok", "invalid", "limit", "unauthenticated", "denied", "not-found", "exists", "conflict", "precondition", "expired", "corrupt", "rollback",
          "io", "no-space", "no-memory", "busy", "timeout", "closed", "unsupported", "locked"]
REFUSALS = ["dns", "tcp", "udp", "icmp", "ipv6", "raw-socket", "mount", "other"]
FIELDS = [("act", "w"), ("addr", "w"), ("basis", "i"), ("bucket", "i"), ("count", "n"), ("decision", "w"), ("digest", "h"), ("domain", "i"),
          ("epoch", "n"), ("grant", "i"), ("key", "w"), ("next", "h"), ("object", "i"), ("other", "i"), ("part", "n"), ("previous", "h"),
          ("reason", "w"), ("role", "w"), ("rule", "w"), ("service", "w"), ("size", "n"), ("study", "i"), ("subject", "w"), ("version", "i"),
          ("who", "i")]
ADMIN = 20
STUDY, RELEASE, WHO = "5a" * 16, "1e" * 16, "ee" * 16


class Refused(Exception):
    def __init__(self, code):
        super().__init__(ERRORS[code] if code < len(ERRORS) else str(code))
        self.word = str(self)


def lstr(b):
    b = b.encode() if isinstance(b, str) else bytes(b)
    return struct.pack(">I", len(b)) + b


def pack_parcel(files):
    """files: (name, bytes) pairs"""
    return b"".join(struct.pack(">H", len(n)) + n.encode() + struct.pack(">Q", len(b)) + b for n, b in files) + b"\0\0"


def unpack_parcel(stream):
    found = {}
    while True:
        (n,) = struct.unpack(">H", stream.read(2))
        if n == 0:
            assert stream.read(1) == b""
            return found
        name = stream.read(n).decode()
        (size,) = struct.unpack(">Q", stream.read(8))
        found[name] = None if size == 2**64 - 1 else stream.read(size)


class Channel:
    def __init__(self, sock):
        self.sock = sock
        self.seq = 0

    def call(self, op, body):
        self.seq += 1
        self.sock.send(struct.pack(">HI", op, self.seq) + body)
        data, fds, _, _ = socket.recv_fds(self.sock, 210000, 4)
        if len(data) < 6:
            raise ConnectionError("closed")
        code, seq = struct.unpack(">HI", data[:6])
        assert seq == self.seq
        if code:
            raise Refused(code)
        return data[6:], fds


class CellHouse:
    """One process cell. ${limits}: what its warden says of every cell; ${key}: a function from cell id to 32 bytes."""

    def __init__(self, tools=TOOLS, **limits):
        self.top = pathlib.Path(tempfile.mkdtemp(prefix="cloister-cells-", dir="/var/tmp"))
        self.folder = self.top / "state" / "cell"
        self.folder.mkdir(parents=True)
        os.chmod(self.top, 0o755)
        self.tools = tools
        self.limits = {"memory_mib": 1024, "cpus": 2, "processes": 200, "disk_mib": 96, "minutes": 60} | limits
        self.keys = {}
        self.records = []
        self.refuse = None  # an error code of warden
        self.log_path = self.top / "log"
        self.pid = None

    # ---- the process ----

    def start(self):
        if ROOT:
            os.chown(self.folder, 62018, 62018)
            os.chmod(self.folder, 0o700)
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        folder = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY)
        log = os.open(self.log_path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        null = os.open("/dev/null", os.O_RDWR)
        high = [fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 100) for fd in (null, null, log, theirs.fileno(), folder)]
        program = BUILD / "src" / "bin" / "cloister-cell"
        self.pid = os.posix_spawn(program, [program.name, "--fds", "5", f"--tools={self.tools}"], {},
                                  file_actions=[(os.POSIX_SPAWN_DUP2, fd, i) for i, fd in enumerate(high)])
        for fd in [*high, folder, log, null]:
            os.close(fd)
        theirs.close()
        self.control = ours
        self.control.settimeout(PATIENCE_S)
        ready = self.control.recv(100)
        assert ready[:2] == b"\0\1", self.log_text()
        self.gate, self.scrub, self.steward = (Channel(self.peer(role, True)) for role in (GATE, SCRUB, STEWARD))
        threading.Thread(target=self._answer, args=(self.peer(WARDEN, False), self._warden), daemon=True).start()
        threading.Thread(target=self._answer, args=(self.peer(LEDGER, False), self._ledger), daemon=True).start()
        return self

    def peer(self, role, serve):
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        socket.send_fds(self.control, [struct.pack(">HIHB", 2, 0, role, serve)], [theirs.fileno()])
        theirs.close()
        if serve:
            ours.settimeout(PATIENCE_S)
        return ours

    def log_text(self):
        return self.log_path.read_text()

    def stop(self):
        """the orderly end; its exit status"""
        self.control.send(struct.pack(">HI", 3, 0))
        return self.wait()

    def wait(self):
        end = time.monotonic() + PATIENCE_S
        while True:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.pid = None
                return status
            assert time.monotonic() < end, self.log_text()
            time.sleep(0.01)

    def kill(self):
        os.kill(self.pid, signal.SIGKILL)
        return self.wait()

    def release(self):
        if self.pid:
            try:
                self.stop()
            except (OSError, AssertionError):
                self.kill()
        shutil.rmtree(self.top, ignore_errors=True)

    # ---- its peers ----

    def _answer(self, primary, answer):
        socks = [primary]
        while socks:
            for sock in select.select(socks, [], [])[0]:
                try:
                    data, fds, _, _ = socket.recv_fds(sock, 210000, 4)
                except OSError:
                    data, fds = b"", []
                if len(data) < 6:
                    socks.remove(sock)
                    sock.close()
                    continue
                op, seq = struct.unpack(">HI", data[:6])
                if op == 1:
                    socks.append(socket.socket(fileno=fds[0]))
                    continue
                code, body = answer(op, data[6:])
                sock.send(struct.pack(">HI", code, seq) + body)

    def _warden(self, op, body):
        assert op == ADMIN and body[0] == 5  # PROOF_PROCESS
        at = 1
        (n,) = struct.unpack_from(">I", body, at)
        at += 4 + n + 16
        (n,) = struct.unpack_from(">I", body, at)
        verb = body[at + 4:at + 4 + n].decode()
        at += 4 + n
        params = json.loads(body[at + 4:])
        assert verb == "cell.key"
        if self.refuse:
            return 0, struct.pack(">HH", self.refuse, 0) + lstr("{}")
        key = self.keys.setdefault(params["cell"], os.urandom(32))
        document = {"limits": self.limits, "volume_key": base64.b64encode(key).decode(), "study": STUDY, "release": RELEASE, "who": WHO}
        return 0, struct.pack(">HH", 0, 0) + lstr(json.dumps(document))

    def _ledger(self, op, body):
        assert op == 16
        (n,) = struct.unpack_from(">H", body, 0)
        at = 2
        for _ in range(n):
            (present,) = struct.unpack_from(">I", body, at)
            at += 4
            record = {}
            for i, (name, kind) in enumerate(FIELDS):
                if not present >> i & 1:
                    continue
                if kind == "w":
                    (m,) = struct.unpack_from(">I", body, at)
                    record[name] = body[at + 4:at + 4 + m].decode()
                    at += 4 + m
                else:
                    size = {"i": 16, "h": 32, "n": 8}[kind]
                    raw = body[at:at + size]
                    record[name] = struct.unpack(">Q", raw)[0] if kind == "n" else raw.hex()
                    at += size
            self.records.append(record)
        return 0, struct.pack(">QQ", len(self.records) - n, time.time_ns() // 1000)

    # ---- what may be asked ----

    def open(self, cell=None):
        cell = cell or os.urandom(16).hex()
        self.gate.call(OPEN, bytes.fromhex(cell))
        return Cell(self, cell)

    def state(self, cell):
        body, _ = self.gate.call(STATE, bytes.fromhex(cell))
        flags, opened, used, memory, processes, disk = struct.unpack_from(">BQQQQQ", body)
        refused = dict(zip(REFUSALS, struct.unpack_from(">8Q", body, 41), strict=True))
        n, workers = body[105], []
        for i in range(n):
            worker, running, status, started, ended = struct.unpack_from(">16sBiQQ", body, 106 + 37 * i)
            workers.append({"id": worker.hex(), "running": bool(running), "status": status, "started": started, "ended": ended})
        return {"open": bool(flags & 1), "staged": bool(flags & 2), "notebook": bool(flags & 4), "opened": opened, "used": used, "memory": memory,
                "processes": processes, "disk": disk, "refused": refused, "workers": workers}


class Cell:
    def __init__(self, house, cell):
        self.house = house
        self.id = cell
        self.raw = bytes.fromhex(cell)
        self.uid = 0x70000000 | int(cell[:8], 16) >> 4

    def close(self, by=None):
        (by or self.house.gate).call(CLOSE, self.raw)

    def state(self):
        return self.house.state(self.id)

    def until(self, what, patience=PATIENCE_S):
        end = time.monotonic() + patience
        while True:
            state = self.state()
            if what(state):
                return state
            assert time.monotonic() < end, (state, self.house.log_text()[-2000:])
            time.sleep(0.05)

    def connect(self):
        _, fds = self.house.gate.call(CONNECT, self.raw)
        return socket.socket(fileno=fds[0])

    def carry_in(self, op, data):
        _, fds = self.house.scrub.call(op, self.raw + os.urandom(16))
        with os.fdopen(fds[0], "wb") as f:
            f.write(data)

    def stage(self, files):
        self.carry_in(STAGE, pack_parcel(files))
        return self.until(lambda s: s["staged"])

    def deliver(self, files):
        self.carry_in(DELIVER, pack_parcel(files))

    def collect(self, *paths):
        body = self.raw + os.urandom(16) + struct.pack(">H", len(paths)) + b"".join(lstr(p) for p in paths)
        _, fds = self.house.scrub.call(COLLECT, body)
        with os.fdopen(fds[0], "rb") as f:
            return unpack_parcel(f)

    def worker(self, script):
        body, _ = self.house.gate.call(WORKER, self.raw + lstr(script))
        return body.hex()

    def finish(self, worker, patience=PATIENCE_S):
        state = self.until(lambda s: any(w["id"] == worker and not w["running"] for w in s["workers"]), patience)
        return next(w for w in state["workers"] if w["id"] == worker)

    def log(self, worker):
        return (self.collect(f"worker-{worker}.log")[f"worker-{worker}.log"] or b"").decode()

    def put_home(self, name, text):
        """Nobody outside can write into a home. The tests do, as the cell's user, through the mount namespace of the cell's keeper."""
        subprocess.run([sys.executable, "-c", "import os,sys; os.setgid(int(sys.argv[1])); os.setuid(int(sys.argv[1]));"
                        "open('home/' + sys.argv[2], 'w').write(sys.stdin.read())", str(self.uid), name],
                       input=text, text=True, check=True, cwd=f"/proc/{self.keeper()}/root/room/plain")

    def run(self, text, name="probe.py", patience=PATIENCE_S):
        """a script in the cell: its exit status (as waitpid has it) and what it printed"""
        self.put_home(name, text)
        worker = self.worker(name)
        ended = self.finish(worker, patience)
        return ended["status"], self.log(worker)

    def room(self):
        """the outside's process id of process 1 of the cell, which is in its last clothes a moment after the cell is open"""
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            for pid in processes_of(self.uid):
                try:
                    if pathlib.Path(f"/proc/{pid}/comm").read_text() == "cell-init\n" and status_nspid(pid)[1:] == [1] and parent(pid) != 1:
                        return pid
                except (OSError, KeyError):
                    continue
            time.sleep(0.01)
        raise AssertionError("no process 1")

    def keeper(self):
        return parent(self.room())


def pids():
    return [int(p.name) for p in pathlib.Path("/proc").iterdir() if p.name.isdigit()]


def status(pid):
    return dict(line.split(":\t", 1) for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines() if ":\t" in line)


def parent(pid):
    return int(status(pid)["PPid"])


def status_uids(pid):
    return [int(u) for u in status(pid)["Uid"].split()]


def status_nspid(pid):
    return [int(p) for p in status(pid)["NSpid"].split()]


def processes_of(uid):
    found = []
    for pid in pids():
        try:
            if uid in status_uids(pid):
                found.append(pid)
        except (OSError, KeyError):
            continue
    return found
