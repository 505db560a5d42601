"""Conditions of reads and writes (RFC 9110, 13; S3 User Guide, "Conditional requests")."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone

import pytest
from house import refused

OTHER = '"' + "0" * 32 + '"'
PAST = datetime(2001, 1, 1, tzinfo=timezone.utc)


def future():
    return datetime.now(timezone.utc) + timedelta(days=1)


@pytest.fixture
def etag(s3, bucket):
    return s3.put_object(Bucket=bucket, Key="x", Body=b"x")["ETag"]


@pytest.mark.parametrize("call", ["get_object", "head_object"])
def test_reads(s3, bucket, etag, call):
    read = getattr(s3, call)
    pre = ("PreconditionFailed", "412")
    not_modified = ("304", "NotModified")

    def ok(**conditions):
        assert read(Bucket=bucket, Key="x", **conditions)["ETag"] == etag

    def fails(codes, http, **conditions):
        with refused(*codes, http=http):
            read(Bucket=bucket, Key="x", **conditions)

    ok(IfMatch=etag)
    ok(IfMatch="*")
    ok(IfMatch=f"{OTHER}, {etag}")
    fails(pre, 412, IfMatch=OTHER)
    ok(IfNoneMatch=OTHER)
    fails(not_modified, 304, IfNoneMatch=etag)
    fails(not_modified, 304, IfNoneMatch="*")
    ok(IfModifiedSince=PAST)
    ok(IfUnmodifiedSince=future())
    fails(pre, 412, IfUnmodifiedSince=PAST)
    ok(IfMatch=etag, IfUnmodifiedSince=PAST)  # If-Match speaks for both
    fails(not_modified, 304, IfNoneMatch=etag, IfModifiedSince=PAST)


def test_not_modified_keeps_its_headers(house, alice, s3, bucket, etag):
    from sigv4 import Signer
    answer = Signer(house, alice).request("GET", f"/{bucket}/x", headers={"If-None-Match": etag})
    assert (answer.status, answer.headers["etag"], answer.body) == (304, etag, b"")


def test_write_if_absent(s3, bucket, etag):
    with refused("PreconditionFailed", http=412):
        s3.put_object(Bucket=bucket, Key="x", Body=b"y", IfNoneMatch="*")
    assert s3.get_object(Bucket=bucket, Key="x")["Body"].read() == b"x"
    s3.put_object(Bucket=bucket, Key="y", Body=b"y", IfNoneMatch="*")
    s3.delete_object(Bucket=bucket, Key="x")
    s3.put_object(Bucket=bucket, Key="x", Body=b"again", IfNoneMatch="*")


def test_write_if_unchanged(s3, bucket, etag):
    with refused("PreconditionFailed", http=412):
        s3.put_object(Bucket=bucket, Key="x", Body=b"y", IfMatch=OTHER)
    with refused("NoSuchKey", http=404):
        s3.put_object(Bucket=bucket, Key="nothing", Body=b"y", IfMatch=etag)
    new = s3.put_object(Bucket=bucket, Key="x", Body=b"y", IfMatch=etag)["ETag"]
    with refused("PreconditionFailed", http=412):
        s3.put_object(Bucket=bucket, Key="x", Body=b"z", IfMatch=etag)
    assert s3.head_object(Bucket=bucket, Key="x")["ETag"] == new


@pytest.mark.parametrize("large", [False, True])
def test_one_of_many_wins(s3, bucket, large):
    """If-None-Match: * is decided where the object is committed, so exactly one of many writers succeeds"""
    def write(i):
        try:
            s3.put_object(Bucket=bucket, Key="x", Body=bytes([i]) * (100_000 if large else 10), IfNoneMatch="*")
            return i
        except s3.exceptions.ClientError as e:
            assert e.response["Error"]["Code"] in ("PreconditionFailed", "ConditionalRequestConflict")
            return None
    with ThreadPoolExecutor(12) as pool:
        winners = [w for w in pool.map(write, range(12)) if w is not None]
    assert len(winners) == 1
    assert s3.get_object(Bucket=bucket, Key="x")["Body"].read(1) == bytes([winners[0]])


def test_counter_by_compare_and_swap(s3, bucket):
    """twelve additions by four writers: none is lost"""
    s3.put_object(Bucket=bucket, Key="n", Body=b"0")

    def add(_):
        while True:
            got = s3.get_object(Bucket=bucket, Key="n")
            try:
                s3.put_object(Bucket=bucket, Key="n", Body=str(int(got["Body"].read()) + 1).encode(), IfMatch=got["ETag"])
                return
            except s3.exceptions.ClientError as e:
                assert e.response["Error"]["Code"] in ("PreconditionFailed", "ConditionalRequestConflict")
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(add, range(12)))
    assert s3.get_object(Bucket=bucket, Key="n")["Body"].read() == b"12"


def test_range_with_if_range(house, alice, s3, bucket):
    from sigv4 import Signer
    etag = s3.put_object(Bucket=bucket, Key="r", Body=b"0123456789")["ETag"]
    answer = Signer(house, alice).request("GET", f"/{bucket}/r", headers={"Range": "bytes=2-3", "If-Range": etag})
    assert (answer.status, answer.body) == (206, b"23")
    answer = Signer(house, alice).request("GET", f"/{bucket}/r", headers={"Range": "bytes=2-3", "If-Range": OTHER})
    assert (answer.status, answer.body) == (200, b"0123456789")


def test_delete_if_match(house, alice, s3, bucket, etag):
    """a condition is kept or refused, never ignored: an ignored one would delete the wrong thing"""
    from sigv4 import Signer
    answer = Signer(house, alice).request("DELETE", f"/{bucket}/x", headers={"If-Match": OTHER})
    assert answer.status in (412, 501), answer
    assert s3.head_object(Bucket=bucket, Key="x")["ETag"] == etag
