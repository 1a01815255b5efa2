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


@pytest.mark.parametrize("method,body", [("GET", b""), ("HEAD", b""), ("PUT", b"body"), ("DELETE", b"")])
def test_signed__the_payload_header_may_be_unsigned_in_the_header_form(server, s3, bucket, root_user, method, body):
    s3.put_object(Bucket=bucket, Key="k", Body=b"old")
    request = request_of(server, method, f"/{bucket}/k", body)
    raw.sign_v4(request, root_user, signed={"host", "x-amz-date"})
    assert raw.send(server.url, request).status // 100 == 2
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
    fields = [("key", "k"), ("policy", policy), ("AWSAccessKeyId", root_user.access_key), ("signature", raw._v2_mac(root_user, policy))]
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
