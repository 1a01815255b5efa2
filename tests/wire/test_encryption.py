# SPDX-License-Identifier: Apache-2.0
"""A bucket's default encryption: what its document may say, and what new objects get of it.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-encryption.html
    https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketEncryption.html
"""

import base64
import hashlib
import pathlib

import pytest

from sdk import expect
from sdk.cloud import Cloud
from wire import process, raw

METHOD = "x-amz-server-side-encryption"
KEY_ID = METHOD + "-aws-kms-key-id"
BUCKET_KEY = METHOD + "-bucket-key-enabled"
AES256 = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
UNSET = (404, "ServerSideEncryptionConfigurationNotFoundError")


def kms(key="my-key", algorithm="aws:kms", **more):
    return {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": algorithm, "KMSMasterKeyID": key}, **more}


def put(s3, bucket, rule):
    s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": [rule]})


def got(s3, bucket):
    return s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]


def put_raw(server, user, bucket, content):
    document = f"<ServerSideEncryptionConfiguration>{content}</ServerSideEncryptionConfiguration>".encode()
    md5 = base64.b64encode(hashlib.md5(document).digest()).decode()
    return raw.signed(server.url, user, "PUT", f"/{bucket}?encryption", document, [("Content-MD5", md5)])


def says(answer):
    """The encryption that a client's answer tells of: method, key, bucket key."""
    headers = expect.headers_of(answer) if isinstance(answer, dict) else {n.lower(): v for n, v in answer.headers}
    return headers.get(METHOD), headers.get(KEY_ID), headers.get(BUCKET_KEY)


# ---- documents -------------------------------------------------------------------------------------


@pytest.mark.parametrize("rule,shown", [
    (AES256, {**AES256, "BucketKeyEnabled": False}),
    ({**AES256, "BucketKeyEnabled": True}, {**AES256, "BucketKeyEnabled": True}),
    (kms(), {**kms(), "BucketKeyEnabled": False}),
    (kms("a&b", "aws:kms:dsse"), {**kms("a&b", "aws:kms:dsse"), "BucketKeyEnabled": False}),
    ({"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}, "BucketKeyEnabled": True},
     {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}, "BucketKeyEnabled": True}),
    ({"BucketKeyEnabled": True}, {**AES256, "BucketKeyEnabled": True}),
    (kms("k" * 2048), {**kms("k" * 2048), "BucketKeyEnabled": False}),
])  # fmt: skip
def test_GetBucketEncryption__answers_the_rule(s3, bucket, rule, shown):
    put(s3, bucket, rule)
    assert got(s3, bucket) == [shown]


@pytest.mark.parametrize("kind", ["SSE-C", "NONE"])
def test_PutBucketEncryption__keeps_what_is_blocked(server, root_user, bucket, kind):
    blocked = f"<BlockedEncryptionTypes><EncryptionType>{kind}</EncryptionType></BlockedEncryptionTypes>"
    assert put_raw(server, root_user, bucket, f"<Rule>{blocked}</Rule>").status == 200
    reply = raw.signed(server.url, root_user, "GET", f"/{bucket}?encryption")
    assert blocked.encode() in reply.body and b"<SSEAlgorithm>AES256<" in reply.body


def test_DeleteBucketEncryption__leaves_none_and_can_be_repeated(s3, bucket):
    with expect.refused(*UNSET):
        got(s3, bucket)
    put(s3, bucket, AES256)
    for _ in range(2):
        assert expect.status_of(s3.delete_bucket_encryption(Bucket=bucket)) == 204
    with expect.refused(*UNSET):
        got(s3, bucket)
    assert says(s3.put_object(Bucket=bucket, Key="key", Body=b"x")) == (None, None, None)


def default(inside):
    return f"<Rule><ApplyServerSideEncryptionByDefault>{inside}</ApplyServerSideEncryptionByDefault></Rule>"


ONE, KMS = "<SSEAlgorithm>AES256</SSEAlgorithm>", "<SSEAlgorithm>aws:kms</SSEAlgorithm>"
BLOCK = "<EncryptionType>SSE-C</EncryptionType>"


@pytest.mark.parametrize("content", [
    "", default(ONE) * 2, "<Rule/>", "<Rules/>", default(""), default("<SSEAlgorithm>aes256</SSEAlgorithm>"),
    default("<SSEAlgorithm/>"), default(ONE * 2), default(ONE + "<Unknown/>"), "<Rule><Unknown/></Rule>",
    "<Rule><BucketKeyEnabled>yes</BucketKeyEnabled></Rule>", "<Rule><BucketKeyEnabled/></Rule>",
    "<Rule><BlockedEncryptionTypes/></Rule>", f"<Rule><BlockedEncryptionTypes>{BLOCK * 2}</BlockedEncryptionTypes></Rule>",
    "<Rule><BlockedEncryptionTypes><EncryptionType>SSE-S3</EncryptionType></BlockedEncryptionTypes></Rule>",
    default(KMS + "<KMSMasterKeyID></KMSMasterKeyID>"), default(KMS + f"<KMSMasterKeyID>{'k' * 2049}</KMSMasterKeyID>"),
    default(KMS + "<KMSMasterKeyID>a&#10;b</KMSMasterKeyID>"), default(KMS + "<KMSMasterKeyID>é</KMSMasterKeyID>"),
])  # fmt: skip
def test_PutBucketEncryption__refuses_what_no_rule_may_say_and_keeps_the_old_one(server, root_user, s3, bucket, content):
    put(s3, bucket, kms())
    reply = put_raw(server, root_user, bucket, content)
    assert (reply.status, reply.code) == (400, "MalformedXML"), reply
    assert got(s3, bucket) == [{**kms(), "BucketKeyEnabled": False}]


def test_PutBucketEncryption__with_a_key_is_for_kms_only(server, root_user, bucket):
    reply = put_raw(server, root_user, bucket, default(ONE + "<KMSMasterKeyID>key</KMSMasterKeyID>"))
    assert (reply.status, reply.code) == (400, "InvalidArgument")
    assert reply.element("Message") == ("a KMSMasterKeyID is not applicable if the default sse algorithm is not aws:kms "
                                        "or aws:kms:dsse")  # fmt: skip
    assert reply.element("ArgumentName") == "ApplyServerSideEncryptionByDefault"


# ---- what new objects get ----------------------------------------------------------------------------

RULES = [
    (AES256, ("AES256", None, None)),
    ({**AES256, "BucketKeyEnabled": True}, ("AES256", None, None)),
    (kms(), ("aws:kms", "my-key", None)),
    (kms(BucketKeyEnabled=True), ("aws:kms", "my-key", "true")),
    (kms(algorithm="aws:kms:dsse", BucketKeyEnabled=True), ("aws:kms:dsse", "my-key", None)),
]  # fmt: skip


@pytest.mark.parametrize("rule,told", RULES)
def test_rule__is_for_whatever_asks_for_nothing(server, s3, bucket, rule, told):
    s3.put_object(Bucket=bucket, Key="before", Body=b"plain")
    put(s3, bucket, rule)
    assert says(s3.put_object(Bucket=bucket, Key="put", Body=b"data")) == told
    assert says(s3.copy_object(Bucket=bucket, Key="copy", CopySource=f"{bucket}/before")) == told
    upload = s3.create_multipart_upload(Bucket=bucket, Key="parts")
    assert says(upload) == told
    part = s3.upload_part(Bucket=bucket, Key="parts", UploadId=upload["UploadId"], PartNumber=1, Body=b"data")
    assert says(part) == told
    named = dict(Bucket=bucket, Key="parts", UploadId=upload["UploadId"])
    assert says(s3.upload_part_copy(**named, PartNumber=2, CopySource=f"{bucket}/before")) == told
    listed = [{"PartNumber": 1, "ETag": part["ETag"]}]
    assert says(s3.complete_multipart_upload(**named, MultipartUpload={"Parts": listed})) == told
    post = s3.generate_presigned_post(bucket, "post")
    body, content_type = raw.form_body(list(post["fields"].items()), b"data")
    fields = [("Host", raw.host_of(server.url)), ("Content-Type", content_type)]
    assert says(raw.send(server.url, raw.Request("POST", f"/{bucket}", fields, body))) == told
    for key in ("put", "copy", "parts", "post"):
        assert says(s3.head_object(Bucket=bucket, Key=key)) == told, key
        answer = s3.get_object(Bucket=bucket, Key=key)
        assert (says(answer), answer["Body"].read()) == (told, b"plain" if key == "copy" else b"data"), key
    assert says(s3.head_object(Bucket=bucket, Key="before")) == (None, None, None)


def test_rule__gives_way_to_what_a_request_asks_for(s3, bucket):
    put(s3, bucket, kms(BucketKeyEnabled=True))

    def asked(**headers):
        return says(s3.put_object(Bucket=bucket, Key="key", Body=b"x", **headers))

    assert asked(ServerSideEncryption="AES256") == ("AES256", None, None)
    assert asked(BucketKeyEnabled=False) == ("aws:kms", "my-key", None)
    assert asked(ServerSideEncryption="aws:kms", SSEKMSKeyId="other") == ("aws:kms", "other", "true")
    assert asked(ServerSideEncryption="aws:kms", SSEKMSKeyId="other", BucketKeyEnabled=False) == ("aws:kms", "other", None)
    assert asked(ServerSideEncryption="aws:kms:dsse", SSEKMSKeyId="other") == ("aws:kms:dsse", "other", None)
    # Not the bucket's key, as the method was named without one: the service's own.
    assert asked(ServerSideEncryption="aws:kms")[1].startswith("arn:aws:kms:us-east-1:")
    with expect.refused(400, "InvalidArgument"):
        asked(SSEKMSKeyId="other")


def test_rule__lets_an_object_be_copied_onto_itself(s3, bucket):
    s3.put_object(Bucket=bucket, Key="key", Body=b"data")
    same = dict(Bucket=bucket, Key="key", CopySource=f"{bucket}/key")
    with expect.refused(400, "InvalidRequest"):
        s3.copy_object(**same)
    put(s3, bucket, AES256)
    assert says(s3.copy_object(**same)) == ("AES256", None, None)


def test_rule__encrypts_what_is_on_the_disk_and_holds_after_a_restart(tmp_path):
    marker = b"seventy seven plain bytes that nobody is to find " * 4096
    server = process.Server(tmp_path, "--buckets", "kept")
    s3 = Cloud(server).client()
    put(s3, "kept", kms())
    for size in (100, len(marker)):
        s3.put_object(Bucket="kept", Key=str(size), Body=marker[:size])
    server.stop()
    stored = b"".join(file.read_bytes() for file in pathlib.Path(tmp_path).rglob("*") if file.is_file())
    assert b"my-key" in stored and marker[:40] not in stored
    server.start()
    try:
        s3 = Cloud(server).client()
        assert says(s3.put_object(Bucket="kept", Key="later", Body=b"x"))[:2] == ("aws:kms", "my-key")
        for size in (100, len(marker)):
            assert expect.body_of(s3, "kept", str(size)) == marker[:size]
    finally:
        server.stop()


def test_new_buckets__as_aws_are_encrypted(tmp_path):
    server = process.Server(tmp_path, "--new-buckets", "aws", "--buckets", "at-start")
    try:
        s3 = Cloud(server).client()
        s3.create_bucket(Bucket="made")
        for name in ("made", "at-start"):
            assert got(s3, name) == [{**AES256, "BucketKeyEnabled": False}]
            assert says(s3.put_object(Bucket=name, Key="key", Body=b"x")) == ("AES256", None, None)
    finally:
        server.stop()
