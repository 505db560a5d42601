"""Whatever arrives on the socket: S3's error, or a closed connection; never a process down."""

import random
import re
import time

import pytest
from house import Answer
from sigv4 import STREAMING, STREAMING_TRAILER, UNSIGNED_TRAILER, Signer


@pytest.fixture(autouse=True)
def nobody_dies(house):
    before = house.pids()
    yield
    assert house.pids() == before, house.log_text()[-2000:]
    assert house.bugs() == []
    assert house.http("GET", "/").status == 403


@pytest.fixture
def signer(house, alice):
    return Signer(house, alice)


def test_error_document(signer, bucket):
    answer = signer.request("GET", f"/{bucket}/nothing-here")
    assert (answer.status, answer.code) == (404, "NoSuchKey")
    assert answer.headers["content-type"] == "application/xml"
    assert answer.text.startswith("<?xml")
    request_id = answer.headers["x-amz-request-id"]
    assert f"<RequestId>{request_id}</RequestId>" in answer.text
    assert re.search(r"<Message>[^<]+</Message>", answer.text)


def test_errors_to_head_have_no_body(house, signer, bucket):
    answer = signer.request("HEAD", f"/{bucket}/nothing-here")
    assert (answer.status, answer.body) == (404, b"")


def test_the_answer_repeats_nothing_dangerous(signer, bucket):
    answer = signer.request("GET", f"/{bucket}/%3Cscript%3Ealert")
    assert answer.status == 404
    assert "<script>" not in answer.text


# ---- malformed HTTP ----

RAW = [
    b"\r\n\r\n", b"GET\r\n\r\n", b"GET / HTTP/9.9\r\nHost: x\r\n\r\n", b"\x00\x01\x02\x03\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n",
    b"GET " + b"/" * 20000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", b"GET /%zz HTTP/1.1\r\nHost: x\r\n\r\n", b"GET /a%00b HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /bucket/%ff%fe HTTP/1.1\r\nHost: x\r\n\r\n", b"GET /b/x?a=%g HTTP/1.1\r\nHost: x\r\n\r\n", b"GET /b?" + b"a=b&" * 500 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\n" + b"".join(b"x-h%d: v\r\n" % i for i in range(300)) + b"\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\nx-big: " + b"v" * 100_000 + b"\r\n\r\n", b"PUT /b/x HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
    b"PUT /b/x HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n", b"PUT /b/x HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
    b"PUT /b/x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", b"PUT /b/x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
    b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", b"CONNECT evil:443 HTTP/1.1\r\nHost: x\r\n\r\n", b"TRACE / HTTP/1.1\r\nHost: x\r\n\r\n", b"BREW /b/x HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET http://evil.example/ HTTP/1.1\r\nHost: x\r\n\r\n", b"GET /../../../etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n", b"GET /./. HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET // HTTP/1.1\r\nHost: x\r\n\r\n", b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", b"GET /b HTTP/1.0\r\n\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"GET / HTTP/1.1\r\nHost: x\r\nbad header\r\n\r\n", b"GET / HTTP/1.1\r\nHost: x\r\n folded: y\r\n\r\n",
]


@pytest.mark.parametrize("data", RAW, ids=range(len(RAW)))
def test_malformed_http(house, data):
    try:
        answer = house.raw(data, timeout=3)
    except TimeoutError:  # it waits for the rest: an empty line before a request is skipped (RFC 9112, 2.2)
        return
    assert answer.status == 0 or 400 <= answer.status < 500 or answer.status in (501, 505), answer
    assert "root:" not in answer.text


def test_cut_at_every_place(house, signer, bucket):
    """a request that ends in the middle of anything"""
    headers = signer.headers("PUT", f"/{bucket}/x", b"body" * 10)
    lines = [f"PUT /{bucket}/x HTTP/1.1", "Content-Length: 40", *[f"{k}: {v}" for k, v in headers.items()]]
    whole = "\r\n".join(lines).encode() + b"\r\n\r\n" + b"body" * 10
    for cut in (1, 10, 30, 100, len(whole) // 2, len(whole) - 41, len(whole) - 40, len(whole) - 1):
        with house.connect() as s:
            s.sendall(whole[:cut])
    assert signer.request("HEAD", f"/{bucket}/x").status == 404


def test_noise(house):
    """random bytes for TLS and for HTTP"""
    import socket
    r = random.Random(7)
    for _ in range(20):
        with socket.create_connection(("127.0.0.1", house.port)) as s:
            s.sendall(r.randbytes(200))
    for _ in range(20):
        answer = house.raw(r.randbytes(300) + b"\r\n\r\n")
        assert answer.status == 0 or 400 <= answer.status < 600


def test_plain_http(house):
    import socket
    with socket.create_connection(("127.0.0.1", house.port), timeout=10) as s:
        s.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        data = b""
        try:
            data = s.recv(1000)
        except OSError:
            pass
        assert b"200 OK" not in data and b"<ListAllMyBuckets" not in data


def test_old_tls_is_refused(house):
    import ssl
    import socket
    context = house.tls()
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.raises((ssl.SSLError, OSError)), socket.create_connection(("127.0.0.1", house.port)) as raw:
        context.wrap_socket(raw, server_hostname="127.0.0.1")


def test_pipelined(house):
    with house.connect() as s:
        s.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" * 3)
        s.settimeout(10)
        data = b""
        while data.count(b"HTTP/1.1 ") < 3:
            more = s.recv(65536)
            if not more:
                break
            data += more
    assert data.count(b"HTTP/1.1 403") >= 1


def test_keep_alive_after_errors(house, alice, bucket):
    """the same connection serves on after a refused request without a body"""
    signer = Signer(house, alice)
    with house.connect() as s:
        for _ in range(5):
            headers = signer.headers("GET", f"/{bucket}/nothing")
            s.sendall(f"GET /{bucket}/nothing HTTP/1.1\r\n".encode() + "".join(f"{k}: {v}\r\n" for k, v in headers.items()).encode() + b"\r\n")
            assert Answer.read(s).code == "NoSuchKey"


def test_expect_continue(house, alice, bucket):
    """the body is asked for only after the request was allowed"""
    body = b"x" * 1000
    for person, want in ((house.people["alice"], 100), (house.people["bob"], 403)):
        headers = Signer(house, person).headers("PUT", f"/{bucket}/x", body)
        with house.connect() as s:
            s.sendall(f"PUT /{bucket}/x HTTP/1.1\r\nContent-Length: {len(body)}\r\nExpect: 100-continue\r\n".encode()
                      + "".join(f"{k}: {v}\r\n" for k, v in headers.items()).encode() + b"\r\n")
            s.settimeout(10)
            first = s.recv(1000)
            assert first.startswith(f"HTTP/1.1 {want}".encode()), first[:100]
            if want == 100:
                s.sendall(body)
                assert Answer.read(s).status == 200


# ---- bodies ----

def test_no_length(house, signer, bucket):
    headers = signer.headers("PUT", f"/{bucket}/x", payload_hash="UNSIGNED-PAYLOAD")
    answer = house.http("PUT", f"/{bucket}/x", headers)
    assert (answer.status, answer.code) in ((411, "MissingContentLength"), (200, None))
    headers = signer.headers("PUT", f"/{bucket}/y", payload_hash="UNSIGNED-PAYLOAD") | {"Transfer-Encoding": "chunked"}
    answer = house.http("PUT", f"/{bucket}/y", headers, b"5\r\nhello\r\n0\r\n\r\n")
    assert (answer.status, answer.code) in ((411, "MissingContentLength"), (501, "NotImplemented"), (200, None))


def test_body_shorter_than_announced(house, signer, s3, bucket):
    headers = signer.headers("PUT", f"/{bucket}/x", payload_hash="UNSIGNED-PAYLOAD") | {"Content-Length": "1000"}
    with house.connect() as s:
        s.sendall(f"PUT /{bucket}/x HTTP/1.1\r\n".encode() + "".join(f"{k}: {v}\r\n" for k, v in headers.items()).encode() + b"\r\n" + b"x" * 10)
    time.sleep(0.2)
    assert Signer(house, house.people["alice"]).request("HEAD", f"/{bucket}/x").status == 404


def test_too_large_to_be_put(house, signer, bucket):
    headers = signer.headers("PUT", f"/{bucket}/x", payload_hash="UNSIGNED-PAYLOAD") | {"Content-Length": str(5 * 1024**3 + 1)}
    answer = house.http("PUT", f"/{bucket}/x", headers)
    assert (answer.status, answer.code) == (400, "EntityTooLarge")


@pytest.mark.parametrize("sub,element", [("versioning", "VersioningConfiguration"), ("tagging", "Tagging"), ("acl", "AccessControlPolicy"),
                                         ("publicAccessBlock", "PublicAccessBlockConfiguration"), ("ownershipControls", "OwnershipControls"),
                                         ("cors", "CORSConfiguration"), ("encryption", "ServerSideEncryptionConfiguration")])
@pytest.mark.parametrize("xml", [
    b"", b"<", b"not xml at all", b"<X></Y>", b"<wrong/>", b"{}", b"\xff\xfe<\x00", b"<?xml version='1.0' encoding='utf-16'?><x/>",
    b"<ELEMENT><Unknown/></ELEMENT>", b"<ELEMENT>" + b"<a>" * 5000,
    b'<!DOCTYPE a [<!ENTITY x "xxxxxxxxxx"><!ENTITY y "&x;&x;&x;&x;&x;&x;&x;&x;">]><ELEMENT>&y;</ELEMENT>',
    b'<!DOCTYPE a SYSTEM "https://127.0.0.1/evil.dtd"><ELEMENT/>', b'<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/passwd">]><ELEMENT>&e;</ELEMENT>',
], ids=["empty", "lt", "text", "unbalanced", "wrong", "json", "bytes", "utf16", "unknown", "deep", "bomb", "dtd", "xxe"])
def test_malformed_xml(signer, bucket, sub, element, xml):
    answer = signer.request("PUT", f"/{bucket}", xml.replace(b"ELEMENT", element.encode()), query=[(sub, "")])
    assert answer.status == 400, answer
    assert answer.code.startswith(("Malformed", "Missing", "Invalid", "IllegalVersioning", "AccessDenied")), answer
    assert "root:" not in answer.text


def test_document_too_large(signer, bucket):
    answer = signer.request("PUT", f"/{bucket}", b"<Tagging>" + b" " * 200_000 + b"</Tagging>", query=[("tagging", "")])
    assert answer.status == 400, answer


@pytest.mark.parametrize("xml", [b"<Delete></Delete>", b"<Delete><Object></Object></Delete>", b"<Delete><Object><Key></Key></Object></Delete>", b"<Delete>",
                                 b"<Delete><Object><Key>x</Key><VersionId>nonsense</VersionId></Object></Delete>", b""])
def test_delete_documents(signer, bucket, xml):
    answer = signer.request("POST", f"/{bucket}", xml, query=[("delete", "")])
    assert answer.status in (200, 400)
    if answer.status == 200:
        assert "<Error>" in answer.text and "<Deleted>" not in answer.text


# ---- aws-chunked ----

CHUNKS = [b"a" * 70_000, b"b" * 100]


@pytest.mark.parametrize("kind", [STREAMING, UNSIGNED_TRAILER])
def test_chunked_well(signer, s3, bucket, kind):
    assert signer.put_stream(f"/{bucket}/x", CHUNKS, kind).status == 200
    assert s3.get_object(Bucket=bucket, Key="x")["Body"].read() == b"".join(CHUNKS)


def spoil_signature(body):
    return re.sub(rb"chunk-signature=([0-9a-f])", lambda m: b"chunk-signature=" + (b"0" if m[1] != b"0" else b"1"), body, count=1)


SPOILED = {
    "signature": (STREAMING, spoil_signature, (403, "SignatureDoesNotMatch")),
    "data": (STREAMING, lambda b: b.replace(b"aaaa", b"aaab", 1), (403, "SignatureDoesNotMatch")),
    "last chunk's signature": (STREAMING, lambda b: b[:-6] + b"00" + b[-4:], (403, "SignatureDoesNotMatch")),
    "no signature": (STREAMING, lambda b: re.sub(rb";chunk-signature=\w+", b"", b), None),
    "chunks swapped": (STREAMING, lambda b: b"64" + b.split(b"\r\n64", 1)[1].split(b"\r\n0;", 1)[0] + b"\r\n" + b.split(b"\r\n64", 1)[0] + b"\r\n0;" + b.split(b"\r\n0;", 1)[1], None),
    "size not hex": (UNSIGNED_TRAILER, lambda b: b"xyz" + b, None),
    "size too long": (UNSIGNED_TRAILER, lambda b: b"0" * 100 + b, None),
    "size huge": (UNSIGNED_TRAILER, lambda b: b"ffffffffffffffff" + b[5:], None),
    "size negative": (UNSIGNED_TRAILER, lambda b: b"-1" + b[5:], None),
    "no line end after data": (UNSIGNED_TRAILER, lambda b: b.replace(b"a\r\n64", b"aXX64", 1), None),
    "no last chunk": (UNSIGNED_TRAILER, lambda b: b.replace(b"\r\n0\r\n\r\n", b"\r\n"), None),
    "junk after the end": (UNSIGNED_TRAILER, lambda b: b + b"junk", None),
    "cut": (STREAMING, lambda b: b[:1000], None),
    "empty": (STREAMING, lambda b: b"", None),
}


@pytest.mark.parametrize("name", SPOILED)
def test_chunked_spoiled(signer, bucket, name):
    kind, spoil, want = SPOILED[name]
    answer = signer.put_stream(f"/{bucket}/x", CHUNKS, kind, spoil=spoil)
    assert 400 <= answer.status < 500, answer
    if want:
        assert (answer.status, answer.code) == want
    assert signer.request("HEAD", f"/{bucket}/x").status == 404


@pytest.mark.parametrize("claimed", [0, 70_099, 70_101, 10**15, "x", -1])
def test_decoded_length_wrong(signer, bucket, claimed):
    answer = signer.put_stream(f"/{bucket}/x", CHUNKS, UNSIGNED_TRAILER, claimed=claimed)
    assert 400 <= answer.status < 500, answer
    assert signer.request("HEAD", f"/{bucket}/x").status == 404


def test_decoded_length_absent(signer, bucket):
    answer = signer.put_stream(f"/{bucket}/x", CHUNKS, STREAMING, drop=["x-amz-decoded-content-length"])
    assert (answer.status, answer.code) == (411, "MissingContentLength")


@pytest.mark.parametrize("trailer", [("x-amz-checksum-crc32", "AAAAAA=="), ("x-amz-checksum-crc32", "garbage"), ("x-evil", "y")])
def test_trailer_wrong(signer, bucket, trailer):
    for kind in (UNSIGNED_TRAILER, STREAMING_TRAILER):
        answer = signer.put_stream(f"/{bucket}/x", CHUNKS, kind, trailer)
        assert answer.status == 400, answer
    assert signer.request("HEAD", f"/{bucket}/x").status == 404


def test_trailer_announced_and_absent(signer, bucket):
    answer = signer.put_stream(f"/{bucket}/x", CHUNKS, UNSIGNED_TRAILER, headers={"x-amz-trailer": "x-amz-checksum-crc32"})
    assert answer.status == 400, answer


def test_trailer_of_another_name(signer, bucket):
    answer = signer.put_stream(f"/{bucket}/x", CHUNKS, UNSIGNED_TRAILER, ("x-amz-checksum-sha1", "AAAA"), headers={"x-amz-trailer": "x-amz-checksum-crc32"})
    assert answer.status == 400, answer


def test_trailer_signature_wrong(signer, bucket):
    import base64
    import zlib
    good = base64.b64encode(zlib.crc32(b"".join(CHUNKS)).to_bytes(4, "big")).decode()
    assert signer.put_stream(f"/{bucket}/good", CHUNKS, STREAMING_TRAILER, ("x-amz-checksum-crc32", good)).status == 200
    answer = signer.put_stream(f"/{bucket}/x", CHUNKS, STREAMING_TRAILER, ("x-amz-checksum-crc32", good),
                               spoil=lambda b: re.sub(rb"trailer-signature:\w{4}", b"trailer-signature:0000", b))
    assert (answer.status, answer.code) == (403, "SignatureDoesNotMatch")
    assert signer.request("HEAD", f"/{bucket}/x").status == 404


# ---- SSE ----

@pytest.mark.parametrize("headers", [
    {"x-amz-server-side-encryption": "rot13"}, {"x-amz-server-side-encryption-customer-algorithm": "AES256"},
    {"x-amz-server-side-encryption-customer-algorithm": "AES256", "x-amz-server-side-encryption-customer-key": "AAAA",
     "x-amz-server-side-encryption-customer-key-MD5": "AAAA"}])
def test_encryption_that_is_not_done_is_refused(signer, bucket, headers):
    answer = signer.request("PUT", f"/{bucket}/x", b"x", headers=headers)
    assert answer.status in (400, 501), answer
    assert signer.request("HEAD", f"/{bucket}/x").status == 404


@pytest.mark.parametrize("kind", ["AES256", "aws:kms"])
def test_encryption_that_is_done(signer, bucket, kind):
    assert signer.request("PUT", f"/{bucket}/x", b"x", headers={"x-amz-server-side-encryption": kind}).status == 200


@pytest.mark.parametrize("key", ["../../../escaped", "/etc/escaped", "a/../../escaped", "..", ".", "a/./b", "a//b", "%2e%2e/%2e%2e/escaped", "..\\escaped", "a/" * 400 + "escaped"])
def test_a_key_is_no_path(house, s3, bucket, key):
    """it is kept as it is, or refused; on disk there are random names only"""
    try:
        s3.put_object(Bucket=bucket, Key=key, Body=b"here")
    except s3.exceptions.ClientError as e:
        assert e.response["ResponseMetadata"]["HTTPStatusCode"] == 400, e
    else:
        assert [o["Key"] for o in s3.list_objects_v2(Bucket=bucket)["Contents"]] == [key]
        assert s3.get_object(Bucket=bucket, Key=key)["Body"].read() == b"here"
    found = [p.name for folder in (house.top, house.top.parent) for p in folder.glob("*escaped*")] + [p.name for p in house.state.rglob("*escaped*")]
    assert found == [] and all(re.fullmatch(r"[0-9a-f]+", p.name) for p in (house.state / "vault" / "blobs").rglob("*"))
