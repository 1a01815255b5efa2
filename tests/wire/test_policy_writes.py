# SPDX-License-Identifier: Apache-2.0
"""Policies on what a write sets besides bytes: tags, ACLs, retention and holds, by header, body and form.

    https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/tagging-and-policies.html
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock-managing.html
"""

import datetime
import re
import ssl

import pytest

from sdk import expect
from sdk.cloud import Cloud, bucket_name
from wire import raw
from wire.test_policy import DENIED, answer, policy, put, statement

OPEN = {"StringEquals": {"s3:RequestObjectTag/class": "open"}}
ONLY = {"ForAllValues:StringEquals": {"s3:RequestObjectTagKeys": ["class", "owner"]}}
SOME = {"ForAnyValue:StringEquals": {"s3:RequestObjectTagKeys": ["secret"]}}


def tagging(*pairs):
    return ("<Tagging><TagSet>" + "".join(f"<Tag><Key>{k}</Key><Value>{v}</Value></Tag>" for k, v in pairs) + "</TagSet></Tagging>").encode()


def days(count):
    return (raw.now() + datetime.timedelta(days=count)).strftime("%Y-%m-%dT%H:%M:%SZ")


def retention(count, mode="GOVERNANCE"):
    return f"<Retention><Mode>{mode}</Mode><RetainUntilDate>{days(count)}</RetainUntilDate></Retention>".encode()


def hold(status):
    return f"<LegalHold><Status>{status}</Status></LegalHold>".encode()


def locking(count=None, mode="GOVERNANCE", status=None):
    fields = [("x-amz-object-lock-mode", mode), ("x-amz-object-lock-retain-until-date", days(count))] if count else []
    return fields + ([("x-amz-object-lock-legal-hold", status)] if status else [])


def ask(server, user, method, target, body=b"", headers=()):
    """With Content-MD5, which writes that lock want; user None: unsigned."""
    request = raw.Request(method, target, [("Host", raw.host_of(server.url)), *headers], body)
    if body:
        raw.with_md5(request)
    if user is not None:
        raw.sign_v4(request, server.users[user])
    return raw.send(server.url, request)


@pytest.fixture
def full(s3, bucket):
    s3.put_object(Bucket=bucket, Key="key", Body=b"data")
    return bucket


@pytest.fixture
def locked(s3):
    name = bucket_name("locked")
    s3.create_bucket(Bucket=name, ObjectLockEnabledForBucket=True)
    s3.put_object(Bucket=name, Key="key", Body=b"data")
    return name


def only(server, bucket, action, condition, effect="Allow", user="alice"):
    principal = {"CanonicalUser": server.users[user].canonical_id} if effect == "Allow" else "*"
    text = policy(statement(bucket, action, effect=effect, principal=principal, Condition=condition))
    assert put(server, bucket, text).status == 204


# ---- tags -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("condition, pairs, allowed", [
    (OPEN, [("class", "open"), ("owner", "alice")], True),
    (OPEN, [("class", "secret")], False),
    (OPEN, [], False),
    (ONLY, [("class", "open"), ("owner", "alice")], True),
    (ONLY, [("class", "open"), ("other", "x")], False),
    (SOME, [("class", "open"), ("secret", "x")], True),
    (SOME, [("class", "open")], False),
    (SOME, [], False),
])  # fmt: skip
def test_PutObjectTagging__tags_of_the_body_are_conditions(server, full, condition, pairs, allowed):
    only(server, full, "s3:PutObjectTagging", condition)
    assert answer(ask(server, "alice", "PUT", f"/{full}/key?tagging", tagging(*pairs))) == (200 if allowed else DENIED)
    assert answer(ask(server, "bob", "PUT", f"/{full}/key?tagging", tagging(*pairs))) == DENIED
    assert answer(ask(server, None, "PUT", f"/{full}/key?tagging", tagging(*pairs))) == DENIED


def test_PutObjectTagging__a_denial_by_tags_binds_the_owner(server, full):
    only(server, full, "s3:PutObjectTagging", {"StringNotEquals": {"s3:RequestObjectTag/class": "open"}}, effect="Deny")
    assert answer(ask(server, "root", "PUT", f"/{full}/key?tagging", tagging(("class", "secret")))) == DENIED
    assert answer(ask(server, "root", "PUT", f"/{full}/key?tagging", tagging(("class", "open")))) == 200


def test_PutObjectTagging__a_denial_by_tags_binds_the_unsigned(server, full):
    text = policy(statement(full, "s3:PutObjectTagging"), statement(full, "s3:PutObjectTagging", effect="Deny", Condition=SOME))
    assert put(server, full, text).status == 204
    assert answer(ask(server, None, "PUT", f"/{full}/key?tagging", tagging(("class", "open")))) == 200
    assert answer(ask(server, None, "PUT", f"/{full}/key?tagging", tagging(("secret", "x")))) == DENIED


def test_PutObjectTagging__who_may_not_is_not_told_what_is_wrong(server, full):
    only(server, full, "s3:PutObjectTagging", OPEN)
    assert answer(ask(server, "bob", "PUT", f"/{full}/key?tagging", b"<Tagging>")) == DENIED
    assert answer(ask(server, "bob", "PUT", f"/{full}/absent?tagging", b"<Tagging>")) == DENIED
    assert answer(ask(server, "root", "PUT", f"/{full}/key?tagging", b"<Tagging>")) == (400, "MalformedXML")


@pytest.mark.parametrize("condition, tags, allowed", [
    (ONLY, "class=open&own%65r=x", True),
    (ONLY, "class=open&other", False),
    (SOME, "class=open&secret=", True),
    (SOME, "class=secret", False),
])  # fmt: skip
def test_PutObject__keys_of_tags_are_conditions(server, full, condition, tags, allowed):
    only(server, full, "s3:PutObject", condition)
    headers = [("x-amz-tagging", tags)]
    assert answer(ask(server, "alice", "PUT", f"/{full}/new", b"x", headers)) == (200 if allowed else DENIED)


@pytest.mark.parametrize("others, wanted", [(9, DENIED), (16, (400, "BadRequest"))])
def test_PutObject__the_last_of_many_long_keys_is_seen_or_there_are_too_many(server, full, others, wanted):
    only(server, full, "s3:PutObject", SOME, effect="Deny")
    length = 90 if others < 10 else 1  # a field has 8 KiB at most, and these nine bytes each in it
    keys = [chr(0x4E00 + i) * length for i in range(others)] + ["secret"]
    headers = [("x-amz-tagging", "&".join(raw.quote(key) for key in keys))]
    assert answer(ask(server, "root", "PUT", f"/{full}/new", b"x", headers)) == wanted


@pytest.mark.parametrize("where", ["PutObject", "CreateMultipartUpload", "CopyObject", "PostObject"])
def test_write__of_tags_takes_a_right_of_its_own(server, s3, full, where):
    s3.put_bucket_ownership_controls(Bucket=full, OwnershipControls={"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]})
    only(server, full, ["s3:PutObject", "s3:GetObject"], {})
    assert answer(write(server, full, where)) == 200
    assert answer(write(server, full, where, tags=True)) == DENIED
    only(server, full, ["s3:PutObject", "s3:GetObject", "s3:PutObjectTagging"], {})
    assert answer(write(server, full, where, tags=True)) == 200


@pytest.mark.parametrize("where", ["PutObject", "CreateMultipartUpload", "CopyObject", "PostObject"])
@pytest.mark.parametrize("setting, action", [("tags", "s3:PutObjectTagging"), ("acl", "s3:PutObjectAcl")])
def test_write__of_tags_and_acls_can_be_denied(server, full, where, setting, action):
    only(server, full, action, {}, effect="Deny")
    assert answer(write(server, full, where, user="root")) == 200
    assert answer(write(server, full, where, user="root", **{setting: True})) == DENIED


@pytest.mark.parametrize("where", ["PutObject", "CreateMultipartUpload", "CopyObject", "PostObject"])
def test_write__whoever_owns_the_object_may_set_its_tags_and_acl(server, full, where):
    only(server, full, ["s3:PutObject", "s3:GetObject"], {})
    assert answer(write(server, full, where, tags=True, acl=True)) == 200


def write(server, bucket, where, user="alice", tags=False, acl=False):
    headers = [("x-amz-tagging", "class=open")] * tags + [("x-amz-acl", "public-read")] * acl
    if where == "PutObject":
        return ask(server, user, "PUT", f"/{bucket}/new", b"x", headers)
    if where == "CreateMultipartUpload":
        return ask(server, user, "POST", f"/{bucket}/new?uploads", b"", headers)
    if where == "CopyObject":
        more = [("x-amz-copy-source", f"{bucket}/key"), ("x-amz-tagging-directive", "REPLACE")]
        return ask(server, user, "PUT", f"/{bucket}/copy", b"", headers + more)
    fields = {"tagging": tagging(("class", "open")).decode()} if tags else {}
    return form(server, user, bucket, fields | ({"acl": "public-read"} if acl else {}))


def form(server, user, bucket, fields):
    fields = {**fields, "success_action_status": "200"}
    post = Cloud(server).client(user).generate_presigned_post(bucket, "posted", Fields=fields, Conditions=[["starts-with", f"${name}", ""] for name in fields])
    body, content_type = raw.form_body(list(post["fields"].items()), b"data")
    return raw.anonymous(server.url, "POST", f"/{bucket}", body, [("Content-Type", content_type)])


@pytest.mark.parametrize("pairs, allowed", [([("class", "open")], True), ([("class", "secret")], False), (None, False)])
def test_PostObject__tags_of_the_form_are_conditions(server, full, pairs, allowed):
    only(server, full, "s3:PutObject", OPEN)
    fields = {} if pairs is None else {"tagging": tagging(*pairs).decode()}
    assert answer(form(server, "alice", full, fields)) == (200 if allowed else DENIED)


def test_PostObject__fields_are_conditions_and_headers_of_the_request_are_not(server, full):
    only(server, full, "s3:PutObject", {"StringEquals": {"s3:x-amz-storage-class": "STANDARD_IA"}})
    assert answer(form(server, "alice", full, {"x-amz-storage-class": "STANDARD_IA"})) == 200
    assert answer(form(server, "alice", full, {})) == DENIED


def test_PostObject__malformed_tags_are_told_to_those_who_may(server, full):
    only(server, full, "s3:PutObject", OPEN)
    assert answer(form(server, "alice", full, {"tagging": "no XML"})) == DENIED
    assert answer(form(server, "root", full, {"tagging": "no XML"})) == (400, "MalformedXML")


# ---- tags of what is copied -------------------------------------------------------------------------------


@pytest.mark.parametrize("version", [False, True])
def test_CopyObject__tags_of_the_source_are_read_with_a_right_of_their_own(server, s3, full, version):
    mine = bucket_name("mine")
    Cloud(server).client("alice").create_bucket(Bucket=mine)
    s3.put_bucket_versioning(Bucket=full, VersioningConfiguration={"Status": "Enabled"})
    id = s3.put_object(Bucket=full, Key="tagged", Body=b"data", Tagging="class=open")["VersionId"]
    suffix, action = (f"?versionId={id}", "Version") if version else ("", "")
    source = [("x-amz-copy-source", f"{full}/tagged{suffix}")]
    replace = [("x-amz-tagging-directive", "REPLACE")]
    only(server, full, f"s3:GetObject{action}", {})
    assert answer(ask(server, "alice", "PUT", f"/{mine}/copy", b"", source)) == DENIED
    assert answer(ask(server, "alice", "PUT", f"/{mine}/copy", b"", source + replace)) == 200
    only(server, full, [f"s3:GetObject{action}", f"s3:GetObject{action}Tagging"], {})
    assert answer(ask(server, "alice", "PUT", f"/{mine}/copy", b"", source)) == 200
    assert Cloud(server).client("alice").get_object_tagging(Bucket=mine, Key="copy")["TagSet"] == [{"Key": "class", "Value": "open"}]


def test_CopyObject__tags_that_come_with_the_source_are_written_with_the_right_to(server, s3, full):
    s3.put_object(Bucket=full, Key="tagged", Body=b"data", Tagging="class=open")
    only(server, full, "s3:PutObjectTagging", {}, effect="Deny")
    source = [("x-amz-copy-source", f"{full}/tagged")]
    assert answer(ask(server, "root", "PUT", f"/{full}/copy", b"", source)) == DENIED
    assert answer(ask(server, "root", "PUT", f"/{full}/copy", b"", [*source, ("x-amz-tagging-directive", "REPLACE")])) == 200


def test_GetObject__how_many_tags_is_told_to_those_who_may_read_them(server, s3, full):
    s3.put_object(Bucket=full, Key="tagged", Body=b"data", Tagging="class=open")
    only(server, full, "s3:GetObject", {})
    assert ask(server, "root", "GET", f"/{full}/tagged").header("x-amz-tagging-count") == "1"
    assert ask(server, "alice", "GET", f"/{full}/tagged").header("x-amz-tagging-count") is None
    only(server, full, ["s3:GetObject", "s3:GetObjectTagging"], {})
    assert ask(server, "alice", "GET", f"/{full}/tagged").header("x-amz-tagging-count") == "1"


# ---- locks ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("condition, body, allowed", [
    ({"StringEquals": {"s3:object-lock-mode": "GOVERNANCE"}}, (3,), True),
    ({"StringEquals": {"s3:object-lock-mode": "GOVERNANCE"}}, (3, "COMPLIANCE"), False),
    ({"NumericLessThanEquals": {"s3:object-lock-remaining-retention-days": "10"}}, (10,), True),
    ({"NumericLessThanEquals": {"s3:object-lock-remaining-retention-days": "10"}}, (10.5,), False),
    ({"NumericGreaterThanEquals": {"s3:object-lock-remaining-retention-days": "10"}}, (10,), True),
    ({"NumericGreaterThanEquals": {"s3:object-lock-remaining-retention-days": "10"}}, (9,), False),
    ({"DateLessThan": {"s3:object-lock-retain-until-date": days(5)}}, (4,), True),
    ({"DateLessThan": {"s3:object-lock-retain-until-date": days(5)}}, (6,), False),
])  # fmt: skip
def test_retention__is_a_condition_by_body_and_by_header(server, locked, condition, body, allowed):
    only(server, locked, ["s3:PutObjectRetention", "s3:PutObject"], condition)
    wanted = 200 if allowed else DENIED
    assert answer(ask(server, "alice", "PUT", f"/{locked}/new", b"x", locking(*body))) == wanted
    assert answer(ask(server, "alice", "PUT", f"/{locked}/key?retention", retention(*body))) == wanted


@pytest.mark.parametrize("status, allowed", [("ON", True), ("OFF", False)])
def test_legal_hold__is_a_condition_by_body_and_by_header(server, locked, status, allowed):
    only(server, locked, ["s3:PutObjectLegalHold", "s3:PutObject"], {"StringEquals": {"s3:object-lock-legal-hold": "ON"}})
    wanted = 200 if allowed else DENIED
    assert answer(ask(server, "alice", "PUT", f"/{locked}/new", b"x", locking(status=status))) == wanted
    assert answer(ask(server, "alice", "PUT", f"/{locked}/key?legal-hold", hold(status))) == wanted


def test_locks__of_a_new_object_take_rights_of_their_own(server, locked):
    only(server, locked, "s3:PutObject", {})
    assert answer(ask(server, "alice", "PUT", f"/{locked}/new", b"x")) == 200
    assert answer(ask(server, "alice", "PUT", f"/{locked}/new", b"x", locking(3))) == DENIED
    assert answer(ask(server, "alice", "PUT", f"/{locked}/new", b"x", locking(status="ON"))) == DENIED
    only(server, locked, ["s3:PutObject", "s3:PutObjectRetention"], {})
    assert answer(ask(server, "alice", "PUT", f"/{locked}/new", b"x", locking(3))) == 200
    assert answer(ask(server, "alice", "PUT", f"/{locked}/new", b"x", locking(3, status="ON"))) == DENIED
    only(server, locked, ["s3:PutObject", "s3:PutObjectLegalHold"], {})
    assert answer(ask(server, "alice", "PUT", f"/{locked}/new", b"x", locking(status="ON"))) == 200


# ---- conditions -------------------------------------------------------------------------------------------


def delete_body(key, etag):
    return f"<Delete><Object><Key>{key}</Key><ETag>{etag}</ETag></Object></Delete>".encode()


def of_one(reply):
    """200, or the code of the only entry."""
    assert reply.status == 200, reply
    refused = re.search(rb"<Code>(\w+)</Code>", reply.body)
    return refused[1].decode() if refused else 200


@pytest.mark.parametrize("actions, wanted", [(["s3:PutObject", "s3:DeleteObject"], DENIED),
                                             (["s3:PutObject", "s3:DeleteObject", "s3:GetObject"], None)])  # fmt: skip
def test_If_Match__compares_an_etag_for_those_who_may_read(server, s3, full, actions, wanted):
    only(server, full, actions, {})
    etag = s3.head_object(Bucket=full, Key="key")["ETag"]
    assert answer(ask(server, "alice", "PUT", f"/{full}/key", b"data", [("If-Match", etag)])) == (wanted or 200)
    assert answer(ask(server, "alice", "PUT", f"/{full}/absent", b"data", [("If-Match", etag)])) == DENIED  # may not list
    assert answer(ask(server, "alice", "DELETE", f"/{full}/key", b"", [("If-Match", "wrong")])) == (wanted or (412, "PreconditionFailed"))
    assert of_one(ask(server, "alice", "POST", f"/{full}?delete", delete_body("key", etag))) == ("AccessDenied" if wanted else 200)
    s3.put_object(Bucket=full, Key="key", Body=b"data")
    assert answer(ask(server, "alice", "DELETE", f"/{full}/key", b"", [("If-Match", "*")])) == 204


def test_if_match__is_a_condition_by_header_and_for_each_of_many(server, s3, full):
    only(server, full, "s3:DeleteObject", {"Null": {"s3:if-match": "true"}}, effect="Deny")
    etag = s3.head_object(Bucket=full, Key="key")["ETag"]
    assert answer(ask(server, "root", "DELETE", f"/{full}/key")) == DENIED
    assert of_one(ask(server, "root", "POST", f"/{full}?delete", b"<Delete><Object><Key>key</Key></Object></Delete>")) == "AccessDenied"
    assert of_one(ask(server, "root", "POST", f"/{full}?delete", delete_body("key", etag))) == 200
    s3.put_object(Bucket=full, Key="key", Body=b"other")
    assert answer(ask(server, "root", "DELETE", f"/{full}/key", b"", [("If-Match", etag)])) == (412, "PreconditionFailed")


# ---- further keys -------------------------------------------------------------------------------------------


CREATES = {"Null": {"s3:if-none-match": "true"}, "Bool": {"s3:ObjectCreationOperation": "true"}}


def test_ObjectCreationOperation__is_no_part_and_no_beginning_of_one(server, full):
    only(server, full, "s3:PutObject", CREATES, effect="Deny")
    assert answer(ask(server, "root", "PUT", f"/{full}/new", b"x")) == DENIED
    assert answer(ask(server, "root", "PUT", f"/{full}/new", b"x", [("If-None-Match", "*")])) == 200
    begun = ask(server, "root", "POST", f"/{full}/whole?uploads")
    assert begun.status == 200
    upload = begun.element("UploadId")
    part = ask(server, "root", "PUT", f"/{full}/whole?partNumber=1&uploadId={upload}", b"x")
    assert part.status == 200
    body = f"<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>{part.header('ETag')}</ETag></Part></CompleteMultipartUpload>"
    target = f"/{full}/whole?uploadId={upload}"
    assert answer(ask(server, "root", "POST", target, body.encode())) == DENIED
    assert answer(ask(server, "root", "POST", target, body.encode(), [("If-None-Match", "*")])) == 200


@pytest.mark.parametrize("condition, allowed", [
    ({"NumericLessThan": {"s3:signatureAge": "600000"}}, True),
    ({"NumericGreaterThan": {"s3:signatureAge": "600000"}}, False),
    ({"StringEquals": {"s3:ResourceAccount": "000000000000"}}, True),
    ({"StringEquals": {"aws:ResourceAccount": "111122223333"}}, False),
    ({"Bool": {"aws:PrincipalIsAWSService": "false"}}, True),
    ({"Bool": {"aws:ViaAWSService": "true"}}, False),
])  # fmt: skip
def test_policy__more_conditions_are_asked_of_the_request(server, full, condition, allowed):
    only(server, full, "s3:GetObject", condition)
    assert answer(ask(server, "alice", "GET", f"/{full}/key")) == (200 if allowed else DENIED)


def test_signatureAge__of_a_presigned_url_grows(server, full):
    only(server, full, "s3:GetObject", {"NumericGreaterThan": {"s3:signatureAge": "600000"}}, effect="Deny")
    for minutes, wanted in ((9, 200), (11, DENIED)):
        request = raw.Request("GET", f"/{full}/key", [("Host", raw.host_of(server.url))])
        raw.presign_v4(request, server.users["root"], when=raw.now() - datetime.timedelta(minutes=minutes))
        assert answer(raw.send(server.url, request)) == wanted


@pytest.mark.parametrize("version, wanted", [("TLSv1_2", 403), ("TLSv1_3", 200)])
def test_TlsVersion__is_that_of_the_connection(server, full, version, wanted):
    only(server, full, "s3:GetObject", {"NumericLessThan": {"s3:TlsVersion": "1.3"}}, effect="Deny")
    request = raw.Request("GET", f"/{full}/key", [("Host", raw.host_of(server.tls_url))])
    raw.sign_v4(request, server.users["root"])
    context = ssl.create_default_context(cafile=server.certificate[0])
    context.maximum_version = ssl.TLSVersion[version]
    assert expect.fetch(f"{server.tls_url}/{full}/key", headers=request.headers, context=context)[0] == wanted
    assert answer(ask(server, "root", "GET", f"/{full}/key")) == 200  # there is no version without TLS
