"""Object lock: retention, legal hold, defaults, and who may pass by them."""

import datetime
import json
import time

import pytest
from house import refused, word

UTC = datetime.timezone.utc


def year(n):
    return datetime.datetime(n, 1, 1, tzinfo=UTC)


@pytest.fixture
def lockable(s3):
    name = "b-" + word()
    s3.create_bucket(Bucket=name, ObjectLockEnabledForBucket=True)
    return name


def rule(s3, bucket, **retention):
    s3.put_object_lock_configuration(Bucket=bucket, ObjectLockConfiguration={
        "ObjectLockEnabled": "Enabled", "Rule": {"DefaultRetention": retention}})


def retain(s3, bucket, mode, until, **more):
    s3.put_object_retention(Bucket=bucket, Key="x", Retention={"Mode": mode, "RetainUntilDate": until}, **more)


def put(s3, bucket, **more):
    return s3.put_object(Bucket=bucket, Key="x", Body=b"x", **more)["VersionId"]


def test_configuration(s3, lockable):
    assert s3.get_bucket_versioning(Bucket=lockable)["Status"] == "Enabled"
    assert s3.get_object_lock_configuration(Bucket=lockable)["ObjectLockConfiguration"] == {"ObjectLockEnabled": "Enabled"}
    rule(s3, lockable, Mode="GOVERNANCE", Days=3)
    rule(s3, lockable, Mode="COMPLIANCE", Years=2)
    got = s3.get_object_lock_configuration(Bucket=lockable)["ObjectLockConfiguration"]["Rule"]["DefaultRetention"]
    assert got == {"Mode": "COMPLIANCE", "Years": 2}
    with refused("InvalidBucketState", http=409):
        s3.put_bucket_versioning(Bucket=lockable, VersioningConfiguration={"Status": "Suspended"})


@pytest.mark.parametrize("retention, code", [
    ({"Mode": "GOVERNANCE", "Days": 1, "Years": 1}, "MalformedXML"), ({"Mode": "GOVERNANCE"}, "MalformedXML"),
    ({"Mode": "governance", "Days": 1}, "MalformedXML"), ({"Mode": "GOVERNANCE", "Days": 0}, "InvalidRetentionPeriod"),
    ({"Mode": "GOVERNANCE", "Years": -1}, "InvalidRetentionPeriod"), ({"Mode": "GOVERNANCE", "Days": 36501}, "InvalidRetentionPeriod")])
def test_wrong_configurations(s3, lockable, retention, code):
    with refused(code, http=400):
        rule(s3, lockable, **retention)


def test_a_bucket_without_locks(s3, bucket):
    s3.put_object(Bucket=bucket, Key="x", Body=b"x")
    with refused("InvalidBucketState", http=409):
        rule(s3, bucket, Mode="GOVERNANCE", Days=1)
    with refused("ObjectLockConfigurationNotFoundError"):
        s3.get_object_lock_configuration(Bucket=bucket)
    with refused("InvalidRequest"):
        retain(s3, bucket, "GOVERNANCE", year(2040))
    with refused("InvalidRequest"):
        s3.put_object_legal_hold(Bucket=bucket, Key="x", LegalHold={"Status": "ON"})
    with refused("InvalidRequest"):
        s3.put_object(Bucket=bucket, Key="x", Body=b"x", ObjectLockLegalHoldStatus="ON")


def test_governance(s3, lockable):
    version = put(s3, lockable)
    with refused("NoSuchObjectLockConfiguration"):
        s3.get_object_retention(Bucket=lockable, Key="x")
    retain(s3, lockable, "GOVERNANCE", year(2040))
    assert s3.get_object_retention(Bucket=lockable, Key="x")["Retention"] == {"Mode": "GOVERNANCE", "RetainUntilDate": year(2040)}
    retain(s3, lockable, "GOVERNANCE", year(2041))
    for mode, until in (("GOVERNANCE", year(2040)), ("COMPLIANCE", year(2042))):
        with refused("AccessDenied"):
            retain(s3, lockable, mode, until)
    with refused("AccessDenied"):
        s3.delete_object(Bucket=lockable, Key="x", VersionId=version)
    assert s3.delete_object(Bucket=lockable, Key="x")["DeleteMarker"]
    with refused("AccessDenied"):
        s3.delete_object(Bucket=lockable, Key="x", VersionId=version)
    s3.delete_object(Bucket=lockable, Key="x", VersionId=version, BypassGovernanceRetention=True)
    with refused("NoSuchVersion"):
        s3.get_object(Bucket=lockable, Key="x", VersionId=version)


def test_compliance_ends_by_time_alone(s3, lockable):
    version = put(s3, lockable, ObjectLockMode="COMPLIANCE", ObjectLockRetainUntilDate=datetime.datetime.now(UTC) + datetime.timedelta(seconds=3))
    with refused("AccessDenied"):
        s3.delete_object(Bucket=lockable, Key="x", VersionId=version, BypassGovernanceRetention=True)
    with refused("AccessDenied"):
        retain(s3, lockable, "GOVERNANCE", year(2040), BypassGovernanceRetention=True)
    time.sleep(3.2)
    s3.delete_object(Bucket=lockable, Key="x", VersionId=version)


def test_legal_hold(s3, lockable):
    version = put(s3, lockable, ObjectLockLegalHoldStatus="ON")
    assert s3.head_object(Bucket=lockable, Key="x")["ObjectLockLegalHoldStatus"] == "ON"
    with refused("AccessDenied"):
        s3.delete_object(Bucket=lockable, Key="x", VersionId=version, BypassGovernanceRetention=True)
    with refused("MalformedXML"):
        s3.put_object_legal_hold(Bucket=lockable, Key="x", LegalHold={"Status": "off"})
    s3.put_object_legal_hold(Bucket=lockable, Key="x", LegalHold={"Status": "OFF"})
    assert s3.get_object_legal_hold(Bucket=lockable, Key="x")["LegalHold"]["Status"] == "OFF"
    s3.delete_object(Bucket=lockable, Key="x", VersionId=version)


def test_labels_do_not_take_a_lock_away(s3, lockable):
    version = put(s3, lockable, ObjectLockMode="GOVERNANCE", ObjectLockRetainUntilDate=year(2040), ObjectLockLegalHoldStatus="ON")
    s3.put_object_tagging(Bucket=lockable, Key="x", Tagging={"TagSet": [{"Key": "a", "Value": "b"}]})
    s3.put_object_acl(Bucket=lockable, Key="x", ACL="authenticated-read")
    head = s3.head_object(Bucket=lockable, Key="x")
    assert (head["ObjectLockMode"], head["ObjectLockRetainUntilDate"], head["ObjectLockLegalHoldStatus"]) == ("GOVERNANCE", year(2040), "ON")
    with refused("AccessDenied"):
        s3.delete_object(Bucket=lockable, Key="x", VersionId=version, BypassGovernanceRetention=True)


def test_default_is_for_all_that_is_new(s3, lockable):
    rule(s3, lockable, Mode="GOVERNANCE", Days=2)
    put(s3, lockable)
    s3.copy_object(Bucket=lockable, Key="copy", CopySource={"Bucket": lockable, "Key": "x"})
    upload = s3.create_multipart_upload(Bucket=lockable, Key="parts")["UploadId"]
    etag = s3.upload_part(Bucket=lockable, Key="parts", UploadId=upload, PartNumber=1, Body=b"x")["ETag"]
    s3.complete_multipart_upload(Bucket=lockable, Key="parts", UploadId=upload, MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": etag}]})
    soon, late = (datetime.datetime.now(UTC) + datetime.timedelta(days=d) for d in (1.9, 2.1))
    for key in ("x", "copy", "parts"):
        got = s3.get_object_retention(Bucket=lockable, Key=key)["Retention"]
        assert got["Mode"] == "GOVERNANCE" and soon < got["RetainUntilDate"] < late


def test_many_at_once(s3, lockable):
    locked = put(s3, lockable, ObjectLockMode="GOVERNANCE", ObjectLockRetainUntilDate=year(2040))
    free = s3.put_object(Bucket=lockable, Key="y", Body=b"y")["VersionId"]
    which = {"Objects": [{"Key": "x", "VersionId": locked}, {"Key": "y", "VersionId": free}]}
    done = s3.delete_objects(Bucket=lockable, Delete=which)
    assert [d["Key"] for d in done["Deleted"]] == ["y"] and [(e["Key"], e["Code"]) for e in done["Errors"]] == [("x", "AccessDenied")]
    assert "Errors" not in s3.delete_objects(Bucket=lockable, Delete=which, BypassGovernanceRetention=True)


def test_leave_to_delete_is_none_to_bypass(s3, s3_bob, lockable):
    version = put(s3, lockable, ObjectLockMode="GOVERNANCE", ObjectLockRetainUntilDate=year(2040))
    s3.put_bucket_policy(Bucket=lockable, Policy=json.dumps({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": "*", "Action": ["s3:DeleteObjectVersion", "s3:PutObject"], "Resource": f"arn:aws:s3:::{lockable}/*"}]}))
    with refused("AccessDenied"):
        s3_bob.delete_object(Bucket=lockable, Key="x", VersionId=version, BypassGovernanceRetention=True)
    assert s3_bob.delete_objects(Bucket=lockable, Delete={"Objects": [{"Key": "x", "VersionId": version}]},
                                 BypassGovernanceRetention=True)["Errors"][0]["Code"] == "AccessDenied"
    with refused("AccessDenied"):
        s3_bob.put_object(Bucket=lockable, Key="y", Body=b"y", ObjectLockMode="GOVERNANCE", ObjectLockRetainUntilDate=year(2040))
    s3_bob.put_object(Bucket=lockable, Key="y", Body=b"y")


def test_retention_goes_before_destruction(house, s3):
    admin, name, bucket = house.people["admin"], "domain-" + word(), "b-" + word()
    admin.cli("domain", "create", name)
    s3.meta.events.register("before-sign.s3.CreateBucket", lambda request, **_: request.headers.add_header("x-cloister-domain", name),
                            unique_id="domain")
    try:
        s3.create_bucket(Bucket=bucket, ObjectLockEnabledForBucket=True)
    finally:
        s3.meta.events.unregister("before-sign.s3.CreateBucket", unique_id="domain")
    put(s3, bucket, ObjectLockLegalHoldStatus="ON")
    with pytest.raises(AssertionError, match=f"cloister domain destroy {name}"):
        admin.cli("domain", "destroy", name, "--confirm", name)
    assert s3.get_object(Bucket=bucket, Key="x")["Body"].read() == b"x"
    s3.put_object_legal_hold(Bucket=bucket, Key="x", LegalHold={"Status": "OFF"})
    admin.cli("domain", "destroy", name, "--confirm", name)  # the first of two consents
