# SPDX-License-Identifier: Apache-2.0
"""PutObject, GetObject, HeadObject, DeleteObject: bytes, headers, ranges, conditions, encryption.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html
    https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
    https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html
    https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObject.html
"""

import base64
import datetime
import email.header
import hashlib
import os
import re

import pytest

from sdk.cloud import Cloud
from sdk import expect
from wire import raw

INLINE = 65536


# ---- bytes --------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [
    0, 1, 2, 4095, INLINE - 1, INLINE, INLINE + 1, 1024 * 1024 + 3, 6 * 1024 * 1024 + 1,
])  # fmt: skip
def test_PutObject__bytes_of_every_size_come_back(any_s3, bucket, size):
    data = expect.noise(size)
    answer = any_s3.put_object(Bucket=bucket, Key="key", Body=data)
    assert answer["ETag"] == expect.md5_etag(data)
    got = any_s3.get_object(Bucket=bucket, Key="key")
    assert got["Body"].read() == data
    assert (got["ContentLength"], got["ETag"]) == (size, answer["ETag"])
    head = any_s3.head_object(Bucket=bucket, Key="key")
    assert (head["ContentLength"], head["ETag"]) == (size, answer["ETag"])


def test_PutObject__overwrite_replaces_everything(s3, bucket):
    s3.put_object(Bucket=bucket, Key="key", Body=b"one", ContentType="text/a", Metadata={"a": "1"},
                  Tagging="t=1", StorageClass="STANDARD_IA", CacheControl="no-cache")  # fmt: skip
    s3.put_object(Bucket=bucket, Key="key", Body=b"second")
    got = s3.get_object(Bucket=bucket, Key="key")
    assert got["Body"].read() == b"second"
    assert got["Metadata"] == {}
    assert got["ContentType"] == "binary/octet-stream"
    assert not {"CacheControl", "StorageClass", "TagCount"} & set(got)
    assert s3.get_object_tagging(Bucket=bucket, Key="key")["TagSet"] == []


def test_PutObject__same_bytes_under_many_keys_are_independent(s3, bucket):
    data = expect.noise(INLINE * 3)
    for n in range(5):
        s3.put_object(Bucket=bucket, Key=f"{n}", Body=data)
    for n in range(4):
        s3.delete_object(Bucket=bucket, Key=f"{n}")
    assert expect.body_of(s3, bucket, "4") == data


@pytest.mark.tsan
def test_PutObject__concurrent_writers_leave_one_whole_body(cloud, s3, bucket):
    bodies = [bytes([65 + i]) * (INLINE * 2) for i in range(8)]
    results = expect.at_once(8, lambda i: s3.put_object(Bucket=bucket, Key="key", Body=bodies[i]))
    assert [expect.status_of(result) for result in results] == [200] * 8
    assert expect.body_of(s3, bucket, "key") in bodies


@pytest.mark.tsan
def test_GetObject__readers_beside_writers_see_whole_bodies(s3, bucket):
    bodies = [bytes([65 + i]) * (INLINE + 7 * i) for i in range(4)]
    s3.put_object(Bucket=bucket, Key="key", Body=bodies[0])

    def run(i):
        if i % 2:
            for body in bodies * 5:
                s3.put_object(Bucket=bucket, Key="key", Body=body)
            return []
        return [expect.body_of(s3, bucket, "key") for _ in range(20)]

    for result in expect.at_once(6, run):
        assert not isinstance(result, Exception), result
        assert all(body in bodies for body in result)


# ---- keys ---------------------------------------------------------------------------------------

KEYS = [
    "plain", "with space", "with+plus", "per%cent", "per%2Fcent", "a//b", "/lead", "//", "/", "tail/", ".", "a/..", "a/b/../../up",
    "a/../b", "a/./b", "ünïcode/ß", "e\u0301", "\u00e9", "日本語", "😀", "a&b=c?d#e", "'\"`$(x)", "<a>]]>&amp;", "tab\there",
    "new\nline", "back\\slash", "x" * 300, "@=:,;!*'()~-._", "\x7f", "\x01", "CON", "-rf", "%", "+", "a b+c%20d",
]  # fmt: skip


@pytest.mark.parametrize("key", KEYS, ids=lambda key: ascii(key)[:30])
def test_PutObject__key_is_kept_byte_for_byte(s3, bucket, key):
    s3.put_object(Bucket=bucket, Key=key, Body=key.encode())
    assert expect.body_of(s3, bucket, key) == key.encode()
    assert expect.keys_of(s3.list_objects_v2(Bucket=bucket)) == [key]
    assert s3.head_object(Bucket=bucket, Key=key)["ContentLength"] == len(key.encode())
    s3.delete_object(Bucket=bucket, Key=key)
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0


def test_PutObject__similar_keys_are_different_objects(s3, bucket):
    keys = ["a", "A", "a ", "a/", "/a", "a//", "a%20", "a+", "e\u0301", "\u00e9", "./a", "b/../a"]
    for key in keys:
        s3.put_object(Bucket=bucket, Key=key, Body=key.encode())
    for key in keys:
        assert expect.body_of(s3, bucket, key) == key.encode()
    assert len(expect.keys_of(s3.list_objects_v2(Bucket=bucket))) == len(keys)


@pytest.mark.parametrize("length", [1023, 1024])
def test_PutObject__longest_key(s3, bucket, length):
    for key in ("k" * length, "ü" * (length // 2), "/".join(["d" * 255] * 5)[:length]):
        s3.put_object(Bucket=bucket, Key=key, Body=b"x")
        assert expect.body_of(s3, bucket, key) == b"x"


@pytest.mark.parametrize("key", ["k" * 1025, "ü" * 513])
def test_PutObject__key_too_long(s3, bucket, key):
    with expect.refused(400, "KeyTooLongError"):
        s3.put_object(Bucket=bucket, Key=key, Body=b"x")
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0


@pytest.mark.parametrize("path", ["%00", "a%00b", "%FF", "a%C3", "%ED%A0%80", "%zz", "%1", "a%"])
def test_PutObject__key_that_is_no_text(server, s3, root_user, bucket, path):
    reply = raw.signed(server.url, root_user, "PUT", f"/{bucket}/{path}", b"x")
    assert reply.status == 400, reply
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0


def test_GetObject__lower_case_escapes_name_the_same_key(server, root_user, s3, bucket):
    s3.put_object(Bucket=bucket, Key="ü b", Body=b"data")
    for path in ("%c3%bc%20b", "%C3%BC%20b", "%C3%bc%20%62"):
        assert raw.signed(server.url, root_user, "GET", f"/{bucket}/{path}").body == b"data"


# ---- headers ------------------------------------------------------------------------------------

SYSTEM = {
    "CacheControl": "max-age=60, public",
    "ContentDisposition": 'attachment; filename="naïve.txt"; filename*=UTF-8\'\'na%C3%AFve.txt'.replace("ï", "i"),
    "ContentEncoding": "gzip",
    "ContentLanguage": "de-DE, en",
    "ContentType": "text/plain; charset=utf-8",
    "WebsiteRedirectLocation": "/other",
}


def test_PutObject__system_headers_come_back(any_s3, bucket):
    when = datetime.datetime(2030, 1, 2, 3, 4, 5, tzinfo=datetime.timezone.utc)
    any_s3.put_object(Bucket=bucket, Key="key", Body=b"data", Expires=when, **SYSTEM)
    for answer in (any_s3.get_object(Bucket=bucket, Key="key"), any_s3.head_object(Bucket=bucket, Key="key")):
        assert {name: answer[name] for name in SYSTEM} == SYSTEM
        assert expect.headers_of(answer)["expires"] == "Wed, 02 Jan 2030 03:04:05 GMT"


def test_PutObject__content_type_defaults_to_binary(server, root_user, bucket):
    raw.signed(server.url, root_user, "PUT", f"/{bucket}/key", b"x")
    reply = raw.signed(server.url, root_user, "GET", f"/{bucket}/key")
    assert reply.header("content-type") == "binary/octet-stream"
    assert reply.header("content-encoding") is None
    assert reply.header("accept-ranges") == "bytes"
    assert re.fullmatch(r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT", reply.header("last-modified"))
    assert re.fullmatch('"[0-9a-f]{32}"', reply.header("etag"))


@pytest.mark.parametrize("sent,kept", [
    ("aws-chunked", None), ("gzip,aws-chunked", "gzip"), ("aws-chunked, gzip", "gzip"), ("gzip", "gzip"),
])  # fmt: skip
def test_PutObject__aws_chunked_is_no_content_encoding(server, root_user, s3, bucket, sent, kept):
    headers = [("Content-Encoding", sent)]
    request = raw.put_signed_chunks(raw.host_of(server.url), f"/{bucket}/key", root_user, b"data", headers=headers)
    assert raw.send(server.url, request).status == 200
    answer = s3.get_object(Bucket=bucket, Key="key")
    assert answer["Body"].read() == b"data"
    assert expect.headers_of(answer).get("content-encoding") == kept


def test_PutObject__metadata_names_are_lower_case(any_s3, bucket):
    any_s3.put_object(Bucket=bucket, Key="key", Body=b"", Metadata={
        "Author": "Data Team", "report-type": "a, b;c=d", "empty": "", "x_y.z": "1", "123": "n",
    })  # fmt: skip
    assert any_s3.head_object(Bucket=bucket, Key="key")["Metadata"] == {
        "author": "Data Team", "report-type": "a, b;c=d", "empty": "", "x_y.z": "1", "123": "n",
    }  # fmt: skip


def test_PutObject__repeated_metadata_is_joined(server, root_user, s3, bucket):
    headers = [("x-amz-meta-a", "1"), ("X-Amz-Meta-A", "2")]
    reply = raw.signed(server.url, root_user, "PUT", f"/{bucket}/key", b"", headers)
    assert reply.status == 200, reply
    assert s3.head_object(Bucket=bucket, Key="key")["Metadata"]["a"].replace(" ", "") == "1,2"


# A value as it is sent, and as it comes back.
WORDS = [
    ("=?UTF-8?Q?actually-ascii?=", "actually-ascii"),
    ("=?UTF-8?B?YWJj?=", "abc"),
    ("=?UTF-8?Q?test=5F=E2=80=94=5Ffile%E2%80%94=5F=C3=A9=5F2=3F.pdf?=",
     "=?UTF-8?Q?test=5F=E2=80=94=5Ffile%E2%80%94=5F=C3=A9=5F2=3F.pdf?="),
    ("=?utf-8?b?w4RNw4Raw5XDkSBTMw==?=", "=?UTF-8?Q?=C3=84M=C3=84Z=C3=95=C3=91_S3?="),
    ("=?UTF-8?B?AAECAw==?=", "=?UTF-8?B?AAECAw==?="),
    ("=?UTF-8?Q?=41=42?= =?UTF-8?B?Yw==?=", "ABc"),
    ("=?iso-8859-1?Q?caf=E9?=", "=?UTF-8?Q?caf=C3=A9?="),
    ("a\tb", "a\tb"),
    ("=?UTF-8?Q?not a word?=", "=?UTF-8?Q?not a word?="),
]  # fmt: skip


@pytest.mark.parametrize("sent,shown", WORDS)
def test_PutObject__metadata_words_are_decoded_on_arrival_and_made_anew(server, root_user, s3, bucket, sent, shown):
    def check(key):
        for method in ("HEAD", "GET"):
            reply = raw.signed(server.url, root_user, method, f"/{bucket}/{key}")
            assert reply.header("x-amz-meta-q") == shown, (key, method)

    given = [("x-amz-meta-q", sent)]
    assert raw.signed(server.url, root_user, "PUT", f"/{bucket}/put", b"data", given).status == 200
    check("put")
    source = ("x-amz-copy-source", f"{bucket}/put")
    assert raw.signed(server.url, root_user, "PUT", f"/{bucket}/copied", headers=[source]).status == 200
    check("copied")
    replace = [source, ("x-amz-metadata-directive", "REPLACE"), *given]
    assert raw.signed(server.url, root_user, "PUT", f"/{bucket}/replaced", headers=replace).status == 200
    check("replaced")
    upload = raw.signed(server.url, root_user, "POST", f"/{bucket}/parts?uploads", headers=given).element("UploadId")
    part = s3.upload_part(Bucket=bucket, Key="parts", UploadId=upload, PartNumber=1, Body=b"data")
    s3.complete_multipart_upload(Bucket=bucket, Key="parts", UploadId=upload, MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]})
    check("parts")


def test_PutObject__metadata_given_through_boto3_is_decoded(any_s3, bucket):
    any_s3.put_object(Bucket=bucket, Key="key", Body=b"", Metadata={"q": "=?UTF-8?Q?actually-ascii?=", "b": "=?UTF-8?B?YWJj?="})
    assert any_s3.head_object(Bucket=bucket, Key="key")["Metadata"] == {"q": "actually-ascii", "b": "abc"}


def test_PutObject__metadata_of_2_kb_of_anything_comes_back(server, root_user, s3, bucket):
    # 2 KB of text that takes three bytes for one, in words of at most 75 characters.
    text = "\u00e9" * 1023
    s3.put_object(Bucket=bucket, Key="key", Body=b"", Metadata={"kk": email.header.Header(text, "utf-8").encode(maxlinelen=5000)})
    shown = raw.signed(server.url, root_user, "HEAD", f"/{bucket}/key").header("x-amz-meta-kk")
    assert all(len(word) <= 75 for word in shown.split(" "))
    assert str(email.header.make_header(email.header.decode_header(shown))) == text
    with expect.refused(400, "MetadataTooLarge"):
        s3.put_object(Bucket=bucket, Key="other", Body=b"", Metadata={"kk": email.header.Header(text + "\u00e9", "utf-8").encode(maxlinelen=5000)})


def test_PutObject__metadata_up_to_2_kb(s3, bucket):
    s3.put_object(Bucket=bucket, Key="key", Body=b"", Metadata={"k": "v" * 2047})
    assert len(s3.head_object(Bucket=bucket, Key="key")["Metadata"]["k"]) == 2047
    with expect.refused(400, "MetadataTooLarge"):
        s3.put_object(Bucket=bucket, Key="other", Body=b"", Metadata={"k": "v" * 2048})
    with expect.refused(400, "MetadataTooLarge"):
        s3.put_object(Bucket=bucket, Key="other", Body=b"", Metadata={f"k{i:02}": "v" * 58 for i in range(34)})
    s3.put_object(Bucket=bucket, Key="key", Body=b"", Metadata={f"k{i:02}": "v" * 61 for i in range(32)})
    with expect.refused(404, "404"):
        s3.head_object(Bucket=bucket, Key="other")


def test_GetObject__response_overrides(any_s3, bucket):
    any_s3.put_object(Bucket=bucket, Key="key", Body=b"data", ContentType="text/plain")
    when = datetime.datetime(2031, 1, 2, tzinfo=datetime.timezone.utc)
    answer = any_s3.get_object(
        Bucket=bucket, Key="key", ResponseContentType="application/x-a", ResponseCacheControl="no-store",
        ResponseContentDisposition='attachment; filename="a b.txt"', ResponseContentEncoding="br",
        ResponseContentLanguage="fr", ResponseExpires=when)  # fmt: skip
    headers = expect.headers_of(answer)
    assert headers["content-type"] == "application/x-a"
    assert headers["cache-control"] == "no-store"
    assert headers["content-disposition"] == 'attachment; filename="a b.txt"'
    assert headers["content-encoding"] == "br"
    assert headers["content-language"] == "fr"
    assert headers["expires"] == "Thu, 02 Jan 2031 00:00:00 GMT"
    assert any_s3.head_object(Bucket=bucket, Key="key")["ContentType"] == "text/plain"


def test_GetObject__response_overrides_of_anonymous_are_refused(s3, server, bucket):
    s3.put_object(Bucket=bucket, Key="key", Body=b"data", ACL="public-read")
    assert raw.anonymous(server.url, "GET", f"/{bucket}/key").body == b"data"
    reply = raw.anonymous(server.url, "GET", f"/{bucket}/key?response-content-type=text/html")
    assert (reply.status, reply.code) == (400, "InvalidRequest"), reply


@pytest.mark.parametrize("value", ["a%0D%0Ax-injected:%201", "a%0Ab", "a%0D", "a%01b", "a%7Fb"])
def test_GetObject__response_override_with_control_bytes(server, root_user, s3, bucket, value):
    s3.put_object(Bucket=bucket, Key="key", Body=b"data")
    reply = raw.signed(server.url, root_user, "GET", f"/{bucket}/key?response-content-disposition={value}")
    assert reply.status == 400, reply
    assert reply.header("x-injected") is None
    if reply.status == 200:
        assert not re.search(r"[\x00-\x08\x0a-\x1f\x7f]", reply.header("content-disposition") or "")


def test_PutObject__storage_class(s3, bucket):
    for name in ("STANDARD_IA", "ONEZONE_IA", "REDUCED_REDUNDANCY", "INTELLIGENT_TIERING", "GLACIER_IR"):
        s3.put_object(Bucket=bucket, Key=name, Body=b"data", StorageClass=name)
        assert s3.head_object(Bucket=bucket, Key=name)["StorageClass"] == name
        assert expect.body_of(s3, bucket, name) == b"data"
        assert s3.list_objects_v2(Bucket=bucket, Prefix=name)["Contents"][0]["StorageClass"] == name
    s3.put_object(Bucket=bucket, Key="standard", Body=b"", StorageClass="STANDARD")
    assert "x-amz-storage-class" not in expect.headers_of(s3.head_object(Bucket=bucket, Key="standard"))
    with expect.refused(400, "InvalidStorageClass"):
        s3.put_object(Bucket=bucket, Key="bad", Body=b"", StorageClass="COPPER")
    with expect.refused(404, "404"):
        s3.head_object(Bucket=bucket, Key="bad")


# ---- integrity ----------------------------------------------------------------------------------


def test_PutObject__content_md5(s3, bucket):
    right = base64.b64encode(hashlib.md5(b"data").digest()).decode()
    s3.put_object(Bucket=bucket, Key="key", Body=b"data", ContentMD5=right)
    with expect.refused(400, "BadDigest"):
        s3.put_object(Bucket=bucket, Key="key", Body=b"other", ContentMD5=right)
    assert expect.body_of(s3, bucket, "key") == b"data"


@pytest.mark.parametrize("value", ["bad", "YWJj", "", " ", "A" * 23, "!" * 24, "A" * 1000, "rL0Y20zC+Fzt72VPzMSk2A"])
def test_PutObject__content_md5_malformed(server, root_user, s3, bucket, value):
    reply = raw.signed(server.url, root_user, "PUT", f"/{bucket}/key", b"bar", [("Content-MD5", value)])
    assert (reply.status, reply.code) == (400, "InvalidDigest"), reply
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0


def test_PutObject__wrong_payload_hash(server, root_user, s3, bucket):
    wrong = hashlib.sha256(b"something else").hexdigest()
    reply = raw.signed(server.url, root_user, "PUT", f"/{bucket}/key", b"data", payload=wrong)
    assert (reply.status, reply.code) == (400, "XAmzContentSHA256Mismatch"), reply
    large = expect.noise(INLINE * 4)
    reply = raw.signed(server.url, root_user, "PUT", f"/{bucket}/key", large, payload=wrong)
    assert (reply.status, reply.code) == (400, "XAmzContentSHA256Mismatch"), reply
    reply = raw.signed(server.url, root_user, "PUT", f"/{bucket}/key", b"", payload=wrong)
    assert (reply.status, reply.code) == (400, "XAmzContentSHA256Mismatch"), reply
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0


def test_PutObject__the_payload_hash_may_be_in_upper_case(server, root_user, s3, bucket):
    right = hashlib.sha256(b"data").hexdigest().upper()
    assert raw.signed(server.url, root_user, "PUT", f"/{bucket}/key", b"data", payload=right).status == 200
    wrong = hashlib.sha256(b"other").hexdigest().upper()
    reply = raw.signed(server.url, root_user, "PUT", f"/{bucket}/key", b"data", payload=wrong)
    assert (reply.status, reply.code) == (400, "XAmzContentSHA256Mismatch"), reply
    assert reply.element("ClientComputedContentSHA256") == wrong
    assert reply.element("S3ComputedContentSHA256") == hashlib.sha256(b"data").hexdigest()
    assert expect.body_of(s3, bucket, "key") == b"data"


def test_GetObject__the_payload_hash_is_of_a_body_it_does_not_take(server, root_user, s3, bucket):
    s3.put_object(Bucket=bucket, Key="key", Body=b"data")
    wrong = hashlib.sha256(b"something else").hexdigest()
    for method, target in (("GET", f"/{bucket}/key"), ("HEAD", f"/{bucket}/key"), ("GET", f"/{bucket}"), ("GET", "/")):
        assert raw.signed(server.url, root_user, method, target, payload=wrong).status == 200, (method, target)
    reply = raw.signed(server.url, root_user, "GET", f"/{bucket}/key", payload="GIBBERISH")
    assert (reply.status, reply.code, reply.element("ArgumentValue")) == (400, "InvalidArgument", "GIBBERISH"), reply
    assert reply.element("Message") == (
        "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-UNSIGNED-PAYLOAD-TRAILER, STREAMING-AWS4-HMAC-SHA256-PAYLOAD, "
        "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER, STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD, "
        "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD-TRAILER or a valid sha256 value.")


@pytest.mark.parametrize("how", ["V2 URL", "V2 header", "anonymous"])
def test_PutObject__without_V4_a_payload_hash_is_a_claim_like_another(server, root_user, cloud, how):
    bucket = cloud.new_bucket(ACL="public-read-write")
    for claim, body in (("invalid", b"data"), ("", b"data"), (hashlib.sha256(b"other").hexdigest(), b"data"), ("invalid", b"")):
        request = raw.Request("PUT", f"/{bucket}/key", [("Host", raw.host_of(server.url)), ("x-amz-content-sha256", claim)], body)
        if how == "V2 URL":
            raw.presign_v2(request, root_user)
        elif how == "V2 header":
            raw.sign_v2(request, root_user)
        reply = raw.send(server.url, request)
        assert (reply.status, reply.code) == (400, "XAmzContentSHA256Mismatch"), reply
        assert reply.element("ClientComputedContentSHA256") == claim
        assert reply.element("S3ComputedContentSHA256") == hashlib.sha256(body).hexdigest()
    assert cloud.client().list_objects_v2(Bucket=bucket)["KeyCount"] == 0


# ---- a length that is not told ---------------------------------------------------------------------


def chunked(body):
    return b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)


@pytest.mark.parametrize("how", ["V4 URL", "V4 header", "V2 URL", "V2 header"])
def test_uploads__in_http_chunks_that_tell_no_length_are_501(server, root_user, s3, bucket, how):
    upload = s3.create_multipart_upload(Bucket=bucket, Key="key")["UploadId"]
    document = b"<Tagging><TagSet/></Tagging>"
    for method, target, body in (("PUT", f"/{bucket}/key", b"data"), ("PUT", f"/{bucket}/key?partNumber=1&uploadId={upload}", b"data"),
                                 ("PUT", f"/{bucket}/key", b""), ("PUT", f"/{bucket}?tagging", document)):  # fmt: skip
        request = raw.Request(method, target, [("Host", raw.host_of(server.url)), ("Transfer-Encoding", "chunked")])
        if how == "V4 URL":
            raw.presign_v4(request, root_user)
        elif how == "V4 header":
            raw.sign_v4(request, root_user, raw.UNSIGNED)
        elif how == "V2 URL":
            raw.presign_v2(request, root_user)
        else:
            raw.sign_v2(request, root_user)
        request.body = chunked(body) if body else b"0\r\n\r\n"
        reply = raw.send(server.url, request)
        assert (reply.status, reply.code, reply.element("Header")) == (501, "NotImplemented", "Transfer-Encoding"), (target, reply)
        assert reply.element("Message") == "A header you provided implies functionality that is not implemented"
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0


def test_uploads__in_http_chunks_of_a_told_length_are_stored(server, root_user, s3, bucket):
    request = raw.Request("PUT", f"/{bucket}/key", [
        ("Host", raw.host_of(server.url)), ("Transfer-Encoding", "chunked"), ("x-amz-decoded-content-length", "4")])  # fmt: skip
    raw.sign_v4(request, root_user, raw.UNSIGNED)
    request.body = chunked(b"data")
    assert raw.send(server.url, request).status == 200
    assert expect.body_of(s3, bucket, "key") == b"data"


def test_GetObject__with_an_empty_chunked_body_is_answered(server, root_user, s3, bucket):
    s3.put_object(Bucket=bucket, Key="key", Body=b"data")
    request = raw.Request("GET", f"/{bucket}/key", [("Host", raw.host_of(server.url)), ("Transfer-Encoding", "chunked")])
    raw.sign_v4(request, root_user, raw.UNSIGNED)
    request.body = b"0\r\n\r\n"
    assert raw.send(server.url, request).body == b"data"


# ---- ranges -------------------------------------------------------------------------------------

BODY = expect.noise(INLINE * 2 + 100, b"ranges")
SIZE = len(BODY)


@pytest.fixture(scope="module")
def ranged(session_cloud):
    name = session_cloud.new_bucket(hint="ranged")
    s3 = session_cloud.client()
    s3.put_object(Bucket=name, Key="large", Body=BODY)
    s3.put_object(Bucket=name, Key="small", Body=BODY[:100])
    s3.put_object(Bucket=name, Key="empty", Body=b"")
    return name


@pytest.mark.parametrize("value,start,end", [
    ("bytes=0-0", 0, 0), ("bytes=0-9", 0, 9), ("bytes=5-", 5, None), ("bytes=-7", -7, None),
    ("bytes=0-", 0, None), ("bytes=10-999999999", 10, None), ("bytes=-999999999", 0, None),
    ("bytes=99-99", 99, 99), ("bytes=50-18446744073709551615", 50, None),
])  # fmt: skip
@pytest.mark.parametrize("key", ["large", "small"])
def test_GetObject__range(any_s3, ranged, key, value, start, end):
    body = BODY if key == "large" else BODY[:100]
    start = start % len(body) if start < 0 else start
    end = len(body) - 1 if end is None else end
    answer = any_s3.get_object(Bucket=ranged, Key=key, Range=value)
    assert expect.status_of(answer) == 206
    assert answer["Body"].read() == body[start : end + 1]
    assert answer["ContentRange"] == f"bytes {start}-{end}/{len(body)}"
    assert answer["ContentLength"] == end - start + 1
    head = any_s3.head_object(Bucket=ranged, Key=key, Range=value)
    assert expect.headers_of(head)["content-range"] == answer["ContentRange"]
    assert (expect.status_of(head), head["ContentLength"]) == (206, answer["ContentLength"])


@pytest.mark.parametrize("value", ["bytes={0}-", "bytes={0}-{0}", "bytes=-0", "bytes=18446744073709551615-"])
@pytest.mark.parametrize("key", ["large", "small"])
def test_GetObject__range_beyond_the_end(server, root_user, ranged, key, value):
    size = SIZE if key == "large" else 100
    value = value.format(size)
    reply = raw.signed(server.url, root_user, "GET", f"/{ranged}/{key}", headers=[("Range", value)])
    assert (reply.status, reply.code) == (416, "InvalidRange"), reply
    assert reply.element("ActualObjectSize") == str(size)
    assert reply.element("RangeRequested") == value
    reply = raw.signed(server.url, root_user, "HEAD", f"/{ranged}/{key}", headers=[("Range", value)])
    assert (reply.status, reply.body) == (416, b"")


@pytest.mark.parametrize("value", [
    "bytes=0-1,3-4", "bytes=5-2", "bytes", "bytes=", "bytes=a-b", "bytes=--1", "octets=0-1", "bytes=0-1-2", "0-1",
    "bytes=" + ",".join(f"{i}-{i}" for i in range(500)), "bytes=0x0-0x5", "bytes=+1-+2", "bytes=1.5-2",
])  # fmt: skip
def test_GetObject__malformed_or_several_ranges_are_ignored(server, root_user, ranged, value):
    reply = raw.signed(server.url, root_user, "GET", f"/{ranged}/small", headers=[("Range", value)])
    assert (reply.status, reply.body) == (200, BODY[:100])
    assert reply.header("content-range") is None


@pytest.mark.parametrize("value", ["bytes=0-", "bytes=0-0", "bytes=-0", "bytes=5-9"])
def test_GetObject__a_range_of_an_empty_object(server, root_user, ranged, value):
    reply = raw.signed(server.url, root_user, "GET", f"/{ranged}/empty", headers=[("Range", value)])
    assert (reply.status, reply.code) == (416, "InvalidRange")
    assert (reply.element("RangeRequested"), reply.element("ActualObjectSize")) == (value, "0")


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("value", ["bytes=-1", "bytes=-5", "bytes=-13", "bytes=-99999999999999999999"])
def test_GetObject__the_last_bytes_of_an_empty_object(server, root_user, ranged, value, method):
    reply = raw.signed(server.url, root_user, method, f"/{ranged}/empty", headers=[("Range", value)])
    assert (reply.status, reply.body, reply.header("content-length")) == (200, b"", "0")
    assert reply.header("content-range") is None


def test_GetObject__many_ranges_of_a_large_object(s3, bucket):
    data = expect.noise(3 * 1024 * 1024 + 5, b"many ranges")
    s3.put_object(Bucket=bucket, Key="key", Body=data)
    for start in range(0, len(data), 700_001):
        answer = s3.get_object(Bucket=bucket, Key="key", Range=f"bytes={start}-{start + 700_000}")
        assert answer["Body"].read() == data[start : start + 700_001]


def test_GetObject__if_range(s3, server, root_user, ranged):
    head = s3.head_object(Bucket=ranged, Key="small")
    date = expect.headers_of(head)["last-modified"]
    for value, status in ((head["ETag"], 206), ('"0123"', 200), (date, 206), ("Mon, 01 Jan 2001 00:00:00 GMT", 200)):
        reply = raw.signed(
            server.url, root_user, "GET", f"/{ranged}/small", headers=[("Range", "bytes=0-4"), ("If-Range", value)])
        assert reply.status == status, value


# ---- partNumber of an object that was put whole ---------------------------------------------------


def test_GetObject__part_number_of_a_whole_object(s3, ranged):
    answer = s3.get_object(Bucket=ranged, Key="small", PartNumber=1)
    assert expect.status_of(answer) == 206
    assert answer["Body"].read() == BODY[:100]
    assert answer["ContentRange"] == "bytes 0-99/100"
    assert "PartsCount" not in answer
    assert s3.head_object(Bucket=ranged, Key="small", PartNumber=1)["ContentLength"] == 100
    with expect.refused(416, "InvalidPartNumber"):
        s3.get_object(Bucket=ranged, Key="small", PartNumber=2)
    with expect.refused(416, "416"):
        s3.head_object(Bucket=ranged, Key="small", PartNumber=2)


@pytest.mark.parametrize("value", ["0", "-1", "10001", "x", "1.5", ""])
def test_GetObject__part_number_that_is_none(server, root_user, ranged, value):
    reply = raw.signed(server.url, root_user, "GET", f"/{ranged}/small?partNumber={value}")
    assert (reply.status, reply.code) == (400, "InvalidArgument"), reply


def test_GetObject__part_number_and_range_together(server, root_user, ranged):
    reply = raw.signed(
        server.url, root_user, "GET", f"/{ranged}/small?partNumber=1", headers=[("Range", "bytes=0-1")])
    assert (reply.status, reply.code) == (400, "InvalidRequest"), reply
    assert reply.element("Message") == "Cannot specify both Range header and partNumber query parameter"


# ---- conditions -----------------------------------------------------------------------------------

PAST = "Sat, 01 Jan 2000 00:00:00 GMT"
FUTURE = "Fri, 01 Jan 2100 00:00:00 GMT"
WRONG = '"00000000000000000000000000000000"'


# RFC 9110 13.2.2; the combinations are those of the GetObject page.
@pytest.mark.parametrize("conditions,status", [
    ({"If-Match": "ETAG"}, 200), ({"If-Match": "*"}, 200), ({"If-Match": WRONG}, 412), ({"If-Match": f"{WRONG}, ETAG"}, 200),
    ({"If-None-Match": "ETAG"}, 304), ({"If-None-Match": "*"}, 304), ({"If-None-Match": WRONG}, 200),
    ({"If-None-Match": f"{WRONG},ETAG"}, 304), ({"If-None-Match": "W/ETAG"}, 304),
    ({"If-Modified-Since": PAST}, 200), ({"If-Modified-Since": "MODIFIED"}, 304),
    ({"If-Modified-Since": FUTURE}, 200), ({"If-None-Match": "ETAG", "If-Modified-Since": FUTURE}, 304),
    ({"If-Modified-Since": FUTURE, "If-Unmodified-Since": PAST}, 412),
    ({"If-Unmodified-Since": PAST}, 412), ({"If-Unmodified-Since": "MODIFIED"}, 200),
    ({"If-Unmodified-Since": FUTURE}, 200),
    ({"If-Match": "ETAG", "If-Unmodified-Since": PAST}, 200),
    ({"If-Match": WRONG, "If-Unmodified-Since": FUTURE}, 412),
    ({"If-None-Match": "ETAG", "If-Modified-Since": PAST}, 304),
    ({"If-None-Match": WRONG, "If-Modified-Since": "MODIFIED"}, 200),
    ({"If-Match": "ETAG", "If-None-Match": "ETAG"}, 304),
    ({"If-Match": WRONG, "If-None-Match": "ETAG"}, 412),
    ({"If-Modified-Since": "not a date"}, 200), ({"If-Unmodified-Since": "not a date"}, 200),
    ({"If-Match": "ETAG-WITHOUT-QUOTES"}, 200), ({"If-None-Match": "ETAG-WITHOUT-QUOTES"}, 304),
])  # fmt: skip
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_GetObject__conditions(server, root_user, s3, ranged, conditions, status, method):
    head = s3.head_object(Bucket=ranged, Key="small")
    etag, modified = head["ETag"], expect.headers_of(head)["last-modified"]
    headers = [
        (name, value.replace("ETAG-WITHOUT-QUOTES", etag.strip('"')).replace("ETAG", etag)
         .replace("MODIFIED", modified)) for name, value in conditions.items()]  # fmt: skip
    reply = raw.signed(server.url, root_user, method, f"/{ranged}/small", headers=headers)
    assert reply.status == status, reply
    if status == 304:
        assert reply.body == b""
        assert reply.header("etag") == etag
    if status == 412 and method == "GET":
        assert reply.code == "PreconditionFailed"
    if status == 200 and method == "GET":
        assert reply.body == BODY[:100]


def test_GetObject__condition_on_a_missing_key_is_404(s3, bucket):
    with expect.refused(404, "NoSuchKey"):
        s3.get_object(Bucket=bucket, Key="absent", IfNoneMatch="*")
    with expect.refused(404, "NoSuchKey"):
        s3.get_object(Bucket=bucket, Key="absent", IfMatch=WRONG)


def test_GetObject__condition_comes_before_range(server, root_user, ranged):
    headers = [("If-Match", WRONG), ("Range", "bytes=999999-")]
    assert raw.signed(server.url, root_user, "GET", f"/{ranged}/small", headers=headers).status == 412


# ---- missing --------------------------------------------------------------------------------------


def test_GetObject__missing_key_names_the_key(server, root_user, bucket):
    reply = raw.signed(server.url, root_user, "GET", f"/{bucket}/some/%26key")
    assert (reply.status, reply.code, reply.element("Key")) == (404, "NoSuchKey", "some/&key")
    assert reply.header("content-type") == "application/xml"
    assert reply.body.startswith(b"<?xml")


def test_HeadObject__missing_key_has_no_body(server, root_user, bucket):
    reply = raw.signed(server.url, root_user, "HEAD", f"/{bucket}/absent")
    assert (reply.status, reply.body) == (404, b"")


def test_HeadObject__equals_GetObject(server, root_user, s3, bucket):
    s3.put_object(Bucket=bucket, Key="key", Body=b"data", Metadata={"a": "b"}, Tagging="a=b", **SYSTEM)
    ignored = {"date", "x-amz-request-id", "x-amz-id-2"}
    get = raw.signed(server.url, root_user, "GET", f"/{bucket}/key")
    head = raw.signed(server.url, root_user, "HEAD", f"/{bucket}/key")
    assert ({(k.lower(), v) for k, v in get.headers if k.lower() not in ignored}
            == {(k.lower(), v) for k, v in head.headers if k.lower() not in ignored})  # fmt: skip


def test_DeleteObject__is_204_also_for_what_is_not_there(server, root_user, s3, bucket):
    s3.put_object(Bucket=bucket, Key="key", Body=b"data")
    for _ in range(2):
        reply = raw.signed(server.url, root_user, "DELETE", f"/{bucket}/key")
        assert (reply.status, reply.body) == (204, b"")
        assert reply.header("x-amz-version-id") is None
        assert reply.header("x-amz-delete-marker") is None
    with expect.refused(404, "NoSuchKey"):
        s3.get_object(Bucket=bucket, Key="key")


# ---- encryption -------------------------------------------------------------------------------------


def on_disk(directory, needle):
    """Names of the files below a directory that hold these bytes."""
    found = []
    for folder, _, names in os.walk(directory):
        for name in names:
            path = os.path.join(folder, name)
            if not os.path.isfile(path):
                continue  # the server's socket
            with open(path, "rb") as file:
                if needle in file.read():
                    found.append(name)
    return found


def plain(size):
    """Recognisable bytes, different in each call."""
    return (b"PLAINTEXT-" + os.urandom(8).hex().encode() + b"-") * (size // 27 + 1)


@pytest.mark.parametrize("size", [100, INLINE * 4], ids=["inline", "blob"])
@pytest.mark.parametrize("how,arguments,answer", [
    ("AES256", {"ServerSideEncryption": "AES256"}, "AES256"),
    ("aws:kms", {"ServerSideEncryption": "aws:kms"}, "aws:kms"),
    ("aws:kms with a key", {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": "alias/mine"}, "aws:kms"),
    ("aws:kms:dsse", {"ServerSideEncryption": "aws:kms:dsse"}, "aws:kms:dsse"),
], ids=["AES256", "aws:kms", "key", "dsse"])  # fmt: skip
def test_PutObject__encryption_is_echoed_and_no_plaintext_is_on_disk(make_server, size, how, arguments, answer):
    server = make_server()
    s3 = Cloud(server).client()
    s3.create_bucket(Bucket="bucket")
    control, data = plain(size), plain(size)
    s3.put_object(Bucket="bucket", Key="plain", Body=control)
    put = s3.put_object(Bucket="bucket", Key="key", Body=data, **arguments)
    get = s3.get_object(Bucket="bucket", Key="key")
    head = s3.head_object(Bucket="bucket", Key="key")
    part = s3.get_object(Bucket="bucket", Key="key", Range="bytes=30-80")
    assert get["Body"].read() == data
    assert part["Body"].read() == data[30:81]
    for reply in (put, get, head, part):
        assert reply["ServerSideEncryption"] == answer
        if "kms" in answer:
            wanted = re.escape(arguments["SSEKMSKeyId"]) if "SSEKMSKeyId" in arguments else KMS_ARN
            assert re.fullmatch(wanted, reply["SSEKMSKeyId"])
    assert on_disk(server.directory, control[:27]), "the search is no use"
    assert on_disk(server.directory, data[:27]) == []
    assert expect.body_of(s3, "bucket", "plain") == control


KMS_ARN = re.compile(r"arn:aws:kms:us-east-1:000000000000:key/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def test_PutObject__aws_kms_without_a_key_names_one_key_everywhere(make_server):
    server = make_server()
    s3 = Cloud(server).client()
    s3.create_bucket(Bucket="bucket")
    kms = {"ServerSideEncryption": "aws:kms"}
    answers = [s3.put_object(Bucket="bucket", Key="key", Body=b"data", **kms),
               s3.get_object(Bucket="bucket", Key="key"), s3.head_object(Bucket="bucket", Key="key"),
               s3.copy_object(Bucket="bucket", Key="copy", CopySource="bucket/key", **kms),
               s3.head_object(Bucket="bucket", Key="copy")]  # fmt: skip
    upload = s3.create_multipart_upload(Bucket="bucket", Key="parts", **kms)
    part = s3.upload_part(Bucket="bucket", Key="parts", UploadId=upload["UploadId"], PartNumber=1, Body=b"data")
    copied = s3.upload_part_copy(
        Bucket="bucket", Key="parts", UploadId=upload["UploadId"], PartNumber=2, CopySource="bucket/key")  # fmt: skip
    whole = expect.complete(s3, "bucket", "parts", upload["UploadId"], [{"PartNumber": 1, "ETag": part["ETag"]}])
    answers += [upload, part, copied, whole, s3.head_object(Bucket="bucket", Key="parts")]
    names = {answer["SSEKMSKeyId"] for answer in answers}
    assert len(names) == 1
    name = names.pop()
    assert KMS_ARN.fullmatch(name)
    server.stop()
    keyring = server.directory / "keyring"
    head, keys = keyring.read_text().split("\n", 1)
    keyring.write_text(f"{head}\n{'0' * 8} {'1' * 64}\n{keys}")  # a rotation
    server.start()
    again = s3.put_object(Bucket="bucket", Key="again", Body=b"data", **kms)
    assert again["SSEKMSKeyId"] == s3.head_object(Bucket="bucket", Key="key")["SSEKMSKeyId"] == name
    other = Cloud(make_server()).client()
    other.create_bucket(Bucket="bucket")
    assert other.put_object(Bucket="bucket", Key="key", Body=b"data", **kms)["SSEKMSKeyId"] != name


def test_PutObject__encrypted_bodies_survive_a_restart(make_server):
    server = make_server()
    s3 = Cloud(server).client()
    s3.create_bucket(Bucket="bucket")
    data = plain(INLINE * 3)
    s3.put_object(Bucket="bucket", Key="key", Body=data, ServerSideEncryption="AES256")
    s3.put_object(Bucket="bucket", Key="small", Body=data[:99], ServerSideEncryption="AES256")
    server.stop()
    server.start()
    assert expect.body_of(s3, "bucket", "key") == data
    assert expect.body_of(s3, "bucket", "small") == data[:99]


def test_CreateMultipartUpload__encrypted_parts(make_server):
    server = make_server()
    s3 = Cloud(server).client()
    s3.create_bucket(Bucket="bucket")
    parts = [plain(5 * 1024 * 1024), plain(1000)]
    created = s3.create_multipart_upload(Bucket="bucket", Key="key", ServerSideEncryption="aws:kms")
    assert created["ServerSideEncryption"] == "aws:kms"
    listed = []
    for number, data in enumerate(parts, 1):
        answer = s3.upload_part(
            Bucket="bucket", Key="key", UploadId=created["UploadId"], PartNumber=number, Body=data)
        assert answer["ServerSideEncryption"] == "aws:kms"
        listed.append({"PartNumber": number, "ETag": answer["ETag"]})
    done = expect.complete(s3, "bucket", "key", created["UploadId"], listed)
    assert done["ServerSideEncryption"] == "aws:kms"
    assert expect.body_of(s3, "bucket", "key") == b"".join(parts)
    assert on_disk(server.directory, parts[0][:27]) == []
    assert on_disk(server.directory, parts[1][:27]) == []


def test_CopyObject__encrypts_what_was_plain(make_server):
    server = make_server()
    s3 = Cloud(server).client()
    s3.create_bucket(Bucket="bucket")
    data = plain(INLINE * 2)
    s3.put_object(Bucket="bucket", Key="key", Body=data)
    answer = s3.copy_object(
        Bucket="bucket", Key="copy", CopySource="bucket/key", ServerSideEncryption="AES256")
    assert answer["ServerSideEncryption"] == "AES256"
    head = s3.head_object(Bucket="bucket", Key="copy")
    assert head["ServerSideEncryption"] == "AES256"
    assert expect.body_of(s3, "bucket", "copy") == data
    s3.copy_object(Bucket="bucket", Key="plain-again", CopySource="bucket/copy")
    assert expect.body_of(s3, "bucket", "plain-again") == data


def test_PutObject__unknown_encryption(s3, bucket):
    with expect.refused(400, "InvalidArgument"):
        s3.put_object(Bucket=bucket, Key="key", Body=b"", ServerSideEncryption="rot13")
    with expect.refused_with_status(400):
        s3.put_object(Bucket=bucket, Key="key", Body=b"", ServerSideEncryption="AES256", SSEKMSKeyId="k")
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0


def test_PutObject__customer_key_over_http_is_refused_never_dropped(server, root_user, s3, bucket):
    key = b"k" * 32
    headers = [
        ("x-amz-server-side-encryption-customer-algorithm", "AES256"),
        ("x-amz-server-side-encryption-customer-key", base64.b64encode(key).decode()),
        ("x-amz-server-side-encryption-customer-key-md5", base64.b64encode(hashlib.md5(key).digest()).decode()),
    ]
    reply = raw.signed(server.url, root_user, "PUT", f"/{bucket}/key", b"data", headers)
    assert (reply.status, reply.code) == (400, "InvalidRequest"), reply  # over http
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0
