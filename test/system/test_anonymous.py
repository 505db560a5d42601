"""Nobody: without a signature nothing is given, unless the site, the bucket and a rule all three say so."""

import json

import pytest
from house import House, word


@pytest.mark.parametrize("method,target", [
    ("GET", "/"), ("GET", "/B"), ("GET", "/B/x"), ("HEAD", "/B/x"), ("PUT", "/B/x"), ("DELETE", "/B/x"), ("PUT", "/new-bucket"), ("DELETE", "/B"),
    ("GET", "/B?acl"), ("PUT", "/B?acl"), ("GET", "/B?policy"), ("PUT", "/B?policy"), ("DELETE", "/B?policy"), ("GET", "/B?versions"), ("GET", "/B?uploads"),
    ("POST", "/B?delete"), ("POST", "/B/x?uploads"), ("GET", "/B/x?tagging"), ("GET", "/B/x?acl"), ("GET", "/B/x?attributes"), ("GET", "/B?publicAccessBlock"),
    ("DELETE", "/B?publicAccessBlock"), ("PUT", "/B?versioning"), ("GET", "/B?location"), ("GET", "/no-such-bucket/x")])
def test_nothing(house, s3, bucket, method, target):
    s3.put_object(Bucket=bucket, Key="x", Body=b"private")
    answer = house.http(method, target.replace("B", bucket), body=b"<a/>" if method in ("PUT", "POST") else b"")
    assert answer.status == 403 or (answer.status == 404 and "no-such" in target), answer
    assert b"private" not in answer.body
    assert s3.get_object(Bucket=bucket, Key="x")["Body"].read() == b"private"


def test_api_without_proof(house):
    for method, path in (("GET", "whoami"), ("GET", "users"), ("POST", "users"), ("GET", "keys"), ("POST", "keys"), ("GET", "domains"), ("POST", "lockdown"),
                         ("DELETE", "lockdown"), ("GET", "audit"), ("GET", "audit/head"), ("GET", "status"), ("GET", "buckets"), ("DELETE", "users/admin"),
                         ("POST", "domains/general/rotate"), ("DELETE", "domains/general"), ("POST", "feeds"), ("GET", "studies"), ("POST", "studies"), ("GET", "cells"),
                         ("POST", "cells"), ("GET", "airlock"), ("POST", "airlock"), ("GET", "flow"), ("POST", "pool/rebuild"), ("GET", "disclosures"),
                         ("GET", "jobs/00112233445566778899aabbccddeeff"), ("GET", "subjects/00112233445566778899aabbccddeeff/accesses")):
        answer = house.http(method, "/api/" + path, {"Content-Type": "application/json"}, b"{}" if method == "POST" else b"")
        assert answer.status in (401, 403), (method, path, answer)
    asked = house.http("POST", "/api/subjects", {"Content-Type": "application/json"}, b'{"mrn":"12345678","reason":"audit"}')
    assert asked.status in (401, 403), asked


@pytest.mark.parametrize("path", ["/debug/pprof", "/metrics", "/server-status", "/admin", "/minio/health/live", "/api/debug", "/.well-known/x"])
def test_no_door_left_open(house, path):
    assert house.http("GET", path).status in (400, 401, 403, 404)


def test_the_console_is_an_empty_page(house):
    """what everybody may load: a program without a word of data, and nothing beside it"""
    answer = house.http("GET", "/console")
    assert answer.status in (303, 404)  # built without a console there is none
    if answer.status == 303:
        page = house.http("GET", "/console/")
        assert page.status == 200 and b"<html" in page.body and len(page.body) < 4096
        assert house.http("GET", "/console/../api/users").status in (400, 401, 403, 404)
        assert house.http("POST", "/console/").status in (400, 401, 403, 404, 405)


def test_default_credentials(house):
    from house import Person
    from sigv4 import Signer
    for key, secret in (("minioadmin", "minioadmin"), ("admin", "admin"), ("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
                        ("test", "test"), ("", "")):
        answer = Signer(house, Person(house, "x", key, secret)).request("GET", "/")
        assert answer.status in (400, 403), answer


@pytest.fixture(scope="module")
def public():
    """a house whose administrator allows public buckets"""
    h = House(public_access=True).init().start()
    try:
        h.add_everybody()
        yield h
        assert h.stop() == 0
        assert h.bugs() == []
    finally:
        h.release()


@pytest.fixture
def open_bucket(public):
    s3 = public.people["alice"].client()
    name = "b-" + word()
    s3.create_bucket(Bucket=name, ObjectOwnership="ObjectWriter")
    s3.put_public_access_block(Bucket=name, PublicAccessBlockConfiguration={
        "BlockPublicAcls": False, "IgnorePublicAcls": False, "BlockPublicPolicy": False, "RestrictPublicBuckets": False})
    return name


def test_public_policy(public, open_bucket):
    s3 = public.people["alice"].client()
    s3.put_object(Bucket=open_bucket, Key="open/x", Body=b"for all")
    s3.put_object(Bucket=open_bucket, Key="x", Body=b"private")
    s3.put_bucket_policy(Bucket=open_bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{open_bucket}/open/*"}]}))
    assert s3.get_bucket_policy_status(Bucket=open_bucket)["PolicyStatus"]["IsPublic"] is True
    assert public.http("GET", f"/{open_bucket}/open/x").body == b"for all"
    assert public.http("GET", f"/{open_bucket}/x").status == 403
    assert public.http("GET", f"/{open_bucket}").status == 403
    assert public.http("PUT", f"/{open_bucket}/open/x", body=b"evil").status == 403
    s3.put_public_access_block(Bucket=open_bucket, PublicAccessBlockConfiguration={"RestrictPublicBuckets": True})
    assert public.http("GET", f"/{open_bucket}/open/x").status == 403


def test_public_acl(public, open_bucket):
    s3 = public.people["alice"].client()
    s3.put_object(Bucket=open_bucket, Key="x", Body=b"for all", ACL="public-read")
    assert public.http("GET", f"/{open_bucket}/x").body == b"for all"
    assert public.http("DELETE", f"/{open_bucket}/x").status == 403
    s3.put_public_access_block(Bucket=open_bucket, PublicAccessBlockConfiguration={"IgnorePublicAcls": True})
    assert public.http("GET", f"/{open_bucket}/x").status == 403


def test_anonymous_reads_are_recorded(public, open_bucket):
    s3 = public.people["alice"].client()
    s3.put_object(Bucket=open_bucket, Key="x", Body=b"x", ACL="public-read")
    public.http("GET", f"/{open_bucket}/x")
    records = public.audit(bucket=open_bucket, act="object.get")
    assert any("who" not in r and r["decision"] == "allow" for r in records), records


def test_closed_by_the_site(own_house):
    """public_access: false in cloister.yaml: strangers get nothing, whatever an owner says"""
    h = own_house(public_access=False)
    s3 = h.people["alice"].client()
    name = "b-" + word()
    s3.create_bucket(Bucket=name, ObjectOwnership="ObjectWriter")
    s3.put_object(Bucket=name, Key="x", Body=b"x", ACL="public-read")
    assert h.http("GET", f"/{name}/x").status == 403
