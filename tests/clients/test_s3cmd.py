# SPDX-License-Identifier: Apache-2.0
"""s3cmd: V4 requests, bare ETags in Complete, MD5 comparison, V2 signurl."""

import ssl
import urllib.parse

import pytest
from clients.kit import MANY, same_tree

from sdk import expect
from sdk.cloud import bucket_name


@pytest.fixture
def s3cmd(need, run, server, endpoint, scheme):
    program = need("s3cmd", "/usr/bin/s3cmd")
    host = urllib.parse.urlsplit(endpoint).netloc
    user = server.users["root"]
    options = [f"--host={host}", f"--host-bucket={host}", f"--access_key={user.access_key}", f"--secret_key={user.secret_key}",
               "--config=/dev/null", "--no-progress"]  # fmt: skip
    options += ["--ssl", f"--ca-certs={server.certificate[0]}"] if scheme == "https" else ["--no-ssl"]
    return lambda *arguments: run(program, *options, *arguments)


def test_s3cmd__put_get_copy_move_and_delete(s3cmd, s3, large, tmp_path):
    name = bucket_name("s3cmd")
    (tmp_path / "small").write_text("0123456789")
    s3cmd("mb", f"s3://{name}")
    assert f"s3://{name}" in s3cmd("ls")
    s3cmd("put", "small", f"s3://{name}/a b+c/small", "--mime-type=text/x")
    s3cmd("put", large, f"s3://{name}/large")  # in parts of 15 MB
    assert s3.head_object(Bucket=name, Key="large")["ETag"].endswith('-2"')
    s3cmd("get", f"s3://{name}/large", "back")
    assert expect.file_digest(tmp_path / "back") == expect.file_digest(large)
    (tmp_path / "resumed").write_text("01234")
    s3cmd("get", "--continue", f"s3://{name}/a b+c/small", "resumed")  # a ranged GET of the rest
    assert (tmp_path / "resumed").read_text() == "0123456789"
    s3cmd("cp", f"s3://{name}/a b+c/small", f"s3://{name}/copied")
    s3cmd("mv", f"s3://{name}/copied", f"s3://{name}/moved")
    assert expect.body_of(s3, name, "moved") == b"0123456789"
    info = s3cmd("info", f"s3://{name}/a b+c/small")
    assert "text/x" in info and "781e5e245d69b566979b86e28d23f2c7" in info
    s3cmd("info", f"s3://{name}")
    s3cmd("del", "--recursive", "--force", f"s3://{name}")
    s3cmd("rb", f"s3://{name}")


def test_s3cmd__lists_2500_keys(s3cmd, many):
    assert len(s3cmd("ls", "--recursive", f"s3://{many}").splitlines()) == len(MANY)


def test_s3cmd__signurl_v2_is_fetched_without_an_sdk(s3cmd, s3, bucket, server, scheme):
    s3.put_object(Bucket=bucket, Key="dir/key", Body=b"data")
    url = s3cmd("signurl", f"s3://{bucket}/dir/key", "+3600").strip()
    assert "Signature=" in url and "AWSAccessKeyId=" in url and "X-Amz" not in url
    context = ssl.create_default_context(cafile=server.certificate[0]) if scheme == "https" else None
    assert expect.fetch(url, context=context)[::2] == (200, b"data")
    assert expect.fetch(url.replace("key", "kez"), context=context)[0] == 403


def test_s3cmd__setacl(s3cmd, s3, anyone, bucket):
    s3.put_object(Bucket=bucket, Key="key", Body=b"data")
    s3cmd("setacl", "--acl-public", f"s3://{bucket}/key")
    assert expect.body_of(anyone, bucket, "key") == b"data"
    s3cmd("setacl", "--acl-private", f"s3://{bucket}/key")
    with expect.refused(403, "AccessDenied"):
        anyone.get_object(Bucket=bucket, Key="key")


def test_s3cmd__versioned_delete(s3cmd, s3, versioned):
    s3.put_object(Bucket=versioned, Key="key", Body=b"data")
    s3cmd("del", f"s3://{versioned}/key")
    assert s3.list_object_versions(Bucket=versioned)["DeleteMarkers"][0]["Key"] == "key"


@pytest.mark.timeout(600)
def test_s3cmd__second_sync_transfers_nothing(s3cmd, tree, tmp_path, bucket):
    part = tree / "d0"
    s3cmd("sync", f"{part}/", f"s3://{bucket}/d0/")
    assert "upload:" not in s3cmd("sync", f"{part}/", f"s3://{bucket}/d0/")
    (tmp_path / "down").mkdir()
    s3cmd("sync", f"s3://{bucket}/d0/", "down/")
    assert same_tree(part, tmp_path / "down")
    assert "download:" not in s3cmd("sync", f"s3://{bucket}/d0/", "down/")
