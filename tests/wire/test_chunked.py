# SPDX-License-Identifier: Apache-2.0
"""aws-chunked uploads taken apart: every frame, size, signature and trailer that can be wrong.

    https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html
    https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html
"""

import base64
import re
import zlib

import pytest

from wire import raw

DATA = bytes(range(256)) * 100  # 25,600 bytes: four frames of 8 KiB
CHUNK = 8192


def crc32(data):
    return "x-amz-checksum-crc32", base64.b64encode(zlib.crc32(data).to_bytes(4, "big")).decode()


@pytest.fixture
def target(bucket):
    return f"/{bucket}/key"


def signed(server, user, target, data=DATA, trailers=None, **options):
    return raw.put_signed_chunks(raw.host_of(server.url), target, user, data, chunk_bytes=CHUNK, trailers=trailers, **options)


def unsigned(server, user, target, data=DATA, trailers=None, **options):
    trailers = [crc32(data)] if trailers is None else trailers
    return raw.put_unsigned_trailer(raw.host_of(server.url), target, user, data, chunk_bytes=CHUNK, trailers=trailers, **options)


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


@pytest.fixture
def refused(server, root_user, bucket):
    def check(request, *codes, length_stays=False):
        if not length_stays:
            # A signed Content-Length would make every change a signature error: it is not signed here.
            request.set("Content-Length", str(len(request.body)))
        reply = send_as_it_is(server, request)
        assert reply is not None, "closed without an answer"
        assert reply.status in (400, 403, 411, 501), reply
        assert not codes or reply.code in codes, reply
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


@pytest.mark.parametrize("size", [1, 3, 100, 8191, 8193, 25_600, 65_536])
def test_aws_chunked__frames_of_every_size(server, root_user, target, size):
    for make in (raw.put_signed_chunks, raw.put_unsigned_trailer):
        if make is raw.put_signed_chunks and size < 100:
            continue
        data = DATA if size >= 100 else DATA[:500]
        extra = {"trailers": [crc32(data)]} if make is raw.put_unsigned_trailer else {}
        request = make(raw.host_of(server.url), target, root_user, data, chunk_bytes=size, **extra)
        assert raw.send(server.url, request).status == 200
        assert raw.signed(server.url, root_user, "GET", target).body == data


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


def test_aws_chunked__upper_case_sizes_and_signed_extension_spacing(server, root_user, target):
    request = unsigned(server, root_user, target)
    request.body = request.body.replace(b"2000\r\n", b"002000\r\n").replace(b"400\r\n", b"0400\r\n")
    request.set("Content-Length", str(len(request.body)))
    assert raw.send(server.url, request).status == 200


# ---- sizes ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [b"", b"g", b"-1", b"+2000", b"0x2000", b" 2000", b"2000 ", b"20 00", b"1fff", b"2001", b"1", b"ffffffff",
                                  b"ffffffffffffffff", b"10000000000000000", b"f" * 300, b"2000\x00"])  # fmt: skip
def test_aws_chunked__bad_size(server, root_user, target, form, refused, size):
    request = form(server, root_user, target)
    request.body = size + request.body[4:]
    refused(request)


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
    for end in sorted(end for end in ends if 0 <= end < len(whole)):
        request.body = whole[:end]
        request.set("Content-Length", str(end))
        reply = send_as_it_is(server, request)
        assert reply is not None and reply.status in (400, 403), (end, len(whole), reply)
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


@pytest.mark.parametrize("value", [str(len(DATA) + 1), str(len(DATA) - 1), "0", "-1", "", "x", "1e4", str(2**64), " ", "25600x", "0x6400"])
def test_aws_chunked__decoded_length_wrong(server, root_user, target, refused, value, monkeypatch):
    for make in (signed, unsigned):
        original = raw.Request.set

        def set_length(self, name, text):
            return original(self, name, value if name == "x-amz-decoded-content-length" else text)

        monkeypatch.setattr(raw.Request, "set", set_length)
        request = make(server, root_user, target)
        monkeypatch.setattr(raw.Request, "set", original)
        assert request.header("x-amz-decoded-content-length") == value
        refused(request)


def test_aws_chunked__decoded_length_absent(server, root_user, target, refused):
    for payload in (raw.SIGNED_CHUNKS, raw.UNSIGNED_TRAILER):
        request = raw.Request("PUT", target, [("Host", raw.host_of(server.url))])
        signature = raw.sign_v4(request, root_user, payload)
        request.body = raw.frame_signed(signature, DATA) if payload == raw.SIGNED_CHUNKS else raw.frame_unsigned(DATA)
        reply = refused(request)
        assert reply.code in ("MissingContentLength", "InvalidArgument", "InvalidRequest", "IncompleteBody"), reply


# ---- trailers -----------------------------------------------------------------------------------------------


TRAILERS = {
    "missing": [],
    "wrong": [crc32(b"other")],
    "malformed": [("x-amz-checksum-crc32", "!!!")],
    "empty": [("x-amz-checksum-crc32", "")],
    "another name": [("x-amz-checksum-sha256", "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=")],
    "twice": [crc32(DATA), crc32(DATA)],
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
    refused(request, "SignatureDoesNotMatch", "BadDigest")


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
    assert reply.status in (200, 400), reply


# ---- where it does not belong ---------------------------------------------------------------------------------


def test_aws_chunked__on_small_documents(server, root_user, bucket):
    """The SDKs of 2025 frame any body over https, also that of PutBucketTagging."""
    body = b"<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>"
    request = raw.put_unsigned_trailer(
        raw.host_of(server.url), f"/{bucket}?tagging", root_user, body, trailers=[crc32(body)])
    assert raw.send(server.url, request).status in (200, 204)
    assert raw.signed(server.url, root_user, "GET", f"/{bucket}?tagging").element("TagSet/Tag/Key") == "a"
    request = raw.put_unsigned_trailer(
        raw.host_of(server.url), f"/{bucket}?tagging", root_user, b"<Tagging/>", trailers=[crc32(body)])
    assert raw.send(server.url, request).status == 400


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
    assert reply.status in (400, 403), reply
