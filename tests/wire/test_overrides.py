# SPDX-License-Identifier: Apache-2.0
"""response-*: what a GET may make the server say, and in which bytes.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
"""

import pytest

from wire import raw

PARAMS = {
    "response-cache-control": "Cache-Control", "response-content-disposition": "Content-Disposition",
    "response-content-encoding": "Content-Encoding", "response-content-language": "Content-Language",
    "response-content-type": "Content-Type", "response-expires": "Expires",
}  # fmt: skip
NOT_LATIN = "Header value cannot be represented using ISO-8859-1."


@pytest.fixture
def stored(s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"body", ContentType="text/plain", CacheControl="private")
    return bucket


def get(server, user, target, how="header", method="GET", headers=()):
    request = raw.Request(method, target, [("Host", raw.host_of(server.url)), *headers])
    {"header": raw.sign_v4, "v4": raw.presign_v4, "v2": raw.presign_v2}[how](request, user)
    return raw.send(server.url, request)


@pytest.mark.parametrize("how", ["header", "v4", "v2"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("param,header", PARAMS.items(), ids=PARAMS)
def test_override__latin_text_is_answered_in_latin_bytes(server, root_user, stored, how, method, param, header):
    for text in ("plain", "é", "a\u00a0\u00ffb", "\u0080"):
        reply = get(server, root_user, f"/{stored}/k?{param}={raw.quote(text)}", how, method)
        assert (reply.status, reply.header(header).encode("latin-1")) == (200, text.encode("latin-1")), text


@pytest.mark.parametrize("how", ["header", "v4", "v2"])
@pytest.mark.parametrize("param", PARAMS)
@pytest.mark.parametrize("value", [
    'attachment; filename="倉.txt"', 'attachment; filename="a–b.txt"', "non-ascii-%E2%80%94_—_é_", "\u0100", "🪣",
])  # fmt: skip
def test_override__what_latin_has_not_is_refused(server, root_user, stored, how, param, value):
    reply = get(server, root_user, f"/{stored}/k?{param}={raw.quote(value)}", how)
    assert (reply.status, reply.code, reply.element("Message")) == (400, "InvalidArgument", NOT_LATIN)
    assert (reply.element("ArgumentName"), reply.element("ArgumentValue")) == (param, value)


@pytest.mark.parametrize("value", ["%E9", "%C3", "%C3%28", "%C0%80", "%E2%82"])
def test_override__what_is_no_utf8_is_refused(server, root_user, stored, value):
    reply = get(server, root_user, f"/{stored}/k?response-content-type={value}")
    assert (reply.status, reply.code, reply.element("Message")) == (400, "InvalidArgument", NOT_LATIN)
    assert reply.element("ArgumentName") == "response-content-type"


@pytest.mark.parametrize("value", ["a%0Ab", "a%0D%0Ax:%20y", "%01", "%7F"])
def test_override__control_characters_are_refused(server, root_user, stored, value):
    reply = get(server, root_user, f"/{stored}/k?response-content-type={value}")
    assert (reply.status, reply.code, reply.element("ArgumentName")) == (400, "InvalidArgument", "response-content-type")


@pytest.mark.parametrize("how", ["header", "v4", "v2"])
@pytest.mark.parametrize("query,name,value", [
    ("response-fdsjkljj=dummy", "response-fdsjkljj", "dummy"), ("response-x", "response-x", ""), ("response-=a", "response-", "a"),
    ("response-content-length=1", "response-content-length", "1"),
    ("response-content-type=text/x&response-etag=y", "response-etag", "y"),
    ("response-Content-Type=a", "response-Content-Type", "a"),
])  # fmt: skip
def test_override__a_header_s3_does_not_override_is_named(server, root_user, stored, how, query, name, value):
    reply = get(server, root_user, f"/{stored}/k?{query}", how)
    assert (reply.status, reply.code) == (400, "InvalidArgument")
    assert (reply.element("ArgumentName"), reply.element("ArgumentValue")) == (name, value)
    assert get(server, root_user, f"/{stored}/k?{query}", how, "HEAD").status == 400


def test_override__is_judged_before_conditions_and_ranges(server, root_user, stored):
    for headers in ([("If-None-Match", "*")], [("If-Match", '"x"')], [("Range", "bytes=99-")]):
        assert get(server, root_user, f"/{stored}/k?response-foo=a", headers=headers).status == 400
    reply = get(server, root_user, f"/{stored}/k?response-cache-control=x", headers=[("If-None-Match", "*")])
    assert (reply.status, reply.header("cache-control")) == (304, None)


@pytest.mark.parametrize("param", PARAMS)
def test_override__is_not_for_anonymous_callers(server, s3, stored, param):
    s3.put_object_acl(Bucket=stored, Key="k", ACL="public-read")
    reply = raw.anonymous(server.url, "GET", f"/{stored}/k?{param}=x")
    assert (reply.status, reply.code) == (400, "InvalidRequest")
    assert reply.element("Message") == "Request specific response headers cannot be used for anonymous GET requests."
    assert raw.anonymous(server.url, "GET", f"/{stored}/k").status == 200


def test_override__is_unknown_to_writes(server, root_user, s3, stored):
    request = raw.Request("PUT", f"/{stored}/k2?response-content-type=x", [("Host", raw.host_of(server.url))], b"x")
    raw.sign_v4(request, root_user)
    reply = raw.send(server.url, request)
    assert (reply.status, reply.code) == (501, "NotImplemented")
