"""Presigned URLs: they give what was signed, to whoever holds them, until they end."""

import pytest
from house import refused
from sigv4 import Signer, now

COPY = "x-amz-copy-source"


@pytest.fixture
def s3(ally):
    return ally.client()


def target(url):
    return "/" + url.split("/", 3)[3]


def test_get_and_put(house, s3, bucket):
    url = s3.generate_presigned_url("put_object", Params={"Bucket": bucket, "Key": "a b/ü"}, ExpiresIn=60)
    assert house.http("PUT", target(url), body=b"hello").status == 200
    url = s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "a b/ü"}, ExpiresIn=60)
    answer = house.http("GET", target(url))
    assert (answer.status, answer.body) == (200, b"hello")
    assert house.http("HEAD", target(url)).status == 403  # signed for GET


def test_response_headers_are_signed(house, s3, bucket):
    s3.put_object(Bucket=bucket, Key="x", Body=b"x")
    url = s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "x", "ResponseContentType": "text/csv"})
    assert house.http("GET", target(url)).headers["content-type"] == "text/csv"
    assert house.http("GET", target(url).replace("csv", "html")).code == "SignatureDoesNotMatch"


def test_of_another_key_method_bucket(house, s3, bucket):
    s3.put_object(Bucket=bucket, Key="x", Body=b"x")
    s3.put_object(Bucket=bucket, Key="y", Body=b"y")
    t = target(s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "x"}))
    for changed in (t.replace("/x?", "/y?"), t.replace(bucket, bucket[:-1] + "z"), t + "&versionId=null", t + "&tagging", t + "&x=y"):
        answer = house.http("GET", changed)
        assert (answer.status, answer.code) == (403, "SignatureDoesNotMatch"), changed
    for method in ("PUT", "DELETE", "POST"):
        assert house.http(method, t, body=b"evil" if method != "DELETE" else b"").status in (403, 405)
    assert s3.get_object(Bucket=bucket, Key="x")["Body"].read() == b"x"


def test_expires(house, ally, s3, bucket):
    s3.put_object(Bucket=bucket, Key="x", Body=b"x")
    old = Signer(house, ally, at=now(-120))
    assert house.http("GET", old.presign("GET", f"/{bucket}/x", expires=300)).status == 200
    answer = house.http("GET", old.presign("GET", f"/{bucket}/x", expires=60))
    assert (answer.status, answer.code) == (403, "AccessDenied")


@pytest.mark.parametrize("expires", [0, -1, 604801, "x", "99999999999999999999"])
def test_lifetimes_that_are_none(house, ally, s3, bucket, expires):
    s3.put_object(Bucket=bucket, Key="x", Body=b"x")
    answer = house.http("GET", Signer(house, ally).presign("GET", f"/{bucket}/x", expires=expires))
    assert answer.status in (400, 403)
    assert answer.code in ("AuthorizationQueryParametersError", "AccessDenied"), answer


def test_from_the_future(house, ally, s3, bucket):
    s3.put_object(Bucket=bucket, Key="x", Body=b"x")
    answer = house.http("GET", Signer(house, ally, at=now(3600)).presign("GET", f"/{bucket}/x"))
    assert answer.status == 403


def test_extended_by_hand(house, ally, s3, bucket):
    s3.put_object(Bucket=bucket, Key="x", Body=b"x")
    t = Signer(house, ally, at=now(-120)).presign("GET", f"/{bucket}/x", expires=60)
    assert house.http("GET", t.replace("X-Amz-Expires=60", "X-Amz-Expires=6000")).code == "SignatureDoesNotMatch"


def test_unsigned_copy_source_is_refused(house, ally, s3, s3_bob, bucket):
    """whoever holds an upload link must not turn it into a copy of something else"""
    s3.put_object(Bucket=bucket, Key="secret", Body=b"the secret")
    t = Signer(house, ally).presign("PUT", f"/{bucket}/drop")
    answer = house.http("PUT", t, {COPY: f"/{bucket}/secret", "Content-Length": "0"})
    assert answer.status in (400, 403), answer
    with refused("404"):
        s3.head_object(Bucket=bucket, Key="drop")


def test_unsigned_amz_headers_are_refused(house, ally, s3, bucket):
    """S3: every x-amz- header that is sent must be signed"""
    for name, value in (("x-amz-acl", "public-read"), ("x-amz-tagging", "a=b"), ("x-amz-meta-a", "b"), ("x-amz-grant-read", 'id="x"'),
                        ("x-amz-storage-class", "GLACIER"), ("x-amz-metadata-directive", "REPLACE")):
        answer = house.http("PUT", Signer(house, ally).presign("PUT", f"/{bucket}/drop"), {name: value}, b"x")
        assert answer.status in (400, 403), (name, answer)
    with refused("404"):
        s3.head_object(Bucket=bucket, Key="drop")


def test_signed_headers_work(house, ally, s3, bucket):
    t = Signer(house, ally).presign("PUT", f"/{bucket}/x", headers={"x-amz-meta-a": "b"}, signed=("host", "x-amz-meta-a"))
    assert house.http("PUT", t, {"x-amz-meta-a": "b"}, b"x").status == 200
    assert s3.head_object(Bucket=bucket, Key="x")["Metadata"] == {"a": "b"}
    assert house.http("PUT", t, {"x-amz-meta-a": "c"}, b"x").code == "SignatureDoesNotMatch"
    assert house.http("PUT", t, {}, b"x").status == 403


def test_host_must_be_signed(house, ally, s3, bucket):
    s3.put_object(Bucket=bucket, Key="x", Body=b"x")
    answer = house.http("GET", Signer(house, ally).presign("GET", f"/{bucket}/x", headers={"x-amz-date": "x"}, signed=("x-amz-date",)), {"x-amz-date": "x"})
    assert answer.status in (400, 403)


@pytest.mark.parametrize("drop", ["X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Date", "X-Amz-Expires", "X-Amz-SignedHeaders", "X-Amz-Signature"])
def test_without_a_parameter(house, ally, s3, bucket, drop):
    s3.put_object(Bucket=bucket, Key="x", Body=b"x")
    path, query = Signer(house, ally).presign("GET", f"/{bucket}/x").split("?")
    answer = house.http("GET", path + "?" + "&".join(q for q in query.split("&") if not q.startswith(drop + "=")))
    assert answer.status in (400, 403), answer


def test_twice_the_same_parameter(house, ally, s3, bucket):
    s3.put_object(Bucket=bucket, Key="x", Body=b"x")
    t = Signer(house, ally).presign("GET", f"/{bucket}/x")
    for name in ("X-Amz-Credential", "X-Amz-Expires", "X-Amz-Date"):
        value = t.split(name + "=")[1].split("&")[0]
        assert house.http("GET", f"{t}&{name}={value}").status in (400, 403)


def test_header_and_query_at_once(house, ally, s3, bucket):
    s3.put_object(Bucket=bucket, Key="x", Body=b"x")
    signer = Signer(house, ally)
    answer = house.http("GET", signer.presign("GET", f"/{bucket}/x"), signer.headers("GET", f"/{bucket}/x"))
    assert answer.status in (400, 403)


def test_of_a_reader(house, s3, s3_bob, bucket):
    """a link gives what its maker may, at the time of its use"""
    s3.put_object(Bucket=bucket, Key="x", Body=b"x")
    t = target(s3_bob.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "x"}))
    assert house.http("GET", t).code == "AccessDenied"


def test_multipart_by_links(house, s3, bucket):
    upload = s3.create_multipart_upload(Bucket=bucket, Key="x")["UploadId"]
    t = target(s3.generate_presigned_url("upload_part", Params={"Bucket": bucket, "Key": "x", "UploadId": upload, "PartNumber": 1}))
    answer = house.http("PUT", t, body=b"part")
    assert answer.status == 200
    s3.complete_multipart_upload(Bucket=bucket, Key="x", UploadId=upload, MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": answer.headers["etag"]}]})
    assert s3.get_object(Bucket=bucket, Key="x")["Body"].read() == b"part"
