# SPDX-License-Identifier: Apache-2.0
"""Raw header abuse: fields that are empty, odd or missing where clients have sent them so.

The cases are those of ceph/s3-tests' test_headers (portable ones), written anew.

    https://docs.aws.amazon.com/AmazonS3/latest/API/RESTCommonRequestHeaders.html
"""

import pytest

from wire import raw


def put(server, user, bucket, headers=(), drop=(), body=b"bar", target="/{}/foo", payload=None, after=(), more=()):
    """A signed PUT with headers set before signing, and others set (after) or added (more) behind its back."""
    request = raw.Request("PUT", target.format(bucket), [("Host", raw.host_of(server.url)), *headers], body)
    raw.sign_v4(request, user, payload, signed=None)
    request.headers = [(name, value) for name, value in request.headers if name.lower() not in drop]
    for name, value in after:
        request.set(name, value)
    request.headers += more
    with raw.Connection(server.url) as connection:
        connection.send_lenient(request.wire(length="content-length" not in drop))
        return connection.reply()


# https://github.com/ceph/s3-tests test_headers.py, by name
PROBES = {
    "content_md5 short": (dict(headers=[("Content-MD5", "YWJyYWNhZGFicmE=")]), 400, "InvalidDigest"),
    "content_md5 of something else": (dict(headers=[("Content-MD5", "rL0Y20xC+Fzt72VPzMSk2A==")]), 400, "BadDigest"),
    "content_md5 empty": (dict(headers=[("Content-MD5", "")]), 400, "InvalidDigest"),
    "expect empty": (dict(after=[("Expect", "")]), 200, None),
    "expect of another kind": (dict(after=[("Expect", "200")]), 200, None),
    "content_length empty": (dict(after=[("Content-Length", "")]), 400, "BadRequest"),
    "content_length negative": (dict(after=[("Content-Length", "-1")]), 400, "BadRequest"),
    "content_length missing": (dict(drop=("content-length",), body=b""), 411, "MissingContentLength"),
    "content_type empty": (dict(headers=[("Content-Type", "")]), 200, None),
    "content_type odd": (dict(headers=[("Content-Type", "text/plain;;;=")]), 200, None),
    "authorization unreadable": (dict(after=[("Authorization", "\x07")]), 400, "BadRequest"),
    "authorization empty": (dict(after=[("Authorization", "")]), 403, "AccessDenied"),
    "authorization missing": (dict(drop=("authorization",)), 403, "AccessDenied"),
    "user_agent empty": (dict(headers=[("User-Agent", "")]), 200, None),
    "user_agent odd": (dict(headers=[("User-Agent", "\u00e4\"<>")]), 200, None),
    "date missing": (dict(drop=("x-amz-date",)), 403, "AccessDenied"),
    "date empty": (dict(after=[("x-amz-date", "")]), 403, "AccessDenied"),
    "date unreadable": (dict(after=[("x-amz-date", "\x07")]), 400, "BadRequest"),
    "date of long ago": (dict(after=[("x-amz-date", "20100707T215304Z")]), 400, "AuthorizationHeaderMalformed"),
    "payload hash missing": (dict(drop=("x-amz-content-sha256",)), 400, "InvalidRequest"),
    "payload hash empty": (dict(after=[("x-amz-content-sha256", "")]), 400, "InvalidArgument"),
    "two dates": (dict(more=[("X-Amz-Date", "20200101T000000Z")]), 403, "AccessDenied"),
    "two payload hashes": (dict(more=[("X-Amz-Content-SHA256", "UNSIGNED-PAYLOAD")]), 400, "InvalidArgument"),
    "two authorizations": (dict(more=[("AUTHORIZATION", "AWS a:b")]), 400, "InvalidArgument"),
    "two content types": (dict(headers=[("Content-Type", "a/b")], more=[("CONTENT-TYPE", "c/d")]), 403, "SignatureDoesNotMatch"),
    "range on a PUT": (dict(headers=[("Range", "bytes=0-1")]), 200, None),
    "forwarded host": (dict(after=[("X-Forwarded-Host", "evil.example"), ("X-Forwarded-For", "1.2.3.4")]), 200, None),
}  # fmt: skip


@pytest.mark.parametrize("name", PROBES)
def test_PutObject__header_probe(server, root_user, bucket, name):
    arguments, status, code = PROBES[name]
    reply = put(server, root_user, bucket, **arguments)
    assert (reply.status, reply.code) == (status, code), reply
    if code:
        assert b"<html" not in reply.body.lower()
        assert raw.signed(server.url, root_user, "GET", f"/{bucket}?list-type=2").element("KeyCount") == "0"
    else:
        assert raw.signed(server.url, root_user, "GET", f"/{bucket}/foo").body == b"bar"


def test_CreateBucket__without_content_length(server, root_user):
    from sdk.cloud import bucket_name

    name = bucket_name()
    reply = put(server, root_user, name, drop=("content-length",), body=b"", target="/{}")
    assert reply.status == 200, reply


def test_PutObjectAcl__without_content_length(server, root_user, s3, bucket):
    s3.put_object(Bucket=bucket, Key="foo", Body=b"bar")
    reply = put(server, root_user, bucket, headers=[("x-amz-acl", "private")], drop=("content-length",), body=b"",
                target="/{}/foo?acl")  # fmt: skip
    assert reply.status == 200, reply


@pytest.mark.parametrize("method", ["GET", "HEAD", "DELETE"])
def test_request_without_a_body_may_have_one(server, root_user, s3, bucket, method):
    """pgBackRest sends Content-Length: 0 on GET; some proxies send bodies. The next request is read right."""
    s3.put_object(Bucket=bucket, Key="foo", Body=b"bar")
    host = raw.host_of(server.url)
    with raw.Connection(server.url) as connection:
        for body, length in ((b"", "0"), (b"xyz", "3")):
            request = raw.Request(method, f"/{bucket}/foo", [("Host", host), ("Content-Length", length)], body)
            raw.sign_v4(request, root_user)
            connection.send(request.wire())
            reply = connection.reply(head=method == "HEAD")
            assert reply.status == (204 if method == "DELETE" else 200), reply
        request = raw.Request("GET", f"/{bucket}", [("Host", host)])
        raw.sign_v4(request, root_user)
        connection.send(request.wire())
        assert connection.reply().status == 200


def test_readiness__unsigned_root_answers_at_once(server):
    with server.clock.stands():
        reply = raw.anonymous(server.url, "GET", "/")
    assert (reply.status, reply.code) == (403, "AccessDenied")


def test_options__preflight_without_rules_is_refused(server, s3, bucket):
    s3.put_object(Bucket=bucket, Key="foo", Body=b"bar")
    reply = raw.anonymous(server.url, "OPTIONS", f"/{bucket}/foo", headers=[
        ("Origin", "http://evil.example"), ("Access-Control-Request-Method", "GET")])  # fmt: skip
    assert reply.status == 403, reply
    assert reply.header("access-control-allow-origin") is None


def test_errors__have_no_body_of_the_library_and_no_version(server):
    for target, status in (("/", 403), ("/x", 400), ("/x/y", 400), ("/%zz", 400), ("/" + "x" * 20_000, 414)):
        reply = raw.anonymous(server.url, "GET", target)
        assert reply.status == status, target
        assert b"<Error>" in reply.body
        assert b"microhttpd" not in reply.body.lower()
        assert "microhttpd" not in (reply.header("server") or "").lower()
