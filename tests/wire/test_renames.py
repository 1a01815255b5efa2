# SPDX-License-Identifier: Apache-2.0
"""RenameObject: an object gets another key, at once and as a whole; nothing else of it changes.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_RenameObject.html
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/directory-buckets-objects-rename.html
"""

import concurrent.futures
import email.utils
import json
import time

import pytest

from sdk import expect
from sdk.cloud import bucket_name
from wire import raw

SOURCE = "x-amz-rename-source"
WRONG = '"00000000000000000000000000000000"'


@pytest.fixture
def rename(server, root_user, bucket):
    """rename(key, source, other headers..., user=) in the bucket."""

    def ask(key, source, *headers, user=root_user):
        given = ([] if source is None else [(SOURCE, source)]) + list(headers)
        return raw.signed(server.url, user, "PUT", f"/{bucket}/{raw.quote(key)}?renameObject", headers=given)

    return ask


def why(reply):
    return reply.status, reply.code


def keys(s3, bucket):
    return [item["Key"] for item in s3.list_objects_v2(Bucket=bucket).get("Contents", [])]


def body(s3, bucket, key):
    return s3.get_object(Bucket=bucket, Key=key)["Body"].read()


def at(offset_s):
    return email.utils.formatdate(time.time() + offset_s, usegmt=True)


def policy(bucket, actions):
    """That allows everybody each action on its key; None: on the bucket."""
    return json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": "*", "Action": action,
         "Resource": f"arn:aws:s3:::{bucket}" + (f"/{key}" if key else "")}
        for action, key in actions.items()]})  # fmt: skip


# ---- what it does ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [0, 10, 70_000, 5 << 20])
def test_RenameObject__moves_all_that_is_told_of_the_object(s3, bucket, rename, size):
    data = expect.noise(size)
    s3.put_object(Bucket=bucket, Key="old", Body=data, ContentType="text/plain", Metadata={"a": "1"}, Tagging="t=1",
                  ChecksumAlgorithm="SHA256", StorageClass="STANDARD_IA", ServerSideEncryption="AES256")  # fmt: skip
    before = s3.head_object(Bucket=bucket, Key="old", ChecksumMode="ENABLED")
    reply = rename("new", "old")
    assert (reply.status, reply.body) == (200, b"")
    after = s3.head_object(Bucket=bucket, Key="new", ChecksumMode="ENABLED")
    for answer in (before, after):
        del answer["ResponseMetadata"]
    assert after == before
    assert s3.get_object_tagging(Bucket=bucket, Key="new")["TagSet"] == [{"Key": "t", "Value": "1"}]
    assert body(s3, bucket, "new") == data
    with expect.refused(404, "NoSuchKey"):
        s3.get_object(Bucket=bucket, Key="old")
    assert keys(s3, bucket) == ["new"]


def test_RenameObject__replaces_what_has_the_key(s3, bucket, rename):
    for key in ("old", "new"):
        s3.put_object(Bucket=bucket, Key=key, Body=key.encode())
        assert body(s3, bucket, key) == key.encode()
    assert rename("new", "old").status == 200
    assert (body(s3, bucket, "new"), keys(s3, bucket)) == (b"old", ["new"])


def test_RenameObject__keeps_the_parts_of_a_multipart_object(s3, bucket, rename):
    upload, parts = expect.upload_parts(s3, bucket, "old", [b"a" * (5 << 20), b"b"])
    made = s3.complete_multipart_upload(Bucket=bucket, Key="old", UploadId=upload, MultipartUpload={"Parts": parts})
    assert rename("new", "old").status == 200
    assert s3.head_object(Bucket=bucket, Key="new", PartNumber=2)["PartsCount"] == 2
    assert s3.head_object(Bucket=bucket, Key="new")["ETag"] == made["ETag"]


@pytest.mark.parametrize("source", ["{key}", "{bucket}/{key}", "/{bucket}/{key}"])
@pytest.mark.parametrize("key", ["a/b c+d", "ä/ö", "/a"])
def test_RenameObject__takes_a_key_or_the_bucket_and_a_key(s3, bucket, rename, source, key):
    s3.put_object(Bucket=bucket, Key=key, Body=b"x")
    assert rename("new", raw.quote(source.format(bucket=bucket, key=key))).status == 200
    assert keys(s3, bucket) == ["new"]


def test_RenameObject__a_key_that_looks_like_a_bucket_and_a_key_is_a_key(s3, bucket, rename):
    for key in ("a", f"{bucket}/a"):
        s3.put_object(Bucket=bucket, Key=key, Body=key.encode())
    assert rename("new", f"{bucket}/a").status == 200
    assert body(s3, bucket, "new") == f"{bucket}/a".encode()
    assert sorted(keys(s3, bucket)) == ["a", "new"]


# ---- what it refuses ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key,source,refusal", [
    ("new", None, (400, "MissingSecurityHeader")),
    ("new", "", (400, "InvalidArgument")),
    ("new", "%zz", (400, "InvalidArgument")),
    ("new", "a%00", (400, "InvalidArgument")),
    ("new", "a" * 1024, (404, "NoSuchKey")),
    ("new", "a" * 1025, (400, "InvalidArgument")),
    ("new", "none", (404, "NoSuchKey")),
    ("new", "other-bucket/old", (404, "NoSuchKey")),
    ("new", "/old", (404, "NoSuchKey")),
    ("new", "old/", (400, "InvalidRequest")),
    ("new/", "old", (400, "InvalidRequest")),
    ("old", "old", (400, "InvalidRequest")),
])  # fmt: skip
def test_RenameObject__refuses_what_is_no_other_key_of_an_object(s3, bucket, rename, key, source, refusal):
    s3.put_object(Bucket=bucket, Key="old", Body=b"x")
    assert why(rename(key, source)) == refusal
    assert keys(s3, bucket) == ["old"]


def test_RenameObject__names_the_key_that_is_not_there(rename):
    assert rename("new", "none").facts == {"Key": "none"}


@pytest.mark.parametrize("status", ["Enabled", "Suspended"])
def test_RenameObject__is_not_for_buckets_with_versions(s3, bucket, rename, status):
    s3.put_object(Bucket=bucket, Key="old", Body=b"x")
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": status})
    assert why(rename("new", "old")) == (501, "NotImplemented")
    assert keys(s3, bucket) == ["old"]


# ---- conditions --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name,value,holds", [
    ("x-amz-rename-source-if-match", "{old}", True),
    ("x-amz-rename-source-if-match", WRONG, False),
    ("x-amz-rename-source-if-none-match", WRONG, True),
    ("x-amz-rename-source-if-none-match", "{old}", False),
    ("x-amz-rename-source-if-none-match", "*", False),
    ("x-amz-rename-source-if-modified-since", at(-86400), True),
    ("x-amz-rename-source-if-modified-since", at(0), False),
    ("x-amz-rename-source-if-unmodified-since", at(86400), True),
    ("x-amz-rename-source-if-unmodified-since", at(-86400), False),
    ("If-Match", "{new}", True),
    ("If-Match", WRONG, False),
    ("If-None-Match", "*", False),
    ("If-Modified-Since", at(-86400), True),
    ("If-Modified-Since", at(0), False),
    ("If-Unmodified-Since", at(86400), True),
    ("If-Unmodified-Since", at(-86400), False),
])  # fmt: skip
def test_RenameObject__heeds_each_of_its_eight_conditions(make_server, name, value, holds):
    server = make_server()
    user = server.users["root"]
    raw.signed(server.url, user, "PUT", "/conditions")
    etags = {}
    for key in ("old", "new"):
        etags[key] = raw.signed(server.url, user, "PUT", f"/conditions/{key}", key.encode()).header("etag")
    if "modified-since" in name.lower() and "un" not in name.lower() and not holds:
        value = raw.signed(server.url, user, "HEAD", "/conditions/old").header("last-modified")
        if not name.startswith("x"):
            value = raw.signed(server.url, user, "HEAD", "/conditions/new").header("last-modified")
    reply = raw.signed(server.url, user, "PUT", "/conditions/new?renameObject",
                       headers=[(SOURCE, "old"), (name, value.format(**etags))])  # fmt: skip
    there = raw.signed(server.url, user, "HEAD", "/conditions/old").status
    if holds:
        assert (reply.status, there) == (200, 404)
    else:
        assert (why(reply), there) == ((412, "PreconditionFailed"), 200)
        assert reply.facts["Condition"].lower() == name.lower()


@pytest.mark.parametrize("name,value,refusal", [
    ("If-Match", WRONG, (412, "PreconditionFailed")),
    ("If-Match", "*", (412, "PreconditionFailed")),
    ("If-Modified-Since", at(-86400), (412, "PreconditionFailed")),
    ("If-None-Match", "*", None),
    ("If-Unmodified-Since", at(-86400), None),
    ("If-None-Match", WRONG, (501, "NotImplemented")),
])  # fmt: skip
def test_RenameObject__conditions_on_what_is_not_there(s3, bucket, rename, name, value, refusal):
    s3.put_object(Bucket=bucket, Key="old", Body=b"x")
    reply = rename("new", "old", (name, value))
    assert (why(reply) if refusal else reply.status) == (refusal or 200)
    assert keys(s3, bucket) == (["old"] if refusal else ["new"])


# ---- tokens ------------------------------------------------------------------------------------------------------


def test_RenameObject__the_same_token_again_does_nothing_more(s3, bucket, rename):
    token = ("x-amz-client-token", "token")
    s3.put_object(Bucket=bucket, Key="old", Body=b"1")
    assert rename("new", "old", token).status == 200
    assert rename("new", "old", token).status == 200  # there is no "old", and none is wanted
    s3.put_object(Bucket=bucket, Key="old", Body=b"2")
    assert rename("new", "old", token).status == 200
    assert (body(s3, bucket, "old"), body(s3, bucket, "new")) == (b"2", b"1")


@pytest.mark.parametrize("other", ["key", "source", "condition", "caller"])
def test_RenameObject__a_token_is_of_one_request(server, s3, bucket, rename, other):
    token = ("x-amz-client-token", "token")
    alice = server.users["alice"]
    s3.put_bucket_policy(Bucket=bucket, Policy=policy(bucket, {"s3:*": "*"}))
    for key in ("old", "older"):
        s3.put_object(Bucket=bucket, Key=key, Body=b"1")
    assert rename("new", "old", token).status == 200
    again = {"key": lambda: rename("newer", "old", token), "source": lambda: rename("new", "older", token),
             "condition": lambda: rename("new", "old", token, ("If-None-Match", "*")),
             "caller": lambda: rename("new", "old", token, user=alice)}[other]()  # fmt: skip
    assert why(again) == (400, "IdempotencyParameterMismatch")
    assert keys(s3, bucket) == ["new", "older"]


def test_RenameObject__a_token_is_of_one_bucket(server, root_user, s3, cloud, bucket, rename):
    token = ("x-amz-client-token", "token")
    for name in (bucket, cloud.new_bucket()):
        s3.put_object(Bucket=name, Key="old", Body=b"1")
        reply = raw.signed(server.url, root_user, "PUT", f"/{name}/new?renameObject", headers=[(SOURCE, "old"), token])
        assert (reply.status, keys(s3, name)) == (200, ["new"])


@pytest.mark.parametrize("token,taken", [
    ("!~" + "a" * 62, True), ("a" * 65, False), ("", False), ("a b", False), ("ä", False),
])  # fmt: skip
def test_RenameObject__a_token_has_64_printable_characters_at_most(s3, bucket, rename, token, taken):
    s3.put_object(Bucket=bucket, Key="old", Body=b"1")
    reply = rename("new", "old", ("x-amz-client-token", token))
    assert (reply.status if taken else why(reply)) == (200 if taken else (400, "InvalidArgument"))
    assert keys(s3, bucket) == (["new"] if taken else ["old"])


def test_RenameObject__a_token_outlives_the_server(make_server):
    server = make_server("--buckets", "kept")
    user, headers = server.users["root"], [(SOURCE, "old"), ("x-amz-client-token", "token")]
    for text in (b"1", b"2"):
        assert raw.signed(server.url, user, "PUT", "/kept/old", text).status == 200
        assert raw.signed(server.url, user, "PUT", "/kept/new?renameObject", headers=headers).status == 200
        server.stop()
        server.start()
    assert raw.signed(server.url, user, "GET", "/kept/old").body == b"2"
    assert raw.signed(server.url, user, "GET", "/kept/new").body == b"1"


# ---- who may -----------------------------------------------------------------------------------------------------


ACTIONS = {"s3:PutObject": "new", "s3:GetObject": "*", "s3:DeleteObject": "old"}


def test_RenameObject__asks_for_three_actions(server, s3, cloud, alice):
    """Each of them is needed, on its own key; together they are enough."""
    bucket = cloud.new_bucket()
    s3.put_object(Bucket=bucket, Key="old", Body=b"x")

    def allow(actions):
        s3.put_bucket_policy(Bucket=bucket, Policy=policy(bucket, actions))

    for action in ACTIONS:
        allow({name: key for name, key in ACTIONS.items() if name != action})
        with expect.refused(403, "AccessDenied"):
            alice.rename_object(Bucket=bucket, Key="new", RenameSource="old")
    assert keys(s3, bucket) == ["old"]
    allow(ACTIONS)
    alice.rename_object(Bucket=bucket, Key="new", RenameSource="old")
    assert keys(s3, bucket) == ["new"]


def test_RenameObject__that_there_is_no_source_is_told_to_who_may_list(server, s3, bucket, rename):
    alice = server.users["alice"]
    s3.put_bucket_policy(Bucket=bucket, Policy=policy(bucket, ACTIONS))
    assert why(rename("new", "none", user=alice)) == (403, "AccessDenied")
    s3.put_bucket_policy(Bucket=bucket, Policy=policy(bucket, ACTIONS | {"s3:ListBucket": None}))
    assert why(rename("new", "none", user=alice)) == (404, "NoSuchKey")


# ---- at the same time --------------------------------------------------------------------------------------------


def test_RenameObject__of_many_at_once_one_gets_the_object(server, root_user, s3, bucket, rename):
    for turn in range(10):
        s3.put_object(Bucket=bucket, Key="old", Body=b"%d" % turn)
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            replies = list(pool.map(lambda n: rename(f"new-{n}", "old"), range(8)))
        assert sorted(reply.status for reply in replies) == [200] + [404] * 7
        winner = f"new-{[reply.status for reply in replies].index(200)}"
        assert (keys(s3, bucket), body(s3, bucket, winner)) == ([winner], b"%d" % turn)
        s3.delete_object(Bucket=bucket, Key=winner)


def test_RenameObject__of_many_onto_one_key_one_finds_it_free(s3, bucket, rename):
    for n in range(8):
        s3.put_object(Bucket=bucket, Key=f"old-{n}", Body=b"%d" % n)
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        replies = list(pool.map(lambda n: rename("new", f"old-{n}", ("If-None-Match", "*")), range(8)))
    assert sorted(reply.status for reply in replies) == [200] + [412] * 7
    winner = [reply.status for reply in replies].index(200)
    assert body(s3, bucket, "new") == b"%d" % winner
    assert len(keys(s3, bucket)) == 8


def test_RenameObject__with_one_token_at_once_is_one_rename(s3, bucket, rename):
    for turn in range(10):
        token = ("x-amz-client-token", f"token-{turn}")
        s3.put_object(Bucket=bucket, Key="old", Body=b"x")
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            replies = list(pool.map(lambda _: rename("new", "old", token), range(4)))
        assert [reply.status for reply in replies] == [200] * 4
        assert keys(s3, bucket) == ["new"]


def test_RenameObject__another_bucket_s_object_is_out_of_reach(server, root_user, s3, cloud, bucket, rename):
    other = cloud.new_bucket()
    s3.put_object(Bucket=other, Key="old", Body=b"x")
    assert why(rename("new", f"/{other}/old")) == (404, "NoSuchKey")
    assert keys(s3, other) == ["old"]
    nowhere = raw.signed(server.url, root_user, "PUT", f"/{bucket_name()}/new?renameObject", headers=[(SOURCE, "old")])
    assert why(nowhere) == (404, "NoSuchBucket")
