# SPDX-License-Identifier: Apache-2.0
"""Input at a limit and one past it, and input that is no input: a documented 4xx, nothing stored.

The limits of HTTP are server/http/http.h's; those of S3 are in its pages. Limits of one operation
(keys, metadata, tags, ranges, checksums, parts) are tested with that operation.
"""

import base64
import datetime
import hashlib
import re

import pytest

from sdk import expect
from wire import raw
from wire.process import ROOT


def limit(name):
    """A limit from http.h or limits.h, so that a changed limit is tested where it is then."""
    for header in ("server/http/http.h", "server/s3/limits.h"):
        match = re.search(rf"#define {name} \(?([\d\w ()*]+?)\)?\s*(/\*|$)", (ROOT / header).read_text(), re.M)
        if match:
            return eval(re.sub(r"(\d)u", r"\1", match[1]))
    raise KeyError(name)


def md5(body):
    return ("Content-MD5", base64.b64encode(hashlib.md5(body).digest()).decode())


@pytest.fixture
def nothing_stored(s3, bucket):
    yield
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0
    assert "Uploads" not in s3.list_multipart_uploads(Bucket=bucket)


# ---- the head of a request ------------------------------------------------------------------------------


def sized_put(server, user, bucket, extra):
    request = raw.Request("PUT", f"/{bucket}/key", [("Host", raw.host_of(server.url)), *extra], b"data")
    raw.sign_v4(request, user, signed={"host", "x-amz-date", "x-amz-content-sha256"})
    return request


def test_http__longest_field(server, root_user, s3, bucket):
    most = limit("HTTP_HEADER_BYTES_MAX")
    request = sized_put(server, root_user, bucket, [("x-filler", "x" * (most - len("x-filler")))])
    reply = raw.send(server.url, request)
    assert reply.status == 200, reply
    s3.delete_object(Bucket=bucket, Key="key")


def test_http__field_too_long(server, root_user, bucket, nothing_stored):
    most = limit("HTTP_HEADER_BYTES_MAX")
    # Past 64 KiB it is the HTTP library that refuses.
    for size, status in ((most + 1, 400), (most * 2, 400), (40_000, 400), (100_000, 431)):
        request = sized_put(server, root_user, bucket, [("x-filler", "x" * (size - len("x-filler")))])
        reply = raw.send(server.url, request)
        assert (reply.status, reply.code) == (status, "RequestHeaderSectionTooLarge"), (size, reply)


def test_http__most_fields(server, root_user, s3, bucket):
    most = limit("HTTP_HEADERS_MAX")
    request = sized_put(server, root_user, bucket, [])
    # Content-Length is added when it is sent.
    request.headers += [(f"x-filler-{n}", "x") for n in range(most - len(request.headers) - 1)]
    assert raw.send(server.url, request).status == 200
    s3.delete_object(Bucket=bucket, Key="key")


def test_http__too_many_fields(server, root_user, bucket, nothing_stored):
    most = limit("HTTP_HEADERS_MAX")
    for count, status in ((most + 1, 400), (most * 4, 400), (2000, 431)):
        request = sized_put(server, root_user, bucket, [])
        request.headers += [(f"x-filler-{n}", "x") for n in range(count - len(request.headers) - 1)]
        reply = raw.send(server.url, request)
        assert (reply.status, reply.code) == (status, "RequestHeaderSectionTooLarge"), (count, reply)


def test_http__longest_target(server, root_user, bucket):
    most = limit("HTTP_TARGET_BYTES_MAX")
    head = f"/{bucket}?prefix="
    reply = raw.signed(server.url, root_user, "GET", head + "x" * (1024))
    assert reply.status == 200, reply
    reply = raw.signed(server.url, root_user, "GET", head + "x" * (most - len(head)))
    assert reply.status == 200, reply
    reply = raw.signed(server.url, root_user, "GET", head + "x" * (most - len(head) + 1))
    assert (reply.status, reply.code) == (414, "BadRequest"), reply


def test_http__most_parameters(server, root_user, s3, bucket):
    most = limit("HTTP_QUERY_PARAMS_MAX")
    s3.put_object(Bucket=bucket, Key="key", Body=b"data")
    target = f"/{bucket}/key?" + "&".join(f"p{n}=1" for n in range(most))
    assert raw.signed(server.url, root_user, "GET", target).status == 200
    reply = raw.signed(server.url, root_user, "GET", target + "&one=more")
    assert (reply.status, reply.code) == (400, "BadRequest"), reply


@pytest.mark.parametrize("value", [
    "yesterday", "20261121", "2026-11-21T00:00:00Z", "20261321T000000Z", "20261121T250000Z", "20261121T000000", "", "0" * 16,
    "99991231T235959Z", "00000101T000000Z", "２０２６1121T000000Z", "20261121T000000Z ", "-0261121T000000Z",
])  # fmt: skip
def test_x_amz_date__malformed(server, root_user, bucket, nothing_stored, value):
    request = raw.Request("PUT", f"/{bucket}/key", [("Host", raw.host_of(server.url)), ("x-amz-date", value)], b"data")
    raw.sign_v4(request, root_user, date=False)
    reply = raw.send(server.url, request)
    # A time that is one is compared with the day in the credential first.
    is_time = re.fullmatch(r"[1-9]\d{7}T\d{6}Z *", value, re.ASCII) and "1321T" not in value and "T25" not in value
    wanted = (400, "AuthorizationHeaderMalformed") if is_time else (403, "AccessDenied")
    assert (reply.status, reply.code) == wanted, reply


@pytest.mark.parametrize("minutes,status", [(14, 200), (-14, 200), (16, 403), (-16, 403), (60 * 24 * 365, 403)])
def test_x_amz_date__skew(server, root_user, s3, bucket, minutes, status):
    when = raw.now() + datetime.timedelta(minutes=minutes)
    reply = raw.signed(server.url, root_user, "PUT", f"/{bucket}/key", b"data", when=when)
    assert reply.status == status, reply
    if status == 403:
        assert reply.code == "RequestTimeTooSkewed"
        assert reply.element("MaxAllowedSkewMilliseconds") == "900000"
        assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0


def test_x_amz_date__scope_of_another_day(server, root_user, bucket, nothing_stored):
    request = raw.Request("PUT", f"/{bucket}/key", [("Host", raw.host_of(server.url))], b"data")
    raw.sign_v4(request, root_user)
    value = request.header("Authorization")
    request.set("Authorization", re.sub(r"/20\d{6}/", "/20200101/", value))
    reply = raw.send(server.url, request)
    assert (reply.status, reply.code) == (400, "AuthorizationHeaderMalformed"), reply


UNSUPPORTED, MALFORMED = (400, "InvalidArgument"), (400, "AuthorizationHeaderMalformed")
UNKNOWN, MISMATCH = (403, "InvalidAccessKeyId"), (403, "SignatureDoesNotMatch")


@pytest.mark.parametrize("change,answer", [
    (("AWS4-HMAC-SHA256 ", "AWS4-HMAC-SHA512 "), UNSUPPORTED), (("AWS4-HMAC-SHA256 ", "Bearer "), UNSUPPORTED),
    (("AWS4-HMAC-SHA256 ", "AWS4-HMAC-SHA256"), UNSUPPORTED), (("Credential=", "Credentials="), MALFORMED),
    (("SignedHeaders=", ""), MALFORMED), (("Signature=", "Sig="), MALFORMED), (("/s3/", "/iam/"), MALFORMED), (("/s3/", "//"), MALFORMED),
    (("aws4_request", "aws4"), MALFORMED), (("/us-east-1/", "/"), MALFORMED), (("host;", ""), (403, "AccessDenied")),
    (("host;", "host;host;"), MALFORMED), ((", ", " "), MALFORMED), ((", SignedHeaders", ";SignedHeaders"), MALFORMED),
    (("x-amz-date", "X-Amz-Date"), MISMATCH), (("x-amz-date", "x-amz-date;absent"), MISMATCH), (("Credential=ROOT", "Credential=/ROOT"), UNKNOWN),
    (("Credential=", "Credential=" + "k" * 4000), UNKNOWN), (("Credential=", "Credential=%27 OR 1=1 --"), UNKNOWN),
    (("Signature=", "Signature=,Signature="), MALFORMED),
])  # fmt: skip
def test_authorization__malformed(server, root_user, bucket, nothing_stored, change, answer):
    request = raw.Request("PUT", f"/{bucket}/key", [("Host", raw.host_of(server.url))], b"data")
    raw.sign_v4(request, root_user)
    value = request.header("Authorization").replace(*change)
    assert value != request.header("Authorization")
    request.set("Authorization", value)
    reply = raw.send(server.url, request)
    assert (reply.status, reply.code) == answer, reply


@pytest.mark.parametrize("value,answer", [
    ("", (403, "AccessDenied")), (" ", (403, "AccessDenied")), ("AWS", UNSUPPORTED), ("AWS ", UNSUPPORTED), ("AWS :", UNSUPPORTED),
    ("AWS a", UNSUPPORTED), ("AWS a:", UNSUPPORTED), ("AWS4-HMAC-SHA256", MALFORMED), ("Basic YTpi", UNSUPPORTED),
    ("Negotiate", UNSUPPORTED), ("\u00e9", UNSUPPORTED),
])  # fmt: skip
def test_authorization__empty_or_of_another_kind(server, bucket, nothing_stored, value, answer):
    reply = raw.anonymous(server.url, "PUT", f"/{bucket}/key", b"data", [("Authorization", value)])
    assert (reply.status, reply.code) == answer, reply


def test_authorization__with_spaces_or_without(server, root_user, s3, bucket):
    for before, after in ((", ", ","), (", ", " ,  "), ("AWS4-HMAC-SHA256 ", "AWS4-HMAC-SHA256   ")):
        request = raw.Request("PUT", f"/{bucket}/key", [("Host", raw.host_of(server.url))], b"data")
        raw.sign_v4(request, root_user)
        request.set("Authorization", request.header("Authorization").replace(before, after))
        assert raw.send(server.url, request).status == 200, after


def test_authorization__any_header_may_be_signed(server, root_user, bucket):
    headers = [("Host", raw.host_of(server.url)), ("Accept-Encoding", "identity"), ("User-Agent", "a  b   c"), ("amz-sdk-request", "attempt=1"),
               ("Content-Length", "4"), ("x-amz-meta-spaces", "  lead  and   trail  "), ("Cache-Control", "no-cache")]  # fmt: skip
    request = raw.Request("PUT", f"/{bucket}/key", headers, b"data")
    raw.sign_v4(request, root_user)
    reply = raw.send(server.url, request)
    assert reply.status == 200, reply


def test_authorization__unsigned_amz_header_is_refused(server, root_user, bucket, nothing_stored):
    for name in ("x-amz-acl", "x-amz-meta-a", "x-amz-tagging", "x-amz-storage-class", "x-amz-copy-source", "x-amz-security-token",
                 "x-amz-server-side-encryption", "x-amz-website-redirect-location", "x-amz-checksum-crc32"):  # fmt: skip
        request = raw.Request("PUT", f"/{bucket}/key", [("Host", raw.host_of(server.url))], b"data")
        raw.sign_v4(request, root_user)
        request.headers.append((name, "private"))
        reply = raw.send(server.url, request)
        assert (reply.status, reply.code) == (403, "AccessDenied"), (name, reply)
        assert reply.element("HeadersNotSigned") == name


def test_authorization__twice(server, root_user, bucket, nothing_stored):
    request = raw.Request("PUT", f"/{bucket}/key", [("Host", raw.host_of(server.url))], b"data")
    raw.sign_v4(request, root_user)
    request.headers.append(("Authorization", request.header("Authorization")))
    reply = raw.send(server.url, request)
    assert (reply.status, reply.code) == (400, "InvalidArgument"), reply


def test_payload_hash__missing_or_malformed(server, root_user, bucket, nothing_stored):
    for payload in ("", "abc", "g" * 64, "A" * 63, "UNSIGNED", "STREAMING-", "STREAMING-AWS4-HMAC-SHA512-PAYLOAD"):
        reply = raw.signed(server.url, root_user, "PUT", f"/{bucket}/key", b"data", payload=payload)
        # An empty header is none, and V4 wants one.
        assert (reply.status, reply.code) == (400, "InvalidArgument" if payload else "InvalidRequest"), (payload, reply)


# ---- documents ----------------------------------------------------------------------------------------


DOCUMENTS = {
    "tagging": "/{}?tagging", "object tagging": "/{}/key?tagging", "versioning": "/{}?versioning", "acl": "/{}?acl",
    "object acl": "/{}/key?acl", "delete": "/{}?delete",
}  # fmt: skip


@pytest.fixture
def full(s3, bucket):
    s3.put_object(Bucket=bucket, Key="key", Body=b"data")
    yield bucket
    assert expect.body_of(s3, bucket, "key") == b"data"
    assert "Status" not in s3.get_bucket_versioning(Bucket=bucket)
    assert s3.get_object_tagging(Bucket=bucket, Key="key")["TagSet"] == []


def post_document(server, user, name, bucket, body):
    method = "POST" if name == "delete" else "PUT"
    return raw.signed(server.url, user, method, DOCUMENTS[name].format(bucket), body, [md5(body)])


BILLION = (
    b'<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">'
    b'<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;"><!ENTITY d "&c;&c;&c;&c;&c;&c;&c;&c;">]><Tagging>&d;</Tagging>'
)
EVIL = {
    "not xml": b"hello", "cut": b"<Tagging><TagSet>", "two roots": b"<Tagging/><Tagging/>", "billion": BILLION,
    "xxe": b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><Tagging>&e;</Tagging>',
    "parameter entity": b'<!DOCTYPE x [<!ENTITY % e SYSTEM "http://127.0.0.1:1/x"> %e;]><Tagging/>',
    "doctype": b"<!DOCTYPE Tagging><Tagging><TagSet/></Tagging>", "deep": b"<Tagging>" + b"<a>" * 5000,
    "attributes": b"<Tagging " + b" ".join(b'a%d="x"' % n for n in range(5000)) + b"/>",
    "utf-16": "<Tagging/>".encode("utf-16"), "bad utf-8": b"<Tagging>\xff\xfe\xfd</Tagging>", "nul": b"<Tagging>\x00</Tagging>",
    "wrong root": b"<Nothing/>", "wrong encoding": b'<?xml version="1.0" encoding="nonsense"?><Tagging/>', "empty": b"",
    "unknown entity": b"<Tagging>&nbsp;</Tagging>", "wrong namespace": b'<Tagging xmlns="urn:other"><TagSet/></Tagging>x',
}  # fmt: skip


@pytest.mark.parametrize("name", DOCUMENTS)
def test_document__malformed(server, root_user, full, name):
    for kind, body in EVIL.items():
        reply = post_document(server, root_user, name, full, body)
        malformed, empty = ("MalformedACLError", "MissingSecurityHeader") if "acl" in name else ("MalformedXML", "MissingRequestBodyError")
        assert (reply.status, reply.code) == (400, empty if kind == "empty" else malformed), (kind, reply)
        assert b"root:" not in reply.body


@pytest.mark.parametrize("name", DOCUMENTS)
def test_document__too_large(server, root_user, full, name):
    most = limit("S3_XML_LIST_BYTES_MAX" if name == "delete" else "S3_XML_BYTES_MAX")
    for size in (most + 1, most * 2):
        body = b"<Tagging>" + b" " * (size - 19) + b"</Tagging>"
        reply = post_document(server, root_user, name, full, body)
        assert (reply.status, reply.code) == (400, "MaxMessageLengthExceeded"), reply
        assert reply.element("MaxMessageLengthBytes") == str(most)


def test_document__at_the_limit(server, root_user, s3, bucket):
    most = limit("S3_XML_BYTES_MAX")
    body = b"<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet>"
    body += b" " * (most - len(body) - len(b"</Tagging>")) + b"</Tagging>"
    reply = raw.signed(server.url, root_user, "PUT", f"/{bucket}?tagging", body, [md5(body)])
    assert reply.status == 204, reply
    assert s3.get_bucket_tagging(Bucket=bucket)["TagSet"] == [{"Key": "a", "Value": "b"}]


def test_document__without_a_checksum_is_refused_where_s3_wants_one(server, root_user, s3, full):
    body = b"<Delete><Object><Key>key</Key></Object></Delete>"
    reply = raw.signed(server.url, root_user, "POST", f"/{full}?delete", body)
    assert (reply.status, reply.code) == (400, "InvalidRequest"), reply


# ---- bodies ---------------------------------------------------------------------------------------------


def test_PutObject__length_is_needed(server, root_user, bucket, nothing_stored):
    request = raw.Request("PUT", f"/{bucket}/key", [("Host", raw.host_of(server.url))])
    raw.sign_v4(request, root_user)
    with raw.Connection(server.url) as connection:
        connection.send(request.wire(length=False))
        reply = connection.reply()
    assert (reply.status, reply.code) == (411, "MissingContentLength"), reply


def test_PutObject__over_5_gib_is_refused_before_the_body(server, root_user, bucket, nothing_stored):
    request = raw.Request("PUT", f"/{bucket}/key", [
        ("Host", raw.host_of(server.url)), ("Content-Length", str(5 * 2**30 + 1)), ("Expect", "100-continue")])  # fmt: skip
    raw.sign_v4(request, root_user, "UNSIGNED-PAYLOAD")
    with raw.Connection(server.url) as connection:
        connection.send(request.wire())
        reply = connection.reply(informational=True)
    assert (reply.status, reply.code) == (400, "EntityTooLarge"), reply


def test_PutObject__body_shorter_than_its_length(server, root_user, bucket, nothing_stored):
    request = raw.Request("PUT", f"/{bucket}/key", [("Host", raw.host_of(server.url)), ("Content-Length", "100")], b"short")
    raw.sign_v4(request, root_user, "UNSIGNED-PAYLOAD")
    with raw.Connection(server.url) as connection:
        connection.send(request.wire())
        connection.finish_sending()
        try:
            reply = connection.reply()
            assert reply.status == 400, reply
        except (EOFError, ConnectionResetError):
            pass


@pytest.mark.parametrize("value,fine", [("Wed, 02 Jan 2030 03:04:05 GMT", True), ("tomorrow", True), ("0", True)])
def test_PutObject__expires_is_text(server, root_user, s3, bucket, value, fine):
    # S3 stores Expires as it came.
    reply = raw.signed(server.url, root_user, "PUT", f"/{bucket}/key", b"", [("Expires", value)])
    assert (reply.status == 200) is fine
    assert raw.signed(server.url, root_user, "GET", f"/{bucket}/key").header("expires") == value


@pytest.mark.parametrize("name", ["Content-Type", "Content-Disposition", "Cache-Control", "Content-Language", "x-amz-meta-a"])
def test_PutObject__bytes_above_7f_in_a_header_never_break_the_answer(server, root_user, s3, bucket, name):
    request = raw.Request("PUT", f"/{bucket}/key", [("Host", raw.host_of(server.url)), (name, "n\u00e4me")], b"x")
    raw.sign_v4(request, root_user)
    reply = raw.send(server.url, request)
    assert reply.status == 200, reply
    # A header field's bytes are ISO-8859-1: those of UTF-8 are two characters.
    shown = "=?UTF-8?Q?n=C3=83=C2=A4me?=" if name == "x-amz-meta-a" else "n\u00c3\u00a4me"
    for method in ("GET", "HEAD"):
        assert raw.signed(server.url, root_user, method, f"/{bucket}/key").header(name) == shown


# https://docs.aws.amazon.com/AmazonS3/latest/userguide/how-to-page-redirect.html
@pytest.mark.parametrize("value", ["foo", "ftp://a.test/", "http:/a.test", "https", "www.a.test", "index.html", " ", "?a"])
def test_PutObject__redirect_location_is_a_path_or_a_web_address(server, root_user, bucket, nothing_stored, value):
    where = ("x-amz-website-redirect-location", value)
    for method, target in (("PUT", f"/{bucket}/key"), ("POST", f"/{bucket}/key?uploads")):
        reply = raw.signed(server.url, root_user, method, target, headers=[where])
        assert (reply.status, reply.code) == (400, "InvalidRedirectLocation"), reply
        assert reply.element("Message") == (
            "The website redirect location must have a prefix of 'http://' or 'https://' or '/'.")


def test_PutObject__longest_redirect_location(server, root_user, s3, bucket):
    most = limit("S3_REDIRECT_BYTES_MAX")
    for size, answer in ((most, (200, None)), (most + 1, (400, "InvalidRedirectLocation"))):
        where = ("x-amz-website-redirect-location", "/" * size)
        reply = raw.signed(server.url, root_user, "PUT", f"/{bucket}/key", b"", [where])
        assert (reply.status, reply.code) == answer, (size, reply)
        copy = [where, ("x-amz-copy-source", f"{bucket}/key")]
        reply = raw.signed(server.url, root_user, "PUT", f"/{bucket}/copy", b"", copy)
        assert (reply.status, reply.code) == answer, (size, reply)
    assert s3.head_object(Bucket=bucket, Key="copy")["WebsiteRedirectLocation"] == "/" * most


@pytest.mark.parametrize("value", ["<script>", "]]>", "'; DROP TABLE objects; --", "%0d%0aX: y", "=?UTF-8?B?w6Q=?", "=?"])
def test_PutObject__odd_metadata_comes_back(server, root_user, s3, bucket, value):
    reply = raw.signed(server.url, root_user, "PUT", f"/{bucket}/key", b"", [("x-amz-meta-a", value)])
    assert reply.status == 200, reply
    assert raw.signed(server.url, root_user, "HEAD", f"/{bucket}/key").header("x-amz-meta-a") == value


def test_markup__is_never_reflected(server, root_user, bucket):
    for target, status, unsigned in (
        (f"/{bucket}/<script>alert(1)</script>", 404, 403), (f"/{bucket}/%3Cscript%3Ealert(1)%3C%2Fscript%3E", 404, 403),
        ("/%3Cscript%3E", 400, 400), (f"/{bucket}?uploads&encoding-type=%3Cscript%3E", 400, 403),
        (f"/{bucket}/k?versionId=%3Cscript%3E", 400, 400),
    ):  # fmt: skip
        for wanted, reply in ((status, raw.signed(server.url, root_user, "GET", target)),
                              (unsigned, raw.anonymous(server.url, "GET", target))):  # fmt: skip
            assert reply.status == wanted, target
            assert b"<script>" not in reply.body
            assert reply.header("content-type") == "application/xml"
