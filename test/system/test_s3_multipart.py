"""Multipart uploads: parts in any order, replaced, copied, listed, completed once, aborted."""

import hashlib
import os
from concurrent.futures import ThreadPoolExecutor

import pytest
from house import refused, word

MIB = 1024 * 1024
MIN = 5 * MIB


def begin(s3, bucket, key="x", **kw):
    return s3.create_multipart_upload(Bucket=bucket, Key=key, **kw)["UploadId"]


def part(s3, bucket, upload, number, body, key="x", **kw):
    return {"PartNumber": number, "ETag": s3.upload_part(Bucket=bucket, Key=key, UploadId=upload, PartNumber=number, Body=body, **kw)["ETag"]}


def complete(s3, bucket, upload, parts, key="x", **kw):
    return s3.complete_multipart_upload(Bucket=bucket, Key=key, UploadId=upload, MultipartUpload={"Parts": parts}, **kw)


def test_round_trip(s3, bucket):
    bodies = [os.urandom(MIN + 1), os.urandom(MIN), os.urandom(12345)]
    upload = begin(s3, bucket, ContentType="text/csv", Metadata={"colour": "blue"}, Tagging="stage=raw")
    with refused("404"):
        s3.head_object(Bucket=bucket, Key="x")
    with ThreadPoolExecutor(3) as pool:  # out of order
        parts = list(pool.map(lambda n: part(s3, bucket, upload, n, bodies[n - 1]), (3, 1, 2)))
    parts.sort(key=lambda p: p["PartNumber"])
    done = complete(s3, bucket, upload, parts)
    assert done["ETag"].strip('"').endswith("-3")
    assert (done["Bucket"], done["Key"]) == (bucket, "x")
    got = s3.get_object(Bucket=bucket, Key="x")
    whole = b"".join(bodies)
    assert got["Body"].read() == whole
    assert (got["ETag"], got["ContentType"], got["Metadata"], got["TagCount"]) == (done["ETag"], "text/csv", {"colour": "blue"}, 1)
    for first, last in ((0, 0), (MIN, MIN + 2), (2 * MIN - 1, 2 * MIN + 10), (len(whole) - 1, len(whole) - 1), (10, 2 * MIN + 100)):
        assert s3.get_object(Bucket=bucket, Key="x", Range=f"bytes={first}-{last}")["Body"].read() == whole[first:last + 1]
    for n, body in enumerate(bodies, 1):
        one = s3.get_object(Bucket=bucket, Key="x", PartNumber=n)
        assert hashlib.sha256(one["Body"].read()).digest() == hashlib.sha256(body).digest()
        assert one["PartsCount"] == 3
    assert "Uploads" not in s3.list_multipart_uploads(Bucket=bucket)


def test_numbers_with_gaps_and_a_part_left_out(s3, bucket):
    upload = begin(s3, bucket)
    a = part(s3, bucket, upload, 7, b"a" * MIN)
    part(s3, bucket, upload, 8, b"left out")
    c = part(s3, bucket, upload, 9999, b"c")
    complete(s3, bucket, upload, [a, c])
    assert s3.get_object(Bucket=bucket, Key="x")["Body"].read() == b"a" * MIN + b"c"


def test_a_part_is_replaced(s3, bucket):
    upload = begin(s3, bucket)
    old = part(s3, bucket, upload, 1, b"old")
    new = part(s3, bucket, upload, 1, b"new")
    with refused("InvalidPart", http=400):
        complete(s3, bucket, upload, [old])
    complete(s3, bucket, upload, [new])
    assert s3.get_object(Bucket=bucket, Key="x")["Body"].read() == b"new"


def test_completed_twice(s3, bucket):
    """the answer may get lost: the same list again is the same answer, or the upload is gone; never a second object"""
    upload = begin(s3, bucket)
    parts = [part(s3, bucket, upload, 1, b"x")]
    etag = complete(s3, bucket, upload, parts)["ETag"]
    try:
        assert complete(s3, bucket, upload, parts)["ETag"] == etag
    except s3.exceptions.ClientError as e:
        assert e.response["Error"]["Code"] == "NoSuchUpload"
    assert s3.head_object(Bucket=bucket, Key="x")["ETag"] == etag


def test_too_small(s3, bucket):
    upload = begin(s3, bucket)
    parts = [part(s3, bucket, upload, n, b"x" * 100) for n in (1, 2)]
    with refused("EntityTooSmall", http=400):
        complete(s3, bucket, upload, parts)
    s3.abort_multipart_upload(Bucket=bucket, Key="x", UploadId=upload)


@pytest.mark.parametrize("change,error", [
    (lambda p: [p[1], p[0]], "InvalidPartOrder"), (lambda p: [p[0], p[0]], "InvalidPartOrder"),
    (lambda p: [*p, {"PartNumber": 3, "ETag": p[0]["ETag"]}], "InvalidPart"),
    (lambda p: [{"PartNumber": 1, "ETag": '"00000000000000000000000000000000"'}, p[1]], "InvalidPart"),
    (lambda p: [{"PartNumber": 1, "ETag": p[1]["ETag"]}, p[1]], "InvalidPart"),
    (lambda p: [{"PartNumber": 1, "ETag": "garbage"}, p[1]], "InvalidPart")],
    ids=["order", "twice", "absent", "wrong", "swapped", "garbage"])
def test_lists_that_are_none(s3, bucket, change, error):
    upload = begin(s3, bucket)
    parts = [part(s3, bucket, upload, 1, b"x" * MIN), part(s3, bucket, upload, 2, b"y")]
    with refused(error, http=400):
        complete(s3, bucket, upload, change(parts))
    complete(s3, bucket, upload, parts)  # nothing was lost by trying


def test_empty_list(house, alice, s3, bucket):
    from sigv4 import Signer
    upload = begin(s3, bucket)
    for body in (b"<CompleteMultipartUpload/>", b"", b"<CompleteMultipartUpload><Part></Part></CompleteMultipartUpload>"):
        answer = Signer(house, alice).request("POST", f"/{bucket}/x", body, query=[("uploadId", upload)])
        assert (answer.status, answer.code) in ((400, "MalformedXML"), (400, "InvalidRequest"), (400, "MissingRequestBodyError"))


@pytest.mark.parametrize("number", [0, 10001, -1])
def test_part_numbers_that_are_none(house, alice, s3, bucket, number):
    from sigv4 import Signer
    upload = begin(s3, bucket)
    answer = Signer(house, alice).request("PUT", f"/{bucket}/x", b"x", query=[("partNumber", str(number)), ("uploadId", upload)])
    assert (answer.status, answer.code) == (400, "InvalidArgument")


def test_no_such_upload(s3, bucket):
    for upload in ("nothing", "f" * 32, "../../x"):
        with refused("NoSuchUpload", http=404):
            s3.upload_part(Bucket=bucket, Key="x", UploadId=upload, PartNumber=1, Body=b"x")
        with refused("NoSuchUpload", http=404):
            s3.list_parts(Bucket=bucket, Key="x", UploadId=upload)
        with refused("NoSuchUpload", http=404):
            s3.abort_multipart_upload(Bucket=bucket, Key="x", UploadId=upload)
        with refused("NoSuchUpload", http=404):
            complete(s3, bucket, upload, [{"PartNumber": 1, "ETag": '"' + "0" * 32 + '"'}])


def test_an_upload_belongs_to_its_key(s3, bucket):
    upload = begin(s3, bucket, key="x")
    with refused("NoSuchUpload", http=404):
        s3.upload_part(Bucket=bucket, Key="y", UploadId=upload, PartNumber=1, Body=b"x")


def test_an_upload_belongs_to_its_owner(s3, s3_bob, bucket):
    upload = begin(s3, bucket)
    one = part(s3, bucket, upload, 1, b"x")
    for call in (lambda: s3_bob.upload_part(Bucket=bucket, Key="x", UploadId=upload, PartNumber=1, Body=b"evil"),
                 lambda: s3_bob.list_parts(Bucket=bucket, Key="x", UploadId=upload),
                 lambda: s3_bob.abort_multipart_upload(Bucket=bucket, Key="x", UploadId=upload),
                 lambda: complete(s3_bob, bucket, upload, [one]),
                 lambda: s3_bob.list_multipart_uploads(Bucket=bucket)):
        with refused("AccessDenied", http=403):
            call()
    complete(s3, bucket, upload, [one])


def test_abort(s3, bucket):
    upload = begin(s3, bucket)
    one = part(s3, bucket, upload, 1, b"x" * MIN)
    assert s3.abort_multipart_upload(Bucket=bucket, Key="x", UploadId=upload)["ResponseMetadata"]["HTTPStatusCode"] == 204
    with refused("NoSuchUpload", http=404):
        complete(s3, bucket, upload, [one])
    with refused("404"):
        s3.head_object(Bucket=bucket, Key="x")
    s3.delete_bucket(Bucket=bucket)


def test_listing_parts(s3, bucket):
    upload = begin(s3, bucket)
    want = [(n, part(s3, bucket, upload, n, b"x" * n)["ETag"], n) for n in (1, 2, 3, 5, 8, 13)]
    got = s3.list_parts(Bucket=bucket, Key="x", UploadId=upload)
    assert [(p["PartNumber"], p["ETag"], p["Size"]) for p in got["Parts"]] == want
    paged = []
    for page in s3.get_paginator("list_parts").paginate(Bucket=bucket, Key="x", UploadId=upload, PaginationConfig={"PageSize": 2}):
        assert len(page["Parts"]) <= 2
        paged += [p["PartNumber"] for p in page["Parts"]]
    assert paged == [1, 2, 3, 5, 8, 13]
    assert got["Owner"]["ID"] and got["Initiator"]["ID"]


def test_listing_uploads(s3, bucket):
    uploads = [(key, begin(s3, bucket, key=key)) for key in ("a", "a", "b/1", "b/2", "c")]
    got = s3.list_multipart_uploads(Bucket=bucket)["Uploads"]
    assert sorted((u["Key"], u["UploadId"]) for u in got) == sorted(uploads)
    assert [u["Key"] for u in got] == ["a", "a", "b/1", "b/2", "c"]
    assert [u["Key"] for u in s3.list_multipart_uploads(Bucket=bucket, Prefix="b/")["Uploads"]] == ["b/1", "b/2"]
    folded = s3.list_multipart_uploads(Bucket=bucket, Delimiter="/")
    assert [p["Prefix"] for p in folded["CommonPrefixes"]] == ["b/"]
    paged = []
    for page in s3.get_paginator("list_multipart_uploads").paginate(Bucket=bucket, PaginationConfig={"PageSize": 2}):
        paged += [(u["Key"], u["UploadId"]) for u in page.get("Uploads", [])]
    assert sorted(paged) == sorted(uploads)


def test_part_copy(s3, bucket):
    source = os.urandom(MIN + 1000)
    s3.put_object(Bucket=bucket, Key="source", Body=source)
    upload = begin(s3, bucket)
    one = s3.upload_part_copy(Bucket=bucket, Key="x", UploadId=upload, PartNumber=1, CopySource={"Bucket": bucket, "Key": "source"})
    two = s3.upload_part_copy(Bucket=bucket, Key="x", UploadId=upload, PartNumber=2, CopySource={"Bucket": bucket, "Key": "source"},
                              CopySourceRange="bytes=5-104")
    complete(s3, bucket, upload, [{"PartNumber": n, "ETag": p["CopyPartResult"]["ETag"]} for n, p in ((1, one), (2, two))])
    assert s3.get_object(Bucket=bucket, Key="x")["Body"].read() == source + source[5:105]


@pytest.mark.parametrize("given", ["bytes=0-100", "bytes=100-", "5-10", "bytes=5-2"])
def test_part_copy_ranges_that_are_none(s3, bucket, given):
    s3.put_object(Bucket=bucket, Key="source", Body=b"x" * 100)
    upload = begin(s3, bucket)
    with refused("InvalidRange", "InvalidArgument"):
        s3.upload_part_copy(Bucket=bucket, Key="x", UploadId=upload, PartNumber=1, CopySource={"Bucket": bucket, "Key": "source"},
                            CopySourceRange=given)


def test_part_copy_needs_the_source_too(s3, s3_bob, bucket):
    """who may write here may not thereby read there"""
    s3.put_object(Bucket=bucket, Key="secret", Body=b"secret")
    own = "b-" + word()
    s3_bob.create_bucket(Bucket=own)
    upload = begin(s3_bob, own)
    with refused("AccessDenied", http=403):
        s3_bob.upload_part_copy(Bucket=own, Key="x", UploadId=upload, PartNumber=1, CopySource={"Bucket": bucket, "Key": "secret"})
    with refused("AccessDenied", http=403):
        s3_bob.copy_object(Bucket=own, Key="x", CopySource={"Bucket": bucket, "Key": "secret"})


def test_part_copy_conditions(s3, bucket):
    etag = s3.put_object(Bucket=bucket, Key="source", Body=b"x")["ETag"]
    upload = begin(s3, bucket)
    with refused("PreconditionFailed", http=412):
        s3.upload_part_copy(Bucket=bucket, Key="x", UploadId=upload, PartNumber=1, CopySource={"Bucket": bucket, "Key": "source"},
                            CopySourceIfNoneMatch=etag)
    with refused("PreconditionFailed", http=412):
        s3.upload_part_copy(Bucket=bucket, Key="x", UploadId=upload, PartNumber=1, CopySource={"Bucket": bucket, "Key": "source"},
                            CopySourceIfMatch='"' + "0" * 32 + '"')


def test_versioned(s3, versioned):
    s3.put_object(Bucket=versioned, Key="x", Body=b"before")
    upload = begin(s3, versioned)
    done = complete(s3, versioned, upload, [part(s3, versioned, upload, 1, b"after")])
    assert done["VersionId"] == s3.head_object(Bucket=versioned, Key="x")["VersionId"]
    assert len(s3.list_object_versions(Bucket=versioned)["Versions"]) == 2


def test_many_parts(s3, bucket):
    """a list longer than one page of ListParts, and completed as one"""
    upload = begin(s3, bucket)
    body = os.urandom(MIN)
    s3.put_object(Bucket=bucket, Key="source", Body=body)
    with ThreadPoolExecutor(4) as pool:
        parts = list(pool.map(lambda n: part(s3, bucket, upload, n, body if n < 4 else b"z"), (1, 2, 3, 4)))
    done = complete(s3, bucket, upload, parts)
    assert done["ETag"].strip('"').endswith("-4")
    got = s3.get_object_attributes(Bucket=bucket, Key="x", ObjectAttributes=["ObjectParts", "ObjectSize"])
    assert (got["ObjectSize"], got["ObjectParts"]["TotalPartsCount"]) == (3 * MIN + 1, 4)


def test_if_none_match_on_completion(s3, bucket):
    upload = begin(s3, bucket)
    parts = [part(s3, bucket, upload, 1, b"x")]
    s3.put_object(Bucket=bucket, Key="x", Body=b"first")
    with refused("PreconditionFailed", http=412):
        complete(s3, bucket, upload, parts, IfNoneMatch="*")
    assert s3.get_object(Bucket=bucket, Key="x")["Body"].read() == b"first"
