# SPDX-License-Identifier: Apache-2.0
"""Ownership controls and the public access block: kept, and what they do.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/about-object-ownership.html
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html
"""

import pytest

from sdk import expect
from sdk.cloud import Cloud, bucket_name
from sdk.test_acl import ALL_USERS, allowed, grants
from wire import process, raw

OWNERSHIPS = ["ObjectWriter", "BucketOwnerPreferred", "BucketOwnerEnforced"]
SETTINGS = ["BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"]
NO_ACLS = (400, "AccessControlListNotSupported")
ACLS_SET = (400, "InvalidBucketAclWithObjectOwnership")


@pytest.fixture
def ids(server, s3):
    return {"root": s3.list_buckets()["Owner"]["ID"], "alice": server.users["alice"].canonical_id}


def own(client, bucket, ownership):
    client.put_bucket_ownership_controls(Bucket=bucket, OwnershipControls={"Rules": [{"ObjectOwnership": ownership}]})


def block(client, bucket, *settings):
    client.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration={name: name in settings for name in SETTINGS})


def owner_of(client, bucket, key):
    return client.get_object_acl(Bucket=bucket, Key=key)["Owner"]["ID"]


def put(server, user, target, body):
    request = raw.Request("PUT", target, [("Host", raw.host_of(server.url))], body)
    raw.sign_v4(raw.with_md5(request), user)
    return raw.send(server.url, request)


# ---- kept ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ownership", OWNERSHIPS)
def test_GetBucketOwnershipControls__says_what_was_put(s3, bucket, ownership):
    own(s3, bucket, ownership)
    rules = s3.get_bucket_ownership_controls(Bucket=bucket)["OwnershipControls"]["Rules"]
    assert rules == [{"ObjectOwnership": ownership}]


def test_DeleteBucketOwnershipControls__can_be_repeated(s3, bucket):
    own(s3, bucket, "BucketOwnerEnforced")
    for _ in range(2):
        assert expect.status_of(s3.delete_bucket_ownership_controls(Bucket=bucket)) == 204
        with expect.refused(404, "OwnershipControlsNotFoundError"):
            s3.get_bucket_ownership_controls(Bucket=bucket)
    s3.put_bucket_acl(Bucket=bucket, ACL="public-read")


@pytest.mark.parametrize("content", [
    "", "<Rule/>", "<Rule></Rule><Rule></Rule>", "<Rule><ObjectOwnership/></Rule>",
    "<Rule><ObjectOwnership>bucketownerenforced</ObjectOwnership></Rule>",
    "<Rule><ObjectOwnership>Nobody</ObjectOwnership></Rule>",
    "<Rule><ObjectOwnership>ObjectWriter</ObjectOwnership><ObjectOwnership>ObjectWriter</ObjectOwnership></Rule>",
    "<Rule><ObjectOwnership>ObjectWriter</ObjectOwnership></Rule><Rule><ObjectOwnership>ObjectWriter</ObjectOwnership></Rule>",
    "<Rules><ObjectOwnership>ObjectWriter</ObjectOwnership></Rules>", "<Rule><Owner>ObjectWriter</Owner></Rule>",
])  # fmt: skip
def test_PutBucketOwnershipControls__malformed(server, root_user, bucket, content):
    body = f"<OwnershipControls>{content}</OwnershipControls>".encode()
    reply = put(server, root_user, f"/{bucket}?ownershipControls", body)
    assert (reply.status, reply.code) == (400, "MalformedXML"), reply
    assert raw.signed(server.url, root_user, "GET", f"/{bucket}?ownershipControls").status == 404


def test_GetPublicAccessBlock__every_combination_is_kept(s3, bucket):
    for number in range(16):
        chosen = [name for bit, name in enumerate(SETTINGS) if number >> bit & 1]
        block(s3, bucket, *chosen)
        found = s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]
        assert found == {name: name in chosen for name in SETTINGS}


def test_DeletePublicAccessBlock__can_be_repeated(s3, bucket):
    block(s3, bucket, "BlockPublicAcls")
    for _ in range(2):
        assert expect.status_of(s3.delete_public_access_block(Bucket=bucket)) == 204
        with expect.refused(404, "NoSuchPublicAccessBlockConfiguration"):
            s3.get_public_access_block(Bucket=bucket)
    s3.put_bucket_acl(Bucket=bucket, ACL="public-read")


@pytest.mark.parametrize(("content", "code"), [
    ("", "InvalidRequest"), ("<BlockPublicAcls>yes</BlockPublicAcls>", "MalformedXML"), ("<BlockPublicAcls/>", "MalformedXML"),
    ("<BlockAll>true</BlockAll>", "MalformedXML"),
    ("<BlockPublicAcls>true</BlockPublicAcls><BlockPublicAcls>true</BlockPublicAcls>", "MalformedXML"),
])  # fmt: skip
def test_PutPublicAccessBlock__malformed(server, root_user, bucket, content, code):
    body = f"<PublicAccessBlockConfiguration>{content}</PublicAccessBlockConfiguration>".encode()
    reply = put(server, root_user, f"/{bucket}?publicAccessBlock", body)
    assert (reply.status, reply.code) == (400, code), reply
    assert raw.signed(server.url, root_user, "GET", f"/{bucket}?publicAccessBlock").status == 404


def test_PutPublicAccessBlock__what_is_not_named_is_false(s3, bucket):
    s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration={"IgnorePublicAcls": True})
    found = s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]
    assert found == {name: name == "IgnorePublicAcls" for name in SETTINGS}


# ---- whose a new object is ---------------------------------------------------------------------------

WAYS = ["put", "copy", "multipart"]


def write(client, bucket, key, way, **arguments):
    if way == "put":
        client.put_object(Bucket=bucket, Key=key, Body=b"x", **arguments)
    elif way == "copy":
        client.copy_object(Bucket=bucket, Key=key, CopySource=f"{bucket}/source", **arguments)
    else:
        expect.multipart_object(client, bucket, key, [b"x"], **arguments)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(("ownership", "acl", "owner"), [
    (None, None, "alice"), (None, "bucket-owner-full-control", "alice"),
    ("ObjectWriter", None, "alice"), ("ObjectWriter", "bucket-owner-full-control", "alice"),
    ("BucketOwnerPreferred", None, "alice"), ("BucketOwnerPreferred", "public-read", "alice"),
    ("BucketOwnerPreferred", "bucket-owner-full-control", "root"),
    ("BucketOwnerEnforced", None, "root"), ("BucketOwnerEnforced", "bucket-owner-full-control", "root"),
])  # fmt: skip
def test_ownership__of_a_new_object(s3, alice, bucket, ids, way, ownership, acl, owner):
    s3.put_object(Bucket=bucket, Key="source", Body=b"x", ACL="public-read")
    if ownership != "BucketOwnerEnforced":  # there nobody else writes without a bucket policy
        s3.put_bucket_acl(Bucket=bucket, ACL="public-read-write")
    if ownership:
        own(s3, bucket, ownership)
    writer = s3 if ownership == "BucketOwnerEnforced" else alice
    write(writer, bucket, "new", way, **({"ACL": acl} if acl else {}))
    reader = s3 if owner == "root" else alice
    assert owner_of(reader, bucket, "new") == ids[owner]
    assert [entry["Owner"]["ID"] for entry in s3.list_objects(Bucket=bucket, Prefix="new")["Contents"]] == [ids[owner]]


def test_ownership__an_upload_stays_its_initiators_whosever_the_object_becomes(s3, alice, bob, bucket, ids):
    s3.put_bucket_acl(Bucket=bucket, ACL="public-read-write")
    own(s3, bucket, "BucketOwnerPreferred")
    upload = alice.create_multipart_upload(Bucket=bucket, Key="key", ACL="bucket-owner-full-control")["UploadId"]
    assert not allowed(lambda: bob.upload_part(Bucket=bucket, Key="key", UploadId=upload, PartNumber=1, Body=b"bob's"))
    alice.upload_part(Bucket=bucket, Key="key", UploadId=upload, PartNumber=1, Body=b"hers")
    parts = alice.list_parts(Bucket=bucket, Key="key", UploadId=upload)
    assert (parts["Initiator"]["ID"].rpartition("/")[2], parts["Owner"]["ID"]) == (ids["alice"], ids["root"])
    alice.abort_multipart_upload(Bucket=bucket, Key="key", UploadId=upload)


# ---- ACLs that are disabled --------------------------------------------------------------------------


@pytest.fixture
def enforced(s3, alice, bucket):
    """Alice wrote here while ACLs were on, and opened what she wrote."""
    s3.put_bucket_acl(Bucket=bucket, ACL="public-read-write")
    alice.put_object(Bucket=bucket, Key="hers", Body=b"x", ACL="public-read")
    s3.put_bucket_acl(Bucket=bucket, ACL="private")
    own(s3, bucket, "BucketOwnerEnforced")
    return bucket


def test_BucketOwnerEnforced__lists_say_nothing_and_all_is_the_bucket_owners(s3, alice, anyone, enforced, ids):
    assert expect.body_of(s3, enforced, "hers") == b"x"
    for client in (alice, anyone):
        assert not allowed(lambda client=client: client.get_object(Bucket=enforced, Key="hers"))
        assert not allowed(lambda client=client: client.get_object_acl(Bucket=enforced, Key="hers"))
        assert not allowed(lambda client=client: client.get_object_tagging(Bucket=enforced, Key="hers"))
    answer = s3.get_object_acl(Bucket=enforced, Key="hers")
    assert (answer["Owner"]["ID"], grants(answer)) == (ids["root"], {(ids["root"], "FULL_CONTROL")})
    assert grants(s3.get_bucket_acl(Bucket=enforced)) == {(ids["root"], "FULL_CONTROL")}
    s3.delete_bucket_ownership_controls(Bucket=enforced)  # the lists are still there
    assert expect.body_of(anyone, enforced, "hers") == b"x"
    assert owner_of(alice, enforced, "hers") == ids["alice"]


@pytest.mark.parametrize("acl", ["private", "public-read", "authenticated-read", "bucket-owner-read"])
def test_BucketOwnerEnforced__refuses_what_sets_an_acl(s3, enforced, ids, acl):
    with expect.refused(*NO_ACLS):
        s3.put_object_acl(Bucket=enforced, Key="hers", ACL=acl)
    if acl != "bucket-owner-read":
        with expect.refused(*NO_ACLS):
            s3.put_bucket_acl(Bucket=enforced, ACL=acl)
    with expect.refused(*NO_ACLS):
        s3.put_object(Bucket=enforced, Key="new", Body=b"x", ACL=acl)
    with expect.refused(*NO_ACLS):
        s3.create_multipart_upload(Bucket=enforced, Key="new", ACL=acl)
    with expect.refused(*NO_ACLS):
        s3.copy_object(Bucket=enforced, Key="new", CopySource=f"{enforced}/hers", ACL=acl)
    with expect.refused(*NO_ACLS):
        s3.put_object(Bucket=enforced, Key="new", Body=b"x", GrantRead=f'id="{ids["root"]}"')
    with expect.refused(*NO_ACLS):
        s3.put_object(Bucket=enforced, Key="new", Body=b"x", GrantFullControl=f'id="{ids["alice"]}"')
    assert expect.keys_of(s3.list_objects_v2(Bucket=enforced)) == ["hers"]


def test_BucketOwnerEnforced__takes_what_says_what_holds_anyway(s3, enforced, ids):
    s3.put_object(Bucket=enforced, Key="a", Body=b"x", ACL="bucket-owner-full-control")
    s3.put_object(Bucket=enforced, Key="b", Body=b"x", GrantFullControl=f'id="{ids["root"]}"')
    for key in "ab":
        assert grants(s3.get_object_acl(Bucket=enforced, Key=key)) == {(ids["root"], "FULL_CONTROL")}


@pytest.mark.parametrize("acl", ["public-read", "authenticated-read", "log-delivery-write"])
def test_BucketOwnerEnforced__is_refused_while_the_bucket_has_an_acl(s3, bucket, acl):
    s3.put_bucket_acl(Bucket=bucket, ACL=acl)
    with expect.refused(*ACLS_SET):
        own(s3, bucket, "BucketOwnerEnforced")
    own(s3, bucket, "BucketOwnerPreferred")
    s3.put_bucket_acl(Bucket=bucket, ACL="private")
    own(s3, bucket, "BucketOwnerEnforced")


# ---- CreateBucket -----------------------------------------------------------------------------------


@pytest.mark.parametrize("ownership", OWNERSHIPS)
def test_CreateBucket__with_ownership(s3, ownership):
    name = bucket_name()
    s3.create_bucket(Bucket=name, ObjectOwnership=ownership)
    rules = s3.get_bucket_ownership_controls(Bucket=name)["OwnershipControls"]["Rules"]
    assert rules == [{"ObjectOwnership": ownership}]
    with expect.refused(404, "NoSuchPublicAccessBlockConfiguration"):
        s3.get_public_access_block(Bucket=name)


def test_CreateBucket__with_ownership_and_tags(s3):
    name = bucket_name()
    tags = [{"Key": "a", "Value": "b"}]
    s3.create_bucket(Bucket=name, ObjectOwnership="BucketOwnerEnforced", CreateBucketConfiguration={"Tags": tags})
    assert s3.get_bucket_tagging(Bucket=name)["TagSet"] == tags
    with expect.refused(*NO_ACLS):
        s3.put_bucket_acl(Bucket=name, ACL="public-read")


def test_CreateBucket__enforced_with_an_acl(s3):
    name = bucket_name()
    with expect.refused(*ACLS_SET):
        s3.create_bucket(Bucket=name, ObjectOwnership="BucketOwnerEnforced", ACL="public-read")
    with expect.refused(404, "404"):
        s3.head_bucket(Bucket=name)
    s3.create_bucket(Bucket=name, ObjectOwnership="BucketOwnerEnforced", ACL="private")


def test_CreateBucket__again_does_not_reach_behind_the_bucket_s_documents(s3, ids):
    """In us-east-1 the owner's second CreateBucket sets the ACL."""
    name = bucket_name()
    s3.create_bucket(Bucket=name, ObjectOwnership="BucketOwnerEnforced")
    with expect.refused(*NO_ACLS):
        s3.create_bucket(Bucket=name, ACL="public-read")
    s3.delete_bucket_ownership_controls(Bucket=name)
    block(s3, name, "BlockPublicAcls")
    with expect.refused(403, "AccessDenied"):
        s3.create_bucket(Bucket=name, ACL="public-read")
    assert grants(s3.get_bucket_acl(Bucket=name)) == {(ids["root"], "FULL_CONTROL")}


@pytest.fixture(scope="module")
def as_aws(tmp_path_factory):
    server = process.Server(tmp_path_factory.mktemp("as-aws"), "--new-buckets", "aws", "--buckets", "at-start")
    yield Cloud(server).client()
    server.stop()


def test_new_buckets__as_aws_have_acls_disabled_and_all_public_access_blocked(as_aws):
    as_aws.create_bucket(Bucket="made")
    for name in ("made", "at-start"):
        rules = as_aws.get_bucket_ownership_controls(Bucket=name)["OwnershipControls"]["Rules"]
        assert rules == [{"ObjectOwnership": "BucketOwnerEnforced"}]
        found = as_aws.get_public_access_block(Bucket=name)["PublicAccessBlockConfiguration"]
        assert found == dict.fromkeys(SETTINGS, True)
        with expect.refused(*NO_ACLS):
            as_aws.put_object(Bucket=name, Key="key", Body=b"x", ACL="public-read")
    as_aws.create_bucket(Bucket="made")  # again is fine
    with expect.refused(*ACLS_SET):
        as_aws.create_bucket(Bucket="opened", ACL="public-read")


def test_new_buckets__as_aws_with_an_ownership_of_ones_own_have_acls_and_the_block(as_aws):
    """As on AWS: delete the block, then ACLs may be public."""
    as_aws.create_bucket(Bucket="preferred", ObjectOwnership="BucketOwnerPreferred")
    with expect.refused(403, "AccessDenied"):
        as_aws.put_bucket_acl(Bucket="preferred", ACL="public-read")
    as_aws.delete_public_access_block(Bucket="preferred")
    as_aws.put_bucket_acl(Bucket="preferred", ACL="public-read")


# ---- the public access block --------------------------------------------------------------------------


@pytest.mark.parametrize("acl", ["public-read", "public-read-write", "authenticated-read"])
def test_BlockPublicAcls__refuses_public_acls_and_leaves_those_that_are_there(s3, anyone, bucket, ids, acl):
    s3.put_bucket_acl(Bucket=bucket, ACL="public-read")
    s3.put_object(Bucket=bucket, Key="open", Body=b"x", ACL="public-read")
    block(s3, bucket, "BlockPublicAcls")
    calls = [
        lambda: s3.put_bucket_acl(Bucket=bucket, ACL=acl),
        lambda: s3.put_object_acl(Bucket=bucket, Key="open", ACL=acl),
        lambda: s3.put_object(Bucket=bucket, Key="new", Body=b"x", ACL=acl),
        lambda: s3.create_multipart_upload(Bucket=bucket, Key="new", ACL=acl),
        lambda: s3.copy_object(Bucket=bucket, Key="new", CopySource=f"{bucket}/open", ACL=acl),
        lambda: s3.put_object(Bucket=bucket, Key="new", Body=b"x", GrantRead=f'uri="{ALL_USERS}"'),
        lambda: s3.put_bucket_acl(Bucket=bucket, AccessControlPolicy={
            "Owner": {"ID": ids["root"]},
            "Grants": [{"Grantee": {"Type": "Group", "URI": ALL_USERS}, "Permission": "READ"}]}),
    ]  # fmt: skip
    for call in calls:
        with expect.refused(403, "AccessDenied"):
            call()
    assert expect.body_of(anyone, bucket, "open") == b"x"
    assert expect.keys_of(anyone.list_objects_v2(Bucket=bucket)) == ["open"]
    s3.put_object_acl(Bucket=bucket, Key="open", ACL="bucket-owner-read")
    s3.put_object(Bucket=bucket, Key="new", Body=b"x", GrantRead=f'id="{ids["alice"]}"')


def test_IgnorePublicAcls__public_grants_do_not_count(s3, alice, bob, anyone, bucket, ids):
    s3.put_bucket_acl(Bucket=bucket, ACL="public-read-write")
    s3.put_object(Bucket=bucket, Key="open", Body=b"x", GrantRead=f'uri="{ALL_USERS}", id="{ids["alice"]}"')
    block(s3, bucket, "IgnorePublicAcls")
    for client in (bob, anyone):
        assert not allowed(lambda client=client: client.get_object(Bucket=bucket, Key="open"))
        assert not allowed(lambda client=client: client.list_objects_v2(Bucket=bucket))
        assert not allowed(lambda client=client: client.put_object(Bucket=bucket, Key="new", Body=b"x"))
    assert expect.body_of(alice, bucket, "open") == b"x", "a grant to one user still counts"
    s3.put_object_acl(Bucket=bucket, Key="open", ACL="public-read")  # may be set, and does nothing
    assert not allowed(lambda: anyone.get_object(Bucket=bucket, Key="open"))
    assert (ALL_USERS, "READ") in grants(s3.get_object_acl(Bucket=bucket, Key="open"))
    s3.delete_public_access_block(Bucket=bucket)
    assert expect.body_of(anyone, bucket, "open") == b"x"


def test_documents_of_who_may__only_the_bucket_owner_touches_them(s3, alice, bucket):
    s3.put_bucket_acl(Bucket=bucket, ACL="public-read-write")
    for call in (
        lambda: own(alice, bucket, "ObjectWriter"), lambda: block(alice, bucket),
        lambda: alice.get_bucket_ownership_controls(Bucket=bucket), lambda: alice.get_public_access_block(Bucket=bucket),
        lambda: alice.delete_bucket_ownership_controls(Bucket=bucket), lambda: alice.delete_public_access_block(Bucket=bucket),
    ):  # fmt: skip
        assert not allowed(call)
