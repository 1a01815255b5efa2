# SPDX-License-Identifier: Apache-2.0
"""Expect: 100-continue and early refusal.

boto3 waits a second and aws-sdk-js six for a 100 that does not come; a refusal sent too late, or
followed by a reset, is a broken pipe instead of an error message.

    https://docs.aws.amazon.com/AmazonS3/latest/API/RESTRedirect.html
"""

import pytest

from wire import process, raw

MB = 1024 * 1024


def expecting(server, user, target, size, payload=raw.UNSIGNED, word="100-continue", method="PUT", **options):
    request = raw.Request(method, target, [("Host", raw.host_of(server.url)), ("Content-Length", str(size))])
    raw.sign_v4(request, user, payload, **options)
    request.headers.append(("Expect", word))
    return request


@pytest.mark.parametrize("word", ["100-continue", "100-Continue", "100-CONTINUE"])
def test_expect__100_comes_at_once_when_accepted(server, root_user, bucket, word):
    with raw.Connection(server.url) as connection, server.clock.stands():
        connection.send(expecting(server, root_user, f"/{bucket}/key", 4, word=word).wire())
        reply = connection.reply(informational=True)
        assert reply.status == 100
        connection.send(b"data")
        assert connection.reply(informational=True).status == 200
    assert raw.signed(server.url, root_user, "GET", f"/{bucket}/key").body == b"data"


def test_expect__body_sent_without_waiting(server, root_user, bucket):
    with raw.Connection(server.url) as connection:
        connection.send(expecting(server, root_user, f"/{bucket}/key", 4).wire() + b"data")
        assert connection.reply().status == 200


def test_expect__zero_length_body(server, root_user, bucket):
    """boto3 1.26 misreads the next answer on a connection whose Expect got a final answer and no 100."""
    with raw.Connection(server.url) as connection:
        connection.send(expecting(server, root_user, f"/{bucket}/key", 0).wire())
        first = connection.reply(informational=True)
        if first.status == 100:
            assert connection.reply().status == 200
        else:
            assert (first.status, (first.header("connection") or "").lower()) == (200, "close")


def test_expect__chunked_body(server, root_user, bucket):
    request = raw.Request("PUT", f"/{bucket}/key", [
        ("Host", raw.host_of(server.url)), ("Transfer-Encoding", "chunked"), ("x-amz-decoded-content-length", "4"),
        ("Content-Encoding", "aws-chunked"), ("x-amz-trailer", "x-amz-checksum-crc32")])  # fmt: skip
    raw.sign_v4(request, root_user, raw.UNSIGNED_TRAILER)
    request.headers.append(("Expect", "100-continue"))
    frame = raw.frame_unsigned(b"data", trailers=[("x-amz-checksum-crc32", "rfPzYw==")])
    with raw.Connection(server.url) as connection:
        connection.send(request.wire())
        assert connection.reply(informational=True).status == 100
        for byte in frame:
            connection.send(b"1\r\n%c\r\n" % byte)
        connection.send(b"0\r\n\r\n")
        assert connection.reply().status == 200
    assert raw.signed(server.url, root_user, "GET", f"/{bucket}/key").body == b"data"


def refusals(server, bucket):
    root = server.users["root"]
    nobody = raw.User("x", "UNKNOWNKEY00EXAMPLE", "x")
    liar = raw.User("x", root.access_key, "wrong")
    return {
        "unknown key": (expecting(server, nobody, f"/{bucket}/key", 4), 403, "InvalidAccessKeyId"),
        "wrong secret": (expecting(server, liar, f"/{bucket}/key", 4), 403, "SignatureDoesNotMatch"),
        "another user": (expecting(server, server.users["alice"], f"/{bucket}/key", 4), 403, "AccessDenied"),
        "missing bucket": (expecting(server, root, "/no-such-bucket-of-ours/key", 4), 404, "NoSuchBucket"),
        "key too long": (expecting(server, root, f"/{bucket}/{'k' * 1025}", 4), 400, "KeyTooLongError"),
        "unknown sub-resource": (expecting(server, root, f"/{bucket}/key?newthing", 4), 501, "NotImplemented"),
        "too large": (expecting(server, root, f"/{bucket}/key", 6 * 2**30), 400, "EntityTooLarge"),
    }


@pytest.mark.parametrize("name", ["unknown key", "wrong secret", "another user", "missing bucket", "key too long",
                                  "unknown sub-resource", "too large"])  # fmt: skip
def test_expect__refused_without_a_100(server, bucket, name):
    request, status, code = refusals(server, bucket)[name]
    with raw.Connection(server.url) as connection, server.clock.stands():
        connection.send(request.wire())
        reply = connection.reply(informational=True)
        assert (reply.status, reply.code) == (status, code), reply
        # The body was never sent: the connection is of no use any more.
        connection.socket.settimeout(10)
        assert connection.at_end()


def test_expect__anonymous(server, bucket):
    request = raw.Request("PUT", f"/{bucket}/key", [("Host", raw.host_of(server.url)), ("Content-Length", "4"), ("Expect", "100-continue")])
    with raw.Connection(server.url) as connection:
        connection.send(request.wire())
        reply = connection.reply(informational=True)
    assert (reply.status, reply.code) == (403, "AccessDenied")


@pytest.mark.parametrize("size", [100, 60_000, 900_000, 8 * MB, 40 * MB])
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_refusal__without_expect_is_read_by_a_client_that_sends_all_first(server, root_user, bucket, size, scheme):
    endpoint = server.url if scheme == "http" else server.tls_url
    liar = raw.User("x", root_user.access_key, "wrong")
    request = raw.Request("PUT", f"/{bucket}/key", [("Host", raw.host_of(endpoint))], b"x" * size)
    raw.sign_v4(request, liar, raw.UNSIGNED)
    with raw.Connection(endpoint, 30.0, server.certificate[0]) as connection:
        connection.send_lenient(request.wire())
        if size <= 900_000:
            reply = connection.reply()
        else:  # more than is drained: the answer may be lost to a reset, but only after a while
            try:
                reply = connection.reply()
            except EOFError:
                assert size > 8 * MB
                return
    assert (reply.status, reply.code) == (403, "SignatureDoesNotMatch"), reply


def test_refusal__after_a_small_drain_the_connection_lives_or_is_closed_cleanly(server, root_user, bucket):
    liar = raw.User("x", root_user.access_key, "wrong")
    host = raw.host_of(server.url)
    request = raw.Request("PUT", f"/{bucket}/key", [("Host", host)], b"x" * 1000)
    raw.sign_v4(request, liar, raw.UNSIGNED)
    good = raw.Request("GET", f"/{bucket}", [("Host", host)])
    raw.sign_v4(good, root_user)
    with raw.Connection(server.url) as connection:
        connection.send(request.wire())
        reply = connection.reply()
        assert reply.status == 403
        connection.send_lenient(good.wire())
        try:
            assert connection.reply().status == 200
        except EOFError:
            assert (reply.header("connection") or "").lower() == "close"


def test_expect__answer_after_the_body_not_before(server, root_user, bucket):
    """Progress bars: no final answer to an accepted upload before its last byte."""
    with raw.Connection(server.url) as connection:
        connection.send(expecting(server, root_user, f"/{bucket}/key", 2 * MB).wire())
        assert connection.reply(informational=True).status == 100
        connection.send(b"x" * (2 * MB - 1))
        process.until_read(server.url)
        connection.socket.setblocking(False)
        with pytest.raises(BlockingIOError):
            connection.socket.recv(1)
        connection.socket.settimeout(20)
        connection.send(b"x")
        assert connection.reply().status == 200


def test_expect__upload_given_up_leaves_nothing(server, root_user, bucket):
    for sent in (0, 1, 70_000, 3 * MB):
        with raw.Connection(server.url) as connection:
            connection.send(expecting(server, root_user, f"/{bucket}/key", 4 * MB).wire())
            assert connection.reply(informational=True).status == 100
            connection.send(b"x" * sent)
    process.until(lambda: not any((server.directory / "tmp").iterdir()), lambda: "tmp/ is not empty")
    reply = raw.signed(server.url, root_user, "GET", f"/{bucket}?list-type=2")
    assert reply.element("KeyCount") == "0"
