"""The SQL engine in the jail that scrub lives in: it works there, threads and all, and nothing can be opened."""
import os
import pathlib
import shutil
import subprocess
import tempfile

import pytest

BUILD = pathlib.Path(os.environ.get("CLOISTER_BUILD", pathlib.Path(__file__).parents[2] / "build"))
PROBE = BUILD / "test" / "tools" / "tables_probe"


@pytest.fixture
def folder():
    top = pathlib.Path(tempfile.mkdtemp(prefix="cloister-tables-", dir="/tmp"))
    (top / "mine").mkdir(mode=0o700)
    if os.geteuid() == 0:
        os.chmod(top, 0o711)
        os.chown(top / "mine", 62019, 62019)
    yield top / "mine"
    shutil.rmtree(top)


@pytest.mark.parametrize("role", ["free", "scrub"])
def test_the_engine_works(folder, role):
    done = subprocess.run([PROBE, role, folder], capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stdout.split()) == (0, ["entered", "works"]), done.stderr
    assert not list(folder.iterdir())
    assert not os.path.exists("/tmp/cloister-escaped")


def test_only_these_functions_are_in_front_of_libc():
    """what the executable shows to libraries is what memfile.h says, and nothing that it happens to contain"""
    lines = subprocess.run(["nm", "-D", "--defined-only", PROBE], capture_output=True, text=True, check=True).stdout.splitlines()
    shown = {line.split()[2] for line in lines if line.split()[1] == "T"}
    wanted = {"open", "access", "realpath", "opendir", "unlink", "rename", "mkdir", "rmdir", "fopen", "readlink", "statvfs", "getcwd"}
    assert wanted <= shown
    assert not {name for name in shown if name.startswith(("pool_", "tables_", "memfile_", "buf_"))}
