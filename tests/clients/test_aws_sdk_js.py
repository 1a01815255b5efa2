# SPDX-License-Identifier: Apache-2.0
"""aws-sdk-js v3: every check of js/aws.mjs is a test, over http and https."""

import pytest

from clients import kit


@pytest.mark.parametrize("check", kit.checks("js/aws.mjs", r"^  async (\w+)\("))
def test_aws_sdk_js(need, run, js, bucket, many, large, check):
    node = need("aws-sdk-js")
    where = many if "2500" in check else bucket
    assert run(node, js("aws.mjs"), check, where, large) == "ok\n"
