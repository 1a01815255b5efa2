# SPDX-License-Identifier: Apache-2.0
"""Buckets whose names are of directory buckets, as boto3 uses them: with sessions, and without.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/s3-express-create-session.html
"""

import email.utils
import itertools
import os
import urllib.request

import pytest
from botocore.auth import S3ExpressAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from sdk import expect
from sdk.cloud import Cloud

numbers = itertools.count(1)
ZONE = "use1-az4"


def configuration(zone=ZONE):
    return {"Location": {"Type": "AvailabilityZone", "Name": zone},
            "Bucket": {"Type": "Directory", "DataRedundancy": "SingleAvailabilityZone"}}  # fmt: skip


def name():
    return f"dir-{os.getpid()}-{next(numbers)}--{ZONE}--x-s3"


@pytest.fixture(params=["sessions", "no sessions"])
def client(request, server):
    if request.param == "sessions":
        return Cloud(server).client()
    return Cloud(server).client(s3={"disable_s3_express_session_auth": True})


def uses_sessions(client):
    return not (client.meta.config.s3 or {}).get("disable_s3_express_session_auth")


@pytest.fixture
def seen(client):
    """The requests that were sent: method, path, whether with a session's token."""
    requests = []

    def note(request, **more):
        requests.append((request.method, request.url, "x-amz-s3session-token" in request.headers))

    client.meta.events.register("before-send.s3", note)
    return requests


@pytest.fixture
def directory(client):
    bucket = name()
    client.create_bucket(Bucket=bucket, CreateBucketConfiguration=configuration())
    return bucket


def test_CreateSession__is_what_boto3_asks_for_by_itself(client, seen):
    bucket = name()
    client.create_bucket(Bucket=bucket, CreateBucketConfiguration=configuration())
    client.put_object(Bucket=bucket, Key="a/key", Body=b"data")
    assert client.get_object(Bucket=bucket, Key="a/key")["Body"].read() == b"data"
    assert client.head_object(Bucket=bucket, Key="a/key")["ContentLength"] == 4
    assert [item["Key"] for item in client.list_objects_v2(Bucket=bucket, Prefix="a/")["Contents"]] == ["a/key"]
    upload = client.create_multipart_upload(Bucket=bucket, Key="parts")["UploadId"]
    part = client.upload_part(Bucket=bucket, Key="parts", UploadId=upload, PartNumber=1, Body=b"part")
    client.complete_multipart_upload(Bucket=bucket, Key="parts", UploadId=upload, MultipartUpload={
        "Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]})
    client.copy_object(Bucket=bucket, Key="copy", CopySource={"Bucket": bucket, "Key": "a/key"})
    client.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": key} for key in ("a/key", "parts", "copy")]})
    client.delete_bucket(Bucket=bucket)
    sessions = [url for _, url, _ in seen if url.endswith("?session")]
    assert len(sessions) == (1 if uses_sessions(client) else 0)
    # botocore signs copies without a session.
    others = {token for _, url, token in seen if not url.endswith(("?session", "/copy"))}
    assert others == {uses_sessions(client)}


def test_CreateSession__answers_keys_of_five_minutes(client, directory):
    made = client.create_session(Bucket=directory)
    keys = made["Credentials"]
    sent = email.utils.parsedate_to_datetime(made["ResponseMetadata"]["HTTPHeaders"]["date"])
    assert 298 <= (keys["Expiration"] - sent).total_seconds() <= 301
    assert keys["AccessKeyId"].startswith("ASIA") and len(keys["SecretAccessKey"]) == 40
    assert client.create_session(Bucket=directory)["Credentials"]["SessionToken"] != keys["SessionToken"]


def test_GetObject__by_a_url_that_was_presigned_in_a_session(client, directory, server):
    client.put_object(Bucket=directory, Key="key", Body=b"data")
    url = client.generate_presigned_url("get_object", Params={"Bucket": directory, "Key": "key"})
    with urllib.request.urlopen(url) as reply:
        assert reply.read() == b"data"


@pytest.mark.parametrize("encryption", [{"ServerSideEncryption": "AES256"},
                                        {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": "a-key"}])  # fmt: skip
def test_CreateSession__encrypts_what_it_puts(server, client, directory, encryption):
    made = client.create_session(Bucket=directory, **encryption)
    assert {name: made[name] for name in encryption} == encryption
    keys = made["Credentials"]
    request = AWSRequest("PUT", f"{server.url}/{directory}/key", data=b"data", headers={"x-amz-content-sha256": "UNSIGNED-PAYLOAD"})
    credentials = Credentials(keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"])
    S3ExpressAuth(credentials, "s3express", "us-east-1", identity_cache=None).add_auth(request)
    sent = urllib.request.Request(request.url, b"data", dict(request.headers.items()), method="PUT")
    with urllib.request.urlopen(sent) as reply:
        assert reply.status == 200
        assert reply.headers["x-amz-server-side-encryption"] == encryption["ServerSideEncryption"]
    head = client.head_object(Bucket=directory, Key="key")
    assert {name: head[name] for name in encryption} == encryption


def test_CreateBucket__of_another_zone_or_kind_is_refused(client):
    bucket = name()
    for wrong in (configuration("use1-az5"), {"LocationConstraint": "eu-west-1"}):
        with expect.refused(400, "InvalidBucketName"):
            client.create_bucket(Bucket=bucket, CreateBucketConfiguration=wrong)
    with expect.refused(400, "InvalidBucketName"):
        client.create_bucket(Bucket="plain-" + bucket[:20], CreateBucketConfiguration=configuration())
