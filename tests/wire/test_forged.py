# SPDX-License-Identifier: Apache-2.0
"""Every operation of routes.def x every payload form x every way to lie about who sent it.

Nothing forged, missing or replayed may succeed, whatever the operation: each answer is 4xx (501 for
what is not there at all), shows no protected byte, and leaves the whole state as it was: buckets,
versions, tags, ACLs, uploads, parts, bodies, and the names of the blob files.

    https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-authenticating-requests.html
"""

import base64
import datetime
import hashlib
import time
import zlib

import pytest

from sdk.cloud import Cloud
from tools import documents, routes
from wire import process, raw

pytestmark = pytest.mark.matrix

CANARY = b"PROTECTED-CANARY"
SEEN = {"requests": 0}
DIRECTORY = "forged--az1--x-s3"
KEPT = {"Mode": "GOVERNANCE", "RetainUntilDate": datetime.datetime(2100, 1, 1, tzinfo=datetime.timezone.utc)}
LOCKING = {"GetObjectRetention", "PutObjectRetention", "GetObjectLegalHold", "PutObjectLegalHold",
           "GetObjectLockConfiguration", "PutObjectLockConfiguration", "GetBucketReplication",
           "PutBucketReplication", "DeleteBucketReplication"}  # fmt: skip


class World:
    """A server of this module's own with something of everything to destroy."""

    def __init__(self, server):
        self.server = server
        self.s3 = s3 = Cloud(server).client()
        self.host = raw.host_of(server.url)
        s3.create_bucket(Bucket="forged")
        s3.create_bucket(Bucket="empty-forged")
        s3.create_bucket(Bucket=DIRECTORY, CreateBucketConfiguration={
            "Location": {"Type": "AvailabilityZone", "Name": "az1"}, "Bucket": {"Type": "Directory"}})
        s3.create_bucket(Bucket="versioned-forged")
        documents.make_destination(s3)
        s3.put_bucket_versioning(Bucket="versioned-forged", VersioningConfiguration={"Status": "Enabled"})
        for name in ("forged", "versioned-forged"):
            s3.put_object(Bucket=name, Key="key", Body=CANARY * 10, Metadata={"a": "canary"}, Tagging="a=b", ServerSideEncryption="AES256")
            s3.put_object(Bucket=name, Key="large", Body=CANARY * 10_000)
            s3.put_object(Bucket=name, Key="old name", Body=CANARY * 10, ServerSideEncryption="AES256")
            for key in ("key", "old name"):
                s3.put_object_annotation(Bucket=name, Key=key, AnnotationName="a", AnnotationPayload=CANARY)
            for operation in documents.PUTS:
                if operation in documents.OF_VERSIONED and name != "versioned-forged":
                    continue
                target, document = documents.target(operation, name), documents.body(operation, name)
                headers = [("Content-MD5", base64.b64encode(hashlib.md5(document).digest()).decode())]
                reply = raw.signed(server.url, server.users["root"], "PUT", target, document, headers)
                assert reply.status == documents.status(operation), reply
        s3.put_object(Bucket="versioned-forged", Key="key", Body=CANARY)
        s3.put_object(Bucket="versioned-forged", Key="archived", Body=CANARY, StorageClass="GLACIER")
        s3.put_object_retention(Bucket="versioned-forged", Key="key", Retention=KEPT)
        s3.put_object_legal_hold(Bucket="versioned-forged", Key="key", LegalHold={"Status": "OFF"})
        self.upload = s3.create_multipart_upload(Bucket="forged", Key="key")["UploadId"]
        self.part = s3.upload_part(
            Bucket="forged", Key="key", UploadId=self.upload, PartNumber=1, Body=CANARY)["ETag"]
        self.owner = s3.list_buckets()["Owner"]["ID"]
        self.before = self.state()
        self.connection = None

    def state(self):
        s3, found = self.s3, []
        for bucket in s3.list_buckets()["Buckets"]:
            name = bucket["Name"]
            found.append((name, bucket["CreationDate"], s3.get_bucket_versioning(Bucket=name).get("Status")))
            found.append(s3.get_bucket_acl(Bucket=name)["Grants"])
            listing = s3.list_object_versions(Bucket=name)
            for item in listing.get("Versions", []):
                where = {"Bucket": name, "Key": item["Key"], "VersionId": item["VersionId"]}
                got = s3.get_object(**where)
                found.append((item, got["Metadata"], hashlib.sha256(got["Body"].read()).hexdigest()))
                found.append(s3.get_object_acl(**where)["Grants"])
                found.append(s3.get_object_tagging(**where)["TagSet"])
                found.append(s3.list_object_annotations(**where).get("Annotations"))
            found.append(listing.get("DeleteMarkers"))
            for item in s3.list_multipart_uploads(Bucket=name).get("Uploads", []):
                parts = s3.list_parts(Bucket=name, Key=item["Key"], UploadId=item["UploadId"])
                found.append((item, parts.get("Parts")))
        found.append(s3.get_bucket_tagging(Bucket="forged")["TagSet"])
        found.append(s3.get_object_retention(Bucket="versioned-forged", Key="key")["Retention"])
        found.append(s3.get_object_legal_hold(Bucket="versioned-forged", Key="key")["LegalHold"])
        # A refused body may have been at the end of a pack, which is a hole then.
        blobs = sorted(
            (str(path.relative_to(self.server.directory)), path.stat().st_blocks)
            for folder in ("blobs", "packs")
            for path in (self.server.directory / folder).rglob("*") if path.is_file())  # fmt: skip
        return repr((found, blobs))

    def request(self, row):
        """What an honest client would send for the row, unsigned: it would have its effect."""
        query = [part for part in sorted(row.conditions) if not part.startswith("@")]
        values = {"uploadId": self.upload, "partNumber": "1", "versionId": "null", "id": "a", "annotationName": "a", "tagKeys": "forged"}
        for parameter in ("id", "annotationName"):
            if parameter in row.params:
                query.append(parameter)
        if row.name == "UntagResource":
            query.append("tagKeys")
        query = "&".join(part if "=" in part or part not in values else f"{part}={values[part]}" for part in query)
        path = {"SERVICE": "/", "BUCKET": "/forged", "OBJECT": "/forged/key",
                "TAGS": documents.tags_of("forged")}[row.resource]
        if row.name == "CreateBucket":
            path = "/never-made"
        elif row.name == "CreateSession":
            path = f"/{DIRECTORY}"
        elif row.name == "DeleteBucket":
            path = "/empty-forged"
        if row.name in LOCKING:
            path = path.replace("/forged", "/versioned-forged")
        if row.name == "RestoreObject":
            path = "/versioned-forged/archived"
        request = raw.Request(row.method, path + (f"?{query}" if query else ""), [("Host", self.host)])
        if row.method in ("PUT", "POST"):
            request.body = self.body(row.name)
        if row.name in ("PutObjectAcl", "PutBucketAcl"):
            request.headers.append(("x-amz-acl", "public-read-write"))
        if "@x-amz-copy-source" in row.conditions:
            request.headers.append(("x-amz-copy-source", "forged/large"))
        if row.resource == "TAGS":
            request.headers.append(("x-amz-account-id", "000000000000"))
        if row.name == "RenameObject":
            request.headers.append(("x-amz-rename-source", "old%20name"))
        if row.name == "GetObjectAttributes":
            request.headers.append(("x-amz-object-attributes", "ETag,ObjectSize"))
        if row.name == "PostObject":
            request.body, content_type = raw.form_body([("key", "posted")], b"posted")
            request.headers.append(("Content-Type", content_type))
        if request.body:
            md5 = base64.b64encode(hashlib.md5(request.body).digest()).decode()
            request.headers.append(("Content-MD5", md5))
        return request

    def body(self, name):
        tagging = b"<Tagging><TagSet><Tag><Key>forged</Key><Value>1</Value></Tag></TagSet></Tagging>"
        part = f"<Part><PartNumber>1</PartNumber><ETag>{self.part}</ETag></Part>"
        return {
            "PutObjectTagging": tagging, "UpdateObjectEncryption": documents.RECIPE, "TagResource": documents.TAG_RESOURCE, "PutObjectRetention": documents.RETENTION, "PutObjectLegalHold": documents.HOLD, "PutObjectAcl": b"", "PutBucketAcl": b"",
            "PutBucketVersioning": b"<VersioningConfiguration><Status>Suspended</Status></VersioningConfiguration>",
            "DeleteObjects": b"<Delete><Object><Key>key</Key></Object><Object><Key>large</Key></Object></Delete>",
            "CompleteMultipartUpload": f"<CompleteMultipartUpload>{part}</CompleteMultipartUpload>".encode(),
            "CreateMultipartUpload": b"", "CopyObject": b"", "RenameObject": b"", "UploadPartCopy": b"", "CreateBucket": b"",
            **{operation: documents.body(operation, "forged") for operation in documents.PUTS},
            "SelectObjectContent": documents.SELECT, "RestoreObject": documents.RESTORE, "PutObject": b"forged bytes", "PutObjectAnnotation": b"forged text", "UploadPart": b"forged bytes",
        }.get(name, b"<Forged/>")  # fmt: skip

    def refused(self, request, what, each=False):
        """Send over the kept connection; the answer must be a refusal without a protected byte.

        each: that of each thing which the body names is one as well.
        """
        SEEN["requests"] += 1
        for attempt in (1, 2):
            if self.connection is None:
                self.connection = raw.Connection(self.server.url, 20.0)
            try:
                self.connection.send_lenient(request.wire())
                reply = self.connection.reply(head=request.method == "HEAD")
                break
            except (EOFError, OSError):
                self.connection.close()
                self.connection = None
                assert attempt == 1, f"{what}: no answer"
        if each and reply.status == 200:
            assert b"<Deleted>" not in reply.body and reply.body.count(b"<Code>AccessDenied</Code>") == 2, (what, reply)
        else:
            assert 400 <= reply.status < 500 or reply.status == 501, (what, reply)
        assert CANARY not in reply.body, what
        assert not any("canary" in value for _, value in reply.headers), what
        if request.method != "HEAD":
            assert b"<Error>" in reply.body, (what, reply)
        if (reply.header("connection") or "").lower() == "close":
            self.connection.close()
            self.connection = None


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    server = process.Server(tmp_path_factory.mktemp("forged"), "--archive", "readable")
    yield World(server)
    server.stop()
    print(f"{SEEN['requests']} forged requests")


# ---- payload forms ------------------------------------------------------------------------------------------


def frame(request, payload, trailer):
    """Turn the body into frames of that form (signatures come later, if at all)."""
    data = request.body
    request.set("x-amz-decoded-content-length", str(len(data)))
    trailers = None
    if trailer:
        checksum = base64.b64encode(zlib.crc32(data).to_bytes(4, "big")).decode()
        trailers = [("x-amz-checksum-crc32", checksum)]
        request.set("x-amz-trailer", "x-amz-checksum-crc32")
    if payload == raw.UNSIGNED_TRAILER:
        request.body = raw.frame_unsigned(data, trailers=trailers)
        return lambda signature: request.body
    return lambda signature: raw.frame_signed(signature, data, trailers=trailers)


FORMS = {
    "hash": None,
    "UNSIGNED-PAYLOAD": raw.UNSIGNED,
    "signed chunks": raw.SIGNED_CHUNKS,
    "signed chunks and trailer": raw.SIGNED_TRAILER,
    "unsigned trailer": raw.UNSIGNED_TRAILER,
    "ECDSA": "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD",
    "ECDSA trailer": "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD-TRAILER",
    "nonsense": "STREAMING-NONSENSE",
}
HOLLOW = raw.Signature("0" * 64, b"", "20200101/us-east-1/s3/aws4_request", "20200101T000000Z", "", "")


def sign(request, form, user, **options):
    """Sign in that form as `user`, body and all."""
    payload, body = FORMS[form], None
    if payload in (raw.SIGNED_CHUNKS, raw.SIGNED_TRAILER, raw.UNSIGNED_TRAILER):
        body = frame(request, payload, payload != raw.SIGNED_CHUNKS)
    signature = raw.sign_v4(request, user, payload, **options)
    if body:
        request.body = body(signature)


def bad_signature(world, request, form):
    sign(request, form, world.server.users["root"])
    value = request.header("Authorization")
    request.set("Authorization", value[:-1] + ("0" if value[-1] != "0" else "1"))


def wrong_secret(world, request, form):
    root = world.server.users["root"]
    sign(request, form, raw.User("x", root.access_key, root.secret_key + "x"))


def unknown_key(world, request, form):
    sign(request, form, raw.User("x", "UNKNOWNKEY00EXAMPLE", world.server.users["root"].secret_key))


def replayed_late(world, request, form):
    sign(request, form, world.server.users["root"], when=raw.now() - datetime.timedelta(minutes=20))


def replayed_elsewhere(world, request, form):
    honest, request.target = request.target, "/somewhere/else"
    sign(request, form, world.server.users["root"])
    request.target = honest


def replayed_with_another_method(world, request, form):
    honest, request.method = request.method, "OPTIONS"
    sign(request, form, world.server.users["root"])
    request.method = honest


def missing(world, request, form):
    if FORMS[form] in (raw.SIGNED_CHUNKS, raw.SIGNED_TRAILER, raw.UNSIGNED_TRAILER):
        request.body = frame(request, FORMS[form], FORMS[form] != raw.SIGNED_CHUNKS)(HOLLOW)
    if FORMS[form]:
        request.set("x-amz-content-sha256", FORMS[form])


def empty_signature(world, request, form):
    sign(request, form, world.server.users["root"])
    request.set("Authorization", request.header("Authorization").rpartition("=")[0] + "=")


def stranger(world, request, form):
    """A real user with a right signature and no rights."""
    sign(request, form, world.server.users["alice"])


LIES = [bad_signature, wrong_secret, unknown_key, replayed_late, replayed_elsewhere, replayed_with_another_method, missing,
        empty_signature]  # fmt: skip


# ---- query and V2 forms -------------------------------------------------------------------------------------


def presigned_bad(world, request):
    raw.presign_v4(request, world.server.users["root"])
    request.target = request.target[:-1] + ("0" if request.target[-1] != "0" else "1")


def presigned_expired(world, request):
    raw.presign_v4(request, world.server.users["root"], 60, when=raw.now() - datetime.timedelta(minutes=5))


def presigned_for_another_target(world, request):
    honest, request.target = request.target, "/somewhere/else"
    raw.presign_v4(request, world.server.users["root"])
    request.target = honest + ("&" if "?" in honest else "?") + request.target.partition("?")[2]


def presigned_without_signature(world, request):
    raw.presign_v4(request, world.server.users["root"])
    request.target = request.target.rpartition("&")[0]


def v2_header_bad(world, request):
    raw.sign_v2(request, raw.User("x", world.server.users["root"].access_key, "wrong"))


def v2_header_of_another_target(world, request):
    raw.sign_v2(request, world.server.users["root"], resource="/somewhere/else")


def v2_query_bad(world, request):
    raw.presign_v2(request, raw.User("x", world.server.users["root"].access_key, "wrong"))


def v2_query_expired(world, request):
    raw.presign_v2(request, world.server.users["root"], int(time.time()) - 5)


OTHERS = [presigned_bad, presigned_expired, presigned_for_another_target, presigned_without_signature, v2_header_bad,
          v2_header_of_another_target, v2_query_bad, v2_query_expired]  # fmt: skip

ROWS = routes.load()


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_forged__every_form_is_refused_and_changes_nothing(world, row):
    for form in FORMS:
        for lie in LIES:
            request = world.request(row)
            lie(world, request, form)
            world.refused(request, f"{row.name}, {form}, {lie.__name__}")
    for lie in OTHERS:
        request = world.request(row)
        lie(world, request)
        world.refused(request, f"{row.name}, {lie.__name__}")
    assert world.state() == world.before, row.name


@pytest.mark.parametrize("row", [row for row in ROWS if row.resource != "SERVICE"], ids=lambda row: row.name)
def test_forged__a_stranger_is_refused_and_changes_nothing(world, row):
    for form in ("hash", "UNSIGNED-PAYLOAD", "signed chunks", "unsigned trailer"):
        if row.name == "CreateBucket":
            continue  # anybody may make buckets
        request = world.request(row)
        stranger(world, request, form)
        world.refused(request, f"{row.name}, {form}", each=row.name == "DeleteObjects")
    assert world.state() == world.before, row.name


def test_forged__all_rows_were_tried():
    assert len(ROWS) >= 100
    assert len(FORMS) * len(LIES) + len(OTHERS) >= 60


def success(row):
    if row.name == "RestoreObject":
        return 202
    return 204 if row.method == "DELETE" or row.name == "TagResource" or row.name in documents.PUTS and documents.status(row.name) == 204 else 200


def test_forged__the_requests_would_work_if_they_were_honest(tmp_path):
    """Signed rightly they succeed: the table lies about nothing but the signature."""
    server = process.Server(tmp_path, "--archive", "readable")
    try:
        world = World(server)
        effects = {"CompleteMultipartUpload", "AbortMultipartUpload", "DeleteObject", "DeleteObjects"}
        for row in sorted(ROWS, key=lambda row: row.method == "DELETE"):
            if row.kind == "R" and row.name not in effects and row.name != "PostObject":
                request = world.request(row)
                sign(request, "hash", server.users["root"])
                reply = raw.send(server.url, request)
                assert reply.status == success(row), (row.name, reply)
                if row.name == "UploadPart":
                    world.part = reply.header("etag")
        for name in ("CompleteMultipartUpload", "DeleteObjects", "DeleteObject"):
            row = next(row for row in ROWS if row.name == name)
            request = world.request(row)
            sign(request, "signed chunks" if request.body else "hash", server.users["root"])
            reply = raw.send(server.url, request)
            assert reply.status == success(row), (name, reply)
        names = [bucket["Name"] for bucket in world.s3.list_buckets()["Buckets"]]
        assert names == ["forged", DIRECTORY, "never-made", "of-samples", "versioned-forged"]
        assert world.s3.list_objects_v2(Bucket="forged")["KeyCount"] == 0
        assert world.s3.get_bucket_versioning(Bucket="forged")["Status"] == "Suspended"
    finally:
        server.kill()
