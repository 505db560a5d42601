"""Cells: every way out is tried from inside and refused, and what has a counter is counted; what a cell writes is ciphertext outside; what ends, ends whole.

The process is the real one; its peers are stand-ins (cell_house.py). Needs root, since a cell without its walls is none."""
import errno
import io
import json
import os
import pathlib
import re
import signal
import socket
import stat
import struct
import subprocess
import time

import cell_house
import pytest
from cell_house import BUILD, COLLECT, DELIVER, OPEN, PATIENCE_S, ROOT, STAGE, TOOLS, CellHouse, Refused, pack_parcel, pids, processes_of, status

NEEDS_ROOT = pytest.mark.skipif(not ROOT, reason="cells need root: their walls are namespaces, mounts and control groups")
NEEDS_TOOLS = pytest.mark.skipif(not (TOOLS / "bin" / "python").exists(), reason="no cell-tools in the build folder (./run makes them)")
pytestmark = [NEEDS_ROOT, NEEDS_TOOLS]
CAPABILITIES = {"KILL": 5, "SETGID": 6, "SETUID": 7, "SETPCAP": 8, "NET_ADMIN": 12, "SYS_CHROOT": 18, "SYS_ADMIN": 21}


@pytest.fixture(scope="module")
def house():
    h = CellHouse().start()
    yield h
    h.release()


@pytest.fixture(scope="module")
def cell(house):
    return house.open()


@pytest.fixture
def own_house():
    made = []

    def make(**limits):
        made.append(CellHouse(**limits).start())
        return made[-1]

    yield make
    for h in made:
        h.release()


# ---- the ways out ----

# name: what is tried in the cell. It must raise OSError (or end in a child); anything else is a way out.
WAYS = {
    "dns-udp": "udp(('8.8.8.8', 53))",
    "dns-tcp": "tcp(('8.8.8.8', 53))",
    "dns-lookup": "socket.getaddrinfo('example.org', 443)",
    "tcp": "tcp(('192.0.2.1', 443))",
    "tcp-private": "tcp(('10.0.0.1', 22))",
    "tcp-metadata": "tcp(('169.254.169.254', 80))",
    "udp": "udp(('192.0.2.1', 123))",
    "udp-broadcast": "udp(('255.255.255.255', 67), True)",
    "udp-multicast": "udp(('224.0.0.251', 5353))",
    "tcp-ipv6": "tcp(('2001:db8::1', 443), socket.AF_INET6)",
    "udp-ipv6": "udp(('2001:db8::1', 123), family=socket.AF_INET6)",
    "tcp-mapped": "tcp(('::ffff:192.0.2.1', 443), socket.AF_INET6)",
    "ping": "ping('192.0.2.1')",
    "raw-socket": "socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)",
    "raw-socket-ipv6": "socket.socket(socket.AF_INET6, socket.SOCK_RAW, 58)",
    "packet-socket": "socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)",
    "vsock": "socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM)",
    "bluetooth": "socket.socket(31, socket.SOCK_RAW, 1)",
    "crypto-socket": "socket.socket(socket.AF_ALG, socket.SOCK_SEQPACKET)",
    "netfilter-socket": "socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 12)",
    "audit-socket": "socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 9)",
    "new-route": "new_route()",
    "interface-down": "fcntl.ioctl(socket.socket(), 0x8914, struct.pack('16sh14x', b'lo', 0))",
    "abstract-socket": "socket.socket(socket.AF_UNIX).connect('\\0cloister-test-outside')",
    "system-bus": "socket.socket(socket.AF_UNIX).connect('/run/dbus/system_bus_socket')",
    "mount-tmpfs": "call('mount', b'none', b'/tmp', b'tmpfs', 0, None)",
    "mount-disk": "call('mount', b'/dev/vda', b'/tmp', b'ext4', 1, None)",
    "remount-release": "call('mount', None, b'/release', None, 0x1020, None)",
    "unmount-release": "call('umount2', b'/release', 2)",
    "chroot": "os.chroot('/tmp')",
    "new-user-namespace": "call('unshare', 0x10000000)",
    "new-mount-namespace": "call('unshare', 0x20000)",
    "clone-user-namespace": "clone(0x10000000 | 17)",
    "clone-network-namespace": "clone(0x40000000 | 17)",
    "join-namespace": "call('setns', os.open('/proc/self/ns/net', 0), 0)",
    "open-disk": "open('/dev/sda', 'rb')",
    "open-disk-of-this-machine": "open('/dev/vda', 'rb')",
    "open-loop": "open('/dev/loop0', 'rb')",
    "open-loop-control": "open('/dev/loop-control', 'rb')",
    "open-memory": "open('/dev/mem', 'rb')",
    "open-kernel-log": "open('/dev/kmsg', 'rb')",
    "open-fuse": "open('/dev/fuse', 'rb')",
    "make-device": "os.mknod('/tmp/disk', 0o060666, os.makedev(8, 0))",
    "root-of-process-1": "os.listdir('/proc/1/root')",
    "memory-of-process-1": "open('/proc/1/mem', 'rb')",
    "environment-of-process-1": "open('/proc/1/environ', 'rb').read()",
    "descriptors-of-process-1": "os.listdir('/proc/1/fd')",
    "trace-process-1": "call('ptrace', 16, 1, None, None)",
    "trace-own-child": "call('ptrace', 16, child(), None, None)",
    "read-memory-of-child": "call('process_vm_readv', child(), None, 0, None, 0, 0)",
    "sys": "os.listdir('/sys')",
    "cgroup": "os.listdir('/sys/fs/cgroup')",
    "sysctl": "open('/proc/sys/kernel/core_pattern', 'w')",
    "sysctl-network": "open('/proc/sys/net/ipv4/ip_forward', 'w')",
    "sysrq": "[os.stat('/proc/sysrq-trigger').st_rdev == os.makedev(1, 3) and refuse(), open('/proc/sysrq-trigger', 'w')]",
    "host-shadow": "open('/etc/shadow')",
    "host-state": "os.listdir('/var/tmp/cloister')",
    "host-root": "os.listdir('/root/.ssh')",
    "write-release": "open('/release/x', 'w')",
    "write-import": "open('/import/x', 'w')",
    "chmod-release": "os.chmod('/release', 0o777)",
    "write-usr": "open('/usr/bin/x', 'w')",
    "write-tools": "open('/opt/cell-tools/bin/x', 'w')",
    "write-etc": "open('/etc/passwd', 'a')",
    "write-root": "open('/x', 'w')",
    "become-root": "os.setuid(0)",
    "become-another": "os.setuid(62013)",
    "take-powers": "call('prctl', 24, 21, 0, 0, 0)",
    "keyring": "call('keyctl', 0, -3, 1)",
    "add-key": "call('add_key', b'user', b'x', b'y', 1, -3)",
    "bpf": "call('bpf', 0, ctypes.create_string_buffer(128), 128)",
    "perf": "call('perf_event_open', ctypes.create_string_buffer(128), 0, -1, -1, 0)",
    "io-uring": "call('io_uring_setup', 4, ctypes.create_string_buffer(256))",
    "userfaultfd": "call('userfaultfd', 0)",
    "kexec": "call('kexec_load', 0, 0, None, 0)",
    "module": "call('finit_module', 0, b'', 0)",
    "reboot": "call('reboot', 0, 0, 0, None)",
    "hostname": "socket.sethostname('out')",
    "clock": "time.clock_settime(time.CLOCK_REALTIME, 0)",
    "file-handle": "call('open_by_handle_at', -1, None, 0)",
    "personality": "call('personality', 0x0400000)",
    "type-at-terminal": "fcntl.ioctl(os.openpty()[1], 0x5412, b'x')",
    "raise-limits": "resource.setrlimit(resource.RLIMIT_CORE, (1, 1))",
    "signal-outside": "os.kill(4194000, 0)",
    "setuid-program": "suid()",
}
# errors that are a refusal: of the kernel, of a filter, of a place that is not there
REFUSED_BY = {errno.EPERM, errno.EACCES, errno.ENOSYS, errno.EROFS, errno.ENOENT, errno.ECONNREFUSED, errno.ESRCH, errno.EINVAL, errno.EAFNOSUPPORT,
              errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENODEV, "EAI"}

PRELUDE = """
import ctypes, errno, fcntl, json, os, platform, resource, signal, socket, struct, subprocess, sys, time
libc = ctypes.CDLL(None, use_errno=True)
NUMBERS = {'x86_64': {'mount': 165, 'umount2': 166, 'unshare': 272, 'setns': 308, 'ptrace': 101, 'process_vm_readv': 310, 'prctl': 157, 'keyctl': 250,
    'add_key': 248, 'bpf': 321, 'perf_event_open': 298, 'io_uring_setup': 425, 'userfaultfd': 323, 'kexec_load': 246, 'finit_module': 313, 'reboot': 169,
    'open_by_handle_at': 304, 'personality': 135, 'clone': 56},
  'aarch64': {'mount': 40, 'umount2': 39, 'unshare': 97, 'setns': 268, 'ptrace': 117, 'process_vm_readv': 270, 'prctl': 167, 'keyctl': 219,
    'add_key': 217, 'bpf': 280, 'perf_event_open': 241, 'io_uring_setup': 425, 'userfaultfd': 282, 'kexec_load': 104, 'finit_module': 273, 'reboot': 142,
    'open_by_handle_at': 265, 'personality': 92, 'clone': 220}}[platform.machine()]
def call(name, *args):
    if libc.syscall(NUMBERS[name], *args) < 0:
        raise OSError(ctypes.get_errno(), name)
def clone(flags):
    pid = libc.syscall(NUMBERS['clone'], flags, 0, 0, 0, 0)
    if pid == 0:
        os._exit(0)
    if pid < 0:
        raise OSError(ctypes.get_errno(), 'clone')
def refuse():
    raise OSError(errno.EACCES, 'a file that takes anything')
def tcp(to, family=socket.AF_INET):
    s = socket.socket(family, socket.SOCK_STREAM)
    s.settimeout(20)
    s.connect(to)
def udp(to, broadcast=False, family=socket.AF_INET):
    s = socket.socket(family, socket.SOCK_DGRAM)
    if broadcast:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
    s.sendto(b'data', to)
def ping(to):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM, socket.IPPROTO_ICMP)
    s.sendto(b'\\x08\\0\\0\\0\\0\\0\\0\\0', (to, 0))
def new_route():
    s = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
    s.send(struct.pack('IHHII', 28, 24, 0x405, 1, 0) + struct.pack('BBBBBBBBI', 2, 0, 0, 0, 254, 4, 253, 1, 0))
    code = struct.unpack('i', s.recv(4096)[16:20])[0]
    if code:
        raise OSError(-code, 'route')
def child():
    pid = os.fork()
    if pid == 0:
        time.sleep(20)
        os._exit(0)
    return pid
def suid():
    done = subprocess.run(['/usr/bin/su', '-c', 'id -u'], capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if done.stdout.strip() != '0' and os.statvfs('/usr').f_flag & os.ST_NOSUID:
        raise OSError(errno.EPERM, 'su')
"""


@pytest.fixture(scope="module")
def tried(cell):
    """every way, tried in one worker"""
    outside = socket.socket(socket.AF_UNIX)
    outside.bind("\0cloister-test-outside")
    outside.listen()
    script = PRELUDE + f"WAYS = json.loads({json.dumps(json.dumps(WAYS))})\n" + """
found = {}
for name, text in WAYS.items():
    try:
        eval(text)
        found[name] = 'allowed'
    except socket.gaierror as e:
        found[name] = 'EAI'
    except OSError as e:
        found[name] = e.errno
    except ValueError:  # setrlimit's way to say EPERM
        found[name] = errno.EPERM
print(json.dumps(found))
"""
    before = cell.state()["refused"]
    ended, said = cell.run(script)
    outside.close()
    assert ended == 0, said
    return json.loads(said.splitlines()[-1]), before, cell.state()["refused"]


@pytest.mark.parametrize("way", WAYS)
def test_no_way_out(tried, way):
    found, _, _ = tried
    assert found[way] in REFUSED_BY, errno.errorcode.get(found[way], found[way])


def test_attempts_are_counted_by_kind(tried):
    _, before, after = tried
    new = {kind: after[kind] - before[kind] for kind in after}
    assert new["tcp"] == 4  # three, and the one that an IPv6 address hid
    assert new["udp"] == 3
    assert new["ipv6"] == 2
    assert new["icmp"] == 1
    assert new["dns"] >= 3  # a resolver may ask twice
    assert new["raw-socket"] == 8
    assert new["mount"] == 5
    assert new["other"] == 6  # five for new or other namespaces, one for the keyring


def test_attempts_are_on_record_and_not_one_by_one(house, cell):
    before = len([r for r in house.records if r.get("reason") == "tcp"])
    ended, said = cell.run(PRELUDE + "for i in range(50):\n    try:\n        tcp(('192.0.2.9', 80))\n    except OSError:\n        pass\n")
    assert ended == 0, said
    total = cell.state()["refused"]["tcp"]
    mine = [r for r in house.records if r["act"] == "cell.refused" and r["other"] == cell.id and r["reason"] == "tcp"]
    assert len(mine) - before <= 1 or len(mine) <= 2  # at most one in ten seconds
    end = time.monotonic() + PATIENCE_S
    while sum(r["count"] for r in mine) < total:
        assert time.monotonic() < end
        time.sleep(0.1)
        mine = [r for r in house.records if r["act"] == "cell.refused" and r["other"] == cell.id and r["reason"] == "tcp"]
    assert sum(r["count"] for r in mine) == total
    assert all(r["study"] == cell_house.STUDY and r["object"] == cell_house.RELEASE and r["who"] == cell_house.WHO for r in mine)


def test_loopback_and_ordinary_work_are_free(cell):
    ended, said = cell.run(PRELUDE + """
import multiprocessing, threading, tempfile, sqlite3
a = socket.create_server(('127.0.0.1', 0))
b = socket.create_connection(a.getsockname())
c, d = socket.socketpair()
with multiprocessing.Pool(2) as pool:
    assert pool.map(abs, [-1, -2]) == [1, 2]
t = threading.Thread(target=print)
t.start(); t.join()
with tempfile.NamedTemporaryFile() as f:
    f.write(b'x')
sqlite3.connect('/home/researcher/x.db').execute('create table t(x)')
assert subprocess.run(['/bin/sh', '-c', 'echo $((1 + 1))'], capture_output=True).stdout == b'2\\n'
assert socket.gethostname() == 'cell' and os.getuid() == 1000 and os.getcwd() == '/home/researcher'
import duckdb, pandas, pyarrow, matplotlib.pyplot
assert duckdb.connect().execute('select 42').fetchall() == [(42,)]
print('fine')
""")
    assert (ended, said.splitlines()[-1]) == (0, "fine"), said


# ---- neighbours ----

def test_neighbours_do_not_meet(house, cell):
    other = house.open()
    other.put_home("secret.txt", "NEIGHBOURS-SECRET")
    other.put_home("serve.py", "import socket, time\ns = socket.create_server(('127.0.0.1', 7777))\n"
                   "open('/home/researcher/up', 'w').close()\ntime.sleep(600)\n")
    worker = other.worker("serve.py")
    other.until(lambda s: other.collect("up")["up"] is not None)
    ended, said = cell.run(PRELUDE + """
found = {}
try:
    tcp(('127.0.0.1', 7777)); found['port'] = 'allowed'
except OSError as e:
    found['port'] = e.errno
found['pids'] = sorted(int(p) for p in os.listdir('/proc') if p.isdigit())
found['names'] = [open(f'/proc/{p}/cmdline').read() for p in found['pids'] if p != os.getpid()]
signal.signal(signal.SIGTERM, signal.SIG_IGN)
os.kill(-1, signal.SIGTERM)
found['files'] = subprocess.run('grep -rl NEIGHBOURS-[S]ECRET /home /tmp /release /import /run /dev/shm', shell=True, capture_output=True, text=True).stdout
print(json.dumps(found))
""")
    found = json.loads(said.splitlines()[-1])
    assert found["port"] == errno.ECONNREFUSED
    assert found["pids"][0] == 1 and not any("serve.py" in n for n in found["names"])
    assert found["files"] == ""
    assert next(w for w in other.state()["workers"] if w["id"] == worker)["running"]
    assert other.uid != cell.uid
    other.close()
    assert processes_of(other.uid) == []
    assert cell.state()["open"]


# ---- limits ----

def test_a_fork_bomb_is_the_cells_alone(own_house):
    house = own_house(processes=60)
    bombed, fine = house.open(), house.open()
    ended, said = bombed.run("""
import os, time, errno, json
n = 0
try:
    while True:
        if os.fork() == 0:
            time.sleep(600)
            os._exit(0)
        n += 1
except OSError as e:
    print(json.dumps([n, e.errno]))
""")
    n, code = json.loads(said.splitlines()[-1])
    assert code == errno.EAGAIN and 10 < n < 60
    assert fine.run("print(1)\n") == (0, "1\n")
    bombed.until(lambda s: s["processes"] < 20)  # what the worker left behind ended with it
    assert bombed.run("print(2)\n") == (0, "2\n")


def test_a_memory_bomb_is_the_cells_alone(own_house):
    house = own_house(memory_mib=300)
    bombed, fine = house.open(), house.open()
    ended, _ = bombed.run("x = []\nwhile True:\n    x.append(bytearray(b'x' * (1 << 20)))\n")
    assert os.WIFSIGNALED(ended) and os.WTERMSIG(ended) == signal.SIGKILL
    assert fine.run("print(1)\n") == (0, "1\n")
    assert bombed.state()["open"]
    assert bombed.state()["memory"] <= 300 << 20


def test_memory_files_are_memory(own_house):
    house = own_house(memory_mib=256)
    cell = house.open()
    ended, said = cell.run("""
import errno
try:
    with open('/tmp/x', 'wb') as f:
        while True:
            f.write(b'x' * (1 << 20))
except OSError as e:
    print(e.errno)
""")
    assert os.WIFSIGNALED(ended) or said.strip() == str(errno.ENOSPC), said
    assert house.state(cell.id)["open"]


def test_the_disk_has_an_end(own_house):
    house = own_house(disk_mib=48)
    cell = house.open()
    ended, said = cell.run("""
import json, os
n = 0
try:
    with open('/home/researcher/big', 'wb') as f:
        while True:
            n += f.write(os.urandom(1 << 20))
            f.flush()
except OSError as e:
    os.unlink('/home/researcher/big')
    print(json.dumps([n >> 20, e.errno]))
""")
    assert ended == 0, said
    mib, code = json.loads(said.splitlines()[-1])
    assert code in (errno.ENOSPC, errno.EFBIG) and 20 < mib < 48
    image = next(house.folder.glob("volumes/*.img"))
    assert image.stat().st_size == 48 << 20
    assert cell.state()["disk"] < 48 << 20


# ---- what goes in and comes out ----

def test_a_release_is_read_only_for_good(house):
    cell = house.open()
    assert not cell.state()["staged"]
    files = [("manifest.json", b"{}"), ("parquet/person.parquet", os.urandom(3_000_000)), ("csv/person.csv", b"")]
    cell.stage(files)
    ended, said = cell.run("""
import hashlib, os
for top, _, names in sorted(os.walk('/release')):
    for name in sorted(names):
        with open(os.path.join(top, name), 'rb') as f:
            print(os.path.join(top, name), hashlib.sha256(f.read()).hexdigest())
for name in ('/release/manifest.json', '/release/new'):
    try:
        open(name, 'w'); print('WRITTEN')
    except OSError:
        pass
try:
    os.unlink('/release/manifest.json'); print('REMOVED')
except OSError:
    pass
""")
    import hashlib
    wanted = "".join(f"/release/{n} {hashlib.sha256(b).hexdigest()}\n" for n, b in sorted(files, key=lambda f: ("/" in f[0], f[0])))
    assert (ended, said) == (0, wanted)
    with pytest.raises(Refused, match="conflict"):
        cell.carry_in(STAGE, pack_parcel([("x", b"")]))
    assert [r for r in house.records if r["act"] == "cell.stage" and r["other"] == cell.id]
    cell.close()


@pytest.mark.parametrize("data", [
    pack_parcel([("good", b"1"), ("../bad", b"2")]), pack_parcel([("/bad", b"")]), pack_parcel([("a//b", b"")]), pack_parcel([("./b", b"")]),
    pack_parcel([("good", b"1")])[:-2], pack_parcel([("good", b"12345")])[:-5], pack_parcel([("good", b"1")]) + b"x", b"\xff\xff",
    struct.pack(">H", 4) + b"none" + b"\xff" * 8, pack_parcel([("sp ace", b"")]),
    pack_parcel([("dir", b""), ("dir/file", b"")]), struct.pack(">H", 1) + b"a" + struct.pack(">Q", 1 << 60) + b"x" * 1000,
], ids=range(12))
def test_a_parcel_that_is_none_leaves_nothing(house, cell, data):
    before = house.log_text().count("parcel-broke-off")
    try:
        cell.carry_in(DELIVER, data)
    except BrokenPipeError:
        pass
    end = time.monotonic() + PATIENCE_S
    while house.log_text().count("parcel-broke-off") == before:
        assert time.monotonic() < end
        time.sleep(0.02)
    cell.deliver([("marker", b"")])  # what comes after it comes whole
    while (said := cell.run("import os\nprint(sorted(os.listdir('/import')))\n")[1]) != "['marker']\n":
        assert time.monotonic() < end and said == "[]\n", said
    assert not pathlib.Path("/bad").exists()


def test_several_deliveries_at_once(house):
    cell = house.open()
    pipes = [os.fdopen(house.scrub.call(DELIVER, cell.raw + os.urandom(16))[1][0], "wb") for _ in range(4)]
    parcels = [pack_parcel([(f"of-{i}/a", b"a" * i), (f"of-{i}/b", b"b" * 100_000)]) for i in range(4)]
    for at in range(0, len(parcels[0]) + 8, 10_000):
        for pipe, data in zip(pipes, parcels, strict=True):
            pipe.write(data[at:at + 10_000])
            pipe.flush()
    for pipe in pipes:
        pipe.close()
    end = time.monotonic() + PATIENCE_S
    while True:
        ended, said = cell.run("""
import os
print(sorted((top, n, os.path.getsize(os.path.join(top, n))) for top, _, names in os.walk('/import') for n in names))
""")
        if said.strip() == str(sorted((f"/import/of-{i}", n, s) for i in range(4) for n, s in (("a", i), ("b", 100_000)))):
            break
        assert ended == 0 and time.monotonic() < end, said
    cell.close()


def test_collecting_takes_files_and_nothing_else(cell):
    ended, _ = cell.run("""
import os
os.makedirs('/home/researcher/airlock/outbox', exist_ok=True)
with open('/home/researcher/airlock/outbox/result.csv', 'w') as f:
    f.write('n\\n12\\n')
for name, to in (('link', '/etc/passwd'), ('out', '../release'), ('self', 'airlock/outbox/result.csv'), ('fd', '/proc/self/fd/0')):
    os.symlink(to, '/home/researcher/' + name)
with open('/home/researcher/empty', 'w'):
    pass
""", "files.py")
    assert ended == 0
    found = cell.collect("airlock/outbox/result.csv", "link", "out/manifest.json", "self", "fd", "empty", "none", "airlock")
    assert found == {"airlock/outbox/result.csv": b"n\n12\n", "link": None, "out/manifest.json": None, "self": None, "fd": None, "empty": b"",
                     "none": None, "airlock": None}
    for bad in ("../release/x", "/etc/passwd", "a/../b", "", "a b", "x" * 300, "caf\u00e9"):
        with pytest.raises(Refused, match="invalid"):
            cell.collect(bad)


def test_a_large_file_comes_out_whole(cell):
    ended, said = cell.run("""
import hashlib, os
data = os.urandom(5_000_001)
open('/home/researcher/large', 'wb').write(data)
print(hashlib.sha256(data).hexdigest())
""")
    import hashlib
    assert hashlib.sha256(cell.collect("large")["large"]).hexdigest() == said.strip()


# ---- workers ----

@pytest.mark.parametrize("script,word", [("none.py", "not-found"), ("../x.py", "invalid"), ("/etc/passwd", "invalid"), ("", "invalid"),
                                         ("airlock", "not-found"), ("x.sh", "not-found"), ("a b.py", "invalid")])
def test_a_script_that_is_none(cell, script, word):
    cell.put_home("x.sh", "echo")
    with pytest.raises(Refused, match=word):
        cell.worker(script)


def test_a_worker_vanishes_whole(house, cell):
    ended, said = cell.run("""
import os, sys, time
for i in range(3):
    if os.fork() == 0:
        os.setsid()
        time.sleep(600)
        os._exit(0)
print('left three behind')
sys.exit(7)
""")
    assert os.WEXITSTATUS(ended) == 7 and said == "left three behind\n"
    ended, said = cell.run("import subprocess\nprint(subprocess.run(['ps', 'ax'], capture_output=True, text=True).stdout)\n", "look.py")
    assert ended == 0 and "look.py" in said and "probe.py" not in said
    assert [r for r in house.records if r["act"] == "cell.worker" and r["other"] == cell.id]


def test_the_first_notebook_runs_as_a_worker(own_house, tmp_path):
    house = own_house(memory_mib=2048, disk_mib=128)
    subprocess.run([TOOLS / "bin" / "python", "-c", f"""
import duckdb
duckdb.sql("copy (select i as person_id, case when i % 3 = 0 then 'female' else 'male' end as gender_source_value "
           "from range(100) t(i)) to '{tmp_path}/person.parquet'")
duckdb.sql("copy (select i % 100 as person_id, '718-7' as measurement_source_value, 'Haemoglobin' as measurement_source_name, "
           "'g/dL' as unit_source_value, 12 + i % 5 * 0.5 as value_as_number from range(300) t(i)) to '{tmp_path}/measurement.parquet'")
"""], check=True)
    cell = house.open()
    cell.stage([("manifest.json", b'{"study": "test", "profile": "safe-harbor", "version": 1}'),
                ("dictionary.csv", b"table,column,meaning\nperson,gender,sex\n"),
                ("parquet/person.parquet", (tmp_path / "person.parquet").read_bytes()),
                ("parquet/measurement.parquet", (tmp_path / "measurement.parquet").read_bytes())])
    worker = cell.worker("first-look.ipynb")
    ended = cell.finish(worker, 180)
    assert ended["status"] == 0, cell.log(worker)
    name = f"worker-{worker}.ipynb"
    done = json.loads(cell.collect(name)[name])
    outputs = json.dumps([c.get("outputs") for c in done["cells"]])
    assert "measurement" in outputs and "safe-harbor" in outputs and "image/png" in outputs and '"ename"' not in outputs


# ---- the notebook server ----

def get(cell, path, method="GET", headers=""):
    s = cell.connect()
    s.settimeout(PATIENCE_S)
    s.sendall(f"{method} /cell/{cell.id}/{path} HTTP/1.1\r\nHost: cell\r\nConnection: close\r\n{headers}\r\n".encode())
    with s.makefile("rb") as f:
        answer = f.read()
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split()[1]), body


def test_the_notebook_serves_and_hands_out_no_files(cell):
    cell.until(lambda s: s["notebook"])
    assert get(cell, "api/status")[0] == 200
    assert get(cell, "lab")[0] == 200
    assert b"first-look.ipynb" in get(cell, "api/contents")[1]
    for path in ("files/first-look.ipynb", "files/first-look.ipynb?download=1", "nbconvert/html/first-look.ipynb?download=true", "view/first-look.ipynb"):
        assert get(cell, path)[0] in (403, 404), path
    assert json.loads(get(cell, "api/terminals")[1]) == []
    assert cell.state()["used"] > 0


def test_a_false_socket_leads_nowhere(own_house):
    """the file of the notebook's socket is the cell's to replace: a link to a socket outside must not be followed"""
    house = own_house()
    cell = house.open()
    cell.until(lambda s: s["notebook"])
    ended, said = cell.run("""
import os
os.unlink('/run/cell/notebook.sock')
os.symlink('/proc/1/root/run/dbus/system_bus_socket', '/run/cell/notebook.sock')
""")
    assert ended == 0, said
    with pytest.raises(Refused, match="conflict|busy"):
        cell.connect()


# ---- what lies outside ----

def test_disk_and_log_hold_no_plaintext(own_house):
    house = own_house()
    cell = house.open()
    canary = "CANARY" + os.urandom(12).hex()
    cell.stage([("CanaryName-release.csv", canary.encode() * 1000)])
    cell.deliver([("CanaryName-import.csv", canary.encode() * 1000)])
    ended, _ = cell.run(f"""
import os
with open('/home/researcher/CanaryName-home.txt', 'w') as f:
    f.write('{canary}' * 1000)
    f.flush()
    os.fsync(f.fileno())
print('{canary}')
""", "CanaryName-script.py")
    assert ended == 0
    assert canary.encode() in cell.collect("CanaryName-home.txt")["CanaryName-home.txt"]  # it is there, inside
    keys = [house.keys[cell.id], house.keys[cell.id].hex().encode()]
    cell.close()
    os.sync()
    searched = 0
    for path in house.top.rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            searched += len(data)
            for word in (canary.encode(), b"CanaryName", *keys):
                assert word not in data, path.name
    assert searched > 90 << 20  # the volume was among it


def test_a_home_stays_and_a_release_does_not(own_house):
    house = own_house()
    cell = house.open()
    cell.stage([("x", b"1")])
    cell.put_home("mine.txt", "kept")
    cell.close()
    with pytest.raises(Refused, match="not-found"):
        cell.state()
    assert processes_of(cell.uid) == []
    again = house.open(cell.id)
    assert again.collect("mine.txt", "first-look.ipynb")["mine.txt"] == b"kept"
    assert again.run("import os\nprint(os.listdir('/release'))\n") == (0, "[]\n")
    again.stage([("y", b"2")])
    again.close()
    again.close()  # of one that is not open: fine
    house.keys[cell.id] = os.urandom(32)
    with pytest.raises(Refused, match="denied"):
        house.open(cell.id)


def test_a_volume_is_never_mounted_twice(own_house):
    """opened again at once after its keeper was killed: the old mount goes first, and what was written is whole"""
    house = own_house()
    cell = house.open()
    for i in range(4):
        ended, said = cell.run(f"import os\nf = open('/home/researcher/{i}', 'w')\nf.write('kept' * 100000)\nf.flush()\nos.fsync(f.fileno())\n")
        assert ended == 0, said
        os.kill(cell.keeper(), signal.SIGKILL)
        end = time.monotonic() + PATIENCE_S
        while True:
            try:
                house.open(cell.id)
                break
            except Refused as e:
                assert e.word in ("exists", "busy", "closed") and time.monotonic() < end, e.word
    found = cell.collect("0", "1", "2", "3")
    assert all(data == b"kept" * 100000 for data in found.values())
    loops = [p.read_text() for p in pathlib.Path("/sys/block").glob("loop*/loop/backing_file")]
    assert sum(cell.id in text for text in loops) == 1


# ---- who may ask, and when ----

def test_a_cells_time_ends(own_house):
    """after the minutes that warden gave; one is the least"""
    house = own_house(minutes=1)
    cell = house.open()
    cell.put_home("sleep.py", "import time\ntime.sleep(600)\n")
    cell.worker("sleep.py")
    end = time.monotonic() + 60 + PATIENCE_S
    while not [r for r in house.records if r["act"] == "cell.close"]:
        assert time.monotonic() < end
        time.sleep(0.2)
    assert [r["reason"] for r in house.records if r["act"] == "cell.close"] == ["time"]
    with pytest.raises(Refused, match="not-found"):
        cell.state()
    while processes_of(cell.uid):
        assert time.monotonic() < end
        time.sleep(0.05)


def test_who_may_ask(house, cell):
    for channel, op in ((house.scrub, OPEN), (house.gate, STAGE), (house.gate, COLLECT), (house.steward, OPEN), (house.steward, DELIVER)):
        with pytest.raises(Refused, match="denied"):
            channel.call(op, os.urandom(32))
    for op in (OPEN, cell_house.STATE, cell_house.CONNECT):
        with pytest.raises(Refused, match="invalid"):
            house.gate.call(op, b"short")
    with pytest.raises(Refused, match="exists"):
        house.open(cell.id)
    with pytest.raises(Refused, match="not-found"):
        house.state("77" * 16)


def test_wardens_no_is_no(own_house):
    house = own_house()
    house.refuse = 9  # expired
    with pytest.raises(Refused, match="expired"):
        house.open()
    assert not list(house.folder.glob("volumes/*"))


def test_open_and_close_are_on_record(house):
    cell = house.open()
    cell.close()
    mine = [(r["act"], r["study"], r["object"], r["who"]) for r in house.records if r["other"] == cell.id]
    rest = (cell_house.STUDY, cell_house.RELEASE, cell_house.WHO)
    assert mine == [("cell.open", *rest), ("cell.close", *rest)]


# ---- the walls, from outside ----

def caps(pid):
    return int(status(pid)["CapEff"], 16), int(status(pid)["CapBnd"], 16)


def test_each_part_has_its_powers_and_no_more(house, cell):
    mason_powers = sum(1 << CAPABILITIES[n] for n in CAPABILITIES)
    server, keeper, room = house.pid, cell.keeper(), cell.room()
    mason = int(status(keeper)["PPid"])
    assert int(status(mason)["PPid"]) == server
    assert status(server)["Uid"].split() == ["62018"] * 4 and caps(server)[0] == 0
    for pid in (mason, keeper):
        assert caps(pid) == (mason_powers, mason_powers)
    fuse = [p for p in processes_of(cell.uid) if pathlib.Path(f"/proc/{p}/comm").read_text().startswith("gocryptfs")]
    assert len(fuse) == 1 and int(status(fuse[0])["PPid"]) == keeper
    for pid in (room, *fuse):
        assert caps(pid) == (0, 0) and status(pid)["Uid"].split() == [str(cell.uid)] * 4
    for pid in (server, mason, keeper, room, *fuse):
        assert status(pid)["NoNewPrivs"] == "1" and status(pid)["Seccomp"] == "2"
    key = house.keys[cell.id]
    for pid in (server, mason, keeper, room, *fuse):
        for name in ("cmdline", "environ"):
            data = pathlib.Path(f"/proc/{pid}/{name}").read_bytes()
            assert key.hex().encode() not in data and key not in data
    # what is open in a cell: its control channel, and nothing of the house
    open_files = {os.readlink(f"/proc/{room}/fd/{fd}") for fd in os.listdir(f"/proc/{room}/fd")}
    assert all(re.match(r"/dev/null|socket:|anon_inode:\[signalfd\]", f) for f in open_files), open_files
    mine = {n: os.readlink(f"/proc/self/ns/{n}") for n in os.listdir("/proc/self/ns")}
    for name in ("user", "mnt", "pid", "ipc", "uts", "cgroup", "net"):
        assert os.readlink(f"/proc/{room}/ns/{name}") != mine[name], name


def test_the_mason_sees_a_workshop_only(house, cell):
    root = pathlib.Path(f"/proc/{cell.keeper()}/root")
    assert not (root / "root").exists() and not (root / "home").exists() and not (root / "etc" / "shadow").exists()
    # no way back by a descriptor, and no network either
    for pid in (int(status(cell.keeper())["PPid"]), cell.keeper()):
        opened = {os.readlink(f"/proc/{pid}/fd/{fd}") for fd in os.listdir(f"/proc/{pid}/fd")}
        assert not [f for f in opened if f.startswith("/") and f not in ("/volumes", "/dev/null", str(house.log_path))], opened
        assert os.readlink(f"/proc/{pid}/ns/net") != os.readlink("/proc/self/ns/net")
        assert [line.split(":")[0].strip() for line in pathlib.Path(f"/proc/{pid}/net/dev").read_text().splitlines()[2:]] == ["lo"]
    assert sorted(p.name for p in (root / "volumes").iterdir() if p.suffix == ".img") == sorted(p.name for p in house.folder.glob("volumes/*.img"))


def traces(house):
    """mounts and loop devices that are left of a house's cells"""
    names = [str(house.top), *house.keys]
    left = [line for line in pathlib.Path("/proc/self/mountinfo").read_text().splitlines() if any(n in line for n in names) or "gocryptfs" in line]
    for loop in pathlib.Path("/sys/block").glob("loop*/loop/backing_file"):
        try:
            text = loop.read_text().strip()
        except OSError:
            continue
        left += [text] if any(n in text for n in names) else []
    return left


def lives(pid):
    """(number, start): the same process as long as both are; None: it has ended"""
    try:
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return None
    return None if fields[0] == "Z" else (pid, fields[19])


def inhabitants(namespaces):
    """who is in one of these; a namespace lives as long as one of them, since nothing else holds it"""
    found = set()
    for pid in pids():
        for name in ("net", "pid", "mnt", "user"):
            try:
                if os.readlink(f"/proc/{pid}/ns/{name}") in namespaces:
                    found.add(lives(pid))
            except OSError:
                continue
    return found - {None}


@pytest.mark.parametrize("victim", ["server", "mason", "keeper"])
def test_a_kill_leaves_nothing(own_house, victim):
    house = own_house()
    cells = [house.open(), house.open()]
    for c in cells:
        c.put_home("sleep.py", "import time\ntime.sleep(600)\n")
        c.worker("sleep.py")
    keeper = cells[0].keeper()
    mason = int(status(keeper)["PPid"])
    gone = cells[:1] if victim == "keeper" else cells
    namespaces = {os.readlink(f"/proc/{p}/ns/{n}") for c in gone for p in (c.room(), c.keeper()) for n in ("net", "pid", "mnt", "user")}
    namespaces -= {os.readlink(f"/proc/{p}/ns/{n}") for p in ("self", mason) for n in ("net", "pid", "mnt", "user")}
    before = inhabitants(namespaces)
    assert len(before) >= 5 * len(gone)  # keeper, gocryptfs, process 1, the notebook, the worker
    os.kill({"server": house.pid, "mason": mason, "keeper": keeper}[victim], signal.SIGKILL)
    if victim == "server":
        house.wait()
    if victim == "mason":
        assert os.WEXITSTATUS(house.wait()) == 18  # nothing can be built without it: its process ends too, to be started again
    end = time.monotonic() + PATIENCE_S

    def left():
        found = [t for t in traces(house) if victim != "keeper" or cells[0].id in t]
        return found + [p for c in gone for p in processes_of(c.uid)] + [p for p in before if lives(p[0]) == p]

    while left():
        assert time.monotonic() < end, left()
        time.sleep(0.05)
    if victim != "keeper":
        house.start()  # which also takes the empty control groups away
        st = os.stat(house.folder)
        name = f"{st.st_dev:x}-{st.st_ino:x}"
        assert not [p for p in pathlib.Path("/sys/fs/cgroup").glob(f"**/cloister/{name}/*") if p.is_dir()]
        again = house.open(cells[0].id)
        assert again.collect("sleep.py")["sleep.py"] is not None
    else:
        with pytest.raises(Refused, match="not-found|closed"):
            cells[0].state()
        assert cells[1].state()["open"]
        assert [r["reason"] for r in house.records if r["act"] == "cell.close"] == ["ended"]


def test_stop_closes_all_and_says_so(own_house):
    house = own_house()
    cells = [house.open(), house.open()]
    assert os.WEXITSTATUS(house.stop()) == 0
    assert sorted(r["other"] for r in house.records if r["act"] == "cell.close" and r["reason"] == "stop") == sorted(c.id for c in cells)
    assert not [p for c in cells for p in processes_of(c.uid)]
    assert traces(house) == []
    st = os.stat(house.folder)
    assert not list(pathlib.Path("/sys/fs/cgroup").glob(f"**/cloister/{st.st_dev:x}-{st.st_ino:x}"))


def test_without_root_there_are_no_cells():
    house = CellHouse()
    try:
        os.chown(house.folder, 65534, 65534)
        os.chmod(house.top / "state", 0o755)
        program = BUILD / "src" / "bin" / "cloister-cell"
        copy = house.top / program.name
        copy.write_bytes(program.read_bytes())
        copy.chmod(0o755)
        log = os.open(house.log_path, os.O_WRONLY | os.O_CREAT, 0o666)
        house_start_as_nobody(house, copy, log)
        with pytest.raises(Refused, match="unsupported"):
            house.open()
        assert "not started as root" in house.log_text()
    finally:
        house.release()


def test_without_tools_there_are_no_cells():
    house = CellHouse(tools="/nowhere").start()
    try:
        with pytest.raises(Refused, match="unsupported"):
            house.open()
        assert "the folder of tools is not there" in house.log_text()
        assert os.WEXITSTATUS(house.stop()) == 0
    finally:
        house.release()


def house_start_as_nobody(house, program, log):
    """as CellHouse.start, through runuser, which keeps descriptors"""
    import fcntl
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    folder = os.open(house.folder, os.O_RDONLY | os.O_DIRECTORY)
    null = os.open("/dev/null", os.O_RDWR)
    high = [fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 100) for fd in (null, null, log, theirs.fileno(), folder)]
    house.pid = os.posix_spawn("/usr/bin/setpriv", ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", str(program), "--fds", "5",
                                                    f"--tools={house.tools}"], {}, file_actions=[(os.POSIX_SPAWN_DUP2, fd, i) for i, fd in enumerate(high)])
    for fd in [*high, folder, null]:
        os.close(fd)
    theirs.close()
    house.control = ours
    house.control.settimeout(PATIENCE_S)
    assert house.control.recv(100)[:2] == b"\0\1"
    house.gate = cell_house.Channel(house.peer(cell_house.GATE, True))


def test_modes_of_what_is_kept(house, cell):
    folder = house.folder / "volumes"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700 and folder.stat().st_uid == 0
    for image in folder.iterdir():
        assert stat.S_IMODE(image.stat().st_mode) == 0o600 and image.stat().st_uid == 0


def test_parcels_of_the_tests_read_themselves():
    assert cell_house.unpack_parcel(io.BytesIO(pack_parcel([("a/b", b"xy"), ("c", b"")]))) == {"a/b": b"xy", "c": b""}
