# SPDX-License-Identifier: Apache-2.0
"""Object tags.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-tagging.html
"""

import base64
import hashlib

import pytest

from sdk import expect
from wire import raw


def md5(body):
    return ("Content-MD5", base64.b64encode(hashlib.md5(body).digest()).decode())


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
    s3.put_object(Bucket=bucket, Key="key", Body=b"", Tagging="a%20b=c%2Bd&e=&f=g+h&%C3%BC=%E4%B8%AD&x/y=@:.-_&alone&")
    assert ordered(found(s3, bucket)) == ordered([
        {"Key": "a b", "Value": "c+d"}, {"Key": "e", "Value": ""}, {"Key": "f", "Value": "g h"},
        {"Key": "ü", "Value": "中"}, {"Key": "x/y", "Value": "@:.-_"}, {"Key": "alone", "Value": ""},
    ])  # fmt: skip


# How a tag is refused, whichever way it comes: code, message, TagKey, TagValue.
KEY = "The TagKey you have provided is invalid"
VALUE = "The TagValue you have provided is invalid"
SYSTEM = "Your TagKey cannot be prefixed with aws:"
COUNT = ("BadRequest", "Object tags cannot be greater than 10", None, None)
EMOJI = "\U0001f600"
BAD = {
    "11 tags": ([(f"k{n}", "v") for n in range(11)], COUNT),
    "long key": ([("k" * 129, "v")], ("InvalidTag", KEY, "k" * 129, None)),
    "long key in UTF-16": ([("\U00010330" * 65, "v")], ("InvalidTag", KEY, "\U00010330" * 65, None)),
    "long value": ([("k", "v" * 257)], ("InvalidTag", VALUE, "k", "v" * 257)),
    "aws: prefix": ([("aws:x", "v")], ("InvalidTag", SYSTEM, "aws:x", None)),
    "Aws: prefix": ([("Aws:x", "v")], ("InvalidTag", SYSTEM, "Aws:x", None)),
    "emoji key": ([("ok", "v"), (EMOJI, "v")], ("InvalidTag", KEY, EMOJI, None)),
    "emoji value": ([("k", EMOJI)], ("InvalidTag", VALUE, "k", EMOJI)),
    "symbol": ([("k", "5 \u20ac")], ("InvalidTag", VALUE, "k", "5 \u20ac")),
    "ampersand": ([("ke&y", "v")], ("InvalidTag", KEY, "ke&y", None)),
    "comma": ([("k", "a,b")], ("InvalidTag", VALUE, "k", "a,b")),
    "tab in key": ([("a\tb", "v")], ("InvalidTag", KEY, "a\tb", None)),
    "tab in value": ([("k", "a\tb")], ("InvalidTag", VALUE, "k", "a\tb")),
    "line feed": ([("k", "a\nb")], ("InvalidTag", VALUE, "k", "a\nb")),
}


def tag_document(pairs):
    # Character references, because a parser makes blanks of tabs and line feeds only in attributes.
    def text(value):
        return "".join(c if c.isalnum() and c.isascii() else f"&#{ord(c)};" for c in value)

    tags = "".join(f"<Tag><Key>{text(k)}</Key><Value>{text(v)}</Value></Tag>" for k, v in pairs)
    return f"<Tagging><TagSet>{tags}</TagSet></Tagging>".encode()


def tag_header(pairs):
    return "&".join(f"{raw.quote(k)}={raw.quote(v)}" for k, v in pairs)


def assert_refused(reply, wanted):
    facts = tuple(reply.element(name) for name in ("Code", "Message", "TagKey", "TagValue"))
    assert (reply.status, facts) == (400, wanted), reply


@pytest.mark.parametrize("case", BAD)
def test_PutObject__bad_tag_in_the_header_stores_nothing(server, root_user, s3, bucket, case):
    pairs, wanted = BAD[case]
    s3.put_object(Bucket=bucket, Key="source", Body=b"")
    tagging = ("x-amz-tagging", tag_header(pairs))
    replace = [tagging, ("x-amz-tagging-directive", "REPLACE"), ("x-amz-copy-source", f"{bucket}/source")]
    for method, target, headers in (
        ("PUT", f"/{bucket}/key", [tagging]), ("POST", f"/{bucket}/key?uploads", [tagging]), ("PUT", f"/{bucket}/key", replace),
    ):  # fmt: skip
        assert_refused(raw.signed(server.url, root_user, method, target, headers=headers), wanted)
    assert expect.keys_of(s3.list_objects_v2(Bucket=bucket)) == ["source"]
    assert "Uploads" not in s3.list_multipart_uploads(Bucket=bucket)


@pytest.mark.parametrize("case", BAD)
def test_PutObjectTagging__bad_tag_changes_nothing(server, root_user, s3, tagged, case):
    pairs, wanted = BAD[case]
    assert_refused(raw.signed(server.url, root_user, "PUT", f"/{tagged}/key?tagging", tag_document(pairs)), wanted)
    assert found(s3, tagged) == [{"Key": "kept", "Value": "1"}]


@pytest.mark.parametrize("pairs,wanted", [
    ([("", "v")], ("InvalidTag", KEY, "", None)),
    ([("a", "1"), ("a", "2")], ("InvalidTag", "Cannot provide multiple Tags with the same key", "a", None)),
], ids=["empty key", "duplicate"])  # fmt: skip
def test_PutObjectTagging__empty_and_repeated_keys(server, root_user, s3, tagged, pairs, wanted):
    assert_refused(raw.signed(server.url, root_user, "PUT", f"/{tagged}/key?tagging", tag_document(pairs)), wanted)
    assert found(s3, tagged) == [{"Key": "kept", "Value": "1"}]


@pytest.mark.parametrize("header", ["key1=val1,key2=val2", "=", "=v", "a=1&a=2", "a&a", "%61=1&a=2", "a=b=c", "a=%zz", "a=%ff"])
def test_PutObject__tagging_header_that_is_no_query_string(server, root_user, s3, bucket, header):
    for method, target in (("PUT", f"/{bucket}/key"), ("POST", f"/{bucket}/key?uploads")):
        reply = raw.signed(server.url, root_user, method, target, headers=[("x-amz-tagging", header)])
        assert (reply.status, reply.code) == (400, "InvalidArgument"), reply
        assert reply.element("Message") == (
            "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters without tag name "
            "duplicates.")  # fmt: skip
        assert (reply.element("ArgumentName"), reply.element("ArgumentValue")) == ("x-amz-tagging", header)
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0


def test_PutObjectTagging__longest_key_and_value_in_characters(s3, tagged):
    wanted = [{"Key": "ü" * 128, "Value": "中" * 256}, {"Key": "\U00010330" * 64, "Value": "\U00010330" * 128}]
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


def test_GetObjectTagging__names_a_missing_key_behind_its_bucket(server, root_user, bucket):
    for method, key in (("GET", f"{bucket}/a b"), ("PUT", "a b"), ("DELETE", "a b")):
        reply = raw.signed(server.url, root_user, method, f"/{bucket}/a%20b?tagging", b"<Tagging><TagSet/></Tagging>")
        assert reply.refusal() == (404, "NoSuchKey", "The specified key does not exist.", {"Key": key})
    reply = raw.signed(server.url, root_user, "GET", f"/{bucket}/a%20b?tagging&versionId={'0' * 31}1")
    assert (reply.code, reply.facts["Key"]) == ("NoSuchVersion", "a b")


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


@pytest.mark.parametrize("body", [b"<Tagging/>", b"<Tagging><TagSet/></Tagging>", b"<Tagging></Tagging>",
                                  b'<Tagging xmlns="http://s3.amazonaws.com/doc/2006-03-01/"/>'])  # fmt: skip
def test_PutObjectTagging__document_without_tags_removes_them(server, root_user, s3, tagged, body):
    # Without a checksum: S3 asks none for tags of objects, only for those of buckets.
    assert raw.signed(server.url, root_user, "PUT", f"/{tagged}/key?tagging", body).status == 200
    assert found(s3, tagged) == []


@pytest.mark.parametrize("body", [
    b"<Tagging><TagSet><Tag><Key>a</Key></Tag></TagSet></Tagging>", b"<Tagging><TagSet>", b"{}",
    b"<Tagging><TagSet><Tag><Value>a</Value></Tag></TagSet></Tagging>", b"<TagSet/>",
    b"<Tagging><TagSet/><TagSet/></Tagging>", b"<Tagging><Tag/></Tagging>", b"<InvalidXmlTagging/>",
    b'<!DOCTYPE a [<!ENTITY b "c">]><Tagging><TagSet><Tag><Key>k</Key><Value>&b;</Value></Tag></TagSet></Tagging>',
], ids=lambda body: str(body[:50]))  # fmt: skip
def test_PutObjectTagging__malformed_document(server, root_user, s3, tagged, body):
    reply = raw.signed(server.url, root_user, "PUT", f"/{tagged}/key?tagging", body, [md5(body)])
    assert (reply.status, reply.code) == (400, "MalformedXML"), reply
    assert found(s3, tagged) == [{"Key": "kept", "Value": "1"}]


def test_PutObjectTagging__empty_body(server, root_user, s3, tagged):
    reply = raw.signed(server.url, root_user, "PUT", f"/{tagged}/key?tagging", b"", [md5(b"")])
    assert (reply.status, reply.code) == (400, "MissingRequestBodyError"), reply
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
