"""PostObject: uploads of a browser's form, with and without a signed policy."""

import base64
import datetime
import hashlib
import hmac
import json
import os
import re

import pytest
from house import refused, word

BOUNDARY = "form-of-a-test"


def until(seconds=600):
    return (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


def a_policy(bucket, *more, drop=()):
    conditions = [{"bucket": bucket}, ["starts-with", "$key", "foo"], {"acl": "private"}, ["starts-with", "$Content-Type", "text/plain"],
                  ["content-length-range", 0, 1024]]
    return {"expiration": until(), "conditions": [c for i, c in enumerate(conditions) if i not in drop] + list(more)}


def signed(person, policy, access_key=None):
    text = base64.b64encode(json.dumps(policy).encode()).decode()
    date = datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ")
    key = ("AWS4" + person.secret).encode()
    for step in (date[:8], "us-east-1", "s3", "aws4_request"):
        key = hmac.new(key, step.encode(), hashlib.sha256).digest()
    return {"x-amz-algorithm": "AWS4-HMAC-SHA256", "x-amz-date": date, "policy": text,
            "x-amz-credential": f"{access_key or person.access_key}/{date[:8]}/us-east-1/s3/aws4_request",
            "x-amz-signature": hmac.new(key, text.encode(), hashlib.sha256).hexdigest()}


def plain(**more):
    return {"key": "foo.txt", "acl": "private", "Content-Type": "text/plain"} | more


def form(fields, file=b"bar", filename="name.txt", end=True):
    parts = [f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{k}"\r\n\r\n{v}\r\n'.encode() for k, v in fields.items()]
    if file is not None:
        parts.append(f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="{filename}"\r\n\r\n'.encode() + file + b"\r\n")
    return b"".join(parts) + (f"--{BOUNDARY}--\r\n".encode() if end else b"")


def post(house, bucket, fields, query="", **options):
    return house.http("POST", f"/{bucket}{query}", {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}, form(fields, **options))


@pytest.fixture
def send(house, ally, bucket):
    def go(policy=None, fields=None, **options):
        return post(house, bucket, (fields or plain()) | signed(ally, policy or a_policy(bucket)), **options)
    return go


def test_signed(send, s3, bucket):
    answer = send()
    assert answer.status == 204 and answer.body == b""
    got = s3.get_object(Bucket=bucket, Key="foo.txt")
    assert got["Body"].read() == b"bar" and got["ContentType"] == "text/plain" and got["ETag"] == answer.headers["etag"]


def test_boto_presigned_post(house, s3, bucket):
    made = s3.generate_presigned_post(bucket, "foo/${filename}", Conditions=[["content-length-range", 1, 100]])
    assert post(house, bucket, made["fields"]).status == 204
    assert s3.get_object(Bucket=bucket, Key="foo/name.txt")["Body"].read() == b"bar"


def test_without_proof_is_denied(house, bucket):
    answer = post(house, bucket, plain())
    assert (answer.status, answer.code) == (403, "AccessDenied")


@pytest.mark.parametrize("size", [0, 1, 63, 4096, 65537, 3 << 20])
def test_bytes_arrive(send, s3, bucket, size):
    """also those that look like the beginning of a boundary"""
    data = (os.urandom(size // 2) + b"\r\n--" + BOUNDARY[:-1].encode() + os.urandom(size))[:size]
    policy = a_policy(bucket, ["content-length-range", 0, 5 << 20], drop=[4])
    assert send(policy, file=data).status == 204
    assert s3.get_object(Bucket=bucket, Key="foo.txt")["Body"].read() == data


@pytest.mark.parametrize("asked, status", [("200", 200), ("201", 201), ("204", 204), ("404", 204), ("x", 204)])
def test_success_status(send, bucket, asked, status):
    answer = send(a_policy(bucket, {"success_action_status": asked}), plain(success_action_status=asked))
    assert answer.status == status
    assert ("<Key>foo.txt</Key>" in answer.text) == (status == 201)


def test_success_redirect(send, s3, bucket):
    to = "https://example.org/done?x=1"
    answer = send(a_policy(bucket, ["eq", "$success_action_redirect", to]), plain(success_action_redirect=to))
    etag = s3.head_object(Bucket=bucket, Key="foo.txt")["ETag"].strip('"')
    assert answer.status == 303 and answer.headers["location"] == f"{to}&bucket={bucket}&key=foo.txt&etag=%22{etag}%22"


def test_names_have_no_case(house, ally, bucket):
    policy = {"expiration": until(), "conditions": [{"bUcKeT": bucket}, ["StArTs-WiTh", "$KeY", "foo"], {"AcL": "private"}]}
    fields = {"kEy": "foo.txt", "aCl": "private"} | signed(ally, policy)
    fields["pOLICy"] = fields.pop("policy")
    assert post(house, bucket, fields).status == 204


def test_metadata_tags_checksum(send, s3, bucket):
    more = {"x-amz-meta-colour": "blue", "x-amz-checksum-sha256": base64.b64encode(hashlib.sha256(b"bar").digest()).decode(),
            "tagging": "<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>"}
    assert send(a_policy(bucket, *[["starts-with", f"${k}", ""] for k in more]), plain(**more)).status == 204
    assert s3.head_object(Bucket=bucket, Key="foo.txt")["Metadata"] == {"colour": "blue"}
    assert s3.get_object_tagging(Bucket=bucket, Key="foo.txt")["TagSet"] == [{"Key": "a", "Value": "b"}]
    more["x-amz-checksum-sha256"] = base64.b64encode(bytes(32)).decode()
    assert send(a_policy(bucket, *[["starts-with", f"${k}", ""] for k in more]), plain(**more)).code == "BadDigest"


def rename(policy, old, new):
    policy[new] = policy.pop(old)
    return policy


REFUSALS = {
    "expired": (lambda b: a_policy(b) | {"expiration": until(-60)}, {}, 403, "AccessDenied"),
    "no date": (lambda b: a_policy(b) | {"expiration": "tomorrow"}, {}, 400, "InvalidPolicyDocument"),
    "EXPIRATION": (lambda b: rename(a_policy(b), "expiration", "EXPIRATION"), {}, 400, "InvalidPolicyDocument"),
    "CONDITIONS": (lambda b: rename(a_policy(b), "conditions", "CONDITIONS"), {}, 400, "InvalidPolicyDocument"),
    "empty condition": (lambda b: a_policy(b, {}), {}, 400, "InvalidPolicyDocument"),
    "no bucket": (lambda b: a_policy(b, drop=[0]), {}, 403, "AccessDenied"),
    "other bucket": (lambda b: a_policy(b, {"bucket": "other"}, drop=[0]), {}, 403, "AccessDenied"),
    "other key": (lambda b: a_policy(b), {"key": "bar.txt"}, 403, "AccessDenied"),
    "other acl": (lambda b: a_policy(b), {"acl": "public-read"}, 403, "AccessDenied"),
    "extra field": (lambda b: a_policy(b), {"x-amz-meta-a": "b"}, 403, "AccessDenied"),
    "missing field": (lambda b: a_policy(b, ["starts-with", "$x-amz-meta-a", "b"]), {}, 403, "AccessDenied"),
    "too large": (lambda b: a_policy(b, ["content-length-range", 0, 2]), {}, 400, "EntityTooLarge"),
    "too small": (lambda b: a_policy(b, ["content-length-range", 4, 9]), {}, 400, "EntityTooSmall"),
    "half a range": (lambda b: a_policy(b, ["content-length-range", 0]), {}, 400, "InvalidPolicyDocument"),
    "range below zero": (lambda b: a_policy(b, ["content-length-range", -1, 0]), {}, 400, "InvalidPolicyDocument"),
    "no such operator": (lambda b: a_policy(b, ["ends-with", "$key", "t"]), {}, 400, "InvalidPolicyDocument"),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_policy_refuses(send, s3, bucket, case):
    make, more, status, code = REFUSALS[case]
    answer = send(make(bucket), plain(**more))
    assert (answer.status, answer.code) == (status, code)
    assert "Contents" not in s3.list_objects_v2(Bucket=bucket)


def test_wrong_proofs(house, ally, s3, bucket):
    good = plain() | signed(ally, a_policy(bucket))
    for change, status, code in [
            ({"x-amz-signature": "0" * 64}, 403, "SignatureDoesNotMatch"),
            ({"x-amz-credential": good["x-amz-credential"].replace(ally.access_key, "CLNOSUCHKEY")}, 403, "InvalidAccessKeyId"),
            ({"policy": base64.b64encode(json.dumps(a_policy(bucket, {"x": "y"}, drop=[4])).encode()).decode(), "x": "y"}, 403, "SignatureDoesNotMatch"),
            ({"x-amz-algorithm": "AWS4-HMAC-MD5"}, 400, "InvalidArgument"),
            ({"x-amz-signature": None}, 400, "InvalidArgument"), ({"policy": None}, 400, "InvalidArgument"), ({"key": None}, 400, "InvalidArgument")]:
        fields = {k: v for k, v in (good | change).items() if v is not None}
        answer = post(house, bucket, fields)
        assert (answer.status, answer.code) == (status, code), change
    assert "Contents" not in s3.list_objects_v2(Bucket=bucket)


def test_a_signature_of_somebody_else(house, bob, bucket):
    assert post(house, bucket, plain() | signed(bob, a_policy(bucket))).code == "AccessDenied"


def test_broken_forms(house, ally, s3, bucket):
    fields = plain() | signed(ally, a_policy(bucket))
    assert post(house, bucket, fields, end=False).code == "MalformedPOSTRequest"
    assert post(house, bucket, fields, file=None).code == "InvalidArgument"
    assert post(house, bucket, fields | {"x-ignore-much": "x" * 30000}).code == "MaxPostPreDataLengthExceededError"
    assert house.http("POST", f"/{bucket}", {"Content-Type": "text/plain"}, form(fields)).status == 412
    assert house.http("POST", f"/{bucket}", {"Content-Type": "multipart/form-data"}, form(fields)).status == 400
    assert "Contents" not in s3.list_objects_v2(Bucket=bucket)


def test_a_form_is_no_part(send, s3, bucket):
    """what the address says beside the bucket does not change what a form is"""
    upload = s3.create_multipart_upload(Bucket=bucket, Key="foo.txt")["UploadId"]
    send(query=f"?uploadId={upload}&partNumber=1")
    assert "Parts" not in s3.list_parts(Bucket=bucket, Key="foo.txt", UploadId=upload)


def test_names_are_checked(send, bucket):
    answer = send(fields=plain(key="foo/123-45-6789.txt"))
    assert answer.status == 400 and re.search("identifier", answer.text)


def test_headers_cannot_be_smuggled(house, ally, s3, bucket):
    source = "b-" + word()
    s3.create_bucket(Bucket=source)
    s3.put_object(Bucket=source, Key="x", Body=b"secret")
    fields = plain(**{"x-amz-copy-source": f"{source}/x"}) | signed(ally, a_policy(bucket, ["starts-with", "$x-amz-copy-source", ""]))
    assert post(house, bucket, fields).code == "InvalidArgument"
    with refused("404"):
        s3.head_object(Bucket=bucket, Key="foo.txt")
