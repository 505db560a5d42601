"""Signatures done wrongly, and the mistakes that other servers have shipped."""

import json

import pytest
from house import Person, refused, word
from sigv4 import STREAMING, UNSIGNED_TRAILER, Signer, now


@pytest.fixture
def x(s3, bucket):
    s3.put_object(Bucket=bucket, Key="x", Body=b"x")
    return f"/{bucket}/x"


def test_our_own_signer(house, ally, x):
    answer = Signer(house, ally).request("GET", x)
    assert (answer.status, answer.body) == (200, b"x")


def replace(name, old, new):
    def change(headers):
        assert old in headers[name]
        headers[name] = headers[name].replace(old, new)
    return change


def drop(name):
    return lambda headers: headers.pop(name)


def flip_signature(headers):
    a = headers["Authorization"]
    headers["Authorization"] = a[:-1] + ("0" if a[-1] != "0" else "1")


CHANGES = {
    "signature": (flip_signature, {"SignatureDoesNotMatch"}),
    "empty signature": (lambda h: h.update(Authorization=h["Authorization"].split("Signature=")[0] + "Signature="), {"AuthorizationHeaderMalformed", "SignatureDoesNotMatch"}),
    "short signature": (lambda h: h.update(Authorization=h["Authorization"][:-2]), {"AuthorizationHeaderMalformed", "SignatureDoesNotMatch"}),
    "no date": (drop("x-amz-date"), {"AccessDenied", "SignatureDoesNotMatch", "AuthorizationHeaderMalformed", "MissingSecurityHeader"}),
    "date garbage": (lambda h: h.update({"x-amz-date": "yesterday"}), {"AccessDenied", "SignatureDoesNotMatch", "AuthorizationHeaderMalformed"}),
    "other date": (lambda h: h.update({"x-amz-date": h["x-amz-date"][:-2] + ("1Z" if h["x-amz-date"][-2] == "0" else "0Z")}), {"SignatureDoesNotMatch"}),
    "no content hash": (drop("x-amz-content-sha256"), {"InvalidRequest", "SignatureDoesNotMatch", "MissingSecurityHeader"}),
    "algorithm": (replace("Authorization", "AWS4-HMAC-SHA256", "AWS4-HMAC-SHA1"), {"AuthorizationHeaderMalformed", "InvalidRequest", "InvalidArgument", "AccessDenied"}),
    "v2": (lambda h: h.update(Authorization="AWS AKIA:c2lnbmF0dXJl"), {"InvalidRequest", "AuthorizationHeaderMalformed", "InvalidArgument", "AccessDenied"}),
    "basic": (lambda h: h.update(Authorization="Basic YWRtaW46YWRtaW4="), {"InvalidRequest", "AuthorizationHeaderMalformed", "InvalidArgument", "AccessDenied"}),
    "empty": (lambda h: h.update(Authorization=""), {"AccessDenied", "AuthorizationHeaderMalformed", "InvalidRequest", "InvalidArgument"}),
    "no credential": (lambda h: h.update(Authorization="AWS4-HMAC-SHA256 SignedHeaders=host, Signature=00"), {"AuthorizationHeaderMalformed"}),
    "other region": (replace("Authorization", "us-east-1", "eu-west-1"), {"AuthorizationHeaderMalformed", "SignatureDoesNotMatch"}),
    "other service": (replace("Authorization", "/s3/", "/ec2/"), {"AuthorizationHeaderMalformed", "SignatureDoesNotMatch"}),
    "other terminator": (replace("Authorization", "aws4_request", "aws5_request"), {"AuthorizationHeaderMalformed", "SignatureDoesNotMatch"}),
    "unknown key": (replace("Authorization", "Credential=", "Credential=Z"), {"InvalidAccessKeyId"}),
    "host not signed": (replace("Authorization", "SignedHeaders=host;", "SignedHeaders="), {"SignatureDoesNotMatch", "AuthorizationHeaderMalformed", "AccessDenied"}),
    "very long": (lambda h: h.update(Authorization=h["Authorization"].replace("Credential=", "Credential=" + "y" * 6000)), {"AuthorizationHeaderMalformed", "InvalidAccessKeyId", None}),
    "slashes": (lambda h: h.update(Authorization="AWS4-HMAC-SHA256 Credential=////////////, SignedHeaders=;;;, Signature=" + "0" * 64), {"AuthorizationHeaderMalformed"}),
}


@pytest.mark.parametrize("name", CHANGES)
def test_changed(house, ally, x, name):
    change, codes = CHANGES[name]
    answer = Signer(house, ally).request("GET", x, change=change)
    assert answer.status in (400, 403, 431), answer
    assert answer.code in codes, answer


def test_with_another_secret(house, ally, bob, x):
    for secret in (bob.secret, "", ally.secret[:-1], ally.secret + "x"):
        answer = Signer(house, Person(house, "x", ally.access_key, secret)).request("GET", x)
        assert (answer.status, answer.code) == (403, "SignatureDoesNotMatch")


@pytest.mark.parametrize("offset", [-3600, -16 * 60, 16 * 60, 86400])
def test_clock_skew(house, ally, x, offset):
    answer = Signer(house, ally, at=now(offset)).request("GET", x)
    assert (answer.status, answer.code) == (403, "RequestTimeTooSkewed")


def test_small_skew(house, ally, x):
    assert Signer(house, ally, at=now(-10 * 60)).request("GET", x).status == 200


def test_date_and_scope_differ(house, ally, x):
    signer = Signer(house, ally)
    signer.scope = "20010101/us-east-1/s3/aws4_request"
    assert Signer.request(signer, "GET", x).status in (400, 403)


def test_unsigned_amz_header(house, ally, x, s3):
    """a header that changes the meaning and is not under the signature"""
    for name, value in (("x-amz-copy-source", x), ("x-amz-acl", "public-read"), ("x-amz-meta-a", "b")):
        answer = Signer(house, ally).request("PUT", x + "2", b"", change=lambda h, name=name, value=value: h.update({name: value}))
        assert answer.status in (400, 403), (name, answer)
    with refused("404"):
        s3.head_object(Bucket=x.split("/")[1], Key="x2")


def test_signed_for_another_target(house, ally, s3, bucket, x):
    s3.put_object(Bucket=bucket, Key="y", Body=b"y")
    headers = Signer(house, ally).headers("GET", x)
    for method, target in (("GET", f"/{bucket}/y"), ("DELETE", x), ("PUT", x), ("GET", x + "?tagging"), ("GET", x + "?versionId=null"), ("HEAD", x)):
        assert house.http(method, target, headers | ({"Content-Length": "0"} if method == "PUT" else {})).status == 403, (method, target)
    assert s3.get_object(Bucket=bucket, Key="x")["Body"].read() == b"x"


def test_raw_path_is_what_is_signed(house, ally, s3, bucket):
    """encodings of one name are different targets; the signature covers the bytes sent"""
    s3.put_object(Bucket=bucket, Key="a~b", Body=b"x")
    headers = Signer(house, ally).headers("GET", f"/{bucket}/a~b")
    assert house.http("GET", f"/{bucket}/a~b", headers).status == 200
    assert house.http("GET", f"/{bucket}/../{bucket}/a~b", headers).status in (400, 403)


def test_host_swapped(house, ally, x):
    assert Signer(house, ally).request("GET", x, change=lambda h: h.update(Host="evil.example")).code == "SignatureDoesNotMatch"


def test_doubled_headers(house, ally, x):
    signer = Signer(house, ally)
    lines = [f"{k}: {v}" for k, v in signer.headers("GET", x).items()]
    for extra in ("x-amz-date: 20010101T000000Z", "Host: evil.example", "Authorization: AWS4-HMAC-SHA256 x"):
        answer = house.raw(("GET " + x + " HTTP/1.1\r\n" + "\r\n".join([*lines, extra]) + "\r\n\r\n").encode())
        assert answer.status in (0, 400, 403), (extra, answer)


def test_unsigned_trailer_still_needs_the_seed_signature(house, ally, s3, bucket):
    """CVE-2025-31489: the upload's own signature was not looked at"""
    stranger = Person(house, "x", ally.access_key, "not the secret at all")
    for kind in (UNSIGNED_TRAILER, STREAMING):
        answer = Signer(house, stranger).put_stream(f"/{bucket}/x", [b"evil"], kind)
        assert (answer.status, answer.code) == (403, "SignatureDoesNotMatch")
    answer = Signer(house, Person(house, "x", "ZNOSUCHKEYATALL", "x")).put_stream(f"/{bucket}/x", [b"evil"], UNSIGNED_TRAILER)
    assert (answer.status, answer.code) == (403, "InvalidAccessKeyId")
    with refused("404"):
        s3.head_object(Bucket=bucket, Key="x")


def test_copy_source_encodings(house, ally, s3, bucket):
    """a percent-encoded copy source took down a server once; and traversal in it must not"""
    s3.put_object(Bucket=bucket, Key="a b/ü?", Body=b"x")
    assert Signer(house, ally).request("PUT", f"/{bucket}/y", headers={"x-amz-copy-source": f"/{bucket}/a%20b/%C3%BC%3F"}).status == 200
    for bad in ("%", "%2", "%zz", "/", "//", "", "x", f"{bucket}", f"/{bucket}/", f"/{bucket}/%00", "%2F%2F%2F", "../../etc/passwd", f"/{bucket}/a?versionId=",
                f"/{bucket}/y?versionId=nonsense", "%" * 3000, "/" + "%ff" * 500):
        answer = Signer(house, ally).request("PUT", f"/{bucket}/z", headers={"x-amz-copy-source": bad})
        assert answer.status in (400, 403, 404), (bad, answer)
    with refused("404"):
        s3.head_object(Bucket=bucket, Key="z")


def test_admin_routes_need_the_role(house):
    """authenticated is not authorised: every route of the API, as a researcher"""
    bob = house.people["bob"]
    for method, path, body in (
            ("POST", "users", {"name": "mallory", "roles": ["administrator"]}), ("GET", "users/alice", None),
            ("PATCH", "users/bob", {"roles": ["administrator"]}), ("DELETE", "users/alice", None), ("POST", "users/alice/password", {}),
            ("POST", "keys", {"person": "alice"}), ("GET", "domains", None), ("POST", "domains", {"name": "evil"}), ("POST", "domains/general/rotate", {}),
            ("DELETE", "domains/general", None), ("POST", "feeds", {"name": "evil"}), ("POST", "lockdown", {}), ("DELETE", "lockdown", None),
            ("GET", "audit", None), ("GET", "audit/0/proof", None), ("DELETE", f"keys/{house.people['alice'].access_key}", None)):
        text = json.dumps(body).encode() if body is not None else b""
        answer = Signer(house, bob).request(method, "/api/" + path, text, headers={"Content-Type": "application/json"})
        assert answer.status in (403, 404), (method, path, answer)
    assert house.people["alice"].client().list_buckets()
    seen = json.loads(Signer(house, bob).request("GET", "/api/users").body)
    assert seen.get("name") == "bob" and "users" not in seen  # himself only


def test_nobody_makes_himself_more(house):
    """nor an administrator himself a reader"""
    admin = house.people["admin"]
    answer = Signer(house, admin).request("PATCH", "/api/users/admin", b'{"roles": ["administrator", "data-steward"]}', headers={"Content-Type": "application/json"})
    assert answer.status in (403, 409), answer
    answer = Signer(house, admin).request("POST", "/api/users", b'{"name": "both", "roles": ["administrator", "researcher"]}', headers={"Content-Type": "application/json"})
    assert answer.status == 409, answer


def test_a_limited_key_is_limited(house, bob):
    s3 = bob.client()
    mine, other = "b-" + word(), "b-" + word()
    for name in (mine, other):
        s3.create_bucket(Bucket=name)
        s3.put_object(Bucket=name, Key="x", Body=b"x")
    made = bob.cli("key", "create", "--read-only", "--bucket", mine)
    limited = Person(house, "bob", made["access_key"], made["secret"]).client()
    assert limited.get_object(Bucket=mine, Key="x")["Body"].read() == b"x"
    for call in (lambda: limited.put_object(Bucket=mine, Key="y", Body=b""), lambda: limited.delete_object(Bucket=mine, Key="x"),
                 lambda: limited.get_object(Bucket=other, Key="x"), lambda: limited.list_objects_v2(Bucket=other),
                 lambda: limited.create_bucket(Bucket="b-" + word()), lambda: limited.put_bucket_policy(Bucket=mine, Policy="{}")):
        with refused("AccessDenied", http=403):
            call()


def test_a_limited_key_makes_no_unlimited_one(house, bob):
    made = bob.cli("key", "create", "--read-only")
    limited = Person(house, "bob", made["access_key"], made["secret"])
    answer = Signer(house, limited).request("POST", "/api/keys", b"{}", headers={"Content-Type": "application/json"})
    assert answer.status == 403, answer


def test_secrets_are_in_no_log_and_no_record(house, ally, x):
    Signer(house, ally).request("GET", x)
    signature = Signer(house, ally).headers("GET", x)["Authorization"].split("Signature=")[1]
    Signer(house, ally).request("GET", x)
    log = house.log_text()
    for secret in (ally.secret, signature, "AWS4-HMAC-SHA256"):
        assert secret not in log
    for path in (house.state / "ledger").rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            assert ally.secret.encode() not in data and b"AWS4-HMAC" not in data, path


def test_guessing_is_slowed_down(house, ally, x):
    """of one address and of one key; whoever has the secret goes on"""
    stranger = Person(house, "x", ally.access_key, "guess")
    codes = [house.http("GET", x, Signer(house, stranger).headers("GET", x), source="127.9.9.9").code for _ in range(30)]
    assert codes[0] == "SignatureDoesNotMatch"
    assert codes[-1] == "SlowDown"
    assert house.http("GET", x, Signer(house, ally).headers("GET", x)).status == 200
