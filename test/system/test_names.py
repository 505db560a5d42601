"""Names carry no identifiers of people: keys, metadata, tags, bucket names are refused, and the answer does not repeat them."""

import pytest
from house import refused, word
from sigv4 import Signer

SSN = "123-45-6789"
REFUSED = {
    "ssn": "scans/123-45-6789.pdf", "ssn encoded": "scans/123%2D45%2D6789.pdf", "mrn": "MRN_00123/x", "phone": "call-(555) 123-4567", "email": "jane.doe@example.com/x",
    "birth": "dob_1980-02-03", "person": "patient_john_doe.pdf", "mbi": "1EG4-TE5-MK73", "address": "addr=742-evergreen-terrace", "full-width": "１２３-４５-６７８９",
}
PASSED = ["2026/11/22/part-0001.parquet", "patients/part-0001", "data/3f0c2d6e-7b1a-4b0e-9a70-5d9b9f5d1c11", "pkg@1.2.3", "year=2024/month=01", "users/john_smith/2024-01-15/"]


@pytest.mark.parametrize("kind", REFUSED)
def test_key(s3, bucket, kind):
    with pytest.raises(s3.exceptions.ClientError) as e:
        s3.put_object(Bucket=bucket, Key=REFUSED[kind], Body=b"x")
    assert (e.value.response["Error"]["Code"], e.value.response["ResponseMetadata"]["HTTPStatusCode"]) == ("InvalidArgument", 400)
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0


def test_the_answer_names_the_rule_and_not_the_value(house, alice, bucket):
    answer = Signer(house, alice).request("PUT", f"/{bucket}/{SSN}", b"x")
    assert answer.code == "InvalidArgument"
    assert "ssn" in answer.text.lower()
    assert SSN not in answer.text
    assert SSN not in house.log_text()


@pytest.mark.parametrize("key", PASSED)
def test_key_passes(s3, bucket, key):
    s3.put_object(Bucket=bucket, Key=key, Body=b"x")


@pytest.mark.parametrize("more", [{"Metadata": {"note": SSN}}, {"Metadata": {"mrn-00123": "x"}}, {"Tagging": f"a={SSN}"}, {"Tagging": "dob_1980-02-03=x"}])
def test_metadata_and_tags(s3, bucket, more):
    with refused("InvalidArgument", http=400):
        s3.put_object(Bucket=bucket, Key="x", Body=b"x", **more)
    with refused("404"):
        s3.head_object(Bucket=bucket, Key="x")


def test_every_way_in(s3, bucket):
    """whatever makes a name"""
    s3.put_object(Bucket=bucket, Key="x", Body=b"x")
    bad = REFUSED["ssn"]
    for call in (lambda: s3.copy_object(Bucket=bucket, Key=bad, CopySource={"Bucket": bucket, "Key": "x"}),
                 lambda: s3.copy_object(Bucket=bucket, Key="y", CopySource={"Bucket": bucket, "Key": "x"}, MetadataDirective="REPLACE", Metadata={"a": SSN}),
                 lambda: s3.create_multipart_upload(Bucket=bucket, Key=bad), lambda: s3.create_multipart_upload(Bucket=bucket, Key="y", Metadata={"a": SSN}),
                 lambda: s3.create_multipart_upload(Bucket=bucket, Key="y", Tagging=f"a={SSN}"),
                 lambda: s3.put_object_tagging(Bucket=bucket, Key="x", Tagging={"TagSet": [{"Key": "a", "Value": SSN}]}),
                 lambda: s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": [{"Key": "a", "Value": SSN}]}),
                 lambda: s3.copy_object(Bucket=bucket, Key="y", CopySource={"Bucket": bucket, "Key": "x"}, TaggingDirective="REPLACE", Tagging=f"a={SSN}")):
        with refused("InvalidArgument", http=400):
            call()


def test_bucket_names(s3):
    with refused("InvalidArgument", "InvalidBucketName", http=400):
        s3.create_bucket(Bucket="mrn-" + "0012345")


def test_reading_is_not_checked(s3, bucket):
    """a refused name is simply not there"""
    with refused("NoSuchKey"):
        s3.get_object(Bucket=bucket, Key=REFUSED["ssn"])
    assert s3.list_objects_v2(Bucket=bucket, Prefix=SSN)["KeyCount"] == 0
    s3.delete_object(Bucket=bucket, Key=REFUSED["ssn"])


def test_rules_switched_off_for_a_bucket(house, alice, s3, bucket):
    with refused("InvalidArgument"):
        s3.put_object(Bucket=bucket, Key="patient_00017", Body=b"x")
    alice.cli("bucket", "rules", bucket, "--off", "mrn")
    s3.put_object(Bucket=bucket, Key="patient_00017", Body=b"x")
    with refused("InvalidArgument"):
        s3.put_object(Bucket=bucket, Key=SSN, Body=b"x")
    alice.cli("bucket", "rules", bucket, "--all-on")
    with refused("InvalidArgument"):
        s3.put_object(Bucket=bucket, Key="patient_00018", Body=b"x")


def test_only_the_owner_switches(house, bob, bucket):
    done = house.run("bucket", "rules", bucket, "--off", "mrn", "--state", house.state, "--credentials", bob.credentials, status=None)
    assert done.returncode == 5, done


def test_upper_and_folded(s3, bucket):
    for key in ("Ｍｒｎ-００１２３", "PATIENT_ID=12345", "ssn" + "123456789"):
        with refused("InvalidArgument"):
            s3.put_object(Bucket=bucket, Key=key, Body=b"")
    s3.put_object(Bucket=bucket, Key=word(), Body=b"")
