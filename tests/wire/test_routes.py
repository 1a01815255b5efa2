# SPDX-License-Identifier: Apache-2.0
"""What names an operation, and what is refused because it belongs to another.

Generated from routes.def and selectors.def: every sub-resource with every method, every two
sub-resources at once, every parameter that S3 refuses where it does not belong.

    https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
"""

import itertools

import pytest

from tools import routes
from wire import raw

ROWS = routes.load()
SELECTORS = routes.selectors()
METHODS = ("GET", "HEAD", "PUT", "POST", "DELETE", "PATCH")
NO_BUCKET = "no-such-bucket-of-ours"


def methods_of(resource, name):
    return {row.method for row in ROWS if row.resource == resource and name in row.conditions}


def path_of(resource, bucket):
    return f"/{bucket}/key" if resource == "OBJECT" else f"/{bucket}"


# Refused in words of their own, below.
WORDED = {("BUCKET", "uploadId", "GET"), ("BUCKET", "uploadId", "POST"), ("BUCKET", "uploadId", "DELETE"),
          ("BUCKET", "uploads", "POST"), ("BUCKET", "restore", "POST"), ("OBJECT", "uploads", "GET"),
          ("OBJECT", "versions", "GET"), ("OBJECT", "logging", "GET")}  # fmt: skip


@pytest.fixture
def kept(server, root_user, s3, bucket):
    """A bucket with an object that no refusal changes."""
    s3.put_object(Bucket=bucket, Key="key", Body=b"data")
    yield bucket
    assert raw.signed(server.url, root_user, "GET", f"/{bucket}/key").body == b"data"
    assert raw.signed(server.url, root_user, "GET", f"/{bucket}?list-type=2").element("KeyCount") == "1"
    assert raw.signed(server.url, root_user, "GET", f"/{bucket}?versioning").element("Status") is None


@pytest.mark.parametrize("selector", SELECTORS, ids=lambda s: f"{s.resource}-{s.name}".lower())
def test_sub_resource__a_method_it_has_not_is_405_and_never_the_plain_operation(server, root_user, kept, selector):
    for method in METHODS:
        has = methods_of(selector.resource, selector.name)
        of_bucket = methods_of("BUCKET", selector.name) if selector.of_bucket else set()
        if method in has | of_bucket or (selector.resource, selector.name, method) in WORDED:
            continue
        for bucket, query in ((kept, selector.name), (NO_BUCKET, selector.name), (kept, selector.name + "=1")):
            target = f"{path_of(selector.resource, bucket)}?{query}"
            body = b"destroyed" if method in ("PUT", "POST") else b""
            for reply in (raw.signed(server.url, root_user, method, target, body), raw.anonymous(server.url, method, target, body)):
                assert reply.status == 405, (method, target, reply)
                if has:
                    assert set(reply.header("allow").split(", ")) == has, (method, target)
                if method == "HEAD":
                    assert reply.body == b"", target
                    continue
                assert reply.code == "MethodNotAllowed", (method, target, reply)
                assert (reply.element("Method"), reply.element("ResourceType")) == (method, selector.type), target


@pytest.mark.parametrize("resource", ["BUCKET", "OBJECT"])
def test_sub_resources__two_at_once_are_refused_by_name(server, root_user, kept, resource):
    names = sorted([s.name for s in SELECTORS if s.resource == resource] + ["partNumber"])
    with raw.Connection(server.url) as connection:
        for number, (first, second) in enumerate(itertools.combinations(names, 2)):
            if {first, second} == {"partNumber", "uploadId"}:
                continue
            method = ("GET", "PUT", "DELETE")[number % 3]
            sent = (f"{second}&{first}=", f"{first}=1&{second}")[number % 2]
            request = raw.Request(method, f"{path_of(resource, kept)}?{sent}", [("Host", raw.host_of(server.url))])
            raw.sign_v4(request, root_user)
            connection.send(request.wire())
            reply = connection.reply()
            assert (reply.status, reply.code) == (400, "InvalidArgument"), (method, sent, reply)
            assert reply.element("Message") == f"Conflicting query string parameters: {first}, {second}"
            assert (reply.element("ArgumentName"), reply.element("ArgumentValue")) == ("ResourceType", first)


@pytest.mark.parametrize("target,message", [
    ("/{}?uploads&uploadId=x", "uploadId, uploads"), ("/{}?versioning&acl", "acl, versioning"),
    ("/{}?website&acl&cors", "acl, cors, website"), ("/{}/key?partNumber=1&tagging", "partNumber, tagging"),
    ("/{}/key?uploads&uploadId=x&partNumber=1", "uploadId, uploads"),
])  # fmt: skip
def test_sub_resources__at_once_whatever_the_bucket_and_the_caller(server, root_user, kept, target, message):
    for bucket in (kept, NO_BUCKET):
        for reply in (raw.signed(server.url, root_user, "GET", target.format(bucket)),
                      raw.anonymous(server.url, "GET", target.format(bucket))):  # fmt: skip
            assert (reply.status, reply.code) == (400, "InvalidArgument"), reply
            assert reply.element("Message") == f"Conflicting query string parameters: {message}"


A_KEY = "A key must be specified"
NO_UPLOAD = "This operation does not accept partNumber without uploadId"
NO_VERSION = "This operation does not accept a version-id."
V2_ONLY = "only supported in REST.GET.BUCKET with list-type=2"
NO_SUCH = "There is no such thing as the ?{} sub-resource for a key"
# method, target, code, message, ArgumentName, ArgumentValue, and whether the bucket is looked up first.
WORDS = [
    ("GET", "/{}/key?uploads", "InvalidRequest", "Key is not expected for the GET method ?uploads subresource", None, None, True),
    ("GET", "/{}/none?uploads=", "InvalidRequest", "Key is not expected for the GET method ?uploads subresource", None, None, True),
    ("GET", "/{}/key?versions", "InvalidRequest", NO_SUCH.format("versions"), None, None, True),
    ("GET", "/{}/key?versions&prefix=k", "InvalidRequest", NO_SUCH.format("versions"), None, None, True),
    ("GET", "/{}/key?logging", "NoLoggingStatusForKey", NO_SUCH.format("logging"), None, None, True),
    ("GET", "/{}?uploadId=x", "InvalidRequest", A_KEY, None, None, True),
    ("GET", "/{}?list-type=2&uploadId=x", "InvalidRequest", A_KEY, None, None, True),
    ("POST", "/{}?uploadId=x", "InvalidRequest", A_KEY, None, None, True),
    ("DELETE", "/{}?uploadId=x", "InvalidRequest", A_KEY, None, None, True),
    ("POST", "/{}?uploads", "InvalidRequest", A_KEY, None, None, True),
    ("POST", "/{}?restore", "UserKeyMustBeSpecified", "User key must be specified.", None, None, True),
    ("PUT", "/{}/key?partNumber=1", "InvalidArgument", NO_UPLOAD, "partNumber", "partNumber", False),
    ("PUT", "/{}/key?partNumber=", "InvalidArgument", NO_UPLOAD, "partNumber", "partNumber", False),
    ("DELETE", "/{}/key?partNumber=1", "InvalidArgument", NO_UPLOAD, "partNumber", "partNumber", False),
    ("GET", "/{}?start-after=k", "InvalidArgument", f"startAfter {V2_ONLY}", "start-after", None, False),
    ("GET", "/{}?start-after=", "InvalidArgument", f"startAfter {V2_ONLY}", "start-after", None, False),
    ("GET", "/{}?list-type=1&start-after=k", "InvalidArgument", f"startAfter {V2_ONLY}", "start-after", None, False),
    ("GET", "/{}?continuation-token=t", "InvalidArgument", f"continuation-token {V2_ONLY}", "continuation-token", None, False),
    ("GET", "/{}?list-type=2&marker=k", "InvalidArgument", "Marker unsupported with REST.GET.BUCKET in list-type=2", "marker", None,
     False),
    ("GET", "/{}?partNumber=1", "InvalidRequest", "Object must have a valid key name.", None, None, False),
    ("PUT", "/{}?partNumber=1", "InvalidRequest", "Object must have a valid key name.", None, None, False),
    ("DELETE", "/{}?partNumber=", "InvalidRequest", "Object must have a valid key name.", None, None, False),
    ("GET", "/{}?versionId=x", "InvalidArgument", NO_VERSION, "versionId", "x", False),
    ("GET", "/{}?versionId=", "InvalidArgument", NO_VERSION, "versionId", "", False),
    ("GET", "/{}?list-type=2&versionId=null", "InvalidArgument", NO_VERSION, "versionId", "null", False),
    ("GET", "/{}?versioning&versionId=x", "InvalidArgument", NO_VERSION, "versionId", "x", False),
    ("GET", "/{}?acl&versionId=x", "InvalidArgument", "Invalid version id specified", "versionId", "x", False),
    ("PUT", "/{}?versioning&versionId=x", "InvalidArgument", NO_VERSION, "versionId", "x", False),
    ("DELETE", "/{}?versionId=x", "InvalidArgument", NO_VERSION, "versionId", "x", False),
    ("POST", "/{}?delete&versionId=x", "InvalidArgument", NO_VERSION, "versionId", "x", False),
    ("PUT", "/{}/key?versionId=x", "InvalidArgument", NO_VERSION, "versionId", "x", False),
    ("GET", "/{}/key?uploadId=x&versionId=y", "InvalidArgument", NO_VERSION, "versionId", "y", False),
    ("POST", "/{}/key?uploads&versionId=y", "InvalidArgument", NO_VERSION, "versionId", "y", False),
]  # fmt: skip


@pytest.mark.parametrize("method,target,code,message,name,value,late", WORDS, ids=[f"{w[0]} {w[1]}" for w in WORDS])
def test_parameter__that_belongs_to_another_operation(server, root_user, kept, method, target, code, message, name, value, late):
    body = b"destroyed" if method in ("PUT", "POST") else b""
    reply = raw.signed(server.url, root_user, method, target.format(kept), body)
    assert (reply.status, reply.code) == (400, code), reply
    assert reply.element("Message") == message
    assert (reply.element("ArgumentName"), reply.element("ArgumentValue")) == (name, value)
    absent = raw.signed(server.url, root_user, method, target.format(NO_BUCKET), body)
    assert absent.code == ("NoSuchBucket" if late else code), absent
    stranger = raw.signed(server.url, server.users["alice"], method, target.format(kept), body)
    assert stranger.code == ("AccessDenied" if late else code), stranger


def test_parameter__part_number_of_a_copy_without_an_upload(server, root_user, kept):
    reply = raw.signed(server.url, root_user, "PUT", f"/{kept}/key?partNumber=1", headers=[("x-amz-copy-source", f"{kept}/key")])
    assert (reply.status, reply.code, reply.element("Message")) == (400, "InvalidArgument", NO_UPLOAD), reply


@pytest.mark.parametrize("name", [s.name for s in SELECTORS if s.of_bucket and s.name not in ("logging", "versions")])
def test_sub_resource__of_the_bucket_read_at_a_key_is_the_buckets(server, root_user, kept, name):
    wanted = raw.signed(server.url, root_user, "GET", f"/{kept}?{name}")
    for key in ("key", "none"):
        reply = raw.signed(server.url, root_user, "GET", f"/{kept}/{key}?{name}")
        assert (reply.status, reply.code) == (wanted.status, wanted.code), reply
        assert raw.signed(server.url, server.users["alice"], "GET", f"/{kept}/{key}?{name}").code == "AccessDenied"
    for method in methods_of("BUCKET", name) - {"GET"}:
        reply = raw.signed(server.url, root_user, method, f"/{kept}/key?{name}", b"<x/>")
        assert (reply.status, reply.code) == (501, "NotImplemented"), (method, reply)
    assert raw.signed(server.url, root_user, "GET", f"/{kept}?{name}").status == wanted.status


@pytest.mark.parametrize("method,target,kind,allow", [
    ("POST", "/", "SERVICE", "GET"), ("PUT", "/", "SERVICE", "GET"), ("DELETE", "/", "SERVICE", "GET"),
    ("PATCH", "/", "SERVICE", "GET"), ("PATCH", "/{}", "BUCKET", "GET, HEAD, PUT, DELETE, POST"),
    ("PATCH", "/{}/key", "OBJECT", "GET, HEAD, PUT, DELETE"), ("POST", "/{}/key", "OBJECT", "GET, HEAD, PUT, DELETE"),
    ("POST", "/{}/key?newthing", "OBJECT", "GET, HEAD, PUT, DELETE"),
])  # fmt: skip
def test_method__not_allowed_names_itself_and_those_that_are(server, root_user, kept, method, target, kind, allow):
    reply = raw.signed(server.url, root_user, method, target.format(kept))
    assert (reply.status, reply.code) == (405, "MethodNotAllowed"), reply
    assert (reply.element("Method"), reply.element("ResourceType")) == (method, kind)
    assert set(reply.header("allow").split(", ")) == set(allow.split(", "))


def test_method__head_of_the_service_is_not_allowed(server, root_user):
    reply = raw.signed(server.url, root_user, "HEAD", "/")
    assert (reply.status, reply.header("allow"), reply.body) == (405, "GET", b"")


@pytest.mark.parametrize("method", ["PROPFIND", "get", "LOCK", "PUTT", "X" * 300])
def test_method__of_no_sense_to_s3(server, root_user, kept, method):
    for target in (f"/{kept}/key", f"/{kept}", "/"):
        reply = raw.signed(server.url, root_user, method, target)
        assert (reply.status, reply.code) == (400, "BadRequest"), (target, reply)
        assert reply.element("Message") == "An error occurred when parsing the HTTP request."


# ---- preflight ------------------------------------------------------------------------------------------


NOT_ENABLED = "CORSResponse: CORS is not enabled for this bucket."
NOT_FOUND = "CORSResponse: Bucket not found"


@pytest.mark.parametrize("target,message", [
    ("/{}", NOT_ENABLED), ("/{}/key", NOT_ENABLED), ("/{}/none?acl", NOT_ENABLED), ("/{}?cors&acl", NOT_ENABLED),
    (f"/{NO_BUCKET}", NOT_FOUND), (f"/{NO_BUCKET}/key", NOT_FOUND), ("/Not_A_Name", NOT_FOUND), ("/", NOT_FOUND),
])  # fmt: skip
def test_preflight__is_refused_in_the_bucket_without_cors(server, kept, target, message):
    for asked, method in ((None, "OPTIONS"), ("", "OPTIONS"), ("PUT", "PUT"), ("GET", "GET"), ("PATCH", "PATCH")):
        headers = [("Origin", "http://a.test")] + ([] if asked is None else [("Access-Control-Request-Method", asked)])
        reply = raw.anonymous(server.url, "OPTIONS", target.format(kept), headers=headers)
        assert (reply.status, reply.code, reply.element("Message")) == (403, "AccessForbidden", message), reply
        assert (reply.element("Method"), reply.element("ResourceType")) == (method, "BUCKET"), asked
        assert reply.header("access-control-allow-origin") is None


@pytest.mark.parametrize("target", ["/", "/{}", "/{}/key", f"/{NO_BUCKET}"])
def test_preflight__without_an_origin(server, kept, target):
    for headers in ([], [("Origin", "")], [("Access-Control-Request-Method", "PUT")]):
        reply = raw.anonymous(server.url, "OPTIONS", target.format(kept), headers=headers)
        assert (reply.status, reply.code) == (400, "BadRequest"), reply
        assert reply.element("Message") == "Insufficient information. Origin request header needed."


@pytest.mark.parametrize("asked", ["put", "Get", "FOO", "TRACE", "CONNECT", "*", "GET, PUT"])
def test_preflight__for_a_method_s3_has_not(server, kept, asked):
    headers = [("Origin", "http://a.test"), ("Access-Control-Request-Method", asked)]
    reply = raw.anonymous(server.url, "OPTIONS", f"/{kept}/key", headers=headers)
    assert (reply.status, reply.code) == (400, "BadRequest"), reply
    assert reply.element("Message") == f"Invalid Access-Control-Request-Method: {asked}"
