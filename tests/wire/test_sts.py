# SPDX-License-Identifier: Apache-2.0
"""Calls of other AWS services that arrive here: GetCallerIdentity is answered, the rest is told off.

    https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
"""

import hashlib
import json
import time
import xml.etree.ElementTree as ET

import boto3
import botocore.config
import botocore.exceptions
import pytest

from wire import raw

NAMESPACE = "{https://sts.amazonaws.com/doc/2011-06-15/}"
IDENTITY = b"Action=GetCallerIdentity&Version=2011-06-15"
FORM = ("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")


def request_of(server, body=IDENTITY, method="POST", target="/", headers=(FORM,)):
    return raw.Request(method, target, [("Host", raw.host_of(server.url)), *headers], body)


def ask(server, user, body=IDENTITY, *, method="POST", target="/", headers=(FORM,), service="sts", declared=True):
    request = request_of(server, body, method, target, headers)
    raw.sign_v4(request, user, hashlib.sha256(body).hexdigest(), service=service)
    if not declared:
        request.headers = [pair for pair in request.headers if pair[0].lower() != "x-amz-content-sha256"]
    return raw.send(server.url, request)


def sts_client(server, user, url=None, **arguments):
    return boto3.session.Session(
        user.access_key, user.secret_key, user.session_token or None, region_name="us-east-1",
    ).client("sts", endpoint_url=url or server.url, config=botocore.config.Config(retries={"max_attempts": 0}),
             **arguments)  # fmt: skip


def texts(reply):
    root = ET.fromstring(reply.body)
    return root.tag, {node.tag.removeprefix(NAMESPACE): node.text for node in root.iter() if node.text}


def made_account(canonical_id):
    """The account of a user that was given none."""
    number = int.from_bytes(hashlib.sha256(canonical_id.encode()).digest()[:8], "big")
    return f"{number % 10**12:012}"


def test_GetCallerIdentity__document_is_that_of_sts(server):
    reply = ask(server, server.users["root"])
    assert reply.status == 200, reply.body
    assert reply.header("Content-Type") == "text/xml"
    tag, found = texts(reply)
    assert tag == NAMESPACE + "GetCallerIdentityResponse"
    assert found == {"Arn": "arn:aws:iam::000000000000:root", "UserId": "000000000000", "Account": "000000000000",
                     "RequestId": reply.header("x-amzn-RequestId")}  # fmt: skip


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("name", ["root", "alice", "bob", "temp"])
def test_GetCallerIdentity__boto3_is_told_who_it_is(name, scheme, server):
    user = server.users[name]
    url, ca = (server.url, None) if scheme == "http" else (server.tls_url, str(server.certificate[0]))
    found = sts_client(server, user, url, verify=ca).get_caller_identity()
    account = "000000000000" if name == "root" else made_account(user.canonical_id)
    assert found["Account"] == account
    assert found["Arn"] == f"arn:aws:iam::{account}:" + ("root" if name == "root" else f"user/{name}")
    if name != "root":
        assert found["UserId"] == "AIDA" + user.canonical_id.upper()[:17]


def test_GetCallerIdentity__also_as_a_query_and_presigned(server):
    root = server.users["root"]
    target = "/?" + IDENTITY.decode()
    assert ask(server, root, b"", method="GET", target=target, headers=()).status == 200
    url = sts_client(server, root).generate_presigned_url("get_caller_identity", HttpMethod="GET")
    request = raw.Request("GET", url.removeprefix(server.url), [("Host", raw.host_of(server.url))], b"")
    reply = raw.send(server.url, request)
    assert reply.status == 200, reply.body
    assert texts(reply)[1]["Arn"].endswith(":root")


@pytest.mark.parametrize(("body", "code"), [
    (b"Action=AssumeRole&Version=2011-06-15", "InvalidAction"),
    (b"Action=GetCallerIdentity", "InvalidAction"),
    (b"Action=GetCallerIdentity&Version=2010-05-08", "InvalidAction"),
    (b"Action=getcalleridentity&Version=2011-06-15", "InvalidAction"),
    (b"Version=2011-06-15", "MissingAction"),
    (b"", "MissingAction"),
    (b"Action=GetCallerIdentity&Version=%zz", "MalformedQueryString"),
])  # fmt: skip
def test_sts__what_is_not_served_is_400_in_its_own_document(body, code, server):
    reply = ask(server, server.users["alice"], body)
    tag, found = texts(reply)
    assert (reply.status, tag) == (400, NAMESPACE + "ErrorResponse")
    assert (found["Type"], found["Code"]) == ("Sender", code)
    assert found["RequestId"] == reply.header("x-amzn-RequestId")


def test_sts__boto3_names_the_action_that_is_missing(server):
    with pytest.raises(botocore.exceptions.ClientError) as error:
        sts_client(server, server.users["root"]).get_session_token()
    assert error.value.response["Error"]["Code"] == "InvalidAction"
    assert "Could not find operation GetSessionToken for version 2011-06-15" in str(error.value)


def test_sts__a_signature_is_needed_and_must_be_right(server):
    root = server.users["root"]
    wrong = raw.User("x", root.access_key, "wrong-secret")
    unknown = raw.User("x", "NOBODYKEY000EXAMPLE", "secret")
    temp = server.users["temp"]
    no_token = raw.User("x", temp.access_key, temp.secret_key)
    for user, code in ((wrong, "SignatureDoesNotMatch"), (unknown, "InvalidClientTokenId"),
                       (no_token, "InvalidClientTokenId")):  # fmt: skip
        reply = ask(server, user)
        assert (reply.status, texts(reply)[1]["Code"]) == (403, code)
        assert b"arn:" not in reply.body


def test_sts__the_signature_covers_the_body(server):
    root = server.users["root"]
    for change in (b"Action=GetCallerIdentity&Version=2011-06-15&x=1", b""):
        request = request_of(server)
        raw.sign_v4(request, root, hashlib.sha256(IDENTITY).hexdigest(), service="sts")
        request.body = change
        reply = raw.send(server.url, request)
        assert (reply.status, texts(reply)[1]["Code"]) == (403, "SignatureDoesNotMatch")
    request = request_of(server)
    raw.sign_v4(request, root, raw.UNSIGNED, service="sts")
    assert raw.send(server.url, request).status == 403


def test_sts__a_body_of_64_KiB_is_taken_and_one_more_byte_is_not(server):
    root = server.users["root"]
    filler = b"&x="
    room = 65536 - len(IDENTITY) - len(filler)
    assert ask(server, root, IDENTITY + filler + b"y" * room).status == 200
    assert ask(server, root, IDENTITY + filler + b"y" * (room + 1)).status == 400


def test_sts__a_signature_for_sts_opens_nothing_of_s3(server):
    root = server.users["root"]
    for method, target in (("GET", "/"), ("PUT", "/sts-bucket"), ("GET", "/sts-bucket/key"), ("DELETE", "/x")):
        request = request_of(server, b"", method, target, ())
        raw.sign_v4(request, root, service="sts")
        reply = raw.send(server.url, request)
        assert (reply.status, reply.code) == (400, "AuthorizationHeaderMalformed")
    request = request_of(server)
    raw.sign_v4(request, root)
    reply = raw.send(server.url, request)
    assert (reply.status, reply.code) == (405, "MethodNotAllowed")


@pytest.mark.parametrize(("service", "content_type", "target"), [
    ("dynamodb", "application/x-amz-json-1.0", "DynamoDB_20120810.ListTables"),
    ("secretsmanager", "application/x-amz-json-1.1", "secretsmanager.ListSecrets"),
    ("kms", "application/x-amz-json-1.1", "TrentService.ListKeys"),
])  # fmt: skip
def test_other_services__json_callers_read_which_variable_to_set(service, content_type, target, server):
    reply = ask(server, server.users["root"], b"{}", headers=(("Content-Type", content_type), ("X-Amz-Target", target)),
                service=service)  # fmt: skip
    assert reply.status == 400
    message = json.loads(reply.body)["message"]
    assert f"serves S3, not '{service}'" in message and "AWS_ENDPOINT_URL_S3" in message


@pytest.mark.parametrize(("service", "call"), [
    ("dynamodb", "list_tables"), ("sqs", "list_queues"), ("sns", "list_topics"), ("iam", "list_users"),
    ("ec2", "describe_regions"), ("kms", "list_keys"), ("cloudformation", "list_stacks"),
])  # fmt: skip
def test_other_services__boto3_shows_the_message(service, call, server):
    root = server.users["root"]
    client = boto3.session.Session(root.access_key, root.secret_key, region_name="us-east-1").client(
        service, endpoint_url=server.url, config=botocore.config.Config(retries={"max_attempts": 0}))  # fmt: skip
    with pytest.raises(botocore.exceptions.ClientError) as error:
        getattr(client, call)()
    if service != "ec2":
        assert "AWS_ENDPOINT_URL_S3" in str(error.value)
    assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400


def test_sts__the_log_names_the_action_and_nothing_that_the_client_made_up(make_server):
    server = make_server()
    assert ask(server, server.users["root"]).status == 200
    assert ask(server, server.users["root"], b"Action=Made%20Up%0Aop=x&Version=2011-06-15").status == 400
    names, end = [], time.monotonic() + 30
    while len(names) < 2 and time.monotonic() < end:
        lines = server.stderr_path.read_text().splitlines()
        names = [line.split("op=", 1)[1].split()[0] for line in lines if " op=" in line]
    assert sorted(names) == ["GetCallerIdentity", "STS"]  # each loop writes its own lines
