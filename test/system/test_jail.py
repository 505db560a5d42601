"""Each process tries what it may not do, and is refused; what it needs still works.

As root every jail has its own uid and its own root folder; as an ordinary user Landlock and seccomp stand alone. Both are tried.
"""
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import tempfile

import pytest

BUILD = pathlib.Path(os.environ.get("CLOISTER_BUILD", pathlib.Path(__file__).parents[2] / "build"))
PROBE = BUILD / "test" / "tools" / "jail_probe"
ROLES = {"ledger": 62012, "warden": 62013, "vault": 62014, "gate": 62015, "steward": 62016, "intake": 62017, "cell": 62018}
TRIES = subprocess.run([PROBE, "--list"], capture_output=True, text=True, check=True).stdout.split()

# Refused by the kernel with an error, or by a filter that a library's probe must survive. Every other try must end the process.
BY_ERROR = {
    "open-etc-passwd", "open-system-folder", "create-outside", "read-other-room", "write-other-room", "list-other-room",
    "own-memory-file", "parent-environment", "device", "out-through-proc", "link-from-outside", "rename-to-outside", "terminal-input",
}
# In a gate, steward or cell, which own no files, the same tries end in these ways: open is a refused probe, the rest kills.
KILLED_WITHOUT_FILES = {"link-from-outside"}
REFUSED_EARLY_WITHOUT_FILES = {"setuid-file", "rename-to-outside"}  # the file cannot even be made
# Intake calls out, to brokers: that it may, and nothing beside it.
DIALS = {"intake": {"socket-inet", "socket-inet6", "connect"}}
AS_USER = [True, False] if os.geteuid() == 0 else [False]


@pytest.fixture
def house():
    """a state folder with two rooms; ours is "mine" """
    top = pathlib.Path(tempfile.mkdtemp(prefix="cloister-jail-", dir="/tmp"))
    os.chmod(top, 0o711)
    (top / "other").mkdir(mode=0o777)
    os.chmod(top / "other", 0o777)  # open to all: it is the jail that must refuse, not the mode
    (top / "other" / "secret").write_text("a secret of another room")
    os.chmod(top / "other" / "secret", 0o666)
    (top / "mine").mkdir(mode=0o700)
    yield top
    shutil.rmtree(top)


def probe(house, role, what, as_root, stdin=subprocess.DEVNULL):
    command = [str(PROBE), role, what, str(house / "mine")]
    if os.geteuid() == 0 and not as_root:
        shutil.chown(house / "mine", "nobody", "nogroup")
        shutil.copy(PROBE, house / "probe")  # the build folder may be closed to nobody
        os.chmod(house / "probe", 0o755)
        command = ["runuser", "-u", "nobody", "--", str(house / "probe"), *command[1:]]
    elif role in ROLES and as_root:
        os.chown(house / "mine", ROLES[role], ROLES[role])
    environment = {"PATH": os.environ["PATH"]}
    done = subprocess.run(command, stdin=stdin, capture_output=True, text=True, timeout=30, env=environment, check=False)
    code = 128 - done.returncode if done.returncode > 128 else done.returncode  # runuser reports 128 + signal
    return code, done.stdout.split(), done.stderr


modes = pytest.mark.parametrize("as_root", AS_USER, ids=lambda r: "root" if r else "user")
roles = pytest.mark.parametrize("role", ROLES)


@modes
@roles
@pytest.mark.parametrize("what", TRIES)
def test_refused(house, role, what, as_root):
    code, said, problem = probe(house, role, what, as_root)
    assert said[:1] == ["entered"], problem
    if what in DIALS.get(role, ()):
        assert (code, said) == (1, ["entered", "allowed"])
        return
    has_files = role not in ("gate", "steward", "cell")
    by_error = what in BY_ERROR
    if not has_files:
        by_error = (by_error and what not in KILLED_WITHOUT_FILES) or what in REFUSED_EARLY_WITHOUT_FILES
    if by_error:
        assert (code, said) == (0, ["entered", "refused"])
    else:
        assert (code, said) == (-signal.SIGSYS, ["entered"])
    assert not os.path.exists("/tmp/cloister-escaped")
    assert not (house / "other" / "planted").exists()
    assert not (house / "mine" / "stolen").exists()


# The same tries without a jail: those that are safe to do must succeed, so that "refused" above means something.
FREE = ["open-etc-passwd", "out-through-proc", "open-system-folder", "read-other-room", "write-other-room", "list-other-room", "own-memory-file",
        "symlink-out", "link-from-outside", "rename-to-outside", "setuid-file", "socket-inet", "socket-unix", "fork", "clone",
        "kill-parent", "memory-executable", "map-executable", "dumpable", "exec-memory"]


@pytest.mark.parametrize("what", FREE)
def test_tries_succeed_without_a_jail(house, what):
    code, said, _ = probe(house, "free", what, True)
    assert said[-1:] != ["refused"] or what == "exec-memory"
    assert code == 1


GROUPS = {  # what each role's work needs
    "ledger": ["works-sqlite", "works-files", "works-basics"],
    "warden": ["works-sqlite", "works-files", "works-memfd", "works-basics"],
    "vault": ["works-sqlite", "works-files", "works-nameless", "works-basics"],
    "gate": ["works-threads", "works-channels", "works-accept", "works-basics"],
    "steward": ["works-channels", "works-memfd", "works-basics"],
    "cell": ["works-channels", "works-basics"],
    "intake": ["works-sqlite", "works-files", "works-channels", "works-accept", "works-dial", "works-basics"],
}


@modes
@pytest.mark.parametrize("role,what", [(r, w) for r, ws in GROUPS.items() for w in ws])
def test_works(house, role, what, as_root):
    listener = socket.create_server(("127.0.0.1", 0))
    client = socket.create_connection(listener.getsockname())
    code, said, problem = probe(house, role, what, as_root, stdin=listener if what in ("works-accept", "works-dial") else subprocess.DEVNULL)
    assert (code, said) == (0, ["entered", "works"]), problem
    if what == "works-accept":
        assert client.recv(5) == b"hello"


@modes
@roles
def test_a_bug_ends_the_process_as_a_bug(house, role, as_root):
    """abort() must end it with SIGABRT, not with a second failure inside the first"""
    code, _, _ = probe(house, role, "works-abort", as_root)
    assert code == -signal.SIGABRT
    assert not list((house / "mine").glob("core*"))


@modes
def test_unknown_try_or_role_is_no_success(house, as_root):
    assert probe(house, "vault", "no-such-try", as_root)[0] == 99
    assert probe(house, "no-such-role", "fork", as_root)[0] == 99


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_a_folder_of_another_user_is_not_usable(house):
    os.chown(house / "mine", 1, 1)
    done = subprocess.run([PROBE, "vault", "works-files", house / "mine"], capture_output=True, text=True, check=False)
    assert done.returncode != 0


# ---- the one exception: the mason, who builds cells, and what runs in them ----

MASON_REFUSED = {"ptrace-parent", "read-parent-memory", "bpf", "io-uring", "userfaultfd", "perf", "module", "reboot", "open-by-handle", "terminal-input",
                 "raise-limit"}
ROOM_REFUSED = MASON_REFUSED | {"socket-raw", "mount", "chroot", "setgroups", "setuid-root", "user-namespace", "keyctl"}
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="there is a mason only where cloisterd is root")


@needs_root
@pytest.mark.parametrize("role,what", [("mason", w) for w in sorted(MASON_REFUSED)] + [("room", w) for w in sorted(ROOM_REFUSED)])
def test_the_masons_refusals_end_nothing(house, role, what):
    assert what in TRIES
    assert probe(house, role, what, True)[:2] == (0, ["entered", "refused"])


@needs_root
def test_only_the_mason_may_execute(house):
    """it may, and so the tries above mean something; no role of jail.def may"""
    assert probe(house, "mason", "exec", True)[:2] == (0, ["entered"])  # /bin/true has taken its place
    for role in ROLES:
        assert probe(house, role, "exec", True)[0] == -signal.SIGSYS
    for what in ("works-basics", "works-threads", "works-channels"):
        assert probe(house, "mason", what, True)[:2] == (0, ["entered", "works"])
        assert probe(house, "room", what, True)[:2] == (0, ["entered", "works"])


@needs_root
def test_the_masons_powers_are_those_of_the_page(house):
    page = (pathlib.Path(__file__).parents[2] / "src" / "proc" / "jail.def").read_text()
    powers = re.search(r'^MASON\("([A-Z_ ]+)",', page, re.M)[1].split()
    numbers = {"KILL": 5, "SETGID": 6, "SETUID": 7, "SETPCAP": 8, "NET_ADMIN": 12, "SYS_CHROOT": 18, "SYS_ADMIN": 21}
    assert set(powers) == set(numbers)  # one more is a decision, and this line its witness
    for name in powers:
        assert re.search(rf" {name} .*\S", page.split("MASON(powers")[1].split("*/")[0]), f"{name} has no reason"
    shown = subprocess.run([PROBE, "mason", "works-powers", house / "mine"], capture_output=True, text=True, check=True).stdout.split()
    assert shown[:2] == ["entered", f"{sum(1 << numbers[n] for n in powers):x}"]
