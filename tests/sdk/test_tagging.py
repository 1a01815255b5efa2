# SPDX-License-Identifier: Apache-2.0
"""Object tags.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-tagging.html
"""

import pytest

from sdk import expect
from wire import raw


def tags(count):
    return [{"Key": f"key{n}", "Value": f"value {n}"} for n in range(count)]


def ordered(found):
    return sorted(found, key=lambda tag: tag["Key"])


@pytest.fixture
def tagged(s3, bucket):
    s3.put_object(Bucket=bucket, Key="key", Body=b"data", Tagging="kept=1")
    return bucket


def found(s3, bucket, key="key", **arguments):
    return s3.get_object_tagging(Bucket=bucket, Key=key, **arguments)["TagSet"]


def test_GetObjectTagging__of_an_untagged_object_is_empty(s3, bucket):
    s3.put_object(Bucket=bucket, Key="key", Body=b"data")
    assert found(s3, bucket) == []
    assert "TagCount" not in s3.get_object(Bucket=bucket, Key="key")


def test_PutObjectTagging__replaces_and_counts(s3, tagged):
    s3.put_object_tagging(Bucket=tagged, Key="key", Tagging={"TagSet": tags(10)})
    assert ordered(found(s3, tagged)) == tags(10)
    assert s3.get_object(Bucket=tagged, Key="key")["TagCount"] == 10
    assert expect.headers_of(s3.head_object(Bucket=tagged, Key="key"))["x-amz-tagging-count"] == "10"
    s3.put_object_tagging(Bucket=tagged, Key="key", Tagging={"TagSet": tags(1)})
    assert found(s3, tagged) == tags(1)
    s3.put_object_tagging(Bucket=tagged, Key="key", Tagging={"TagSet": []})
    assert found(s3, tagged) == []


def test_DeleteObjectTagging__removes_the_set(s3, tagged):
    for _ in range(2):
        assert expect.status_of(s3.delete_object_tagging(Bucket=tagged, Key="key")) == 204
        assert found(s3, tagged) == []
    assert "x-amz-tagging-count" not in expect.headers_of(s3.head_object(Bucket=tagged, Key="key"))


def test_PutObjectTagging__leaves_the_object_alone(s3, tagged):
    before = s3.head_object(Bucket=tagged, Key="key")
    s3.put_object_tagging(Bucket=tagged, Key="key", Tagging={"TagSet": tags(2)})
    after = s3.head_object(Bucket=tagged, Key="key")
    assert (after["ETag"], after["LastModified"]) == (before["ETag"], before["LastModified"])
    assert expect.body_of(s3, tagged, "key") == b"data"


def test_PutObject__tagging_header_is_urlencoded(s3, bucket):
    s3.put_object(Bucket=bucket, Key="key", Body=b"", Tagging="a%20b=c%2Bd&e=&f=g+h&%C3%BC=%E2%82%AC&x/y=@:.-_")
    assert ordered(found(s3, bucket)) == ordered([
        {"Key": "a b", "Value": "c+d"}, {"Key": "e", "Value": ""}, {"Key": "f", "Value": "g h"},
        {"Key": "ü", "Value": "€"}, {"Key": "x/y", "Value": "@:.-_"},
    ])  # fmt: skip


@pytest.mark.parametrize("header", [
    "&".join(f"k{n}=v" for n in range(11)), "a=1&a=2", "k" * 129 + "=v", "k=" + "v" * 257, "=v", "aws:x=1",
], ids=["11 tags", "duplicate", "long key", "long value", "empty key", "aws: prefix"])  # fmt: skip
def test_PutObject__bad_tagging_header_stores_nothing(s3, bucket, header):
    with expect.refused(400, "InvalidTag", "BadRequest", "InvalidArgument"):
        s3.put_object(Bucket=bucket, Key="key", Body=b"", Tagging=header)
    with expect.refused(400, "InvalidTag", "BadRequest", "InvalidArgument"):
        s3.create_multipart_upload(Bucket=bucket, Key="key", Tagging=header)
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0
    assert "Uploads" not in s3.list_multipart_uploads(Bucket=bucket)


@pytest.mark.parametrize("bad", [
    tags(11), [{"Key": "a", "Value": "1"}, {"Key": "a", "Value": "2"}],
    [{"Key": "k" * 129, "Value": ""}], [{"Key": "k", "Value": "v" * 257}], [{"Key": "aws:x", "Value": "v"}],
], ids=["11 tags", "duplicate", "long key", "long value", "aws: prefix"])  # fmt: skip
def test_PutObjectTagging__invalid_tags_change_nothing(s3, tagged, bad):
    with expect.refused(400, "InvalidTag", "BadRequest"):
        s3.put_object_tagging(Bucket=tagged, Key="key", Tagging={"TagSet": bad})
    assert found(s3, tagged) == [{"Key": "kept", "Value": "1"}]


def test_PutObjectTagging__longest_key_and_value_in_characters(s3, tagged):
    wanted = [{"Key": "ü" * 128, "Value": "€" * 256}]
    s3.put_object_tagging(Bucket=tagged, Key="key", Tagging={"TagSet": wanted})
    assert found(s3, tagged) == wanted


def test_PutObjectTagging__missing_key(s3, bucket):
    for call in (
        lambda: s3.get_object_tagging(Bucket=bucket, Key="absent"),
        lambda: s3.put_object_tagging(Bucket=bucket, Key="absent", Tagging={"TagSet": tags(1)}),
        lambda: s3.delete_object_tagging(Bucket=bucket, Key="absent"),
    ):
        with expect.refused(404, "NoSuchKey"):
            call()


def test_PutObjectTagging__of_a_version(s3, versioned, gone):
    old = s3.put_object(Bucket=versioned, Key="key", Body=b"old", Tagging="a=old")["VersionId"]
    new = s3.put_object(Bucket=versioned, Key="key", Body=b"new", Tagging="a=new")["VersionId"]
    answer = s3.put_object_tagging(
        Bucket=versioned, Key="key", VersionId=old, Tagging={"TagSet": [{"Key": "b", "Value": "2"}]})
    assert answer["VersionId"] == old
    assert found(s3, versioned, VersionId=old) == [{"Key": "b", "Value": "2"}]
    assert found(s3, versioned) == [{"Key": "a", "Value": "new"}]
    assert s3.get_object_tagging(Bucket=versioned, Key="key")["VersionId"] == new
    s3.delete_object_tagging(Bucket=versioned, Key="key", VersionId=old)
    assert found(s3, versioned, VersionId=old) == []
    with expect.refused(404, "NoSuchVersion"):
        s3.get_object_tagging(Bucket=versioned, Key="key", VersionId=gone)


def test_PutObjectTagging__of_a_delete_marker(s3, versioned):
    s3.put_object(Bucket=versioned, Key="key", Body=b"old")
    marker = s3.delete_object(Bucket=versioned, Key="key")["VersionId"]
    with expect.refused(405, "MethodNotAllowed"):
        s3.get_object_tagging(Bucket=versioned, Key="key", VersionId=marker)
    with expect.refused(405, "MethodNotAllowed"):
        s3.put_object_tagging(Bucket=versioned, Key="key", VersionId=marker, Tagging={"TagSet": tags(1)})


@pytest.mark.parametrize("body", [
    b"", b"<Tagging/>", b"<Tagging><TagSet><Tag><Key>a</Key></Tag></TagSet></Tagging>", b"<Tagging><TagSet>", b"{}",
    b"<Tagging><TagSet><Tag><Value>a</Value></Tag></TagSet></Tagging>", b"<TagSet/>",
    b"<Tagging><TagSet/><TagSet/></Tagging>",
    b'<!DOCTYPE a [<!ENTITY b "c">]><Tagging><TagSet><Tag><Key>k</Key><Value>&b;</Value></Tag></TagSet></Tagging>',
], ids=lambda body: str(body[:50]))  # fmt: skip
def test_PutObjectTagging__malformed_document(server, root_user, s3, tagged, body):
    import base64
    import hashlib

    md5 = base64.b64encode(hashlib.md5(body).digest()).decode()
    reply = raw.signed(server.url, root_user, "PUT", f"/{tagged}/key?tagging", body, [("Content-MD5", md5)])
    assert reply.status == 400, reply
    assert reply.code in ("MalformedXML", "MissingRequestBodyError"), reply
    assert found(s3, tagged) == [{"Key": "kept", "Value": "1"}]


def test_GetObjectTagging__other_users_are_refused(s3, alice, anyone, bucket):
    s3.put_object(Bucket=bucket, Key="key", Body=b"", ACL="public-read", Tagging="a=b")
    for client in (alice, anyone):
        with expect.refused(403, "AccessDenied"):
            client.get_object_tagging(Bucket=bucket, Key="key")
        with expect.refused(403, "AccessDenied"):
            client.put_object_tagging(Bucket=bucket, Key="key", Tagging={"TagSet": tags(1)})
        with expect.refused(403, "AccessDenied"):
            client.delete_object_tagging(Bucket=bucket, Key="key")
    assert found(s3, bucket) == [{"Key": "a", "Value": "b"}]
