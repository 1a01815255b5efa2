# SPDX-License-Identifier: Apache-2.0
"""CORS: documents as they came, preflights, and what answers of all kinds say to a page of another origin.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/cors.html
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/ManageCorsUsing.html
"""

import base64
import hashlib

import pytest

from sdk import expect
from wire import process, raw

VARY = "Origin, Access-Control-Request-Headers, Access-Control-Request-Method"
NOT_ALLOWED = ("CORSResponse: This CORS request is not allowed. This is usually because the evalution of Origin, request "
               "method / Access-Control-Request-Method or Access-Control-Request-Headers are not whitelisted by the "
               "resource's CORS spec.")  # fmt: skip
PAGE = "http://page.test"


def rule(origins=(PAGE,), methods=("GET",), **more):
    return {"AllowedOrigins": list(origins), "AllowedMethods": list(methods), **more}


def put(s3, bucket, *rules):
    s3.put_bucket_cors(Bucket=bucket, CORSConfiguration={"CORSRules": list(rules)})


def put_raw(server, user, bucket, document):
    md5 = base64.b64encode(hashlib.md5(document).digest()).decode()
    return raw.signed(server.url, user, "PUT", f"/{bucket}?cors", document, [("Content-MD5", md5)])


def preflight(server, target, origin=PAGE, method="GET", headers=None):
    fields = [("Origin", origin), ("Access-Control-Request-Method", method)]
    if headers is not None:
        fields.append(("Access-Control-Request-Headers", headers))
    return raw.anonymous(server.url, "OPTIONS", target, headers=fields)


def says(reply):
    return {name.lower(): value for name, value in reply.headers if name.lower().startswith("access-control-")}


# ---- documents -------------------------------------------------------------------------------------


def test_GetBucketCors__is_what_PutBucketCors_brought(s3, bucket):
    rules = [rule(["*"], ["GET", "HEAD"], ID="first", ExposeHeaders=["ETag", "x-amz-meta-a"], MaxAgeSeconds=3000),
             rule(["http://*.a.test", "https://b.test"], ["PUT", "POST", "DELETE"], AllowedHeaders=["*", "x-amz-*"])]  # fmt: skip
    put(s3, bucket, *rules)
    assert s3.get_bucket_cors(Bucket=bucket)["CORSRules"] == rules


def test_DeleteBucketCors__leaves_none_and_can_be_repeated(server, s3, bucket):
    put(s3, bucket, rule())
    for _ in range(2):
        assert s3.delete_bucket_cors(Bucket=bucket)["ResponseMetadata"]["HTTPStatusCode"] == 204
    with expect.refused(404, "NoSuchCORSConfiguration"):
        s3.get_bucket_cors(Bucket=bucket)
    assert preflight(server, f"/{bucket}/key").code == "AccessForbidden"


ORIGIN, METHOD = "<AllowedOrigin>*</AllowedOrigin>", "<AllowedMethod>GET</AllowedMethod>"
INVALID = "InvalidRequest"


@pytest.mark.parametrize("content,code,message", [
    ("", "MalformedXML", None),
    ("<CORSRule></CORSRule>", "MalformedXML", None),
    (f"<CORSRule>{ORIGIN}</CORSRule>", "MalformedXML", None),
    (f"<CORSRule>{METHOD}</CORSRule>", "MalformedXML", None),
    (f"<CORSRule>{ORIGIN}{METHOD}<Unknown/></CORSRule>", "MalformedXML", None),
    (f"<CORSRule>{ORIGIN}{METHOD}<MaxAgeSeconds>a</MaxAgeSeconds></CORSRule>", "MalformedXML", None),
    (f"<CORSRule>{ORIGIN}{METHOD}<MaxAgeSeconds>2147483648</MaxAgeSeconds></CORSRule>", "MalformedXML", None),
    (f"<CORSRule>{ORIGIN}{METHOD}<ID>{'i' * 256}</ID></CORSRule>", "MalformedXML", None),
    (f"<CORSRule>{ORIGIN}{METHOD}<ExposeHeader>a&#10;b</ExposeHeader></CORSRule>", "MalformedXML", None),
    (f"<CORSRule>{ORIGIN}<AllowedMethod>PATCH</AllowedMethod></CORSRule>", INVALID,
     "Found unsupported HTTP method in CORS config. Unsupported method is PATCH"),
    (f"<CORSRule>{ORIGIN}<AllowedMethod>get</AllowedMethod></CORSRule>", INVALID,
     "Found unsupported HTTP method in CORS config. Unsupported method is get"),
    (f"<CORSRule>{METHOD}<AllowedOrigin>http://*.*.test</AllowedOrigin></CORSRule>", INVALID,
     'AllowedOrigin "http://*.*.test" can not have more than one wildcard.'),
    (f"<CORSRule>{ORIGIN}{METHOD}<AllowedHeader>**</AllowedHeader></CORSRule>", INVALID,
     'AllowedHeader "**" can not have more than one wildcard.'),
    (f"<CORSRule>{ORIGIN}{METHOD}<ExposeHeader>x-*</ExposeHeader></CORSRule>", INVALID,
     'ExposeHeader "x-*" contains wildcard. We currently do not support wildcard for ExposeHeader.'),
])  # fmt: skip
def test_PutBucketCors__refuses_what_no_rule_may_say_and_keeps_the_old_ones(server, root_user, s3, bucket, content, code, message):
    put(s3, bucket, rule())
    reply = put_raw(server, root_user, bucket, f"<CORSConfiguration>{content}</CORSConfiguration>".encode())
    assert (reply.status, reply.code) == (400, code), reply
    assert message in (None, reply.element("Message"))
    assert s3.get_bucket_cors(Bucket=bucket)["CORSRules"] == [rule()]


def test_PutBucketCors__has_a_hundred_rules_at_most(server, root_user, bucket):
    for count, status in ((100, 200), (101, 400)):
        rules = f"<CORSRule>{ORIGIN}{METHOD}<ID>{'é' * 255}</ID><MaxAgeSeconds>2147483647</MaxAgeSeconds></CORSRule>" * count
        reply = put_raw(server, root_user, bucket, f"<CORSConfiguration>{rules}</CORSConfiguration>".encode())
        assert reply.status == status, (count, reply)


# ---- preflight -------------------------------------------------------------------------------------


def test_preflight__is_answered_in_full(server, s3, bucket):
    put(s3, bucket, rule(["http://other.test"], ["GET"], AllowedHeaders=["*"]),
        rule([PAGE], ["PUT", "POST"], AllowedHeaders=["Content-*", "x-amz-date"], ExposeHeaders=["ETag", "x-amz-request-id"],
             MaxAgeSeconds=3000), rule(["*"], ["PUT"], AllowedHeaders=["*"]))  # fmt: skip
    reply = preflight(server, f"/{bucket}/any/key", method="PUT", headers="Content-Type,content-MD5, X-Amz-Date")
    assert (reply.status, reply.body) == (200, b"")
    assert says(reply) == {
        "access-control-allow-origin": PAGE, "access-control-allow-methods": "PUT, POST",
        "access-control-allow-headers": "content-type, content-md5, x-amz-date",
        "access-control-expose-headers": "ETag, x-amz-request-id", "access-control-max-age": "3000",
        "access-control-allow-credentials": "true"}  # fmt: skip
    assert reply.header("Vary") == VARY
    # The first rule that allows all of it counts: this header is the third's only.
    assert says(preflight(server, f"/{bucket}/key", method="PUT", headers="x-amz-acl")) == {
        "access-control-allow-origin": "*", "access-control-allow-methods": "PUT",
        "access-control-allow-headers": "x-amz-acl"}  # fmt: skip


@pytest.mark.parametrize("pattern,origin,allowed", [
    ("*suffix", "foo.suffix", True), ("*suffix", "suffix", True), ("*suffix", "foo.suffix.get", False),
    ("start*end", "startend", True), ("start*end", "start12end", True), ("start*end", "0start1end", False),
    ("aba*ba", "aba", False), ("prefix*", "prefix.suffix", True), ("prefix*", "a.prefix", False),
    ("http://a.test", "http://a.test", True), ("http://a.test", "HTTP://A.TEST", False),
    ("http://a.test", "http://a.test:80", False), ("*", "null", True),
])  # fmt: skip
def test_preflight__matches_origins(server, s3, bucket, pattern, origin, allowed):
    put(s3, bucket, rule([pattern]))
    reply = preflight(server, f"/{bucket}", origin)
    assert reply.status == (200 if allowed else 403)
    assert reply.header("Access-Control-Allow-Origin") == ((pattern if pattern == "*" else origin) if allowed else None)


@pytest.mark.parametrize("asked", [{"origin": "http://b.test"}, {"method": "PUT"}, {"method": "PATCH"}, {"headers": "x-amz-meta-a"}])
@pytest.mark.parametrize("target,kind", [("/{}", "BUCKET"), ("/{}/key", "OBJECT")])
def test_preflight__that_no_rule_allows(server, s3, bucket, target, kind, asked):
    put(s3, bucket, rule(AllowedHeaders=["x-amz-date"]))
    reply = preflight(server, target.format(bucket), **asked)
    assert (reply.status, reply.code, reply.element("Message")) == (403, "AccessForbidden", NOT_ALLOWED)
    assert (reply.element("Method"), reply.element("ResourceType")) == (asked.get("method", "GET"), kind)
    assert says(reply) == {}


def test_preflight__has_to_name_a_method(server, s3, bucket):
    put(s3, bucket, rule())
    reply = raw.anonymous(server.url, "OPTIONS", f"/{bucket}/key", headers=[("Origin", PAGE)])
    assert (reply.status, reply.code) == (400, "BadRequest")
    assert reply.element("Message") == "Invalid Access-Control-Request-Method: null"


def test_preflight__says_nothing_of_what_is_in_the_bucket(server, s3, bucket):
    put(s3, bucket, rule())
    s3.put_object(Bucket=bucket, Key="there", Body=b"x")
    there, absent = preflight(server, f"/{bucket}/there"), preflight(server, f"/{bucket}/absent")
    changing = {"x-amz-request-id", "x-amz-id-2", "date"}
    assert [(n, v) for n, v in there.headers if n.lower() not in changing] == [
        (n, v) for n, v in absent.headers if n.lower() not in changing]  # fmt: skip


def test_preflight__by_the_bucket_s_own_host(server, s3, bucket):
    put(s3, bucket, rule())
    host = f"{bucket}.{raw.host_of(server.url)}" if not raw.host_of(server.url)[0].isdigit() else f"{bucket}.localhost"
    reply = raw.send(server.url, raw.Request("OPTIONS", "/key", [
        ("Host", host), ("Origin", PAGE), ("Access-Control-Request-Method", "GET")]))  # fmt: skip
    assert (reply.status, reply.header("Access-Control-Allow-Origin")) == (200, PAGE)


# ---- answers ---------------------------------------------------------------------------------------

READ = {"access-control-allow-origin": PAGE, "access-control-allow-methods": "GET, PUT, POST",
        "access-control-expose-headers": "ETag", "access-control-allow-credentials": "true"}  # fmt: skip


@pytest.fixture
def shown(s3, bucket):
    put(s3, bucket, rule([PAGE], ["GET", "PUT", "POST"], ExposeHeaders=["ETag"]))
    s3.put_object(Bucket=bucket, Key="key", Body=b"data")
    return bucket


@pytest.mark.parametrize("method,target,body,status", [
    ("GET", "/{}/key", b"", 200), ("GET", "/{}", b"", 200), ("GET", "/{}/none", b"", 404), ("PUT", "/{}/new", b"body", 200),
    ("GET", "/{}/key?versionId=x", b"", 400), ("POST", "/{}/key?uploads", b"", 200), ("PUT", "/{}?acl", b"<no", 400),
    ("GET", "/{}/key?torrent", b"", 501), ("PUT", "/{}?unknown", b"", 501),
])  # fmt: skip
def test_answers__of_a_bucket_with_rules_say_so(server, root_user, shown, method, target, body, status):
    reply = raw.signed(server.url, root_user, method, target.format(shown), body, headers=[("Origin", PAGE)])
    assert (reply.status, says(reply)) == (status, READ), reply
    assert reply.header("Vary") == VARY


def test_answers__say_so_whoever_is_refused_and_why(server, root_user, shown):
    origin = [("Origin", PAGE)]
    anonymous = raw.anonymous(server.url, "GET", f"/{shown}/key", headers=origin)
    forged = raw.Request("GET", f"/{shown}/key", [("Host", raw.host_of(server.url)), *origin])
    raw.sign_v4(forged, root_user)
    forged.set("Authorization", forged.header("Authorization")[:-1] + "x")
    posted = raw.anonymous(server.url, "POST", f"/{shown}", b"no form", headers=origin)
    for reply, status in ((anonymous, 403), (raw.send(server.url, forged), 403), (posted, 412)):
        assert (reply.status, says(reply)) == (status, READ), reply


def test_answers__to_other_origins_methods_and_clients_say_nothing(server, root_user, shown):
    for method, headers in (("GET", []), ("GET", [("Origin", "http://b.test")]), ("DELETE", [("Origin", PAGE)]),
                            ("GET", [("Origin", PAGE), ("Access-Control-Request-Method", "DELETE")])):  # fmt: skip
        reply = raw.signed(server.url, root_user, method, f"/{shown}/none", headers=headers)
        assert (says(reply), reply.header("Vary")) == ({}, None), (method, headers)


def test_answers__to_a_form_upload_and_a_presigned_url(server, root_user, s3, shown):
    url = s3.generate_presigned_url("get_object", Params={"Bucket": shown, "Key": "key"})
    target = "/" + url.split("/", 3)[3]
    request = raw.Request("GET", target, [("Host", raw.host_of(server.url)), ("Origin", PAGE)])
    reply = raw.send(server.url, request)
    assert (reply.status, reply.body, says(reply)) == (200, b"data", READ), reply
    post = s3.generate_presigned_post(shown, "posted", Fields={"success_action_status": "201"},
                                      Conditions=[{"success_action_status": "201"}])  # fmt: skip
    body, content_type = raw.form_body(list(post["fields"].items()), b"posted")
    request = raw.Request("POST", f"/{shown}", [
        ("Host", raw.host_of(server.url)), ("Origin", PAGE), ("Content-Type", content_type)], body)  # fmt: skip
    reply = raw.send(server.url, request)
    assert (reply.status, says(reply)) == (201, READ), reply


def test_answers__of_a_bucket_without_rules_or_that_is_not_there(server, root_user, bucket):
    for target in (f"/{bucket}", "/no-such-bucket-for-pages", "/"):
        assert says(raw.signed(server.url, root_user, "GET", target, headers=[("Origin", PAGE)])) == {}


# ---- --cors ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def open_server(tmp_path_factory):
    server = process.Server(tmp_path_factory.mktemp("cors"), "--cors", "http://localhost:3000", "--cors", "http://*.dev.test")
    yield server
    server.stop()


def test_setting__opens_buckets_that_have_no_rules(open_server):
    root = open_server.users["root"]
    assert raw.signed(open_server.url, root, "PUT", "/opened").status == 200
    for target in ("/opened/key", "/opened", "/", "/not-there-yet"):
        reply = preflight(open_server, target, "http://localhost:3000", "DELETE", "authorization,x-amz-date")
        assert reply.status == 200, (target, reply)
        assert reply.header("Access-Control-Allow-Headers") == "authorization, x-amz-date"
        reply = raw.signed(open_server.url, root, "GET", target, headers=[("Origin", "http://a.dev.test")])
        assert reply.header("Access-Control-Allow-Origin") == "http://a.dev.test", target
        assert {"*", "ETag", "Location"} <= set(reply.header("Access-Control-Expose-Headers").split(", "))
        assert preflight(open_server, target, "http://evil.test").status == 403


def test_setting__gives_way_to_a_bucket_s_own_rules(open_server):
    root = open_server.users["root"]
    assert raw.signed(open_server.url, root, "PUT", "/own").status == 200
    document = f"<CORSConfiguration><CORSRule>{METHOD}<AllowedOrigin>{PAGE}</AllowedOrigin></CORSRule></CORSConfiguration>"
    assert put_raw(open_server, root, "own", document.encode()).status == 200
    assert preflight(open_server, "/own/key", "http://localhost:3000").code == "AccessForbidden"
    assert preflight(open_server, "/own/key", PAGE).status == 200


@pytest.mark.parametrize("origin", ["http://*.*.test", "http://é.test"])
def test_setting__that_is_no_origin_stops_the_start(tmp_path, origin):
    with pytest.raises(AssertionError, match="--cors"):
        process.Server(tmp_path, "--cors", origin)
