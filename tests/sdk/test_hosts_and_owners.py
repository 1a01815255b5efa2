# SPDX-License-Identifier: Apache-2.0
"""Virtual-host style and x-amz-expected-bucket-owner.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-owner-condition.html
"""

import socket

import pytest

from sdk.cloud import bucket_name
from sdk import expect
from wire import process, raw
from wire.process import BASE


def ask(server, user, host, method, target, body=b"", **options):
    request = raw.Request(method, target, [("Host", host)], body)
    raw.sign_v4(request, user, **options)
    return raw.send(server.url, request)


# ---- virtual hosts ------------------------------------------------------------------------------------

HOSTS = [f"{{}}.{BASE}:PORT", f"{{}}.s3.{BASE}:PORT", f"{{}}.s3.us-east-1.{BASE}:PORT", f"{{}}.{BASE}",
         f"{{}}.{BASE.upper()}:PORT"]  # fmt: skip
BARE = [BASE, f"s3.{BASE}", f"s3.us-east-1.{BASE}"]
if not process.STORE:  # else these are hosts of the other one
    HOSTS.append("{}.s3.localhost.localstack.cloud:PORT")
    BARE += ["s3.localhost.localstack.cloud", "example.com", "127.0.0.1", "[::1]", "anything.example.com"]


@pytest.mark.parametrize("form", HOSTS)
def test_virtual_host__names_the_bucket(server, root_user, s3, bucket, form):
    host = form.format(bucket).replace("PORT", server.url.rpartition(":")[2])
    assert ask(server, root_user, host, "PUT", "/dir/key", b"data").status == 200
    assert expect.body_of(s3, bucket, "dir/key") == b"data"
    assert ask(server, root_user, host, "GET", "/dir/key").body == b"data"
    reply = ask(server, root_user, host, "GET", "/?list-type=2&prefix=dir/")
    assert (reply.element("Name"), reply.element("Contents/Key")) == (bucket, "dir/key")
    assert ask(server, root_user, host, "HEAD", "/").status == 200
    assert ask(server, root_user, host, "DELETE", "/dir/key").status == 204


def test_virtual_host__with_dots_in_the_bucket(server, root_user, cloud):
    name = bucket_name("dotted.bucket")
    cloud.client().create_bucket(Bucket=name)
    assert ask(server, root_user, f"{name}.{BASE}", "PUT", "/key", b"x").status == 200
    assert expect.body_of(cloud.client(), name, "key") == b"x"


@pytest.mark.parametrize("host", BARE)
def test_virtual_host__bare_and_foreign_hosts_are_path_style(server, root_user, s3, bucket, host):
    s3.put_object(Bucket=bucket, Key="key", Body=b"data")
    assert ask(server, root_user, host, "GET", f"/{bucket}/key").body == b"data"
    assert ask(server, root_user, host, "GET", "/").element("Owner/ID")


def test_virtual_host__path_is_the_key_even_when_it_names_a_bucket(cloud, server, root_user, s3, bucket):
    other = cloud.new_bucket()
    s3.put_object(Bucket=other, Key="key", Body=b"other")
    host = f"{bucket}.{BASE}"
    reply = ask(server, root_user, host, "GET", f"/{other}/key")
    assert (reply.status, reply.code) == (404, "NoSuchKey")
    assert ask(server, root_user, host, "PUT", f"/{other}/key", b"mine").status == 200
    assert expect.body_of(s3, other, "key") == b"other"
    assert expect.body_of(s3, bucket, f"{other}/key") == b"mine"


def test_virtual_host__domain_of_ones_own(make_server):
    server = make_server("--domain", "s3.example.com", "--domain", "objects.test")
    user = server.users["root"]
    store = f"{process.STORE}.store." if process.STORE else ""
    for host in (f"b-one.{store}s3.example.com", f"b-two.{store}objects.test:9000"):
        name = host.partition(".")[0]
        assert ask(server, user, host, "PUT", "/").status == 200
        assert ask(server, user, host, "PUT", "/key", name.encode()).status == 200
        assert raw.signed(server.url, user, "GET", f"/{name}/key").body == name.encode()
    assert ask(server, user, f"{store}s3.example.com", "GET", "/").element("Buckets/Bucket/Name") == "b-one"
    if not process.STORE:  # a host that is nobody's is the other store's
        assert ask(server, user, "b-one.s3.example.org", "GET", "/b-one/key").body == b"b-one"


def test_virtual_host__v2_signs_the_bucket(server, root_user, s3, bucket):
    s3.put_object(Bucket=bucket, Key="key", Body=b"data")
    for resource, status in ((f"/{bucket}/key", 200), ("/key", 403)):
        request = raw.Request("GET", "/key?acl", [("Host", f"{bucket}.{BASE}")])
        raw.sign_v2(request, root_user, resource=resource)
        assert raw.send(server.url, request).status == status
        request = raw.Request("GET", "/key", [("Host", f"{bucket}.{BASE}")])
        raw.presign_v2(request, root_user, resource=resource)
        assert raw.send(server.url, request).status == status


def test_virtual_host__boto3_without_path_style(server, cloud, s3, bucket, monkeypatch):
    monkeypatch.setattr(socket, "getaddrinfo", socket.getaddrinfo)  # put back at the end
    process.resolve_localhost()
    import boto3
    from botocore.config import Config

    user = server.users["root"]
    client = boto3.client(
        "s3", endpoint_url=f"http://s3.{BASE}:{server.url.rpartition(':')[2]}", region_name="us-east-1",
        aws_access_key_id=user.access_key, aws_secret_access_key=user.secret_key,
        config=Config(s3={"addressing_style": "virtual"}, retries={"total_max_attempts": 1}))  # fmt: skip
    client.put_object(Bucket=bucket, Key="a b/ü", Body=b"data")
    assert expect.body_of(client, bucket, "a b/ü") == b"data"
    assert expect.keys_of(client.list_objects_v2(Bucket=bucket)) == ["a b/ü"]
    url = client.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "a b/ü"})
    assert f"{bucket}.s3.{BASE}" in url
    assert expect.fetch(url)[2] == b"data"
    assert expect.body_of(s3, bucket, "a b/ü") == b"data"


# ---- V2 header authentication ---------------------------------------------------------------------------


def test_v2_header__put_get_list_delete(server, root_user, bucket):
    def ask_v2(method, target, body=b"", headers=()):
        request = raw.Request(method, target, [("Host", raw.host_of(server.url)), *headers], body)
        raw.sign_v2(request, root_user)
        return raw.send(server.url, request)

    headers = [("Content-Type", "text/x"), ("x-amz-meta-b", "2"), ("X-Amz-Meta-A", "1"), ("x-amz-acl", "public-read")]
    assert ask_v2("PUT", f"/{bucket}/a%20b", b"data", headers).status == 200
    reply = ask_v2("GET", f"/{bucket}/a%20b")
    assert (reply.body, reply.header("x-amz-meta-a"), reply.header("content-type")) == (b"data", "1", "text/x")
    assert ask_v2("GET", f"/{bucket}?prefix=a&max-keys=5").element("Contents/Key") == "a b"
    assert ask_v2("GET", f"/{bucket}/a%20b?acl").status == 200
    assert ask_v2("GET", f"/{bucket}?location").status == 200
    assert ask_v2("GET", f"/{bucket}/a%20b?response-content-type=text/y").header("content-type") == "text/y"
    assert ask_v2("DELETE", f"/{bucket}/a%20b").status == 204


def test_v2_header__forged(server, root_user, s3, bucket):
    s3.put_object(Bucket=bucket, Key="key", Body=b"data")
    for change in ("method", "path", "signature", "amz", "date", "key", "subresource"):
        request = raw.Request("GET", f"/{bucket}/key", [("Host", raw.host_of(server.url)), ("x-amz-meta-a", "1")])
        raw.sign_v2(request, root_user)
        value = request.header("Authorization")
        if change == "method":
            request.method = "DELETE"
        elif change == "path":
            request.target += "2"
        elif change == "subresource":
            request.target += "?acl"
        elif change == "signature":
            request.set("Authorization", value[:-5] + ("AAAA=" if value[-5:] != "AAAA=" else "BBBB="))
        elif change == "amz":
            request.set("x-amz-meta-a", "2")
        elif change == "date":
            request.set("Date", "Tue, 27 Mar 2007 19:36:42 GMT")
        else:
            request.set("Authorization", value.replace(root_user.access_key, "UNKNOWNKEY00EXAMPLE"))
        assert raw.send(server.url, request).status == 403, change
    assert expect.body_of(s3, bucket, "key") == b"data"


# ---- expected bucket owner ------------------------------------------------------------------------------


MALFORMED = ["abcd", "0000", "0000000000020", "aa000000000$", "x", "A" * 64, "a" * 63, "000 000 0000"]
WORDS = "The value of the expected bucket owner parameter must be an AWS Account ID... [{}]"


@pytest.mark.parametrize("value", ["", "abcd", "0000000000ab", "0" * 11, "0" * 13])
@pytest.mark.parametrize("bucket_there", [True, False])
def test_expected_bucket_owner__that_is_no_account(server, root_user, bucket, bucket_there, value):
    name = bucket if bucket_there else "no-such-bucket-of-ours"
    for target in (f"/{name}?policy", f"/{name}?tagging", f"/{name}"):
        reply = raw.signed(server.url, root_user, "GET", target, headers=[("x-amz-expected-bucket-owner", value)])
        assert (reply.status, reply.code) == (400, "InvalidBucketOwnerAWSAccountID"), reply
        assert reply.element("Message") == WORDS.format(value)


def test_expected_bucket_owner__right_and_wrong(s3, bucket):
    owner = s3.list_buckets()["Owner"]["ID"]
    s3.put_object(Bucket=bucket, Key="key", Body=b"data")
    calls = [
        lambda who: s3.get_object(Bucket=bucket, Key="key", ExpectedBucketOwner=who),
        lambda who: s3.head_object(Bucket=bucket, Key="key", ExpectedBucketOwner=who),
        lambda who: s3.put_object(Bucket=bucket, Key="new", Body=b"", ExpectedBucketOwner=who),
        lambda who: s3.list_objects_v2(Bucket=bucket, ExpectedBucketOwner=who),
        lambda who: s3.list_objects(Bucket=bucket, ExpectedBucketOwner=who),
        lambda who: s3.head_bucket(Bucket=bucket, ExpectedBucketOwner=who),
        lambda who: s3.get_bucket_versioning(Bucket=bucket, ExpectedBucketOwner=who),
        lambda who: s3.create_multipart_upload(Bucket=bucket, Key="new", ExpectedBucketOwner=who),
        lambda who: s3.put_object_tagging(Bucket=bucket, Key="key", Tagging={"TagSet": []}, ExpectedBucketOwner=who),
        lambda who: s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "x"}]}, ExpectedBucketOwner=who),
        lambda who: s3.copy_object(Bucket=bucket, Key="copy", CopySource=f"{bucket}/key", ExpectedBucketOwner=who),
        lambda who: s3.copy_object(Bucket=bucket, Key="copy", CopySource=f"{bucket}/key", ExpectedSourceBucketOwner=who),
        lambda who: s3.delete_object(Bucket=bucket, Key="new", ExpectedBucketOwner=who),
    ]  # fmt: skip
    for call in calls:
        for right in (owner, "000000000000"):
            call(right)
        for wrong in ("111122223333", "000000000001", "a" * 64):
            with expect.refused(403, "AccessDenied"):
                call(wrong)
        for malformed in MALFORMED:
            with expect.refused(400, "InvalidBucketOwnerAWSAccountID") as found:
                call(malformed)
            if found["Error"]["Code"] != "400":  # a HEAD has no words
                assert found["Error"]["Message"] == WORDS.format(malformed)
    assert expect.body_of(s3, bucket, "key") == b"data"
    with expect.refused(403, "AccessDenied"):
        s3.delete_bucket(Bucket=bucket, ExpectedBucketOwner="111122223333")
    s3.head_bucket(Bucket=bucket)
