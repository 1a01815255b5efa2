# SPDX-License-Identifier: Apache-2.0
"""s3cmd: ?location first, bare ETags in Complete, MD5 comparison, V2 signurl, ACLs as documents."""

import hashlib
import urllib.parse

import pytest

from clients import kit
from sdk import expect


# The package may be 2.3, which knows no tags and no versioning; from PyPI comes 2.4.
CURRENT = pytest.mark.parametrize("s3cmd", ["s3cmd-pip"], indirect=True)


@pytest.fixture(params=["s3cmd", "s3cmd-pip"])
def s3cmd(request, need, run, server, endpoint, scheme, tmp_path):
    program = need(request.param)
    host = urllib.parse.urlsplit(endpoint).netloc
    user = server.users["root"]
    settings = {
        "access_key": user.access_key, "secret_key": user.secret_key, "host_base": host, "host_bucket": host,
        "use_https": scheme == "https", "signurl_use_https": scheme == "https", "ca_certs_file": server.certificate[0],
        "progress_meter": False, "max_retries": 1,
    }  # fmt: skip
    config = tmp_path / "s3cfg"
    config.write_text("[default]\n" + "".join(f"{name} = {value}\n" for name, value in settings.items()))
    return lambda *arguments, **more: run(program, "-c", config, *arguments, **more)


def listed(said):
    """The URLs `s3cmd ls` printed."""
    return [line.split(None, 3)[3] for line in said.splitlines()]


def test_s3cmd__put_get_copy_move_and_delete(s3cmd, s3, bucket, large, large_digest, tmp_path):
    name = f"{bucket}-s3cmd"
    (tmp_path / "small").write_text("0123456789")
    s3cmd("mb", f"s3://{name}")
    assert f"s3://{name}" in s3cmd("ls")
    s3cmd("put", "small", f"s3://{name}/a b+c/small ü", "--mime-type=text/x")
    s3cmd("put", large, f"s3://{name}/large")  # in parts of 15 MiB
    assert s3.head_object(Bucket=name, Key="large")["ETag"].endswith('-2"')
    s3cmd("get", f"s3://{name}/large", "back")
    assert expect.file_digest(tmp_path / "back") == large_digest

    (tmp_path / "resumed").write_text("01234")
    s3cmd("get", "--continue", f"s3://{name}/a b+c/small ü", "resumed")  # a range: the rest
    assert (tmp_path / "resumed").read_text() == "0123456789"

    s3cmd("cp", f"s3://{name}/a b+c/small ü", f"s3://{name}/copied")
    s3cmd("mv", f"s3://{name}/copied", f"s3://{name}/moved")
    assert expect.body_of(s3, name, "moved") == b"0123456789"
    assert listed(s3cmd("ls", "--recursive", f"s3://{name}")) == [
        f"s3://{name}/{key}" for key in ("a b+c/small ü", "large", "moved")]
    s3cmd("del", "--recursive", "--force", f"s3://{name}")
    s3cmd("rb", f"s3://{name}")
    assert f"s3://{name}" not in s3cmd("ls")


def test_s3cmd__info_names_what_is_stored(s3cmd, s3, bucket):
    s3.put_object(Bucket=bucket, Key="key", Body=b"data", ContentType="text/x", Metadata={"a": "b"})
    said = s3cmd("info", f"s3://{bucket}/key")
    assert "text/x" in said and hashlib.md5(b"data").hexdigest() in said and "FULL_CONTROL" in said
    said = s3cmd("info", f"s3://{bucket}")
    assert "us-east-1" in said and "FULL_CONTROL" in said


@pytest.mark.parametrize("scheme", ["http"], indirect=True)
def test_s3cmd__lists_2500_keys(s3cmd, many):
    assert listed(s3cmd("ls", "--recursive", f"s3://{many}")) == [f"s3://{many}/{key}" for key in kit.MANY]


def test_s3cmd__signurl_v2_needs_no_sdk(s3cmd, s3, bucket, server, scheme):
    s3.put_object(Bucket=bucket, Key="dir/key", Body=b"data")
    url = s3cmd("signurl", f"s3://{bucket}/dir/key", "+3600").strip()
    assert url.startswith(f"{scheme}://") and "AWSAccessKeyId=" in url and "X-Amz" not in url
    assert kit.fetch(url, server) == (200, b"data")
    assert kit.fetch(url.replace("dir/key", "dir/kez"), server)[0] == 403
    past = s3cmd("signurl", f"s3://{bucket}/dir/key", "1000000000").strip()
    assert kit.fetch(past, server)[0] == 403


def test_s3cmd__setacl_opens_and_closes_an_object(s3cmd, s3, bucket, server, endpoint):
    s3.put_object(Bucket=bucket, Key="key", Body=b"data")
    url = f"{endpoint}/{bucket}/key"
    assert kit.fetch(url, server)[0] == 403
    s3cmd("setacl", "--acl-public", f"s3://{bucket}/key")
    assert kit.fetch(url, server) == (200, b"data")
    s3cmd("setacl", "--acl-private", f"s3://{bucket}/key")
    assert kit.fetch(url, server)[0] == 403


def test_s3cmd__modify_replaces_headers(s3cmd, s3, bucket):
    s3.put_object(Bucket=bucket, Key="key", Body=b"data", Metadata={"a": "b"})
    s3cmd("modify", "--add-header=Cache-Control: max-age=7", f"s3://{bucket}/key")
    head = s3.head_object(Bucket=bucket, Key="key")
    assert (head["CacheControl"], head["Metadata"]) == ("max-age=7", {"a": "b"})


def test_s3cmd__signature_v2_headers(s3cmd, s3, bucket, tmp_path):
    (tmp_path / "file").write_text("data")
    s3cmd("--signature-v2", "put", "file", f"s3://{bucket}/a b+ü")
    assert expect.body_of(s3, bucket, "a b+ü") == b"data"
    assert listed(s3cmd("--signature-v2", "ls", f"s3://{bucket}")) == [f"s3://{bucket}/a b+ü"]
    s3cmd("--signature-v2", "get", f"s3://{bucket}/a b+ü", "back")
    assert (tmp_path / "back").read_text() == "data"


def test_s3cmd__unfinished_uploads_are_listed_and_aborted(s3cmd, s3, bucket):
    upload, _ = expect.upload_parts(s3, bucket, "dir/key", [b"data"])
    assert upload in s3cmd("multipart", f"s3://{bucket}")
    assert hashlib.md5(b"data").hexdigest() in s3cmd("listmp", f"s3://{bucket}/dir/key", upload)
    s3cmd("abortmp", f"s3://{bucket}/dir/key", upload)
    assert upload not in s3cmd("multipart", f"s3://{bucket}")


@CURRENT
def test_s3cmd__tags(s3cmd, s3, bucket):
    s3.put_object(Bucket=bucket, Key="key", Body=b"data")
    for where in (f"s3://{bucket}/key", f"s3://{bucket}"):
        s3cmd("settagging", where, "one=1&two=2")
        said = s3cmd("gettagging", where)
        assert "one" in said and "two" in said
        s3cmd("deltagging", where)
    assert s3.get_object_tagging(Bucket=bucket, Key="key")["TagSet"] == []


@CURRENT
def test_s3cmd__versioning_is_set(s3cmd, s3, bucket):
    for word, status in (("enable", "Enabled"), ("disable", "Suspended")):
        s3cmd("setversioning", f"s3://{bucket}", word)
        assert s3.get_bucket_versioning(Bucket=bucket)["Status"] == status


def test_s3cmd__delete_in_a_versioned_bucket_leaves_a_marker(s3cmd, s3, versioned):
    s3.put_object(Bucket=versioned, Key="key", Body=b"data")
    s3cmd("del", f"s3://{versioned}/key")
    found = s3.list_object_versions(Bucket=versioned)
    assert (len(found["Versions"]), len(found["DeleteMarkers"])) == (1, 1)
    assert s3cmd("ls", f"s3://{versioned}") == ""


@pytest.mark.parametrize("scheme", ["http"], indirect=True)
def test_s3cmd__second_sync_transfers_nothing(s3cmd, tree, tmp_path, bucket):
    part = tree / "d0"
    assert "upload: " in s3cmd("sync", f"{part}/", f"s3://{bucket}/d0/")
    assert "upload: " not in s3cmd("sync", f"{part}/", f"s3://{bucket}/d0/")
    (tmp_path / "down").mkdir()
    s3cmd("sync", f"s3://{bucket}/d0/", "down/")
    assert kit.content(tmp_path / "down") == kit.content(part)
    assert "download: " not in s3cmd("sync", f"s3://{bucket}/d0/", "down/")


def test_s3cmd__accesslog_asks_for_the_rights_and_is_shown(s3cmd, s3, bucket):
    s3.create_bucket(Bucket=f"{bucket}-logs")
    said = s3cmd("accesslog", f"s3://{bucket}", f"--access-logging-target-prefix=s3://{bucket}-logs/to/")
    assert f"s3://{bucket}-logs/to/" in said
    assert s3.get_bucket_logging(Bucket=bucket)["LoggingEnabled"] == {"TargetBucket": f"{bucket}-logs", "TargetPrefix": "to/"}
    uris = {grant["Grantee"].get("URI") for grant in s3.get_bucket_acl(Bucket=f"{bucket}-logs")["Grants"]}
    assert "http://acs.amazonaws.com/groups/s3/LogDelivery" in uris
    s3cmd("accesslog", f"s3://{bucket}", "--no-access-logging")
    assert "LoggingEnabled" not in s3.get_bucket_logging(Bucket=bucket)
