# SPDX-License-Identifier: Apache-2.0
"""What a request could store comes back whole: no header of a reply is left out, however many there are.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html
"""

import pytest

from wire import raw

FIELDS_MAX = 100
PARAMS_MAX = 64


def stored_names(reply):
    return {name.lower() for name, _ in reply.headers if name.lower().startswith("x-amz-meta-")}


def check(server, user, target, expected):
    for method in ("GET", "HEAD"):
        reply = raw.signed(server.url, user, method, target)
        assert reply.status == 200
        assert stored_names(reply) == expected, method
        for name in ("Content-Type", "x-amz-request-id", "x-amz-id-2", "ETag", "Last-Modified", "Accept-Ranges"):
            assert reply.header(name), (method, name)


def put_with_fields(server, user, target, count):
    request = raw.Request("PUT", target, [("Host", raw.host_of(server.url))], b"x")
    raw.sign_v4(request, user)
    others = len(request.headers) + 1  # Content-Length is added when it is sent
    names = [f"x-amz-meta-{n:02x}" for n in range(count - others)]
    request.headers = [("Host", raw.host_of(server.url)), *((name, "v") for name in names)]
    raw.sign_v4(request, user)
    return raw.send(server.url, request), set(names)


def test_PutObject__metadata_in_every_header_field_comes_back(server, root_user, bucket):
    reply, names = put_with_fields(server, root_user, f"/{bucket}/k", FIELDS_MAX)
    assert reply.status == 200
    assert len(names) > 90
    check(server, root_user, f"/{bucket}/k", names)


def test_PutObject__one_header_field_more_is_refused(server, root_user, bucket):
    reply, _ = put_with_fields(server, root_user, f"/{bucket}/k", FIELDS_MAX + 1)
    assert reply.status == 400
    assert reply.code == "RequestHeaderSectionTooLarge"


@pytest.mark.parametrize("hoisted", [1, PARAMS_MAX - 6])
def test_PutObject__metadata_in_headers_and_in_a_presigned_query_comes_back(server, root_user, bucket, hoisted):
    in_query = [f"x-amz-meta-q{n:02x}" for n in range(hoisted)]
    in_head = [f"x-amz-meta-h{n:02x}" for n in range(FIELDS_MAX - 2)]
    headers = [("Host", raw.host_of(server.url)), *((name, "v") for name in in_head)]
    request = raw.Request("PUT", f"/{bucket}/k", headers, b"x")
    raw.presign_v4(request, root_user, signed=["host", *in_head], extra=[(name, "w") for name in in_query])
    assert raw.send(server.url, request).status == 200
    check(server, root_user, f"/{bucket}/k", {*in_query, *in_head})
