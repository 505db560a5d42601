"""A thousand clients that say nothing take nothing from those who do."""

import resource
import ssl

import pytest
from house import word

COUNT = 1000


@pytest.fixture
def more_descriptors():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < COUNT + 500:
        pytest.skip(f"only {hard} descriptors allowed here")
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_idle(own_house, more_descriptors):
    house = own_house()
    s3 = house.people["alice"].client()
    bucket = "b-" + word()
    s3.create_bucket(Bucket=bucket)
    before = house.rss("gate")
    held = []
    try:
        for _ in range(COUNT):
            held.append(house.connect())
        for i in range(50):
            s3.put_object(Bucket=bucket, Key=f"k{i}", Body=b"x" * 100_000)
            assert len(s3.get_object(Bucket=bucket, Key=f"k{i}")["Body"].read()) == 100_000
        fresh = house.people["bob"].client()
        fresh.list_buckets()
        grown = house.rss("gate") - before
        assert grown < COUNT * 128, f"{grown} KiB for {COUNT} idle connections"
        # they are alive: each still gets an answer
        for s in held[::100]:
            s.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            s.settimeout(10)
            assert s.recv(1000).startswith(b"HTTP/1.1 403")
    finally:
        for s in held:
            try:
                s.close()
            except (OSError, ssl.SSLError):
                pass
    assert house.bugs() == []


def test_half_a_request_holds_nobody_up(own_house):
    """slow senders, one byte each"""
    house = own_house()
    held = []
    for _ in range(100):
        s = house.connect()
        s.sendall(b"P")
        held.append(s)
    house.people["alice"].client().list_buckets()
    for s in held:
        s.close()
