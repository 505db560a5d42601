"""Memory does not grow with the object: 2 GiB by default, CLOISTER_LARGE_GIB for more."""

import hashlib
import os
import shutil
import threading
import time

import pytest
from boto3.s3.transfer import TransferConfig
from house import word
from sigv4 import Signer

GIB = 1024**3
SIZE = int(os.environ.get("CLOISTER_LARGE_GIB", "2")) * GIB
BOUND_KIB = 160 * 1024  # of the gate, whatever the size
BLOCK = hashlib.shake_128(b"block").digest(1024 * 1024)


class Source:
    """${SIZE} bytes that are nowhere"""

    def __init__(self, size):
        self.size, self.at = size, 0

    def __len__(self):
        return self.size

    def read(self, n=-1):
        n = min(n if n >= 0 else self.size, self.size - self.at)
        start = self.at % len(BLOCK)
        self.at += n
        return (BLOCK[start:] + BLOCK * (n // len(BLOCK) + 1))[:n]


def watch(house, stop, peaks):
    while not stop.is_set():
        for role in ("gate", "vault", "warden", "ledger"):
            peaks[role] = max(peaks.get(role, 0), house.rss(role))
        time.sleep(0.1)


@pytest.mark.timeout(1200)
def test_flat(own_house):
    house = own_house()
    if shutil.disk_usage(house.top).free < 2 * SIZE:
        pytest.skip("not enough room on the disk")
    alice = house.people["alice"]
    bucket = "b-" + word()
    alice.client().create_bucket(Bucket=bucket)
    peaks, stop = {}, threading.Event()
    watcher = threading.Thread(target=watch, args=(house, stop, peaks))
    watcher.start()
    try:
        # one PUT, in a stream
        headers = Signer(house, alice).headers("PUT", f"/{bucket}/single", payload_hash="UNSIGNED-PAYLOAD") | {"Content-Length": str(SIZE)}
        with house.connect(timeout=600) as s:
            s.sendall(f"PUT /{bucket}/single HTTP/1.1\r\n".encode() + "".join(f"{k}: {v}\r\n" for k, v in headers.items()).encode() + b"\r\n")
            source = Source(SIZE)
            want = hashlib.sha256()
            while data := source.read(len(BLOCK)):
                want.update(data)
                s.sendall(data)
            assert s.recv(100).startswith(b"HTTP/1.1 200")
        got = hashlib.sha256()
        body = alice.client().get_object(Bucket=bucket, Key="single")["Body"]
        while data := body.read(4 * 1024 * 1024):
            got.update(data)
        assert got.digest() == want.digest()
        # and in parts, as a transfer manager does it
        size = SIZE // 4
        alice.client().upload_fileobj(Source(size), bucket, "parts", Config=TransferConfig(multipart_chunksize=64 * 1024 * 1024, max_concurrency=4))
        assert alice.client().head_object(Bucket=bucket, Key="parts")["ContentLength"] == size
    finally:
        stop.set()
        watcher.join()
    assert peaks["gate"] < BOUND_KIB, peaks
    assert max(peaks[r] for r in ("vault", "warden", "ledger")) < BOUND_KIB, peaks
