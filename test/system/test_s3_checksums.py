"""Additional checksums: each algorithm, in header and trailer, right and wrong, of objects and of parts; Content-MD5 too."""

import base64
import hashlib
import os
import zlib

import pytest
from house import refused
from sigv4 import STREAMING_TRAILER, UNSIGNED_TRAILER, Signer


def table_crc(bits, reflected_poly, data):
    mask = (1 << bits) - 1
    table = []
    for n in range(256):
        for _ in range(8):
            n = n >> 1 ^ (reflected_poly if n & 1 else 0)
        table.append(n)
    crc = mask
    for byte in data:
        crc = table[(crc ^ byte) & 255] ^ crc >> 8
    return (crc ^ mask).to_bytes(bits // 8, "big")


ALGORITHMS = {
    "CRC32": lambda d: zlib.crc32(d).to_bytes(4, "big"),
    "CRC32C": lambda d: table_crc(32, 0x82F63B78, d),
    "CRC64NVME": lambda d: table_crc(64, 0x9A6C9329AC4BC9B5, d),
    "SHA1": lambda d: hashlib.sha1(d).digest(),
    "SHA256": lambda d: hashlib.sha256(d).digest(),
}
BODY = bytes(i * 7 % 256 for i in range(70_001))
each = pytest.mark.parametrize("name", ALGORITHMS)


def value(name, body=BODY):
    return base64.b64encode(ALGORITHMS[name](body)).decode()


def test_our_own_arithmetic():
    """check values of the CRC catalogue for "123456789" """
    assert table_crc(32, 0x82F63B78, b"123456789").hex() == "e3069283"
    assert table_crc(64, 0x9A6C9329AC4BC9B5, b"123456789").hex() == "ae8b14860a799888"


@each
def test_header(house, alice, s3, bucket, name):
    answer = Signer(house, alice).request("PUT", f"/{bucket}/x", BODY, headers={f"x-amz-checksum-{name.lower()}": value(name)})
    assert answer.status == 200, answer
    assert answer.headers[f"x-amz-checksum-{name.lower()}"] == value(name)
    got = s3.get_object(Bucket=bucket, Key="x", ChecksumMode="ENABLED")
    assert got["Body"].read() == BODY
    assert got[f"Checksum{name}"] == value(name)
    assert s3.head_object(Bucket=bucket, Key="x", ChecksumMode="ENABLED")[f"Checksum{name}"] == value(name)
    assert f"Checksum{name}" not in s3.head_object(Bucket=bucket, Key="x")


@each
def test_header_wrong(house, alice, s3, bucket, name):
    answer = Signer(house, alice).request("PUT", f"/{bucket}/x", BODY, headers={f"x-amz-checksum-{name.lower()}": value(name, b"other")})
    assert (answer.status, answer.code) == (400, "BadDigest")
    with refused("404"):
        s3.head_object(Bucket=bucket, Key="x")


@each
@pytest.mark.parametrize("bad", ["", "AAAA", "not base64!", "A" * 100])
def test_header_garbage(house, alice, s3, bucket, name, bad):
    answer = Signer(house, alice).request("PUT", f"/{bucket}/x", BODY, headers={f"x-amz-checksum-{name.lower()}": bad})
    assert (answer.status, answer.code) == (400, "InvalidRequest")
    with refused("404"):
        s3.head_object(Bucket=bucket, Key="x")


@each
@pytest.mark.parametrize("kind", [UNSIGNED_TRAILER, STREAMING_TRAILER])
def test_trailer(house, alice, s3, bucket, name, kind):
    chunks = [BODY[:65536], BODY[65536:]]
    answer = Signer(house, alice).put_stream(f"/{bucket}/x", chunks, kind, (f"x-amz-checksum-{name.lower()}", value(name)))
    assert answer.status == 200, answer
    got = s3.get_object(Bucket=bucket, Key="x", ChecksumMode="ENABLED")
    assert (got["Body"].read(), got[f"Checksum{name}"]) == (BODY, value(name))
    assert "aws-chunked" not in got.get("ContentEncoding", "")


@each
@pytest.mark.parametrize("kind", [UNSIGNED_TRAILER, STREAMING_TRAILER])
def test_trailer_wrong(house, alice, s3, bucket, name, kind):
    answer = Signer(house, alice).put_stream(f"/{bucket}/x", [BODY], kind, (f"x-amz-checksum-{name.lower()}", value(name, b"other")))
    assert (answer.status, answer.code) == (400, "BadDigest")
    with refused("404"):
        s3.head_object(Bucket=bucket, Key="x")


@each
def test_boto3(s3, bucket, name):
    put = s3.put_object(Bucket=bucket, Key="x", Body=BODY, ChecksumAlgorithm=name)
    assert put[f"Checksum{name}"] == value(name)
    assert s3.get_object(Bucket=bucket, Key="x", ChecksumMode="ENABLED")["Body"].read() == BODY


def test_two_at_once(house, alice, bucket):
    answer = Signer(house, alice).request("PUT", f"/{bucket}/x", BODY, headers={
        "x-amz-checksum-sha256": value("SHA256"), "x-amz-checksum-crc32": value("CRC32")})
    assert (answer.status, answer.code) == (400, "InvalidRequest")


def test_algorithm_and_value_differ(house, alice, bucket):
    answer = Signer(house, alice).request("PUT", f"/{bucket}/x", BODY, headers={
        "x-amz-sdk-checksum-algorithm": "SHA1", "x-amz-checksum-crc32": value("CRC32")})
    assert (answer.status, answer.code) == (400, "InvalidRequest")


def test_unknown_algorithm(house, alice, s3, bucket):
    answer = Signer(house, alice).request("PUT", f"/{bucket}/x", BODY, headers={"x-amz-checksum-md4": "AAAA"})
    assert answer.status == 400
    with refused("404"):
        s3.head_object(Bucket=bucket, Key="x")


@each
@pytest.mark.parametrize("kind", ["COMPOSITE", "FULL_OBJECT"])
def test_multipart(house, alice, s3, bucket, name, kind):
    if (kind, name) in (("COMPOSITE", "CRC64NVME"), ("FULL_OBJECT", "SHA1"), ("FULL_OBJECT", "SHA256")):
        with refused("InvalidRequest", http=400):
            s3.create_multipart_upload(Bucket=bucket, Key="x", ChecksumAlgorithm=name, ChecksumType=kind)
        return
    bodies = [os.urandom(5 * 1024 * 1024), b"the end"]
    if name in ("CRC32C", "CRC64NVME"):  # the arithmetic above is slow
        bodies[0] = bytes(5 * 1024 * 1024)
    upload = s3.create_multipart_upload(Bucket=bucket, Key="x", ChecksumAlgorithm=name, ChecksumType=kind)["UploadId"]
    parts = []
    for n, body in enumerate(bodies, 1):
        answer = Signer(house, alice).request("PUT", f"/{bucket}/x", body, query=[("partNumber", str(n)), ("uploadId", upload)],
                                              headers={f"x-amz-checksum-{name.lower()}": value(name, body)})
        assert answer.status == 200, answer
        parts.append({"PartNumber": n, "ETag": answer.headers["etag"], f"Checksum{name}": value(name, body)})
    if kind == "COMPOSITE":
        want = base64.b64encode(ALGORITHMS[name](b"".join(ALGORITHMS[name](b) for b in bodies))).decode() + "-2"
    else:
        want = value(name, b"".join(bodies))
    done = s3.complete_multipart_upload(Bucket=bucket, Key="x", UploadId=upload, MultipartUpload={"Parts": parts})
    assert (done[f"Checksum{name}"], done["ChecksumType"]) == (want, kind)
    head = s3.head_object(Bucket=bucket, Key="x", ChecksumMode="ENABLED")
    assert (head[f"Checksum{name}"], head["ChecksumType"]) == (want, kind)


def test_multipart_wrong_part_checksum(house, alice, s3, bucket):
    upload = s3.create_multipart_upload(Bucket=bucket, Key="x", ChecksumAlgorithm="SHA256")["UploadId"]
    one = s3.upload_part(Bucket=bucket, Key="x", UploadId=upload, PartNumber=1, Body=b"x", ChecksumAlgorithm="SHA256")
    with refused("InvalidPart", "BadDigest", "InvalidRequest", http=400):
        s3.complete_multipart_upload(Bucket=bucket, Key="x", UploadId=upload, MultipartUpload={"Parts": [
            {"PartNumber": 1, "ETag": one["ETag"], "ChecksumSHA256": value("SHA256", b"other")}]})


def test_multipart_full_object_wrong(house, alice, s3, bucket):
    upload = s3.create_multipart_upload(Bucket=bucket, Key="x", ChecksumAlgorithm="CRC32", ChecksumType="FULL_OBJECT")["UploadId"]
    one = s3.upload_part(Bucket=bucket, Key="x", UploadId=upload, PartNumber=1, Body=b"x", ChecksumAlgorithm="CRC32")
    with refused("BadDigest", http=400):
        s3.complete_multipart_upload(Bucket=bucket, Key="x", UploadId=upload, ChecksumCRC32=value("CRC32", b"other"), ChecksumType="FULL_OBJECT",
                                     MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": one["ETag"], "ChecksumCRC32": one["ChecksumCRC32"]}]})
    with refused("404"):
        s3.head_object(Bucket=bucket, Key="x")


def test_copy_keeps_and_makes(s3, bucket):
    s3.put_object(Bucket=bucket, Key="x", Body=BODY, ChecksumAlgorithm="SHA256")
    s3.copy_object(Bucket=bucket, Key="y", CopySource={"Bucket": bucket, "Key": "x"})
    assert s3.head_object(Bucket=bucket, Key="y", ChecksumMode="ENABLED")["ChecksumSHA256"] == value("SHA256")
    s3.copy_object(Bucket=bucket, Key="z", CopySource={"Bucket": bucket, "Key": "x"}, ChecksumAlgorithm="CRC32")
    assert s3.head_object(Bucket=bucket, Key="z", ChecksumMode="ENABLED")["ChecksumCRC32"] == value("CRC32")


# ---- older ways ----

def test_content_md5(house, alice, s3, bucket):
    good = base64.b64encode(hashlib.md5(BODY).digest()).decode()
    assert Signer(house, alice).request("PUT", f"/{bucket}/x", BODY, headers={"Content-MD5": good}).status == 200
    other = base64.b64encode(hashlib.md5(b"other").digest()).decode()
    for bad, error in ((other, "BadDigest"), ("AAAA", "InvalidDigest"), ("not base64!", "InvalidDigest")):
        answer = Signer(house, alice).request("PUT", f"/{bucket}/y", BODY, headers={"Content-MD5": bad})
        assert (answer.status, answer.code) == (400, error)
    with refused("404"):
        s3.head_object(Bucket=bucket, Key="y")


def test_content_sha256_wrong(house, alice, s3, bucket):
    answer = Signer(house, alice).request("PUT", f"/{bucket}/x", BODY, payload_hash=hashlib.sha256(b"other").hexdigest())
    assert (answer.status, answer.code) == (400, "XAmzContentSHA256Mismatch")
    with refused("404"):
        s3.head_object(Bucket=bucket, Key="x")


def test_part_md5(house, alice, s3, bucket):
    upload = s3.create_multipart_upload(Bucket=bucket, Key="x")["UploadId"]
    answer = Signer(house, alice).request("PUT", f"/{bucket}/x", BODY, query=[("partNumber", "1"), ("uploadId", upload)],
                                          headers={"Content-MD5": base64.b64encode(hashlib.md5(b"other").digest()).decode()})
    assert (answer.status, answer.code) == (400, "BadDigest")
    assert "Parts" not in s3.list_parts(Bucket=bucket, Key="x", UploadId=upload)


def test_document_md5(house, alice, bucket):
    xml = b"<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>"
    answer = Signer(house, alice).request("PUT", f"/{bucket}", xml, query=[("tagging", "")],
                                          headers={"Content-MD5": base64.b64encode(hashlib.md5(b"other").digest()).decode()})
    assert (answer.status, answer.code) == (400, "BadDigest")
