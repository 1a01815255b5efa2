# SPDX-License-Identifier: Apache-2.0
"""Archives: what lies in them is read after RestoreObject, for a time, by the store's clock.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_RestoreObject.html
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/restoring-objects.html
"""

import itertools

import pytest

from sdk import expect
from sdk.cloud import Cloud
from wire import process, raw

ARCHIVES = ["GLACIER", "DEEP_ARCHIVE"]
INVALID = "The operation is not valid for the object's storage class"
DELAY_S = 3600
numbers = itertools.count(1)


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    """A server whose clock the tests move, and that takes an hour to restore."""
    server = process.Server(tmp_path_factory.mktemp("restore"), "--restore-delay", f"{DELAY_S}s")
    yield server
    server.stop()


@pytest.fixture
def client(own):
    return Cloud(own).client()


@pytest.fixture
def bucket(client):
    name = f"archive-{next(numbers)}"
    client.create_bucket(Bucket=name)
    return name


def refused(code, status, call, **named):
    with expect.refused(status, code) as found:
        call(**named)
    return found["Error"]


def ask(own, method, target, body=b"", headers=(), hours=0):
    return raw.signed_later(own, hours / 24, method, target, body, headers)


def restore(own, bucket, days=1, hours=0, content=None, key="key"):
    body = content or f"<RestoreRequest><Days>{days}</Days></RestoreRequest>"
    return ask(own, "POST", f"/{bucket}/{key}?restore", body.encode(), hours=hours)


@pytest.mark.parametrize("kind", ARCHIVES)
def test_GetObject__of_an_archive_is_refused(client, bucket, kind):
    client.put_object(Bucket=bucket, Key="key", Body=b"cold", StorageClass=kind)
    error = refused("InvalidObjectState", 403, client.get_object, Bucket=bucket, Key="key")
    assert (error["Message"], error["StorageClass"]) == (INVALID, kind)
    refused("InvalidObjectState", 403, client.get_object, Bucket=bucket, Key="key", Range="bytes=0-1")
    assert client.head_object(Bucket=bucket, Key="key")["StorageClass"] == kind
    assert client.get_object_attributes(Bucket=bucket, Key="key", ObjectAttributes=["ObjectSize"])["ObjectSize"] == 4
    error = refused("ObjectNotInActiveTierError", 403, client.copy_object, Bucket=bucket, Key="copy",
                    CopySource=f"{bucket}/key")  # fmt: skip
    upload = client.create_multipart_upload(Bucket=bucket, Key="copy")["UploadId"]
    refused("ObjectNotInActiveTierError", 403, client.upload_part_copy, Bucket=bucket, Key="copy", UploadId=upload,
            PartNumber=1, CopySource=f"{bucket}/key")  # fmt: skip
    refused("InvalidObjectState", 403, client.select_object_content, Bucket=bucket, Key="key", ExpressionType="SQL",
            Expression="SELECT * FROM S3Object", InputSerialization={"CSV": {}}, OutputSerialization={"CSV": {}})  # fmt: skip


def test_GetObject__of_GLACIER_IR_is_not(client, bucket):
    client.put_object(Bucket=bucket, Key="key", Body=b"cool", StorageClass="GLACIER_IR")
    assert client.get_object(Bucket=bucket, Key="key")["Body"].read() == b"cool"


def test_RestoreObject__gives_it_for_days_and_takes_it_away(own, client, bucket):
    client.put_object(Bucket=bucket, Key="key", Body=b"cold", StorageClass="GLACIER")
    assert "Restore" not in client.head_object(Bucket=bucket, Key="key")
    assert restore(own, bucket, days=2).status == 202
    assert client.head_object(Bucket=bucket, Key="key")["Restore"] == 'ongoing-request="true"'
    refused("InvalidObjectState", 403, client.get_object, Bucket=bucket, Key="key")
    again = restore(own, bucket)
    assert (again.status, again.code) == (409, "RestoreAlreadyInProgress")
    with own.clock.later(DELAY_S + 60):
        got = ask(own, "GET", f"/{bucket}/key", hours=1)
        assert (got.status, got.body) == (200, b"cold")
        told = got.header("x-amz-restore")
        assert told.startswith('ongoing-request="false", expiry-date="')
        assert told.endswith(' 00:00:00 GMT"')
        assert got.header("x-amz-storage-class") == "GLACIER"
        copied = ask(own, "PUT", f"/{bucket}/back", headers=[("x-amz-copy-source", f"{bucket}/key")], hours=1)
        assert copied.status == 200
    for hours, status in ((47, 200), (4 * 24, 403)):
        with own.clock.later(hours * 3600 + 60):
            assert ask(own, "GET", f"/{bucket}/key", hours=hours).status == status
    with own.clock.later(4 * 86400 + 60):
        assert ask(own, "HEAD", f"/{bucket}/key", hours=96).header("x-amz-restore") is None
        assert restore(own, bucket, hours=96).status == 202
    assert client.get_object(Bucket=bucket, Key="back")["Body"].read() == b"cold"
    assert "Restore" not in client.head_object(Bucket=bucket, Key="back")


def test_RestoreObject__again_changes_for_how_long(own, client, bucket):
    client.put_object(Bucket=bucket, Key="key", Body=b"cold", StorageClass="DEEP_ARCHIVE")
    assert restore(own, bucket, days=1).status == 202
    with own.clock.later(2 * DELAY_S):
        first = ask(own, "HEAD", f"/{bucket}/key", hours=2).header("x-amz-restore")
        assert restore(own, bucket, days=9, hours=2).status == 200
        second = ask(own, "HEAD", f"/{bucket}/key", hours=2).header("x-amz-restore")
        assert second.startswith('ongoing-request="false"')
        assert second != first
    with own.clock.later(8 * 86400):
        assert ask(own, "GET", f"/{bucket}/key", hours=8 * 24).status == 200


def test_RestoreObject__is_of_the_version_it_names_and_outlives_a_restart(own, client, bucket):
    client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    first = client.put_object(Bucket=bucket, Key="key", Body=b"1", StorageClass="GLACIER")["VersionId"]
    client.put_object(Bucket=bucket, Key="key", Body=b"2", StorageClass="GLACIER")
    client.restore_object(Bucket=bucket, Key="key", VersionId=first, RestoreRequest={"Days": 1})
    own.stop()
    own.start()
    client = Cloud(own).client()
    assert "Restore" in client.head_object(Bucket=bucket, Key="key", VersionId=first)
    assert "Restore" not in client.head_object(Bucket=bucket, Key="key")
    client.delete_object(Bucket=bucket, Key="key")
    refused("MethodNotAllowed", 405, client.restore_object, Bucket=bucket, Key="key", RestoreRequest={"Days": 1})


def test_RestoreObject__is_of_archives(own, client, bucket):
    for kind in ("STANDARD", "GLACIER_IR"):
        client.put_object(Bucket=bucket, Key="key", Body=b"warm", StorageClass=kind)
        error = refused("InvalidObjectState", 403, client.restore_object, Bucket=bucket, Key="key",
                        RestoreRequest={"Days": 1})  # fmt: skip
        assert error["Message"] == "Restore is not allowed for the object's current storage class"
        assert error["StorageClass"] == kind


TIER = "<GlacierJobParameters><Tier>%s</Tier></GlacierJobParameters>"


@pytest.mark.parametrize("content,status,code", [
    ("", 400, "MalformedXML"),
    ("<Days>x</Days>", 400, "InvalidArgument"),
    ("<Days>0</Days>", 400, "InvalidArgument"),
    ("<Days>2147483648</Days>", 400, "InvalidArgument"),
    ("<Days>2147483647</Days>", 202, None),
    ("<Days>1</Days><Days>1</Days>", 400, "MalformedXML"),
    ("<Days>1</Days><Colour/>", 400, "MalformedXML"),
    ("<Days>1</Days><Type>SELECT</Type>", 501, "NotImplemented"),
    ("<Days>1</Days>" + TIER % "Fast", 400, "MalformedXML"),
    ("<Days>1</Days><GlacierJobParameters/>", 400, "MalformedXML"),
    ("<Days>1</Days>" + TIER % "Expedited", 202, None),
    ("<Days>1</Days>" + TIER % "Bulk", 202, None),
    ("<Days>1</Days><Tier>Standard</Tier><Description>why</Description>", 202, None),
])  # fmt: skip
def test_RestoreObject__reads_its_document(own, client, bucket, content, status, code):
    client.put_object(Bucket=bucket, Key="key", Body=b"cold", StorageClass="GLACIER")
    reply = restore(own, bucket, content=f"<RestoreRequest>{content}</RestoreRequest>")
    assert (reply.status, reply.code) == (status, code)


def test_RestoreObject__of_DEEP_ARCHIVE_is_not_expedited(own, client, bucket):
    client.put_object(Bucket=bucket, Key="key", Body=b"cold", StorageClass="DEEP_ARCHIVE")
    reply = restore(own, bucket, content=f"<RestoreRequest><Days>1</Days>{TIER % 'Expedited'}</RestoreRequest>")
    assert (reply.status, reply.code) == (400, "InvalidArgument")


def test_archive__is_readable_where_the_setting_says_so(tmp_path):
    server = process.Server(tmp_path, "--archive", "readable")
    try:
        client = Cloud(server).client()
        client.create_bucket(Bucket="readable")
        client.put_object(Bucket="readable", Key="key", Body=b"cold", StorageClass="GLACIER")
        assert client.get_object(Bucket="readable", Key="key")["Body"].read() == b"cold"
        assert client.copy_object(Bucket="readable", Key="copy", CopySource="readable/key")
        assert client.restore_object(Bucket="readable", Key="key",
                                     RestoreRequest={"Days": 1})["ResponseMetadata"]["HTTPStatusCode"] == 202  # fmt: skip
    finally:
        server.stop()


@pytest.mark.parametrize("query", ["", "?list-type=2", "?list-type=2&fetch-owner=true", "?versions"])
def test_ListObjectsV2__tells_of_restores_when_it_is_asked(own, client, bucket, query):
    wanted = [("x-amz-optional-object-attributes", "RestoreStatus")]
    for key in ("cold", "key", "warm"):
        client.put_object(Bucket=bucket, Key=key, Body=b"1", StorageClass="STANDARD" if key == "warm" else "GLACIER")
    assert restore(own, bucket, days=1).status == 202

    def told(headers, hours=0):
        """{key: (in progress, expiry)} of a listing; what it does not tell of is None."""
        reply = ask(own, "GET", f"/{bucket}{query}", headers=headers, hours=hours)
        assert reply.status == 200
        found = {}
        for entry in reply.body.decode().split("<Key>")[1:]:
            key, _, rest = entry.partition("</Key>")
            _, _, status = rest.partition("<RestoreStatus><IsRestoreInProgress>")
            progress, _, more = status.partition("</IsRestoreInProgress>")
            found[key] = (progress, more.startswith("<RestoreExpiryDate>")) if status else None
        return found

    nothing = dict.fromkeys(("cold", "key", "warm"))
    assert told([]) == nothing
    assert told(wanted) == nothing | {"key": ("true", False)}
    with own.clock.later(2 * DELAY_S):
        assert told(wanted, hours=2) == nothing | {"key": ("false", True)}
    with own.clock.later(9 * 86400):
        assert told(wanted, hours=9 * 24) == nothing
