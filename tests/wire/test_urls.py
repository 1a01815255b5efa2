# SPDX-License-Identifier: Apache-2.0
"""How the text of a URL is read, by every kind of caller, and what of it is signed.

(1) A plus is a blank in the path, the query and a copy source; %2B is the plus.
(2) What is signed is what the target means, not how it is spelt.

    https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
"""

import pytest

from wire import process, raw

HOWS = ["v4 header", "v4 url", "v2 header", "v2 url"]


def ask(server, user, how, method, signed, sent=None, body=b"", headers=()):
    """Sign for the target `signed`, then send `sent` (the same when None)."""
    path, _, query = signed.partition("?")
    request = raw.Request(method, signed, [("Host", raw.host_of(server.url)), *headers], body)
    if how == "v4 header":
        raw.sign_v4(request, user)
    elif how == "v2 header":
        raw.sign_v2(request, user)
    elif how == "v4 url":
        raw.presign_v4(request, user)
    elif how == "v2 url":
        raw.presign_v2(request, user)
    if sent is not None:
        assert request.target.startswith(signed)
        request.target = sent + request.target[len(signed) :]
    return raw.send(server.url, request)


def put(s3, bucket, *keys):
    for key in keys:
        s3.put_object(Bucket=bucket, Key=key, Body=key.encode(), ContentType="text/plain")


# ---- (1) and (2): the plus --------------------------------------------------------------------------------


@pytest.mark.parametrize("how", HOWS)
def test_url__a_plus_in_the_path_is_the_blank_that_was_signed(server, s3, bucket, root_user, how):
    assert ask(server, root_user, how, "PUT", f"/{bucket}/pl%20us", f"/{bucket}/pl+us", b"x").status == 200
    assert [item["Key"] for item in s3.list_objects_v2(Bucket=bucket)["Contents"]] == ["pl us"]
    assert ask(server, root_user, how, "GET", f"/{bucket}/pl%20us", f"/{bucket}/pl+us").body == b"x"


@pytest.mark.parametrize("how", HOWS)
def test_url__an_encoded_plus_is_not_a_plain_one(server, s3, bucket, root_user, how):
    put(s3, bucket, "+askhn", " askhn")
    assert ask(server, root_user, how, "GET", f"/{bucket}/%2Baskhn").body == b"+askhn"
    for signed, sent in (("%2Baskhn", "+askhn"), ("%20askhn", "%2Baskhn"), ("%2Baskhn", "%20askhn")):
        reply = ask(server, root_user, how, "GET", f"/{bucket}/{signed}", f"/{bucket}/{sent}")
        assert (reply.status, reply.code) == (403, "SignatureDoesNotMatch"), (signed, sent)


def test_url__v4_signs_a_plain_plus_as_a_blank_only(server, s3, bucket, root_user):
    put(s3, bucket, " askhn")
    request = raw.Request("GET", f"/{bucket}/+askhn", [("Host", raw.host_of(server.url))])
    signature = raw.sign_v4(request, root_user)
    assert f"GET\n/{bucket}/%20askhn\n" in signature.canonical
    assert raw.send(server.url, request).body == b" askhn"


@pytest.mark.parametrize("how", HOWS)
def test_url__a_plus_in_a_prefix_is_a_blank(server, s3, bucket, root_user, how):
    put(s3, bucket, "my folder/a", "my+folder/b")
    for sent, key in (("my+folder/", "my folder/a"), ("my%20folder/", "my folder/a"), ("my%2Bfolder/", "my+folder/b")):
        signed = sent.replace("+", "%20").replace("/", "%2F")
        reply = ask(server, root_user, how, "GET", f"/{bucket}?list-type=2&prefix={signed}", f"/{bucket}?list-type=2&prefix={sent}")
        assert (reply.status, reply.element("Contents/Key")) == (200, key), sent


@pytest.mark.parametrize("how", HOWS)
def test_url__a_plus_in_a_response_override_is_a_blank(server, s3, bucket, root_user, how):
    put(s3, bucket, "k")
    signed = "attachment%3B%20filename%3D%22a%20b.txt%22"
    reply = ask(server, root_user, how, "GET", f"/{bucket}/k?response-content-disposition={signed}",
                f"/{bucket}/k?response-content-disposition={signed.replace('%20', '+')}")  # fmt: skip
    assert (reply.status, reply.header("content-disposition")) == (200, 'attachment; filename="a b.txt"')


def test_url__anonymous_callers_are_read_the_same_way(server, s3, bucket):
    s3.put_bucket_acl(Bucket=bucket, ACL="public-read")
    put(s3, bucket, "my folder/a", "my+folder/b", "hello world.txt", "hello+world.txt")
    for key in ("hello world.txt", "hello+world.txt"):
        s3.put_object_acl(Bucket=bucket, Key=key, ACL="public-read")
    assert raw.anonymous(server.url, "GET", f"/{bucket}?prefix=my+folder/").element("Contents/Key") == "my folder/a"
    assert raw.anonymous(server.url, "GET", f"/{bucket}?prefix=my%2Bfolder/").element("Contents/Key") == "my+folder/b"
    assert raw.anonymous(server.url, "GET", f"/{bucket}/hello+world.txt").body == b"hello world.txt"
    assert raw.anonymous(server.url, "HEAD", f"/{bucket}/hello+world.txt").header("content-length") == "15"
    assert raw.anonymous(server.url, "GET", f"/{bucket}/hello%2Bworld.txt").body == b"hello+world.txt"


def test_url__a_plus_in_a_virtual_hosted_path_is_a_blank(server, s3, bucket, root_user):
    put(s3, bucket, "a b")
    host = f"{bucket}.s3.{process.BASE}:{server.url.rpartition(':')[2]}"
    request = raw.Request("GET", "/a+b", [("Host", host)])
    raw.sign_v4(request, root_user)
    assert raw.send(server.url, request).body == b"a b"


# ---- copy sources ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("source,key", [
    ("{}%2Fmy+folder%2Fa", "my folder/a"), ("{}%2Ftest+key.txt", "test key.txt"), ("{}/my%20folder/a", "my folder/a"),
    ("/{}/my+folder/a", "my folder/a"), ("%2F{}%2Fmy%20folder%2Fa", "my folder/a"), ("{}/my%2Bfolder/a", "my+folder/a"),
    ("{}%2Fmy%2Bfolder%2Fa", "my+folder/a"), ("{}/my+folder%2Fa?versionId=null", "my folder/a"),
    ("%2F{}%2Fmy+folder%2Fa?versionId=null", "my folder/a"), ("/{}//a", "/a"), ("{}%2F%2Fa", "/a"), ("{}/a%3Fb", "a?b"),
])  # fmt: skip
def test_copy_source__is_read_as_a_form(server, s3, bucket, root_user, source, key):
    put(s3, bucket, "my folder/a", "my+folder/a", "test key.txt", "/a", "a?b")
    reply = raw.signed(server.url, root_user, "PUT", f"/{bucket}/copy", headers=[("x-amz-copy-source", source.format(bucket))])
    assert (reply.status, reply.code) == (200, None), reply
    assert s3.get_object(Bucket=bucket, Key="copy")["Body"].read() == key.encode()


@pytest.mark.parametrize("source", ["", "/", "{}", "{}/", "//{}/a", "%2F%2F{}%2Fa", "{}/a%2", "{}/a%00b", "/%2F{}/a"])
def test_copy_source__that_names_no_key_is_refused(server, bucket, root_user, source):
    reply = raw.signed(server.url, root_user, "PUT", f"/{bucket}/copy", headers=[("x-amz-copy-source", source.format(bucket))])
    assert (reply.status, reply.code, reply.element("ArgumentName")) == (400, "InvalidArgument", "x-amz-copy-source"), reply


@pytest.mark.parametrize("source,message", [
    ("", "Invalid copy source bucket name"), ("//{}/a", "Invalid copy source bucket name"),
    ("{}", "Invalid copy source object key"), ("/{}/", "Invalid copy source object key"),
])  # fmt: skip
def test_copy_source__a_refusal_says_what_it_does_not_name(server, bucket, root_user, source, message):
    source = source.format(bucket)
    reply = raw.signed(server.url, root_user, "PUT", f"/{bucket}/copy", headers=[("x-amz-copy-source", source)])
    assert reply.refusal() == (
        400, "InvalidArgument", message, {"ArgumentName": "x-amz-copy-source", "ArgumentValue": source})  # fmt: skip


@pytest.mark.parametrize("method,query", [
    ("GET", ""), ("GET", "?tagging"), ("GET", "?attributes"), ("DELETE", ""), ("DELETE", "?tagging"),
    ("POST", "?uploadId=x"), ("DELETE", "?uploadId=x"), ("GET", "?uploadId=x"),
])  # fmt: skip
def test_copy_source__belongs_to_requests_that_copy(server, s3, bucket, root_user, method, query):
    put(s3, bucket, "a")
    source = ("X-Amz-Copy-Source", f"{bucket}/a")
    for target in (f"/{bucket}/a{query}", f"/{bucket}{query}"):
        reply = raw.signed(server.url, root_user, method, target, headers=[source])
        assert reply.refusal() == (
            400, "InvalidArgument", "You can only specify a copy source header for copy requests.",
            {"ArgumentName": "x-amz-copy-source", "ArgumentValue": source[1]}), (method, target)  # fmt: skip
    assert raw.signed(server.url, root_user, "HEAD", f"/{bucket}/a", headers=[source]).status == 400
    assert s3.get_object(Bucket=bucket, Key="a")["Body"].read() == b"a"


# ---- names that lead out of the bucket ---------------------------------------------------------------------
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html

OUTSIDE = ["..", "../", "../x", "../../x", "/../x", "videos/../../video1.wmv", "videos/../../../video1.wmv",
           "videos/2014/../../../video1.wmv", "./../x", "a/../../b/c/d", "a//../../b", "%2e%2e/x", "a%2F..%2F..%2Fb"]  # fmt: skip
INSIDE = ["videos/2014/../../video1.wmv", "a/..", "a/../b", "a/b/..", ".../x", "..x", "a/...", "./x", "a/./../b", "x/y/../../z/../w"]


@pytest.mark.parametrize("key", OUTSIDE)
@pytest.mark.parametrize("method,query", [
    ("PUT", ""), ("GET", ""), ("HEAD", ""), ("DELETE", ""), ("GET", "?tagging"), ("PUT", "?acl"), ("POST", "?uploads"),
    ("PUT", "?partNumber=1&uploadId=x"), ("GET", "?attributes"),
])  # fmt: skip
def test_key__dots_that_outnumber_the_names_before_them_are_refused(server, s3, bucket, root_user, method, query, key):
    body = b"x" if method == "PUT" else b""
    reply = raw.signed(server.url, root_user, method, f"/{bucket}/{key}{query}", body)
    assert reply.status == 400, reply
    assert method == "HEAD" or reply.code == "InvalidURI"
    assert "Contents" not in s3.list_objects_v2(Bucket=bucket)


@pytest.mark.parametrize("key", INSIDE)
def test_key__dots_that_stay_inside_are_part_of_the_name(server, s3, bucket, root_user, key):
    assert raw.signed(server.url, root_user, "PUT", f"/{bucket}/{key}", b"x").status == 200
    assert [item["Key"] for item in s3.list_objects_v2(Bucket=bucket)["Contents"]] == [key]
    assert raw.signed(server.url, root_user, "GET", f"/{bucket}/{key}").body == b"x"
    reply = raw.signed(server.url, root_user, "PUT", f"/{bucket}/copy", headers=[("x-amz-copy-source", f"{bucket}/{key}")])
    assert reply.status == 200


@pytest.mark.parametrize("key", OUTSIDE)
def test_copy_source__that_leads_out_of_the_bucket_is_refused(server, bucket, root_user, key):
    for target in (f"/{bucket}/copy", f"/{bucket}/copy?partNumber=1&uploadId=x"):
        reply = raw.signed(server.url, root_user, "PUT", target, headers=[("x-amz-copy-source", f"{bucket}/{key}")])
        assert (reply.status, reply.code, reply.element("ArgumentName")) == (400, "InvalidArgument", "x-amz-copy-source")


def test_key__in_virtual_host_style_is_read_the_same_way(server, bucket, root_user):
    host = f"{bucket}.s3.{process.BASE}:{server.url.rpartition(':')[2]}"
    for target, status in (("/../x", 400), (f"/../{bucket}/x", 400), ("/a/../x", 404)):
        request = raw.Request("GET", target, [("Host", host)])
        raw.sign_v4(request, root_user)
        assert raw.send(server.url, request).status == status, target


def test_key__in_a_document_is_no_url_and_can_be_removed(s3, bucket):
    """What an earlier version stored under such a name is still listed, and goes this way."""
    deleted = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "../x"}, {"Key": "a/../../b"}]})
    assert [item["Key"] for item in deleted["Deleted"]] == ["../x", "a/../../b"]


def test_key__in_a_form_is_read_the_same_way(server, s3, bucket):
    s3.put_bucket_acl(Bucket=bucket, ACL="public-read-write")
    for key, filename, status in (("../x", "f", 400), ("a/../../x", "f", 400), ("${filename}", "../x", 400), ("a/../x", "f", 204)):
        body, content_type = raw.form_body([("key", key)], b"x", filename=filename)
        reply = raw.anonymous(server.url, "POST", f"/{bucket}", body, [("Content-Type", content_type)])
        assert reply.status == status, key
    assert [item["Key"] for item in s3.list_objects_v2(Bucket=bucket)["Contents"]] == ["a/../x"]


# ---- (2): what a mismatch shows ------------------------------------------------------------------------------


def test_url__the_canonical_request_shows_the_path_decoded_and_encoded(server, s3, bucket, root_user):
    put(s3, bucket, "k")
    reply = ask(server, root_user, "v4 url", "GET", f"/{bucket}/k", f"/%2F{bucket}/k")
    assert (reply.status, reply.code) == (403, "SignatureDoesNotMatch")
    assert reply.element("CanonicalRequest").split("\n")[1] == f"//{bucket}/k"
    reply = ask(server, root_user, "v4 header", "GET", f"/{bucket}/k", f"/{bucket}/%6b+%2b")
    assert reply.element("CanonicalRequest").split("\n")[1] == f"/{bucket}/k%20%2B"
