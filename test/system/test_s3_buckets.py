"""Buckets: made, described, listed, removed; and each of their settings."""

import pytest
from botocore.exceptions import ParamValidationError
from house import refused, word
from sigv4 import Signer


def test_life(s3, s3_bob):
    name = "b-" + word()
    assert s3.create_bucket(Bucket=name)["Location"] == f"/{name}"
    assert s3.head_bucket(Bucket=name)["ResponseMetadata"]["HTTPStatusCode"] == 200
    listed = s3.list_buckets()
    assert name in [b["Name"] for b in listed["Buckets"]]
    assert listed["Owner"]["ID"]
    assert name not in [b["Name"] for b in s3_bob.list_buckets()["Buckets"]]
    s3.put_object(Bucket=name, Key="x", Body=b"x")
    with refused("BucketNotEmpty", http=409):
        s3.delete_bucket(Bucket=name)
    s3.delete_object(Bucket=name, Key="x")
    assert s3.delete_bucket(Bucket=name)["ResponseMetadata"]["HTTPStatusCode"] == 204
    with refused("404", http=404):
        s3.head_bucket(Bucket=name)
    with refused("NoSuchBucket", http=404):
        s3.list_objects_v2(Bucket=name)


def test_listing_is_sorted(s3):
    names = sorted("b-" + word() for _ in range(5))
    for n in reversed(names):
        s3.create_bucket(Bucket=n)
    listed = [b["Name"] for b in s3.list_buckets()["Buckets"]]
    assert listed == sorted(listed)
    assert set(names) <= set(listed)


def test_twice(s3, s3_bob, bucket):
    s3.put_object(Bucket=bucket, Key="x", Body=b"x")
    s3.create_bucket(Bucket=bucket)  # in us-east-1 one's own again is no error, and changes nothing
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 1
    with refused("BucketAlreadyExists", http=409):
        s3_bob.create_bucket(Bucket=bucket)


@pytest.mark.parametrize("name", ["ab", "a" * 64, "UPPER", "under_score", "-dash", "dash-", "dot..dot", "192.168.1.1", "xn--abc", "sp ace"])
def test_names_that_are_none(house, alice, name):
    answer = Signer(house, alice).request("PUT", "/" + name.replace(" ", "%20"))
    assert (answer.status, answer.code) == (400, "InvalidBucketName")


@pytest.mark.parametrize("name", ["abc", "a" * 63, "with.dot", "1st"])
def test_names(house, alice, name):
    assert Signer(house, alice).request("PUT", "/" + name).status == 200
    assert Signer(house, alice).request("DELETE", "/" + name).status == 204


def test_nobody_elses(s3_bob, bucket):
    with refused("403", http=403):
        s3_bob.head_bucket(Bucket=bucket)
    with refused("AccessDenied", http=403):
        s3_bob.delete_bucket(Bucket=bucket)
    with refused("AccessDenied", http=403):
        s3_bob.list_objects_v2(Bucket=bucket)


def test_location(s3, bucket):
    assert s3.get_bucket_location(Bucket=bucket)["LocationConstraint"] is None  # us-east-1 is said by saying nothing
    with refused("InvalidLocationConstraint", "IllegalLocationConstraintException", http=400):
        s3.create_bucket(Bucket="b-" + word(), CreateBucketConfiguration={"LocationConstraint": "mars-north-1"})


def test_versioning(s3, bucket):
    assert "Status" not in s3.get_bucket_versioning(Bucket=bucket)
    for status in ("Enabled", "Suspended"):
        s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": status})
        assert s3.get_bucket_versioning(Bucket=bucket)["Status"] == status
    with refused("IllegalVersioningConfigurationException", "MalformedXML", http=400):
        s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Perhaps"})


def test_tagging(s3, bucket):
    with refused("NoSuchTagSet", http=404):
        s3.get_bucket_tagging(Bucket=bucket)
    tags = [{"Key": "study", "Value": "alpha"}, {"Key": "stage", "Value": "raw"}]
    s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": tags})
    assert sorted(s3.get_bucket_tagging(Bucket=bucket)["TagSet"], key=str) == sorted(tags, key=str)
    s3.delete_bucket_tagging(Bucket=bucket)
    with refused("NoSuchTagSet", http=404):
        s3.get_bucket_tagging(Bucket=bucket)


def test_encryption_is_on_and_cannot_be_weakened(s3, bucket):
    rule = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"][0]
    assert rule["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "aws:kms"
    s3.delete_bucket_encryption(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key="x", Body=b"x")
    assert s3.head_object(Bucket=bucket, Key="x")["ServerSideEncryption"] == "aws:kms"


def test_cors(s3, bucket):
    with refused("NoSuchCORSConfiguration", http=404):
        s3.get_bucket_cors(Bucket=bucket)
    rules = [{"AllowedMethods": ["GET"], "AllowedOrigins": ["https://notebook.example"], "AllowedHeaders": ["*"], "MaxAgeSeconds": 60}]
    s3.put_bucket_cors(Bucket=bucket, CORSConfiguration={"CORSRules": rules})
    assert s3.get_bucket_cors(Bucket=bucket)["CORSRules"] == rules
    s3.delete_bucket_cors(Bucket=bucket)
    with refused("NoSuchCORSConfiguration", http=404):
        s3.get_bucket_cors(Bucket=bucket)


@pytest.mark.parametrize("origin,method,allowed", [
    ("https://notebook.example", "GET", True), ("https://evil.example", "GET", False), ("https://notebook.example", "PUT", False),
    ("https://notebook.example.evil.example", "GET", False), ("null", "GET", False)])
def test_cors_preflight(house, s3, bucket, origin, method, allowed):
    rules = [{"AllowedMethods": ["GET"], "AllowedOrigins": ["https://notebook.example"], "AllowedHeaders": ["x-amz-date"]}]
    s3.put_bucket_cors(Bucket=bucket, CORSConfiguration={"CORSRules": rules})
    answer = house.http("OPTIONS", f"/{bucket}/x", {"Origin": origin, "Access-Control-Request-Method": method,
                                                   "Access-Control-Request-Headers": "x-amz-date"})
    if allowed:
        assert answer.status == 200
        assert answer.headers["access-control-allow-origin"] == origin
    else:
        assert answer.status == 403
        assert "access-control-allow-origin" not in answer.headers


def test_cors_never_reflects_with_credentials(house, s3, bucket):
    rules = [{"AllowedMethods": ["GET"], "AllowedOrigins": ["*"]}]
    s3.put_bucket_cors(Bucket=bucket, CORSConfiguration={"CORSRules": rules})
    answer = house.http("OPTIONS", f"/{bucket}/x", {"Origin": "https://evil.example", "Access-Control-Request-Method": "GET"})
    assert answer.headers.get("access-control-allow-origin") == "*"
    assert "access-control-allow-credentials" not in answer.headers


def test_lifecycle(s3, bucket):
    with refused("NoSuchLifecycleConfiguration", http=404):
        s3.get_bucket_lifecycle_configuration(Bucket=bucket)
    rules = [{"ID": "old", "Status": "Enabled", "Filter": {"Prefix": "tmp/"}, "Expiration": {"Days": 30}}]
    try:
        s3.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": rules})
    except s3.exceptions.ClientError as e:
        assert e.response["Error"]["Code"] == "NotImplemented"  # an honest refusal; what would not be carried out is not accepted
        return
    got = s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]
    assert [(r["ID"], r["Status"], r["Expiration"]) for r in got] == [("old", "Enabled", {"Days": 30})]
    s3.delete_bucket_lifecycle(Bucket=bucket)
    with refused("NoSuchLifecycleConfiguration", http=404):
        s3.get_bucket_lifecycle_configuration(Bucket=bucket)


def test_settings_that_are_empty(s3, bucket):
    """clients that look at everything (rclone, terraform) find S3's answer for 'none'"""
    assert "LoggingEnabled" not in s3.get_bucket_logging(Bucket=bucket)
    assert s3.get_bucket_request_payment(Bucket=bucket)["Payer"] == "BucketOwner"
    assert "Status" not in s3.get_bucket_accelerate_configuration(Bucket=bucket)
    assert "TopicConfigurations" not in s3.get_bucket_notification_configuration(Bucket=bucket)
    with refused("NoSuchWebsiteConfiguration", http=404):
        s3.get_bucket_website(Bucket=bucket)
    with refused("ReplicationConfigurationNotFoundError", http=404):
        s3.get_bucket_replication(Bucket=bucket)
    with refused("ObjectLockConfigurationNotFoundError", http=404):
        s3.get_object_lock_configuration(Bucket=bucket)


def test_object_lock_is_never_pretended(s3):
    """a bucket that says it locks must lock; else it is refused"""
    name = "b-" + word()
    try:
        s3.create_bucket(Bucket=name, ObjectLockEnabledForBucket=True)
    except s3.exceptions.ClientError as e:
        assert e.response["Error"]["Code"] == "NotImplemented"
        return
    v = s3.put_object(Bucket=name, Key="x", Body=b"x", ObjectLockMode="COMPLIANCE", ObjectLockRetainUntilDate="2099-01-01")["VersionId"]
    with refused("AccessDenied"):
        s3.delete_object(Bucket=name, Key="x", VersionId=v)


@pytest.mark.parametrize("headers", [{"x-amz-object-lock-mode": "COMPLIANCE", "x-amz-object-lock-retain-until-date": "2099-01-01T00:00:00Z"},
                                     {"x-amz-object-lock-legal-hold": "ON"}])
def test_lock_on_a_bucket_without(house, alice, s3, bucket, headers):
    answer = Signer(house, alice).request("PUT", f"/{bucket}/x", b"x", headers=headers)
    assert answer.status in (400, 501)
    with refused("404"):
        s3.head_object(Bucket=bucket, Key="x")


def test_no_such_bucket_everywhere(s3):
    name = "no-" + word()
    for call in (lambda: s3.put_object(Bucket=name, Key="x", Body=b""), lambda: s3.get_object(Bucket=name, Key="x"),
                 lambda: s3.delete_object(Bucket=name, Key="x"), lambda: s3.list_objects(Bucket=name),
                 lambda: s3.list_object_versions(Bucket=name), lambda: s3.list_multipart_uploads(Bucket=name),
                 lambda: s3.get_bucket_acl(Bucket=name), lambda: s3.create_multipart_upload(Bucket=name, Key="x"),
                 lambda: s3.delete_bucket(Bucket=name), lambda: s3.get_bucket_location(Bucket=name)):
        with refused("NoSuchBucket", http=404):
            call()


def test_param_validation_is_the_clients(s3):
    """keeps the suite honest: what boto3 refuses itself never reached us"""
    with pytest.raises(ParamValidationError):
        s3.create_bucket(Bucket="not a name")
