# SPDX-License-Identifier: Apache-2.0
"""Accounts: what is one account's belongs to all of its users, and ARNs name it.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-owner-condition.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html
"""
import boto3
import pytest

from wire import process, raw

ROOT_ACCOUNT = "210987654321"
OTHER = "111122223333"
USERS = {
    "root": process.USERS["root"],
    "ann": raw.User("ann", "ANNKEY", "ann-secret", account=OTHER),
    "ben": raw.User("ben", "BENKEY", "ben-secret", account=OTHER),
    "cyd": raw.User("cyd", "CYDKEY", "cyd-secret", account=ROOT_ACCOUNT),
    "dan": raw.User("dan", "DANKEY", "dan-secret"),
}


@pytest.fixture(scope="module")
def accounts(tmp_path_factory):
    server = process.Server(tmp_path_factory.mktemp("accounts"), "--account-id", ROOT_ACCOUNT, users=USERS)
    yield server
    server.stop()


def identity(server, name):
    user = server.users[name]
    sts = boto3.client("sts", endpoint_url=server.url, region_name="us-east-1",
                       aws_access_key_id=user.access_key, aws_secret_access_key=user.secret_key)  # fmt: skip
    found = sts.get_caller_identity()
    return found["Account"], found["Arn"], found["UserId"]


def ask(server, name, method, target, **more):
    return raw.signed(server.url, server.users[name], method, target, **more)


def code(reply):
    return reply.status if reply.status < 300 else (reply.status, reply.code)


def test_accounts__arns_are_made_of_them(accounts):
    assert identity(accounts, "root") == (ROOT_ACCOUNT, f"arn:aws:iam::{ROOT_ACCOUNT}:root", ROOT_ACCOUNT)
    named = {name: identity(accounts, name) for name in ("ann", "ben", "cyd", "dan")}
    assert [named[name][1] for name in ("ann", "ben", "cyd")] == [
        f"arn:aws:iam::{OTHER}:user/ann", f"arn:aws:iam::{OTHER}:user/ben", f"arn:aws:iam::{ROOT_ACCOUNT}:user/cyd",
    ]  # fmt: skip
    assert named["dan"][0] not in (ROOT_ACCOUNT, OTHER)
    ids = [found[2] for found in named.values()]
    assert len(set(ids)) == len(ids) and all(found.startswith("AIDA") and len(found) == 21 for found in ids)


def test_accounts__users_of_one_share_its_buckets_and_objects(accounts):
    assert ask(accounts, "ann", "PUT", "/of-ann").status == 200
    assert ask(accounts, "ann", "PUT", "/of-ann/key", body=b"data").status == 200
    assert ask(accounts, "ben", "GET", "/of-ann/key").body == b"data"
    assert ask(accounts, "ben", "PUT", "/of-ann/key", body=b"ben's").status == 200
    assert ask(accounts, "ann", "GET", "/of-ann/key").body == b"ben's"
    assert b"<Name>of-ann</Name>" in ask(accounts, "ben", "GET", "/").body
    assert ask(accounts, "ben", "GET", "/of-ann?acl").status == 200
    for stranger in ("root", "cyd", "dan"):
        assert code(ask(accounts, stranger, "GET", "/of-ann/key")) == (403, "AccessDenied")
        assert b"of-ann" not in ask(accounts, stranger, "GET", "/").body
    assert code(ask(accounts, "ben", "PUT", "/of-ann")) == 200  # us-east-1: it is theirs already
    assert code(ask(accounts, "dan", "PUT", "/of-ann")) == (409, "BucketAlreadyExists")


def test_accounts__the_root_user_is_one_of_its_own(accounts):
    assert ask(accounts, "root", "PUT", "/of-root").status == 200
    assert ask(accounts, "cyd", "PUT", "/of-root/key", body=b"data").status == 200
    assert ask(accounts, "root", "GET", "/of-root/key").body == b"data"


@pytest.mark.parametrize("owner, account", [("root", ROOT_ACCOUNT), ("cyd", ROOT_ACCOUNT), ("ann", OTHER), ("dan", None)])
def test_accounts__the_owner_that_is_expected_is_one(owner, account, accounts):
    account = account or identity(accounts, "dan")[0]
    bucket = f"/expected-{owner}"
    assert ask(accounts, owner, "PUT", bucket).status == 200
    for expected, status in ((account, 200), ("000000000000", 403), ("999999999999", 403)):
        reply = ask(accounts, owner, "GET", bucket, headers=[("x-amz-expected-bucket-owner", expected)])
        assert reply.status == status, (expected, reply.body)


def test_accounts__keys_of_kms_are_of_the_root_users(accounts):
    reply = ask(accounts, "ann", "PUT", "/of-ann-kms")
    reply = ask(accounts, "ann", "PUT", "/of-ann-kms/key", headers=[("x-amz-server-side-encryption", "aws:kms")])
    arn = reply.header("x-amz-server-side-encryption-aws-kms-key-id")
    assert arn.startswith(f"arn:aws:kms:us-east-1:{ROOT_ACCOUNT}:key/")


def refused(folder, *options, configuration):
    with pytest.raises(process.ServerDied) as found:
        process.Server(folder, *options, configuration=configuration)
    return str(found.value)


def section(name, *lines):
    return "\n".join([f"[user {name}]", f"access_key = {name}", "secret_key = s", *lines, ""])


@pytest.mark.parametrize("lines, why", [
    (["account = 12345678901"], "the user's account is not 12 digits"),
    (["account = 12345678901x"], "the user's account is not 12 digits"),
    (["account = 1234567890123"], "the value is empty or too long"),
])  # fmt: skip
def test_accounts__what_is_no_account_is_refused_with_its_line(lines, why, tmp_path):
    message = refused(tmp_path, configuration=section("eve", *lines))
    assert why in message and ", line " in message


@pytest.mark.parametrize("account", ["1", "12345678901x", "1234567890123"])
def test_accounts__what_is_no_account_of_root_is_refused(account, tmp_path):
    assert "--account-id" in refused(tmp_path, "--account-id", account, configuration="\n")


def test_accounts__one_account_is_one_owner(tmp_path):
    two = section("eve", f"account = {OTHER}", "canonical_id = " + "a" * 64)
    two += section("fay", f"account = {OTHER}", "canonical_id = " + "b" * 64)
    assert "in common" in refused(tmp_path, configuration=two)
    two = section("eve", "account = 111111111111", "canonical_id = " + "a" * 64)
    two += section("fay", "account = 222222222222", "canonical_id = " + "a" * 64)
    assert "in common" in refused(tmp_path, configuration=two)


def test_accounts__a_section_gives_its_account_its_canonical_id(tmp_path):
    both = section("eve", f"account = {OTHER}") + section("fay", f"account = {OTHER}", "canonical_id = " + "b" * 64)
    server = process.Server(tmp_path, configuration=both)
    try:
        eve = raw.User("eve", "eve", "s")
        assert raw.signed(server.url, eve, "PUT", "/of-eve").status == 200
        assert b"<ID>" + b"b" * 64 in raw.signed(server.url, eve, "GET", "/of-eve?acl").body
    finally:
        server.stop()
