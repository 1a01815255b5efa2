# SPDX-License-Identifier: Apache-2.0
"""CopyObject: sources, directives, conditions, versions.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html
"""

import datetime

import pytest

from sdk import algorithms, expect
from wire import raw

PAST = datetime.datetime(2000, 1, 1, tzinfo=datetime.timezone.utc)
SOON = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=1)
FUTURE = datetime.datetime(2100, 1, 1, tzinfo=datetime.timezone.utc)
WRONG = '"00000000000000000000000000000000"'


@pytest.fixture
def source(s3, bucket):
    s3.put_object(
        Bucket=bucket, Key="source", Body=b"data", ContentType="text/plain", CacheControl="no-cache",
        Metadata={"a": "1"}, Tagging="t=1&u=2")  # fmt: skip
    return bucket


def test_CopyObject__answers_etag_and_date(server, root_user, source):
    reply = raw.signed(
        server.url, root_user, "PUT", f"/{source}/copy", headers=[("x-amz-copy-source", f"{source}/source")])
    assert reply.status == 200
    assert reply.body.startswith(b"<?xml")
    assert b'<CopyObjectResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">' in reply.body
    assert reply.element("ETag") == expect.md5_etag(b"data")
    assert reply.element("LastModified").endswith("Z")


@pytest.mark.parametrize("size", [0, 10, 65536, 65537, 3 * 1024 * 1024])
def test_CopyObject__bytes_of_every_size(s3, bucket, size):
    data = expect.noise(size)
    s3.put_object(Bucket=bucket, Key="source", Body=data)
    s3.copy_object(Bucket=bucket, Key="copy", CopySource=f"{bucket}/source")
    s3.delete_object(Bucket=bucket, Key="source")
    assert expect.body_of(s3, bucket, "copy") == data
    s3.put_object(Bucket=bucket, Key="source", Body=b"new")
    assert expect.body_of(s3, bucket, "copy") == data


def test_CopyObject__keeps_metadata_and_tags_by_default(s3, source):
    s3.copy_object(Bucket=source, Key="copy", CopySource=f"{source}/source", ContentType="ignored/x", Metadata={"x": "y"})
    head = s3.head_object(Bucket=source, Key="copy")
    assert (head["ContentType"], head["CacheControl"], head["Metadata"]) == ("text/plain", "no-cache", {"a": "1"})
    tags = s3.get_object_tagging(Bucket=source, Key="copy")["TagSet"]
    assert sorted(tags, key=str) == [{"Key": "t", "Value": "1"}, {"Key": "u", "Value": "2"}]


def test_CopyObject__replace_directives(s3, source):
    s3.copy_object(
        Bucket=source, Key="copy", CopySource=f"{source}/source", MetadataDirective="REPLACE",
        ContentType="text/html", Metadata={"b": "2"}, TaggingDirective="REPLACE", Tagging="v=3")  # fmt: skip
    head = s3.head_object(Bucket=source, Key="copy")
    assert (head["ContentType"], head["Metadata"]) == ("text/html", {"b": "2"})
    assert "CacheControl" not in head
    assert s3.get_object_tagging(Bucket=source, Key="copy")["TagSet"] == [{"Key": "v", "Value": "3"}]


def test_CopyObject__replace_with_nothing_clears(s3, source):
    s3.copy_object(
        Bucket=source, Key="copy", CopySource=f"{source}/source", MetadataDirective="REPLACE", TaggingDirective="REPLACE")
    head = s3.head_object(Bucket=source, Key="copy")
    assert (head["ContentType"], head["Metadata"]) == ("binary/octet-stream", {})
    assert s3.get_object_tagging(Bucket=source, Key="copy")["TagSet"] == []


@pytest.mark.parametrize("header", ["x-amz-metadata-directive", "x-amz-tagging-directive"])
def test_CopyObject__unknown_directive(server, root_user, s3, source, header):
    reply = raw.signed(server.url, root_user, "PUT", f"/{source}/copy", headers=[
        ("x-amz-copy-source", f"{source}/source"), (header, "MERGE")])  # fmt: skip
    assert (reply.status, reply.code) == (400, "InvalidArgument"), reply
    with expect.refused(404, "404"):
        s3.head_object(Bucket=source, Key="copy")


# ---- self-copy ----------------------------------------------------------------------------------


def test_CopyObject__onto_itself_without_a_change(s3, source):
    with expect.refused(400, "InvalidRequest"):
        s3.copy_object(Bucket=source, Key="source", CopySource=f"{source}/source")


@pytest.mark.parametrize("change", [
    {"MetadataDirective": "REPLACE", "Metadata": {"b": "2"}}, {"StorageClass": "STANDARD_IA"},
    {"ServerSideEncryption": "AES256"}, {"WebsiteRedirectLocation": "/x"},
], ids=lambda change: next(iter(change)))  # fmt: skip
def test_CopyObject__onto_itself_with_a_change(s3, source, change):
    s3.copy_object(Bucket=source, Key="source", CopySource=f"{source}/source", **change)
    head = s3.head_object(Bucket=source, Key="source")
    for name, value in change.items():
        if name != "MetadataDirective":
            assert head[name] == value
    assert expect.body_of(s3, source, "source") == b"data"


def test_CopyObject__old_version_onto_itself_restores_it(s3, versioned):
    old = s3.put_object(Bucket=versioned, Key="key", Body=b"old")["VersionId"]
    s3.put_object(Bucket=versioned, Key="key", Body=b"new")
    answer = s3.copy_object(Bucket=versioned, Key="key", CopySource={"Bucket": versioned, "Key": "key", "VersionId": old})
    assert answer["CopySourceVersionId"] == old
    assert answer["VersionId"] not in (old, None)
    assert expect.body_of(s3, versioned, "key") == b"old"


# ---- source -------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["a b", "a+b", "a%2Fb", "ü/ß", "a?b", "a&b=c", "//x", "a/../b", "q?versionId=x"])
def test_CopyObject__source_key_is_decoded_once(s3, bucket, key):
    s3.put_object(Bucket=bucket, Key=key, Body=key.encode())
    s3.copy_object(Bucket=bucket, Key="copy", CopySource={"Bucket": bucket, "Key": key})
    assert expect.body_of(s3, bucket, "copy") == key.encode()


@pytest.mark.parametrize("form", ["{}/source", "/{}/source", "{}%2Fsource", "/{}/%73ource"])
def test_CopyObject__forms_of_the_source(server, root_user, s3, source, form):
    reply = raw.signed(server.url, root_user, "PUT", f"/{source}/copy", headers=[("x-amz-copy-source", form.format(source))])
    assert reply.status == 200, reply
    assert expect.body_of(s3, source, "copy") == b"data"


@pytest.mark.parametrize("form,status", [
    ("", 400), ("/", 400), ("source", 400), ("{}", 400), ("{}/", 400), ("{}/source%00", 400), ("{}/%zz", 400),
    ("{}/%FF", 400), ("{}/absent", 404), ("no-such-bucket-of-ours/key", 404), ("{}/source?versionId=", 400),
    ("{}/source?versionId=abc", 400), ("{}/source?versionId=null", 200), ("{}/source?versionId=" + "0" * 32, 400),
    ("{}/source?uploadId=x", 404), ("{}/" + "k" * 1025, 400),
])  # fmt: skip
def test_CopyObject__source_that_is_none(server, root_user, s3, source, form, status):
    reply = raw.signed(server.url, root_user, "PUT", f"/{source}/copy", headers=[("x-amz-copy-source", form.format(source))])
    assert reply.status == status, reply
    if status != 200:
        with expect.refused(404, "404"):
            s3.head_object(Bucket=source, Key="copy")


def test_CopyObject__missing_key_and_bucket(s3, source):
    with expect.refused(404, "NoSuchKey"):
        s3.copy_object(Bucket=source, Key="copy", CopySource=f"{source}/absent")
    with expect.refused(404, "NoSuchBucket"):
        s3.copy_object(Bucket=source, Key="copy", CopySource="no-such-bucket-of-ours/key")


@pytest.mark.parametrize("body", [b"smuggled", b"x", b"x" * 70_000], ids=len)
def test_CopyObject__a_body_is_refused(server, root_user, s3, source, body):
    reply = raw.signed(
        server.url, root_user, "PUT", f"/{source}/copy", body, [("x-amz-copy-source", f"{source}/source")])
    assert reply.refusal() == (
        400, "InvalidRequest",
        "The request included a body. Requests of this type must not include a non-empty body.", {})  # fmt: skip
    with expect.refused(404, "404"):
        s3.head_object(Bucket=source, Key="copy")


@pytest.mark.parametrize("value", ["bytes=0-2", "bytes=-1", "bytes=9-", "none"])
def test_CopyObject__a_range_is_refused(server, root_user, s3, source, value):
    reply = raw.signed(server.url, root_user, "PUT", f"/{source}/copy", headers=[
        ("x-amz-copy-source", f"{source}/source"), ("Range", value)])  # fmt: skip
    assert (reply.status, reply.code) == (400, "InvalidArgument"), reply
    assert reply.element("Message") == "RANGE is not supported in Copy!"
    assert (reply.element("ArgumentName"), reply.element("ArgumentValue")) == ("Range", value)
    with expect.refused(404, "404"):
        s3.head_object(Bucket=source, Key="copy")


# ---- conditions on the source ---------------------------------------------------------------------


def copy_whole(s3, bucket, **conditions):
    s3.copy_object(Bucket=bucket, Key="copy", CopySource=f"{bucket}/source", **conditions)


def copy_part(s3, bucket, **conditions):
    upload = s3.create_multipart_upload(Bucket=bucket, Key="copy")["UploadId"]
    answer = s3.upload_part_copy(
        Bucket=bucket, Key="copy", UploadId=upload, PartNumber=1, CopySource=f"{bucket}/source", **conditions)
    expect.complete(s3, bucket, "copy", upload, [{"PartNumber": 1, "ETag": answer["CopyPartResult"]["ETag"]}])


@pytest.fixture(params=[copy_whole, copy_part])
def copying(request):
    return request.param


# An If-Modified-Since in the future is no condition; a tag counts before a date.
@pytest.mark.parametrize("conditions,failed", [
    ({"CopySourceIfMatch": "ETAG"}, None), ({"CopySourceIfMatch": WRONG}, "If-Match"),
    ({"CopySourceIfNoneMatch": "ETAG"}, "If-None-Match"), ({"CopySourceIfNoneMatch": WRONG}, None),
    ({"CopySourceIfModifiedSince": PAST}, None), ({"CopySourceIfModifiedSince": "MODIFIED"}, "If-Modified-Since"),
    ({"CopySourceIfModifiedSince": SOON}, None), ({"CopySourceIfModifiedSince": FUTURE}, None),
    ({"CopySourceIfUnmodifiedSince": PAST}, "If-Unmodified-Since"), ({"CopySourceIfUnmodifiedSince": FUTURE}, None),
    ({"CopySourceIfUnmodifiedSince": "MODIFIED"}, None),
    ({"CopySourceIfMatch": "ETAG", "CopySourceIfUnmodifiedSince": PAST}, None),
    ({"CopySourceIfMatch": WRONG, "CopySourceIfUnmodifiedSince": PAST}, "If-Match"),
    ({"CopySourceIfNoneMatch": "ETAG", "CopySourceIfModifiedSince": PAST}, "If-None-Match"),
    ({"CopySourceIfNoneMatch": WRONG, "CopySourceIfModifiedSince": "MODIFIED"}, None),
])  # fmt: skip
def test_copy__conditions_on_the_source(s3, source, copying, conditions, failed):
    head = s3.head_object(Bucket=source, Key="source")
    known = {"ETAG": head["ETag"], "MODIFIED": head["LastModified"]}
    conditions = {name: known.get(value, value) for name, value in conditions.items()}
    if failed is None:
        copying(s3, source, **conditions)
        assert expect.body_of(s3, source, "copy") == b"data"
    else:
        with expect.refused(412, "PreconditionFailed") as answer:
            copying(s3, source, **conditions)
        assert answer["Error"]["Condition"] == f"x-amz-copy-source-{failed}"
        with expect.refused(404, "404"):
            s3.head_object(Bucket=source, Key="copy")


# ---- versions -------------------------------------------------------------------------------------


def test_CopyObject__of_a_version(s3, versioned, bucket):
    old = s3.put_object(Bucket=versioned, Key="key", Body=b"old")["VersionId"]
    new = s3.put_object(Bucket=versioned, Key="key", Body=b"new")["VersionId"]
    answer = s3.copy_object(Bucket=bucket, Key="copy", CopySource={"Bucket": versioned, "Key": "key", "VersionId": old})
    assert answer["CopySourceVersionId"] == old
    assert expect.body_of(s3, bucket, "copy") == b"old"
    answer = s3.copy_object(Bucket=bucket, Key="copy", CopySource=f"{versioned}/key")
    assert answer["CopySourceVersionId"] == new
    assert expect.body_of(s3, bucket, "copy") == b"new"
    assert "VersionId" not in answer


def test_copy__a_null_version_is_named_where_it_is_written_only(s3, versioned, bucket):
    old = s3.put_object(Bucket=versioned, Key="source", Body=b"old")["VersionId"]
    s3.put_bucket_versioning(Bucket=versioned, VersioningConfiguration={"Status": "Suspended"})
    put = s3.put_object(Bucket=versioned, Key="key", Body=b"data")
    assert "VersionId" not in put
    answer = s3.copy_object(Bucket=versioned, Key="copy", CopySource={
        "Bucket": versioned, "Key": "source", "VersionId": old})  # fmt: skip
    assert (answer["VersionId"], answer["CopySourceVersionId"]) == ("null", old)
    for form in (f"{versioned}/key", f"{versioned}/key?versionId=null"):
        answer = s3.copy_object(Bucket=bucket, Key="copy", CopySource=form)
        assert "CopySourceVersionId" not in answer
        assert "VersionId" not in answer
    upload = s3.create_multipart_upload(Bucket=bucket, Key="parts")["UploadId"]
    answer = s3.upload_part_copy(
        Bucket=bucket, Key="parts", UploadId=upload, PartNumber=1, CopySource=f"{versioned}/key")
    assert "CopySourceVersionId" not in answer


def test_CopyObject__of_a_delete_marker(s3, versioned, bucket):
    s3.put_object(Bucket=versioned, Key="key", Body=b"old")
    marker = s3.delete_object(Bucket=versioned, Key="key")["VersionId"]
    with expect.refused(404, "NoSuchKey"):
        s3.copy_object(Bucket=bucket, Key="copy", CopySource=f"{versioned}/key")
    with expect.refused(400, "InvalidRequest"):
        s3.copy_object(Bucket=bucket, Key="copy", CopySource={"Bucket": versioned, "Key": "key", "VersionId": marker})


# ---- access, ACL, checksums, multipart --------------------------------------------------------------


def test_CopyObject__source_is_authorised(cloud, s3, alice, bucket):
    hers = cloud.new_bucket("alice")
    s3.put_object(Bucket=bucket, Key="secret", Body=b"secret")
    with expect.refused(403, "AccessDenied"):
        alice.copy_object(Bucket=hers, Key="stolen", CopySource=f"{bucket}/secret")
    with expect.refused(404, "404"):
        alice.head_object(Bucket=hers, Key="stolen")
    s3.put_object(Bucket=bucket, Key="open", Body=b"open", ACL="authenticated-read")
    alice.copy_object(Bucket=hers, Key="copied", CopySource=f"{bucket}/open")
    assert expect.body_of(alice, hers, "copied") == b"open"


def test_CopyObject__acl_is_not_copied(s3, bucket, anyone):
    s3.put_object(Bucket=bucket, Key="open", Body=b"open", ACL="public-read")
    s3.copy_object(Bucket=bucket, Key="copy", CopySource=f"{bucket}/open")
    with expect.refused(403, "AccessDenied"):
        anyone.get_object(Bucket=bucket, Key="copy")
    s3.copy_object(Bucket=bucket, Key="copy", CopySource=f"{bucket}/open", ACL="public-read")
    assert expect.body_of(anyone, bucket, "copy") == b"open"


def test_CopyObject__storage_class_is_not_copied(s3, bucket):
    s3.put_object(Bucket=bucket, Key="key", Body=b"", StorageClass="STANDARD_IA")
    s3.copy_object(Bucket=bucket, Key="copy", CopySource=f"{bucket}/key")
    assert "StorageClass" not in s3.head_object(Bucket=bucket, Key="copy")


# ---- ETag and checksum are those of the bytes -------------------------------------------------------------

# What the client asks the upload to be made with, and what its copy has.
UPLOADS = [
    ({}, "CRC64NVME"), ({"ChecksumAlgorithm": "CRC64NVME"}, "CRC64NVME"), ({"ChecksumAlgorithm": "CRC32"}, "CRC32"),
    ({"ChecksumAlgorithm": "CRC32C"}, "CRC32C"), ({"ChecksumAlgorithm": "SHA1"}, "SHA1"),
    ({"ChecksumAlgorithm": "SHA256"}, "SHA256"), ({"ChecksumAlgorithm": "SHA512"}, "SHA512"),
    ({"ChecksumAlgorithm": "CRC32", "ChecksumType": "FULL_OBJECT"}, "CRC32"),
]  # fmt: skip


def multipart_source(server, user, bucket, bodies, arguments, extra=()):
    """"source" made of parts by plain requests: any algorithm, whatever the SDK can compute."""
    name = arguments.get("ChecksumAlgorithm")
    headers = list(extra) + ([("x-amz-checksum-algorithm", name)] if name else [])
    headers += [("x-amz-checksum-type", arguments["ChecksumType"])] if "ChecksumType" in arguments else []
    upload = raw.signed(server.url, user, "POST", f"/{bucket}/source?uploads", headers=headers).element("UploadId")
    elements = ""
    for number, body in enumerate(bodies, 1):
        sent = [(algorithms.header(name), algorithms.value(name, body))] if name else []
        reply = raw.signed(server.url, user, "PUT", f"/{bucket}/source?partNumber={number}&uploadId={upload}", body, sent)
        assert reply.status == 200, reply
        listed = f"<Checksum{name}>{sent[0][1]}</Checksum{name}>" if name else ""
        elements += f"<Part><PartNumber>{number}</PartNumber><ETag>{reply.header('etag')}</ETag>{listed}</Part>"
    done = raw.signed(server.url, user, "POST", f"/{bucket}/source?uploadId={upload}", (
        f"<CompleteMultipartUpload>{elements}</CompleteMultipartUpload>").encode())  # fmt: skip
    assert done.status == 200, done


def is_as_uploaded_in_one_piece(s3, bucket, key, data, name):
    head = s3.head_object(Bucket=bucket, Key=key, ChecksumMode="ENABLED")
    assert head["ETag"] == expect.md5_etag(data)
    assert (head["ContentLength"], "PartsCount" in head) == (len(data), False)
    assert (head[f"Checksum{name}"], head["ChecksumType"]) == (algorithms.value(name, data), "FULL_OBJECT")
    assert expect.body_of(s3, bucket, key) == data
    attributes = s3.get_object_attributes(Bucket=bucket, Key=key, ObjectAttributes=["Checksum", "ObjectParts", "ETag"])
    assert "ObjectParts" not in attributes
    assert attributes["ETag"] == head["ETag"].strip('"')
    assert attributes["Checksum"] == {f"Checksum{name}": algorithms.value(name, data), "ChecksumType": "FULL_OBJECT"}
    assert s3.list_objects_v2(Bucket=bucket, Prefix=key)["Contents"][0]["ETag"] == head["ETag"]


@pytest.mark.parametrize("sealed", [False, True], ids=["plain", "encrypted"])
@pytest.mark.parametrize("arguments,name", UPLOADS, ids=str)
def test_CopyObject__of_a_multipart_object_is_one_piece(server, root_user, s3, bucket, arguments, name, sealed):
    data = expect.noise(3000)
    extra = [("x-amz-server-side-encryption", "AES256")] if sealed else []
    multipart_source(server, root_user, bucket, [data], arguments, extra)
    answer = s3.copy_object(Bucket=bucket, Key="copy", CopySource=f"{bucket}/source")["CopyObjectResult"]
    assert answer["ETag"] == expect.md5_etag(data)
    assert (answer[f"Checksum{name}"], answer["ChecksumType"]) == (algorithms.value(name, data), "FULL_OBJECT")
    is_as_uploaded_in_one_piece(s3, bucket, "copy", data, name)
    # A copy of the copy, and one that is encrypted on the way.
    s3.copy_object(Bucket=bucket, Key="again", CopySource=f"{bucket}/copy")
    is_as_uploaded_in_one_piece(s3, bucket, "again", data, name)
    s3.copy_object(Bucket=bucket, Key="sealed", CopySource=f"{bucket}/source", ServerSideEncryption="AES256")
    is_as_uploaded_in_one_piece(s3, bucket, "sealed", data, name)


@pytest.mark.parametrize("asked", ["CRC32", "SHA1", "SHA256", "CRC64NVME", "MD5"])
def test_CopyObject__of_a_multipart_object_with_another_algorithm(server, root_user, s3, bucket, asked):
    data = expect.noise(3000)
    multipart_source(server, root_user, bucket, [data], {"ChecksumAlgorithm": "SHA512"})
    reply = raw.signed(server.url, root_user, "PUT", f"/{bucket}/copy", headers=[
        ("x-amz-copy-source", f"{bucket}/source"), ("x-amz-checksum-algorithm", asked.lower())])  # fmt: skip
    assert reply.element(f"Checksum{asked}") == algorithms.value(asked, data), reply
    is_as_uploaded_in_one_piece(s3, bucket, "copy", data, asked)


def test_copy__of_a_multipart_object_by_the_sdk(any_s3, bucket):
    parts = [expect.noise(5 * 1024 * 1024, b"1"), b"the end"]
    data = b"".join(parts)
    expect.multipart_object(any_s3, bucket, "source", parts)
    answer = any_s3.copy_object(Bucket=bucket, Key="copy", CopySource=f"{bucket}/source")["CopyObjectResult"]
    assert answer["ETag"] == expect.md5_etag(data)
    upload = any_s3.create_multipart_upload(Bucket=bucket, Key="parts")["UploadId"]
    answer = any_s3.upload_part_copy(
        Bucket=bucket, Key="parts", UploadId=upload, PartNumber=1, CopySource=f"{bucket}/source",
        CopySourceRange=f"bytes=10-{len(data) - 2}")["CopyPartResult"]  # fmt: skip
    assert answer["ETag"] == expect.md5_etag(data[10:-1])
    expect.complete(any_s3, bucket, "parts", upload, [{"PartNumber": 1, "ETag": answer["ETag"]}])
    assert expect.body_of(any_s3, bucket, "parts") == data[10:-1]
    assert expect.body_of(any_s3, bucket, "copy") == data


def test_CopyObject__of_several_parts(server, root_user, s3, bucket):
    parts = [expect.noise(5 * 1024 * 1024, b"1"), expect.noise(5 * 1024 * 1024, b"2"), expect.noise(1000, b"3")]
    data = b"".join(parts)
    multipart_source(server, root_user, bucket, parts, {"ChecksumAlgorithm": "SHA256"}, [
        ("Content-Type", "text/x"), ("x-amz-meta-a", "b")])  # fmt: skip
    s3.copy_object(Bucket=bucket, Key="copy", CopySource=f"{bucket}/source")
    is_as_uploaded_in_one_piece(s3, bucket, "copy", data, "SHA256")
    head = s3.head_object(Bucket=bucket, Key="copy")
    assert (head["ContentType"], head["Metadata"]) == ("text/x", {"a": "b"})
    assert expect.body_of(s3, bucket, "copy", Range="bytes=5242870-5242890") == data[5242870:5242891]
    assert expect.body_of(s3, bucket, "copy", PartNumber=1) == data
    s3.delete_object(Bucket=bucket, Key="source")
    assert expect.body_of(s3, bucket, "copy") == data


def test_CopyObject__of_a_multipart_object_onto_itself(server, root_user, s3, bucket):
    """What tools do to change metadata."""
    data = expect.noise(3000)
    multipart_source(server, root_user, bucket, [data], {"ChecksumAlgorithm": "SHA1"})
    s3.copy_object(Bucket=bucket, Key="source", CopySource=f"{bucket}/source", MetadataDirective="REPLACE", Metadata={"a": "b"})
    is_as_uploaded_in_one_piece(s3, bucket, "source", data, "SHA1")
    assert s3.head_object(Bucket=bucket, Key="source")["Metadata"] == {"a": "b"}


@pytest.mark.tsan
def test_CopyObject__of_a_multipart_object_that_is_replaced_meanwhile(server, root_user, s3, bucket):
    """Either source may win; a copy never has the digests of one and the bytes of the other."""
    bodies = [expect.noise(300_000, b"%d" % n) for n in range(2)]
    multipart_source(server, root_user, bucket, [bodies[0]], {})

    def act(i):
        for _ in range(5):
            if i == 0:
                s3.put_object(Bucket=bucket, Key="source", Body=bodies[1])
                multipart_source(server, root_user, bucket, [bodies[0]], {})
                continue
            key = f"copy{i}"
            s3.copy_object(Bucket=bucket, Key=key, CopySource=f"{bucket}/source")
            got = s3.get_object(Bucket=bucket, Key=key)
            assert got["ETag"] == expect.md5_etag(got["Body"].read())

    assert expect.at_once(4, act) == [None] * 4


def test_CopyObject__managed_copy_in_parts(s3, bucket):
    from boto3.s3.transfer import TransferConfig

    data = expect.noise(17 * 1024 * 1024)
    s3.put_object(Bucket=bucket, Key="source", Body=data)
    s3.copy({"Bucket": bucket, "Key": "source"}, bucket, "copy",
            Config=TransferConfig(multipart_threshold=8 * 1024 * 1024, multipart_chunksize=6 * 1024 * 1024))  # fmt: skip
    head = s3.head_object(Bucket=bucket, Key="copy")
    assert head["ETag"].endswith('-3"')
    assert expect.body_of(s3, bucket, "copy") == data
