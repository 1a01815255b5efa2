# SPDX-License-Identifier: Apache-2.0
"""Requests whose framing or target is not to be trusted: refused, answered once, never smuggled.

Each probe is a signed PUT of three bytes (it would be stored if its framing were believed) with a
second request behind it. The server must answer exactly once, close, store nothing, and live.

    https://docs.aws.amazon.com/AmazonS3/latest/API/RESTCommonRequestHeaders.html
"""

import socket
import ssl

import pytest

from wire import process, raw

SMUGGLED = b"GET /smuggled-request HTTP/1.1\r\nHost: x\r\n\r\n"


class Probe:
    """name; the change to a good request; the status that refuses it."""

    def __init__(self, name, status=400, *, head=None, line=None, headers=(), body=b"abc", drop=(), end=b"\r\n", payload=raw.UNSIGNED):
        self.name, self.status = name, status
        self.line, self.headers, self.body, self.drop, self.end = line, list(headers), body, drop, end
        self.head, self.payload = head, payload

    def wire(self, host, bucket, user):
        """The request as bytes, signed over what an honest client would have signed."""
        target = f"/{bucket}/key"
        honest = raw.Request("PUT", target, [("Host", host)])
        if self.payload == raw.UNSIGNED_TRAILER:
            honest.headers += [("x-amz-decoded-content-length", "3"), ("x-amz-trailer", "x-amz-checksum-crc32")]
        raw.sign_v4(honest, user, self.payload)
        lines = [(self.line or "PUT {target} HTTP/1.1").format(target=target, host=host, bucket=bucket).encode("latin-1")]
        fields = [(name, value) for name, value in honest.headers if name.lower() not in self.drop]
        if not any(name.strip().lower() in ("content-length", "transfer-encoding") for name, _ in self.headers):
            if "content-length" not in self.drop:
                fields.append(("Content-Length", "3"))
        lines += [f"{name}: {value}".encode() for name, value in fields]
        for name, value in self.headers:
            value = value.replace("{host}", host) if isinstance(value, str) else value
            value = value.encode("latin-1") if isinstance(value, str) else value
            lines.append(name.encode("latin-1") + b":" + value if name.endswith(" ") else name.encode("latin-1") + b": " + value)
        if self.head:
            lines = self.head(lines)
        return self.end.join(lines) + self.end + self.end + self.body + SMUGGLED


CHUNK = b"3\r\nabc\r\n0\r\n\r\n"
# What an SDK sends in HTTP chunks over https: aws-chunked inside them (here one after another).
FRAME = b"3\r\nabc\r\n0\r\nx-amz-checksum-crc32:NSRBwg==\r\n\r\n"


def chunked(name, status=400, *, body):
    return Probe(name, status, headers=[("Transfer-Encoding", "chunked")], body=body, payload=raw.UNSIGNED_TRAILER)


PROBES = [
    # -- which length is it
    Probe("length and chunked", headers=[("Content-Length", "3"), ("Transfer-Encoding", "chunked")], body=CHUNK),
    Probe("chunked and length", headers=[("Transfer-Encoding", "chunked"), ("Content-Length", "3")], body=CHUNK),
    Probe("two different lengths", headers=[("Content-Length", "3"), ("Content-Length", "40")]),
    Probe("two different lengths, shorter last", headers=[("Content-Length", "40"), ("Content-Length", "3")]),
    Probe("two equal lengths", headers=[("Content-Length", "3"), ("Content-Length", "3")]),
    Probe("length +3", headers=[("Content-Length", "+3")]),
    Probe("length 3, 3", headers=[("Content-Length", "3, 3")]),
    Probe("length 3 3", headers=[("Content-Length", "3 3")]),
    Probe("length -1", headers=[("Content-Length", "-1")]),
    Probe("length of 22 digits", headers=[("Content-Length", "1" + "0" * 22)]),
    Probe("length beyond 64 bits by one", headers=[("Content-Length", "18446744073709551616")]),
    Probe("length 0x3", headers=[("Content-Length", "0x3")]),
    Probe("length empty", headers=[("Content-Length", "")]),
    Probe("length 3a", headers=[("Content-Length", "3a")]),
    Probe("blank before the colon", headers=[("Content-Length ", "3")]),
    Probe("tab before the colon", headers=[("Content-Length\t", "3")]),
    # -- transfer codings
    Probe("coding xchunked", 501, headers=[("Transfer-Encoding", "xchunked")], body=CHUNK),
    Probe("coding gzip, chunked", 501, headers=[("Transfer-Encoding", "gzip, chunked")], body=CHUNK),
    Probe("coding chunked, gzip", 501, headers=[("Transfer-Encoding", "chunked, gzip")], body=CHUNK),
    Probe("coding chunked, chunked", 501, headers=[("Transfer-Encoding", "chunked, chunked")], body=CHUNK),
    Probe("coding given twice", headers=[("Transfer-Encoding", "chunked"), ("Transfer-Encoding", "identity")], body=CHUNK),
    Probe("coding identity", 501, headers=[("Transfer-Encoding", "identity")]),
    Probe("coding empty", 501, headers=[("Transfer-Encoding", "")], body=CHUNK),
    Probe("HTTP/1.0 with a coding", line="PUT {target} HTTP/1.0", headers=[("Transfer-Encoding", "chunked")], body=CHUNK),
    Probe("vertical tab before chunked", 501, headers=[("Transfer-Encoding", "\x0bchunked")], body=CHUNK),
    # -- chunks
    chunked("chunk size 0x", body=b"0x%x\r\n%b\r\n0\r\n\r\n" % (len(FRAME), FRAME)),
    chunked("chunk size too large", 413, body=b"FFFFFFFFFFFFFFFFF\r\n%b\r\n0\r\n\r\n" % FRAME),
    chunked("chunk size negative", body=b"-%x\r\n%b\r\n0\r\n\r\n" % (len(FRAME), FRAME)),
    chunked("chunk size empty", body=b"\r\n%b\r\n0\r\n\r\n" % FRAME),
    chunked("chunk without its end", body=b"%x\r\n%bXX0\r\n\r\n" % (len(FRAME), FRAME)),
    chunked("chunk size with a blank before", body=b" %x\r\n%b\r\n0\r\n\r\n" % (len(FRAME), FRAME)),
    # -- host
    Probe("no host", drop=("host",)),
    Probe("two hosts", headers=[("Host", "other.example")]),
    Probe("the same host twice", headers=[("Host", "{host}")]),
    Probe("host with a path", drop=("host",), headers=[("Host", "a/b")]),
    Probe("host with a space", drop=("host",), headers=[("Host", "a b")]),
    # -- fields
    Probe("folded field", headers=[("x-folded", "a\r\n b")]),
    Probe("folded first field", head=lambda lines: [lines[0], b" folded: x", *lines[1:]]),
    Probe("bare LF", end=b"\n"),
    Probe("bare CR in a value", headers=[("x-cr", "a\rb")]),
    Probe("NUL in a value", headers=[("x-nul", "a\0b")]),
    Probe("NUL in a name", headers=[("x-n\0ul", "a")]),
    Probe("control byte in a value", headers=[("x-ctl", "a\x01b")]),
    Probe("field without a colon", head=lambda lines: [*lines, b"nonsense"]),
    Probe("field without a name", head=lambda lines: [*lines, b": nonsense"]),
    Probe("name with a blank", headers=[("x a", "b")]),
    Probe("name that is no token", headers=[("x(a)", "b")]),
    Probe("field of 40 KB", headers=[("x-long", "x" * 40_000)]),
    # -- request line
    Probe("absolute form, https on a plain connection", line="PUT https://{host}{target} HTTP/1.1"),
    Probe("absolute form of another scheme", line="PUT ftp://{host}{target} HTTP/1.1"),
    Probe("absolute form with a user", line="PUT http://root@{host}{target} HTTP/1.1"),
    Probe("absolute form with user and password", line="PUT http://root:x@{host}{target} HTTP/1.1"),
    Probe("absolute form without a host", line="PUT http://{target} HTTP/1.1"),
    Probe("absolute form with a bad port", line="PUT http://{host}x{target} HTTP/1.1"),
    Probe("absolute form with one slash", line="PUT http:/{host}{target} HTTP/1.1"),
    Probe("absolute form without Host", line="PUT http://{host}{target} HTTP/1.1", drop=("host",)),
    Probe("absolute form with two Hosts", line="PUT http://{host}{target} HTTP/1.1", headers=[("Host", "{host}")]),
    Probe("absolute form with a bad Host", line="PUT http://{host}{target} HTTP/1.1", drop=("host",), headers=[("Host", "a b")]),
    Probe("authority form", line="CONNECT {host} HTTP/1.1"),
    Probe("asterisk", line="PUT * HTTP/1.1"),
    Probe("no leading slash", line="PUT {bucket}/key HTTP/1.1"),
    Probe("blank in the target", line="PUT {target} x HTTP/1.1"),
    Probe("tab in the target", line="PUT {target}\tx HTTP/1.1"),
    Probe("bytes above 7f in the target", line="PUT {target}\xc3\xa4 HTTP/1.1"),
    Probe("control byte in the target", line="PUT {target}\x01 HTTP/1.1"),
    Probe("%00 in the path", line="PUT {target}%00x HTTP/1.1"),
    Probe("%00 in the query", line="PUT {target}?prefix=%00 HTTP/1.1"),
    Probe("bad escape", line="PUT {target}%zz HTTP/1.1"),
    Probe("HTTP/2.0", 505, line="PUT {target} HTTP/2.0"),
    Probe("HTTP/0.9", 505, line="PUT {target} HTTP/0.9"),
    Probe("HTTP/1.11", line="PUT {target} HTTP/1.11"),
    Probe("http/1.1", line="PUT {target} http/1.1"),
    Probe("no version", line="PUT {target}"),
    Probe("two blanks after the method", line="PUT  {target} HTTP/1.1"),
    Probe("target of 20 KB", 414, line="PUT {target}" + "x" * 20_000 + " HTTP/1.1"),
]  # fmt: skip


def stored(server, user, bucket):
    reply = raw.signed(server.url, user, "GET", f"/{bucket}?list-type=2")
    assert reply.status == 200
    return reply.element("KeyCount") != "0"


@pytest.mark.parametrize("probe", PROBES, ids=lambda probe: probe.name)
def test_framing__refused_once_and_closed(server, root_user, bucket, probe):
    with raw.Connection(server.url) as connection:
        connection.send_lenient(probe.wire(connection.host, bucket, root_user))
        replies, closed = connection.replies_to_end()
    assert [reply.status for reply in replies] == [probe.status], replies
    assert closed
    assert b"smuggled" not in replies[0].body
    assert b"<html" not in replies[0].body.lower()
    assert replies[0].header("content-type") == "application/xml"
    assert replies[0].code, replies[0]
    assert not stored(server, root_user, bucket)


def test_framing__the_probe_itself_is_good(server, root_user, bucket):
    """Unchanged, the probe is stored and what stands behind it is answered: the table tests what it says."""
    with raw.Connection(server.url) as connection:
        connection.send(Probe("good").wire(connection.host, bucket, root_user))
        assert connection.reply().status == 200
        assert connection.reply().status == 404
    assert stored(server, root_user, bucket)


def test_framing__chunked_with_extensions_and_trailers_is_fine(server, root_user, bucket):
    one, two = FRAME[:7], FRAME[7:]
    body = b"%x;name=value\r\n%b\r\n0%X;quoted=\"a b\"\r\n%b\r\n0;last\r\nx-trailer: 1\r\n\r\n" % (len(one), one, len(two), two)
    with raw.Connection(server.url) as connection:
        connection.send(chunked("fine", body=body).wire(connection.host, bucket, root_user))
        assert connection.reply().status == 200
        assert connection.reply().status == 404
    assert raw.signed(server.url, root_user, "GET", f"/{bucket}/key").body == b"abc"


def test_framing__plain_chunked_body_without_a_length(server, root_user, bucket):
    """S3 answers 411 or 501, ceph/s3-tests wants 200; never half of it or something else."""
    with raw.Connection(server.url) as connection:
        connection.send(Probe("plain", headers=[("Transfer-Encoding", "chunked")], body=CHUNK).wire(
            connection.host, bucket, root_user))  # fmt: skip
        status = connection.reply().status
    assert status == 501
    if status == 200:
        assert raw.signed(server.url, root_user, "GET", f"/{bucket}/key").body == b"abc"
    else:
        assert not stored(server, root_user, bucket)


@pytest.mark.parametrize("path", ["%2F", "%2e%2e", "a+b", "a;b=c", "%2E/../x", "~", "a%2Fb", "*"])
def test_framing__escapes_are_decoded_once_by_us(server, root_user, bucket, path):
    import urllib.parse

    assert raw.signed(server.url, root_user, "PUT", f"/{bucket}/k{path}", b"x").status == 200
    reply = raw.signed(server.url, root_user, "GET", f"/{bucket}?list-type=2")
    assert reply.element("Contents/Key") == "k" + urllib.parse.unquote_plus(path)


def test_framing__pipelined_requests_are_answered_in_order(server, root_user, bucket):
    host = raw.host_of(server.url)
    wires = []
    for number in range(20):
        request = raw.Request("PUT", f"/{bucket}/{number:02}", [("Host", host)], b"%d" % number)
        raw.sign_v4(request, root_user)
        wires.append(request.wire())
        request = raw.Request("GET", f"/{bucket}/{number:02}", [("Host", host)])
        raw.sign_v4(request, root_user)
        wires.append(request.wire())
    with raw.Connection(server.url) as connection:
        connection.send(b"".join(wires))
        for number in range(20):
            assert connection.reply().status == 200
            assert connection.reply().body == b"%d" % number


def absolute(server, user, method, target, authority, body=b"", host=None, signed_host=None, present=None):
    """`target` at `authority`, in absolute form, signed for signed_host; host: the Host header's value."""
    request = raw.Request(method, target, [("Host", signed_host or authority)], body)
    (present or raw.sign_v4)(request, user)
    request.set("Host", host or authority)
    request.target = f"http://{authority}{request.target}"
    return raw.send(server.url, request)


def test_framing__absolute_form_is_a_path_on_that_host(server, root_user, bucket):
    host = raw.host_of(server.url)
    assert absolute(server, root_user, "PUT", f"/{bucket}/a+b", host, b"body").status == 200
    for present in (raw.sign_v4, raw.presign_v4, raw.sign_v2, raw.presign_v2):
        assert absolute(server, root_user, "GET", f"/{bucket}/a%20b", host, present=present).body == b"body", present
    reply = absolute(server, root_user, "GET", f"/{bucket}?list-type=2&prefix=a+", host)
    assert reply.element("Contents/Key") == "a b"
    request = raw.Request("GET", "/", [("Host", host)])
    raw.sign_v4(request, root_user)
    request.target = f"http://{host}"
    assert raw.send(server.url, request).status == 200


def test_framing__the_authority_of_an_absolute_form_counts_instead_of_host(server, root_user, bucket):
    ours, other = raw.host_of(server.url), f"s3.{process.BASE}:81"
    assert absolute(server, root_user, "PUT", f"/{bucket}/key", other, b"body", host=ours).status == 200
    reply = absolute(server, root_user, "GET", f"/{bucket}/key", other, host=ours, signed_host=ours)
    assert (reply.status, reply.code) == (403, "SignatureDoesNotMatch")
    assert f"\nhost:{other}\n" in reply.element("CanonicalRequest")
    virtual = f"{bucket}.s3.{process.BASE}:{ours.rpartition(':')[2]}"
    assert absolute(server, root_user, "GET", "/key", virtual, host=ours).body == b"body"
    reply = absolute(server, root_user, "GET", "/key", ours, host=virtual)
    assert (reply.status, reply.code) == (404, "NoSuchBucket")


def test_framing__absolute_form_over_tls(server, root_user, bucket, certificate):
    host = raw.host_of(server.tls_url)
    for scheme in ("https", "http"):
        request = raw.Request("GET", f"/{bucket}?list-type=2", [("Host", host)])
        raw.sign_v4(request, root_user)
        request.target = f"{scheme}://{host}{request.target}"
        assert raw.send(server.tls_url, request, ca=certificate[0]).status == 200


def test_framing__a_request_byte_by_byte(server, root_user, bucket):
    request = raw.Request("PUT", f"/{bucket}/key", [("Host", raw.host_of(server.url))], b"slowly")
    raw.sign_v4(request, root_user)
    with raw.Connection(server.url) as connection:
        for byte in request.wire():
            connection.send(bytes([byte]))
        assert connection.reply().status == 200
    assert raw.signed(server.url, root_user, "GET", f"/{bucket}/key").body == b"slowly"


def test_framing__half_closed_client_is_answered(server, root_user, bucket):
    request = raw.Request("GET", f"/{bucket}", [("Host", raw.host_of(server.url))])
    raw.sign_v4(request, root_user)
    with raw.Connection(server.url) as connection:
        connection.send(request.wire())
        connection.finish_sending()
        assert connection.reply().status == 200


def test_framing__connection_close_is_honoured(server, root_user, bucket):
    request = raw.Request("GET", f"/{bucket}", [("Host", raw.host_of(server.url)), ("Connection", "close")])
    raw.sign_v4(request, root_user)
    with raw.Connection(server.url) as connection:
        connection.send(request.wire())
        assert connection.reply().status == 200
        assert connection.at_end()


def test_framing__http_1_0_is_answered_and_closed(server):
    with raw.Connection(server.url) as connection:
        connection.send(f"GET / HTTP/1.0\r\nHost: {connection.host}\r\n\r\n".encode())
        assert connection.reply().status == 403
        assert connection.at_end()


def test_framing__garbage_and_silence(server):
    for garbage, statuses in (
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", []), (b"\0" * 100, []), (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", [505]),
        (b"\r\n" * 50 + b"x\r\n\r\n", []), (b"GET", []), (b"", []), (b"A" * 70_000, []),
        (b"PU T / HTTP/1.1\r\nHost: x\r\n\r\n", []), (b"GET / HTTP/1.1\r\nHost: x\r\n", []),
    ):  # fmt: skip
        with raw.Connection(server.url) as connection:
            connection.send_lenient(garbage)
            connection.finish_sending()
            connection.socket.settimeout(20)
            replies, closed = connection.replies_to_end()
            assert closed, garbage
            assert [reply.status for reply in replies] == statuses, garbage
    assert raw.anonymous(server.url, "GET", "/").status == 403


# ---- deadlines ----------------------------------------------------------------------------------------------


def test_framing__headers_have_a_deadline(make_server):
    """Of two clients whose headers trickle, the one that ends them within 15 seconds is answered."""
    server = make_server("--threads", "1")
    with server.clock.stands(), raw.Connection(server.url) as timely, raw.Connection(server.url) as late:
        for connection in (timely, late):
            connection.send(f"GET / HTTP/1.1\r\nHost: {connection.host}\r\nx-slow: ".encode())
        process.until_read(server.url)
        server.clock.advance(14)
        assert raw.anonymous(server.url, "GET", "/").status == 403  # the one loop has seen what time it is
        late.send(b"x")
        timely.send(b"x\r\n\r\n")
        assert timely.reply().status == 403
        server.clock.advance(2)
        assert late.at_end()


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_framing__a_client_of_the_other_scheme_is_one_line_in_the_log(scheme, make_server):
    server = make_server(tls=True)
    tls = scheme == "http"
    says = "not HTTP came to an http:// address" if tls else "handshake failed at an https:// address"
    url = server.url if tls else server.tls_url
    host, port = url.split("://")[1].rsplit(":", 1)
    for _ in range(5):
        with socket.create_connection((host, int(port)), timeout=30) as connection:
            if tls:
                with pytest.raises(ssl.SSLError):
                    ssl._create_unverified_context().wrap_socket(connection)
            else:
                connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
                assert b"HTTP/1.1 200" not in connection.recv(1000)
    log = server.stderr_path.read_text()
    assert log.count(says) == 1, log
    assert raw.anonymous(server.url, "GET", "/").status == 403
