# SPDX-License-Identifier: Apache-2.0
"""A key pair that is taken away while the server runs, as boto3 meets it.

What wire/test_credentials.py asserts byte by byte, here with the signatures that SDKs make: clients, presigned
URLs and POST forms, of both versions.

    https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
"""

import dataclasses
import urllib.error
import urllib.request

import pytest

from sdk.cloud import Cloud
from sdk.expect import refused
from wire import raw
from wire.process import USERS

ALICE = USERS["alice"]
DISABLED = {**USERS, "alice": dataclasses.replace(ALICE, disabled=True)}


@pytest.fixture(params=["s3v4", "s3"])
def alices(request, make_server):
    """alice's client of a server of its own, and a bucket of hers with an object."""
    server = make_server()
    client = Cloud(server).client("alice", signature_version=request.param)
    client.create_bucket(Bucket="mine")
    client.put_object(Bucket="mine", Key="key", Body=b"mine")
    return server, client


def fetch(url):
    """(status, body) of a plain GET."""
    try:
        with urllib.request.urlopen(url, timeout=30) as reply:
            return reply.status, reply.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


def post(server, form):
    body, kind = raw.form_body(form["fields"].items(), file=b"posted")
    reply = raw.send(server.url, raw.Request("POST", "/mine", [("Content-Type", kind)], body))
    return reply.status, reply.code


def test_GetObject__of_a_disabled_key_is_refused_and_of_an_enabled_one_again_not(alices):
    server, client = alices
    server.reload(DISABLED)
    with refused(403, "InvalidAccessKeyId"):
        client.get_object(Bucket="mine", Key="key")
    server.reload(USERS)
    assert client.get_object(Bucket="mine", Key="key")["Body"].read() == b"mine"


def test_GetObject__presigned_by_a_disabled_key_is_refused(alices):
    server, client = alices
    url = client.generate_presigned_url("get_object", {"Bucket": "mine", "Key": "key"})
    assert fetch(url) == (200, b"mine")
    server.reload(DISABLED)
    status, body = fetch(url)
    assert status == 403 and b"<Code>InvalidAccessKeyId</Code>" in body
    server.reload(USERS)
    assert fetch(url) == (200, b"mine")


def test_PostObject__signed_by_a_disabled_key_is_refused(alices):
    server, client = alices
    form = client.generate_presigned_post("mine", "posted")
    assert post(server, form) == (204, None)
    server.reload(DISABLED)
    assert post(server, form) == (403, "InvalidAccessKeyId")
    server.reload(USERS)
    assert post(server, form) == (204, None)
