"""Versions: kept, named, marked as deleted, removed one by one."""

import pytest
from house import refused, word


def versions(s3, bucket, **kw):
    got = s3.list_object_versions(Bucket=bucket, **kw)
    return ([(v["Key"], v["VersionId"], v["IsLatest"]) for v in got.get("Versions", [])],
            [(m["Key"], m["VersionId"], m["IsLatest"]) for m in got.get("DeleteMarkers", [])])


def test_every_version_stays(s3, versioned):
    ids = [s3.put_object(Bucket=versioned, Key="x", Body=f"v{i}".encode())["VersionId"] for i in range(3)]
    assert len(set(ids)) == 3
    for i, v in enumerate(ids):
        got = s3.get_object(Bucket=versioned, Key="x", VersionId=v)
        assert (got["Body"].read(), got["VersionId"]) == (f"v{i}".encode(), v)
    assert s3.get_object(Bucket=versioned, Key="x")["VersionId"] == ids[2]
    assert versions(s3, versioned) == ([("x", ids[2], True), ("x", ids[1], False), ("x", ids[0], False)], [])


def test_delete_marker(s3, versioned):
    v = s3.put_object(Bucket=versioned, Key="x", Body=b"x")["VersionId"]
    gone = s3.delete_object(Bucket=versioned, Key="x")
    assert gone["DeleteMarker"] is True
    marker = gone["VersionId"]
    with refused("NoSuchKey", http=404) as _:
        s3.get_object(Bucket=versioned, Key="x")
    with pytest.raises(s3.exceptions.ClientError) as e:
        s3.head_object(Bucket=versioned, Key="x")
    headers = e.value.response["ResponseMetadata"]["HTTPHeaders"]
    assert (headers["x-amz-delete-marker"], headers["x-amz-version-id"]) == ("true", marker)
    with refused("MethodNotAllowed", http=405):
        s3.get_object(Bucket=versioned, Key="x", VersionId=marker)
    assert s3.get_object(Bucket=versioned, Key="x", VersionId=v)["Body"].read() == b"x"
    assert versions(s3, versioned) == ([("x", v, False)], [("x", marker, True)])
    assert s3.list_objects_v2(Bucket=versioned)["KeyCount"] == 0
    back = s3.delete_object(Bucket=versioned, Key="x", VersionId=marker)
    assert (back["DeleteMarker"], back["VersionId"]) == (True, marker)
    assert s3.get_object(Bucket=versioned, Key="x")["Body"].read() == b"x"


def test_removing_versions(s3, versioned):
    a, b, c = (s3.put_object(Bucket=versioned, Key="x", Body=n)["VersionId"] for n in (b"a", b"b", b"c"))
    s3.delete_object(Bucket=versioned, Key="x", VersionId=c)
    assert s3.get_object(Bucket=versioned, Key="x")["Body"].read() == b"b"
    s3.delete_object(Bucket=versioned, Key="x", VersionId=a)
    assert versions(s3, versioned) == ([("x", b, True)], [])
    with refused("NoSuchVersion", http=404):
        s3.get_object(Bucket=versioned, Key="x", VersionId=a)
    s3.delete_object(Bucket=versioned, Key="x", VersionId=b)
    assert versions(s3, versioned) == ([], [])
    s3.delete_bucket(Bucket=versioned)


def test_bucket_with_old_versions_is_not_empty(s3, versioned):
    s3.put_object(Bucket=versioned, Key="x", Body=b"x")
    s3.delete_object(Bucket=versioned, Key="x")
    with refused("BucketNotEmpty", http=409):
        s3.delete_bucket(Bucket=versioned)


def test_null_version(s3, bucket):
    s3.put_object(Bucket=bucket, Key="x", Body=b"before")
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    v = s3.put_object(Bucket=bucket, Key="x", Body=b"during")["VersionId"]
    assert s3.get_object(Bucket=bucket, Key="x", VersionId="null")["Body"].read() == b"before"
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Suspended"})
    put = s3.put_object(Bucket=bucket, Key="x", Body=b"after")
    assert put.get("VersionId", "null") == "null"
    assert versions(s3, bucket) == ([("x", "null", True), ("x", v, False)], [])
    assert s3.get_object(Bucket=bucket, Key="x", VersionId="null")["Body"].read() == b"after"
    gone = s3.delete_object(Bucket=bucket, Key="x")
    assert (gone["DeleteMarker"], gone["VersionId"]) == (True, "null")
    assert versions(s3, bucket) == ([("x", v, False)], [("x", "null", True)])
    assert s3.get_object(Bucket=bucket, Key="x", VersionId=v)["Body"].read() == b"during"


@pytest.mark.parametrize("bad", ["none", "0", "null0", "../x", "f" * 31])
def test_version_ids_that_are_none(s3, versioned, bad):
    s3.put_object(Bucket=versioned, Key="x", Body=b"x")
    with refused("InvalidArgument", "NoSuchVersion"):
        s3.get_object(Bucket=versioned, Key="x", VersionId=bad)


def test_a_version_of_another_key(s3, versioned):
    v = s3.put_object(Bucket=versioned, Key="x", Body=b"x")["VersionId"]
    s3.put_object(Bucket=versioned, Key="y", Body=b"y")
    with refused("NoSuchVersion", http=404):
        s3.get_object(Bucket=versioned, Key="y", VersionId=v)
    s3.delete_object(Bucket=versioned, Key="y", VersionId=v)
    assert s3.get_object(Bucket=versioned, Key="x", VersionId=v)["Body"].read() == b"x"


def test_listing_pages(s3, versioned):
    want = []
    for key in ("a", "b/1", "b/2", "c"):
        ids = [s3.put_object(Bucket=versioned, Key=key, Body=b"x")["VersionId"] for _ in range(3)]
        want += [(key, v, i == 0) for i, v in enumerate(reversed(ids))]
    for size in (1, 2, 5, 12):
        got, markers = [], {}
        for _ in range(20):
            answer = s3.list_object_versions(Bucket=versioned, MaxKeys=size, **markers)
            got += [(v["Key"], v["VersionId"], v["IsLatest"]) for v in answer.get("Versions", [])]
            if not answer["IsTruncated"]:
                break
            markers = {"KeyMarker": answer["NextKeyMarker"], "VersionIdMarker": answer["NextVersionIdMarker"]}
        assert got == want
    assert versions(s3, versioned, Prefix="b/")[0] == [w for w in want if w[0].startswith("b/")]
    folded = s3.list_object_versions(Bucket=versioned, Delimiter="/")
    assert [p["Prefix"] for p in folded["CommonPrefixes"]] == ["b/"]


def test_delete_many_versions(s3, versioned):
    ids = [s3.put_object(Bucket=versioned, Key="x", Body=b"x")["VersionId"] for _ in range(3)]
    done = s3.delete_objects(Bucket=versioned, Delete={"Objects": [{"Key": "x", "VersionId": v} for v in ids[:2]] + [{"Key": "y"}]})
    by_key = {(d["Key"], d.get("VersionId")) for d in done["Deleted"]}
    assert {("x", ids[0]), ("x", ids[1])} <= by_key
    assert [d["DeleteMarker"] for d in done["Deleted"] if d["Key"] == "y"] == [True]
    assert [v[1] for v in versions(s3, versioned)[0]] == [ids[2]]


def test_copy_of_a_version(s3, versioned):
    old = s3.put_object(Bucket=versioned, Key="x", Body=b"old")["VersionId"]
    s3.put_object(Bucket=versioned, Key="x", Body=b"new")
    done = s3.copy_object(Bucket=versioned, Key="x", CopySource={"Bucket": versioned, "Key": "x", "VersionId": old})
    assert done["CopySourceVersionId"] == old
    assert s3.get_object(Bucket=versioned, Key="x")["Body"].read() == b"old"


def test_tags_and_metadata_are_of_a_version(s3, versioned):
    one = s3.put_object(Bucket=versioned, Key="x", Body=b"1", Tagging="n=one", Metadata={"m": "one"})["VersionId"]
    two = s3.put_object(Bucket=versioned, Key="x", Body=b"2", Tagging="n=two", Metadata={"m": "two"})["VersionId"]
    s3.put_object_tagging(Bucket=versioned, Key="x", VersionId=one, Tagging={"TagSet": [{"Key": "n", "Value": "changed"}]})
    assert s3.get_object_tagging(Bucket=versioned, Key="x", VersionId=one)["TagSet"][0]["Value"] == "changed"
    assert s3.get_object_tagging(Bucket=versioned, Key="x")["TagSet"][0]["Value"] == "two"
    assert s3.head_object(Bucket=versioned, Key="x", VersionId=one)["Metadata"] == {"m": "one"}
    assert s3.head_object(Bucket=versioned, Key="x", VersionId=two)["Metadata"] == {"m": "two"}


def test_reading_a_version_needs_its_own_permission(s3, s3_bob, bob, versioned):
    """s3:GetObject does not give s3:GetObjectVersion"""
    import json
    old = s3.put_object(Bucket=versioned, Key="x", Body=b"withdrawn")["VersionId"]
    s3.put_object(Bucket=versioned, Key="x", Body=b"current")
    s3.put_bucket_policy(Bucket=versioned, Policy=json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"AWS": bob.arn}, "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{versioned}/*"}]}))
    assert s3_bob.get_object(Bucket=versioned, Key="x")["Body"].read() == b"current"
    with refused("AccessDenied", http=403):
        s3_bob.get_object(Bucket=versioned, Key="x", VersionId=old)
    with refused("403", http=403):
        s3_bob.head_object(Bucket=versioned, Key="x", VersionId=old)


def test_many_versions(s3, versioned):
    for i in range(30):
        s3.put_object(Bucket=versioned, Key="x", Body=word().encode())
    assert len(versions(s3, versioned)[0]) == 30
    assert len(s3.list_objects_v2(Bucket=versioned)["Contents"]) == 1
