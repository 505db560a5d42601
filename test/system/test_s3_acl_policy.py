"""Who may use a bucket: ownership, ACLs, bucket policies, and what they can never give."""

import json

import pytest
from house import refused, word
from sigv4 import Signer


def allow(bucket, principal, actions, resource="/*", effect="Allow", **more):
    return {"Effect": effect, "Principal": principal if isinstance(principal, str) else {"AWS": [p.arn for p in principal]},
            "Action": actions, "Resource": f"arn:aws:s3:::{bucket}{resource}"} | more


def policy(s3, bucket, *statements):
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": list(statements)}))


# ---- policies ----

def test_policy_life(s3, bucket, bob):
    with refused("NoSuchBucketPolicy", http=404):
        s3.get_bucket_policy(Bucket=bucket)
    policy(s3, bucket, allow(bucket, [bob], "s3:GetObject"))
    assert json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"])["Statement"][0]["Action"] == "s3:GetObject"
    assert s3.get_bucket_policy_status(Bucket=bucket)["PolicyStatus"]["IsPublic"] is False
    s3.delete_bucket_policy(Bucket=bucket)
    with refused("NoSuchBucketPolicy", http=404):
        s3.get_bucket_policy(Bucket=bucket)


def test_policy_gives_what_it_says_and_no_more(s3, s3_bob, s3_carol, bucket, bob):
    s3.put_object(Bucket=bucket, Key="in/x", Body=b"x")
    s3.put_object(Bucket=bucket, Key="out/x", Body=b"x")
    policy(s3, bucket, allow(bucket, [bob], "s3:GetObject", "/in/*"))
    assert s3_bob.get_object(Bucket=bucket, Key="in/x")["Body"].read() == b"x"
    for call in (lambda: s3_bob.get_object(Bucket=bucket, Key="out/x"), lambda: s3_bob.put_object(Bucket=bucket, Key="in/x", Body=b"y"),
                 lambda: s3_bob.delete_object(Bucket=bucket, Key="in/x"), lambda: s3_bob.list_objects_v2(Bucket=bucket),
                 lambda: s3_bob.get_object_tagging(Bucket=bucket, Key="in/x"), lambda: s3_bob.get_object_acl(Bucket=bucket, Key="in/x"),
                 lambda: s3_bob.get_bucket_policy(Bucket=bucket), lambda: s3_carol.get_object(Bucket=bucket, Key="in/x")):
        with refused("AccessDenied", http=403):
            call()
    s3.delete_bucket_policy(Bucket=bucket)
    with refused("AccessDenied", http=403):
        s3_bob.get_object(Bucket=bucket, Key="in/x")


def test_deny_beats_allow(s3, s3_bob, bucket, bob):
    s3.put_object(Bucket=bucket, Key="x", Body=b"x")
    policy(s3, bucket, allow(bucket, [bob], "s3:*"), allow(bucket, [bob], "s3:DeleteObject", effect="Deny"))
    assert s3_bob.get_object(Bucket=bucket, Key="x")["Body"].read() == b"x"
    with refused("AccessDenied", http=403):
        s3_bob.delete_object(Bucket=bucket, Key="x")


def test_a_policy_that_only_denies_allows_nothing(s3, s3_bob, s3_carol, bucket, bob):
    s3.put_object(Bucket=bucket, Key="x", Body=b"x")
    policy(s3, bucket, allow(bucket, [bob], "s3:GetObject", effect="Deny"))
    for client in (s3_bob, s3_carol):
        with refused("AccessDenied", http=403):
            client.get_object(Bucket=bucket, Key="x")
        with refused("AccessDenied", http=403):
            client.put_object(Bucket=bucket, Key="y", Body=b"")


def test_not_action_and_not_resource(s3, s3_bob, bucket, bob):
    s3.put_object(Bucket=bucket, Key="x", Body=b"x")
    s3.put_object(Bucket=bucket, Key="private/x", Body=b"x")
    statement = allow(bucket, [bob], "s3:DeleteObject")
    statement["NotAction"] = statement.pop("Action")
    policy(s3, bucket, statement, {"Effect": "Deny", "Principal": "*", "Action": "s3:GetObject",
                                   "NotResource": f"arn:aws:s3:::{bucket}/x", "Condition": {"StringEquals": {"aws:PrincipalArn": bob.arn}}})
    assert s3_bob.get_object(Bucket=bucket, Key="x")["Body"].read() == b"x"
    with refused("AccessDenied"):
        s3_bob.delete_object(Bucket=bucket, Key="x")
    with refused("AccessDenied"):
        s3_bob.get_object(Bucket=bucket, Key="private/x")


def test_wildcards(s3, s3_bob, bucket, bob):
    for key in ("a1", "a2b", "b1"):
        s3.put_object(Bucket=bucket, Key=key, Body=b"x")
    policy(s3, bucket, allow(bucket, [bob], "s3:Get*", "/a?"))
    assert s3_bob.get_object(Bucket=bucket, Key="a1")["Body"].read() == b"x"
    for key in ("a2b", "b1"):
        with refused("AccessDenied"):
            s3_bob.get_object(Bucket=bucket, Key=key)


def test_listing_with_a_prefix_condition(s3, s3_bob, bucket, bob):
    s3.put_object(Bucket=bucket, Key="mine/x", Body=b"x")
    policy(s3, bucket, allow(bucket, [bob], "s3:ListBucket", "", Condition={"StringLike": {"s3:prefix": "mine/*"}}))
    assert s3_bob.list_objects_v2(Bucket=bucket, Prefix="mine/")["KeyCount"] == 1
    for more in ({}, {"Prefix": ""}, {"Prefix": "other/"}, {"Prefix": "min"}):
        with refused("AccessDenied"):
            s3_bob.list_objects_v2(Bucket=bucket, **more)


@pytest.mark.parametrize("condition,allowed", [
    ({"IpAddress": {"aws:SourceIp": "127.0.0.0/8"}}, True), ({"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}, False),
    ({"NotIpAddress": {"aws:SourceIp": "127.0.0.1"}}, False), ({"Bool": {"aws:SecureTransport": "true"}}, True),
    ({"Bool": {"aws:SecureTransport": "false"}}, False), ({"DateLessThan": {"aws:CurrentTime": "2001-01-01T00:00:00Z"}}, False),
    ({"DateGreaterThan": {"aws:CurrentTime": "2001-01-01T00:00:00Z"}}, True), ({"StringEquals": {"s3:signatureversion": "AWS4-HMAC-SHA256"}}, True),
    ({"StringEquals": {"s3:authType": "REST-QUERY-STRING"}}, False), ({"Null": {"aws:SourceIp": "true"}}, False)])
def test_conditions(s3, s3_bob, bucket, bob, condition, allowed):
    s3.put_object(Bucket=bucket, Key="x", Body=b"x")
    policy(s3, bucket, allow(bucket, [bob], "s3:GetObject", Condition=condition))
    if allowed:
        assert s3_bob.get_object(Bucket=bucket, Key="x")["Body"].read() == b"x"
    else:
        with refused("AccessDenied", http=403):
            s3_bob.get_object(Bucket=bucket, Key="x")


def test_condition_on_the_objects_tag(s3, s3_bob, bucket, bob):
    s3.put_object(Bucket=bucket, Key="open", Body=b"x", Tagging="level=open")
    s3.put_object(Bucket=bucket, Key="closed", Body=b"x", Tagging="level=closed")
    policy(s3, bucket, allow(bucket, [bob], "s3:GetObject", Condition={"StringEquals": {"s3:ExistingObjectTag/level": "open"}}))
    assert s3_bob.get_object(Bucket=bucket, Key="open")["Body"].read() == b"x"
    with refused("AccessDenied"):
        s3_bob.get_object(Bucket=bucket, Key="closed")


@pytest.mark.parametrize("header", ["X-Forwarded-For", "X-Real-IP", "Forwarded", "aws:SourceIp", "x-amz-source-ip", "CF-Connecting-IP", "True-Client-IP"])
def test_context_is_not_set_by_headers(house, s3, bob, bucket, header):
    s3.put_object(Bucket=bucket, Key="x", Body=b"x")
    policy(s3, bucket, allow(bucket, [bob], "s3:GetObject", Condition={"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}))
    if ":" in header:
        return_ = house.http("GET", f"/{bucket}/x?{header}=10.0.0.1")
    else:
        return_ = Signer(house, bob).request("GET", f"/{bucket}/x", headers={header: "for=10.0.0.1" if header == "Forwarded" else "10.0.0.1"})
    assert (return_.status, return_.code) == (403, "AccessDenied")


@pytest.mark.parametrize("query", [("aws:SourceIp", "10.0.0.1"), ("s3:ExistingObjectTag/level", "open"), ("aws:PrincipalArn", "x")])
def test_context_is_not_set_by_queries(house, s3, bob, bucket, query):
    s3.put_object(Bucket=bucket, Key="x", Body=b"x", Tagging="level=closed")
    policy(s3, bucket, allow(bucket, [bob], "s3:GetObject", Condition={"StringEquals": {query[0]: query[1]}}) if query[0] != "aws:SourceIp"
           else allow(bucket, [bob], "s3:GetObject", Condition={"IpAddress": {"aws:SourceIp": "10.0.0.1"}}))
    assert Signer(house, bob).request("GET", f"/{bucket}/x", query=[query]).status == 403


@pytest.mark.parametrize("text", [
    "", "{", "[]", '{"Statement": []}', '{"Version": "1999-01-01", "Statement": []}', "null",
    '{"Version": "2012-10-17", "Statement": [{"Effect": "Perhaps", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::B/*"}]}',
    '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "ec2:Run", "Resource": "arn:aws:s3:::B/*"}]}',
    '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::another/*"}]}',
    '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::B/*"}]}',
    '{"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::B/*", '
    '"Condition": {"StringEqualz": {"aws:SourceIp": "x"}}}]}',
    '{"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::B/*", '
    '"Condition": {"StringEquals": {"aws:Invented": "x"}}}]}',
    '{"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Principle": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::B/*"}]}'])
def test_policies_that_are_none(house, alice, s3, bucket, text):
    """what is not understood is not accepted: a misspelt Deny would allow"""
    answer = Signer(house, alice).request("PUT", f"/{bucket}", text.replace("B/", bucket + "/").encode(), query=[("policy", "")])
    assert answer.status == 400
    assert answer.code in ("MalformedPolicy", "MissingRequestBodyError", "InvalidRequest")
    with refused("NoSuchBucketPolicy"):
        s3.get_bucket_policy(Bucket=bucket)


def test_policy_too_large(s3, bucket, bob):
    with refused("MalformedPolicy", "EntityTooLarge", "PolicyTooLarge", http=400):
        policy(s3, bucket, *[allow(bucket, [bob], "s3:GetObject", f"/{word(200)}/*") for _ in range(70)])


def test_owner_is_not_locked_out_by_policy(s3, bucket):
    """as in S3: the owner can always take a policy away"""
    policy(s3, bucket, {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"]})
    with refused("AccessDenied"):
        s3.put_object(Bucket=bucket, Key="x", Body=b"")
    s3.delete_bucket_policy(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key="x", Body=b"")


# ---- ACLs ----

@pytest.fixture
def acl_bucket(s3):
    name = "b-" + word()
    s3.create_bucket(Bucket=name, ObjectOwnership="ObjectWriter")
    return name


def grantees(answer):
    return sorted((g["Grantee"].get("ID") or g["Grantee"].get("URI"), g["Permission"]) for g in answer["Grants"])


def test_default_acl(s3, acl_bucket):
    got = s3.get_bucket_acl(Bucket=acl_bucket)
    assert grantees(got) == [(got["Owner"]["ID"], "FULL_CONTROL")]
    s3.put_object(Bucket=acl_bucket, Key="x", Body=b"x")
    got = s3.get_object_acl(Bucket=acl_bucket, Key="x")
    assert grantees(got) == [(got["Owner"]["ID"], "FULL_CONTROL")]


def test_grant_to_a_person(s3, s3_bob, s3_carol, acl_bucket, bob):
    bob_id = s3_bob.list_buckets()["Owner"]["ID"]
    s3.put_object(Bucket=acl_bucket, Key="x", Body=b"x", GrantRead=f'id="{bob_id}"')
    assert s3_bob.get_object(Bucket=acl_bucket, Key="x")["Body"].read() == b"x"
    with refused("AccessDenied"):
        s3_bob.put_object(Bucket=acl_bucket, Key="x", Body=b"y")
    with refused("AccessDenied"):
        s3_bob.get_object_acl(Bucket=acl_bucket, Key="x")
    with refused("AccessDenied"):
        s3_carol.get_object(Bucket=acl_bucket, Key="x")
    s3.put_object_acl(Bucket=acl_bucket, Key="x", ACL="private")
    with refused("AccessDenied"):
        s3_bob.get_object(Bucket=acl_bucket, Key="x")


def test_bucket_grants(s3, s3_bob, acl_bucket):
    bob_id = s3_bob.list_buckets()["Owner"]["ID"]
    s3.put_bucket_acl(Bucket=acl_bucket, GrantRead=f"id={bob_id}")
    assert s3_bob.list_objects_v2(Bucket=acl_bucket)["KeyCount"] == 0
    with refused("AccessDenied"):
        s3_bob.put_object(Bucket=acl_bucket, Key="x", Body=b"")
    s3.put_bucket_acl(Bucket=acl_bucket, GrantWrite=f"id={bob_id}")
    s3_bob.put_object(Bucket=acl_bucket, Key="x", Body=b"bob's")
    with refused("AccessDenied"):
        s3_bob.list_objects_v2(Bucket=acl_bucket)
    assert s3_bob.get_object(Bucket=acl_bucket, Key="x")["Body"].read() == b"bob's"  # his object: ObjectWriter
    with refused("AccessDenied"):
        s3.get_object(Bucket=acl_bucket, Key="x")


def test_bucket_owner_full_control(s3, s3_bob, acl_bucket):
    bob_id = s3_bob.list_buckets()["Owner"]["ID"]
    s3.put_bucket_acl(Bucket=acl_bucket, GrantWrite=f"id={bob_id}")
    s3_bob.put_object(Bucket=acl_bucket, Key="x", Body=b"for both", ACL="bucket-owner-full-control")
    assert s3.get_object(Bucket=acl_bucket, Key="x")["Body"].read() == b"for both"


def test_authenticated_users_group(house, s3, s3_bob, acl_bucket):
    try:
        s3.put_object(Bucket=acl_bucket, Key="x", Body=b"x", ACL="authenticated-read")
    except s3.exceptions.ClientError as e:  # the house may forbid anything that wide
        assert e.response["Error"]["Code"] == "AccessDenied"
        return
    assert house.http("GET", f"/{acl_bucket}/x").status == 403


@pytest.mark.parametrize("headers,error", [
    ({"x-amz-acl": "public-everything"}, ("InvalidArgument",)),
    ({"x-amz-grant-read": 'id="nobody-at-all"'}, ("InvalidArgument",)),
    ({"x-amz-grant-read": 'emailAddress="nobody@nowhere.example"'}, ("UnresolvableGrantByEmailAddress",)),
    ({"x-amz-grant-read": 'uri="http://acs.amazonaws.com/groups/global/Everyone"'}, ("InvalidArgument",)),
    ({"x-amz-grant-read": "garbage"}, ("InvalidArgument",)),
    ({"x-amz-acl": "private", "x-amz-grant-read": 'id="x"'}, ("InvalidRequest",))])
def test_acls_that_are_none(house, alice, s3, acl_bucket, headers, error):
    answer = Signer(house, alice).request("PUT", f"/{acl_bucket}/x", b"x", headers=headers)
    assert (answer.status, answer.code) in [(400, e) for e in error]
    with refused("404"):
        s3.head_object(Bucket=acl_bucket, Key="x")


@pytest.mark.parametrize("xml", [b"", b"<AccessControlPolicy/>", b"not xml", b"<AccessControlPolicy><Owner><ID>x</ID></Owner></AccessControlPolicy>",
                                 b"<A><B></A></B>", b'<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/passwd">]><AccessControlPolicy>&e;</AccessControlPolicy>'])
def test_acl_documents_that_are_none(house, alice, acl_bucket, xml):
    answer = Signer(house, alice).request("PUT", f"/{acl_bucket}", xml, query=[("acl", "")])
    assert answer.status == 400
    assert answer.code in ("MalformedACLError", "MalformedXML", "MissingSecurityHeader", "InvalidArgument", "MissingRequestBodyError", "AccessDenied")
    assert "root:" not in answer.text


def test_ownership_enforced_switches_acls_off(s3, s3_bob, bucket):
    s3.put_bucket_ownership_controls(Bucket=bucket, OwnershipControls={"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]})
    got = s3.get_bucket_ownership_controls(Bucket=bucket)["OwnershipControls"]["Rules"]
    assert got == [{"ObjectOwnership": "BucketOwnerEnforced"}]
    bob_id = s3_bob.list_buckets()["Owner"]["ID"]
    with refused("AccessControlListNotSupported", http=400):
        s3.put_object(Bucket=bucket, Key="x", Body=b"x", GrantRead=f"id={bob_id}")
    with refused("AccessControlListNotSupported", http=400):
        s3.put_bucket_acl(Bucket=bucket, GrantRead=f"id={bob_id}")
    s3.put_object(Bucket=bucket, Key="x", Body=b"x", ACL="bucket-owner-full-control")
    # without a word about ACLs, everything is written as ever
    s3.put_object(Bucket=bucket, Key="x", Body=b"x")
    s3.copy_object(Bucket=bucket, Key="y", CopySource={"Bucket": bucket, "Key": "x"})
    upload = s3.create_multipart_upload(Bucket=bucket, Key="z")["UploadId"]
    etag = s3.upload_part(Bucket=bucket, Key="z", UploadId=upload, PartNumber=1, Body=b"z")["ETag"]
    s3.complete_multipart_upload(Bucket=bucket, Key="z", UploadId=upload, MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": etag}]})


# ---- public access ----

def test_a_new_bucket_is_private(house, s3, bucket):
    """no block stands in the owner's way, and nothing is open until the owner opens it"""
    s3.put_object(Bucket=bucket, Key="x", Body=b"private")
    assert house.http("GET", f"/{bucket}/x").status == 403
    assert house.http("GET", f"/{bucket}").status == 403
    with refused("NoSuchPublicAccessBlockConfiguration", http=404):
        s3.get_public_access_block(Bucket=bucket)


def test_public_access_block(s3, acl_bucket):
    block = dict.fromkeys(("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True)
    s3.put_public_access_block(Bucket=acl_bucket, PublicAccessBlockConfiguration=block)
    assert s3.get_public_access_block(Bucket=acl_bucket)["PublicAccessBlockConfiguration"] == block
    with refused("AccessDenied", http=403):
        s3.put_bucket_acl(Bucket=acl_bucket, ACL="public-read")
    with refused("AccessDenied", http=403):
        s3.put_object(Bucket=acl_bucket, Key="x", Body=b"x", ACL="public-read")
    with refused("AccessDenied", http=403):
        policy(s3, acl_bucket, allow(acl_bucket, "*", "s3:GetObject"))


def test_other_domains_are_never_public(house, s3):
    """patients' data lies in key domains of its own: no owner's policy opens them to strangers"""
    admin = house.people["admin"]
    domain = "phi-" + word()
    admin.cli("domain", "create", domain)
    name = "b-" + word()
    s3.meta.events.register("before-call.s3.CreateBucket",
                            lambda params, **_: params["headers"].update({"x-cloister-domain": domain}), unique_id="domain")
    try:
        s3.create_bucket(Bucket=name)
    finally:
        s3.meta.events.unregister("before-call.s3.CreateBucket", unique_id="domain")
    s3.put_object(Bucket=name, Key="x", Body=b"of a patient")
    s3.put_bucket_policy(Bucket=name, Policy=json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": "*", "Action": "s3:*", "Resource": [f"arn:aws:s3:::{name}", f"arn:aws:s3:::{name}/*"]}]}))
    assert house.http("GET", f"/{name}/x").status == 403
    assert house.http("GET", f"/{name}").status == 403


# ---- roles are a cap ----

def test_roles_cap_what_policy_gives(house, s3, bucket):
    """an administrator or auditor reads no object, whatever a policy says"""
    s3.put_object(Bucket=bucket, Key="x", Body=b"x")
    for name in ("admin", "audrey"):
        person = house.people[name]
        if person.access_key is None:
            continue
        policy(s3, bucket, allow(bucket, [person], "s3:*"))
        with refused("AccessDenied", http=403):
            person.client().get_object(Bucket=bucket, Key="x")
        with refused("AccessDenied", http=403):
            person.client().put_object(Bucket=bucket, Key="x", Body=b"y")


def test_who_may_write_may_not_give_away(s3, s3_bob, bob, bucket):
    policy(s3, bucket, allow(bucket, [bob], ["s3:PutObject", "s3:GetObject"]))
    s3_bob.put_object(Bucket=bucket, Key="x", Body=b"x")
    for call in (lambda: s3_bob.put_bucket_policy(Bucket=bucket, Policy="{}"), lambda: s3_bob.put_bucket_acl(Bucket=bucket, ACL="private"),
                 lambda: s3_bob.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"}),
                 lambda: s3_bob.delete_public_access_block(Bucket=bucket), lambda: s3_bob.delete_bucket_policy(Bucket=bucket)):
        with refused("AccessDenied", "MalformedPolicy"):
            call()


def test_what_is_hidden_stays_hidden(s3, s3_bob, bob, bucket):
    """without s3:ListBucket, absent and forbidden look the same"""
    s3.put_object(Bucket=bucket, Key="there", Body=b"x")
    policy(s3, bucket, allow(bucket, [bob], "s3:GetObject", "/never*"))
    with refused("AccessDenied", http=403):
        s3_bob.get_object(Bucket=bucket, Key="there")
    with refused("AccessDenied", http=403):
        s3_bob.get_object(Bucket=bucket, Key="not-there")
    with refused("AccessDenied", http=403):
        s3_bob.get_object(Bucket=bucket, Key="never-was")
