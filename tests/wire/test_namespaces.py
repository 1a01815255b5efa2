# SPDX-License-Identifier: Apache-2.0
"""Namespaces of buckets' names: the one that all share, and each account's own in each region.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/gpbucketnamespaces.html
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
"""

import itertools

import pytest

from wire import raw
from wire.test_accounts import identity

numbers = itertools.count(1)
ROOT = "000000000000"


def make(server, name, space=None, user="root", region=None):
    body = b""
    if region:
        body = (f"<CreateBucketConfiguration><LocationConstraint>{region}</LocationConstraint>"
                "</CreateBucketConfiguration>").encode()  # fmt: skip
    headers = [] if space is None else [("x-amz-bucket-namespace", space)]
    return raw.signed(server.url, server.users[user], "PUT", f"/{name}", body, headers)


def why(reply):
    return reply.status, reply.code


def prefix():
    return f"ns-{next(numbers)}"


@pytest.mark.parametrize("space", [None, "global"])
@pytest.mark.parametrize("end", ["", "-an", "-us-east-1-an", f"-{ROOT}-an", f"-{ROOT}-nowhere-an", "-00000000000-us-east-1-an"])
def test_CreateBucket__any_other_name_is_of_the_shared_namespace(server, space, end):
    assert make(server, prefix() + end, space).status == 200


@pytest.mark.parametrize("user", ["root", "alice"])
@pytest.mark.parametrize("region", [None, "eu-west-1"])
def test_CreateBucket__in_the_account_s_own_namespace(server, user, region):
    name = f"{prefix()}-{identity(server, user)[0]}-{region or 'us-east-1'}-an"
    assert make(server, name, "account-regional", user, region).status == 200
    assert raw.signed(server.url, server.users[user], "PUT", f"/{name}/key", b"x").status == 200
    assert name.encode() in raw.signed(server.url, server.users[user], "GET", "/").body
    assert raw.signed(server.url, server.users[user], "HEAD", f"/{name}").status == 200


@pytest.mark.parametrize("end,space,refusal", [
    (f"-{ROOT}-us-east-1-an", None, (400, "MissingNamespaceHeader")),
    ("-111122223333-us-west-2-an", None, (400, "MissingNamespaceHeader")),
    (f"-{ROOT}-us-east-1-an", "global", (400, "InvalidBucketNamespace")),
    ("", "account-regional", (400, "InvalidBucketNamespace")),
    (f"-{ROOT}-us-east-1", "account-regional", (400, "InvalidBucketNamespace")),
    ("-111122223333-us-east-1-an", "account-regional", (400, "InvalidBucketNamespace")),
    (f"-{ROOT}-us-west-2-an", "account-regional", (400, "InvalidBucketNamespace")),
    ("", "Global", (400, "InvalidArgument")),
    ("", "", (400, "InvalidArgument")),
])  # fmt: skip
def test_CreateBucket__refuses_a_name_of_another_namespace(server, end, space, refusal):
    name = prefix() + end
    assert why(make(server, name, space)) == refusal
    assert raw.signed(server.url, server.users["root"], "HEAD", f"/{name}").status == 404


def test_CreateBucket__a_suffix_alone_is_no_name(server):
    assert why(make(server, f"{ROOT}-us-east-1-an", "account-regional")) == (400, "InvalidBucketNamespace")


def test_CreateBucket__another_account_s_namespace_is_closed(server):
    name = f"{prefix()}-{ROOT}-us-east-1-an"
    assert why(make(server, name, "account-regional", "alice")) == (400, "InvalidBucketNamespace")
    assert make(server, name, "account-regional").status == 200
