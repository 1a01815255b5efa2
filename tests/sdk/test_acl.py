# SPDX-License-Identifier: Apache-2.0
"""ACLs, enforced: owner, alice, bob and the anonymous against canned ACLs, grants and documents.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/acl-overview.html
"""

import base64
import hashlib

import pytest

from sdk import expect
from wire import raw

ALL_USERS = "http://acs.amazonaws.com/groups/global/AllUsers"
AUTHENTICATED = "http://acs.amazonaws.com/groups/global/AuthenticatedUsers"
LOG_DELIVERY = "http://acs.amazonaws.com/groups/s3/LogDelivery"


def allowed(call):
    """True, or False when S3 says AccessDenied; anything else is an error of the test."""
    import botocore.exceptions

    try:
        call()
        return True
    except botocore.exceptions.ClientError as error:
        status = error.response["ResponseMetadata"]["HTTPStatusCode"]
        assert status == 403, error
        wordless = error.operation_name.startswith("Head")
        assert error.response["Error"]["Code"] == ("403" if wordless else "AccessDenied"), error
        return False


def grants(answer):
    found = set()
    for grant in answer["Grants"]:
        grantee = grant["Grantee"]
        found.add((grantee.get("ID") or grantee.get("URI"), grant["Permission"]))
    return found


@pytest.fixture
def people(s3, alice, bob, anyone):
    return {"root": s3, "alice": alice, "bob": bob, "anyone": anyone}


@pytest.fixture
def ids(server, s3):
    return {"root": s3.list_buckets()["Owner"]["ID"], "alice": server.users["alice"].canonical_id,
            "bob": server.users["bob"].canonical_id}  # fmt: skip


def who(people, call):
    return {name for name, client in people.items() if allowed(lambda: call(client))}


EVERYONE = {"root", "alice", "bob", "anyone"}
USERS = {"root", "alice", "bob"}


# ---- identities -----------------------------------------------------------------------------------


def test_users__have_the_canonical_ids_of_the_settings(server, alice, bob):
    for client, name in ((alice, "alice"), (bob, "bob")):
        assert client.list_buckets()["Owner"]["ID"] == server.users[name].canonical_id


def test_GetBucketAcl__default_is_full_control_of_the_owner(s3, ids, bucket):
    answer = s3.get_bucket_acl(Bucket=bucket)
    assert answer["Owner"]["ID"] == ids["root"]
    assert grants(answer) == {(ids["root"], "FULL_CONTROL")}
    s3.put_object(Bucket=bucket, Key="key", Body=b"")
    answer = s3.get_object_acl(Bucket=bucket, Key="key")
    assert answer["Owner"]["ID"] == ids["root"]
    assert grants(answer) == {(ids["root"], "FULL_CONTROL")}
    assert answer["Grants"][0]["Grantee"]["Type"] == "CanonicalUser"


# ---- canned ACLs of objects -------------------------------------------------------------------------

OBJECT_CANNED = {
    "private": ({"root"}, {"root"}),
    "public-read": (EVERYONE, {"root"}),
    "public-read-write": (EVERYONE, {"root"}),
    "authenticated-read": (USERS, {"root"}),
    "bucket-owner-read": ({"root"}, {"root"}),
    "bucket-owner-full-control": ({"root"}, {"root"}),
}


@pytest.mark.parametrize("canned", OBJECT_CANNED)
@pytest.mark.parametrize("how", ["PutObject", "PutObjectAcl", "CopyObject", "multipart"])
def test_PutObjectAcl__canned_decides_who_reads(s3, people, bucket, canned, how):
    if how == "PutObject":
        s3.put_object(Bucket=bucket, Key="key", Body=b"data", ACL=canned)
    elif how == "PutObjectAcl":
        s3.put_object(Bucket=bucket, Key="key", Body=b"data")
        s3.put_object_acl(Bucket=bucket, Key="key", ACL=canned)
    elif how == "CopyObject":
        s3.put_object(Bucket=bucket, Key="source", Body=b"data")
        s3.copy_object(Bucket=bucket, Key="key", CopySource=f"{bucket}/source", ACL=canned)
    else:
        expect.multipart_object(s3, bucket, "key", [b"data"], ACL=canned)
    readers, acl_readers = OBJECT_CANNED[canned]
    assert who(people, lambda client: client.get_object(Bucket=bucket, Key="key")) == readers
    assert who(people, lambda client: client.head_object(Bucket=bucket, Key="key")) == readers
    assert who(people, lambda client: client.get_object_acl(Bucket=bucket, Key="key")) == acl_readers
    assert who(people, lambda client: client.put_object(Bucket=bucket, Key="key", Body=b"data", ACL=canned)) == {"root"}
    assert who(people, lambda client: client.put_object_acl(Bucket=bucket, Key="key", ACL=canned)) == {"root"}
    assert who(people, lambda client: client.delete_object(Bucket=bucket, Key="absent")) == {"root"}


# ---- canned ACLs of buckets --------------------------------------------------------------------------

BUCKET_CANNED = {  # who lists, who writes, who reads the ACL
    "private": ({"root"}, {"root"}),
    "public-read": (EVERYONE, {"root"}),
    "public-read-write": (EVERYONE, EVERYONE),
    "authenticated-read": (USERS, {"root"}),
}


@pytest.mark.parametrize("canned", BUCKET_CANNED)
@pytest.mark.parametrize("how", ["CreateBucket", "PutBucketAcl"])
def test_PutBucketAcl__canned_decides_who_lists_and_writes(cloud, s3, people, canned, how):
    if how == "CreateBucket":
        bucket = cloud.new_bucket(ACL=canned)
    else:
        bucket = cloud.new_bucket()
        s3.put_bucket_acl(Bucket=bucket, ACL=canned)
    readers, writers = BUCKET_CANNED[canned]
    s3.put_object(Bucket=bucket, Key="key", Body=b"data")
    for call in (
        lambda client: client.list_objects_v2(Bucket=bucket),
        lambda client: client.list_objects(Bucket=bucket),
        lambda client: client.list_object_versions(Bucket=bucket),
        lambda client: client.head_bucket(Bucket=bucket),
        lambda client: client.list_multipart_uploads(Bucket=bucket),
    ):
        assert who(people, call) == readers
    assert who(people, lambda client: client.put_object(Bucket=bucket, Key="new", Body=b"")) == writers
    assert who(people, lambda client: client.delete_object(Bucket=bucket, Key="absent")) == writers
    assert who(people, lambda client: client.get_object(Bucket=bucket, Key="key")) == {"root"}
    assert who(people, lambda client: client.get_bucket_acl(Bucket=bucket)) == {"root"}
    assert who(people, lambda client: client.put_bucket_acl(Bucket=bucket, ACL=canned)) == {"root"}
    assert who(people, lambda client: client.get_bucket_tagging(Bucket=bucket) if client is not s3 else None) == {"root"}


def test_PutObject__into_another_s_bucket_belongs_to_the_writer(cloud, s3, alice, bob, ids):
    bucket = cloud.new_bucket(ACL="public-read-write")
    alice.put_object(Bucket=bucket, Key="key", Body=b"hers")
    answer = alice.get_object_acl(Bucket=bucket, Key="key")
    assert answer["Owner"]["ID"] == ids["alice"]
    assert expect.body_of(alice, bucket, "key") == b"hers"
    assert not allowed(lambda: s3.get_object(Bucket=bucket, Key="key"))
    assert not allowed(lambda: bob.get_object(Bucket=bucket, Key="key"))
    s3.delete_object(Bucket=bucket, Key="key")  # the bucket's owner may delete
    with expect.refused(403, "AccessDenied"):  # without the right to list, absence is not told
        cloud.client("bob").get_object(Bucket=cloud.new_bucket(), Key="absent")


@pytest.mark.parametrize("canned,reads,owns", [
    ("bucket-owner-read", True, False), ("bucket-owner-full-control", True, True), ("private", False, False),
])  # fmt: skip
def test_PutObject__bucket_owner_canned_acls(cloud, s3, alice, ids, canned, reads, owns):
    bucket = cloud.new_bucket(ACL="public-read-write")
    alice.put_object(Bucket=bucket, Key="key", Body=b"hers", ACL=canned)
    assert allowed(lambda: s3.get_object(Bucket=bucket, Key="key")) is reads
    assert allowed(lambda: s3.get_object_acl(Bucket=bucket, Key="key")) is owns
    assert grants(alice.get_object_acl(Bucket=bucket, Key="key")) == {
        "private": {(ids["alice"], "FULL_CONTROL")},
        "bucket-owner-read": {(ids["alice"], "FULL_CONTROL"), (ids["root"], "READ")},
        "bucket-owner-full-control": {(ids["alice"], "FULL_CONTROL"), (ids["root"], "FULL_CONTROL")},
    }[canned]


# ---- one grant at a time -----------------------------------------------------------------------------


@pytest.mark.parametrize("permission,operations", [
    ("READ", {"get", "head"}), ("WRITE", set()), ("READ_ACP", {"get_acl"}), ("WRITE_ACP", {"put_acl"}),
    ("FULL_CONTROL", {"get", "head", "get_acl", "put_acl"}),
])  # fmt: skip
@pytest.mark.parametrize("how", ["id", "email", "header"])
def test_PutObjectAcl__one_grant(server, s3, alice, bob, ids, bucket, permission, operations, how):
    s3.put_object(Bucket=bucket, Key="key", Body=b"data")
    if how == "header":
        argument = {"READ": "GrantRead", "WRITE": "GrantWrite", "READ_ACP": "GrantReadACP",
                    "WRITE_ACP": "GrantWriteACP", "FULL_CONTROL": "GrantFullControl"}[permission]  # fmt: skip
        s3.put_object_acl(Bucket=bucket, Key="key", **{argument: f'id="{ids["alice"]}"'})
    else:
        grantee = {"Type": "CanonicalUser", "ID": ids["alice"]}
        if how == "email":
            grantee = {"Type": "AmazonCustomerByEmail", "EmailAddress": server.users["alice"].email.upper()}
        s3.put_object_acl(Bucket=bucket, Key="key", AccessControlPolicy={
            "Owner": {"ID": ids["root"]}, "Grants": [{"Grantee": grantee, "Permission": permission}]})  # fmt: skip
    calls = {
        "get": lambda client: client.get_object(Bucket=bucket, Key="key"),
        "head": lambda client: client.head_object(Bucket=bucket, Key="key"),
        "get_acl": lambda client: client.get_object_acl(Bucket=bucket, Key="key"),
        "put_acl": lambda client: client.put_object_acl(Bucket=bucket, Key="key", AccessControlPolicy={
            "Owner": {"ID": ids["root"]},
            "Grants": [{"Grantee": {"Type": "CanonicalUser", "ID": ids["alice"]}, "Permission": permission}]}),
        "put": lambda client: client.put_object(Bucket=bucket, Key="key", Body=b""),
        "delete": lambda client: client.delete_object(Bucket=bucket, Key="key"),
    }  # fmt: skip
    assert {name for name, call in calls.items() if allowed(lambda: call(alice))} == operations
    assert {name for name, call in calls.items() if allowed(lambda: call(bob))} == set()
    found = grants(s3.get_object_acl(Bucket=bucket, Key="key"))  # the owner always reads the ACL
    assert (ids["alice"], permission) in found


@pytest.mark.parametrize("permission,operations", [
    ("READ", {"list", "head", "versions"}), ("WRITE", {"put", "delete", "create upload"}), ("READ_ACP", {"get_acl"}),
    ("WRITE_ACP", {"put_acl"}),
    ("FULL_CONTROL", {"list", "head", "versions", "put", "delete", "create upload", "get_acl", "put_acl"}),
])  # fmt: skip
def test_PutBucketAcl__one_grant(s3, alice, bob, ids, bucket, permission, operations):
    def policy():
        return {"Owner": {"ID": ids["root"]}, "Grants": [
            {"Grantee": {"Type": "CanonicalUser", "ID": ids["alice"]}, "Permission": permission}]}  # fmt: skip

    s3.put_bucket_acl(Bucket=bucket, AccessControlPolicy=policy())
    calls = {
        "list": lambda client: client.list_objects_v2(Bucket=bucket),
        "head": lambda client: client.head_bucket(Bucket=bucket),
        "versions": lambda client: client.list_object_versions(Bucket=bucket),
        "put": lambda client: client.put_object(Bucket=bucket, Key="key", Body=b""),
        "delete": lambda client: client.delete_object(Bucket=bucket, Key="absent"),
        "create upload": lambda client: client.create_multipart_upload(Bucket=bucket, Key="key"),
        "get_acl": lambda client: client.get_bucket_acl(Bucket=bucket),
        "put_acl": lambda client: client.put_bucket_acl(Bucket=bucket, AccessControlPolicy=policy()),
        "delete bucket": lambda client: client.delete_bucket(Bucket=bucket),
        "versioning": lambda client: client.put_bucket_versioning(
            Bucket=bucket, VersioningConfiguration={"Status": "Enabled"}),
        "tag": lambda client: client.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": []}),
    }  # fmt: skip
    assert {name for name, call in calls.items() if allowed(lambda: call(alice))} == operations
    assert {name for name, call in calls.items() if allowed(lambda: call(bob))} == set()


def test_PutObjectAcl__groups(s3, people, ids, bucket):
    s3.put_object(Bucket=bucket, Key="key", Body=b"data")
    for uri, readers in ((ALL_USERS, EVERYONE), (AUTHENTICATED, USERS), (LOG_DELIVERY, {"root"})):
        s3.put_object_acl(Bucket=bucket, Key="key", AccessControlPolicy={"Owner": {"ID": ids["root"]}, "Grants": [
            {"Grantee": {"Type": "Group", "URI": uri}, "Permission": "READ"},
            {"Grantee": {"Type": "CanonicalUser", "ID": ids["root"]}, "Permission": "FULL_CONTROL"}]})  # fmt: skip
        assert who(people, lambda client: client.get_object(Bucket=bucket, Key="key")) == readers
        assert (uri, "READ") in grants(s3.get_object_acl(Bucket=bucket, Key="key"))


def test_PutObject__grant_headers_with_several_grantees(server, s3, people, ids, bucket):
    s3.put_object(
        Bucket=bucket, Key="key", Body=b"data", GrantRead=f'id="{ids["alice"]}", id="{ids["bob"]}"',
        GrantReadACP=f'emailAddress="{server.users["bob"].email}"', GrantFullControl=f'id={ids["root"]}')  # fmt: skip
    assert who(people, lambda client: client.get_object(Bucket=bucket, Key="key")) == USERS
    assert who(people, lambda client: client.get_object_acl(Bucket=bucket, Key="key")) == {"root", "bob"}
    assert grants(s3.get_object_acl(Bucket=bucket, Key="key")) == {
        (ids["alice"], "READ"), (ids["bob"], "READ"), (ids["bob"], "READ_ACP"), (ids["root"], "FULL_CONTROL")}  # fmt: skip
    s3.put_object(Bucket=bucket, Key="open", Body=b"data", GrantRead=f'uri="{ALL_USERS}"')
    assert who(people, lambda client: client.get_object(Bucket=bucket, Key="open")) >= {"alice", "bob", "anyone"}


def test_PutBucketAcl__read_back_as_written(server, root_user, s3, ids, bucket):
    s3.put_bucket_acl(Bucket=bucket, ACL="public-read")
    assert grants(s3.get_bucket_acl(Bucket=bucket)) == {(ids["root"], "FULL_CONTROL"), (ALL_USERS, "READ")}
    reply = raw.signed(server.url, root_user, "GET", f"/{bucket}?acl")
    assert b'xsi:type="Group"' in reply.body
    assert b'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"' in reply.body
    md5 = [("Content-MD5", base64.b64encode(hashlib.md5(reply.body).digest()).decode())]
    again = raw.signed(server.url, root_user, "PUT", f"/{bucket}?acl", reply.body, md5)
    assert again.status == 200, again
    assert grants(s3.get_bucket_acl(Bucket=bucket)) == {(ids["root"], "FULL_CONTROL"), (ALL_USERS, "READ")}


def ordered_grants(answer):
    return [((grant["Grantee"].get("ID") or grant["Grantee"]["URI"]).rpartition("/")[2], grant["Permission"])
            for grant in answer["Grants"]]  # fmt: skip


@pytest.mark.parametrize("canned,rest", [
    ("public-read", [("AllUsers", "READ")]), ("public-read-write", [("AllUsers", "READ"), ("AllUsers", "WRITE")]),
    ("authenticated-read", [("AuthenticatedUsers", "READ")]),
    ("log-delivery-write", [("LogDelivery", "WRITE"), ("LogDelivery", "READ_ACP")]),
])  # fmt: skip
def test_GetBucketAcl__a_canned_acl_names_the_owner_first(s3, ids, bucket, canned, rest):
    s3.put_bucket_acl(Bucket=bucket, ACL=canned)
    assert ordered_grants(s3.get_bucket_acl(Bucket=bucket)) == [(ids["root"], "FULL_CONTROL"), *rest]
    if canned != "log-delivery-write":
        s3.put_object(Bucket=bucket, Key="key", Body=b"", ACL=canned)
        assert ordered_grants(s3.get_object_acl(Bucket=bucket, Key="key")) == [(ids["root"], "FULL_CONTROL"), *rest]


@pytest.mark.parametrize("order", [1, -1])
def test_PutBucketAcl__grants_keep_the_order_of_the_document(s3, ids, bucket, order):
    written = [("ID", ids["root"], "FULL_CONTROL"), ("URI", LOG_DELIVERY, "WRITE"), ("ID", ids["alice"], "READ"),
               ("URI", ALL_USERS, "READ"), ("ID", ids["bob"], "READ_ACP")][::order]  # fmt: skip
    policy = {"Owner": {"ID": ids["root"]}, "Grants": [
        {"Grantee": {"Type": "CanonicalUser" if kind == "ID" else "Group", kind: who}, "Permission": permission}
        for kind, who, permission in written]}  # fmt: skip
    wanted = [(who.rpartition("/")[2], permission) for _, who, permission in written]
    s3.put_object(Bucket=bucket, Key="key", Body=b"")
    s3.put_bucket_acl(Bucket=bucket, AccessControlPolicy=policy)
    s3.put_object_acl(Bucket=bucket, Key="key", AccessControlPolicy=policy)
    assert ordered_grants(s3.get_bucket_acl(Bucket=bucket)) == wanted
    assert ordered_grants(s3.get_object_acl(Bucket=bucket, Key="key")) == wanted


# ---- refusals ---------------------------------------------------------------------------------------


@pytest.fixture
def kept(s3, bucket):
    """A bucket and an object with ACLs that a refused request must not change."""
    s3.put_object(Bucket=bucket, Key="key", Body=b"data", ACL="authenticated-read")
    s3.put_bucket_acl(Bucket=bucket, ACL="authenticated-read")
    before = (grants(s3.get_bucket_acl(Bucket=bucket)), grants(s3.get_object_acl(Bucket=bucket, Key="key")))
    yield bucket
    assert before == (grants(s3.get_bucket_acl(Bucket=bucket)), grants(s3.get_object_acl(Bucket=bucket, Key="key")))


TARGETS = ["/{}?acl", "/{}/key?acl"]


NOBODY = "f" * 64
MALFORMED_ACL = "The XML you provided was not well-formed or did not validate against our published schema"
BOTH = "Specifying both Canned ACLs and Header Grants is not allowed"


def argument(message, name, value):
    return 400, "InvalidArgument", message, {"ArgumentName": name, "ArgumentValue": value}


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("headers,refusal", [
    ([("x-amz-acl", "public-everything")], argument("", "x-amz-acl", "public-everything")),
    ([("x-amz-acl", "")], argument("", "x-amz-acl", "")),
    ([("x-amz-acl", "private"), ("x-amz-grant-read", 'id="x"')], (400, "InvalidRequest", BOTH, {})),
    ([("x-amz-grant-read", 'emailAddress="nobody@example.com"')],
     (400, "UnresolvableGrantByEmailAddress", "The email address you provided does not match any account on record.",
      {"EmailAddress": "nobody@example.com"})),
    ([("x-amz-grant-read", 'id="0123"')], argument("Invalid id", "id", "0123")),
    ([("x-amz-grant-write", "id=wrong-id")], argument("Invalid id", "id", "wrong-id")),
    ([("x-amz-grant-full-control", f'id="{NOBODY}"')], argument("Invalid id", "id", NOBODY)),
    ([("x-amz-grant-read-acp", 'uri="http://example.com/group"')],
     argument("Invalid group uri", "uri", "http://example.com/group")),
    ([("x-amz-grant-write", "uri=" + LOG_DELIVERY + "x")], argument("Invalid group uri", "uri", LOG_DELIVERY + "x")),
    ([("x-amz-grant-read", "nonsense")], argument("Argument format not recognized", "x-amz-grant-read", "nonsense")),
    ([("x-amz-grant-write-acp", "name=x")],
     argument("Argument format not recognized", "x-amz-grant-write-acp", "name=x")),
    ([], (400, "MissingSecurityHeader", "Your request was missing a required header",
          {"MissingHeaderName": "x-amz-acl"})),
])  # fmt: skip
def test_PutObjectAcl__bad_headers(server, root_user, kept, target, headers, refusal):
    reply = raw.signed(server.url, root_user, "PUT", target.format(kept), headers=headers)
    assert reply.refusal() == refusal


XSI = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'


def policy(owner, grants):
    return f"<AccessControlPolicy><Owner><ID>{owner}</ID></Owner><AccessControlList>{grants}</AccessControlList></AccessControlPolicy>"


def grant(inner, permission="READ", kind="CanonicalUser"):
    return f'<Grant><Grantee {XSI} xsi:type="{kind}">{inner}</Grantee><Permission>{permission}</Permission></Grant>'


MALFORMED = (400, "MalformedACLError", MALFORMED_ACL, {})


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("make,refusal", [
    (lambda owner: "<AccessControlPolicy", MALFORMED), (lambda owner: "<Other/>", MALFORMED),
    (lambda owner: "<AccessControlPolicy/>", MALFORMED),
    (lambda owner: policy(owner, grant(f"<ID>{owner}</ID>", "EVERYTHING")), MALFORMED),
    (lambda owner: policy(owner, grant("<ID>0123</ID>")), argument("Invalid id", "CanonicalUser/ID", "0123")),
    (lambda owner: policy(owner, grant(f"<ID>{NOBODY}</ID>")), argument("Invalid id", "CanonicalUser/ID", NOBODY)),
    (lambda owner: policy(owner, grant("<URI>http://example.com/</URI>", kind="Group")),
     argument("Invalid group uri", "Group/URI", "http://example.com/")),
    (lambda owner: policy(owner, grant("<EmailAddress>no@example.com</EmailAddress>", kind="AmazonCustomerByEmail")),
     (400, "UnresolvableGrantByEmailAddress", "The email address you provided does not match any account on record.",
      {"EmailAddress": "no@example.com"})),
    (lambda owner: policy(owner, grant(f"<ID>{owner}</ID>", kind="Robot")), MALFORMED),
    (lambda owner: policy(owner, grant("", kind="CanonicalUser")), MALFORMED),
    (lambda owner: policy("", grant(f"<ID>{owner}</ID>")), argument("Invalid id", "CanonicalUser/ID", "")),
    (lambda owner: policy("wrong-id", ""), argument("Invalid id", "CanonicalUser/ID", "wrong-id")),
    (lambda owner: policy("wrong-id", grant("<ID>also</ID>")), argument("Invalid id", "CanonicalUser/ID", "wrong-id")),
    (lambda owner: policy(owner, "".join(grant(f"<ID>{owner}</ID>") for _ in range(101))),
     (400, "MalformedACLError", "An ACL holds at most 100 grants", {})),
], ids=["cut", "other", "no owner", "permission", "short id", "unknown id", "group", "email", "type", "no id",
        "empty owner", "unknown owner", "unknown owner and grantee", "101 grants"])  # fmt: skip
def test_PutObjectAcl__bad_documents(server, root_user, ids, kept, target, make, refusal):
    reply = raw.signed(server.url, root_user, "PUT", target.format(kept), make(ids["root"]).encode())
    assert reply.refusal() == refusal


@pytest.mark.parametrize("target", TARGETS)
def test_PutObjectAcl__does_not_give_away_what_it_is_of(server, root_user, ids, kept, target):
    reply = raw.signed(server.url, root_user, "PUT", target.format(kept), policy(ids["alice"], "").encode())
    assert reply.refusal() == (403, "AccessDenied", "Access Denied", {})


def test_PutObjectAcl__header_and_document_together(server, root_user, ids, kept):
    body = policy(ids["root"], grant(f"<ID>{ids['root']}</ID>")).encode()
    reply = raw.signed(server.url, root_user, "PUT", f"/{kept}?acl", body, [("x-amz-acl", "private")])
    assert reply.refusal() == (400, "UnexpectedContent", "This request does not support content", {})


@pytest.mark.parametrize("name,value", [("x-amz-acl", "nobody"), ("x-amz-grant-read", "nonsense")])
def test_PutObject__bad_acl_header_stores_nothing(server, root_user, s3, bucket, name, value):
    reply = raw.signed(server.url, root_user, "PUT", f"/{bucket}/key", b"data", [(name, value)])
    assert (reply.status, reply.code) == (400, "InvalidArgument"), reply
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0


def test_PutObjectAcl__of_a_version(s3, anyone, versioned, gone):
    old = s3.put_object(Bucket=versioned, Key="key", Body=b"old")["VersionId"]
    s3.put_object(Bucket=versioned, Key="key", Body=b"new")
    s3.put_object_acl(Bucket=versioned, Key="key", VersionId=old, ACL="public-read")
    assert expect.body_of(anyone, versioned, "key", VersionId=old) == b"old"
    assert not allowed(lambda: anyone.get_object(Bucket=versioned, Key="key"))
    with expect.refused(404, "NoSuchVersion"):
        s3.get_object_acl(Bucket=versioned, Key="key", VersionId=gone)


def test_GetObjectAcl__missing_key(s3, bucket):
    for call in (
        lambda: s3.get_object_acl(Bucket=bucket, Key="absent"),
        lambda: s3.put_object_acl(Bucket=bucket, Key="absent", ACL="private"),
    ):
        with expect.refused(404, "NoSuchKey"):
            call()


def test_GetObject__absence_is_told_only_to_who_may_list(cloud, s3, people, bucket):
    with expect.refused(404, "NoSuchKey"):
        s3.get_object(Bucket=bucket, Key="absent")
    for name in ("alice", "anyone"):
        with expect.refused(403, "AccessDenied"):
            people[name].get_object(Bucket=bucket, Key="absent")
        with expect.refused(403, "403"):
            people[name].head_object(Bucket=bucket, Key="absent")
    s3.put_bucket_acl(Bucket=bucket, ACL="public-read")
    for name in ("alice", "anyone"):
        with expect.refused(404, "NoSuchKey"):
            people[name].get_object(Bucket=bucket, Key="absent")


def test_DeleteObjects__per_key_access(cloud, s3, alice, anyone, bucket):
    s3.put_object(Bucket=bucket, Key="key", Body=b"data")
    for client in (alice, anyone):
        with expect.refused(403, "AccessDenied"):
            client.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "key"}]})
    assert expect.body_of(s3, bucket, "key") == b"data"


def test_every_bucket_operation__of_a_private_bucket_is_refused(people, s3, bucket):
    s3.put_object(Bucket=bucket, Key="key", Body=b"data")
    calls = {
        "acl": lambda c: c.get_bucket_acl(Bucket=bucket), "location": lambda c: c.get_bucket_location(Bucket=bucket),
        "versioning": lambda c: c.get_bucket_versioning(Bucket=bucket), "cors": lambda c: c.get_bucket_cors(Bucket=bucket),
        "tagging": lambda c: c.get_bucket_tagging(Bucket=bucket), "policy": lambda c: c.get_bucket_policy(Bucket=bucket),
        "list": lambda c: c.list_objects_v2(Bucket=bucket), "versions": lambda c: c.list_object_versions(Bucket=bucket),
        "uploads": lambda c: c.list_multipart_uploads(Bucket=bucket), "head": lambda c: c.head_bucket(Bucket=bucket),
        "lifecycle": lambda c: c.get_bucket_lifecycle_configuration(Bucket=bucket),
        "attributes": lambda c: c.get_object_attributes(Bucket=bucket, Key="key", ObjectAttributes=["ETag"]),
    }  # fmt: skip
    for name, call in calls.items():
        for person in ("alice", "bob", "anyone"):
            assert not allowed(lambda: call(people[person])), (name, person)


def test_session_token__is_demanded_and_checked(cloud, server):
    temp = cloud.client("temp")
    bucket = cloud.new_bucket("temp")
    temp.put_object(Bucket=bucket, Key="key", Body=b"data")
    assert expect.body_of(temp, bucket, "key") == b"data"
    user = server.users["temp"]
    for token, refusal in (("", (403, "AccessDenied")), ("wrong", (400, "InvalidToken"))):
        forged = raw.User("x", user.access_key, user.secret_key, session_token=token)
        reply = raw.signed(server.url, forged, "GET", f"/{bucket}/key")
        assert (reply.status, reply.code) == refusal, reply
    root = server.users["root"]
    forged = raw.User("x", root.access_key, root.secret_key, session_token="surplus")
    assert raw.signed(server.url, forged, "GET", "/").status == 400
