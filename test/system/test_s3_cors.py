"""CORS: preflights, and the headers on ordinary answers."""

import pytest

METHOD = "Access-Control-Request-Method"
RULES = [
    {"AllowedMethods": ["GET"], "AllowedOrigins": ["*.example.org"], "ExposeHeaders": ["ETag"], "MaxAgeSeconds": 60},
    {"AllowedMethods": ["GET", "PUT"], "AllowedOrigins": ["https://start*end"], "AllowedHeaders": ["x-amz-*", "content-type"]},
    {"AllowedMethods": ["DELETE"], "AllowedOrigins": ["*"]},
]


@pytest.fixture
def ruled(s3, bucket):
    s3.put_bucket_cors(Bucket=bucket, CORSConfiguration={"CORSRules": RULES})
    return bucket


def origin_of(answer):
    return answer.headers.get("access-control-allow-origin")


@pytest.mark.parametrize("origin, allowed", [
    ("https://a.example.org", True), (".example.org", True), ("https://a.example.org.evil", False), ("https://start1end", True),
    ("https://startend", True), ("https://start", False), ("http://start1end", False)])
def test_ordinary_answers(house, ruled, origin, allowed):
    answer = house.http("GET", f"/{ruled}/x", {"Origin": origin})
    assert answer.status == 403 and origin_of(answer) == (origin if allowed else None)
    assert ("access-control-allow-credentials" in answer.headers) == allowed
    assert ("vary" in answer.headers) == allowed


def test_rules_give_nobody_access(house, ruled):
    assert house.http("GET", f"/{ruled}", {"Origin": "https://a.example.org"}).status == 403


def test_preflight(house, ruled):
    answer = house.http("OPTIONS", f"/{ruled}/x", {"Origin": "https://a.example.org", METHOD: "GET"})
    assert (answer.status, origin_of(answer), answer.body) == (200, "https://a.example.org", b"")
    assert answer.headers["access-control-allow-methods"] == "GET"
    assert answer.headers["access-control-max-age"] == "60" and answer.headers["access-control-expose-headers"] == "ETag"


@pytest.mark.parametrize("headers, status", [
    ({}, 400), ({"Origin": "https://a.example.org"}, 400), ({METHOD: "GET"}, 400),
    ({"Origin": "https://a.example.org", METHOD: "PUT"}, 403), ({"Origin": "https://evil.org", METHOD: "GET"}, 403),
    ({"Origin": "https://start1end", METHOD: "PUT"}, 200),
    ({"Origin": "https://start1end", METHOD: "PUT", "Access-Control-Request-Headers": "Content-Type, X-Amz-Date"}, 200),
    ({"Origin": "https://start1end", METHOD: "PUT", "Access-Control-Request-Headers": "content-type, x-other"}, 403)])
def test_preflights(house, ruled, headers, status):
    answer = house.http("OPTIONS", f"/{ruled}/x", headers)
    assert answer.status == status
    assert (origin_of(answer) is not None) == (status == 200)


def test_everybody(house, ruled):
    answer = house.http("OPTIONS", f"/{ruled}/x", {"Origin": "https://evil.org", METHOD: "DELETE"})
    assert origin_of(answer) == "*" and "access-control-allow-credentials" not in answer.headers


def test_without_rules(house, s3, ruled):
    s3.delete_bucket_cors(Bucket=ruled)
    for target in (f"/{ruled}/x", "/no-such-bucket/x"):
        answer = house.http("OPTIONS", target, {"Origin": "https://a.example.org", METHOD: "GET"})
        assert (answer.status, answer.code, origin_of(answer)) == (403, "AccessForbidden", None)


def test_presigned(house, s3, ruled):
    s3.put_object(Bucket=ruled, Key="x", Body=b"x")
    target = s3.generate_presigned_url("get_object", Params={"Bucket": ruled, "Key": "x"}).removeprefix(house.url)
    assert house.http("OPTIONS", target, {"Origin": "https://a.example.org", METHOD: "GET"}).status == 200
    answer = house.http("GET", target, {"Origin": "https://a.example.org"})
    assert (answer.body, origin_of(answer)) == (b"x", "https://a.example.org")
