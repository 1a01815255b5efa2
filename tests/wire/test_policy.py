# SPDX-License-Identifier: Apache-2.0
"""Bucket policies: kept as they came, refused in AWS's words, and asked with every request.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-policies.html
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html
"""

import json

import boto3
import pytest

from sdk import expect
from sdk.cloud import Cloud, bucket_name
from wire import process, raw

DENIED = (403, "AccessDenied")


def statement(bucket, action, *, effect="Allow", principal="*", resource="/*", **more):
    return {"Effect": effect, "Principal": principal, "Action": action, "Resource": f"arn:aws:s3:::{bucket}{resource}", **more}


def policy(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def put(server, bucket, text, user="root"):
    return raw.signed(server.url, server.users[user], "PUT", f"/{bucket}?policy", text.encode())


def ask(server, user, method, target, body=b"", headers=()):
    if user is None:
        return raw.anonymous(server.url, method, target, body, headers)
    return raw.signed(server.url, server.users[user], method, target, body, headers=list(headers))


def answer(reply):
    return (reply.status, reply.code) if reply.status >= 300 else reply.status


@pytest.fixture
def full(s3, bucket):
    s3.put_object(Bucket=bucket, Key="key", Body=b"data", Tagging="class=open")
    s3.put_object(Bucket=bucket, Key="a/b", Body=b"below")
    return bucket


# ---- kept ------------------------------------------------------------------------------------------


def test_GetBucketPolicy__is_what_was_put_byte_for_byte(server, bucket):
    text = '{ "Statement":[ {"Sid":"a b", "Effect":"Allow","Principal":"*","Action":"s3:GetObject",\n"Resource":"arn:aws:s3:::%s/*"}]}' % bucket
    assert put(server, bucket, text).status == 204
    reply = ask(server, "root", "GET", f"/{bucket}?policy")
    assert (reply.status, reply.header("Content-Type"), reply.body.decode()) == (200, "application/json", text)


def test_DeleteBucketPolicy__leaves_none_and_can_be_repeated(server, s3, bucket):
    assert put(server, bucket, policy(statement(bucket, "s3:GetObject"))).status == 204
    for _ in range(2):
        assert expect.status_of(s3.delete_bucket_policy(Bucket=bucket)) == 204
        with expect.refused(404, "NoSuchBucketPolicy"):
            s3.get_bucket_policy(Bucket=bucket)
        with expect.refused(404, "NoSuchBucketPolicy"):
            s3.get_bucket_policy_status(Bucket=bucket)


@pytest.mark.parametrize("text, message", [
    ("", "Policies must be valid JSON and the first byte must be '{'"),
    ("no JSON", "Policies must be valid JSON and the first byte must be '{'"),
    ("{}", "Missing required field Statement"),
    ('{"Statement": [], "Statement": []}', "Policies must be valid JSON and the first byte must be '{'"),
    ('{"Statement": [{"Effect": "Allow"}]}', "Missing required field Principal"),
    (policy(statement("another-bucket", "s3:GetObject")), "Policy has invalid resource"),
    (policy(statement("BUCKET", "s3:GetObject", effect="Maybe")), "Invalid effect: Maybe"),
    (policy(statement("BUCKET", "s3:GetObject", principal={"AWS": "somebody"})), "Invalid principal in policy"),
    (policy(statement("BUCKET", "iam:GetUser")), "Policy has invalid action"),
    ("{" + " " * 20480, "Policy exceeds the maximum allowed document size."),
])  # fmt: skip
def test_PutBucketPolicy__what_is_wrong_is_said(server, bucket, text, message):
    reply = put(server, bucket, text.replace("BUCKET", bucket))
    assert (answer(reply), reply.element("Message")) == ((400, "MalformedPolicy"), message)
    assert ask(server, "root", "GET", f"/{bucket}?policy").code == "NoSuchBucketPolicy"


# ---- who may ---------------------------------------------------------------------------------------


def test_policy__opens_reading_to_everybody_and_nothing_else(server, full):
    for user in ("alice", None):
        assert answer(ask(server, user, "GET", f"/{full}/key")) == DENIED
    put(server, full, policy(statement(full, "s3:GetObject")))
    for user in ("alice", None):
        assert ask(server, user, "GET", f"/{full}/key").body == b"data"
        assert ask(server, user, "HEAD", f"/{full}/key").status == 200
        assert answer(ask(server, user, "GET", f"/{full}/absent")) == DENIED  # who may not list is told nothing
        assert answer(ask(server, user, "PUT", f"/{full}/key", b"x")) == DENIED
        assert answer(ask(server, user, "DELETE", f"/{full}/key")) == DENIED
        assert answer(ask(server, user, "GET", f"/{full}")) == DENIED
        assert answer(ask(server, user, "GET", f"/{full}?policy")) == DENIED


def test_policy__opens_listing_by_prefix(server, full):
    put(server, full, policy(statement(full, "s3:ListBucket", resource="", Condition={"StringLike": {"s3:prefix": "a/*"}})))
    assert ask(server, "alice", "GET", f"/{full}?list-type=2&prefix=a/").status == 200
    assert answer(ask(server, "alice", "GET", f"/{full}?list-type=2&prefix=k")) == DENIED
    assert answer(ask(server, "alice", "GET", f"/{full}?list-type=2")) == DENIED


def test_policy__who_may_list_a_prefix_is_told_what_is_not_there(server, full):
    put(server, full, policy(statement(full, "s3:ListBucket", resource="", Condition={"StringLike": {"s3:prefix": "a/*"}})))
    assert ask(server, "alice", "HEAD", f"/{full}/a/absent").status == 404
    assert ask(server, "alice", "HEAD", f"/{full}/absent").status == 403


def test_policy__opens_writing_to_one_account(server, full):
    who = server.users["alice"].canonical_id
    put(server, full, policy(statement(full, ["s3:PutObject", "s3:DeleteObject"], principal={"CanonicalUser": who})))
    assert ask(server, "alice", "PUT", f"/{full}/new", b"x").status == 200
    assert ask(server, "alice", "DELETE", f"/{full}/new").status == 204
    assert answer(ask(server, "bob", "PUT", f"/{full}/new", b"x")) == DENIED
    assert answer(ask(server, None, "PUT", f"/{full}/new", b"x")) == DENIED


def test_policy__names_users_by_their_arns(server, full):
    alice = server.users["alice"]
    sts = boto3.client("sts", endpoint_url=server.url, region_name="us-east-1", aws_access_key_id=alice.access_key,
                       aws_secret_access_key=alice.secret_key)  # fmt: skip
    put(server, full, policy(statement(full, "s3:GetObject", principal={"AWS": sts.get_caller_identity()["Arn"]})))
    assert ask(server, "alice", "GET", f"/{full}/key").status == 200
    assert answer(ask(server, "bob", "GET", f"/{full}/key")) == DENIED


def test_policy__a_denial_binds_the_owner_too(server, full):
    put(server, full, policy(statement(full, "s3:GetObject", effect="Deny")))
    assert answer(ask(server, "root", "GET", f"/{full}/key")) == DENIED
    assert ask(server, "root", "PUT", f"/{full}/key", b"x").status == 200


def test_policy__a_denial_has_the_last_word_over_an_acl(server, s3, full):
    s3.put_object_acl(Bucket=full, Key="key", ACL="public-read")
    assert ask(server, None, "GET", f"/{full}/key").status == 200
    put(server, full, policy(statement(full, "s3:GetObject", effect="Deny", Condition={"Null": {"aws:PrincipalArn": "true"}})))
    assert answer(ask(server, None, "GET", f"/{full}/key")) == DENIED
    assert ask(server, "alice", "GET", f"/{full}/key").status == 200


def test_policy__the_account_is_never_locked_out_of_it(server, s3, full):
    put(server, full, json.dumps({"Statement": {"Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*"}}))
    assert answer(ask(server, "root", "GET", f"/{full}")) == DENIED
    assert ask(server, "root", "GET", f"/{full}?policy").status == 200
    assert put(server, full, policy(statement(full, "*", effect="Deny"))).status == 204
    assert ask(server, "root", "DELETE", f"/{full}?policy").status == 204
    assert ask(server, "root", "GET", f"/{full}").status == 200


def test_policy__can_not_open_somebody_elses_object(server, s3, full):
    s3.put_bucket_acl(Bucket=full, ACL="public-read-write")
    assert ask(server, "alice", "PUT", f"/{full}/of-alice", b"x").status == 200
    put(server, full, policy(statement(full, "s3:GetObject")))
    assert answer(ask(server, "bob", "GET", f"/{full}/of-alice")) == DENIED
    assert ask(server, "bob", "GET", f"/{full}/key").status == 200


@pytest.mark.parametrize("condition, headers, allowed", [
    ({"IpAddress": {"aws:SourceIp": "127.0.0.0/8"}}, [], True),
    ({"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}, [], False),
    ({"Bool": {"aws:SecureTransport": "false"}}, [], True),
    ({"Bool": {"aws:SecureTransport": "true"}}, [], False),
    ({"StringLike": {"aws:Referer": "https://site.example/*"}}, [("Referer", "https://site.example/page")], True),
    ({"StringLike": {"aws:Referer": "https://site.example/*"}}, [("Referer", "https://elsewhere.example/")], False),
    ({"StringLike": {"aws:Referer": "https://site.example/*"}}, [], False),
    ({"StringEquals": {"s3:ExistingObjectTag/class": "open"}}, [], True),
    ({"StringEquals": {"s3:ExistingObjectTag/class": "secret"}}, [], False),
    ({"DateGreaterThan": {"aws:CurrentTime": "2020-01-01T00:00:00Z"}}, [], True),
    ({"DateLessThan": {"aws:CurrentTime": "2020-01-01T00:00:00Z"}}, [], False),
    ({"NumericGreaterThan": {"aws:EpochTime": "1577836800"}}, [], True),
    ({"StringEquals": {"aws:PrincipalType": "User"}}, [], True),
    ({"StringEquals": {"s3:signatureversion": "AWS4-HMAC-SHA256"}}, [], True),
    ({"StringEquals": {"s3:signatureversion": "AWS"}}, [], False),
    ({"StringEquals": {"s3:authType": "REST-HEADER"}}, [], True),
    ({"StringEquals": {"aws:username": "alice"}}, [], True),
    ({"StringEquals": {"aws:username": "bob"}}, [], False),
])  # fmt: skip
def test_policy__conditions_are_asked_of_the_request(server, full, condition, headers, allowed):
    put(server, full, policy(statement(full, "s3:GetObject", Condition=condition)))
    reply = ask(server, "alice", "GET", f"/{full}/key", headers=headers)
    assert answer(reply) == (200 if allowed else DENIED)


def test_policy__headers_of_a_write_are_conditions(server, full):
    put(server, full, policy(statement(full, "s3:PutObject", effect="Deny",
                                       Condition={"StringNotEquals": {"s3:x-amz-server-side-encryption": "AES256"}})))  # fmt: skip
    assert answer(ask(server, "root", "PUT", f"/{full}/new", b"x")) == DENIED
    assert ask(server, "root", "PUT", f"/{full}/new", b"x", [("x-amz-server-side-encryption", "AES256")]).status == 200


@pytest.mark.parametrize("tags, allowed", [("class=open", True), ("x=y&cl%61ss=op%65n", True), ("class=secret", False), (None, False)])
def test_policy__tags_of_a_new_object_are_conditions(server, full, tags, allowed):
    put(server, full, policy(statement(full, "s3:PutObject", Condition={"StringEquals": {"s3:RequestObjectTag/class": "open"}})))
    headers = [("x-amz-tagging", tags)] if tags else []
    assert answer(ask(server, "alice", "PUT", f"/{full}/tagged", b"x", headers)) == (200 if allowed else DENIED)


def test_policy__each_of_many_is_asked_for(server, full):
    put(server, full, policy(statement(full, "s3:DeleteObject", resource="/a/*", principal={"CanonicalUser": server.users["alice"].canonical_id})))
    found = Cloud(server).client("alice").delete_objects(Bucket=full, Delete={"Objects": [{"Key": "a/b"}, {"Key": "key"}]})
    assert [item["Key"] for item in found["Deleted"]] == ["a/b"]
    assert [(item["Key"], item["Code"]) for item in found["Errors"]] == [("key", "AccessDenied")]


def test_policy__the_source_of_a_copy_is_asked_for(server, full):
    alice = Cloud(server).client("alice")
    mine = bucket_name("mine")
    alice.create_bucket(Bucket=mine)
    with expect.refused(*DENIED):
        alice.copy_object(Bucket=mine, Key="copy", CopySource=f"{full}/key")
    put(server, full, policy(statement(full, ["s3:GetObject", "s3:GetObjectTagging"])))
    alice.copy_object(Bucket=mine, Key="copy", CopySource=f"{full}/key")


def test_policy__the_log_names_the_statement(server, full):
    put(server, full, policy(statement(full, "s3:GetObject", effect="Deny", Sid="NoReading")))
    reply = ask(server, "alice", "GET", f"/{full}/key")
    assert "the bucket's policy denies it, statement NoReading" in server.log_line(reply)


# ---- the public ------------------------------------------------------------------------------------


@pytest.mark.parametrize("more, public", [
    ({}, True),
    ({"Condition": {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}}, False),
    ({"Condition": {"IpAddress": {"aws:SourceIp": "0.0.0.0/0"}}}, True),
    ({"principal": {"AWS": "111122223333"}}, False),
    ({"effect": "Deny"}, False),
])  # fmt: skip
def test_GetBucketPolicyStatus__says_whether_the_public_is_let_in(server, s3, bucket, more, public):
    put(server, bucket, policy(statement(bucket, "s3:GetObject", **more)))
    assert s3.get_bucket_policy_status(Bucket=bucket)["PolicyStatus"]["IsPublic"] is public


def test_BlockPublicPolicy__a_public_one_is_refused(server, s3, bucket):
    s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration={"BlockPublicPolicy": True})
    assert answer(put(server, bucket, policy(statement(bucket, "s3:GetObject")))) == DENIED
    assert put(server, bucket, policy(statement(bucket, "s3:GetObject", principal={"AWS": "111122223333"}))).status == 204


def test_RestrictPublicBuckets__a_public_policy_is_for_the_owners_account(server, s3, full):
    put(server, full, policy(statement(full, "s3:GetObject")))
    assert ask(server, "alice", "GET", f"/{full}/key").status == 200
    s3.put_public_access_block(Bucket=full, PublicAccessBlockConfiguration={"RestrictPublicBuckets": True})
    for user in ("alice", None):
        assert answer(ask(server, user, "GET", f"/{full}/key")) == DENIED
    assert ask(server, "root", "GET", f"/{full}/key").status == 200


def test_policy__binds_users_of_the_owners_account(tmp_path):
    users = {"root": process.USERS["root"], "ann": raw.User("ann", "ANNKEY", "ann-secret", account="111122223333"),
             "ben": raw.User("ben", "BENKEY", "ben-secret", account="111122223333")}  # fmt: skip
    server = process.Server(tmp_path, users=users)
    try:
        assert ask(server, "ann", "PUT", "/ours").status == 200
        assert ask(server, "ann", "PUT", "/ours/key", b"data").status == 200
        text = policy(statement("ours", "s3:GetObject", effect="Deny", principal={"AWS": "arn:aws:iam::111122223333:user/ben"}))
        assert put(server, "ours", text, "ann").status == 204
        assert ask(server, "ann", "GET", "/ours/key").status == 200
        assert answer(ask(server, "ben", "GET", "/ours/key")) == DENIED
        assert put(server, "ours", policy(statement("ours", "*", effect="Deny")), "ben").status == 204
        assert answer(ask(server, "ben", "GET", "/ours?policy")) == 200
    finally:
        server.stop()


# ---- what denied it ----------------------------------------------------------------------------------


@pytest.mark.parametrize("option", ["--explain-denials", None])
def test_denials__are_explained_to_the_owner_where_the_settings_say_so(make_server, option):
    server = make_server(*([option] if option else []))
    assert ask(server, "root", "PUT", "/explained").status == 200
    assert ask(server, "root", "PUT", "/explained/key", b"x").status == 200
    rule = statement("explained", "s3:GetObject", effect="Deny", Sid="NoReading")
    assert put(server, "explained", policy(rule)).status == 204
    reply = ask(server, "root", "GET", "/explained/key")
    assert answer(reply) == DENIED
    assert reply.header("x-pail-denied-by") == ("s3:GetObject: the bucket's policy denies it, statement NoReading" if option else None)
    for user in ("bob", None):  # the others learn no more than from AWS
        assert ask(server, user, "GET", "/explained/key").header("x-pail-denied-by") is None
    assert ask(server, "root", "GET", "/explained?acl").header("x-pail-denied-by") is None
