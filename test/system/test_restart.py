"""kill -9 of each process, at moments nobody chose, under load: what was acknowledged is there, once, with its bytes."""

import contextlib
import hashlib
import os
import random
import signal
import threading
import time

import pytest
from botocore.exceptions import BotoCoreError, ClientError
from house import ROLES, word

ROUNDS = int(os.environ.get("CLOISTER_KILLS", "30"))


class Load:
    """writers that remember what they were promised"""

    def __init__(self, house, bucket):
        self.house, self.bucket = house, bucket
        self.promised, self.attempted, self.deleted = {}, {}, set()
        self.wrong = []
        self.stop = threading.Event()
        self.threads = [threading.Thread(target=self.work, args=(i,)) for i in range(4)]
        for t in self.threads:
            t.start()

    def work(self, who):
        r = random.Random(who)
        s3 = self.house.people["alice"].client(read_timeout=20, connect_timeout=5)
        mine, n = [], 0
        while not self.stop.is_set():
            n += 1
            key = f"w{who}/{word(8)}"
            try:
                what = r.random()
                if what < 0.6 or not mine:
                    body = os.urandom(r.choice([0, 10, 1000, 30_000, 40_000, 300_000]))
                    self.attempted[key] = hashlib.sha256(body).digest()
                    s3.put_object(Bucket=self.bucket, Key=key, Body=body)
                    self.promised[key] = self.attempted[key]
                    mine.append(key)
                elif what < 0.7:
                    upload = s3.create_multipart_upload(Bucket=self.bucket, Key=key)["UploadId"]
                    body = os.urandom(50_000)
                    self.attempted[key] = hashlib.sha256(body).digest()
                    etag = s3.upload_part(Bucket=self.bucket, Key=key, UploadId=upload, PartNumber=1, Body=body)["ETag"]
                    s3.complete_multipart_upload(Bucket=self.bucket, Key=key, UploadId=upload, MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": etag}]})
                    self.promised[key] = self.attempted[key]
                    mine.append(key)
                elif what < 0.9:
                    key = r.choice(mine)
                    if hashlib.sha256(s3.get_object(Bucket=self.bucket, Key=key)["Body"].read()).digest() != self.promised[key]:
                        self.wrong.append(key)
                else:
                    key = mine.pop()
                    del self.promised[key]  # from here on its fate is open
                    s3.delete_object(Bucket=self.bucket, Key=key)
                    self.deleted.add(key)
            except (ClientError, BotoCoreError) as e:
                if isinstance(e, ClientError) and e.response["Error"]["Code"] == "NoSuchKey" and key in self.promised:
                    self.wrong.append(key)
                time.sleep(0.05)

    def end(self):
        self.stop.set()
        for t in self.threads:
            t.join()


def wait_whole(house, seconds=20):
    """until every process is there again and a request passes"""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if set(ROLES) <= set(house.pids()):
            with contextlib.suppress(ClientError, BotoCoreError):
                house.people["alice"].client(read_timeout=5).list_buckets()
                return
        time.sleep(0.05)
    raise AssertionError(f"not whole after {seconds} s: {house.pids()}\n{house.log_text()[-3000:]}")


def check(house, load):
    s3 = house.people["alice"].client()
    there = {}
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=load.bucket):
        for o in page.get("Contents", []):
            assert o["Key"] not in there, "listed twice"
            there[o["Key"]] = o
    assert not load.wrong, load.wrong
    missing = set(load.promised) - set(there)
    assert not missing, f"acknowledged and gone: {sorted(missing)[:5]} of {len(load.promised)}"
    assert not load.deleted & set(there), "deleted, acknowledged, and there again"
    assert set(there) <= set(load.attempted)
    for key in there:  # also those that were not acknowledged: whole or not at all
        assert hashlib.sha256(s3.get_object(Bucket=load.bucket, Key=key)["Body"].read()).digest() == load.attempted[key], key


@pytest.mark.timeout(400)
def test_killed_in_turn(own_house):
    house = own_house()
    bucket = "b-" + word()
    house.people["alice"].client().create_bucket(Bucket=bucket)
    load = Load(house, bucket)
    r = random.Random(5)
    try:
        for i in range(ROUNDS):
            time.sleep(r.uniform(0.05, 0.7))
            role = ROLES[i % len(ROLES)]
            pid = house.pids().get(role)
            if pid:
                os.kill(pid, signal.SIGKILL)
            if i % 5 == 4:
                wait_whole(house)
        wait_whole(house)
        assert all(t.is_alive() for t in load.threads)
    finally:
        load.end()
    assert len(load.promised) > ROUNDS
    check(house, load)
    assert house.stop() == 0
    assert house.verified()
    house.start()
    check(house, load)
    assert house.bugs() == []


def test_everything_killed_at_once(own_house):
    """as by the kernel or a power switch: the parent too"""
    house = own_house()
    bucket = "b-" + word()
    house.people["alice"].client().create_bucket(Bucket=bucket)
    load = Load(house, bucket)
    try:
        for _ in range(3):
            time.sleep(1.5)
            pids = house.pids()
            os.kill(pids["cloisterd"], signal.SIGKILL)
            for pid in pids.values():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            house.stop()
            house.start()
    finally:
        load.end()
    check(house, load)
    assert house.stop() == 0
    assert house.verified()


def test_children_do_not_outlive_the_parent(own_house):
    house = own_house(people=False)
    pids = house.pids()
    os.kill(pids["cloisterd"], signal.SIGKILL)
    house.process.wait()
    until = time.monotonic() + 10
    while time.monotonic() < until and any(os.path.exists(f"/proc/{p}") for p in pids.values()):
        time.sleep(0.05)
    assert not [role for role, p in pids.items() if os.path.exists(f"/proc/{p}")]


def test_a_second_one_on_the_same_state_is_refused(own_house):
    house = own_house(people=False)
    done = house.run("serve", "--state", house.state, "--passphrase-file", house.passphrase_file, status=None, timeout=30)
    assert done.returncode != 0
    assert house.http("GET", "/").status == 403


def test_wrong_passphrase(own_house):
    house = own_house(start=False)
    wrong = house.top / "wrong"
    wrong.write_text("not the passphrase\n")
    wrong.chmod(0o600)
    done = house.run("serve", "--state", house.state, "--passphrase-file", wrong, status=None, timeout=60)
    assert done.returncode == 4, done
    assert "passphrase" in (done.stdout + done.stderr).lower()
