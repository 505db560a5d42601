"""Access that ends, ends at once."""

import time

import pytest
from house import refused, word


@pytest.fixture
def dora(house):
    """a researcher for one test"""
    return house.add("dora-" + word(6), "researcher")


def test_revoked_key(house, dora):
    s3 = dora.client()
    name = "b-" + word()
    s3.create_bucket(Bucket=name)
    second = dora.cli("key", "create")
    dora.cli("key", "revoke", second["access_key"])
    from house import Person
    with refused("InvalidAccessKeyId", "AccessDenied", http=403):
        Person(house, "x", second["access_key"], second["secret"]).client().list_buckets()
    s3.head_bucket(Bucket=name)
    house.people["admin"].cli("key", "revoke", dora.access_key)
    with refused("InvalidAccessKeyId", "AccessDenied", "403", http=403):
        s3.head_bucket(Bucket=name)


def test_revoked_person(house, s3, bucket, dora):
    import json
    s3.put_object(Bucket=bucket, Key="x", Body=b"x")
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"AWS": dora.arn}, "Action": "s3:*", "Resource": [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"]}]}))
    client = dora.client()
    link = client.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "x"})
    assert client.get_object(Bucket=bucket, Key="x")["Body"].read() == b"x"
    house.people["sam"].cli("user", "revoke", dora.name)
    for call in (lambda: client.get_object(Bucket=bucket, Key="x"), lambda: client.put_object(Bucket=bucket, Key="y", Body=b""), client.list_buckets):
        with refused("InvalidAccessKeyId", "AccessDenied", http=403):
            call()
    assert house.http("GET", "/" + link.split("/", 3)[3]).status == 403


def test_running_download_ends(house, s3, bucket, dora):
    import json
    s3.put_object(Bucket=bucket, Key="big", Body=bytes(64 * 1024 * 1024))
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"AWS": dora.arn}, "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{bucket}/*"}]}))
    body = dora.client().get_object(Bucket=bucket, Key="big")["Body"]
    got = len(body.read(1024 * 1024))
    house.people["admin"].cli("user", "revoke", dora.name)
    time.sleep(1)
    with pytest.raises(Exception) as e:
        while data := body.read(1024 * 1024):
            got += len(data)
        assert got < 64 * 1024 * 1024
        raise EOFError
    assert e.type is not AssertionError
    assert got < 48 * 1024 * 1024


def test_a_revoked_name_does_not_come_back(house, dora):
    house.people["admin"].cli("user", "revoke", dora.name)
    done = house.run("user", "add", dora.name, "--role", "researcher", "--state", house.state, "--credentials", house.people["admin"].credentials, status=None)
    assert done.returncode == 7, done


def test_key_with_an_end(house, dora):
    made = dora.cli("key", "create", "--days", "1")
    assert made["expires"]
    for days in ("0", "366", "-1", "x"):
        done = house.run("key", "create", "--days", days, "--state", house.state, "--credentials", dora.credentials, status=None)
        assert done.returncode == 2, (days, done)


def test_a_session_that_has_ended_is_none(house, dora):
    """ended by its owner, by a revocation, or never there: 401 wherever it is shown, and nothing of signatures or of requests that expire"""
    import json

    def asks(token, path="whoami", method="GET"):
        answer = house.http(method, f"/api/{path}", headers={"Authorization": f"Bearer {token}"})
        return answer.status, json.loads(answer.body).get("code") if answer.body.strip() else None

    def login(step):
        body = json.dumps({"name": dora.name, "password": dora.password, "code": dora.code_now(step)}).encode()
        answer = house.http("POST", "/api/session", headers={"Content-Type": "application/json"}, body=body)
        assert answer.status == 200, answer
        return json.loads(answer.body)["token"]

    first, second = login(0), login(1)
    assert asks(first)[0] == 200
    assert asks(first, "status") == (403, "AccessDenied")  # a session, but not the right
    assert asks(first, "session", "DELETE")[0] == 200
    for path in ("whoami", "studies", "status", "audit", "buckets"):
        assert asks(first, path) == (401, "Unauthenticated"), path
        assert asks(first[:-1] + ("a" if first[-1] != "a" else "b"), path) == (401, "Unauthenticated"), path
    assert asks(second)[0] == 200
    house.people["sam"].cli("user", "revoke", dora.name)
    for path in ("whoami", "studies", "status"):
        assert asks(second, path) == (401, "Unauthenticated"), path
