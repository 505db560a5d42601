"""A disk that fails under the running processes: what was refused was not done, what was acknowledged is there, the house comes back.

The failing calls are made by test/tools/bad_disk.c, loaded into the processes. And a disk that is full."""

import contextlib
import errno
import hashlib
import os
import pathlib
import shutil
import struct
import subprocess
import tempfile
import time

import pytest
from botocore.exceptions import BotoCoreError, ClientError
from house import BUILD, House, word

ORDER = struct.Struct("<IIiII")
PROCESSES = ("ledger", "warden", "vault", "gate")
WRITE, SYNC = 1, 2
LARGE = 300_000  # a file of its own
PATIENCE_S = 30


class BadHouse(House):
    """with the library loaded"""

    def start(self, seconds=60):
        shutil.copy(BUILD / "test" / "tools" / "bad_disk.so", self.top / "bad_disk.so")
        self.orders = self.top / "orders"
        self.orders.write_bytes(bytes(4096))
        os.environ |= {"LD_PRELOAD": str(self.top / "bad_disk.so"), "CLOISTER_TEST": "1"}
        try:
            return super().start(seconds)
        finally:
            del os.environ["LD_PRELOAD"], os.environ["CLOISTER_TEST"]

    @contextlib.contextmanager
    def failing(self, process, kind, error, good=0, most=1):
        """inside, calls of ${process} fail; they must"""
        at = PROCESSES.index(process) * ORDER.size
        with self.orders.open("r+b", buffering=0) as f:
            os.pwrite(f.fileno(), ORDER.pack(kind, good, error, 0, most), at)
            try:
                yield
            finally:
                failed = ORDER.unpack(os.pread(f.fileno(), ORDER.size, at))[3]
                os.pwrite(f.fileno(), bytes(ORDER.size), at)
        assert failed > 0, "nothing has failed"


@pytest.fixture(scope="module")
def bad():
    h = BadHouse().init().start()
    try:
        h.add_everybody()
        h.bucket = "b-" + word()
        h.s3 = h.people["alice"].client()
        h.s3.create_bucket(Bucket=h.bucket)
        h.kept = {}
        yield h
        assert h.stop() == 0, h.log_text()[-4000:]
        assert h.bugs() == []
        records = list(h.verified())  # the whole log, by the second verifier
        assert len(records) > len(h.kept)
    finally:
        h.release()


def put(house, size, seconds=0):
    """an object, acknowledged within ${seconds} of trying; kept in mind"""
    key, body = word(), os.urandom(size)
    until = time.monotonic() + seconds
    while True:
        try:
            house.s3.put_object(Bucket=house.bucket, Key=key, Body=body)
        except (ClientError, BotoCoreError):
            if time.monotonic() > until:
                raise
            time.sleep(0.1)
        else:
            house.kept[key] = hashlib.sha256(body).digest()
            return


def refused(house, size):
    """the key of an object that was not acknowledged, and the status"""
    key = "refused-" + word()
    with pytest.raises((ClientError, BotoCoreError)) as e:
        house.s3.put_object(Bucket=house.bucket, Key=key, Body=os.urandom(size))
    return key, e.value.response["ResponseMetadata"]["HTTPStatusCode"] if isinstance(e.value, ClientError) else 0


def everything_is_there(house, *refused_keys):
    found = {o["Key"] for page in house.s3.get_paginator("list_objects_v2").paginate(Bucket=house.bucket) for o in page.get("Contents", [])}
    assert found >= house.kept.keys()
    for key, digest in house.kept.items():
        assert hashlib.sha256(house.s3.get_object(Bucket=house.bucket, Key=key)["Body"].read()).digest() == digest
    for key in refused_keys:  # of what failed in the midst nothing is known; half of it is not there
        if key in found:
            assert len(house.s3.get_object(Bucket=house.bucket, Key=key)["Body"].read()) in (100, LARGE)


CASES = [
    # process, what fails, how, after how many calls, size of the object, does the process end
    ("ledger", SYNC, errno.EIO, 0, 100, True),
    ("ledger", WRITE, errno.EIO, 0, 100, True),
    ("vault", SYNC, errno.EIO, 0, 100, True),      # the database's log
    ("vault", SYNC, errno.EIO, 0, LARGE, False),   # the object's file: unknown is only that one
    ("vault", SYNC, errno.EIO, 1, LARGE, True),    # the folder
    ("vault", SYNC, errno.EIO, 2, LARGE, True),    # the log that says that it is there: it may prove so
    ("vault", WRITE, errno.EIO, 0, 100, True),
    ("vault", WRITE, errno.ENOSPC, 0, 100, False),
    ("gate", WRITE, errno.EIO, 0, LARGE, False),
    ("gate", WRITE, errno.ENOSPC, 0, LARGE, False),
    ("gate", SYNC, errno.EIO, 0, LARGE, False),
]


@pytest.mark.parametrize("process,kind,error,good,size,ends", CASES,
                         ids=[f"{c[0]}-{'write' if c[1] == WRITE else 'sync'}-{errno.errorcode[c[2]]}-{c[3]}-{c[4]}" for c in CASES])
def test_a_failing_call_is_not_acknowledged(bad, process, kind, error, good, size, ends):
    put(bad, size, PATIENCE_S)
    before = bad.pids()[process]
    with bad.failing(process, kind, error, good):
        key, http = refused(bad, size)
    assert http == 0 or http >= 500
    if error == errno.ENOSPC:
        assert http == 507
    put(bad, size, PATIENCE_S)  # the house is back
    assert (bad.pids()[process] != before) == ends
    everything_is_there(bad, key)


@pytest.mark.parametrize("kind", [WRITE, SYNC])
def test_people_are_not_half_made(bad, kind):
    before = bad.pids()["warden"]
    admin, name = bad.people["admin"], word()
    with bad.failing("warden", kind, errno.EIO):
        done = bad.run("user", "add", name, "--role", "researcher", "--state", bad.state, "--credentials", admin.credentials, status=None)
    assert done.returncode != 0
    put(bad, 100, PATIENCE_S)
    assert bad.pids()["warden"] != before
    listed = admin.cli("user", "list")
    if name not in str(listed):
        admin.cli("user", "add", name, "--role", "researcher")


# ---- full disks ----

@pytest.fixture
def small_disk():
    """a file system of 160 MiB"""
    top = pathlib.Path(tempfile.mkdtemp(prefix="cloister-full-", dir="/tmp"))
    top.chmod(0o711)
    if os.geteuid() != 0 or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=160m,mode=0711", "none", top], check=False).returncode != 0:
        top.rmdir()
        pytest.skip("needs root, to mount a small file system")
    yield top
    subprocess.run(["umount", "-l", top], check=True)
    top.rmdir()


def fill(disk, leave):
    """a file of somebody else's, that leaves ${leave} bytes"""
    ballast = disk / "ballast"
    with ballast.open("ab") as f:
        size = f.tell() + shutil.disk_usage(disk).free - leave
        with contextlib.suppress(OSError):
            os.posix_fallocate(f.fileno(), 0, size)
    return ballast


def test_a_full_disk(small_disk):
    house = House(top=small_disk).init().start()
    try:
        house.add_everybody()
        house.bucket, house.kept = "b-" + word(), {}
        house.s3 = house.people["alice"].client()
        house.s3.create_bucket(Bucket=house.bucket)
        put(house, 100)
        put(house, LARGE)
        before = house.pids()

        # room for records, but not for objects: reading goes on, and is on record
        ballast = fill(small_disk, 40 * 1024 * 1024)
        for size in (100, LARGE):
            assert refused(house, size)[1] == 507
        seen = len(house.audit(act="object.get"))
        everything_is_there(house)
        assert len(house.audit(act="object.get")) >= seen + len(house.kept)
        for key in list(house.kept)[:1]:  # deleting makes room, so it is not refused
            house.s3.delete_object(Bucket=house.bucket, Key=key)
            del house.kept[key]

        # no room at all: no record, no data; nothing dies of it
        fill(small_disk, 0)
        key, http = refused(house, 100)
        assert http >= 500
        with pytest.raises(ClientError) as e:
            house.s3.get_object(Bucket=house.bucket, Key=next(iter(house.kept)))
        assert e.value.response["ResponseMetadata"]["HTTPStatusCode"] >= 500

        # room again: all is as it was, without a restart
        ballast.unlink()
        put(house, 100, PATIENCE_S)
        put(house, LARGE, PATIENCE_S)
        everything_is_there(house, key)
        assert key not in {o["Key"] for o in house.s3.list_objects_v2(Bucket=house.bucket)["Contents"]}
        assert house.pids() == before
        assert house.stop() == 0
        assert house.bugs() == []
        house.verified()
    finally:
        house.release()
