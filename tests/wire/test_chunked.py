# SPDX-License-Identifier: Apache-2.0
"""aws-chunked uploads taken apart: every frame, size, signature and trailer that can be wrong.

    https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html
    https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html
"""

import base64
import hashlib
import re
import zlib

import pytest

from wire import raw

DATA = bytes(range(256)) * 100  # 25,600 bytes: four frames of 8 KiB
CHUNK = 8192


def crc32(data):
    return "x-amz-checksum-crc32", base64.b64encode(zlib.crc32(data).to_bytes(4, "big")).decode()


def trailer_lines(*trailers):
    return b"".join(f"{name}:{value}\r\n".encode() for name, value in trailers)


TERMINATED = "The request body terminated unexpectedly"
NOT_THE_NUMBER = "You did not provide the number of bytes specified by the Content-Length HTTP header"


@pytest.fixture
def target(bucket):
    return f"/{bucket}/key"


def signed(server, user, target, data=DATA, trailers=None, chunk_bytes=CHUNK):
    return raw.put_signed_chunks(raw.host_of(server.url), target, user, data, chunk_bytes=chunk_bytes, trailers=trailers)


def unsigned(server, user, target, data=DATA, trailers=None, chunk_bytes=CHUNK):
    trailers = [crc32(data)] if trailers is None else trailers
    return raw.put_unsigned_trailer(raw.host_of(server.url), target, user, data, chunk_bytes=chunk_bytes, trailers=trailers)


FORMS = {
    "signed": signed,
    "signed with trailer": lambda *a, **o: signed(*a, trailers=[crc32(DATA)], **o),
    "unsigned with trailer": unsigned,
}


@pytest.fixture(params=FORMS)
def form(request):
    return FORMS[request.param]


def send_as_it_is(server, request, timeout_s=5.0):
    """Send, then say no more; the reply, or None when the server closed without one."""
    with raw.Connection(server.url, timeout_s) as connection:
        connection.send_lenient(request.wire())
        connection.finish_sending()
        try:
            return connection.reply()
        except EOFError:
            return None


# Of each way in which such a body is refused.
STATUS = {
    "IncompleteBody": 400, "MalformedTrailerError": 400, "InvalidRequest": 400, "BadDigest": 400, "EntityTooLarge": 400,
    "SignatureDoesNotMatch": 403, "InvalidChunkSizeError": 403, "MissingContentLength": 411, "NotImplemented": 501,
}  # fmt: skip


@pytest.fixture
def refused(server, root_user, bucket):
    def check(request, code=None, length_stays=False):
        if not length_stays:
            # A signed Content-Length would make every change a signature error: it is not signed here.
            request.set("Content-Length", str(len(request.body)))
        reply = send_as_it_is(server, request)
        assert reply is not None, "closed without an answer"
        assert reply.status == STATUS[reply.code], reply
        assert code is None or reply.code == code, reply
        listing = raw.signed(server.url, root_user, "GET", f"/{bucket}?list-type=2")
        assert listing.element("KeyCount") == "0"
        return reply

    return check


@pytest.fixture(autouse=True)
def lengths_are_not_signed(monkeypatch):
    """Sign everything but Content-Length, so that a test can change the body alone."""
    original = raw.sign_v4

    def sign(request, user, payload=None, **options):
        names = {name.lower() for name, _ in request.headers} | {"x-amz-date", "x-amz-content-sha256"}
        options.setdefault("signed", names - {"authorization", "content-length", "expect"})
        return original(request, user, payload, **options)

    monkeypatch.setattr(raw, "sign_v4", sign)


def test_aws_chunked__good_in_every_form(server, root_user, target, form):
    reply = raw.send(server.url, form(server, root_user, target))
    assert reply.status == 200, reply
    got = raw.signed(server.url, root_user, "GET", target)
    assert got.body == DATA
    assert got.header("content-encoding") is None


def test_aws_chunked__empty_body(server, root_user, target):
    for request in (signed(server, root_user, target, b""), unsigned(server, root_user, target, b"")):
        assert raw.send(server.url, request).status == 200
        assert raw.signed(server.url, root_user, "GET", target).body == b""


@pytest.mark.parametrize("size", [8192, 8193, 25_600, 65_536])
def test_aws_chunked__frames_of_every_size(server, root_user, target, size):
    for make in (raw.put_signed_chunks, raw.put_unsigned_trailer):
        for data in (DATA, DATA[: size - 1], DATA[: size + 1]):
            extra = {"trailers": [crc32(data)]} if make is raw.put_unsigned_trailer else {}
            request = make(raw.host_of(server.url), target, root_user, data, chunk_bytes=size, **extra)
            assert raw.send(server.url, request).status == 200
            assert raw.signed(server.url, root_user, "GET", target).body == data


@pytest.mark.parametrize("size", [1, 1000, 8191])
def test_aws_chunked__only_the_last_frame_may_be_smaller_than_8192_bytes(server, root_user, target, form, refused, size):
    reply = refused(form(server, root_user, target, DATA[: size + 1], chunk_bytes=size))
    assert (reply.status, reply.code) == (403, "InvalidChunkSizeError"), reply
    assert reply.element("Message") == "Only the last chunk is allowed to have a size less than 8192 bytes"
    assert (reply.element("Chunk"), reply.element("BadChunkSize")) == ("2", str(size))


def test_aws_chunked__a_small_frame_in_the_middle_is_named_by_the_one_after(server, root_user, target, refused):
    request = unsigned(server, root_user, target)
    parts = (DATA[:CHUNK], DATA[CHUNK : CHUNK + 5], DATA[CHUNK + 5 :])
    request.body = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts) + b"0\r\n" + trailer_lines(crc32(DATA)) + b"\r\n"
    reply = refused(request, "InvalidChunkSizeError")
    assert (reply.element("Chunk"), reply.element("BadChunkSize")) == ("3", "5")


def test_aws_chunked__in_http_chunks_that_do_not_align(server, root_user, target, form):
    request = form(server, root_user, target)
    request.headers = [(name, value) for name, value in request.headers if name != "Content-Length"]
    request.headers.append(("Transfer-Encoding", "chunked"))
    for step in (36, 1000, 8192):
        body = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in raw.split(request.body, step)) + b"0\r\n\r\n"
        with raw.Connection(server.url) as connection:
            connection.send(raw.Request(request.method, request.target, request.headers, body).wire())
            reply = connection.reply()
        assert reply.status == 200, (step, reply)
        assert raw.signed(server.url, root_user, "GET", target).body == DATA


def stored(server, user, target, request, data=DATA):
    request.set("Content-Length", str(len(request.body)))
    reply = raw.send(server.url, request)
    assert reply.status == 200, reply
    assert raw.signed(server.url, user, "GET", target).body == data
    return reply


def test_aws_chunked__sizes_may_have_zeros_before_them_and_be_upper_case(server, root_user, target):
    data = DATA[:8202]
    request = unsigned(server, root_user, target, data)
    request.body = request.body.replace(b"2000\r\n", b"002000\r\n", 1).replace(b"a\r\n", b"0A\r\n", 1)
    assert b"\r\n0A\r\n" in request.body
    stored(server, root_user, target, request, data)


def test_aws_chunked__blanks_may_stand_around_the_semicolon(server, root_user, target):
    for trailers in (None, [crc32(DATA)]):
        request = signed(server, root_user, target, trailers=trailers)
        request.body = request.body.replace(b";chunk-signature=", b" ; chunk-signature=").replace(b" ; ", b"\t ;\t", 1)
        stored(server, root_user, target, request)


def test_aws_chunked__the_last_line_end_may_be_missing(server, root_user, target, form):
    request = form(server, root_user, target)
    assert request.body.endswith(b"\r\n\r\n")
    request.body = request.body[:-2]
    stored(server, root_user, target, request)


def test_aws_chunked__the_body_may_end_with_the_last_frame(server, root_user, target):
    for body in (b"5\r\nhello\r\n0\r\n", b"5\r\nhello\r\n0\r\n\r\n"):
        request = raw.Request("PUT", target, [("Host", raw.host_of(server.url)), ("x-amz-decoded-content-length", "5")], body)
        raw.sign_v4(request, root_user, raw.UNSIGNED_TRAILER)
        reply = stored(server, root_user, target, request, b"hello")
        assert reply.header("x-amz-checksum-crc64nvme")  # no trailer was announced: S3's own


# ---- sizes ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [b"", b"g", b"-1", b"+2000", b"0x2000", b" 2000", b"20 00", b"1fff", b"2001", b"1", b"ffffffff",
                                  b"ffffffffffffffff", b"10000000000000000", b"f" * 300, b"2000\x00"])  # fmt: skip
def test_aws_chunked__bad_size(server, root_user, target, form, refused, size):
    request = form(server, root_user, target)
    request.body = size + request.body[4:]
    refused(request)


def test_aws_chunked__a_size_that_is_none_ends_the_body(server, root_user, target, form, refused):
    for size in (b"", b"g", b"-1", b"+2000", b"0x2000", b" 2000", b"20 00", b"10000000000000000", b"f" * 300, b"2000\x00"):
        request = form(server, root_user, target)
        request.body = size + request.body[4:]
        reply = refused(request)
        assert (reply.status, reply.code, reply.element("Message")) == (400, "IncompleteBody", TERMINATED), (size, reply)


@pytest.mark.parametrize("body", [DATA, b"hello", b"", b"nonsense\r\n", b"2000\r\n" + DATA[:CHUNK], b"6400\r\n" + DATA + b"\r\n",
                                  b"6400\r\n" + DATA + b"\r\n0", b"6400\r\n" + DATA + b"XX0\r\n\r\n",
                                  b"6400\r\n" + DATA + b"\r\n0\r\n\rX", b"6400\r\n" + DATA + b"\r\n0\r\n\r\nx"],
                         ids=["unframed", "short", "nothing", "no size", "cut", "without the last frame", "cut in it", "no line end",
                              "wrong last byte", "more after it"])  # fmt: skip
def test_aws_chunked__a_body_that_is_not_framed_to_its_end(server, root_user, target, refused, body):
    request = raw.Request("PUT", target, [("Host", raw.host_of(server.url)), ("x-amz-decoded-content-length", str(len(DATA)))])
    raw.sign_v4(request, root_user, raw.UNSIGNED_TRAILER)
    request.body = body
    reply = refused(request)
    assert (reply.status, reply.code, reply.element("Message")) == (400, "IncompleteBody", TERMINATED), reply
    assert reply.element("NumberBytesExpected") is None


@pytest.mark.parametrize("change", [
    lambda body: body.replace(b"\r\n", b"\n", 1), lambda body: body.replace(b"\r\n", b"\r", 1), lambda body: b"\r\n" + body,
    lambda body: body.replace(b"\r\n", b"\r\n\r\n", 1), lambda body: b"nonsense", lambda body: b"0\r\n\r\n", lambda body: b"",
    lambda body: DATA, lambda body: body[:4] + b";" + b"x" * 9000 + body[4:],
], ids=["LF", "CR", "CRLF first", "two CRLF", "nonsense", "end at once", "nothing", "no frames", "long extension"])  # fmt: skip
def test_aws_chunked__bad_framing(server, root_user, target, form, refused, change):
    request = form(server, root_user, target)
    request.body = change(request.body)
    refused(request)


def test_aws_chunked__missing_end_of_a_frame(server, root_user, target, form, refused):
    request = form(server, root_user, target)
    at = request.body.index(DATA[:CHUNK]) + CHUNK
    assert request.body[at : at + 2] == b"\r\n"
    request.body = request.body[:at] + b"XX" + request.body[at + 2 :]
    refused(request)


def test_aws_chunked__cut_off_anywhere(server, root_user, target, form, bucket):
    """At every place that matters the upload is refused or dropped, never stored."""
    request = form(server, root_user, target, DATA[:300])
    whole = request.body
    ends = set(range(0, 100, 7)) | set(range(len(whole) - 130, len(whole), 9)) | {len(whole) - 1, len(whole) - 2}
    for end in sorted(end for end in ends if 0 <= end < len(whole) and end != len(whole) - 2):  # that one is whole
        request.body = whole[:end]
        request.set("Content-Length", str(end))
        reply = send_as_it_is(server, request)
        assert reply is not None and reply.status == 400, (end, len(whole), reply)
    listing = raw.signed(server.url, root_user, "GET", f"/{bucket}?list-type=2")
    assert listing.element("KeyCount") == "0"


def test_aws_chunked__bytes_after_the_end(server, root_user, target, form, refused):
    for extra in (b"x", b"\r\n", b"0\r\n\r\n", b"5\r\nhello\r\n0\r\n\r\n"):
        request = form(server, root_user, target)
        request.body += extra
        refused(request)


# ---- signatures -------------------------------------------------------------------------------------------

SIGNATURE = re.compile(rb"chunk-signature=([0-9a-f]{64})")


def test_aws_chunked__wrong_signature_of_any_frame(server, root_user, target, refused):
    for number in range(5):
        request = signed(server, root_user, target)
        found = list(SIGNATURE.finditer(request.body))
        assert len(found) == 5
        start, end = found[number].span(1)
        wrong = b"%064x" % (int(request.body[start:end], 16) ^ 1 << 7 * number)
        request.body = request.body[:start] + wrong + request.body[end:]
        refused(request, "SignatureDoesNotMatch")


def test_aws_chunked__changed_data_in_any_frame(server, root_user, target, refused):
    for number in range(4):
        request = signed(server, root_user, target)
        at = list(SIGNATURE.finditer(request.body))[number].end() + 2
        request.body = request.body[:at] + bytes([request.body[at] ^ 1]) + request.body[at + 1 :]
        refused(request, "SignatureDoesNotMatch")


def frames(body):
    """The frames of a signed body without trailers, whole."""
    starts = [match.start() for match in re.finditer(rb"[0-9a-f]+;chunk-signature=", body)]
    return [body[a:b] for a, b in zip(starts, [*starts[1:], len(body)])]


@pytest.mark.parametrize("order", [[1, 0, 2, 3, 4], [0, 2, 3, 4], [0, 0, 1, 2, 3, 4], [0, 1, 2, 4], [4], [0, 1, 2, 3], [3, 2, 1, 0, 4]])
def test_aws_chunked__frames_reordered_dropped_or_repeated(server, root_user, target, refused, order):
    request = signed(server, root_user, target)
    parts = frames(request.body)
    assert len(parts) == 5
    request.body = b"".join(parts[number] for number in order)
    refused(request)


@pytest.mark.parametrize("extension", [b"", b";", b";chunk-signature", b";chunk-signature=", b";chunk-signature=abc", b";chunk-signature=" + b"g" * 64,
                                       b";signature=" + b"0" * 64, b";chunk-signature=" + b"0" * 65])  # fmt: skip
def test_aws_chunked__signature_missing_or_malformed(server, root_user, target, refused, extension):
    request = signed(server, root_user, target)
    request.body = SIGNATURE.sub(b"", request.body, 1).replace(b"2000;\r\n", b"2000" + extension + b"\r\n", 1)
    refused(request)


@pytest.mark.parametrize("value", ["abc", "g" * 64, "0" * 63, "0" * 65, "0" * 64, " " + "0" * 64])
def test_aws_chunked__a_malformed_signature_does_not_match(server, root_user, target, refused, value):
    for trailers in (None, [crc32(DATA)]):
        request = signed(server, root_user, target, trailers=trailers)
        request.body = SIGNATURE.sub(b"chunk-signature=" + value.encode(), request.body, 1)
        reply = refused(request)
        assert (reply.status, reply.code) == (403, "SignatureDoesNotMatch"), reply


@pytest.mark.parametrize("extension", [b"", b";", b";chunk-signature", b";chunk-signature=", b" ; chunk-signature=", b";signature=" + b"0" * 64])
def test_aws_chunked__without_a_signature_the_body_has_ended(server, root_user, target, refused, extension):
    for trailers in (None, [crc32(DATA)]):
        request = signed(server, root_user, target, trailers=trailers)
        request.body = SIGNATURE.sub(b"", request.body, 1).replace(b"2000;\r\n", b"2000" + extension + b"\r\n", 1)
        reply = refused(request)
        assert (reply.status, reply.code, reply.element("Message")) == (400, "IncompleteBody", TERMINATED), reply


def test_aws_chunked__frames_of_another_request(server, root_user, target, refused):
    other = signed(server, root_user, target + "2", DATA[::-1])
    request = signed(server, root_user, target)
    request.body = other.body
    refused(request, "SignatureDoesNotMatch")


def test_aws_chunked__unsigned_frames_where_signed_ones_were_declared(server, root_user, target, refused):
    request = signed(server, root_user, target)
    request.body = raw.frame_unsigned(DATA, CHUNK)
    refused(request)
    request = signed(server, root_user, target)
    request.set("x-amz-content-sha256", raw.UNSIGNED_TRAILER)
    refused(request)


def test_aws_chunked__declared_but_sent_plainly_and_the_reverse(server, root_user, target, refused, bucket):
    request = signed(server, root_user, target)
    request.body = DATA
    refused(request)
    # UNSIGNED-PAYLOAD with frames is data that looks like frames: stored as it is.
    request = raw.Request("PUT", target, [("Host", raw.host_of(server.url))], raw.frame_unsigned(DATA, CHUNK))
    raw.sign_v4(request, root_user, raw.UNSIGNED)
    assert raw.send(server.url, request).status == 200
    assert raw.signed(server.url, root_user, "GET", target).body == request.body


# ---- decoded length -----------------------------------------------------------------------------------------


def with_decoded_length(monkeypatch, make, value):
    """make() with another x-amz-decoded-content-length, signed."""
    original = raw.Request.set
    with monkeypatch.context() as patch:
        patch.setattr(raw.Request, "set", lambda self, name, text: original(
            self, name, value if name == "x-amz-decoded-content-length" else text))  # fmt: skip
        request = make()
    assert request.header("x-amz-decoded-content-length") == value
    return request


@pytest.mark.parametrize("value", [len(DATA) + 1, len(DATA) - 1, 0])
def test_aws_chunked__decoded_length_of_something_else(server, root_user, target, form, refused, value, monkeypatch):
    reply = refused(with_decoded_length(monkeypatch, lambda: form(server, root_user, target), str(value)))
    assert (reply.status, reply.code, reply.element("Message")) == (400, "IncompleteBody", NOT_THE_NUMBER), reply
    assert reply.element("NumberBytesExpected") == str(value)
    if value > len(DATA):
        assert reply.element("NumberBytesProvided") == str(len(DATA))


def test_aws_chunked__decoded_length_of_a_single_frame_names_both_counts(server, root_user, target, refused, monkeypatch):
    reply = refused(with_decoded_length(monkeypatch, lambda: unsigned(server, root_user, target, b"hello"), "3"))
    assert (reply.element("NumberBytesExpected"), reply.element("NumberBytesProvided")) == ("3", "5")
    assert reply.body.index(b"<NumberBytesExpected>") < reply.body.index(b"<NumberBytesProvided>")


@pytest.mark.parametrize("value", ["-1", "", "x", "abc", "1e4", str(2**63), str(2**64), " ", "25600x", "0x6400", "25 600", "25600.0"])
def test_aws_chunked__decoded_length_that_is_none(server, root_user, target, form, refused, value, monkeypatch):
    reply = refused(with_decoded_length(monkeypatch, lambda: form(server, root_user, target), value))
    assert (reply.status, reply.code) == (411, "MissingContentLength"), reply
    assert reply.element("Message") == "You must provide the Content-Length HTTP header."


def test_aws_chunked__decoded_length_past_what_one_object_may_have(server, root_user, target, form, refused, monkeypatch):
    reply = refused(with_decoded_length(monkeypatch, lambda: form(server, root_user, target), str(2**63 - 1)))
    assert (reply.status, reply.code) == (400, "EntityTooLarge"), reply
    assert (reply.element("ProposedSize"), reply.element("MaxSizeAllowed")) == (str(2**63 - 1), str(5 * 2**30))


def test_aws_chunked__decoded_length_absent(server, root_user, target, refused):
    for payload in (raw.SIGNED_CHUNKS, raw.UNSIGNED_TRAILER):
        request = raw.Request("PUT", target, [("Host", raw.host_of(server.url))])
        signature = raw.sign_v4(request, root_user, payload)
        request.body = raw.frame_signed(signature, DATA) if payload == raw.SIGNED_CHUNKS else raw.frame_unsigned(DATA)
        reply = refused(request)
        assert (reply.status, reply.code) == (411, "MissingContentLength"), reply


# ---- trailers -----------------------------------------------------------------------------------------------


TRAILERS = {
    "missing": [],
    "wrong": [crc32(b"other")],
    "malformed": [("x-amz-checksum-crc32", "!!!")],
    "empty": [("x-amz-checksum-crc32", "")],
    "another name": [("x-amz-checksum-sha256", "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=")],
    "beside another": [crc32(DATA), ("x-amz-meta-a", "b")],
}


@pytest.mark.parametrize("kind", ["signed", "unsigned"])
@pytest.mark.parametrize("name", TRAILERS)
def test_aws_chunked__trailer(server, root_user, target, refused, name, kind):
    """Declared: one x-amz-checksum-crc32. Sent: something else."""
    good = [crc32(DATA)]
    request = (signed if kind == "signed" else unsigned)(server, root_user, target, trailers=good)
    if kind == "signed":
        signature = None

        def keep(*arguments, **options):
            nonlocal signature
            signature = original(*arguments, **options)
            return signature

        original, raw.sign_v4 = raw.sign_v4, keep
        try:
            request = signed(server, root_user, target, trailers=good)
        finally:
            raw.sign_v4 = original
        request.body = raw.frame_signed(signature, DATA, CHUNK, TRAILERS[name])
    else:
        request.body = raw.frame_unsigned(DATA, CHUNK, TRAILERS[name])
    refused(request)


def send_trailers(server, user, target, announced, *trailers):
    """An unsigned-trailer PUT of DATA with that x-amz-trailer and those lines."""
    headers = [("Host", raw.host_of(server.url)), ("x-amz-decoded-content-length", str(len(DATA)))]
    headers += [("x-amz-trailer", value) for value in announced]
    request = raw.Request("PUT", target, headers)
    raw.sign_v4(request, user, raw.UNSIGNED_TRAILER)
    request.body = raw.frame_unsigned(DATA, CHUNK, trailers)
    return raw.send(server.url, request)


@pytest.mark.parametrize("announced", ["x-amz-checksum-crc32,", ",x-amz-checksum-crc32", " x-amz-checksum-crc32 , ", "X-Amz-Checksum-CRC32"])
def test_aws_chunked__trailers_are_announced_by_a_list(server, root_user, target, announced):
    reply = send_trailers(server, root_user, target, [announced], ("X-AMZ-Checksum-Crc32", crc32(DATA)[1]))
    assert reply.status == 200, reply
    assert reply.header("x-amz-checksum-crc32") == crc32(DATA)[1]


def test_aws_chunked__of_a_trailer_given_twice_the_last_counts(server, root_user, target):
    good, bad, malformed = crc32(DATA), crc32(b"other"), ("x-amz-checksum-crc32", "!!!")
    for lines in ((bad, good), (malformed, good), (good, good)):
        assert send_trailers(server, root_user, target, [good[0]], *lines).status == 200, lines
    reply = send_trailers(server, root_user, target, [good[0]], good, bad)
    assert (reply.status, reply.code) == (400, "BadDigest"), reply
    assert reply.element("Message") == "The CRC32 you specified did not match the calculated checksum."
    for name in ("ExpectedDigest", "CalculatedDigest"):
        assert reply.element(name) is None
    reply = send_trailers(server, root_user, target, [good[0]], good, malformed)
    assert (reply.status, reply.code) == (400, "InvalidRequest"), reply
    assert reply.element("Message") == "Value for x-amz-checksum-crc32 trailing header is invalid."


@pytest.mark.parametrize("announced,lines,code,message", [
    (["x-amz-checksum-crc32"], [], "MalformedTrailerError", None),
    ([], [crc32(DATA)], "MalformedTrailerError", None),
    (["x-amz-checksum-sha1"], [crc32(DATA)], "MalformedTrailerError", None),
    (["x-amz-checksum-crc32"], [("x-invalid-checksum-crc32", "x")], "MalformedTrailerError", None),
    (["x-amz-checksum-crc32"], [("", crc32(DATA)[1])], "MalformedTrailerError", None),
    (["x-amz-checksum-crc64"], [], "InvalidRequest", "The value specified in the x-amz-trailer header is not supported"),
    (["x-amz-meta-a"], [], "InvalidRequest", "The value specified in the x-amz-trailer header is not supported"),
    (["x-amz-checksum-crc32,x-amz-checksum-sha1"], [], "InvalidRequest", "Expecting a single x-amz-checksum- header"),
    (["x-amz-checksum-crc32", "x-amz-checksum-sha1"], [], "InvalidRequest", "Expecting a single x-amz-checksum- header"),
], ids=["missing", "not announced", "another", "unknown", "no name", "no algorithm", "no checksum", "two in a list", "two headers"])  # fmt: skip
def test_aws_chunked__trailers_that_are_not_the_one_announced(server, root_user, target, announced, lines, code, message):
    reply = send_trailers(server, root_user, target, announced, *lines)
    assert (reply.status, reply.code) == (400, code), reply
    assert message is None or reply.element("Message") == message


def test_aws_chunked__a_signed_trailer_that_does_not_come_ends_the_body(server, root_user, target, refused):
    request = signed(server, root_user, target, trailers=[crc32(DATA)])
    request.body = re.sub(rb"x-amz-checksum-crc32:[^\r]*\r\n", b"", request.body)
    reply = refused(request)
    assert (reply.status, reply.code, reply.element("Message")) == (400, "IncompleteBody", TERMINATED), reply


def test_aws_chunked__trailer_without_its_signature(server, root_user, target, refused):
    request = signed(server, root_user, target, trailers=[crc32(DATA)])
    body = request.body
    request.body = re.sub(rb"x-amz-trailer-signature:[0-9a-f]{64}\r\n", b"", body)
    assert request.body != body
    refused(request)
    request.body = re.sub(rb"(x-amz-trailer-signature:)[0-9a-f]{64}", rb"\g<1>" + b"0" * 64, body)
    refused(request, "SignatureDoesNotMatch")


def test_aws_chunked__trailer_changed_under_its_signature(server, root_user, target, refused):
    request = signed(server, root_user, target, trailers=[crc32(DATA)])
    right = crc32(DATA)[1].encode()
    request.body = request.body.replace(right, crc32(b"other")[1].encode())
    refused(request, "SignatureDoesNotMatch")


@pytest.mark.parametrize("trailers", [
    [("x", "y" * 9000)], [(f"x-{n}", "y") for n in range(100)], [("x-amz-checksum-crc32", "a\rb")], [("", "y")], [("no colon", "")],
], ids=["long", "many", "CR", "no name", "blank in the name"])  # fmt: skip
def test_aws_chunked__trailer_past_the_limits(server, root_user, target, refused, trailers):
    request = unsigned(server, root_user, target)
    request.body = raw.frame_unsigned(DATA, CHUNK, trailers)
    refused(request)


def test_aws_chunked__trailer_not_declared(server, root_user, target, refused):
    request = signed(server, root_user, target)
    request.body = request.body[:-2] + b"x-amz-checksum-crc32:AAAAAA==\r\n\r\n"
    refused(request)


def test_aws_chunked__trailer_declared_in_a_form_without(server, root_user, target, refused):
    request = raw.put_signed_chunks(
        raw.host_of(server.url), target, root_user, DATA, headers=[("x-amz-trailer", "x-amz-checksum-crc32")])
    reply = send_as_it_is(server, request)
    assert reply.status == 400, reply


# ---- where it does not belong ---------------------------------------------------------------------------------


TAGS = b"<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>"


@pytest.mark.parametrize("trailers", [None, [crc32(TAGS)]], ids=["plain", "trailer"])
def test_aws_chunked__signed_frames_on_small_documents(server, root_user, bucket, trailers):
    target = f"/{bucket}?tagging"
    host = raw.host_of(server.url)
    md5 = base64.b64encode(hashlib.md5(TAGS).digest()).decode()
    request = raw.put_signed_chunks(host, target, root_user, TAGS, trailers=trailers, headers=[] if trailers else [("Content-MD5", md5)])
    assert raw.send(server.url, request).status == 204
    assert raw.signed(server.url, root_user, "GET", target).element("TagSet/Tag/Key") == "a"
    if trailers:
        request = raw.put_signed_chunks(host, target, root_user, TAGS, trailers=[crc32(b"other")])
        assert raw.send(server.url, request).code == "BadDigest"


def test_aws_chunked__unsigned_frames_are_for_objects_and_parts_alone(server, root_user, bucket):
    for method, target in (("PUT", f"/{bucket}?tagging"), ("PUT", f"/{bucket}?versioning"), ("PUT", f"/{bucket}/key?acl"),
                           ("PUT", f"/{bucket}/key?tagging"), ("POST", f"/{bucket}?delete"), ("PUT", f"/{bucket}-2"),
                           ("POST", f"/{bucket}/key?uploadId=x"), ("GET", f"/{bucket}"), ("POST", f"/{bucket}/key?uploads")):  # fmt: skip
        request = raw.put_unsigned_trailer(raw.host_of(server.url), target, root_user, TAGS, trailers=[crc32(TAGS)])
        request.method = method
        raw.sign_v4(request, root_user, raw.UNSIGNED_TRAILER)
        reply = raw.send(server.url, request)
        assert (reply.status, reply.code) == (400, "InvalidRequest"), (target, reply)
        assert reply.element("Message") == "The value of x-amz-content-sha256 header is invalid."


def test_aws_chunked__upload_part(server, root_user, bucket):
    upload = raw.signed(server.url, root_user, "POST", f"/{bucket}/key?uploads").element("UploadId")
    for number, make in ((1, signed), (2, unsigned)):
        reply = raw.send(server.url, make(server, root_user, f"/{bucket}/key?partNumber={number}&uploadId={upload}"))
        assert reply.status == 200, reply
    parts = raw.signed(server.url, root_user, "GET", f"/{bucket}/key?uploadId={upload}")
    assert parts.body.count(b"<Size>25600</Size>") == 2


def test_aws_chunked__presigned_url_with_streaming_payload(server, root_user, target, bucket):
    """boto3 never does; a signature over UNSIGNED-PAYLOAD must not cover signed frames nobody can check."""
    request = raw.Request("PUT", target, [("Host", raw.host_of(server.url))], raw.frame_unsigned(DATA, CHUNK, [crc32(DATA)]))
    raw.presign_v4(request, root_user)
    request.headers += [("x-amz-content-sha256", raw.SIGNED_CHUNKS), ("x-amz-decoded-content-length", str(len(DATA)))]
    reply = raw.send(server.url, request)
    assert reply.status == 403, reply
