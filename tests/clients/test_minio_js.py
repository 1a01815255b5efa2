# SPDX-License-Identifier: Apache-2.0
"""minio-js: every check of js/minio.mjs is a test, over http and https."""

import pytest

from clients import kit


@pytest.mark.parametrize("check", kit.checks("js/minio.mjs", r"^  async (\w+)\("))
def test_minio_js(need, run, js, bucket, many, large, check):
    node = need("minio-js")
    where = many if "2500" in check else bucket
    assert run(node, js("minio.mjs"), check, where, large) == "ok\n"
