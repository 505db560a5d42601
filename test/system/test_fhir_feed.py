"""FHIR documents from feeds: what is valid is stored before the answer, what is not is refused by place and never by what it says."""

import concurrent.futures
import hashlib
import http.client
import json
import socket
import ssl
import subprocess

import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from house import word

TYPE = "application/fhir+json"
SECRET = "Zzyzxella"  # a name that must come back in no answer, log or record


@pytest.fixture(scope="module")
def feed(house, tmp_path_factory):
    """a feed of the main house: its name, and curl's words that prove it"""
    top = tmp_path_factory.mktemp("feed")
    name = "fhir-" + word()
    made = house.people["admin"].cli("feed", "add", name, "--out", str(top / name))
    return {"name": name, "id": made["id"], "top": top, "words": ["--cert", str(top / f"{name}.pem"), "--key", str(top / f"{name}.key")]}


def send(house, feed, body, path="/fhir", method="POST", kind=TYPE, headers=(), proved=True):
    """status and document of the answer"""
    file = feed["top"] / f"body-{word()}"
    file.write_bytes(body if isinstance(body, bytes) else json.dumps(body).encode())
    words = ["curl", "-sS", "--cacert", str(house.ca), "-X", method, "-H", f"Content-Type: {kind}", "-w", "\n%{http_code}",
             "--data-binary", f"@{file}", *(w for h in headers for w in ("-H", h)), *(feed["words"] if proved else []), f"{house.url}{path}"]
    done = subprocess.run(words, capture_output=True, text=True, check=True, timeout=60)
    file.unlink()
    text, status = done.stdout.rsplit("\n", 1)
    assert SECRET not in text
    return int(status), json.loads(text) if text else None


def patient(**more):
    return {"resourceType": "Patient", "id": word(), "name": [{"family": SECRET}], **more}


def bundle(*resources, kind="transaction"):
    return {"resourceType": "Bundle", "type": kind, "entry": [
        {"fullUrl": f"urn:uuid:00000000-0000-4000-8000-{n:012x}", "resource": r, "request": {"method": "PUT", "url": f"{r['resourceType']}/{r['id']}"}}
        for n, r in enumerate(resources)]}


def refused(answer, status, code, place=None):
    got, document = answer
    assert got == status, document
    assert document["resourceType"] == "OperationOutcome"
    issue = document["issue"][0]
    assert issue["severity"] == "error" and issue["code"] == code, issue
    if place:
        assert issue["expression"] == [place]
    return issue


def landed(house, feed):
    return [r for r in house.audit(act="object.put", who=feed["id"]) if r["decision"] == "allow"]


# ---- what is taken ----


@pytest.mark.parametrize("kind", ["transaction", "batch"])
def test_a_bundle_is_stored_and_each_entry_answered(house, feed, kind):
    before = len(landed(house, feed))
    status, answer = send(house, feed, bundle(patient(), patient(), patient(), kind=kind))
    assert status == 200
    assert answer["resourceType"] == "Bundle" and answer["type"] == f"{kind}-response"
    assert [e["response"]["status"] for e in answer["entry"]] == ["202 Accepted"] * 3
    assert len(landed(house, feed)) == before + 1


def test_a_resource_by_itself(house, feed):
    status, answer = send(house, feed, patient())
    assert status == 200 and answer["type"] == "batch-response" and len(answer["entry"]) == 1
    p = patient()
    status, answer = send(house, feed, p, f"/fhir/Patient/{p['id']}", "PUT")
    assert status == 202 and answer["issue"][0]["severity"] == "information"
    assert send(house, feed, patient(), "/fhir/Patient")[0] == 202
    assert send(house, feed, patient(), "/fhir/", kind="application/json; charset=UTF-8")[0] == 200


def test_with_an_access_key_the_bytes_are_signed(house, feed):
    """a clinician who proves himself by SigV4; other bytes than the signed ones are refused"""
    clinician = house.add("cliff-" + word(), "clinician")
    body = json.dumps(patient()).encode()
    status, answer = signed(clinician, body, body)
    assert status == 200, answer
    status, answer = signed(clinician, body, body.replace(b"Zz", b"Yy"))
    assert status == 400 and answer["resourceType"] == "OperationOutcome"


def signed(person, claimed, sent):
    url = f"{person.house.url}/fhir"
    request = AWSRequest("POST", url, data=claimed, headers={"Content-Type": TYPE, "x-amz-content-sha256": hashlib.sha256(claimed).hexdigest()})
    S3SigV4Auth(Credentials(person.access_key, person.secret), "s3", "us-east-1").add_auth(request)
    c = http.client.HTTPSConnection("127.0.0.1", person.house.port, context=ssl.create_default_context(cafile=str(person.house.ca)), timeout=30)
    c.request("POST", "/fhir", body=sent, headers=dict(request.headers.items()))
    answer = c.getresponse()
    return answer.status, json.loads(answer.read())


def test_many_at_once(house, feed):
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: send(house, feed, bundle(*(patient() for _ in range(50)))), range(24)))
    assert [status for status, _ in answers] == [200] * 24
    assert all(len(answer["entry"]) == 50 for _, answer in answers)


def test_what_the_server_is(house, feed):
    status, answer = send(house, feed, b"", "/fhir/metadata", "GET", proved=False)
    assert status == 200 and answer["resourceType"] == "CapabilityStatement" and answer["fhirVersion"] == "4.0.1"


# ---- what is refused ----


@pytest.mark.parametrize(("body", "status", "code", "place"), [
    (b"{", 400, "structure", None),
    (b"", 400, "structure", None),
    (b'{"resourceType":"Patient","resourceType":"Patient"}', 400, "structure", None),
    (b'{"id":"a"}', 400, "required", None),
    ({"resourceType": "Zzyzxella"}, 422, "not-supported", None),
    ({"resourceType": "Observation", "id": "a", "code": {"text": "Zzyzxella"}}, 422, "required", None),
    (bundle(patient(), {"resourceType": "Observation", "id": "b", "status": "Zzyzxella", "code": {}}), 422, "value", "Bundle.entry[1].resource.status"),
    (bundle(patient(id="Zzyzxella with blanks")), 422, "value", "Bundle.entry[0].resource.id"),
    ({"resourceType": "Bundle", "type": "Zzyzxella"}, 422, "structure", "Bundle.type"),
    ({"resourceType": "Bundle", "type": "batch", "entry": [{"request": {"method": "GET", "url": "Patient/Zzyzxella"}}]}, 422, "not-supported",
     "Bundle.entry[0].request"),
    (b"[" * 100000, 400, "structure", None),
])
def test_what_is_no_fhir(house, feed, body, status, code, place):
    before = len(landed(house, feed))
    seen = len(house.audit(act="object.commit", who=feed["id"]))
    refused(send(house, feed, body), status, code, place)
    assert len(house.audit(act="object.commit", who=feed["id"])) == seen
    assert len(landed(house, feed)) <= before + 1  # the key was given; nothing was kept under it


def test_paths_and_methods(house, feed):
    refused(send(house, feed, patient(), "/fhir/Zzyzx"), 404, "not-found")
    refused(send(house, feed, patient(), "/fhir/Observation"), 400, "invalid")
    refused(send(house, feed, patient(id="a"), "/fhir/Patient/b", "PUT"), 400, "invalid", "Resource.id")
    refused(send(house, feed, bundle(patient()), "/fhir/Bundle/a/b", "PUT"), 404, "not-found")
    refused(send(house, feed, b"", "/fhir/Patient/a", "GET"), 405, "not-supported")
    refused(send(house, feed, b"", "/fhir/Patient/a", "DELETE"), 405, "not-supported")
    refused(send(house, feed, patient(), "/fhir?identifier=x"), 400, "not-supported")


def test_types_and_conditions(house, feed):
    refused(send(house, feed, b"<Patient/>", kind="application/fhir+xml"), 415, "not-supported")
    refused(send(house, feed, patient(), kind="application/fhir+json; charset=latin1"), 415, "not-supported")
    refused(send(house, feed, patient(), kind="application/fhir+json; fhirVersion=3.0"), 415, "not-supported")
    refused(send(house, feed, patient(), headers=["Content-Encoding: gzip"]), 415, "not-supported")
    for h in ('If-Match: W/"1"', "If-None-Exist: identifier=x", "If-None-Match: *"):
        refused(send(house, feed, patient(), headers=[h]), 400, "not-supported")


def test_who_may_not(house, feed):
    refused(send(house, feed, patient(), proved=False), 401, "login")
    bob = house.people["bob"]  # a researcher delivers nothing
    body = json.dumps(patient()).encode()
    status, answer = signed(bob, body, body)
    assert status == 403 and answer["issue"][0]["code"] == "forbidden"


def test_headers_of_s3_mean_nothing(house, feed):
    """nobody makes what landed public, or tags it with a name"""
    assert send(house, feed, patient(), headers=["x-amz-acl: public-read", f"x-amz-tagging: name={SECRET}", f"x-amz-meta-name: {SECRET}"])[0] == 200


def test_too_large_is_said_before_it_is_sent(house, feed):
    context = ssl.create_default_context(cafile=str(house.ca))
    context.load_cert_chain(feed["words"][1], feed["words"][3])
    with socket.create_connection(("127.0.0.1", house.port), timeout=30) as raw, context.wrap_socket(raw, server_hostname="127.0.0.1") as s:
        s.sendall(f"POST /fhir HTTP/1.1\r\nHost: x\r\nContent-Type: {TYPE}\r\nContent-Length: {64 * 1024 * 1024 + 1}\r\n\r\n".encode())
        assert s.recv(100).startswith(b"HTTP/1.1 413 ")


def test_a_large_document(house, feed):
    """a note of 20 MiB in base64, within the limit"""
    big = {"resourceType": "Binary", "id": word(), "contentType": "text/plain", "data": "QUJD" * (5 * 1024 * 1024)}
    assert send(house, feed, big)[0] == 200


def test_nothing_of_it_is_told(house, feed):
    """neither log nor record holds what the documents hold"""
    send(house, feed, bundle(patient()))
    assert SECRET not in house.log_text()
    assert all(SECRET not in json.dumps(r) for r in house.audit(who=feed["id"]))
