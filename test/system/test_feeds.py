"""A source of data proves itself by its certificate, may put into its landing and nothing else."""

import json
import subprocess

import pytest
from house import Person, refused, word


@pytest.fixture
def feed(house, s3, bucket, tmp_path):
    """(curl's words for this feed, its name); the bucket's policy lets it put"""
    name = "feed-" + word()
    made = house.people["admin"].cli("feed", "add", name, "--out", str(tmp_path / name))
    s3.put_bucket_ownership_controls(Bucket=bucket, OwnershipControls={"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]})
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"AWS": [made["id"]]}, "Action": "s3:*",
         "Resource": [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"]}]}))
    return ["--cert", str(tmp_path / f"{name}.pem"), "--key", str(tmp_path / f"{name}.key")], name


def curl(house, *words):
    """status of the answer; 0: no TLS connection"""
    done = subprocess.run(["curl", "-sS", "--cacert", str(house.ca), "-o", "/dev/null", "-w", "%{http_code}", *words],
                          capture_output=True, text=True, check=False)
    return int(done.stdout or 0)


def test_puts_and_nothing_else(house, s3, bucket, feed):
    certificate, _ = feed
    put = ["-X", "PUT", "--data-binary", "MSH|^~\\&|", f"{house.url}/{bucket}/message-a"]
    assert curl(house, *certificate, *put) == 200
    assert s3.get_object(Bucket=bucket, Key="message-a")["Body"].read() == b"MSH|^~\\&|"
    # its role caps what the policy gives
    assert curl(house, *certificate, f"{house.url}/{bucket}/message-a") == 403
    assert curl(house, *certificate, f"{house.url}/{bucket}") == 403
    assert curl(house, *certificate, "-X", "DELETE", f"{house.url}/{bucket}/message-a") == 403
    assert curl(house, *put) == 403  # the same without a certificate


def test_revoked_at_once(house, bucket, feed):
    certificate, name = feed
    put = [*certificate, "-X", "PUT", "--data-binary", "x", f"{house.url}/{bucket}/message-a"]
    assert curl(house, *put) == 200
    house.people["admin"].cli("user", "revoke", name)
    assert curl(house, *put) == 403


def test_a_stranger_s_certificate(house, s3, bucket, tmp_path):
    """another authority's certificate with a feed's name says nothing"""
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
                    "/CN=feed", "-keyout", str(tmp_path / "key"), "-out", str(tmp_path / "pem")], check=True, capture_output=True)
    words = ["--cert", str(tmp_path / "pem"), "--key", str(tmp_path / "key"), "-X", "PUT", "--data-binary", "x"]
    assert curl(house, *words, f"{house.url}/{bucket}/x") in (0, 403)
    with refused("404"):
        s3.head_object(Bucket=bucket, Key="x")


def test_landing_is_written_below_its_own_name_and_not_read(own_house, tmp_path):
    """by certificate and by key, without any policy of a bucket; nor does anybody else see what lies there"""
    house = own_house()
    s3 = house.people["alice"].client()
    name, neighbour = "feed-" + word(), "feed-" + word()
    for n in (name, neighbour):
        house.people["admin"].cli("feed", "add", n, "--out", str(tmp_path / n))
    certificate = ["--cert", str(tmp_path / f"{name}.pem"), "--key", str(tmp_path / f"{name}.key")]
    key = house.people["admin"].cli("key", "create", name)
    mine = Person(house, name, key["access_key"], key["secret"]).client()
    put = ["-X", "PUT", "--data-binary", "MSH|^~\\&|"]
    assert curl(house, *certificate, *put, f"{house.url}/landing/{name}/a") == 200
    mine.put_object(Bucket="landing", Key=f"{name}/b", Body=b"x")
    for other in (f"{neighbour}/a", name, f"{name}x/a", f"intake/{name}", "a", f"../landing/{name}/a", f"{neighbour}/{name}/a"):
        with refused("AccessDenied", "InvalidArgument"):
            mine.put_object(Bucket="landing", Key=other, Body=b"x")
    for call in (lambda: mine.get_object(Bucket="landing", Key=f"{name}/a"), lambda: mine.head_object(Bucket="landing", Key=f"{name}/b"),
                 lambda: mine.list_objects_v2(Bucket="landing", Prefix=f"{name}/"), lambda: mine.list_object_versions(Bucket="landing"),
                 lambda: mine.delete_object(Bucket="landing", Key=f"{name}/b"),
                 lambda: mine.copy_object(Bucket="landing", Key=f"{name}/c", CopySource=f"landing/{name}/a"),
                 lambda: mine.get_bucket_policy(Bucket="landing"),
                 lambda: s3.list_objects_v2(Bucket="landing"), lambda: s3.get_object(Bucket="landing", Key=f"{name}/a"),
                 lambda: s3.put_object(Bucket="landing", Key=f"{name}/d", Body=b"x")):
        with refused("AccessDenied", "403", http=403):
            call()
    with refused("AccessDenied", "NoSuchBucket"):  # there is one when something has been taken in
        mine.list_objects_v2(Bucket="pool")
