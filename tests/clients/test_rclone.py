# SPDX-License-Identifier: Apache-2.0
"""rclone: v1 listings, UNSIGNED-PAYLOAD over http, HEAD after PUT, links, purge."""

import ssl

import pytest
from clients.kit import MANY, same_tree

from sdk import expect


@pytest.fixture
def rclone(need, run, environment, server, endpoint, scheme):
    program = need("rclone", "/usr/bin/rclone")
    user = server.users["root"]
    environment |= {
        "RCLONE_CONFIG": "/dev/null", "RCLONE_CONFIG_PAIL_TYPE": "s3", "RCLONE_CONFIG_PAIL_PROVIDER": "Other",
        "RCLONE_CONFIG_PAIL_ENDPOINT": endpoint, "RCLONE_CONFIG_PAIL_ACCESS_KEY_ID": user.access_key,
        "RCLONE_CONFIG_PAIL_SECRET_ACCESS_KEY": user.secret_key, "RCLONE_CONFIG_PAIL_REGION": "us-east-1",
        "RCLONE_RETRIES": "1", "RCLONE_LOW_LEVEL_RETRIES": "1",
    }  # fmt: skip
    environment.pop("AWS_CA_BUNDLE", None)  # its SDK would read that and fail
    extra = ["--ca-cert", str(server.certificate[0])] if scheme == "https" else []
    return lambda *arguments: run(program, *extra, *arguments)


def test_rclone__copy_check_range_and_server_side_copy(rclone, s3, bucket, large, tmp_path):
    folder = tmp_path / "up"
    folder.mkdir()
    for name in ("plain", "a b+c", "ünïcode", "per%cent", "amp&"):
        (folder / name).write_text(name)
    (folder / "large").write_bytes(large.read_bytes())
    rclone("copy", folder, f"pail:{bucket}/up")
    rclone("check", "--download", folder, f"pail:{bucket}/up")
    rclone("check", folder, f"pail:{bucket}/up")
    assert rclone("cat", "--offset", "1", "--count", "3", f"pail:{bucket}/up/plain") == "lai"
    rclone("copyto", f"pail:{bucket}/up/large", f"pail:{bucket}/copy/large")
    rclone("moveto", f"pail:{bucket}/copy/large", f"pail:{bucket}/moved")
    rclone("copy", f"pail:{bucket}/up", "down")
    assert same_tree(folder, tmp_path / "down")
    rclone("copyto", f"pail:{bucket}/moved", "moved")
    assert expect.file_digest(tmp_path / "moved") == expect.file_digest(large)
    rclone("delete", f"pail:{bucket}/up")
    rclone("purge", f"pail:{bucket}")
    with expect.refused(404, "404"):
        s3.head_bucket(Bucket=bucket)


def test_rclone__lists_2500_keys(rclone, many):
    assert len(rclone("lsf", "-R", "--files-only", f"pail:{many}").splitlines()) == len(MANY)
    assert len(rclone("lsf", "-R", "--files-only", "--fast-list", f"pail:{many}").splitlines()) == len(MANY)


def test_rclone__link_is_fetched_without_an_sdk(rclone, s3, bucket, server, scheme):
    s3.put_object(Bucket=bucket, Key="a b", Body=b"data")
    url = rclone("link", "--expire", "1h", f"pail:{bucket}/a b").strip()
    context = ssl.create_default_context(cafile=server.certificate[0]) if scheme == "https" else None
    assert expect.fetch(url, context=context)[::2] == (200, b"data")


def test_rclone__old_versions(rclone, s3, versioned):
    for body in (b"one", b"second"):
        s3.put_object(Bucket=versioned, Key="key.txt", Body=body)
    s3.delete_object(Bucket=versioned, Key="key.txt")
    assert rclone("lsf", f"pail:{versioned}").strip() == ""
    assert len(rclone("lsf", "--s3-versions", f"pail:{versioned}").splitlines()) == 2


@pytest.mark.timeout(600)
def test_rclone__second_sync_of_1500_files_transfers_nothing(rclone, tree, bucket, tmp_path):
    rclone("sync", tree, f"pail:{bucket}/tree", "--transfers", "8")
    rclone("sync", tree, f"pail:{bucket}/tree", "--immutable")  # would fail if it had to change anything
    rclone("check", tree, f"pail:{bucket}/tree")
    rclone("sync", f"pail:{bucket}/tree", "down", "--transfers", "8")
    assert same_tree(tree, tmp_path / "down")
