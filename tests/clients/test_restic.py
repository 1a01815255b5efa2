# SPDX-License-Identifier: Apache-2.0
"""restic: signed chunks without Content-Encoding, v2 listings, exact 404s, locks removed with 204."""

import pytest

from clients import kit


@pytest.fixture
def restic(need, run, environment, endpoint, bucket, server, scheme):
    program = need("restic")
    environment |= {"RESTIC_REPOSITORY": f"s3:{endpoint}/{bucket}/repo", "RESTIC_PASSWORD": "x"}
    options = ["--cacert", server.certificate[0]] if scheme == "https" else []
    return lambda *arguments: run(program, "--no-cache", *options, *arguments)


def test_restic__backup_check_restore_and_prune(restic, tree, large, tmp_path):
    restic("init")
    restic("backup", tree / "d0", large)
    restic("backup", tree / "d0")
    restic("check", "--read-data")
    restic("restore", "latest", "--target", "restored")
    found = next((tmp_path / "restored").rglob("d0"))
    assert kit.content(found) == kit.content(tree / "d0")
    restic("forget", "--keep-last", "1", "--prune")
    restic("check")
    assert restic("list", "locks").strip() == ""
