# SPDX-License-Identifier: Apache-2.0
"""Every way in which a signature is refused: code, message and the elements beside them, no more and no less.

    https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
"""

import datetime
import itertools
import time
import xml.etree.ElementTree as ET

import pytest

from wire import raw

numbers = itertools.count(1)
COMMON = {"Code", "Message", "RequestId", "HostId"}
V4_MISMATCH = {"AWSAccessKeyId", "StringToSign", "SignatureProvided", "StringToSignBytes", "CanonicalRequest", "CanonicalRequestBytes"}
V2_MISMATCH = {"AWSAccessKeyId", "StringToSign", "SignatureProvided", "StringToSignBytes"}
MISMATCH = "The request signature we calculated does not match the signature you provided. Check your key and signing method."
UNKNOWN = "The AWS Access Key Id you provided does not exist in our records."


def refused(server, request, status, code, message, elements=frozenset()):
    """The reply, whose error has exactly these elements."""
    reply = raw.send(server.url, request)
    assert (reply.status, reply.code, reply.element("Message")) == (status, code, message), reply
    assert {node.tag for node in ET.fromstring(reply.body)} == COMMON | set(elements)
    return reply


def request_of(server, target="/bucket/key"):
    return raw.Request("GET", target, [("Host", raw.host_of(server.url))])


def wrong(user):
    return raw.User("x", user.access_key, "wrong")


def pairs(text):
    return " ".join(f"{byte:02x}" for byte in text.encode())


@pytest.mark.parametrize("sign", [raw.sign_v4, raw.presign_v4])
def test_refusal__v4_mismatch_shows_both_texts_and_their_bytes(server, root_user, sign):
    request = request_of(server)
    signature = sign(request, wrong(root_user))
    reply = refused(server, request, 403, "SignatureDoesNotMatch", MISMATCH, V4_MISMATCH)
    assert reply.element("AWSAccessKeyId") == root_user.access_key
    assert reply.element("SignatureProvided") == signature.text
    assert reply.element("StringToSign") == signature.string_to_sign
    assert reply.element("StringToSignBytes") == pairs(signature.string_to_sign)
    assert reply.element("CanonicalRequest") == signature.canonical
    assert reply.element("CanonicalRequestBytes") == pairs(signature.canonical)


@pytest.mark.parametrize("sign", [raw.sign_v2, raw.presign_v2])
def test_refusal__v2_mismatch_shows_the_string_to_sign(server, root_user, sign):
    request = request_of(server)
    text = sign(request, wrong(root_user))
    reply = refused(server, request, 403, "SignatureDoesNotMatch", MISMATCH, V2_MISMATCH)
    assert (reply.element("AWSAccessKeyId"), reply.element("StringToSign")) == (root_user.access_key, text)
    assert reply.element("StringToSignBytes") == pairs(text)


@pytest.mark.parametrize("sign", [raw.sign_v4, raw.presign_v4, raw.sign_v2, raw.presign_v2])
def test_refusal__an_unknown_key_is_named(server, sign):
    request = request_of(server)
    sign(request, raw.User("x", "UNKNOWNKEY00EXAMPLE", "x"))
    reply = refused(server, request, 403, "InvalidAccessKeyId", UNKNOWN, {"AWSAccessKeyId"})
    assert reply.element("AWSAccessKeyId") == "UNKNOWNKEY00EXAMPLE"


def test_refusal__an_expired_v4_url_says_for_how_long_it_was(server, root_user):
    when = (raw.now() - datetime.timedelta(minutes=5)).replace(microsecond=0)
    request = request_of(server)
    raw.presign_v4(request, root_user, 60, when=when)
    reply = refused(server, request, 403, "AccessDenied", "Request has expired", {"X-Amz-Expires", "Expires", "ServerTime"})
    assert reply.element("X-Amz-Expires") == "60"
    assert reply.element("Expires") == (when + datetime.timedelta(seconds=60)).strftime("%Y-%m-%dT%H:%M:%SZ")


def test_refusal__an_expired_v2_url_says_when(server, root_user):
    expires = int(time.time()) - 60
    request = request_of(server)
    raw.presign_v2(request, root_user, expires)
    reply = refused(server, request, 403, "AccessDenied", "Request has expired", {"Expires", "ServerTime"})
    assert reply.element("Expires") == datetime.datetime.fromtimestamp(expires, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


@pytest.mark.parametrize("sign", [raw.sign_v4, raw.sign_v2])
def test_refusal__a_skewed_clock_is_told_both_times(server, root_user, sign):
    request = request_of(server)
    sign(request, root_user, when=raw.now() - datetime.timedelta(minutes=20))
    refused(server, request, 403, "RequestTimeTooSkewed", "The difference between the request time and the current time is too large.",
            {"RequestTime", "ServerTime", "MaxAllowedSkewMilliseconds"})  # fmt: skip


def test_refusal__anonymous_and_unsigned_requests_are_told_nothing_more(server, bucket):
    refused(server, request_of(server, f"/{bucket}"), 403, "AccessDenied", "Access Denied")


def test_refusal__unsigned_headers_are_named_and_nothing_else(server, root_user):
    request = request_of(server)
    raw.presign_v4(request, root_user)
    request.headers.append(("x-amz-meta-a", "b"))
    refused(server, request, 403, "AccessDenied", "There were headers present in the request which were not signed", {"HeadersNotSigned"})


@pytest.mark.parametrize("value,message", [
    ("AWS4-HMAC-SHA256 Credential=x", "the authorization header requires three components: Credential, SignedHeaders, and Signature."),
    ("AWS4-HMAC-SHA256 Credential=x/y, SignedHeaders=host, Signature=0",
     'the Credential is mal-formed; expecting "<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request".'),
])  # fmt: skip
def test_refusal__a_malformed_header_has_no_elements(server, value, message):
    request = request_of(server)
    request.headers += [("Authorization", value), ("x-amz-date", raw.now().strftime("%Y%m%dT%H%M%SZ"))]
    refused(server, request, 400, "AuthorizationHeaderMalformed", f"The authorization header is malformed; {message}")


def test_refusal__another_service_or_date_has_no_elements(server, root_user):
    for options, message in (({"service": "iam"}, 'incorrect service "iam". This endpoint belongs to "s3".'),):
        request = request_of(server)
        raw.sign_v4(request, root_user, **options)
        refused(server, request, 400, "AuthorizationHeaderMalformed", f"The authorization header is malformed; {message}")
        request = request_of(server)
        raw.presign_v4(request, root_user, **options)
        refused(server, request, 400, "AuthorizationQueryParametersError", f"Error parsing the X-Amz-Credential parameter; {message}")


def test_refusal__another_region_is_told_the_right_one(make_server):
    server = make_server("--region", "eu-west-1", "--strict-region")
    request = request_of(server, "/")
    raw.sign_v4(request, server.users["root"])
    reply = refused(server, request, 400, "AuthorizationHeaderMalformed",
                    "The authorization header is malformed; the region 'us-east-1' is wrong; expecting 'eu-west-1'", {"Region"})  # fmt: skip
    assert reply.element("Region") == "eu-west-1"


def test_refusal__an_unknown_scheme_is_named(server):
    request = request_of(server)
    request.headers.append(("Authorization", "Bearer abc"))
    reply = refused(server, request, 400, "InvalidArgument", "Unsupported Authorization Type", {"ArgumentName", "ArgumentValue"})
    assert (reply.element("ArgumentName"), reply.element("ArgumentValue")) == ("Authorization", "Bearer abc")


def test_refusal__tokens(server, root_user):
    temp = server.users["temp"]
    for user, code, message in (
        (raw.User("x", temp.access_key, temp.secret_key, session_token="wrong"), "InvalidToken", "The provided token is malformed or otherwise invalid."),
        (raw.User("x", root_user.access_key, root_user.secret_key, session_token="any"), "InvalidToken",
         "The provided token is malformed or otherwise invalid."),
    ):  # fmt: skip
        for sign in (raw.sign_v4, raw.presign_v4):
            request = request_of(server)
            sign(request, user)
            refused(server, request, 400, code, message)


# ---- access ----------------------------------------------------------------------------------------------


def refused_access(server, user, method, target, headers=()):
    """The log's reason; the answer has the elements of every AccessDenied."""
    request = raw.Request(method, target, [("Host", raw.host_of(server.url)), *headers])
    if user is not None:
        raw.sign_v4(request, user)
    reply = refused(server, request, 403, "AccessDenied", "Access Denied")
    return server.log_line(reply).rstrip("\n").partition(' why="')[2].removesuffix('"')


@pytest.fixture
def others_bucket(server):
    """Alice's bucket with one object, which bob may write to and nobody else."""
    name = f"whose-{next(numbers)}"
    alice, bob = server.users["alice"], server.users["bob"]
    grant = {"x-amz-grant-full-control": f'id="{alice.canonical_id}"', "x-amz-grant-write": f'id="{bob.canonical_id}"'}
    assert raw.signed(server.url, alice, "PUT", f"/{name}", headers=grant.items()).status == 200
    assert raw.signed(server.url, alice, "PUT", f"/{name}/key", b"x").status == 200
    return name


@pytest.mark.parametrize("method,target,why", [
    ("GET", "", "s3:ListBucket: the bucket's ACL gives no READ"),
    ("GET", "?versions", "s3:ListBucketVersions: the bucket's ACL gives no READ"),
    ("PUT", "?acl", "s3:PutBucketAcl: the bucket's ACL gives no WRITE_ACP"),
    ("GET", "?policy", "s3:GetBucketPolicy: only the bucket's owner may"),
    ("GET", "/key", "s3:GetObject: the object's ACL gives no READ"),
    ("GET", "/key?versionId=null", "s3:GetObjectVersion: the object's ACL gives no READ"),
    ("GET", "/key?tagging&versionId=null", "s3:GetObjectVersionTagging: not the owner"),
    ("GET", "/none", "s3:ListBucket: the bucket's ACL gives no READ"),
    ("DELETE", "/key?versionId=null", "s3:DeleteObjectVersion: only the bucket's owner may"),
    ("POST", "?metadataConfiguration", "pail:AskForTheAbsent: only the bucket's owner may"),
])  # fmt: skip
def test_refusal__access_tells_the_log_why_and_the_client_no_more(server, others_bucket, method, target, why):
    assert refused_access(server, server.users["bob"], method, f"/{others_bucket}{target}") == why


def test_refusal__access_to_anothers_upload_says_so_in_the_log(server, others_bucket):
    target = f"/{others_bucket}/upload"
    made = raw.signed(server.url, server.users["alice"], "POST", f"{target}?uploads")
    why = refused_access(server, server.users["bob"], "DELETE", f"{target}?uploadId={made.element('UploadId')}")
    assert why == "s3:AbortMultipartUpload: somebody else's upload in somebody else's bucket"


def test_refusal__access_without_a_signature_says_so_in_the_log(server):
    assert refused_access(server, None, "GET", "/") == "s3:ListAllMyBuckets: nobody signed the request"


def test_refusal__access_to_a_bucket_of_another_owner_than_expected_says_so_in_the_log(server, others_bucket):
    expected = [("x-amz-expected-bucket-owner", server.users["bob"].canonical_id)]
    why = refused_access(server, server.users["alice"], "GET", f"/{others_bucket}", expected)
    assert why == "the bucket is not of the owner who is expected"
