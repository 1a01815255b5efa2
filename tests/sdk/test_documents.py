# SPDX-License-Identifier: Apache-2.0
"""Bucket documents that are not set, operations that are not there, and unknown sub-resources.

An unknown sub-resource is 501 and never falls through to its neighbour: PUT ?retention taken for
PutObject would destroy data.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations_Amazon_Simple_Storage_Service.html
"""

import pytest

from sdk import expect
from tools import routes
from wire import raw

# Code, message, and whether the bucket is named.
CONFIGURATION = ("NoSuchConfiguration", "The specified configuration does not exist.", False)
POLICY = ("NoSuchBucketPolicy", "The bucket policy does not exist", True)
UNSET = {
    "policy": POLICY, "policyStatus": POLICY,
    "cors": ("NoSuchCORSConfiguration", "The CORS configuration does not exist", True),
    "lifecycle": ("NoSuchLifecycleConfiguration", "The lifecycle configuration does not exist", True),
    "website": ("NoSuchWebsiteConfiguration", "The specified bucket does not have a website configuration", True),
    "encryption": ("ServerSideEncryptionConfigurationNotFoundError",
                   "The server side encryption configuration was not found", True),
    "replication": ("ReplicationConfigurationNotFoundError", "The replication configuration was not found", True),
    "object-lock": ("ObjectLockConfigurationNotFoundError", "Object Lock configuration does not exist for this bucket", True),
    "publicAccessBlock": ("NoSuchPublicAccessBlockConfiguration", "The public access block configuration was not found", True),
    "ownershipControls": ("OwnershipControlsNotFoundError", "The bucket ownership controls were not found", True),
    "metadataConfiguration": ("MetadataConfigurationNotFound", "The metadata configuration was not found", True),
    "tagging": ("NoSuchTagSet", "The TagSet does not exist", True),
    "analytics&id=a": CONFIGURATION, "inventory&id=a": CONFIGURATION, "metrics&id=none": CONFIGURATION,
    "intelligent-tiering&id=a": CONFIGURATION, "inventory&id=a&continuation-token=t": CONFIGURATION,
}  # fmt: skip

NS = 'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'
LIST = "<IsTruncated>false</IsTruncated>"
# The whole document, without its declaration.
DEFAULT = {
    "logging": ("BucketLoggingStatus", ""), "notification": ("NotificationConfiguration", ""),
    "accelerate": ("AccelerateConfiguration", ""), "versioning": ("VersioningConfiguration", ""), "location": ("LocationConstraint", ""),
    "requestPayment": ("RequestPaymentConfiguration", "<Payer>BucketOwner</Payer>"), "abac": ("AbacStatus", "<Status>Disabled</Status>"),
    "analytics": ("ListBucketAnalyticsConfigurationsResult", LIST), "inventory": ("ListInventoryConfigurationsResult", LIST),
    "metrics": ("ListMetricsConfigurationsResult", LIST), "metrics&id=": ("ListMetricsConfigurationsResult", LIST),
    "intelligent-tiering": ("ListIntelligentTieringConfigurationsResult", LIST),
    "inventory&continuation-token=": ("ListInventoryConfigurationsResult", LIST + "<ContinuationToken></ContinuationToken>"),
}  # fmt: skip


def test_bucket_document__every_one_that_is_not_kept_is_in_a_table():
    kept_nowhere = {row.selector.partition("&")[0] for row in routes.load() if row.kind == "RD"}
    assert kept_nowhere <= {name.partition("&")[0] for name in [*UNSET, *DEFAULT]}


@pytest.mark.parametrize("sub", UNSET)
def test_bucket_document__unset_is_its_own_404(server, root_user, bucket, sub):
    code, message, named = UNSET[sub]
    reply = raw.signed(server.url, root_user, "GET", f"/{bucket}?{sub}")
    assert (reply.status, reply.code, reply.element("Message")) == (404, code, message), reply
    assert reply.facts == ({"BucketName": bucket} if named else {})
    assert raw.signed(server.url, root_user, "GET", f"/no-such-bucket-of-ours?{sub}").code == "NoSuchBucket"
    assert raw.signed(server.url, server.users["alice"], "GET", f"/{bucket}?{sub}").code == "AccessDenied"
    assert raw.anonymous(server.url, "GET", f"/{bucket}?{sub}").code == "AccessDenied"


@pytest.mark.parametrize("sub", DEFAULT)
def test_bucket_document__default_is_200(server, root_user, bucket, sub):
    root, content = DEFAULT[sub]
    reply = raw.signed(server.url, root_user, "GET", f"/{bucket}?{sub}")
    assert reply.status == 200, reply
    assert reply.body.decode().partition("?>")[2].strip() == f"<{root} {NS}>{content}</{root}>"
    assert raw.signed(server.url, server.users["alice"], "GET", f"/{bucket}?{sub}").status == 403


@pytest.mark.parametrize("name", ["analytics", "inventory", "metrics", "intelligent-tiering"])
def test_bucket_document__list_token_that_was_never_handed_out(server, root_user, bucket, name):
    reply = raw.signed(server.url, root_user, "GET", f"/{bucket}?{name}&continuation-token=t")
    assert (reply.status, reply.code) == (400, "MalformedContinuationToken"), reply
    assert reply.element("Message") == "The continuation-token you provided invalid."


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
    for version in ("", "&versionId=null") if row.resource == "OBJECT" else ("",):
        reply = raw.signed(server.url, root_user, method, target + version, body)
        assert (reply.status, reply.code) == (501, "NotImplemented"), reply
        reply = raw.anonymous(server.url, method, target + version, body)
        assert (reply.status, reply.code) == (403, "AccessDenied"), reply
    assert expect.keys_of(s3.list_objects_v2(Bucket=bucket)) == ["key"]
    assert expect.body_of(s3, bucket, "key") == b"data"


@pytest.mark.parametrize("sub", ["newthing", "newthing=", "newthing=1", "x=y", "session", "select&select-type=2", "Tagging", "metrics"])
@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_unknown_sub_resource__of_an_object_is_never_a_plain_write(server, root_user, s3, bucket, method, sub):
    s3.put_object(Bucket=bucket, Key="key", Body=b"data")
    reply = raw.signed(server.url, root_user, method, f"/{bucket}/key?{sub}", b"destroyed" if method == "PUT" else b"")
    wanted = (405, "MethodNotAllowed") if sub.startswith("select") else (501, "NotImplemented")
    assert (reply.status, reply.code) == wanted, reply
    assert expect.body_of(s3, bucket, "key") == b"data"


@pytest.mark.parametrize("sub", ["newthing", "newthing=", "retention", "legal-hold", "Policy", "x=y"])
@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_unknown_sub_resource__of_a_bucket_is_never_create_or_delete(server, root_user, s3, bucket, method, sub):
    reply = raw.signed(server.url, root_user, method, f"/{bucket}?{sub}", b"<x/>" if method == "PUT" else b"")
    assert (reply.status, reply.code) == (501, "NotImplemented"), reply
    s3.head_bucket(Bucket=bucket)
    reply = raw.signed(server.url, root_user, method, f"/never-made-{method.lower()}?{sub}")
    assert (reply.status, reply.code) == (404, "NoSuchBucket"), reply
    assert raw.signed(server.url, root_user, "HEAD", f"/never-made-{method.lower()}").status == 404


NAMESPACES = ["http://s3.amazonaws.com/doc/2006-03-01/", "https://s3.amazonaws.com/doc/2006-03-01/", ""]


@pytest.mark.parametrize("namespace", NAMESPACES)
def test_request_document__namespace_of_s3_in_either_spelling_or_none(server, root_user, s3, bucket, namespace):
    s3.put_object(Bucket=bucket, Key="key", Body=b"data")
    upload = s3.create_multipart_upload(Bucket=bucket, Key="parts")["UploadId"]
    part = s3.upload_part(Bucket=bucket, Key="parts", UploadId=upload, PartNumber=1, Body=b"part")["ETag"]
    owner = s3.list_buckets()["Owner"]["ID"]
    grantee = f'<Grantee xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="CanonicalUser"><ID>{owner}</ID></Grantee>'
    grant = f"<Grant>{grantee}<Permission>FULL_CONTROL</Permission></Grant>"
    acl = ("AccessControlPolicy", f"<Owner><ID>{owner}</ID></Owner><AccessControlList>{grant}</AccessControlList>")
    tags = ("Tagging", "<TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet>")
    for method, target, (root, content) in (
        ("PUT", f"/{bucket}-second", ("CreateBucketConfiguration", "<LocationConstraint>eu-west-1</LocationConstraint>")),
        ("PUT", f"/{bucket}?tagging", tags), ("PUT", f"/{bucket}/key?tagging", tags),
        ("PUT", f"/{bucket}?acl", acl), ("PUT", f"/{bucket}/key?acl", acl),
        ("PUT", f"/{bucket}?versioning", ("VersioningConfiguration", "<Status>Enabled</Status>")),
        ("POST", f"/{bucket}/parts?uploadId={upload}",
         ("CompleteMultipartUpload", f"<Part><PartNumber>1</PartNumber><ETag>{part}</ETag></Part>")),
        ("POST", f"/{bucket}?delete", ("Delete", "<Object><Key>key</Key></Object>")),
    ):  # fmt: skip
        document = f'<{root} xmlns="{namespace}">{content}</{root}>' if namespace else f"<{root}>{content}</{root}>"
        request = raw.Request(method, target, [("Host", raw.host_of(server.url))], document.encode())
        raw.with_md5(request)
        raw.sign_v4(request, root_user)
        reply = raw.send(server.url, request)
        assert reply.status == (204 if target == f"/{bucket}?tagging" else 200) and reply.code is None, (target, reply)


def test_ecdsa_payload_forms__are_501(server, root_user, s3, bucket):
    for form in ("STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD", "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD-TRAILER"):
        reply = raw.signed(server.url, root_user, "PUT", f"/{bucket}/key", b"0\r\n\r\n", payload=form)
        assert (reply.status, reply.code) == (501, "NotImplemented"), reply
    request = raw.Request("GET", f"/{bucket}", [("Host", raw.host_of(server.url)), ("x-amz-region-set", "*")])
    raw.sign_v4(request, root_user)
    request.set("Authorization", request.header("Authorization").replace("HMAC-SHA256", "ECDSA-P256-SHA256"))
    reply = raw.send(server.url, request)
    assert (reply.status, reply.code) == (501, "NotImplemented"), reply
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0


def test_directory_bucket_session__is_not_of_other_buckets(server, root_user, bucket):
    reply = raw.signed(server.url, root_user, "GET", f"/{bucket}/?session=")
    assert (reply.status, reply.code) == (400, "InvalidRequest"), reply
