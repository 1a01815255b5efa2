# SPDX-License-Identifier: Apache-2.0
"""rclone: v1 listings, UNSIGNED-PAYLOAD over http, HEAD after PUT, server-side copies, links, purge."""

import time

import pytest

from clients import kit
from sdk import expect


@pytest.fixture
def rclone(need, run, environment, server, endpoint, scheme):
    program = need("rclone")
    user = server.users["root"]
    environment |= {
        "RCLONE_CONFIG": "/dev/null", "RCLONE_CONFIG_PAIL_TYPE": "s3", "RCLONE_CONFIG_PAIL_PROVIDER": "Other",
        "RCLONE_CONFIG_PAIL_ENDPOINT": endpoint, "RCLONE_CONFIG_PAIL_ACCESS_KEY_ID": user.access_key,
        "RCLONE_CONFIG_PAIL_SECRET_ACCESS_KEY": user.secret_key, "RCLONE_CONFIG_PAIL_REGION": "us-east-1",
        "RCLONE_RETRIES": "1", "RCLONE_LOW_LEVEL_RETRIES": "1",
    }  # fmt: skip
    environment.pop("AWS_CA_BUNDLE", None)  # it reads this too, and fails on it
    options = ["--ca-cert", server.certificate[0]] if scheme == "https" else []
    return lambda *arguments, **more: run(program, *options, *arguments, **more)


@pytest.fixture
def folder(tmp_path, large):
    """Names that need care, a large file and an empty one."""
    folder = tmp_path / "up"
    (folder / "deep ü").mkdir(parents=True)
    for name in ("plain", "a b+c", "ünïcode 日本", "per%cent %2B", "amp&lt;=?#", "deep ü/+ +", "q'uo\"te", "~tilde", "dot..dot"):
        (folder / name).write_text(name)
    (folder / "empty").touch()
    (folder / "large").symlink_to(large)
    return folder


def test_rclone__copy_check_and_read(rclone, bucket, folder, tmp_path):
    there = f"pail:{bucket}/up"
    rclone("copy", "-L", folder, there)
    rclone("check", "-L", "--download", folder, there)
    rclone("check", "-L", folder, there)  # by hash
    assert rclone("cat", "--offset", "1", "--count", "3", f"{there}/plain") == "lai"
    rclone("copy", there, "down")
    assert kit.content(tmp_path / "down") == kit.content(folder)


def test_rclone__server_side_copy_and_move(rclone, s3, bucket, large, large_digest, tmp_path):
    rclone("copyto", large, f"pail:{bucket}/large")
    rclone("copyto", f"pail:{bucket}/large", f"pail:{bucket}/a b+ü")
    rclone("moveto", f"pail:{bucket}/a b+ü", f"pail:{bucket}/moved %2B")
    rclone("copyto", f"pail:{bucket}/moved %2B", "moved")
    assert expect.file_digest(tmp_path / "moved") == large_digest
    assert expect.keys_of(s3.list_objects_v2(Bucket=bucket)) == ["large", "moved %2B"]


def test_rclone__delete_and_purge(rclone, s3, bucket):
    for key in ("dir/a", "dir/b+ c", "other"):
        s3.put_object(Bucket=bucket, Key=key, Body=b"data")
    rclone("delete", f"pail:{bucket}/dir")
    assert expect.keys_of(s3.list_objects_v2(Bucket=bucket)) == ["other"]
    rclone("purge", f"pail:{bucket}")
    with expect.refused(404, "404"):
        s3.head_bucket(Bucket=bucket)


def test_rclone__makes_a_bucket_and_uses_it_again(rclone, s3, bucket, tmp_path):
    (tmp_path / "file").write_text("data")
    rclone("mkdir", f"pail:{bucket}-new")
    rclone("mkdir", f"pail:{bucket}-new")
    rclone("copy", "file", f"pail:{bucket}-new")
    assert expect.body_of(s3, f"{bucket}-new", "file") == b"data"


@pytest.mark.parametrize("scheme", ["http"], indirect=True)
def test_rclone__lists_2500_keys(rclone, many):
    for more in ([], ["--fast-list"]):
        said = rclone("lsf", "-R", "--files-only", *more, f"pail:{many}")
        assert sorted(said.splitlines(), key=str.encode) == kit.MANY


def test_rclone__link_needs_no_sdk(rclone, s3, bucket, server):
    s3.put_object(Bucket=bucket, Key="a b+ü", Body=b"data")
    url = rclone("link", "--expire", "1h", f"pail:{bucket}/a b+ü").strip()
    assert kit.fetch(url, server) == (200, b"data")
    assert kit.fetch(url.replace("a%20b", "a%20c"), server)[0] == 403


def test_rclone__old_versions_are_listed_and_read(rclone, s3, versioned):
    s3.put_object(Bucket=versioned, Key="key.txt", Body=b"one")
    # It names a version by the second of its listing: two of one second have one name.
    second = s3.head_object(Bucket=versioned, Key="key.txt")["LastModified"].timestamp()
    time.sleep(max(0, second + 1 - time.time()))
    s3.put_object(Bucket=versioned, Key="key.txt", Body=b"second")
    s3.delete_object(Bucket=versioned, Key="key.txt")
    assert rclone("lsf", f"pail:{versioned}") == ""
    names = rclone("lsf", "--s3-versions", f"pail:{versioned}").splitlines()
    assert sorted(rclone("cat", "--s3-versions", f"pail:{versioned}/{name}") for name in names) == ["one", "second"]


@pytest.mark.parametrize("scheme", ["http"], indirect=True)
def test_rclone__second_sync_of_1500_files_transfers_nothing(rclone, tree, bucket, tmp_path):
    rclone("sync", tree, f"pail:{bucket}/tree", "--transfers", "8")
    rclone("sync", tree, f"pail:{bucket}/tree", "--immutable")  # fails if anything had to change
    rclone("check", tree, f"pail:{bucket}/tree")
    rclone("sync", f"pail:{bucket}/tree", "down", "--transfers", "8")
    assert kit.content(tmp_path / "down") == kit.content(tree)
