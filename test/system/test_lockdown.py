"""One command closes the house; two people open it."""

import threading
import time

import pytest
from house import refused, word


@pytest.fixture
def own(own_house):
    return own_house()


def lift(person, status=0):
    return person.house.run("lockdown", "--lift", "--state", person.house.state, "--credentials", person.credentials, status=None if status is None else status)


def test_lockdown(own):
    p = own.people
    s3 = p["alice"].client()
    bucket = "b-" + word()
    s3.create_bucket(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key="x", Body=b"x")
    link = s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "x"})
    s3.put_object(Bucket=bucket, Key="big", Body=bytes(64 * 1024 * 1024))
    running = s3.get_object(Bucket=bucket, Key="big")["Body"]
    got = [len(running.read(65536))]

    p["sam"].cli("lockdown")
    for call in (lambda: s3.get_object(Bucket=bucket, Key="x"), lambda: s3.put_object(Bucket=bucket, Key="y", Body=b""), s3.list_buckets,
                 lambda: s3.list_objects_v2(Bucket=bucket), lambda: s3.delete_object(Bucket=bucket, Key="x")):
        with refused("ServiceUnavailable", "AccessDenied"):
            call()
    assert own.http("GET", "/" + link.split("/", 3)[3]).status in (403, 503)
    time.sleep(1)
    with pytest.raises(Exception):  # the running download ends, short
        while data := running.read(1024 * 1024):
            got.append(len(data))
        raise EOFError
    assert sum(got) < 48 * 1024 * 1024

    # neither one person twice, nor two of whom none is a security officer, nor an administrator
    assert lift(p["admin"], None).returncode != 0
    lift(p["sam"], None)
    lift(p["sam"], None)
    with refused("ServiceUnavailable", "AccessDenied"):
        s3.list_buckets()
    assert lift(p["alice"], None).returncode != 0
    lift(p["paula"])
    assert s3.get_object(Bucket=bucket, Key="x")["Body"].read() == b"x"
    acts = [r["act"] for r in own.audit(act="lockdown.")]
    assert "lockdown.on" in acts and "lockdown.lift" in acts and "lockdown.lift-consent" in acts


def test_lockdown_outlives_a_restart(own):
    p = own.people
    s3 = p["alice"].client()
    p["sam"].cli("lockdown")
    assert own.stop() == 0
    own.start()
    with refused("ServiceUnavailable", "AccessDenied"):
        s3.list_buckets()
    lift(p["sam"])
    lift(p["paula"])
    s3.list_buckets()


def test_lockdown_under_load(own):
    """after the answer to the lock-down nothing more is given"""
    p = own.people
    s3 = p["alice"].client()
    bucket = "b-" + word()
    s3.create_bucket(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key="x", Body=b"x" * 1000)
    stop, last_ok = threading.Event(), [0.0] * 4

    def read(i):
        client = p["alice"].client()
        while not stop.is_set():
            begun = time.monotonic()
            try:
                client.get_object(Bucket=bucket, Key="x")["Body"].read()
                last_ok[i] = max(last_ok[i], begun)
            except Exception:
                time.sleep(0.01)
    threads = [threading.Thread(target=read, args=(i,)) for i in range(4)]
    for t in threads:
        t.start()
    time.sleep(1)
    p["sam"].cli("lockdown")
    locked = time.monotonic()
    time.sleep(1)
    stop.set()
    for t in threads:
        t.join()
    assert min(last_ok) > 0
    assert max(last_ok) <= locked


def test_only_those_who_may(house, bob, alice):
    for person in (bob, alice, house.people["audrey"]):
        done = house.run("lockdown", "--state", house.state, "--credentials", person.credentials, status=None)
        assert done.returncode == 5, done
    alice.client().list_buckets()
