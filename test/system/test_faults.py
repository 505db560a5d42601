"""Disks that fill up and bytes that change: said, and never served."""

import os
import random
import shutil
import subprocess
import time

import pytest
from botocore.exceptions import BotoCoreError, ClientError
from house import House, refused, word

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")


@pytest.fixture
def filled(own_house):
    """objects of each kind, and the house stopped"""
    house = own_house()
    s3 = house.people["alice"].client()
    bucket = "b-" + word()
    s3.create_bucket(Bucket=bucket)
    bodies = {"inline": os.urandom(1000), "inline2": os.urandom(1000), "file": os.urandom(200_000), "file2": os.urandom(200_000)}
    for key, body in bodies.items():
        s3.put_object(Bucket=bucket, Key=key, Body=body)
    upload = s3.create_multipart_upload(Bucket=bucket, Key="parts")["UploadId"]
    bodies["parts"] = os.urandom(100_000)
    etag = s3.upload_part(Bucket=bucket, Key="parts", UploadId=upload, PartNumber=1, Body=bodies["parts"])["ETag"]
    s3.complete_multipart_upload(Bucket=bucket, Key="parts", UploadId=upload, MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": etag}]})
    assert house.stop() == 0
    house.filled = (bucket, bodies)
    return house


def blobs(house):
    return sorted(p for p in (house.state / "vault" / "blobs").rglob("*") if p.is_file())


def flip(path, at=None):
    data = bytearray(path.read_bytes())
    data[len(data) // 2 if at is None else at] ^= 1
    with path.open("r+b") as f:
        f.write(data)


def read_all(house):
    """{key: body, or what happened}"""
    bucket, bodies = house.filled
    s3 = house.people["alice"].client()
    got = {}
    for key in bodies:
        try:
            got[key] = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        except (ClientError, BotoCoreError, OSError) as e:
            got[key] = type(e).__name__
    return got


def never_wrong(house, hurt_at_least=0):
    got = read_all(house)
    bodies = house.filled[1]
    hurt = [k for k, v in got.items() if v != bodies[k]]
    assert all(isinstance(got[k], str) for k in hurt), "wrong bytes were served"
    assert len(hurt) >= hurt_at_least, f"a change went unnoticed: {got.keys()}"
    return hurt


def start_or_refuse(house):
    """a house that finds itself damaged may refuse to start, with a word why"""
    try:
        house.start(seconds=15)
        return True
    except AssertionError:
        house.stop()
        assert house.log_text()
        return False


@as_root
@pytest.mark.parametrize("where", ["start", "header", "middle", "end"])
def test_flip_in_a_blob(filled, where):
    for path in blobs(filled):
        size = path.stat().st_size
        flip(path, {"start": 0, "header": 40, "middle": size // 2, "end": size - 1}[where])
    filled.start()
    hurt = never_wrong(filled, 0 if where in ("header", "start") else 3)
    assert not {"inline", "inline2"} & set(hurt)


@as_root
def test_two_blobs_swapped(filled):
    two = [p for p in blobs(filled) if p.stat().st_size > 150_000]
    assert len(two) == 2
    a, b = two
    data = a.read_bytes()
    with a.open("r+b") as f:
        f.write(b.read_bytes())
    with b.open("r+b") as f:
        f.write(data)
    filled.start()
    assert set(never_wrong(filled, 2)) == {"file", "file2"}


@as_root
@pytest.mark.parametrize("cut", [0, 1, 100, "half", "last"])
def test_a_blob_cut_short(filled, cut):
    for path in blobs(filled):
        size = path.stat().st_size
        os.truncate(path, {"half": size // 2, "last": size - 1}.get(cut, cut))
    filled.start()
    assert set(never_wrong(filled, 3)) == {"file", "file2", "parts"}


@as_root
def test_a_blob_removed(filled):
    for path in blobs(filled):
        path.unlink()
    filled.start()
    assert set(never_wrong(filled, 3)) == {"file", "file2", "parts"}


@as_root
def test_a_blob_grown(filled):
    for path in blobs(filled):
        with path.open("ab") as f:
            f.write(b"more")
    filled.start()
    never_wrong(filled)


@as_root
@pytest.mark.parametrize("name", ["vault/vault.db", "warden/warden.db", "warden/root", "ledger/checkpoint", "ledger/journal"])
def test_flips_in_state_files(filled, name):
    """twenty random bits, one after the other: it starts and serves only right bytes, or it does not start"""
    path = filled.state / name
    if path.is_dir():
        path = sorted(path.iterdir())[-1]
    if not path.exists():
        pytest.skip(f"there is no {name}")
    good = path.read_bytes()
    r = random.Random(name)
    refusals = 0
    for _ in range(5):
        flip(path, r.randrange(len(good)))
        if start_or_refuse(filled):
            never_wrong(filled)
        else:
            refusals += 1
        filled.stop()
        with path.open("r+b") as f:
            f.write(good)
            f.truncate()
        for leftover in path.parent.glob(path.name + "-*"):
            if leftover.suffix in (".db-wal", ".db-shm") or leftover.name.endswith(("-wal", "-shm")):
                leftover.unlink()
    if name in ("warden/root", "ledger/checkpoint"):
        assert refusals == 5


@as_root
@pytest.mark.parametrize("name", ["vault/vault.db", "warden/warden.db", "warden/root", "ledger/checkpoint"])
def test_state_files_cut_short(filled, name):
    path = filled.state / name
    os.truncate(path, path.stat().st_size // 2)
    if start_or_refuse(filled):
        never_wrong(filled)
    elif name == "warden/root":
        assert "ready" not in filled.log_text().split("\n")[-1]


@as_root
@pytest.mark.parametrize("name", ["warden", "ledger", "vault"])
def test_an_old_copy_put_back(filled, name):
    """somebody restores one folder of yesterday: noticed"""
    old = filled.top / "old"
    subprocess.run(["cp", "-a", filled.state / name, old], check=True)
    filled.start()
    bucket, bodies = filled.filled
    s3 = filled.people["alice"].client()
    for i in range(20):
        s3.put_object(Bucket=bucket, Key=f"later-{word()}", Body=b"x")
    filled.people["admin"].cli("user", "revoke", "carol")
    assert filled.stop() == 0
    shutil.rmtree(filled.state / name)
    subprocess.run(["cp", "-a", old, filled.state / name], check=True)
    if name == "vault":  # its loss is seen object by object; but no wrong byte
        if start_or_refuse(filled):
            never_wrong(filled)
        return
    assert not start_or_refuse(filled), filled.log_text()[-1500:]
    assert "rollback" in filled.log_text().lower()


@pytest.fixture
def small_disk(tmp_path_factory):
    if os.geteuid() != 0:
        pytest.skip("needs root")
    top = tmp_path_factory.mktemp("small")
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=200m", "tmpfs", top], check=False, capture_output=True).returncode != 0:
        pytest.skip("mounting is not permitted here")
    for path in (top, *list(top.parents)[:-2]):
        path.chmod(path.stat().st_mode | 0o711)
    house = House(top)
    yield house
    house.stop()
    subprocess.run(["umount", "-l", top], check=False)


def test_disk_full(small_disk):
    house = small_disk.init().start()
    house.add_everybody()
    s3 = house.people["alice"].client()
    bucket = "b-" + word()
    s3.create_bucket(Bucket=bucket)
    kept, full = {}, None
    for i in range(60):
        body = os.urandom(5_000_000)
        try:
            s3.put_object(Bucket=bucket, Key=f"k{i}", Body=body)
            kept[f"k{i}"] = body
        except ClientError as e:
            full = e
            break
    assert full is not None, "200 MiB held 300 MB"
    assert (full.response["Error"]["Code"], full.response["ResponseMetadata"]["HTTPStatusCode"]) == ("InsufficientStorage", 507)
    for key, body in kept.items():
        assert s3.get_object(Bucket=bucket, Key=key)["Body"].read() == body
    with refused("404"):
        s3.head_object(Bucket=bucket, Key=f"k{len(kept)}")
    for key in list(kept)[:8]:  # room is made, and it goes on
        s3.delete_object(Bucket=bucket, Key=key)
    until = time.monotonic() + 30
    while True:
        try:
            s3.put_object(Bucket=bucket, Key="again", Body=os.urandom(5_000_000))
            break
        except ClientError:
            assert time.monotonic() < until, "deleting made no room"
            time.sleep(0.5)
    assert house.stop() == 0
    assert house.verified()


def test_disk_full_by_others(small_disk):
    """somebody else fills it to the last byte: reads go on or fail clean, and all is well afterwards"""
    house = small_disk.init().start()
    house.add_everybody()
    s3 = house.people["alice"].client()
    bucket = "b-" + word()
    s3.create_bucket(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key="x", Body=b"x" * 100_000)
    hog = house.top / "hog"
    with hog.open("wb") as f:
        try:
            while True:
                f.write(bytes(1024 * 1024))
                f.flush()
        except OSError:
            pass
    promised = []
    for i in range(20):
        try:
            s3.put_object(Bucket=bucket, Key=f"k{i}", Body=os.urandom(3000))
            promised.append(f"k{i}")
        except (ClientError, BotoCoreError):
            pass
    hog.unlink()
    until = time.monotonic() + 30
    while True:
        try:
            s3.put_object(Bucket=bucket, Key="after", Body=b"after")
            break
        except (ClientError, BotoCoreError):
            assert time.monotonic() < until, house.log_text()[-2000:]
            time.sleep(0.5)
    for key in [*promised, "x", "after"]:
        s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    assert house.stop() == 0
    assert house.verified()
