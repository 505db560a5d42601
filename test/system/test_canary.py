"""Identifiers planted wherever a client can put them, then looked for everywhere they must not be."""

import base64
import contextlib
import os
import re

import pytest
from house import refused, word

MARK = "zqcanary"


@pytest.fixture(scope="module")
def planted(house, alice):
    """{where: text}; every text begins with MARK and occurs nowhere else"""
    s3 = alice.client()
    bucket = "b-" + word()
    s3.create_bucket(Bucket=bucket)
    c = {where: f"{MARK}{where}{word(10)}" for where in (
        "small", "large", "part", "meta", "disposition", "type", "refusedkey", "refusedmeta", "refusedtag", "copymeta", "chunk")}
    body = c["large"].encode()
    s3.put_object(Bucket=bucket, Key="small", Body=c["small"].encode(), Metadata={"note": c["meta"]}, ContentDisposition=c["disposition"], ContentType="x/" + c["type"])
    s3.put_object(Bucket=bucket, Key="large", Body=b"".join(body + os.urandom(1000) for _ in range(300)))
    s3.copy_object(Bucket=bucket, Key="copy", CopySource={"Bucket": bucket, "Key": "large"}, MetadataDirective="REPLACE", Metadata={"note": c["copymeta"]})
    upload = s3.create_multipart_upload(Bucket=bucket, Key="parts")["UploadId"]
    etag = s3.upload_part(Bucket=bucket, Key="parts", UploadId=upload, PartNumber=1, Body=c["part"].encode() * 10_000)["ETag"]
    s3.complete_multipart_upload(Bucket=bucket, Key="parts", UploadId=upload, MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": etag}]})
    with refused("InvalidArgument"):
        s3.put_object(Bucket=bucket, Key=f"{c['refusedkey']} 123-45-6789", Body=b"")
    with refused("InvalidArgument"):
        s3.put_object(Bucket=bucket, Key="x", Body=b"", Metadata={"a": f"{c['refusedmeta']} 123-45-6789"})
    with refused("InvalidArgument"):
        s3.put_object(Bucket=bucket, Key="x", Body=b"", Tagging=f"a={c['refusedtag']}+123-45-6789")
    from sigv4 import UNSIGNED_TRAILER, Signer
    Signer(house, alice).put_stream(f"/{bucket}/broken", [c["chunk"].encode()], UNSIGNED_TRAILER, spoil=lambda b: b[:-8])  # never finished
    for key in ("small", "large", "copy", "parts"):
        s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    return c


def looks(text):
    raw = text.encode()
    return [raw, base64.b64encode(raw)[:-4], raw.hex().encode(), text.upper().encode(), text.encode("utf-16-le")]


def search(data, planted):
    return [where for where, text in planted.items() if any(look in data for look in looks(text))]


@pytest.mark.skipif(os.geteuid() != 0, reason="the folders belong to their processes: needs root")
def test_disk(house, planted):
    searched = 0
    for path in house.top.rglob("*"):
        with contextlib.suppress(OSError):
            if path.is_file():
                data = path.read_bytes()
                searched += len(data)
                assert search(data, planted) == [], path
    assert searched > 500_000


def test_log(house, planted):
    assert MARK not in house.log_text()


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
@pytest.mark.parametrize("role", ["ledger", "vault", "warden", "steward", "cloisterd"])
def test_memory(house, planted, role):
    """of every process but the gate, which plaintext passes through"""
    pid = house.pids()[role]
    regions = re.findall(r"^([0-9a-f]+)-([0-9a-f]+) r", open(f"/proc/{pid}/maps").read(), re.MULTILINE)
    found, searched = set(), 0
    with open(f"/proc/{pid}/mem", "rb", 0) as memory:
        for first, last in regions:
            at, end = int(first, 16), int(last, 16)
            tail = b""
            while at < end:
                n = min(end - at, 16 * 1024 * 1024)
                try:
                    memory.seek(at)
                    data = memory.read(n)
                except (OSError, ValueError, OverflowError):
                    break
                found |= set(search(tail + data, planted))
                tail, at, searched = data[-200:], at + n, searched + len(data)
    assert searched > 100_000
    assert not found


def test_records(house, planted):
    import json
    assert MARK not in json.dumps(house.audit())


def test_command_lines_and_environments(house, alice, planted):
    for pid in house.pids().values():
        for name in ("cmdline", "environ"):
            data = open(f"/proc/{pid}/{name}", "rb").read()
            assert MARK.encode() not in data
            assert b"correct horse" not in data and alice.secret.encode() not in data


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_secrets_on_disk(house, alice):
    """the passphrase, secrets, passwords: nowhere in the state"""
    from house import PASSPHRASE
    needles = [PASSPHRASE.encode(), alice.secret.encode(), alice.password.encode(), alice.totp.encode(), base64.b32decode(alice.totp + "=" * (-len(alice.totp) % 8))]
    for path in house.state.rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            assert not [n for n in needles if n in data], path


def test_searching_finds(planted):
    """the search itself can fail a test"""
    assert search(b"xx" + planted["small"].encode() + b"yy", planted) == ["small"]
    assert search(base64.b64encode(b"abc" + planted["small"].encode() + b"abc"), planted) == ["small"]
