# SPDX-License-Identifier: Apache-2.0
"""aws-sdk-go-v2 and minio-go: every check of go/aws.go and go/minio.go is a test, over http and https."""

import pytest

from clients import kit

CHECK = r'^\tchecks\["(\w+)"\] = func'


@pytest.fixture
def check_of(need, run, bucket, many, large):
    def call(client, check):
        program = need(client)
        where = many if "2500" in check else bucket
        assert run(program, check, where, large) == "ok\n"

    return call


@pytest.mark.parametrize("check", kit.checks("go/aws.go", CHECK))
def test_aws_sdk_go(check_of, check):
    check_of("aws-sdk-go", check)


@pytest.mark.parametrize("check", kit.checks("go/minio.go", CHECK))
def test_minio_go(check_of, check):
    check_of("minio-go", check)
