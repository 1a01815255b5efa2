# SPDX-License-Identifier: Apache-2.0
"""Bucket documents that are not set, operations that are not there, and unknown sub-resources.

An unknown sub-resource is 501 and never falls through to its neighbour: PUT ?retention taken for
PutObject would destroy data.
"""

import pytest

from sdk import expect
from tools import routes
from wire import raw

UNSET = {
    "policy": "NoSuchBucketPolicy", "cors": "NoSuchCORSConfiguration", "lifecycle": "NoSuchLifecycleConfiguration",
    "website": "NoSuchWebsiteConfiguration", "encryption": "ServerSideEncryptionConfigurationNotFoundError",
    "replication": "ReplicationConfigurationNotFoundError", "object-lock": "ObjectLockConfigurationNotFoundError",
    "publicAccessBlock": "NoSuchPublicAccessBlockConfiguration", "ownershipControls": "OwnershipControlsNotFoundError",
    "tagging": "NoSuchTagSet", "policyStatus": "NoSuchBucketPolicy", "analytics&id=a": "NoSuchConfiguration",
    "inventory&id=a": "NoSuchConfiguration", "metrics&id=a": "NoSuchConfiguration",
    "intelligent-tiering&id=a": "NoSuchConfiguration",
}  # fmt: skip

DEFAULT = {
    "logging": "BucketLoggingStatus", "notification": "NotificationConfiguration", "accelerate": "AccelerateConfiguration",
    "requestPayment": "RequestPaymentConfiguration", "versioning": "VersioningConfiguration",
    "analytics": "ListBucketAnalyticsConfigurationResult", "inventory": "ListInventoryConfigurationsResult",
    "metrics": "ListMetricsConfigurationsResult", "location": "LocationConstraint",
}  # fmt: skip


@pytest.mark.parametrize("sub", UNSET)
def test_bucket_document__unset_is_its_own_404(server, root_user, bucket, sub):
    reply = raw.signed(server.url, root_user, "GET", f"/{bucket}?{sub}")
    assert (reply.status, reply.code) == (404, UNSET[sub]), reply
    assert reply.facts == ({} if UNSET[sub] == "NoSuchConfiguration" else {"BucketName": bucket})
    assert raw.signed(server.url, root_user, "GET", f"/no-such-bucket-of-ours?{sub}").code == "NoSuchBucket"
    assert raw.signed(server.url, server.users["alice"], "GET", f"/{bucket}?{sub}").code == "AccessDenied"
    assert raw.anonymous(server.url, "GET", f"/{bucket}?{sub}").code == "AccessDenied"


@pytest.mark.parametrize("sub", DEFAULT)
def test_bucket_document__default_is_200(server, root_user, bucket, sub):
    reply = raw.signed(server.url, root_user, "GET", f"/{bucket}?{sub}")
    assert reply.status == 200, reply
    assert f"<{DEFAULT[sub]}".encode() in reply.body
    assert reply.body.startswith(b"<?xml")
    assert raw.signed(server.url, server.users["alice"], "GET", f"/{bucket}?{sub}").status == 403


def test_bucket_document__boto3_reads_the_defaults(s3, bucket):
    assert s3.get_bucket_request_payment(Bucket=bucket)["Payer"] == "BucketOwner"
    assert "LoggingEnabled" not in s3.get_bucket_logging(Bucket=bucket)
    assert "Status" not in s3.get_bucket_accelerate_configuration(Bucket=bucket)
    notification = s3.get_bucket_notification_configuration(Bucket=bucket)
    assert set(notification) == {"ResponseMetadata"}
    assert s3.list_bucket_metrics_configurations(Bucket=bucket)["IsTruncated"] is False


@pytest.mark.parametrize("row", [row for row in routes.load() if row.kind == "RN"], ids=lambda row: row.name)
def test_operation_not_there__is_501_and_changes_nothing(server, root_user, s3, bucket, row):
    method = row.method
    s3.put_object(Bucket=bucket, Key="key", Body=b"data")
    query = "&".join(part for part in sorted(row.conditions) if not part.startswith("@"))
    target = f"/{bucket}/key?{query}" if row.resource == "OBJECT" else f"/{bucket}?{query}"
    body = b"<Body/>" if method in ("PUT", "POST") else b""
    reply = raw.signed(server.url, root_user, method, target, body)
    assert (reply.status, reply.code) == (501, "NotImplemented"), reply
    assert raw.anonymous(server.url, method, target, body).status in (403, 501)
    assert expect.keys_of(s3.list_objects_v2(Bucket=bucket)) == ["key"]
    assert expect.body_of(s3, bucket, "key") == b"data"


@pytest.mark.parametrize("sub", ["retention", "legal-hold", "newthing", "newthing=", "newthing=1", "restore", "select&select-type=2",
                                 "torrent", "intelligent-tiering", "versions", "uploads", "delete", "session", "x=y"])  # fmt: skip
@pytest.mark.parametrize("method", ["PUT", "DELETE", "POST"])
def test_unknown_sub_resource__of_an_object_is_never_a_plain_write(server, root_user, s3, bucket, method, sub):
    s3.put_object(Bucket=bucket, Key="key", Body=b"data")
    if (method, sub) == ("POST", "uploads"):
        return
    reply = raw.signed(server.url, root_user, method, f"/{bucket}/key?{sub}", b"destroyed" if method != "DELETE" else b"")
    assert reply.status in (400, 405, 501), reply
    assert expect.body_of(s3, bucket, "key") == b"data"


@pytest.mark.parametrize("sub", ["newthing", "newthing=", "retention", "torrent", "restore", "policy", "accelerate"])
@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_unknown_sub_resource__of_a_bucket_is_never_create_or_delete(server, root_user, s3, bucket, method, sub):
    reply = raw.signed(server.url, root_user, method, f"/{bucket}?{sub}", b"<x/>" if method == "PUT" else b"")
    assert reply.status in (400, 405, 501), reply
    s3.head_bucket(Bucket=bucket)
    reply = raw.signed(server.url, root_user, method, f"/never-made-{sub.strip('=')}?{sub}")
    assert reply.status in (400, 404, 405, 501), reply


@pytest.mark.parametrize("method", ["PATCH", "TRACE", "CONNECT", "PROPFIND", "get", "LOCK", "X" * 300])
def test_unknown_method__is_refused(server, root_user, s3, bucket, method):
    s3.put_object(Bucket=bucket, Key="key", Body=b"data")
    for target in (f"/{bucket}/key", f"/{bucket}", "/"):
        reply = raw.signed(server.url, root_user, method, target)
        assert reply.status in (400, 403, 405, 501), (target, reply)
    assert expect.body_of(s3, bucket, "key") == b"data"


@pytest.mark.parametrize("method,target,status", [
    ("POST", "/", 405), ("PUT", "/", 405), ("DELETE", "/", 405), ("POST", "/{}/key", 405),
])  # fmt: skip
def test_method_not_allowed__names_the_method(server, root_user, bucket, method, target, status):
    reply = raw.signed(server.url, root_user, method, target.format(bucket))
    assert (reply.status, reply.code) == (status, "MethodNotAllowed"), reply
    assert reply.element("Method") == method


def test_ecdsa_payload_forms__are_501(server, root_user, s3, bucket):
    for form in ("STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD", "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD-TRAILER"):
        reply = raw.signed(server.url, root_user, "PUT", f"/{bucket}/key", b"0\r\n\r\n", payload=form)
        assert (reply.status, reply.code) == (501, "NotImplemented"), reply
    request = raw.Request("GET", f"/{bucket}", [("Host", raw.host_of(server.url)), ("x-amz-region-set", "*")])
    raw.sign_v4(request, root_user)
    request.set("Authorization", request.header("Authorization").replace("HMAC-SHA256", "ECDSA-P256-SHA256"))
    assert raw.send(server.url, request).status in (400, 403, 501)
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0


def test_directory_bucket_session__is_not_there(server, root_user, bucket):
    reply = raw.signed(server.url, root_user, "GET", f"/{bucket}/?session=")
    assert reply.status in (404, 501), reply
