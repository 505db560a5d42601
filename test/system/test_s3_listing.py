"""Listings: order, prefixes, delimiters, pages, encodings."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from house import refused, word

KEYS = ["a", "a/1", "a/2", "a/b/3", "a0", "b", "b/", "b/x", "c d", "ä", "z/y/x"]


@pytest.fixture(scope="module")
def listed(house, alice):
    """a bucket that no test of this file changes"""
    s3 = alice.client()
    name = "b-" + word()
    s3.create_bucket(Bucket=name)
    for key in KEYS:
        s3.put_object(Bucket=name, Key=key, Body=key.encode())
    return name


@pytest.fixture(scope="module")
def long_one(house, alice):
    s3 = alice.client()
    name = "b-" + word()
    s3.create_bucket(Bucket=name)
    keys = [f"{a}{b}/{c}{d}" for a in "abcde" for b in "abcdef" for c in "abcdef" for d in "abcdef"]
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda k: s3.put_object(Bucket=name, Key=k, Body=b""), keys))
    return name, sorted(keys)


def keys(answer):
    return [o["Key"] for o in answer.get("Contents", [])]


def prefixes(answer):
    return [p["Prefix"] for p in answer.get("CommonPrefixes", [])]


def model(prefix="", delimiter="", after=""):
    """what S3's rules say, by the simplest program"""
    out, seen = [], []
    for k in sorted(KEYS, key=lambda k: k.encode()):
        if not k.startswith(prefix) or k.encode() <= after.encode():
            continue
        rest = k[len(prefix):]
        if delimiter and delimiter in rest:
            p = prefix + rest.split(delimiter)[0] + delimiter
            if p not in seen:
                seen.append(p)
        else:
            out.append(k)
    return out, seen


@pytest.mark.parametrize("version", ["list_objects", "list_objects_v2"])
@pytest.mark.parametrize("prefix", ["", "a", "a/", "a/b", "b/", "z/", "zz", "c ", "ä"])
@pytest.mark.parametrize("delimiter", ["", "/", "b"])
def test_prefix_and_delimiter(s3, listed, version, prefix, delimiter):
    answer = getattr(s3, version)(Bucket=listed, Prefix=prefix, Delimiter=delimiter)
    assert (keys(answer), prefixes(answer)) == model(prefix, delimiter)
    assert answer["IsTruncated"] is False


@pytest.mark.parametrize("size", [1, 2, 3, 7])
@pytest.mark.parametrize("delimiter", ["", "/"])
def test_pages_v2(s3, listed, size, delimiter):
    got_keys, got_prefixes, token = [], [], {}
    for _ in range(50):
        answer = s3.list_objects_v2(Bucket=listed, Delimiter=delimiter, MaxKeys=size, **token)
        assert answer["KeyCount"] == len(keys(answer)) + len(prefixes(answer)) <= size
        got_keys += keys(answer)
        got_prefixes += prefixes(answer)
        if not answer["IsTruncated"]:
            break
        token = {"ContinuationToken": answer["NextContinuationToken"]}
    assert (got_keys, got_prefixes) == model("", delimiter)


@pytest.mark.parametrize("size", [1, 2, 3, 7])
def test_pages_v1(s3, listed, size):
    got_keys, got_prefixes, marker = [], [], ""
    for _ in range(50):
        answer = s3.list_objects(Bucket=listed, Delimiter="/", MaxKeys=size, Marker=marker)
        got_keys += keys(answer)
        got_prefixes += prefixes(answer)
        if not answer["IsTruncated"]:
            break
        marker = answer["NextMarker"]
    assert (got_keys, got_prefixes) == model("", "/")


def test_start_after_and_marker(s3, listed):
    for after in ("", "a/1", "a/15", "b", "zz"):
        assert keys(s3.list_objects_v2(Bucket=listed, StartAfter=after)) == model(after=after)[0]
        assert keys(s3.list_objects(Bucket=listed, Marker=after)) == model(after=after)[0]


def test_fields(s3, listed):
    one = s3.list_objects_v2(Bucket=listed, MaxKeys=1, FetchOwner=True)["Contents"][0]
    head = s3.head_object(Bucket=listed, Key="a")
    assert (one["Key"], one["Size"], one["ETag"], one["StorageClass"]) == ("a", 1, head["ETag"], "STANDARD")
    assert abs((one["LastModified"] - head["LastModified"]).total_seconds()) < 1
    assert one["Owner"]["ID"]
    assert "Owner" not in s3.list_objects_v2(Bucket=listed, MaxKeys=1)["Contents"][0]
    assert s3.list_objects(Bucket=listed, MaxKeys=1)["Contents"][0]["Owner"]["ID"]


def test_zero_keys(s3, listed):
    answer = s3.list_objects_v2(Bucket=listed, MaxKeys=0)
    assert (keys(answer), answer["IsTruncated"], answer["KeyCount"]) == ([], False, 0)


def test_more_than_a_thousand_is_a_thousand(s3, long_one):
    name, all_keys = long_one
    answer = s3.list_objects_v2(Bucket=name, MaxKeys=5000)
    assert len(keys(answer)) == 1000
    assert answer["MaxKeys"] == 1000
    got = []
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=name):
        got += keys(page)
    assert got == all_keys


def test_folders_of_a_long_one(s3, long_one):
    name, all_keys = long_one
    got = []
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=name, Delimiter="/", PaginationConfig={"PageSize": 4}):
        got += prefixes(page)
    assert got == sorted({k[:3] for k in all_keys})


@pytest.mark.parametrize("bad", [{"MaxKeys": -1}, {"EncodingType": "rot13"}, {"ContinuationToken": "no-token-of-ours"}])
def test_bad_arguments(s3, listed, bad):
    with refused("InvalidArgument", http=400):
        s3.list_objects_v2(Bucket=listed, **bad)


def test_encoding_type(house, alice, s3, bucket):
    """a key that XML 1.0 cannot carry comes percent-encoded when asked for"""
    from sigv4 import Signer
    s3.put_object(Bucket=bucket, Key="bell\x07 and space/ü", Body=b"")
    answer = Signer(house, alice).request("GET", f"/{bucket}", query=[("list-type", "2"), ("encoding-type", "url")])
    assert "<Key>bell%07" in answer.text
    assert "%C3%BC</Key>" in answer.text
    assert "<EncodingType>url</EncodingType>" in answer.text
    assert keys(s3.list_objects_v2(Bucket=bucket)) == ["bell\x07 and space/ü"]


def test_deleted_and_overwritten(s3, bucket):
    for key in ("x", "y", "z"):
        s3.put_object(Bucket=bucket, Key=key, Body=b"1")
    s3.delete_object(Bucket=bucket, Key="y")
    s3.put_object(Bucket=bucket, Key="z", Body=b"12345")
    assert [(o["Key"], o["Size"]) for o in s3.list_objects_v2(Bucket=bucket)["Contents"]] == [("x", 1), ("z", 5)]


def test_order_is_of_bytes(s3, bucket):
    """UTF-8 order, also where UTF-16 differs"""
    names = ["\uff5e", "\U0001f3e5", "a", "A", "~", "é"]
    for n in names:
        s3.put_object(Bucket=bucket, Key=n, Body=b"")
    assert keys(s3.list_objects_v2(Bucket=bucket)) == sorted(names, key=lambda n: n.encode())
