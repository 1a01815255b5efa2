# SPDX-License-Identifier: Apache-2.0
"""What a signature has to cover, what it need not, and what a second credential beside it is.

    https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
    https://docs.aws.amazon.com/AmazonS3/latest/API/RESTAuthentication.html
"""

import base64
import hashlib
import json

import pytest

from wire import raw

NOT_SIGNED = "There were headers present in the request which were not signed"
ONE_MECHANISM = (
    "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string parameter or the "
    "Authorization header should be specified")  # fmt: skip


def request_of(server, method, target, body=b"", headers=()):
    return raw.Request(method, target, [("Host", raw.host_of(server.url)), *headers], body)


def keys(s3, bucket):
    return [item["Key"] for item in s3.list_objects_v2(Bucket=bucket).get("Contents", [])]


# ---- x-amz-content-sha256 need not be in the list ---------------------------------------------------------


@pytest.mark.parametrize("method,body,status", [("GET", b"", 200), ("HEAD", b"", 200), ("PUT", b"body", 200), ("DELETE", b"", 204)])
def test_signed__the_payload_header_may_be_unsigned_in_the_header_form(server, s3, bucket, root_user, method, body, status):
    s3.put_object(Bucket=bucket, Key="k", Body=b"old")
    request = request_of(server, method, f"/{bucket}/k", body)
    raw.sign_v4(request, root_user, signed={"host", "x-amz-date"})
    assert raw.send(server.url, request).status == status
    if method == "PUT":
        assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"body"


@pytest.mark.parametrize("payload", [raw.UNSIGNED, raw.UNSIGNED_TRAILER, hashlib.sha256(b"forged").hexdigest()])
def test_signed__the_unsigned_payload_header_still_says_what_was_signed(server, s3, bucket, root_user, payload):
    request = request_of(server, "PUT", f"/{bucket}/k", b"forged")
    request.body = b"honest"
    raw.sign_v4(request, root_user, signed={"host", "x-amz-date"})
    request.body = b"forged"
    reply = raw.send(server.url, request)
    assert (reply.status, reply.code) == (400, "XAmzContentSHA256Mismatch")
    request.set("x-amz-content-sha256", payload)
    reply = raw.send(server.url, request)
    assert (reply.status, reply.code) == (403, "SignatureDoesNotMatch")
    assert keys(s3, bucket) == []


def test_signed__the_payload_header_may_be_unsigned_in_a_url(server, s3, bucket, root_user):
    request = request_of(server, "PUT", f"/{bucket}/k", b"body")
    raw.presign_v4(request, root_user)
    request.headers.append(("x-amz-content-sha256", raw.UNSIGNED))
    assert raw.send(server.url, request).status == 200
    # Another value is another canonical request than the one that was signed.
    for payload in (hashlib.sha256(b"body").hexdigest(), raw.UNSIGNED_TRAILER):
        request.set("x-amz-content-sha256", payload)
        reply = raw.send(server.url, request)
        assert (reply.status, reply.code) == (403, "SignatureDoesNotMatch"), payload
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"body"


@pytest.mark.parametrize("sent,named", [
    (["X-Amz-Date", "X-Amz-Content-Sha256", "X-Amz-Decoded-Content-Length"], "x-amz-date, x-amz-decoded-content-length"),
    (["X-Amz-Content-Sha256", "X-Amz-Acl"], "x-amz-acl"),
    (["x-amz-meta-B", "X-AMZ-META-B", "x-amz-copy-source"], "x-amz-meta-b, x-amz-copy-source"),
])  # fmt: skip
def test_signed__what_was_not_signed_is_named_in_lower_case(server, s3, bucket, root_user, sent, named):
    values = {"x-amz-date": raw.now().strftime("%Y%m%dT%H%M%SZ"), "x-amz-content-sha256": raw.UNSIGNED, "x-amz-decoded-content-length": "4"}
    request = request_of(server, "PUT", f"/{bucket}/k", b"body")
    raw.presign_v4(request, root_user)
    request.headers += [(name, values.get(name.lower(), "private")) for name in sent]
    reply = raw.send(server.url, request)
    assert (reply.status, reply.code, reply.element("Message")) == (403, "AccessDenied", NOT_SIGNED)
    assert reply.element("HeadersNotSigned") == named
    assert keys(s3, bucket) == []


def test_signed__an_unsigned_date_is_named_in_the_header_form(server, bucket, root_user):
    request = request_of(server, "GET", f"/{bucket}", headers=[("x-amz-meta-a", "b")])
    raw.sign_v4(request, root_user, signed={"host", "x-amz-content-sha256"})
    reply = raw.send(server.url, request)
    assert (reply.status, reply.code, reply.element("HeadersNotSigned")) == (403, "AccessDenied", "x-amz-meta-a, x-amz-date")


# ---- one mechanism ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("url", [raw.presign_v4, raw.presign_v2], ids=["v4 url", "v2 url"])
@pytest.mark.parametrize("method", ["GET", "PUT", "HEAD", "DELETE"])
@pytest.mark.parametrize("value", ["Basic dXNlcjpwYXNz", "Bearer eyJ0.x.y", "token abc", "Negotiate", "AWS a:b", "AWS4-HMAC-SHA256 x", "x"])
def test_signed__an_authorization_beside_a_url_makes_two_mechanisms(server, s3, bucket, root_user, url, method, value):
    s3.put_object(Bucket=bucket, Key="k", Body=b"kept")
    request = request_of(server, method, f"/{bucket}/k", b"body" if method == "PUT" else b"")
    url(request, root_user)
    request.headers.append(("Authorization", value))
    reply = raw.send(server.url, request)
    assert reply.status == 400
    if method != "HEAD":
        assert (reply.code, reply.element("Message")) == ("InvalidArgument", ONE_MECHANISM)
        assert (reply.element("ArgumentName"), reply.element("ArgumentValue")) == ("Authorization", value)
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"kept"


def test_signed__an_authorization_beside_a_forms_policy_makes_two_mechanisms(server, s3, bucket, root_user):
    when = raw.now()
    policy = json.dumps({"expiration": when.replace(year=when.year + 1).strftime("%Y-%m-%dT%H:%M:%SZ"),
                         "conditions": [{"bucket": bucket}, {"key": "k"}]})  # fmt: skip
    policy = base64.b64encode(policy.encode()).decode()
    fields = [("key", "k"), ("policy", policy), ("AWSAccessKeyId", root_user.access_key), ("signature", raw.v2_mac(root_user, policy))]
    body, content_type = raw.form_body(fields, b"posted")

    request = request_of(server, "POST", f"/{bucket}", body, [("Content-Type", content_type)])
    raw.sign_v4(request, root_user)
    reply = raw.send(server.url, request)
    assert (reply.status, reply.code, reply.element("Message")) == (400, "InvalidArgument", ONE_MECHANISM)
    assert reply.element("ArgumentName") == "Authorization"
    assert keys(s3, bucket) == []

    reply = raw.anonymous(server.url, "POST", f"/{bucket}", body, [("Content-Type", content_type)])
    assert (reply.status, keys(s3, bucket)) == (204, ["k"])


# ---- V2: names and values stay what they are -----------------------------------------------------------------


def test_v2__a_signed_version_can_not_be_hidden_in_another_value(server, s3, versioned, root_user):
    old = s3.put_object(Bucket=versioned, Key="k", Body=b"old")["VersionId"]
    s3.put_object(Bucket=versioned, Key="k", Body=b"secret")
    request = request_of(server, "GET", f"/{versioned}/k?response-content-type=text/plain&versionId={old}")
    raw.presign_v2(request, root_user)
    assert raw.send(server.url, request).body == b"old"
    request.target = request.target.replace("&versionId=", "%26versionId%3D")
    reply = raw.send(server.url, request)
    assert (reply.status, reply.code) == (400, "InvalidArgument")
    assert b"secret" not in reply.body


@pytest.mark.parametrize("name,value", [
    ("x-amz-acl:private%0Ax-amz-server-side-encryption", "AES256"), ("x-amz-acl", "private%0Ax-amz-server-side-encryption:AES256"),
    ("x-amz-acl", "private%0D%0Ax-amz-server-side-encryption:AES256"),
    ("X-AMZ-ACL%3Aprivate%0Ax-amz-server-side-encryption", "AES256"),
])  # fmt: skip
def test_v2__signed_headers_can_not_be_folded_into_one_parameter(server, s3, bucket, root_user, name, value):
    request = request_of(server, "PUT", f"/{bucket}/k", b"body")
    request.headers += [("x-amz-acl", "private"), ("x-amz-server-side-encryption", "AES256")]
    raw.presign_v2(request, root_user)
    request.headers = request.headers[:1]
    honest = request.target
    request.target += "&x-amz-acl=private&x-amz-server-side-encryption=AES256"
    assert raw.send(server.url, request).status == 200
    assert s3.head_object(Bucket=bucket, Key="k")["ServerSideEncryption"] == "AES256"
    s3.delete_object(Bucket=bucket, Key="k")
    request.target = f"{honest}&{name}={value}"
    reply = raw.send(server.url, request)
    assert (reply.status, reply.code, keys(s3, bucket)) == (400, "InvalidArgument", []), reply


def test_v2__a_header_that_contradicts_its_signed_parameter_is_a_mismatch(server, s3, bucket, root_user):
    for name, signed, sent in (("Content-Type", "text/plain", "text/xml"), ("x-amz-acl", "private", "public-read"),
                               ("Content-MD5", "XrY7u+Ae7tCTyyK7j1rNww==", "hBotaJrYa9FhFEdFPCLG/w==")):  # fmt: skip
        request = request_of(server, "PUT", f"/{bucket}/k", b"body", [(name, signed)])
        raw.presign_v2(request, root_user)
        request.headers = [("Host", raw.host_of(server.url)), (name, sent)]
        request.target += f"&{name.lower()}={raw.quote(signed)}"
        reply = raw.send(server.url, request)
        assert (reply.status, reply.code) == (403, "SignatureDoesNotMatch"), name
        assert sent in reply.element("StringToSign")
    assert keys(s3, bucket) == []


# ---- headers that a URL carries in its query ---------------------------------------------------------------


def presigned(server, user, method, target, body=b"", extra=(), headers=()):
    request = request_of(server, method, target, body)
    raw.presign_v4(request, user, extra=extra)
    request.headers += headers
    return raw.send(server.url, request)


def test_presigned_header__if_none_match_lets_a_url_write_once(server, bucket, root_user):
    request = request_of(server, "PUT", f"/{bucket}/k", b"body")
    raw.presign_v4(request, root_user, extra=[("If-None-Match", "*")])
    assert "If-None-Match=%2A" in request.target
    assert raw.send(server.url, request).status == 200
    reply = raw.send(server.url, request)
    assert (reply.status, reply.code, reply.element("Condition")) == (412, "PreconditionFailed", "If-None-Match")


def test_presigned_header__if_match_must_hold(server, s3, bucket, root_user):
    etag = s3.put_object(Bucket=bucket, Key="k", Body=b"old")["ETag"]
    reply = presigned(server, root_user, "PUT", f"/{bucket}/k", b"new", [("If-Match", '"' + "0" * 32 + '"')])
    assert (reply.status, reply.code, reply.element("Condition")) == (412, "PreconditionFailed", "If-Match")
    assert presigned(server, root_user, "PUT", f"/{bucket}/k", b"new", [("if-match", etag)]).status == 200
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"new"


def test_presigned_header__conditions_of_a_read(server, s3, bucket, root_user):
    etag = s3.put_object(Bucket=bucket, Key="k", Body=b"body")["ETag"]
    past, future = "Tue, 01 Jan 2019 00:00:00 GMT", "Fri, 01 Jan 2100 00:00:00 GMT"
    for name, value, status in (("If-None-Match", etag, 304), ("If-None-Match", '"x"', 200), ("If-Match", '"x"', 412),
                                ("If-Unmodified-Since", past, 412), ("If-Unmodified-Since", future, 200),
                                ("If-Modified-Since", past, 200)):  # fmt: skip
        assert presigned(server, root_user, "GET", f"/{bucket}/k", extra=[(name, value)]).status == status, (name, value)


def test_presigned_header__a_copy_source_makes_a_copy(server, s3, bucket, root_user):
    s3.put_object(Bucket=bucket, Key="from", Body=b"source", Metadata={"a": "b"})
    reply = presigned(server, root_user, "PUT", f"/{bucket}/to", extra=[("x-amz-copy-source", f"{bucket}/from")])
    assert (reply.status, b"<CopyObjectResult" in reply.body) == (200, True)
    got = s3.get_object(Bucket=bucket, Key="to")
    assert (got["Body"].read(), got["Metadata"]) == (b"source", {"a": "b"})
    reply = presigned(server, root_user, "PUT", f"/{bucket}/to2",
                      extra=[("x-amz-copy-source", f"{bucket}/from"), ("x-amz-copy-source-if-match", '"x"')])  # fmt: skip
    assert (reply.status, reply.code) == (412, "PreconditionFailed")


def test_presigned_header__attributes_and_expected_owner(server, s3, bucket, root_user):
    s3.put_object(Bucket=bucket, Key="k", Body=b"body")
    reply = presigned(server, root_user, "GET", f"/{bucket}/k?attributes", extra=[("x-amz-object-attributes", "ObjectSize")])
    assert (reply.status, reply.element("ObjectSize")) == (200, "4")
    reply = presigned(server, root_user, "GET", f"/{bucket}/k", extra=[("x-amz-expected-bucket-owner", "123456789012")])
    assert reply.status == 403


def test_presigned_header__content_headers_are_stored(server, s3, bucket, root_user):
    extra = [("Content-Type", "text/x"), ("Cache-Control", "no-store"), ("Content-Disposition", "inline; filename=a b"),
             ("Content-Language", "de"), ("Content-Encoding", "identity"), ("Expires", "Fri, 01 Jan 2100 00:00:00 GMT")]  # fmt: skip
    assert presigned(server, root_user, "PUT", f"/{bucket}/k", b"body", extra).status == 200
    head = s3.head_object(Bucket=bucket, Key="k")
    assert (head["ContentType"], head["CacheControl"], head["ContentDisposition"]) == ("text/x", "no-store", "inline; filename=a b")
    assert (head["ContentLanguage"], head["ContentEncoding"], head["ExpiresString"]) == ("de", "identity", extra[-1][1])


def test_presigned_header__a_digest_in_the_query_is_held_to(server, s3, bucket, root_user):
    for present in (lambda request, pairs: raw.presign_v4(request, root_user, extra=pairs), None):
        for body, status in ((b"other", 400), (b"body", 200)):
            md5 = base64.b64encode(hashlib.md5(b"body").digest()).decode()
            request = request_of(server, "PUT", f"/{bucket}/k", body)
            if present:
                present(request, [("Content-MD5", md5)])
            else:
                request.headers.append(("Content-MD5", md5))
                raw.presign_v2(request, root_user)
                request.headers.pop()
                request.target += f"&content-md5={raw.quote(md5)}"
            reply = raw.send(server.url, request)
            assert (reply.status, reply.code) == (status, "BadDigest" if status == 400 else None)


def test_presigned_header__one_that_was_sent_and_signed_counts_first(server, s3, bucket, root_user):
    request = request_of(server, "PUT", f"/{bucket}/k", b"body", [("x-amz-meta-a", "sent"), ("Content-Type", "text/sent")])
    raw.presign_v4(request, root_user, signed=("host", "x-amz-meta-a", "content-type"),
                   extra=[("x-amz-meta-a", "query"), ("Content-Type", "text/query"), ("x-amz-meta-b", "query")])  # fmt: skip
    assert raw.send(server.url, request).status == 200
    head = s3.head_object(Bucket=bucket, Key="k")
    assert (head["Metadata"], head["ContentType"]) == ({"a": "sent", "b": "query"}, "text/sent")


def test_presigned_header__one_that_was_not_signed_lifts_no_condition(server, s3, bucket, root_user):
    etag = s3.put_object(Bucket=bucket, Key="k", Body=b"old")["ETag"]
    other = '"' + "0" * 32 + '"'
    for name, signed, sent in (("If-Match", other, etag), ("if-match", other, etag), ("If-None-Match", "*", "")):
        reply = presigned(server, root_user, "PUT", f"/{bucket}/k", b"new", [(name, signed)], [(name, sent)])
        assert (reply.status, reply.code) == (412, "PreconditionFailed"), (name, signed)
    for name, signed, sent in (("If-Match", other, etag), ("If-Unmodified-Since", "Tue, 01 Jan 2019 00:00:00 GMT",
                                                           "Fri, 01 Jan 2100 00:00:00 GMT")):  # fmt: skip
        assert presigned(server, root_user, "GET", f"/{bucket}/k", b"", [(name, signed)], [(name, sent)]).status == 412, name
    digests = [base64.b64encode(hashlib.md5(body).digest()).decode() for body in (b"meant", b"new")]
    reply = presigned(server, root_user, "PUT", f"/{bucket}/k", b"new", [("Content-MD5", digests[0])], [("Content-MD5", digests[1])])
    assert (reply.status, reply.code) == (400, "BadDigest")
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"old"


def test_presigned_header__one_that_was_not_signed_changes_no_attribute(server, s3, bucket, root_user):
    extra = [("Content-Type", "text/signed"), ("Cache-Control", "no-store")]
    sent = [("content-type", "text/html"), ("Cache-Control", "public"), ("Content-Language", "de")]
    assert presigned(server, root_user, "PUT", f"/{bucket}/k", b"body", extra, sent).status == 200
    head = s3.head_object(Bucket=bucket, Key="k")
    assert (head["ContentType"], head["CacheControl"], head["ContentLanguage"]) == ("text/signed", "no-store", "de")


def test_presigned_header__text_beyond_ascii_is_utf8_in_a_query(server, s3, bucket, root_user):
    extra = [("x-amz-meta-a", "abcé"), ("x-amz-meta-b", "日本"), ("Content-Disposition", 'inline; filename="é"')]
    assert presigned(server, root_user, "PUT", f"/{bucket}/k", b"body", extra).status == 200
    reply = presigned(server, root_user, "GET", f"/{bucket}/k")
    assert (reply.header("x-amz-meta-a"), reply.header("x-amz-meta-b")) == ("=?UTF-8?Q?abc=C3=A9?=", "=?UTF-8?B?5pel5pys?=")
    assert reply.header("content-disposition") == 'inline; filename="é"'


@pytest.mark.parametrize("name,value", [("x-amz-meta-a", "b\nc"), ("x-amz-acl:private\nx-amz-meta-b", "c"), ("Content-Type", "a\x7f")])
def test_presigned_header__what_could_not_be_sent_is_refused(server, s3, bucket, root_user, name, value):
    reply = presigned(server, root_user, "PUT", f"/{bucket}/k", b"body", [(name, value)])
    assert (reply.status, reply.code, keys(s3, bucket)) == (400, "InvalidArgument", [])


def test_presigned_header__v2_takes_only_what_it_signs(server, s3, bucket, root_user):
    request = request_of(server, "PUT", f"/{bucket}/k", b"body")
    raw.presign_v2(request, root_user)
    for extra in ("Cache-Control=no-store", "If-None-Match=%2A"):
        reply = raw.send(server.url, raw.Request("PUT", f"{request.target}&{extra}", request.headers, b"body"))
        assert (reply.status, reply.code) == (501, "NotImplemented"), extra
    assert keys(s3, bucket) == []


def test_signed_header__lines_of_one_name_are_one_value(server, s3, bucket, root_user):
    """A signature over one value also fits it cut at a comma: the parts must not be read alone."""
    s3.put_object(Bucket=bucket, Key="a", Body=b"secret")
    s3.put_object(Bucket=bucket, Key="a,b", Body=b"meant")
    request = request_of(server, "PUT", f"/{bucket}/to", headers=[("x-amz-copy-source", f"{bucket}/a,b")])
    raw.sign_v4(request, root_user)
    at = [name for name, _ in request.headers].index("x-amz-copy-source")
    request.headers[at : at + 1] = [("x-amz-copy-source", f"{bucket}/a"), ("x-amz-copy-source", "b")]
    assert raw.send(server.url, request).status == 200
    assert s3.get_object(Bucket=bucket, Key="to")["Body"].read() == b"meant"
