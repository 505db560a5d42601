"""Objects: what was put is what is got, with its metadata, in every size and under every name."""

import hashlib
import os
from concurrent.futures import ThreadPoolExecutor

import pytest
from house import refused, word

CHUNK = 16384  # of the sealed format
SIZES = [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 32768, 32769, 262144, 262145, 5 * 1024 * 1024 + 3]
KEYS = [
    "plain", "with space", "a/b/c", "a//b", "/leading", "trailing/", "plus+plus", "percent%20literal", "ünïcödé/日本語", "emoji-🏥",
    "tilde~", "quote'\"", "amp&lt<gt>", "question?mark", "hash#tag", "semi;colon", "equals=sign", "star*", "back\\slash",
    "dot/./dot", "dots/../dots", "..", "../../etc/passwd", "%2e%2e/x", "colon:at@sign,comma", "k" * 1024, "a/b", "a/b/c/d",
]


@pytest.mark.parametrize("size", SIZES)
def test_round_trip(s3, bucket, size):
    body = os.urandom(size)
    put = s3.put_object(Bucket=bucket, Key="x", Body=body)
    got = s3.get_object(Bucket=bucket, Key="x")
    assert got["Body"].read() == body
    assert got["ContentLength"] == size
    assert got["ETag"] == put["ETag"]
    assert len(put["ETag"].strip('"')) == 32
    head = s3.head_object(Bucket=bucket, Key="x")
    assert (head["ContentLength"], head["ETag"], head["LastModified"]) == (size, got["ETag"], got["LastModified"])


def test_etag_is_no_md5_and_says_kms(s3, bucket):
    put = s3.put_object(Bucket=bucket, Key="x", Body=b"the same bytes")
    assert put["ServerSideEncryption"] == "aws:kms"
    assert put["ETag"].strip('"') != hashlib.md5(b"the same bytes").hexdigest()
    assert s3.head_object(Bucket=bucket, Key="x")["ServerSideEncryption"] == "aws:kms"


@pytest.mark.parametrize("key", KEYS)
def test_keys(s3, bucket, key):
    """names never become paths: each is only a name"""
    s3.put_object(Bucket=bucket, Key=key, Body=key.encode())
    assert s3.get_object(Bucket=bucket, Key=key)["Body"].read() == key.encode()
    assert [o["Key"] for o in s3.list_objects_v2(Bucket=bucket)["Contents"]] == [key]
    s3.delete_object(Bucket=bucket, Key=key)
    with refused("NoSuchKey", http=404):
        s3.get_object(Bucket=bucket, Key=key)


def test_a_name_and_the_same_name_as_folder(s3, bucket):
    for key in ("a", "a/b", "a/b/c", "a/"):
        s3.put_object(Bucket=bucket, Key=key, Body=key.encode())
    for key in ("a", "a/b", "a/b/c", "a/"):
        assert s3.get_object(Bucket=bucket, Key=key)["Body"].read() == key.encode()


def test_key_too_long(s3, bucket):
    with refused("KeyTooLongError", http=400):
        s3.put_object(Bucket=bucket, Key="k" * 1025, Body=b"")


@pytest.mark.parametrize("given,first,last", [
    ("bytes=0-0", 0, 0), ("bytes=0-99", 0, 99), ("bytes=99990-", 99990, 99999), ("bytes=-1", 99999, 99999),
    ("bytes=-99999999", 0, 99999), ("bytes=16383-16384", 16383, 16384), ("bytes=16384-32767", 16384, 32767),
    ("bytes=50000-99999999", 50000, 99999), ("bytes=99999-99999", 99999, 99999)])
def test_range(s3, bucket, given, first, last):
    body = os.urandom(100_000)
    s3.put_object(Bucket=bucket, Key="x", Body=body)
    got = s3.get_object(Bucket=bucket, Key="x", Range=given)
    assert got["ResponseMetadata"]["HTTPStatusCode"] == 206
    assert got["ContentRange"] == f"bytes {first}-{last}/100000"
    assert got["Body"].read() == body[first:last + 1]


@pytest.mark.parametrize("given", ["bytes=100-", "bytes=100-200", "bytes=-0"])
def test_range_outside(s3, bucket, given):
    s3.put_object(Bucket=bucket, Key="x", Body=b"x" * 100)
    with refused("InvalidRange", http=416):
        s3.get_object(Bucket=bucket, Key="x", Range=given)


@pytest.mark.parametrize("given", ["bytes=5-2", "lines=1-2", "bytes=a-b", "bytes=0-1,4-5"])
def test_range_that_is_none_gives_everything(s3, bucket, given):
    """RFC 9110, 14.2: a Range field that is not understood is ignored; S3 does so for several ranges too"""
    s3.put_object(Bucket=bucket, Key="x", Body=b"0123456789")
    got = s3.get_object(Bucket=bucket, Key="x", Range=given)
    assert got["ResponseMetadata"]["HTTPStatusCode"] == 200
    assert got["Body"].read() == b"0123456789"


def test_range_of_an_empty_object(s3, bucket):
    s3.put_object(Bucket=bucket, Key="x", Body=b"")
    with refused("InvalidRange", http=416):
        s3.get_object(Bucket=bucket, Key="x", Range="bytes=0-")


def test_every_boundary_of_chunks(s3, bucket):
    body = os.urandom(3 * CHUNK + 7)
    s3.put_object(Bucket=bucket, Key="x", Body=body)
    for a in (0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 3 * CHUNK, 3 * CHUNK + 6):
        for n in (1, 2, CHUNK, CHUNK + 1, 2 * CHUNK):
            b = min(a + n, len(body))
            assert s3.get_object(Bucket=bucket, Key="x", Range=f"bytes={a}-{a + n - 1}")["Body"].read() == body[a:b]


def test_metadata_and_headers_come_back(s3, bucket):
    given = {"ContentType": "application/fhir+json", "ContentLanguage": "en", "ContentDisposition": 'attachment; filename="f.json"',
             "CacheControl": "no-store", "ContentEncoding": "gzip"}
    s3.put_object(Bucket=bucket, Key="x", Body=b"{}", Metadata={"colour": "blue", "Mixed-Case": "Yes"}, **given)
    for answer in (s3.head_object(Bucket=bucket, Key="x"), s3.get_object(Bucket=bucket, Key="x")):
        assert {k: answer[k] for k in given} == given
        assert answer["Metadata"] == {"colour": "blue", "mixed-case": "Yes"}


def test_default_content_type(house, alice, s3, bucket):
    from sigv4 import Signer
    assert Signer(house, alice).request("PUT", f"/{bucket}/x", b"x").status == 200
    assert s3.head_object(Bucket=bucket, Key="x")["ContentType"] == "binary/octet-stream"


def test_metadata_too_large(s3, bucket):
    s3.put_object(Bucket=bucket, Key="x", Body=b"", Metadata={"a": "v" * 2047})
    with refused("MetadataTooLarge", http=400):
        s3.put_object(Bucket=bucket, Key="x", Body=b"", Metadata={"a": "v" * 2048})


def test_response_overrides(s3, bucket):
    s3.put_object(Bucket=bucket, Key="x", Body=b"x", ContentType="text/plain")
    got = s3.get_object(Bucket=bucket, Key="x", ResponseContentType="application/json", ResponseContentDisposition="inline",
                        ResponseCacheControl="no-cache", ResponseContentLanguage="de", ResponseContentEncoding="identity")
    assert (got["ContentType"], got["ContentDisposition"], got["CacheControl"], got["ContentLanguage"], got["ContentEncoding"]) == (
        "application/json", "inline", "no-cache", "de", "identity")


def test_overwrite_and_delete(s3, bucket):
    s3.put_object(Bucket=bucket, Key="x", Body=b"first")
    s3.put_object(Bucket=bucket, Key="x", Body=b"second")
    assert s3.get_object(Bucket=bucket, Key="x")["Body"].read() == b"second"
    assert s3.delete_object(Bucket=bucket, Key="x")["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert s3.delete_object(Bucket=bucket, Key="x")["ResponseMetadata"]["HTTPStatusCode"] == 204
    with refused("404", http=404):
        s3.head_object(Bucket=bucket, Key="x")


def test_delete_many(s3, bucket):
    keys = [f"k-{word()}" for _ in range(50)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda k: s3.put_object(Bucket=bucket, Key=k, Body=b"x"), keys))
    done = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": k} for k in [*keys, "never-was"]]})
    assert sorted(d["Key"] for d in done["Deleted"]) == sorted([*keys, "never-was"])
    assert "Errors" not in done
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0


def test_delete_many_quietly(s3, bucket):
    s3.put_object(Bucket=bucket, Key="x", Body=b"x")
    done = s3.delete_objects(Bucket=bucket, Delete={"Quiet": True, "Objects": [{"Key": "x"}]})
    assert "Deleted" not in done and "Errors" not in done


def test_delete_more_than_a_thousand(s3, bucket):
    with refused("MalformedXML", http=400):
        s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": f"k{i}"} for i in range(1001)]})


def test_delete_many_of_another(s3, s3_bob, bucket):
    s3.put_object(Bucket=bucket, Key="x", Body=b"x")
    done = s3_bob.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "x"}]})
    assert [(e["Key"], e["Code"]) for e in done["Errors"]] == [("x", "AccessDenied")]
    assert s3.get_object(Bucket=bucket, Key="x")["Body"].read() == b"x"


def test_copy(s3, bucket):
    body = os.urandom(100_000)
    s3.put_object(Bucket=bucket, Key="from here", Body=body, Metadata={"colour": "blue"}, ContentType="text/csv")
    done = s3.copy_object(Bucket=bucket, Key="to", CopySource={"Bucket": bucket, "Key": "from here"})
    assert len(done["CopyObjectResult"]["ETag"].strip('"')) == 32
    got = s3.get_object(Bucket=bucket, Key="to")
    assert (got["Body"].read(), got["Metadata"], got["ContentType"]) == (body, {"colour": "blue"}, "text/csv")
    s3.copy_object(Bucket=bucket, Key="to", CopySource={"Bucket": bucket, "Key": "from here"}, MetadataDirective="REPLACE",
                   Metadata={"colour": "red"}, ContentType="text/plain")
    got = s3.head_object(Bucket=bucket, Key="to")
    assert (got["Metadata"], got["ContentType"]) == ({"colour": "red"}, "text/plain")


def test_copy_onto_itself(s3, bucket):
    s3.put_object(Bucket=bucket, Key="x", Body=b"x", Metadata={"colour": "blue"})
    with refused("InvalidRequest", http=400):
        s3.copy_object(Bucket=bucket, Key="x", CopySource={"Bucket": bucket, "Key": "x"})
    s3.copy_object(Bucket=bucket, Key="x", CopySource={"Bucket": bucket, "Key": "x"}, MetadataDirective="REPLACE", Metadata={"colour": "red"})
    assert s3.get_object(Bucket=bucket, Key="x")["Metadata"] == {"colour": "red"}


def test_copy_between_buckets_and_what_is_not_there(s3, bucket):
    other = "b-" + word()
    s3.create_bucket(Bucket=other)
    s3.put_object(Bucket=bucket, Key="x", Body=b"x" * 70_000)
    s3.copy_object(Bucket=other, Key="x", CopySource=f"/{bucket}/x")
    assert s3.get_object(Bucket=other, Key="x")["Body"].read() == b"x" * 70_000
    with refused("NoSuchKey", http=404):
        s3.copy_object(Bucket=other, Key="y", CopySource={"Bucket": bucket, "Key": "nothing"})
    with refused("NoSuchBucket", http=404):
        s3.copy_object(Bucket=other, Key="y", CopySource={"Bucket": "no-" + word(), "Key": "x"})


@pytest.mark.parametrize("conditions,error", [
    ({"CopySourceIfMatch": '"00000000000000000000000000000000"'}, "PreconditionFailed"),
    ({"CopySourceIfNoneMatch": "ETAG"}, "PreconditionFailed"),
    ({"CopySourceIfMatch": "ETAG"}, None),
    ({"CopySourceIfUnmodifiedSince": "2001-01-01T00:00:00Z"}, "PreconditionFailed"),
    ({"CopySourceIfModifiedSince": "2001-01-01T00:00:00Z"}, None)])
def test_copy_conditions(s3, bucket, conditions, error):
    etag = s3.put_object(Bucket=bucket, Key="x", Body=b"x")["ETag"]
    conditions = {k: v.replace("ETAG", etag) for k, v in conditions.items()}
    if error is None:
        s3.copy_object(Bucket=bucket, Key="y", CopySource={"Bucket": bucket, "Key": "x"}, **conditions)
        return
    with refused(error, http=412):
        s3.copy_object(Bucket=bucket, Key="y", CopySource={"Bucket": bucket, "Key": "x"}, **conditions)
    with refused("404"):
        s3.head_object(Bucket=bucket, Key="y")


def test_tags(s3, bucket):
    s3.put_object(Bucket=bucket, Key="x", Body=b"x", Tagging="project=alpha&stage=raw")
    want = [{"Key": "project", "Value": "alpha"}, {"Key": "stage", "Value": "raw"}]
    assert sorted(s3.get_object_tagging(Bucket=bucket, Key="x")["TagSet"], key=lambda t: t["Key"]) == want
    assert s3.get_object(Bucket=bucket, Key="x")["TagCount"] == 2
    s3.put_object_tagging(Bucket=bucket, Key="x", Tagging={"TagSet": [{"Key": "stage", "Value": "clean"}]})
    assert s3.get_object_tagging(Bucket=bucket, Key="x")["TagSet"] == [{"Key": "stage", "Value": "clean"}]
    s3.delete_object_tagging(Bucket=bucket, Key="x")
    assert s3.get_object_tagging(Bucket=bucket, Key="x")["TagSet"] == []


@pytest.mark.parametrize("tags", [
    [{"Key": f"t{c}", "Value": "v"} for c in "abcdefghijk"],
    [{"Key": "same", "Value": "a"}, {"Key": "same", "Value": "b"}],
    [{"Key": "k" * 129, "Value": "v"}], [{"Key": "k", "Value": "v" * 257}], [{"Key": "aws:own", "Value": "v"}]],
    ids=["eleven", "twice", "long-key", "long-value", "reserved"])
def test_tags_that_are_none(s3, bucket, tags):
    s3.put_object(Bucket=bucket, Key="x", Body=b"x")
    with refused("InvalidTag", "BadRequest", http=400):
        s3.put_object_tagging(Bucket=bucket, Key="x", Tagging={"TagSet": tags})


def test_attributes(s3, bucket):
    put = s3.put_object(Bucket=bucket, Key="x", Body=b"x" * 1000, ChecksumAlgorithm="SHA256")
    got = s3.get_object_attributes(Bucket=bucket, Key="x", ObjectAttributes=["ETag", "Checksum", "ObjectSize", "StorageClass"])
    assert (got["ETag"], got["ObjectSize"], got["StorageClass"]) == (put["ETag"].strip('"'), 1000, "STANDARD")
    assert got["Checksum"]["ChecksumSHA256"] == put["ChecksumSHA256"]


def test_many_at_once(s3, bucket):
    """one key written by many: the last acknowledged or another whole one, never a mixture"""
    bodies = [bytes([i]) * 50_000 for i in range(16)]
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda b: s3.put_object(Bucket=bucket, Key="x", Body=b), bodies))
        for got in pool.map(lambda _: s3.get_object(Bucket=bucket, Key="x")["Body"].read(), range(16)):
            assert got in bodies


def test_readers_during_overwrites(s3, bucket):
    """a reader sees one version whole, also when it is replaced under it"""
    s3.put_object(Bucket=bucket, Key="x", Body=b"\0" * 3_000_000)
    reading = s3.get_object(Bucket=bucket, Key="x")["Body"]
    first = reading.read(10)
    for i in range(1, 4):
        s3.put_object(Bucket=bucket, Key="x", Body=bytes([i]) * 3_000_000)
    assert set(first + reading.read()) == {0}


def test_unknown_sub_resource_is_refused(house, alice, s3, bucket):
    """never taken for the plain operation: DELETE ?retention must not delete"""
    from sigv4 import Signer
    s3.put_object(Bucket=bucket, Key="x", Body=b"x")
    for method, sub in (("DELETE", "retention"), ("PUT", "legal-hold"), ("GET", "torrent"), ("POST", "restore"), ("DELETE", "legal-hold")):
        assert Signer(house, alice).request(method, f"/{bucket}/x", query=[(sub, "")]).status in (400, 405, 501), sub
    assert s3.get_object(Bucket=bucket, Key="x")["Body"].read() == b"x"
