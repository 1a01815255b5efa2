# SPDX-License-Identifier: Apache-2.0
"""What each error says beside its code and its message, and that it says nothing else.

    https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
"""

import base64
import hashlib

import pytest

from sdk import expect
from sdk.cloud import bucket_name
from wire import raw

GONE = "0" * 31 + "1"
FIVE_MIB = 5 * 1024 * 1024


class World:
    """A bucket with an object and uploads in it, and what the requests below are made of."""

    def __init__(self, server, cloud):
        self.server, self.root, self.alice = server, server.users["root"], server.users["alice"]
        self.s3 = cloud.client()
        self.bucket = cloud.new_bucket(hint="facts")
        self.versioned = cloud.new_bucket(hint="facts-versioned")
        self.s3.put_bucket_versioning(Bucket=self.versioned, VersioningConfiguration={"Status": "Enabled"})
        self.of_alice = cloud.new_bucket(user="alice", hint="facts-alice")
        self.s3.put_object(Bucket=self.bucket, Key="k", Body=b"data")
        self.s3.put_object(Bucket=self.versioned, Key="k", Body=b"data")
        self.s3.put_object(Bucket=self.versioned, Key="gone", Body=b"data")
        self.s3.delete_object(Bucket=self.versioned, Key="gone")
        self.upload, parts = expect.upload_parts(self.s3, self.bucket, "up", [b"a", b"b"])
        self.etags = [part["ETag"].strip('"') for part in parts]

    def ask(self, method, target, body=b"", headers=(), user=None):
        names = {"b": self.bucket, "v": self.versioned, "a": self.of_alice, "u": self.upload, "gone": GONE}
        headers = [(name, value.format(**names)) for name, value in headers]
        return raw.signed(self.server.url, user or self.root, method, target.format(**names), body, headers)

    def complete(self, *parts):
        """parts: (number, etag)"""
        listed = "".join(f"<Part><PartNumber>{n}</PartNumber><ETag>{etag}</ETag></Part>" for n, etag in parts)
        body = f"<CompleteMultipartUpload>{listed}</CompleteMultipartUpload>".encode()
        return self.ask("POST", "/{b}/up?uploadId={u}", body)


@pytest.fixture(scope="module")
def world(session_server, session_cloud):
    return World(session_server, session_cloud)


MD5 = base64.b64encode(hashlib.md5(b"data").digest()).decode()
BAD_TAG = b"<Tagging><TagSet><Tag><Key>%s</Key><Value>%s</Value></Tag></TagSet></Tagging>"
DELETE = b"<Delete><Object><Key>k</Key></Object></Delete>"


def md5(body):
    return ("Content-MD5", base64.b64encode(hashlib.md5(body).digest()).decode())


# code, the names of the elements, request. A name in the table that is not here belongs to what pail
# has not yet, or is tested with its operation (signatures, forms, expiry, regions).
@pytest.mark.parametrize("code,names,method,target,body,headers", [
    ("NoSuchBucket", {"BucketName"}, "GET", "/no-such-bucket-of-ours", b"", []),
    ("NoSuchBucket", {"BucketName"}, "PUT", "/{b}/c", b"", [("x-amz-copy-source", "no-such-bucket-of-ours/k")]),
    ("InvalidBucketName", {"BucketName"}, "GET", "/UP", b"", []),
    ("BucketAlreadyExists", {"BucketName"}, "PUT", "/{a}", b"", []),
    ("BucketNotEmpty", {"BucketName"}, "DELETE", "/{b}", b"", []),
    ("NoSuchTagSet", {"BucketName"}, "GET", "/{b}?tagging", b"", []),
    ("NoSuchConfiguration", set(), "GET", "/{b}?metrics&id=none", b"", []),
    ("AccessDenied", set(), "GET", "/{a}", b"", []),
    ("NoSuchKey", {"Key"}, "GET", "/{b}/absent", b"", []),
    ("NoSuchKey", {"Key"}, "PUT", "/{b}/c", b"", [("x-amz-copy-source", "{b}/absent")]),
    ("NoSuchKey", {"Key"}, "PUT", "/{b}/absent", b"x", [("If-Match", "0123")]),
    ("NoSuchVersion", {"Key", "VersionId"}, "GET", "/{v}/k?versionId={gone}", b"", []),
    ("NoSuchVersion", {"Key", "VersionId"}, "GET", "/{v}/k?acl&versionId={gone}", b"", []),
    ("NoSuchVersion", {"Key", "VersionId"}, "PUT", "/{v}/c", b"", [("x-amz-copy-source", "{v}/k?versionId={gone}")]),
    ("MethodNotAllowed", {"Method", "ResourceType"}, "GET", "/{v}/gone?tagging", b"", []),
    ("PreconditionFailed", {"Condition"}, "GET", "/{b}/k", b"", [("If-Match", "0123")]),
    ("PreconditionFailed", {"Condition"}, "GET", "/{b}/k", b"",
     [("If-Unmodified-Since", "Sat, 01 Jan 2000 00:00:00 GMT")]),
    ("PreconditionFailed", {"Condition"}, "PUT", "/{b}/k", b"", [("If-None-Match", "*")]),
    ("PreconditionFailed", {"Condition"}, "DELETE", "/{b}/k", b"", [("If-Match", "0123")]),
    ("PreconditionFailed", {"Condition"}, "PUT", "/{b}/c", b"",
     [("x-amz-copy-source", "{b}/k"), ("x-amz-copy-source-if-match", "0123")]),
    ("NotImplemented", {"Header", "additionalMessage"}, "PUT", "/{b}/k", b"", [("If-None-Match", "0123")]),
    ("NotImplemented", {"Header"}, "PUT", "/{b}/k", b"", [("x-amz-write-offset-bytes", "1")]),
    ("NotImplemented", set(), "POST", "/{b}?metadataConfiguration", b"", []),
    ("NotImplemented", set(), "PUT", "/{b}/k?newthing", b"", []),
    ("NotImplemented", set(), "PUT", "/{b}?newthing", b"", []),
    ("InvalidRange", {"RangeRequested", "ActualObjectSize"}, "GET", "/{b}/k", b"", [("Range", "bytes=9-")]),
    ("InvalidPartNumber", {"PartNumberRequested", "ActualPartCount"}, "GET", "/{b}/k?partNumber=2", b"", []),
    ("InvalidRequest", set(), "GET", "/{b}/k?partNumber=1", b"", [("Range", "bytes=0-1")]),
    ("InvalidRequest", set(), "GET", "/{b}/k?attributes", b"", []),
    ("InvalidRequest", set(), "PUT", "/{b}/k", b"", [("x-amz-copy-source", "{b}/k")]),
    ("InvalidRequest", set(), "POST", "/{b}?delete", DELETE, []),
    ("InvalidArgument", {"ArgumentName", "ArgumentValue"}, "GET", "/{b}/k?versionId=", b"", []),
    ("InvalidArgument", {"ArgumentName", "ArgumentValue"}, "GET", "/{b}/k?versionId=x", b"", []),
    ("InvalidArgument", {"ArgumentName", "ArgumentValue"}, "GET", "/{b}/k?partNumber=0", b"", []),
    ("InvalidArgument", {"ArgumentName", "ArgumentValue"}, "GET", "/{b}/k?attributes", b"",
     [("x-amz-object-attributes", "Nonsense")]),
    ("InvalidArgument", {"ArgumentName", "ArgumentValue"}, "GET", "/{b}/k", b"",
     [("x-amz-server-side-encryption", "AES256")]),
    ("InvalidArgument", {"ArgumentName", "ArgumentValue"}, "PUT", "/{b}/k", b"",
     [("x-amz-server-side-encryption", "AES")]),
    ("InvalidArgument", {"ArgumentName", "ArgumentValue"}, "PUT", "/{b}/c", b"", [("x-amz-copy-source", "x")]),
    ("InvalidArgument", {"ArgumentName"}, "GET", "/{b}?list-type=2&continuation-token=", b"", []),
    ("InvalidStorageClass", {"StorageClassRequested"}, "PUT", "/{b}/k", b"", [("x-amz-storage-class", "COLD")]),
    ("InvalidDigest", {"Content-MD5"}, "PUT", "/{b}/k", b"data", [("Content-MD5", "x")]),
    ("BadDigest", {"ExpectedDigest", "CalculatedDigest"}, "PUT", "/{b}/k", b"other", [("Content-MD5", MD5)]),
    ("BadDigest", set(), "PUT", "/{b}/k", b"data", [("x-amz-checksum-crc32", "AAAAAA==")]),
    ("InvalidTag", {"TagKey"}, "PUT", "/{b}/k?tagging", BAD_TAG % (b"k" * 129, b"v"), []),
    ("InvalidTag", {"TagKey", "TagValue"}, "PUT", "/{b}/k?tagging", BAD_TAG % (b"k", b"v" * 257), []),
    ("MalformedXML", set(), "PUT", "/{b}/k?tagging", b"<Tagging>", []),
    ("MalformedACLError", set(), "PUT", "/{b}?acl", b"<AccessControlPolicy/>", []),
    ("MissingSecurityHeader", {"MissingHeaderName"}, "PUT", "/{b}?acl", b"", []),
    ("UnexpectedContent", set(), "PUT", "/{b}?acl", b"<AccessControlPolicy/>", [("x-amz-acl", "private")]),
    ("IllegalVersioningConfigurationException", set(), "PUT", "/{b}?versioning", b"<VersioningConfiguration/>", []),
    ("NoSuchUpload", {"UploadId"}, "GET", "/{b}/up?uploadId=x", b"", []),
    ("NoSuchUpload", {"UploadId"}, "PUT", "/{b}/up?partNumber=1&uploadId=x", b"", []),
    ("NoSuchUpload", {"UploadId"}, "DELETE", "/{b}/other?uploadId={u}", b"", []),
    ("KeyTooLongError", {"Size", "MaxSizeAllowed"}, "GET", "/{b}/" + "k" * 1025, b"", []),
    ("MetadataTooLarge", {"Size", "MaxSizeAllowed"}, "PUT", "/{b}/k", b"", [("x-amz-meta-a", "v" * 2048)]),
])  # fmt: skip
def test_every_error__has_the_elements_of_its_code(world, code, names, method, target, body, headers):
    if "?tagging" in target and method == "PUT":
        headers = [*headers, md5(body)]
    reply = world.ask(method, target, body, headers)
    assert (reply.code, set(reply.facts)) == (code, names), reply


def test_CompleteMultipartUpload__elements_of_its_refusals(world):
    first, second = world.etags
    absent = world.complete((1, first), (3, f'"{second}"'))
    assert (absent.code, absent.facts) == (
        "InvalidPart", {"UploadId": world.upload, "PartNumber": "3", "ETag": second})  # fmt: skip
    order = world.complete((2, second), (1, first))
    assert (order.code, order.facts) == ("InvalidPartOrder", {"UploadId": world.upload})
    small = world.complete((1, first), (2, second))
    assert (small.code, small.facts) == ("EntityTooSmall", {
        "ProposedSize": "1", "MinSizeAllowed": str(FIVE_MIB), "PartNumber": "1", "ETag": first})  # fmt: skip


def test_PutObject__elements_of_what_is_too_large(world):
    most = 5 * 1024**3
    request = raw.Request("PUT", f"/{world.bucket}/large", [("Host", raw.host_of(world.server.url)),
                                                            ("Content-Length", str(most + 1))])  # fmt: skip
    raw.sign_v4(request, world.root, payload=raw.UNSIGNED)
    with raw.Connection(world.server.url) as connection:
        connection.send(request.wire())
        reply = connection.reply()
    assert (reply.code, reply.facts) == (
        "EntityTooLarge", {"ProposedSize": str(most + 1), "MaxSizeAllowed": str(most)})  # fmt: skip


def test_every_error__of_a_signature_shows_what_was_signed(world):
    wrong = raw.User("x", world.root.access_key, "wrong")
    reply = world.ask("GET", "/{b}", user=wrong)
    assert (reply.code, set(reply.facts)) == ("SignatureDoesNotMatch", {
        "AWSAccessKeyId", "StringToSign", "SignatureProvided", "StringToSignBytes", "CanonicalRequest",
        "CanonicalRequestBytes"})  # fmt: skip
    reply = world.ask("GET", "/{b}", user=raw.User("x", "UNKNOWNKEY00EXAMPLE", "wrong"))
    assert (reply.code, reply.facts) == ("InvalidAccessKeyId", {"AWSAccessKeyId": "UNKNOWNKEY00EXAMPLE"})


def test_every_error__of_an_existing_bucket_names_it(world):
    elsewhere = b"<CreateBucketConfiguration><LocationConstraint>eu-west-1</LocationConstraint></CreateBucketConfiguration>"
    name = bucket_name("facts")
    assert world.ask("PUT", f"/{name}", elsewhere).status == 200
    reply = world.ask("PUT", f"/{name}", elsewhere)
    assert (reply.code, reply.facts) == ("BucketAlreadyOwnedByYou", {"BucketName": name})


def test_every_error__none_names_a_resource(world):
    for target in ("/{b}/absent", "/no-such-bucket-of-ours", "/{b}?uploads&max-uploads=x", "/{b}/k?newthing"):
        assert b"<Resource>" not in world.ask("GET", target).body
    assert b"<Resource>" not in raw.anonymous(world.server.url, "GET", f"/{world.bucket}").body
    assert b"<Resource>" not in raw.anonymous(world.server.url, "PATCH", "/").body
