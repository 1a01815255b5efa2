# SPDX-License-Identifier: Apache-2.0
"""Named keys for aws:kms: `pail key`, and what S3 says of objects under keys that are off, gone or not there.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html
    https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html
"""

import base64
import datetime
import json
import pathlib
import re
import subprocess

import pytest

from sdk import expect
from sdk.cloud import Cloud
from wire import process, raw

MIB = 1 << 20
DAY = 86400
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
MISSING, OFF, PENDING = "KMS.NotFoundException", "KMS.DisabledException", "KMS.KMSInvalidStateException"


class Keys:
    """`pail key` on one server's store."""

    def __init__(self, server):
        self.server = server

    def run(self, verb, *words):
        command = [process.program(), "key", verb, self.server.directory, *words]
        return subprocess.run(command, capture_output=True, text=True)

    def __call__(self, verb, *words):
        done = self.run(verb, *words)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()


@pytest.fixture
def server(tmp_path):
    server = process.Server(tmp_path, "--buckets", "vault")
    yield server
    server.stop()


@pytest.fixture
def keys(server):
    return Keys(server)


@pytest.fixture
def s3(server):
    return Cloud(server).client()


def put(s3, key, data=b"data", **more):
    return s3.put_object(Bucket="vault", Key=key, Body=data, ServerSideEncryption="aws:kms", **more)


def get(s3, key):
    return s3.get_object(Bucket="vault", Key=key)["Body"].read()


def test_key__is_called_by_its_id_its_arn_and_its_alias(server, keys, s3):
    uuid = keys("create")
    assert UUID.fullmatch(uuid)
    keys("alias", "vault/photos", uuid)
    own = put(s3, "own")["SSEKMSKeyId"]
    arn = own[:-36] + uuid
    for name in (uuid, arn, "alias/vault/photos", own[:-40] + "alias/vault/photos"):
        for size in (0, 1, 70000, 5 * MIB):
            data = expect.noise(size)
            assert put(s3, "key", data, SSEKMSKeyId=name)["SSEKMSKeyId"] == arn
            assert s3.head_object(Bucket="vault", Key="key")["SSEKMSKeyId"] == arn
            assert get(s3, "key") == data
    assert keys("list") == f"{uuid} enabled 1 alias/vault/photos"


def test_key__that_is_not_there_is_told_once_there_is_one(server, keys, s3):
    assert put(s3, "before", SSEKMSKeyId="any-id")["SSEKMSKeyId"] == "any-id"
    keys("create")
    for name, words in (("any-id", "Invalid keyId any-id"), ("alias/none", "Alias arn:aws:kms:us-east-1:.*:alias/none is not found."),
                        ("11111111-2222-4333-8444-555555555555", "Key 'arn:aws:kms:us-east-1:.*' does not exist")):  # fmt: skip
        headers = [("x-amz-server-side-encryption", "aws:kms"), ("x-amz-server-side-encryption-aws-kms-key-id", name)]
        reply = raw.signed(server.url, server.users["root"], "PUT", "/vault/key", b"x", headers)
        assert (reply.status, reply.code) == (400, MISSING)
        assert re.fullmatch(words, reply.element("Message")), reply
        with expect.refused(400, MISSING):
            s3.create_multipart_upload(Bucket="vault", Key="key", ServerSideEncryption="aws:kms", SSEKMSKeyId=name)
    assert get(s3, "before") == b"data"
    for name in ({}, {"SSEKMSKeyId": "alias/aws/s3"}, {"SSEKMSKeyId": put(s3, "own")["SSEKMSKeyId"]}):
        put(s3, "own", **name)
        assert get(s3, "own") == b"data"


@pytest.mark.parametrize("words,code", [(["disable"], OFF), (["schedule-deletion"], PENDING)])
def test_key__that_is_off_neither_writes_nor_reads(keys, s3, words, code):
    uuid = keys("create")
    put(s3, "key", SSEKMSKeyId=uuid)
    upload = s3.create_multipart_upload(Bucket="vault", Key="parts", ServerSideEncryption="aws:kms", SSEKMSKeyId=uuid)
    named = dict(Bucket="vault", Key="parts", UploadId=upload["UploadId"])
    part = s3.upload_part(**named, PartNumber=1, Body=b"data")
    whole = dict(**named, MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]})
    s3.put_bucket_encryption(Bucket="vault", ServerSideEncryptionConfiguration={"Rules": [
        {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": uuid}}]})  # fmt: skip
    keys(*words, uuid)
    for call in (lambda: get(s3, "key"), lambda: put(s3, "new", SSEKMSKeyId=uuid),
                 lambda: s3.put_object(Bucket="vault", Key="new", Body=b"x"),
                 lambda: s3.copy_object(Bucket="vault", Key="new", CopySource="vault/key", ServerSideEncryption="AES256"),
                 lambda: s3.upload_part(**named, PartNumber=2, Body=b"x"),
                 lambda: s3.upload_part_copy(**named, PartNumber=2, CopySource="vault/key"),
                 lambda: s3.complete_multipart_upload(**whole)):  # fmt: skip
        with expect.refused(400, code):
            call()
    assert s3.head_object(Bucket="vault", Key="key")["ContentLength"] == 4
    with expect.refused_with_status(400):
        s3.head_object(Bucket="vault", Key="key", ChecksumMode="ENABLED")
    if code == PENDING:
        keys("cancel-deletion", uuid)
    keys("enable", uuid)
    assert get(s3, "key") == b"data"
    s3.complete_multipart_upload(**whole)
    assert get(s3, "parts") == b"data"


def test_key__that_is_deleted_takes_along_what_it_wrapped(server, keys, s3):
    uuid = keys("create")
    put(s3, "key", SSEKMSKeyId=uuid)
    put(s3, "large", expect.noise(5 * MIB), SSEKMSKeyId=uuid)
    keys("schedule-deletion", uuid, "--days", "7")
    key_id = ("x-amz-server-side-encryption-aws-kms-key-id", uuid)
    passed = 0
    for seconds, code in ((7 * DAY - 60, PENDING), (120, MISSING)):
        server.clock.advance(seconds)
        passed += seconds
        when = raw.now() + datetime.timedelta(seconds=passed)
        for method, body, headers in (("GET", b"", []), ("PUT", b"x", [("x-amz-server-side-encryption", "aws:kms"), key_id])):
            reply = raw.signed(server.url, server.users["root"], method, "/vault/key", body, headers, when=when)
            assert (reply.status, reply.code) == (400, code), (method, reply)
    # The command has the system's time: let the file say that it was long ago.
    file = pathlib.Path(server.directory) / "keys"
    file.write_text(re.sub(r"pending \d+", "pending 1", file.read_text()))
    assert keys.run("enable", uuid).returncode == 1
    keys("create")
    assert f"key {uuid} deleted" in file.read_text() and not re.search(f"key {uuid} .*[0-9a-f]{{64}}", file.read_text())
    server.stop()
    fsck = subprocess.run([process.program(), "fsck", "--read-data", server.directory], capture_output=True, text=True)
    assert fsck.returncode == 0, fsck.stdout + fsck.stderr
    server.start()


def test_rotation__leaves_what_is_old_readable(server, keys, s3):
    uuid = keys("create")
    for version in range(1, 17):
        put(s3, str(version), SSEKMSKeyId=uuid)
        if version < 16:
            keys("rotate", uuid)
    assert keys("list") == f"{uuid} enabled 16"
    assert keys.run("rotate", uuid).returncode == 1
    server.stop()
    server.start()
    s3 = Cloud(server).client()
    assert {get(s3, str(version)) for version in range(1, 17)} == {b"data"}


@pytest.mark.parametrize("size", [10, 200000])
def test_copy__is_under_the_key_that_it_asks_for(keys, s3, size):
    data = expect.noise(size)
    first, second = keys("create"), keys("create")
    put(s3, "key", data, SSEKMSKeyId=first)
    s3.copy_object(Bucket="vault", Key="second", CopySource="vault/key", ServerSideEncryption="aws:kms", SSEKMSKeyId=second)
    s3.copy_object(Bucket="vault", Key="own", CopySource="vault/key", ServerSideEncryption="AES256")
    s3.copy_object(Bucket="vault", Key="plain", CopySource="vault/key")
    keys("disable", first)
    for key in ("second", "own", "plain"):
        assert get(s3, key) == data
    with expect.refused(400, OFF):
        get(s3, "key")


def test_multipart__is_under_its_upload_s_key(keys, s3):
    uuid = keys("create")
    parts = [expect.noise(5 * MIB, b"1"), b"the last"]
    context = base64.b64encode(json.dumps({"team": "a"}).encode()).decode()
    expect.multipart_object(s3, "vault", "key", parts, ServerSideEncryption="aws:kms", SSEKMSKeyId=uuid, SSEKMSEncryptionContext=context)
    got = s3.get_object(Bucket="vault", Key="key", Range=f"bytes={5 * MIB - 2}-{5 * MIB + 2}")
    assert got["Body"].read() == b"".join(parts)[5 * MIB - 2 : 5 * MIB + 3]
    assert get(s3, "key") == b"".join(parts)


@pytest.mark.parametrize("context,good", [
    ("e30=", True), (base64.b64encode(b'{"a": "b", "c": "d"}').decode(), True), ("not base64", False),
    (base64.b64encode(b"[]").decode(), False), (base64.b64encode(b'{"a": 1}').decode(), False), (base64.b64encode(b"{").decode(), False),
])  # fmt: skip
def test_context__is_a_map_of_strings(server, keys, s3, context, good):
    uuid = keys("create")
    headers = [("x-amz-server-side-encryption", "aws:kms"), ("x-amz-server-side-encryption-aws-kms-key-id", uuid),
               ("x-amz-server-side-encryption-context", context)]  # fmt: skip
    reply = raw.signed(server.url, server.users["root"], "PUT", "/vault/key", b"data", headers)
    if good:
        assert reply.status == 200 and get(s3, "key") == b"data"
        got = raw.signed(server.url, server.users["root"], "GET", "/vault/key")
        assert got.header("x-amz-server-side-encryption-context") is None
    else:
        assert (reply.status, reply.code) == (400, "InvalidArgument"), reply


def test_disk__has_neither_plain_bytes_nor_keys_outside_their_file(server, keys, s3):
    uuid = keys("create")
    plain = b"words that nobody is to find on this disk\n" * 5000
    put(s3, "key", plain, SSEKMSKeyId=uuid)
    server.stop()
    file = pathlib.Path(server.directory) / "keys"
    assert file.stat().st_mode & 0o777 == 0o600
    secret = bytes.fromhex(file.read_text().split()[-1])
    rest = b"".join(other.read_bytes() for other in pathlib.Path(server.directory).rglob("*") if other.is_file() and other != file)
    for text in (plain[:42], secret, secret.hex().encode()):
        assert text not in rest
    server.start()


def test_file__that_is_not_one_of_keys_is_told(server, keys, s3):
    uuid = keys("create")
    put(s3, "key", SSEKMSKeyId=uuid)
    file = pathlib.Path(server.directory) / "keys"
    text = file.read_text()
    for wrong in ("nonsense\n", text + "key x\n", text + "alias a b\n", text.replace("enabled", "on")):
        file.write_text(wrong)
        with expect.refused_with_status(500):
            get(s3, "key")
        done = keys.run("list")
        assert done.returncode == 1 and "keys" in done.stderr
    file.write_text(text)
    assert get(s3, "key") == b"data"


def test_command__refuses_what_it_does_not_understand(server, keys, tmp_path):
    uuid = keys("create")
    for words in (["wind", server.directory], ["create"], ["disable", server.directory], ["list", server.directory, "x"],
                  ["schedule-deletion", server.directory, uuid, "--days", "6"], ["schedule-deletion", server.directory, uuid, "--days", "31"],
                  ["list", server.directory, "--all"]):  # fmt: skip
        assert subprocess.run([process.program(), "key", *words], capture_output=True).returncode == 2, words
    for words in (["disable", "none"], ["alias", "aws/s3", uuid], ["alias", "a b", uuid], ["alias", "a" * 251, uuid],
                  ["alias", "a", "none"], ["cancel-deletion", uuid]):  # fmt: skip
        assert keys.run(*words).returncode == 1, words
    keys("alias", "a" * 250, uuid)
    assert subprocess.run([process.program(), "key", "list", tmp_path], capture_output=True).returncode == 1


def test_command__makes_a_hundred_keys_at_most(server, keys):
    ids = {keys("create") for _ in range(100)}
    assert len(ids) == 100
    done = keys.run("create")
    assert (done.returncode, "100 keys" in done.stderr) == (1, True)
    assert len(keys("list").splitlines()) == 100


# ---- UpdateObjectEncryption ----------------------------------------------------------------------------


def update(s3, key, arn, **more):
    wish = {"SSEKMS": {"KMSKeyArn": arn, **more.pop("kms", {})}}
    return s3.update_object_encryption(Bucket="vault", Key=key, ObjectEncryption=wish, **more)


def arn_of(s3, uuid):
    return put(s3, "own")["SSEKMSKeyId"][:-36] + uuid


def seen(s3, key, **version):
    head = s3.head_object(Bucket="vault", Key=key, **version)
    return {name: head.get(name) for name in ("ETag", "LastModified", "ContentLength", "Metadata", "ContentType", "VersionId")}


@pytest.mark.parametrize("size", [0, 10, 70000, 5 * MIB])
def test_UpdateObjectEncryption__changes_the_key_and_nothing_else(keys, s3, size):
    first, second = keys("create"), keys("create")
    data = expect.noise(size)
    s3.put_object(Bucket="vault", Key="key", Body=data, ServerSideEncryption="AES256", Metadata={"a": "b"}, ContentType="text/x")
    before = seen(s3, "key")
    s3.copy_object(Bucket="vault", Key="sharing", CopySource="vault/key", ServerSideEncryption="AES256")
    for uuid, bucket_key in ((first, True), (second, False)):
        assert expect.status_of(update(s3, "key", arn_of(s3, uuid), kms={"BucketKeyEnabled": bucket_key})) == 200
        got = s3.get_object(Bucket="vault", Key="key")
        assert (got["ServerSideEncryption"], got["SSEKMSKeyId"]) == ("aws:kms", arn_of(s3, uuid))
        assert got.get("BucketKeyEnabled", False) == bucket_key
        assert got["Body"].read() == data
    assert seen(s3, "key") == before
    keys("disable", first)
    assert get(s3, "key") == get(s3, "sharing") == data
    with expect.refused(400, OFF):
        update(s3, "key", arn_of(s3, first))
    keys("disable", second)
    for call in (lambda: get(s3, "key"), lambda: update(s3, "key", put(s3, "own")["SSEKMSKeyId"])):
        with expect.refused(400, OFF):
            call()
    assert get(s3, "sharing") == data


def test_UpdateObjectEncryption__of_parts_holds_after_a_restart(server, keys, s3):
    uuid = keys("create")
    parts = [expect.noise(5 * MIB, b"1"), expect.noise(100000, b"2"), b"the last"][::2]
    etag = expect.multipart_object(s3, "vault", "key", parts, ServerSideEncryption="AES256")["ETag"]
    s3.copy_object(Bucket="vault", Key="flat", CopySource="vault/key", ServerSideEncryption="AES256")
    update(s3, "key", arn_of(s3, uuid))
    server.stop()
    fsck = subprocess.run([process.program(), "fsck", "--read-data", server.directory], capture_output=True, text=True)
    assert fsck.returncode == 0, fsck.stdout + fsck.stderr
    server.start()
    s3 = Cloud(server).client()
    assert get(s3, "key") == get(s3, "flat") == b"".join(parts)
    assert s3.get_object(Bucket="vault", Key="key", PartNumber=2)["Body"].read() == parts[1]
    assert s3.head_object(Bucket="vault", Key="key")["ETag"] == etag
    keys("disable", uuid)
    with expect.refused(400, OFF):
        get(s3, "key")
    assert get(s3, "flat") == b"".join(parts)


def test_UpdateObjectEncryption__is_of_the_version_it_names(keys, s3):
    s3.put_bucket_versioning(Bucket="vault", VersioningConfiguration={"Status": "Enabled"})
    arn = arn_of(s3, keys("create"))
    old, new = [s3.put_object(Bucket="vault", Key="key", Body=b"x", ServerSideEncryption="AES256")["VersionId"] for _ in range(2)]
    update(s3, "key", arn, VersionId=old)
    assert s3.head_object(Bucket="vault", Key="key", VersionId=old)["SSEKMSKeyId"] == arn
    assert s3.head_object(Bucket="vault", Key="key", VersionId=new)["ServerSideEncryption"] == "AES256"


def test_UpdateObjectEncryption__takes_any_arn_while_there_is_no_named_key(s3):
    put(s3, "key", SSEKMSKeyId="any-id")
    arn = "arn:aws:kms:eu-west-1:123456789012:key/any"
    update(s3, "key", arn)
    assert s3.head_object(Bucket="vault", Key="key")["SSEKMSKeyId"] == arn and get(s3, "key") == b"data"


ARN = "arn:aws:kms:us-east-1:111122223333:key/a"
INVALID = "InvalidRequest"


@pytest.mark.parametrize("content,code,words", [
    ("", INVALID, "a valid new encryption type"), ("<SSE-S3/>", INVALID, "a valid new encryption type"),
    ("<SSE-KMS/>", INVALID, "require an AWS KMS key"), ("<SSE-KMS><KMSKeyArn/></SSE-KMS>", INVALID, "require an AWS KMS key"),
    *((f"<SSE-KMS><KMSKeyArn>{wrong}</KMSKeyArn></SSE-KMS>", INVALID, "require a valid AWS KMS key") for wrong in (
        "alias/a", "arn:aws:kms:us-east-1:111122223333:alias/a", "arn:aws:kms:us-east-1:1111:key/a", "arn:aws:s3:us-east-1:111122223333:key/a",
        "arn:aws:kms:us-east-1:111122223333:key/", ARN + "\u00e9", ARN + "x" * (2049 - len(ARN)))),
    (f"<SSE-KMS><KMSKeyArn>{ARN}</KMSKeyArn><BucketKeyEnabled>yes</BucketKeyEnabled></SSE-KMS>", INVALID, "BucketKeyEnabled"),
    (f"<SSE-KMS><KMSKeyArn>{ARN}</KMSKeyArn><Other/></SSE-KMS>", "MalformedXML", ""),
    (f"<SSE-KMS><KMSKeyArn>{ARN + 'x' * (2048 - len(ARN))}</KMSKeyArn></SSE-KMS>", None, ""),
])  # fmt: skip
def test_UpdateObjectEncryption__refuses_what_is_no_key(server, s3, content, code, words):
    s3.put_object(Bucket="vault", Key="key", Body=b"x", ServerSideEncryption="AES256")
    body = f"<ObjectEncryption>{content}</ObjectEncryption>".encode()
    reply = raw.signed(server.url, server.users["root"], "PUT", "/vault/key?encryption", body)
    assert (reply.status, reply.code if code else None) == (400 if code else 200, code), reply
    assert not words or words in reply.element("Message")


def test_UpdateObjectEncryption__is_of_objects_under_the_store_s_keys_alone(tmp_path):
    server = process.Server(tmp_path, "--sse-c-over-http", "--buckets", "vault")
    try:
        s3 = Cloud(server).client()
        for how in ({}, {"ServerSideEncryption": "aws:kms:dsse"}, {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": b"k" * 32}):
            s3.put_object(Bucket="vault", Key="key", Body=b"x", **how)
            with expect.refused(400, "InvalidRequest"):
                update(s3, "key", ARN)
        s3.put_object(Bucket="vault", Key="key", Body=b"x", ServerSideEncryption="AES256")
        request = raw.Request("PUT", "/vault/key?encryption", [("Host", raw.host_of(server.url))],
                              f"<ObjectEncryption><SSE-KMS><KMSKeyArn>{ARN}</KMSKeyArn></SSE-KMS></ObjectEncryption>".encode())  # fmt: skip
        raw.sign_v2(request, server.users["root"])
        reply = raw.send(server.url, request)
        assert reply.code == "InvalidRequest" and "Signature Version 4" in reply.element("Message"), reply
        with expect.refused(404, "NoSuchKey"):
            update(s3, "none", ARN)
    finally:
        server.stop()
