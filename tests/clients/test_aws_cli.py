# SPDX-License-Identifier: Apache-2.0
"""The AWS CLI: version 2 as the distribution has it, and version 1 as it writes today.

The package's version 2 may be older than default checksums (Content-MD5); version 1 from PyPI sends
them: as headers over http, as trailers of aws-chunked bodies over https.
"""

import json

import pytest

from clients import kit
from sdk import expect

BOTH = ["aws-cli-v2", "aws-cli-v1"]


@pytest.fixture(params=BOTH)
def aws(request, need, run, endpoint):
    program = need(request.param)
    return lambda *arguments, **options: run(program, "--endpoint-url", endpoint, *arguments, **options)


@pytest.fixture
def api(aws):
    """api(operation, arguments...): aws s3api, and what it printed as JSON."""

    def call(*arguments):
        said = aws("s3api", *arguments)
        return json.loads(said) if said else None

    return call


def listed(said):
    """The names `aws s3 ls` printed."""
    return [line.split(None, 3)[3] for line in said.splitlines()]


def test_aws_cli__make_copy_move_and_remove(aws, api, bucket, large, large_digest, tmp_path):
    name = f"{bucket}-cli"
    (tmp_path / "small.txt").write_text("small")
    aws("s3", "mb", f"s3://{name}")
    aws("s3", "cp", "small.txt", f"s3://{name}/dir/small.txt", "--content-type", "text/x", "--metadata", "a=b")
    head = api("head-object", "--bucket", name, "--key", "dir/small.txt")
    assert (head["ContentType"], head["Metadata"]) == ("text/x", {"a": "b"})

    aws("s3", "cp", large, f"s3://{name}/large.bin")  # in parts of 8 MiB
    assert api("head-object", "--bucket", name, "--key", "large.bin")["ETag"].endswith('-3"')
    aws("s3", "cp", f"s3://{name}/large.bin", "back.bin")  # in ranges
    assert expect.file_digest(tmp_path / "back.bin") == large_digest

    aws("s3", "cp", "-", f"s3://{name}/stdin", stdin=b"from stdin")
    assert aws("s3", "cp", f"s3://{name}/stdin", "-") == "from stdin"
    aws("s3", "cp", f"s3://{name}/large.bin", f"s3://{name}/copy.bin")  # part by part
    aws("s3", "mv", f"s3://{name}/copy.bin", f"s3://{name}/moved.bin")
    assert listed(aws("s3", "ls", "--recursive", f"s3://{name}")) == ["dir/small.txt", "large.bin", "moved.bin", "stdin"]
    aws("s3", "cp", f"s3://{name}/moved.bin", "moved.bin")
    assert expect.file_digest(tmp_path / "moved.bin") == large_digest

    assert "BucketNotEmpty" in aws("s3", "rb", f"s3://{name}", fails=True)
    aws("s3", "rm", "--recursive", f"s3://{name}/dir")
    aws("s3", "rb", "--force", f"s3://{name}")
    assert name not in aws("s3", "ls")


def test_aws_cli__lists_2500_keys(aws, api, many):
    assert listed(aws("s3", "ls", "--recursive", f"s3://{many}")) == kit.MANY
    assert listed(aws("s3", "ls", f"s3://{many}/many/123")) == [key.removeprefix("many/") for key in kit.MANY[1230:1240]]
    pages = api("list-objects-v2", "--bucket", many, "--page-size", "700", "--query", "Contents[].Key")
    assert pages == kit.MANY


def test_aws_cli__reads_ranges_copies_tags_versions_and_deletes(api, bucket, tmp_path):
    name = f"{bucket}-cli"
    (tmp_path / "file").write_text("0123456789")
    api("create-bucket", "--bucket", name)
    api("put-bucket-versioning", "--bucket", name, "--versioning-configuration", "Status=Enabled")
    first = api("put-object", "--bucket", name, "--key", "k", "--body", "file", "--tagging", "x=y")["VersionId"]
    api("copy-object", "--bucket", name, "--key", "copy ü", "--copy-source", f"{name}/k")
    got = api("get-object", "--bucket", name, "--key", "copy ü", "--range", "bytes=2-5", "part")
    assert (got["ContentRange"], got["TagCount"]) == ("bytes 2-5/10", 1)
    assert (tmp_path / "part").read_text() == "2345"

    tags = [{"Key": "a", "Value": "b c"}]
    api("put-object-tagging", "--bucket", name, "--key", "k", "--tagging", json.dumps({"TagSet": tags}))
    assert api("get-object-tagging", "--bucket", name, "--key", "k")["TagSet"] == tags

    marker = api("delete-object", "--bucket", name, "--key", "k")
    assert marker["DeleteMarker"] is True
    api("delete-object", "--bucket", name, "--key", "k", "--version-id", marker["VersionId"])
    assert api("head-object", "--bucket", name, "--key", "k")["VersionId"] == first

    gone = {"Objects": [{"Key": "k"}, {"Key": "copy ü"}]}
    assert len(api("delete-objects", "--bucket", name, "--delete", json.dumps(gone))["Deleted"]) == 2
    versions = api("list-object-versions", "--bucket", name)
    assert (len(versions["Versions"]), len(versions["DeleteMarkers"])) == (2, 2)


@pytest.mark.parametrize("scheme", ["http"], indirect=True)
def test_aws_cli__sets_reads_and_deletes_documents(aws, api, bucket):
    where = ("--bucket", bucket)
    tags = {"TagSet": [{"Key": "a", "Value": "b"}]}
    api("put-bucket-tagging", *where, "--tagging", json.dumps(tags))
    assert api("get-bucket-tagging", *where) == tags
    api("delete-bucket-tagging", *where)
    for name, code in [
        ("bucket-tagging", "NoSuchTagSet"),
        ("bucket-cors", "NoSuchCORSConfiguration"),
        ("bucket-lifecycle-configuration", "NoSuchLifecycleConfiguration"),
        ("bucket-policy", "NoSuchBucketPolicy"),
        ("object-lock-configuration", "ObjectLockConfigurationNotFoundError"),
    ]:
        assert code in aws("s3api", f"get-{name}", *where, fails=True)
    api("put-bucket-acl", *where, "--acl", "public-read")
    assert len(api("get-bucket-acl", *where)["Grants"]) == 2
    assert api("get-bucket-location", *where)["LocationConstraint"] is None


def test_aws_cli__presigned_url_needs_no_sdk(aws, s3, bucket, server):
    s3.put_object(Bucket=bucket, Key="a b+ü", Body=b"data")
    url = aws("s3", "presign", f"s3://{bucket}/a b+ü", "--expires-in", "60").strip()
    assert kit.fetch(url, server) == (200, b"data")
    assert kit.fetch(url.replace("a%20b", "a%20c"), server)[0] == 403


@pytest.mark.parametrize("scheme", ["http"], indirect=True)
def test_aws_cli__second_sync_of_1500_files_transfers_nothing(aws, tree, bucket, tmp_path):
    assert aws("s3", "sync", tree, f"s3://{bucket}/tree", "--no-progress").count("upload: ") == kit.TREE_FILES
    assert aws("s3", "sync", tree, f"s3://{bucket}/tree", "--no-progress") == ""
    assert aws("s3", "sync", f"s3://{bucket}/tree", "down", "--no-progress").count("download: ") == kit.TREE_FILES
    assert kit.content(tmp_path / "down") == kit.content(tree)
    assert aws("s3", "sync", f"s3://{bucket}/tree", "down", "--no-progress") == ""
