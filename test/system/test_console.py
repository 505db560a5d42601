"""The console's files as a browser gets them, and S3 beside them undisturbed. Needs a built console (./run build)."""

import gzip
import http.client
import re

import pytest
from botocore.exceptions import ClientError


def get(house, path, method="GET", **headers):
    c = http.client.HTTPSConnection("127.0.0.1", house.port, context=house.tls(), timeout=30)
    c.request(method, path, headers={k.replace("_", "-"): v for k, v in headers.items()})
    answer = c.getresponse()
    return answer.status, dict(answer.getheaders()), answer.read()


@pytest.fixture(scope="module")
def index(house):
    status, _, body = get(house, "/console/")
    if status == 404 or b"<Error>" in body:
        pytest.skip("no console was built")
    return body.decode()


def test_a_browser_is_led_to_it(house, index):
    status, headers, _ = get(house, "/", Accept="text/html,application/xhtml+xml")
    assert status == 303 and headers["Location"] == "/console/"
    assert get(house, "/console")[1]["Location"] == "/console/"


def test_s3_is_undisturbed(house, index, s3, bucket):
    assert bucket in [b["Name"] for b in s3.list_buckets()["Buckets"]]
    assert get(house, "/")[0] == 403  # nobody asks, and not as a browser does
    assert get(house, "/?list-type=2", Accept="text/html")[0] == 403
    assert b"<Error>" in get(house, f"/{bucket}", Accept="text/html")[2]


def test_every_file_that_the_page_names(house, index):
    names = re.findall(r'(?:src|href)="\./([^"]+)"', index)
    assert any(n.endswith(".js") for n in names) and any(n.endswith(".css") for n in names)
    for name in names:
        status, headers, body = get(house, f"/console/{name}")
        assert status == 200 and body and "immutable" in headers["Cache-Control"] and headers["X-Content-Type-Options"] == "nosniff"
        packed_status, packed_headers, packed = get(house, f"/console/{name}", Accept_Encoding="br;q=0, gzip")
        assert packed_status == 200
        if packed_headers.get("Content-Encoding") == "gzip":
            assert gzip.decompress(packed) == body and len(packed) < len(body)
        assert get(house, f"/console/{name}", If_None_Match=headers["ETag"])[0] == 304
        head_status, head_headers, head = get(house, f"/console/{name}", "HEAD")
        assert head_status == 200 and head == b"" and int(head_headers["Content-Length"]) == len(body)


def test_the_page_is_strict_about_itself(house, index):
    _, headers, _ = get(house, "/console/")
    policy = dict(d.strip().split(" ", 1) for d in headers["Content-Security-Policy"].split(";"))
    assert policy["default-src"] == "'none'" and policy["script-src"] == "'self'" and policy["style-src"] == "'self'"
    assert policy["frame-ancestors"] == "'none'" and policy["form-action"] == "'none'" and policy["base-uri"] == "'none'"
    assert headers["Cache-Control"] == "no-store" and headers["Referrer-Policy"] == "no-referrer"
    assert "<script>" not in index and "style=" not in index


def test_nothing_else_is_there(house, index):
    assert get(house, "/console/../api/status")[0] != 200
    assert get(house, "/console/index.html.map")[0] == 404
    assert get(house, "/console/%2e%2e/cloister.yaml")[0] == 404
    assert get(house, "/console/", "POST")[0] == 405


@pytest.mark.parametrize("name", ["console", "fhir", "api", "cell", "landing", "pool", "study-0123456789abcdef0123"])
def test_no_bucket_takes_a_path_of_ours(s3, name):
    with pytest.raises(ClientError) as e:
        s3.create_bucket(Bucket=name)
    assert 400 <= e.value.response["ResponseMetadata"]["HTTPStatusCode"] < 500


def test_no_bucket_of_these_names_exists(s3):
    names = {b["Name"] for b in s3.list_buckets()["Buckets"]}
    assert not names & {"console", "fhir", "api", "cell"}
