# SPDX-License-Identifier: Apache-2.0
"""Every operation that pail has, through `aws s3api` of the CLI as it writes today; one that is not called here fails.

    https://docs.aws.amazon.com/cli/latest/reference/s3api/
"""

import datetime
import json

import pytest
from botocore import xform_name

from sdk.test_refresh import KEPT, table
from tools import documents, routes

# Of S3 itself, but for a browser's form.
LIVE = {xform_name(route.name, "-") for route in routes.load() if route.kind == "R" and route.resource != "TAGS"} - {"post-object"}
KEY_ARN = "arn:aws:kms:us-east-1:111122223333:key/11111111-2222-4333-8444-555555555555"
pytestmark = pytest.mark.parametrize("scheme", ["http"], indirect=True)


@pytest.fixture
def api(need, run, endpoint):
    """api(operation, arguments...): what it printed as JSON; api.called has the names of all that were."""
    program = need("aws-cli-v1")

    def call(operation, *arguments):
        call.called.add(operation)
        said = run(program, "--endpoint-url", endpoint, "s3api", operation, *arguments)
        return json.loads(said) if said else None

    call.called = set()
    return call


@pytest.mark.timeout(600)
def test_aws_cli__calls_every_operation(api, s3, bucket, tmp_path):
    name, target = f"{bucket}-all", f"{bucket}-target"
    s3.create_bucket(Bucket=target, ACL="log-delivery-write")
    s3.put_bucket_versioning(Bucket=target, VersioningConfiguration={"Status": "Enabled"})
    (tmp_path / "body").write_text("a,b\n1,2\n")
    buckets(api, name)
    objects(api, name, bucket, tmp_path)
    attributes(api, name)
    annotations(api, bucket, tmp_path)
    sessions(api, f"{bucket}--use1-az4--x-s3")
    parts(api, name)
    for kind in KEPT:
        document(api, table(name, target)[kind], name)
    status_of_policy(api, name)
    listings(api, name)
    emptied(api, name)
    assert LIVE - api.called == set()


def buckets(api, name):
    where = ("--bucket", name)
    api("create-bucket", *where, "--object-lock-enabled-for-bucket")
    assert api("head-bucket", *where)["BucketRegion"] == "us-east-1"
    assert name in [item["Name"] for item in api("list-buckets")["Buckets"]]
    assert api("get-bucket-location", *where)["LocationConstraint"] is None
    api("put-bucket-versioning", *where, "--versioning-configuration", "Status=Enabled")
    assert api("get-bucket-versioning", *where)["Status"] == "Enabled"
    api("put-bucket-acl", *where, "--acl", "public-read")
    assert len(api("get-bucket-acl", *where)["Grants"]) == 2


def objects(api, name, plain, folder):
    key = ("--bucket", name, "--key", "k")
    put = api("put-object", *key, "--body", "body", "--server-side-encryption", "AES256")
    assert api("head-object", *key)["ETag"] == put["ETag"]
    api("get-object", *key, "got")
    assert (folder / "got").read_text() == "a,b\n1,2\n"
    copied = api("copy-object", "--bucket", name, "--key", "copy", "--copy-source", f"{name}/k")
    assert copied["CopyObjectResult"]["ETag"] == put["ETag"]
    api("put-object", "--bucket", plain, "--key", "old", "--body", "body")
    api("put-object", "--bucket", plain, "--key", "cold", "--body", "body", "--storage-class", "GLACIER")
    api("restore-object", "--bucket", plain, "--key", "cold", "--restore-request", "Days=1")
    assert api("head-object", "--bucket", plain, "--key", "cold")["StorageClass"] == "GLACIER"
    api("rename-object", "--bucket", plain, "--key", "new", "--rename-source", "old")
    assert api("head-object", "--bucket", plain, "--key", "new")["ETag"] == put["ETag"]
    csv = '{"CSV": {"FileHeaderInfo": "USE"}}'
    api("select-object-content", *key, "--expression", "SELECT s.b FROM S3Object s", "--expression-type", "SQL",
        "--input-serialization", csv, "--output-serialization", '{"CSV": {}}', "selected")  # fmt: skip
    assert (folder / "selected").read_text() == "2\n"


def attributes(api, name):
    key = ("--bucket", name, "--key", "k")
    tags = [{"Key": "a", "Value": "b"}]
    api("put-object-tagging", *key, "--tagging", json.dumps({"TagSet": tags}))
    assert api("get-object-tagging", *key)["TagSet"] == tags
    api("delete-object-tagging", *key)
    api("put-object-acl", *key, "--acl", "public-read")
    assert len(api("get-object-acl", *key)["Grants"]) == 2
    assert api("get-object-attributes", *key, "--object-attributes", "ObjectSize")["ObjectSize"] == 8
    until = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=1)
    api("put-object-retention", *key, "--retention", f"Mode=GOVERNANCE,RetainUntilDate={until:%Y-%m-%dT%H:%M:%SZ}")
    assert api("get-object-retention", *key)["Retention"]["Mode"] == "GOVERNANCE"
    for status in ("ON", "OFF"):
        api("put-object-legal-hold", *key, "--legal-hold", f"Status={status}")
        assert api("get-object-legal-hold", *key)["LegalHold"]["Status"] == status
    api("update-object-encryption", *key, "--object-encryption", json.dumps({"SSEKMS": {"KMSKeyArn": KEY_ARN}}))
    assert api("head-object", *key)["SSEKMSKeyId"] == KEY_ARN


def annotations(api, name, folder):
    key = ("--bucket", name, "--key", "new")
    named = (*key, "--annotation-name", "note")
    api("put-object-annotation", *named, "--annotation-payload", "body")
    assert [item["AnnotationName"] for item in api("list-object-annotations", *key)["Annotations"]] == ["note"]
    api("get-object-annotation", *named, "note")
    assert (folder / "note").read_text() == "a,b\n1,2\n"
    api("delete-object-annotation", *named)


def sessions(api, name):
    zone = {"Location": {"Type": "AvailabilityZone", "Name": "use1-az4"}, "Bucket": {"Type": "Directory", "DataRedundancy": "SingleAvailabilityZone"}}
    api("create-bucket", "--bucket", name, "--create-bucket-configuration", json.dumps(zone))
    assert api("create-session", "--bucket", name)["Credentials"]["SessionToken"]


def parts(api, name):
    key = ("--bucket", name, "--key", "whole")
    upload = ("--upload-id", api("create-multipart-upload", *key)["UploadId"])
    listed = [item["Key"] for item in api("list-multipart-uploads", "--bucket", name)["Uploads"]]
    first = api("upload-part-copy", *key, *upload, "--part-number", "1", "--copy-source", f"{name}/k")["CopyPartResult"]["ETag"]
    assert (listed, [item["ETag"] for item in api("list-parts", *key, *upload)["Parts"]]) == (["whole"], [first])
    first = api("upload-part", *key, *upload, "--part-number", "1", "--body", "body")["ETag"]
    done = {"Parts": [{"PartNumber": 1, "ETag": first}]}
    assert api("complete-multipart-upload", *key, *upload, "--multipart-upload", json.dumps(done))["ETag"].endswith('-1"')
    upload = ("--upload-id", api("create-multipart-upload", *key)["UploadId"])
    api("abort-multipart-upload", *key, *upload)
    assert "Uploads" not in (api("list-multipart-uploads", "--bucket", name) or {})


def document(api, document, name):
    """Put, got (and listed) as it was put, and deleted where it can be."""
    where = ("--bucket", name, *[part for option, value in document.name.items() for part in (f"--{option.lower()}", value)])
    call = document.call.replace("_", "-")
    api(f"put-{call}", "--cli-input-json", json.dumps({"Bucket": name, **document.put}))
    assert api(f"get-{call}", *where) == (document.shown or document.put)
    if document.listed:
        listing, element = document.listed
        assert api(listing.replace("_", "-"), "--bucket", name)[element] == list(document.shown.values())
    if document.gone is True:
        api(f"delete-{document.delete.replace('_', '-') or call}", *where)
    else:
        api(f"put-{call}", "--cli-input-json", json.dumps({"Bucket": name, **document.gone}))


def status_of_policy(api, name):
    api("put-bucket-policy", "--bucket", name, "--policy", documents.policy_of(name).decode())
    assert api("get-bucket-policy-status", "--bucket", name)["PolicyStatus"] == {"IsPublic": False}
    api("delete-bucket-policy", "--bucket", name)


def listings(api, name):
    where = ("--bucket", name)
    for operation in ("list-objects", "list-objects-v2"):
        assert [item["Key"] for item in api(operation, *where)["Contents"]] == ["copy", "k", "whole"]
    assert len(api("list-object-versions", *where)["Versions"]) == 3


def emptied(api, name):
    where = ("--bucket", name)
    assert api("delete-object", *where, "--key", "copy")["DeleteMarker"] is True
    found = api("list-object-versions", *where)
    every = [{"Key": item["Key"], "VersionId": item["VersionId"]} for item in found["Versions"] + found["DeleteMarkers"]]
    gone = api("delete-objects", *where, "--delete", json.dumps({"Objects": every}), "--bypass-governance-retention")
    assert len(gone["Deleted"]) == 4
    api("delete-bucket", *where)
