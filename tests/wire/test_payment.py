# SPDX-License-Identifier: Apache-2.0
"""Who pays for requests, and the accelerated address: kept, and what they do.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/RequesterPaysBuckets.html
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/transfer-acceleration.html
"""

import urllib.parse

import pytest

from sdk import expect
from sdk.cloud import Cloud, bucket_name
from wire import raw

AGREED = [("x-amz-request-payer", "requester")]
DENIED = (403, "AccessDenied")


def put(server, target, body, user="root"):
    request = raw.Request("PUT", target, [("Host", raw.host_of(server.url))], body)
    raw.sign_v4(raw.with_md5(request), server.users[user])
    return raw.send(server.url, request)


def answer(reply):
    return (reply.status, reply.code) if reply.status >= 300 else reply.status


# ---- kept ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("payer", ["Requester", "BucketOwner"])
def test_PutBucketRequestPayment__is_what_is_told(s3, bucket, payer):
    assert expect.status_of(s3.put_bucket_request_payment(Bucket=bucket, RequestPaymentConfiguration={"Payer": payer})) == 200
    assert s3.get_bucket_request_payment(Bucket=bucket)["Payer"] == payer


def test_GetBucketRequestPayment__of_a_new_bucket_is_its_owner(s3, bucket):
    assert s3.get_bucket_request_payment(Bucket=bucket)["Payer"] == "BucketOwner"


@pytest.mark.parametrize("status", ["Enabled", "Suspended"])
def test_PutBucketAccelerateConfiguration__is_what_is_told(s3, bucket, status):
    s3.put_bucket_accelerate_configuration(Bucket=bucket, AccelerateConfiguration={"Status": status})
    assert s3.get_bucket_accelerate_configuration(Bucket=bucket)["Status"] == status


def test_GetBucketAccelerateConfiguration__of_a_new_bucket_is_empty(s3, bucket):
    assert "Status" not in s3.get_bucket_accelerate_configuration(Bucket=bucket)


@pytest.mark.parametrize("body", [
    b"<RequestPaymentConfiguration/>",
    b"<RequestPaymentConfiguration><Payer/></RequestPaymentConfiguration>",
    b"<RequestPaymentConfiguration><Payer>requester</Payer></RequestPaymentConfiguration>",
    b"<RequestPaymentConfiguration><Payer>Nobody</Payer></RequestPaymentConfiguration>",
    b"<RequestPaymentConfiguration><Payer>Requester</Payer><Payer>Requester</Payer></RequestPaymentConfiguration>",
    b"<RequestPayment><Payer>Requester</Payer></RequestPayment>",
])  # fmt: skip
def test_PutBucketRequestPayment__another_document_is_malformed(server, bucket, body):
    assert answer(put(server, f"/{bucket}?requestPayment", body)) == (400, "MalformedXML")


@pytest.mark.parametrize("body", [
    b"<AccelerateConfiguration/>",
    b"<AccelerateConfiguration><Status>enabled</Status></AccelerateConfiguration>",
    b"<AccelerateConfiguration><Status>Disabled</Status></AccelerateConfiguration>",
    b"<AccelerateConfiguration><Status>Enabled</Status><More/></AccelerateConfiguration>",
])  # fmt: skip
def test_PutBucketAccelerateConfiguration__another_document_is_malformed(server, bucket, body):
    assert answer(put(server, f"/{bucket}?accelerate", body)) == (400, "MalformedXML")


def test_PutBucketAccelerateConfiguration__a_name_with_dots_is_refused(server, s3):
    name = bucket_name("with.dots")
    s3.create_bucket(Bucket=name)
    reply = put(server, f"/{name}?accelerate", b"<AccelerateConfiguration><Status>Enabled</Status></AccelerateConfiguration>")
    assert answer(reply) == (400, "InvalidRequest")
    assert reply.element("Message") == "S3 Transfer Acceleration is not supported for buckets with periods (.) in their names"


# ---- who pays --------------------------------------------------------------------------------------


@pytest.fixture
def paid(server, s3, bucket):
    """A bucket of root's that anybody may read and write, and whose requesters pay."""
    s3.put_bucket_acl(Bucket=bucket, ACL="public-read-write")
    s3.put_object(Bucket=bucket, Key="key", Body=b"data", ACL="public-read")
    s3.put_bucket_request_payment(Bucket=bucket, RequestPaymentConfiguration={"Payer": "Requester"})
    return bucket


REQUESTS = [("GET", "/key"), ("HEAD", "/key"), ("PUT", "/new"), ("DELETE", "/absent"), ("GET", "?list-type=2"),
            ("GET", ""), ("HEAD", ""), ("POST", "/new?uploads"), ("GET", "?uploads"), ("GET", "?versions")]  # fmt: skip


@pytest.mark.parametrize("method, target", REQUESTS)
def test_requester_pays__only_whoever_agrees_is_served(server, paid, method, target):
    alice = server.users["alice"]
    body = b"body" if method == "PUT" else b""
    refused = raw.signed(server.url, alice, method, f"/{paid}{target}", body)
    assert (refused.status, refused.header("x-amz-request-charged")) == (403, None)
    for word in ("", "Requester", "owner"):
        assert raw.signed(server.url, alice, method, f"/{paid}{target}", body, headers=[("x-amz-request-payer", word)]).status == 403
    reply = raw.signed(server.url, alice, method, f"/{paid}{target}", body, headers=AGREED)
    status = 204 if method == "DELETE" else 200
    assert (reply.status, reply.header("x-amz-request-charged")) == (status, "requester"), reply


@pytest.mark.parametrize("method, target", REQUESTS)
def test_requester_pays__nobody_knows_whom_an_unsigned_request_would_be_charged_to(server, paid, method, target):
    assert raw.anonymous(server.url, method, f"/{paid}{target}", headers=AGREED).status == 403


def test_requester_pays__the_owner_is_not_asked(server, s3, paid):
    reply = raw.signed(server.url, server.users["root"], "GET", f"/{paid}/key")
    assert (reply.body, reply.header("x-amz-request-charged")) == (b"data", None)


def test_requester_pays__what_is_forbidden_stays_so(server, s3, paid):
    s3.put_object(Bucket=paid, Key="private", Body=b"")
    reply = raw.signed(server.url, server.users["alice"], "GET", f"/{paid}/private", headers=AGREED)
    assert (answer(reply), reply.header("x-amz-request-charged")) == (DENIED, None)


def test_requester_pays__a_copy_asks_for_its_source_too(server, paid):
    alice = Cloud(server).client("alice")
    mine = bucket_name("mine")
    alice.create_bucket(Bucket=mine)
    with expect.refused(*DENIED):
        alice.copy_object(Bucket=mine, Key="copy", CopySource=f"{paid}/key")
    assert alice.copy_object(Bucket=mine, Key="copy", CopySource=f"{paid}/key", RequestPayer="requester")["RequestCharged"] == "requester"
    assert expect.body_of(alice, mine, "copy") == b"data"


def test_requester_pays__a_url_agrees_in_its_query(server, paid):
    alice = Cloud(server).client("alice")

    def get(**more):
        url = urllib.parse.urlsplit(alice.generate_presigned_url("get_object", {"Bucket": paid, "Key": "key", **more}))
        return raw.anonymous(server.url, "GET", f"{url.path}?{url.query}")

    assert answer(get()) == DENIED
    assert get(RequestPayer="requester").body == b"data"


def test_requester_pays__a_form_agrees_by_a_header_of_its_request(server, paid):
    post = Cloud(server).client("alice").generate_presigned_post(paid, "posted")
    body, kind = raw.form_body(list(post["fields"].items()), b"posted")
    headers = [("Content-Type", kind)]
    assert answer(raw.anonymous(server.url, "POST", f"/{paid}", body, headers)) == DENIED
    reply = raw.anonymous(server.url, "POST", f"/{paid}", body, headers + AGREED)
    assert (reply.status, reply.header("x-amz-request-charged")) == (204, "requester")


def test_requester_pays__decided_again_when_the_body_is_there(server, s3, bucket):
    """The owner changes it while a body of alice's is under way."""
    s3.put_bucket_acl(Bucket=bucket, ACL="public-read-write")
    request = raw.Request("PUT", f"/{bucket}/late", [("Host", raw.host_of(server.url))], b"x" * 10)
    raw.sign_v4(request, server.users["alice"])
    head, _, body = request.wire().partition(b"\r\n\r\n")
    with raw.Connection(server.url) as connection:
        connection.send(head + b"\r\n\r\n" + body[:5])
        s3.put_bucket_request_payment(Bucket=bucket, RequestPaymentConfiguration={"Payer": "Requester"})
        connection.send(body[5:])
        assert answer(connection.reply()) == DENIED


# ---- the accelerated address -----------------------------------------------------------------------


def accelerated(server, bucket, method, target, form="s3-accelerate", user="root"):
    base = raw.host_of(server.url).replace("127.0.0.1", "localhost")  # of a second store it is another
    request = raw.Request(method, target, [("Host", f"{bucket}.{form}.{base}")])
    raw.sign_v4(request, server.users[user])
    return raw.send(server.url, request)


@pytest.mark.parametrize("form", ["s3-accelerate", "s3-accelerate.dualstack"])
def test_accelerated_address__is_served_while_it_is_enabled(server, s3, bucket, form):
    s3.put_object(Bucket=bucket, Key="key", Body=b"data")
    reply = accelerated(server, bucket, "GET", "/key", form)
    assert (answer(reply), reply.element("Message")) == (
        (400, "InvalidRequest"), "S3 Transfer Acceleration is not configured on this bucket")  # fmt: skip
    s3.put_bucket_accelerate_configuration(Bucket=bucket, AccelerateConfiguration={"Status": "Enabled"})
    assert accelerated(server, bucket, "GET", "/key", form).body == b"data"
    s3.put_bucket_accelerate_configuration(Bucket=bucket, AccelerateConfiguration={"Status": "Suspended"})
    reply = accelerated(server, bucket, "GET", "/key", form)
    assert (answer(reply), reply.element("Message")) == (
        (400, "InvalidRequest"), "S3 Transfer Acceleration is disabled on this bucket")  # fmt: skip


def test_accelerated_address__of_no_bucket(server):
    assert accelerated(server, "no-such-bucket-of-ours", "GET", "/key").code == "NoSuchBucket"


def test_accelerated_address__tells_strangers_nothing(server, bucket):
    assert answer(accelerated(server, bucket, "GET", "/key", user="alice")) == DENIED
