# SPDX-License-Identifier: Apache-2.0
"""The AWS CLI: the distribution's package, and the one on PATH where that is another."""

import json
import subprocess

import pytest
from clients.kit import MANY, commands, same_tree

from sdk import expect
from sdk.cloud import bucket_name


@pytest.fixture(params=commands("aws"))
def aws(request, need, run, endpoint, environment):
    program = need("awscli", request.param)

    def call(*arguments, **options):
        return run(program, "--endpoint-url", endpoint, *arguments, **options)

    environment["PYTHONWARNINGS"] = "ignore"
    call.program = program
    return call


def test_aws_cli__version_is_named(aws, record_property):
    version = subprocess.run([aws.program, "--version"], capture_output=True, text=True).stdout.strip()
    record_property("version", version)
    print(version)
    assert version.startswith("aws-cli/")


def test_aws_cli__make_copy_list_move_and_remove(aws, large, tmp_path):
    name = bucket_name("cli")
    (tmp_path / "small.txt").write_text("small")
    aws("s3", "mb", f"s3://{name}")
    aws("s3", "cp", "small.txt", f"s3://{name}/dir/small.txt", "--content-type", "text/x", "--metadata", "a=b")
    aws("s3", "cp", large, f"s3://{name}/large.bin")
    aws("s3", "cp", "-", f"s3://{name}/stdin", stdin=b"from stdin")
    assert "large.bin" in aws("s3", "ls", f"s3://{name}")
    aws("s3", "cp", f"s3://{name}/large.bin", "back.bin")
    assert expect.file_digest(tmp_path / "back.bin") == expect.file_digest(large)
    assert aws("s3", "cp", f"s3://{name}/stdin", "-") == "from stdin"
    aws("s3", "cp", f"s3://{name}/large.bin", f"s3://{name}/copy.bin")
    aws("s3", "mv", f"s3://{name}/copy.bin", f"s3://{name}/moved.bin")
    listing = aws("s3", "ls", "--recursive", f"s3://{name}")
    assert "moved.bin" in listing and "copy.bin" not in listing
    head = json.loads(aws("s3api", "head-object", "--bucket", name, "--key", "dir/small.txt"))
    assert (head["ContentType"], head["Metadata"]) == ("text/x", {"a": "b"})
    aws("s3", "rm", "--recursive", f"s3://{name}/dir")
    aws("s3", "rb", "--force", f"s3://{name}")
    assert name not in aws("s3", "ls")


def test_aws_cli__lists_2500_keys_and_reads_a_range(aws, many):
    assert len(aws("s3", "ls", "--recursive", f"s3://{many}").splitlines()) == len(MANY)
    answer = json.loads(aws("s3api", "list-objects-v2", "--bucket", many, "--query", "length(Contents)"))
    assert answer == len(MANY)


def test_aws_cli__api_copy_tag_version_range_and_delete(aws, tmp_path):
    name = bucket_name("cli")
    (tmp_path / "file").write_text("0123456789")
    aws("s3api", "create-bucket", "--bucket", name)
    aws("s3api", "put-bucket-versioning", "--bucket", name, "--versioning-configuration", "Status=Enabled")
    first = json.loads(aws("s3api", "put-object", "--bucket", name, "--key", "k", "--body", "file"))["VersionId"]
    aws("s3api", "copy-object", "--bucket", name, "--key", "copy", "--copy-source", f"{name}/k")
    aws("s3api", "get-object", "--bucket", name, "--key", "copy", "--range", "bytes=2-5", "part")
    assert (tmp_path / "part").read_text() == "2345"
    aws("s3api", "put-object-tagging", "--bucket", name, "--key", "k", "--tagging", "TagSet=[{Key=a,Value=b}]")
    tags = json.loads(aws("s3api", "get-object-tagging", "--bucket", name, "--key", "k"))["TagSet"]
    assert tags == [{"Key": "a", "Value": "b"}]
    marker = json.loads(aws("s3api", "delete-object", "--bucket", name, "--key", "k"))
    assert marker["DeleteMarker"] is True
    aws("s3api", "delete-object", "--bucket", name, "--key", "k", "--version-id", marker["VersionId"])
    assert json.loads(aws("s3api", "head-object", "--bucket", name, "--key", "k"))["VersionId"] == first
    aws("s3api", "delete-objects", "--bucket", name, "--delete", json.dumps({"Objects": [{"Key": "k"}, {"Key": "copy"}]}))
    versions = json.loads(aws("s3api", "list-object-versions", "--bucket", name))
    assert len(versions["DeleteMarkers"]) == 2


@pytest.mark.parametrize("operation,code", [
    ("get-bucket-cors", "NoSuchCORSConfiguration"), ("get-bucket-lifecycle-configuration", "NoSuchLifecycleConfiguration"),
    ("get-bucket-policy", "NoSuchBucketPolicy"), ("get-bucket-tagging", "NoSuchTagSet"),
    ("get-object-lock-configuration", "ObjectLockConfigurationNotFoundError"),
    ("get-bucket-encryption", "ServerSideEncryptionConfigurationNotFoundError"),
])  # fmt: skip
def test_aws_cli__unset_documents(aws, bucket, operation, code):
    assert code in aws("s3api", operation, "--bucket", bucket, fails=True)


def test_aws_cli__presign_is_fetched_without_an_sdk(aws, s3, bucket, server, scheme):
    import ssl

    s3.put_object(Bucket=bucket, Key="a b", Body=b"data")
    url = aws("s3", "presign", f"s3://{bucket}/a b").strip()
    context = ssl.create_default_context(cafile=server.certificate[0]) if scheme == "https" else None
    assert expect.fetch(url, context=context)[::2] == (200, b"data")


@pytest.mark.timeout(600)
def test_aws_cli__second_sync_of_1500_files_transfers_nothing(aws, tree, tmp_path):
    name = bucket_name("sync")
    aws("s3", "mb", f"s3://{name}")
    first = aws("s3", "sync", tree, f"s3://{name}/tree", "--no-progress")
    assert first.count("upload: ") == 1500
    assert aws("s3", "sync", tree, f"s3://{name}/tree", "--no-progress") == ""
    down = aws("s3", "sync", f"s3://{name}/tree", "down", "--no-progress")
    assert down.count("download: ") == 1500
    assert same_tree(tree, tmp_path / "down")
    assert aws("s3", "sync", f"s3://{name}/tree", "down", "--no-progress") == ""
